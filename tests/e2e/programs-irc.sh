#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# IRC over Debian's ngircd: files and conversations from client to client (DCC).  The clients are
# irc.py, since none that is packaged can be driven by a script.
. "$(dirname "$0")/lib.sh"
need_tools ngircd sha256sum
begin 2
head -c 300000 /dev/urandom >"$lab_scratch/file"
port=6667

irc_server() {
	cat >"$lab_scratch/ngircd-$1" <<-END
		[Global]
		Name = irc.example.net
		Info = test
		Ports = $port
		PidFile =
		[Limits]
		MaxConnectionsIP = 0
		[Options]
		DNS = no
		Ident = no
		PAM = no
		SyslogFacility = local7
	END
	on "$1" ngircd -n -f "$lab_scratch/ngircd-$1" >"$lab_scratch/ngircd-$1.log" 2>&1 &
	wait_until listens "$1" -t "$port" || cat "$lab_scratch/ngircd-$1.log"
}

# dcc OFFERER ACCEPTER KIND [ADDRESS]: a direct connection between their clients, of which the second
# has this address; the file arrives whole, or each has heard the other.
dcc() {
	local from=$1 to=$2 kind=$3 source=${4:-0.0.0.0} got=$lab_scratch/got status

	: >"$got"
	[ "$kind" != resume ] || head -c 123456 "$lab_scratch/file" >"$got"
	: >"$lab_scratch/accepter"
	on "$to" python3 "$here/irc.py" "$source" "$server" "$port" accepter accept "$got" >"$lab_scratch/accepter" 2>&1 &
	local accepter=$!
	wait_until grep -q ready "$lab_scratch/accepter"
	on "$from" python3 "$here/irc.py" 0.0.0.0 "$server" "$port" offerer "$kind" accepter "$lab_scratch/file" 2>&1
	status=$?
	wait "$accepter" && [ $status = 0 ] || { cat "$lab_scratch/accepter"; return 1; }
	[ "$kind" = chat ] || cmp "$got" "$lab_scratch/file"
}

# From any of these addresses somebody outside gets a file.
from_everywhere() {
	local host

	for host in 3 4 5 6; do
		dcc server1 client send 198.51.100.$host || return 1
	done
}

no_way_inside
for host in 3 4 5 6; do
	on client ip address add 198.51.100.$host/24 dev eth0
done
server=198.51.100.2
irc_server client
adm masq -A -S 10.0.0.0/24
check "without the helper nobody outside gets an inside client's file" fails dcc server1 client send
check "an inside client gets files without it" dcc client server1 send
adm helper -A irc
check "an inside client sends a file" dcc server1 client send
check "and the rest of one (RESUME)" dcc server1 client resume
check "and opens a conversation" dcc server1 client chat
check "an inside client gets a file" dcc client server1 send
check "and the rest of one" dcc client server1 resume
check "and is called to a conversation" dcc client server1 chat
check "between two inside clients a file goes by the address outside" dcc server1 server2 send
check "clients on other hosts than the server get one" from_everywhere
if [ "${ENGINE:-kernel}" = user ]; then
	adm save >"$lab_scratch/rules" && stop_ipmasqd
	check "ipmasqd with four workers" start_ipmasqd -w 4 -r "$lab_scratch/rules"
	check "hosts of other workers than the server's get one, too" from_everywhere
	check "and hosts inside" dcc server1 server2 send
fi
adm helper -A irc ports=7000
check "nor by a port that is not watched" fails dcc server1 client send
port=7000
irc_server client
check "but by one that is" dcc server1 client send
finish
