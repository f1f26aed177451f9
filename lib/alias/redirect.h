/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect.h - what redirect.c (finding), redirect_link.c (applying), server.c (where they lead),
 * redirect_api.c (the caller's functions), record.c and expect.c share.
 */
#ifndef LIBALIAS_REDIRECT_H
#define LIBALIAS_REDIRECT_H

#include "engine.h"

enum redirect_kind {
	REDIRECT_PORT,
	REDIRECT_RANGE,
	REDIRECT_MARK,
	REDIRECT_PROTO,
	REDIRECT_ADDR,
	REDIRECT_OUTGOING, /* an expectation of what leaves, from any port */
};

/* Does a win where both match? */
bool redirect_goes_first(const struct alias_link *a, const struct alias_link *b);

/* The redirect no longer says what outgoing packets get: it has a pool. */
void redirect_no_outgoing(struct libalias *la, struct alias_link *redirect);

/* The redirect of this id if it still is the one of this age (the low 32 bits count), or NULL. */
struct alias_link *redirect_live(const struct libalias *la, uint32_t id, uint64_t age);

/* The server at addr:port of a redirect that matches what like does, or 0. */
uint32_t redirect_find_server(const struct libalias *la, const struct alias_link *like,
			      uint32_t addr, uint16_t port);

/* server.c; ids, 0 = none */
uint32_t server_new(struct libalias *la, const struct alias_link *redirect, uint32_t addr,
		    uint16_t port, uint32_t weight);
/* The redirect goes; its links stay. */
void servers_free(struct libalias *la, struct alias_link *redirect);
uint32_t server_find(const struct libalias *la, const struct alias_link *redirect, uint32_t addr,
		     uint16_t port);
/* The server of the next session. */
uint32_t server_take_turn(const struct libalias *la, struct alias_link *redirect);

#endif
