#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# lib/alias/RFC.md and the tests speak of the same things: every case is in the table, every case in
# the table exists, and one whose name begins with NOT MET, and no other, is in a row that says so.
#
# From the environment: TABLE (RFC.md) and RFCTESTS (the directory of the test programs).
set -u
export LC_ALL=C
: "${TABLE:?}" "${RFCTESTS:?}"

failed=0
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
trap 'exit 99' INT TERM HUP

sed -n 's/.*rfc_test("\([^"]*\)".*/\1/p' "$RFCTESTS"/test_rfc*.c | sort -u >"$dir/cases"
[ -s "$dir/cases" ] || {
	echo "FAIL: no cases in $RFCTESTS"
	exit 1
}

# rows PATTERN: the names in backquotes, with a number in front, of the rows of a state.
rows() {
	grep -E "^\| [^|]*\| [^|]*\| $1 \|" "$TABLE" |
		grep -oE '`(NOT MET )?(REQ-[0-9]+[a-z]?|[0-9.]+): [^`]*`' | tr -d '`' | sort -u
}

# none WHAT: what is left in the file should not be.
none() {
	if [ -s "$dir/left" ]; then
		echo "FAIL: there is a $1"
		cat "$dir/left"
		failed=1
	else
		echo "ok: there is no $1"
	fi
}

rows '(met|met, EIM)' >"$dir/met"
rows 'not met' >"$dir/not_met"
sort -u "$dir/met" "$dir/not_met" >"$dir/named"

comm -23 "$dir/cases" "$dir/named" >"$dir/left"
none "case that the table does not name"
comm -13 "$dir/cases" "$dir/named" >"$dir/left"
none "name in the table without a case"
grep '^NOT MET' "$dir/met" >"$dir/left"
none "case that begins with NOT MET in a row that says met"
grep -v '^NOT MET' "$dir/not_met" >"$dir/left"
none "case of something met in a row that says not met"
exit $failed
