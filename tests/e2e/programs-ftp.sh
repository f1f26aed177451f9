#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# FTP as Debian's servers and clients speak it, both ways, through the helper.
. "$(dirname "$0")/lib.sh"
need_tools curl lftp tnftp vsftpd sha256sum
[ -z "${LAB_UNSHARED:-}" ] || skip_all "FTP servers change to another user, which takes root"
begin 1
files=$lab_scratch/files
mkdir -p "$files/many" "$lab_scratch/empty" && chmod 755 "$lab_scratch" "$files" "$files/many" "$lab_scratch/empty"
head -c 3000000 /dev/urandom >"$files/big"
for ((number = 0; number < 100; number++)); do
	head -c 20000 /dev/urandom >"$files/many/$number"
done
chmod -R a+rX "$files"
sum=$(sha256sum <"$files/big")
sums=$(cd "$files/many" && sha256sum -- *)

start_vsftpd() {
	cat >"$lab_scratch/vsftpd-$1" <<-END
		listen=YES
		background=NO
		listen_port=$2
		anonymous_enable=YES
		no_anon_password=YES
		anon_root=$files
		secure_chroot_dir=$lab_scratch/empty
		seccomp_sandbox=NO
		xferlog_enable=NO
		max_per_ip=0
	END
	on "$1" vsftpd "$lab_scratch/vsftpd-$1" >"$lab_scratch/vsftpd-$1.log" 2>&1 &
	wait_until listens "$1" -t "$2"
}

start_proftpd() {
	cat >"$lab_scratch/proftpd-$1" <<-END
		ServerType standalone
		Port $2
		UseIPv6 off
		User nobody
		Group nogroup
		MaxInstances 150
		AllowForeignAddress off
		PidFile $lab_scratch/proftpd-$1.pid
		ScoreboardFile $lab_scratch/proftpd-$1.score
		DelayEngine off
		WtmpLog off
		TransferLog none
		SystemLog $lab_scratch/proftpd-$1.log
		AuthOrder mod_auth_unix.c
		<Anonymous $files>
			User ftp
			Group nogroup
			RequireValidShell off
			UserAlias anonymous ftp
		</Anonymous>
	END
	# shellcheck disable=SC2154 # set below, where it is found
	on "$1" env LD_LIBRARY_PATH="$proftpd_libraries" "$proftpd" -n -c "$lab_scratch/proftpd-$1" >"$lab_scratch/proftpd-$1.out" 2>&1 &
	wait_until listens "$1" -t "$2"
}

# fetch NAMESPACE ADDRESS PORT WAY: a file comes whole that way.
fetch() {
	local got=$lab_scratch/got url=ftp://$2:$3/big curl=(curl -gsS --max-time "$PATIENCE" --no-ftp-skip-pasv-ip -o -)
	local lftp="set net:timeout $PATIENCE; set net:max-retries 3; set ftp:ssl-allow no; set ftp:prefer-epsv no;"

	rm -f "$got"
	case $4 in
	EPSV) on "$1" "${curl[@]}" "$url" ;;
	PASV) on "$1" "${curl[@]}" --disable-epsv "$url" ;;
	EPRT) on "$1" "${curl[@]}" -P - "$url" ;;
	PORT) on "$1" "${curl[@]}" -P - --disable-eprt "$url" ;;
	"lftp passive") on "$1" env HOME="$lab_scratch" lftp -c "$lftp set ftp:passive-mode on; cat $url" ;;
	"lftp active") on "$1" env HOME="$lab_scratch" lftp -c "$lftp set ftp:passive-mode off; cat $url" ;;
	"tnftp passive") on "$1" env HOME="$lab_scratch" tnftp -4 -q "$PATIENCE" -V -o - "ftp://$2:$3/big" ;;
	"tnftp active") on "$1" env HOME="$lab_scratch" tnftp -4 -A -q "$PATIENCE" -V -o - "ftp://$2:$3/big" ;;
	esac >"$got" </dev/null
	[ "$(sha256sum <"$got")" = "$sum" ] || { ls -l "$got"; return 1; }
}

# A hundred transfers at once, each by a client of its own and slow, so that they overlap.
hundred() {
	local directory=$lab_scratch/many number pids=()

	rm -rf "$directory" && mkdir "$directory"
	for ((number = 0; number < 100; number++)); do
		on "$1" curl -gsS --max-time $((4 * PATIENCE)) --no-ftp-skip-pasv-ip --limit-rate 10k \
			-o "$directory/$number" "${@:4}" "ftp://$2:$3/many/$number" &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(cd "$directory" && sha256sum -- *)" = "$sums" ]
}

# both_ways SERVER WAY...: what one server's program can.
both_ways() {
	local name=$1 way

	shift
	for way; do
		check "$name inside: $way" fetch client 198.51.100.1 21 "$way"
	done
	for way; do
		check "$name outside, the client inside: $way" fetch server1 198.51.100.2 21 "$way"
	done
}

no_way_inside
adm masq -A -S 10.0.0.0/24
portfw -A -P tcp -L 198.51.100.1 21 -R 10.0.0.11 21
start_vsftpd server1 21
start_vsftpd client 21
check "without the helper no passive transfer comes through" fails fetch client 198.51.100.1 21 PASV
check "without it no active one does" fails fetch server1 198.51.100.2 21 PORT
adm helper -A ftp ports=21
both_ways vsftpd EPSV PASV EPRT PORT "lftp passive" "lftp active" "tnftp passive" "tnftp active"
check "vsftpd inside: a hundred at once, passive" hundred client 198.51.100.1 21 --disable-epsv
check "vsftpd outside: a hundred at once, active" hundred server1 198.51.100.2 21 -P 10.0.0.11

# proftpd's package and vsftpd's exclude one another, so it may lie elsewhere.
proftpd=${PROFTPD_ROOT:+$PROFTPD_ROOT/usr/sbin/proftpd} proftpd_libraries=
[ -z "${PROFTPD_ROOT:-}" ] || proftpd_libraries=$(echo "$PROFTPD_ROOT"/usr/lib/*-linux-gnu*)
: "${proftpd:=$(command -v proftpd)}"
if [ -n "$proftpd" ]; then
	kill "$(on server1 ss -Hltnp 'sport = :21' | grep -o 'pid=[0-9]*' | head -n 1 | cut -d= -f2)" \
		"$(on client ss -Hltnp 'sport = :21' | grep -o 'pid=[0-9]*' | head -n 1 | cut -d= -f2)"
	wait_until fails listens server1 -t 21
	start_proftpd server1 21
	start_proftpd client 21
	both_ways proftpd EPSV PORT "lftp passive" "tnftp active"
else
	skip "proftpd" "it is not installed"
fi
finish
