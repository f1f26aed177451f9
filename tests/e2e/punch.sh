#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ipmasqd --punch: active FTP through an operator's ruleset that lets nothing in of its own accord.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_tools nft python3

user() {
	adm -e "$lab_scratch/ipmasqd.sock" "$@"
}

# What goes out may, and answers of the control connection; packets are new to conntrack here.
operator_drops() {
	on router nft -f - <<-EOF
		table inet filter {
			chain forward {
				type filter hook forward priority filter; policy drop;
				meta mark and 0x10000000 == 0x10000000 accept
				tcp dport 21 accept
				tcp sport 21 accept
			}
		}
	EOF
}

# fetch: what the inside host gets by active FTP.
fetch() {
	: >"$lab_scratch/ftp" # the last one was ready, too
	on client python3 "$here/ftp.py" active-server 21 >"$lab_scratch/ftp" 2>&1 &
	wait_until grep -q ready "$lab_scratch/ftp"
	on server1 python3 "$here/ftp.py" active-client 198.51.100.2 21
	local status=$?
	wait $!
	return $status
}

holes() {
	on router nft list set inet ipmasq holes
}

# run OPTION...: ipmasqd with masquerading and the helper.
run() {
	: >"$lab_scratch/no-rules"
	: >"$lab_scratch/ipmasqd.log"
	start_ipmasqd -r "$lab_scratch/no-rules" "$@" && user masq -A -S 10.0.0.0/24 && user helper -A ftp
}

begin 1
operator_drops
check "a mark of 0 is none" fails_with 2 "'0'" on router "$(dirname "$IPMASQADM")/ipmasqd" -i outside --punch 0
check "ipmasqd without holes" run
check "... data connections do not get through the ruleset" fails fetch
check "... end" stop_ipmasqd
check "ipmasqd with holes" run --punch 0x10000000 -w 2
check "... data connections get through" equals "data from 198.51.100.2" fetch
check "... by a hole with a number" says '"hole ' holes
check "... of the inside host" says "tcp . 10.0.0.11 . " holes
check "... again" equals "data from 198.51.100.2" fetch
check "... end" stop_ipmasqd
check "... which closes the holes" fails says '"hole ' holes
finish
