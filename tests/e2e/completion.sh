#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a word may become: by `ipmasqadm complete`, and by bash with contrib/completion.
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

# bash_completes EXPECTED WORD...: what bash makes of the words.
bash_completes() {
	local expected=$1

	shift
	equals "$expected" on router env PATH="${IPMASQADM%/*}:$PATH" bash -c '. "$0"
		COMP_WORDS=(ipmasqadm "$@") COMP_CWORD=$#
		_ipmasqadm
		echo "${COMPREPLY[*]}"' "$IPMASQADM_INCLUDE/../../contrib/completion/ipmasqadm.bash" "$@"
}

check "an interface" become "outside" masq -A -S 10.0.0.0/24 -o out
check "the words of a proxy rule" become "server src" proxy -A s
check "what a word of it may be" become "encode_ip_hdr encode_tcp_stream" proxy -A type enc
check "the names of helpers" become "ftp" helper -A f
check "bash completes a module" bash_completes "portfw" portf
check "bash completes a value" bash_completes "udp" portfw -P u
finish
