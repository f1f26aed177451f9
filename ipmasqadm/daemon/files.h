/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of ipmasqd, which it cannot open any more once it has dropped its privileges: a child
 * that keeps the right to opens them, by the names that it was born with and no others.
 */
#ifndef IPMASQD_FILES_H
#define IPMASQD_FILES_H

#include <ipmasq/error.h>
#include <stdio.h>

/* NULL: there is none. */
struct files {
	const char *rules, *state, *pid, *socket;
};

/* Forks the child; with privilege, before there are threads. */
int files_start(const struct files *files, struct ipmasq_error *error);

/* What an errno value of the functions below says. */
const char *files_reason(int code);

/* The rules file, open for reading, or NULL with errno. */
FILE *files_rules(void);

/* The state file, open for reading, or NULL with errno. */
FILE *files_state(void);

/* A new state file, which takes the old one's place with files_keep_state(). */
FILE *files_new_state(void);
int files_keep_state(void);

/* Writes a line to the pid file. */
int files_write_pid(const char *line);

/* Remove what this process has made. */
void files_remove_pid(void);
void files_remove_socket(void);

/* Hangs up (POLLHUP) when the child has ended, which nothing makes good. */
int files_fd(void);

/* Ends the child. */
void files_end(void);

#endif
