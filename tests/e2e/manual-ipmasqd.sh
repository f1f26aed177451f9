#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ipmasqd(8) beside the program: options in help, manual, completion and parser; every message of the
# page is made to be said, and every message of the source is in the page; its examples run.  What
# only a kernel short of something says is said because strace(1) has a system call fail.
. "$(dirname "$0")/lib.sh"
need_tools pgrep socat setpriv strace unshare mount prlimit
begin 1
page=$here/../../man/ipmasqd.8
daemon=$here/../../ipmasqadm/daemon
ipmasqd=$(dirname "$IPMASQADM")/ipmasqd
scratch=$lab_scratch socket=$lab_scratch/ipmasqd.sock rules=$lab_scratch/rules
as_root=()
[ -z "${LAB_UNSHARED:-}" ] || as_root=(-u root)
printf 'masq -A -S 10.0.0.0/24\n' >"$rules"
usual=(-i outside -r "$rules" -s "$socket" "${as_root[@]}")

# --- options

set_of() {
	tr ' ' '\n' | sed '/^$/d' | LC_ALL=C sort -u | paste -sd' '
}

helped() {
	"$ipmasqd" -h | grep -oE '(^  |, |    )--?[A-Za-z][-a-z]*' | grep -oE -- '-.*' | set_of
}

# The options of the lines between two headings that match a pattern.
documented() {
	sed -n "/^\.S[sh] $1/,/^\.S[sh] $2/p" "$page" | grep "$3" |
		grep -oE 'Fl [-A-Za-z]+( \| [A-Z])?' | sed 's/Fl //; s/ | / /' | tr ' ' '\n' | sed 's/^/-/' | set_of
}

# Of two spellings the synopsis has the letter.
first_spellings() {
	"$ipmasqd" -h | sed -nE 's/^ +(--?[A-Za-z][-a-z]*).*/\1/p' | set_of
}

# Whether it takes the word for an option: what it then says is not that there is none.
knows() {
	! timeout 5 "$ipmasqd" "$1" </dev/null 2>&1 | grep -q "there is no option"
}

parsed() {
	local word

	for word in -{a..z} -{A..Z} $(helped | tr ' ' '\n' | grep '^--') --no-such-word; do
		knows "$word" && printf '%s\n' "$word"
	done | set_of
}

check "the parser knows what the help says" equals "$(helped)" parsed
check "the manual has what the help says, and no others" equals "$(helped)" documented Options "Packets" '^\.It'
check "so has its synopsis" equals "$(first_spellings)" documented SYNOPSIS DESCRIPTION '^\.\(Op \)\?Fl'
check "the help needs no right" says "--fail-open" "$ipmasqd" --help

# --- messages

# What the page says of messages, and the messages themselves, each as a regular expression.
diagnostics() {
	sed -n '/^\.Sh DIAGNOSTICS/,/^\.Sh SEE/p' "$page" | sed 's/\\&//g; s/\\-/-/g'
}

messages() {
	diagnostics | sed -n 's/^\.It //p'
}

expression() {
	printf '\\Q%s\\E' "$(sed -E \
		's/\b(ADDRESS|COMMAND|DEVICE|FILE|INTERFACE|N|NAME|OPTION|PATH|REASON|USER|WORD)\b/\\E.+\\Q/g' <<<"$1")"
}

# Runs the daemon in the foreground, which is to fail.
start() {
	on router timeout 20 "$ipmasqd" -f "$@" 2>&1
}

# Runs it, does something when it translates, ends it and shows what it said.
# shellcheck disable=SC2294 # one string
runs() {
	local meanwhile=$1

	shift
	start_ipmasqd "$@" && eval "$meanwhile"
	stop_ipmasqd TERM
	cat "$scratch/ipmasqd.log"
}

# with OPTION... -- COMMAND: while a daemon with these options runs.
with() {
	local options=()

	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	start_ipmasqd -r "$rules" "${options[@]}" && "$@"
	stop_ipmasqd TERM
}

# injected CALL:ERROR OPTION...: the daemon with a system call that fails, until it ends or translates.
injected() {
	local what=$1 log=$scratch/injected.log

	shift
	: >"$log"
	on router timeout -k 2 20 strace -qqq -o "$scratch/calls" -e signal=none -e "inject=$what" \
		"$ipmasqd" "${usual[@]}" --pid-file "$scratch/pid" "$@" >"$log" 2>&1 &
	wait_until eval "grep -q 'translating: ' '$log' || gone $!"
	[ ! -s "$scratch/pid" ] || kill "$(cat "$scratch/pid")" 2>/dev/null
	wait $!
	rm -f "$scratch/pid"
	cat "$log"
}

# faulty CALL ERROR OPTION...: has the first such call fail, the second, and so on, until a message comes
# that matches $wanted.  ERROR+: from that call on.
faulty() {
	local call=$1 error=$2 nth got

	shift 2
	for ((nth = 1; nth <= 30; nth++)); do
		got=$(injected "$call:error=${error%+}:when=$nth${error##*[A-Z]}" "$@")
		grep -P -- "$wanted" <<<"$got" && return
	done
	echo "the last one: $got"
}

# A daemon whose files of /etc are such that the group ipmasqd is there and the rules are not.
in_etc() {
	mkdir -p "$scratch/etc" && cp -L /etc/passwd /etc/nsswitch.conf "$scratch/etc" &&
		echo "ipmasqd:x:4242:" >"$scratch/etc/group"
	on router unshare --mount bash -c 'mount --bind "$0" /etc && exec "$@"' "$scratch/etc" "$@"
}

# A socket that nobody listens to, in a directory that cannot be written to.
in_read_only() {
	mkdir -p "$scratch/fixed" && python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$scratch/fixed/sock"
	on router unshare --mount bash -c 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"' \
		"$scratch/fixed" timeout 20 "$ipmasqd" -f "${usual[@]}" -s "$scratch/fixed/sock" 2>&1
}

# Memory is short somewhere between what loading takes and what is enough.
short_of_memory() {
	local kilobytes got

	for ((kilobytes = 5000; kilobytes < 12000; kilobytes += 200)); do
		got=$( (ulimit -v $kilobytes && start "${usual[@]}" -w 64 --pid-file /nowhere/pid))
		grep -P -- "$wanted" <<<"$got" && return
	done
	echo "the last one: $got"
}

ask() {
	printf '%b' "$1" >"$scratch/bytes" && python3 "$here/clients.py" "$socket" send "$scratch/bytes"
}

# The last of 60 clients of a daemon that may have 80 descriptors.
refused_clients() {
	python3 -c 'import socket, sys
clients = []
for n in range(60):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(sys.argv[1])
    clients.append(client)
print(clients[-1].recv(4096).decode())' "$socket" 2>&1
}

held_queue() {
	coproc HOLDER { on router python3 "$here/packets.py" hold-queue 0; }
	# shellcheck disable=SC2034 # it says "held"
	read -r -t 10 held <&"${HOLDER[0]}"
	start "${usual[@]}"
	kill "$HOLDER_PID"
	wait "$HOLDER_PID" 2>/dev/null
}

# A daemon with a device that goes.
lost_device() {
	start_ipmasqd -r "$rules" -t nat0 && ip -n "$lab-router" link delete nat0 &&
		wait_until grep -q "cannot take" "$scratch/ipmasqd.log"
	cat "$scratch/ipmasqd.log"
}

reload() {
	kill -HUP "$(ipmasqd_pid)" && wait_until grep -q "$1" "$scratch/ipmasqd.log"
}

lose_address() {
	ip -n "$lab-router" address flush dev outside scope global
	wait_until grep -q "outside has no address" "$scratch/ipmasqd.log"
	lab_address router outside 198.51.100.1/24 198.51.100.10/24
	wait_until grep -q "the address of outside is 198.51.100.1" "$scratch/ipmasqd.log"
}

# What makes a message, by which $wanted is a regular expression for it.
cause() {
	local n=0123456789

	case $1 in
	"-i is needed"*) start ;;
	"there is no option"*) start --nothing ;;
	"OPTION needs a value"*) start "${usual[@]}" -q ;;
	"'WORD' is one word"*) start "${usual[@]}" eth0 ;;
	"queue number"*) start "${usual[@]}" -q 65536 ;;
	"number of workers"*) start "${usual[@]}" --workers 65 ;;
	"mark 'WORD'"*) start "${usual[@]}" --punch 0 ;;
	"-q N"*) start "${usual[@]}" --queue 65535 ;;
	"'WORD' cannot be an interface"*) start --interface a/b ;;
	"'WORD' cannot be a TUN"*) start "${usual[@]}" --tun nat%d ;;
	"'PATH' cannot be"*) start "${usual[@]}" --socket "/$n$n$n$n$n$n$n$n$n$n$n$n" ;;
	"no permission"*)
		on router setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$ipmasqd" "${usual[@]}" 2>&1 ;;
	"there is no user"*) start "${usual[@]}" --user nosuchuser ;;
	"only root can become"*)
		on router setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=+net_admin \
			--ambient-caps=+net_admin "$ipmasqd" -f "${usual[@]}" -u root 2>&1 ;;
	"cannot become"*) unshare -Urn "$ipmasqd" -f -i lo -r "$rules" -s "$socket" -u nobody 2>&1 ;;
	"cannot read FILE"*) start "${usual[@]}" --rules "$scratch/none" ;;
	"there is no FILE"*)
		in_etc timeout 2 "$ipmasqd" -f -i outside -s "$socket" -u root 2>&1 ;;
	"not started"*) echo portfw >"$scratch/bad" && start "${usual[@]}" -r "$scratch/bad" ;;
	"FILE: REASON"*) head -c 500 /dev/urandom >"$scratch/links" && runs : -r "$rules" --state "$scratch/links" ;;
	"another ipmasqd listens"*) with -- start "${usual[@]}" ;;
	"cannot remove the old"*) in_read_only ;;
	"cannot listen at"*) : >"$scratch/file" && start "${usual[@]}" -s "$scratch/file" ;;
	"cannot give PATH"*)
		in_etc setpriv --bounding-set=-chown --inh-caps=-chown timeout 2 "$ipmasqd" -f "${usual[@]}" -u root 2>&1 ;;
	"another ipmasqd runs"*) with -- start "${usual[@]}" -s "$scratch/other" ;;
	"cannot bind NFQUEUE N: not"*) held_queue ;;
	"cannot bind NFQUEUE"*) faulty sendto ENOSYS -f ;;
	"cannot make table inet ipmasqd: not"*) faulty sendmsg EPERM -f ;;
	"cannot make table inet ipmasqd: this"*) faulty sendmsg EOPNOTSUPP+ -f ;;
	"cannot make table"*) faulty sendmsg ENOBUFS -f ;;
	"TUN device"*) with -t nat0 -- start "${usual[@]}" -s "$scratch/other" -t nat0 ;;
	"cannot make TUN device DEVICE: not"*) faulty ioctl EPERM -f -t nat0 ;;
	"cannot make TUN device DEVICE: there is no"*)
		on router unshare --mount bash -c 'mount -t tmpfs tmpfs /dev/net && exec "$@"' - \
			timeout 20 "$ipmasqd" -f "${usual[@]}" -t nat0 2>&1 ;;
	"cannot make TUN device DEVICE: there"*) start "${usual[@]}" -t outside ;;
	"cannot make TUN"*) faulty ioctl ENOMEM -f -t nat0 ;;
	"cannot write FILE"*) start "${usual[@]}" --pid-file "$scratch/none/pid" ;;
	"NOTIFY_SOCKET is"*) NOTIFY_SOCKET=here runs : -r "$rules" ;;
	"cannot tell"*) NOTIFY_SOCKET=$scratch/none/notify runs : -r "$rules" ;;
	"cannot wait for signals"*) faulty signalfd4 EMFILE -f ;;
	"cannot go into"*) faulty pipe2 EMFILE ;;
	"cannot start the process"*) faulty socketpair EMFILE -f ;;
	"cannot read the addresses"* | "cannot watch the addresses"* | "cannot open a"*) faulty socket EMFILE -f ;;
	"cannot watch the control"*) faulty epoll_create1 EMFILE -f ;;
	"cannot make an eventfd"*) faulty eventfd2 EMFILE -f ;;
	"cannot start a thread"*) faulty clone3 EAGAIN -f ;;
	"cannot set the seccomp"*) faulty seccomp EINVAL+ -f ;;
	"out of memory"*) short_of_memory ;;
	"translating"*) runs : -r "$rules" ;;
	"INTERFACE is not there"*) start_ipmasqd -r "$rules" -i later && cat "$scratch/ipmasqd.log" && stop_ipmasqd ;;
	"INTERFACE has no IPv4"*) start_ipmasqd -r "$rules" -i lo && cat "$scratch/ipmasqd.log" && stop_ipmasqd ;;
	"INTERFACE has no address"* | "the address of"*) runs lose_address -r "$rules" ;;
	"rules read again"*) runs 'reload "rules read again"' -r "$rules" ;;
	"the old rules stay"*)
		cp "$rules" "$scratch/changed" &&
			runs 'echo portfw >"$scratch/changed"; reload "old rules stay"' -r "$scratch/changed" ;;
	"cannot wait for events"*) # poll(2) takes no more descriptors than there may be
		runs 'prlimit --nofile=2 --pid "$(ipmasqd_pid)"; wait_until grep -q events "$scratch/ipmasqd.log"' \
			-r "$rules" -u root ;;
	"worker N cannot"*) lost_device ;;
	"the process that opens files"*)
		runs 'kill -KILL "$(pgrep -P "$(ipmasqd_pid)")"; wait_until grep -q "has ended" "$scratch/ipmasqd.log"' \
			-r "$rules" ;;
	"permission denied"*)
		chmod 711 "$scratch"
		with -- eval 'chmod 666 "$socket"
			on router setpriv --reuid 65534 --regid 65534 --clear-groups socat -t 5 - "UNIX:$socket" </dev/null 2>&1' ;;
	"too many clients"*) (ulimit -n 80 && with -- refused_clients) ;;
	"this took too long"*) with -- python3 "$here/clients.py" "$socket" half 20 ;;
	"the line has no end"*) with -- ask 'portfw' ;;
	"the rules file ends"*) with -- ask 'restore name 100\nmasq' ;;
	"a line of more"*) with -- ask "$(printf '%070000d' 0)" ;;
	"restore: here it is"*) with -- ask 'restore name x\n' ;;
	"there is a NUL"*) with -- ask 'masq\0 -F\n' ;;
	"more than 64"*) with -- ask "masq $(printf 'x %.0s' {1..64})\\n" ;;
	"name a command"*) with -- ask '-n\n' ;;
	"restore: name the file"*) with -- ask 'restore -a 0\n' ;;
	"COMMAND: ipmasqd does"*) with -- ask 'doctor\n' ;;
	*) echo "nobody has a test for it" ;;
	esac
}

# is_said MESSAGE: by what causes it, on a line of its own.
is_said() {
	local wanted got

	wanted="^(ipmasq[a-z]+: )?$(expression "$1")(; ipmasqd -h lists the options)?$"
	got=$(cause "$1")
	rm -f "$socket"
	grep -qP -- "$wanted" <<<"$got" || { printf '%s\nis not in:\n%s\n' "$wanted" "$got"; return 1; }
}

# ONLY=PATTERN in the environment is for who looks into one of them.
while IFS= read -r message; do
	case $message in
	"only root can become"* | "permission denied"* | "cannot give PATH"*)
		[ -z "${LAB_UNSHARED:-}" ] || { skip "'$message'" "there is one user only in this user namespace"; continue; } ;;
	*TUN\ device\ DEVICE* | "worker N"*)
		[ -w /dev/net/tun ] || { skip "'$message'" "no /dev/net/tun that may be opened"; continue; } ;;
	esac
	check "'$message'" is_said "$message"
done < <(messages | grep "${ONLY:-.}")

# The sentences of the source that have two words or more, but for the help.
sentences() {
	python3 "$here/sentences.py" "$daemon"/*.[ch] "$daemon/../line.c" | sed 's/^ipmasqd:\\ //' |
		grep -E '[a-z]+\\? +[a-z]+|[a-z]\\ [a-zA-Z]' | grep -v '^usage:'
}

page_has_all() {
	local sentence status=0 text

	text=$(diagnostics)
	while IFS= read -r sentence; do
		grep -qP -- "$sentence" <<<"$text" || { echo "$sentence is not in the page"; status=1; }
	done < <(sentences)
	return $status
}

check "there are sentences in the source" test "$(sentences | wc -l)" -gt 50
check "the page has every message of the source" page_has_all

# --- examples, as printed, where eth0 is outside and /etc and /run are such as the page has them

displays() {
	sed -n "/^\.S[sh] $1/,/^\.S[sh] $2/p" "$page" | sed -n '/^\.Bd/,/^\.Ed/{/^\.[BE]d/d;p}'
}

as_on_the_page() {
	mkdir -p "$scratch/run" "$scratch/bin"
	ln -sf "$IPMASQADM" "$ipmasqd" "$scratch/bin"
	in_etc env PATH="$scratch/bin:$PATH" bash -c 'mount --bind "$0" /run && eval "$1"' "$scratch/run" "$1"
}

example_rules() {
	displays EXAMPLES DIAGNOSTICS | sed -n '/^# cat/,/^# ipmasqd/{/^#/d;p}'
}

# The lines behind `# `, but for the one that shows the file.
run_examples() {
	in_etc true && example_rules >"$scratch/etc/ipmasqadm.rules" &&
		as_on_the_page "set -e
			$(displays EXAMPLES DIAGNOSTICS | sed -n '/^# cat/d; s/^# //p')"
}

# The request of the page and its answer, but for the width of the columns.
control_example() {
	local shown

	shown=$(displays "The control socket" Rights | sed -n '/^# echo/,$p')
	equals "$(tail -n +2 <<<"$shown" | tr -s ' ')" eval 'as_on_the_page "$(head -n 1 <<<"$shown" | cut -c 3-)" | tr -s " "'
}

ip -n "$lab-router" link set outside down
ip -n "$lab-router" link set outside name eth0
lab_address router eth0 192.0.2.1/24
if [ -z "${LAB_UNSHARED:-}" ]; then
	check "the gateway of EXAMPLES" says "192.0.2.1 10.0.0.11    80    80" run_examples
	check "it has a helper" says "masq" as_on_the_page "ipmasqadm -e user save"
	check "rules are saved from it" as_on_the_page \
		"$(displays Restarts Signals | sed -n 's/^# //p') && grep -q '^helper -A ftp' /etc/ipmasqadm.rules"
	check "the request by hand" control_example
	as_on_the_page "kill \$(ipmasqadm -e user status | sed -n 's/^engine *pid *//p')"
else
	skip "the gateway of EXAMPLES" "the user that ipmasqd becomes is not in this user namespace"
fi
finish
