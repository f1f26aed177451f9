// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Talking to nf_tables.
 *
 * The kernel answers a netlink request before send(2) returns, so an answer is read at once and
 * nothing here waits.  A transaction is one sendmsg(2) of begin, messages, end; the kernel
 * applies it whole or not at all, also when this process is killed at any moment, and refuses it
 * with ERESTART when its generation is not the one named in the begin message.  It reports an
 * error per failed message and says nothing on success.
 */
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH_PAGE (128 * 1024)

int netlink_open(struct netlink *netlink)
{
	*netlink = (struct netlink){.sequence = 1};
	netlink->buffer = malloc(NETLINK_MESSAGE_MAX);
	if (!netlink->buffer)
		return -1;
	netlink->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!netlink->socket || mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		int code = errno;

		netlink_close(netlink);
		errno = code;
		return -1;
	}
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	free(netlink->buffer);
	*netlink = (struct netlink){0};
}

struct nlmsghdr *netlink_request(struct netlink *netlink, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(netlink->buffer, type, NFPROTO_INET, flags,
				     ++netlink->sequence);
}

/* The kernel marks a dump when anything in the ruleset changed; what we read need not have. */
static void clear_interrupted(char *buffer, size_t length)
{
	struct nlmsghdr *message = (void *)buffer;
	int left = (int)length;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		message->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
}

/* Reads answers until the kernel says that it was the last one. */
static int receive(struct netlink *netlink, mnl_cb_t callback, void *data)
{
	unsigned int port = mnl_socket_get_portid(netlink->socket);
	uint32_t sequence = netlink->sequence; /* the callback may number messages of its own */
	int rc;

	do {
		ssize_t n =
			mnl_socket_recvfrom(netlink->socket, netlink->buffer, NETLINK_MESSAGE_MAX);

		if (n < 0)
			return -1;
		if (netlink->patient)
			clear_interrupted(netlink->buffer, (size_t)n);
		rc = mnl_cb_run(netlink->buffer, (size_t)n, sequence, port, callback, data);
	} while (rc > 0);
	return rc;
}

/* What is left of an answer that was not read to its end must not be taken for the next one's. */
static void drain(struct netlink *netlink)
{
	int fd = mnl_socket_get_fd(netlink->socket);
	int code = errno;

	while (recv(fd, netlink->buffer, NETLINK_MESSAGE_MAX, MSG_DONTWAIT) > 0)
		continue;
	errno = code;
}

static int send_request(struct netlink *netlink, mnl_cb_t callback, void *data)
{
	const struct nlmsghdr *request = (void *)netlink->buffer;

	if (mnl_socket_sendto(netlink->socket, request, request->nlmsg_len) < 0)
		return -1;
	if (receive(netlink, callback, data) < 0) {
		drain(netlink);
		return -1;
	}
	return 0;
}

int netlink_ask(struct netlink *netlink, mnl_cb_t callback, void *data)
{
	struct nlmsghdr *request = (void *)netlink->buffer;

	request->nlmsg_flags |= NLM_F_ACK;
	return send_request(netlink, callback, data);
}

int netlink_dump(struct netlink *netlink, mnl_cb_t callback, void *data)
{
	struct nlmsghdr *request = (void *)netlink->buffer;

	request->nlmsg_flags |= NLM_F_DUMP;
	return send_request(netlink, callback, data);
}

static int read_generation(const struct nlmsghdr *message, void *data)
{
	uint32_t *generation = data;
	struct nlattr *attribute;

	mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attribute) == NFTA_GEN_ID &&
		    mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
			*generation = ntohl(mnl_attr_get_u32(attribute));
	}
	return MNL_CB_OK;
}

int netlink_generation(struct netlink *netlink, uint32_t *generation)
{
	netlink_request(netlink, NFT_MSG_GETGEN, 0);
	return netlink_ask(netlink, read_generation, generation);
}

const char *userdata_text(const void *userdata, size_t length, uint8_t type)
{
	const uint8_t *at = userdata;

	for (; length >= 2 && length >= 2u + at[1]; length -= 2u + at[1], at += 2u + at[1])
		if (at[0] == type && at[1] > 0 && at[2 + at[1] - 1] == '\0')
			return (const char *)at + 2;
	return NULL;
}

int transaction_begin(struct transaction *transaction, struct netlink *netlink, const char *table,
		      const uint32_t *generation)
{
	struct nlmsghdr *begin;

	*transaction = (struct transaction){.netlink = netlink, .table = table};
	transaction->batch = nftnl_batch_alloc(BATCH_PAGE, NETLINK_MESSAGE_MAX);
	if (!transaction->batch)
		return -1;
	begin = nftnl_batch_begin(nftnl_batch_buffer(transaction->batch), ++netlink->sequence);
	if (generation)
		mnl_attr_put_u32(begin, NFNL_BATCH_GENID, htonl(*generation));
	return nftnl_batch_update(transaction->batch);
}

struct nlmsghdr *transaction_message(struct transaction *transaction, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(nftnl_batch_buffer(transaction->batch), type, NFPROTO_INET,
				     flags, ++transaction->netlink->sequence);
}

int transaction_added(struct transaction *transaction)
{
	return nftnl_batch_update(transaction->batch);
}

/* The kernel takes a message only if it fits the send buffer. */
static void widen_send_buffer(int fd, size_t length)
{
	int size = (int)length, now = 0;
	socklen_t now_length = sizeof(now);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &now, &now_length) == 0 &&
	    (size_t)now >= length + 1024)
		return;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* The first error that the kernel has to say of a batch, 0 when it has none. */
static int batch_error(struct netlink *netlink)
{
	int fd = mnl_socket_get_fd(netlink->socket);
	int code = 0;
	ssize_t n;

	while ((n = recv(fd, netlink->buffer, NETLINK_MESSAGE_MAX, MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *message = (void *)netlink->buffer;
		int left = (int)n;

		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			const struct nlmsgerr *report = mnl_nlmsg_get_payload(message);

			if (message->nlmsg_type == NLMSG_ERROR && report->error && !code)
				code = -report->error;
		}
	}
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && !code)
		code = errno;
	return code;
}

int transaction_commit(struct transaction *transaction)
{
	struct netlink *netlink = transaction->netlink;
	struct nftnl_batch *batch = transaction->batch;
	int fd = mnl_socket_get_fd(netlink->socket);
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct msghdr message = {.msg_name = &kernel, .msg_namelen = sizeof(kernel)};
	struct iovec *pages;
	ssize_t sent = -1;
	size_t length = 0;
	int n_pages;

	nftnl_batch_end(nftnl_batch_buffer(batch), ++netlink->sequence);
	if (nftnl_batch_update(batch) < 0)
		return -1;
	n_pages = nftnl_batch_iovec_len(batch);
	pages = calloc((size_t)n_pages, sizeof(*pages));
	if (!pages)
		return -1;
	nftnl_batch_iovec(batch, pages, (uint32_t)n_pages);
	for (int i = 0; i < n_pages; i++)
		length += pages[i].iov_len;
	widen_send_buffer(fd, length);
	message.msg_iov = pages;
	message.msg_iovlen = (size_t)n_pages;
	sent = sendmsg(fd, &message, 0);
	free(pages);
	if (sent < 0)
		return -1;
	errno = batch_error(netlink);
	return errno ? -1 : 0;
}

void transaction_end(struct transaction *transaction)
{
	if (transaction->batch)
		nftnl_batch_free(transaction->batch);
	transaction->batch = NULL;
}
