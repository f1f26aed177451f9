/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode bits, the target address, and what a change of address does. */
#include "net.h"

static void set(struct net *net, unsigned int mode)
{
	LibAliasSetMode(net->la, mode, mode);
}

static void the_initial_mode_is_the_manuals(void **state)
{
	struct net *net = *state;
	unsigned int initial =
		PKT_ALIAS_SAME_PORTS | PKT_ALIAS_USE_SOCKETS | PKT_ALIAS_RESET_ON_ADDR_CHANGE;

	LibAliasInit(net->la);
	assert_int_equal(LibAliasSetMode(net->la, 0, 0), initial);
	assert_int_equal(LibAliasSetMode(net->la, ~0u, PKT_ALIAS_DENY_INCOMING), initial);
	assert_int_equal(LibAliasSetMode(net->la, 0, 0), initial | PKT_ALIAS_DENY_INCOMING);
}

static void init_again_returns_to_the_initial_state(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	LibAliasRedirectAddr(net->la, addr(INSIDE), addr(ALIAS));
	deny_incoming(net);
	LibAliasProxyRule(net->la, "server 192.0.2.1");
	assert_ptr_equal(LibAliasInit(net->la), net->la);
	assert_int_equal(links(net), 0);
	assert_int_equal(LibAliasSetMode(net->la, 0, 0) & PKT_ALIAS_DENY_INCOMING, 0);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, INSIDE, 4000, REMOTE, 53);
}

static void deny_incoming_ignores_what_nobody_asked_for(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	deny_incoming(net);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 54, ALIAS, 4000)), PKT_ALIAS_IGNORED);
	assert_ends(net->packet, REMOTE, 54, ALIAS, 4000);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 54, ALIAS, 80), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
}

static void unknown_incoming_packets_go_to_the_target(void **state)
{
	struct net *net = *state;

	assert_int_equal(tcp_in(net, ENDS(REMOTE, 1, ALIAS, 80), TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 1, ALIAS, 80);
	tcp_in(net, ENDS(REMOTE, 1, "198.51.100.77", 80), TH_SYN);
	assert_ends(net->packet, REMOTE, 1, "198.51.100.77", 80);
	LibAliasSetTarget(net->la, addr("255.255.255.255"));
	tcp_in(net, ENDS(REMOTE, 2, "198.51.100.77", 80), TH_SYN);
	assert_ends(net->packet, REMOTE, 2, ALIAS, 80);
	LibAliasSetTarget(net->la, addr(OTHER));
	tcp_in(net, ENDS(REMOTE, 3, ALIAS, 80), TH_SYN);
	assert_ends(net->packet, REMOTE, 3, OTHER, 80);
	tcp_out(net, ENDS(OTHER, 80, REMOTE, 3), TH_SYN | TH_ACK);
	assert_ends(net->packet, ALIAS, 80, REMOTE, 3);
	LibAliasSetTarget(net->la, addr("0.0.0.0"));
	tcp_in(net, ENDS(REMOTE, 4, ALIAS, 80), TH_SYN);
	assert_ends(net->packet, REMOTE, 4, ALIAS, 80);
}

static void unregistered_only_leaves_public_sources(void **state)
{
	static const struct {
		const char *src;
		bool only, cgn;
	} cases[] = {
		{"10.255.0.1", true, true},    {"172.16.0.1", true, true},
		{"172.31.255.1", true, true},  {"172.32.0.1", false, false},
		{"192.168.9.9", true, true},   {"192.169.0.1", false, false},
		{"100.64.0.1", false, true},   {"100.127.255.1", false, true},
		{"100.128.0.1", false, false}, {"9.255.255.255", false, false},
	};
	struct net *net = *state;

	for (int mode = 0; mode < 2; mode++) {
		LibAliasReset(net->la);
		LibAliasSetMode(net->la,
				mode ? PKT_ALIAS_UNREGISTERED_CGN : PKT_ALIAS_UNREGISTERED_ONLY,
				PKT_ALIAS_UNREGISTERED_CGN | PKT_ALIAS_UNREGISTERED_ONLY);
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			bool aliased = mode ? cases[i].cgn : cases[i].only;
			uint16_t port = (uint16_t)(4000 + i);

			assert_int_equal(udp_out(net, ENDS(cases[i].src, port, REMOTE, 53)),
					 PKT_ALIAS_OK);
			assert_ends(net->packet, aliased ? ALIAS : cases[i].src, port, REMOTE, 53);
		}
	}
}

static void answers_to_public_sources_come_back_unchanged(void **state)
{
	struct net *net = *state;

	set(net, PKT_ALIAS_UNREGISTERED_ONLY | PKT_ALIAS_DENY_INCOMING);
	udp_out(net, ENDS("198.51.100.77", 4000, REMOTE, 53));
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, "198.51.100.77", 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 53, "198.51.100.77", 4000);
}

static void reverse_exchanges_in_and_out(void **state)
{
	struct net *net = *state;

	set(net, PKT_ALIAS_REVERSE);
	assert_int_equal(udp_in(net, ENDS(INSIDE, 4000, REMOTE, 53)), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 53);
	assert_int_equal(udp_out(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
}

static void a_new_address_clears_dynamic_links_and_only_a_new_one(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	LibAliasSetAddress(net->la, addr(ALIAS));
	assert_int_equal(links(net), 1);
	LibAliasSetAddress(net->la, addr("198.51.100.2"));
	assert_int_equal(links(net), 0);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, "198.51.100.2", 4000, REMOTE, 53);
}

static void without_reset_links_keep_their_address(void **state)
{
	struct net *net = *state;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_RESET_ON_ADDR_CHANGE);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	LibAliasSetAddress(net->la, addr("198.51.100.2"));
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 53);
	udp_out(net, ENDS(INSIDE, 4001, REMOTE, 53));
	assert_ends(net->packet, "198.51.100.2", 4001, REMOTE, 53);
}

static void eim_gives_one_mapping_to_all_remotes(void **state)
{
	struct net *net = *state;
	uint16_t port;

	LibAliasSetMode(net->la, PKT_ALIAS_UDP_EIM | PKT_ALIAS_DENY_INCOMING,
			PKT_ALIAS_UDP_EIM | PKT_ALIAS_DENY_INCOMING | PKT_ALIAS_SAME_PORTS);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	port = source_port(net->packet);
	udp_out(net, ENDS(INSIDE, 4000, "203.0.113.8", 99));
	assert_ends(net->packet, ALIAS, port, "203.0.113.8", 99);
	assert_int_equal(links(net), 1);
	assert_int_equal(udp_in(net, ENDS("203.0.113.99", 1234, ALIAS, port)), PKT_ALIAS_OK);
	assert_ends(net->packet, "203.0.113.99", 1234, INSIDE, 4000);
}

static void eim_mappings_of_two_hosts_never_share_a_port(void **state)
{
	struct net *net = *state;

	set(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(source_port(net->packet), 4000);
	udp_out(net, ENDS(OTHER, 4000, "203.0.113.8", 53));
	assert_int_not_equal(source_port(net->packet), 4000);
}

static void links_from_before_eim_live_on(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	set(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(OTHER, 5000, REMOTE, 53));
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
	assert_int_equal(udp_in(net, ENDS("203.0.113.8", 1, ALIAS, 5000)), PKT_ALIAS_OK);
	assert_ends(net->packet, "203.0.113.8", 1, OTHER, 5000);
}

static void an_error_about_an_eim_packet_is_translated(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	set(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	memcpy(sent, net->packet, 33);
	build_error(net->packet, ICMP_DEST_UNREACH, REMOTE, ALIAS, sent, 33);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, OTHER, 4000, REMOTE, 53);
	assert_true(sums_right(net->packet + 28));
}

static void the_log_tells_the_numbers_of_links(void **state)
{
	struct net *net = *state;
	char path[] = "/tmp/alias-log-XXXXXX", line[256];
	FILE *file;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	LibAliasSetLogFile(net->la, path);
	set(net, PKT_ALIAS_LOG);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	LibAliasSetMode(net->la, 0, PKT_ALIAS_LOG);
	tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 53), TH_SYN);
	file = fdopen(fd, "r");
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(strstr(line, "icmp=0, udp=1, tcp=0"));
	assert_non_null(strstr(line, "tot=1"));
	assert_null(fgets(line, sizeof(line), file));
	fclose(file);
	remove(path);
}

static struct alias_hole holes[4];
static int opened, closed, cleared;

static int hole_open(void *arg, const struct alias_hole *hole)
{
	assert_ptr_equal(arg, &opened);
	holes[opened++ % 4] = *hole;
	return 0;
}

static void hole_close(void *arg, const struct alias_hole *hole)
{
	(void)arg;
	assert_int_equal(hole->number, holes[0].number);
	closed++;
}

static void holes_clear(void *arg, unsigned int base, unsigned int num)
{
	(void)arg;
	assert_int_equal(base, 1000);
	assert_int_equal(num, 10);
	cleared++;
}

static void a_hole_is_punched_for_an_awaited_connection_and_closed_with_it(void **state)
{
	static const struct alias_firewall ops = {hole_open, hole_close, holes_clear};
	struct net *net = *state;

	opened = closed = cleared = 0;
	LibAliasSetFirewall(net->la, &ops, &opened);
	LibAliasSetFWBase(net->la, 1000, 10);
	assert_int_equal(cleared, 1);
	set(net, PKT_ALIAS_PUNCH_FW);
	assert_int_equal(cleared, 2);
	LibAliasSetHelper(net->la, "ftp", 21, 1);
	tcp_out(net, ENDS(INSIDE, 3000, REMOTE, 21), TH_SYN);
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 21), TH_ACK, 2, 1,
		  "PORT 10,0,0,2,16,1\r\n", 20);
	send_out(net);
	assert_int_equal(opened, 0);
	tcp_in(net, ENDS(REMOTE, 20, ALIAS, 4097), TH_SYN);
	assert_int_equal(opened, 1);
	assert_in_range(holes[0].number, 1000, 1009);
	assert_int_equal(holes[0].local_addr.s_addr, addr(INSIDE).s_addr);
	assert_int_equal(holes[0].local_port, htons(4097));
	assert_int_equal(holes[0].remote_addr.s_addr, addr(REMOTE).s_addr);
	assert_int_equal(holes[0].remote_port, htons(20));
	net->now += 1000;
	LibAliasExpire(net->la, 100);
	assert_int_equal(closed, 1);
}

static void skinny_port_has_both_names(void **state)
{
	struct net *net = *state;

	LibAliasSkinnyPort(net->la, 2000);
	LibAliasSetSkinnyPort(net->la, 2000);
	assert_int_equal(tcp_out(net, ENDS(INSIDE, 3000, REMOTE, 2000), TH_SYN), PKT_ALIAS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(the_initial_mode_is_the_manuals),
		net_test(init_again_returns_to_the_initial_state),
		net_test(deny_incoming_ignores_what_nobody_asked_for),
		net_test(unknown_incoming_packets_go_to_the_target),
		net_test(unregistered_only_leaves_public_sources),
		net_test(answers_to_public_sources_come_back_unchanged),
		net_test(reverse_exchanges_in_and_out),
		net_test(a_new_address_clears_dynamic_links_and_only_a_new_one),
		net_test(without_reset_links_keep_their_address),
		net_test(eim_gives_one_mapping_to_all_remotes),
		net_test(eim_mappings_of_two_hosts_never_share_a_port),
		net_test(links_from_before_eim_live_on),
		net_test(an_error_about_an_eim_packet_is_translated),
		net_test(the_log_tells_the_numbers_of_links),
		net_test(a_hole_is_punched_for_an_awaited_connection_and_closed_with_it),
		net_test(skinny_port_has_both_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
