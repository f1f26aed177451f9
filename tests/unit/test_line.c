// SPDX-License-Identifier: GPL-2.0-or-later
/* Command lines as text, cut into words. */
#include "line.h"

#include "test.h"

static char text[4096];
static char *words[LINE_WORDS_MAX + 1];
static struct ipmasq_error error;

static int split(const char *line)
{
	snprintf(text, sizeof(text), "%s", line);
	return line_split(text, strlen(text), words, &error);
}

static void words_are_between_blanks_and_tabs(void **state)
{
	(void)state;
	assert_int_equal(split("\t portfw  -A\t-P tcp \r\n"), 4);
	assert_string_equal(words[0], "portfw");
	assert_string_equal(words[1], "-A");
	assert_string_equal(words[3], "tcp");
	assert_null(words[4]);
}

static void a_word_that_begins_with_a_hash_is_a_comment(void **state)
{
	(void)state;
	assert_int_equal(split("masq -F # -L"), 2);
	assert_int_equal(split("a#b c"), 2);
	assert_string_equal(words[0], "a#b");
	assert_int_equal(split("#"), 0);
	assert_int_equal(split("# masq -F"), 0);
}

static void an_empty_line_has_no_words(void **state)
{
	(void)state;
	assert_int_equal(split(""), 0);
	assert_int_equal(split(" \t\r\n"), 0);
	assert_null(words[0]);
}

static void more_words_than_there_is_room_for_are_refused(void **state)
{
	char line[2 * LINE_WORDS_MAX + 3] = "";

	(void)state;
	for (int i = 0; i < LINE_WORDS_MAX; i++)
		strcat(line, "x ");
	assert_int_equal(split(line), LINE_WORDS_MAX);
	assert_null(words[LINE_WORDS_MAX]);
	strcat(line, "x");
	assert_int_equal(split(line), -1);
	assert_usage_error(&error, "64");
}

static void a_nul_byte_is_refused(void **state)
{
	char line[] = "masq\0 -F";

	(void)state;
	assert_int_equal(line_split(line, sizeof(line) - 1, words, &error), -1);
	assert_usage_error(&error, "NUL");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_between_blanks_and_tabs),
		cmocka_unit_test(a_word_that_begins_with_a_hash_is_a_comment),
		cmocka_unit_test(an_empty_line_has_no_words),
		cmocka_unit_test(more_words_than_there_is_room_for_are_refused),
		cmocka_unit_test(a_nul_byte_is_refused),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
