// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Redirects by fwmark, in a place of their own:
 *
 *   chain mark_OWNER     tcp flags & (fin|syn|rst|ack) == syn meta mark vmap @OWNER4_mark
 *                        meta l4proto udp meta mark vmap @OWNER4_mark, and the same with 6
 *     map OWNER4_mark        mark : goto the pool's chain; counts connections
 *   chain pool_OWNER_mark4_0x1    numgen inc mod SUM vmap { 0-9 : goto a host's chain, ... }
 *   chain pool_OWNER_mark4_0x1_10.0.0.11_80     dnat to 10.0.0.11:80
 *     set OWNER4_mark_hosts  mark . host, for the hairpin
 *
 * A mark is seen on the first packet of a connection only when it opens one: TCP in the middle
 * of a connection that conntrack does not know is left alone.  The hosts have chains because
 * some of them keep the packet's port and others do not.  An element's comment says host, port
 * and preference.
 *
 * The host with preference 0 keeps its turn for ever: its range reaches to the end of the
 * number generator's 32 bits, and what is behind it has one number each at the very top, so
 * that the kernel stores it in its order.
 */
#include "mark.h"
#include "expression.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <libnftnl/set.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#define ROUND_MAX 0xffffffffu /* the largest modulus of a number generator */

const char *mark_set_name(char name[static SCHEMA_NAME_MAX], const char *owner,
			  const struct family *family, bool hosts)
{
	snprintf(name, SCHEMA_NAME_MAX, "%s%c_mark%s", owner, family->digit, hosts ? "_hosts" : "");
	return name;
}

const char *mark_host_chain(char name[static SCHEMA_NAME_MAX], const char *pool_chain,
			    const struct ipmasq_target *target)
{
	char text[IPMASQ_ADDRESS_TEXT];

	ipmasq_address_text(&target->address, text);
	for (char *colon = text; (colon = strchr(colon, ':'));)
		*colon = '_'; /* nft(8) takes no colon in a name */
	snprintf(name, SCHEMA_NAME_MAX, "%.60s_%s_%u", pool_chain, text, target->port);
	return name;
}

static int add_map(struct transaction *transaction, const char *owner, const struct family *family)
{
	char name[SCHEMA_NAME_MAX];
	struct nftnl_set *set =
		set_new_by_mark(transaction, mark_set_name(name, owner, family, false));
	int rc = -1;

	if (set && set_count_elements(set) == 0)
		rc = set_add(transaction, set);
	else
		errno = ENOMEM;
	if (set)
		nftnl_set_free(set);
	return rc;
}

static int add_hosts_set(struct transaction *transaction, const char *owner,
			 const struct family *family)
{
	char name[SCHEMA_NAME_MAX];
	struct nftnl_set *set = set_new(transaction, mark_set_name(name, owner, family, true), 0);
	int rc;

	if (!set)
		return -1;
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, TYPE_CONCAT(TYPE_MARK, family->type));
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, 4u * (1u + family->words));
	rc = set_add(transaction, set);
	nftnl_set_free(set);
	return rc;
}

static int add_lookup(struct transaction *transaction, const char *owner,
		      const struct family *family, uint8_t protocol)
{
	char chain[SCHEMA_NAME_MAX], set[SCHEMA_NAME_MAX];
	struct rule rule;

	snprintf(chain, sizeof(chain), "mark_%s", owner);
	rule_begin(&rule, chain);
	match_protocol_family(&rule, family->family);
	if (protocol == IPPROTO_TCP)
		match_opening(&rule);
	else
		match_transport(&rule, protocol);
	load_meta(&rule, NFT_META_MARK, 0);
	lookup_verdict(&rule, mark_set_name(set, owner, family, false), 0);
	return rule_add(&rule, transaction);
}

/* A connection's first packet has its mark still, and the reply's source is the inside host. */
static int add_hairpin(struct transaction *transaction, const char *owner,
		       const struct family *family)
{
	char set[SCHEMA_NAME_MAX];
	struct rule rule;

	rule_begin(&rule, "traffic");
	load_meta(&rule, NFT_META_MARK, 0);
	load_ct(&rule, family->ct_source, IP_CT_DIR_REPLY, 1);
	lookup_set(&rule, mark_set_name(set, owner, family, true), 0);
	verdict(&rule, NFT_GOTO, "hairpin");
	return rule_add(&rule, transaction);
}

int mark_add_place(struct transaction *transaction, const char *owner)
{
	for (const struct family *family = families; family < families + N_FAMILIES; family++)
		if (add_map(transaction, owner, family) < 0 ||
		    add_hosts_set(transaction, owner, family) < 0 ||
		    add_lookup(transaction, owner, family, IPPROTO_TCP) < 0 ||
		    add_lookup(transaction, owner, family, IPPROTO_UDP) < 0 ||
		    add_hairpin(transaction, owner, family) < 0)
			return -1;
	return 0;
}

static int add_translation(struct transaction *transaction, const char *chain,
			   const struct ipmasq_target *target, uint8_t protocol)
{
	struct rule rule;

	rule_begin(&rule, chain);
	if (protocol)
		match_transport(&rule, protocol);
	else
		match_protocol_family(&rule, target->address.family);
	count(&rule);
	translate(&rule, NFT_NAT_DNAT, &target->address, target->port);
	return rule_add(&rule, transaction);
}

int mark_add_host(struct transaction *transaction, const char *pool_chain,
		  const struct ipmasq_target *target)
{
	char chain[SCHEMA_NAME_MAX];

	if (chain_add(transaction, mark_host_chain(chain, pool_chain, target), NULL, 0, 0) < 0)
		return -1;
	if (!target->port)
		return add_translation(transaction, chain, target, 0);
	if (add_translation(transaction, chain, target, IPPROTO_TCP) < 0)
		return -1;
	return add_translation(transaction, chain, target, IPPROTO_UDP);
}

int mark_delete_host(struct transaction *transaction, const char *pool_chain,
		     const struct ipmasq_target *target)
{
	char chain[SCHEMA_NAME_MAX];

	return chain_delete(transaction, mark_host_chain(chain, pool_chain, target));
}

void mark_comment(char comment[static ELEMENT_COMMENT_MAX], const struct ipmasq_target *target)
{
	char text[IPMASQ_ADDRESS_TEXT];

	snprintf(comment, ELEMENT_COMMENT_MAX, "%s %u %u",
		 ipmasq_address_text(&target->address, text), target->port, target->weight);
}

bool mark_read_comment(struct ipmasq_target *target, const char *comment)
{
	char address[IPMASQ_ADDRESS_TEXT], port[8], weight[8];
	struct ipmasq_error error;
	uint32_t number;

	if (sscanf(comment, "%45s %7s %7s", address, port, weight) != 3 ||
	    ipmasq_parse_address(&target->address, address, AF_UNSPEC, true, &error) < 0 ||
	    ipmasq_parse_number(&number, port, "port", 0, UINT16_MAX, &error) < 0 ||
	    ipmasq_parse_number(&target->weight, weight, "preference", 0, IPMASQ_WEIGHT_MAX,
				&error) < 0)
		return false;
	target->port = (uint16_t)number;
	return true;
}

/* The position of the first host that keeps its turn for ever, or the number of hosts. */
static uint32_t first_eternal(const struct ipmasq_redirect *pool)
{
	uint32_t i = 0;

	while (i < pool->n_targets && pool->targets[i].weight)
		i++;
	return i;
}

uint32_t schedule_round(const struct ipmasq_redirect *pool)
{
	uint32_t sum = 0;

	if (first_eternal(pool) < pool->n_targets)
		return ROUND_MAX;
	for (uint32_t i = 0; i < pool->n_targets; i++)
		sum += pool->targets[i].weight;
	return sum;
}

uint32_t schedule_turn(const struct ipmasq_redirect *pool, uint32_t position)
{
	uint32_t eternal = first_eternal(pool), before = 0;

	if (position < eternal)
		return pool->targets[position].weight;
	if (position > eternal)
		return 1;
	for (uint32_t i = 0; i < eternal; i++)
		before += pool->targets[i].weight;
	return ROUND_MAX - before - (pool->n_targets - 1 - eternal);
}
