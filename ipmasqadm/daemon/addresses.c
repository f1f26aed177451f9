// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnetlink tells when an IPv4 address comes or goes; then all are read anew, which is simpler than
 * to follow each message and right even after some were lost.  An interface that is not there yet,
 * or has no address, is waited for: at boot both come late, and nothing is masqueraded to nowhere.
 */
#include "addresses.h"
#include "log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <user/user.h>

#define ADDRESSES_MAX 1024

struct addresses {
	const char *interface;
	struct user *user;
	struct mnl_socket *events;
	struct in_addr list[ADDRESSES_MAX]; /* [0]: the interface's own, or 0.0.0.0 */
	unsigned int n;
	char own[INET_ADDRSTRLEN];
};

/* The name of an address may be a label, `eth0:1`. */
static bool is_of(const struct ifaddrs *entry, const char *interface)
{
	size_t length = strcspn(entry->ifa_name, ":");

	return strncmp(entry->ifa_name, interface, length) == 0 && !interface[length];
}

static struct in_addr address_of(const struct ifaddrs *entry)
{
	struct sockaddr_in address;

	memcpy(&address, entry->ifa_addr, sizeof(address));
	return address.sin_addr;
}

static void add(struct addresses *addresses, const struct ifaddrs *entry)
{
	if (addresses->n < ADDRESSES_MAX)
		addresses->list[addresses->n++] = address_of(entry);
}

/* The interface's addresses first, then the others; loopback's own net is nobody's address. */
static int read_all(struct addresses *addresses, struct ipmasq_error *error)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return ipmasq_fail(error, errno, "cannot read the addresses: %s", strerror(errno));
	addresses->n = 0;
	for (int others = 0; others <= 1; others++) {
		for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next)
			if (entry->ifa_addr && entry->ifa_addr->sa_family == AF_INET &&
			    is_of(entry, addresses->interface) == !others &&
			    ntohl(address_of(entry).s_addr) >> 24 != IN_LOOPBACKNET)
				add(addresses, entry);
		if (!addresses->n)
			addresses->list[addresses->n++].s_addr = INADDR_ANY;
	}
	freeifaddrs(all);
	return 0;
}

/* Notes the interface's own address; true when it is another one. */
static bool note_own(struct addresses *addresses)
{
	char own[INET_ADDRSTRLEN] = "";

	if (addresses->list[0].s_addr != INADDR_ANY)
		inet_ntop(AF_INET, &addresses->list[0], own, sizeof(own));
	if (strcmp(own, addresses->own) == 0)
		return false;
	strcpy(addresses->own, own);
	return true;
}

static int update(struct addresses *addresses, struct ipmasq_error *error)
{
	return read_all(addresses, error) < 0
		       ? -1
		       : user_set_addresses(addresses->user, addresses->interface, addresses->list,
					    addresses->n, error);
}

struct addresses *addresses_open(const char *interface, struct user *user,
				 struct ipmasq_error *error)
{
	struct addresses *addresses = calloc(1, sizeof(*addresses));

	if (!addresses) {
		ipmasq_fail(error, ENOMEM, "out of memory");
		return NULL;
	}
	addresses->interface = interface;
	addresses->user = user;
	addresses->events = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!addresses->events || mnl_socket_bind(addresses->events, RTMGRP_IPV4_IFADDR, 0) < 0) {
		ipmasq_fail(error, errno, "cannot watch the addresses: %s", strerror(errno));
		goto fail;
	}
	if (update(addresses, error) < 0)
		goto fail;
	if (!note_own(addresses))
		log_message(LOG_WARNING, "%s %s; waiting for one", interface,
			    if_nametoindex(interface) ? "has no IPv4 address" : "is not there yet");
	return addresses;
fail:
	addresses_close(addresses);
	return NULL;
}

void addresses_close(struct addresses *addresses)
{
	if (!addresses)
		return;
	if (addresses->events)
		mnl_socket_close(addresses->events);
	free(addresses);
}

int addresses_fd(const struct addresses *addresses)
{
	return mnl_socket_get_fd(addresses->events);
}

void addresses_update(struct addresses *addresses)
{
	struct ipmasq_error error;
	char event[4096];

	/* What they say is not looked at, so it may be cut, or lost (ENOBUFS). */
	while (mnl_socket_recvfrom(addresses->events, event, sizeof(event)) >= 0 ||
	       errno == ENOSPC || errno == ENOBUFS || errno == EINTR)
		;
	if (update(addresses, &error) < 0)
		log_message(LOG_ERR, "%s", error.text);
	else if (note_own(addresses) && *addresses->own)
		log_message(LOG_NOTICE, "the address of %s is %s", addresses->interface,
			    addresses->own);
	else if (!*addresses->own)
		log_message(LOG_WARNING, "%s has no address", addresses->interface);
}

const char *addresses_own(const struct addresses *addresses)
{
	return addresses->own;
}
