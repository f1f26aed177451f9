// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A daemon's fork.  The parent stays until a byte comes by a pipe, so that a boot script goes on
 * when rules and queues are in place, and learns from the exit status when they could not be;
 * messages up to then go to its standard error.
 */
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int parent = -1; /* the child's end of the pipe */
static int null = -1;   /* opened with the rights of the start */

static void wait_for(pid_t child, int pipe)
{
	int status;
	char byte;

	if (read(pipe, &byte, 1) == 1)
		_exit(EXIT_SUCCESS);
	if (waitpid(child, &status, 0) == child && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(EXIT_FAILURE);
}

int background_start(void)
{
	int ends[2];
	pid_t child;

	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child < 0)
		return -1;
	if (child > 0) {
		close(ends[1]);
		wait_for(child, ends[0]);
	}
	close(ends[0]);
	parent = ends[1];
	setsid();
	return 0;
}

void background_ready(void)
{
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	while (write(parent, "", 1) < 0 && errno == EINTR)
		;
	close(parent);
	close(null);
}
