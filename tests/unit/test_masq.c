// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grammar of masq, row by row, on an engine in memory.  The connections that -C lists and
 * the time-outs that -T sets are the kernel's: of these only the words are tested here.
 */
#include "grammar.h"

#include "test.h"

#define NET   "masq -A -S 10.0.0.0/8\n"
#define IFACE "masq -A -S 10.0.0.0/8 -o eth0\n"
#define GIVEN "masq -A -S 192.168.1.0/24 -M 192.0.2.1\n"
#define SIXTH "masq -A -S 2001:db8::/64 -o ppp0 -M 2001:db8:1::1\n"

/* Four rules in the order of listings. */
static void add_four(void)
{
	ok("masq -n -A -S 10.0.0.0/8");
	ok("masq -n -A -S 10.0.0.0/8 -o eth0");
	ok("masq -n -A -S 192.168.1.0/24 -M 192.0.2.1");
	ok("masq -n -A -S 2001:db8::/64 -o ppp0 -M 2001:db8:1::1");
	assert_rules(NET IFACE GIVEN SIXTH);
}

static void add_makes_a_rule_of_a_net(void **state)
{
	(void)state;
	ok("masq -n -A -S 10.0.0.0/8");
	assert_rules("masq -A -S 10.0.0.0/8\n");
	assert_int_equal(memory.rules[0]->kind, IPMASQ_MASQ);
	assert_string_equal(result.output, "");
}

static void add_has_many_ways_of_writing(void **state)
{
	static const char *const lines[] = {
		"masq -n -a -s 192.168.1.0/24 -m 192.0.2.1",
		"masq -A -n -M 192.0.2.1 -S 192.168.1.0/24",
		"masq -nA -S192.168.1.0/24 -M192.0.2.1",
		"masq -n -A -S 192.168.1.77/24 -M 192.0.2.1",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok("masq -F");
		ok(lines[i]);
		assert_rules(GIVEN);
	}
}

static void a_net_has_0_bits_to_all_of_them(void **state)
{
	(void)state;
	ok("masq -n -A -S 0.0.0.0/0");
	ok("masq -n -A -S 10.0.0.1");
	ok("masq -n -A -S 10.0.0.2/32");
	ok("masq -n -A -S ::/0");
	ok("masq -n -A -S 2001:db8::1");
	assert_rules("masq -A -S 0.0.0.0/0\nmasq -A -S 10.0.0.1/32\nmasq -A -S 10.0.0.2/32\n"
		     "masq -A -S ::/0\nmasq -A -S 2001:db8::1/128\n");
}

static void adding_a_rule_that_is_there_sets_its_address(void **state)
{
	(void)state;
	ok("masq -n -A -S 10.0.0.0/8");
	ok("masq -n -A -S 10.0.0.0/8 -M 192.0.2.1");
	assert_rules("masq -A -S 10.0.0.0/8 -M 192.0.2.1\n");
	ok("masq -n -A -S 10.0.0.0/8 -M 192.0.2.2");
	assert_rules("masq -A -S 10.0.0.0/8 -M 192.0.2.2\n");
	ok("masq -n -A -S 10.0.0.0/8 -M 0.0.0.0");
	assert_rules(NET);
}

static void adding_a_rule_as_it_is_changes_nothing(void **state)
{
	uint32_t generation;

	(void)state;
	add_four();
	generation = memory.generation;
	ok("masq -n -A -S 192.168.1.0/24 -M 192.0.2.1");
	assert_int_equal(result.n_pending, 0);
	assert_int_equal(memory.generation, generation);
}

static void delete_takes_the_rule_of_this_net_and_interface(void **state)
{
	static const struct {
		const char *line, *left;
	} deletes[] = {
		{"masq -n -D -S 10.0.0.0/8", IFACE GIVEN SIXTH},
		{"masq -n -d -s 10.1.2.3/8", IFACE GIVEN SIXTH},
		{"masq -n -D -S 10.0.0.0/8 -o eth0", NET GIVEN SIXTH},
		{"masq -n -D -S 192.168.1.0/24", NET IFACE SIXTH},
		{"masq -n -D -S 192.168.1.0/24 -M 192.0.2.1", NET IFACE SIXTH},
		{"masq -n -D -S 2001:db8::/64 -o ppp0", NET IFACE GIVEN},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(deletes); i++) {
		ok("masq -F");
		add_four();
		ok(deletes[i].line);
		assert_rules(deletes[i].left);
	}
}

static void a_delete_that_matches_nothing_fails(void **state)
{
	static const char *const lines[] = {
		"masq -n -D -S 10.0.0.0/9",
		"masq -n -D -S 11.0.0.0/8",
		"masq -n -D -S 10.0.0.0/8 -o eth1",
		"masq -n -D -S 192.168.1.0/24 -o eth0",
		"masq -n -D -S 192.168.1.0/24 -M 192.0.2.2",
		"masq -n -D -S 10.0.0.0/8 -M 192.0.2.1",
		"masq -n -D -S 2001:db8::/64",
	};

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++)
		fails(lines[i]);
	fails("masq -n -D -S 10.2.3.4/16 -o eth0");
	assert_contains(result.error.text, "`masq -A -S 10.2.0.0/16 -o eth0`");
}

static void clear_removes_the_rules_of_masq_and_of_nobody_else(void **state)
{
	(void)state;
	add_rule_of_portfw();
	ok("masq -n -A -S 10.0.0.0/8");
	ok("masq -n -A -S 2001:db8::/64 -o ppp0");
	ok("masq -F");
	assert_only_rule_of_portfw();
	ok("masq -f"); /* an empty table is cleared, too */
	assert_only_rule_of_portfw();
}

static void a_list_has_a_row_for_each_rule(void **state)
{
	static const char *const lines[] = {"masq -L -n", "masq -nL", "masq -Ln", "masq -l -n"};

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok(lines[i]);
		assert_output_line(0, "net interface alias");
		assert_output_line(1, "10.0.0.0/8 any interface");
		assert_output_line(2, "10.0.0.0/8 eth0 interface");
		assert_output_line(3, "192.168.1.0/24 any 192.0.2.1");
		assert_output_line(4, "2001:db8::/64 ppp0 2001:db8:1::1");
		assert_output_line(5, "");
	}
}

static void an_interface_has_1_to_15_letters(void **state)
{
	(void)state;
	ok("masq -n -A -S 10.0.0.0/8 -o abcdefghijklmno");
	assert_rules("masq -A -S 10.0.0.0/8 -o abcdefghijklmno\n");
	wrong("masq -n -A -S 10.0.0.0/8 -o abcdefghijklmnop", "'abcdefghijklmnop'");
	wrong("masq -n -A -S 10.0.0.0/8 -o ''", "''");
	wrong("masq -n -A -S 10.0.0.0/8 -o eth/0", "'eth/0'");
	wrong("masq -n -A -S 10.0.0.0/8 -o #eth0", "'#eth0'");
	wrong("masq -n -A -S 10.0.0.0/8 -o", "-o needs IFACE");
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	add_four();
	ok("masq -n -D -S 10.0.0.0/8 --dry-run");
	assert_int_equal(result.n_pending, 1);
	assert_rules(NET IFACE GIVEN SIXTH);
}

static void a_dry_run_of_timeouts_says_what_would_be_set(void **state)
{
	(void)state;
	ok("masq -T 7200 0 0x3c --dry-run");
	assert_string_equal(result.output, "+ masq -T 7200 0 60\n");
}

static void a_wrong_timeout_is_named(void **state)
{
	(void)state;
	wrong("masq -T", "-T needs TCP TCPFIN UDP");
	wrong("masq -T 7200 120 --dry-run", "-T needs TCP TCPFIN UDP");
	wrong("masq -T 7200 120 60 30 --dry-run", "'30'");
	wrong("masq -T x 120 60 --dry-run", "TCP time-out 'x'");
	wrong("masq -T 7200 -1 60 --dry-run", "TCPFIN time-out '-1'");
	wrong("masq -T 7200 120 60s --dry-run", "UDP time-out '60s'");
	wrong("masq -T 7200 120 2147484 --dry-run", "UDP time-out '2147484'");
	wrong("masq -T 7200 120 60 -S 10.0.0.0/8 --dry-run", "-S does not go with -T");
}

static void a_wrong_word_of_a_list_of_connections_is_named(void **state)
{
	(void)state;
	wrong("masq -n -C -p 0", "'0'");
	wrong("masq -n -C -p 65536", "'65536'");
	wrong("masq -n -c -p http", "'http'");
	wrong("masq -n -C -S 10.0.0.0/33", "'10.0.0.0/33'");
	wrong("masq -n -C -S inside", "'inside'");
	wrong("masq -n -C -o eth0", "-o does not go with -C");
	wrong("masq -n -C -M 192.0.2.1", "-M does not go with -C");
}

static void a_wrong_word_is_named_with_exit_2_and_changes_nothing(void **state)
{
	static const struct {
		const char *words, *named;
	} wrongs[] = {
		{"-A", "-S"},
		{"-A -o eth0", "-S"},
		{"-A -S", "-S needs NET"},
		{"-A -S 10.0.0.0/33", "'10.0.0.0/33'"},
		{"-A -S 10.0.0.0/", "'10.0.0.0/'"},
		{"-A -S 10.0.0.0/8x", "'10.0.0.0/8x'"},
		{"-A -S 10.0.0.0/-8", "'10.0.0.0/-8'"},
		{"-A -S 10.0.0/8", "'10.0.0'"},
		{"-A -S 10.0.0.256/8", "'10.0.0.256'"},
		{"-A -S 2001:db8::/129", "'2001:db8::/129'"},
		{"-A -S inside/8", "'inside'"},
		{"-A -S ''", "''"},
		{"-A -S 11.0.0.0/8 -M 192.0.2", "'192.0.2'"},
		{"-A -S 11.0.0.0/8 -M public", "'public'"},
		{"-A -S 11.0.0.0/8 -M ''", "''"},
		{"-A -S 11.0.0.0/8 -M", "-M needs ADDR"},
		{"-A -S 11.0.0.0/8 -M 2001:db8::1", "'2001:db8::1'"},
		{"-A -S 2001:db8::/64 -M 192.0.2.1", "'192.0.2.1'"},
		{"-A -S 11.0.0.0/8 12.0.0.0/8", "'12.0.0.0/8'"},
		{"-A -S 11.0.0.0/8 -S 12.0.0.0/8", "-S is given twice"},
		{"-A -S 11.0.0.0/8 -p 80", "-p does not go with -A"},
		{"-D", "-S"},
		{"-D -S 10.0.0.0/33", "'10.0.0.0/33'"},
		{"-D -S 10.0.0.0/8 -M public", "'public'"},
		{"-F -S 10.0.0.0/8", "-S does not go with -F"},
		{"-L -o eth0", "-o does not go with -L"},
		{"-A -D -S 10.0.0.0/8", "multiple commands specified: -A and -D"},
		{"-L -C", "multiple commands specified: -L and -C"},
		{"-F -T 1 2 3", "multiple commands specified: -F and -T"},
		{"-F all", "'all'"},
		{"-A -x", "-x"},
		{"--all", "--all"},
		{"", "no command"},
		{"-S 10.0.0.0/8", "no command"},
	};
	char line[COMMAND_LINE_MAX];

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(wrongs); i++) {
		snprintf(line, sizeof(line), "masq -n %s", wrongs[i].words);
		wrong(line, wrongs[i].named);
	}
}

static void formatted_lines_make_the_same_rules(void **state)
{
	(void)state;
	add_four();
	ok("masq -n -A -S 0.0.0.0/0 -o abcdefghijklmno -M 203.0.113.9");
	ok("masq -n -A -S ::/0");
	ok("masq -n -A -S 10.0.0.1");
	assert_round_trip();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		GRAMMAR_TEST(add_makes_a_rule_of_a_net),
		GRAMMAR_TEST(add_has_many_ways_of_writing),
		GRAMMAR_TEST(a_net_has_0_bits_to_all_of_them),
		GRAMMAR_TEST(adding_a_rule_that_is_there_sets_its_address),
		GRAMMAR_TEST(adding_a_rule_as_it_is_changes_nothing),
		GRAMMAR_TEST(delete_takes_the_rule_of_this_net_and_interface),
		GRAMMAR_TEST(a_delete_that_matches_nothing_fails),
		GRAMMAR_TEST(clear_removes_the_rules_of_masq_and_of_nobody_else),
		GRAMMAR_TEST(a_list_has_a_row_for_each_rule),
		GRAMMAR_TEST(an_interface_has_1_to_15_letters),
		GRAMMAR_TEST(a_dry_run_changes_nothing),
		GRAMMAR_TEST(a_dry_run_of_timeouts_says_what_would_be_set),
		GRAMMAR_TEST(a_wrong_timeout_is_named),
		GRAMMAR_TEST(a_wrong_word_of_a_list_of_connections_is_named),
		GRAMMAR_TEST(a_wrong_word_is_named_with_exit_2_and_changes_nothing),
		GRAMMAR_TEST(formatted_lines_make_the_same_rules),
	};

	return cmocka_run_group_tests_name("masq", tests, NULL, NULL);
}
