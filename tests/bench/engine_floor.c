/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_floor.c - the floor: what no translation can do without.
 *
 * One hashed look-up in an open-addressed table of 64-byte records, rewriting address and port,
 * fixing two checksums, and nothing else.  It is written here and run over the same packets in the
 * same order just before each size, so that a figure is a ratio and does not depend on the machine.
 * Its table is plain memory; a second floor lies in huge pages, as libalias's tables do, and is
 * printed for comparison.
 */
#include "engine.h"
#include "engine_packets.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>

struct floor_record {
	uint32_t src, dst;
	uint16_t sport, dport;
	uint8_t proto, used;
	uint16_t new_port;
	uint32_t new_addr;
	uint8_t rest[44];
};

static struct floor_record *floor_table;
static uint32_t floor_mask;
static uint64_t floor_key[3];

static uint32_t floor_hash(const uint8_t *p)
{
	uint64_t addresses, rest;
	uint32_t ports;
	unsigned __int128 product;

	memcpy(&addresses, p + 12, 8);
	memcpy(&ports, p + 20, 4);
	rest = ports | (uint64_t)p[9] << 32;
	product = (unsigned __int128)(addresses ^ floor_key[0]) * (rest ^ floor_key[1]);
	product =
		(unsigned __int128)((uint64_t)product ^ (uint64_t)(product >> 64) ^ floor_key[2]) *
		0x9e3779b97f4a7c15u;
	return (uint32_t)((uint64_t)product ^ (uint64_t)(product >> 64));
}

static struct floor_record *floor_find(const uint8_t *p)
{
	uint32_t at = floor_hash(p) & floor_mask;
	struct floor_record *r;

	for (;; at = (at + 1) & floor_mask) {
		r = &floor_table[at];
		if (!r->used || (!memcmp(&r->src, p + 12, 8) && !memcmp(&r->sport, p + 20, 4) &&
				 r->proto == p[9]))
			return r;
	}
}

static uint16_t floor_fix(uint16_t sum, uint64_t change)
{
	change += (uint16_t)~sum;
	change = (change & 0xffffffff) + (change >> 32);
	change = (change & 0xffff) + (change >> 16);
	change = (change & 0xffff) + (change >> 16);
	return (uint16_t) ~((change & 0xffff) + (change >> 16));
}

static void floor_packet(uint8_t *p)
{
	struct floor_record *r = floor_find(p);
	uint32_t old_addr;
	uint16_t old_port, sum;
	uint64_t change;

	memcpy(&old_addr, p + 12, 4);
	memcpy(&old_port, p + 20, 2);
	memcpy(p + 12, &r->new_addr, 4);
	memcpy(p + 20, &r->new_port, 2);
	change = (uint64_t)(uint32_t)~old_addr + r->new_addr;
	memcpy(&sum, p + 10, 2);
	sum = floor_fix(sum, change);
	memcpy(p + 10, &sum, 2);
	change += (uint64_t)(uint16_t)~old_port + r->new_port;
	memcpy(&sum, p + 26, 2);
	sum = floor_fix(sum, change);
	memcpy(p + 26, &sum, 2);
}

double floor_run(uint32_t n, bool huge)
{
	uint32_t size = 16, rounds = (REPEAT + n - 1) / n;
	uint32_t flow = 0;
	size_t bytes;
	uint64_t start, best = UINT64_MAX;

	while (size < n * 2)
		size *= 2;
	floor_mask = size - 1;
	bytes = (size_t)size * sizeof(*floor_table);
	floor_table = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (floor_table == MAP_FAILED)
		abort();
	madvise(floor_table, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (getrandom(floor_key, sizeof(floor_key), 0) != sizeof(floor_key))
		abort();
	for (uint32_t i = 0; i < n; i++) {
		struct floor_record *r;

		flow_out(ring[0], i);
		r = floor_find(ring[0]);
		memcpy(&r->src, ring[0] + 12, 8);
		memcpy(&r->sport, ring[0] + 20, 4);
		r->proto = IPPROTO_UDP;
		r->used = 1;
		r->new_addr = htonl(ALIAS_ADDRESS);
		r->new_port = r->sport;
	}
	for (int try = 0; try < TRIES; try++) {
		start = now_ns();
		for (uint32_t round = 0; round < rounds; round++)
			for (uint32_t k = 0; k < n; k++) {
				uint8_t *p = ring[k % RING];

				flow = scattered(flow, n);
				flow_out(p, flow);
				floor_packet(p);
			}
		start = now_ns() - start;
		best = start < best ? start : best;
	}
	munmap(floor_table, bytes);
	return (double)best / ((double)rounds * n);
}
