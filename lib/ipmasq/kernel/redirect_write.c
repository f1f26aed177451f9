// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Redirects to nf_tables objects.
 *
 * One inside host is a plain element (address . protocol . port : host . port); several are an
 * element of the verdict map that goes to a chain of the pool's own, whose one rule is
 * `dnat to numgen inc mod SUM map { ranges : host . port }`: each host's range is as wide as its
 * weight, so the shares are exact.  The traffic set holds an element for each host.
 *
 * A change is written in passes over all changes, in the order in which nf_tables can take them:
 * elements go before the chains that they name, and come after them.  A pool's element, with its
 * count of connections, stays while the pool changes; `from N` in the comment of its rule says how
 * many there had been when this schedule began, so that whose turn it is can be told from it.
 */
#include "expression.h"
#include "mark.h"
#include "redirect.h"
#include "schema.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <ipmasq/error.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

int redirect_supported(const struct ipmasq_redirect *redirect, struct ipmasq_error *error)
{
	const struct ipmasq_match *match = &redirect->match;

	if (match->mark &&
	    (match->protocol || match->ports.low || match->remote_port ||
	     !ipmasq_address_is_any(&match->alias) || !ipmasq_address_is_any(&match->remote)))
		return ipmasq_fail(error, EOPNOTSUPP,
				   "the kernel engine redirects by a mark alone, with no address, "
				   "protocol or port beside it");
	return 0;
}

/* The redirect that is kept in maps; NULL: there is none, or it is for ruled.c. */
static const struct ipmasq_redirect *redirect_of(const struct ipmasq_rule *rule)
{
	if (!rule || rule->kind != IPMASQ_REDIRECT || ipmasq_match_is_wide(&rule->redirect.match))
		return NULL;
	return &rule->redirect;
}

static bool is_plain(const struct ipmasq_redirect *redirect)
{
	return redirect && redirect->n_targets == 1 && !redirect->match.mark;
}

static bool is_pool(const struct ipmasq_redirect *redirect)
{
	return redirect && redirect->n_targets > (redirect->match.mark ? 0 : 1);
}

void redirect_key(struct element *element, const struct ipmasq_match *match)
{
	uint16_t port = htons(match->ports.low);

	element->key_length = 0;
	if (match->mark) {
		element_key_add(element, &match->mark, sizeof(match->mark));
		return;
	}
	if (!ipmasq_address_is_any(&match->alias))
		element_key_add(element, match->alias.bytes,
				(uint32_t)ipmasq_address_length(match->family));
	element_key_add(element, &match->protocol, sizeof(match->protocol));
	element_key_add(element, &port, sizeof(port));
}

static void add_target(void (*add)(struct element *, const void *, uint32_t),
		       struct element *element, const struct ipmasq_target *target)
{
	uint16_t port = htons(target->port);

	add(element, target->address.bytes,
	    (uint32_t)ipmasq_address_length(target->address.family));
	add(element, &port, sizeof(port));
}

static const struct ipmasq_target *find_target(const struct ipmasq_redirect *redirect,
					       const struct ipmasq_target *target)
{
	for (uint32_t i = 0; redirect && i < redirect->n_targets; i++)
		if (redirect->targets[i].port == target->port &&
		    ipmasq_address_equal(&redirect->targets[i].address, &target->address))
			return &redirect->targets[i];
	return NULL;
}

/* The set of a redirect's elements in the `role`. */
static const char *set_of(char name[static SCHEMA_NAME_MAX], const struct ipmasq_rule *rule,
			  enum set_role role)
{
	const struct ipmasq_match *match = &rule->redirect.match;

	if (match->mark)
		return mark_set_name(name, rule->owner, family_of(match->family),
				     role == SET_TRAFFIC);
	return schema_set_name(name, rule->owner, family_of(match->family), role,
			       ipmasq_address_is_any(&match->alias));
}

static int write_plain(struct element_writer *writer, const struct ipmasq_rule *rule)
{
	const struct ipmasq_target *target = &rule->redirect.targets[0];
	struct element element = {0};
	char set[SCHEMA_NAME_MAX];

	redirect_key(&element, &rule->redirect.match);
	add_target(element_data_add, &element, target);
	if (target->weight != IPMASQ_WEIGHT_DEFAULT)
		snprintf(element.comment, sizeof(element.comment), PLAIN_COMMENT, target->weight);
	return element_write(writer, set_of(set, rule, SET_PLAIN), 0, &element);
}

static int write_pool_entry(struct element_writer *writer, const struct ipmasq_rule *rule)
{
	struct element element = {0};
	char set[SCHEMA_NAME_MAX];

	redirect_key(&element, &rule->redirect.match);
	schema_pool_name(element.chain, rule->owner, &rule->redirect.match);
	return element_write(writer, set_of(set, rule, SET_POOL), 0, &element);
}

/* Whether one of the first `n` hosts has this address. */
static bool has_address(const struct ipmasq_redirect *redirect, uint32_t n,
			const struct ipmasq_address *address)
{
	for (uint32_t i = 0; redirect && i < n; i++)
		if (ipmasq_address_equal(&redirect->targets[i].address, address))
			return true;
	return false;
}

/* By mark, a host is known by its address alone, whatever its ports. */
static int write_mark_hosts(struct element_writer *writer, const struct ipmasq_rule *rule,
			    const struct ipmasq_redirect *other)
{
	const struct ipmasq_redirect *redirect = &rule->redirect;
	char set[SCHEMA_NAME_MAX];

	for (uint32_t i = 0; i < redirect->n_targets; i++) {
		const struct ipmasq_address *address = &redirect->targets[i].address;
		struct element element = {0};

		if (has_address(redirect, i, address) ||
		    (other && has_address(other, other->n_targets, address)))
			continue;
		redirect_key(&element, &redirect->match);
		element_key_add(&element, address->bytes,
				(uint32_t)ipmasq_address_length(address->family));
		if (element_write(writer, set_of(set, rule, SET_TRAFFIC), 0, &element) < 0)
			return -1;
	}
	return 0;
}

/* Traffic elements of the hosts that are in `rule` and not in `other`. */
static int write_traffic(struct element_writer *writer, const struct ipmasq_rule *rule,
			 const struct ipmasq_redirect *other)
{
	const struct ipmasq_redirect *redirect = redirect_of(rule);
	char set[SCHEMA_NAME_MAX];

	if (redirect && redirect->match.mark)
		return write_mark_hosts(writer, rule, other);
	for (uint32_t i = 0; redirect && i < redirect->n_targets; i++) {
		struct element element = {0};

		if (find_target(other, &redirect->targets[i]))
			continue;
		redirect_key(&element, &redirect->match);
		add_target(element_key_add, &element, &redirect->targets[i]);
		if (element_write(writer, set_of(set, rule, SET_TRAFFIC), 0, &element) < 0)
			return -1;
	}
	return 0;
}

/* What a range of a pool's map leads to: the host, or by mark the chain of the host. */
static void point_to(struct element *element, const struct ipmasq_rule *rule,
		     const struct ipmasq_target *target)
{
	char chain[SCHEMA_NAME_MAX];

	if (!rule->redirect.match.mark) {
		add_target(element_data_add, element, target);
		return;
	}
	schema_pool_name(chain, rule->owner, &rule->redirect.match);
	mark_host_chain(element->chain, chain, target);
	mark_comment(element->comment, target);
}

/* The anonymous map of a pool: [0, weight of the first) : first, ... */
static int write_pool_map(struct transaction *transaction, const struct ipmasq_rule *rule,
			  struct nftnl_set *set)
{
	const struct ipmasq_redirect *pool = &rule->redirect;
	struct element_writer writer = {.transaction = transaction, .type = NFT_MSG_NEWSETELEM};
	uint32_t id = nftnl_set_get_u32(set, NFTNL_SET_ID), begin = 0, key;
	const char *name = nftnl_set_get_str(set, NFTNL_SET_NAME);
	struct element end = {.interval_end = true};

	for (uint32_t i = 0; i < pool->n_targets; i++) {
		struct element element = {0};

		key = htonl(begin);
		element_key_add(&element, &key, sizeof(key));
		point_to(&element, rule, &pool->targets[i]);
		if (element_write(&writer, name, id, &element) < 0)
			return -1;
		begin += schedule_turn(pool, i);
	}
	key = htonl(begin);
	element_key_add(&end, &key, sizeof(key));
	if (element_write(&writer, name, id, &end) < 0)
		return -1;
	return element_writer_close(&writer);
}

/* Makes the anonymous map and fills it; its number in the transaction, or 0 with errno. */
static uint32_t add_pool_map(struct transaction *transaction, const struct ipmasq_rule *rule,
			     const struct family *family)
{
	const struct ipmasq_redirect *pool = &rule->redirect;
	struct nftnl_set *set =
		set_new(transaction, "__map%d",
			NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | NFT_SET_INTERVAL | NFT_SET_MAP);
	struct nftnl_udata_buf *userdata = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	uint32_t id = 0;

	if (!set || !userdata) {
		errno = ENOMEM;
		goto out;
	}
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, TYPE_INTEGER);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, sizeof(uint32_t));
	if (pool->match.mark) {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, 0);
	} else {
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE,
				  TYPE_CONCAT(family->type, TYPE_SERVICE));
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, 4u * (family->words + 1u));
	}
	nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, pool->n_targets + 1);
	nftnl_udata_put_u32(userdata, NFTNL_UDATA_SET_KEYBYTEORDER, NFT_BYTEORDER_HOST);
	nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(userdata),
			   nftnl_udata_buf_len(userdata));
	if (set_add(transaction, set) < 0 || write_pool_map(transaction, rule, set) < 0)
		goto out;
	id = nftnl_set_get_u32(set, NFTNL_SET_ID);
out:
	if (userdata)
		nftnl_udata_buf_free(userdata);
	if (set)
		nftnl_set_free(set);
	return id;
}

static int add_pool_rule(struct transaction *transaction, const struct ipmasq_change *change)
{
	const struct ipmasq_redirect *pool = &change->after->redirect;
	const struct family *family = family_of(pool->match.family);
	uint64_t from =
		is_pool(redirect_of(change->before)) ? change->before->redirect.connections : 0;
	char chain[SCHEMA_NAME_MAX], comment[ELEMENT_COMMENT_MAX];
	uint32_t id = add_pool_map(transaction, change->after, family);
	struct rule rule;

	if (!id)
		return -1;
	rule_begin(&rule, schema_pool_name(chain, change->after->owner, &pool->match));
	if (pool->match.mark) {
		load_numgen(&rule, schedule_round(pool), 0);
		lookup_verdict(&rule, "__map%d", id);
	} else {
		match_transport(&rule, pool->match.protocol);
		load_numgen(&rule, schedule_round(pool), 0);
		lookup_map(&rule, "__map%d", id);
		dnat(&rule, family->family, family->words);
	}
	if (from) {
		snprintf(comment, sizeof(comment), POOL_COMMENT, from);
		rule_comment(&rule, comment);
	}
	return rule_add(&rule, transaction);
}

/* First pass: elements that go. */
static int delete_elements(struct element_writer *writer, const struct ipmasq_change *change)
{
	const struct ipmasq_redirect *before = redirect_of(change->before);
	const struct ipmasq_redirect *after = redirect_of(change->after);

	if (is_plain(before) && write_plain(writer, change->before) < 0)
		return -1;
	if (is_pool(before) && !is_pool(after) && write_pool_entry(writer, change->before) < 0)
		return -1;
	return 0;
}

static int delete_traffic(struct element_writer *writer, const struct ipmasq_change *change)
{
	return write_traffic(writer, change->before, redirect_of(change->after));
}

/* By mark, each host has a chain; those in `some` and not in `others` come, or go. */
static int write_hosts(struct transaction *transaction, const struct ipmasq_redirect *some,
		       const struct ipmasq_redirect *others, const char *chain,
		       int (*write)(struct transaction *, const char *,
				    const struct ipmasq_target *))
{
	for (uint32_t i = 0; some && some->match.mark && i < some->n_targets; i++)
		if (!find_target(others, &some->targets[i]) &&
		    write(transaction, chain, &some->targets[i]) < 0)
			return -1;
	return 0;
}

/* Between: the chains of pools, whose elements are gone or not there yet. */
static int write_pool(struct transaction *transaction, const struct ipmasq_change *change)
{
	const struct ipmasq_redirect *before = redirect_of(change->before);
	const struct ipmasq_redirect *after = redirect_of(change->after);
	char chain[SCHEMA_NAME_MAX];

	if (is_pool(before)) {
		schema_pool_name(chain, change->before->owner, &before->match);
		if ((is_pool(after) ? chain_flush : chain_delete)(transaction, chain) < 0 ||
		    write_hosts(transaction, before, after, chain, mark_delete_host) < 0)
			return -1;
	} else if (is_pool(after)) {
		schema_pool_name(chain, change->after->owner, &after->match);
		if (chain_add(transaction, chain, NULL, 0, 0) < 0)
			return -1;
	}
	if (!is_pool(after))
		return 0;
	if (write_hosts(transaction, after, before, chain, mark_add_host) < 0)
		return -1;
	return add_pool_rule(transaction, change);
}

/* Last pass: elements that come. */
static int add_elements(struct element_writer *writer, const struct ipmasq_change *change)
{
	const struct ipmasq_redirect *before = redirect_of(change->before);
	const struct ipmasq_redirect *after = redirect_of(change->after);

	if (is_plain(after) && write_plain(writer, change->after) < 0)
		return -1;
	if (is_pool(after) && !is_pool(before) && write_pool_entry(writer, change->after) < 0)
		return -1;
	return 0;
}

static int add_traffic(struct element_writer *writer, const struct ipmasq_change *change)
{
	return write_traffic(writer, change->after, redirect_of(change->before));
}

typedef int (*element_pass)(struct element_writer *writer, const struct ipmasq_change *change);

static int run_pass(struct transaction *transaction, uint16_t type, element_pass pass,
		    const struct ipmasq_change *changes, size_t n)
{
	struct element_writer writer = {.transaction = transaction, .type = type};

	for (size_t i = 0; i < n; i++)
		if (pass(&writer, &changes[i]) < 0)
			return -1;
	return element_writer_close(&writer);
}

int redirect_write(struct transaction *transaction, const struct ipmasq_change *changes, size_t n)
{
	if (run_pass(transaction, NFT_MSG_DELSETELEM, delete_elements, changes, n) < 0 ||
	    run_pass(transaction, NFT_MSG_DELSETELEM, delete_traffic, changes, n) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (write_pool(transaction, &changes[i]) < 0)
			return -1;
	if (run_pass(transaction, NFT_MSG_NEWSETELEM, add_elements, changes, n) < 0)
		return -1;
	return run_pass(transaction, NFT_MSG_NEWSETELEM, add_traffic, changes, n);
}
