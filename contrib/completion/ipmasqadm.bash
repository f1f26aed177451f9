# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for ipmasqadm: the program itself knows what may follow, from the same tables as its
# parsers.
_ipmasqadm() {
	mapfile -t COMPREPLY < <(ipmasqadm complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _ipmasqadm ipmasqadm
