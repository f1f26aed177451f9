// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links, addresses, routes, neighbours and listeners of this network namespace, by rtnetlink and
 * sock_diag.  A route is asked for, never searched in a dump: a router may have a million.
 */
#include "ask.h"
#include "doctor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>

#define TCP_STATE_LISTEN 10
#define UDP_STATE_OPEN   7 /* as the kernel shows a socket of UDP */

/* Of which packets the route is asked for. */
struct way {
	const struct ipmasq_address *to, *from;
	unsigned int in;
};

static void put_way(struct nlmsghdr *request, const struct way *way)
{
	size_t length = ipmasq_address_length(way->to->family);

	mnl_attr_put(request, RTA_DST, length, way->to->bytes);
	if (way->from)
		mnl_attr_put(request, RTA_SRC, length, way->from->bytes);
	if (way->in)
		mnl_attr_put_u32(request, RTA_IIF, way->in);
}

/* One question on a socket of its own; `way` is NULL when it is not about routes. */
static int ask_once(int family, uint16_t type, uint16_t flags, const void *header, size_t length,
		    const struct way *way, mnl_cb_t callback, void *data)
{
	struct ask *ask = ask_open(family);
	struct nlmsghdr *request;
	int rc, code;

	if (!ask)
		return -1;
	request = ask_other(ask, type, flags, header, length);
	if (way)
		put_way(request, way);
	rc = ask_send(ask, callback, data);
	code = errno;
	ask_close(ask);
	errno = code;
	return rc;
}

static void read_address(const struct nlattr *attribute, uint8_t family,
			 struct ipmasq_address *address)
{
	if (mnl_attr_get_payload_len(attribute) != ipmasq_address_length(family))
		return;
	address->family = family;
	memcpy(address->bytes, mnl_attr_get_payload(attribute), ipmasq_address_length(family));
}

static int read_info(const struct nlattr *attribute, void *data)
{
	struct net_link *link = data;

	char kind[16] = "";

	if (mnl_attr_get_type(attribute) != IFLA_INFO_KIND)
		return MNL_CB_OK;
	snprintf(kind, sizeof(kind), "%.*s", (int)mnl_attr_get_payload_len(attribute),
		 (const char *)mnl_attr_get_payload(attribute));
	link->bridge = strcmp(kind, "bridge") == 0;
	link->inner |= strcmp(kind, "dummy") == 0 || strcmp(kind, "vrf") == 0;
	return MNL_CB_OK;
}

static int read_link(const struct nlmsghdr *answer, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(answer);
	struct net *net = data;
	struct net_link *links = reallocarray(net->links, net->n_links + 1, sizeof(*links));
	struct net_link link = {.index = (unsigned int)info->ifi_index,
				.up = info->ifi_flags & IFF_UP,
				.carrier = info->ifi_flags & IFF_RUNNING,
				.loopback = info->ifi_flags & IFF_LOOPBACK,
				.inner = info->ifi_flags & IFF_LOOPBACK};
	const struct nlattr *attribute;

	if (!links)
		return MNL_CB_ERROR;
	net->links = links;
	mnl_attr_for_each(attribute, answer, sizeof(*info)) {
		if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
			snprintf(link.name, sizeof(link.name), "%.*s",
				 (int)mnl_attr_get_payload_len(attribute),
				 (const char *)mnl_attr_get_payload(attribute));
		else if (mnl_attr_get_type(attribute) == IFLA_LINKINFO)
			mnl_attr_parse_nested(attribute, read_info, &link);
	}
	links[net->n_links++] = link;
	return MNL_CB_OK;
}

static int read_own(const struct nlmsghdr *answer, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(answer);
	struct net *net = data;
	struct net_address *list =
		reallocarray(net->addresses, net->n_addresses + 1, sizeof(*list));
	struct net_address own = {.bits = info->ifa_prefixlen, .link = info->ifa_index};
	const struct nlattr *attribute;
	bool local = false;

	if (!list)
		return MNL_CB_ERROR;
	net->addresses = list;
	mnl_attr_for_each(attribute, answer, sizeof(*info)) {
		uint16_t type = mnl_attr_get_type(attribute);

		/* On a point-to-point link IFA_ADDRESS is the other end's. */
		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !local))
			read_address(attribute, info->ifa_family, &own.address);
		local |= type == IFA_LOCAL;
	}
	if (own.address.family)
		list[net->n_addresses++] = own;
	return MNL_CB_OK;
}

int net_read(struct net *net)
{
	const struct ifinfomsg links = {0};
	const struct ifaddrmsg addresses = {0};

	if (ask_once(NETLINK_ROUTE, RTM_GETLINK, NLM_F_DUMP, &links, sizeof(links), NULL, read_link,
		     net) < 0)
		return -1;
	return ask_once(NETLINK_ROUTE, RTM_GETADDR, NLM_F_DUMP, &addresses, sizeof(addresses), NULL,
			read_own, net);
}

void net_free(struct net *net)
{
	free(net->links);
	free(net->addresses);
	*net = (struct net){0};
}

const struct net_link *net_link(const struct net *net, unsigned int index)
{
	for (size_t i = 0; i < net->n_links; i++)
		if (net->links[i].index == index)
			return &net->links[i];
	return NULL;
}

const char *net_link_name(const struct net *net, unsigned int index)
{
	const struct net_link *link = net_link(net, index);

	return link ? link->name : "?";
}

bool net_same(const struct ipmasq_address *a, const struct ipmasq_address *b, uint8_t bits)
{
	unsigned int whole = bits / 8u, rest = bits % 8u;

	if (a->family != b->family || bits > 8 * ipmasq_address_length(a->family) ||
	    memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return !rest || !((a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest));
}

static int read_route(const struct nlmsghdr *answer, void *data)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(answer);
	struct net_route *route = data;
	const struct nlattr *attribute;

	if (answer->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	route->type = info->rtm_type;
	route->bits = info->rtm_dst_len;
	mnl_attr_for_each(attribute, answer, sizeof(*info)) {
		if (mnl_attr_get_type(attribute) == RTA_OIF &&
		    mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
			route->out = mnl_attr_get_u32(attribute);
		else if (mnl_attr_get_type(attribute) == RTA_GATEWAY)
			read_address(attribute, info->rtm_family, &route->gateway);
	}
	return MNL_CB_OK;
}

int net_route(const struct ipmasq_address *to, const struct ipmasq_address *from, unsigned int in,
	      struct net_route *route)
{
	unsigned char bits = (unsigned char)(8 * ipmasq_address_length(to->family));
	const struct way way = {to, from, in};
	const struct rtmsg question = {
		.rtm_family = to->family,
		.rtm_dst_len = bits,
		.rtm_src_len = from ? bits : 0,
	};
	struct rtmsg matched = question;

	*route = (struct net_route){0};
	/* As a packet goes, for the link of a route with several; then the length of the prefix. */
	matched.rtm_flags = RTM_F_FIB_MATCH;
	if (ask_once(NETLINK_ROUTE, RTM_GETROUTE, 0, &matched, sizeof(matched), &way, read_route,
		     route) < 0)
		return -1;
	if (!route->out) {
		uint8_t prefix = route->bits;

		if (ask_once(NETLINK_ROUTE, RTM_GETROUTE, 0, &question, sizeof(question), &way,
			     read_route, route) < 0)
			return -1;
		route->bits = prefix;
	}
	return 0;
}

unsigned int net_default_link(uint8_t family, const struct ipmasq_address *from, unsigned int in)
{
	struct ipmasq_address somewhere = {.family = family};
	struct net_route route;

	/* A documentation address, RFC 5737 and RFC 3849: nobody has a route of its own to it. */
	if (inet_pton(family, family == AF_INET ? "203.0.113.255" : "2001:db8:ffff:ffff::1",
		      somewhere.bytes) != 1 ||
	    net_route(&somewhere, from, in, &route) < 0)
		return 0;
	return route.bits == 0 ? route.out : 0;
}

struct neighbour {
	const struct ipmasq_address *address;
	unsigned int link, state;
};

static int read_neighbour(const struct nlmsghdr *answer, void *data)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(answer);
	struct neighbour *neighbour = data;
	struct ipmasq_address address = {0};
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, answer, sizeof(*info))
		if (mnl_attr_get_type(attribute) == NDA_DST)
			read_address(attribute, info->ndm_family, &address);
	if ((unsigned int)info->ndm_ifindex == neighbour->link &&
	    ipmasq_address_equal(&address, neighbour->address))
		neighbour->state = info->ndm_state;
	return MNL_CB_OK;
}

unsigned int net_neighbour(const struct ipmasq_address *address, unsigned int link)
{
	const struct ndmsg question = {.ndm_family = address->family};
	struct neighbour neighbour = {address, link, 0};

	ask_once(NETLINK_ROUTE, RTM_GETNEIGH, NLM_F_DUMP, &question, sizeof(question), NULL,
		 read_neighbour, &neighbour);
	return neighbour.state;
}

static int read_discipline(const struct nlmsghdr *answer, void *data)
{
	const struct nlattr *attribute;
	bool *found = data;

	mnl_attr_for_each(attribute, answer, sizeof(struct tcmsg))
		if (mnl_attr_get_type(attribute) == TCA_KIND &&
		    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0)
			*found |= strcmp(mnl_attr_get_str(attribute), "ingress") == 0 ||
				  strcmp(mnl_attr_get_str(attribute), "clsact") == 0;
	return MNL_CB_OK;
}

bool net_marks(void)
{
	const struct tcmsg question = {.tcm_family = AF_UNSPEC};
	bool found = false;

	return ask_once(NETLINK_ROUTE, RTM_GETQDISC, NLM_F_DUMP, &question, sizeof(question), NULL,
			read_discipline, &found) < 0 ||
	       found;
}

struct listener {
	const struct ipmasq_address *address;
	uint16_t port;
	bool found;
};

static bool is_loopback(const struct ipmasq_address *address)
{
	return address->family == AF_INET ? address->bytes[0] == 127
					  : IN6_IS_ADDR_LOOPBACK(&address->in6);
}

static int read_listener(const struct nlmsghdr *answer, void *data)
{
	const struct inet_diag_msg *info = mnl_nlmsg_get_payload(answer);
	struct listener *listener = data;
	struct ipmasq_address own = {.family = info->idiag_family};
	bool any;

	if (ntohs(info->id.idiag_sport) != listener->port || info->id.idiag_dport)
		return MNL_CB_OK;
	memcpy(own.bytes, info->id.idiag_src, ipmasq_address_length(own.family));
	any = ipmasq_address_is_any(&own);
	/* A socket of :: usually serves IPv4, too. */
	if (any && (own.family == AF_INET6 || listener->address->family == AF_INET))
		listener->found = true;
	if (ipmasq_address_is_any(listener->address)
		    ? own.family == listener->address->family && !is_loopback(&own)
		    : ipmasq_address_equal(&own, listener->address))
		listener->found = true;
	return MNL_CB_OK;
}

bool net_listens(uint8_t protocol, const struct ipmasq_address *address, uint16_t port)
{
	struct listener listener = {address, port, false};
	static const uint8_t kinds[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < 2; i++) {
		const struct inet_diag_req_v2 question = {
			.sdiag_family = kinds[i],
			.sdiag_protocol = protocol,
			.idiag_states =
				1u << (protocol == IPPROTO_TCP ? TCP_STATE_LISTEN : UDP_STATE_OPEN),
		};

		ask_once(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &question,
			 sizeof(question), NULL, read_listener, &listener);
	}
	return listener.found;
}
