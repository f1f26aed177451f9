#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a word may become: by `ipmasqadm complete`, and by bash and zsh with contrib/completion.
. "$(dirname "$0")/lib.sh"
begin 1

# completions WORD...: what the last word may become, sorted, on one line.
completions() {
	on router "$IPMASQADM" complete "$@" | LC_ALL=C sort | paste -sd' '
}

become() {
	equals "$1" completions "${@:2}"
}

check "the first word: a command" become "restore" res
check "the first word: a module" become "portfw" portf
check "options of the program" become "--dry-run" --d
check "a module behind an option" become "portfw" --json portf
check "an engine" become "kernel user" -e ""
check "a module behind an engine" become "portfw" -e kernel portf
letters="--dry-run --json --kill -A -D -F -L -P -R -h -l -n -p -v"
check "the letters of a module" become "$letters" portfw -
check "a protocol" become "sctp tcp udp" portfw -A -P ""
check "a protocol that has begun" become "udp" portfw -A -P u
check "an address of this machine" become "198.51.100.1 198.51.100.10" portfw -A -P tcp -L 198
check "any address" become "0.0.0.0" portfw -L 0
check "no loopback" become "" portfw -L 127
check "a port is free" become "" portfw -L 198.51.100.1 ""
check "an option behind a full value" become "--kill" portfw -P tcp --k
check "nothing of a module that is not there" become "" nosuch -
check "nothing of no words is no crash" on router "$IPMASQADM" complete

check "an interface" become "outside" masq -A -S 10.0.0.0/24 -o out
check "the words of a proxy rule" become "server src" proxy -A s
check "what a word of it may be" become "encode_ip_hdr encode_tcp_stream" proxy -A type enc
check "the names of helpers" become "ftp" helper -A f
check "a protocol of trace" become "udp" trace -P u
check "an interface of trace" become "outside" trace -P tcp -i out
check "an option of replay" become "-w" replay in.pcap -w
check "a service of the protocol" become "tftp" portfw -A -P udp -L 198.51.100.1 tft
check "... of no other" become "" portfw -A -P tcp -L 198.51.100.1 tft
check "a service behind its protocol in one option" become "tftp" autofw -A -r udp tft
check "options of a command" become "-a" restore -a
check "a file of a command is free" become "" restore ""

# Rules that are there, of which -D can take one.
portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11 8080
portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.12 8080
portfw -A -P udp -L 198.51.100.10 53 -R 10.0.0.11 5353
adm mfw -A -m 7 -r 10.0.0.11
adm masq -A -S 10.0.0.0/24 -o outside
adm addrfw -A -L 198.51.100.10 -R 10.0.0.11 -P gre
adm autofw -A -r udp 6970 7170 -c tcp 7070
adm proxy -A rule 5 server 10.0.0.12
adm helper -A sip
check "-D: protocols of rules that are there" become "tcp udp" portfw -D -P ""
check "... addresses of rules with this protocol" become "198.51.100.10" portfw -D -P udp -L ""
check "... ports of rules with this address" become "80" portfw -D -P tcp -L 198.51.100.1 ""
check "... hosts of rules with this port" become "10.0.0.11 10.0.0.12" portfw -D -P tcp -L 198.51.100.1 80 -R ""
check "... by another letter for it" become "198.51.100.10" portfw -d -P u -L 1
check "-D of mfw: marks" become "7" mfw -D -m ""
check "-S of mfw: marks" become "7" mfw -S -m ""
check "-A of mfw: no marks" become "" mfw -A -m ""
check "-D of masq: nets" become "10.0.0.0/24" masq -D -S ""
check "... and the interface of that net" become "outside" masq -D -S 10.0.0.0/24 -o ""
check "-D of addrfw: hosts of this address" become "10.0.0.11" addrfw -D -L 198.51.100.10 -R ""
check "-D of autofw: the range's end" become "7170" autofw -D -r udp 6970 ""
check "... and the control port" become "7070" autofw -D -r udp 6970 7170 -c tcp ""
check "-D of helper: a name" become "sip" helper -D ""
check "-D of proxy: an index" become "5" proxy -D rule 5
check "doctor: a module" become "portfw" doctor p
check "... an address that is forwarded" become "198.51.100.1 198.51.100.10" doctor portfw 1
check "... and its port" become "80" doctor portfw 198.51.100.1 ""
check "... an option" become "-P" doctor portfw 198.51.100.1 80 -P
check "one may not look at rules: what there is without" equals "sctp tcp udp" bash -c '
	"$0" "$@" complete portfw -D -P "" | sort | paste -sd" "' nsenter --net="/run/netns/$lab-router" \
	setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$IPMASQADM"
check "completion changes nothing" refuses 0 "" adm complete portfw -F --nosuch

# bash_completes EXPECTED PROGRAM WORD...: what bash makes of the words.
bash_completes() {
	local expected=$1

	shift
	equals "$expected" on router env PATH="${IPMASQADM%/*}:$PATH" bash -c '. "$0"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		$(complete -p "$1" | sed "s/.* -F \([^ ]*\) .*/\1/")
		echo "${COMPREPLY[*]}"' "$here/../../contrib/completion/$completion.bash" "$@"
}

completion=ipmasqadm
check "bash completes a module" bash_completes "portfw" ipmasqadm portf
check "bash completes a value" bash_completes "udp" ipmasqadm portfw -P u
check "bash completes ipportfw" bash_completes "-t" ipportfw -A -t
check "bash completes ipautofw" bash_completes "sctp" ipautofw -r s
completion=ipmasqd
check "bash completes an option of ipmasqd" bash_completes "--state" ipmasqd --st
check "... an interface of it" bash_completes "outside" ipmasqd -i out
check "... a user of it" bash_completes "nobody" ipmasqd -f --user nobo
daemon_options() {
	"${IPMASQADM%/*}/ipmasqd" -h | grep -oE '^ +(-., )?--[-a-z]+' | tr -d ,
}
check "... every option of its help" bash_completes "$(daemon_options | xargs)" ipmasqd -
if command -v zsh >/dev/null; then
	zsh_adds() {
		on router python3 "$here/zsh.py" "$2" "$1"
	}
	check "zsh completes a module" zsh_adds "w " "ipmasqadm portf"
	check "zsh completes a value" zsh_adds "dp " "ipmasqadm portfw -P u"
	check "zsh completes ipautofw" zsh_adds "ctp " "ipautofw -r s"
	check "zsh completes an option of ipmasqd" zsh_adds "ate " "ipmasqd --st"
	check "... an interface of it" zsh_adds "ide " "ipmasqd -i outs"
	check "... a file of it" zsh_adds "py " "ipmasqd -r $here/packets."
	check "zsh completes a file" zsh_adds "py " "ipmasqadm restore $here/packets."
else
	skip "zsh completes" "zsh is not installed"
fi
finish
