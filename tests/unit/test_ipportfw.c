// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grammar of ipportfw, row by row, on an engine in memory.  It hands on to portfw, which is
 * linked in under another name.
 */
#include "grammar.h"

#include "test.h"

#define HEADING "Prot Local Addr/Port > Remote Addr/Port\n"

static void assert_list(const char *rows)
{
	char text[512];

	snprintf(text, sizeof(text), HEADING "%s", rows);
	ok("ipportfw -L");
	assert_string_equal(result.output, text);
}

static void the_lines_of_the_manual_of_1997_work(void **state)
{
	(void)state;
	ok("ipportfw -C");
	ok("ipportfw -A -t194.160.1.1/80 -R 10.0.0.2/80");
	ok("ipportfw -A -u194.160.1.1/525 -R 10.0.0.2/525");
	assert_list("TCP 194.160.1.1/80 > 10.0.0.2/80\nUDP 194.160.1.1/525 > 10.0.0.2/525\n");
}

static void a_value_may_be_glued_or_not(void **state)
{
	static const char *const lines[] = {
		"ipportfw -A -t 192.0.2.1/80 -R 10.0.0.2/81",
		"ipportfw -A -t192.0.2.1/80 -R10.0.0.2/81",
		"ipportfw -A -R 10.0.0.2:81 -t 192.0.2.1:80",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok(lines[i]);
		assert_list("TCP 192.0.2.1/80 > 10.0.0.2/81\n");
		ok("ipportfw -C");
	}
}

static void its_forwards_are_those_of_portfw(void **state)
{
	(void)state;
	add_rule_of_portfw();
	assert_list("TCP 192.0.2.1/80 > 10.0.0.1/80\n");
	ok("ipportfw -A -t 192.0.2.1/80 -R 10.0.0.2/80");
	assert_only_rule_of_portfw();
	assert_int_equal(memory.rules[0]->redirect.n_targets, 2);
	assert_int_equal(memory.rules[0]->redirect.targets[0].weight, IPMASQ_WEIGHT_DEFAULT);
	ok("ipportfw -C");
	assert_int_equal(memory.n_rules, 0);
}

static void several_hosts_share_a_port(void **state)
{
	(void)state;
	ok("ipportfw -A -u 192.0.2.1/53 -R 10.0.0.2/53");
	ok("ipportfw -A -u 192.0.2.1/53 -R 10.0.0.3/53");
	assert_list("UDP 192.0.2.1/53 > 10.0.0.3/53\nUDP 192.0.2.1/53 > 10.0.0.2/53\n");
}

static void delete_takes_all_hosts_of_a_port(void **state)
{
	(void)state;
	ok("ipportfw -A -u 192.0.2.1/53 -R 10.0.0.2/53");
	ok("ipportfw -A -u 192.0.2.1/53 -R 10.0.0.3/53");
	ok("ipportfw -A -t 192.0.2.1/53 -R 10.0.0.3/53");
	ok("ipportfw -D -u 192.0.2.1/53");
	assert_list("TCP 192.0.2.1/53 > 10.0.0.3/53\n");
	run("ipportfw -D -u 192.0.2.1/53");
	assert_int_equal(result.status, IPMASQ_FAILED);
	assert_contains(result.error.text, "192.0.2.1 port 53");
}

static void ipv6_is_written_in_brackets(void **state)
{
	(void)state;
	ok("ipportfw -A -t [2001:db8::1]/80 -R [fd00::11]/80");
	assert_list("TCP 2001:db8::1/80 > fd00::11/80\n");
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	ok("ipportfw -A -t 192.0.2.1/80 -R 10.0.0.2/80 --dry-run");
	assert_int_equal(result.n_pending, 1);
	assert_int_equal(memory.n_rules, 0);
}

static void a_wrong_word_is_named_with_exit_2_and_changes_nothing(void **state)
{
	static const struct {
		const char *words, *named;
	} wrongs[] = {
		{"ipportfw", "-A, -D, -C, -L"},
		{"ipportfw -A", "-t or -u"},
		{"ipportfw -A -R 10.0.0.2/80", "-t or -u"},
		{"ipportfw -A -t 192.0.2.1/80", "-R with"},
		{"ipportfw -A -t 192.0.2.1/80 -u 192.0.2.1/80 -R 10.0.0.2/80", "exclude"},
		{"ipportfw -A -t 192.0.2.1/80x -R 10.0.0.2/80", "80x"},
		{"ipportfw -A -t 192.0.2.1/0 -R 10.0.0.2/80", "'0'"},
		{"ipportfw -A -t 192.0.2.1/65536 -R 10.0.0.2/80", "65536"},
		{"ipportfw -A -t 192.0.2.1 -R 10.0.0.2/80", "192.0.2.1"},
		{"ipportfw -A -t 192.0.2.1/80 -R 10.0.0.2", "10.0.0.2"},
		{"ipportfw -n -A -t 192.0.2/80 -R 10.0.0.2/80", "192.0.2"},
		{"ipportfw -A -t 192.0.2.1/80 -R 10.0.0.2/80 more", "'more'"},
		{"ipportfw -A -D -t 192.0.2.1/80", "multiple commands"},
		{"ipportfw -D -t 192.0.2.1/80 -R 10.0.0.2/80", "-R does not go with -D"},
		{"ipportfw -L -t 192.0.2.1/80", "-t does not go with -L"},
		{"ipportfw -C -R 10.0.0.2/80", "-R does not go with -C"},
		{"ipportfw -F", "-F"},
		{"ipportfw -A -t", "-t needs"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(wrongs); i++)
		wrong(wrongs[i].words, wrongs[i].named);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		GRAMMAR_TEST(the_lines_of_the_manual_of_1997_work),
		GRAMMAR_TEST(a_value_may_be_glued_or_not),
		GRAMMAR_TEST(its_forwards_are_those_of_portfw),
		GRAMMAR_TEST(several_hosts_share_a_port),
		GRAMMAR_TEST(delete_takes_all_hosts_of_a_port),
		GRAMMAR_TEST(ipv6_is_written_in_brackets),
		GRAMMAR_TEST(a_dry_run_changes_nothing),
		GRAMMAR_TEST(a_wrong_word_is_named_with_exit_2_and_changes_nothing),
	};

	return cmocka_run_group_tests_name("ipportfw", tests, NULL, NULL);
}
