/* SPDX-License-Identifier: BSD-2-Clause */
/* Masquerade rules: which sources get which alias address. */
#include <errno.h>
#include "net.h"

#define DEFAULT "0.0.0.0"
#define SECOND  "198.51.100.2"
#define THIRD   "198.51.100.3"

static int rule(struct net *net, const char *from, int bits, uint8_t proto, const char *alias)
{
	return LibAliasMasquerade(net->la, addr(from), bits, proto, addr(alias));
}

static int no_rule(struct net *net, const char *from, int bits, uint8_t proto)
{
	return LibAliasMasqueradeDelete(net->la, addr(from), bits, proto);
}

static int by_rules(void **state)
{
	struct net *net;

	if (net_setup(state))
		return -1;
	net = *state;
	LibAliasSetMode(net->la, PKT_ALIAS_MASQUERADE_RULES, PKT_ALIAS_MASQUERADE_RULES);
	return 0;
}

/* A new connection from here leaves as from there; as itself: it is left alone. */
static void assert_leaves(struct net *net, const char *from, const char *as)
{
	static uint16_t port = 2000;
	bool alone = !strcmp(from, as);

	port++;
	assert_int_equal(udp_out(net, ENDS(from, port, REMOTE, 53)),
			 alone ? PKT_ALIAS_IGNORED : PKT_ALIAS_OK);
	assert_ends(net->packet, as, port, REMOTE, 53);
}

static void what_no_rule_names_is_left_alone(void **state)
{
	struct net *net = *state;

	assert_leaves(net, INSIDE, INSIDE);
	assert_int_equal(links(net), 0);
	rule(net, "10.1.0.0", 16, 0, DEFAULT);
	assert_leaves(net, INSIDE, INSIDE);
	assert_int_equal(links(net), 0);
	assert_leaves(net, "10.1.2.3", ALIAS);
	assert_int_equal(links(net), 1);
}

static void without_the_mode_rules_do_not_count(void **state)
{
	struct net *net = *state;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_MASQUERADE_RULES);
	rule(net, "10.1.0.0", 16, 0, SECOND);
	assert_leaves(net, "10.1.2.3", ALIAS);
	assert_leaves(net, INSIDE, ALIAS);
}

static void the_longest_prefix_wins_whatever_the_order(void **state)
{
	struct net *net = *state;

	rule(net, "10.0.0.2", 32, 0, THIRD);
	rule(net, "0.0.0.0", 0, 0, DEFAULT);
	rule(net, "10.0.0.0", 8, 0, SECOND);
	assert_leaves(net, "10.0.0.2", THIRD);
	assert_leaves(net, "10.0.0.3", SECOND);
	assert_leaves(net, "192.168.1.1", ALIAS);
}

static void a_rule_for_the_protocol_beats_one_for_all_of_the_same_net(void **state)
{
	struct net *net = *state;

	rule(net, "10.0.0.0", 8, IPPROTO_UDP, SECOND);
	rule(net, "10.0.0.0", 8, 0, DEFAULT);
	rule(net, "10.9.0.0", 16, 0, THIRD);
	rule(net, "10.9.0.0", 16, IPPROTO_TCP, DEFAULT);
	assert_leaves(net, INSIDE, SECOND);
	assert_leaves(net, "10.9.0.1", THIRD);
	tcp_out(net, ENDS(INSIDE, 3000, REMOTE, 80), TH_SYN);
	assert_ends(net->packet, ALIAS, 3000, REMOTE, 80);
}

static void the_default_alias_follows_set_address(void **state)
{
	struct net *net = *state;

	rule(net, "10.0.0.0", 8, 0, DEFAULT);
	assert_leaves(net, INSIDE, ALIAS);
	LibAliasSetAddress(net->la, addr(SECOND));
	assert_leaves(net, INSIDE, SECOND);
}

static void a_rule_is_changed_in_its_place_and_links_go_on(void **state)
{
	struct net *net = *state;

	rule(net, "10.0.0.0", 8, 0, SECOND);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, SECOND, 4000, REMOTE, 53);
	assert_int_equal(rule(net, "10.77.0.1", 8, 0, THIRD), 0);
	assert_leaves(net, INSIDE, THIRD);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, SECOND, 4000, REMOTE, 53);
	assert_int_equal(no_rule(net, "10.0.0.0", 8, 0), 0);
	assert_leaves(net, INSIDE, INSIDE);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_ends(net->packet, SECOND, 4000, REMOTE, 53);
	udp_in(net, ENDS(REMOTE, 53, SECOND, 4000));
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
}

static void deletion_shows_the_rule_below(void **state)
{
	struct net *net = *state;

	rule(net, "10.0.0.0", 8, 0, SECOND);
	rule(net, "10.0.0.0", 24, 0, THIRD);
	assert_leaves(net, INSIDE, THIRD);
	assert_int_equal(no_rule(net, "10.0.0.0", 24, 0), 0);
	assert_leaves(net, INSIDE, SECOND);
}

static void what_is_no_rule_is_refused(void **state)
{
	struct net *net = *state;

	assert_int_equal(rule(net, "10.0.0.0", 33, 0, SECOND), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(rule(net, "10.0.0.0", -1, 0, SECOND), -1);
	assert_int_equal(errno, EINVAL);
	rule(net, "10.0.0.0", 8, 0, SECOND);
	assert_int_equal(no_rule(net, "10.0.0.0", 8, IPPROTO_TCP), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(no_rule(net, "10.0.0.0", 9, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(no_rule(net, "10.0.0.0", 64, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void redirects_and_proxy_rules_need_no_rule(void **state)
{
	struct net *net = *state;

	LibAliasRedirectAddr(net->la, addr(OTHER), addr(THIRD));
	LibAliasProxyRule(net->la, "port 80 server 192.0.2.9:3128");
	tcp_out(net, ENDS(OTHER, 3000, REMOTE, 443), TH_SYN);
	assert_ends(net->packet, THIRD, 3000, REMOTE, 443);
	tcp_out(net, ENDS(INSIDE, 3000, REMOTE, 80), TH_SYN);
	assert_ends(net->packet, INSIDE, 3000, "192.0.2.9", 3128);
	rule(net, "10.0.0.0", 8, 0, SECOND);
	tcp_out(net, ENDS(INSIDE, 3001, REMOTE, 80), TH_SYN);
	assert_ends(net->packet, SECOND, 3001, "192.0.2.9", 3128);
	tcp_out(net, ENDS(OTHER, 3001, REMOTE, 80), TH_SYN);
	assert_ends(net->packet, THIRD, 3001, "192.0.2.9", 3128);
}

static void the_machines_own_address_can_be_a_source(void **state)
{
	struct net *net = *state;

	rule(net, "0.0.0.0", 0, 0, SECOND);
	rule(net, ALIAS, 32, 0, ALIAS);
	assert_int_equal(udp_out(net, ENDS(ALIAS, 3000, REMOTE, 53)), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 3000, REMOTE, 53);
	assert_int_equal(links(net), 1);
}

static void rules_beat_unregistered_only(void **state)
{
	struct net *net = *state;

	LibAliasSetMode(net->la, PKT_ALIAS_UNREGISTERED_ONLY, PKT_ALIAS_UNREGISTERED_ONLY);
	rule(net, "192.0.2.0", 24, 0, SECOND);
	assert_leaves(net, "192.0.2.77", SECOND);
	assert_leaves(net, INSIDE, INSIDE);
}

static uint32_t source(const struct net *net)
{
	uint32_t value;

	memcpy(&value, net->packet + 12, sizeof(value));
	return value;
}

static void a_late_fragment_goes_by_the_rule_too(void **state)
{
	struct net *net = *state;
	uint8_t whole[65536];
	char payload[64] = "";

	build_udp(whole, ENDS(INSIDE, 3000, REMOTE, 53), payload, sizeof(payload));
	cut_fragment(net->packet, whole, 32, 40);
	assert_int_equal(LibAliasOut(net->la, net->packet, sizeof(net->packet)), PKT_ALIAS_IGNORED);
	assert_int_equal(source(net), addr(INSIDE).s_addr);
	rule(net, "10.0.0.0", 8, 0, SECOND);
	assert_int_equal(LibAliasOut(net->la, net->packet, sizeof(net->packet)), PKT_ALIAS_OK);
	assert_int_equal(source(net), addr(SECOND).s_addr);
}

static void thousands_of_rules_each_keep_their_alias(void **state)
{
	struct net *net = *state;
	char from[32], alias[32];

	for (unsigned int i = 0; i < 4000; i++) {
		unsigned int k = i * 7 % 4000;

		snprintf(from, sizeof(from), "10.%u.%u.0", k / 250, k % 250);
		snprintf(alias, sizeof(alias), "192.0.%u.%u", 2 + k / 250, k % 250 + 1);
		assert_int_equal(rule(net, from, 24, k % 2 ? IPPROTO_UDP : 0, alias), 0);
	}
	for (unsigned int k = 0; k < 4000; k += 3)
		if (k % 5 == 0) {
			snprintf(from, sizeof(from), "10.%u.%u.0", k / 250, k % 250);
			assert_int_equal(no_rule(net, from, 24, k % 2 ? IPPROTO_UDP : 0), 0);
		}
	for (unsigned int k = 0; k < 4000; k++) {
		snprintf(from, sizeof(from), "10.%u.%u.9", k / 250, k % 250);
		snprintf(alias, sizeof(alias), "192.0.%u.%u", 2 + k / 250, k % 250 + 1);
		assert_leaves(net, from, k % 15 ? alias : from);
	}
}

#define rules_test(f) cmocka_unit_test_setup_teardown(f, by_rules, net_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		rules_test(what_no_rule_names_is_left_alone),
		rules_test(without_the_mode_rules_do_not_count),
		rules_test(the_longest_prefix_wins_whatever_the_order),
		rules_test(a_rule_for_the_protocol_beats_one_for_all_of_the_same_net),
		rules_test(the_default_alias_follows_set_address),
		rules_test(a_rule_is_changed_in_its_place_and_links_go_on),
		rules_test(deletion_shows_the_rule_below),
		rules_test(what_is_no_rule_is_refused),
		rules_test(redirects_and_proxy_rules_need_no_rule),
		rules_test(the_machines_own_address_can_be_a_source),
		rules_test(rules_beat_unregistered_only),
		rules_test(a_late_fragment_goes_by_the_rule_too),
		rules_test(thousands_of_rules_each_keep_their_alias),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
