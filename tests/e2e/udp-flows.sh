#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# UDP flows follow the rules as they are: a deleted or re-pointed forward ends the flows that it
# carried and no others, a new one ends those that would bypass it.
. "$(dirname "$0")/lib.sh"
need_tools conntrack
begin 2
udp_server server1 9000
udp_server server2 9000
udp_server router 9009

add() {
	portfw -A -P udp -L "$1" "$2" -R "$3" 9000
}

# The flow of one client port to this address and port: asks, and says who answers.
ask() {
	udp client "$1" "$2" "$3"
}

# What is tracked and only passes through has no place in a listing of translations.
tracked() {
	on router conntrack -L -p udp --orig-port-dst "$1" 2>/dev/null | wc -l
}

check "two forwards and a flow through each" eval 'add 198.51.100.1 9001 10.0.0.11 &&
	add 198.51.100.1 9002 10.0.0.12 && equals server1 ask 198.51.100.1 9001 40001 &&
	equals server2 ask 198.51.100.1 9002 40002'
check "-D of the first" portfw -D -P udp -L 198.51.100.1 9001
check "ends its flow" equals 0 flows 40001
check "and leaves the other's" equals 1 flows 40002
check "the flow's next datagram is not answered" fails ask 198.51.100.1 9001 40001
check "the other's is" equals server2 ask 198.51.100.1 9002 40002

check "-A of another host and -D of the first re-points it" eval 'add 198.51.100.1 9002 10.0.0.11 &&
	equals 1 flows 40002 && portfw -D -P udp -L 198.51.100.1 9002 -R 10.0.0.12 9000'
check "the flow goes to the other host with its next datagram" \
	equals server1 ask 198.51.100.1 9002 40002

check "two hosts serve flows of their own" eval 'portfw -F && add 198.51.100.1 9003 10.0.0.11 &&
	equals server1 ask 198.51.100.1 9003 40011 && add 198.51.100.1 9003 10.0.0.12 &&
	equals server2 ask 198.51.100.1 9003 40012'
check "a flow stays with its host when another was added" equals server1 ask 198.51.100.1 9003 40011
check "-D of one host" portfw -D -P udp -L 198.51.100.1 9003 -R 10.0.0.11 9000
check "moves its flow to the other host" equals server2 ask 198.51.100.1 9003 40011
check "and leaves the other's flow" equals server2 ask 198.51.100.1 9003 40012

check "a flow to a server on the router itself" equals router ask 198.51.100.1 9009 40021
check "-A of a forward for its port" add 198.51.100.1 9009 10.0.0.11
check "takes the flow with its next datagram" equals server1 ask 198.51.100.1 9009 40021
check "-D of the forward" portfw -D -P udp -L 198.51.100.1 9009
check "gives it back" equals router ask 198.51.100.1 9009 40021
check "-A of a forward of any address" add 0.0.0.0 9009 10.0.0.12
check "takes the flow, too" equals server2 ask 198.51.100.1 9009 40021
check "-A of the exact address takes it from any" eval 'add 198.51.100.1 9009 10.0.0.11 &&
	equals server1 ask 198.51.100.1 9009 40021'
check "-D of the exact address gives it back to any" eval 'portfw -D -P udp -L 198.51.100.1 9009 &&
	equals server2 ask 198.51.100.1 9009 40021'

check "any and an exact address, a flow through each" eval 'portfw -F &&
	add 0.0.0.0 9004 10.0.0.11 && add 198.51.100.10 9004 10.0.0.11 &&
	equals server1 ask 198.51.100.1 9004 40031 && equals server1 ask 198.51.100.10 9004 40032'
echo 'portfw -A -P udp -L 198.51.100.10 9004 -R 10.0.0.11 9000' >"$lab_scratch/exact"
check "only any's flow ends when any is deleted" eval 'adm restore "$lab_scratch/exact" && equals 0 flows 40031 && equals 1 flows 40032 &&
	fails ask 198.51.100.1 9004 40031 && equals server1 ask 198.51.100.10 9004 40032'

kernel_check "by IPv6: a flow to the router itself" equals router ask 2001:db8:1::1 9009 40041
kernel_check "is taken by a new forward" eval 'portfw -A -P udp -L 2001:db8:1::1 9009 -R fd00:1::11 9000 &&
	equals server1 ask 2001:db8:1::1 9009 40041'
kernel_check "is given back by -D" eval 'portfw -D -P udp -L 2001:db8:1::1 9009 &&
	equals router ask 2001:db8:1::1 9009 40041'
kernel_check "is taken by any address" eval 'portfw -A -P udp -L :: 9009 -R fd00:1::12 9000 &&
	equals server2 ask 2001:db8:1::1 9009 40041'

portfw -F
forget_flows
check "a flow that is routed through to the same port" equals server2 ask 10.0.0.12 9000 40051
check "goes on beside a forward of any address" eval 'add 0.0.0.0 9000 10.0.0.11 &&
	equals server2 ask 10.0.0.12 9000 40051'
kernel_check "is not even ended by it" equals 1 tracked 9000
check "re-adding a forward leaves its flow" eval 'equals server1 ask 198.51.100.1 9000 40052 &&
	add 0.0.0.0 9000 10.0.0.11 && equals 1 flows 40052'
check "--dry-run of -D leaves its flow" eval 'portfw -D -P udp -L 0 9000 --dry-run &&
	equals 1 flows 40052'
check "-F ends it" eval 'portfw -F && equals 0 flows 40052'
check "what was routed through goes on" equals server2 ask 10.0.0.12 9000 40051
kernel_check "... as the flow that it was" equals 1 tracked 9000
finish
