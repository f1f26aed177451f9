// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipmasqadm: the dispatcher.  Options, then a command line, which command.c carries out.
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
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
	      "  -e kernel   the engine that the rules are for\n"
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

/* A standard descriptor that is closed would become our netlink socket; using it is to fail. */
static void hold_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			return;
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

int main(int argc, char **argv)
{
	struct session session = {.out = stdout, .err = stderr};
	struct ipmasq_error error;
	enum ipmasq_status status;
	char *module = NULL, shell[] = "shell";
	int i = 1;

	hold_standard_descriptors();
	if (argc > 0 && (module = old_name(argv[0]))) {
		argv[0] = module;
		i = 0;
	}
	for (; !module && i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "-V") == 0 || strcmp(argv[i], "--version") == 0) {
			puts(PACKAGE_STRING);
			return finish(IPMASQ_OK);
		}
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
			usage(stdout);
			return finish(IPMASQ_OK);
		}
		if (strcmp(argv[i], "-k") == 0) /* the shell's */
			break;
		if (strcmp(argv[i], "-e") == 0 && i + 1 < argc && strcmp(argv[i + 1], "kernel") == 0) {
			i++;
		} else if (strcmp(argv[i], "-e") == 0) {
			fprintf(stderr, "ipmasqadm: -e %s: the engine is `kernel`\n",
				i + 1 < argc ? argv[i + 1] : "");
			return IPMASQ_USAGE;
		} else if (!command_flag(&session, argv[i])) {
			fprintf(stderr, "ipmasqadm: there is no option '%s'; ipmasqadm -h lists them\n",
				argv[i]);
			return IPMASQ_USAGE;
		}
	}
	if (i == argc && !lines_may_come()) {
		usage(stderr);
		return IPMASQ_USAGE;
	}
	if (i == argc || argv[i][0] == '-')
		argv[--i] = shell;
	session.engine = ipmasq_engine_kernel(&error);
	if (!session.engine) {
		fprintf(stderr, "ipmasqadm: %s\n", error.text);
		return IPMASQ_FAILED;
	}
	status = command_run(&session, argc - i, argv + i);
	ipmasq_engine_close(session.engine);
	return finish(status);
}
