/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.c - the table of links.
 *
 * Links are 64-byte records in a pool; two indexes lead to them, one by each view, so a look-up
 * costs a line of the index and the record.  Invariants: a used link is in both indexes, in a slot
 * of the timer wheel and in the counters; no two links share a view in the same direction and
 * protocol.  A link that is found after its time is deleted there and then, so the wheel may be
 * late without anyone seeing it.
 *
 * Side records (link_side) hold what few links need: sequence changes, helper state, firewall
 * holes.
 */
#include "helper.h"

#include <errno.h>
#include <stdlib.h>

int link_table_init(struct libalias *la)
{
	pool_init(&la->links, sizeof(struct link));
	if (index_init(&la->views[OUT]))
		return -1;
	if (index_init(&la->views[IN])) {
		index_free(&la->views[OUT]);
		return -1;
	}
	return 0;
}

void link_table_free(struct libalias *la)
{
	pool_clear(&la->links);
	index_free(&la->views[OUT]);
	index_free(&la->views[IN]);
}

static inline bool view_equal(const struct view *a, const struct view *b)
{
	return !((a->local ^ b->local) | (a->peer ^ b->peer) |
		 (uint32_t)(a->local_port ^ b->local_port) |
		 (uint32_t)(a->peer_port ^ b->peer_port));
}

struct link *link_find_hashed(struct libalias *la, enum direction dir, const struct view *view,
			      uint8_t proto, uint32_t hash)
{
	struct index_bucket *bucket = index_bucket_of(&la->views[dir], hash);
	struct link *link;
	int slot = -1;
	uint32_t id;

	while ((id = index_next(&la->views[dir], &bucket, &slot, hash))) {
		link = link_at(la, id);
		if (!view_equal(&link->view[dir], view) || link->proto != proto)
			continue;
		if (!link_expired(la, link))
			return link;
		link_delete(la, link);
		return NULL;
	}
	return NULL;
}

struct link *link_find(struct libalias *la, enum direction dir, const struct view *view,
		       uint8_t proto)
{
	return link_find_hashed(la, dir, view, proto, link_hash(la, view, proto));
}

struct link *link_of_view(struct libalias *la, enum direction dir, const struct view *view,
			  uint8_t proto)
{
	struct link *link = NULL;
	struct view any;

	if (!link_peers_ignored(la, proto))
		link = link_find(la, dir, view, proto);
	if (link)
		return link;
	if (proto == IPPROTO_UDP && la->any_peer_udp)
		any = (struct view){view->local, 0, view->local_port, 0};
	else if (proto == IPPROTO_GRE)
		any = (struct view){view->local, view->peer, 0, 0};
	else
		return NULL;
	return link_find(la, dir, &any, proto);
}

struct link *link_of_packet(struct libalias *la, enum direction dir, const struct packet *p)
{
	/* In a batch the kinds of links may have changed since the packet was hashed. */
	if (p->proto == IPPROTO_UDP && (la->any_peer_udp || p->any_peer))
		return link_of_view(la, dir, &p->view, p->proto);
	return link_find_hashed(la, dir, &p->view, p->proto, p->hash);
}

uint32_t link_id(const struct libalias *la, const struct link *link)
{
	struct index_bucket *bucket;
	uint32_t hash, id;
	int slot = -1;

	if (link->side)
		return link->side->id;
	/* So it is with a new link. */
	if (link->timer_prev & TIMER_SLOT)
		return la->wheel[link->timer_prev & ~TIMER_SLOT];
	hash = link_hash(la, &link->view[OUT], link->proto);
	bucket = index_bucket_of(&la->views[OUT], hash);
	while ((id = index_next(&la->views[OUT], &bucket, &slot, hash)))
		if (link_at(la, id) == link)
			break;
	return id;
}

struct link *link_next(const struct libalias *la, uint32_t *cursor)
{
	struct link *link;
	uint32_t id = *cursor;

	while ((id = pool_next(&la->links, id))) {
		link = link_at(la, id);
		if (!(link->flags & LINK_USED) || link_expired(la, link))
			continue;
		*cursor = id;
		return link;
	}
	return NULL;
}

void link_describe(const struct libalias *la, const struct link *link, struct alias_link_info *info)
{
	*info = (struct alias_link_info){
		.local_addr.s_addr = link->view[OUT].local,
		.local_port = link->view[OUT].local_port,
		.dest_addr.s_addr = link->view[OUT].peer,
		.dest_port = link->view[OUT].peer_port,
		.alias_addr.s_addr = link->view[IN].local,
		.alias_port = link->view[IN].local_port,
		.remote_addr.s_addr = link->view[IN].peer,
		.remote_port = link->view[IN].peer_port,
		.proto = link->proto,
		.incoming = (link->flags & LINK_INCOMING) != 0,
		.timeout = la->timeout[link->timer] - (la->now - link->last),
		.redirect = redirect_of(la, link),
		.helper = helper_name(link->helper),
	};
}

static void count(struct libalias *la, const struct link *link, uint32_t change)
{
	la->stats.links += change;
	switch (link->proto) {
	case IPPROTO_TCP:
		la->stats.tcp += change;
		break;
	case IPPROTO_UDP:
		la->stats.udp += change;
		if (link->flags & LINK_ANY_PEER) {
			la->any_peer_udp += change;
			break;
		}
		la->exact_udp += change;
		if (la->exact_counted)
			mapping_count_exact(la, &link->view[IN], change);
		break;
	case IPPROTO_ICMP:
		la->stats.icmp += change;
		break;
	default:
		la->stats.other += change;
		break;
	}
}

static uint8_t first_timer(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return ALIAS_TIMEOUT_TCP_OPENING;
	case IPPROTO_UDP:
		return ALIAS_TIMEOUT_UDP;
	case IPPROTO_ICMP:
		return ALIAS_TIMEOUT_ICMP;
	default:
		return ALIAS_TIMEOUT_OTHER;
	}
}

/* Always false. */
static bool taken(struct libalias *la)
{
	la->stats.refused_taken++;
	errno = EEXIST;
	return false;
}

/* A view is free if no link has it; a closed TCP connection gives way (RFC 6191 leaves that open).
 */
static bool view_free(struct libalias *la, enum direction dir, const struct view *view,
		      uint8_t proto, uint32_t hash)
{
	struct link *other = link_find_hashed(la, dir, view, proto, hash);

	if (other && other->timer == ALIAS_TIMEOUT_TCP_CLOSING) {
		link_delete(la, other);
		other = NULL;
	}
	return !other || taken(la);
}

/* The outside's view must be free, and of UDP nobody of the other kind may have its alias port. */
static bool alias_end_free(struct libalias *la, const struct view *in, uint8_t proto, uint32_t hash)
{
	if (!view_free(la, IN, in, proto, hash))
		return false;
	return proto != IPPROTO_UDP || !la->exact_counted || !mapping_conflict(la, in) || taken(la);
}

static bool within_limits(struct libalias *la, uint32_t inside)
{
	if (la->stats.links >= la->limit[ALIAS_LIMIT_LINKS])
		expire_some(la, 64);
	if (la->stats.links < la->limit[ALIAS_LIMIT_LINKS] &&
	    (!la->limit[ALIAS_LIMIT_LINKS_PER_HOST] || host_has_room(la, inside)))
		return true;
	la->stats.refused_limit++;
	errno = ENOSPC;
	return false;
}

struct link *link_create(struct libalias *la, const struct view *out, const struct view *in,
			 uint8_t proto, uint8_t flags)
{
	uint32_t out_hash = link_hash(la, out, proto), in_hash = link_hash(la, in, proto);
	struct link *link;
	uint32_t id;

	index_prefetch(&la->views[OUT], out_hash);
	index_prefetch(&la->views[IN], in_hash);
	if (!within_limits(la, out->local))
		return NULL;
	/* What began with an incoming packet has been looked for under its incoming view. */
	if (!(flags & LINK_KNOWN_FREE) &&
	    (!view_free(la, OUT, out, proto, out_hash) ||
	     (!(flags & LINK_INCOMING) && !alias_end_free(la, in, proto, in_hash))))
		return NULL;
	if (proto == IPPROTO_UDP && !(flags & LINK_ANY_PEER)) {
		/* Peer 0.0.0.0:0 stands for any. */
		if (view_any_peer(out) || view_any_peer(in)) {
			taken(la);
			return NULL;
		}
		if (la->exact_counted && !mapping_reserve_exact(la, in))
			goto no_memory;
	}
	id = pool_alloc(&la->links);
	if (!id)
		goto no_memory;
	link = link_at(la, id);
	link->view[OUT] = *out;
	link->view[IN] = *in;
	link->proto = proto;
	link->flags = (uint8_t)((flags & ~LINK_KNOWN_FREE) | LINK_USED);
	link->timer = first_timer(proto);
	link->last = la->now;
	if (index_insert(&la->views[OUT], out_hash, id))
		goto no_index;
	if (index_insert(&la->views[IN], in_hash, id)) {
		index_remove(&la->views[OUT], out_hash, id);
		goto no_index;
	}
	expire_add(la, link, id);
	if (la->endpoint_count)
		port_note(la, in, proto, true);
	if (la->limit[ALIAS_LIMIT_LINKS_PER_HOST])
		host_count_link(la, out->local, 1);
	count(la, link, 1);
	la->stats.links_created++;
	la->new_link = true;
	if (la->log)
		log_links(la);
	return link;
no_index:
	pool_free(&la->links, id);
no_memory:
	la->stats.refused_memory++;
	errno = ENOMEM;
	return NULL;
}

static void side_free(struct libalias *la, struct link *link)
{
	struct link_side *side = link->side;

	if (!side)
		return;
	helper_detach(la, link);
	firewall_close(la, link);
	expect_forget_master(la, side);
	LIST_REMOVE(side, entry);
	tcp_forget_changes(side);
	free(side->change[OUT]);
	free(side->change[IN]);
	free(side);
	link->side = NULL;
}

void link_delete(struct libalias *la, struct link *link)
{
	uint32_t id = link_id(la, link);

	side_free(la, link);
	if (link->server)
		server_remove_link(la, link);
	expire_remove(la, link);
	index_remove(&la->views[OUT], link_hash(la, &link->view[OUT], link->proto), id);
	index_remove(&la->views[IN], link_hash(la, &link->view[IN], link->proto), id);
	if (la->limit[ALIAS_LIMIT_LINKS_PER_HOST])
		host_count_link(la, link->view[OUT].local, -1);
	count(la, link, (uint32_t)-1);
	if (la->endpoint_count)
		port_note(la, &link->view[IN], link->proto, false);
	pool_free(&la->links, id);
	if (la->log)
		log_links(la);
}

static struct link_side *side_new(struct libalias *la, struct link *link, size_t state)
{
	size_t bytes = (sizeof(struct link_side) + state + 63) & ~(size_t)63;
	struct link_side *side = aligned_alloc(64, bytes);

	if (!side)
		return NULL;
	memset(side, 0, bytes);
	side->id = link_id(la, link);
	side->texts = &la->texts;
	link->side = side;
	LIST_INSERT_HEAD(&la->sides, side, entry);
	return side;
}

struct link_side *link_side(struct libalias *la, struct link *link)
{
	return link->side ? link->side : side_new(la, link, 0);
}

struct link_side *link_side_with_state(struct libalias *la, struct link *link, size_t state)
{
	struct link_side *old = link->side, *side = side_new(la, link, state);

	if (!side)
		return NULL;
	if (old) {
		LIST_REMOVE(side, entry);
		LIST_REMOVE(old, entry);
		*side = *old;
		LIST_INSERT_HEAD(&la->sides, side, entry);
		if (LIST_FIRST(&side->expectations))
			LIST_FIRST(&side->expectations)->sibling.le_prev =
				&LIST_FIRST(&side->expectations);
		free(old);
	}
	side->has_state = true;
	return side;
}

void link_clear(struct libalias *la)
{
	struct link_side *side;

	while ((side = LIST_FIRST(&la->sides)))
		side_free(la, link_at(la, side->id));
	server_clear_links(la);
	pool_empty(&la->links);
	index_empty(&la->views[OUT]);
	index_empty(&la->views[IN]);
	port_clear(la);
	host_clear(la);
	memset(la->wheel, 0, sizeof(la->wheel));
	mapping_end(la);
	la->exact_udp = la->any_peer_udp = 0;
	la->stats.links = la->stats.tcp = la->stats.udp = la->stats.icmp = la->stats.other = 0;
	if (la->log)
		log_links(la);
}
