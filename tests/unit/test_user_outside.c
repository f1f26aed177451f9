// SPDX-License-Identifier: GPL-2.0-or-later
/* What leaves by the user engine: masq, autofw's triggers and pins, helper, and who is listed. */
#include "user_lab.h"

static struct lab lab;

static int open_lab(void **state)
{
	(void)state;
	lab_open(&lab, 1);
	return 0;
}

static int open_four(void **state)
{
	(void)state;
	lab_open(&lab, 4);
	return 0;
}

static int close_lab(void **state)
{
	(void)state;
	lab_close(&lab);
	return 0;
}

#define from_outside(protocol, before, after) \
	lab_becomes(&lab, USER_FROM_OUTSIDE, protocol, before, after)
#define to_outside(protocol, before, after) \
	lab_becomes(&lab, USER_TO_OUTSIDE, protocol, before, after)

static void a_net_is_masqueraded(void **state)
{
	(void)state;
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53), ENDS(INSIDE, 5000, REMOTE, 53));
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53), ENDS(ALIAS, 5000, REMOTE, 53));
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 53, ALIAS, 5000), ENDS(REMOTE, 53, INSIDE, 5000));
	to_outside(IPPROTO_UDP, ENDS("10.0.1.2", 5000, REMOTE, 53),
		   ENDS("10.0.1.2", 5000, REMOTE, 53));
	lab_lists(&lab, "masq -C", "udp 300 10.0.0.2 5000 198.51.100.1 5000 203.0.113.7 53\n");
	lab_lists(&lab, "masq -C -S 10.0.0.3", "");
	lab_lists(&lab, "masq -C -p 53",
		  "udp 300 10.0.0.2 5000 198.51.100.1 5000 203.0.113.7 53\n");
	lab_ok(&lab, "masq -D -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(OTHER, 5000, REMOTE, 53), ENDS(OTHER, 5000, REMOTE, 53));
}

static void two_hosts_with_one_port_get_two(void **state)
{
	uint16_t port;

	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53), ENDS(ALIAS, 5000, REMOTE, 53));
	assert_int_equal(lab_udp(&lab, USER_TO_OUTSIDE, ENDS(OTHER, 5000, REMOTE, 53)),
			 USER_CHANGED);
	port = source_port(lab.packet);
	assert_int_not_equal(port, 5000);
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 53, ALIAS, port), ENDS(REMOTE, 53, OTHER, 5000));
}

static void nobody_gets_a_port_of_the_machines_own_connections(void **state)
{
	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(ALIAS, 5000, REMOTE, 53), ENDS(ALIAS, 5000, REMOTE, 53));
	assert_int_equal(lab_udp(&lab, USER_TO_OUTSIDE, ENDS(OTHER, 5000, REMOTE, 53)),
			 USER_CHANGED);
	assert_int_not_equal(source_port(lab.packet), 5000);
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 53, ALIAS, 5000), ENDS(REMOTE, 53, ALIAS, 5000));
	lab_lists(&lab, "masq -C -S 198.51.100.1", "");
}

static void the_longest_prefix_and_the_given_address_count(void **state)
{
	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/8");
	lab_ok(&lab, "masq -A -S 10.0.0.0/24 -M 198.51.100.9");
	lab_ok(&lab, "masq -A -S 10.0.0.3 -o eth1");
	lab_ok(&lab, "masq -A -S 10.0.0.4 -o eth0 -M 198.51.100.77");
	to_outside(IPPROTO_UDP, ENDS("10.9.9.9", 5, REMOTE, 53), ENDS(ALIAS, 5, REMOTE, 53));
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5, REMOTE, 54), ENDS(SECOND, 5, REMOTE, 54));
	to_outside(IPPROTO_UDP, ENDS(OTHER, 5, REMOTE, 55), ENDS(SECOND, 5, REMOTE, 55));
	to_outside(IPPROTO_UDP, ENDS("10.0.0.4", 5, REMOTE, 56),
		   ENDS("198.51.100.77", 5, REMOTE, 56));
	lab_lists(&lab, "masq -L",
		  "10.0.0.0/8 any interface\n10.0.0.0/24 any 198.51.100.9\n"
		  "10.0.0.3/32 eth1 interface\n10.0.0.4/32 eth0 198.51.100.77\n");
	lab_ok(&lab, "masq -A -S 10.0.0.0/24 -M 198.51.100.8");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 6, REMOTE, 54), ENDS("198.51.100.8", 6, REMOTE, 54));
	lab_ok(&lab, "masq -D -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 7, REMOTE, 54), ENDS(ALIAS, 7, REMOTE, 54));
}

static void what_stays_in_the_net_keeps_its_address(void **state)
{
	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/8");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5, "10.1.1.1", 53), ENDS(INSIDE, 5, "10.1.1.1", 53));
	lab_ok(&lab, "masq -A -S 0.0.0.0/0");
	to_outside(IPPROTO_UDP, ENDS("192.0.2.1", 5, REMOTE, 53), ENDS(ALIAS, 5, REMOTE, 53));
}

static void who_is_called_by_his_own_address_answers_with_it(void **state)
{
	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	from_outside(IPPROTO_TCP, ENDS(REMOTE, 4000, INSIDE, 80), ENDS(REMOTE, 4000, INSIDE, 80));
	to_outside(IPPROTO_TCP, ENDS(INSIDE, 80, REMOTE, 4000), ENDS(INSIDE, 80, REMOTE, 4000));
	from_outside(IPPROTO_TCP, ENDS(REMOTE, 4000, "10.9.0.1", 80),
		     ENDS(REMOTE, 4000, "10.9.0.1", 80));
	from_outside(IPPROTO_TCP, ENDS(REMOTE, 4000, ALIAS, 80), ENDS(REMOTE, 4000, ALIAS, 80));
	assert_int_equal(lab_links(&lab), 1);
	lab_lists(&lab, "masq -C", "");
}

static void a_forwarded_range_leaves_others_their_ports(void **state)
{
	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	lab_ok(&lab, "autofw -A -r udp 1024 65535 -h 10.0.0.2");
	lab_ok(&lab, "autofw -A -d udp 27000 27100");
	to_outside(IPPROTO_UDP, ENDS(OTHER, 27960, REMOTE, 27001),
		   ENDS(ALIAS, 27960, REMOTE, 27001));
	lab_lists(&lab, "autofw -L",
		  "range udp 1024 65535 10.0.0.2 0 - any 0\nkeep udp 27000 27100 - 0 - - 0\n");
}

static void time_outs_are_set(void **state)
{
	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	lab_ok(&lab, "masq -T 0 0 60");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53), ENDS(ALIAS, 5000, REMOTE, 53));
	lab_lists(&lab, "masq -C", "udp 60 10.0.0.2 5000 198.51.100.1 5000 203.0.113.7 53\n");
	lab.now += 61;
	user_tick(lab.user, 0);
	assert_int_equal(lab_links(&lab), 0);
}

static void a_new_address_is_what_the_next_connection_gets(void **state)
{
	struct in_addr own[] = {addr("198.51.100.50")};

	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	lab_ok(&lab, "portfw -A -P udp -L 0.0.0.0 7 -R 10.0.0.2 7");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53), ENDS(ALIAS, 5000, REMOTE, 53));
	assert_int_equal(user_set_addresses(lab.user, "eth0", own, 1, &lab.error), 0);
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53),
		   ENDS("198.51.100.50", 5000, REMOTE, 53));
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 1, ALIAS, 7), ENDS(REMOTE, 1, ALIAS, 7));
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 1, "198.51.100.50", 7), ENDS(REMOTE, 1, INSIDE, 7));
}

static void control(const char *inside, const char *remote)
{
	assert_int_equal(lab_tcp(&lab, USER_TO_OUTSIDE, TH_SYN, ENDS(inside, 5000, remote, 7070)),
			 USER_CHANGED);
}

static void a_trigger_opens_to_the_contacted_host_for_15_seconds(void **state)
{
	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	lab_ok(&lab, "autofw -A -r udp 6970 7170 -c tcp 7070");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 1, ALIAS, 7000), ENDS(REMOTE, 1, ALIAS, 7000));
	control(INSIDE, REMOTE);
	lab_lists(&lab, "autofw -L", "trigger udp 6970 7170 10.0.0.2 0 tcp/7070 203.0.113.7 15\n");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 1, ALIAS, 7000), ENDS(REMOTE, 1, INSIDE, 7000));
	from_outside(IPPROTO_UDP, ENDS("203.0.113.8", 1, ALIAS, 7000),
		     ENDS("203.0.113.8", 1, ALIAS, 7000));
	lab.now += 10;
	control(INSIDE, REMOTE);
	lab.now += 15;
	lab_lists(&lab, "autofw -L", "trigger udp 6970 7170 10.0.0.2 0 tcp/7070 203.0.113.7 0\n");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 2, ALIAS, 7000), ENDS(REMOTE, 2, INSIDE, 7000));
	lab.now += 1;
	lab_lists(&lab, "autofw -L", "trigger udp 6970 7170 - 0 tcp/7070 - 0\n");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 3, ALIAS, 7000), ENDS(REMOTE, 3, ALIAS, 7000));
	/* What began meanwhile goes on. */
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 2, ALIAS, 7000), ENDS(REMOTE, 2, INSIDE, 7000));
}

static void the_last_host_has_the_range(void **state)
{
	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	lab_ok(&lab, "autofw -A -r udp 6970 7170 -c tcp 7070 -u");
	control(INSIDE, REMOTE);
	control(OTHER, REMOTE);
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 1, ALIAS, 7000), ENDS(REMOTE, 1, OTHER, 7000));
	lab.now += 1000;
	lab_lists(&lab, "autofw -L", "trigger udp 6970 7170 10.0.0.3 0 tcp/7070 203.0.113.7 0\n");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 2, ALIAS, 7000), ENDS(REMOTE, 2, OTHER, 7000));
	lab_ok(&lab, "autofw -F");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 3, ALIAS, 7000), ENDS(REMOTE, 3, ALIAS, 7000));
}

static void an_insecure_trigger_opens_to_everybody(void **state)
{
	char remote[32];

	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	lab_ok(&lab, "autofw -A -r udp 6970 7170 -c tcp 7070 -i");
	control(INSIDE, REMOTE);
	lab_lists(&lab, "autofw -L", "trigger udp 6970 7170 10.0.0.2 0 tcp/7070 any 15\n");
	for (int i = 1; i < 50; i++) {
		snprintf(remote, sizeof(remote), "192.0.2.%d", i);
		from_outside(IPPROTO_UDP, ENDS(remote, 1, ALIAS, 7000),
			     ENDS(remote, 1, INSIDE, 7000));
	}
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 9, SECOND, 7000), ENDS(REMOTE, 9, SECOND, 7000));
	lab.now += 16;
	from_outside(IPPROTO_UDP, ENDS("192.0.2.99", 1, ALIAS, 7000),
		     ENDS("192.0.2.99", 1, ALIAS, 7000));
}

static void only_who_is_masqueraded_and_began_opens_something(void **state)
{
	(void)state;
	lab_ok(&lab, "autofw -A -r udp 6970 7170 -c tcp 7070");
	lab_ok(&lab, "portfw -A -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80");
	assert_int_equal(lab_tcp(&lab, USER_TO_OUTSIDE, TH_SYN, ENDS(INSIDE, 5000, REMOTE, 7070)),
			 USER_KEEP);
	assert_int_equal(lab_tcp(&lab, USER_TO_OUTSIDE, TH_SYN, ENDS(ALIAS, 5000, REMOTE, 7070)),
			 USER_KEEP);
	/* The answer to a client whose port is the control port. */
	from_outside(IPPROTO_TCP, ENDS(REMOTE, 7070, ALIAS, 80), ENDS(REMOTE, 7070, INSIDE, 80));
	to_outside(IPPROTO_TCP, ENDS(INSIDE, 80, REMOTE, 7070), ENDS(ALIAS, 80, REMOTE, 7070));
	lab_lists(&lab, "autofw -L", "trigger udp 6970 7170 - 0 tcp/7070 - 0\n");
}

static void a_helper_watches_its_ports_only(void **state)
{
	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	lab_ok(&lab, "helper -A ftp ports=2121");
	for (uint16_t port = 21; port <= 2121; port += 2100) {
		bool watched = port == 2121;

		lab_tcp(&lab, USER_TO_OUTSIDE, TH_SYN, ENDS(INSIDE, 5000, REMOTE, port));
		build_tcp(lab.packet, ENDS(REMOTE, port, ALIAS, 5000), TH_ACK, 1, 2,
			  "220 hello\r\n", 11);
		lab_send(&lab, USER_FROM_OUTSIDE);
		build_tcp(lab.packet, ENDS(INSIDE, 5000, REMOTE, port), TH_ACK, 2, 12,
			  "PORT 10,0,0,2,19,137\r\n", 22);
		assert_int_equal(lab_send(&lab, USER_TO_OUTSIDE), USER_CHANGED);
		assert_string_equal(packet_text(lab.packet),
				    watched ? "PORT 198,51,100,1,19,137\r\n"
					    : "PORT 10,0,0,2,19,137\r\n");
	}
	from_outside(IPPROTO_TCP, ENDS(REMOTE, 20, ALIAS, 5001), ENDS(REMOTE, 20, INSIDE, 5001));
	lab_lists(&lab, "helper -L", "ftp 2121\n");
	lab_ok(&lab, "helper -D ftp");
	lab_lists(&lab, "helper -L", "");
}

/* A request of a phone; was its address translated? */
static bool is_read(void)
{
	static const char request[] = "OPTIONS sip:203.0.113.7 SIP/2.0\r\n"
				      "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=1\r\n\r\n";
	const char *text = (const char *)lab.packet + 28;
	size_t length;

	build_udp(lab.packet, ENDS(INSIDE, 5060, REMOTE, 5060), request, strlen(request));
	assert_int_equal(lab_send(&lab, USER_TO_OUTSIDE), USER_CHANGED);
	length = total_length(lab.packet) - 28u;
	assert_non_null(memmem(text, length, "5060;branch", 11));
	return memmem(text, length, "198.51.100.1", 12);
}

static void a_flow_follows_the_helpers_that_there_are(void **state)
{
	(void)state;
	lab_ok(&lab, "masq -A -S 10.0.0.0/24");
	assert_false(is_read());
	lab_ok(&lab, "helper -A sip");
	assert_true(is_read());
	lab_ok(&lab, "helper -A sip ports=5061");
	assert_false(is_read());
	lab_ok(&lab, "helper -A sip ports=5060,5061");
	assert_true(is_read());
	lab_ok(&lab, "helper -F");
	assert_false(is_read());
	assert_int_equal(lab_links(&lab), 1);
}

#define OUTSIDE_TEST(name) cmocka_unit_test_setup_teardown(name, open_lab, close_lab)
#define FOUR_WORKERS(name) cmocka_unit_test_setup_teardown(name, open_four, close_lab)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OUTSIDE_TEST(a_net_is_masqueraded),
		FOUR_WORKERS(a_net_is_masqueraded),
		FOUR_WORKERS(two_hosts_with_one_port_get_two),
		OUTSIDE_TEST(nobody_gets_a_port_of_the_machines_own_connections),
		OUTSIDE_TEST(the_longest_prefix_and_the_given_address_count),
		OUTSIDE_TEST(what_stays_in_the_net_keeps_its_address),
		FOUR_WORKERS(who_is_called_by_his_own_address_answers_with_it),
		OUTSIDE_TEST(a_forwarded_range_leaves_others_their_ports),
		FOUR_WORKERS(a_forwarded_range_leaves_others_their_ports),
		OUTSIDE_TEST(time_outs_are_set),
		FOUR_WORKERS(a_new_address_is_what_the_next_connection_gets),
		OUTSIDE_TEST(a_trigger_opens_to_the_contacted_host_for_15_seconds),
		FOUR_WORKERS(a_trigger_opens_to_the_contacted_host_for_15_seconds),
		OUTSIDE_TEST(the_last_host_has_the_range),
		OUTSIDE_TEST(an_insecure_trigger_opens_to_everybody),
		FOUR_WORKERS(an_insecure_trigger_opens_to_everybody),
		OUTSIDE_TEST(only_who_is_masqueraded_and_began_opens_something),
		OUTSIDE_TEST(a_helper_watches_its_ports_only),
		OUTSIDE_TEST(a_flow_follows_the_helpers_that_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
