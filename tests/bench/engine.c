/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.c - what a packet costs in libalias, phase by phase.
 *
 * The measure is "the floor": one hashed look-up in an open-addressed table of 64-byte records,
 * rewriting address and port, fixing two checksums, and nothing else.  It is written here and run
 * over the same packets in the same order just before each size, so that a figure is a ratio and
 * does not depend on the machine.  The table of the floor is plain calloc memory; a second floor
 * lies in huge pages, as libalias's tables do, and is printed for comparison.
 *
 * Flows are computed from a counter that visits them in a scattered order, so making packets costs
 * no memory accesses; all phases share a ring of packet buffers that stays in the cache.
 *
 * usage: engine [links...]	sizes to run instead of 1000 65536 1000000
 *	  engine check		fail if a ratio is far beyond its bound (for automatic runs)
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include "alias.h"

#define RING       64
#define PACKET_MAX 128
#define REPEAT     1000000u
#define HELPED_MAX 2000000u /* links with a helper are not small */
#define TRIES      3        /* the best counts */

static uint8_t ring[RING][PACKET_MAX] __attribute__((aligned(64)));
static const uint32_t alias_addr = 0xc6336401; /* 198.51.100.1 */

/* The processor time of this thread: what others do on the machine counts less. */
static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void put32(uint8_t *p, uint32_t host)
{
	host = htonl(host);
	memcpy(p, &host, 4);
}

static void put16(uint8_t *p, uint16_t host)
{
	host = htons(host);
	memcpy(p, &host, 2);
}

/* The flow to visit after this one, of n: a stride that has no factor in common with n. */
static uint32_t scattered(uint32_t flow, uint32_t n)
{
	static uint32_t stride, of;

	if (of != n) {
		uint32_t a, c, t;

		of = n;
		for (stride = (uint32_t)(n * 0.618) | 1;; stride += 2) {
			for (a = n, c = stride; c; t = a % c, a = c, c = t)
				;
			if (a == 1)
				break;
		}
	}
	flow += stride;
	return flow >= n ? flow - n : flow;
}

static uint32_t inside_of(uint32_t flow)
{
	return 0x0a000000 + flow / 256 + 2;
}

static uint16_t port_of(uint32_t flow)
{
	return (uint16_t)(20000 + flow % 256);
}

/* Every flow has a remote of its own, so SAME_PORTS always succeeds. */
static uint32_t remote_of(uint32_t flow)
{
	return 0x30000000 + flow;
}

static void header(uint8_t *p, uint8_t proto, uint16_t len)
{
	put32(p, 0x45000000 | len);
	put32(p + 4, 0);
	put32(p + 8, 0x40000000 | (uint32_t)proto << 16 | 0x1234);
}

static void udp_packet(uint8_t *p, uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport)
{
	header(p, IPPROTO_UDP, 60);
	put32(p + 12, src);
	put32(p + 16, dst);
	put16(p + 20, sport);
	put16(p + 22, dport);
	put32(p + 24, 40 << 16 | 0x5678);
}

static void tcp_packet(uint8_t *p, uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport,
		       uint8_t flags, uint32_t seq, const char *text)
{
	size_t len = strlen(text);

	header(p, IPPROTO_TCP, (uint16_t)(40 + len));
	put32(p + 12, src);
	put32(p + 16, dst);
	put16(p + 20, sport);
	put16(p + 22, dport);
	put32(p + 24, seq);
	put32(p + 28, 1);
	put32(p + 32, 0x50000000 | (uint32_t)flags << 16 | 8192);
	put32(p + 36, 0x12340000);
	memcpy(p + 40, text, len);
}

static void flow_out(uint8_t *p, uint32_t flow)
{
	udp_packet(p, inside_of(flow), port_of(flow), remote_of(flow), 53);
}

static void flow_in(uint8_t *p, uint32_t flow)
{
	udp_packet(p, remote_of(flow), 53, alias_addr, port_of(flow));
}

/*
 * The floor
 */

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

static double floor_run(uint32_t n, bool huge)
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
		r->new_addr = htonl(alias_addr);
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

/*
 * The engine
 */

static struct libalias *engine(void)
{
	struct libalias *la = LibAliasInit(NULL);

	if (!la)
		abort();
	LibAliasSetAddress(la, (struct in_addr){htonl(alias_addr)});
	return la;
}

typedef void make_packet(uint8_t *p, uint32_t flow);
typedef int run_packet(struct libalias *la, void *p, int size);

static uint32_t refused;

static double singly(struct libalias *la, uint32_t n, uint32_t rounds, make_packet *make,
		     run_packet *run, int expected)
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

static double batched(struct libalias *la, uint32_t n, uint32_t rounds, make_packet *make,
		      int (*run)(struct libalias *, struct alias_packet *, int))
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

static void stranger(uint8_t *p, uint32_t flow)
{
	udp_packet(p, remote_of(flow), 54, alias_addr, port_of(flow));
}

static void ftp_syn(uint8_t *p, uint32_t flow)
{
	tcp_packet(p, inside_of(flow), port_of(flow), remote_of(flow), 21, TH_SYN, 99, "");
}

static void ftp_command(uint8_t *p, uint32_t flow)
{
	char text[64];
	uint32_t a = inside_of(flow);

	snprintf(text, sizeof(text), "PORT %u,%u,%u,%u,100,1\r\n", a >> 24, a >> 16 & 255,
		 a >> 8 & 255, a & 255);
	tcp_packet(p, a, port_of(flow), remote_of(flow), 21, TH_ACK, 100, text);
}

static void ftp_data(uint8_t *p, uint32_t flow)
{
	tcp_packet(p, inside_of(flow), port_of(flow), remote_of(flow), 21, TH_ACK, 200, "NOOP\r\n");
}

static void ftp_answer(uint8_t *p, uint32_t flow)
{
	tcp_packet(p, remote_of(flow), 21, alias_addr, port_of(flow), TH_ACK, 300, "200 OK\r\n");
}

static bool far_off;

static void report(const char *phase, double ns, double floor, double bound)
{
	printf("  %-36s %8.1f ns  %5.2f x floor", phase, ns, ns / floor);
	if (bound > 0)
		printf("  (bound %.1f)%s", bound, ns / floor > bound ? "  BEYOND" : "");
	printf("\n");
	far_off |= bound > 0 && ns / floor > bound * 2;
}

static void report_refused(uint32_t n)
{
	if (refused)
		printf("  %u packets of %u links were not treated as expected\n", refused, n);
	far_off |= refused != 0;
	refused = 0;
}

static void run_helped(uint32_t n, double plain)
{
	double bound = n >= 1000000 ? 2.5 : 3;
	uint32_t rounds = (REPEAT + n - 1) / n;
	struct libalias *la = engine();

	LibAliasSetHelper(la, "ftp", 0, 1);
	singly(la, n, 0, ftp_syn, LibAliasOut, PKT_ALIAS_OK);
	singly(la, n, 0, ftp_command, LibAliasOut, PKT_ALIAS_OK);
	report("TCP data out, shifted by a helper",
	       singly(la, n, rounds, ftp_data, LibAliasOut, PKT_ALIAS_OK), plain, bound);
	report("TCP data in, shifted by a helper",
	       singly(la, n, rounds, ftp_answer, LibAliasIn, PKT_ALIAS_OK), plain, bound);
	LibAliasUninit(la);
	report_refused(n);
}

static void set_helpers(struct libalias *la, int enable)
{
	static const char *const names[] = {"cuseeme", "ftp",  "irc", "netbios", "pna",  "pptp",
					    "quake",   "rtsp", "sip", "skinny",  "tftp", "vdolive"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		refused += LibAliasSetHelper(la, names[i], 0, enable) != 0;
}

static void report_more(const char *phase, const double ns[2])
{
	printf("  %-36s %8.1f ns  %+5.1f ns (bound 1)%s\n", phase, ns[1], ns[1] - ns[0],
	       ns[1] - ns[0] > 1 ? "  BEYOND" : "");
}

/* What helpers on other ports cost the links of an instance: without and with all, by turns. */
static void run_watched(uint32_t n, struct libalias *la, double plain)
{
	double new[2] = {1e9, 1e9}, out[2] = {1e9, 1e9}, in[2] = {1e9, 1e9}, ns;
	uint32_t rounds = (REPEAT + n - 1) / n;

	for (int turn = 0; turn < 2 * TRIES; turn++) {
		int with = turn & 1;

		set_helpers(la, with);
		for (int i = 0; i < (n >= 1000000 ? 1 : 16); i++) {
			LibAliasReset(la);
			ns = singly(la, n, 0, flow_out, LibAliasOut, PKT_ALIAS_OK);
			new[with] = ns < new[with] ? ns : new[with];
		}
		ns = singly(la, n, rounds, flow_out, LibAliasOut, PKT_ALIAS_OK);
		out[with] = ns < out[with] ? ns : out[with];
		ns = singly(la, n, rounds, flow_in, LibAliasIn, PKT_ALIAS_OK);
		in[with] = ns < in[with] ? ns : in[with];
	}
	report("new link, all helpers loaded", new[1], plain, 6);
	report_more("existing out, all helpers loaded", out);
	report_more("existing in, all helpers loaded", in);
	report_refused(n);
}

static void run_size(uint32_t n)
{
	bool large = n >= 1000000;
	uint32_t rounds = (REPEAT + n - 1) / n;
	double plain = floor_run(n, false), huge = floor_run(n, true), ns;
	struct alias_stats stats;
	struct libalias *la;

	printf("%u links: floor %.1f ns (in huge pages %.1f ns)\n", n, plain, huge);
	la = engine();
	ns = 1e9;
	for (int i = 0; i < (large ? TRIES : 16); i++) {
		double one;

		LibAliasReset(la);
		one = singly(la, n, 0, flow_out, LibAliasOut, PKT_ALIAS_OK);
		ns = one < ns ? one : ns;
	}
	report("new link", ns, plain, 6);
	report("existing out", singly(la, n, rounds, flow_out, LibAliasOut, PKT_ALIAS_OK), plain,
	       large ? 2 : 2.5);
	report("existing in", singly(la, n, rounds, flow_in, LibAliasIn, PKT_ALIAS_OK), plain,
	       large ? 2 : 2.5);
	report("existing out, batched", batched(la, n, rounds, flow_out, LibAliasOutBatch), plain,
	       large ? 0.7 : 0);
	report("existing in, batched", batched(la, n, rounds, flow_in, LibAliasInBatch), plain,
	       large ? 0.7 : 0);
	LibAliasSetMode(la, PKT_ALIAS_DENY_INCOMING, PKT_ALIAS_DENY_INCOMING);
	report("stranger refused", singly(la, n, rounds, stranger, LibAliasIn, PKT_ALIAS_IGNORED),
	       plain, 2);
	LibAliasGetStats(la, &stats);
	printf("  %-36s %8.1f bytes  (bound 128)%s\n", "memory of a link",
	       (double)stats.bytes / stats.links,
	       stats.bytes > stats.links * 128ull && n > 1000 ? "  BEYOND" : "");
	report_refused(n);
	run_watched(n, la, plain);
	LibAliasUninit(la);
	if (n <= HELPED_MAX)
		run_helped(n, plain);
}

/*
 * Beyond the table
 */

/* Packets to the ports of n redirects, each flow from a remote of its own. */
static double through_redirects(struct libalias *la, uint32_t n, uint32_t flows)
{
	uint64_t start = now_ns();

	for (uint32_t k = 0; k < flows; k++) {
		uint8_t *p = ring[k % RING];

		udp_packet(p, remote_of(k), 53, alias_addr,
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
		struct in_addr alias = {htonl(alias_addr + k / 60000)};

		if (!LibAliasRedirectPort(la, local, htons(80), any, 0, alias,
					  htons((uint16_t)(k % 60000 + 1000)), IPPROTO_UDP))
			abort();
	}
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static void bench_redirects(void)
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

static void bench_masquerade(void)
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

static void bench_checksum(void)
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

static void bench_endpoint(void)
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

static void bench_expiry(uint32_t n)
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

int main(int argc, char **argv)
{
	bool check = argc > 1 && !strcmp(argv[1], "check");

	if (argc > 1 && !check) {
		for (int i = 1; i < argc; i++)
			run_size((uint32_t)strtoul(argv[i], NULL, 10));
		return 0;
	}
	run_size(1000);
	run_size(65536);
	run_size(1000000);
	bench_redirects();
	bench_masquerade();
	bench_checksum();
	bench_endpoint();
	bench_expiry(1000000);
	return check && far_off;
}
