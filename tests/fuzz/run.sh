#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh SECONDS [TARGET...]: builds the fuzz targets with clang, libFuzzer, ASan and UBSan and
# runs each for that long on one core.  What it learns stays in FUZZ_DIR (default: a directory
# in TMPDIR), findings too.  Exit 1 on a finding.
set -eu
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=${FUZZ_DIR:-${TMPDIR:-/tmp}/ipmasqadm-fuzz}
: "${CLANG:=clang}"
[ $# -gt 0 ] || set -- argv rules_file kernel request user_links

# One list of sources and one of wrapped symbols, those of the unit tests.
makefile=$top/tests/unit/Makefile.am
sources=$(sed -n 's|^\t\(\.\./\.\./[^ ]*\.c\).*|'"$top"'/tests/unit/\1|p' "$makefile")
wraps=$(grep -o -e '-Wl,--wrap=[a-z_]*' "$makefile")
helpers="$top/tests/unit/command.c $top/tests/unit/fake_kernel.c $top/tests/unit/linked.c
	$top/tests/unit/memory_engine.c"
packages="libmnl libnftnl smartcols"
sanitize="-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined"

mkdir -p "$work"
rc=0
for target; do
	extra=
	[ "$target" != user_links ] || extra="$top/lib/ipmasq/user/*.c $top/lib/alias/*.c -I$top/lib/alias"
	mkdir -p "$work/corpus/$target" "$work/findings/$target"
	# shellcheck disable=SC2046,SC2086 # lists of words
	"$CLANG" -std=gnu11 -O1 -g $sanitize -D_GNU_SOURCE -DPLUGINDIR='"/nonexistent"' -DCONTROL_SOCKET='"/nonexistent"' \
		-DRULES_FILE='"/nonexistent"' \
		-I"$top/tests/unit" -I"$here" -I"$top/lib/ipmasq" -I"$top/lib/ipmasq/kernel" \
		-I"$top/ipmasqadm" -I"$top/ipmasqadm/daemon" $(pkg-config --cflags $packages) \
		-o "$work/fuzz_$target" "$here/$target.c" $extra $helpers $sources $wraps \
		$(pkg-config --libs $packages)
	echo "$target: $seconds s"
	if ! "$work/fuzz_$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
		-close_fd_mask=3 -print_final_stats=1 -artifact_prefix="$work/findings/$target/" \
		"$work/corpus/$target" "$here/corpus/$target" >"$work/$target.log" 2>&1; then
		rc=1
		echo "$target: a finding in $work/findings/$target; $work/$target.log says"
		grep -E 'ERROR|SUMMARY|finding|runtime error' "$work/$target.log" || :
	fi
	grep -E 'DONE|stat::number_of_executed_units' "$work/$target.log" || :
done
exit $rc
