// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel engine: the rule table's questions, answered from nf_tables.
 *
 * The socket is opened when the first question comes, so that help and usage errors need no
 * privilege.  snapshot() reads the generation of the ruleset; a commit is valid in that
 * generation only, so whatever was read in between was read in it.  When another program (any
 * writer of nf_tables) came between, commit says EAGAIN and the caller begins again: nothing is
 * lost, nothing is half done.
 *
 * The generation is the whole ruleset's, so a program that changes other tables all the time
 * could keep a long transaction from ever coming to its end.  Therefore every commit is made
 * under a lock, and after some conflicts the lock is taken before the first question and the
 * generation is not looked at any more: nobody else of ours can change the table meanwhile.
 *
 * After a commit the flows that it left behind are ended (flows.h).
 */
#include "../engine.h"
#include "connections.h"
#include "flows.h"
#include "lock.h"
#include "netlink.h"
#include "place.h"
#include "redirect.h"
#include "ruled.h"
#include "schema.h"
#include "timeouts.h"
#include "trigger.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <ipmasq/table.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#define CONFLICTS_MAX 4 /* then the lock comes first */

struct kernel {
	struct ipmasq_engine engine;
	struct netlink netlink;
	uint32_t generation;
	bool present;           /* our table was there at the snapshot */
	unsigned int conflicts; /* in a row */
	int lock;               /* taken before the first question; -1: not */
};

static struct kernel *kernel_of(struct ipmasq_engine *engine)
{
	return (struct kernel *)engine;
}

/* What errno means to somebody who typed a command. */
static int explain(struct ipmasq_error *error, const char *what)
{
	int code = errno;

	switch (code) {
	case EPERM:
	case EACCES:
		return ipmasq_fail(error, code,
				   "%s: no permission: CAP_NET_ADMIN is needed; run it as root",
				   what);
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
	case EINVAL:
	case EOPNOTSUPP:
		return ipmasq_fail(
			error, code,
			"%s: this kernel cannot do it (%s): it needs nf_tables with NAT "
			"(CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NFT_NAT, "
			"CONFIG_NFT_FIB_INET, CONFIG_NFT_NUMGEN); try `modprobe nf_tables`",
			what, strerror(code));
	case EMSGSIZE:
		return ipmasq_fail(
			error, code,
			"%s: too many changes for one transaction of an unprivileged user; "
			"run it as root or raise net.core.wmem_max",
			what);
	default:
		return ipmasq_fail(error, code, "%s: %s", what, strerror(code));
	}
}

/* Somebody came between: the caller begins again. */
static int again(struct kernel *kernel, struct ipmasq_error *error)
{
	kernel->conflicts++;
	return ipmasq_fail(error, EAGAIN,
			   "other programs change the ruleset all the time; try again");
}

static int kernel_snapshot(struct ipmasq_engine *engine, struct ipmasq_error *error)
{
	struct kernel *kernel = kernel_of(engine);
	int present;

	if (!kernel->netlink.socket && netlink_open(&kernel->netlink) < 0)
		return explain(error, "cannot talk to the kernel's nf_tables");
	if (kernel->lock < 0 && kernel->conflicts >= CONFLICTS_MAX)
		kernel->lock = lock_take();
	kernel->netlink.patient = kernel->lock >= 0;
	if (netlink_generation(&kernel->netlink, &kernel->generation) < 0)
		return explain(error, "cannot read the ruleset");
	present = schema_present(&kernel->netlink, error);
	kernel->present = present > 0;
	return present < 0 ? -1 : 0;
}

static int kernel_get(struct ipmasq_engine *engine, const struct ipmasq_rule *key,
		      struct ipmasq_rule **rule, struct ipmasq_error *error)
{
	struct kernel *kernel = kernel_of(engine);

	*rule = NULL;
	if (!kernel->present)
		return 0;
	if ((ruled_is(key)
		     ? ruled_get(&kernel->netlink, key, rule)
		     : redirect_get(&kernel->netlink, key->owner, &key->redirect.match, rule)) < 0)
		return errno == EINTR || errno == ENOENT ? again(kernel, error)
							 : explain(error, "cannot read the rule");
	return 0;
}

static int load_place(struct kernel *kernel, const struct place_of *place, bool counters,
		      ipmasq_rule_take take, void *data)
{
	switch (place->place) {
	case PLACE_REDIRECT:
		return redirect_load(&kernel->netlink, place->owner, counters, take, data);
	case PLACE_MARK:
		return redirect_load_marks(&kernel->netlink, place->owner, take, data);
	default:
		return ruled_load(&kernel->netlink, place, take, data);
	}
}

static int kernel_load(struct ipmasq_engine *engine, bool counters, ipmasq_rule_take take,
		       void *data, struct ipmasq_error *error)
{
	struct kernel *kernel = kernel_of(engine);
	struct places places = {0};
	uint32_t generation;

	if (kernel->present && places_read(&kernel->netlink, &places) < 0)
		goto fail;
	for (size_t i = 0; i < places.n; i++)
		if (load_place(kernel, &places.list[i], counters, take, data) < 0)
			goto fail;
	if (netlink_generation(&kernel->netlink, &generation) < 0)
		goto fail;
	return generation == kernel->generation || kernel->lock >= 0 ? 0 : again(kernel, error);
fail:
	return errno == EINTR || errno == ENOENT ? again(kernel, error)
						 : explain(error, "cannot read the rules");
}

/* The places that a rule needs. */
static int places_of(const struct ipmasq_rule *rule, struct places *places)
{
	places->n = 0;
	if (ruled_is(rule))
		return ruled_places(rule, places);
	return places_add(places, rule->redirect.match.mark ? PLACE_MARK : PLACE_REDIRECT,
			  rule->owner);
}

/* Places that the changes need and that are not there yet. */
static int new_places(struct kernel *kernel, const struct ipmasq_change *changes, size_t n,
		      struct places *fresh)
{
	struct places there = {0}, needed;

	for (size_t i = 0; i < n; i++) {
		if (!changes[i].after)
			continue;
		if (places_of(changes[i].after, &needed) < 0)
			return -1;
		for (size_t p = 0; p < needed.n; p++) {
			const struct place_of *need = &needed.list[p];

			if (places_have(&there, need->place, need->owner) ||
			    places_have(fresh, need->place, need->owner))
				continue;
			if (places_add(kernel->present && place_is_there(&kernel->netlink,
									 need->place, need->owner)
					       ? &there
					       : fresh,
				       need->place, need->owner) < 0)
				return -1;
		}
	}
	return 0;
}

static int write_places(struct kernel *kernel, struct transaction *transaction,
			const struct places *fresh)
{
	struct places present = {0};

	if (!fresh->n)
		return 0;
	if (kernel->present && places_read(&kernel->netlink, &present) < 0)
		return -1;
	return places_write(transaction, &present, fresh);
}

static int check_changes(const struct ipmasq_change *changes, size_t n, struct ipmasq_error *error)
{
	for (size_t i = 0; i < n; i++) {
		const struct ipmasq_rule *rule = changes[i].after;

		if (!rule)
			continue;
		if ((ruled_is(rule) ? ruled_supported(rule, error)
				    : redirect_supported(&rule->redirect, error)) < 0)
			return -1;
	}
	return 0;
}

static int kernel_commit(struct ipmasq_engine *engine, const struct ipmasq_change *changes,
			 size_t n_changes, unsigned int flags, struct ipmasq_error *error)
{
	struct kernel *kernel = kernel_of(engine);
	struct transaction transaction = {0};
	struct places fresh = {0};
	int rc = -1, lock = -1;

	if (check_changes(changes, n_changes, error) < 0)
		return -1;
	if (new_places(kernel, changes, n_changes, &fresh) < 0 ||
	    transaction_begin(&transaction, &kernel->netlink, SCHEMA_TABLE,
			      kernel->lock >= 0 ? NULL : &kernel->generation) < 0)
		goto out;
	if (!kernel->present && schema_add_table(&transaction) < 0)
		goto out;
	if (write_places(kernel, &transaction, &fresh) < 0 ||
	    redirect_write(&transaction, changes, n_changes) < 0 ||
	    ruled_write(&transaction, changes, n_changes) < 0)
		goto out;
	if (kernel->lock < 0)
		lock = lock_take();
	rc = transaction_commit(&transaction);
out:
	if (rc == 0)
		kernel->conflicts = 0;
	else if (errno == ERESTART || errno == EINTR || errno == EAGAIN)
		again(kernel, error);
	else
		explain(error, "cannot change the ruleset");
	lock_drop(lock);
	transaction_end(&transaction);
	return rc < 0 ? -1 : flows_end(&kernel->netlink, changes, n_changes, flags, error);
}

static int kernel_openings(struct ipmasq_engine *engine, const struct ipmasq_rule *rule,
			   ipmasq_opening_visit visit, void *data, struct ipmasq_error *error)
{
	struct kernel *kernel = kernel_of(engine);
	int rc = trigger_openings(&kernel->netlink, rule, visit, data);

	if (rc < 0)
		return errno == EINTR || errno == ENOENT
			       ? again(kernel, error)
			       : explain(error, "cannot read what is open");
	return rc;
}

static void kernel_release(struct ipmasq_engine *engine)
{
	struct kernel *kernel = kernel_of(engine);

	lock_drop(kernel->lock);
	kernel->lock = -1;
}

static void kernel_close(struct ipmasq_engine *engine)
{
	struct kernel *kernel = kernel_of(engine);

	kernel_release(engine);
	netlink_close(&kernel->netlink);
	free(kernel);
}

static const struct ipmasq_engine_ops kernel_ops = {
	.name = "kernel",
	.snapshot = kernel_snapshot,
	.get = kernel_get,
	.load = kernel_load,
	.commit = kernel_commit,
	.openings = kernel_openings,
	.connections = kernel_connections,
	.follow = kernel_follow,
	.timeouts = kernel_timeouts,
	.release = kernel_release,
	.close = kernel_close,
};

struct ipmasq_engine *ipmasq_engine_kernel(struct ipmasq_error *error)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));

	if (!kernel) {
		ipmasq_fail(error, ENOMEM, "out of memory");
		return NULL;
	}
	kernel->engine.ops = &kernel_ops;
	kernel->lock = -1;
	return &kernel->engine;
}
