/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server.c - where the links of redirects lead: servers, their turns and what they carry.
 *
 * Every redirect has a server record for its local end; LibAliasAddServer() gives it a pool of them
 * instead (LSNAT, RFC 2391).  A pool serves new sessions in turn: server_at is whose turn it is,
 * server_left how many sessions of it are left, 0 if it never ends (weight 0).
 *
 * A link that a redirect made names its server and is in the server's list, a doubly linked one of
 * link ids.  So a packet is counted with one more line of memory, links are ended without a look at
 * others, and when a redirect goes its links are told.
 */
#include "redirect.h"

#include <errno.h>
#include <stdlib.h>

uint32_t server_new(struct libalias *la, const struct alias_link *r, uint32_t addr, uint16_t port,
		    uint32_t weight)
{
	uint32_t id = pool_alloc(&la->servers);
	struct alias_server *server;

	if (!id)
		return 0;
	server = server_at(la, id);
	server->redirect = r->id;
	server->addr = addr;
	server->port = port;
	server->weight = weight;
	return id;
}

static void server_free(struct libalias *la, uint32_t id)
{
	struct link *link;

	for (uint32_t at = server_at(la, id)->links; at; at = link->server_next) {
		link = link_at(la, at);
		link->server = 0;
	}
	pool_free(&la->servers, id);
}

void servers_free(struct libalias *la, struct alias_link *r)
{
	if (r->own_server)
		server_free(la, r->own_server);
	for (uint32_t i = 0; i < r->server_count; i++)
		server_free(la, r->servers[i]);
	free(r->servers);
}

/* By index, 0: there are not so many. */
static uint32_t server_id(const struct alias_link *r, unsigned int index)
{
	if (!r->server_count && !index)
		return r->own_server;
	return index < r->server_count ? r->servers[index] : 0;
}

uint32_t server_find(const struct libalias *la, const struct alias_link *r, uint32_t addr,
		     uint16_t port)
{
	uint32_t id;

	for (unsigned int i = 0; (id = server_id(r, i)); i++)
		if (server_at(la, id)->addr == addr && server_at(la, id)->port == port)
			return id;
	return 0;
}

static void begin_turn(const struct libalias *la, struct alias_link *r, uint32_t index)
{
	r->server_at = index;
	r->server_left = server_at(la, r->servers[index])->weight;
}

uint32_t server_take_turn(const struct libalias *la, struct alias_link *r)
{
	uint32_t id;

	if (!r->server_count)
		return r->own_server;
	id = r->servers[r->server_at];
	if (r->server_left && !--r->server_left)
		begin_turn(la, r, (r->server_at + 1) % r->server_count);
	return id;
}

void server_add_link(struct libalias *la, uint32_t id, struct link *link, uint32_t number)
{
	struct alias_server *server = server_at(la, id);

	link->server = id;
	link->server_prev = 0;
	link->server_next = server->links;
	if (server->links)
		link_at(la, server->links)->server_prev = number;
	server->links = number;
}

void server_remove_link(struct libalias *la, struct link *link)
{
	if (link->server_prev)
		link_at(la, link->server_prev)->server_next = link->server_next;
	else
		server_at(la, link->server)->links = link->server_next;
	if (link->server_next)
		link_at(la, link->server_next)->server_prev = link->server_prev;
	link->server = 0;
}

void server_clear_links(struct libalias *la)
{
	for (uint32_t id = 0; (id = pool_next(&la->servers, id));)
		if (server_at(la, id)->redirect)
			server_at(la, id)->links = 0;
}

int LibAliasAddServerWeight(struct libalias *la, struct alias_link *r, struct in_addr addr,
			    unsigned short port, unsigned int weight)
{
	uint32_t *servers, id;

	if (!r || weight > 65535) {
		errno = EINVAL;
		return -1;
	}
	/* Room doubles: it is a power of two whenever it is full. */
	if (!(r->server_count & (r->server_count - 1))) {
		uint32_t room = r->server_count ? r->server_count * 2 : 1;

		servers = realloc(r->servers, room * sizeof(*servers));
		if (!servers)
			return -1;
		r->servers = servers;
	}
	id = server_new(la, r, addr.s_addr, port, weight);
	if (!id)
		return -1;
	r->servers[r->server_count++] = id;
	if (r->server_count == 1) {
		redirect_no_outgoing(la, r);
		begin_turn(la, r, 0);
	}
	return 0;
}

int LibAliasAddServer(struct libalias *la, struct alias_link *r, struct in_addr addr,
		      unsigned short port)
{
	return LibAliasAddServerWeight(la, r, addr, port, 1);
}

/* Of an API call; NULL with ERANGE. */
static struct alias_server *server_of(const struct libalias *la, const struct alias_link *r,
				      unsigned int index)
{
	uint32_t id = server_id(r, index);

	if (id)
		return server_at(la, id);
	errno = ERANGE;
	return NULL;
}

int LibAliasRedirectServer(const struct libalias *la, const struct alias_link *r,
			   unsigned int index, struct alias_server_info *info)
{
	const struct alias_server *server = server_of(la, r, index);

	if (!server)
		return -1;
	*info = (struct alias_server_info){
		.addr.s_addr = server->addr,
		.port = server->port,
		.weight = server->weight,
		.left = server->weight,
		.head = !r->server_count || index == r->server_at,
		.traffic = server->traffic,
	};
	if (r->server_count && info->head)
		info->left = r->server_left;
	return 0;
}

int LibAliasRedirectSchedule(struct libalias *la, struct alias_link *r, unsigned int index,
			     unsigned int left)
{
	if (!server_of(la, r, index))
		return -1;
	if (!r->server_count)
		return 0;
	begin_turn(la, r, index);
	if (left && left < r->server_left)
		r->server_left = left;
	return 0;
}

int LibAliasRedirectSetTraffic(struct libalias *la, struct alias_link *r, unsigned int index,
			       const struct alias_traffic *traffic)
{
	struct alias_server *server = server_of(la, r, index);

	if (!server)
		return -1;
	server->traffic = *traffic;
	return 0;
}

static uint32_t *server_slot(struct alias_link *r, unsigned int index)
{
	return r->server_count ? &r->servers[index] : &r->own_server;
}

void LibAliasRedirectInherit(struct libalias *la, struct alias_link *r, struct alias_link *from)
{
	unsigned int theirs = from->server_count ? from->server_count : 1, k = 0;

	r->hits += from->hits;
	for (unsigned int i = 0; i < (r->server_count ? r->server_count : 1); i++) {
		uint32_t *mine = server_slot(r, i), *old;
		struct alias_server *fresh = server_at(la, *mine), *kept;
		uint32_t id = *mine;

		/* Mostly in the same order, so the search goes on where the last one ended. */
		for (unsigned int tries = 0; tries < theirs; tries++, k++) {
			old = server_slot(from, k % theirs);
			kept = server_at(la, *old);
			if (kept->redirect != from->id || kept->addr != fresh->addr ||
			    kept->port != fresh->port)
				continue;
			kept->redirect = r->id;
			kept->weight = fresh->weight;
			fresh->redirect = from->id;
			*mine = *old;
			*old = id;
			k++;
			break;
		}
	}
}

static unsigned int end_links(struct libalias *la, uint32_t server, const struct view *end,
			      uint8_t proto)
{
	unsigned int ended = 0;
	uint32_t id, next;

	for (id = server_at(la, server)->links; id; id = next) {
		struct link *link = link_at(la, id);
		const struct view *view = &link->view[OUT];

		next = link->server_next;
		if ((end->local && view->local != end->local) ||
		    (end->local_port && view->local_port != end->local_port) ||
		    (proto && link->proto != proto))
			continue;
		link_delete(la, link);
		ended++;
	}
	return ended;
}

unsigned int LibAliasRedirectEnd(struct libalias *la, struct alias_link *r, struct in_addr addr,
				 u_short port, unsigned char proto)
{
	const struct view end = {.local = addr.s_addr, .local_port = port};
	unsigned int ended = end_links(la, r->own_server, &end, proto);

	for (uint32_t i = 0; i < r->server_count; i++)
		ended += end_links(la, r->servers[i], &end, proto);
	return ended;
}
