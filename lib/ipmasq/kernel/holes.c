// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holes, each an element of a set in our table, with "hole NUMBER" as its comment:
 *
 *   set holes    protocol . inside address . port . remote address . port    TCP and UDP
 *   set calls    inside address . remote address                             GRE of PPTP
 *   chain holes  forward hook, before priority filter: what is in the sets is marked
 *
 * nft(8) cannot read again what it lists of a set of PPTP's call numbers, so GRE passes between the
 * two hosts of a call, and calls between the same hosts share an element.
 *
 * libalias closes a hole with its link, and clears its range of numbers at the start, so that a
 * daemon that was killed leaves none for good.  Until then the kernel's time-out is what ends it:
 * longer than any link idles, and renewed by every packet.  Whoever deletes our table closes all
 * holes; the next one makes it again.
 */
#include "holes.h"

#include "element.h"
#include "expression.h"
#include "netlink.h"
#include "object.h"
#include "schema.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define PRIORITY_HOLES (-10) /* before the operator's filter, after what sets marks in mangle */
#define HOLES_CHAIN    "holes"
#define HOLES_SET      "holes"
#define CALLS_SET      "calls"
#define HOLE_TIMEOUT   (25 * 3600000) /* ms; an idle TCP connection has a day */
#define HOLES_MAX      65535
#define TRIES          3

/* The calls between two hosts. */
struct pair {
	LIST_ENTRY(pair) entry;
	struct in_addr local, remote;
	unsigned int calls;
};

struct ipmasq_holes {
	struct netlink netlink;
	uint32_t mark;
	LIST_HEAD(, pair) pairs;
};

static int add_set(struct transaction *transaction, const char *name, uint32_t type, uint32_t words)
{
	struct nftnl_set *set = set_new(transaction, name, NFT_SET_TIMEOUT | NFT_SET_EVAL);
	int rc;

	if (!set)
		return -1;
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, 4u * words);
	nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, HOLE_TIMEOUT);
	nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, HOLES_MAX);
	rc = set_add(transaction, set);
	nftnl_set_free(set);
	return rc;
}

/* What is in the set gets a new time-out and the mark. */
static int finish_rule(struct rule *rule, struct transaction *transaction, const char *set,
		       uint32_t mark)
{
	lookup_set(rule, set, 0);
	update_set(rule, set);
	if (mark)
		set_mark_bits(rule, mark);
	return rule_add(rule, transaction);
}

/* protocol . inside end . remote end: the inside end is the source of what leaves. */
static int add_ports_rule(struct transaction *transaction, bool leaves, uint32_t mark)
{
	const struct family *family = family_of(AF_INET);
	struct rule rule;

	rule_begin(&rule, HOLES_CHAIN);
	match_protocol_family(&rule, AF_INET);
	load_meta(&rule, NFT_META_L4PROTO, 0);
	load_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER,
		     leaves ? family->source : family->destination, 4, 1);
	load_payload(&rule, NFT_PAYLOAD_TRANSPORT_HEADER,
		     leaves ? SOURCE_PORT_OFFSET : DESTINATION_PORT_OFFSET, 2, 2);
	load_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER,
		     leaves ? family->destination : family->source, 4, 3);
	load_payload(&rule, NFT_PAYLOAD_TRANSPORT_HEADER,
		     leaves ? DESTINATION_PORT_OFFSET : SOURCE_PORT_OFFSET, 2, 4);
	return finish_rule(&rule, transaction, HOLES_SET, mark);
}

/* inside host . remote host */
static int add_calls_rule(struct transaction *transaction, bool leaves, uint32_t mark)
{
	const struct family *family = family_of(AF_INET);
	struct rule rule;

	rule_begin(&rule, HOLES_CHAIN);
	match_protocol_family(&rule, AF_INET);
	match_transport(&rule, IPPROTO_GRE);
	load_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER,
		     leaves ? family->source : family->destination, 4, 0);
	load_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER,
		     leaves ? family->destination : family->source, 4, 1);
	return finish_rule(&rule, transaction, CALLS_SET, mark);
}

static int write_all(struct transaction *transaction, bool table_is_there, uint32_t mark)
{
	uint32_t end = TYPE_CONCAT(TYPE_IPADDR, TYPE_SERVICE);

	if (!table_is_there && schema_add_table(transaction) < 0)
		return -1;
	if (add_set(transaction, HOLES_SET, (TYPE_PROTOCOL << 12 | end) << 12 | end, 5) < 0 ||
	    add_set(transaction, CALLS_SET, TYPE_CONCAT(TYPE_IPADDR, TYPE_IPADDR), 2) < 0 ||
	    chain_add(transaction, HOLES_CHAIN, "filter", NF_INET_FORWARD, PRIORITY_HOLES) < 0 ||
	    chain_flush(transaction, HOLES_CHAIN) < 0)
		return -1;
	for (int leaves = 0; leaves < 2; leaves++)
		if (add_ports_rule(transaction, leaves, mark) < 0 ||
		    add_calls_rule(transaction, leaves, mark) < 0)
			return -1;
	return 0;
}

/* Makes sets, chain and rules, as they are when they were there before. */
static int set_up(struct ipmasq_holes *holes, struct ipmasq_error *error)
{
	struct transaction transaction = {0};
	int rc = -1;

	for (int i = 0; rc < 0 && i < TRIES; i++) {
		int present = schema_present(&holes->netlink, error);

		if (present < 0)
			return -1;
		if (transaction_begin(&transaction, &holes->netlink, SCHEMA_TABLE, NULL) < 0)
			break;
		if (write_all(&transaction, present, holes->mark) == 0)
			rc = transaction_commit(&transaction);
		transaction_end(&transaction);
		/* Another ipmasqadm has made or deleted the table meanwhile. */
		if (rc < 0 && errno != EEXIST && errno != ENOENT)
			break;
	}
	return rc < 0 ? ipmasq_fail(error, errno,
				    "cannot make set " HOLES_SET " in table inet " SCHEMA_TABLE
				    ": %s; it needs CAP_NET_ADMIN and nf_tables",
				    strerror(errno))
		      : 0;
}

static void drop_pair(struct pair *pair)
{
	LIST_REMOVE(pair, entry);
	free(pair);
}

static void drop_pairs(struct ipmasq_holes *holes)
{
	struct pair *pair;

	while ((pair = LIST_FIRST(&holes->pairs)))
		drop_pair(pair);
}

int ipmasq_holes_open(struct ipmasq_holes **holes, uint32_t mark, struct ipmasq_error *error)
{
	struct ipmasq_holes *made = calloc(1, sizeof(*made));

	*holes = NULL;
	if (!made)
		return ipmasq_fail(error, ENOMEM, "out of memory");
	made->mark = mark;
	if (netlink_open(&made->netlink) < 0) {
		ipmasq_fail(error, errno, "cannot talk to the kernel's nf_tables: %s",
			    strerror(errno));
		free(made);
		return -1;
	}
	made->netlink.patient = true;
	if (set_up(made, error) < 0) {
		ipmasq_holes_close(made);
		return -1;
	}
	*holes = made;
	return 0;
}

void ipmasq_holes_close(struct ipmasq_holes *holes)
{
	if (!holes)
		return;
	drop_pairs(holes);
	netlink_close(&holes->netlink);
	free(holes);
}

/* The hole as an element; its set, or NULL: no such hole can be made. */
static const char *element_of(const struct alias_hole *hole, struct element *element)
{
	*element = (struct element){0};
	snprintf(element->comment, sizeof(element->comment), "hole %u", hole->number);
	switch (hole->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		element_key_add(element, &hole->proto, 1);
		element_key_add(element, &hole->local_addr, 4);
		element_key_add(element, &hole->local_port, 2);
		element_key_add(element, &hole->remote_addr, 4);
		element_key_add(element, &hole->remote_port, 2);
		return HOLES_SET;
	case IPPROTO_GRE:
		element_key_add(element, &hole->local_addr, 4);
		element_key_add(element, &hole->remote_addr, 4);
		return CALLS_SET;
	default:
		return NULL;
	}
}

static int change(struct ipmasq_holes *holes, uint16_t type, const char *set,
		  const struct element *element)
{
	struct transaction transaction = {0};
	struct element_writer writer = {.transaction = &transaction, .type = type};
	int rc = -1;

	if (transaction_begin(&transaction, &holes->netlink, SCHEMA_TABLE, NULL) == 0 &&
	    element_write(&writer, set, 0, element) == 0 && element_writer_close(&writer) == 0)
		rc = transaction_commit(&transaction);
	transaction_end(&transaction);
	return rc;
}

static struct pair *find_pair(struct ipmasq_holes *holes, const struct alias_hole *hole)
{
	struct pair *pair;

	for (pair = LIST_FIRST(&holes->pairs); pair; pair = LIST_NEXT(pair, entry))
		if (pair->local.s_addr == hole->local_addr.s_addr &&
		    pair->remote.s_addr == hole->remote_addr.s_addr)
			break;
	return pair;
}

static bool add_call(struct ipmasq_holes *holes, const struct alias_hole *hole)
{
	struct pair *pair = find_pair(holes, hole);

	if (!pair) {
		pair = calloc(1, sizeof(*pair));
		if (!pair)
			return false;
		pair->local = hole->local_addr;
		pair->remote = hole->remote_addr;
		LIST_INSERT_HEAD(&holes->pairs, pair, entry);
	}
	pair->calls++;
	return true;
}

/* Was it the last call between its hosts? */
static bool drop_call(struct ipmasq_holes *holes, const struct alias_hole *hole)
{
	struct pair *pair = find_pair(holes, hole);

	if (pair && --pair->calls)
		return false;
	if (pair)
		drop_pair(pair);
	return true;
}

static int put(struct ipmasq_holes *holes, const char *set, const struct element *element)
{
	struct ipmasq_error error;

	if (change(holes, NFT_MSG_NEWSETELEM, set, element) == 0)
		return 0;
	if (errno == EEXIST) /* of a range that was not cleared, or of a call before */
		(void)change(holes, NFT_MSG_DELSETELEM, set, element);
	else if (errno != ENOENT || set_up(holes, &error) < 0)
		return -1;
	return change(holes, NFT_MSG_NEWSETELEM, set, element);
}

static int hole_open(void *arg, const struct alias_hole *hole)
{
	struct ipmasq_holes *holes = arg;
	struct element element;
	const char *set = element_of(hole, &element);

	if (!set || (hole->proto == IPPROTO_GRE && !add_call(holes, hole)))
		return -1;
	if (put(holes, set, &element) == 0)
		return 0;
	if (hole->proto == IPPROTO_GRE)
		drop_call(holes, hole);
	return -1;
}

static void hole_close(void *arg, const struct alias_hole *hole)
{
	struct ipmasq_holes *holes = arg;
	struct element element;
	const char *set = element_of(hole, &element);

	if (!set || (hole->proto == IPPROTO_GRE && !drop_call(holes, hole)))
		return;
	/* It may be gone: by its time-out, or with the table. */
	(void)change(holes, NFT_MSG_DELSETELEM, set, &element);
}

/* Holes of a range of numbers, being deleted. */
struct clearing {
	struct element_writer writer;
	const char *set;
	unsigned int base, count;
};

static int clear_one(const struct element *element, void *data)
{
	struct clearing *clearing = data;
	unsigned int number;

	if (sscanf(element->comment, "hole %u", &number) != 1 || number < clearing->base ||
	    number - clearing->base >= clearing->count)
		return 0;
	return element_write(&clearing->writer, clearing->set, 0, element);
}

static void holes_clear(void *arg, unsigned int base, unsigned int count)
{
	static const char *const sets[] = {HOLES_SET, CALLS_SET};
	struct ipmasq_holes *holes = arg;

	drop_pairs(holes);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct transaction transaction = {0};
		struct clearing clearing = {
			.writer = {.transaction = &transaction, .type = NFT_MSG_DELSETELEM},
			.set = sets[i],
			.base = base,
			.count = count,
		};

		if (transaction_begin(&transaction, &holes->netlink, SCHEMA_TABLE, NULL) == 0 &&
		    element_dump(&holes->netlink, sets[i], clear_one, &clearing) == 0 &&
		    element_writer_close(&clearing.writer) == 0)
			(void)transaction_commit(&transaction);
		transaction_end(&transaction);
	}
}

const struct alias_firewall ipmasq_holes_firewall = {
	.open = hole_open,
	.close = hole_close,
	.clear = holes_clear,
};
