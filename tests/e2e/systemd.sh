#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The units as a systemd runs them: at boot, and at reload, restart, crash and end.
. "$(dirname "$0")/lib.sh"
need_tools curl nginx systemctl pgrep
begin 1
[ -z "${LAB_UNSHARED:-}" ] || skip_all "only root can start a systemd"

# Whether this kernel has what the machine is made of.
machine_possible() {
	mkdir "$lab_scratch"/{cgroup,layer} && unshare --mount --propagation private bash -c '
		cd "$0" && mount -t cgroup2 cgroup2 cgroup && mkdir "cgroup/$1" && rmdir "cgroup/$1" &&
		mount -t tmpfs tmpfs layer && mkdir layer/{upper,work,root} &&
		mount -t overlay overlay -o lowerdir=/,upperdir=layer/upper,workdir=layer/work layer/root
		' "$lab_scratch" "$lab-probe"
}

machine_possible || skip_all "no overlays or no cgroups of version 2 here"
machine=$lab_scratch/$lab-machine
program=${IPMASQADM#"$STAGE"}
web_server server1

# inside COMMAND...: on the machine.
inside() {
	nsenter --target "$(cat "$machine/pid")" --all --root --wd env -i PATH="${program%/*}:$PATH" "$@"
}

# The machine's file of this name.
file() {
	echo "/proc/$(cat "$machine/pid")/root$1"
}

# unit NAME: a unit of the machine's, from standard input.
unit() {
	cat >"$machine/units/$1"
}

# What is there besides ours: a network behind network-pre.target that is up before the system is, as
# with cloud-init; it notes what rules there were when it came.
make_units() {
	local units name

	mkdir -p "$machine"/{units,upper/etc/default}
	units=$(find "$STAGE" -type d -path '*/systemd/system')
	cp "$units"/*.service "$machine/units"
	for name in local-fs sysinit network-pre shutdown; do
		printf '[Unit]\nDefaultDependencies=no\n' | unit $name.target
	done
	name='sysinit.target network.service ipmasqadm.service ipmasqd.service'
	printf '[Unit]\nDefaultDependencies=no\nAfter=%s\nWants=%s\n' "$name" "$name" | unit machine.target
	unit network.service <<-END
		[Unit]
		DefaultDependencies=no
		After=network-pre.target
		Before=sysinit.target
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/bin/sh -c '$program save >/run/kernel-rules; $program -e user save >/run/user-rules'
	END
	for name in ipmasqadm ipmasqd; do
		mkdir "$machine/units/$name.service.d"
		printf '[Service]\nStandardError=append:/run/log\n' | unit $name.service.d/log.conf
	done
}

options() {
	echo "IPMASQD_OPTIONS=\"$*\""
}

forward() {
	echo "portfw -A -P tcp -L 198.51.100.1 $1 -R 10.0.0.11 80"
}

make_machine() {
	make_units
	cp -a "$STAGE"/. "$machine/upper"
	forward 8000 >"$machine/upper/etc/ipmasqadm.rules"
	forward 8001 >"$machine/upper/etc/ipmasqd.rules"
	options "-i outside -r /etc/ipmasqd.rules --state /var/lib/ipmasqd/links" \
		>"$machine/upper/etc/default/ipmasqd"
	on router bash "$here/machine.sh" "$machine" >"$lab_scratch/machine.log" 2>&1 &
	wait_until has_booted || { cat "$lab_scratch/machine.log"; return 1; }
}

has_booted() {
	equals active inside systemctl is-active machine.target
}

property() {
	inside systemctl show -P "$1" ipmasqd.service
}

# is STATE UNIT
is() {
	equals "$1" inside systemctl show -P ActiveState "$2.service"
}

page() {
	equals server1 get client "http://198.51.100.1:$1/"
}

log_says() {
	wait_until grep -q -- "$1" "$(file /run/log)" || { cat "$(file /run/log)"; return 1; }
}

control() {
	inside systemctl "$1" "$2.service"
}

# None of our units can keep it from that.
make_machine || skip_all "systemd does not come up in namespaces of this machine"

# --- boot
check "both units are up" eval 'is active ipmasqadm && is active ipmasqd'
check "so is a network that comes before the system: there is no cycle" is active network
check "it found the kernel's rules in place" grep -q "198.51.100.1 8000" "$(file /run/kernel-rules)"
check "... and those of ipmasqd" grep -q "198.51.100.1 8001" "$(file /run/user-rules)"
check "the status says what it does" says "translating: outside as nobody" property StatusText
check "the kernel's forward works" page 8000
check "ipmasqd's works in its sandbox" page 8001

# --- ipmasqadm.service
forward 8002 >>"$(file /etc/ipmasqadm.rules)"
check "reload takes up the file" eval 'control reload ipmasqadm && page 8002'
check "stop takes the rules away" eval 'control stop ipmasqadm && equals "" rules'

# --- ipmasqd.service
forward 8003 >>"$(file /etc/ipmasqd.rules)"
check "reload reaches it" eval 'control reload ipmasqd && log_says "rules read again" && page 8003'
echo "portfw -A" >>"$(file /etc/ipmasqd.rules)"
check "a wrong file changes nothing" eval 'control reload ipmasqd && log_says "the old rules stay" && page 8003'
sed -i '$d' "$(file /etc/ipmasqd.rules)"
head -c 3000000 /dev/zero >"$lab_scratch/files/three"
get client http://198.51.100.1:8001/slow/three >"$lab_scratch/got" &
# shellcheck disable=SC2034 # for eval
fetch=$!
wait_until [ -s "$lab_scratch/got" ]
check "restart keeps a connection" eval 'control restart ipmasqd && is active ipmasqd && wait $fetch &&
	cmp "$lab_scratch/files/three" "$lab_scratch/got"'
check "it comes back when it is killed" eval 'inside systemctl kill --kill-who=main -s KILL ipmasqd.service &&
	wait_until equals 1 property NRestarts && wait_until is active ipmasqd && page 8001'
options "-i outside -r /etc/ipmasqd.rules" >"$(file /etc/default/ipmasqd)"
check "stop leaves no table" eval 'control restart ipmasqd && control stop ipmasqd &&
	equals "table inet ipmasq" on router nft list tables'
check "... and no socket" [ ! -e "$(file /run/ipmasqd.sock)" ]
options "-i outside -w 4 --tun nat0" >"$(file /etc/default/ipmasqd)"
check "it may have its TUN device" eval 'control start ipmasqd && on router ip link show nat0 && control stop ipmasqd'
options >"$(file /etc/default/ipmasqd)"
inside systemctl reset-failed
check "without options it says so, once" eval '! control start ipmasqd && log_says "-i is needed" &&
	is failed ipmasqd && equals 0 property NRestarts'
finish
