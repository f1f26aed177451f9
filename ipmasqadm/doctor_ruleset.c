// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Everybody's ruleset, read over netlink: tables, chains, sets and rules, but of a set only the
 * element that is asked for, so that a set with a million addresses costs what a small one does.
 * Tables that sleep take no part; of our own only the place of its chains is of interest.
 */
#include "doctor_ruleset.h"
#include "ask.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#define OUR_TABLE "ipmasq"

#define NFT(message) (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | (message))

static bool is_ours(uint8_t family, const char *table)
{
	return family == NFPROTO_INET && strcmp(table, OUR_TABLE) == 0;
}

static int read_table(const struct nlmsghdr *answer, void *data)
{
	struct ruleset *ruleset = data;
	struct nftnl_table *table = nftnl_table_alloc();

	if (!table || nftnl_table_nlmsg_parse(answer, table) < 0) {
		if (table)
			nftnl_table_free(table);
		return MNL_CB_ERROR;
	}
	nftnl_table_list_add_tail(table, ruleset->tables);
	return MNL_CB_OK;
}

static int read_chain(const struct nlmsghdr *answer, void *data)
{
	struct ruleset *ruleset = data;
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain || nftnl_chain_nlmsg_parse(answer, chain) < 0) {
		if (chain)
			nftnl_chain_free(chain);
		return MNL_CB_ERROR;
	}
	nftnl_chain_list_add_tail(chain, ruleset->list);
	ruleset->n_chains++;
	return MNL_CB_OK;
}

static int read_set(const struct nlmsghdr *answer, void *data)
{
	struct ruleset *ruleset = data;
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set || nftnl_set_nlmsg_parse(answer, set) < 0) {
		if (set)
			nftnl_set_free(set);
		return MNL_CB_ERROR;
	}
	nftnl_set_list_add_tail(set, ruleset->set_list);
	ruleset->n_sets++;
	return MNL_CB_OK;
}

static int by_place(const void *a, const void *b)
{
	const struct place *one = a, *other = b;
	int order = one->family != other->family ? (one->family < other->family ? -1 : 1)
						 : strcmp(one->table, other->table);

	return order ? order : strcmp(one->name, other->name);
}

static struct chain *find_chain(const struct ruleset *ruleset, uint8_t family, const char *table,
				const char *name)
{
	const struct place place = {family, table, name};

	return ruleset->n_chains ? bsearch(&place, ruleset->chains, ruleset->n_chains,
					   sizeof(*ruleset->chains), by_place)
				 : NULL;
}

const struct chain *ruleset_chain(const struct ruleset *ruleset, const struct chain *of,
				  const char *name)
{
	return find_chain(ruleset, of->place.family, of->place.table, name);
}

static int read_rule(const struct nlmsghdr *answer, void *data)
{
	struct ruleset *ruleset = data;
	struct nftnl_rule *rule = nftnl_rule_alloc(), **rules;
	struct chain *chain;

	if (!rule)
		return MNL_CB_ERROR;
	if (nftnl_rule_nlmsg_parse(answer, rule) < 0) { /* of a kernel newer than libnftnl */
		ruleset->unread++;
		nftnl_rule_free(rule);
		return MNL_CB_OK;
	}
	chain = find_chain(ruleset, (uint8_t)nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY),
			   nftnl_rule_get_str(rule, NFTNL_RULE_TABLE),
			   nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));
	if (!chain || chain->ours) { /* made after the chains were read, or of no interest */
		nftnl_rule_free(rule);
		return MNL_CB_OK;
	}
	rules = reallocarray(chain->rules, chain->n_rules + 1, sizeof(struct nftnl_rule *));
	if (!rules) {
		nftnl_rule_free(rule);
		return MNL_CB_ERROR;
	}
	chain->rules = rules;
	rules[chain->n_rules++] = rule;
	return MNL_CB_OK;
}

static bool sleeps(struct ruleset *ruleset, uint8_t family, const char *name)
{
	struct nftnl_table_list_iter *iterator = nftnl_table_list_iter_create(ruleset->tables);
	struct nftnl_table *table;
	bool found = false;

	while (iterator && !found && (table = nftnl_table_list_iter_next(iterator)))
		found = nftnl_table_get_u32(table, NFTNL_TABLE_FAMILY) == family &&
			(nftnl_table_get_u32(table, NFTNL_TABLE_FLAGS) & NFT_TABLE_F_DORMANT) &&
			strcmp(nftnl_table_get_str(table, NFTNL_TABLE_NAME), name) == 0;
	if (iterator)
		nftnl_table_list_iter_destroy(iterator);
	return found;
}

static void fill_chain(struct ruleset *ruleset, struct chain *chain, const struct nftnl_chain *from)
{
	chain->place = (struct place){(uint8_t)nftnl_chain_get_u32(from, NFTNL_CHAIN_FAMILY),
				      nftnl_chain_get_str(from, NFTNL_CHAIN_TABLE),
				      nftnl_chain_get_str(from, NFTNL_CHAIN_NAME)};
	chain->ours = is_ours(chain->place.family, chain->place.table);
	chain->base = nftnl_chain_is_set(from, NFTNL_CHAIN_HOOKNUM) &&
		      !sleeps(ruleset, chain->place.family, chain->place.table);
	chain->hook = nftnl_chain_get_u32(from, NFTNL_CHAIN_HOOKNUM);
	chain->priority = nftnl_chain_get_s32(from, NFTNL_CHAIN_PRIO);
	chain->drops = nftnl_chain_is_set(from, NFTNL_CHAIN_POLICY) &&
		       nftnl_chain_get_u32(from, NFTNL_CHAIN_POLICY) == NF_DROP;
	chain->unnamed = nftnl_chain_is_set(from, NFTNL_CHAIN_FLAGS) &&
			 (nftnl_chain_get_u32(from, NFTNL_CHAIN_FLAGS) & NFT_CHAIN_BINDING);
	if (nftnl_chain_is_set(from, NFTNL_CHAIN_TYPE))
		chain->nat = strcmp(nftnl_chain_get_str(from, NFTNL_CHAIN_TYPE), "nat") == 0;
	if (nftnl_chain_is_set(from, NFTNL_CHAIN_DEV))
		chain->device = nftnl_chain_get_str(from, NFTNL_CHAIN_DEV);
	if (nftnl_chain_is_set(from, NFTNL_CHAIN_DEVICES))
		chain->devices = nftnl_chain_get_array(from, NFTNL_CHAIN_DEVICES);
}

static int index_chains(struct ruleset *ruleset)
{
	struct nftnl_chain_list_iter *iterator = nftnl_chain_list_iter_create(ruleset->list);
	struct nftnl_chain *from;
	size_t n = 0;

	ruleset->chains = calloc(ruleset->n_chains + 1, sizeof(*ruleset->chains));
	while (iterator && ruleset->chains && n < ruleset->n_chains &&
	       (from = nftnl_chain_list_iter_next(iterator))) {
		ruleset->chains[n].order = n;
		fill_chain(ruleset, &ruleset->chains[n++], from);
	}
	ruleset->n_chains = n;
	if (iterator)
		nftnl_chain_list_iter_destroy(iterator);
	if (n)
		qsort(ruleset->chains, n, sizeof(*ruleset->chains), by_place);
	return iterator && ruleset->chains ? 0 : -1;
}

static int index_sets(struct ruleset *ruleset)
{
	struct nftnl_set_list_iter *iterator = nftnl_set_list_iter_create(ruleset->set_list);
	const struct nftnl_set *from;
	size_t n = 0;

	ruleset->sets = calloc(ruleset->n_sets + 1, sizeof(*ruleset->sets));
	while (iterator && ruleset->sets && n < ruleset->n_sets &&
	       (from = nftnl_set_list_iter_next(iterator)))
		ruleset->sets[n++] = (struct set){
			.place = {(uint8_t)nftnl_set_get_u32(from, NFTNL_SET_FAMILY),
				  nftnl_set_get_str(from, NFTNL_SET_TABLE),
				  nftnl_set_get_str(from, NFTNL_SET_NAME)},
			.set = from,
		};
	ruleset->n_sets = n;
	if (iterator)
		nftnl_set_list_iter_destroy(iterator);
	if (n)
		qsort(ruleset->sets, n, sizeof(*ruleset->sets), by_place);
	return iterator && ruleset->sets ? 0 : -1;
}

static int dump(struct ruleset *ruleset, uint16_t message, mnl_cb_t callback)
{
	ask_netfilter(ruleset->ask, NFT(message), NLM_F_DUMP, NFPROTO_UNSPEC);
	return ask_send(ruleset->ask, callback, ruleset);
}

int ruleset_read(struct ruleset *ruleset)
{
	*ruleset = (struct ruleset){
		.ask = ask_open(NETLINK_NETFILTER),
		.tables = nftnl_table_list_alloc(),
		.list = nftnl_chain_list_alloc(),
		.set_list = nftnl_set_list_alloc(),
	};
	if (!ruleset->ask || !ruleset->tables || !ruleset->list || !ruleset->set_list ||
	    dump(ruleset, NFT_MSG_GETTABLE, read_table) < 0 ||
	    dump(ruleset, NFT_MSG_GETCHAIN, read_chain) < 0 ||
	    dump(ruleset, NFT_MSG_GETSET, read_set) < 0 || index_chains(ruleset) < 0 ||
	    index_sets(ruleset) < 0 || dump(ruleset, NFT_MSG_GETRULE, read_rule) < 0)
		return -1;
	ruleset->dormant = sleeps(ruleset, NFPROTO_INET, OUR_TABLE);
	return 0;
}

void ruleset_free(struct ruleset *ruleset)
{
	for (size_t i = 0; ruleset->chains && i < ruleset->n_chains; i++) {
		for (size_t r = 0; r < ruleset->chains[i].n_rules; r++)
			nftnl_rule_free(ruleset->chains[i].rules[r]);
		free(ruleset->chains[i].rules);
	}
	free(ruleset->chains);
	free(ruleset->sets);
	if (ruleset->tables)
		nftnl_table_list_free(ruleset->tables);
	if (ruleset->list)
		nftnl_chain_list_free(ruleset->list);
	if (ruleset->set_list)
		nftnl_set_list_free(ruleset->set_list);
	ask_close(ruleset->ask);
}

const struct nftnl_set *ruleset_set(const struct ruleset *ruleset, const struct chain *of,
				    const char *name)
{
	const struct place place = {of->place.family, of->place.table, name};
	const struct set *set = ruleset->n_sets ? bsearch(&place, ruleset->sets, ruleset->n_sets,
							  sizeof(*ruleset->sets), by_place)
						: NULL;

	return set ? set->set : NULL;
}

static int read_element(const struct nlmsghdr *answer, void *data)
{
	struct found_element *found = data;
	struct nftnl_set *set = nftnl_set_alloc();
	struct nftnl_set_elems_iter *iterator = NULL;
	struct nftnl_set_elem *element;
	const void *bytes;
	uint32_t length;

	if (!set || nftnl_set_elems_nlmsg_parse(answer, set) < 0)
		goto out;
	iterator = nftnl_set_elems_iter_create(set);
	element = iterator ? nftnl_set_elems_iter_next(iterator) : NULL;
	if (!element)
		goto out;
	bytes = nftnl_set_elem_get(element, NFTNL_SET_ELEM_DATA, &length);
	if (bytes && length <= sizeof(found->data)) {
		memcpy(found->data, bytes, length);
		found->length = length;
	}
	if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_VERDICT)) {
		found->has_verdict = true;
		found->verdict = (int32_t)nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_VERDICT);
	}
	if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_CHAIN))
		snprintf(found->chain, sizeof(found->chain), "%s",
			 nftnl_set_elem_get_str(element, NFTNL_SET_ELEM_CHAIN));
out:
	if (iterator)
		nftnl_set_elems_iter_destroy(iterator);
	if (set)
		nftnl_set_free(set);
	return MNL_CB_OK;
}

/* Asks for the element of a key; NULL: for that of all the keys which have none. */
static enum found look_up(const struct ruleset *ruleset, const struct chain *of, const char *name,
			  const uint8_t *key, struct found_element *found)
{
	const struct nftnl_set *from = ruleset_set(ruleset, of, name);
	struct nftnl_set *set = nftnl_set_alloc();
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	enum found answer = FOUND_UNKNOWN;

	memset(found, 0, sizeof(*found));
	if (!from || !set || !element) {
		if (element)
			nftnl_set_elem_free(element);
		goto out;
	}
	nftnl_set_set_str(set, NFTNL_SET_TABLE, of->place.table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	if (key)
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key,
				   nftnl_set_get_u32(from, NFTNL_SET_KEY_LEN));
	else
		nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_CATCHALL);
	nftnl_set_elem_add(set, element); /* taken over */
	nftnl_set_elems_nlmsg_build_payload(
		ask_netfilter(ruleset->ask, NFT(NFT_MSG_GETSETELEM), 0, of->place.family), set);
	if (ask_send(ruleset->ask, read_element, found) == 0)
		answer = FOUND_YES;
	else if (errno == ENOENT)
		answer = FOUND_NO;
out:
	if (set)
		nftnl_set_free(set);
	return answer;
}

enum found ruleset_look_up(const struct ruleset *ruleset, const struct chain *of, const char *name,
			   const uint8_t *key, struct found_element *found)
{
	enum found answer = look_up(ruleset, of, name, key, found);

	if (answer != FOUND_NO)
		return answer;
	/* Kernels without such elements do not know the question. */
	return look_up(ruleset, of, name, NULL, found) == FOUND_YES ? FOUND_YES : FOUND_NO;
}

static int read_object(const struct nlmsghdr *answer, void *data)
{
	return nftnl_obj_nlmsg_parse(answer, data) < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

struct nftnl_obj *ruleset_object(const struct ruleset *ruleset, const struct chain *of,
				 uint32_t type, const char *name)
{
	struct nftnl_obj *question = nftnl_obj_alloc(), *answer = nftnl_obj_alloc();
	int rc = -1;

	if (!question || !answer)
		goto out;
	nftnl_obj_set_str(question, NFTNL_OBJ_TABLE, of->place.table);
	nftnl_obj_set_str(question, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(question, NFTNL_OBJ_TYPE, type);
	nftnl_obj_nlmsg_build_payload(
		ask_netfilter(ruleset->ask, NFT(NFT_MSG_GETOBJ), 0, of->place.family), question);
	rc = ask_send(ruleset->ask, read_object, answer);
out:
	if (question)
		nftnl_obj_free(question);
	if (rc == 0)
		return answer;
	if (answer)
		nftnl_obj_free(answer);
	return NULL;
}
