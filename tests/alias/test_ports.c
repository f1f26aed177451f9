/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing alias ports. */
#include "net.h"

static void without_same_ports_the_port_is_random(void **state)
{
	struct net *net = *state;
	int kept = 0;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	for (uint16_t port = 4000; port < 4032; port++) {
		udp_out(net, ENDS(INSIDE, port, REMOTE, 53));
		assert_in_range(source_port(net->packet), 1024, 65535);
		kept += source_port(net->packet) == port;
	}
	assert_in_range(kept, 0, 4);
}

static void the_port_range_is_kept_to(void **state)
{
	struct net *net = *state;
	bool seen[10] = {false};

	LibAliasSetAliasPortRange(net->la, 5000, 5009);
	for (uint16_t port = 4000; port < 4010; port++) {
		assert_int_equal(udp_out(net, ENDS(INSIDE, port, REMOTE, 53)), PKT_ALIAS_OK);
		assert_in_range(source_port(net->packet), 5000, 5009);
		assert_false(seen[source_port(net->packet) - 5000]);
		seen[source_port(net->packet) - 5000] = true;
	}
}

static void an_exhausted_range_refuses_the_packet_and_takes_nobodys_link(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;

	LibAliasSetAliasPortRange(net->la, 5000, 5009);
	for (uint16_t port = 4000; port < 4010; port++)
		udp_out(net, ENDS(INSIDE, port, REMOTE, 53));
	assert_int_equal(udp_out(net, ENDS(OTHER, 4000, REMOTE, 53)), PKT_ALIAS_ERROR);
	assert_ends(net->packet, OTHER, 4000, REMOTE, 53);
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.refused_ports, 1);
	assert_int_equal(stats.links, 10);
	for (uint16_t port = 5000; port < 5010; port++) {
		udp_in(net, ENDS(REMOTE, 53, ALIAS, port));
		assert_int_equal(
			memcmp(net->packet + 16, &(struct in_addr){addr(INSIDE).s_addr}, 4), 0);
	}
}

static void another_remote_port_has_the_whole_range_again(void **state)
{
	struct net *net = *state;

	LibAliasSetAliasPortRange(net->la, 5000, 5009);
	for (uint16_t port = 4000; port < 4011; port++)
		udp_out(net, ENDS(INSIDE, port, REMOTE, 53));
	for (uint16_t port = 4000; port < 4010; port++)
		assert_int_equal(udp_out(net, ENDS(INSIDE, port, REMOTE, 54)), PKT_ALIAS_OK);
}

static void a_port_that_became_free_is_used_again(void **state)
{
	struct net *net = *state;

	LibAliasSetAliasPortRange(net->la, 5000, 5009);
	for (uint16_t port = 4000; port < 4011; port++)
		udp_out(net, ENDS(INSIDE, port, REMOTE, 53));
	net->now += 200;
	for (uint16_t port = 4001; port < 4010; port++)
		udp_out(net, ENDS(INSIDE, port, REMOTE, 53));
	assert_int_equal(udp_out(net, ENDS(OTHER, 4000, REMOTE, 53)), PKT_ALIAS_ERROR);
	net->now += 200; /* the first is over, the others are not */
	assert_int_equal(udp_out(net, ENDS(OTHER, 4000, REMOTE, 53)), PKT_ALIAS_OK);
	assert_in_range(source_port(net->packet), 5000, 5009);
	assert_int_equal(udp_out(net, ENDS(OTHER, 4001, REMOTE, 53)), PKT_ALIAS_ERROR);
}

static void sixty_thousand_links_fit_to_one_remote_endpoint(void **state)
{
	struct net *net = *state;
	static uint8_t seen[65536];
	char inside[32];

	memset(seen, 0, sizeof(seen));
	LibAliasSetAliasPortRange(net->la, 5536, 65535);
	for (uint32_t i = 0; i < 60000; i++) {
		snprintf(inside, sizeof(inside), "10.1.%u.%u", i / 200 / 250, i / 200 % 250 + 1);
		assert_int_equal(udp_out(net, ENDS(inside, (uint16_t)(6000 + i % 200), REMOTE, 53)),
				 PKT_ALIAS_OK);
		assert_int_equal(seen[source_port(net->packet)]++, 0);
	}
	assert_int_equal(udp_out(net, ENDS(OTHER, 4000, REMOTE, 53)), PKT_ALIAS_ERROR);
	assert_int_equal(links(net), 60000);
}

static void a_dynamic_link_keeps_off_the_port_of_a_redirect(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(OTHER), htons(80), addr("0.0.0.0"), 0, addr("0.0.0.0"),
			     htons(4000), IPPROTO_TCP);
	tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN);
	assert_int_not_equal(source_port(net->packet), 4000);
}

static void redirects_that_come_and_go_are_heeded_when_ports_are_scarce(void **state)
{
	struct net *net = *state;
	struct alias_link *link;

	LibAliasSetAliasPortRange(net->la, 5000, 5009);
	for (uint16_t port = 4000; port < 4008; port++)
		udp_out(net, ENDS(INSIDE, port, REMOTE, 53));
	/* Of the two that are left, the redirects take one or both. */
	for (uint16_t port = 5000; port < 5010; port++) {
		deny_incoming(net);
		if (udp_in(net, ENDS(REMOTE, 53, ALIAS, port)) == PKT_ALIAS_OK)
			continue;
		link = LibAliasRedirectPort(net->la, addr(OTHER), htons(80), addr("0.0.0.0"), 0,
					    addr("0.0.0.0"), htons(port), IPPROTO_UDP);
		assert_int_equal(udp_out(net, ENDS(INSIDE, port, REMOTE, 53)), PKT_ALIAS_OK);
		assert_int_not_equal(source_port(net->packet), port);
		assert_int_equal(udp_out(net, ENDS(OTHER, 4000, REMOTE, 53)), PKT_ALIAS_ERROR);
		LibAliasRedirectDelete(net->la, link);
		assert_int_equal(udp_out(net, ENDS(OTHER, 4000, REMOTE, 53)), PKT_ALIAS_OK);
		assert_int_equal(source_port(net->packet), port);
		return;
	}
	fail();
}

static void two_slices_of_the_range_do_not_overlap(void **state)
{
	struct net *net = *state;
	struct libalias *second = LibAliasInit(NULL);

	LibAliasSetAddress(second, addr(ALIAS));
	LibAliasSetAliasPortRange(net->la, 1024, 30000);
	LibAliasSetAliasPortRange(second, 30001, 65535);
	udp_out(net, ENDS(INSIDE, 40000, REMOTE, 53));
	assert_in_range(source_port(net->packet), 1024, 30000);
	build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	LibAliasOut(second, net->packet, sizeof(net->packet));
	assert_in_range(source_port(net->packet), 30001, 65535);
	LibAliasUninit(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(without_same_ports_the_port_is_random),
		net_test(the_port_range_is_kept_to),
		net_test(an_exhausted_range_refuses_the_packet_and_takes_nobodys_link),
		net_test(another_remote_port_has_the_whole_range_again),
		net_test(a_port_that_became_free_is_used_again),
		net_test(sixty_thousand_links_fit_to_one_remote_endpoint),
		net_test(a_dynamic_link_keeps_off_the_port_of_a_redirect),
		net_test(redirects_that_come_and_go_are_heeded_when_ports_are_scarce),
		net_test(two_slices_of_the_range_do_not_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
