# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What contrib/quickstart, contrib/check and .ci/run share: they find what is missing on this
# machine, install it where that is allowed, build in a private directory, so that the source tree is
# only read, and add up what the tests of a build say.

source_tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH=$PATH:/usr/sbin:/sbin
umask 022

# What a build needs: a command or a pkg-config module, and the Debian packages that have it.
build_commands="gcc=gcc,libc6-dev make=make pkg-config=pkg-config"
clone_commands="autoreconf=autoconf automake=automake libtoolize=libtool" # a release has ./configure
build_modules="libmnl=libmnl-dev libnftnl=libnftnl-dev
	libnetfilter_conntrack=libnetfilter-conntrack-dev smartcols=libsmartcols-dev
	libpcap=libpcap-dev libcap-ng=libcap-ng-dev libseccomp=libseccomp-dev
	readline=libreadline-dev"

say() {
	printf '\n== %s\n' "$*"
}

# missing COMMANDS MODULES: the packages of what is not there, in the form of the tables above.
missing() {
	local entry

	for entry in $1; do
		command -v "${entry%%=*}" >/dev/null || echo "${entry#*=}"
	done | tr ',' '\n'
	for entry in $2; do
		pkg-config --exists "${entry%%=*}" 2>/dev/null || echo "${entry#*=}"
	done
}

# apt-get as a script needs it: it asks nothing, and waits for a mirror or for another apt.
apt_get() {
	LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 \
		"$@" </dev/null
}

# Three times, as a mirror may be in the middle of an update.
update_and_install() {
	local try

	for try in 1 2 3; do
		[ $try = 1 ] || { echo "Trying again."; sleep 20; }
		apt_get update || echo "The lists of packages are not all new."
		apt_get install -y --no-install-recommends "$@" >/dev/null && return
	done
	return 1
}

# Installs packages; the services among them are not started (policy-rc.d(8)).
install_packages() (
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap 'rm -f $policy' EXIT
		trap 'exit 1' HUP INT TERM
		printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
	fi
	update_and_install "$@"
)

# unpack_packages DIRECTORY PACKAGE: what an installation of the package would bring, in a directory:
# for one that excludes another that is needed, too.
unpack_packages() {
	local packages deb

	mapfile -t packages < <(apt_get -s install --no-install-recommends "$2" 2>/dev/null |
		sed -n 's/^Inst \([^ ]*\).*/\1/p')
	mkdir -p "$1" && (cd "$1" && apt_get download "${packages[@]}") || return 1
	for deb in "$1"/*.deb; do
		dpkg -x "$deb" "$1" && rm "$deb" || return 1
	done
}

# provide COMMANDS MODULES: all of it is there, or was installed; otherwise says what is missing.
provide() {
	local packages

	[ -e "$source_tree/.git" ] && set -- "$1 $clone_commands" "$2"
	mapfile -t packages < <(missing "$build_commands $1" "$build_modules $2")
	[ ${#packages[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ] || [ -n "${LAB_UNSHARED:-}" ]; then
		echo "Missing, and only root can install it: ${packages[*]}"
		return 1
	fi
	if ! command -v apt-get >/dev/null; then
		echo "Missing, and there is no apt-get here to install it: ${packages[*]}"
		return 1
	fi
	say "Installing with apt: ${packages[*]}"
	install_packages "${packages[@]}" || { echo "apt-get could not install it"; return 1; }
}

# A new directory, of which the tests' users see the inside, and configure no blank: in TMPDIR, where
# that allows it.
private_directory() {
	local directory above

	directory=$(mktemp -d) && above=$directory || return 1
	while above=${above%/*} && [ -n "$above" ] && [ -n "$(find "$above" -maxdepth 0 -perm -001)" ]; do :; done
	case $above:$directory in
	/* | *[[:space:]]*) rmdir "$directory" && directory=$(TMPDIR=/tmp mktemp -d) || return 1 ;;
	esac
	chmod 755 "$directory" && echo "$directory"
}

# Copies the sources, without what a build has left there, to a directory.
copy_sources() {
	mkdir -p "$1" && tar -C "$source_tree" -cf - --mode=u+rw,go+rX --exclude=./.git --exclude=./build --exclude='*.o' \
		--exclude='*.lo' --exclude='*.la' --exclude=.libs --exclude=.deps --exclude='*.log' \
		--exclude='*.trs' --exclude=./config.status --exclude=./config.h --exclude=./stamp-h1 \
		--exclude=./autom4te.cache --exclude=./libtool --exclude=stage . |
		tar -C "$1" -xf - --no-same-owner || return 1
	find "$1" -name Makefile.am -execdir rm -f Makefile \;
}

# build DIRECTORY [CONFIGURE-ARGUMENT...]: DIRECTORY/source and, from it, DIRECTORY/build.
build() {
	local directory=$1

	shift
	copy_sources "$directory/source" || return 1
	if [ -e "$source_tree/.git" ]; then
		(cd "$directory/source" && ./bootstrap) || return 1
	fi
	mkdir "$directory/build" && cd "$directory/build" || return 1
	"$directory/source/configure" -q --prefix=/usr "$@" && make -s -j"$(nproc)"
}

# sum_of TRS: PASSED FAILED SKIPPED of one test, from automake's result and what its log says: the
# last line of a shell test, each case of cmocka's.  A test that says nothing of the kind is one case,
# and one that failed without a failed case, by a crash, is one more.
sum_of() {
	local log=${1%.trs}.log result passed=0 failed=0 skipped=0 sum

	result=$(sed -n 's/^:test-result: //p' "$1")
	sum=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
	if [ -n "$sum" ]; then
		read -r passed _ failed _ <<<"$sum"
		skipped=$(grep -c '^skip - ' "$log")
	elif grep -q '^\[ RUN ' "$log"; then
		passed=$(grep -cE '^\[ +OK \]' "$log")
		failed=$(grep -cE '^\[  FAILED  \] [^0-9]' "$log")
		[ "$failed" = 0 ] || failed=$(sed -nE 's/^\[  FAILED  \] ([0-9]+) test.*/\1/p' "$log")
		skipped=$(grep -cE '^\[  SKIPPED \] [^0-9]' "$log")
	elif [ "$result" = PASS ]; then
		passed=1
	fi
	[ "$result" != SKIP ] || [ "$skipped" != 0 ] || skipped=1
	case $result in
	FAIL | ERROR | XPASS) [ "${failed:=1}" != 0 ] || failed=1 ;;
	esac
	echo "$passed $failed $skipped"
}

# sum_suites DIRECTORY: a line a suite, and the sums of all in $passed, $failed and $skipped.
sum_suites() {
	local trs p f s

	passed=0 failed=0 skipped=0
	while IFS= read -r trs; do
		read -r p f s < <(sum_of "$trs")
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
		printf '%-32s %4d passed, %d failed' "${trs#"$1"/}" "$p" "$f" | sed 's/\.trs / /'
		[ "$s" = 0 ] || printf ', %d skipped' "$s"
		echo
	done < <(find "$1" -name '*.trs' | sort)
}

# check_build DIRECTORY [MAKE-ARGUMENT...]: runs all tests of a build, and adds them up.  Most wait
# for time-outs rather than for a processor, so there are more at a time than it has.
check_build() {
	local directory=$1 status

	shift
	make -s -j$((2 * $(nproc))) -C "$directory/build" -k check VERBOSE=1 "$@" </dev/null
	status=$?
	say "Sums"
	sum_suites "$directory/build"
	if [ $status != 0 ] && [ "$failed" = 0 ]; then
		echo "make check failed outside of the tests"
		failed=1
	fi
}
