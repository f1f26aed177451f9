/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record.c - links as records of bytes, so that they outlive the process.
 *
 * A record is a version, then fixed fields in network byte order, then the sequence changes of the
 * outgoing and of the incoming stream.  It names nothing by number: time is told as seconds since
 * the last packet, the redirect by what it matches, the server by its address and port, helpers by
 * their names.  Of a helper's state it has the fields that the helper lists; links that this made
 * find each other again by their views.  What it awaits is awaited again.  The number of a firewall
 * hole is not in it: an expected link opens a new hole.  The values of the link's flags, timers and
 * TCP states and of the kinds of redirects are part of the format.
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
#define HAS_HELPER   0x08 /* that watches the link */
#define HAS_STATE    0x10 /* of that helper */
#define HAS_AWAITER  0x20 /* a helper that awaited the link */
#define HAS_AWAITED  0x40 /* what the link's helper awaits */
#define HAS_ANY      0x7f

#define NAME_SIZE    16
#define STATE_MAX    255
#define AWAITED_MAX  16    /* of more, the newest are in a record */
#define AWAITED_LEFT 86400 /* seconds; none is awaited longer */

struct awaited {
	uint8_t proto;
	uint16_t inside_port, alias_port, remote_port;
	uint32_t remote;
	uint32_t left; /* seconds */
};

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
	char helper[NAME_SIZE], awaiter[NAME_SIZE];
	uint8_t state_length;
	uint8_t state[STATE_MAX];
	uint8_t awaited_count;
	struct awaited awaited[AWAITED_MAX];
	uint32_t stream_start;
	uint8_t changes[2];
	struct sequence_change change[2][CHANGES];
};

static void view_fields(struct record_cursor *c, struct view *view)
{
	record_bytes(c, &view->local, 4);
	record_bytes(c, &view->peer, 4);
	record_bytes(c, &view->local_port, 2);
	record_bytes(c, &view->peer_port, 2);
}

static void redirect_fields(struct record_cursor *c, struct contents *x)
{
	struct alias_link *r = &x->redirect;

	record_number8(c, &r->kind);
	record_number8(c, &r->proto);
	record_bytes(c, &r->remote, 4);
	record_bytes(c, &r->alias, 4);
	record_bytes(c, &r->remote_port, 2);
	record_bytes(c, &r->alias_port, 2);
	record_bytes(c, &r->alias_port_high, 2);
	record_number32(c, &r->mark);
	record_bytes(c, &x->server_addr, 4);
	record_bytes(c, &x->server_port, 2);
}

static void side_fields(struct record_cursor *c, struct contents *x)
{
	record_number32(c, &x->stream_start);
	for (int dir = OUT; dir <= IN; dir++) {
		record_number8(c, &x->changes[dir]);
		for (int i = 0; i < x->changes[dir] && i < CHANGES; i++) {
			struct sequence_change *change = &x->change[dir][i];
			uint32_t delta = (uint32_t)change->delta;

			record_number32(c, &change->start);
			record_number32(c, &change->end);
			record_number32(c, &delta);
			record_number32(c, &change->unit);
			change->delta = (int32_t)delta;
		}
	}
}

static void awaited_fields(struct record_cursor *c, struct contents *x)
{
	record_number8(c, &x->awaited_count);
	for (int i = 0; i < x->awaited_count && i < AWAITED_MAX; i++) {
		struct awaited *a = &x->awaited[i];

		record_number8(c, &a->proto);
		record_bytes(c, &a->inside_port, 2);
		record_bytes(c, &a->alias_port, 2);
		record_bytes(c, &a->remote_port, 2);
		record_bytes(c, &a->remote, 4);
		record_number32(c, &a->left);
	}
}

static void fields(struct record_cursor *c, struct contents *x)
{
	uint8_t version = VERSION;

	record_number8(c, &version);
	if (version != VERSION) {
		c->overrun = true;
		return;
	}
	record_number8(c, &x->link.proto);
	record_number8(c, &x->link.flags);
	record_number8(c, &x->timer);
	record_number8(c, &x->link.tcp_state);
	record_number8(c, &x->has);
	record_number32(c, &x->idle);
	record_number32(c, &x->link.tcp_start);
	view_fields(c, &x->link.view[OUT]);
	view_fields(c, &x->link.view[IN]);
	if (x->has & HAS_REDIRECT)
		redirect_fields(c, x);
	if (x->has & HAS_HELPER)
		record_bytes(c, x->helper, sizeof(x->helper));
	if (x->has & HAS_STATE) {
		record_number8(c, &x->state_length);
		record_bytes(c, x->state, x->state_length);
	}
	if (x->has & HAS_AWAITED)
		awaited_fields(c, x);
	if (x->has & HAS_AWAITER)
		record_bytes(c, x->awaiter, sizeof(x->awaiter));
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
		x->change[dir][x->changes[dir]++] = (struct sequence_change){
			list[first].start, list[first].start, base, list[first].start, 0, NULL};
	for (int i = first; i < n; i++)
		x->change[dir][x->changes[dir]++] = list[i];
}

static void collect_awaited(const struct libalias *la, const struct link *link, struct contents *x)
{
	const struct alias_link *r;

	LIST_FOREACH(r, &link->side->expectations, sibling) {
		uint32_t left = r->deadline - la->now;

		if (!left || left > AWAITED_LEFT || x->awaited_count == AWAITED_MAX)
			continue;
		x->awaited[x->awaited_count++] = (struct awaited){
			.proto = r->proto,
			.inside_port = r->local_port,
			.alias_port = r->alias_port,
			.remote_port = r->remote_port,
			.remote = r->remote,
			.left = left,
		};
	}
	if (x->awaited_count)
		x->has |= HAS_AWAITED;
}

static void collect_helper(const struct libalias *la, const struct link *link, struct contents *x)
{
	struct record_cursor c = {.at = x->state, .left = sizeof(x->state)};

	x->has |= HAS_HELPER;
	snprintf(x->helper, sizeof(x->helper), "%s", link->side->helper->name);
	helper_record(&c, link);
	x->state_length = (uint8_t)(c.at - x->state);
	if (x->state_length)
		x->has |= HAS_STATE;
	collect_awaited(la, link, x);
}

static void collect(struct libalias *la, const struct link *link, struct contents *x)
{
	const struct link_side *side = link->side;

	*x = (struct contents){.link = *link, .timer = link->timer, .idle = la->now - link->last};
	x->link.flags &= KEPT_FLAGS;
	if (link->proto != IPPROTO_TCP)
		x->link.tcp_start = 0;
	if (link->server) {
		const struct alias_server *server = server_at(la, link->server);

		x->has |= HAS_REDIRECT;
		x->redirect = *redirect_of(la, link);
		x->server_addr = server->addr;
		x->server_port = server->port;
	}
	if (link->helper) {
		x->has |= HAS_AWAITER;
		snprintf(x->awaiter, sizeof(x->awaiter), "%s", helper_name(link->helper));
	}
	if (!side)
		return;
	if (side->helper && side->begun)
		collect_helper(la, link, x);
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
	struct record_cursor c = {.at = record, .left = ALIAS_RECORD_MAX};
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

	if ((link->flags & ~KEPT_FLAGS) || (x->has & ~HAS_ANY) ||
	    (x->has & (HAS_STATE | HAS_AWAITED) && !(x->has & HAS_HELPER)))
		return false;
	if ((encode & LINK_ENCODE_TCP && (!tcp || encode & LINK_ENCODE_IP)) ||
	    (encode & LINK_ENCODE_IP && !tcp && !udp))
		return false;
	if (x->has & DEST_KNOWN && !(x->has & HAS_SIDE && encode & LINK_ENCODE_TCP))
		return false;
	return tcp || !link->tcp_state;
}

/*
 * Peers are 0 in both views of an endpoint-independent link, and in both or none of another.  So are
 * the numbers of a call: what has none cannot get one.
 */
static bool views_fit(const struct link *link)
{
	const struct view *out = &link->view[OUT], *in = &link->view[IN];

	if (link->flags & LINK_ANY_PEER)
		return link->proto == IPPROTO_UDP && view_any_peer(out) && view_any_peer(in);
	if (link->proto == IPPROTO_UDP)
		return !view_any_peer(out) && !view_any_peer(in);
	if (link->proto == IPPROTO_ICMP)
		return !out->peer_port && !in->peer_port;
	if (link->proto == IPPROTO_GRE)
		return !out->local_port == !in->local_port && !out->peer_port == !in->peer_port;
	return true;
}

static bool awaited_fit(const struct contents *x)
{
	if (x->awaited_count > AWAITED_MAX)
		return false;
	for (int i = 0; i < x->awaited_count; i++) {
		const struct awaited *a = &x->awaited[i];

		if ((a->proto != IPPROTO_TCP && a->proto != IPPROTO_UDP) || !a->left ||
		    a->left > AWAITED_LEFT ||
		    (a->inside_port ? !a->alias_port : a->alias_port || !a->remote_port))
			return false;
	}
	return true;
}

static bool read_record(struct contents *x, const void *record, int length)
{
	uint8_t copy[ALIAS_RECORD_MAX];
	struct record_cursor c = {.at = copy, .left = (size_t)length, .reading = true};

	if (length <= 0 || length > ALIAS_RECORD_MAX)
		return false;
	memcpy(copy, record, (size_t)length);
	*x = (struct contents){0};
	fields(&c, x);
	return !c.overrun && !c.left && !x->helper[NAME_SIZE - 1] && !x->awaiter[NAME_SIZE - 1] &&
	       x->changes[OUT] <= CHANGES && x->changes[IN] <= CHANGES &&
	       (x->link.proto == IPPROTO_TCP || !(x->has & HAS_SIDE)) &&
	       x->redirect.kind <= REDIRECT_ADDR && timer_fits(x->link.proto, x->timer) &&
	       flags_fit(x) && views_fit(&x->link) && awaited_fit(x);
}

/* Has a link one of its views, or its alias port if that is for all remotes? */
static bool is_taken(struct libalias *la, const struct link *link)
{
	return link_find(la, OUT, &link->view[OUT], link->proto) ||
	       link_find(la, IN, &link->view[IN], link->proto) ||
	       (link->proto == IPPROTO_UDP && la->exact_counted &&
		mapping_conflict(la, &link->view[IN]));
}

static void restore_awaited(struct libalias *la, struct link *link, const struct contents *x)
{
	for (int i = x->awaited_count - 1; i >= 0; i--) {
		const struct awaited *a = &x->awaited[i];
		const struct expectation wanted = {
			.helper = link->side->helper,
			.proto = a->proto,
			.inside = link->view[OUT].local,
			.inside_port = a->inside_port,
			.remote = a->remote,
			.remote_port = a->remote_port,
			.alias_port = a->alias_port,
			.timeout = a->left,
		};

		(void)expect_add(la, link, &wanted); /* a rule may want its port now */
	}
}

static int restore_side(struct libalias *la, struct link *link, struct contents *x)
{
	struct record_cursor state = {.at = x->state, .left = x->state_length, .reading = true};
	struct link_side *side;

	if (x->has & HAS_HELPER)
		helper_resume(la, link, x->helper, &state);
	if (link->side && link->side->helper)
		restore_awaited(la, link, x);
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
	link->tcp_start = x.link.proto == IPPROTO_TCP ? x.link.tcp_start : 0;
	link->helper = helper_number(helper_named(x.awaiter));
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
