#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs one test for a bounded time, so that one that hangs does not stop all: bounded.sh COMMAND...
# `make check` puts this before every test (LOG_COMPILER in configure.ac).  A test that is not over
# after TEST_SECONDS (1200) gets the signal to end, it and its children, which are one process group;
# it has half a minute for what it has to remove.  Then it has failed.  An interrupt ends the group
# likewise: a group of its own does not hear the terminal's.
limit=${TEST_SECONDS:-1200}

set -m # a group of its own, and no signal ignored in it, as for a command of a terminal
timeout -k 30 "$limit" "$@" &
test=$!
trap 'kill $test' HUP INT TERM
while
	wait $test
	status=$?
	kill -0 $test 2>/dev/null
do :; done
if [ $status != 0 ] && [ $SECONDS -ge "$limit" ]; then
	echo "not ok - it was not over after $limit seconds"
	status=1
fi
exit $status
