/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that are translated now, and how long they are kept: what the engine says.  The
 * kernel engine shows those of this network namespace, whatever rule, of this program or another,
 * translated them.
 */
#ifndef IPMASQ_CONNECTIONS_H
#define IPMASQ_CONNECTIONS_H

#include <ipmasq/address.h>

struct ipmasq_error;
struct ipmasq_table;

/*
 * One connection, seen from inside: `inside` is the host behind this machine, `outside` its
 * peer, and `alias` the address and port that the peer sees.  Ports are in host byte order, 0
 * for protocols without them.
 */
struct ipmasq_connection {
	uint8_t protocol;
	uint32_t expires; /* seconds until it is forgotten when nothing more comes */
	struct ipmasq_address inside, outside, alias;
	uint16_t inside_port, outside_port, alias_port;
};

/* Which connections; what is 0 matches all. */
struct ipmasq_connection_filter {
	struct ipmasq_net inside;
	uint16_t port; /* of any of the three */
};

/* Called for a connection; anything but 0 ends the walk and is returned by it. */
typedef int (*ipmasq_connection_visit)(const struct ipmasq_connection *connection, void *data);

/* Visits the connections of the table's engine, in its order.  -1 with an error. */
int ipmasq_connections_walk(struct ipmasq_table *table,
			    const struct ipmasq_connection_filter *filter,
			    ipmasq_connection_visit visit, void *data, struct ipmasq_error *error);

enum ipmasq_connection_event {
	IPMASQ_CONNECTION_NEW,
	IPMASQ_CONNECTION_END,
	IPMASQ_CONNECTION_LOST, /* events came faster than they were taken; no connection */
};

/* Called for an event; anything but 0 ends the following and is returned by it. */
typedef int (*ipmasq_event_visit)(enum ipmasq_connection_event event,
				  const struct ipmasq_connection *connection, void *data);

/*
 * ipmasq_connections_follow - visit connections as they begin and end, until a SIGINT or SIGTERM
 * comes, which is taken from the process for so long, or `visit` ends it.  0, or -1 with an error.
 */
int ipmasq_connections_follow(struct ipmasq_table *table,
			      const struct ipmasq_connection_filter *filter,
			      ipmasq_event_visit visit, void *data, struct ipmasq_error *error);

/* Seconds until an idle connection is forgotten; 0 keeps what is. */
struct ipmasq_timeouts {
	uint32_t tcp;    /* established */
	uint32_t tcpfin; /* after a FIN */
	uint32_t udp;
};

#define IPMASQ_TIMEOUT_MAX 2147483u /* what fits the kernel's clock */

/* Sets them for the packets to come, all or none. */
int ipmasq_timeouts_set(struct ipmasq_table *table, const struct ipmasq_timeouts *timeouts,
			struct ipmasq_error *error);

#endif
