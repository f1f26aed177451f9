/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnat.c - a NAT box on two TUN devices.
 *
 *	cc tunnat.c $(pkg-config --cflags --libs libalias) -o tunnat
 *	./tunnat inner outer 198.51.100.1
 *
 * What the system routes into the device "inner" leaves by "outer" with the given source address, and
 * answers come back.  It needs CAP_NET_ADMIN; give the devices addresses and routes with ip(8).
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <net/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <alias.h>

static int tun_open(const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		err(EXIT_FAILURE, "%s", name);
	return fd;
}

/* The length to send, after the engine may have changed it. */
static size_t length(const unsigned char *packet)
{
	return (size_t)packet[2] << 8 | packet[3];
}

static void incoming(struct libalias *la, int inner, unsigned char *packet, size_t len, int size)
{
	int result = LibAliasIn(la, packet, size);
	unsigned char *copy;

	if (result == PKT_ALIAS_UNRESOLVED_FRAGMENT && (copy = malloc(len)))
		if (LibAliasSaveFragment(la, memcpy(copy, packet, len)) != PKT_ALIAS_OK)
			free(copy);
	if (result != PKT_ALIAS_OK && result != PKT_ALIAS_FOUND_HEADER_FRAGMENT)
		return;
	if (write(inner, packet, length(packet)) < 0)
		warn("inner");
	while (result == PKT_ALIAS_FOUND_HEADER_FRAGMENT && (copy = LibAliasGetFragment(la, packet))) {
		LibAliasFragmentIn(la, packet, copy);
		if (write(inner, copy, length(copy)) < 0)
			warn("inner");
		free(copy);
	}
}

int main(int argc, char **argv)
{
	static unsigned char packet[65536];
	struct libalias *la = LibAliasInit(NULL);
	struct in_addr addr;
	ssize_t n;

	if (argc != 4 || !la || inet_pton(AF_INET, argv[3], &addr) != 1)
		errx(EXIT_FAILURE, "usage: tunnat inner outer address");
	struct pollfd fds[2] = {{tun_open(argv[1]), POLLIN, 0}, {tun_open(argv[2]), POLLIN, 0}};

	LibAliasSetAddress(la, addr);
	LibAliasSetMode(la, PKT_ALIAS_DENY_INCOMING, PKT_ALIAS_DENY_INCOMING);
	while (poll(fds, 2, 1000) >= 0) {
		if ((fds[0].revents & POLLIN) && (n = read(fds[0].fd, packet, sizeof(packet))) > 0)
			if (LibAliasOut(la, packet, sizeof(packet)) == PKT_ALIAS_OK &&
			    write(fds[1].fd, packet, length(packet)) < 0)
				warn("outer");
		if ((fds[1].revents & POLLIN) && (n = read(fds[1].fd, packet, sizeof(packet))) > 0)
			incoming(la, fds[0].fd, packet, (size_t)n, sizeof(packet));
		LibAliasExpire(la, 100);
	}
	err(EXIT_FAILURE, "poll");
}
