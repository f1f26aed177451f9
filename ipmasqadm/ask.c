// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Questions to the kernel by netlink: one request, its answers read until the kernel says that it
 * was the last.  A dump that something changed under way is good enough for a look at the machine.
 */
#include "ask.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct ask *ask_open(int family)
{
	struct ask *ask = calloc(1, sizeof(*ask));
	int code;

	if (!ask)
		return NULL;
	ask->socket = mnl_socket_open2(family, SOCK_CLOEXEC);
	if (ask->socket && mnl_socket_bind(ask->socket, 0, MNL_SOCKET_AUTOPID) == 0)
		return ask;
	code = errno;
	ask_close(ask);
	errno = code;
	return NULL;
}

void ask_close(struct ask *ask)
{
	if (ask && ask->socket)
		mnl_socket_close(ask->socket);
	free(ask);
}

static struct nlmsghdr *header(struct ask *ask, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message;

	memset(ask->request, 0, sizeof(ask->request));
	message = mnl_nlmsg_put_header(ask->request);
	message->nlmsg_type = type;
	/* A dump ends by itself; anything else is to be acknowledged. */
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags |
					  ((flags & NLM_F_DUMP) == NLM_F_DUMP ? 0 : NLM_F_ACK));
	message->nlmsg_seq = ++ask->sequence;
	return message;
}

struct nlmsghdr *ask_netfilter(struct ask *ask, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *message = header(ask, type, flags);
	struct nfgenmsg *extra = mnl_nlmsg_put_extra_header(message, sizeof(*extra));

	extra->nfgen_family = family;
	extra->version = NFNETLINK_V0;
	return message;
}

struct nlmsghdr *ask_other(struct ask *ask, uint16_t type, uint16_t flags, const void *extra,
			   size_t length)
{
	struct nlmsghdr *message = header(ask, type, flags);

	memcpy(mnl_nlmsg_put_extra_header(message, length), extra, length);
	return message;
}

/* What is left of an answer that was not read to its end must not be taken for the next one's. */
static void drain(struct ask *ask)
{
	int code = errno;

	while (recv(mnl_socket_get_fd(ask->socket), ask->answer, sizeof(ask->answer),
		    MSG_DONTWAIT) > 0)
		continue;
	errno = code;
}

static void clear_interrupted(char *buffer, int length)
{
	struct nlmsghdr *message = (void *)buffer;

	for (; mnl_nlmsg_ok(message, length); message = mnl_nlmsg_next(message, &length))
		message->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
}

int ask_send(struct ask *ask, mnl_cb_t callback, void *data)
{
	const struct nlmsghdr *request = (void *)ask->request;
	ssize_t n;
	int rc;

	if (mnl_socket_sendto(ask->socket, request, request->nlmsg_len) < 0)
		return -1;
	do {
		n = mnl_socket_recvfrom(ask->socket, ask->answer, sizeof(ask->answer));
		if (n < 0)
			return -1;
		clear_interrupted(ask->answer, (int)n);
		rc = mnl_cb_run(ask->answer, (size_t)n, ask->sequence,
				mnl_socket_get_portid(ask->socket), callback, data);
	} while (rc > 0);
	if (rc < 0)
		drain(ask);
	return rc;
}
