/* SPDX-License-Identifier: BSD-2-Clause */
/* Transparent proxying: which rule matches, and the three ways to tell the destination. */
#include "net.h"

#define PROXY "192.0.2.9"

static void rule(struct net *net, const char *text)
{
	assert_int_equal(LibAliasProxyRule(net->la, text), 0);
}

static void tcp_text_out(struct net *net, uint8_t flags, uint32_t seq, const char *text)
{
	build_tcp(net->packet, ENDS(INSIDE, 4000, REMOTE, 80), flags, seq, 1, text, strlen(text));
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
}

static void a_matching_connection_goes_to_the_server_and_back_as_from_the_destination(void **state)
{
	struct net *net = *state;

	rule(net, "type no_encode port 80 server " PROXY ":3128");
	tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN);
	assert_ends(net->packet, ALIAS, 4000, PROXY, 3128);
	tcp_in(net, ENDS(PROXY, 3128, ALIAS, 4000), TH_SYN | TH_ACK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
	tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 81), TH_SYN);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 81);
}

static void two_destinations_of_one_client_port_are_kept_apart(void **state)
{
	struct net *net = *state;
	uint16_t port;

	rule(net, "port 80 server " PROXY ":3128");
	tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN);
	tcp_out(net, ENDS(INSIDE, 4000, "203.0.113.8", 80), TH_SYN);
	port = source_port(net->packet);
	assert_int_not_equal(port, 4000);
	tcp_in(net, ENDS(PROXY, 3128, ALIAS, port), TH_SYN | TH_ACK);
	assert_ends(net->packet, "203.0.113.8", 80, INSIDE, 4000);
}

static void without_a_port_the_servers_port_is_the_destinations(void **state)
{
	struct net *net = *state;

	rule(net, "server " PROXY);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 4000, PROXY, 53);
}

static void source_destination_and_protocol_select(void **state)
{
	struct net *net = *state;

	rule(net, "server " PROXY " proto udp src 10.0.0.2/31 dst 203.0.113.0/24");
	udp_out(net, ENDS("10.0.0.3", 4000, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 4000, PROXY, 53);
	udp_out(net, ENDS("10.0.0.4", 4001, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 4001, REMOTE, 53);
	udp_out(net, ENDS("10.0.0.3", 4002, "203.0.114.1", 53));
	assert_ends(net->packet, ALIAS, 4002, "203.0.114.1", 53);
	tcp_out(net, ENDS("10.0.0.3", 4000, REMOTE, 53), TH_SYN);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 53);
}

static void lower_indexes_come_first_and_the_newest_within_one(void **state)
{
	struct net *net = *state;

	rule(net, "server 192.0.2.5 rule 5");
	rule(net, "server 192.0.2.3 rule 3");
	rule(net, "server 192.0.2.4 rule 4");
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 4000, "192.0.2.3", 53);
	rule(net, "server 192.0.2.33 rule 3");
	udp_out(net, ENDS(INSIDE, 4001, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 4001, "192.0.2.33", 53);
	rule(net, "delete 3");
	udp_out(net, ENDS(INSIDE, 4002, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 4002, "192.0.2.4", 53);
	assert_int_equal(LibAliasProxyRule(net->la, "delete 3"), -1);
}

static void what_is_no_rule_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"   ",
		"server",
		"port 80",
		"server nowhere",
		"server 1.2.3.4:0",
		"server 1.2.3.4:70000",
		"server 1.2.3.4 port x",
		"server 1.2.3.4 proto icmp",
		"server 1.2.3.4 src 10.0.0.0/33",
		"server 1.2.3.4 src 10.0.0.0/",
		"server 1.2.3.4 type shout",
		"server 1.2.3.4 type encode_tcp_stream proto udp",
		"server 1.2.3.4 rule -1",
		"server 1.2.3.4 colour red",
		"delete 1 server 1.2.3.4",
		"delete 1 delete 1",
		"server 1111111111111111111111111111111111111111111111111111111111111111.2",
	};
	struct net *net = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(LibAliasProxyRule(net->la, wrong[i]), -1);
	assert_int_equal(LibAliasProxyRule(net->la, NULL), -1);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 53);
}

static void encode_ip_hdr_adds_an_option_with_the_destination(void **state)
{
	static const uint8_t option[8] = {0x64, 8, 203, 0, 113, 7, 0, 80};
	struct net *net = *state;

	rule(net, "type encode_ip_hdr port 80 server " PROXY ":3128");
	tcp_text_out(net, TH_SYN, 1, "");
	assert_int_equal(net->packet[0], 0x47);
	assert_memory_equal(net->packet + 20, option, 8);
	assert_ends(net->packet, ALIAS, 4000, PROXY, 3128);
	tcp_text_out(net, TH_ACK, 2, "hello");
	assert_memory_equal(net->packet + 20, option, 8);
	assert_string_equal(packet_text(net->packet), "hello");
}

static void an_option_that_does_not_fit_is_an_error(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;

	rule(net, "type encode_ip_hdr port 80 server " PROXY ":3128");
	build_tcp(net->packet, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN, 1, 0, "hello", 5);
	net->packet[45 + 7] = 0xaa;
	assert_int_equal(LibAliasOut(net->la, net->packet, 45 + 7), PKT_ALIAS_ERROR);
	assert_int_equal(net->packet[45 + 7], 0xaa);
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.refused_encoding, 1);
}

static const char dest[] = "[DEST 203.0.113.7 80]\n"; /* of even length */

static void encode_tcp_stream_tells_the_destination_once(void **state)
{
	struct net *net = *state;
	char expected[64];

	rule(net, "type encode_tcp_stream port 80 server " PROXY ":3128");
	tcp_text_out(net, TH_SYN, 1000, "");
	assert_int_equal(packet_seq(net->packet), 1000);
	tcp_text_out(net, TH_ACK, 1001, "");
	assert_int_equal(packet_seq(net->packet), 1001);
	assert_string_equal(packet_text(net->packet), "");
	tcp_text_out(net, TH_ACK, 1001, "GET /");
	snprintf(expected, sizeof(expected), "%sGET /", dest);
	assert_int_equal(strlen(dest) % 2, 0);
	assert_string_equal(packet_text(net->packet), expected);
	assert_int_equal(packet_seq(net->packet), 1001);
	tcp_text_out(net, TH_ACK, 1006, " HTTP");
	assert_string_equal(packet_text(net->packet), " HTTP");
	assert_int_equal(packet_seq(net->packet), 1006 + strlen(dest));
}

static void a_retransmission_has_the_text_again(void **state)
{
	struct net *net = *state;
	char expected[64];

	rule(net, "type encode_tcp_stream port 80 server " PROXY ":3128");
	tcp_text_out(net, TH_SYN, 1000, "");
	tcp_text_out(net, TH_ACK, 1001, "GET /");
	tcp_text_out(net, TH_ACK, 1006, " HTTP");
	tcp_text_out(net, TH_ACK, 1001, "GET / HTTP");
	snprintf(expected, sizeof(expected), "%sGET / HTTP", dest);
	assert_string_equal(packet_text(net->packet), expected);
	assert_int_equal(packet_seq(net->packet), 1001);
}

static void acknowledgments_come_back_in_the_senders_numbers(void **state)
{
	struct net *net = *state;
	uint32_t shift = (uint32_t)strlen(dest);

	rule(net, "type encode_tcp_stream port 80 server " PROXY ":3128");
	tcp_text_out(net, TH_SYN, 1000, "");
	tcp_text_out(net, TH_ACK, 1001, "GET /");
	build_tcp(net->packet, ENDS(PROXY, 3128, ALIAS, 4000), TH_ACK, 1, 1006 + shift, "", 0);
	send_in(net);
	assert_int_equal(packet_ack(net->packet), 1006);
	/* The text alone acknowledges nothing of the sender's. */
	build_tcp(net->packet, ENDS(PROXY, 3128, ALIAS, 4000), TH_ACK, 1, 1001 + shift - 3, "", 0);
	send_in(net);
	assert_int_equal(packet_ack(net->packet), 1001);
}

static void a_first_segment_that_leaves_no_room_is_shortened(void **state)
{
	struct net *net = *state;
	int room = 40 + (int)strlen(dest) + 3;

	rule(net, "type encode_tcp_stream port 80 server " PROXY ":3128");
	tcp_text_out(net, TH_SYN, 1000, "");
	build_tcp(net->packet, ENDS(INSIDE, 4000, REMOTE, 80), TH_ACK | TH_FIN, 1001, 1, "GET /",
		  5);
	assert_int_equal(LibAliasOut(net->la, net->packet, room), PKT_ALIAS_OK);
	assert_true(sums_right(net->packet));
	assert_int_equal(total_length(net->packet), room);
	assert_memory_equal(net->packet + 40 + strlen(dest), "GET", 3);
	assert_int_equal(net->packet[33] & TH_FIN, 0);
}

static void a_connection_that_begins_anew_tells_its_destination_again(void **state)
{
	struct net *net = *state;
	char expected[64];

	rule(net, "type encode_tcp_stream port 80 server " PROXY ":3128");
	tcp_text_out(net, TH_SYN, 1000, "");
	tcp_text_out(net, TH_ACK, 1001, "GET /");
	tcp_in(net, ENDS(PROXY, 3128, ALIAS, 4000), TH_RST);
	tcp_text_out(net, TH_SYN, 5000, "");
	assert_int_equal(packet_seq(net->packet), 5000);
	tcp_text_out(net, TH_ACK, 5001, "GET /again");
	snprintf(expected, sizeof(expected), "%sGET /again", dest);
	assert_string_equal(packet_text(net->packet), expected);
	assert_int_equal(packet_seq(net->packet), 5001);
}

static void numbers_are_right_after_many_gigabytes(void **state)
{
	uint32_t seq = 1001, step = 1u << 26, shift = (uint32_t)strlen(dest);
	struct net *net = *state;

	rule(net, "type encode_tcp_stream port 80 server " PROXY ":3128");
	tcp_text_out(net, TH_SYN, 1000, "");
	tcp_text_out(net, TH_ACK, seq, "GET /");
	for (int i = 0; i < 200; i++) {
		seq += step;
		tcp_text_out(net, TH_ACK, seq, "x");
		assert_int_equal(packet_seq(net->packet), (uint32_t)(seq + shift));
		build_tcp(net->packet, ENDS(PROXY, 3128, ALIAS, 4000), TH_ACK, 1, seq + shift, "",
			  0);
		send_in(net);
		assert_int_equal(packet_ack(net->packet), seq);
	}
}

static void a_forged_acknowledgment_moves_no_numbers(void **state)
{
	uint32_t shift = (uint32_t)strlen(dest);
	struct net *net = *state;

	rule(net, "type encode_tcp_stream port 80 server " PROXY ":3128");
	tcp_text_out(net, TH_SYN, 1000, "");
	tcp_text_out(net, TH_ACK, 1001, "GET /");
	for (uint32_t ack = 0; ack < 64; ack++) {
		build_tcp(net->packet, ENDS(PROXY, 3128, ALIAS, 4000), TH_ACK, 1, ack << 26, "", 0);
		send_in(net);
	}
	tcp_text_out(net, TH_ACK, 1006, " HTTP");
	assert_int_equal(packet_seq(net->packet), 1006 + shift);
}

static void proxy_only_translates_nothing_else(void **state)
{
	struct net *net = *state;

	LibAliasSetMode(net->la, PKT_ALIAS_PROXY_ONLY, PKT_ALIAS_PROXY_ONLY);
	rule(net, "port 80 server " PROXY ":3128");
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, INSIDE, 4000, REMOTE, 53);
	assert_int_equal(links(net), 0);
	tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN);
	assert_ends(net->packet, INSIDE, 4000, PROXY, 3128);
	tcp_in(net, ENDS(PROXY, 3128, INSIDE, 4000), TH_SYN | TH_ACK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, INSIDE, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
}

static void an_error_about_a_proxied_packet_names_the_destination(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	rule(net, "port 80 server " PROXY ":3128");
	tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN);
	memcpy(sent, net->packet, 40);
	build_error(net->packet, ICMP_DEST_UNREACH, PROXY, ALIAS, sent, 40);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, INSIDE, 4000, REMOTE, 80);
	assert_memory_equal(net->packet + 12, &(uint32_t){addr(REMOTE).s_addr}, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(a_matching_connection_goes_to_the_server_and_back_as_from_the_destination),
		net_test(two_destinations_of_one_client_port_are_kept_apart),
		net_test(without_a_port_the_servers_port_is_the_destinations),
		net_test(source_destination_and_protocol_select),
		net_test(lower_indexes_come_first_and_the_newest_within_one),
		net_test(what_is_no_rule_is_refused),
		net_test(encode_ip_hdr_adds_an_option_with_the_destination),
		net_test(an_option_that_does_not_fit_is_an_error),
		net_test(encode_tcp_stream_tells_the_destination_once),
		net_test(a_retransmission_has_the_text_again),
		net_test(acknowledgments_come_back_in_the_senders_numbers),
		net_test(a_first_segment_that_leaves_no_room_is_shortened),
		net_test(a_connection_that_begins_anew_tells_its_destination_again),
		net_test(numbers_are_right_after_many_gigabytes),
		net_test(a_forged_acknowledgment_moves_no_numbers),
		net_test(proxy_only_translates_nothing_else),
		net_test(an_error_about_a_proxied_packet_names_the_destination),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
