// SPDX-License-Identifier: GPL-2.0-or-later
/* The cases of one plugin's grammar; see grammar.h. */
#include "grammar.h"

#include <errno.h>
#include <stdlib.h>

#include "rules.h"
#include "test.h"

struct memory_engine memory;
struct result result;

int grammar_open(void **state)
{
	(void)state;
	memory_engine_open(&memory);
	memset(&result, 0, sizeof(result));
	return 0;
}

int grammar_close(void **state)
{
	(void)state;
	result_free(&result);
	memory_engine_close(&memory);
	return 0;
}

void run(const char *line)
{
	result_free(&result);
	command_run(&memory, line, &result);
}

void ok(const char *line)
{
	run(line);
	if (result.status != IPMASQ_OK)
		fail_msg("%s: exit %d, %s", line, result.status, result.error.text);
}

void assert_rules(const char *lines)
{
	char *text = command_format_all(&memory);

	assert_string_equal(text, lines);
	free(text);
}

/* Runs a line that must end with this status and change nothing. */
static void changes_nothing(const char *line, enum ipmasq_status status)
{
	char *before = command_format_all(&memory);
	uint32_t generation = memory.generation;

	run(line);
	if (result.status != (int)status)
		fail_msg("%s: exit %d, not %d", line, result.status, (int)status);
	assert_int_equal(result.n_pending, 0);
	assert_int_equal(memory.generation, generation);
	assert_string_equal(result.output, "");
	assert_rules(before);
	free(before);
}

void wrong(const char *line, const char *named)
{
	changes_nothing(line, IPMASQ_USAGE);
	if (!strstr(result.error.text, named))
		fail_msg("%s: \"%s\" does not name %s", line, result.error.text, named);
}

void fails(const char *line)
{
	changes_nothing(line, IPMASQ_FAILED);
	assert_int_equal(result.error.code, ENOENT);
}

void assert_output_line(unsigned int number, const char *words)
{
	const char *line = result.output;
	char buffer[256];
	size_t length = 0;

	while (number--) {
		line = strchr(line, '\n');
		assert_non_null(line);
		line++;
	}
	for (; *line && *line != '\n' && length + 1 < sizeof(buffer); line++)
		if (*line != ' ' || (length && buffer[length - 1] != ' '))
			buffer[length++] = *line;
	while (length && buffer[length - 1] == ' ')
		length--;
	buffer[length] = '\0';
	assert_string_equal(buffer, words);
}

void assert_round_trip(void)
{
	struct memory_engine first = memory;
	char *text = command_format_all(&first), *copy = strdup(text), *rest = copy;

	assert_non_null(copy);
	memory_engine_open(&memory);
	for (char *line; (line = strsep(&rest, "\n")) && *line;)
		ok(line);
	assert_rules(text);
	assert_true(memory_engine_equal(&first, &memory));
	memory_engine_close(&first);
	free(copy);
	free(text);
}

void add_rule_of_portfw(void)
{
	struct ipmasq_rule *rule = test_plain("192.0.2.1", 80, "10.0.0.1");

	memory_engine_add(&memory, rule);
	ipmasq_rule_free(rule);
}

void assert_only_rule_of_portfw(void)
{
	assert_int_equal(memory.n_rules, 1);
	assert_string_equal(memory.rules[0]->owner, "portfw");
}
