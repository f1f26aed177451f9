/* SPDX-License-Identifier: BSD-2-Clause */
/* engine_rules.c - that a packet costs the same with many redirects and masquerade rules as with
 * few. */
#include "engine.h"
#include "engine_packets.h"

#include <stdio.h>
#include <stdlib.h>

/* Packets to the ports of n redirects, each flow from a remote of its own. */
static double through_redirects(struct libalias *la, uint32_t n, uint32_t flows)
{
	uint64_t start = now_ns();

	for (uint32_t k = 0; k < flows; k++) {
		uint8_t *p = ring[k % RING];

		udp_packet(p, remote_of(k), 53, ALIAS_ADDRESS,
			   (uint16_t)(1000 + k * 7 % (n < 60000 ? n : 60000)));
		refused += LibAliasIn(la, p, PACKET_MAX) != PKT_ALIAS_OK;
	}
	return (double)(now_ns() - start) / flows;
}

static void add_redirects(struct libalias *la, uint32_t n)
{
	struct in_addr any = {0}, local = {htonl(0x0a000002)};

	for (uint32_t k = 0; k < n; k++) {
		/* Two alias addresses: there are only 65535 ports. */
		struct in_addr alias = {htonl(ALIAS_ADDRESS + k / 60000)};

		if (!LibAliasRedirectPort(la, local, htons(80), any, 0, alias,
					  htons((uint16_t)(k % 60000 + 1000)), IPPROTO_UDP))
			abort();
	}
}

void bench_redirects(void)
{
	static const uint32_t counts[] = {10, 100000};
	double add = 1e9, begin[2] = {1e9, 1e9}, again[2] = {1e9, 1e9};

	for (int i = 0; i < 2 * TRIES; i++) {
		struct libalias *la = engine();
		uint32_t n = counts[i % 2];
		uint64_t start = now_ns();

		add_redirects(la, n);
		if (i % 2)
			add = least(add, (double)(now_ns() - start) / n);
		begin[i % 2] = least(begin[i % 2], through_redirects(la, n, 200000));
		again[i % 2] = least(again[i % 2], through_redirects(la, n, 200000));
		LibAliasUninit(la);
	}
	printf("redirects: adding one of 100000 %.1f ns (bound 300)%s\n", add,
	       add > 300 ? "  BEYOND" : "");
	printf("  new connection through 10: %.1f ns, through 100000: %.1f ns, %.2f x\n", begin[0],
	       begin[1], begin[1] / begin[0]);
	printf("  packet of 200000 links through 10: %.1f ns, through 100000: %.1f ns, %.2f x\n",
	       again[0], again[1], again[1] / again[0]);
	report_refused(200000);
}

/* The first packets of hosts, one of each net that has a rule. */
static double with_rules(uint32_t n)
{
	struct libalias *la = engine();
	const uint32_t hosts = 1u << 16;
	uint64_t start;

	LibAliasSetMode(la, PKT_ALIAS_MASQUERADE_RULES, PKT_ALIAS_MASQUERADE_RULES);
	for (uint32_t k = 0; k < n; k++)
		LibAliasMasquerade(la, (struct in_addr){htonl(0x0a000000 + k * (hosts / n))},
				   32 - __builtin_ctz(hosts / n), 0, (struct in_addr){0});
	start = now_ns();
	for (uint32_t k = 0; k < hosts; k++) {
		udp_packet(ring[k % RING], 0x0a000000 + scattered(k, hosts), 4000, remote_of(k),
			   53);
		refused += LibAliasOut(la, ring[k % RING], PACKET_MAX) != PKT_ALIAS_OK;
	}
	start = now_ns() - start;
	LibAliasUninit(la);
	return (double)start / hosts;
}

void bench_masquerade(void)
{
	double one = 1e9, many = 1e9;

	for (int i = 0; i < TRIES; i++) {
		one = least(one, with_rules(1));
		many = least(many, with_rules(1024));
	}
	printf("masquerade rules: new link with one %.1f ns, with 1024 %.1f ns, %.2f x\n", one,
	       many, many / one);
	report_refused(1u << 16);
}
