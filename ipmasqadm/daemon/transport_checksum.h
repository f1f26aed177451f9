/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksums of packets that the kernel gave us before it made them.  A datagram begins at an
 * address that four divides, as in a netlink message.
 */
#ifndef IPMASQD_TRANSPORT_CHECKSUM_H
#define IPMASQD_TRANSPORT_CHECKSUM_H

#include <stdint.h>

/*
 * transport_checksum_offset - where in a TCP or UDP header the checksum is, -1 for another protocol
 * or a fragment.
 */
int transport_checksum_offset(const void *datagram);

/* The sum of the pseudo header, as a kernel's or a device's half-done checksum holds it. */
uint16_t transport_pseudo_sum(const void *datagram, int length);

/* Makes the checksum of a whole IPv4 datagram of TCP, UDP or SCTP anew; others have none to make.
 */
void transport_checksum_complete(void *datagram, int length);

#endif
