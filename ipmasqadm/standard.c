// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whoever starts a program with a standard descriptor closed would have its messages written into
 * the first socket that it opens: the places are filled first, for reading what is for writing.
 */
#include "standard.h"

#include <fcntl.h>

void standard_hold(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			return;
}
