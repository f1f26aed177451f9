// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checksums that the daemon makes, against a sum of bytes as RFC 1071 describes it, and SCTP's
 * against its check value (RFC 9260 takes the CRC of RFC 3720, appendix B.4).
 */
#include "test.h"

#include <daemon/transport_checksum.h>
#include <netinet/in.h>
#include <stdlib.h>

#define HEADER 20

static uint8_t buffer[70000] __attribute__((aligned(8)));

/* A datagram of this protocol with data of a pattern. */
static uint8_t *datagram(uint8_t protocol, int length, unsigned int seed)
{
	srand(seed);
	for (int i = 0; i < length; i++)
		buffer[i] = seed % 7 ? (uint8_t)rand() : 0xff;
	buffer[0] = 0x45;
	buffer[6] = buffer[7] = 0;
	buffer[9] = protocol;
	return buffer;
}

static uint32_t sum_of_bytes(uint32_t sum, const uint8_t *data, int length)
{
	for (int i = 0; i < length; i++)
		sum = (sum + (i % 2 ? data[i] : (uint32_t)data[i] << 8)) % 0xffff;
	return sum;
}

/* The sum with its pseudo header, 0 when the checksum in it is right. */
static uint32_t sum_of(const uint8_t *ip, int length)
{
	uint8_t pseudo[12] = {0};

	memcpy(pseudo, ip + 12, 8);
	pseudo[9] = ip[9];
	pseudo[10] = (uint8_t)((length - HEADER) >> 8);
	pseudo[11] = (uint8_t)(length - HEADER);
	return sum_of_bytes(sum_of_bytes(0, pseudo, sizeof(pseudo)), ip + HEADER, length - HEADER);
}

static void tcp_and_udp_of_any_length(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3000; i++) {
		uint8_t protocol = i % 2 ? IPPROTO_TCP : IPPROTO_UDP;
		int length = HEADER + 20 + (int)(i < 200 ? i : i * 7919 % 65000);
		uint8_t *ip = datagram(protocol, length, i);

		transport_checksum_complete(ip, length);
		assert_int_equal(sum_of(ip, length), 0);
	}
}

static void udp_never_says_that_there_is_none(void **state)
{
	uint8_t *ip = datagram(IPPROTO_UDP, HEADER + 8, 1);

	(void)state;
	memset(ip + 12, 0, 16); /* addresses, ports, length */
	ip[HEADER + 4] = 0xff, ip[HEADER + 5] = (uint8_t)(0xff - IPPROTO_UDP - 8);
	transport_checksum_complete(ip, HEADER + 8);
	assert_int_equal(ip[HEADER + 6] << 8 | ip[HEADER + 7], 0xffff);
}

static void sctp_has_its_crc(void **state)
{
	static const uint8_t expected[] = {0xaa, 0x36, 0x91, 0x8a}; /* 32 zero bytes */
	uint8_t *ip = datagram(IPPROTO_SCTP, HEADER + 32, 1);

	(void)state;
	memset(ip + HEADER, 0, 32);
	transport_checksum_complete(ip, HEADER + 32);
	assert_memory_equal(ip + HEADER + 8, expected, sizeof(expected));
}

static void what_has_no_checksum_is_left_alone(void **state)
{
	uint8_t before[100];
	uint8_t *ip = datagram(IPPROTO_TCP, 100, 1);

	(void)state;
	ip[6] = 0x20; /* a fragment */
	memcpy(before, ip, 100);
	transport_checksum_complete(ip, 100);
	assert_memory_equal(ip, before, 100);
	ip = datagram(IPPROTO_TCP, 100, 2);
	memcpy(before, ip, 100);
	transport_checksum_complete(ip, HEADER + 17); /* ends in the middle of the field */
	assert_memory_equal(ip, before, 100);
	ip = datagram(IPPROTO_GRE, 100, 3);
	memcpy(before, ip, 100);
	transport_checksum_complete(ip, 100);
	assert_memory_equal(ip, before, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_and_udp_of_any_length),
		cmocka_unit_test(udp_never_says_that_there_is_none),
		cmocka_unit_test(sctp_has_its_crc),
		cmocka_unit_test(what_has_no_checksum_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
