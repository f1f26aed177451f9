#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What leaves an inside net gets an address of the router; live connections; time-outs.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx conntrack
begin 2
web_server client
web_server server2
udp_server client 9000
# A second net inside, without a rule for it.
ip -n "$lab-router" address add 10.0.5.1/24 dev inside
ip -n "$lab-server2" address add 10.0.5.12/24 dev eth0
ip -n "$lab-server1" route add 10.0.5.0/24 via 10.0.0.1
ip -n "$lab-server1" route add 10.0.0.12/32 via 10.0.0.1

masq() {
	adm masq "$@"
}

# The listing without its heading, one blank between the columns.
listing() {
	masq "$@" -n | tail -n +2 | tr -s ' ' | sed 's/^ //'
}

# Who the outside server sees, when server1 asks.
seen() {
	get server1 "${1:-http://198.51.100.2/who}"
}

round_trip() {
	local file=$lab_scratch/rules

	adm save "$file" && adm flush && equals "" listing -L && adm restore "$file" &&
		adm save "$file.2" && cmp "$file" "$file.2"
}

check "without a rule the outside sees the inside address" equals 10.0.0.11 seen
check "-A takes a net" masq -A -S 10.0.0.0/24
check "the outside sees the router's address" equals 198.51.100.1 seen
check "the listing shows the rule" equals "10.0.0.0/24 any interface" listing -L
check "the router is not in the way of its own connections" equals 198.51.100.1 \
	get router http://198.51.100.2/who
check "hosts of the net see each other's own addresses, also through the router" \
	equals 10.0.0.11 seen http://10.0.0.12/who
check "a connection from outside to inside keeps its address" equals 198.51.100.2 \
	get client http://10.0.0.12/who
check "UDP is masqueraded, too" equals client udp server1 198.51.100.2 9000
check "an address that is added later is not taken instead" eval '
	ip -n "$lab-router" address add 198.51.100.77/24 dev outside && equals 198.51.100.1 seen'
check "when the interface gets another address, that one is given" eval '
	ip -n "$lab-router" address flush dev outside scope global &&
	ip -n "$lab-router" address add 198.51.100.5/24 dev outside && equals 198.51.100.5 seen'
ip -n "$lab-router" address flush dev outside scope global
lab_address router outside 198.51.100.1/24 198.51.100.10/24 2001:db8:1::1/64 2001:db8:1::10/64

check "-M gives an address of one's own choice" eval '
	masq -A -S 10.0.0.0/24 -M 198.51.100.10 && equals 198.51.100.10 seen'
check "it replaced the rule of the same net" equals "10.0.0.0/24 any 198.51.100.10" listing -L
check "a rule for one host goes before the net's" eval '
	masq -A -S 10.0.0.11 -M 198.51.100.1 && equals 198.51.100.1 seen'
check "a rule for an interface goes before one without" eval '
	masq -A -S 10.0.0.11 -o outside -M 198.51.100.10 && equals 198.51.100.10 seen'
check "a rule for another interface does nothing here" eval '
	masq -D -S 10.0.0.11 -o outside && masq -A -S 10.0.0.11/32 -o nowhere0 &&
	equals 198.51.100.1 seen'
check "-D takes the rule of this net and interface" eval '
	masq -D -S 10.0.0.11 -o nowhere0 && masq -D -S 10.0.0.11 && equals 198.51.100.10 seen'
check "-D of what is not there fails" refuses 1 'no rule `masq -A -S 10.0.0.11/32`' masq -D -S 10.0.0.11
check "-D with another address fails" refuses 1 'no rule `masq -A -S 10.0.0.0/24' \
	masq -D -S 10.0.0.0/24 -M 198.51.100.1
check "bits behind the prefix are cleared" eval '
	masq -A -S 10.0.5.77/24 -o outside && equals "10.0.5.0/24 outside interface" eval "listing -L | tail -n 1"'

masq -F
check "-S 0.0.0.0/0 is whatever leaves" eval 'masq -A -S 0.0.0.0/0 -o outside &&
	equals "0.0.0.0/0 outside interface" listing -L && equals 198.51.100.1 seen'
check "... from any net inside" equals 198.51.100.1 get server2 http://198.51.100.2/who
check "... and not what comes" equals 198.51.100.2 get client http://10.0.0.12/who
check "... by an address of one's own choice, too" eval '
	masq -A -S 0.0.0.0/0 -o outside -M 198.51.100.10 && equals 198.51.100.10 seen'
kernel_check "-S ::/0 is whatever leaves" eval 'masq -A -S ::/0 -o outside &&
	says 2001:db8:1::1 seen "http://[2001:db8:1::2]/who"'
user_check "-S ::/0 is refused, naming who can" refuses_ipv6 masq -A -S ::/0
masq -F
masq -A -S 10.0.0.0/24 -M 198.51.100.10
masq -A -S 10.0.5.0/24 -o outside

user_check "IPv6 is refused, naming who can" refuses_ipv6 masq -A -S fd00:1::/64
on_kernel_engine masq -A -S fd00:1::/64
kernel_check "IPv6 is masqueraded, too" says 2001:db8:1::1 seen 'http://[2001:db8:1::2]/who'
kernel_check "with an address of one's own choice, too" eval '
	masq -A -S fd00:1::/64 -M 2001:db8:1::10 && equals 2001:db8:1::10 seen "http://[2001:db8:1::2]/who"'
check "save, flush, restore, save are the same bytes" round_trip
check "they work after it" equals 198.51.100.10 seen

packets_of() {
	on router nft list chain inet ipmasq source_masq | grep "saddr 10.0.0.0/24" |
		grep -o 'packets [0-9]*'
}
kernel_check "a change of one rule leaves the counters of the others" eval '
	before=$(packets_of) && [ "$before" != "packets 0" ] && masq -A -S 10.9.0.0/16 &&
	masq -D -S 10.9.0.0/16 && equals "$before" packets_of'
check "-F of another module leaves the rules" eval '
	portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80 && portfw -F && equals 198.51.100.10 seen'
check "-F takes all rules, and those of no other module" eval '
	portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80 && masq -F && equals "" listing -L &&
	equals server2 get client http://198.51.100.1:8000/'
check "the inside address is seen again" equals 10.0.0.11 seen

# --- live connections
masq -A -S 10.0.0.0/24
packets server1 udp 198.51.100.2 9000 45001 >/dev/null
get client http://198.51.100.1:8000/ >/dev/null
check "-C shows who talks to whom by which alias" \
	equals "udp 10.0.0.11 45001 198.51.100.1 45001 198.51.100.2 9000" \
	eval 'listing -C -S 10.0.0.11 -p 9000 | cut -d " " -f 1,3-'
check "-C shows when a connection expires" eval '
	expire=$(listing -C -p 45001 | cut -d " " -f 2) && [ "$expire" -gt 0 ] && [ "$expire" -le 300 ]'
check "-C shows what a forward carries, from inside, too" says "tcp" listing -C -S 10.0.0.12
check "its alias is what was asked for" equals "198.51.100.1 8000" \
	eval 'listing -C -S 10.0.0.12 -p 8000 | cut -d " " -f 5,6 | uniq'
check "-C filters by port" equals 1 eval 'listing -C -p 45001 | wc -l'
check "-C filters by net" equals 0 eval 'listing -C -S 10.0.9.0/24 | wc -l'
check "-C --json has numbers" equals 45001 eval 'masq --json -C -p 45001 |
	python3 -c "import json, sys; print(json.load(sys.stdin)[\"connections\"][0][\"iport\"])"'

many() {
	python3 -c '
import sys
for n in range(100000):
    print(f"-A -p udp -s 10.{1 + n // 50000}.{n // 250 % 200}.{n % 250 + 1}"
          f" -d 203.0.113.{1 + n // 50000} --sport {1024 + n % 50000} --dport 53 -t 600"
          f" --src-nat 198.51.100.1")
' >"$lab_scratch/entries"
	on router conntrack -R "$lab_scratch/entries" >/dev/null 2>&1
}
kernel_check "100,000 connections can be there" eval 'many; [ "$(on router conntrack -L -p udp 2>/dev/null | wc -l)" -ge 100000 ]'
kernel_check "all of them are listed" eval '[ "$(masq -C -n | wc -l)" -gt 100000 ]'
kernel_check "one inside host is found among them" equals 1 eval 'listing -C -S 10.2.7.9 | wc -l'

# --- time-outs
timeout_of() {
	on router cat "/proc/sys/net/netfilter/nf_conntrack_$1"
}
# shellcheck disable=SC2034 # in an eval below
udp_before=$(timeout_of udp_timeout)
kernel_check "-T sets the time-outs, 0 keeps one" eval 'masq -T 7200 15 0 &&
	equals 7200 timeout_of tcp_timeout_established && equals 15 timeout_of tcp_timeout_fin_wait &&
	equals "$udp_before" timeout_of udp_timeout'
kernel_check "-T sets both of UDP" eval 'masq -T 0 0 77 && equals 77 timeout_of udp_timeout &&
	equals 77 timeout_of udp_timeout_stream && equals 7200 timeout_of tcp_timeout_established'
kernel_check "--dry-run sets nothing" eval 'masq --dry-run -T 1 1 1 && equals 77 timeout_of udp_timeout'
expiry_with() {
	masq -T "$@" && packets server1 udp 198.51.100.2 9000 45002 >/dev/null &&
		listing -C -p 45002 | cut -d " " -f 2
}
user_check "-T sets the time-outs of connections to come" eval '
	expire=$(expiry_with 0 0 77) && [ "$expire" -gt 0 ] && [ "$expire" -le 77 ]'
closing_with() {
	masq -T "$@" && get server1 http://198.51.100.2:8080/ >/dev/null &&
		wait_until eval '[ "$(listing -C -p 8080 | cut -d " " -f 2)" -lt 100 ]' &&
		listing -C -p 8080 | cut -d " " -f 2
}
user_check "... and of TCP connections that have ended" eval '
	expire=$(closing_with 7200 15 0) && [ "$expire" -gt 0 ] && [ "$expire" -le 15 ]'
check "a time-out with junk is refused" refuses 2 "'5x'" masq -T 1 5x 1
check "two time-outs are refused" refuses 2 "-T needs" masq -T 1 2
check "a time-out that does not fit is refused" refuses 2 "'2147484'" masq -T 0 0 2147484

check "a net with too long a prefix is refused" refuses 2 "'10.0.0.0/33'" masq -A -S 10.0.0.0/33
check "a net that is none is refused" refuses 2 "'10.0.0.300'" masq -A -n -S 10.0.0.300
check "a missing net is refused" refuses 2 "-S" masq -A -o outside
check "an interface name that is too long is refused" refuses 2 "'anameoverfifteen'" \
	masq -A -S 10.0.0.0/24 -o anameoverfifteen
check "an address of the other family is refused" refuses 2 "'2001:db8::1'" \
	masq -A -S 10.0.0.0/24 -M 2001:db8::1
check "an address that nobody can answer is refused" refuses 2 "'224.0.0.1'" \
	masq -A -S 10.0.0.0/24 -M 224.0.0.1
check "-p does not go with -A" refuses 2 "-p does not go with -A" masq -A -S 10.0.0.0/24 -p 5
check "two commands are refused" refuses 2 "multiple commands specified" masq -A -D -S 10.0.0.0/24
check "no command is refused" refuses 2 "no command" masq -S 10.0.0.0/24
finish
