// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet on its way through everybody's chains: who drops it, or takes it elsewhere, first?
 *
 * The first packet of a stranger's connection goes through the hooks as the kernel would have it
 * (ingress, prerouting, forward or input, postrouting, egress, and those of a bridge before and
 * behind), base chains by priority and, of equal priority, the newest first, since the kernel puts
 * a new hook before its equals.  Where our own chain stands in prerouting the forward's translation
 * is made.  The inside host's answer goes the other way, with the mark that the connection got.
 *
 * How sure it is that a rule matches decides what the rule does within its chain; how sure it is
 * that the packet comes to the chain at all goes into what is said of it, too.  A rule that matches
 * some strangers only is no fault when it drops; when it accepts, what drops behind it drops the
 * others.  All ways are followed, which may be a great many: for a second, and then it is said.
 */
#include "doctor_ruleset.h"

#include <errno.h>
#include <inttypes.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEPTH_MAX     16 /* the kernel's */
#define PRIORITY_CT   (-200)
#define WALK_MS       1000
#define STEPS_A_LOOK  64 /* at the clock */
#define NETDEV_EGRESS 1u /* NF_NETDEV_EGRESS */

/* What all walks share. */
struct journey {
	struct doctor *doctor;
	const struct ruleset *ruleset;
	int64_t until;
	unsigned int steps;
	bool over; /* the time is */
};

struct walk {
	struct journey *journey;
	struct forward *forward;
	struct packet packet;
	bool quiet, lost;                     /* say nothing; what would have been said */
	bool accepted_some, accepted_perhaps; /* in this base chain, before */
};

/* A rule, and by which the packet came to its chain. */
struct frame {
	const struct chain *chain;
	const struct nftnl_rule *rule;
	const struct frame *caller;
	unsigned int depth;
};

/* How a chain, or a rule, leaves the packet. */
enum fate { FATE_GOES_ON, FATE_ACCEPTED, FATE_RETURNED, FATE_LOST };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool time_is_over(struct journey *journey)
{
	if (++journey->steps % STEPS_A_LOOK == 0 && now_ms() > journey->until)
		journey->over = true;
	return journey->over;
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

/* Not all connections of such a forward need pass: some of its ports may be meant to be closed. */
static bool is_vague(const struct forward *forward)
{
	return forward->mark || forward->several || !forward->port;
}

/* What earlier rules of the base chain leave open, as the end of a sentence. */
static const char *exception(const struct walk *walk, enum certainty certainty)
{
	if (walk->accepted_perhaps)
		return ", unless a rule that cannot be told accepts it";
	return walk->accepted_some || certainty == MOST ? ", but for some sources" : "";
}

static void say_rule(struct walk *walk, const struct frame *frame, const struct effect *effect,
		     enum certainty certainty)
{
	const char *but = exception(walk, certainty), *blind = "";
	const struct place *place = &frame->chain->place;
	const struct frame *named = frame;
	char mend[768];

	bool sure = certainty == SURE && !*but && effect->kind != EFFECT_QUEUE;

	walk->lost = true;
	if (walk->quiet || (!sure && is_vague(walk->forward)))
		return;
	if (certainty == UNSURE)
		blind = effect->certainty == UNSURE ? effect->blind
						    : "how the packet comes to this chain";
	while (named->chain->unnamed && named->caller)
		named = named->caller;
	mend_write(mend, sizeof(mend), walk->journey->ruleset, &walk->packet, named->chain,
		   named->rule);
	doctor_say(walk->journey->doctor, sure ? DOCTOR_FAIL : DOCTOR_WARN, "ruleset",
		   walk->forward, mend, "table %s %s, chain %s, handle %" PRIu64 " %s%s%s%s%s",
		   mend_family(place->family), place->table, place->name,
		   nftnl_rule_get_u64(frame->rule, NFTNL_RULE_HANDLE), *blind ? "perhaps " : "",
		   deed(walk, effect->kind), *blind ? " (cannot tell: " : but, blind,
		   *blind ? ")" : "");
}

static void say_policy(struct walk *walk, const struct chain *chain)
{
	const char *but = exception(walk, SURE);
	char mend[768];

	walk->lost = true;
	if (walk->quiet || (*but && is_vague(walk->forward)))
		return;
	mend_write(mend, sizeof(mend), walk->journey->ruleset, &walk->packet, chain, NULL);
	doctor_say(walk->journey->doctor, *but ? DOCTOR_WARN : DOCTOR_FAIL, "policy", walk->forward,
		   mend, "the policy of table %s %s, chain %s %s%s",
		   mend_family(chain->place.family), chain->place.table, chain->place.name,
		   deed(walk, EFFECT_DROP), but);
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
		matches = expression_run(walk->journey->ruleset, chain, expression, &walk->packet,
					 &registers, effect);
	if (iterator)
		nftnl_expr_iter_destroy(iterator);
	return matches;
}

static enum fate run_chain(struct walk *walk, const struct chain *chain, enum certainty way,
			   const struct frame *caller);

static enum fate jump(struct walk *walk, const struct frame *frame, const struct effect *effect,
		      enum certainty way)
{
	const struct chain *to = ruleset_chain(walk->journey->ruleset, frame->chain, effect->chain);
	enum fate fate = FATE_GOES_ON;

	if (to && frame->depth < DEPTH_MAX)
		fate = run_chain(walk, to, way, frame);
	if (effect->certainty > MOST)
		return FATE_GOES_ON;
	return fate == FATE_GOES_ON && effect->kind == EFFECT_GOTO ? FATE_RETURNED : fate;
}

/* What a rule's effect comes to in a chain that the packet comes to by this way. */
static enum fate take_effect(struct walk *walk, const struct frame *frame,
			     const struct effect *effect, enum certainty way)
{
	enum certainty certainty = effect->certainty > way ? effect->certainty : way;
	bool holds = effect->certainty <= MOST; /* within this chain */

	switch (effect->kind) {
	case EFFECT_NONE:
		return FATE_GOES_ON;
	case EFFECT_RETURN:
		return holds ? FATE_RETURNED : FATE_GOES_ON;
	case EFFECT_JUMP:
	case EFFECT_GOTO:
		return jump(walk, frame, effect, certainty);
	case EFFECT_TRANSLATE:
		if (walk->packet.answer || walk->packet.translated) /* the first one stands */
			return holds ? FATE_ACCEPTED : FATE_GOES_ON;
		break;
	case EFFECT_ACCEPT:
		walk->accepted_some |= certainty == SOME;
		walk->accepted_perhaps |= certainty == UNSURE;
		return holds ? FATE_ACCEPTED : FATE_GOES_ON;
	default:
		break;
	}
	if (certainty != SOME)
		say_rule(walk, frame, effect, certainty);
	if (!holds)
		return FATE_GOES_ON;
	return effect->kind == EFFECT_QUEUE ? FATE_ACCEPTED : FATE_LOST;
}

static enum fate run_chain(struct walk *walk, const struct chain *chain, enum certainty way,
			   const struct frame *caller)
{
	enum certainty before = walk->packet.way;
	enum fate fate = FATE_GOES_ON;

	walk->packet.way = way;
	for (size_t i = 0; i < chain->n_rules && fate == FATE_GOES_ON; i++) {
		const struct frame frame = {chain, chain->rules[i], caller,
					    caller ? caller->depth + 1 : 0};
		struct effect effect;

		if (time_is_over(walk->journey))
			fate = FATE_LOST;
		else if (run_rule(walk, chain, chain->rules[i], &effect))
			fate = take_effect(walk, &frame, &effect, way);
	}
	walk->packet.way = before;
	return fate == FATE_RETURNED ? FATE_GOES_ON : fate;
}

/* Our own chains of type nat: the forward takes the connection, and gives the answer its source. */
static void run_own(struct walk *walk, const struct chain *chain)
{
	const struct packet *packet = &walk->packet;

	if (chain->nat &&
	    chain->hook == (packet->answer ? NF_INET_POST_ROUTING : NF_INET_PRE_ROUTING))
		packet_translate(&walk->packet);
}

/* Connections are tracked from prerouting, or output, on. */
static bool is_tracked(const struct chain *chain)
{
	if (chain->place.family == NFPROTO_NETDEV)
		return chain->hook == NETDEV_EGRESS;
	if (chain->place.family == NFPROTO_BRIDGE)
		return chain->hook == NF_INET_LOCAL_OUT || chain->hook == NF_INET_POST_ROUTING;
	if (chain->hook == NF_INET_PRE_ROUTING || chain->hook == NF_INET_LOCAL_OUT)
		return chain->priority > PRIORITY_CT;
	return chain->hook != NF_INET_INGRESS;
}

/* A base chain; false: the packet's way has ended. */
static bool run_base(struct walk *walk, const struct chain *chain)
{
	enum fate fate;

	if (chain->ours) {
		run_own(walk, chain);
		return true;
	}
	/* The answers of a connection that is translated do not see chains of type nat. */
	if (chain->nat && (walk->packet.answer ||
			   (chain->hook == NF_INET_PRE_ROUTING && walk->packet.translated)))
		return true;
	walk->packet.tracked = is_tracked(chain);
	walk->accepted_some = walk->accepted_perhaps = false;
	fate = run_chain(walk, chain, SURE, NULL);
	if (fate == FATE_LOST || walk->journey->over)
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

static bool is_on(const struct chain *chain, const struct net_link *link)
{
	if (!link)
		return false;
	if (chain->device && strcmp(chain->device, link->name) == 0)
		return true;
	for (size_t i = 0; chain->devices && chain->devices[i]; i++)
		if (strcmp(chain->devices[i], link->name) == 0)
			return true;
	return false;
}

/* A hook of IP, as the chains of some families see it. */
struct stage {
	uint8_t family; /* NFPROTO_INET: and the packet's own */
	uint32_t hook;
};

static bool is_at(const struct walk *walk, const struct chain *chain, struct stage stage)
{
	if (!chain->base || chain->hook != stage.hook)
		return false;
	if (stage.family == NFPROTO_NETDEV)
		return chain->place.family == NFPROTO_NETDEV &&
		       is_on(chain,
			     stage.hook == NETDEV_EGRESS ? walk->packet.out : walk->packet.in);
	if (stage.family == NFPROTO_BRIDGE)
		return chain->place.family == NFPROTO_BRIDGE;
	if (stage.hook == NF_INET_INGRESS)
		return chain->place.family == NFPROTO_INET && is_on(chain, walk->packet.in);
	return chain->place.family == NFPROTO_INET || chain->place.family == walk->packet.family;
}

/* Interfaces that the hook has; of a bridge, its ports, which are not known. */
static void show_links(struct packet *packet, struct stage stage)
{
	packet->has_out = stage.hook == NF_INET_FORWARD || stage.hook == NF_INET_LOCAL_OUT ||
			  stage.hook == NF_INET_POST_ROUTING;
	packet->has_in = stage.hook == NF_INET_FORWARD || !packet->has_out;
	if (stage.family == NFPROTO_NETDEV) {
		packet->has_out = stage.hook == NETDEV_EGRESS;
		packet->has_in = !packet->has_out;
	} else if (stage.hook == NF_INET_POST_ROUTING) {
		packet->has_in = !packet->own; /* it is there, too, when the kernel forwards */
	}
}

/* All base chains of a hook; false: the packet's way has ended. */
static bool run_stage(struct walk *walk, struct stage stage)
{
	const struct ruleset *ruleset = walk->journey->ruleset;
	const struct chain **chains = calloc(ruleset->n_chains + 1, sizeof(const struct chain *));
	size_t n = 0;
	bool goes_on = chains;

	if (!chains)
		walk->journey->doctor->report.full = true;
	for (size_t i = 0; chains && i < ruleset->n_chains; i++)
		if (is_at(walk, &ruleset->chains[i], stage))
			chains[n++] = &ruleset->chains[i];
	if (n)
		qsort(chains, n, sizeof(*chains), by_priority);
	show_links(&walk->packet, stage);
	for (size_t i = 0; goes_on && i < n; i++)
		goes_on = run_base(walk, chains[i]);
	free(chains);
	return goes_on;
}

static bool run_hook(struct walk *walk, uint32_t hook)
{
	return run_stage(walk, (struct stage){NFPROTO_INET, hook});
}

/* Two hooks of a bridge, if the link is one: the packet's ports are not known there. */
static bool run_bridge(struct walk *walk, const struct net_link *link, uint32_t first,
		       uint32_t second)
{
	const struct net_link *in = walk->packet.in, *out = walk->packet.out;
	bool goes_on = true;

	if (!link || !link->bridge)
		return true;
	walk->packet.in = walk->packet.out = NULL;
	goes_on = run_stage(walk, (struct stage){NFPROTO_BRIDGE, first}) &&
		  run_stage(walk, (struct stage){NFPROTO_BRIDGE, second});
	walk->packet.in = in;
	walk->packet.out = out;
	return goes_on;
}

static bool comes_in(struct walk *walk)
{
	return run_bridge(walk, walk->packet.in, NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN) &&
	       run_stage(walk, (struct stage){NFPROTO_NETDEV, NF_NETDEV_INGRESS}) &&
	       run_hook(walk, NF_INET_INGRESS) && run_hook(walk, NF_INET_PRE_ROUTING);
}

static bool goes_out(struct walk *walk)
{
	return run_hook(walk, NF_INET_POST_ROUTING) &&
	       run_stage(walk, (struct stage){NFPROTO_NETDEV, NETDEV_EGRESS}) &&
	       run_bridge(walk, walk->packet.out, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING);
}

/* A packet on the whole of its way; true: it comes through. */
static bool lead(struct walk *walk)
{
	if (walk->packet.own)
		return run_hook(walk, NF_INET_LOCAL_OUT) && goes_out(walk);
	if (!comes_in(walk))
		return false;
	return walk->packet.own_address ? run_hook(walk, NF_INET_LOCAL_IN)
					: run_hook(walk, NF_INET_FORWARD) && goes_out(walk);
}

static struct walk walk_begin(struct journey *journey, struct forward *forward,
			      enum packet_kind kind)
{
	struct walk walk = {.journey = journey, .forward = forward};

	packet_begin(&walk.packet, kind, &journey->doctor->net, forward);
	return walk;
}

/* Whether somebody gives packets the mark by which the forward takes them. */
static void check_mark(struct journey *journey, struct forward *forward)
{
	struct walk incoming = walk_begin(journey, forward, PACKET_FIRST);
	struct walk own = walk_begin(journey, forward, PACKET_FIRST);
	bool perhaps = journey->ruleset->unread;
	char mend[128];

	incoming.quiet = own.quiet = true;
	comes_in(&incoming);
	own.packet.own = true;
	run_hook(&own, NF_INET_LOCAL_OUT);
	perhaps |= incoming.packet.perhaps_marked || own.packet.perhaps_marked || net_marks();
	snprintf(mend, sizeof(mend),
		 "nft add rule TABLE CHAIN meta mark set %#x, in a chain at prerouting with "
		 "priority "
		 "mangle",
		 forward->mark);
	if (incoming.packet.marked || own.packet.marked)
		doctor_say(journey->doctor, DOCTOR_OK, "mark", forward, NULL,
			   "a rule sets the mark %#x", forward->mark);
	else
		doctor_say(journey->doctor, perhaps ? DOCTOR_WARN : DOCTOR_FAIL, "mark", forward,
			   "add a rule with `meta mark set` to a chain at prerouting with priority "
			   "mangle",
			   "no rule %s the mark %#x before the forward has its turn",
			   perhaps ? "is seen to set" : "sets", forward->mark);
}

/* The first packet of a connection, and the answer to it. */
static bool passes(struct journey *journey, struct forward *forward)
{
	struct walk first = walk_begin(journey, forward, PACKET_FIRST);
	struct walk answer = walk_begin(journey, forward, PACKET_ANSWER);

	if (!lead(&first))
		return false;
	answer.packet.ct_mark = first.packet.ct_mark;
	return lead(&answer);
}

/* Whether this machine's own question to the inside host perhaps does not come through. */
static bool is_deaf(struct journey *journey, struct forward *forward)
{
	struct walk question = walk_begin(journey, forward, PACKET_QUESTION);
	struct walk reply = walk_begin(journey, forward, PACKET_REPLY);

	question.quiet = reply.quiet = true;
	return !lead(&question) || question.lost || !lead(&reply) || reply.lost;
}

static void lead_all(struct doctor *doctor, const struct ruleset *ruleset)
{
	struct journey journey = {
		.doctor = doctor, .ruleset = ruleset, .until = now_ms() + WALK_MS};

	for (size_t i = 0; i < doctor->n_forwards && !journey.over; i++) {
		struct forward *forward = &doctor->forwards[i];

		if (forward->mark)
			check_mark(&journey, forward);
		if (!forward->proxy && passes(&journey, forward))
			doctor_say(doctor, DOCTOR_OK, "ruleset", forward, NULL,
				   "no table drops it or takes it elsewhere");
		if (!forward->local)
			forward->deaf = is_deaf(&journey, forward);
	}
	if (journey.over)
		doctor_say(doctor, DOCTOR_WARN, "ruleset", NULL, NULL,
			   "there are so many rules, or ways through them, that some were not "
			   "followed");
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
	if (!ruleset.dormant)
		lead_all(doctor, &ruleset);
out:
	ruleset_free(&ruleset);
	return rc;
}
