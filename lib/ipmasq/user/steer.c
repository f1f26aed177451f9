// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which worker a packet belongs to: that of its remote host.
 *
 * The remote host is who sends a packet that comes, and whom a packet that goes is sent to; of an
 * ICMP error, of the packet that it quotes, which went the other way.  So both directions of a
 * conversation meet, and no two workers ever have links whose five parts are the same.
 *
 * The hash is the one of nf_tables' `jhash ip saddr mod WORKERS seed SEED` (Bob Jenkins' lookup3 of
 * the four bytes of the address, scaled), so that the kernel can put a packet into the queue of its
 * worker.  The seed is a random one for each engine: who sends cannot choose a worker.
 */
#include "internal.h"

#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#define JHASH_BEGIN 0xdeadbeefu

static uint32_t rotate(uint32_t word, unsigned int bits)
{
	return word << bits | word >> (32 - bits);
}

static uint32_t hash_address(struct in_addr address, uint32_t seed)
{
	uint32_t a = JHASH_BEGIN + sizeof(address) + seed, b = a, c = a;

	a += le32toh(address.s_addr); /* its bytes in the order of the wire, lowest first */
	c ^= b, c -= rotate(b, 14);
	a ^= c, a -= rotate(c, 11);
	b ^= a, b -= rotate(a, 25);
	c ^= b, c -= rotate(b, 16);
	a ^= c, a -= rotate(c, 4);
	b ^= a, b -= rotate(a, 14);
	c ^= b, c -= rotate(b, 24);
	return c;
}

unsigned int steer(const struct user *user, struct in_addr remote)
{
	if (user->n_workers == 1)
		return 0;
	return (unsigned int)((uint64_t)hash_address(remote, user->seed) * user->n_workers >> 32);
}

static bool is_icmp_error(uint8_t type)
{
	return type == ICMP_UNREACH || type == ICMP_SOURCEQUENCH || type == ICMP_REDIRECT ||
	       type == ICMP_TIMXCEED || type == ICMP_PARAMPROB;
}

/* The packet that an ICMP error quotes, or NULL. */
static const struct ip *quoted(const struct ip *ip, size_t length)
{
	size_t header = ip->ip_hl * 4u;
	const uint8_t *icmp = (const uint8_t *)ip + header;

	if (ip->ip_p != IPPROTO_ICMP || header < sizeof(*ip) || ntohs(ip->ip_off) & IP_OFFMASK ||
	    length < header + ICMP_MINLEN + sizeof(*ip) || !is_icmp_error(icmp[0]))
		return NULL;
	return (const struct ip *)(const void *)(icmp + ICMP_MINLEN);
}

unsigned int user_worker_of(const struct user *user, const void *data, int length,
			    enum user_hook hook)
{
	bool comes = hook == USER_FROM_OUTSIDE || hook == USER_FROM_INSIDE;
	const struct ip *ip = data, *inner;
	struct in_addr remote;
	size_t at;

	if (user->n_workers == 1 || length < (int)sizeof(*ip))
		return 0;
	inner = quoted(ip, (size_t)length);
	at = comes == !inner ? offsetof(struct ip, ip_src) : offsetof(struct ip, ip_dst);
	memcpy(&remote, (const uint8_t *)(inner ? inner : ip) + at, sizeof(remote));
	return steer(user, remote);
}

uint32_t user_hash_seed(const struct user *user)
{
	return user->seed;
}
