// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What conntrack has seen of the forwards: connections whose destination was translated as the
 * forward says, with an answer from the inside host or without one.  A connection that another
 * table dropped on its way was never confirmed, and is not there.
 */
#include "doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <string.h>

struct counting {
	struct forward *forwards;
	size_t n;
};

static bool same(const struct nf_conntrack *entry, enum nf_conntrack_attr v4,
		 enum nf_conntrack_attr v6, const struct ipmasq_address *address)
{
	const void *bytes = nfct_get_attr(entry, address->family == AF_INET ? v4 : v6);

	return bytes && memcmp(bytes, address->bytes, ipmasq_address_length(address->family)) == 0;
}

static bool carried_by(const struct nf_conntrack *entry, const struct forward *forward)
{
	uint16_t outside = ntohs(nfct_get_attr_u16(entry, ATTR_ORIG_PORT_DST));
	uint16_t inside = ntohs(nfct_get_attr_u16(entry, ATTR_REPL_PORT_SRC));

	return nfct_get_attr_u8(entry, ATTR_L4PROTO) == forward->protocol &&
	       nfct_get_attr_u8(entry, ATTR_L3PROTO) == forward->alias.family &&
	       outside == forward->port && inside == forward->inside_port &&
	       same(entry, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC, &forward->inside) &&
	       (ipmasq_address_is_any(&forward->alias) ||
		same(entry, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST, &forward->alias));
}

static int look_at(enum nf_conntrack_msg_type type, struct nf_conntrack *entry, void *data)
{
	const struct counting *counting = data;
	uint32_t status = nfct_get_attr_u32(entry, ATTR_STATUS);

	(void)type;
	if (!(status & IPS_DST_NAT))
		return NFCT_CB_CONTINUE;
	for (size_t i = 0; i < counting->n; i++) {
		struct forward *forward = &counting->forwards[i];

		if (!carried_by(entry, forward))
			continue;
		if (status & IPS_SEEN_REPLY)
			forward->answered++;
		else
			forward->unanswered++;
		break;
	}
	return NFCT_CB_CONTINUE;
}

int flows_count(struct forward *forwards, size_t n)
{
	struct counting counting = {forwards, n};
	struct nfct_handle *handle = nfct_open(CONNTRACK, 0);
	uint32_t family = AF_UNSPEC;
	int rc, code;

	if (!handle)
		return -1;
	nfct_callback_register(handle, NFCT_T_ALL, look_at, &counting);
	rc = nfct_query(handle, NFCT_Q_DUMP, &family);
	code = errno;
	nfct_close(handle);
	errno = code;
	return rc;
}
