// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server: one thread, one epoll instance, nothing that waits.
 *
 * A client is reading, until a request is whole, or writing, until its answer is gone; in between
 * it may wait for names of hosts, which another thread looks up (lookup.c).  One request of one
 * client is carried out per event, so that a client with thousands in its pipe waits among the
 * others.  What a client may hold is bounded: a line, a rules file, an answer; what all may hold
 * together is bounded by BUFFERED_MAX: above it only answers are written, whose clients have
 * SECONDS_STALLED to take some of it.  A line has SECONDS_LINE to become whole, a silent connection
 * SECONDS_IDLE.  Above CLIENTS_MAX, or
 * what descriptors there are for, a client gets one sentence.  The packets are other threads'.
 */
#include "control.h"
#include "answer.h"
#include "daemon.h"
#include "log.h"
#include "lookup.h"
#include "peer.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX  1024u
#define DESCRIPTORS  512u /* of the rest of the program */
#define BACKLOG      1024
#define EVENTS       64
#define BUFFERED_MAX (256u << 20)
enum patience {
	SECONDS_LINE = 10,
	SECONDS_STALLED = 20,
	SECONDS_IDLE = 300,
};

struct client {
	LIST_ENTRY(client) others;
	int fd;
	uint32_t events; /* what epoll was asked for */
	struct request_reader reader;
	char *answer;
	size_t answer_length, answered;
	struct lookups *lookups; /* of the request that is being carried out, or NULL */
	bool waiting;            /* for these */
	time_t since; /* of the last progress: a request begun, a body's or an answer's bytes */
	bool ended;   /* no more comes, or is followed: closed when the answer is gone */
};

struct control {
	const struct ipmasqd *daemon;
	int listener, epoll;
	uid_t owner;
	gid_t group;
	LIST_HEAD(, client) clients;
	unsigned int n_clients, n_clients_max;
	size_t buffered; /* of all clients */
};

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static gid_t socket_group(void)
{
	const struct group *group = getgrnam(PEER_GROUP);

	return group ? group->gr_gid : getegid();
}

/* Makes room at the path: a socket that nobody listens to is taken away, anything else stays. */
static int clear_path(const struct sockaddr_un *address, struct ipmasq_error *error)
{
	struct stat status;
	int fd, rc, code;

	if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return 0; /* bind(2) says what is wrong with it */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	rc = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)address, sizeof(*address));
	code = errno;
	if (fd >= 0)
		close(fd);
	if (rc == 0 || code == EAGAIN)
		return ipmasq_fail(
			error, EADDRINUSE,
			"another ipmasqd listens at %s; -s gives this one a socket of its own",
			address->sun_path);
	if (code == ECONNREFUSED && unlink(address->sun_path) < 0)
		return ipmasq_fail(error, errno, "cannot remove the old %s: %s", address->sun_path,
				   strerror(errno));
	return 0;
}

static int bind_listener(struct control *control, const char *path, struct ipmasq_error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int rc;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return ipmasq_usage(
			error, "'%.128s' cannot be the path of a socket: it has 1 to %zu letters",
			path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	if (clear_path(&address, error) < 0)
		return -1;
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0117);
	rc = control->listener < 0
		     ? -1
		     : bind(control->listener, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (rc < 0 || listen(control->listener, BACKLOG) < 0)
		return ipmasq_fail(error, errno, "cannot listen at %s: %s", path, strerror(errno));
	if (control->group != getegid() && chown(path, (uid_t)-1, control->group) < 0)
		return ipmasq_fail(error, errno, "cannot give %s to the group " PEER_GROUP ": %s",
				   path, strerror(errno));
	return 0;
}

/* How many clients there may be, after asking for as many descriptors as that takes. */
static unsigned int allow_clients(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	if (limit.rlim_cur < CLIENTS_MAX + DESCRIPTORS) {
		limit.rlim_cur = limit.rlim_max < CLIENTS_MAX + DESCRIPTORS
					 ? limit.rlim_max
					 : CLIENTS_MAX + DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur >= CLIENTS_MAX + DESCRIPTORS)
		return CLIENTS_MAX;
	return limit.rlim_cur > 2 * DESCRIPTORS ? (unsigned int)limit.rlim_cur - DESCRIPTORS
						: (unsigned int)limit.rlim_cur / 2;
}

static int watch(const struct control *control, int operation, int fd, uint32_t events, void *data)
{
	struct epoll_event event = {.events = events, .data.ptr = data};

	return epoll_ctl(control->epoll, operation, fd, &event);
}

struct control *control_open(const char *path, const struct ipmasqd *daemon,
			     struct ipmasq_error *error)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		ipmasq_fail(error, ENOMEM, "out of memory");
		return NULL;
	}
	control->n_clients_max = allow_clients();
	control->daemon = daemon;
	control->owner = geteuid();
	control->group = socket_group();
	control->listener = -1;
	LIST_INIT(&control->clients);
	control->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (control->epoll < 0) {
		ipmasq_fail(error, errno, "cannot watch the control socket: %s", strerror(errno));
		goto fail;
	}
	if (bind_listener(control, path, error) < 0)
		goto fail;
	if (watch(control, EPOLL_CTL_ADD, control->listener, EPOLLIN, NULL) < 0) {
		ipmasq_fail(error, errno, "cannot watch the control socket: %s", strerror(errno));
		goto fail;
	}
	return control;
fail:
	control_close(control);
	return NULL;
}

int control_start(const struct control *control, struct ipmasq_error *error)
{
	if (lookup_start(error) < 0)
		return -1;
	if (watch(control, EPOLL_CTL_ADD, lookup_fd(), EPOLLIN, (void *)(uintptr_t)control) < 0)
		return ipmasq_fail(error, errno, "cannot watch the control socket: %s",
				   strerror(errno));
	return 0;
}

static size_t held(const struct client *client)
{
	return client->reader.room + client->answer_length + lookup_size(client->lookups);
}

static void end_client(struct control *control, struct client *client)
{
	control->buffered -= held(client);
	control->n_clients--;
	LIST_REMOVE(client, others);
	close(client->fd);
	request_reader_free(&client->reader);
	lookup_drop(client->lookups);
	free(client->answer);
	free(client);
}

void control_close(struct control *control)
{
	if (!control)
		return;
	while (!LIST_EMPTY(&control->clients))
		end_client(control, LIST_FIRST(&control->clients));
	if (control->listener >= 0)
		close(control->listener);
	if (control->epoll >= 0)
		close(control->epoll);
	free(control);
}

int control_fd(const struct control *control)
{
	return control->epoll;
}

/* One sentence to somebody who is not served. */
static void turn_away(int fd, int code, const char *sentence)
{
	struct ipmasq_error error;
	char *answer;
	size_t length;

	ipmasq_fail(&error, code, "%s", sentence);
	if (answer_error(&error, &answer, &length) == 0) {
		send(fd, answer, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		free(answer);
	}
	close(fd);
}

static void add_client(struct control *control, int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client || watch(control, EPOLL_CTL_ADD, fd, EPOLLIN, client) < 0) {
		free(client);
		turn_away(fd, ENOMEM, "ipmasqd: out of memory");
		return;
	}
	client->fd = fd;
	client->events = EPOLLIN;
	client->since = now();
	LIST_INSERT_HEAD(&control->clients, client, others);
	control->n_clients++;
}

static void accept_clients(struct control *control)
{
	for (int i = 0; i < EVENTS; i++) {
		int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		if (!peer_may(fd, control->owner, control->group))
			turn_away(fd, EACCES,
				  "ipmasqd: permission denied: only root and the group "
				  "'" PEER_GROUP "' may, see ipmasqd(8)");
		else if (control->n_clients >= control->n_clients_max)
			turn_away(fd, EAGAIN, "ipmasqd: too many clients; try again");
		else
			add_client(control, fd);
	}
}

static int carry_out(struct control *control, struct client *client)
{
	int rc;

	if (!client->lookups)
		client->lookups = lookup_new(client);
	if (!client->lookups)
		return -1;
	rc = answer_request(control->daemon, &client->reader.request, client->lookups,
			    &client->answer, &client->answer_length);
	if (rc > 0) {
		client->waiting = true;
		lookup_give(client->lookups);
		return rc;
	}
	lookup_drop(client->lookups);
	client->lookups = NULL;
	return rc;
}

/* The answer to what the reader has found; 1: not yet. */
static int make_answer(struct control *control, struct client *client, enum request_state state)
{
	struct request_reader *reader = &client->reader;

	client->answered = 0;
	if (state == REQUEST_WHOLE)
		return carry_out(control, client);
	if (state == REQUEST_BROKEN)
		client->ended = true;
	return answer_error(&reader->error, &client->answer, &client->answer_length);
}

/* Carries one request out, if there is one.  -1: the client is to be ended. */
static int serve(struct control *control, struct client *client)
{
	enum request_state state = request_look(&client->reader);
	int rc;

	if (client->answer || state == REQUEST_MORE)
		return 0;
	rc = make_answer(control, client, state);
	if (rc > 0)
		return 0;
	if (rc < 0) {
		client->answer = NULL;
		client->answer_length = 0;
		return -1;
	}
	if (state == REQUEST_BROKEN)
		request_reader_free(&client->reader);
	else
		request_done(&client->reader);
	client->since = now();
	return 0;
}

/* Reads what there is; -1: the client is to be ended. */
static int read_some(struct client *client)
{
	size_t size;
	char *space = request_space(&client->reader, &size);
	ssize_t n;

	if (!space)
		return -1;
	if (!size)
		return 0;
	n = recv(client->fd, space, size, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0) {
		client->ended = true;
		return 0;
	}
	if (!client->reader.length || client->reader.line)
		client->since = now();
	request_add(&client->reader, (size_t)n);
	return 0;
}

static int write_some(struct client *client)
{
	ssize_t n = send(client->fd, client->answer + client->answered,
			 client->answer_length - client->answered, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	client->answered += (size_t)n;
	client->since = now();
	if (client->answered == client->answer_length) {
		free(client->answer);
		client->answer = NULL;
		client->answer_length = client->answered = 0;
	}
	return 0;
}

/* What comes next; -1: nothing, the client is to be ended. */
static int next_step(const struct control *control, struct client *client)
{
	bool more = request_look(&client->reader) != REQUEST_MORE;
	uint32_t events;

	if (!client->answer && client->ended && !more)
		return -1;
	events = client->waiting ? 0 : client->answer || more ? EPOLLOUT : EPOLLIN;
	if (events == client->events)
		return 0;
	client->events = events;
	return watch(control, EPOLL_CTL_MOD, client->fd, events, client);
}

/* A read, a request carried out, a write; -1: the client is to be ended. */
static int step(struct control *control, struct client *client)
{
	bool full = control->buffered > BUFFERED_MAX;

	if (client->waiting) /* it has gone */
		return -1;
	if (!client->answer && !client->ended && !full && read_some(client) < 0)
		return -1;
	if (client->ended && !client->answer)
		request_end(&client->reader);
	if (!full && serve(control, client) < 0)
		return -1;
	if (client->answer && write_some(client) < 0)
		return -1;
	return next_step(control, client);
}

/* One event of one client. */
static void run_client(struct control *control, struct client *client)
{
	size_t before = held(client);
	int rc = step(control, client);

	control->buffered += held(client) - before;
	if (rc < 0)
		end_client(control, client);
}

/* Those whose names are known now. */
static void run_waiting(struct control *control)
{
	struct client *client;

	while ((client = lookup_take())) {
		client->waiting = false;
		run_client(control, client);
	}
}

void control_run(struct control *control)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(control->epoll, events, EVENTS, 0);
	bool known = false;

	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == control)
			known = true;
		else if (events[i].data.ptr)
			run_client(control, events[i].data.ptr);
		else
			accept_clients(control);
	}
	if (known) /* last: it may end clients that have an event, too */
		run_waiting(control);
}

static enum patience patience(const struct client *client)
{
	if (client->answer)
		return SECONDS_STALLED;
	if (client->waiting)
		return SECONDS_IDLE;
	return client->reader.length || client->reader.line ? SECONDS_LINE : SECONDS_IDLE;
}

void control_tick(struct control *control)
{
	struct client *client = LIST_FIRST(&control->clients), *next;
	time_t time = now();

	for (; client; client = next) {
		next = LIST_NEXT(client, others);
		if (time - client->since < patience(client))
			continue;
		if (patience(client) == SECONDS_LINE) {
			request_break(&client->reader,
				      "ipmasqd: this took too long to arrive; nothing was done");
			run_client(control, client);
		} else {
			end_client(control, client);
		}
	}
}
