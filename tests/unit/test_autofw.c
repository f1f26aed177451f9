// SPDX-License-Identifier: GPL-2.0-or-later
/* The grammar of autofw, row by row, on an engine in memory. */
#include "grammar.h"

#include "test.h"

#define PORT    "autofw -A -p udp 53 10.0.0.2:5353\n"
#define RANGE   "autofw -A -r tcp 2000 2010 -h 10.0.0.1\n"
#define TRIGGER "autofw -A -r udp 6970 7170 -c tcp 7070\n"
#define KEEP    "autofw -A -d udp 4000 4010\n"

/* One rule of each kind, in the order of listings. */
static void add_four(void)
{
	ok("autofw -n -A -d udp 4000 4010");
	ok("autofw -n -A -r udp 6970 7170 -c tcp 7070");
	ok("autofw -n -A -p udp 53 10.0.0.2:5353");
	ok("autofw -n -A -r tcp 2000 2010 -h 10.0.0.1");
	assert_rules(PORT RANGE TRIGGER KEEP);
}

static void a_range_goes_to_an_inside_host_and_ports_keep_their_number(void **state)
{
	const struct ipmasq_redirect *redirect;

	(void)state;
	ok("autofw -n -A -r tcp 2000 2010 -h 10.0.0.1");
	assert_rules("autofw -A -r tcp 2000 2010 -h 10.0.0.1\n");
	redirect = &memory.rules[0]->redirect;
	assert_int_equal(memory.rules[0]->kind, IPMASQ_REDIRECT);
	assert_int_equal(redirect->match.ports.low, 2000);
	assert_int_equal(redirect->match.ports.high, 2010);
	assert_int_equal(redirect->targets[0].port, 0);
	assert_string_equal(result.output, "");
}

static void the_options_have_any_order_and_a_protocol_its_letter(void **state)
{
	static const char *const lines[] = {
		"autofw -A -n -h 10.0.0.1 -r tcp 2000 2010",
		"autofw -r t 2000 2010 -h 10.0.0.1 -n -A",
		"autofw -nA -rTCP 2000 2010 -h10.0.0.1",
		"autofw -n -A -r 6 2000 2010 -h 10.0.0.1",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok("autofw -F");
		ok(lines[i]);
		assert_rules(RANGE);
	}
}

static void a_control_connection_opens_a_range(void **state)
{
	const struct ipmasq_trigger *trigger;

	(void)state;
	ok("autofw -n -A -r udp 6970 7170 -c tcp 7070");
	assert_rules("autofw -A -r udp 6970 7170 -c tcp 7070\n");
	trigger = &memory.rules[0]->trigger;
	assert_int_equal(memory.rules[0]->kind, IPMASQ_TRIGGER);
	assert_int_equal(trigger->control_port, 7070);
	assert_int_equal(trigger->ports.low, 6970);
	assert_int_equal(trigger->ports.high, 7170);
	assert_false(trigger->permanent);
	assert_false(trigger->insecure);
}

static void u_makes_a_permission_last_and_i_opens_it_to_everybody(void **state)
{
	(void)state;
	ok("autofw -n -A -r udp 6970 7170 -c tcp 7070 -u");
	assert_true(memory.rules[0]->trigger.permanent);
	assert_false(memory.rules[0]->trigger.insecure);
	ok("autofw -n -A -r udp 6970 7170 -c tcp 7070 -i");
	assert_false(memory.rules[0]->trigger.permanent);
	assert_true(memory.rules[0]->trigger.insecure);
	ok("autofw -n -A -iu -r udp 6970 7170 -c tcp 7070");
	assert_rules("autofw -A -r udp 6970 7170 -c tcp 7070 -u -i\n");
	ok("autofw -n -A -r udp 6970 7170 -c tcp 7070");
	assert_rules("autofw -A -r udp 6970 7170 -c tcp 7070\n");
}

static void connections_to_a_range_keep_their_source_port(void **state)
{
	(void)state;
	ok("autofw -n -A -d udp 4000 4010");
	assert_rules("autofw -A -d udp 4000 4010\n");
	assert_int_equal(memory.rules[0]->kind, IPMASQ_PIN);
}

static void one_visible_port_goes_to_a_hidden_one(void **state)
{
	(void)state;
	ok("autofw -n -A -p tcp 8080 10.0.0.1:80");
	assert_rules("autofw -A -p tcp 8080 10.0.0.1:80\n");
	assert_int_equal(memory.rules[0]->redirect.targets[0].port, 80);
	ok("autofw -n -A -p tcp 8080 [2001:db8::1]:80");
	assert_rules("autofw -A -p tcp 8080 10.0.0.1:80\n"
		     "autofw -A -p tcp 8080 [2001:db8::1]:80\n");
}

static void a_range_of_one_port_is_that_port(void **state)
{
	(void)state;
	ok("autofw -n -A -r tcp 80 80 -h 10.0.0.1");
	assert_rules("autofw -A -p tcp 80 10.0.0.1:80\n");
	ok("autofw -n -A -p tcp 80 10.0.0.2:81");
	assert_rules("autofw -A -p tcp 80 10.0.0.2:81\n");
	ok("autofw -n -A -r tcp 80 80 -h 10.0.0.1");
	ok("autofw -n -D -p tcp 80 10.0.0.1:80");
	assert_rules("");
}

static void a_range_goes_to_one_host_the_last_one(void **state)
{
	(void)state;
	ok("autofw -n -A -r tcp 2000 2010 -h 10.0.0.9");
	ok("autofw -n -A -r tcp 2000 2010 -h 10.0.0.1");
	assert_rules(RANGE);
}

static void adding_a_rule_as_it_is_changes_nothing(void **state)
{
	static const char *const lines[] = {
		"autofw -n -A -d udp 4000 4010",
		"autofw -n -A -r udp 6970 7170 -c tcp 7070",
		"autofw -n -A -p udp 53 10.0.0.2:5353",
		"autofw -n -A -r tcp 2000 2010 -h 10.0.0.1",
	};
	uint32_t generation;

	(void)state;
	add_four();
	generation = memory.generation;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok(lines[i]);
		assert_int_equal(result.n_pending, 0);
	}
	assert_int_equal(memory.generation, generation);
}

static void the_last_port_is_65535_and_the_first_is_1(void **state)
{
	(void)state;
	ok("autofw -n -A -r tcp 1 65535 -h 10.0.0.1");
	ok("autofw -n -A -p udp 65535 10.0.0.1:1");
	assert_rules("autofw -A -p udp 65535 10.0.0.1:1\n"
		     "autofw -A -r tcp 1 65535 -h 10.0.0.1\n");
}

static void delete_takes_the_rule_whose_words_are_all_the_same(void **state)
{
	static const struct {
		const char *line, *left;
	} deletes[] = {
		{"autofw -n -D -r tcp 2000 2010 -h 10.0.0.1", PORT TRIGGER KEEP},
		{"autofw -n -D -p udp 53 10.0.0.2:5353", RANGE TRIGGER KEEP},
		{"autofw -n -D -r udp 6970 7170 -c tcp 7070", PORT RANGE KEEP},
		{"autofw -n -D -d udp 4000 4010", PORT RANGE TRIGGER},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(deletes); i++) {
		ok("autofw -F");
		add_four();
		ok(deletes[i].line);
		assert_rules(deletes[i].left);
	}
}

static void a_delete_with_one_word_that_differs_fails(void **state)
{
	static const char *const lines[] = {
		"autofw -n -D -r udp 2000 2010 -h 10.0.0.1",
		"autofw -n -D -r tcp 2001 2010 -h 10.0.0.1",
		"autofw -n -D -r tcp 2000 2009 -h 10.0.0.1",
		"autofw -n -D -r tcp 2000 2010 -h 10.0.0.2",
		"autofw -n -D -r tcp 2000 2010 -h 2001:db8::1",
		"autofw -n -D -p tcp 53 10.0.0.2:5353",
		"autofw -n -D -p udp 54 10.0.0.2:5353",
		"autofw -n -D -p udp 53 10.0.0.3:5353",
		"autofw -n -D -p udp 53 10.0.0.2:53",
		"autofw -n -D -r udp 6970 7170 -c udp 7070",
		"autofw -n -D -r udp 6970 7170 -c tcp 7071",
		"autofw -n -D -r udp 6970 7170 -c tcp 7070 -u",
		"autofw -n -D -r udp 6970 7170 -c tcp 7070 -i",
		"autofw -n -D -d tcp 4000 4010",
		"autofw -n -D -d udp 4000 4011",
	};

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++)
		fails(lines[i]);
}

static void clear_removes_the_rules_of_autofw_and_of_nobody_else(void **state)
{
	(void)state;
	add_rule_of_portfw();
	ok("autofw -n -A -r tcp 2000 2010 -h 10.0.0.1");
	ok("autofw -n -A -r udp 6970 7170 -c tcp 7070");
	ok("autofw -n -A -d udp 4000 4010");
	ok("autofw -F");
	assert_only_rule_of_portfw();
	ok("autofw -F"); /* an empty table is cleared, too */
	assert_only_rule_of_portfw();
}

static void clear_and_list_take_no_options(void **state)
{
	(void)state;
	add_four();
	wrong("autofw -F -r tcp 2000 2010", "-r does not go with -F");
	wrong("autofw -F -u", "-u does not go with -F");
	wrong("autofw -F -h 10.0.0.1", "-h does not go with -F");
	wrong("autofw -L -d udp 4000 4010", "-d does not go with -L");
	wrong("autofw -F all", "'all'");
}

static void a_list_has_a_row_for_each_rule(void **state)
{
	static const char *const lines[] = {"autofw -L -n", "autofw -nL", "autofw -Ln"};

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok(lines[i]);
		assert_output_line(0, "type prot low high inside port control remote expire");
		assert_output_line(1, "port udp 53 53 10.0.0.2 5353 - any 0");
		assert_output_line(2, "range tcp 2000 2010 10.0.0.1 0 - any 0");
		assert_output_line(3, "trigger udp 6970 7170 - 0 tcp/7070 - 0");
		assert_output_line(4, "keep udp 4000 4010 - 0 - - 0");
		assert_output_line(5, "");
	}
}

static void verbose_says_what_is_done(void **state)
{
	(void)state;
	ok("autofw -n -v -A -r tcp 2000 2010 -h 10.0.0.1");
	assert_string_equal(result.output, RANGE);
	ok("autofw -n -v -D -r tcp 2000 2010 -h 10.0.0.1");
	assert_string_equal(result.output, "deleted\n");
}

static void h_alone_is_help(void **state)
{
	(void)state;
	add_four();
	ok("autofw -h");
	assert_contains(result.output, "autofw -A -r PROTO LOW HIGH -h HOST");
	assert_rules(PORT RANGE TRIGGER KEEP);
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	add_four();
	ok("autofw -n -D -d udp 4000 4010 --dry-run");
	assert_int_equal(result.n_pending, 1);
	assert_rules(PORT RANGE TRIGGER KEEP);
}

static void contradictory_options_are_named(void **state)
{
	(void)state;
	add_four();
	wrong("autofw -n -A -r tcp 1 2 -d tcp 1 2", "-r and -d exclude one another");
	wrong("autofw -n -A -r tcp 1 2 -h 10.0.0.1 -p tcp 1 10.0.0.1:1",
	      "-r and -p exclude one another");
	wrong("autofw -n -A -d tcp 1 2 -p tcp 1 10.0.0.1:1", "-d and -p exclude one another");
	wrong("autofw -n -A -r tcp 1 2 -h 10.0.0.1 -c tcp 3", "-h and -c exclude one another");
	wrong("autofw -n -A -r tcp 1 2", "-r needs -h");
	wrong("autofw -n -A -h 10.0.0.1", "-h goes with -r only");
	wrong("autofw -n -A -d tcp 1 2 -h 10.0.0.1", "-h goes with -r only");
	wrong("autofw -n -A -c tcp 3", "-c goes with -r only");
	wrong("autofw -n -A -r tcp 1 2 -h 10.0.0.1 -u", "-u goes with -c only");
	wrong("autofw -n -A -r tcp 1 2 -h 10.0.0.1 -i", "-i goes with -c only");
	wrong("autofw -n -A -d tcp 1 2 -u", "-u goes with -c only");
	wrong("autofw -n -A", "one of -r, -d and -p");
	wrong("autofw -n -D", "one of -r, -d and -p");
	wrong("autofw -n -A -D -d udp 4000 4010", "multiple commands specified: -A and -D");
	wrong("autofw -n -L -F", "multiple commands specified: -L and -F");
	wrong("autofw -n -A -r tcp 1 2 -h", "multiple commands specified: -A and -h");
	wrong("autofw -n -A -r tcp 1 2 -r tcp 3 4 -h 10.0.0.1", "-r is given twice");
	wrong("autofw -n -d udp 4000 4010", "no command");
	wrong("autofw -n", "no command");
}

static void a_wrong_word_is_named_with_exit_2_and_changes_nothing(void **state)
{
	static const struct {
		const char *words, *named;
	} wrongs[] = {
		{"-r tcp 2010 2000 -h 10.0.0.1", "'2010' to '2000'"},
		{"-r tcp 0 2000 -h 10.0.0.1", "'0'"},
		{"-r tcp 2000 65536 -h 10.0.0.1", "'65536'"},
		{"-r tcp 2000 80x -h 10.0.0.1", "'80x'"},
		{"-r tcp 2000 '' -h 10.0.0.1", "''"},
		{"-r tcp http 2000 -h 10.0.0.1", "'http'"},
		{"-r tcp 2000 -h 10.0.0.1", "-r needs PROTO LOW HIGH"},
		{"-r icmp 2000 2010 -h 10.0.0.1", "'icmp'"},
		{"-r '' 2000 2010 -h 10.0.0.1", "''"},
		{"-r tcp 2000 2010 2020 -h 10.0.0.1", "'2020'"},
		{"-r tcp 2000 2010 -h 10.0.0.256", "'10.0.0.256'"},
		{"-r tcp 2000 2010 -h server", "'server'"},
		{"-r tcp 2000 2010 -h 0.0.0.0", "'0.0.0.0'"},
		{"-r tcp 2000 2010 -h ::", "'::'"},
		{"-r tcp 2000 2010 -h 224.0.0.1", "'224.0.0.1'"},
		{"-r tcp 2000 2010 -c tcp 0", "'0'"},
		{"-r tcp 2000 2010 -c tcp 65536", "'65536'"},
		{"-r tcp 2000 2010 -c gre 7070", "'gre'"},
		{"-r tcp 2000 2010 -c tcp", "-c needs PROTO PORT"},
		{"-r tcp 2010 2000 -c tcp 7070", "'2010' to '2000'"},
		{"-d udp 4010 4000", "'4010' to '4000'"},
		{"-d udp 0 4000", "'0'"},
		{"-d udp 4000 70000", "'70000'"},
		{"-d x 4000 4010", "'x'"},
		{"-d udp 4000", "-d needs PROTO LOW HIGH"},
		{"-p tcp 0 10.0.0.1:80", "'0'"},
		{"-p tcp 65536 10.0.0.1:80", "'65536'"},
		{"-p tcp 80 10.0.0.1:0", "'0'"},
		{"-p tcp 80 10.0.0.1:80x", "'80x'"},
		{"-p tcp 80 10.0.0.1:", "''"},
		{"-p tcp 80 10.0.0.1", "'10.0.0.1'"},
		{"-p tcp 80 10.0.0:80", "'10.0.0'"},
		{"-p tcp 80 0:80", "'0'"},
		{"-p tcp 80 [2001:db8::1:80", "'[2001:db8::1:80'"},
		{"-p icmp 80 10.0.0.1:80", "'icmp'"},
		{"-p tcp 80", "-p needs PROTO VISIBLE HOST:HIDDEN"},
		{"-x", "-x"},
		{"--all", "--all"},
	};
	char line[COMMAND_LINE_MAX];

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(wrongs); i++) {
		snprintf(line, sizeof(line), "autofw -n -A %s", wrongs[i].words);
		wrong(line, wrongs[i].named);
		snprintf(line, sizeof(line), "autofw -n -D %s", wrongs[i].words);
		if (strcmp(wrongs[i].named, "'224.0.0.1'") != 0) /* no rule can have it */
			wrong(line, wrongs[i].named);
	}
}

static void formatted_lines_make_the_same_rules(void **state)
{
	(void)state;
	add_four();
	ok("autofw -n -A -r sctp 1 65535 -h 2001:db8::1");
	ok("autofw -n -A -p tcp 65535 [2001:db8::1]:1");
	ok("autofw -n -A -r tcp 80 80 -h 10.0.0.1");
	ok("autofw -n -A -r udp 1 1 -c udp 2 -u");
	ok("autofw -n -A -r udp 1 2 -c udp 2 -i");
	ok("autofw -n -A -r udp 1 3 -c udp 2 -i -u");
	ok("autofw -n -A -d tcp 1 1");
	assert_round_trip();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		GRAMMAR_TEST(a_range_goes_to_an_inside_host_and_ports_keep_their_number),
		GRAMMAR_TEST(the_options_have_any_order_and_a_protocol_its_letter),
		GRAMMAR_TEST(a_control_connection_opens_a_range),
		GRAMMAR_TEST(u_makes_a_permission_last_and_i_opens_it_to_everybody),
		GRAMMAR_TEST(connections_to_a_range_keep_their_source_port),
		GRAMMAR_TEST(one_visible_port_goes_to_a_hidden_one),
		GRAMMAR_TEST(a_range_of_one_port_is_that_port),
		GRAMMAR_TEST(a_range_goes_to_one_host_the_last_one),
		GRAMMAR_TEST(adding_a_rule_as_it_is_changes_nothing),
		GRAMMAR_TEST(the_last_port_is_65535_and_the_first_is_1),
		GRAMMAR_TEST(delete_takes_the_rule_whose_words_are_all_the_same),
		GRAMMAR_TEST(a_delete_with_one_word_that_differs_fails),
		GRAMMAR_TEST(clear_removes_the_rules_of_autofw_and_of_nobody_else),
		GRAMMAR_TEST(clear_and_list_take_no_options),
		GRAMMAR_TEST(a_list_has_a_row_for_each_rule),
		GRAMMAR_TEST(verbose_says_what_is_done),
		GRAMMAR_TEST(h_alone_is_help),
		GRAMMAR_TEST(a_dry_run_changes_nothing),
		GRAMMAR_TEST(contradictory_options_are_named),
		GRAMMAR_TEST(a_wrong_word_is_named_with_exit_2_and_changes_nothing),
		GRAMMAR_TEST(formatted_lines_make_the_same_rules),
	};

	return cmocka_run_group_tests_name("autofw", tests, NULL, NULL);
}
