#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP connections finish by themselves when their forward goes, so that a host can be drained;
# --kill ends them.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx conntrack
begin 2
web_server server1
web_server server2
head -c 3000000 /dev/zero >"$lab_scratch/files/3MB"  # some seconds
truncate -s 300M "$lab_scratch/files/endless" # some minutes

# Starts a download: download NAME URL
download() {
	on client curl -gsS --max-time $((4 * PATIENCE)) -o "$lab_scratch/$1" "$2" >"$lab_scratch/$1.error" 2>&1 &
	downloads[$1]=$!
	wait_until test -s "$lab_scratch/$1"
}

finishes() {
	wait "${downloads[$1]}" || { cat "$lab_scratch/$1.error"; return 1; }
	cmp "$lab_scratch/$1" "$lab_scratch/files/3MB"
}

# has_ended NAME SERVER PORT FAMILY: the server has been told, and the download is short.  The client,
# which only listens, hears nothing any more.
no_connection() {
	[ -z "$(on "$1" ss -Htn"$3" state established "sport = :$2")" ]
}

has_ended() {
	wait_until no_connection "$2" "$3" "$4" || return 1
	kill "${downloads[$1]}" 2>/dev/null
	wait "${downloads[$1]}"
	[ "$(stat -c %s "$lab_scratch/$1")" -lt 300000000 ] || { echo "it has finished"; return 1; }
}

declare -A downloads
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
on_kernel_engine portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::11 80
portfw -A -P tcp -L 0.0.0.0 8001 -R 10.0.0.12 80
portfw -A -P tcp -L 198.51.100.10 8000 -R 10.0.0.11 8080

check "a download is under way" download drained http://198.51.100.1:8000/slow/3MB
kernel_check "another by IPv6" download drained6 'http://[2001:db8:1::1]:8000/slow/3MB'
check "-D of the forward" portfw -D -P tcp -L 198.51.100.1 8000
kernel_check "-D of the IPv6 forward" portfw -D -P tcp -L 2001:db8:1::1 8000
check "no new connection is taken" fails get client http://198.51.100.1:8000/
check "the download survives -D and finishes" finishes drained
kernel_check "the IPv6 download survives and finishes" finishes drained6

portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
on_kernel_engine portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::11 80
kernel_check "one by IPv6 is under way" download killed6 'http://[2001:db8:1::1]:8000/slow/endless'
check "three more downloads are under way" eval 'download killed http://198.51.100.1:8000/slow/endless &&
	download any http://198.51.100.1:8001/slow/endless &&
	download other http://198.51.100.10:8000/slow/3MB'
check "-D --kill" portfw -D -P tcp -L 198.51.100.1 8000 --kill
check "ends the download" has_ended killed server1 80 4
kernel_check "-D --kill of the IPv6 forward" portfw -D -P tcp -L 2001:db8:1::1 8000 --kill
kernel_check "ends the IPv6 download" has_ended killed6 server1 80 6
check "-D --kill of any address and one port" adm --kill portfw -D -P tcp -L 0 8001
check "ends the download by any address" has_ended any server2 80 4
check "the download of another forward to the same host finishes" finishes other

check "a pool of two, a download from each" eval 'portfw -F &&
	portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80 -p 1 &&
	portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80 -p 1 &&
	download second http://198.51.100.1:8000/slow/endless &&
	download first http://198.51.100.1:8000/slow/3MB'
check "-D --kill of one host" portfw -D -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80 --kill
check "ends its download" has_ended second server2 80 4
check "the other host's finishes" finishes first
finish
