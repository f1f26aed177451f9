// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The forwards that are looked at, taken from the rules: each match with each of its targets.
 *
 * Of one that is asked for by address and port, every rule that takes such connections is one, not
 * only portfw's; what goes before it hides it.  Without a question they are all there, up to a
 * number that can be looked at in a moment.  Triggers and pins say nothing of a host that could be
 * asked.
 */
#include "doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FORWARDS_MAX 64 /* looked at when none is named */

struct gathering {
	struct doctor *doctor;
	const struct question *question;
	struct gathered *gathered;
};

const struct helped helped[] = {
	{IPPROTO_TCP, 21, "ftp"},    {IPPROTO_UDP, 69, "tftp"},  {IPPROTO_TCP, 1720, "h323"},
	{IPPROTO_TCP, 1723, "pptp"}, {IPPROTO_UDP, 5060, "sip"}, {0},
};

static bool is_wanted(struct gathering *gathering, const struct ipmasq_match *match)
{
	const struct question *question = gathering->question;
	bool address, protocol;

	if (!question->named)
		return true;
	if (match->mark || match->family != question->alias.family ||
	    (match->ports.low &&
	     (match->ports.low > question->port || match->ports.high < question->port)))
		return false;
	address = ipmasq_address_equal(&match->alias, &question->alias) ||
		  ipmasq_address_is_any(&match->alias);
	protocol = !question->protocol || !match->protocol || match->protocol == question->protocol;
	if (!question->protocol && match->protocol && !match->ports.low)
		return false; /* GRE and the like have no ports */
	if (address && !protocol)
		gathering->gathered->other_protocol = match->protocol;
	gathering->gathered->other_address |= !address;
	return address && protocol;
}

static struct forward *new_forward(struct doctor *doctor)
{
	struct forward *forwards;

	doctor->n_all++;
	if (doctor->n_forwards == FORWARDS_MAX)
		return NULL;
	forwards = reallocarray(doctor->forwards, doctor->n_forwards + 1, sizeof(*forwards));
	if (!forwards) {
		doctor->report.full = true;
		return NULL;
	}
	doctor->forwards = forwards;
	forwards[doctor->n_forwards] = (struct forward){0};
	return &forwards[doctor->n_forwards++];
}

/* What is taken, and where it goes; ports where there are. */
static void name_forward(struct forward *forward)
{
	char alias[IPMASQ_ADDRESS_TEXT], inside[IPMASQ_ADDRESS_TEXT], what[32], port[16] = "",
										to[16] = "";
	const char *protocol = ipmasq_protocol_name(forward->protocol);

	ipmasq_address_text(&forward->inside, inside);
	ipmasq_address_text(&forward->alias, alias);
	snprintf(what, sizeof(what), forward->protocol ? "protocol %u" : "all", forward->protocol);
	if (protocol)
		snprintf(what, sizeof(what), "%s", protocol);
	if (forward->several && forward->port)
		snprintf(port, sizeof(port), " %u-%u", forward->port, forward->port_high);
	else if (forward->port)
		snprintf(port, sizeof(port), " %u", forward->port);
	if (forward->inside_port && !forward->several)
		snprintf(to, sizeof(to), " %u", forward->inside_port);
	if (forward->mark)
		snprintf(forward->name, sizeof(forward->name), "mark %#x to %s%s", forward->mark,
			 inside, to);
	else if (forward->proxy)
		snprintf(forward->name, sizeof(forward->name), "%s%s by proxy %s%s", what, port,
			 inside, to);
	else
		snprintf(forward->name, sizeof(forward->name), "%s %s%s to %s%s", what, alias, port,
			 inside, to);
}

/* What goes first has the lower number. */
static uint32_t rank_of(const struct ipmasq_rule *rule)
{
	const struct ipmasq_match *match = &rule->redirect.match;
	uint32_t ports =
		match->ports.low ? (uint32_t)(match->ports.high - match->ports.low) : 0xffffu;

	return ipmasq_owner_precedence(rule->owner) << 17 |
	       (uint32_t)ipmasq_address_is_any(&match->alias) << 16 | ports;
}

static void add_redirect(struct gathering *gathering, const struct ipmasq_rule *rule,
			 const struct ipmasq_target *target)
{
	const struct question *question = gathering->question;
	const struct ipmasq_match *match = &rule->redirect.match;
	struct forward *forward = new_forward(gathering->doctor);

	if (!forward)
		return;
	forward->protocol = match->protocol;
	if (!match->protocol && question->named)
		forward->protocol = question->protocol;
	forward->alias = question->named ? question->alias : match->alias;
	forward->alias.family = match->family;
	forward->inside = target->address;
	forward->remote = match->remote;
	forward->mark = match->mark;
	forward->of_any = ipmasq_address_is_any(&match->alias);
	forward->rank = rank_of(rule);
	forward->several = !question->named && match->ports.high != match->ports.low;
	forward->port = question->named ? question->port : match->ports.low;
	forward->port_high = question->named ? question->port : match->ports.high;
	forward->inside_port = target->port ? target->port : forward->port;
	name_forward(forward);
}

static void add_proxy(struct gathering *gathering, const struct ipmasq_proxy *proxy)
{
	struct forward *forward;

	if (gathering->question->named)
		return;
	forward = new_forward(gathering->doctor);
	if (!forward)
		return;
	forward->proxy = true;
	forward->protocol = proxy->protocol;
	forward->alias.family = proxy->server.family;
	forward->of_any = true;
	forward->inside = proxy->server;
	forward->port = forward->port_high = proxy->port;
	forward->inside_port = proxy->server_port ? proxy->server_port : proxy->port;
	name_forward(forward);
}

static void note_helper(struct gathered *gathered, const struct ipmasq_helper *helper)
{
	for (size_t i = 0; helped[i].helper; i++)
		gathered->helpers[i] |= strcmp(helped[i].helper, helper->name) == 0;
}

static int gather(const struct ipmasq_rule *rule, void *data)
{
	struct gathering *gathering = data;

	if (rule->kind == IPMASQ_HELPER)
		note_helper(gathering->gathered, &rule->helper);
	if (rule->kind == IPMASQ_PROXY)
		add_proxy(gathering, &rule->proxy);
	if (rule->kind != IPMASQ_REDIRECT || !is_wanted(gathering, &rule->redirect.match))
		return 0;
	for (uint32_t i = 0; i < rule->redirect.n_targets; i++)
		add_redirect(gathering, rule, &rule->redirect.targets[i]);
	return 0;
}

/* Whether all connections of the one are taken by the other before. */
static bool hides(const struct forward *other, const struct forward *one)
{
	return other->rank < one->rank && ipmasq_address_is_any(&other->remote) &&
	       (!other->protocol || other->protocol == one->protocol);
}

/* Of what was asked for, only what gets the connections. */
static void drop_hidden(struct doctor *doctor)
{
	size_t n = 0;

	for (size_t i = 0; i < doctor->n_forwards; i++)
		for (size_t k = 0; k < doctor->n_forwards; k++)
			doctor->forwards[i].hidden |=
				hides(&doctor->forwards[k], &doctor->forwards[i]);
	for (size_t i = 0; i < doctor->n_forwards; i++)
		if (!doctor->forwards[i].hidden)
			doctor->forwards[n++] = doctor->forwards[i];
	doctor->n_forwards = doctor->n_all = n;
}

int gather_forwards(struct doctor *doctor, const struct question *question,
		    struct gathered *gathered)
{
	struct gathering gathering = {doctor, question, gathered};

	if (ipmasq_table_walk(doctor->context->table, NULL, gather, &gathering,
			      &doctor->context->error) < 0)
		return -1;
	if (doctor->report.full)
		return ipmasq_fail(&doctor->context->error, ENOMEM, "out of memory");
	if (question->named)
		drop_hidden(doctor);
	return 0;
}
