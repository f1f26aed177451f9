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
#include "flows.h"
#include "lock.h"
#include "netlink.h"
#include "redirect.h"
#include "schema.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <ipmasq/table.h>
#include <libnftnl/chain.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#define OWNERS_MAX    64
#define CONFLICTS_MAX 4 /* then the lock comes first */

struct kernel {
	struct ipmasq_engine engine;
	struct netlink netlink;
	uint32_t generation;
	bool present; /* our table was there at the snapshot */
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
				   "%s: no permission: CAP_NET_ADMIN is needed; run it as root", what);
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
	case EINVAL:
	case EOPNOTSUPP:
		return ipmasq_fail(error, code,
				   "%s: this kernel cannot do it (%s): it needs nf_tables with NAT "
				   "(CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NFT_NAT, "
				   "CONFIG_NFT_FIB_INET, CONFIG_NFT_NUMGEN); try `modprobe nf_tables`",
				   what, strerror(code));
	case EMSGSIZE:
		return ipmasq_fail(error, code,
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
	return ipmasq_fail(error, EAGAIN, "other programs change the ruleset all the time; try again");
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
	if (!kernel->present || key->kind != IPMASQ_REDIRECT)
		return 0;
	if (redirect_get(&kernel->netlink, key->owner, &key->redirect.match, rule) < 0)
		return errno == EINTR || errno == ENOENT ? again(kernel, error)
								 : explain(error, "cannot read the rule");
	return 0;
}

/* The owners whose chains are in our table. */
struct owners {
	char names[OWNERS_MAX][IPMASQ_OWNER_SIZE];
	size_t n;
};

static int read_owner(const struct nlmsghdr *message, void *data)
{
	static const char prefix[] = "redirect_";
	struct owners *owners = data;
	struct nftnl_chain *chain = nftnl_chain_alloc();
	const char *name, *table;

	if (!chain || nftnl_chain_nlmsg_parse(message, chain) < 0)
		goto out;
	name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
	table = nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE);
	if (strcmp(table, SCHEMA_TABLE) == 0 && strncmp(name, prefix, strlen(prefix)) == 0 &&
	    strlen(name) - strlen(prefix) < IPMASQ_OWNER_SIZE && owners->n < OWNERS_MAX)
		strcpy(owners->names[owners->n++], name + strlen(prefix));
out:
	if (chain)
		nftnl_chain_free(chain);
	return MNL_CB_OK;
}

static int by_precedence(const void *a, const void *b)
{
	unsigned int x = ipmasq_owner_precedence(a), y = ipmasq_owner_precedence(b);

	return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

static int read_owners(struct kernel *kernel, struct owners *owners)
{
	owners->n = 0;
	if (!kernel->present)
		return 0;
	netlink_request(&kernel->netlink, NFT_MSG_GETCHAIN, 0);
	if (netlink_dump(&kernel->netlink, read_owner, owners) < 0)
		return -1;
	qsort(owners->names, owners->n, sizeof(owners->names[0]), by_precedence);
	return 0;
}

static int kernel_load(struct ipmasq_engine *engine, bool counters, ipmasq_rule_take take,
		       void *data, struct ipmasq_error *error)
{
	struct kernel *kernel = kernel_of(engine);
	struct owners owners;
	uint32_t generation;

	if (read_owners(kernel, &owners) < 0)
		goto fail;
	for (size_t i = 0; i < owners.n; i++)
		if (redirect_load(&kernel->netlink, owners.names[i], counters, take, data) < 0)
			goto fail;
	if (netlink_generation(&kernel->netlink, &generation) < 0)
		goto fail;
	return generation == kernel->generation || kernel->lock >= 0 ? 0 : again(kernel, error);
fail:
	return errno == EINTR || errno == ENOENT ? again(kernel, error)
							 : explain(error, "cannot read the rules");
}

static bool owner_is_there(struct kernel *kernel, const char *owner)
{
	char chain[SCHEMA_NAME_MAX];
	struct nlmsghdr *request;

	if (!kernel->present)
		return false;
	request = netlink_request(&kernel->netlink, NFT_MSG_GETCHAIN, 0);
	mnl_attr_put_strz(request, NFTA_CHAIN_TABLE, SCHEMA_TABLE);
	mnl_attr_put_strz(request, NFTA_CHAIN_NAME, schema_owner_chain(chain, owner));
	return netlink_ask(&kernel->netlink, NULL, NULL) == 0;
}

/* Owners that the changes bring and that have no chains yet. */
static int new_owners(struct kernel *kernel, const struct ipmasq_change *changes, size_t n,
		      struct owners *fresh)
{
	const char *last = "";

	fresh->n = 0;
	for (size_t i = 0; i < n; i++) {
		const char *owner = changes[i].after ? changes[i].after->owner : last;
		size_t known = 0;

		if (strcmp(owner, last) == 0)
			continue;
		last = owner;
		while (known < fresh->n && strcmp(fresh->names[known], owner) != 0)
			known++;
		if (known < fresh->n || owner_is_there(kernel, owner))
			continue;
		if (fresh->n == OWNERS_MAX) {
			errno = ENOSPC;
			return -1;
		}
		strcpy(fresh->names[fresh->n++], owner);
	}
	return 0;
}

static int write_owners(struct kernel *kernel, struct transaction *transaction,
			const struct owners *fresh)
{
	struct owners present;

	if (!fresh->n)
		return 0;
	if (read_owners(kernel, &present) < 0)
		return -1;
	for (size_t i = 0; i < fresh->n && present.n < OWNERS_MAX; i++) {
		if (schema_add_owner(transaction, fresh->names[i],
				     (const char (*)[IPMASQ_OWNER_SIZE])present.names, present.n) < 0)
			return -1;
		strcpy(present.names[present.n++], fresh->names[i]);
		qsort(present.names, present.n, sizeof(present.names[0]), by_precedence);
	}
	return 0;
}

static int check_changes(const struct ipmasq_change *changes, size_t n, struct ipmasq_error *error)
{
	for (size_t i = 0; i < n; i++) {
		const struct ipmasq_rule *rule = changes[i].after;

		if (!rule)
			continue;
		if (rule->kind != IPMASQ_REDIRECT)
			return ipmasq_fail(error, EOPNOTSUPP,
					   "the kernel engine has no rules of this kind (%d)",
					   (int)rule->kind);
		if (redirect_supported(&rule->redirect, error) < 0)
			return -1;
	}
	return 0;
}

static int kernel_commit(struct ipmasq_engine *engine, const struct ipmasq_change *changes,
			 size_t n_changes, unsigned int flags, struct ipmasq_error *error)
{
	struct kernel *kernel = kernel_of(engine);
	struct transaction transaction = {0};
	struct owners fresh;
	int rc = -1, lock = -1;

	if (check_changes(changes, n_changes, error) < 0)
		return -1;
	if (new_owners(kernel, changes, n_changes, &fresh) < 0 ||
	    transaction_begin(&transaction, &kernel->netlink,
			      kernel->lock >= 0 ? NULL : &kernel->generation) < 0)
		goto out;
	if (!kernel->present && schema_add_table(&transaction) < 0)
		goto out;
	if (write_owners(kernel, &transaction, &fresh) < 0 ||
	    redirect_write(&transaction, changes, n_changes) < 0)
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
	.snapshot = kernel_snapshot,
	.get = kernel_get,
	.load = kernel_load,
	.commit = kernel_commit,
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
