#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# save writes the rules as command lines that restore takes back.
. "$(dirname "$0")/lib.sh"
begin 1
directory=$lab_scratch/saved
file=$directory/rules
mkdir "$directory"

entries() {
	find "$directory" -mindepth 1 | wc -l
}

# Reads the file all the time; every reading must be one of the two whole texts.
read_while() {
	local first second text pid

	first=$(cat "$file")
	portfw -A -P tcp -L 198.51.100.1 1 -R 10.0.0.99 1
	second=$(adm save)
	(for ((turn = 0; turn < 20; turn++)); do adm save "$file" || exit 1; done) &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		text=$(<"$file")
		[ "$text" = "$first" ] || [ "$text" = "$second" ] || { echo "read: $text"; return 1; }
	done
	wait "$pid"
}

# save into a full file system, in a mount namespace of its own.
save_to_full_disk() {
	# shellcheck disable=SC2016 # the inner shell expands it
	on router unshare --mount bash -c '
		mount -t tmpfs -o size=8k tmpfs "$1" && echo old >"$1/rules" || exit 99
		"$2" save "$1/rules"
		status=$?
		echo "$status $(ls "$1") $(cat "$1/rules")"' - "$directory" "$IPMASQADM"
}

check "save of an empty table is a file, too" adm save "$file"
check "restore takes it back" adm restore "$file"
for number in {1..40}; do
	echo "portfw -A -P tcp -L 198.51.100.$((number % 5)) $((8000 + number % 7)) -R 10.0.0.$number 80 -p $((number % 3 + 9))"
	on_kernel_engine echo "portfw -A -P udp -L :: $((8000 + number % 9)) -R fd00:1::$number 80"
	on_kernel_engine echo "portfw -A -P sctp -L 0.0.0.0 $((8000 + number)) -R 10.0.0.$number 80"
	on_user_engine echo "portfw -A -P udp -L 0.0.0.0 $((8000 + number % 9)) -R 10.0.1.$number 80"
done >"$lab_scratch/source"
adm restore "$lab_scratch/source"
listing=$(portfw -L -n)

user_check "forwards of SCTP are refused, naming who can" refuses 1 "the kernel engine can" \
	portfw -A -P sctp -L 0.0.0.0 8000 -R 10.0.0.11 80
check "save FILE writes the rules" adm save "$file"
check "and no other file" equals 1 entries
check "save alone writes the same to standard output" equals "$(cat "$file")" adm save
check "every line is a comment or a command" fails grep -qv -e '^#' -e '^portfw -A -P ' "$file"
check "save, flush, restore and save are the same bytes" eval 'adm flush && equals "" rules &&
	adm restore "$file" && adm save "$file.again" && cmp "$file" "$file.again"'
check "the listing is the same" equals "$listing" portfw -L -n
rm -f "$file.again"
check "a reader finds the old or the new file, whole, at any moment" read_while
check "no temporary file is left" equals 1 entries
check "a new file can be read by others" equals 644 eval 'umask 022; adm save "$file.mode" && stat -c %a "$file.mode"; rm -f "$file.mode"'
check "a set-user-id mode is not kept for the new owner" equals 755 eval 'echo x >"$file.mode" && chmod 6755 "$file.mode" && adm save "$file.mode" && stat -c %a "$file.mode"; rm -f "$file.mode"'
check "a full disk is said, the old file stays and no temporary file" says "1 rules old" save_to_full_disk
check "a directory that is not there is said" fails_with 1 "$directory/none/rules" adm save "$directory/none/rules"
check "a directory in place of the file is said" fails_with 1 "$directory" adm save "$directory"
check "no file is left by all that" equals 1 entries
finish
