// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grammar of a command line as text: words between blanks or tabs, without quoting; a word
 * that begins with `#` and what follows it are a comment.  A CR at the end is a blank, so that
 * files from elsewhere are understood.
 */
#include "line.h"

#include <string.h>

#define BLANKS " \t\r\n"

int line_split(char *line, size_t length, char **words, struct ipmasq_error *error)
{
	int n = 0;

	if (memchr(line, '\0', length))
		return ipmasq_usage(error, "there is a NUL byte in this line");
	for (char *word = strtok_r(line, BLANKS, &line); word && *word != '#';
	     word = strtok_r(NULL, BLANKS, &line)) {
		if (n == LINE_WORDS_MAX)
			return ipmasq_usage(error, "more than %d words", LINE_WORDS_MAX);
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}
