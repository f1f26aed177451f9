#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Several hosts on one port share the connections by their preferences, exactly.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 3
for number in 1 2 3; do
	web_server "server$number"
	udp_server "server$number" 9000
done

# ask COUNT: who answers that many connections in a row, as `COUNT NAME` for each run of the same.
ask() {
	local turn

	for ((turn = 0; turn < $1; turn++)); do
		get client http://198.51.100.1:8000/ || return 1
	done | uniq -c | sed 's/^ *//'
}

add() {
	portfw -A -P tcp -L 198.51.100.1 8000 -R "10.0.0.1$1" 80 "${@:2}"
}

hosts() {
	rules | cut -d ' ' -f 3,6,7
}

check "the first host is added with 10" add 1 -p 10
check "the second host is added with 20" add 2 -p 20
check "the newest is at the head" equals $'10.0.0.12 20 20\n10.0.0.11 10 10' hosts
check "of 30 connections exactly 20 and 10, the head first" equals $'20 server2\n10 server1' ask 30
check "the next 30 are the same" equals $'20 server2\n10 server1' ask 30
check "three more connections go to the head" equals "3 server2" ask 3
check "pcnt says how many are left of its turn" equals $'10.0.0.12 17 20\n10.0.0.11 10 10' hosts
check "18 more end its turn" equals $'17 server2\n1 server1' ask 18
check "then the next host is the head" equals $'10.0.0.11 9 10\n10.0.0.12 20 20' hosts
check "its turn goes on" equals $'9 server1\n1 server2' ask 10

check "re-adding a host sets its preference" add 1 -p 2
check "the listing shows the new preference, the order is kept" \
	eval 'equals "10.0.0.12 20
10.0.0.11 2" eval "rules | cut -d \" \" -f 3,7"'
check "the shares follow: 2 of 22" equals 2 \
	eval 'for turn in {1..22}; do get client http://198.51.100.1:8000/; done | grep -c server1'
check "re-adding without -p sets the default, 10" add 1
check "the listing shows 10" equals 10 eval 'rules | grep 10.0.0.11 | cut -d " " -f 7'
portfw -F

add 1 -p 1
add 2 -p 2
check "a third host is added" add 3 -p 3
check "three hosts take turns, the newest first" \
	equals $'3 server3\n2 server2\n1 server1\n3 server3' ask 9
check "the one in the middle is taken out" portfw -D -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80
check "no connection goes to it any more" equals 0 eval 'ask 12 | grep -c server2; true'
check "the others have 9 and 3 of 12 still" equals "9 3" \
	eval 'pages=$(for turn in {1..12}; do get client http://198.51.100.1:8000/; done)
		echo "$(grep -c server3 <<<"$pages") $(grep -c server1 <<<"$pages")"'
check "all but one are taken out" portfw -D -P tcp -L 198.51.100.1 8000 -R 10.0.0.13 80
check "the last one serves alone" equals "5 server1" ask 5
check "-D without -R takes the rest" portfw -D -P tcp -L 198.51.100.1 8000
check "nobody serves" fails get client http://198.51.100.1:8000/

check "UDP hosts share, too" eval 'for host in 11 12; do
	portfw -A -P udp -L 198.51.100.1 9000 -R 10.0.0.$host 9000 -p 2; done'
check "of 8 flows each has two in a row" equals $'2 server2\n2 server1\n2 server2\n2 server1' \
	eval 'for turn in {1..8}; do udp client 198.51.100.1 9000 $((42000 + turn)); done |
		uniq -c | sed "s/^ *//"'
check "one flow stays with its host" equals "4 server2" \
	eval 'for turn in {1..4}; do udp client 198.51.100.1 9000 43000; done | uniq -c | sed "s/^ *//"'

user_check "IPv6 is refused, naming who can" refuses_ipv6 portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::11 80
kernel_check "IPv6 hosts share, too" eval 'for host in 11 12; do
	portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::$host 80 -p 1; done'
kernel_check "they take turns" equals $'server2\nserver1\nserver2' \
	eval 'for turn in 1 2 3; do get client "http://[2001:db8:1::1]:8000/"; done'
check "one host on two ports is two entries" eval 'for port in 80 8080; do
	portfw -A -P tcp -L 198.51.100.1 8003 -R 10.0.0.11 $port; done'
check "the listing shows both ports" equals $'8080\n80' eval 'rules | grep " 8003 " | cut -d " " -f 5'
check "-D with RPORT takes the one of that port" portfw -D -P tcp -L 198.51.100.1 8003 -R 10.0.0.11 80
check "the other is left" equals 8080 eval 'rules | grep " 8003 " | cut -d " " -f 5'
check "-D -R 0 0 takes whatever is there" portfw -D -P tcp -L 198.51.100.1 8003 -R 0 0
check "none is left" equals "" eval 'rules | grep " 8003 "; true'
finish
