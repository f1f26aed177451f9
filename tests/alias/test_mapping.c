/* SPDX-License-Identifier: BSD-2-Clause */
/* Endpoint-independent UDP mappings beside exact UDP links: they share no alias port. */
#include "net.h"

#define REMOTE2 "203.0.113.8"
#define ANY     "0.0.0.0"
#define EIM     PKT_ALIAS_UDP_EIM

static void eim(struct net *net)
{
	LibAliasSetMode(net->la, EIM, EIM);
}

static uint16_t mapping_of(struct net *net, struct ends ends)
{
	assert_int_equal(udp_out(net, ends), PKT_ALIAS_OK);
	return source_port(net->packet);
}

/* Fails if a mapping and an exact link have one alias port; returns the mappings. */
static uint32_t assert_separate(struct net *net)
{
	static uint8_t exact[65536], any[65536];
	struct alias_link_info info;
	unsigned int cursor = 0;
	uint32_t mappings = 0;

	memset(exact, 0, sizeof(exact));
	memset(any, 0, sizeof(any));
	while (LibAliasNextLink(net->la, &cursor, &info)) {
		assert_int_equal(info.proto, IPPROTO_UDP);
		if (info.remote_addr.s_addr) {
			exact[info.alias_port] = 1;
		} else {
			any[info.alias_port]++;
			mappings++;
		}
		assert_true(any[info.alias_port] + exact[info.alias_port] < 2);
	}
	return mappings;
}

static void a_mapping_leaves_the_port_of_an_incoming_link(void **state)
{
	struct net *net = *state;
	uint16_t port;

	eim(net);
	LibAliasSetTarget(net->la, addr(OTHER));
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE, 53, OTHER, 4000);
	port = mapping_of(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_not_equal(port, 4000);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, port));
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE, 53, OTHER, 4000);
}

static void a_mapping_leaves_the_ports_of_links_older_than_the_mode(void **state)
{
	struct net *net = *state;
	uint16_t port;

	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	udp_out(net, ENDS(OTHER, 4001, REMOTE, 53));
	eim(net);
	port = mapping_of(net, ENDS(INSIDE, 4000, REMOTE2, 53));
	assert_int_not_equal(port, 4000);
	assert_int_equal(mapping_of(net, ENDS(INSIDE, 4000, REMOTE, 53)), port);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, port));
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE, 53, OTHER, 4000);
}

static void exact_links_leave_the_ports_of_mappings_when_the_mode_is_off_again(void **state)
{
	struct net *net = *state;
	uint16_t port;

	eim(net);
	assert_int_equal(mapping_of(net, ENDS(INSIDE, 4000, REMOTE, 53)), 4000);
	LibAliasSetMode(net->la, 0, EIM);
	port = mapping_of(net, ENDS(OTHER, 4000, REMOTE2, 53));
	assert_int_not_equal(port, 4000);
	eim(net);
	assert_int_not_equal(mapping_of(net, ENDS("10.0.0.4", port, REMOTE, 53)), port);
	assert_separate(net);
}

static void a_proxied_link_leaves_the_port_of_a_mapping(void **state)
{
	struct net *net = *state;
	uint16_t port;

	eim(net);
	assert_int_equal(mapping_of(net, ENDS(INSIDE, 4000, REMOTE, 53)), 4000);
	LibAliasProxyRule(net->la, "type no_encode port 99 server 203.0.113.8:53 proto udp");
	port = mapping_of(net, ENDS(OTHER, 4000, REMOTE, 99));
	assert_int_not_equal(port, 4000);
	assert_ends(net->packet, ALIAS, port, REMOTE2, 53);
	udp_in(net, ENDS(REMOTE2, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE2, 53, INSIDE, 4000);
}

static void a_redirect_gets_its_port_when_the_mapping_on_it_has_ended(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;

	eim(net);
	assert_int_equal(mapping_of(net, ENDS(INSIDE, 5003, REMOTE, 53)), 5003);
	LibAliasRedirectPort(net->la, addr(OTHER), htons(4000), addr(ANY), 0, addr(ANY),
			     htons(5003), IPPROTO_UDP);
	assert_int_equal(udp_out(net, ENDS(OTHER, 4000, REMOTE, 53)), PKT_ALIAS_ERROR);
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.refused_taken, 1);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 5003));
	assert_ends(net->packet, REMOTE, 53, INSIDE, 5003);
	net->now += 301;
	assert_int_equal(mapping_of(net, ENDS(OTHER, 4000, REMOTE, 53)), 5003);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 5003));
	assert_ends(net->packet, REMOTE, 53, OTHER, 4000);
}

static void a_mapping_leaves_the_ports_that_one_remotes_redirect_waits_on(void **state)
{
	struct net *net = *state;
	struct alias_link *link;

	eim(net);
	link = LibAliasRedirectPort(net->la, addr(OTHER), htons(53), addr(REMOTE), 0, addr(ANY),
				    htons(4000), IPPROTO_UDP);
	assert_int_not_equal(mapping_of(net, ENDS(INSIDE, 4000, REMOTE2, 53)), 4000);
	udp_in(net, ENDS(REMOTE, 9, ALIAS, 4000));
	assert_ends(net->packet, REMOTE, 9, OTHER, 53);
	LibAliasReset(net->la);
	LibAliasRedirectDelete(net->la, link);
	assert_int_equal(mapping_of(net, ENDS(INSIDE, 4000, REMOTE2, 53)), 4000);
	LibAliasReset(net->la);
	assert_non_null(LibAliasRedirectPortRange(net->la, addr(OTHER), 0, addr(REMOTE), addr(ANY),
						  htons(4000), htons(4010), IPPROTO_UDP));
	assert_int_equal(mapping_of(net, ENDS(INSIDE, 4011, REMOTE2, 53)), 4011);
	for (uint16_t port = 4000; port <= 4010; port++)
		assert_int_not_equal(mapping_of(net, ENDS(INSIDE, port, REMOTE2, 53)), port);
}

static void a_port_is_free_for_a_mapping_when_its_last_exact_link_has_ended(void **state)
{
	struct net *net = *state;

	eim(net);
	LibAliasSetTarget(net->la, addr(OTHER));
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	net->now += 200;
	udp_in(net, ENDS(REMOTE2, 53, ALIAS, 4000));
	net->now += 200;
	LibAliasExpire(net->la, 1000);
	assert_int_equal(links(net), 1);
	assert_int_not_equal(mapping_of(net, ENDS(INSIDE, 4000, REMOTE, 53)), 4000);
	net->now += 200;
	LibAliasExpire(net->la, 1000);
	assert_int_equal(mapping_of(net, ENDS("10.0.0.4", 4000, REMOTE, 53)), 4000);
}

static void mappings_and_exact_links_use_up_one_range(void **state)
{
	struct net *net = *state;

	LibAliasSetAliasPortRange(net->la, 5000, 5009);
	for (uint16_t port = 4000; port < 4004; port++)
		udp_out(net, ENDS(OTHER, port, REMOTE, 53));
	eim(net);
	for (uint16_t port = 4000; port < 4006; port++)
		mapping_of(net, ENDS(INSIDE, port, REMOTE, 53));
	assert_int_equal(assert_separate(net), 6);
	assert_int_equal(udp_out(net, ENDS(INSIDE, 4006, REMOTE, 53)), PKT_ALIAS_ERROR);
	LibAliasSetMode(net->la, 0, EIM);
	/* Another remote endpoint: the exact links' ports, not the mappings'. */
	for (uint16_t port = 4000; port < 4004; port++)
		mapping_of(net, ENDS(OTHER, port, REMOTE2, 53));
	assert_int_equal(udp_out(net, ENDS(OTHER, 4004, REMOTE2, 53)), PKT_ALIAS_ERROR);
	assert_int_equal(assert_separate(net), 6);
	/* The exact links keep alive, the mappings end: their ports are free for all. */
	net->now += 200;
	for (uint16_t port = 4000; port < 4004; port++)
		udp_out(net, ENDS(OTHER, port, REMOTE2, 53));
	net->now += 200;
	LibAliasExpire(net->la, 1000);
	assert_int_equal(assert_separate(net), 0);
	for (uint16_t port = 4004; port < 4010; port++)
		mapping_of(net, ENDS(OTHER, port, REMOTE2, 53));
	assert_int_equal(udp_out(net, ENDS(OTHER, 4010, REMOTE2, 53)), PKT_ALIAS_ERROR);
}

static void whatever_happens_no_port_is_shared(void **state)
{
	struct net *net = *state;
	uint32_t x = 1, mixed = 0;

	LibAliasSetTarget(net->la, addr(OTHER));
	LibAliasSetAliasPortRange(net->la, 5000, 5039);
	LibAliasProxyRule(net->la, "type no_encode port 99 server 203.0.113.8:53 proto udp");
	for (int i = 0; i < 20000; i++) {
		uint16_t port, remote_port;
		const char *host, *remote;

		x = x * 1664525 + 1013904223;
		port = (uint16_t)(5000 + (x >> 8) % 40);
		host = x >> 14 & 1 ? INSIDE : OTHER;
		remote = x >> 15 & 1 ? REMOTE : REMOTE2;
		remote_port = x >> 16 & 1 ? 99 : 53;
		switch (x >> 24 & 15) {
		case 0:
			LibAliasSetMode(net->la, x >> 20 & 1 ? EIM : 0, EIM);
			break;
		case 1:
			net->now += x >> 20 & 63;
			break;
		case 2:
			if (x >> 16 & 31)
				break;
			LibAliasReset(net->la);
			break;
		case 3:
		case 4:
			udp_in(net, ENDS(remote, remote_port, ALIAS, port));
			break;
		default:
			udp_out(net, ENDS(host, port, remote, remote_port));
			break;
		}
		mixed += assert_separate(net) && assert_separate(net) != links(net);
	}
	assert_true(mixed > 1000);
}

static void nobody_poses_as_any_remote(void **state)
{
	struct net *net = *state;

	eim(net);
	LibAliasSetTarget(net->la, addr(OTHER));
	assert_int_equal(mapping_of(net, ENDS(INSIDE, 4001, REMOTE, 53)), 4001);
	assert_int_equal(udp_in(net, ENDS(ANY, 0, ALIAS, 4000)), PKT_ALIAS_ERROR);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE, 53, OTHER, 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(a_mapping_leaves_the_port_of_an_incoming_link),
		net_test(a_mapping_leaves_the_ports_of_links_older_than_the_mode),
		net_test(exact_links_leave_the_ports_of_mappings_when_the_mode_is_off_again),
		net_test(a_proxied_link_leaves_the_port_of_a_mapping),
		net_test(a_redirect_gets_its_port_when_the_mapping_on_it_has_ended),
		net_test(a_mapping_leaves_the_ports_that_one_remotes_redirect_waits_on),
		net_test(a_port_is_free_for_a_mapping_when_its_last_exact_link_has_ended),
		net_test(mappings_and_exact_links_use_up_one_range),
		net_test(whatever_happens_no_port_is_shared),
		net_test(nobody_poses_as_any_remote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
