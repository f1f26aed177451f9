// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Table inet ipmasqd: which packets the kernel hands to which queue.
 *
 *   prerouting, raw: before conntrack, which then knows packets by their inside addresses
 *     from outside    iifname IFACE: by source
 *     from inside     iifname none of IFACE, lo; for this machine, or for anywhere: by source
 *   output, raw       from inside: what this machine sends to its own addresses
 *   postrouting, 300: behind all source translation
 *     to outside      oifname IFACE: by destination
 *     to inside       neither iifname nor oifname IFACE: by destination; a packet made here has an
 *                     empty iifname
 *   input, 300        to inside: what is delivered here, replies to this machine's own hairpins
 *
 * Chains outside_N and inside_N have one rule each, the queue; maps outside and inside lead from
 * the hash of the remote address, the same that the engine uses, to these chains.
 *
 * Where the kernel tracks connections, an ICMP error shares the connection of the packet that it
 * is about, and the kernel drops what is queued of a connection that is shared and not confirmed
 * yet.  So errors that this machine makes about the first packet of an inside host (traceroute
 * asks for them) are not queued; what they quote is as that host has sent it.
 *
 * A packet's queue says whether it is the outside's or the inside's, so that the daemon needs no
 * interface's number, which changes when an interface (ppp0) goes and comes back.
 *
 * Between two ipmasqd that hand over (queue_rules_hold()), the same rules drop what they would
 * queue, while the family IPv4 is in set held, whose time-out ends it when no other comes.
 *
 * The kernel drops everything that waits in any queue when a base chain goes away.  So all base
 * chains stay as long as the daemon lives, and only the rules in them come and go.  An empty one
 * costs a packet a few nanoseconds.
 */
#include "queue_rules.h"
#include "kernel/element.h"
#include "kernel/expression.h"
#include "kernel/object.h"
#include "user/user.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/ip.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PRIORITY_RAW  (-300)
#define PRIORITY_LAST 300 /* behind source NAT (100) and its helpers, before conntrack confirms */

#define SOURCE      offsetof(struct iphdr, saddr)
#define DESTINATION offsetof(struct iphdr, daddr)

#define HELD "held"

#define COMMENT    "ipmasqd 1, queues %u to %u" /* whose table it is; of layout 1 */
#define STATISTICS "/proc/net/netfilter/nfnetlink_queue"

static const struct {
	const char *name;
	uint32_t hook;
	int priority;
} base_chains[] = {
	{"prerouting", NF_INET_PRE_ROUTING, PRIORITY_RAW},
	{"output", NF_INET_LOCAL_OUT, PRIORITY_RAW},
	{"postrouting", NF_INET_POST_ROUTING, PRIORITY_LAST},
	{"input", NF_INET_LOCAL_IN, PRIORITY_LAST},
};

#define N_BASE_CHAINS (sizeof(base_chains) / sizeof(base_chains[0]))

/* What a rule asks of a packet. */
enum condition {
	FROM_IFACE = 1,
	NOT_FROM_IFACE = 2,
	NOT_FROM_LO = 4,
	TO_IFACE = 8,
	NOT_TO_IFACE = 16,
	NOT_TO_LOOPBACK = 32, /* 127.0.0.0/8 */
	TO_HERE = 64,         /* an address of this machine, not of loopback */
	TO_HERE_MOSTLY = 128, /* the same, but for USER_HOOK_INSIDE_ANYWHERE */
	MADE_HERE = 256,      /* as postrouting sees it */
	ICMP = 512,
};

/* The packets that are queued, where, and by which address their worker is found. */
static const struct direction {
	const char *chain;
	unsigned int hook; /* enum user_hook */
	unsigned int conditions;
	const char *side; /* NULL: they are not queued, whatever comes after */
	uint32_t remote;
} directions[] = {
	{"prerouting", USER_FROM_OUTSIDE, FROM_IFACE, "outside", SOURCE},
	{"prerouting", USER_FROM_INSIDE, NOT_FROM_IFACE | NOT_FROM_LO | TO_HERE_MOSTLY, "inside",
	 SOURCE},
	{"output", USER_FROM_INSIDE, TO_HERE, "inside", SOURCE},
	{"postrouting", USER_TO_OUTSIDE, TO_IFACE, "outside", DESTINATION},
	{"postrouting", USER_TO_INSIDE, MADE_HERE | NOT_TO_IFACE | ICMP, NULL, 0},
	{"postrouting", USER_TO_INSIDE, NOT_FROM_IFACE | NOT_TO_IFACE | NOT_TO_LOOPBACK, "inside",
	 DESTINATION},
	{"input", USER_TO_INSIDE, NOT_FROM_IFACE | NOT_FROM_LO, "inside", DESTINATION},
};

#define N_DIRECTIONS (sizeof(directions) / sizeof(directions[0]))

static void match_conditions(struct rule *rule, unsigned int conditions, const char *interface,
			     bool anywhere)
{
	uint8_t loopback = 127;

	if (conditions & TO_HERE_MOSTLY)
		conditions |= anywhere ? NOT_TO_LOOPBACK : TO_HERE;
	if (conditions & FROM_IFACE)
		match_interface(rule, NFT_META_IIFNAME, interface, NFT_CMP_EQ);
	if (conditions & NOT_FROM_IFACE)
		match_interface(rule, NFT_META_IIFNAME, interface, NFT_CMP_NEQ);
	if (conditions & NOT_FROM_LO)
		match_interface(rule, NFT_META_IIFNAME, "lo", NFT_CMP_NEQ);
	if (conditions & MADE_HERE)
		match_interface(rule, NFT_META_IIFNAME, "", NFT_CMP_EQ);
	if (conditions & TO_IFACE)
		match_interface(rule, NFT_META_OIFNAME, interface, NFT_CMP_EQ);
	if (conditions & NOT_TO_IFACE)
		match_interface(rule, NFT_META_OIFNAME, interface, NFT_CMP_NEQ);
	if (conditions & TO_HERE) {
		match_own_address(rule, AF_INET);
		return;
	}
	match_protocol_family(rule, NFPROTO_IPV4);
	if (conditions & ICMP)
		match_transport(rule, IPPROTO_ICMP);
	if (conditions & NOT_TO_LOOPBACK) {
		load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, DESTINATION, sizeof(loopback), 0);
		compare(rule, 0, NFT_CMP_NEQ, &loopback, sizeof(loopback));
	}
}

static const char *queue_chain(char name[static SCHEMA_NAME_MAX], const char *side,
			       unsigned int worker)
{
	snprintf(name, SCHEMA_NAME_MAX, "%s_%u", side, worker);
	return name;
}

/*
 * The rule of a direction: match, then to the queue of the worker that the remote address has, or
 * away with it while it is held.
 */
static int add_direction(struct transaction *transaction, const struct queue_rules *rules,
			 const struct direction *direction, bool anywhere)
{
	char chain[SCHEMA_NAME_MAX];
	struct rule rule;

	rule_begin(&rule, direction->chain);
	match_conditions(&rule, direction->conditions, rules->interface, anywhere);
	if (!direction->side) {
		verdict(&rule, NFT_RETURN, NULL);
	} else if (rules->held) {
		load_meta(&rule, NFT_META_NFPROTO, 0);
		lookup_set(&rule, HELD, 0);
		verdict(&rule, NF_DROP, NULL);
	} else if (rules->workers == 1) {
		verdict(&rule, NFT_GOTO, queue_chain(chain, direction->side, 0));
	} else {
		load_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, direction->remote, sizeof(uint32_t),
			     0);
		load_jhash(&rule, sizeof(uint32_t), rules->workers, rules->seed);
		lookup_verdict(&rule, direction->side, 0);
	}
	return rule_add(&rule, transaction);
}

static int add_directions(struct transaction *transaction, const struct queue_rules *rules,
			  unsigned int hooks)
{
	for (size_t i = 0; i < N_DIRECTIONS; i++)
		if (hooks & 1u << directions[i].hook &&
		    add_direction(transaction, rules, &directions[i],
				  hooks & USER_HOOK_INSIDE_ANYWHERE) < 0)
			return -1;
	return 0;
}

static int add_queue(struct transaction *transaction, const struct queue_rules *rules,
		     const char *side, uint16_t first, unsigned int worker)
{
	char chain[SCHEMA_NAME_MAX];
	struct rule rule;

	if (chain_add(transaction, queue_chain(chain, side, worker), NULL, 0, 0) < 0)
		return -1;
	rule_begin(&rule, chain);
	if (rules->target)
		target_nfqueue(&rule, (uint16_t)(first + worker), rules->bypass);
	else
		queue(&rule, (uint16_t)(first + worker), rules->bypass);
	return rule_add(&rule, transaction);
}

/*
 * The map from the hash of a remote address to the chain with its worker's queue.  nft(8) has no
 * name for a number without a meaning; it lists the key as a mark, which is one, too.
 */
static int add_worker_map(struct transaction *transaction, const char *side, unsigned int workers)
{
	struct element_writer writer = {.transaction = transaction, .type = NFT_MSG_NEWSETELEM};
	struct nftnl_set *set = set_new_by_mark(transaction, side);
	int rc = -1;

	if (!set || set_add(transaction, set) < 0)
		goto out;
	for (uint32_t worker = 0; worker < workers; worker++) {
		struct element element = {0};

		element_key_add(&element, &worker, sizeof(worker));
		queue_chain(element.chain, side, worker);
		if (element_write(&writer, side, nftnl_set_get_u32(set, NFTNL_SET_ID), &element) <
		    0)
			goto out;
	}
	rc = element_writer_close(&writer);
out:
	if (set)
		nftnl_set_free(set);
	return rc;
}

static int add_side(struct transaction *transaction, const struct queue_rules *rules,
		    const char *side, uint16_t first)
{
	for (unsigned int worker = 0; worker < rules->workers; worker++)
		if (add_queue(transaction, rules, side, first, worker) < 0)
			return -1;
	return rules->workers == 1 ? 0 : add_worker_map(transaction, side, rules->workers);
}

static int add_all(struct transaction *transaction, const struct queue_rules *rules,
		   unsigned int hooks)
{
	char comment[TABLE_COMMENT_MAX];

	snprintf(comment, sizeof(comment), COMMENT, rules->outside,
		 rules->outside + 2 * rules->workers - 1);
	if (table_delete(transaction) < 0 || table_add(transaction, comment) < 0)
		return -1;
	for (size_t i = 0; i < N_BASE_CHAINS; i++)
		if (chain_add(transaction, base_chains[i].name, "filter", base_chains[i].hook,
			      base_chains[i].priority) < 0)
			return -1;
	if (add_side(transaction, rules, "outside", rules->outside) < 0 ||
	    add_side(transaction, rules, "inside", rules->inside) < 0)
		return -1;
	return add_directions(transaction, rules, hooks);
}

static int change_all(struct transaction *transaction, const struct queue_rules *rules,
		      unsigned int hooks)
{
	for (size_t i = 0; i < N_BASE_CHAINS; i++)
		if (chain_flush(transaction, base_chains[i].name) < 0)
			return -1;
	return add_directions(transaction, rules, hooks);
}

/* The set whose one element, the protocol's family, is there for so long. */
static int add_held(struct transaction *transaction, uint64_t seconds)
{
	struct element_writer writer = {.transaction = transaction, .type = NFT_MSG_NEWSETELEM};
	struct nftnl_set *set = set_new(transaction, HELD, NFT_SET_TIMEOUT);
	struct element element = {0};
	uint8_t family = NFPROTO_IPV4;
	int rc = -1;

	if (!set)
		return -1;
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, TYPE_INTEGER);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, sizeof(uint32_t));
	nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, seconds * 1000);
	element_key_add(&element, &family, sizeof(family));
	if (set_add(transaction, set) == 0 &&
	    element_write(&writer, HELD, nftnl_set_get_u32(set, NFTNL_SET_ID), &element) == 0)
		rc = element_writer_close(&writer);
	nftnl_set_free(set);
	return rc;
}

static int hold_all(struct transaction *transaction, const struct queue_rules *rules,
		    unsigned int hooks)
{
	return add_held(transaction, rules->held) < 0 ? -1 : change_all(transaction, rules, hooks);
}

static int remove_all(struct transaction *transaction, const struct queue_rules *rules,
		      unsigned int hooks)
{
	(void)rules, (void)hooks;
	return table_delete(transaction);
}

/* One transaction with what `write` puts into it; -1 with errno. */
static int transact(struct queue_rules *rules, unsigned int hooks,
		    int (*write)(struct transaction *, const struct queue_rules *, unsigned int))
{
	struct transaction transaction;
	int rc = -1, code;

	if (transaction_begin(&transaction, &rules->netlink, QUEUE_RULES_TABLE, NULL) == 0 &&
	    write(&transaction, rules, hooks) == 0)
		rc = transaction_commit(&transaction);
	code = errno;
	transaction_end(&transaction);
	errno = code;
	return rc;
}

static int explain(struct ipmasq_error *error, const char *what)
{
	int code = errno;

	if (code == EPERM)
		return ipmasq_fail(error, code,
				   "cannot %s table inet " QUEUE_RULES_TABLE
				   ": not permitted; start ipmasqd as root or with CAP_NET_ADMIN",
				   what);
	if (code == ENOENT || code == EOPNOTSUPP)
		return ipmasq_fail(error, code,
				   "cannot %s table inet " QUEUE_RULES_TABLE
				   ": this kernel lacks nf_tables' queue (module nft_queue) and "
				   "iptables' NFQUEUE (xt_NFQUEUE, nft_compat), or nft_fib_inet or "
				   "nft_hash; a TUN device (-t) needs none of them",
				   what);
	return ipmasq_fail(error, code, "cannot %s table inet " QUEUE_RULES_TABLE ": %s", what,
			   strerror(code));
}

/* A line of the kernel's about a bound queue. */
struct bound {
	unsigned int number, queue_dropped, user_dropped;
};

/* Calls `visit` for each bound queue from `first` to `last`. */
static void each_bound(const struct queue_rules *rules, unsigned int first, unsigned int last,
		       void (*visit)(const struct bound *bound, void *data), void *data)
{
	char text[8192], *line, *rest = text;
	ssize_t n = rules->bound < 0 ? -1 : pread(rules->bound, text, sizeof(text) - 1, 0);
	struct bound bound;

	text[n < 0 ? 0 : n] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, "%u %*u %*u %*u %*u %u %u", &bound.number, &bound.queue_dropped,
			   &bound.user_dropped) == 3 &&
		    bound.number >= first && bound.number <= last)
			visit(&bound, data);
}

static void add_lost(const struct bound *bound, void *data)
{
	*(uint64_t *)data += (uint64_t)bound->queue_dropped + bound->user_dropped;
}

uint64_t queue_rules_lost(const struct queue_rules *rules)
{
	uint64_t lost = 0;

	each_bound(rules, rules->outside, rules->outside + 2 * rules->workers - 1, add_lost, &lost);
	return lost;
}

static void note_one(const struct bound *bound, void *data)
{
	(void)bound;
	*(bool *)data = true;
}

/* The table of an ipmasqd that lives is not to be replaced; that of a killed one is. */
static int check_alone(struct queue_rules *rules, struct ipmasq_error *error)
{
	char comment[TABLE_COMMENT_MAX];
	unsigned int first, last;
	bool taken = false;

	if (table_comment(&rules->netlink, QUEUE_RULES_TABLE, comment) <= 0 ||
	    sscanf(comment, COMMENT, &first, &last) != 2)
		return 0;
	each_bound(rules, first, last, note_one, &taken);
	if (!taken)
		return 0;
	return ipmasq_fail(error, EBUSY,
			   "another ipmasqd runs in this network namespace: it has table "
			   "inet " QUEUE_RULES_TABLE " and NFQUEUE %u to %u; end it first",
			   first, last);
}

int queue_rules_open(struct queue_rules *rules, struct ipmasq_error *error)
{
	rules->bound = open(STATISTICS, O_RDONLY | O_CLOEXEC);
	if (netlink_open(&rules->netlink) < 0)
		return ipmasq_fail(error, errno, "cannot open a netlink socket: %s",
				   strerror(errno));
	return check_alone(rules, error);
}

int queue_rules_install(struct queue_rules *rules, unsigned int hooks, struct ipmasq_error *error)
{
	int rc = transact(rules, hooks, add_all);

	if (rc < 0 && (errno == ENOENT || errno == EOPNOTSUPP)) {
		rules->target = true;
		rc = transact(rules, hooks, add_all);
	}
	if (rc < 0)
		return explain(error, "make");
	rules->hooks = hooks;
	rules->installed = true;
	return 0;
}

/* Whether somebody has taken the table away; asked only when something of nf_tables has changed. */
static bool is_gone(struct queue_rules *rules)
{
	char comment[TABLE_COMMENT_MAX];
	uint32_t generation;

	if (netlink_generation(&rules->netlink, &generation) < 0 || generation == rules->generation)
		return false;
	if (table_comment(&rules->netlink, QUEUE_RULES_TABLE, comment) == 0)
		return true;
	rules->generation = generation;
	return false;
}

int queue_rules_tend(struct queue_rules *rules, unsigned int hooks, struct ipmasq_error *error)
{
	if (is_gone(rules))
		return queue_rules_install(rules, hooks, error);
	if (hooks == rules->hooks)
		return 0;
	if (transact(rules, hooks, change_all) < 0)
		return explain(error, "change");
	rules->hooks = hooks;
	return 0;
}

int queue_rules_hold(struct queue_rules *rules, unsigned int seconds, struct ipmasq_error *error)
{
	rules->held = seconds;
	if (transact(rules, rules->hooks, hold_all) < 0)
		return explain(error, "change");
	rules->installed = false; /* it is the next one's */
	return 0;
}

int queue_rules_remove(struct queue_rules *rules, struct ipmasq_error *error)
{
	if (!rules->installed)
		return 0;
	rules->installed = false;
	return transact(rules, 0, remove_all) < 0 ? explain(error, "remove") : 0;
}

void queue_rules_close(struct queue_rules *rules)
{
	if (rules->netlink.socket)
		netlink_close(&rules->netlink);
	if (rules->bound >= 0)
		close(rules->bound);
}
