/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of this machine, for the engine, now and whenever they change. */
#ifndef IPMASQD_ADDRESSES_H
#define IPMASQD_ADDRESSES_H

#include <ipmasq/error.h>

struct addresses;
struct user;

/* Gives the engine the addresses, those of `interface` (borrowed) first, and watches them. */
struct addresses *addresses_open(const char *interface, struct user *user,
				 struct ipmasq_error *error);

void addresses_close(struct addresses *addresses);

/* Readable when they may have changed; call addresses_update() then. */
int addresses_fd(const struct addresses *addresses);
void addresses_update(struct addresses *addresses);

/* The interface's own, "" while it has none. */
const char *addresses_own(const struct addresses *addresses);

#endif
