// SPDX-License-Identifier: GPL-2.0-or-later
/* Running a plugin in the tests; see command.h. */
#include "command.h"

#include <stdlib.h>
#include <string.h>

extern const struct ipmasq_plugin ipmasq_plugin; /* of portfw, or what the test brings along */

void command_split(struct command *command, const char *line)
{
	char *rest = command->text;

	snprintf(command->text, sizeof(command->text), "%s", line);
	command->argc = 0;
	for (char *word; (word = strtok_r(rest, " ", &rest));) {
		if (command->argc == COMMAND_WORDS_MAX)
			abort();
		if (strcmp(word, "''") == 0)
			word[0] = '\0';
		command->argv[command->argc++] = word;
	}
	command->argv[command->argc] = NULL;
}

static int count_change(const struct ipmasq_rule *before, const struct ipmasq_rule *after,
			void *data)
{
	size_t *n = data;

	(void)before;
	(void)after;
	++*n;
	return 0;
}

void command_run_argv(struct memory_engine *memory, int argc, char **argv, struct result *result)
{
	struct ipmasq_context context = {0};
	size_t length;

	*result = (struct result){0};
	context.out = open_memstream(&result->output, &length);
	context.table = ipmasq_table_open(&memory->engine, &context.error);
	if (!context.out || !context.table)
		abort();
	result->status = ipmasq_plugin.run(&context, argc, argv);
	ipmasq_table_changes(context.table, count_change, &result->n_pending);
	if (result->status == IPMASQ_OK && !context.dry_run &&
	    ipmasq_table_commit(context.table, context.kill ? IPMASQ_COMMIT_KILL : 0,
				&context.error) < 0)
		result->status = (int)context.error.status;
	result->error = context.error;
	ipmasq_table_close(context.table);
	fclose(context.out);
}

void command_run(struct memory_engine *memory, const char *line, struct result *result)
{
	struct command command;

	command_split(&command, line);
	command_run_argv(memory, command.argc, command.argv, result);
}

void result_free(struct result *result)
{
	free(result->output);
	result->output = NULL;
}

static int write_line(const char *line, void *data)
{
	return fprintf(data, "%s\n", line) < 0 ? -1 : 0;
}

static int compare_rules(const void *a, const void *b)
{
	return ipmasq_rule_compare(*(struct ipmasq_rule *const *)a,
				   *(struct ipmasq_rule *const *)b);
}

char *command_format_all(const struct memory_engine *memory)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	struct ipmasq_rule **rules = calloc(memory->n_rules + 1, sizeof(struct ipmasq_rule *));

	if (!out || !rules)
		abort();
	for (size_t i = 0; i < memory->n_rules; i++)
		rules[i] = memory->rules[i];
	qsort(rules, memory->n_rules, sizeof(struct ipmasq_rule *), compare_rules);
	for (size_t i = 0; i < memory->n_rules; i++)
		if (ipmasq_plugin_format(&ipmasq_plugin, rules[i], write_line, out) < 0)
			abort();
	fclose(out);
	free(rules);
	return text;
}
