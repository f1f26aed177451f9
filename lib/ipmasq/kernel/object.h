/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables, chains and sets of nf_tables, as messages of a transaction about their table.
 * All calls return 0, or -1 with errno.
 */
#ifndef IPMASQ_KERNEL_OBJECT_H
#define IPMASQ_KERNEL_OBJECT_H

#include "netlink.h"

struct nftnl_set;

#define TABLE_COMMENT_MAX 256

/* Is there such a table?  1 and its comment, 0, or -1 with errno. */
int table_comment(struct netlink *netlink, const char *table, char text[static TABLE_COMMENT_MAX]);

/* Adds the table, which must not be there, with this comment. */
int table_add(struct transaction *transaction, const char *text);

/* Removes the table with all that is in it, if it is there. */
int table_delete(struct transaction *transaction);

/* A set to be filled in and added by set_add(), or NULL with errno. */
struct nftnl_set *set_new(struct transaction *transaction, const char *name, uint32_t flags);
/* The same of a map from marks to verdicts. */
struct nftnl_set *set_new_by_mark(struct transaction *transaction, const char *name);
int set_count_elements(struct nftnl_set *set); /* a counter for each */
int set_add(struct transaction *transaction, struct nftnl_set *set);

int set_delete(struct transaction *transaction, const char *name);

/* Adds a chain; `type` NULL: no base chain. */
int chain_add(struct transaction *transaction, const char *name, const char *type, uint32_t hook,
	      int priority);

/* Removes a chain and the rules in it. */
int chain_delete(struct transaction *transaction, const char *name);
int chain_flush(struct transaction *transaction, const char *name);

#endif
