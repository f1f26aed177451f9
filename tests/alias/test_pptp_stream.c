/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PPTP: messages are read from the control connection whatever segments TCP makes of them, and what
 * is no PPTP makes no call.
 */
#include "pptp.h"

static void a_message_that_is_sent_again_is_translated_again(void **state)
{
	struct net *net = *state;
	uint8_t m[2 * PPTP_MESSAGE_MAX];
	struct connection c;
	uint16_t number;
	size_t len, start;

	c = pptp_start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	number = pptp_call(net, &c, 5, 7);
	len = pptp_message(m, PPTP_OUTGOING_REQUEST, 5, 0);
	say_out_at(net, &c, c.seq - (uint32_t)len, m, len);
	assert_int_equal(pptp_number(net, 12), number);
	/* Together with the one before it. */
	start = pptp_message(m, PPTP_START_REQUEST, 0, 0);
	len = start + pptp_message(m + start, PPTP_OUTGOING_REQUEST, 5, 0);
	say_out_at(net, &c, c.seq - (uint32_t)len, m, len);
	assert_int_equal(pptp_number(net, start + 12), number);
	assert_int_equal(links(net), 3);
}

static void messages_in_one_segment_are_all_read(void **state)
{
	struct net *net = *state;
	struct connection c;
	uint8_t m[3 * PPTP_MESSAGE_MAX];
	size_t request, clear, len;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c = pptp_connect(net, INSIDE, 3000);
	pptp_hear(net, &c, PPTP_START_REPLY, 0, 0);
	request = pptp_message(m, PPTP_START_REQUEST, 0, 0);
	clear = request + pptp_message(m + request, PPTP_OUTGOING_REQUEST, 5, 0);
	len = clear + pptp_message(m + clear, PPTP_CLEAR_REQUEST, 5, 0);
	say_out(net, &c, m, len);
	assert_int_not_equal(pptp_number(net, request + 12), 5);
	assert_int_equal(pptp_number(net, clear + 12), pptp_number(net, request + 12));
}

static void a_message_may_be_split_anywhere(void **state)
{
	struct net *net = *state;
	uint8_t m[PPTP_MESSAGE_MAX];
	size_t len = pptp_message(m, PPTP_OUTGOING_REQUEST, 5, 0);

	for (uint32_t cut = 1; cut < len; cut++) {
		uint8_t got[PPTP_MESSAGE_MAX] = {0};
		struct connection c;

		LibAliasReset(net->la);
		LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
		c = pptp_start(net, INSIDE, 3000);
		say_out_at(net, &c, c.seq, m, cut);
		receive(net, c.seq, got, sizeof(got));
		say_out_at(net, &c, c.seq + cut, m + cut, len - cut);
		receive(net, c.seq, got, sizeof(got));
		assert_int_not_equal(get16(got + 12), 5);
		/* Each piece again: the same. */
		say_out_at(net, &c, c.seq + cut, m + cut, len - cut);
		receive(net, c.seq, got, sizeof(got));
		say_out_at(net, &c, c.seq, m, cut);
		receive(net, c.seq, got, sizeof(got));
		assert_memory_equal(got, m, 12);
		assert_int_not_equal(get16(got + 12), 5);
		assert_memory_equal(got + 14, m + 14, len - 14);
		assert_int_equal(links(net), 2);
		/* What follows is read. */
		c.seq += (uint32_t)len;
		pptp_say(net, &c, PPTP_OUTGOING_REQUEST, 6, 0);
		assert_int_not_equal(pptp_number(net, 12), 6);
	}
}

static void reading_goes_on_after_a_lost_segment(void **state)
{
	struct net *net = *state;
	struct connection c;

	c = pptp_start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c.seq += 16; /* did not come by here */
	pptp_say(net, &c, PPTP_OUTGOING_REQUEST, 5, 0);
	assert_int_not_equal(pptp_number(net, 12), 5);
}

/* No call comes of a stream that is no PPTP: none of the messages is touched. */
static void what_is_no_pptp_makes_no_call(void **state)
{
	static const char request[] = "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 168\r\n\r\n";
	struct net *net = *state;
	struct connection c;
	uint8_t m[PPTP_MESSAGE_MAX];
	size_t len;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c = pptp_connect(net, INSIDE, 3000);
	pptp_hear(net, &c, PPTP_START_REPLY, 0, 0);
	say_out(net, &c, request, strlen(request));
	pptp_say(net, &c, PPTP_START_REQUEST, 0, 0);
	len = pptp_message(m, PPTP_OUTGOING_REQUEST, 5, 0);
	say_out_at(net, &c, c.seq, m, len);
	assert_memory_equal(packet_payload(net->packet), m, len);
	assert_int_equal(links(net), 1);
}

static void the_greeting_of_another_protocol_is_not_held_back(void **state)
{
	struct net *net = *state;
	struct connection c = pptp_connect(net, INSIDE, 3000);

	say_in(net, &c, "+OK\r\n", 5);
	assert_string_equal(packet_text(net->packet), "+OK\r\n");
}

static void no_call_before_both_ends_have_started(void **state)
{
	struct net *net = *state;
	struct connection c;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	c = pptp_connect(net, INSIDE, 3000);
	pptp_say(net, &c, PPTP_START_REQUEST, 0, 0);
	pptp_say(net, &c, PPTP_OUTGOING_REQUEST, 5, 0);
	assert_int_equal(pptp_number(net, 12), 5);
	assert_int_equal(links(net), 1);
}

static void impossible_messages_end_the_reading(void **state)
{
	static const struct {
		size_t at;
		uint16_t value;
	} wrong[] = {
		{0, 11}, {0, 0}, {0, 65535}, {0, 221}, {2, 2}, {4, 0}, {6, 0x3c4e},
	};
	struct net *net = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct connection c;
		uint8_t m[PPTP_MESSAGE_MAX];
		size_t len = pptp_message(m, PPTP_OUTGOING_REQUEST, 5, 0);

		LibAliasReset(net->la);
		LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
		c = pptp_start(net, INSIDE, 3000);
		put16(m + wrong[i].at, wrong[i].value);
		say_out(net, &c, m, len);
		assert_memory_equal(packet_payload(net->packet), m, len);
		pptp_say(net, &c, PPTP_OUTGOING_REQUEST, 6, 0);
		assert_int_equal(pptp_number(net, 12), 6);
		assert_int_equal(links(net), 1);
	}
}

static void other_messages_and_short_ones_are_left_alone(void **state)
{
	struct net *net = *state;
	struct connection c;
	uint8_t m[PPTP_MESSAGE_MAX];
	size_t len;

	c = pptp_start(net, INSIDE, 3000);
	len = pptp_message(m, PPTP_OUTGOING_REQUEST, 5, 0);
	put16(m + 8, 16); /* no such type */
	say_out(net, &c, m, len);
	assert_memory_equal(packet_payload(net->packet), m, len);
	put16(m, 12); /* too short for a number */
	put16(m + 8, PPTP_OUTGOING_REQUEST);
	say_out(net, &c, m, 12);
	assert_memory_equal(packet_payload(net->packet), m, 12);
	pptp_say(net, &c, PPTP_OUTGOING_REQUEST, 65535, 0); /* is none here */
	assert_int_equal(pptp_number(net, 12), 65535);
	/* Numbers that nobody was told. */
	pptp_say(net, &c, PPTP_CLEAR_REQUEST, 99, 0);
	assert_int_equal(pptp_number(net, 12), 99);
	pptp_hear(net, &c, PPTP_OUTGOING_REPLY, 7, 99);
	assert_int_equal(pptp_number(net, 14), 99);
	pptp_hear(net, &c, PPTP_DISCONNECT_NOTIFY, 99, 0);
	assert_int_equal(links(net), 1);
}

static void a_reply_that_nobody_asked_for_makes_no_call(void **state)
{
	struct net *net = *state;
	struct connection c;

	c = pptp_start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	pptp_hear(net, &c, PPTP_INCOMING_REQUEST, 7, 0);
	pptp_say(net, &c, PPTP_INCOMING_REPLY, 5, 8);
	assert_int_equal(pptp_number(net, 12), 5);
	pptp_say(net, &c, PPTP_INCOMING_REPLY, 5, 0);
	assert_int_equal(pptp_number(net, 12), 5);
	assert_int_equal(links(net), 1);
	pptp_say(net, &c, PPTP_INCOMING_REPLY, 5, 7);
	assert_int_not_equal(pptp_number(net, 12), 5);
	assert_int_equal(links(net), 3);
}

static void calls_are_limited(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;
	struct connection c;

	c = pptp_start(net, INSIDE, 3000);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	for (uint16_t i = 1; i <= 100; i++)
		pptp_say(net, &c, PPTP_OUTGOING_REQUEST, i, 0);
	assert_int_equal(pptp_number(net, 12), 100);
	assert_int_equal(links(net), 1 + 16);
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.refused_limit, 84);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pptp_test(a_message_that_is_sent_again_is_translated_again),
		pptp_test(messages_in_one_segment_are_all_read),
		pptp_test(a_message_may_be_split_anywhere),
		pptp_test(reading_goes_on_after_a_lost_segment),
		pptp_test(what_is_no_pptp_makes_no_call),
		pptp_test(the_greeting_of_another_protocol_is_not_held_back),
		pptp_test(no_call_before_both_ends_have_started),
		pptp_test(impossible_messages_end_the_reading),
		pptp_test(other_messages_and_short_ones_are_left_alone),
		pptp_test(a_reply_that_nobody_asked_for_makes_no_call),
		pptp_test(calls_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
