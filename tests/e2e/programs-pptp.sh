#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# PPTP calls of Debian's pptp to Debian's pptpd: control messages over TCP, frames in GRE.  The kernel
# need not have PPP: ppp.py stands in the place of pppd at both ends.  Each client's frames come back
# to it, and nobody else's.  pptp numbers its calls as it likes, so pptpd-client.py makes those of two
# clients with the same number, in the layout of RFC 2637.
. "$(dirname "$0")/lib.sh"
need_tools pptp pptpd
[ -z "${LAB_UNSHARED:-}" ] || skip_all "pptp keeps sockets in /run/pptp, which takes root"
begin 2

server() {
	local ppp=$lab_scratch/ppp

	printf '#!/bin/sh\nexec "%s" "%s" echo\n' "$(python3 -c 'import sys; print(sys.executable)')" \
		"$here/ppp.py" >"$ppp" && chmod 755 "$ppp"
	cat >"$lab_scratch/pptpd.conf" <<-END
		ppp $ppp
		localip 192.0.2.1
		remoteip 192.0.2.10-20
		connections 10
	END
	on "$1" pptpd -f -c "$lab_scratch/pptpd.conf" -p "$lab_scratch/pptpd-$1.pid" >"$lab_scratch/pptpd-$1" 2>&1 &
	wait_until listens "$1" -t 1723
}

# Two clients of one host's file system would share one control connection by a socket in /run/pptp.
# shellcheck disable=SC2016 # the inner shell expands it
own_run_pptp=(unshare --mount sh -c 'mkdir -p /run/pptp && mount -t tmpfs tmpfs /run/pptp && exec "$@"' sh)

# calls ADDRESS CLIENT...: a call of each client, all at once; frames go there and back within $PATIENCE
# seconds.
calls() {
	local address=$1 client pids=() pid status=0

	shift
	for client; do
		on "$client" "${own_run_pptp[@]}" python3 "$here/ppp.py" call "$address" "from $client" "$PATIENCE" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || status=1
	done
	return $status
}

# same_number ADDRESS CLIENT...: the same with pptpd-client.py, all with call 5.
same_number() {
	local address=$1 client pids=() pid status=0

	shift
	for client; do
		on "$client" python3 "$here/pptpd-client.py" "$address" 5 "from $client" "$PATIENCE" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || status=1
	done
	return $status
}

no_way_inside
server client
server server1
adm masq -A -S 10.0.0.0/24
portfw -A -P tcp -L 198.51.100.1 1723 -R 10.0.0.11 1723
# The user engine lets GRE of no call go by its addresses, which does for one call.
on_kernel_engine check "without the helper no frames reach a server inside" fails calls 198.51.100.1 client
check "without it two clients do not both reach a server" fails calls 198.51.100.2 server1 server2
adm helper -A pptp
check "a client inside calls" calls 198.51.100.2 server1
check "two clients inside call one server" calls 198.51.100.2 server1 server2
check "two clients whose calls have the same number" same_number 198.51.100.2 server1 server2
check "a server inside is called" calls 198.51.100.1 client
finish
