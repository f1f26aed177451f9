/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places: the chains of an owner, one for each thing that its rules need done in the packet's
 * way, and where they hang.
 */
#ifndef IPMASQ_KERNEL_PLACE_H
#define IPMASQ_KERNEL_PLACE_H

#include "../engine.h"
#include "netlink.h"
#include "schema.h"

#define PLACES_MAX 128

/* In the order in which the places of one owner are asked. */
enum place {
	PLACE_REDIRECT, /* redirects of one port, in maps */
	PLACE_MARK,     /* redirects by fwmark, in maps */
	PLACE_RANGE,    /* redirects of port ranges and whole addresses, in order */
	PLACE_HAIRPIN,  /* ... whose connections may go back where they came from */
	PLACE_OPENED,   /* redirects of what triggers have opened */
	PLACE_WATCH,    /* ... by what leaves */
	PLACE_PROXY,    /* what passes goes to another server */
	PLACE_HELPER,   /* protocol helpers get their connections */
	PLACE_SOURCE,   /* what leaves gets another source address */
	PLACES
};

/* One place of one owner. */
struct place_of {
	enum place place;
	char owner[IPMASQ_OWNER_SIZE];
};

struct places {
	struct place_of list[PLACES_MAX];
	size_t n;
};

/* The name of the chain. */
const char *place_chain(char name[static SCHEMA_NAME_MAX], enum place place, const char *owner);

/* The places that are in the kernel, in order of precedence.  0, or -1 with errno. */
int places_read(struct netlink *netlink, struct places *places);

/* Whether this one is there, at the cost of one question. */
bool place_is_there(struct netlink *netlink, enum place place, const char *owner);

/* Remembers a place once; 0, or -1 with errno ENOSPC. */
int places_add(struct places *places, enum place place, const char *owner);
bool places_have(const struct places *places, enum place place, const char *owner);

/* Adds the `fresh` places, in their order among those that are `present` (which grows). */
int places_write(struct transaction *transaction, struct places *present,
		 const struct places *fresh);

#endif
