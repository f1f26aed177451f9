#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The control socket of ipmasqd: by hand, by ipmasqadm, and by those who mean no good.
. "$(dirname "$0")/lib.sh"
need_tools socat curl nginx setpriv
begin 1
web_server server1
cat >"$lab_scratch/rules" <<'END'
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
masq -A -S 10.0.0.0/24
END
check "ipmasqd starts" start_ipmasqd -r "$lab_scratch/rules"
socket=$lab_scratch/ipmasqd.sock

user() {
	adm -e "$socket" "$@"
}

clients() {
	timeout 120 python3 "$here/clients.py" "$socket" "$@"
}

# hand TEXT: what a request typed by hand is answered.
hand() {
	printf '%b' "$1" | socat -t 20 - "UNIX:$socket"
}

send() {
	printf '%b' "$1" >"$lab_scratch/bytes" && clients send "$lab_scratch/bytes"
}

# refused TEXT WORDS: the bytes are answered with status 2, these words, and no change.
refused() {
	local before after answer

	before=$(user save)
	answer=$(send "$1")
	after=$(user save)
	[[ $answer == *"$2"*"end 2"* ]] || { printf 'answer:\n%s\n' "$answer"; return 1; }
	[ "$before" = "$after" ] || { echo "the rules changed"; return 1; }
}

page() {
	equals server1 get client http://198.51.100.1:8000/
}

# --- the protocol, by hand
check "a listing by hand" equals $'out 79
prot localaddr    rediraddr lport rport pcnt pref
tcp  198.51.100.1 10.0.0.11  8000    80   10   10
err 0
end 0' eval "hand 'portfw -L -n\n' | sed 's/^out .*/out 79/'"
check "the length of the output is right" eval '
	hand "-n portfw -L\n" >"$lab_scratch/answer" && n=$(sed -n "1s/out //p" "$lab_scratch/answer") &&
	[ "$(tail -c +$((${#n} + 6)) "$lab_scratch/answer" | head -c "$n" | wc -l)" = 2 ] &&
	[ "$(tail -c +$((${#n} + 6 + n)) "$lab_scratch/answer")" = "$(printf "err 0\nend 0")" ]'
check "several requests by one connection" equals 3 eval \
	"hand 'portfw -L\n# nothing\nmasq -L\n' | grep -c '^end 0$'"
check "a message has its length, and the status" equals $'out 0
err 54
portfw: there is no option '"'-X'"'; portfw -h lists them
end 2' hand 'portfw -X\n'
check "a rules file behind its line" equals $'out 0\nerr 0\nend 0' \
	hand 'restore -a by-hand 54\nportfw -A -P udp -L 198.51.100.1 53 -R 10.0.0.11 5300\n'
check "its rule is there" says "-P udp -L 198.51.100.1 53 -R 10.0.0.11 5300" user save
check "a wrong line of it is named by the file" equals $'out 0
err 70
by-hand:2: portfw: '"'x'"' is not a port number or a service
end 2' eval "hand 'restore by-hand 45\n\nportfw -A -P tcp -L 1.2.3.4 x -R 10.0.0.1 1\n' |
	sed -e 's/^err .*/err 70/' -e 's/ of .etc.*//'"
check "nothing of it was done" says "-R 10.0.0.11 5300" user save

# --- ipmasqadm
check "-e SOCKET" says "8000" adm -e "$socket" portfw -L -n
check "-eSOCKET" says "8000" adm "-e$socket" portfw -L -n
check "--engine SOCKET" says "8000" adm --engine "$socket" portfw -L -n
check "--engine=SOCKET" says "8000" adm "--engine=$socket" portfw -L -n
check "IPMASQADM_ENGINE" says "8000" env IPMASQADM_ENGINE="$socket" bash -c ". '$here/../../contrib/lab.sh'
	lab=$lab; on router '$IPMASQADM' portfw -L -n"
check "-e kernel goes before it" equals "" eval '
	IPMASQADM_ENGINE=$socket adm -e kernel portfw -L -n | tail -n +2'
check "-e user is the default socket, which nobody has here" fails_with 1 "/run/ipmasqd.sock" \
	on router unshare -m bash -c 'mount -t tmpfs tmpfs /run; shift; exec "$@"' - - "$IPMASQADM" -e user portfw -L
check "a socket that is not there" fails_with 1 "is ipmasqd running?" adm -e ./nobody.sock portfw -L
check "an engine that is none" fails_with 2 "'users'" adm -e users portfw -L
check "-e without a word" fails_with 2 "engine" adm -e
check "a path that is too long" fails_with 1 "too long" adm -e "/$(printf 'x%.0s' {1..200})" portfw -L
check "a blank cannot be sent" fails_with 2 "cannot be sent" user portfw -D -P "tcp udp"
check "a line end cannot be sent" fails_with 2 "cannot be sent" user portfw -D $'-P\nflush'
check "an empty word cannot be sent" fails_with 2 "cannot be sent" user portfw -D -P ""
check "a comment cannot be sent" fails_with 2 "cannot be sent" user portfw -D '#P'
check "a module that is not there" fails_with 2 "there is no module 'nosuch'" user nosuch -L
check "a wrong option is told as by the kernel's engine" eval '
	equals "$(adm portfw -A -Q 2>&1)" eval "user portfw -A -Q 2>&1; true"'
check "the statuses are the kernel engine's" eval '
	user portfw -A -Q 2>/dev/null; [ $? = 2 ] && user portfw -D -P tcp -L 1.2.3.4 5 2>/dev/null; [ $? = 1 ]'
check "help comes by the socket, too" says "PROTO" user portfw -h
check "JSON" equals 8000 eval 'user --json portfw -L |
	python3 -c "import json, sys; print([f[\"lport\"] for f in json.load(sys.stdin)[\"portfw\"] if f[\"prot\"] == \"tcp\"][0])"'
check "--dry-run" equals "- portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80" \
	user --dry-run portfw -D -P tcp -L 198.51.100.1 8000
check "it changed nothing" says 8000 user portfw -L -n
check "completion of a word that is not begun" says "-P" user complete portfw -A ""
check "completion of a command" equals "save" user complete sa
check "save FILE writes on this side" user save "$lab_scratch/saved"
check "it belongs to who called" equals "$(id -u)" stat -c %u "$lab_scratch/saved"
check "flush" user flush
check "no rules are left" equals "" eval 'user save | grep -v "^#"; true'
check "restore FILE reads on this side" user restore "$lab_scratch/saved"
check "all is as before" eval 'user save | cmp - "$lab_scratch/saved"'
check "restore - reads standard input" eval 'user restore - <"$lab_scratch/saved"'
echo "portfw -A" >"$lab_scratch/wrong rules"
check "a file's name with a blank in it is shown" fails_with 2 "wrong?rules:1: portfw" \
	user restore "$lab_scratch/wrong rules"
check "100,000 rules go through the socket and come back" eval '
	python3 -c "
for n in range(100000):
    print(f\"portfw -A -P tcp -L 198.51.100.{1 + n // 50000} {1 + n % 50000} -R 10.0.0.11 80\")" \
		>"$lab_scratch/large" &&
	user restore "$lab_scratch/large" && [ "$(user save | wc -l)" = 100001 ] &&
	user restore "$lab_scratch/saved"'
check "status tells of the process" equals "$(ipmasqd_pid)" eval \
	"user status | sed -n 's/engine *pid *//p'"
check "status has JSON" eval 'user --json status | python3 -c "import json, sys; json.load(sys.stdin)"'
check "what is ipmasqadm's own is refused by the daemon" refused 'save file\n' "one word too many"
check "what only ipmasqadm does is refused" refused 'doctor\nshell\n' "shell: ipmasqd does not do this"
check "an option that is none" refused '--nothing portfw -L\n' "'--nothing'"
check "options alone" refused '-n\n' "name a command"

# --- malformed
check "a NUL byte" refused 'portfw\0 -F\n' "NUL"
check "the next line is heard" eval 'send "portfw\\0 -F\\nportfw -L\\n" | grep -q "^end 0$"'
check "65 words" refused "portfw $(printf 'x %.0s' {1..64})\\n" "more than 64 words"
check "a line of 64 KB" refused "$(printf 'x%.0s' {1..70000})" "more than 65536 bytes"
check "a line without an end" refused 'flush' "no end"
check "a file without a length" refused 'restore rules x\n' "NAME BYTES"
check "a file larger than any" refused 'restore rules 99999999999\n' "NAME BYTES"
check "a file that ends early" refused 'restore rules 100\nflush\n' "before it is whole"
head -c 300000 /dev/urandom >"$lab_scratch/noise"
check "noise is answered or closed, and changes nothing" eval 'before=$(user save) &&
	clients send "$lab_scratch/noise" >/dev/null && equals "$before" user save'
check "ipmasqd is still there" page

# --- too slow, too many, not allowed
clients half 100 >"$lab_scratch/half" &
half=$!
check "while one stays with half a line others are served" says 8000 user portfw -L -n
check "and pages go through" page
check "500 clients at once are all answered" equals 500 clients many 500
check "1,500 clients are answered, or told that it is too many" eval '
	ulimit -n 4096 && n=$(clients many 1500) && [ "$n" -ge 500 ]'
wait $half
check "it gets an answer in the end" says "took too long" cat "$lab_scratch/half"
check "a client that asks and never reads is closed" equals closed clients deaf
check "pages still go through" page

as_nobody() {
	on router setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
if [ -z "${LAB_UNSHARED:-}" ]; then
	chmod 711 "$lab_scratch"
	check "the socket is for root and its group" equals "660 0" stat -c "%a %u" "$socket"
	check "who is neither is told so by ipmasqadm" fails_with 1 "see ipmasqd(8)" \
		as_nobody "$IPMASQADM" -e "$socket" flush
	chmod 666 "$socket"
	check "with the mode changed ipmasqd itself refuses" fails_with 1 "permission denied: only root" \
		as_nobody "$IPMASQADM" -e "$socket" portfw -L
	check "a member of the socket's group may" says 8000 on router setpriv --reuid 65534 \
		--regid 65534 --groups "$(stat -c %g "$socket")" "$IPMASQADM" -e "$socket" portfw -L -n
	check "pages go through all the while" page
else
	skip "clients without the right" "there is one user only in this user namespace"
fi

check "a daemon that goes away in the middle is told so" fails_with 1 "went away in the middle of its answer" eval '
	socat UNIX-LISTEN:"$lab_scratch/half.sock" SYSTEM:"read line; printf %b \"out 100\\\\nhalf\"" &
	wait_until eval "ss -Hlx src \"$lab_scratch/half.sock\" | grep -q ." && adm -e "$lab_scratch/half.sock" portfw -F'
check "SIGTERM ends it" stop_ipmasqd
check "its socket is gone" [ ! -e "$socket" ]
finish
