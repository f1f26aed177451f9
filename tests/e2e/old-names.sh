#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The programs of Linux 2.0 by their names: ipportfw and ipautofw, as somebody typed them in 1997.
. "$(dirname "$0")/lib.sh"
begin 2
web_server server1 && web_server server2

bin=${IPMASQADM%/*}
ipportfw() {
	on router "$bin/ipportfw" "$@"
}

ipautofw() {
	on router "$bin/ipautofw" "$@"
}

heading="Prot Local Addr/Port > Remote Addr/Port"
check "the lines of the old manual: -C" ipportfw -C
check "... -A -t" ipportfw -A -t194.160.1.1/80 -R 10.0.0.2/80
check "... -A -u" ipportfw -A -u194.160.1.1/525 -R 10.0.0.2/525
check "... -L, to the letter" equals "$heading
TCP 194.160.1.1/80 > 10.0.0.2/80
UDP 194.160.1.1/525 > 10.0.0.2/525" ipportfw -L
check "they are portfw's" equals "tcp 194.160.1.1 10.0.0.2 80 80 10 10
udp 194.160.1.1 10.0.0.2 525 525 10 10" rules
check "... whose JSON it has" says '"localaddr": "194.160.1.1"' ipportfw -L --json
check "-D takes one away" ipportfw -D -t 194.160.1.1/80
check "... and leaves the other" equals "$heading
UDP 194.160.1.1/525 > 10.0.0.2/525" ipportfw -L
check "-D of what is not there fails" refuses 1 "no forward of tcp 194.160.1.1 port 80" \
	ipportfw -D -t 194.160.1.1/80
check "-C clears what portfw has made, too" portfw -A -P tcp -L 198.51.100.1 81 -R 10.0.0.11 80
check "... all of it" ipportfw -C
check "... which leaves the heading" equals "$heading" ipportfw -L

check "a forward by its words" ipportfw -A -t 198.51.100.1/8080 -R 10.0.0.11/80
check "... forwards" equals server1 get client http://198.51.100.1:8080/
check "any address of this machine" ipportfw -A -t0.0.0.0/8081 -R10.0.0.12/80
check "... is forwarded" equals server2 get client http://198.51.100.10:8081/
check "IPv6" ipportfw -A -t "[2001:db8:1::1]/8082" -R "[fd00:1::11]/80"
check "... is forwarded" equals server1 get client "http://[2001:db8:1::1]:8082/"
check "a name, where a number may be" ipportfw -A -u 198.51.100.1/tftp -R 10.0.0.11/tftp
check "... is listed as its number" says "UDP 198.51.100.1/69 > 10.0.0.11/69" ipportfw -L

check "-h" says "-A -t|-u LADDR/LPORT -R RADDR/RPORT" ipportfw -h
check "--dry-run shows portfw's line" equals "+ portfw -A -P tcp -L 198.51.100.1 1 -R 10.0.0.11 2" \
	ipportfw -A -t198.51.100.1/1 -R10.0.0.11/2 --dry-run
check "no command" refuses 2 "ipportfw: no command: give one of -A, -D, -C, -L" ipportfw
check "a bad port" refuses 2 "ipportfw: '80x'" ipportfw -A -t 198.51.100.1/80x -R 10.0.0.11/80
check "neither -t nor -u" refuses 2 "ipportfw: -t or -u" ipportfw -A -R 10.0.0.11/80
check "both" refuses 2 "ipportfw: -t and -u" ipportfw -D -t 1.2.3.4/1 -u 1.2.3.4/1
check "no -R" refuses 2 "ipportfw: -R with" ipportfw -A -t 198.51.100.1/80
check "-R with -D" refuses 2 "-R does not go with -D" ipportfw -D -t 198.51.100.1/80 -R 10.0.0.11/80
check "an option of the dispatcher is none of its own" refuses 2 "there is no option '-V'" ipportfw -V

clear_rules
cat >"$lab_scratch/rules" <<-END
	ipportfw -A -t198.51.100.1/80 -R 10.0.0.11/80
	portfw -A -P tcp -L 198.51.100.1 81 -R 10.0.0.11 80
END
check "its lines may stand in a rules file" adm restore "$lab_scratch/rules"
check "... which is saved in portfw's words" equals \
	"portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.11 80
portfw -A -P tcp -L 198.51.100.1 81 -R 10.0.0.11 80" bash -c '"$0" "$@" | tail -n +2' \
	nsenter --net="/run/netns/$lab-router" "$IPMASQADM" save
check "... and a wrong one is named" refuses 2 ":1: ipportfw: -R with" bash -c '
	echo "ipportfw -A -t1.2.3.4/5" | "$0" "$@"' \
	nsenter --net="/run/netns/$lab-router" "$IPMASQADM" restore -

clear_rules
check "ipautofw -A" ipautofw -A -r udp 27000 27050 -h 10.0.0.12
check "... is autofw" says "27050" adm autofw -L -n
check "... -L" says "27050" ipautofw -L -n
check "... -h alone is help" says "autofw -A -r PROTO LOW HIGH -h HOST" ipautofw -h
check "... -D" ipautofw -D -r udp 27000 27050 -h 10.0.0.12
check "... nothing is left" fails says "27050" ipautofw -L -n
check "... and wrong words are named" refuses 2 "autofw: one of -r, -d and -p is needed" ipautofw -A
check "a path before the name is no part of it" says "Prot Local" on router bash -c \
	'cd "$0" && ./ipportfw -L' "$bin"
finish
