/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper_stream.c - following a TCP stream of text; helper_text.h has the interface.
 *
 * A unit counts only where one can start: at the start of the stream, behind another, or where one
 * that was translated began, which is being sent again.  Such a unit goes as it went the first
 * time (tcp_sequence.c has it), whatever part of it comes: TCP may cut it at another place and go
 * on only when that is acknowledged.  Its end without its start is cut off, as nothing behind the
 * start is acknowledged before the whole.  Of a segment whose place is unknown, since one before it
 * was not seen, the protocol says where it may go on; a strict one must have shown itself before
 * that.
 *
 * A unit that is split over segments is held back: its first part is cut from the packet and kept;
 * the next segment gets it put in front.  The sender sees no acknowledgment for the part in
 * between.  If the packet's buffer is too small for the whole, or a sender who has more to say
 * waits for the acknowledgment and sends the first piece once more, the pieces go their way
 * unchanged.
 */
#include "helper_text.h"

#include <netinet/tcp.h>

/* The stream of a direction, in the state of the link's helper. */
static struct text_stream *stream_of(const struct link *link, enum direction dir)
{
	const struct helper *helper = link->side->helper;
	size_t at = helper->state_size + (dir == IN ? helper->streams[OUT] : 0);

	return (struct text_stream *)((char *)helper_state(link) + at);
}

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* The unit that was translated and starts there; NULL: none. */
static const struct sequence_change *unit_at(const struct link *link, enum direction dir,
					     uint32_t seq)
{
	const struct sequence_change *unit;

	if (tcp_behind_changes(link->side, dir, seq))
		return NULL;
	unit = tcp_unit_from(link->side, dir, seq);
	return unit && unit->unit == seq ? unit : NULL;
}

static bool starts(const struct link *link, enum direction dir, const struct text_stream *s,
		   uint32_t seq)
{
	return (s->known && seq == s->next) || (s->held_len && seq == s->held_seq) ||
	       unit_at(link, dir, seq);
}

static void advance(struct text_stream *s, uint32_t seq)
{
	if (!s->known || after(seq, s->next))
		s->next = seq;
	s->known = true;
}

/* Have pieces of the unit there gone unchanged? */
static bool gave_up(const struct text_stream *s, uint32_t seq)
{
	return s->given_up && s->given_up_seq == seq;
}

/* May a unit be changed, so that this is done again whenever it is sent again? */
static bool may_change(const struct link *link, enum direction dir, const struct text_stream *s,
		       const struct text_protocol *protocol, uint32_t seq, uint32_t need)
{
	return !gave_up(s, seq) && (!protocol->held_max || (need <= protocol->held_max &&
							    tcp_has_room(link->side, dir, need)));
}

/* What is sent again, whole or in part and whatever it says now, goes as it went. */
static bool repeat(struct packet *p, uint32_t offset, uint32_t len,
		   const struct sequence_change *known)
{
	if (p->len - len + known->length > p->size || p->len - len + known->length > 65535)
		return false;
	return packet_replace(p, offset, len, known->text, known->length);
}

/* Puts the part that is held in front of a packet that continues it, or repeats a piece of it. */
static bool join_held(const struct link *link, enum direction dir, struct text_stream *s,
		      struct packet *p, uint32_t *seq)
{
	uint32_t offset, len, before = *seq - s->held_seq, same;

	helper_payload(p, &offset, &len);
	if (before > s->held_len || unit_at(link, dir, s->held_seq))
		return true;
	/* The sender waits for an acknowledgment before it goes on (RFC 896): so it gets one. */
	if (before + len <= s->held_len)
		goto give_up;
	if (p->len + s->held_len > p->size || p->len + s->held_len > 65535)
		goto give_up;
	/* What it repeats is as it was. */
	same = s->held_len - before;
	packet_replace(p, offset, same, s->held + before, same);
	packet_replace(p, offset, 0, s->held, before);
	*seq = s->held_seq;
	tcp_set_sequence(p, *seq);
	return true;
give_up:
	s->given_up = true;
	s->given_up_seq = s->held_seq;
	s->held_len = 0;
	return false;
}

/* Keeps the start of a unit and cuts it from the packet. */
static bool hold(struct text_stream *s, struct packet *p, uint32_t offset, uint32_t seq,
		 uint32_t len, uint32_t max)
{
	/* Nothing comes behind a FIN. */
	if (len > max || gave_up(s, seq) || p->l4[13] & TH_FIN)
		return false;
	memcpy(s->held, p->data + offset, len);
	s->held_len = len;
	s->held_seq = seq;
	packet_replace(p, offset, len, "", 0);
	return true;
}

/*
 * Handles what begins at a unit's start; moves *offset and *seq behind it.  false: nothing behind
 * it in this packet.
 */
static bool unit(struct libalias *la, struct link *link, struct packet *p, enum direction dir,
		 const struct text_protocol *protocol, struct text_stream *s, uint32_t *offset,
		 uint32_t *seq, uint32_t len)
{
	const struct sequence_change *known = unit_at(link, dir, *seq);
	uint32_t need = 0, total = 0, there, before;
	enum text_measure result =
		protocol->measure((const char *)p->data + *offset, len, &need, &total);

	if (known && (result != TEXT_UNIT || need > len)) {
		if (!known->text || !repeat(p, *offset, len, known))
			packet_replace(p, *offset, len, "", 0);
		return false;
	}
	switch (result) {
	case TEXT_ALIEN:
		helper_detach(la, link);
		return false;
	case TEXT_OTHER:
		return false;
	case TEXT_MORE:
		if (!hold(s, p, *offset, *seq, len, protocol->held_max) && protocol->strict)
			helper_detach(la, link);
		return false;
	case TEXT_UNIT:
		break;
	}
	if (need > len && hold(s, p, *offset, *seq, len, protocol->held_max))
		return false;
	s->valid = true;
	advance(s, *seq + total);
	there = total < len ? total : len;
	if (need > len)
		return false;
	before = p->len;
	if (known && known->text) {
		if (!repeat(p, *offset, need, known)) {
			packet_replace(p, *offset, len, "", 0);
			return false;
		}
	} else if (may_change(link, dir, s, protocol, *seq, need) &&
		   protocol->translate(&(struct text_place){la, link, p, dir,
							    (const char *)p->data + *offset, there,
							    *offset, *seq, known})) {
		tcp_remember_unit(link->side, dir, *seq, *seq + need, p->data + *offset,
				  need + p->len - before);
	}
	*offset += there + p->len - before;
	*seq += there;
	return total < len;
}

/*
 * The bytes before the next unit in a segment that begins before the newest.  The end of a unit
 * that was translated is cut off: it comes when that is sent again from its start.
 */
static uint32_t again(const struct link *link, struct packet *p, enum direction dir,
		      const struct text_stream *s, uint32_t *seq)
{
	const struct sequence_change *next;
	uint32_t skip, offset, len;

	if (tcp_behind_changes(link->side, dir, *seq))
		return s->next - *seq;
	next = tcp_unit_from(link->side, dir, *seq);
	skip = (next ? next->unit : s->next) - *seq;
	if (!tcp_in_unit(link->side, dir, *seq))
		return skip;
	helper_payload(p, &offset, &len);
	skip = skip < len ? skip : len;
	packet_replace(p, offset, skip, "", 0);
	*seq += skip;
	tcp_set_sequence(p, *seq);
	return skip < len ? 0 : TEXT_NOWHERE;
}

void text_run(struct libalias *la, struct link *link, struct packet *p, enum direction dir,
	      const struct text_protocol *protocol)
{
	uint32_t seq = ntohl(load32(p->l4 + 4)), offset, len, skip;
	struct text_stream *s = stream_of(link, dir);

	if (p->l4[13] & TH_RST)
		return;
	if (!s->known && link->side->start_known[dir])
		advance(s, link->side->start[dir]);
	helper_payload(p, &offset, &len);
	if (!len || (s->held_len && !join_held(link, dir, s, p, &seq)))
		return;
	helper_payload(p, &offset, &len);
	if (!starts(link, dir, s, seq)) {
		if (s->known && !after(seq, s->next))
			skip = again(link, p, dir, s, &seq);
		else if (s->known && protocol->strict && !s->valid)
			return;
		else
			skip = protocol->resume((const char *)p->data + offset, len);
		helper_payload(p, &offset, &len);
		if (skip > len)
			return;
		offset += skip;
		seq += skip;
		advance(s, seq);
	}
	while (offset < p->len) {
		if (!unit(la, link, p, dir, protocol, s, &offset, &seq, p->len - offset))
			return;
	}
}

/* What is held back is not acknowledged, so it comes again. */
static void record_stream(struct record_cursor *c, struct text_stream *s)
{
	record_flags(c, &s->known, &s->valid);
	record_number32(c, &s->next);
}

void text_record(struct record_cursor *c, const struct link *link)
{
	for (enum direction dir = OUT; dir <= IN; dir++)
		if (link->side->helper->streams[dir])
			record_stream(c, stream_of(link, dir));
}

bool text_replace(const struct text_place *at, const char *from, const char *to, const char *new,
		  uint32_t new_len)
{
	uint32_t skip = (uint32_t)(from - at->text);

	return helper_replace(at->la, at->link, at->p, at->dir, at->offset + skip, at->seq + skip,
			      (uint32_t)(to - from), new, new_len);
}

uint32_t text_resume_line(const char *text, uint32_t len)
{
	const char *newline = memchr(text, '\n', len);

	return newline ? (uint32_t)(newline - text) + 1 : TEXT_NOWHERE;
}
