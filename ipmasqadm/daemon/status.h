/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `status`: how ipmasqd is. */
#ifndef IPMASQD_STATUS_H
#define IPMASQD_STATUS_H

#include "session.h"

struct ipmasqd;

enum ipmasq_status status_print(const struct ipmasqd *daemon, struct session *session, int argc,
				char **argv);

#endif
