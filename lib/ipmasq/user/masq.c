// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Masquerading: one list of sources with the alias address that each gets, worked out from all masq
 * rules and the machine's addresses.
 *
 * Of rules for the same net and protocol one counts: by the owner's precedence, then one that names
 * the outside interface; rules of other interfaces do not count at all.  An address of the machine
 * that no rule speaks of gets itself, so that the machine's own connections have links and no
 * masqueraded one gets their ports.
 *
 * Two lists in the same order are compared to see what a worker is to be given and what is to be
 * taken from it.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static int compare_keys(const struct source *a, const struct source *b)
{
	uint32_t x = ntohl(a->net), y = ntohl(b->net);

	if (x != y)
		return x < y ? -1 : 1;
	if (a->bits != b->bits)
		return a->bits < b->bits ? -1 : 1;
	return (a->protocol > b->protocol) - (a->protocol < b->protocol);
}

/* By key, then the one that counts first; the machine's own addresses are last. */
static int compare(const void *a, const void *b)
{
	const struct ipmasq_rule *x = ((const struct source *)a)->rule;
	const struct ipmasq_rule *y = ((const struct source *)b)->rule;
	int order = compare_keys(a, b);
	unsigned int first, second;

	if (order || !x || !y)
		return order ? order : !x - !y;
	first = ipmasq_owner_precedence(x->owner);
	second = ipmasq_owner_precedence(y->owner);
	if (first != second)
		return first < second ? -1 : 1;
	order = strcmp(x->owner, y->owner);
	return order ? order : !x->masq.interface[0] - !y->masq.interface[0];
}

static bool covers(const struct source *source, struct in_addr address)
{
	uint32_t mask = source->bits ? htonl(UINT32_MAX << (32 - source->bits)) : 0;

	return (address.s_addr & mask) == source->net;
}

static bool counts(const struct ipmasq_masq *masq, const char *interface)
{
	return !masq->interface[0] || strcmp(masq->interface, interface) == 0;
}

/* The machine's addresses that no rule speaks of, behind the first `n` sources. */
static size_t add_own(struct source *list, size_t n, const struct own *own)
{
	size_t end = n;

	for (unsigned int i = 0; own && i < own->n; i++) {
		bool covered = false;

		for (size_t s = 0; s < n && !covered; s++)
			covered = !list[s].protocol && covers(&list[s], own->list[i]);
		if (!covered)
			list[end++] = (struct source){.net = own->list[i].s_addr,
						      .alias = own->list[i].s_addr,
						      .bits = 32};
	}
	return end;
}

int sources_plan(const struct user *user, const struct own *own, const char *interface,
		 struct sources *sources)
{
	size_t room = user->store.counts[IPMASQ_MASQ] + (own ? own->n : 0), n = 0;
	struct source *list = malloc((room + 1) * sizeof(*list));
	const struct stored *stored;

	if (!list)
		return -1;
	LIST_FOREACH(stored, &user->store.kinds[IPMASQ_MASQ], of_kind) {
		const struct ipmasq_masq *masq = &stored->rule->masq;

		if (counts(masq, interface))
			list[n++] = (struct source){
				.net = masq->source.address.in4.s_addr,
				.alias = ipmasq_address_is_any(&masq->alias)
						 ? INADDR_ANY
						 : masq->alias.in4.s_addr,
				.bits = masq->source.bits,
				.protocol = masq->protocol,
				.rule = stored->rule,
			};
	}
	n = add_own(list, n, own);
	qsort(list, n, sizeof(*list), compare);
	*sources = (struct sources){list, 0};
	for (size_t i = 0; i < n; i++)
		if (!i || compare_keys(&list[i], &list[sources->n - 1]) != 0)
			list[sources->n++] = list[i];
	return 0;
}

static int give(struct worker *worker, const struct source *source)
{
	return LibAliasMasquerade(worker->border, (struct in_addr){source->net}, source->bits,
				  source->protocol, (struct in_addr){source->alias});
}

static void take(struct worker *worker, const struct source *source)
{
	LibAliasMasqueradeDelete(worker->border, (struct in_addr){source->net}, source->bits,
				 source->protocol);
}

/* What is in `some` and not in `others`; with `other`, also what gets another address there. */
static int each_missing(struct worker *worker, const struct sources *some,
			const struct sources *others, bool other,
			int (*act)(struct worker *worker, const struct source *source))
{
	size_t k = 0;

	for (size_t i = 0; i < some->n; i++) {
		const struct source *source = &some->list[i];

		while (k < others->n && compare_keys(&others->list[k], source) < 0)
			k++;
		if (k < others->n && compare_keys(&others->list[k], source) == 0 &&
		    (!other || others->list[k].alias == source->alias))
			continue;
		if (act(worker, source) < 0)
			return -1;
	}
	return 0;
}

static int take_away(struct worker *worker, const struct source *source)
{
	take(worker, source);
	return 0;
}

int sources_install(const struct user *user, const struct sources *after, struct worker *worker)
{
	return each_missing(worker, after, &user->sources, true, give);
}

void sources_undo(const struct user *user, const struct sources *after, struct worker *worker)
{
	each_missing(worker, after, &user->sources, false, take_away);
	each_missing(worker, &user->sources, after, true, give); /* is there: needs no memory */
}

void sources_finish(const struct user *user, const struct sources *after, struct worker *worker)
{
	each_missing(worker, &user->sources, after, false, take_away);
}

const struct source *sources_find(const struct sources *sources, struct in_addr inside,
				  uint8_t protocol)
{
	const struct source *best = NULL;

	for (size_t i = 0; i < sources->n; i++) {
		const struct source *source = &sources->list[i];

		if ((source->protocol && source->protocol != protocol) || !covers(source, inside))
			continue;
		if (!best || source->bits > best->bits ||
		    (source->bits == best->bits && source->protocol))
			best = source;
	}
	return best;
}
