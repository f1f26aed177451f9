/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FTP: commands are read from the stream whatever segments TCP makes of them, and the numbers of
 * the stream follow what was written in.
 */
#include "ftp.h"

static void sequence_numbers_follow_the_new_length(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	stream_say(s, "PORT 10,0,0,2,16,1\r\n"); /* 20 bytes become 24 */
	assert_int_equal(packet_seq(s->net.packet), 100);
	stream_say(s, "LIST\r\n");
	assert_int_equal(packet_seq(s->net.packet), 124);
	build_tcp(s->net.packet, s->tcp.in, TH_ACK, 500, 130, "200\r\n", 5);
	send_in(&s->net);
	assert_int_equal(packet_ack(s->net.packet), 126);
	assert_int_equal(packet_seq(s->net.packet), 500);
}

static void several_changes_hold_at_once(void **state)
{
	struct stream *s = *state;
	static const char command[] = "PORT 10,0,0,2,16,1\r\n";

	stream_connect(s, 21);
	for (uint32_t i = 0; i < 5; i++) {
		stream_say(s, command);
		assert_int_equal(packet_seq(s->net.packet), 100 + 24 * i);
	}
	/* Acknowledgments of each of them. */
	for (uint32_t i = 0; i <= 5; i++) {
		build_tcp(s->net.packet, s->tcp.in, TH_ACK, 500, 100 + 24 * i, "", 0);
		send_in(&s->net);
		assert_int_equal(packet_ack(s->net.packet), 100 + 20 * i);
	}
	/* An old one sent again keeps its place. */
	assert_string_equal(stream_say_at(s, 120, command), "PORT 198,51,100,1,16,1\r\n");
	assert_int_equal(packet_seq(s->net.packet), 124);
	stream_say_at(s, 200, "LIST\r\n");
	assert_int_equal(packet_seq(s->net.packet), 220);
}

static void sack_blocks_are_moved_back(void **state)
{
	uint8_t sack[20] = {1, 1, 5, 18, 0, 0, 0, 124, 0, 0, 0, 130, 0, 0, 0, 140, 0, 0, 0, 150};
	struct stream *s = *state;
	const uint8_t *options = s->net.packet + 40;

	stream_connect(s, 21);
	stream_say(s, "PORT 10,0,0,2,16,1\r\n");
	build_tcp_options(s->net.packet, s->tcp.in, TH_ACK, 500, 100, sack, 20, "", 0);
	send_in(&s->net);
	assert_int_equal(options[7], 120);
	assert_int_equal(options[11], 126);
	assert_int_equal(options[15], 136);
	assert_int_equal(options[19], 146);
	/* The same at odd offsets. */
	memmove(sack + 1, sack + 2, 18);
	sack[19] = 0;
	build_tcp_options(s->net.packet, s->tcp.in, TH_ACK, 500, 100, sack, 20, "", 0);
	send_in(&s->net);
	assert_int_equal(options[6], 120);
	assert_int_equal(options[18], 146);
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
		build_tcp(s->net.packet, s->tcp.in, TH_ACK, s->tcp.ack, 24 - before, NULL, 0);
		send_in(&s->net);
		assert_int_equal(packet_ack(s->net.packet), 20 - before);
	}
}

static void a_command_can_be_split_anywhere(void **state)
{
	static const char command[] = "PORT 10,0,0,2,16,1\r\n";
	struct stream *s = *state;

	for (uint32_t cut = 1; cut < 20; cut++) {
		char first[32], second[32], sent[64] = "";
		uint32_t seq = 100;

		LibAliasReset(s->net.la);
		stream_connect(s, 21);
		memcpy(first, command, cut);
		first[cut] = '\0';
		strcpy(second, command + cut);
		strcat(sent, stream_say(s, first));
		if (*sent)
			seq += (uint32_t)strlen(sent);
		stream_say(s, second);
		assert_int_equal(packet_seq(s->net.packet), seq);
		strcat(sent, packet_text(s->net.packet));
		assert_string_equal(sent, "PORT 198,51,100,1,16,1\r\n");
		stream_say(s, "LIST\r\n");
		assert_int_equal(packet_seq(s->net.packet), 124);
	}
}

static void pieces_that_are_sent_again_are_made_whole(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	assert_string_equal(stream_say(s, "PORT 10,0,"), "");
	assert_string_equal(stream_say(s, "0,2,16,1\r\n"), "PORT 198,51,100,1,16,1\r\n");
	/* The answer was lost: both pieces come again; the first is enough. */
	assert_string_equal(stream_say_at(s, 100, "PORT 10,0,"), "PORT 198,51,100,1,16,1\r\n");
	assert_int_equal(packet_seq(s->net.packet), 100);
	assert_string_equal(stream_say(s, "0,2,16,1\r\n"), "");
	assert_int_equal(packet_seq(s->net.packet), 124);
	assert_int_equal(expectations(&s->net), 1);
}

static void two_lines_in_one_segment_are_both_seen(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	assert_string_equal(stream_say(s, "TYPE I\r\nPORT 10,0,0,2,16,1\r\nLIST\r\n"),
			    "TYPE I\r\nPORT 198,51,100,1,16,1\r\nLIST\r\n");
	stream_say(s, "QUIT\r\n");
	assert_int_equal(packet_seq(s->net.packet), 138);
}

static void a_sender_that_waits_for_an_acknowledgment_gets_one(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	assert_string_equal(stream_say(s, "PORT 10,0,"), "");
	assert_string_equal(stream_say_at(s, 100, "PORT 10,0,"), "PORT 10,0,");
	assert_string_equal(stream_say(s, "0,2,16,1\r\n"), "0,2,16,1\r\n");
	/* Nor is the rest of a line that has gone by changed later. */
	assert_string_equal(stream_say_at(s, 100, "PORT 10,0,0,2,16,1\r\n"),
			    "PORT 10,0,0,2,16,1\r\n");
	assert_int_equal(expectations(&s->net), 0);
	assert_string_equal(stream_say(s, "PORT 10,0,0,2,16,1\r\n"), "PORT 198,51,100,1,16,1\r\n");
}

static void the_last_bytes_of_a_connection_are_not_held_back(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	build_tcp(s->net.packet, s->tcp.out, TH_ACK | TH_FIN, s->tcp.seq, s->tcp.ack, "PORT 10", 7);
	send_out(&s->net);
	assert_string_equal(packet_text(s->net.packet), "PORT 10");
	assert_int_equal(s->net.packet[33], TH_ACK | TH_FIN);
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

static void a_command_that_has_no_room_to_grow_goes_unchanged(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	build_tcp(s->net.packet, s->tcp.out, TH_ACK, 100, 500, "PORT 10,0,0,2,16,1\r\n", 20);
	assert_int_equal(LibAliasOut(s->net.la, s->net.packet, 62), PKT_ALIAS_OK);
	assert_string_equal(packet_text(s->net.packet), "PORT 10,0,0,2,16,1\r\n");
	assert_true(sums_right(s->net.packet));
}

static void pieces_too_large_for_the_buffer_go_unchanged(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	for (int i = 0; i < 4; i++) {
		build_tcp(s->net.packet, s->tcp.out, TH_ACK, 100 + (i & 1) * 10u, 500,
			  i & 1 ? "0,2,16,1\r\n" : "PORT 10,0,", 10);
		assert_int_equal(LibAliasOut(s->net.la, s->net.packet, 50), PKT_ALIAS_OK);
		assert_true(sums_right(s->net.packet));
	}
	/* The second round is what TCP sends again, in the whole. */
	assert_string_equal(packet_text(s->net.packet), "0,2,16,1\r\n");
	assert_string_equal(stream_say_at(s, 120, "PORT 10,0,0,2,16,1\r\n"),
			    "PORT 198,51,100,1,16,1\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ftp_test(sequence_numbers_follow_the_new_length),
		ftp_test(several_changes_hold_at_once),
		ftp_test(sack_blocks_are_moved_back),
		ftp_test(numbers_wrap_at_the_edit),
		ftp_test(a_command_can_be_split_anywhere),
		ftp_test(pieces_that_are_sent_again_are_made_whole),
		ftp_test(two_lines_in_one_segment_are_both_seen),
		ftp_test(a_sender_that_waits_for_an_acknowledgment_gets_one),
		ftp_test(the_last_bytes_of_a_connection_are_not_held_back),
		ftp_test(a_line_that_is_too_long_is_passed_and_the_next_is_read),
		ftp_test(a_command_that_has_no_room_to_grow_goes_unchanged),
		ftp_test(pieces_too_large_for_the_buffer_go_unchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
