#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Help, manual, completion and parser of every module, every command and the program itself speak of
# the same options, and of no others.
. "$(dirname "$0")/lib.sh"
begin 0
man=$here/../../man

page() {
	if [ -e "$man/ipmasqadm-$1.8" ]; then echo "$man/ipmasqadm-$1.8"; else echo "$man/$1.8"; fi
}

# The words of standard input, each once, sorted, on one line.
set_of() {
	tr ' ' '\n' | sed '/^$/d' | LC_ALL=C sort -u | paste -sd' '
}

offered() {
	adm complete "$@" | set_of
}

# documented FILE...: the options of mdoc pages, `-x` and `--long`.
documented() {
	awk '/^\./ {
		on = 0
		for (i = 1; i <= NF; i++) {
			word = $i
			sub(/^\./, "", word)
			if (word == "Fl") on = 1
			else if (word ~ /^[A-Z][a-z]$/) on = 0
			else if (on && word ~ /^-[-a-z]+$/) print "-" word
			else if (on && word ~ /^[A-Za-z]+$/)
				for (k = 1; k <= length(word); k++) print "-" substr(word, k, 1)
		}
	}' "$@" | set_of
}

# helped MODULE: the options of the module's help; helped_first MODULE: one spelling of each.
helped() {
	adm "$1" -h | sed -nE 's/^  (-[-A-Za-z]+)(, (-[A-Za-z]))?( (--[-a-z]+))? .*/\1 \3 \5/p' | set_of
}

helped_first() {
	adm "$1" -h | sed -nE 's/^  (-[-A-Za-z]+)(, (-[A-Za-z]))?( (--[-a-z]+))? .*/\1 \5/p' | set_of
}

# knows WORD...: whether the parser takes the last word for an option.
knows() {
	! adm --dry-run "$@" </dev/null 2>&1 | grep -q "there is no option"
}

# parsed MODULE: what its parser knows of all letters, of the long words of the help, and of another.
parsed() {
	local word

	for word in -{a..z} -{A..Z} $(helped "$1" | tr ' ' '\n' | grep '^--') --no-such-word; do
		knows "$1" "$word" && printf '%s\n' "$word"
	done | set_of
}

# What a page must have: all that the help has, or for a small letter the sentence on small letters;
# what ipmasqadm(8) says of all modules need not be repeated.
page_has_the_options() {
	local word file status=0 all common

	file=$(page "$1")
	[ -e "$file" ] || { echo "there is no $file"; return 1; }
	all=" $(documented "$file") " common=" $(documented "$man/ipmasqadm.8") "
	for word in $(helped "$1"); do
		case $all in *" $word "*) continue ;; esac
		case $word in
		-n | -v | -h | --*) [[ $common == *" $word "* ]] && continue ;;
		-[a-z]) grep -q "small letters" "$file" && [[ $all == *" ${word^^} "* ]] && continue ;;
		esac
		echo "$word is not in $file"
		status=1
	done
	return $status
}

page_has_no_others() {
	local word status=0 all

	all=" $(helped "$1") "
	for word in $(documented "$(page "$1")"); do
		[[ $all == *" $word "* ]] || { echo "$word of the page is no option"; status=1; }
	done
	return $status
}

mapfile -t modules < <(adm -h | sed -n '/^modules:/,/^options:/s/^  \([a-z0-9_]*\) .*/\1/p')
mapfile -t commands < <(adm -h | sed -n '/^commands:/,/^modules:/s/^  \([a-z][a-z0-9_]*\) .*/\1/p')
check "there are modules and commands" test ${#modules[@]} -ge 8 -a ${#commands[@]} -ge 5

for module in "${modules[@]}"; do
	check "$module: the parser knows what the help says" equals "$(helped "$module")" parsed "$module"
	check "$module: completion offers what the help says" \
		equals "$(helped_first "$module")" offered "$module" -
	check "$module: the manual has what the help says" page_has_the_options "$module"
	check "$module: the manual has nothing else" page_has_no_others "$module"
	check "$module: ipmasqadm(8) names it" grep -q "^\.It Cm $module\$" "$man/ipmasqadm.8"
done

# The options of a command in its help, the first line of which is its synopsis.
command_words() {
	[ "$1" = complete ] || # its words are another command's
		{
			adm "$1" -h | head -n 1 | tr '[]|' '   ' | tr ' ' '\n' | grep -E '^-.'
			adm "$1" -h | sed -nE 's/^  (-[A-Za-z])(, -[A-Za-z])? .*/\1/p' | grep -vx -e -n -e -v -e -h
		} | set_of
}

# section COMMAND: what ipmasqadm(8) says of it, or the page that it is sent to.
section() {
	sed -n "/^\\.It Cm $1\\( \\|\$\\)/,/^\\.\\(It\\|El\\)/{/^\\.\\(It Cm $1\\|[^IE]\\|[^.]\\)/p}" "$man/ipmasqadm.8"
	[ ! -e "$man/ipmasqadm-$1.8" ] || cat "$man/ipmasqadm-$1.8"
}

manual_has_the_words_of() {
	local word all

	[ -n "$(section "$1")" ] || { echo "there is no section on $1"; return 1; }
	all=" $(documented <(section "$1")) "
	for word in $(command_words "$1"); do
		[[ $all == *" $word "* ]] || { echo "$word of $1 is not in the manual"; return 1; }
	done
}

# What completion has of an option, beside the flags that all commands take.
completes_the_words_of() {
	local word flags=" -h -n -v --json --dry-run --kill " own=""

	for word in $(offered "$1" -); do
		[[ $flags == *" $word "* ]] || own+="$word "
	done
	for word in $(command_words "$1"); do
		[[ $flags == *" $word "* ]] || echo "$word"
	done | set_of | equals "$(set_of <<<"$own")" cat
}

for command in "${commands[@]}"; do
	check "$command: the manual has a section with its options" manual_has_the_words_of "$command"
	[ "$command" = complete ] ||
		check "$command: completion offers what the help says" completes_the_words_of "$command"
done

program_options() {
	adm -h | sed -n '/^options:/,$s/^  \(-[-a-zA-Z]*\) .*/\1/p' | set_of
}

check "the program: completion offers what the help says" equals "$(program_options)" offered -
# What stands between two sections of ipmasqadm(8).
between_sections() {
	sed -n "/^\.S[sh] $1/,/^\.S[sh] $2/p" "$man/ipmasqadm.8"
}

# The manual may have a longer spelling, too, if the parser knows it.
program_manual_is_right() {
	local word all help

	all=" $(documented <(between_sections Options Commands | grep '^\.It')) " help=" $(program_options) "
	for word in $help; do
		[[ $all == *" $word "* ]] || { echo "$word is missing"; return 1; }
	done
	for word in $all; do
		[[ $help == *" $word "* ]] || { [[ $word == --* ]] && knows "$word"; } ||
			{ echo "$word is no option"; return 1; }
	done
}

synopsis_has_the_options() {
	local word all

	all=" $(documented <(between_sections SYNOPSIS DESCRIPTION)) "
	for word in $(program_options); do
		[[ $all == *" $word "* ]] || { echo "$word is missing"; return 1; }
	done
}

check "the program: the manual has what the help says" program_manual_is_right
check "... and so has its synopsis" synopsis_has_the_options
finish
