// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the user engine reads in the headers of a packet by itself; all else is libalias's.
 *
 * Where packet_has_header() is false nothing else here may be asked.
 */
#ifndef IPMASQ_USER_PACKET_H
#define IPMASQ_USER_PACKET_H

#include "user.h"

#include <netinet/ip.h>
#include <string.h>

static inline struct in_addr packet_source(const void *data)
{
	struct in_addr address;

	memcpy(&address, (const uint8_t *)data + offsetof(struct ip, ip_src), sizeof(address));
	return address;
}

static inline struct in_addr packet_destination(const void *data)
{
	struct in_addr address;

	memcpy(&address, (const uint8_t *)data + offsetof(struct ip, ip_dst), sizeof(address));
	return address;
}

/* Whether the IP header is all there, which is what is looked at here; the rest is libalias's. */
static inline bool packet_has_header(const struct user_packet *packet)
{
	const struct ip *ip = packet->data;

	return packet->size >= (int)sizeof(*ip) && ip->ip_hl * 4u >= sizeof(*ip) &&
	       ntohs(ip->ip_len) >= ip->ip_hl * 4u && packet->size >= ntohs(ip->ip_len);
}

static inline bool packet_begins_fragments(const void *data)
{
	uint16_t offset = ntohs(((const struct ip *)data)->ip_off);

	return offset & IP_MF && !(offset & IP_OFFMASK);
}

/* The transport header of a first fragment, at least `bytes` of it, or NULL. */
static inline const uint8_t *packet_transport(const struct user_packet *packet, unsigned int bytes)
{
	const struct ip *ip = packet->data;

	if (ntohs(ip->ip_off) & IP_OFFMASK || ntohs(ip->ip_len) < ip->ip_hl * 4u + bytes)
		return NULL;
	return (const uint8_t *)packet->data + ip->ip_hl * 4u;
}

/* The headers of the answer to a packet, as far as links are found by them; false: it has none. */
struct packet_answer {
	struct ip ip;
	uint8_t l4[20];
};

bool packet_answer(struct packet_answer *answer, const struct user_packet *packet);

#endif
