#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The plugin of ipmasqadm-plugin(7) builds out of the tree with pkg-config, against an installation,
# and works.
. "$(dirname "$0")/lib.sh"
begin 1
library=${IPMASQADM_PLUGINDIR%/*}
examples=$IPMASQADM_INCLUDE/../../contrib/examples/plugin

# ipmasqadm.pc as it would be if the staged installation were the real one.
staged_description() {
	local prefix

	prefix=$(sed -n 's/^prefix=//p' "$library/pkgconfig/ipmasqadm.pc")
	sed "s|^prefix=|prefix=${library%"$prefix"/*}|" "$library/pkgconfig/ipmasqadm.pc"
}

example() {
	PKG_CONFIG_PATH=$lab_scratch CFLAGS="-O1 -g" bash "$examples/check.sh"
}

check "an installation describes itself to pkg-config" \
	eval 'staged_description >"$lab_scratch/ipmasqadm.pc"'
check "the example builds, and does what the manual says" example
finish
