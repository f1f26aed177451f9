#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where packets are lost on both ways, a stream whose messages a helper makes longer arrives whole,
# every message of it translated: TCP repeats parts of them, cut at other places.
. "$(dirname "$0")/lib.sh"
need_tools python3
begin 1
printf '%s\n' "masq -A -S 10.0.0.0/24" "helper -A ftp" "helper -A sip" >"$lab_scratch/rules"

# loses PERCENT: so many packets that the host outside sends, and that come to it.
loses() {
	on client nft -f - <<-END
		table ip loss {
			chain input {
				type filter hook input priority 0
				iifname != lo numgen random mod 100 < $1 drop
			}
			chain output {
				type filter hook postrouting priority 0
				oifname != lo numgen random mod 100 < $1 drop
			}
		}
	END
}

# arrive PROTOCOL NUMBER: from inside to outside.
arrive() {
	: >"$lab_scratch/taken" # before the waiting begins
	on client python3 "$here/loss.py" take "$1" 198.51.100.1 "$2" >"$lab_scratch/taken" 2>&1 &
	wait_until grep -q ready "$lab_scratch/taken"
	on server1 python3 "$here/loss.py" give "$1" 10.0.0.11 "$2" 198.51.100.2 || { kill $!; return 1; }
	wait $! || { cat "$lab_scratch/taken"; return 1; }
}

check "ipmasqd starts" start_ipmasqd -r "$lab_scratch/rules"
check "commands of FTP, nothing being lost" arrive ftp 400
check "requests of SIP, nothing being lost" arrive sip 400
loses 5
check "commands of FTP, of 100 packets 5 being lost each way" arrive ftp 400
check "requests of SIP, of 100 packets 5 being lost each way" arrive sip 400
check "SIGTERM ends it" stop_ipmasqd
finish
