#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A public address and an inside host stand for one another, for all protocols or for one.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx conntrack ping
begin 2
web_server client
web_server server1
web_server server2
udp_server server1 9000

addrfw() {
	adm addrfw "$@"
}

# The listing without its heading, one blank between the columns.
listing() {
	addrfw -L -n | tail -n +2 | tr -s ' ' | sed 's/^ //'
}

# Who the outside server sees, when a host inside asks.
seen() {
	get "$1" "${2:-http://198.51.100.2/who}"
}

round_trip() {
	local file=$lab_scratch/rules

	adm save "$file" && adm flush && equals "" listing && adm restore "$file" &&
		adm save "$file.2" && cmp "$file" "$file.2"
}

# raw PROTOCOL ADDRESS: the client sends a packet of this IP protocol; who gets it, and from whom?
raw() {
	local log=$lab_scratch/raw

	: >"$log" # the last one was ready, too
	on server1 python3 -c '
import os, socket, sys
receiver = socket.socket(socket.AF_INET, socket.SOCK_RAW, int(sys.argv[1]))
receiver.settimeout(float(os.environ["PATIENCE"]))
print("ready", flush=True)
packet, peer = receiver.recvfrom(2048)
print("server1 got", packet[20:].decode(), "from", peer[0], flush=True)
receiver.sendto(b"\0\0\0\0answer", peer)' "$1" >"$log" 2>&1 &
	wait_until grep -q ready "$log"
	on client python3 -c '
import os, socket, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, int(sys.argv[1]))
sender.settimeout(float(os.environ["PATIENCE"]))
sender.sendto(b"\0\0\0\0hello", (sys.argv[2], 0))
print("answered by", sender.recvfrom(2048)[1][0])' "$1" "$2" 2>&1
	wait $! 2>/dev/null
	cat "$log"
}

check "without a rule nobody answers" fails get client http://198.51.100.10/
check "-A takes an address" addrfw -A -L 198.51.100.10 -R 10.0.0.11
check "the listing shows it" equals "all 198.51.100.10 10.0.0.11" listing
check "a page comes from the inside host" equals server1 get client http://198.51.100.10/
check "on any port" equals server1 get client http://198.51.100.10:8080/
check "the host sees the client's own address" equals 198.51.100.2 get client http://198.51.100.10/who
check "UDP comes to it, too" equals server1 udp client 198.51.100.10 9000
check "its own connections leave with the public address" equals 198.51.100.10 seen server1
check "another host's do not" equals 10.0.0.12 seen server2
check "ping is answered by the inside host" eval '
	before=$(on server1 awk "/^Icmp:/ && !/InMsgs/ { print \$2 }" /proc/net/snmp)
	on client ping -c 2 -W "$PATIENCE" 198.51.100.10 &&
	after=$(on server1 awk "/^Icmp:/ && !/InMsgs/ { print \$2 }" /proc/net/snmp) &&
	[ "$after" -ge $((before + 2)) ]'
check "another address of the router is not touched" fails get client http://198.51.100.1/
check "a host of the same net reaches it by the public address" equals server1 \
	get server2 http://198.51.100.10/
check "the inside host reaches itself by the public address" equals server1 \
	get server1 http://198.51.100.10/
check "the router itself reaches it by the public address" equals server1 \
	get router http://198.51.100.10/
check "a packet of GRE comes through, and its answer back" \
	says $'answered by 198.51.100.10\nready\nserver1 got' raw 47 198.51.100.10
check "adding it again changes nothing" eval 'before=$(settled counted_ruleset) &&
	addrfw -A -L 198.51.100.10 -R 10.0.0.11 && equals "$before" counted_ruleset'

check "portfw goes before it" eval '
	portfw -A -P tcp -L 198.51.100.10 8000 -R 10.0.0.12 80 &&
	equals server2 get client http://198.51.100.10:8000/ &&
	equals server1 get client http://198.51.100.10/'
check "save, flush, restore, save are the same bytes" round_trip
check "it works after that" equals 198.51.100.10 seen server1
check "-A of another inside host takes the address over, both ways" eval '
	addrfw -A -L 198.51.100.10 -R 10.0.0.12 && equals server2 get client http://198.51.100.10/ &&
	equals 198.51.100.10 seen server2 && equals 10.0.0.11 seen server1'
check "an inside host cannot have two public addresses" \
	refuses 1 "10.0.0.12 has the public address 198.51.100.10 already" \
	addrfw -A -L 198.51.100.1 -R 10.0.0.12

check "a rule for one protocol goes before that for all" eval '
	addrfw -A -L 198.51.100.10 -R 10.0.0.11 -P udp &&
	equals server1 udp client 198.51.100.10 9000 && equals server2 get client http://198.51.100.10/'
check "the listing has both" equals $'all 198.51.100.10 10.0.0.12\nudp 198.51.100.10 10.0.0.11' listing
flow_ends() {
	equals server1 udp client 198.51.100.10 9000 46000 &&
		equals 1 flows 46000 &&
		addrfw -D -L 198.51.100.10 -P udp && equals 0 flows 46000
}
check "-D of one protocol ends the UDP flows that it carried" flow_ends
check "it leaves the rule for all" equals "all 198.51.100.10 10.0.0.12" listing
check "-D with another host matches nothing" refuses 1 "no entry of 198.51.100.10 like this" \
	addrfw -D -L 198.51.100.10 -R 10.0.0.11
check "-D takes the address away" addrfw -D -L 198.51.100.10
check "nobody answers" fails get client http://198.51.100.10/
check "its own connections have its own address again" equals 10.0.0.12 seen server2
check "-D of what is not there fails" refuses 1 "no entry of 198.51.100.10 matches" \
	addrfw -D -L 198.51.100.10

check "-P gre takes GRE only" eval 'addrfw -A -L 198.51.100.10 -R 10.0.0.11 -P gre &&
	raw 47 198.51.100.10 | grep "server1 got" && fails get client http://198.51.100.10/'
check "the listing has its name" equals "gre 198.51.100.10 10.0.0.11" listing
check "the outgoing TCP of the host is not touched" equals 10.0.0.11 seen server1
check "a protocol's number will do" eval 'addrfw -D -L 198.51.100.10 -P 47 && equals "" listing'
check "a protocol without a name is listed by number" eval '
	addrfw -A -L 198.51.100.10 -R 10.0.0.11 -P 99 && equals "99 198.51.100.10 10.0.0.11" listing'
addrfw -F

kernel_check "IPv6 goes both ways, too" eval 'addrfw -A -L 2001:db8:1::10 -R fd00:1::11 &&
	equals server1 get client "http://[2001:db8:1::10]/" &&
	equals 2001:db8:1::10 seen server1 "http://[2001:db8:1::2]/who" &&
	equals server1 get server2 "http://[2001:db8:1::10]/"'
kernel_check "the IPv6 rule goes through save and restore" round_trip
user_check "IPv6 is refused, naming who can" refuses_ipv6 addrfw -A -L 2001:db8:1::10 -R fd00:1::11
check "masq does not take what addrfw does" eval '
	addrfw -A -L 198.51.100.10 -R 10.0.0.11 && adm masq -A -S 10.0.0.0/24 -M 198.51.100.1 &&
	equals 198.51.100.10 seen server1 && equals 198.51.100.1 seen server2'
check "-F leaves the others' rules" eval 'addrfw -F && equals 198.51.100.1 seen server1 &&
	equals "" listing'
addrfw -A -L 198.51.100.10 -R 10.0.0.11 -P tcp
kernel_check "nft can load what it lists" nft_loads_its_listing
check "--json has the columns" equals 198.51.100.10 eval 'addrfw -L --json |
	python3 -c "import json, sys; print(json.load(sys.stdin)[\"addrfw\"][0][\"publicaddr\"])"'
check "--dry-run shows one line" equals "- addrfw -A -L 198.51.100.10 -R 10.0.0.11 -P tcp" \
	addrfw --dry-run -D -L 198.51.100.10

check "a missing public address is refused" refuses 2 "-L with an address" addrfw -A -R 10.0.0.11
check "a missing inside host is refused" refuses 2 "-R with an address" addrfw -A -L 198.51.100.10
check "an address of zeros is refused" refuses 2 "'0.0.0.0'" addrfw -A -L 0.0.0.0 -R 10.0.0.11
check "an address with junk is refused" refuses 2 "'10.0.0.11x'" addrfw -A -n -L 198.51.100.10 -R 10.0.0.11x
check "an inside host of the other family is refused" refuses 2 "'fd00:1::11'" \
	addrfw -A -L 198.51.100.10 -R fd00:1::11
check "the same address twice is refused" refuses 2 "'10.0.0.11'" addrfw -A -L 10.0.0.11 -R 10.0.0.11
check "a protocol that is none is refused" refuses 2 "'grex'" addrfw -A -L 198.51.100.10 -R 10.0.0.11 -P grex
check "protocol 256 is refused" refuses 2 "'256'" addrfw -A -L 198.51.100.10 -R 10.0.0.11 -P 256
check "two commands are refused" refuses 2 "multiple commands specified" addrfw -A -D -L 198.51.100.10
check "no command is refused" refuses 2 "no command" addrfw -L 198.51.100.10
finish
