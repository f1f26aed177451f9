/* SPDX-License-Identifier: BSD-2-Clause */
/* packet.c - checksums of packets that a fuzz target makes, and what must hold of what comes back.
 */
#include "packet.h"

#include <stdlib.h>
#include <arpa/inet.h>
#include "alias.h"

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint64_t sum(const uint8_t *p, size_t len)
{
	uint64_t total = 0;

	for (size_t i = 0; i < len; i++)
		total += (uint32_t)p[i] << (i % 2 ? 0 : 8);
	return total;
}

bool packet_right(const uint8_t *p)
{
	size_t header = (p[0] & 15u) * 4u, len = (size_t)p[2] << 8 | p[3];
	bool tcp = p[9] == IPPROTO_TCP;

	if (header < 20 || len < header + (tcp ? 20 : 8) || (p[6] & 0x3f) || p[7] ||
	    (!tcp && p[9] != IPPROTO_UDP) || fold(sum(p, header)) != 0xffff)
		return false;
	if (!tcp && !p[header + 6] && !p[header + 7])
		return true;
	return fold(sum(p + 12, 8) + p[9] + (len - header) + sum(p + header, len - header)) ==
	       0xffff;
}

void packet_set_sums(uint8_t *p)
{
	size_t header = 20, len = (size_t)p[2] << 8 | p[3], at;
	uint16_t value;

	p[10] = p[11] = 0;
	value = (uint16_t)~fold(sum(p, header));
	p[10] = (uint8_t)(value >> 8);
	p[11] = (uint8_t)value;
	at = header + (p[9] == IPPROTO_TCP ? 16 : p[9] == IPPROTO_UDP ? 6 : 2);
	if (at + 2 > len)
		return;
	p[at] = p[at + 1] = 0;
	value = (uint16_t)~fold(p[9] == IPPROTO_ICMP ? sum(p + header, len - header)
						     : sum(p + 12, 8) + p[9] + (len - header) +
							       sum(p + header, len - header));
	p[at] = (uint8_t)(value >> 8);
	p[at + 1] = (uint8_t)value;
}

void packet_check(int result, const uint8_t *p, size_t size, bool was_right)
{
	if (result != PKT_ALIAS_ERROR &&
	    (result < PKT_ALIAS_OK || result > PKT_ALIAS_FOUND_HEADER_FRAGMENT))
		abort();
	if (result != PKT_ALIAS_OK)
		return;
	if (((size_t)p[2] << 8 | p[3]) > size)
		abort();
	if (was_right && !packet_right(p))
		abort();
}
