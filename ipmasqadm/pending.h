/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that were typed one by one and become one transaction: begin, commit and abort. */
#ifndef IPMASQADM_PENDING_H
#define IPMASQADM_PENDING_H

#include "session.h"

struct pending_line {
	char *text;
	size_t number; /* of the line in its input, for messages; 0: not told */
};

struct pending {
	bool begun;
	bool broken;   /* a line is missing that should be here: not to be committed */
	size_t number; /* of the line that began it */
	struct pending_line *lines;
	size_t n;
};

/* What pending_run() does with the lines. */
enum pending_end {
	PENDING_TRY,    /* run them, show what the last one says, change nothing */
	PENDING_SHOW,   /* run them, show what they would change, change nothing */
	PENDING_COMMIT, /* run them and commit */
};

/* Puts a copy of `text` behind the lines; -1: out of memory. */
int pending_add(struct pending *pending, const char *text, size_t number);

/* Takes the last line off again. */
void pending_take(struct pending *pending);

/* Forgets the lines: nothing is begun. */
void pending_drop(struct pending *pending);

/*
 * pending_run - all lines in one transaction.  With `aloud`, each one's output is shown, else (but
 * for PENDING_TRY's last one) none.
 */
enum ipmasq_status pending_run(const struct pending *pending, const struct session *session,
			       enum pending_end end, bool aloud);

/*
 * Runs the line `text` in `session`.  With a `number`, its messages begin with it.
 */
enum ipmasq_status pending_run_line(const struct session *session, const char *text, size_t number);

#endif
