/* SPDX-License-Identifier: BSD-2-Clause */
/* pptp.c - control messages and GRE packets of PPTP, for its tests; pptp.h says what each does. */
#include "pptp.h"

#define PORT 1723

static const uint16_t lengths[] = {
	[PPTP_START_REQUEST] = 156,     [PPTP_START_REPLY] = 156,
	[PPTP_OUTGOING_REQUEST] = 168,  [PPTP_OUTGOING_REPLY] = 32,
	[PPTP_INCOMING_REQUEST] = 220,  [PPTP_INCOMING_REPLY] = 24,
	[PPTP_INCOMING_CONNECTED] = 28, [PPTP_CLEAR_REQUEST] = 16,
	[PPTP_DISCONNECT_NOTIFY] = 148, [PPTP_WAN_ERROR] = 40,
	[PPTP_LINK_INFO] = 24,
};

int pptp_setup(void **state)
{
	return net_setup_helper(state, "pptp");
}

size_t pptp_message(uint8_t *m, enum pptp_type type, uint16_t first, uint16_t second)
{
	static const uint8_t magic[] = {0x1a, 0x2b, 0x3c, 0x4d};

	memset(m, 0, lengths[type]);
	put16(m, lengths[type]);
	put16(m + 2, 1);
	memcpy(m + 4, magic, 4);
	put16(m + 8, (uint16_t)type);
	put16(m + 12, first);
	put16(m + 14, second);
	if (type == PPTP_OUTGOING_REPLY || type == PPTP_INCOMING_REPLY)
		m[16] = 1;
	return lengths[type];
}

struct connection pptp_connect(struct net *net, const char *inside, uint16_t port)
{
	return connect_out(net, inside, port, PORT, 100);
}

struct connection pptp_start(struct net *net, const char *inside, uint16_t port)
{
	struct connection c = pptp_connect(net, inside, port);

	pptp_say(net, &c, PPTP_START_REQUEST, 0, 0);
	pptp_hear(net, &c, PPTP_START_REPLY, 0, 0);
	return c;
}

void pptp_say(struct net *net, struct connection *c, enum pptp_type type, uint16_t first,
	      uint16_t second)
{
	uint8_t m[PPTP_MESSAGE_MAX];

	say_out(net, c, m, pptp_message(m, type, first, second));
}

void pptp_hear(struct net *net, struct connection *c, enum pptp_type type, uint16_t first,
	       uint16_t second)
{
	uint8_t m[PPTP_MESSAGE_MAX];

	say_in(net, c, m, pptp_message(m, type, first, second));
}

uint16_t pptp_number(const struct net *net, size_t at)
{
	return get16(packet_payload(net->packet) + at);
}

uint16_t pptp_call(struct net *net, struct connection *c, uint16_t own, uint16_t servers)
{
	uint16_t alias;

	pptp_say(net, c, PPTP_OUTGOING_REQUEST, own, 0);
	alias = pptp_number(net, 12);
	pptp_hear(net, c, PPTP_OUTGOING_REPLY, servers, alias);
	assert_int_equal(pptp_number(net, 12), servers);
	assert_int_equal(pptp_number(net, 14), own);
	return alias;
}

void pptp_build_gre(uint8_t *packet, const char *src, const char *dst, uint16_t number)
{
	static const uint8_t gre[] = {0x30, 0x01, 0x88, 0x0b, 0, 4, 0, 0};

	build_other(packet, IPPROTO_GRE, src, dst);
	put16(packet + 2, 36);
	memset(packet + 28, 0, 8);
	memcpy(packet + 20, gre, sizeof(gre));
	put16(packet + 26, number);
	fix_ip_sum(packet);
}

void pptp_gre_in(struct net *net, uint16_t number, const char *inside, uint16_t own)
{
	pptp_build_gre(net->packet, REMOTE, ALIAS, number);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 0, inside, 0);
	assert_int_equal(get16(net->packet + 26), own);
}

void pptp_gre_out(struct net *net, const char *inside, uint16_t number)
{
	pptp_build_gre(net->packet, inside, REMOTE, number);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 0, REMOTE, 0);
	assert_int_equal(get16(net->packet + 26), number);
}
