/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PPTP: calls agreed on over TCP and carried by GRE, of one client, of several, and of a server
 * inside.  How calls end is in test_pptp_end.c, how the control connection is read in
 * test_pptp_stream.c, and GRE that belongs to no call in test_pptp_gre.c.
 */
#include "pptp.h"

static void a_call_of_a_client_inside_passes_both_ways(void **state)
{
	struct net *net = *state;
	struct connection c;

	deny_incoming(net);
	c = pptp_start(net, INSIDE, 3000);
	assert_int_equal(pptp_call(net, &c, 4000, 7), 4000);
	pptp_gre_out(net, INSIDE, 7);
	pptp_gre_in(net, 4000, INSIDE, 4000);
}

/* pptpd begins with it. */
static void a_call_may_have_number_0_at_either_end(void **state)
{
	static const uint16_t numbers[][2] = {{0, 0}, {4000, 0}, {0, 7}, {65534, 1}};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint16_t own = numbers[i][0], servers = numbers[i][1];
		struct net *net = *state;
		struct connection c;

		LibAliasReset(net->la);
		deny_incoming(net);
		c = pptp_start(net, INSIDE, 3000);
		assert_int_equal(pptp_call(net, &c, own, servers), own);
		pptp_gre_out(net, INSIDE, servers);
		pptp_gre_in(net, own, INSIDE, own);
		assert_int_equal(links(net), 3);
		/* Another client's number 0 is another at the server. */
		c = pptp_start(net, OTHER, 3001);
		assert_int_not_equal(pptp_call(net, &c, own, 9), own);
		pptp_gre_out(net, OTHER, 9);
		pptp_gre_in(net, own, INSIDE, own);
	}
}

static void two_calls_of_one_client_are_two(void **state)
{
	struct net *net = *state;
	struct connection c;

	deny_incoming(net);
	c = pptp_start(net, INSIDE, 3000);
	pptp_call(net, &c, 4000, 7);
	pptp_call(net, &c, 4001, 8);
	pptp_gre_in(net, 4000, INSIDE, 4000);
	pptp_gre_in(net, 4001, INSIDE, 4001);
	pptp_gre_out(net, INSIDE, 8);
	pptp_gre_out(net, INSIDE, 7);
	assert_int_equal(links(net), 5);
}

static void a_low_number_is_replaced_in_each_message_that_has_it(void **state)
{
	struct net *net = *state;
	struct connection c;
	uint16_t number;

	c = pptp_start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	number = pptp_call(net, &c, 5, 7);
	assert_int_not_equal(number, 5);
	pptp_gre_in(net, number, INSIDE, 5);
	/* Set-Link-Info and WAN-Error-Notify have the receiver's number. */
	pptp_hear(net, &c, PPTP_LINK_INFO, number, 0);
	assert_int_equal(pptp_number(net, 12), 5);
	pptp_hear(net, &c, PPTP_WAN_ERROR, number, 0);
	assert_int_equal(pptp_number(net, 12), 5);
	pptp_say(net, &c, PPTP_LINK_INFO, 7, 0);
	assert_int_equal(pptp_number(net, 12), 7);
	/* Call-Clear-Request has the sender's. */
	pptp_say(net, &c, PPTP_CLEAR_REQUEST, 5, 0);
	assert_int_equal(pptp_number(net, 12), number);
	pptp_hear(net, &c, PPTP_DISCONNECT_NOTIFY, 7, 0);
	assert_int_equal(pptp_number(net, 12), 7);
}

static void an_incoming_call_is_answered_by_the_client(void **state)
{
	struct net *net = *state;
	struct connection c;
	uint16_t number;

	deny_incoming(net);
	c = pptp_start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	pptp_hear(net, &c, PPTP_INCOMING_REQUEST, 7, 0);
	assert_int_equal(pptp_number(net, 12), 7);
	pptp_say(net, &c, PPTP_INCOMING_REPLY, 5, 7);
	assert_int_equal(pptp_number(net, 14), 7);
	number = pptp_number(net, 12);
	assert_int_not_equal(number, 5);
	pptp_hear(net, &c, PPTP_INCOMING_CONNECTED, number, 0);
	assert_int_equal(pptp_number(net, 12), 5);
	pptp_gre_in(net, number, INSIDE, 5);
	pptp_gre_out(net, INSIDE, 7);
}

static void a_server_inside_is_called_through_a_redirect(void **state)
{
	struct net *net = *state;
	struct connection c;
	uint16_t number;

	deny_incoming(net);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c = connect_in(net, 3000, 1723, 1723);
	pptp_hear(net, &c, PPTP_START_REQUEST, 0, 0);
	pptp_say(net, &c, PPTP_START_REPLY, 0, 0);
	pptp_hear(net, &c, PPTP_OUTGOING_REQUEST, 4000, 0);
	assert_int_equal(pptp_number(net, 12), 4000);
	pptp_say(net, &c, PPTP_OUTGOING_REPLY, 9, 4000);
	number = pptp_number(net, 12);
	assert_int_not_equal(number, 9);
	assert_int_equal(pptp_number(net, 14), 4000);
	pptp_gre_in(net, number, INSIDE, 9);
	pptp_gre_out(net, INSIDE, 4000);
	pptp_say(net, &c, PPTP_DISCONNECT_NOTIFY, 9, 0);
	assert_int_equal(pptp_number(net, 12), number);
}

static void the_server_may_change_its_number(void **state)
{
	struct net *net = *state;
	struct connection c;

	deny_incoming(net);
	c = pptp_start(net, INSIDE, 3000);
	pptp_call(net, &c, 4000, 7);
	pptp_hear(net, &c, PPTP_OUTGOING_REPLY, 9, 4000);
	assert_int_equal(links(net), 3);
	pptp_gre_out(net, INSIDE, 9);
	assert_int_equal(links(net), 3);
}

static void clients_with_the_same_number_are_told_apart(void **state)
{
	struct net *net = *state;
	struct connection a, b;
	uint16_t number;

	deny_incoming(net);
	a = pptp_start(net, INSIDE, 3000);
	b = pptp_start(net, OTHER, 3000);
	assert_int_equal(pptp_call(net, &a, 4000, 7), 4000);
	number = pptp_call(net, &b, 4000, 8);
	assert_int_not_equal(number, 4000);
	pptp_gre_in(net, 4000, INSIDE, 4000);
	pptp_gre_in(net, number, OTHER, 4000);
	pptp_gre_out(net, INSIDE, 7);
	pptp_gre_out(net, OTHER, 8);
}

static void the_newest_call_has_the_servers_number(void **state)
{
	struct net *net = *state;
	struct connection a, b;

	a = pptp_start(net, INSIDE, 3000);
	b = pptp_start(net, OTHER, 3000);
	pptp_call(net, &a, 4000, 7);
	pptp_call(net, &b, 4001, 7);
	pptp_gre_out(net, OTHER, 7);
	assert_int_equal(links(net), 2 + 3);
}

static void only_the_contacted_server_may_send(void **state)
{
	struct net *net = *state;
	struct connection c;

	deny_incoming(net);
	c = pptp_start(net, INSIDE, 3000);
	pptp_call(net, &c, 4000, 7);
	pptp_build_gre(net->packet, "203.0.113.8", ALIAS, 4000);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
	pptp_build_gre(net->packet, REMOTE, ALIAS, 4001);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
}

struct holes {
	struct alias_hole open[8];
	int count;
};

static int hole_open(void *arg, const struct alias_hole *hole)
{
	struct holes *holes = arg;

	holes->open[holes->count++] = *hole;
	return 0;
}

static void hole_close(void *arg, const struct alias_hole *hole)
{
	(void)hole;
	((struct holes *)arg)->count--;
}

static void holes_clear(void *arg, unsigned int base, unsigned int num)
{
	(void)base;
	(void)num;
	((struct holes *)arg)->count = 0;
}

static void a_call_has_a_hole(void **state)
{
	static const struct alias_firewall firewall = {hole_open, hole_close, holes_clear};
	static struct holes holes; /* written when the instance goes, too */
	struct net *net = *state;
	struct connection c;

	LibAliasSetFWBase(net->la, 100, 8);
	LibAliasSetMode(net->la, PKT_ALIAS_PUNCH_FW, PKT_ALIAS_PUNCH_FW);
	LibAliasSetFirewall(net->la, &firewall, &holes);
	c = pptp_start(net, INSIDE, 3000);
	assert_int_equal(holes.count, 0);
	pptp_call(net, &c, 4000, 7);
	assert_int_equal(holes.count, 1);
	assert_int_equal(holes.open[0].proto, IPPROTO_GRE);
	assert_int_equal(holes.open[0].local_addr.s_addr, addr(INSIDE).s_addr);
	assert_int_equal(holes.open[0].local_port, htons(4000));
	assert_int_equal(holes.open[0].remote_addr.s_addr, addr(REMOTE).s_addr);
	assert_int_equal(holes.open[0].remote_port, 0);
	LibAliasReset(net->la);
	assert_int_equal(holes.count, 0);
	LibAliasSetFirewall(net->la, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pptp_test(a_call_of_a_client_inside_passes_both_ways),
		pptp_test(a_call_may_have_number_0_at_either_end),
		pptp_test(two_calls_of_one_client_are_two),
		pptp_test(a_low_number_is_replaced_in_each_message_that_has_it),
		pptp_test(an_incoming_call_is_answered_by_the_client),
		pptp_test(a_server_inside_is_called_through_a_redirect),
		pptp_test(the_server_may_change_its_number),
		pptp_test(clients_with_the_same_number_are_told_apart),
		pptp_test(the_newest_call_has_the_servers_number),
		pptp_test(only_the_contacted_server_may_send),
		pptp_test(a_call_has_a_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
