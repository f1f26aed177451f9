/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets that lie.  Each lies in a buffer that ends where maxpacketsize says, so that a sanitizer
 * or valgrind sees a step beyond it.
 */
#include "net.h"

static int run(struct net *net, const uint8_t *packet, size_t len, bool out)
{
	uint8_t *copy = malloc(len ? len : 1);
	int result;

	memcpy(copy, packet, len);
	result = out ? LibAliasOut(net->la, copy, (int)len) : LibAliasIn(net->la, copy, (int)len);
	if (result == PKT_ALIAS_IGNORED)
		assert_memory_equal(copy, packet, len);
	free(copy);
	return result;
}

static void a_truncated_packet_is_ignored_at_every_length(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;

	build_tcp(net->packet, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN, 1, 0, "hello", 5);
	for (size_t len = 0; len < 45; len++)
		assert_int_equal(run(net, net->packet, len, true), PKT_ALIAS_IGNORED);
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.malformed, 45);
	assert_int_equal(stats.links, 0);
	assert_int_equal(run(net, net->packet, 45, true), PKT_ALIAS_OK);
}

static void a_datagram_too_short_for_its_transport_is_ignored(void **state)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	static const uint8_t needs[] = {20, 8, 8};
	struct net *net = *state;

	for (int i = 0; i < 3; i++)
		for (uint8_t len = 0; len < needs[i]; len++) {
			build_tcp(net->packet, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN, 1, 0, "", 0);
			net->packet[9] = protos[i];
			net->packet[3] = (uint8_t)(20 + len);
			fix_ip_sum(net->packet);
			assert_int_equal(run(net, net->packet, 20u + len, true), PKT_ALIAS_IGNORED);
		}
}

static void lying_lengths_are_ignored(void **state)
{
	struct net *net = *state;

	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "hello", 5);
	net->packet[25] = 14; /* UDP length beyond the datagram */
	assert_int_equal(run(net, net->packet, 33, true), PKT_ALIAS_IGNORED);
	net->packet[25] = 7;
	assert_int_equal(run(net, net->packet, 33, true), PKT_ALIAS_IGNORED);
	build_tcp(net->packet, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN, 1, 0, "hello", 5);
	net->packet[32] = 0xf0; /* a TCP header of 60 bytes */
	assert_int_equal(run(net, net->packet, 45, true), PKT_ALIAS_IGNORED);
	net->packet[32] = 0x40;
	assert_int_equal(run(net, net->packet, 45, true), PKT_ALIAS_IGNORED);
	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "hello", 5);
	net->packet[0] = 0x4f; /* an IP header of 60 bytes */
	assert_int_equal(run(net, net->packet, 33, true), PKT_ALIAS_IGNORED);
	net->packet[0] = 0x44;
	assert_int_equal(run(net, net->packet, 33, true), PKT_ALIAS_IGNORED);
	net->packet[0] = 0x65; /* IPv6 */
	assert_int_equal(run(net, net->packet, 33, true), PKT_ALIAS_IGNORED);
	net->packet[0] = 0x45;
	net->packet[3] = 19; /* a datagram shorter than its header */
	assert_int_equal(run(net, net->packet, 33, true), PKT_ALIAS_IGNORED);
}

static void a_negative_size_is_ignored(void **state)
{
	struct net *net = *state;

	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "hello", 5);
	assert_int_equal(LibAliasOut(net->la, net->packet, -1), PKT_ALIAS_IGNORED);
	assert_int_equal(LibAliasIn(net->la, net->packet, 0), PKT_ALIAS_IGNORED);
}

static void ip_options_are_stepped_over(void **state)
{
	struct net *net = *state;
	uint8_t packet[64];

	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "hello", 5);
	memcpy(packet, net->packet, 20);
	memset(packet + 20, 1, 8);
	memcpy(packet + 28, net->packet + 20, 13);
	packet[0] = 0x47;
	packet[3] = 41;
	fix_ip_sum(packet);
	assert_int_equal(LibAliasOut(net->la, packet, 41), PKT_ALIAS_OK);
	assert_ends(packet, ALIAS, 4000, REMOTE, 53);
	assert_true(sums_right(packet));
}

static void port_zero_does_no_harm(void **state)
{
	struct net *net = *state;

	assert_int_equal(udp_out(net, ENDS(INSIDE, 0, REMOTE, 0)), PKT_ALIAS_OK);
	assert_int_not_equal(source_port(net->packet), 0);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 0, ALIAS, 0)), PKT_ALIAS_OK);
}

static void a_packet_to_itself_does_no_harm(void **state)
{
	struct net *net = *state;

	assert_int_equal(tcp_out(net, ENDS(INSIDE, 80, INSIDE, 80), TH_SYN), PKT_ALIAS_OK);
	assert_int_equal(tcp_out(net, ENDS(ALIAS, 80, ALIAS, 80), TH_SYN), PKT_ALIAS_OK);
	assert_int_equal(tcp_in(net, ENDS(ALIAS, 80, ALIAS, 80), TH_SYN), PKT_ALIAS_OK);
	assert_int_equal(udp_in(net, ENDS("0.0.0.0", 1, "255.255.255.255", 1)), PKT_ALIAS_OK);
}

static void a_flood_of_half_open_connections_is_bounded_and_passes(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;
	char host[32];

	LibAliasSetLimit(net->la, ALIAS_LIMIT_LINKS, 1000);
	for (int i = 0; i < 5000; i++) {
		snprintf(host, sizeof(host), "203.0.%d.%d", i / 250, i % 250);
		tcp_in(net, ENDS(host, 1, ALIAS, 80), TH_SYN);
	}
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.links, 1000);
	assert_int_equal(stats.refused_limit, 4000);
	net->now += 241;
	assert_int_equal(tcp_out(net, ENDS(INSIDE, 80, REMOTE, 80), TH_SYN), PKT_ALIAS_OK);
}

static void tcp_options_that_lie_do_no_harm(void **state)
{
	static const uint8_t options[][8] = {
		{5, 0, 0, 0, 0, 0, 0, 0}, {5, 255, 0, 0, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1, 1, 5},
		{5, 3, 1, 2, 5, 8, 9, 9}, {8, 1, 8, 1, 8, 1, 8, 1},
	};
	struct net *net = *state;

	LibAliasSetHelper(net->la, "ftp", 21, 1);
	tcp_out(net, ENDS(INSIDE, 3000, REMOTE, 21), TH_SYN);
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 21), TH_ACK, 2, 1,
		  "PORT 10,0,0,2,16,1\r\n", 20);
	send_out(net);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		build_tcp_options(net->packet, ENDS(REMOTE, 21, ALIAS, 3000), TH_ACK, 1, 30,
				  options[i], 8, "", 0);
		assert_int_equal(run(net, net->packet, 48, false), PKT_ALIAS_OK);
	}
}

static void every_single_byte_may_be_wrong(void **state)
{
	struct net *net = *state;
	uint8_t good[64];

	LibAliasSetHelper(net->la, "ftp", 21, 1);
	tcp_out(net, ENDS(INSIDE, 3000, REMOTE, 21), TH_SYN);
	build_tcp(good, ENDS(INSIDE, 3000, REMOTE, 21), TH_ACK, 2, 1, "PORT 10,0,0,2,16,1\r\n", 20);
	for (size_t at = 0; at < 60; at++)
		for (int value = 0; value < 256; value++) {
			memcpy(net->packet, good, 60);
			net->packet[at] = (uint8_t)value;
			assert_in_range(run(net, net->packet, 60, true) + 1, 0, 5);
			assert_in_range(run(net, net->packet, 60, false) + 1, 0, 5);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(a_truncated_packet_is_ignored_at_every_length),
		net_test(a_datagram_too_short_for_its_transport_is_ignored),
		net_test(lying_lengths_are_ignored),
		net_test(a_negative_size_is_ignored),
		net_test(ip_options_are_stepped_over),
		net_test(port_zero_does_no_harm),
		net_test(a_packet_to_itself_does_no_harm),
		net_test(a_flood_of_half_open_connections_is_bounded_and_passes),
		net_test(tcp_options_that_lie_do_no_harm),
		net_test(every_single_byte_may_be_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
