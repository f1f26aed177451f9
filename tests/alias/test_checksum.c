/* SPDX-License-Identifier: BSD-2-Clause */
/* The Internet checksum of blocks of any length, place and content. */
#include "net.h"

/* As RFC 1071 says it: words of two bytes, the first the higher, in network byte order. */
static uint16_t by_the_book(const uint8_t *data, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint16_t)(data[i] << 8 | data[i + 1]);
	if (len % 2)
		sum += (uint16_t)(data[len - 1] << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void assert_sum(struct net *net, const uint8_t *data, size_t len)
{
	/* Through a pointer of no particular alignment, as in a packet. */
	void *at = (void *)(uintptr_t)data;

	assert_int_equal(LibAliasInternetChecksum(net->la, at, (int)len), by_the_book(data, len));
}

static void fill(uint8_t *data, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = (uint8_t)(seed >> 24);
	}
}

static void the_example_of_rfc_1071(void **state)
{
	struct net *net = *state;
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	assert_int_equal(LibAliasInternetChecksum(net->la, (void *)(uintptr_t)data, 8),
			 htons((uint16_t)~0xddf2));
}

static void every_length_at_every_alignment(void **state)
{
	struct net *net = *state;
	uint8_t data[320];

	fill(data, sizeof(data), 1);
	for (size_t at = 0; at < 16; at++)
		for (size_t len = 0; len < 300; len++)
			assert_sum(net, data + at, len);
}

static void large_blocks(void **state)
{
	struct net *net = *state;

	for (uint32_t seed = 0; seed < 8; seed++) {
		fill(net->packet, sizeof(net->packet), seed);
		assert_sum(net, net->packet + seed, 65536 - 8 - seed);
		assert_sum(net, net->packet, 65535);
	}
}

static void all_ones_and_all_zeros(void **state)
{
	struct net *net = *state;

	memset(net->packet, 0xff, sizeof(net->packet));
	for (size_t len = 0; len < 200; len++)
		assert_sum(net, net->packet, len);
	assert_sum(net, net->packet, 65535);
	memset(net->packet, 0, sizeof(net->packet));
	for (size_t len = 0; len < 200; len++)
		assert_sum(net, net->packet, len);
	/* One's complement has two zeros: of nothing but zeros the sum is the one without bits. */
	assert_int_equal(LibAliasInternetChecksum(net->la, (void *)net->packet, 64), 0xffff);
}

static void carries_out_of_every_word_come_back(void **state)
{
	struct net *net = *state;

	memset(net->packet, 0, 256);
	for (size_t word = 0; word < 256; word += 8) {
		memset(net->packet + word, 0xff, 8);
		net->packet[(word + 41) % 256] ^= 0x5a;
		assert_sum(net, net->packet, 256);
		assert_sum(net, net->packet, 255);
	}
}

static void no_bytes_and_fewer(void **state)
{
	struct net *net = *state;

	assert_int_equal(LibAliasInternetChecksum(net->la, NULL, 0), 0xffff);
	assert_int_equal(LibAliasInternetChecksum(net->la, NULL, -1), 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(the_example_of_rfc_1071),
		net_test(every_length_at_every_alignment),
		net_test(large_blocks),
		net_test(all_ones_and_all_zeros),
		net_test(carries_out_of_every_word_come_back),
		net_test(no_bytes_and_fewer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
