// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the last word of a command line may become: for `ipmasqadm complete`, which the completions
 * of bash and zsh ask, and for the shell.
 *
 * A module's words come from its table of options and its plugin (lib/ipmasq/complete.c), a
 * command's from such a table, too, or from the words of its help and its own function; where an
 * ipmasqd has the rules, it is asked for the words of a module.
 */
#include "command.h"
#include "line.h"
#include "remote.h"

#include <stdlib.h>
#include <string.h>

/* Visits the words that begin as `typed` does. */
struct matching {
	const char *typed;
	ipmasq_line_visit visit;
	void *data;
};

static int visit_matching(const char *word, void *data)
{
	const struct matching *matching = data;

	if (strncmp(word, matching->typed, strlen(matching->typed)) != 0)
		return 0;
	return matching->visit(word, matching->data);
}

/* The first word: an option of the program, a command, or a module. */
static int complete_first(struct matching *matching)
{
	static const char *const options[] = {"-e",        "-n",     "-v", "--json",
					      "--dry-run", "--kill", "-h", "-V"};
	struct ipmasq_error error;
	int rc = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && !rc; i++)
		rc = visit_matching(options[i], matching);
	rc = rc ? rc : command_names(visit_matching, matching);
	return rc ? rc : ipmasq_plugin_names(visit_matching, matching, &error);
}

static int complete_engine(struct matching *matching)
{
	int rc = visit_matching("kernel", matching);

	return rc ? rc : visit_matching("user", matching);
}

static bool names_file(const struct command *command)
{
	static const char *const names[] = {"FILE", "RULES", ".pcap"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strstr(command->words, names[i]))
			return true;
	return false;
}

/*
 * The options among the words of its help, which are written as `[-a] FILE`; none where a file may
 * stand, which the caller knows better, or where the command has words of its own.
 */
static int complete_words(const struct command *command, struct matching *matching)
{
	static const char *const flags[] = {"-h", "-n", "-v", "--json", "--dry-run", "--kill"};
	size_t n_flags = command->flags & COMMAND_OWN_FLAGS ? 0 : sizeof(flags) / sizeof(flags[0]);
	char copy[256], *rest = copy;
	int rc = 0;

	if (matching->typed[0] != '-' && (command->complete || names_file(command)))
		return 0;
	snprintf(copy, sizeof(copy), "%s", command->words);
	for (const char *word; (word = strtok_r(rest, " []|", &rest)) && !rc;)
		if (word[0] == '-' && word[1])
			rc = visit_matching(word, matching);
	for (size_t i = 0; i < n_flags && !rc; i++)
		rc = visit_matching(flags[i], matching);
	return rc;
}

static int complete_command(struct session *session, const struct command *command, int argc,
			    char **argv, struct matching *matching)
{
	struct ipmasq_context context = {0};
	struct ipmasq_plugin grammar;
	int rc = 0;

	if (!session->commands && command_grammar(command, &grammar)) /* ipmasqd has no parts */
		return ipmasq_plugin_complete(&grammar, &context, argc, argv, matching->visit,
					      matching->data);
	if (command->complete)
		rc = command->complete(session, argc, argv, matching->visit, matching->data);
	return rc ? rc : complete_words(command, matching);
}

/* What an ipmasqd says, which knows its rules; what it cannot be asked has no answer. */
static int complete_remotely(struct session *session, int argc, char **argv,
			     struct matching *matching)
{
	struct session asking = *session;
	char *words[LINE_WORDS_MAX], *output = NULL, *messages = NULL, *rest;
	size_t length;
	int rc = 0;

	if (argc >= LINE_WORDS_MAX)
		return 0;
	words[0] = (char[]){"complete"};
	memcpy(words + 1, argv, (size_t)argc * sizeof(*words));
	asking.out = open_memstream(&output, &length);
	asking.err = open_memstream(&messages, &length);
	if (asking.out && asking.err)
		remote_command(&asking, argc + 1, words);
	if (asking.out)
		fclose(asking.out);
	if (asking.err)
		fclose(asking.err);
	rest = output;
	for (const char *word; !rc && (word = strsep(&rest, "\n"));)
		if (*word)
			rc = matching->visit(word, matching->data);
	free(output);
	free(messages);
	return rc;
}

/* In a table of its own, for what there is in the engine. */
static int complete_module(struct session *session, int argc, char **argv,
			   struct matching *matching)
{
	struct ipmasq_context context = session->flags;
	const struct ipmasq_plugin *plugin = ipmasq_plugin_load(argv[0], &context.error);
	int rc;

	if (session->remote)
		return complete_remotely(session, argc, argv, matching);
	if (!plugin)
		return 0;
	if (session->engine)
		context.table = ipmasq_table_open(session->engine, &context.error);
	rc = ipmasq_plugin_complete(plugin, &context, argc, argv, matching->visit, matching->data);
	ipmasq_table_close(context.table);
	return rc;
}

int command_complete(struct session *session, int argc, char **argv, ipmasq_line_visit visit,
		     void *data)
{
	const struct command *command;
	struct matching matching = {argc ? argv[argc - 1] : "", visit, data};
	int first = 0;

	while (first < argc - 1 && argv[first][0] == '-')
		first += strcmp(argv[first], "-e") == 0 ? 2 : 1;
	if (argc > 1 && first >= argc && strcmp(argv[argc - 2], "-e") == 0)
		return complete_engine(&matching);
	if (first >= argc - 1)
		return complete_first(&matching);
	argc -= first;
	argv += first;
	command = command_find(session, argv[0]);
	return command ? complete_command(session, command, argc, argv, &matching)
		       : complete_module(session, argc, argv, &matching);
}

bool command_takes_file(const struct session *session, const char *name)
{
	const struct command *command = command_find(session, name);

	return command && names_file(command);
}

/* `doctor portfw LADDR LPORT` is about a forward that is there, as `portfw -D -L` is. */
int command_complete_doctor(struct session *session, int argc, char **argv, ipmasq_line_visit visit,
			    void *data)
{
	struct matching matching = {argv[argc - 1], visit, data};
	char *words[5] = {(char[]){"portfw"}, (char[]){"-D"}, (char[]){"-L"}};

	if (argc == 2)
		return visit_matching("portfw", &matching);
	if (argc > 4 || strcmp(argv[1], "portfw") != 0 || matching.typed[0] == '-')
		return 0;
	memcpy(words + 3, argv + 2, (size_t)(argc - 2) * sizeof(*words));
	return complete_module(session, argc + 1, words, &matching);
}
