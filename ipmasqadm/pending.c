// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A transaction of several command lines: the lines themselves are what is kept.
 *
 * Each time they are all run again, on a fresh table, within one transaction: to try one more
 * line, to show what would change, to commit.  So nothing is held open while somebody thinks, a
 * writer that comes between costs a repetition as everywhere, and a line that fails, or is
 * interrupted, leaves nothing behind: it was never added.
 */
#include "pending.h"
#include "command.h"
#include "line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int pending_add(struct pending *pending, const char *text, size_t number)
{
	struct pending_line *lines = reallocarray(pending->lines, pending->n + 1, sizeof(*lines));

	if (!lines)
		return -1;
	pending->lines = lines;
	lines[pending->n] = (struct pending_line){strdup(text), number};
	if (!lines[pending->n].text)
		return -1;
	pending->n++;
	return 0;
}

void pending_take(struct pending *pending)
{
	free(pending->lines[--pending->n].text);
}

void pending_drop(struct pending *pending)
{
	while (pending->n)
		pending_take(pending);
	free(pending->lines);
	*pending = (struct pending){0};
}

/* Messages that were kept, each behind `line N: `. */
static void print_messages(FILE *err, char *text, size_t number)
{
	for (char *line; (line = strsep(&text, "\n"));)
		if (*line)
			fprintf(err, "line %zu: %s\n", number, line);
}

static enum ipmasq_status run_words(const struct session *session, char *text)
{
	char *words[LINE_WORDS_MAX + 1];
	struct session copy = *session;
	struct ipmasq_error error;
	int n = line_split(text, strlen(text), words, &error);

	if (n > 0)
		return command_run(&copy, n, words);
	if (n < 0)
		fprintf(session->err, "%s\n", error.text);
	return n < 0 ? IPMASQ_USAGE : IPMASQ_OK;
}

enum ipmasq_status pending_run_line(const struct session *session, const char *text, size_t number)
{
	struct session copy = *session;
	enum ipmasq_status status = IPMASQ_FAILED;
	char *line = strdup(text), *messages = NULL;
	size_t length;

	if (number)
		copy.err = open_memstream(&messages, &length);
	if (line && copy.err)
		status = run_words(&copy, line);
	else
		fputs("out of memory\n", session->err);
	if (number && copy.err) {
		fclose(copy.err);
		print_messages(session->err, messages, number);
	}
	free(messages);
	free(line);
	return status;
}

struct replay {
	const struct pending *pending;
	const struct session *session;
	FILE *nowhere;
	bool aloud, last_aloud;
};

static int replay_lines(struct ipmasq_context *context, void *data)
{
	const struct replay *replay = data;
	const struct pending *pending = replay->pending;
	struct session session = *replay->session;

	session.within = context;
	for (size_t i = 0; i < pending->n; i++) {
		bool aloud = replay->aloud || (replay->last_aloud && i + 1 == pending->n);
		enum ipmasq_status status;

		session.out = aloud ? context->out : replay->nowhere;
		status = pending_run_line(&session, pending->lines[i].text,
					  pending->lines[i].number);
		if (status != IPMASQ_OK)
			return (int)status;
	}
	return IPMASQ_OK;
}

enum ipmasq_status pending_run(const struct pending *pending, const struct session *session,
			       enum pending_end end, bool aloud)
{
	struct session whole = *session;
	struct replay replay = {pending, session, fopen("/dev/null", "we"), aloud,
				end == PENDING_TRY};
	enum ipmasq_status status;

	if (!replay.nowhere) {
		fprintf(session->err, "cannot open /dev/null: %s\n", strerror(errno));
		return IPMASQ_FAILED;
	}
	whole.trial = end == PENDING_TRY;
	whole.flags.dry_run |= end == PENDING_SHOW;
	status = session_transaction(&whole, NULL, replay_lines, &replay);
	fclose(replay.nowhere);
	return status;
}
