#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The rules files of contrib/examples, each loaded as it stands there and proved with traffic.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx socat conntrack
begin 2
on_kernel_engine on router nft -f - <<-END 2>/dev/null || skip_all "this kernel has no helper for ftp"
	table inet probe {
		ct helper probe { type "ftp" protocol tcp; }
	}
	delete table inet probe
END
for host in client server1 server2; do
	web_server "$host"
done
shipped=$here/../../contrib/examples examples=$lab_scratch/examples

# The files as they stand; for an engine without IPv6, without the lines of IPv6.
mkdir "$examples"
cp "$shipped"/*.rules "$examples"
on_user_engine sed -i '/^[^#].*::/d' "$examples"/*.rules

# says_name NAMESPACE PORT: a TCP server that says the namespace's name.
says_name() {
	on "$1" socat "TCP6-LISTEN:$2,ipv6only=0,fork,reuseaddr" SYSTEM:"echo $1" 2>/dev/null &
	wait_until listens "$1" -t "$2"
}

# who NAMESPACE ADDRESS PORT: who says his name there?
who() {
	on "$1" socat -T "$PATIENCE" -u "TCP:$2:$3,connect-timeout=$PATIENCE" -
}

# ask COUNT URL: who answers that many connections in a row, as `COUNT NAME` for each run.
ask() {
	local turn

	for ((turn = 0; turn < $1; turn++)); do
		get client "$2" || return 1
	done | uniq -c | sed 's/^ *//'
}

count_rules() {
	adm save - | grep -vc '^#'
	return "${PIPESTATUS[0]}"
}

round_trip() {
	local file=$lab_scratch/rules

	adm save "$file" && adm flush && equals 0 count_rules && adm restore "$file" &&
		adm save "$file.2" && cmp "$file" "$file.2"
}

# Every command line of the file is a rule afterwards, no more and no less.
has_every_line() {
	equals "$(grep -c '^[^#]' "$examples/$1")" count_rules
}

loads() {
	kernel_check "$1 loads as it stands" adm restore "$shipped/$1"
	user_check "$1 is refused for its lines of IPv6, naming the engine that can" \
		refuses 1 "the user engine translates IPv4 only; the kernel engine can" adm restore "$shipped/$1"
	user_check "$1 loads without them" adm restore "$examples/$1"
	check "every line of $1 is a rule" has_every_line "$1"
	check "save of $1, flush, restore, save are the same bytes" round_trip
	check "nothing changes when $1 is loaded again" equals "" adm --dry-run restore "$examples/$1"
}

# Loads the table of nftables that the comment of a file shows.
load_table() {
	sed -n '/^#   table inet .* {$/,/^#   }$/s/^#   //p' "$shipped/$1" >"$lab_scratch/table" &&
		[ -s "$lab_scratch/table" ] && on router nft -f "$lab_scratch/table"
}

# A module that is there and not loaded stays so.
can_rewrite_ftp() {
	[ "${ENGINE:-kernel}" = user ] ||
		grep -q '^nf_nat_ftp ' /proc/modules 2>/dev/null ||
		! find "/lib/modules/$(uname -r)" -name 'nf_nat_ftp.ko*' 2>/dev/null | grep -q .
}

# ftp_session SERVER MODE CLIENT ADDRESS: FTP between stand-ins for both ends, which says the data.
ftp_session() {
	: >"$lab_scratch/session" # the last one was ready, too
	on "$1" python3 "$here/ftp.py" "$2-server" 21 >"$lab_scratch/session" 2>&1 &
	wait_until grep -q ready "$lab_scratch/session"
	on "$3" python3 "$here/ftp.py" "$2-client" "$4" 21
	wait $!
}

# --- home-gateway.rules
for port in 22 53; do
	says_name server1 $port
done
says_name client 7070
udp_server server1 53
udp_server server1 7000
udp_server server2 27020
udp_server client 28850
loads home-gateway.rules
check "what leaves the home has the router's address" equals 198.51.100.1 \
	get server2 http://198.51.100.2/who
kernel_check "by IPv6 it has one of the router's as well" says 2001:db8:1:: get server2 'http://[2001:db8:1::2]/who'
check "the web server at home is reached from outside" equals server1 get client http://198.51.100.1/
check "it is by the router's other address" equals server1 get client http://198.51.100.10/
check "it sees who asks" equals 198.51.100.2 get client http://198.51.100.1/who
kernel_check "it is by IPv6" equals server1 get client 'http://[2001:db8:1::1]/'
check "it is from home by the outside address" equals server1 get server2 http://198.51.100.1/
check "its secure shell is on port 2222" equals server1 who client 198.51.100.1 2222
check "port 22 stays the router's own" fails who client 198.51.100.1 22
check "its name server answers outside, by UDP" equals server1 udp client 198.51.100.1 53
check "and by TCP" equals server1 who client 198.51.100.1 53
check "it answers inside by the router's inside address" equals server1 udp server2 10.0.0.1 53
check "the game server is reached on its own ports" equals server2 udp client 198.51.100.1 27020
check "its page is on port 8080" equals server2 get client http://198.51.100.1:8080/
check "nobody outside reaches the old application before it speaks" fails udp client 198.51.100.1 7000
speaks() {
	equals client who server1 198.51.100.2 7070 && forget_flows && equals server1 udp client 198.51.100.1 7000
}
check "when it has spoken, its server reaches it" speaks
check "its listing says who holds the range, and for whom" \
	says "trigger udp 6970 7170 10.0.0.11 0 tcp/7070 198.51.100.2" \
	eval 'adm autofw -L -n | tr -s " "'
keeps_source_port() {
	equals client udp server2 198.51.100.2 28850 40123 &&
		equals 40123 eval 'adm masq -C -n -p 40123 | tail -n +2 | awk "{ print \$6 }"'
}
check "the game keeps its source port" keeps_source_port
kernel_check "... and is counted" eval 'on router nft list chain inet ipmasq source_autofw |
	grep "udp dport 28800-28900 counter packets [1-9]"'
if can_rewrite_ftp; then
	check "hosts at home get data by FTP in active mode" says data \
		ftp_session client active server2 198.51.100.2
	check "they say the router's address" grep -F "PORT 198,51,100,1," "$lab_scratch/session"
else
	skip "hosts at home get data by FTP in active mode" "the kernel module nf_nat_ftp is not loaded"
fi
clear_rules

# --- web-farm.rules
for number in 1 2; do
	says_name "server$number" 443
done
loads web-farm.rules
check "the lines of its comment set the mark" load_table web-farm.rules
check "of 30 connections to one port server1 has 10, server2 20, three rounds long" \
	equals $'20 server2\n10 server1\n20 server2\n10 server1\n20 server2\n10 server1' \
	ask 90 http://198.51.100.1/
kernel_check "so it is by IPv6" equals $'20 server2\n10 server1' ask 30 'http://[2001:db8:1::1]/'
check "of 30 marked connections, too" \
	equals $'10 server1\n20 server2\n10 server1\n20 server2\n10 server1\n20 server2' \
	ask 90 http://198.51.100.10/
kernel_check "by IPv6 as well" equals $'10 server1\n20 server2' ask 30 'http://[2001:db8:1::10]/'
both_ports() {
	local turn

	for turn in 1 2 3 4 5; do
		get client http://198.51.100.10/ && who client 198.51.100.10 443 || return 1
	done | uniq -c | sed 's/^ *//'
}
check "both ports take turns in one pool" equals "10 server1" both_ports
check "the servers see who asks" equals 198.51.100.2 get client http://198.51.100.10/who
out_and_in() {
	portfw -D -P tcp -L 198.51.100.1 80 -R 10.0.0.12 && equals "12 server1" ask 12 http://198.51.100.1/ &&
		adm restore "$examples/web-farm.rules" &&
		equals $'20 server2\n10 server1' ask 30 http://198.51.100.1/
}
check "a server can be taken out, and is back after the next restore" out_and_in
on router nft delete table inet marks
clear_rules

# --- transparent-squid.rules
proxy_directory=$lab_scratch/proxy
proxy_log=$proxy_directory/access.log

# With the lines that the comment shows.
start_squid() {
	{
		sed -n '/^#   acl inside/,/^#   http_port 3129/s/^#   //p' "$examples/transparent-squid.rules"
		cat <<-END
			access_log stdio:$proxy_log
			cache deny all
			cache_log $proxy_directory/cache.log
			coredump_dir none
			dns_nameservers 127.0.0.1
			pid_filename none
			pinger_enable off
			shutdown_lifetime 0 seconds
			visible_hostname router
		END
	} >"$proxy_directory/squid.conf"
	on router squid -N -f "$proxy_directory/squid.conf" >"$proxy_directory/output" 2>&1 &
}

# nginx can go by the Host line.
start_nginx_proxy() {
	cat >"$proxy_directory/nginx.conf" <<-END
		user root root;
		daemon off;
		master_process off;
		pid $proxy_directory/pid;
		events { worker_connections 512; }
		http {
			access_log $proxy_log;
			client_body_temp_path $proxy_directory/body;
			proxy_temp_path $proxy_directory/proxy;
			fastcgi_temp_path $proxy_directory/fastcgi;
			uwsgi_temp_path $proxy_directory/uwsgi;
			scgi_temp_path $proxy_directory/scgi;
			server {
				listen [::]:3129 ipv6only=off;
				location / {
					proxy_pass http://\$http_host\$request_uri;
					add_header Via "1.1 router";
				}
			}
		}
	END
	on router nginx -p "$proxy_directory" -e "$proxy_directory/error.log" \
		-c "$proxy_directory/nginx.conf" >"$proxy_directory/output" 2>&1 &
}

# squid, unless it is missing or cannot become its own user, as in a user namespace, or cannot ask the
# kernel where a connection was going.
start_proxy() {
	mkdir -m 777 "$proxy_directory" || return 1
	if [ -z "${LAB_UNSHARED:-}" ] && [ "${ENGINE:-kernel}" = kernel ] && command -v squid >/dev/null; then
		start_squid
	else
		start_nginx_proxy
	fi
	wait_until listens router -t 3129 || { cat "$proxy_directory/output"; return 1; }
}

# Whether the answer came by way of the proxy.
via_proxy() {
	on "$1" curl -gsS --max-time "$PATIENCE" -o "$lab_scratch/page" -D - "$2" | grep -i '^via: .*router'
}

says_name client 443
loads transparent-squid.rules
check "a proxy runs on the router" start_proxy
check "a page from outside comes by way of the proxy" via_proxy server1 http://198.51.100.2/
check "it is the page that was asked for" equals client get server1 http://198.51.100.2/
kernel_check "by IPv6 as well" via_proxy server1 'http://[2001:db8:1::2]/'
check "every host inside is served" via_proxy server2 http://198.51.100.2/
check "the proxy knows who asked" wait_until grep -F 10.0.0.12 "$proxy_log"
check "the web server outside sees the router" equals 198.51.100.1 get server1 http://198.51.100.2/who
check "another port does not come by way of it" fails via_proxy server1 http://198.51.100.2:8080/
check "it has the router's address all the same" equals 198.51.100.1 \
	get server1 http://198.51.100.2:8080/who
kernel_check "and by IPv6 one of the router's" says 2001:db8:1:: get server1 'http://[2001:db8:1::2]:8080/who'
check "https, port 443, does not come by way of it, either" equals client who server1 198.51.100.2 443
kernel_check "the lines of its comment refuse what is addressed to the proxy's port" eval '
	load_table transparent-squid.rules && says refused fails who server1 10.0.0.1 3129'
check "and let through what the rules send there" via_proxy server1 http://198.51.100.2/
check "pages of hosts inside do not come by way of it" fails via_proxy server1 http://10.0.0.12/
check "what the router asks itself does not" fails via_proxy router http://198.51.100.2/
check "without the rules nothing does" eval 'clear_rules && fails via_proxy server1 http://198.51.100.2/ &&
	equals client get server1 http://198.51.100.2/'
on_kernel_engine on router nft delete table inet proxy_port
clear_rules

# --- ftp-server.rules
ftp_directory=$lab_scratch/ftp

start_vsftpd() {
	mkdir -p "$ftp_directory/empty" "$ftp_directory/files" || return 1
	echo "file of server1" >"$ftp_directory/files/file"
	chmod -R a+rX,go-w "$ftp_directory"
	cat >"$ftp_directory/vsftpd.conf" <<-END
		listen_ipv6=YES
		anonymous_enable=YES
		anon_root=$ftp_directory/files
		secure_chroot_dir=$ftp_directory/empty
		connect_from_port_20=YES
		vsftpd_log_file=$ftp_directory/log
	END
	on server1 vsftpd "$ftp_directory/vsftpd.conf" >"$ftp_directory/output" 2>&1 &
	wait_until listens server1 -t 21 || { cat "$ftp_directory/output"; return 1; }
}

# ftp ADDRESS CURL-OPTION...: the client fetches a file of the server.
ftp() {
	on client curl -gsS --max-time "$PATIENCE" "${@:2}" "ftp://$1/file"
}

# Whether the router gave the data connections that the server opened its own address.
data_from_router() {
	adm masq -C -n -p 20 | tr -s ' ' | grep " 10.0.0.11 20 198.51.100.1 [0-9]* 198.51.100.2 "
}

ftp_cases() {
	local file="file of server1" pasv="--disable-epsv --no-ftp-skip-pasv-ip"

	check "an FTP server runs inside" start_vsftpd
	check "without the helper a client in passive mode gets no file" eval '
		adm helper -F && fails ftp 198.51.100.1 && adm restore "$examples/ftp-server.rules"'
	kernel_check "the filter of its comment, which lets in port 21 and nothing else, loads" load_table ftp-server.rules
	check "a client in passive mode gets a file (EPSV)" equals "$file" ftp 198.51.100.1
	# shellcheck disable=SC2086 # one word an option
	check "by the old command, too (PASV)" equals "$file" ftp 198.51.100.1 $pasv
	# shellcheck disable=SC2086
	check "the client is told the router's address" says "(198,51,100,1," ftp 198.51.100.1 $pasv -v
	check "a client in active mode gets a file (EPRT)" equals "$file" ftp 198.51.100.1 -P -
	check "by the old command, too (PORT)" equals "$file" ftp 198.51.100.1 -P - --disable-eprt
	check "the file comes from the address that the client called" data_from_router
	kernel_check "passive mode works over IPv6" equals "$file" ftp '[2001:db8:1::1]'
	kernel_check "active mode works over IPv6" equals "$file" ftp '[2001:db8:1::1]' -P -
	kernel_check "other ports of the server stay closed" fails get client http://10.0.0.11/
	on_kernel_engine on router nft delete table inet ftp_filter
}

# vsftpd needs users that the user namespace of one user has not.
can_run_vsftpd() {
	[ -z "${LAB_UNSHARED:-}" ] && command -v vsftpd >/dev/null
}

stand_in_cases() {
	skip "a real FTP server" "vsftpd is not installed, or this is a user namespace"
	check "a client in passive mode gets its data" says data ftp_session server1 passive client 198.51.100.1
	check "a client in active mode gets its data" says data ftp_session server1 active client 198.51.100.1
}

loads ftp-server.rules
if ! can_rewrite_ftp; then
	skip "clients get files of the FTP server" "the kernel module nf_nat_ftp is not loaded"
elif can_run_vsftpd; then
	ftp_cases
else
	stand_in_cases
fi
clear_rules
finish
