#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The plugin loader opens plain names from one directory, and as root only what root alone can write;
# each refusal has its own message.
. "$(dirname "$0")/lib.sh"
begin 1
plugins=$lab_scratch/plugins

# A fresh copy of the plugin directory.
fresh() {
	rm -rf "$plugins"
	cp -rL "$IPMASQADM_PLUGINDIR" "$plugins" && chmod -R go-w "$plugins"
}

loader() {
	on router env IPMASQADM_PLUGINDIR="$plugins" "$IPMASQADM" "$@"
}

# no SENTENCE STATUS TEXT WORD...
no() {
	local sentence=$1

	shift
	check "$sentence" refuses "$1" "$2" loader "${@:3}"
}

# compile NAME SOURCE-LINE...: makes a plugin.
compile() {
	printf '%s\n' "${@:2}" >"$lab_scratch/$1.c"
	# shellcheck disable=SC2086 # CC may be more than a word
	${CC:-cc} -shared -fPIC -I"$IPMASQADM_INCLUDE" -o "$plugins/$1.so" "$lab_scratch/$1.c"
}

fresh
check "a module from a directory of one's own works" loader portfw -A -P tcp -L 198.51.100.1 8000 -R 10.0.0.11 80
no "a slash in the name" 2 "'../plugins/portfw' cannot be a module" ../plugins/portfw -L
no "an absolute path" 2 "cannot be a module" "$plugins/portfw" -L
no "a dot in the name" 2 "'portfw.so' cannot be a module" portfw.so -L
no "dots alone" 2 "'..' cannot be a module" .. -L
no "an empty name" 2 "'' cannot be a module" "" -L
no "a long name" 2 "cannot be a module" abcdefghijklmnopqrstuvwxyz -L
no "a module that is not there" 2 "there is no module 'nosuch'" nosuch -L
no "a part is no module" 2 "there is no module 'listing'" listing -L

chmod o+w "$plugins/portfw.so"
no "a file that others can write" 1 "portfw.so can be written by others" portfw -L
chmod o-w,g+w "$plugins/portfw.so"
no "a file that a group can write" 1 "portfw.so can be written by others" portfw -L
fresh
chmod o+w "$plugins"
no "a directory that others can write" 1 "$plugins can be written by others" portfw -L
chmod 1777 "$plugins"
no "a sticky one, too" 1 "$plugins can be written by others" portfw -L
fresh
chmod o+w "$plugins/parts"
no "the directory of the parts, when others can write it" 1 "parts can be written by others" portfw -L
fresh
chmod o+w "$plugins/parts/listing.so"
no "a part that others can write" 1 "listing.so can be written by others" portfw -L

fresh
if [ -z "${LAB_UNSHARED:-}" ] && chown 65534 "$plugins/portfw.so"; then
	no "a file of another user" 1 "portfw.so belongs to user 65534" portfw -L
	fresh
	chown 65534 "$plugins"
	no "a directory of another user" 1 "$plugins belongs to user 65534" portfw -L
	fresh
else
	skip "a file of another user" "this user namespace has no other user"
fi

echo "no program" >"$plugins/text.so"
no "a file that is no shared object" 1 "cannot load $plugins/text.so" text -L
ln -s "$plugins/none" "$plugins/dangling.so"
no "a link to nothing" 2 "there is no module 'dangling'" dangling -L
cp "$plugins/portfw.so" "$plugins/other.so"
no "a module under another name" 1 "module 'other' says that its name is 'portfw'" other -L

include='#include <ipmasq/plugin.h>'
if compile empty "int nothing;"; then
	no "a shared object that is no module" 1 "is no module of ipmasqadm" empty -L
	compile abi "$include" 'const struct ipmasq_plugin ipmasq_plugin = {.abi = IPMASQ_PLUGIN_ABI + 1, .name = "abi"};'
	no "a module for another ABI" 1 "module 'abi' was built for plugin ABI" abi -L
	compile nameless "$include" 'const struct ipmasq_plugin ipmasq_plugin = {.abi = IPMASQ_PLUGIN_ABI};'
	no "a module without a name" 1 "module 'nameless' says that its name is ''" nameless -L
	compile constructor '#include <stdio.h>' \
		'__attribute__((constructor)) static void begin(void) { puts("I have run"); }'
	chmod o+w "$plugins/constructor.so"
	no "nothing of a refused module runs" 1 "constructor.so can be written by others" constructor -L
	check "-h lists what can be loaded and says why another cannot" says "plugin ABI" loader -h
else
	skip "a shared object that is no module" "there is no compiler"
fi
check "the module is still fine after all that" says 8000 loader portfw -L -n
finish
