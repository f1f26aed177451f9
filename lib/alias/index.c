/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index.c - linear hashing over cache-line buckets; index.h has the theory.
 *
 * With n = mask + 1 buckets at the start of a round, bucket numbers below split use one bit of the
 * hash more.  When split reaches n the round is over and n doubles.  Slots are kept dense: a
 * removal moves the last entry of the chain into the hole and frees an overflow bucket that
 * empties.
 */
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Entries per bucket at which to grow and to shrink, in quarters. */
#define GROW_QUARTERS   15
#define SHRINK_QUARTERS 5

/* Segments up to this size are kept when the index is emptied. */
#define KEEP_BYTES ((size_t)64 << 10)

/* Memory is given back in pieces of this size. */
#define RELEASE_BYTES POOL_SLAB_BYTES

static size_t segment_first(unsigned int segment)
{
	return segment ? (size_t)1 << (INDEX_FIRST_SHIFT + segment - 1) : 0;
}

static size_t segment_buckets(unsigned int segment)
{
	return (size_t)1 << (INDEX_FIRST_SHIFT + (segment ? segment - 1 : 0));
}

static int segment_add(struct index *ix, unsigned int segment)
{
	size_t bytes = segment_buckets(segment) * sizeof(struct index_bucket);
	void *memory;

	if (segment >= INDEX_SEGMENTS) {
		errno = ENOMEM;
		return -1;
	}
	if (ix->segment[segment])
		return 0;
	memory = pool_map(bytes, bytes >= POOL_SLAB_BYTES);
	if (!memory)
		return -1;
	ix->segment[segment] = memory;
	ix->base[segment] =
		(uintptr_t)memory - segment_first(segment) * sizeof(struct index_bucket);
	return 0;
}

static void segment_remove(struct index *ix, unsigned int segment)
{
	if (!ix->segment[segment])
		return;
	pool_unmap(ix->segment[segment], segment_buckets(segment) * sizeof(struct index_bucket));
	ix->segment[segment] = NULL;
}

int index_init(struct index *ix)
{
	memset(ix, 0, sizeof(*ix));
	pool_init(&ix->overflow, sizeof(struct index_bucket));
	ix->mask = (1u << INDEX_FIRST_SHIFT) - 1;
	return segment_add(ix, 0);
}

void index_free(struct index *ix)
{
	for (unsigned int i = 0; i < INDEX_SEGMENTS; i++)
		segment_remove(ix, i);
	pool_clear(&ix->overflow);
}

void index_empty(struct index *ix)
{
	for (unsigned int i = 0; i < INDEX_SEGMENTS; i++) {
		size_t bytes = segment_buckets(i) * sizeof(struct index_bucket);

		if (!i || (ix->segment[i] && bytes <= KEEP_BYTES))
			memset(ix->segment[i], 0, bytes);
		else
			segment_remove(ix, i);
	}
	pool_empty(&ix->overflow);
	ix->mask = (1u << INDEX_FIRST_SHIFT) - 1;
	ix->split = 0;
	ix->count = 0;
}

/* Appends to the chain of a bucket; -1 if an overflow bucket was needed and memory was out. */
static int bucket_append(struct index *ix, struct index_bucket *bucket, uint32_t hash, uint32_t id)
{
	uint32_t extra;

	while (bucket->used == INDEX_WAYS) {
		if (!bucket->overflow) {
			extra = pool_alloc(&ix->overflow);
			if (!extra)
				return -1;
			bucket->overflow = extra;
		}
		bucket = pool_at(&ix->overflow, bucket->overflow);
	}
	bucket->tag[bucket->used] = hash;
	bucket->id[bucket->used++] = id;
	return 0;
}

/* Moves the entries of chain from that hash to another bucket number into target. */
static void chain_move(struct index *ix, struct index_bucket *chain, struct index_bucket *target,
		       uint32_t bit)
{
	struct index_bucket *write = chain, *read = chain;
	uint32_t slot = 0, extra, next;

	for (; read; read = read->overflow ? pool_at(&ix->overflow, read->overflow) : NULL) {
		for (uint32_t i = 0; i < read->used; i++) {
			uint32_t hash = read->tag[i], id = read->id[i];

			if ((hash & bit) && !bucket_append(ix, target, hash, id))
				continue;
			if (slot == INDEX_WAYS) {
				write = pool_at(&ix->overflow, write->overflow);
				slot = 0;
			}
			write->tag[slot] = hash;
			write->id[slot++] = id;
		}
	}
	/* What lies behind the last kept entry is empty now. */
	extra = write->overflow;
	write->overflow = 0;
	write->used = slot;
	for (; slot < INDEX_WAYS; slot++)
		write->tag[slot] = write->id[slot] = 0;
	for (; extra; extra = next) {
		next = ((struct index_bucket *)pool_at(&ix->overflow, extra))->overflow;
		pool_free(&ix->overflow, extra);
	}
	/* A bucket before the last kept one is full by construction. */
	for (read = chain; read != write; read = pool_at(&ix->overflow, read->overflow))
		read->used = INDEX_WAYS;
}

static int chain_overflows(const struct index_bucket *bucket)
{
	return bucket->overflow != 0;
}

/*
 * Splits the next bucket.  The target's chain can overflow only if the source's did; room for that
 * is made sure of first, so that no entry can end in the wrong bucket for want of memory.
 */
static int index_split(struct index *ix)
{
	uint32_t from = ix->split, to = ix->mask + 1 + ix->split;
	unsigned int segment = 31 - (unsigned int)__builtin_clz((to >> INDEX_FIRST_SHIFT) << 1 | 1);
	struct index_bucket *source = index_bucket_at(ix, from);

	if (segment_add(ix, segment))
		return -1;
	if (chain_overflows(source)) {
		uint32_t probe[4];
		int got = 0;

		while (got < 4 && (probe[got] = pool_alloc(&ix->overflow)))
			got++;
		for (int i = got; i > 0; i--)
			pool_free(&ix->overflow, probe[i - 1]);
		if (got < 4)
			return -1;
		source = index_bucket_at(ix, from);
	}
	chain_move(ix, source, index_bucket_at(ix, to), ix->mask + 1);
	if (++ix->split > ix->mask) {
		ix->mask = ix->mask << 1 | 1;
		ix->split = 0;
	}
	return 0;
}

/*
 * Gives back the pages of a large segment piece by piece as it empties from its end: all at once
 * would be a pause.  One piece stays in use as a reserve.
 */
static void release_behind(struct index *ix, uint32_t from)
{
	uint32_t piece = (uint32_t)(RELEASE_BYTES / sizeof(struct index_bucket));
	unsigned int segment =
		31 - (unsigned int)__builtin_clz((from >> INDEX_FIRST_SHIFT) << 1 | 1);
	uint64_t first = (uint64_t)from + piece;

	if (from % piece || first + piece > segment_first(segment) + segment_buckets(segment))
		return;
	madvise(index_bucket_at(ix, (uint32_t)first), RELEASE_BYTES, MADV_DONTNEED);
}

/* Joins the bucket that was split last with its origin. */
static void index_join(struct index *ix)
{
	struct index_bucket *source, *target;
	unsigned int segment;
	uint32_t from, extra;

	if (!ix->split) {
		if (ix->mask < 1u << INDEX_FIRST_SHIFT)
			return;
		ix->mask >>= 1;
		ix->split = ix->mask + 1;
	}
	ix->split--;
	from = ix->mask + 1 + ix->split;
	source = index_bucket_at(ix, from);
	target = index_bucket_at(ix, ix->split);
	if (chain_overflows(source) || target->used + source->used > INDEX_WAYS) {
		ix->split++; /* not sparse here: later */
		if (ix->split > ix->mask) {
			ix->mask = ix->mask << 1 | 1;
			ix->split = 0;
		}
		return;
	}
	for (uint32_t i = 0; i < source->used; i++)
		bucket_append(ix, target, source->tag[i], source->id[i]);
	extra = source->overflow;
	memset(source, 0, sizeof(*source));
	if (extra)
		pool_free(&ix->overflow, extra);
	release_behind(ix, from);
	/* The segment above goes when the lower half of this one is empty as well. */
	segment = 31 - (unsigned int)__builtin_clz((from >> INDEX_FIRST_SHIFT) << 1 | 1);
	if (segment + 1 < INDEX_SEGMENTS &&
	    from < segment_first(segment) + segment_buckets(segment) / 2)
		segment_remove(ix, segment + 1);
}

int index_insert(struct index *ix, uint32_t hash, uint32_t id)
{
	uint64_t buckets = (uint64_t)ix->mask + 1 + ix->split;

	if (bucket_append(ix, index_bucket_of(ix, hash), hash, id))
		return -1;
	ix->count++;
	/* A failed split leaves a fuller index, not a broken one. */
	if ((uint64_t)ix->count * 4 > buckets * GROW_QUARTERS)
		(void)index_split(ix);
	return 0;
}

void index_replace(struct index *ix, uint32_t hash, uint32_t id, uint32_t new_id)
{
	struct index_bucket *bucket = index_bucket_of(ix, hash);
	int slot = -1;
	uint32_t found;

	while ((found = index_next(ix, &bucket, &slot, hash)))
		if (found == id) {
			bucket->id[slot] = new_id;
			return;
		}
}

void index_remove(struct index *ix, uint32_t hash, uint32_t id)
{
	struct index_bucket *bucket = index_bucket_of(ix, hash), *last, *parent = NULL;
	int slot = -1;
	uint32_t found;

	while ((found = index_next(ix, &bucket, &slot, hash)))
		if (found == id)
			break;
	if (!found)
		return;
	for (last = bucket; last->overflow; last = pool_at(&ix->overflow, last->overflow))
		parent = last;
	/* parent is NULL if bucket is the last; then find who points at it, if it empties. */
	last->used--;
	bucket->tag[slot] = last->tag[last->used];
	bucket->id[slot] = last->id[last->used];
	last->tag[last->used] = last->id[last->used] = 0;
	if (!last->used) {
		if (!parent)
			for (parent = index_bucket_of(ix, hash);
			     parent != last && pool_at(&ix->overflow, parent->overflow) != last;)
				parent = pool_at(&ix->overflow, parent->overflow);
		if (parent != last) {
			pool_free(&ix->overflow, parent->overflow);
			parent->overflow = 0;
		}
	}
	ix->count--;
	if ((uint64_t)ix->count * 4 < ((uint64_t)ix->mask + 1 + ix->split) * SHRINK_QUARTERS)
		index_join(ix);
}

size_t index_bytes(const struct index *ix)
{
	return ((size_t)ix->mask + 1 + ix->split) * sizeof(struct index_bucket) +
	       pool_bytes(&ix->overflow);
}
