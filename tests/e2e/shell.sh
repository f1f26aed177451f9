#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The shell: on a terminal (by shell.py, through a pseudo-terminal), and lines from a pipe.
. "$(dirname "$0")/lib.sh"
begin 1

# in_terminal CASE: a case of shell.py, with no rules and an empty directory to begin with.
in_terminal() {
	mkdir "$lab_scratch/$1" && clear_rules || return 1
	on router timeout 120 python3 "$here/shell.py" "$1" "$lab_scratch/$1"
}

check "Tab completes modules, options, addresses, interfaces, services, rules and files" \
	in_terminal completion
check "the history comes back, in this session and in the next, for its user only" in_terminal history
check "a history that is a link is left alone" in_terminal history_link
check "a transaction is done at its commit, all of it" in_terminal transaction
check "a writer that comes between loses nothing" in_terminal between
check "a commit that fails has done nothing and can be repeated" in_terminal failing_commit
check "Ctrl-C abandons a line, not the transaction" in_terminal interrupt_line
check "Ctrl-C ends a command that hangs, not the shell" in_terminal interrupt_command
check "several pasted lines are run up to the first that fails" in_terminal paste
check "the prompt shows the status of what failed" in_terminal prompt
check "it leaves by a word, Ctrl-D and a signal, and drops what is open" in_terminal leaving
check "options of the program hold for each line, those of a line for that line" in_terminal flags
check "help, of all and of a word" in_terminal helping

# --- lines from a pipe ---------------------------------------------------------------------------

F=$'portfw -A -P tcp -L 198.51.100.10 8080 -R 10.0.0.11 80'
G=$'portfw -A -P tcp -L 198.51.100.10 8081 -R 10.0.0.11 80'

# piped LINES ARGUMENT...
piped() {
	printf '%s\n' "$1" | adm "${@:2}"
}

# rules_after LINES...: what is saved then, without the heading.
saved_is() {
	equals "$1" bash -c '"$0" "$@" | tail -n +2' nsenter --net="/run/netns/$lab-router" "$IPMASQADM" save
}

clear_rules
check "lines from a pipe are run" piped "# two"$'\n'"$F"$'\n\n'"$G"
check "... both" saved_is "$F"$'\n'"$G"
check "output comes in their order" equals "$(printf '%s\n%s\n' "$F" "$G")" \
	bash -c 'printf "save\nflush\n" | "$0" "$@" | grep portfw' \
	nsenter --net="/run/netns/$lab-router" "$IPMASQADM"
check "the first that fails ends it, and is named by its line" \
	fails_with 2 "line 2: portfw: '80x' is not a port" piped "$F"$'\nportfw -A -P tcp -L 198.51.100.10 80x -R 10.0.0.11 80\n'"$G"
check "... what was before it is done" saved_is "$F"
check "with -k it goes on, and exits as the first that failed" \
	fails_with 1 "line 1: portfw: no forward" piped $'portfw -D -P udp -L 198.51.100.10 1\nportfw -X\nflush\n'"$G" -k
check "... what was behind it is done" saved_is "$G"
check "the same by its name" fails_with 2 "line 1: " piped $'portfw -X\nflush' shell -k
check "... done, too" saved_is ""
check "a file instead of a pipe" bash -c 'echo "$1" >"$2" && nsenter --net="/run/netns/$3" "$0" <"$2"' \
	"$IPMASQADM" "$F" "$lab_scratch/lines" "$lab-router"
check "... is run" saved_is "$F"
check "a last line without an end is one, too" bash -c 'printf flush | "$0" "$@"' \
	nsenter --net="/run/netns/$lab-router" "$IPMASQADM"
check "... is run" saved_is ""
check "a transaction" piped $'begin\n'"$F"$'\n'"$G"$'\ncommit'
check "... is done" saved_is "$F"$'\n'"$G"
check "one with a line that fails: the line is named" \
	refuses 1 "line 3: portfw: no forward" piped $'begin\nflush\nportfw -D -P tcp -L 198.51.100.10 1\ncommit\n'
check "... with -k nothing of it is done, but what follows is" \
	fails_with 2 "line 3: masq: '10.0.0.0/99'" piped \
	$'begin\nflush\nmasq -A -S 10.0.0.0/99\ncommit\nportfw -D -P tcp -L 198.51.100.10 8081' -k
check "... so" saved_is "$F"
check "one that is never committed is not done, and that is said" \
	refuses 1 "line 1: begin: there is no commit" piped $'begin\nflush'
check "one that is aborted is not done" piped $'begin\nflush\nabort'
check "... not" saved_is "$F"
check "what it would change is shown" says "- $F" piped $'begin\nflush\nshow\nabort'
check "a listing in it shows what is not there yet" says "8081" piped $'begin\n'"$G"$'\nportfw -L -n\ncommit'
check "begin in it is refused" refuses 1 "line 2: begin: a transaction is open already" piped $'begin\nbegin'
check "commit outside of one is refused" refuses 1 "line 1: commit: no transaction is open" piped commit
check "standard input cannot be read in one" refuses 2 "line 2: restore: standard input" \
	piped $'begin\nrestore -\ncommit'
check "--dry-run of a line in one is refused" refuses 2 "line 2: flush: --dry-run is for a whole" \
	piped $'begin\nflush --dry-run\ncommit'
check "--kill of a line in one is the whole one's" piped $'begin\nflush --kill\ncommit'
check "--dry-run of the shell shows what commit would do" says "+ $F" piped $'begin\n'"$F"$'\ncommit' --dry-run
check "... and changes nothing" saved_is ""
check "restore - takes the lines behind it" piped $'restore -\n'"$F"
check "... as a rules file" saved_is "$F"
check "a word too many for a word of the shell" refuses 2 "line 1: commit: 'now'" piped "commit now"
check "a shell in the shell is refused" refuses 2 "line 1: shell: this is one" piped shell
check "65 words are too many" refuses 2 "line 1: shell: more than 64 words" piped "$(seq -s' ' 65)"
check "a NUL byte is refused" refuses 2 "line 1: shell: there is a NUL byte" \
	bash -c 'printf "flush\0\n" | "$0" "$@"' nsenter --net="/run/netns/$lab-router" "$IPMASQADM"
check "a long line of nothing is a line" piped "$(printf '%100000s' '')"
check "exit ends it" fails_with 0 "" piped $'exit\nportfw -X'
check "nothing is no mistake" piped ""
check "a word too many" refuses 2 "'x' is one word too many" adm shell -k x
check "without input it is no shell" refuses 2 "usage" adm </dev/null

many() {
	{ echo begin; seq 2000 | sed 's/.*/portfw -A -P tcp -L 198.51.100.10 & -R 10.0.0.11 80/'; echo commit; } | adm
}
clear_rules
check "a long transaction is one" many
check "... of all its lines" equals 2001 bash -c '"$0" "$@" | wc -l' \
	nsenter --net="/run/netns/$lab-router" "$IPMASQADM" save

# --- the rules of an ipmasqd -----------------------------------------------------------------------

clear_rules
check "ipmasqd starts" start_ipmasqd
export IPMASQADM_ENGINE=$lab_scratch/ipmasqd.sock
check "in the shell it is as with the kernel's rules, but for transactions" in_terminal remote
check "lines from a pipe go there" piped "$F"$'\n'"$G"
check "... in their order" equals "$F"$'\n'"$G" bash -c '"$0" "$@" | tail -n +2' \
	nsenter --net="/run/netns/$lab-router" "$IPMASQADM" save
check "... and the first that fails is named" fails_with 1 "line 1: portfw: no forward" \
	piped $'portfw -D -P udp -L 198.51.100.10 1\nflush'
check "a transaction is refused" fails_with 1 "line 1: begin: ipmasqd has the rules" piped begin
finish
