/* SPDX-License-Identifier: BSD-2-Clause */
/* FTP: what must open nothing (NAT slipstreaming, other hosts' addresses), and how much at most. */
#include "ftp.h"

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
	struct stream *s = *state;

	stream_connect(s, 21);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_string_equal(stream_say(s, lines[i]), lines[i]);
	assert_int_equal(expectations(&s->net), 0);
}

static void the_middle_of_a_line_is_no_command(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	stream_say(s, "SITE ");
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 10,0,0,2,16,1\r\n");
	assert_int_equal(expectations(&s->net), 0);
}

static void sent_again_with_other_content_opens_nothing_more(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	stream_say(s, "PORT 10,0,0,2,16,1\r\n");
	stream_say_at(s, 100, "PORT 10,0,0,2,16,2\r\n");
	stream_say_at(s, 100, "PORT 10,0,0,2,216,2\r\n");
	assert_int_equal(expectations(&s->net), 1);
	assert_string_equal(stream_say_at(s, 100, "PORT 10,0,0,2,16,1\r\n"),
			    "PORT 198,51,100,1,16,1\r\n");
}

static void a_web_page_cannot_announce(void **state)
{
	stream_refuses_web(*state, 21, "PORT 10,0,0,2,16,1\r\n");
}

static void expectations_are_limited_and_end(void **state)
{
	struct stream *s = *state;
	char line[64];

	LibAliasSetLimit(s->net.la, ALIAS_LIMIT_EXPECTATIONS, 3);
	stream_connect(s, 21);
	for (int i = 0; i < 5; i++) {
		snprintf(line, sizeof(line), "PORT 10,0,0,2,16,%d\r\n", i);
		stream_say(s, line);
	}
	assert_int_equal(expectations(&s->net), 3);
	s->net.now += 121;
	udp_out(&s->net, ENDS(INSIDE, 1, REMOTE, 1));
	assert_int_equal(expectations(&s->net), 0);
}

static void thousands_of_commands_open_as_many_ports_as_the_limit_says(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	stream_flood(s, 5000, "EPRT |1|10.0.0.2|", "|\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ftp_test(what_names_another_host_or_a_low_port_is_left_alone),
		ftp_test(the_middle_of_a_line_is_no_command),
		ftp_test(sent_again_with_other_content_opens_nothing_more),
		ftp_test(a_web_page_cannot_announce),
		ftp_test(expectations_are_limited_and_end),
		ftp_test(thousands_of_commands_open_as_many_ports_as_the_limit_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
