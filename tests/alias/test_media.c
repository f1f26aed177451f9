/* SPDX-License-Identifier: BSD-2-Clause */
/* PNA, VDO Live and TFTP: one message of a client each names, or is, the port that media come to.
 */
#include "stream.h"

static int pna_setup(void **state)
{
	return stream_setup(state, "pna");
}

static int raudio_setup(void **state)
{
	return stream_setup(state, "raudio");
}

static int vdolive_setup(void **state)
{
	return stream_setup(state, "vdolive");
}

static int tftp_setup(void **state)
{
	return stream_setup(state, "tftp");
}

#define pna_test(f)     cmocka_unit_test_setup_teardown(f, pna_setup, net_teardown)
#define raudio_test(f)  cmocka_unit_test_setup_teardown(f, raudio_setup, net_teardown)
#define vdolive_test(f) cmocka_unit_test_setup_teardown(f, vdolive_setup, net_teardown)
#define tftp_test(f)    cmocka_unit_test_setup_teardown(f, tftp_setup, net_teardown)

/* Bytes at this offset of the inside end's stream; what comes out. */
static const uint8_t *say_bytes(struct stream *s, uint32_t at, const void *data, size_t len)
{
	say_out_at(&s->net, &s->tcp, 100 + at, data, len);
	return packet_payload(s->net.packet);
}

static void let_ports_differ(struct stream *s)
{
	LibAliasSetAliasPortRange(s->net.la, 40000, 40999);
	deny_incoming(&s->net);
}

/* Version 10, a client's id, UDP ports 6970 and 6972, the end, then what else a player says. */
static const uint8_t hello[] = {'P', 'N', 'A', 0,    10,  0,   3,   0,   2,   'i',  'd', 0, 1,
				0,   2,   27,  0x3a, 0,   7,   0,   2,   27,  0x3c, 0,   0, 0,
				0,   'c', 0,   4,    't', 'e', 's', 't', 'y', 0,    12};

#define FIRST_PORT  15
#define SECOND_PORT 21

static void pna_ports_are_those_of_the_alias(void **state)
{
	struct stream *s = *state;
	uint8_t expected[sizeof(hello)];
	uint16_t first, second;
	const uint8_t *got;

	let_ports_differ(s);
	stream_connect(s, 7070);
	got = say_bytes(s, 0, hello, sizeof(hello));
	first = get16(got + FIRST_PORT);
	second = get16(got + SECOND_PORT);
	assert_true(first >= 40000 && second >= 40000 && first != second);
	memcpy(expected, hello, sizeof(hello));
	memcpy(expected + FIRST_PORT, got + FIRST_PORT, 2);
	memcpy(expected + SECOND_PORT, got + SECOND_PORT, 2);
	assert_memory_equal(got, expected, sizeof(hello));
	/* Sent again it is the same. */
	assert_memory_equal(say_bytes(s, 0, hello, sizeof(hello)), expected, sizeof(hello));
	assert_int_equal(udp_in(&s->net, ENDS("203.0.113.8", 9, ALIAS, first)), PKT_ALIAS_IGNORED);
	udp_in(&s->net, ENDS(REMOTE, 9, ALIAS, first));
	assert_ends(s->net.packet, REMOTE, 9, INSIDE, 6970);
	udp_in(&s->net, ENDS(REMOTE, 9, ALIAS, second));
	assert_ends(s->net.packet, REMOTE, 9, INSIDE, 6972);
}

static void pna_options_can_be_split_anywhere(void **state)
{
	struct stream *s = *state;
	uint8_t got[2 * sizeof(hello)];

	let_ports_differ(s);
	for (uint32_t at = 1; at < 27; at++) {
		size_t len;

		LibAliasReset(s->net.la);
		stream_connect(s, 7070);
		say_bytes(s, 0, hello, at);
		assert_int_equal(total_length(s->net.packet), 40);
		say_bytes(s, at, hello + at, sizeof(hello) - at);
		len = total_length(s->net.packet) - 40u;
		assert_int_equal(len, sizeof(hello));
		memcpy(got, packet_payload(s->net.packet), len);
		assert_true(get16(got + FIRST_PORT) >= 40000);
		assert_int_equal(expectations(&s->net), 2);
	}
}

static void pna_low_ports_lies_and_other_streams_are_left_alone(void **state)
{
	struct stream *s = *state;
	uint8_t text[sizeof(hello)];

	stream_connect(s, 7070);
	memcpy(text, hello, sizeof(text));
	text[FIRST_PORT] = text[SECOND_PORT] = 3;
	assert_memory_equal(say_bytes(s, 0, text, sizeof(text)), text, sizeof(text));
	assert_int_equal(expectations(&s->net), 0);
	/* An option that is as long as it likes. */
	LibAliasReset(s->net.la);
	stream_connect(s, 7070);
	memcpy(text, hello, sizeof(text));
	text[7] = 0xff;
	say_bytes(s, 0, text, sizeof(text));
	assert_int_equal(expectations(&s->net), 0);
	/* In the middle of a stream. */
	LibAliasReset(s->net.la);
	stream_connect(s, 7070);
	say_bytes(s, 0, "PNX", 3);
	assert_memory_equal(say_bytes(s, 3, hello, sizeof(hello)), hello, sizeof(hello));
	assert_int_equal(expectations(&s->net), 0);
}

static void a_web_page_cannot_speak_pna(void **state)
{
	stream_refuses_web(*state, 7070, "PNA");
}

static void the_first_bytes_choose_between_rtsp_and_pna(void **state)
{
	static const char request[] =
		"SETUP rtsp://203.0.113.7/a RTSP/1.0\r\nTransport: x;client_port=5000\r\n\r\n";
	struct stream *s = *state;

	let_ports_differ(s);
	stream_connect(s, 7070);
	assert_true(get16(say_bytes(s, 0, hello, sizeof(hello)) + FIRST_PORT) >= 40000);
	stream_connect(s, 7070);
	assert_string_not_equal(stream_say(s, request), request);
	/* Who does not tell by the first segment gets neither. */
	stream_connect(s, 7070);
	stream_say(s, "P");
	stream_say(s, "LAY rtsp://203.0.113.7/a RTSP/1.0\r\n\r\n");
	assert_string_equal(stream_say(s, request), request);
	stream_refuses_web(s, 7070, request);
}

/* The two messages of a player with the port 6970. */
static const uint8_t first_message[40] = {0,   0,   0,   40,  0,          0,   0,    6,
					  1,   2,   3,   4,   [24] = 'V', 'D', 'O',  ' ',
					  'L', 'i', 'v', 'e', 0,          0,   0x1b, 0x3a};
static const uint8_t second_message[24] = {0,   0,   0,   24,  0,   0,   0, 1, 'V',  'D',
					   'O', ' ', 'L', 'i', 'v', 'e', 0, 0, 0x1b, 0x3a};

static void vdolive_ports_are_those_of_the_alias(void **state)
{
	struct stream *s = *state;
	uint16_t port;

	let_ports_differ(s);
	stream_connect(s, 7000);
	port = get16(say_bytes(s, 0, first_message, sizeof(first_message)) + 34);
	assert_true(port >= 40000);
	assert_int_equal(get16(packet_payload(s->net.packet) + 32), 0);
	assert_int_equal(get16(say_bytes(s, 40, second_message, sizeof(second_message)) + 18),
			 port);
	assert_int_equal(expectations(&s->net), 1);
	udp_in(&s->net, ENDS(REMOTE, 9, ALIAS, port));
	assert_ends(s->net.packet, REMOTE, 9, INSIDE, 6970);
}

static void vdolive_messages_come_once(void **state)
{
	struct stream *s = *state;
	uint8_t other[sizeof(second_message)];

	stream_connect(s, 7000);
	say_bytes(s, 0, first_message, sizeof(first_message));
	memcpy(other, second_message, sizeof(other));
	other[18] = 0x20;
	say_bytes(s, 40, second_message, sizeof(second_message));
	assert_memory_equal(say_bytes(s, 64, other, sizeof(other)), other, sizeof(other));
	/* In the place of the first it is no retransmission. */
	assert_memory_equal(say_bytes(s, 40, other, sizeof(other)), other, sizeof(other));
	assert_int_equal(expectations(&s->net), 1);
}

static void vdolive_low_ports_and_other_streams_are_left_alone(void **state)
{
	struct stream *s = *state;
	uint8_t other[sizeof(first_message)];

	stream_connect(s, 7000);
	memcpy(other, first_message, sizeof(other));
	other[34] = 3;
	say_bytes(s, 0, other, sizeof(other));
	other[34] = 0x1b;
	other[33] = 1; /* 72506 */
	say_bytes(s, 0, other, sizeof(other));
	say_bytes(s, 0, first_message, 35);
	assert_int_equal(expectations(&s->net), 0);
	LibAliasReset(s->net.la);
	stream_connect(s, 7000);
	say_bytes(s, 0, second_message, sizeof(second_message));
	say_bytes(s, 24, first_message, sizeof(first_message));
	assert_int_equal(expectations(&s->net), 0);
	stream_refuses_web(s, 7000, "x");
}

/* A request from INSIDE's port 2000. */
static void request(struct net *net, const char *text, size_t len)
{
	build_udp(net->packet, ENDS(INSIDE, 2000, REMOTE, 69), text, len);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
}

static void tftp_answers_may_come_from_another_port(void **state)
{
	struct stream *s = *state;
	uint16_t port;

	for (unsigned int mode = 0; mode <= PKT_ALIAS_UDP_EIM; mode += PKT_ALIAS_UDP_EIM) {
		LibAliasReset(s->net.la);
		LibAliasSetMode(s->net.la, mode, PKT_ALIAS_UDP_EIM);
		let_ports_differ(s);
		request(&s->net, "\0\1boot\0octet", 13);
		port = source_port(s->net.packet);
		assert_int_equal(udp_in(&s->net, ENDS("203.0.113.8", 3333, ALIAS, port)),
				 PKT_ALIAS_IGNORED);
		assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 3333, ALIAS, port)), PKT_ALIAS_OK);
		assert_ends(s->net.packet, REMOTE, 3333, INSIDE, 2000);
		udp_out(&s->net, ENDS(INSIDE, 2000, REMOTE, 3333));
		assert_ends(s->net.packet, ALIAS, port, REMOTE, 3333);
		/* One transfer, one answer. */
		assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 3334, ALIAS, port)),
				 PKT_ALIAS_IGNORED);
		request(&s->net,
			"\0\2boot\0netascii\0blksize\0"
			"1428",
			29);
		assert_int_equal(source_port(s->net.packet), port);
		assert_int_equal(udp_in(&s->net, ENDS(REMOTE, 3334, ALIAS, port)), PKT_ALIAS_OK);
	}
}

static void tftp_an_answer_that_does_not_come_is_forgotten(void **state)
{
	struct stream *s = *state;

	request(&s->net, "\0\1boot\0octet", 13);
	assert_int_equal(expectations(&s->net), 1);
	request(&s->net, "\0\1boot\0octet", 13);
	assert_int_equal(expectations(&s->net), 1);
	s->net.now += 31;
	LibAliasExpire(s->net.la, 1);
	assert_int_equal(expectations(&s->net), 0);
}

static void tftp_what_is_no_request_opens_nothing(void **state)
{
	struct stream *s = *state;

	request(&s->net, "\0\3ab\0octet", 11);
	request(&s->net, "\0\1boot\0octet", 12);
	request(&s->net, "\0\1\0octet", 9);
	request(&s->net, "\1\1boot\0octet", 13);
	request(&s->net, "\0\1boot\0other", 13);
	/* A browser's STUN request, which begins with the number of a read request. */
	request(&s->net, "\0\1\1\4\x21\x12\xa4\x42\0x\0", 11);
	request(&s->net, "\0\1", 2);
	request(&s->net, "GET /boot HTTP/1.1", 18);
	assert_int_equal(expectations(&s->net), 0);
}

static void tftp_a_server_inside_is_reached_and_answers(void **state)
{
	struct stream *s = *state;

	LibAliasRedirectPort(s->net.la, addr(INSIDE), htons(69), addr("0.0.0.0"), 0,
			     addr("0.0.0.0"), htons(69), IPPROTO_UDP);
	build_udp(s->net.packet, ENDS(REMOTE, 2000, ALIAS, 69), "\0\1boot\0octet", 13);
	assert_int_equal(send_in(&s->net), PKT_ALIAS_OK);
	assert_ends(s->net.packet, REMOTE, 2000, INSIDE, 69);
	udp_out(&s->net, ENDS(INSIDE, 3333, REMOTE, 2000));
	assert_ends(s->net.packet, ALIAS, 3333, REMOTE, 2000);
	udp_in(&s->net, ENDS(REMOTE, 2000, ALIAS, 3333));
	assert_ends(s->net.packet, REMOTE, 2000, INSIDE, 3333);
	assert_int_equal(expectations(&s->net), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pna_test(pna_ports_are_those_of_the_alias),
		pna_test(pna_options_can_be_split_anywhere),
		pna_test(pna_low_ports_lies_and_other_streams_are_left_alone),
		pna_test(a_web_page_cannot_speak_pna),
		raudio_test(the_first_bytes_choose_between_rtsp_and_pna),
		vdolive_test(vdolive_ports_are_those_of_the_alias),
		vdolive_test(vdolive_messages_come_once),
		vdolive_test(vdolive_low_ports_and_other_streams_are_left_alone),
		tftp_test(tftp_answers_may_come_from_another_port),
		tftp_test(tftp_an_answer_that_does_not_come_is_forgotten),
		tftp_test(tftp_what_is_no_request_opens_nothing),
		tftp_test(tftp_a_server_inside_is_reached_and_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
