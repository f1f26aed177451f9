#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages are clean, and the example in ipmasqadm-plugin(7) is the one in
# contrib/examples/plugin, to the letter.
#
# `lint.sh example` writes the example from there into the page of the source.
set -eu

here=${srcdir:-$(dirname "$0")}
examples=$here/../contrib/examples/plugin
page=$here/ipmasqadm-plugin.7

# mdoc FILE: a file as the lines of a literal display
mdoc() {
	printf '.\\" begin %s\n.Bd -literal\n' "$1"
	sed -e 's/\\/\\e/g' -e "s/'/\\\\(aq/g" -e 's/`/\\(ga/g' -e 's/\^/\\(ha/g' \
		-e 's/~/\\(ti/g' -e 's/^\./\\\&./' "$examples/$1"
	printf '.Ed\n.\\" end %s\n' "$1"
}

# shown FILE: the same lines as they stand in the page
shown() {
	sed -n "/^\\.\\\\\" begin $1\$/,/^\\.\\\\\" end $1\$/p" "$page"
}

if [ "${1:-}" = example ]; then
	new=$(mktemp)
	trap 'rm -f "$new"' EXIT
	while IFS= read -r line; do
		case $line in
		'.\" begin '*) mdoc "${line#*begin }"; skip=1 ;;
		'.\" end '*) skip= ;;
		*) [ "${skip:-}" ] || printf '%s\n' "$line" ;;
		esac
	done <"$page" >"$new"
	cat "$new" >"$page"
	exit
fi

failed=0
for file in webfw.c Makefile; do
	if [ "$(mdoc "$file")" != "$(shown "$file")" ]; then
		echo "ipmasqadm-plugin.7: its $file is not contrib/examples/plugin/$file;" \
			"run man/lint.sh example"
		failed=1
	fi
done
if ! command -v mandoc >/dev/null; then
	echo "mandoc is missing: the pages are not checked"
	[ $failed = 1 ] || exit 77
	exit 1
fi
for file in "$here"/*.[1-9]; do
	mandoc -Tlint -Wwarning "$file" || failed=1
done
exit $failed
