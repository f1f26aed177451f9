/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.c - slabs of records by id; pool.h has the theory.
 *
 * Slabs with room form a doubly linked list; the front one is filled first.  Freed records are
 * chained through their first word.  Record 0 of slab 0 is taken for ever, so that id 0 is none.
 */
#include "pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define POPULATE_BYTES ((size_t)16 << 10)

void *pool_map(size_t bytes, int huge)
{
	size_t span = huge ? bytes + POOL_SLAB_BYTES : bytes;
	/* A few pages at once cost much less than as many faults. */
	int flags = bytes <= POPULATE_BYTES ? MAP_POPULATE : 0;
	uint8_t *raw, *aligned;
	size_t head;

	raw = mmap(NULL, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	if (raw == MAP_FAILED)
		return NULL;
	if (!huge)
		return raw;
	aligned = (uint8_t *)(((uintptr_t)raw + POOL_SLAB_BYTES - 1) & ~(POOL_SLAB_BYTES - 1));
	head = (size_t)(aligned - raw);
	if (head)
		munmap(raw, head);
	if (span - head > bytes)
		munmap(aligned + bytes, span - head - bytes);
#ifdef MADV_HUGEPAGE
	madvise(aligned, bytes, MADV_HUGEPAGE);
#endif
	return aligned;
}

void pool_unmap(void *memory, size_t bytes)
{
	munmap(memory, bytes);
}

void pool_init(struct pool *pool, uint32_t record_size)
{
	memset(pool, 0, sizeof(*pool));
	pool->size = record_size;
	while (((size_t)record_size << (pool->shift + 1)) <= POOL_SLAB_BYTES)
		pool->shift++;
}

static void pool_list_add(struct pool *pool, uint32_t number)
{
	struct pool_slab *slab = &pool->slabs[number];

	slab->has_room = 1;
	slab->prev = 0;
	slab->next = pool->roomy;
	if (slab->next)
		pool->slabs[slab->next - 1].prev = number + 1;
	pool->roomy = number + 1;
}

static void pool_list_remove(struct pool *pool, uint32_t number)
{
	struct pool_slab *slab = &pool->slabs[number];

	if (slab->prev)
		pool->slabs[slab->prev - 1].next = slab->next;
	else
		pool->roomy = slab->next;
	if (slab->next)
		pool->slabs[slab->next - 1].prev = slab->prev;
	slab->has_room = 0;
}

/* Room in the directory for one slab more; returns its number or -1. */
static int64_t pool_directory_room(struct pool *pool)
{
	uint32_t room = pool->slab_room ? pool->slab_room * 2 : 4;
	struct pool_slab *slabs;
	uint8_t **memory;

	if (pool->mapped < pool->slab_count)
		for (uint32_t i = 0; i < pool->slab_count; i++)
			if (!pool->memory[i])
				return i;
	if (pool->slab_count >= UINT32_MAX >> pool->shift) {
		errno = ENOMEM;
		return -1;
	}
	if (pool->slab_count < pool->slab_room)
		return pool->slab_count++;
	slabs = realloc(pool->slabs, room * sizeof(*slabs));
	if (!slabs)
		return -1;
	pool->slabs = slabs;
	memory = realloc(pool->memory, room * sizeof(*memory));
	if (!memory)
		return -1;
	pool->memory = memory;
	pool->slab_room = room;
	return pool->slab_count++;
}

static int pool_grow(struct pool *pool)
{
	int64_t number = pool_directory_room(pool);

	if (number < 0)
		return -1;
	memset(&pool->slabs[number], 0, sizeof(pool->slabs[number]));
	pool->memory[number] = pool_map(POOL_SLAB_BYTES, number > 0);
	if (!pool->memory[number])
		return -1;
	if (number == 0)
		pool->slabs[0].fresh = 1;
	pool->mapped++;
	pool_list_add(pool, (uint32_t)number);
	return 0;
}

/* Asks for the next pages of the first slab in one go; others are huge pages, hopefully. */
static void pool_populate(struct pool *pool, uint32_t position)
{
#ifdef MADV_POPULATE_WRITE
	size_t offset = (size_t)position * pool->size;

	if (!(offset & (POPULATE_BYTES - 1)) || offset < pool->size * 2)
		(void)madvise(pool->memory[0] + (offset & ~(POPULATE_BYTES - 1)), POPULATE_BYTES,
			      MADV_POPULATE_WRITE);
#else
	(void)pool;
	(void)position;
#endif
}

uint32_t pool_alloc(struct pool *pool)
{
	uint32_t number, position;
	struct pool_slab *slab;

	if (!pool->roomy && pool_grow(pool))
		return 0;
	number = pool->roomy - 1;
	slab = &pool->slabs[number];
	if (slab->free) {
		position = slab->free - 1;
		memcpy(&slab->free, pool->memory[number] + (size_t)position * pool->size,
		       sizeof(slab->free));
	} else {
		position = slab->fresh++;
		if (!number)
			pool_populate(pool, position);
	}
	slab->used++;
	pool->used++;
	if (!slab->free && slab->fresh >= 1u << pool->shift)
		pool_list_remove(pool, number);
	memset(pool->memory[number] + (size_t)position * pool->size, 0, pool->size);
	return number << pool->shift | position;
}

void pool_free(struct pool *pool, uint32_t id)
{
	uint32_t number = id >> pool->shift;
	struct pool_slab *slab = &pool->slabs[number];
	uint32_t position = id & ((1u << pool->shift) - 1);
	uint8_t *record = pool_at(pool, id);

	memset(record, 0, pool->size);
	memcpy(record, &slab->free, sizeof(slab->free));
	slab->free = position + 1;
	slab->used--;
	pool->used--;
	if (!slab->has_room)
		pool_list_add(pool, number);
	/* Slab 0 stays; another goes when there is room elsewhere. */
	if (!slab->used && number && (slab->next || slab->prev)) {
		pool_list_remove(pool, number);
		pool_unmap(pool->memory[number], POOL_SLAB_BYTES);
		pool->memory[number] = NULL;
		pool->mapped--;
	}
}

void pool_clear(struct pool *pool)
{
	for (uint32_t i = 0; i < pool->slab_count; i++)
		if (pool->memory[i])
			pool_unmap(pool->memory[i], POOL_SLAB_BYTES);
	free(pool->memory);
	free(pool->slabs);
	pool_init(pool, pool->size);
}

void pool_empty(struct pool *pool)
{
	uint32_t fresh;

	if (!pool->slab_count || !pool->memory[0]) {
		pool_clear(pool);
		return;
	}
	for (uint32_t i = 1; i < pool->slab_count; i++)
		if (pool->memory[i])
			pool_unmap(pool->memory[i], POOL_SLAB_BYTES);
	fresh = pool->slabs[0].fresh;
	memset(pool->memory[0], 0, (size_t)fresh * pool->size);
	memset(&pool->slabs[0], 0, sizeof(pool->slabs[0]));
	pool->slabs[0].fresh = 1;
	pool->slab_count = pool->mapped = 1;
	pool->used = 0;
	pool->roomy = 0;
	pool_list_add(pool, 0);
}

int pool_holds(const struct pool *pool, uint32_t id)
{
	uint32_t number = id >> pool->shift;

	return id && number < pool->slab_count && pool->memory[number] &&
	       (id & ((1u << pool->shift) - 1)) < pool->slabs[number].fresh;
}

uint32_t pool_next(const struct pool *pool, uint32_t id)
{
	uint32_t number = ++id >> pool->shift;

	if (pool_holds(pool, id))
		return id;
	while (++number < pool->slab_count)
		if (pool_holds(pool, number << pool->shift))
			return number << pool->shift;
	return 0;
}

size_t pool_bytes(const struct pool *pool)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < pool->slab_count; i++)
		if (pool->memory[i])
			bytes += (size_t)pool->slabs[i].fresh * pool->size;
	return bytes;
}
