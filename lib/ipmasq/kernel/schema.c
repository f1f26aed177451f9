// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The layout of table inet ipmasq; schema.h has the picture.
 *
 * Everything is made in the transaction of the first rule that needs it, so there is no state
 * in which half of it exists.  Rules are written so that nft(8) lists them as it would have
 * written them itself, and `nft list table inet ipmasq | nft -f -` makes them again.
 */
#include "schema.h"
#include "expression.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#define PRIORITY_DSTNAT  (-100)
#define PRIORITY_SRCNAT  100
#define PRIORITY_TRAFFIC 10    /* after the operator's own filter: what it drops is not carried */
#define HAIRPIN_TIMEOUT  2000u /* ms; the first packet of a connection is on its way */
#define HAIRPIN_SIZE     65535u

#define PORT_WORDS     1
#define PROTOCOL_WORDS 1

static const uint8_t transports[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};

const char *schema_set_name(char name[static SCHEMA_NAME_MAX], const char *owner,
			    const struct family *family, enum set_role role, bool any)
{
	static const char *const suffix[SET_ROLES] = {"", "_pool", "_traffic"};

	snprintf(name, SCHEMA_NAME_MAX, "%s%c%s%s", owner, family->digit, any ? "_any" : "",
		 suffix[role]);
	return name;
}

const char *schema_pool_name(char name[static SCHEMA_NAME_MAX], const char *owner,
			     const struct ipmasq_match *match)
{
	char text[IPMASQ_ADDRESS_TEXT];
	const char *address = family_of(match->family)->any;

	if (match->mark) {
		snprintf(name, SCHEMA_NAME_MAX, "pool_%s_mark%c_%#x", owner,
			 family_of(match->family)->digit, match->mark);
		return name;
	}
	if (!ipmasq_address_is_any(&match->alias)) {
		ipmasq_address_text(&match->alias, text);
		for (char *colon = text; (colon = strchr(colon, ':'));)
			*colon = '_'; /* nft(8) takes no colon in a name */
		address = text;
	}
	snprintf(name, SCHEMA_NAME_MAX, "pool_%s_%s_%s_%u", owner,
		 ipmasq_protocol_name(match->protocol), address, match->ports.low);
	return name;
}

const char *schema_owner_chain(char name[static SCHEMA_NAME_MAX], const char *owner)
{
	snprintf(name, SCHEMA_NAME_MAX, "redirect_%s", owner);
	return name;
}

int schema_present(struct netlink *netlink, struct ipmasq_error *error)
{
	char comment[TABLE_COMMENT_MAX];
	int found = table_comment(netlink, SCHEMA_TABLE, comment);

	if (found < 0)
		return ipmasq_fail(error, errno, "cannot read table inet " SCHEMA_TABLE ": %s",
				   strerror(errno));
	if (found && strcmp(comment, SCHEMA_COMMENT) != 0)
		return ipmasq_fail(
			error, EEXIST,
			"there is a table inet " SCHEMA_TABLE " that this ipmasqadm did not "
			"make (its comment is not \"" SCHEMA_COMMENT "\"); look at it with "
			"`nft list table inet " SCHEMA_TABLE "` and rename or delete it");
	return found;
}

static int add_hairpin_set(struct transaction *transaction, const struct family *family)
{
	char name[] = "hairpin4";
	struct nftnl_set *set;
	int rc;

	name[strlen(name) - 1] = family->digit;
	set = set_new(transaction, name, NFT_SET_TIMEOUT | NFT_SET_EVAL);
	if (!set)
		return -1;
	nftnl_set_set_u32(
		set, NFTNL_SET_KEY_TYPE,
		TYPE_CONCAT(TYPE_CONCAT(TYPE_CONCAT(family->type, family->type), TYPE_PROTOCOL),
			    TYPE_SERVICE)
				<< 6 |
			TYPE_SERVICE);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN,
			  4u * (2u * family->words + PROTOCOL_WORDS + 2u * PORT_WORDS));
	nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, HAIRPIN_TIMEOUT);
	nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, HAIRPIN_SIZE);
	rc = set_add(transaction, set);
	nftnl_set_free(set);
	return rc;
}

/* source . destination . protocol . source port . destination port, as the packet has them now */
static void load_hairpin_key(struct rule *rule, const struct family *family)
{
	unsigned int length = 4u * family->words;

	load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, family->source, length, 0);
	load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, family->destination, length, family->words);
	load_meta(rule, NFT_META_L4PROTO, 2u * family->words);
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, SOURCE_PORT_OFFSET, 2,
		     2u * family->words + PROTOCOL_WORDS);
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, DESTINATION_PORT_OFFSET, 2,
		     2u * family->words + PROTOCOL_WORDS + PORT_WORDS);
}

/*
 * An inside host that connects to the outside address of an inside server in its own net: the
 * server would answer it directly and the connection fail.  The forward hook knows, by the
 * route, that the packet leaves where it came in, and notes the connection; postrouting
 * masquerades what was noted.
 */
static int add_hairpin(struct transaction *transaction)
{
	for (const struct family *family = families; family < families + N_FAMILIES; family++) {
		char set[] = "hairpin4";
		struct rule rule;

		set[strlen(set) - 1] = family->digit;
		rule_begin(&rule, "hairpin");
		match_ct_status(&rule, IPS_CONFIRMED | IPS_DST_NAT, IPS_DST_NAT);
		match_route_back(&rule);
		match_protocol_family(&rule, family->family);
		load_hairpin_key(&rule, family);
		update_set(&rule, set);
		if (rule_add(&rule, transaction) < 0)
			return -1;
		rule_begin(&rule, "postrouting");
		match_protocol_family(&rule, family->family);
		load_hairpin_key(&rule, family);
		lookup_set(&rule, set, 0);
		masquerade(&rule);
		if (rule_add(&rule, transaction) < 0)
			return -1;
	}
	return 0;
}

static int add_jump(struct transaction *transaction, const char *from, const char *to)
{
	struct rule rule;

	rule_begin(&rule, from);
	verdict(&rule, NFT_JUMP, to);
	return rule_add(&rule, transaction);
}

static int add_traffic_jump(struct transaction *transaction, const char *from, const char *to)
{
	struct rule rule;

	rule_begin(&rule, from);
	match_ct_status(&rule, IPS_DST_NAT, IPS_DST_NAT);
	verdict(&rule, NFT_JUMP, to);
	return rule_add(&rule, transaction);
}

int schema_add_table(struct transaction *transaction)
{
	static const struct {
		const char *name, *type;
		uint32_t hook;
		int priority;
	} chains[] = {
		{"prerouting", "nat", NF_INET_PRE_ROUTING, PRIORITY_DSTNAT},
		{"output", "nat", NF_INET_LOCAL_OUT, PRIORITY_DSTNAT},
		{"postrouting", "nat", NF_INET_POST_ROUTING, PRIORITY_SRCNAT},
		{"forward", "filter", NF_INET_FORWARD, PRIORITY_TRAFFIC},
		{"input", "filter", NF_INET_LOCAL_IN, PRIORITY_TRAFFIC},
		{"output_traffic", "filter", NF_INET_LOCAL_OUT, PRIORITY_TRAFFIC},
		{"redirects", NULL, 0, 0},
		{"proxies", NULL, 0, 0},
		{"sources", NULL, 0, 0},
		{"traffic", NULL, 0, 0},
		{"local_traffic", NULL, 0, 0},
		{"hairpin", NULL, 0, 0},
	};

	if (table_add(transaction, SCHEMA_COMMENT) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
		if (chain_add(transaction, chains[i].name, chains[i].type, chains[i].hook,
			      chains[i].priority) < 0)
			return -1;
	for (size_t i = 0; i < N_FAMILIES; i++)
		if (add_hairpin_set(transaction, &families[i]) < 0)
			return -1;
	if (add_jump(transaction, "prerouting", "redirects") < 0 ||
	    add_jump(transaction, "prerouting", "proxies") < 0 ||
	    add_jump(transaction, "output", "redirects") < 0 ||
	    add_traffic_jump(transaction, "forward", "traffic") < 0 ||
	    add_traffic_jump(transaction, "input", "local_traffic") < 0 ||
	    add_traffic_jump(transaction, "output_traffic", "local_traffic") < 0)
		return -1;
	if (add_hairpin(transaction) < 0)
		return -1;
	return add_jump(transaction, "postrouting", "sources");
}

static int add_owner_set(struct transaction *transaction, const char *owner,
			 const struct family *family, enum set_role role, bool any)
{
	uint32_t key_type = TYPE_CONCAT(TYPE_PROTOCOL, TYPE_SERVICE);
	uint32_t words = PROTOCOL_WORDS + PORT_WORDS;
	uint32_t target_words = family->words + PORT_WORDS;
	char name[SCHEMA_NAME_MAX];
	struct nftnl_set *set;
	int rc = -1;

	schema_set_name(name, owner, family, role, any);
	set = set_new(transaction, name, role == SET_TRAFFIC ? 0 : NFT_SET_MAP);
	if (!set)
		return -1;
	if (!any) {
		key_type |= family->type << 12;
		words += family->words;
	}
	if (role == SET_TRAFFIC) {
		key_type = key_type << 12 | TYPE_CONCAT(family->type, TYPE_SERVICE);
		words += target_words;
		if (set_count_elements(set) < 0)
			goto out;
	} else if (role == SET_POOL) {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, 0);
		if (set_count_elements(set) < 0)
			goto out;
	} else {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE,
				  TYPE_CONCAT(family->type, TYPE_SERVICE));
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, 4u * target_words);
	}
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, key_type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, 4u * words);
	rc = set_add(transaction, set);
out:
	nftnl_set_free(set);
	return rc;
}

/* The packet's [destination .] protocol . destination port from word 0 on. */
static void load_match(struct rule *rule, const struct family *family, bool any)
{
	unsigned int word = 0;

	if (any) {
		match_own_address(rule, family->family);
	} else {
		match_protocol_family(rule, family->family);
		load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, family->destination,
			     4u * family->words, 0);
		word = family->words;
	}
	load_meta(rule, NFT_META_L4PROTO, word);
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, DESTINATION_PORT_OFFSET, 2,
		     word + PROTOCOL_WORDS);
}

static int add_lookup(struct transaction *transaction, const char *owner,
		      const struct family *family, enum set_role role, bool any)
{
	char chain[SCHEMA_NAME_MAX], set[SCHEMA_NAME_MAX];
	struct rule rule;

	schema_set_name(set, owner, family, role, any);
	rule_begin(&rule, schema_owner_chain(chain, owner));
	load_match(&rule, family, any);
	if (role == SET_POOL) {
		lookup_verdict(&rule, set, 0);
	} else {
		lookup_map(&rule, set, 0);
		dnat(&rule, family->family, family->words);
	}
	return rule_add(&rule, transaction);
}

/* Counts a packet of a connection that a forward of `owner` carries, and goes to `then`. */
static int add_traffic(struct transaction *transaction, const char *chain, const char *owner,
		       const struct family *family, uint8_t protocol, bool any, const char *then)
{
	char set[SCHEMA_NAME_MAX];
	unsigned int word = 0;
	struct rule rule;

	schema_set_name(set, owner, family, SET_TRAFFIC, any);
	rule_begin(&rule, chain);
	match_transport(&rule, protocol);
	if (!any) {
		load_ct(&rule, family->ct_destination, IP_CT_DIR_ORIGINAL, 0);
		word = family->words;
	}
	load_meta(&rule, NFT_META_L4PROTO, word);
	load_ct(&rule, NFT_CT_PROTO_DST, IP_CT_DIR_ORIGINAL, word + 1);
	load_ct(&rule, family->ct_source, IP_CT_DIR_REPLY, word + 2);
	load_ct(&rule, NFT_CT_PROTO_SRC, IP_CT_DIR_REPLY, word + 2 + family->words);
	lookup_set(&rule, set, 0);
	verdict(&rule, then ? NFT_GOTO : NFT_RETURN, then);
	return rule_add(&rule, transaction);
}

static int add_traffic_chain(struct transaction *transaction, const char *chain, const char *owner,
			     const char *then)
{
	if (chain_add(transaction, chain, NULL, 0, 0) < 0)
		return -1;
	for (size_t p = 0; p < sizeof(transports); p++)
		for (int any = 0; any < 2; any++)
			for (size_t f = 0; f < N_FAMILIES; f++)
				if (add_traffic(transaction, chain, owner, &families[f],
						transports[p], any, then) < 0)
					return -1;
	return 0;
}

int schema_add_owner(struct transaction *transaction, const char *owner)
{
	char traffic[SCHEMA_NAME_MAX], local[SCHEMA_NAME_MAX];

	for (size_t f = 0; f < N_FAMILIES; f++)
		for (int any = 0; any < 2; any++)
			for (enum set_role role = 0; role < SET_ROLES; role++)
				if (add_owner_set(transaction, owner, &families[f], role, any) < 0)
					return -1;
	for (int any = 0; any < 2; any++) /* an exact address goes before any address */
		for (size_t f = 0; f < N_FAMILIES; f++)
			if (add_lookup(transaction, owner, &families[f], SET_PLAIN, any) < 0 ||
			    add_lookup(transaction, owner, &families[f], SET_POOL, any) < 0)
				return -1;
	snprintf(traffic, sizeof(traffic), "traffic_%s", owner);
	snprintf(local, sizeof(local), "local_traffic_%s", owner);
	if (add_traffic_chain(transaction, traffic, owner, "hairpin") < 0 ||
	    add_jump(transaction, "traffic", traffic) < 0 ||
	    add_traffic_chain(transaction, local, owner, NULL) < 0)
		return -1;
	return add_jump(transaction, "local_traffic", local);
}
