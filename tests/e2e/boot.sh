#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The rules come back at boot: by the sysv script, by the unit of systemd, all or none.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx
begin 1
web_server server1
prefix=${IPMASQADM%/sbin/ipmasqadm}
script=$prefix/share/ipmasqadm/init.d/ipmasqadm
unit=$prefix/lib/systemd/system/ipmasqadm.service
rules=$lab_scratch/rules
forward="portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80"

# The script as installed, but for the places of program and rules, which /etc/default would say.
sed -e "s|^program=.*|program=$IPMASQADM|" -e "s|^rules=.*|rules=$rules|" \
	-e '/etc\/default/d' "$script" >"$lab_scratch/init"
chmod 755 "$lab_scratch/init"

init() {
	on router "$lab_scratch/init" "$@"
}

exits() {
	local expected=$1 rc

	shift
	"$@"
	rc=$?
	[ $rc = "$expected" ] || { echo "exit status $rc, not $expected: $*"; return 1; }
}

# --- sysv -----------------------------------------------------------------------------------------

check "start without a rules file says so: not configured" fails_with 6 "there is no $rules" init start
check "status before: not running" exits 3 init status
echo "$forward" >"$rules"
check "start loads the rules" init start
check "the forward works" equals server1 get client http://198.51.100.1:8000/
check "status: running" says "1 rules" init status
check "start again is no error" init start
check "reload makes the rules those of the file" eval 'echo "${forward/8000/8001}" >>"$rules" &&
	init reload && equals 2 eval "rules | wc -l"'
check "so does force-reload" eval 'portfw -F && init force-reload && equals 2 eval "rules | wc -l"'
check "restart keeps the counters of what stays" eval 'get client http://198.51.100.1:8000/ &&
	before=$(settled portfw -L -v -n) && init restart && equals "$before" portfw -L -v -n'
check "a wrong file changes nothing" eval 'before=$(ruleset) && echo "portfw -A" >>"$rules" &&
	exits 1 init reload && equals "$before" ruleset'
check "stop removes the rules" eval 'init stop && equals "" rules'
check "stop again is no error" init stop
check "reload when stopped: not running" fails_with 7 "no rules to reload" init reload
check "try-restart when stopped does nothing" eval 'init try-restart && equals "" rules'
check "no word is a usage error" fails_with 2 "usage:" init
check "nor is another" fails_with 2 "usage:" init begin
sed -i "s|^program=.*|program=$lab_scratch/none|" "$lab_scratch/init"
check "the program is not installed" fails_with 5 "not installed" init start
check "its header is that of the LSB" eval '
	for word in Provides Required-Start Default-Start Short-Description; do grep -q "^# $word:" "$script" || exit 1; done'

# --- restore --------------------------------------------------------------------------------------

echo "$forward" >"$rules"
adm restore "$rules"
before=$(ruleset)
{
	echo "portfw -A -P tcp -L 198.51.100.1 9000 -R 10.0.0.11 80"
	echo "portfw -A -P tcp -L no-such-host.invalid 9001 -R 10.0.0.11 80"
} >"$rules.names"
check "a name that does not resolve leaves everything as it was" \
	refuses 2 "no-such-host.invalid" adm restore "$rules.names"
check "the rules are as before" equals "$before" ruleset
check "a name that does is restored" eval 'echo "portfw -A -P tcp -L 198.51.100.1 http -R localhost.test 80" >"$rules.names" &&
	fails_with 2 "localhost.test" adm restore "$rules.names" &&
	echo "portfw -A -P tcp -L 198.51.100.1 http -R 10.0.0.11 http" >"$rules.names" &&
	adm restore "$rules.names" && says "198.51.100.1 10.0.0.11 80 80" rules'

# The default file, in a mount namespace of its own.
default() {
	on router unshare --mount bash -c '[ -e /etc/ipmasqadm.rules ] && exit 9
		mkdir "$1/etc" "$1/work"
		mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" /etc || exit 9
		cp "$2" /etc/ipmasqadm.rules && "$3" restore' default "$lab_scratch" "$rules" "$IPMASQADM"
}

if on router unshare --mount true 2>/dev/null && [ ! -e /etc/ipmasqadm.rules ]; then
	default
	status=$?
	if [ $status = 9 ]; then
		skip "restore without FILE takes the default one" "no overlay here"
	else
		check "restore without FILE takes the default one" says "198.51.100.1 10.0.0.11 8000 80" rules
	fi
fi
[ -e /etc/ipmasqadm.rules ] ||
	check "restore without FILE, and no default one, names it" \
		refuses 1 "/etc/ipmasqadm.rules" adm restore

# --- systemd --------------------------------------------------------------------------------------

if command -v systemd-analyze >/dev/null && [ -z "${LAB_UNSHARED:-}" ]; then
	sed "s|$(sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$unit")|$IPMASQADM|" "$unit" >"$lab_scratch/ipmasqadm.service"
	check "systemd-analyze finds no fault in the unit" \
		equals "" eval 'systemd-analyze verify --man=no --recursive-errors=no "$lab_scratch/ipmasqadm.service" 2>&1'
else
	skip "systemd-analyze finds no fault in the unit" "no systemd-analyze here"
fi
check "start, reload and stop of the unit do what they say" eval '
	unit_line() { sed -n "s/^$1=[^ ]* //p" "$unit" | sed "s|/etc/ipmasqadm.rules|$rules|"; }
	adm flush && adm $(unit_line ExecStart) && equals 1 eval "rules | wc -l" &&
	adm $(unit_line ExecReload) && equals 1 eval "rules | wc -l" && adm $(unit_line ExecStop) && equals "" rules'
finish
