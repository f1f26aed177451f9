// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shell's own words, and lines that do not come from a terminal.
 *
 * A line is a word of the shell (begin, commit, abort, show, help, exit), or a command line, which
 * is run at once or, between begin and commit, kept (pending.c).  From a terminal it is tried
 * before it is kept, so that what is wrong is said where it was typed; from a pipe everything is
 * said at the commit, with the number of its line, so that a long transaction costs no more
 * than a rules file.
 */
#include "shell.h"
#include "command.h"
#include "line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct builtin {
	const char *name, *words, *help;
	int (*run)(struct shell *shell, int argc, char **argv); /* the status */
};

/* A message of the shell, with the line it is about. */
static void complain(struct shell *shell, const char *name, const char *text)
{
	if (!shell->terminal)
		fprintf(shell->session->err, "line %zu: ", shell->number);
	fprintf(shell->session->err, "%s: %s\n", name, text);
}

static int begin(struct shell *shell, int argc, char **argv)
{
	(void)argc;
	if (shell->session->remote) {
		complain(shell, argv[0],
			 "ipmasqd has the rules; give it a transaction of several "
			 "lines by restore -a");
		return IPMASQ_FAILED;
	}
	if (shell->pending.begun) {
		complain(shell, argv[0], "a transaction is open already; commit it or abort it");
		return IPMASQ_FAILED;
	}
	shell->pending.begun = true;
	shell->pending.number = shell->number;
	return IPMASQ_OK;
}

static bool is_open(struct shell *shell, const char *name)
{
	if (!shell->pending.begun)
		complain(shell, name, "no transaction is open; begin opens one");
	return shell->pending.begun;
}

static enum ipmasq_status commit_task(struct shell *shell, const char *text)
{
	(void)text;
	return pending_run(&shell->pending, shell->session, PENDING_COMMIT, !shell->terminal);
}

/* What could not be committed stays, on a terminal, to be looked at and tried again. */
static int commit(struct shell *shell, int argc, char **argv)
{
	int status;

	(void)argc;
	if (!is_open(shell, argv[0]))
		return IPMASQ_FAILED;
	if (shell->pending.broken) {
		complain(shell, argv[0],
			 "nothing was done, since a line of the transaction failed");
		pending_drop(&shell->pending);
		return IPMASQ_FAILED;
	}
	status = shell->apart(shell, commit_task, NULL);
	if (status == IPMASQ_OK || !shell->terminal)
		pending_drop(&shell->pending);
	else
		complain(shell, argv[0],
			 "not done; the transaction is still open: commit it again "
			 "or abort it");
	return status;
}

static int abort_pending(struct shell *shell, int argc, char **argv)
{
	(void)argc;
	if (!is_open(shell, argv[0]))
		return IPMASQ_FAILED;
	pending_drop(&shell->pending);
	return IPMASQ_OK;
}

static enum ipmasq_status show_task(struct shell *shell, const char *text)
{
	(void)text;
	return pending_run(&shell->pending, shell->session, PENDING_SHOW, false);
}

static int show(struct shell *shell, int argc, char **argv)
{
	(void)argc;
	return is_open(shell, argv[0]) ? shell->apart(shell, show_task, NULL) : IPMASQ_FAILED;
}

static int leave(struct shell *shell, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	shell->leave = true;
	return shell->terminal ? shell->status : IPMASQ_OK;
}

static int help(struct shell *shell, int argc, char **argv);

static const struct builtin builtins[] = {
	{"begin", "", "open a transaction: lines are kept until commit", begin},
	{"show", "", "show what the open transaction would change", show},
	{"commit", "", "make all changes of the open transaction at once, or none", commit},
	{"abort", "", "forget the open transaction", abort_pending},
	{"help", "[WORD]", "this help, or that of a command or module", help},
	{"exit", "", "leave, as Ctrl-D does", leave},
	{"quit", "", "leave", leave},
};

#define N_BUILTINS (sizeof(builtins) / sizeof(builtins[0]))

static const struct builtin *find(const char *name)
{
	for (size_t i = 0; i < N_BUILTINS; i++)
		if (strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	return NULL;
}

static enum ipmasq_status line_task(struct shell *shell, const char *text)
{
	return pending_run_line(shell->session, text, shell->terminal ? 0 : shell->number);
}

static int help(struct shell *shell, int argc, char **argv)
{
	const struct builtin *word = argc > 1 ? find(argv[1]) : NULL;
	FILE *out = shell->session->out;
	char line[64];

	if (argc > 1 && !word) {
		snprintf(line, sizeof(line), "%.40s -h", argv[1]);
		return shell->apart(shell, line_task, line);
	}
	if (!word)
		fputs("Lines are those of ipmasqadm without its name.  Of the shell:\n", out);
	for (size_t i = 0; i < N_BUILTINS; i++)
		if (!word || word == &builtins[i])
			fprintf(out, "  %-8s %-11s %s\n", builtins[i].name, builtins[i].words,
				builtins[i].help);
	if (!word) {
		fputc('\n', out);
		command_list(out);
	}
	fflush(out);
	return IPMASQ_OK;
}

static int run_builtin(struct shell *shell, const struct builtin *builtin, int argc, char **argv)
{
	char text[128];

	if (argc > 1 + (builtin->words[0] != '\0')) {
		snprintf(text, sizeof(text), "'%.80s' is one word too many", argv[argc - 1]);
		complain(shell, argv[0], text);
		return IPMASQ_USAGE;
	}
	return builtin->run(shell, argc, argv);
}

static enum ipmasq_status try_task(struct shell *shell, const char *text)
{
	(void)text;
	return pending_run(&shell->pending, shell->session, PENDING_TRY, false);
}

/* What is read from standard input cannot be read again. */
static bool reads_input(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-") == 0)
			return strcmp(argv[0], "restore") == 0;
	return false;
}

static int keep(struct shell *shell, const char *text, int argc, char **argv)
{
	int status = IPMASQ_OK;

	if (reads_input(argc, argv)) {
		complain(shell, argv[0],
			 "standard input cannot be read within a transaction; "
			 "name a file");
		return IPMASQ_USAGE;
	}
	if (pending_add(&shell->pending, text, shell->number) < 0) {
		complain(shell, argv[0], "out of memory");
		return IPMASQ_FAILED;
	}
	if (shell->terminal)
		status = shell->apart(shell, try_task, NULL);
	if (status != IPMASQ_OK)
		pending_take(&shell->pending);
	return status;
}

/* The words of `text` tell where it goes; the text itself is what goes there. */
int shell_line(struct shell *shell, const char *text)
{
	char *copy = strdup(text), *words[LINE_WORDS_MAX + 1];
	const struct builtin *builtin;
	struct ipmasq_error error;
	int n = copy ? line_split(copy, strlen(copy), words, &error)
		     : ipmasq_fail(&error, ENOMEM, "out of memory");

	builtin = n > 0 ? find(words[0]) : NULL;
	if (n < 0) {
		complain(shell, "shell", error.text);
		shell->status = (int)error.status;
	} else if (builtin) {
		shell->status = run_builtin(shell, builtin, n, words);
	} else if (n > 0 && strcmp(words[0], "shell") == 0) {
		complain(shell, words[0], "this is one");
		shell->status = IPMASQ_USAGE;
	} else if (n > 0 && shell->pending.begun && command_on_table(shell->session, words[0])) {
		shell->status = keep(shell, text, n, words);
	} else if (n > 0) {
		shell->status = shell->apart(shell, line_task, text);
	}
	free(copy);
	return n ? shell->status : IPMASQ_OK;
}

int shell_complete(struct shell *shell, int argc, char **argv, ipmasq_line_visit visit, void *data)
{
	const char *typed = argv[argc - 1];
	bool helping = argc > 1 && strcmp(argv[0], "help") == 0;
	int rc = 0;

	if (argc > 1 && !helping)
		return find(argv[0]) ? 0
				     : command_complete(shell->session, argc, argv, visit, data);
	for (size_t i = 0; i < N_BUILTINS && !rc; i++)
		if (strncmp(builtins[i].name, typed, strlen(typed)) == 0)
			rc = visit(builtins[i].name, data);
	return rc ? rc : command_complete(shell->session, 1, argv + argc - 1, visit, data);
}

static int run_here(struct shell *shell, shell_task task, const char *text)
{
	return (int)task(shell, text);
}

/* A NUL byte would hide what is behind it. */
static int run_read_line(struct shell *shell, const char *line, size_t length)
{
	if (strlen(line) == length)
		return shell_line(shell, line);
	complain(shell, "shell", "there is a NUL byte in this line");
	return IPMASQ_USAGE;
}

/* Lines from standard input; the status of the first that fails, which ends it unless `go_on`. */
static int run_lines(struct shell *shell, bool go_on)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int first = IPMASQ_OK, status;

	while (!shell->leave && (go_on || !first) && (length = getline(&line, &size, stdin)) >= 0) {
		shell->number++;
		status = run_read_line(shell, line, (size_t)length);
		first = first ? first : status;
		shell->pending.broken |= shell->pending.begun && status;
	}
	free(line);
	if (ferror(stdin)) {
		complain(shell, "shell", "cannot read any further");
		first = first ? first : IPMASQ_FAILED;
	}
	if (!first && shell->pending.begun) {
		shell->number = shell->pending.number;
		complain(shell, "begin", "there is no commit for it: nothing of it was done");
		first = IPMASQ_FAILED;
	}
	return first;
}

enum ipmasq_status shell_run(struct session *session, int argc, char **argv)
{
	struct shell shell = {.session = session, .apart = run_here};
	bool go_on = argc == 2 && strcmp(argv[1], "-k") == 0;
	int status;

	if (argc > 1 + go_on)
		return session_refuse(session, argv[argc - 1]);
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return command_run_part(session, argc, argv);
	status = run_lines(&shell, go_on);
	pending_drop(&shell.pending);
	return (enum ipmasq_status)status;
}
