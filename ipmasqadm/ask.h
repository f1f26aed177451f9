/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to the kernel by netlink, for the parts that look at more of it than the rules: routes,
 * neighbours, conntrack's statistics, other people's tables.  The kernel answers before send(2)
 * returns, so nothing here waits.
 */
#ifndef IPMASQADM_ASK_H
#define IPMASQADM_ASK_H

#include <libmnl/libmnl.h>
#include <stdint.h>

#define ASK_BUFFER (UINT16_MAX + 4096)

struct ask {
	struct mnl_socket *socket;
	uint32_t sequence;
	char request[4096];
	char answer[ASK_BUFFER];
};

/* A socket on a netlink family (NETLINK_ROUTE...), or NULL with errno. */
struct ask *ask_open(int family);
void ask_close(struct ask *ask);

/* A request to nfnetlink, or with a header of its own to another family, in ask->request, for
 * attributes to be added. */
struct nlmsghdr *ask_netfilter(struct ask *ask, uint16_t type, uint16_t flags, uint8_t family);
struct nlmsghdr *ask_other(struct ask *ask, uint16_t type, uint16_t flags, const void *header,
			   size_t length);

/* Sends ask->request; `callback` sees each answer.  0, or -1 with errno as the kernel gave it. */
int ask_send(struct ask *ask, mnl_cb_t callback, void *data);

#endif
