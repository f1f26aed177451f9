// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parts/conntrack.so: the translated connections of conntrack.
 *
 * Conntrack keeps a connection as two tuples, the packets of its opener and the answers.  Where
 * the source was translated the opener is inside, and the answers go to the alias; where the
 * destination was, the answers come from inside, and the opener asked for the alias.
 */
#include "connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ipmasq/error.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <string.h>

struct walk {
	const struct ipmasq_connection_filter *filter;
	ipmasq_connection_visit visit;
	void *data;
	int rc;
};

/* Where an end of a tuple is: IPv4, IPv6, port. */
struct end {
	enum nf_conntrack_attr v4, v6, port;
};

static const struct end opener = {ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, ATTR_ORIG_PORT_SRC};
static const struct end asked = {ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST, ATTR_ORIG_PORT_DST};
static const struct end answerer = {ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC, ATTR_REPL_PORT_SRC};
static const struct end answered = {ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST, ATTR_REPL_PORT_DST};

static void read_end(const struct nf_conntrack *entry, uint8_t family, const struct end *end,
		     struct ipmasq_address *address, uint16_t *port)
{
	const void *bytes = nfct_get_attr(entry, family == AF_INET ? end->v4 : end->v6);

	address->family = family;
	if (bytes)
		memcpy(address->bytes, bytes, ipmasq_address_length(family));
	*port = nfct_attr_is_set(entry, end->port) ? ntohs(nfct_get_attr_u16(entry, end->port)) : 0;
}

bool connections_read(const struct nf_conntrack *entry, struct ipmasq_connection *connection)
{
	uint32_t status = nfct_get_attr_u32(entry, ATTR_STATUS);
	uint8_t family = nfct_get_attr_u8(entry, ATTR_L3PROTO);
	bool from_outside = status & IPS_DST_NAT;

	if (!(status & IPS_NAT_MASK) || !ipmasq_address_length(family))
		return false;
	*connection = (struct ipmasq_connection){
		.protocol = nfct_get_attr_u8(entry, ATTR_L4PROTO),
		.expires = nfct_get_attr_u32(entry, ATTR_TIMEOUT),
	};
	read_end(entry, family, from_outside ? &answerer : &opener, &connection->inside,
		 &connection->inside_port);
	read_end(entry, family, from_outside ? &opener : &asked, &connection->outside,
		 &connection->outside_port);
	read_end(entry, family, from_outside ? &asked : &answered, &connection->alias,
		 &connection->alias_port);
	return true;
}

static bool in_net(const struct ipmasq_net *net, const struct ipmasq_address *address)
{
	unsigned int whole = net->bits / 8, rest = net->bits % 8;

	if (net->address.family == AF_UNSPEC)
		return true;
	if (net->address.family != address->family ||
	    memcmp(net->address.bytes, address->bytes, whole) != 0)
		return false;
	return !rest || !((net->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest));
}

bool connections_wanted(const struct ipmasq_connection_filter *filter,
			const struct ipmasq_connection *connection)
{
	return in_net(&filter->inside, &connection->inside) &&
	       (!filter->port || filter->port == connection->inside_port ||
		filter->port == connection->outside_port || filter->port == connection->alias_port);
}

static int look_at(enum nf_conntrack_msg_type type, struct nf_conntrack *entry, void *data)
{
	struct walk *walk = data;
	struct ipmasq_connection connection;

	(void)type;
	if (!walk->rc && connections_read(entry, &connection) &&
	    connections_wanted(walk->filter, &connection))
		walk->rc = walk->visit(&connection, walk->data);
	return NFCT_CB_CONTINUE;
}

static int walk_connections(const struct ipmasq_connection_filter *filter,
			    ipmasq_connection_visit visit, void *data, struct ipmasq_error *error)
{
	struct walk walk = {filter, visit, data, 0};
	struct nfct_handle *handle = nfct_open(CONNTRACK, 0);
	uint32_t family = filter->inside.address.family;
	int rc = -1;

	if (handle) {
		nfct_callback_register(handle, NFCT_T_ALL, look_at, &walk);
		rc = nfct_query(handle, NFCT_Q_DUMP, &family);
	}
	if (rc < 0)
		ipmasq_fail(error, errno,
			    "cannot read the connections: %s; CAP_NET_ADMIN and the kernel's "
			    "nf_conntrack_netlink are needed",
			    strerror(errno));
	if (handle)
		nfct_close(handle);
	return rc < 0 ? -1 : walk.rc;
}

const struct ipmasq_connections_part ipmasq_connections_part = {walk_connections,
								connections_follow};
