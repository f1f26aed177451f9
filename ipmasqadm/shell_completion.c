// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Completion for readline: the same words that `ipmasqadm complete` has for other shells, and the
 * shell's own.  readline asks without any data of ours, hence the one variable here.
 */
#include "shell_terminal.h"
#include "command.h"
#include "line.h"

#include <readline/readline.h>

#include <stdlib.h>
#include <string.h>

static struct {
	struct shell *shell;
	char **words; /* what the word may become; readline takes and frees each */
	size_t n, next;
} completion;

static int keep_word(const char *word, void *data)
{
	char **words = reallocarray(completion.words, completion.n + 1, sizeof(*words));

	(void)data;
	if (!words)
		return -1;
	completion.words = words;
	words[completion.n] = strdup(word);
	return words[completion.n] ? (completion.n++, 0) : -1;
}

static char *next_word(const char *text, int state)
{
	(void)text;
	(void)state;
	return completion.next < completion.n ? completion.words[completion.next++] : NULL;
}

/* An engine of its own: the session's is only used by what is run. */
static void find_words(int argc, char **argv)
{
	struct session session = *completion.shell->session;
	struct shell shell = *completion.shell;
	struct ipmasq_error unused;

	session.engine = ipmasq_engine_kernel(&unused);
	shell.session = &session;
	shell_complete(&shell, argc, argv, keep_word, NULL);
	if (session.engine)
		ipmasq_engine_close(session.engine);
}

/* The words before the one that is typed, in the last of perhaps several pasted lines. */
static char **complete_word(const char *text, int start, int end)
{
	char *before = strndup(rl_line_buffer, (size_t)start), *typed = strdup(text), *line;
	char *words[LINE_WORDS_MAX + 2];
	struct ipmasq_error unused;
	char **matches = NULL;
	int n;

	(void)end;
	if (!before || !typed)
		goto out;
	line = strrchr(before, '\n');
	line = line ? line + 1 : before;
	n = line_split(line, strlen(line), words, &unused);
	if (n < 0)
		goto out;
	words[n] = typed;
	words[n + 1] = NULL;
	completion.n = completion.next = 0;
	find_words(n + 1, words);
	matches = completion.n ? rl_completion_matches(text, next_word) : NULL;
	rl_attempted_completion_over =
		matches || n == 0 || !command_takes_file(completion.shell->session, words[0]);
out:
	free(typed);
	free(before);
	return matches;
}

void completion_open(struct shell *shell)
{
	completion.shell = shell;
	rl_attempted_completion_function = complete_word;
	rl_completer_word_break_characters = (char *)(uintptr_t) " \t\n";
	rl_completer_quote_characters = NULL;
}
