/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ending the connections of conntrack that a change of redirects has left behind: flows_end()
 * for the engine, and behind it what parts/conntrack.so exports as `ipmasq_flows_part`.
 */
#ifndef IPMASQ_KERNEL_FLOWS_H
#define IPMASQ_KERNEL_FLOWS_H

#include "../engine.h"

struct netlink;

/* Whether connections of this protocol have an end of their own; a flow just goes on. */
static inline bool flows_end_themselves(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP;
}

/*
 * Ends the flows of UDP and portless protocols (with IPMASQ_COMMIT_KILL also TCP
 * and SCTP connections) that a removed target carried, and UDP flows from before a redirect that
 * would go on to bypass it. 0, or -1 with an error.
 */
int flows_end(struct netlink *netlink, const struct ipmasq_change *changes, size_t n_changes,
	      unsigned int flags, struct ipmasq_error *error);

struct ipmasq_flows_part {
	/*
	 * As flows_end().  `covered` says whether `owner` has a redirect for exactly this match,
	 * which then goes before one of any address.
	 */
	int (*end)(const struct ipmasq_change *changes, size_t n_changes, unsigned int flags,
		   bool (*covered)(const char *owner, const struct ipmasq_match *match, void *data),
		   void *data, struct ipmasq_error *error);
};

extern const struct ipmasq_flows_part ipmasq_flows_part;

#endif
