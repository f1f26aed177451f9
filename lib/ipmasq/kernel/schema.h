/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What our table looks like: names of its sets and chains, and how they are made.
 *
 *   chain prerouting, output    nat hooks, `jump redirects`; prerouting `jump proxies` behind it
 *   chain redirects             jumps to the owners' places (place.h), in the order of precedence
 *   chain redirect_OWNER        look-ups in the owner's maps
 *     map OWNER4                address . proto . port : address . port      a plain forward
 *     map OWNER4_pool           address . proto . port : goto its chain      a pool
 *     map OWNER4_any, OWNER4_any_pool       the same for any address of this machine
 *   chain pool_OWNER_...        dnat to numgen inc mod SUM map { ... }
 *   chain forward, input, output_traffic  filter hooks, count what the forwards carry
 *     set OWNER4_traffic, OWNER4_any_traffic  match . inside address . inside port
 *   set hairpin4                connections that go back where they came from, masqueraded
 *   chain postrouting           nat hook, the hairpin's masquerading, then `jump sources`
 *   chain proxies, sources      jumps to the owners' places, in the order of precedence
 *   chain holes, set holes, set calls     of ipmasqd: what its helpers await (holes.c)
 *
 * and the same with 6 for IPv6.  The traffic sets' counters count packets and bytes, both ways;
 * those of the pools' elements count connections (a nat chain sees only the first packet of each).
 */
#ifndef IPMASQ_KERNEL_SCHEMA_H
#define IPMASQ_KERNEL_SCHEMA_H

#include "expression.h"
#include "object.h"

#include <ipmasq/rule.h>

#define SCHEMA_TABLE    "ipmasq"
#define SCHEMA_COMMENT  "ipmasqadm 1" /* marks the table as ours, with the layout's version */
#define SCHEMA_NAME_MAX 128

/* The sets of an owner and family. */
enum set_role { SET_PLAIN, SET_POOL, SET_TRAFFIC, SET_ROLES };

/* The name of an owner's set for forwards of one address (`any` false) or of any. */
const char *schema_set_name(char name[static SCHEMA_NAME_MAX], const char *owner,
			    const struct family *family, enum set_role role, bool any);

/* The name of the chain of a pool. */
const char *schema_pool_name(char name[static SCHEMA_NAME_MAX], const char *owner,
			     const struct ipmasq_match *match);

/* The name of the chain with the owner's look-ups. */
const char *schema_owner_chain(char name[static SCHEMA_NAME_MAX], const char *owner);

/* Is our table there?  1, 0, or -1 with an error: a foreign table of our name, no right, ... */
int schema_present(struct netlink *netlink, struct ipmasq_error *error);

/* Adds the table and what all owners share. */
int schema_add_table(struct transaction *transaction);

/* Adds the sets, look-ups and traffic chains for `owner`'s redirects of one port. */
int schema_add_owner(struct transaction *transaction, const char *owner);

#endif
