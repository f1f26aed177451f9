/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - the keyed hash of views.
 *
 * Two rounds of 64x64->128 bit multiplication, folded, with secret words from getrandom(2): about
 * 3 ns.  The 13 bytes of a view fill both operands of the first product, each displaced by a
 * secret, so two views collide for a fraction near 2^-32 of all keys; the second round with two
 * more secrets spreads that over all bits, as linear hashing uses the low ones.  A remote party
 * that does not know the key and never sees a hash (they leave the process in no form) cannot aim
 * at a bucket.
 */
#ifndef LIBALIAS_HASH_H
#define LIBALIAS_HASH_H

#include <stdint.h>
#include <string.h>

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* The hash of a pair of addresses, a pair of ports and a small number. */
static inline uint32_t hash_words(const uint64_t key[4], uint64_t addresses, uint64_t rest)
{
	uint64_t h = hash_fold(addresses ^ key[0], rest ^ key[1]);

	return (uint32_t)hash_fold(h ^ key[2], key[3]);
}

#endif
