/* SPDX-License-Identifier: BSD-2-Clause */
/* The PacketAlias* interface: one global instance, the manual of 1997. */
#include "net.h"

static uint8_t packet[2048];

static int setup(void **state)
{
	(void)state;
	PacketAliasInit();
	PacketAliasSetAddress(addr(ALIAS));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	PacketAliasUninit();
	return 0;
}

static void packets_go_out_and_in(void **state)
{
	(void)state;
	build_udp(packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	assert_int_equal(PacketAliasOut((char *)packet, sizeof(packet)), PKT_ALIAS_OK);
	assert_ends(packet, ALIAS, 4000, REMOTE, 53);
	assert_int_not_equal(PacketAliasCheckNewLink(), 0);
	assert_int_equal(PacketUnaliasOut((char *)packet, sizeof(packet)), PKT_ALIAS_OK);
	assert_ends(packet, INSIDE, 4000, REMOTE, 53);
	build_udp(packet, ENDS(REMOTE, 53, ALIAS, 4000), "x", 1);
	assert_int_equal(PacketAliasIn((char *)packet, sizeof(packet)), PKT_ALIAS_OK);
	assert_ends(packet, REMOTE, 53, INSIDE, 4000);
}

static void a_target_of_zero_is_the_aliasing_address(void **state)
{
	(void)state;
	build_udp(packet, ENDS(REMOTE, 53, "198.51.100.77", 4000), "x", 1);
	PacketAliasIn(packet, sizeof(packet));
	assert_ends(packet, REMOTE, 53, ALIAS, 4000);
	PacketAliasSetTarget(addr(OTHER));
	build_udp(packet, ENDS(REMOTE, 54, "198.51.100.77", 4000), "x", 1);
	PacketAliasIn(packet, sizeof(packet));
	assert_ends(packet, REMOTE, 54, OTHER, 4000);
	PacketAliasSetTarget(addr("0.0.0.0"));
	build_udp(packet, ENDS(REMOTE, 55, "198.51.100.77", 4000), "x", 1);
	PacketAliasIn(packet, sizeof(packet));
	assert_ends(packet, REMOTE, 55, ALIAS, 4000);
}

static void redirects_servers_and_rules_work(void **state)
{
	struct in_addr any = {0};
	struct alias_link *link;

	(void)state;
	link = PacketAliasRedirectPort(any, 0, any, 0, any, htons(80), IPPROTO_TCP);
	assert_non_null(link);
	assert_int_equal(PacketAliasAddServer(link, addr("10.0.0.9"), htons(8080)), 0);
	build_tcp(packet, ENDS(REMOTE, 1, ALIAS, 80), TH_SYN, 1, 0, NULL, 0);
	PacketAliasIn(packet, sizeof(packet));
	assert_ends(packet, REMOTE, 1, "10.0.0.9", 8080);
	assert_int_equal(PacketAliasRedirectDynamic(link), -1);
	PacketAliasRedirectDelete(link);
	assert_non_null(PacketAliasRedirectAddr(addr(INSIDE), addr("198.51.100.9")));
	assert_non_null(PacketAliasRedirectProto(addr(INSIDE), any, any, 50));
	assert_int_equal(PacketAliasProxyRule("port 80 server 192.0.2.9"), 0);
	assert_int_equal(PacketAliasProxyRule("nonsense"), -1);
}

static void reset_clears_dynamic_links(void **state)
{
	(void)state;
	PacketAliasSetMode(PKT_ALIAS_DENY_INCOMING, PKT_ALIAS_DENY_INCOMING);
	build_udp(packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	assert_int_equal(PacketAliasOutTry(packet, sizeof(packet), 1), PKT_ALIAS_OK);
	PacketAliasReset();
	build_udp(packet, ENDS(REMOTE, 53, ALIAS, 4000), "x", 1);
	assert_int_equal(PacketAliasIn(packet, sizeof(packet)), PKT_ALIAS_IGNORED);
}

static void fragments_are_saved_and_fetched(void **state)
{
	uint8_t whole[256], *fragment = malloc(64);

	(void)state;
	build_udp(whole, ENDS(REMOTE, 53, ALIAS, 4000), "0123456789012345678901234567890123456789",
		  40);
	cut_fragment(fragment, whole, 24, 24);
	assert_int_equal(PacketAliasIn(fragment, 44), PKT_ALIAS_UNRESOLVED_FRAGMENT);
	assert_int_equal(PacketAliasSaveFragment(fragment), PKT_ALIAS_OK);
	cut_fragment(packet, whole, 0, 24);
	assert_int_equal(PacketAliasIn(packet, sizeof(packet)), PKT_ALIAS_FOUND_HEADER_FRAGMENT);
	assert_ptr_equal(PacketAliasGetFragment(packet), fragment);
	PacketAliasFragmentIn(packet, fragment);
	free(fragment);
}

static void the_rest_has_its_namesakes(void **state)
{
	uint16_t words[2] = {htons(0x1234), htons(0xedcb)};

	(void)state;
	PacketAliasSetAliasPortRange(5000, 5001);
	PacketAliasSetFWBase(100, 10);
	PacketAliasSkinnyPort(2000);
	PacketAliasSetSkinnyPort(2000);
	assert_int_equal(PacketAliasInternetChecksum(words, 4), 0);
	build_udp(packet, ENDS(INSIDE, 4000, REMOTE, 53), "x", 1);
	PacketAliasOut(packet, sizeof(packet));
	assert_in_range(source_port(packet), 5000, 5001);
}

#define compat_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		compat_test(packets_go_out_and_in),
		compat_test(a_target_of_zero_is_the_aliasing_address),
		compat_test(redirects_servers_and_rules_work),
		compat_test(reset_clears_dynamic_links),
		compat_test(fragments_are_saved_and_fetched),
		compat_test(the_rest_has_its_namesakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
