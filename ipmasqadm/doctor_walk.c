// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet on its way through everybody's chains: who drops it, or takes it elsewhere, first?
 *
 * The first packet of a stranger's connection goes through the hooks as the kernel would have it
 * (ingress, prerouting, forward or input, postrouting), base chains by priority and, of equal
 * priority, the newest first, since the kernel puts a new hook before its equals.  Where our own
 * chain stands in prerouting the forward's translation is made.  The inside host's answer goes the
 * other way.  A rule that matches some strangers only is no fault when it drops; when it accepts,
 * what drops behind it drops the others.
 */
#include "doctor_ruleset.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX         16
#define STEPS_MAX         100000 /* rules, for one packet */
#define PRIORITY_CT       (-200)
#define SOURCE_PORT       40000u
#define TCP_SYN           0x02
#define TCP_SYN_ACK       0x12
#define STATE_ESTABLISHED 2u
#define STATE_NEW         8u

struct walk {
	struct doctor *doctor;
	const struct ruleset *ruleset;
	struct forward *forward;
	struct packet packet;
	unsigned int steps;
	bool translated;                      /* our forward has taken it */
	bool accepted_some, accepted_perhaps; /* in this base chain, before */
};

/* How a chain, or a rule, leaves the packet. */
enum fate { FATE_GOES_ON, FATE_ACCEPTED, FATE_RETURNED, FATE_LOST };

static const char *family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return "inet";
	}
}

static const char *deed(const struct walk *walk, enum effect_kind kind)
{
	switch (kind) {
	case EFFECT_DROP:
		return walk->packet.answer ? "drops the inside host's answers"
					   : "drops the connection";
	case EFFECT_TRANSLATE:
		return "sends the connection elsewhere before the forward has its turn";
	case EFFECT_UNTRACK:
		return "takes the connection out of connection tracking, so that it is not "
		       "translated";
	default:
		return "hands the connection to a program, which may drop it";
	}
}

static void say_rule(struct walk *walk, const struct chain *chain, const struct nftnl_rule *rule,
		     const struct effect *effect, bool sure)
{
	uint64_t handle = nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE);
	const char *why = effect->certainty == UNSURE ? effect->blind : NULL;
	char mend[192];

	snprintf(mend, sizeof(mend), "nft delete rule %s %s %s handle %" PRIu64,
		 family_name(chain->family), chain->table, chain->name, handle);
	if (sure)
		doctor_say(walk->doctor, DOCTOR_FAIL, "ruleset", walk->forward, mend,
			   "table %s %s, chain %s, handle %" PRIu64 " %s",
			   family_name(chain->family), chain->table, chain->name, handle,
			   deed(walk, effect->kind));
	else
		doctor_say(walk->doctor, DOCTOR_WARN, "ruleset", walk->forward, mend,
			   "table %s %s, chain %s, handle %" PRIu64 " perhaps %s (cannot tell%s%s)",
			   family_name(chain->family), chain->table, chain->name, handle,
			   deed(walk, effect->kind), why ? ": " : " whom an earlier rule accepts",
			   why ? why : "");
}

static void say_policy(struct walk *walk, const struct chain *chain)
{
	bool sure = !walk->accepted_some && !walk->accepted_perhaps;
	char mend[192];

	snprintf(mend, sizeof(mend), "nft add rule %s %s %s %s accept", family_name(chain->family),
		 chain->table, chain->name,
		 walk->packet.answer ? "ct state established,related" : "ct status dnat");
	doctor_say(walk->doctor, sure ? DOCTOR_FAIL : DOCTOR_WARN, "policy", walk->forward, mend,
		   "the policy of table %s %s, chain %s drops %s%s", family_name(chain->family),
		   chain->table, chain->name,
		   walk->packet.answer ? "the inside host's answers" : "the connection",
		   sure                     ? ""
		   : walk->accepted_perhaps ? ", unless a rule that cannot be told accepts it"
					    : ", but for some sources");
}

static bool run_rule(struct walk *walk, const struct chain *chain, struct nftnl_rule *rule,
		     struct effect *effect)
{
	struct nftnl_expr_iter *iterator = nftnl_expr_iter_create(rule);
	struct registers registers = {0};
	const struct nftnl_expr *expression;
	bool matches = iterator;

	*effect = (struct effect){0};
	while (matches && effect->kind == EFFECT_NONE &&
	       (expression = nftnl_expr_iter_next(iterator)))
		matches = expression_run(walk->ruleset, chain, expression, &walk->packet,
					 &registers, effect);
	if (iterator)
		nftnl_expr_iter_destroy(iterator);
	return matches;
}

static enum fate run_chain(struct walk *walk, const struct chain *chain, enum certainty certainty,
			   unsigned int depth);

/* What takes the connection away; true: for certain, so that the way ends here. */
static bool lose(struct walk *walk, const struct chain *chain, const struct nftnl_rule *rule,
		 const struct effect *effect)
{
	bool sure = effect->certainty == SURE && effect->kind != EFFECT_QUEUE &&
		    !walk->accepted_some && !walk->accepted_perhaps;

	if (effect->certainty == SOME)
		return false;
	say_rule(walk, chain, rule, effect, sure);
	return effect->certainty == SURE && effect->kind != EFFECT_QUEUE;
}

static enum fate take_effect(struct walk *walk, const struct chain *chain,
			     const struct nftnl_rule *rule, const struct effect *effect,
			     unsigned int depth)
{
	const struct chain *to;
	enum fate fate = FATE_GOES_ON;

	switch (effect->kind) {
	case EFFECT_NONE:
		return FATE_GOES_ON;
	case EFFECT_ACCEPT:
		walk->accepted_some |= effect->certainty == SOME;
		walk->accepted_perhaps |= effect->certainty == UNSURE;
		return effect->certainty == SURE ? FATE_ACCEPTED : FATE_GOES_ON;
	case EFFECT_RETURN:
		return effect->certainty == SURE ? FATE_RETURNED : FATE_GOES_ON;
	case EFFECT_JUMP:
	case EFFECT_GOTO:
		to = ruleset_chain(walk->ruleset, chain, effect->chain);
		if (to && depth < DEPTH_MAX)
			fate = run_chain(walk, to, effect->certainty, depth + 1);
		if (effect->certainty != SURE)
			return FATE_GOES_ON;
		return fate == FATE_GOES_ON && effect->kind == EFFECT_GOTO ? FATE_RETURNED : fate;
	case EFFECT_TRANSLATE:
		if (walk->packet.answer || walk->translated) /* the first translation stands */
			return effect->certainty == SURE ? FATE_ACCEPTED : FATE_GOES_ON;
		break;
	default:
		break;
	}
	return lose(walk, chain, rule, effect) ? FATE_LOST : FATE_GOES_ON;
}

/* Runs a chain that was entered with this certainty. */
static enum fate run_chain(struct walk *walk, const struct chain *chain, enum certainty certainty,
			   unsigned int depth)
{
	for (size_t i = 0; i < chain->n_rules && walk->steps < STEPS_MAX; i++, walk->steps++) {
		struct effect effect;
		enum fate fate;

		if (!run_rule(walk, chain, chain->rules[i], &effect))
			continue;
		if (certainty != SURE)
			effect_doubt(&effect, certainty, "how the packet comes to this chain");
		fate = take_effect(walk, chain, chain->rules[i], &effect, depth);
		if (fate == FATE_RETURNED)
			return FATE_GOES_ON;
		if (fate != FATE_GOES_ON)
			return fate;
	}
	return FATE_GOES_ON;
}

static void put_address(struct packet *packet, bool source, const struct ipmasq_address *address)
{
	size_t length = ipmasq_address_length(packet->family);
	size_t at = packet->family == AF_INET ? (source ? 12 : 16) : (source ? 8 : 24);

	if (address)
		memcpy(packet->network + at, address->bytes, length);
	memset(packet->network_state + at, address ? BYTE_KNOWN : BYTE_STRANGER, length);
}

static void put_port(struct packet *packet, bool source, uint16_t port)
{
	size_t at = source ? 0 : 2;

	packet->transport[at] = (uint8_t)(port >> 8);
	packet->transport[at + 1] = (uint8_t)port;
}

static void put_constants(struct packet *packet)
{
	bool v4 = packet->family == AF_INET;

	memset(packet->network_state, v4 ? BYTE_KNOWN : BYTE_UNKNOWN,
	       sizeof(packet->network_state));
	packet->network[0] = v4 ? 0x45 : 0x60;
	packet->network_state[0] = BYTE_KNOWN;
	packet->network[v4 ? 9 : 6] = packet->protocol;
	packet->network_state[v4 ? 9 : 6] = BYTE_KNOWN;
	if (v4) {
		packet->network[6] = 0x40;                           /* DF */
		memset(packet->network_state + 2, BYTE_UNKNOWN, 4);  /* length, identification */
		memset(packet->network_state + 8, BYTE_UNKNOWN, 1);  /* TTL */
		memset(packet->network_state + 10, BYTE_UNKNOWN, 2); /* checksum */
		memset(packet->network_state + 20, BYTE_UNKNOWN, NETWORK_HEADER - 20);
	}
	memset(packet->transport_state + 4, BYTE_UNKNOWN, TRANSPORT_HEADER - 4);
	if (packet->protocol == IPPROTO_TCP) {
		packet->transport[13] = packet->answer ? TCP_SYN_ACK : TCP_SYN;
		packet->transport_state[13] = BYTE_KNOWN;
	}
}

static void translate(struct walk *walk)
{
	put_address(&walk->packet, false, &walk->forward->inside);
	put_port(&walk->packet, false, walk->forward->inside_port);
	walk->packet.ct_status |= IPS_DST_NAT | IPS_DST_NAT_DONE;
	walk->translated = true;
}

/* A base chain; false: the packet's way has ended. */
static bool run_base(struct walk *walk, const struct chain *chain)
{
	enum fate fate;

	if (chain->ours) {
		if (chain->nat && chain->hook == NF_INET_PRE_ROUTING && !walk->packet.answer)
			translate(walk);
		return true;
	}
	/* The answers of a connection that is translated do not see chains of type nat. */
	if (chain->nat &&
	    (walk->packet.answer || (chain->hook == NF_INET_PRE_ROUTING && walk->translated)))
		return true;
	walk->packet.tracked = chain->priority > PRIORITY_CT;
	walk->accepted_some = walk->accepted_perhaps = false;
	fate = run_chain(walk, chain, SURE, 0);
	if (fate == FATE_LOST)
		return false;
	if (fate == FATE_ACCEPTED || !chain->drops)
		return true;
	say_policy(walk, chain);
	return false;
}

static int by_priority(const void *a, const void *b)
{
	const struct chain *one = *(const struct chain *const *)a;
	const struct chain *other = *(const struct chain *const *)b;

	if (one->priority != other->priority)
		return one->priority < other->priority ? -1 : 1;
	return one->order > other->order ? -1 : one->order < other->order;
}

static bool is_at(const struct walk *walk, const struct chain *chain, uint32_t hook)
{
	if (!chain->base)
		return false;
	if (hook == NF_INET_INGRESS)
		return ((chain->family == NFPROTO_NETDEV && chain->hook == NF_NETDEV_INGRESS) ||
			(chain->family == NFPROTO_INET && chain->hook == NF_INET_INGRESS)) &&
		       walk->packet.in && strcmp(chain->device, walk->packet.in->name) == 0;
	return chain->hook == hook &&
	       (chain->family == NFPROTO_INET || chain->family == walk->packet.family);
}

/* All base chains of a hook; false: the packet's way has ended. */
static bool run_hook(struct walk *walk, uint32_t hook)
{
	const struct ruleset *ruleset = walk->ruleset;
	const struct chain **chains = calloc(ruleset->n_chains + 1, sizeof(const struct chain *));
	size_t n = 0;
	bool goes_on = chains;

	if (!chains)
		walk->doctor->report.full = true;
	for (size_t i = 0; chains && i < ruleset->n_chains; i++)
		if (is_at(walk, &ruleset->chains[i], hook))
			chains[n++] = &ruleset->chains[i];
	if (n)
		qsort(chains, n, sizeof(*chains), by_priority);
	walk->packet.has_in = hook != NF_INET_LOCAL_OUT && hook != NF_INET_POST_ROUTING;
	walk->packet.has_out =
		hook != NF_INET_PRE_ROUTING && hook != NF_INET_LOCAL_IN && hook != NF_INET_INGRESS;
	if (hook == NF_INET_POST_ROUTING) /* the kernel has it there, too, when it forwards */
		walk->packet.has_in = !walk->forward->local;
	for (size_t i = 0; goes_on && i < n; i++)
		goes_on = run_base(walk, chains[i]);
	free(chains);
	return goes_on;
}

static void begin(struct walk *walk, struct doctor *doctor, const struct ruleset *ruleset,
		  struct forward *forward, bool answer)
{
	const struct net_link *in = net_link(&doctor->net, forward->in);
	const struct net_link *out = net_link(&doctor->net, forward->out);

	*walk = (struct walk){.doctor = doctor, .ruleset = ruleset, .forward = forward};
	walk->packet = (struct packet){
		.family = forward->alias.family,
		.protocol = forward->protocol,
		.in = answer ? out : in,
		.out = answer ? in : out,
		.answer = answer,
		.own_address = !answer,
		.ct_state = answer ? STATE_ESTABLISHED : STATE_NEW,
		.forward = forward,
	};
	put_constants(&walk->packet);
}

/* The first packet of a connection, from outside; true: it comes through. */
static bool lead_in(struct doctor *doctor, const struct ruleset *ruleset, struct forward *forward)
{
	struct walk walk;

	begin(&walk, doctor, ruleset, forward, false);
	put_address(&walk.packet, true, NULL);
	put_address(&walk.packet, false,
		    ipmasq_address_is_any(&forward->alias) ? NULL : &forward->alias);
	put_port(&walk.packet, true, SOURCE_PORT);
	put_port(&walk.packet, false, forward->port);
	if (!run_hook(&walk, NF_INET_INGRESS) || !run_hook(&walk, NF_INET_PRE_ROUTING))
		return false;
	walk.packet.own_address = forward->local;
	if (forward->local)
		return run_hook(&walk, NF_INET_LOCAL_IN);
	return run_hook(&walk, NF_INET_FORWARD) && run_hook(&walk, NF_INET_POST_ROUTING);
}

static bool lead_out(struct doctor *doctor, const struct ruleset *ruleset, struct forward *forward)
{
	struct walk walk;

	begin(&walk, doctor, ruleset, forward, true);
	walk.packet.ct_status =
		IPS_DST_NAT | IPS_DST_NAT_DONE | IPS_SRC_NAT_DONE | IPS_SEEN_REPLY | IPS_CONFIRMED;
	put_address(&walk.packet, true, &forward->inside);
	put_address(&walk.packet, false, NULL);
	put_port(&walk.packet, true, forward->inside_port);
	put_port(&walk.packet, false, SOURCE_PORT);
	if (forward->local)
		return run_hook(&walk, NF_INET_LOCAL_OUT) && run_hook(&walk, NF_INET_POST_ROUTING);
	return run_hook(&walk, NF_INET_INGRESS) && run_hook(&walk, NF_INET_PRE_ROUTING) &&
	       run_hook(&walk, NF_INET_FORWARD) && run_hook(&walk, NF_INET_POST_ROUTING);
}

int ruleset_check(struct doctor *doctor)
{
	struct ruleset ruleset;
	int rc = 0;

	if (ruleset_read(&ruleset) < 0) {
		rc = ipmasq_fail(&doctor->context->error, errno, "cannot read the ruleset: %s",
				 strerror(errno));
		goto out;
	}
	if (ruleset.dormant)
		doctor_say(doctor, DOCTOR_FAIL, "table", NULL, "nft add table inet ipmasq",
			   "table inet ipmasq is dormant: somebody has put all forwards to sleep");
	if (ruleset.unread)
		doctor_say(doctor, DOCTOR_WARN, "ruleset", NULL, NULL,
			   "%u rules are of a kind that this program does not know; "
			   "`nft list ruleset` may show them",
			   ruleset.unread);
	for (size_t i = 0; i < doctor->n_forwards; i++)
		if (lead_in(doctor, &ruleset, &doctor->forwards[i]) &&
		    lead_out(doctor, &ruleset, &doctor->forwards[i]))
			doctor_say(doctor, DOCTOR_OK, "ruleset", &doctor->forwards[i], NULL,
				   "no table drops it or takes it elsewhere");
out:
	ruleset_free(&ruleset);
	return rc;
}
