#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Protocol helpers watch the ports that they were given, and no others.
. "$(dirname "$0")/lib.sh"
need_tools conntrack
begin 1
on_kernel_engine on router nft -f - <<-END 2>/dev/null || skip_all "this kernel has no helper for ftp"
	table inet probe {
		ct helper probe { type "ftp" protocol tcp; }
	}
	delete table inet probe
END

helper() {
	adm helper "$@"
}

# The listing without its heading, one blank between the columns.
listing() {
	helper -L -n | tail -n +2 | tr -s ' ' | sed 's/^ //'
}

round_trip() {
	local file=$lab_scratch/rules

	adm save "$file" && adm flush && equals "" listing && adm restore "$file" &&
		adm save "$file.2" && cmp "$file" "$file.2"
}

# ftp SERVER MODE PORT CLIENT ADDRESS PORT: a session; prints what the server and the client say.
ftp() {
	local log=$lab_scratch/ftp

	: >"$log" # the last one was ready, too
	on "$1" python3 "$here/ftp.py" "$2-server" "$3" >"$log" 2>&1 &
	wait_until grep -q ready "$log"
	on "$4" python3 "$here/ftp.py" "$2-client" "$5" "$6" 2>&1
	wait $! 2>/dev/null
	cat "$log"
}

adm masq -A -S 10.0.0.0/24
check "without the helper the inside address is in the words of FTP" \
	says "PORT 10,0,0,11" ftp client active 21 server1 198.51.100.2 21
check "-A takes a helper on its usual port" helper -A ftp
check "the listing shows it" equals "ftp 0" listing
check "active FTP of an inside client: the server outside is told the router's address" \
	says "PORT 198,51,100,1" ftp client active 21 server1 198.51.100.2 21
check "its data comes through" says "data" ftp client active 21 server1 198.51.100.2 21
check "a port that was not given is not watched" \
	says "PORT 10,0,0,11" ftp client active 2121 server1 198.51.100.2 2121
check "ports= gives other ports" helper -A ftp ports=2121,2100
check "the listing shows each" equals $'ftp 2121\nftp 2100' listing
check "the given port is watched" \
	says "PORT 198,51,100,1" ftp client active 2121 server1 198.51.100.2 2121
check "the usual one is not any more" \
	says "PORT 10,0,0,11" ftp client active 21 server1 198.51.100.2 21
check "the same ports in other words change the rule, too" eval 'helper -A ftp && helper -A ftp ports=21'
portfw -A -P tcp -L 198.51.100.1 21 -R 10.0.0.11 21
check "an FTP server behind the router: the client is told the router's address" \
	says "(198,51,100,1," ftp server1 passive 21 client 198.51.100.1 21
check "and reaches its data by it" says $'.\ndata' ftp server1 passive 21 client 198.51.100.1 21
check "an active client outside gets data from the address that it called" \
	says "data from 198.51.100.1" ftp server1 active 21 client 198.51.100.1 21
check "by another port outside, too" eval 'portfw -A -P tcp -L 198.51.100.1 2121 -R 10.0.0.11 21 &&
	says "(198,51,100,1," ftp server1 passive 21 client 198.51.100.1 2121'
check "save, flush, restore, save are the same bytes" round_trip
kernel_check "each helper of the kernel can be had" eval '
	for name in irc pptp sip tftp amanda sane snmp netbios-ns h323; do helper -A $name || exit 1; done &&
	equals 10 eval "listing | wc -l"'
user_check "each helper of the user engine can be had" eval '
	for name in irc pptp sip tftp netbios cuseeme quake raudio vdolive rtsp pna skinny; do
		helper -A $name || exit 1
	done && equals 13 eval "listing | wc -l"'
kernel_check "h323 with another port is changed, both of its helpers" eval 'helper -A h323 ports=1721 &&
	on router nft list chain inet ipmasq helper_helper | grep "udp dport 1719" &&
	on router nft list chain inet ipmasq helper_helper | grep "tcp dport 1721"'
check "they go through save and restore" round_trip
kernel_check "nft can load what it lists" nft_loads_its_listing
check "-D takes one" eval 'helper -D irc && fails eval "listing | grep irc"'
kernel_check "its object is gone, too" equals 0 eval 'on router nft list ruleset | grep -c irc; true'
check "-D of what is not there fails" refuses 1 '`helper -A irc`' helper -D irc
check "-F takes all, and nobody else's" eval 'helper -F && equals "" listing &&
	says "198.51.100.1" portfw -L -n && says "10.0.0.0/24" adm masq -L -n'
check "--json has numbers" equals 21 eval 'helper -A ftp ports=21 && helper -L --json |
	python3 -c "import json, sys; print(json.load(sys.stdin)[\"helper\"][0][\"port\"])"'
check "--dry-run shows what would change" equals "- helper -A ftp ports=21" helper --dry-run -D ftp

for name in quake cuseeme raudio vdolive rtsp; do
	kernel_check "$name is refused, naming who has it" refuses 1 "ipmasqd" helper -A "$name"
done
for name in amanda sane snmp netbios-ns h323; do
	user_check "$name is refused, naming what there is" \
		refuses 1 "the user engine has no helper '$name', only ftp, irc, " helper -A "$name"
done
check "a name that cannot be one is refused" refuses 2 "'f/tp'" helper -A f/tp
check "port 0 is refused" refuses 2 "'0'" helper -A ftp ports=0
check "a port with junk is refused" refuses 2 "'21x'" helper -A ftp ports=21x
check "an empty port is refused" refuses 2 "''" helper -A ftp ports=21,
check "a port twice is refused" refuses 2 "'21' is given twice" helper -A ftp ports=21,21
check "nine ports are refused" refuses 2 "'9'" helper -A ftp ports=1,2,3,4,5,6,7,8,9
check "another word is refused" refuses 2 "'prots=21'" helper -A ftp prots=21
check "a missing name is refused" refuses 2 "-A needs NAME" helper -A
check "two commands are refused" refuses 2 "multiple commands specified" helper -F -L
check "no command is refused" refuses 2 "no command" helper -n
finish
