/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who looks up the names of hosts for ipmasq_parse_address() and ipmasq_host_name().  It is the C
 * library, which waits for a name server; a program that serves others meanwhile may put somebody
 * in its place.
 */
#ifndef IPMASQ_HOSTS_H
#define IPMASQ_HOSTS_H

#include <ipmasq/address.h>

/* Both return 0 or an error of getaddrinfo(3), EAI_*. */
struct ipmasq_hosts {
	/* The address of a name; family AF_UNSPEC: of either. */
	int (*address)(void *data, const char *name, uint8_t family,
		       struct ipmasq_address *address);
	/* The name of an address. */
	int (*name)(void *data, const struct ipmasq_address *address, char *text,
		    unsigned int size);
};

/* The C library; any thread may call it. */
extern const struct ipmasq_hosts ipmasq_hosts_system;

/* From now on these are asked, with their data; NULL: the C library. */
void ipmasq_hosts_set(const struct ipmasq_hosts *hosts, void *data);

/* Whoever it is at present. */
int ipmasq_hosts_address(const char *name, uint8_t family, struct ipmasq_address *address);
int ipmasq_hosts_name(const struct ipmasq_address *address, char *text, unsigned int size);

#endif
