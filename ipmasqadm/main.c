// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipmasqadm: the dispatcher.  Options, then a word: one of the table's commands below, or the
 * name of a module, whose plugin gets the rest of the line.
 */
#include "rules_file.h"
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static enum ipmasq_status flush(struct session *session, int argc, char **argv);
static enum ipmasq_status complete(struct session *session, int argc, char **argv);

static const struct command {
	const char *name;
	enum ipmasq_status (*run)(struct session *session, int argc, char **argv);
	const char *words, *help;
} commands[] = {
	{"save", rules_file_save, "[FILE]", "write all rules as command lines; - is standard output"},
	{"restore", rules_file_restore, "[-a] FILE",
	 "make the rules those of the file (- is standard input), all or nothing;\n"
	 "                      -a adds to what is there"},
	{"flush", flush, "", "remove the rules of all modules"},
	{"complete", complete, "[WORD]...", "what the last word may become, for a shell's completion"},
};

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
	if (argc > 1) {
		fprintf(stderr, "flush: '%s' is one word too many\n", argv[1]);
		return IPMASQ_USAGE;
	}
	return session_transaction(session, "flush", flush_body, NULL);
}

/* Prints a word that begins as `data` does. */
static int print_matching(const char *word, void *data)
{
	if (strncmp(word, data, strlen(data)) == 0)
		puts(word);
	return 0;
}

static enum ipmasq_status complete(struct session *session, int argc, char **argv)
{
	static const char *const options[] = {"-n", "-v", "--json", "--dry-run", "--kill", "-h", "-V"};
	char *typed = argc > 1 ? argv[argc - 1] : "";
	struct ipmasq_context context = session->flags;
	const struct ipmasq_plugin *plugin;
	int first = 1;

	while (first < argc - 1 && argv[first][0] == '-')
		first++;
	if (first < argc - 1) {
		plugin = ipmasq_plugin_load(argv[first], &context.error);
		if (plugin)
			ipmasq_plugin_complete(plugin, &context, argc - first, argv + first,
					       print_matching, (char[]){""});
		return IPMASQ_OK; /* of another command's words nothing is known */
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		print_matching(options[i], typed);
	for (size_t i = 0; i < N_COMMANDS; i++)
		print_matching(commands[i].name, typed);
	ipmasq_plugin_names(print_matching, typed, &context.error);
	return IPMASQ_OK;
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

static int print_module(const char *name, void *data)
{
	struct ipmasq_error error;
	const struct ipmasq_plugin *plugin = ipmasq_plugin_load(name, &error);

	fprintf(data, "  %-10s %s\n", name, plugin ? plugin->summary : error.text);
	return 0;
}

static void usage(FILE *out)
{
	struct ipmasq_error error;

	fputs("usage: ipmasqadm [-n] [-v] [--json] [--dry-run] [--kill] MODULE [options]\n"
	      "       ipmasqadm MODULE -h\n"
	      "       ipmasqadm COMMAND\n\n"
	      "commands:\n",
	      out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-8s %-10s %s\n", commands[i].name, commands[i].words,
			commands[i].help);
	fputs("\nmodules:\n", out);
	if (ipmasq_plugin_names(print_module, out, &error) < 0)
		fprintf(out, "  %s\n", error.text);
	fputs("\noptions:\n"
	      "  -n          numeric: look no name up\n"
	      "  -v          verbose: list counters, too\n"
	      "  --json      list as JSON\n"
	      "  --dry-run   show what would change, change nothing\n"
	      "  --kill      end the TCP connections of what is removed, too\n"
	      "  -e kernel   the engine that the rules are for\n"
	      "  -V          version\n"
	      "  -h          this help\n",
	      out);
}

static bool set_flag(struct session *session, const char *word)
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
		if (!set_flag(session, argv[i]))
			argv[n++] = argv[i];
	return n;
}

static enum ipmasq_status dispatch(struct session *session, int argc, char **argv)
{
	struct module_call call = {argc, argv};
	struct ipmasq_error error;

	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(commands[i].name, argv[0]) != 0)
			continue;
		if (commands[i].run != complete)
			argc = take_flags(session, argc, argv);
		if (!session->flags.help)
			return commands[i].run(session, argc, argv);
		printf("ipmasqadm %s %s\n  %s\n", argv[0], commands[i].words, commands[i].help);
		return IPMASQ_OK;
	}
	if (!ipmasq_plugin_load(argv[0], &error)) {
		fprintf(stderr, "ipmasqadm: %s\n", error.text);
		return error.status;
	}
	return session_transaction(session, argv[0], module_body, &call);
}

/* Output that could not be written is a failure. */
static int finish(enum ipmasq_status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return (int)status;
	if (status == IPMASQ_OK)
		fprintf(stderr, "ipmasqadm: cannot write the output: %s\n", strerror(errno));
	return status == IPMASQ_OK ? IPMASQ_FAILED : (int)status;
}

/* A standard descriptor that is closed would become our netlink socket; using it is to fail. */
static void hold_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			return;
}

int main(int argc, char **argv)
{
	struct session session = {0};
	struct ipmasq_error error;
	enum ipmasq_status status;
	int i;

	hold_standard_descriptors();
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-V") == 0 || strcmp(argv[i], "--version") == 0) {
			puts(PACKAGE_STRING);
			return finish(IPMASQ_OK);
		}
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
			usage(stdout);
			return finish(IPMASQ_OK);
		}
		if (strcmp(argv[i], "-e") == 0 && i + 1 < argc && strcmp(argv[i + 1], "kernel") == 0) {
			i++;
		} else if (strcmp(argv[i], "-e") == 0) {
			fprintf(stderr, "ipmasqadm: -e %s: the engine is `kernel`\n",
				i + 1 < argc ? argv[i + 1] : "");
			return IPMASQ_USAGE;
		} else if (!set_flag(&session, argv[i])) {
			fprintf(stderr, "ipmasqadm: there is no option '%s'; ipmasqadm -h lists them\n",
				argv[i]);
			return IPMASQ_USAGE;
		}
	}
	if (i == argc) {
		usage(stderr);
		return IPMASQ_USAGE;
	}
	session.engine = ipmasq_engine_kernel(&error);
	if (!session.engine) {
		fprintf(stderr, "ipmasqadm: %s\n", error.text);
		return IPMASQ_FAILED;
	}
	status = dispatch(&session, argc - i, argv + i);
	ipmasq_engine_close(session.engine);
	return finish(status);
}
