/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule table: a view on an engine's rules in which a transaction is made.
 *
 * A table is opened on an engine, read and changed in memory, then committed: the difference
 * between what was read and what is wanted goes to the engine in one transaction, or nothing
 * does.  A rule is fetched when it is first asked for, so that a change of one rule costs the
 * same whatever the number of rules.  When another writer came between, commit fails with
 * errno EAGAIN; the caller makes the table anew and repeats its changes.
 */
#ifndef IPMASQ_TABLE_H
#define IPMASQ_TABLE_H

#include <ipmasq/rule.h>

struct ipmasq_engine;
struct ipmasq_error;
struct ipmasq_table;

/* How a commit treats connections that a removed or changed redirect carried. */
#define IPMASQ_COMMIT_KILL 1u /* end its TCP and SCTP connections too, not only its UDP flows */

/* A table on `engine` (borrowed), or NULL with an error; the engine is not asked yet. */
struct ipmasq_table *ipmasq_table_open(struct ipmasq_engine *engine, struct ipmasq_error *error);

void ipmasq_table_close(struct ipmasq_table *table);

/*
 * ipmasq_table_find - the rule with the kind, owner and match of `key`.
 *
 * On success 0 and *rule is the rule, or NULL when there is none; it belongs to the table and
 * may be looked at until the next change.  -1 with an error when the engine cannot be read.
 */
int ipmasq_table_find(struct ipmasq_table *table, const struct ipmasq_rule *key,
		      const struct ipmasq_rule **rule, struct ipmasq_error *error);

/* Puts `rule` (taken over, also on failure) in the place of the one with its key, if any. */
int ipmasq_table_put(struct ipmasq_table *table, struct ipmasq_rule *rule,
		     struct ipmasq_error *error);

/* Removes the rule with the key of `key`; no such rule is not an error. */
int ipmasq_table_remove(struct ipmasq_table *table, const struct ipmasq_rule *key,
			struct ipmasq_error *error);

/* Removes every rule of `owner` (NULL: of every owner). */
int ipmasq_table_clear(struct ipmasq_table *table, const char *owner, struct ipmasq_error *error);

/* Called for a rule; anything but 0 ends the walk and is returned by it. */
typedef int (*ipmasq_rule_visit)(const struct ipmasq_rule *rule, void *data);

/*
 * ipmasq_table_walk - visit the rules of `owner` (NULL: all) in the order of
 * ipmasq_rule_compare().  The callback must not change the table.
 */
int ipmasq_table_walk(struct ipmasq_table *table, const char *owner, ipmasq_rule_visit visit,
		      void *data, struct ipmasq_error *error);

/* Has the walk that comes read traffic counters, too, which costs another look at the engine. */
void ipmasq_table_want_counters(struct ipmasq_table *table);

/* A port range that a trigger has opened to an inside host. */
struct ipmasq_opening {
	struct ipmasq_address inside;
	struct ipmasq_address remote; /* who may use it; family AF_UNSPEC: everybody */
	uint32_t expires;             /* seconds until it closes; 0: when the rule goes */
};

/* Called for an opening; anything but 0 ends the walk and is returned by it. */
typedef int (*ipmasq_opening_visit)(const struct ipmasq_opening *opening, void *data);

/* Visits what the trigger `rule` of the table has open now. */
int ipmasq_table_openings(struct ipmasq_table *table, const struct ipmasq_rule *rule,
			  ipmasq_opening_visit visit, void *data, struct ipmasq_error *error);

/* Called for a rule that a commit would change: `before` or `after` may be NULL. */
typedef int (*ipmasq_change_visit)(const struct ipmasq_rule *before,
				   const struct ipmasq_rule *after, void *data);

/* Visits the pending changes, in the order of ipmasq_rule_compare(). */
int ipmasq_table_changes(struct ipmasq_table *table, ipmasq_change_visit visit, void *data);

/*
 * ipmasq_table_commit - make the engine's rules those of the table, all or nothing.
 *
 * `flags` is 0 or IPMASQ_COMMIT_KILL.  Returns 0, or -1 with an error; error->code EAGAIN: the
 * engine's rules changed since the table was opened, nothing was done, begin again.
 */
int ipmasq_table_commit(struct ipmasq_table *table, unsigned int flags, struct ipmasq_error *error);

/* The kernel engine (nf_tables), or NULL with an error; the kernel is first asked by a table. */
struct ipmasq_engine *ipmasq_engine_kernel(struct ipmasq_error *error);

void ipmasq_engine_close(struct ipmasq_engine *engine);

#endif
