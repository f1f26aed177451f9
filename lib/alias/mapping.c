/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapping.c - UDP links of two kinds, endpoint-independent mappings and exact ones, side by side.
 *
 * A mapping (PKT_ALIAS_UDP_EIM, RFC 4787) has its alias port towards all remotes, an exact link
 * towards one.  Proxy rules, redirects, incoming packets and the time before the mode was set make
 * exact links next to mappings.  No mapping shares an alias address and port with an exact link, or
 * the one would get answers that are meant for the other's host.  For an exact link that is a
 * look-up of the mapping; for a mapping the exact links of each alias address and port are counted,
 * from the first mapping on, so who does not use the mode pays nothing.
 */
#include "engine.h"

static uint64_t port_key(const struct view *in)
{
	return (uint64_t)in->local << 16 | in->local_port;
}

bool mapping_begin(struct libalias *la)
{
	if (la->exact_counted)
		return true;
	tally_clear(&la->exact_ports);
	port_clear(la);
	for (uint32_t id = 0; la->exact_udp && (id = pool_next(&la->links, id));) {
		const struct link *link = link_at(la, id);

		if (!(link->flags & LINK_USED) || link->proto != IPPROTO_UDP ||
		    (link->flags & LINK_ANY_PEER))
			continue;
		if (!tally_reserve(&la->exact_ports, la->key, port_key(&link->view[IN]))) {
			tally_clear(&la->exact_ports);
			return false;
		}
		tally_add(&la->exact_ports, la->key, port_key(&link->view[IN]), 1);
	}
	la->exact_counted = true;
	return true;
}

void mapping_end(struct libalias *la)
{
	la->exact_counted = false;
	tally_clear(&la->exact_ports);
}

bool mapping_reserve_exact(struct libalias *la, const struct view *in)
{
	return tally_reserve(&la->exact_ports, la->key, port_key(in));
}

void mapping_count_exact(struct libalias *la, const struct view *in, uint32_t change)
{
	tally_add(&la->exact_ports, la->key, port_key(in), change);
}

bool mapping_conflict(struct libalias *la, const struct view *in)
{
	struct view any = {.local = in->local, .local_port = in->local_port};

	if (view_any_peer(in))
		return la->exact_udp && tally_get(&la->exact_ports, la->key, port_key(in));
	return la->any_peer_udp && link_find(la, IN, &any, IPPROTO_UDP);
}
