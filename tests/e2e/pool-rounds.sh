#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pools of 2, 3 and 16 hosts keep their shares to the connection over three full rounds, by portfw and
# by mfw, while another process edits another pool all the time.
. "$(dirname "$0")/lib.sh"
need_tools python3
begin 1
server=$lab-server1
for number in {1..16}; do
	ip -n "$server" address add "10.0.0.$((100 + number))/24" dev eth0
done

# Answers every connection with the address that it came to.
on server1 python3 -c '
import socket
listener = socket.create_server(("0.0.0.0", 7000), backlog=64)
while True:
    connection, _ = listener.accept()
    connection.sendall(connection.getsockname()[0].encode())
    connection.close()
' &

# answers PORT COUNT: who answers that many connections in a row, as `COUNT ADDRESS` for each run.
answers() {
	on client python3 -c '
import os, socket, sys
for _ in range(int(sys.argv[2])):
    with socket.create_connection(("198.51.100.1", int(sys.argv[1])), timeout=float(os.environ["PATIENCE"])) as connection:
        print(connection.recv(64).decode())
' "$1" "$2" | uniq -c | sed 's/^ *//'
}

portfw_host() {
	portfw -A -P tcp -L 198.51.100.1 8000 -R "10.0.0.$1" 7000 -p "$2"
}

mfw_host() {
	adm mfw -I -m 9000 -r "10.0.0.$1" 7000 -p "$2"
}

# pool MODULE COUNT: a pool of hosts 101.. with preferences 1.., the last one at the head.
pool() {
	local number

	for ((number = 1; number <= $2; number++)); do
		"$1_host" $((100 + number)) "$number" || return 1
	done
}

# rounds COUNT N: what N full rounds of such a pool are.
rounds() {
	local number turn

	for ((turn = 0; turn < $2; turn++)); do
		for ((number = $1; number > 0; number--)); do
			echo "$number 10.0.0.$((100 + number))"
		done
	done
}

edit_other_pools() {
	while :; do
		adm portfw -A -P tcp -L 198.51.100.1 81 -R 10.0.0.101 80
		adm portfw -A -P tcp -L 198.51.100.1 81 -R 10.0.0.102 80 -p 3
		adm mfw -A -m 77 -r 10.0.0.101 80
		adm mfw -A -m 77 -r 10.0.0.102 80 -p 3
		adm portfw -D -P tcp -L 198.51.100.1 81
		adm mfw -D -m 77
	done >/dev/null 2>&1
}

on router nft -f - <<-END
	table inet marks {
		chain set_mark {
			type filter hook prerouting priority -310
			tcp dport 9000 meta mark set 9000
		}
	}
END
wait_until on server1 python3 -c 'import socket; socket.create_connection(("127.0.0.1", 7000))'
edit_other_pools &
editor=$!
for count in 2 3 16; do
	for module in portfw:8000 mfw:9000; do
		name=${module%:*}
		check "a pool of $count by $name" pool "$name" "$count"
		check "its shares are exact over three rounds" equals "$(rounds "$count" 3)" \
			answers "${module#*:}" $((3 * count * (count + 1) / 2))
	done
	portfw -D -P tcp -L 198.51.100.1 8000
	adm mfw -D -m 9000
done
kill "$editor"
finish
