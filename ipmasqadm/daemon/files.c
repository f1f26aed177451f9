// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Privilege separation for files.
 *
 * After the drop ipmasqd is `nobody` and knows nothing of CAP_DAC_OVERRIDE, yet has to read a rules
 * file that is root's at SIGHUP, to write the links at its end, and to remove its socket.  A child
 * is forked first of all.  It keeps the user and this one capability, and obeys one-byte orders
 * from a socket pair: none of them has an argument, so that who takes ipmasqd over gains the files
 * that were named on its command line, not the file system.  An open descriptor goes back by
 * SCM_RIGHTS.  The child ends with the socket pair, whatever signals come before.
 *
 * The state is written beside its file and renamed, so a crash leaves the old or the new one.
 */
#include "files.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NOT_REGULAR EMEDIUMTYPE /* an errno value that no file system gives */

enum order {
	READ_RULES,
	READ_STATE,
	NEW_STATE,
	KEEP_STATE,
	WRITE_PID,
	REMOVE_PID,
	REMOVE_SOCKET,
};

struct answer {
	int code; /* errno value, 0: done */
};

static int child = -1;  /* the socket to it */
static char *new_state; /* the name that NEW_STATE has made, in the child */

/* 0 for a regular file; -1 with errno. */
static int check_kind(const struct stat *status)
{
	if (S_ISREG(status->st_mode))
		return 0;
	errno = S_ISDIR(status->st_mode) ? EISDIR : NOT_REGULAR;
	return -1;
}

static bool is_null(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 3);
}

/* A pipe would make us wait and a device but /dev/null has no end: neither is read, written, or
 * replaced. */
static int open_regular(const char *name, int flags)
{
	struct stat status;
	int fd, code;

	if (!name) {
		errno = ENOENT;
		return -1;
	}
	fd = open(name, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
	if (fd < 0 || (fstat(fd, &status) == 0 &&
		       ((flags == O_RDONLY && is_null(&status)) || check_kind(&status) == 0)))
		return fd;
	code = errno;
	close(fd);
	errno = code;
	return -1;
}

/* A link is not followed, but replaced: who may write beside the file must not choose another. */
static int make_state(const char *name)
{
	struct stat status;

	free(new_state);
	new_state = NULL;
	if (name && lstat(name, &status) == 0 && !S_ISLNK(status.st_mode) &&
	    check_kind(&status) < 0)
		return -1;
	if (!name || asprintf(&new_state, "%s.XXXXXX", name) < 0) {
		new_state = NULL;
		errno = ENOENT;
		return -1;
	}
	return mkostemp(new_state, O_CLOEXEC);
}

static int keep_state(const char *name)
{
	int rc = new_state ? rename(new_state, name) : -1;

	free(new_state);
	new_state = NULL;
	return rc;
}

/* The descriptor of an order that opens something, 0 for the others; -1 with errno. */
static int obey(const struct files *files, char order)
{
	switch ((enum order)order) {
	case READ_RULES:
		return open_regular(files->rules, O_RDONLY);
	case READ_STATE:
		return open_regular(files->state, O_RDONLY);
	case NEW_STATE:
		return make_state(files->state);
	case KEEP_STATE:
		return keep_state(files->state);
	case WRITE_PID:
		return open_regular(files->pid, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
	case REMOVE_PID:
		return unlink(files->pid);
	case REMOVE_SOCKET:
		return unlink(files->socket);
	}
	errno = EINVAL;
	return -1;
}

/* One message with a descriptor, if `fd` is none of the standard ones. */
static void reply(int socket, struct answer answer, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec data = {&answer, sizeof(answer)};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

	if (fd > 0) {
		struct cmsghdr *header;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(int));
	}
	sendmsg(socket, &message, MSG_NOSIGNAL);
}

static void keep_one_capability(void)
{
	bool has = capng_have_capability(CAPNG_PERMITTED, CAP_DAC_OVERRIDE);

	capng_clear(CAPNG_SELECT_BOTH);
	if (has)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_DAC_OVERRIDE);
	capng_apply(CAPNG_SELECT_BOTH);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* It says nothing, and whoever reads what the starting daemon says is not to wait for it. */
static void leave_standard_files(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

/* The child's life. */
static void serve(const struct files *files, int socket)
{
	char order;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NAME, "ipmasqd-files");
	leave_standard_files();
	keep_one_capability();
	while (recv(socket, &order, 1, 0) == 1) {
		int fd = obey(files, order);
		struct answer answer = {fd < 0 ? errno : 0};

		reply(socket, answer, fd);
		if (fd > 0)
			close(fd);
	}
	if (new_state)
		unlink(new_state);
	_exit(EXIT_SUCCESS);
}

int files_start(const struct files *files, struct ipmasq_error *error)
{
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return ipmasq_fail(error, errno, "cannot start the process that opens files: %s",
				   strerror(errno));
	pid = fork();
	if (pid < 0)
		return ipmasq_fail(error, errno, "cannot start the process that opens files: %s",
				   strerror(errno));
	if (pid == 0) {
		close(ends[0]);
		serve(files, ends[1]);
	}
	close(ends[1]);
	child = ends[0];
	return 0;
}

/* The descriptor that came, 0 when none did; -1 with errno. */
static int order(enum order what)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct answer answer;
	struct iovec data = {&answer, sizeof(answer)};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	const struct cmsghdr *header;
	char byte = (char)what;
	int fd = 0;

	if (send(child, &byte, 1, MSG_NOSIGNAL) != 1 ||
	    recvmsg(child, &message, MSG_CMSG_CLOEXEC) != sizeof(answer)) {
		errno = EPIPE;
		return -1;
	}
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(int));
	errno = answer.code;
	return answer.code ? -1 : fd;
}

static FILE *order_file(enum order what, const char *mode)
{
	int fd = order(what);
	FILE *file = fd > 0 ? fdopen(fd, mode) : NULL;

	if (!file && fd > 0)
		close(fd);
	return file;
}

const char *files_reason(int code)
{
	return code == NOT_REGULAR ? "it is no regular file" : strerror(code);
}

FILE *files_rules(void)
{
	return order_file(READ_RULES, "r");
}

FILE *files_state(void)
{
	return order_file(READ_STATE, "r");
}

FILE *files_new_state(void)
{
	return order_file(NEW_STATE, "w");
}

int files_keep_state(void)
{
	return order(KEEP_STATE);
}

int files_write_pid(const char *line)
{
	FILE *file = order_file(WRITE_PID, "w");

	if (!file)
		return -1;
	fputs(line, file);
	return fclose(file);
}

void files_remove_pid(void)
{
	order(REMOVE_PID);
}

void files_remove_socket(void)
{
	order(REMOVE_SOCKET);
}

int files_fd(void)
{
	return child;
}

void files_end(void)
{
	if (child >= 0)
		close(child);
	child = -1;
}
