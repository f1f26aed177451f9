/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the user engine share: the engine, its workers and who does what.
 *
 *   engine.c      the rule table's operations, and how a commit goes
 *   store.c       the rules, found by their keys
 *   redirect.c masq.c proxy.c helper.c trigger.c   one kind of rule each, in terms of libalias
 *   translate.c   the way of packets; steer.c: which worker's they are; fragment.c: those held
 *   links.c       links across a restart; connections.c: listed; explain.c: whose they are
 *   user.c        the engine's life and what its owner sets
 *
 * Locks: user->lock is of whoever reads or changes rules, and of nobody who has packets; a worker's
 * lock is of whoever uses its instances.  Whoever has user->lock may take one worker's lock,
 * whoever has a worker's lock takes no other.
 */
#ifndef IPMASQ_USER_INTERNAL_H
#define IPMASQ_USER_INTERNAL_H

#include "../engine.h"
#include "user.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

/* In user->hooks: there are proxy rules. */
#define USER_HOOK_PROXY (1u << (USER_HOOKS + 1))

/* A rule of the store, and what it is in each worker. */
struct stored {
	struct stored *chain; /* in the store's hash */
	LIST_ENTRY(stored) of_kind;
	struct ipmasq_rule *rule;
	struct alias_link *redirect[]; /* by worker; of redirects only */
};

LIST_HEAD(stored_list, stored);

struct store {
	struct stored **chains;
	size_t n_chains, n; /* n_chains is a power of two */
	struct stored_list kinds[IPMASQ_KINDS];
	uint32_t counts[IPMASQ_KINDS];
};

/* The addresses of this machine, sorted. */
struct own {
	unsigned int n;
	struct in_addr first; /* of the outside interface */
	struct in_addr list[];
};

struct opening;
struct watch;

struct worker {
	pthread_mutex_t lock;
	struct user *user;
	unsigned int number;
	struct libalias *border, *inner;
	const struct own *own;
	const struct watch *watch;  /* what triggers look for; NULL: nothing */
	struct opening **openings;  /* a hash; see trigger.c */
	uint32_t n_openings, swept; /* when openings were last looked through */
	uint64_t packets[USER_HOOKS], bytes[USER_HOOKS];
	uint64_t verdicts[USER_HOLD + 1];
	atomic_bool awaits; /* its helpers await something; for the others to read */
} __attribute__((aligned(64)));

/* Masquerading of one net, as libalias has it. */
struct source {
	uint32_t net, alias; /* network order */
	uint8_t bits, protocol;
	const struct ipmasq_rule *rule; /* NULL: the machine's own address */
};

struct sources {
	struct source *list;
	size_t n;
};

/* One port that one helper watches. */
struct watched {
	char name[16];
	uint16_t port;
};

struct watchers {
	struct watched *list;
	size_t n;
};

/* A view of the engine for one session: the generation that it has read. */
struct view {
	struct ipmasq_engine engine;
	struct user *user;
	uint64_t noted;
};

struct user {
	struct view view; /* of user_engine() */
	unsigned int n_workers;
	struct worker *workers;
	uint32_t seed; /* of steer.c */
	uint32_t (*clock)(void *arg);
	void *clock_arg;
	user_fragment released;
	void *released_arg;
	void (*changed)(void *arg);
	void *changed_arg;
	atomic_uint hooks;

	pthread_mutex_t lock; /* of what follows */
	struct store store;
	uint64_t generation, age;
	char interface[16];
	struct own *own;
	struct sources sources;   /* as they are in every worker */
	struct watchers watchers; /* likewise */
	struct watch *watch;
	bool proxies_high; /* which half of the indices the proxy rules have */
};

/* A change of the store: either may be NULL. */
struct item {
	struct stored *before, *after;
};

/* A commit on its way. */
struct commit {
	struct user *user;
	struct item *items; /* in the order of their ages */
	size_t n;
	unsigned int flags;
	bool kinds[IPMASQ_KINDS]; /* that change */
	struct sources sources;
	struct watchers watchers;
	struct watch *watch;
};

static inline uint32_t user_now(const struct user *user)
{
	return user->clock(user->clock_arg);
}

static inline bool own_has(const struct own *own, struct in_addr address)
{
	unsigned int low = 0, high = own ? own->n : 0;

	while (low < high) {
		unsigned int middle = low + (high - low) / 2;

		if (own->list[middle].s_addr == address.s_addr)
			return true;
		if (own->list[middle].s_addr < address.s_addr)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* store.c */
int store_init(struct store *store);
void store_free(struct store *store);
struct stored *stored_new(const struct ipmasq_rule *rule, unsigned int workers);
void stored_free(struct stored *stored);
struct stored *store_find(const struct store *store, const struct ipmasq_rule *key);
/* Makes room for so many more; after that adding cannot fail. */
int store_reserve(struct store *store, size_t more);
void store_add(struct store *store, struct stored *stored);
void store_remove(struct store *store, struct stored *stored);

/* engine.c */
extern const struct ipmasq_engine_ops user_engine_ops;
void user_update_hooks(struct user *user);
/* Every worker masquerades as the rules and these addresses say, or none does anything new. */
int commit_sources(struct user *user, const struct own *own, const char *interface,
		   struct ipmasq_error *error);

/*
 * The kinds.  supported() says whether the engine can do a rule; plan() works out, from the store
 * as it shall be, what a worker gets; install() gives it to one worker, without taking anything
 * away, and may fail; undo() takes that back; finish() takes away what was before.  The last three
 * are called with the worker's lock, and only install() and plan() can fail, with errno.
 */
int user_redirect_supported(const struct ipmasq_redirect *redirect, struct ipmasq_error *error);
int redirect_install(const struct commit *commit, struct worker *worker);
void redirect_undo(const struct commit *commit, struct worker *worker);
void redirect_finish(const struct commit *commit, struct worker *worker);
/*
 * Ends the flows of UDP that by-pass the redirects that are new, after a commit; of no commit,
 * those of any.
 */
void redirect_revise(struct user *user, const struct commit *commit);
/* Where the engine looks first: the lower rank; see redirect.c. */
unsigned int redirect_rank(const char *owner, const struct ipmasq_match *match, bool opening);
/* Fills in the read-only fields of a copy of the stored rule, targets in the order of turns. */
int redirect_read(struct user *user, const struct stored *stored, struct ipmasq_redirect *copy,
		  bool counters);

int sources_plan(const struct user *user, const struct own *own, const char *interface,
		 struct sources *sources);
int sources_install(const struct user *user, const struct sources *after, struct worker *worker);
void sources_undo(const struct user *user, const struct sources *after, struct worker *worker);
void sources_finish(const struct user *user, const struct sources *after, struct worker *worker);
/* What masquerades this inside address, or NULL. */
const struct source *sources_find(const struct sources *sources, struct in_addr inside,
				  uint8_t protocol);

int proxies_install(const struct user *user, struct worker *worker);
void proxies_undo(const struct user *user, struct worker *worker);
void proxies_finish(const struct user *user, struct worker *worker);
const struct ipmasq_rule *proxies_find(const struct user *user, const struct alias_link_info *link);

int user_helper_supported(const struct ipmasq_helper *helper, struct ipmasq_error *error);
int watchers_plan(const struct user *user, struct watchers *watchers);
int watchers_install(const struct user *user, const struct watchers *after, struct worker *worker);
void watchers_undo(const struct user *user, const struct watchers *after, struct worker *worker);
void watchers_finish(const struct user *user, const struct watchers *after, struct worker *worker);
/* Flows of UDP get and lose their helpers, after a commit. */
void watchers_revise(struct user *user);

/* trigger.c */
int watch_plan(const struct user *user, struct watch **watch);
/* The worker's openings of rules that are no more close. */
void trigger_finish(const struct commit *commit, struct worker *worker);
void trigger_close_all(struct worker *worker);
void trigger_sweep(struct worker *worker);
/* May a packet to this port open something? */
bool trigger_is_control(const struct watch *watch, uint8_t protocol, uint16_t port);
/* Control traffic to a port of a remote host left inside and got this alias address. */
struct sighting {
	struct in_addr inside, remote, alias;
	uint8_t protocol;
	uint16_t port;
};
/*
 * Opens what the sighting opens in this worker, which is locked; `elsewhere`: the remote host is
 * another worker's, so only what is open for everybody.  true: the others have to see it, too.
 */
bool trigger_see(struct worker *worker, const struct sighting *sighting, bool elsewhere);
int user_trigger_supported(const struct ipmasq_trigger *trigger, struct ipmasq_error *error);
int user_trigger_openings(struct user *user, const struct stored *stored,
			  ipmasq_opening_visit visit, void *data, struct ipmasq_error *error);

/* await.c */
/* The worker, which is locked, has worked: do its helpers await something now? */
void await_note(struct worker *worker);
/* Do helpers of other workers await something? */
bool await_others(const struct worker *worker);
/* May the packet, if nothing is found for it, be the first of what a helper awaits? */
bool await_may_be(const struct user_packet *packet);
/* What a helper of another worker awaits of anyone, if it is this packet; no lock is held. */
bool await_take(struct worker *worker, const struct user_packet *packet, bool incoming,
		struct alias_awaited *awaited);

/* connections.c */
/* Has all links looked at, some at a time while their worker is locked, until the cursor is
 * UINT_MAX. */
void revise_links(struct user *user,
		  void (*some)(struct libalias *la, unsigned int *cursor, int max,
			       const void *data),
		  const void *data);
int user_connections(struct ipmasq_engine *engine, const struct ipmasq_connection_filter *filter,
		     ipmasq_connection_visit visit, void *data, struct ipmasq_error *error);
int user_timeouts(struct ipmasq_engine *engine, const struct ipmasq_timeouts *timeouts,
		  struct ipmasq_error *error);

static inline struct user *user_of(struct ipmasq_engine *engine)
{
	return ((struct view *)engine)->user;
}

/* steer.c */
unsigned int steer(const struct user *user, struct in_addr remote);

/* fragment.c */
/* Keeps a copy of a fragment that came before its header; false: there is no room. */
bool fragment_hold(struct worker *worker, const struct user_packet *packet);
/* The header is translated now: so is what was held. */
void fragment_release(struct worker *worker, struct user_packet *header);
void fragment_freed(void *fragment, void *arg);

#endif
