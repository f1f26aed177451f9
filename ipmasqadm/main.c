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

static void usage(FILE *out)
{
	fputs("usage: ipmasqadm [-n] [-v] [--json] [--dry-run] [--kill] MODULE [options]\n"
	      "       ipmasqadm MODULE -h\n"
	      "       ipmasqadm COMMAND\n\n",
	      out);
	command_list(out);
	fputs("\noptions:\n"
	      "  -n          numeric: look no name up\n"
	      "  -v          verbose: list counters, too\n"
	      "  --json      list as JSON\n"
	      "  --dry-run   show what would change, change nothing\n"
	      "  --kill      end the TCP connections of what is removed, too\n"
	      "  -e ENGINE   the engine that has the rules: `kernel`, `user` for the ipmasqd that runs,\n"
	      "              or the path of an ipmasqd's socket; default: IPMASQADM_ENGINE, or kernel\n"
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

int main(int argc, char **argv)
{
	struct session session = {.out = stdout, .err = stderr};
	const char *engine = secure_getenv("IPMASQADM_ENGINE"), *named;
	int status, i;

	standard_hold();
	if (!engine || !*engine)
		engine = "kernel";
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-V") == 0 || strcmp(argv[i], "--version") == 0) {
			puts(PACKAGE_STRING);
			return finish(IPMASQ_OK);
		}
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
			usage(stdout);
			return finish(IPMASQ_OK);
		}
		named = engine_option(argc, argv, &i);
		if (named) {
			engine = named;
		} else if (!command_flag(&session, argv[i])) {
			fprintf(stderr, "ipmasqadm: there is no option '%s'; ipmasqadm -h lists them\n",
				argv[i]);
			return IPMASQ_USAGE;
		}
	}
	if (i == argc) {
		usage(stderr);
		return IPMASQ_USAGE;
	}
	status = choose_engine(&session, engine);
	if (status != IPMASQ_OK)
		return status;
	status = (int)command_run(&session, argc - i, argv + i);
	ipmasq_engine_close(session.engine);
	return finish((enum ipmasq_status)status);
}
