#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The doctor on gateways whose network is not the plainest: it sees what keeps a connection from
# working, and has nothing to say where it works.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 2
web_server server1
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::11 80
. "$here/doctor-lib.sh"

works() {
	equals server1 get client "http://${1:-198.51.100.1}:8000/"
}

# healthy SENTENCE [ADDRESS]: the connection works and the doctor says one line.
healthy() {
	check "it works: $1" wait_until works "${2:-198.51.100.1}"
	check "all is well: $1" wait_until says "all is well" doctor
}

# Two packets that pass at once are as in a real network: neighbours are known.
healthy "the plainest network"

# --- switches -------------------------------------------------------------------------------------

set_router net/ipv4/conf/inside/forwarding 0
check "does not work: the inside interface does not forward" fails works
fault "the inside interface does not forward" FAIL "net.ipv4.conf.inside.forwarding is 0"
healthy "forwarding again"
set_router net/ipv6/conf/outside/forwarding 0
set_router net/ipv6/conf/inside/forwarding 0
healthy "IPv6 is forwarded by the switch of all interfaces" "[2001:db8:1::1]"

# --- interfaces -----------------------------------------------------------------------------------

on client ip link set eth0 down
check "no carrier outside" finds FAIL "interface outside has no carrier" portfw 198.51.100.1 8000
on client ip link set eth0 up
lab_address client eth0 2001:db8:1::2/64
on client ip route replace default via 198.51.100.1
on client ip -6 route replace default via 2001:db8:1::1
healthy "a carrier again"

# Of a net that is routed here, on the loopback interface; what comes in by the outside one is
# accepted, and nothing is by the other.
lab_address router lo 203.0.113.10/32
on router ip route add default via 198.51.100.2
set_router net/ipv4/conf/lo/rp_filter 1
on router nft -f - <<-END
	table inet other { chain forward { type filter hook forward priority 0; policy drop;
		ct state established,related accept; iifname "outside" accept; }; }
END
portfw -A -P tcp -L 203.0.113.10 8000 -R 10.0.0.11 80
healthy "an address that is on an interface by which nothing comes" 203.0.113.10
portfw -D -P tcp -L 203.0.113.10 8000
on router ip address delete 203.0.113.10/32 dev lo
on router nft delete table inet other

# Both have a bridge of the same containers' net.
for host in router server1; do
	on $host ip link add name docker0 type bridge
	lab_address $host docker0 172.17.0.1/16
done
portfw -A -P tcp -L 0.0.0.0 8001 -R 10.0.0.11 80
healthy "a net of containers that the inside host has, too"
for host in router server1; do
	on $host ip link delete docker0
done
portfw -D -P tcp -L 0.0.0.0 8001

# --- routes ---------------------------------------------------------------------------------------

# Two ways out, the answers by the one that the question came by; the default is the other.
on router ip link add name second type veth peer name eth1 netns "$lab-client"
on client ip link set eth1 up
lab_address router second 192.0.2.1/24
on router ip route replace default via 192.0.2.254
on router ip route add default via 198.51.100.2 table 100
on router ip rule add from 10.0.0.11 lookup 100
set_router net/ipv4/conf/outside/rp_filter 1
on client ip address add 203.0.113.77/32 dev lo
check "it works: a strict rp_filter and a rule for the answers" equals server1 \
	on client curl -gsS --max-time 5 --interface 203.0.113.77 http://198.51.100.1:8000/
check "all is well: a strict rp_filter and a rule for the answers" says "all is well" doctor
on router ip rule delete from 10.0.0.11 lookup 100
check "does not work: a strict rp_filter" fails on client curl -gsS --max-time 2 --interface 203.0.113.77 http://198.51.100.1:8000/
fault "a strict rp_filter" FAIL "a strict rp_filter"
on router ip link delete second
set_router net/ipv4/conf/outside/rp_filter 0

# This machine's own packets find no way to the server, strangers' do.
on router ip route add 10.0.0.0/24 dev inside table 101
on router ip rule add iif outside lookup 101
on router ip route delete 10.0.0.0/24 dev inside
on router ip route add unreachable 10.0.0.0/24
check "it works: a route of what comes from outside" works
check "it is no fault that this machine has none" fails finds FAIL "there is no route" portfw 198.51.100.1 8000
on router ip route delete unreachable 10.0.0.0/24
on router ip route add 10.0.0.0/24 dev inside src 10.0.0.1
on router ip rule delete iif outside lookup 101
healthy "one route for all"

# --- this machine's own filter --------------------------------------------------------------------

on router nft -f - <<-END
	table inet other { chain output { type filter hook output priority 0; policy drop; ct state established accept;
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept; }; }
END
check "it works: this machine may say nothing" works
check "that it cannot ask itself is no fault" finds warn "a filter of this machine keeps it from asking 10.0.0.11 port 80"
check "... of nobody" fails eval 'doctor | grep "^FAIL"'
on router nft delete table inet other
if command -v iptables-nft >/dev/null && on router iptables-nft -N 'a;touch b' 2>/dev/null; then
	on router iptables-nft -A 'a;touch b' -p tcp --dport 80 -j DROP
	on router iptables-nft -A FORWARD -j 'a;touch b'
	check "a name that a shell would take for a command" finds FAIL "chain a;touch b, handle"
	check "... is in no command" fails eval 'doctor | grep "mend:.*touch"'
	on router nft delete table ip filter
fi
healthy "all of it undone"
finish
