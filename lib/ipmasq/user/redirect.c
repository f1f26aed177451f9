// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Redirects in terms of libalias.
 *
 * A redirect is one of libalias's in each worker's border, always with a pool, if of one server
 * only: then it says nothing about what its inside host sends on its own account, as the kernel
 * engine's do not.  Its cookie leads back to the stored rule.  A changed redirect is a new one that
 * inherits links and counters of the servers that it shares with the old one; so what it carries
 * goes on to be counted, and to be ended when its server goes.
 *
 * The rank says what wins where several match: the owner's precedence, then as the kernel engine
 * has its places: one port, mark, range or whole address, what a trigger opened; in those, a given
 * address before any, one protocol before all, the narrower range; libalias does the rest, the most
 * specific and then the newest.
 *
 * With several workers each has its own schedule, so the shares of a pool are exact with one only.
 * Whose turn it is in a listing is then what it would be had one worker seen all connections.
 */
#include "internal.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_MAX  UINT32_MAX /* of a schedule in which somebody's turn never ends */
#define RANK_OWNER 20         /* shifts */
#define RANK_PLACE 18
#define RANK_ANY   17
#define RANK_ALL   16
#define WIDTH_MAX  0xffffu

enum place { PLACE_PORT, PLACE_MARK, PLACE_RANGE, PLACE_OPENED };

static bool one_port(const struct ipmasq_match *match)
{
	return match->ports.low && match->ports.low == match->ports.high;
}

static int cannot(struct ipmasq_error *error, const char *what)
{
	return ipmasq_fail(error, EOPNOTSUPP, "the user engine %s", what);
}

static int target_supported(const struct ipmasq_match *match, const struct ipmasq_target *target,
			    struct ipmasq_error *error)
{
	if (target->port && !match->mark && !one_port(match))
		return cannot(error,
			      "keeps the ports of a port range and of a whole address; leave the "
			      "inside port away");
	return 0;
}

int user_redirect_supported(const struct ipmasq_redirect *redirect, struct ipmasq_error *error)
{
	const struct ipmasq_match *match = &redirect->match;
	bool any = ipmasq_address_is_any(&match->alias);
	bool remote = !ipmasq_address_is_any(&match->remote);

	if (match->mark &&
	    (match->protocol || match->ports.low || match->remote_port || remote || !any))
		return cannot(error, "redirects by a mark alone, with no address, protocol or port "
				     "beside it");
	if (match->ports.low && match->protocol != IPPROTO_TCP && match->protocol != IPPROTO_UDP)
		return cannot(error,
			      "forwards ports of tcp and udp only; the kernel engine can forward "
			      "those of sctp");
	if (match->remote_port && !one_port(match))
		return cannot(error, "looks at the remote port only where one port is redirected");
	if (!match->mark && !match->protocol && (any || remote))
		return cannot(error, "redirects all protocols only of a given address and from "
				     "everybody");
	for (uint32_t i = 0; i < redirect->n_targets; i++)
		if (target_supported(match, &redirect->targets[i], error) < 0)
			return -1;
	return 0;
}

unsigned int redirect_rank(const char *owner, const struct ipmasq_match *match, bool opening)
{
	enum place place = opening           ? PLACE_OPENED
			   : match->mark     ? PLACE_MARK
			   : one_port(match) ? PLACE_PORT
					     : PLACE_RANGE;
	unsigned int width = 0;

	if (place == PLACE_RANGE)
		width = match->ports.low ? (unsigned int)(match->ports.high - match->ports.low)
					 : WIDTH_MAX;
	return ipmasq_owner_precedence(owner) << RANK_OWNER | (unsigned int)place << RANK_PLACE |
	       (unsigned int)ipmasq_address_is_any(&match->alias) << RANK_ANY |
	       (unsigned int)!match->protocol << RANK_ALL | width;
}

static struct alias_link *make(struct libalias *la, const struct ipmasq_match *match)
{
	struct in_addr any = {INADDR_ANY}, alias = match->alias.in4, remote = {INADDR_ANY};

	if (ipmasq_address_is_any(&match->alias))
		alias.s_addr = INADDR_NONE;
	if (!ipmasq_address_is_any(&match->remote))
		remote = match->remote.in4;
	if (match->mark)
		return LibAliasRedirectMark(la, any, 0, match->mark, 0);
	if (one_port(match))
		return LibAliasRedirectPort(la, any, 0, remote, htons(match->remote_port), alias,
					    htons(match->ports.low), match->protocol);
	if (match->ports.low)
		return LibAliasRedirectPortRange(la, any, 0, remote, alias, htons(match->ports.low),
						 htons(match->ports.high), match->protocol);
	if (match->protocol)
		return LibAliasRedirectProto(la, any, remote, alias, match->protocol);
	return LibAliasRedirectAddr(la, any, alias);
}

static int install(struct worker *worker, struct stored *stored)
{
	const struct ipmasq_redirect *redirect = &stored->rule->redirect;
	struct alias_link *link = make(worker->border, &redirect->match);

	if (!link)
		return -1;
	stored->redirect[worker->number] = link;
	for (uint32_t i = 0; i < redirect->n_targets; i++) {
		const struct ipmasq_target *target = &redirect->targets[i];

		if (LibAliasAddServerWeight(worker->border, link, target->address.in4,
					    htons(target->port), target->weight) < 0)
			return -1;
	}
	LibAliasRedirectSetRank(worker->border, link,
				redirect_rank(stored->rule->owner, &redirect->match, false));
	LibAliasRedirectSetCookie(worker->border, link, stored);
	return 0;
}

static struct stored *redirect_of(struct stored *stored)
{
	return stored && stored->rule->kind == IPMASQ_REDIRECT ? stored : NULL;
}

int redirect_install(const struct commit *commit, struct worker *worker)
{
	for (size_t i = 0; i < commit->n; i++) {
		struct stored *after = redirect_of(commit->items[i].after);

		if (after && install(worker, after) < 0)
			return -1;
	}
	return 0;
}

void redirect_undo(const struct commit *commit, struct worker *worker)
{
	for (size_t i = 0; i < commit->n; i++) {
		struct stored *after = redirect_of(commit->items[i].after);

		if (after && after->redirect[worker->number])
			LibAliasRedirectDelete(worker->border, after->redirect[worker->number]);
	}
}

/*
 * A flow of UDP would go on for ever with a server that is gone, so it ends; TCP connections finish
 * by themselves, so that a server can be drained, unless all are to be killed.
 */
void redirect_finish(const struct commit *commit, struct worker *worker)
{
	unsigned char protocol = commit->flags & IPMASQ_COMMIT_KILL ? 0 : IPPROTO_UDP;
	struct in_addr any = {INADDR_ANY};

	for (size_t i = 0; i < commit->n; i++) {
		struct stored *before = redirect_of(commit->items[i].before);
		struct stored *after = redirect_of(commit->items[i].after);
		struct alias_link *old;

		if (!before)
			continue;
		old = before->redirect[worker->number];
		if (after)
			LibAliasRedirectInherit(worker->border, after->redirect[worker->number],
						old);
		LibAliasRedirectEnd(worker->border, old, any, 0, protocol);
		LibAliasRedirectDelete(worker->border, old);
	}
}

/* The ports of which flows may be by-passing what is new; false: none. */
static bool revised_ports(const struct commit *commit, struct ipmasq_ports *ports)
{
	*ports = (struct ipmasq_ports){UINT16_MAX, 0};
	for (size_t i = 0; i < commit->n; i++) {
		const struct stored *after = redirect_of(commit->items[i].after);
		const struct ipmasq_match *match = after ? &after->rule->redirect.match : NULL;
		bool all;

		if (!match || match->mark || (match->protocol && match->protocol != IPPROTO_UDP))
			continue;
		all = !match->ports.low;
		if (all || match->ports.low < ports->low)
			ports->low = all ? 0 : match->ports.low;
		if (all || match->ports.high > ports->high)
			ports->high = all ? UINT16_MAX : match->ports.high;
	}
	return ports->low <= ports->high;
}

static void revise_some(struct libalias *la, unsigned int *cursor, int max, const void *data)
{
	const struct ipmasq_ports *ports = data;

	LibAliasRevise(la, cursor, max, IPPROTO_UDP, htons(ports->low), htons(ports->high));
}

void redirect_revise(struct user *user, const struct commit *commit)
{
	struct ipmasq_ports ports = {0, UINT16_MAX};

	if (commit && !revised_ports(commit, &ports))
		return;
	revise_links(user, revise_some, &ports);
}

static uint32_t first_eternal(const struct ipmasq_redirect *pool)
{
	uint32_t i = 0;

	while (i < pool->n_targets && pool->targets[i].weight)
		i++;
	return i;
}

/* How many connections in a row are the turn of the target at `position`, of those that count. */
static uint32_t turn_of(const struct ipmasq_redirect *pool, uint32_t position)
{
	return pool->targets[position].weight ? pool->targets[position].weight : ROUND_MAX;
}

static uint64_t round_of(const struct ipmasq_redirect *pool)
{
	uint64_t sum = 0;

	if (first_eternal(pool) < pool->n_targets)
		return ROUND_MAX;
	for (uint32_t i = 0; i < pool->n_targets; i++)
		sum += pool->targets[i].weight;
	return sum;
}

/* Adds one worker's counters; returns how many connections its schedule has seen in this round. */
static uint64_t read_worker(struct worker *worker, const struct stored *stored,
			    struct ipmasq_redirect *copy)
{
	struct alias_link *link = stored->redirect[worker->number];
	uint64_t steps = 0, seen = 0;

	pthread_mutex_lock(&worker->lock);
	for (uint32_t i = 0; i < copy->n_targets; i++) {
		struct ipmasq_target *target = &copy->targets[i];
		struct alias_server_info info;

		if (LibAliasRedirectServer(worker->border, link, i, &info) < 0)
			break;
		target->counters.packets += info.traffic.packets;
		target->counters.bytes += info.traffic.bytes;
		copy->connections += info.traffic.connections;
		if (info.head)
			seen = steps + (target->weight ? target->weight - info.left : 0);
		steps += turn_of(copy, i);
	}
	pthread_mutex_unlock(&worker->lock);
	return seen;
}

/* Turns the list so that it begins with the target whose turn it is. */
static int turn_to(struct ipmasq_redirect *pool, uint64_t seen)
{
	uint32_t n = pool->n_targets, head = 0;
	struct ipmasq_target *turned;
	uint64_t round = round_of(pool);

	for (seen %= round; seen >= turn_of(pool, head); head++)
		seen -= turn_of(pool, head);
	turned = malloc(n * sizeof(*turned));
	if (!turned)
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		turned[i] = pool->targets[(head + i) % n];
		turned[i].left = turned[i].weight;
	}
	if (turned[0].weight) /* preference 0 has no end to count down to */
		turned[0].left -= (uint32_t)seen;
	free(pool->targets);
	pool->targets = turned;
	return 0;
}

int redirect_read(struct user *user, const struct stored *stored, struct ipmasq_redirect *copy,
		  bool counters)
{
	bool pool = copy->n_targets > 1 || copy->match.mark;
	uint64_t seen = 0;

	copy->connections = 0;
	for (uint32_t i = 0; i < copy->n_targets; i++) {
		copy->targets[i].counters = (struct ipmasq_counters){0};
		copy->targets[i].left = copy->targets[i].weight;
	}
	if (!pool && !counters)
		return 0;
	for (unsigned int w = 0; w < user->n_workers; w++)
		seen += read_worker(&user->workers[w], stored, copy);
	if (!pool) {
		copy->connections = 0; /* counted for pools only */
		return 0;
	}
	return turn_to(copy, seen);
}
