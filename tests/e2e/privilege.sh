#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What needs no privilege works without it, what needs it says so.
. "$(dirname "$0")/lib.sh"
need_tools setpriv
begin 1
portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
echo "portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.11 80" >"$lab_scratch/rules"
chmod 755 "$lab_scratch"

# The program as root without CAP_NET_ADMIN.
without() {
	on router setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$IPMASQADM" "$@"
}

no() {
	check "$1, without CAP_NET_ADMIN: exit status 1 and what is missing" \
		refuses 1 "CAP_NET_ADMIN is needed" without "${@:2}"
}

no "-A" portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.11 80
no "-D" portfw -D -P tcp -L 198.51.100.1 8000
no "-F" portfw -F
no "-L" portfw -L
no "--dry-run" --dry-run portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.11 80
no "flush" flush
no "save" save
no "save FILE" save "$lab_scratch/saved"
check "save has left no file" fails test -e "$lab_scratch/saved"
no "restore" restore "$lab_scratch/rules"

check "a bad word is found without it" refuses 2 "80x" without portfw -A -P tcp -L 198.51.100.1 80x -R 10.0.0.11 80
check "-h works without it" says "MODULE" without -h
check "-V works without it" says "ipmasqadm" without -V
check "portfw -h works without it" says "-P PROTO" without portfw -h

user() {
	on router setpriv --reuid=65534 --regid=65534 --clear-groups "$IPMASQADM" "$@"
}

if user -V >/dev/null 2>&1; then
	check "an ordinary user has the help" says "-P PROTO" user portfw -h
	check "and the list of modules" says "portfw" user -h
	check "but no -L" refuses 1 "CAP_NET_ADMIN is needed" user portfw -L
	check "and no -A" refuses 1 "CAP_NET_ADMIN is needed" user portfw -A -P tcp -L 198.51.100.1 8001 -R 10.0.0.11 80
else
	skip "an ordinary user has the help" "user 65534 cannot be had or cannot read the build here"
fi
finish
