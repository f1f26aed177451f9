#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The life of ipmasqd: start, ready, reload, end, and what it may do meanwhile.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 1
web_server server1
web_server client
ipmasqd=$(dirname "$IPMASQADM")/ipmasqd
socket=$lab_scratch/ipmasqd.sock
rules=$lab_scratch/rules
state=$lab_scratch/links
as_root=()
[ -z "${LAB_UNSHARED:-}" ] || as_root=(-u root)

user() {
	adm -e "$socket" "$@"
}

daemon() {
	on router timeout $((4 * PATIENCE)) "$ipmasqd" "$@"
}

page() {
	equals server1 get client http://198.51.100.1:8000/
}

# The tables of nf_tables on the router.
tables() {
	on router nft list tables
}

log_says() {
	wait_until grep -q -- "$1" "$lab_scratch/ipmasqd.log" || { cat "$lab_scratch/ipmasqd.log"; return 1; }
}

# reload TEXT: the signal, and the message that shows that it was heard.
reload() {
	: >"$lab_scratch/ipmasqd.log"
	kill -HUP "$(ipmasqd_pid)" && log_says "$1"
}

first_rules() {
	cat >"$rules" <<-END
		portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
		masq -A -S 10.0.0.0/24
	END
	chmod 600 "$rules"
}

# --- command lines
check "-h lists the options" says "--fail-open" daemon -h
check "-V shows the version" says "ipmasqd " daemon -V
check "without an interface" fails_with 2 "-i is needed" daemon
check "an interface's name that is none" fails_with 2 "'a/b'" daemon -i a/b
check "a name that is too long" fails_with 2 "'sixteen-letters-x'" daemon -i sixteen-letters-x
check "no worker" fails_with 2 "'0'" daemon -i outside -w 0
check "too many workers" fails_with 2 "'65'" daemon -i outside --workers=65
check "a queue that is none" fails_with 2 "'65536'" daemon -i outside -q 65536
check "junk behind a number" fails_with 2 "'1x'" daemon -i outside --queue 1x
check "an option that is none" fails_with 2 "'-Z'" daemon -i outside -Z
check "a long option that is none" fails_with 2 "'--nothing'" daemon -i outside --nothing
check "an option without its value" fails_with 2 "-r needs a value" daemon -i outside -r
check "a word too many" fails_with 2 "'eth0'" daemon -i outside eth0
check "a user that is none" fails_with 1 "'nosuchuser'" daemon -f -i outside -u nosuchuser
check "rules that are not there" fails_with 1 "cannot read $rules" daemon -f -i outside -r "$rules" \
	-s "$socket" "${as_root[@]}"
printf 'portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80\nportfw -A -P tcp -L x\n' >"$rules"
check "rules that do not parse are named by line" fails_with 1 "$rules:2: portfw" \
	daemon -f -i outside -r "$rules" -s "$socket" "${as_root[@]}"
check "it has left no rules of the kernel's" equals "" tables
check "and no socket" [ ! -e "$socket" ]
mkfifo "$lab_scratch/pipe"
check "rules are not read from a pipe" fails_with 1 "pipe: it is no regular file" \
	daemon -f -i outside -r "$lab_scratch/pipe" -s "$socket" "${as_root[@]}"
if mknod "$lab_scratch/null" c 1 3 2>/dev/null; then
	check "the number is not written to a device" fails_with 1 "null: it is no regular file" \
		daemon -f -i outside -r /dev/null -s "$socket" --pid-file "$lab_scratch/null"
	check "which is still there" [ -c "$lab_scratch/null" ]
fi
echo "something" >"$lab_scratch/file"
first_rules
check "a file in the place of the socket stays" eval '
	fails_with 1 "cannot listen at" daemon -f -i outside -r "$rules" -s "$lab_scratch/file" \
		"${as_root[@]}" && equals something cat "$lab_scratch/file"'
if [ -z "${LAB_UNSHARED:-}" ]; then
	check "without the right" fails_with 1 "CAP_NET_ADMIN" on router setpriv --reuid 65534 \
		--clear-groups "$ipmasqd" -f -i outside
fi

# --- a daemon
check "in the background it returns when all is ready, and its output ends" eval '
	daemon -i outside -r "$rules" -s "$socket" --pid-file "$lab_scratch/ipmasqd.pid" "${as_root[@]}" 2>&1 |
		timeout 10 cat >"$lab_scratch/stderr"
	[ "${PIPESTATUS[*]}" = "0 0" ] && user portfw -L -n | grep -q 8000'
check "it says nothing then" equals "" cat "$lab_scratch/stderr"
check "it translates" page
check "the pid file has its number" eval 'grep -q "^ipmasqd" "/proc/$(ipmasqd_pid)/comm"'
check "it has left the terminal" equals /dev/null readlink "/proc/$(ipmasqd_pid)/fd/2"
check "a second one on the same socket is refused" fails_with 1 "another ipmasqd listens" \
	daemon -f -i outside -r "$rules" -s "$socket" "${as_root[@]}"
check "the first one goes on" eval 'page && user portfw -L >"$lab_scratch/out"'
check "SIGTERM ends it" stop_ipmasqd
check "no rules of the kernel's are left" equals "" tables
check "nor its socket and pid file" eval '[ ! -e "$socket" ] && [ ! -e "$lab_scratch/ipmasqd.pid" ]'
check "a daemon that cannot start says so by its exit status" fails_with 1 "cannot read" \
	daemon -i outside -r "$lab_scratch/nothing" -s "$socket" "${as_root[@]}"

# --- what it may do
check "in the foreground" start_ipmasqd -r "$rules"
check "it translates" page
pid=$(ipmasqd_pid)
status_of() {
	sed -n "s/^$1:[ \t]*//p" "/proc/$pid/task/"*/status | sort -u
}
if [ -z "${LAB_UNSHARED:-}" ]; then
	check "it is another user, in every thread" eval '[[ $(status_of Uid) != *0* ]] ||
		equals "" eval "status_of Uid | grep -w 0"'
fi
check "it has CAP_NET_ADMIN and CAP_NET_RAW, in every thread" equals 0000000000003000 status_of CapEff
check "and no way to more" equals 0000000000003000 status_of CapPrm
check "nor by a program" equals 0000000000000000 status_of CapBnd
check "no_new_privs, in every thread" equals 1 status_of NoNewPrivs
if [ "$(status_of Seccomp)" = 0 ] && grep -aq __asan_init "$ipmasqd"; then
	skip "the seccomp filter" "AddressSanitizer cannot run under it"
else
	check "a seccomp filter, in every thread" equals 2 status_of Seccomp
fi

# --- reload
listing() {
	user save | grep -v '^#'
}
mkdir "$lab_scratch/files" 2>/dev/null
head -c 6000000 /dev/urandom >"$lab_scratch/files/six"
sum=$(sha256sum <"$lab_scratch/files/six")
# A download of some seconds, 1 MB each; it has begun.
start_download() {
	rm -f "$lab_scratch/got"
	on client curl -gsS --max-time $((2 * PATIENCE)) -o "$lab_scratch/got" http://198.51.100.1:8000/slow/six &
	running=$!
	wait_until [ -s "$lab_scratch/got" ]
}
is_whole() {
	wait $running && equals "$sum" eval 'sha256sum <"$lab_scratch/got"'
}
check "a download begins" start_download
echo "portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.11 80" >>"$rules"
check "SIGHUP reads the rules again" reload "rules read again"
check "the new rule works" equals server1 get client http://198.51.100.1:8001/
check "the old ones do" page
echo "portfw -A -P tcp -L 198.51.100.1 80x -R 10.0.0.11 80" >>"$rules"
check "rules that do not parse are named by line" reload "$rules:4: portfw: '80x'"
check "it says that the old ones stay" log_says "the old rules stay"
check "they do" eval 'page && equals server1 get client http://198.51.100.1:8001/'
mv "$rules" "$rules.away"
check "a file that is away leaves them, too" reload "cannot read $rules"
check "they stay" page
first_rules
check "the first rules again" reload "rules read again"
check "the new rule is gone" equals 2 eval 'listing | wc -l'
check "a download has gone on through all of it" is_whole
check "no reload changed who it is" equals "$pid" ipmasqd_pid

# --- addresses
seen() {
	get server1 http://198.51.100.2/who
}
check "what is masqueraded has the interface's address" equals 198.51.100.1 seen
check "it follows the address" eval '
	ip -n "$lab-router" address flush dev outside scope global &&
	ip -n "$lab-router" address add 198.51.100.5/24 dev outside &&
	log_says "the address of outside is 198.51.100.5" && equals 198.51.100.5 seen'
ip -n "$lab-router" address flush dev outside scope global
lab_address router outside 198.51.100.1/24 198.51.100.10/24
log_says "the address of outside is 198.51.100.1"

# --- the end
kill -9 "$pid"
wait_until gone "$pid"
check "after kill -9 a new one starts in its place" start_ipmasqd -r "$rules"
check "with the rules of the file" equals 2 eval 'listing | wc -l'
check "it translates" page
check "there is one table of its own" equals 1 eval 'tables | wc -l'
check "SIGINT ends it" stop_ipmasqd INT
check "nothing is left in the kernel" equals "" tables

check "with --state" start_ipmasqd -r "$rules" --state "$state"
# As any gateway's firewall does: packets that come while nothing translates are lost, not answered.
on router nft -f - <<-END
	table ip firewall {
		chain input { type filter hook input priority 0; tcp dport 8000 drop; }
		chain outside { type filter hook prerouting priority -400; iifname outside ip daddr 10.0.0.0/24 drop; }
	}
END
check "a download begins" start_download
check "it is ended in the middle of a download" stop_ipmasqd
check "the links are in the file" [ -s "$state" ]
check "which others cannot read" equals 600 stat -c %a "$state"
check "no half file lies beside it" equals 1 eval 'ls "$state"* | wc -l'
check "and started again" start_ipmasqd -r "$rules" --state "$state"
check "the download has gone on" is_whole
on router nft delete table ip firewall
stop_ipmasqd
head -c 5000 /dev/urandom >"$state"
check "a state that is none does no harm" eval 'start_ipmasqd -r "$rules" --state "$state" && page'
check "it is told" grep -q "$state" "$lab_scratch/ipmasqd.log"
stop_ipmasqd

check "nor a state in a pipe" eval 'start_ipmasqd -r "$rules" --state "$lab_scratch/pipe" && page'
check "it is told" grep -q "pipe: it is no regular file" "$lab_scratch/ipmasqd.log"
check "the pipe is still there at the end" eval 'stop_ipmasqd && [ -p "$lab_scratch/pipe" ]'

# --- a service manager
managed() {
	: >"$lab_scratch/notified"
	on router timeout $((4 * PATIENCE)) python3 "$here/clients.py" "$1" notify "$ipmasqd" -f -i outside -r "$rules" \
		-s "$socket" --pid-file "$lab_scratch/ipmasqd.pid" "${as_root[@]}" \
		>"$lab_scratch/notified" 2>"$lab_scratch/ipmasqd.log" &
	# shellcheck disable=SC2034 # in an eval below
	manager=$!
	wait_until grep -q READY=1 "$lab_scratch/notified"
}
in_journal() {
	: >"$lab_scratch/journal"
	on router env JOURNAL_STREAM="$(stat -c "$1:%i" "$lab_scratch/journal")" "$ipmasqd" -i "$2" 2>"$lab_scratch/journal"
	cat "$lab_scratch/journal"
}
check "the journal gets the priority with a message" says "<3>'a/b'" in_journal %d a/b
check "another standard error does not" says "ipmasqd: 'a/b'" in_journal 1%d a/b
for name in "$lab_scratch/notify" "@$lab-notify"; do
	check "a service manager is told when it is ready (${name:0:1})" managed "$name"
	check "it is" page
	check "it is told of a reload" eval 'kill -HUP "$(ipmasqd_pid)" &&
		wait_until grep -q "RELOADING=1 MONOTONIC_USEC=[0-9]" "$lab_scratch/notified" &&
		wait_until eval "[ \$(grep -c READY=1 \"$lab_scratch/notified\") = 2 ]"'
	check "and of the end" eval 'stop_ipmasqd && wait $manager &&
		grep -q STOPPING=1 "$lab_scratch/notified"'
done

# --- boot
prefix=${IPMASQADM%/sbin/ipmasqadm}
unit=$prefix/lib/systemd/system/ipmasqd.service
# The script as installed, but for what /etc/default would say.
sed -e "s|^program=.*|program=$ipmasqd|" -e "s|^pid_file=.*|pid_file=$lab_scratch/ipmasqd.pid|" \
	-e '/^\[.*etc\/default/d' "$prefix/share/ipmasqadm/init.d/ipmasqd" >"$lab_scratch/init"
init() {
	on router sh "$lab_scratch/init" "$@"
}
check "the init script without options says: not configured" fails_with 6 "name the outside interface" \
	init start
sed -i "s|^IPMASQD_OPTIONS=.*|IPMASQD_OPTIONS='-i outside -r $rules -s $socket --state $state ${as_root[*]}'|" \
	"$lab_scratch/init"
check "status before" eval 'init status >"$lab_scratch/out"; [ $? = 3 ]'
check "start" init start
check "it translates" page
check "start again is no error" init start
check "status" says "process $(ipmasqd_pid)" init status
check "reload" init reload
before=$(ipmasqd_pid)
check "restart" init restart
check "it is another one, and translates" eval 'page && [ "$before" != "$(ipmasqd_pid)" ]'
check "stop" init stop
check "stop again is no error" init stop
check "reload when stopped: not running" fails_with 7 "not running" init reload
check "try-restart when stopped does nothing" eval 'init try-restart; [ ! -e "$lab_scratch/ipmasqd.pid" ]'
check "a word that is none" fails_with 2 "usage:" init begin
if command -v systemd-analyze >/dev/null && [ -z "${LAB_UNSHARED:-}" ] && [ -e "$unit" ]; then
	sed "s|^ExecStart=[^ ]*|ExecStart=$ipmasqd|" "$unit" >"$lab_scratch/ipmasqd.service"
	check "systemd-analyze finds no fault in the unit" equals "" eval \
		'systemd-analyze verify --man=no --recursive-errors=no "$lab_scratch/ipmasqd.service" 2>&1'
else
	skip "systemd-analyze finds no fault in the unit" "no systemd-analyze here"
fi

# --- before there is an address
ip -n "$lab-router" link set outside name later
check "an interface that is not there is waited for" start_ipmasqd -r "$rules"
check "it says so" log_says "outside is not there yet"
ip -n "$lab-router" link set later name outside
ip -n "$lab-router" address flush dev outside scope global
lab_address router outside 198.51.100.1/24 198.51.100.10/24
check "it takes the address when it comes" log_says "the address of outside is 198.51.100.1"
check "and translates" eval 'page && equals 198.51.100.1 seen'
stop_ipmasqd
finish
