#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Port ranges to inside hosts: always, or while an inside host speaks to somebody outside.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx socat conntrack
begin 2
web_server client
for number in 1 2; do
	web_server "server$number"
	for port in 6970 6980 7000; do
		udp_server "server$number" $port
	done
done
udp_server client 9000
# Another host outside.
ip -n "$lab-client" address add 198.51.100.3/24 dev eth0

autofw() {
	adm autofw "$@"
}

# The listing without its heading, one blank between the columns.
listing() {
	autofw -L -n | tail -n +2 | tr -s ' ' | sed 's/^ //'
}

round_trip() {
	local file=$lab_scratch/rules

	adm save "$file" && adm flush && equals "" listing && adm restore "$file" &&
		adm save "$file.2" && cmp "$file" "$file.2"
}

# from ADDRESS PORT: who answers a datagram of this outside host to the router's port?
from() {
	udp client 198.51.100.1 "$2" 0 "$1"
}

# speak SERVER: an inside host sends one datagram to the control port outside.
speak() {
	packets "$1" udp 198.51.100.2 9000 >/dev/null
}

# speak_and SERVER COMMAND...: does it while what the datagram has opened is open.
speak_and() {
	speak "$1" && forget_flows && "${@:2}"
}

# --- ranges and ports
check "without a rule nobody answers" fails from 198.51.100.2 6970
check "-r -h takes a range" autofw -A -r udp 6970 6980 -h 10.0.0.11
check "its first port comes to the host, the port is kept" equals server1 from 198.51.100.2 6970
check "its last port comes to it" equals server1 from 198.51.100.2 6980
check "a port behind it does not" fails from 198.51.100.2 7000
check "TCP to the same port does not" fails get client http://198.51.100.1:6970/
check "any outside host may connect" equals server1 from 198.51.100.3 6970
check "the listing shows it" equals "range udp 6970 6980 10.0.0.11 0 - any 0" listing
check "-p takes one port to a hidden one" eval '
	autofw -A -p tcp 8000 10.0.0.12:80 && equals server2 get client http://198.51.100.1:8000/'
check "the host sees the client's own address" equals 198.51.100.2 get client http://198.51.100.1:8000/who
check "a host on the server's own net reaches it by the router's address" equals server2 \
	get server1 http://198.51.100.1:8000/
check "a TCP range serves, too, from the server's own net as well" eval '
	autofw -A -r tcp 8080 8090 -h 10.0.0.11 && equals server1 get client http://198.51.100.1:8080/ &&
	equals server1 get server2 http://198.51.100.1:8080/'
check "the router itself reaches it" equals server1 get router http://198.51.100.1:8080/
check "a narrower range goes before a wider one, whichever is newer" eval '
	autofw -A -r udp 6975 6985 -h 10.0.0.12 && autofw -A -r udp 6960 7100 -h 10.0.0.11 &&
	equals server2 from 198.51.100.3 6980'
check "of two of one width the newest goes first" eval '
	autofw -D -r udp 6975 6985 -h 10.0.0.12 && autofw -A -r udp 6975 6985 -h 10.0.0.12 &&
	equals server2 from 198.51.100.2 6980'
check "that order goes through save and restore" eval '
	autofw -D -r udp 6975 6985 -h 10.0.0.12 && autofw -A -r udp 6975 6985 -h 10.0.0.12 &&
	autofw -D -r udp 6970 6980 -h 10.0.0.11 && autofw -A -r udp 6970 6980 -h 10.0.0.11 &&
	equals server1 from 198.51.100.2 6980 && round_trip && equals server1 from 198.51.100.3 6980'
check "the same range again gets the other host" eval '
	autofw -A -r udp 6970 6980 -h 10.0.0.12 && equals server2 from 198.51.100.2 6970'
check "portfw goes before it" eval 'portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80 &&
	equals server1 get client http://198.51.100.1:8000/ && portfw -F &&
	equals server2 get client http://198.51.100.1:8000/'
flow_ends() {
	equals server2 udp client 198.51.100.1 6970 47000 && equals 1 flows 47000 &&
		autofw -D -r udp 6970 6980 -h 10.0.0.12 && equals 0 flows 47000
}
check "-D ends the UDP flows that the rule carried" flow_ends
check "-D of another host's rule matches nothing" refuses 1 'no rule `autofw -A' \
	autofw -D -r udp 6975 6985 -h 10.0.0.11
check "-D takes a port" eval 'autofw -D -p tcp 8000 10.0.0.12:80 &&
	fails get client http://198.51.100.1:8000/'
user_check "IPv6 is refused, naming who can" refuses_ipv6 autofw -A -r tcp 8080 8090 -h fd00:1::12
kernel_check "IPv6 ranges and ports serve, too" eval '
	autofw -A -r tcp 8080 8090 -h fd00:1::12 && equals server2 get client "http://[2001:db8:1::1]:8080/" &&
	autofw -A -p tcp 8001 [fd00:1::11]:80 && equals server1 get client "http://[2001:db8:1::1]:8001/"'
check "save, flush, restore, save are the same bytes" round_trip
range_packets() {
	on router nft list chain inet ipmasq range_autofw | grep 'dport 8080-8090.*10.0.0.11' |
		grep -o 'packets [0-9]*'
}
kernel_check "a change of one rule leaves the counters of the others" eval '
	get client http://198.51.100.1:8080/ && before=$(range_packets) && [ "$before" != "packets 0" ] &&
	autofw -A -r udp 1 2 -h 10.0.0.11 && autofw -D -r udp 1 2 -h 10.0.0.11 &&
	equals "$before" range_packets'
check "-F of another module leaves the rules" eval 'adm mfw -A -m 1 -r 10.0.0.11 && adm mfw -F &&
	equals server1 get client http://198.51.100.1:8080/'
autofw -F

# --- triggers
adm masq -A -S 10.0.0.0/24
check "-r -c takes a trigger" autofw -A -r udp 6970 6980 -c udp 9000
check "nothing is open" equals "trigger udp 6970 6980 - 0 udp/9000 - 0" listing
check "nobody answers the outside host" fails from 198.51.100.2 6970
forget_flows
check "one packet to the control port opens the range" \
	speak_and server1 equals server1 from 198.51.100.2 6970
check "every port of it" speak_and server1 equals server1 from 198.51.100.2 6980
check "not for another outside host" speak_and server1 fails from 198.51.100.3 6970
check "not another port" speak_and server1 fails from 198.51.100.2 7000
check "the listing shows who holds it, for whom and for how long still" speak_and server1 eval '
	[[ $(listing) =~ ^"trigger udp 6970 6980 10.0.0.11 0 udp/9000 198.51.100.2 "([1-9]|1[0-5])$ ]]'
check "the inside host that last spoke has it" eval '
	speak_and server2 equals server2 from 198.51.100.2 6970 &&
	speak_and server1 equals server1 from 198.51.100.2 6970'
check "an outside host cannot open it to itself" eval '
	on client socat -u - UDP4:10.0.0.11:9000,bind=198.51.100.3 </dev/null
	echo x | on client socat -u - UDP4:10.0.0.11:9000,bind=198.51.100.3
	equals 1 eval "listing | wc -l"'
# Seconds after the last control packet.
sleep_until() {
	local wait=$((opened + $1 - SECONDS))

	[ $wait -le 0 ] || sleep $wait
}

control_packet() {
	opened=$SECONDS
	speak server1
}

# What is opened for 15 seconds, and again 5 seconds later, is open 17 seconds after the first time.
# A machine that is too busy asks too late.
is_renewed() {
	local PATIENCE=5

	control_packet && sleep_until 5 && control_packet && sleep_until 12 && forget_flows &&
		equals server1 from 198.51.100.2 6970
}
check "a trigger that does not lapse, by TCP, for another host" eval '
	autofw -A -r udp 7000 7000 -c tcp 8080 -u && get server2 http://198.51.100.2:8080/'
check "control traffic renews it" eval 'is_renewed || is_renewed || is_renewed'
control_packet
sleep_until 17
check "16 s after the last control packet it is closed" eval 'forget_flows; fails from 198.51.100.2 6970'
check "the listing shows that nobody holds it" says "trigger udp 6970 6980 - 0 udp/9000 - 0" listing
check "-u has kept the other open" equals server2 from 198.51.100.2 7000
check "not for another outside host, either" fails from 198.51.100.3 7000
check "the listing says that it does not lapse" \
	says "trigger udp 7000 7000 10.0.0.12 0 tcp/8080 198.51.100.2 0" listing
check "-D closes it" eval 'autofw -D -r udp 7000 7000 -c tcp 8080 -u && forget_flows
	fails from 198.51.100.2 7000'

check "-D with another option matches nothing" refuses 1 'no rule `autofw -A' \
	autofw -D -r udp 6970 6980 -c udp 9000 -i
check "-i lets any outside host in" eval 'autofw -A -r udp 6970 6980 -c udp 9000 -i &&
	speak_and server2 equals server2 from 198.51.100.3 6970 &&
	speak_and server2 equals server2 from 198.51.100.2 6980'
check "the listing says any" speak_and server2 eval '
	[[ $(listing) =~ ^"trigger udp 6970 6980 10.0.0.12 0 udp/9000 any "([1-9]|1[0-5])$ ]]'
check "-A with -u takes the place of it" eval 'autofw -A -r udp 6970 6980 -c udp 9000 -u &&
	equals "trigger udp 6970 6980 - 0 udp/9000 - 0" listing'
check "a trigger by TCP opens, too" eval '
	autofw -A -r tcp 8080 8080 -c tcp 8080 && get server1 http://198.51.100.2:8080/ &&
	equals server1 get client http://198.51.100.1:8080/'
kernel_check "a trigger by IPv6 opens, too" eval 'adm masq -A -S fd00:1::/64 &&
	get server2 "http://[2001:db8:1::2]:8080/" &&
	equals server2 get client "http://[2001:db8:1::1]:8080/"'
kernel_check "IPv6 openings are listed" says "fd00:1::12" listing
check "without masquerading there is no inside, and nothing opens" eval 'adm masq -F && autofw -F &&
	autofw -A -r udp 6970 6980 -c udp 9000 && speak server1 && forget_flows
	fails from 198.51.100.2 6970'
adm masq -A -S 10.0.0.0/24

# --- source ports
source_port() {
	packets server1 udp 198.51.100.2 9000 "$1" >/dev/null &&
		adm masq -C -n -p "$1" | tail -n +2 | awk '{ print $6 }'
}
check "-d takes a range of outgoing ports" autofw -A -d udp 9000 9010
check "connections to them keep their source port" equals 40123 source_port 40123
kernel_check "they are counted" eval 'on router nft list chain inet ipmasq source_autofw |
	grep "udp dport 9000-9010 counter packets [1-9]"'
check "the listing shows it" says "keep udp 9000 9010 - 0 - - 0" listing
check "triggers and pins go through save and restore" eval '
	autofw -A -r udp 1000 2000 -c tcp 554 -u -i && round_trip'
kernel_check "nft can load what it lists" nft_loads_its_listing
check "-v says what is done" equals "autofw -A -r tcp 5 6 -h 10.0.0.11" autofw -v -A -r tcp 5 6 -h 10.0.0.11
check "-F takes everything" eval 'autofw -F && equals "" listing'
kernel_check "its maps are gone, too" equals "" eval 'on router nft list table inet ipmasq | grep "map opened"; true'
check "-h alone is help" says "ipmasqadm autofw -A -r PROTO LOW HIGH -h HOST" autofw -h
check "--json has the columns" equals 10.0.0.11 eval 'autofw -A -r tcp 5 6 -h 10.0.0.11 && autofw -L --json |
	python3 -c "import json, sys; print(json.load(sys.stdin)[\"autofw\"][0][\"inside\"])"'
check "--dry-run shows what would change" equals "- autofw -A -r tcp 5 6 -h 10.0.0.11" \
	autofw --dry-run -F

check "-r with -p is refused by name" refuses 2 "-r and -p exclude one another" \
	autofw -A -r tcp 1 2 -p tcp 1 10.0.0.1:1
check "-r with -d is refused by name" refuses 2 "-r and -d exclude one another" \
	autofw -A -r tcp 1 2 -d tcp 1 2
check "-d with -p is refused by name" refuses 2 "-d and -p exclude one another" \
	autofw -A -d tcp 1 2 -p tcp 1 10.0.0.1:1
check "-h with -c is refused by name" refuses 2 "-h and -c exclude one another" \
	autofw -A -r tcp 1 2 -h 10.0.0.1 -c tcp 5
check "-r without -h or -c is refused" refuses 2 "-r needs -h" autofw -A -r tcp 1 2
check "none of -r, -d, -p is refused" refuses 2 "one of -r, -d and -p" autofw -A
check "-h without -r is refused" refuses 2 "-h goes with -r only" autofw -A -p tcp 1 10.0.0.1:1 -h 10.0.0.1
check "-u without -c is refused" refuses 2 "-u goes with -c only" autofw -A -r tcp 1 2 -h 10.0.0.1 -u
check "-i without -c is refused" refuses 2 "-i goes with -c only" autofw -A -d tcp 1 2 -i
check "a range that runs backwards is refused" refuses 2 "port range '20' to '10'" \
	autofw -A -r tcp 20 10 -h 10.0.0.1
check "port 0 is refused" refuses 2 "'0'" autofw -A -r tcp 0 10 -h 10.0.0.1
check "a port with junk is refused" refuses 2 "'10x'" autofw -A -r tcp 1 10x -h 10.0.0.1
check "a range of one word is refused" refuses 2 "-r needs" autofw -A -r tcp 1-10 -h 10.0.0.1
check "a host of zeros is refused" refuses 2 "'0.0.0.0'" autofw -A -r tcp 1 10 -h 0.0.0.0
check "a hidden port is needed" refuses 2 "HOST:PORT" autofw -A -p tcp 80 10.0.0.1
check "a protocol without ports is refused" refuses 2 "'icmp'" autofw -A -r icmp 1 2 -h 10.0.0.1
check "-F takes no options" refuses 2 "-r does not go with -F" autofw -F -r tcp 1 2
check "two commands are refused" refuses 2 "multiple commands specified" autofw -A -D -d tcp 1 2
finish
