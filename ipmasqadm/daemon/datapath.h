/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What moves the packets between the kernel and the user engine: NFQUEUE (nfqueue.h) or, for a
 * kernel without it, a TUN device (tun.h).  ipmasqd opens it with privilege, drops what privilege
 * it can, starts it, and from then on only looks after it; each worker of the engine has a thread
 * here.
 *
 * Of the privileges it keeps CAP_NET_ADMIN (verdicts and nft rules), in every thread.  Of the
 * system calls the threads and the calls below need, besides what glibc's threads, malloc(3) and
 * clock_gettime(2) need: recvmmsg, recvfrom, sendmsg, sendto, ioctl, getsockopt and setsockopt (the
 * send buffer grows for a large transaction), ppoll and poll, read, readv, write, writev, pread64,
 * close, futex, madvise, munmap, sched_yield, exit.  Sockets, devices and memory are opened in
 * datapath_open().
 */
#ifndef IPMASQD_DATAPATH_H
#define IPMASQD_DATAPATH_H

#include <ipmasq/error.h>
#include <stdbool.h>
#include <stdint.h>

struct datapath;
struct user;

struct datapath_options {
	const char *interface; /* the outside one; it need not be there yet */
	const char *tun;       /* a TUN device's name instead of NFQUEUE, or NULL */
	unsigned int workers;  /* of the engine: user_open()'s number, 1..64 */
	unsigned int queue;    /* the first of 2 * workers NFQUEUE numbers */
	bool fail_open;        /* packets pass untranslated when nobody takes them */
};

/*
 * datapath_open - binds the queues and installs the nft rules (table inet ipmasqd, replacing what a
 * killed ipmasqd left), or makes the TUN device; nothing is translated before datapath_start().
 *
 * It takes user_set_changed() and user_set_fragment() of the engine, so call it after user_open(),
 * and before commits that other threads make.  NULL with an error: not permitted, a queue or the
 * table is another ipmasqd's, no such kernel facility.
 */
struct datapath *datapath_open(const struct datapath_options *options, struct user *user,
			       struct ipmasq_error *error);

/* Starts a thread for each worker, with all signals blocked.  0, or -1 with an error. */
int datapath_start(struct datapath *datapath, struct ipmasq_error *error);

/*
 * datapath_stop - takes the rules away (NFQUEUE), gives a verdict for everything that waits, for a
 * second at most, and ends the threads.  Packets pass untranslated afterwards; with `held`,
 * seconds, they are dropped for so long, unless the next ipmasqd comes, and the table stays for
 * that: one packet that this machine's own TCP, or the remote's, got to see would end the
 * connection.
 */
void datapath_stop(struct datapath *datapath, unsigned int held);

/*
 * Removes the table or the device, unless it failed and is not to fail open, and frees it; takes
 * the engine's callbacks back.  NULL is fine.
 */
void datapath_close(struct datapath *datapath);

/* Whether all threads are at work; if not, the first failure is in `error`.  Ask once a second. */
bool datapath_alive(const struct datapath *datapath, struct ipmasq_error *error);

/* Counters since the start, of all threads; any thread may ask at any time. */
struct datapath_status {
	const char *kind; /* "nfqueue" or "tun" */
	uint32_t workers;
	uint64_t packets, bytes; /* taken from the kernel */
	uint64_t wakeups;        /* batches: packets / wakeups is their mean length */
	uint64_t other_worker;   /* translated by another worker than that of the queue */
	uint64_t truncated;      /* dropped: longer than a queue can carry */
	uint64_t lost;           /* packets that the kernel dropped for want of room */
	uint64_t failed;         /* verdicts or packets that the kernel refused */
};
void datapath_get_status(const struct datapath *datapath, struct datapath_status *status);

#endif
