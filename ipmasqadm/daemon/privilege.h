/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ipmasqd may do: checked at the start, given up before it listens to anybody. */
#ifndef IPMASQD_PRIVILEGE_H
#define IPMASQD_PRIVILEGE_H

#include <ipmasq/error.h>
#include <sys/types.h>

/* Who ipmasqd is to be. */
struct privilege {
	uid_t uid;
	gid_t gid;
	char name[64];
};

/*
 * privilege_check - whether the start can succeed, and who `user` is (NULL: the user ipmasqd, or
 * nobody; without root's uid, whoever it is).  0, or -1 with an error.
 */
int privilege_check(struct privilege *privilege, const char *user, struct ipmasq_error *error);

/*
 * privilege_drop - become that user, with CAP_NET_ADMIN and CAP_NET_RAW and no way to more; of this
 * thread, so before there are others.
 */
int privilege_drop(const struct privilege *privilege, struct ipmasq_error *error);

#endif
