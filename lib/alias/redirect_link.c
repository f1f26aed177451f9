/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect_link.c - making links as redirects say, and load sharing (LSNAT, RFC 2391).
 *
 * redirect.c found the redirect; here its zero addresses become the aliasing address, a pool names
 * a server (server.c), and the two views of the new link are put together.  The link remembers its
 * server, so later packets of the session stay with it and are counted there.
 */
#include "redirect.h"

/* The server and the inside end for a packet to view->local; the pool advances. */
static uint32_t resolve(struct libalias *la, struct alias_link *r, const struct view *view,
			uint32_t *addr, uint16_t *port)
{
	uint32_t aliasing = la->alias ? la->alias : view->local, id;
	bool one_port = r->kind == REDIRECT_PORT || r->kind == REDIRECT_MARK;
	const struct alias_server *server;

	*addr = r->local ? r->local : aliasing;
	*port = view->local_port;
	if (one_port && r->local_port)
		*port = r->local_port;
	if (r->kind == REDIRECT_RANGE && r->local_port)
		*port = htons((uint16_t)(ntohs(view->local_port) - ntohs(r->alias_port) +
					 ntohs(r->local_port)));
	id = server_take_turn(la, r);
	if (!r->server_count) {
		if (id)
			__builtin_prefetch(server_at(la, id), 1);
		return id;
	}
	server = server_at(la, id);
	*addr = server->addr ? server->addr : aliasing;
	if (one_port && server->port)
		*port = server->port;
	return id;
}

/*
 * The new link's redirect, unless making the link has ended it: an expectation goes with its
 * control connection, whose time may have been found to be over.
 */
static struct link *made(struct libalias *la, uint32_t id, uint64_t age, uint32_t server,
			 struct link *link)
{
	struct alias_link *r;

	if (!link)
		return NULL;
	r = redirect_live(la, id, age);
	if (!r)
		return link;
	r->hits++;
	if (r->dynamic) {
		expect_used(la, r, link);
		return link;
	}
	server_add_link(la, server, link, link_id(la, link));
	server_at(la, server)->traffic.connections++;
	return link;
}

/*
 * Media that the same two ends exchange by another alias port, since an earlier call, move to the
 * one that was announced last.
 */
static void move_media(struct libalias *la, const struct alias_link *r, const struct packet *p,
		       const struct view *out)
{
	struct link *earlier;

	if (!(r->helper || r->awaited) || p->proto != IPPROTO_UDP)
		return;
	earlier = link_find(la, OUT, out, p->proto);
	if (earlier && !earlier->side)
		link_delete(la, earlier);
}

struct link *redirect_link_in(struct libalias *la, struct alias_link *r, const struct packet *p,
			      const struct view *in)
{
	struct view out = *in;
	uint32_t id = r->id;
	uint64_t age = r->age;
	uint32_t server = resolve(la, r, in, &out.local, &out.local_port);

	move_media(la, r, p, &out);
	return made(la, id, age, server, link_create(la, &out, in, p->proto, LINK_INCOMING));
}

struct link *redirect_link_out(struct libalias *la, struct alias_link *r, const struct packet *p,
			       const struct view *out)
{
	struct view in = *out;
	uint32_t id = r->id;
	uint64_t age = r->age;
	uint32_t server = r->own_server;

	in.local = r->alias ? r->alias : la->alias ? la->alias : out->local;
	if (r->kind == REDIRECT_PORT)
		in.local_port = r->alias_port;
	else if ((p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || p->proto == IPPROTO_ICMP) &&
		 !port_choose(la, &in, p->proto, out->local_port))
		return NULL;
	return made(la, id, age, server, link_create(la, out, &in, p->proto, 0));
}

uint32_t redirect_alias_address(struct libalias *la, uint32_t inside, uint32_t otherwise)
{
	struct view view = {.local = inside};
	struct alias_link *r = redirect_find(la, OUT, &view, 0, 0);

	if (r && r->alias)
		return r->alias;
	if (!r && otherwise)
		return otherwise;
	return la->alias ? la->alias : inside;
}
