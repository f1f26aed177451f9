// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The near side of live connections: opens the part that reads conntrack.
 */
#include "kernel/connections.h"
#include "part.h"

int ipmasq_connections_walk(const struct ipmasq_connection_filter *filter,
			    ipmasq_connection_visit visit, void *data, struct ipmasq_error *error)
{
	const struct ipmasq_connections_part *part =
		ipmasq_part("conntrack", "ipmasq_connections_part", error);

	return part ? part->walk(filter, visit, data, error) : -1;
}
