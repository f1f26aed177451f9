// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When a change has to look at conntrack at all.
 *
 * Walking conntrack costs milliseconds whatever is in it (its hash has as many buckets as the
 * machine's memory allows), so a change of TCP forwards does not, and neither does one while
 * this network namespace has no connection.  The walk and libnetfilter_conntrack are in
 * parts/conntrack.so.
 */
#include "flows.h"
#include <ipmasq/part.h>
#include "redirect.h"

#include <ipmasq/error.h>
#include <ipmasq/table.h>
#include <stdio.h>

#define COUNT_FILE "/proc/sys/net/netfilter/nf_conntrack_count"

static bool covered(const char *owner, const struct ipmasq_match *match, void *data)
{
	struct ipmasq_rule *rule = NULL;
	bool there = redirect_get(data, owner, match, &rule) == 0 && rule;

	ipmasq_rule_free(rule);
	return there;
}

/* Whether conntrack is known to have no entry; a namespace may hide the count. */
static bool nothing_tracked(void)
{
	unsigned int count = 1;
	FILE *file = fopen(COUNT_FILE, "re");

	if (file) {
		if (fscanf(file, "%u", &count) != 1)
			count = 1;
		fclose(file);
	}
	return count == 0;
}

int flows_end(struct netlink *netlink, const struct ipmasq_change *changes, size_t n_changes,
	      unsigned int flags, struct ipmasq_error *error)
{
	const struct ipmasq_flows_part *part;
	bool concerned = flags & IPMASQ_COMMIT_KILL;

	for (size_t i = 0; i < n_changes && !concerned; i++) {
		const struct ipmasq_rule *rule =
			changes[i].after ? changes[i].after : changes[i].before;

		concerned = rule->kind == IPMASQ_REDIRECT &&
			    !flows_end_themselves(rule->redirect.match.protocol);
	}
	if (!concerned || nothing_tracked())
		return 0;
	part = ipmasq_part("conntrack", "ipmasq_flows_part", error);
	return part ? part->end(changes, n_changes, flags, covered, netlink, error) : -1;
}
