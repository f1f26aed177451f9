#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TFTP as Debian's server and client speak it: the server answers from a port that nobody asked.
. "$(dirname "$0")/lib.sh"
need_tools in.tftpd tftp sha256sum
[ -z "${LAB_UNSHARED:-}" ] || skip_all "the TFTP server changes to another user, which takes root"
begin 2
files=$lab_scratch/files
mkdir -p "$files" && chmod 755 "$lab_scratch" && chmod 777 "$files"
head -c 100000 /dev/urandom >"$files/big"
chmod a+r "$files/big"

tftp_server() {
	on "$1" in.tftpd -L -4 -c -p -u nobody -a 0.0.0.0:69 -s "$files" &
	wait_until listens "$1" -u 69
}

# fetch NAMESPACE ADDRESS: the file comes whole.
fetch() {
	local got=$lab_scratch/got-$1

	rm -f "$got"
	on "$1" timeout "$PATIENCE" tftp -4 -m binary "$2" -c get big "$got"
	cmp "$got" "$files/big"
}

# store NAMESPACE ADDRESS: the file arrives whole.
store() {
	local stored=$files/from-$1

	rm -f "$stored"
	on "$1" timeout "$PATIENCE" tftp -4 -m binary "$2" -c put "$files/big" "from-$1"
	wait_until cmp "$stored" "$files/big" || cmp "$stored" "$files/big"
}

# Both inside hosts at once, both by the same port of their own.
both_by_one_port() {
	local pids=() server

	for server in server1 server2; do
		rm -f "$lab_scratch/got-$server"
		on "$server" timeout "$PATIENCE" tftp -4 -R 4000:4000 -m binary 198.51.100.2 -c get big "$lab_scratch/got-$server" &
		pids+=($!)
	done
	wait "${pids[@]}"
	cmp "$lab_scratch/got-server1" "$files/big" && cmp "$lab_scratch/got-server2" "$files/big"
}

no_way_inside
tftp_server client
tftp_server server1
adm masq -A -S 10.0.0.0/24
portfw -A -P udp -L 198.51.100.1 69 -R 10.0.0.11 69
check "without the helper an inside client waits in vain" fails fetch server1 198.51.100.2
check "a server inside, at the masquerade address, needs none" fetch client 198.51.100.1
adm helper -A tftp
check "an inside client gets a file" fetch server1 198.51.100.2
check "and puts one" store server1 198.51.100.2
check "two at once, by the same port" both_by_one_port
check "from a server inside a client outside gets a file" fetch client 198.51.100.1
check "and puts one there" store client 198.51.100.1
adm helper -D tftp
check "without the helper again nothing comes" fails fetch server2 198.51.100.2
finish
