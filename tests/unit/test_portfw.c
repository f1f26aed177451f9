// SPDX-License-Identifier: GPL-2.0-or-later
/* The grammar of portfw, row by row, on an engine in memory. */
#include "command.h"

#include <errno.h>
#include <stdlib.h>

#include "test.h"

static struct memory_engine memory;
static struct result result;

static int open_engine(void **state)
{
	(void)state;
	memory_engine_open(&memory);
	memset(&result, 0, sizeof(result));
	return 0;
}

static int close_engine(void **state)
{
	(void)state;
	result_free(&result);
	memory_engine_close(&memory);
	return 0;
}

static void run(const char *line)
{
	result_free(&result);
	command_run(&memory, line, &result);
}

/* Runs a line that must succeed. */
static void ok(const char *line)
{
	run(line);
	if (result.status != IPMASQ_OK)
		fail_msg("%s: exit %d, %s", line, result.status, result.error.text);
}

/* The rules of the engine as the lines that make them. */
static void assert_rules(const char *lines)
{
	char *text = command_format_all(&memory);

	assert_string_equal(text, lines);
	free(text);
}

/* Runs a line that is wrong: exit 2, the word named, nothing changed. */
static void wrong(const char *line, const char *named)
{
	char *before = command_format_all(&memory);
	uint32_t generation = memory.generation;

	run(line);
	if (result.status != IPMASQ_USAGE)
		fail_msg("%s: exit %d, not 2", line, result.status);
	assert_usage_error(&result.error, named);
	assert_int_equal(result.n_pending, 0);
	assert_int_equal(memory.generation, generation);
	assert_string_equal(result.output, "");
	assert_rules(before);
	free(before);
}

/* Runs a line that finds nothing to do: exit 1, nothing changed. */
static void fails(const char *line)
{
	char *before = command_format_all(&memory);

	run(line);
	if (result.status != IPMASQ_FAILED)
		fail_msg("%s: exit %d, not 1", line, result.status);
	assert_int_equal(result.error.code, ENOENT);
	assert_int_equal(result.n_pending, 0);
	assert_rules(before);
	free(before);
}

static const struct ipmasq_target *target(uint32_t position)
{
	assert_int_equal(memory.n_rules, 1);
	assert_true(position < memory.rules[0]->redirect.n_targets);
	return &memory.rules[0]->redirect.targets[position];
}

static void add_makes_a_forward_of_preference_10(void **state)
{
	(void)state;
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 8080");
	assert_rules("portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 8080\n");
	assert_int_equal(target(0)->weight, 10);
	assert_int_equal(target(0)->left, 10);
	assert_string_equal(result.output, "");
}

static void add_has_many_ways_of_writing(void **state)
{
	static const char *const lines[] = {
		"portfw -n -a -P tcp -L 192.0.2.1 80 -R 10.0.0.1 8080",
		"portfw -A -n -P t -L 192.0.2.1:80 -R 10.0.0.1:8080",
		"portfw -nA -Ptcp -L192.0.2.1/80 -R10.0.0.1/8080",
		"portfw -R 10.0.0.1 8080 -L 192.0.2.1 80 -P TCP -An",
		"portfw -n -A -P 6 -L 192.0.2.1 80 -R 10.0.0.1 8080 -p 10",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok("portfw -F");
		ok(lines[i]);
		assert_rules("portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 8080\n");
	}
}

static void each_transport_has_forwards_of_its_own(void **state)
{
	(void)state;
	ok("portfw -n -A -P t -L 192.0.2.1 53 -R 10.0.0.1 53");
	ok("portfw -n -A -P u -L 192.0.2.1 53 -R 10.0.0.2 53");
	ok("portfw -n -A -P s -L 192.0.2.1 53 -R 10.0.0.3 53");
	assert_rules("portfw -A -P tcp -L 192.0.2.1 53 -R 10.0.0.1 53\n"
		     "portfw -A -P udp -L 192.0.2.1 53 -R 10.0.0.2 53\n"
		     "portfw -A -P sctp -L 192.0.2.1 53 -R 10.0.0.3 53\n");
}

static void ipv6_is_added_like_ipv4(void **state)
{
	(void)state;
	ok("portfw -n -A -P tcp -L 2001:db8::1 80 -R 2001:db8::2 8080");
	ok("portfw -n -A -P tcp -L [2001:db8::1]:80 -R [2001:db8::3]:8080");
	ok("portfw -n -A -P tcp -L :: 80 -R 2001:db8::2 80");
	assert_rules("portfw -A -P tcp -L :: 80 -R 2001:db8::2 80\n"
		     "portfw -A -P tcp -L 2001:db8::1 80 -R 2001:db8::2 8080\n"
		     "portfw -A -P tcp -L 2001:db8::1 80 -R 2001:db8::3 8080\n");
}

static void any_address_of_this_machine_is_0_0_0_0_or_0(void **state)
{
	(void)state;
	ok("portfw -n -A -P tcp -L 0.0.0.0 80 -R 10.0.0.1 80");
	ok("portfw -n -A -P tcp -L 0 80 -R 10.0.0.2 80");
	assert_rules("portfw -A -P tcp -L 0.0.0.0 80 -R 10.0.0.1 80\n"
		     "portfw -A -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80\n");
}

static void adding_an_entry_that_exists_sets_its_preference(void **state)
{
	(void)state;
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.2 80");
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80 -p 25");
	assert_int_equal(memory.rules[0]->redirect.n_targets, 2);
	assert_int_equal(target(1)->address.bytes[3], 1);
	assert_int_equal(target(1)->weight, 25);
	assert_int_equal(target(1)->left, 25);
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	assert_int_equal(target(1)->weight, 10);
}

static void adding_an_entry_as_it_is_changes_nothing(void **state)
{
	uint32_t generation;

	(void)state;
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	generation = memory.generation;
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	assert_int_equal(memory.generation, generation);
}

static void the_newest_entry_is_put_at_the_head(void **state)
{
	(void)state;
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.2 80");
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.2 81 -p 3");
	assert_int_equal(memory.rules[0]->redirect.n_targets, 3);
	assert_int_equal(target(0)->port, 81);
	assert_int_equal(target(1)->address.bytes[3], 2);
	assert_int_equal(target(2)->address.bytes[3], 1);
}

static void a_change_of_one_forward_does_not_load_the_others(void **state)
{
	(void)state;
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	assert_int_equal(memory.n_loads, 0);
	ok("portfw -n -D -P tcp -L 192.0.2.1 80");
	assert_int_equal(memory.n_loads, 0);
}

static void a_preference_is_1_to_65535(void **state)
{
	(void)state;
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80 -p 1");
	assert_int_equal(target(0)->weight, 1);
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80 -p 65535");
	assert_int_equal(target(0)->weight, 65535);
	wrong("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80 -p 0", "'0'");
	wrong("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80 -p 65536", "'65536'");
	wrong("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80 -p -1", "'-1'");
	wrong("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80 -p 1x", "'1x'");
	wrong("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80 -p", "-p needs PREF");
}

/* Three entries: two on one port, one on another address. */
static void add_three(void)
{
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.2 8080 -p 20");
	ok("portfw -n -A -P tcp -L 192.0.2.2 80 -R 10.0.0.1 80");
}

#define FIRST  "portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80\n"
#define SECOND "portfw -A -P tcp -L 192.0.2.1 80 -R 10.0.0.2 8080 -p 20\n"
#define THIRD  "portfw -A -P tcp -L 192.0.2.2 80 -R 10.0.0.1 80\n"

static void delete_takes_every_entry_that_matches(void **state)
{
	static const struct {
		const char *line, *left;
	} deletes[] = {
		{"portfw -n -D -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80", SECOND THIRD},
		{"portfw -n -d -P tcp -L 192.0.2.1:80 -R 10.0.0.2:8080", FIRST THIRD},
		{"portfw -n -D -P tcp -L 192.0.2.1 80", THIRD},
		{"portfw -n -D -P tcp -L 192.0.2.1 80 -R 0 0", THIRD},
		{"portfw -n -D -P tcp -L 192.0.2.1 80 -R 0.0.0.0 0", THIRD},
		{"portfw -n -D -P tcp -L 192.0.2.1 80 -R 10.0.0.2", FIRST THIRD},
		{"portfw -n -D -P tcp -L 192.0.2.1 80 -R 10.0.0.2 0", FIRST THIRD},
		{"portfw -n -D -P tcp -L 192.0.2.1 80 -R 0 8080", FIRST THIRD},
		{"portfw -n -D -P tcp -L 0 80", ""},
		{"portfw -n -D -P tcp -L 0.0.0.0 80 -R 0 0", ""},
		{"portfw -n -D -P tcp -L 0 80 -R 10.0.0.1", SECOND},
		{"portfw -n -D -P tcp -L 0 80 -R 10.0.0.1 80", SECOND},
		{"portfw -n -D -P tcp -L 0 80 -R 0 8080", FIRST THIRD},
	};
	static const char *const by_address[] = {FIRST, SECOND, THIRD};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(deletes); i++) {
		char *text;

		ok("portfw -F");
		add_three();
		ok(deletes[i].line);
		text = command_format_all(&memory);
		for (size_t k = 0; k < N_ELEMENTS(by_address); k++) /* in whatever order */
			if (!strstr(deletes[i].left, by_address[k]) != !strstr(text, by_address[k]))
				fail_msg("%s leaves\n%s", deletes[i].line, text);
		assert_int_equal(strlen(text), strlen(deletes[i].left));
		free(text);
	}
}

static void a_delete_that_matches_nothing_fails(void **state)
{
	static const char *const lines[] = {
		"portfw -n -D -P udp -L 192.0.2.1 80",
		"portfw -n -D -P tcp -L 192.0.2.1 81",
		"portfw -n -D -P tcp -L 192.0.2.3 80",
		"portfw -n -D -P tcp -L 192.0.2.1 80 -R 10.0.0.3",
		"portfw -n -D -P tcp -L 192.0.2.1 80 -R 10.0.0.1 8080",
		"portfw -n -D -P tcp -L 0 81",
		"portfw -n -D -P tcp -L 0 80 -R 10.0.0.9",
		"portfw -n -D -P tcp -L 2001:db8::1 80",
		"portfw -n -D -P tcp -L 192.0.2.1 80 -R 2001:db8::1 80",
	};

	(void)state;
	add_three();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++)
		fails(lines[i]);
	assert_rules(FIRST SECOND THIRD);
	ok("portfw -F");
	fails("portfw -n -D -P tcp -L 0 80");
	assert_contains(result.error.text, "tcp 0.0.0.0 port 80");
}

static void the_local_port_and_the_protocol_are_never_wildcards(void **state)
{
	(void)state;
	add_three();
	wrong("portfw -n -D -P tcp -L 192.0.2.1 0", "'0'");
	wrong("portfw -n -D -P tcp -L 192.0.2.1", "port");
	wrong("portfw -n -D -P 0 -L 192.0.2.1 80", "'0'");
	wrong("portfw -n -D -L 192.0.2.1 80", "-P");
	wrong("portfw -n -D -P tcp", "-L");
}

static void clear_removes_the_rules_of_portfw_and_of_nobody_else(void **state)
{
	struct ipmasq_match match;
	struct ipmasq_rule *other;

	(void)state;
	add_three();
	match = memory.rules[0]->redirect.match;
	other = ipmasq_redirect_new("addrfw", &match);
	memory_engine_add(&memory, other);
	ok("portfw -f");
	assert_int_equal(memory.n_rules, 1);
	assert_string_equal(memory.rules[0]->owner, "addrfw");
	ipmasq_rule_free(other);
	ok("portfw -F"); /* an empty table is cleared, too */
	assert_int_equal(memory.n_rules, 1);
}

static void a_wildcard_delete_leaves_the_rules_of_others(void **state)
{
	struct ipmasq_match match;
	struct ipmasq_rule *other;

	(void)state;
	add_three();
	match = memory.rules[0]->redirect.match;
	other = ipmasq_redirect_new("addrfw", &match);
	memory_engine_add(&memory, other);
	ipmasq_rule_free(other);
	ok("portfw -n -D -P tcp -L 0 80");
	assert_int_equal(memory.n_rules, 1);
	assert_string_equal(memory.rules[0]->owner, "addrfw");
}

/* The words of a line of the output, with one blank between them. */
static const char *output_line(unsigned int number, char *buffer, size_t size)
{
	const char *line = result.output;
	size_t length = 0;

	while (number--) {
		line = strchr(line, '\n');
		assert_non_null(line);
		line++;
	}
	for (; *line && *line != '\n' && length + 1 < size; line++)
		if (*line != ' ' || (length && buffer[length - 1] != ' '))
			buffer[length++] = *line;
	while (length && buffer[length - 1] == ' ')
		length--;
	buffer[length] = '\0';
	return buffer;
}

static void a_list_has_the_columns_of_the_original(void **state)
{
	static const char *const lines[] = {"portfw -L -n", "portfw -nL", "portfw -Ln",
					    "portfw -n -l", "portfw -ln"};
	char line[256];

	(void)state;
	add_three();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok(lines[i]);
		assert_string_equal(output_line(0, line, sizeof(line)),
				    "prot localaddr rediraddr lport rport pcnt pref");
		assert_string_equal(output_line(1, line, sizeof(line)),
				    "tcp 192.0.2.1 10.0.0.2 80 8080 20 20");
		assert_string_equal(output_line(2, line, sizeof(line)),
				    "tcp 192.0.2.1 10.0.0.1 80 80 10 10");
		assert_string_equal(output_line(3, line, sizeof(line)),
				    "tcp 192.0.2.2 10.0.0.1 80 80 10 10");
		assert_string_equal(output_line(4, line, sizeof(line)), "");
	}
}

static void a_verbose_list_has_the_counters_too(void **state)
{
	char line[256];

	(void)state;
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	memory.rules[0]->redirect.targets[0].counters = (struct ipmasq_counters){22, 333};
	ok("portfw -n -L -v");
	assert_string_equal(output_line(0, line, sizeof(line)),
			    "prot localaddr rediraddr lport rport pcnt pref packets bytes");
	assert_string_equal(output_line(1, line, sizeof(line)),
			    "tcp 192.0.2.1 10.0.0.1 80 80 10 10 22 333");
}

/* JSON without its blanks, which differ between versions of libsmartcols. */
static void squeeze(char *text)
{
	char *end = text;

	for (; *text; text++)
		if (!strchr(" \n", *text))
			*end++ = *text;
	*end = '\0';
}

static void a_list_as_json_has_numbers_for_numbers(void **state)
{
	(void)state;
	ok("portfw -A -n -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	memory.rules[0]->redirect.targets[0].counters.bytes = 333;
	ok("portfw -L --json");
	squeeze(result.output);
	assert_contains(result.output, "\"portfw\":");
	assert_contains(result.output, "\"prot\":\"tcp\"");
	assert_contains(result.output, "\"localaddr\":\"192.0.2.1\"");
	assert_contains(result.output, "\"lport\":80");
	assert_contains(result.output, "\"bytes\":333");
}

static void a_list_changes_nothing(void **state)
{
	uint32_t generation;

	(void)state;
	add_three();
	generation = memory.generation;
	ok("portfw -n -L");
	assert_int_equal(memory.generation, generation);
}

static void a_list_takes_no_address(void **state)
{
	(void)state;
	wrong("portfw -n -l -L 192.0.2.1 80", "-L does not go with -l");
	wrong("portfw -n -L 192.0.2.1 80", "no command");
}

static void help_goes_to_the_output_and_changes_nothing(void **state)
{
	static const char *const lines[] = {"portfw -h", "portfw --help", "portfw -h -A -P tcp",
					    "portfw -F -h"};

	(void)state;
	add_three();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok(lines[i]);
		assert_contains(result.output, "portfw -A -P PROTO -L LADDR LPORT -R RADDR RPORT");
		assert_contains(result.output, "--dry-run");
		assert_int_equal(memory.n_rules, 2);
	}
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	add_three();
	ok("portfw -n -D -P tcp -L 192.0.2.1 80 --dry-run");
	assert_int_equal(result.n_pending, 1);
	assert_rules(FIRST SECOND THIRD);
}

static void kill_reaches_the_engine(void **state)
{
	(void)state;
	add_three();
	ok("portfw -n -D -P tcp -L 192.0.2.1 80 --kill");
	assert_int_equal(memory.commit_flags, IPMASQ_COMMIT_KILL);
	ok("portfw -n -D -P tcp -L 192.0.2.2 80");
	assert_int_equal(memory.commit_flags, 0);
}

static void a_wrong_word_is_named_with_exit_2_and_changes_nothing(void **state)
{
	static const struct {
		const char *words, *named;
	} wrongs[] = {
		{"-A -P tcp -L 192.0.2.1 0 -R 10.0.0.9 80", "'0'"},
		{"-A -P tcp -L 192.0.2.1 65536 -R 10.0.0.9 80", "'65536'"},
		{"-A -P tcp -L 192.0.2.1 80x -R 10.0.0.9 80", "'80x'"},
		{"-A -P tcp -L 192.0.2.1 80 -R 10.0.0.9 0", "'0'"},
		{"-A -P tcp -L 192.0.2.1 80 -R 10.0.0.9 70000", "'70000'"},
		{"-A -P tcp -L 192.0.2.1 80 -R 10.0.0.9 -80", "'-80'"},
		{"-A -P tcp -L 192.0.2.1 '' -R 10.0.0.9 80", "''"},
		{"-A -P tcp -L 192.0.2.1 http -R 10.0.0.9 80", "'http'"},
		{"-A -P tcp -L 192.0.2 80 -R 10.0.0.9 80", "'192.0.2'"},
		{"-A -P tcp -L 192.0.2.256 80 -R 10.0.0.9 80", "'192.0.2.256'"},
		{"-A -P tcp -L 192.0.2.1 80 -R server 80", "'server'"},
		{"-A -P tcp -L 192.0.2.1 80 -R 0.0.0.0 80", "'0.0.0.0'"},
		{"-A -P tcp -L 192.0.2.1 80 -R 0 80", "'0.0.0.0'"},
		{"-A -P tcp -L 192.0.2.1 80 -R 2001:db8::1 80", "'2001:db8::1'"},
		{"-A -P tcp -L 2001:db8::1 80 -R 10.0.0.9 80", "'10.0.0.9'"},
		{"-A -P tcp -L 2001:db8::1 80 -R :: 80", "'::'"},
		{"-A -P tcp -L '' 80 -R 10.0.0.9 80", "''"},
		{"-A -P icmp -L 192.0.2.1 80 -R 10.0.0.9 80", "'icmp'"},
		{"-A -P x -L 192.0.2.1 80 -R 10.0.0.9 80", "'x'"},
		{"-A -P '' -L 192.0.2.1 80 -R 10.0.0.9 80", "''"},
		{"-A -P tcp -L 192.0.2.1:80 81 -R 10.0.0.9 80", "'81'"},
		{"-A -P tcp -L [2001:db8::1 80 -R 2001:db8::2 80", "[2001:db8::1"},
		{"-A -P tcp -L 192.0.2.1 80", "-R"},
		{"-A -P tcp -R 10.0.0.9 80", "-L"},
		{"-A -L 192.0.2.1 80 -R 10.0.0.9 80", "-P"},
		{"-A -P tcp -L 192.0.2.1 -R 10.0.0.9 80", "'192.0.2.1': a port is needed"},
		{"-A -P tcp -L 192.0.2.1 80 -R 10.0.0.9", "'10.0.0.9': a port is needed"},
		{"-A -P tcp -L 192.0.2.1 80 -R", "-R needs"},
		{"-A -P tcp -P udp -L 192.0.2.1 80 -R 10.0.0.9 80", "-P is given twice"},
		{"-A -D -P tcp -L 192.0.2.1 80", "multiple commands specified: -A and -D"},
		{"-A -F", "multiple commands specified"},
		{"-L -F", "multiple commands specified"},
		{"-F -P tcp", "-P does not go with -F"},
		{"-D -P tcp -L 192.0.2.1 80 -p 5", "-p does not go with -D"},
		{"-A -P tcp -L 192.0.2.1 80 -R 10.0.0.9 80 81", "'81'"},
		{"-F all", "'all'"},
		{"-A -x", "-x"},
		{"--all", "--all"},
		{"", "no command"},
		{"-P tcp -L 192.0.2.1 80 -R 10.0.0.9 80", "no command"},
	};
	char line[COMMAND_LINE_MAX];

	(void)state;
	add_three();
	for (size_t i = 0; i < N_ELEMENTS(wrongs); i++) {
		snprintf(line, sizeof(line), "portfw -n %s", wrongs[i].words);
		wrong(line, wrongs[i].named);
	}
}

static void a_full_pool_fails_and_stays_as_it_is(void **state)
{
	char line[128];

	(void)state;
	for (unsigned int i = 1; i <= IPMASQ_TARGETS_MAX; i++) {
		snprintf(line, sizeof(line), "portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 %u",
			 i);
		ok(line);
	}
	run("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 2000");
	assert_int_equal(result.status, IPMASQ_FAILED);
	assert_int_equal(result.n_pending, 0);
	assert_int_equal(memory.rules[0]->redirect.n_targets, IPMASQ_TARGETS_MAX);
}

static void formatted_lines_make_the_same_rules_in_the_same_schedule(void **state)
{
	static const char *const lines[] = {
		"portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80",
		"portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.2 8080 -p 20",
		"portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.3 80 -p 65535",
		"portfw -n -A -P udp -L 0 53 -R 10.0.0.3 5353 -p 1",
		"portfw -n -A -P sctp -L 2001:db8::1 65535 -R 2001:db8::2 1",
		"portfw -n -A -P tcp -L :: 1 -R ::1 1",
	};
	struct memory_engine again;
	char *text, *copy, *rest;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++)
		ok(lines[i]);
	text = copy = command_format_all(&memory);
	memory_engine_open(&again);
	rest = copy;
	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		struct result second;

		command_run(&again, line, &second);
		assert_int_equal(second.status, IPMASQ_OK);
		result_free(&second);
	}
	free(text);
	assert_true(memory_engine_equal(&memory, &again));
	for (size_t i = 0; i < memory.n_rules; i++) /* the head, too, which equal() leaves open */
		assert_true(ipmasq_address_equal(
			&memory.rules[i]->redirect.targets[0].address,
			&memory_engine_find(&again, memory.rules[i])->redirect.targets[0].address));
	memory_engine_close(&again);
}

static void a_conflict_is_reported_to_be_tried_again(void **state)
{
	(void)state;
	memory.n_conflicts = 1;
	run("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	assert_int_equal(result.status, IPMASQ_FAILED);
	assert_int_equal(result.error.code, EAGAIN);
	assert_int_equal(memory.n_rules, 0);
	ok("portfw -n -A -P tcp -L 192.0.2.1 80 -R 10.0.0.1 80");
	assert_int_equal(memory.n_rules, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_engine, close_engine)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(add_makes_a_forward_of_preference_10),
		TEST(add_has_many_ways_of_writing),
		TEST(each_transport_has_forwards_of_its_own),
		TEST(ipv6_is_added_like_ipv4),
		TEST(any_address_of_this_machine_is_0_0_0_0_or_0),
		TEST(adding_an_entry_that_exists_sets_its_preference),
		TEST(adding_an_entry_as_it_is_changes_nothing),
		TEST(the_newest_entry_is_put_at_the_head),
		TEST(a_change_of_one_forward_does_not_load_the_others),
		TEST(a_preference_is_1_to_65535),
		TEST(delete_takes_every_entry_that_matches),
		TEST(a_delete_that_matches_nothing_fails),
		TEST(the_local_port_and_the_protocol_are_never_wildcards),
		TEST(clear_removes_the_rules_of_portfw_and_of_nobody_else),
		TEST(a_wildcard_delete_leaves_the_rules_of_others),
		TEST(a_list_has_the_columns_of_the_original),
		TEST(a_verbose_list_has_the_counters_too),
		TEST(a_list_as_json_has_numbers_for_numbers),
		TEST(a_list_changes_nothing),
		TEST(a_list_takes_no_address),
		TEST(help_goes_to_the_output_and_changes_nothing),
		TEST(a_dry_run_changes_nothing),
		TEST(kill_reaches_the_engine),
		TEST(a_wrong_word_is_named_with_exit_2_and_changes_nothing),
		TEST(a_full_pool_fails_and_stays_as_it_is),
		TEST(formatted_lines_make_the_same_rules_in_the_same_schedule),
		TEST(a_conflict_is_reported_to_be_tried_again),
	};

	return cmocka_run_group_tests_name("portfw", tests, NULL, NULL);
}
