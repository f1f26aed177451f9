/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FTP: a server inside, called from outside.  Its passive answers are translated, and what it opens
 * itself for PORT and EPRT leaves from the address that was called.
 */
#include "ftp.h"

static void passive_answers_are_translated(void **state)
{
	struct stream *s = *state;

	deny_incoming(&s->net);
	stream_accept(s, 21);
	stream_hear(s, "PASV\r\nEPSV\r\n");
	assert_string_equal(stream_say(s, "227 Entering Passive Mode (10,0,0,2,200,10).\r\n"),
			    "227 Entering Passive Mode (198,51,100,1,200,10).\r\n");
	tcp_in(&s->net, ENDS(REMOTE, 3001, ALIAS, 51210), TH_SYN);
	assert_ends(s->net.packet, REMOTE, 3001, INSIDE, 51210);
	assert_string_equal(stream_say(s, "229 Extended Passive Mode (|||5000|)\r\n"),
			    "229 Extended Passive Mode (|||5000|)\r\n");
	tcp_in(&s->net, ENDS(REMOTE, 3002, ALIAS, 5000), TH_SYN);
	assert_ends(s->net.packet, REMOTE, 3002, INSIDE, 5000);
}

/* Outside clients of a server that nothing masquerades, so that only what is awaited is changed. */
static void call_server(struct stream *s)
{
	LibAliasSetMode(s->net.la, PKT_ALIAS_MASQUERADE_RULES, PKT_ALIAS_MASQUERADE_RULES);
	s->tcp = connect_in(&s->net, 3000, 2121, 21);
}

static void client_says(struct stream *s, const char *text)
{
	assert_string_equal(stream_hear(s, text), text);
}

static void the_server_connects_from_the_address_that_was_called(void **state)
{
	static const char port[] = "PORT 203,0,113,7,16,1\r\n",
			  eprt[] = "EPRT |1|203.0.113.7|4098|\r\n";
	struct stream *s = *state;

	call_server(s);
	client_says(s, port);
	s->tcp.ack = 500;
	client_says(s, port); /* again: nothing more is awaited */
	client_says(s, eprt);
	assert_int_equal(expectations(&s->net), 2);
	assert_int_equal(tcp_in(&s->net, ENDS(REMOTE, 4097, ALIAS, 20), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_out(&s->net, ENDS(INSIDE, 20, REMOTE, 4099), TH_SYN),
			 PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_out(&s->net, ENDS(OTHER, 20, REMOTE, 4097), TH_SYN),
			 PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_out(&s->net, ENDS(INSIDE, 20, REMOTE, 4097), TH_SYN), PKT_ALIAS_OK);
	assert_ends(s->net.packet, ALIAS, 20, REMOTE, 4097);
	assert_int_equal(expectations(&s->net), 1);
	assert_int_equal(tcp_in(&s->net, ENDS(REMOTE, 4097, ALIAS, 20), TH_SYN | TH_ACK),
			 PKT_ALIAS_OK);
	assert_ends(s->net.packet, REMOTE, 4097, INSIDE, 20);
	assert_int_equal(tcp_out(&s->net, ENDS(INSIDE, 50000, REMOTE, 4098), TH_SYN), PKT_ALIAS_OK);
	assert_ends(s->net.packet, ALIAS, 50000, REMOTE, 4098);
	assert_int_equal(expectations(&s->net), 0);
}

/* From a port that nobody knows yet. */
static void it_connects_so_after_a_restart_too(void **state)
{
	struct stream *s = *state;

	call_server(s);
	client_says(s, "PORT 203,0,113,7,16,1\r\n");
	net_restart(&s->net);
	assert_int_equal(expectations(&s->net), 1);
	assert_int_equal(tcp_out(&s->net, ENDS(INSIDE, 20, REMOTE, 4097), TH_SYN), PKT_ALIAS_OK);
	assert_int_equal(expectations(&s->net), 0);
}

/* FTP bounce: neither another host nor a service (RFC 2577), nor without end. */
static void an_outside_client_may_name_itself_only(void **state)
{
	struct stream *s = *state;
	char text[32];

	call_server(s);
	client_says(s, "PORT 203,0,113,8,16,1\r\n");
	client_says(s, "PORT 203,0,113,7,0,25\r\n");
	client_says(s, "227 (203,0,113,7,16,1)\r\n");
	assert_int_equal(expectations(&s->net), 0);
	for (unsigned int i = 100; i < 200; i++) {
		snprintf(text, sizeof(text), "PORT 203,0,113,7,16,%u\r\n", i);
		client_says(s, text);
	}
	assert_in_range(expectations(&s->net), 1, 32);
}

/* A reply of the server at this number; what comes out, and where in the stream. */
static const char *reply_at(struct stream *s, uint32_t seq, const char *text, uint32_t *at)
{
	const char *got = stream_say_at(s, seq, text);

	*at = packet_seq(s->net.packet);
	return got;
}

static void forged_segments_from_outside_end_nothing_and_a_new_connection_begins_anew(void **state)
{
	static const char first[] = "227 ok (10,0,0,2,16,1)\r\n",
			  second[] = "227 ok (10,0,0,2,16,2)\r\n";
	struct stream *s = *state;
	uint32_t at;

	stream_accept(s, 21);
	stream_hear(s, "PASV\r\nPASV\r\n");
	assert_string_equal(reply_at(s, 100, first, &at), "227 ok (198,51,100,1,16,1)\r\n");
	build_tcp(s->net.packet, s->tcp.in, TH_RST, 77, 0, NULL, 0);
	send_in(&s->net);
	build_tcp(s->net.packet, s->tcp.in, TH_SYN, 78, 0, NULL, 0);
	send_in(&s->net);
	assert_string_equal(reply_at(s, 100 + 24, second, &at), "227 ok (198,51,100,1,16,2)\r\n");
	assert_int_equal(at, 100 + 24 + 4);
	/* Here it is in earnest: the server answers. */
	build_tcp(s->net.packet, s->tcp.in, TH_RST, 512, 0, NULL, 0);
	send_in(&s->net);
	build_tcp(s->net.packet, s->tcp.in, TH_SYN, 899, 0, NULL, 0);
	send_in(&s->net);
	assert_int_equal(packet_seq(s->net.packet), 899);
	for (int again = 0; again < 2; again++) {
		build_tcp(s->net.packet, s->tcp.out, TH_SYN | TH_ACK, 69999, 900, NULL, 0);
		send_out(&s->net);
		assert_int_equal(packet_seq(s->net.packet), 69999);
	}
	build_tcp(s->net.packet, s->tcp.in, TH_ACK, 900, 70000, "PASV\r\n", 6);
	send_in(&s->net);
	assert_string_equal(reply_at(s, 70000, first, &at), "227 ok (198,51,100,1,16,1)\r\n");
	assert_int_equal(at, 70000);
	reply_at(s, 70000 + 24, "200 ok\r\n", &at);
	assert_int_equal(at, 70000 + 24 + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ftp_test(passive_answers_are_translated),
		ftp_test(the_server_connects_from_the_address_that_was_called),
		ftp_test(it_connects_so_after_a_restart_too),
		ftp_test(an_outside_client_may_name_itself_only),
		ftp_test(forged_segments_from_outside_end_nothing_and_a_new_connection_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
