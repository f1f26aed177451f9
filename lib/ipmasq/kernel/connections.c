// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The near side of live connections: opens the part that reads conntrack.
 */
#include "connections.h"

#include <ipmasq/part.h>

int kernel_connections(struct ipmasq_engine *engine, const struct ipmasq_connection_filter *filter,
		       ipmasq_connection_visit visit, void *data, struct ipmasq_error *error)
{
	const struct ipmasq_connections_part *part =
		ipmasq_part("conntrack", "ipmasq_connections_part", error);

	(void)engine;
	return part ? part->walk(filter, visit, data, error) : -1;
}

int kernel_follow(struct ipmasq_engine *engine, const struct ipmasq_connection_filter *filter,
		  ipmasq_event_visit visit, void *data, struct ipmasq_error *error)
{
	const struct ipmasq_connections_part *part =
		ipmasq_part("conntrack", "ipmasq_connections_part", error);

	(void)engine;
	return part ? part->follow(filter, visit, data, error) : -1;
}
