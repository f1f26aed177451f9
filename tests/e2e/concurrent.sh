#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Many writers at once: nothing is lost, whoever comes between.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 2
web_server server1

# Waits for the programs named by their numbers; fails when one of them failed.
all_done() {
	local pid status=0

	for pid; do
		wait "$pid" || status=1
	done
	return "$status"
}

add_60() {
	local number pids=()

	for number in {1..60}; do
		portfw -A -P tcp -L 198.51.100.1 $((8000 + number)) -R 10.0.0.11 80 &
		pids+=($!)
	done
	all_done "${pids[@]}"
}

add_9_to_one_pool() {
	local number pids=()

	for number in {1..9}; do
		portfw -A -P tcp -L 198.51.100.1 7000 -R 10.0.0.11 $((80 + number)) -p "$number" &
		pids+=($!)
	done
	all_done "${pids[@]}"
}

delete_and_add() {
	local number pids=()

	for number in {1..30}; do
		portfw -D -P tcp -L 198.51.100.1 $((8000 + number)) &
		pids+=($!)
		portfw -A -P udp -L 0.0.0.0 $((8000 + number)) -R 10.0.0.11 80 &
		pids+=($!)
	done
	all_done "${pids[@]}"
}

# Changes a table of its own until it is ended.
other_writer() {
	while :; do
		on router nft 'add table inet other; add chain inet other some; delete table inet other'
	done
}

with_other_writer() {
	local number writer status=0

	other_writer >"$lab_scratch/writer" 2>&1 &
	writer=$!
	for number in {1..40}; do
		portfw -A -P tcp -L 198.51.100.1 $((9000 + number)) -R 10.0.0.11 80 || status=1
	done
	kill "$writer" 2>/dev/null
	wait "$writer"
	return "$status"
}

check "60 additions at once, the first of all among them, succeed" add_60
check "none of them is lost" equals 60 eval 'rules | wc -l'
check "they work" equals server1 get client http://198.51.100.1:8060/
check "the table is whole" equals 60 eval 'on router nft -j list table inet ipmasq | python3 "$here/whole.py"'
portfw -F
check "9 additions to one pool at once succeed" add_9_to_one_pool
check "none of them is lost" equals "81 1,82 2,83 3,84 4,85 5,86 6,87 7,88 8,89 9," \
	eval 'rules | cut -d " " -f 5,7 | sort | tr "\n" ,'
portfw -F
add_60
check "30 deletions and 30 additions at once succeed" delete_and_add
check "each had its effect" equals "30 tcp,30 udp," \
	eval 'rules | cut -d " " -f 1 | uniq -c | sed "s/^ *//" | tr "\n" ,'
portfw -F
check "40 additions succeed while another program changes the ruleset all the time" with_other_writer
check "none of them is lost" equals 40 eval 'rules | wc -l'
check "the other program had no trouble" equals "" cat "$lab_scratch/writer"
finish
