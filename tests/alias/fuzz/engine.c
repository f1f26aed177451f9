/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.c - a fuzz target for LibAliasIn(), LibAliasOut() and all that hangs on them.
 *
 * The input is a program.  Its first bytes choose modes, limits and a rule set; the rest is a list
 * of steps: packets built from a few hosts and ports (so that they meet links, helpers and
 * fragments of earlier ones), raw bytes as packets, changes of earlier packets, records of links
 * that go to another instance and back, hostile ones too, calls of other functions, time.  Each
 * packet lies at the end of an allocation of exactly maxpacketsize, so that the sanitizers see any
 * access beyond it.  What must hold besides: a known result code, a length within the buffer, and
 * right checksums after the engine where they were right before it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <arpa/inet.h>
#include "alias.h"
#include "fuzz.h"
#include "packet.h"

struct input {
	const uint8_t *data;
	size_t len;
};

static uint8_t byte(struct input *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->data++;
}

static uint16_t word(struct input *in)
{
	return (uint16_t)(byte(in) << 8 | byte(in));
}

static uint32_t fake_time;

static uint32_t fake_clock(void *arg)
{
	(void)arg;
	return fake_time;
}

static const char *const hosts[] = {"198.51.100.1", "10.0.0.2",  "10.0.0.3", "203.0.113.7",
				    "203.0.113.8",  "192.0.2.9", "0.0.0.0",  "255.255.255.255"};
static const uint16_t ports[] = {0, 21, 80, 20, 1024, 4000, 4001, 65535};

static struct in_addr host(struct input *in)
{
	struct in_addr a = {0};

	inet_pton(AF_INET, hosts[byte(in) % 8], &a);
	return a;
}

static uint16_t port(struct input *in)
{
	return htons(ports[byte(in) % 8]);
}

static const char *const texts[] = {
	"PORT 10,0,0,2,16,1\r\n",
	"EPRT |1|10.0.0.2|4097|\r\n",
	"227 Entering Passive Mode (10,0,0,2,200,10)\r\n",
	"229 Extended Passive Mode (|||4000|)\r\n",
	"PORT 10,0,",
	"0,2,16,2\r\n",
	"USER x\r\nPORT 10,0,0,2,16,3\r\nNOOP\r\n",
	"",
};

static uint8_t last[512];
static size_t last_len;

/* A packet between known hosts; its kind, flags and payload are the input's. */
static size_t build(struct input *in, uint8_t *p)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 47};
	uint8_t proto = protos[byte(in) % 4], control = byte(in);
	struct in_addr src = host(in), dst = host(in);
	uint16_t sport = port(in), dport = port(in);
	size_t header = proto == IPPROTO_TCP ? 20 : 8, len = 20 + header, extra;

	memset(p, 0, 512);
	p[0] = 0x45;
	p[5] = 7;
	p[8] = 64;
	p[9] = proto;
	memcpy(p + 12, &src, 4);
	memcpy(p + 16, &dst, 4);
	memcpy(p + 20, &sport, 2);
	memcpy(p + 22, &dport, 2);
	if (proto == IPPROTO_TCP) {
		const char *text = texts[control >> 5];

		p[27] = byte(in);
		p[31] = byte(in);
		p[32] = 0x50;
		p[33] = control & 0x1f;
		if (control & 0x10 && byte(in) % 4 == 0) {
			static const uint8_t sack[12] = {1, 1, 5, 10, 0, 0, 0, 100, 0, 0, 0, 130};

			p[32] = 0x80;
			memcpy(p + 40, sack, 12);
			header = 32;
			len += 12;
		}
		memcpy(p + len, text, strlen(text));
		len += strlen(text);
	} else if (proto == IPPROTO_ICMP) {
		p[20] = control % 20;
		p[24] = 0;
		p[25] = control >> 5;
		if (p[20] != 8 && p[20] != 0 && last_len) {
			extra = last_len < 200 ? last_len : 200;
			memcpy(p + 28, last, extra);
			len += extra;
		}
	} else {
		extra = byte(in) % 64;
		len += extra;
		p[24] = (uint8_t)((len - 20) >> 8);
		p[25] = (uint8_t)(len - 20);
		if (control & 1)
			p[6] = 0x20;
		if (control & 2)
			p[7] = 3;
	}
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	packet_set_sums(p);
	return len;
}

static void run_packet(struct libalias *la, struct input *in, const uint8_t *from, size_t len)
{
	uint8_t how = byte(in);
	size_t size = len + (how >> 3);
	uint8_t *p = malloc(size ? size : 1);
	struct alias_packet batch = {p, (int)size, how & 1, 0};
	struct alias_link_info info;
	bool was_right, found;
	int result;

	memset(p, 0, size ? size : 1);
	memcpy(p, from, len);
	was_right = len >= 20 && ((size_t)p[2] << 8 | p[3]) <= len && packet_right(p);
	found = was_right && !LibAliasFindLink(la, p, how & 2, &info);
	if (was_right && memcmp(p, from, len))
		abort();
	switch (how & 7) {
	case 0:
	case 1:
		result = LibAliasOut(la, p, (int)size);
		break;
	case 2:
	case 3:
		result = LibAliasIn(la, p, (int)size);
		break;
	case 4:
		LibAliasOutBatch(la, &batch, 1);
		result = batch.result;
		break;
	case 5:
		LibAliasInBatch(la, &batch, 1);
		result = batch.result;
		break;
	case 6:
		result = LibAliasUnaliasOut(la, p, (int)size);
		break;
	default:
		result = LibAliasOutTry(la, p, (int)size, how & 8);
		break;
	}
	if (found && !(how & 4) && LibAliasCheckNewLink(la))
		abort();
	packet_check(result, p, size, was_right);
	if (result == PKT_ALIAS_OK && size >= 20) {
		last_len = size < sizeof(last) ? size : sizeof(last);
		memcpy(last, p, last_len);
	}
	if (result == PKT_ALIAS_UNRESOLVED_FRAGMENT && LibAliasSaveFragment(la, p) == PKT_ALIAS_OK)
		return;
	if (result == PKT_ALIAS_FOUND_HEADER_FRAGMENT) {
		void *fragment;

		while ((fragment = LibAliasGetFragment(la, p))) {
			LibAliasFragmentIn(la, p, fragment);
			free(fragment);
		}
	}
	free(p);
}

/*
 * TCP connections whose sequence numbers are kept here, so that helpers and encodings see streams:
 * an inside FTP client, an inside FTP server, a client that may be proxied.
 */
static struct conversation {
	uint8_t inside, port_in, port_out; /* into hosts and ports */
	uint32_t next;
} conversations[3];

static void converse(struct libalias *la, struct input *in)
{
	uint8_t how = byte(in), flags = how & 8 ? 0x02 : 0x10, text[64];
	struct conversation *c = &conversations[how % 3];
	uint8_t p[512] = {0x45, 0, 0, 0, 0, 7, 0, 0, 64, IPPROTO_TCP};
	uint16_t sport = htons(ports[c->port_in]), dport = htons(ports[c->port_out]);
	size_t len = 0, extra = 40;
	uint32_t seq = c->next;

	inet_pton(AF_INET, hosts[c->inside], p + 12);
	inet_pton(AF_INET, hosts[3], p + 16);
	if (how & 0x10) { /* the other end answers */
		inet_pton(AF_INET, hosts[3], p + 12);
		inet_pton(AF_INET, hosts[0], p + 16);
		sport = dport;
		dport = htons(ports[c->port_in]);
		seq = 5000 + byte(in);
	} else if (how & 0x20) {
		seq -= byte(in) % 64; /* again */
	}
	if (!(how & 8) && how & 0x40) {
		const char *t = texts[byte(in) % 8];
		uint8_t from = byte(in), to = byte(in);

		len = strlen(t);
		if (from % 4 == 3 && len) { /* a piece of it */
			from = (uint8_t)(from % len);
			t += from;
			len = to % (len - from) + 1;
		}
		memcpy(text, t, len);
	} else if (!(how & 8)) {
		len = byte(in) % sizeof(text);
		len = len < in->len ? len : in->len;
		memcpy(text, in->data, len);
		in->data += len;
		in->len -= len;
	}
	memcpy(p + 20, &sport, 2);
	memcpy(p + 22, &dport, 2);
	memcpy(p + 24, &(uint32_t){htonl(seq)}, 4);
	memcpy(p + 28, &(uint32_t){htonl(c->next + byte(in) % 64)}, 4);
	p[32] = 0x50;
	p[33] = flags | (how & 0x80 ? 0x10 : 0);
	if (how & 0x10 && byte(in) % 2) {
		uint8_t sack[12] = {1, 1, 5, 10, 0, 0, 0x10, byte(in), 0, 0, 0x10, byte(in)};

		p[32] = 0x80;
		memcpy(p + 40, sack, 12);
		extra = 52;
	}
	memcpy(p + extra, text, len);
	p[2] = (uint8_t)((extra + len) >> 8);
	p[3] = (uint8_t)(extra + len);
	packet_set_sums(p);
	run_packet(la, in, p, extra + len);
	if (!(how & 0x30))
		c->next += (uint32_t)len + (how & 8 ? 1 : 0);
}

static int hole_open(void *arg, const struct alias_hole *hole)
{
	return (void)arg, hole->number & 1 ? -1 : 0;
}

static void hole_close(void *arg, const struct alias_hole *hole)
{
	(void)arg;
	if (hole->number < 100 || hole->number >= 104 || hole->number & 1)
		abort();
}

static void holes_clear(void *arg, unsigned int base, unsigned int num)
{
	(void)arg;
	if (base != 100 || num != 4)
		abort();
}

#define REDIRECTS 8

static void change_masquerade(struct libalias *la, struct input *in)
{
	struct in_addr net = host(in);
	int bits = byte(in) % 40 - 3;
	uint8_t proto = byte(in) % 4 ? 0 : IPPROTO_UDP;

	if (byte(in) % 4 == 0)
		LibAliasMasqueradeDelete(la, net, bits, proto);
	else if (LibAliasMasquerade(la, net, bits, proto, host(in)) !=
		 (bits >= 0 && bits <= 32 ? 0 : -1))
		abort();
}

static unsigned int count_links(struct libalias *la)
{
	struct alias_link_info info;
	unsigned int cursor = 0, count = 0;

	while (LibAliasNextLink(la, &cursor, &info))
		count++;
	return count;
}

/* What a redirect tells of its servers fits together, and its links end when told to. */
static void ask_redirect(struct libalias *la, struct input *in, struct alias_link *redirect)
{
	const struct alias_traffic traffic = {byte(in), byte(in), byte(in)};
	unsigned int heads = 0, n = 0, before = count_links(la), ended;
	struct alias_server_info info;

	if (!redirect)
		return;
	LibAliasRedirectSchedule(la, redirect, byte(in) % 3, byte(in));
	LibAliasRedirectSetTraffic(la, redirect, byte(in) % 3, &traffic);
	for (; !LibAliasRedirectServer(la, redirect, n, &info); n++) {
		heads += info.head != 0;
		if (info.left > info.weight || (info.weight && !info.left))
			abort();
	}
	if (!n || heads != 1)
		abort();
	if (byte(in) % 2)
		return;
	ended = LibAliasRedirectEnd(la, redirect, host(in), port(in),
				    byte(in) % 2 ? 0 : IPPROTO_UDP);
	if (count_links(la) > before - ended)
		abort();
	LibAliasRedirectEnd(la, redirect, (struct in_addr){0}, 0, 0);
	if (LibAliasRedirectEnd(la, redirect, (struct in_addr){0}, 0, 0))
		abort();
}

/* A record whose bytes the input has changed, or is of the input altogether. */
static void hostile_record(struct libalias *la, struct input *in, uint8_t *record, int length)
{
	if (byte(in) % 8 == 0) {
		length = byte(in);
		for (int i = 0; i < length; i++)
			record[i] = byte(in);
	}
	for (int i = byte(in) % 8; i > 0 && length > 0; i--)
		record[byte(in) % length] ^= byte(in);
	if (byte(in) % 8 == 0)
		length -= byte(in) % 8;
	if (length >= 0) {
		/* The sanitizers see what is read beyond it. */
		uint8_t *exact = malloc(length ? (size_t)length : 1);

		memcpy(exact, record, (size_t)length);
		LibAliasUnpackLink(la, exact, length);
		free(exact);
	}
}

/* All links as records, gone, and back: there are as many as before unless a limit is in the way.
 */
static void restart(struct libalias *la, struct input *in)
{
	unsigned int cursor = 0, n = 0, before = count_links(la);
	uint8_t(*records)[ALIAS_RECORD_MAX] = malloc((before + 1) * sizeof(*records));
	int *length = malloc((before + 1) * sizeof(*length));

	while (n < before && (length[n] = LibAliasPackLink(la, &cursor, records[n])))
		n++;
	if (!(byte(in) & 1)) {
		/* They are all there already. */
		for (unsigned int i = 0; i < n; i++)
			if (!LibAliasUnpackLink(la, records[i], length[i]))
				abort();
	} else {
		LibAliasReset(la);
		for (unsigned int i = 0; i < n; i++)
			if (LibAliasUnpackLink(la, records[i], length[i]) && errno != ENOSPC)
				abort();
	}
	if (n)
		hostile_record(la, in, records[byte(in) % n], length[0]);
	free(records);
	free(length);
}

static void change_rules(struct libalias *la, struct input *in, struct alias_link **redirects)
{
	static const char *const rules[] = {
		"type encode_tcp_stream port 80 server 203.0.113.8:4000",
		"type encode_ip_hdr server 203.0.113.8 dst 203.0.113.0/24",
		"type no_encode proto udp server 192.0.2.9:1024 rule 3",
		"delete 3",
	};
	struct alias_link **slot = &redirects[byte(in) % REDIRECTS];

	if (*slot) {
		LibAliasRedirectDelete(la, *slot);
		*slot = NULL;
		return;
	}
	switch (byte(in) % 8) {
	case 0:
		*slot = LibAliasRedirectPort(la, host(in), port(in), host(in), port(in), host(in),
					     port(in), byte(in) & 1 ? IPPROTO_TCP : IPPROTO_UDP);
		break;
	case 1:
		*slot = LibAliasRedirectAddr(la, host(in), host(in));
		break;
	case 2:
		*slot = LibAliasRedirectProto(la, host(in), host(in), host(in), byte(in));
		break;
	case 3:
		*slot = LibAliasRedirectPortRange(la, host(in), port(in), host(in), host(in),
						  htons(word(in)), htons(word(in)), IPPROTO_TCP);
		break;
	case 4:
		*slot = LibAliasRedirectMark(la, host(in), port(in), 1, 0);
		break;
	case 5:
		change_masquerade(la, in);
		return;
	default:
		LibAliasProxyRule(la, rules[byte(in) % 4]);
		return;
	}
	if (*slot && byte(in) & 1)
		LibAliasAddServerWeight(la, *slot, host(in), port(in), byte(in));
	/* A pointer that is dynamic may die at any packet. */
	if (*slot && byte(in) % 4 == 0 && !LibAliasRedirectDynamic(la, *slot))
		*slot = NULL;
}

static void configure(struct libalias *la, struct input *in)
{
	uint8_t what = byte(in);

	unsigned int mode = word(in);

	if (what & 128)
		mode |= PKT_ALIAS_MASQUERADE_RULES;
	LibAliasSetMode(la, mode & ~(unsigned int)PKT_ALIAS_LOG, ~0u);
	if (what & 1)
		LibAliasSetAliasPortRange(la, 4000, (u_short)(4000 + byte(in)));
	if (what & 2)
		LibAliasSetLimit(la, ALIAS_LIMIT_LINKS, byte(in));
	if (what & 4)
		LibAliasSetLimit(la, ALIAS_LIMIT_LINKS_PER_HOST, byte(in));
	if (what & 8)
		LibAliasSetLimit(la, ALIAS_LIMIT_FRAGMENTS, byte(in) % 4);
	if (what & 16)
		LibAliasSetTarget(la, host(in));
	if (what & 32)
		LibAliasSetHelper(la, "ftp", ntohs(port(in)), what & 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct alias_firewall firewall = {hole_open, hole_close, holes_clear};
	static const struct conversation begin[3] = {
		{1, 5, 1, 0xfffffff0}, {1, 1, 5, 4096}, {2, 6, 2, 4096}};
	struct alias_link *redirects[REDIRECTS] = {NULL};
	struct input in = {data, len};
	struct libalias *la = LibAliasInit(NULL);
	uint8_t packet[512];
	struct alias_stats stats;

	if (!la)
		return 0;
	fake_time = 1000;
	last_len = 0;
	memcpy(conversations, begin, sizeof(begin));
	LibAliasSetFirewall(la, &firewall, NULL);
	LibAliasSetFWBase(la, 100, 4);
	LibAliasSetClock(la, fake_clock, NULL);
	LibAliasSetMode(la, 0, PKT_ALIAS_USE_SOCKETS);
	LibAliasSetAddress(la, (struct in_addr){inet_addr(hosts[0])});
	LibAliasSetHelper(la, "ftp", 0, 1);
	configure(la, &in);
	LibAliasSetMode(la, 0, PKT_ALIAS_USE_SOCKETS);
	while (in.len) {
		uint8_t step = byte(&in);

		switch (step % 8) {
		case 0:
			if (step & 8)
				ask_redirect(la, &in, redirects[byte(&in) % REDIRECTS]);
			else
				change_rules(la, &in, redirects);
			break;
		case 1: {
			size_t n = byte(&in);

			n = n < in.len ? n : in.len;
			run_packet(la, &(struct input){in.data, n}, in.data, n);
			in.data += n;
			in.len -= n;
			break;
		}
		case 2:
			if (last_len) {
				last[byte(&in) % last_len] ^= byte(&in);
				run_packet(la, &in, last, last_len);
			}
			break;
		case 3:
			if (step & 8)
				restart(la, &in);
			else
				fake_time += word(&in);
			break;
		case 4:
			if (step & 8)
				LibAliasSetAddress(la, host(&in));
			else
				configure(la, &in);
			LibAliasSetMode(la, 0, PKT_ALIAS_USE_SOCKETS);
			break;
		case 5:
		case 6:
			converse(la, &in);
			break;
		default: {
			size_t n = build(&in, packet);

			if (step & 0x80)
				packet[byte(&in)] ^= byte(&in);
			run_packet(la, &in, packet, n);
			break;
		}
		}
	}
	LibAliasExpire(la, 1 << 20);
	LibAliasGetStats(la, &stats);
	if (count_links(la) != stats.links)
		abort();
	LibAliasReset(la);
	LibAliasGetStats(la, &stats);
	if (stats.links || stats.fragments || stats.expectations)
		abort();
	LibAliasUninit(la);
	return 0;
}
