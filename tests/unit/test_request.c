// SPDX-License-Identifier: GPL-2.0-or-later
/* The bytes of a control connection: requests, whatever way they arrive, and what is none. */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static struct request_reader reader;

static int fresh(void **state)
{
	(void)state;
	reader = (struct request_reader){0};
	return 0;
}

static int done(void **state)
{
	(void)state;
	request_reader_free(&reader);
	return 0;
}

/* Puts as many of the bytes into the reader as it wants; their number. */
static size_t feed(const char *bytes, size_t length)
{
	size_t fed = 0, size;

	while (fed < length && request_look(&reader) == REQUEST_MORE) {
		char *space = request_space(&reader, &size);

		assert_non_null(space);
		assert_true(size > 0);
		if (size > length - fed)
			size = length - fed;
		memcpy(space, bytes + fed, size);
		request_add(&reader, size);
		fed += size;
	}
	return fed;
}

static void feed_text(const char *text)
{
	assert_int_equal(feed(text, strlen(text)), strlen(text));
}

static void a_line_is_a_request(void **state)
{
	(void)state;
	feed_text("-n portfw\t-L  # all of them\r\n");
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_int_equal(reader.request.argc, 3);
	assert_string_equal(reader.request.argv[0], "-n");
	assert_string_equal(reader.request.argv[1], "portfw");
	assert_string_equal(reader.request.argv[2], "-L");
	assert_null(reader.request.argv[3]);
	assert_null(reader.request.body);
}

static void an_empty_line_is_a_request_of_no_words(void **state)
{
	(void)state;
	feed_text("# nothing\n");
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_int_equal(reader.request.argc, 0);
}

static void a_line_may_come_byte_by_byte(void **state)
{
	const char *text = "portfw -L\n";

	(void)state;
	for (; *text; text++) {
		assert_int_equal(request_look(&reader), REQUEST_MORE);
		assert_int_equal(feed(text, 1), 1);
	}
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_int_equal(reader.request.argc, 2);
}

static void requests_may_come_together(void **state)
{
	(void)state;
	feed_text("save\nstatus\nflu");
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_string_equal(reader.request.argv[0], "save");
	request_done(&reader);
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_string_equal(reader.request.argv[0], "status");
	request_done(&reader);
	assert_int_equal(request_look(&reader), REQUEST_MORE);
	feed_text("sh\n");
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_string_equal(reader.request.argv[0], "flush");
}

static void restore_has_a_file_behind_it(void **state)
{
	(void)state;
	feed_text("--dry-run restore -a my.rules 9\nportfw");
	assert_int_equal(request_look(&reader), REQUEST_MORE);
	assert_int_equal(feed(" \n\nsave\n", 8), 3);
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_int_equal(reader.request.argc, 4);
	assert_string_equal(reader.request.argv[3], "my.rules");
	assert_int_equal(reader.request.body_length, 9);
	assert_memory_equal(reader.request.body, "portfw \n\n", 9);
	request_done(&reader);
	feed_text("save\n");
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_string_equal(reader.request.argv[0], "save");
}

static void a_file_may_be_empty(void **state)
{
	(void)state;
	feed_text("restore - 0\n");
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_non_null(reader.request.body);
	assert_int_equal(reader.request.body_length, 0);
}

static void a_large_file_arrives_whole(void **state)
{
	size_t length = 3000000;
	char *bytes = malloc(length);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(i * 7 >> 3);
	feed_text("restore big 3000000\n");
	assert_int_equal(feed(bytes, length), length);
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_memory_equal(reader.request.body, bytes, length);
	request_done(&reader);
	assert_int_equal(reader.room, 0); /* it is not kept */
	free(bytes);
}

static void assert_broken(const char *text, const char *says)
{
	fresh(NULL);
	feed(text, strlen(text));
	assert_int_equal(request_look(&reader), REQUEST_BROKEN);
	assert_non_null(strstr(reader.error.text, says));
	assert_int_equal(reader.error.status, IPMASQ_USAGE);
	request_reader_free(&reader);
}

static void a_file_without_a_length_breaks_off(void **state)
{
	(void)state;
	assert_broken("restore\n", "NAME BYTES");
	assert_broken("restore rules\n", "NAME BYTES");
	assert_broken("restore rules 12x\n", "'12x'");
	assert_broken("restore rules -1\n", "'-1'");
	assert_broken("restore rules 99999999999\n", "'99999999999'");
	assert_broken("restore rules 67108865\n", "'67108865'");
}

static void room_is_not_made_for_what_is_only_promised(void **state)
{
	(void)state;
	feed_text("restore rules 67108864\nx");
	assert_int_equal(request_look(&reader), REQUEST_MORE);
	assert_true(reader.room <= 4096);
}

static void a_line_has_a_limit(void **state)
{
	char *bytes = malloc(REQUEST_LINE_MAX + 1);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', REQUEST_LINE_MAX + 1);
	assert_int_equal(feed(bytes, REQUEST_LINE_MAX + 1), REQUEST_LINE_MAX);
	assert_int_equal(request_look(&reader), REQUEST_BROKEN);
	request_reader_free(&reader);
	bytes[REQUEST_LINE_MAX - 1] = '\n';
	assert_int_equal(feed(bytes, REQUEST_LINE_MAX), REQUEST_LINE_MAX);
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	free(bytes);
}

static void a_nul_spoils_its_line_only(void **state)
{
	static const char bytes[] = "portfw\0 -F\nsave\n";

	(void)state;
	feed(bytes, sizeof(bytes) - 1);
	assert_int_equal(request_look(&reader), REQUEST_WRONG);
	assert_non_null(strstr(reader.error.text, "NUL"));
	request_done(&reader);
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_string_equal(reader.request.argv[0], "save");
}

static void words_have_a_limit(void **state)
{
	char line[4 * LINE_WORDS_MAX] = "";

	(void)state;
	for (int i = 0; i < LINE_WORDS_MAX; i++)
		strcat(line, "w ");
	strcat(line, "\n");
	feed_text(line);
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_int_equal(reader.request.argc, LINE_WORDS_MAX);
	request_done(&reader);
	strcpy(strchr(line, '\n'), "w\n");
	feed_text(line);
	assert_int_equal(request_look(&reader), REQUEST_WRONG);
	assert_non_null(strstr(reader.error.text, "64 words"));
}

static void a_blank_at_the_end_is_a_word_to_be_completed(void **state)
{
	(void)state;
	feed_text("complete portfw -D \n");
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_int_equal(reader.request.argc, 4);
	assert_string_equal(reader.request.argv[3], "");
	assert_null(reader.request.argv[4]);
	request_done(&reader);
	feed_text("portfw -L \n");
	assert_int_equal(request_look(&reader), REQUEST_WHOLE);
	assert_int_equal(reader.request.argc, 2);
}

static void half_a_line_is_never_carried_out(void **state)
{
	(void)state;
	feed_text("flush");
	assert_int_equal(request_end(&reader), REQUEST_BROKEN);
	assert_non_null(strstr(reader.error.text, "nothing was done"));
}

static void half_a_file_is_never_carried_out(void **state)
{
	(void)state;
	feed_text("restore rules 10\nportfw");
	assert_int_equal(request_end(&reader), REQUEST_BROKEN);
}

static void the_end_behind_a_request_is_no_fault(void **state)
{
	(void)state;
	assert_int_equal(request_end(&reader), REQUEST_MORE);
	feed_text("save\n");
	assert_int_equal(request_end(&reader), REQUEST_WHOLE);
	request_done(&reader);
	assert_int_equal(request_end(&reader), REQUEST_MORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_is_a_request, fresh, done),
		cmocka_unit_test_setup_teardown(an_empty_line_is_a_request_of_no_words, fresh,
						done),
		cmocka_unit_test_setup_teardown(a_line_may_come_byte_by_byte, fresh, done),
		cmocka_unit_test_setup_teardown(requests_may_come_together, fresh, done),
		cmocka_unit_test_setup_teardown(restore_has_a_file_behind_it, fresh, done),
		cmocka_unit_test_setup_teardown(a_file_may_be_empty, fresh, done),
		cmocka_unit_test_setup_teardown(a_large_file_arrives_whole, fresh, done),
		cmocka_unit_test_setup_teardown(a_file_without_a_length_breaks_off, fresh, done),
		cmocka_unit_test_setup_teardown(room_is_not_made_for_what_is_only_promised, fresh,
						done),
		cmocka_unit_test_setup_teardown(a_line_has_a_limit, fresh, done),
		cmocka_unit_test_setup_teardown(a_nul_spoils_its_line_only, fresh, done),
		cmocka_unit_test_setup_teardown(words_have_a_limit, fresh, done),
		cmocka_unit_test_setup_teardown(a_blank_at_the_end_is_a_word_to_be_completed, fresh,
						done),
		cmocka_unit_test_setup_teardown(half_a_line_is_never_carried_out, fresh, done),
		cmocka_unit_test_setup_teardown(half_a_file_is_never_carried_out, fresh, done),
		cmocka_unit_test_setup_teardown(the_end_behind_a_request_is_no_fault, fresh, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
