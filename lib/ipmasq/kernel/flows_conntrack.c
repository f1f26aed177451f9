// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parts/conntrack.so: conntrack entries that outlived the rule that made them.
 *
 * A NAT decision is taken once, for the first packet of a connection, and kept in conntrack.
 * A UDP sender that never pauses would follow a deleted forward for ever, and one that began
 * before a forward was added would bypass it for ever; so their entries are deleted and the
 * next packet decides anew.  TCP connections end by themselves, and are ended only on request,
 * so that a backend can be drained.
 *
 * One dump of conntrack is compared with the changed redirects, which are found by hash of the
 * original destination; an entry is kept when the rule as it is now would have made it.
 * Redirects of a mark, of port ranges or of whole addresses are few and are tried one by one.
 * Conntrack does not tell which mark a flow had, so all that goes to a host which a mark's pool
 * has lost is ended; what another rule serves is served by it again with its next packet.
 */
#include "flows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <ipmasq/error.h>
#include <ipmasq/table.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <stdlib.h>
#include <string.h>

struct bucket {
	struct bucket *next;
	const struct ipmasq_change *change;
};

struct sweep {
	struct bucket *nodes, **heads;
	size_t n_heads;                    /* a power of two */
	const struct ipmasq_change **wide; /* not of one port */
	size_t n_wide;
	struct ifaddrs *local;
	struct nfct_handle *reader, *killer;
	unsigned int flags;
	bool (*covered)(const char *owner, const struct ipmasq_match *match, void *data);
	void *data;
	bool any; /* some change is of any address of this machine */
};

/* The original destination and the host that serves it, of one conntrack entry. */
struct flow {
	struct ipmasq_match match; /* as an exact redirect would match it */
	struct ipmasq_target target;
	bool translated;
};

static const struct ipmasq_rule *change_key(const struct ipmasq_change *change)
{
	return change->after ? change->after : change->before;
}

static size_t match_hash(const struct ipmasq_match *match)
{
	size_t hash = match->protocol * 65537u + match->ports.low;

	for (size_t i = 0; i < ipmasq_address_length(match->family); i++)
		hash = hash * 31 + match->alias.bytes[i];
	return hash ^ hash >> 16;
}

static bool worth_a_look(const struct ipmasq_change *change, unsigned int flags)
{
	const struct ipmasq_rule *rule = change_key(change);

	return rule->kind == IPMASQ_REDIRECT &&
	       (!flows_end_themselves(rule->redirect.match.protocol) ||
		(flags & IPMASQ_COMMIT_KILL));
}

static bool is_listed_apart(const struct ipmasq_match *match)
{
	return match->mark || ipmasq_match_is_wide(match);
}

/* The changed redirect for exactly this match, or NULL. */
static const struct ipmasq_change *find(const struct sweep *sweep, const struct ipmasq_match *match)
{
	struct bucket *bucket = sweep->heads[match_hash(match) & (sweep->n_heads - 1)];

	for (; bucket; bucket = bucket->next) {
		const struct ipmasq_match *other = &change_key(bucket->change)->redirect.match;

		if (other->protocol == match->protocol && other->ports.low == match->ports.low &&
		    ipmasq_address_equal(&other->alias, &match->alias))
			return bucket->change;
	}
	return NULL;
}

/* Whether `rule` would send the flow to where it goes. */
static bool serves(const struct ipmasq_rule *rule, const struct flow *flow)
{
	for (uint32_t i = 0; rule && i < rule->redirect.n_targets; i++) {
		const struct ipmasq_target *target = &rule->redirect.targets[i];
		uint16_t port = target->port ? target->port : flow->match.ports.low;

		if (port == flow->target.port &&
		    ipmasq_address_equal(&target->address, &flow->target.address))
			return true;
	}
	return false;
}

static bool is_local(const struct sweep *sweep, const struct ipmasq_address *address)
{
	for (const struct ifaddrs *entry = sweep->local; entry; entry = entry->ifa_next) {
		const void *bytes;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != address->family)
			continue;
		bytes = address->family == AF_INET
				? (const void *)&((struct sockaddr_in *)(void *)entry->ifa_addr)
					  ->sin_addr
				: &((struct sockaddr_in6 *)(void *)entry->ifa_addr)->sin6_addr;
		if (memcmp(bytes, address->bytes, ipmasq_address_length(address->family)) == 0)
			return true;
	}
	return false;
}

static bool read_flow(struct nf_conntrack *entry, struct flow *flow)
{
	uint8_t family = nfct_get_attr_u8(entry, ATTR_L3PROTO);
	bool v4 = family == AF_INET;
	size_t length = ipmasq_address_length(family);

	if (!length)
		return false;
	*flow = (struct flow){0};
	flow->match.family = flow->match.alias.family = flow->target.address.family = family;
	flow->match.protocol = nfct_get_attr_u8(entry, ATTR_L4PROTO);
	memcpy(flow->match.alias.bytes, nfct_get_attr(entry, v4 ? ATTR_IPV4_DST : ATTR_IPV6_DST),
	       length);
	if (nfct_attr_is_set(entry, ATTR_PORT_DST))
		flow->match.ports.low = flow->match.ports.high =
			ntohs(nfct_get_attr_u16(entry, ATTR_PORT_DST));
	memcpy(flow->target.address.bytes,
	       nfct_get_attr(entry, v4 ? ATTR_REPL_IPV4_SRC : ATTR_REPL_IPV6_SRC), length);
	if (nfct_attr_is_set(entry, ATTR_REPL_PORT_SRC))
		flow->target.port = ntohs(nfct_get_attr_u16(entry, ATTR_REPL_PORT_SRC));
	flow->translated = nfct_get_attr_u32(entry, ATTR_STATUS) & IPS_DST_NAT;
	return true;
}

/* The change that decides about this flow: its own address's, or any address's. */
static const struct ipmasq_change *change_for(const struct sweep *sweep, const struct flow *flow)
{
	const struct ipmasq_change *change = find(sweep, &flow->match);
	struct ipmasq_match any = flow->match;

	if (change || !sweep->any || !is_local(sweep, &flow->match.alias))
		return change;
	memset(any.alias.bytes, 0, sizeof(any.alias.bytes));
	change = find(sweep, &any);
	if (change && sweep->covered(change_key(change)->owner, &flow->match, sweep->data))
		return NULL; /* a forward of this very address carries it */
	return change;
}

/* Whether a wide redirect speaks of this flow. */
static bool takes(const struct sweep *sweep, const struct ipmasq_match *match,
		  const struct flow *flow)
{
	uint16_t port = flow->match.ports.low;

	if (flows_end_themselves(flow->match.protocol) && !(sweep->flags & IPMASQ_COMMIT_KILL))
		return false;
	if (match->family != flow->match.family ||
	    (match->protocol && match->protocol != flow->match.protocol) ||
	    (match->ports.low && (port < match->ports.low || port > match->ports.high)))
		return false;
	if (match->mark)
		return flow->translated;
	return ipmasq_address_is_any(&match->alias)
		       ? is_local(sweep, &flow->match.alias)
		       : ipmasq_address_equal(&match->alias, &flow->match.alias);
}

/* Ended by a wide redirect: what its host has lost, or what nobody translated before it. */
static bool ends_by_wide(const struct ipmasq_change *change, const struct flow *flow)
{
	if (flow->translated)
		return serves(change->before, flow) && !serves(change->after, flow);
	return change->after && !flows_end_themselves(flow->match.protocol);
}

/* Only protocols that are to be ended have their changes in the index. */
static bool must_end(const struct sweep *sweep, const struct flow *flow)
{
	const struct ipmasq_change *change = change_for(sweep, flow);

	for (size_t i = 0; !change && i < sweep->n_wide; i++)
		if (takes(sweep, &change_key(sweep->wide[i])->redirect.match, flow) &&
		    ends_by_wide(sweep->wide[i], flow))
			return true;
	if (!change)
		return false;
	if (flow->translated && serves(change->after, flow))
		return false;
	if (flow->match.protocol == IPPROTO_UDP && change->after)
		return true; /* nobody's, or another forward's: it would bypass this one */
	return flow->translated && serves(change->before, flow);
}

static int look_at(enum nf_conntrack_msg_type type, struct nf_conntrack *entry, void *data)
{
	const struct sweep *sweep = data;
	struct flow flow;

	(void)type;
	if (read_flow(entry, &flow) && must_end(sweep, &flow))
		nfct_query(sweep->killer, NFCT_Q_DESTROY, entry); /* gone already: as wished */
	return NFCT_CB_CONTINUE;
}

static int index_changes(struct sweep *sweep, const struct ipmasq_change *changes, size_t n)
{
	size_t used = 0;

	for (sweep->n_heads = 16; sweep->n_heads < n; sweep->n_heads *= 2)
		continue;
	sweep->heads = calloc(sweep->n_heads, sizeof(struct bucket *));
	sweep->nodes = calloc(n, sizeof(*sweep->nodes));
	sweep->wide = calloc(n, sizeof(*sweep->wide));
	if (!sweep->heads || !sweep->nodes || !sweep->wide)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct ipmasq_match *match = &change_key(&changes[i])->redirect.match;
		struct bucket **head;

		if (!worth_a_look(&changes[i], sweep->flags))
			continue;
		if (is_listed_apart(match)) {
			sweep->wide[sweep->n_wide++] = &changes[i];
			sweep->any |= ipmasq_address_is_any(&match->alias);
			continue;
		}
		head = &sweep->heads[match_hash(match) & (sweep->n_heads - 1)];
		sweep->nodes[used] = (struct bucket){*head, &changes[i]};
		*head = &sweep->nodes[used++];
		sweep->any |= ipmasq_address_is_any(&match->alias);
	}
	return used || sweep->n_wide;
}

/* Lets the kernel leave out what a single change cannot mean. */
static struct nfct_filter_dump *narrow(const struct ipmasq_change *changes, size_t n)
{
	struct nfct_filter_dump *filter = nfct_filter_dump_create();

	if (filter && n == 1)
		nfct_filter_dump_set_attr_u8(filter, NFCT_FILTER_DUMP_L3NUM,
					     change_key(changes)->redirect.match.family);
	return filter;
}

static int end_flows(const struct ipmasq_change *changes, size_t n_changes, unsigned int flags,
		     bool (*covered)(const char *owner, const struct ipmasq_match *match,
				     void *data),
		     void *data, struct ipmasq_error *error)
{
	struct sweep sweep = {.flags = flags, .covered = covered, .data = data};
	struct nfct_filter_dump *filter = NULL;
	int rc = index_changes(&sweep, changes, n_changes);

	if (rc <= 0)
		goto out;
	rc = -1;
	sweep.reader = nfct_open(CONNTRACK, 0);
	sweep.killer = nfct_open(CONNTRACK, 0);
	filter = narrow(changes, n_changes);
	if (!sweep.reader || !sweep.killer || !filter ||
	    (sweep.any && getifaddrs(&sweep.local) < 0))
		goto out;
	nfct_callback_register(sweep.reader, NFCT_T_ALL, look_at, &sweep);
	rc = nfct_query(sweep.reader, NFCT_Q_DUMP_FILTER, filter);
out:
	if (rc < 0)
		ipmasq_fail(
			error, errno,
			"the change is made, but the flows from before it could not be ended: %s",
			strerror(errno));
	if (filter)
		nfct_filter_dump_destroy(filter);
	if (sweep.reader)
		nfct_close(sweep.reader);
	if (sweep.killer)
		nfct_close(sweep.killer);
	if (sweep.local)
		freeifaddrs(sweep.local);
	free(sweep.wide);
	free(sweep.nodes);
	free(sweep.heads);
	return rc < 0 ? -1 : 0;
}

const struct ipmasq_flows_part ipmasq_flows_part = {end_flows};
