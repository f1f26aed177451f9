/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.c - building packets and looking at them, for the tests; net.h says what each does.  The
 * checksums here are computed from whole packets, unlike the library's.
 */
#include "net.h"

static uint32_t clock_of_net(void *arg)
{
	return ((struct net *)arg)->now;
}

void net_clock(struct net *net)
{
	LibAliasSetClock(net->la, clock_of_net, net);
}

int net_setup(void **state)
{
	struct net *net = calloc(1, sizeof(*net));

	net->la = LibAliasInit(NULL);
	assert_non_null(net->la);
	net->now = 1000;
	net_clock(net);
	LibAliasSetAddress(net->la, addr(ALIAS));
	/* What ports the machine's programs use must not matter; tests of that set the bit. */
	LibAliasSetMode(net->la, 0, PKT_ALIAS_USE_SOCKETS);
	*state = net;
	return 0;
}

int net_setup_helper(void **state, const char *helper)
{
	net_setup(state);
	return LibAliasSetHelper(((struct net *)*state)->la, helper, 0, 1);
}

int net_teardown(void **state)
{
	struct net *net = *state;

	LibAliasUninit(net->la);
	free(net);
	return 0;
}

struct in_addr addr(const char *text)
{
	struct in_addr a = {0};

	assert_int_equal(inet_pton(AF_INET, text, &a), 1);
	return a;
}

static uint32_t sum(const uint8_t *data, size_t len)
{
	uint32_t total = 0;

	for (size_t i = 0; i < len; i++)
		total += (uint32_t)data[i] << (i % 2 ? 0 : 8);
	return total;
}

static uint16_t fold(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)(v >> 16));
	put16(p + 2, (uint16_t)v);
}

uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

void put_address(uint8_t *p, const char *text)
{
	struct in_addr a = addr(text);

	memcpy(p, &a, 4);
}

static size_t header_length(const uint8_t *packet)
{
	return (packet[0] & 15u) * 4u;
}

uint16_t total_length(const uint8_t *packet)
{
	return get16(packet + 2);
}

void fix_ip_sum(uint8_t *packet)
{
	put16(packet + 10, 0);
	put16(packet + 10, (uint16_t)~fold(sum(packet, header_length(packet))));
}

static uint8_t *build_ip(uint8_t *packet, uint8_t proto, const char *src, const char *dst,
			 size_t payload)
{
	struct in_addr s = addr(src), d = addr(dst);

	memset(packet, 0, 20 + payload);
	packet[0] = 0x45;
	put16(packet + 2, (uint16_t)(20 + payload));
	put16(packet + 4, 4711);
	packet[8] = 64;
	packet[9] = proto;
	memcpy(packet + 12, &s, 4);
	memcpy(packet + 16, &d, 4);
	fix_ip_sum(packet);
	return packet + 20;
}

/* The sum over pseudo header and segment; 0xffff if the checksum in it is right. */
static uint16_t segment_sum(const uint8_t *packet)
{
	size_t header = header_length(packet), len = total_length(packet) - header;

	return fold(sum(packet + 12, 8) + packet[9] + (uint32_t)len + sum(packet + header, len));
}

bool sums_right(const uint8_t *packet)
{
	size_t header = header_length(packet);
	const uint8_t *l4 = packet + header;
	bool fragment = (get16(packet + 6) & 0x3fff) != 0;

	if (fold(sum(packet, header)) != 0xffff)
		return false;
	if (fragment)
		return true;
	switch (packet[9]) {
	case IPPROTO_TCP:
		return segment_sum(packet) == 0xffff;
	case IPPROTO_UDP:
		return !get16(l4 + 6) || segment_sum(packet) == 0xffff;
	case IPPROTO_ICMP:
		return fold(sum(l4, total_length(packet) - header)) == 0xffff;
	default:
		return true;
	}
}

void build_udp(uint8_t *packet, struct ends ends, const void *payload, size_t len)
{
	uint8_t *udp = build_ip(packet, IPPROTO_UDP, ends.src, ends.dst, 8 + len);

	put16(udp, ends.src_port);
	put16(udp + 2, ends.dst_port);
	put16(udp + 4, (uint16_t)(8 + len));
	if (len)
		memcpy(udp + 8, payload, len);
	put16(udp + 6, (uint16_t)~segment_sum(packet));
	if (!get16(udp + 6))
		put16(udp + 6, 0xffff);
}

void build_tcp_options(uint8_t *packet, struct ends ends, uint8_t flags, uint32_t seq, uint32_t ack,
		       const uint8_t *options, size_t options_len, const void *payload, size_t len)
{
	uint8_t *tcp = build_ip(packet, IPPROTO_TCP, ends.src, ends.dst, 20 + options_len + len);

	put16(tcp, ends.src_port);
	put16(tcp + 2, ends.dst_port);
	put32(tcp + 4, seq);
	put32(tcp + 8, ack);
	tcp[12] = (uint8_t)((20 + options_len) / 4 << 4);
	tcp[13] = flags;
	put16(tcp + 14, 8192);
	if (options_len)
		memcpy(tcp + 20, options, options_len);
	if (len)
		memcpy(tcp + 20 + options_len, payload, len);
	put16(tcp + 16, (uint16_t)~segment_sum(packet));
}

void build_tcp(uint8_t *packet, struct ends ends, uint8_t flags, uint32_t seq, uint32_t ack,
	       const void *payload, size_t len)
{
	build_tcp_options(packet, ends, flags, seq, ack, NULL, 0, payload, len);
}

void build_echo(uint8_t *packet, uint8_t type, const char *src, const char *dst, uint16_t id)
{
	uint8_t *icmp = build_ip(packet, IPPROTO_ICMP, src, dst, 16);

	icmp[0] = type;
	put16(icmp + 4, id);
	put16(icmp + 6, 1);
	memcpy(icmp + 8, "payload.", 8);
	put16(icmp + 2, (uint16_t)~fold(sum(icmp, 16)));
}

void build_error(uint8_t *packet, uint8_t type, const char *src, const char *dst,
		 const uint8_t *quoted, size_t bytes)
{
	uint8_t *icmp = build_ip(packet, IPPROTO_ICMP, src, dst, 8 + bytes);

	icmp[0] = type;
	icmp[1] = 3;
	memcpy(icmp + 8, quoted, bytes);
	put16(icmp + 2, (uint16_t)~fold(sum(icmp, 8 + bytes)));
}

void build_other(uint8_t *packet, uint8_t proto, const char *src, const char *dst)
{
	memcpy(build_ip(packet, proto, src, dst, 8), "anything", 8);
}

void cut_fragment(uint8_t *packet, const uint8_t *whole, uint16_t offset, uint16_t len)
{
	bool last = 20 + offset + len >= total_length(whole);

	memcpy(packet, whole, 20);
	memcpy(packet + 20, whole + 20 + offset, len);
	put16(packet + 2, (uint16_t)(20 + len));
	put16(packet + 6, (uint16_t)(offset / 8 | (last ? 0 : 0x2000)));
	fix_ip_sum(packet);
}

uint32_t packet_seq(const uint8_t *packet)
{
	return get32(packet + header_length(packet) + 4);
}

uint32_t packet_ack(const uint8_t *packet)
{
	return get32(packet + header_length(packet) + 8);
}

uint16_t source_port(const uint8_t *packet)
{
	return get16(packet + header_length(packet));
}

const uint8_t *packet_payload(const uint8_t *packet)
{
	const uint8_t *tcp = packet + header_length(packet);

	return tcp + (tcp[12] >> 4) * 4;
}

const char *packet_text(const uint8_t *packet)
{
	static char text[65536];
	const uint8_t *payload = packet_payload(packet);
	size_t len = (size_t)(packet + total_length(packet) - payload);

	memcpy(text, payload, len);
	text[len] = '\0';
	return text;
}

int send_out(struct net *net)
{
	int result;

	assert_true(sums_right(net->packet));
	result = LibAliasOut(net->la, net->packet, sizeof(net->packet));
	assert_true(sums_right(net->packet));
	return result;
}

int send_in(struct net *net)
{
	int result;

	assert_true(sums_right(net->packet));
	result = LibAliasIn(net->la, net->packet, sizeof(net->packet));
	assert_true(sums_right(net->packet));
	return result;
}

int udp_out(struct net *net, struct ends ends)
{
	build_udp(net->packet, ends, "hello", 5);
	return send_out(net);
}

int udp_in(struct net *net, struct ends ends)
{
	build_udp(net->packet, ends, "hello", 5);
	return send_in(net);
}

int tcp_out(struct net *net, struct ends ends, uint8_t flags)
{
	build_tcp(net->packet, ends, flags, flags & TH_SYN ? 1 : 2, 2, NULL, 0);
	return send_out(net);
}

int tcp_in(struct net *net, struct ends ends, uint8_t flags)
{
	build_tcp(net->packet, ends, flags, flags & TH_SYN ? 1 : 2, 2, NULL, 0);
	return send_in(net);
}

void assert_ends_at(const uint8_t *packet, struct ends ends, const char *file, int line)
{
	char text[2][INET_ADDRSTRLEN];
	size_t header = header_length(packet);
	uint16_t ports[2] = {0, 0};

	inet_ntop(AF_INET, packet + 12, text[0], sizeof(text[0]));
	inet_ntop(AF_INET, packet + 16, text[1], sizeof(text[1]));
	if (packet[9] == IPPROTO_TCP || packet[9] == IPPROTO_UDP) {
		ports[0] = get16(packet + header);
		ports[1] = get16(packet + header + 2);
	} else if (packet[9] == IPPROTO_ICMP) {
		ports[0] = ports[1] = get16(packet + header + 4);
	}
	if (!strcmp(text[0], ends.src) && !strcmp(text[1], ends.dst) && ports[0] == ends.src_port &&
	    ports[1] == ends.dst_port)
		return;
	print_error("%s:%u > %s:%u, not %s:%u > %s:%u\n", text[0], ports[0], text[1], ports[1],
		    ends.src, ends.src_port, ends.dst, ends.dst_port);
	_fail(file, line);
}

uint32_t links(struct net *net)
{
	struct alias_stats stats;

	LibAliasGetStats(net->la, &stats);
	return stats.links;
}

void net_restart(struct net *net)
{
	struct {
		uint8_t data[ALIAS_RECORD_MAX];
		int len;
	} records[8];
	unsigned int cursor = 0, n = 0;

	while ((records[n].len = LibAliasPackLink(net->la, &cursor, records[n].data)) > 0)
		assert_true(++n < sizeof(records) / sizeof(records[0]));
	LibAliasReset(net->la);
	while (n-- > 0)
		assert_int_equal(LibAliasUnpackLink(net->la, records[n].data, records[n].len), 0);
}

uint32_t expectations(struct net *net)
{
	struct alias_stats stats;

	LibAliasGetStats(net->la, &stats);
	return stats.expectations;
}

void deny_incoming(struct net *net)
{
	LibAliasSetMode(net->la, PKT_ALIAS_DENY_INCOMING, PKT_ALIAS_DENY_INCOMING);
}
