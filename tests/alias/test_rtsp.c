/* SPDX-License-Identifier: BSD-2-Clause */
/* RTSP: the ports of media, of a client inside and of a server inside. */
#include "stream.h"

#define OPTIONS "OPTIONS rtsp://203.0.113.7/a RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: openRTSP\r\n\r\n"
#define SETUP_OF(transport)                                                                   \
	"SETUP rtsp://203.0.113.7/a/track1 RTSP/1.0\r\nCSeq: 3\r\n"                           \
	"User-Agent: openRTSP (LIVE555 Streaming Media v2020.01.19)\r\nTransport: " transport \
	"\r\n\r\n"
#define SETUP SETUP_OF("RTP/AVP;unicast;client_port=5000-5001")
#define ANSWER_OF(transport)                                             \
	"RTSP/1.0 200 OK\r\nCSeq: 3\r\nDate: Sat, Nov 21 2026 10:00:00 " \
	"GMT\r\nTransport: " transport "\r\nSession: 4FC3FE0B;timeout=65\r\n\r\n"

static int rtsp_setup(void **state)
{
	stream_setup(state, "rtsp");
	/* That the numbers differ is what has to be seen. */
	LibAliasSetAliasPortRange(((struct net *)*state)->la, 40000, 40999);
	return 0;
}

#define rtsp_test(f) cmocka_unit_test_setup_teardown(f, rtsp_setup, net_teardown)

/* The first number behind what. */
static uint16_t port_of(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	assert_non_null(at);
	return (uint16_t)atoi(at + strlen(what));
}

static void a_clients_ports_are_those_of_the_alias(void **state)
{
	struct stream *s = *state;
	char text[512];
	uint16_t port;

	deny_incoming(&s->net);
	stream_connect(s, 554);
	assert_string_equal(stream_say(s, OPTIONS), OPTIONS);
	port = port_of(stream_say(s, SETUP), "client_port=");
	assert_true(port >= 40000 && port % 2 == 0);
	snprintf(text, sizeof(text), "client_port=%u-%u\r\n", port, port + 1);
	assert_non_null(strstr(packet_text(s->net.packet), text));
	assert_true(sums_right(s->net.packet));
	assert_int_equal(udp_in(&s->net, ENDS("203.0.113.8", 6970, ALIAS, port)),
			 PKT_ALIAS_IGNORED);
	assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 6970, ALIAS, port)), PKT_ALIAS_OK);
	assert_ends(s->net.packet, REMOTE, 6970, INSIDE, 5000);
	udp_in(&s->net, ENDS(REMOTE, 6971, ALIAS, (uint16_t)(port + 1)));
	assert_ends(s->net.packet, REMOTE, 6971, INSIDE, 5001);
	udp_out(&s->net, ENDS(INSIDE, 5001, REMOTE, 6971));
	assert_ends(s->net.packet, ALIAS, (uint16_t)(port + 1), REMOTE, 6971);
}

static void the_answer_has_the_clients_own_ports(void **state)
{
	struct stream *s = *state;
	char text[512];
	uint16_t port;

	stream_connect(s, 554);
	port = port_of(stream_say(s, SETUP), "client_port=");
	snprintf(text, sizeof(text),
		 ANSWER_OF("RTP/AVP;unicast;destination=198.51.100.1;source=203.0.113.7;"
			   "client_port=%u-%u;server_port=6970-6971"),
		 port, port + 1);
	assert_string_equal(stream_hear(s, text),
			    ANSWER_OF("RTP/AVP;unicast;destination=10.0.0.2;source=203.0.113.7;"
				      "client_port=5000-5001;server_port=6970-6971"));
}

static void alternatives_blanks_and_single_ports_are_understood(void **state)
{
	struct stream *s = *state;
	uint16_t one, pair;
	char text[512];

	stream_connect(s, 7070);
	pair = port_of(stream_say(s, SETUP_OF("RTP/AVP/TCP;unicast;interleaved=0-1, "
					      "RTP/AVP;unicast;client_port=5000-5001;mode=play,"
					      "x-real-rdt/udp; client_port=6970;mode=\"PLAY\"")),
		       "client_port=");
	one = port_of(packet_text(s->net.packet), "rdt/udp; client_port=");
	snprintf(text, sizeof(text),
		 SETUP_OF("RTP/AVP/TCP;unicast;interleaved=0-1, "
			  "RTP/AVP;unicast;client_port=%u-%u;mode=play,"
			  "x-real-rdt/udp; client_port=%u;mode=\"PLAY\""),
		 pair, pair + 1, one);
	assert_string_equal(packet_text(s->net.packet), text);
	assert_int_equal(expectations(&s->net), 3);
}

static void a_servers_ports_and_source_are_those_of_the_alias(void **state)
{
	struct stream *s = *state;
	uint16_t port;
	char text[512];

	deny_incoming(&s->net);
	stream_accept(s, 554);
	assert_string_equal(stream_hear(s, SETUP), SETUP);
	port = port_of(stream_say(s, ANSWER_OF("RTP/AVP;unicast;destination=203.0.113.7;"
					       "source=10.0.0.2;client_port=5000-5001;"
					       "server_port=6970-6971")),
		       "server_port=");
	assert_true(port >= 40000 && port % 2 == 0);
	snprintf(text, sizeof(text),
		 ANSWER_OF("RTP/AVP;unicast;destination=203.0.113.7;source=198.51.100.1;"
			   "client_port=5000-5001;server_port=%u-%u"),
		 port, port + 1);
	assert_string_equal(packet_text(s->net.packet), text);
	udp_out(&s->net, ENDS(INSIDE, 6970, REMOTE, 5000));
	assert_ends(s->net.packet, ALIAS, port, REMOTE, 5000);
	assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 5001, ALIAS, (uint16_t)(port + 1))),
			 PKT_ALIAS_OK);
	assert_ends(s->net.packet, REMOTE, 5001, INSIDE, 6971);
	/* A refusal has no ports. */
	assert_string_equal(stream_say(s, "RTSP/1.0 461 Unsupported Transport\r\nCSeq: 4\r\n"
					  "Transport: RTP/AVP;server_port=7000-7001\r\n\r\n"),
			    "RTSP/1.0 461 Unsupported Transport\r\nCSeq: 4\r\n"
			    "Transport: RTP/AVP;server_port=7000-7001\r\n\r\n");
}

static void media_in_the_connection_are_skipped(void **state)
{
	struct stream *s = *state;
	static const char media[] = "$\001\001\013" SETUP;
	uint32_t seq;

	stream_connect(s, 554);
	stream_say(s, OPTIONS);
	/* 267 bytes, in which something that looks like a request is at a segment's start. */
	seq = s->tcp.seq;
	build_tcp(s->net.packet, s->tcp.out, TH_ACK, seq, s->tcp.ack, media, 4);
	send_out(&s->net);
	s->tcp.seq += 4;
	assert_string_equal(stream_say(s, SETUP), SETUP);
	assert_int_equal(expectations(&s->net), 0);
	s->tcp.seq = seq + 4 + 267;
	assert_string_not_equal(stream_say(s, SETUP), SETUP);
	assert_int_equal(expectations(&s->net), 2);
}

static void a_body_is_skipped(void **state)
{
	struct stream *s = *state;
	char text[512];

	stream_connect(s, 554);
	stream_say(s, OPTIONS);
	snprintf(text, sizeof(text),
		 "ANNOUNCE rtsp://203.0.113.7/a RTSP/1.0\r\nContent-Length: %zu\r\n\r\n",
		 strlen(SETUP));
	assert_string_equal(stream_say(s, text), text);
	assert_string_equal(stream_say(s, SETUP), SETUP);
	assert_string_not_equal(stream_say(s, SETUP), SETUP);
}

static void what_names_others_or_low_ports_is_left_alone(void **state)
{
	static const char *const requests[] = {
		SETUP_OF("RTP/AVP;unicast;client_port=1022-1023"),
		SETUP_OF("RTP/AVP;unicast;client_port=5000-6000"),
		SETUP_OF("RTP/AVP;unicast;client_port=5001-5000"),
		SETUP_OF("RTP/AVP;unicast;client_port=5000-70000"),
		SETUP_OF("RTP/AVP;unicast;client_port=70000"),
		SETUP_OF("RTP/AVP;unicast;client_port=5000-5001x"),
		SETUP_OF("RTP/AVP;unicast;client_port="),
		SETUP_OF("RTP/AVP;unicast;destination=10.0.0.3"),
		SETUP_OF("RTP/AVP;multicast;client_port=5000-5001"),
		SETUP_OF("RTP/AVP/TCP;unicast;interleaved=0-1"),
		"PLAY rtsp://203.0.113.7/a RTSP/1.0\r\nTransport: RTP/AVP;client_port=5000\r\n\r\n",
		"RTSP/1.0 200 OK\r\nTransport: RTP/AVP;client_port=5000;server_port=5002\r\n\r\n",
	};
	struct stream *s = *state;

	stream_connect(s, 554);
	stream_say(s, OPTIONS);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		assert_string_equal(stream_say(s, requests[i]), requests[i]);
	assert_int_equal(expectations(&s->net), 0);
}

static void a_request_can_be_split_anywhere(void **state)
{
	struct stream *s = *state;

	LibAliasSetAliasPortRange(s->net.la, 0, 0);
	stream_split_anywhere(s, 554, OPTIONS, SETUP_OF("RTP/AVP;client_port=5000-5001"),
			      SETUP_OF("RTP/AVP;client_port=5000-5001"));
	assert_int_equal(expectations(&s->net), 2);
	stream_split_anywhere(s, 554, OPTIONS, SETUP_OF("RTP/AVP;destination=10.0.0.2"),
			      SETUP_OF("RTP/AVP;destination=198.51.100.1"));
}

static void a_web_page_cannot_set_up(void **state)
{
	stream_refuses_web(*state, 554, SETUP);
}

/* A long first line, in a buffer that does not let it be put together. */
static void a_web_page_with_a_long_address_cannot_set_up_either(void **state)
{
	struct stream *s = *state;
	char line[1401];

	stream_connect(s, 554);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "OPTIONS /", 9);
	for (int i = 0; i < 4; i++) {
		build_tcp(s->net.packet, s->tcp.out, TH_ACK, s->tcp.seq, s->tcp.ack, line,
			  strlen(line));
		LibAliasOut(s->net.la, s->net.packet, 1500);
		s->tcp.seq += (uint32_t)strlen(line);
		memset(line, 'x', 9);
	}
	assert_string_equal(stream_say(s, SETUP), SETUP);
	assert_int_equal(expectations(&s->net), 0);
}

static void a_request_that_has_no_room_to_grow_goes_unchanged(void **state)
{
	struct stream *s = *state;
	static const char request[] =
		SETUP_OF("RTP/AVP;client_port=5000-5001;destination=10.0.0.2");

	LibAliasSetAliasPortRange(s->net.la, 0, 0);
	stream_connect(s, 554);
	build_tcp(s->net.packet, s->tcp.out, TH_ACK, s->tcp.seq, s->tcp.ack, request,
		  strlen(request));
	assert_int_equal(LibAliasOut(s->net.la, s->net.packet, (int)(40 + strlen(request) + 3)),
			 PKT_ALIAS_OK);
	assert_string_equal(packet_text(s->net.packet), request);
	assert_true(sums_right(s->net.packet));
	assert_int_equal(expectations(&s->net), 0);
}

static void set_ups_are_limited(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 554);
	stream_flood(s, 5000,
		     "SETUP rtsp://203.0.113.7/ RTSP/1.0\r\nTransport: RTP/AVP;client_port=",
		     "\r\n\r\n");
}

static void sent_again_with_other_content_opens_nothing_more(void **state)
{
	struct stream *s = *state;
	uint32_t seq;

	stream_connect(s, 554);
	stream_say(s, OPTIONS);
	seq = s->tcp.seq;
	stream_say(s, SETUP);
	assert_int_equal(expectations(&s->net), 2);
	s->tcp.seq = seq;
	stream_say(s, SETUP_OF("RTP/AVP;unicast;client_port=50000-50001"));
	assert_int_equal(expectations(&s->net), 2);
}

static void two_lengths_are_none(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 554);
	stream_say(s, "OPTIONS * RTSP/1.0\r\nContent-Length: 0\r\nContent-Length: 4\r\n\r\n");
	assert_string_equal(stream_say(s, SETUP), SETUP);
}

static void a_set_up_outlives_the_process(void **state)
{
	struct stream *s = *state;
	char text[512];
	uint16_t port;

	deny_incoming(&s->net);
	stream_connect(s, 554);
	stream_say(s, OPTIONS);
	port = port_of(stream_say(s, SETUP), "client_port=");
	net_restart(&s->net);
	snprintf(text, sizeof(text), ANSWER_OF("RTP/AVP;unicast;client_port=%u-%u"), port,
		 port + 1);
	assert_string_equal(stream_hear(s, text),
			    ANSWER_OF("RTP/AVP;unicast;client_port=5000-5001"));
	assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 6971, ALIAS, (uint16_t)(port + 1))),
			 PKT_ALIAS_OK);
	assert_ends(s->net.packet, REMOTE, 6971, INSIDE, 5001);
	assert_int_not_equal(
		port_of(stream_say(s, SETUP_OF("RTP/AVP;unicast;client_port=5002-5003")),
			"client_port="),
		5002);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rtsp_test(a_clients_ports_are_those_of_the_alias),
		rtsp_test(a_set_up_outlives_the_process),
		rtsp_test(the_answer_has_the_clients_own_ports),
		rtsp_test(alternatives_blanks_and_single_ports_are_understood),
		rtsp_test(a_servers_ports_and_source_are_those_of_the_alias),
		rtsp_test(media_in_the_connection_are_skipped),
		rtsp_test(a_body_is_skipped),
		rtsp_test(what_names_others_or_low_ports_is_left_alone),
		rtsp_test(a_request_can_be_split_anywhere),
		rtsp_test(a_web_page_cannot_set_up),
		rtsp_test(a_web_page_with_a_long_address_cannot_set_up_either),
		rtsp_test(a_request_that_has_no_room_to_grow_goes_unchanged),
		rtsp_test(set_ups_are_limited),
		rtsp_test(sent_again_with_other_content_opens_nothing_more),
		rtsp_test(two_lengths_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
