/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index.h - a hash index from 32-bit hashes to record ids.
 *
 * Buckets are one cache line: seven (hash, id) pairs, a count and the number of an overflow bucket.
 * The whole hash is stored as the tag, so a look-up reads one line of the index and then, almost
 * always, only the record that it wants.
 *
 * It grows by linear hashing: an insertion splits at most one bucket, a removal joins at most one,
 * so there is never a rehash of everything, and splitting needs no record since the tag has all the
 * bits.  Segments double in size and are mapped lazily: pages are touched as buckets come into use.
 * The index does not know keys: the caller compares, and inserts no duplicates.
 */
#ifndef LIBALIAS_INDEX_H
#define LIBALIAS_INDEX_H

#include "pool.h"

#define INDEX_WAYS        7
#define INDEX_FIRST_SHIFT 6 /* log2 of the buckets in the first segment */
#define INDEX_SEGMENTS    (32 - INDEX_FIRST_SHIFT)

struct index_bucket {
	uint32_t tag[INDEX_WAYS];
	uint32_t overflow; /* id in the pool of overflow buckets */
	uint32_t id[INDEX_WAYS];
	uint32_t used; /* slots 0..used-1 are full */
} __attribute__((aligned(64)));

struct index {
	uintptr_t base[INDEX_SEGMENTS]; /* address of the segment, less its first bucket's offset */
	void *segment[INDEX_SEGMENTS];
	uint32_t mask;  /* buckets at the start of this round, less one */
	uint32_t split; /* buckets split in this round */
	uint32_t count;
	struct pool overflow;
};

int index_init(struct index *ix);
void index_free(struct index *ix);

/* Removes all entries and gives memory back. */
void index_empty(struct index *ix);

/* Adds an entry; -1 with ENOMEM. */
int index_insert(struct index *ix, uint32_t hash, uint32_t id);

/* Removes the entry with exactly this hash and id, if it is there. */
void index_remove(struct index *ix, uint32_t hash, uint32_t id);

/* Makes the entry of this hash and id name another record. */
void index_replace(struct index *ix, uint32_t hash, uint32_t id, uint32_t new_id);

size_t index_bytes(const struct index *ix);

static inline struct index_bucket *index_bucket_at(const struct index *ix, uint32_t number)
{
	unsigned int segment =
		32 - (unsigned int)__builtin_clz((number >> INDEX_FIRST_SHIFT) << 1 | 1);

	return (struct index_bucket *)(ix->base[segment - 1] +
				       (size_t)number * sizeof(struct index_bucket));
}

static inline struct index_bucket *index_bucket_of(const struct index *ix, uint32_t hash)
{
	uint32_t number = hash & ix->mask;

	if (number < ix->split)
		number = hash & (ix->mask << 1 | 1);
	return index_bucket_at(ix, number);
}

static inline void index_prefetch(const struct index *ix, uint32_t hash)
{
	__builtin_prefetch(index_bucket_of(ix, hash));
}

/* Walks the ids whose tag is hash: for (bucket = ..., slot = -1; (id = index_next(...)); ). */
static inline uint32_t index_next(const struct index *ix, struct index_bucket **bucket, int *slot,
				  uint32_t hash)
{
	struct index_bucket *b = *bucket;
	int i = *slot + 1;

	for (;;) {
		for (; i < INDEX_WAYS; i++)
			if (b->tag[i] == hash && b->id[i]) {
				*bucket = b;
				*slot = i;
				return b->id[i];
			}
		if (!b->overflow)
			return 0;
		b = pool_at(&ix->overflow, b->overflow);
		i = 0;
	}
}

#endif
