/* SPDX-License-Identifier: BSD-2-Clause */
/* Which link would this packet use? */
#include <errno.h>
#include "net.h"

static struct alias_link_info found(struct net *net, int incoming)
{
	struct alias_link_info info;
	uint8_t before[128];

	memcpy(before, net->packet, sizeof(before));
	assert_int_equal(LibAliasFindLink(net->la, net->packet, incoming, &info), 0);
	assert_memory_equal(before, net->packet, sizeof(before));
	return info;
}

static void assert_none(struct net *net, int incoming)
{
	struct alias_link_info info;
	struct alias_stats before, after;

	LibAliasGetStats(net->la, &before);
	assert_int_equal(LibAliasFindLink(net->la, net->packet, incoming, &info), -1);
	assert_int_equal(errno, ESRCH);
	LibAliasGetStats(net->la, &after);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void both_directions_of_a_conversation(void **state)
{
	struct net *net = *state;
	struct alias_link_info info;

	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	assert_none(net, 0);
	send_out(net);
	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	info = found(net, 0);
	assert_int_equal(info.local_addr.s_addr, addr(INSIDE).s_addr);
	assert_int_equal(info.alias_addr.s_addr, addr(ALIAS).s_addr);
	assert_int_equal(info.alias_port, htons(4000));
	assert_int_equal(info.proto, IPPROTO_UDP);
	assert_null(info.redirect);
	assert_none(net, 1);
	build_udp(net->packet, ENDS(REMOTE, 53, ALIAS, 4000), "x", 1);
	assert_int_equal(found(net, 1).local_port, htons(4000));
	build_udp(net->packet, ENDS(REMOTE, 54, ALIAS, 4000), "x", 1);
	assert_none(net, 1);
}

static void a_reversed_engine_exchanges_them(void **state)
{
	struct net *net = *state;

	LibAliasSetMode(net->la, PKT_ALIAS_REVERSE, PKT_ALIAS_REVERSE);
	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	send_in(net);
	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	assert_none(net, 0);
	assert_int_equal(found(net, 1).local_port, htons(4000));
}

static void the_redirect_that_made_it_is_told(void **state)
{
	struct net *net = *state;
	struct in_addr any = {0};
	struct alias_link *link = LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), any, 0,
						       any, htons(8080), IPPROTO_TCP);

	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 8080), TH_SYN);
	tcp_out(net, ENDS(INSIDE, 80, REMOTE, 5000), TH_SYN | TH_ACK);
	build_tcp(net->packet, ENDS(REMOTE, 5000, ALIAS, 8080), TH_ACK, 2, 2, NULL, 0);
	assert_ptr_equal(found(net, 1).redirect, link);
	LibAliasRedirectDelete(net->la, link);
	assert_null(found(net, 1).redirect);
}

static void an_error_belongs_to_the_link_of_what_it_quotes(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	memcpy(sent, net->packet, sizeof(sent));
	build_error(net->packet, ICMP_DEST_UNREACH, "192.0.2.1", ALIAS, sent, 28);
	assert_int_equal(found(net, 1).local_port, htons(4000));
	assert_none(net, 0);
}

static void what_has_no_link_is_not_found(void **state)
{
	struct net *net = *state;
	uint8_t whole[65536];
	char payload[64] = "";

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	build_udp(whole, ENDS(INSIDE, 4000, REMOTE, 53), payload, sizeof(payload));
	cut_fragment(net->packet, whole, 32, 40);
	assert_none(net, 0);
	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	net->packet[0] = 0x65;
	assert_none(net, 0);
	net->packet[0] = 0x45;
	net->packet[3] = 24; /* too short for UDP */
	assert_none(net, 0);
	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	net->now += 301;
	LibAliasExpire(net->la, 10);
	assert_none(net, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(both_directions_of_a_conversation),
		net_test(a_reversed_engine_exchanges_them),
		net_test(the_redirect_that_made_it_is_told),
		net_test(an_error_belongs_to_the_link_of_what_it_quotes),
		net_test(what_has_no_link_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
