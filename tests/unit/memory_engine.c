// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine of the tests; see memory_engine.h. */
#include "memory_engine.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "memory engine: %s\n", what);
	abort();
}

static struct memory_engine *memory_of(struct ipmasq_engine *engine)
{
	return (struct memory_engine *)engine;
}

static size_t position_of(const struct memory_engine *memory, const struct ipmasq_rule *key)
{
	size_t i = 0;

	while (i < memory->n_rules && !ipmasq_rule_same_key(memory->rules[i], key))
		i++;
	return i;
}

static struct ipmasq_rule *copy_of(const struct ipmasq_rule *rule)
{
	struct ipmasq_rule *copy = ipmasq_rule_copy(rule);

	require(copy, "out of memory");
	return copy;
}

static void append(struct memory_engine *memory, const struct ipmasq_rule *rule)
{
	struct ipmasq_rule *copy;

	require(position_of(memory, rule) == memory->n_rules, "the new rule is there already");
	memory->rules = reallocarray(memory->rules, memory->n_rules + 1, sizeof(*memory->rules));
	require(memory->rules, "out of memory");
	memory->rules[memory->n_rules++] = copy = copy_of(rule);
	if (copy->age) /* where it counts the newest goes first */
		copy->age = ++memory->age;
	if (copy->kind == IPMASQ_REDIRECT)
		copy->redirect.restart = false; /* done with the change */
}

static void take_out(struct memory_engine *memory, const struct ipmasq_rule *rule)
{
	size_t i = position_of(memory, rule);

	require(i < memory->n_rules, "the rule to be changed is not there");
	ipmasq_rule_free(memory->rules[i]);
	memory->n_rules--;
	memmove(memory->rules + i, memory->rules + i + 1,
		(memory->n_rules - i) * sizeof(struct ipmasq_rule *));
}

void memory_engine_add(struct memory_engine *memory, const struct ipmasq_rule *rule)
{
	append(memory, rule);
	memory->generation++;
}

struct ipmasq_rule *memory_engine_find(const struct memory_engine *memory,
				       const struct ipmasq_rule *key)
{
	size_t i = position_of(memory, key);

	return i < memory->n_rules ? memory->rules[i] : NULL;
}

bool memory_engine_equal(const struct memory_engine *a, const struct memory_engine *b)
{
	if (a->n_rules != b->n_rules)
		return false;
	for (size_t i = 0; i < a->n_rules; i++) {
		const struct ipmasq_rule *other = memory_engine_find(b, a->rules[i]);

		if (!other || !ipmasq_rule_same_body(a->rules[i], other))
			return false;
	}
	return true;
}

static int memory_snapshot(struct ipmasq_engine *engine, struct ipmasq_error *error)
{
	struct memory_engine *memory = memory_of(engine);

	(void)error;
	memory->n_snapshots++;
	memory->noted = memory->generation;
	return 0;
}

static int check_generation(const struct memory_engine *memory, struct ipmasq_error *error)
{
	require(memory->n_snapshots, "asked without a snapshot");
	if (memory->noted != memory->generation)
		return ipmasq_fail(error, EAGAIN, "the rules changed meanwhile");
	return 0;
}

static int memory_get(struct ipmasq_engine *engine, const struct ipmasq_rule *key,
		      struct ipmasq_rule **rule, struct ipmasq_error *error)
{
	struct memory_engine *memory = memory_of(engine);
	const struct ipmasq_rule *found = memory_engine_find(memory, key);

	memory->n_gets++;
	*rule = NULL;
	if (check_generation(memory, error) < 0)
		return -1;
	if (found)
		*rule = copy_of(found);
	return 0;
}

static uint32_t n_targets(const struct ipmasq_rule *rule)
{
	return rule->kind == IPMASQ_REDIRECT ? rule->redirect.n_targets : 0;
}

/* Like the kernel engine, it gives traffic counters only to those who ask for them. */
static int memory_load(struct ipmasq_engine *engine, bool counters, ipmasq_rule_take take,
		       void *data, struct ipmasq_error *error)
{
	struct memory_engine *memory = memory_of(engine);

	memory->n_loads++;
	if (check_generation(memory, error) < 0)
		return -1;
	for (size_t i = 0; i < memory->n_rules; i++) {
		struct ipmasq_rule *copy = copy_of(memory->rules[i]);

		for (uint32_t k = 0; k < n_targets(copy) && !counters; k++)
			copy->redirect.targets[k].counters = (struct ipmasq_counters){0};
		if (take(copy, data) < 0)
			return ipmasq_fail(error, errno, "out of memory");
	}
	return 0;
}

static int memory_commit(struct ipmasq_engine *engine, const struct ipmasq_change *changes,
			 size_t n_changes, unsigned int flags, struct ipmasq_error *error)
{
	struct memory_engine *memory = memory_of(engine);

	memory->n_commits++;
	memory->n_changes = n_changes;
	memory->commit_flags = flags;
	if (memory->n_conflicts) {
		memory->n_conflicts--;
		memory->generation++;
	}
	if (check_generation(memory, error) < 0)
		return -1;
	for (size_t i = 0; i < n_changes; i++)
		if (changes[i].before)
			take_out(memory, changes[i].before);
	for (size_t i = 0; i < n_changes; i++)
		if (changes[i].after)
			append(memory, changes[i].after);
	memory->generation++;
	return 0;
}

static void memory_close(struct ipmasq_engine *engine)
{
	memory_engine_close(memory_of(engine));
}

static const struct ipmasq_engine_ops memory_ops = {
	.snapshot = memory_snapshot,
	.get = memory_get,
	.load = memory_load,
	.commit = memory_commit,
	.close = memory_close,
};

void memory_engine_open(struct memory_engine *memory)
{
	*memory = (struct memory_engine){.engine.ops = &memory_ops, .generation = 1};
}

void memory_engine_close(struct memory_engine *memory)
{
	for (size_t i = 0; i < memory->n_rules; i++)
		ipmasq_rule_free(memory->rules[i]);
	free(memory->rules);
	memory->rules = NULL;
	memory->n_rules = 0;
}
