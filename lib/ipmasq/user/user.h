/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user engine: the rule table's engine behind which libalias translates packets.
 *
 * It has a store of rules, which the rule table's operations read and change, and so many workers.
 * A worker is a pair of libalias instances, a slice of the port range and a lock: `border` stands
 * at the outside interface and does masquerading and redirects; `inner`, in mode
 * PKT_ALIAS_PROXY_ONLY, stands between the inside and this machine and does proxy rules.  A commit
 * compiles the changed rules into every worker's instances, all under their locks, between two
 * batches of packets, so a packet sees the rules before or after it, and none waits longer than
 * that.
 *
 * Packets are given to the worker of their remote address (user_worker_of()), so that both
 * directions of a conversation, and whatever a helper awaits from the same remote host, meet in one
 * instance; redirects are known to all of them.  A source port that is free for its remote host is
 * kept; where one has to be chosen it is of the worker's slice.
 *
 * Above: ipmasqd, which moves the packets, and ipmasqadm's trace and replay.  Below: libalias.
 */
#ifndef IPMASQ_USER_H
#define IPMASQ_USER_H

#include <alias.h>
#include <ipmasq/error.h>
#include <ipmasq/table.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct user;

/*
 * Where on its way a packet was met.
 *
 * A hairpin (RFC 4787, section 6), an inside host or this machine itself that calls an alias
 * address, gets its destination when it comes and its source when it goes, since the kernel drops
 * a packet that comes from inside with a source of this machine: USER_FROM_INSIDE makes the link
 * for the one half, USER_TO_INSIDE, where it is known whether the packet goes back where it came
 * from, that for the other.
 */
enum user_hook {
	USER_FROM_OUTSIDE, /* arrived by the outside interface: border in, then inner in */
	USER_TO_OUTSIDE,   /* leaves by the outside interface: border out */
	USER_FROM_INSIDE,  /* arrived by another interface, or made here for an address of this
			      machine: inner out, or border in where it is for an alias address */
	USER_TO_INSIDE,    /* leaves by another interface than the outside one, or came by another
			      and is delivered here: border out of a link that is there, inner in */
	USER_HOOKS
};

enum user_verdict {
	USER_KEEP,    /* goes on as it is */
	USER_CHANGED, /* goes on, changed in place; its length is in its header */
	USER_DROP,    /* refused: no port, a limit, malformed */
	USER_HOLD, /* a fragment before its header: user_fragment() says later what becomes of it */
};

/* An IPv4 datagram on its way. */
struct user_packet {
	void *data;
	int size;      /* of the buffer, that a helper may fill */
	uint32_t mark; /* fwmark, host order */
	uint8_t hook;  /* enum user_hook */
	bool onward;   /* USER_TO_INSIDE: it is known to leave by another interface than it came by,
			  so a redirected one keeps its source: its answer comes by here anyway */
	uint8_t verdict;
	uint32_t id; /* the caller's, for user_fragment() */
	/* Out, with user_explain() only: the rule that decided, valid until the next commit. */
	const struct ipmasq_rule *rule;
};

/* A user engine with `workers` (1..64) workers, or NULL with an error. */
struct user *user_open(unsigned int workers, struct ipmasq_error *error);

/*
 * user_close - frees it, when nobody uses it or a view of it any more; ipmasq_engine_close() on
 * user_engine() does the same.  NULL is fine.
 */
void user_close(struct user *user);

/* The rule table's view of it, for ipmasq_table_open(): for one table at a time. */
struct ipmasq_engine *user_engine(struct user *user);

/*
 * user_view - another view, for a table beside that: it sees the other one's commits as conflicts.
 * ipmasq_engine_close() closes this view only.  NULL and errno ENOMEM.
 */
struct ipmasq_engine *user_view(struct user *user);

/*
 * user_set_addresses - the addresses of this machine (network order), the outside interface's name
 * and its own address first: what masquerading gives, what `any address of this machine` means and
 * what is not translated on its way in from the inside.  May be called again when they change.
 */
int user_set_addresses(struct user *user, const char *interface, const struct in_addr *addresses,
		       unsigned int n, struct ipmasq_error *error);

/* 0 when the engine can do the rule, -1 with an error that says what it cannot. */
int user_supports(const struct ipmasq_rule *rule, struct ipmasq_error *error);

/* The worker for a packet of a hook: by its remote address, an ICMP error by the quoted one. */
unsigned int user_worker_of(const struct user *user, const void *data, int length,
			    enum user_hook hook);

/*
 * The seed with which the kernel finds the same worker: nft(8)'s `jhash ip saddr mod WORKERS seed
 * SEED` where packets come (USER_FROM_*), of ip daddr where they go.
 */
uint32_t user_hash_seed(const struct user *user);

/* Translates n packets of one worker, in order; any thread may call it, it locks the worker. */
void user_translate(struct user *user, unsigned int worker, struct user_packet *packets,
		    unsigned int n);

/* As user_translate() for one packet, and names the rule. */
void user_explain(struct user *user, unsigned int worker, struct user_packet *packet);

/*
 * Called, from user_translate() or user_tick(), for each packet that was held: `data` is its
 * copy as it goes on, or NULL when it is to be dropped.  A worker is locked meanwhile.
 */
typedef void (*user_fragment)(void *arg, unsigned int worker, uint32_t id, void *data, int length);
void user_set_fragment(struct user *user, user_fragment released, void *arg);

/*
 * Has a worker open holes in a firewall for what its helpers await, by libalias's operations with
 * `count` numbers from `base` on.  NULL: none, and those that are open are closed.
 */
void user_set_firewall(struct user *user, unsigned int worker, const struct alias_firewall *ops,
		       void *arg, unsigned int base, unsigned int count);

/* Time passes: expiry of links, openings and fragments; once a second or so by each worker. */
void user_tick(struct user *user, unsigned int worker);

/*
 * Which hooks the rules there are now need, as a mask of 1u << enum user_hook.  Without
 * USER_HOOK_INSIDE_ANYWHERE, USER_FROM_INSIDE needs only what is for an address of this machine:
 * proxy rules, and redirects of an alias address that is none of its own, need all of it.
 */
#define USER_HOOK_INSIDE_ANYWHERE (1u << USER_HOOKS)
unsigned int user_hooks(const struct user *user);

/* Called, under no lock, after each commit by the committing thread; for user_hooks(). */
void user_set_changed(struct user *user, void (*changed)(void *arg), void *arg);

/* The time comes from clock(arg), in seconds that never go back; before the first packet. */
void user_set_clock(struct user *user, uint32_t (*clock)(void *arg), void *arg);

/* Grows with each commit. */
uint64_t user_generation(struct user *user);

/* What `status` says, summed over the workers. */
struct user_status {
	struct alias_stats alias; /* of the border instances */
	uint64_t packets[USER_HOOKS], bytes[USER_HOOKS];
	uint64_t kept, changed, dropped, held;
	uint32_t rules[IPMASQ_KINDS];
	uint32_t workers;
};
void user_get_status(struct user *user, struct user_status *status);

/*
 * user_save_links, user_load_links - dynamic links of all workers to and from an open file, for a
 * restart, when the rules are there already; with a forward that is gone its flows of UDP are, too.
 * The file, which must be seekable, is checked as input of a stranger: what is not whole is
 * refused.
 */
int user_save_links(struct user *user, FILE *file, struct ipmasq_error *error);
int user_load_links(struct user *user, FILE *file, struct ipmasq_error *error);

#endif
