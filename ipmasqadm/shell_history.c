// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The history: XDG_STATE_HOME/ipmasqadm/history, or else ~/.local/state/ipmasqadm/history.
 *
 * It is the user's own file, mode 0600.  A link, or another user's file, is left alone, since this
 * program mostly runs as root.  Each line is appended when it is typed, so that several sessions,
 * and one that is killed, lose none; at twice the wanted length the file is cut.
 */
#include "shell_terminal.h"

#include <readline/history.h>
#include <readline/readline.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX 1000

/* The directory that holds the file, made if need be; to be freed, or NULL. */
static char *state_directory(void)
{
	const char *state = secure_getenv("XDG_STATE_HOME"), *home = secure_getenv("HOME");
	char *path = NULL;
	int length;

	if (state && *state == '/')
		length = asprintf(&path, "%s/ipmasqadm", state);
	else if (home && *home == '/')
		length = asprintf(&path, "%s/.local/state/ipmasqadm", home);
	else
		return NULL;
	if (length < 0)
		return NULL;
	for (char *end = strchr(path + 1, '/'); end; end = strchr(end + 1, '/')) {
		*end = '\0';
		mkdir(path, 0700);
		*end = '/';
	}
	mkdir(path, 0700);
	return path;
}

static int open_file(void)
{
	const int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	char *directory = state_directory();
	int at = directory ? open(directory, O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
	int fd = at < 0 ? -1 : openat(at, "history", flags, 0600);
	struct stat status;

	if (fd >= 0 &&
	    (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1 ||
	     status.st_uid != geteuid() || fchmod(fd, 0600) < 0)) {
		close(fd);
		fd = -1;
	}
	if (at >= 0)
		close(at);
	free(directory);
	return fd;
}

static void write_line(int fd, const char *line)
{
	if (dprintf(fd, "%s\n", line) < 0)
		return; /* a full disk loses history, nothing else */
}

static void cut(int fd)
{
	HIST_ENTRY **list = history_list();

	if (!list || ftruncate(fd, 0) < 0)
		return;
	for (; *list; list++)
		write_line(fd, (*list)->line);
}

void history_open(struct history *history)
{
	char *line = NULL;
	size_t size = 0, n = 0;
	ssize_t length;
	FILE *file;
	int copy;

	using_history();
	stifle_history(LINES_MAX);
	history->fd = open_file();
	copy = history->fd < 0 ? -1 : fcntl(history->fd, F_DUPFD_CLOEXEC, 3);
	file = copy < 0 ? NULL : fdopen(copy, "r");
	if (!file)
		return;
	while ((length = getline(&line, &size, file)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		add_history(line);
		n++;
	}
	free(line);
	fclose(file);
	if (n > 2 * LINES_MAX)
		cut(history->fd);
}

void history_add(struct history *history, const char *line)
{
	HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;

	if (!line[strspn(line, " \t")] || (last && strcmp(last->line, line) == 0))
		return;
	add_history(line);
	if (history->fd >= 0)
		write_line(history->fd, line);
}

void history_close(struct history *history)
{
	if (history->fd >= 0)
		close(history->fd);
	clear_history();
}
