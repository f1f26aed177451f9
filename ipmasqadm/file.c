// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that others read while they are written: a regular file is written beside itself and
 * renamed, so that a reader finds the old or the new one whole; links are followed, devices and
 * pipes written to.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0)
			return -1;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Writes `text` beside `name`, then renames it to `name`. */
static int replace_file(const char *name, const char *text, mode_t mode)
{
	char *temporary = NULL;
	int fd = -1, rc = -1, code;

	if (asprintf(&temporary, "%s.XXXXXX", name) < 0)
		return -1;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd >= 0 && write_all(fd, text) == 0 && fchmod(fd, mode) == 0 && fsync(fd) == 0)
		rc = rename(temporary, name);
	code = errno;
	if (fd >= 0)
		close(fd);
	if (fd >= 0 && rc < 0)
		unlink(temporary);
	free(temporary);
	errno = code;
	return rc;
}

/* Writes straight into a device, a pipe or a socket, which cannot be replaced. */
static int write_special(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int rc = fd < 0 ? -1 : write_all(fd, text);

	if (fd >= 0 && close(fd) < 0)
		rc = -1;
	return rc;
}

/* A link is followed; the mode of a file that is there is kept, but not to run as its new owner. */
int file_write(const char *name, const char *text)
{
	char *real = realpath(name, NULL);
	struct stat status;
	mode_t mask = umask(0);
	int rc;

	umask(mask);
	if (!real || stat(real, &status) < 0)
		rc = replace_file(name, text, 0666 & ~mask);
	else if (S_ISREG(status.st_mode))
		rc = replace_file(real, text, status.st_mode & 0777);
	else
		rc = write_special(real, text);
	free(real);
	return rc;
}
