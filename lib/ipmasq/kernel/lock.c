// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A lock that belongs to the network namespace, as the ruleset does: the bound name of an
 * abstract UNIX socket.  The kernel drops it when its holder dies, there is no file to clean up
 * or to have rights on, and it costs two system calls.
 *
 * Any process may bind the name, so holding it must not be able to stop us: after a while we go
 * on without, and rely on the generation of the ruleset alone.
 */
#include "lock.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LOCK_NAME "ipmasqadm.table" /* behind the NUL that makes it abstract */
#define PAUSE_US  500
#define PAUSES    10000 /* 5 s, and more on a busy machine */

int lock_take(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timespec pause = {.tv_nsec = PAUSE_US * 1000L};
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + sizeof(LOCK_NAME);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	memcpy(address.sun_path + 1, LOCK_NAME, sizeof(LOCK_NAME) - 1);
	for (int i = 0; i < PAUSES; i++) {
		if (bind(fd, (struct sockaddr *)&address, length) == 0)
			return fd;
		if (errno != EADDRINUSE)
			break;
		nanosleep(&pause, NULL);
	}
	close(fd);
	return -1;
}

void lock_drop(int lock)
{
	if (lock >= 0)
		close(lock);
}
