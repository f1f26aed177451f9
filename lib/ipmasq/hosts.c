// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of hosts: the C library's look-ups, and whoever was put in its place.
 */
#include <ipmasq/hosts.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

static int system_address(void *data, const char *name, uint8_t family,
			  struct ipmasq_address *address)
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	int rc = getaddrinfo(name, NULL, &hints, &list);

	(void)data;
	if (rc)
		return rc;
	memset(address, 0, sizeof(*address));
	address->family = (uint8_t)list->ai_family;
	if (list->ai_family == AF_INET)
		address->in4 = ((struct sockaddr_in *)(void *)list->ai_addr)->sin_addr;
	else
		address->in6 = ((struct sockaddr_in6 *)(void *)list->ai_addr)->sin6_addr;
	freeaddrinfo(list);
	return 0;
}

static int system_name(void *data, const struct ipmasq_address *address, char *text,
		       unsigned int size)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_addr = address->in4};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = address->in6};
	bool v4 = address->family != AF_INET6;
	const struct sockaddr *socket_address = v4 ? (void *)&in4 : (void *)&in6;

	(void)data;
	return getnameinfo(socket_address, v4 ? sizeof(in4) : sizeof(in6), text, size, NULL, 0,
			   NI_NAMEREQD);
}

const struct ipmasq_hosts ipmasq_hosts_system = {system_address, system_name};

static const struct ipmasq_hosts *current = &ipmasq_hosts_system;
static void *current_data;

void ipmasq_hosts_set(const struct ipmasq_hosts *hosts, void *data)
{
	current = hosts ? hosts : &ipmasq_hosts_system;
	current_data = data;
}

int ipmasq_hosts_address(const char *name, uint8_t family, struct ipmasq_address *address)
{
	return current->address(current_data, name, family, address);
}

int ipmasq_hosts_name(const struct ipmasq_address *address, char *text, unsigned int size)
{
	return current->name(current_data, address, text, size);
}
