// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does the service inside answer, and does its way back lead through this machine?
 *
 * Every forward's service is asked at once, without waiting: a TCP connection that is closed again
 * as soon as it stands, an empty datagram of UDP.  It is asked twice: from the address that the
 * route gives, which the server reaches whatever its routes are, and from an address of another
 * interface of this machine, to which the server needs a route.  Who answers the first and not the
 * second has its way back elsewhere.  UDP need not answer, so only a refusal, or no ARP or ND, says
 * something.
 */
#include "doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/neighbour.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TCP_WAIT 1000 /* ms */
#define UDP_WAIT 250  /* a refusal, or an ARP failure, is there by then */
#define DISCARD  9    /* the port at which a host is asked of which no service is named */

enum answer {
	ANSWER_NONE, /* not asked, or nothing came */
	ANSWER_YES,
	ANSWER_REFUSED,
	ANSWER_FAILED /* `code` says why */
};

struct probe {
	struct forward *forward;
	bool stranger;
	enum answer answer;
	int code;
};

struct probes {
	struct probe *list;
	struct pollfd *polls;
	size_t n;
};

static socklen_t socket_address(const struct ipmasq_address *address, uint16_t port,
				struct sockaddr_storage *name)
{
	struct sockaddr_in *in4 = (void *)name;
	struct sockaddr_in6 *in6 = (void *)name;

	memset(name, 0, sizeof(*name));
	if (address->family == AF_INET) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(port);
		in4->sin_addr = address->in4;
		return sizeof(*in4);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	in6->sin6_addr = address->in6;
	return sizeof(*in6);
}

static bool is_tcp(const struct forward *forward)
{
	return forward_names_service(forward) && forward->protocol == IPPROTO_TCP;
}

static void note_error(struct probe *probe, int code)
{
	probe->code = code;
	probe->answer = code == ECONNREFUSED ? ANSWER_REFUSED : ANSWER_FAILED;
}

/* Sends the question; the descriptor to wait on, or -1 when the answer is known. */
static int ask_service(struct probe *probe)
{
	const struct forward *forward = probe->forward;
	bool tcp = is_tcp(forward);
	uint16_t port = forward_names_service(forward) ? forward->inside_port : DISCARD;
	struct sockaddr_storage name;
	socklen_t length;
	int fd = socket(forward->inside.family,
			(tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		goto failed;
	if (probe->stranger) {
		length = socket_address(&forward->stranger, 0, &name);
		if (bind(fd, (struct sockaddr *)&name, length) < 0)
			goto failed;
	}
	length = socket_address(&forward->inside, port, &name);
	if (connect(fd, (struct sockaddr *)&name, length) < 0 && errno != EINPROGRESS)
		goto failed;
	if (!tcp && send(fd, "", 0, 0) < 0)
		goto failed;
	return fd;
failed:
	note_error(probe, errno);
	if (fd >= 0)
		close(fd);
	return -1;
}

static void take_answer(struct probe *probe, struct pollfd *poll_fd)
{
	int code = 0;
	socklen_t length = sizeof(code);

	getsockopt(poll_fd->fd, SOL_SOCKET, SO_ERROR, &code, &length);
	if (code)
		note_error(probe, code);
	else
		probe->answer = ANSWER_YES;
	close(poll_fd->fd);
	poll_fd->fd = -1;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool tcp_waits(const struct probes *probes)
{
	for (size_t i = 0; i < probes->n; i++)
		if (probes->polls[i].fd >= 0 && is_tcp(probes->list[i].forward))
			return true;
	return false;
}

static void wait_for_answers(struct probes *probes)
{
	int64_t begun = now_ms(), left;
	int n_waiting = 1;

	for (size_t i = 0; i < probes->n; i++) {
		probes->polls[i].fd = ask_service(&probes->list[i]);
		probes->polls[i].events = is_tcp(probes->list[i].forward) ? POLLOUT : POLLIN;
	}
	while (n_waiting) {
		left = begun + (tcp_waits(probes) ? TCP_WAIT : UDP_WAIT) - now_ms();
		if (left <= 0 || poll(probes->polls, probes->n, (int)left) <= 0)
			break;
		n_waiting = 0;
		for (size_t i = 0; i < probes->n; i++) {
			if (probes->polls[i].fd >= 0 && probes->polls[i].revents)
				take_answer(&probes->list[i], &probes->polls[i]);
			n_waiting += probes->polls[i].fd >= 0;
		}
	}
	for (size_t i = 0; i < probes->n; i++)
		if (probes->polls[i].fd >= 0)
			close(probes->polls[i].fd);
}

/* Of a range the host need not serve each port. */
static bool says_service(const struct forward *forward)
{
	return forward_names_service(forward) && !forward->several;
}

static void say_there(struct doctor *doctor, const struct forward *forward)
{
	char text[IPMASQ_ADDRESS_TEXT];

	doctor_say(doctor, DOCTOR_OK, "service", forward, NULL,
		   "%s is there; which of its ports are served is not looked at",
		   ipmasq_address_text(&forward->inside, text));
}

static void say_deaf(struct doctor *doctor, const struct forward *forward)
{
	char text[IPMASQ_ADDRESS_TEXT];

	doctor_say(doctor, DOCTOR_WARN, "service", forward, NULL,
		   "a filter of this machine keeps it from asking %s port %u itself",
		   ipmasq_address_text(&forward->inside, text), forward->inside_port);
}

static void say_unanswered(struct doctor *doctor, const struct forward *forward)
{
	unsigned int state = net_neighbour(&forward->hop, forward->out);
	char text[IPMASQ_ADDRESS_TEXT], hop[IPMASQ_ADDRESS_TEXT];
	bool arp = forward->hop.family == AF_INET;

	ipmasq_address_text(&forward->inside, text);
	ipmasq_address_text(&forward->hop, hop);
	if (forward->deaf) {
		say_deaf(doctor, forward);
		return;
	}
	if (state & (NUD_FAILED | NUD_INCOMPLETE))
		doctor_say(doctor, DOCTOR_FAIL, "neighbour", forward,
			   "switch the host on and connect it, or forward to another",
			   "%s does not answer %s on %s", hop, arp ? "ARP" : "ND",
			   net_link_name(&doctor->net, forward->out));
	else if (!says_service(forward))
		say_there(doctor, forward);
	else if (forward->protocol == IPPROTO_TCP)
		doctor_say(doctor, DOCTOR_FAIL, "service", forward,
			   "let the inside host's own filter accept the port",
			   "%s is there, but port %u does not answer", text, forward->inside_port);
	else
		doctor_say(doctor, DOCTOR_OK, "service", forward, NULL,
			   "%s is there; whether its UDP port %u is served cannot be known", text,
			   forward->inside_port);
}

static void say_way_back(struct doctor *doctor, const struct forward *forward)
{
	char inside[IPMASQ_ADDRESS_TEXT], own[IPMASQ_ADDRESS_TEXT] = "this machine", mend[192];

	for (size_t i = 0; i < doctor->net.n_addresses; i++)
		if (doctor->net.addresses[i].link == forward->out &&
		    net_same(&doctor->net.addresses[i].address, &forward->inside,
			     doctor->net.addresses[i].bits))
			ipmasq_address_text(&doctor->net.addresses[i].address, own);
	ipmasq_address_text(&forward->inside, inside);
	snprintf(mend, sizeof(mend), "on %s: ip %sroute replace default via %s", inside,
		 forward->inside.family == AF_INET6 ? "-6 " : "", own);
	doctor_say(doctor, DOCTOR_FAIL, "way back", forward, mend,
		   "%s answers its neighbours but nobody else: its way back does not lead through "
		   "this "
		   "machine, or its own filter takes neighbours only",
		   inside);
}

static void say_service(struct doctor *doctor, const struct probe *probe)
{
	const struct forward *forward = probe->forward;
	char text[IPMASQ_ADDRESS_TEXT], mend[128];

	ipmasq_address_text(&forward->inside, text);
	if (!says_service(forward) &&
	    (probe->answer == ANSWER_YES || probe->answer == ANSWER_REFUSED)) {
		say_there(doctor, forward);
		return;
	}
	snprintf(mend, sizeof(mend), "start the service on %s, or forward to its port", text);
	switch (probe->answer) {
	case ANSWER_YES:
		doctor_say(doctor, DOCTOR_OK, "service", forward, NULL, "%s port %u answers", text,
			   forward->inside_port);
		break;
	case ANSWER_REFUSED:
		doctor_say(doctor, DOCTOR_FAIL, "service", forward, mend,
			   "%s refuses: nothing is served at its port %u", text,
			   forward->inside_port);
		break;
	case ANSWER_FAILED:
		if (probe->code == EPERM)
			say_deaf(doctor, forward);
		else if (probe->code == EHOSTUNREACH || probe->code == ETIMEDOUT)
			say_unanswered(doctor, forward);
		else
			doctor_say(doctor, DOCTOR_FAIL, "service", forward, NULL,
				   "%s port %u cannot be reached: %s", text, forward->inside_port,
				   strerror(probe->code));
		break;
	case ANSWER_NONE:
		say_unanswered(doctor, forward);
	}
}

/* Judges a forward by the answers to its two questions; `other` is NULL when there is one. */
static void judge(struct doctor *doctor, const struct probe *near, const struct probe *other)
{
	const struct forward *forward = near->forward;

	say_service(doctor, near);
	if (!is_tcp(forward) || near->answer != ANSWER_YES)
		return;
	if ((other && other->answer != ANSWER_YES && !forward->answered) ||
	    (forward->unanswered && !forward->answered))
		say_way_back(doctor, forward);
}

static bool asked_already(const struct probes *probes, const struct forward *forward)
{
	for (size_t i = 0; i < probes->n; i++) {
		const struct forward *other = probes->list[i].forward;

		if (other->protocol == forward->protocol && other->several == forward->several &&
		    other->inside_port == forward->inside_port &&
		    ipmasq_address_equal(&other->inside, &forward->inside))
			return true;
	}
	return false;
}

static void collect(struct doctor *doctor, struct probes *probes)
{
	for (size_t i = 0; i < doctor->n_forwards; i++) {
		struct forward *forward = &doctor->forwards[i];

		if (forward->unreachable || asked_already(probes, forward))
			continue;
		probes->list[probes->n++].forward = forward;
		if (forward->stranger.family && is_tcp(forward))
			probes->list[probes->n++] =
				(struct probe){.forward = forward, .stranger = true};
	}
}

void probe_check(struct doctor *doctor)
{
	struct probes probes = {
		.list = calloc(2 * doctor->n_forwards + 1, sizeof(struct probe)),
		.polls = calloc(2 * doctor->n_forwards + 1, sizeof(struct pollfd)),
	};

	if (!probes.list || !probes.polls) {
		doctor->report.full = true;
		goto out;
	}
	collect(doctor, &probes);
	wait_for_answers(&probes);
	for (size_t i = 0; i < probes.n; i++)
		if (!probes.list[i].stranger)
			judge(doctor, &probes.list[i],
			      i + 1 < probes.n && probes.list[i + 1].stranger ? &probes.list[i + 1]
									      : NULL);
out:
	free(probes.list);
	free(probes.polls);
}
