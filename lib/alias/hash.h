/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - the keyed hash of views.
 *
 * Two rounds of 64x64->128 bit multiplication, folded, with secret words from getrandom(2): about
 * 3 ns.  The 13 bytes of a view fill both operands of the first product, each displaced by a
 * secret, so which views collide depends on the secrets; the second round with two more spreads the
 * result over all bits, as linear hashing uses the low ones.  A remote party that does not know the
 * key and never sees a hash (they leave the process in no form) cannot aim at a bucket.
 */
#ifndef LIBALIAS_HASH_H
#define LIBALIAS_HASH_H

#include <stdint.h>
#include <string.h>

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX), high = (a >> 32) * (b >> 32);
	uint64_t middle = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
	uint64_t other = (a & UINT32_MAX) * (b >> 32) + (middle & UINT32_MAX);

	return (other << 32 | (low & UINT32_MAX)) ^ (high + (middle >> 32) + (other >> 32));
#endif
}

/* The hash of a pair of addresses, a pair of ports and a small number. */
static inline uint32_t hash_words(const uint64_t key[4], uint64_t addresses, uint64_t rest)
{
	uint64_t h = hash_fold(addresses ^ key[0], rest ^ key[1]);

	return (uint32_t)hash_fold(h ^ key[2], key[3]);
}

#endif
