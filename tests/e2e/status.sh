#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# status: what is there, and that it is true; the same as JSON and as metrics.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx conntrack
begin 2
web_server server1

# value GROUP ITEM: what status says of it.
value() {
	adm status | awk -v group="$1" -v item="$2" '$1 == group && $2 == item { print $NF }'
}

metric() {
	adm status --prometheus | grep -F "$1" | awk '{ print $NF }'
}

check "the engine" equals 1 value engine kernel
check "NAT is supported, since forwards work" equals 1 value support nat
check "what this kernel has not is not supported" eval '
	if on router nft -c "table inet probe { chain probe { queue num 1; }; }" 2>/dev/null; then expected=1; else expected=0; fi
	equals $expected value support queue'
check "asking for that leaves nothing behind" eval 'before=$(ruleset) && adm status && equals "$before" ruleset &&
	equals "" on router nft list tables'
# What a listener hears until a change of ours, which must be the first.
hears_nothing_of_status() {
	nsenter --net="/run/netns/$lab-router" nft monitor >"$lab_scratch/monitor" 2>&1 &
	wait_until hears_netfilter router && adm status >/dev/null || return 1
	on router nft 'add table inet ours; delete table inet ours'
	wait_until grep -q "delete table inet ours" "$lab_scratch/monitor"
	kill $!
	equals "add table inet ours" head -n 1 "$lab_scratch/monitor"
}
check "nobody hears of a change of the ruleset" hears_nothing_of_status
check "forwarding is on" equals 1 value setting net.ipv4.ip_forward
on router sysctl -qw net.ipv4.ip_forward=0
check "forwarding is off" equals 0 value setting net.ipv4.ip_forward
on router sysctl -qw net.ipv4.ip_forward=1
check "no rules yet" equals 0 value rules portfw
check "a module that only edits another's rules has no line" equals "" value rules ipportfw
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80
portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.11 80
adm masq -A -S 10.0.0.0/24
check "rules are counted as save writes them" equals 3 value rules portfw
check "... by module" equals 1 value rules masq
check "no connection is translated" equals 0 value connections translated
get client http://198.51.100.1:8001/ >/dev/null
check "one is" equals 1 value connections translated
check "it is among the tracked" eval '[ "$(value connections tracked)" -ge 1 ]'
check "the limit is the kernel's" equals "$(cat /proc/sys/net/netfilter/nf_conntrack_max)" value connections limit
dropped=$(value dropped rp_filter)
on router sysctl -qw net.ipv4.conf.outside.rp_filter=1
on client ip address add 10.0.0.77/32 dev lo
on client ping -c 1 -W 1 -I 10.0.0.77 198.51.100.1 >/dev/null
check "what rp_filter dropped is counted" wait_until equals $((dropped + 1)) value dropped rp_filter
on router sysctl -qw net.ipv4.conf.outside.rp_filter=0
check "--json has the same, with numbers" eval 'adm status --json | python3 -c "import json, sys
rows = json.load(sys.stdin)[\"status\"]
assert {\"group\": \"rules\", \"item\": \"portfw\", \"value\": 3} in rows"'

check "metrics: the rules" equals 3 metric 'ipmasqadm_rules{module="portfw"}'
check "metrics: the forwards' counters are those of the listing" eval '
	equals "$(portfw -L -v -n | awk "\$4 == 8001 { print \$8 }")" metric "ipmasqadm_forward_packets_total{module=\"portfw\",protocol=\"tcp\",alias=\"198.51.100.1\",port=\"8001\""'
# Each name has one HELP and one TYPE before its lines, each series is there once, names and labels
# are as the format wants them.
check "metrics: the format is right" eval 'adm status --prometheus | python3 "$here/metrics.py"'
check "a file of metrics is made" eval 'adm status --prometheus "$lab_scratch/node.prom" &&
	python3 "$here/metrics.py" <"$lab_scratch/node.prom"'
check "it is replaced, never written to" eval 'ln "$lab_scratch/node.prom" "$lab_scratch/old" &&
	portfw -F && adm status --prometheus "$lab_scratch/node.prom" &&
	grep -q "^ipmasqadm_rules{module=\"portfw\"} 3$" "$lab_scratch/old" &&
	grep -q "^ipmasqadm_rules{module=\"portfw\"} 0$" "$lab_scratch/node.prom"'
check "a directory that is not there" fails_with 1 "cannot write" adm status --prometheus "$lab_scratch/none/file"
check "a word too many" fails_with 2 "'now'" adm status now
check "another" fails_with 2 "'b'" adm status --prometheus a b
check "an option that is none" fails_with 2 "'--yaml'" adm status --yaml
check "without the right it says which" fails_with 1 "CAP_NET_ADMIN" \
	on router setpriv --bounding-set -all --inh-caps -all "$IPMASQADM" status

# --- of ipmasqd -----------------------------------------------------------------------------------

adm flush
web_server server2
echo "portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80" >"$lab_scratch/rules"
check "ipmasqd starts" start_ipmasqd -r "$lab_scratch/rules"

user() {
	adm -e "$lab_scratch/ipmasqd.sock" "$@"
}

user_metric() {
	user status --prometheus | grep -F "$1" | awk '{ print $NF }'
}

user_value() {
	user status | awk -v group="$1" -v item="$2" '$1 == group && $2 == item { print $NF }'
}

get client http://198.51.100.1:8000/ >/dev/null
get client http://198.51.100.1:8000/ >/dev/null
check "ipmasqd's rules are counted as save writes them, by the same modules" eval '
	equals 2 user_value rules portfw && equals 0 user_value rules masq && equals "" user_value rules ipportfw'
check "ipmasqd's metrics: the engine" equals 1 user_metric 'ipmasqadm_engine_info{engine="user"}'
check "ipmasqd's metrics: the rules, by the kernel engine's name" equals 2 user_metric 'ipmasqadm_rules{module="portfw"}'
check "ipmasqd's metrics: the connections, by the kernel engine's name" equals 2 user_metric 'ipmasqadm_connections{state="translated"}'
check "ipmasqd's metrics: what was dropped, by the kernel engine's name" equals 0 user_metric 'ipmasqadm_dropped_total{reason="malformed"}'
check "ipmasqd's metrics: the packets are those of the listing" eval '
	[ "$(user_value packets from_outside)" -gt 0 ] &&
	equals "$(user_value packets from_outside)" user_metric "ipmasqadm_packets_total{hook=\"from_outside\"}"'
check "ipmasqd's metrics: the forwards' counters are those of the listing" eval '
	expected=$(user portfw -L -v -n | awk "\$3 == \"10.0.0.12\" { print \$8 }") && [ "$expected" -gt 0 ] &&
	equals "$expected" user_metric "ipmasqadm_forward_packets_total{module=\"portfw\",protocol=\"tcp\",alias=\"198.51.100.1\",port=\"8000\",mark=\"\",remote=\"\",remote_port=\"0\",inside=\"10.0.0.12\""'
check "ipmasqd's metrics: the format is right" eval 'user status --prometheus | python3 "$here/metrics.py"'
check "the file of ipmasqd's metrics is the caller's" eval 'user status --prometheus "$lab_scratch/user.prom" &&
	python3 "$here/metrics.py" <"$lab_scratch/user.prom" &&
	grep -q "^ipmasqadm_engine_info{engine=\"user\"} 1$" "$lab_scratch/user.prom"'
check "ipmasqd itself writes no file" eval '
	echo "status --prometheus $lab_scratch/theirs" |
		on router python3 -c "import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read())
s.shutdown(socket.SHUT_WR)
sys.stdout.write(s.makefile().read())" "$lab_scratch/ipmasqd.sock" | grep -q "one word too many" && [ ! -e "$lab_scratch/theirs" ]'
check "a directory that is not there, of ipmasqd's metrics" fails_with 1 "cannot write" \
	user status --prometheus "$lab_scratch/none/file"
check "a word too many for ipmasqd" fails_with 2 "'now'" user status now
stop_ipmasqd
check "without an ipmasqd no file is made" eval 'fails_with 1 "cannot reach ipmasqd" user status --prometheus "$lab_scratch/gone" &&
	[ ! -e "$lab_scratch/gone" ]'
finish
