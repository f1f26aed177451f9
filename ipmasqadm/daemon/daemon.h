/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is of a running ipmasqd, for those who answer and report. */
#ifndef IPMASQD_DAEMON_H
#define IPMASQD_DAEMON_H

#include "options.h"
#include "privilege.h"

#include <time.h>

struct ipmasqd {
	struct options options;
	struct privilege privilege;
	struct user *user; /* the engine */
	struct addresses *addresses;
	struct datapath *datapath;
	struct control *control;
	struct punch *punch; /* NULL without --punch */
	bool pid_written;
	struct timespec started; /* CLOCK_MONOTONIC */
};

#endif
