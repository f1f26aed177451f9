// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules kept in chains, in order.
 *
 * Each nf_tables rule that a rule is compiled to (compile.c) carries the rule's text as its
 * comment; reading makes the rule again from the text that stands in its first place.  A change
 * adds and deletes single nf_tables rules, by handle, so that all others keep their counters.
 *
 * A chain is in the order in which its rules are asked: the most specific first, among equals
 * the newest.  So the place in the chain says how old a rule is, and nothing else has to.
 */
#include "ruled.h"
#include "../rule_text.h"
#include "compile.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

/* One nf_tables rule of a chain, or one to come. */
struct line {
	uint64_t handle;          /* 0: to come */
	struct ipmasq_rule *rule; /* what its text says; borrowed when it is to come */
	char text[RULE_TEXT_MAX];
	bool gone;
};

struct chain {
	struct line *list;
	size_t n;
	const char *owner;
};

bool ruled_is(const struct ipmasq_rule *rule)
{
	return rule->kind != IPMASQ_REDIRECT || ipmasq_match_is_wide(&rule->redirect.match);
}

int ruled_supported(const struct ipmasq_rule *rule, struct ipmasq_error *error)
{
	char text[RULE_TEXT_MAX];

	if (compile_supported(rule, error) < 0)
		return -1;
	if (rule_text(rule, text) < 0)
		return ipmasq_fail(
			error, EOPNOTSUPP,
			"this rule is too long for the comment in which the kernel keeps it: "
			"give shorter nets");
	return 0;
}

int ruled_places(const struct ipmasq_rule *rule, struct places *places)
{
	struct piece pieces[PIECES_MAX];
	size_t n = compile(rule, pieces);

	for (size_t i = 0; i < n; i++)
		if (places_add(places, pieces[i].place, rule->owner) < 0)
			return -1;
	return 0;
}

/* Appends a line; rules without a text of ours are somebody else's and are left alone. */
static int keep_line(struct chain *chain, const struct nftnl_rule *rule)
{
	struct line line = {.handle = nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE)};
	const char *text = NULL;
	struct line *list;
	const void *userdata;
	uint32_t length;

	userdata = nftnl_rule_get_data(rule, NFTNL_RULE_USERDATA, &length);
	if (userdata)
		text = userdata_text(userdata, length, NFTNL_UDATA_RULE_COMMENT);
	if (!text || strlen(text) >= sizeof(line.text))
		return 0;
	strcpy(line.text, text);
	line.rule = rule_of_text(chain->owner, line.text);
	if (!line.rule)
		return errno == ENOMEM ? -1 : 0;
	list = reallocarray(chain->list, chain->n + 1, sizeof(*list));
	if (!list) {
		ipmasq_rule_free(line.rule);
		return -1;
	}
	chain->list = list;
	list[chain->n++] = line;
	return 0;
}

static int read_line(const struct nlmsghdr *message, void *data)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	int rc = -1;

	if (rule && nftnl_rule_nlmsg_parse(message, rule) == 0)
		rc = keep_line(data, rule);
	if (rule)
		nftnl_rule_free(rule);
	return rc < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

static void chain_free(struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++)
		if (chain->list[i].handle)
			ipmasq_rule_free(chain->list[i].rule);
	free(chain->list);
}

static int chain_read(struct netlink *netlink, enum place place, struct chain *chain)
{
	struct nlmsghdr *request = netlink_request(netlink, NFT_MSG_GETRULE, 0);
	char name[SCHEMA_NAME_MAX];

	mnl_attr_put_strz(request, NFTA_RULE_TABLE, SCHEMA_TABLE);
	mnl_attr_put_strz(request, NFTA_RULE_CHAIN, place_chain(name, place, chain->owner));
	return netlink_dump(netlink, read_line, chain);
}

/* Whether `rule` is read from this place. */
static bool is_first_place(const struct ipmasq_rule *rule, enum place place)
{
	struct piece pieces[PIECES_MAX];

	return compile(rule, pieces) && pieces[0].place == place;
}

/* Whether the newest go first among rules like this one. */
static bool is_ordered(const struct ipmasq_rule *rule)
{
	return rule->kind == IPMASQ_REDIRECT || rule->kind == IPMASQ_PROXY;
}

int ruled_load(struct netlink *netlink, const struct place_of *place, ipmasq_rule_take take,
	       void *data)
{
	struct chain chain = {.owner = place->owner};
	int rc = chain_read(netlink, place->place, &chain);

	for (size_t i = 0; i < chain.n && rc >= 0; i++) {
		struct ipmasq_rule *rule = chain.list[i].rule;

		/* One rule may be several lines, which stand together. */
		if ((i && strcmp(chain.list[i].text, chain.list[i - 1].text) == 0) ||
		    !is_first_place(rule, place->place))
			continue;
		chain.list[i].rule = NULL;
		if (is_ordered(rule))
			rule->age = chain.n - i;
		rc = take(rule, data);
	}
	chain_free(&chain);
	return rc < 0 ? -1 : 0;
}

struct search {
	const struct ipmasq_rule *key;
	struct ipmasq_rule **found;
};

static int keep_same(struct ipmasq_rule *rule, void *data)
{
	const struct search *search = data;

	if (!*search->found && ipmasq_rule_same_key(rule, search->key))
		*search->found = rule;
	else
		ipmasq_rule_free(rule);
	return 0;
}

int ruled_get(struct netlink *netlink, const struct ipmasq_rule *key, struct ipmasq_rule **rule)
{
	struct search search = {key, rule};
	struct piece pieces[PIECES_MAX];
	struct place_of place;

	*rule = NULL;
	if (!compile(key, pieces))
		return 0;
	place.place = pieces[0].place;
	memcpy(place.owner, key->owner, sizeof(place.owner));
	return ruled_load(netlink, &place, keep_same, &search);
}

#define COMPARE(a, b)                              \
	do {                                       \
		if ((a) != (b))                    \
			return (a) < (b) ? -1 : 1; \
	} while (0)

static unsigned int width(const struct ipmasq_ports *ports)
{
	return ports->low ? ports->high - ports->low : UINT16_MAX;
}

/* Negative when `a` is more specific than `b` and so goes first. */
static int compare_specific(const struct ipmasq_rule *a, const struct ipmasq_rule *b)
{
	if (a->kind == IPMASQ_REDIRECT && b->kind == IPMASQ_REDIRECT) {
		const struct ipmasq_match *x = &a->redirect.match, *y = &b->redirect.match;

		COMPARE(ipmasq_address_is_any(&x->alias), ipmasq_address_is_any(&y->alias));
		COMPARE(!x->protocol, !y->protocol);
		COMPARE(width(&x->ports), width(&y->ports));
	} else if (a->kind == IPMASQ_MASQ && b->kind == IPMASQ_MASQ) {
		COMPARE(b->masq.source.bits, a->masq.source.bits);
		COMPARE(!a->masq.protocol, !b->masq.protocol);
		COMPARE(!a->masq.interface[0], !b->masq.interface[0]);
	} else if (a->kind == IPMASQ_PROXY && b->kind == IPMASQ_PROXY) {
		COMPARE(a->proxy.index, b->proxy.index);
	}
	return 0;
}

static bool has_place(const struct ipmasq_rule *rule, enum place place)
{
	struct piece pieces[PIECES_MAX];
	size_t n = compile(rule, pieces);

	for (size_t i = 0; i < n; i++)
		if (pieces[i].place == place)
			return true;
	return false;
}

static int delete_line(struct transaction *transaction, const char *chain, uint64_t handle)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return -1;
	nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, SCHEMA_TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, chain);
	nftnl_rule_set_u64(rule, NFTNL_RULE_HANDLE, handle);
	nftnl_rule_nlmsg_build_payload(transaction_message(transaction, NFT_MSG_DELRULE, 0), rule);
	nftnl_rule_free(rule);
	return transaction_added(transaction);
}

/* Deletes the lines of a rule that goes or gets another body. */
static int remove_rule(struct transaction *transaction, struct chain *chain, enum place place,
		       const struct ipmasq_rule *rule)
{
	char text[RULE_TEXT_MAX], name[SCHEMA_NAME_MAX];

	if (!has_place(rule, place) || rule_text(rule, text) < 0)
		return 0;
	place_chain(name, place, chain->owner);
	for (size_t i = 0; i < chain->n; i++) {
		struct line *line = &chain->list[i];

		if (!line->handle || line->gone || strcmp(line->text, text) != 0)
			continue;
		line->gone = true;
		if (delete_line(transaction, name, line->handle) < 0)
			return -1;
	}
	return 0;
}

/* Puts a rule where it belongs in the list. */
static int insert_rule(struct chain *chain, enum place place, const struct ipmasq_rule *rule)
{
	struct line *list, *line;
	size_t at = 0;

	if (!has_place(rule, place))
		return 0;
	list = reallocarray(chain->list, chain->n + 1, sizeof(*list));
	if (!list)
		return -1;
	chain->list = list;
	while (at < chain->n && compare_specific(rule, list[at].rule) > 0)
		at++;
	line = &list[at];
	memmove(line + 1, line, (chain->n - at) * sizeof(*list));
	chain->n++;
	*line = (struct line){.rule = (struct ipmasq_rule *)rule};
	return rule_text(rule, line->text);
}

static uint64_t next_handle(const struct chain *chain, size_t i)
{
	while (++i < chain->n)
		if (chain->list[i].handle && !chain->list[i].gone)
			return chain->list[i].handle;
	return 0;
}

static int write_new_lines(struct transaction *transaction, const struct chain *chain,
			   enum place place)
{
	struct piece pieces[PIECES_MAX];

	for (size_t i = 0; i < chain->n; i++) {
		const struct line *line = &chain->list[i];
		struct position position = {transaction, place, chain->owner, line->text,
					    next_handle(chain, i)};
		size_t n = line->handle ? 0 : compile(line->rule, pieces);

		for (size_t p = 0; p < n; p++)
			if (pieces[p].place == place && pieces[p].write(&position, line->rule) < 0)
				return -1;
	}
	return 0;
}

static int by_age(const void *a, const void *b)
{
	const struct ipmasq_change *x = a, *y = b;
	uint64_t first = x->after ? x->after->age : 0, second = y->after ? y->after->age : 0;

	return first < second ? -1 : first > second;
}

/* Makes one chain what it shall be; `changes` are in the order of age. */
static int write_chain(struct transaction *transaction, const struct place_of *place,
		       const struct ipmasq_change *changes, size_t n)
{
	struct chain chain = {.owner = place->owner};
	int rc = chain_read(transaction->netlink, place->place, &chain);

	for (size_t i = 0; i < n && rc >= 0; i++)
		if (changes[i].before && strcmp(changes[i].before->owner, place->owner) == 0)
			rc = remove_rule(transaction, &chain, place->place, changes[i].before);
	for (size_t i = 0; i < n && rc >= 0; i++)
		if (changes[i].after && strcmp(changes[i].after->owner, place->owner) == 0)
			rc = insert_rule(&chain, place->place, changes[i].after);
	if (rc >= 0)
		rc = write_new_lines(transaction, &chain, place->place);
	chain_free(&chain);
	return rc < 0 ? -1 : 0;
}

int ruled_write(struct transaction *transaction, const struct ipmasq_change *changes, size_t n)
{
	struct ipmasq_change *sorted = calloc(n + 1, sizeof(*sorted));
	struct places places = {0};
	size_t used = 0;
	int rc = sorted ? 0 : -1;

	for (size_t i = 0; i < n && rc == 0; i++) {
		if (!ruled_is(changes[i].after ? changes[i].after : changes[i].before))
			continue;
		sorted[used++] = changes[i];
		if (changes[i].before)
			rc = ruled_places(changes[i].before, &places);
		if (changes[i].after && rc == 0)
			rc = ruled_places(changes[i].after, &places);
	}
	if (used)
		qsort(sorted, used, sizeof(*sorted), by_age);
	for (size_t i = 0; i < places.n && rc == 0; i++)
		rc = write_chain(transaction, &places.list[i], sorted, used);
	for (size_t i = 0; i < used && rc == 0; i++)
		if (sorted[i].before)
			rc = compile_forget(transaction, sorted[i].before);
	free(sorted);
	return rc;
}
