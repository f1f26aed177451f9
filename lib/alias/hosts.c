/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hosts.c - how many links each inside address has, for ALIAS_LIMIT_LINKS_PER_HOST.
 *
 * Counted only while the limit is set: setting it counts the links that exist, clearing it frees
 * the table.
 */
#include "engine.h"

bool host_has_room(struct libalias *la, uint32_t addr)
{
	return tally_reserve(&la->hosts, la->key, addr) &&
	       tally_get(&la->hosts, la->key, addr) < la->limit[ALIAS_LIMIT_LINKS_PER_HOST];
}

void host_count_link(struct libalias *la, uint32_t addr, int change)
{
	tally_add(&la->hosts, la->key, addr, (uint32_t)change);
}

int host_recount(struct libalias *la)
{
	host_clear(la);
	if (!la->limit[ALIAS_LIMIT_LINKS_PER_HOST])
		return 0;
	for (uint32_t id = 0; (id = pool_next(&la->links, id));) {
		struct link *link = link_at(la, id);

		if (!(link->flags & LINK_USED))
			continue;
		if (!tally_reserve(&la->hosts, la->key, link->view[OUT].local)) {
			host_clear(la);
			return -1;
		}
		host_count_link(la, link->view[OUT].local, 1);
	}
	return 0;
}

void host_clear(struct libalias *la)
{
	tally_clear(&la->hosts);
}
