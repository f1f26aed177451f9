#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Calls of SIP phones (Debian's sipp, sip-caller.xml and sip-called.xml) with sound both ways.  Each
# end hears what comes to the port of its description; the two seconds of a call are 100
# packets.
. "$(dirname "$0")/lib.sh"
need_tools sipp
begin 2
mkdir "$lab_scratch/sipp" && cd "$lab_scratch/sipp" && head -c 16000 /dev/zero >media

# Packets of sound that have come to a namespace since the last question.
heard() {
	on "$1" nft reset counter ip heard sound | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}

for namespace in client server1 server2; do
	on "$namespace" nft -f - <<-END
		table ip heard {
			counter sound { }
			chain input {
				type filter hook input priority 0
				udp dport 20000-20010 counter name sound
			}
		}
	END
done

# phone NAMESPACE SCENARIO LOG PORT [OPTION...]: one end of a call, that signals by that port.
phone() {
	local address=10.0.0.1${1#server}

	[ "$1" != client ] || address=198.51.100.2
	on "$1" timeout $((PATIENCE + 6)) sipp -sf "$here/sip-$2.xml" -i "$address" -p "$4" -mp 20000 -nostdin "${@:5}" \
		>"$3" 2>&1 </dev/null
}

# call CALLED ADDRESS CALLER... [-t t1]: each caller calls, all at once; everybody has heard the other.
call() {
	local called=$1 address=$2 callers=() namespace log pids=() heard status=0

	shift 2
	while [ $# -gt 0 ] && [ "$1" != -t ]; do
		callers+=("$1")
		shift
	done
	for namespace in "$called" "${callers[@]}"; do
		heard "$namespace" >/dev/null
	done
	phone "$called" called called.log 5060 -m ${#callers[@]} "$@" &
	pids+=($!)
	wait_until listens "$called" "$([ $# = 0 ] && echo -u || echo -t)" 5060
	for namespace in "${callers[@]}"; do
		phone "$namespace" caller "$namespace.log" "${caller_port:-5060}" -m 1 "$@" "$address:5060" &
		pids+=($!)
	done
	for log in called "${callers[@]}"; do
		wait "${pids[0]}" || { echo "$log failed"; tail -n 15 "$log.log"; status=1; }
		pids=("${pids[@]:1}")
	done
	for namespace in "$called" "${callers[@]}"; do
		heard=$(heard "$namespace")
		echo "$namespace has heard $heard"
		[ "$heard" -ge 40 ] || status=1
	done
	return $status
}

no_way_inside
adm masq -A -S 10.0.0.0/24
# A conversation that has begun without the helper has none: so this is another than those below.
caller_port=5070
check "without the helper an inside caller hears nothing" \
	fails call client 198.51.100.2 server1
caller_port=
adm helper -A sip
check "an inside caller and the phone outside hear one another" call client 198.51.100.2 server1
# The kernel's helper lets one of them hear both.
on_user_engine check "two inside callers by the same ports do" call client 198.51.100.2 server1 server2
portfw -A -P udp -L 198.51.100.1 5060 -R 10.0.0.11 5060
check "a phone inside is called from outside" call server1 198.51.100.1 client
if [ "${ENGINE:-kernel}" = user ]; then
	# Ports of their own: no call is in the way of the next by what TCP remembers (TIME-WAIT).
	caller_port=5072
	check "signalling may go by TCP" call client 198.51.100.2 server1 -t t1
	portfw -A -P tcp -L 198.51.100.1 5060 -R 10.0.0.11 5060
	caller_port=5073
	check "to a phone inside, too" call server1 198.51.100.1 client -t t1
fi
adm helper -D sip
caller_port=5071
check "without the helper a phone inside is not heard from outside" fails call server1 198.51.100.1 client
finish
