# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the tests of the doctor are written with, behind lib.sh:
#
#   well WHAT [WORD...]           it says one line: all is well with WHAT
#   finds VERDICT TEXT [WORD...]  a line of this verdict has the text
#   mend TEXT [WORD...]           the command that this line names is carried out
#   mend_all TEXT [WORD...]       ... until there is no such line
#   fault SENTENCE VERDICT TEXT [WORD...]   it is found, and its own command mends it

PATH=$(dirname "$IPMASQADM"):$PATH # for the commands that the doctor prints

doctor() {
	adm doctor "$@"
}

well() {
	equals "all is well with $1" doctor "${@:2}"
}

# The exit status has to fit, too.
finds() {
	local verdict=$1 text=$2 got rc

	shift 2
	got=$(doctor "$@" 2>&1)
	rc=$?
	grep -E "^$verdict " <<<"$got" | grep -qF -- "$text" || { printf 'nothing of "%s" in:\n%s\n' "$text" "$got"; return 1; }
	[ "$verdict" = warn ] || [ $rc = 1 ] || { echo "exit status $rc"; return 1; }
}

# On the router, or where it says.
mend() {
	local text=$1 command place=router

	shift
	command=$(doctor "$@" 2>&1 | grep -F -- "$text" | head -n 1 | sed -n 's/.*; mend: //p')
	echo "mend: $command"
	case $command in
	"on 10.0.0.11: "*) place=server1 command=${command#on 10.0.0.11: } ;;
	esac
	on "$place" bash -c "$command"
}

# Where the fault is in the way of several forwards, each may need its own.
mend_all() {
	local try

	for ((try = 0; try < 4; try++)); do
		mend "$@" || return 1
		doctor "${@:2}" 2>&1 | grep -qF -- "$1" || return 0
	done
	return 1
}

fault() {
	local sentence=$1 verdict=$2 text=$3

	shift 3
	check "found: $sentence" finds "$verdict" "$text" "$@"
	check "mended: $sentence" mend_all "$text" "$@"
	check "all is well again" wait_until says "all is well" doctor
}

# The same where no command of this machine can mend it; the rest is what mends.
fault_elsewhere() {
	local sentence=$1 verdict=$2 text=$3

	shift 3
	check "found: $sentence" finds "$verdict" "$text"
	"$@"
	check "all is well again: $sentence" wait_until says "all is well" doctor
}

set_router() {
	on router bash -c "echo $2 >/proc/sys/$1"
}
