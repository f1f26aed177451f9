#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# trace says what becomes of a packet, by which rule, and the packet agrees; of a file without privilege.
. "$(dirname "$0")/lib.sh"
need_tools curl python3
begin 2
web_server server1
file=$lab_scratch/rules
cat >"$file" <<-'END'
	portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
	portfw -A -P udp -L 0.0.0.0 5353 -R 10.0.0.12 53
	portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::11 80
	portfw -A -P tcp -L 198.51.100.1 8002 -R 10.0.0.11 81
	portfw -A -P tcp -L 198.51.100.1 8002 -R 10.0.0.11 80
	mfw -A -m 7 -r 10.0.0.12 8080
	autofw -A -r tcp 6000 6100 -h 10.0.0.12
	addrfw -A -L 198.51.100.10 -R 10.0.0.12
	masq -A -S 10.0.0.0/24
	proxy -A type no_encode port 8088 server 10.0.0.11:3128
	proxy -A type encode_ip_hdr port 8089 server 10.0.0.11:3128
END
chmod 644 "$file"

# Of the file, as a user without any right.
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
		"$IPMASQADM" trace -r "$file" -M 198.51.100.1 "$@"
}

# json KEY... COMMAND: the values of the answer, `.` in a key goes down.
json() {
	local keys=$1

	shift
	as_nobody --json "$@" | python3 -c '
import json, sys
answer = json.load(sys.stdin)
def get(path):
    value = answer
    for key in path.split("."):
        value = value[key]
    return value
print(*[get(path) for path in sys.argv[1].split()])' "$keys"
}

becomes() {
	equals "$1" json "verdict after.src after.sport after.dst after.dport" "${@:2}"
}

check "a forwarded port goes to the inside host" becomes "translated 203.0.113.9 40000 10.0.0.11 80" \
	-P tcp -S 203.0.113.9 40000 -D 198.51.100.1 8000
check "by the rule's own line" equals "portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80" \
	json rule -P tcp -S 203.0.113.9 40000 -D 198.51.100.1 8000
check "ADDR:PORT is one word" becomes "translated 203.0.113.9 40000 10.0.0.11 80" \
	-P tcp -S 203.0.113.9:40000 -D 198.51.100.1:8000
check "any address of the machine" becomes "translated 203.0.113.9 53000 10.0.0.12 53" \
	-P udp -S 203.0.113.9 53000 -D 198.51.100.1 5353
check "another port is nobody's" becomes "unchanged 203.0.113.9 40000 198.51.100.1 8001" \
	-P tcp -S 203.0.113.9 40000 -D 198.51.100.1 8001
check "no rule, says JSON" equals None json rule -P tcp -S 203.0.113.9 40000 -D 198.51.100.1 8001
check "the other protocol of a forward is nobody's" becomes "unchanged 203.0.113.9 40000 198.51.100.1 8000" \
	-P udp -S 203.0.113.9 40000 -D 198.51.100.1 8000
check "a mark is looked at" becomes "translated 203.0.113.9 40000 10.0.0.12 8080" \
	-P tcp -S 203.0.113.9 40000 -D 198.51.100.1 9 -m 7
check "a range keeps the port" becomes "translated 203.0.113.9 40000 10.0.0.12 6050" \
	-P tcp -S 203.0.113.9 40000 -D 198.51.100.1 6050
check "a public address of an inside host" becomes "translated 203.0.113.9 0 10.0.0.12 0" \
	-P icmp -S 203.0.113.9 -D 198.51.100.10
check "what leaves the net is masqueraded" becomes "translated 198.51.100.1 40000 203.0.113.9 80" \
	-P tcp -S 10.0.0.11 40000 -D 203.0.113.9 80
check "by the masq rule" equals "masq -A -S 10.0.0.0/24" \
	json rule -P tcp -S 10.0.0.11 40000 -D 203.0.113.9 80
check "what leaves a host with a public address gets that" becomes \
	"translated 198.51.100.10 40000 203.0.113.9 80" -P tcp -S 10.0.0.12 40000 -D 203.0.113.9 80
check "by the rule that gave it" equals "addrfw -A -L 198.51.100.10 -R 10.0.0.12" \
	json rule -P tcp -S 10.0.0.12 40000 -D 203.0.113.9 80
check "what leaves another net is not" becomes "unchanged 10.9.0.11 40000 203.0.113.9 80" \
	-P tcp -S 10.9.0.11 40000 -D 203.0.113.9 80
check "a proxy's port goes to the proxy" equals "10.0.0.11 3128" \
	json "after.dst after.dport" -P tcp -S 10.0.0.12 40000 -D 203.0.113.9 8088
check "behind an option its ports are read" equals "10.0.0.11 3128" \
	json "after.dst after.dport" -P tcp -S 10.0.0.12 40000 -D 203.0.113.9 8089
check "of one host's ports the rule is that of the port" equals \
	"80 portfw -A -P tcp -L 198.51.100.1 8002 -R 10.0.0.11 80" \
	json "after.dport rule" -P tcp -S 203.0.113.9 40000 -D 198.51.100.1 8002
check "people read three lines" equals \
	$'203.0.113.9 40000 > 198.51.100.1 8000\ntranslated: 203.0.113.9 40000 > 10.0.0.11 80\nby portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80' \
	as_nobody -n -P tcp -S 203.0.113.9 40000 -D 198.51.100.1 8000

check "the kernel's rules are asked without -r" eval '
	portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80 &&
	says "translated: 198.51.100.2 40000 > 10.0.0.11 80" adm trace -n -P tcp -S 198.51.100.2 40000 -D 198.51.100.1 8000'
check "and the packet does what trace said" equals server1 get client http://198.51.100.1:8000/
before=$(ruleset)
check "a trace changes nothing" eval 'adm trace -P tcp -S 198.51.100.2 40000 -D 198.51.100.1 8000 &&
	equals "$before" ruleset'

kernel_check "a rule that only the kernel engine can do is left out" eval 'portfw -A -P sctp -L 198.51.100.1 8000 -R 10.0.0.11 80 &&
	says "trace: rules that only the kernel engine can do are left out: 1" \
		adm trace -n -P tcp -S 198.51.100.2 40000 -D 198.51.100.1 8000 &&
	says "translated: " adm trace -n -P tcp -S 198.51.100.2 40000 -D 198.51.100.1 8000
	portfw -D -P sctp -L 198.51.100.1 8000'
check "a missing protocol is named" refuses 2 "-P" adm trace -S 1.2.3.4 5 -D 1.2.3.5 6
check "a missing end is named" refuses 2 "-D" adm trace -P tcp -S 1.2.3.4 5
check "a port with junk is named" refuses 2 "'80x'" adm trace -P tcp -S 1.2.3.4 80x -D 1.2.3.5 6
check "an interface that cannot be one is named" refuses 2 "'averyveryverylongone'" \
	adm trace -P tcp -S 1.2.3.4 5 -D 1.2.3.5 6 -i averyveryverylongone
check "IPv6 is refused by name" refuses 2 "2001:db8::1" adm trace -P tcp -S 2001:db8::1 5 -D 1.2.3.5 6
check "a file that is not there is named" refuses 1 "$lab_scratch/none" \
	adm trace -r "$lab_scratch/none" -P tcp -S 1.2.3.4 5 -D 1.2.3.5 6
echo "portfw -A -P tcp -L 198.51.100.1 0 -R 10.0.0.11 80" >"$file.bad"
check "a bad line of the file is named with its number" refuses 2 "$file.bad:1" \
	adm trace -r "$file.bad" -P tcp -S 1.2.3.4 5 -D 1.2.3.5 6
finish
