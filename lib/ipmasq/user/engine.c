// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rule table's operations on the user engine.
 *
 * Each session has a view of its own, which notes the generation that it read; a commit by another
 * one makes it begin again.
 *
 * A commit goes in three steps.  The store is changed and what follows from that is worked out;
 * then every worker is given what is new, beside what it has: what is new goes first, so each
 * packet meets either what it would have met before or what it will meet after.  Up to here
 * everything can be taken back, and is if memory runs out.  Last, what was before is taken from
 * every worker, which cannot fail.  A worker is locked for its own part only, one at a time.
 */
#include "internal.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <stdlib.h>
#include <string.h>

static int again(struct ipmasq_error *error)
{
	return ipmasq_fail(error, EAGAIN, "others change the rules all the time; try again");
}

static int out_of_memory(struct ipmasq_error *error)
{
	return ipmasq_fail(error, ENOMEM, "out of memory; nothing was changed");
}

static int user_snapshot(struct ipmasq_engine *engine, struct ipmasq_error *error)
{
	struct view *view = (struct view *)engine;

	(void)error;
	pthread_mutex_lock(&view->user->lock);
	view->noted = view->user->generation;
	pthread_mutex_unlock(&view->user->lock);
	return 0;
}

/* A copy with what only the workers know; NULL with errno. */
static struct ipmasq_rule *read_rule(struct user *user, const struct stored *stored, bool counters)
{
	struct ipmasq_rule *copy = ipmasq_rule_copy(stored->rule);

	if (copy && copy->kind == IPMASQ_REDIRECT &&
	    redirect_read(user, stored, &copy->redirect, counters) < 0) {
		ipmasq_rule_free(copy);
		return NULL;
	}
	return copy;
}

static int user_get(struct ipmasq_engine *engine, const struct ipmasq_rule *key,
		    struct ipmasq_rule **rule, struct ipmasq_error *error)
{
	struct view *view = (struct view *)engine;
	struct user *user = view->user;
	const struct stored *stored;
	int rc = 0;

	*rule = NULL;
	pthread_mutex_lock(&user->lock);
	stored = store_find(&user->store, key);
	if (view->noted != user->generation) {
		rc = again(error);
	} else if (stored) {
		*rule = read_rule(user, stored, false);
		if (!*rule)
			rc = out_of_memory(error);
	}
	pthread_mutex_unlock(&user->lock);
	return rc;
}

static int user_load(struct ipmasq_engine *engine, bool counters, ipmasq_rule_take take, void *data,
		     struct ipmasq_error *error)
{
	struct view *view = (struct view *)engine;
	struct user *user = view->user;
	const struct stored *stored;
	int rc = 0;

	pthread_mutex_lock(&user->lock);
	if (view->noted != user->generation)
		rc = again(error);
	for (int kind = 0; kind < IPMASQ_KINDS && rc == 0; kind++) {
		LIST_FOREACH(stored, &user->store.kinds[kind], of_kind) {
			struct ipmasq_rule *copy = read_rule(user, stored, counters);

			if (!copy || take(copy, data) < 0) {
				rc = out_of_memory(error);
				break;
			}
		}
	}
	pthread_mutex_unlock(&user->lock);
	return rc;
}

int user_supports(const struct ipmasq_rule *rule, struct ipmasq_error *error)
{
	if (ipmasq_rule_family(rule) != AF_INET)
		return ipmasq_fail(error, EOPNOTSUPP,
				   "the user engine translates IPv4 only; the kernel engine can");
	if (rule->kind == IPMASQ_REDIRECT)
		return user_redirect_supported(&rule->redirect, error);
	if (rule->kind == IPMASQ_TRIGGER)
		return user_trigger_supported(&rule->trigger, error);
	if (rule->kind == IPMASQ_HELPER)
		return user_helper_supported(&rule->helper, error);
	if (rule->kind == IPMASQ_PROXY && rule->proxy.encoding == IPMASQ_ENCODE_TCP_STREAM &&
	    rule->proxy.protocol == IPPROTO_UDP)
		return ipmasq_fail(error, EOPNOTSUPP,
				   "encode_tcp_stream is for tcp: leave proto udp away");
	return 0;
}

static uint64_t age_of(const struct item *item)
{
	return item->after ? item->after->rule->age : 0;
}

static int by_age(const void *a, const void *b)
{
	uint64_t first = age_of(a), second = age_of(b);

	return first < second ? -1 : first > second;
}

static void items_free(struct commit *commit, bool after)
{
	for (size_t i = 0; i < commit->n; i++)
		stored_free(after ? commit->items[i].after : commit->items[i].before);
	free(commit->items);
}

/* Turns the changes into items: stored rules that go and that come.  0, or -1 with an error. */
static int make_items(struct commit *commit, const struct ipmasq_change *changes, size_t n,
		      struct ipmasq_error *error)
{
	struct user *user = commit->user;

	commit->items = calloc(n + 1, sizeof(*commit->items));
	if (!commit->items)
		return out_of_memory(error);
	for (; commit->n < n; commit->n++) {
		const struct ipmasq_change *change = &changes[commit->n];
		struct item *item = &commit->items[commit->n];

		commit->kinds[(change->after ? change->after : change->before)->kind] = true;
		if (change->before)
			item->before = store_find(&user->store, change->before);
		if (!change->after)
			continue;
		item->after = stored_new(change->after, user->n_workers);
		if (!item->after) {
			items_free(commit, true);
			return out_of_memory(error);
		}
	}
	qsort(commit->items, n, sizeof(*commit->items), by_age);
	return 0;
}

/* Puts the store from before to after, or back. */
static void change_store(struct commit *commit, bool back)
{
	struct store *store = &commit->user->store;

	for (size_t i = 0; i < commit->n; i++) {
		struct stored *goes = back ? commit->items[i].after : commit->items[i].before;

		if (goes)
			store_remove(store, goes);
	}
	for (size_t i = 0; i < commit->n; i++) {
		struct stored *comes = back ? commit->items[i].before : commit->items[i].after;

		if (comes)
			store_add(store, comes);
	}
}

/* Where age decides, a rule that comes is the newest. */
static void set_ages(struct commit *commit)
{
	for (size_t i = 0; i < commit->n; i++)
		if (age_of(&commit->items[i]))
			commit->items[i].after->rule->age = ++commit->user->age;
}

static int plan(struct commit *commit)
{
	struct user *user = commit->user;

	if (commit->kinds[IPMASQ_MASQ] &&
	    sources_plan(user, user->own, user->interface, &commit->sources) < 0)
		return -1;
	if (commit->kinds[IPMASQ_HELPER] && watchers_plan(user, &commit->watchers) < 0)
		return -1;
	return commit->kinds[IPMASQ_TRIGGER] ? watch_plan(user, &commit->watch) : 0;
}

static int install(const struct commit *commit, struct worker *worker)
{
	const struct user *user = commit->user;

	if (redirect_install(commit, worker) < 0)
		return -1;
	if (commit->kinds[IPMASQ_MASQ] && sources_install(user, &commit->sources, worker) < 0)
		return -1;
	if (commit->kinds[IPMASQ_HELPER] && watchers_install(user, &commit->watchers, worker) < 0)
		return -1;
	return commit->kinds[IPMASQ_PROXY] ? proxies_install(user, worker) : 0;
}

static void undo(const struct commit *commit, struct worker *worker)
{
	const struct user *user = commit->user;

	redirect_undo(commit, worker);
	if (commit->kinds[IPMASQ_MASQ])
		sources_undo(user, &commit->sources, worker);
	if (commit->kinds[IPMASQ_HELPER])
		watchers_undo(user, &commit->watchers, worker);
	if (commit->kinds[IPMASQ_PROXY])
		proxies_undo(user, worker);
}

static void finish(const struct commit *commit, struct worker *worker)
{
	const struct user *user = commit->user;

	redirect_finish(commit, worker);
	if (commit->kinds[IPMASQ_MASQ])
		sources_finish(user, &commit->sources, worker);
	if (commit->kinds[IPMASQ_HELPER])
		watchers_finish(user, &commit->watchers, worker);
	if (commit->kinds[IPMASQ_PROXY])
		proxies_finish(user, worker);
	if (commit->kinds[IPMASQ_TRIGGER]) {
		trigger_finish(commit, worker);
		worker->watch = commit->watch;
	}
}

/* Takes over the plans of a commit that is done; what was in their place goes. */
static void keep_plans(struct commit *commit)
{
	struct user *user = commit->user;

	if (commit->kinds[IPMASQ_MASQ]) {
		free(user->sources.list);
		user->sources = commit->sources;
	}
	if (commit->kinds[IPMASQ_HELPER]) {
		free(user->watchers.list);
		user->watchers = commit->watchers;
	}
	if (commit->kinds[IPMASQ_TRIGGER]) {
		free(user->watch);
		user->watch = commit->watch;
	}
	if (commit->kinds[IPMASQ_PROXY])
		user->proxies_high = !user->proxies_high;
}

/* Gives every worker its part, or none. */
static int install_everywhere(struct commit *commit)
{
	struct user *user = commit->user;
	unsigned int w = 0;
	int rc = 0, code = 0;

	for (; w < user->n_workers && rc == 0; w++) {
		pthread_mutex_lock(&user->workers[w].lock);
		rc = install(commit, &user->workers[w]);
		code = errno;
		pthread_mutex_unlock(&user->workers[w].lock);
	}
	while (rc < 0 && w-- > 0) {
		pthread_mutex_lock(&user->workers[w].lock);
		undo(commit, &user->workers[w]);
		pthread_mutex_unlock(&user->workers[w].lock);
	}
	errno = code;
	return rc;
}

static int run(struct commit *commit, struct ipmasq_error *error)
{
	struct user *user = commit->user;

	if (store_reserve(&user->store, commit->n) < 0)
		goto fail;
	change_store(commit, false);
	set_ages(commit);
	if (plan(commit) < 0 || install_everywhere(commit) < 0) {
		change_store(commit, true);
		goto fail;
	}
	for (unsigned int w = 0; w < user->n_workers; w++) {
		pthread_mutex_lock(&user->workers[w].lock);
		finish(commit, &user->workers[w]);
		pthread_mutex_unlock(&user->workers[w].lock);
	}
	redirect_revise(user, commit);
	if (commit->kinds[IPMASQ_HELPER])
		watchers_revise(user);
	keep_plans(commit);
	user->generation++;
	user_update_hooks(user);
	return 0;
fail:
	free(commit->sources.list);
	free(commit->watchers.list);
	free(commit->watch);
	return errno == ENOMEM ? out_of_memory(error)
			       : ipmasq_fail(error, errno,
					     "cannot change the rules: %s; nothing was changed",
					     strerror(errno));
}

static int user_commit(struct ipmasq_engine *engine, const struct ipmasq_change *changes,
		       size_t n_changes, unsigned int flags, struct ipmasq_error *error)
{
	struct view *view = (struct view *)engine;
	struct user *user = view->user;
	struct commit commit = {.user = user, .flags = flags};
	int rc = -1;

	for (size_t i = 0; i < n_changes; i++)
		if (changes[i].after && user_supports(changes[i].after, error) < 0)
			return -1;
	pthread_mutex_lock(&user->lock);
	if (view->noted != user->generation) {
		again(error);
		goto out;
	}
	if (make_items(&commit, changes, n_changes, error) < 0)
		goto out;
	rc = run(&commit, error);
	items_free(&commit, rc < 0);
out:
	pthread_mutex_unlock(&user->lock);
	if (rc == 0 && user->changed)
		user->changed(user->changed_arg);
	return rc;
}

int commit_sources(struct user *user, const struct own *own, const char *interface,
		   struct ipmasq_error *error)
{
	struct commit commit = {.user = user, .kinds = {[IPMASQ_MASQ] = true}};
	int rc = -1;

	if (sources_plan(user, own, interface, &commit.sources) == 0)
		rc = install_everywhere(&commit);
	if (rc < 0) {
		free(commit.sources.list);
		return out_of_memory(error);
	}
	for (unsigned int w = 0; w < user->n_workers; w++) {
		pthread_mutex_lock(&user->workers[w].lock);
		finish(&commit, &user->workers[w]);
		pthread_mutex_unlock(&user->workers[w].lock);
	}
	keep_plans(&commit);
	return 0;
}

/* What the rules need of the packets' way; see user_hooks(). */
void user_update_hooks(struct user *user)
{
	const uint32_t *counts = user->store.counts;
	unsigned int hooks = 1u << USER_FROM_OUTSIDE | 1u << USER_TO_OUTSIDE;
	const struct stored *stored;

	/* What a helper awaits, an inside host may call, too. */
	if (counts[IPMASQ_REDIRECT] || counts[IPMASQ_TRIGGER] || counts[IPMASQ_PROXY] ||
	    counts[IPMASQ_HELPER])
		hooks |= 1u << USER_FROM_INSIDE | 1u << USER_TO_INSIDE;
	if (counts[IPMASQ_PROXY])
		hooks |= USER_HOOK_INSIDE_ANYWHERE | USER_HOOK_PROXY;
	LIST_FOREACH(stored, &user->store.kinds[IPMASQ_REDIRECT], of_kind) {
		const struct ipmasq_match *match = &stored->rule->redirect.match;

		if (hooks & USER_HOOK_INSIDE_ANYWHERE)
			break;
		if (match->mark || (!ipmasq_address_is_any(&match->alias) &&
				    !own_has(user->own, match->alias.in4)))
			hooks |= USER_HOOK_INSIDE_ANYWHERE;
	}
	atomic_store(&user->hooks, hooks);
}

static int user_engine_openings(struct ipmasq_engine *engine, const struct ipmasq_rule *rule,
				ipmasq_opening_visit visit, void *data, struct ipmasq_error *error)
{
	struct user *user = user_of(engine);
	const struct stored *stored;
	int rc = 0;

	pthread_mutex_lock(&user->lock);
	stored = store_find(&user->store, rule);
	if (stored)
		rc = user_trigger_openings(user, stored, visit, data, error);
	pthread_mutex_unlock(&user->lock);
	return rc;
}

/* With the engine's own view the engine itself is closed. */
static void user_close_view(struct ipmasq_engine *engine)
{
	struct user *user = user_of(engine);

	if (engine == &user->view.engine)
		user_close(user);
	else
		free(engine);
}

const struct ipmasq_engine_ops user_engine_ops = {
	.name = "user",
	.snapshot = user_snapshot,
	.get = user_get,
	.load = user_load,
	.commit = user_commit,
	.openings = user_engine_openings,
	.connections = user_connections,
	.timeouts = user_timeouts,
	.close = user_close_view,
};
