#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The example of libalias.3 compiles, runs, and prints what the page says; so does the header stand
# alone, and the TUN example compiles.
set -eu
top=${top_srcdir:-../..}
build=${top_builddir:-../..}
cc=${CC:-cc}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# The literal displays of EXAMPLES: the first is the program, the second its output.
awk -v dir="$dir" '
	/^\.Sh EXAMPLES/ { on = 1 }
	/^\.Sh SEE ALSO/ { on = 0 }
	on && /^\.Bd -literal/ { n++; text = 1; next }
	/^\.Ed/ { text = 0 }
	on && text { gsub(/\\e/, "\\"); print > (dir "/" (n == 1 ? "example.c" : "expected")) }
' "$top/man/libalias.3"

$cc ${CFLAGS:-} -Wall -Wextra -Werror -I"$top/lib/alias" "$dir/example.c" \
	"$build/lib/alias/.libs/libalias.a" -o "$dir/example"
"$dir/example" >"$dir/output"
diff -u "$dir/expected" "$dir/output"

$cc ${CFLAGS:-} -Wall -Wextra -Werror -I"$top/lib/alias" "$top/contrib/examples/tunnat.c" \
	"$build/lib/alias/.libs/libalias.a" -o "$dir/tunnat"
if "$dir/tunnat" 2>"$dir/usage"; then
	echo "tunnat without arguments should fail" >&2
	exit 1
fi
grep -q usage "$dir/usage"

# Every function of the symbol map is in the manual page, and the page has no others.
grep -oE 'LibAlias[A-Za-z]+' "$top/lib/alias/libalias.map" | sort -u >"$dir/exported"
grep -E '^\.F[no] LibAlias' "$top/man/libalias.3" | awk '{ print $2 }' | sort -u >"$dir/documented"
diff -u "$dir/exported" "$dir/documented"
