// SPDX-License-Identifier: GPL-2.0-or-later
/* The option scanner: which word goes to which letter, and which word is the one too many. */
#include "command.h"

#include "test.h"

#include <errno.h>

static const struct ipmasq_option options[] = {
	{'A', 'a', IPMASQ_COMMAND, 0, NULL, "add"},
	{'D', 'd', IPMASQ_COMMAND, 0, NULL, "delete"},
	{'l', 0, IPMASQ_COMMAND, 0, NULL, "list"},
	{'P', 0, 0, 1, "PROTO", "protocol"},
	{'L', 0, IPMASQ_PAIR | IPMASQ_OR_COMMAND | IPMASQ_LAST_OPEN, 2, "LADDR LPORT", "local"},
	{'R', 0, IPMASQ_PAIR, 2, "RADDR RPORT", "inside"},
	{'r', 0, 0, 3, "PROTO LOW HIGH", "range"},
	{'i', 0, 0, 0, NULL, "a flag"},
	{0},
};

static struct command command;
static struct ipmasq_context context;
static struct ipmasq_words words;

static int scan(const char *line)
{
	memset(&context, 0, sizeof(context));
	command_split(&command, line);
	return ipmasq_words_scan(&context, options, command.argc, command.argv, &words);
}

static void assert_scanned(const char *line)
{
	if (scan(line) < 0)
		fail_msg("%s: %s", line, context.error.text);
}

static void assert_refused(const char *line, const char *named)
{
	assert_int_equal(scan(line), -1);
	assert_usage_error(&context.error, named);
}

static void a_command_letter_has_two_spellings(void **state)
{
	(void)state;
	assert_scanned("m -A");
	assert_int_equal(words.command, 'A');
	assert_scanned("m -a");
	assert_int_equal(words.command, 'A');
	assert_scanned("m -d");
	assert_int_equal(words.command, 'D');
}

static void no_words_are_no_command(void **state)
{
	(void)state;
	assert_scanned("m");
	assert_int_equal(words.command, 0);
}

static void two_commands_are_refused_by_their_letters(void **state)
{
	static const char *const lines[] = {"m -A -D",        "m -AD",   "m -aD",
					    "m -d -P tcp -A", "m -A -L", "m -lL",
					    "m -A -A",        "m -aA",   "m -L -l"};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++)
		assert_refused(lines[i], "multiple commands specified: -");
	assert_refused("m -A -D", "-A and -D");
	assert_refused("m -A -Ln", "-A and -L");
	assert_refused("m -A -L -R 10.0.0.1 80", "-A and -L, which no word follows");
}

static void flags_may_be_bundled_on_either_side_of_a_command(void **state)
{
	static const char *const lines[] = {"m -nL",   "m -Ln",  "m -n -L",
					    "m -L -n", "m -Lnv", "m -vnL"};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		assert_scanned(lines[i]);
		assert_int_equal(words.command, 'L');
		assert_true(context.numeric);
		assert_int_equal(context.verbose, strchr(lines[i], 'v') != NULL);
	}
	assert_scanned("m -ln");
	assert_int_equal(words.command, 'l');
	assert_true(context.numeric);
	assert_scanned("m -nl");
	assert_int_equal(words.command, 'l');
	assert_true(context.numeric);
}

static void a_value_may_be_glued_to_its_letter(void **state)
{
	(void)state;
	assert_scanned("m -Ptcp");
	assert_string_equal(words.value['P'][0], "tcp");
	assert_scanned("m -APudp -L1.2.3.4 80");
	assert_int_equal(words.command, 'A');
	assert_string_equal(words.value['P'][0], "udp");
	assert_string_equal(words.value['L'][0], "1.2.3.4");
	assert_string_equal(words.value['L'][1], "80");
	assert_scanned("m -AL1.2.3.4:80");
	assert_string_equal(words.value['L'][0], "1.2.3.4:80");
	assert_null(words.value['L'][1]);
}

static void a_pair_is_two_words_or_one(void **state)
{
	(void)state;
	assert_scanned("m -R 10.0.0.1 80 -i");
	assert_string_equal(words.value['R'][0], "10.0.0.1");
	assert_string_equal(words.value['R'][1], "80");
	assert_scanned("m -R 10.0.0.1:80 -i");
	assert_string_equal(words.value['R'][0], "10.0.0.1:80");
	assert_null(words.value['R'][1]);
	assert_true(words.given['i']);
	assert_scanned("m -R 10.0.0.1/80");
	assert_scanned("m -R [2001:db8::1]:80");
	assert_scanned("m -R 2001:db8::1 80");
	assert_string_equal(words.value['R'][1], "80");
}

static void a_pair_in_one_word_takes_no_second_word(void **state)
{
	(void)state;
	assert_refused("m -R 10.0.0.1:80 81", "'10.0.0.1:80' has a port already, '81' is one word");
	assert_refused("m -R [::1]:80 81", "'81'");
}

static void a_letter_with_no_value_after_it_is_a_command_where_it_may_be(void **state)
{
	(void)state;
	assert_scanned("m -L");
	assert_int_equal(words.command, 'L');
	assert_false(words.given['L']);
	assert_scanned("m -A -L 1.2.3.4 80");
	assert_int_equal(words.command, 'A');
	assert_true(words.given['L']);
	assert_scanned("m -L --json");
	assert_int_equal(words.command, 'L');
	assert_true(context.json);
}

static void the_last_word_may_be_left_out_where_the_option_says_so(void **state)
{
	(void)state;
	assert_scanned("m -A -L 1.2.3.4");
	assert_string_equal(words.value['L'][0], "1.2.3.4");
	assert_null(words.value['L'][1]);
}

static void a_missing_value_is_asked_for_by_name(void **state)
{
	(void)state;
	assert_refused("m -A -P", "-P needs PROTO");
	assert_refused("m -A -P -i", "-P needs PROTO");
	assert_refused("m -R", "-R needs RADDR RPORT");
	assert_refused("m -R 10.0.0.1", "nothing follows 10.0.0.1");
	assert_refused("m -r tcp 1", "-r needs PROTO LOW HIGH: nothing follows 1");
	assert_refused("m -r tcp 1 -i", "nothing follows 1");
}

static void an_option_of_three_words_takes_three(void **state)
{
	(void)state;
	assert_scanned("m -r tcp 1 20 -i");
	assert_string_equal(words.value['r'][0], "tcp");
	assert_string_equal(words.value['r'][2], "20");
	assert_refused("m -r tcp 1 20 21", "'21' is one word too many");
}

static void a_negative_number_is_a_value_and_not_an_option(void **state)
{
	(void)state;
	assert_scanned("m -P -6");
	assert_string_equal(words.value['P'][0], "-6");
}

static void an_empty_word_is_a_value(void **state)
{
	(void)state;
	assert_scanned("m -P ''");
	assert_string_equal(words.value['P'][0], "");
}

static void an_option_given_twice_is_refused(void **state)
{
	(void)state;
	assert_refused("m -P tcp -P udp", "-P is given twice");
	assert_refused("m -L 1.2.3.4 80 -L 1.2.3.5 80", "-L is given twice");
}

static void a_left_over_word_is_named(void **state)
{
	(void)state;
	assert_refused("m -A tcp", "'tcp' is one word too many");
	assert_refused("m word", "'word'");
	assert_refused("m -", "'-'");
	assert_refused("m ''", "''");
	assert_refused("m -P tcp -5", "'-5'");
}

static void an_option_that_does_not_exist_is_named(void **state)
{
	(void)state;
	assert_refused("m -x", "there is no option '-x'; m -h");
	assert_refused("m -Ax", "there is no option '-x' in '-Ax'");
	assert_refused("m --jsn", "there is no option '--jsn'");
	assert_refused("m --", "there is no option '--'");
	assert_refused("m -\303\244", "there is no option");
}

static void long_options_set_their_flag_wherever_they_stand(void **state)
{
	static const char *const lines[] = {"m --json --dry-run --kill -A",
					    "m -A --kill --json --dry-run",
					    "m --dry-run -A --json --kill"};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		assert_scanned(lines[i]);
		assert_true(context.json && context.dry_run && context.kill);
		assert_false(context.help || context.numeric || context.verbose);
	}
	assert_scanned("m --numeric --verbose --help");
	assert_true(context.help && context.numeric && context.verbose);
	assert_scanned("m -A");
	assert_false(context.json || context.dry_run || context.kill);
}

static void a_long_option_is_no_value(void **state)
{
	(void)state;
	assert_refused("m -P --json", "-P needs PROTO");
}

static void h_asks_for_help(void **state)
{
	(void)state;
	assert_scanned("m -h");
	assert_true(context.help);
	assert_scanned("m -Lh");
	assert_true(context.help);
}

static void a_letter_that_the_command_does_not_take_is_named(void **state)
{
	(void)state;
	assert_scanned("m -D -P tcp -i");
	assert_int_equal(ipmasq_words_check(&context, &words, "Pi"), 0);
	assert_int_equal(ipmasq_words_check(&context, &words, "P"), -1);
	assert_usage_error(&context.error, "-i does not go with -D");
}

static int pair(const char *line, char letter, bool zero_is_any, uint16_t *port)
{
	struct ipmasq_address address;
	int rc;

	assert_scanned(line);
	context.numeric = true;
	rc = ipmasq_words_pair(&context, &words, letter, AF_UNSPEC, IPPROTO_TCP, zero_is_any,
			       &address, port);
	if (rc == 0) {
		char text[IPMASQ_ADDRESS_TEXT];

		assert_string_equal(ipmasq_address_text(&address, text),
				    strchr(line, '[') ? "::1" : "10.0.0.1");
	}
	return rc;
}

static void a_pair_parses_in_every_way_of_writing(void **state)
{
	static const char *const lines[] = {"m -R 10.0.0.1 80", "m -R 10.0.0.1:80",
					    "m -R 10.0.0.1/80", "m -R10.0.0.1:80",
					    "m -R [::1]:80",    "m -R [::1] 80"};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		uint16_t port = 0;

		assert_int_equal(pair(lines[i], 'R', false, &port), 0);
		assert_int_equal(port, 80);
	}
}

static void the_bad_half_of_a_pair_is_named(void **state)
{
	static const struct {
		const char *line, *named;
	} bad[] = {
		{"m -R 10.0.0 80", "'10.0.0'"},
		{"m -R 10.0.0.1 80x", "'80x'"},
		{"m -R 10.0.0.1:80x", "'80x'"},
		{"m -R 10.0.0.1:", "''"},
		{"m -R 10.0.0.1/0", "'0'"},
		{"m -R [::1]:65536", "'65536'"},
		{"m -R [::1:80 80", "[::1:80"},
		{"m -R host:80", "'host'"},
		{"m -R 10.0.0.1:80:90 1", "10.0.0.1:80:90"},
		{"m -R :80", "''"},
	};
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		assert_int_equal(pair(bad[i].line, 'R', false, &port), -1);
		assert_usage_error(&context.error, bad[i].named);
	}
}

static void a_port_left_out_is_any_only_where_the_grammar_says_so(void **state)
{
	uint16_t port = 4711;

	(void)state;
	assert_int_equal(pair("m -L 10.0.0.1", 'L', true, &port), 0);
	assert_int_equal(port, 0);
	assert_int_equal(pair("m -L 10.0.0.1", 'L', false, &port), -1);
	assert_usage_error(&context.error, "'10.0.0.1': a port is needed");
}

static void a_pair_that_was_not_given_is_asked_for(void **state)
{
	uint16_t port;

	(void)state;
	assert_int_equal(pair("m -A", 'R', false, &port), -1);
	assert_usage_error(&context.error, "-R with an address and a port is needed");
}

static void an_overlong_pair_is_refused(void **state)
{
	char line[COMMAND_LINE_MAX] = "m -R ";
	uint16_t port;

	(void)state;
	memset(line + strlen(line), '1', 300);
	strcat(line, " 80");
	assert_int_equal(pair(line, 'R', false, &port), -1);
	assert_usage_error(&context.error, "too long");
}

static void a_message_has_no_control_characters(void **state)
{
	struct ipmasq_error error;

	(void)state;
	assert_int_equal(ipmasq_usage(&error, "'%s' is wrong", "a\nb\033[31m\177c"), -1);
	assert_string_equal(error.text, "'a?b?[31m?c' is wrong");
	assert_int_equal(ipmasq_fail(&error, ENOENT, "no %s", "h\303\266st"), -1);
	assert_string_equal(error.text, "no h\303\266st");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_has_no_control_characters),
		cmocka_unit_test(a_command_letter_has_two_spellings),
		cmocka_unit_test(no_words_are_no_command),
		cmocka_unit_test(two_commands_are_refused_by_their_letters),
		cmocka_unit_test(flags_may_be_bundled_on_either_side_of_a_command),
		cmocka_unit_test(a_value_may_be_glued_to_its_letter),
		cmocka_unit_test(a_pair_is_two_words_or_one),
		cmocka_unit_test(a_pair_in_one_word_takes_no_second_word),
		cmocka_unit_test(a_letter_with_no_value_after_it_is_a_command_where_it_may_be),
		cmocka_unit_test(the_last_word_may_be_left_out_where_the_option_says_so),
		cmocka_unit_test(a_missing_value_is_asked_for_by_name),
		cmocka_unit_test(an_option_of_three_words_takes_three),
		cmocka_unit_test(a_negative_number_is_a_value_and_not_an_option),
		cmocka_unit_test(an_empty_word_is_a_value),
		cmocka_unit_test(an_option_given_twice_is_refused),
		cmocka_unit_test(a_left_over_word_is_named),
		cmocka_unit_test(an_option_that_does_not_exist_is_named),
		cmocka_unit_test(long_options_set_their_flag_wherever_they_stand),
		cmocka_unit_test(a_long_option_is_no_value),
		cmocka_unit_test(h_asks_for_help),
		cmocka_unit_test(a_letter_that_the_command_does_not_take_is_named),
		cmocka_unit_test(a_pair_parses_in_every_way_of_writing),
		cmocka_unit_test(the_bad_half_of_a_pair_is_named),
		cmocka_unit_test(a_port_left_out_is_any_only_where_the_grammar_says_so),
		cmocka_unit_test(a_pair_that_was_not_given_is_asked_for),
		cmocka_unit_test(an_overlong_pair_is_refused),
	};

	return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
