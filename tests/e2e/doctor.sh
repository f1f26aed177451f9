#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The doctor finds each of many planted faults, names it and what mends it; carried out, that mends
# it.  Of a healthy gateway it says one line, whatever firewall the gateway has.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx conntrack
begin 2
web_server server1
udp_server server1 9000
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::11 80
portfw -A -P udp -L 198.51.100.1 9000 -R 10.0.0.11 9000
portfw -A -P tcp -L 0.0.0.0 8001 -R 10.0.0.11 80
adm masq -A -S 10.0.0.0/24 -o outside
. "$here/doctor-lib.sh"

check "of a healthy gateway it says one line" well "4 forwards"
check "of one forward, too" well "1 forward" portfw 198.51.100.1 8000
check "an address and a port may be one word" well "1 forward" portfw 198.51.100.1:8000 -Pt
check "of a forward of any address, asked for by one" well "1 forward" portfw 198.51.100.10 8001
check "of a forward that another one hides nothing is said" eval '
	portfw -A -P tcp -L 198.51.100.10 8001 -R 10.0.0.12 81 && finds FAIL "10.0.0.12 refuses" portfw 198.51.100.10 8001 &&
	fails finds FAIL "10.0.0.11" portfw 198.51.100.10 8001; portfw -D -P tcp -L 198.51.100.10 8001'
check "-v shows what was looked at" says "ok   service: " doctor -v
check "--json is JSON" eval 'doctor --json | python3 -c "import json, sys
rows = json.load(sys.stdin)[\"doctor\"]
assert rows and all(row[\"verdict\"] == \"ok\" for row in rows)"'
before=$(ruleset)
doctor >/dev/null
check "it changes no rule" equals "$before" ruleset

# --- faults of this machine -----------------------------------------------------------------------

set_router net/ipv4/ip_forward 0
fault "IPv4 is not forwarded" FAIL "net.ipv4.ip_forward is 0"
set_router net/ipv6/conf/all/forwarding 0
fault "IPv6 is not forwarded" FAIL "net.ipv6.conf.all.forwarding is 0"
set_router net/ipv4/conf/outside/forwarding 0
fault "the outside interface does not forward" FAIL "net.ipv4.conf.outside.forwarding is 0"

# A second way out, with the default route.
ip -n "$lab-router" link add name other type veth peer name eth1 netns "$lab-client"
ip -n "$lab-client" link set eth1 up
lab_address router other 192.0.2.1/24
ip -n "$lab-router" route add default via 192.0.2.254
check "a default route by another interface is no fault" well "4 forwards"
set_router net/ipv4/conf/outside/rp_filter 1
fault "a strict rp_filter, and the answers go elsewhere" FAIL "a strict rp_filter"
ip -n "$lab-router" link delete other
set_router net/ipv4/conf/outside/rp_filter 0

portfw -A -P tcp -L 198.51.100.10 8004 -R 10.0.0.11 80
ip -n "$lab-router" address delete 198.51.100.10/24 dev outside
fault "the address is on no interface" FAIL "198.51.100.10 is on no interface of this machine: nobody answers"
portfw -D -P tcp -L 198.51.100.10 8004
portfw -A -P tcp -L 192.0.2.1 8004 -R 10.0.0.11 80
fault_elsewhere "the address is of a net that is not here" warn "192.0.2.1 is on no interface" \
	portfw -D -P tcp -L 192.0.2.1 8004

ip -n "$lab-router" link set outside down # it loses its IPv6 addresses, too
check "found: the outside interface is down" finds FAIL "interface outside is down" portfw 198.51.100.1 8000
check "mended: the outside interface is down" mend "interface outside is down" portfw 198.51.100.1 8000
lab_address router outside 2001:db8:1::1/64 2001:db8:1::10/64
check "all is well again" wait_until well "4 forwards"
ip -n "$lab-router" link set inside down
check "found: the inside interface is down" \
	finds FAIL "interface inside to the inside host 10.0.0.11 is down" portfw 198.51.100.1 8000
check "mended: the inside interface is down" mend "is down" portfw 198.51.100.1 8000
lab_address router inside fd00:1::1/64
check "all is well again" wait_until well "4 forwards"

on router nft add table inet ipmasq '{ flags dormant; }'
fault "the table sleeps" FAIL "table inet ipmasq is dormant"
if [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]; then
	set_router net/bridge/bridge-nf-call-iptables 1
	fault "the bridge inside gets in the way of hairpins" warn "bridge inside translates"
else
	skip "the bridge inside gets in the way of hairpins" "br_netfilter is not loaded"
fi
on router bash -c "echo \$\$ >$lab_scratch/listener; exec python3 -m http.server --bind 198.51.100.1 8000" >/dev/null 2>&1 &
wait_until listens router -t 8000
fault_elsewhere "a program listens at the same port" warn "a program of this machine waits at this port" \
	eval 'kill "$(cat "$lab_scratch/listener")"'

# As many flows as the table of connections can have, of datagrams that nobody takes.
packets client flows 198.51.100.1 $(($(cat /proc/sys/net/netfilter/nf_conntrack_max) * 9 / 10)) >/dev/null
fault_elsewhere "the table of connections is nearly full" warn "connections are in use" \
	on router conntrack -F

# --- faults of the rules --------------------------------------------------------------------------

check "found: there is no such forward" finds FAIL "no forward of 198.51.100.1 port 8002" portfw 198.51.100.1 8002
check "found: there is one, of another protocol" finds FAIL "only one of tcp" portfw 198.51.100.1 8000 -P udp
check "found: there is one, of another address" finds FAIL "only of another address" portfw 198.51.100.10 8000
portfw -A -P tcp -L 198.51.100.1 21 -R 10.0.0.11 21
on server1 python3 -m http.server 21 >/dev/null 2>&1 &
wait_until listens server1 -t 21
if on router nft -c add ct helper inet ipmasq probe '{ type "ftp" protocol tcp; }' 2>/dev/null; then
	fault "FTP without its helper" warn "ftp names addresses"
else
	skip "FTP without its helper" "this kernel has none"
fi
portfw -D -P tcp -L 198.51.100.1 21

# --- faults of the inside host --------------------------------------------------------------------

portfw -A -P tcp -L 198.51.100.1 8003 -R 10.9.9.9 80
fault_elsewhere "no route to the inside host" FAIL "there is no route to the inside host 10.9.9.9" \
	portfw -D -P tcp -L 198.51.100.1 8003
portfw -A -P tcp -L 198.51.100.1 8003 -R 10.0.0.99 80
fault_elsewhere "nobody answers ARP" FAIL "10.0.0.99 does not answer ARP on inside" \
	portfw -D -P tcp -L 198.51.100.1 8003
portfw -A -P tcp -L 2001:db8:1::1 8003 -R fd00:1::99 80
fault_elsewhere "nobody answers ND" FAIL "fd00:1::99 does not answer ND on inside" \
	portfw -D -P tcp -L 2001:db8:1::1 8003
portfw -A -P tcp -L 198.51.100.1 8003 -R 10.0.0.12 80
fault_elsewhere "nothing is served there" FAIL "10.0.0.12 refuses: nothing is served at its port 80" \
	web_server server2
portfw -D -P tcp -L 198.51.100.1 8003
portfw -A -P udp -L 198.51.100.1 9003 -R 10.0.0.12 9003
fault_elsewhere "nothing is served there by UDP" FAIL "10.0.0.12 refuses: nothing is served at its port 9003" \
	udp_server server2 9003
on server1 nft -f - <<-END
	table inet own { chain input { type filter hook input priority 0; tcp dport 80 drop; }; }
END
fault_elsewhere "the server's own filter drops" FAIL "is there, but port 80 does not answer" \
	on server1 nft delete table inet own
ip -n "$lab-server1" route delete default
fault "the server has no way back" FAIL "its way back does not lead through this machine"
check "it is not asked about neighbours only" equals server1 get client http://198.51.100.1:8000/

# A second router inside: the answers of the server go there, where they are lost.
ip -n "$lab-server1" route replace default via 10.0.0.12
fault "the server's way back leads elsewhere" FAIL "its way back does not lead through this machine"

# --- faults of other tables -----------------------------------------------------------------------

# firewall: loads a table of somebody else's.
firewall() {
	on router nft -f -
}

remove_firewall() {
	on router nft delete table inet other
}

firewall <<-END
	table inet other { chain forward { type filter hook forward priority 0; ip daddr 10.0.0.11 tcp dport 80 drop; }; }
END
fault "a rule drops the packet" FAIL "table inet other, chain forward, handle 2 drops the connection"
remove_firewall
firewall <<-END
	table inet other {
		set ports { type inet_service; flags interval; elements = { 1-1023 } }
		chain web { tcp dport @ports reject with tcp reset; }
		chain forward {
			type filter hook forward priority 10; policy accept;
			ct state vmap { established : accept, related : accept, new : jump web }
		}
	}
END
fault "... behind a verdict map, in another chain, by a set of ranges" FAIL "chain web, handle"
remove_firewall
firewall <<-END
	table inet other {
		map way { type ipv4_addr . inet_service : verdict; flags interval; elements = { 10.0.0.0/24 . 1-99 : goto gone } }
		chain gone { counter; meta l4proto { tcp, udp } drop; }
		chain forward { type filter hook forward priority 0; ip daddr . tcp dport vmap @way; }
	}
END
fault "... by a map of nets and ranges of ports" FAIL "chain gone, handle"
remove_firewall
firewall <<-END
	table netdev other { chain ingress { type filter hook ingress device "outside" priority 0; tcp dport 8000 drop; }; }
END
fault "... where the packet comes in" FAIL "table netdev other, chain ingress, handle 2 drops"
on router nft delete table netdev other
firewall <<-END
	table inet other { chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; }; }
END
fault "a policy drops" FAIL "the policy of table inet other, chain forward drops the connection"
remove_firewall
firewall <<-END
	table inet other { chain forward { type filter hook forward priority 0; policy drop; iifname "outside" accept; }; }
END
fault "a policy drops the answers" FAIL "drops the inside host's answers"
remove_firewall
firewall <<-END
	table inet other { chain pre { type nat hook prerouting priority -110; tcp dport 8000 dnat ip to 10.0.0.12:80; }; }
END
fault "another table translates first" FAIL "sends the connection elsewhere before the forward has its turn"
remove_firewall
firewall <<-END
	table inet other { chain raw { type filter hook prerouting priority raw; tcp dport 8000-8010 notrack; }; }
END
fault "another table keeps it from being tracked" FAIL "out of connection tracking"
remove_firewall
firewall <<-END
	table inet other { chain forward { type filter hook forward priority 0; meta cpu 4095 tcp dport 80 drop; }; }
END
fault "what cannot be told is said to be so" warn "cannot tell: "
remove_firewall
if command -v iptables-nft >/dev/null && on router iptables-nft -A FORWARD -p tcp --dport 80 -j DROP 2>/dev/null; then
	fault "a rule of iptables drops" FAIL "table ip filter, chain FORWARD, handle"
	on router iptables-nft -I FORWARD -p tcp --dport 80 -m string --string x --algo bm -j DROP 2>/dev/null &&
		fault "an extension that cannot be told" warn "cannot tell: string"
	on router nft delete table ip filter
else
	skip "a rule of iptables drops" "no iptables-nft"
fi

# --- healthy gateways with firewalls --------------------------------------------------------------

firewall <<-END
	table inet other {
		set blocked { type ipv4_addr; flags interval; elements = { 192.0.2.0/24, 203.0.113.7 } }
		chain input { type filter hook input priority 0; policy drop; ct state established,related accept; iif lo accept; }
		chain forward {
			type filter hook forward priority 0; policy drop;
			ct state invalid drop
			ct state vmap { established : accept, related : accept }
			ip saddr @blocked drop
			ip saddr 198.18.0.0/15 drop
			meta nfproto ipv6 tcp dport { 80, 443 } accept
			iifname "outside" oifname { "inside", "lan0" } ct status dnat limit rate 1000/second accept
			iifname "inside" accept
			log prefix "dropped " limit rate 2/minute
		}
	}
END
check "a filter that lets forwards pass: one line" well "5 forwards"
remove_firewall
on router nft -f - <<-END
	table inet firewalld {
		chain mangle_PREROUTING { type filter hook prerouting priority mangle + 10; policy accept;
			jump mangle_PREROUTING_ZONES; }
		chain mangle_PREROUTING_ZONES { iifname "outside" goto mangle_PRE_public; goto mangle_PRE_public; }
		chain mangle_PRE_public { jump mangle_PRE_public_allow; }
		chain mangle_PRE_public_allow { }
		chain rpfilter { type filter hook prerouting priority mangle + 10; policy accept;
			icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept
			meta nfproto ipv6 fib saddr . mark . iif oif missing drop; }
		chain nat_PREROUTING { type nat hook prerouting priority dstnat + 10; policy accept;
			tcp dport 2222 dnat ip to 10.0.0.12:22; }
		chain filter_FORWARD { type filter hook forward priority filter + 10; policy accept;
			ct state { established, related } accept
			ct status dnat accept
			iifname "lo" accept
			ct state { invalid } drop
			ip6 daddr { ::/96, ::ffff:0.0.0.0/96, 2002::/24 } reject with icmpv6 addr-unreachable
			jump filter_FORWARD_ZONES
			reject with icmpx admin-prohibited; }
		chain filter_FORWARD_ZONES { iifname "outside" goto filter_FWD_public; goto filter_FWD_public; }
		chain filter_FWD_public { reject with icmpx admin-prohibited; }
	}
END
check "a firewall in the manner of firewalld: one line" well "5 forwards"
on router nft delete table inet firewalld
if command -v iptables-nft >/dev/null; then
	check "a firewall of iptables-nft: one line" eval 'on router iptables-nft -P FORWARD DROP &&
		on router iptables-nft -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT &&
		on router iptables-nft -A FORWARD -m conntrack --ctstate DNAT -j ACCEPT &&
		on router iptables-nft -t nat -N DOCKER &&
		on router iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER &&
		on router iptables-nft -t nat -A DOCKER ! -i docker0 -p tcp --dport 8443 -j DNAT --to-destination 172.17.0.2:443 &&
		on router ip6tables-nft -A FORWARD -m comment --comment all -j ACCEPT && well "5 forwards"'
	check "the forwards work with it" equals server1 get client http://198.51.100.1:8000/
	on router nft delete table ip filter
	on router nft delete table ip nat
	on router nft delete table ip6 filter
fi

if command -v iptables-legacy >/dev/null && on router iptables-legacy -S >/dev/null 2>&1; then
	check "the old interface without a rule is nothing" well "5 forwards"
	on router iptables-legacy -A FORWARD -p tcp --dport 99 -j DROP
	fault_elsewhere "a rule by the old interface cannot be examined" warn "rules of iptables-legacy are in its table filter" \
		on router iptables-legacy -F FORWARD
	on router iptables-legacy -P FORWARD DROP
	fault_elsewhere "... nor a policy" warn "rules of iptables-legacy are in its table filter" \
		on router iptables-legacy -P FORWARD ACCEPT
	on router ip6tables-legacy -A FORWARD -p tcp --dport 99 -j DROP
	fault_elsewhere "... nor one of IPv6" warn "rules of ip6tables-legacy are in its table filter" \
		on router ip6tables-legacy -F FORWARD
else
	skip "the old interface" "no iptables-legacy"
fi
check "without /proc/sys it is not known whether the machine forwards" says "net.ipv4.ip_forward cannot be read" \
	on router unshare --mount bash -c "mount -t tmpfs none /proc/sys && '$IPMASQADM' doctor"

# --- words ----------------------------------------------------------------------------------------

check "a module that it does not look at" refuses 2 "'mfw'" doctor mfw 1
check "an address without a port" refuses 2 "a port is needed" doctor portfw 198.51.100.1
check "no address" refuses 2 "LADDR and LPORT" doctor portfw
check "two ports" refuses 2 "one word too many" doctor portfw 198.51.100.1:80 80
check "a port that is none" refuses 2 "'80x'" doctor portfw 198.51.100.1 80x
check "a protocol that is none" refuses 2 "'icmp'" doctor portfw 198.51.100.1 80 -P icmp
check "a word too many" refuses 2 "'now'" doctor portfw 198.51.100.1 80 now
check "a thousand forwards are still one line" eval 'for ((i = 0; i < 1000; i++)); do
		echo "portfw -A -P tcp -L 198.51.100.10 $((10000 + i)) -R 10.0.0.11 80"; done >"$lab_scratch/many" &&
	adm restore "$lab_scratch/many" && says "all is well with 64 forwards of 1000" doctor'
check "without forwards all is well, too" eval 'clear_rules && well "0 forwards"'
finish
