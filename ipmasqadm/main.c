// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipmasqadm: the dispatcher.  Options, then a command line, which command.c carries out.
 */
#include "command.h"
#include "remote.h"
#include "standard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void usage(FILE *out)
{
	fputs("usage: ipmasqadm [-n] [-v] [--json] [--dry-run] [--kill] MODULE [options]\n"
	      "       ipmasqadm MODULE -h\n"
	      "       ipmasqadm COMMAND\n"
	      "       ipmasqadm                 the shell; from a pipe, a command line a line\n\n",
	      out);
	command_list(out);
	fputs("\noptions:\n"
	      "  -n          numeric: look no name up\n"
	      "  -v          verbose: list counters, too\n"
	      "  --json      list as JSON\n"
	      "  --dry-run   show what would change, change nothing\n"
	      "  --kill      end the TCP connections of what is removed, too\n"
	      "  -e ENGINE   the engine that has the rules: `kernel`, `user` for the ipmasqd that "
	      "runs,\n"
	      "              or the path of an ipmasqd's socket; default: IPMASQADM_ENGINE, or "
	      "kernel\n"
	      "  -V          version\n"
	      "  -h          this help\n",
	      out);
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

/* The value of -e at argv[*i], in each of its spellings; NULL: it is another option. */
static const char *engine_option(int argc, char **argv, int *i)
{
	const char *word = argv[*i];

	if (strcmp(word, "-e") == 0 || strcmp(word, "--engine") == 0)
		return *i + 1 < argc ? argv[++*i] : "";
	if (strncmp(word, "--engine=", strlen("--engine=")) == 0)
		return word + strlen("--engine=");
	return strncmp(word, "-e", 2) == 0 ? word + 2 : NULL;
}

/* Opens what `word` names; the session has either an engine or a remote then. */
static int choose_engine(struct session *session, const char *word)
{
	struct ipmasq_error error;

	if (remote_engine(word, &session->remote, &error) == 0) {
		if (session->remote)
			return IPMASQ_OK;
		session->engine = ipmasq_engine_kernel(&error);
		if (session->engine)
			return IPMASQ_OK;
	}
	fprintf(stderr, "ipmasqadm: %s\n", error.text);
	return error.status;
}

/* The module that a program of old was, when this one is called by such a name. */
static char *old_name(const char *path)
{
	static struct {
		char name[16], module[16];
	} names[] = {{"ipportfw", "ipportfw"}, {"ipautofw", "autofw"}};
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(slash ? slash + 1 : path, names[i].name) == 0)
			return names[i].module;
	return NULL;
}

/* Somebody at a terminal, a pipe or a file; not a caller that has closed its input. */
static bool lines_may_come(void)
{
	struct stat input;

	return isatty(STDIN_FILENO) || (fstat(STDIN_FILENO, &input) == 0 &&
					(S_ISFIFO(input.st_mode) || S_ISREG(input.st_mode)));
}

/* Where the command line begins in argv, behind the options; below 0: -1 - the exit status. */
static int take_options(struct session *session, int argc, char **argv, const char **engine)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && strcmp(argv[i], "-k") != 0; i++) {
		const char *named;

		if (strcmp(argv[i], "-V") == 0 || strcmp(argv[i], "--version") == 0) {
			puts(PACKAGE_STRING);
			return -1 - finish(IPMASQ_OK);
		}
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
			usage(stdout);
			return -1 - finish(IPMASQ_OK);
		}
		named = engine_option(argc, argv, &i);
		if (named && !*named) {
			fputs("ipmasqadm: -e needs an engine; ipmasqadm -h says which there are\n",
			      stderr);
			return -1 - IPMASQ_USAGE;
		}
		if (named) {
			*engine = named;
		} else if (!command_flag(session, argv[i])) {
			fprintf(stderr,
				"ipmasqadm: there is no option '%s'; ipmasqadm -h lists them\n",
				argv[i]);
			return -1 - IPMASQ_USAGE;
		}
	}
	if (i < argc || lines_may_come())
		return i;
	usage(stderr);
	return -1 - IPMASQ_USAGE;
}

int main(int argc, char **argv)
{
	struct session session = {.out = stdout, .err = stderr};
	const char *engine = secure_getenv("IPMASQADM_ENGINE");
	char *module = argc > 0 ? old_name(argv[0]) : NULL, shell[] = "shell";
	int status, first = 0;

	standard_hold();
	if (!engine || !*engine)
		engine = "kernel";
	if (!module)
		first = take_options(&session, argc, argv, &engine);
	if (first < 0)
		return -1 - first;
	if (module)
		argv[0] = module;
	else if (first == argc || argv[first][0] == '-') /* nothing, or an option of the shell */
		argv[--first] = shell;
	status = choose_engine(&session, engine);
	if (status != IPMASQ_OK)
		return status;
	status = (int)command_run(&session, argc - first, argv + first);
	ipmasq_engine_close(session.engine);
	return finish((enum ipmasq_status)status);
}
