/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Live connections: of the engine's operations, and of parts/conntrack.so. */
#ifndef IPMASQ_KERNEL_CONNECTIONS_H
#define IPMASQ_KERNEL_CONNECTIONS_H

#include <ipmasq/connections.h>

struct ipmasq_engine;

/* As ipmasq_connections_walk(). */
int kernel_connections(struct ipmasq_engine *engine, const struct ipmasq_connection_filter *filter,
		       ipmasq_connection_visit visit, void *data, struct ipmasq_error *error);

/* As ipmasq_connections_follow(). */
int kernel_follow(struct ipmasq_engine *engine, const struct ipmasq_connection_filter *filter,
		  ipmasq_event_visit visit, void *data, struct ipmasq_error *error);

/* What the part exports as `ipmasq_connections_part`. */
struct ipmasq_connections_part {
	/* As ipmasq_connections_walk(). */
	int (*walk)(const struct ipmasq_connection_filter *filter, ipmasq_connection_visit visit,
		    void *data, struct ipmasq_error *error);
	/* As ipmasq_connections_follow(). */
	int (*follow)(const struct ipmasq_connection_filter *filter, ipmasq_event_visit visit,
		      void *data, struct ipmasq_error *error);
};

extern const struct ipmasq_connections_part ipmasq_connections_part;

/* Of the part: an entry of conntrack as a connection; false: it is not translated. */
struct nf_conntrack;
bool connections_read(const struct nf_conntrack *entry, struct ipmasq_connection *connection);
bool connections_wanted(const struct ipmasq_connection_filter *filter,
			const struct ipmasq_connection *connection);
int connections_follow(const struct ipmasq_connection_filter *filter, ipmasq_event_visit visit,
		       void *data, struct ipmasq_error *error);

#endif
