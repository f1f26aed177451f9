/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine that holds its rules in memory and is as strict as the kernel: a stale generation
 * is refused with EAGAIN, a change of a rule that is not there, or a new rule that is, is a
 * fault of the caller and ends the test.  It counts what it is asked.
 */
#ifndef TESTS_MEMORY_ENGINE_H
#define TESTS_MEMORY_ENGINE_H

#include "engine.h"

#include <stdint.h>

struct memory_engine {
	struct ipmasq_engine engine;
	struct ipmasq_rule **rules; /* in the order in which they came */
	size_t n_rules;
	uint32_t generation, noted;
	uint64_t age; /* of the newest rule */
	unsigned int n_snapshots, n_gets, n_loads, n_commits;
	size_t n_changes;          /* of the last commit */
	unsigned int commit_flags; /* of the last commit */
	unsigned int n_conflicts;  /* a foreign change comes in before so many next commits */
};

void memory_engine_open(struct memory_engine *memory);
void memory_engine_close(struct memory_engine *memory);

/* Adds a copy of `rule` as another writer would: the generation moves on. */
void memory_engine_add(struct memory_engine *memory, const struct ipmasq_rule *rule);

/* The engine's own rule with this key, or NULL. */
struct ipmasq_rule *memory_engine_find(const struct memory_engine *memory,
				       const struct ipmasq_rule *key);

/* The same rules with the same bodies, in whatever order. */
bool memory_engine_equal(const struct memory_engine *a, const struct memory_engine *b);

#endif
