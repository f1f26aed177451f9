/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redirect.h - what redirect.c (finding), redirect_link.c (applying, pools), redirect_api.c (the
 * caller's functions) and expect.c share.
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
};

/* The redirect no longer says what outgoing packets get: it has a pool. */
void redirect_no_outgoing(struct libalias *la, struct alias_link *redirect);

/* The redirect of this id if it still is the one of this age (the low 32 bits count), or NULL. */
struct alias_link *redirect_live(const struct libalias *la, uint32_t id, uint64_t age);

#endif
