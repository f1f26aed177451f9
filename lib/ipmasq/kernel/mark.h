/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools by fwmark: their sets, chains and schedule. */
#ifndef IPMASQ_KERNEL_MARK_H
#define IPMASQ_KERNEL_MARK_H

#include "element.h"
#include "schema.h"

/* The map of the pools (`hosts` false), or the set of the hosts behind them. */
const char *mark_set_name(char name[static SCHEMA_NAME_MAX], const char *owner,
			  const struct family *family, bool hosts);

/* The name of the chain of one host of the pool in `pool_chain`. */
const char *mark_host_chain(char name[static SCHEMA_NAME_MAX], const char *pool_chain,
			    const struct ipmasq_target *target);

/* Adds the sets and look-ups of `owner`. */
int mark_add_place(struct transaction *transaction, const char *owner);

/* Adds, or deletes, the chain of one host. */
int mark_add_host(struct transaction *transaction, const char *pool_chain,
		  const struct ipmasq_target *target);
int mark_delete_host(struct transaction *transaction, const char *pool_chain,
		     const struct ipmasq_target *target);

/* What the element of a host says of it, and back; false when it is no such comment. */
void mark_comment(char comment[static ELEMENT_COMMENT_MAX], const struct ipmasq_target *target);
bool mark_read_comment(struct ipmasq_target *target, const char *comment);

/*
 * The schedule: how many connections in a row the host at `position` takes, and the modulus of
 * the whole circle.
 */
uint32_t schedule_turn(const struct ipmasq_redirect *pool, uint32_t position);
uint32_t schedule_round(const struct ipmasq_redirect *pool);

#endif
