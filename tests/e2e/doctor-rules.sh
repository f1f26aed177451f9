#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The doctor looks at rules of every module: ranges, pools, marks, addresses, protocols and proxies.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 2
web_server server1
web_server server2
udp_server server1 9000
adm masq -A -S 10.0.0.0/24 -o outside
. "$here/doctor-lib.sh"

mark_rule() {
	on router nft add table inet other
	on router nft add chain inet other marks '{ type filter hook prerouting priority mangle; }'
	on router nft add rule inet other marks "$@"
}

unmark() {
	on router nft delete table inet other
}

# --- ranges ---------------------------------------------------------------------------------------

adm autofw -A -r tcp 80 90 -h 10.0.0.11
check "a range of ports" well "1 forward"
check "... of which the first is not served" eval 'adm autofw -A -r tcp 6000 6010 -h 10.0.0.11 && well "2 forwards"'
check "... of which one is asked for" well "1 forward" portfw 198.51.100.1 80
check "... of which one that is asked for is not served" finds FAIL "10.0.0.11 refuses: nothing is served at its port 6005" \
	portfw 198.51.100.1 6005
check "... has its name" says "tcp 0.0.0.0 80-90 to 10.0.0.11: " doctor -v
check "a port beside the range" finds FAIL "there is no forward of 198.51.100.1 port 6011" portfw 198.51.100.1 6011
adm autofw -A -r udp 7000 7010 -h 10.0.0.99
check "a range to a host that is not there" finds FAIL "10.0.0.99 does not answer ARP on inside"
check "... by its name" says "udp 0.0.0.0 7000-7010 to 10.0.0.99: 10.0.0.99 does not answer ARP" eval 'doctor; true'
adm autofw -D -r udp 7000 7010 -h 10.0.0.99
on router nft -f - <<-END
	table inet other { chain forward { type filter hook forward priority 0; policy drop;
		ct state established,related accept; ip daddr 10.0.0.11 tcp dport { 80, 6000 } accept; }; }
END
check "a filter that has some ports of a range open" well "2 forwards"
check "... and not the one that is asked for" finds FAIL "the policy of table inet other, chain forward" portfw 198.51.100.1 6005
unmark
adm autofw -A -p tcp 8080 10.0.0.12:80
check "one visible port, by autofw" well "1 forward" portfw 198.51.100.1 8080
check "portfw goes before autofw" eval 'portfw -A -P tcp -L 198.51.100.1 8080 -R 10.0.0.11 81 &&
	finds FAIL "10.0.0.11 refuses: nothing is served at its port 81" portfw 198.51.100.1 8080 &&
	fails says "10.0.0.12" doctor portfw 198.51.100.1 8080 -v'
clear_rules

# --- pools ----------------------------------------------------------------------------------------

portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80
check "a pool" well "2 forwards" portfw 198.51.100.1 8000
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 82
check "one server of a pool does not serve" finds FAIL \
	"tcp 198.51.100.1 8000 to 10.0.0.12 82: 10.0.0.12 refuses" portfw 198.51.100.1 8000
check "... of which one line is said" equals 1 eval 'doctor portfw 198.51.100.1 8000 | wc -l'
clear_rules

# --- marks ----------------------------------------------------------------------------------------

adm mfw -A -m 1 -r 10.0.0.11 80
check "a mark that nobody sets" finds FAIL "mark 0x1 to 10.0.0.11 80: no rule sets the mark 0x1"
mark_rule ip daddr 198.51.100.1 tcp dport 8000 meta mark set 1
check "it works: a mark that is set" equals server1 get client http://198.51.100.1:8000/
check "a mark that is set" well "1 forward"
unmark
mark_rule tcp dport 8000 meta mark set 2
check "a mark that is another" finds FAIL "no rule sets the mark 0x1"
unmark
mark_rule iifname '"inside"' ip saddr 10.0.0.0/24 meta mark set 1
check "a mark of what comes from inside" well "1 forward"
unmark
mark_rule meta mark set tcp dport map '{ 8000 : 1, 8001 : 2 }'
check "a mark by a map of ports cannot be told" finds warn "no rule is seen to set the mark 0x1"
unmark
on router nft -f - <<-END
	table inet other { chain late { type filter hook forward priority mangle; tcp dport 8000 meta mark set 1; }; }
END
check "a mark that is set too late" finds FAIL "no rule sets the mark 0x1"
unmark
if on router tc qdisc add dev outside clsact 2>/dev/null; then
	check "a mark that tc may set cannot be told" finds warn "no rule is seen to set the mark 0x1"
	on router tc qdisc delete dev outside clsact
fi
if command -v iptables-nft >/dev/null &&
	on router iptables-nft -t mangle -A PREROUTING -p tcp --dport 8000 -j MARK --set-mark 1 2>/dev/null; then
	check "a mark that iptables sets" well "1 forward"
	on router nft delete table ip mangle
fi
mark_rule meta mark set 1
adm mfw -A -m 1 -r 10.0.0.99
check "a host of a mark is not there" finds FAIL "mark 0x1 to 10.0.0.99: 10.0.0.99 does not answer ARP"
adm mfw -D -m 1 -r 10.0.0.99
check "a host of a mark, and its own port" eval 'adm mfw -A -m 1 -r 10.0.0.12 && well "2 forwards"'
unmark
clear_rules

# --- addresses and protocols ----------------------------------------------------------------------

adm addrfw -A -L 198.51.100.10 -R 10.0.0.12
check "an address for another" well "1 forward"
check "... of which a port is asked for" well "1 forward" portfw 198.51.100.10 80 -P tcp
check "... that is not served" finds FAIL "10.0.0.12 refuses: nothing is served at its port 99" portfw 198.51.100.10 99 -P tcp
adm addrfw -A -L 198.51.100.1 -R 10.0.0.99 -P gre
check "a protocol to a host that is not there" finds FAIL "10.0.0.99 does not answer ARP"
adm addrfw -D -L 198.51.100.1 -R 10.0.0.99 -P gre
adm addrfw -A -L 198.51.100.1 -R 10.9.9.9 -P 47
check "a protocol to a host to which there is no route" finds FAIL "there is no route to the inside host 10.9.9.9"
adm addrfw -D -L 198.51.100.1 -R 10.9.9.9 -P 47
on router nft -f - <<-END
	table inet other { chain forward { type filter hook forward priority 0; policy drop;
		ct state established,related accept; ip daddr 10.0.0.12 tcp dport 80 accept; }; }
END
check "a filter that has some ports of an address open" well "1 forward"
unmark
on router nft -f - <<-END
	table inet other { chain forward { type filter hook forward priority 0; ip daddr 10.0.0.12 drop; }; }
END
check "a filter that drops all of an address" finds FAIL "table inet other, chain forward, handle 2 drops the connection"
check "... is mended" eval 'mend "chain forward, handle" && well "1 forward"'
unmark
clear_rules

# --- proxies --------------------------------------------------------------------------------------

adm proxy -A port 80 server 10.0.0.11:80 proto tcp src 10.0.0.12
check "a proxy" well "1 forward"
adm proxy -A port 81 server 10.0.0.11:3128 proto tcp src 10.0.0.12
check "a proxy that does not serve" finds FAIL "tcp 81 by proxy 10.0.0.11 3128: 10.0.0.11 refuses"
clear_rules
adm proxy -A port 81 server 198.51.100.2:3128 proto tcp
check "a proxy outside" finds FAIL "198.51.100.2 refuses: nothing is served at its port 3128"
clear_rules

# --- all of them ----------------------------------------------------------------------------------

{
	echo "masq -A -S 10.0.0.0/24 -o outside"
	echo "autofw -A -r tcp 80 90 -h 10.0.0.11"
	echo "autofw -A -r udp 7000 7010 -c tcp 7777"
	echo "autofw -A -d udp 5000 5010"
	echo "addrfw -A -L 198.51.100.10 -R 10.0.0.12"
	echo "proxy -A port 80 server 10.0.0.11:80 proto tcp src 10.0.0.12"
	echo "mfw -A -m 1 -r 10.0.0.11 80"
} >"$lab_scratch/all"
adm restore "$lab_scratch/all"
mark_rule tcp dport 8000 meta mark set 1
check "all modules: one line, within two seconds" eval 'SECONDS=0; well "4 forwards" && [ $SECONDS -le 2 ]'
check "-v says of the mark" says "mark 0x1 to 10.0.0.11 80: a rule sets the mark 0x1" doctor -v
check "-v says of the address" says "all 198.51.100.10 to 10.0.0.12: 10.0.0.12 is there" doctor -v
finish
