// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The chains of the owners, told by their names, PLACE_OWNER.
 *
 * A place is made in the transaction of the first rule that needs it.  Where several owners may
 * want the same packet, their chains hang off one chain by jumps in the order of precedence;
 * that chain holds nothing else and is written anew when a place comes.  Elsewhere the order
 * does not matter and a jump is appended.  Places stay when their rules go: they are empty then.
 */
#include "place.h"
#include "expression.h"
#include "helper.h"
#include "mark.h"
#include "trigger.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *prefix;
	const char *parent; /* the chain of the jumps */
	bool ordered;       /* ... which holds nothing else, in the order of precedence */
	int (*add)(struct transaction *transaction, const char *owner); /* what is in it at first */
} kinds[PLACES] = {
	[PLACE_REDIRECT] = {"redirect_", "redirects", true, schema_add_owner},
	[PLACE_MARK] = {"mark_", "redirects", true, mark_add_place},
	[PLACE_RANGE] = {"range_", "redirects", true, NULL},
	[PLACE_HAIRPIN] = {"hairpin_", "traffic", false, NULL},
	[PLACE_OPENED] = {"opened_", "redirects", true, NULL},
	[PLACE_WATCH] = {"watch_", "watch", false, trigger_add_place},
	[PLACE_PROXY] = {"proxy_", "proxies", true, NULL},
	[PLACE_HELPER] = {"helper_", "forward", false, helper_add_place},
	[PLACE_SOURCE] = {"source_", "sources", true, NULL},
};

const char *place_chain(char name[static SCHEMA_NAME_MAX], enum place place, const char *owner)
{
	snprintf(name, SCHEMA_NAME_MAX, "%s%s", kinds[place].prefix, owner);
	return name;
}

bool places_have(const struct places *places, enum place place, const char *owner)
{
	for (size_t i = 0; i < places->n; i++)
		if (places->list[i].place == place && strcmp(places->list[i].owner, owner) == 0)
			return true;
	return false;
}

int places_add(struct places *places, enum place place, const char *owner)
{
	if (places_have(places, place, owner))
		return 0;
	if (places->n == PLACES_MAX) {
		errno = ENOSPC;
		return -1;
	}
	places->list[places->n].place = place;
	snprintf(places->list[places->n].owner, IPMASQ_OWNER_SIZE, "%s", owner);
	places->n++;
	return 0;
}

static int by_precedence(const void *a, const void *b)
{
	const struct place_of *x = a, *y = b;
	unsigned int first = ipmasq_owner_precedence(x->owner);
	unsigned int second = ipmasq_owner_precedence(y->owner);
	int order = strcmp(x->owner, y->owner);

	if (first != second)
		return first < second ? -1 : 1;
	return order ? order : (int)x->place - (int)y->place;
}

static void sort(struct places *places)
{
	qsort(places->list, places->n, sizeof(places->list[0]), by_precedence);
}

static int read_chain(const struct nlmsghdr *message, void *data)
{
	struct places *places = data;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	const char *name;

	if (!chain || nftnl_chain_nlmsg_parse(message, chain) < 0 ||
	    strcmp(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE), SCHEMA_TABLE) != 0)
		goto out;
	name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
	for (enum place place = 0; place < PLACES; place++) {
		size_t length = strlen(kinds[place].prefix);

		if (strncmp(name, kinds[place].prefix, length) == 0 &&
		    strlen(name + length) < IPMASQ_OWNER_SIZE)
			places_add(places, place, name + length);
	}
out:
	if (chain)
		nftnl_chain_free(chain);
	return MNL_CB_OK;
}

int places_read(struct netlink *netlink, struct places *places)
{
	places->n = 0;
	netlink_request(netlink, NFT_MSG_GETCHAIN, 0);
	if (netlink_dump(netlink, read_chain, places) < 0)
		return -1;
	sort(places);
	return 0;
}

bool place_is_there(struct netlink *netlink, enum place place, const char *owner)
{
	char chain[SCHEMA_NAME_MAX];
	struct nlmsghdr *request = netlink_request(netlink, NFT_MSG_GETCHAIN, 0);

	mnl_attr_put_strz(request, NFTA_CHAIN_TABLE, SCHEMA_TABLE);
	mnl_attr_put_strz(request, NFTA_CHAIN_NAME, place_chain(chain, place, owner));
	return netlink_ask(netlink, NULL, NULL) == 0;
}

static int add_jump(struct transaction *transaction, const struct place_of *place)
{
	char chain[SCHEMA_NAME_MAX];
	struct rule rule;

	rule_begin(&rule, kinds[place->place].parent);
	verdict(&rule, NFT_JUMP, place_chain(chain, place->place, place->owner));
	return rule_add(&rule, transaction);
}

/* Writes the jumps from `parent` anew, in the order of the places. */
static int write_jumps(struct transaction *transaction, const struct places *places,
		       const char *parent)
{
	if (chain_flush(transaction, parent) < 0)
		return -1;
	for (size_t i = 0; i < places->n; i++)
		if (strcmp(kinds[places->list[i].place].parent, parent) == 0 &&
		    add_jump(transaction, &places->list[i]) < 0)
			return -1;
	return 0;
}

int places_write(struct transaction *transaction, struct places *present,
		 const struct places *fresh)
{
	char chain[SCHEMA_NAME_MAX];

	for (size_t i = 0; i < fresh->n; i++) {
		const struct place_of *place = &fresh->list[i];

		place_chain(chain, place->place, place->owner);
		if (chain_add(transaction, chain, NULL, 0, 0) < 0 ||
		    (kinds[place->place].add &&
		     kinds[place->place].add(transaction, place->owner) < 0) ||
		    (!kinds[place->place].ordered && add_jump(transaction, place) < 0) ||
		    places_add(present, place->place, place->owner) < 0)
			return -1;
	}
	sort(present);
	for (size_t i = 0; i < fresh->n; i++) {
		const char *parent = kinds[fresh->list[i].place].parent;
		size_t same = 0;

		if (!kinds[fresh->list[i].place].ordered)
			continue;
		while (strcmp(kinds[fresh->list[same].place].parent, parent) != 0)
			same++;
		if (same == i && write_jumps(transaction, present, parent) < 0) /* once each */
			return -1;
	}
	return 0;
}
