// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rule table: what an engine holds, what a caller wants, and the difference.
 *
 * An entry keeps both: `before` as the engine has it (NULL: not there) and `after` as it shall
 * be; an unchanged entry has after == before.  Entries are found by a hash of the rule's key
 * in a power-of-two table of pointers.  A key that was not read yet is read from the engine
 * when it is asked for; after a full load of its owner, absence from the hash is absence.
 * Above: the plugins and the dispatcher.  Below: engine.h.
 */
#include "engine.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <ipmasq/table.h>
#include <stdlib.h>
#include <string.h>

#define AGE_HERE (UINT64_C(1) << 32) /* above the age of whatever is in an engine */

struct entry {
	struct entry *next; /* in the hash chain */
	struct ipmasq_rule *before, *after;
};

struct ipmasq_table {
	struct ipmasq_engine *engine;
	struct entry **chains;
	size_t n_chains, n_entries; /* n_chains is a power of two */
	struct ipmasq_rule *absent; /* the last key that the engine did not have */
	bool begun;                 /* the engine's generation is noted */
	bool counters;              /* traffic counters are wanted */
	bool loaded;                /* every rule of every owner is here */
	uint64_t age;               /* of the newest rule that was put here */
};

static const struct ipmasq_rule *entry_key(const struct entry *entry)
{
	return entry->before ? entry->before : entry->after;
}

static size_t hash_bytes(size_t hash, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	while (length--)
		hash = (hash ^ *bytes++) * 0x100000001b3u; /* FNV-1a */
	return hash;
}

/* Enough of a key to spread the rules; ipmasq_rule_same_key() decides. */
static size_t key_hash(const struct ipmasq_rule *rule)
{
	size_t hash = hash_bytes(0xcbf29ce484222325u, rule->owner, strlen(rule->owner));

	if (rule->kind == IPMASQ_REDIRECT) {
		const struct ipmasq_match *match = &rule->redirect.match;

		hash = hash_bytes(hash, match->alias.bytes, ipmasq_address_length(match->family));
		hash = hash_bytes(hash, &match->protocol, sizeof(match->protocol));
		hash = hash_bytes(hash, &match->ports.low, sizeof(match->ports.low));
		hash = hash_bytes(hash, &match->mark, sizeof(match->mark));
	}
	return hash ^ hash >> 29;
}

static int grow(struct ipmasq_table *table)
{
	size_t n = table->n_chains ? table->n_chains * 2 : 16;
	struct entry **chains = calloc(n, sizeof(struct entry *));

	if (!chains)
		return -1;
	for (size_t i = 0; i < table->n_chains; i++) {
		for (struct entry *entry = table->chains[i], *next; entry; entry = next) {
			size_t chain = key_hash(entry_key(entry)) & (n - 1);

			next = entry->next;
			entry->next = chains[chain];
			chains[chain] = entry;
		}
	}
	free(table->chains);
	table->chains = chains;
	table->n_chains = n;
	return 0;
}

static struct entry *lookup(const struct ipmasq_table *table, const struct ipmasq_rule *key)
{
	struct entry *entry;

	if (!table->n_chains)
		return NULL;
	entry = table->chains[key_hash(key) & (table->n_chains - 1)];
	while (entry && !ipmasq_rule_same_key(entry_key(entry), key))
		entry = entry->next;
	return entry;
}

static struct entry *insert(struct ipmasq_table *table, struct ipmasq_rule *before,
			    struct ipmasq_rule *after)
{
	struct entry *entry;
	size_t chain;

	if (table->n_entries >= table->n_chains && grow(table) < 0)
		return NULL;
	entry = malloc(sizeof(*entry));
	if (!entry)
		return NULL;
	chain = key_hash(before ? before : after) & (table->n_chains - 1);
	*entry = (struct entry){table->chains[chain], before, after};
	table->chains[chain] = entry;
	table->n_entries++;
	return entry;
}

struct ipmasq_table *ipmasq_table_open(struct ipmasq_engine *engine, struct ipmasq_error *error)
{
	struct ipmasq_table *table = calloc(1, sizeof(*table));

	if (!table) {
		ipmasq_fail(error, ENOMEM, "out of memory");
		return NULL;
	}
	table->engine = engine;
	return table;
}

/* Notes the engine's generation before the first thing is read. */
static int begin(struct ipmasq_table *table, struct ipmasq_error *error)
{
	if (table->begun)
		return 0;
	if (table->engine->ops->snapshot(table->engine, error) < 0)
		return -1;
	table->begun = true;
	return 0;
}

static void entry_free(struct entry *entry)
{
	if (entry->after != entry->before)
		ipmasq_rule_free(entry->after);
	ipmasq_rule_free(entry->before);
	free(entry);
}

void ipmasq_table_close(struct ipmasq_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->n_chains; i++) {
		for (struct entry *entry = table->chains[i], *next; entry; entry = next) {
			next = entry->next;
			entry_free(entry);
		}
	}
	ipmasq_rule_free(table->absent);
	if (table->begun && table->engine->ops->release)
		table->engine->ops->release(table->engine);
	free(table->chains);
	free(table);
}

/* A rule of a full load: new to the table unless it was read, or put, before. */
static int take_loaded(struct ipmasq_rule *rule, void *data)
{
	struct ipmasq_table *table = data;

	if (lookup(table, rule)) {
		ipmasq_rule_free(rule);
		return 0;
	}
	if (!insert(table, rule, rule)) {
		ipmasq_rule_free(rule);
		return -1;
	}
	return 0;
}

static int load(struct ipmasq_table *table, struct ipmasq_error *error)
{
	if (table->loaded)
		return 0;
	if (begin(table, error) < 0 ||
	    table->engine->ops->load(table->engine, table->counters, take_loaded, table, error) < 0)
		return -1;
	table->loaded = true;
	return 0;
}

/* The entry for `key`, read from the engine if need be; *entry is NULL when there is none. */
static int fetch(struct ipmasq_table *table, const struct ipmasq_rule *key, struct entry **entry,
		 struct ipmasq_error *error)
{
	struct ipmasq_rule *rule = NULL;

	*entry = lookup(table, key);
	if (*entry || table->loaded || (table->absent && ipmasq_rule_same_key(table->absent, key)))
		return 0;
	if (begin(table, error) < 0 ||
	    table->engine->ops->get(table->engine, key, &rule, error) < 0)
		return -1;
	if (!rule) {
		ipmasq_rule_free(table->absent);
		table->absent = ipmasq_rule_copy(key); /* NULL: it will be asked for again */
		return 0;
	}
	*entry = insert(table, rule, rule);
	if (!*entry) {
		ipmasq_rule_free(rule);
		return ipmasq_fail(error, ENOMEM, "out of memory");
	}
	return 0;
}

static void set_after(struct entry *entry, struct ipmasq_rule *rule)
{
	if (entry->after != entry->before)
		ipmasq_rule_free(entry->after);
	entry->after = rule;
}

int ipmasq_table_find(struct ipmasq_table *table, const struct ipmasq_rule *key,
		      const struct ipmasq_rule **rule, struct ipmasq_error *error)
{
	struct entry *entry;

	if (fetch(table, key, &entry, error) < 0)
		return -1;
	*rule = entry ? entry->after : NULL;
	return 0;
}

/* Whether rules like this one go first when they are newer; it has an age then. */
static bool is_ordered(const struct ipmasq_rule *rule)
{
	return rule->kind == IPMASQ_PROXY ||
	       (rule->kind == IPMASQ_REDIRECT && ipmasq_match_is_wide(&rule->redirect.match));
}

int ipmasq_table_put(struct ipmasq_table *table, struct ipmasq_rule *rule,
		     struct ipmasq_error *error)
{
	struct entry *entry;

	if (ipmasq_rule_check(rule, error) < 0 || fetch(table, rule, &entry, error) < 0)
		goto fail;
	if (is_ordered(rule))
		rule->age = AGE_HERE + ++table->age;
	if (entry) {
		set_after(entry, rule);
	} else if (!insert(table, NULL, rule)) {
		ipmasq_fail(error, ENOMEM, "out of memory");
		goto fail;
	}
	return 0;
fail:
	ipmasq_rule_free(rule);
	return -1;
}

/* Takes an entry that the engine never had out of its chain. */
static void forget(struct ipmasq_table *table, struct entry *entry)
{
	size_t chain = key_hash(entry_key(entry)) & (table->n_chains - 1);
	struct entry **link = &table->chains[chain];

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	table->n_entries--;
	entry_free(entry);
}

static void remove_entry(struct ipmasq_table *table, struct entry *entry)
{
	if (entry->before)
		set_after(entry, NULL);
	else
		forget(table, entry);
}

int ipmasq_table_remove(struct ipmasq_table *table, const struct ipmasq_rule *key,
			struct ipmasq_error *error)
{
	struct entry *entry;

	if (fetch(table, key, &entry, error) < 0)
		return -1;
	if (entry)
		remove_entry(table, entry);
	return 0;
}

int ipmasq_table_clear(struct ipmasq_table *table, const char *owner, struct ipmasq_error *error)
{
	if (load(table, error) < 0)
		return -1;
	for (size_t i = 0; i < table->n_chains; i++) {
		for (struct entry *entry = table->chains[i], *next; entry; entry = next) {
			next = entry->next;
			if (!owner || strcmp(entry_key(entry)->owner, owner) == 0)
				remove_entry(table, entry);
		}
	}
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	return ipmasq_rule_compare(entry_key(*(struct entry *const *)a),
				   entry_key(*(struct entry *const *)b));
}

/* The entries in order, in an array that the caller frees; NULL with errno when out of memory. */
static struct entry **sorted(const struct ipmasq_table *table)
{
	struct entry **list = malloc((table->n_entries + 1) * sizeof(struct entry *));
	size_t n = 0;

	if (!list)
		return NULL;
	for (size_t i = 0; i < table->n_chains; i++)
		for (struct entry *entry = table->chains[i]; entry; entry = entry->next)
			list[n++] = entry;
	qsort(list, n, sizeof(struct entry *), compare_entries);
	return list;
}

void ipmasq_table_want_counters(struct ipmasq_table *table)
{
	table->counters = true;
}

int ipmasq_table_walk(struct ipmasq_table *table, const char *owner, ipmasq_rule_visit visit,
		      void *data, struct ipmasq_error *error)
{
	struct entry **list;
	int rc = 0;

	if (load(table, error) < 0)
		return -1;
	list = sorted(table);
	if (!list)
		return ipmasq_fail(error, ENOMEM, "out of memory");
	for (size_t i = 0; i < table->n_entries && !rc; i++) {
		const struct ipmasq_rule *rule = list[i]->after;

		if (rule && (!owner || strcmp(rule->owner, owner) == 0))
			rc = visit(rule, data);
	}
	free(list);
	return rc;
}

int ipmasq_table_openings(struct ipmasq_table *table, const struct ipmasq_rule *rule,
			  ipmasq_opening_visit visit, void *data, struct ipmasq_error *error)
{
	if (rule->kind != IPMASQ_TRIGGER || !table->engine->ops->openings)
		return 0;
	return table->engine->ops->openings(table->engine, rule, visit, data, error);
}

int ipmasq_connections_walk(struct ipmasq_table *table,
			    const struct ipmasq_connection_filter *filter,
			    ipmasq_connection_visit visit, void *data, struct ipmasq_error *error)
{
	if (!table->engine->ops->connections)
		return 0;
	return table->engine->ops->connections(table->engine, filter, visit, data, error);
}

int ipmasq_connections_follow(struct ipmasq_table *table,
			      const struct ipmasq_connection_filter *filter,
			      ipmasq_event_visit visit, void *data, struct ipmasq_error *error)
{
	if (!table->engine->ops->follow)
		return ipmasq_fail(error, ENOTSUP,
				   "this engine does not tell of connections as they "
				   "come and go; list them with -C alone");
	return table->engine->ops->follow(table->engine, filter, visit, data, error);
}

int ipmasq_timeouts_set(struct ipmasq_table *table, const struct ipmasq_timeouts *timeouts,
			struct ipmasq_error *error)
{
	if (!table->engine->ops->timeouts)
		return ipmasq_fail(error, ENOTSUP, "this engine has no time-outs");
	return table->engine->ops->timeouts(table->engine, timeouts, error);
}

static bool changed(const struct entry *entry)
{
	if (entry->after == entry->before)
		return false;
	return !entry->after || !entry->before ||
	       !ipmasq_rule_same_body(entry->before, entry->after);
}

int ipmasq_table_changes(struct ipmasq_table *table, ipmasq_change_visit visit, void *data)
{
	struct entry **list = sorted(table);
	int rc = 0;

	if (!list)
		return -1;
	for (size_t i = 0; i < table->n_entries && !rc; i++)
		if (changed(list[i]))
			rc = visit(list[i]->before, list[i]->after, data);
	free(list);
	return rc;
}

int ipmasq_table_commit(struct ipmasq_table *table, unsigned int flags, struct ipmasq_error *error)
{
	struct ipmasq_change *changes;
	size_t n = 0;
	int rc = 0;

	changes = malloc((table->n_entries + 1) * sizeof(*changes));
	if (!changes)
		return ipmasq_fail(error, ENOMEM, "out of memory");
	for (size_t i = 0; i < table->n_chains; i++)
		for (struct entry *entry = table->chains[i]; entry; entry = entry->next)
			if (changed(entry))
				changes[n++] = (struct ipmasq_change){entry->before, entry->after};
	if (n) /* a change was read before it was made, so the generation is noted */
		rc = table->engine->ops->commit(table->engine, changes, n, flags, error);
	free(changes);
	return rc;
}

void ipmasq_engine_close(struct ipmasq_engine *engine)
{
	if (engine)
		engine->ops->close(engine);
}
