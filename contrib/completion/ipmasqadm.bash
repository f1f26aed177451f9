# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for ipmasqadm: the program itself knows what may follow, from the same tables as its
# parsers.  For ipmasqd its help does, which is made of its table of options.
_ipmasqadm() {
	local words=("${COMP_WORDS[@]:1:COMP_CWORD}")

	case ${COMP_WORDS[0]##*/} in
	ipportfw) words=(ipportfw "${words[@]}") ;;
	ipautofw) words=(autofw "${words[@]}") ;;
	esac
	mapfile -t COMPREPLY < <(ipmasqadm complete "${words[@]}" 2>/dev/null)
}
complete -o default -F _ipmasqadm ipmasqadm ipportfw ipautofw

_ipmasqd() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} help value found=""

	help=$(ipmasqd -h 2>/dev/null)
	value=$(sed -nE "s/^ +(-., )?(--[-a-z]+) ([A-Z]+) .*/ \\1\\2 \\3/p" <<<"$help" | grep -e " ${before}[, ]")
	case ${value##* } in
	"") found=$(sed -nE 's/^ +(-.)?,? *(--[-a-z]+) .*/\1 \2/p' <<<"$help") ;;
	IFACE) found=$(sed -n 's/^ *\([^ :]*\):.*/\1/p' /proc/net/dev) ;;
	USER) found=$(compgen -u) ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$found" -- "$word")
}
complete -o default -F _ipmasqd ipmasqd
