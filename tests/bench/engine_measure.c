/* SPDX-License-Identifier: BSD-2-Clause */
/* engine_measure.c - time, tries and lines of the report; engine.h says what each does. */
#include "engine.h"
#include "engine_packets.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint8_t ring[RING][PACKET_MAX] __attribute__((aligned(64)));
uint32_t refused;
bool far_off;

/* The processor time of this thread: what others do on the machine counts less. */
uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

double least(double a, double b)
{
	return a < b ? a : b;
}

struct libalias *engine(void)
{
	struct libalias *la = LibAliasInit(NULL);

	if (!la)
		abort();
	LibAliasSetAddress(la, (struct in_addr){htonl(ALIAS_ADDRESS)});
	return la;
}

double singly(struct libalias *la, uint32_t n, uint32_t rounds, make_packet *make, run_packet *run,
	      int expected)
{
	uint64_t start, best = UINT64_MAX;
	uint32_t flow = 0;

	/* Of things that can be done once only there is one try. */
	for (int try = 0; try < (rounds ? TRIES : 1); try++) {
		start = now_ns();
		for (uint32_t k = 0; k < n * (rounds ? rounds : 1); k++) {
			uint8_t *p = ring[k % RING];

			flow = scattered(flow, n);
			make(p, flow);
			refused += run(la, p, PACKET_MAX) != expected;
		}
		start = now_ns() - start;
		best = start < best ? start : best;
	}
	return (double)best / ((double)n * (rounds ? rounds : 1));
}

double batched(struct libalias *la, uint32_t n, uint32_t rounds, make_packet *make, run_batch *run)
{
	struct alias_packet packets[RING] = {0};
	uint64_t start, best = UINT64_MAX;
	uint32_t flow = 0;

	for (int i = 0; i < RING; i++) {
		packets[i].data = ring[i];
		packets[i].size = PACKET_MAX;
	}
	for (int try = 0; try < TRIES; try++) {
		start = now_ns();
		for (uint32_t k = 0; k < n * rounds; k += RING) {
			int count = n * rounds - k < RING ? (int)(n * rounds - k) : RING;

			for (int i = 0; i < count; i++) {
				flow = scattered(flow, n);
				make(ring[i], flow);
			}
			refused += (uint32_t)(count - run(la, packets, count));
		}
		start = now_ns() - start;
		best = start < best ? start : best;
	}
	return (double)best / ((double)rounds * n);
}

void report(const char *phase, double ns, double floor, double bound)
{
	printf("  %-36s %8.1f ns  %5.2f x floor", phase, ns, ns / floor);
	if (bound > 0)
		printf("  (bound %.1f)%s", bound, ns / floor > bound ? "  BEYOND" : "");
	printf("\n");
	far_off |= bound > 0 && ns / floor > bound * 2;
}

void report_refused(uint32_t n)
{
	if (refused)
		printf("  %u packets of %u links were not treated as expected\n", refused, n);
	far_off |= refused != 0;
	refused = 0;
}
