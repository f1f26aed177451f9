#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Control connections that a helper reads, of FTP and PPTP, across a restart of ipmasqd with --state:
# what Debian's servers are told after it is as right as before, and what is over ends.
. "$(dirname "$0")/lib.sh"
need_tools vsftpd pptpd sha256sum
[ -z "${LAB_UNSHARED:-}" ] || skip_all "FTP servers change to another user, which takes root"
begin 2
rules=$lab_scratch/rules state=$lab_scratch/links
cat >"$rules" <<-END
	masq -A -S 10.0.0.0/24
	helper -A ftp
	helper -A pptp
END
mkdir -p "$lab_scratch/files" "$lab_scratch/empty" && chmod 755 "$lab_scratch" "$lab_scratch/files" "$lab_scratch/empty"
head -c 100000 /dev/urandom >"$lab_scratch/files/data" && chmod 644 "$lab_scratch/files/data"
sum=$(sha256sum <"$lab_scratch/files/data")
cat >"$lab_scratch/vsftpd" <<-END
	listen=YES
	background=NO
	anonymous_enable=YES
	no_anon_password=YES
	anon_root=$lab_scratch/files
	secure_chroot_dir=$lab_scratch/empty
	seccomp_sandbox=NO
	xferlog_enable=NO
END
printf '#!/bin/sh\nexec "%s" "%s" echo\n' "$(python3 -c 'import sys; print(sys.executable)')" "$here/ppp.py" \
	>"$lab_scratch/ppp" && chmod 755 "$lab_scratch/ppp"
cat >"$lab_scratch/pptpd.conf" <<-END
	ppp $lab_scratch/ppp
	localip 192.0.2.1
	remoteip 192.0.2.10-20
	connections 10
END

# client NAME NAMESPACE PROGRAM [WORD...]: runs it there, and waits until it says "ready"; its input is
# a pipe, in $lab_scratch/NAME.in.
client() {
	local name=$1 namespace=$2

	shift 2
	mkfifo "$lab_scratch/$name.in"
	on "$namespace" python3 "$here/$1" "${@:2}" <>"$lab_scratch/$name.in" >"$lab_scratch/$name" 2>&1 &
	wait_until grep -q ready "$lab_scratch/$name" || { cat "$lab_scratch/$name"; return 1; }
}

goes_on() {
	echo >"$lab_scratch/$1.in"
}

# How many links calls have.
calls() {
	adm -e "$lab_scratch/ipmasqd.sock" masq -C -n | grep -c ^gre
	return 0
}

on client vsftpd "$lab_scratch/vsftpd" >"$lab_scratch/vsftpd.log" 2>&1 &
wait_until listens client -t 21
on client pptpd -f -c "$lab_scratch/pptpd.conf" -p "$lab_scratch/pptpd.pid" >"$lab_scratch/pptpd.log" 2>&1 &
wait_until listens client -t 1723
check "ipmasqd starts" start_ipmasqd -r "$rules" --state "$state"
check "a client of FTP has transferred a file actively" client ftp server1 ftp.py session 198.51.100.2 data
for host in server1 server2; do
	check "$host calls, with the same number as the other" \
		client $host $host pptpd-client.py 198.51.100.2 5 "from $host" 10 pause
done
check "there are two links a call" equals 4 calls
check "ipmasqd is ended" stop_ipmasqd
check "and started again" start_ipmasqd -r "$rules" --state "$state"
adm -e "$lab_scratch/ipmasqd.sock" masq -T 0 2 0 # seconds until a closed control connection is gone
goes_on ftp
check "the client transfers it once more" wait_until equals 2 grep -c "${sum%% *}" "$lab_scratch/ftp"
for host in server1 server2; do
	goes_on $host
	check "$host's frames come back" wait_until grep -q over "$lab_scratch/$host"
done
check "the calls end with their control connections" wait_until equals 0 calls
stop_ipmasqd
finish
