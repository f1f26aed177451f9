/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_limits.c - a checksum of the largest packet, a remote endpoint that has as many links as
 * there are ports, and a million links that end in the same second.
 */
#include "engine.h"
#include "engine_packets.h"

#include <inttypes.h>
#include <stdio.h>

void bench_checksum(void)
{
	static uint16_t block[32768];
	struct libalias *la = engine();
	double ns = 1e9;

	for (int i = 0; i < TRIES; i++) {
		uint64_t start = now_ns();

		for (int k = 0; k < 1000; k++)
			block[k] ^= LibAliasInternetChecksum(la, block, sizeof(block) - 1);
		ns = least(ns, (double)(now_ns() - start) / 1000);
	}
	printf("checksum of 65535 bytes: %.2f us, %.1f GB/s\n", ns / 1000, 65535 / ns);
	LibAliasUninit(la);
}

static void one_endpoint(uint8_t *p, uint32_t flow)
{
	udp_packet(p, 0x0a000002 + flow / 100, (uint16_t)(20000 + flow % 100), 0x30000001, 53);
}

void bench_endpoint(void)
{
	double early = 1e9, last = 1e9, ns;
	struct libalias *la = NULL;
	uint64_t start, worst = 0;

	for (int try = 0; try < TRIES; try++) {
		LibAliasUninit(la);
		la = engine();
		LibAliasSetAliasPortRange(la, 5536, 65535);
		for (uint32_t i = 0; i < 60000; i += 1000) {
			start = now_ns();
			for (uint32_t k = i; k < i + 1000; k++) {
				one_endpoint(ring[0], k);
				refused += LibAliasOut(la, ring[0], PACKET_MAX) != PKT_ALIAS_OK;
			}
			ns = (double)(now_ns() - start) / 1000;
			/* The very first also pay for the first use of the memory. */
			if (i == 1000)
				early = ns < early ? ns : early;
			if (i == 59000)
				last = ns < last ? ns : last;
		}
	}
	printf("one remote endpoint: early links %.1f ns, last of 60000 %.1f ns, %.2f x (bound "
	       "3)%s\n",
	       early, last, last / early, last > early * 3 ? "  BEYOND" : "");
	one_endpoint(ring[0], 60000);
	for (int i = 0; i < 100; i++) {
		start = now_ns();
		refused += LibAliasOut(la, ring[0], PACKET_MAX) != PKT_ALIAS_ERROR;
		start = now_ns() - start;
		worst = start > worst ? start : worst;
	}
	printf("  the next is refused in %.1f us\n", (double)worst / 1000);
	LibAliasUninit(la);
	report_refused(60000);
}

static uint32_t fake_time;

static uint32_t fake_clock(void *arg)
{
	(void)arg;
	return fake_time;
}

/* All links end in the same second; returns the longest call. */
static uint64_t expire_all(uint32_t n, uint64_t *calls, uint64_t *total)
{
	struct libalias *la = engine();
	uint64_t worst = 0, start;
	struct alias_stats stats;

	*calls = *total = 0;
	fake_time = 1000;
	LibAliasSetClock(la, fake_clock, NULL);
	singly(la, n, 0, flow_out, LibAliasOut, PKT_ALIAS_OK);
	fake_time += 1000;
	do {
		stranger(ring[0], 1);
		start = now_ns();
		LibAliasOutTry(la, ring[0], PACKET_MAX, 0);
		start = now_ns() - start;
		worst = start > worst ? start : worst;
		*total += start;
		++*calls;
		LibAliasGetStats(la, &stats);
	} while (stats.links);
	LibAliasUninit(la);
	return worst;
}

void bench_expiry(uint32_t n)
{
	uint64_t least = UINT64_MAX, calls, total, worst;

	/* What is the engine's own is in every try; what the machine adds is not. */
	for (int try = 0; try < TRIES; try++) {
		worst = expire_all(n, &calls, &total);
		least = worst < least ? worst : least;
	}
	printf("expiry of %u links at once: longest call %.1f us (bound 1000)%s, %" PRIu64
	       " calls, %.1f ns a link\n",
	       n, (double)least / 1000, least > 1000000 ? "  BEYOND" : "", calls,
	       (double)total / n);
	far_off |= least > 2000000;
}
