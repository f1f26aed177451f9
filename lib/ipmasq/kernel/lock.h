/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One writer of our table at a time, in a network namespace. */
#ifndef IPMASQ_KERNEL_LOCK_H
#define IPMASQ_KERNEL_LOCK_H

/* A lock that is held (a descriptor), or -1: somebody has it for too long, go on without. */
int lock_take(void);

/* Gives it back; -1 is allowed. */
void lock_drop(int lock);

#endif
