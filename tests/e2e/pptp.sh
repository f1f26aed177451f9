#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# PPTP through the user engine's helper: several inside clients with the same call number to one
# server outside, and a server inside.  pptp.py speaks both ends; no kernel with PPP is needed.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_tools nft python3

pptp() {
	local namespace=$1

	shift
	on "$namespace" python3 "$here/pptp.py" "$@"
}

# pptp_server NAMESPACE FIRST-NUMBER
pptp_server() {
	pptp "$1" server "$2" >"$lab_scratch/pptp-$1" 2>&1 &
	wait_until listens "$1" -t 1723
}

user() {
	adm -e "$lab_scratch/ipmasqd.sock" "$@"
}

# Both inside hosts at once, several turns each.
both() {
	local first status

	pptp server1 client 198.51.100.2 "$1" 20 &
	first=$!
	pptp server2 client 198.51.100.2 "$1" 20
	status=$?
	wait $first && [ $status = 0 ]
}

# numbers: how many different ones the server was told since its start.
numbers() {
	sort -u "$lab_scratch/pptp-client" | wc -l
}

begin 2
# What is not translated does not get through: the client has no way to inside addresses.
on client ip route delete default
pptp_server client 7000
: >"$lab_scratch/no-rules"
check "ipmasqd starts" start_ipmasqd -r "$lab_scratch/no-rules"
check "masquerading" user masq -A -S 10.0.0.0/24
check "... carries a call with GRE by its addresses" pptp server1 client 198.51.100.2 4000
check "the helper" user helper -A pptp
check "... carries one call" pptp server1 client 198.51.100.2 4001
check "... and two with one number at once, told apart" both 4002
check "... which the server saw as two" equals 4 numbers
check "... again" both 4002
check "a number below the usual ports" pptp server2 client 198.51.100.2 5

pptp_server server2 8000
check "a server inside, behind a forward" user portfw -A -P tcp -L 198.51.100.1 1723 -R 10.0.0.12 1723
check "... is called from outside" pptp client client 198.51.100.1 4000 5
check "... which it saw by the caller's address" says "from 198.51.100.2" cat "$lab_scratch/pptp-server2"
check "the end" stop_ipmasqd
finish
