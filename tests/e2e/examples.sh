#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The rules files of contrib/examples are loaded, saved again, and do what they say.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx conntrack
begin 3
web_server client
for number in 1 2 3; do
	web_server "server$number"
done
examples=$here/../../contrib/examples

# load NAME: restores the file; saving gives its commands, and restoring these the same again.
load() {
	local saved=$lab_scratch/saved

	adm restore "$examples/$1.rules" && adm save "$saved" &&
		equals "$(grep -v '^#' "$examples/$1.rules" | sort)" eval "grep -v '^#' $saved | sort" &&
		adm flush && adm restore "$saved" && adm save "$saved.2" && cmp "$saved" "$saved.2"
}

ask() {
	local turn

	for ((turn = 0; turn < $1; turn++)); do
		get client "$2" || return 1
	done | sort | uniq -c | tr -s ' '
}

check "home-gateway loads" load home-gateway
check "hosts inside are masqueraded" equals 198.51.100.1 get server1 http://198.51.100.2/who
check "the web server is reached by the line's address" equals server1 get client http://198.51.100.1/
udp_server server2 27015
check "the game is reached" equals server2 udp client 198.51.100.1 27015

check "web-farm loads" load web-farm
check "the servers share the connections, 10 to 20 to 10" \
	equals $' 10 server1\n 20 server2\n 10 server3' ask 40 http://198.51.100.1/
on router nft -f - <<-END
	table inet marks {
		chain web {
			type filter hook prerouting priority mangle
			ip daddr 198.51.100.10 tcp dport { 80, 8080 } meta mark set 1
		}
	}
END
check "marked connections, too, 10 to 20" equals $' 10 server1\n 20 server2' ask 30 http://198.51.100.10/

check "ftp-server loads" load ftp-server
ftp_session() {
	on server1 python3 "$here/ftp.py" "$1-server" 21 >"$lab_scratch/ftp" 2>&1 &
	wait_until grep -q ready "$lab_scratch/ftp"
	on client python3 "$here/ftp.py" "$1-client" 198.51.100.1 21
	wait $!
}
check "passive FTP brings its data" says data ftp_session passive
check "active FTP brings its data" says data ftp_session active

check "transparent-squid loads" load transparent-squid
check "a page comes through the squid" equals server2 get server1 http://198.51.100.2/
check "the squid itself gets it from where it is" equals client get server2 http://198.51.100.2/
finish
