// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel of the tests; see fake_kernel.h. */
#include "fake_kernel.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct datagram {
	struct datagram *next;
	size_t length;
	char bytes[];
};

static struct {
	struct datagram *first, **last;
	char *batch, *request;
	size_t batch_length, request_length;
	void (*hook)(uint16_t type);
	int refusal;
	bool reported; /* the refusal of this commit was read */
} kernel;

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);
int __wrap_mnl_socket_get_fd(const struct mnl_socket *socket);
unsigned int __wrap_mnl_socket_get_portid(const struct mnl_socket *socket);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *bytes, size_t length);
ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *socket, void *buffer, size_t size);

static void *allocate(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

static void drop_answers(void)
{
	while (kernel.first) {
		struct datagram *next = kernel.first->next;

		free(kernel.first);
		kernel.first = next;
	}
	kernel.last = &kernel.first;
}

void fake_kernel_reset(void)
{
	drop_answers();
	free(kernel.batch);
	free(kernel.request);
	memset(&kernel, 0, sizeof(kernel));
	kernel.last = &kernel.first;
}

void fake_kernel_open(struct netlink *netlink)
{
	fake_kernel_reset();
	*netlink = (struct netlink){.sequence = 1, .buffer = allocate(NETLINK_MESSAGE_MAX)};
}

void fake_kernel_close(struct netlink *netlink)
{
	free(netlink->buffer);
	netlink->buffer = NULL;
	fake_kernel_reset();
}

void fake_kernel_answer(const void *bytes, size_t length)
{
	struct datagram *datagram = allocate(sizeof(*datagram) + length);

	datagram->next = NULL;
	datagram->length = length;
	if (length)
		memcpy(datagram->bytes, bytes, length);
	*kernel.last = datagram;
	kernel.last = &datagram->next;
}

/* Sequence 0 goes with every request. */
static size_t write_end(void *buffer, int code)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	message->nlmsg_type = code ? NLMSG_ERROR : NLMSG_DONE;
	if (code) {
		struct nlmsgerr *report = mnl_nlmsg_put_extra_header(message, sizeof(*report));

		report->error = -code;
	}
	return message->nlmsg_len;
}

void fake_kernel_answer_end(int code)
{
	char buffer[256];

	fake_kernel_answer(buffer, write_end(buffer, code));
}

void fake_kernel_on_request(void (*hook)(uint16_t type))
{
	kernel.hook = hook;
}

void fake_kernel_refuse(int code)
{
	kernel.refusal = code;
}

const char *fake_kernel_batch(size_t *length)
{
	*length = kernel.batch_length;
	return kernel.batch;
}

const char *fake_kernel_request(size_t *length)
{
	*length = kernel.request_length;
	return kernel.request;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	size_t length = 0;

	(void)fd;
	(void)flags;
	for (size_t i = 0; i < message->msg_iovlen; i++)
		length += message->msg_iov[i].iov_len;
	free(kernel.batch);
	kernel.batch = allocate(length);
	kernel.batch_length = 0;
	for (size_t i = 0; i < message->msg_iovlen; i++) {
		memcpy(kernel.batch + kernel.batch_length, message->msg_iov[i].iov_base,
		       message->msg_iov[i].iov_len);
		kernel.batch_length += message->msg_iov[i].iov_len;
	}
	kernel.reported = false;
	return (ssize_t)length;
}

/* Reads that do not wait: the reports on a batch, and the draining of an answer. */
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags)
{
	(void)fd;
	(void)size;
	(void)flags;
	if (kernel.batch && kernel.refusal && !kernel.reported) {
		kernel.reported = true;
		return (ssize_t)write_end(buffer, kernel.refusal);
	}
	errno = EAGAIN;
	return -1;
}

int __wrap_mnl_socket_get_fd(const struct mnl_socket *socket)
{
	(void)socket;
	return -1;
}

unsigned int __wrap_mnl_socket_get_portid(const struct mnl_socket *socket)
{
	(void)socket;
	return 0;
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *bytes, size_t length)
{
	(void)socket;
	free(kernel.request);
	kernel.request = allocate(length);
	kernel.request_length = length;
	memcpy(kernel.request, bytes, length);
	if (kernel.hook) {
		drop_answers();
		kernel.hook(NFNL_MSG_TYPE(((const struct nlmsghdr *)bytes)->nlmsg_type));
	}
	return (ssize_t)length;
}

ssize_t __wrap_mnl_socket_recvfrom(const struct mnl_socket *socket, void *buffer, size_t size)
{
	struct datagram *datagram = kernel.first;
	size_t length;

	(void)socket;
	if (!datagram)
		return (ssize_t)write_end(buffer, 0);
	length = datagram->length < size ? datagram->length : size;
	memcpy(buffer, datagram->bytes, length);
	kernel.first = datagram->next;
	if (!kernel.first)
		kernel.last = &kernel.first;
	free(datagram);
	return (ssize_t)length;
}
