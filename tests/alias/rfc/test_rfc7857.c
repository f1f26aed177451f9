/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RFC 7857, updates to the three others.  It has no numbers but its sections': the names have
 * those.
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

/* How long the only link would last from now on. */
static unsigned int remaining(struct net *net)
{
	struct alias_link_info info;
	unsigned int cursor = 0;

	assert_int_equal(LibAliasNextLink(net->la, &cursor, &info), 1);
	return info.timeout;
}

static void section_2(void **state)
{
	struct net *net = *state;
	unsigned int opening = LibAliasGetTimeout(net->la, ALIAS_TIMEOUT_TCP_OPENING);
	unsigned int established = LibAliasGetTimeout(net->la, ALIAS_TIMEOUT_TCP_ESTABLISHED);
	unsigned int closing = LibAliasGetTimeout(net->la, ALIAS_TIMEOUT_TCP_CLOSING);

	tcp_out(net, ours, TH_SYN);
	assert_int_equal(remaining(net), opening);
	tcp_in(net, theirs, TH_SYN | TH_ACK);
	tcp_out(net, ours, TH_ACK);
	assert_int_equal(remaining(net), established);
	tcp_in(net, theirs, TH_FIN | TH_ACK);
	assert_int_equal(remaining(net), established);
	tcp_out(net, ours, TH_FIN | TH_ACK);
	assert_int_equal(remaining(net), closing);
	tcp_in(net, theirs, TH_ACK);
	assert_int_equal(remaining(net), closing);
}

static void section_2_half_open(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), addr(ANY), 0, addr(ANY), htons(8080),
			     IPPROTO_TCP);
	/* A stranger who never hears the answer, sending whatever he likes. */
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 8080), TH_SYN);
	tcp_out(net, ENDS(INSIDE, 80, REMOTE, 5000), TH_SYN | TH_ACK);
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 8080), TH_SYN);
	assert_int_equal(remaining(net), 240);
}

/* A connection from REMOTE:5000 to INSIDE:80, alias port 8080; the inside's numbers begin at 1000.
 */
static void answer_syn(struct net *net)
{
	LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), addr(ANY), 0, addr(ANY), htons(8080),
			     IPPROTO_TCP);
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 8080), TH_SYN);
	build_tcp(net->packet, ENDS(INSIDE, 80, REMOTE, 5000), TH_SYN | TH_ACK, 1000, 2, NULL, 0);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
}

static void stranger_acks(struct net *net, uint32_t number)
{
	build_tcp(net->packet, ENDS(REMOTE, 5000, ALIAS, 8080), TH_ACK, 2, number, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
}

static void section_2_guessed(void **state)
{
	struct net *net = *state;

	answer_syn(net);
	stranger_acks(net, 1);
	stranger_acks(net, 1000);
	stranger_acks(net, 1001 + 65536);
	assert_int_equal(remaining(net), 240);
	/* The inside may answer what it cannot accept (RFC 9293, 3.10.7.4). */
	build_tcp(net->packet, ENDS(INSIDE, 80, REMOTE, 5000), TH_ACK, 1001, 2, NULL, 0);
	send_out(net);
	assert_int_equal(remaining(net), 240);
	stranger_acks(net, 1001);
	assert_int_equal(remaining(net), 86400);
}

static void section_2_early(void **state)
{
	struct net *net = *state;

	/* Acknowledged before there is anything: that does not count later. */
	LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), addr(ANY), 0, addr(ANY), htons(8080),
			     IPPROTO_TCP);
	tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 8080), TH_SYN);
	stranger_acks(net, 1001);
	answer_syn(net);
	assert_int_equal(remaining(net), 240);
}

static void section_2_data(void **state)
{
	struct net *net = *state;

	/* Only the first answer's number was noted, and the opener acknowledged a later one. */
	answer_syn(net);
	build_tcp(net->packet, ENDS(INSIDE, 80, REMOTE, 5000), TH_ACK | TH_PUSH, 900001, 2, "x", 1);
	send_out(net);
	assert_int_equal(remaining(net), 86400);
}

static void section_2_picked_up(void **state)
{
	struct net *net = *state;

	/* A connection that was there before the NAT. */
	tcp_out(net, ours, TH_ACK);
	assert_int_equal(remaining(net), 240);
	tcp_in(net, theirs, TH_ACK);
	assert_int_equal(remaining(net), 86400);
}

static void section_2_turned(void **state)
{
	struct net *net = *state;

	/* Closed, then opened by the other side: that one has to acknowledge. */
	open_outgoing(net);
	tcp_out(net, ours, TH_RST);
	tcp_in(net, theirs, TH_SYN);
	tcp_out(net, ours, TH_SYN | TH_ACK);
	assert_int_equal(remaining(net), 240);
	tcp_in(net, theirs, TH_ACK);
	assert_int_equal(remaining(net), 86400);
}

static void section_2_unanswered(void **state)
{
	struct net *net = *state;

	tcp_out(net, ours, TH_SYN);
	tcp_out(net, ours, TH_ACK);
	tcp_out(net, ours, TH_ACK | TH_PUSH);
	assert_int_equal(remaining(net), 240);
}

static void section_2_1_separate(void **state)
{
	struct net *net = *state;

	assert_int_equal(LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_TCP_OPENING, 30), 0);
	assert_int_equal(LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_TCP_CLOSING, 600), 0);
	tcp_out(net, ours, TH_SYN);
	assert_int_equal(remaining(net), 30);
	tcp_in(net, theirs, TH_SYN | TH_ACK);
	tcp_out(net, ours, TH_ACK);
	tcp_out(net, ours, TH_FIN | TH_ACK);
	tcp_in(net, theirs, TH_FIN | TH_ACK);
	assert_int_equal(remaining(net), 600);
}

static void section_2_1_default(void **state)
{
	struct net *net = *state;

	assert_true(LibAliasGetTimeout(net->la, ALIAS_TIMEOUT_TCP_OPENING) >= 240);
	tcp_out(net, ours, TH_SYN);
	rfc_wait(net, 240);
	assert_int_equal(tcp_in(net, theirs, TH_SYN | TH_ACK), PKT_ALIAS_OK);
}

static void section_2_2_rst(void **state)
{
	struct net *net = *state;

	open_outgoing(net);
	assert_int_equal(tcp_in(net, theirs, TH_RST), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
	assert_int_equal(remaining(net), 240);
	rfc_wait(net, 241);
	assert_int_equal(tcp_in(net, theirs, TH_ACK), PKT_ALIAS_IGNORED);
}

static void section_2_2_survived(void **state)
{
	struct net *net = *state;

	open_outgoing(net);
	tcp_in(net, theirs, TH_RST);
	rfc_wait(net, 200);
	assert_int_equal(tcp_out(net, ours, TH_ACK), PKT_ALIAS_OK);
	rfc_wait(net, 7440);
	assert_int_equal(tcp_in(net, theirs, TH_ACK), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 80, INSIDE, 4000);
}

static void section_3(void **state)
{
	struct net *net = *state;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(OTHER, 4000, REMOTE2, 53));
	assert_ends(net->packet, ALIAS, 4000, REMOTE2, 53);
	udp_in(net, ENDS(REMOTE2, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE2, 53, OTHER, 4000);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
}

static void section_5(void **state)
{
	struct net *net = *state;

	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	tcp_out(net, ENDS(OTHER, 4000, REMOTE, 53), TH_SYN);
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 53);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
	tcp_in(net, ENDS(REMOTE, 53, ALIAS, 4000), TH_SYN | TH_ACK);
	assert_ends(net->packet, REMOTE, 53, OTHER, 4000);
}

static void section_6(void **state)
{
	struct net *net = *state;

	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(udp_in(net, ENDS(REMOTE2, 53, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_int_equal(tcp_in(net, ENDS(REMOTE2, 53, ALIAS, 4000), TH_SYN), PKT_ALIAS_IGNORED);
}

static void section_7(void **state)
{
	struct net *net = *state;

	/* What the filter drops does not keep the mapping that it was after alive. */
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	rfc_wait(net, 200);
	assert_int_equal(udp_in(net, ENDS(REMOTE2, 53, ALIAS, 4000)), PKT_ALIAS_IGNORED);
	assert_int_equal(remaining(net), 100);
}

static void section_7_eim(void **state)
{
	struct net *net = *state;

	/* Nobody asked the remotes of an endpoint-independent mapping: they pass, and no more. */
	rfc_mode(net, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	rfc_wait(net, 200);
	assert_int_equal(udp_in(net, ENDS(REMOTE2, 9, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_int_equal(remaining(net), 100);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE2, 9));
	assert_int_equal(remaining(net), 300);
}

static void section_7_1_icmp(void **state)
{
	struct net *net = *state;
	uint8_t got[64];

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	memcpy(got, net->packet, 33);
	rfc_wait(net, 200);
	build_error(net->packet, ICMP_DEST_UNREACH, INSIDE, REMOTE, got, 33);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_int_equal(remaining(net), 100);
}

static void section_7_1_rst(void **state)
{
	struct net *net = *state;

	open_outgoing(net);
	tcp_out(net, ours, TH_RST);
	assert_int_equal(remaining(net), 240);
	rfc_wait(net, 200);
	tcp_out(net, ours, TH_RST);
	assert_int_equal(remaining(net), 40);
	rfc_wait(net, 41);
	assert_int_equal(tcp_in(net, theirs, TH_ACK), PKT_ALIAS_IGNORED);
}

static void section_8(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(INSIDE), htons(4001), addr(ANY), 0, addr(ANY),
			     htons(5003), IPPROTO_UDP);
	udp_out(net, ENDS(INSIDE, 4001, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 5003, REMOTE, 53);
}

/* The alias ports of hosts that all want the same one, most of which cannot have it. */
static void collect_ports(struct net *net, uint16_t *ports, uint8_t n)
{
	char text[INET_ADDRSTRLEN];

	for (uint8_t i = 0; i < n; i++) {
		rfc_host(text, i);
		assert_int_equal(udp_out(net, ENDS(text, 4000, REMOTE, 53)), PKT_ALIAS_OK);
		ports[i] = source_port(net->packet);
	}
}

/* Far from each other in turn, and all over the range: 64 random ones fail in one run of 2^50. */
static void assert_scattered(const uint16_t *ports, int n)
{
	uint16_t low = UINT16_MAX, high = 0;
	int near = 0;

	for (int i = 0; i < n; i++) {
		low = ports[i] < low ? ports[i] : low;
		high = ports[i] > high ? ports[i] : high;
		near += i && abs(ports[i] - ports[i - 1]) < 64;
	}
	assert_true(high - low > 32768);
	assert_true(near < n / 4);
}

static void section_9(void **state)
{
	struct net *net = *state;
	uint16_t ports[2][64];

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	collect_ports(net, ports[0], 64);
	assert_scattered(ports[0], 64);
	assert_non_null(LibAliasInit(net->la));
	LibAliasSetAddress(net->la, addr(ALIAS));
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	collect_ports(net, ports[1], 64);
	assert_memory_not_equal(ports[0], ports[1], sizeof(ports[0]));
}

static void section_9_preserving(void **state)
{
	struct net *net = *state;
	uint16_t ports[65];

	collect_ports(net, ports, 65);
	assert_int_equal(ports[0], 4000);
	assert_scattered(ports + 1, 64);
}

static void section_10(void **state)
{
	struct net *net = *state;
	uint8_t id[2];

	/* Both packets have the builder's id; so have they when they leave from one address. */
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	memcpy(id, net->packet + 4, 2);
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	assert_memory_equal(net->packet + 4, id, 2);
}

static void section_12(void **state)
{
	struct net *net = *state;

	LibAliasRedirectAddr(net->la, addr(OTHER), addr("198.51.100.9"));
	build_echo(net->packet, ICMP_ECHO, INSIDE, "198.51.100.9", 77);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 77, OTHER, 77);
	build_echo(net->packet, ICMP_ECHO, REMOTE, "198.51.100.9", 77);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 77, OTHER, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rfc_test("2: a connection is opening, established, then closing", section_2),
		rfc_test("2: a handshake that the remote never finishes stays opening",
			 section_2_half_open),
		rfc_test("2: an ACK without the right number establishes nothing",
			 section_2_guessed),
		rfc_test("2: an ACK before the answer establishes nothing", section_2_early),
		rfc_test("2: data of the answering side shows that a connection is established",
			 section_2_data),
		rfc_test("2: a connection from before is established by an ACK from each side",
			 section_2_picked_up),
		rfc_test("2: a connection opened again by the other side waits for its ACK",
			 section_2_turned),
		rfc_test("2: a connection that nobody answers stays opening", section_2_unanswered),
		rfc_test("2.1: opening and closing have time-outs of their own",
			 section_2_1_separate),
		rfc_test("2.1: the default for opening is four minutes", section_2_1_default),
		rfc_test("2.2: a RST is translated and the link waits for four minutes",
			 section_2_2_rst),
		rfc_test("2.2: a connection that goes on after a RST lives on",
			 section_2_2_survived),
		rfc_test("3: hosts share an alias port when their remotes differ", section_3),
		rfc_test("5: a UDP mapping is no TCP mapping", section_5),
		rfc_test("6: what UDP's filter lets in, TCP's does not", section_6),
		rfc_test("7: packets that are filtered keep nothing alive", section_7),
		rfc_test("7: packets to an endpoint-independent mapping keep nothing alive",
			 section_7_eim),
		rfc_test("7.1: outgoing ICMP errors keep nothing alive", section_7_1_icmp),
		rfc_test("7.1: an outgoing RST keeps nothing alive", section_7_1_rst),
		rfc_test("8: a redirect fixes the port, and its parity", section_8),
		rfc_test("9: ports are random", section_9),
		rfc_test("9: ports are random where the local one cannot be kept",
			 section_9_preserving),
		rfc_test("NOT MET 10: the IP identification stays as the host chose it",
			 section_10),
		rfc_test("12: a query to a host's alias address reaches it, from inside as well",
			 section_12),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
