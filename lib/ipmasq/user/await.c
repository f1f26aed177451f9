// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What helpers of one worker await, and a packet of another worker's brings.
 *
 * A helper that announces a port to one remote host may await anybody there: media come from other
 * hosts than signals.  Who comes belongs to the worker of its own address, which knows nothing of
 * it.  So each worker tells by a flag whether it awaits anything; a packet for which nothing was
 * found then asks all the others, each under its own lock, and none while another is held.
 */
#include "internal.h"
#include "packet.h"

#include <netinet/tcp.h>

bool await_others(const struct worker *worker)
{
	const struct user *user = worker->user;

	for (const struct worker *other = user->workers; other < user->workers + user->n_workers;
	     other++)
		if (other != worker && atomic_load_explicit(&other->awaits, memory_order_relaxed))
			return true;
	return false;
}

bool await_may_be(const struct user_packet *packet)
{
	const struct ip *ip = packet->data;
	const uint8_t *tcp;

	if (packet_begins_fragments(ip))
		return false;
	if (ip->ip_p != IPPROTO_TCP)
		return ip->ip_p == IPPROTO_UDP && packet_transport(packet, 8);
	tcp = packet_transport(packet, sizeof(struct tcphdr));
	return tcp && (tcp[13] & (TH_FIN | TH_SYN | TH_RST | TH_ACK)) == TH_SYN;
}

bool await_take(struct worker *worker, const struct user_packet *packet, bool incoming,
		struct alias_awaited *awaited)
{
	struct user *user = worker->user;
	bool found = false;

	for (struct worker *other = user->workers;
	     !found && other < user->workers + user->n_workers; other++) {
		if (other == worker)
			continue;
		pthread_mutex_lock(&other->lock);
		found = LibAliasTakeAwaited(other->border, packet->data, incoming, awaited) == 0;
		pthread_mutex_unlock(&other->lock);
	}
	return found;
}

void await_note(struct worker *worker)
{
	struct alias_stats stats;

	if (worker->user->n_workers == 1)
		return;
	LibAliasGetStats(worker->border, &stats);
	atomic_store_explicit(&worker->awaits, stats.expectations != 0, memory_order_relaxed);
}
