# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A client - router - servers lab in network namespaces, for contrib/quickstart and tests/e2e.
#
#   client 198.51.100.2      --- outside ---  router  --- inside (a bridge) ---  server1 10.0.0.11
#          2001:db8:1::2     198.51.100.1, .10        10.0.0.1                   server2 10.0.0.12
#                            2001:db8:1::1, ::10      fd00:1::1                  server3 10.0.0.13
#                                                                                        fd00:1::11 ...
#
# The namespaces are named after the shell's pid, so that labs can run side by side.  Nothing is
# made or changed in the namespace from which this runs.  lab_remove ends what runs in the lab and
# removes it; the programs that include this file call it from a trap.

lab=${LAB_PREFIX:-ipm}$$
lab_namespaces=()
lab_scratch=

# Whether namespaces can be made here.
lab_possible() {
	local probe=$lab-probe

	ip netns add "$probe" 2>/dev/null || return 1
	nsenter --net="/run/netns/$probe" true 2>/dev/null
	local status=$?
	ip netns delete "$probe" 2>/dev/null
	return $status
}

# Whether an unprivileged user may have namespaces of his own here.
lab_possible_unprivileged() {
	unshare --user --net --mount --map-root-user true 2>/dev/null
}

# Runs a script again as root of user, network and mount namespaces of its own; $LAB_UNSHARED tells
# it so.  /run is its own there, for the names of namespaces.
lab_unshare() {
	export LAB_UNSHARED=yes
	# shellcheck disable=SC2016 # the inner shell expands it
	exec unshare --user --net --mount --map-root-user \
		bash -c 'mount -t tmpfs tmpfs /run && exec bash "$0" "$@"' "$@"
}

# Runs a command in a namespace of the lab: on NAME COMMAND...  Not by `ip -n`, which mounts and
# needs a root directory that is a mount point: that of a chroot often is none.
on() {
	local name=$1

	shift
	nsenter --net="/run/netns/$lab-$name" "$@"
}

lab_namespace() {
	ip netns add "$lab-$1" || return 1
	lab_namespaces+=("$lab-$1")
	on "$1" ip link set lo up
}

lab_address() {
	local namespace=$1 device=$2 address

	shift 2
	for address; do
		case $address in
		*:*) on "$namespace" ip address add "$address" dev "$device" nodad ;;
		*) on "$namespace" ip address add "$address" dev "$device" ;;
		esac || return 1
	done
	on "$namespace" ip link set "$device" up
}

lab_default_route() {
	on "$1" ip route add default via "$2" && on "$1" ip -6 route add default via "$3"
}

# Settings of the router's namespace.  br_netfilter, where something has loaded it, would have the
# bridge translate addresses of what a real switch carries.
lab_router_settings() {
	local root=/proc/sys/net setting file

	for setting in ipv4/ip_forward=1 ipv6/conf/all/forwarding=1 ipv4/conf/all/rp_filter=0 \
		ipv4/conf/default/rp_filter=0 bridge/bridge-nf-call-iptables=0 \
		bridge/bridge-nf-call-ip6tables=0; do
		file=$root/${setting%=*}
		[ ! -e "$file" ] || on router bash -c "echo ${setting#*=} >$file" || return 1
	done
}

lab_router() {
	lab_namespace router && lab_router_settings || return 1
	on router ip link add name inside type bridge || return 1
	lab_address router inside 10.0.0.1/24 fd00:1::1/64
}

lab_client() {
	lab_namespace client || return 1
	on router ip link add name outside type veth peer name eth0 netns "$lab-client" ||
		return 1
	lab_address router outside 198.51.100.1/24 198.51.100.10/24 2001:db8:1::1/64 2001:db8:1::10/64 &&
		lab_address client eth0 198.51.100.2/24 2001:db8:1::2/64 &&
		lab_default_route client 198.51.100.1 2001:db8:1::1
}

lab_server() {
	local number=$1

	lab_namespace "server$number" || return 1
	on router ip link add name "port$number" type veth peer name eth0 \
		netns "$lab-server$number" || return 1
	on router ip link set "port$number" master inside up &&
		lab_address "server$number" eth0 "10.0.0.1$number/24" "fd00:1::1$number/64" &&
		lab_default_route "server$number" 10.0.0.1 fd00:1::1
}

# Makes the lab with this number of servers, and $lab_scratch, a directory for the files of the run.
lab_make() {
	local number

	lab_scratch=$(mktemp -d) || return 1
	lab_router && lab_client || return 1
	for ((number = 1; number <= $1; number++)); do
		lab_server "$number" || return 1
	done
}

# Ends what this shell has started and every program in the lab, by number, and removes the lab.
lab_remove() {
	local namespace pids

	pids=$(jobs -p)
	# shellcheck disable=SC2086 # one word a process
	[ -z "$pids" ] || kill $pids 2>/dev/null
	for namespace in "${lab_namespaces[@]}"; do
		pids=$(ip netns pids "$namespace")
		# shellcheck disable=SC2086 # one word a process
		[ -z "$pids" ] || kill $pids 2>/dev/null
		ip netns delete "$namespace"
	done
	lab_namespaces=()
	wait
	[ -z "$lab_scratch" ] || rm -rf "$lab_scratch"
}

# Waits until a command succeeds; gives up after a good while.
wait_until() {
	local try

	for ((try = 0; try < 400; try++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "waited in vain for: $*"
	return 1
}

listens() {
	[ -n "$(on "$1" ss -Hln "$2" "sport = :$3")" ]
}

nginx_config() {
	local directory=$1 name=$2

	cat <<-END
		user root root;
		daemon off;
		master_process off;
		pid $directory/pid;
		events { worker_connections 512; }
		http {
			access_log off;
			client_body_temp_path $directory/body;
			proxy_temp_path $directory/proxy;
			fastcgi_temp_path $directory/fastcgi;
			uwsgi_temp_path $directory/uwsgi;
			scgi_temp_path $directory/scgi;
			default_type text/plain;
			server {
				listen 80;
				listen [::]:80;
				listen 8080;
				listen [::]:8080;
				location = / { return 200 "$name\n"; }
				location = /who { return 200 "\$remote_addr\n"; }
				location /files/ { alias $lab_scratch/files/; }
				location /slow/ { alias $lab_scratch/files/; limit_rate 1m; }
			}
		}
	END
}

start_nginx() {
	local name=$1 directory=$2

	nginx_config "$directory" "$name" >"$directory/nginx.conf"
	on "$name" nginx -p "$directory" -e "$directory/error.log" -c "$directory/nginx.conf" \
		>"$directory/output" 2>&1 &
}

start_python() {
	local name=$1 directory=$2

	mkdir "$directory/pages" && echo "$name" >"$directory/pages/index.html"
	on "$name" python3 -m http.server --bind :: --directory "$directory/pages" 80 \
		>"$directory/output" 2>&1 &
}

# Starts a web server in a namespace: / says the server's name.  nginx listens on ports 80 and 8080,
# /who says the client's address, /files/ and, with 1 MB a second, /slow/ are $lab_scratch/files;
# where there is no nginx, Python's web server has / on port 80.
web_server() {
	local directory=$lab_scratch/web-$1

	mkdir -p "$directory" "$lab_scratch/files" && chmod 755 "$lab_scratch" || return 1
	if command -v nginx >/dev/null; then
		start_nginx "$1" "$directory"
	else
		start_python "$1" "$directory"
	fi
	wait_until listens "$1" -t 80 || { cat "$directory"/output; return 1; }
}
