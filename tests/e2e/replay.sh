#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# replay runs a capture through the engine and tells what each flow became.
. "$(dirname "$0")/lib.sh"
need_tools curl python3 tcpdump
begin 1
web_server server1
capture=$lab_scratch/in.pcap output=$lab_scratch/out.pcap file=$lab_scratch/rules
echo "portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
masq -A -S 10.0.0.0/24" >"$file"

replay() {
	"$IPMASQADM" replay "$@"
}

# A real conversation as the outside interface of the router saw it.
capture_conversation() {
	adm restore "$file" || return 1
	nsenter --net="/run/netns/$lab-router" tcpdump --immediate-mode -U -i outside -w "$capture" tcp >"$lab_scratch/tcpdump" 2>&1 &
	wait_until grep -q "listening on" "$lab_scratch/tcpdump"
	get client http://198.51.100.1:8000/ >/dev/null
	wait_until equals 2 ends
	kill $!
	wait $!
	adm flush
}

# How many FINs have been captured.
ends() {
	tcpdump -r "$capture" 'tcp[13] & 1 != 0' 2>/dev/null | wc -l
}

flows_of() {
	replay -n --json "$@" | python3 -c '
import json, sys
for flow in json.load(sys.stdin)["flows"]:
    print(flow["prot"], flow["source"], flow["dest"], flow["dport"], flow["verdict"],
          flow["newsource"], flow["newdest"], flow["newdport"], flow["rule"])'
}

flows_words() {
	flows_of "$@" | cut -d " " -f 3,5
}

addresses() {
	tcpdump -n -r "$output" 2>/dev/null | sed -n 's/^.* IP \([0-9.]*\)\.[0-9]* > \([0-9.]*\)\..*/\1 \2/p' | sort -u
}

check "a conversation is captured" capture_conversation
check "its requests became the inside host's" says \
	"tcp 198.51.100.2 198.51.100.1 8000 translated 198.51.100.2 10.0.0.11 80 portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80" \
	flows_of "$capture" -r "$file" -i 198.51.100.1
check "what left with the outside address had been translated" says \
	"198.51.100.2 unchanged" flows_words "$capture" -r "$file" -i 198.51.100.1
check "without a rule nothing becomes of them" says \
	"tcp 198.51.100.2 198.51.100.1 8000 unchanged 198.51.100.2 198.51.100.1 8000 -" \
	flows_of "$capture" -r /dev/null -i 198.51.100.1
check "-w writes what left, and all that came" eval 'replay "$capture" -w "$output" -r "$file" -i 198.51.100.1 >/dev/null &&
	addresses | grep -qx "198.51.100.2 10.0.0.11" &&
	[ "$(tcpdump -r "$capture" 2>/dev/null | wc -l)" = "$(tcpdump -r "$output" 2>/dev/null | wc -l)" ]'
check "the packets that it wrote have right checksums" fails eval \
	'tcpdump -n -vv -r "$output" "dst host 10.0.0.11 and tcp[13] & 7 != 0" 2>/dev/null | grep -q incorrect'
check "a sum closes the listing" says " packets: " replay "$capture" -r "$file" -i 198.51.100.1

python3 - "$lab_scratch/made.pcap" "$lab_scratch/ftp.pcap" <<-'END'
	import struct, sys

	def checksum(data):
	    if len(data) % 2:
	        data += b"\0"
	    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
	    while total >> 16:
	        total = (total & 0xffff) + (total >> 16)
	    return ~total & 0xffff

	def ip(source, destination, proto, payload, ident=1, offset=0):
	    pack = lambda text: bytes(int(part) for part in text.split("."))
	    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, offset, 64, proto, 0,
	                         pack(source), pack(destination))
	    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload

	def udp(sport, dport, data=b"x"):
	    return struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data

	packets = [
	    (0, ip("10.0.0.11", "203.0.113.9", 17, udp(5000, 53))),
	    (1, ip("203.0.113.9", "198.51.100.1", 17, udp(53, 5000))),
	    (2, ip("203.0.113.66", "198.51.100.1", 17, udp(53, 5000))),   # not who was asked
	    (1000, ip("203.0.113.9", "198.51.100.1", 17, udp(53, 5000))), # after the time-out
	    (1001, b"\x60" + b"\0" * 39),                                 # IPv6
	    (1002, ip("10.0.0.11", "203.0.113.9", 17, udp(5001, 53))[:24]),
	]
	def tcp(sport, dport, flags, seq, ack, data=b""):
	    return struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65535, 0, 0) + data

	# Active FTP: what the client announces, and the server's connection there.
	ftp = [
	    (0, ip("10.0.0.11", "203.0.113.9", 6, tcp(3000, 21, 2, 99, 0))),
	    (0, ip("203.0.113.9", "198.51.100.1", 6, tcp(21, 3000, 18, 499, 100))),
	    (0, ip("10.0.0.11", "203.0.113.9", 6, tcp(3000, 21, 24, 100, 500, b"PORT 10,0,0,11,16,1\r\n"))),
	    (0, ip("203.0.113.9", "198.51.100.1", 6, tcp(20, 4097, 2, 1, 0))),
	]

	def write(name, packets):
	    with open(name, "wb") as out:
	        out.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
	        for when, packet in packets:
	            length = len(packet) if when != 1002 else 200
	            out.write(struct.pack("=IIII", 1000000 + when, 0, len(packet), length) + packet)

	write(sys.argv[1], packets)
	write(sys.argv[2], ftp)
END
made() {
	flows_of "$lab_scratch/made.pcap" -r "$file" -i 198.51.100.1
}
check "a datagram that leaves is masqueraded" says \
	"udp 10.0.0.11 203.0.113.9 53 translated 198.51.100.1 203.0.113.9 53 masq -A -S 10.0.0.0/24" made
check "its answer finds the way back" says "udp 203.0.113.9 198.51.100.1 5000 translated 203.0.113.9 10.0.0.11 5000" made
check "a stranger's does not" says "udp 203.0.113.66 198.51.100.1 5000 unchanged" made
check "the capture's clock counts: after the time-out the answer is late" says \
	"6 packets: 2 translated, 2 unchanged, 0 dropped, 0 held, 1 not IPv4, 1 cut short" \
	replay -n "$lab_scratch/made.pcap" -r "$file" -i 198.51.100.1

{ cat "$file"; echo "helper -A ftp"; } >"$file.ftp"
check "what a helper has awaited is by the helper's rule" says \
	"tcp 203.0.113.9 198.51.100.1 4097 translated 203.0.113.9 10.0.0.11 4097 helper -A ftp" \
	flows_of "$lab_scratch/ftp.pcap" -r "$file.ftp" -i 198.51.100.1
check "... and its control connection by what masquerades it" says \
	"tcp 10.0.0.11 203.0.113.9 21 translated 198.51.100.1 203.0.113.9 21 masq -A -S 10.0.0.0/24" \
	flows_of "$lab_scratch/ftp.pcap" -r "$file.ftp" -i 198.51.100.1
check "no capture is named" fails_with 2 "name the capture" replay -r "$file" -i 198.51.100.1
check "a capture that is not there is named" fails_with 1 "cannot read $lab_scratch/none: No such file" \
	replay "$lab_scratch/none" -r "$file" -i 198.51.100.1
check "what is no capture is refused, by name" fails_with 1 "cannot read $file: unknown file format" \
	replay "$file" -r "$file" -i 198.51.100.1
check "rules that are not there are named, by the command" fails_with 1 "replay: cannot read $lab_scratch/none: " \
	replay "$capture" -r "$lab_scratch/none" -i 198.51.100.1
echo "portfw -A -P sctp -L 198.51.100.1 8000 -R 10.0.0.11 80" >"$file.sctp"
check "a rule that only the kernel engine can do is left out, says the command" says \
	"replay: rules that only the kernel engine can do are left out: 1" \
	replay -n "$capture" -r "$file.sctp" -i 198.51.100.1
check "the outside address is needed" fails_with 2 "-i" replay "$capture" -r "$file"
check "an address that is none is named" fails_with 2 "'nowhere.'" replay "$capture" -r "$file" -n -i nowhere.
check "a word too many is named" fails_with 2 "extra" replay "$capture" extra -r "$file" -i 198.51.100.1
check "an option without its value is named" fails_with 2 "-w needs a value" \
	replay "$capture" -i 198.51.100.1 -w
check "an option that there is not is named" fails_with 2 "there is no option '-x'; usage: " replay "$capture" -x -i 198.51.100.1
check "an option that is given twice is named" fails_with 2 "-i is given twice" \
	replay "$capture" -i 198.51.100.1 -i 198.51.100.2
check "standard output has the listing, no capture" fails_with 2 "-w needs a file" \
	replay "$capture" -w - -i 198.51.100.1
check "the capture that is read is not written over" eval 'cp "$capture" "$lab_scratch/copy.pcap" &&
	fails_with 1 "name another one" replay "$capture" -w "$capture" -r "$file" -i 198.51.100.1 &&
	cmp "$capture" "$lab_scratch/copy.pcap"'

# A frame of LINUX_SLL2 that ends in its link header, behind one whose bytes still lie in the buffer.
python3 - "$lab_scratch/short.pcap" <<-'END'
	import struct, sys

	with open(sys.argv[1], "wb") as out:
	    out.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 276))
	    for packet in b"\x45\0\x10\0" * 2000, b"\x08\0", b"\x08\0" + b"\0" * 17:
	        out.write(struct.pack("=IIII", 1, 0, len(packet), len(packet)) + packet)
END
check "a frame shorter than its link header is no datagram" says "3 packets: 0 translated, 0 unchanged, 0 dropped, 0 held, 3 not IPv4" \
	replay "$lab_scratch/short.pcap" -r /dev/null -i 198.51.100.1
head -c -7 "$capture" >"$lab_scratch/cut.pcap"
check "a capture that ends within a packet is an error" eval '
	replay "$lab_scratch/cut.pcap" -r "$file" -i 198.51.100.1 >"$lab_scratch/cut" 2>"$lab_scratch/why"
	[ $? = 1 ] && grep -q "cannot read $lab_scratch/cut.pcap: truncated" "$lab_scratch/why"'
check "what came before is told" eval '
	all=$(replay "$capture" -r "$file" -i 198.51.100.1 | tail -n 1) &&
	equals "$((${all%% *} - 1))" eval "tail -n 1 \"\$lab_scratch/cut\" | cut -d \" \" -f 1"'
finish
