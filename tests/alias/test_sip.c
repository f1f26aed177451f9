/* SPDX-License-Identifier: BSD-2-Clause */
/* SIP: calls from and to a phone inside, over UDP and TCP, with sipp's messages. */
#include "stream.h"

#define SDP(address, port)                                                                  \
	"v=0\r\no=user1 53655765 2353687637 IN IP4 " address "\r\ns=-\r\nc=IN IP4 " address \
	"\r\nt=0 0\r\nm=audio " port " RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

#define INVITE(address, sip, length, media)                             \
	"INVITE sip:service@203.0.113.7:5060 SIP/2.0\r\n"               \
	"Via: SIP/2.0/UDP " address ":" sip ";branch=z9hG4bK-1-1-0\r\n" \
	"From: sipp <sip:sipp@10.0.0.2:5060>;tag=1SIPpTag001\r\n"       \
	"To: service <sip:service@203.0.113.7:5060>\r\n"                \
	"Call-ID: 1-1@10.0.0.2\r\nCSeq: 1 INVITE\r\n"                   \
	"Contact: sip:sipp@" address ":" sip "\r\n"                     \
	"Max-Forwards: 70\r\nSubject: Performance Test\r\n"             \
	"Content-Type: application/sdp\r\nContent-Length: " length "\r\n\r\n" SDP(address, media)

#define INSIDE_INVITE INVITE(INSIDE, "5060", "  127", "6000")

#define BYE(via)                                                            \
	"BYE sip:service@203.0.113.7:5060 SIP/2.0\r\nVia: SIP/2.0/UDP " via \
	";branch=z9hG4bK-1-1-7\r\nCSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n"

static int sip_setup(void **state)
{
	return stream_setup(state, "sip");
}

#define sip_test(f) cmocka_unit_test_setup_teardown(f, sip_setup, net_teardown)

static const char *udp_text(struct net *net)
{
	static char text[65536];
	size_t len = total_length(net->packet) - 28u;

	memcpy(text, net->packet + 28, len);
	text[len] = '\0';
	return text;
}

/* A datagram of the phone to the proxy, or of the proxy to the phone's alias. */
static const char *phone_says(struct stream *s, const char *text)
{
	build_udp(s->net.packet, ENDS(INSIDE, 5060, REMOTE, 5060), text, strlen(text));
	assert_int_equal(send_out(&s->net), PKT_ALIAS_OK);
	return udp_text(&s->net);
}

static const char *phone_hears(struct stream *s, uint16_t port, const char *text)
{
	build_udp(s->net.packet, ENDS(REMOTE, 5060, ALIAS, port), text, strlen(text));
	assert_int_equal(send_in(&s->net), PKT_ALIAS_OK);
	return udp_text(&s->net);
}

/* The first number behind what. */
static uint16_t port_of(const char *text, const char *what)
{
	const char *at = strstr(text, what);

	assert_non_null(at);
	return (uint16_t)atoi(at + strlen(what));
}

/* The body is as long as the header says. */
static void assert_length(const char *text)
{
	const char *body = strstr(text, "\r\n\r\n");

	assert_non_null(body);
	assert_int_equal(port_of(text, "Content-Length:"), strlen(body + 4));
}

static void a_call_from_inside(void **state)
{
	struct stream *s = *state;

	deny_incoming(&s->net);
	assert_string_equal(phone_says(s, INSIDE_INVITE), INVITE(ALIAS, "5060", "135", "6000"));
	assert_length(udp_text(&s->net));
	/* An answer has the phone's own Via again. */
	assert_string_equal(
		phone_hears(s, 5060,
			    "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9;"
			    "received=198.51.100.1;rport=5060\r\nCSeq: 1 INVITE\r\n"
			    "Contact: <sip:203.0.113.7:5060;transport=UDP>\r\n"
			    "Content-Length: 0\r\n\r\n"),
		"SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9;"
		"received=10.0.0.2;rport=5060\r\nCSeq: 1 INVITE\r\n"
		"Contact: <sip:203.0.113.7:5060;transport=UDP>\r\n"
		"Content-Length: 0\r\n\r\n");
	/* The other end's description stays, media come from where it likes. */
	phone_hears(s, 5060,
		    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.51.100.1:5060\r\nCSeq: 1 INVITE\r\n"
		    "Content-Type: application/sdp\r\nContent-Length: 133\r\n\r\n" SDP(
			    "203.0.113.9", "7000"));
	assert_non_null(strstr(udp_text(&s->net), SDP("203.0.113.9", "7000")));
	udp_out(&s->net, ENDS(INSIDE, 6000, "203.0.113.9", 7000));
	assert_ends(s->net.packet, ALIAS, 6000, "203.0.113.9", 7000);
	assert_int_equal(udp_in(&s->net, ENDS("203.0.113.9", 7000, ALIAS, 6000)), PKT_ALIAS_OK);
	assert_int_equal(udp_in(&s->net, ENDS("203.0.113.9", 7001, ALIAS, 6001)), PKT_ALIAS_OK);
	assert_ends(s->net.packet, "203.0.113.9", 7001, INSIDE, 6001);
	assert_string_equal(phone_says(s, BYE("10.0.0.2:5060")), BYE("198.51.100.1:5060"));
}

static void ports_that_the_alias_has_not_are_replaced_by_others(void **state)
{
	struct stream *s = *state;
	uint16_t sip, media, via;
	char text[256];

	deny_incoming(&s->net);
	LibAliasSetAliasPortRange(s->net.la, 40000, 40999);
	phone_says(s, INSIDE_INVITE);
	assert_length(udp_text(&s->net));
	sip = source_port(s->net.packet);
	via = port_of(udp_text(&s->net), "UDP 198.51.100.1:");
	assert_int_equal(via, sip);
	assert_int_equal(port_of(udp_text(&s->net), "Contact: sip:sipp@198.51.100.1:"), sip);
	media = port_of(udp_text(&s->net), "m=audio ");
	assert_true(media >= 40000 && media % 2 == 0);
	/* Sent again it is the same. */
	phone_says(s, INSIDE_INVITE);
	assert_int_equal(port_of(udp_text(&s->net), "m=audio "), media);
	assert_int_equal(expectations(&s->net), 2);
	udp_in(&s->net, ENDS("203.0.113.9", 7001, ALIAS, (uint16_t)(media + 1)));
	assert_ends(s->net.packet, "203.0.113.9", 7001, INSIDE, 6001);
	/* The peer hangs up. */
	snprintf(text, sizeof(text),
		 "BYE sip:sipp@198.51.100.1:%u SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.7:5060\r\n"
		 "CSeq: 9 BYE\r\n\r\n",
		 sip);
	assert_string_equal(phone_hears(s, sip, text),
			    "BYE sip:sipp@10.0.0.2:5060 SIP/2.0\r\nVia: SIP/2.0/UDP "
			    "203.0.113.7:5060\r\nCSeq: 9 BYE\r\n\r\n");
	snprintf(text, sizeof(text),
		 "SIP/2.0 200 OK\r\nv: SIP/2.0/UDP 198.51.100.1:%u;rport=%u\r\n\r\n", sip, sip);
	assert_string_equal(phone_hears(s, sip, text),
			    "SIP/2.0 200 OK\r\nv: SIP/2.0/UDP 10.0.0.2:5060;rport=5060\r\n\r\n");
}

static void a_call_to_a_phone_behind_a_redirect(void **state)
{
	struct stream *s = *state;
	static const char answer[] =
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 203.0.113.7:5060\r\n"
		"Contact: <sip:10.0.0.2:5060;transport=UDP>\r\n"
		"Content-Type: application/sdp\r\nContent-Length: 127\r\n\r\n" SDP(INSIDE, "6000");

	deny_incoming(&s->net);
	LibAliasRedirectPort(s->net.la, addr(INSIDE), htons(5060), addr("0.0.0.0"), 0,
			     addr("0.0.0.0"), htons(5060), IPPROTO_UDP);
	assert_string_equal(phone_hears(s, 5060,
					"INVITE sip:service@198.51.100.1:5060 SIP/2.0\r\n"
					"Via: SIP/2.0/UDP 203.0.113.7:5060\r\n\r\n"),
			    "INVITE sip:service@10.0.0.2:5060 SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP 203.0.113.7:5060\r\n\r\n");
	phone_says(s, answer);
	assert_non_null(strstr(udp_text(&s->net), "<sip:198.51.100.1:5060;transport=UDP>"));
	assert_non_null(strstr(udp_text(&s->net), SDP(ALIAS, "6000")));
	assert_length(udp_text(&s->net));
	assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 7000, ALIAS, 6000)), PKT_ALIAS_OK);
	assert_ends(s->net.packet, REMOTE, 7000, INSIDE, 6000);
	assert_string_equal(phone_hears(s, 5060, "BYE sip:198.51.100.1 SIP/2.0\r\n\r\n"),
			    "BYE sip:10.0.0.2 SIP/2.0\r\n\r\n");
}

static void a_registration_tells_the_contact_and_gets_it_back(void **state)
{
	struct stream *s = *state;
	char text[512];
	uint16_t port;

	LibAliasSetAliasPortRange(s->net.la, 40000, 40999);
	deny_incoming(&s->net);
	/* A contact at another port than the phone speaks from, and short names of fields. */
	phone_says(s, "REGISTER sip:example.org SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.2;rport\r\n"
		      "From: <sip:a@example.org>\r\nm: \"a\" <sip:a@10.0.0.2:5070>;expires=60\r\n"
		      "l: 0\r\n\r\n");
	port = port_of(udp_text(&s->net), "<sip:a@198.51.100.1:");
	assert_int_not_equal(port, source_port(s->net.packet));
	assert_int_equal(port_of(udp_text(&s->net), "UDP 198.51.100.1:"),
			 source_port(s->net.packet));
	snprintf(text, sizeof(text),
		 "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.51.100.1:%u\r\n"
		 "Contact: <sip:a@198.51.100.1:%u>;expires=60\r\n\r\n",
		 source_port(s->net.packet), port);
	assert_string_equal(phone_hears(s, source_port(s->net.packet), text),
			    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060\r\n"
			    "Contact: <sip:a@10.0.0.2:5070>;expires=60\r\n\r\n");
	/* There it is called, by the registrar only. */
	assert_int_equal(udp_in(&s->net, ENDS("203.0.113.8", 5060, ALIAS, port)),
			 PKT_ALIAS_IGNORED);
	assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 5060, ALIAS, port)), PKT_ALIAS_OK);
	assert_ends(s->net.packet, REMOTE, 5060, INSIDE, 5070);
}

#define DESCRIBED(body, length)                                    \
	"ACK sip:x@203.0.113.7 SIP/2.0\r\nContent-Length: " length \
	"\r\nContent-Type: application/sdp\r\n\r\n" body

static void several_media_have_addresses_of_their_own(void **state)
{
	struct stream *s = *state;

	assert_string_equal(
		phone_says(s, DESCRIBED("v=0\no=- 1 1 IN IP4 10.0.0.2\nc=IN IP4 10.0.0.2\n"
					"m=audio 6000 RTP/SAVP 0\na=rtcp:6001\n"
					"m=video 6002/2 RTP/AVP 31\na=rtcp:6005 IN IP4 10.0.0.2\n"
					"m=audio 6100 RTP/AVP 0\nc=IN IP4 10.0.0.3\n"
					"m=image 6008 udptl t38\nc=IN IP4 10.0.0.2/127\n"
					"m=message 6010 TCP/MSRP *\nm=audio 0 RTP/AVP 0\n"
					"m=audio 80 RTP/AVP 0",
					"288")),
		DESCRIBED("v=0\no=- 1 1 IN IP4 198.51.100.1\nc=IN IP4 198.51.100.1\n"
			  "m=audio 6000 RTP/SAVP 0\na=rtcp:6001\n"
			  "m=video 6002/2 RTP/AVP 31\na=rtcp:6005 IN IP4 198.51.100.1\n"
			  "m=audio 6100 RTP/AVP 0\nc=IN IP4 10.0.0.3\n"
			  "m=image 6008 udptl t38\nc=IN IP4 198.51.100.1/127\n"
			  "m=message 6010 TCP/MSRP *\nm=audio 0 RTP/AVP 0\n"
			  "m=audio 80 RTP/AVP 0",
			  "304"));
	/* Two pairs, one for RTCP elsewhere, UDPTL and MSRP. */
	assert_int_equal(expectations(&s->net), 7);
	assert_int_equal(tcp_in(&s->net, ENDS(REMOTE, 1, ALIAS, 6010), TH_SYN), PKT_ALIAS_OK);
	assert_ends(s->net.packet, REMOTE, 1, INSIDE, 6010);
}

static void what_names_others_is_left_alone(void **state)
{
	static const char *const messages[] = {
		"INVITE sip:x@203.0.113.7 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.3:5060\r\n"
		"Contact: <sip:10.0.0.22>, <sip:110.0.0.2>, <sip:10.0.0.2.example>\r\n\r\n",
		DESCRIBED("v=0\r\nc=IN IP4 10.0.0.3\r\nm=audio 6000 RTP/AVP 0\r\n", "48"),
		DESCRIBED("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 6000 RTP/AVP 0\r\n", "47"),
		DESCRIBED("v=0\r\nm=audio 6000 RTP/AVP 0\r\n", "29"),
		"INVITE sip:x@203.0.113.7 SIP/2.0\r\nContact: <sip:10.0.0.2:80>\r\n\r\n",
		"INVITE sip:x@203.0.113.7 SIP/2.0\r\nX: y\r\nVia: SIP/2.0/UDP 10.0.0.2\r\n",
		"INVITE sip:x@203.0.113.7 HTTP/1.1\r\nVia: SIP/2.0/UDP 10.0.0.2\r\n\r\n",
		"Via: SIP/2.0/UDP 10.0.0.2\r\nINVITE sip:x@203.0.113.7 SIP/2.0\r\n\r\n",
		"INVITE sip:x@203.0.113.7 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2\r\nl: x\r\n\r\n",
		"\r\n\r\n",
		"",
		"\001\001",
	};
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		assert_string_equal(phone_says(s, messages[i]), messages[i]);
	assert_int_equal(expectations(&s->net), 0);
}

static void a_message_that_has_no_room_to_grow_goes_unchanged(void **state)
{
	struct stream *s = *state;
	size_t len = strlen(INSIDE_INVITE);

	phone_says(s, "\r\n");
	build_udp(s->net.packet, ENDS(INSIDE, 5060, REMOTE, 5060), INSIDE_INVITE, len);
	assert_int_equal(LibAliasOut(s->net.la, s->net.packet, (int)len + 30), PKT_ALIAS_OK);
	assert_true(sums_right(s->net.packet));
	assert_string_equal(udp_text(&s->net), INSIDE_INVITE);
	assert_int_equal(expectations(&s->net), 0);
}

/* The second call by another connection gets another alias port, since RTCP of the first is
 * awaited. */
static void media_move_to_the_port_of_the_next_call(void **state)
{
	struct stream *s = *state;
	uint16_t media;

	phone_says(s, INSIDE_INVITE);
	udp_out(&s->net, ENDS(INSIDE, 6000, REMOTE, 7000));
	assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 7000, ALIAS, 6000)), PKT_ALIAS_OK);
	build_udp(s->net.packet, ENDS(INSIDE, 5070, REMOTE, 5060), INSIDE_INVITE,
		  strlen(INSIDE_INVITE));
	assert_int_equal(send_out(&s->net), PKT_ALIAS_OK);
	media = port_of(udp_text(&s->net), "m=audio ");
	assert_int_not_equal(media, 6000);
	assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 7000, ALIAS, media)), PKT_ALIAS_OK);
	assert_ends(s->net.packet, REMOTE, 7000, INSIDE, 6000);
	udp_out(&s->net, ENDS(INSIDE, 6000, REMOTE, 7000));
	assert_ends(s->net.packet, ALIAS, media, REMOTE, 7000);
}

static void calls_are_limited(void **state)
{
	struct stream *s = *state;
	char text[1024];

	for (int i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text),
			 "INVITE sip:x@203.0.113.7 SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n"
			 "c=IN IP4 10.0.0.2\r\nm=audio %d RTP/AVP 0\r\n",
			 5000 + 2 * i);
		phone_says(s, text);
	}
	assert_int_equal(expectations(&s->net),
			 LibAliasGetLimit(s->net.la, ALIAS_LIMIT_EXPECTATIONS));
	/* Of calls whose media flow there may be more. */
	s->net.now += 301;
	for (int i = 0; i < 40; i++) {
		snprintf(text, sizeof(text),
			 "INVITE sip:x@203.0.113.7 SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n"
			 "c=IN IP4 10.0.0.2\r\nm=image %d udptl t38\r\n",
			 5000 + 2 * i);
		assert_non_null(strstr(phone_says(s, text), "198.51.100.1"));
		udp_out(&s->net, ENDS(INSIDE, (uint16_t)(5000 + 2 * i), "203.0.113.9", 7000));
		s->net.now += 5;
	}
}

#define TCP_INVITE                                                               \
	"INVITE sip:x@203.0.113.7 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.2:3000\r\n" \
	"Content-Type: application/sdp\r\nContent-Length: 48\r\n\r\n"            \
	"v=0\r\nc=IN IP4 10.0.0.2\r\nm=audio 6000 RTP/AVP 0\r\n"
#define TCP_INVITED                                                                  \
	"INVITE sip:x@203.0.113.7 SIP/2.0\r\nVia: SIP/2.0/TCP 198.51.100.1:3000\r\n" \
	"Content-Type: application/sdp\r\nContent-Length: 52\r\n\r\n"                \
	"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 6000 RTP/AVP 0\r\n"
#define TCP_OPTIONS "OPTIONS sip:203.0.113.7 SIP/2.0\r\nContent-Length: 0\r\n\r\n"

static void revise(struct net *net)
{
	unsigned int cursor = 0;

	while (cursor != UINT32_MAX)
		LibAliasReviseHelpers(net->la, &cursor, 1);
}

/* A phone that registers again and again has one flow for ever. */
static void a_flow_gets_and_loses_its_helper_when_it_is_revised(void **state)
{
	struct stream *s = *state;
	struct libalias *la = s->net.la;

	LibAliasSetHelper(la, "sip", 0, 0);
	phone_says(s, BYE("10.0.0.2:5060"));
	udp_out(&s->net, ENDS(INSIDE, 4000, REMOTE, 53));
	LibAliasSetHelper(la, "sip", 0, 1);
	assert_string_equal(phone_says(s, BYE("10.0.0.2:5060")), BYE("10.0.0.2:5060"));
	revise(&s->net);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(phone_says(s, BYE("10.0.0.2:5060")), BYE("198.51.100.1:5060"));
		revise(&s->net);
	}
	/* Another helper, which keeps more of a link. */
	LibAliasSetHelper(la, "sip", 0, 0);
	LibAliasSetHelper(la, "quake", 5060, 1);
	revise(&s->net);
	assert_string_equal(phone_says(s, BYE("10.0.0.2:5060")), BYE("10.0.0.2:5060"));
	LibAliasSetHelper(la, "quake", 5060, 0);
	revise(&s->net);
	assert_string_equal(phone_says(s, BYE("10.0.0.2:5060")), BYE("10.0.0.2:5060"));
	assert_int_equal(links(&s->net), 2);
}

static void a_connection_keeps_the_helper_that_it_has(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 5060);
	stream_say(s, TCP_OPTIONS);
	LibAliasSetHelper(s->net.la, "sip", 0, 0);
	revise(&s->net);
	assert_string_equal(stream_say(s, TCP_INVITE), TCP_INVITED);
	stream_connect(s, 5060);
	stream_say(s, TCP_OPTIONS);
	LibAliasSetHelper(s->net.la, "sip", 0, 1);
	revise(&s->net);
	assert_string_equal(stream_say(s, TCP_INVITE), TCP_INVITE);
}

static void over_tcp_messages_are_put_together(void **state)
{
	struct stream *s = *state;

	for (size_t at = 1; at < strlen(TCP_INVITE); at++) {
		char first[sizeof(TCP_INVITE)];

		s->next_port = 3000;
		LibAliasReset(s->net.la);
		stream_connect(s, 5060);
		memcpy(first, TCP_INVITE, at);
		first[at] = '\0';
		assert_string_equal(stream_say(s, first), "");
		assert_string_equal(stream_say(s, &TCP_INVITE[at]), TCP_INVITED);
		assert_int_equal(expectations(&s->net), 2);
	}
}

static void over_tcp_several_messages_and_keep_alives_follow(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 5060);
	assert_string_equal(stream_say(s, "\r\n\r\n" TCP_OPTIONS TCP_INVITE TCP_OPTIONS),
			    "\r\n\r\n" TCP_OPTIONS TCP_INVITED TCP_OPTIONS);
	stream_say(s, TCP_OPTIONS);
	assert_int_equal(packet_seq(s->net.packet), s->tcp.seq - strlen(TCP_OPTIONS) +
							    strlen(TCP_INVITED) -
							    strlen(TCP_INVITE));
	assert_string_equal(stream_hear(s, "SIP/2.0 100 Trying\r\nVia: SIP/2.0/TCP "
					   "198.51.100.1:3000\r\nContent-Length: 0\r\n\r\n"),
			    "SIP/2.0 100 Trying\r\nVia: SIP/2.0/TCP "
			    "10.0.0.2:3000\r\nContent-Length: 0\r\n\r\n");
	assert_string_equal(stream_hear(s, TCP_OPTIONS), TCP_OPTIONS);
}

static void over_tcp_a_body_is_no_message(void **state)
{
	struct stream *s = *state;
	char text[256];

	stream_connect(s, 5060);
	snprintf(text, sizeof(text),
		 "MESSAGE sip:203.0.113.7 SIP/2.0\r\nContent-Length: %zu\r\n\r\n",
		 6000 + strlen(TCP_INVITE));
	assert_string_equal(stream_say(s, text), "");
	for (int i = 0; i < 60; i++)
		stream_say(s, "0123456789012345678901234567890123456789"
			      "012345678901234567890123456789012345678901234567890123456789");
	assert_string_equal(stream_say(s, TCP_INVITE), TCP_INVITE);
	assert_int_equal(expectations(&s->net), 0);
	assert_string_equal(stream_say(s, TCP_INVITE), TCP_INVITED);
}

static void over_tcp_numbers_wrap_at_the_edit(void **state)
{
	struct stream *s = *state;

	for (uint32_t before = 0; before < strlen(TCP_INVITE) + 2; before += 7) {
		LibAliasReset(s->net.la);
		s->next_port = 3000;
		stream_connect_at(s, 5060, 0u - before);
		assert_string_equal(stream_say(s, TCP_INVITE), TCP_INVITED);
		assert_int_equal(packet_seq(s->net.packet), (uint32_t)(0u - before));
		stream_say(s, TCP_OPTIONS);
		assert_int_equal(packet_seq(s->net.packet), (uint32_t)strlen(TCP_INVITED) - before);
		build_tcp(s->net.packet, s->tcp.in, TH_ACK, s->tcp.ack,
			  (uint32_t)strlen(TCP_INVITED) - before, NULL, 0);
		send_in(&s->net);
		assert_int_equal(packet_ack(s->net.packet), (uint32_t)strlen(TCP_INVITE) - before);
		build_tcp(s->net.packet, s->tcp.in, TH_ACK, s->tcp.ack, 0u - before, NULL, 0);
		send_in(&s->net);
		assert_int_equal(packet_ack(s->net.packet), (uint32_t)(0u - before));
	}
}

static void a_web_page_cannot_call(void **state)
{
	stream_refuses_web(*state, 5060, TCP_INVITE);
}

static void over_tcp_sent_again_with_other_content_opens_nothing_more(void **state)
{
	struct stream *s = *state;
	char other[] = TCP_INVITE;

	stream_connect(s, 5060);
	stream_say(s, TCP_INVITE);
	memcpy(strstr(other, "6000"), "9000", 4);
	s->tcp.seq = 100;
	stream_say(s, other);
	assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 1, ALIAS, 6000)), PKT_ALIAS_OK);
	deny_incoming(&s->net);
	assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 1, ALIAS, 9000)), PKT_ALIAS_IGNORED);
}

static void a_random_alias_port_makes_no_server(void **state)
{
	static const char text[] = BYE(INSIDE ":4000");
	struct stream *s = *state;

	LibAliasSetAliasPortRange(s->net.la, 5060, 5060);
	build_udp(s->net.packet, ENDS(INSIDE, 4000, REMOTE, 9999), text, strlen(text));
	assert_int_equal(send_out(&s->net), PKT_ALIAS_OK);
	assert_ends(s->net.packet, ALIAS, 5060, REMOTE, 9999);
	assert_string_equal(udp_text(&s->net), text);
}

static void over_tcp_calls_outlive_the_process(void **state)
{
	struct stream *s = *state;
	uint32_t seq;

	deny_incoming(&s->net);
	stream_connect(s, 5060);
	stream_say(s, TCP_INVITE);
	seq = packet_seq(s->net.packet) + (uint32_t)strlen(TCP_INVITED);
	net_restart(&s->net);
	assert_int_equal(udp_in(&s->net, ENDS("203.0.113.8", 1, ALIAS, 6000)), PKT_ALIAS_OK);
	assert_ends(s->net.packet, "203.0.113.8", 1, INSIDE, 6000);
	assert_string_equal(stream_say(s, TCP_INVITE), TCP_INVITED);
	assert_int_equal(packet_seq(s->net.packet), seq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		sip_test(a_call_from_inside),
		sip_test(ports_that_the_alias_has_not_are_replaced_by_others),
		sip_test(a_call_to_a_phone_behind_a_redirect),
		sip_test(a_registration_tells_the_contact_and_gets_it_back),
		sip_test(several_media_have_addresses_of_their_own),
		sip_test(what_names_others_is_left_alone),
		sip_test(a_message_that_has_no_room_to_grow_goes_unchanged),
		sip_test(media_move_to_the_port_of_the_next_call),
		sip_test(calls_are_limited),
		sip_test(a_flow_gets_and_loses_its_helper_when_it_is_revised),
		sip_test(a_connection_keeps_the_helper_that_it_has),
		sip_test(over_tcp_messages_are_put_together),
		sip_test(over_tcp_calls_outlive_the_process),
		sip_test(over_tcp_several_messages_and_keep_alives_follow),
		sip_test(over_tcp_a_body_is_no_message),
		sip_test(over_tcp_numbers_wrap_at_the_edit),
		sip_test(a_web_page_cannot_call),
		sip_test(a_random_alias_port_makes_no_server),
		sip_test(over_tcp_sent_again_with_other_content_opens_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
