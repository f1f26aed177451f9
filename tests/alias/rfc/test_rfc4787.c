/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 4787, unicast UDP.  REQ-1, 3, 8 and 11 are met with PKT_ALIAS_UDP_EIM, not without it.
 */
#include "rfc.h"

/* OTHER:4000 cannot have alias port 4000 towards REMOTE:53; returns the one that it has. */
static uint16_t take_a_second_port(struct net *net)
{
	assert_int_equal(udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53)), PKT_ALIAS_OK);
	assert_int_equal(udp_out(net, ENDS(OTHER, 4000, REMOTE, 53)), PKT_ALIAS_OK);
	assert_int_not_equal(source_port(net->packet), 4000);
	return source_port(net->packet);
}

static void req_1_eim(void **state)
{
	struct net *net = *state;
	uint16_t port;

	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	port = take_a_second_port(net);
	udp_out(net, ENDS(OTHER, 4000, REMOTE2, 53));
	assert_ends(net->packet, ALIAS, port, REMOTE2, 53);
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 5000));
	assert_ends(net->packet, ALIAS, port, REMOTE, 5000);
}

static void req_1_default(void **state)
{
	struct net *net = *state;
	uint16_t port = take_a_second_port(net);

	udp_out(net, ENDS(OTHER, 4000, REMOTE2, 53));
	assert_int_not_equal(source_port(net->packet), port);
}

static void req_3_eim(void **state)
{
	struct net *net = *state;

	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(OTHER, 4000, REMOTE2, 53));
	assert_int_not_equal(source_port(net->packet), 4000);
}

static void req_3_default(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(OTHER, 4000, REMOTE2, 53));
	assert_ends(net->packet, ALIAS, 4000, REMOTE2, 53);
}

static void req_3a_kept(void **state)
{
	struct net *net = *state;
	char text[INET_ADDRSTRLEN];

	udp_out(net, ENDS(INSIDE, 500, REMOTE, 500));
	assert_ends(net->packet, ALIAS, 500, REMOTE, 500);
	for (uint8_t host = 1; host < 200; host++) {
		udp_out(net, ENDS(rfc_host(text, host), 4500, REMOTE, 500));
		assert_true(source_port(net->packet) >= 1024);
	}
}

static void req_3a_conflict(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 500, REMOTE, 500));
	udp_out(net, ENDS(OTHER, 500, REMOTE, 500));
	assert_true(source_port(net->packet) >= 1024);
}

static void req_4(void **state)
{
	struct net *net = *state;
	char text[INET_ADDRSTRLEN];

	for (uint8_t host = 1; host < 200; host++) {
		rfc_host(text, host);
		udp_out(net, ENDS(text, 4000, REMOTE, 53));
		assert_int_equal(source_port(net->packet) % 2, 0);
		udp_out(net, ENDS(text, 4001, REMOTE, 53));
		assert_int_equal(source_port(net->packet) % 2, 1);
	}
}

static void req_5(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	rfc_wait(net, 120);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
}

static void req_5b(void **state)
{
	struct net *net = *state;

	assert_int_equal(LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_UDP, 600), 0);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	rfc_wait(net, 600);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_UDP, 130);
	rfc_wait(net, 131);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_IGNORED);
}

static void req_5c(void **state)
{
	struct net *net = *state;

	assert_true(LibAliasGetTimeout(net->la, ALIAS_TIMEOUT_UDP) >= 300);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	rfc_wait(net, 300);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	rfc_wait(net, 301);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_IGNORED);
}

static void req_6(void **state)
{
	struct net *net = *state;

	for (int i = 0; i < 5; i++) {
		udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
		rfc_wait(net, 200);
	}
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_int_equal(links(net), 1);
}

static void req_6a(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	for (int i = 0; i < 5; i++) {
		rfc_wait(net, 200);
		assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	}
}

static void req_7(void **state)
{
	struct net *net = *state;

	/* The remote has the number of a host inside, even the sender's own. */
	udp_out(net, ENDS(INSIDE, 4000, OTHER, 53));
	assert_ends(net->packet, ALIAS, 4000, OTHER, 53);
	assert_int_equal(udp_in(net, ENDS(OTHER, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, OTHER, 53, INSIDE, 4000);
	udp_out(net, ENDS(INSIDE, 4000, INSIDE, 53));
	assert_ends(net->packet, ALIAS, 4000, INSIDE, 53);
	assert_int_equal(udp_in(net, ENDS(INSIDE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, INSIDE, 53, INSIDE, 4000);
}

static void req_8_eim(void **state)
{
	struct net *net = *state;

	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(udp_in(net, ENDS(REMOTE2, 9, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE2, 9, INSIDE, 4000);
}

static void req_8_default(void **state)
{
	struct net *net = *state;

	/* Address and port dependent: another port of the same remote is a stranger, too. */
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(udp_in(net, ENDS(REMOTE, 54, ALIAS, 4000)), PKT_ALIAS_IGNORED);
	assert_int_equal(udp_in(net, ENDS(REMOTE2, 53, ALIAS, 4000)), PKT_ALIAS_IGNORED);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
}

static void req_8a(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(udp_in(net, ENDS(REMOTE2, 9, ALIAS, 4000)), PKT_ALIAS_IGNORED);
	LibAliasReset(net->la);
	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(udp_in(net, ENDS(REMOTE2, 9, ALIAS, 4000)), PKT_ALIAS_OK);
}

static void req_9_eim(void **state)
{
	struct net *net = *state;

	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(OTHER, 5000, REMOTE, 53));
	udp_out(net, ENDS(INSIDE, 4000, ALIAS, 5000));
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, OTHER);
}

static void req_9_redirect(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(OTHER), htons(53), addr(ANY), 0, addr(ANY), htons(5353),
			     IPPROTO_UDP);
	udp_out(net, ENDS(INSIDE, 4000, ALIAS, 5353));
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, OTHER);
	udp_out(net, ENDS(OTHER, 53, ALIAS, 4000));
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 5353, INSIDE, 4000);
}

static void req_9a(void **state)
{
	struct net *net = *state;

	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(OTHER, 5000, REMOTE, 53));
	udp_out(net, ENDS(INSIDE, 4000, ALIAS, 5000));
	send_in(net);
	assert_ends(net->packet, ALIAS, 4000, OTHER, 5000);
	udp_out(net, ENDS(OTHER, 5000, ALIAS, 4000));
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 5000, INSIDE, 4000);
}

static void req_10(void **state)
{
	/* Ports that application gateways of one NAT or another are known for. */
	static const uint16_t ports[] = {53,   69,   137,  138,   161,  1701,
					 5060, 6970, 7648, 26000, 27960};
	static const char payload[] =
		"INVITE c=IN IP4 10.0.0.2 m=audio 4000 \x0a\x00\x00\x02\x0f\xa0";
	struct net *net = *state;

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		build_udp(net->packet, ENDS(INSIDE, 4000, REMOTE, ports[i]), payload,
			  sizeof(payload));
		assert_int_equal(send_out(net), PKT_ALIAS_OK);
		assert_memory_equal(net->packet + 28, payload, sizeof(payload));
		build_udp(net->packet, ENDS(REMOTE, ports[i], ALIAS, 4000), payload,
			  sizeof(payload));
		assert_int_equal(send_in(net), PKT_ALIAS_OK);
		assert_memory_equal(net->packet + 28, payload, sizeof(payload));
	}
}

static void req_11_eim(void **state)
{
	struct net *net = *state;
	uint16_t port;

	/* As many as there are, mappings stay what they are, with a conflict and without. */
	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	port = take_a_second_port(net);
	for (uint16_t remote = 1; remote < 1000; remote++) {
		udp_out(net, ENDS(OTHER, 4000, REMOTE2, remote));
		assert_ends(net->packet, ALIAS, port, REMOTE2, remote);
		udp_out(net, ENDS(INSIDE, 4000, REMOTE2, remote));
		assert_ends(net->packet, ALIAS, 4000, REMOTE2, remote);
	}
	assert_int_equal(links(net), 2);
}

static void req_11_exhausted(void **state)
{
	struct net *net = *state;

	/* With no port left the next is refused; nobody's mapping changes hands. */
	LibAliasSetAliasPortRange(net->la, 4000, 4003);
	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	for (uint16_t port = 4000; port < 4004; port++)
		assert_int_equal(udp_out(net, ENDS(INSIDE, port, REMOTE, 53)), PKT_ALIAS_OK);
	assert_int_equal(udp_out(net, ENDS(OTHER, 4000, REMOTE, 53)), PKT_ALIAS_ERROR);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
}

static void req_12(void **state)
{
	struct net *net = *state;
	uint8_t sent[64], got[64];

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	memcpy(sent, net->packet, 33);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	memcpy(got, net->packet, 33);
	for (int type = 0; type < 256; type++) {
		build_error(net->packet, (uint8_t)type, REMOTE, ALIAS, sent, 33);
		send_in(net);
		build_error(net->packet, (uint8_t)type, INSIDE, REMOTE, got, 33);
		send_out(net);
	}
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
}

static void req_12a(void **state)
{
	static const char *const sources[] = {REMOTE, REMOTE2, ROUTER, "10.1.1.1", ALIAS};
	struct net *net = *state;
	uint8_t sent[64];

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	memcpy(sent, net->packet, 33);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		build_error(net->packet, ICMP_TIME_EXCEEDED, sources[i], ALIAS, sent, 33);
		assert_int_equal(send_in(net), PKT_ALIAS_OK);
		assert_source(net->packet, sources[i]);
		assert_destination(net->packet, INSIDE);
	}
}

static void req_12b(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	take_a_second_port(net);
	memcpy(sent, net->packet, 33);
	build_error(net->packet, ICMP_DEST_UNREACH, REMOTE, ALIAS, sent, 28);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, OTHER);
	assert_ends(net->packet + 28, OTHER, 4000, REMOTE, 53);
}

/* A datagram of 40 bytes of UDP from REMOTE to the alias port 4000, which INSIDE has. */
static void build_datagram(struct net *net, uint8_t *whole)
{
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	build_udp(whole, ENDS(REMOTE, 53, ALIAS, 4000), "thirty-two bytes of some payload", 32);
}

static void req_14_in_order(void **state)
{
	struct net *net = *state;
	uint8_t whole[128];

	build_datagram(net, whole);
	cut_fragment(net->packet, whole, 0, 16);
	assert_int_equal(send_in(net), PKT_ALIAS_FOUND_HEADER_FRAGMENT);
	assert_destination(net->packet, INSIDE);
	cut_fragment(net->packet, whole, 16, 16);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, INSIDE);
	cut_fragment(net->packet, whole, 32, 8);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, INSIDE);
}

static void req_14_out_of_order(void **state)
{
	struct net *net = *state;
	uint8_t whole[128], *late;

	build_datagram(net, whole);
	for (uint16_t offset = 32; offset; offset -= 16) {
		late = malloc(64);
		cut_fragment(late, whole, offset, offset == 32 ? 8 : 16);
		assert_int_equal(LibAliasIn(net->la, late, 64), PKT_ALIAS_UNRESOLVED_FRAGMENT);
		assert_int_equal(LibAliasSaveFragment(net->la, late), PKT_ALIAS_OK);
	}
	cut_fragment(net->packet, whole, 0, 16);
	assert_int_equal(send_in(net), PKT_ALIAS_FOUND_HEADER_FRAGMENT);
	for (int i = 0; i < 2; i++) {
		late = LibAliasGetFragment(net->la, net->packet);
		assert_non_null(late);
		LibAliasFragmentIn(net->la, net->packet, late);
		assert_destination(late, INSIDE);
		assert_true(sums_right(late));
		free(late);
	}
	assert_null(LibAliasGetFragment(net->la, net->packet));
}

static void req_14a(void **state)
{
	struct net *net = *state;
	uint8_t whole[128], *flood;
	uint32_t kept = 0;

	build_datagram(net, whole);
	for (uint32_t i = 0; i < 5000; i++) {
		flood = malloc(64);
		cut_fragment(flood, whole, 16, 16);
		flood[4] = (uint8_t)(i >> 8);
		flood[5] = (uint8_t)i;
		fix_ip_sum(flood);
		assert_int_equal(LibAliasIn(net->la, flood, 64), PKT_ALIAS_UNRESOLVED_FRAGMENT);
		if (LibAliasSaveFragment(net->la, flood) == PKT_ALIAS_OK)
			kept++;
		else
			free(flood);
	}
	assert_int_equal(kept, LibAliasGetLimit(net->la, ALIAS_LIMIT_FRAGMENTS));
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	build_datagram(net, whole);
	whole[4] = whole[5] = 0xee;
	fix_ip_sum(whole);
	cut_fragment(net->packet, whole, 0, 16);
	assert_int_equal(send_in(net), PKT_ALIAS_FOUND_HEADER_FRAGMENT);
	cut_fragment(net->packet, whole, 16, 16);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, INSIDE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rfc_test("REQ-1: with UDP_EIM an inside endpoint has one mapping for all remotes",
			 req_1_eim),
		rfc_test("NOT MET REQ-1: by default the mapping depends on address and port",
			 req_1_default),
		rfc_test("REQ-3: with UDP_EIM no two inside endpoints share an alias port",
			 req_3_eim),
		rfc_test("NOT MET REQ-3: by default they do when their remotes differ",
			 req_3_default),
		rfc_test("REQ-3a: a free port is kept, a high one is replaced by a high one",
			 req_3a_kept),
		rfc_test("NOT MET REQ-3a: a taken port below 1024 is replaced by a high one",
			 req_3a_conflict),
		rfc_test("REQ-4: an even port becomes an even one, an odd port an odd one", req_4),
		rfc_test("REQ-5: a mapping lives for two minutes at least", req_5),
		rfc_test("REQ-5b: the time-out can be set", req_5b),
		rfc_test("REQ-5c: the default is five minutes", req_5c),
		rfc_test("REQ-6: outgoing packets keep a mapping alive", req_6),
		rfc_test("REQ-6a: by default incoming packets do so, too", req_6a),
		rfc_test("REQ-7: remotes whose address is in use inside are reached", req_7),
		rfc_test("REQ-8: with UDP_EIM the filter is endpoint-independent", req_8_eim),
		rfc_test("NOT MET REQ-8: by default it is stricter than address-dependent",
			 req_8_default),
		rfc_test("REQ-8a: the filter can be chosen", req_8a),
		rfc_test("REQ-9: with UDP_EIM a host reaches its neighbour's mapping", req_9_eim),
		rfc_test("REQ-9: a host reaches its neighbour by a redirect", req_9_redirect),
		rfc_test("REQ-9a: the neighbour sees the external address and port", req_9a),
		rfc_test("REQ-10: no helper touches UDP unless it was enabled", req_10),
		rfc_test("REQ-11: with UDP_EIM a conflict changes nothing in the behaviour",
			 req_11_eim),
		rfc_test("REQ-11: without a free port a mapping is refused, none is taken away",
			 req_11_exhausted),
		rfc_test("REQ-12: no ICMP message ends a mapping", req_12),
		rfc_test("REQ-12a: ICMP errors are not filtered by who sent them", req_12a),
		rfc_test("REQ-12b: destination unreachable is translated", req_12b),
		rfc_test("REQ-14: fragments in order are translated", req_14_in_order),
		rfc_test("REQ-14: fragments that come before the first are translated",
			 req_14_out_of_order),
		rfc_test("REQ-14a: a flood of fragments stops neither packets nor fragments",
			 req_14a),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
