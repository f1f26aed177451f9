#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The README's commands, from the first two to the tour's last, typed as they stand there on the router
# that the tour has; what is shown below a command is what it prints, but for the figures of traffic.
. "$(dirname "$0")/lib.sh"
need_tools unshare mount curl
begin 2
readme=$here/../../README.md
etc=$lab_scratch/etc bin=$lab_scratch/bin run=$lab_scratch/run lib=$lab_scratch/lib

# /etc, /run and /var/lib are this test's own, and eth0 is what leads outside.
prepare() {
	mkdir "$etc" "$bin" "$run" "$lib" && cp -L /etc/services /etc/protocols /etc/passwd /etc/group "$etc" &&
		echo "hosts: files" >"$etc/nsswitch.conf" &&
		ln -s "$IPMASQADM" "$bin/ipmasqadm" && ln -s "$IPMASQADM" "$bin/ipportfw" &&
		ln -s "${IPMASQADM%/*}/ipmasqd" "$bin/ipmasqd" &&
		ip -n "$lab-router" link set outside down &&
		ip -n "$lab-router" link set outside name eth0 &&
		ip -n "$lab-router" link set eth0 up
}

# typed COMMAND: on the router.
typed() {
	on router unshare --mount env PATH="$bin:$PATH" W=198.51.100.1 S=10.0.0.11 bash -c '
		mount --bind "$0" /etc && mount --bind "$1" /run && mount --bind "$2" /var/lib && eval "$3"' \
		"$etc" "$run" "$lib" "$1"
}

# The lines of the displays between two headings of the README.
displays() {
	sed -n "/$1/,/$2/p" "$readme" | sed -n '/^```$/,/^```$/{/^```$/d;p}'
}

# One blank between words, and lines that the README has cut are whole; with counters, N for figures.
plain() {
	local figures=

	[ "$1" = exact ] || figures='s/[0-9]{3,}$/N/; s/[0-9]+ N$/N N/'
	sed -E -e 's/[ \t]+/ /g; s/^ //; s/ $//' -e "$figures" | paste -sd' '
}

# prints EXPECTED COMMAND
prints() {
	local got how=exact status

	case $2 in
	"client\$ "*) got=$(on client bash -c "${2#client\$ }" 2>&1) ;;
	*) got=$(typed "$2" 2>&1) ;;
	esac
	status=$?
	# A fault is what the doctor is to find.
	[ "$status" = 0 ] || [[ $2 == *" doctor "* ]] || { echo "failed: $got"; return 1; }
	[[ $2 != *" -v" ]] || how=figures
	equals "$(plain $how <<<"$1")" plain $how <<<"$got"
}

# What the tour takes for granted: a filter that drops.
add_filter() {
	on router nft -f - <<-END
		table inet filter {
			chain forward {
				type filter hook forward priority filter; policy drop;
			}
		}
	END
}

run_command() {
	[ -n "$1" ] || return 0
	[[ $1 != *" doctor "* ]] || check "a filter that drops" add_filter
	check "$1" prints "${2%$'\n'}" "$1"
	[[ $1 != *" doctor "* ]] || on router nft delete table inet filter
}

# run_displays BEGIN END: the commands of these sections, each with what is shown below it.
run_displays() {
	local line command="" expected=""

	while IFS= read -r line; do
		case $line in
		"# "* | "client\$ "*)
			run_command "$command" "$expected"
			command=${line#\# } expected= ;;
		*) expected+=$line$'\n' ;;
		esac
	done < <(displays "$1" "$2")
	run_command "$command" "$expected"
}

# The rows of the table of old names, in `code`, make the rule that the sentence above it has.
same_rule() {
	local rule

	typed "ipmasqadm flush" && typed "$1" && rule=$(typed "ipmasqadm save | tail -n 1") && typed "ipmasqadm flush" &&
		typed "$(sed -n 's/^`\(ipmasqadm portfw [^`]*\)` here is there.*/\1/p' "$readme")" &&
		equals "$rule" typed "ipmasqadm save | tail -n 1"
}

prepare || skip_all "the addresses of the README cannot be had"
web_server server1 && web_server server2 || skip_all "the web servers did not start"
run_displays "^<!--" "^## Try"
typed "ipmasqadm flush"
while IFS= read -r row; do
	check "$row" same_rule "$row"
done < <(sed -nE 's/^\| (ipmasqadm|ipportfw) [0-9]* \| `([^`]*)`.*/\2/p' "$readme")
typed "ipmasqadm flush"
if [ -z "${LAB_UNSHARED:-}" ]; then
	run_displays "^## A tour" "^## What"
	typed "kill \$(ipmasqadm -e user status | sed -n 's/^engine *pid *//p')"
else
	skip "the tour" "the user that ipmasqd becomes is not in this user namespace"
fi
finish
