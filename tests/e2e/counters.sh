#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a forward has carried: packets and bytes, of both directions, of this forward only.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 2
web_server server1
web_server server2
head -c 1000000 /dev/zero >"$lab_scratch/files/1MB"

# count ADDRESS HOST COLUMN: a number of the entry with this LADDR and RADDR.
count() {
	portfw -L -n --json | python3 -c '
import json, sys
laddr, raddr, column = sys.argv[1:]
rows = [r for r in json.load(sys.stdin)["portfw"] if (r["localaddr"], r["rediraddr"]) == (laddr, raddr)]
print(sum(r[column] for r in rows))' "$@"
}

above() {
	local limit=$1 got

	shift
	got=$("$@") || return 1
	[ "$got" -gt "$limit" ] || { echo "$got, not over $limit"; return 1; }
}

fetch() {
	equals 1000000 eval "get $1 '$2' | wc -c"
}

portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
portfw -A -P tcp -L 198.51.100.10 8000 -R 10.0.0.11 80
on_kernel_engine portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::11 80
portfw -A -P tcp -L 0.0.0.0 8001 -R 10.0.0.11 80

check "a new forward has carried nothing" equals 0 count 198.51.100.1 10.0.0.11 bytes
check "1 MB is fetched through it" fetch client http://198.51.100.1:8000/files/1MB
check "it has carried over 1 MB" above 1000000 count 198.51.100.1 10.0.0.11 bytes
check "but less than 1.2 MB" eval '! above 1200000 count 198.51.100.1 10.0.0.11 bytes'
check "in some packets" above 10 count 198.51.100.1 10.0.0.11 packets
check "another forward to the same host has carried nothing" equals 0 count 198.51.100.10 10.0.0.11 bytes
check "-L -v shows the bytes" says "$(settled count 198.51.100.1 10.0.0.11 bytes)" portfw -L -n -v
check "-L -nv does, too" says "$(settled count 198.51.100.1 10.0.0.11 bytes)" portfw -L -nv
check "-L without -v has the original's columns" \
	equals "prot localaddr rediraddr lport rport pcnt pref" eval 'portfw -L -n | head -1 | tr -s " "'
kernel_check "1 MB is fetched by IPv6" fetch client 'http://[2001:db8:1::1]:8000/files/1MB'
kernel_check "its forward has carried over 1 MB" above 1000000 count 2001:db8:1::1 fd00:1::11 bytes
check "1 MB is fetched by any address" fetch client http://198.51.100.10:8001/files/1MB
check "its forward has carried over 1 MB, too" above 1000000 count 0.0.0.0 10.0.0.11 bytes
check "1 MB is fetched by the router itself" fetch router http://198.51.100.10:8000/files/1MB
check "it is counted" above 1000000 count 198.51.100.10 10.0.0.11 bytes
check "1 MB is fetched by a host of the server's net" fetch server2 http://198.51.100.10:8000/files/1MB
check "it is counted, too" above 2000000 count 198.51.100.10 10.0.0.11 bytes

before=$(settled count 198.51.100.1 10.0.0.11 bytes)
check "a host added to the port" portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80
check "leaves what the first has carried" equals "$before" count 198.51.100.1 10.0.0.11 bytes
check "and has carried nothing" equals 0 count 198.51.100.1 10.0.0.12 bytes
check "1 MB comes from the new host" fetch client http://198.51.100.1:8000/files/1MB
check "which is counted as its own" above 1000000 count 198.51.100.1 10.0.0.12 bytes
check "and not as the other's" equals "$before" count 198.51.100.1 10.0.0.11 bytes
check "another preference leaves what was carried" \
	eval 'portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80 -p 3 &&
		equals "$before" count 198.51.100.1 10.0.0.11 bytes'
check "what is left of a pool keeps it, too" \
	eval 'portfw -D -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80 &&
		equals "$before" count 198.51.100.1 10.0.0.11 bytes'
check "a forward that is added again begins with nothing" \
	eval 'portfw -D -P tcp -L 198.51.100.1 8000 &&
		portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80 &&
		equals 0 count 198.51.100.1 10.0.0.11 bytes'
finish
