/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines as text: of a rules file, of the shell, of a request to ipmasqd. */
#ifndef IPMASQADM_LINE_H
#define IPMASQADM_LINE_H

#define LINE_WORDS_MAX 64

/*
 * line_split - cut `line` into words in place, at blanks; a word that begins with `#` and what
 * follows it are a comment.  `words` has room for LINE_WORDS_MAX + 1, the last is NULL.  Returns
 * their number, or -1 when there are more.
 */
int line_split(char *line, char **words);

#endif
