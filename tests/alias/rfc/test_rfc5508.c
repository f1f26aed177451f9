/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 5508, ICMP.  The engine neither validates checksums of errors nor sends any ICMP itself
 * (REQ-3, REQ-8), and query ids are chosen by remote host (REQ-1a).
 */
#include "rfc.h"

#define OTHER_ALIAS  "198.51.100.9"
#define SOURCE_ROUTE 131

static int echo_out(struct net *net, const char *src, const char *dst, uint16_t id)
{
	build_echo(net->packet, ICMP_ECHO, src, dst, id);
	return send_out(net);
}

static int reply_in(struct net *net, const char *src, const char *dst, uint16_t id)
{
	build_echo(net->packet, ICMP_ECHOREPLY, src, dst, id);
	return send_in(net);
}

/* OTHER:4000 talks to REMOTE:53 through an alias port of another number; sent is how it looks. */
static void send_from_other(struct net *net, uint8_t *sent)
{
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	assert_int_not_equal(source_port(net->packet), 4000);
	memcpy(sent, net->packet, 33);
}

/* REMOTE:4000 talks to INSIDE:53 by a redirect of 5353; got is what INSIDE gets. */
static void receive_inside(struct net *net, uint8_t *got)
{
	LibAliasRedirectPort(net->la, addr(INSIDE), htons(53), addr(ANY), 0, addr(ANY), htons(5353),
			     IPPROTO_UDP);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 4000, ALIAS, 5353)), PKT_ALIAS_OK);
	memcpy(got, net->packet, 33);
}

static void req_1(void **state)
{
	struct net *net = *state;

	assert_int_equal(echo_out(net, INSIDE, REMOTE, 77), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 77, REMOTE, 77);
	assert_int_equal(reply_in(net, REMOTE, ALIAS, 77), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 77, INSIDE, 77);
	build_echo(net->packet, ICMP_TIMESTAMP, INSIDE, REMOTE, 78);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	build_echo(net->packet, ICMP_TIMESTAMPREPLY, REMOTE, ALIAS, 78);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 78, INSIDE, 78);
}

static void req_1a(void **state)
{
	struct net *net = *state;
	uint16_t id;

	echo_out(net, INSIDE, REMOTE, 77);
	echo_out(net, OTHER, REMOTE, 77);
	id = rfc_query_id(net->packet);
	assert_int_not_equal(id, 77);
	echo_out(net, OTHER, REMOTE2, 77);
	assert_int_not_equal(rfc_query_id(net->packet), id);
}

static void req_2(void **state)
{
	struct net *net = *state;

	echo_out(net, INSIDE, REMOTE, 77);
	rfc_wait(net, 60);
	assert_int_equal(reply_in(net, REMOTE, ALIAS, 77), PKT_ALIAS_OK);
	rfc_wait(net, 61);
	assert_int_equal(reply_in(net, REMOTE, ALIAS, 77), PKT_ALIAS_IGNORED);
}

static void req_2a(void **state)
{
	struct net *net = *state;

	assert_int_equal(LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_ICMP, 100), 0);
	echo_out(net, INSIDE, REMOTE, 77);
	rfc_wait(net, 100);
	assert_int_equal(reply_in(net, REMOTE, ALIAS, 77), PKT_ALIAS_OK);
	rfc_wait(net, 101);
	assert_int_equal(reply_in(net, REMOTE, ALIAS, 77), PKT_ALIAS_IGNORED);
}

static void req_3(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	/* It leaves as wrong as it came, so that its receiver drops it. */
	send_from_other(net, sent);
	build_error(net->packet, ICMP_DEST_UNREACH, ROUTER, ALIAS, sent, 33);
	net->packet[22] ^= 1;
	assert_int_equal(LibAliasIn(net->la, net->packet, 200), PKT_ALIAS_OK);
	assert_false(sums_right(net->packet));
	net->packet[22] ^= 1;
	assert_true(sums_right(net->packet));
}

static void req_3a(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	send_from_other(net, sent);
	sent[10] ^= 1;
	build_error(net->packet, ICMP_DEST_UNREACH, ROUTER, ALIAS, sent, 33);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_false(sums_right(net->packet + 28));
	net->packet[38] ^= 1;
	assert_true(sums_right(net->packet + 28));
}

static void req_3b(void **state)
{
	struct net *net = *state;
	uint8_t sent[64], quoted[64];

	/* The routers on the way have recorded themselves: four bytes of options and an end. */
	send_from_other(net, sent);
	memcpy(quoted, sent, 20);
	memcpy(quoted + 20, (uint8_t[]){7, 7, 4, 192, 0, 2, 1, 0}, 8);
	memcpy(quoted + 28, sent + 20, 13);
	quoted[0] = 0x47;
	quoted[3] = 41;
	fix_ip_sum(quoted);
	build_error(net->packet, ICMP_TIME_EXCEEDED, ROUTER, ALIAS, quoted, 41);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, OTHER);
	assert_ends(net->packet + 28, OTHER, 4000, REMOTE, 53);
	assert_true(sums_right(net->packet + 28));
}

static void req_3c(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	send_from_other(net, sent);
	sent[26] ^= 0x55;
	build_error(net->packet, ICMP_DEST_UNREACH, ROUTER, ALIAS, sent, 33);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, OTHER, 4000, REMOTE, 53);
}

static void req_3d(void **state)
{
	/* RFC 4884: the quote padded to 128 bytes, then an extension (here an MPLS label stack). */
	static const uint8_t extension[] = {0x20, 0, 0x12, 0x34, 0, 8, 1, 1, 0, 0x10, 1, 0xff};
	struct net *net = *state;
	uint8_t sent[64], quoted[128 + sizeof(extension)] = {0};

	send_from_other(net, sent);
	memcpy(quoted, sent, 33);
	memcpy(quoted + 128, extension, sizeof(extension));
	build_error(net->packet, ICMP_TIME_EXCEEDED, ROUTER, ALIAS, quoted, sizeof(quoted));
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, OTHER, 4000, REMOTE, 53);
	assert_true(sums_right(net->packet + 28));
	assert_memory_equal(net->packet + 28 + 33, quoted + 33, sizeof(quoted) - 33);
}

static void req_4_unknown(void **state)
{
	struct net *net = *state;
	uint8_t sent[64], before[64];

	build_udp(sent, ENDS(ALIAS, 4000, REMOTE, 53), "hello", 5);
	build_error(net->packet, ICMP_DEST_UNREACH, ROUTER, ALIAS, sent, 33);
	memcpy(before, net->packet, 61);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
	assert_memory_equal(net->packet, before, 61);
	assert_int_equal(links(net), 0);
}

static void req_4a(void **state)
{
	struct net *net = *state;
	uint8_t sent[64], original[64];

	send_from_other(net, sent);
	build_udp(original, ENDS(OTHER, 4000, REMOTE, 53), "hello", 5);
	build_error(net->packet, ICMP_DEST_UNREACH, ROUTER, ALIAS, sent, 33);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_memory_equal(net->packet + 28, original, 33);
}

static void req_4b(void **state)
{
	static const uint8_t types[] = {ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB};
	struct net *net = *state;
	uint8_t sent[64], header[8];

	send_from_other(net, sent);
	for (size_t i = 0; i < sizeof(types); i++) {
		build_error(net->packet, types[i], ROUTER, ALIAS, sent, 33);
		memcpy(header, net->packet + 20, 8);
		assert_int_equal(send_in(net), PKT_ALIAS_OK);
		assert_memory_equal(net->packet + 20, header, 2);
		assert_memory_equal(net->packet + 24, header + 4, 4);
	}
}

static void req_4c(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	send_from_other(net, sent);
	build_error(net->packet, ICMP_DEST_UNREACH, ROUTER, ALIAS, sent, 33);
	send_in(net);
	assert_source(net->packet, ROUTER);
	assert_memory_equal(net->packet + 16, net->packet + 28 + 12, 4);
	assert_destination(net->packet, OTHER);
}

static void req_5_unknown(void **state)
{
	struct net *net = *state;
	uint8_t got[64], before[64];

	build_udp(got, ENDS(REMOTE, 4000, INSIDE, 53), "hello", 5);
	build_error(net->packet, ICMP_DEST_UNREACH, INSIDE, REMOTE, got, 33);
	memcpy(before, net->packet, 61);
	assert_int_equal(send_out(net), PKT_ALIAS_IGNORED);
	assert_memory_equal(net->packet, before, 61);
	assert_int_equal(links(net), 0);
}

static void req_5a(void **state)
{
	struct net *net = *state;
	uint8_t got[64], original[64];

	receive_inside(net, got);
	build_udp(original, ENDS(REMOTE, 4000, ALIAS, 5353), "hello", 5);
	build_error(net->packet, ICMP_DEST_UNREACH, INSIDE, REMOTE, got, 33);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_memory_equal(net->packet + 28, original, 33);
}

static void req_5b(void **state)
{
	struct net *net = *state;
	uint8_t got[64], header[2];

	receive_inside(net, got);
	build_error(net->packet, ICMP_DEST_UNREACH, INSIDE, REMOTE, got, 33);
	memcpy(header, net->packet + 20, 2);
	send_out(net);
	assert_memory_equal(net->packet + 20, header, 2);
}

static void req_5c(void **state)
{
	static const char *const senders[] = {INSIDE, "10.9.9.9"};
	struct net *net = *state;
	uint8_t got[64];

	receive_inside(net, got);
	for (size_t i = 0; i < 2; i++) {
		build_error(net->packet, ICMP_TIME_EXCEEDED, senders[i], REMOTE, got, 33);
		assert_int_equal(send_out(net), PKT_ALIAS_OK);
		assert_source(net->packet, ALIAS);
		assert_destination(net->packet, REMOTE);
	}
}

static void req_5c_basic(void **state)
{
	struct net *net = *state;
	uint8_t got[64];

	LibAliasRedirectAddr(net->la, addr("10.9.9.9"), addr(OTHER_ALIAS));
	receive_inside(net, got);
	build_error(net->packet, ICMP_TIME_EXCEEDED, "10.9.9.9", REMOTE, got, 33);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_source(net->packet, OTHER_ALIAS);
	assert_destination(net->packet, REMOTE);
	/* The quoted packet was for the link's. */
	assert_destination(net->packet + 28, ALIAS);
}

static void req_6(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	echo_out(net, INSIDE, REMOTE, 77);
	memcpy(sent, net->packet, 36);
	rfc_wait(net, 50);
	build_error(net->packet, ICMP_TIME_EXCEEDED, ROUTER, ALIAS, sent, 36);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet + 28, INSIDE, 77, REMOTE, 77);
	assert_int_equal(links(net), 1);
	rfc_wait(net, 11);
	assert_int_equal(reply_in(net, REMOTE, ALIAS, 77), PKT_ALIAS_IGNORED);
}

static void req_6_kept(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	echo_out(net, INSIDE, REMOTE, 77);
	memcpy(sent, net->packet, 36);
	build_error(net->packet, ICMP_DEST_UNREACH, ROUTER, ALIAS, sent, 36);
	send_in(net);
	assert_int_equal(reply_in(net, REMOTE, ALIAS, 77), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 77, INSIDE, 77);
}

static void req_7_query(void **state)
{
	struct net *net = *state;

	LibAliasRedirectAddr(net->la, addr(OTHER), addr(OTHER_ALIAS));
	echo_out(net, INSIDE, OTHER_ALIAS, 77);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 77, OTHER, 77);
	build_echo(net->packet, ICMP_ECHOREPLY, OTHER, ALIAS, 77);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, OTHER_ALIAS, 77, INSIDE, 77);
}

/* INSIDE sends to OTHER by the alias address, OTHER answers with an error. */
static void hairpin_error(struct net *net)
{
	uint8_t got[64];

	LibAliasRedirectPort(net->la, addr(OTHER), htons(53), addr(ANY), 0, addr(ANY), htons(5353),
			     IPPROTO_UDP);
	udp_out(net, ENDS(INSIDE, 4000, ALIAS, 5353));
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 4000, OTHER, 53);
	memcpy(got, net->packet, 33);
	build_error(net->packet, ICMP_DEST_UNREACH, OTHER, ALIAS, got, 33);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
}

static void req_7_error(void **state)
{
	struct net *net = *state;

	hairpin_error(net);
	assert_ends(net->packet + 28, INSIDE, 4000, ALIAS, 5353);
	assert_true(sums_right(net->packet + 28));
}

static void req_7a(void **state)
{
	struct net *net = *state;

	hairpin_error(net);
	assert_source(net->packet, ALIAS);
	assert_destination(net->packet, INSIDE);
	assert_source(net->packet + 28, INSIDE);
}

static void req_8(void **state)
{
	struct net *net = *state;
	uint8_t before[64];

	/* The caller is told; the packet is as it was, so that an error about it can be sent. */
	LibAliasSetLimit(net->la, ALIAS_LIMIT_LINKS_PER_HOST, 1);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	build_udp(net->packet, ENDS(INSIDE, 4001, REMOTE, 53), "hello", 5);
	memcpy(before, net->packet, 33);
	assert_int_equal(send_out(net), PKT_ALIAS_ERROR);
	assert_memory_equal(net->packet, before, 33);
	assert_int_equal(udp_out(net, ENDS(OTHER, 4001, REMOTE, 53)), PKT_ALIAS_OK);
}

static void translated(struct net *net, uint8_t type)
{
	uint8_t sent[64];

	send_from_other(net, sent);
	build_error(net->packet, type, ROUTER, ALIAS, sent, 33);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, OTHER);
	assert_ends(net->packet + 28, OTHER, 4000, REMOTE, 53);
	assert_true(sums_right(net->packet + 28));
}

static void req_10a(void **state)
{
	translated(*state, ICMP_DEST_UNREACH);
	LibAliasReset(((struct net *)*state)->la);
	translated(*state, ICMP_TIME_EXCEEDED);
	LibAliasReset(((struct net *)*state)->la);
	req_1(state);
}

static void req_10b(void **state)
{
	translated(*state, ICMP_PARAMETERPROB);
	LibAliasReset(((struct net *)*state)->la);
	translated(*state, ICMP_REDIRECT);
}

static void req_10b_source_route(void **state)
{
	/* Loose source route, one address, used up; and one byte to fill. */
	static const uint8_t option[8] = {SOURCE_ROUTE, 7, 8, 192, 0, 2, 1, 1};
	struct net *net = *state;

	build_echo(net->packet, ICMP_ECHO, INSIDE, REMOTE, 77);
	memmove(net->packet + 28, net->packet + 20, 16);
	memcpy(net->packet + 20, option, 8);
	net->packet[0] = 0x47;
	net->packet[3] = 44;
	fix_ip_sum(net->packet);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 77, REMOTE, 77);
	assert_memory_equal(net->packet + 20, option, 8);
}

static void req_10b_ignored(void **state)
{
	static const uint8_t types[] = {ICMP_ADDRESS, ICMP_ADDRESSREPLY, 9, 10};
	struct net *net = *state;

	for (size_t i = 0; i < sizeof(types); i++) {
		build_echo(net->packet, types[i], INSIDE, REMOTE, 77);
		assert_int_equal(send_out(net), PKT_ALIAS_IGNORED);
	}
	assert_int_equal(links(net), 0);
}

static void req_10c(void **state)
{
	translated(*state, ICMP_SOURCE_QUENCH);
}

static void req_11(void **state)
{
	struct net *net = *state;

	for (int type = 0; type < 256; type++) {
		if (type <= ICMP_REDIRECT || type == ICMP_ECHO || type == ICMP_TIME_EXCEEDED ||
		    type == ICMP_PARAMETERPROB || type == ICMP_TIMESTAMP)
			continue;
		build_echo(net->packet, (uint8_t)type, INSIDE, REMOTE, 77);
		assert_int_equal(send_out(net), PKT_ALIAS_IGNORED);
		assert_source(net->packet, INSIDE);
		build_echo(net->packet, (uint8_t)type, REMOTE, ALIAS, 77);
		assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
		assert_destination(net->packet, ALIAS);
	}
	assert_int_equal(links(net), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rfc_test("REQ-1: queries from inside and their answers pass", req_1),
		rfc_test("NOT MET REQ-1a: the query id depends on the remote host", req_1a),
		rfc_test("REQ-2: a query may be answered for 60 seconds", req_2),
		rfc_test("REQ-2a: the time-out of queries can be set", req_2a),
		rfc_test("NOT MET REQ-3: an error with a wrong checksum is passed on, wrong",
			 req_3),
		rfc_test("NOT MET REQ-3a: a quote with a wrong header checksum is passed on, wrong",
			 req_3a),
		rfc_test("REQ-3b: IP options of the quoted packet are skipped", req_3b),
		rfc_test("REQ-3c: the quoted transport checksum need not be right", req_3c),
		rfc_test("REQ-3d: padding and extensions pass untouched", req_3d),
		rfc_test("REQ-4: an incoming error about no mapping is ignored as it is",
			 req_4_unknown),
		rfc_test("REQ-4a: an incoming error quotes what the host had sent", req_4a),
		rfc_test("REQ-4b: type and code of an incoming error stay", req_4b),
		rfc_test("REQ-4c: an incoming error goes to the sender of the quoted packet",
			 req_4c),
		rfc_test("REQ-5: an outgoing error about no mapping is ignored as it is",
			 req_5_unknown),
		rfc_test("REQ-5a: an outgoing error quotes what the remote had sent", req_5a),
		rfc_test("REQ-5b: type and code of an outgoing error stay", req_5b),
		rfc_test("REQ-5c: an outgoing error comes from the alias address", req_5c),
		rfc_test("REQ-5c: a router with an alias address of its own uses that",
			 req_5c_basic),
		rfc_test("REQ-6: an error about a query does not keep it alive", req_6),
		rfc_test("REQ-6: an error about a query does not end it", req_6_kept),
		rfc_test("REQ-7: queries to a neighbour's alias address reach it", req_7_query),
		rfc_test("REQ-7: an error from a neighbour arrives with the packet as it was sent",
			 req_7_error),
		rfc_test("REQ-7a: an error from a neighbour goes to the sender of the quote",
			 req_7a),
		rfc_test("NOT MET REQ-8: a refused packet makes a result, not an ICMP error",
			 req_8),
		rfc_test("REQ-10a: unreachable, time exceeded and echo are handled", req_10a),
		rfc_test("REQ-10b: parameter problem and redirect are handled", req_10b),
		rfc_test("REQ-10b: a packet with a source route is translated, the route stays",
			 req_10b_source_route),
		rfc_test("REQ-10b: address mask and router discovery are ignored", req_10b_ignored),
		rfc_test("NOT MET REQ-10c: source quench is translated like any error", req_10c),
		rfc_test("REQ-11: neither query nor error: ignored as it is", req_11),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
