/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * connection.h - a TCP connection through the NAT, for the tests of helpers.
 *
 * Both ends count for themselves.  What one of them says goes through the engine, which must let it
 * pass; the net's packet is then what the other end gets.  A test may have several connections.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "net.h"

struct connection {
	struct ends out, in; /* as the inside end sends, and the outside end */
	uint32_t seq, ack;   /* the next byte of the inside end, and of the outside end */
};

/* An end inside connects to REMOTE's port; its first byte has the number seq. */
struct connection connect_out(struct net *net, const char *inside, uint16_t from, uint16_t port,
			      uint32_t seq);
/* REMOTE connects to ALIAS's port, which a new redirect leads to INSIDE's. */
struct connection connect_in(struct net *net, uint16_t from, uint16_t alias_port,
			     uint16_t inside_port);

/* The inside end says something, the outside end says something, and each at a number. */
void say_out(struct net *net, struct connection *c, const void *data, size_t len);
void say_in(struct net *net, struct connection *c, const void *data, size_t len);
void say_out_at(struct net *net, const struct connection *c, uint32_t seq, const void *data,
		size_t len);

/* Keeps what the net's packet brings of a message of at most size bytes that begins at a number. */
void receive(const struct net *net, uint32_t begin, uint8_t *message, size_t size);

#endif
