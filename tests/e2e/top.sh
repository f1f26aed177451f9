#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# top shows what the forwards carry, and masq -C --follow connections as they come and go; both end
# cleanly.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx conntrack
begin 2
web_server server1
web_server server2
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.12 80
head -c 300000 /dev/zero >"$lab_scratch/files/some"

# The columns localaddr, lport, rediraddr of the first line of the last frame in a file.
busiest() {
	awk '$1 == "module" { getline; line = $3 " " $4 " " $6 } END { print line }' "$1"
}

frames() {
	grep -c '^module ' "$1"
}

# --- top ------------------------------------------------------------------------------------------

check "-b prints frames: -N so many" eval 'adm top -b -d 1 -N 2 >"$lab_scratch/top" && equals 2 frames "$lab_scratch/top"'
# 300 KB between two frames, which are two seconds apart or, on a busy machine, more.
nsenter --net="/run/netns/$lab-router" "$IPMASQADM" top -b -d 2 >"$lab_scratch/top" &
top=$!
check "the busiest forward is the first" eval 'wait_until grep -q ^module "$lab_scratch/top" &&
	get client http://198.51.100.1:8001/files/some >"$lab_scratch/got" &&
	wait_until equals "198.51.100.1 8001 10.0.0.12" busiest "$lab_scratch/top"'
check "its rate is what it carried" eval '
	rate=$(awk "\$4 == 8001 && \$9 > most { most = \$9 } END { print most + 0 }" "$lab_scratch/top")
	[ "$rate" -gt 30000 ] && [ "$rate" -lt 200000 ] || { cat "$lab_scratch/top"; false; }'
# What the listing says of the forward, and the last frame; its connection's last packets come later.
sums_agree() {
	equals "$(portfw -L -v -n | awk '$4 == 8001 { print $8, $9 }')" \
		awk '$4 == 8001 { line = $10 " " $11 } END { print line }' "$lab_scratch/top"
}
check "the sums are those of the listing" wait_until sums_agree
kill $top
check "without a terminal it needs no -b" eval 'adm top -N 1 </dev/null | grep -q "^module"'
check "--json is JSON" eval 'adm top --json -N 1 | python3 -c "import json, sys; assert len(json.load(sys.stdin)[\"top\"]) == 2"'
check "on a terminal it draws on the other screen, q ends it, and the terminal is as before" \
	on router python3 "$here/terminal.py" q "$IPMASQADM" top -d 1
check "so does Ctrl-C" on router python3 "$here/terminal.py" $'\x03' "$IPMASQADM" top -d 1
check "a signal ends it with status 0" eval ': >"$lab_scratch/top"; on router "$IPMASQADM" top -b >"$lab_scratch/top" & pid=$!
	wait_until grep -q module "$lab_scratch/top" && children=$(ps -o pid= --ppid $pid) && kill ${children:-$pid} && wait $pid'
check "0 seconds are refused" fails_with 2 "'0'" adm top -d 0
check "no number is refused" fails_with 2 "-N needs" adm top -N
check "a word too many is refused" fails_with 2 "'now'" adm top now

# --- masq -C --follow -----------------------------------------------------------------------------

# shellcheck disable=SC2120 # some checks call it by eval, with words
# follow WORD...: what it says until it is interrupted, in $lab_scratch/events.
follow() {
	on router timeout --foreground -s INT 120 "$IPMASQADM" masq -C --follow -n "$@" >"$lab_scratch/events" 2>&1 &
	follower=$!
	wait_until hears_netfilter router
}

unfollow() {
	local children

	children=$(ps -o pid= --ppid $follower)
	kill -INT ${children:-$follower}
	wait $follower
}

follow
get client http://198.51.100.1:8000/ >/dev/null
check "a new connection is shown at once" wait_until \
	grep -q "^new tcp 10.0.0.11 80 198.51.100.1 8000 198.51.100.2 " "$lab_scratch/events"
on router conntrack -D -p tcp >/dev/null 2>&1
check "its end, too" wait_until \
	grep -q "^end tcp 10.0.0.11 80 198.51.100.1 8000 198.51.100.2 " "$lab_scratch/events"
check "an interrupt ends it, with status 0 or timeout's" eval 'unfollow; [ $? = 0 ] || [ $? = 124 ]'
check "connections that are not translated are not shown" eval 'follow && on client ping -c 1 198.51.100.1 &&
	get client http://198.51.100.1:8000/ && wait_until grep -q tcp "$lab_scratch/events"; unfollow
	equals 0 eval "grep -vc tcp \"$lab_scratch/events\"; true"'
check "-p shows those of a port" eval 'follow -p 8001 && get client http://198.51.100.1:8000/ &&
	get client http://198.51.100.1:8001/ && wait_until grep -q 8001 "$lab_scratch/events"; unfollow
	equals 0 eval "grep -c \" 8000 \" \"$lab_scratch/events\"; true"'
check "--json is a line each" eval 'follow --json && get client http://198.51.100.1:8001/ &&
	wait_until grep -q 8001 "$lab_scratch/events"; unfollow
	head -n 1 "$lab_scratch/events" | python3 -c "import json, sys; assert json.load(sys.stdin)[\"aport\"] == 8001"'
check "a reader that goes away ends it" eval '
	(on router timeout 120 "$IPMASQADM" masq -C --follow -n | head -n 1 >"$lab_scratch/events"
		[ "${PIPESTATUS[0]}" != 124 ]) & pid=$!
	wait_until hears_netfilter router; for n in 1 2 3; do get client http://198.51.100.1:8000/; done
	wait $pid && equals 1 eval "wc -l <\"$lab_scratch/events\""'
check "it does not go with -T" fails_with 2 "multiple commands" adm masq -C --follow -T 1 2 3
check "nor with -L" fails_with 2 "-w does not go with -L" adm masq -L --follow
finish
