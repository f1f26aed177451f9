/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_packets.h - the packets of the bench, made in place.
 *
 * Flow number n has an inside end, a port and a remote end that are computed from n, and flows are
 * visited in a scattered order by a counter, so making packets costs no memory accesses.  All of it
 * is inline: the floor makes the same packets, and a call would be a good part of it.
 */
#ifndef ENGINE_PACKETS_H
#define ENGINE_PACKETS_H

#include <stdint.h>
#include <string.h>
#include <arpa/inet.h>

#define ALIAS_ADDRESS 0xc6336401 /* 198.51.100.1 */

static inline void put32(uint8_t *p, uint32_t host)
{
	host = htonl(host);
	memcpy(p, &host, 4);
}

static inline void put16(uint8_t *p, uint16_t host)
{
	host = htons(host);
	memcpy(p, &host, 2);
}

/* The flow to visit after this one, of n: a stride that has no factor in common with n. */
static inline uint32_t scattered(uint32_t flow, uint32_t n)
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

static inline uint32_t inside_of(uint32_t flow)
{
	return 0x0a000000 + flow / 256 + 2;
}

static inline uint16_t port_of(uint32_t flow)
{
	return (uint16_t)(20000 + flow % 256);
}

/* Every flow has a remote of its own, so SAME_PORTS always succeeds. */
static inline uint32_t remote_of(uint32_t flow)
{
	return 0x30000000 + flow;
}

static inline void header(uint8_t *p, uint8_t proto, uint16_t len)
{
	put32(p, 0x45000000 | len);
	put32(p + 4, 0);
	put32(p + 8, 0x40000000 | (uint32_t)proto << 16 | 0x1234);
}

static inline void udp_packet(uint8_t *p, uint32_t src, uint16_t sport, uint32_t dst,
			      uint16_t dport)
{
	header(p, IPPROTO_UDP, 60);
	put32(p + 12, src);
	put32(p + 16, dst);
	put16(p + 20, sport);
	put16(p + 22, dport);
	put32(p + 24, 40 << 16 | 0x5678);
}

static inline void tcp_packet(uint8_t *p, uint32_t src, uint16_t sport, uint32_t dst,
			      uint16_t dport, uint8_t flags, uint32_t seq, const char *text)
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

static inline void flow_out(uint8_t *p, uint32_t flow)
{
	udp_packet(p, inside_of(flow), port_of(flow), remote_of(flow), 53);
}

static inline void flow_in(uint8_t *p, uint32_t flow)
{
	udp_packet(p, remote_of(flow), 53, ALIAS_ADDRESS, port_of(flow));
}

/* To the flow's alias port, from a port that nobody inside has spoken to. */
static inline void stranger(uint8_t *p, uint32_t flow)
{
	udp_packet(p, remote_of(flow), 54, ALIAS_ADDRESS, port_of(flow));
}

#endif
