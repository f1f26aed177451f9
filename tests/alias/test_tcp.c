/* SPDX-License-Identifier: BSD-2-Clause */
/* The states of a TCP connection, seen through how long its link lives. */
#include "net.h"

static const struct ends out_ends = {INSIDE, 4000, REMOTE, 80};
static const struct ends in_ends = {REMOTE, 80, ALIAS, 4000};

static unsigned int life(struct net *net)
{
	struct alias_link_info info;
	unsigned int cursor = 0;

	return LibAliasNextLink(net->la, &cursor, &info) ? info.timeout : 0;
}

static void establish(struct net *net)
{
	tcp_out(net, out_ends, TH_SYN);
	tcp_in(net, in_ends, TH_SYN | TH_ACK);
	tcp_out(net, out_ends, TH_ACK);
}

static void a_connection_is_opening_until_the_third_segment(void **state)
{
	struct net *net = *state;

	tcp_out(net, out_ends, TH_SYN);
	assert_int_equal(life(net), 240);
	tcp_in(net, in_ends, TH_SYN | TH_ACK);
	assert_int_equal(life(net), 240);
	tcp_out(net, out_ends, TH_ACK);
	assert_int_equal(life(net), 86400);
}

static void a_half_open_connection_from_outside_stays_opening(void **state)
{
	struct net *net = *state;

	tcp_in(net, in_ends, TH_SYN);
	tcp_out(net, (struct ends){ALIAS, 4000, REMOTE, 80}, TH_SYN | TH_ACK);
	tcp_out(net, (struct ends){ALIAS, 4000, REMOTE, 80}, TH_SYN | TH_ACK);
	assert_int_equal(life(net), 240);
	tcp_in(net, in_ends, TH_ACK);
	assert_int_equal(life(net), 86400);
}

static void a_simultaneous_open_is_a_connection(void **state)
{
	struct net *net = *state;

	tcp_out(net, out_ends, TH_SYN);
	assert_int_equal(tcp_in(net, in_ends, TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
	tcp_out(net, out_ends, TH_SYN | TH_ACK);
	tcp_in(net, in_ends, TH_SYN | TH_ACK);
	tcp_out(net, out_ends, TH_ACK);
	assert_int_equal(life(net), 86400);
}

static void one_fin_closes_half_and_two_close_all(void **state)
{
	struct net *net = *state;

	establish(net);
	tcp_out(net, out_ends, TH_FIN | TH_ACK);
	assert_int_equal(life(net), 86400);
	tcp_in(net, in_ends, TH_FIN | TH_ACK);
	assert_int_equal(life(net), 240);
	tcp_out(net, out_ends, TH_ACK);
	assert_int_equal(life(net), 240);
}

static void a_closed_connection_goes_after_its_time(void **state)
{
	struct net *net = *state;

	establish(net);
	tcp_out(net, out_ends, TH_FIN | TH_ACK);
	tcp_in(net, in_ends, TH_FIN | TH_ACK);
	net->now += 241;
	deny_incoming(net);
	assert_int_equal(tcp_in(net, in_ends, TH_ACK), PKT_ALIAS_IGNORED);
	assert_int_equal(links(net), 0);
}

static void a_reset_closes(void **state)
{
	struct net *net = *state;

	establish(net);
	tcp_in(net, in_ends, TH_RST);
	assert_int_equal(life(net), 240);
}

static void a_reset_that_was_not_believed_is_forgotten(void **state)
{
	struct net *net = *state;

	establish(net);
	tcp_in(net, in_ends, TH_RST);
	tcp_out(net, out_ends, TH_ACK);
	assert_int_equal(life(net), 86400);
}

static void a_syn_after_the_close_begins_anew(void **state)
{
	struct net *net = *state;

	establish(net);
	tcp_in(net, in_ends, TH_RST);
	assert_int_equal(tcp_out(net, out_ends, TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 80);
	assert_int_equal(life(net), 240);
	tcp_in(net, in_ends, TH_SYN | TH_ACK);
	tcp_out(net, out_ends, TH_ACK);
	assert_int_equal(life(net), 86400);
}

static void traffic_without_a_syn_is_a_connection_once_both_speak(void **state)
{
	struct net *net = *state;

	tcp_out(net, out_ends, TH_ACK);
	assert_int_equal(life(net), 240);
	tcp_in(net, in_ends, TH_ACK);
	assert_int_equal(life(net), 86400);
}

static void an_idle_connection_lives_a_day(void **state)
{
	struct net *net = *state;

	establish(net);
	for (int hours = 0; hours < 24; hours++) {
		net->now += 3600;
		LibAliasExpire(net->la, 100);
		assert_int_equal(links(net), 1);
	}
	assert_int_equal(tcp_in(net, in_ends, TH_ACK), PKT_ALIAS_OK);
	net->now += 86401;
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(a_connection_is_opening_until_the_third_segment),
		net_test(a_half_open_connection_from_outside_stays_opening),
		net_test(a_simultaneous_open_is_a_connection),
		net_test(one_fin_closes_half_and_two_close_all),
		net_test(a_closed_connection_goes_after_its_time),
		net_test(a_reset_closes),
		net_test(a_reset_that_was_not_believed_is_forgotten),
		net_test(a_syn_after_the_close_begins_anew),
		net_test(traffic_without_a_syn_is_a_connection_once_both_speak),
		net_test(an_idle_connection_lives_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
