#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is printed: help, listings, names and JSON; and a full disk under it.
. "$(dirname "$0")/lib.sh"
begin 1
file=$lab_scratch/printed

# to_full WORD...: exit status 1 and a sentence when the output cannot be written.
to_full() {
	local said status

	said=$(adm "$@" 2>&1 >/dev/full)
	status=$?
	equals 1 echo "$status" && fails test -z "$said"
}

# Whether $file has every one of the words.
has_all() {
	local word

	for word; do
		grep -qF -e "$word" "$file" || { echo "$word is not there"; return 1; }
	done
}

json() {
	portfw -L -n --json | python3 -m json.tool --compact
}

check "-h is on standard output" eval 'adm -h >"$file" && grep -q MODULE "$file"'
check "--help is the same" equals "$(adm -h)" adm --help
check "portfw -h has every option" eval 'adm portfw -h >"$file" &&
	has_all -A -D -F -L -P -R -p -n -v --json --dry-run --kill'
check "the list of commands is in columns" eval 'adm -h | sed -n "/^commands:/,/^\$/p" >"$file" &&
	[ "$(grep -c "^ \{23\}[^ ]" "$file")" -ge 5 ] && ! grep -qE " \$|^ {3,22}[^ ]|^ {24}" "$file"'
check "what trace takes is in its help" says "-i IFACE " adm trace -h
check "-e without an engine is named" refuses 2 "-e needs an engine" adm -e
check "-V has the version" says "ipmasqadm 1" adm -V

check "an empty table has a heading" equals "prot localaddr rediraddr lport rport pcnt pref" \
	eval 'portfw -L -n | tr -s " "'
check "an empty table is JSON, too" equals '{"portfw":[]}' json
portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11 8080 -p 5
check "-L shows the services by their names" says " http " portfw -L
check "-l is the same" equals "$(portfw -L)" portfw -l
check "-L -n shows numbers" equals "tcp 198.51.100.1 10.0.0.11 80 8080 5 5" rules
check "-Ln and -n -L are the same" eval 'equals "$(portfw -L -n)" portfw -Ln && equals "$(portfw -L -n)" adm -n portfw -L'
check "JSON has the same" equals '{"portfw":[{"prot":"tcp","localaddr":"198.51.100.1","rediraddr":"10.0.0.11","lport":80,"rport":8080,"pcnt":5,"pref":5,"packets":0,"bytes":0}]}' json
check "a service name is taken" portfw -A -P udp -L 198.51.100.1 domain -R 10.0.0.11 domain
check "and means its port" says "udp  198.51.100.1 10.0.0.11    53    53" portfw -L -n
check "a hexadecimal port is taken" eval 'portfw -A -P tcp -L 198.51.100.1 0x1f90 -R 10.0.0.11 80 && rules | grep -q " 8080 80 "'
check "no line ends in a blank" fails grep -q ' $' <(portfw -L -n; portfw -L -n -v)

for line in "-h" "-V" "portfw -h" "portfw -L" "portfw -L --json" "save" \
	"--dry-run portfw -F" "save /dev/full"; do
	# shellcheck disable=SC2086 # words
	check "$line into a full disk: exit status 1" to_full $line
done
check "a listing with no standard output: exit status 1" fails eval 'portfw -L >&- 2>"$lab_scratch/said"'
check "and says so" grep -q 'cannot write the output' "$lab_scratch/said"
check "output that nobody reads is no crash" eval 'portfw -L | true'
finish
