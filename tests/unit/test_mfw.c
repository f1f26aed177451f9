// SPDX-License-Identifier: GPL-2.0-or-later
/* The grammar of mfw, row by row, on an engine in memory. */
#include "grammar.h"

#include <errno.h>

#include "test.h"

#define FIRST  "mfw -A -m 1 -r 10.0.0.1 80\n"
#define SECOND "mfw -A -m 1 -r 10.0.0.2 8080 -p 20\n"
#define THIRD  "mfw -A -m 2 -r 10.0.0.1\n"
#define SIXTH  "mfw -A -m 1 -r 2001:db8::1 80\n"

/* Four hosts: two of mark 1 for IPv4 and one for IPv6, one of mark 2. */
static void add_four(void)
{
	ok("mfw -n -A -m 1 -r 10.0.0.1 80");
	ok("mfw -n -A -m 1 -r 10.0.0.2 8080 -p 20");
	ok("mfw -n -A -m 2 -r 10.0.0.1");
	ok("mfw -n -A -m 1 -r 2001:db8::1 80");
	assert_rules(FIRST SECOND THIRD SIXTH);
}

static void add_makes_a_host_of_preference_10(void **state)
{
	const struct ipmasq_target *target;

	(void)state;
	ok("mfw -n -A -m 1 -r 10.0.0.1 80");
	assert_rules("mfw -A -m 1 -r 10.0.0.1 80\n");
	assert_int_equal(memory.n_rules, 1);
	target = memory.rules[0]->redirect.targets;
	assert_int_equal(target->weight, 10);
	assert_int_equal(target->left, 10);
	assert_string_equal(result.output, "");
}

static void add_has_many_ways_of_writing(void **state)
{
	static const char *const lines[] = {
		"mfw -n -a -m 1 -r 10.0.0.1 80",       "mfw -A -n -m 0x1 -r 10.0.0.1:80",
		"mfw -nA -m1 -r10.0.0.1/80",           "mfw -r 10.0.0.1 80 -m 0X1 -An",
		"mfw -n -A -m 1 -r 10.0.0.1 80 -p 10",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok("mfw -F");
		ok(lines[i]);
		assert_rules("mfw -A -m 1 -r 10.0.0.1 80\n");
	}
}

static void a_mark_is_decimal_or_hexadecimal_of_32_bits(void **state)
{
	(void)state;
	ok("mfw -n -A -m 0xff -r 10.0.0.1");
	ok("mfw -n -A -m 4294967295 -r 10.0.0.1");
	assert_rules("mfw -A -m 255 -r 10.0.0.1\nmfw -A -m 4294967295 -r 10.0.0.1\n");
	wrong("mfw -n -A -m 0 -r 10.0.0.1", "'0'");
	wrong("mfw -n -A -m 0x0 -r 10.0.0.1", "'0x0'");
	wrong("mfw -n -A -m 4294967296 -r 10.0.0.1", "'4294967296'");
	wrong("mfw -n -A -m 1x -r 10.0.0.1", "'1x'");
	wrong("mfw -n -A -m ff -r 10.0.0.1", "'ff'");
	wrong("mfw -n -A -m -1 -r 10.0.0.1", "'-1'");
	wrong("mfw -n -A -m 0x -r 10.0.0.1", "'0x'");
}

static void without_a_port_or_with_0_the_packet_keeps_its_own(void **state)
{
	(void)state;
	ok("mfw -n -A -m 1 -r 10.0.0.1");
	assert_int_equal(memory.rules[0]->redirect.targets[0].port, 0);
	ok("mfw -n -A -m 1 -r 10.0.0.1 0");
	ok("mfw -n -A -m 1 -r 10.0.0.1:0");
	assert_rules("mfw -A -m 1 -r 10.0.0.1\n");
}

static void add_appends_and_insert_puts_at_the_head(void **state)
{
	(void)state;
	ok("mfw -n -A -m 1 -r 10.0.0.1");
	ok("mfw -n -A -m 1 -r 10.0.0.2");
	ok("mfw -n -I -m 1 -r 10.0.0.3");
	ok("mfw -n -i -m 1 -r 10.0.0.4");
	assert_rules("mfw -A -m 1 -r 10.0.0.4\nmfw -A -m 1 -r 10.0.0.3\n"
		     "mfw -A -m 1 -r 10.0.0.1\nmfw -A -m 1 -r 10.0.0.2\n");
}

static void a_preference_is_0_to_65535(void **state)
{
	(void)state;
	ok("mfw -n -A -m 1 -r 10.0.0.1 -p 0");
	assert_rules("mfw -A -m 1 -r 10.0.0.1 -p 0\n");
	ok("mfw -n -A -m 1 -r 10.0.0.1 -p 65535");
	assert_rules("mfw -A -m 1 -r 10.0.0.1 -p 65535\n");
	wrong("mfw -n -A -m 1 -r 10.0.0.1 -p 65536", "'65536'");
	wrong("mfw -n -A -m 1 -r 10.0.0.1 -p -1", "'-1'");
	wrong("mfw -n -A -m 1 -r 10.0.0.1 -p 1x", "'1x'");
	wrong("mfw -n -A -m 1 -r 10.0.0.1 -p", "-p needs PREF");
}

static void adding_a_host_that_is_there_sets_its_preference(void **state)
{
	(void)state;
	ok("mfw -n -A -m 1 -r 10.0.0.1");
	ok("mfw -n -A -m 1 -r 10.0.0.2");
	ok("mfw -n -A -m 1 -r 10.0.0.1 -p 25");
	assert_rules("mfw -A -m 1 -r 10.0.0.1 -p 25\nmfw -A -m 1 -r 10.0.0.2\n");
}

static void delete_takes_every_host_that_matches(void **state)
{
	static const struct {
		const char *line, *left;
	} deletes[] = {
		{"mfw -n -D -m 1 -r 10.0.0.1 80", SECOND THIRD SIXTH},
		{"mfw -n -d -m 0x1 -r 10.0.0.2:8080", FIRST THIRD SIXTH},
		{"mfw -n -D -m 1 -r 10.0.0.1", SECOND THIRD SIXTH},
		{"mfw -n -D -m 1 -r 10.0.0.1 0", SECOND THIRD SIXTH},
		{"mfw -n -D -m 1 -r 0 8080", FIRST THIRD SIXTH},
		{"mfw -n -D -m 1 -r 0 80", SECOND THIRD},
		{"mfw -n -D -m 1 -r 2001:db8::1", FIRST SECOND THIRD},
		{"mfw -n -D -m 1 -r 0 0", THIRD},
		{"mfw -n -D -m 1", THIRD},
		{"mfw -n -D -m 2", FIRST SECOND SIXTH},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(deletes); i++) {
		ok("mfw -F");
		add_four();
		ok(deletes[i].line);
		assert_rules(deletes[i].left);
	}
}

static void a_change_that_matches_nothing_fails(void **state)
{
	static const char *const lines[] = {
		"mfw -n -D -m 3",
		"mfw -n -D -m 1 -r 10.0.0.3",
		"mfw -n -D -m 1 -r 10.0.0.1 8080",
		"mfw -n -D -m 2 -r 0 80",
		"mfw -n -D -m 2 -r 2001:db8::1",
		"mfw -n -E -m 3 -p 5",
		"mfw -n -E -m 1 -r 10.0.0.3 -p 5",
		"mfw -n -E -m 1 -r 10.0.0.1 81 -p 5",
		"mfw -n -S -m 3",
	};

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++)
		fails(lines[i]);
	fails("mfw -n -D -m 0x10");
	assert_contains(result.error.text, "mark 16");
}

static void edit_sets_the_preference_of_every_host_that_matches(void **state)
{
	static const struct {
		const char *line, *rules;
	} edits[] = {
		{"mfw -n -E -m 1 -r 10.0.0.1 80 -p 5",
		 "mfw -A -m 1 -r 10.0.0.1 80 -p 5\n" SECOND THIRD SIXTH},
		{"mfw -n -e -m 1 -r 10.0.0.2 -p 0",
		 FIRST "mfw -A -m 1 -r 10.0.0.2 8080 -p 0\n" THIRD SIXTH},
		{"mfw -n -E -m 1 -p 5",
		 "mfw -A -m 1 -r 10.0.0.1 80 -p 5\nmfw -A -m 1 -r 10.0.0.2 8080 -p 5\n" THIRD
		 "mfw -A -m 1 -r 2001:db8::1 80 -p 5\n"},
		{"mfw -n -E -m 1 -r 0 80 -p 5", "mfw -A -m 1 -r 10.0.0.1 80 -p 5\n" SECOND THIRD
						"mfw -A -m 1 -r 2001:db8::1 80 -p 5\n"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(edits); i++) {
		ok("mfw -F");
		add_four();
		ok(edits[i].line);
		assert_rules(edits[i].rules);
	}
}

static void edit_reloads_the_counter_even_with_the_same_preference(void **state)
{
	(void)state;
	ok("mfw -n -A -m 1 -r 10.0.0.1 -p 7");
	memory.rules[0]->redirect.targets[0].left = 3;
	ok("mfw -n -E -m 1 -p 7");
	assert_int_equal(result.n_pending, 1);
	assert_int_equal(memory.rules[0]->redirect.targets[0].left, 7);
}

static void edit_needs_a_preference(void **state)
{
	(void)state;
	add_four();
	wrong("mfw -n -E -m 1", "-p");
	wrong("mfw -n -E -m 1 -r 10.0.0.1", "-p");
	wrong("mfw -n -E -m 1 -p 65536", "'65536'");
}

static void schedule_sends_the_head_to_the_tail_with_its_counter_reloaded(void **state)
{
	(void)state;
	add_four();
	memory.rules[0]->redirect.targets[0].left = 3;
	ok("mfw -n -S -m 1");
	assert_rules(SECOND FIRST THIRD SIXTH);
	ok("mfw -n -L");
	assert_output_line(2, "1 10.0.0.1 80 10 10");
	ok("mfw -n -s -m 1");
	assert_rules(FIRST SECOND THIRD SIXTH);
}

static void schedule_takes_a_mark_and_no_more(void **state)
{
	(void)state;
	add_four();
	wrong("mfw -n -S", "-m");
	wrong("mfw -n -S -m 0", "'0'");
	wrong("mfw -n -S -m 1 -r 10.0.0.1", "-r does not go with -S");
	wrong("mfw -n -S -m 1 -p 5", "-p does not go with -S");
}

static void clear_removes_the_rules_of_mfw_and_of_nobody_else(void **state)
{
	(void)state;
	add_rule_of_portfw();
	ok("mfw -n -A -m 1 -r 10.0.0.1");
	ok("mfw -n -A -m 2 -r 2001:db8::1");
	ok("mfw -F");
	assert_only_rule_of_portfw();
	ok("mfw -f"); /* an empty table is cleared, too */
	assert_only_rule_of_portfw();
}

static void a_list_has_the_columns_of_the_original(void **state)
{
	static const char *const lines[] = {"mfw -L -n", "mfw -nL", "mfw -Ln", "mfw -l -n"};

	(void)state;
	add_four();
	memory.rules[0]->redirect.targets[0].left = 4;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok(lines[i]);
		assert_output_line(0, "fwmark rediraddr rport pcnt pref");
		assert_output_line(1, "1 10.0.0.1 80 4 10");
		assert_output_line(2, "1 10.0.0.2 8080 20 20");
		assert_output_line(3, "2 10.0.0.1 0 10 10");
		assert_output_line(4, "1 2001:db8::1 80 10 10");
		assert_output_line(5, "");
	}
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	add_four();
	ok("mfw -n -D -m 1 --dry-run");
	assert_int_equal(result.n_pending, 2);
	assert_rules(FIRST SECOND THIRD SIXTH);
}

static void a_wrong_word_is_named_with_exit_2_and_changes_nothing(void **state)
{
	static const struct {
		const char *words, *named;
	} wrongs[] = {
		{"-A -r 10.0.0.9 80", "-m"},
		{"-A -m 1", "-r"},
		{"-A -m -r 10.0.0.9 80", "-m needs MARK"},
		{"-A -m 1 -r", "-r needs"},
		{"-A -m 1 -r 10.0.0.9 65536", "'65536'"},
		{"-A -m 1 -r 10.0.0.9 80x", "'80x'"},
		{"-A -m 1 -r 10.0.0.9 http", "'http'"},
		{"-A -m 1 -r 10.0.0.9 -80", "'-80'"},
		{"-A -m 1 -r 10.0.0.9:80 81", "'81'"},
		{"-A -m 1 -r 10.0.0 80", "'10.0.0'"},
		{"-A -m 1 -r server 80", "'server'"},
		{"-A -m 1 -r 0 80", "'0'"},
		{"-A -m 1 -r :: 80", "'::'"},
		{"-A -m 1 -r 224.0.0.1 80", "'224.0.0.1'"},
		{"-A -m 1 -r '' 80", "''"},
		{"-A -m '' -r 10.0.0.9 80", "''"},
		{"-I -m 1 -r 10.0.0.9 80 81", "'81'"},
		{"-I -m 1", "-r"},
		{"-D", "-m"},
		{"-D -m 0", "'0'"},
		{"-D -m 1 -r 10.0.0.1 80x", "'80x'"},
		{"-D -m 1 -p 5", "-p does not go with -D"},
		{"-F -m 1", "-m does not go with -F"},
		{"-L -m 1", "-m does not go with -L"},
		{"-A -m 1 -m 2 -r 10.0.0.9", "-m is given twice"},
		{"-A -D -m 1", "multiple commands specified: -A and -D"},
		{"-E -S -m 1", "multiple commands specified: -E and -S"},
		{"-L -F", "multiple commands specified"},
		{"-A -I -m 1 -r 10.0.0.9", "multiple commands specified"},
		{"-F all", "'all'"},
		{"-A -x", "-x"},
		{"--all", "--all"},
		{"", "no command"},
		{"-m 1 -r 10.0.0.9 80", "no command"},
	};
	char line[COMMAND_LINE_MAX];

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(wrongs); i++) {
		snprintf(line, sizeof(line), "mfw -n %s", wrongs[i].words);
		wrong(line, wrongs[i].named);
	}
}

static void a_full_pool_fails_and_stays_as_it_is(void **state)
{
	char line[128];

	(void)state;
	for (unsigned int i = 1; i <= IPMASQ_TARGETS_MAX; i++) {
		snprintf(line, sizeof(line), "mfw -n -A -m 1 -r 10.0.0.1 %u", i);
		ok(line);
	}
	run("mfw -n -I -m 1 -r 10.0.0.1 2000");
	assert_int_equal(result.status, IPMASQ_FAILED);
	assert_int_equal(result.error.code, ENOSPC);
	assert_int_equal(memory.rules[0]->redirect.n_targets, IPMASQ_TARGETS_MAX);
}

static void formatted_lines_make_the_same_rules(void **state)
{
	(void)state;
	add_four();
	ok("mfw -n -I -m 1 -r 10.0.0.3 -p 0");
	ok("mfw -n -A -m 0xffffffff -r 2001:db8::2 65535 -p 65535");
	ok("mfw -n -S -m 1");
	assert_round_trip();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		GRAMMAR_TEST(add_makes_a_host_of_preference_10),
		GRAMMAR_TEST(add_has_many_ways_of_writing),
		GRAMMAR_TEST(a_mark_is_decimal_or_hexadecimal_of_32_bits),
		GRAMMAR_TEST(without_a_port_or_with_0_the_packet_keeps_its_own),
		GRAMMAR_TEST(add_appends_and_insert_puts_at_the_head),
		GRAMMAR_TEST(a_preference_is_0_to_65535),
		GRAMMAR_TEST(adding_a_host_that_is_there_sets_its_preference),
		GRAMMAR_TEST(delete_takes_every_host_that_matches),
		GRAMMAR_TEST(a_change_that_matches_nothing_fails),
		GRAMMAR_TEST(edit_sets_the_preference_of_every_host_that_matches),
		GRAMMAR_TEST(edit_reloads_the_counter_even_with_the_same_preference),
		GRAMMAR_TEST(edit_needs_a_preference),
		GRAMMAR_TEST(schedule_sends_the_head_to_the_tail_with_its_counter_reloaded),
		GRAMMAR_TEST(schedule_takes_a_mark_and_no_more),
		GRAMMAR_TEST(clear_removes_the_rules_of_mfw_and_of_nobody_else),
		GRAMMAR_TEST(a_list_has_the_columns_of_the_original),
		GRAMMAR_TEST(a_dry_run_changes_nothing),
		GRAMMAR_TEST(a_wrong_word_is_named_with_exit_2_and_changes_nothing),
		GRAMMAR_TEST(a_full_pool_fails_and_stays_as_it_is),
		GRAMMAR_TEST(formatted_lines_make_the_same_rules),
	};

	return cmocka_run_group_tests_name("mfw", tests, NULL, NULL);
}
