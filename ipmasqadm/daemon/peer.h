/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may give ipmasqd orders. */
#ifndef IPMASQD_PEER_H
#define IPMASQD_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#define PEER_GROUP "ipmasqd" /* the socket's, where there is one */

/* Whether the process that connected to `fd` is root, `owner`, or a member of the group. */
bool peer_may(int fd, uid_t owner, gid_t group);

#endif
