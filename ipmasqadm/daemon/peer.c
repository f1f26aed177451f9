// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The right to control is that of connecting: the socket's mode is 0660, its group `ipmasqd`. Since
 * a mode is changed easily, and some systems did not look at a socket's, what the kernel says of
 * the peer (SO_PEERCRED, SO_PEERGROUPS) decides.  There is no half right: a listing shows who talks
 * to whom.
 */
#include "peer.h"

#include <sys/socket.h>

#define GROUPS_MAX 256 /* who is in more is not found in the others */

static bool in_group(int fd, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t size = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return false;
	for (size_t i = 0; i < size / sizeof(gid_t); i++)
		if (groups[i] == group)
			return true;
	return false;
}

bool peer_may(int fd, uid_t owner, gid_t group)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	return peer.uid == 0 || peer.uid == owner || peer.gid == group || in_group(fd, group);
}
