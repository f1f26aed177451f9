/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the rule table asks of an engine; nothing of an engine reaches above this interface.
 *
 * An engine's rules have a generation that changes with every commit by anybody.  snapshot()
 * notes it, get() and load() read, commit() applies a list of changes only if the generation
 * is still the noted one.
 */
#ifndef IPMASQ_ENGINE_H
#define IPMASQ_ENGINE_H

#include <ipmasq/connections.h>
#include <ipmasq/rule.h>
#include <ipmasq/table.h>
#include <stddef.h>

struct ipmasq_engine;
struct ipmasq_error;

/* One rule's way from what it is to what it shall be; either may be NULL. */
struct ipmasq_change {
	const struct ipmasq_rule *before, *after;
};

/* Takes over a rule that load() or get() found; -1 with errno ends the reading. */
typedef int (*ipmasq_rule_take)(struct ipmasq_rule *rule, void *data);

struct ipmasq_engine_ops {
	const char *name; /* as after -e */
	/* Each returns 0, or -1 with an error; commit() with code EAGAIN on a conflict, get()
	 * and load() likewise when the rules changed since the snapshot.  Without `counters`,
	 * load() may leave the traffic counters 0. */
	int (*snapshot)(struct ipmasq_engine *engine, struct ipmasq_error *error);
	int (*get)(struct ipmasq_engine *engine, const struct ipmasq_rule *key,
		   struct ipmasq_rule **rule, struct ipmasq_error *error);
	int (*load)(struct ipmasq_engine *engine, bool counters, ipmasq_rule_take take, void *data,
		    struct ipmasq_error *error);
	int (*commit)(struct ipmasq_engine *engine, const struct ipmasq_change *changes,
		      size_t n_changes, unsigned int flags, struct ipmasq_error *error);
	/* As ipmasq_table_openings(); NULL: nothing is ever open. */
	int (*openings)(struct ipmasq_engine *engine, const struct ipmasq_rule *rule,
			ipmasq_opening_visit visit, void *data, struct ipmasq_error *error);
	/* As ipmasq_connections_walk(), ipmasq_connections_follow() and ipmasq_timeouts_set(). */
	int (*connections)(struct ipmasq_engine *engine,
			   const struct ipmasq_connection_filter *filter,
			   ipmasq_connection_visit visit, void *data, struct ipmasq_error *error);
	int (*follow)(struct ipmasq_engine *engine, const struct ipmasq_connection_filter *filter,
		      ipmasq_event_visit visit, void *data, struct ipmasq_error *error);
	int (*timeouts)(struct ipmasq_engine *engine, const struct ipmasq_timeouts *timeouts,
			struct ipmasq_error *error);
	/* The table that made the snapshot is closed; may be NULL. */
	void (*release)(struct ipmasq_engine *engine);
	void (*close)(struct ipmasq_engine *engine);
};

/* The first member of every engine. */
struct ipmasq_engine {
	const struct ipmasq_engine_ops *ops;
};

#endif
