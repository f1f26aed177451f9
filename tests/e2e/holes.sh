#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# PKT_ALIAS_PUNCH_FW: holes for what libalias's helpers await, through an operator's own ruleset
# that drops what it does not know.  punch.c stands for ipmasqd; packets are forwarded as they are.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
: "${PUNCH:?is the path of punch; make check sets it}"

mark=0x10000000

# start MARK BASE COUNT: a daemon with holes numbered so; its answers come by file descriptor 4.
start() {
	rm -f "$lab_scratch/to" "$lab_scratch/from"
	mkfifo "$lab_scratch/to" "$lab_scratch/from"
	on router "$PUNCH" "$@" <"$lab_scratch/to" >"$lab_scratch/from" &
	job=$!
	exec 3>"$lab_scratch/to" 4<"$lab_scratch/from"
	read -r -t "$PATIENCE" ready punch_pid <&4 && [ "$ready" = ready ]
}

answers() {
	local answer

	read -r -t "$PATIENCE" answer <&4 && [ "$answer" = "$1" ]
}

tell() {
	echo "$*" >&3 && answers "done"
}

stop() {
	exec 3>&- 4<&-
	wait "$job"
}

die() {
	kill -9 "$punch_pid"
	exec 3>&- 4<&-
	! wait "$job" 2>/dev/null
}

holes() {
	on router nft list set inet ipmasq holes
}

no_holes() {
	! holes | grep -q hole\ && ! on router nft list set inet ipmasq calls | grep -q hole\ ;
}

operator_drops() {
	on router nft -f - <<-EOF
		table inet filter {
			chain forward {
				type filter hook forward priority filter; policy drop;
				meta mark and $mark == $mark counter accept
			}
		}
	EOF
}

accepted() {
	on router nft list chain inet filter forward | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'
}

# connects SOURCE-PORT PORT: from the client to the inside host, which answers on any port.
connects() {
	on client python3 - "$@" <<-'EOF'
		import os, socket, struct, sys
		s = socket.socket()
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		s.settimeout(float(os.environ["PATIENCE"]))
		s.bind(("", int(sys.argv[1])))
		s.connect(("10.0.0.11", int(sys.argv[2])))
		s.sendall(b"hello")
		assert s.recv(16) == b"hello"
	EOF
}

serve() {
	on server1 python3 - "$1" <<-'EOF' &
		import socket, sys
		s = socket.create_server(("", int(sys.argv[1])))
		while True:
		    c, _ = s.accept()
		    try:
		        c.sendall(c.recv(16))
		    except OSError:
		        pass
		    c.close()
	EOF
	wait_until listens server1 -t "$1"
}

# gre NAMESPACE DESTINATION NUMBER: a GRE packet of a PPTP call.
gre() {
	on "$1" python3 - "$2" "$3" <<-'EOF'
		import socket, struct, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)
		s.sendto(struct.pack("!BBHHHI", 0x30, 1, 0x880b, 0, int(sys.argv[2]), 1), (sys.argv[1], 0))
	EOF
}

# counts N COMMAND...: so many packets more are accepted, and no more.
counts() {
	local expected=$(($1 + $(accepted)))

	shift
	"$@" && wait_until equals "$expected" accepted && sleep 0.3 && equals "$expected" accepted
}

begin 1
serve 4097
serve 4098
operator_drops
check "the ruleset drops what comes for an inside host" fails connects 20 4097
check "a daemon makes the sets and the table" start $mark 100 4
check "... with a listing that nft reads again" \
	on router bash -c 'nft list table inet ipmasq >"$0" && nft -c -f "$0"' "$lab_scratch/table"
check "a helper's connection has a hole" tell ftp 4097
check "... listed with its number" says '"hole 100"' holes
check "... with a time-out of its own" says "expires 1d" holes
check "... and both ends" says "tcp . 10.0.0.11 . 4097 . 198.51.100.2 . 20" holes
check "what goes through the hole passes the ruleset, both ways" connects 20 4097
check "another source port does not" fails connects 21 4097
check "nor another destination" fails connects 20 4098
check "several holes are open at once" tell ftp 4098
check "... for the second" connects 20 4098
check "... for the first" connects 20 4097
check "no packet is accepted that has no hole" counts 0 fails connects 22 4097
check "the holes go with their links" tell end
check "... from the sets" no_holes
check "... for traffic" fails connects 20 4097

check "a call of PPTP has its hole" tell call 4000
check "... for GRE that comes in" counts 1 gre client 10.0.0.11 4000
check "... and that goes out" counts 1 gre server1 198.51.100.2 7
check "... between these hosts only" counts 0 gre client 10.0.0.12 4000
check "a second call of the same hosts" tell call 4001
check "... ends" tell end-call 4001
check "... and leaves the first its hole" counts 1 gre client 10.0.0.11 4000
check "they go with the call" tell end
check "... for traffic" counts 0 gre client 10.0.0.11 4000

check "more holes than numbers are not made" tell ftp 4100
tell ftp 4101 && tell ftp 4102 && tell ftp 4103 && tell ftp 4104
check "... there are four" equals 4 bash -c 'nsenter --net="/run/netns/$0" nft list set inet ipmasq holes | grep -c "hole 10"' "$lab-router"
check "a daemon that is killed leaves its holes" die
check "... there are four yet" says "hole 103" holes
check "the next one clears those of its numbers" start $mark 100 2
check "... those" fails says "hole 101" holes
check "... and no others" says "hole 103" holes
check "a hole that was left is taken over" tell ftp 4103
check "... under the new number" fails says "hole 103" holes
check "a daemon that stops closes its holes" stop
check "... no hole of its is there" fails says "hole 100" holes

check "without a mark the holes are listed only" start 0 100 4
check "... one" tell ftp 4097
check "... listed" says "4097" holes
check "... which the ruleset does not see" fails connects 20 4097
on router nft delete table inet ipmasq
check "a table that somebody deletes is made again" tell ftp 4098
check "... with the hole" says "4098" holes
check "rules beside them are listed and changed as ever" \
	portfw -A -P tcp -L 198.51.100.1 8080 -R 10.0.0.11 80
check "... and they alone" equals "tcp 198.51.100.1 10.0.0.11 8080 80 10 10" rules
check "ipmasqadm flush leaves the holes" clear_rules
check "... there" says "4098" holes
stop
on router nft delete table inet ipmasq
on router nft add table inet ipmasq
check "a table of another program's is left alone" fails_with 1 "did not make" on router "$PUNCH" "$mark" 100 4
finish
