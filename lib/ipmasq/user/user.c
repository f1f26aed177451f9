// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The user engine's life, and what its owner sets: addresses, clock, callbacks.
 */
#include "internal.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define WORKERS_MAX    64u
#define PORT_LOW       1024u
#define PORTS          (65536u - PORT_LOW)
#define EXPIRE_AT_ONCE 4096 /* links in a tick; the packets do the rest */

#define BORDER_MODE (PKT_ALIAS_MASQUERADE_RULES | PKT_ALIAS_KEEP_PORTS)

static uint32_t monotonic(void *arg)
{
	struct timespec now;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint32_t)now.tv_sec;
}

static uint32_t clock_of(void *arg)
{
	return user_now(arg);
}

/* Ports that have to be chosen are of the worker's slice. */
static void set_slice(struct worker *worker, unsigned int n)
{
	unsigned int low = PORT_LOW + PORTS * worker->number / n;
	unsigned int high = PORT_LOW + PORTS * (worker->number + 1) / n - 1;

	LibAliasSetAliasPortRange(worker->border, (u_short)low, (u_short)high);
}

static int open_worker(struct user *user, unsigned int number)
{
	struct worker *worker = &user->workers[number];

	worker->user = user;
	worker->number = number;
	worker->border = LibAliasInit(NULL);
	worker->inner = LibAliasInit(NULL);
	if (!worker->border || !worker->inner)
		return -1;
	/* The machine's own connections have links, so no port of theirs is given away. */
	LibAliasSetMode(worker->border, BORDER_MODE, BORDER_MODE | PKT_ALIAS_USE_SOCKETS);
	LibAliasSetMode(worker->inner, PKT_ALIAS_PROXY_ONLY,
			PKT_ALIAS_PROXY_ONLY | PKT_ALIAS_USE_SOCKETS);
	LibAliasSetClock(worker->border, clock_of, user);
	LibAliasSetClock(worker->inner, clock_of, user);
	LibAliasSetFragmentFree(worker->border, fragment_freed, worker);
	set_slice(worker, user->n_workers);
	return 0;
}

static int compare_addresses(const void *a, const void *b)
{
	uint32_t x = ((const struct in_addr *)a)->s_addr, y = ((const struct in_addr *)b)->s_addr;

	return x < y ? -1 : x > y;
}

static struct own *own_new(const struct in_addr *addresses, unsigned int n)
{
	struct own *own = calloc(1, sizeof(*own) + n * sizeof(*addresses));

	if (!own)
		return NULL;
	own->n = n;
	if (n) {
		own->first = addresses[0];
		memcpy(own->list, addresses, n * sizeof(*addresses));
		qsort(own->list, n, sizeof(*addresses), compare_addresses);
	}
	return own;
}

/* Going back to what was before cannot fail. */
static int set_addresses(struct user *user, const struct own *own)
{
	int rc = 0;

	for (unsigned int w = 0; w < user->n_workers && rc == 0; w++) {
		struct worker *worker = &user->workers[w];

		pthread_mutex_lock(&worker->lock);
		rc = LibAliasSetOwnAddresses(worker->border, own->list, (int)own->n);
		if (rc == 0) {
			LibAliasSetAddress(worker->border, own->first);
			worker->own = own;
		}
		pthread_mutex_unlock(&worker->lock);
	}
	return rc;
}

void user_close(struct user *user)
{
	if (!user)
		return;
	for (unsigned int w = 0; w < user->n_workers && user->workers; w++) {
		struct worker *worker = &user->workers[w];

		trigger_close_all(worker);
		LibAliasUninit(worker->border);
		LibAliasUninit(worker->inner);
		pthread_mutex_destroy(&worker->lock);
	}
	store_free(&user->store);
	pthread_mutex_destroy(&user->lock);
	free(user->workers);
	free(user->own);
	free(user->sources.list);
	free(user->watchers.list);
	free(user->watch);
	free(user);
}

static void view_init(struct view *view, struct user *user)
{
	*view = (struct view){.engine.ops = &user_engine_ops, .user = user};
}

struct user *user_open(unsigned int workers, struct ipmasq_error *error)
{
	struct user *user;

	if (!workers || workers > WORKERS_MAX) {
		ipmasq_usage(error, "%u workers: give 1 to %u", workers, WORKERS_MAX);
		return NULL;
	}
	user = calloc(1, sizeof(*user));
	if (!user)
		goto out_of_memory;
	view_init(&user->view, user);
	user->n_workers = workers;
	user->clock = monotonic;
	pthread_mutex_init(&user->lock, NULL);
	user->workers = aligned_alloc(_Alignof(struct worker), workers * sizeof(struct worker));
	if (!user->workers)
		goto out_of_memory;
	memset(user->workers, 0, workers * sizeof(struct worker));
	for (unsigned int w = 0; w < workers; w++)
		pthread_mutex_init(&user->workers[w].lock, NULL);
	if (store_init(&user->store) < 0 ||
	    getrandom(&user->seed, sizeof(user->seed), 0) != sizeof(user->seed))
		goto out_of_memory;
	user->own = own_new(NULL, 0); /* none is known yet */
	if (!user->own)
		goto out_of_memory;
	for (unsigned int w = 0; w < workers; w++)
		if (open_worker(user, w) < 0)
			goto out_of_memory;
	set_addresses(user, user->own); /* none: needs no memory */
	user_update_hooks(user);
	return user;
out_of_memory:
	user_close(user);
	ipmasq_fail(error, ENOMEM, "out of memory");
	return NULL;
}

struct ipmasq_engine *user_engine(struct user *user)
{
	return &user->view.engine;
}

struct ipmasq_engine *user_view(struct user *user)
{
	struct view *view = malloc(sizeof(*view));

	if (!view)
		return NULL;
	view_init(view, user);
	return &view->engine;
}

int user_set_addresses(struct user *user, const char *interface, const struct in_addr *addresses,
		       unsigned int n, struct ipmasq_error *error)
{
	struct own *own = own_new(addresses, n), *unused = own;
	int rc;

	if (!own)
		return ipmasq_fail(error, ENOMEM, "out of memory");
	pthread_mutex_lock(&user->lock);
	rc = set_addresses(user, own);
	if (rc < 0)
		ipmasq_fail(error, ENOMEM, "out of memory");
	else
		rc = commit_sources(user, own, interface, error);
	if (rc < 0) {
		set_addresses(user, user->own);
	} else {
		unused = user->own;
		user->own = own;
		snprintf(user->interface, sizeof(user->interface), "%s", interface);
		user_update_hooks(user);
	}
	pthread_mutex_unlock(&user->lock);
	free(unused);
	if (rc == 0 && user->changed)
		user->changed(user->changed_arg);
	return rc;
}

void user_set_fragment(struct user *user, user_fragment released, void *arg)
{
	user->released = released;
	user->released_arg = arg;
}

void user_set_firewall(struct user *user, unsigned int number, const struct alias_firewall *ops,
		       void *arg, unsigned int base, unsigned int count)
{
	struct worker *worker = &user->workers[number];

	pthread_mutex_lock(&worker->lock);
	LibAliasSetFirewall(worker->border, ops, arg);
	LibAliasSetFWBase(worker->border, base, count);
	LibAliasSetMode(worker->border, ops ? PKT_ALIAS_PUNCH_FW : 0, PKT_ALIAS_PUNCH_FW);
	pthread_mutex_unlock(&worker->lock);
}

void user_set_changed(struct user *user, void (*changed)(void *arg), void *arg)
{
	user->changed = changed;
	user->changed_arg = arg;
}

void user_set_clock(struct user *user, uint32_t (*clock)(void *arg), void *arg)
{
	user->clock = clock;
	user->clock_arg = arg;
	for (unsigned int w = 0; w < user->n_workers; w++) {
		LibAliasSetClock(user->workers[w].border, clock_of, user);
		LibAliasSetClock(user->workers[w].inner, clock_of, user);
	}
}

unsigned int user_hooks(const struct user *user)
{
	return atomic_load(&user->hooks) & ~USER_HOOK_PROXY;
}

uint64_t user_generation(struct user *user)
{
	uint64_t generation;

	pthread_mutex_lock(&user->lock);
	generation = user->generation;
	pthread_mutex_unlock(&user->lock);
	return generation;
}

void user_tick(struct user *user, unsigned int number)
{
	struct worker *worker = &user->workers[number];

	pthread_mutex_lock(&worker->lock);
	LibAliasExpire(worker->border, EXPIRE_AT_ONCE);
	LibAliasExpire(worker->inner, EXPIRE_AT_ONCE);
	trigger_sweep(worker);
	pthread_mutex_unlock(&worker->lock);
}

static void add_stats(struct alias_stats *sum, const struct alias_stats *stats)
{
	sum->links_created += stats->links_created;
	sum->links_expired += stats->links_expired;
	sum->refused_ports += stats->refused_ports;
	sum->refused_limit += stats->refused_limit;
	sum->refused_memory += stats->refused_memory;
	sum->refused_taken += stats->refused_taken;
	sum->refused_encoding += stats->refused_encoding;
	sum->malformed += stats->malformed;
	sum->bytes += stats->bytes;
	sum->links += stats->links;
	sum->tcp += stats->tcp;
	sum->udp += stats->udp;
	sum->icmp += stats->icmp;
	sum->other += stats->other;
	sum->redirects += stats->redirects;
	sum->expectations += stats->expectations;
	sum->fragments += stats->fragments;
}

void user_get_status(struct user *user, struct user_status *status)
{
	*status = (struct user_status){.workers = user->n_workers};
	for (unsigned int w = 0; w < user->n_workers; w++) {
		struct worker *worker = &user->workers[w];
		struct alias_stats stats;

		pthread_mutex_lock(&worker->lock);
		LibAliasGetStats(worker->border, &stats);
		add_stats(&status->alias, &stats);
		for (int hook = 0; hook < USER_HOOKS; hook++) {
			status->packets[hook] += worker->packets[hook];
			status->bytes[hook] += worker->bytes[hook];
		}
		status->kept += worker->verdicts[USER_KEEP];
		status->changed += worker->verdicts[USER_CHANGED];
		status->dropped += worker->verdicts[USER_DROP];
		status->held += worker->verdicts[USER_HOLD];
		pthread_mutex_unlock(&worker->lock);
	}
	pthread_mutex_lock(&user->lock);
	memcpy(status->rules, user->store.counts, sizeof(status->rules));
	pthread_mutex_unlock(&user->lock);
}
