/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * messages.h - binary messages in a TCP stream that say their own length, as PPTP and Skinny have.
 *
 * Reading begins with the SYN and goes from message to message by their lengths, one struct
 * messages for each direction.  What does not look like a message ends it for good, so that no web
 * page can speak the protocol from the middle of a request.  After a lost segment reading goes on
 * at a segment that starts with a message.
 *
 * Messages that are sent again are read again.  Of one that is split over segments the first part
 * is copied as it passes; when it is complete, only what lies in the present segment can be
 * changed.
 */
#ifndef LIBALIAS_MESSAGES_H
#define LIBALIAS_MESSAGES_H

#include "helper.h"

#define MESSAGE_HEAD_MAX 48
#define MESSAGE_STARTS   8

struct message_format {
	uint32_t head; /* bytes that length() looks at */
	uint32_t
		need; /* bytes that are shown, of messages that have so many; <= MESSAGE_HEAD_MAX */
	/* The length of the whole message, at least head; 0: this is none. */
	uint32_t (*length)(const uint8_t *head);
};

struct messages {
	bool following;
	uint8_t starts; /* how many start[] has, or the place of the oldest plus MESSAGE_STARTS */
	uint8_t part_len;
	uint32_t next; /* sequence number of the next message */
	uint32_t start[MESSAGE_STARTS];
	uint32_t part_seq;
	uint8_t part[MESSAGE_HEAD_MAX]; /* of the last message that was split */
};

/* A message and the packet that completes it. */
struct message {
	const uint8_t *data;
	uint32_t len; /* of data: the message, or as much of it as the format needs */
	uint32_t seq; /* of its first byte */
	enum direction dir;
	struct libalias *la;
	struct link *link;
	struct packet *p;
};

/* Calls each() with every message that the packet completes. */
void messages_each(struct libalias *la, struct link *link, struct packet *p, enum direction dir,
		   struct messages *m, const struct message_format *format,
		   void (*each)(struct message *message));

/* Do these bytes of the message lie in the packet, so that they can be changed? */
bool message_can_store(const struct message *message, uint32_t at, uint32_t len);
/* Changes them; false: they cannot be. */
bool message_store(struct message *message, uint32_t at, const void *bytes, uint32_t len);

#endif
