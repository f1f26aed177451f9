/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What parts/conntrack.so exports as `ipmasq_flows_part`: ending the connections of conntrack
 * that a change of redirects has left behind.
 */
#ifndef IPMASQ_KERNEL_FLOWS_H
#define IPMASQ_KERNEL_FLOWS_H

#include "../engine.h"

struct ipmasq_flows_part {
	/*
	 * Ends the UDP flows (with IPMASQ_COMMIT_KILL also TCP and SCTP connections) that a
	 * removed target carried, and UDP flows from before a redirect that would go on to
	 * bypass it.  `covered` says whether another rule, more specific than the one that is
	 * asked for, is there.  0, or -1 with an error.
	 */
	int (*end)(const struct ipmasq_change *changes, size_t n_changes, unsigned int flags,
		   bool (*covered)(const char *owner, const struct ipmasq_match *match,
				   void *data),
		   void *data, struct ipmasq_error *error);
};

extern const struct ipmasq_flows_part ipmasq_flows_part;

#endif
