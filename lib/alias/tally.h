/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h - counters by a 64-bit key: an open-addressed table of (key, count).
 *
 * Entries whose count is 0 stay until the table has to grow, when they are left behind; so a count
 * that was reserved can always be changed.  No memory is used until the first reservation.
 */
#ifndef LIBALIAS_TALLY_H
#define LIBALIAS_TALLY_H

#include <stdbool.h>
#include <stdint.h>

struct tally_entry {
	uint64_t key;
	uint32_t count;
	bool used;
};

struct tally {
	struct tally_entry *entries;
	uint32_t mask, used;
};

/* Makes an entry for the key, so that tally_add() cannot fail until the next one is made. */
bool tally_reserve(struct tally *tally, const uint64_t secret[4], uint64_t key);

/* Changes the count of a reserved key. */
void tally_add(struct tally *tally, const uint64_t secret[4], uint64_t key, uint32_t change);

/* The count, 0 for keys without an entry. */
uint32_t tally_get(const struct tally *tally, const uint64_t secret[4], uint64_t key);

void tally_clear(struct tally *tally);

#endif
