/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Redirects as objects of our table: writing changes and reading rules back. */
#ifndef IPMASQ_KERNEL_REDIRECT_H
#define IPMASQ_KERNEL_REDIRECT_H

#include "../engine.h"
#include "element.h"

#include <inttypes.h>

/* 0 when nf_tables can do this redirect, or -1 with an error that says who can. */
int redirect_supported(const struct ipmasq_redirect *redirect, struct ipmasq_error *error);

/* Adds to the transaction what makes the table's redirects those after the changes. */
int redirect_write(struct transaction *transaction, const struct ipmasq_change *changes, size_t n);

/*
 * The redirect of `owner` that matches as `match`, from the kernel; *rule is NULL when there is
 * none.  Traffic counters are not read.  0, or -1 with errno.
 */
int redirect_get(struct netlink *netlink, const char *owner, const struct ipmasq_match *match,
		 struct ipmasq_rule **rule);

/* Hands every redirect of `owner`, with traffic or without, to `take`.  0, or -1 with errno. */
int redirect_load(struct netlink *netlink, const char *owner, bool traffic, ipmasq_rule_take take,
		  void *data);

/* Every redirect of `owner` by mark. */
int redirect_load_marks(struct netlink *netlink, const char *owner, ipmasq_rule_take take,
			void *data);

/* The key of a redirect's element: [address .] protocol . port, or the mark. */
void redirect_key(struct element *element, const struct ipmasq_match *match);

/* Comments: a plain element's preference when it is not the default; where a schedule began. */
#define PLAIN_COMMENT "pref %u"
#define POOL_COMMENT  "from %" PRIu64

#endif
