// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * compare: two commands as whole processes, run in turn, medians and their ratio.
 *
 *   compare ROUNDS 'COMMAND A' 'COMMAND B' ['BEFORE A' ['BEFORE B']]
 *
 * Words are split at blanks, no shell; `{}` in a word is the number of the round.  The BEFORE
 * commands are not timed.  A and B alternate, so that a machine that slows down slows both.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>

#define WORDS_MAX 64

extern char **environ;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Replaces every `{}` of `command` by `round` in a copy. */
static char *substitute(const char *command, int round)
{
	char *text = NULL, number[16];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		exit(1);
	snprintf(number, sizeof(number), "%d", round);
	for (; *command; command++) {
		if (command[0] == '{' && command[1] == '}') {
			fputs(number, out);
			command++;
		} else {
			fputc(*command, out);
		}
	}
	fclose(out);
	return text;
}

/* Seconds that the command took; a command that fails ends the run. */
static double run(const char *command, int round)
{
	char *text = substitute(command, round), *rest = text, *words[WORDS_MAX + 1];
	posix_spawn_file_actions_t actions;
	double begin;
	int n = 0, status;
	pid_t pid;

	for (char *word; n < WORDS_MAX && (word = strsep(&rest, " "));)
		if (*word)
			words[n++] = word;
	words[n] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	begin = now();
	if (posix_spawnp(&pid, words[0], &actions, NULL, words, environ) != 0 ||
	    waitpid(pid, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "compare: failed: %s\n", command);
		exit(1);
	}
	begin = now() - begin;
	posix_spawn_file_actions_destroy(&actions);
	free(text);
	return begin;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *list, int n)
{
	qsort(list, (size_t)n, sizeof(*list), ascending);
	return list[n / 2];
}

int main(int argc, char **argv)
{
	int rounds = argc > 3 ? atoi(argv[1]) : 0;
	double *times[2], medians[2];

	if (rounds < 1 || rounds > 100000) {
		fputs("usage: compare ROUNDS 'A' 'B' ['BEFORE A' ['BEFORE B']]\n", stderr);
		return 2;
	}
	for (int i = 0; i < 2; i++) {
		times[i] = calloc((size_t)rounds, sizeof(double));
		if (!times[i])
			return 1;
	}
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < 2; i++) {
			if (argc > 4 + i && *argv[4 + i])
				run(argv[4 + i], round + 1);
			times[i][round] = run(argv[2 + i], round + 1);
		}
	}
	for (int i = 0; i < 2; i++)
		medians[i] = median(times[i], rounds);
	printf("%.3f ms %.3f ms ratio %.2f\n", medians[0] * 1e3, medians[1] * 1e3,
	       medians[0] / medians[1]);
	return 0;
}
