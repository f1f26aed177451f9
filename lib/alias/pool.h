/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.h - fixed-size records in slabs, named by 32-bit ids.
 *
 * A slab is one mapping of 2 MB (asked to be a huge page from the second on), so a pool costs a few
 * pages when it is small and no page-table misses when it is large.  An id is slab number and
 * position; it stays valid until the record is freed, records never move, 0 is no record.  Records
 * are cache-line aligned if their size is a multiple of a line's.  A slab that empties is unmapped
 * unless it is the only one with room, so that memory goes back without thrashing at the edge.
 */
#ifndef LIBALIAS_POOL_H
#define LIBALIAS_POOL_H

#include <stdint.h>
#include <stddef.h>

struct pool_slab {
	uint32_t free;  /* head of freed records, by position + 1 */
	uint32_t fresh; /* positions from here on were never used */
	uint32_t used;
	uint32_t next; /* in the list of slabs with room: number + 1, 0 = end */
	uint32_t prev;
	uint8_t has_room;
};

struct pool {
	uint8_t **memory; /* by slab; NULL = not mapped */
	struct pool_slab *slabs;
	uint32_t slab_count, slab_room, mapped;
	uint32_t roomy; /* list of slabs with room: number + 1 */
	uint32_t size;  /* of a record */
	uint32_t shift; /* log2 of records in a slab */
	uint32_t used;  /* records in use */
};

#define POOL_SLAB_BYTES ((size_t)2 << 20)

void pool_init(struct pool *pool, uint32_t record_size);
uint32_t pool_alloc(struct pool *pool);
void pool_free(struct pool *pool, uint32_t id);

/* Frees all records and all memory. */
void pool_clear(struct pool *pool);

/* Frees all records and all memory but the first slab's. */
void pool_empty(struct pool *pool);

/* The next id after this one whose record was ever used, or 0; for walks, which look at the record.
 */
uint32_t pool_next(const struct pool *pool, uint32_t id);

/* Can there be a record of this id? */
int pool_holds(const struct pool *pool, uint32_t id);

size_t pool_bytes(const struct pool *pool);

static inline void *pool_at(const struct pool *pool, uint32_t id)
{
	uint32_t position = id & ((1u << pool->shift) - 1);

	return pool->memory[id >> pool->shift] + (size_t)position * pool->size;
}

/* Zeroed memory aligned to its size class, for slabs and index segments; NULL with errno. */
void *pool_map(size_t bytes, int huge);
void pool_unmap(void *memory, size_t bytes);

#endif
