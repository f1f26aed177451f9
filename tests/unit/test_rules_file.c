// SPDX-License-Identifier: GPL-2.0-or-later
/* `restore` and `save`: all or nothing, the line that is wrong named, and back again. */
#include "command.h"
#include "rules_file.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static struct memory_engine memory;
static char name[64];
static char message[4096]; /* what went to standard error */

static int open_engine(void **state)
{
	int fd;

	(void)state;
	memory_engine_open(&memory);
	strcpy(name, "rules_file.XXXXXX");
	fd = mkstemp(name);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int close_engine(void **state)
{
	(void)state;
	memory_engine_close(&memory);
	unlink(name);
	return 0;
}

/* Calls with standard error, or the word that was refused, in `message`. */
static int call(enum ipmasq_status (*body)(struct session *session, int argc, char **argv),
		const char *first, const char *second)
{
	struct session session = {
		.engine = &memory.engine, .out = stdout, .err = stderr, .flags.numeric = true};
	char verb[] = "verb", a[64], b[64];
	char *argv[] = {verb, a, b, NULL};
	FILE *capture = tmpfile();
	int old = dup(STDERR_FILENO), status;
	size_t length;

	assert_non_null(capture);
	assert_true(old >= 0);
	snprintf(a, sizeof(a), "%s", first);
	snprintf(b, sizeof(b), "%s", second ? second : "");
	fflush(stderr);
	dup2(fileno(capture), STDERR_FILENO);
	status = (int)body(&session, second ? 3 : 2, argv);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	rewind(capture);
	length = fread(message, 1, sizeof(message) - 1, capture);
	message[length] = '\0';
	if (session.wrong_word)
		snprintf(message, sizeof(message), "'%s'", session.wrong_word);
	fclose(capture);
	return status;
}

static void write_bytes(const char *bytes, size_t length)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

static int restore(const char *text)
{
	write_bytes(text, strlen(text));
	return call(rules_file_restore, name, NULL);
}

static int restore_added(const char *text)
{
	write_bytes(text, strlen(text));
	return call(rules_file_restore, "-a", name);
}

static void assert_rules(const char *lines)
{
	char *text = command_format_all(&memory);

	assert_string_equal(text, lines);
	free(text);
}

#define ONE "portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80\n"
#define TWO "portfw -A -P udp -L 192.0.2.1 53 -R 10.0.0.2 53\n"

static void a_file_replaces_what_is_there(void **state)
{
	(void)state;
	assert_int_equal(restore(ONE), 0);
	assert_rules(ONE);
	assert_int_equal(restore(TWO), 0);
	assert_rules(TWO);
	assert_int_equal(restore(""), 0);
	assert_rules("");
}

static void a_file_is_added_with_a(void **state)
{
	(void)state;
	assert_int_equal(restore(ONE), 0);
	assert_int_equal(restore_added(TWO), 0);
	assert_rules(ONE TWO);
}

static void a_file_is_one_transaction(void **state)
{
	(void)state;
	assert_int_equal(restore(ONE TWO), 0);
	assert_int_equal(memory.n_commits, 1);
	assert_int_equal(memory.n_changes, 2);
	assert_int_equal(restore(ONE TWO), 0); /* nothing to do */
	assert_int_equal(memory.n_commits, 1);
}

static void comments_blanks_and_a_missing_last_newline_are_allowed(void **state)
{
	(void)state;
	assert_int_equal(restore("# a comment\n\n   \t\n\tportfw -A -P tcp -L 192.0.2.1 80   -R "
				 "10.0.0.1 80 # web\r\n  # more\n"
				 "portfw -A -P udp -L 192.0.2.1 53 -R 10.0.0.2 53"),
			 0);
	assert_rules(ONE TWO);
}

static void a_wrong_line_is_named_and_nothing_is_applied(void **state)
{
	char where[128];

	(void)state;
	assert_int_equal(restore(ONE), 0);
	assert_int_equal(
		restore("# one\n" TWO "portfw -A -P tcp -L 192.0.2.1 80x -R 10.0.0.1 80\n"),
		IPMASQ_USAGE);
	snprintf(where, sizeof(where), "%s:3: portfw: '80x'", name);
	assert_contains(message, where);
	assert_rules(ONE);
	assert_int_equal(memory.n_commits, 1);
}

static void a_line_that_fails_has_its_own_status(void **state)
{
	char where[128];

	(void)state;
	assert_int_equal(restore(TWO "portfw -D -P tcp -L 192.0.2.9 80\n"), IPMASQ_FAILED);
	snprintf(where, sizeof(where), "%s:2: portfw: no forward", name);
	assert_contains(message, where);
	assert_rules("");
}

static void a_module_that_does_not_exist_is_named(void **state)
{
	char where[128];

	(void)state;
	assert_int_equal(restore(ONE "nosuch -A\n"), IPMASQ_USAGE);
	snprintf(where, sizeof(where), "%s:2: nosuch: ", name);
	assert_contains(message, where);
	assert_rules("");
}

static void a_nul_byte_and_too_many_words_are_refused(void **state)
{
	static const char nul[] = ONE "portfw -F\0 -A\n";
	char line[512] = "portfw";

	(void)state;
	write_bytes(nul, sizeof(nul) - 1);
	assert_int_equal(call(rules_file_restore, name, NULL), IPMASQ_USAGE);
	assert_contains(message, ":2: there is a NUL byte");
	for (int i = 0; i < 64; i++)
		strcat(line, " -A");
	assert_int_equal(restore(line), IPMASQ_USAGE);
	assert_contains(message, ":1: more than 64 words");
	assert_rules("");
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	assert_int_equal(call(rules_file_restore, "/nonexistent/rules", NULL), IPMASQ_FAILED);
	assert_contains(message, "/nonexistent/rules");
	assert_int_equal(call(rules_file_restore, name, "more"), IPMASQ_USAGE);
	assert_contains(message, "'more'");
	assert_int_equal(call(rules_file_restore, "-x", NULL), IPMASQ_USAGE);
	assert_contains(message, "'-x'");
	assert_int_equal(call(rules_file_restore, "-a", NULL), IPMASQ_FAILED);
	assert_contains(message,
			"/nonexistent/ipmasqadm.rules"); /* the default one, of Makefile.am */
}

static void another_writer_in_between_is_waited_out(void **state)
{
	(void)state;
	memory.n_conflicts = 3;
	assert_int_equal(restore(ONE TWO), 0);
	assert_int_equal(memory.n_commits, 4);
	assert_rules(ONE TWO);
}

static void what_is_saved_is_restored_as_it_was(void **state)
{
	static const char rules[] =
		ONE "portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.2 8080 -p 20\n" TWO
		    "portfw -A -P sctp -L :: 1 -R 2001:db8::1 65535\n";

	(void)state;
	assert_int_equal(restore(rules), 0);
	assert_int_equal(call(rules_file_save, name, NULL), 0);
	assert_int_equal(call(rules_file_restore, name, NULL), 0);
	assert_rules(rules);
	assert_int_equal(memory.n_commits, 1);
	memory_engine_close(&memory);
	assert_int_equal(call(rules_file_restore, name, NULL), 0);
	assert_int_equal(memory.n_rules, 3);
}

static void a_save_that_fails_says_where(void **state)
{
	(void)state;
	assert_int_equal(call(rules_file_save, "/nonexistent/rules", NULL), IPMASQ_FAILED);
	assert_contains(message, "/nonexistent/rules");
	assert_int_equal(call(rules_file_save, name, "more"), IPMASQ_USAGE);
	assert_contains(message, "'more'");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_engine, close_engine)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_file_replaces_what_is_there),
		TEST(a_file_is_added_with_a),
		TEST(a_file_is_one_transaction),
		TEST(comments_blanks_and_a_missing_last_newline_are_allowed),
		TEST(a_wrong_line_is_named_and_nothing_is_applied),
		TEST(a_line_that_fails_has_its_own_status),
		TEST(a_module_that_does_not_exist_is_named),
		TEST(a_nul_byte_and_too_many_words_are_refused),
		TEST(a_file_that_cannot_be_read_is_named),
		TEST(another_writer_in_between_is_waited_out),
		TEST(what_is_saved_is_restored_as_it_was),
		TEST(a_save_that_fails_says_where),
	};

	return cmocka_run_group_tests_name("rules file", tests, NULL, NULL);
}
