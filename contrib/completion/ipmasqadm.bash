# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for ipmasqadm: the program itself knows what may follow, from the same tables as its
# parsers.
_ipmasqadm() {
	local words=("${COMP_WORDS[@]:1:COMP_CWORD}")

	case ${COMP_WORDS[0]##*/} in
	ipportfw) words=(ipportfw "${words[@]}") ;;
	ipautofw) words=(autofw "${words[@]}") ;;
	esac
	mapfile -t COMPREPLY < <(ipmasqadm complete "${words[@]}" 2>/dev/null)
}
complete -o default -F _ipmasqadm ipmasqadm ipportfw ipautofw
