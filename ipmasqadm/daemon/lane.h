/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside the datapath: what datapath.c and the two kinds of it (nfqueue.c, tun.c) share.
 *
 * A lane is a thread with a file descriptor of the kernel's, one for each worker of the engine.
 * The kind takes a batch of packets from the descriptor, has lane_translate() find each one's
 * worker, and gives the packets back as the engine left them; datapath.c has the threads.
 */
#ifndef IPMASQD_LANE_H
#define IPMASQD_LANE_H

#include "datapath.h"
#include "user/user.h"

#include <pthread.h>
#include <stdatomic.h>

#define LANE_BATCH 32 /* packets that are taken at once */

/* Written by the lane's thread only, read by any. */
struct lane_counters {
	_Atomic uint64_t packets, bytes, wakeups, other_worker, truncated, failed;
};

struct lane {
	struct datapath *datapath;
	unsigned int worker;
	int fd;
	pthread_t thread;
	bool running;      /* the thread is to be joined */
	_Atomic int error; /* errno that ended it, 0 while it runs */
	struct lane_counters counters;
} __attribute__((aligned(64)));

/* A kind of datapath. */
struct datapath_kind {
	const char *name;
	/* Opens everything and sets each lane's fd. */
	int (*open)(struct datapath *datapath, struct ipmasq_error *error);
	/* Moves a batch: how many packets, 0 when none waits, -1 with errno when it cannot go on.
	 */
	int (*turn)(struct lane *lane);
	/* Nothing has come for a second. */
	void (*rest)(struct lane *lane);
	/* What becomes of a packet that was held: changed so, or dropped (NULL); any thread. */
	void (*release)(struct datapath *datapath, uint32_t id, void *data, int length);
	/* Has the kernel give us what these hooks see; once a second, and when they change. */
	void (*tend)(struct datapath *datapath, unsigned int hooks);
	/* From now on the kernel shall give us no more packets; as datapath_stop(). */
	void (*drain)(struct datapath *datapath, unsigned int held);
	/* Packets that the kernel dropped since the start for want of room. */
	uint64_t (*lost)(const struct datapath *datapath);
	void (*close)(struct datapath *datapath);
};

extern const struct datapath_kind nfqueue_kind, tun_kind;

struct datapath {
	struct datapath_options options;
	const struct datapath_kind *kind;
	struct user *user;
	void *private; /* the kind's */
	int wake;      /* eventfd: readable when the threads shall end */
	_Atomic bool stopping;
	bool abandoned; /* it failed and is closed: the kernel's side stays, as after a kill */
	pthread_mutex_t tend; /* one change of the kernel's side at a time */
	struct lane lanes[];
};

static inline void lane_count(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/*
 * The length of the IPv4 datagram at `data` of which `got` bytes are there; 0: it is none, or not
 * whole.  Only such a datagram may go to the engine.
 */
static inline int lane_datagram(const void *data, size_t got)
{
	const uint8_t *ip = data;
	size_t header, total;

	if (got < 20 || ip[0] >> 4 != 4)
		return 0;
	header = (ip[0] & 15u) * 4;
	total = (size_t)ip[2] << 8 | ip[3];
	return header >= 20 && total >= header && total <= got ? (int)total : 0;
}

/* Has the engine translate n datagrams, each by its own worker. */
void lane_translate(struct lane *lane, struct user_packet *packets, unsigned int n);

#endif
