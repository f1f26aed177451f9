// SPDX-License-Identifier: GPL-2.0-or-later
/* The inside of the user engine: hairpins, proxy rules, fragments. */
#include "user_lab.h"

#define DMZ "10.2.0.2"

static void a_client_in_the_servers_net_is_answered(void **state)
{
	(void)state;
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080");
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, ALIAS, 80),
		    ENDS(OTHER, 5000, INSIDE, 8080));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, INSIDE, 8080),
		    ENDS(GATEWAY, 5000, INSIDE, 8080));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(INSIDE, 8080, GATEWAY, 5000),
		    ENDS(INSIDE, 8080, OTHER, 5000));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(INSIDE, 8080, OTHER, 5000),
		    ENDS(ALIAS, 80, OTHER, 5000));
	/* And on, by the links that there are now. */
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, ALIAS, 80),
		    ENDS(OTHER, 5000, INSIDE, 8080));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, INSIDE, 8080),
		    ENDS(GATEWAY, 5000, INSIDE, 8080));
	assert_int_equal(lab_links(), 2);
}

static void the_server_itself_is_answered(void **state)
{
	(void)state;
	lab_ok("portfw -A -P udp -L 0.0.0.0 80 -R 10.0.0.2 80");
	lab_becomes(USER_FROM_INSIDE, IPPROTO_UDP, ENDS(INSIDE, 5000, ALIAS, 80),
		    ENDS(INSIDE, 5000, INSIDE, 80));
	lab_becomes(USER_TO_INSIDE, IPPROTO_UDP, ENDS(INSIDE, 5000, INSIDE, 80),
		    ENDS(GATEWAY, 5000, INSIDE, 80));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_UDP, ENDS(INSIDE, 80, GATEWAY, 5000),
		    ENDS(INSIDE, 80, INSIDE, 5000));
	lab_becomes(USER_TO_INSIDE, IPPROTO_UDP, ENDS(INSIDE, 80, INSIDE, 5000),
		    ENDS(ALIAS, 80, INSIDE, 5000));
}

static void the_machine_itself_is_answered(void **state)
{
	(void)state;
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80");
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(ALIAS, 5000, ALIAS, 80),
		    ENDS(ALIAS, 5000, INSIDE, 80));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(ALIAS, 5000, INSIDE, 80),
		    ENDS(ALIAS, 5000, INSIDE, 80));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(INSIDE, 80, ALIAS, 5000),
		    ENDS(INSIDE, 80, ALIAS, 5000));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(INSIDE, 80, ALIAS, 5000),
		    ENDS(ALIAS, 80, ALIAS, 5000));
}

static void a_client_of_another_net_keeps_its_address(void **state)
{
	(void)state;
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.2.0.2 80");
	lab.onward = true;
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(INSIDE, 5000, ALIAS, 80),
		    ENDS(INSIDE, 5000, DMZ, 80));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(INSIDE, 5000, DMZ, 80),
		    ENDS(INSIDE, 5000, DMZ, 80));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(DMZ, 80, INSIDE, 5000),
		    ENDS(DMZ, 80, INSIDE, 5000));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(DMZ, 80, INSIDE, 5000),
		    ENDS(ALIAS, 80, INSIDE, 5000));
}

static void what_nobody_redirects_passes(void **state)
{
	(void)state;
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80");
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 1, ALIAS, 22),
		    ENDS(OTHER, 1, ALIAS, 22));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(OTHER, 1, ALIAS, 22),
		    ENDS(OTHER, 1, ALIAS, 22));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 1, INSIDE, 80),
		    ENDS(OTHER, 1, INSIDE, 80));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(OTHER, 1, INSIDE, 80),
		    ENDS(OTHER, 1, INSIDE, 80));
	assert_int_equal(lab_links(), 0);
}

static void a_proxy_inside_gets_what_passes(void **state)
{
	(void)state;
	lab_ok("proxy -A port 80 server 10.0.0.2:3128 proto tcp");
	assert_true(user_hooks(lab.user) & USER_HOOK_INSIDE_ANYWHERE);
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, REMOTE, 80),
		    ENDS(OTHER, 5000, INSIDE, 3128));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, INSIDE, 3128),
		    ENDS(GATEWAY, 5000, INSIDE, 3128));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(INSIDE, 3128, GATEWAY, 5000),
		    ENDS(INSIDE, 3128, OTHER, 5000));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(INSIDE, 3128, OTHER, 5000),
		    ENDS(REMOTE, 80, OTHER, 5000));
	/* Not the server's own requests, other ports, or the machine's own addresses. */
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(INSIDE, 1, REMOTE, 80),
		    ENDS(INSIDE, 1, REMOTE, 80));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 1, REMOTE, 81),
		    ENDS(OTHER, 1, REMOTE, 81));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 1, GATEWAY, 80),
		    ENDS(OTHER, 1, GATEWAY, 80));
}

static void no_icmp_redirect_shows_the_way_around(void **state)
{
	uint8_t quoted[64];

	(void)state;
	lab_ok("proxy -A port 80 server 10.0.0.2 proto tcp");
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, REMOTE, 80),
		    ENDS(OTHER, 5000, INSIDE, 80));
	memcpy(quoted, lab.packet, sizeof(quoted));
	build_error(lab.packet, ICMP_REDIRECT, GATEWAY, OTHER, quoted, 28);
	assert_int_equal(lab_send(USER_TO_INSIDE), USER_DROP);
	build_error(lab.packet, ICMP_UNREACH, INSIDE, OTHER, quoted, 28);
	assert_int_equal(lab_send(USER_TO_INSIDE), USER_CHANGED);
}

static void a_proxy_outside_is_masqueraded_to(void **state)
{
	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("proxy -A port 80 server 192.0.2.80:3128");
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, REMOTE, 80),
		    ENDS(OTHER, 5000, "192.0.2.80", 3128));
	lab_becomes(USER_TO_OUTSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, "192.0.2.80", 3128),
		    ENDS(ALIAS, 5000, "192.0.2.80", 3128));
	lab_becomes(USER_FROM_OUTSIDE, IPPROTO_TCP, ENDS("192.0.2.80", 3128, ALIAS, 5000),
		    ENDS(REMOTE, 80, OTHER, 5000));
}

static void a_proxy_on_the_machine_answers_as_whom_it_stands_for(void **state)
{
	(void)state;
	lab_ok("proxy -A port 80 server 10.0.0.1:3128 proto tcp src 10.0.0.0/24 dst "
	       "203.0.113.0/24");
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, REMOTE, 80),
		    ENDS(OTHER, 5000, GATEWAY, 3128));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, GATEWAY, 3128),
		    ENDS(OTHER, 5000, GATEWAY, 3128));
	lab_becomes(USER_TO_INSIDE, IPPROTO_TCP, ENDS(GATEWAY, 3128, OTHER, 5000),
		    ENDS(REMOTE, 80, OTHER, 5000));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5001, "192.0.2.1", 80),
		    ENDS(OTHER, 5001, "192.0.2.1", 80));
}

static void proxy_rules_go_by_index_then_the_newest(void **state)
{
	(void)state;
	lab_ok("proxy -A server 10.0.0.50 rule 5");
	lab_ok("proxy -A port 80 server 10.0.0.51 rule 5");
	lab_ok("proxy -A port 80 proto tcp server 10.0.0.40 rule 4");
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 1, REMOTE, 80),
		    ENDS(OTHER, 1, "10.0.0.40", 80));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_UDP, ENDS(OTHER, 1, REMOTE, 80),
		    ENDS(OTHER, 1, "10.0.0.51", 80));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_UDP, ENDS(OTHER, 1, REMOTE, 81),
		    ENDS(OTHER, 1, "10.0.0.50", 81));
	lab_ok("proxy -D rule 4");
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 2, REMOTE, 80),
		    ENDS(OTHER, 2, "10.0.0.51", 80));
	lab_lists(
		"proxy -L",
		"5 any any any 80 no_encode 10.0.0.51 0\n5 any any any 0 no_encode 10.0.0.50 0\n");
	lab_ok("proxy -F");
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 3, REMOTE, 80),
		    ENDS(OTHER, 3, REMOTE, 80));
}

static void encode_tcp_stream_tells_the_destination(void **state)
{
	(void)state;
	lab_ok("proxy -A type encode_tcp_stream port 80 server 10.2.0.2:3128");
	lab.onward = true;
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(INSIDE, 5000, REMOTE, 80),
		    ENDS(INSIDE, 5000, DMZ, 3128));
	build_tcp(lab.packet, ENDS(DMZ, 3128, INSIDE, 5000), TH_SYN | TH_ACK, 100, 2, NULL, 0);
	assert_int_equal(lab_send(USER_TO_INSIDE), USER_CHANGED);
	build_tcp(lab.packet, ENDS(INSIDE, 5000, REMOTE, 80), TH_ACK, 2, 101, "GET", 3);
	assert_int_equal(lab_send(USER_FROM_INSIDE), USER_CHANGED);
	assert_string_equal(packet_text(lab.packet), "[DEST 203.0.113.7 80]\nGET");
	lab_lists("proxy -L", "0 any any any 80 encode_tcp_stream 10.2.0.2 3128\n");
}

/* A datagram of 1000 bytes from a client to a forwarded port, and its second half. */
static void build_halves(uint8_t *first, uint8_t *second, uint16_t port)
{
	static uint8_t whole[2048], payload[1000];

	build_udp(whole, ENDS(CLIENT, 4000, ALIAS, port), payload, sizeof(payload));
	cut_fragment(first, whole, 0, 504);
	cut_fragment(second, whole, 504, 504);
}

static void a_fragment_before_its_header_waits_for_it(void **state)
{
	uint8_t first[1024], second[1024];

	(void)state;
	lab_ok("portfw -A -P udp -L 0.0.0.0 53 -R 10.0.0.2 53");
	build_halves(first, second, 53);
	memcpy(lab.packet, second, sizeof(second));
	assert_int_equal(lab_send(USER_FROM_OUTSIDE), USER_HOLD);
	assert_int_equal(lab.n_released, 0);
	memcpy(lab.packet, first, sizeof(first));
	assert_int_equal(lab_send(USER_FROM_OUTSIDE), USER_CHANGED);
	assert_int_equal(lab.n_released, 1);
	assert_memory_equal(lab.released + 16, lab.packet + 16, 4);
	assert_true(sums_right(lab.released));
}

static void fragments_of_what_nobody_wants_pass(void **state)
{
	uint8_t first[1024], second[1024];

	(void)state;
	build_halves(first, second, 99);
	memcpy(lab.packet, second, sizeof(second));
	assert_int_equal(lab_send(USER_FROM_OUTSIDE), USER_HOLD);
	memcpy(lab.packet, first, sizeof(first));
	assert_int_equal(lab_send(USER_FROM_OUTSIDE), USER_KEEP);
	assert_int_equal(lab.n_released, 1);
	assert_memory_equal(lab.released, second, total_length(second));
	memcpy(lab.packet, second, sizeof(second));
	assert_int_equal(lab_send(USER_FROM_OUTSIDE), USER_KEEP);
	assert_memory_equal(lab.packet, second, total_length(second));
}

static void a_fragment_without_header_is_dropped_in_the_end(void **state)
{
	uint8_t first[1024], second[1024];

	(void)state;
	build_halves(first, second, 53);
	memcpy(lab.packet, second, sizeof(second));
	assert_int_equal(lab_send(USER_FROM_OUTSIDE), USER_HOLD);
	lab.now += 31;
	for (unsigned int w = 0; w < 4; w++)
		user_tick(lab.user, w);
	assert_int_equal(lab.n_dropped, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		one_worker(a_client_in_the_servers_net_is_answered),
		four_workers(a_client_in_the_servers_net_is_answered),
		one_worker(the_server_itself_is_answered),
		four_workers(the_server_itself_is_answered),
		one_worker(the_machine_itself_is_answered),
		four_workers(the_machine_itself_is_answered),
		four_workers(a_client_of_another_net_keeps_its_address),
		four_workers(what_nobody_redirects_passes),
		one_worker(a_proxy_inside_gets_what_passes),
		four_workers(a_proxy_inside_gets_what_passes),
		four_workers(no_icmp_redirect_shows_the_way_around),
		one_worker(a_proxy_outside_is_masqueraded_to),
		four_workers(a_proxy_outside_is_masqueraded_to),
		four_workers(a_proxy_on_the_machine_answers_as_whom_it_stands_for),
		four_workers(proxy_rules_go_by_index_then_the_newest),
		one_worker(encode_tcp_stream_tells_the_destination),
		four_workers(a_fragment_before_its_header_waits_for_it),
		one_worker(fragments_of_what_nobody_wants_pass),
		four_workers(a_fragment_without_header_is_dropped_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
