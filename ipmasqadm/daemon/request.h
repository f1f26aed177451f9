/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests out of the bytes of a control connection. */
#ifndef IPMASQD_REQUEST_H
#define IPMASQD_REQUEST_H

#include "line.h"

#include <ipmasq/error.h>
#include <stdbool.h>
#include <stddef.h>

#define REQUEST_LINE_MAX 65536u      /* with its end */
#define REQUEST_BODY_MAX (64u << 20) /* a rules file */

enum request_state {
	REQUEST_MORE,   /* its end has not come yet */
	REQUEST_WHOLE,  /* to be carried out */
	REQUEST_WRONG,  /* to be answered with the error; the next one can be found */
	REQUEST_BROKEN, /* the same, but where the next one begins is not known */
};

/* A command line, and for `restore` the file behind it; points into the reader. */
struct request {
	int argc;
	char *argv[LINE_WORDS_MAX + 2];
	const char *body; /* NULL: none */
	size_t body_length;
};

/* What has come by a connection and is not answered yet. */
struct request_reader {
	char *bytes; /* without the line that is taken */
	size_t length, room;
	size_t searched; /* no line end before it */
	char *line;      /* cut into words; NULL: it is not whole */
	enum request_state state;
	struct request request;
	struct ipmasq_error error; /* with REQUEST_WRONG and REQUEST_BROKEN */
};

void request_reader_free(struct request_reader *reader);

/* Where up to *size next bytes may be put; *size is 0 while a request waits, NULL: no memory. */
char *request_space(struct request_reader *reader, size_t *size);

/* So many bytes were put there. */
void request_add(struct request_reader *reader, size_t length);

/* What the reader has; a request stays until request_done(). */
enum request_state request_look(struct request_reader *reader);

/* The bytes come to an end: what is begun is broken, the state says what there is. */
enum request_state request_end(struct request_reader *reader);

/* Nothing more is waited for: what is begun is broken, for this reason. */
void request_break(struct request_reader *reader, const char *why);

/* Takes out what request_look() has found, WHOLE or WRONG. */
void request_done(struct request_reader *reader);

#endif
