// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The datagrams of sd_notify(3): lines of NAME=VALUE to the socket that the environment names, a
 * path, or with `@` an abstract name.  A manager that does not listen is no error: the service is
 * there without it.  The socket is connected once, before privileges and paths are given up.
 */
#include "notify.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int manager = -1;

void notify_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *name = secure_getenv("NOTIFY_SOCKET");
	size_t length = name ? strlen(name) : 0;

	if (!length)
		return;
	if ((name[0] != '/' && name[0] != '@') || length >= sizeof(address.sun_path)) {
		log_message(LOG_WARNING, "NOTIFY_SOCKET is '%s', which is no socket's name", name);
		return;
	}
	memcpy(address.sun_path, name, length + 1);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (manager < 0 ||
	    connect(manager, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		log_message(LOG_WARNING, "cannot tell %s how far it is: %s", name, strerror(errno));
	unsetenv("NOTIFY_SOCKET");
}

static void notify(const char *lines)
{
	if (manager >= 0)
		send(manager, lines, strlen(lines), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void notify_ready(const char *status)
{
	char lines[512];

	snprintf(lines, sizeof(lines), "READY=1\nMAINPID=%d\nSTATUS=%.400s", getpid(), status);
	notify(lines);
}

void notify_reloading(void)
{
	struct timespec now;
	char lines[80];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	notify(lines);
}

void notify_stopping(void)
{
	notify("STOPPING=1");
}
