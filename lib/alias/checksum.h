/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum.h - incremental Internet checksums (RFC 1624); checksum.c sums whole blocks.
 *
 * A change is collected as a 64-bit sum of "~old + new" over 16- or 32-bit words as they lie in
 * memory: one's complement sums do not depend on byte order, and a 32-bit word is congruent to the
 * sum of its halves modulo 0xffff.  Applying a change never looks at the data, so a packet that
 * came with a wrong checksum leaves with a wrong one.
 */
#ifndef LIBALIAS_CHECKSUM_H
#define LIBALIAS_CHECKSUM_H

#include <stdint.h>
#include <stddef.h>
#include <string.h>

static inline uint64_t sum_change32(uint32_t from, uint32_t to)
{
	return (uint64_t)(uint32_t)~from + to;
}

static inline uint64_t sum_change16(uint16_t from, uint16_t to)
{
	return (uint64_t)(uint16_t)~from + to;
}

static inline uint16_t sum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* The checksum field after a change (RFC 1624, equation 3). */
static inline uint16_t sum_apply(uint16_t check, uint64_t change)
{
	return (uint16_t)~sum_fold((uint16_t)~check + change);
}

/*
 * The sum of a block that starts at an even offset of what is checksummed; an odd end is padded. It
 * has room for changes to be added to it.
 */
uint64_t sum_block(const void *data, size_t len);

#endif
