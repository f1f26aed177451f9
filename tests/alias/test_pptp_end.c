/* SPDX-License-Identifier: BSD-2-Clause */
/* PPTP: how calls end, what they outlive, and that they leave nothing behind. */
#include "pptp.h"

static void a_call_ends_a_while_after_it_is_disconnected(void **state)
{
	struct net *net = *state;
	struct connection c;

	deny_incoming(net);
	c = pptp_start(net, INSIDE, 3000);
	pptp_call(net, &c, 4000, 7);
	net->now += 3600; /* idle, but agreed on */
	pptp_gre_in(net, 4000, INSIDE, 4000);
	pptp_hear(net, &c, PPTP_DISCONNECT_NOTIFY, 7, 0);
	pptp_gre_in(net, 4000, INSIDE, 4000);
	net->now += 61;
	pptp_build_gre(net->packet, REMOTE, ALIAS, 4000);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 1);
	/* The number can be used again. */
	assert_int_equal(pptp_call(net, &c, 4000, 7), 4000);
	pptp_gre_in(net, 4000, INSIDE, 4000);
}

static void a_call_that_is_refused_ends(void **state)
{
	struct net *net = *state;
	uint8_t m[PPTP_MESSAGE_MAX];
	struct connection c;
	size_t len;

	deny_incoming(net);
	c = pptp_start(net, INSIDE, 3000);
	pptp_say(net, &c, PPTP_OUTGOING_REQUEST, 4000, 0);
	len = pptp_message(m, PPTP_OUTGOING_REPLY, 0, 4000);
	m[16] = 4; /* busy */
	say_in(net, &c, m, len);
	assert_int_equal(pptp_number(net, 14), 4000);
	net->now += 61;
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 1);
}

static void calls_end_with_their_control_connection(void **state)
{
	struct net *net = *state;
	struct connection c;

	deny_incoming(net);
	c = pptp_start(net, INSIDE, 3000);
	pptp_call(net, &c, 4000, 7);
	build_tcp(net->packet, c.in, TH_RST, c.ack, 0, NULL, 0);
	send_in(net);
	net->now += 200;
	pptp_gre_in(net, 4000, INSIDE, 4000);
	net->now += 100; /* the call has just been heard of */
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 0);
}

/* The client has lost its line and calls again before the first control connection is over. */
static void the_end_of_an_earlier_call_does_not_end_the_same_one_by_a_new_connection(void **state)
{
	struct net *net = *state;
	struct connection a, b;

	deny_incoming(net);
	a = pptp_start(net, INSIDE, 3000);
	pptp_call(net, &a, 4000, 7);
	b = pptp_start(net, INSIDE, 3001);
	assert_int_equal(pptp_call(net, &b, 4000, 7), 4000);
	build_tcp(net->packet, a.in, TH_RST | TH_ACK, a.ack, a.seq, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	net->now += 400;
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 3);
	pptp_gre_in(net, 4000, INSIDE, 4000);
	pptp_gre_out(net, INSIDE, 7);
	assert_int_equal(links(net), 3);
}

static void calls_end_when_the_stream_is_no_pptp_any_more(void **state)
{
	struct net *net = *state;
	struct connection c = pptp_start(net, INSIDE, 3000);

	pptp_call(net, &c, 4000, 7);
	assert_int_equal(links(net), 3);
	say_in(net, &c, "something else", 14);
	assert_int_equal(links(net), 1);
}

static void a_reset_of_the_engine_ends_all(void **state)
{
	struct net *net = *state;
	struct connection c = pptp_start(net, INSIDE, 3000);

	pptp_call(net, &c, 4000, 7);
	LibAliasReset(net->la);
	assert_int_equal(links(net), 0);
}

static void calls_that_are_over_make_room(void **state)
{
	struct net *net = *state;
	struct connection c;

	c = pptp_start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	for (uint16_t i = 1; i <= 40; i++) {
		assert_int_not_equal(pptp_call(net, &c, i, 7), i);
		pptp_hear(net, &c, PPTP_DISCONNECT_NOTIFY, 7, 0);
	}
	assert_true(links(net) <= 1 + 2 * 16);
}

static void calls_outlive_the_process_as_records(void **state)
{
	struct net *net = *state;
	struct connection c;
	uint16_t number;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c = pptp_start(net, INSIDE, 3000);
	number = pptp_call(net, &c, 5, 7);
	net_restart(net);
	deny_incoming(net);
	pptp_gre_in(net, number, INSIDE, 5);
	net->now += 3600;
	pptp_gre_out(net, INSIDE, 7);
	pptp_gre_in(net, number, INSIDE, 5);
	assert_int_equal(links(net), 3);
}

static void control_connections_go_on_after_a_restart(void **state)
{
	struct net *net = *state;
	struct connection c;
	uint16_t number;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c = pptp_start(net, INSIDE, 3000);
	number = pptp_call(net, &c, 5, 7);
	net_restart(net);
	pptp_hear(net, &c, PPTP_LINK_INFO, number, 0);
	assert_int_equal(pptp_number(net, 12), 5);
	pptp_say(net, &c, PPTP_LINK_INFO, 7, 0);
	assert_int_equal(pptp_number(net, 12), 7);
	assert_int_not_equal(pptp_call(net, &c, 6, 8), 6);
	assert_int_equal(links(net), 5);
	pptp_say(net, &c, PPTP_CLEAR_REQUEST, 5, 0);
	assert_int_equal(pptp_number(net, 12), number);
	pptp_hear(net, &c, PPTP_DISCONNECT_NOTIFY, 7, 0);
	net->now += 61; /* of a call that is over */
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 3);
}

static void calls_end_with_their_control_connection_after_a_restart(void **state)
{
	struct net *net = *state;
	struct connection c, other;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c = pptp_start(net, INSIDE, 3000);
	other = pptp_start(net, OTHER, 3000);
	pptp_call(net, &c, 5, 7);
	pptp_call(net, &other, 5, 8);
	net_restart(net);
	assert_int_equal(links(net), 6);
	say_in(net, &c, "something else", 14);
	assert_int_equal(links(net), 4);
	pptp_gre_out(net, OTHER, 8);
}

static void a_reply_after_a_restart_is_to_the_request_before_it(void **state)
{
	struct net *net = *state;
	struct connection c = pptp_start(net, INSIDE, 3000);
	uint16_t number;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	pptp_hear(net, &c, PPTP_INCOMING_REQUEST, 9, 0);
	net_restart(net);
	pptp_say(net, &c, PPTP_INCOMING_REPLY, 4000, 9);
	number = pptp_number(net, 12);
	assert_int_not_equal(number, 4000);
	pptp_gre_out(net, INSIDE, 9);
	pptp_gre_in(net, number, INSIDE, 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pptp_test(a_call_ends_a_while_after_it_is_disconnected),
		pptp_test(a_call_that_is_refused_ends),
		pptp_test(calls_end_with_their_control_connection),
		pptp_test(the_end_of_an_earlier_call_does_not_end_the_same_one_by_a_new_connection),
		pptp_test(calls_end_when_the_stream_is_no_pptp_any_more),
		pptp_test(a_reset_of_the_engine_ends_all),
		pptp_test(calls_that_are_over_make_room),
		pptp_test(calls_outlive_the_process_as_records),
		pptp_test(control_connections_go_on_after_a_restart),
		pptp_test(calls_end_with_their_control_connection_after_a_restart),
		pptp_test(a_reply_after_a_restart_is_to_the_request_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
