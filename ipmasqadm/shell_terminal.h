/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the part `shell` is made of. */
#ifndef IPMASQADM_SHELL_TERMINAL_H
#define IPMASQADM_SHELL_TERMINAL_H

#include "shell.h"

/* The history of earlier sessions, and what is typed in this one. */
struct history {
	int fd; /* -1: it is not kept, which is no reason not to work */
};

/* Opens the user's file and has readline know its lines. */
void history_open(struct history *history);

/* Adds a line, to the file at once. */
void history_add(struct history *history, const char *line);

void history_close(struct history *history);

/* Has readline ask `shell` what a word may become. */
void completion_open(struct shell *shell);

#endif
