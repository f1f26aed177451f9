// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The datapath's threads: one lane for each worker of the engine.
 *
 * A lane turns: it takes what packets wait, has the engine translate them, gives them back, and
 * sleeps when none waits, a second at most, since once a second it tells the engine that time
 * passes.  The kernel's hash hands a packet to the lane of its worker; one that comes by another
 * lane (an ICMP error belongs to the worker of the packet that it quotes) is translated by the
 * right worker all the same, under that worker's lock, which the engine takes.
 *
 * The control thread talks to the lanes by `stopping` and the eventfd `wake` only.  To stop, the
 * kernel is told to give no more packets, then each lane ends when it finds none.  A lane that
 * cannot go on (its descriptor broke) notes the error and ends; datapath_alive() says so, and what
 * it was to translate is not let through (but for --fail-open).
 *
 * Above: ipmasqd.  Below: a kind of datapath (lane.h) and the engine (user.h).
 */
#include "datapath.h"
#include "lane.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 1000

static unsigned int worker_of(const struct lane *lane, const struct user_packet *packet)
{
	return user_worker_of(lane->datapath->user, packet->data,
			      lane_datagram(packet->data, (size_t)packet->size), packet->hook);
}

void lane_translate(struct lane *lane, struct user_packet *packets, unsigned int n)
{
	struct user *user = lane->datapath->user;
	unsigned int first = 0, worker, next;

	if (!n)
		return;
	if (lane->datapath->options.workers == 1) {
		user_translate(user, 0, packets, n);
		return;
	}
	worker = worker_of(lane, &packets[0]);
	for (unsigned int i = 1; i <= n; i++) {
		next = i < n ? worker_of(lane, &packets[i]) : 0;
		if (i < n && next == worker)
			continue;
		user_translate(user, worker, packets + first, i - first);
		if (worker != lane->worker)
			lane_count(&lane->counters.other_worker, i - first);
		first = i;
		worker = next;
	}
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

/* Until a packet waits, the lanes are to stop, or time passes; -1 with errno. */
static int wait_for_packets(struct lane *lane)
{
	struct pollfd waits[] = {{.fd = lane->fd, .events = POLLIN},
				 {.fd = lane->datapath->wake, .events = POLLIN}};
	int ready = poll(waits, 2, TICK_MS);

	if (ready < 0 && errno != EINTR)
		return -1;
	if (waits[0].revents & POLLNVAL) {
		errno = EBADF;
		return -1;
	}
	if (ready == 0)
		lane->datapath->kind->rest(lane);
	return 0;
}

static void tend(void *arg)
{
	struct datapath *datapath = arg;

	pthread_mutex_lock(&datapath->tend);
	if (!atomic_load(&datapath->stopping))
		datapath->kind->tend(datapath, user_hooks(datapath->user));
	pthread_mutex_unlock(&datapath->tend);
}

static void tick(struct lane *lane, time_t *last)
{
	time_t now = seconds();

	if (now == *last)
		return;
	*last = now;
	user_tick(lane->datapath->user, lane->worker);
	if (lane->worker == 0)
		tend(lane->datapath);
}

static void *lane_main(void *arg)
{
	struct lane *lane = arg;
	struct datapath *datapath = lane->datapath;
	time_t last = 0;
	int rc;

	while ((rc = datapath->kind->turn(lane)) >= 0) {
		tick(lane, &last);
		if (rc > 0) {
			lane_count(&lane->counters.wakeups, 1);
			continue;
		}
		if (atomic_load(&datapath->stopping))
			return NULL;
		if (wait_for_packets(lane) < 0)
			break;
	}
	atomic_store(&lane->error, errno);
	return NULL;
}

static void fragment_released(void *arg, unsigned int worker, uint32_t id, void *data, int length)
{
	struct datapath *datapath = arg;

	(void)worker;
	datapath->kind->release(datapath, id, data, length);
}

struct datapath *datapath_open(const struct datapath_options *options, struct user *user,
			       struct ipmasq_error *error)
{
	size_t size = sizeof(struct datapath) + options->workers * sizeof(struct lane);
	struct datapath *datapath = aligned_alloc(_Alignof(struct lane), size);

	if (!datapath) {
		ipmasq_fail(error, ENOMEM, "out of memory");
		return NULL;
	}
	memset(datapath, 0, size);
	datapath->options = *options;
	datapath->kind = options->tun ? &tun_kind : &nfqueue_kind;
	datapath->user = user;
	pthread_mutex_init(&datapath->tend, NULL);
	for (unsigned int i = 0; i < options->workers; i++) {
		datapath->lanes[i].datapath = datapath;
		datapath->lanes[i].worker = i;
		datapath->lanes[i].fd = -1;
	}
	user_set_fragment(user, fragment_released, datapath);
	user_set_changed(user, tend, datapath);
	datapath->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (datapath->wake < 0)
		ipmasq_fail(error, errno, "cannot make an eventfd: %s", strerror(errno));
	if (datapath->wake < 0 || datapath->kind->open(datapath, error) < 0) {
		datapath_close(datapath);
		return NULL;
	}
	return datapath;
}

int datapath_start(struct datapath *datapath, struct ipmasq_error *error)
{
	sigset_t all, before;
	int code = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned int i = 0; !code && i < datapath->options.workers; i++) {
		struct lane *lane = &datapath->lanes[i];

		code = pthread_create(&lane->thread, NULL, lane_main, lane);
		lane->running = !code;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!code)
		return 0;
	datapath_stop(datapath, 0);
	return ipmasq_fail(error, code, "cannot start a thread: %s", strerror(code));
}

void datapath_stop(struct datapath *datapath, unsigned int held)
{
	uint64_t one = 1;
	struct ipmasq_error error;

	datapath->abandoned = !datapath->options.fail_open && !datapath_alive(datapath, &error);
	pthread_mutex_lock(&datapath->tend);
	if (!datapath->abandoned)
		datapath->kind->drain(datapath, held);
	atomic_store(&datapath->stopping, true);
	pthread_mutex_unlock(&datapath->tend);
	if (write(datapath->wake, &one, sizeof(one)) < 0)
		return; /* cannot happen: the counter is far from its end */
	for (unsigned int i = 0; i < datapath->options.workers; i++) {
		struct lane *lane = &datapath->lanes[i];

		if (lane->running)
			pthread_join(lane->thread, NULL);
		lane->running = false;
	}
}

void datapath_close(struct datapath *datapath)
{
	if (!datapath)
		return;
	user_set_changed(datapath->user, NULL, NULL);
	user_set_fragment(datapath->user, NULL, NULL);
	datapath->kind->close(datapath);
	if (datapath->wake >= 0)
		close(datapath->wake);
	pthread_mutex_destroy(&datapath->tend);
	free(datapath);
}

bool datapath_alive(const struct datapath *datapath, struct ipmasq_error *error)
{
	for (unsigned int i = 0; i < datapath->options.workers; i++) {
		int code = atomic_load(&datapath->lanes[i].error);

		if (code) {
			ipmasq_fail(error, code, "worker %u cannot take packets any more: %s", i,
				    strerror(code));
			return false;
		}
	}
	return true;
}

void datapath_get_status(const struct datapath *datapath, struct datapath_status *status)
{
	*status = (struct datapath_status){.kind = datapath->kind->name,
					   .workers = datapath->options.workers,
					   .lost = datapath->kind->lost(datapath)};
	for (unsigned int i = 0; i < datapath->options.workers; i++) {
		const struct lane_counters *counters = &datapath->lanes[i].counters;

		status->packets += atomic_load_explicit(&counters->packets, memory_order_relaxed);
		status->bytes += atomic_load_explicit(&counters->bytes, memory_order_relaxed);
		status->wakeups += atomic_load_explicit(&counters->wakeups, memory_order_relaxed);
		status->other_worker +=
			atomic_load_explicit(&counters->other_worker, memory_order_relaxed);
		status->truncated +=
			atomic_load_explicit(&counters->truncated, memory_order_relaxed);
		status->failed += atomic_load_explicit(&counters->failed, memory_order_relaxed);
	}
}
