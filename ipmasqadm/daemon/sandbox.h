/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A seccomp filter for all threads: what ipmasqd is not made to do, it cannot. */
#ifndef IPMASQD_SANDBOX_H
#define IPMASQD_SANDBOX_H

#include <ipmasq/error.h>

/* Once all threads run and everything is loaded.  0, or -1 with an error. */
int sandbox_enter(struct ipmasq_error *error);

#endif
