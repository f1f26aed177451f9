/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connection.c - a TCP connection for the tests of helpers; connection.h says what each does.
 */
#include "connection.h"

#define FIRST_INSIDE  100u
#define FIRST_OUTSIDE 500u

struct connection connect_out(struct net *net, const char *inside, uint16_t from, uint16_t port,
			      uint32_t seq)
{
	struct connection c = {
		.out = ENDS(inside, from, REMOTE, port), .seq = seq, .ack = FIRST_OUTSIDE};

	build_tcp(net->packet, c.out, TH_SYN, c.seq - 1, 0, NULL, 0);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	c.in = ENDS(REMOTE, port, ALIAS, source_port(net->packet));
	build_tcp(net->packet, c.in, TH_SYN | TH_ACK, c.ack - 1, c.seq, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	return c;
}

struct connection connect_in(struct net *net, uint16_t from, uint16_t alias_port,
			     uint16_t inside_port)
{
	struct connection c = {.out = ENDS(INSIDE, inside_port, REMOTE, from),
			       .in = ENDS(REMOTE, from, ALIAS, alias_port),
			       .seq = FIRST_INSIDE,
			       .ack = FIRST_OUTSIDE};

	assert_non_null(LibAliasRedirectPort(net->la, addr(INSIDE), htons(inside_port),
					     addr("0.0.0.0"), 0, addr("0.0.0.0"), htons(alias_port),
					     IPPROTO_TCP));
	build_tcp(net->packet, c.in, TH_SYN, c.ack - 1, 0, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	build_tcp(net->packet, c.out, TH_SYN | TH_ACK, c.seq - 1, c.ack, NULL, 0);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	return c;
}

void say_out_at(struct net *net, const struct connection *c, uint32_t seq, const void *data,
		size_t len)
{
	build_tcp(net->packet, c->out, TH_ACK, seq, c->ack, data, len);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
}

void say_out(struct net *net, struct connection *c, const void *data, size_t len)
{
	say_out_at(net, c, c->seq, data, len);
	c->seq += (uint32_t)len;
}

void say_in(struct net *net, struct connection *c, const void *data, size_t len)
{
	build_tcp(net->packet, c->in, TH_ACK, c->ack, c->seq, data, len);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	c->ack += (uint32_t)len;
}

void receive(const struct net *net, uint32_t begin, uint8_t *message, size_t size)
{
	const uint8_t *payload = packet_payload(net->packet);
	size_t len = (size_t)(net->packet + total_length(net->packet) - payload);
	uint32_t at = packet_seq(net->packet) - begin;

	assert_true(at + len <= size);
	memcpy(message + at, payload, len);
}
