#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Names of hosts in requests to ipmasqd: found in /etc/hosts, or asked of a name server that says
# nothing for 10 seconds, in which others are served.
. "$(dirname "$0")/lib.sh"
need_tools socat unshare
begin 1
socket=$lab_scratch/ipmasqd.sock
echo "masq -A -S 10.0.0.0/24" >"$lab_scratch/rules"

user() {
	adm -e "$socket" "$@"
}

# hand TEXT: what a request typed by hand is answered.
hand() {
	printf '%b' "$1" | socat -t 40 - "UNIX:$socket"
}

printf 'nameserver 198.51.100.2\noptions timeout:10 attempts:1\n' >"$lab_scratch/resolv.conf"
printf '%s\n' '10.0.0.11 inner' '198.51.100.1 border' '127.0.0.1 localhost' >"$lab_scratch/hosts"
printf 'hosts: files dns\n' >"$lab_scratch/nsswitch.conf"
chmod 644 "$lab_scratch/resolv.conf" "$lab_scratch/hosts" "$lab_scratch/nsswitch.conf"
on client python3 -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 53))
time.sleep(300)' &
wait_until listens client -u 53

# start_ipmasqd, with files of its own in /etc.
start_with_names() {
	local as_root=()

	[ -z "${LAB_UNSHARED:-}" ] || as_root=(-u root)
	: >"$lab_scratch/ipmasqd.log"
	# shellcheck disable=SC2016 # the inner shell expands it
	on router unshare --mount sh -c '
		for file in resolv.conf hosts nsswitch.conf; do
			mount --bind "$1/$file" "/etc/$file" || exit
		done
		shift
		exec "$@"' sh "$lab_scratch" "$(dirname "$IPMASQADM")/ipmasqd" -f -i outside -s "$socket" \
		--pid-file "$lab_scratch/ipmasqd.pid" -r "$lab_scratch/rules" "${as_root[@]}" \
		>"$lab_scratch/ipmasqd.log" 2>&1 &
	wait_until grep -q "translating: " "$lab_scratch/ipmasqd.log"
}
ask() {
	hand "portfw -A -P tcp -L 198.51.100.1 9000 -R $1 80\n"
}
check "ipmasqd starts with name services of its own" start_with_names
check "a command may name a host" says "end 0" ask inner
check "so does a listing" says "border    inner" hand 'portfw -L\n'
ask nohost.test >"$lab_scratch/asked" &
asking=$!
sleep 0.5
check "while a name is looked up, others are served" eval '
	timeout 9 "$IPMASQADM" -e "$socket" portfw -L -n && kill -0 $asking && [ ! -s "$lab_scratch/asked" ]'
wait $asking
check "then it is told" eval 'grep -q "address .nohost.test.: .*; give a numeric address" "$lab_scratch/asked" &&
	grep -q "^end 2" "$lab_scratch/asked"'
check "somebody who does not wait for it does no harm" eval '
	timeout 1 socat -t 0 - "UNIX:$socket" <<<"portfw -A -P tcp -L 198.51.100.1 9001 -R other.test 80"
	says "9000" user portfw -L -n && sleep 10 && fails says "9001" user portfw -L -n'
check "SIGTERM ends it" stop_ipmasqd
finish
