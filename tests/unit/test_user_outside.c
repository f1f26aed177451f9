// SPDX-License-Identifier: GPL-2.0-or-later
/* What leaves by the user engine: masq, autofw's triggers and pins, helper, and who is listed. */
#include "user_lab.h"

static void a_net_is_masqueraded(void **state)
{
	(void)state;
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53), ENDS(INSIDE, 5000, REMOTE, 53));
	lab_ok("masq -A -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53), ENDS(ALIAS, 5000, REMOTE, 53));
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 53, ALIAS, 5000), ENDS(REMOTE, 53, INSIDE, 5000));
	to_outside(IPPROTO_UDP, ENDS("10.0.1.2", 5000, REMOTE, 53),
		   ENDS("10.0.1.2", 5000, REMOTE, 53));
	lab_lists("masq -C", "udp 300 10.0.0.2 5000 198.51.100.1 5000 203.0.113.7 53\n");
	lab_lists("masq -C -S 10.0.0.3", "");
	lab_lists("masq -C -p 53", "udp 300 10.0.0.2 5000 198.51.100.1 5000 203.0.113.7 53\n");
	lab_ok("masq -D -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(OTHER, 5000, REMOTE, 53), ENDS(OTHER, 5000, REMOTE, 53));
}

static void two_hosts_with_one_port_get_two(void **state)
{
	uint16_t port;

	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53), ENDS(ALIAS, 5000, REMOTE, 53));
	assert_int_equal(lab_udp(USER_TO_OUTSIDE, ENDS(OTHER, 5000, REMOTE, 53)), USER_CHANGED);
	port = source_port(lab.packet);
	assert_int_not_equal(port, 5000);
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 53, ALIAS, port), ENDS(REMOTE, 53, OTHER, 5000));
}

static void nobody_gets_a_port_of_the_machines_own_connections(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(ALIAS, 5000, REMOTE, 53), ENDS(ALIAS, 5000, REMOTE, 53));
	assert_int_equal(lab_udp(USER_TO_OUTSIDE, ENDS(OTHER, 5000, REMOTE, 53)), USER_CHANGED);
	assert_int_not_equal(source_port(lab.packet), 5000);
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 53, ALIAS, 5000), ENDS(REMOTE, 53, ALIAS, 5000));
	lab_lists("masq -C -S 198.51.100.1", "");
}

static void the_longest_prefix_and_the_given_address_count(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/8");
	lab_ok("masq -A -S 10.0.0.0/24 -M 198.51.100.9");
	lab_ok("masq -A -S 10.0.0.3 -o eth1");
	lab_ok("masq -A -S 10.0.0.4 -o eth0 -M 198.51.100.77");
	to_outside(IPPROTO_UDP, ENDS("10.9.9.9", 5, REMOTE, 53), ENDS(ALIAS, 5, REMOTE, 53));
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5, REMOTE, 54), ENDS(SECOND, 5, REMOTE, 54));
	to_outside(IPPROTO_UDP, ENDS(OTHER, 5, REMOTE, 55), ENDS(SECOND, 5, REMOTE, 55));
	to_outside(IPPROTO_UDP, ENDS("10.0.0.4", 5, REMOTE, 56),
		   ENDS("198.51.100.77", 5, REMOTE, 56));
	lab_lists("masq -L", "10.0.0.0/8 any interface\n10.0.0.0/24 any 198.51.100.9\n"
			     "10.0.0.3/32 eth1 interface\n10.0.0.4/32 eth0 198.51.100.77\n");
	lab_ok("masq -A -S 10.0.0.0/24 -M 198.51.100.8");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 6, REMOTE, 54), ENDS("198.51.100.8", 6, REMOTE, 54));
	lab_ok("masq -D -S 10.0.0.0/24");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 7, REMOTE, 54), ENDS(ALIAS, 7, REMOTE, 54));
}

static void what_stays_in_the_net_keeps_its_address(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/8");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5, "10.1.1.1", 53), ENDS(INSIDE, 5, "10.1.1.1", 53));
	lab_ok("masq -A -S 0.0.0.0/0");
	to_outside(IPPROTO_UDP, ENDS("192.0.2.1", 5, REMOTE, 53), ENDS(ALIAS, 5, REMOTE, 53));
}

static void who_is_called_by_his_own_address_answers_with_it(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	from_outside(IPPROTO_TCP, ENDS(REMOTE, 4000, INSIDE, 80), ENDS(REMOTE, 4000, INSIDE, 80));
	to_outside(IPPROTO_TCP, ENDS(INSIDE, 80, REMOTE, 4000), ENDS(INSIDE, 80, REMOTE, 4000));
	from_outside(IPPROTO_TCP, ENDS(REMOTE, 4000, "10.9.0.1", 80),
		     ENDS(REMOTE, 4000, "10.9.0.1", 80));
	from_outside(IPPROTO_TCP, ENDS(REMOTE, 4000, ALIAS, 80), ENDS(REMOTE, 4000, ALIAS, 80));
	assert_int_equal(lab_links(), 1);
	lab_lists("masq -C", "");
}

static void a_forwarded_range_leaves_others_their_ports(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("autofw -A -r udp 1024 65535 -h 10.0.0.2");
	lab_ok("autofw -A -d udp 27000 27100");
	to_outside(IPPROTO_UDP, ENDS(OTHER, 27960, REMOTE, 27001),
		   ENDS(ALIAS, 27960, REMOTE, 27001));
	lab_lists("autofw -L",
		  "range udp 1024 65535 10.0.0.2 0 - any 0\nkeep udp 27000 27100 - 0 - - 0\n");
}

static void time_outs_are_set(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("masq -T 0 0 60");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53), ENDS(ALIAS, 5000, REMOTE, 53));
	lab_lists("masq -C", "udp 60 10.0.0.2 5000 198.51.100.1 5000 203.0.113.7 53\n");
	lab.now += 61;
	user_tick(lab.user, 0);
	assert_int_equal(lab_links(), 0);
}

static void a_new_address_is_what_the_next_connection_gets(void **state)
{
	struct in_addr own[] = {addr("198.51.100.50")};

	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("portfw -A -P udp -L 0.0.0.0 7 -R 10.0.0.2 7");
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53), ENDS(ALIAS, 5000, REMOTE, 53));
	assert_int_equal(user_set_addresses(lab.user, "eth0", own, 1, &lab.error), 0);
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 5000, REMOTE, 53),
		   ENDS("198.51.100.50", 5000, REMOTE, 53));
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 1, ALIAS, 7), ENDS(REMOTE, 1, ALIAS, 7));
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 1, "198.51.100.50", 7), ENDS(REMOTE, 1, INSIDE, 7));
}

static void control(const char *inside, const char *remote)
{
	assert_int_equal(lab_tcp(USER_TO_OUTSIDE, TH_SYN, ENDS(inside, 5000, remote, 7070)),
			 USER_CHANGED);
}

static void a_trigger_opens_to_the_contacted_host_for_15_seconds(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("autofw -A -r udp 6970 7170 -c tcp 7070");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 1, ALIAS, 7000), ENDS(REMOTE, 1, ALIAS, 7000));
	control(INSIDE, REMOTE);
	lab_lists("autofw -L", "trigger udp 6970 7170 10.0.0.2 0 tcp/7070 203.0.113.7 15\n");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 1, ALIAS, 7000), ENDS(REMOTE, 1, INSIDE, 7000));
	from_outside(IPPROTO_UDP, ENDS("203.0.113.8", 1, ALIAS, 7000),
		     ENDS("203.0.113.8", 1, ALIAS, 7000));
	lab.now += 10;
	control(INSIDE, REMOTE);
	lab.now += 15;
	lab_lists("autofw -L", "trigger udp 6970 7170 10.0.0.2 0 tcp/7070 203.0.113.7 0\n");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 2, ALIAS, 7000), ENDS(REMOTE, 2, INSIDE, 7000));
	lab.now += 1;
	lab_lists("autofw -L", "trigger udp 6970 7170 - 0 tcp/7070 - 0\n");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 3, ALIAS, 7000), ENDS(REMOTE, 3, ALIAS, 7000));
	/* What began meanwhile goes on. */
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 2, ALIAS, 7000), ENDS(REMOTE, 2, INSIDE, 7000));
}

static void the_last_host_has_the_range(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("autofw -A -r udp 6970 7170 -c tcp 7070 -u");
	control(INSIDE, REMOTE);
	control(OTHER, REMOTE);
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 1, ALIAS, 7000), ENDS(REMOTE, 1, OTHER, 7000));
	lab.now += 1000;
	lab_lists("autofw -L", "trigger udp 6970 7170 10.0.0.3 0 tcp/7070 203.0.113.7 0\n");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 2, ALIAS, 7000), ENDS(REMOTE, 2, OTHER, 7000));
	lab_ok("autofw -F");
	from_outside(IPPROTO_UDP, ENDS(REMOTE, 3, ALIAS, 7000), ENDS(REMOTE, 3, ALIAS, 7000));
}

static void an_insecure_trigger_opens_to_everybody(void **state)
{
	char remote[32];

	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("autofw -A -r udp 6970 7170 -c tcp 7070 -i");
	control(INSIDE, REMOTE);
	lab_lists("autofw -L", "trigger udp 6970 7170 10.0.0.2 0 tcp/7070 any 15\n");
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
	lab_ok("autofw -A -r udp 6970 7170 -c tcp 7070");
	lab_ok("portfw -A -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80");
	assert_int_equal(lab_tcp(USER_TO_OUTSIDE, TH_SYN, ENDS(INSIDE, 5000, REMOTE, 7070)),
			 USER_KEEP);
	assert_int_equal(lab_tcp(USER_TO_OUTSIDE, TH_SYN, ENDS(ALIAS, 5000, REMOTE, 7070)),
			 USER_KEEP);
	/* The answer to a client whose port is the control port. */
	from_outside(IPPROTO_TCP, ENDS(REMOTE, 7070, ALIAS, 80), ENDS(REMOTE, 7070, INSIDE, 80));
	to_outside(IPPROTO_TCP, ENDS(INSIDE, 80, REMOTE, 7070), ENDS(ALIAS, 80, REMOTE, 7070));
	lab_lists("autofw -L", "trigger udp 6970 7170 - 0 tcp/7070 - 0\n");
}

static void a_helper_watches_its_ports_only(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("helper -A ftp ports=2121");
	for (uint16_t port = 21; port <= 2121; port += 2100) {
		bool watched = port == 2121;

		lab_tcp(USER_TO_OUTSIDE, TH_SYN, ENDS(INSIDE, 5000, REMOTE, port));
		build_tcp(lab.packet, ENDS(REMOTE, port, ALIAS, 5000), TH_ACK, 1, 2,
			  "220 hello\r\n", 11);
		lab_send(USER_FROM_OUTSIDE);
		build_tcp(lab.packet, ENDS(INSIDE, 5000, REMOTE, port), TH_ACK, 2, 12,
			  "PORT 10,0,0,2,19,137\r\n", 22);
		assert_int_equal(lab_send(USER_TO_OUTSIDE), USER_CHANGED);
		assert_string_equal(packet_text(lab.packet),
				    watched ? "PORT 198,51,100,1,19,137\r\n"
					    : "PORT 10,0,0,2,19,137\r\n");
	}
	from_outside(IPPROTO_TCP, ENDS(REMOTE, 20, ALIAS, 5001), ENDS(REMOTE, 20, INSIDE, 5001));
	lab_lists("helper -L", "ftp 2121\n");
	lab_ok("helper -D ftp");
	lab_lists("helper -L", "");
}

/* A request of a phone; was its address translated? */
static bool is_read(void)
{
	static const char request[] = "OPTIONS sip:203.0.113.7 SIP/2.0\r\n"
				      "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=1\r\n\r\n";
	const char *text = (const char *)lab.packet + 28;
	size_t length;

	build_udp(lab.packet, ENDS(INSIDE, 5060, REMOTE, 5060), request, strlen(request));
	assert_int_equal(lab_send(USER_TO_OUTSIDE), USER_CHANGED);
	length = total_length(lab.packet) - 28u;
	assert_non_null(memmem(text, length, "5060;branch", 11));
	return memmem(text, length, "198.51.100.1", 12);
}

static void a_flow_follows_the_helpers_that_there_are(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	assert_false(is_read());
	lab_ok("helper -A sip");
	assert_true(is_read());
	lab_ok("helper -A sip ports=5061");
	assert_false(is_read());
	lab_ok("helper -A sip ports=5060,5061");
	assert_true(is_read());
	lab_ok("helper -F");
	assert_false(is_read());
	assert_int_equal(lab_links(), 1);
}

/* A phone's description of its media to a server; the port at which they are awaited. */
static uint16_t announce(const char *address, uint16_t media)
{
	static const char head[] = "INVITE sip:x@203.0.113.7 SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP 10.0.0.2:5060\r\n"
				   "Content-Type: application/sdp\r\nContent-Length: 80\r\n\r\n";
	char text[512] = {0};
	const char *found;

	snprintf(text, sizeof(text), "%sv=0\r\nc=IN IP4 10.0.0.2\r\nm=audio %u RTP/AVP 0\r\n%40s",
		 head, media, "");
	build_udp(lab.packet, ENDS(INSIDE, 5060, address, 5060), text, strlen(text));
	assert_int_equal(lab_send(USER_TO_OUTSIDE), USER_CHANGED);
	memcpy(text, lab.packet + 28, sizeof(text) - 1);
	found = strstr(text, "m=audio ");
	assert_non_null(found);
	return (uint16_t)atoi(found + 8);
}

/* Whoever's worker it is that the phone talks to first. */
static void media_leave_from_the_port_that_was_announced(void **state)
{
	char host[32];
	uint16_t port;

	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("helper -A sip");
	lab_ok("portfw -A -P udp -L 198.51.100.1 6000 -R 10.0.0.3 6000");
	port = announce(REMOTE, 6000);
	assert_int_not_equal(port, 6000);
	for (int i = 8; i < 24; i++) {
		snprintf(host, sizeof(host), "203.0.113.%d", i);
		to_outside(IPPROTO_UDP, ENDS(INSIDE, 6000, host, 7000),
			   ENDS(ALIAS, port, host, 7000));
		from_outside(IPPROTO_UDP, ENDS(host, 7000, ALIAS, port),
			     ENDS(host, 7000, INSIDE, 6000));
		to_outside(IPPROTO_UDP, ENDS(INSIDE, 4000, host, 53), ENDS(ALIAS, 4000, host, 53));
	}
	lab.now += 31; /* no longer than media need that come from elsewhere */
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 6000, "203.0.113.24", 7000),
		   ENDS(ALIAS, 6000, "203.0.113.24", 7000));
	to_outside(IPPROTO_UDP, ENDS(INSIDE, 6000, "203.0.113.25", 7000),
		   ENDS(ALIAS, 6000, "203.0.113.25", 7000));
	to_outside(IPPROTO_UDP, ENDS("203.0.113.1", 6000, "203.0.113.26", 7000),
		   ENDS("203.0.113.1", 6000, "203.0.113.26", 7000)); /* is not masqueraded */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		one_worker(a_net_is_masqueraded),
		four_workers(a_net_is_masqueraded),
		four_workers(two_hosts_with_one_port_get_two),
		one_worker(nobody_gets_a_port_of_the_machines_own_connections),
		one_worker(the_longest_prefix_and_the_given_address_count),
		one_worker(what_stays_in_the_net_keeps_its_address),
		four_workers(who_is_called_by_his_own_address_answers_with_it),
		one_worker(a_forwarded_range_leaves_others_their_ports),
		four_workers(a_forwarded_range_leaves_others_their_ports),
		one_worker(time_outs_are_set),
		four_workers(a_new_address_is_what_the_next_connection_gets),
		one_worker(a_trigger_opens_to_the_contacted_host_for_15_seconds),
		four_workers(a_trigger_opens_to_the_contacted_host_for_15_seconds),
		one_worker(the_last_host_has_the_range),
		one_worker(an_insecure_trigger_opens_to_everybody),
		four_workers(an_insecure_trigger_opens_to_everybody),
		one_worker(only_who_is_masqueraded_and_began_opens_something),
		one_worker(a_helper_watches_its_ports_only),
		one_worker(a_flow_follows_the_helpers_that_there_are),
		one_worker(media_leave_from_the_port_that_was_announced),
		four_workers(media_leave_from_the_port_that_was_announced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
