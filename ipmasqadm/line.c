// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The one lexical rule of command lines as text: words between blanks, `#` begins a comment,
 * nothing is quoted, since no word of a rule has a blank in it.
 */
#include "line.h"

#include <string.h>

#define BLANKS " \t\r"

int line_split(char *line, char **words)
{
	int n = 0;

	for (char *word = strtok_r(line, BLANKS, &line); word && *word != '#';
	     word = strtok_r(NULL, BLANKS, &line)) {
		if (n == LINE_WORDS_MAX)
			return -1;
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}
