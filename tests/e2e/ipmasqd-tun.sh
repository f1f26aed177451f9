#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The way of packets through ipmasqd by a TUN device, with the routes of ipmasqd(8).
. "$(dirname "$0")/lib.sh"
need_tools curl nginx ping
begin 2
[ -w /dev/net/tun ] || skip_all "no /dev/net/tun that may be opened here"
web_server server1
web_server client
udp_server client 7000
udp_server server1 7000
rules=$lab_scratch/rules

user() {
	adm -e "$lab_scratch/ipmasqd.sock" "$@"
}

# The lines of the page that match, for the interfaces here.
of_the_page() {
	sed -n '/^\.Ss A TUN device/,/^\.Ss W/s/^# //p' "$here/../../man/ipmasqd.8" | grep "^$1" |
		sed "s/^ip /&-n $lab-router /; s/eth0/outside/; s/eth1/inside/"
}

# What comes from the outside, and what goes there from the inside, leads into the device.
routes() {
	eval "$(of_the_page "ip route")"
}

check "the page has rules for the routes" eval 'of_the_page "ip rule" >"$lab_scratch/page" &&
	[ "$(wc -l <"$lab_scratch/page")" = 7 ] && sh -e "$lab_scratch/page"'

start() {
	start_ipmasqd -t nat0 -r "$rules" "$@" && routes
}

# status WORD: the figure of a line of ipmasqd's status.
status() {
	user status | awk -v name="$1" '$2 == name { print $3 }'
}

# So many datagrams, to nobody.
flood() {
	on server1 python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[1])):
    s.sendto(b"x", ("198.51.100.2", 9))' "$1"
}

seen_from() {
	get "$1" http://198.51.100.2/who
}

everything() {
	equals 198.51.100.1 seen_from server1 &&
		equals client udp server1 198.51.100.2 7000 &&
		on server2 ping -c 2 -i 0.1 -W "$PATIENCE" 198.51.100.2 &&
		equals server1 get client http://198.51.100.1:8000/ &&
		equals server1 udp client 198.51.100.1 7000
}

bulk() {
	equals "$1" eval 'get server1 http://198.51.100.2/files/bulk | sha256sum' &&
		equals "$1" eval 'get client http://198.51.100.1:8000/files/bulk | sha256sum' &&
		equals "$1" eval 'get client http://198.51.100.10:8000/files/bulk | sha256sum'
}

in_fragments() {
	local order

	for order in 012 210 102; do
		equals client packets server1 fragments 198.51.100.2 7000 "$order" &&
			equals server1 packets client fragments 198.51.100.1 7000 "$order" || return 1
	done
}

cat >"$rules" <<-END
	masq -A -S 10.0.0.0/24
	portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
	portfw -A -P tcp -L 198.51.100.10 8000 -R 10.0.0.11 80
	portfw -A -P udp -L 198.51.100.1 7000 -R 10.0.0.11 7000
END
mkdir -p "$lab_scratch/files"
head -c 30000000 /dev/urandom >"$lab_scratch/files/bulk"
sum=$(sha256sum <"$lab_scratch/files/bulk")

check "ipmasqd makes the device" eval 'start && ip -n "$lab-router" link show nat0'
check "no rules of nf_tables" equals "" on router nft list ruleset
check "all kinds of packets, both ways" everything
check "what nobody waits for ends here" eval '
	fails udp client 198.51.100.1 7001 && fails get client http://198.51.100.1:8001/'
check "whole segments of bulk data, both ways" bulk "$sum"
check "fragments, also before their header" in_fragments
check "status names it" eval 'user status | grep -q "packets *tun"'
check "and what found no room in the device's queue" eval '
	equals 0 status queue_full && pid=$(ipmasqd_pid) && kill -STOP "$pid" && flood 2000 &&
	kill -CONT "$pid" && [ "$(status queue_full)" -gt 1000 ]'
check "a second one on the same device is refused" fails_with 1 "TUN device nat0 is taken" \
	on router "$(dirname "$IPMASQADM")/ipmasqd" -f -i outside -t nat0 -r "$rules" \
	-s "$lab_scratch/other.sock"
check "an interface that is no TUN device, too" fails_with 1 "TUN device inside: there is" \
	on router "$(dirname "$IPMASQADM")/ipmasqd" -f -i outside -t inside -r "$rules" \
	-s "$lab_scratch/other.sock"
check "killed, it lets nothing through" eval 'stop_ipmasqd KILL && fails seen_from server1'
check "it starts again with the routes that are there" eval '
	start_ipmasqd -t nat0 -r "$rules" && everything'
check "ended, it takes the device away" eval 'stop_ipmasqd && fails ip -n "$lab-router" link show nat0'
check "with --fail-open" eval 'start --fail-open && everything'
check "the device goes when it is killed" eval '
	stop_ipmasqd KILL && fails ip -n "$lab-router" link show nat0'
check "with two workers" eval 'start -w 2 && everything'
check "bulk data" bulk "$sum"
check "fragments" in_fragments
check "a device that somebody deletes ends it" eval '
	pid=$(ipmasqd_pid) && ip -n "$lab-router" link delete nat0 && wait_until gone "$pid" &&
	grep "worker 0 cannot take packets any more" "$lab_scratch/ipmasqd.log"'

finish
