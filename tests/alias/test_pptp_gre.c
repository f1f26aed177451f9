/* SPDX-License-Identifier: BSD-2-Clause */
/* PPTP: GRE that belongs to no call, and ICMP errors about GRE. */
#include "pptp.h"

static void gre_of_no_call_goes_by_its_addresses(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	pptp_gre_out(net, INSIDE, 7);
	pptp_gre_out(net, INSIDE, 8);
	assert_int_equal(links(net), 1);
	pptp_gre_in(net, 4000, INSIDE, 4000);
	LibAliasReset(net->la);
	LibAliasRedirectProto(net->la, addr(OTHER), addr("0.0.0.0"), addr(ALIAS), IPPROTO_GRE);
	pptp_gre_in(net, 4000, OTHER, 4000);
	pptp_gre_out(net, OTHER, 7);
	assert_int_equal(links(net), 1);
}

static void gre_of_other_kinds_has_no_number(void **state)
{
	static const uint8_t kinds[][4] = {
		{0x20, 0x00, 0x88, 0x0b}, /* version 0 */
		{0x20, 0x01, 0x08, 0x00}, /* another payload */
		{0x10, 0x01, 0x88, 0x0b}, /* no key */
	};
	struct net *net = *state;
	struct connection c;
	uint16_t number;

	c = pptp_start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	number = pptp_call(net, &c, 5, 7);
	for (size_t i = 0; i < 3; i++) {
		uint8_t before[36];

		pptp_build_gre(net->packet, REMOTE, ALIAS, number);
		memcpy(net->packet + 20, kinds[i], 4);
		memcpy(before, net->packet, 36);
		assert_int_equal(send_in(net), PKT_ALIAS_OK);
		assert_memory_equal(net->packet + 16, before + 16, 20);
	}
	/* Too short for a key: what follows in the buffer is none of it. */
	pptp_build_gre(net->packet, REMOTE, ALIAS, number);
	put16(net->packet + 2, 27);
	fix_ip_sum(net->packet);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_int_equal(get16(net->packet + 26), number);
	pptp_gre_in(net, number, INSIDE, 5);
}

/* About a packet of OTHER's, which is then in sent. */
static void error_about_outgoing_arrives(struct net *net, uint8_t *sent)
{
	pptp_gre_out(net, OTHER, 8);
	memcpy(sent, net->packet, 36);
	build_error(net->packet, ICMP_DEST_UNREACH, "192.0.2.9", ALIAS, sent, 28);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, OTHER, 0, REMOTE, 0);
	assert_int_equal(get16(net->packet + 28 + 26), 8);
}

static void errors_about_gre_reach_the_call(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];
	struct connection a, b;
	uint16_t number;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	a = pptp_start(net, INSIDE, 3000);
	b = pptp_start(net, OTHER, 3000);
	pptp_call(net, &a, 5, 7);
	number = pptp_call(net, &b, 5, 8);
	error_about_outgoing_arrives(net, sent);
	/* And about one that was delivered. */
	pptp_gre_in(net, number, OTHER, 5);
	memcpy(sent, net->packet, 36);
	build_error(net->packet, ICMP_DEST_UNREACH, OTHER, REMOTE, sent, 28);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, REMOTE, 0, ALIAS, 0);
	assert_int_equal(get16(net->packet + 28 + 26), number);
}

static void errors_about_gre_of_no_call_go_by_its_addresses(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	error_about_outgoing_arrives(net, sent);
	memcpy(net->packet, sent, 36);
	assert_int_equal(LibAliasUnaliasOut(net->la, net->packet, sizeof(net->packet)),
			 PKT_ALIAS_OK);
	assert_ends(net->packet, OTHER, 0, REMOTE, 0);
	assert_int_equal(get16(net->packet + 26), 8);
}

static void an_aliased_packet_is_unaliased(void **state)
{
	struct net *net = *state;
	struct connection c = pptp_start(net, OTHER, 3000);

	pptp_call(net, &c, 5, 7);
	pptp_gre_out(net, OTHER, 7);
	assert_int_equal(LibAliasUnaliasOut(net->la, net->packet, sizeof(net->packet)),
			 PKT_ALIAS_OK);
	assert_ends(net->packet, OTHER, 0, REMOTE, 0);
	assert_int_equal(get16(net->packet + 26), 7);
	assert_true(sums_right(net->packet));
}

/* A state file may say anything; a packet without a number must not be given one. */
static void a_wrong_record_makes_no_link_with_a_number_at_one_end_only(void **state)
{
	struct net *net = *state;
	uint8_t records[8][ALIAS_RECORD_MAX], wrong[ALIAS_RECORD_MAX];
	struct alias_link_info info;
	struct connection c;
	int length[8], n = 0;
	unsigned int cursor = 0, refused = 0;

	c = pptp_start(net, INSIDE, 3000);
	pptp_call(net, &c, 5, 7);
	while ((length[n] = LibAliasPackLink(net->la, &cursor, records[n])) > 0)
		n++;
	assert_int_equal(n, 3);
	for (int i = 0; i < n; i++)
		for (int at = 0; at + 1 < length[i]; at++) {
			memcpy(wrong, records[i], sizeof(wrong));
			wrong[at] = wrong[at + 1] = 0;
			LibAliasReset(net->la);
			if (LibAliasUnpackLink(net->la, wrong, length[i])) {
				refused++;
				continue;
			}
			cursor = 0;
			assert_int_equal(LibAliasNextLink(net->la, &cursor, &info), 1);
			if (info.proto != IPPROTO_GRE)
				continue;
			assert_int_equal(!info.local_port, !info.alias_port);
			assert_int_equal(!info.remote_port, !info.dest_port);
		}
	assert_true(refused > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pptp_test(gre_of_no_call_goes_by_its_addresses),
		pptp_test(gre_of_other_kinds_has_no_number),
		pptp_test(errors_about_gre_reach_the_call),
		pptp_test(errors_about_gre_of_no_call_go_by_its_addresses),
		pptp_test(an_aliased_packet_is_unaliased),
		pptp_test(a_wrong_record_makes_no_link_with_a_number_at_one_end_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
