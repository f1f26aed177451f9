/* SPDX-License-Identifier: BSD-2-Clause */
/* The heart of it: what leaves gets the aliasing address, what comes back finds its way. */
#include "net.h"

static void udp_leaves_with_the_alias_address_and_the_same_port(void **state)
{
	struct net *net = *state;

	assert_int_equal(udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53)), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 53);
}

static void the_answer_reaches_the_host_that_asked(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
}

static void two_hosts_with_one_port_to_one_remote_get_different_alias_ports(void **state)
{
	struct net *net = *state;
	uint16_t port;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(udp_out(net, ENDS(OTHER, 4000, REMOTE, 53)), PKT_ALIAS_OK);
	port = source_port(net->packet);
	assert_int_not_equal(port, 4000);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, port));
	assert_ends(net->packet, REMOTE, 53, OTHER, 4000);
}

static void one_alias_port_serves_two_remotes(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(OTHER, 4000, "203.0.113.8", 53));
	assert_ends(net->packet, ALIAS, 4000, "203.0.113.8", 53);
	udp_in(net, ENDS("203.0.113.8", 53, ALIAS, 4000));
	assert_ends(net->packet, "203.0.113.8", 53, OTHER, 4000);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
}

static void tcp_and_udp_do_not_share_links(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	tcp_out(net, ENDS(OTHER, 4000, REMOTE, 53), TH_SYN);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 53);
	tcp_in(net, ENDS(REMOTE, 53, ALIAS, 4000), TH_SYN | TH_ACK);
	assert_ends(net->packet, REMOTE, 53, OTHER, 4000);
}

static void a_wrong_checksum_leaves_wrong(void **state)
{
	struct net *net = *state;

	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "hello", 5);
	net->packet[29] ^= 1;
	assert_int_equal(LibAliasOut(net->la, net->packet, sizeof(net->packet)), PKT_ALIAS_OK);
	assert_false(sums_right(net->packet));
	net->packet[29] ^= 1;
	assert_true(sums_right(net->packet));
	build_tcp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), TH_SYN, 1, 0, NULL, 0);
	net->packet[24] ^= 1;
	LibAliasOut(net->la, net->packet, sizeof(net->packet));
	assert_false(sums_right(net->packet));
	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "hello", 5);
	net->packet[10] ^= 1;
	LibAliasOut(net->la, net->packet, sizeof(net->packet));
	assert_false(sums_right(net->packet));
}

static void a_udp_checksum_of_zero_stays_zero(void **state)
{
	struct net *net = *state;

	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "hello", 5);
	net->packet[26] = net->packet[27] = 0;
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_int_equal(net->packet[26] | net->packet[27], 0);
}

static void a_udp_checksum_that_becomes_zero_is_sent_as_all_ones(void **state)
{
	struct net *net = *state;
	uint32_t found = 0;

	/* Among all values of two payload bytes one gives each checksum. */
	for (uint32_t i = 0; i < 65536; i++) {
		uint8_t payload[2] = {(uint8_t)(i >> 8), (uint8_t)i};

		build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), payload, 2);
		send_out(net);
		assert_int_not_equal(net->packet[26] | net->packet[27], 0);
		found += net->packet[26] == 0xff && net->packet[27] == 0xff;
	}
	assert_int_not_equal(found, 0);
}

static void other_protocols_are_translated_by_address(void **state)
{
	struct net *net = *state;

	build_other(net->packet, 47, INSIDE, REMOTE);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 0, REMOTE, 0);
	build_other(net->packet, 47, REMOTE, ALIAS);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 0, INSIDE, 0);
}

static void another_hosts_link_of_such_a_protocol_is_never_taken(void **state)
{
	struct net *net = *state;

	build_other(net->packet, 47, INSIDE, REMOTE);
	send_out(net);
	build_other(net->packet, 47, OTHER, REMOTE);
	assert_int_equal(send_out(net), PKT_ALIAS_ERROR);
	build_other(net->packet, 47, REMOTE, ALIAS);
	send_in(net);
	assert_ends(net->packet, REMOTE, 0, INSIDE, 0);
}

static void without_an_address_the_source_stays(void **state)
{
	struct net *net = *state;

	LibAliasSetAddress(net->la, addr("0.0.0.0"));
	assert_int_equal(udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53)), PKT_ALIAS_OK);
	assert_ends(net->packet, INSIDE, 4000, REMOTE, 53);
}

static void out_try_makes_no_link(void **state)
{
	struct net *net = *state;

	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	assert_int_equal(LibAliasOutTry(net->la, net->packet, 100, 0), PKT_ALIAS_IGNORED);
	assert_int_equal(links(net), 0);
	assert_int_equal(LibAliasOutTry(net->la, net->packet, 100, 1), PKT_ALIAS_OK);
	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	assert_int_equal(LibAliasOutTry(net->la, net->packet, 100, 0), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 53);
}

static void unalias_out_restores_the_inside_ends(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	assert_int_equal(LibAliasUnaliasOut(net->la, net->packet, 100), PKT_ALIAS_OK);
	assert_ends(net->packet, OTHER, 4000, REMOTE, 53);
	assert_true(sums_right(net->packet));
	build_udp(net->packet, ENDS(ALIAS, 4001, REMOTE, 53), "x", 1);
	assert_int_equal(LibAliasUnaliasOut(net->la, net->packet, 100), PKT_ALIAS_IGNORED);
}

static void check_new_link_tells_of_the_last_packet(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_not_equal(LibAliasCheckNewLink(net->la), 0);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(LibAliasCheckNewLink(net->la), 0);
}

static void internet_checksum_of_data_with_its_checksum_is_zero(void **state)
{
	struct net *net = *state;
	uint16_t words[10];

	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	memcpy(words, net->packet, sizeof(words));
	assert_int_equal(LibAliasInternetChecksum(net->la, words, 20), 0);
	words[5] = 0;
	assert_memory_equal(net->packet + 10,
			    &(uint16_t){LibAliasInternetChecksum(net->la, words, 20)}, 2);
}

static void hairpin_a_host_reaches_its_neighbour_by_the_alias_address(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(OTHER), htons(80), addr("0.0.0.0"), 0, addr("0.0.0.0"),
			     htons(8080), IPPROTO_TCP);
	tcp_out(net, ENDS(INSIDE, 4000, ALIAS, 8080), TH_SYN);
	assert_ends(net->packet, ALIAS, 4000, ALIAS, 8080);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 4000, OTHER, 80);
	tcp_out(net, ENDS(OTHER, 80, ALIAS, 4000), TH_SYN | TH_ACK);
	assert_ends(net->packet, ALIAS, 8080, ALIAS, 4000);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 8080, INSIDE, 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(udp_leaves_with_the_alias_address_and_the_same_port),
		net_test(the_answer_reaches_the_host_that_asked),
		net_test(two_hosts_with_one_port_to_one_remote_get_different_alias_ports),
		net_test(one_alias_port_serves_two_remotes),
		net_test(tcp_and_udp_do_not_share_links),
		net_test(a_wrong_checksum_leaves_wrong),
		net_test(a_udp_checksum_of_zero_stays_zero),
		net_test(a_udp_checksum_that_becomes_zero_is_sent_as_all_ones),
		net_test(other_protocols_are_translated_by_address),
		net_test(another_hosts_link_of_such_a_protocol_is_never_taken),
		net_test(without_an_address_the_source_stays),
		net_test(out_try_makes_no_link),
		net_test(unalias_out_restores_the_inside_ends),
		net_test(check_new_link_tells_of_the_last_packet),
		net_test(internet_checksum_of_data_with_its_checksum_is_zero),
		net_test(hairpin_a_host_reaches_its_neighbour_by_the_alias_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
