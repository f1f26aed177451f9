// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Triggers: what an inside host sends to a control port opens a port range to it.
 *
 * A bitmap says of each packet that was masqueraded whether it went to a control port of some rule.
 * An opening is a redirect of the range, for what the contacted host sends to any address of this
 * machine; or, of an insecure rule, for what anybody sends to the alias address that the inside
 * host got.  It closes 15 seconds after the last control packet unless the rule says it stays, and
 * the last host that sent one has it.  What has begun by it goes on when it closes.
 *
 * The contacted host's packets are this worker's, so its openings are, too; insecure ones are in
 * every worker, each with its own copy.
 */
#include "internal.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_SECONDS 15u
#define BUCKETS      256u
#define OPENINGS_MAX 65535u /* of one worker */

struct watch {
	uint64_t ports[2][65536 / 64]; /* control ports of TCP and UDP */
	size_t n;
	struct stored *triggers[];
};

struct opening {
	struct opening *next;
	struct stored *trigger;
	struct in_addr key; /* the contacted host or, of an insecure rule, the alias */
	struct in_addr inside;
	uint32_t seen; /* when control traffic was last */
	struct alias_link *redirect;
};

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

int user_trigger_supported(const struct ipmasq_trigger *trigger, struct ipmasq_error *error)
{
	if (has_ports(trigger->control_protocol) && has_ports(trigger->protocol))
		return 0;
	return ipmasq_fail(
		error, EOPNOTSUPP,
		"the user engine's triggers are of tcp and udp; the kernel engine can do "
		"sctp, too");
}

int watch_plan(const struct user *user, struct watch **watch)
{
	size_t n = user->store.counts[IPMASQ_TRIGGER];
	struct stored *stored;

	*watch = NULL;
	if (!n)
		return 0;
	*watch = calloc(1, sizeof(**watch) + n * sizeof(struct stored *));
	if (!*watch)
		return -1;
	LIST_FOREACH(stored, &user->store.kinds[IPMASQ_TRIGGER], of_kind) {
		const struct ipmasq_trigger *trigger = &stored->rule->trigger;
		bool udp = trigger->control_protocol == IPPROTO_UDP;

		(*watch)->ports[udp][trigger->control_port / 64] |= UINT64_C(1)
								    << trigger->control_port % 64;
		(*watch)->triggers[(*watch)->n++] = stored;
	}
	return 0;
}

bool trigger_is_control(const struct watch *watch, uint8_t protocol, uint16_t port)
{
	return has_ports(protocol) &&
	       watch->ports[protocol == IPPROTO_UDP][port / 64] >> port % 64 & 1;
}

static struct opening **bucket_of(const struct worker *worker, const struct stored *trigger,
				  struct in_addr key)
{
	uintptr_t hash = ((uintptr_t)trigger >> 5) + key.s_addr * 2654435761u;

	return &worker->openings[(hash ^ hash >> 16) % BUCKETS];
}

static void drop(struct worker *worker, struct opening **link)
{
	struct opening *opening = *link;

	*link = opening->next;
	LibAliasRedirectDelete(worker->border, opening->redirect);
	worker->n_openings--;
	free(opening);
}

static bool is_over(const struct opening *opening, uint32_t now)
{
	return !opening->trigger->rule->trigger.permanent && now - opening->seen > OPEN_SECONDS;
}

void trigger_sweep(struct worker *worker)
{
	uint32_t now;

	if (!worker->n_openings)
		return;
	now = user_now(worker->user);
	if (now == worker->swept)
		return;
	worker->swept = now;
	for (unsigned int i = 0; i < BUCKETS; i++)
		for (struct opening **link = &worker->openings[i]; *link;)
			if (is_over(*link, now))
				drop(worker, link);
			else
				link = &(*link)->next;
}

static bool goes(const struct commit *commit, const struct stored *trigger)
{
	for (size_t i = 0; i < commit->n; i++)
		if (commit->items[i].before == trigger)
			return true;
	return false;
}

void trigger_finish(const struct commit *commit, struct worker *worker)
{
	for (unsigned int i = 0; i < BUCKETS && worker->n_openings; i++)
		for (struct opening **link = &worker->openings[i]; *link;)
			if (goes(commit, (*link)->trigger))
				drop(worker, link);
			else
				link = &(*link)->next;
}

void trigger_close_all(struct worker *worker)
{
	for (unsigned int i = 0; i < BUCKETS && worker->openings; i++)
		while (worker->openings[i])
			drop(worker, &worker->openings[i]);
	free(worker->openings);
	worker->openings = NULL;
}

static struct alias_link *redirect(struct worker *worker, struct stored *stored, struct in_addr key,
				   struct in_addr inside)
{
	const struct ipmasq_trigger *trigger = &stored->rule->trigger;
	struct in_addr alias = {INADDR_NONE}, remote = {INADDR_ANY};
	const struct ipmasq_match match = {.protocol = trigger->protocol, .ports = trigger->ports};
	struct alias_link *link;

	if (trigger->insecure)
		alias = key;
	else
		remote = key;
	link = LibAliasRedirectPortRange(worker->border, inside, 0, remote, alias,
					 htons(trigger->ports.low), htons(trigger->ports.high),
					 trigger->protocol);
	if (!link)
		return NULL;
	LibAliasRedirectSetRank(worker->border, link,
				redirect_rank(stored->rule->owner, &match, true));
	LibAliasRedirectSetCookie(worker->border, link, stored);
	return link;
}

/* A new opening, or NULL: out of memory or of room. */
static struct opening *add(struct worker *worker, struct stored *trigger, struct in_addr key,
			   struct in_addr inside)
{
	struct opening *opening, **bucket;

	if (worker->n_openings == OPENINGS_MAX)
		return NULL;
	if (!worker->openings)
		worker->openings = calloc(BUCKETS, sizeof(struct opening *));
	opening = worker->openings ? calloc(1, sizeof(*opening)) : NULL;
	if (!opening)
		return NULL;
	opening->redirect = redirect(worker, trigger, key, inside);
	if (!opening->redirect) {
		free(opening);
		return NULL;
	}
	opening->trigger = trigger;
	opening->key = key;
	opening->inside = inside;
	bucket = bucket_of(worker, trigger, key);
	opening->next = *bucket;
	*bucket = opening;
	worker->n_openings++;
	return opening;
}

static struct opening *find(const struct worker *worker, const struct stored *trigger,
			    struct in_addr key)
{
	struct opening *opening = worker->openings ? *bucket_of(worker, trigger, key) : NULL;

	while (opening && (opening->trigger != trigger || opening->key.s_addr != key.s_addr))
		opening = opening->next;
	return opening;
}

/* The last host that sent something has the range. */
static void take_over(struct worker *worker, struct opening *opening, struct in_addr inside)
{
	struct alias_link *link = redirect(worker, opening->trigger, opening->key, inside);

	if (!link)
		return;
	LibAliasRedirectDelete(worker->border, opening->redirect);
	opening->redirect = link;
	opening->inside = inside;
}

/* Whether others that have a copy of the opening have to hear of this. */
static bool see(struct worker *worker, struct stored *trigger, struct in_addr key,
		struct in_addr inside)
{
	struct opening *opening = find(worker, trigger, key);
	uint32_t now = user_now(worker->user);
	bool news = !opening || opening->seen != now || opening->inside.s_addr != inside.s_addr;

	if (!opening)
		opening = add(worker, trigger, key, inside);
	else if (opening->inside.s_addr != inside.s_addr)
		take_over(worker, opening, inside);
	if (opening)
		opening->seen = now;
	return news;
}

bool trigger_see(struct worker *worker, const struct sighting *sighting, bool elsewhere)
{
	const struct watch *watch = worker->watch;
	bool news = false;

	for (size_t i = 0; i < watch->n; i++) {
		const struct ipmasq_trigger *trigger = &watch->triggers[i]->rule->trigger;

		if (trigger->control_protocol != sighting->protocol ||
		    trigger->control_port != sighting->port || (elsewhere && !trigger->insecure))
			continue;
		if (trigger->insecure)
			news |= see(worker, watch->triggers[i], sighting->alias, sighting->inside);
		else
			see(worker, watch->triggers[i], sighting->remote, sighting->inside);
	}
	return news && worker->user->n_workers > 1;
}

/* Appends the worker's openings of the trigger; 0, or -1 when out of memory. */
static int gather(struct worker *worker, const struct stored *stored, struct ipmasq_opening **list,
		  size_t *n)
{
	const struct ipmasq_trigger *trigger = &stored->rule->trigger;
	uint32_t now = user_now(worker->user);

	for (unsigned int i = 0; i < BUCKETS && worker->n_openings; i++) {
		for (const struct opening *o = worker->openings[i]; o; o = o->next) {
			struct ipmasq_opening *larger;

			if (o->trigger != stored || is_over(o, now))
				continue;
			larger = reallocarray(*list, *n + 1, sizeof(**list));
			if (!larger)
				return -1;
			*list = larger;
			larger[*n] = (struct ipmasq_opening){
				.inside = {.family = AF_INET, .in4 = o->inside},
				.expires = trigger->permanent ? 0 : o->seen + OPEN_SECONDS - now,
			};
			if (!trigger->insecure)
				larger[*n].remote =
					(struct ipmasq_address){.family = AF_INET, .in4 = o->key};
			(*n)++;
		}
	}
	return 0;
}

int user_trigger_openings(struct user *user, const struct stored *stored,
			  ipmasq_opening_visit visit, void *data, struct ipmasq_error *error)
{
	/* Each worker has all that are open for everybody. */
	unsigned int workers = stored->rule->trigger.insecure ? 1 : user->n_workers;
	struct ipmasq_opening *list = NULL;
	size_t n = 0;
	int rc = 0;

	for (unsigned int w = 0; w < workers && rc == 0; w++) {
		pthread_mutex_lock(&user->workers[w].lock);
		rc = gather(&user->workers[w], stored, &list, &n);
		pthread_mutex_unlock(&user->workers[w].lock);
	}
	if (rc < 0)
		ipmasq_fail(error, ENOMEM, "out of memory");
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = visit(&list[i], data);
	free(list);
	return rc;
}
