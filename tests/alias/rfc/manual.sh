#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The manual of libalias is well-formed, complete and true: mandoc finds nothing to warn of, every
# function and constant of alias.h is described, the prototypes are those of alias.h, and the example
# compiles and prints what the page says.
#
# From the environment: MANUAL, INCLUDES (where alias.h is), LIBRARY, CC.
set -u
: "${MANUAL:?}" "${INCLUDES:?}" "${LIBRARY:?}" "${CC:=cc}"

failed=0
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 99' INT TERM HUP

# check WHAT COMMAND...: runs the command and shows its output if it fails.
check() {
	what=$1
	shift
	if "$@" >"$dir/out" 2>&1; then
		echo "ok: $what"
	else
		echo "FAIL: $what"
		cat "$dir/out"
		failed=1
	fi
}

command -v mandoc >/dev/null || {
	echo "SKIP: no mandoc"
	exit 77
}

# section NAME: the source of a section.
section() {
	awk -v name="$1" '/^\.Sh / { on = substr($0, 5) == name; next } on' "$MANUAL"
}

# display N: the Nth display of EXAMPLES.  Of mdoc's escapes only that for a backslash is allowed.
display() {
	section EXAMPLES | awk -v n="$1" '/^\.Ed/ { on = 0 } on; /^\.Bd/ { on = ++at == n }' |
		sed 's/\\e/\\/g'
}

# The words of alias.h, or of what it declares, outside comments; alias.h has no macro functions.
declared() {
	echo '#include <alias.h>' | $CC -E -I"$INCLUDES" "$@" - | grep -v '^#  *[0-9]'
}

# described PATTERN SECTION...: every word of stdin that matches is in one of the sections.
described() {
	pattern=$1
	shift
	for name in "$@"; do
		section "$name"
	done | tr -c 'A-Za-z0-9_*' '\n' | sort -u >"$dir/words"
	grep -oE "$pattern" | sort -u >"$dir/wanted"
	[ -s "$dir/wanted" ] && ! grep -vxFf "$dir/words" "$dir/wanted"
}

functions='\b(LibAlias|PacketAlias|PacketUnalias)[A-Za-z]+'
constants='\b(PKT_ALIAS|ALIAS_TIMEOUT|ALIAS_LIMIT)_[A-Z_]+'

lint() {
	mandoc -Tlint -Wwarning "$MANUAL"
}

every_function_is_in_the_synopsis() {
	declared | described "$functions" SYNOPSIS
}

every_function_is_described() {
	declared | grep -v PacketAlias | described "$functions" DESCRIPTION
}

every_constant_is_described() {
	{
		declared
		declared -dM
	} | grep -v '_COUNT' | described "$constants" DESCRIPTION "RETURN VALUES"
}

# Two declarations of one function that differ do not compile; implicit extern ones that agree do.
prototypes_agree() {
	mandoc -Tascii "$MANUAL" | sed "s/.$(printf '\b')//g" |
		awk '/^[A-Z]/ { on = $0 == "SYNOPSIS"; next } on' >"$dir/synopsis.c"
	$CC -Wall -Wextra -Werror -fsyntax-only -I"$INCLUDES" "$dir/synopsis.c"
}

example_compiles() {
	display 1 >"$dir/example.c"
	$CC -Wall -Wextra -Werror -I"$INCLUDES" -o "$dir/example" "$dir/example.c" "$LIBRARY" \
		-Wl,-rpath,"$(dirname "$LIBRARY")"
}

example_prints_what_the_page_says() {
	display 2 >"$dir/expected"
	"$dir/example" >"$dir/printed" && [ -s "$dir/printed" ] &&
		diff "$dir/expected" "$dir/printed"
}

check "mandoc has nothing to warn of" lint
check "every function is in the synopsis" every_function_is_in_the_synopsis
check "every function of today's interface is described" every_function_is_described
check "every constant is described" every_constant_is_described
check "the prototypes are those of alias.h" prototypes_agree
check "the example compiles" example_compiles
check "the example prints what the page says" example_prints_what_the_page_says
exit $failed
