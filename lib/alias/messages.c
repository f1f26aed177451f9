/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * messages.c - following binary messages through a TCP stream; messages.h says how.
 *
 * m->next is where the first message that has not been seen starts.  The starts of the last few
 * messages are kept, since a segment that is sent again may begin anywhere before one of them.
 * All of it is in sequence numbers of the sender.
 */
#include "messages.h"

#include <netinet/tcp.h>

static uint32_t segment_seq(const struct packet *p)
{
	return ntohl(load32(p->l4 + 4));
}

bool message_can_store(const struct message *message, uint32_t at, uint32_t len)
{
	uint32_t offset, present, before = message->seq + at - segment_seq(message->p);

	helper_payload(message->p, &offset, &present);
	return at + len <= message->len && before < present && len <= present - before;
}

bool message_store(struct message *message, uint32_t at, const void *bytes, uint32_t len)
{
	uint32_t offset, present, seq = message->seq + at;

	if (!message_can_store(message, at, len))
		return false;
	helper_payload(message->p, &offset, &present);
	return helper_replace(message->la, message->link, message->p, message->dir,
			      offset + seq - segment_seq(message->p), seq, len, bytes, len);
}

static void remember_start(struct messages *m, uint32_t seq)
{
	for (int i = 0; i < MESSAGE_STARTS && i < m->starts; i++)
		if (m->start[i] == seq)
			return;
	m->start[m->starts % MESSAGE_STARTS] = seq;
	m->starts++;
	if (m->starts == 2 * MESSAGE_STARTS)
		m->starts = MESSAGE_STARTS;
}

/* The first message that starts in these bytes; false: none is known to. */
static bool first_start(const struct messages *m, uint32_t seq, uint32_t len, uint32_t *start)
{
	uint32_t nearest = m->next - seq;

	for (int i = 0; i < MESSAGE_STARTS && i < m->starts; i++)
		if (m->start[i] - seq < nearest)
			nearest = m->start[i] - seq;
	*start = seq + nearest;
	return nearest < len;
}

/* How many bytes of a message have to be together; 0: it is none. */
static uint32_t wanted(const struct message_format *format, const uint8_t *data, uint32_t len,
		       uint32_t *length)
{
	*length = 0;
	if (len < format->head)
		return format->head;
	*length = format->length(data);
	return *length < format->need ? *length : format->need;
}

/*
 * Reads what there is of a message, or keeps it for the next segment.  The message's length, or 0:
 * that is not known yet, or it is none and the stream is followed no more.
 */
static uint32_t read_message(struct messages *m, const struct message_format *format,
			     struct message *msg, void (*each)(struct message *message))
{
	uint32_t length, want = wanted(format, msg->data, msg->len, &length);

	if (!want) {
		m->following = false;
	} else if (msg->len < want) {
		m->part_seq = msg->seq;
		m->part_len = (uint8_t)msg->len;
		memmove(m->part, msg->data, msg->len);
	} else {
		msg->len = want;
		each(msg);
	}
	return length;
}

/* Does the segment go on with a message whose first part has passed?  Adds to what is kept. */
static bool continues_part(struct messages *m, const struct message_format *format,
			   struct message *msg, const uint8_t *data, uint32_t seq, uint32_t len)
{
	uint32_t before = seq - m->part_seq, length, more;

	if (!before || before > m->part_len ||
	    before >= wanted(format, m->part, m->part_len, &length))
		return false;
	more = format->need - before < len ? format->need - before : len;
	memcpy(m->part + before, data, more);
	m->part_len = (uint8_t)(before + more);
	*msg = (struct message){m->part, m->part_len, m->part_seq, msg->dir,
				msg->la, msg->link,   msg->p};
	return true;
}

/* The first message to read in the segment; false: none. */
static bool find_message(const struct messages *m, const struct message_format *format,
			 struct message *msg, const uint8_t *data, uint32_t seq, uint32_t len)
{
	uint32_t start;

	if (!first_start(m, seq, len, &start)) {
		if ((int32_t)(seq - m->next) <= 0 || len < format->head || !format->length(data))
			return false;
		start = seq;
	}
	msg->seq = start;
	msg->data = data + (start - seq);
	msg->len = seq + len - start;
	return true;
}

void messages_each(struct libalias *la, struct link *link, struct packet *p, enum direction dir,
		   struct messages *m, const struct message_format *format,
		   void (*each)(struct message *message))
{
	struct message msg = {.dir = dir, .la = la, .link = link, .p = p};
	uint32_t seq = segment_seq(p), offset, len, length;
	const uint8_t *data = helper_payload(p, &offset, &len);

	if (p->l4[13] & TH_SYN) {
		*m = (struct messages){.following = true, .next = seq + 1};
		return;
	}
	if (!m->following || !len ||
	    (!continues_part(m, format, &msg, data, seq, len) &&
	     !find_message(m, format, &msg, data, seq, len)))
		return;
	for (;;) {
		remember_start(m, msg.seq);
		length = read_message(m, format, &msg, each);
		if (!length)
			return;
		msg.seq += length;
		if ((int32_t)(msg.seq - m->next) > 0)
			m->next = msg.seq;
		if (msg.seq - seq >= len)
			return;
		msg.data = data + (msg.seq - seq);
		msg.len = seq + len - msg.seq;
	}
}
