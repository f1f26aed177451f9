#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Connections that carry a firewall mark go to inside hosts, which share them exactly.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 3
for number in 1 2 3; do
	web_server "server$number"
	udp_server "server$number" 9000
done
# Before both engines: ipmasqd has its packets before connection tracking, at -300.
on router nft -f - <<-END
	table inet operator {
		chain set_mark {
			type filter hook prerouting priority -310
			iifname outside tcp dport { 8000, 8080, 80 } meta mark set 1
			iifname outside udp dport 9000 meta mark set 2
			iifname outside tcp dport 8110 meta mark set 8110
			iifname inside ip daddr 198.51.100.1 tcp dport { 80, 8000 } meta mark set 1
			iifname inside ip6 daddr 2001:db8:1::1 tcp dport { 80, 8000 } meta mark set 1
		}
		chain set_mark_own {
			type route hook output priority -310
			ip daddr 198.51.100.10 tcp dport { 80, 8000 } meta mark set 1
		}
	}
END

mfw() {
	adm mfw "$@"
}

# The listing without its heading, one blank between the columns.
hosts() {
	mfw -L -n "$@" | tail -n +2 | tr -s ' ' | sed 's/^ //'
}

# ask COUNT [URL]: who answers that many connections in a row, as `COUNT NAME` for each run.
ask() {
	local turn

	for ((turn = 0; turn < $1; turn++)); do
		get client "${2:-http://198.51.100.1:8000/}" || return 1
	done | uniq -c | sed 's/^ *//'
}

round_trip() {
	local file=$lab_scratch/rules

	adm save "$file" && adm flush && equals "" hosts && adm restore "$file" &&
		adm save "$file.2" && cmp "$file" "$file.2"
}

check "without a rule nobody answers" fails get client http://198.51.100.1:8000/
check "-A takes a host for a mark" mfw -A -m 1 -r 10.0.0.11 80 -p 10
check "a marked connection comes to it" equals server1 get client http://198.51.100.1:8000/
check "the server sees the client's own address" equals 198.51.100.2 get client http://198.51.100.1:8000/who
check "an unmarked connection does not" fails get client http://198.51.100.1:8001/
check "a second host with twice the preference is appended" mfw -A -m 0x1 -r 10.0.0.12:80 -p 20
check "the listing has the columns of the original, the head first" \
	equals $'1 10.0.0.11 80 10 10\n1 10.0.0.12 80 20 20' hosts
check "of 30 connections exactly 10 and 20, three rounds long" \
	equals $'10 server1\n20 server2\n10 server1\n20 server2\n10 server1\n20 server2' ask 90
check "four more go to the head" equals "4 server1" ask 4
check "pcnt says how many are left of its turn" \
	equals $'1 10.0.0.11 80 6 10\n1 10.0.0.12 80 20 20' hosts
check "-S ends its turn now" mfw -S -m 1
check "the other is at the head with its whole turn" \
	equals $'1 10.0.0.12 80 20 20\n1 10.0.0.11 80 10 10' hosts
check "the next connection is the other's" equals "1 server2" ask 1
check "-I puts a host at the head" mfw -I -m 1 -r 10.0.0.13 80 -p 1
check "it has the next turn" equals $'1 server3\n2 server2' ask 3
check "-A of a host that is there sets its preference" mfw -A -m 1 -r 10.0.0.12 80 -p 3
check "the listing says so" equals $'1 10.0.0.12 80 3 3\n1 10.0.0.11 80 10 10\n1 10.0.0.13 80 1 1' hosts
check "-E sets the preference of what matches and begins anew" mfw -E -m 1 -r 10.0.0.11 -p 2
check "a round is 3, 2 and 1 now" equals $'3 server2\n2 server1\n1 server3' ask 6
check "-E without -r sets all" mfw -E -m 1 -p 1
check "a round is 1, 1 and 1 now" equals $'1 server2\n1 server1\n1 server3' ask 3
check "-E of what is there already reloads the turn" eval 'mfw -E -m 1 -p 2 && ask 1 && mfw -E -m 1 -p 2'
check "its pcnt is full again" equals $'1 10.0.0.12 80 2 2' eval 'hosts | head -n 1'
check "save, flush, restore, save are the same bytes" round_trip

mfw -E -m 1 -r 10.0.0.11 -p 0
check "preference 0 never rotates away: its turn comes" says "server1" ask 5
check "and does not end" equals "40 server1" ask 40
check "its pcnt is 0, and it is the head" equals "1 10.0.0.11 80 0 0" eval 'hosts | head -n 1'
check "the order behind it is kept" round_trip
check "-S ends even its turn" mfw -S -m 1
check "the next host is the head" fails equals "1 10.0.0.11 80 0 0" eval 'hosts | head -n 1'
check "its connections are its preference, then the turn without end comes again" \
	equals "server1" eval 'ask 20 | tail -n 1 | cut -d " " -f 2'

check "-D takes what matches" mfw -D -m 1 -r 10.0.0.12
check "no host but the others is listed" equals "0" eval 'hosts | grep -c 10.0.0.12; true'
check "-D -r 0 takes whatever is there" mfw -D -m 1 -r 0
check "nobody answers" fails get client http://198.51.100.1:8000/
check "-D of what is not there fails" refuses 1 "no host of mark 1" mfw -D -m 1
check "-S of what is not there fails" refuses 1 "no host of mark 1" mfw -S -m 1
check "-E of what is not there fails" refuses 1 "no host of mark 1" mfw -E -m 1 -p 3

check "without RPORT the packet keeps its port" mfw -A -m 1 -r 10.0.0.11
check "port 80 comes to port 80" equals server1 get client http://198.51.100.1/
check "port 8080 comes to port 8080" equals server1 get client http://198.51.100.1:8080/
check "RPORT 0 is the same host" eval 'mfw -A -m 1 -r 10.0.0.11 0 -p 4 && equals "1 10.0.0.11 0 4 4" hosts'
check "a host of another port is another entry" mfw -A -m 1 -r 10.0.0.12 80 -p 4
check "kept and given ports share one pool" equals $'4 server1\n4 server2' ask 8 http://198.51.100.1:8080/
check "an inside host on the server's own net is served, too" equals server1 \
	get server2 http://198.51.100.1/
check "this machine itself is served, too" eval 'for turn in 1 2 3 4; do
	get router http://198.51.100.10:8000/; done | grep -q server2'
mfw -F

check "UDP flows share, too" eval 'for host in 11 12 13; do mfw -A -m 2 -r 10.0.0.$host -p 2; done'
check "of 12 flows each has two in a row" \
	equals $'2 server1\n2 server2\n2 server3\n2 server1\n2 server2\n2 server3' \
	eval 'for turn in {1..12}; do udp client 198.51.100.1 9000 $((42000 + turn)); done |
		uniq -c | sed "s/^ *//"'
check "the flow of a host that is taken out goes to another with its next packet" \
	eval 'before=$(udp client 198.51.100.1 9000 44000) &&
		mfw -D -m 2 -r "10.0.0.1${before#server}" &&
		after=$(udp client 198.51.100.1 9000 44000) && echo "$before $after" &&
		[ -n "$after" ] && [ "$before" != "$after" ]'
mfw -F

user_check "IPv6 hosts are refused, naming who can" refuses_ipv6 mfw -A -m 1 -r fd00:1::11 80
kernel_check "IPv6 hosts share, too, and a mark has a pool of each family" eval 'for host in 11 12; do
	mfw -A -m 1 -r fd00:1::$host 80 -p 1; done; mfw -A -m 1 -r [fd00:1::13]:80; mfw -A -m 1 -r 10.0.0.11 80'
kernel_check "they take turns" equals $'1 server1\n1 server2\n10 server3' ask 12 'http://[2001:db8:1::1]:8000/'
kernel_check "IPv4 has its own" equals "3 server1" ask 3
kernel_check "an IPv6 host on the servers' own net is served, too" says server \
	get server3 'http://[2001:db8:1::1]:8000/'
kernel_check "the pools of both families go through save and restore" round_trip
kernel_check "-D without -r takes both" eval 'mfw -D -m 1 && equals "" hosts'

check "another module's rules and counters survive -F" eval '
	portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.12 80 && get client http://198.51.100.1:8001/ &&
	before=$(settled portfw -L -n -v) && mfw -A -m 1 -r 10.0.0.11 80 && mfw -F &&
	equals "$before" portfw -L -n -v'
check "portfw goes before mfw" eval 'mfw -A -m 8110 -r 10.0.0.11 80 &&
	portfw -A -P tcp -L 198.51.100.1 8110 -R 10.0.0.12 80 &&
	equals server2 get client http://198.51.100.1:8110/'
kernel_check "nft can load what it lists" nft_loads_its_listing
check "--json lists numbers" equals 8110 eval 'mfw -L --json |
	python3 -c "import json, sys; print(json.load(sys.stdin)[\"mfw\"][0][\"fwmark\"])"'
check "--dry-run shows what would change" equals "+ mfw -A -m 5 -r 10.0.0.11 80" \
	mfw --dry-run -A -m 5 -r 10.0.0.11 80

check "mark 0 is refused by name" refuses 2 "mark '0'" mfw -A -m 0 -r 10.0.0.11 80
check "a mark with junk is refused" refuses 2 "mark '1x'" mfw -A -m 1x -r 10.0.0.11 80
check "a mark over 32 bits is refused" refuses 2 "mark '4294967296'" mfw -A -m 4294967296 -r 10.0.0.11
check "a missing mark is refused" refuses 2 "-m" mfw -A -r 10.0.0.11 80
check "a missing host is refused" refuses 2 "-r" mfw -A -m 1
check "a host of zeros cannot be added" refuses 2 "'0.0.0.0'" mfw -A -m 1 -r 0.0.0.0 80
check "a port with junk is refused" refuses 2 "'80x'" mfw -A -m 1 -r 10.0.0.11 80x
check "a port over 65535 is refused" refuses 2 "'65536'" mfw -A -m 1 -r 10.0.0.11:65536
check "a preference over 65535 is refused" refuses 2 "preference '65536'" mfw -A -m 1 -r 10.0.0.11 -p 65536
check "-E needs a preference" refuses 2 "-p" mfw -E -m 8110
check "-S takes no host" refuses 2 "-r does not go with -S" mfw -S -m 8110 -r 10.0.0.11
check "two commands are refused" refuses 2 "multiple commands specified" mfw -A -D -m 1
check "a word too many is refused" refuses 2 "'extra'" mfw -L extra
check "no command is refused" refuses 2 "no command" mfw -m 1
finish
