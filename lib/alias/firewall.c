/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * firewall.c - holes in a firewall for awaited connections (PKT_ALIAS_PUNCH_FW).
 *
 * The library knows no firewall: the caller supplies operations.  A hole is bound to both ends of
 * one connection, gets a number of LibAliasSetFWBase()'s range and is closed with its link.
 */
#include "engine.h"

#include <stdlib.h>

static void describe(const struct libalias *la, const struct link *link, uint32_t number,
		     struct alias_hole *hole)
{
	*hole = (struct alias_hole){
		.number = la->hole_base + number,
		.proto = link->proto,
		.local_addr.s_addr = link->view[OUT].local,
		.local_port = link->view[OUT].local_port,
		.remote_addr.s_addr = link->view[IN].peer,
		.remote_port = link->view[IN].peer_port,
	};
	if (link->proto == IPPROTO_GRE && hole->local_port)
		hole->local_port = call_port(hole->local_port);
}

void firewall_open(struct libalias *la, struct link *link)
{
	struct alias_hole hole;
	struct link_side *side;

	if (!(la->mode & PKT_ALIAS_PUNCH_FW) || !la->firewall || !la->hole_count)
		return;
	/* The way in of a PPTP call has the hole for both. */
	if (link->proto == IPPROTO_GRE && !link->view[OUT].local_port)
		return;
	for (unsigned int i = 0; i < la->hole_count; i++) {
		unsigned int number = (la->hole_next + i) % la->hole_count;

		if (la->holes[number])
			continue;
		side = link_side(la, link);
		describe(la, link, number, &hole);
		if (!side || la->firewall->open(la->firewall_arg, &hole))
			return;
		side->hole = number + 1;
		la->holes[number] = 1;
		la->hole_next = number + 1;
		return;
	}
}

void firewall_close(struct libalias *la, struct link *link)
{
	struct alias_hole hole;

	if (!link->side->hole)
		return;
	describe(la, link, link->side->hole - 1, &hole);
	la->holes[link->side->hole - 1] = 0;
	link->side->hole = 0;
	if (la->firewall)
		la->firewall->close(la->firewall_arg, &hole);
}

void firewall_clear(struct libalias *la)
{
	struct link_side *side;

	LIST_FOREACH(side, &la->sides, entry)
		side->hole = 0;
	if (!la->hole_count)
		return;
	memset(la->holes, 0, la->hole_count);
	if (la->firewall)
		la->firewall->clear(la->firewall_arg, la->hole_base, la->hole_count);
}

void LibAliasSetFWBase(struct libalias *la, unsigned int base, unsigned int num)
{
	uint8_t *holes = num ? calloc(num, 1) : NULL;

	firewall_clear(la);
	free(la->holes);
	la->holes = holes;
	la->hole_base = base;
	la->hole_count = holes ? num : 0;
	la->hole_next = 0;
	firewall_clear(la);
}

void LibAliasSetFirewall(struct libalias *la, const struct alias_firewall *ops, void *arg)
{
	firewall_clear(la);
	la->firewall = ops;
	la->firewall_arg = arg;
	firewall_clear(la);
}
