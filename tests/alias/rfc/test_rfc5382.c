/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 5382, TCP.  Links are five-tuples: REQ-1 and 7 are not met, the filter of REQ-3 is stricter.
 */
#include "rfc.h"

static const struct ends ours = {INSIDE, 4000, REMOTE, 80};
static const struct ends theirs = {REMOTE, 80, ALIAS, 4000};

static void open_outgoing(struct net *net)
{
	assert_int_equal(tcp_out(net, ours, TH_SYN), PKT_ALIAS_OK);
	assert_int_equal(tcp_in(net, theirs, TH_SYN | TH_ACK), PKT_ALIAS_OK);
	assert_int_equal(tcp_out(net, ours, TH_ACK), PKT_ALIAS_OK);
}

/* Is the link there now?  A probe with ACK alone starts nothing while incoming is denied. */
static bool alive(struct net *net)
{
	return tcp_in(net, theirs, TH_ACK) == PKT_ALIAS_OK;
}

static void req_1(void **state)
{
	struct net *net = *state;
	uint16_t port;

	tcp_out(net, ours, TH_SYN);
	tcp_out(net, ENDS(OTHER, 4000, REMOTE, 80), TH_SYN);
	port = source_port(net->packet);
	tcp_out(net, ENDS(OTHER, 4000, REMOTE2, 80), TH_SYN);
	assert_int_not_equal(source_port(net->packet), port);
}

static void req_2_outgoing(void **state)
{
	struct net *net = *state;

	open_outgoing(net);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 80);
	tcp_in(net, theirs, TH_ACK | TH_PUSH);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
	tcp_in(net, theirs, TH_FIN | TH_ACK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
	/* Half closed for long: the inside still sends. */
	rfc_wait(net, 7440);
	tcp_out(net, ours, TH_ACK | TH_PUSH);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 80);
	tcp_out(net, ours, TH_FIN | TH_ACK);
	tcp_in(net, theirs, TH_ACK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
	assert_int_equal(links(net), 1);
}

static void req_2_incoming(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(INSIDE), htons(22), addr(ANY), 0, addr(ANY), htons(2222),
			     IPPROTO_TCP);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 2222), TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 5000, INSIDE, 22);
	tcp_out(net, ENDS(INSIDE, 22, REMOTE, 5000), TH_SYN | TH_ACK);
	assert_ends(net->packet, ALIAS, 2222, REMOTE, 5000);
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 2222), TH_ACK);
	assert_ends(net->packet, REMOTE, 5000, INSIDE, 22);
	assert_int_equal(links(net), 1);
}

static void req_2_again(void **state)
{
	struct net *net = *state;

	open_outgoing(net);
	tcp_out(net, ours, TH_FIN | TH_ACK);
	tcp_in(net, theirs, TH_FIN | TH_ACK);
	tcp_out(net, ours, TH_ACK);
	open_outgoing(net);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 80);
	rfc_wait(net, 7440);
	assert_true(alive(net));
}

static void req_2a(void **state)
{
	struct net *net = *state;

	tcp_out(net, ours, TH_SYN);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 80);
	assert_int_equal(tcp_in(net, theirs, TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
	tcp_out(net, ours, TH_SYN | TH_ACK);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 80);
	tcp_in(net, theirs, TH_SYN | TH_ACK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
	tcp_out(net, ours, TH_ACK);
	tcp_in(net, theirs, TH_ACK);
	assert_int_equal(links(net), 1);
	rfc_wait(net, 7440);
	assert_true(alive(net));
}

static void req_2a_established(void **state)
{
	struct net *net = *state;
	struct alias_link_info info;
	unsigned int cursor = 0;

	/* Nobody sends anything but the SYNs and their acknowledgments. */
	tcp_out(net, ours, TH_SYN);
	tcp_in(net, theirs, TH_SYN);
	assert_int_equal(LibAliasNextLink(net->la, &cursor, &info), 1);
	assert_int_equal(info.timeout, 240);
	tcp_out(net, ours, TH_SYN | TH_ACK);
	tcp_in(net, theirs, TH_SYN | TH_ACK);
	cursor = 0;
	assert_int_equal(LibAliasNextLink(net->la, &cursor, &info), 1);
	assert_int_equal(info.timeout, 86400);
	rfc_wait(net, 7440);
	assert_true(alive(net));
}

static void req_3(void **state)
{
	struct net *net = *state;

	tcp_out(net, ours, TH_SYN);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 81, ALIAS, 4000), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_in(net, ENDS(REMOTE2, 80, ALIAS, 4000), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_in(net, theirs, TH_SYN), PKT_ALIAS_OK);
}

static void req_3a(void **state)
{
	struct net *net = *state;

	assert_int_equal(tcp_in(net, theirs, TH_SYN), PKT_ALIAS_IGNORED);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_DENY_INCOMING);
	LibAliasSetTarget(net->la, addr(OTHER));
	assert_int_equal(tcp_in(net, theirs, TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 80, OTHER, 4000);
}

static void req_3b(void **state)
{
	struct net *net = *state;

	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 80));
	tcp_out(net, ours, TH_SYN);
	assert_int_equal(udp_in(net, ENDS(REMOTE2, 9, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_int_equal(tcp_in(net, ENDS(REMOTE2, 9, ALIAS, 4000), TH_SYN), PKT_ALIAS_IGNORED);
}

static void req_4(void **state)
{
	struct net *net = *state;
	uint8_t before[40];

	build_tcp(net->packet, theirs, TH_SYN, 1, 0, NULL, 0);
	memcpy(before, net->packet, 40);
	/* Ignored as it is: neither an answer in its place nor a link. */
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
	assert_memory_equal(net->packet, before, 40);
	assert_int_equal(links(net), 0);
	rfc_wait(net, 3);
	tcp_out(net, ours, TH_SYN);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 80);
	assert_int_equal(tcp_in(net, theirs, TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
}

static void req_5_established(void **state)
{
	struct net *net = *state;

	open_outgoing(net);
	rfc_wait(net, 7440);
	assert_true(alive(net));
}

static void req_5_opening(void **state)
{
	struct net *net = *state;

	tcp_out(net, ours, TH_SYN);
	rfc_wait(net, 240);
	assert_true(alive(net));
}

static void req_5_closing(void **state)
{
	struct net *net = *state;

	open_outgoing(net);
	tcp_out(net, ours, TH_FIN | TH_ACK);
	tcp_in(net, theirs, TH_FIN | TH_ACK);
	rfc_wait(net, 240);
	assert_true(alive(net));
	rfc_wait(net, 241);
	assert_false(alive(net));
}

static void req_5a(void **state)
{
	struct net *net = *state;

	assert_int_equal(LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_TCP_OPENING, 300), 0);
	assert_int_equal(LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_TCP_ESTABLISHED, 9000), 0);
	assert_int_equal(LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_TCP_CLOSING, 500), 0);
	tcp_out(net, ours, TH_SYN);
	rfc_wait(net, 300);
	assert_int_equal(tcp_in(net, theirs, TH_SYN | TH_ACK), PKT_ALIAS_OK);
	tcp_out(net, ours, TH_ACK);
	rfc_wait(net, 9000);
	assert_true(alive(net));
	tcp_out(net, ours, TH_RST);
	rfc_wait(net, 501);
	assert_false(alive(net));
}

static void req_6(void **state)
{
	/* IRC, RTSP, PNA, PPTP and Skinny: a host's own address, in text and in binary. */
	static const uint16_t ports[] = {21, 554, 1723, 2000, 5060, 6667, 7070};
	static const char payload[] =
		"PORT 10,0,0,2,16,1\r\nPRIVMSG b :\001DCC CHAT chat 167772162 5000\001\r\n"
		"SETUP client_port=5000 10.0.0.2 \x0a\x00\x00\x02\r\n";
	struct net *net = *state;

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		tcp_out(net, ENDS(INSIDE, 4000, REMOTE, ports[i]), TH_SYN);
		build_tcp(net->packet, ENDS(INSIDE, 4000, REMOTE, ports[i]), TH_ACK, 2, 1, payload,
			  sizeof(payload));
		assert_int_equal(send_out(net), PKT_ALIAS_OK);
		assert_memory_equal(net->packet + 40, payload, sizeof(payload));
	}
}

static void req_6_ftp(void **state)
{
	static const char command[] = "PORT 10,0,0,2,19,136\r\n";
	struct net *net = *state;

	for (int enabled = 1; enabled >= 0; enabled--) {
		LibAliasReset(net->la);
		assert_int_equal(LibAliasSetHelper(net->la, "ftp", 21, enabled), 0);
		tcp_out(net, ENDS(INSIDE, 4000, REMOTE, 21), TH_SYN);
		tcp_in(net, ENDS(REMOTE, 21, ALIAS, 4000), TH_SYN | TH_ACK);
		build_tcp(net->packet, ENDS(INSIDE, 4000, REMOTE, 21), TH_ACK, 2, 2, command,
			  strlen(command));
		assert_int_equal(send_out(net), PKT_ALIAS_OK);
		if (enabled)
			assert_memory_equal(packet_text(net->packet), "PORT 198,51,100,1,", 18);
		else
			assert_string_equal(packet_text(net->packet), command);
	}
}

static void req_7(void **state)
{
	struct net *net = *state;

	tcp_out(net, ours, TH_SYN);
	tcp_out(net, ENDS(OTHER, 4000, REMOTE2, 80), TH_SYN);
	assert_ends(net->packet, ALIAS, 4000, REMOTE2, 80);
	/* Towards one remote endpoint it does not happen. */
	tcp_out(net, ENDS(OTHER, 4000, REMOTE, 80), TH_SYN);
	assert_int_not_equal(source_port(net->packet), 4000);
}

static void req_8(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(OTHER), htons(80), addr(ANY), 0, addr(ANY), htons(8080),
			     IPPROTO_TCP);
	tcp_out(net, ENDS(INSIDE, 4000, ALIAS, 8080), TH_SYN);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, OTHER);
	tcp_out(net, ENDS(OTHER, 80, ALIAS, 4000), TH_SYN | TH_ACK);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, INSIDE);
	tcp_out(net, ENDS(INSIDE, 4000, ALIAS, 8080), TH_ACK);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_destination(net->packet, OTHER);
}

static void req_8a(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(OTHER), htons(80), addr(ANY), 0, addr(ANY), htons(8080),
			     IPPROTO_TCP);
	tcp_out(net, ENDS(INSIDE, 4000, ALIAS, 8080), TH_SYN);
	send_in(net);
	assert_ends(net->packet, ALIAS, 4000, OTHER, 80);
	tcp_out(net, ENDS(OTHER, 80, ALIAS, 4000), TH_SYN | TH_ACK);
	send_in(net);
	assert_ends(net->packet, ALIAS, 8080, INSIDE, 4000);
}

static void req_9(void **state)
{
	struct net *net = *state;
	uint8_t sent[64];

	tcp_out(net, ours, TH_SYN);
	tcp_out(net, ENDS(OTHER, 4000, REMOTE, 80), TH_SYN);
	memcpy(sent, net->packet, 40);
	/* Eight bytes of the segment are all that a host must quote; some quote it whole. */
	for (size_t bytes = 28; bytes <= 40; bytes += 12) {
		build_error(net->packet, ICMP_DEST_UNREACH, ROUTER, ALIAS, sent, bytes);
		assert_int_equal(send_in(net), PKT_ALIAS_OK);
		assert_destination(net->packet, OTHER);
		assert_ends(net->packet + 28, OTHER, 4000, REMOTE, 80);
	}
	assert_true(sums_right(net->packet + 28));
}

static void req_10(void **state)
{
	struct net *net = *state;
	uint8_t sent[64], got[64];

	open_outgoing(net);
	memcpy(sent, net->packet, 40);
	tcp_in(net, theirs, TH_ACK);
	memcpy(got, net->packet, 40);
	for (int type = 0; type < 256; type++) {
		build_error(net->packet, (uint8_t)type, REMOTE, ALIAS, sent, 40);
		send_in(net);
		build_error(net->packet, (uint8_t)type, INSIDE, REMOTE, got, 40);
		send_out(net);
	}
	/* Not closing either. */
	rfc_wait(net, 7440);
	assert_true(alive(net));
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rfc_test("NOT MET REQ-1: the mapping depends on address and port", req_1),
		rfc_test("REQ-2: an outgoing connection opens, half closes and closes",
			 req_2_outgoing),
		rfc_test("REQ-2: an incoming connection opens by a redirect", req_2_incoming),
		rfc_test("REQ-2: a closed connection opens again on the same ports", req_2_again),
		rfc_test("REQ-2a: both ends may open at once", req_2a),
		rfc_test("REQ-2a: the SYNs and their acknowledgments are enough",
			 req_2a_established),
		rfc_test("NOT MET REQ-3: the filter is stricter than address-dependent", req_3),
		rfc_test("REQ-3a: incoming connections can be let in or not", req_3a),
		rfc_test("REQ-3b: the filter for TCP does not follow that for UDP", req_3b),
		rfc_test("REQ-4a: a SYN that nobody asked for is dropped without an answer", req_4),
		rfc_test("REQ-5: an established connection may idle for 2 hours 4 minutes",
			 req_5_established),
		rfc_test("REQ-5: an opening connection may idle for 4 minutes", req_5_opening),
		rfc_test("REQ-5: a closing connection may idle for 4 minutes, not longer",
			 req_5_closing),
		rfc_test("REQ-5a: the time-outs can be set", req_5a),
		rfc_test("REQ-6: no helper touches TCP unless it was enabled", req_6),
		rfc_test("REQ-6: the helper for FTP can be enabled and disabled", req_6_ftp),
		rfc_test("NOT MET REQ-7: hosts share an alias port when their remotes differ",
			 req_7),
		rfc_test("REQ-8: a host reaches its neighbour by a redirect", req_8),
		rfc_test("REQ-8a: the neighbour sees the external address and port", req_8a),
		rfc_test("REQ-9: destination unreachable is translated", req_9),
		rfc_test("REQ-10: no ICMP message ends a connection", req_10),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
