// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way of packets through a worker's instances, hook by hook.
 *
 *   from outside    border in; what comes from a proxy server then gets, by inner in, the source
 *                   that its client has asked
 *   to outside      border out, and triggers look at what was masqueraded
 *   from inside     to an address that is redirected: border in; else inner out
 *   to inside       the hairpin's other half: border out if a link says so, or is to be made;
 *                   then inner in
 *
 * Runs of packets of one hook go through libalias's batches, with the worker's lock held.  What
 * another worker has to do about a packet (another remote host, another client) is done after that,
 * with that worker's lock only.
 *
 * What comes from outside for an inside host that is masqueraded, without having been redirected,
 * gets a link, too: its answers are to keep their source.
 *
 * A link whose two views are the same changes nothing, and a packet is as it was when its headers
 * are; then it need not be copied back to the kernel.
 */
#include "internal.h"
#include "packet.h"

#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <string.h>

#define BATCH       64u
#define HEAD_BYTES  44u /* addresses, ports, sequence numbers, lengths and checksums */
#define MODE_SOURCE PKT_ALIAS_MASQUERADE_RULES

_Static_assert(HEAD_BYTES >= sizeof(struct ip) + sizeof(struct tcphdr), "has the checksums");

/* The beginning of a packet as it came. */
struct head {
	uint8_t bytes[HEAD_BYTES];
	unsigned int length;
};

static void head_take(struct head *head, const struct user_packet *packet)
{
	head->length = packet->size < (int)HEAD_BYTES ? (unsigned int)packet->size : HEAD_BYTES;
	memcpy(head->bytes, packet->data, head->length);
}

static bool head_same(const struct head *head, const struct user_packet *packet)
{
	return memcmp(head->bytes, packet->data, head->length) == 0;
}

/* A mark counts on what opens a connection: not in the middle of a TCP connection. */
static uint32_t mark_of(const struct user_packet *packet)
{
	const struct ip *ip = packet->data;
	const uint8_t *tcp;

	if (!packet->mark || ip->ip_p != IPPROTO_TCP)
		return packet->mark;
	tcp = packet_transport(packet, sizeof(struct tcphdr));
	return tcp && (tcp[13] & (TH_FIN | TH_SYN | TH_RST | TH_ACK)) == TH_SYN ? packet->mark : 0;
}

/* Whether border has translated the packet, so that nothing else is to be done to it. */
static bool judge(struct worker *worker, struct user_packet *packet, const struct head *head,
		  int result)
{
	switch (result) {
	case PKT_ALIAS_OK:
	case PKT_ALIAS_FOUND_HEADER_FRAGMENT:
		packet->verdict = head_same(head, packet) ? USER_KEEP : USER_CHANGED;
		return true;
	case PKT_ALIAS_UNRESOLVED_FRAGMENT:
		packet->verdict = fragment_hold(worker, packet) ? USER_HOLD : USER_DROP;
		return true;
	case PKT_ALIAS_ERROR:
		packet->verdict = USER_DROP;
		return true;
	default:
		packet->verdict = USER_KEEP;
		return false;
	}
}

static bool goes_on(const struct user_packet *packet)
{
	return packet->verdict == USER_KEEP || packet->verdict == USER_CHANGED;
}

/* A run of packets of one hook. */
struct run {
	struct worker *worker;
	struct user_packet *packets;
	unsigned int n;
	struct head heads[BATCH];
	bool malformed[BATCH];
	struct alias_packet alias[BATCH];
	bool left[BATCH]; /* for another worker */
};

static void border_batch(struct run *run,
			 int (*batch)(struct libalias *, struct alias_packet *, int))
{
	for (unsigned int i = 0; i < run->n; i++) {
		struct user_packet *packet = &run->packets[i];

		head_take(&run->heads[i], packet);
		run->malformed[i] = !packet_has_header(packet);
		run->alias[i] = (struct alias_packet){
			.data = packet->data,
			.size = packet->size,
			.mark = packet->mark && !run->malformed[i] ? mark_of(packet) : 0,
		};
	}
	batch(run->worker->border, run->alias, (int)run->n);
}

static bool proxying(const struct worker *worker)
{
	return atomic_load_explicit(&worker->user->hooks, memory_order_relaxed) & USER_HOOK_PROXY;
}

/* In the inner instance of the worker of the client, which is locked. */
static void inner_in(struct worker *worker, struct user_packet *packet)
{
	struct head head;

	head_take(&head, packet);
	if (LibAliasIn(worker->inner, packet->data, packet->size) == PKT_ALIAS_ERROR)
		packet->verdict = USER_DROP;
	else if (!head_same(&head, packet))
		packet->verdict = USER_CHANGED;
}

static struct worker *worker_for(const struct worker *worker, struct in_addr remote)
{
	return &worker->user->workers[steer(worker->user, remote)];
}

/* It becomes known to the worker of who comes. */
static void awaited_elsewhere(struct worker *worker, struct user_packet *packet,
			      const struct head *head)
{
	struct alias_awaited awaited;

	if (!await_take(worker, packet, true, &awaited))
		return;
	pthread_mutex_lock(&worker->lock);
	judge(worker, packet, head,
	      LibAliasInAwaited(worker->border, packet->data, packet->size, &awaited));
	pthread_mutex_unlock(&worker->lock);
}

static void from_outside(struct run *run)
{
	struct worker *worker = run->worker;
	bool proxies = proxying(worker), others = await_others(worker);

	border_batch(run, LibAliasInBatch);
	for (unsigned int i = 0; i < run->n; i++) {
		struct user_packet *packet = &run->packets[i];
		bool found = judge(worker, packet, &run->heads[i], run->alias[i].result);

		if (run->malformed[i])
			continue;
		run->left[i] = !found && others && await_may_be(packet);
		if (run->left[i])
			continue;
		if (packet_begins_fragments(packet->data) && goes_on(packet))
			fragment_release(worker, packet);
		if (!proxies || !goes_on(packet))
			continue;
		if (worker_for(worker, packet_destination(packet->data)) == worker)
			inner_in(worker, packet);
		else
			run->left[i] = true;
	}
}

static void from_outside_elsewhere(struct worker *worker, struct user_packet *packet,
				   const struct head *head)
{
	struct worker *other;

	if (packet->verdict == USER_KEEP && await_may_be(packet))
		awaited_elsewhere(worker, packet, head);
	if (!proxying(worker) || !goes_on(packet))
		return;
	other = worker_for(worker, packet_destination(packet->data));
	pthread_mutex_lock(&other->lock);
	inner_in(other, packet);
	pthread_mutex_unlock(&other->lock);
}

/* What a trigger may want to know of a packet that was masqueraded; false: nothing. */
static bool sight(const struct worker *worker, const struct user_packet *packet,
		  const struct head *head, struct sighting *sighting)
{
	const struct ip *ip = packet->data;
	const uint8_t *l4;

	if (!worker->watch || packet->verdict != USER_CHANGED)
		return false;
	l4 = packet_transport(packet, 8);
	if (!l4 || !trigger_is_control(worker->watch, ip->ip_p, (uint16_t)(l4[2] << 8 | l4[3])))
		return false;
	*sighting = (struct sighting){
		.inside = packet_source(head->bytes),
		.remote = packet_destination(packet->data),
		.alias = packet_source(packet->data),
		.protocol = ip->ip_p,
		.port = (uint16_t)(l4[2] << 8 | l4[3]),
	};
	return sighting->inside.s_addr != sighting->alias.s_addr;
}

/* Whether the conversation of a packet that leaves was begun by the inside host. */
static bool began_inside(struct worker *worker, const struct user_packet *packet)
{
	struct alias_link_info link;
	struct packet_answer answer;

	return packet_answer(&answer, packet) &&
	       LibAliasFindLink(worker->border, &answer, 1, &link) == 0 && !link.incoming;
}

/* What triggers open for a packet that has left; true: the other workers have to see it, too. */
static bool triggers_see(struct worker *worker, const struct user_packet *packet,
			 const struct head *head)
{
	struct sighting sighting;

	return sight(worker, packet, head, &sighting) && began_inside(worker, packet) &&
	       trigger_see(worker, &sighting, false);
}

/* LibAliasOutBatch(), but what may be the first of what a helper awaits makes no link. */
static int out_unless_awaited(struct libalias *la, struct alias_packet *packets, int n)
{
	for (int i = 0; i < n; i++) {
		const struct user_packet packet = {.data = packets[i].data,
						   .size = packets[i].size};
		bool create = !packet_has_header(&packet) || !await_may_be(&packet);

		packets[i].result = LibAliasOutTry(la, packets[i].data, packets[i].size, create);
	}
	return n;
}

static void to_outside(struct run *run)
{
	struct worker *worker = run->worker;
	bool others = await_others(worker);

	border_batch(run, others ? out_unless_awaited : LibAliasOutBatch);
	for (unsigned int i = 0; i < run->n; i++) {
		const struct user_packet *packet = &run->packets[i];
		bool found = judge(worker, &run->packets[i], &run->heads[i], run->alias[i].result);

		if (run->malformed[i])
			continue;
		run->left[i] = found ? triggers_see(worker, packet, &run->heads[i])
				     : others && await_may_be(packet);
	}
}

/*
 * What an inside host sends first leaves from the port that a helper has announced, whoever's
 * worker it was announced to.  true: the other workers have to see it, too.
 */
static bool out_awaited(struct worker *worker, struct user_packet *packet, const struct head *head)
{
	struct alias_awaited awaited;
	bool found = await_take(worker, packet, false, &awaited), see;
	int result;

	pthread_mutex_lock(&worker->lock);
	result = found ? LibAliasOutAwaited(worker->border, packet->data, packet->size, &awaited)
		       : LibAliasOut(worker->border, packet->data, packet->size);
	see = judge(worker, packet, head, result) && triggers_see(worker, packet, head);
	pthread_mutex_unlock(&worker->lock);
	return see;
}

/* The openings that are for everybody are to be made in the other workers, too. */
static void to_outside_elsewhere(struct worker *worker, struct user_packet *packet,
				 const struct head *head)
{
	struct user *user = worker->user;

	if (packet->verdict == USER_KEEP && !out_awaited(worker, packet, head))
		return;
	for (struct worker *other = user->workers; other < user->workers + user->n_workers;
	     other++) {
		struct sighting sighting;

		if (other == worker)
			continue;
		pthread_mutex_lock(&other->lock);
		if (sight(other, packet, head, &sighting))
			trigger_see(other, &sighting, true);
		pthread_mutex_unlock(&other->lock);
	}
}

/*
 * What is for an alias address that something is redirected from has a link, or gets one; all else
 * of the border's is left alone.  What passes by on its way elsewhere may go to a proxy.
 */
static void from_inside(struct run *run)
{
	struct worker *worker = run->worker;
	bool others = await_others(worker);

	LibAliasSetMode(worker->border, PKT_ALIAS_DENY_INCOMING, PKT_ALIAS_DENY_INCOMING);
	border_batch(run, LibAliasInBatch);
	LibAliasSetMode(worker->border, 0, PKT_ALIAS_DENY_INCOMING);
	for (unsigned int i = 0; i < run->n; i++) {
		struct user_packet *packet = &run->packets[i];
		int result = run->alias[i].result;

		if (result == PKT_ALIAS_UNRESOLVED_FRAGMENT &&
		    !own_has(worker->own, packet_destination(packet->data)))
			result = PKT_ALIAS_IGNORED; /* on its way elsewhere */
		if (judge(worker, packet, &run->heads[i], result)) {
			if (packet_begins_fragments(packet->data) && goes_on(packet))
				fragment_release(worker, packet);
			continue;
		}
		if (run->malformed[i])
			continue;
		if (own_has(worker->own, packet_destination(packet->data))) {
			run->left[i] = others && await_may_be(packet);
			if (packet_begins_fragments(packet->data))
				fragment_release(worker, packet);
			continue;
		}
		if (!proxying(worker))
			continue;
		result = LibAliasOut(worker->inner, packet->data, packet->size);
		judge(worker, packet, &run->heads[i], result);
	}
}

static void from_inside_elsewhere(struct worker *worker, struct user_packet *packet,
				  const struct head *head)
{
	awaited_elsewhere(worker, packet, head);
}

/* Whether the conversation of a packet on its way to the inside was redirected, or proxied. */
static bool was_redirected(struct worker *worker, const struct user_packet *packet)
{
	struct alias_link_info link;
	struct packet_answer answer;

	if (!packet_answer(&answer, packet))
		return false;
	return LibAliasFindLink(worker->border, &answer, 0, &link) == 0 ||
	       LibAliasFindLink(worker->inner, &answer, 1, &link) == 0;
}

/* The address of ours that is nearest to a host, by the leading bits that they have in common. */
static struct in_addr nearest(const struct own *own, struct in_addr host)
{
	struct in_addr best = own->first;

	for (unsigned int i = 0; i < own->n; i++)
		if ((ntohl(own->list[i].s_addr) ^ ntohl(host.s_addr)) <
		    (ntohl(best.s_addr) ^ ntohl(host.s_addr)))
			best = own->list[i];
	return best;
}

/*
 * Gives a packet that goes back where it came from a source of ours, so that its answer comes here:
 * the address that masquerading by the kernel would give, that of the net of its server.
 */
static int out_as_ours(struct worker *worker, struct user_packet *packet)
{
	struct libalias *la = worker->border;
	unsigned int mode = LibAliasSetMode(la, 0, MODE_SOURCE | PKT_ALIAS_RESET_ON_ADDR_CHANGE);
	int result;

	LibAliasSetAddress(la, nearest(worker->own, packet_destination(packet->data)));
	result = LibAliasOut(la, packet->data, packet->size);
	LibAliasSetAddress(la, worker->own->first);
	LibAliasSetMode(la, mode, MODE_SOURCE | PKT_ALIAS_RESET_ON_ADDR_CHANGE);
	return result;
}

/* Whether a packet that has no link may be the first of a hairpin's other half. */
static bool may_be_hairpin(const struct worker *worker, const struct user_packet *packet)
{
	return !packet->onward && worker->own && worker->own->n &&
	       !own_has(worker->own, packet_source(packet->data)) &&
	       !own_has(worker->own, packet_destination(packet->data));
}

static void to_inside(struct run *run)
{
	struct worker *worker = run->worker;

	for (unsigned int i = 0; i < run->n; i++) {
		struct user_packet *packet = &run->packets[i];
		int result;

		head_take(&run->heads[i], packet);
		run->malformed[i] = !packet_has_header(packet);
		packet->verdict = USER_KEEP;
		if (run->malformed[i])
			continue;
		result = LibAliasOutTry(worker->border, packet->data, packet->size, 0);
		if (!judge(worker, packet, &run->heads[i], result) &&
		    may_be_hairpin(worker, packet))
			run->left[i] = true;
		if (goes_on(packet) && proxying(worker))
			inner_in(worker, packet);
	}
}

/* Who calls, and what it called, is known to the worker of the caller. */
static void to_inside_elsewhere(struct worker *worker, struct user_packet *packet,
				const struct head *head)
{
	struct worker *caller = worker_for(worker, packet_source(packet->data));
	bool redirected;

	pthread_mutex_lock(&caller->lock);
	redirected = was_redirected(caller, packet);
	pthread_mutex_unlock(&caller->lock);
	if (!redirected)
		return;
	pthread_mutex_lock(&worker->lock);
	judge(worker, packet, head, out_as_ours(worker, packet));
	pthread_mutex_unlock(&worker->lock);
}

static const struct {
	void (*here)(struct run *run);
	/* About a packet that is left over; no lock is held. */
	void (*elsewhere)(struct worker *worker, struct user_packet *packet,
			  const struct head *head);
} hooks[USER_HOOKS] = {
	[USER_FROM_OUTSIDE] = {from_outside, from_outside_elsewhere},
	[USER_TO_OUTSIDE] = {to_outside, to_outside_elsewhere},
	[USER_FROM_INSIDE] = {from_inside, from_inside_elsewhere},
	[USER_TO_INSIDE] = {to_inside, to_inside_elsewhere},
};

/*
 * An ICMP redirect about a translated conversation would have the two talk to each other without
 * our translation.
 */
static bool misleads(const struct user_packet *packet)
{
	const struct ip *ip = packet->data;
	const uint8_t *icmp;

	if (packet->verdict != USER_CHANGED || ip->ip_p != IPPROTO_ICMP)
		return false;
	icmp = packet_transport(packet, 1);
	return icmp && icmp[0] == ICMP_REDIRECT;
}

static void finish(struct worker *worker, struct run *run)
{
	for (unsigned int i = 0; i < run->n; i++) {
		struct user_packet *packet = &run->packets[i];

		if (misleads(packet))
			packet->verdict = USER_DROP;
		worker->packets[packet->hook]++;
		if (!run->malformed[i])
			worker->bytes[packet->hook] += ntohs(
				((const struct ip *)(const void *)run->heads[i].bytes)->ip_len);
		worker->verdicts[packet->verdict]++;
	}
	await_note(worker);
}

static void translate_run(struct run *run)
{
	struct worker *worker = run->worker;
	unsigned int hook = run->packets[0].hook;
	bool left = false;

	memset(run->left, 0, sizeof(run->left));
	pthread_mutex_lock(&worker->lock);
	trigger_sweep(worker);
	hooks[hook].here(run);
	for (unsigned int i = 0; i < run->n; i++)
		left |= run->left[i];
	if (!left)
		finish(worker, run);
	pthread_mutex_unlock(&worker->lock);
	if (!left)
		return;
	for (unsigned int i = 0; i < run->n; i++)
		if (run->left[i])
			hooks[hook].elsewhere(worker, &run->packets[i], &run->heads[i]);
	pthread_mutex_lock(&worker->lock);
	finish(worker, run);
	pthread_mutex_unlock(&worker->lock);
}

void user_translate(struct user *user, unsigned int number, struct user_packet *packets,
		    unsigned int n)
{
	struct run run = {.worker = &user->workers[number]};

	for (unsigned int i = 0; i < n; i += run.n) {
		run.packets = packets + i;
		run.n = 1;
		while (run.n < BATCH && i + run.n < n && packets[i + run.n].hook == packets[i].hook)
			run.n++;
		translate_run(&run);
	}
}
