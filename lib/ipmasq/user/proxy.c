// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Proxy rules, in each worker's inner instance.
 *
 * They are few and their order is all: the owner's precedence, the index, the newest first.  So a
 * change of one writes all of them anew, in libalias under indices of our own, from 0 or from the
 * middle of what there is in turn; until the old ones are deleted both are there, and what a packet
 * meets first is what it would have met before or after.
 */
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define HALF (INT_MAX / 2 + 1)

static int compare(const void *a, const void *b)
{
	const struct ipmasq_rule *x = *(const struct ipmasq_rule *const *)a;
	const struct ipmasq_rule *y = *(const struct ipmasq_rule *const *)b;
	unsigned int first = ipmasq_owner_precedence(x->owner);
	unsigned int second = ipmasq_owner_precedence(y->owner);
	int order;

	if (first != second)
		return first < second ? -1 : 1;
	order = strcmp(x->owner, y->owner);
	if (order)
		return order;
	if (x->proxy.index != y->proxy.index)
		return x->proxy.index < y->proxy.index ? -1 : 1;
	return x->age > y->age ? -1 : x->age < y->age;
}

/* The rules in the order in which they are asked; NULL with errno. */
static const struct ipmasq_rule **sorted(const struct user *user, size_t *n)
{
	const struct ipmasq_rule **list =
		malloc((user->store.counts[IPMASQ_PROXY] + 1) * sizeof(*list));
	const struct stored *stored;

	*n = 0;
	if (!list)
		return NULL;
	LIST_FOREACH(stored, &user->store.kinds[IPMASQ_PROXY], of_kind)
		list[(*n)++] = stored->rule;
	qsort(list, *n, sizeof(*list), compare);
	return list;
}

/* In the words of LibAliasProxyRule(). */
static int write_rule(struct libalias *la, const struct ipmasq_proxy *proxy, int index)
{
	static const char *const encodings[] = {
		[IPMASQ_NO_ENCODE] = "no_encode",
		[IPMASQ_ENCODE_IP_HDR] = "encode_ip_hdr",
		[IPMASQ_ENCODE_TCP_STREAM] = "encode_tcp_stream",
	};
	char line[256], server[IPMASQ_ADDRESS_TEXT], net[IPMASQ_NET_TEXT];
	int at = snprintf(line, sizeof(line), "rule %d type %s server %s", index,
			  encodings[proxy->encoding], ipmasq_address_text(&proxy->server, server));

	if (proxy->server_port)
		at += sprintf(line + at, ":%u", proxy->server_port);
	if (proxy->port)
		at += sprintf(line + at, " port %u", proxy->port);
	if (proxy->protocol)
		at += sprintf(line + at, " proto %s", ipmasq_protocol_name(proxy->protocol));
	if (proxy->source.address.family)
		at += sprintf(line + at, " src %s", ipmasq_net_text(&proxy->source, net));
	if (proxy->destination.address.family)
		sprintf(line + at, " dst %s", ipmasq_net_text(&proxy->destination, net));
	return LibAliasProxyRule(la, line);
}

static void delete_from(struct libalias *la, int first)
{
	char line[32];

	do
		snprintf(line, sizeof(line), "delete %d", first++);
	while (LibAliasProxyRule(la, line) == 0);
}

int proxies_install(const struct user *user, struct worker *worker)
{
	int index = user->proxies_high ? 0 : HALF, rc = 0;
	const struct ipmasq_rule **list;
	size_t n;

	list = sorted(user, &n);
	if (!list)
		return -1;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = write_rule(worker->inner, &list[i]->proxy, index++);
	free(list);
	return rc;
}

void proxies_undo(const struct user *user, struct worker *worker)
{
	delete_from(worker->inner, user->proxies_high ? 0 : HALF);
}

void proxies_finish(const struct user *user, struct worker *worker)
{
	delete_from(worker->inner, user->proxies_high ? HALF : 0);
}

static bool in_net(const struct ipmasq_net *net, struct in_addr address)
{
	uint32_t mask = net->bits ? htonl(UINT32_MAX << (32 - net->bits)) : 0;

	return !net->address.family || (address.s_addr & mask) == net->address.in4.s_addr;
}

const struct ipmasq_rule *proxies_find(const struct user *user, const struct alias_link_info *link)
{
	const struct ipmasq_rule *found = NULL, **list;
	size_t n;

	list = sorted(user, &n);
	for (size_t i = 0; list && i < n && !found; i++) {
		const struct ipmasq_proxy *proxy = &list[i]->proxy;

		if ((!proxy->protocol || proxy->protocol == link->proto) &&
		    (!proxy->port || proxy->port == ntohs(link->dest_port)) &&
		    link->local_addr.s_addr != proxy->server.in4.s_addr &&
		    in_net(&proxy->source, link->local_addr) &&
		    in_net(&proxy->destination, link->dest_addr))
			found = list[i];
	}
	free(list);
	return found;
}
