/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shell: command lines, one after the other, and a few words of its own.  On a terminal, the
 * part `shell` (shell_terminal.c) reads them.
 */
#ifndef IPMASQADM_SHELL_H
#define IPMASQADM_SHELL_H

#include "pending.h"

#define SHELL_INTERRUPTED 130 /* the status of a command that Ctrl-C ended, as in other shells */

struct shell;

/* A piece of work that Ctrl-C may end. */
typedef enum ipmasq_status (*shell_task)(struct shell *shell, const char *text);

struct shell {
	struct session *session;
	struct pending pending;
	bool terminal; /* somebody looks on: lines of a transaction are tried when they come */
	bool leave;
	size_t number; /* of the line, when it is not from a terminal */
	int status;    /* of the last command */
	int (*apart)(struct shell *shell, shell_task task, const char *text); /* runs a task */
};

/* Runs a line; its status, which is shell->status, too, unless the line is empty. */
int shell_line(struct shell *shell, const char *text);

/* Visits what argv[argc-1] may become, in a line of the shell. */
int shell_complete(struct shell *shell, int argc, char **argv, ipmasq_line_visit visit, void *data);

/* The command of the dispatcher. */
enum ipmasq_status shell_run(struct session *session, int argc, char **argv);

#endif
