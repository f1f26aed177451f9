#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# LADDR 0.0.0.0 and ::, any address of the router: every one of them, now and later, and nothing
# that only passes through; a forward of an exact address goes before it.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 2
web_server server1
web_server server2
web_server client

check "-A takes any IPv4 address" portfw -A -P tcp -L 0.0.0.0 8080 -R 10.0.0.11 80
check "the listing shows 0.0.0.0" equals "tcp 0.0.0.0 10.0.0.11 8080 80 10 10" rules
check "the outside address is served" equals server1 get client http://198.51.100.1:8080/
check "the other outside address is served" equals server1 get client http://198.51.100.10:8080/
check "the inside address is served" equals server1 get client http://10.0.0.1:8080/
ip -n "$lab-router" address add 198.51.100.20/24 dev outside
check "an address that the router got later is served" equals server1 get client http://198.51.100.20:8080/
check "a connection that is routed through to the inside goes where it was sent" \
	equals server2 get client http://10.0.0.12:8080/
check "a connection that is routed through to the outside goes where it was sent" \
	equals client get server1 http://198.51.100.2:8080/
check "IPv6 is not served by it" fails get client 'http://[2001:db8:1::1]:8080/'
check "127.0.0.1 stays the router's own" fails get router http://127.0.0.1:8080/

check "-A takes an exact address for the same port" portfw -A -P tcp -L 198.51.100.10 8080 -R 10.0.0.12 80
check "the exact address goes before any" equals server2 get client http://198.51.100.10:8080/
check "the others are still served by any" equals server1 get client http://198.51.100.1:8080/
check "-D of the exact address leaves any" portfw -D -P tcp -L 198.51.100.10 8080
check "the address is served by any again" equals server1 get client http://198.51.100.10:8080/
check "-A takes a pool for an exact address" \
	eval 'for host in 11 12; do portfw -A -P tcp -L 198.51.100.10 8080 -R 10.0.0.$host 8080 -p 1; done'
check "the pool goes before any, too" equals $'server2\nserver1' \
	eval 'get client http://198.51.100.10:8080/; get client http://198.51.100.10:8080/'
check "-D of 0.0.0.0 takes every address's forward of the port" portfw -D -P tcp -L 0.0.0.0 8080
check "nothing is left" equals "" rules

user_check "IPv6 is refused, naming who can" refuses_ipv6 portfw -A -P tcp -L :: 8080 -R fd00:1::11 80
kernel_check "-A takes any IPv6 address" portfw -A -P tcp -L :: 8080 -R fd00:1::11 80
kernel_check "the outside IPv6 address is served" equals server1 get client 'http://[2001:db8:1::1]:8080/'
kernel_check "the other outside IPv6 address is served" equals server1 get client 'http://[2001:db8:1::10]:8080/'
check "an IPv6 connection that is routed through goes where it was sent" \
	equals server2 get client 'http://[fd00:1::12]:8080/'
kernel_check "IPv4 is not served by ::" fails get client http://198.51.100.1:8080/
kernel_check "-A takes an exact IPv6 address" portfw -A -P tcp -L 2001:db8:1::10 8080 -R fd00:1::12 80
kernel_check "the exact IPv6 address goes before any" equals server2 get client 'http://[2001:db8:1::10]:8080/'

check "-A takes a pool for any IPv4 address" \
	eval 'for host in 11 12; do portfw -A -P tcp -L 0 8080 -R 10.0.0.$host 80 -p 1; done'
check "every address is served by the pool" equals $'server2\nserver1' \
	eval 'get client http://198.51.100.1:8080/; get client http://198.51.100.10:8080/'
check "what is routed through is not" equals server2 get client http://10.0.0.12:8080/

udp_server server1 9000
udp_server server2 9000
check "-A takes any address for UDP" portfw -A -P udp -L 0.0.0.0 9000 -R 10.0.0.11 9000
check "a datagram to an outside address is answered" equals server1 udp client 198.51.100.10 9000
check "a datagram that is routed through goes where it was sent" equals server2 udp client 10.0.0.12 9000
finish
