/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PPTP: calls agreed on over TCP and carried by GRE.  Layouts and lengths of the control messages:
 * RFC 2637, sections 2.1 to 2.15; of the GRE header: section 4.1.
 */
#include "net.h"

#define SERVER REMOTE

enum {
	START_REQUEST = 1,
	START_REPLY = 2,
	OUTGOING_REQUEST = 7,
	OUTGOING_REPLY = 8,
	INCOMING_REQUEST = 9,
	INCOMING_REPLY = 10,
	INCOMING_CONNECTED = 11,
	CLEAR_REQUEST = 12,
	DISCONNECT_NOTIFY = 13,
	WAN_ERROR = 14,
	LINK_INFO = 15,
};

static const uint16_t lengths[] = {
	[START_REQUEST] = 156,     [START_REPLY] = 156,      [OUTGOING_REQUEST] = 168,
	[OUTGOING_REPLY] = 32,     [INCOMING_REQUEST] = 220, [INCOMING_REPLY] = 24,
	[INCOMING_CONNECTED] = 28, [CLEAR_REQUEST] = 16,     [DISCONNECT_NOTIFY] = 148,
	[WAN_ERROR] = 40,          [LINK_INFO] = 24,
};

/* A control connection of an inside end with the remote one. */
struct control {
	const char *inside;
	uint16_t inside_port, alias_port, remote_port;
	uint32_t out, in; /* sequence numbers */
};

static void put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint16_t get(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Writes a control message with numbers at 12 and 14; returns its length. */
static size_t message(uint8_t *m, uint16_t type, uint16_t first, uint16_t second)
{
	static const uint8_t magic[] = {0x1a, 0x2b, 0x3c, 0x4d};

	memset(m, 0, lengths[type]);
	put(m, lengths[type]);
	put(m + 2, 1);
	memcpy(m + 4, magic, 4);
	put(m + 8, type);
	put(m + 12, first);
	put(m + 14, second);
	if (type == OUTGOING_REPLY || type == INCOMING_REPLY)
		m[16] = 1;
	return lengths[type];
}

static const uint8_t *payload(const struct net *net)
{
	return net->packet + 40;
}

static void out_at(struct net *net, const struct control *c, uint32_t seq, const void *data,
		   size_t len)
{
	build_tcp(net->packet, ENDS(c->inside, c->inside_port, SERVER, c->remote_port), TH_ACK, seq,
		  c->in, data, len);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
}

static void in_at(struct net *net, const struct control *c, uint32_t seq, const void *data,
		  size_t len)
{
	build_tcp(net->packet, ENDS(SERVER, c->remote_port, ALIAS, c->alias_port), TH_ACK, seq,
		  c->out, data, len);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
}

/* Sends a message; the numbers at 12 and 14 that it arrives with are in the net's packet. */
static void say(struct net *net, struct control *c, uint16_t type, uint16_t first, uint16_t second)
{
	uint8_t m[256];
	size_t len = message(m, type, first, second);

	out_at(net, c, c->out, m, len);
	c->out += (uint32_t)len;
}

static void hear(struct net *net, struct control *c, uint16_t type, uint16_t first, uint16_t second)
{
	uint8_t m[256];
	size_t len = message(m, type, first, second);

	in_at(net, c, c->in, m, len);
	c->in += (uint32_t)len;
}

static uint16_t number_at(struct net *net, int at)
{
	return get(payload(net) + at);
}

static void connect_client(struct net *net, struct control *c)
{
	build_tcp(net->packet, ENDS(c->inside, c->inside_port, SERVER, 1723), TH_SYN, c->out - 1, 0,
		  NULL, 0);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	c->alias_port = source_port(net->packet);
	build_tcp(net->packet, ENDS(SERVER, 1723, ALIAS, c->alias_port), TH_SYN | TH_ACK, c->in - 1,
		  c->out, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
}

static struct control client(const char *inside, uint16_t port)
{
	return (struct control){inside, port, 0, 1723, 100, 500};
}

/* A client that has started the control connection. */
static struct control start(struct net *net, const char *inside, uint16_t port)
{
	struct control c = client(inside, port);

	connect_client(net, &c);
	say(net, &c, START_REQUEST, 0, 0);
	hear(net, &c, START_REPLY, 0, 0);
	return c;
}

/* The client calls; the number that the server was told. */
static uint16_t call(struct net *net, struct control *c, uint16_t own, uint16_t servers)
{
	uint16_t alias;

	say(net, c, OUTGOING_REQUEST, own, 0);
	alias = number_at(net, 12);
	hear(net, c, OUTGOING_REPLY, servers, alias);
	assert_int_equal(number_at(net, 12), servers);
	assert_int_equal(number_at(net, 14), own);
	return alias;
}

/* An enhanced GRE packet with a sequence number and some PPP. */
static void build_gre(uint8_t *packet, const char *src, const char *dst, uint16_t number)
{
	static const uint8_t gre[] = {0x30, 0x01, 0x88, 0x0b, 0, 4, 0, 0};

	build_other(packet, IPPROTO_GRE, src, dst);
	put(packet + 2, 36);
	memset(packet + 28, 0, 8);
	memcpy(packet + 20, gre, sizeof(gre));
	put(packet + 26, number);
	fix_ip_sum(packet);
}

static void gre_in(struct net *net, uint16_t number, const char *inside, uint16_t own)
{
	build_gre(net->packet, SERVER, ALIAS, number);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, SERVER, 0, inside, 0);
	assert_int_equal(get(net->packet + 26), own);
}

static void gre_out(struct net *net, const char *inside, uint16_t number)
{
	build_gre(net->packet, inside, SERVER, number);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 0, SERVER, 0);
	assert_int_equal(get(net->packet + 26), number);
}

static void a_call_of_a_client_inside_passes_both_ways(void **state)
{
	struct net *net = *state;
	struct control c;

	deny_incoming(net);
	c = start(net, INSIDE, 3000);
	assert_int_equal(call(net, &c, 4000, 7), 4000);
	gre_out(net, INSIDE, 7);
	gre_in(net, 4000, INSIDE, 4000);
}

/* pptpd begins with it. */
static void a_call_may_have_number_0_at_either_end(void **state)
{
	static const uint16_t numbers[][2] = {{0, 0}, {4000, 0}, {0, 7}, {65534, 1}};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint16_t own = numbers[i][0], servers = numbers[i][1];
		struct net *net = *state;
		struct control c;

		LibAliasReset(net->la);
		deny_incoming(net);
		c = start(net, INSIDE, 3000);
		assert_int_equal(call(net, &c, own, servers), own);
		gre_out(net, INSIDE, servers);
		gre_in(net, own, INSIDE, own);
		assert_int_equal(links(net), 3);
		/* Another client's number 0 is another at the server. */
		c = start(net, OTHER, 3001);
		assert_int_not_equal(call(net, &c, own, 9), own);
		gre_out(net, OTHER, 9);
		gre_in(net, own, INSIDE, own);
	}
}

/* The client has lost its line and calls again before the first control connection is over. */
static void the_end_of_an_earlier_call_does_not_end_the_same_one_by_a_new_connection(void **state)
{
	struct net *net = *state;
	struct control a, b;

	deny_incoming(net);
	a = start(net, INSIDE, 3000);
	call(net, &a, 4000, 7);
	b = start(net, INSIDE, 3001);
	assert_int_equal(call(net, &b, 4000, 7), 4000);
	build_tcp(net->packet, ENDS(SERVER, 1723, ALIAS, a.alias_port), TH_RST | TH_ACK, a.in,
		  a.out, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	net->now += 400;
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 3);
	gre_in(net, 4000, INSIDE, 4000);
	gre_out(net, INSIDE, 7);
	assert_int_equal(links(net), 3);
}

static void clients_with_the_same_number_are_told_apart(void **state)
{
	struct net *net = *state;
	struct control a, b;
	uint16_t number;

	deny_incoming(net);
	a = start(net, INSIDE, 3000);
	b = start(net, OTHER, 3000);
	assert_int_equal(call(net, &a, 4000, 7), 4000);
	number = call(net, &b, 4000, 8);
	assert_int_not_equal(number, 4000);
	gre_in(net, 4000, INSIDE, 4000);
	gre_in(net, number, OTHER, 4000);
	gre_out(net, INSIDE, 7);
	gre_out(net, OTHER, 8);
}

static void two_calls_of_one_client_are_two(void **state)
{
	struct net *net = *state;
	struct control c;

	deny_incoming(net);
	c = start(net, INSIDE, 3000);
	call(net, &c, 4000, 7);
	call(net, &c, 4001, 8);
	gre_in(net, 4000, INSIDE, 4000);
	gre_in(net, 4001, INSIDE, 4001);
	gre_out(net, INSIDE, 8);
	gre_out(net, INSIDE, 7);
	assert_int_equal(links(net), 5);
}

static void a_low_number_is_replaced_in_each_message_that_has_it(void **state)
{
	struct net *net = *state;
	struct control c;
	uint16_t number;

	c = start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	number = call(net, &c, 5, 7);
	assert_int_not_equal(number, 5);
	gre_in(net, number, INSIDE, 5);
	/* Set-Link-Info and WAN-Error-Notify have the receiver's number. */
	hear(net, &c, LINK_INFO, number, 0);
	assert_int_equal(number_at(net, 12), 5);
	hear(net, &c, WAN_ERROR, number, 0);
	assert_int_equal(number_at(net, 12), 5);
	say(net, &c, LINK_INFO, 7, 0);
	assert_int_equal(number_at(net, 12), 7);
	/* Call-Clear-Request has the sender's. */
	say(net, &c, CLEAR_REQUEST, 5, 0);
	assert_int_equal(number_at(net, 12), number);
	hear(net, &c, DISCONNECT_NOTIFY, 7, 0);
	assert_int_equal(number_at(net, 12), 7);
}

static void an_incoming_call_is_answered_by_the_client(void **state)
{
	struct net *net = *state;
	struct control c;

	deny_incoming(net);
	c = start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	hear(net, &c, INCOMING_REQUEST, 7, 0);
	assert_int_equal(number_at(net, 12), 7);
	say(net, &c, INCOMING_REPLY, 5, 7);
	assert_int_equal(number_at(net, 14), 7);
	{
		uint16_t number = number_at(net, 12);

		assert_int_not_equal(number, 5);
		hear(net, &c, INCOMING_CONNECTED, number, 0);
		assert_int_equal(number_at(net, 12), 5);
		gre_in(net, number, INSIDE, 5);
		gre_out(net, INSIDE, 7);
	}
}

static void a_server_inside_is_called_through_a_redirect(void **state)
{
	struct control c = {INSIDE, 1723, 1723, 3000, 100, 500};
	struct net *net = *state;
	uint16_t number;

	deny_incoming(net);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	LibAliasRedirectPort(net->la, addr(INSIDE), htons(1723), addr("0.0.0.0"), 0, addr(ALIAS),
			     htons(1723), IPPROTO_TCP);
	build_tcp(net->packet, ENDS(SERVER, 3000, ALIAS, 1723), TH_SYN, 499, 0, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	build_tcp(net->packet, ENDS(INSIDE, 1723, SERVER, 3000), TH_SYN | TH_ACK, 99, 500, NULL, 0);
	send_out(net);
	hear(net, &c, START_REQUEST, 0, 0);
	say(net, &c, START_REPLY, 0, 0);
	hear(net, &c, OUTGOING_REQUEST, 4000, 0);
	assert_int_equal(number_at(net, 12), 4000);
	say(net, &c, OUTGOING_REPLY, 9, 4000);
	number = number_at(net, 12);
	assert_int_not_equal(number, 9);
	assert_int_equal(number_at(net, 14), 4000);
	gre_in(net, number, INSIDE, 9);
	gre_out(net, INSIDE, 4000);
	say(net, &c, DISCONNECT_NOTIFY, 9, 0);
	assert_int_equal(number_at(net, 12), number);
}

static void a_call_ends_a_while_after_it_is_disconnected(void **state)
{
	struct net *net = *state;
	struct control c;

	deny_incoming(net);
	c = start(net, INSIDE, 3000);
	call(net, &c, 4000, 7);
	net->now += 3600; /* idle, but agreed on */
	gre_in(net, 4000, INSIDE, 4000);
	hear(net, &c, DISCONNECT_NOTIFY, 7, 0);
	gre_in(net, 4000, INSIDE, 4000);
	net->now += 61;
	build_gre(net->packet, SERVER, ALIAS, 4000);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 1);
	/* The number can be used again. */
	assert_int_equal(call(net, &c, 4000, 7), 4000);
	gre_in(net, 4000, INSIDE, 4000);
}

static void a_call_that_is_refused_ends(void **state)
{
	struct net *net = *state;
	uint8_t m[256];
	struct control c;
	size_t len;

	deny_incoming(net);
	c = start(net, INSIDE, 3000);
	say(net, &c, OUTGOING_REQUEST, 4000, 0);
	len = message(m, OUTGOING_REPLY, 0, 4000);
	m[16] = 4; /* busy */
	in_at(net, &c, c.in, m, len);
	assert_int_equal(number_at(net, 14), 4000);
	net->now += 61;
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 1);
}

static void calls_end_with_their_control_connection(void **state)
{
	struct net *net = *state;
	struct control c;

	deny_incoming(net);
	c = start(net, INSIDE, 3000);
	call(net, &c, 4000, 7);
	build_tcp(net->packet, ENDS(SERVER, 1723, ALIAS, c.alias_port), TH_RST, c.in, 0, NULL, 0);
	send_in(net);
	net->now += 200;
	gre_in(net, 4000, INSIDE, 4000);
	net->now += 100; /* the call has just been heard of */
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 0);
}

static void calls_end_when_the_stream_is_no_pptp_any_more(void **state)
{
	struct net *net = *state;
	struct control c = start(net, INSIDE, 3000);

	call(net, &c, 4000, 7);
	assert_int_equal(links(net), 3);
	in_at(net, &c, c.in, "something else", 14);
	assert_int_equal(links(net), 1);
}

static void calls_outlive_the_process_as_records(void **state)
{
	struct net *net = *state;
	struct control c;
	uint16_t number;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c = start(net, INSIDE, 3000);
	number = call(net, &c, 5, 7);
	net_restart(net);
	deny_incoming(net);
	gre_in(net, number, INSIDE, 5);
	net->now += 3600;
	gre_out(net, INSIDE, 7);
	gre_in(net, number, INSIDE, 5);
	assert_int_equal(links(net), 3);
}

static void control_connections_go_on_after_a_restart(void **state)
{
	struct net *net = *state;
	struct control c;
	uint16_t number;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c = start(net, INSIDE, 3000);
	number = call(net, &c, 5, 7);
	net_restart(net);
	hear(net, &c, LINK_INFO, number, 0);
	assert_int_equal(number_at(net, 12), 5);
	say(net, &c, LINK_INFO, 7, 0);
	assert_int_equal(number_at(net, 12), 7);
	assert_int_not_equal(call(net, &c, 6, 8), 6);
	assert_int_equal(links(net), 5);
	say(net, &c, CLEAR_REQUEST, 5, 0);
	assert_int_equal(number_at(net, 12), number);
	hear(net, &c, DISCONNECT_NOTIFY, 7, 0);
	net->now += 61; /* of a call that is over */
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 3);
}

static void calls_end_with_their_control_connection_after_a_restart(void **state)
{
	struct net *net = *state;
	struct control c, other;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c = start(net, INSIDE, 3000);
	other = start(net, OTHER, 3000);
	call(net, &c, 5, 7);
	call(net, &other, 5, 8);
	net_restart(net);
	assert_int_equal(links(net), 6);
	in_at(net, &c, c.in, "something else", 14);
	assert_int_equal(links(net), 4);
	gre_out(net, OTHER, 8);
}

static void a_reply_after_a_restart_is_to_the_request_before_it(void **state)
{
	struct net *net = *state;
	struct control c = start(net, INSIDE, 3000);
	uint16_t number;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	hear(net, &c, INCOMING_REQUEST, 9, 0);
	net_restart(net);
	say(net, &c, INCOMING_REPLY, 4000, 9);
	number = number_at(net, 12);
	assert_int_not_equal(number, 4000);
	gre_out(net, INSIDE, 9);
	gre_in(net, number, INSIDE, 4000);
}

static void a_reset_of_the_engine_ends_all(void **state)
{
	struct net *net = *state;
	struct control c = start(net, INSIDE, 3000);

	call(net, &c, 4000, 7);
	LibAliasReset(net->la);
	assert_int_equal(links(net), 0);
}

static void a_message_that_is_sent_again_is_translated_again(void **state)
{
	struct net *net = *state;
	uint8_t m[512];
	struct control c;
	uint16_t number;
	size_t len;

	c = start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	number = call(net, &c, 5, 7);
	len = message(m, OUTGOING_REQUEST, 5, 0);
	out_at(net, &c, c.out - (uint32_t)len, m, len);
	assert_int_equal(number_at(net, 12), number);
	/* Together with the one before it. */
	memmove(m + lengths[START_REQUEST], m, len);
	message(m, START_REQUEST, 0, 0);
	len += lengths[START_REQUEST];
	out_at(net, &c, c.out - (uint32_t)len, m, len);
	assert_int_equal(number_at(net, lengths[START_REQUEST] + 12), number);
	assert_int_equal(links(net), 3);
}

static void messages_in_one_segment_are_all_read(void **state)
{
	struct control c = client(INSIDE, 3000);
	struct net *net = *state;
	uint8_t m[512];
	size_t len;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	connect_client(net, &c);
	hear(net, &c, START_REPLY, 0, 0);
	len = message(m, START_REQUEST, 0, 0);
	len += message(m + len, OUTGOING_REQUEST, 5, 0);
	len += message(m + len, CLEAR_REQUEST, 5, 0);
	out_at(net, &c, c.out, m, len);
	assert_int_not_equal(number_at(net, 156 + 12), 5);
	assert_int_equal(number_at(net, 156 + 168 + 12), number_at(net, 156 + 12));
}

/* What the receiver has of a message that begins at this sequence number. */
static void receive(const struct net *net, uint32_t begin, uint8_t *got)
{
	size_t len = total_length(net->packet) - 40u;

	assert_true(packet_seq(net->packet) - begin + len <= 256);
	memcpy(got + (packet_seq(net->packet) - begin), payload(net), len);
}

static void a_message_may_be_split_anywhere(void **state)
{
	struct net *net = *state;
	uint8_t m[256];
	size_t len = message(m, OUTGOING_REQUEST, 5, 0);

	for (uint32_t cut = 1; cut < len; cut++) {
		uint8_t got[256] = {0};
		struct control c;

		LibAliasReset(net->la);
		LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
		c = start(net, INSIDE, 3000);
		out_at(net, &c, c.out, m, cut);
		receive(net, c.out, got);
		out_at(net, &c, c.out + cut, m + cut, len - cut);
		receive(net, c.out, got);
		assert_int_not_equal(get(got + 12), 5);
		/* Each piece again: the same. */
		out_at(net, &c, c.out + cut, m + cut, len - cut);
		receive(net, c.out, got);
		out_at(net, &c, c.out, m, cut);
		receive(net, c.out, got);
		assert_memory_equal(got, m, 12);
		assert_int_not_equal(get(got + 12), 5);
		assert_memory_equal(got + 14, m + 14, len - 14);
		assert_int_equal(links(net), 2);
		/* What follows is read. */
		c.out += (uint32_t)len;
		say(net, &c, OUTGOING_REQUEST, 6, 0);
		assert_int_not_equal(number_at(net, 12), 6);
	}
}

static void reading_goes_on_after_a_lost_segment(void **state)
{
	struct net *net = *state;
	struct control c;

	c = start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c.out += 16; /* did not come by here */
	say(net, &c, OUTGOING_REQUEST, 5, 0);
	assert_int_not_equal(number_at(net, 12), 5);
}

/* No call comes of a stream that is no PPTP: none of the messages is touched. */
static void what_is_no_pptp_makes_no_call(void **state)
{
	static const char request[] = "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 168\r\n\r\n";
	struct control c = client(INSIDE, 3000);
	struct net *net = *state;
	uint8_t m[256];
	size_t len;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	connect_client(net, &c);
	hear(net, &c, START_REPLY, 0, 0);
	out_at(net, &c, c.out, request, strlen(request));
	c.out += (uint32_t)strlen(request);
	say(net, &c, START_REQUEST, 0, 0);
	len = message(m, OUTGOING_REQUEST, 5, 0);
	out_at(net, &c, c.out, m, len);
	assert_memory_equal(payload(net), m, len);
	assert_int_equal(links(net), 1);
}

static void the_greeting_of_another_protocol_is_not_held_back(void **state)
{
	struct net *net = *state;
	struct control c = client(INSIDE, 3000);

	connect_client(net, &c);
	in_at(net, &c, c.in, "+OK\r\n", 5);
	assert_string_equal(packet_text(net->packet), "+OK\r\n");
}

static void no_call_before_both_ends_have_started(void **state)
{
	struct control c = client(INSIDE, 3000);
	struct net *net = *state;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	connect_client(net, &c);
	say(net, &c, START_REQUEST, 0, 0);
	say(net, &c, OUTGOING_REQUEST, 5, 0);
	assert_int_equal(number_at(net, 12), 5);
	assert_int_equal(links(net), 1);
}

static void impossible_messages_end_the_reading(void **state)
{
	static const struct {
		int at;
		uint16_t value;
	} wrong[] = {
		{0, 11}, {0, 0}, {0, 65535}, {0, 221}, {2, 2}, {4, 0}, {6, 0x3c4e},
	};
	struct net *net = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct control c;
		uint8_t m[256];
		size_t len = message(m, OUTGOING_REQUEST, 5, 0);

		LibAliasReset(net->la);
		LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
		c = start(net, INSIDE, 3000);
		put(m + wrong[i].at, wrong[i].value);
		out_at(net, &c, c.out, m, len);
		assert_memory_equal(payload(net), m, len);
		c.out += (uint32_t)len;
		say(net, &c, OUTGOING_REQUEST, 6, 0);
		assert_int_equal(number_at(net, 12), 6);
		assert_int_equal(links(net), 1);
	}
}

static void other_messages_and_short_ones_are_left_alone(void **state)
{
	struct net *net = *state;
	struct control c;
	uint8_t m[256];
	size_t len;

	c = start(net, INSIDE, 3000);
	len = message(m, OUTGOING_REQUEST, 5, 0);
	put(m + 8, 16); /* no such type */
	out_at(net, &c, c.out, m, len);
	assert_memory_equal(payload(net), m, len);
	c.out += (uint32_t)len;
	put(m, 12); /* too short for a number */
	put(m + 8, OUTGOING_REQUEST);
	out_at(net, &c, c.out, m, 12);
	assert_memory_equal(payload(net), m, 12);
	c.out += 12;
	say(net, &c, OUTGOING_REQUEST, 65535, 0); /* is none here */
	assert_int_equal(number_at(net, 12), 65535);
	/* Numbers that nobody was told. */
	say(net, &c, CLEAR_REQUEST, 99, 0);
	assert_int_equal(number_at(net, 12), 99);
	hear(net, &c, OUTGOING_REPLY, 7, 99);
	assert_int_equal(number_at(net, 14), 99);
	hear(net, &c, DISCONNECT_NOTIFY, 99, 0);
	assert_int_equal(links(net), 1);
}

static void a_reply_that_nobody_asked_for_makes_no_call(void **state)
{
	struct net *net = *state;
	struct control c;

	c = start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	hear(net, &c, INCOMING_REQUEST, 7, 0);
	say(net, &c, INCOMING_REPLY, 5, 8);
	assert_int_equal(number_at(net, 12), 5);
	say(net, &c, INCOMING_REPLY, 5, 0);
	assert_int_equal(number_at(net, 12), 5);
	assert_int_equal(links(net), 1);
	say(net, &c, INCOMING_REPLY, 5, 7);
	assert_int_not_equal(number_at(net, 12), 5);
	assert_int_equal(links(net), 3);
}

static void calls_are_limited(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;
	struct control c;

	c = start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	for (uint16_t i = 1; i <= 100; i++)
		say(net, &c, OUTGOING_REQUEST, i, 0);
	assert_int_equal(number_at(net, 12), 100);
	assert_int_equal(links(net), 1 + 16);
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.refused_limit, 84);
}

static void only_the_contacted_server_may_send(void **state)
{
	struct net *net = *state;
	struct control c;

	deny_incoming(net);
	c = start(net, INSIDE, 3000);
	call(net, &c, 4000, 7);
	build_gre(net->packet, "203.0.113.8", ALIAS, 4000);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
	build_gre(net->packet, SERVER, ALIAS, 4001);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
}

static void the_newest_call_has_the_servers_number(void **state)
{
	struct net *net = *state;
	struct control a, b;

	a = start(net, INSIDE, 3000);
	b = start(net, OTHER, 3000);
	call(net, &a, 4000, 7);
	call(net, &b, 4001, 7);
	gre_out(net, OTHER, 7);
	assert_int_equal(links(net), 2 + 3);
}

static void gre_of_no_call_goes_by_its_addresses(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	gre_out(net, INSIDE, 7);
	gre_out(net, INSIDE, 8);
	assert_int_equal(links(net), 1);
	gre_in(net, 4000, INSIDE, 4000);
	LibAliasReset(net->la);
	LibAliasRedirectProto(net->la, addr(OTHER), addr("0.0.0.0"), addr(ALIAS), IPPROTO_GRE);
	gre_in(net, 4000, OTHER, 4000);
	gre_out(net, OTHER, 7);
	assert_int_equal(links(net), 1);
}

static void gre_of_other_kinds_has_no_number(void **state)
{
	static const uint8_t kinds[][4] = {
		{0x20, 0x00, 0x88, 0x0b}, /* version 0 */
		{0x20, 0x01, 0x08, 0x00}, /* another payload */
		{0x10, 0x01, 0x88, 0x0b}, /* no key */
	};
	struct net *net = *state;
	struct control c;
	uint16_t number;

	c = start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	number = call(net, &c, 5, 7);
	for (size_t i = 0; i < 3; i++) {
		uint8_t before[36];

		build_gre(net->packet, SERVER, ALIAS, number);
		memcpy(net->packet + 20, kinds[i], 4);
		memcpy(before, net->packet, 36);
		assert_int_equal(send_in(net), PKT_ALIAS_OK);
		assert_memory_equal(net->packet + 16, before + 16, 20);
	}
	/* Too short for a key: what follows in the buffer is none of it. */
	build_gre(net->packet, SERVER, ALIAS, number);
	put(net->packet + 2, 27);
	fix_ip_sum(net->packet);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_int_equal(get(net->packet + 26), number);
	gre_in(net, number, INSIDE, 5);
}

static void errors_about_gre_of_no_call_go_by_its_addresses(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	gre_out(net, OTHER, 8);
	memcpy(sent, net->packet, 36);
	build_error(net->packet, ICMP_DEST_UNREACH, "192.0.2.9", ALIAS, sent, 28);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, OTHER, 0, SERVER, 0);
	assert_int_equal(get(net->packet + 28 + 26), 8);
	memcpy(net->packet, sent, 36);
	assert_int_equal(LibAliasUnaliasOut(net->la, net->packet, sizeof(net->packet)),
			 PKT_ALIAS_OK);
	assert_ends(net->packet, OTHER, 0, SERVER, 0);
	assert_int_equal(get(net->packet + 26), 8);
}

static void the_server_may_change_its_number(void **state)
{
	struct net *net = *state;
	struct control c;

	deny_incoming(net);
	c = start(net, INSIDE, 3000);
	call(net, &c, 4000, 7);
	hear(net, &c, OUTGOING_REPLY, 9, 4000);
	assert_int_equal(links(net), 3);
	gre_out(net, INSIDE, 9);
	assert_int_equal(links(net), 3);
}

static void calls_that_are_over_make_room(void **state)
{
	struct net *net = *state;
	struct control c;

	c = start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	for (uint16_t i = 1; i <= 40; i++) {
		assert_int_not_equal(call(net, &c, i, 7), i);
		hear(net, &c, DISCONNECT_NOTIFY, 7, 0);
	}
	assert_true(links(net) <= 1 + 2 * 16);
}

static void errors_about_gre_reach_the_call(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];
	struct control a, b;
	uint16_t number;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	a = start(net, INSIDE, 3000);
	b = start(net, OTHER, 3000);
	call(net, &a, 5, 7);
	number = call(net, &b, 5, 8);
	gre_out(net, OTHER, 8);
	memcpy(sent, net->packet, 36);
	build_error(net->packet, ICMP_DEST_UNREACH, "192.0.2.9", ALIAS, sent, 28);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, OTHER, 0, SERVER, 0);
	assert_int_equal(get(net->packet + 28 + 26), 8);
	/* And about one that was delivered. */
	gre_in(net, number, OTHER, 5);
	memcpy(sent, net->packet, 36);
	build_error(net->packet, ICMP_DEST_UNREACH, OTHER, SERVER, sent, 28);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, SERVER, 0, ALIAS, 0);
	assert_int_equal(get(net->packet + 28 + 26), number);
}

static void an_aliased_packet_is_unaliased(void **state)
{
	struct net *net = *state;
	struct control c = start(net, OTHER, 3000);

	call(net, &c, 5, 7);
	gre_out(net, OTHER, 7);
	assert_int_equal(LibAliasUnaliasOut(net->la, net->packet, sizeof(net->packet)),
			 PKT_ALIAS_OK);
	assert_ends(net->packet, OTHER, 0, SERVER, 0);
	assert_int_equal(get(net->packet + 26), 7);
	assert_true(sums_right(net->packet));
}

struct holes {
	struct alias_hole open[8];
	int count;
};

static int hole_open(void *arg, const struct alias_hole *hole)
{
	struct holes *holes = arg;

	holes->open[holes->count++] = *hole;
	return 0;
}

static void hole_close(void *arg, const struct alias_hole *hole)
{
	(void)hole;
	((struct holes *)arg)->count--;
}

static void holes_clear(void *arg, unsigned int base, unsigned int num)
{
	(void)base;
	(void)num;
	((struct holes *)arg)->count = 0;
}

static void a_call_has_a_hole(void **state)
{
	static const struct alias_firewall firewall = {hole_open, hole_close, holes_clear};
	static struct holes holes; /* written when the instance goes, too */
	struct net *net = *state;
	struct control c;

	LibAliasSetFWBase(net->la, 100, 8);
	LibAliasSetMode(net->la, PKT_ALIAS_PUNCH_FW, PKT_ALIAS_PUNCH_FW);
	LibAliasSetFirewall(net->la, &firewall, &holes);
	c = start(net, INSIDE, 3000);
	assert_int_equal(holes.count, 0);
	call(net, &c, 4000, 7);
	assert_int_equal(holes.count, 1);
	assert_int_equal(holes.open[0].proto, IPPROTO_GRE);
	assert_int_equal(holes.open[0].local_addr.s_addr, addr(INSIDE).s_addr);
	assert_int_equal(holes.open[0].local_port, htons(4000));
	assert_int_equal(holes.open[0].remote_addr.s_addr, addr(SERVER).s_addr);
	assert_int_equal(holes.open[0].remote_port, 0);
	LibAliasReset(net->la);
	assert_int_equal(holes.count, 0);
	LibAliasSetFirewall(net->la, NULL, NULL);
}

static int setup(void **state)
{
	if (net_setup(state))
		return -1;
	return LibAliasSetHelper(((struct net *)*state)->la, "pptp", 0, 1);
}

#define pptp_test(f) cmocka_unit_test_setup_teardown(f, setup, net_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		pptp_test(a_call_of_a_client_inside_passes_both_ways),
		pptp_test(a_call_may_have_number_0_at_either_end),
		pptp_test(the_end_of_an_earlier_call_does_not_end_the_same_one_by_a_new_connection),
		pptp_test(clients_with_the_same_number_are_told_apart),
		pptp_test(two_calls_of_one_client_are_two),
		pptp_test(a_low_number_is_replaced_in_each_message_that_has_it),
		pptp_test(an_incoming_call_is_answered_by_the_client),
		pptp_test(a_server_inside_is_called_through_a_redirect),
		pptp_test(a_call_ends_a_while_after_it_is_disconnected),
		pptp_test(a_call_that_is_refused_ends),
		pptp_test(calls_end_with_their_control_connection),
		pptp_test(calls_end_when_the_stream_is_no_pptp_any_more),
		pptp_test(calls_outlive_the_process_as_records),
		pptp_test(control_connections_go_on_after_a_restart),
		pptp_test(calls_end_with_their_control_connection_after_a_restart),
		pptp_test(a_reply_after_a_restart_is_to_the_request_before_it),
		pptp_test(a_reset_of_the_engine_ends_all),
		pptp_test(a_message_that_is_sent_again_is_translated_again),
		pptp_test(messages_in_one_segment_are_all_read),
		pptp_test(a_message_may_be_split_anywhere),
		pptp_test(reading_goes_on_after_a_lost_segment),
		pptp_test(what_is_no_pptp_makes_no_call),
		pptp_test(the_greeting_of_another_protocol_is_not_held_back),
		pptp_test(no_call_before_both_ends_have_started),
		pptp_test(impossible_messages_end_the_reading),
		pptp_test(other_messages_and_short_ones_are_left_alone),
		pptp_test(a_reply_that_nobody_asked_for_makes_no_call),
		pptp_test(calls_are_limited),
		pptp_test(only_the_contacted_server_may_send),
		pptp_test(the_newest_call_has_the_servers_number),
		pptp_test(gre_of_no_call_goes_by_its_addresses),
		pptp_test(gre_of_other_kinds_has_no_number),
		pptp_test(the_server_may_change_its_number),
		pptp_test(calls_that_are_over_make_room),
		pptp_test(errors_about_gre_of_no_call_go_by_its_addresses),
		pptp_test(errors_about_gre_reach_the_call),
		pptp_test(an_aliased_packet_is_unaliased),
		pptp_test(a_call_has_a_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
