/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - what the parts of the bench of libalias share.
 *
 *   engine.c           the whole run, and its command line
 *   engine_links.c     a packet's cost, phase by phase, by the number of links
 *   engine_rules.c     the same by the number of redirects and of masquerade rules
 *   engine_limits.c    checksums, one full remote endpoint, and all links ending at once
 *   engine_floor.c     the measure of it all
 *   engine_measure.c   time, tries and lines of the report
 *   engine_packets.h   the packets
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include "alias.h"

#define RING       64
#define PACKET_MAX 128
#define REPEAT     1000000u
#define TRIES      3 /* the best counts */

/* Buffers that stay in the cache, shared by all phases. */
extern uint8_t ring[RING][PACKET_MAX];
/* Packets that were not treated as expected since the last report_refused(). */
extern uint32_t refused;
/* Whether a figure was far beyond its bound. */
extern bool far_off;

/* The processor time of this thread: what others do on the machine counts less. */
uint64_t now_ns(void);
double least(double a, double b);

/* What the floor takes for a packet of n flows, its table in huge pages or not. */
double floor_run(uint32_t n, bool huge);

/* An instance with ALIAS_ADDRESS. */
struct libalias *engine(void);

typedef void make_packet(uint8_t *p, uint32_t flow);
typedef int run_packet(struct libalias *la, void *p, int size);
typedef int run_batch(struct libalias *la, struct alias_packet *packets, int count);

/*
 * Nanoseconds of a packet when each of n flows sends one so many times; 0 rounds are one round of
 * which there is one try.  What run does not answer with expected is in `refused`.
 */
double singly(struct libalias *la, uint32_t n, uint32_t rounds, make_packet *make, run_packet *run,
	      int expected);
double batched(struct libalias *la, uint32_t n, uint32_t rounds, make_packet *make, run_batch *run);

/* A line of the report; a bound of 0 is none. */
void report(const char *phase, double ns, double floor, double bound);
void report_refused(uint32_t n);

void run_size(uint32_t links);
void bench_redirects(void);
void bench_masquerade(void);
void bench_checksum(void);
void bench_endpoint(void);
void bench_expiry(uint32_t links);

#endif
