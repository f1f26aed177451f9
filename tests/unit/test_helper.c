// SPDX-License-Identifier: GPL-2.0-or-later
/* The grammar of helper, row by row, on an engine in memory. */
#include "grammar.h"

#include "test.h"

#define FTP "helper -A ftp ports=21,2121\n"
#define IRC "helper -A irc\n"

static void add_two(void)
{
	ok("helper -A irc");
	ok("helper -A ftp ports=21,2121");
	assert_rules(FTP IRC);
}

static void add_watches_the_ports_that_are_given(void **state)
{
	(void)state;
	ok("helper -A ftp ports=21,2121");
	assert_rules("helper -A ftp ports=21,2121\n");
	assert_int_equal(memory.rules[0]->kind, IPMASQ_HELPER);
	assert_int_equal(memory.rules[0]->helper.n_ports, 2);
	assert_int_equal(memory.rules[0]->helper.ports[1], 2121);
	assert_string_equal(result.output, "");
}

static void add_without_ports_leaves_them_to_the_engine(void **state)
{
	(void)state;
	ok("helper -a irc");
	assert_rules("helper -A irc\n");
	assert_int_equal(memory.rules[0]->helper.n_ports, 0);
}

static void adding_a_helper_that_is_there_sets_its_ports(void **state)
{
	uint32_t generation;

	(void)state;
	add_two();
	ok("helper -A ftp ports=8021");
	ok("helper -A irc ports=6667");
	assert_rules("helper -A ftp ports=8021\nhelper -A irc ports=6667\n");
	generation = memory.generation;
	ok("helper -A ftp ports=8021");
	assert_int_equal(memory.generation, generation);
	ok("helper -A ftp");
	assert_rules("helper -A ftp\nhelper -A irc ports=6667\n");
}

static void a_helper_has_8_ports_at_most(void **state)
{
	(void)state;
	ok("helper -A ftp ports=1,2,3,4,5,6,7,65535");
	assert_rules("helper -A ftp ports=1,2,3,4,5,6,7,65535\n");
	wrong("helper -A ftp ports=1,2,3,4,5,6,7,8,9", "'9'");
}

static void delete_takes_the_helper_of_this_name(void **state)
{
	(void)state;
	add_two();
	ok("helper -D irc");
	assert_rules(FTP);
	ok("helper -d ftp");
	assert_rules("");
}

static void deleting_a_helper_that_is_not_there_fails(void **state)
{
	(void)state;
	add_two();
	fails("helper -D pptp");
	assert_contains(result.error.text, "`helper -A pptp`");
	fails("helper -D ft");
}

static void clear_removes_the_rules_of_helper_and_of_nobody_else(void **state)
{
	(void)state;
	add_rule_of_portfw();
	ok("helper -A ftp");
	ok("helper -A irc");
	ok("helper -F");
	assert_only_rule_of_portfw();
	ok("helper -f"); /* an empty table is cleared, too */
	assert_only_rule_of_portfw();
}

static void a_list_has_a_row_for_each_port(void **state)
{
	static const char *const lines[] = {"helper -L", "helper -l", "helper -nL", "helper -L -n"};

	(void)state;
	add_two();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok(lines[i]);
		assert_output_line(0, "helper port");
		assert_output_line(1, "ftp 21");
		assert_output_line(2, "ftp 2121");
		assert_output_line(3, "irc 0");
		assert_output_line(4, "");
	}
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	add_two();
	ok("helper -D ftp --dry-run");
	assert_int_equal(result.n_pending, 1);
	assert_rules(FTP IRC);
}

static void a_wrong_word_is_named_with_exit_2_and_changes_nothing(void **state)
{
	static const struct {
		const char *words, *named;
	} wrongs[] = {
		{"-A", "-A needs NAME"},
		{"-A ''", "''"},
		{"-A FTP", "'FTP'"},
		{"-A 1ftp", "'1ftp'"},
		{"-A f_tp", "'f_tp'"},
		{"-A abcdefghijklmnop", "'abcdefghijklmnop'"},
		{"-A ftp 21", "'21'"},
		{"-A ftp port=21", "'port=21'"},
		{"-A ftp ports=", "''"},
		{"-A ftp ports=0", "'0'"},
		{"-A ftp ports=65536", "'65536'"},
		{"-A ftp ports=21x", "'21x'"},
		{"-A ftp ports=21,", "''"},
		{"-A ftp ports=,21", "''"},
		{"-A ftp ports=22,22", "'22'"},
		{"-A ftp ports=-21", "'-21'"},
		{"-A ftp ports=ftp", "'ftp'"},
		{"-A ftp ports=22 ports=23", "'ports=23'"},
		{"-A ftp -A irc", "-A is given twice"},
		{"-D", "-D needs NAME"},
		{"-D FTP", "'FTP'"},
		{"-D ftp ports=21", "'ports=21'"},
		{"-A ftp -D irc", "multiple commands specified: -A and -D"},
		{"-L -F", "multiple commands specified: -L and -F"},
		{"-F ftp", "'ftp'"},
		{"-L ftp", "'ftp'"},
		{"-x", "-x"},
		{"--all", "--all"},
		{"", "no command"},
		{"ftp", "'ftp'"},
	};
	char line[COMMAND_LINE_MAX];

	(void)state;
	add_two();
	for (size_t i = 0; i < N_ELEMENTS(wrongs); i++) {
		snprintf(line, sizeof(line), "helper -n %s", wrongs[i].words);
		wrong(line, wrongs[i].named);
	}
}

static void formatted_lines_make_the_same_rules(void **state)
{
	(void)state;
	add_two();
	ok("helper -A netbios-ns ports=137");
	ok("helper -A h323 ports=65535,1,65534,2,65533,3,65532,4");
	assert_round_trip();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		GRAMMAR_TEST(add_watches_the_ports_that_are_given),
		GRAMMAR_TEST(add_without_ports_leaves_them_to_the_engine),
		GRAMMAR_TEST(adding_a_helper_that_is_there_sets_its_ports),
		GRAMMAR_TEST(a_helper_has_8_ports_at_most),
		GRAMMAR_TEST(delete_takes_the_helper_of_this_name),
		GRAMMAR_TEST(deleting_a_helper_that_is_not_there_fails),
		GRAMMAR_TEST(clear_removes_the_rules_of_helper_and_of_nobody_else),
		GRAMMAR_TEST(a_list_has_a_row_for_each_port),
		GRAMMAR_TEST(a_dry_run_changes_nothing),
		GRAMMAR_TEST(a_wrong_word_is_named_with_exit_2_and_changes_nothing),
		GRAMMAR_TEST(formatted_lines_make_the_same_rules),
	};

	return cmocka_run_group_tests_name("helper", tests, NULL, NULL);
}
