#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --dry-run says what would change, in lines that could be typed, and changes nothing.
. "$(dirname "$0")/lib.sh"
begin 1
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80 -p 20
portfw -A -P udp -L 0.0.0.0 9000 -R 10.0.0.11 9000
printf '%s\n' "portfw -A -P udp -L 0.0.0.0 9000 -R 10.0.0.11 9000" \
	"portfw -A -P udp -L :: 9000 -R fd00:1::11 9000" >"$lab_scratch/rules"
before=$(ruleset)

# dry EXPECTED WORD...: the words with --dry-run print that, and nothing changes.
dry() {
	local expected=$1

	shift
	equals "$expected" adm --dry-run "$@" && equals "$before" ruleset
}

new="portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.11 80"
first="portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80"
second="portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80 -p 20"
udp="portfw -A -P udp -L 0.0.0.0 9000 -R 10.0.0.11 9000"
udp6="portfw -A -P udp -L :: 9000 -R fd00:1::11 9000"

# shellcheck disable=SC2086 # words
check "-A shows the line that comes" dry "+ $new" $new
check "--dry-run may stand behind the module, too" eval 'equals "+ $new" adm $new --dry-run && equals "$before" ruleset'
check "-A of what is there shows nothing" dry "" portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
check "-A with another preference shows both lines" dry "- $first
+ $first -p 5" portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80 -p 5
check "-D shows the lines that go" dry "- $first
- $second" portfw -D -P tcp -L 198.51.100.1 8000
check "-D of one host shows one line" dry "- $second" portfw -D -P tcp -L 198.51.100.1 8000 -R 10.0.0.12 80
check "-D of what is not there fails still" refuses 1 "no forward" adm --dry-run portfw -D -P tcp -L 198.51.100.1 1
check "-F shows all lines" equals 3 eval 'adm --dry-run portfw -F | grep -c ^-'
check "flush shows all lines" equals 3 eval 'adm --dry-run flush | grep -c ^-'
check "restore shows what goes and what comes" equals "+ $udp6
- $first
- $second" eval 'adm --dry-run restore "$lab_scratch/rules" | sort'
check "restore -a shows what comes" dry "+ $udp6" restore -a "$lab_scratch/rules"
check "what stays is not shown" fails grep -qF "$udp" <(adm --dry-run restore "$lab_scratch/rules")
check "a bad word fails still" refuses 2 "80x" adm --dry-run portfw -A -P tcp -L 198.51.100.1 80x -R 10.0.0.11 80
check "nothing has changed by all that" equals "$before" ruleset
on_kernel_engine on router nft flush ruleset
# shellcheck disable=SC2086 # words
kernel_check "on an empty ruleset, too" eval 'adm --dry-run $new && equals "" ruleset'
finish
