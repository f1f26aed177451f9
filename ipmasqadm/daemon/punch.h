/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holes in the operator's firewall for what helpers await (--punch). */
#ifndef IPMASQD_PUNCH_H
#define IPMASQD_PUNCH_H

#include <stdint.h>

struct ipmasq_error;
struct punch;
struct user;

/* Holes for each of the user engine's workers, marked so; NULL with an error. */
struct punch *punch_open(struct user *user, unsigned int workers, uint32_t mark,
			 struct ipmasq_error *error);

/* Closes all holes; NULL is fine. */
void punch_close(struct punch *punch);

#endif
