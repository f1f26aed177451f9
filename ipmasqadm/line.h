/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines as text: in rules files, in the shell and from a pipe. */
#ifndef IPMASQADM_LINE_H
#define IPMASQADM_LINE_H

#include <ipmasq/error.h>
#include <stddef.h>

#define LINE_WORDS_MAX 64

/*
 * line_split - cut `line` of `length` bytes, and a NUL behind them, into words in place.
 *
 * `words` has room for LINE_WORDS_MAX words and a NULL behind them.  Returns how many there are,
 * 0 for an empty line or a comment, or -1 with a usage error.
 */
int line_split(char *line, size_t length, char **words, struct ipmasq_error *error);

#endif
