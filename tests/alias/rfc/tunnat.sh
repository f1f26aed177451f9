#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The example NAT box at work: an inside host fetches from an outside server through
# contrib/examples/tunnat.c, which is compiled here as its users would.  Inside, box and outside are
# network namespaces of this run; the kernel translates nothing in any of them.
#
# From the environment: EXAMPLES (where tunnat.c is), INCLUDES (alias.h), LIBRARY, CC.
set -u
: "${EXAMPLES:?}" "${INCLUDES:?}" "${LIBRARY:?}" "${CC:=cc}"

ALIAS=198.51.100.1
SERVER=203.0.113.2
in=tunnat-in-$$ box=tunnat-box-$$ out=tunnat-out-$$
dir=$(mktemp -d) || exit 99
jobs=

clean() {
	for job in $jobs; do
		kill "$job" 2>/dev/null && wait "$job" 2>/dev/null
	done
	for net in $in $box $out; do
		ip netns del "$net" 2>/dev/null
	done
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 99' INT TERM HUP

skip() {
	echo "SKIP: $*"
	exit 77
}

fail() {
	echo "FAIL: $*"
	cat "$dir/log" 2>/dev/null
	exit 1
}

# expect WHAT WANTED GOT
expect() {
	[ "$2" = "$3" ] || fail "$1: '$3', not '$2'"
	echo "ok: $1"
}

# Tries a command for half a minute at most.
until_true() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || return 1
		sleep 0.1
	done
}

# listens NAMESPACE -t|-u PORT
listens() {
	[ -n "$(ip netns exec "$1" ss -Hln "$2" "sport = :$3")" ]
}

[ -c /dev/net/tun ] || skip "no /dev/net/tun"
for tool in ip ss socat; do
	command -v $tool >/dev/null || skip "no $tool"
done
ip netns add $box 2>/dev/null || skip "no privilege to make network namespaces"
ip -n $box tuntap add probe mode tun 2>/dev/null || skip "no privilege to make a TUN device"
ip -n $box link del probe
# shellcheck disable=SC2015 # both failures are to end it
ip netns add $in && ip netns add $out || fail "cannot make namespaces"

$CC -Wall -Wextra -I"$INCLUDES" -o "$dir/tunnat" "$EXAMPLES/tunnat.c" "$LIBRARY" \
	-Wl,-rpath,"$(dirname "$LIBRARY")" || fail "tunnat.c does not compile"

ip link add eth0 netns $in type veth peer name inside netns $box || fail "no veth device"
ip link add eth0 netns $out type veth peer name outside netns $box || fail "no veth device"
ip netns exec $box "$dir/tunnat" nat0 $ALIAS 2>"$dir/log" &
jobs="$jobs $!"
until_true ip -n $box link show nat0 || fail "tunnat makes no device"

(
	set -e
	ip -n $in addr add 10.0.0.2/24 dev eth0
	ip -n $out addr add $SERVER/24 dev eth0
	ip -n $box addr add 10.0.0.1/24 dev inside
	ip -n $box addr add 203.0.113.1/24 dev outside
	ip -n $in link set eth0 up
	ip -n $out link set eth0 up
	ip -n $out link set lo up
	ip -n $box link set inside up
	ip -n $box link set outside up
	ip -n $box link set nat0 up
	for setting in ip_forward=1 conf/all/rp_filter=0 conf/nat0/rp_filter=0; do
		ip netns exec $box sh -c "echo ${setting#*=} >/proc/sys/net/ipv4/${setting%=*}"
	done
	ip -n $in route add default via 10.0.0.1
	ip -n $out route add $ALIAS via 203.0.113.1
	ip -n $box route add $ALIAS dev nat0
	ip -n $box route add default dev nat0 table 7
	ip -n $box rule add iif inside table 7
) || fail "cannot set up the network"

# Servers that tell their clients what address they come from; the outside has no route inside.
ip netns exec $out socat TCP-LISTEN:8080,reuseaddr,fork SYSTEM:'echo $SOCAT_PEERADDR; cat' &
jobs="$jobs $!"
ip netns exec $out socat UDP-LISTEN:5353,reuseaddr,fork SYSTEM:'read line; echo $SOCAT_PEERADDR' &
jobs="$jobs $!"
until_true listens $out -t 8080 && until_true listens $out -u 5353 || fail "the servers do not listen"

head -c 3000000 /dev/zero | tr '\0' 'x' >"$dir/sent"
ip netns exec $in socat -t 30 - TCP:$SERVER:8080,connect-timeout=30 <"$dir/sent" >"$dir/got"
expect "TCP comes from the alias address" $ALIAS "$(head -n 1 "$dir/got")"
tail -n +2 "$dir/got" | cmp -s - "$dir/sent" || fail "three megabytes come back changed"
echo "ok: three megabytes there and back"

# An answer is the alias address and a newline: 13 bytes.
expect "UDP comes from the alias address" $ALIAS \
	"$(echo hello | ip netns exec $in socat -t 30 - UDP:$SERVER:5353,readbytes=13)"

if command -v ping >/dev/null; then
	ip netns exec $in ping -c 1 -W 30 $SERVER >/dev/null || fail "no answer to ping"
	echo "ok: ping"
	ip netns exec $in ping -c 1 -W 30 -s 5000 $SERVER >/dev/null || fail "no answer in fragments"
	echo "ok: ping with fragments there and back"
fi

# The way in is closed but for answers.
ip netns exec $in socat TCP-LISTEN:8080,reuseaddr SYSTEM:'echo inside' &
jobs="$jobs $!"
until_true listens $in -t 8080 || fail "nobody listens inside"
expect "nobody gets in uninvited" "" \
	"$(ip netns exec $out socat -u TCP:$ALIAS:8080,connect-timeout=1 - 2>/dev/null)"
if command -v nft >/dev/null; then
	expect "the kernel translates nothing" "" "$(ip netns exec $box nft list ruleset)"
fi
