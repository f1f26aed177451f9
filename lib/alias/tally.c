/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.c - counters by a 64-bit key; see tally.h.  The table is at most half full.
 */
#include "tally.h"
#include "hash.h"

#include <stdlib.h>

static struct tally_entry *tally_slot(struct tally_entry *entries, uint32_t mask,
				      const uint64_t secret[4], uint64_t key)
{
	uint32_t at = hash_words(secret, key, 0) & mask;

	while (entries[at].used && entries[at].key != key)
		at = (at + 1) & mask;
	return &entries[at];
}

static bool tally_grow(struct tally *tally, const uint64_t secret[4])
{
	struct tally_entry *old = tally->entries, *entries;
	uint32_t live = 0, size = 64;

	for (uint32_t i = 0; old && i <= tally->mask; i++)
		live += old[i].count > 0;
	while (size < live * 4)
		size *= 2;
	entries = calloc(size, sizeof(*entries));
	if (!entries)
		return false;
	for (uint32_t i = 0; old && i <= tally->mask; i++)
		if (old[i].count)
			*tally_slot(entries, size - 1, secret, old[i].key) = old[i];
	free(old);
	*tally = (struct tally){.entries = entries, .mask = size - 1, .used = live};
	return true;
}

bool tally_reserve(struct tally *tally, const uint64_t secret[4], uint64_t key)
{
	struct tally_entry *entry;

	if ((!tally->entries || tally->used * 2 > tally->mask) && !tally_grow(tally, secret))
		return false;
	entry = tally_slot(tally->entries, tally->mask, secret, key);
	if (!entry->used) {
		*entry = (struct tally_entry){.key = key, .used = true};
		tally->used++;
	}
	return true;
}

void tally_add(struct tally *tally, const uint64_t secret[4], uint64_t key, uint32_t change)
{
	tally_slot(tally->entries, tally->mask, secret, key)->count += change;
}

uint32_t tally_get(const struct tally *tally, const uint64_t secret[4], uint64_t key)
{
	return tally->entries ? tally_slot(tally->entries, tally->mask, secret, key)->count : 0;
}

void tally_clear(struct tally *tally)
{
	free(tally->entries);
	*tally = (struct tally){0};
}
