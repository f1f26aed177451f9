/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect_link.c - making links as redirects say, and load sharing (LSNAT, RFC 2391).
 *
 * redirect.c found the redirect; here its zero addresses become the aliasing address, a pool picks
 * a server, and the two views of the new link are put together.  A pool serves its servers in turn,
 * each as often in a round as its weight says; the link remembers the choice, so later packets of
 * the session stay with their server.
 */
#include "redirect.h"

void redirect_resolve(struct libalias *la, struct alias_link *r, const struct view *view,
		      uint32_t *addr, uint16_t *port)
{
	uint32_t aliasing = la->alias ? la->alias : view->local;

	*addr = r->local ? r->local : aliasing;
	*port = view->local_port;
	if (r->kind == REDIRECT_PORT || r->kind == REDIRECT_MARK)
		*port = r->local_port ? r->local_port : view->local_port;
	if (r->kind == REDIRECT_RANGE && r->local_port)
		*port = htons((uint16_t)(ntohs(view->local_port) - ntohs(r->alias_port) +
					 ntohs(r->local_port)));
	if (!r->server_count)
		return;
	if (r->server_used >= r->servers[r->server_at].weight) {
		r->server_used = 0;
		r->server_at = (r->server_at + 1) % r->server_count;
	}
	r->server_used++;
	*addr = r->servers[r->server_at].addr ? r->servers[r->server_at].addr : aliasing;
	if ((r->kind == REDIRECT_PORT || r->kind == REDIRECT_MARK) && r->servers[r->server_at].port)
		*port = r->servers[r->server_at].port;
}

/*
 * The new link's redirect, unless making the link has ended it: an expectation goes with its
 * control connection, whose time may have been found to be over.
 */
static struct link *made(struct libalias *la, uint32_t id, uint64_t age, struct link *link)
{
	struct alias_link *r;

	if (!link)
		return NULL;
	r = redirect_live(la, id, age);
	if (!r)
		return link;
	r->hits++;
	link->redirect = id;
	link->redirect_age = (uint32_t)age;
	if (r->dynamic)
		expect_used(la, r, link);
	return link;
}

struct link *redirect_link_in(struct libalias *la, struct alias_link *r, const struct packet *p,
			      const struct view *in)
{
	struct view out = *in;
	uint32_t id = r->id;
	uint64_t age = r->age;

	redirect_resolve(la, r, in, &out.local, &out.local_port);
	return made(la, id, age, link_create(la, &out, in, p->proto, LINK_INCOMING));
}

struct link *redirect_link_out(struct libalias *la, struct alias_link *r, const struct packet *p,
			       const struct view *out)
{
	struct view in = *out;
	uint32_t id = r->id;
	uint64_t age = r->age;

	in.local = r->alias ? r->alias : la->alias ? la->alias : out->local;
	if (r->kind == REDIRECT_PORT)
		in.local_port = r->alias_port;
	else if ((p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || p->proto == IPPROTO_ICMP) &&
		 !port_choose(la, &in, p->proto, out->local_port))
		return NULL;
	return made(la, id, age, link_create(la, out, &in, p->proto, 0));
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
