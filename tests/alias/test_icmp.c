/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP: queries by their id, errors by the packet that they quote. */
#include "net.h"

static void an_echo_finds_its_way_back(void **state)
{
	struct net *net = *state;

	build_echo(net->packet, ICMP_ECHO, INSIDE, REMOTE, 77);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 77, REMOTE, 77);
	build_echo(net->packet, ICMP_ECHOREPLY, REMOTE, ALIAS, 77);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 77, INSIDE, 77);
}

static void two_hosts_with_one_id_get_different_alias_ids(void **state)
{
	struct net *net = *state;
	uint16_t id;

	build_echo(net->packet, ICMP_ECHO, INSIDE, REMOTE, 77);
	send_out(net);
	build_echo(net->packet, ICMP_ECHO, OTHER, REMOTE, 77);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	id = (uint16_t)(net->packet[24] << 8 | net->packet[25]);
	assert_int_not_equal(id, 77);
	build_echo(net->packet, ICMP_ECHOREPLY, REMOTE, ALIAS, id);
	send_in(net);
	assert_ends(net->packet, REMOTE, 77, OTHER, 77);
}

static void timestamps_work_as_echoes_do(void **state)
{
	struct net *net = *state;

	build_echo(net->packet, ICMP_TIMESTAMP, INSIDE, REMOTE, 5);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	build_echo(net->packet, ICMP_TIMESTAMPREPLY, REMOTE, ALIAS, 5);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 5, INSIDE, 5);
}

static void a_reply_that_nobody_asked_for_is_ignored(void **state)
{
	struct net *net = *state;

	build_echo(net->packet, ICMP_ECHOREPLY, REMOTE, ALIAS, 77);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
	build_echo(net->packet, ICMP_ECHOREPLY, INSIDE, REMOTE, 77);
	assert_int_equal(send_out(net), PKT_ALIAS_IGNORED);
	assert_int_equal(links(net), 0);
}

static void an_incoming_echo_follows_a_redirect_and_so_does_its_answer(void **state)
{
	struct net *net = *state;

	LibAliasRedirectAddr(net->la, addr(INSIDE), addr("198.51.100.9"));
	build_echo(net->packet, ICMP_ECHO, REMOTE, "198.51.100.9", 77);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 77, INSIDE, 77);
	build_echo(net->packet, ICMP_ECHOREPLY, INSIDE, REMOTE, 77);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_ends(net->packet, "198.51.100.9", 77, REMOTE, 77);
}

static void other_types_are_ignored(void **state)
{
	struct net *net = *state;

	build_echo(net->packet, 10, INSIDE, REMOTE, 0);
	assert_int_equal(send_out(net), PKT_ALIAS_IGNORED);
}

static const uint8_t error_types[] = {ICMP_DEST_UNREACH, ICMP_SOURCE_QUENCH, ICMP_REDIRECT,
				      ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB};

static void an_incoming_error_reaches_the_host_with_its_own_packet_in_it(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	/* OTHER's alias port differs from its own. */
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	memcpy(sent, net->packet, 33);
	for (size_t i = 0; i < sizeof(error_types); i++) {
		build_error(net->packet, error_types[i], "192.0.2.1", ALIAS, sent, 33);
		assert_int_equal(send_in(net), PKT_ALIAS_OK);
		assert_memory_equal(net->packet + 12, &(uint32_t){addr("192.0.2.1").s_addr}, 4);
		assert_memory_equal(net->packet + 16, &(uint32_t){addr(OTHER).s_addr}, 4);
		assert_ends(net->packet + 28, OTHER, 4000, REMOTE, 53);
		assert_true(sums_right(net->packet + 28));
	}
	assert_int_equal(links(net), 2);
}

static void an_outgoing_error_shows_the_remote_its_own_packet(void **state)
{
	struct net *net = *state;
	uint8_t got[64];

	LibAliasRedirectPort(net->la, addr(INSIDE), htons(53), addr("0.0.0.0"), 0, addr("0.0.0.0"),
			     htons(5353), IPPROTO_UDP);
	udp_in(net, ENDS(REMOTE, 4000, ALIAS, 5353));
	memcpy(got, net->packet, 33);
	assert_ends(got, REMOTE, 4000, INSIDE, 53);
	build_error(net->packet, ICMP_DEST_UNREACH, INSIDE, REMOTE, got, 33);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_memory_equal(net->packet + 12, &(uint32_t){addr(ALIAS).s_addr}, 4);
	assert_ends(net->packet + 28, REMOTE, 4000, ALIAS, 5353);
	assert_true(sums_right(net->packet + 28));
}

static void a_router_inside_does_not_show_its_address(void **state)
{
	struct net *net = *state;
	uint8_t got[64];

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	memcpy(got, net->packet, 33);
	build_error(net->packet, ICMP_TIME_EXCEEDED, "10.9.9.9", REMOTE, got, 33);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_memory_equal(net->packet + 12, &(uint32_t){addr(ALIAS).s_addr}, 4);
}

static void eight_bytes_of_tcp_are_enough(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN);
	tcp_out(net, ENDS(OTHER, 4000, REMOTE, 80), TH_SYN);
	memcpy(sent, net->packet, 40);
	build_error(net->packet, ICMP_DEST_UNREACH, REMOTE, ALIAS, sent, 28);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, OTHER, 4000, REMOTE, 80);
	build_error(net->packet, ICMP_DEST_UNREACH, REMOTE, ALIAS, sent, 40);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_true(sums_right(net->packet + 28));
}

static void an_error_about_an_echo_gets_the_id_back(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	build_echo(net->packet, ICMP_ECHO, INSIDE, REMOTE, 77);
	send_out(net);
	build_echo(net->packet, ICMP_ECHO, OTHER, REMOTE, 77);
	send_out(net);
	memcpy(sent, net->packet, 36);
	build_error(net->packet, ICMP_TIME_EXCEEDED, "192.0.2.1", ALIAS, sent, 36);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, OTHER, 77, REMOTE, 77);
	assert_true(sums_right(net->packet + 28));
}

static void an_error_about_an_unknown_packet_is_ignored_and_makes_no_link(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	build_udp(sent, ENDS(ALIAS, 4000, REMOTE, 53), "hello", 5);
	build_error(net->packet, ICMP_DEST_UNREACH, REMOTE, ALIAS, sent, 33);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
	assert_int_equal(links(net), 0);
}

static void an_error_does_not_keep_its_link_alive(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	memcpy(sent, net->packet, 33);
	net->now += 200;
	build_error(net->packet, ICMP_DEST_UNREACH, REMOTE, ALIAS, sent, 33);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	net->now += 200;
	build_error(net->packet, ICMP_DEST_UNREACH, REMOTE, ALIAS, sent, 33);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
}

static void an_error_ends_no_connection(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN);
	memcpy(sent, net->packet, 40);
	build_error(net->packet, ICMP_DEST_UNREACH, REMOTE, ALIAS, sent, 40);
	send_in(net);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 80, ALIAS, 4000), TH_SYN | TH_ACK), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
}

static void a_quote_that_is_cut_short_is_ignored(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	memcpy(sent, net->packet, 33);
	for (size_t bytes = 0; bytes < 28; bytes++) {
		build_error(net->packet, ICMP_DEST_UNREACH, REMOTE, ALIAS, sent, bytes);
		assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
	}
	sent[0] = 0x4f; /* a header of 60 bytes that is not there */
	build_error(net->packet, ICMP_DEST_UNREACH, REMOTE, ALIAS, sent, 33);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(an_echo_finds_its_way_back),
		net_test(two_hosts_with_one_id_get_different_alias_ids),
		net_test(timestamps_work_as_echoes_do),
		net_test(a_reply_that_nobody_asked_for_is_ignored),
		net_test(an_incoming_echo_follows_a_redirect_and_so_does_its_answer),
		net_test(other_types_are_ignored),
		net_test(an_incoming_error_reaches_the_host_with_its_own_packet_in_it),
		net_test(an_outgoing_error_shows_the_remote_its_own_packet),
		net_test(a_router_inside_does_not_show_its_address),
		net_test(eight_bytes_of_tcp_are_enough),
		net_test(an_error_about_an_echo_gets_the_id_back),
		net_test(an_error_about_an_unknown_packet_is_ignored_and_makes_no_link),
		net_test(an_error_does_not_keep_its_link_alive),
		net_test(an_error_ends_no_connection),
		net_test(a_quote_that_is_cut_short_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
