#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is not right is refused: exit status 2, or 1 where there is no such entry; the word at fault
# on standard error; not one rule changed.
. "$(dirname "$0")/lib.sh"
begin 1
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80
portfw -A -P udp -L 0.0.0.0 9000 -R 10.0.0.11 9000
long=$(printf 'a%.0s' {1..3000})

# no STATUS TEXT WORD...: the command line is refused so.
no() {
	local status=$1 text=$2

	shift 2
	check "$(printf '%.100s' "$*"): exit status $status, says $text" refuses "$status" "$text" adm "$@"
}

tcp=(portfw -A -P tcp)
to=(-R 10.0.0.11 80)
while IFS='|' read -r port; do
	no 2 "'$port'" "${tcp[@]}" -L 198.51.100.1 "$port" "${to[@]}"
	no 2 "'$port'" "${tcp[@]}" -L 198.51.100.1 8000 -R 10.0.0.11 "$port"
	no 2 "'$port'" portfw -D -P tcp -L 198.51.100.1 "$port"
done <<'END'
0
65536
99999999999999999999
80x
-1
+80
8 0
80-90
0x
nosuchservice

END
no 2 "'http'" -n "${tcp[@]}" -L 198.51.100.1 http "${to[@]}"
no 2 "'http'" "${tcp[@]}" -n -L 198.51.100.1 http "${to[@]}"

while IFS= read -r address; do
	no 2 "'$address'" "${tcp[@]}" -L "$address" 8000 "${to[@]}"
	no 2 "'$address'" "${tcp[@]}" -L 198.51.100.1 8000 -R "$address" 80
done <<'END'
198.51.100.256
198.51.100
1.2.3.4.5
1234
1.2.3.4x

nosuch.invalid
END
no 2 "'fd00::g'" "${tcp[@]}" -L fd00::g 8000 -R fd00::1 80
no 2 "[2001:db8::1" "${tcp[@]}" -L '[2001:db8::1:80' -R fd00::1 80
no 2 "'router'" -n "${tcp[@]}" -L router 8000 "${to[@]}"
no 2 "10.0.0.11" "${tcp[@]}" -L 2001:db8:1::1 8000 "${to[@]}"
no 2 "fd00:1::11" "${tcp[@]}" -L 198.51.100.1 8000 -R fd00:1::11 80
no 2 "'0.0.0.0'" "${tcp[@]}" -L 198.51.100.1 8000 -R 0.0.0.0 80
no 2 "'127.0.0.1'" "${tcp[@]}" -L 127.0.0.1 8000 "${to[@]}"
no 2 "'::1'" "${tcp[@]}" -L ::1 8000 -R fd00::1 80
no 2 "'224.0.0.1'" "${tcp[@]}" -L 224.0.0.1 8000 "${to[@]}"
no 2 "'255.255.255.255'" "${tcp[@]}" -L 198.51.100.1 8000 -R 255.255.255.255 80
no 2 "'::ffff:192.0.2.1'" "${tcp[@]}" -L ::ffff:192.0.2.1 8000 -R fd00::1 80
no 2 "to itself" "${tcp[@]}" -L 198.51.100.1 8000 -R 198.51.100.1 8000
no 2 "'::'" "${tcp[@]}" -L 2001:db8:1::1 8000 -R :: 80
no 2 "'81'" "${tcp[@]}" -L 198.51.100.1:80 81 "${to[@]}"
no 2 "aaa" "${tcp[@]}" -L "$long" 8000 "${to[@]}"
no 2 "aaa" "${tcp[@]}" -L 198.51.100.1 "$long" "${to[@]}"

for protocol in icmp tcpx xtcp 1 256 ''; do
	no 2 "'$protocol'" portfw -A -P "$protocol" -L 198.51.100.1 8000 "${to[@]}"
done
for preference in 0 -5 10x 65536 1.5 ''; do
	no 2 "'$preference'" "${tcp[@]}" -L 198.51.100.1 8001 "${to[@]}" -p "$preference"
done

no 2 "multiple commands specified" "${tcp[@]}" -L 198.51.100.1 8001 "${to[@]}" -D
no 2 "multiple commands specified" portfw -F -D
no 2 "multiple commands specified" portfw -F -L
no 2 "-Z" portfw -Z
no 2 "--bogus" portfw -L --bogus
no 2 "'now'" portfw -F now
no 2 "'now'" portfw -L -n now
no 2 "'more'" "${tcp[@]}" -L 198.51.100.1 8001 "${to[@]}" more
no 2 "-P" portfw -A -L 198.51.100.1 8001 "${to[@]}"
no 2 "-L" "${tcp[@]}" "${to[@]}"
no 2 "-R" "${tcp[@]}" -L 198.51.100.1 8001
no 2 "198.51.100.1" "${tcp[@]}" -L 198.51.100.1 "${to[@]}"
no 2 "10.0.0.11" "${tcp[@]}" -L 198.51.100.1 8001 -R 10.0.0.11
no 2 "-p" "${tcp[@]}" -L 198.51.100.1 8001 "${to[@]}" -p
no 2 "-P" "${tcp[@]}" -P udp -L 198.51.100.1 8001 "${to[@]}"
no 2 "-R" portfw -F "${to[@]}"
no 2 "-p" portfw -D -P tcp -L 198.51.100.1 8000 -p 5
no 2 "no command" portfw
no 2 "no command" portfw -n

no 1 "no forward of tcp 198.51.100.1 port 8001" portfw -D -P tcp -L 198.51.100.1 8001
no 1 "no forward of udp 198.51.100.1 port 8000" portfw -D -P udp -L 198.51.100.1 8000
no 1 "no forward of tcp 198.51.100.1 port 8000" portfw -D -P tcp -L 198.51.100.1 8000 -R 10.0.0.13 80
no 1 "no forward of tcp 198.51.100.1 port 8000" portfw -D -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 81
no 1 "no forward" portfw -D -P tcp -L :: 8000
no 1 "no forward" portfw -D -P udp -L 0.0.0.0 8000

no 2 "nosuch" nosuch -L
no 2 "--bogus" --bogus portfw -L
no 2 "nosuch" -e nosuch portfw -L
no 2 "'b'" restore a b
no 2 "'b'" save a b
no 2 "'-x'" save -x
no 2 "'now'" flush now
check "no word at all: exit status 2 and the usage" refuses 2 "usage" adm </dev/null
check "names the module before the message" refuses 2 "portfw: " portfw -A
finish
