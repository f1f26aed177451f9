// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet that never was on a wire comes with a half-done checksum (CHECKSUM_PARTIAL): the field
 * holds the sum of the pseudo header, and the sender's device was to do the rest.  What a program
 * hands back the kernel takes as final, so the rest is done here, over up to 64 KB a packet: the
 * one place where the speed of a sum matters.
 *
 * The sum is of 32-bit words as they lie in memory, in sums of 64 bits side by side, which gcc and
 * clang make vector instructions of; a one's complement sum does not depend on the byte order
 * (RFC 1071, section 2).  SCTP has a CRC instead (RFC 9260, appendix A).
 */
#include "transport_checksum.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <string.h>

#define WORDS            2
#define CRC32C_REFLECTED 0x82f63b78u
#define SCTP_CHECKSUM    8 /* offset in the common header */
#define SCTP_HEADER      12

typedef uint64_t vector __attribute__((vector_size(WORDS * sizeof(uint64_t))));

static uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static uint64_t sum_of(const uint8_t *data, size_t length)
{
	vector low = {0}, high = {0}, words;
	uint64_t sum = 0;
	uint32_t word;

	for (; length >= sizeof(words); length -= sizeof(words), data += sizeof(words)) {
		memcpy(&words, data, sizeof(words));
		low += words & 0xffffffff;
		high += words >> 32;
	}
	for (size_t i = 0; i < WORDS; i++)
		sum += low[i] % 0xffff + high[i] % 0xffff;
	for (size_t n; length; length -= n, data += n) {
		n = length < sizeof(word) ? length : sizeof(word);
		word = 0;
		memcpy(&word, data, n);
		sum += word;
	}
	return sum;
}

static size_t header_length(const struct iphdr *ip)
{
	return ip->ihl * 4u;
}

int transport_checksum_offset(const void *datagram)
{
	const struct iphdr *ip = datagram;

	if (ip->frag_off & htons(IP_MF | IP_OFFMASK))
		return -1;
	if (ip->protocol == IPPROTO_TCP)
		return offsetof(struct tcphdr, check);
	if (ip->protocol == IPPROTO_UDP)
		return offsetof(struct udphdr, check);
	return -1;
}

uint16_t transport_pseudo_sum(const void *datagram, int length)
{
	const struct iphdr *ip = datagram;
	uint64_t sum = (uint64_t)ip->saddr + ip->daddr;

	sum += htons(ip->protocol);
	sum += htons((uint16_t)((size_t)length - header_length(ip)));
	return fold(sum);
}

static void complete_crc(uint8_t *data, size_t length)
{
	uint32_t crc = ~0u;

	if (length < SCTP_HEADER)
		return;
	memset(data + SCTP_CHECKSUM, 0, sizeof(crc));
	for (size_t i = 0; i < length; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_REFLECTED : 0);
	}
	crc = ~crc;
	for (size_t i = 0; i < sizeof(crc); i++, crc >>= 8)
		data[SCTP_CHECKSUM + i] = (uint8_t)crc;
}

void transport_checksum_complete(void *datagram, int length)
{
	const struct iphdr *ip = datagram;
	size_t header = header_length(ip);
	uint8_t *transport = (uint8_t *)datagram + header;
	size_t left = (size_t)length - header;
	int offset = transport_checksum_offset(datagram);
	uint16_t check;

	if (ip->protocol == IPPROTO_SCTP && !(ip->frag_off & htons(IP_MF | IP_OFFMASK)))
		complete_crc(transport, left);
	if (offset < 0 || left < (size_t)offset + sizeof(check))
		return;
	check = transport_pseudo_sum(datagram, length);
	memcpy(transport + offset, &check, sizeof(check)); /* sums up with the data */
	check = (uint16_t)~fold(sum_of(transport, left));
	if (!check && ip->protocol == IPPROTO_UDP)
		check = 0xffff; /* 0 says that there is none (RFC 768) */
	memcpy(transport + offset, &check, sizeof(check));
}
