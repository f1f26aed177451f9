/* SPDX-License-Identifier: BSD-2-Clause */
/* Static redirects: what they catch, which one wins, and what they leave behind. */
#include "net.h"

#define ANY addr("0.0.0.0")

static struct alias_link *redirect_to(struct net *net, const char *local, uint16_t local_port,
				      const char *remote, uint16_t remote_port, uint16_t port)
{
	struct alias_link *link =
		LibAliasRedirectPort(net->la, addr(local), htons(local_port), addr(remote),
				     htons(remote_port), ANY, htons(port), IPPROTO_TCP);

	assert_non_null(link);
	return link;
}

static void assert_goes_to(struct net *net, uint16_t src_port, uint16_t port, const char *local,
			   uint16_t local_port)
{
	assert_int_equal(tcp_in(net, ENDS(REMOTE, src_port, ALIAS, port), TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, src_port, local, local_port);
}

static void a_port_redirect_leads_inside_and_back(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	redirect_to(net, INSIDE, 80, "0.0.0.0", 0, 8080);
	assert_goes_to(net, 5000, 8080, INSIDE, 80);
	tcp_out(net, ENDS(INSIDE, 80, REMOTE, 5000), TH_SYN | TH_ACK);
	assert_ends(net->packet, ALIAS, 8080, REMOTE, 5000);
}

static void it_stays_after_use(void **state)
{
	struct net *net = *state;
	struct alias_link *link = redirect_to(net, INSIDE, 80, "0.0.0.0", 0, 8080);

	assert_goes_to(net, 5000, 8080, INSIDE, 80);
	assert_goes_to(net, 5001, 8080, INSIDE, 80);
	assert_int_equal(LibAliasRedirectHits(link), 2);
}

static void outgoing_connections_of_the_server_get_the_redirects_port(void **state)
{
	struct net *net = *state;

	redirect_to(net, INSIDE, 80, "0.0.0.0", 0, 8080);
	tcp_out(net, ENDS(INSIDE, 80, REMOTE, 7777), TH_SYN);
	assert_ends(net->packet, ALIAS, 8080, REMOTE, 7777);
}

static void the_most_specific_wins(void **state)
{
	struct net *net = *state;

	redirect_to(net, "10.0.0.11", 80, REMOTE, 5000, 8080);
	redirect_to(net, "10.0.0.12", 80, REMOTE, 0, 8080);
	redirect_to(net, "10.0.0.13", 80, "0.0.0.0", 5002, 8080);
	redirect_to(net, "10.0.0.14", 80, "0.0.0.0", 0, 8080);
	assert_goes_to(net, 5000, 8080, "10.0.0.11", 80);
	assert_goes_to(net, 5001, 8080, "10.0.0.12", 80);
	tcp_in(net, ENDS("203.0.113.9", 5002, ALIAS, 8080), TH_SYN);
	assert_ends(net->packet, "203.0.113.9", 5002, "10.0.0.13", 80);
	tcp_in(net, ENDS("203.0.113.9", 5003, ALIAS, 8080), TH_SYN);
	assert_ends(net->packet, "203.0.113.9", 5003, "10.0.0.14", 80);
}

static void among_equals_the_newest_wins_and_its_deletion_shows_the_older(void **state)
{
	struct net *net = *state;
	struct alias_link *newest;

	redirect_to(net, INSIDE, 80, "0.0.0.0", 0, 8080);
	newest = redirect_to(net, OTHER, 80, "0.0.0.0", 0, 8080);
	assert_goes_to(net, 5000, 8080, OTHER, 80);
	LibAliasRedirectDelete(net->la, newest);
	assert_goes_to(net, 5001, 8080, INSIDE, 80);
}

static void deleting_an_older_one_leaves_the_newest(void **state)
{
	struct net *net = *state;
	struct alias_link *first = redirect_to(net, "10.0.0.11", 80, "0.0.0.0", 0, 8080);
	struct alias_link *second = redirect_to(net, "10.0.0.12", 80, "0.0.0.0", 0, 8080);
	struct alias_link *third = redirect_to(net, "10.0.0.13", 80, "0.0.0.0", 0, 8080);

	LibAliasRedirectDelete(net->la, second);
	assert_goes_to(net, 5000, 8080, "10.0.0.13", 80);
	LibAliasRedirectDelete(net->la, third);
	assert_goes_to(net, 5001, 8080, "10.0.0.11", 80);
	LibAliasRedirectDelete(net->la, first);
	deny_incoming(net);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 5002, ALIAS, 8080), TH_SYN), PKT_ALIAS_IGNORED);
}

static void links_survive_their_redirect(void **state)
{
	struct net *net = *state;
	struct alias_link *link = redirect_to(net, INSIDE, 80, "0.0.0.0", 0, 8080);

	assert_goes_to(net, 5000, 8080, INSIDE, 80);
	LibAliasRedirectDelete(net->la, link);
	deny_incoming(net);
	assert_goes_to(net, 5000, 8080, INSIDE, 80);
}

static void an_explicit_alias_address_and_zero_are_equals(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), ANY, 0, addr(ALIAS), htons(8080),
			     IPPROTO_TCP);
	redirect_to(net, OTHER, 80, "0.0.0.0", 0, 8080);
	assert_goes_to(net, 5000, 8080, OTHER, 80);
	LibAliasRedirectPort(net->la, addr("10.0.0.9"), htons(80), ANY, 0, addr(ALIAS), htons(8080),
			     IPPROTO_TCP);
	assert_goes_to(net, 5001, 8080, "10.0.0.9", 80);
}

static void a_zero_alias_address_follows_set_address(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	redirect_to(net, INSIDE, 80, "0.0.0.0", 0, 8080);
	LibAliasSetAddress(net->la, addr("198.51.100.2"));
	tcp_in(net, ENDS(REMOTE, 5000, "198.51.100.2", 8080), TH_SYN);
	assert_ends(net->packet, REMOTE, 5000, INSIDE, 80);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 8080), TH_SYN), PKT_ALIAS_IGNORED);
}

static void a_zero_local_address_is_the_aliasing_address(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	redirect_to(net, "0.0.0.0", 80, "0.0.0.0", 0, 8080);
	assert_goes_to(net, 5000, 8080, ALIAS, 80);
	LibAliasSetAddress(net->la, addr("198.51.100.2"));
	tcp_in(net, ENDS(REMOTE, 5000, "198.51.100.2", 8080), TH_SYN);
	assert_ends(net->packet, REMOTE, 5000, "198.51.100.2", 80);
}

static void a_dynamic_redirect_goes_after_use(void **state)
{
	struct net *net = *state;
	struct alias_link *link = redirect_to(net, INSIDE, 80, REMOTE, 5000, 8080);

	deny_incoming(net);
	assert_int_equal(LibAliasRedirectDynamic(net->la, link), 0);
	assert_goes_to(net, 5000, 8080, INSIDE, 80);
	LibAliasReset(net->la);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 8080), TH_SYN), PKT_ALIAS_IGNORED);
}

static void only_fully_specified_redirects_become_dynamic(void **state)
{
	struct net *net = *state;
	struct alias_link *link = redirect_to(net, INSIDE, 80, REMOTE, 0, 8080);

	assert_int_equal(LibAliasRedirectDynamic(net->la, link), -1);
	assert_int_equal(LibAliasRedirectDynamic(net->la, NULL), -1);
}

static void an_address_redirect_works_both_ways(void **state)
{
	struct net *net = *state;

	LibAliasRedirectAddr(net->la, addr(INSIDE), addr("198.51.100.9"));
	tcp_in(net, ENDS(REMOTE, 5000, "198.51.100.9", 22), TH_SYN);
	assert_ends(net->packet, REMOTE, 5000, INSIDE, 22);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, "198.51.100.9", 4000, REMOTE, 53);
	build_other(net->packet, 47, REMOTE, "198.51.100.9");
	send_in(net);
	assert_ends(net->packet, REMOTE, 0, INSIDE, 0);
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 53);
}

static void of_several_hosts_on_one_address_the_last_gets_what_is_new(void **state)
{
	struct net *net = *state;

	LibAliasRedirectAddr(net->la, addr("10.0.0.2"), addr("198.51.100.9"));
	LibAliasRedirectAddr(net->la, addr("10.0.0.3"), addr("198.51.100.9"));
	LibAliasRedirectAddr(net->la, addr("10.0.0.4"), addr("198.51.100.9"));
	udp_out(net, ENDS("10.0.0.2", 4000, REMOTE, 53));
	assert_ends(net->packet, "198.51.100.9", 4000, REMOTE, 53);
	udp_out(net, ENDS("10.0.0.4", 4001, REMOTE, 53));
	assert_ends(net->packet, "198.51.100.9", 4001, REMOTE, 53);
	udp_in(net, ENDS(REMOTE, 99, "198.51.100.9", 99));
	assert_ends(net->packet, REMOTE, 99, "10.0.0.4", 99);
}

static void a_port_redirect_beats_an_address_redirect(void **state)
{
	struct net *net = *state;

	redirect_to(net, INSIDE, 80, "0.0.0.0", 0, 8080);
	LibAliasRedirectAddr(net->la, addr(OTHER), addr(ALIAS));
	assert_goes_to(net, 5000, 8080, INSIDE, 80);
	assert_goes_to(net, 5000, 8081, OTHER, 8081);
}

static void a_protocol_redirect_takes_that_protocol(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	LibAliasRedirectProto(net->la, addr(INSIDE), ANY, ANY, 47);
	LibAliasRedirectProto(net->la, addr(OTHER), addr("203.0.113.9"), ANY, 47);
	build_other(net->packet, 47, REMOTE, ALIAS);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 0, INSIDE, 0);
	build_other(net->packet, 47, "203.0.113.9", ALIAS);
	send_in(net);
	assert_ends(net->packet, "203.0.113.9", 0, OTHER, 0);
	build_other(net->packet, 50, REMOTE, ALIAS);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
}

static void a_range_redirect_moves_every_port_of_it_and_no_other(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	assert_non_null(LibAliasRedirectPortRange(net->la, addr(INSIDE), htons(100), ANY, ANY,
						  htons(6999), htons(7063), IPPROTO_TCP));
	for (uint16_t port = 6999; port <= 7063; port++)
		assert_goes_to(net, 5000, port, INSIDE, (uint16_t)(port - 6999 + 100));
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 1, ALIAS, 6998), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 1, ALIAS, 7064), TH_SYN), PKT_ALIAS_IGNORED);
}

static void of_two_ranges_the_newer_wins_and_a_single_port_beats_both(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPortRange(net->la, addr("10.0.0.11"), 0, ANY, ANY, htons(7000), htons(7099),
				  IPPROTO_TCP);
	LibAliasRedirectPortRange(net->la, addr("10.0.0.12"), 0, ANY, ANY, htons(7050), htons(7150),
				  IPPROTO_TCP);
	redirect_to(net, "10.0.0.13", 80, "0.0.0.0", 0, 7060);
	assert_goes_to(net, 5000, 7049, "10.0.0.11", 7049);
	assert_goes_to(net, 5000, 7050, "10.0.0.12", 7050);
	assert_goes_to(net, 5000, 7060, "10.0.0.13", 80);
	assert_goes_to(net, 5000, 7150, "10.0.0.12", 7150);
}

static void a_whole_range_of_ports_can_be_redirected(void **state)
{
	struct net *net = *state;

	assert_non_null(LibAliasRedirectPortRange(net->la, addr(INSIDE), 0, ANY, ANY, htons(1),
						  htons(65535), IPPROTO_TCP));
	assert_goes_to(net, 5000, 1, INSIDE, 1);
	assert_goes_to(net, 5000, 65535, INSIDE, 65535);
}

static void a_mark_redirect_takes_marked_packets(void **state)
{
	struct net *net = *state;
	struct alias_packet p = {net->packet, sizeof(net->packet), 7, 0};

	deny_incoming(net);
	assert_non_null(LibAliasRedirectMark(net->la, addr(INSIDE), 0, 7, 0));
	build_tcp(net->packet, ENDS(REMOTE, 5000, ALIAS, 80), TH_SYN, 1, 0, NULL, 0);
	assert_int_equal(LibAliasInBatch(net->la, &p, 1), 1);
	assert_ends(net->packet, REMOTE, 5000, INSIDE, 80);
	build_tcp(net->packet, ENDS(REMOTE, 5001, ALIAS, 80), TH_SYN, 1, 0, NULL, 0);
	p.mark = 8;
	assert_int_equal(LibAliasInBatch(net->la, &p, 1), 0);
	assert_int_equal(p.result, PKT_ALIAS_IGNORED);
}

#define WHATEVER addr("255.255.255.255")

static void a_redirect_of_whatever_address_takes_packets_to_all(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	assert_non_null(LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), ANY, 0, WHATEVER,
					     htons(8080), IPPROTO_TCP));
	assert_goes_to(net, 5000, 8080, INSIDE, 80);
	tcp_in(net, ENDS(REMOTE, 5001, "198.51.100.77", 8080), TH_SYN);
	assert_ends(net->packet, REMOTE, 5001, INSIDE, 80);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 5000, "198.51.100.77", 8081), TH_SYN),
			 PKT_ALIAS_IGNORED);
}

static void answers_come_from_the_address_that_was_asked(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), ANY, 0, WHATEVER, htons(8080),
			     IPPROTO_TCP);
	tcp_in(net, ENDS(REMOTE, 5000, "198.51.100.77", 8080), TH_SYN);
	tcp_out(net, ENDS(INSIDE, 80, REMOTE, 5000), TH_SYN | TH_ACK);
	assert_ends(net->packet, "198.51.100.77", 8080, REMOTE, 5000);
	/* What the server begins itself is none of the redirect's. */
	tcp_out(net, ENDS(INSIDE, 80, REMOTE, 5001), TH_SYN);
	assert_ends(net->packet, ALIAS, 80, REMOTE, 5001);
}

static void a_given_alias_address_beats_whatever_address(void **state)
{
	struct net *net = *state;

	redirect_to(net, OTHER, 81, "0.0.0.0", 0, 8080);
	LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), addr(REMOTE), 0, WHATEVER,
			     htons(8080), IPPROTO_TCP);
	LibAliasRedirectPortRange(net->la, addr("10.0.0.9"), 0, ANY, ANY, htons(8080), htons(8090),
				  IPPROTO_TCP);
	assert_goes_to(net, 5000, 8080, OTHER, 81);
	tcp_in(net, ENDS(REMOTE, 5000, "198.51.100.77", 8080), TH_SYN);
	assert_ends(net->packet, REMOTE, 5000, INSIDE, 80);
	assert_goes_to(net, 5000, 8085, "10.0.0.9", 8085);
}

static void ranges_and_protocols_can_be_of_whatever_address(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPortRange(net->la, addr(INSIDE), 0, ANY, WHATEVER, htons(7000), htons(7099),
				  IPPROTO_TCP);
	LibAliasRedirectPortRange(net->la, addr(OTHER), 0, ANY, ANY, htons(7000), htons(7009),
				  IPPROTO_TCP);
	LibAliasRedirectProto(net->la, addr(INSIDE), ANY, WHATEVER, 50);
	assert_goes_to(net, 5000, 7099, INSIDE, 7099);
	assert_goes_to(net, 5000, 7001, OTHER, 7001);
	tcp_in(net, ENDS(REMOTE, 5000, "198.51.100.77", 7001), TH_SYN);
	assert_ends(net->packet, REMOTE, 5000, INSIDE, 7001);
	build_other(net->packet, 50, REMOTE, "198.51.100.77");
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 0, INSIDE, 0);
}

static void no_outgoing_connection_gets_a_port_of_whatever_address(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), ANY, 0, WHATEVER, htons(4000),
			     IPPROTO_TCP);
	tcp_out(net, ENDS(OTHER, 4000, REMOTE, 80), TH_SYN);
	assert_int_not_equal(source_port(net->packet), 4000);
}

static void wrong_arguments_are_refused(void **state)
{
	struct net *net = *state;

	assert_null(LibAliasRedirectPort(net->la, addr(INSIDE), 1, ANY, 0, ANY, 1, IPPROTO_ICMP));
	assert_null(LibAliasRedirectPort(net->la, addr(INSIDE), 1, ANY, 0, ANY, 0, IPPROTO_TCP));
	assert_null(LibAliasRedirectPortRange(net->la, addr(INSIDE), 0, ANY, ANY, htons(2),
					      htons(1), IPPROTO_TCP));
	assert_null(LibAliasRedirectPortRange(net->la, addr(INSIDE), htons(65535), ANY, ANY,
					      htons(1), htons(2), IPPROTO_TCP));
	assert_null(LibAliasRedirectMark(net->la, addr(INSIDE), 0, 0, 0));
}

static void a_redirect_carries_the_callers_cookie(void **state)
{
	struct net *net = *state;
	struct alias_link *link = redirect_to(net, INSIDE, 80, "0.0.0.0", 0, 8080);

	assert_null(LibAliasRedirectCookie(link));
	LibAliasRedirectSetCookie(net->la, link, net);
	assert_ptr_equal(LibAliasRedirectCookie(link), net);
}

static void a_taken_conversation_is_not_given_to_a_second_redirect(void **state)
{
	struct net *net = *state;

	redirect_to(net, INSIDE, 80, "0.0.0.0", 0, 8080);
	redirect_to(net, INSIDE, 80, "0.0.0.0", 0, 8081);
	assert_goes_to(net, 5000, 8080, INSIDE, 80);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 8081), TH_SYN), PKT_ALIAS_ERROR);
	tcp_out(net, ENDS(INSIDE, 80, REMOTE, 5000), TH_ACK);
	assert_ends(net->packet, ALIAS, 8080, REMOTE, 5000);
}

static void thousands_of_redirects_each_keep_their_target(void **state)
{
	struct net *net = *state;
	static struct alias_link *all[5000];

	deny_incoming(net);
	for (uint16_t i = 0; i < 5000; i++)
		all[i] = redirect_to(net, INSIDE, (uint16_t)(i + 1), "0.0.0.0", 0,
				     (uint16_t)(i + 10000));
	for (uint16_t i = 0; i < 5000; i += 7)
		assert_goes_to(net, 5000, (uint16_t)(i + 10000), INSIDE, (uint16_t)(i + 1));
	for (uint16_t i = 0; i < 5000; i += 2)
		LibAliasRedirectDelete(net->la, all[i]);
	LibAliasReset(net->la);
	for (uint16_t i = 0; i < 5000; i++)
		assert_int_equal(
			tcp_in(net, ENDS(REMOTE, 5000, ALIAS, (uint16_t)(i + 10000)), TH_SYN),
			i % 2 ? PKT_ALIAS_OK : PKT_ALIAS_IGNORED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(a_port_redirect_leads_inside_and_back),
		net_test(it_stays_after_use),
		net_test(outgoing_connections_of_the_server_get_the_redirects_port),
		net_test(the_most_specific_wins),
		net_test(among_equals_the_newest_wins_and_its_deletion_shows_the_older),
		net_test(deleting_an_older_one_leaves_the_newest),
		net_test(links_survive_their_redirect),
		net_test(an_explicit_alias_address_and_zero_are_equals),
		net_test(a_zero_alias_address_follows_set_address),
		net_test(a_zero_local_address_is_the_aliasing_address),
		net_test(a_dynamic_redirect_goes_after_use),
		net_test(only_fully_specified_redirects_become_dynamic),
		net_test(an_address_redirect_works_both_ways),
		net_test(of_several_hosts_on_one_address_the_last_gets_what_is_new),
		net_test(a_port_redirect_beats_an_address_redirect),
		net_test(a_protocol_redirect_takes_that_protocol),
		net_test(a_range_redirect_moves_every_port_of_it_and_no_other),
		net_test(of_two_ranges_the_newer_wins_and_a_single_port_beats_both),
		net_test(a_whole_range_of_ports_can_be_redirected),
		net_test(a_mark_redirect_takes_marked_packets),
		net_test(a_redirect_of_whatever_address_takes_packets_to_all),
		net_test(answers_come_from_the_address_that_was_asked),
		net_test(a_given_alias_address_beats_whatever_address),
		net_test(ranges_and_protocols_can_be_of_whatever_address),
		net_test(no_outgoing_connection_gets_a_port_of_whatever_address),
		net_test(wrong_arguments_are_refused),
		net_test(a_redirect_carries_the_callers_cookie),
		net_test(a_taken_conversation_is_not_given_to_a_second_redirect),
		net_test(thousands_of_redirects_each_keep_their_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
