/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines of portfw, or of the plugin of the test, in memory, one a transaction. */
#ifndef TESTS_COMMAND_H
#define TESTS_COMMAND_H

#include "memory_engine.h"

#include <ipmasq/plugin.h>

#define COMMAND_WORDS_MAX 64
#define COMMAND_LINE_MAX  1024

/* A command line cut into words. */
struct command {
	char text[COMMAND_LINE_MAX];
	char *argv[COMMAND_WORDS_MAX + 1];
	int argc;
};

/* Cuts a copy of `line` at blanks; `''` is an empty word. */
void command_split(struct command *command, const char *line);

/* What became of a call. */
struct result {
	int status;
	size_t n_pending; /* changes in the table when run() returned */
	struct ipmasq_error error;
	char *output; /* to be freed by result_free() */
};

/* Runs the plugin; commits when it succeeds and it is no --dry-run. */
void command_run_argv(struct memory_engine *memory, int argc, char **argv, struct result *result);
void command_run(struct memory_engine *memory, const char *line, struct result *result);
void result_free(struct result *result);

/*
 * The command lines that make all rules of the engine again, in the order of listings, each
 * with its '\n'; to be freed.
 */
char *command_format_all(const struct memory_engine *memory);

#endif
