/* SPDX-License-Identifier: BSD-2-Clause */
/* What helpers await: protocols, remotes, pairs, ports, time-outs; asked for as a helper does. */
#include "net.h"
#include "helper.h"

/* An inside client's control connection over UDP. */
static struct link *control(struct net *net)
{
	struct view view = {addr(INSIDE).s_addr, addr(REMOTE).s_addr, htons(4000), htons(5060)};
	struct link *link;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 5060));
	link = link_find(net->la, OUT, &view, IPPROTO_UDP);
	assert_non_null(link);
	return link;
}

static struct expectation media(void)
{
	return (struct expectation){
		.helper = &helper_ftp,
		.proto = IPPROTO_UDP,
		.inside = addr(INSIDE).s_addr,
		.inside_port = htons(6000),
	};
}

static uint32_t expectations(struct net *net)
{
	struct alias_stats stats;

	LibAliasGetStats(net->la, &stats);
	return stats.expectations;
}

static void anyone_may_come_where_no_remote_is_named(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();

	deny_incoming(net);
	assert_non_null(expect_add(net->la, control(net), &wanted));
	assert_int_equal(udp_in(net, ENDS("192.0.2.9", 7000, ALIAS, 6000)), PKT_ALIAS_OK);
	assert_ends(net->packet, "192.0.2.9", 7000, INSIDE, 6000);
	assert_int_equal(expectations(net), 0);
	assert_int_equal(udp_in(net, ENDS("192.0.2.9", 7001, ALIAS, 6000)), PKT_ALIAS_IGNORED);
}

static void a_named_remote_and_port_keep_others_out(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();

	deny_incoming(net);
	wanted.proto = IPPROTO_TCP;
	wanted.remote = addr(REMOTE).s_addr;
	wanted.remote_port = htons(7000);
	assert_non_null(expect_add(net->la, control(net), &wanted));
	assert_int_equal(tcp_in(net, ENDS("192.0.2.9", 7000, ALIAS, 6000), TH_SYN),
			 PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 7001, ALIAS, 6000), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 7000, ALIAS, 6000)), PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 7000, ALIAS, 6000), TH_SYN), PKT_ALIAS_OK);
}

static void what_goes_out_first_leaves_from_the_alias_port_and_others_still_come(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();
	struct alias_link *r;
	uint16_t port;

	deny_incoming(net);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	wanted.remote = addr(REMOTE).s_addr;
	r = expect_add(net->la, control(net), &wanted);
	assert_non_null(r);
	port = ntohs(r->alias_port);
	udp_out(net, ENDS(INSIDE, 6000, REMOTE, 7000));
	assert_ends(net->packet, ALIAS, port, REMOTE, 7000);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 7002, ALIAS, port)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 7002, INSIDE, 6000);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 7004, ALIAS, port)), PKT_ALIAS_IGNORED);
}

static void a_pair_has_two_ports_in_a_row_the_first_even(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();
	struct link *master = control(net);
	struct alias_link *r;
	uint16_t port;

	deny_incoming(net);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	wanted.pair = true;
	for (int i = 0; i < 8; i++) {
		wanted.inside_port = htons((uint16_t)(6000 + 2 * i));
		r = expect_add(net->la, master, &wanted);
		assert_non_null(r);
		port = ntohs(r->alias_port);
		assert_int_equal(port % 2, 0);
		assert_ptr_equal(expect_add(net->la, master, &wanted), r);
		udp_in(net, ENDS(REMOTE, 7001, ALIAS, (uint16_t)(port + 1)));
		assert_ends(net->packet, REMOTE, 7001, INSIDE, (uint16_t)(6001 + 2 * i));
		udp_in(net, ENDS(REMOTE, 7000, ALIAS, port));
		assert_ends(net->packet, REMOTE, 7000, INSIDE, (uint16_t)(6000 + 2 * i));
	}
}

static void a_pair_whose_first_half_is_used_keeps_its_ports(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();
	struct link *master = control(net);
	struct alias_link *r;
	uint16_t port;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	wanted.pair = true;
	r = expect_add(net->la, master, &wanted);
	port = ntohs(r->alias_port);
	udp_in(net, ENDS(REMOTE, 7000, ALIAS, port));
	r = expect_add(net->la, master, &wanted);
	assert_non_null(r);
	assert_int_equal(ntohs(r->alias_port), port);
	assert_int_equal(expectations(net), 2);
}

static void a_pair_finds_room_when_the_next_port_is_taken(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();
	struct alias_link *r;

	LibAliasRedirectPort(net->la, addr(OTHER), htons(80), addr("0.0.0.0"), 0, addr("0.0.0.0"),
			     htons(6001), IPPROTO_UDP);
	wanted.pair = true;
	r = expect_add(net->la, control(net), &wanted);
	assert_non_null(r);
	assert_int_not_equal(ntohs(r->alias_port), 6000);
	assert_int_equal(ntohs(r->alias_port) % 2, 0);
	expect_cancel(net->la, control(net), &wanted);
	assert_int_equal(expectations(net), 0);
}

static void an_alias_port_that_is_asked_for_is_given_or_nothing(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();
	struct link *master = control(net);

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	wanted.alias_port = htons(9000);
	assert_int_equal(ntohs(expect_add(net->la, master, &wanted)->alias_port), 9000);
	wanted.inside = addr(OTHER).s_addr;
	assert_null(expect_add(net->la, master, &wanted));
	assert_int_equal(expectations(net), 1);
}

static void a_link_to_the_same_server_does_not_get_what_is_awaited(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();
	struct link *master = control(net);
	struct alias_link *r;

	/* OTHER talks to the server from the port that INSIDE wants to be called at. */
	udp_out(net, ENDS(OTHER, 6000, REMOTE, 5060));
	assert_ends(net->packet, ALIAS, 6000, REMOTE, 5060);
	wanted.remote = addr(REMOTE).s_addr;
	r = expect_add(net->la, master, &wanted);
	assert_non_null(r);
	assert_int_not_equal(ntohs(r->alias_port), 6000);
	udp_in(net, ENDS(REMOTE, 5060, ALIAS, ntohs(r->alias_port)));
	assert_ends(net->packet, REMOTE, 5060, INSIDE, 6000);
}

static void each_has_its_own_time(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();
	struct link *master = control(net);

	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_UDP, 10000);
	for (uint32_t i = 0; i < 5; i++) {
		wanted.inside_port = htons((uint16_t)(6000 + i));
		wanted.timeout = 10 + 100 * i;
		assert_non_null(expect_add(net->la, master, &wanted));
	}
	for (uint32_t i = 0; i < 5; i++) {
		net->now = 1000 + 10 + 100 * i;
		LibAliasExpire(net->la, 1);
		assert_int_equal(expectations(net), 5 - i);
		net->now++;
		LibAliasExpire(net->la, 1);
		assert_int_equal(expectations(net), 4 - i);
	}
}

static void a_pair_counts_twice_against_the_limit(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();
	struct link *master = control(net);

	LibAliasSetLimit(net->la, ALIAS_LIMIT_EXPECTATIONS, 3);
	wanted.pair = true;
	assert_non_null(expect_add(net->la, master, &wanted));
	wanted.inside_port = htons(6002);
	assert_null(expect_add(net->la, master, &wanted));
	wanted.pair = false;
	assert_non_null(expect_add(net->la, master, &wanted));
	assert_int_equal(expectations(net), 3);
}

static void the_highest_port_has_no_partner(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();

	wanted.pair = true;
	wanted.inside_port = htons(65535);
	assert_non_null(expect_add(net->la, control(net), &wanted));
	assert_int_equal(expectations(net), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(anyone_may_come_where_no_remote_is_named),
		net_test(a_named_remote_and_port_keep_others_out),
		net_test(what_goes_out_first_leaves_from_the_alias_port_and_others_still_come),
		net_test(a_pair_has_two_ports_in_a_row_the_first_even),
		net_test(a_pair_whose_first_half_is_used_keeps_its_ports),
		net_test(a_pair_finds_room_when_the_next_port_is_taken),
		net_test(an_alias_port_that_is_asked_for_is_given_or_nothing),
		net_test(a_link_to_the_same_server_does_not_get_what_is_awaited),
		net_test(each_has_its_own_time),
		net_test(a_pair_counts_twice_against_the_limit),
		net_test(the_highest_port_has_no_partner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
