#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Others' rules: their tables stay as they are, our table is an ordinary one to nft(8), and a table
# of our name that is not ours is left alone.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 2
lab_namespace fresh
web_server server1
web_server server2
wide="portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80 -p 20
portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.12 80 -p 65535
portfw -A -P udp -L 198.51.100.1 8000 -R 10.0.0.11 53
portfw -A -P sctp -L 0.0.0.0 8000 -R 10.0.0.11 2905
portfw -A -P tcp -L 0.0.0.0 8002 -R 10.0.0.11 80 -p 3
portfw -A -P tcp -L 0.0.0.0 8002 -R 10.0.0.12 8080 -p 4
portfw -A -P tcp -L 2001:db8:1::1 8000 -R fd00:1::11 80
portfw -A -P tcp -L 2001:db8:1::1 8001 -R fd00:1::11 80
portfw -A -P tcp -L 2001:db8:1::1 8001 -R fd00:1::12 80 -p 1
portfw -A -P udp -L :: 8000 -R fd00:1::11 53 -p 2
portfw -A -P udp -L :: 8001 -R fd00:1::11 53
portfw -A -P udp -L :: 8001 -R fd00:1::12 53 -p 7"

fresh() {
	on fresh "$IPMASQADM" "$@"
}

foreign() {
	on router nft -a list table inet filter && on router nft -a list table ip nat
}

on router nft -f - <<'END'
table inet filter {
	set blocked { type ipv4_addr; elements = { 203.0.113.1, 203.0.113.2 }; }
	map ports { type inet_service : verdict; elements = { 22 : accept }; }
	chain input { type filter hook input priority 0; policy accept; tcp dport vmap @ports; }
	chain portfw { tcp dport 9 drop; }
}
table ip nat {
	map portfw4 { type inet_service : ipv4_addr; elements = { 4444 : 10.0.0.12 }; }
	chain prerouting { type nat hook prerouting priority -90; }
	chain hosts { dnat to tcp dport map @portfw4; }
}
END
before=$(foreign)
echo "$wide" >"$lab_scratch/wide"

check "a file of all kinds of forwards is restored" adm restore "$lab_scratch/wide"
check "one is deleted, one is added" eval 'portfw -D -P tcp -L 198.51.100.1 8001 &&
	portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.12 80 -p 65535'
check "other tables are untouched" equals "$before" foreign
check "the table is whole" equals 13 eval 'on router nft -j list table inet ipmasq | python3 "$here/whole.py"'

check "nft's listing of our table" eval 'on router nft list table inet ipmasq >"$lab_scratch/table"'
check "is loaded by nft -f in a fresh namespace" on fresh nft -f "$lab_scratch/table"
check "-L shows the same there" equals "$(portfw -L -n)" fresh portfw -L -n
check "nft lists the same there" equals "$(cat "$lab_scratch/table")" on fresh nft list table inet ipmasq
check "save says the same there" equals "$(adm save)" fresh save
check "the rules can be changed there" eval 'fresh portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.13 80 &&
	fresh portfw -D -P udp -L :: 8001 -R fd00:1::11 53 && fresh portfw -D -P tcp -L 2001:db8:1::1 8001'
check "and are whole then" equals 11 eval 'on fresh nft -j list table inet ipmasq | python3 "$here/whole.py"'
check "the same listing, loaded on the router in place of the table" \
	eval 'on router nft delete table inet ipmasq && on router nft -f "$lab_scratch/table"'
check "carries traffic" equals server2 get client http://198.51.100.1:8001/
check "and a pool's" equals "20 server2" eval 'for turn in {1..20}; do
	get client http://198.51.100.1:8000/; done | uniq -c | sed "s/^ *//"'
check "a table that nft deleted is empty to us" eval 'on router nft delete table inet ipmasq && equals "" rules'
check "and is made anew" eval 'portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80 &&
	equals server1 get client http://198.51.100.1:8000/'
check "flush of the whole ruleset by nft is survived, too" eval 'on router nft flush ruleset &&
	portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80 &&
	equals server1 get client http://198.51.100.1:8000/'

on router nft flush ruleset
on router nft -f - <<'END'
table inet ipmasq {
	map portfw4 { type ipv4_addr : ipv4_addr; }
	chain mine { tcp dport 1 drop; }
}
END
for line in "portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80" "portfw -L" "portfw -F" \
	"portfw -D -P tcp -L 198.51.100.1 8000" "flush" "save" "restore $lab_scratch/wide"; do
	# shellcheck disable=SC2086 # words
	check "somebody else's table inet ipmasq: $line says so, leaves it" \
		refuses 1 "there is a table inet ipmasq that this ipmasqadm did not make" adm $line
done
finish
