/* SPDX-License-Identifier: BSD-2-Clause */
/* Load sharing: a redirect with a pool of servers. */
#include <errno.h>
#include "net.h"

#define ANY addr("0.0.0.0")

static struct alias_link *pool(struct net *net)
{
	return LibAliasRedirectPort(net->la, ANY, 0, ANY, 0, ANY, htons(80), IPPROTO_TCP);
}

static void new_sessions_go_round_the_pool(void **state)
{
	static const char *const servers[] = {"10.0.0.11", "10.0.0.12", "10.0.0.13"};
	struct net *net = *state;
	struct alias_link *link = pool(net);

	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(LibAliasAddServer(net->la, link, addr(servers[i]),
						   htons((uint16_t)(8000 + i))),
				 0);
	for (uint16_t i = 0; i < 9; i++) {
		tcp_in(net, ENDS(REMOTE, (uint16_t)(5000 + i), ALIAS, 80), TH_SYN);
		assert_ends(net->packet, REMOTE, (uint16_t)(5000 + i), servers[i % 3],
			    (uint16_t)(8000 + i % 3));
	}
}

static void a_session_stays_with_its_server(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net);

	LibAliasAddServer(net->la, link, addr("10.0.0.11"), htons(80));
	LibAliasAddServer(net->la, link, addr("10.0.0.12"), htons(80));
	for (int i = 0; i < 5; i++) {
		tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 80), i ? TH_ACK : TH_SYN);
		assert_ends(net->packet, REMOTE, 5000, "10.0.0.11", 80);
	}
	tcp_out(net, ENDS("10.0.0.11", 80, REMOTE, 5000), TH_ACK);
	assert_ends(net->packet, ALIAS, 80, REMOTE, 5000);
}

static void a_caller_who_has_closed_begins_a_new_session(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net);

	LibAliasAddServer(net->la, link, addr("10.0.0.11"), htons(80));
	LibAliasAddServer(net->la, link, addr("10.0.0.12"), htons(80));
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 80), TH_SYN);
	tcp_out(net, ENDS("10.0.0.11", 80, REMOTE, 5000), TH_SYN | TH_ACK);
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 80), TH_FIN | TH_ACK);
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 80), TH_SYN);
	assert_ends(net->packet, REMOTE, 5000, "10.0.0.11", 80); /* the server has not closed */
	tcp_out(net, ENDS("10.0.0.11", 80, REMOTE, 5000), TH_SYN | TH_ACK);
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 80), TH_FIN | TH_ACK);
	tcp_out(net, ENDS("10.0.0.11", 80, REMOTE, 5000), TH_FIN | TH_ACK);
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 80), TH_ACK);
	assert_ends(net->packet, REMOTE, 5000, "10.0.0.11", 80);
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 80), TH_SYN);
	assert_ends(net->packet, REMOTE, 5000, "10.0.0.12", 80);
}

static void a_server_of_weight_three_gets_three_sessions_of_four(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net);
	int first = 0;

	LibAliasAddServerWeight(net->la, link, addr("10.0.0.11"), htons(80), 3);
	LibAliasAddServerWeight(net->la, link, addr("10.0.0.12"), htons(80), 1);
	for (uint16_t i = 0; i < 40; i++) {
		tcp_in(net, ENDS(REMOTE, (uint16_t)(5000 + i), ALIAS, 80), TH_SYN);
		first += net->packet[19] == 11;
	}
	assert_int_equal(first, 30);
}

static void an_address_pool_ignores_ports(void **state)
{
	struct net *net = *state;
	struct alias_link *link = LibAliasRedirectAddr(net->la, ANY, ANY);

	LibAliasAddServer(net->la, link, addr("10.0.0.11"), htons(0xffff));
	LibAliasAddServer(net->la, link, addr("10.0.0.12"), htons(0xffff));
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 80), TH_SYN);
	assert_ends(net->packet, REMOTE, 5000, "10.0.0.11", 80);
	tcp_in(net, ENDS(REMOTE, 5001, ALIAS, 80), TH_SYN);
	assert_ends(net->packet, REMOTE, 5001, "10.0.0.12", 80);
}

static void a_server_of_weight_zero_keeps_its_turn(void **state)
{
	struct net *net = *state;
	struct alias_link *link = pool(net);

	LibAliasAddServerWeight(net->la, link, addr("10.0.0.11"), htons(80), 1);
	LibAliasAddServerWeight(net->la, link, addr("10.0.0.12"), htons(80), 0);
	LibAliasAddServerWeight(net->la, link, addr("10.0.0.13"), htons(80), 1);
	for (uint16_t i = 0; i < 9; i++) {
		tcp_in(net, ENDS(REMOTE, (uint16_t)(5000 + i), ALIAS, 80), TH_SYN);
		assert_int_equal(net->packet[19], i ? 12 : 11);
	}
}

static void a_weight_out_of_range_is_refused(void **state)
{
	struct net *net = *state;

	assert_int_equal(LibAliasAddServerWeight(net->la, pool(net), addr(INSIDE), 1, 65536), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(LibAliasAddServer(net->la, NULL, addr(INSIDE), 1), -1);
	assert_int_equal(errno, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(new_sessions_go_round_the_pool),
		net_test(a_session_stays_with_its_server),
		net_test(a_caller_who_has_closed_begins_a_new_session),
		net_test(a_server_of_weight_three_gets_three_sessions_of_four),
		net_test(an_address_pool_ignores_ports),
		net_test(a_server_of_weight_zero_keeps_its_turn),
		net_test(a_weight_out_of_range_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
