/* SPDX-License-Identifier: BSD-2-Clause */
/* IRC: direct connections offered by inside clients, resumed files, and what must be left alone. */
#include "stream.h"

#define OFFER   "PRIVMSG bob :\001DCC SEND song.ogg 167772162 5000 123456\001\r\n"
#define OFFERED "PRIVMSG bob :\001DCC SEND song.ogg 3325256705 5000 123456\001\r\n"

static int irc_setup(void **state)
{
	return stream_setup(state, "irc");
}

#define irc_test(f) cmocka_unit_test_setup_teardown(f, irc_setup, net_teardown)

static void register_client(struct stream *s)
{
	stream_connect(s, 6667);
	assert_string_equal(stream_say(s, "NICK alice\r\n"), "NICK alice\r\n");
}

static void an_offered_file_can_be_fetched_by_anyone_once(void **state)
{
	struct stream *s = *state;

	deny_incoming(&s->net);
	register_client(s);
	assert_string_equal(stream_say(s, OFFER), OFFERED);
	assert_int_equal(tcp_in(&s->net, ENDS("192.0.2.9", 7000, ALIAS, 5000), TH_SYN),
			 PKT_ALIAS_OK);
	assert_ends(s->net.packet, "192.0.2.9", 7000, INSIDE, 5000);
	assert_int_equal(tcp_in(&s->net, ENDS("192.0.2.9", 7001, ALIAS, 5000), TH_SYN),
			 PKT_ALIAS_IGNORED);
}

static void an_offer_can_be_given_to_the_instance_of_who_comes(void **state)
{
	struct stream *s = *state;
	struct alias_awaited awaited;
	struct libalias *other = LibAliasInit(NULL);
	struct alias_link_info info;
	unsigned int cursor = 0;

	deny_incoming(&s->net);
	register_client(s);
	stream_say(s, OFFER);
	build_tcp(s->net.packet, ENDS("192.0.2.9", 7000, ALIAS, 5001), TH_SYN, 1, 0, NULL, 0);
	assert_int_equal(LibAliasTakeAwaited(s->net.la, s->net.packet, 1, &awaited), -1);
	build_tcp(s->net.packet, ENDS("192.0.2.9", 7000, ALIAS, 5000), TH_SYN, 1, 0, NULL, 0);
	assert_int_equal(LibAliasTakeAwaited(other, s->net.packet, 1, &awaited), -1);
	assert_int_equal(LibAliasTakeAwaited(s->net.la, s->net.packet, 1, &awaited), 0);
	assert_int_equal(expectations(&s->net), 0);
	assert_int_equal(LibAliasTakeAwaited(s->net.la, s->net.packet, 1, &awaited), -1);
	assert_int_equal(awaited.proto, IPPROTO_TCP);
	assert_int_equal(LibAliasInAwaited(other, s->net.packet, 65536, &awaited), PKT_ALIAS_OK);
	assert_ends(s->net.packet, "192.0.2.9", 7000, INSIDE, 5000);
	assert_int_equal(LibAliasNextLink(other, &cursor, &info), 1);
	assert_string_equal(info.helper, "irc");
	LibAliasUninit(other);
}

static void a_chat_a_notice_and_a_name_with_blanks_are_offers_too(void **state)
{
	struct stream *s = *state;

	register_client(s);
	assert_string_equal(stream_say(s, "PRIVMSG bob :\001DCC CHAT chat 167772162 5001\001\r\n"),
			    "PRIVMSG bob :\001DCC CHAT chat 3325256705 5001\001\r\n");
	assert_string_equal(stream_say(s, "notice bob :\001DCC SEND a 167772162 5002 1\001\r\n"),
			    "notice bob :\001DCC SEND a 3325256705 5002 1\001\r\n");
	assert_string_equal(
		stream_say(s, "PRIVMSG bob :\001DCC SEND \"my song\" 167772162 5003 1\001\r\n"),
		"PRIVMSG bob :\001DCC SEND \"my song\" 3325256705 5003 1\001\r\n");
	assert_int_equal(expectations(&s->net), 3);
}

static void resume_gets_the_inside_port_and_accept_the_alias_port(void **state)
{
	struct stream *s = *state;
	unsigned int port;
	char text[128];

	LibAliasSetMode(s->net.la, 0, PKT_ALIAS_SAME_PORTS);
	register_client(s);
	assert_int_equal(sscanf(stream_say(s, OFFER),
				"PRIVMSG bob :\001DCC SEND song.ogg 3325256705 %u 123456\001",
				&port),
			 1);
	snprintf(text, sizeof(text),
		 ":bob!b@example.org PRIVMSG alice :\001DCC RESUME song.ogg %u 1000\001\r\n", port);
	assert_string_equal(
		stream_hear(s, text),
		":bob!b@example.org PRIVMSG alice :\001DCC RESUME song.ogg 5000 1000\001\r\n");
	snprintf(text, sizeof(text), "PRIVMSG bob :\001DCC ACCEPT song.ogg %u 1000\001\r\n", port);
	assert_string_equal(stream_say(s, "PRIVMSG bob :\001DCC ACCEPT song.ogg 5000 1000\001\r\n"),
			    text);
	/* Of an offer that was made from outside these stay. */
	assert_string_equal(stream_say(s, "PRIVMSG bob :\001DCC RESUME x 4711 1\001\r\n"),
			    "PRIVMSG bob :\001DCC RESUME x 4711 1\001\r\n");
	assert_string_equal(stream_hear(s, ":bob PRIVMSG alice :\001DCC ACCEPT x 4711 1\001\r\n"),
			    ":bob PRIVMSG alice :\001DCC ACCEPT x 4711 1\001\r\n");
}

static void an_offer_can_be_split_anywhere(void **state)
{
	struct stream *s = *state;

	stream_split_anywhere(s, 6667, "NICK alice\r\n", OFFER, OFFERED);
}

static void what_is_no_offer_of_the_sender_is_left_alone(void **state)
{
	static const char *const lines[] = {
		"PRIVMSG bob :\001DCC SEND f 167772163 5000 1\001\r\n", /* another host's */
		"PRIVMSG bob :\001DCC SEND f 167772162 1023 1\001\r\n",
		"PRIVMSG bob :\001DCC SEND f 167772162 0 1 2\001\r\n",
		"PRIVMSG bob :\001DCC SEND f 167772162 65536 1\001\r\n",
		"PRIVMSG bob :\001DCC SEND f 4462739458 5000 1\001\r\n", /* + 2^32 */
		"PRIVMSG bob :\001DCC SEND f 10.0.0.2 5000 1\001\r\n",
		"PRIVMSG bob :\001DCC SEND f 167772162 5000\r\n",
		"PRIVMSG bob :\001DCC SEND 167772162 5000\001\r\n",
		"PRIVMSG bob :\001DCC SEND \"f 167772162 5000 1\001\r\n",
		"PRIVMSG bob :look: \001DCC SEND f 167772162 5000 1\001\r\n",
		"PRIVMSG bob \001DCC SEND f 167772162 5000 1\001\r\n",
		"JOIN PRIVMSG bob :\001DCC SEND f 167772162 5000 1\001\r\n",
		" PRIVMSG bob :\001DCC SEND f 167772162 5000 1\001\r\n",
		":x PRIVMSG bob :\001DCC SEND f 167772162 5000 1\001\r\n",
	};
	struct stream *s = *state;

	register_client(s);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(stream_say(s, lines[i]), lines[i]);
	assert_int_equal(expectations(&s->net), 0);
}

static void what_the_outside_says_opens_nothing(void **state)
{
	struct stream *s = *state;

	register_client(s);
	assert_string_equal(stream_hear(s, OFFER), OFFER);
	assert_int_equal(expectations(&s->net), 0);
}

static void a_server_inside_speaks_for_others(void **state)
{
	struct stream *s = *state;

	stream_accept(s, 6667);
	stream_hear(s, "NICK bob\r\n");
	assert_string_equal(stream_say(s, OFFER), OFFER);
	assert_int_equal(expectations(&s->net), 0);
}

static void a_web_page_cannot_offer(void **state)
{
	stream_refuses_web(*state, 6667, OFFER);
}

static void the_middle_of_a_line_is_no_offer(void **state)
{
	struct stream *s = *state;

	register_client(s);
	stream_say(s, "QUIT :");
	assert_string_equal(stream_say(s, OFFER), OFFER);
	assert_int_equal(expectations(&s->net), 0);
}

static void a_line_that_is_too_long_is_passed_and_the_next_is_read(void **state)
{
	struct stream *s = *state;
	char line[601];

	register_client(s);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "PRIVMSG bob :", 13);
	assert_string_equal(stream_say(s, line), line);
	assert_string_equal(stream_say(s, OFFER), OFFER);
	assert_string_equal(stream_say(s, OFFER), OFFERED);
}

static void offers_are_limited(void **state)
{
	struct stream *s = *state;

	register_client(s);
	stream_flood(s, 5000, "PRIVMSG bob :\001DCC SEND f 167772162 ", " 1\001\r\n");
}

static void sent_again_with_other_content_opens_nothing_more(void **state)
{
	struct stream *s = *state;
	uint32_t seq;

	register_client(s);
	seq = s->tcp.seq;
	stream_say(s, OFFER);
	s->tcp.seq = seq;
	stream_say(s, "PRIVMSG bob :\001DCC SEND s 167772162 60000 1\001\r\n");
	assert_int_equal(expectations(&s->net), 1);
	/* As it was it is translated again. */
	s->tcp.seq = seq;
	assert_string_equal(stream_say(s, OFFER), OFFERED);
	assert_int_equal(expectations(&s->net), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		irc_test(an_offered_file_can_be_fetched_by_anyone_once),
		irc_test(an_offer_can_be_given_to_the_instance_of_who_comes),
		irc_test(a_chat_a_notice_and_a_name_with_blanks_are_offers_too),
		irc_test(resume_gets_the_inside_port_and_accept_the_alias_port),
		irc_test(an_offer_can_be_split_anywhere),
		irc_test(what_is_no_offer_of_the_sender_is_left_alone),
		irc_test(what_the_outside_says_opens_nothing),
		irc_test(a_server_inside_speaks_for_others),
		irc_test(a_web_page_cannot_offer),
		irc_test(the_middle_of_a_line_is_no_offer),
		irc_test(a_line_that_is_too_long_is_passed_and_the_next_is_read),
		irc_test(offers_are_limited),
		irc_test(sent_again_with_other_content_opens_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
