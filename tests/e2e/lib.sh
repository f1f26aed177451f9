# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What every end-to-end test is written with: the lab of contrib/lab.sh, the program from the
# staged installation, and `check`, one sentence and one command each.
#
#   . "$(dirname "$0")/lib.sh"
#   begin 2                                     a lab with two servers
#   check "sentence" command...                 the command succeeds
#   check "sentence" says TEXT command...       it succeeds and prints TEXT
#   check "sentence" refuses STATUS TEXT command...   it fails so, says so, and changes no rule
#   kernel_check, user_check                    what one engine alone has, or refuses
#   finish                                      the sums; the exit status of the test
#
# Environment, set by Makefile.am: IPMASQADM (the program), IPMASQADM_PLUGINDIR and
# LD_LIBRARY_PATH (its plugins and library), STAGE (the installation), CC.  With ENGINE=user an
# ipmasqd runs on the router and has the rules: the same test, the same packets, the other engine.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../contrib/lab.sh
. "$here/../../contrib/lab.sh"

: "${IPMASQADM:?is the path of the program under test; make check sets it}"
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
passed=0 failed=0 skipped=0
unset IPMASQADM_ENGINE

# What has to come may take so many seconds, on a machine as busy as can be; what must not come is
# waited for in `fails`, which has less.  Programs of the tests read it, too.
export PATIENCE=30

SKIP_TEST=77 # automake's number for a test that could not run

skip_all() {
	echo "skip - all of $(basename "$0"): $*"
	echo "0 passed, 0 failed"
	exit $SKIP_TEST
}

need_tools() {
	local tool

	for tool; do
		command -v "$tool" >/dev/null || skip_all "$tool is not installed"
	done
}

leave() {
	trap - EXIT INT TERM
	lab_remove >/dev/null 2>&1
}

# Makes the lab with $1 servers; where this user may not, in a user namespace; or skips.
begin() {
	need_tools ip nsenter nft ss python3
	if ! lab_possible; then
		[ -z "${LAB_UNSHARED:-}" ] && lab_possible_unprivileged && lab_unshare "$0"
		skip_all "no network namespaces here: run it as root, or allow user namespaces"
	fi
	trap leave EXIT
	trap 'leave; exit 1' INT TERM
	lab_make "$1" || skip_all "this kernel cannot make the lab (veth, bridge)"
	on_user_engine start_engine
}

# --- engines -----------------------------------------------------------------------------------

# on_user_engine COMMAND..., on_kernel_engine COMMAND...: only there.
on_user_engine() {
	[ "${ENGINE:-kernel}" != user ] || "$@"
}

on_kernel_engine() {
	[ "${ENGINE:-kernel}" = user ] || "$@"
}

# start_ipmasqd [OPTION...]: on the router, in the foreground; its messages are in
# $lab_scratch/ipmasqd.log, its number in ipmasqd.pid, its socket is ipmasqd.sock.
start_ipmasqd() {
	[ -z "${LAB_UNSHARED:-}" ] || set -- -u root "$@" # nobody is nobody there
	: >"$lab_scratch/ipmasqd.log" # before the waiting begins
	on router "$(dirname "$IPMASQADM")/ipmasqd" -f -i outside -s "$lab_scratch/ipmasqd.sock" \
		--pid-file "$lab_scratch/ipmasqd.pid" "$@" >"$lab_scratch/ipmasqd.log" 2>&1 &
	wait_until grep -q "translating: " "$lab_scratch/ipmasqd.log" ||
		{ cat "$lab_scratch/ipmasqd.log"; return 1; }
}

ipmasqd_pid() {
	cat "$lab_scratch/ipmasqd.pid"
}

gone() {
	[ ! -e "/proc/$1" ]
}

# stop_ipmasqd [SIGNAL]: waits until it is gone.
stop_ipmasqd() {
	local pid

	pid=$(ipmasqd_pid) && kill "-${1:-TERM}" "$pid" && wait_until gone "$pid"
}

start_engine() {
	: >"$lab_scratch/no-rules"
	if ! start_ipmasqd -r "$lab_scratch/no-rules"; then
		echo "not ok - ipmasqd starts"
		echo "0 passed, 1 failed"
		exit 1
	fi
	export IPMASQADM_ENGINE=$lab_scratch/ipmasqd.sock
}

# check SENTENCE COMMAND...: counts whether the command succeeds, and shows its output if not.
check() {
	local sentence=$1 output=$lab_scratch/output

	shift
	if "$@" >"$output" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $sentence"
	else
		failed=$((failed + 1))
		echo "not ok - $sentence"
		printf '     (%.400s)\n' "$*"
		head -n 40 "$output" | sed 's/^/     | /'
	fi
}

kernel_check() {
	on_kernel_engine check "$@"
}

user_check() {
	on_user_engine check "$@"
}

skip() {
	skipped=$((skipped + 1))
	echo "skip - $1: $2"
}

finish() {
	[ "$skipped" = 0 ] || echo "$skipped skipped"
	leave
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
	exit
}

# The program, on the router.
adm() {
	on router "$IPMASQADM" "$@"
}

portfw() {
	adm portfw "$@"
}

clear_rules() {
	adm flush
}

# The listing without its heading, numeric, one blank between the columns.
rules() {
	portfw -L -n | tail -n +2 | tr -s ' ' | sed 's/^ //'
}

# The rules with their counters, without hairpins and opened ranges, which come with traffic and lapse.
counted_ruleset() {
	on_user_engine eval 'adm save && portfw -L -n -v'
	on_kernel_engine on router nft list ruleset | sed -z 's/\n[ \t]*elements = {[^}]*expires[^}]*}//g'
}

ruleset() {
	on_user_engine eval 'adm save && portfw -L -n'
	on_kernel_engine counted_ruleset | sed -E 's/counter packets [0-9]+ bytes [0-9]+/counter/g'
}

# settled COMMAND...: what it says once that has been so for a second: the last packets of a
# connection come after its page.
settled() {
	local now before=none try

	for ((try = 0; try < PATIENCE; try++)); do
		now=$("$@") || return 1
		[ "$now" != "$before" ] || break
		before=$now
		sleep 1
	done
	echo "$now"
}

# --- what a command shall do ------------------------------------------------------------------

equals() {
	local expected=$1 got

	shift
	got=$("$@") || { echo "failed: $*"; echo "$got"; return 1; }
	[ "$got" = "$expected" ] || { printf 'expected: %s\ngot:      %s\n' "$expected" "$got"; return 1; }
}

says() {
	local text=$1 got

	shift
	got=$("$@" 2>&1) || { echo "failed: $*"; echo "$got"; return 1; }
	[[ $got == *"$text"* ]] || { printf 'nothing of "%s" in:\n%s\n' "$text" "$got"; return 1; }
}

fails() {
	local PATIENCE=2

	! "$@"
}

# fails_with STATUS TEXT COMMAND...: it exits so, with TEXT on standard error, nothing else there.
fails_with() {
	local status=$1 text=$2 got out=$lab_scratch/stdout

	shift 2
	got=$("$@" 2>&1 >"$out")
	local rc=$?
	[ $rc = "$status" ] || { printf 'exit status %s, not %s; it said:\n%s\n' $rc "$status" "$got"; return 1; }
	[[ $got == *"$text"* ]] || { printf 'nothing of "%s" in:\n%s\n' "$text" "$got"; return 1; }
	[ ! -s "$out" ] || { echo "on standard output:"; cat "$out"; return 1; }
}

# The same, and no rule of any table has changed.
refuses() {
	local before after

	before=$(ruleset)
	fails_with "$@" || return 1
	after=$(ruleset)
	[ "$before" = "$after" ] || { echo "the ruleset changed:"; diff <(echo "$before") <(echo "$after"); return 1; }
}

# --- traffic ------------------------------------------------------------------------------------

# As in the Internet, nobody outside has a way to the inside addresses: what comes does so by a rule.
no_way_inside() {
	on router nft -f - <<-END
		table ip outside {
			chain private {
				type filter hook prerouting priority -400
				iifname outside ip daddr 10.0.0.0/24 drop
			}
		}
	END
}

# get NAMESPACE URL: fetches a page.
get() {
	on "$1" curl -gsS --max-time "$PATIENCE" "$2"
}

# Packets that no ordinary program sends at will; see packets.py.
packets() {
	local namespace=$1

	shift
	on "$namespace" python3 "$here/packets.py" "$@"
}

# udp_server NAMESPACE PORT: answers every datagram with the namespace's name, IPv4 and IPv6.
udp_server() {
	packets "$1" udp-server "$1" "$2" >"$lab_scratch/udp-$1-$2" 2>&1 &
	wait_until listens "$1" -u "$2"
}

# udp NAMESPACE ADDRESS PORT [SOURCE-PORT [SOURCE]]: sends a datagram and prints the answer.
udp() {
	packets "$1" udp "${@:2}"
}

# Whether a program of the namespace hears of events of netfilter: its socket is in a group of them.
hears_netfilter() {
	on "$1" awk '$2 == 12 && $4 !~ /^0+$/ { found = 1 } END { exit !found }' /proc/net/netlink
}

# flows PORT: how many translated connections have this port, inside, outside or as their alias.
flows() {
	adm masq -C -n -p "$1" | tail -n +2 | wc -l
}

# The kernel finds out anew what is to become of flows that it has seen untranslated.  ipmasqd does
# not keep those.
forget_flows() {
	on_kernel_engine on router conntrack -F >/dev/null 2>&1
	return 0
}

# What the kernel has is what its own program takes back.
nft_loads_its_listing() {
	on router nft list table inet ipmasq | sed "s/table inet ipmasq/table inet copy/" |
		on router nft -c -f -
}

# Rules of IPv6 are refused by an engine that has none, by the sentence that says who has.
refuses_ipv6() {
	refuses 1 "the user engine translates IPv4 only; the kernel engine can" "$@"
}
