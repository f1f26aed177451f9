// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parts/conntrack.so: translated connections as they begin and end, by the kernel's events.
 *
 * The kernel sends and does not wait: when more come than are taken it drops them and the next read
 * says ENOBUFS once.  That is an event of its own for the visitor, and the following goes on.
 * SIGINT and SIGTERM are blocked meanwhile and read as the end, so that a shell that calls this
 * gets its next prompt and nothing is cut off in the middle of a line.
 */
#include "connections.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_BUFFER (4 << 20) /* bytes that the kernel may keep for us */

struct following {
	const struct ipmasq_connection_filter *filter;
	ipmasq_event_visit visit;
	void *data;
	int rc;
};

static int take_event(const struct nlmsghdr *message, void *data)
{
	struct following *following = data;
	struct nf_conntrack *entry = nfct_new();
	bool ended = NFNL_MSG_TYPE(message->nlmsg_type) == IPCTNL_MSG_CT_DELETE;
	struct ipmasq_connection connection;

	if (entry && nfct_nlmsg_parse(message, entry) == 0 &&
	    connections_read(entry, &connection) &&
	    connections_wanted(following->filter, &connection))
		following->rc =
			following->visit(ended ? IPMASQ_CONNECTION_END : IPMASQ_CONNECTION_NEW,
					 &connection, following->data);
	if (entry)
		nfct_destroy(entry);
	return following->rc ? MNL_CB_STOP : MNL_CB_OK;
}

/* 0 to go on, 1 when the visitor has ended it, -1 with errno. */
static int read_events(struct mnl_socket *socket, struct following *following)
{
	char buffer[65536];
	ssize_t n = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

	if (n < 0 && errno == ENOBUFS)
		following->rc = following->visit(IPMASQ_CONNECTION_LOST, NULL, following->data);
	else if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	else if (mnl_cb_run(buffer, (size_t)n, 0, 0, take_event, following) < 0)
		return -1;
	return following->rc != 0;
}

static struct mnl_socket *open_events(void)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int size = EVENTS_BUFFER, code;

	if (socket &&
	    mnl_socket_bind(socket, NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_DESTROY,
			    MNL_SOCKET_AUTOPID) == 0) {
		setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &size,
			   sizeof(size));
		return socket;
	}
	code = errno;
	if (socket)
		mnl_socket_close(socket);
	errno = code;
	return NULL;
}

int connections_follow(const struct ipmasq_connection_filter *filter, ipmasq_event_visit visit,
		       void *data, struct ipmasq_error *error)
{
	struct following following = {filter, visit, data, 0};
	struct mnl_socket *socket = open_events();
	sigset_t ends, before;
	struct pollfd polls[2];
	int rc = 0, signals;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, &before);
	signals = signalfd(-1, &ends, SFD_CLOEXEC);
	polls[0] = (struct pollfd){.fd = socket ? mnl_socket_get_fd(socket) : -1, .events = POLLIN};
	polls[1] = (struct pollfd){.fd = signals, .events = POLLIN};
	if (!socket || signals < 0)
		rc = -1;
	while (rc == 0 && (poll(polls, 2, -1) >= 0 || errno == EINTR)) {
		struct signalfd_siginfo ended;

		if (polls[1].revents && read(signals, &ended, sizeof(ended)) > 0)
			break;
		if (polls[0].revents)
			rc = read_events(socket, &following);
	}
	if (rc < 0)
		ipmasq_fail(error, errno,
			    "cannot follow the connections: %s; CAP_NET_ADMIN and the kernel's "
			    "nf_conntrack_netlink are needed",
			    strerror(errno));
	if (signals >= 0)
		close(signals);
	if (socket)
		mnl_socket_close(socket);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc < 0 ? -1 : following.rc;
}
