/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of hosts in requests, looked up by a thread of their own; see lookup.c.
 */
#ifndef IPMASQD_LOOKUP_H
#define IPMASQD_LOOKUP_H

#include <ipmasq/error.h>
#include <stdbool.h>
#include <stddef.h>

/* What one request has asked for. */
struct lookups;

/* Starts the thread; once, when rights are dropped and before the sandbox.  0, or -1 with an error.
 */
int lookup_start(struct ipmasq_error *error);

/* Readable when there is something to take. */
int lookup_fd(void);

/* For a client's request, whose `owner` it is; NULL: out of memory. */
struct lookups *lookup_new(void *owner);
size_t lookup_size(const struct lookups *lookups);

/* Nobody is interested any more, wherever it is.  NULL is fine. */
void lookup_drop(struct lookups *lookups);

/*
 * From lookup_begin() to lookup_end() names are taken from here, and what is not known yet is noted
 * and refused; lookup_end() says whether there was anything of the kind.
 */
void lookup_begin(struct lookups *lookups);
bool lookup_end(struct lookups *lookups);

/* What was noted is to be looked up: it is the thread's, until lookup_take() gives its owner. */
void lookup_give(struct lookups *lookups);
void *lookup_take(void);

#endif
