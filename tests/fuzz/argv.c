// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: command lines of portfw on an engine in memory, words separated by newlines,
 * calls by an empty line, all with -n so that no name is looked up.
 *
 * Beyond not crashing: a call that fails leaves no change behind, a call that is wrong says
 * so with a sentence, and the lines that format() makes of the rules make the same rules.
 */
#include "command.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 64

static void check(const struct result *result)
{
	fuzz_require(result->status >= IPMASQ_OK && result->status <= IPMASQ_USAGE,
		     "an exit status that does not exist");
	if (result->status == IPMASQ_OK)
		return;
	fuzz_require(result->n_pending == 0, "a call that failed left a change behind");
	fuzz_require(result->error.text[0], "a call failed without a word");
	fuzz_require((int)result->error.status == result->status,
		     "the status of the error is another");
}

static void run(struct memory_engine *memory, int argc, char **argv)
{
	struct result result;

	command_run_argv(memory, argc, argv, &result);
	check(&result);
	result_free(&result);
}

/* Cuts the text at newlines in place and runs each call. */
static void run_calls(struct memory_engine *memory, char *text)
{
	static char name[] = "portfw", numeric[] = "-n";
	char *argv[COMMAND_WORDS_MAX + 1] = {name, numeric};
	int argc = 2, calls = 0;

	for (char *word; calls < CALLS_MAX && (word = strsep(&text, "\n"));) {
		if (*word && argc < COMMAND_WORDS_MAX) {
			argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
			if (text)
				continue;
		}
		argv[argc] = NULL;
		run(memory, argc, argv);
		argc = 2;
		calls++;
	}
}

static void run_lines(struct memory_engine *memory, const char *text)
{
	char *copy = strdup(text), *rest = copy;
	struct result result;

	if (!copy)
		abort();
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (!*line)
			continue;
		command_run(memory, line, &result);
		fuzz_require(result.status == IPMASQ_OK, "a formatted line does not run");
		result_free(&result);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_engine memory, again;
	char *text = strndup(size ? (const char *)data : "", size), *lines;

	if (!text)
		abort();
	memory_engine_open(&memory);
	memory_engine_open(&again);
	run_calls(&memory, text);
	lines = command_format_all(&memory);
	run_lines(&again, lines);
	fuzz_require(memory_engine_equal(&memory, &again), "format() made other rules");
	free(lines);
	free(text);
	memory_engine_close(&again);
	memory_engine_close(&memory);
	return 0;
}
