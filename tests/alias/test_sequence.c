/* SPDX-License-Identifier: BSD-2-Clause */
/* Sequence numbers after changes of length: whatever is lost or overtakes, the stream stays whole.
 */
#include "ftp.h"

#define COMMAND "PORT 10,0,0,2,16,1\r\n"
#define LONGER  "PORT 198,51,100,1,16,1\r\n"

/* Sends text at a place of the inside end's stream, counted from 0; where it is put in the other's.
 */
static uint32_t put(struct stream *s, uint32_t at, const char *text)
{
	build_tcp(s->net.packet, s->tcp.out, TH_ACK, 100 + at, s->tcp.ack, text, strlen(text));
	assert_int_equal(send_out(&s->net), PKT_ALIAS_OK);
	return packet_seq(s->net.packet) - 100;
}

/* What the inside end gets to know when the other acknowledges all before this place. */
static uint32_t acknowledge(struct stream *s, uint32_t place)
{
	build_tcp(s->net.packet, s->tcp.in, TH_ACK, s->tcp.ack, 100 + place, "", 0);
	assert_int_equal(send_in(&s->net), PKT_ALIAS_OK);
	return packet_ack(s->net.packet) - 100;
}

static void hundreds_of_changes_may_be_under_way(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	for (uint32_t i = 0; i < 512; i++) {
		assert_int_equal(put(s, 20 * i, COMMAND), 24 * i);
		assert_string_equal(packet_text(s->net.packet), LONGER);
	}
	/* The first were lost: they come again where they were, and so does all behind. */
	for (uint32_t i = 0; i < 512; i++) {
		assert_int_equal(put(s, 20 * i, COMMAND), 24 * i);
		assert_string_equal(packet_text(s->net.packet), LONGER);
	}
	for (uint32_t i = 0; i <= 512; i++)
		assert_int_equal(acknowledge(s, 24 * i), 20 * i);
}

static void beyond_that_they_go_unchanged_until_some_are_acknowledged(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	for (uint32_t i = 0; i < 512; i++)
		put(s, 20 * i, COMMAND);
	assert_int_equal(put(s, 20 * 512, COMMAND), 24 * 512);
	assert_string_equal(packet_text(s->net.packet), COMMAND);
	assert_int_equal(acknowledge(s, 24 * 512 + 20), 20 * 513);
	assert_int_equal(put(s, 20 * 513, COMMAND), 24 * 512 + 20);
	assert_string_equal(packet_text(s->net.packet), LONGER);
	assert_int_equal(put(s, 20 * 514, "LIST\r\n"), 24 * 513 + 20);
	assert_int_equal(acknowledge(s, 24 * 513 + 20 + 6), 20 * 514 + 6);
}

static void acknowledged_ones_make_room_without_end(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	for (uint32_t i = 0; i < 5000; i++) {
		assert_int_equal(put(s, 20 * i, COMMAND), 24 * i);
		assert_string_equal(packet_text(s->net.packet), LONGER);
		if (i >= 20)
			assert_int_equal(acknowledge(s, 24 * (i - 20)), 20 * (i - 20));
	}
	/* What was sent since the last acknowledgment, and what is older. */
	for (uint32_t i = 4979; i < 5000; i++)
		assert_int_equal(put(s, 20 * i, COMMAND), 24 * i);
	assert_in_range(put(s, 20, COMMAND), 0, 24 * 4979);
}

/* Somebody who cannot see the stream makes nothing forgotten by what he acknowledges. */
static void acknowledgments_of_what_was_not_sent_do_not_count(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	for (uint32_t i = 0; i < 300; i++) {
		put(s, 20 * i, COMMAND);
		acknowledge(s, 1000000);
	}
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(put(s, 20 * i, COMMAND), 24 * i);
}

static void a_packet_may_have_hundreds(void **state)
{
	static char text[20 * 400 + 1];
	struct stream *s = *state;

	for (size_t i = 0; i < 400; i++)
		memcpy(text + 20 * i, COMMAND, 21);
	stream_connect(s, 21);
	assert_int_equal(put(s, 0, text), 0);
	assert_int_equal(total_length(s->net.packet), 40 + 24 * 400);
	for (uint32_t i = 0; i <= 400; i++)
		assert_int_equal(acknowledge(s, 24 * i), 20 * i);
	assert_int_equal(put(s, 20 * 400, "LIST\r\n"), 24 * 400);
}

/* A probe is one before what was acknowledged; beyond it nobody answers (RFC 9293, 3.8.4). */
static void a_keepalive_behind_a_shorter_message_is_answered(void **state)
{
	static const char message[] = "OPTIONS sip:b SIP/2.0\r\n"
				      "Via: SIP/2.0/TCP 10.0.0.2:3000\r\n"
				      "Content-Length: 0\r\n\r\n";
	uint32_t len = sizeof(message) - 1;
	struct stream *s = *state;

	LibAliasSetHelper(s->net.la, "sip", 0, 1);
	LibAliasSetAddress(s->net.la, addr("8.8.8.8"));
	s->tcp.out = ENDS(INSIDE, 3000, REMOTE, 5060);
	s->tcp.in = ENDS(REMOTE, 5060, "8.8.8.8", 3000);
	build_tcp(s->net.packet, s->tcp.out, TH_SYN, 99, 0, NULL, 0);
	assert_int_equal(send_out(&s->net), PKT_ALIAS_OK);
	build_tcp(s->net.packet, s->tcp.in, TH_SYN | TH_ACK, 499, 100, NULL, 0);
	assert_int_equal(send_in(&s->net), PKT_ALIAS_OK);
	s->tcp.ack = 500;
	assert_int_equal(put(s, 0, message), 0);
	assert_int_equal(total_length(s->net.packet), 40 + len - 1);
	assert_int_equal(acknowledge(s, len - 1), len);
	assert_int_equal(put(s, len - 1, ""), len - 2);
	assert_int_equal(put(s, len, ""), len - 1);
}

/* Its sender fills packets as long as the way allows. */
static void what_grew_may_be_fragmented(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	for (uint32_t id = 0; id < 2; id++) {
		build_tcp(s->net.packet, s->tcp.out, TH_ACK, 100 + 26 * id, 500,
			  id ? COMMAND : "NOOP\r\n" COMMAND, id ? 20 : 26);
		s->net.packet[5] = (uint8_t)id;
		s->net.packet[6] = 0x40;
		fix_ip_sum(s->net.packet);
		assert_int_equal(send_out(&s->net), PKT_ALIAS_OK);
		assert_int_equal(s->net.packet[6], 0);
		assert_true(s->net.packet[4] || s->net.packet[5]);
	}
	build_tcp(s->net.packet, s->tcp.out, TH_ACK, 146, 500, "NOOP\r\n", 6);
	s->net.packet[6] = 0x40;
	fix_ip_sum(s->net.packet);
	assert_int_equal(send_out(&s->net), PKT_ALIAS_OK);
	assert_int_equal(s->net.packet[6], 0x40);
}

static int sip_setup(void **state)
{
	return stream_setup(state, "sip");
}

/* Whoever acknowledges nothing cannot have the memory used up: 300 connections, 128 KB each. */
static void what_is_kept_of_all_links_has_an_end_and_messages_are_translated_anew_behind_it(
	void **state)
{
	struct stream *s = *state;
	char message[512];
	uint32_t length =
		(uint32_t)sprintf(message,
				  "OPTIONS sip:b@c SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.2\r\n"
				  "Subject: %0400d\r\nContent-Length: 0\r\n\r\n",
				  0);

	for (int i = 0; i < 300; i++) {
		stream_connect(s, 5060);
		for (uint32_t n = 0; n < 300; n++)
			put(s, length * n, message);
		put(s, 0, "OPTIONS ");
		if (!i)
			assert_non_null(strstr(packet_text(s->net.packet), "TCP 198.51.100.1"));
	}
	assert_string_equal(packet_text(s->net.packet), "");
	assert_int_equal(put(s, 0, message), 0);
	assert_non_null(strstr(packet_text(s->net.packet), "TCP 198.51.100.1"));
}

static void what_overtook_a_command_keeps_its_place(void **state)
{
	struct stream *s = *state;

	stream_connect(s, 21);
	assert_int_equal(put(s, 20, "and this without an end"), 20);
	assert_int_equal(put(s, 0, COMMAND), 0);
	assert_string_equal(packet_text(s->net.packet), COMMAND);
	assert_int_equal(put(s, 43, "\r\n"), 43);
	assert_int_equal(acknowledge(s, 45), 45);
	assert_int_equal(put(s, 45, COMMAND), 45);
	assert_string_equal(packet_text(s->net.packet), LONGER);
}

static void what_a_proxy_is_told_is_counted_from_the_beginning(void **state)
{
	static const char dest[] = "[DEST 203.0.113.7 80] \n";
	struct stream *s = *state;
	uint32_t len = (uint32_t)strlen(dest) + (strlen(dest) & 1);

	assert_int_equal(LibAliasProxyRule(s->net.la, "type encode_tcp_stream port 80 "
						      "server 203.0.113.9:3128"),
			 0);
	s->tcp.out = ENDS(INSIDE, 3000, REMOTE, 80);
	s->tcp.in = ENDS("203.0.113.9", 3128, ALIAS, 3000);
	build_tcp(s->net.packet, s->tcp.out, TH_SYN, 99, 0, NULL, 0);
	assert_int_equal(send_out(&s->net), PKT_ALIAS_OK);
	build_tcp(s->net.packet, s->tcp.in, TH_SYN | TH_ACK, 499, 100, NULL, 0);
	assert_int_equal(send_in(&s->net), PKT_ALIAS_OK);
	s->tcp.ack = 500;
	assert_int_equal(put(s, 0, ""), 0);
	/* The first segment comes late. */
	len = put(s, 6, "second") - 6;
	assert_int_equal(put(s, 0, "first."), 0);
	assert_int_equal(total_length(s->net.packet), 40 + len + 6);
	assert_int_equal(acknowledge(s, len + 12), 12);
	assert_int_equal(acknowledge(s, len), 0);
	assert_int_equal(put(s, 12, "third"), len + 12);
	assert_int_equal(put(s, 0, "first."), 0);
	assert_int_equal(total_length(s->net.packet), 40 + len + 6);
}

/*
 * A sender of lines and a receiver, with the engine and a bad network between them.  Places are
 * counted from 0; the sender repeats what it likes from where it likes, as TCP may.  If nothing is
 * lost before the engine it sends whole lines at first.
 */
struct transfer {
	struct stream *s;
	uint32_t random;
	char text[4096];
	uint32_t len, sent, acknowledged;
	char got[2 * 4096];
	bool here[2 * 4096];
	uint32_t whole; /* the receiver has all before it */
};

static uint32_t draw(struct transfer *t, uint32_t below)
{
	t->random = t->random * 1664525 + 1013904223;
	return (t->random >> 8) % below;
}

static void write_lines(struct transfer *t)
{
	static const char *const lines[] = {COMMAND, "NOOP\r\n", "EPRT |1|10.0.0.2|4097|\r\n",
					    "CWD somewhere else\r\n"};

	for (t->len = 0; t->len < sizeof(t->text) - 64;)
		t->len += (uint32_t)sprintf(t->text + t->len, "%s", lines[draw(t, 4)]);
}

static void deliver(struct transfer *t)
{
	uint32_t place = packet_seq(t->s->net.packet) - 100;
	uint32_t len = total_length(t->s->net.packet) - 40u;
	const char *data = (const char *)t->s->net.packet + 40;

	for (uint32_t i = 0; i < len; i++) {
		assert_in_range(place + i, 0, sizeof(t->got) - 1);
		if (t->here[place + i])
			assert_int_equal(t->got[place + i], data[i]);
		t->got[place + i] = data[i];
		t->here[place + i] = true;
	}
	while (t->here[t->whole])
		t->whole++;
}

/* Sends up to len bytes from a place; some get lost behind the engine, and before it if told so. */
static void transmit(struct transfer *t, uint32_t at, uint32_t len, bool lossy)
{
	len = len < t->len - at ? len : t->len - at;
	if (at + len > t->sent)
		t->sent = at + len;
	if (lossy && !draw(t, 5))
		return;
	build_tcp(t->s->net.packet, t->s->tcp.out, TH_ACK, 100 + at, t->s->tcp.ack, t->text + at,
		  len);
	assert_int_equal(send_out(&t->s->net), PKT_ALIAS_OK);
	if (draw(t, 4))
		deliver(t);
}

static void repeat(struct transfer *t, uint32_t at, bool lossy)
{
	uint32_t len = 1 + draw(t, 400);

	transmit(t, at, len < t->sent - at ? len : t->sent - at, lossy);
}

static uint32_t some_lines(struct transfer *t)
{
	uint32_t end = t->sent + draw(t, 200);

	end = end < t->len ? end : t->len - 1;
	return (uint32_t)(strchr(t->text + end, '\n') - t->text) + 1 - t->sent;
}

static void run_transfer(struct transfer *t, bool lossy)
{
	for (int turn = 0; t->acknowledged < t->len; turn++) {
		uint32_t flying = t->sent - t->acknowledged;

		assert_in_range(turn, 0, 20000);
		if (flying < 1500 && t->sent < t->len)
			transmit(t, t->sent, lossy ? 1 + draw(t, 200) : some_lines(t), lossy);
		if (flying && !draw(t, 3))
			repeat(t, t->acknowledged + draw(t, flying), lossy);
		if (flying && !draw(t, 3))
			repeat(t, t->acknowledged, lossy);
		if (draw(t, 2)) {
			uint32_t number = acknowledge(t->s, t->whole);

			assert_in_range(number, 0, t->sent);
			if (number > t->acknowledged)
				t->acknowledged = number;
		}
	}
}

/* Each line as it was or translated; how many were. */
static uint32_t assert_lines(const struct transfer *t)
{
	const char *from = t->text, *got = t->got;
	uint32_t translated = 0;

	while (*from) {
		size_t len = strcspn(from, "\n") + 1, got_len = strcspn(got, "\n") + 1;
		bool port = !strncmp(from, "PORT", 4) && !strncmp(got, LONGER, got_len);
		bool eprt = !strncmp(from, "EPRT", 4) &&
			    !strncmp(got, "EPRT |1|198.51.100.1|4097|\r\n", got_len);

		assert_true(port || eprt || (len == got_len && !memcmp(from, got, len)));
		translated += port || eprt;
		from += len;
		got += got_len;
	}
	assert_int_equal(got - t->got, t->whole);
	return translated;
}

static uint32_t announcements(const struct transfer *t)
{
	uint32_t n = 0;

	for (const char *at = t->text; (at = strstr(at, "10")); at++)
		n++;
	return n;
}

static void streams_stand_any_loss(struct stream *s, bool lossy)
{
	for (uint32_t seed = 1; seed <= 60; seed++) {
		struct transfer t = {.s = s, .random = seed * 77777};

		LibAliasReset(s->net.la);
		stream_connect(s, 21);
		write_lines(&t);
		run_transfer(&t, lossy);
		if (lossy)
			assert_lines(&t);
		else
			assert_int_equal(assert_lines(&t), announcements(&t));
	}
}

static void what_is_lost_behind_the_engine_is_translated_again(void **state)
{
	streams_stand_any_loss(*state, false);
}

static void what_is_lost_before_it_leaves_the_stream_whole(void **state)
{
	streams_stand_any_loss(*state, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ftp_test(hundreds_of_changes_may_be_under_way),
		ftp_test(beyond_that_they_go_unchanged_until_some_are_acknowledged),
		ftp_test(acknowledged_ones_make_room_without_end),
		ftp_test(acknowledgments_of_what_was_not_sent_do_not_count),
		ftp_test(a_packet_may_have_hundreds),
		ftp_test(a_keepalive_behind_a_shorter_message_is_answered),
		ftp_test(what_grew_may_be_fragmented),
		cmocka_unit_test_setup_teardown(
			what_is_kept_of_all_links_has_an_end_and_messages_are_translated_anew_behind_it,
			sip_setup, net_teardown),
		ftp_test(what_overtook_a_command_keeps_its_place),
		ftp_test(what_is_lost_behind_the_engine_is_translated_again),
		ftp_test(what_is_lost_before_it_leaves_the_stream_whole),
		ftp_test(what_a_proxy_is_told_is_counted_from_the_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
