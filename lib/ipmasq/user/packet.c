// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The answer to a packet, by which libalias finds the link that the packet's conversation has: a
 * link is looked up by what comes, or leaves, and the packet at hand went the other way.
 */
#include "packet.h"

bool packet_answer(struct packet_answer *answer, const struct user_packet *packet)
{
	const struct ip *ip = packet->data;
	const uint8_t *l4 = packet_transport(packet, 8);

	if (!l4)
		return false;
	*answer = (struct packet_answer){
		.ip = {.ip_v = 4,
		       .ip_hl = sizeof(struct ip) / 4,
		       .ip_len = htons(sizeof(*answer)),
		       .ip_ttl = 1,
		       .ip_p = ip->ip_p,
		       .ip_src = ip->ip_dst,
		       .ip_dst = ip->ip_src},
	};
	switch (ip->ip_p) {
	case IPPROTO_TCP:
		answer->l4[12] = sizeof(answer->l4) / 4 << 4;
		/* fall through */
	case IPPROTO_UDP:
		memcpy(answer->l4, l4 + 2, 2);
		memcpy(answer->l4 + 2, l4, 2);
		if (ip->ip_p == IPPROTO_UDP)
			answer->l4[5] = sizeof(answer->l4);
		break;
	case IPPROTO_ICMP:
		memcpy(answer->l4, l4, 8);
		break;
	}
	return true;
}
