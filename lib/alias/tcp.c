/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.c - the state of TCP connections.
 *
 * A connection is opening until both ends have shown themselves and the opener has acknowledged the
 * other's SYN by its number, which who spoofs addresses does not know, so floods never get the long
 * time-out (RFC 5382, REQ-5).  Data from the answering side proves as much.  If that side's SYN was
 * not seen, an ACK from each is enough.  Numbers are compared as they are on the opener's side and
 * the other's alike: no data has changed its length yet.  It is closing after a FIN from each side
 * or a RST; a segment without RST after a RST shows that the RST was not believed and undoes it; a
 * SYN after the close starts anew.  An outgoing RST does not keep a closing connection alive (RFC
 * 7857, section 7.1).
 */
#include "engine.h"

#include <netinet/tcp.h>

#define TCP_SEQ    4
#define TCP_ACKNO  8
#define TCP_OFFSET 12
#define TCP_FLAGS  13
#define TCP_CHECK  16
#define ACK_WINDOW 65535u /* what the answering side may have sent: SYNs have unscaled windows */

bool tcp_is_reset(const struct packet *p)
{
	return p->l4[TCP_FLAGS] & TH_RST;
}

bool tcp_begins(const struct link *link, const struct packet *p, enum direction dir)
{
	return p->l4[TCP_FLAGS] & TH_SYN && (link->tcp_state & ~TCP_TURNED) == TCP_SYN(dir);
}

bool tcp_answers(const struct link *link, const struct packet *p, enum direction dir)
{
	return p->l4[TCP_FLAGS] & TH_SYN && link->tcp_state & TCP_SYN(!dir) &&
	       !(link->tcp_state & TCP_ACK(!dir));
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

void tcp_clear_flags(struct packet *p, uint8_t flags)
{
	uint16_t from = load16(p->l4 + TCP_OFFSET);

	p->l4[TCP_FLAGS] &= (uint8_t)~flags;
	store16(p->l4 + TCP_CHECK, sum_apply(load16(p->l4 + TCP_CHECK),
					     sum_change16(from, load16(p->l4 + TCP_OFFSET))));
}
