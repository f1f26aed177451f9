#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The way of packets through ipmasqd by NFQUEUE: which it takes, whole or in parts, by one worker or
# more, and what becomes of them when it is gone.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx ping iperf3
begin 2
web_server server1
web_server client
udp_server client 7000
udp_server server1 7000
rules=$lab_scratch/rules

user() {
	adm -e "$lab_scratch/ipmasqd.sock" "$@"
}

# The rules of a chain of ipmasqd's; a chain name.
chain() {
	on router nft list chain inet ipmasqd "$1" 2>/dev/null | grep goto
}

# status WORD: the figure of a line of ipmasqd's status.
status() {
	user status | awk -v name="$1" '$2 == name { print $3 }'
}

seen_from() {
	get "$1" http://198.51.100.2/who
}

everything() {
	equals 198.51.100.1 seen_from server1 &&
		equals client udp server1 198.51.100.2 7000 &&
		on server2 ping -c 2 -i 0.1 -W "$PATIENCE" 198.51.100.2 &&
		equals server1 get client http://198.51.100.1:8000/
}

hairpin() {
	equals server1 get server2 http://198.51.100.1:8000/ &&
		equals server1 get server1 http://198.51.100.1:8000/ &&
		equals server1 get router http://198.51.100.1:8000/ &&
		equals server1 get router http://10.0.0.1:8001/
}

# Sums of a file that comes whole segments at a time, in both directions.
bulk() {
	local sum=$1

	equals "$sum" eval 'get server1 http://198.51.100.2/files/bulk | sha256sum' &&
		equals "$sum" eval 'get client http://198.51.100.1:8000/files/bulk | sha256sum' &&
		equals 0 status queue_full && equals 0 status failed && equals 0 status too_long
}

# What the network says of packets that it cannot deliver comes back to who has sent them.
errors_come_back() {
	says "Time to live exceeded" eval 'on server1 ping -t 1 -c 1 -W "$PATIENCE" 198.51.100.2 || true' &&
		says "refused" eval 'udp server1 198.51.100.2 7999 || true' &&
		says "refused" eval 'udp client 198.51.100.1 7998 || true'
}

in_fragments() {
	local order

	for order in 012 210 102 021; do
		equals client packets server1 fragments 198.51.100.2 7000 "$order" &&
			equals server1 packets client fragments 198.51.100.1 7000 "$order" || return 1
	done
}

cat >"$rules" <<-END
	masq -A -S 10.0.0.0/24
END
mkdir -p "$lab_scratch/files"
head -c 30000000 /dev/urandom >"$lab_scratch/files/bulk"
sum=$(sha256sum <"$lab_scratch/files/bulk")

on client iperf3 -s -D -I "$lab_scratch/iperf3.pid" >/dev/null
wait_until listens client -t 5201

# --- which packets
check "ipmasqd starts" start_ipmasqd -r "$rules" -q 10
check "masquerading takes what comes from and goes to the outside" eval '
	equals "		iifname \"outside\" meta nfproto ipv4 goto outside_0" chain prerouting &&
	equals "		oifname \"outside\" meta nfproto ipv4 goto outside_0" chain postrouting'
if grep -aq __asan_init "$(dirname "$IPMASQADM")/ipmasqd"; then
	skip "a stream leaves it small" "AddressSanitizer needs memory of its own"
else
	check "a stream leaves it small, here 4 MB" eval '
		on server1 iperf3 -c 198.51.100.2 -t 3 --connect-timeout 3000 && [ "$(status memory)" -lt 4194304 ]'
fi
check "and nothing inside" eval '[ -z "$(chain output)$(chain input)" ]'
check "what leaves has the outside address" equals 198.51.100.1 seen_from server1
check "a redirect has what is for this machine taken inside, too" eval '
	user portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80 &&
	user portfw -A -P tcp -L 10.0.0.1 8001 -R 10.0.0.11 80 &&
	user portfw -A -P udp -L 198.51.100.1 7000 -R 10.0.0.11 7000 &&
	user portfw -A -P udp -L 198.51.100.1 7998 -R 10.0.0.11 7998 &&
	chain prerouting | grep -q "fib daddr type local.*goto inside_0" &&
	chain output | grep -q inside_0 && chain input | grep -q inside_0'
check "all kinds of packets, both ways" everything
check "hairpins, of inside hosts and of this machine" hairpin
check "strict reverse path filtering lets all of it through" eval '
	on router bash -c "echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter" && everything && hairpin'
on router bash -c "echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter"
check "a proxy has all of the inside taken" eval '
	user proxy -A server 10.0.0.11:80 port 8099 proto tcp &&
	! chain prerouting | grep -q fib && equals server1 get server2 http://203.0.113.77:8099/'
check "without the proxy it is not" eval 'user proxy -F && chain prerouting | grep -q fib'
user save >"$rules"

# --- what packets
on router bash -c "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit" # which counts redirects, too
check "whole segments of bulk data, both ways" bulk "$sum"
check "errors of the network" errors_come_back
check "fragments, also before their header" in_fragments
check "with connection tracking beside it" eval '
	on router nft "add table inet t; add chain inet t c { type filter hook forward priority 0; };
		add rule inet t c ct state invalid drop; add rule inet t c ct state new,established,related accept;
		add rule inet t c drop" &&
	everything && hairpin && in_fragments && errors_come_back && bulk "$sum"'
on router nft delete table inet t

# --- changes under way
# The datagrams of a flow are counted where they leave and where they arrive: what a program that has
# to wait for its turn loses in its socket is not the router's.
count_flow() {
	on "$1" nft -f - <<-END
		table ip counted {
			chain passing { type filter hook $2 priority 0; udp dport 5201 counter; }
		}
	END
}
counted() {
	on "$1" nft list chain ip counted passing | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}
flow() {
	on server1 iperf3 -c 198.51.100.2 -u -b 20M -l 1000 -t "$1" --connect-timeout $((1000 * PATIENCE))
}
arrived() {
	[ "$(counted client)" -ge "$1" ]
}
changes() {
	local i

	for ((i = 0; i < 250; i++)); do
		echo "proxy -A server 10.0.0.11:80 port 8099 proto tcp"
		echo "portfw -A -P tcp -L 198.51.100.1 9$((i % 10)) -R 10.0.0.12 80"
		echo "proxy -F"
		echo "portfw -D -P tcp -L 198.51.100.1 9$((i % 10))"
	done >"$lab_scratch/changes"
	user restore -a "$lab_scratch/changes" >"$lab_scratch/changed" 2>&1
	while IFS= read -r line; do
		# shellcheck disable=SC2086 # a command's words
		user $line || return 1
	done < <(head -n 200 "$lab_scratch/changes")
}
count_flow server1 output
count_flow client input
flow 6 >"$lab_scratch/flow" &
running=$!
check "a flow" wait_until arrived 100
check "hundreds of changes of the rules, of the kernel's too" changes
wait $running
check "lose no packet of it" wait_until eval 'equals "$(counted server1)" counted client'
check "of thousands" arrived 5000
check "nor do the queues" equals 0 status queue_full

# --- who has it
other() {
	on router "$(dirname "$IPMASQADM")/ipmasqd" -f -i outside -r "$rules" -s "$lab_scratch/other.sock" "$@"
}
as_root=()
[ -z "${LAB_UNSHARED:-}" ] || as_root=(-u root)
check "a second ipmasqd is refused by its queues" fails_with 1 "another ipmasqd runs in this" \
	other "${as_root[@]}"
check "also with other queues" fails_with 1 "NFQUEUE 10 to 11" other -q 100 "${as_root[@]}"
check "which the first one does not feel" everything

check "rules that somebody flushes come back" eval '
	on router nft flush ruleset && wait_until eval "[ -n \"\$(chain prerouting)\" ]" && everything && hairpin'

# --- when it is gone
untranslated() {
	on server1 ping -c 1 -W "$PATIENCE" 198.51.100.2
}
ip -n "$lab-client" route add 10.0.0.0/24 via 198.51.100.1
check "killed, it lets nothing through" eval 'stop_ipmasqd KILL && fails untranslated'
check "it starts again in the place of what it left" eval 'start_ipmasqd -r "$rules" -q 10 && everything'
check "ended, it leaves no rules, and packets pass as they are" eval '
	stop_ipmasqd && equals "" on router nft list ruleset && untranslated'
check "with --fail-open" eval 'start_ipmasqd -r "$rules" --fail-open && everything'
check "packets pass as they are when it is killed" eval 'stop_ipmasqd KILL && untranslated'

# --- several workers
check "with four workers" start_ipmasqd -r "$rules" -w 4
check "the kernel finds the worker" eval 'chain prerouting >"$lab_scratch/chain" || on router nft list chain \
	inet ipmasqd prerouting 2>/dev/null | grep -q "jhash ip saddr mod 4 seed .* vmap @outside"'
check "all kinds of packets" everything
check "hairpins" hairpin
check "errors, which belong to the worker of what they quote" errors_come_back
check "fragments" in_fragments
check "bulk data" bulk "$sum"
stop_ipmasqd

finish
