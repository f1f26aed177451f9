/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that are kept as nf_tables rules with their text as comment: everything but the
 * redirects of one port or one mark, which are kept in maps.
 */
#ifndef IPMASQ_KERNEL_RULED_H
#define IPMASQ_KERNEL_RULED_H

#include "../engine.h"
#include "place.h"

/* Whether `rule` is kept so. */
bool ruled_is(const struct ipmasq_rule *rule);

/* 0 when nf_tables can do this rule, or -1 with an error that says who can. */
int ruled_supported(const struct ipmasq_rule *rule, struct ipmasq_error *error);

/* Adds the places that `rule` needs; 0, or -1 with errno. */
int ruled_places(const struct ipmasq_rule *rule, struct places *places);

/* Hands the rules of a place to `take`, if they are kept there first.  0, or -1 with errno. */
int ruled_load(struct netlink *netlink, const struct place_of *place, ipmasq_rule_take take,
	       void *data);

/* The rule with the key of `key`; *rule is NULL when there is none.  0, or -1 with errno. */
int ruled_get(struct netlink *netlink, const struct ipmasq_rule *key, struct ipmasq_rule **rule);

/* Adds to the transaction what makes these rules those after the changes. */
int ruled_write(struct transaction *transaction, const struct ipmasq_change *changes, size_t n);

#endif
