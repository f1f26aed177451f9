/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.h - building packets and looking at them, for the tests of libalias.
 *
 * A test gets a struct net: an instance with the aliasing address 198.51.100.1, a clock that stands
 * until the test moves it, and one packet buffer.  Packets are built with right checksums; what is
 * sent is checked for them again, unless the test says otherwise.
 */
#ifndef NET_H
#define NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <cmocka.h>
#include "alias.h"

#define ALIAS  "198.51.100.1"
#define INSIDE "10.0.0.2"
#define OTHER  "10.0.0.3"
#define REMOTE "203.0.113.7"

struct net {
	struct libalias *la;
	uint32_t now;
	uint8_t packet[65536];
};

int net_setup(void **state);
/* The same with a helper enabled. */
int net_setup_helper(void **state, const char *helper);
int net_teardown(void **state);
/* The instance takes its time from net, which has moved in memory. */
void net_clock(struct net *net);

struct in_addr addr(const char *text);
/* Fields of a message, in the byte order of the network. */
void put16(uint8_t *p, uint16_t v);
uint16_t get16(const uint8_t *p);
void put_address(uint8_t *p, const char *text);

/* A connection or query: who sends to whom. */
struct ends {
	const char *src;
	uint16_t src_port;
	const char *dst;
	uint16_t dst_port;
};

#define ENDS(s, sp, d, dp) ((struct ends){(s), (sp), (d), (dp)})

void build_udp(uint8_t *packet, struct ends ends, const void *payload, size_t len);
void build_tcp(uint8_t *packet, struct ends ends, uint8_t flags, uint32_t seq, uint32_t ack,
	       const void *payload, size_t len);
/* As build_tcp() with options, whose length is a multiple of four. */
void build_tcp_options(uint8_t *packet, struct ends ends, uint8_t flags, uint32_t seq, uint32_t ack,
		       const uint8_t *options, size_t options_len, const void *payload, size_t len);
void build_echo(uint8_t *packet, uint8_t type, const char *src, const char *dst, uint16_t id);
/* An ICMP error about the first bytes of quoted. */
void build_error(uint8_t *packet, uint8_t type, const char *src, const char *dst,
		 const uint8_t *quoted, size_t bytes);
void build_other(uint8_t *packet, uint8_t proto, const char *src, const char *dst);
/* Makes a fragment of the packet that is there: offset in bytes, of len bytes of payload. */
void cut_fragment(uint8_t *packet, const uint8_t *whole, uint16_t offset, uint16_t len);
void fix_ip_sum(uint8_t *packet);
bool sums_right(const uint8_t *packet);

uint16_t total_length(const uint8_t *packet);
uint32_t packet_seq(const uint8_t *packet);
uint32_t packet_ack(const uint8_t *packet);
uint16_t source_port(const uint8_t *packet);
/* The payload of a TCP packet, and as a string in a static buffer. */
const uint8_t *packet_payload(const uint8_t *packet);
const char *packet_text(const uint8_t *packet);

/* Run the net's packet through the engine; the checksums must be right before and after. */
int send_out(struct net *net);
int send_in(struct net *net);

/* Build and run; the numbers of a connection begin at 1, and a SYN is acknowledged by 2. */
int udp_out(struct net *net, struct ends ends);
int udp_in(struct net *net, struct ends ends);
int tcp_out(struct net *net, struct ends ends, uint8_t flags);
int tcp_in(struct net *net, struct ends ends, uint8_t flags);

#define assert_ends(packet, ...) assert_ends_at(packet, ENDS(__VA_ARGS__), __FILE__, __LINE__)
void assert_ends_at(const uint8_t *packet, struct ends ends, const char *file, int line);

uint32_t links(struct net *net);
/* All links as records, gone, and back in the other order; nothing else is lost. */
void net_restart(struct net *net);
uint32_t expectations(struct net *net);
void deny_incoming(struct net *net);

#define net_test(f) cmocka_unit_test_setup_teardown(f, net_setup, net_teardown)

#endif
