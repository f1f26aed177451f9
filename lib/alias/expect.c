/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expect.c - connections that a helper has heard announced and now awaits.
 *
 * An expectation is a redirect for one connection, with a deadline: its alias port is chosen so
 * that nobody has it, and with USE_SOCKETS a socket holds that port on this machine.  Where a
 * remote is named, nobody else gets in.  The first packet that comes in makes the link and ends
 * it; what goes out from the inside end before that leaves from the alias port, and media may still
 * come from another port than they are sent to, though not for long.  What an inside end is to open
 * itself, from a port that nobody knows yet, lets nothing in and ends with the link.
 *
 * Deadlines are in a wheel of one-second slots, where an expectation beyond the horizon is looked
 * at once a round.  A control connection (master) may have a few expectations at a time; its end
 * ends them.
 */
#include "helper.h"
#include "redirect.h"

#include <errno.h>
#include <unistd.h>

#define TRIES  16
#define LINGER 30 /* seconds for media that come from another port than they are sent to */

/* Where an expectation waits that ends after the deadline. */
static struct expectation_list *slot_of(struct libalias *la, uint32_t deadline)
{
	return &la->expectations[(deadline + 1) % EXPECT_SLOTS];
}

static void forget(struct libalias *la, struct alias_link *r)
{
	uint32_t alias = r->alias;
	uint16_t port = r->alias_port;
	uint8_t proto = r->proto;

	LIST_REMOVE(r, expected);
	LIST_REMOVE(r, sibling);
	la->stats.expectations--;
	link_at(la, r->master)->side->expectation_count--;
	if (r->socket >= 0)
		close(r->socket);
	redirect_delete(la, r);
	port_release(la, alias, port, proto);
}

/* The part of a pair, 0 or 1, that master awaits already; NULL: it does not. */
static struct alias_link *find(struct libalias *la, struct link *master,
			       const struct expectation *wanted, uint16_t part)
{
	struct view out = {.local = wanted->inside,
			   .peer = wanted->remote,
			   .local_port = htons((uint16_t)(ntohs(wanted->inside_port) + part)),
			   .peer_port = wanted->remote_port};
	struct alias_link *r = redirect_find(la, OUT, &out, wanted->proto, 0);

	if (r && r->helper == wanted->helper && master->side && r->master == master->side->id &&
	    r->remote == wanted->remote && r->remote_port == wanted->remote_port &&
	    (!wanted->alias_port || wanted->alias_port == r->alias_port))
		return r;
	return NULL;
}

static struct alias_link *enter(struct libalias *la, struct link_side *side,
				const struct expectation *wanted, const struct view *in,
				uint16_t part, int socket)
{
	struct alias_link *r =
		redirect_new(la, wanted->inside_port ? REDIRECT_PORT : REDIRECT_OUTGOING);

	if (!r)
		return NULL;
	r->proto = wanted->proto;
	r->local = wanted->inside;
	r->local_port = htons((uint16_t)(ntohs(wanted->inside_port) + part));
	r->remote = wanted->remote;
	r->remote_port = wanted->remote_port;
	r->alias = in->local;
	r->alias_port = htons((uint16_t)(ntohs(in->local_port) + part));
	r->dynamic = true;
	r->helper = wanted->helper;
	r->master = side->id;
	r->deadline = la->now +
		      (wanted->timeout ? wanted->timeout : la->timeout[ALIAS_TIMEOUT_EXPECTATION]);
	if (redirect_enter(la, r)) {
		redirect_delete(la, r);
		return NULL;
	}
	r->socket = socket;
	if (!la->stats.expectations)
		la->expect_time = la->now;
	LIST_INSERT_HEAD(slot_of(la, r->deadline), r, expected);
	LIST_INSERT_HEAD(&side->expectations, r, sibling);
	la->stats.expectations++;
	side->expectation_count++;
	return r;
}

/* Holds the ports with sockets where that is wanted; false: a program of this machine uses one. */
static bool hold(struct libalias *la, const struct view *in, uint8_t proto, int ports,
		 int sockets[2])
{
	sockets[0] = sockets[1] = -1;
	for (int i = 0; i < ports; i++) {
		sockets[i] = port_hold(la, htons((uint16_t)(ntohs(in->local_port) + i)), proto);
		if (sockets[i] == -2) {
			if (i && sockets[0] >= 0)
				close(sockets[0]);
			return false;
		}
	}
	return true;
}

/* Does a link to where the control connection leads have the port?  It would get what comes. */
static bool taken_at_peer(struct libalias *la, const struct link *master, uint8_t proto,
			  uint16_t port)
{
	struct view view = master->view[IN];

	view.local_port = htons(port);
	return proto == master->proto && link_find(la, IN, &view, proto);
}

/*
 * May it be awaited at this port?  Not where a static redirect waits, even if dynamic links share
 * the port with it (KEEP_PORTS): an inside host could have connections that are for another.
 */
static bool usable(struct libalias *la, const struct view *in, uint8_t proto, uint16_t port)
{
	struct view view = *in;

	view.local_port = htons(port);
	return port_free(la, in, proto, port) && !redirect_of_port(la, &view, proto);
}

/* Will the alias port, which was chosen, do?  RTP is on even ports (RFC 3550, section 11). */
static bool fits(struct libalias *la, const struct link *master, const struct expectation *wanted,
		 const struct view *in, int ports)
{
	uint16_t port = ntohs(in->local_port);

	if (!usable(la, in, wanted->proto, port) || taken_at_peer(la, master, wanted->proto, port))
		return false;
	if (ports == 1)
		return true;
	return (!(port & 1) || ntohs(wanted->inside_port) & 1) && port < 65535 &&
	       usable(la, in, wanted->proto, (uint16_t)(port + 1)) &&
	       !taken_at_peer(la, master, wanted->proto, (uint16_t)(port + 1));
}

/* Chooses the alias port, in in->local_port, of one or two in a row. */
static bool choose(struct libalias *la, const struct link *master, const struct expectation *wanted,
		   struct view *in, int ports, int sockets[2])
{
	uint16_t first = wanted->inside_port;

	/* A control link may have the port that is asked for: no socket then. */
	if (wanted->alias_port) {
		in->local_port = wanted->alias_port;
		sockets[0] = sockets[1] = -1;
		for (int i = 0; i < ports; i++)
			if (!usable(la, in, wanted->proto,
				    (uint16_t)(ntohs(wanted->alias_port) + i)))
				return false;
		return true;
	}
	for (int i = 0; i < TRIES; i++) {
		if (!port_choose(la, in, wanted->proto, first))
			return false;
		if (fits(la, master, wanted, in, ports) &&
		    hold(la, in, wanted->proto, ports, sockets))
			return true;
		first = 0; /* at random */
	}
	return false;
}

/* What is missing of a pair joins the part that is there, if its port is free. */
static struct alias_link *complete(struct libalias *la, struct link_side *side,
				   const struct expectation *wanted, struct alias_link *part[2])
{
	uint16_t first =
		part[0] ? ntohs(part[0]->alias_port) : (uint16_t)(ntohs(part[1]->alias_port) - 1);
	uint16_t missing = part[0] ? 1 : 0;
	struct view in = {.local = (part[0] ? part[0] : part[1])->alias,
			  .peer = wanted->remote,
			  .local_port = htons(first),
			  .peer_port = wanted->remote_port};

	if (!usable(la, &in, wanted->proto, (uint16_t)(first + missing)))
		return NULL;
	part[missing] = enter(la, side, wanted, &in, missing, -1);
	return part[missing] ? part[0] : NULL;
}

struct alias_link *expect_add(struct libalias *la, struct link *master,
			      const struct expectation *wanted)
{
	bool pair = wanted->pair && ntohs(wanted->inside_port) < 65535;
	struct alias_link *part[2] = {find(la, master, wanted, 0),
				      pair ? find(la, master, wanted, 1) : NULL};
	struct view in = {.local = master->view[IN].local,
			  .peer = wanted->remote,
			  .peer_port = wanted->remote_port};
	struct link_side *side = link_side(la, master);
	int sockets[2] = {-1, -1}, ports = pair ? 2 : 1;

	if (!side)
		return NULL;
	if (part[0] && (part[1] || !pair))
		return part[0]; /* a retransmission */
	if (side->expectation_count + (uint32_t)ports > la->limit[ALIAS_LIMIT_EXPECTATIONS]) {
		la->stats.refused_limit++;
		return NULL;
	}
	if ((part[0] || part[1]) && complete(la, side, wanted, part))
		return part[0];
	for (int i = 0; i < 2; i++)
		if (part[i])
			forget(la, part[i]);
	if (wanted->inside_port && !choose(la, master, wanted, &in, ports, sockets))
		return NULL;
	part[0] = enter(la, side, wanted, &in, 0, sockets[0]);
	if (part[0] && pair) {
		part[1] = enter(la, side, wanted, &in, 1, sockets[1]);
		if (!part[1]) {
			forget(la, part[0]);
			part[0] = NULL;
			sockets[0] = -1;
		}
	}
	for (int i = 0; !part[0] && i < 2; i++)
		if (sockets[i] >= 0)
			close(sockets[i]);
	return part[0];
}

struct alias_link *expect_with_port(const struct link *master, enum direction dir, uint8_t proto,
				    uint16_t port)
{
	struct alias_link *r;

	if (master->side)
		LIST_FOREACH(r, &master->side->expectations, sibling)
			if (r->proto == proto &&
			    port == (dir == OUT ? r->local_port : r->alias_port))
				return r;
	return NULL;
}

void expect_cancel(struct libalias *la, struct link *master, const struct expectation *wanted)
{
	for (uint16_t part = 0; part < 2; part++) {
		struct alias_link *r = find(la, master, wanted, part);

		if (r && (!part || wanted->pair))
			forget(la, r);
	}
}

/* It was used by what leaves: media may come from another port than they are sent to. */
static void linger(struct libalias *la, struct alias_link *r)
{
	if ((int32_t)(r->deadline - la->now) <= LINGER)
		return;
	LIST_REMOVE(r, expected);
	r->deadline = la->now + LINGER;
	LIST_INSERT_HEAD(slot_of(la, r->deadline), r, expected);
}

void expect_used(struct libalias *la, struct alias_link *r, struct link *link)
{
	if (!r->helper && !r->awaited) {
		LibAliasRedirectDelete(la, r);
		return;
	}
	link->flags |= LINK_EXPECTED;
	link->helper = helper_number(r->helper);
	if (r->awaited) {
		LibAliasRedirectDelete(la, r);
	} else if (link->flags & LINK_INCOMING || r->kind == REDIRECT_OUTGOING) {
		forget(la, r);
	} else {
		linger(la, r);
	}
	firewall_open(la, link);
}

int LibAliasTakeAwaited(struct libalias *la, const void *ptr, int incoming,
			struct alias_awaited *awaited)
{
	enum direction dir = incoming ? IN : OUT;
	struct alias_link *r = NULL;
	struct packet p = {0};

	if (clock_advance(la))
		expect_expire(la);
	/* Nothing is written through p. */
	if (la->stats.expectations && packet_read(&p, (void *)(uintptr_t)ptr, 65535) && p.first) {
		packet_view(la, &p, dir);
		r = redirect_find(la, dir, &p.view, p.proto, 0);
	}
	if (!r || !r->helper || r->remote || r->remote_port) {
		errno = ESRCH;
		return -1;
	}
	*awaited = (struct alias_awaited){
		.inside.s_addr = r->local,
		.alias.s_addr = r->alias,
		.inside_port = r->local_port,
		.alias_port = r->alias_port,
		.proto = r->proto,
		.helper = r->helper,
	};
	if (incoming)
		forget(la, r);
	else
		linger(la, r);
	return 0;
}

/* By a redirect for just this remote end. */
static int pass_awaited(struct libalias *la, void *ptr, int maxpacketsize,
			const struct alias_awaited *awaited, enum direction dir)
{
	struct alias_link *r;
	struct packet p = {0};
	uint64_t age;
	uint32_t id;
	int result;

	if (!packet_read(&p, ptr, (uint32_t)maxpacketsize) || !p.first)
		return PKT_ALIAS_IGNORED;
	r = LibAliasRedirectPort(la, awaited->inside, awaited->inside_port,
				 (struct in_addr){dir == IN ? p.src : p.dst},
				 dir == IN ? p.src_port : p.dst_port, awaited->alias,
				 awaited->alias_port, awaited->proto);
	if (!r)
		return PKT_ALIAS_ERROR;
	r->dynamic = r->awaited = true;
	r->helper = awaited->helper;
	id = r->id;
	age = r->age;
	result = dir == IN ? LibAliasIn(la, ptr, maxpacketsize)
			   : LibAliasOut(la, ptr, maxpacketsize);
	LibAliasRedirectDelete(la, redirect_live(la, id, age));
	return result;
}

int LibAliasInAwaited(struct libalias *la, void *ptr, int maxpacketsize,
		      const struct alias_awaited *awaited)
{
	return pass_awaited(la, ptr, maxpacketsize, awaited, IN);
}

int LibAliasOutAwaited(struct libalias *la, void *ptr, int maxpacketsize,
		       const struct alias_awaited *awaited)
{
	return pass_awaited(la, ptr, maxpacketsize, awaited, OUT);
}

void expect_expire(struct libalias *la)
{
	struct alias_link *r, *next;

	/* One round sees them all. */
	if (la->now - la->expect_time > EXPECT_SLOTS)
		la->expect_time = la->now - EXPECT_SLOTS;
	for (; la->stats.expectations && la->expect_time != la->now; la->expect_time++)
		for (r = LIST_FIRST(slot_of(la, la->expect_time)); r; r = next) {
			next = LIST_NEXT(r, expected);
			if ((int32_t)(la->now - r->deadline) > 0)
				forget(la, r);
		}
	la->expect_time = la->now;
}

void expect_forget_master(struct libalias *la, struct link_side *master)
{
	struct alias_link *r;

	while ((r = LIST_FIRST(&master->expectations)))
		forget(la, r);
}
