#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libalias(3), alias.h, the map and the installed library speak of the same functions, structures
# and constants, and of no others; the page's program compiles against the installation as it is
# printed, and prints what the page says; the lines of the README compile, too.
. "$(dirname "$0")/lib.sh"
need_tools nm "${CC:=cc}"
begin 0
page=$here/../../man/libalias.3
map=$here/../../lib/alias/libalias.map
library=$LD_LIBRARY_PATH
include=${IPMASQADM%/sbin/ipmasqadm}/include

# The header without comments, on one line, one blank between words.
header() {
	sed -z 's#/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/##g; s/\n[ \t]*#[^\n]*//g' "$include/alias.h" | tr -s ' \t\n' ' '
}

# Declarations of the header: what stands between two semicolons.
header_prototypes() {
	header | tr ';{}' '\n' | sed -n 's/^ *//; /^[a-z][a-z_ ]*[ *]\(LibAlias\|PacketAlias\|PacketUnalias\)/p' |
		LC_ALL=C sort
}

page_prototypes() {
	awk '
		/^\.Ft / { type = substr($0, 5) (/\*$/ ? "" : " ") }
		/^\.Fo / { name = $2; list = "" }
		/^\.Fa / { gsub(/^\.Fa "?|"$/, ""); list = list (list == "" ? "" : ", ") $0 }
		/^\.Fc/ { print type name "(" list ")" }' "$page" | LC_ALL=C sort
}

# The names of functions in prototypes.
names() {
	sed 's/(.*//; s/.*[ *]//' | LC_ALL=C sort
}

map_names() {
	sed -n '/global:/,/local:/s/^[ \t]*\([A-Za-z]*\);/\1/p' "$map" | LC_ALL=C sort
}

library_names() {
	nm -D --defined-only "$library/libalias.so" | sed -n 's/.* T \([^@]*\)@.*/\1/p' | LC_ALL=C sort
}

# The functions that have a paragraph.
described() {
	sed -n 's/^\.It Fn \([A-Za-z]*\).*/\1/p' "$page" | LC_ALL=C sort -u
}

# The displays of standard input, as they are read.
displays() {
	sed -n '/^\.Bd -literal/,/^\.Ed/{/^\.[BE]d/d;p}' | sed 's/\\&//g; s/\\-/-/g; s/\\(aq/'"'"'/g; s/\\e/\\/g'
}

# `struct NAME {...}` of a text without comments, each on a line.
structures() {
	grep -o 'struct [a-z_]* { [^}]*}' | LC_ALL=C sort
}

page_structures() {
	displays <"$page" | sed -z 's#/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/##g' | tr -s ' \t\n' ' ' | structures | grep '^struct alias_'
}

# Those that the page shows; struct alias_stats is a list there.
header_structures() {
	header | structures | grep -v '^struct alias_stats '
}

statistics() {
	sed -n '/^\.It Fn LibAliasGetStats/,/^\.It Fn/{/^\.It Va /p}' "$page" | sed 's/^\.It Va //' | tr -d ',' |
		tr ' ' '\n' | sed '/^$/d' | LC_ALL=C sort
}

header_statistics() {
	header | grep -o 'struct alias_stats { [^}]*}' | sed 's/.*{//' | tr ';,' '\n' | sed 's/ *$//; s/.* //; /^}*$/d' |
		LC_ALL=C sort
}

constants() {
	grep -ohE '\b(PKT_)?ALIAS_[A-Z_]+\b' "$@" | grep -v '_$\|^ALIAS_H$\|_COUNT$' | LC_ALL=C sort -u
}

header_constants() {
	constants "$include/alias.h"
}

page_constants() {
	constants "$page"
}

# The program of EXAMPLES, and what the page says that it prints.
program() {
	sed -n '/^\.Sh EXAMPLES/,/^It prints/p' "$page" | displays
}

printed() {
	sed -n '/^It prints/,/^\.Sh /p' "$page" | displays
}

# runs PROGRAM TEXT: the program compiles without a warning, with this library, and prints that.
runs() {
	"$CC" -Wall -Wextra -Werror -I"$include" -o "$lab_scratch/program" -x c "$1" -L"$library" -lalias &&
		equals "$2" "$lab_scratch/program"
}

check "there are functions" test "$(header_prototypes | wc -l)" -gt 80
check "the page has the prototypes of the header" equals "$(header_prototypes)" page_prototypes
check "the map has its functions" equals "$(header_prototypes | names)" map_names
check "the library has those of the map" equals "$(map_names)" library_names
check "the page describes each function, but for the namesakes of 1997" \
	equals "$(header_prototypes | names | grep -v '^Packet')" described
check "each of those of 1997 is a namesake" eval '
	for name in $(map_names | sed -n "s/^Packet\(Alias\|Unalias\)/\1/p"); do
		map_names | grep -qx "Lib\(Alias\)\?$name" || { echo "$name"; exit 1; }
	done'
check "the page shows the structures of the header" equals "$(header_structures)" page_structures
check "it lists the members of struct alias_stats" equals "$(header_statistics)" statistics
check "it has the constants of the header" equals "$(header_constants)" page_constants
# The few lines of the README, as part of a function.
readme_compiles() {
	{
		echo '#include <alias.h>
			#include <stddef.h>
			unsigned char packet[1500];
			void transmit(const void *datagram);
			void use(struct in_addr alias);
			void use(struct in_addr alias) {'
		sed -n '/^## libalias/,/^## /p' "$here/../../README.md" | sed -n '/^```$/,/^```$/{/^```$/d;p}'
		echo '}'
	} >"$lab_scratch/readme.c"
	grep -q LibAliasOut "$lab_scratch/readme.c" &&
		"$CC" -Wall -Wextra -Werror -I"$include" -fsyntax-only "$lab_scratch/readme.c"
}

program >"$lab_scratch/program.c"
check "its program compiles against the installation, and prints what it says" \
	runs "$lab_scratch/program.c" "$(printed)"
check "the README's lines compile" readme_compiles
finish
