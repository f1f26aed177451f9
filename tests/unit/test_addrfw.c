// SPDX-License-Identifier: GPL-2.0-or-later
/* The grammar of addrfw, row by row, on an engine in memory: each entry is two rules of it. */
#include "grammar.h"

#include <errno.h>

#include "test.h"

#define ALL   "addrfw -A -L 192.0.2.1 -R 10.0.0.1\n"
#define GRE   "addrfw -A -L 192.0.2.1 -R 10.0.0.2 -P gre\n"
#define OTHER "addrfw -A -L 192.0.2.2 -R 10.0.0.3 -P 88\n"
#define SIXTH "addrfw -A -L 2001:db8::1 -R 2001:db8:1::1\n"

/* Four entries, in the order of listings. */
static void add_four(void)
{
	ok("addrfw -n -A -L 192.0.2.1 -R 10.0.0.1");
	ok("addrfw -n -A -L 192.0.2.1 -R 10.0.0.2 -P gre");
	ok("addrfw -n -A -L 192.0.2.2 -R 10.0.0.3 -P 88");
	ok("addrfw -n -A -L 2001:db8::1 -R 2001:db8:1::1");
	assert_rules(ALL GRE OTHER SIXTH);
	assert_int_equal(memory.n_rules, 8);
}

/* The rule of what the only entry's inside host sends. */
static const struct ipmasq_masq *outgoing(void)
{
	assert_int_equal(memory.n_rules, 2);
	for (size_t i = 0; i < 2; i++)
		if (memory.rules[i]->kind == IPMASQ_MASQ)
			return &memory.rules[i]->masq;
	fail_msg("there is no rule for what the inside host sends");
	return NULL;
}

static void add_makes_a_rule_for_each_way(void **state)
{
	(void)state;
	ok("addrfw -n -A -L 192.0.2.1 -R 10.0.0.1");
	assert_rules("addrfw -A -L 192.0.2.1 -R 10.0.0.1\n");
	assert_int_equal(outgoing()->source.address.bytes[3], 1);
	assert_int_equal(outgoing()->source.address.bytes[0], 10);
	assert_int_equal(outgoing()->source.bits, 32);
	assert_int_equal(outgoing()->alias.bytes[0], 192);
	assert_int_equal(outgoing()->protocol, 0);
	assert_string_equal(result.output, "");
}

static void add_has_many_ways_of_writing(void **state)
{
	static const char *const lines[] = {
		"addrfw -n -a -L 192.0.2.1 -R 10.0.0.2 -P gre",
		"addrfw -P GRE -R 10.0.0.2 -L 192.0.2.1 -A -n",
		"addrfw -nA -L192.0.2.1 -R10.0.0.2 -P47",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok("addrfw -F");
		ok(lines[i]);
		assert_rules(GRE);
		assert_int_equal(outgoing()->protocol, 47);
	}
}

static void an_ipv6_host_is_one_of_128_bits(void **state)
{
	(void)state;
	ok("addrfw -n -A -L 2001:db8::1 -R 2001:db8:1::1");
	assert_rules(SIXTH);
	assert_int_equal(outgoing()->source.bits, 128);
}

static void an_address_is_given_to_another_inside_host(void **state)
{
	(void)state;
	ok("addrfw -n -A -L 192.0.2.1 -R 10.0.0.1");
	ok("addrfw -n -A -L 192.0.2.1 -R 10.0.0.9");
	assert_rules("addrfw -A -L 192.0.2.1 -R 10.0.0.9\n");
	assert_int_equal(outgoing()->source.address.bytes[3], 9);
}

static void adding_an_entry_as_it_is_changes_nothing(void **state)
{
	uint32_t generation;

	(void)state;
	add_four();
	generation = memory.generation;
	ok("addrfw -n -A -L 192.0.2.1 -R 10.0.0.2 -P gre");
	assert_int_equal(result.n_pending, 0);
	assert_int_equal(memory.generation, generation);
}

static void a_second_public_address_of_an_inside_host_fails(void **state)
{
	(void)state;
	add_four();
	run("addrfw -n -A -L 192.0.2.9 -R 10.0.0.1");
	assert_int_equal(result.status, IPMASQ_FAILED);
	assert_int_equal(result.error.code, EEXIST);
	assert_int_equal(result.n_pending, 0);
	assert_contains(result.error.text, "10.0.0.1 has the public address 192.0.2.1");
	assert_rules(ALL GRE OTHER SIXTH);
}

static void delete_takes_every_entry_that_matches_with_both_its_rules(void **state)
{
	static const struct {
		const char *line, *left;
		size_t n_rules;
	} deletes[] = {
		{"addrfw -n -D -L 192.0.2.1", OTHER SIXTH, 4},
		{"addrfw -n -d -L 192.0.2.1 -R 10.0.0.1", GRE OTHER SIXTH, 6},
		{"addrfw -n -D -L 192.0.2.1 -P gre", ALL OTHER SIXTH, 6},
		{"addrfw -n -D -L 192.0.2.1 -R 10.0.0.2 -P 47", ALL OTHER SIXTH, 6},
		{"addrfw -n -D -L 192.0.2.2", ALL GRE SIXTH, 6},
		{"addrfw -n -D -L 2001:db8::1", ALL GRE OTHER, 6},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(deletes); i++) {
		ok("addrfw -F");
		add_four();
		ok(deletes[i].line);
		assert_rules(deletes[i].left);
		assert_int_equal(memory.n_rules, deletes[i].n_rules);
	}
}

static void a_delete_that_matches_nothing_fails(void **state)
{
	static const char *const lines[] = {
		"addrfw -n -D -L 192.0.2.3",
		"addrfw -n -D -L 192.0.2.1 -R 10.0.0.3",
		"addrfw -n -D -L 192.0.2.1 -R 10.0.0.1 -P gre",
		"addrfw -n -D -L 192.0.2.1 -P esp",
		"addrfw -n -D -L 2001:db8::2",
	};

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++)
		fails(lines[i]);
	fails("addrfw -n -D -L 192.0.2.9");
	assert_contains(result.error.text, "192.0.2.9");
}

static void clear_removes_the_rules_of_addrfw_and_of_nobody_else(void **state)
{
	(void)state;
	add_rule_of_portfw();
	ok("addrfw -n -A -L 192.0.2.1 -R 10.0.0.1");
	ok("addrfw -n -A -L 2001:db8::1 -R 2001:db8:1::1");
	ok("addrfw -F");
	assert_only_rule_of_portfw();
	ok("addrfw -f"); /* an empty table is cleared, too */
	assert_only_rule_of_portfw();
}

static void a_list_has_one_row_for_each_entry(void **state)
{
	static const char *const lines[] = {"addrfw -L -n", "addrfw -nL", "addrfw -Ln",
					    "addrfw -n -l"};

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok(lines[i]);
		assert_output_line(0, "prot publicaddr insideaddr");
		assert_output_line(1, "all 192.0.2.1 10.0.0.1");
		assert_output_line(2, "gre 192.0.2.1 10.0.0.2");
		assert_output_line(3, "88 192.0.2.2 10.0.0.3");
		assert_output_line(4, "all 2001:db8::1 2001:db8:1::1");
		assert_output_line(5, "");
	}
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	add_four();
	ok("addrfw -n -D -L 192.0.2.2 --dry-run");
	assert_int_equal(result.n_pending, 2);
	assert_rules(ALL GRE OTHER SIXTH);
}

static void a_wrong_word_is_named_with_exit_2_and_changes_nothing(void **state)
{
	static const struct {
		const char *words, *named;
	} wrongs[] = {
		{"-A", "-L"},
		{"-A -R 10.0.0.9", "-L"},
		{"-A -L 192.0.2.9", "-R"},
		{"-A -L 192.0.2.9 -R", "-R needs INSIDE"},
		{"-A -L 192.0.2 -R 10.0.0.9", "'192.0.2'"},
		{"-A -L public -R 10.0.0.9", "'public'"},
		{"-A -L '' -R 10.0.0.9", "''"},
		{"-A -L 0.0.0.0 -R 10.0.0.9", "'0.0.0.0'"},
		{"-A -L :: -R 2001:db8::9", "'::'"},
		{"-A -L 192.0.2.9 -R 10.0.0.256", "'10.0.0.256'"},
		{"-A -L 192.0.2.9 -R 0", "'0'"},
		{"-A -L 192.0.2.9 -R 192.0.2.9", "'192.0.2.9'"},
		{"-A -L 192.0.2.9 -R 2001:db8::9", "'2001:db8::9'"},
		{"-A -L 2001:db8::9 -R 10.0.0.9", "'10.0.0.9'"},
		{"-A -L 192.0.2.9 -R 10.0.0.9 -P 0", "'0'"},
		{"-A -L 192.0.2.9 -R 10.0.0.9 -P 256", "'256'"},
		{"-A -L 192.0.2.9 -R 10.0.0.9 -P nothing", "'nothing'"},
		{"-A -L 192.0.2.9 -R 10.0.0.9 -P ''", "''"},
		{"-A -L 192.0.2.9 -R 10.0.0.9 -P", "-P needs PROTO"},
		{"-A -L 192.0.2.9 80 -R 10.0.0.9", "'80'"},
		{"-A -L 192.0.2.9 -L 192.0.2.8 -R 10.0.0.9", "-L is given twice"},
		{"-D", "-L"},
		{"-D -R 10.0.0.1", "-L"},
		{"-D -L 0", "'0'"},
		{"-D -L 192.0.2.1 -R 0", "'0'"},
		{"-D -L 192.0.2.1 -P nothing", "'nothing'"},
		{"-F -L 192.0.2.1", "-L does not go with -F"},
		{"-F -P gre", "-P does not go with -F"},
		{"-l -L 192.0.2.1", "-L does not go with -l"},
		{"-A -D -L 192.0.2.1", "multiple commands specified: -A and -D"},
		{"-L -F", "multiple commands specified: -L and -F"},
		{"-F all", "'all'"},
		{"-A -x", "-x"},
		{"--all", "--all"},
		{"", "no command"},
		{"-L 192.0.2.1", "no command"},
	};
	char line[COMMAND_LINE_MAX];

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(wrongs); i++) {
		snprintf(line, sizeof(line), "addrfw -n %s", wrongs[i].words);
		wrong(line, wrongs[i].named);
	}
}

static void formatted_lines_make_the_same_rules(void **state)
{
	(void)state;
	add_four();
	ok("addrfw -n -A -L 192.0.2.1 -R 10.0.0.1 -P 255");
	ok("addrfw -n -A -L 2001:db8::1 -R 2001:db8:1::1 -P esp");
	assert_round_trip();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		GRAMMAR_TEST(add_makes_a_rule_for_each_way),
		GRAMMAR_TEST(add_has_many_ways_of_writing),
		GRAMMAR_TEST(an_ipv6_host_is_one_of_128_bits),
		GRAMMAR_TEST(an_address_is_given_to_another_inside_host),
		GRAMMAR_TEST(adding_an_entry_as_it_is_changes_nothing),
		GRAMMAR_TEST(a_second_public_address_of_an_inside_host_fails),
		GRAMMAR_TEST(delete_takes_every_entry_that_matches_with_both_its_rules),
		GRAMMAR_TEST(a_delete_that_matches_nothing_fails),
		GRAMMAR_TEST(clear_removes_the_rules_of_addrfw_and_of_nobody_else),
		GRAMMAR_TEST(a_list_has_one_row_for_each_entry),
		GRAMMAR_TEST(a_dry_run_changes_nothing),
		GRAMMAR_TEST(a_wrong_word_is_named_with_exit_2_and_changes_nothing),
		GRAMMAR_TEST(formatted_lines_make_the_same_rules),
	};

	return cmocka_run_group_tests_name("addrfw", tests, NULL, NULL);
}
