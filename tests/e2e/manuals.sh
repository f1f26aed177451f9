#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every line of the manuals' EXAMPLES does what the page says: it is run, on a router that has the
# addresses of the pages, and what is shown below it is what it prints.  /etc is a copy, so that
# files are written as the page says.  Where the page shows traffic, there is traffic, and its figures
# (packets, ports, seconds) are what may differ.
. "$(dirname "$0")/lib.sh"
need_tools unshare mount curl
begin 2
man=$here/../../man
etc=$lab_scratch/etc bin=$lab_scratch/bin
pages="ipmasqadm ipmasqadm-addrfw ipmasqadm-autofw ipmasqadm-helper ipmasqadm-masq ipmasqadm-mfw
	ipmasqadm-portfw ipmasqadm-proxy ipportfw ipautofw"

# What a page takes for granted: files of /etc, the programs by their names, and
# `generate-forwards`, the program of whoever reads it.
copy_etc() {
	mkdir "$etc" "$bin" && cp -L /etc/services /etc/protocols "$etc" || return 1
	echo "hosts: files" >"$etc/nsswitch.conf"
	ln -s "$IPMASQADM" "$bin/ipmasqadm"
	ln -s "$IPMASQADM" "$bin/ipportfw"
	ln -s "$IPMASQADM" "$bin/ipautofw"
	printf '#!/bin/sh\necho portfw -A -P tcp -L 192.0.2.1 82 -R 10.0.0.11 82\n' \
		>"$bin/generate-forwards"
	chmod 755 "$bin/generate-forwards"
}

# The addresses of the pages, and a line outside, ppp0, that leads nowhere.
add_addresses() {
	local address

	ip -n "$lab-router" link add ppp0 type veth peer name nowhere &&
		ip -n "$lab-router" link set ppp0 up && ip -n "$lab-router" link set nowhere up || return 1
	for address in 192.0.2.1 192.0.2.2 192.0.2.10 192.0.2.25 194.160.1.1; do
		ip -n "$lab-router" address add "$address/32" dev ppp0 || return 1
	done
	ip -n "$lab-router" address add 192.168.1.1/24 dev inside &&
		ip -n "$lab-server1" address add 192.168.1.7/24 dev eth0
}

copy_etc && add_addresses || skip_all "the addresses of the pages cannot be had"
web_server server1 && web_server server2 || skip_all "the web servers did not start"

# examples PAGE: the lines of the displays in its EXAMPLES, as the page shows them.
examples() {
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$man/$1.8" |
		sed -n '/^\.Bd -literal/,/^\.Ed/{/^\.[BE]d/d;p}' |
		sed 's/\\&//g; s/\\-/-/g; s/\\(aq/'"'"'/g; s/\\e/\\/g'
}

# typed COMMAND: runs what is behind the prompt, on the router, with the copy of /etc.
typed() {
	on router unshare --mount env PATH="$bin:$PATH" bash -c 'mount --bind "$0" /etc && eval "$1"' \
		"$etc" "$1"
}

# One blank between words; with `figures` every number is N, and so is an address.
plain() {
	local figures=

	[ "$1" = exact ] || figures='s/[0-9]+/N/g'
	sed -E -e 's/[ \t]+/ /g; s/^ //; s/ $//' -e "$figures"
}

# prints EXPECTED COMMAND: it succeeds, and prints that.  Of JSON a page may show a part.
prints() {
	local got how=exact line

	got=$(typed "$2" 2>&1) || { echo "failed: $got"; return 1; }
	case $2 in
	*--json*)
		while IFS= read -r line; do
			[[ $got == *"${line%%:*}"* ]] || { echo "no '$line' in $got"; return 1; }
		done <<<"$1"
		return 0 ;;
	*" -v"* | *"masq -C"* | *"autofw -L"*) how=figures ;;
	esac
	equals "$(plain $how <<<"$1")" plain $how <<<"$got"
}

fetch_pages() {
	local i

	for ((i = 0; i < 32; i++)); do
		get client http://192.0.2.1/ || return 1
	done
}

# What has happened before a line, where the page says so.
traffic_before() {
	case $1 in
	*"portfw -L -n -v") fetch_pages ;;
	*"autofw -L -n")
		fails on server1 bash -c ': </dev/tcp/198.51.100.2/7070' 2>/dev/null ;;
	*"masq -C -n -S 192.168.1.7")
		ip -n "$lab-router" route add 198.51.100.2/32 dev ppp0
		on server1 python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.168.1.7", 45001)); s.sendto(b"?", ("198.51.100.2", 53))'
		ip -n "$lab-router" route delete 198.51.100.2/32 dev ppp0 ;;
	esac
}

# run_example PAGE COMMAND EXPECTED
run_example() {
	[ -n "$2" ] || return 0
	case $2 in
	*"portfw -L -n -v" | *"autofw -L -n" | *"masq -C -n -S 192.168.1.7")
		check "$1: the traffic that the page speaks of" traffic_before "$2" ;;
	esac
	check "$1: ${2%%$'\n'*}" prints "${3%$'\n'}" "$2"
}

# run_page PAGE: its examples from the first to the last.  A here-document belongs to its command, and
# what is typed into the shell of ipmasqadm goes there by a pipe.
run_page() {
	local line command="" expected="" document=""

	clear_rules
	while IFS= read -r line; do
		if [ -n "$document" ]; then
			command+=$'\n'$line
			[ "$line" != END ] || document=
		elif [[ $line == "ipmasqadm"*"> "* ]]; then
			[ "$command" != ipmasqadm ] || command=": | ipmasqadm"
			command="{ ${command%| ipmasqadm}; echo '${line#*> }'; } | ipmasqadm"
		elif [[ $line == "# "* && $line != "# ipmasqadm rules, "* ]]; then
			run_example "$1" "$command" "$expected"
			command=${line#\# } expected=
			[[ $command != *"<<END" ]] || document=yes
		else
			expected+=$line$'\n'
		fi
	done < <(examples "$1")
	run_example "$1" "$command" "$expected"
}

# diagnostics PAGE: the messages that the page explains.
diagnostics() {
	sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh [^D]/s/^\.It //p' "$man/$1.8" | sed 's/\\&//g; s/\\-/-/g'
}

# What makes a message: a command line, or the test that has a whole stage for it.
cause() {
	local forward="portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.11 80"

	case $1 in
	"addrfw: 10.0.0.11 has the public"*)
		echo "ipmasqadm addrfw -A -L 192.0.2.10 -R 10.0.0.11
			ipmasqadm addrfw -A -L 192.0.2.2 -R 10.0.0.11" ;;
	"autofw: -h and -c exclude"*)
		echo "ipmasqadm autofw -A -r tcp 1 2 -h 10.0.0.11 -c tcp 3" ;;
	"autofw: there is no rule"*) echo "ipmasqadm autofw -D -p tcp 80 10.0.0.11:80" ;;
	"mfw: mark '0'"*) echo "ipmasqadm mfw -A -m 0 -r 10.0.0.11" ;;
	"mfw: no host of mark 1"*) echo "ipmasqadm mfw -D -m 1" ;;
	"portfw: '80x'"*) echo "ipmasqadm portfw -A -P tcp -L 192.0.2.1 80x -R 10.0.0.11 80" ;;
	"portfw: multiple commands"*) echo "ipmasqadm portfw -A -D" ;;
	"portfw: no forward"*) echo "ipmasqadm portfw -D -P tcp -L 192.0.2.1 80" ;;
	"--dry-run is for a whole"*) printf "printf 'begin\\\\n%s --dry-run\\\\ncommit\\\\n' | ipmasqadm" "$forward" ;;
	"begin: there is no commit"*) printf "printf 'begin\\\\n%s\\\\n' | ipmasqadm" "$forward" ;;
	"cannot reach ipmasqd"*) echo "ipmasqadm -e /nowhere portfw -L" ;;
	"WORD cannot be sent"*) echo "ipmasqadm -e /nowhere portfw -L '#'" ;;
	"begin: ipmasqd has"*) echo "echo begin | ipmasqadm -e /nowhere" ;;
	"ipportfw: -t or -u with"*) echo "ipportfw -A -R 10.0.0.11/80" ;;
	"ipportfw: -t and -u exclude"*) echo "ipportfw -D -t 192.0.2.1/80 -u 192.0.2.1/80" ;;
	"ipportfw: -R with"*) echo "ipportfw -A -t 192.0.2.1/80" ;;
	"no permission"*)
		echo "setpriv --bounding-set=-net_admin --inh-caps=-net_admin ipmasqadm $forward" ;;
	"there is a table inet ipmasq"*) echo "nft add table inet ipmasq; ipmasqadm $forward" ;;
	*"cannot be sent to ipmasqd") echo "ipmasqadm -e ./nobody.sock portfw ''" ;;
	"ipmasqd at NAME went away"*) echo "ipmasqd-control.sh" ;;
	"there is no module"*) echo "ipmasqadm nosuch" ;;
	*"can be written by others" | *"belongs to user"* | *"plugin ABI"*) echo "loader.sh" ;;
	"the change is made"*) # two sockets more than there may be
		echo "ipmasqadm portfw -A -P udp -L 192.0.2.1 53 -R 10.0.0.11 53
			ulimit -n 5; ipmasqadm portfw -D -P udp -L 192.0.2.1 53" ;;
	"ipmasqd at SOCKET went away"*) echo "ipmasqd-control.sh" ;;
	"this kernel cannot"* | "too many changes"* | "other programs change"*) echo "../unit/test_kernel_messages.c" ;;
	esac
}

# longest_part MESSAGE: of what stands between the words that stand for others.
longest_part() {
	sed -E "s/'?(FILE|NAME|DIRECTORY|SOCKET|WORD|\\bN\\b)'?/\n/g" <<<"$1" | sed 's/^ *//; s/ *$//' |
		awk 'length > length(longest) { longest = $0 } END { print longest }'
}

# causes MESSAGE COMMAND: it fails, and says so.
causes() {
	local text got

	got=$(typed "$2" 2>&1) && { echo "it did not fail: $got"; return 1; }
	text=$(longest_part "$1")
	[[ $got == *"$text"* ]] || { echo "nothing of '$text' in: $got"; return 1; }
}

check_diagnostic() {
	local cause

	cause=$(cause "$2")
	clear_rules
	case $cause in
	"") check "$1: '$2' has a test" false ;;
	*.sh | *.c)
		check "$1: '$2' is tested by $cause" grep -qF -- "$(longest_part "$2")" "$here/$cause" ;;
	*) check "$1: '$2'" causes "$2" "$cause" ;;
	esac
	on router nft delete table inet ipmasq 2>/dev/null
}

for page in $pages; do
	run_page "$page"
done
for page in $pages; do
	while IFS= read -r message; do
		check_diagnostic "$page" "$message"
	done < <(diagnostics "$page")
done
finish
