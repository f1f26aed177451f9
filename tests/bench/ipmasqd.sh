#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What ipmasqd costs beside the kernel's masquerading, socat and slirp4netns: ratios of medians of
# one run, in which the two sides take turns.
#
#   ipmasqd.sh DIR [WHAT...]     DIR holds traffic; the programs come from PATH
#
# WHAT: stream, packets, connections, forwarder, tun, changes, memory; all of them if none is named.
# Prints `figure  ours  theirs  ratio  bound`.  Runs as root, in namespaces of its own; ROUNDS (5).
set -eu
tools=$1
shift
rounds=${ROUNDS:-5}
id=ipmb$$
inside=$id-i router=$id-r outside=$id-o slirp=$id-s
work=$(mktemp -d)
chmod 755 "$work"
socket=$work/sock
pids=()

cleanup() {
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	for ns in "$inside" "$router" "$outside" "$slirp"; do
		for pid in $(ip netns pids "$ns" 2>/dev/null); do kill "$pid" 2>/dev/null || true; done
		ip netns del "$ns" 2>/dev/null || true
	done
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

in_ns() { ip netns exec "$@"; }

# inside 10.0.0.2 - router - outside 192.0.2.2, and beside them a namespace for slirp4netns.
lab() {
	local ns

	for ns in "$inside" "$router" "$outside" "$slirp"; do
		ip netns add "$ns"
		ip -n "$ns" link set lo up
	done
	ip link add in netns "$router" type veth peer name eth0 netns "$inside"
	ip link add out netns "$router" type veth peer name eth0 netns "$outside"
	ip -n "$router" addr add 10.0.0.1/24 dev in
	ip -n "$router" addr add 192.0.2.1/24 dev out
	ip -n "$inside" addr add 10.0.0.2/24 dev eth0
	ip -n "$outside" addr add 192.0.2.2/24 dev eth0
	ip -n "$router" link set in up
	ip -n "$router" link set out up
	ip -n "$inside" link set eth0 up
	ip -n "$outside" link set eth0 up
	ip -n "$inside" route add default via 10.0.0.1
	in_ns "$router" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
	in_ns "$outside" iperf3 -s -D >/dev/null
	in_ns "$outside" "$tools/traffic" serve 80 &
	pids+=($!)
	echo "masq -A -S 10.0.0.0/24" >"$work/rules"
	: >"$work/no-rules"
}

# --- what is measured: each side's `on` and `off` on the router -----------------------------------

kernel_on() { in_ns "$router" ipmasqadm masq -A -S 10.0.0.0/24; }
kernel_off() { in_ns "$router" ipmasqadm flush; }

# Starts a program on the router in the background and waits for a word of it.
start() {
	local word=$1 try

	shift
	ip netns exec "$router" "$@" >"$work/log" 2>&1 & # no function: its pid is to be the program's
	started=$!
	for ((try = 0; try < 100; try++)); do
		grep -q "$word" "$work/log" && return
		sleep 0.05
	done
	cat "$work/log"
	return 1
}

stop() {
	kill "$started"
	wait "$started" || true
}

user_on() { start translating: ipmasqd -f -i out -r "$work/rules" -s "$socket"; }
user_off() { stop; }

tun_on() {
	start translating: ipmasqd -f -i out -t nat0 -r "$work/rules" -s "$socket"
	ip -n "$router" route add default dev nat0 table 77
	for protocol in tcp udp icmp; do
		ip -n "$router" rule add pref 10 iif out ipproto $protocol lookup 77
	done
	ip -n "$router" rule add pref 20 lookup local
	ip -n "$router" rule del pref 0
	ip -n "$router" rule add pref 30 iif in lookup 77
}

tun_off() {
	stop
	ip -n "$router" rule add pref 0 lookup local
	for pref in 10 10 10 20 30; do ip -n "$router" rule del pref $pref; done
}

socat_on() {
	ip netns exec "$router" socat TCP-LISTEN:5201,fork,reuseaddr TCP:192.0.2.2:5201 &
	started=$!
	sleep 0.3
}
socat_off() { stop; }

slirp_on() {
	start 'received tapfd' slirp4netns -c -m 65520 --netns-type=path "/run/netns/$slirp" tap0
	sleep 0.5
}
slirp_off() { stop; }

# --- how -------------------------------------------------------------------------------------------

# Mbit/s of one TCP stream: stream NAMESPACE ADDRESS
stream() {
	timeout 30 ip netns exec "$1" iperf3 -c "$2" -t 3 -f m --connect-timeout 3000 |
		awk '/receiver/ { print $7 }'
}

# Datagrams of 64 bytes on the wire that arrive in a second.
packets() {
	timeout 30 ip netns exec "$1" iperf3 -c "$2" -u -b 0 -l 36 -t 3 -J --connect-timeout 3000 |
		tr -d ' \t,' | awk -F: '/"end"/ { end = 1 } end && /"sum"/ { sum = 1 }
			sum && /"seconds"/ { s = $2 } sum && /"lost_packets"/ { lost = $2 }
			sum && /"packets"/ { n = $2; sum = 0; print int((n - lost) / s); exit }'
}

# New TCP connections a second, of eight clients together.
connections() {
	local i

	for ((i = 0; i < 8; i++)); do
		timeout 60 ip netns exec "$1" "$tools/traffic" connect "$2" 80 3000 >"$work/connect$i" &
		running[i]=$!
	done
	wait "${running[@]}"
	cat "$work"/connect[0-7] | awk '{ n += $1 } END { print int(n) }'
}

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# measure WHAT SIDE NAMESPACE ADDRESS: one figure more in the side's file
measure() {
	"$2_on"
	"$1" "$3" "$4" >>"$work/$2"
	"$2_off"
}

# ratio FIGURE BOUND WHAT OURS THEIRS [NAMESPACE ADDRESS]: theirs is measured there
ratio() {
	local i

	: >"$work/$4"
	: >"$work/$5"
	for ((i = 0; i < rounds; i++)); do
		measure "$3" "$4" "$inside" 192.0.2.2
		measure "$3" "$5" "${6:-$inside}" "${7:-192.0.2.2}"
	done
	printf '%-48s %s %s ratio %s (bound %s)\n' "$1" "$(median "$work/$4")" "$(median "$work/$5")" \
		"$(echo "$(median "$work/$4") $(median "$work/$5")" |
			awk '{ printf "%.2f", $1 / $2 }')" "$2"
}

# status WORD...: a figure of ipmasqd's status, by the item's name
status() {
	ipmasqadm -e "$socket" status | awk -v name="$1" '$2 == name { print $3 }'
}

changes() {
	local i before after

	for ((i = 0; i < 500; i++)); do
		echo "portfw -A -P tcp -L 192.0.2.1 $((2000 + i)) -R 10.0.0.2 80"
		echo "portfw -D -P tcp -L 192.0.2.1 $((2000 + i))"
	done >"$work/changes"
	user_on
	in_ns "$inside" iperf3 -c 192.0.2.2 -t 8 -b 5G -f m >"$work/flow" &
	i=$!
	sleep 1
	before=$(date +%s%N)
	socat -t 30 - "UNIX:$socket" <"$work/changes" >"$work/answers"
	after=$(date +%s%N)
	wait $i
	printf '%-48s %s of 1000 in %d ms, at %s Mbit/s; lost: %s in queues, %s refused, %s failed (bound 0)\n' \
		'rule changes while a stream flows' "$(grep -c '^end 0' "$work/answers")" \
		$(((after - before) / 1000000)) "$(awk '/receiver/ { print $7 }' "$work/flow")" \
		"$(status queue_full)" "$(status refused)" "$(status failed)"
	user_off
}

memory() {
	local idle bulk

	user_on
	sleep 1
	idle=$(status memory)
	stream "$inside" 192.0.2.2 >/dev/null
	bulk=$(status memory)
	printf '%-48s %d KB idle, %d KB after a stream (bound 4096 KB + links)\n' 'resident memory' \
		$((idle / 1024)) $((bulk / 1024))
	user_off
}

run() {
	case $1 in
	stream) ratio 'one TCP stream, Mbit/s / kernel masquerading' '>= 0.5' stream user kernel ;;
	packets) ratio 'UDP of 64 bytes, packets/s / kernel' '>= 0.6' packets user kernel ;;
	connections) ratio 'new connections/s / kernel' '>= 10000 a second' connections user kernel ;;
	forwarder) ratio 'one TCP stream, Mbit/s / socat' '>= 3' stream user socat "$inside" 10.0.0.1 ;;
	tun) ratio 'one TCP stream by TUN, Mbit/s / slirp4netns' '>= 1' stream tun slirp "$slirp" 192.0.2.2 ;;
	changes | memory) "$1" ;;
	*)
		echo "$1: no such figure; see the head of $0" >&2
		exit 2
		;;
	esac
}

for tool in ip iperf3 socat slirp4netns ipmasqadm ipmasqd; do
	command -v $tool >/dev/null || { echo "$tool is not installed" >&2; exit 1; }
done
lab
[ $# -gt 0 ] || set -- stream packets connections forwarder tun changes memory
for figure; do run "$figure"; done
