/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect_api.c - the caller's side of redirects: LibAliasRedirect*(), and which addresses
 * INADDR_NONE stands for; server.c has the servers'.
 *
 * Each checks its arguments, fills in a redirect record and enters it; nothing is entered by
 * halves.
 */
#include "redirect.h"

#include <errno.h>
#include <stdlib.h>

static struct alias_link *enter(struct libalias *la, struct alias_link *r)
{
	int error;

	r->own_server = server_new(la, r, r->local, r->local_port, 1);
	if (r->own_server && !redirect_enter(la, r)) {
		la->stats.redirects++;
		return r;
	}
	error = errno;
	redirect_delete(la, r);
	errno = error;
	return NULL;
}

static bool has_ports(unsigned char proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP;
}

struct alias_link *LibAliasRedirectPort(struct libalias *la, struct in_addr local_addr,
					unsigned short local_port, struct in_addr remote_addr,
					unsigned short remote_port, struct in_addr alias_addr,
					unsigned short alias_port, unsigned char proto)
{
	struct alias_link *r;

	if (!has_ports(proto) || !alias_port) {
		errno = EINVAL;
		return NULL;
	}
	r = redirect_new(la, REDIRECT_PORT);
	if (!r)
		return NULL;
	r->local = local_addr.s_addr;
	r->local_port = local_port;
	r->remote = remote_addr.s_addr;
	r->remote_port = remote_port;
	r->alias = alias_addr.s_addr;
	r->alias_port = alias_port;
	r->proto = proto;
	return enter(la, r);
}

struct alias_link *LibAliasRedirectPortRange(struct libalias *la, struct in_addr local_addr,
					     unsigned short local_port, struct in_addr remote_addr,
					     struct in_addr alias_addr, unsigned short low,
					     unsigned short high, unsigned char proto)
{
	struct alias_link *r;

	if (!has_ports(proto) || !low || ntohs(low) > ntohs(high) ||
	    (local_port && ntohs(local_port) + (ntohs(high) - ntohs(low)) > 65535)) {
		errno = EINVAL;
		return NULL;
	}
	r = redirect_new(la, REDIRECT_RANGE);
	if (!r)
		return NULL;
	r->local = local_addr.s_addr;
	r->local_port = local_port;
	r->remote = remote_addr.s_addr;
	r->alias = alias_addr.s_addr;
	r->alias_port = low;
	r->alias_port_high = high;
	r->proto = proto;
	return enter(la, r);
}

struct alias_link *LibAliasRedirectMark(struct libalias *la, struct in_addr local_addr,
					unsigned short local_port, unsigned int mark,
					unsigned char proto)
{
	struct alias_link *r;

	if (!mark || (proto && !has_ports(proto))) {
		errno = EINVAL;
		return NULL;
	}
	r = redirect_new(la, REDIRECT_MARK);
	if (!r)
		return NULL;
	r->local = local_addr.s_addr;
	r->local_port = local_port;
	r->mark = mark;
	r->proto = proto;
	return enter(la, r);
}

struct alias_link *LibAliasRedirectAddr(struct libalias *la, struct in_addr local_addr,
					struct in_addr alias_addr)
{
	struct alias_link *r = redirect_new(la, REDIRECT_ADDR);

	if (!r)
		return NULL;
	r->local = local_addr.s_addr;
	r->alias = alias_addr.s_addr;
	return enter(la, r);
}

struct alias_link *LibAliasRedirectProto(struct libalias *la, struct in_addr local_addr,
					 struct in_addr remote_addr, struct in_addr alias_addr,
					 unsigned char proto)
{
	struct alias_link *r = redirect_new(la, REDIRECT_PROTO);

	if (!r)
		return NULL;
	r->local = local_addr.s_addr;
	r->remote = remote_addr.s_addr;
	r->alias = alias_addr.s_addr;
	r->proto = proto;
	return enter(la, r);
}

int LibAliasRedirectDynamic(struct libalias *la, struct alias_link *r)
{
	(void)la;
	if (!r || r->kind != REDIRECT_PORT || !r->remote || !r->remote_port) {
		errno = EINVAL;
		return -1;
	}
	r->dynamic = true;
	return 0;
}

void LibAliasRedirectDelete(struct libalias *la, struct alias_link *r)
{
	if (!r)
		return;
	redirect_delete(la, r);
	la->stats.redirects--;
	port_clear(la); /* its port may be chosen again */
}

void LibAliasRedirectSetRank(struct libalias *la, struct alias_link *r, unsigned int rank)
{
	redirect_set_rank(la, r, rank);
}

static int compare_addresses(const void *a, const void *b)
{
	uint32_t x = load32(a), y = load32(b);

	return (x > y) - (x < y);
}

bool is_own(const struct libalias *la, uint32_t addr)
{
	return la->own_count &&
	       bsearch(&addr, la->own, la->own_count, sizeof(*la->own), compare_addresses);
}

int LibAliasSetOwnAddresses(struct libalias *la, const struct in_addr *addresses, int count)
{
	uint32_t n = addresses && count > 0 ? (uint32_t)count : 0;

	if (n > la->own_room) {
		uint32_t *own = reallocarray(la->own, n, sizeof(*own));

		if (!own)
			return -1;
		la->own = own;
		la->own_room = n;
	}
	if (n) {
		memcpy(la->own, addresses, n * sizeof(*la->own));
		qsort(la->own, n, sizeof(*la->own), compare_addresses);
	}
	la->own_count = n;
	la->own_set = addresses != NULL;
	return 0;
}

void LibAliasRedirectSetCookie(struct libalias *la, struct alias_link *r, void *cookie)
{
	(void)la;
	r->cookie = cookie;
}

void *LibAliasRedirectCookie(const struct alias_link *r)
{
	return r->cookie;
}

unsigned long long LibAliasRedirectHits(const struct alias_link *r)
{
	return r->hits;
}
