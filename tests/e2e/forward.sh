#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A port of the router is served by an inside host: TCP, UDP and SCTP, IPv4 and IPv6.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx socat iperf3 ping
begin 2
web_server server1
web_server server2

# socat as a plain UDP client and server.
socat_udp() {
	on server1 socat -u UDP-RECVFROM:7000 OPEN:"$lab_scratch/datagram",creat &
	wait_until listens server1 -u 7000
	echo "by socat" | on client socat -u STDIN UDP:198.51.100.1:7001
	wait_until equals "by socat" cat "$lab_scratch/datagram"
}

sctp_inside() {
	local family=$1 log=$lab_scratch/sctp$1

	packets server1 sctp-server "$family" >"$log" 2>&1 &
	wait_until grep -q ready "$log"
}

iperf_run() {
	local server

	on server1 iperf3 -s -1 -p 5201 >"$lab_scratch/iperf" 2>&1 &
	server=$!
	wait_until listens server1 -t 5201
	on client iperf3 -c 198.51.100.1 -p 5301 -n 16M "$@" && wait_until gone $server
}

check "without a rule nobody answers" fails get client http://198.51.100.1:8000/

check "-A takes a TCP forward" portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
check "a page comes from the inside server" equals server1 get client http://198.51.100.1:8000/
check "the server sees the client's own address" equals 198.51.100.2 get client http://198.51.100.1:8000/who
check "a ping to the address is answered by the router still" on client ping -c 1 -W "$PATIENCE" 198.51.100.1
check "another port of the same address is not served" fails get client http://198.51.100.1:8001/
check "another address of the router is not served" fails get client http://198.51.100.10:8000/
check "the listing shows it" equals "tcp 198.51.100.1 10.0.0.11 8000 80 10 10" rules
check "-D takes it away" portfw -D -P tcp -L 198.51.100.1 8000
check "nobody answers any more" fails get client http://198.51.100.1:8000/
check "the listing is empty" equals "" rules

user_check "-A refuses IPv6, which this engine cannot" refuses 1 "the kernel engine can" \
	portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::12 80
user_check "-A refuses SCTP, which this engine cannot" refuses 1 "the kernel engine can" \
	portfw -A -P sctp -L 198.51.100.1 2905 -R 10.0.0.11 2906
kernel_check "-A takes a TCP forward of IPv6" portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::12 80
kernel_check "a page comes from the inside server by IPv6" equals server2 get client 'http://[2001:db8:1::1]:8000/'
kernel_check "the server sees the client's IPv6 address" equals 2001:db8:1::2 get client 'http://[2001:db8:1::1]:8000/who'
kernel_check "it is deleted by its IPv6 address" portfw -D -P tcp -L 2001:db8:1::1 8000
kernel_check "nobody answers by IPv6 any more" fails get client 'http://[2001:db8:1::1]:8000/'

udp_server server1 9000
check "-A takes a UDP forward" portfw -A -P udp -L 198.51.100.1 9001 -R 10.0.0.11 9000
check "a datagram is answered by the inside server" equals server1 udp client 198.51.100.1 9001
kernel_check "-A takes a UDP forward of IPv6" portfw -A -P udp -L 2001:db8:1::1 9001 -R fd00:1::11 9000
kernel_check "a datagram is answered by the inside server by IPv6" equals server1 udp client 2001:db8:1::1 9001
check "a TCP connection to the port of a UDP forward is not served" fails get client http://198.51.100.1:9001/
check "-A takes a UDP forward for socat" portfw -A -P udp -L 198.51.100.1 7001 -R 10.0.0.11 7000
check "a datagram of socat arrives" socat_udp

kernel_check "-A takes an SCTP forward" portfw -A -P sctp -L 198.51.100.1 2905 -R 10.0.0.11 2906
on_kernel_engine sctp_inside 4
kernel_check "an SCTP INIT is answered through the forward" equals "198.51.100.1 2905" packets client sctp 198.51.100.1 2905 40001
kernel_check "it arrived at the inside port" grep -q "INIT to port 2906" "$lab_scratch/sctp4"
kernel_check "-A takes an SCTP forward of IPv6" portfw -A -P sctp -L 2001:db8:1::1 2905 -R fd00:1::11 2907
on_kernel_engine sctp_inside 6
kernel_check "an SCTP INIT is answered through the forward by IPv6" equals "2001:db8:1::1 2905" \
	packets client sctp 2001:db8:1::1 2905 40001
kernel_check "it arrived at the inside port by IPv6" grep -q "INIT to port 2907" "$lab_scratch/sctp6"

check "-F clears the table" portfw -F
check "old letters: -a -Pt -L ADDR:PORT -R ADDR/PORT" portfw -a -Pt -L 198.51.100.1:8000 -R 10.0.0.11/80
check "a page comes through it" equals server1 get client http://198.51.100.1:8000/
check "an -A of another host to the same port makes a pool, -D of the first takes it out" \
	eval 'portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80 &&
		portfw -D -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80'
check "the page comes from the other host now" equals server2 get client http://198.51.100.1:8000/

check "-A takes a forward for iperf3" portfw -A -P tcp -L 198.51.100.1 5301 -R 10.0.0.11 5201
check "iperf3 sends 16 MB through it" iperf_run
check "iperf3 receives 16 MB through it" iperf_run -R
finish
