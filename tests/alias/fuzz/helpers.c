/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helpers.c - a fuzz target for the protocol helpers.
 *
 * The input is a conversation on the port of one helper, so that a recorded or handmade one is a
 * seed as it is.  Its first byte says which port, from which side it began, and two modes; then
 * come steps, each a byte that says what to do, two that say how long what follows is, most
 * significant first, and that many bytes of payload:
 *
 *	01 from outside, else from inside
 *	02 with SYN (and ACK, if an answer)
 *	04 GRE with the payload as its body
 *	08 sent again: as far back as the first payload byte says
 *	10 there is no room to grow
 *	20 another connection, its ports the first payload bytes
 *	40 time passes, as many seconds as there are bytes of payload
 *	80 a restart: links become records and links again, with a helper that the first payload
 *byte names turned off and on; each two more change a byte of a record, where and to what
 *
 * What must hold is what packet_check() and the end of the input look at, and what the sanitizers
 * see: each packet lies at the end of an allocation of exactly maxpacketsize.
 */
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include "alias.h"
#include "fuzz.h"
#include "packet.h"

#define FROM_OUTSIDE 0x01
#define SYN          0x02
#define GRE          0x04
#define AGAIN        0x08
#define NO_ROOM      0x10
#define ANOTHER      0x20
#define TIME         0x40
#define RESTART      0x80
#define RECORDS      64

/* In the first byte. */
#define SERVICE       0x1f
#define SERVER_INSIDE 0x20
#define OTHER_PORTS   0x40
#define EIM           0x80

#define CLIENT_PORT 3000
#define ROOM        600

static const struct {
	uint8_t proto;
	uint16_t port;
} services[] = {
	{IPPROTO_TCP, 21},   {IPPROTO_TCP, 6667}, {IPPROTO_TCP, 1723}, {IPPROTO_TCP, 2000},
	{IPPROTO_UDP, 137},  {IPPROTO_UDP, 138},  {IPPROTO_UDP, 7648}, {IPPROTO_UDP, 26000},
	{IPPROTO_TCP, 554},  {IPPROTO_TCP, 7070}, {IPPROTO_TCP, 7000}, {IPPROTO_UDP, 69},
	{IPPROTO_UDP, 5060}, {IPPROTO_TCP, 5060},
};

#define SERVICES (sizeof(services) / sizeof(services[0]))

static const char *const names[] = {
	"ftp",   "irc",  "pptp", "skinny",  "netbios", "cuseeme",
	"quake", "rtsp", "pna",  "vdolive", "tftp",    "sip",
};

static uint32_t now;

static uint32_t read_clock(void *arg)
{
	(void)arg;
	return now;
}

static struct conversation {
	uint8_t proto;
	bool server_inside;
	uint16_t port, alias_port; /* of the inside end before and behind the engine */
	uint16_t remote_port;
	uint32_t next[2]; /* sequence numbers, inside's first */
} talk;

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* Through the engine, in an allocation of its own; what comes out is in p. */
static void pass(struct libalias *la, uint8_t *p, size_t len, size_t room, bool in)
{
	uint8_t *copy = malloc(len + room);
	bool was_right = packet_right(p);
	int result;

	memcpy(copy, p, len);
	memset(copy + len, 0, room);
	result = in ? LibAliasIn(la, copy, (int)(len + room))
		    : LibAliasOut(la, copy, (int)(len + room));
	packet_check(result, copy, len + room, was_right);
	memcpy(p, copy, len < 28 ? len : 28);
	free(copy);
}

static size_t begin_packet(uint8_t *p, uint8_t proto, bool in, size_t len)
{
	static const uint8_t inside[] = {10, 0, 0, 2}, alias[] = {198, 51, 100, 1},
			     remote[] = {203, 0, 113, 7};

	memset(p, 0, 60);
	p[0] = 0x45;
	put16(p + 2, (unsigned int)(20 + len));
	p[8] = 64;
	p[9] = proto;
	memcpy(p + 12, in ? remote : inside, 4);
	memcpy(p + 16, in ? alias : remote, 4);
	return 20 + len;
}

static void send_gre(struct libalias *la, bool in, const uint8_t *data, size_t len)
{
	uint8_t p[2048];
	size_t all = begin_packet(p, IPPROTO_GRE, in, len);

	memcpy(p + 20, data, len);
	packet_set_sums(p);
	pass(la, p, all, 0, in);
}

/* A segment or datagram of the conversation, or of another one. */
static void send_payload(struct libalias *la, uint8_t how, const uint8_t *data, size_t len)
{
	bool in = how & FROM_OUTSIDE, tcp = talk.proto == IPPROTO_TCP;
	uint16_t ends[2] = {in ? talk.remote_port : talk.port,
			    in ? talk.alias_port : talk.remote_port};
	uint8_t p[2048], proto = talk.proto;
	size_t header = tcp ? 20 : 8, all;
	uint32_t seq = talk.next[in];

	if (how & ANOTHER && len >= 5) {
		ends[0] = (uint16_t)(data[0] << 8 | data[1]);
		ends[1] = (uint16_t)(data[2] << 8 | data[3]);
		proto = data[4] & 1 ? IPPROTO_TCP : IPPROTO_UDP;
		header = proto == IPPROTO_TCP ? 20 : 8;
		data += 5;
		len -= 5;
	} else if (how & AGAIN && len) {
		seq -= data[0];
		data++;
		len--;
	}
	all = begin_packet(p, proto, in, header + len);
	put16(p + 20, ends[0]);
	put16(p + 22, ends[1]);
	if (proto == IPPROTO_TCP) {
		put32(p + 24, seq);
		put32(p + 28, talk.next[!in]);
		p[32] = 0x50;
		p[33] = !(how & SYN) ? 0x10 : in == talk.server_inside ? 0x02 : 0x12;
	} else {
		put16(p + 24, (unsigned int)(8 + len));
	}
	if (len)
		memcpy(p + 20 + header, data, len);
	packet_set_sums(p);
	pass(la, p, all, how & NO_ROOM ? 0 : ROOM, in);
	if (how & ANOTHER)
		return;
	if (!in)
		talk.alias_port = (uint16_t)(p[20] << 8 | p[21]);
	if (!(how & AGAIN))
		talk.next[in] = seq + (uint32_t)len + !!(how & SYN);
}

static void revise(struct libalias *la, uint8_t which)
{
	const char *name = names[which % (sizeof(names) / sizeof(names[0]))];

	for (int on = 0; on <= 1; on++) {
		unsigned int cursor = 0;

		LibAliasSetHelper(la, name, 0, on);
		while (cursor != UINT32_MAX)
			LibAliasReviseHelpers(la, &cursor, 3);
	}
}

static void restart(struct libalias *la, const uint8_t *data, size_t len)
{
	static uint8_t records[RECORDS][ALIAS_RECORD_MAX];
	unsigned int cursor = 0, n = 0;
	int length[RECORDS];

	while (n < RECORDS && (length[n] = LibAliasPackLink(la, &cursor, records[n])) > 0)
		n++;
	if (n == RECORDS)
		return;
	LibAliasReset(la);
	for (unsigned int i = 0; i < n; i++) {
		uint8_t *exact = malloc((size_t)length[i]);

		memcpy(exact, records[i], (size_t)length[i]);
		for (size_t at = 1; at + 1 < len; at += 2)
			exact[data[at] % length[i]] = data[at + 1];
		if (LibAliasUnpackLink(la, exact, length[i]) && len < 3)
			abort();
		free(exact);
	}
	if (len)
		revise(la, data[0]);
}

static void step(struct libalias *la, uint8_t how, const uint8_t *data, size_t len)
{
	if (how & RESTART) {
		restart(la, data, len);
	} else if (how & TIME) {
		now += (uint32_t)len;
		LibAliasExpire(la, 100);
	} else if (how & GRE) {
		send_gre(la, how & FROM_OUTSIDE, data, len);
	} else {
		send_payload(la, how, data, len);
	}
}

static struct libalias *begin(uint8_t what)
{
	struct libalias *la = LibAliasInit(NULL);
	size_t service = (what & SERVICE) % SERVICES;
	bool inside = what & SERVER_INSIDE;

	if (!la)
		return NULL;
	now = 1000;
	LibAliasSetClock(la, read_clock, NULL);
	LibAliasSetMode(la, what & EIM ? PKT_ALIAS_UDP_EIM : 0,
			PKT_ALIAS_USE_SOCKETS | PKT_ALIAS_UDP_EIM);
	if (what & OTHER_PORTS)
		LibAliasSetMode(la, 0, PKT_ALIAS_SAME_PORTS);
	LibAliasSetAddress(la, (struct in_addr){inet_addr("198.51.100.1")});
	/* Not all need to be built in. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)LibAliasSetHelper(la, names[i], 0, 1);
	talk = (struct conversation){
		.proto = services[service].proto,
		.server_inside = inside,
		.port = inside ? services[service].port : CLIENT_PORT,
		.alias_port = inside ? services[service].port : CLIENT_PORT,
		.remote_port = inside ? CLIENT_PORT : services[service].port,
		.next = {0xffffff00, 500}, /* the inside's wrap around */
	};
	if (inside)
		LibAliasRedirectPort(la, (struct in_addr){inet_addr("10.0.0.2")}, htons(talk.port),
				     (struct in_addr){0}, 0, (struct in_addr){0}, htons(talk.port),
				     talk.proto);
	return la;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct libalias *la = begin(len ? data[0] : 0);
	struct alias_stats stats;

	if (!la)
		return 0;
	for (size_t at = 1; at + 3 <= len;) {
		size_t n = (size_t)data[at + 1] << 8 | data[at + 2];

		n = n < len - at - 3 ? n : len - at - 3;
		n = n < 1400 ? n : 1400;
		step(la, data[at], data + at + 3, n);
		at += 3 + n;
	}
	now += 1u << 20;
	LibAliasExpire(la, 1 << 20);
	LibAliasGetStats(la, &stats);
	if (stats.links || stats.expectations)
		abort();
	LibAliasUninit(la);
	return 0;
}
