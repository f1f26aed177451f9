// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The datapath through a TUN device, for a kernel that has neither NFQUEUE nor NAT.
 *
 * What the kernel routes into the device is translated and written back, and the kernel routes it
 * anew; routes do the rest.  On a gateway with the outside interface IFACE, the inside one LAN and
 * the device NAME, both ways lead into the device, and what comes out of it goes as usual:
 *
 *	ip route add default dev NAME table 77
 *	ip rule add pref 10 iif IFACE ipproto tcp lookup 77     what comes from the outside
 *	ip rule add pref 10 iif IFACE ipproto udp lookup 77     (ARP, which asks the rules, too, has
 *	ip rule add pref 10 iif IFACE ipproto icmp lookup 77    to find the address as a local one)
 *	ip rule add pref 20 lookup local; ip rule del pref 0
 *	ip rule add pref 30 iif LAN to 10.0.0.0/24 lookup main  what stays inside (each inside net)
 *	ip rule add pref 31 iif LAN lookup 77                   what goes to the outside
 *
 * A packet that the translation of incoming packets knows is incoming; any other is outgoing.  This
 * finds the direction without knowing the interface, which a TUN device does not tell: who is known
 * there is a redirect's or a link's alias address.  A hairpin cannot be told from it, so calls from
 * the inside to an alias address stay with this machine.
 *
 * The kernel hands over TCP and UDP segments unsplit and without checksums, and takes them so
 * (virtio_net_hdr, TUNSETOFFLOAD): of a half-done checksum only the pseudo header's sum is
 * made anew.  With several workers the device has a queue for each, to which the kernel spreads
 * flows as it likes; each packet is translated by its own worker.
 *
 * The device stays when the daemon is killed, so that what is routed into it is dropped, not let
 * through, until the daemon is back; with --fail-open it goes, and its routes with it.
 */
#include "lane.h"
#include "transport_checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20 /* Linux 6.2 */
#define TUN_F_USO6 0x40
#endif

#define BUFFER (UINT16_MAX + 1024) /* a datagram, and room to grow as far as one may */

struct tun_lane {
	struct virtio_net_hdr header;
	uint8_t datagram[BUFFER] __attribute__((aligned(64)));
};

struct tun {
	char name[IFNAMSIZ];
	bool persistent;
	uint64_t lost_before; /* when the device was there already */
	struct tun_lane *lanes[];
};

/* --- a packet's way ----------------------------------------------------------------------------
 */

/* The half-done checksum of a changed packet, for the device that will finish it. */
static void renew_checksum(struct virtio_net_hdr *header, uint8_t *datagram, int length)
{
	int offset = transport_checksum_offset(datagram);
	size_t transport = (datagram[0] & 15u) * 4;
	uint16_t sum;

	if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || offset < 0 ||
	    transport + (size_t)offset + sizeof(sum) > (size_t)length)
		return;
	header->hdr_len = (uint16_t)(header->hdr_len + transport - header->csum_start);
	header->csum_start = (uint16_t)transport; /* an option may have been put in */
	sum = transport_pseudo_sum(datagram, length);
	memcpy(datagram + transport + offset, &sum, sizeof(sum));
}

static void put(struct lane *lane, const struct virtio_net_hdr *header, void *datagram, int length)
{
	struct iovec parts[] = {{(void *)header, sizeof(*header)}, {datagram, (size_t)length}};

	if (writev(lane->fd, parts, 2) < 0)
		lane_count(&lane->counters.failed, 1);
}

/* One direction; true when that has decided. */
static bool translated(struct lane *lane, struct user_packet *packet, enum user_hook hook)
{
	packet->hook = (uint8_t)hook;
	lane_translate(lane, packet, 1);
	return packet->verdict != USER_KEEP;
}

/*
 * Both directions in turn; a proxy changes the destination of what goes on to be masqueraded.  A
 * fragment without a transport header that is not for this machine is no one's to wait for, which
 * USER_FROM_INSIDE heeds.  What was masqueraded to its own destination was addressed to the alias
 * address, where nobody waits for it.
 */
static int translate(struct lane *lane, struct user_packet *packet)
{
	const uint8_t *ip = packet->data;
	bool later_fragment = (ip[6] & 0x1f) | ip[7], proxied = false;

	if (translated(lane, packet, later_fragment ? USER_FROM_INSIDE : USER_FROM_OUTSIDE))
		return packet->verdict;
	if (user_hooks(lane->datapath->user) & USER_HOOK_INSIDE_ANYWHERE) {
		proxied = translated(lane, packet, USER_FROM_INSIDE);
		if (proxied && packet->verdict != USER_CHANGED)
			return packet->verdict;
	}
	if (!translated(lane, packet, USER_TO_OUTSIDE))
		return proxied ? USER_CHANGED : USER_KEEP;
	if (packet->verdict == USER_CHANGED && memcmp(ip + 12, ip + 16, 4) == 0)
		return USER_DROP;
	return packet->verdict;
}

static void pass(struct lane *lane, struct tun_lane *tun, size_t got)
{
	int length = lane_datagram(tun->datagram, got), verdict;
	struct user_packet packet = {.data = tun->datagram, .size = UINT16_MAX, .id = lane->worker};

	if (!length)
		return; /* IPv6 neighbour discovery and the like */
	verdict = translate(lane, &packet);
	if (verdict == USER_CHANGED) {
		length = lane_datagram(tun->datagram, UINT16_MAX);
		renew_checksum(&tun->header, tun->datagram, length);
	}
	if (length && (verdict == USER_CHANGED || verdict == USER_KEEP))
		put(lane, &tun->header, tun->datagram, length);
}

static int tun_turn(struct lane *lane)
{
	struct tun *all = lane->datapath->private;
	struct tun_lane *tun = all->lanes[lane->worker];
	struct iovec parts[] = {{&tun->header, sizeof(tun->header)},
				{tun->datagram, sizeof(tun->datagram)}};
	int n;

	for (n = 0; n < LANE_BATCH; n++) {
		ssize_t got = readv(lane->fd, parts, 2);

		if (got < 0)
			return errno == EAGAIN || errno == EINTR ? n : -1;
		if ((size_t)got <= sizeof(tun->header))
			continue;
		got -= (ssize_t)sizeof(tun->header);
		lane_count(&lane->counters.packets, 1);
		lane_count(&lane->counters.bytes, (uint64_t)got);
		pass(lane, tun, (size_t)got);
	}
	return n;
}

static void tun_rest(struct lane *lane)
{
	(void)lane;
}

/* Of a held fragment the engine has the only copy: it is dropped by not being sent. */
static void tun_release(struct datapath *datapath, uint32_t id, void *data, int length)
{
	static const struct virtio_net_hdr plain;

	if (data)
		put(&datapath->lanes[id], &plain, data, length);
}

/* --- opening and closing -----------------------------------------------------------------------
 */

static int explain(struct ipmasq_error *error, const char *name, const char *what)
{
	int code = errno;

	if (code == ENOENT || code == ENODEV)
		return ipmasq_fail(error, code,
				   "cannot %s TUN device %s: there is no /dev/net/tun; load the "
				   "kernel's module for it (modprobe tun)",
				   what, name);
	if (code == EPERM || code == EACCES)
		return ipmasq_fail(error, code,
				   "cannot %s TUN device %s: not permitted; start ipmasqd as root "
				   "or with CAP_NET_ADMIN",
				   what, name);
	if (code == EBUSY)
		return ipmasq_fail(error, code,
				   "TUN device %s is taken by another program, perhaps another "
				   "ipmasqd; choose another name with -t",
				   name);
	if (code == EINVAL)
		return ipmasq_fail(
			error, code,
			"cannot %s TUN device %s: there is an interface of this name that "
			"is none, or was made for another number of workers; delete it "
			"(ip link delete %s) or choose another name with -t",
			what, name, name);
	return ipmasq_fail(error, code, "cannot %s TUN device %s: %s", what, name, strerror(code));
}

/* What the kernel need not do before it hands a packet over, as much as this one knows of. */
static int offload(int fd)
{
	static const unsigned int offers[] = {
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN,
	};

	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		if (ioctl(fd, TUNSETOFFLOAD, offers[i]) == 0)
			return 0;
	return -1;
}

static int open_queue(struct lane *lane, const char *name, unsigned int workers, bool persistent)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
	int size = sizeof(struct virtio_net_hdr);

	if (workers > 1)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	lane->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (lane->fd < 0 || ioctl(lane->fd, TUNSETIFF, &request) < 0 ||
	    ioctl(lane->fd, TUNSETVNETHDRSZ, &size) < 0 || offload(lane->fd) < 0)
		return -1;
	return ioctl(lane->fd, TUNSETPERSIST, persistent ? 1ul : 0ul);
}

static int bring_up(const char *name)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int rc = -1;

	if (fd < 0)
		return -1;
	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
		request.ifr_flags |= IFF_UP;
		rc = ioctl(fd, SIOCSIFFLAGS, &request);
	}
	close(fd);
	return rc;
}

/* A masqueraded packet comes out of the device with a source of this machine. */
static int accept_own_sources(const char *name)
{
	static const struct {
		const char *setting, *value;
	} settings[] = {{"accept_local", "1"}, {"rp_filter", "0"}};
	char path[64 + IFNAMSIZ];

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int fd, rc;

		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", name,
			 settings[i].setting);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		rc = fd < 0 ? -1 : (int)write(fd, settings[i].value, 1);
		if (fd >= 0)
			close(fd);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* What the device has dropped because its queue was full. */
static uint64_t dropped(const struct tun *tun)
{
	FILE *file = fopen("/proc/net/dev", "re");
	char line[256], *at;
	uint64_t n, found = 0;

	while (file && fgets(line, sizeof(line), file)) {
		at = line + strspn(line, " ");
		if (strncmp(at, tun->name, strlen(tun->name)) != 0)
			continue;
		/* Of 16 columns, 8 of each direction, the fourth of what is transmitted. */
		if (sscanf(at + strlen(tun->name),
			   ": %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &n) == 1)
			found = n;
	}
	if (file)
		fclose(file);
	return found;
}

static int tun_open(struct datapath *datapath, struct ipmasq_error *error)
{
	const struct datapath_options *options = &datapath->options;
	struct tun *all = calloc(1, sizeof(*all) + options->workers * sizeof(all->lanes[0]));

	if (!all)
		return ipmasq_fail(error, ENOMEM, "out of memory");
	datapath->private = all;
	strcpy(all->name, options->tun);
	all->persistent = !options->fail_open;
	for (unsigned int i = 0; i < options->workers; i++) {
		all->lanes[i] = aligned_alloc(64, sizeof(*all->lanes[i]));
		if (!all->lanes[i])
			return ipmasq_fail(error, ENOMEM, "out of memory");
		if (open_queue(&datapath->lanes[i], options->tun, options->workers,
			       all->persistent) < 0)
			return explain(error, options->tun, "make");
	}
	all->lost_before = dropped(all);
	if (accept_own_sources(options->tun) < 0)
		return explain(error, options->tun, "have packets accepted from");
	return bring_up(options->tun) < 0 ? explain(error, options->tun, "bring up") : 0;
}

static void tun_tend(struct datapath *datapath, unsigned int hooks)
{
	(void)datapath, (void)hooks;
}

/* Nothing can be lost: what is not read yet goes with the device. */
static void tun_drain(struct datapath *datapath, unsigned int held)
{
	(void)datapath, (void)held;
}

static uint64_t tun_lost(const struct datapath *datapath)
{
	const struct tun *all = datapath->private;

	return dropped(all) - all->lost_before;
}

static void tun_close(struct datapath *datapath)
{
	struct tun *all = datapath->private;

	if (!all)
		return;
	for (unsigned int i = 0; i < datapath->options.workers; i++) {
		int fd = datapath->lanes[i].fd;

		if (fd >= 0) {
			if (!datapath->abandoned)
				ioctl(fd, TUNSETPERSIST, 0ul);
			close(fd);
		}
		free(all->lanes[i]);
	}
	free(all);
}

const struct datapath_kind tun_kind = {
	.name = "tun",
	.open = tun_open,
	.turn = tun_turn,
	.rest = tun_rest,
	.release = tun_release,
	.tend = tun_tend,
	.drain = tun_drain,
	.lost = tun_lost,
	.close = tun_close,
};
