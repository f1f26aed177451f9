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
	uint16_t port, from;

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
		from = (uint16_t)(7000 +
				  2 * i); /* by chance a pair may have the ports of one before */
		udp_in(net, ENDS(REMOTE, (uint16_t)(from + 1), ALIAS, (uint16_t)(port + 1)));
		assert_ends(net->packet, REMOTE, (uint16_t)(from + 1), INSIDE,
			    (uint16_t)(6001 + 2 * i));
		udp_in(net, ENDS(REMOTE, from, ALIAS, port));
		assert_ends(net->packet, REMOTE, from, INSIDE, (uint16_t)(6000 + 2 * i));
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

static int hole_open(void *arg, const struct alias_hole *hole)
{
	(void)hole;
	++*(int *)arg;
	return 0;
}

static void hole_close(void *arg, const struct alias_hole *hole)
{
	(void)hole;
	--*(int *)arg;
}

static void holes_clear(void *arg, unsigned int base, unsigned int num)
{
	(void)base;
	(void)num;
	*(int *)arg = 0;
}

static void an_awaited_connection_has_its_helper_and_its_hole(void **state)
{
	static const struct alias_firewall firewall = {hole_open, hole_close, holes_clear};
	static const char reply[] = "227 ok (10,0,0,2,16,1)\r\n";
	struct net *net = *state;
	struct expectation wanted = media();
	static int holes; /* written when the instance goes, too */

	LibAliasSetFirewall(net->la, &firewall, &holes);
	LibAliasSetFWBase(net->la, 1, 8);
	LibAliasSetMode(net->la, PKT_ALIAS_PUNCH_FW, PKT_ALIAS_PUNCH_FW);
	LibAliasSetHelper(net->la, "ftp", 2121, 1);
	wanted.proto = IPPROTO_TCP;
	wanted.inside_port = htons(2121);
	assert_non_null(expect_add(net->la, control(net), &wanted));
	tcp_in(net, ENDS(REMOTE, 7000, ALIAS, 2121), TH_SYN);
	assert_int_equal(holes, 1);
	tcp_out(net, ENDS(INSIDE, 2121, REMOTE, 7000), TH_SYN | TH_ACK);
	build_tcp(net->packet, ENDS(REMOTE, 7000, ALIAS, 2121), TH_ACK, 2, 2, "PASV\r\n", 6);
	send_in(net);
	build_tcp(net->packet, ENDS(INSIDE, 2121, REMOTE, 7000), TH_ACK, 2, 8, reply,
		  strlen(reply));
	send_out(net);
	assert_string_equal(packet_text(net->packet), "227 ok (198,51,100,1,16,1)\r\n");
	LibAliasReset(net->la);
	assert_int_equal(holes, 0);
}

static int await_all(struct net *net, struct link *master)
{
	struct expectation wanted = media();
	int n = 0;

	wanted.remote = addr(REMOTE).s_addr;
	wanted.timeout = 10;
	while (n < 8 && expect_add(net->la, master, &wanted)) {
		n++;
		wanted.inside_port = htons((uint16_t)(6000 + n));
	}
	return n;
}

static void a_scarce_port_that_was_awaited_is_used_again(void **state)
{
	struct net *net = *state;
	struct link *master = control(net);

	LibAliasSetAliasPortRange(net->la, 5000, 5003);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(await_all(net, master), 4);
		net->now += 11;
		LibAliasExpire(net->la, 1);
		assert_int_equal(expectations(net), 0);
	}
}

static void nobody_awaits_what_a_static_redirect_waits_for(void **state)
{
	struct net *net = *state;
	struct expectation wanted = media();
	struct alias_link *r;

	LibAliasSetMode(net->la, PKT_ALIAS_KEEP_PORTS, PKT_ALIAS_KEEP_PORTS);
	LibAliasRedirectPort(net->la, addr(OTHER), htons(80), addr("0.0.0.0"), 0, addr("0.0.0.0"),
			     htons(6000), IPPROTO_UDP);
	r = expect_add(net->la, control(net), &wanted);
	assert_non_null(r);
	assert_int_not_equal(ntohs(r->alias_port), 6000);
	udp_in(net, ENDS("192.0.2.9", 7000, ALIAS, 6000));
	assert_ends(net->packet, "192.0.2.9", 7000, OTHER, 80);
	wanted.inside_port = htons(6002);
	wanted.alias_port = htons(6000);
	assert_null(expect_add(net->la, control(net), &wanted));
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
		net_test(an_awaited_connection_has_its_helper_and_its_hole),
		net_test(a_scarce_port_that_was_awaited_is_used_again),
		net_test(nobody_awaits_what_a_static_redirect_waits_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
