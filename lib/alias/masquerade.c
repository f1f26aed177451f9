/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * masquerade.c - masquerade rules: which sources get which alias address.
 *
 * The rules are one array in order of prefix length, net and protocol; a bit says for each prefix
 * length whether there are rules of it.  A look-up halves its way through the array for each length
 * in use, longest first, so it costs the same few steps with one rule and hardly more with
 * thousands.  Only packets that begin a conversation come here.
 */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t mask_of(unsigned int bits)
{
	return bits ? UINT32_MAX << (32 - bits) : 0;
}

static int compare(const struct masquerade_rule *a, const struct masquerade_rule *b)
{
	if (a->bits != b->bits)
		return a->bits < b->bits ? -1 : 1;
	if (a->net != b->net)
		return a->net < b->net ? -1 : 1;
	return a->proto - b->proto;
}

/* Where the rule is, or belongs. */
static uint32_t place_of(const struct libalias *la, const struct masquerade_rule *rule)
{
	uint32_t low = 0, high = la->masquerade_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare(&la->masquerade[middle], rule) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct masquerade_rule *find(const struct libalias *la, const struct masquerade_rule *rule)
{
	uint32_t at = place_of(la, rule);

	if (at < la->masquerade_count && !compare(&la->masquerade[at], rule))
		return &la->masquerade[at];
	return NULL;
}

/* What stays in the net has no use for an alias; a rule for all the world is about what leaves. */
static bool stays(const struct masquerade_rule *rule, uint32_t dst)
{
	return rule->bits && (ntohl(dst) & mask_of(rule->bits)) == rule->net;
}

bool masquerade_find(const struct libalias *la, uint32_t src, uint32_t dst, uint8_t proto,
		     uint32_t *alias)
{
	const struct masquerade_rule *found = NULL;

	for (uint64_t left = la->masquerade_bits; left && !found;) {
		unsigned int bits = 63 - (unsigned int)__builtin_clzll(left);
		struct masquerade_rule rule = {ntohl(src) & mask_of(bits), (uint8_t)bits, proto, 0};

		left &= ~(1ull << bits);
		if (stays(&rule, dst))
			continue;
		found = find(la, &rule);
		rule.proto = 0;
		if (!found)
			found = find(la, &rule);
	}
	if (found)
		*alias = found->alias;
	return found != NULL;
}

void masquerade_clear(struct libalias *la)
{
	free(la->masquerade);
	la->masquerade = NULL;
	la->masquerade_count = 0;
	la->masquerade_bits = 0;
}

int LibAliasMasquerade(struct libalias *la, struct in_addr net, int bits, unsigned char proto,
		       struct in_addr alias)
{
	struct masquerade_rule rule = {.proto = proto, .alias = alias.s_addr}, *rules;
	uint32_t count = la->masquerade_count, at;

	if (bits < 0 || bits > 32) {
		errno = EINVAL;
		return -1;
	}
	rule.bits = (uint8_t)bits;
	rule.net = ntohl(net.s_addr) & mask_of((unsigned int)bits);
	rules = find(la, &rule);
	if (rules) {
		rules->alias = rule.alias;
		return 0;
	}
	/* Room doubles: it is a power of two whenever it is full. */
	if (!(count & (count - 1))) {
		rules = realloc(la->masquerade, (count ? count * 2 : 1) * sizeof(*rules));
		if (!rules)
			return -1;
		la->masquerade = rules;
	}
	at = place_of(la, &rule);
	memmove(la->masquerade + at + 1, la->masquerade + at, (count - at) * sizeof(rule));
	la->masquerade[at] = rule;
	la->masquerade_count++;
	la->masquerade_bits |= 1ull << bits;
	return 0;
}

/* Has any rule this prefix length? */
static bool length_in_use(const struct libalias *la, uint8_t bits)
{
	uint32_t at = place_of(la, &(struct masquerade_rule){.bits = bits});

	return at < la->masquerade_count && la->masquerade[at].bits == bits;
}

int LibAliasMasqueradeDelete(struct libalias *la, struct in_addr net, int bits, unsigned char proto)
{
	struct masquerade_rule rule = {.proto = proto}, *found = NULL;

	if (bits >= 0 && bits <= 32) {
		rule.bits = (uint8_t)bits;
		rule.net = ntohl(net.s_addr) & mask_of((unsigned int)bits);
		found = find(la, &rule);
	}
	if (!found) {
		errno = ESRCH;
		return -1;
	}
	la->masquerade_count--;
	memmove(found, found + 1,
		(size_t)(la->masquerade + la->masquerade_count - found) * sizeof(rule));
	if (!length_in_use(la, rule.bits))
		la->masquerade_bits &= ~(1ull << rule.bits);
	return 0;
}
