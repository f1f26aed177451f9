// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking up the names of hosts while others are served.
 *
 * Modules ask for names in the middle of what they do, so a request is carried out as often as it
 * takes: each time it is told the names that are known by then, and what is not is noted and
 * refused.  An unknown name in a command makes it fail before it has done anything, an unknown
 * address in a listing is shown as a number; either way the output is thrown away, the thread looks
 * up what was noted, and the request is carried out once more.  One that has changed the rules all
 * the same is not (answer.c).
 *
 * The thread takes one name of each request in turn, so a long listing keeps nobody from his one
 * name.  While a request is the thread's, only the thread touches its list.
 */
#include "lookup.h"

#include <errno.h>
#include <ipmasq/hosts.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#define LOOKUPS_MAX 1024u /* of a request; of more addresses the numbers are shown */
#define LOOKUPS_FEW 8u
#define NAME_ROOM   256u

struct lookup {
	char name[NAME_ROOM]; /* asked for, or found */
	struct ipmasq_address address;
	bool by_name;
	uint8_t family; /* wanted, if by name */
	int code;       /* EAI_*, or 0: found */
};

struct lookups {
	void *owner;
	struct lookup *list;
	size_t n, known, room; /* the first so many are known */
	bool missing, dropped, with_thread;
	TAILQ_ENTRY(lookups) next;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t given;
	TAILQ_HEAD(, lookups) waiting, finished;
	int ready;
} thread = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.given = PTHREAD_COND_INITIALIZER,
	.waiting = TAILQ_HEAD_INITIALIZER(thread.waiting),
	.finished = TAILQ_HEAD_INITIALIZER(thread.finished),
	.ready = -1,
};

static void lookups_free(struct lookups *lookups)
{
	free(lookups->list);
	free(lookups);
}

/* --- the thread ---------------------------------------------------------------------------------
 */

static void look_up(struct lookup *lookup)
{
	const struct ipmasq_hosts *hosts = &ipmasq_hosts_system;

	lookup->code =
		lookup->by_name
			? hosts->address(NULL, lookup->name, lookup->family, &lookup->address)
			: hosts->name(NULL, &lookup->address, lookup->name, sizeof(lookup->name));
}

/* Behind a look-up of its list, with the lock. */
static void put_back(struct lookups *lookups)
{
	uint64_t one = 1;

	if (lookups->dropped) {
		lookups_free(lookups);
		return;
	}
	if (++lookups->known < lookups->n) {
		TAILQ_INSERT_TAIL(&thread.waiting, lookups, next);
		return;
	}
	TAILQ_INSERT_TAIL(&thread.finished, lookups, next);
	if (write(thread.ready, &one, sizeof(one)) < 0)
		return; /* cannot happen: the counter is far from its end */
}

static void *run(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&thread.lock);
	for (;;) {
		struct lookups *lookups = TAILQ_FIRST(&thread.waiting);

		if (!lookups) {
			pthread_cond_wait(&thread.given, &thread.lock);
			continue;
		}
		TAILQ_REMOVE(&thread.waiting, lookups, next);
		if (!lookups->dropped) {
			pthread_mutex_unlock(&thread.lock);
			look_up(&lookups->list[lookups->known]);
			pthread_mutex_lock(&thread.lock);
		}
		put_back(lookups);
	}
	return NULL;
}

int lookup_start(struct ipmasq_error *error)
{
	sigset_t all, before;
	pthread_t id;
	int code;

	thread.ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (thread.ready < 0)
		return ipmasq_fail(error, errno, "cannot make an eventfd: %s", strerror(errno));
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&id, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code)
		return ipmasq_fail(error, code, "cannot start a thread: %s", strerror(code));
	pthread_detach(id); /* a name server that is silent keeps nobody from ending */
	return 0;
}

int lookup_fd(void)
{
	return thread.ready;
}

/* --- requests -----------------------------------------------------------------------------------
 */

struct lookups *lookup_new(void *owner)
{
	struct lookups *lookups = calloc(1, sizeof(*lookups));

	if (lookups)
		lookups->owner = owner;
	return lookups;
}

size_t lookup_size(const struct lookups *lookups)
{
	return lookups ? lookups->room * sizeof(lookups->list[0]) : 0;
}

void lookup_drop(struct lookups *lookups)
{
	if (!lookups)
		return;
	pthread_mutex_lock(&thread.lock);
	if (lookups->with_thread && lookups->known == lookups->n)
		TAILQ_REMOVE(&thread.finished, lookups, next);
	if (lookups->with_thread && lookups->known < lookups->n)
		lookups->dropped = true;
	else
		lookups_free(lookups);
	pthread_mutex_unlock(&thread.lock);
}

void lookup_give(struct lookups *lookups)
{
	pthread_mutex_lock(&thread.lock);
	lookups->with_thread = true;
	TAILQ_INSERT_TAIL(&thread.waiting, lookups, next);
	pthread_cond_signal(&thread.given);
	pthread_mutex_unlock(&thread.lock);
}

void *lookup_take(void)
{
	struct lookups *lookups;
	uint64_t count;

	pthread_mutex_lock(&thread.lock);
	lookups = TAILQ_FIRST(&thread.finished);
	if (lookups) {
		TAILQ_REMOVE(&thread.finished, lookups, next);
		lookups->with_thread = false;
	} else if (read(thread.ready, &count, sizeof(count)) < 0) {
		count = 0; /* somebody has taken all already */
	}
	pthread_mutex_unlock(&thread.lock);
	return lookups ? lookups->owner : NULL;
}

/* --- what modules ask ---------------------------------------------------------------------------
 */

/* The answer to the same question, or a note of it; NULL: it is unknown. */
static const struct lookup *find(struct lookups *lookups, const struct lookup *wanted)
{
	struct lookup *more;

	for (size_t i = 0; i < lookups->n; i++) {
		const struct lookup *l = &lookups->list[i];

		if (l->by_name == wanted->by_name &&
		    (l->by_name ? l->family == wanted->family && !strcmp(l->name, wanted->name)
				: ipmasq_address_equal(&l->address, &wanted->address)))
			return i < lookups->known ? l : NULL;
	}
	if (lookups->n == LOOKUPS_MAX)
		return NULL;
	if (lookups->n == lookups->room) {
		size_t room = lookups->room ? 2 * lookups->room : LOOKUPS_FEW;

		more = realloc(lookups->list, room * sizeof(*more));
		if (!more)
			return NULL;
		lookups->list = more;
		lookups->room = room;
	}
	lookups->list[lookups->n++] = *wanted;
	lookups->missing = true;
	return NULL;
}

static int address_of(void *data, const char *name, uint8_t family, struct ipmasq_address *address)
{
	struct lookup wanted = {.by_name = true, .family = family};
	const struct lookup *found;

	if (strlen(name) >= sizeof(wanted.name))
		return EAI_NONAME; /* RFC 1035: 255 bytes are the most */
	strcpy(wanted.name, name);
	found = find(data, &wanted);
	if (!found)
		return EAI_AGAIN;
	if (!found->code)
		*address = found->address;
	return found->code;
}

static int name_of(void *data, const struct ipmasq_address *address, char *text, unsigned int size)
{
	const struct lookup wanted = {.address = *address};
	const struct lookup *found = find(data, &wanted);

	if (!found)
		return EAI_AGAIN;
	if (!found->code && strlen(found->name) >= size)
		return EAI_OVERFLOW;
	if (!found->code)
		strcpy(text, found->name);
	return found->code;
}

void lookup_begin(struct lookups *lookups)
{
	static const struct ipmasq_hosts hosts = {address_of, name_of};

	lookups->missing = false;
	ipmasq_hosts_set(&hosts, lookups);
}

bool lookup_end(struct lookups *lookups)
{
	ipmasq_hosts_set(NULL, NULL);
	return lookups->missing;
}
