/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every unit test includes: cmocka with what it wants before it, and assertions on errors. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka.h comes last: it needs what is above and declares no headers of its own. */
#include <cmocka.h>

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

#define assert_contains(text, part)                                             \
	do {                                                                    \
		if (!strstr(text, part))                                        \
			fail_msg("\"%s\" does not contain \"%s\"", text, part); \
	} while (0)

/* A usage error whose message names `word`. */
#define assert_usage_error(error, word)                          \
	do {                                                     \
		assert_int_equal((error)->status, IPMASQ_USAGE); \
		assert_contains((error)->text, word);            \
	} while (0)

#endif
