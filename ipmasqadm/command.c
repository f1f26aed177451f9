// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of commands, and what is done with a command line: a command's function or a module's
 * plugin runs it, for a call, a line of the shell and a request to the daemon alike.
 */
#include "command.h"
#include "remote.h"
#include "rules_file.h"
#include "shell.h"
#include "status.h"

#include <ipmasq/part.h>
#include <string.h>

static enum ipmasq_status flush(struct session *session, int argc, char **argv);
static enum ipmasq_status complete(struct session *session, int argc, char **argv);

static const struct command commands[] = {
	{"save", rules_file_save, "[FILE]",
	 "write all rules as command lines; - is standard output", NULL,
	 COMMAND_LOCAL | COMMAND_ON_TABLE},
	{"restore", rules_file_restore, "[-a] [FILE]",
	 "make the rules those of the file (- is standard input), all or nothing;\n"
	 "without FILE: of " RULES_FILE "; -a adds to what is there",
	 NULL, COMMAND_LOCAL | COMMAND_ON_TABLE},
	{"flush", flush, "", "remove the rules of all modules", NULL, COMMAND_ON_TABLE},
	{"shell", shell_run, "[-k]",
	 "read command lines, on a terminal with completion and history;\n"
	 "-k goes on after a line that fails",
	 NULL, COMMAND_LOCAL},
	{"status", status_run, "[--prometheus [FILE]]",
	 "how the engine, the rules and the connections stand", NULL, COMMAND_LOCAL},
	{"doctor", NULL, "[portfw LADDR LPORT [-P PROTO]]",
	 "find out why forwards do not work, and what mends them; changes nothing",
	 command_complete_doctor, COMMAND_LOCAL},
	{"top", top_run, "[-b] [-d SECONDS] [-N COUNT]",
	 "watch the forwards by what they carry; q ends it, -b prints without a screen", NULL,
	 COMMAND_LOCAL},
	{"trace", NULL, "-P PROTO -S ADDR PORT -D ADDR PORT [-r RULES] [OPTION]...",
	 "what becomes of a packet, and by which rule", NULL, COMMAND_LOCAL},
	{"replay", NULL, "IN.pcap [-w OUT.pcap] [-r RULES] -i ADDR",
	 "what becomes of the packets of a capture; ADDR is the outside address", NULL,
	 COMMAND_LOCAL},
	{"complete", complete, "[WORD]...",
	 "what the last word may become, for a shell's completion", NULL, COMMAND_OWN_FLAGS},
};

/* Of the list of commands. */
#define NAME_COLUMN  8
#define WORDS_COLUMN 11
#define HELP_AT      (2 + NAME_COLUMN + 1 + WORDS_COLUMN + 1)

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int flush_body(struct ipmasq_context *context, void *data)
{
	(void)data;
	return ipmasq_table_clear(context->table, NULL, &context->error) < 0
		       ? (int)context->error.status
		       : IPMASQ_OK;
}

static enum ipmasq_status flush(struct session *session, int argc, char **argv)
{
	if (argc > 1)
		return session_refuse(session, argv[1]);
	return session_transaction(session, "flush", flush_body, NULL);
}

const struct command *command_find(const struct session *session, const char *name)
{
	for (const struct command *own = session->commands; own && own->name; own++)
		if (strcmp(own->name, name) == 0)
			return own;
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

int command_wrong_word(const struct session *session, const char *name, const char *word,
		       struct ipmasq_error *error)
{
	const struct command *command = command_find(session, name);
	const char *words = command ? command->words : "";
	bool option = word[0] == '-' && word[1];

	return ipmasq_usage(error, "%s'%s'%s; usage: ipmasqadm %s%s%s",
			    option ? "there is no option " : "", word,
			    option ? "" : " is one word too many", name, *words ? " " : "", words);
}

int command_names(ipmasq_line_visit visit, void *data)
{
	int rc = 0;

	for (size_t i = 0; i < N_COMMANDS && !rc; i++)
		rc = visit(commands[i].name, data);
	return rc;
}

bool command_on_table(const struct session *session, const char *name)
{
	const struct command *command = command_find(session, name);

	return !command || command->flags & COMMAND_ON_TABLE;
}

static int print_word(const char *word, void *data)
{
	return fprintf(data, "%s\n", word) < 0 ? -1 : 0;
}

static enum ipmasq_status complete(struct session *session, int argc, char **argv)
{
	char *nothing[] = {(char[]){""}};

	if (argc > 1)
		command_complete(session, argc - 1, argv + 1, print_word, session->out);
	else
		command_complete(session, 1, nothing, print_word, session->out);
	return IPMASQ_OK;
}

bool command_flag(struct session *session, const char *word)
{
	static const struct {
		const char *letter, *word;
	} letters[] = {{"-h", "--help"}, {"-n", "--numeric"}, {"-v", "--verbose"}};

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (strcmp(word, letters[i].letter) == 0)
			word = letters[i].word;
	return ipmasq_words_flag(&session->flags, word);
}

/* Takes the flags out of a command's words, so that they may stand anywhere. */
static int take_flags(struct session *session, int argc, char **argv)
{
	int n = 1;

	for (int i = 1; i < argc; i++)
		if (!command_flag(session, argv[i]))
			argv[n++] = argv[i];
	return n;
}

enum ipmasq_status command_run_part(struct session *session, int argc, char **argv)
{
	struct ipmasq_error error;
	const struct command_part *part = ipmasq_part(argv[0], "command_part", &error);

	if (part)
		return part->run(session, argc, argv);
	fprintf(session->err, "ipmasqadm: %s\n", error.text);
	return error.status;
}

bool command_grammar(const struct command *command, struct ipmasq_plugin *grammar)
{
	struct ipmasq_error unused;
	const struct command_part *part =
		command->run ? NULL : ipmasq_part(command->name, "command_part", &unused);

	if (!part || !part->options)
		return false;
	*grammar = (struct ipmasq_plugin){.name = command->name,
					  .summary = command->help,
					  .synopsis = command->words,
					  .options = part->options};
	return true;
}

/* Lines, each but the first behind so many blanks. */
static void print_lines(FILE *out, int blanks, const char *text)
{
	size_t length = strcspn(text, "\n");

	fprintf(out, "%.*s\n", (int)length, text);
	for (text += length; *text; text += length) {
		length = strcspn(++text, "\n");
		fprintf(out, "%*s%.*s\n", blanks, "", (int)length, text);
	}
}

static void command_usage(const struct command *command, FILE *out)
{
	struct ipmasq_plugin grammar;

	if (command_grammar(command, &grammar)) {
		ipmasq_plugin_usage(&grammar, out);
		return;
	}
	fprintf(out, "ipmasqadm %s%s%s\n  ", command->name, command->words[0] ? " " : "",
		command->words);
	print_lines(out, 2, command->help);
}

static enum ipmasq_status run_command(struct session *session, const struct command *command,
				      int argc, char **argv)
{
	struct session own = *session; /* the flags among its words are not the next line's */
	enum ipmasq_status status;
	struct ipmasq_error error;

	own.wrong_word = NULL;
	if (!(command->flags & COMMAND_OWN_FLAGS))
		argc = take_flags(&own, argc, argv);
	if (own.flags.help) {
		command_usage(command, own.out);
		return IPMASQ_OK;
	}
	status = command->run ? command->run(&own, argc, argv) : command_run_part(&own, argc, argv);
	if (own.wrong_word) {
		command_wrong_word(&own, command->name, own.wrong_word, &error);
		fprintf(own.err, "%s: %s\n", command->name, error.text);
	}
	return status;
}

struct module_call {
	int argc;
	char **argv;
};

static int module_body(struct ipmasq_context *context, void *data)
{
	const struct module_call *call = data;

	return session_run_module(context, call->argc, call->argv);
}

enum ipmasq_status command_run(struct session *session, int argc, char **argv)
{
	const struct command *command = command_find(session, argv[0]);
	struct module_call call = {argc, argv};
	struct ipmasq_error error;

	if (session->remote && !(command && command->flags & COMMAND_LOCAL))
		return remote_command(session, argc, argv);
	if (session->commands && command && (command->flags & COMMAND_LOCAL || !command->run)) {
		fprintf(session->err, "%s: ipmasqd does not do this\n", argv[0]);
		return IPMASQ_USAGE;
	}
	if (command)
		return run_command(session, command, argc, argv);
	if (!ipmasq_plugin_load(argv[0], &error)) {
		fprintf(session->err, "ipmasqadm: %s\n", error.text);
		return error.status;
	}
	return session_transaction(session, argv[0], module_body, &call);
}

enum ipmasq_status command_run_line(struct session *session, int argc, char **argv)
{
	int i = 0;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!command_flag(session, argv[i])) {
			fprintf(session->err,
				"ipmasqadm: there is no option '%s'; ipmasqadm -h lists them\n",
				argv[i]);
			return IPMASQ_USAGE;
		}
	}
	if (i < argc)
		return command_run(session, argc - i, argv + i);
	if (session->flags.help) {
		command_list(session->out);
		return IPMASQ_OK;
	}
	fputs("ipmasqadm: name a command or a module; -h lists them\n", session->err);
	return IPMASQ_USAGE;
}

static int print_module(const char *name, void *data)
{
	struct ipmasq_error error;
	const struct ipmasq_plugin *plugin = ipmasq_plugin_load(name, &error);

	fprintf(data, "  %-10s %s\n", name, plugin ? plugin->summary : error.text);
	return 0;
}

/* In three columns; words that are longer than theirs have lines of their own. */
static void list_command(const struct command *command, FILE *out)
{
	fprintf(out, "  %-*s ", NAME_COLUMN, command->name);
	if (strlen(command->words) <= WORDS_COLUMN)
		fprintf(out, "%-*s ", WORDS_COLUMN, command->words);
	else
		fprintf(out, "%s\n%*s", command->words, HELP_AT, "");
	print_lines(out, HELP_AT, command->help);
}

void command_list(FILE *out)
{
	struct ipmasq_error error;

	fputs("commands:\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		list_command(&commands[i], out);
	fputs("\nmodules:\n", out);
	if (ipmasq_plugin_names(print_module, out, &error) < 0)
		fprintf(out, "  %s\n", error.text);
}
