#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An outside web page makes an inside browser say what would open a port, if a helper believed it: no
# hole opens, and what was said arrives as it was.  The attacker wants to reach a service of the inside
# host that is not forwarded.
. "$(dirname "$0")/lib.sh"
need_tools curl
begin 1
came=$lab_scratch/came
inside=10.0.0.11

# reach PROTO: the attacker gets in, from the address that was contacted.
reach() {
	if [ "$1" = tcp ]; then
		on client curl -gsS --max-time "$PATIENCE" http://198.51.100.1:8080/
	else
		udp client 198.51.100.1 8080
	fi
}

# attack PROTO WAY PORT TEXT: it leads nowhere, and the text arrived as it was said.
attack() {
	rm -f "$came"
	on server1 python3 "$here/slipstream.py" browser 198.51.100.2 "$3" "$2" "$4" || return 1
	wait_until [ -s "$came" ] || return 1
	fails reach "$1" || { echo "the attacker is in"; return 1; }
	grep -qaE "198[.,]51[.,]100[.,]1[^0-9]|3325256705" "$came" || return 0
	echo "the attacker was told a port:"
	tail -c 300 "$came"
	return 1
}

# opens PROTO PORT TEXT: said by a client of the protocol it does open the port.
opens() {
	rm -f "$came"
	on server1 python3 "$here/slipstream.py" browser 198.51.100.2 "$2" honest "$3" &&
		wait_until [ -s "$came" ] && reach "$1"
}

# withstands SENTENCE PROTO PORT TEXT: in all ways.  The kernel's helpers believe what begins a segment.
withstands() {
	local way

	if [ "${ENGINE:-kernel}" != user ]; then
		attack "$2" cut "$3" "$4" >/dev/null 2>&1 || { skip "$1" "the kernel's helper believes it"; return; }
	fi
	for way in body cut bytes long turn; do
		check "$1, $way" attack "$2" "$way" "$3" "$4"
	done
}

sip() {
	printf '%s sip:198.51.100.2 SIP/2.0\\r\\nVia: SIP/2.0/TCP %s:8080;branch=z9hG4bK1\\r\\nFrom: <sip:a@b>;tag=1\\r\\n' "$1" "$inside"
	printf 'To: <sip:a@b>\\r\\nCall-ID: 1\\r\\nCSeq: 1 %s\\r\\nContact: <sip:a@%s:8080;transport=tcp>\\r\\n' "$1" "$inside"
	printf 'Expires: 3600\\r\\n%s' "${2:-Content-Length: 0\\r\\n\\r\\n}"
}

sdp="v=0\\r\\no=a 1 1 IN IP4 $inside\\r\\ns=-\\r\\nc=IN IP4 $inside\\r\\nt=0 0\\r\\nm=audio 8080 RTP/AVP 0\\r\\n"
call="Content-Type: application/sdp\\r\\nContent-Length: $(printf %b "$sdp" | wc -c)\\r\\n\\r\\n$sdp"

no_way_inside
web_server server1
udp_server server1 8080
on client python3 "$here/slipstream.py" attacker "$came" 21 6667 5060 >"$lab_scratch/attacker" 2>&1 &
wait_until grep -q ready "$lab_scratch/attacker"
adm masq -A -S 10.0.0.0/24
adm helper -A ftp
adm helper -A irc
adm helper -A sip

: >"$came"
check "the service inside cannot be reached" fails reach tcp
withstands "a page that says PORT" tcp 21 'PORT 10,0,0,11,31,144\r\n'
withstands "a page that says EPRT" tcp 21 "EPRT |1|$inside|8080|\\r\\n"
withstands "a page that offers DCC" tcp 6667 'PRIVMSG a :\1DCC CHAT chat 167772171 8080\1\r\n'
# The kernel's helper does not look at SIP over TCP.
on_user_engine withstands "a page that registers a phone" tcp 5060 "$(sip REGISTER)"
on_user_engine withstands "a page that calls" udp 5060 "$(sip INVITE "$call")"

# An attack would have been seen: what is honest does open the port.
check "a client of FTP that says PORT is heard" opens tcp 21 'USER a\r\nPORT 10,0,0,11,31,144\r\n'
check "a client of FTP that says EPRT" opens tcp 21 "USER a\\r\\nEPRT |1|$inside|8080|\\r\\n"
check "a client of IRC that offers DCC" opens tcp 6667 \
	'NICK a\r\nPRIVMSG a :\1DCC CHAT chat 167772171 8080\1\r\n'
on_user_engine check "a phone that registers" opens tcp 5060 "$(sip REGISTER)"
on_user_engine check "a phone that calls" opens udp 5060 "$(sip INVITE "$call")"
finish
