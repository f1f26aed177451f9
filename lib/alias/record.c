/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.c - links as records of bytes, so that they outlive the process.
 *
 * A record is a version, then fixed fields in network byte order, then the sequence changes of the
 * outgoing and of the incoming stream.  It names nothing by number: time is told as seconds since
 * the last packet, the redirect by what it matches, the server by its address and port, the
 * helper by its name.  What hangs on other things of the process (a helper's state, awaited
 * connections, the number of a firewall hole) is not in it: the helper begins anew, an expected
 * link opens a new hole.  The values of the link's flags, timers and TCP states and of the kinds of
 * redirects are part of the format.
 *
 * A record may come from anywhere: whatever its bytes are, it makes a link that the engine could
 * have made, or none.
 */
#include "helper.h"
#include "redirect.h"

#include <errno.h>

#define VERSION 1
#define CHANGES 8 /* of sequence numbers, for which a record has room */

#define HAS_SIDE     0x01
#define HAS_REDIRECT 0x02
#define DEST_KNOWN   0x04
#define HAS_HELPER   0x08

#define KEPT_FLAGS \
	(LINK_INCOMING | LINK_ENCODE_IP | LINK_ENCODE_TCP | LINK_ANY_PEER | LINK_EXPECTED)

/* What a record says, besides what is the link's own. */
struct contents {
	struct link link;
	uint32_t idle;
	uint8_t timer; /* as it was read */
	uint8_t has;
	struct alias_link redirect; /* that matches the same packets */
	uint32_t server_addr;
	uint16_t server_port;
	char helper[16];
	uint32_t stream_start;
	uint8_t changes[2];
	struct sequence_change change[2][CHANGES];
};

/*
 * Both directions of the format are one list of fields: a cursor either writes what a field has or
 * reads it.  Reading behind the end leaves zeros and is remembered.
 */
struct cursor {
	uint8_t *at;
	size_t left;
	bool reading, overrun;
};

static void bytes(struct cursor *c, void *field, size_t len)
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

static void number8(struct cursor *c, uint8_t *field)
{
	bytes(c, field, 1);
}

/* A number of the host's byte order; what is in network order already goes as bytes. */
static void number32(struct cursor *c, uint32_t *field)
{
	uint32_t value = htonl(*field);

	bytes(c, &value, sizeof(value));
	*field = ntohl(value);
}

static void view_fields(struct cursor *c, struct view *view)
{
	bytes(c, &view->local, 4);
	bytes(c, &view->peer, 4);
	bytes(c, &view->local_port, 2);
	bytes(c, &view->peer_port, 2);
}

static void redirect_fields(struct cursor *c, struct contents *x)
{
	struct alias_link *r = &x->redirect;

	number8(c, &r->kind);
	number8(c, &r->proto);
	bytes(c, &r->remote, 4);
	bytes(c, &r->alias, 4);
	bytes(c, &r->remote_port, 2);
	bytes(c, &r->alias_port, 2);
	bytes(c, &r->alias_port_high, 2);
	number32(c, &r->mark);
	bytes(c, &x->server_addr, 4);
	bytes(c, &x->server_port, 2);
}

static void side_fields(struct cursor *c, struct contents *x)
{
	number32(c, &x->stream_start);
	for (int dir = OUT; dir <= IN; dir++) {
		number8(c, &x->changes[dir]);
		for (int i = 0; i < x->changes[dir] && i < CHANGES; i++) {
			struct sequence_change *change = &x->change[dir][i];
			uint32_t delta = (uint32_t)change->delta;

			number32(c, &change->start);
			number32(c, &change->end);
			number32(c, &delta);
			change->delta = (int32_t)delta;
		}
	}
}

static void fields(struct cursor *c, struct contents *x)
{
	uint8_t version = VERSION;

	number8(c, &version);
	if (version != VERSION) {
		c->overrun = true;
		return;
	}
	number8(c, &x->link.proto);
	number8(c, &x->link.flags);
	number8(c, &x->timer);
	number8(c, &x->link.tcp_state);
	number8(c, &x->has);
	number32(c, &x->idle);
	number32(c, &x->link.tcp_start);
	view_fields(c, &x->link.view[OUT]);
	view_fields(c, &x->link.view[IN]);
	if (x->has & HAS_REDIRECT)
		redirect_fields(c, x);
	if (x->has & HAS_HELPER)
		bytes(c, x->helper, sizeof(x->helper));
	if (x->has & HAS_SIDE)
		side_fields(c, x);
}

/* The last changes; what held before them is one of nothing. */
static void collect_changes(const struct link_side *side, enum direction dir, struct contents *x)
{
	const struct sequence_change *list = side->change[dir];
	int n = side->changes[dir], first = n < CHANGES ? 0 : n - CHANGES + 1;
	int32_t base = first ? list[first - 1].delta : side->change_base[dir];

	if (n && base)
		x->change[dir][x->changes[dir]++] =
			(struct sequence_change){list[first].start, list[first].start, base, 0, 0};
	for (int i = first; i < n; i++)
		x->change[dir][x->changes[dir]++] = list[i];
}

static void collect(struct libalias *la, const struct link *link, struct contents *x)
{
	const struct link_side *side = link->side;

	*x = (struct contents){.link = *link, .timer = link->timer, .idle = la->now - link->last};
	x->link.flags &= KEPT_FLAGS;
	if (link->server) {
		const struct alias_server *server = server_at(la, link->server);

		x->has |= HAS_REDIRECT;
		x->redirect = *redirect_of(la, link);
		x->server_addr = server->addr;
		x->server_port = server->port;
	}
	if (!side)
		return;
	if (side->helper && side->begun) {
		x->has |= HAS_HELPER;
		snprintf(x->helper, sizeof(x->helper), "%s", side->helper->name);
	}
	if (!side->changes[OUT] && !side->changes[IN] && !side->dest_known)
		return;
	x->has |= HAS_SIDE;
	if (side->dest_known)
		x->has |= DEST_KNOWN;
	x->stream_start = side->stream_start;
	collect_changes(side, OUT, x);
	collect_changes(side, IN, x);
}

int LibAliasPackLink(struct libalias *la, unsigned int *cursor, void *record)
{
	struct cursor c = {.at = record, .left = ALIAS_RECORD_MAX};
	struct contents x;
	struct link *link;

	clock_advance(la);
	link = link_next(la, cursor);
	if (!link)
		return 0;
	collect(la, link, &x);
	fields(&c, &x);
	return (int)(c.at - (uint8_t *)record);
}

static bool timer_fits(uint8_t proto, uint8_t timer)
{
	switch (proto) {
	case IPPROTO_TCP:
		return timer >= ALIAS_TIMEOUT_TCP_OPENING && timer <= ALIAS_TIMEOUT_TCP_CLOSING;
	case IPPROTO_UDP:
		return timer == ALIAS_TIMEOUT_UDP;
	case IPPROTO_ICMP:
		return timer == ALIAS_TIMEOUT_ICMP;
	case IPPROTO_GRE: /* a call of PPTP, as long as its control connection */
		return timer == ALIAS_TIMEOUT_OTHER || timer == ALIAS_TIMEOUT_TCP_ESTABLISHED;
	default:
		return timer == ALIAS_TIMEOUT_OTHER;
	}
}

static bool flags_fit(const struct contents *x)
{
	const struct link *link = &x->link;
	bool tcp = link->proto == IPPROTO_TCP, udp = link->proto == IPPROTO_UDP;
	uint8_t encode = link->flags & (LINK_ENCODE_IP | LINK_ENCODE_TCP);

	if ((link->flags & ~KEPT_FLAGS) ||
	    (x->has & ~(HAS_SIDE | HAS_REDIRECT | DEST_KNOWN | HAS_HELPER)))
		return false;
	if ((encode & LINK_ENCODE_TCP && (!tcp || encode & LINK_ENCODE_IP)) ||
	    (encode & LINK_ENCODE_IP && !tcp && !udp))
		return false;
	if (x->has & DEST_KNOWN && !(x->has & HAS_SIDE && encode & LINK_ENCODE_TCP))
		return false;
	return tcp || !link->tcp_state;
}

/* Peers are 0 in both views of an endpoint-independent link, and in both or none of another. */
static bool views_fit(const struct link *link)
{
	const struct view *out = &link->view[OUT], *in = &link->view[IN];

	if (link->flags & LINK_ANY_PEER)
		return link->proto == IPPROTO_UDP && view_any_peer(out) && view_any_peer(in);
	if (link->proto == IPPROTO_UDP)
		return !view_any_peer(out) && !view_any_peer(in);
	if (link->proto == IPPROTO_ICMP)
		return !out->peer_port && !in->peer_port;
	return true;
}

static bool read_record(struct contents *x, const void *record, int length)
{
	uint8_t copy[ALIAS_RECORD_MAX];
	struct cursor c = {.at = copy, .left = (size_t)length, .reading = true};

	if (length <= 0 || length > ALIAS_RECORD_MAX)
		return false;
	memcpy(copy, record, (size_t)length);
	*x = (struct contents){0};
	fields(&c, x);
	return !c.overrun && !c.left && !x->helper[sizeof(x->helper) - 1] &&
	       x->changes[OUT] <= CHANGES && x->changes[IN] <= CHANGES &&
	       (x->link.proto == IPPROTO_TCP || !(x->has & HAS_SIDE)) &&
	       x->redirect.kind <= REDIRECT_ADDR && timer_fits(x->link.proto, x->timer) &&
	       flags_fit(x) && views_fit(&x->link);
}

/* Has a link one of its views, or its alias port if that is for all remotes? */
static bool is_taken(struct libalias *la, const struct link *link)
{
	return link_find(la, OUT, &link->view[OUT], link->proto) ||
	       link_find(la, IN, &link->view[IN], link->proto) ||
	       (link->proto == IPPROTO_UDP && la->exact_counted &&
		mapping_conflict(la, &link->view[IN]));
}

static int restore_side(struct libalias *la, struct link *link, const struct contents *x)
{
	struct link_side *side;

	if (x->has & HAS_HELPER)
		helper_resume(la, link, x->helper);
	if (!(x->has & HAS_SIDE))
		return 0;
	side = link_side(la, link);
	if (!side)
		return -1;
	side->stream_start = x->stream_start;
	side->dest_known = x->has & DEST_KNOWN;
	return tcp_restore_changes(side, OUT, x->change[OUT], x->changes[OUT]) |
	       tcp_restore_changes(side, IN, x->change[IN], x->changes[IN]);
}

static void restore_server(struct libalias *la, struct link *link, const struct contents *x)
{
	uint32_t server;

	if (!(x->has & HAS_REDIRECT))
		return;
	server = redirect_find_server(la, &x->redirect, x->server_addr, x->server_port);
	if (server)
		server_add_link(la, server, link, link_id(la, link));
}

int LibAliasUnpackLink(struct libalias *la, const void *record, int length)
{
	struct contents x;
	struct link *link;

	if (!read_record(&x, record, length)) {
		errno = EINVAL;
		return -1;
	}
	clock_advance(la);
	if (x.idle > la->timeout[x.timer]) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (x.link.flags & LINK_ANY_PEER && !mapping_begin(la)) {
		errno = ENOMEM;
		return -1;
	}
	if (is_taken(la, &x.link)) {
		errno = EEXIST;
		return -1;
	}
	link = link_create(la, &x.link.view[OUT], &x.link.view[IN], x.link.proto,
			   x.link.flags | LINK_KNOWN_FREE);
	if (!link)
		return -1;
	link->timer = x.timer;
	link->tcp_state = x.link.tcp_state;
	link->tcp_start = x.link.tcp_start;
	link->last = la->now - x.idle;
	expire_sooner(la, link);
	if (restore_side(la, link, &x)) {
		link_delete(la, link);
		errno = ENOMEM;
		return -1;
	}
	restore_server(la, link, &x);
	if (link->flags & LINK_EXPECTED)
		firewall_open(la, link);
	return 0;
}
