/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hosts.c - how many links each inside address has, for ALIAS_LIMIT_LINKS_PER_HOST.
 *
 * An open-addressed table of (address, count), kept only while the limit is set: setting it counts
 * the links that exist, clearing it frees the table.  Entries of hosts without links stay until the
 * table has to grow, when they are left behind.
 */
#include "engine.h"
#include "hash.h"

#include <stdlib.h>

struct host {
	uint32_t addr;
	uint32_t links;
	bool used;
};

static struct host *host_slot(struct host *hosts, uint32_t mask, const uint64_t key[4],
			      uint32_t addr)
{
	uint32_t at = hash_words(key, addr, 0) & mask;

	while (hosts[at].used && hosts[at].addr != addr)
		at = (at + 1) & mask;
	return &hosts[at];
}

static bool host_grow(struct libalias *la)
{
	uint32_t live = 0, size = 64;
	struct host *hosts;

	for (uint32_t i = 0; la->hosts && i <= la->host_mask; i++)
		live += la->hosts[i].links > 0;
	while (size < live * 4)
		size *= 2;
	hosts = calloc(size, sizeof(*hosts));
	if (!hosts)
		return false;
	for (uint32_t i = 0; la->hosts && i <= la->host_mask; i++)
		if (la->hosts[i].links)
			*host_slot(hosts, size - 1, la->key, la->hosts[i].addr) = la->hosts[i];
	free(la->hosts);
	la->hosts = hosts;
	la->host_mask = size - 1;
	la->host_count = live;
	return true;
}

/* The entry of a host, made if it is not there; NULL: no memory. */
static struct host *host_of(struct libalias *la, uint32_t addr)
{
	struct host *host;

	if ((!la->hosts || la->host_count * 2 > la->host_mask) && !host_grow(la))
		return NULL;
	host = host_slot(la->hosts, la->host_mask, la->key, addr);
	if (!host->used) {
		*host = (struct host){.addr = addr, .used = true};
		la->host_count++;
	}
	return host;
}

bool host_has_room(struct libalias *la, uint32_t addr)
{
	struct host *host = host_of(la, addr);

	return host && host->links < la->limit[ALIAS_LIMIT_LINKS_PER_HOST];
}

void host_count_link(struct libalias *la, uint32_t addr, int change)
{
	struct host *host = host_of(la, addr);

	if (host)
		host->links += (uint32_t)change;
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
		if (!host_of(la, link->view[OUT].local))
			return -1;
		host_count_link(la, link->view[OUT].local, 1);
	}
	return 0;
}

void host_clear(struct libalias *la)
{
	free(la->hosts);
	la->hosts = NULL;
	la->host_mask = la->host_count = 0;
}
