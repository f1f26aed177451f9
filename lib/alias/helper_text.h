/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_text.h - what helpers of text protocols share: reading words, and following a TCP stream.
 *
 * A text_span is a part of a packet or message that is being read; reading moves it on and never
 * beyond its end.  A text_stream knows where in a TCP stream units (lines, or whole messages)
 * begin, so that what merely looks like one in the middle of another is not believed.
 */
#ifndef LIBALIAS_HELPER_TEXT_H
#define LIBALIAS_HELPER_TEXT_H

#include "helper.h"

struct text_span {
	const char *at, *end;
};

static inline uint32_t text_left(const struct text_span *s)
{
	return (uint32_t)(s->end - s->at);
}

/* Reads a decimal number of at most max. */
bool text_number(struct text_span *s, uint32_t max, uint32_t *value);
/* Reads four numbers with dots between them; network byte order. */
bool text_address(struct text_span *s, uint32_t *addr);
/* Reads this character. */
bool text_char(struct text_span *s, char c);
/* Reads this word, letters in any case; the character behind it is not looked at. */
bool text_word(struct text_span *s, const char *word);
/* Reads up to this character; false, and nothing was read, if it does not come. */
bool text_find(struct text_span *s, char c);
/* Reads blanks and tabs, if there are any. */
void text_blanks(struct text_span *s);
/* The next line without its end, which is read, too; false: no newline comes. */
bool text_line(struct text_span *s, struct text_span *line);
/* Do these bytes begin like the word, letters in any case, as far as they go? */
bool text_may_become(const char *text, uint32_t len, const char *word);

/* The length of a message's header with the empty line that ends it; 0: that is not there. */
uint32_t text_header(const char *text, uint32_t len);
/* The number in field name, or its short form (NULL: none), of a header; false: it is bad. */
bool text_header_number(const char *header, uint32_t len, const char *name, const char *brief,
			uint32_t *value);
/* Reads a field's name, or its short form (NULL: none), and the colon. */
bool text_field(struct text_span *line, const char *name, const char *brief);

/* Where new text is written; what does not fit makes it full and is left out. */
struct text_out {
	char *text;
	uint32_t len, size;
	bool full;
};

void text_put(struct text_out *out, const char *from, const char *to);
void text_print(struct text_out *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* An address in dotted form. */
#define TEXT_ADDRESS 16
const char *text_of_address(uint32_t addr, char text[TEXT_ADDRESS]);

/* struct helper's begins for text protocols: words, but no request of a web browser. */
enum helper_verdict text_begins(const uint8_t *first, uint32_t len);
/* The same for protocols that begin with one of these words, up to a NULL. */
enum helper_verdict text_begins_with(const uint8_t *first, uint32_t len, const char *const *words);

/* What the bytes at the beginning of a unit are. */
enum text_measure {
	TEXT_UNIT,  /* a unit whose length is known */
	TEXT_MORE,  /* the start of one that is of interest: wait for the rest */
	TEXT_OTHER, /* the start of one that is of no interest */
	TEXT_ALIEN, /* none of this protocol: no helper for the rest of the connection */
};

/* A unit, or what is there of it, in a packet. */
struct text_place {
	struct libalias *la;
	struct link *link;
	struct packet *p;
	enum direction dir;
	const char *text; /* in the packet */
	uint32_t len;
	uint32_t offset, seq; /* of the text */
	bool again;           /* it was translated before */
};

/* Replaces a part of the text, as helper_replace() does; what was read from it is void then. */
bool text_replace(const struct text_place *at, const char *from, const char *to, const char *new,
		  uint32_t new_len);

struct text_protocol {
	/* At the start of a unit: the bytes to see before it is translated, and all of its bytes.
	 */
	enum text_measure (*measure)(const char *text, uint32_t len, uint32_t *need,
				     uint32_t *total);
	/* Translates a unit; was it changed? */
	bool (*translate)(const struct text_place *unit);
	/* Where the next unit may start in a segment of unknown place, or TEXT_NOWHERE. */
	uint32_t (*resume)(const char *text, uint32_t len);
	uint32_t held_max; /* bytes of a unit that are held back; 0: no unit is changed */
	/* All that is said is read: what is too long to be judged is none of this protocol. */
	bool strict;
};

#define TEXT_NOWHERE UINT32_MAX

/* One direction of a connection, zeroed at first. */
struct text_stream {
	bool known, given_up;
	bool valid;            /* a unit has been seen */
	uint32_t next;         /* sequence number of the start of the next unit */
	uint32_t given_up_seq; /* of a unit that is too large to be put together */
	uint32_t held_seq, held_len;
	char held[]; /* held_max of them */
};

/* The room that a stream takes. */
#define TEXT_STREAM_SIZE(held_max) ((sizeof(struct text_stream) + (held_max) + 7) & ~(size_t)7)

/* Follows a stream of the helper's with a packet of it, and translates the units that are in it. */
void text_run(struct libalias *la, struct link *link, struct packet *p, enum direction dir,
	      const struct text_protocol *protocol);

/* Lists the fields of the helper's streams that a restart must not lose. */
void text_record(struct record_cursor *c, const struct link *link);

/*
 * struct text_protocol's measure for messages like HTTP's, with a header, and a body as long as
 * Content-Length says, of this version ("RTSP/1.0"); the header needs to be there.
 */
enum text_measure text_measure_message(const char *version, const char *brief_length,
				       const char *text, uint32_t len, uint32_t *need,
				       uint32_t *total);
/* The same messages' resume: the start of the segment, if it is a first line. */
uint32_t text_resume_message(const char *version, const char *text, uint32_t len);

/* Line protocols: the start behind the next newline. */
uint32_t text_resume_line(const char *text, uint32_t len);

#endif
