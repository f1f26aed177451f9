// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checks of one forward that can be made by looking: its outside address, the interface that new
 * connections come in by, the route to the inside host, and what stands beside it on this machine.
 * What is found of the way (interfaces, next hop) is kept for the checks behind.
 */
#include "doctor_ruleset.h"
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <string.h>

static const struct net_address *own_address(const struct net *net,
					     const struct ipmasq_address *address)
{
	for (size_t i = 0; i < net->n_addresses; i++)
		if (ipmasq_address_equal(&net->addresses[i].address, address))
			return &net->addresses[i];
	return NULL;
}

/* The own address in whose net `address` is; the longest prefix. */
static const struct net_address *own_net(const struct net *net,
					 const struct ipmasq_address *address)
{
	const struct net_address *best = NULL;

	for (size_t i = 0; i < net->n_addresses; i++)
		if (net_same(&net->addresses[i].address, address, net->addresses[i].bits) &&
		    (!best || net->addresses[i].bits > best->bits))
			best = &net->addresses[i];
	return best;
}

static void check_link(struct doctor *doctor, struct forward *forward, unsigned int index)
{
	const struct net_link *link = net_link(&doctor->net, index);
	char mend[64];

	if (!link || (link->up && link->carrier))
		return;
	snprintf(mend, sizeof(mend), "ip link set %s up", link->name);
	if (link->up)
		doctor_say(doctor, DOCTOR_FAIL, "link", forward, "connect it",
			   "interface %s has no carrier", link->name);
	else
		doctor_say(doctor, DOCTOR_FAIL, "link", forward, mend, "interface %s is down",
			   link->name);
	forward->unreachable |= index == forward->out;
}

static bool is_global(const struct net_address *own)
{
	return own->address.family != AF_INET6 || !IN6_IS_ADDR_LINKLOCAL(&own->address.in6);
}

/* An address of the link, in the net of `peer` if there is one. */
static struct ipmasq_address address_on(const struct net *net, unsigned int link, uint8_t family,
					const struct ipmasq_address *peer)
{
	struct ipmasq_address found = {.family = family};

	for (size_t i = 0; i < net->n_addresses; i++) {
		const struct net_address *own = &net->addresses[i];

		if (own->link != link || own->address.family != family || !is_global(own))
			continue;
		if (peer && net_same(&own->address, peer, own->bits))
			return own->address;
		if (ipmasq_address_is_any(&found))
			found = own->address;
	}
	return found;
}

/*
 * An address from which the inside host has to answer by way of a router: the outside one, or one
 * of the interface that strangers come in by.  Others may be of nets that the inside host has, too.
 */
static void choose_stranger(struct doctor *doctor, struct forward *forward)
{
	const struct net *net = &doctor->net;
	struct ipmasq_address own;

	for (size_t i = 0; i < net->n_addresses && !forward->in; i++) {
		const struct net_link *link = net_link(net, net->addresses[i].link);

		/* No default route: strangers are neighbours. */
		if (link && link->up && !link->inner && link->index != forward->out &&
		    net->addresses[i].address.family == forward->inside.family &&
		    is_global(&net->addresses[i]))
			forward->in = link->index;
	}
	own = address_on(net, forward->in, forward->inside.family, NULL);
	if (forward->owned && !ipmasq_address_is_any(&forward->entry))
		own = forward->entry;
	if (forward->in && forward->in != forward->out && !ipmasq_address_is_any(&own))
		forward->stranger = own;
	if (ipmasq_address_is_any(&forward->entry) && !ipmasq_address_is_any(&own))
		forward->entry = own;
}

static void say_no_address(struct doctor *doctor, const struct forward *forward,
			   const struct net_address *neighbour)
{
	unsigned int bits = forward->alias.family == AF_INET ? 32 : 128;
	char text[IPMASQ_ADDRESS_TEXT], mend[128];

	ipmasq_address_text(&forward->alias, text);
	snprintf(mend, sizeof(mend), "ip address add %s/%u dev %s", text, bits,
		 forward->in ? net_link_name(&doctor->net, forward->in) : "INTERFACE");
	if (neighbour)
		doctor_say(doctor, DOCTOR_FAIL, "address", forward, mend,
			   "%s is on no interface of this machine: nobody answers for it on %s",
			   text, net_link_name(&doctor->net, neighbour->link));
	else
		doctor_say(
			doctor, DOCTOR_WARN, "address", forward, mend,
			"%s is on no interface of this machine: the forward works only if others "
			"route this address to it",
			text);
}

/* Where new connections come in: the interface of the address, else that of the default route. */
static void check_address(struct doctor *doctor, struct forward *forward)
{
	const struct net *net = &doctor->net;
	const struct net_address *own = own_address(net, &forward->alias);
	const struct net_address *neighbour = own_net(net, &forward->alias);
	const struct net_link *link = own ? net_link(net, own->link) : NULL;
	char text[IPMASQ_ADDRESS_TEXT];

	forward->entry = forward->alias;
	forward->owned = own;
	forward->in = net_default_link(forward->alias.family, own ? &own->address : NULL, 0);
	if (ipmasq_address_is_any(&forward->alias)) {
		forward->entry = address_on(net, forward->in, forward->alias.family, NULL);
		forward->owned = !ipmasq_address_is_any(&forward->entry);
		return;
	}
	if (link && !link->inner)
		forward->in = own->link;
	else if (!own && neighbour)
		forward->in = neighbour->link;
	if (!own) {
		say_no_address(doctor, forward, neighbour);
		return;
	}
	doctor_say(doctor, DOCTOR_OK, "address", forward, NULL, "%s is on interface %s",
		   ipmasq_address_text(&forward->alias, text), net_link_name(net, own->link));
	check_link(doctor, forward, own->link);
}

static void check_no_route(struct doctor *doctor, struct forward *forward, int code)
{
	const struct net_address *near = own_net(&doctor->net, &forward->inside);
	const struct net_link *link = near ? net_link(&doctor->net, near->link) : NULL;
	char text[IPMASQ_ADDRESS_TEXT], mend[128];

	forward->unreachable = true;
	ipmasq_address_text(&forward->inside, text);
	if (link && !link->up) {
		snprintf(mend, sizeof(mend), "ip link set %s up", link->name);
		doctor_say(doctor, DOCTOR_FAIL, "route", forward, mend,
			   "interface %s to the inside host %s is down", link->name, text);
		return;
	}
	snprintf(mend, sizeof(mend), "ip route add %s dev INTERFACE, or via ROUTER", text);
	doctor_say(doctor, DOCTOR_FAIL, "route", forward, mend,
		   "there is no route to the inside host %s (%s)", text, strerror(code));
}

static void check_local(struct doctor *doctor, const struct forward *forward)
{
	char file[128], name[SUPPORT_SETTING_TEXT], mend[160];
	uint64_t all = 0, one = 0;

	if (forward->inside.family != AF_INET || forward->inside.bytes[0] != 127 || !forward->in)
		return;
	snprintf(file, sizeof(file), "net/ipv4/conf/%s/route_localnet",
		 net_link_name(&doctor->net, forward->in));
	support_setting("net/ipv4/conf/all/route_localnet", &all);
	if (!support_setting(file, &one) || all || one)
		return;
	snprintf(mend, sizeof(mend), "sysctl -w %s=1", support_setting_text(file, name));
	doctor_say(doctor, DOCTOR_FAIL, "route", forward, mend,
		   "the inside host is this machine's loopback, and %s is 0", name);
}

/*
 * The route that a stranger's packet has, which policy may send elsewhere than this machine's own;
 * when the kernel does not forward at all, the latter.
 */
static int find_route(const struct forward *forward, struct net_route *route)
{
	struct ipmasq_address from = packet_stranger(forward->inside.family);

	if (!ipmasq_address_is_any(&forward->remote))
		from = forward->remote;
	if (forward->in && net_route(&forward->inside, &from, forward->in, route) == 0)
		return 0;
	return net_route(&forward->inside, NULL, 0, route);
}

static void check_route(struct doctor *doctor, struct forward *forward)
{
	char text[IPMASQ_ADDRESS_TEXT], hop[IPMASQ_ADDRESS_TEXT];
	struct net_route route;

	ipmasq_address_text(&forward->inside, text);
	if (find_route(forward, &route) < 0) {
		check_no_route(doctor, forward, errno);
		return;
	}
	forward->near = address_on(&doctor->net, route.out, forward->inside.family,
				   route.gateway.family ? &route.gateway : &forward->inside);
	forward->local = route.type == RTN_LOCAL;
	forward->out = route.out;
	forward->hop = route.gateway.family ? route.gateway : forward->inside;
	if (forward->local) {
		check_local(doctor, forward);
	} else if (route.type != RTN_UNICAST) {
		check_no_route(doctor, forward, EHOSTUNREACH);
	} else if (!forward->proxy && route.bits == 0 && route.out == forward->in) {
		doctor_say(doctor, DOCTOR_WARN, "route", forward, NULL,
			   "the inside host %s is reached by the default route, out again by %s, "
			   "where the connections come from",
			   text, net_link_name(&doctor->net, route.out));
	} else {
		doctor_say(doctor, DOCTOR_OK, "route", forward, NULL, "%s by %s%s%s", text,
			   net_link_name(&doctor->net, route.out),
			   route.gateway.family ? " and router " : "",
			   route.gateway.family ? ipmasq_address_text(&route.gateway, hop) : "");
		check_link(doctor, forward, route.out);
	}
}

/*
 * Linux refuses what comes by another interface than the answer would take, where it is strict. The
 * answer's way is that from the inside host: it gets the outside address behind the routing.
 */
static void check_reverse_path(struct doctor *doctor, const struct forward *forward)
{
	const char *name = net_link_name(&doctor->net, forward->in);
	unsigned int way = 0;
	char file[128], setting[SUPPORT_SETTING_TEXT], mend[160];
	uint64_t all = 0, one = 0;

	if (forward->alias.family == AF_INET && forward->in)
		way = net_default_link(AF_INET, &forward->inside,
				       forward->local ? 0 : forward->out);
	if (!way || way == forward->in)
		return;
	snprintf(file, sizeof(file), "net/ipv4/conf/%s/rp_filter", name);
	if (!support_setting("net/ipv4/conf/all/rp_filter", &all) || !support_setting(file, &one))
		return;
	snprintf(mend, sizeof(mend), "sysctl -w %s=2", support_setting_text(file, setting));
	if ((one > all ? one : all) == 1)
		doctor_say(doctor, DOCTOR_FAIL, "rp_filter", forward, mend,
			   "connections come in by %s, the answers would leave by %s, and a strict "
			   "rp_filter drops what comes so",
			   name, net_link_name(&doctor->net, way));
}

/* IPv4 is forwarded by the switch of the interface that it came in by; IPv6 by that of all. */
static void check_interface_switch(struct doctor *doctor, const struct forward *forward,
				   unsigned int link)
{
	const char *name = net_link_name(&doctor->net, link);
	char file[128], setting[SUPPORT_SETTING_TEXT], mend[160];
	uint64_t all, one;

	if (forward->alias.family != AF_INET || !link || forward->local)
		return;
	snprintf(file, sizeof(file), "net/ipv4/conf/%s/forwarding", name);
	if (!support_setting("net/ipv4/ip_forward", &all) || !support_setting(file, &one) || !all ||
	    one)
		return;
	snprintf(mend, sizeof(mend), "sysctl -w %s=1", support_setting_text(file, setting));
	doctor_say(doctor, DOCTOR_FAIL, "forwarding", forward, mend,
		   "%s is 0: what comes by %s is not forwarded", setting, name);
}

static void check_bridge(struct doctor *doctor, const struct forward *forward)
{
	const struct net_link *link = net_link(&doctor->net, forward->out);
	const char *file = forward->inside.family == AF_INET
				   ? "net/bridge/bridge-nf-call-iptables"
				   : "net/bridge/bridge-nf-call-ip6tables";
	char setting[SUPPORT_SETTING_TEXT], mend[160];
	uint64_t value;

	if (!link || !link->bridge || !support_setting(file, &value) || !value)
		return;
	snprintf(mend, sizeof(mend), "sysctl -w %s=0", support_setting_text(file, setting));
	doctor_say(
		doctor, DOCTOR_WARN, "hairpin", forward, mend,
		"%s is 1: bridge %s translates what its own hosts send one another, and a server "
		"that calls its own forward gets no answer",
		setting, link->name);
}

static void check_listener(struct doctor *doctor, const struct forward *forward)
{
	if (forward->local && forward->port == forward->inside_port)
		return;
	if (net_listens(forward->protocol, &forward->alias, forward->port))
		doctor_say(
			doctor, DOCTOR_WARN, "listener", forward, NULL,
			"a program of this machine waits at this port, too, and gets nothing while "
			"the forward is there; `ss -lnp sport = :%u` shows it",
			forward->port);
}

void forward_check(struct doctor *doctor, struct forward *forward)
{
	/* What has a mark, or goes out to a proxy, may come from anywhere. */
	bool outside = !forward->mark && !forward->proxy;

	if (outside)
		check_address(doctor, forward);
	check_route(doctor, forward);
	if (outside && !forward->local && !forward->unreachable)
		choose_stranger(doctor, forward);
	check_reverse_path(doctor, forward);
	check_interface_switch(doctor, forward, forward->in);
	if (forward->out != forward->in)
		check_interface_switch(doctor, forward, forward->out);
	check_bridge(doctor, forward);
	if (outside && forward->port && !forward->several)
		check_listener(doctor, forward);
}
