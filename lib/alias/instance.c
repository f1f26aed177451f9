/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * instance.c - the life of an instance, and what the caller sets: address, mode, limits, clock.
 *
 * Instances are in a list so that exit(3) closes their firewall holes; a spin lock guards it, as
 * instances may be made by several threads.  All else belongs to the instance alone.
 */
#include "helper.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

static LIST_HEAD(, libalias) instances = LIST_HEAD_INITIALIZER(instances);
static atomic_flag instances_lock = ATOMIC_FLAG_INIT;
static bool at_exit;

static const uint32_t default_timeout[ALIAS_TIMEOUT_COUNT] = {
	[ALIAS_TIMEOUT_ICMP] = 60,
	[ALIAS_TIMEOUT_UDP] = 300,
	[ALIAS_TIMEOUT_OTHER] = 60,
	[ALIAS_TIMEOUT_TCP_OPENING] = 240,
	[ALIAS_TIMEOUT_TCP_ESTABLISHED] = 86400,
	[ALIAS_TIMEOUT_TCP_CLOSING] = 240,
	[ALIAS_TIMEOUT_FRAGMENT] = 30,
	[ALIAS_TIMEOUT_EXPECTATION] = 120,
};

/* Default and largest value. */
static const struct {
	uint32_t value, max;
} limits[ALIAS_LIMIT_COUNT] = {
	[ALIAS_LIMIT_LINKS] = {1u << 24, 1u << 30},
	[ALIAS_LIMIT_LINKS_PER_HOST] = {0, UINT32_MAX},
	[ALIAS_LIMIT_FRAGMENTS] = {1024, 1u << 20},
	[ALIAS_LIMIT_FRAGMENT_BYTES] = {4u << 20, UINT32_MAX},
	[ALIAS_LIMIT_EXPECTATIONS] = {16, 65536},
};

static void lock_instances(void)
{
	while (atomic_flag_test_and_set_explicit(&instances_lock, memory_order_acquire))
		;
}

static void unlock_instances(void)
{
	atomic_flag_clear_explicit(&instances_lock, memory_order_release);
}

/* Everything that an instance owns besides itself. */
static void release(struct libalias *la)
{
	link_clear(la);
	firewall_clear(la);
	fragment_free(la);
	proxy_clear(la);
	masquerade_clear(la);
	redirect_table_free(la);
	link_table_free(la);
	helper_free(la);
	free(la->holes);
	free(la->own);
	if (la->log)
		fclose(la->log);
	free(la->log_path);
}

static int set_up(struct libalias *la)
{
	memset(la, 0, offsetof(struct libalias, instance));
	la->mode = PKT_ALIAS_SAME_PORTS | PKT_ALIAS_USE_SOCKETS | PKT_ALIAS_RESET_ON_ADDR_CHANGE;
	TAILQ_INIT(&la->proxies);
	LIST_INIT(&la->sides);
	memcpy(la->timeout, default_timeout, sizeof(default_timeout));
	for (int i = 0; i < ALIAS_LIMIT_COUNT; i++)
		la->limit[i] = limits[i].value;
	if (getrandom(la->key, sizeof(la->key), 0) != sizeof(la->key))
		return -1;
	la->key[3] |= 1;
	if (link_table_init(la))
		return -1;
	if (redirect_table_init(la)) {
		link_table_free(la);
		return -1;
	}
	if (fragment_init(la)) {
		redirect_table_free(la);
		link_table_free(la);
		return -1;
	}
	la->expect_time = la->wheel_time = la->now = clock_now(la);
	helper_init(la);
	return 0;
}

void instance_each(void (*visit)(struct libalias *la, void *arg), void *arg)
{
	struct libalias *la;

	lock_instances();
	LIST_FOREACH(la, &instances, instance)
		visit(la, arg);
	unlock_instances();
}

static void close_all(void)
{
	struct libalias *la;

	while ((la = LIST_FIRST(&instances)))
		LibAliasUninit(la);
}

struct libalias *LibAliasInit(struct libalias *la)
{
	bool is_new = !la;
	int error;

	if (is_new) {
		la = calloc(1, sizeof(*la));
		if (!la)
			return NULL;
	} else {
		release(la);
	}
	if (set_up(la)) {
		error = errno;
		if (!is_new) {
			lock_instances();
			LIST_REMOVE(la, instance);
			unlock_instances();
		}
		free(la);
		errno = error;
		return NULL;
	}
	if (is_new) {
		lock_instances();
		LIST_INSERT_HEAD(&instances, la, instance);
		if (!at_exit)
			at_exit = !atexit(close_all);
		unlock_instances();
	}
	return la;
}

void LibAliasUninit(struct libalias *la)
{
	if (!la)
		return;
	release(la);
	lock_instances();
	LIST_REMOVE(la, instance);
	unlock_instances();
	free(la);
}

void LibAliasReset(struct libalias *la)
{
	link_clear(la);
	fragment_clear(la);
}

void LibAliasSetAddress(struct libalias *la, struct in_addr addr)
{
	if (addr.s_addr == la->alias)
		return;
	if (la->mode & PKT_ALIAS_RESET_ON_ADDR_CHANGE)
		LibAliasReset(la);
	la->alias = addr.s_addr;
}

void LibAliasSetAliasPortRange(struct libalias *la, u_short low, u_short high)
{
	if (low > high || !low)
		low = high = 0;
	la->port_low = low;
	la->port_high = high;
	port_clear(la);
}

unsigned int LibAliasSetMode(struct libalias *la, unsigned int flags, unsigned int mask)
{
	unsigned int old = la->mode;

	la->mode = (flags & mask) | (old & ~mask);
	if ((old ^ la->mode) & PKT_ALIAS_PUNCH_FW)
		firewall_clear(la);
	/* Where there is no memory now, the first mapping tries again. */
	if (la->mode & PKT_ALIAS_UDP_EIM)
		(void)mapping_begin(la);
	else if (!la->any_peer_udp)
		mapping_end(la);
	if ((old ^ la->mode) & PKT_ALIAS_LOG)
		log_mode(la);
	return old;
}

void LibAliasSetSkinnyPort(struct libalias *la, unsigned int port)
{
	if (la->skinny_port)
		(void)LibAliasSetHelper(la, "skinny", la->skinny_port, 0);
	la->skinny_port = port && !LibAliasSetHelper(la, "skinny", port, 1) ? port : 0;
}

void LibAliasSkinnyPort(struct libalias *la, unsigned int port)
{
	LibAliasSetSkinnyPort(la, port);
}

void LibAliasSetTarget(struct libalias *la, struct in_addr addr)
{
	la->target = addr.s_addr;
}

int LibAliasCheckNewLink(struct libalias *la)
{
	return la->new_link;
}

unsigned short LibAliasInternetChecksum(struct libalias *la, unsigned short *buffer, int nbytes)
{
	(void)la;
	return (unsigned short)~sum_fold(nbytes > 0 ? sum_block(buffer, (size_t)nbytes) : 0);
}

int LibAliasSetTimeout(struct libalias *la, enum alias_timeout which, unsigned int seconds)
{
	/* 2^30 keeps differences of times in 32 bits meaningful. */
	if ((unsigned int)which >= ALIAS_TIMEOUT_COUNT || !seconds || seconds > 1u << 30) {
		errno = EINVAL;
		return -1;
	}
	la->timeout[which] = seconds;
	return 0;
}

unsigned int LibAliasGetTimeout(const struct libalias *la, enum alias_timeout which)
{
	return (unsigned int)which < ALIAS_TIMEOUT_COUNT ? la->timeout[which] : 0;
}

int LibAliasSetLimit(struct libalias *la, enum alias_limit which, unsigned int value)
{
	uint32_t old;

	if ((unsigned int)which >= ALIAS_LIMIT_COUNT || value > limits[which].max) {
		errno = EINVAL;
		return -1;
	}
	old = la->limit[which];
	la->limit[which] = value;
	if (which == ALIAS_LIMIT_LINKS_PER_HOST && !old != !value && host_recount(la)) {
		la->limit[which] = old;
		return -1;
	}
	return 0;
}

unsigned int LibAliasGetLimit(const struct libalias *la, enum alias_limit which)
{
	return (unsigned int)which < ALIAS_LIMIT_COUNT ? la->limit[which] : 0;
}

void LibAliasSetClock(struct libalias *la, uint32_t (*clock)(void *arg), void *arg)
{
	la->clock = clock;
	la->clock_arg = arg;
	la->now = clock_now(la);
	if (!la->stats.links)
		la->expect_time = la->wheel_time = la->now;
}

int LibAliasExpire(struct libalias *la, int max)
{
	int examined = 0, now;

	clock_advance(la);
	fragment_expire(la);
	expect_expire(la);
	while (examined < max) {
		now = expire_some(la, max - examined);
		examined += now;
		if (!now)
			break;
	}
	return examined;
}

void LibAliasGetStats(const struct libalias *la, struct alias_stats *stats)
{
	*stats = la->stats;
	stats->bytes =
		pool_bytes(&la->links) + index_bytes(&la->views[OUT]) + index_bytes(&la->views[IN]);
}

int LibAliasNextLink(struct libalias *la, unsigned int *cursor, struct alias_link_info *info)
{
	struct link *link = link_next(la, cursor);

	if (!link)
		return 0;
	link_describe(la, link, info);
	return 1;
}

void LibAliasSetFragmentFree(struct libalias *la, void (*free_fragment)(void *, void *), void *arg)
{
	la->fragment_free = free_fragment;
	la->fragment_free_arg = arg;
}
