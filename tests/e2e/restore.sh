#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# restore makes the rules those of a file: all or nothing, in one transaction.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 1
web_server server1
file=$lab_scratch/rules

# refused N TEXT: the file is refused for what its line N says, and no rule changes.
refused() {
	refuses "${3:-2}" "$file:$1: " adm restore "$file" || return 1
	fails_with "${3:-2}" "$2" adm restore "$file"
}

many() {
	local number

	for ((number = 0; number < $1; number++)); do
		echo "portfw -A -P tcp -L 198.51.$((number / 250)).$((number % 250)) 80 -R 10.0.0.11 8080"
	done
}

# Of another family, where there is one.
second=2001:db8:1::1 first_host=fd00:1::11 second_host=fd00:1::12
on_user_engine read -r second first_host second_host <<<"198.51.100.10 10.0.0.11 10.0.0.12"
cat >"$file" <<END
# two forwards, a pool and an empty line

portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80     # the web
   portfw -a -Pu -L 198.51.100.1:9000 -R 10.0.0.11/9000
portfw -A -P tcp -L $second 8000 -R $first_host 80 -p 3
portfw -A -P tcp -L $second 8000 -R $second_host 80
END
check "a file with comments, blanks and old letters is restored" adm restore "$file"
check "its rules are there" equals 4 eval 'rules | wc -l'
check "they work" equals server1 get client http://198.51.100.1:8000/
check "a line without an end of line is a line, too" eval 'printf "portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.11 80" >"$file.short" &&
	adm restore -a "$file.short" && equals server1 get client http://198.51.100.1:8001/'
check "-a has added it" equals 5 eval 'rules | wc -l'
check "restore without -a makes it the file again" eval 'adm restore "$file" && equals 4 eval "rules | wc -l"'

get client http://198.51.100.1:8000/ >/dev/null
before=$(settled counted_ruleset)
check "restore of the same file changes nothing, the counters stay" \
	eval 'adm restore "$file" && equals "$before" counted_ruleset'
check "nor does -a of the same file" eval 'adm restore -a "$file" && equals "$before" counted_ruleset'
check "- is standard input" eval 'adm restore - <"$file" && equals "$before" counted_ruleset'
check "carriage returns do no harm" eval 'sed "s/\$/\r/" "$file" >"$file.dos" &&
	adm restore "$file.dos" && equals "$before" counted_ruleset'

bad() {
	{ echo "portfw -A -P tcp -L 198.51.100.1 7000 -R 10.0.0.11 80"; echo; echo "$1"; } >"$file"
	refused 3 "$2" "${3:-2}"
}

check "an error in line 3 names file, line and word, and nothing is changed: a port" \
	bad "portfw -A -P tcp -L 198.51.100.1 80x -R 10.0.0.11 80" "80x"
check "... an address" bad "portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.256 80" "10.0.0.256"
check "... a protocol" bad "portfw -A -P icmp -L 198.51.100.1 80 -R 10.0.0.2 80" "icmp"
check "... a module" bad "nosuch -A" "nosuch"
check "... a module with a path in its name" bad "../portfw -L" "../portfw"
check "... a word too many" bad "portfw -F now" "now"
check "... no command" bad "portfw" "no command"
check "... a forward to delete that is not there" \
	bad "portfw -D -P tcp -L 198.51.100.1 81" "no forward of tcp 198.51.100.1 port 81" 1
check "... more words than a line can have" bad "portfw $(printf 'x %.0s' {1..100})" "words"
check "a NUL byte in line 1" eval 'printf "portfw -F\0x\n" >"$file" && refused 1 "NUL"'
check "a file that is not there" refuses 1 "$file.none" adm restore "$file.none"
check "a directory" refuses 1 "$lab_scratch" adm restore "$lab_scratch"
check "the rules are as they were" equals "$before" counted_ruleset

check "an empty file" eval ': >"$file" && adm restore "$file"'
check "takes every rule away" equals "" rules
check "-a of an empty file does nothing" adm restore -a "$file"

many 50000 >"$file"
echo "portfw -A -P tcp -L 198.51.100.1 0 -R 10.0.0.11 80" >>"$file"
check "an error in line 50001 changes nothing" refused 50001 "'0'"
if [ -n "${LAB_UNSHARED:-}" ]; then
	skip "50,000 lines are restored" "a user namespace has no right to so large a transaction"
else
	check "50,000 lines are restored" eval 'sed -i \$d "$file" && adm restore "$file"'
	check "all are listed" equals 50000 eval 'rules | wc -l'
	check "the first and the last work among them" eval 'portfw -D -P tcp -L 198.51.0.0 80 &&
		portfw -D -P tcp -L 198.51.199.249 80 && equals 49998 eval "rules | wc -l"'
	check "a smaller file takes the others away" eval 'many 10 >"$file" && adm restore "$file" &&
		equals 10 eval "rules | wc -l"'
fi
finish
