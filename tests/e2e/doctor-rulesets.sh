#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The doctor reads other people's rulesets as the kernel does: each is loaded, a connection is tried,
# and what the doctor says has to be what became of the connection.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 2
web_server server1
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
. "$here/doctor-lib.sh"

works() {
	equals server1 get client http://198.51.100.1:8000/
}

# load RULESET: on the router; what a table is called decides nothing.
load() {
	on router nft -f - <<<"$1"
}

# All tables but our own, and the marks that connections have kept.
unload() {
	on router nft list tables | grep -vx "table inet ipmasq" | sed 's/^/delete /' | on router nft -f -
	forget_flows
}

# passes SENTENCE RULESET: the connection passes, and the doctor has nothing to say.
passes() {
	local sentence=$1

	if ! load "$2" 2>"$lab_scratch/refused"; then
		skip "$sentence" "$(head -n 1 "$lab_scratch/refused")"
		return
	fi
	check "passes: $sentence" works
	check "all is well: $sentence" well "1 forward"
	unload
}

# drops SENTENCE TEXT RULESET: it does not pass, the doctor says so, and what it says mends it.
drops() {
	local sentence=$1 text=$2

	if ! load "$3" 2>"$lab_scratch/refused"; then
		skip "$sentence" "$(head -n 1 "$lab_scratch/refused")"
		return
	fi
	check "does not pass: $sentence" fails works
	check "found: $sentence" finds FAIL "$text"
	check "mended: $sentence" eval 'mend "$text" && forget_flows && works'
	check "all is well again: $sentence" well "1 forward"
	unload
}

# doubts SENTENCE TEXT RULESET: no fault, but a warning that has the text.
doubts() {
	local sentence=$1 text=$2

	if ! load "$3" 2>"$lab_scratch/refused"; then
		skip "$sentence" "$(head -n 1 "$lab_scratch/refused")"
		return
	fi
	check "a doubt: $sentence" finds warn "$text"
	check "... and no fault: $sentence" fails eval 'doctor | grep "^FAIL"'
	unload
}

# --- sets and maps --------------------------------------------------------------------------------

drops "what a map has for everything else" "handle" '
	table inet other { chain forward { type filter hook forward priority 0; tcp dport vmap { 22 : accept, * : drop }; }; }'
passes "a map accepts everything else" '
	table inet other { chain forward { type filter hook forward priority 0; policy drop;
		ct state established,related accept; tcp dport vmap { 22 : drop, * : accept }; }; }'
drops "everything else, in a map of ranges" "handle" '
	table inet other { chain forward { type filter hook forward priority 0;
		ip daddr vmap { 10.0.0.128/25 : accept, 192.0.2.0/24 : accept, * : drop }; }; }'
passes "all addresses, as ranges and nets" '
	table inet other { chain forward { type filter hook forward priority 0; policy drop;
		ct state established,related accept
		ip saddr 1.0.0.0-223.255.255.255 ip saddr { 0.0.0.0/1, 128.0.0.0/1 } accept; }; }'
passes "strangers by a map of nets" '
	table inet other {
		chain wan { ct status dnat accept; }
		chain forward { type filter hook forward priority 0; policy drop;
			ct state established,related accept
			ip saddr vmap { 10.0.0.0/8 : drop, 192.168.0.0/16 : drop, 11.0.0.0-127.255.255.255 : jump wan, 192.0.0.0-192.167.255.255 : jump wan, 192.169.0.0-223.255.255.255 : jump wan }; }; }'
passes "everybody at a port, as a concatenation" '
	table inet other {
		set open { type ipv4_addr . inet_service; flags interval; elements = { 0.0.0.0/0 . 80 } }
		chain forward { type filter hook forward priority 0; policy drop;
			ct state established,related accept; ip saddr . tcp dport @open accept; }; }'
doubts "only some sources may" "but for some sources" '
	table inet other { chain forward { type filter hook forward priority 0; tcp dport 80 ip saddr != { 203.0.113.5, 198.51.100.2 } drop; }; }'
{
	echo "table inet other { set many { type ipv4_addr; flags interval; elements = {"
	for ((i = 0; i < 100000; i++)); do
		echo "172.$((16 + i / 25600 % 16)).$((i / 100 % 256)).$((i % 100 * 2)),"
	done
	echo "}; }; chain forward { type filter hook forward priority 0; ip daddr @many drop; ip saddr @many drop; }; }"
} >"$lab_scratch/many"
check "a set of 100,000 addresses" eval 'on router nft -f "$lab_scratch/many" && works && well "1 forward"'
unload

# --- jumps ----------------------------------------------------------------------------------------

drops "a rule behind a jump without a name" "handle" '
	table inet other { chain forward { type filter hook forward priority 0; tcp dport 80 jump { counter; drop; }; }; }'
name=$(printf 'a%.0s' {1..200})
drops "a chain with a name of 200 letters" "handle" "
	table inet other { chain $name { drop; }; chain forward { type filter hook forward priority 0; tcp dport 80 jump $name; }; }"
passes "a chain that perhaps is come to lets the packet return" '
	table inet other {
		chain some { tcp dport 80 return; tcp sport 80 return; drop; }
		chain forward { type filter hook forward priority 0; meta cpu 4095 jump some; }; }'
drops "behind goto and return" "chain last, handle" '
	table inet other {
		chain last { drop; }
		chain first { tcp dport 443 accept; return; }
		chain forward { type filter hook forward priority 0; jump first; goto last; accept; }; }'
{
	echo "table inet other { chain last { "
	for ((i = 0; i < 500; i++)); do echo "ip saddr 192.0.2.1 meta cpu 4095 accept;"; done
	echo "drop; }"
	next=last
	for ((i = 0; i < 9; i++)); do
		echo "chain c$i { meta cpu 4094 jump $next; meta cpu 4095 jump $next; meta cpu 4093 jump $next; meta cpu 4092 jump $next; }"
		next=c$i
	done
	echo "chain forward { type filter hook forward priority 0; jump $next; tcp dport 80 drop; }; }"
} >"$lab_scratch/deep"
if on router timeout 60 nft -f "$lab_scratch/deep" 2>/dev/null; then
	check "a million ways are not all followed, which is said, soon" eval 'SECONDS=0; finds warn "were not followed" && [ $SECONDS -le 3 ]'
	unload
else
	skip "a million ways are not all followed" "the kernel does not take them"
fi

# --- marks ----------------------------------------------------------------------------------------

passes "a mark that some sources get" '
	table inet other {
		chain mangle { type filter hook prerouting priority mangle; ip saddr { 192.0.2.0/24, 203.0.113.7 } meta mark set 7; }
		chain forward { type filter hook forward priority 0; meta mark 7 drop; }; }'
doubts "a mark that cannot be told" "cannot tell" '
	table inet other {
		chain mangle { type filter hook prerouting priority mangle; meta cpu 0 meta mark set 7; }
		chain forward { type filter hook forward priority 0; meta mark 7 drop; }; }'
drops "a mark of the packet" "handle" '
	table inet other {
		chain mangle { type filter hook prerouting priority mangle; iifname outside meta mark set meta mark or 0x10; }
		chain forward { type filter hook forward priority 0; meta mark and 0x10 == 0x10 drop; }; }'
drops "a mark of the connection, of which the packet has it again" "handle" '
	table inet other {
		chain mangle { type filter hook prerouting priority mangle; ct state new iifname outside ct mark set 5; }
		chain forward { type filter hook forward priority 0; meta mark set ct mark; meta mark 5 drop; }; }'
passes "answers by the mark that the connection got" '
	table inet other {
		chain mangle { type filter hook prerouting priority mangle; ct state new iifname outside ct mark set 5; }
		chain forward { type filter hook forward priority 0; policy drop; ct mark 5 accept; }; }'

# --- limits ---------------------------------------------------------------------------------------

passes "limits and quotas by name that are not used up" '
	table inet other {
		limit flood { rate over 1000/second; }
		limit enough { rate 1000/second burst 1000 packets; }
		quota much { over 1000 mbytes; }
		chain forward { type filter hook forward priority 0; policy drop;
			limit name flood drop; quota name much drop; limit name enough accept; }; }'
drops "a quota that is used up" "handle" '
	table inet other { chain forward { type filter hook forward priority 0; tcp dport 80 quota over 10 bytes drop; }; }'
drops "a quota by name that is used up" "handle" '
	table inet other {
		quota little { over 10 bytes; }
		chain forward { type filter hook forward priority 0; tcp dport 80 quota name little drop; }; }'
passes "a limit for each source, with a counter" '
	table inet other {
		set seen { type ipv4_addr; size 1000; flags dynamic; counter; limit rate over 1000/second; }
		chain forward { type filter hook forward priority 0; add @seen { ip saddr } drop; }; }'

# --- hooks ----------------------------------------------------------------------------------------

passes "connections are tracked in any chain of forward" '
	table inet other { chain forward { type filter hook forward priority raw; policy drop; ct state established accept; ct status dnat accept; }; }'
drops "an ingress of several interfaces" "chain ingress, handle" '
	table netdev other { chain ingress { type filter hook ingress devices = { outside, inside } priority 0; tcp dport 8000 drop; }; }'
drops "an egress" "chain egress, handle" '
	table netdev other { chain egress { type filter hook egress device inside priority 0; ip daddr 10.0.0.11 tcp dport 80 drop; }; }'
drops "a bridge that drops what is routed to its hosts" "table bridge other" '
	table bridge other { chain output { type filter hook output priority 0; ether type ip ip daddr 10.0.0.11 tcp dport 80 drop; }; }'
passes "a bridge that drops what is not ours" '
	table bridge other {
		chain input { type filter hook input priority 0; ether type arp accept; ether type ip ip saddr 192.0.2.0/24 drop; ether type 0x88cc drop; }
		chain output { type filter hook output priority 0; ether type ip tcp dport 81 drop; }; }'
passes "behind the translation the address is not this machine's" '
	table inet other { chain pre { type filter hook prerouting priority -50; iifname outside fib daddr type local drop; }; }'
passes "behind the translation of the answers their source is the outside address" '
	table inet other { chain post { type filter hook postrouting priority 200; oifname outside ip saddr 10.0.0.0/8 drop; }; }'
drops "there is no interface to leave by in prerouting" "handle" '
	table inet other { chain pre { type filter hook prerouting priority mangle; tcp dport 8000 oifname != "inside" drop; }; }'
# --- the packet -----------------------------------------------------------------------------------

passes "nothing is odd about the packet" '
	table inet other { chain pre { type filter hook prerouting priority mangle;
		ip ttl < 5 drop; meta length > 1500 drop; ip length < 28 drop
		tcp option maxseg size 1-500 drop; tcp window < 100 tcp flags syn drop; ip option lsrr exists drop
		ip frag-off & 0x3fff != 0 drop; tcp flags & (fin|syn) == (fin|syn) drop; tcp flags & (fin|syn|rst|psh|ack|urg) == 0x0 drop
		ct state new tcp flags & (fin|syn|rst|ack) != syn drop
		ip6 hoplimit < 5 drop; exthdr frag exists drop; meta skuid 0 drop; ip dscp cs7 drop; }; }'
passes "the size of segments is clamped" '
	table inet other { chain forward { type filter hook forward priority mangle; tcp flags syn tcp option maxseg size set rt mtu; }; }'
drops "a limit of the packet's size that a first packet exceeds" "handle" '
	table inet other { chain forward { type filter hook forward priority mangle; tcp dport 80 meta length > 45 drop; }; }'

# --- iptables -------------------------------------------------------------------------------------

# iptables COMMANDS: one a line, without the program's name; a table of its making for passes, drops.
iptables_load() {
	local line

	while read -r line; do
		[ -z "$line" ] || eval "on router iptables-nft $line" || return 1
	done <<<"$1"
}

if command -v iptables-nft >/dev/null && on router iptables-nft -S >/dev/null 2>&1; then
	load() {
		iptables_load "$1"
	}
	passes "ufw" '
		-P FORWARD DROP
		-N ufw-before-forward
		-N ufw-user-forward
		-N ufw-logging-deny
		-N ufw-reject-forward
		-A FORWARD -j ufw-before-forward
		-A FORWARD -j ufw-reject-forward
		-A ufw-before-forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A ufw-before-forward -p icmp --icmp-type destination-unreachable -j ACCEPT
		-A ufw-before-forward -m conntrack --ctstate INVALID -j ufw-logging-deny
		-A ufw-before-forward -j ufw-user-forward
		-A ufw-logging-deny -m conntrack --ctstate INVALID -m limit --limit 3/min --limit-burst 10 -j RETURN
		-A ufw-logging-deny -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
		-A ufw-user-forward -i outside -o inside -d 10.0.0.11 -p tcp -m multiport --dports 80,443 -j ACCEPT
		-A ufw-reject-forward -j REJECT'
	passes "docker" '
		-P FORWARD DROP
		-N DOCKER-USER
		-N DOCKER-ISOLATION
		-N DOCKER
		-A FORWARD -j DOCKER-USER
		-A FORWARD -j DOCKER-ISOLATION
		-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A FORWARD -o docker0 -j DOCKER
		-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
		-A DOCKER-ISOLATION -i docker0 ! -o docker0 -j RETURN
		-A DOCKER-USER -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A DOCKER-USER -i outside -m conntrack --ctstate NEW --ctorigdstport 8000 --ctdir ORIGINAL -j ACCEPT
		-A DOCKER-USER -j RETURN
		-t nat -N DOCKER
		-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
		-t nat -A DOCKER -i docker0 -j RETURN
		-t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 172.17.0.2:443
		-t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE'
	passes "marks, policies, kinds and rates" '
		-t mangle -A PREROUTING -i outside -j MARK --set-xmark 0x4/0xff
		-t mangle -A PREROUTING -m mark --mark 0x4/0xff -j CONNMARK --save-mark
		-t mangle -A FORWARD -j CONNMARK --restore-mark
		-t mangle -A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
		-A FORWARD -m pkttype --pkt-type broadcast -j DROP
		-A FORWARD -m policy --dir in --pol ipsec -j DROP
		-A FORWARD -m ttl --ttl-lt 5 -j DROP
		-A FORWARD -m length --length 2000:65535 -j DROP
		-A FORWARD -m mark ! --mark 0x4/0xff -j DROP
		-A FORWARD -m connmark ! --mark 0x4 -j DROP
		-A FORWARD -m helper --helper ftp -j DROP
		-A FORWARD -m iprange --src-range 192.0.2.1-192.0.2.9 -j DROP
		-A FORWARD -m hashlimit --hashlimit-above 1000/sec --hashlimit-mode srcip --hashlimit-name a -j DROP
		-A FORWARD -m connlimit --connlimit-above 100 -j DROP
		-A FORWARD -m recent --name b --update --seconds 9 --hitcount 9 -j DROP
		-A FORWARD -m recent --name b --set'
	drops "a mark of iptables" "chain FORWARD, handle" '
		-t mangle -A PREROUTING -i outside -j MARK --set-xmark 0x4/0xff
		-A FORWARD -p tcp --dport 80 -m mark --mark 0x4/0xff -j DROP'
	drops "one of several ports" "chain FORWARD, handle" '
		-A FORWARD -p tcp -m multiport --dports 22,79:81 -j DROP'
	drops "a policy of iptables" "the policy of table ip filter, chain FORWARD" '
		-P FORWARD DROP
		-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A FORWARD -p tcp -m multiport ! --dports 80,443 -j ACCEPT'
	drops "a connection that is not tracked" "out of connection tracking" '
		-t raw -A PREROUTING -i outside -p tcp --dport 8000 -j CT --notrack'
	check "what mends iptables is iptables" eval '
		iptables_load "-A FORWARD -p tcp --dport 80 -j DROP" && mend "chain FORWARD, handle" &&
		on router iptables-nft -S FORWARD | grep -q -- "-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT" && works && well "1 forward"'
	unload
	doubts "a target that cannot be told" "cannot tell: IDLETIMER" '
		-A FORWARD -p tcp --dport 80 -j IDLETIMER --timeout 9 --label doctor'
	doubts "a program is handed it, and the policy is not met" "hands the connection to a program" '
		-P FORWARD DROP
		-A FORWARD -j NFQUEUE --queue-num 77 --queue-bypass'
else
	skip "firewalls of iptables" "no iptables-nft"
fi
finish
