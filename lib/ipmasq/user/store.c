// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The user engine's rules: a hash by key, so that one of 100,000 is found at once, and a list for
 * each kind, since what few rules decide together (masquerading, proxies, helpers) is worked out
 * from all of a kind.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define CHAINS_MIN 64

static size_t hash_bytes(size_t hash, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	while (length--)
		hash = (hash ^ *bytes++) * 0x100000001b3u; /* FNV-1a */
	return hash;
}

/* Redirects are many; rules of the other kinds are told apart by few words. */
static size_t key_hash(const struct ipmasq_rule *rule)
{
	size_t hash =
		hash_bytes(0xcbf29ce484222325u + rule->kind, rule->owner, strlen(rule->owner));

	if (rule->kind == IPMASQ_REDIRECT) {
		const struct ipmasq_match *match = &rule->redirect.match;

		hash = hash_bytes(hash, match->alias.bytes, ipmasq_address_length(match->family));
		hash = hash_bytes(hash, &match->protocol, sizeof(match->protocol));
		hash = hash_bytes(hash, &match->ports.low, sizeof(match->ports.low));
		hash = hash_bytes(hash, &match->mark, sizeof(match->mark));
	} else if (rule->kind == IPMASQ_MASQ) {
		const struct ipmasq_net *net = &rule->masq.source;

		hash = hash_bytes(hash, net->address.bytes,
				  ipmasq_address_length(net->address.family));
	} else if (rule->kind == IPMASQ_PROXY) {
		hash = hash_bytes(hash, &rule->proxy.index, sizeof(rule->proxy.index));
		hash = hash_bytes(hash, &rule->proxy.port, sizeof(rule->proxy.port));
	}
	return hash ^ hash >> 29;
}

int store_init(struct store *store)
{
	*store = (struct store){.n_chains = CHAINS_MIN};
	store->chains = calloc(store->n_chains, sizeof(struct stored *));
	return store->chains ? 0 : -1;
}

struct stored *stored_new(const struct ipmasq_rule *rule, unsigned int workers)
{
	unsigned int n = rule->kind == IPMASQ_REDIRECT ? workers : 0;
	struct stored *stored = calloc(1, sizeof(*stored) + n * sizeof(struct alias_link *));

	if (!stored)
		return NULL;
	stored->rule = ipmasq_rule_copy(rule);
	if (!stored->rule) {
		free(stored);
		return NULL;
	}
	if (rule->kind == IPMASQ_REDIRECT)
		stored->rule->redirect.restart = false; /* done with the change */
	return stored;
}

void stored_free(struct stored *stored)
{
	if (!stored)
		return;
	ipmasq_rule_free(stored->rule);
	free(stored);
}

void store_free(struct store *store)
{
	for (size_t i = 0; i < store->n_chains && store->chains; i++) {
		for (struct stored *stored = store->chains[i], *next; stored; stored = next) {
			next = stored->chain;
			stored_free(stored);
		}
	}
	free(store->chains);
}

struct stored *store_find(const struct store *store, const struct ipmasq_rule *key)
{
	struct stored *stored = store->chains[key_hash(key) & (store->n_chains - 1)];

	while (stored && !ipmasq_rule_same_key(stored->rule, key))
		stored = stored->chain;
	return stored;
}

int store_reserve(struct store *store, size_t more)
{
	size_t n = store->n_chains;
	struct stored **chains;

	while (n < store->n + more)
		n *= 2;
	if (n == store->n_chains)
		return 0;
	chains = calloc(n, sizeof(struct stored *));
	if (!chains)
		return -1;
	for (size_t i = 0; i < store->n_chains; i++) {
		for (struct stored *stored = store->chains[i], *next; stored; stored = next) {
			size_t chain = key_hash(stored->rule) & (n - 1);

			next = stored->chain;
			stored->chain = chains[chain];
			chains[chain] = stored;
		}
	}
	free(store->chains);
	store->chains = chains;
	store->n_chains = n;
	return 0;
}

void store_add(struct store *store, struct stored *stored)
{
	size_t chain = key_hash(stored->rule) & (store->n_chains - 1);
	enum ipmasq_kind kind = stored->rule->kind;

	stored->chain = store->chains[chain];
	store->chains[chain] = stored;
	LIST_INSERT_HEAD(&store->kinds[kind], stored, of_kind);
	store->counts[kind]++;
	store->n++;
}

void store_remove(struct store *store, struct stored *stored)
{
	struct stored **link = &store->chains[key_hash(stored->rule) & (store->n_chains - 1)];

	while (*link != stored)
		link = &(*link)->chain;
	*link = stored->chain;
	LIST_REMOVE(stored, of_kind);
	store->counts[stored->rule->kind]--;
	store->n--;
}
