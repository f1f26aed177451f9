#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Connections that need no rule of their own: from a client in the server's own net by way of the
# router's outside address (hairpin), and from the router itself.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 2
web_server server1
web_server server2
udp_server server1 9000

portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
on_kernel_engine portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::11 80
portfw -A -P udp -L 198.51.100.1 9000 -R 10.0.0.11 9000
on_kernel_engine portfw -A -P udp -L 2001:db8:1::1 9000 -R fd00:1::11 9000
portfw -A -P tcp -L 0.0.0.0 8001 -R 10.0.0.11 80
on_kernel_engine portfw -A -P tcp -L :: 8001 -R fd00:1::11 80

check "a host of the server's net gets the page by the outside address" \
	equals server1 get server2 http://198.51.100.1:8000/
check "the server sees the router, so that the answer comes back through it" \
	equals 10.0.0.1 get server2 http://198.51.100.1:8000/who
check "the server itself gets it, too" equals server1 get server1 http://198.51.100.1:8000/
kernel_check "the same by IPv6" equals server1 get server2 'http://[2001:db8:1::1]:8000/'
kernel_check "the server sees the router's inside IPv6 address" \
	equals fd00:1::1 get server2 'http://[2001:db8:1::1]:8000/who'
check "the same by UDP" equals server1 udp server2 198.51.100.1 9000
kernel_check "the same by UDP and IPv6" equals server1 udp server2 2001:db8:1::1 9000
check "the same by a forward of any address, on the outside address" \
	equals server1 get server2 http://198.51.100.1:8001/
check "and on the inside address" equals server1 get server2 http://10.0.0.1:8001/
kernel_check "and by IPv6" equals server1 get server2 'http://[fd00:1::1]:8001/'
check "a client outside keeps its own address meanwhile" \
	equals 198.51.100.2 get client http://198.51.100.1:8000/who

# A second net on the same wire, so that a connection without a forward is routed back, too.
lab_address router inside 10.0.1.1/24
lab_address server1 eth0 10.0.1.11/24
portfw -A -P tcp -L 198.51.100.1 8003 -R 10.0.1.11 80
check "a host gets the page of a server that it reaches by the router anyway" \
	equals server1 get server2 http://198.51.100.1:8003/
check "without a forward the server sees the asking host still" \
	equals 10.0.0.12 get server2 http://10.0.1.11/who

check "the router itself gets the page" equals server1 get router http://198.51.100.1:8000/
kernel_check "the router itself gets it by IPv6" equals server1 get router 'http://[2001:db8:1::1]:8000/'
check "the router itself is answered by UDP" equals server1 udp router 198.51.100.1 9000
kernel_check "the router itself is answered by UDP and IPv6" equals server1 udp router 2001:db8:1::1 9000
check "the router itself uses a forward of any address" equals server1 get router http://198.51.100.1:8001/
kernel_check "the router itself uses a forward of any address by IPv6" \
	equals server1 get router 'http://[2001:db8:1::1]:8001/'

check "a pool of two takes connections from inside" \
	eval 'for host in 11 12; do portfw -A -P tcp -L 198.51.100.1 8002 -R 10.0.0.$host 80 -p 1; done'
check "a host of the net gets pages of both" equals $'server2\nserver1' \
	eval 'get server2 http://198.51.100.1:8002/; get server2 http://198.51.100.1:8002/'
check "the router itself gets pages of both" equals $'server2\nserver1' \
	eval 'get router http://198.51.100.1:8002/; get router http://198.51.100.1:8002/'
finish
