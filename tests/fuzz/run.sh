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
# A target is a source and its corpus.
# shellcheck disable=SC2046 # a list of words
[ $# -gt 0 ] || set -- $(ls "$here/corpus")

# One list of sources and one of wrapped symbols, those of the unit tests.
makefile=$top/tests/unit/Makefile.am
sources=$(sed -n 's|^\t\(\.\./\.\./[^ ]*\.c\).*|'"$top"'/tests/unit/\1|p' "$makefile")
wraps=$(grep -o -e '-Wl,--wrap=[a-z_]*' "$makefile")
helpers="$top/tests/unit/command.c $top/tests/unit/fake_kernel.c $top/tests/unit/linked.c
	$top/tests/unit/memory_engine.c"
packages="libmnl libnftnl smartcols"
# shellcheck disable=SC2089 # the quotes are the compiler's
flags="-std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -D_GNU_SOURCE
	-DPLUGINDIR=\"/nonexistent\" -DCONTROL_SOCKET=\"/nonexistent\" -DRULES_FILE=\"/nonexistent\"
	-I$top/tests/unit -I$here -I$top/lib/ipmasq -I$top/lib/ipmasq/kernel -I$top/lib/alias
	-I$top/ipmasqadm -I$top/ipmasqadm/daemon $(pkg-config --cflags $packages)"

# compile NAME SOURCE...: objects in a directory of this name, on all cores.
compile() {
	objects=$work/objects/$1
	shift
	rm -rf "$objects" && mkdir -p "$objects"
	# shellcheck disable=SC2086,SC2090 # a list of words
	(cd "$objects" && printf '%s\n' "$@" | xargs -P "$(nproc)" -n 4 "$CLANG" $flags -c)
}

# shellcheck disable=SC2086 # lists of words
compile common $sources $helpers
for target; do
	[ "$target" != user_links ] || { compile user "$top"/lib/ipmasq/user/*.c && compile alias "$top"/lib/alias/*.c; }
done

rc=0
for target; do
	libraries="$work/objects/common/*.o"
	[ "$target" != user_links ] || libraries="$libraries $work/objects/user/*.o $work/objects/alias/*.o"
	mkdir -p "$work/corpus/$target" "$work/findings/$target"
	# shellcheck disable=SC2046,SC2086,SC2090 # lists of words
	"$CLANG" $flags -o "$work/fuzz_$target" "$here/$target.c" $libraries $wraps $(pkg-config --libs $packages)
	echo "$target: $seconds s"
	if ! "$work/fuzz_$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 \
		-close_fd_mask=3 -print_final_stats=1 -artifact_prefix="$work/findings/$target/" \
		"$work/corpus/$target" "$here/corpus/$target" >"$work/$target.log" 2>&1; then
		rc=1
		echo "$target: a finding in $work/findings/$target; $work/$target.log says"
		grep -E 'ERROR|SUMMARY|finding|runtime error' "$work/$target.log" || :
	fi
	grep -E 'DONE|stat::number_of_executed_units' "$work/$target.log" || :
done
exit $rc
