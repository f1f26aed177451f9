/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel that says what a test tells it to, and keeps what it is sent.
 *
 * The linker's --wrap sends the socket calls of lib/ipmasq/kernel/netlink.c here, so that all
 * the rest of the kernel engine runs as it is, without a socket and without privilege.
 */
#ifndef TESTS_FAKE_KERNEL_H
#define TESTS_FAKE_KERNEL_H

#include "netlink.h"

#include <ipmasq/rule.h>

/* Forgets everything. */
void fake_kernel_reset(void);

/* A netlink object that talks to the fake kernel; to be closed by fake_kernel_close(). */
void fake_kernel_open(struct netlink *netlink);
void fake_kernel_close(struct netlink *netlink);

/* Queues a datagram, as it is, for the next read. */
void fake_kernel_answer(const void *datagram, size_t length);

/* Queues the message that ends an answer: an error report, or with code 0 the end of a dump. */
void fake_kernel_answer_end(int code);

/* Called with each request's NFT_MSG_* type before the first answer is read, to queue answers. */
void fake_kernel_on_request(void (*hook)(uint16_t type));

/* What a commit is told: 0, or an errno value. */
void fake_kernel_refuse(int code);

/* The bytes of the last commit and of the last request. */
const char *fake_kernel_batch(size_t *length);
const char *fake_kernel_request(size_t *length);

#endif
