// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the entry-by-entry grammars (portfw, mfw) have in common.  An entry of a command line is
 * a target of a redirect; a redirect without targets does not exist.  A rule that the table
 * showed is copied before it is changed.
 */
#include "pool.h"

#include <errno.h>
#include <stdlib.h>

static int out_of_memory(struct ipmasq_context *context)
{
	return ipmasq_fail(&context->error, ENOMEM, "out of memory");
}

struct ipmasq_rule *pool_open(struct ipmasq_context *context, const char *owner,
			      const struct ipmasq_match *match)
{
	const struct ipmasq_rule *found;
	struct ipmasq_rule *key = ipmasq_redirect_new(owner, match), *copy;

	if (key && ipmasq_table_find(context->table, key, &found, &context->error) < 0) {
		ipmasq_rule_free(key);
		return NULL;
	}
	if (key && !found)
		return key;
	ipmasq_rule_free(key);
	copy = key ? ipmasq_rule_copy(found) : NULL;
	if (!copy)
		out_of_memory(context);
	return copy;
}

int pool_add(struct ipmasq_context *context, const char *owner, const struct ipmasq_match *match,
	     const struct ipmasq_target *target, bool at_head)
{
	struct ipmasq_rule *rule = pool_open(context, owner, match);

	if (!rule)
		return -1;
	if (ipmasq_redirect_put_target(&rule->redirect, target, at_head, &context->error) < 0) {
		ipmasq_rule_free(rule);
		return -1;
	}
	return ipmasq_table_put(context->table, rule, &context->error);
}

bool pool_target_matches(const struct ipmasq_target *target, const struct ipmasq_target *wanted)
{
	if (wanted->address.family && !ipmasq_address_is_any(&wanted->address) &&
	    !ipmasq_address_equal(&wanted->address, &target->address))
		return false;
	return !wanted->port || wanted->port == target->port;
}

int pool_delete(struct ipmasq_context *context, const struct ipmasq_rule *rule,
		const struct ipmasq_target *wanted)
{
	struct ipmasq_rule *copy = ipmasq_rule_copy(rule);
	int n = 0;

	if (!copy)
		return out_of_memory(context);
	for (uint32_t i = copy->redirect.n_targets; i-- > 0;) {
		if (pool_target_matches(&copy->redirect.targets[i], wanted)) {
			ipmasq_redirect_take_target(&copy->redirect, i);
			n++;
		}
	}
	if (n && copy->redirect.n_targets) {
		if (ipmasq_table_put(context->table, copy, &context->error) < 0)
			return -1;
		return n;
	}
	if (n && ipmasq_table_remove(context->table, copy, &context->error) < 0)
		n = -1;
	ipmasq_rule_free(copy);
	return n;
}

struct gathering {
	struct pool_rules *rules;
	bool (*matches)(const struct ipmasq_rule *rule, const void *data);
	const void *data;
};

static int gather(const struct ipmasq_rule *rule, void *data)
{
	struct gathering *gathering = data;
	struct pool_rules *rules = gathering->rules;
	struct ipmasq_rule **list;

	if (!gathering->matches(rule, gathering->data))
		return 0;
	list = reallocarray(rules->list, rules->n + 1, sizeof(*list));
	if (!list)
		return -1;
	rules->list = list;
	list[rules->n] = ipmasq_rule_copy(rule);
	return list[rules->n++] ? 0 : -1;
}

int pool_gather(struct ipmasq_context *context, const char *owner, struct pool_rules *rules,
		bool (*matches)(const struct ipmasq_rule *rule, const void *data), const void *data)
{
	struct gathering gathering = {rules, matches, data};
	int rc;

	*rules = (struct pool_rules){0};
	context->error.text[0] = '\0';
	rc = ipmasq_table_walk(context->table, owner, gather, &gathering, &context->error);
	if (rc < 0 && !context->error.text[0])
		out_of_memory(context);
	if (rc < 0)
		pool_rules_free(rules);
	return rc < 0 ? -1 : 0;
}

void pool_rules_free(struct pool_rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		ipmasq_rule_free(rules->list[i]);
	free(rules->list);
	*rules = (struct pool_rules){0};
}
