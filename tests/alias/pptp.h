/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pptp.h - control messages and GRE packets of PPTP, for its tests.
 *
 * A control connection is between an inside client and REMOTE's port 1723, unless a test makes
 * another.  Layouts and lengths of the messages: RFC 2637, sections 2.1 to 2.15; of the GRE header:
 * section 4.1.
 */
#ifndef PPTP_H
#define PPTP_H

#include "connection.h"

enum pptp_type {
	PPTP_START_REQUEST = 1,
	PPTP_START_REPLY = 2,
	PPTP_OUTGOING_REQUEST = 7,
	PPTP_OUTGOING_REPLY = 8,
	PPTP_INCOMING_REQUEST = 9,
	PPTP_INCOMING_REPLY = 10,
	PPTP_INCOMING_CONNECTED = 11,
	PPTP_CLEAR_REQUEST = 12,
	PPTP_DISCONNECT_NOTIFY = 13,
	PPTP_WAN_ERROR = 14,
	PPTP_LINK_INFO = 15,
};

#define PPTP_MESSAGE_MAX 256

int pptp_setup(void **state);

#define pptp_test(f) cmocka_unit_test_setup_teardown(f, pptp_setup, net_teardown)

/* Writes a control message with numbers at 12 and 14; returns its length. */
size_t pptp_message(uint8_t *m, enum pptp_type type, uint16_t first, uint16_t second);

/* A client's connection to the server, and one that both ends have started. */
struct connection pptp_connect(struct net *net, const char *inside, uint16_t port);
struct connection pptp_start(struct net *net, const char *inside, uint16_t port);

/* The inside end sends a message, or gets one; what arrives is in the net's packet. */
void pptp_say(struct net *net, struct connection *c, enum pptp_type type, uint16_t first,
	      uint16_t second);
void pptp_hear(struct net *net, struct connection *c, enum pptp_type type, uint16_t first,
	       uint16_t second);
/* The number at this offset of what arrived. */
uint16_t pptp_number(const struct net *net, size_t at);

/* The client calls; the number that the server was told. */
uint16_t pptp_call(struct net *net, struct connection *c, uint16_t own, uint16_t servers);

/* An enhanced GRE packet with a sequence number and some PPP. */
void pptp_build_gre(uint8_t *packet, const char *src, const char *dst, uint16_t number);
/* One from REMOTE with this number comes in, and arrives inside with its own. */
void pptp_gre_in(struct net *net, uint16_t number, const char *inside, uint16_t own);
/* One from inside with this number goes out, and keeps it. */
void pptp_gre_out(struct net *net, const char *inside, uint16_t number);

#endif
