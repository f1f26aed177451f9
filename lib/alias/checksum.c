/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum.c - one's complement sums of whole blocks (RFC 1071).
 *
 * 2^16 is 1 modulo 0xffff, so 64-bit words as they lie in memory may be added, and the carries out
 * of 64 bits counted, in any order and any byte order.  Two sums at once keep the additions from
 * waiting for each other.
 */
#include "checksum.h"

static inline uint64_t load64(const unsigned char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static uint64_t halves(uint64_t sum)
{
	return (sum & 0xffffffff) + (sum >> 32);
}

uint64_t sum_block(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t a = 0, b = 0, carries = 0, word;

	for (; len >= 32; p += 32, len -= 32) {
		word = load64(p);
		a += word;
		carries += a < word;
		word = load64(p + 8);
		b += word;
		carries += b < word;
		word = load64(p + 16);
		a += word;
		carries += a < word;
		word = load64(p + 24);
		b += word;
		carries += b < word;
	}
	a = halves(a) + halves(b) + carries;
	for (; len >= 8; p += 8, len -= 8)
		a += halves(load64(p));
	word = 0;
	memcpy(&word, p, len);
	return a + halves(word);
}
