#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Connections on their way outside go to a proxy server, by index, then the newest first.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx conntrack
begin 3
web_server client
for number in 2 3; do
	web_server "server$number"
	udp_server "server$number" 9000
done
udp_server client 9000

proxy() {
	adm proxy "$@"
}

# The listing without its heading, one blank between the columns.
listing() {
	proxy -L -n | tail -n +2 | tr -s ' ' | sed 's/^ //'
}

# Who answers server1, when it asks the web server outside?
ask() {
	get server1 "${1:-http://198.51.100.2/}"
}

round_trip() {
	local file=$lab_scratch/rules

	adm save "$file" && adm flush && equals "" listing && adm restore "$file" &&
		adm save "$file.2" && cmp "$file" "$file.2"
}

check "without a rule the web server outside answers" equals client ask
check "-A takes a rule in the words of LibAliasProxyRule" \
	proxy -A type no_encode port 80 server 10.0.0.12:80 proto tcp
check "the proxy answers, on the asker's own net, too" equals server2 ask
check "another port is not touched" equals client ask http://198.51.100.2:8080/
check "the router's own connections are not caught" equals client get router http://198.51.100.2/
check "the proxy's own are not, so there is no loop" equals client get server2 http://198.51.100.2/
check "connections to the router itself are not" fails get server1 http://10.0.0.1/
check "connections within the net are not" equals server3 ask http://10.0.0.13/
check "the listing shows the rule" equals "0 tcp any any 80 no_encode 10.0.0.12 80" listing
check "the newest rule of an index goes first" eval '
	proxy -A port 80 server 10.0.0.13 proto tcp src 10.0.0.0/24 && equals server3 ask'
check "a rule of a lower index goes first, whichever is newer" eval '
	proxy -F && proxy -A rule 5 port 80 server 10.0.0.12 && proxy -A rule 10 port 80 server 10.0.0.13 &&
	equals server2 ask'
check "no index is index 0" eval 'proxy -A port 80 server 10.0.0.13:8080 && equals server3 ask &&
	equals $'"'0 any any any 80 no_encode 10.0.0.13 8080\n5 any any any 80 no_encode 10.0.0.12 0\n10 any any any 80 no_encode 10.0.0.13 0'"' listing'
check "the order goes through save and restore" eval '
	proxy -A rule 5 port 80 server 10.0.0.13 src 10.0.0.11 && proxy -D rule 0 && equals server3 ask &&
	before=$(listing) && round_trip && equals "$before" listing && equals server3 ask'
proxy_packets() {
	on router nft list chain inet ipmasq proxy_proxy | grep "saddr 10.0.0.11" | head -n 1 |
		grep -o 'packets [0-9]*'
}
kernel_check "a change of one rule leaves the counters of the others" eval '
	before=$(proxy_packets) && [ "$before" != "packets 0" ] && proxy -A rule 20 server 10.0.0.12 &&
	proxy -D rule 20 && equals "$before" proxy_packets'
check "-D takes all rules of the index" eval 'proxy -D rule 5 &&
	equals "10 any any any 80 no_encode 10.0.0.13 0" listing'
check "-D of an index without rules fails" refuses 1 "no rule of index 5" proxy -D rule 5
check "-F of another module leaves the rules" eval 'adm masq -A -S 10.0.0.0/24 && adm masq -F &&
	equals server3 ask'
proxy -F

check "src says whose connections" eval 'proxy -A port 80 server 10.0.0.12 src 10.0.0.13 &&
	equals client ask && equals server2 get server3 http://198.51.100.2/'
proxy -F
check "dst says where they go" eval 'proxy -A port 80 server 10.0.0.12 dst 203.0.113.0/24 &&
	equals client ask && equals server2 ask http://203.0.113.9/'
proxy -F
check "a server outside serves, too, by another port" eval '
	proxy -A port 8000 server 198.51.100.2:8080 proto tcp && equals client ask http://203.0.113.9:8000/'
check "the web server of the router's address serves, too" eval '
	web_server router && proxy -A rule 1 port 8001 server 10.0.0.1:80 &&
	equals router ask http://203.0.113.9:8001/'
proxy -F
forget_flows
check "proto udp catches UDP only" eval 'proxy -A server 10.0.0.12 proto udp &&
	equals server2 udp server1 198.51.100.2 9000 && equals client ask'
proxy -F
check "without proto both are caught" eval 'proxy -A server 10.0.0.13 &&
	equals server3 udp server1 198.51.100.2 9000 45111 && equals server3 ask'
user_check "IPv6 is refused, naming who can" refuses_ipv6 proxy -A port 80 server fd00:1::12
kernel_check "IPv6 is caught, too" eval 'proxy -A port 80 server fd00:1::12 &&
	equals server2 ask "http://[2001:db8:1::2]/"'
kernel_check "with a port in brackets' company" eval 'proxy -A port 8002 server [fd00:1::12]:8080 &&
	equals server2 ask "http://[2001:db8:1::2]:8002/"'
kernel_check "IPv6 rules go through save and restore" round_trip
kernel_check "nft can load what it lists" nft_loads_its_listing
check "--json has numbers" equals 80 eval 'proxy -F && proxy -A port 80 server 10.0.0.12 &&
	proxy -L --json | python3 -c "import json, sys; print(json.load(sys.stdin)[\"proxy\"][0][\"port\"])"'
check "--dry-run shows what would change" equals "+ proxy -A port 81 server 10.0.0.12 rule 3" \
	proxy --dry-run -A rule 3 server 10.0.0.12 port 81

kernel_check "encode_ip_hdr is refused, naming who can" refuses 1 "ipmasqd" \
	proxy -A type encode_ip_hdr server 10.0.0.12
kernel_check "encode_tcp_stream is refused, naming who can" refuses 1 "the user engine" \
	proxy -A type encode_tcp_stream port 80 server 10.0.0.12:80
check "an unknown type is refused" refuses 2 "type 'encode'" proxy -A type encode server 10.0.0.12
check "an unknown word is refused" refuses 2 "'sever'" proxy -A sever 10.0.0.12
check "a word without a value is refused" refuses 2 "nothing follows 'port'" proxy -A server 10.0.0.12 port
check "a word twice is refused" refuses 2 "port is given twice" proxy -A port 1 port 2 server 10.0.0.12
check "a missing server is refused" refuses 2 "server" proxy -A port 80
check "a server of zeros is refused" refuses 2 "'0.0.0.0'" proxy -A server 0.0.0.0
check "a port with junk is refused" refuses 2 "'80x'" proxy -A port 80x server 10.0.0.12
check "an index with junk is refused" refuses 2 "rule '1x'" proxy -A rule 1x server 10.0.0.12
check "a protocol that is neither is refused" refuses 2 "proto 'sctp'" proxy -A proto sctp server 10.0.0.12
check "a net with too long a prefix is refused" refuses 2 "'10.0.0.0/33'" \
	proxy -A server 10.0.0.12 src 10.0.0.0/33
check "nets of another family are refused" refuses 2 "family" proxy -A server 10.0.0.12 dst fd00::/64
check "-D takes an index only" refuses 2 "server does not go with -D" proxy -D server 10.0.0.12
check "-D needs an index" refuses 2 "-D needs \`rule INDEX\`" proxy -D
check "-L takes no words" refuses 2 "'rule'" proxy -L rule
check "two commands are refused" refuses 2 "multiple commands specified" proxy -A -D rule 1
check "no command is refused" refuses 2 "no command" proxy server 10.0.0.12
finish
