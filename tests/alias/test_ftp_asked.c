/* SPDX-License-Identifier: BSD-2-Clause */
/* FTP servers inside: their passive answers are believed if a client has asked. */
#include "ftp.h"

#define ANSWER     "227 Entering Passive Mode (10,0,0,2,200,10)\r\n"
#define TRANSLATED "227 Entering Passive Mode (198,51,100,1,200,10)\r\n"

static int server_setup(void **state)
{
	if (ftp_setup(state))
		return -1;
	stream_accept(*state, 21);
	stream_hear(*state, "USER anonymous\r\n");
	return 0;
}

#define server_test(f) cmocka_unit_test_setup_teardown(f, server_setup, net_teardown)

static void says(struct stream *s, const char *text, const char *translated)
{
	assert_string_equal(stream_say(s, text), translated);
}

static void a_question_is_answered_once(void **state)
{
	struct stream *s = *state;

	says(s, ANSWER, ANSWER);
	assert_int_equal(expectations(&s->net), 0);
	stream_hear(s, "TYPE I\r\nPASV\r\n");
	says(s, "200 ok\r\n", "200 ok\r\n");
	says(s, ANSWER, TRANSLATED);
	says(s, ANSWER, ANSWER);
	stream_hear(s, "epsv\r\n");
	says(s, "229 ok (|||51211|)\r\n", "229 ok (|||51211|)\r\n");
	assert_int_equal(expectations(&s->net), 2);
}

static void questions_may_be_asked_before_the_answers_come(void **state)
{
	struct stream *s = *state;

	stream_hear(s, "CWD pub\r\nPASV\r\nRETR a\r\nPASV\r\nRETR b\r\n");
	says(s, "250 ok\r\n" ANSWER "150 a\r\n226 done\r\n",
	     "250 ok\r\n" TRANSLATED "150 a\r\n226 done\r\n");
	says(s, ANSWER, TRANSLATED);
	says(s, ANSWER, ANSWER);
}

static void a_question_may_come_letter_by_letter_and_again(void **state)
{
	static const char question[] = "PASV\r\n";
	struct stream *s = *state;
	uint32_t start = s->tcp.ack;

	for (size_t i = 0; question[i]; i++)
		stream_hear(s, (char[]){question[i], '\0'});
	s->tcp.ack = start;
	stream_hear(s, question);
	says(s, ANSWER, TRANSLATED);
	says(s, ANSWER, ANSWER);
}

static void what_is_no_command_asks_nothing(void **state)
{
	struct stream *s = *state;

	stream_hear(s, "STAT PASV\r\n");
	stream_hear(s, "RETR ");
	stream_hear(s, "PASV\r\n");
	stream_hear(s, "PAS\r\nV\r\n");
	s->tcp.ack += 100; /* a part is missing */
	stream_hear(s, "PASV\r\n");
	says(s, ANSWER, ANSWER);
	assert_int_equal(expectations(&s->net), 0);
}

/* Such as the name of a file in a listing, or what a message file says. */
static void a_line_of_a_longer_reply_answers_nothing(void **state)
{
	static const char lines[] = "213-Status follows:\r\n" ANSWER "226 done\r\n" ANSWER;
	struct stream *s = *state;

	stream_hear(s, "STAT .\r\nPASV\r\n");
	says(s, lines, lines);
	says(s, "213 End of status\r\n", "213 End of status\r\n");
	says(s, ANSWER, TRANSLATED);
	assert_int_equal(expectations(&s->net), 1);
}

static void an_answer_that_is_sent_again_is_the_same(void **state)
{
	struct stream *s = *state;
	uint32_t start = s->tcp.seq;

	stream_hear(s, "PASV\r\n");
	says(s, ANSWER, TRANSLATED);
	says(s, "150 ok\r\n", "150 ok\r\n");
	s->tcp.seq = start;
	says(s, ANSWER "150 ok\r\n", TRANSLATED "150 ok\r\n");
	assert_int_equal(expectations(&s->net), 1);
}

/* A client that does not acknowledge it makes the server say it again. */
static void what_was_not_believed_is_not_believed_later(void **state)
{
	static const char same[] = "229 ok (|||51211|)\r\n";
	struct stream *s = *state;
	uint32_t start = s->tcp.seq;

	says(s, same, same);
	stream_hear(s, "EPSV\r\n");
	s->tcp.seq = start;
	says(s, same, same);
	assert_int_equal(expectations(&s->net), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		server_test(a_question_is_answered_once),
		server_test(questions_may_be_asked_before_the_answers_come),
		server_test(a_question_may_come_letter_by_letter_and_again),
		server_test(what_is_no_command_asks_nothing),
		server_test(a_line_of_a_longer_reply_answers_nothing),
		server_test(an_answer_that_is_sent_again_is_the_same),
		server_test(what_was_not_believed_is_not_believed_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
