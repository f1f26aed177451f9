/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.h - the fields of records, for record.c and for helpers whose state is in them.
 *
 * Both directions of the format are one list of fields: a cursor either writes what a field has or
 * reads it.  Numbers are in network byte order.  Reading behind the end leaves a field as it is and
 * is remembered.  What is read may be anything: who lists the fields makes it fit.
 */
#ifndef LIBALIAS_RECORD_H
#define LIBALIAS_RECORD_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct record_cursor {
	uint8_t *at;
	size_t left;
	bool reading, overrun;
};

static inline void record_bytes(struct record_cursor *c, void *field, size_t len)
{
	if (len > c->left) {
		c->overrun = true;
		return;
	}
	if (c->reading)
		memcpy(field, c->at, len);
	else
		memcpy(c->at, field, len);
	c->at += len;
	c->left -= len;
}

static inline void record_number8(struct record_cursor *c, uint8_t *field)
{
	record_bytes(c, field, 1);
}

/* A number of the host's byte order; what is in network order already goes as bytes. */
static inline void record_number32(struct record_cursor *c, uint32_t *field)
{
	uint32_t value = htonl(*field);

	record_bytes(c, &value, sizeof(value));
	*field = ntohl(value);
}

/* Two flags in a byte. */
static inline void record_flags(struct record_cursor *c, bool *first, bool *second)
{
	uint8_t flags = (uint8_t)(*first | *second << 1);

	record_number8(c, &flags);
	*first = flags & 1;
	*second = flags & 2;
}

#endif
