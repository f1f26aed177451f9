#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A machine with systemd as its first process: machine.sh DIRECTORY, as root, until it is killed.
#
# Its root is this machine's, under DIRECTORY/upper (an overlay: what it writes stays there, in
# memory); its processes, mounts and cgroups are its own, its network is the caller's.  Of units it has
# those in DIRECTORY/units alone, so that nothing of this machine is started; machine.target there
# says which.  The number of its first process is in DIRECTORY/pid.
set -eu
directory=$1
root=$directory/root
systemd=/usr/lib/systemd/systemd
[ -x $systemd ] || systemd=/lib/systemd/systemd

if [ "${2:-}" = boot ]; then # process 1
	hostname machine
	mount -t proc proc "$root/proc"
	mount -t sysfs sysfs "$root/sys"
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
	exec env -i container=e2e PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH=/units chroot "$root" \
		$systemd --system --unit=machine.target --log-target=null
fi

if [ "${2:-}" != mounts ]; then
	exec unshare --mount --propagation private bash "$0" "$directory" mounts
fi
mkdir -p "$directory"/{cgroup,layer,root}
mount -t tmpfs tmpfs "$directory/layer"
mkdir "$directory"/layer/{upper,work}
cp -a "$directory"/upper/. "$directory/layer/upper"
mount -t overlay overlay -o "lowerdir=/,upperdir=$directory/layer/upper,workdir=$directory/layer/work" "$root"
mkdir -p "$root/units"
mount --bind "$directory/units" "$root/units"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root"/dev/{net,pts,shm}
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 net/tun:10:200; do
	IFS=: read -r name major minor <<<"$device"
	mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done
chroot "$root" ldconfig

# A cgroup of its own, which goes with it.  From within, as DIRECTORY may be removed meanwhile.
mount -t cgroup2 cgroup2 "$directory/cgroup"
cd "$directory/cgroup"
cgroup=$(basename "$directory") machine=

leave() {
	local try

	[ -z "$machine" ] || kill -KILL "$machine" 2>/dev/null || true # unshare ignores the others
	for ((try = 0; try < 100; try++)); do # its processes are about to end
		find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
		[ -d "$cgroup" ] || break
		sleep 0.1
	done
}

trap leave EXIT
trap 'trap "" TERM; exit 1' TERM
mkdir "$cgroup"
(echo $BASHPID >"$cgroup/cgroup.procs" && exec unshare --fork --pid --uts --ipc --cgroup --mount --kill-child \
	bash "$0" "$directory" boot) &
machine=$!
until pgrep -P $machine >"$directory/pid" || ! kill -0 $machine; do sleep 0.05; done
wait $machine
