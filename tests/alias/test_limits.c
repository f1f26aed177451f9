/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits, time-outs, counters, the iterator, batches. */
#include "net.h"

static void links_in_all_are_limited(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;

	LibAliasSetLimit(net->la, ALIAS_LIMIT_LINKS, 3);
	for (uint16_t i = 0; i < 5; i++)
		assert_int_equal(udp_out(net, ENDS(INSIDE, (uint16_t)(4000 + i), REMOTE, 53)),
				 i < 3 ? PKT_ALIAS_OK : PKT_ALIAS_ERROR);
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.refused_limit, 2);
	net->now += 301;
	assert_int_equal(udp_out(net, ENDS(INSIDE, 4009, REMOTE, 53)), PKT_ALIAS_OK);
}

static void links_of_one_host_are_limited(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 3999, REMOTE, 53));
	LibAliasSetLimit(net->la, ALIAS_LIMIT_LINKS_PER_HOST, 2);
	assert_int_equal(udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53)), PKT_ALIAS_OK);
	assert_int_equal(udp_out(net, ENDS(INSIDE, 4001, REMOTE, 53)), PKT_ALIAS_ERROR);
	assert_int_equal(udp_out(net, ENDS(OTHER, 4001, REMOTE, 53)), PKT_ALIAS_OK);
	net->now += 301;
	LibAliasExpire(net->la, 10);
	assert_int_equal(udp_out(net, ENDS(INSIDE, 4001, REMOTE, 53)), PKT_ALIAS_OK);
}

static void the_limit_of_a_host_holds_for_many_hosts(void **state)
{
	struct net *net = *state;
	char host[32];

	LibAliasSetLimit(net->la, ALIAS_LIMIT_LINKS_PER_HOST, 2);
	for (int i = 0; i < 1000; i++)
		for (uint16_t k = 0; k < 3; k++) {
			snprintf(host, sizeof(host), "10.2.%d.%d", i / 250, i % 250);
			assert_int_equal(udp_out(net, ENDS(host, (uint16_t)(4000 + k), REMOTE,
							   (uint16_t)(i + 1))),
					 k < 2 ? PKT_ALIAS_OK : PKT_ALIAS_ERROR);
		}
}

static void unknown_limits_and_time_outs_are_refused(void **state)
{
	struct net *net = *state;

	assert_int_equal(LibAliasSetLimit(net->la, ALIAS_LIMIT_COUNT, 1), -1);
	assert_int_equal(LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_COUNT, 1), -1);
	assert_int_equal(LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_UDP, 0), -1);
	assert_int_equal(LibAliasGetLimit(net->la, ALIAS_LIMIT_EXPECTATIONS), 16);
}

static void a_link_lives_its_time_and_no_longer(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	assert_int_equal(LibAliasGetTimeout(net->la, ALIAS_TIMEOUT_UDP), 300);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	net->now += 300;
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	net->now += 301;
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_IGNORED);
}

static void a_new_time_out_holds_for_existing_links(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_UDP, 10);
	net->now += 11;
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_IGNORED);
}

static void all_links_go_by_the_wheel_alone(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;

	for (uint16_t i = 0; i < 3000; i++) {
		udp_out(net, ENDS(INSIDE, (uint16_t)(4000 + i), REMOTE, 53));
		net->now += i % 8 == 0;
	}
	net->now += 301;
	while (LibAliasExpire(net->la, 100) == 100)
		;
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.links, 0);
	assert_int_equal(stats.links_created, 3000);
	assert_int_equal(stats.links_expired, 3000);
}

static void expiry_does_no_more_than_it_may(void **state)
{
	struct net *net = *state;

	for (uint16_t i = 0; i < 100; i++)
		udp_out(net, ENDS(INSIDE, (uint16_t)(4000 + i), REMOTE, 53));
	net->now += 301;
	assert_int_equal(LibAliasExpire(net->la, 30), 30);
	assert_int_equal(links(net), 70);
}

static void a_leap_of_the_clock_is_survived(void **state)
{
	struct net *net = *state;

	for (uint16_t i = 0; i < 100; i++)
		udp_out(net, ENDS(INSIDE, (uint16_t)(4000 + i), REMOTE, 53));
	net->now += 1000000000;
	assert_int_equal(LibAliasExpire(net->la, 1000), 100);
	assert_int_equal(links(net), 0);
	net->now += 2000000000;
	LibAliasExpire(net->la, 1000);
	net->now = 0xfffffff0;
	LibAliasExpire(net->la, 1000);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	net->now += 100; /* wraps */
	deny_incoming(net);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	net->now += 301;
	LibAliasExpire(net->la, 1000);
	assert_int_equal(links(net), 0);
}

static void a_clock_that_goes_back_stands_still(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	net->now -= 500;
	assert_int_equal(LibAliasExpire(net->la, 10), 0);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	net->now += 500 + 301;
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_IGNORED);
}

static void counters_tell_the_protocols(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(INSIDE, 4001, REMOTE, 53));
	tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 53), TH_SYN);
	build_echo(net->packet, ICMP_ECHO, INSIDE, REMOTE, 1);
	send_out(net);
	build_other(net->packet, 47, INSIDE, REMOTE);
	send_out(net);
	LibAliasRedirectAddr(net->la, addr(INSIDE), addr(ALIAS));
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.links, 5);
	assert_int_equal(stats.udp, 2);
	assert_int_equal(stats.tcp, 1);
	assert_int_equal(stats.icmp, 1);
	assert_int_equal(stats.other, 1);
	assert_int_equal(stats.redirects, 1);
	assert_true(stats.bytes > 0);
}

static void the_iterator_shows_each_link_once(void **state)
{
	struct net *net = *state;
	struct alias_link_info info;
	bool seen[50] = {false};
	unsigned int cursor = 0;
	int count = 0;

	for (uint16_t i = 0; i < 50; i++)
		udp_out(net, ENDS(INSIDE, (uint16_t)(4000 + i), REMOTE, 53));
	while (LibAliasNextLink(net->la, &cursor, &info)) {
		uint16_t i = (uint16_t)(ntohs(info.local_port) - 4000);

		assert_in_range(i, 0, 49);
		assert_false(seen[i]);
		seen[i] = true;
		count++;
		assert_int_equal(info.local_addr.s_addr, addr(INSIDE).s_addr);
		assert_int_equal(info.alias_addr.s_addr, addr(ALIAS).s_addr);
		assert_int_equal(info.remote_addr.s_addr, addr(REMOTE).s_addr);
		assert_int_equal(info.dest_port, htons(53));
		assert_int_equal(info.proto, IPPROTO_UDP);
		assert_int_equal(info.incoming, 0);
		assert_int_equal(info.timeout, 300);
		assert_null(info.redirect);
	}
	assert_int_equal(count, 50);
}

static void the_iterator_names_the_redirect(void **state)
{
	struct net *net = *state;
	struct alias_link_info info;
	struct alias_link *link;
	unsigned int cursor = 0;

	link = LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), addr("0.0.0.0"), 0,
				    addr("0.0.0.0"), htons(8080), IPPROTO_TCP);
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 8080), TH_SYN);
	assert_int_equal(LibAliasNextLink(net->la, &cursor, &info), 1);
	assert_ptr_equal(info.redirect, link);
	assert_int_equal(info.incoming, 1);
	LibAliasRedirectDelete(net->la, link);
	/* One that takes its place in memory is not the one that made the link. */
	assert_non_null(LibAliasRedirectAddr(net->la, addr(OTHER), addr(ALIAS)));
	cursor = 0;
	assert_int_equal(LibAliasNextLink(net->la, &cursor, &info), 1);
	assert_null(info.redirect);
}

static void a_batch_gives_the_results_of_single_calls(void **state)
{
	static uint8_t packets[100][64];
	struct alias_packet batch[100];
	struct net *net = *state;

	for (int i = 0; i < 100; i++) {
		build_udp(packets[i], ENDS(INSIDE, (uint16_t)(4000 + i % 60), REMOTE, 53), "x", 1);
		batch[i] = (struct alias_packet){packets[i], sizeof(packets[i]), 0, 0};
	}
	packets[7][0] = 0; /* no IP packet */
	batch[9].size = 10;
	assert_int_equal(LibAliasOutBatch(net->la, batch, 100), 98);
	assert_int_equal(batch[7].result, PKT_ALIAS_IGNORED);
	assert_int_equal(batch[9].result, PKT_ALIAS_IGNORED);
	assert_int_equal(links(net), 60);
	assert_ends(packets[99], ALIAS, 4039, REMOTE, 53);
	deny_incoming(net);
	for (int i = 0; i < 100; i++) {
		build_udp(packets[i], ENDS(REMOTE, 53, ALIAS, (uint16_t)(4000 + i)), "x", 1);
		batch[i] = (struct alias_packet){packets[i], sizeof(packets[i]), 0, 0};
	}
	assert_int_equal(LibAliasInBatch(net->la, batch, 100), 60);
	assert_int_equal(batch[60].result, PKT_ALIAS_IGNORED);
	assert_ends(packets[59], REMOTE, 53, INSIDE, 4059);
	assert_int_equal(LibAliasInBatch(net->la, batch, 0), 0);
}

static void a_batch_in_which_the_last_eim_link_ends_makes_no_link_twice(void **state)
{
	static uint8_t packets[3][64];
	struct alias_packet batch[3];
	struct net *net = *state;

	LibAliasSetMode(net->la, PKT_ALIAS_UDP_EIM, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	LibAliasSetMode(net->la, 0, PKT_ALIAS_UDP_EIM);
	/* The wheel is kept from ending it first. */
	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_UDP, 5000);
	net->now += 10;
	LibAliasExpire(net->la, 10);
	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_UDP, 5);
	for (int i = 0; i < 3; i++) {
		build_udp(packets[i], ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
		batch[i] = (struct alias_packet){packets[i], sizeof(packets[i]), 0, 0};
	}
	assert_int_equal(LibAliasOutBatch(net->la, batch, 3), 3);
	assert_int_equal(links(net), 1);
	assert_ends(packets[2], ALIAS, 4000, REMOTE, 53);
}

static void memory_goes_back_when_links_go(void **state)
{
	struct net *net = *state;
	struct alias_stats full, empty;
	char host[32];

	for (int i = 0; i < 200000; i++) {
		if (i % 50 == 0)
			snprintf(host, sizeof(host), "10.%d.%d.2", 1 + i / 50 / 250, i / 50 % 250);
		build_udp(net->packet,
			  ENDS(host, (uint16_t)(4000 + i % 50), REMOTE, (uint16_t)(1 + i / 4000)),
			  "x", 1);
		LibAliasOut(net->la, net->packet, 64);
	}
	LibAliasGetStats(net->la, &full);
	assert_int_equal(full.links, 200000);
	assert_true(full.bytes <= 200000ull * 128);
	net->now += 301;
	LibAliasExpire(net->la, 300000);
	LibAliasGetStats(net->la, &empty);
	assert_int_equal(empty.links, 0);
	/* A slab and what the index keeps stay, more or less of it by the hash. */
	assert_true(empty.bytes < full.bytes / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(links_in_all_are_limited),
		net_test(links_of_one_host_are_limited),
		net_test(the_limit_of_a_host_holds_for_many_hosts),
		net_test(unknown_limits_and_time_outs_are_refused),
		net_test(a_link_lives_its_time_and_no_longer),
		net_test(a_new_time_out_holds_for_existing_links),
		net_test(all_links_go_by_the_wheel_alone),
		net_test(expiry_does_no_more_than_it_may),
		net_test(a_leap_of_the_clock_is_survived),
		net_test(a_clock_that_goes_back_stands_still),
		net_test(counters_tell_the_protocols),
		net_test(the_iterator_shows_each_link_once),
		net_test(the_iterator_names_the_redirect),
		net_test(a_batch_gives_the_results_of_single_calls),
		net_test(a_batch_in_which_the_last_eim_link_ends_makes_no_link_twice),
		net_test(memory_goes_back_when_links_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
