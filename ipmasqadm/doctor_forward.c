// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checks of one forward that can be made by looking: its outside address, the interface that new
 * connections come in by, the route to the inside host, and what stands beside it on this machine.
 * What is found of the way (interfaces, next hop) is kept for the checks behind.
 */
#include "doctor.h"
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

	if (!link || link->up)
		return;
	snprintf(mend, sizeof(mend), "ip link set %s up", link->name);
	doctor_say(doctor, DOCTOR_FAIL, "link", forward, mend, "interface %s is down", link->name);
	forward->unreachable |= index == forward->out;
}

/* An address of an interface other than the inside one: the way back from it shows the route. */
static void choose_stranger(struct doctor *doctor, struct forward *forward)
{
	const struct net *net = &doctor->net;

	for (size_t i = 0; i < net->n_addresses; i++) {
		const struct net_address *own = &net->addresses[i];
		const struct net_link *link = net_link(net, own->link);

		if (own->address.family != forward->inside.family || own->link == forward->out ||
		    !link || !link->up || link->loopback ||
		    (own->address.family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&own->address.in6)))
			continue;
		if (!forward->stranger.family ||
		    ipmasq_address_equal(&own->address, &forward->alias))
			forward->stranger = own->address;
		if (!forward->in) /* no default route: strangers are neighbours */
			forward->in = own->link;
	}
}

/* Where new connections come in: the interface of the address, else that of the default route. */
static void check_address(struct doctor *doctor, struct forward *forward)
{
	const struct net_address *own = own_address(&doctor->net, &forward->alias);
	const struct net_address *neighbour = own_net(&doctor->net, &forward->alias);
	unsigned int way = net_default_link(forward->alias.family);
	char text[IPMASQ_ADDRESS_TEXT], mend[128];
	unsigned int bits = forward->alias.family == AF_INET ? 32 : 128;

	forward->in = own ? own->link : neighbour ? neighbour->link : way;
	if (ipmasq_address_is_any(&forward->alias)) {
		forward->in = way;
		return;
	}
	ipmasq_address_text(&forward->alias, text);
	snprintf(mend, sizeof(mend), "ip address add %s/%u dev %s", text, bits,
		 forward->in ? net_link_name(&doctor->net, forward->in) : "INTERFACE");
	if (own)
		doctor_say(doctor, DOCTOR_OK, "address", forward, NULL, "%s is on interface %s",
			   text, net_link_name(&doctor->net, own->link));
	else if (neighbour)
		doctor_say(doctor, DOCTOR_FAIL, "address", forward, mend,
			   "%s is on no interface of this machine: nobody answers for it on %s",
			   text, net_link_name(&doctor->net, neighbour->link));
	else
		doctor_say(
			doctor, DOCTOR_WARN, "address", forward, mend,
			"%s is on no interface of this machine: the forward works only if others "
			"route this address to it",
			text);
	if (own)
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

static void check_route(struct doctor *doctor, struct forward *forward)
{
	char text[IPMASQ_ADDRESS_TEXT], hop[IPMASQ_ADDRESS_TEXT];
	struct net_route route;

	ipmasq_address_text(&forward->inside, text);
	if (net_route(&forward->inside, &route) < 0) {
		check_no_route(doctor, forward, errno);
		return;
	}
	forward->local = route.type == RTN_LOCAL;
	forward->out = route.out;
	forward->hop = route.gateway.family ? route.gateway : forward->inside;
	if (forward->local) {
		check_local(doctor, forward);
	} else if (route.type != RTN_UNICAST) {
		check_no_route(doctor, forward, EHOSTUNREACH);
	} else if (route.bits == 0 && route.out == forward->in) {
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

/* Linux refuses what comes by another interface than the answer would take, where it is strict. */
static void check_reverse_path(struct doctor *doctor, const struct forward *forward)
{
	const char *name = net_link_name(&doctor->net, forward->in);
	unsigned int way = net_default_link(AF_INET);
	char file[128], setting[SUPPORT_SETTING_TEXT], mend[160];
	uint64_t all = 0, one = 0;

	if (forward->alias.family != AF_INET || !forward->in || !way || way == forward->in)
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

static void check_interface_switch(struct doctor *doctor, const struct forward *forward)
{
	bool v4 = forward->alias.family == AF_INET;
	const char *name = net_link_name(&doctor->net, forward->in);
	char file[128], setting[SUPPORT_SETTING_TEXT], mend[160];
	uint64_t all, one;

	if (!forward->in || forward->local)
		return;
	snprintf(file, sizeof(file), "net/%s/conf/%s/forwarding", v4 ? "ipv4" : "ipv6", name);
	if (!support_setting(v4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding", &all) ||
	    !support_setting(file, &one) || !all || one)
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
	check_address(doctor, forward);
	check_route(doctor, forward);
	if (!forward->local && !forward->unreachable)
		choose_stranger(doctor, forward);
	check_reverse_path(doctor, forward);
	check_interface_switch(doctor, forward);
	check_bridge(doctor, forward);
	check_listener(doctor, forward);
}
