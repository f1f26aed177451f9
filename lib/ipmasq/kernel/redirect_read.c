// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nf_tables objects to redirects: the way back of redirect_write.c.
 *
 * The kernel is the only store, so nothing here trusts its shape: an element with a key or
 * data of another size, made by another hand, is passed over.  A pool is read by following its
 * element to the chain, the chain's rule to the map, the map's ranges to hosts and weights.
 * Whose turn it is follows from the pool's counter: the connections since `from` are the number
 * generator's steps, taken modulo the sum of the weights.
 */
#include "mark.h"
#include "redirect.h"
#include "schema.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_COMMENT_SCAN "from %" SCNu64

/* A traffic element that has counted something. */
struct traffic {
	uint8_t key[ELEMENT_KEY_MAX];
	uint64_t packets, bytes;
};

/* The sets of one owner, one family, one address or any, being read. */
struct loading {
	struct netlink *netlink;
	const char *owner;
	const struct family *family;
	bool any;
	bool mark; /* pools by mark; `any` and traffic mean nothing */
	bool with_traffic;
	ipmasq_rule_take take;
	void *data;
	struct traffic *traffic; /* sorted by key */
	size_t n_traffic, room;
	uint32_t traffic_key_length;
	struct pool_entry *pools; /* found, their chains not read yet */
};

struct pool_entry {
	struct pool_entry *next;
	struct ipmasq_rule *rule;
	char chain[SCHEMA_NAME_MAX];
};

static uint32_t address_length(const struct family *family)
{
	return 4u * family->words;
}

/* Bytes of a key: [address .] protocol . port, or the mark. */
static uint32_t key_length(const struct loading *loading)
{
	if (loading->mark)
		return sizeof(uint32_t);
	return (loading->any ? 0 : address_length(loading->family)) + 8;
}

/* A rule with the match that the key says, without targets; NULL with errno. */
static struct ipmasq_rule *rule_of_key(const struct loading *loading, const struct element *element)
{
	struct ipmasq_match match = {.family = loading->family->family};
	const uint8_t *key = element->key;
	uint16_t port;

	match.alias.family = match.remote.family = match.family;
	if (loading->mark) {
		memcpy(&match.mark, key, sizeof(match.mark));
		return ipmasq_redirect_new(loading->owner, &match);
	}
	if (!loading->any) {
		memcpy(match.alias.bytes, key, address_length(loading->family));
		key += address_length(loading->family);
	}
	match.protocol = key[0];
	memcpy(&port, key + 4, sizeof(port));
	match.ports.low = match.ports.high = ntohs(port);
	return ipmasq_redirect_new(loading->owner, &match);
}

static void target_of_data(struct ipmasq_target *target, const struct family *family,
			   const struct element *element)
{
	uint16_t port;

	*target = (struct ipmasq_target){.address.family = family->family};
	memcpy(target->address.bytes, element->data, address_length(family));
	memcpy(&port, element->data + address_length(family), sizeof(port));
	target->port = ntohs(port);
}

/* A rule with one target from a plain element. */
static struct ipmasq_rule *rule_of_plain(const struct loading *loading,
					 const struct element *element)
{
	struct ipmasq_rule *rule = rule_of_key(loading, element);
	struct ipmasq_target *target = malloc(sizeof(*target));
	unsigned int weight;

	if (!rule || !target) {
		free(target);
		ipmasq_rule_free(rule);
		return NULL;
	}
	target_of_data(target, loading->family, element);
	target->weight = IPMASQ_WEIGHT_DEFAULT;
	if (sscanf(element->comment, PLAIN_COMMENT, &weight) == 1 && weight <= IPMASQ_WEIGHT_MAX)
		target->weight = weight;
	target->left = target->weight; /* there is no next entry: its turn never ends */
	rule->redirect.targets = target;
	rule->redirect.n_targets = 1;
	return rule;
}

/* What is said of a pool in its chain: the map's name and the comment. */
struct pool_chain {
	char map[SCHEMA_NAME_MAX];
	uint64_t from;
};

static int read_lookup(struct nftnl_expr *expression, void *data)
{
	struct pool_chain *pool = data;
	const char *name = nftnl_expr_get_str(expression, NFTNL_EXPR_NAME);

	if (strcmp(name, "lookup") == 0 && nftnl_expr_is_set(expression, NFTNL_EXPR_LOOKUP_SET))
		snprintf(pool->map, sizeof(pool->map), "%s",
			 nftnl_expr_get_str(expression, NFTNL_EXPR_LOOKUP_SET));
	return 0;
}

static int read_pool_rule(const struct nlmsghdr *message, void *data)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	struct pool_chain *pool = data;
	const char *comment = NULL;
	const void *userdata;
	uint32_t length;

	if (rule && nftnl_rule_nlmsg_parse(message, rule) == 0) {
		nftnl_expr_foreach(rule, read_lookup, data);
		userdata = nftnl_rule_get_data(rule, NFTNL_RULE_USERDATA, &length);
		if (userdata)
			comment = userdata_text(userdata, length, NFTNL_UDATA_RULE_COMMENT);
		if (comment && sscanf(comment, POOL_COMMENT_SCAN, &pool->from) != 1)
			pool->from = 0;
	}
	if (rule)
		nftnl_rule_free(rule);
	return MNL_CB_OK;
}

/* The ranges of a pool's map, in the order in which they come. */
struct range {
	uint32_t begin;
	bool end; /* nothing begins here, something ends */
	struct ipmasq_target target;
};

struct ranges {
	const struct family *family;
	struct range *list;
	size_t n;
};

/* The host of a range: the element's data or, where it leads to a chain, its comment. */
static bool read_target(struct ipmasq_target *target, const struct family *family,
			const struct element *element)
{
	if (element->chain[0])
		return mark_read_comment(target, element->comment) &&
		       target->address.family == family->family;
	if (element->data_length != address_length(family) + 4)
		return false;
	target_of_data(target, family, element);
	return true;
}

static int take_range(const struct element *element, void *data)
{
	struct ranges *ranges = data;
	struct range *list = reallocarray(ranges->list, ranges->n + 1, sizeof(*list));
	uint32_t begin;

	if (!list)
		return -1;
	ranges->list = list;
	if (element->key_length != sizeof(begin))
		return 0;
	memcpy(&begin, element->key, sizeof(begin));
	list[ranges->n] = (struct range){.begin = ntohl(begin), .end = element->interval_end};
	if (!element->interval_end &&
	    !read_target(&list[ranges->n].target, ranges->family, element))
		return 0;
	ranges->n++;
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* Turns the list so that it begins with the host whose turn it is. */
static void turn_to(struct ipmasq_redirect *pool, uint64_t steps, struct ipmasq_target *spare)
{
	uint32_t n = pool->n_targets, head = 0, sum = n ? schedule_round(pool) : 0;
	uint64_t position = sum ? steps % sum : 0;

	while (head < n && position >= schedule_turn(pool, head))
		position -= schedule_turn(pool, head++);
	if (head == n)
		return;
	memcpy(spare, pool->targets, n * sizeof(*spare));
	for (uint32_t i = 0; i < n; i++) {
		pool->targets[i] = spare[(head + i) % n];
		pool->targets[i].left = pool->targets[i].weight;
	}
	if (pool->targets[0].weight) /* preference 0 has no end to count down to */
		pool->targets[0].left -= (uint32_t)position;
}

/* Fills in the targets of a pool from its chain. */
static int read_pool(struct netlink *netlink, const struct family *family, const char *chain,
		     struct ipmasq_redirect *pool)
{
	struct pool_chain found = {0};
	struct ranges ranges = {.family = family};
	struct ipmasq_target *spare = NULL;
	struct nlmsghdr *request = netlink_request(netlink, NFT_MSG_GETRULE, 0);
	int rc = -1;

	mnl_attr_put_strz(request, NFTA_RULE_TABLE, SCHEMA_TABLE);
	mnl_attr_put_strz(request, NFTA_RULE_CHAIN, chain);
	if (netlink_dump(netlink, read_pool_rule, &found) < 0 ||
	    (found.map[0] && element_dump(netlink, found.map, take_range, &ranges) < 0))
		goto out;
	if (ranges.n)
		qsort(ranges.list, ranges.n, sizeof(*ranges.list), compare_ranges);
	pool->targets = calloc(ranges.n + 1, sizeof(*pool->targets));
	spare = calloc(ranges.n + 1, sizeof(*spare));
	if (!pool->targets || !spare)
		goto out;
	for (size_t i = 0; i + 1 < ranges.n; i++) {
		struct range *range = &ranges.list[i];

		if (range->end)
			continue;
		if (!pool->match.mark) /* there, the comment has said it */
			range->target.weight = ranges.list[i + 1].begin - range->begin;
		pool->targets[pool->n_targets++] = range->target;
	}
	turn_to(pool, pool->connections > found.from ? pool->connections - found.from : 0, spare);
	rc = 0;
out:
	free(spare);
	free(ranges.list);
	return rc;
}

static int take_traffic(const struct element *element, void *data)
{
	struct loading *loading = data;

	if (!element->packets || element->key_length != loading->traffic_key_length)
		return 0;
	if (loading->n_traffic == loading->room) {
		size_t room = loading->room ? loading->room * 2 : 64;
		struct traffic *list = reallocarray(loading->traffic, room, sizeof(*list));

		if (!list)
			return -1;
		loading->traffic = list;
		loading->room = room;
	}
	memset(&loading->traffic[loading->n_traffic], 0, sizeof(struct traffic));
	memcpy(loading->traffic[loading->n_traffic].key, element->key, element->key_length);
	loading->traffic[loading->n_traffic].packets = element->packets;
	loading->traffic[loading->n_traffic].bytes = element->bytes;
	loading->n_traffic++;
	return 0;
}

static int compare_traffic(const void *a, const void *b)
{
	return memcmp(((const struct traffic *)a)->key, ((const struct traffic *)b)->key,
		      ELEMENT_KEY_MAX);
}

/* Adds what the traffic set counted to the targets of `rule`. */
static void join_traffic(const struct loading *loading, struct ipmasq_redirect *redirect)
{
	for (uint32_t i = 0; loading->n_traffic && i < redirect->n_targets; i++) {
		struct ipmasq_target *target = &redirect->targets[i];
		uint16_t port = htons(target->port);
		struct element element;
		struct traffic wanted = {0};
		const struct traffic *found;

		redirect_key(&element, &redirect->match);
		element_key_add(&element, target->address.bytes, address_length(loading->family));
		element_key_add(&element, &port, sizeof(port));
		memcpy(wanted.key, element.key, element.key_length);
		found = bsearch(&wanted, loading->traffic, loading->n_traffic, sizeof(wanted),
				compare_traffic);
		if (found) {
			target->counters.packets = found->packets;
			target->counters.bytes = found->bytes;
		}
	}
}

static int take_plain(const struct element *element, void *data)
{
	const struct loading *loading = data;
	struct ipmasq_rule *rule;

	if (element->key_length != key_length(loading) ||
	    element->data_length != address_length(loading->family) + 4)
		return 0;
	rule = rule_of_plain(loading, element);
	if (!rule)
		return -1;
	join_traffic(loading, &rule->redirect);
	return loading->take(rule, loading->data);
}

static int take_pool(const struct element *element, void *data)
{
	struct loading *loading = data;
	struct pool_entry *entry;

	if (element->key_length != key_length(loading) || !element->chain[0])
		return 0;
	entry = malloc(sizeof(*entry));
	if (!entry)
		return -1;
	entry->rule = rule_of_key(loading, element);
	if (!entry->rule) {
		free(entry);
		return -1;
	}
	entry->rule->redirect.connections = element->packets;
	memcpy(entry->chain, element->chain, sizeof(entry->chain));
	entry->next = loading->pools;
	loading->pools = entry;
	return 0;
}

/* Reads the pools that were found and hands them on; only frees them if `rc` is an error. */
static int finish_pools(struct loading *loading, int rc)
{
	while (loading->pools) {
		struct pool_entry *entry = loading->pools;

		loading->pools = entry->next;
		if (rc == 0)
			rc = read_pool(loading->netlink, loading->family, entry->chain,
				       &entry->rule->redirect);
		if (rc == 0 && entry->rule->redirect.n_targets) {
			join_traffic(loading, &entry->rule->redirect);
			rc = loading->take(entry->rule, loading->data);
		} else {
			ipmasq_rule_free(entry->rule);
		}
		free(entry);
	}
	return rc;
}

static int load_sets(struct loading *loading)
{
	static const struct {
		enum set_role role;
		element_visit visit;
	} sets[] = {{SET_TRAFFIC, take_traffic}, {SET_PLAIN, take_plain}, {SET_POOL, take_pool}};
	char name[SCHEMA_NAME_MAX];
	int rc = 0;

	loading->traffic_key_length = key_length(loading) + address_length(loading->family) + 4;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]) && rc == 0; i++) {
		if (sets[i].role == SET_TRAFFIC && !loading->with_traffic)
			continue;
		schema_set_name(name, loading->owner, loading->family, sets[i].role, loading->any);
		rc = element_dump(loading->netlink, name, sets[i].visit, loading);
		if (sets[i].role == SET_TRAFFIC && loading->n_traffic)
			qsort(loading->traffic, loading->n_traffic, sizeof(*loading->traffic),
			      compare_traffic);
	}
	rc = finish_pools(loading, rc);
	free(loading->traffic);
	return rc;
}

int redirect_load_marks(struct netlink *netlink, const char *owner, ipmasq_rule_take take,
			void *data)
{
	char name[SCHEMA_NAME_MAX];

	for (size_t f = 0; f < N_FAMILIES; f++) {
		struct loading loading = {
			.netlink = netlink,
			.owner = owner,
			.family = &families[f],
			.mark = true,
			.take = take,
			.data = data,
		};
		int rc;

		mark_set_name(name, owner, &families[f], false);
		rc = element_dump(netlink, name, take_pool, &loading);
		if (finish_pools(&loading, rc) < 0)
			return -1;
	}
	return 0;
}

int redirect_load(struct netlink *netlink, const char *owner, bool traffic, ipmasq_rule_take take,
		  void *data)
{
	for (size_t f = 0; f < N_FAMILIES; f++) {
		for (int any = 0; any < 2; any++) {
			struct loading loading = {
				.netlink = netlink,
				.owner = owner,
				.family = &families[f],
				.any = any,
				.with_traffic = traffic,
				.take = take,
				.data = data,
			};

			if (load_sets(&loading) < 0)
				return -1;
		}
	}
	return 0;
}

/* One key has one rule; were there a second, it would not be ours. */
static int keep_rule(struct ipmasq_rule *rule, void *data)
{
	struct ipmasq_rule **kept = data;

	if (*kept)
		ipmasq_rule_free(rule);
	else
		*kept = rule;
	return 0;
}

int redirect_get(struct netlink *netlink, const char *owner, const struct ipmasq_match *match,
		 struct ipmasq_rule **rule)
{
	struct loading loading = {
		.netlink = netlink,
		.owner = owner,
		.family = family_of(match->family),
		.any = ipmasq_address_is_any(&match->alias),
		.mark = match->mark != 0,
		.take = keep_rule,
		.data = rule,
	};
	struct element key = {0};
	char name[SCHEMA_NAME_MAX];

	*rule = NULL;
	redirect_key(&key, match);
	if (loading.mark) {
		mark_set_name(name, owner, loading.family, false);
	} else {
		schema_set_name(name, owner, loading.family, SET_PLAIN, loading.any);
		if (element_get(netlink, name, &key, take_plain, &loading) == 0)
			return 0;
		if (errno != ENOENT)
			goto fail;
		schema_set_name(name, owner, loading.family, SET_POOL, loading.any);
	}
	if (finish_pools(&loading, element_get(netlink, name, &key, take_pool, &loading)) == 0 ||
	    errno == ENOENT)
		return 0;
fail:
	ipmasq_rule_free(*rule);
	*rule = NULL;
	return -1;
}
