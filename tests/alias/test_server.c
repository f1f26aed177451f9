/* SPDX-License-Identifier: BSD-2-Clause */
/* Servers of redirects: what they carry, whose turn it is, and how their links end. */
#include <errno.h>
#include <limits.h>
#include "net.h"

#define ANY addr("0.0.0.0")

static struct alias_link *forward(struct net *net, uint8_t proto)
{
	struct alias_link *link = LibAliasRedirectPort(net->la, addr(INSIDE), htons(8000), ANY, 0,
						       ANY, htons(80), proto);

	assert_non_null(link);
	return link;
}

static struct alias_link *pool(struct net *net, unsigned int first, unsigned int second)
{
	struct alias_link *link = forward(net, IPPROTO_UDP);

	assert_int_equal(
		LibAliasAddServerWeight(net->la, link, addr("10.0.0.11"), htons(81), first), 0);
	assert_int_equal(
		LibAliasAddServerWeight(net->la, link, addr("10.0.0.12"), htons(82), second), 0);
	return link;
}

static struct alias_server_info server(struct net *net, struct alias_link *link, unsigned int index)
{
	struct alias_server_info info;

	assert_int_equal(LibAliasRedirectServer(net->la, link, index, &info), 0);
	return info;
}

static void assert_traffic(struct net *net, struct alias_link *link, unsigned int index,
			   unsigned int packets, unsigned int bytes, unsigned int connections)
{
	struct alias_traffic traffic = server(net, link, index).traffic;

	assert_int_equal(traffic.packets, packets);
	assert_int_equal(traffic.bytes, bytes);
	assert_int_equal(traffic.connections, connections);
}

static void knock(struct net *net, uint16_t port)
{
	assert_int_equal(udp_in(net, ENDS(REMOTE, port, ALIAS, 80)), PKT_ALIAS_OK);
}

static void traffic_is_counted_in_both_directions(void **state)
{
	struct net *net = *state;
	struct alias_link *link = forward(net, IPPROTO_UDP);

	assert_traffic(net, link, 0, 0, 0, 0);
	knock(net, 5000); /* 20 + 8 + 5 bytes */
	knock(net, 5000);
	udp_out(net, ENDS(INSIDE, 8000, REMOTE, 5000));
	assert_traffic(net, link, 0, 3, 99, 1);
	udp_out(net, ENDS(INSIDE, 7000, REMOTE, 5000));
	udp_in(net, ENDS(REMOTE, 5000, ALIAS, 7000));
	assert_traffic(net, link, 0, 3, 99, 1);
}

static void each_server_of_a_pool_has_its_own_traffic(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net, 2, 1);

	for (uint16_t i = 0; i < 3; i++)
		knock(net, (uint16_t)(5000 + i));
	udp_out(net, ENDS("10.0.0.12", 82, REMOTE, 5002));
	assert_traffic(net, link, 0, 2, 66, 2);
	assert_traffic(net, link, 1, 2, 66, 1);
}

static void a_redirect_without_pool_has_one_server(void **state)
{
	struct net *net = *state;
	struct alias_link *link = forward(net, IPPROTO_TCP);
	struct alias_server_info info = server(net, link, 0);

	assert_int_equal(info.addr.s_addr, addr(INSIDE).s_addr);
	assert_int_equal(info.port, htons(8000));
	assert_true(info.head);
	assert_int_equal(LibAliasRedirectServer(net->la, link, 1, &info), -1);
	assert_int_equal(errno, ERANGE);
}

static void a_pool_tells_whose_turn_it_is(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net, 3, 2);
	struct alias_server_info info;

	assert_true(server(net, link, 0).head);
	assert_int_equal(server(net, link, 0).left, 3);
	assert_int_equal(server(net, link, 1).left, 2);
	knock(net, 5000);
	assert_int_equal(server(net, link, 0).left, 2);
	knock(net, 5001);
	knock(net, 5002);
	info = server(net, link, 0);
	assert_false(info.head);
	assert_int_equal(info.left, 3);
	info = server(net, link, 1);
	assert_true(info.head);
	assert_int_equal(info.left, 2);
	assert_int_equal(info.weight, 2);
	assert_int_equal(info.port, htons(82));
	assert_int_equal(LibAliasRedirectServer(net->la, link, 2, &info), -1);
	assert_int_equal(errno, ERANGE);
}

/* Who gets the next sessions, by the last byte of their addresses. */
static void assert_turns(struct net *net, uint16_t port, const char *expected)
{
	for (; *expected; expected++) {
		knock(net, port++);
		assert_int_equal(net->packet[19], 10 + *expected - '0');
	}
}

static void the_schedule_can_be_set(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net, 2, 3);

	assert_turns(net, 5000, "1");
	assert_int_equal(LibAliasRedirectSchedule(net->la, link, 1, 1), 0);
	assert_turns(net, 5100, "211222");
	assert_int_equal(LibAliasRedirectSchedule(net->la, link, 1, 0), 0);
	assert_turns(net, 5200, "22211");
	assert_int_equal(LibAliasRedirectSchedule(net->la, link, 0, 99), 0);
	assert_turns(net, 5300, "112");
	assert_int_equal(LibAliasRedirectSchedule(net->la, link, 2, 1), -1);
	assert_int_equal(errno, ERANGE);
}

static void a_server_that_keeps_its_turn_loses_it_by_a_call(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net, 0, 1);

	assert_turns(net, 5000, "1111");
	assert_int_equal(server(net, link, 0).left, 0);
	LibAliasRedirectSchedule(net->la, link, 1, 0);
	assert_turns(net, 5100, "21111");
}

static void traffic_goes_on_from_what_was_set(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net, 1, 1);
	const struct alias_traffic before = {1000, 50000, 7};

	assert_int_equal(LibAliasRedirectSetTraffic(net->la, link, 0, &before), 0);
	knock(net, 5000);
	assert_traffic(net, link, 0, 1001, 50033, 8);
	assert_traffic(net, link, 1, 0, 0, 0);
	assert_int_equal(LibAliasRedirectSetTraffic(net->la, link, 2, &before), -1);
	assert_int_equal(errno, ERANGE);
}

static void a_redirects_links_end_and_no_others(void **state)
{
	struct net *net = *state;
	struct alias_link *link = forward(net, IPPROTO_UDP);

	udp_out(net, ENDS(INSIDE, 3000, REMOTE, 53));
	for (uint16_t i = 0; i < 5; i++)
		knock(net, (uint16_t)(5000 + i));
	assert_int_equal(links(net), 6);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, ANY, 0, IPPROTO_TCP), 0);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, ANY, 0, IPPROTO_UDP), 5);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, ANY, 0, 0), 0);
	assert_int_equal(links(net), 1);
	knock(net, 5000);
	assert_int_equal(links(net), 2);
}

static void links_to_one_server_end(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net, 1, 1);

	for (uint16_t i = 0; i < 6; i++)
		knock(net, (uint16_t)(5000 + i));
	assert_int_equal(LibAliasRedirectEnd(net->la, link, addr("10.0.0.11"), htons(82), 0), 0);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, addr("10.0.0.11"), htons(81), 0), 3);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, ANY, htons(82), 0), 3);
	assert_int_equal(links(net), 0);
}

static void links_that_expire_in_any_order_leave_the_others(void **state)
{
	struct net *net = *state;
	struct alias_link *link = forward(net, IPPROTO_UDP);

	for (uint16_t i = 0; i < 200; i++)
		knock(net, (uint16_t)(5000 + i));
	net->now += 200;
	for (uint16_t i = 0; i < 200; i++)
		if (i % 3)
			knock(net, (uint16_t)(5000 + i));
	net->now += 200;
	LibAliasExpire(net->la, 1000);
	assert_int_equal(links(net), 133);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, ANY, 0, 0), 133);
	assert_int_equal(links(net), 0);
}

static void links_of_a_redirect_that_goes_are_nobodys(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net, 1, 1), *next;

	knock(net, 5000);
	knock(net, 5001);
	LibAliasRedirectDelete(net->la, link);
	next = forward(net, IPPROTO_UDP);
	knock(net, 5000);
	assert_ends(net->packet, REMOTE, 5000, "10.0.0.11", 81);
	assert_traffic(net, next, 0, 0, 0, 0);
	assert_int_equal(LibAliasRedirectEnd(net->la, next, ANY, 0, 0), 0);
	assert_int_equal(links(net), 2);
}

static void a_reset_leaves_redirects_that_work(void **state)
{
	struct net *net = *state;
	struct alias_link *link = forward(net, IPPROTO_UDP);

	knock(net, 5000);
	LibAliasReset(net->la);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, ANY, 0, 0), 0);
	knock(net, 5000);
	knock(net, 5001);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, ANY, 0, 0), 2);
}

static void links_from_before_the_pool_end_as_well(void **state)
{
	struct net *net = *state;
	struct alias_link *link = forward(net, IPPROTO_UDP);

	knock(net, 5000);
	LibAliasAddServer(net->la, link, addr("10.0.0.11"), htons(81));
	knock(net, 5001);
	assert_traffic(net, link, 0, 1, 33, 1);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, ANY, 0, 0), 2);
}

static void the_lowest_rank_wins(void **state)
{
	struct net *net = *state;
	struct alias_link *port = forward(net, IPPROTO_UDP), *range, *newer;

	range = LibAliasRedirectPortRange(net->la, addr(OTHER), 0, ANY, ANY, htons(1), htons(100),
					  IPPROTO_UDP);
	LibAliasRedirectSetRank(net->la, port, 5);
	LibAliasRedirectSetRank(net->la, range, 4);
	udp_in(net, ENDS(REMOTE, 1, ALIAS, 80));
	assert_ends(net->packet, REMOTE, 1, OTHER, 80);
	LibAliasRedirectSetRank(net->la, range, 6);
	udp_in(net, ENDS(REMOTE, 2, ALIAS, 80));
	assert_ends(net->packet, REMOTE, 2, INSIDE, 8000);
	/* Of the same port, too, whatever is newer. */
	newer = LibAliasRedirectPort(net->la, addr(OTHER), htons(9), ANY, 0, ANY, htons(80),
				     IPPROTO_UDP);
	LibAliasRedirectSetRank(net->la, newer, 7);
	udp_in(net, ENDS(REMOTE, 3, ALIAS, 80));
	assert_ends(net->packet, REMOTE, 3, INSIDE, 8000);
	LibAliasRedirectSetRank(net->la, newer, 5);
	udp_in(net, ENDS(REMOTE, 4, ALIAS, 80));
	assert_ends(net->packet, REMOTE, 4, OTHER, 9);
	LibAliasRedirectDelete(net->la, newer);
	LibAliasRedirectDelete(net->la, port);
	udp_in(net, ENDS(REMOTE, 5, ALIAS, 80));
	assert_ends(net->packet, REMOTE, 5, OTHER, 80);
}

static void what_both_have_is_inherited(void **state)
{
	struct net *net = *state;
	struct alias_link *old = pool(net, 1, 1), *new;

	knock(net, 1);
	knock(net, 2);
	new = forward(net, IPPROTO_UDP);
	LibAliasAddServerWeight(net->la, new, addr("10.0.0.12"), htons(82), 7);
	LibAliasAddServerWeight(net->la, new, addr("10.0.0.13"), htons(83), 1);
	LibAliasRedirectInherit(net->la, new, old);
	assert_int_equal(LibAliasRedirectHits(new), 2);
	assert_traffic(net, new, 0, 1, 33, 1);
	assert_int_equal(server(net, new, 0).weight, 7);
	assert_traffic(net, new, 1, 0, 0, 0);
	assert_int_equal(LibAliasRedirectEnd(net->la, old, ANY, 0, 0), 1);
	LibAliasRedirectDelete(net->la, old);
	assert_int_equal(links(net), 1);
	knock(net, 2);
	assert_ends(net->packet, REMOTE, 2, "10.0.0.12", 82);
	assert_traffic(net, new, 0, 2, 66, 1);
	assert_int_equal(LibAliasRedirectEnd(net->la, new, ANY, 0, 0), 1);
}

static void any_address_can_be_some(void **state)
{
	struct net *net = *state;
	struct in_addr own[] = {addr("198.51.100.3"), addr(ALIAS)};

	deny_incoming(net);
	LibAliasRedirectPort(net->la, addr(INSIDE), 0, ANY, 0, addr("255.255.255.255"), htons(80),
			     IPPROTO_UDP);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 1, "192.0.2.9", 80)), PKT_ALIAS_OK);
	assert_int_equal(LibAliasSetOwnAddresses(net->la, own, 2), 0);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 2, "192.0.2.9", 80)), PKT_ALIAS_IGNORED);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 3, ALIAS, 80)), PKT_ALIAS_OK);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 4, "198.51.100.3", 80)), PKT_ALIAS_OK);
	assert_int_equal(LibAliasSetOwnAddresses(net->la, own, 0), 0);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 5, ALIAS, 80)), PKT_ALIAS_IGNORED);
	assert_int_equal(LibAliasSetOwnAddresses(net->la, NULL, 0), 0);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 6, "192.0.2.9", 80)), PKT_ALIAS_OK);
}

static unsigned int revise(struct net *net, uint16_t low, uint16_t high)
{
	unsigned int cursor = 0, ended = 0;

	while (cursor != UINT_MAX)
		ended += LibAliasRevise(net->la, &cursor, 1, IPPROTO_UDP, htons(low), htons(high));
	return ended;
}

static void links_that_would_be_others_now_are_ended(void **state)
{
	struct net *net = *state;
	struct alias_link *range = LibAliasRedirectPortRange(net->la, addr(OTHER), 0, ANY, ANY,
							     htons(1), htons(100), IPPROTO_UDP);
	struct alias_link *link;

	knock(net, 1);
	udp_out(net, ENDS(INSIDE, 80, REMOTE, 9));
	assert_int_equal(revise(net, 0, 65535), 0);
	link = forward(net, IPPROTO_UDP);
	assert_int_equal(revise(net, 1, 79), 0);
	assert_int_equal(revise(net, 80, 80), 1); /* not what an inside host began */
	knock(net, 1);
	assert_ends(net->packet, REMOTE, 1, INSIDE, 8000);
	LibAliasRedirectDelete(net->la, link);
	LibAliasRedirectDelete(net->la, range);
	assert_int_equal(revise(net, 0, 65535), 1);
	assert_int_equal(links(net), 1);
}

static void a_kept_port_may_be_waited_on_by_others(void **state)
{
	struct net *net = *state;

	LibAliasSetAliasPortRange(net->la, 40000, 50000);
	LibAliasRedirectPortRange(net->la, addr(OTHER), 0, ANY, ANY, htons(1), htons(65535),
				  IPPROTO_UDP);
	LibAliasSetMode(net->la, PKT_ALIAS_KEEP_PORTS, PKT_ALIAS_KEEP_PORTS);
	udp_out(net, ENDS(INSIDE, 5000, REMOTE, 9));
	assert_ends(net->packet, ALIAS, 5000, REMOTE, 9);
	udp_out(net, ENDS("10.0.0.9", 5000, REMOTE, 9));
	assert_in_range(source_port(net->packet), 40000, 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(traffic_is_counted_in_both_directions),
		net_test(each_server_of_a_pool_has_its_own_traffic),
		net_test(a_redirect_without_pool_has_one_server),
		net_test(a_pool_tells_whose_turn_it_is),
		net_test(the_schedule_can_be_set),
		net_test(a_server_that_keeps_its_turn_loses_it_by_a_call),
		net_test(traffic_goes_on_from_what_was_set),
		net_test(a_redirects_links_end_and_no_others),
		net_test(links_to_one_server_end),
		net_test(links_that_expire_in_any_order_leave_the_others),
		net_test(links_of_a_redirect_that_goes_are_nobodys),
		net_test(a_reset_leaves_redirects_that_work),
		net_test(links_from_before_the_pool_end_as_well),
		net_test(the_lowest_rank_wins),
		net_test(what_both_have_is_inherited),
		net_test(any_address_can_be_some),
		net_test(links_that_would_be_others_now_are_ended),
		net_test(a_kept_port_may_be_waited_on_by_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
