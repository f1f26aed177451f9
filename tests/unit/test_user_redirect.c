// SPDX-License-Identifier: GPL-2.0-or-later
/* Redirects on the user engine: portfw, mfw, autofw and addrfw with packets. */
#include "user_lab.h"

static void a_forward_goes_there_and_back(void **state)
{
	(void)state;
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080");
	from_outside(IPPROTO_TCP, ENDS(CLIENT, 4000, ALIAS, 80), ENDS(CLIENT, 4000, INSIDE, 8080));
	to_outside(IPPROTO_TCP, ENDS(INSIDE, 8080, CLIENT, 4000), ENDS(ALIAS, 80, CLIENT, 4000));
	from_outside(IPPROTO_TCP, ENDS(CLIENT, 4000, ALIAS, 81), ENDS(CLIENT, 4000, ALIAS, 81));
	from_outside(IPPROTO_UDP, ENDS(CLIENT, 4000, ALIAS, 80), ENDS(CLIENT, 4000, ALIAS, 80));
}

static void a_forward_of_any_address_is_of_this_machines_only(void **state)
{
	(void)state;
	lab_ok("portfw -A -P udp -L 0.0.0.0 53 -R 10.0.0.2 53");
	from_outside(IPPROTO_UDP, ENDS(CLIENT, 4000, ALIAS, 53), ENDS(CLIENT, 4000, INSIDE, 53));
	from_outside(IPPROTO_UDP, ENDS(CLIENT, 4001, SECOND, 53), ENDS(CLIENT, 4001, INSIDE, 53));
	from_outside(IPPROTO_UDP, ENDS(CLIENT, 4000, "192.0.2.5", 53),
		     ENDS(CLIENT, 4000, "192.0.2.5", 53));
}

static void a_given_address_goes_before_any(void **state)
{
	(void)state;
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80");
	lab_ok("portfw -A -P tcp -L 0.0.0.0 80 -R 10.0.0.3 80");
	from_outside(IPPROTO_TCP, ENDS(CLIENT, 1, ALIAS, 80), ENDS(CLIENT, 1, INSIDE, 80));
	from_outside(IPPROTO_TCP, ENDS(CLIENT, 1, SECOND, 80), ENDS(CLIENT, 1, OTHER, 80));
}

static void what_a_server_sends_itself_is_not_redirected(void **state)
{
	(void)state;
	lab_ok("portfw -A -P udp -L 198.51.100.1 53 -R 10.0.0.2 5353");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5353, CLIENT, 53), ENDS(INSIDE, 5353, CLIENT, 53));
}

static void a_pool_shares_exactly(void **state)
{
	unsigned int n[2] = {0};

	(void)state;
	lab_ok("mfw -A -m 1 -r 10.0.0.2 80 -p 10");
	lab_ok("mfw -A -m 1 -r 10.0.0.3 80 -p 20");
	lab.mark = 1;
	for (uint16_t i = 0; i < 300; i++) {
		const char *server = lab_served_by(IPPROTO_TCP, (uint16_t)(5000 + i), 443);

		n[0] += strcmp(server, INSIDE) == 0;
		n[1] += strcmp(server, OTHER) == 0;
	}
	assert_int_equal(n[0], 100);
	assert_int_equal(n[1], 200);
}

static void a_listing_says_whose_turn_it_is(void **state)
{
	(void)state;
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 3");
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 2");
	lab_lists("portfw -L",
		  "tcp 198.51.100.1 10.0.0.2 80 80 2 2\ntcp 198.51.100.1 10.0.0.3 80 80 3 3\n");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 1, 80), INSIDE);
	lab_lists("portfw -L",
		  "tcp 198.51.100.1 10.0.0.2 80 80 1 2\ntcp 198.51.100.1 10.0.0.3 80 80 3 3\n");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 2, 80), INSIDE);
	lab_lists("portfw -L",
		  "tcp 198.51.100.1 10.0.0.3 80 80 3 3\ntcp 198.51.100.1 10.0.0.2 80 80 2 2\n");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 3, 80), OTHER);
	lab_lists("portfw -L",
		  "tcp 198.51.100.1 10.0.0.3 80 80 2 3\ntcp 198.51.100.1 10.0.0.2 80 80 2 2\n");
}

static void preference_0_keeps_its_turn(void **state)
{
	(void)state;
	lab_ok("mfw -A -m 7 -r 10.0.0.2 -p 0");
	lab_ok("mfw -A -m 7 -r 10.0.0.3 -p 1");
	lab.mark = 7;
	for (uint16_t i = 1; i < 20; i++)
		assert_string_equal(lab_served_by(IPPROTO_UDP, i, 99), INSIDE);
	lab_lists("mfw -L", "7 10.0.0.2 0 0 0\n7 10.0.0.3 0 1 1\n");
	lab_ok("mfw -S -m 7");
	assert_string_equal(lab_served_by(IPPROTO_UDP, 100, 99), OTHER);
	assert_string_equal(lab_served_by(IPPROTO_UDP, 101, 99), INSIDE);
}

static void a_mark_counts_on_what_opens_a_connection(void **state)
{
	(void)state;
	lab_ok("mfw -A -m 5 -r 10.0.0.2");
	lab.mark = 5;
	assert_int_equal(lab_tcp(USER_FROM_OUTSIDE, TH_ACK, ENDS(CLIENT, 1, ALIAS, 80)), USER_KEEP);
	assert_int_equal(lab_tcp(USER_FROM_OUTSIDE, TH_SYN, ENDS(CLIENT, 1, ALIAS, 80)),
			 USER_CHANGED);
	assert_ends(lab.packet, CLIENT, 1, INSIDE, 80);
	/* It has its link: the mark is not looked at any more. */
	assert_int_equal(lab_tcp(USER_FROM_OUTSIDE, TH_ACK, ENDS(CLIENT, 1, ALIAS, 80)),
			 USER_CHANGED);
}

static void owners_have_precedence(void **state)
{
	(void)state;
	lab_ok("addrfw -A -L 198.51.100.1 -R 10.0.0.6");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 1, 80), "10.0.0.6");
	lab_ok("autofw -A -r tcp 1 1000 -h 10.0.0.5");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 2, 80), "10.0.0.5");
	lab_ok("autofw -A -p tcp 80 10.0.0.4:80");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 3, 80), "10.0.0.4");
	lab_ok("mfw -A -m 1 -r 10.0.0.3");
	lab.mark = 1;
	assert_string_equal(lab_served_by(IPPROTO_TCP, 4, 80), OTHER);
	lab_ok("portfw -A -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 5, 80), INSIDE);
	lab_ok("autofw -A -p tcp 80 10.0.0.7:80");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 6, 80), INSIDE);
	lab_ok("portfw -F");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 7, 80), OTHER);
	lab.mark = 0;
	assert_string_equal(lab_served_by(IPPROTO_TCP, 8, 80), "10.0.0.7");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 8, 81), "10.0.0.5");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 8, 2000), "10.0.0.6");
}

static void the_narrower_range_wins_then_the_newer(void **state)
{
	(void)state;
	lab_ok("autofw -A -r udp 100 200 -h 10.0.0.2");
	lab_ok("autofw -A -r udp 1 1000 -h 10.0.0.3");
	lab_ok("autofw -A -r udp 150 250 -h 10.0.0.4");
	assert_string_equal(lab_served_by(IPPROTO_UDP, 1, 120), INSIDE);
	assert_string_equal(lab_served_by(IPPROTO_UDP, 1, 160), "10.0.0.4");
	assert_string_equal(lab_served_by(IPPROTO_UDP, 1, 300), OTHER);
	from_outside(IPPROTO_UDP, ENDS(CLIENT, 9, ALIAS, 777), ENDS(CLIENT, 9, OTHER, 777));
}

static void addrfw_works_both_ways(void **state)
{
	(void)state;
	lab_ok("addrfw -A -L 198.51.100.7 -R 10.0.0.2");
	lab_ok("masq -A -S 10.0.0.0/24");
	from_outside(IPPROTO_TCP, ENDS(CLIENT, 1, "198.51.100.7", 22), ENDS(CLIENT, 1, INSIDE, 22));
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, CLIENT, 53),
		   ENDS("198.51.100.7", 5000, CLIENT, 53));
	to_outside(IPPROTO_UDP, ENDS(OTHER, 5000, CLIENT, 53), ENDS(ALIAS, 5000, CLIENT, 53));
	lab_ok("addrfw -A -L 198.51.100.8 -R 10.0.0.4 -P gre");
	build_other(lab.packet, 47, CLIENT, "198.51.100.8");
	assert_int_equal(lab_send(USER_FROM_OUTSIDE), USER_CHANGED);
	assert_ends(lab.packet, CLIENT, 0, "10.0.0.4", 0);
	build_other(lab.packet, 47, "10.0.0.4", "203.0.113.99");
	assert_int_equal(lab_send(USER_TO_OUTSIDE), USER_CHANGED);
	assert_ends(lab.packet, "198.51.100.8", 0, "203.0.113.99", 0);
}

static void a_removed_forward_ends_udp_and_lets_tcp_finish(void **state)
{
	(void)state;
	lab_ok("portfw -A -P udp -L 198.51.100.1 53 -R 10.0.0.2 53");
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80");
	assert_string_equal(lab_served_by(IPPROTO_UDP, 1, 53), INSIDE);
	assert_string_equal(lab_served_by(IPPROTO_TCP, 1, 80), INSIDE);
	lab_ok("portfw -F");
	assert_string_equal(lab_served_by(IPPROTO_UDP, 1, 53), "");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 1, 80), INSIDE);
	assert_string_equal(lab_served_by(IPPROTO_TCP, 2, 80), "");
}

static void kill_ends_tcp_too(void **state)
{
	(void)state;
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 1, 80), INSIDE);
	lab_ok("portfw -D -P tcp -L 198.51.100.1 80 --kill");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 1, 80), "");
}

static void a_change_keeps_the_flows_of_the_servers_that_stay(void **state)
{
	(void)state;
	lab_ok("portfw -A -P udp -L 198.51.100.1 53 -R 10.0.0.2 53");
	assert_string_equal(lab_served_by(IPPROTO_UDP, 1, 53), INSIDE);
	lab_ok("portfw -A -P udp -L 198.51.100.1 53 -R 10.0.0.3 53");
	assert_string_equal(lab_served_by(IPPROTO_UDP, 1, 53), INSIDE);
	assert_string_equal(lab_served_by(IPPROTO_UDP, 2, 53), OTHER);
	lab_lists("portfw -L -v", "udp 198.51.100.1 10.0.0.3 53 53 9 10 1 33\n"
				  "udp 198.51.100.1 10.0.0.2 53 53 10 10 2 66\n");
	lab_ok("portfw -D -P udp -L 198.51.100.1 53 -R 10.0.0.2 53");
	assert_string_equal(lab_served_by(IPPROTO_UDP, 1, 53), OTHER);
	assert_string_equal(lab_served_by(IPPROTO_UDP, 2, 53), OTHER);
	lab_lists("portfw -L -v", "udp 198.51.100.1 10.0.0.3 53 53 10 10 3 99\n");
	lab_ok("portfw -D -P udp -L 198.51.100.1 53");
	assert_int_equal(lab_links(), 0);
}

static void a_new_forward_takes_flows_that_were_there(void **state)
{
	(void)state;
	/* The machine answers itself at first. */
	from_outside(IPPROTO_UDP, ENDS(CLIENT, 1, ALIAS, 53), ENDS(CLIENT, 1, ALIAS, 53));
	to_outside(IPPROTO_UDP, ENDS(ALIAS, 53, CLIENT, 1), ENDS(ALIAS, 53, CLIENT, 1));
	lab_ok("autofw -A -r udp 1 100 -h 10.0.0.3");
	from_outside(IPPROTO_UDP, ENDS(CLIENT, 1, ALIAS, 53), ENDS(CLIENT, 1, OTHER, 53));
	lab_ok("portfw -A -P udp -L 0.0.0.0 53 -R 10.0.0.2 53");
	from_outside(IPPROTO_UDP, ENDS(CLIENT, 1, ALIAS, 53), ENDS(CLIENT, 1, INSIDE, 53));
	lab_ok("autofw -A -r udp 50 60 -h 10.0.0.4");
	from_outside(IPPROTO_UDP, ENDS(CLIENT, 1, ALIAS, 53), ENDS(CLIENT, 1, INSIDE, 53));
	/* What an inside host began stays its own. */
	lab_ok("masq -A -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(OTHER, 77, CLIENT, 53), ENDS(ALIAS, 77, CLIENT, 53));
	lab_ok("portfw -A -P udp -L 0.0.0.0 77 -R 10.0.0.2 77");
	from_outside(IPPROTO_UDP, ENDS(CLIENT, 53, ALIAS, 77), ENDS(CLIENT, 53, OTHER, 77));
}

static void what_did_not_change_keeps_counters_and_turn(void **state)
{
	(void)state;
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80 -p 3");
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 2");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 1, 80), INSIDE);
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80 -p 2");
	lab_ok("portfw -A -P tcp -L 198.51.100.1 81 -R 10.0.0.2 80");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 2, 80), INSIDE);
	assert_string_equal(lab_served_by(IPPROTO_TCP, 3, 80), OTHER);
}

static void a_forward_works_whatever_worker_sees_it(void **state)
{
	char remote[32];

	(void)state;
	lab_ok("portfw -A -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80 -p 3");
	lab_ok("portfw -A -P tcp -L 0.0.0.0 80 -R 10.0.0.3 80 -p 3");
	for (int i = 1; i <= 100; i++) {
		snprintf(remote, sizeof(remote), "203.0.113.%d", i);
		assert_int_equal(lab_tcp(USER_FROM_OUTSIDE, TH_SYN, ENDS(remote, 1000, ALIAS, 80)),
				 USER_CHANGED);
	}
	assert_int_equal(lab_links(), 100);
	/* 100 of rounds of 6: 4 in this one. */
	lab_lists("portfw -L", "tcp 0.0.0.0 10.0.0.2 80 80 2 3\ntcp 0.0.0.0 10.0.0.3 80 80 3 3\n");
	lab_ok("portfw -F");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 1, 80), "");
}

static void ten_thousand_forwards_are_found(void **state)
{
	char line[128];

	(void)state;
	for (int port = 1; port <= 10000; port++) {
		snprintf(line, sizeof(line), "portfw -A -P tcp -L 198.51.100.1 %d -R 10.0.0.2 %d",
			 port, port);
		lab_ok(line);
	}
	from_outside(IPPROTO_TCP, ENDS(CLIENT, 1, ALIAS, 7777), ENDS(CLIENT, 1, INSIDE, 7777));
	lab_ok("portfw -F");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 2, 7777), "");
}

static void what_it_cannot_do_is_refused(void **state)
{
	(void)state;
	lab_refused("portfw -A -P tcp -L 2001:db8::1 80 -R fd00::2 80", "IPv4 only");
	lab_refused("portfw -A -P sctp -L 198.51.100.1 80 -R 10.0.0.2 80", "tcp and udp only");
	lab_refused("autofw -A -r sctp 1 10 -c tcp 20", "tcp and udp");
	lab_refused("helper -A nonsense", "no helper 'nonsense', only ftp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		one_worker(a_forward_goes_there_and_back),
		one_worker(a_forward_of_any_address_is_of_this_machines_only),
		one_worker(a_given_address_goes_before_any),
		one_worker(what_a_server_sends_itself_is_not_redirected),
		one_worker(a_pool_shares_exactly),
		one_worker(a_listing_says_whose_turn_it_is),
		one_worker(preference_0_keeps_its_turn),
		one_worker(a_mark_counts_on_what_opens_a_connection),
		one_worker(owners_have_precedence),
		one_worker(the_narrower_range_wins_then_the_newer),
		one_worker(addrfw_works_both_ways),
		one_worker(a_removed_forward_ends_udp_and_lets_tcp_finish),
		one_worker(kill_ends_tcp_too),
		one_worker(a_change_keeps_the_flows_of_the_servers_that_stay),
		one_worker(a_new_forward_takes_flows_that_were_there),
		one_worker(what_did_not_change_keeps_counters_and_turn),
		four_workers(a_forward_works_whatever_worker_sees_it),
		one_worker(ten_thousand_forwards_are_found),
		four_workers(what_it_cannot_do_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
