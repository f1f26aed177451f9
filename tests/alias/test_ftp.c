/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FTP: an inside client announces data connections with PORT and EPRT.  How commands are read from
 * the stream is in test_ftp_stream.c, a server inside in test_ftp_server.c, and what must open
 * nothing in test_ftp_hostile.c.
 */
#include "ftp.h"
#include <sys/socket.h>
#include <unistd.h>

static void port_is_translated_and_the_data_connection_comes_in(void **state)
{
	struct alias_link_info info;
	struct stream *s = *state;

	deny_incoming(&s->net);
	stream_connect(s, 21);
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 198,51,100,1,16,1\r\n");
	assert_int_equal(expectations(&s->net), 1);
	ftp_data_arrives(s, 4097, INSIDE, 4097);
	assert_int_equal(expectations(&s->net), 0);
	build_tcp(s->net.packet, ENDS(INSIDE, 4097, REMOTE, 20), TH_ACK, 1, 1, NULL, 0);
	assert_int_equal(LibAliasFindLink(s->net.la, s->net.packet, 0, &info), 0);
	assert_string_equal(info.helper, "ftp");
	build_tcp(s->net.packet, s->tcp.out, TH_ACK, 1, 1, NULL, 0);
	assert_int_equal(LibAliasFindLink(s->net.la, s->net.packet, 0, &info), 0);
	assert_null(info.helper);
	tcp_out(&s->net, ENDS(INSIDE, 4097, REMOTE, 20), TH_SYN | TH_ACK);
	assert_ends(s->net.packet, ALIAS, 4097, REMOTE, 20);
	assert_int_equal(tcp_in(&s->net, ENDS(REMOTE, 19, ALIAS, 4097), TH_SYN), PKT_ALIAS_IGNORED);
}

static void only_the_contacted_server_may_come(void **state)
{
	struct stream *s = *state;

	deny_incoming(&s->net);
	stream_connect(s, 21);
	stream_say(s, "PORT 10,0,0,2,16,1\r\n");
	assert_int_equal(tcp_in(&s->net, ENDS("203.0.113.8", 20, ALIAS, 4097), TH_SYN),
			 PKT_ALIAS_IGNORED);
}

static void eprt_is_translated(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	assert_string_equal(stream_say(s, "EPRT |1|10.0.0.2|4097|\r\n"),
			    "EPRT |1|198.51.100.1|4097|\r\n");
	ftp_data_arrives(s, 4097, INSIDE, 4097);
}

static void lower_case_and_a_bare_newline_are_understood(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	assert_string_equal(stream_say(s, "port 10,0,0,2,16,1\n"), "port 198,51,100,1,16,1\n");
}

static void a_port_that_is_taken_is_replaced_by_another(void **state)
{
	struct stream *s = *state;
	unsigned int parts[6];

	LibAliasRedirectPort(s->net.la, addr(OTHER), htons(4097), addr("0.0.0.0"), 0,
			     addr("0.0.0.0"), htons(4097), IPPROTO_TCP);
	stream_connect(s, 21);
	assert_int_equal(sscanf(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT %u,%u,%u,%u,%u,%u",
				&parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5]),
			 6);
	assert_int_not_equal(parts[4] * 256 + parts[5], 4097);
	ftp_data_arrives(s, (uint16_t)(parts[4] * 256 + parts[5]), INSIDE, 4097);
}

/* A TCP socket bound to the port, or -1. */
static int bound(uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!bind(fd, (struct sockaddr *)&sin, sizeof(sin)))
		return fd;
	close(fd);
	return -1;
}

static void a_socket_holds_the_awaited_port_until_the_connection_comes(void **state)
{
	struct stream *s = *state;
	unsigned int high, low;
	uint16_t port;
	int fd;

	LibAliasSetMode(s->net.la, PKT_ALIAS_USE_SOCKETS, PKT_ALIAS_USE_SOCKETS);
	stream_connect(s, 21);
	assert_int_equal(sscanf(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 198,51,100,1,%u,%u",
				&high, &low),
			 2);
	port = (uint16_t)(high * 256 + low);
	assert_int_equal(bound(port), -1);
	ftp_data_arrives(s, port, INSIDE, 4097);
	fd = bound(port);
	assert_true(fd >= 0);
	close(fd);
}

static void a_port_that_a_program_of_this_machine_uses_is_not_promised(void **state)
{
	struct stream *s = *state;
	unsigned int high, low;
	int fd = -1;
	uint16_t port;
	char line[64];

	for (port = 40000; fd < 0; port++)
		fd = bound(port);
	port--;
	LibAliasSetMode(s->net.la, PKT_ALIAS_USE_SOCKETS, PKT_ALIAS_USE_SOCKETS);
	stream_connect(s, 21);
	snprintf(line, sizeof(line), "PORT 10,0,0,2,%d,%d\r\n", port >> 8, port & 255);
	assert_int_equal(sscanf(stream_say(s, line), "PORT 198,51,100,1,%u,%u", &high, &low), 2);
	assert_int_not_equal(high * 256 + low, port);
	LibAliasReset(s->net.la);
	LibAliasSetMode(s->net.la, 0, PKT_ALIAS_USE_SOCKETS);
	stream_connect(s, 21);
	assert_int_equal(sscanf(stream_say(s, line), "PORT 198,51,100,1,%u,%u", &high, &low), 2);
	assert_int_equal(high * 256 + low, port);
	close(fd);
}

static void another_port_can_be_watched(void **state)
{
	struct stream *s = *state;

	assert_int_equal(LibAliasSetHelper(s->net.la, "ftp", 2121, 1), 0);
	assert_int_equal(LibAliasSetHelper(s->net.la, "ftp", 21, 0), 0);
	assert_int_equal(LibAliasSetHelper(s->net.la, "gopher", 70, 1), -1);
	stream_connect(s, 21);
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 10,0,0,2,16,1\r\n");
	stream_connect(s, 2121);
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 198,51,100,1,16,1\r\n");
}

static void expectations_end_with_their_control_connection(void **state)
{
	struct stream *s = *state;

	LibAliasSetTimeout(s->net.la, ALIAS_TIMEOUT_EXPECTATION, 10000);
	stream_connect(s, 21);
	stream_say(s, "PORT 10,0,0,2,16,1\r\n");
	LibAliasSetTimeout(s->net.la, ALIAS_TIMEOUT_TCP_ESTABLISHED, 10);
	s->net.now += 300;
	LibAliasExpire(s->net.la, 100);
	assert_int_equal(expectations(&s->net), 0);
	assert_int_equal(links(&s->net), 0);
}

static void a_limit_that_ends_the_control_connection_in_passing_does_no_harm(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	stream_say(s, "PORT 10,0,0,2,16,1\r\n");
	LibAliasSetTimeout(s->net.la, ALIAS_TIMEOUT_EXPECTATION, 10000);
	stream_say(s, "PORT 10,0,0,2,16,2\r\n");
	LibAliasSetLimit(s->net.la, ALIAS_LIMIT_LINKS, 1);
	/* Full, and the only link is over: making room ends it and what it awaited. */
	LibAliasSetTimeout(s->net.la, ALIAS_TIMEOUT_TCP_ESTABLISHED, 1);
	LibAliasSetTimeout(s->net.la, ALIAS_TIMEOUT_TCP_OPENING, 1);
	s->net.now += 2000;
	assert_int_equal(tcp_in(&s->net, ENDS(REMOTE, 20, ALIAS, 4098), TH_SYN), PKT_ALIAS_OK);
	assert_int_equal(links(&s->net), 1);
	assert_int_equal(expectations(&s->net), 0);
}

static void what_was_announced_outlives_the_process(void **state)
{
	struct stream *s = *state;

	deny_incoming(&s->net);
	stream_connect(s, 21);
	stream_say(s, "PORT 10,0,0,2,16,1\r\n");
	s->net.now += 80;
	net_restart(&s->net);
	assert_int_equal(expectations(&s->net), 1);
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,2\r\n"), "PORT 198,51,100,1,16,2\r\n");
	assert_int_equal(packet_seq(s->net.packet), 124);
	ftp_data_arrives(s, 4098, INSIDE, 4098);
	s->net.now += 30;
	ftp_data_arrives(s, 4097, INSIDE, 4097);
}

static void nothing_is_awaited_longer_for_a_restart(void **state)
{
	struct stream *s = *state;

	deny_incoming(&s->net);
	stream_connect(s, 21);
	stream_say(s, "PORT 10,0,0,2,16,1\r\n");
	s->net.now += 100;
	net_restart(&s->net);
	s->net.now += 30;
	assert_int_equal(tcp_in(&s->net, ENDS(REMOTE, 20, ALIAS, 4097), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(expectations(&s->net), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ftp_test(port_is_translated_and_the_data_connection_comes_in),
		ftp_test(only_the_contacted_server_may_come),
		ftp_test(what_was_announced_outlives_the_process),
		ftp_test(nothing_is_awaited_longer_for_a_restart),
		ftp_test(eprt_is_translated),
		ftp_test(lower_case_and_a_bare_newline_are_understood),
		ftp_test(a_port_that_is_taken_is_replaced_by_another),
		ftp_test(a_socket_holds_the_awaited_port_until_the_connection_comes),
		ftp_test(a_port_that_a_program_of_this_machine_uses_is_not_promised),
		ftp_test(another_port_can_be_watched),
		ftp_test(expectations_end_with_their_control_connection),
		ftp_test(a_limit_that_ends_the_control_connection_in_passing_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
