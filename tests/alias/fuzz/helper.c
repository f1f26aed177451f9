/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper.c - a fuzz target for the protocol helpers, each on a control connection of its own.
 *
 * The input's first byte chooses a helper, the second what is around it: who is the server, TCP or
 * UDP, modes, and how much room a packet's buffer has.  Then come steps: one end says some bytes,
 * which carry on its stream, or says them in the place of earlier ones, or time passes, or somebody
 * tries a port of the alias.  Each packet lies at the end of an allocation of exactly
 * maxpacketsize, so that the sanitizers see any access beyond it.  What must hold besides is what
 * holds for the engine, that expectations stay within their limit, and that none are left in the
 * end.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include "alias.h"
#include "fuzz.h"
#include "packet.h"

#define INSIDE 0x0a000002u
#define ALIAS  0xc6336401u
#define REMOTE 0xcb007107u

/* New ones go to the end, or seeds change their meaning. */
static const struct {
	const char *name;
	uint16_t port;
} helpers[] = {
	{"ftp", 21},   {"irc", 6667},     {"rtsp", 554}, {"pna", 7070},
	{"sip", 5060}, {"vdolive", 7000}, {"tftp", 69},  {"raudio", 7070},
};

#define HELPERS (sizeof(helpers) / sizeof(helpers[0]))

#define SERVER_INSIDE 1
#define OVER_UDP      2
#define OTHER_PORTS   4
#define MAPPINGS      8

struct input {
	const uint8_t *data;
	size_t len;
};

static uint32_t now;

static uint32_t clock_of_target(void *arg)
{
	(void)arg;
	return now;
}

static uint8_t byte(struct input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->data++;
}

static uint16_t word(struct input *in)
{
	uint8_t high = byte(in);

	return (uint16_t)(high << 8 | byte(in));
}

/* A conversation between the inside end and the remote, as each side numbers it. */
struct conversation {
	struct libalias *la;
	uint8_t proto;
	uint16_t inside_port, alias_port, remote_port;
	uint32_t next[2]; /* sequence numbers, by direction */
	size_t room;
};

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

static size_t header_size(uint8_t proto)
{
	return proto == IPPROTO_TCP ? 40 : 28;
}

/* Builds a packet, lets it through and checks it; returns the source port that it left with. */
static uint16_t pass(struct conversation *c, bool in, uint16_t from, uint16_t to, uint32_t seq,
		     uint8_t flags, const uint8_t *data, size_t len)
{
	size_t header = header_size(c->proto), size = header + len + c->room;
	uint8_t *p = calloc(1, size);
	uint16_t port;
	int result;

	p[0] = 0x45;
	put16(p + 2, (uint32_t)(header + len));
	p[8] = 64;
	p[9] = c->proto;
	put32(p + 12, in ? REMOTE : INSIDE);
	put32(p + 16, in ? ALIAS : REMOTE);
	put16(p + 20, from);
	put16(p + 22, to);
	if (c->proto == IPPROTO_TCP) {
		put32(p + 24, seq);
		put32(p + 28, c->next[!in]);
		p[32] = 0x50;
		p[33] = flags;
	} else {
		put16(p + 24, (uint32_t)(8 + len));
	}
	if (len)
		memcpy(p + header, data, len);
	packet_set_sums(p);
	result = in ? LibAliasIn(c->la, p, (int)size) : LibAliasOut(c->la, p, (int)size);
	packet_check(result, p, size, true);
	port = (uint16_t)(p[20] << 8 | p[21]);
	free(p);
	return port;
}

static void say(struct conversation *c, bool in, uint32_t seq, uint8_t flags, const uint8_t *data,
		size_t len)
{
	uint16_t port;

	if (in) {
		pass(c, true, c->remote_port, c->alias_port, seq, flags, data, len);
		return;
	}
	port = pass(c, false, c->inside_port, c->remote_port, seq, flags, data, len);
	if (flags & 2)
		c->alias_port = port;
}

/* The client's SYN, or nothing with UDP, then the server's. */
static void begin(struct conversation *c, bool server_inside)
{
	for (int turn = 0; turn < 2; turn++) {
		bool in = server_inside != (turn == 1);

		say(c, in, c->next[in]++, turn ? 0x12 : 0x02, NULL, 0);
	}
}

static void step(struct conversation *c, struct input *in)
{
	uint8_t what = byte(in);
	bool incoming = what & 1;
	uint32_t back = what & 8 ? byte(in) : 0;
	size_t len;

	switch (what & 6) {
	case 2:
		now += word(in);
		return;
	case 4:
		pass(c, true, 7000, word(in), 1, 2, NULL, 0);
		return;
	default:
		len = word(in) % 1460;
		len = len < in->len ? len : in->len;
		say(c, incoming, c->next[incoming] - back, what & 16 ? 0x11 : 0x10, in->data, len);
		if (!back)
			c->next[incoming] += (uint32_t)len;
		in->data += len;
		in->len -= len;
		return;
	}
}

static struct libalias *instance(const char *helper, uint8_t around, uint16_t port)
{
	struct in_addr alias = {htonl(ALIAS)}, inside = {htonl(INSIDE)}, any = {0};
	struct libalias *la = LibAliasInit(NULL);

	if (!la)
		abort();
	LibAliasSetClock(la, clock_of_target, NULL);
	LibAliasSetAddress(la, alias);
	LibAliasSetMode(la, around & MAPPINGS ? PKT_ALIAS_UDP_EIM : 0,
			PKT_ALIAS_UDP_EIM | PKT_ALIAS_USE_SOCKETS);
	if (around & OTHER_PORTS)
		LibAliasSetAliasPortRange(la, 40000, 40099);
	if (around & SERVER_INSIDE)
		LibAliasRedirectPort(la, inside, htons(port), any, 0, any, htons(port),
				     around & OVER_UDP ? IPPROTO_UDP : IPPROTO_TCP);
	if (LibAliasSetHelper(la, helper, 0, 1))
		abort();
	return la;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const size_t rooms[] = {0, 7, 200, 3000};
	struct input in = {data, len};
	uint8_t which = byte(&in) % HELPERS, around = byte(&in);
	uint16_t port = helpers[which].port;
	struct conversation c = {.proto = around & OVER_UDP ? IPPROTO_UDP : IPPROTO_TCP,
				 .inside_port = around & SERVER_INSIDE ? port : 3000,
				 .alias_port = around & SERVER_INSIDE ? port : 3000,
				 .remote_port = around & SERVER_INSIDE ? 3000 : port,
				 .next = {0xffffff00, 4711},
				 .room = rooms[around >> 6]};
	struct alias_stats stats;

	now = 1000;
	c.la = instance(helpers[which].name, around, port);
	begin(&c, around & SERVER_INSIDE);
	while (in.len) {
		step(&c, &in);
		LibAliasGetStats(c.la, &stats);
		if (stats.expectations >
		    stats.links * LibAliasGetLimit(c.la, ALIAS_LIMIT_EXPECTATIONS))
			abort();
	}
	LibAliasReset(c.la);
	LibAliasGetStats(c.la, &stats);
	if (stats.links || stats.expectations)
		abort();
	LibAliasUninit(c.la);
	return 0;
}
