/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_sequence.c - sequence numbers of TCP after changes of length.
 *
 * When a helper changes the length of data at [start, end) of a stream, a change is recorded with
 * the sum of all changes so far.  Numbers at or after end are moved by it, earlier ones,
 * retransmissions too, by what held before.  Acknowledgments and SACK blocks of the other direction
 * are moved back; one that points into a unit (line, message) with a change is taken as its start,
 * since only whole ones can be acknowledged to their sender, and made anew when they are sent
 * again.
 *
 * A change is remembered until it has been acknowledged and its place is needed.  What has gone to
 * the receiver keeps its place, so nothing before that changes its length any more.  As numbers
 * wrap, the last change moves up behind a stream that is far beyond it.  That takes a segment and
 * an acknowledgment: one of them is from the inside, so nobody outside can make it happen by forged
 * numbers.
 */
#include "engine.h"

#include <netinet/tcp.h>
#include <stdlib.h>

#define TCP_SEQ     4
#define TCP_ACKNO   8
#define TCP_OFFSET  12
#define TCP_FLAGS   13
#define TCP_CHECK   16
#define OPTION_SACK 5
#define FAR_BEYOND  (1 << 28)
#define TEXT_KEPT   8192 /* bytes, even of what is acknowledged */

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* The delta before change i. */
static int32_t held_before(const struct link_side *side, enum direction dir, int i)
{
	return i ? side->change[dir][i - 1].delta : side->change_base[dir];
}

uint32_t tcp_sequence_out(const struct link_side *side, enum direction dir, uint32_t seq)
{
	if (side->changes[dir] && !before(seq, side->newest[dir].end))
		return seq + (uint32_t)side->newest[dir].delta;
	for (int i = side->changes[dir] - 1; i >= 0; i--) {
		const struct sequence_change *change = &side->change[dir][i];
		uint32_t last = change->end + (uint32_t)change->delta - 1;
		uint32_t moved = seq + (uint32_t)held_before(side, dir, i);

		if (!before(seq, change->end))
			return seq + (uint32_t)change->delta;
		/* A probe of what was acknowledged must not be beyond it (RFC 9293, 3.8.4). */
		if (before(change->start, seq))
			return before(last, moved) ? last : moved;
	}
	return seq + (uint32_t)side->change_base[dir];
}

/*
 * The sender's number; what points into a unit that was changed becomes its start, or if a block
 * begins there, the end of its changes.
 */
static uint32_t number_back(const struct link_side *side, enum direction dir, uint32_t seq,
			    bool begins)
{
	const struct sequence_change *list = side->change[dir];
	uint32_t delta = (uint32_t)side->newest[dir].delta, back;
	int n = side->changes[dir], i = n;

	if (n && !before(seq, side->newest[dir].end + delta))
		return seq - delta;
	while (i && before(seq, list[i - 1].end + (uint32_t)list[i - 1].delta) &&
	       !before(list[i - 1].start + (uint32_t)held_before(side, dir, i - 1), seq))
		i--;
	if (i && before(seq, list[i - 1].end + (uint32_t)list[i - 1].delta))
		return begins ? list[i - 1].end : list[i - 1].unit;
	back = seq - (uint32_t)held_before(side, dir, i);
	if (i < n && before(list[i].unit, back))
		return begins ? list[i].end : list[i].unit;
	return back;
}

uint32_t tcp_sequence_back(const struct link_side *side, enum direction dir, uint32_t seq)
{
	return number_back(side, dir, seq, false);
}

/* Forgets the first n. */
static void forget(struct link_side *side, enum direction dir, int n)
{
	struct sequence_change *list = side->change[dir];

	if (!n)
		return;
	for (int i = 0; i < n; i++) {
		side->change_text[dir] -= list[i].length;
		*side->texts -= list[i].length;
		free(list[i].text);
	}
	side->change_base[dir] = list[n - 1].delta;
	side->changes[dir] = (uint16_t)(side->changes[dir] - n);
	memmove(list, list + n, sizeof(*list) * side->changes[dir]);
}

void tcp_forget_changes(struct link_side *side)
{
	for (enum direction dir = OUT; dir <= IN; dir++) {
		forget(side, dir, side->changes[dir]);
		side->change_base[dir] = 0;
		side->passed_known[dir] = false;
	}
}

/* Forgets those that are acknowledged but the last, from which on nothing else is asked for. */
static void forget_acknowledged(struct link_side *side, enum direction dir)
{
	const struct sequence_change *list = side->change[dir];
	int n = side->changes[dir], first = 0;

	while (first + 1 < n && !before(side->acknowledged[dir], list[first + 1].end))
		first++;
	if (first)
		forget(side, dir, first);
}

/* Room for one more; false: too many, or no memory. */
static bool room_for_change(struct link_side *side, enum direction dir)
{
	uint16_t room = side->change_room[dir];
	struct sequence_change *list;

	if (side->changes[dir] == room)
		forget_acknowledged(side, dir);
	if (side->changes[dir] < room)
		return true;
	if (room == SEQUENCE_CHANGES)
		return false;
	room = room ? (uint16_t)(room * 2) : 4;
	list = realloc(side->change[dir], sizeof(*list) * room);
	if (!list)
		return false;
	side->change[dir] = list;
	side->change_room[dir] = room;
	return true;
}

static void append(struct link_side *side, enum direction dir, const struct sequence_change *change)
{
	if (!side->changes[dir])
		side->acknowledged[dir] = change->start;
	side->change[dir][side->changes[dir]++] = *change;
	side->newest[dir].end = change->end;
	side->newest[dir].delta = change->delta;
}

static void append_new(struct link_side *side, enum direction dir, uint32_t start, uint32_t end,
		       int32_t change)
{
	int32_t delta = held_before(side, dir, side->changes[dir]) + change;

	append(side, dir, &(struct sequence_change){start, end, delta, start, 0, NULL});
}

bool tcp_record_change(struct link_side *side, enum direction dir, uint32_t start, uint32_t end,
		       int32_t change)
{
	const struct sequence_change *list = side->change[dir];
	int n = side->changes[dir];

	for (int i = n - 1; i >= 0 && !before(list[i].start, start); i--)
		if (list[i].start == start && list[i].end == end) /* a retransmission */
			return list[i].delta - held_before(side, dir, i) == change;
	if (n && before(start, list[n - 1].end))
		return false;
	if (!change)
		return true;
	if (side->passed_known[dir] &&
	    before(tcp_sequence_out(side, dir, start), side->passed[dir]))
		return false;
	if (!room_for_change(side, dir))
		return false;
	append_new(side, dir, start, end, change);
	return true;
}

void tcp_remember_unit(struct link_side *side, enum direction dir, uint32_t start, uint32_t end,
		       const void *text, uint32_t length)
{
	struct sequence_change *change;
	int first = side->changes[dir];

	while (first && !before(side->change[dir][first - 1].start, start))
		first--;
	if (first == side->changes[dir]) { /* of the same length: a change of nothing */
		if (!room_for_change(side, dir))
			return;
		first = side->changes[dir]; /* some may have been forgotten */
		append_new(side, dir, start, start, 0);
	}
	for (int i = first; i < side->changes[dir]; i++) {
		if (!before(side->change[dir][i].start, end))
			break;
		side->change[dir][i].unit = start;
	}
	change = &side->change[dir][first];
	if (change->text || change->unit != start)
		return;
	if (*side->texts + length > SEQUENCE_TEXTS)
		return; /* it is translated again, then */
	change->text = malloc(length + 1);
	if (!change->text)
		return;
	memcpy(change->text, text, length);
	change->length = length;
	side->change_text[dir] += length;
	*side->texts += length;
}

const struct sequence_change *tcp_unit_from(const struct link_side *side, enum direction dir,
					    uint32_t seq)
{
	const struct sequence_change *list = side->change[dir], *found = NULL;

	for (int i = side->changes[dir] - 1; i >= 0 && !before(list[i].unit, seq); i--)
		found = &list[i];
	return found;
}

bool tcp_in_unit(const struct link_side *side, enum direction dir, uint32_t seq)
{
	const struct sequence_change *list = side->change[dir];
	int i = side->changes[dir] - 1;

	while (i >= 0 && !before(list[i].unit, seq))
		i--;
	return i >= 0 && before(seq, list[i].end);
}

int tcp_restore_changes(struct link_side *side, enum direction dir,
			const struct sequence_change *list, uint8_t n)
{
	for (uint8_t i = 0; i < n; i++) {
		struct sequence_change change = list[i];

		if (!room_for_change(side, dir))
			return -1;
		change.length = 0;
		change.text = NULL;
		append(side, dir, &change);
	}
	return 0;
}

/* Stores a new value in host order and adds to the change of the checksum. */
static uint64_t change32(uint8_t *field, uint32_t value, uint32_t offset)
{
	uint32_t from = load32(field), to = htonl(value);
	uint64_t change = sum_change32(from, to);

	store32(field, to);
	/* At an odd offset the bytes of each 16-bit word count the other way round. */
	if (offset & 1) {
		uint16_t sum = sum_fold(change);

		return (uint16_t)(sum << 8 | sum >> 8);
	}
	return change;
}

static uint64_t adjust_sack(const struct link_side *side, enum direction dir, uint8_t *tcp)
{
	uint32_t end = (uint32_t)(tcp[TCP_OFFSET] >> 4) * 4, at = 20;
	uint64_t change = 0;

	while (at + 1 < end && tcp[at] != TCPOPT_EOL) {
		uint32_t len = tcp[at] == TCPOPT_NOP ? 1 : tcp[at + 1];

		if (len < 1 || (len < 2 && tcp[at] != TCPOPT_NOP) || at + len > end)
			break;
		if (tcp[at] == OPTION_SACK)
			for (uint32_t edge = at + 2; edge + 4 <= at + len; edge += 4)
				change +=
					change32(tcp + edge,
						 number_back(side, !dir, ntohl(load32(tcp + edge)),
							     (edge - at - 2) % 8 == 0),
						 edge);
		at += len;
	}
	return change;
}

void tcp_set_sequence(struct packet *p, uint32_t seq)
{
	uint64_t change = change32(p->l4 + TCP_SEQ, seq, 0);

	store16(p->l4 + TCP_CHECK, sum_apply(load16(p->l4 + TCP_CHECK), change));
}

/* Both ends are at least so far behind the last change, which alone still counts. */
static void move_up(struct link_side *side, enum direction dir)
{
	uint32_t end = side->newest[dir].end;
	uint32_t sent = side->passed[dir] - (uint32_t)side->newest[dir].delta;

	if ((int32_t)(side->acknowledged[dir] - end) < FAR_BEYOND ||
	    (int32_t)(sent - end) < FAR_BEYOND)
		return;
	forget(side, dir, side->changes[dir]);
	append_new(side, dir, end + FAR_BEYOND / 2, end + FAR_BEYOND / 2, 0);
	if (dir == OUT)
		side->dest_known = false; /* its number comes round again */
}

/* The other end has all before this number; whoever forges one beyond what was sent is not heard.
 */
static void note_acknowledged(struct link_side *side, enum direction dir, uint32_t number,
			      uint32_t as_sender)
{
	if (!side->passed_known[dir] || before(side->passed[dir], number))
		return;
	if (before(side->acknowledged[dir], as_sender))
		side->acknowledged[dir] = as_sender;
	if (side->change_text[dir] > TEXT_KEPT)
		forget_acknowledged(side, dir);
	move_up(side, dir);
}

/* The packet's data, as it now is, goes to the receiver. */
static void note_passed(struct link_side *side, enum direction dir, const struct packet *p)
{
	uint32_t header = (uint32_t)(p->l4[TCP_OFFSET] >> 4) * 4;
	uint32_t end = ntohl(load32(p->l4 + TCP_SEQ)) + p->l4_len - header;

	if (!side->passed_known[dir] || before(side->passed[dir], end))
		side->passed[dir] = end;
	side->passed_known[dir] = true;
}

void tcp_adjust(struct link *link, struct packet *p, enum direction dir)
{
	struct link_side *side = link->side;
	uint8_t *tcp = p->l4;
	uint64_t change = 0;
	uint32_t number, back;

	if (tcp[TCP_FLAGS] & TH_SYN)
		return; /* it comes before all that was changed, or begins anew */
	if (side->changes[dir]) {
		number = tcp_sequence_out(side, dir, ntohl(load32(tcp + TCP_SEQ)));
		change += change32(tcp + TCP_SEQ, number, 0);
	}
	note_passed(side, dir, p);
	if (side->changes[!dir] && (tcp[TCP_FLAGS] & TH_ACK)) {
		number = ntohl(load32(tcp + TCP_ACKNO));
		back = tcp_sequence_back(side, !dir, number);
		change += change32(tcp + TCP_ACKNO, back, 0);
		if (tcp[TCP_OFFSET] >> 4 > 5)
			change += adjust_sack(side, dir, tcp);
		note_acknowledged(side, !dir, number, back);
	}
	if (change)
		store16(tcp + TCP_CHECK, sum_apply(load16(tcp + TCP_CHECK), change));
}
