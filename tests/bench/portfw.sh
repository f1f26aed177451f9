#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What portfw costs beside nft: every figure is a ratio of two medians of the same run.
#
#   portfw.sh DIR     DIR holds compare and traffic; ipmasqadm and nft come from PATH
#
# Prints `figure  ours  theirs  ratio  bound`.  Runs as root, in namespaces of its own.
set -eu
tools=$1
forwards=${FORWARDS:-50000}
id=ipmb$$
work=$(mktemp -d)
pids=()

cleanup() {
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	for ns in "$id" "$id"-{c,s}{o,n} "$id"-r{o,n}; do ip netns del "$ns" 2>/dev/null || true; done
	rm -rf "$work"
}
trap cleanup EXIT

in_ns() { ip netns exec "$@"; }

# figure NAME BOUND ROUNDS 'OURS' 'THEIRS' [BEFORE...]: whole processes
figure() {
	local name=$1 bound=$2
	shift 2
	printf '%-46s %s (bound %s)\n' "$name" "$(in_ns "$id" "$tools/compare" "$@")" "$bound"
}

# Two files with the same forwards, in our grammar and in nft's.
make_files() {
	awk -v n="$forwards" -v rules="$work/rules" -v nft="$work/nft" 'BEGIN {
		print "add table inet t" > nft
		print "add map inet t m { type ipv4_addr . inet_proto . inet_service : " \
			"ipv4_addr . inet_service; counter; }" > nft
		print "add element inet t m {" > nft
		for (i = 0; i < n; i++) {
			out = sprintf("198.51.%d.%d", int(i / 256) % 256, i % 256)
			inside = sprintf("10.%d.%d.%d", int(i / 65536), int(i / 256) % 256, i % 256)
			port = 1000 + i % 50000
			printf "portfw -A -P tcp -L %s %d -R %s 80\n", out, port, inside > rules
			printf "%s . tcp . %d comment \"portfw\" : %s . 80,\n", out, port, inside > nft
		}
		print "}" > nft
	}'
}

one_command() {
	local add='ipmasqadm portfw -A -P tcp -L 203.0.113.1 {} -R 10.9.9.9 {}'
	local nft='nft add element inet t m { 203.0.113.1 . tcp . {} : 10.9.9.9 . {} }'

	in_ns "$id" nft add table inet t
	in_ns "$id" nft add map inet t m '{ type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; counter; }'
	figure 'one -A / nft add element, empty' 0.5 300 "$add" "$nft"
	in_ns "$id" ipmasqadm flush
	in_ns "$id" nft delete table inet t
	in_ns "$id" nft -f "$work/nft"
	in_ns "$id" ipmasqadm restore "$work/rules"
	figure "one -A / nft add element, $forwards forwards" 0.5 300 "$add" "$nft"
	in_ns "$id" ipmasqadm restore "$work/rules"
	# Flatness: the same command in a namespace without the forwards, in turn.
	ip netns add "$id-ro"
	printf '%-46s %s (bound %s)\n' "one -A at $forwards / at 0" "$("$tools/compare" 300 \
		"ip netns exec $id $add" "ip netns exec $id-ro $add")" 1.4
	ip netns del "$id-ro"
}

whole_table() {
	in_ns "$id" nft flush ruleset
	figure "restore of $forwards / nft -f" 0.6 7 "ipmasqadm restore $work/rules" "nft -f $work/nft" \
		'nft flush ruleset' 'nft flush ruleset'
	in_ns "$id" nft -f "$work/nft"
	in_ns "$id" ipmasqadm restore "$work/rules"
	figure "-L -n of $forwards / nft list map" 0.4 7 'ipmasqadm portfw -L -n' 'nft list map inet t m'
	printf '%-46s %s KB, %s KB (bound 61440 KB)\n' 'peak memory of restore, of -L -n' \
		"$(peak ipmasqadm restore "$work/rules")" "$(peak ipmasqadm portfw -L -n)"
}

# The peak resident size of a command, KB.
peak() {
	in_ns "$id" /usr/bin/time -f %M -o "$work/peak" "$@" >/dev/null
	cat "$work/peak"
}

# lab SUFFIX: client - router - server in namespaces, 192.0.2.0/24 outside, 10.0.0.0/24 inside
lab() {
	local c=$id-c$1 r=$id-r$1 s=$id-s$1

	for ns in "$c" "$r" "$s"; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
	done
	ip link add out netns "$r" type veth peer name eth0 netns "$c"
	ip link add in netns "$r" type veth peer name eth0 netns "$s"
	ip -n "$r" addr add 192.0.2.1/24 dev out
	ip -n "$r" addr add 10.0.0.1/24 dev in
	ip -n "$c" addr add 192.0.2.2/24 dev eth0
	ip -n "$s" addr add 10.0.0.2/24 dev eth0
	ip -n "$r" link set out up
	ip -n "$r" link set in up
	ip -n "$c" link set eth0 up
	ip -n "$s" link set eth0 up
	ip -n "$c" route add default via 192.0.2.1
	ip -n "$s" route add default via 10.0.0.1
	in_ns "$r" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
	ip netns exec "$s" "$tools/traffic" serve 80 & # no function: its pid is to be the program's
	pids+=($!)
}

# ratio NAME BOUND WHAT N ROUNDS: runs WHAT in lab o and lab n in turn, ratio of the medians
ratio() {
	local i

	: > "$work/o"
	: > "$work/n"
	for ((i = 0; i < $5; i++)); do
		in_ns "$id-co" "$tools/traffic" "$3" 192.0.2.1 80 "$4" >> "$work/o"
		in_ns "$id-cn" "$tools/traffic" "$3" 192.0.2.1 80 "$4" >> "$work/n"
	done
	printf '%-46s %s %s ratio %s (bound %s)\n' "$1" "$(median "$work/o")" "$(median "$work/n")" \
		"$(echo "$(median "$work/o") $(median "$work/n")" | awk '{ printf "%.2f", $1 / $2 }')" "$2"
}

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

traffic() {
	lab o
	lab n
	in_ns "$id-ro" ipmasqadm portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.2 80
	in_ns "$id-rn" nft -f - <<-'EOF'
	table ip hand {
		chain prerouting {
			type nat hook prerouting priority dstnat;
			ip daddr 192.0.2.1 tcp dport 80 dnat to 10.0.0.2:80
		}
	}
	EOF
	sleep 0.5
	ratio 'one TCP stream, Mbyte/s / a hand-written rule' '>= 0.95' stream 4096 9
	in_ns "$id-rn" nft flush ruleset
	in_ns "$id-rn" ipmasqadm portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.2 80
	in_ns "$id-ro" ipmasqadm restore -a "$work/rules"
	ratio "new connections/s, $forwards forwards / one" '>= 0.95' connect 8000 9
}

ip netns add "$id"
make_files
one_command
whole_table
ip netns del "$id"
traffic
