/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of the pools of redirects, for the plugins whose command lines name them one by one. */
#ifndef PLUGINS_POOL_H
#define PLUGINS_POOL_H

#include <ipmasq/plugin.h>

/* A copy of `owner`'s redirect for `match` to be changed, or a new one; NULL with an error. */
struct ipmasq_rule *pool_open(struct ipmasq_context *context, const char *owner,
			      const struct ipmasq_match *match);

/* Adds an entry to the pool of `match`, or sets its preference when it is there. */
int pool_add(struct ipmasq_context *context, const char *owner, const struct ipmasq_match *match,
	     const struct ipmasq_target *target, bool at_head);

/* Whether `target` is meant by `wanted`, in which no address and 0 mean any. */
bool pool_target_matches(const struct ipmasq_target *target, const struct ipmasq_target *wanted);

/* Takes what `wanted` matches out of `rule`, a rule of the table; how many, or -1. */
int pool_delete(struct ipmasq_context *context, const struct ipmasq_rule *rule,
		const struct ipmasq_target *wanted);

/* Copies of the rules of `owner` that `matches` says yes to, for changing them. */
struct pool_rules {
	struct ipmasq_rule **list;
	size_t n;
};

int pool_gather(struct ipmasq_context *context, const char *owner, struct pool_rules *rules,
		bool (*matches)(const struct ipmasq_rule *rule, const void *data),
		const void *data);
void pool_rules_free(struct pool_rules *rules);

#endif
