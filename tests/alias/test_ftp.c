/* SPDX-License-Identifier: BSD-2-Clause */
/* FTP: data connections announced on the control connection, in every way and split anywhere. */
#include "stream.h"
#include <sys/socket.h>
#include <unistd.h>

#define SERVER REMOTE

static int ftp_setup(void **state)
{
	return stream_setup(state, "ftp");
}

#define ftp_test(f) cmocka_unit_test_setup_teardown(f, ftp_setup, net_teardown)

/* An inside client's control connection, its stream at sequence number 100. */
static void connect_client(struct net *net)
{
	build_tcp(net->packet, ENDS(INSIDE, 3000, SERVER, 21), TH_SYN, 99, 0, NULL, 0);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	build_tcp(net->packet, ENDS(SERVER, 21, ALIAS, 3000), TH_SYN | TH_ACK, 499, 100, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
}

static const char *say(struct net *net, uint32_t seq, const char *text)
{
	build_tcp(net->packet, ENDS(INSIDE, 3000, SERVER, 21), TH_ACK, seq, 500, text,
		  strlen(text));
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	return packet_text(net->packet);
}

/* The server opens the announced data connection; the port that it was told. */
static void data_arrives(struct net *net, uint16_t port, const char *host, uint16_t host_port)
{
	assert_int_equal(tcp_in(net, ENDS(SERVER, 20, ALIAS, port), TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, SERVER, 20, host, host_port);
}

static void port_is_translated_and_the_data_connection_comes_in(void **state)
{
	struct alias_link_info info;
	struct net *net = *state;

	deny_incoming(net);
	connect_client(net);
	assert_string_equal(say(net, 100, "PORT 10,0,0,2,16,1\r\n"), "PORT 198,51,100,1,16,1\r\n");
	assert_int_equal(expectations(net), 1);
	data_arrives(net, 4097, INSIDE, 4097);
	assert_int_equal(expectations(net), 0);
	build_tcp(net->packet, ENDS(INSIDE, 4097, SERVER, 20), TH_ACK, 1, 1, NULL, 0);
	assert_int_equal(LibAliasFindLink(net->la, net->packet, 0, &info), 0);
	assert_string_equal(info.helper, "ftp");
	build_tcp(net->packet, ENDS(INSIDE, 3000, SERVER, 21), TH_ACK, 1, 1, NULL, 0);
	assert_int_equal(LibAliasFindLink(net->la, net->packet, 0, &info), 0);
	assert_null(info.helper);
	tcp_out(net, ENDS(INSIDE, 4097, SERVER, 20), TH_SYN | TH_ACK);
	assert_ends(net->packet, ALIAS, 4097, SERVER, 20);
	assert_int_equal(tcp_in(net, ENDS(SERVER, 19, ALIAS, 4097), TH_SYN), PKT_ALIAS_IGNORED);
}

static void only_the_contacted_server_may_come(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	connect_client(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n");
	assert_int_equal(tcp_in(net, ENDS("203.0.113.8", 20, ALIAS, 4097), TH_SYN),
			 PKT_ALIAS_IGNORED);
}

static void sequence_numbers_follow_the_new_length(void **state)
{
	struct net *net = *state;

	connect_client(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n"); /* 20 bytes become 24 */
	assert_int_equal(packet_seq(net->packet), 100);
	say(net, 120, "LIST\r\n");
	assert_int_equal(packet_seq(net->packet), 124);
	build_tcp(net->packet, ENDS(SERVER, 21, ALIAS, 3000), TH_ACK, 500, 130, "200\r\n", 5);
	send_in(net);
	assert_int_equal(packet_ack(net->packet), 126);
	assert_int_equal(packet_seq(net->packet), 500);
}

static void several_changes_hold_at_once(void **state)
{
	struct net *net = *state;
	static const char command[] = "PORT 10,0,0,2,16,1\r\n";

	connect_client(net);
	for (uint32_t i = 0; i < 5; i++) {
		say(net, 100 + 20 * i, command);
		assert_int_equal(packet_seq(net->packet), 100 + 24 * i);
	}
	/* Acknowledgments of each of them. */
	for (uint32_t i = 0; i <= 5; i++) {
		build_tcp(net->packet, ENDS(SERVER, 21, ALIAS, 3000), TH_ACK, 500, 100 + 24 * i, "",
			  0);
		send_in(net);
		assert_int_equal(packet_ack(net->packet), 100 + 20 * i);
	}
	/* An old one sent again keeps its place. */
	assert_string_equal(say(net, 120, command), "PORT 198,51,100,1,16,1\r\n");
	assert_int_equal(packet_seq(net->packet), 124);
	say(net, 200, "LIST\r\n");
	assert_int_equal(packet_seq(net->packet), 220);
}

static void sack_blocks_are_moved_back(void **state)
{
	uint8_t sack[20] = {1, 1, 5, 18, 0, 0, 0, 124, 0, 0, 0, 130, 0, 0, 0, 140, 0, 0, 0, 150};
	struct net *net = *state;
	const uint8_t *options = net->packet + 40;

	connect_client(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n");
	build_tcp_options(net->packet, ENDS(SERVER, 21, ALIAS, 3000), TH_ACK, 500, 100, sack, 20,
			  "", 0);
	send_in(net);
	assert_int_equal(options[7], 120);
	assert_int_equal(options[11], 126);
	assert_int_equal(options[15], 136);
	assert_int_equal(options[19], 146);
	/* The same at odd offsets. */
	memmove(sack + 1, sack + 2, 18);
	sack[19] = 0;
	build_tcp_options(net->packet, ENDS(SERVER, 21, ALIAS, 3000), TH_ACK, 500, 100, sack, 20,
			  "", 0);
	send_in(net);
	assert_int_equal(options[6], 120);
	assert_int_equal(options[18], 146);
}

static void eprt_is_translated(void **state)
{
	struct net *net = *state;

	connect_client(net);
	assert_string_equal(say(net, 100, "EPRT |1|10.0.0.2|4097|\r\n"),
			    "EPRT |1|198.51.100.1|4097|\r\n");
	data_arrives(net, 4097, INSIDE, 4097);
}

static void lower_case_and_a_bare_newline_are_understood(void **state)
{
	struct net *net = *state;

	connect_client(net);
	assert_string_equal(say(net, 100, "port 10,0,0,2,16,1\n"), "port 198,51,100,1,16,1\n");
}

static void an_inside_servers_passive_answers_are_translated(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	LibAliasRedirectPort(net->la, addr(INSIDE), htons(21), addr("0.0.0.0"), 0, addr("0.0.0.0"),
			     htons(21), IPPROTO_TCP);
	build_tcp(net->packet, ENDS(REMOTE, 3000, ALIAS, 21), TH_SYN, 1, 0, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	build_tcp(net->packet, ENDS(INSIDE, 21, REMOTE, 3000), TH_SYN | TH_ACK, 99, 2, NULL, 0);
	send_out(net);
	build_tcp(net->packet, ENDS(REMOTE, 3000, ALIAS, 21), TH_ACK, 2, 100, NULL, 0);
	send_in(net);
	build_tcp(net->packet, ENDS(REMOTE, 3000, ALIAS, 21), TH_ACK, 2, 100, "PASV\r\nEPSV\r\n",
		  12);
	send_in(net);
	build_tcp(net->packet, ENDS(INSIDE, 21, REMOTE, 3000), TH_ACK, 100, 2,
		  "227 Entering Passive Mode (10,0,0,2,200,10).\r\n", 46);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_string_equal(packet_text(net->packet),
			    "227 Entering Passive Mode (198,51,100,1,200,10).\r\n");
	tcp_in(net, ENDS(REMOTE, 3001, ALIAS, 51210), TH_SYN);
	assert_ends(net->packet, REMOTE, 3001, INSIDE, 51210);
	build_tcp(net->packet, ENDS(INSIDE, 21, REMOTE, 3000), TH_ACK, 146, 2,
		  "229 Extended Passive Mode (|||5000|)\r\n", 38);
	send_out(net);
	assert_string_equal(packet_text(net->packet), "229 Extended Passive Mode (|||5000|)\r\n");
	tcp_in(net, ENDS(REMOTE, 3002, ALIAS, 5000), TH_SYN);
	assert_ends(net->packet, REMOTE, 3002, INSIDE, 5000);
}

/* Outside clients of a server that nothing masquerades, so that only what is awaited is changed. */
static void call_inside_server(struct net *net)
{
	LibAliasSetMode(net->la, PKT_ALIAS_MASQUERADE_RULES, PKT_ALIAS_MASQUERADE_RULES);
	LibAliasRedirectPort(net->la, addr(INSIDE), htons(21), addr("0.0.0.0"), 0, addr("0.0.0.0"),
			     htons(2121), IPPROTO_TCP);
	build_tcp(net->packet, ENDS(REMOTE, 3000, ALIAS, 2121), TH_SYN, 1, 0, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	build_tcp(net->packet, ENDS(INSIDE, 21, REMOTE, 3000), TH_SYN | TH_ACK, 99, 2, NULL, 0);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
}

static void client_says(struct net *net, uint32_t seq, const char *text)
{
	build_tcp(net->packet, ENDS(REMOTE, 3000, ALIAS, 2121), TH_ACK, seq, 100, text,
		  strlen(text));
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_string_equal(packet_text(net->packet), text);
}

static void an_inside_server_connects_from_the_address_that_was_called(void **state)
{
	static const char port[] = "PORT 203,0,113,7,16,1\r\n",
			  eprt[] = "EPRT |1|203.0.113.7|4098|\r\n";
	struct net *net = *state;

	call_inside_server(net);
	client_says(net, 2, port);
	client_says(net, 2, port); /* again: nothing more is awaited */
	client_says(net, 2 + strlen(port), eprt);
	assert_int_equal(expectations(net), 2);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 4097, ALIAS, 20), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_out(net, ENDS(INSIDE, 20, REMOTE, 4099), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_out(net, ENDS(OTHER, 20, REMOTE, 4097), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(tcp_out(net, ENDS(INSIDE, 20, REMOTE, 4097), TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 20, REMOTE, 4097);
	assert_int_equal(expectations(net), 1);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 4097, ALIAS, 20), TH_SYN | TH_ACK), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 4097, INSIDE, 20);
	assert_int_equal(tcp_out(net, ENDS(INSIDE, 50000, REMOTE, 4098), TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, 50000, REMOTE, 4098);
	assert_int_equal(expectations(net), 0);
}

/* FTP bounce: neither another host nor a service (RFC 2577), nor without end. */
static void an_outside_client_may_name_itself_only(void **state)
{
	struct net *net = *state;
	char text[32];

	call_inside_server(net);
	client_says(net, 2, "PORT 203,0,113,8,16,1\r\n");
	client_says(net, 25, "PORT 203,0,113,7,0,25\r\n");
	client_says(net, 48, "227 (203,0,113,7,16,1)\r\n");
	assert_int_equal(expectations(net), 0);
	for (uint32_t seq = 72; seq < 72 + 100 * 24; seq += 24) {
		snprintf(text, sizeof(text), "PORT 203,0,113,7,16,%03u\r\n", (seq - 72) / 24 + 100);
		client_says(net, seq, text);
	}
	assert_in_range(expectations(net), 1, 32);
}

static void a_port_that_is_taken_is_replaced_by_another(void **state)
{
	struct net *net = *state;
	unsigned int parts[6];

	LibAliasRedirectPort(net->la, addr(OTHER), htons(4097), addr("0.0.0.0"), 0, addr("0.0.0.0"),
			     htons(4097), IPPROTO_TCP);
	connect_client(net);
	assert_int_equal(sscanf(say(net, 100, "PORT 10,0,0,2,16,1\r\n"), "PORT %u,%u,%u,%u,%u,%u",
				&parts[0], &parts[1], &parts[2], &parts[3], &parts[4], &parts[5]),
			 6);
	assert_int_not_equal(parts[4] * 256 + parts[5], 4097);
	data_arrives(net, (uint16_t)(parts[4] * 256 + parts[5]), INSIDE, 4097);
}

static void a_command_can_be_split_anywhere(void **state)
{
	static const char command[] = "PORT 10,0,0,2,16,1\r\n";
	struct net *net = *state;

	for (uint32_t cut = 1; cut < 20; cut++) {
		char first[32], second[32], sent[64] = "";
		uint32_t seq = 100;

		LibAliasReset(net->la);
		connect_client(net);
		memcpy(first, command, cut);
		first[cut] = '\0';
		strcpy(second, command + cut);
		strcat(sent, say(net, 100, first));
		if (*sent)
			seq += (uint32_t)strlen(sent);
		say(net, 100 + cut, second);
		assert_int_equal(packet_seq(net->packet), seq);
		strcat(sent, packet_text(net->packet));
		assert_string_equal(sent, "PORT 198,51,100,1,16,1\r\n");
		say(net, 120, "LIST\r\n");
		assert_int_equal(packet_seq(net->packet), 124);
	}
}

static void pieces_that_are_sent_again_are_made_whole(void **state)
{
	struct net *net = *state;

	connect_client(net);
	assert_string_equal(say(net, 100, "PORT 10,0,"), "");
	assert_string_equal(say(net, 110, "0,2,16,1\r\n"), "PORT 198,51,100,1,16,1\r\n");
	/* The answer was lost: both pieces come again; the first is enough. */
	assert_string_equal(say(net, 100, "PORT 10,0,"), "PORT 198,51,100,1,16,1\r\n");
	assert_int_equal(packet_seq(net->packet), 100);
	assert_string_equal(say(net, 110, "0,2,16,1\r\n"), "");
	assert_int_equal(packet_seq(net->packet), 124);
	assert_int_equal(expectations(net), 1);
}

static void two_lines_in_one_segment_are_both_seen(void **state)
{
	struct net *net = *state;

	connect_client(net);
	assert_string_equal(say(net, 100, "TYPE I\r\nPORT 10,0,0,2,16,1\r\nLIST\r\n"),
			    "TYPE I\r\nPORT 198,51,100,1,16,1\r\nLIST\r\n");
	say(net, 134, "QUIT\r\n");
	assert_int_equal(packet_seq(net->packet), 138);
}

static void what_names_another_host_or_a_low_port_is_left_alone(void **state)
{
	static const char *const lines[] = {
		"PORT 10,0,0,3,16,1\r\n",
		"PORT 10,0,0,2,0,80\r\n",
		"PORT 10,0,0,2,16\r\n",
		"PORT 10,0,0,2,16,256\r\n",
		"PORT 10,0,0,2,999999999999,1\r\n",
		"EPRT |2|::1|4097|\r\n",
		"EPRT |1|10.0.0.2|70000|\r\n",
		"EPRT |1|10.0.0.2|4097\r\n",
		"XPORT 10,0,0,2,16,1\r\n",
		" PORT 10,0,0,2,16,1\r\n",
		"227 Entering Passive Mode (10,0,0,2,200,10)\r\n",
	};
	struct net *net = *state;
	uint32_t seq = 100;

	connect_client(net);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_string_equal(say(net, seq, lines[i]), lines[i]);
		seq += (uint32_t)strlen(lines[i]);
	}
	assert_int_equal(expectations(net), 0);
}

static void the_middle_of_a_line_is_no_command(void **state)
{
	struct net *net = *state;

	connect_client(net);
	say(net, 100, "SITE ");
	assert_string_equal(say(net, 105, "PORT 10,0,0,2,16,1\r\n"), "PORT 10,0,0,2,16,1\r\n");
	assert_int_equal(expectations(net), 0);
}

static void expectations_are_limited_and_end(void **state)
{
	struct net *net = *state;
	char line[64];
	uint32_t seq = 100;

	LibAliasSetLimit(net->la, ALIAS_LIMIT_EXPECTATIONS, 3);
	connect_client(net);
	for (int i = 0; i < 5; i++) {
		snprintf(line, sizeof(line), "PORT 10,0,0,2,16,%d\r\n", i);
		say(net, seq, line);
		seq += (uint32_t)strlen(line);
	}
	assert_int_equal(expectations(net), 3);
	net->now += 121;
	udp_out(net, ENDS(INSIDE, 1, REMOTE, 1));
	assert_int_equal(expectations(net), 0);
}

static void they_end_with_their_control_connection(void **state)
{
	struct net *net = *state;

	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_EXPECTATION, 10000);
	connect_client(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n");
	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_TCP_ESTABLISHED, 10);
	net->now += 300;
	LibAliasExpire(net->la, 100);
	assert_int_equal(expectations(net), 0);
	assert_int_equal(links(net), 0);
}

static void a_limit_that_ends_the_control_connection_in_passing_does_no_harm(void **state)
{
	struct net *net = *state;

	connect_client(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n");
	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_EXPECTATION, 10000);
	say(net, 120, "PORT 10,0,0,2,16,2\r\n");
	LibAliasSetLimit(net->la, ALIAS_LIMIT_LINKS, 1);
	/* Full, and the only link is over: making room ends it and what it awaited. */
	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_TCP_ESTABLISHED, 1);
	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_TCP_OPENING, 1);
	net->now += 2000;
	assert_int_equal(tcp_in(net, ENDS(SERVER, 20, ALIAS, 4098), TH_SYN), PKT_ALIAS_OK);
	assert_int_equal(links(net), 1);
	assert_int_equal(expectations(net), 0);
}

static void a_command_that_has_no_room_to_grow_goes_unchanged(void **state)
{
	struct net *net = *state;

	connect_client(net);
	build_tcp(net->packet, ENDS(INSIDE, 3000, SERVER, 21), TH_ACK, 100, 500,
		  "PORT 10,0,0,2,16,1\r\n", 20);
	assert_int_equal(LibAliasOut(net->la, net->packet, 62), PKT_ALIAS_OK);
	assert_string_equal(packet_text(net->packet), "PORT 10,0,0,2,16,1\r\n");
	assert_true(sums_right(net->packet));
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
	struct net *net = *state;
	unsigned int high, low;
	uint16_t port;
	int fd;

	LibAliasSetMode(net->la, PKT_ALIAS_USE_SOCKETS, PKT_ALIAS_USE_SOCKETS);
	connect_client(net);
	assert_int_equal(sscanf(say(net, 100, "PORT 10,0,0,2,16,1\r\n"), "PORT 198,51,100,1,%u,%u",
				&high, &low),
			 2);
	port = (uint16_t)(high * 256 + low);
	assert_int_equal(bound(port), -1);
	data_arrives(net, port, INSIDE, 4097);
	fd = bound(port);
	assert_true(fd >= 0);
	close(fd);
}

static void a_port_that_a_program_of_this_machine_uses_is_not_promised(void **state)
{
	struct net *net = *state;
	unsigned int high, low;
	int fd = -1;
	uint16_t port;
	char line[64];

	for (port = 40000; fd < 0; port++)
		fd = bound(port);
	port--;
	LibAliasSetMode(net->la, PKT_ALIAS_USE_SOCKETS, PKT_ALIAS_USE_SOCKETS);
	connect_client(net);
	snprintf(line, sizeof(line), "PORT 10,0,0,2,%d,%d\r\n", port >> 8, port & 255);
	assert_int_equal(sscanf(say(net, 100, line), "PORT 198,51,100,1,%u,%u", &high, &low), 2);
	assert_int_not_equal(high * 256 + low, port);
	LibAliasReset(net->la);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_USE_SOCKETS);
	connect_client(net);
	assert_int_equal(sscanf(say(net, 100, line), "PORT 198,51,100,1,%u,%u", &high, &low), 2);
	assert_int_equal(high * 256 + low, port);
	close(fd);
}

static void another_port_can_be_watched(void **state)
{
	struct net *net = *state;

	assert_int_equal(LibAliasSetHelper(net->la, "ftp", 2121, 1), 0);
	assert_int_equal(LibAliasSetHelper(net->la, "ftp", 21, 0), 0);
	assert_int_equal(LibAliasSetHelper(net->la, "gopher", 70, 1), -1);
	connect_client(net);
	assert_string_equal(say(net, 100, "PORT 10,0,0,2,16,1\r\n"), "PORT 10,0,0,2,16,1\r\n");
	build_tcp(net->packet, ENDS(INSIDE, 3001, SERVER, 2121), TH_SYN, 99, 0, NULL, 0);
	send_out(net);
	build_tcp(net->packet, ENDS(INSIDE, 3001, SERVER, 2121), TH_ACK, 100, 1,
		  "PORT 10,0,0,2,16,1\r\n", 20);
	send_out(net);
	assert_string_equal(packet_text(net->packet), "PORT 198,51,100,1,16,1\r\n");
}

static void a_web_page_cannot_announce(void **state)
{
	stream_refuses_web(*state, 21, "PORT 10,0,0,2,16,1\r\n");
}

static void thousands_of_commands_open_as_many_ports_as_the_limit_says(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	stream_flood(s, 5000, "EPRT |1|10.0.0.2|", "|\r\n");
}

static void sent_again_with_other_content_opens_nothing_more(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	stream_say(s, "PORT 10,0,0,2,16,1\r\n");
	s->seq = 100;
	stream_say(s, "PORT 10,0,0,2,16,2\r\n");
	s->seq = 100;
	stream_say(s, "PORT 10,0,0,2,216,2\r\n");
	assert_int_equal(expectations(&s->net), 1);
	s->seq = 100;
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 198,51,100,1,16,1\r\n");
}

static void a_line_that_is_too_long_is_passed_and_the_next_is_read(void **state)
{
	struct stream *s = *state;
	char line[301];

	stream_connect(s, 21);
	memset(line, '1', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "PORT 10,0,0,2,16,", 17);
	assert_string_equal(stream_say(s, line), line);
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 10,0,0,2,16,1\r\n");
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 198,51,100,1,16,1\r\n");
}

static void pieces_too_large_for_the_buffer_go_unchanged(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	for (int i = 0; i < 4; i++) {
		build_tcp(s->net.packet, s->out, TH_ACK, 100 + (i & 1) * 10u, 500,
			  i & 1 ? "0,2,16,1\r\n" : "PORT 10,0,", 10);
		assert_int_equal(LibAliasOut(s->net.la, s->net.packet, 50), PKT_ALIAS_OK);
		assert_true(sums_right(s->net.packet));
	}
	/* The second round is what TCP sends again, in the whole. */
	assert_string_equal(packet_text(s->net.packet), "0,2,16,1\r\n");
	s->seq = 120;
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 198,51,100,1,16,1\r\n");
}

static void numbers_wrap_at_the_edit(void **state)
{
	struct stream *s = *state;

	for (uint32_t before = 0; before < 24; before++) {
		LibAliasReset(s->net.la);
		stream_connect_at(s, 21, 0u - before);
		assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"),
				    "PORT 198,51,100,1,16,1\r\n");
		stream_say(s, "NOOP\r\n");
		assert_int_equal(packet_seq(s->net.packet), 24 - before);
		build_tcp(s->net.packet, s->in, TH_ACK, s->ack, 24 - before, NULL, 0);
		send_in(&s->net);
		assert_int_equal(packet_ack(s->net.packet), 20 - before);
	}
}

static void a_sender_that_waits_for_an_acknowledgment_gets_one(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	assert_string_equal(stream_say(s, "PORT 10,0,"), "");
	s->seq = 100;
	assert_string_equal(stream_say(s, "PORT 10,0,"), "PORT 10,0,");
	assert_string_equal(stream_say(s, "0,2,16,1\r\n"), "0,2,16,1\r\n");
	/* Nor is the rest of a line that has gone by changed later. */
	s->seq = 100;
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 10,0,0,2,16,1\r\n");
	assert_int_equal(expectations(&s->net), 0);
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 198,51,100,1,16,1\r\n");
}

static void the_last_bytes_of_a_connection_are_not_held_back(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	build_tcp(s->net.packet, s->out, TH_ACK | TH_FIN, s->seq, s->ack, "PORT 10", 7);
	send_out(&s->net);
	assert_string_equal(packet_text(s->net.packet), "PORT 10");
	assert_int_equal(s->net.packet[33], TH_ACK | TH_FIN);
}

/* A reply of the inside server at this number; what comes out, and where in the stream. */
static const char *reply_at(struct stream *s, uint32_t seq, const char *text, uint32_t *at)
{
	build_tcp(s->net.packet, s->out, TH_ACK, seq, 500, text, strlen(text));
	assert_int_equal(send_out(&s->net), PKT_ALIAS_OK);
	*at = packet_seq(s->net.packet);
	return packet_text(s->net.packet);
}

static void forged_segments_from_outside_end_nothing_and_a_new_connection_begins_anew(void **state)
{
	static const char first[] = "227 ok (10,0,0,2,16,1)\r\n",
			  second[] = "227 ok (10,0,0,2,16,2)\r\n";
	struct stream *s = *state;
	uint32_t at;

	LibAliasRedirectPort(s->net.la, addr(INSIDE), htons(21), addr("0.0.0.0"), 0, addr(ALIAS),
			     htons(21), IPPROTO_TCP);
	stream_accept(s, 21);
	stream_hear(s, "PASV\r\nPASV\r\n");
	assert_string_equal(reply_at(s, 100, first, &at), "227 ok (198,51,100,1,16,1)\r\n");
	build_tcp(s->net.packet, s->in, TH_RST, 77, 0, NULL, 0);
	send_in(&s->net);
	build_tcp(s->net.packet, s->in, TH_SYN, 78, 0, NULL, 0);
	send_in(&s->net);
	assert_string_equal(reply_at(s, 100 + 24, second, &at), "227 ok (198,51,100,1,16,2)\r\n");
	assert_int_equal(at, 100 + 24 + 4);
	/* Here it is in earnest: the server answers. */
	build_tcp(s->net.packet, s->in, TH_RST, 506, 0, NULL, 0);
	send_in(&s->net);
	build_tcp(s->net.packet, s->in, TH_SYN, 899, 0, NULL, 0);
	send_in(&s->net);
	assert_int_equal(packet_seq(s->net.packet), 899);
	for (int again = 0; again < 2; again++) {
		build_tcp(s->net.packet, s->out, TH_SYN | TH_ACK, 69999, 900, NULL, 0);
		send_out(&s->net);
		assert_int_equal(packet_seq(s->net.packet), 69999);
	}
	build_tcp(s->net.packet, s->in, TH_ACK, 900, 70000, "PASV\r\n", 6);
	send_in(&s->net);
	assert_string_equal(reply_at(s, 70000, first, &at), "227 ok (198,51,100,1,16,1)\r\n");
	assert_int_equal(at, 70000);
	reply_at(s, 70000 + 24, "200 ok\r\n", &at);
	assert_int_equal(at, 70000 + 24 + 4);
}

static void what_was_announced_outlives_the_process(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	connect_client(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n");
	net->now += 80;
	net_restart(net);
	assert_int_equal(expectations(net), 1);
	assert_string_equal(say(net, 120, "PORT 10,0,0,2,16,2\r\n"), "PORT 198,51,100,1,16,2\r\n");
	assert_int_equal(packet_seq(net->packet), 124);
	data_arrives(net, 4098, INSIDE, 4098);
	net->now += 30;
	data_arrives(net, 4097, INSIDE, 4097);
}

static void nothing_is_awaited_longer_for_a_restart(void **state)
{
	struct net *net = *state;

	deny_incoming(net);
	connect_client(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n");
	net->now += 100;
	net_restart(net);
	net->now += 30;
	assert_int_equal(tcp_in(net, ENDS(SERVER, 20, ALIAS, 4097), TH_SYN), PKT_ALIAS_IGNORED);
	assert_int_equal(expectations(net), 0);
}

/* From a port that nobody knows yet. */
static void a_server_inside_connects_as_before_after_a_restart(void **state)
{
	struct net *net = *state;

	LibAliasRedirectPort(net->la, addr(INSIDE), htons(21), addr("0.0.0.0"), 0,
			     addr("198.51.100.9"), htons(21), IPPROTO_TCP);
	tcp_in(net, ENDS(SERVER, 3000, "198.51.100.9", 21), TH_SYN);
	build_tcp(net->packet, ENDS(INSIDE, 21, SERVER, 3000), TH_SYN | TH_ACK, 99, 2, NULL, 0);
	send_out(net);
	build_tcp(net->packet, ENDS(SERVER, 3000, "198.51.100.9", 21), TH_ACK, 2, 100,
		  "PORT 203,0,113,7,16,1\r\n", 23);
	send_in(net);
	assert_int_equal(expectations(net), 1);
	net_restart(net);
	tcp_out(net, ENDS(INSIDE, 20, SERVER, 4097), TH_SYN);
	assert_ends(net->packet, "198.51.100.9", 20, SERVER, 4097);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ftp_test(port_is_translated_and_the_data_connection_comes_in),
		ftp_test(what_was_announced_outlives_the_process),
		ftp_test(nothing_is_awaited_longer_for_a_restart),
		ftp_test(a_server_inside_connects_as_before_after_a_restart),
		ftp_test(only_the_contacted_server_may_come),
		ftp_test(sequence_numbers_follow_the_new_length),
		ftp_test(several_changes_hold_at_once),
		ftp_test(sack_blocks_are_moved_back),
		ftp_test(eprt_is_translated),
		ftp_test(lower_case_and_a_bare_newline_are_understood),
		ftp_test(an_inside_servers_passive_answers_are_translated),
		ftp_test(an_inside_server_connects_from_the_address_that_was_called),
		ftp_test(an_outside_client_may_name_itself_only),
		ftp_test(a_port_that_is_taken_is_replaced_by_another),
		ftp_test(a_command_can_be_split_anywhere),
		ftp_test(pieces_that_are_sent_again_are_made_whole),
		ftp_test(two_lines_in_one_segment_are_both_seen),
		ftp_test(what_names_another_host_or_a_low_port_is_left_alone),
		ftp_test(the_middle_of_a_line_is_no_command),
		ftp_test(expectations_are_limited_and_end),
		ftp_test(they_end_with_their_control_connection),
		ftp_test(a_limit_that_ends_the_control_connection_in_passing_does_no_harm),
		ftp_test(a_command_that_has_no_room_to_grow_goes_unchanged),
		ftp_test(a_socket_holds_the_awaited_port_until_the_connection_comes),
		ftp_test(a_port_that_a_program_of_this_machine_uses_is_not_promised),
		ftp_test(another_port_can_be_watched),
		ftp_test(a_web_page_cannot_announce),
		ftp_test(thousands_of_commands_open_as_many_ports_as_the_limit_says),
		ftp_test(sent_again_with_other_content_opens_nothing_more),
		ftp_test(a_line_that_is_too_long_is_passed_and_the_next_is_read),
		ftp_test(pieces_too_large_for_the_buffer_go_unchanged),
		ftp_test(numbers_wrap_at_the_edit),
		ftp_test(a_sender_that_waits_for_an_acknowledgment_gets_one),
		ftp_test(forged_segments_from_outside_end_nothing_and_a_new_connection_begins_anew),
		ftp_test(the_last_bytes_of_a_connection_are_not_held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
