#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The rules files of contrib/examples, each loaded as it stands there and proved with traffic.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx socat conntrack
begin 2
for host in client server1 server2; do
	web_server "$host"
done
examples=$here/../../contrib/examples

# says_name NAMESPACE PORT: a TCP server that says the namespace's name.
says_name() {
	on "$1" socat "TCP6-LISTEN:$2,ipv6only=0,fork,reuseaddr" SYSTEM:"echo $1" 2>/dev/null &
	wait_until listens "$1" -t "$2"
}

# who NAMESPACE ADDRESS PORT: who says his name there?
who() {
	on "$1" socat -T 2 - "TCP:$2:$3" </dev/null
}

# ask COUNT URL: who answers that many connections in a row, as `COUNT NAME` for each run.
ask() {
	local turn

	for ((turn = 0; turn < $1; turn++)); do
		get client "$2" || return 1
	done | uniq -c | sed 's/^ *//'
}

count_rules() {
	adm save - | grep -vc '^#'
	return "${PIPESTATUS[0]}"
}

round_trip() {
	local file=$lab_scratch/rules

	adm save "$file" && adm flush && equals 0 count_rules && adm restore "$file" &&
		adm save "$file.2" && cmp "$file" "$file.2"
}

# Every command line of the file is a rule afterwards, no more and no less.
has_every_line() {
	equals "$(grep -c '^[^#]' "$examples/$1")" count_rules
}

loads() {
	check "$1 loads as it stands" adm restore "$examples/$1"
	check "every line of $1 is a rule" has_every_line "$1"
	check "save of $1, flush, restore, save are the same bytes" round_trip
	check "nothing changes when $1 is loaded again" equals "" adm --dry-run restore "$examples/$1"
}

# --- home-gateway.rules
for port in 22 53; do
	says_name server1 $port
done
says_name client 7070
udp_server server1 53
udp_server server1 7000
udp_server server2 27020
udp_server client 28850
loads home-gateway.rules
check "what leaves the home has the router's address" equals 198.51.100.1 \
	get server2 http://198.51.100.2/who
check "by IPv6 it has one of the router's as well" says 2001:db8:1:: get server2 'http://[2001:db8:1::2]/who'
check "the web server at home is reached from outside" equals server1 get client http://198.51.100.1/
check "it is by the router's other address" equals server1 get client http://198.51.100.10/
check "it sees who asks" equals 198.51.100.2 get client http://198.51.100.1/who
check "it is by IPv6" equals server1 get client 'http://[2001:db8:1::1]/'
check "it is from home by the outside address" equals server1 get server2 http://198.51.100.1/
check "its secure shell is on port 2222" equals server1 who client 198.51.100.1 2222
check "port 22 stays the router's own" fails who client 198.51.100.1 22
check "its name server answers outside, by UDP" equals server1 udp client 198.51.100.1 53
check "and by TCP" equals server1 who client 198.51.100.1 53
check "it answers inside by the router's inside address" equals server1 udp server2 10.0.0.1 53
check "the game server is reached on its own ports" equals server2 udp client 198.51.100.1 27020
check "its page is on port 8080" equals server2 get client http://198.51.100.1:8080/
check "nobody outside reaches the old application before it speaks" fails udp client 198.51.100.1 7000
speaks() {
	equals client who server1 198.51.100.2 7070 && on router conntrack -D -p udp >/dev/null 2>&1
	equals server1 udp client 198.51.100.1 7000
}
check "when it has spoken, its server reaches it" speaks
check "its listing says who holds the range, and for whom" \
	says "trigger udp 6970 7170 10.0.0.11 0 tcp/7070 198.51.100.2" \
	eval 'adm autofw -L -n | tr -s " "'
keeps_source_port() {
	equals client udp server2 198.51.100.2 28850 40123 &&
		on router conntrack -L -p udp --orig-port-src 40123 2>/dev/null | grep -q 'dport=40123 '
}
check "the game keeps its source port" keeps_source_port
clear_rules

# --- web-farm.rules
# Loads the table that the comment shows.
set_marks() {
	sed -n '/^#   table inet marks {$/,/^#   }$/s/^#   //p' "$examples/web-farm.rules" |
		on router nft -f -
}
for number in 1 2; do
	says_name "server$number" 443
done
loads web-farm.rules
check "the lines of its comment set the mark" eval 'set_marks && on router nft list table inet marks'
check "of 30 connections to one port server1 has 10, server2 20, three rounds long" \
	equals $'20 server2\n10 server1\n20 server2\n10 server1\n20 server2\n10 server1' \
	ask 90 http://198.51.100.1/
check "so it is by IPv6" equals $'20 server2\n10 server1' ask 30 'http://[2001:db8:1::1]/'
check "of 30 marked connections, too" \
	equals $'10 server1\n20 server2\n10 server1\n20 server2\n10 server1\n20 server2' \
	ask 90 http://198.51.100.10/
check "by IPv6 as well" equals $'10 server1\n20 server2' ask 30 'http://[2001:db8:1::10]/'
both_ports() {
	local turn

	for turn in 1 2 3 4 5; do
		get client http://198.51.100.10/ && who client 198.51.100.10 443 || return 1
	done | uniq -c | sed 's/^ *//'
}
check "both ports take turns in one pool" equals "10 server1" both_ports
check "the servers see who asks" equals 198.51.100.2 get client http://198.51.100.10/who
out_and_in() {
	portfw -D -P tcp -L 198.51.100.1 80 -R 10.0.0.12 && equals "12 server1" ask 12 http://198.51.100.1/ &&
		adm restore "$examples/web-farm.rules" &&
		equals $'20 server2\n10 server1' ask 30 http://198.51.100.1/
}
check "a server can be taken out, and is back after the next restore" out_and_in
on router nft delete table inet marks
clear_rules
finish
