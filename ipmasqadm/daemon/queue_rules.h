/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nft rules that hand packets to our queues: table inet ipmasqd.
 *
 * All calls return 0, or -1 with an error, and change the table whole or not at all.
 */
#ifndef IPMASQD_QUEUE_RULES_H
#define IPMASQD_QUEUE_RULES_H

#include "kernel/netlink.h"

#include <ipmasq/error.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define QUEUE_RULES_TABLE "ipmasqd"

/* What the rules are made from; the caller fills in what is before `bound`. */
struct queue_rules {
	char interface[IFNAMSIZ]; /* the outside one */
	uint16_t outside; /* first queue of packets from and to the outside, a worker each */
	uint16_t inside;  /* ... of those from and to the inside */
	unsigned int workers;
	uint32_t seed; /* user_hash_seed() */
	bool bypass;   /* packets pass when nobody listens at their queue */

	int bound; /* /proc/net/netfilter/nfnetlink_queue: which queues are bound */
	struct netlink netlink;
	bool target;         /* the kernel has no `queue` expression, only iptables' target */
	unsigned int hooks;  /* whose rules are there: user_hooks() */
	uint32_t generation; /* of the ruleset, when the table was there */
	bool installed;      /* the table is ours */
	unsigned int held;   /* seconds, by queue_rules_hold() */
};

/*
 * Opens the socket, with privilege; makes nothing yet.  -1 also when there is a table whose queues
 * somebody listens at: an ipmasqd that lives.
 */
int queue_rules_open(struct queue_rules *rules, struct ipmasq_error *error);

/* Makes the table with rules for these hooks, in the place of one that a killed daemon left. */
int queue_rules_install(struct queue_rules *rules, unsigned int hooks, struct ipmasq_error *error);

/*
 * Has the table as it should be: its rules those for these hooks, and the table there at all, which
 * a `flush ruleset` of the operator's takes away.  Nothing that waits in a queue is lost by a
 * change.
 */
int queue_rules_tend(struct queue_rules *rules, unsigned int hooks, struct ipmasq_error *error);

/* From now on drops what would be queued, for so long at most; the table stays for the next. */
int queue_rules_hold(struct queue_rules *rules, unsigned int seconds, struct ipmasq_error *error);

/* Removes the table, if it was made.  The kernel drops what waits in a queue: let it run empty
 * before. */
int queue_rules_remove(struct queue_rules *rules, struct ipmasq_error *error);

/* Packets that the kernel dropped since our queues were bound, for want of room. */
uint64_t queue_rules_lost(const struct queue_rules *rules);

void queue_rules_close(struct queue_rules *rules);

#endif
