/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.c - the state of TCP connections, and sequence numbers after a change of length.
 *
 * State.  A connection is opening until both ends have shown themselves and the opener has
 * acknowledged the other's SYN by its number, which who spoofs addresses does not know, so floods
 * never get the long time-out (RFC 5382, REQ-5).  Data from the answering side proves as much.  If
 * that side's SYN was not seen, an ACK from each is enough.  Numbers are compared as they are on
 * the opener's side and the other's alike: no data has changed its length yet.  It is closing
 * after a FIN from each side or a RST; a segment without RST after a RST shows that the RST was not
 * believed and undoes it; a SYN after the close starts anew.  An outgoing RST does not keep a
 * closing connection alive (RFC 7857, section 7.1).
 *
 * Sequence numbers.  When a helper changes the length of data at [start, end) of a stream, a change
 * is recorded with the sum of all changes so far.  Numbers at or after end are moved by it, earlier
 * ones, retransmissions too, by what held before.  Acknowledgments and SACK blocks of the other
 * direction are moved back; one that points into changed data is taken as its start, since only
 * whole changes can be acknowledged to their sender.  As numbers wrap, the last change moves up
 * behind a stream that is far beyond it.  That takes a segment and an acknowledgment: one of them
 * is from the inside, so nobody outside can make it happen by forged numbers.
 */
#include "engine.h"

#include <netinet/tcp.h>

#define TCP_SEQ     4
#define TCP_ACKNO   8
#define TCP_OFFSET  12
#define TCP_FLAGS   13
#define TCP_CHECK   16
#define OPTION_SACK 5
#define FAR_BEYOND  (1 << 28)
#define ACK_WINDOW  65535u /* what the answering side may have sent: SYNs have unscaled windows */

bool tcp_is_reset(const struct packet *p)
{
	return p->l4[TCP_FLAGS] & TH_RST;
}

bool tcp_begins(const struct link *link, const struct packet *p, enum direction dir)
{
	return p->l4[TCP_FLAGS] & TH_SYN && (link->tcp_state & ~TCP_TURNED) == TCP_SYN(dir);
}

/* Which side began the connection that the state is of? */
static enum direction opener(const struct link *link, uint8_t state)
{
	return !(link->flags & LINK_INCOMING) != !(state & TCP_TURNED) ? IN : OUT;
}

static uint8_t timer_of(const struct link *link)
{
	enum direction first = opener(link, link->tcp_state);
	uint8_t s = link->tcp_state;

	if ((s & TCP_RST) || ((s & TCP_FIN(OUT)) && (s & TCP_FIN(IN))))
		return ALIAS_TIMEOUT_TCP_CLOSING;
	if ((s & TCP_ACK(first)) && (s & (TCP_SYN(!first) | TCP_ACK(!first))))
		return ALIAS_TIMEOUT_TCP_ESTABLISHED;
	return ALIAS_TIMEOUT_TCP_OPENING;
}

/* The state after a SYN; the answering side's number is noted, and has yet to be acknowledged. */
static uint8_t synchronize(struct link *link, enum direction dir, const uint8_t *tcp, uint8_t state)
{
	if (link->timer == ALIAS_TIMEOUT_TCP_CLOSING) {
		state = 0;
		if (opener(link, 0) != (tcp[TCP_FLAGS] & TH_ACK ? !dir : dir))
			state = TCP_TURNED;
	}
	state |= (uint8_t)TCP_SYN(dir);
	if (link->timer != ALIAS_TIMEOUT_TCP_ESTABLISHED && dir != opener(link, state)) {
		link->tcp_start = ntohl(load32(tcp + TCP_SEQ)) + 1;
		state &= (uint8_t)~TCP_ACK(!dir);
	}
	return state;
}

/* The sides that this ACK speaks for. */
static uint8_t acknowledged(const struct link *link, enum direction dir, const uint8_t *tcp,
			    uint8_t state)
{
	enum direction first = opener(link, state);
	bool known = state & TCP_SYN(!first);

	if (dir == first) {
		uint32_t number = ntohl(load32(tcp + TCP_ACKNO));

		return known && number - link->tcp_start > ACK_WINDOW ? 0 : (uint8_t)TCP_ACK(dir);
	}
	/* It sends data, so it knows the opener; a mere ACK can be provoked. */
	if (known && !(tcp[TCP_FLAGS] & TH_SYN) && ntohl(load32(tcp + TCP_SEQ)) != link->tcp_start)
		return (uint8_t)(TCP_ACK(OUT) | TCP_ACK(IN));
	return (uint8_t)TCP_ACK(dir);
}

void tcp_track(struct libalias *la, struct link *link, enum direction dir, const uint8_t *tcp)
{
	uint8_t flags = tcp[TCP_FLAGS], state = link->tcp_state, timer;

	if (link->timer == ALIAS_TIMEOUT_TCP_ESTABLISHED && !(flags & (TH_SYN | TH_FIN | TH_RST)))
		return;
	if (flags & TH_RST) {
		state |= TCP_RST;
	} else if (flags & TH_SYN) {
		state = synchronize(link, dir, tcp, state);
	} else {
		state &= (uint8_t)~TCP_RST;
		if (flags & TH_FIN)
			state |= (uint8_t)TCP_FIN(dir);
	}
	if ((flags & (TH_ACK | TH_RST)) == TH_ACK)
		state |= acknowledged(link, dir, tcp, state);
	link->tcp_state = state;
	timer = timer_of(link);
	if (timer == link->timer)
		return;
	if (la->timeout[timer] < la->timeout[link->timer]) {
		link->timer = timer;
		expire_sooner(la, link);
	}
	link->timer = timer;
}

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

uint32_t tcp_sequence_out(const struct link_side *side, enum direction dir, uint32_t seq)
{
	for (int i = side->changes[dir] - 1; i >= 0; i--)
		if (!before(seq, side->change[dir][i].end))
			return seq + (uint32_t)side->change[dir][i].delta;
	/* Older than all that is remembered: acknowledged long ago, or before the first change. */
	return seq;
}

uint32_t tcp_sequence_back(const struct link_side *side, enum direction dir, uint32_t seq)
{
	for (int i = side->changes[dir] - 1; i >= 0; i--) {
		const struct sequence_change *change = &side->change[dir][i];
		uint32_t held = i ? (uint32_t)change[-1].delta : 0;

		if (!before(seq, change->end + (uint32_t)change->delta))
			return seq - (uint32_t)change->delta;
		if (before(change->start + held, seq))
			return change->start;
	}
	return seq;
}

bool tcp_record_change(struct link_side *side, enum direction dir, uint32_t start, uint32_t end,
		       int32_t change)
{
	struct sequence_change *list = side->change[dir];
	int32_t delta = change;
	uint8_t n = side->changes[dir];

	for (int i = 0; i < n; i++)
		if (list[i].start == start && list[i].end == end) /* a retransmission */
			return list[i].delta - (i ? list[i - 1].delta : 0) == change;
	if (n && before(start, list[n - 1].end))
		return false;
	if (!change)
		return true;
	if (n)
		delta += list[n - 1].delta;
	if (n == SEQUENCE_CHANGES) {
		memmove(list, list + 1, sizeof(*list) * (SEQUENCE_CHANGES - 1));
		n--;
	}
	list[n] = (struct sequence_change){start, end, delta};
	side->changes[dir] = (uint8_t)(n + 1);
	side->sent[dir] = end;
	return true;
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
				change += change32(
					tcp + edge,
					tcp_sequence_back(side, !dir, ntohl(load32(tcp + edge))),
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

void tcp_clear_flags(struct packet *p, uint8_t flags)
{
	uint16_t from = load16(p->l4 + TCP_OFFSET);

	p->l4[TCP_FLAGS] &= (uint8_t)~flags;
	store16(p->l4 + TCP_CHECK, sum_apply(load16(p->l4 + TCP_CHECK),
					     sum_change16(from, load16(p->l4 + TCP_OFFSET))));
}

/* Both ends are at least so far behind the last change, which alone still counts. */
static void move_up(struct link_side *side, enum direction dir, uint32_t acknowledged)
{
	struct sequence_change last = side->change[dir][side->changes[dir] - 1];

	if ((int32_t)(acknowledged - last.end) < FAR_BEYOND ||
	    (int32_t)(side->sent[dir] - last.end) < FAR_BEYOND)
		return;
	last.start = last.end += FAR_BEYOND / 2;
	side->change[dir][0] = last;
	side->changes[dir] = 1;
	if (dir == OUT)
		side->dest_known = false; /* its number comes round again */
}

void tcp_adjust(struct link *link, struct packet *p, enum direction dir)
{
	struct link_side *side = link->side;
	uint8_t *tcp = p->l4;
	uint64_t change = 0;
	uint32_t number;

	if (side->changes[dir]) {
		number = side->sent[dir] = ntohl(load32(tcp + TCP_SEQ));
		change += change32(tcp + TCP_SEQ, tcp_sequence_out(side, dir, number), 0);
	}
	if (side->changes[!dir] && (tcp[TCP_FLAGS] & TH_ACK)) {
		number = tcp_sequence_back(side, !dir, ntohl(load32(tcp + TCP_ACKNO)));
		change += change32(tcp + TCP_ACKNO, number, 0);
		if (tcp[TCP_OFFSET] >> 4 > 5)
			change += adjust_sack(side, dir, tcp);
		move_up(side, !dir, number);
	}
	if (change)
		store16(tcp + TCP_CHECK, sum_apply(load16(tcp + TCP_CHECK), change));
}
