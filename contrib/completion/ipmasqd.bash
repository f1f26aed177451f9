# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for ipmasqd: options as its help lists them.
_ipmasqd() {
	local word=${COMP_WORDS[COMP_CWORD]}

	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-i | --interface)
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^ *\([^:]*\):.*/\1/p' /proc/net/dev)" -- "$word")
		;;
	-u | --user) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
	*)
		COMPREPLY=()
		[[ $word != -* ]] || mapfile -t COMPREPLY < <(compgen -W \
			"$(ipmasqd -h 2>/dev/null | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | tr -d ,)" -- "$word")
		;;
	esac
}
complete -o default -F _ipmasqd ipmasqd
