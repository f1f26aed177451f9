#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the example plugin out of tree as anybody would, and runs it in a network namespace.
#
#   [IPMASQADM=PROGRAM] [PKG_CONFIG_PATH=DIR] ./check.sh
#
# The program is ipmasqadm of PATH if IPMASQADM is not set; pkg-config must know the same
# installation.  Exit status 0: as it should be; 1: not; 77: no namespace can be made here.
set -eu

program=${IPMASQADM:-ipmasqadm}
here=$(cd "$(dirname "$0")" && pwd)

if [ "${1:-}" != inside ]; then
	user=
	[ "$(id -u)" = 0 ] || user=-r
	unshare $user -n true 2>/dev/null || { echo "webfw: no network namespaces here"; exit 77; }
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	trap 'exit 1' HUP INT TERM
	cp "$here/webfw.c" "$here/Makefile" "$work"
	mkdir "$work/plugins"
	cp -R "$(pkg-config --variable=plugindir ipmasqadm)/." "$work/plugins"
	make -s -C "$work" install CFLAGS="${CFLAGS:--O2} -Wall -Wextra -Werror" \
		PLUGINDIR="$work/plugins"
	chmod -R go-w "$work/plugins"
	IPMASQADM_PLUGINDIR=$work/plugins IPMASQADM=$program WORK=$work \
		unshare $user -n "$here/check.sh" inside
	exit
fi

failed=0

# expect SENTENCE STATUS OUTPUT WORD...: what `ipmasqadm WORD...` prints and how it ends
expect() {
	sentence=$1 status=$2 output=$3
	shift 3
	code=0
	got=$("$program" "$@" 2>&1) || code=$?
	if [ "$code" = "$status" ] && [ "$got" = "$output" ]; then
		echo "ok: $sentence"
		return
	fi
	failed=1
	printf 'not ok: %s\n  ipmasqadm %s\n  status %s, expected %s; printed:\n%s\n  expected:\n%s\n' \
		"$sentence" "$*" "$code" "$status" "$got" "$output"
}

head='# ipmasqadm rules, one command a line; see ipmasqadm(8)'

expect 'a dry run shows one line for a server' 0 '+ webfw -A -R 10.0.0.11' \
	--dry-run webfw -A -R 10.0.0.11
expect 'a dry run changes nothing' 0 "$head" save
expect 'a server is added' 0 '' webfw -A -R 10.0.0.11
expect 'a second one is added' 0 '' webfw -A -R 10.0.0.12
expect 'adding one again changes nothing' 0 '' --dry-run webfw -A -R 10.0.0.12
expect 'an IPv6 server is added' 0 '' webfw -A -R fd00::11
expect 'portfw is not disturbed' 0 '' portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.13 80
rules="$head
portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.13 80
webfw -A -R 10.0.0.11
webfw -A -R 10.0.0.12
webfw -A -R fd00::11"
expect 'save prints each server once' 0 "$rules" save
expect 'the listing has both ports' 0 'server    port packets bytes
10.0.0.11   80       0     0
10.0.0.12   80       0     0
10.0.0.11  443       0     0
10.0.0.12  443       0     0
fd00::11    80       0     0
fd00::11   443       0     0' webfw -L -n
# shellcheck disable=SC2153 # of the environment
"$program" save "$WORK/rules"
expect 'flush takes all' 0 '' flush
expect 'nothing is left' 0 "$head" save
expect 'restore brings all back' 0 '' restore "$WORK/rules"
expect 'as it was' 0 "$rules" save
expect 'a server is deleted' 0 '' webfw -D -R 10.0.0.12
expect 'another one never was' 1 'webfw: 10.0.0.99 is none of the web servers' \
	webfw -D -R 10.0.0.99
expect 'a wrong address is named' 2 "webfw: '10.0.0.999' is not an IPv4 or IPv6 address" \
	webfw -A -R 10.0.0.999
expect 'a server is needed' 2 'webfw: -R with the address of a server is needed' webfw -A
expect 'a letter too many is named' 2 'webfw: -R does not go with -L' webfw -L -R 10.0.0.11
expect 'the table of webfw is cleared' 0 '' webfw -F
expect 'and only its own' 0 "$head
portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.13 80" save
exit $failed
