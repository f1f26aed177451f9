#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 at any moment leaves the table whole: a change is there, or it is not.
. "$(dirname "$0")/lib.sh"
begin 1

lines() {
	local number

	for ((number = 1; number <= $1; number++)); do
		echo "portfw -A -P $2 -L $3 $((10000 + number)) -R 10.0.0.11 $((number % 7 + 1))"
	done
}

# How many hosts there are, if the rules are sound.
whole() {
	on_user_engine whole_for_user
	on_kernel_engine whole_for_kernel
}

# The daemon may still make the change of a client that has been killed: one look at it, and the
# kernel, which has no rules here, tells what is in that.
whole_for_user() {
	adm save "$lab_scratch/saved" &&
		adm -e kernel --dry-run restore "$lab_scratch/saved" >"$lab_scratch/would" || return 1
	grep -c '^+' "$lab_scratch/would" || [ $? = 1 ]
}

whole_for_kernel() {
	on router nft list tables | grep -q 'inet ipmasq' || { echo 0; return; }
	on router nft -j list table inet ipmasq | python3 "$here/whole.py"
}

# Starts the program and kills it after up to $1 milliseconds.
killed_within() {
	local limit=$1 pid

	shift
	# Not by `on`: that would be a shell with the program as its child, which outlives it.
	nsenter --net="/run/netns/$lab-router" "$IPMASQADM" "$@" &
	pid=$!
	sleep "$(printf '0.%03d' $((RANDOM % limit)))"
	kill -9 "$pid" 2>/dev/null
	wait "$pid"
	return 0
}

# In a shell of its own, which waits for nothing else.
additions() (
	for number in {1..60}; do
		killed_within 20 portfw -A -P tcp -L 198.51.100.1 $((number % 4 + 8000)) -R 10.0.0.11 "$number" &
		[ $((number % 4)) != 0 ] || wait
	done
	wait
)

restores() {
	local number hosts

	for number in {1..16}; do
		killed_within 120 restore "$lab_scratch/$((number % 2 + 1))"
		hosts=$(whole) || { echo "$hosts"; return 1; }
		case $hosts in
		3000 | 4500) ;;
		*) echo "$hosts hosts"; return 1 ;;
		esac
	done
}

lines 4500 tcp 198.51.100.1 >"$lab_scratch/1"
{ lines 2000 udp 0.0.0.0; lines 500 tcp 198.51.100.1; lines 500 tcp 198.51.100.10; } >"$lab_scratch/2"

check "60 additions, killed at any moment" additions
check "leave a table that is whole" whole
check "which can be changed" portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 8000
adm restore "$lab_scratch/1"
check "restores of 4500 and of 3000 rules, killed at any moment, leave one of the two whole" restores
check "which can be changed, too" adm flush
check "and is empty then" equals 0 whole
finish
