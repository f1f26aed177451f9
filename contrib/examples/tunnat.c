/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnat.c - a NAT box in one process: what the kernel routes to a TUN device is translated by
 * libalias and handed back to the kernel.
 *
 * What comes out of the device is incoming if it is for the alias address, else outgoing.  To try,
 * as root, make namespaces "in" (a private net) and "out" (the world) with a box between them:
 *
 *	cc -o tunnat tunnat.c -lalias
 *	for n in in box out; do ip netns add $n; done
 *	ip link add eth0 netns in type veth peer name inside netns box
 *	ip link add eth0 netns out type veth peer name outside netns box
 *	ip netns exec box ./tunnat nat0 198.51.100.1 &
 *	ip -n in addr add 10.0.0.2/24 dev eth0; ip -n in link set eth0 up
 *	ip -n out addr add 203.0.113.2/24 dev eth0; ip -n out link set eth0 up
 *	ip -n box addr add 10.0.0.1/24 dev inside; ip -n box link set inside up
 *	ip -n box addr add 203.0.113.1/24 dev outside; ip -n box link set outside up
 *	ip -n box link set nat0 up
 *	ip netns exec box sysctl -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
 *		net.ipv4.conf.nat0.rp_filter=0
 *	ip -n in route add default via 10.0.0.1
 *	ip -n out route add 198.51.100.1 via 203.0.113.1
 *	ip -n box route add 198.51.100.1 dev nat0		# what is for the alias address
 *	ip -n box route add default dev nat0 table 7		# and all that comes from inside
 *	ip -n box rule add iif inside table 7
 *	ip netns exec in ping 203.0.113.2
 */
#include <alias.h>
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int tun_open(const char *device)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "/dev/net/tun");
	if (strlen(device) >= IFNAMSIZ)
		errx(1, "%s: a device's name has %d letters at most", device, IFNAMSIZ - 1);
	strcpy(request.ifr_name, device);
	if (ioctl(fd, TUNSETIFF, &request))
		err(1, "%s: cannot make the device", device);
	return fd;
}

/* Sends a packet as long as it is now: the engine may have changed its length. */
static void send_packet(int tun, const uint8_t *packet)
{
	size_t len = (size_t)packet[2] << 8 | packet[3];

	if (write(tun, packet, len) < 0)
		warn("packet of %zu bytes", len);
}

/* Fragments that come before their first one are kept until it comes. */
static void keep_fragment(struct libalias *la, const uint8_t *packet, size_t len)
{
	uint8_t *copy = malloc(len);

	if (copy && LibAliasSaveFragment(la, memcpy(copy, packet, len)) != PKT_ALIAS_OK)
		free(copy);
}

static void send_fragments(struct libalias *la, int tun, uint8_t *first)
{
	uint8_t *fragment;

	while ((fragment = LibAliasGetFragment(la, first))) {
		LibAliasFragmentIn(la, first, fragment);
		send_packet(tun, fragment);
		free(fragment);
	}
}

int main(int argc, char **argv)
{
	struct in_addr alias, destination;
	struct libalias *la = LibAliasInit(NULL);
	uint8_t packet[65536];
	int tun, result;
	ssize_t len;

	if (argc != 3 || inet_pton(AF_INET, argv[2], &alias) != 1)
		errx(2, "usage: tunnat DEVICE ALIAS-ADDRESS");
	if (!la)
		err(1, "libalias");
	LibAliasSetAddress(la, alias);
	LibAliasSetMode(la, PKT_ALIAS_DENY_INCOMING, PKT_ALIAS_DENY_INCOMING);
	tun = tun_open(argv[1]);
	while ((len = read(tun, packet, sizeof(packet))) > 0) {
		if (len < 20 || packet[0] >> 4 != 4)
			continue;
		memcpy(&destination, packet + 16, sizeof(destination));
		if (destination.s_addr == alias.s_addr)
			result = LibAliasIn(la, packet, sizeof(packet));
		else
			result = LibAliasOut(la, packet, sizeof(packet));
		if (result == PKT_ALIAS_OK || result == PKT_ALIAS_FOUND_HEADER_FRAGMENT)
			send_packet(tun, packet);
		if (result == PKT_ALIAS_FOUND_HEADER_FRAGMENT)
			send_fragments(la, tun, packet);
		if (result == PKT_ALIAS_UNRESOLVED_FRAGMENT)
			keep_fragment(la, packet, (size_t)len);
	}
	err(1, "%s", argv[1]);
}
