/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.h - a net with one connection between INSIDE and REMOTE, for the tests of text protocols.
 *
 * What is said comes back as the other end gets it.  Attacks that every text protocol must stand
 * are here once.
 */
#ifndef STREAM_H
#define STREAM_H

#include "connection.h"

struct stream {
	struct net net; /* first: net_teardown() gets it */
	struct connection tcp;
	uint16_t next_port;
};

/* A net with the helper enabled. */
int stream_setup(void **state, const char *helper);

/* INSIDE connects to REMOTE's port, or REMOTE to ALIAS's, which a new redirect leads inside. */
void stream_connect(struct stream *s, uint16_t port);
/* The same with a number for the inside end's first byte. */
void stream_connect_at(struct stream *s, uint16_t port, uint32_t seq);
void stream_accept(struct stream *s, uint16_t port);

/* The inside end says something, at a number or next, or hears something; what comes out. */
const char *stream_say_at(struct stream *s, uint32_t seq, const char *text);
const char *stream_say(struct stream *s, const char *text);
const char *stream_hear(struct stream *s, const char *text);

/* On new connections: the text is split at each byte, and translated as a whole. */
void stream_split_anywhere(struct stream *s, uint16_t port, const char *first, const char *text,
			   const char *translated);

/* On new connections: text in a browser's requests, whole and byte by byte, opens nothing. */
void stream_refuses_web(struct stream *s, uint16_t port, const char *text);

/* Thousands of lines with a port each open as many ports as the limit says. */
void stream_flood(struct stream *s, unsigned int port, const char *before, const char *behind);

#endif
