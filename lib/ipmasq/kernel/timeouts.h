/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long the kernel keeps idle connections. */
#ifndef IPMASQ_KERNEL_TIMEOUTS_H
#define IPMASQ_KERNEL_TIMEOUTS_H

#include <ipmasq/connections.h>

struct ipmasq_engine;

/* As ipmasq_timeouts_set(). */
int kernel_timeouts(struct ipmasq_engine *engine, const struct ipmasq_timeouts *timeouts,
		    struct ipmasq_error *error);

#endif
