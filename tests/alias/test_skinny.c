/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Skinny (SCCP).  Layouts as Wireshark's dissector and chan_skinny document them.  The two
 * OpenReceiveChannelAck messages are laid out like recorded ones of versions 0 and 18, with the
 * addresses of this test.
 */
#include "connection.h"

/* Skinny's numbers are little-endian. */
static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* A zeroed message of len bytes in all. */
static void message(uint8_t *m, uint32_t len, uint32_t version, uint32_t id)
{
	memset(m, 0, len);
	put32(m, len - 8);
	put32(m + 4, version);
	put32(m + 8, id);
}

static size_t registers(uint8_t *m, const char *address)
{
	message(m, 48, 0, 0x0001);
	memcpy(m + 12, "SEP001122334455", 15);
	put32(m + 32, 1);
	put_address(m + 36, address);
	put32(m + 40, 7);
	return 48;
}

static size_t ip_port(uint8_t *m, uint32_t port)
{
	message(m, 16, 0, 0x0002);
	put32(m + 12, port);
	return 16;
}

static size_t ack(uint8_t *m, const char *address, uint32_t port)
{
	message(m, 32, 0, 0x0022);
	put_address(m + 16, address);
	put32(m + 20, port);
	put32(m + 24, 0x01ab2d88);
	put32(m + 28, 0x0159fd28);
	return 32;
}

static size_t ack_v18(uint8_t *m, const char *address, uint32_t port)
{
	message(m, 48, 18, 0x0022);
	put_address(m + 20, address);
	put32(m + 36, port);
	put32(m + 40, 0x01ab1eac);
	put32(m + 44, 0x0159e7a2);
	return 48;
}

static size_t start_media(uint8_t *m, const char *address, uint32_t port)
{
	message(m, 56, 0, 0x008a);
	put32(m + 12, 17);
	put_address(m + 20, address);
	put32(m + 24, port);
	put32(m + 28, 20);
	return 56;
}

/* A phone's connection to its manager. */
static struct connection connect_phone(struct net *net)
{
	return connect_out(net, INSIDE, 3000, 2000, 100);
}

static void assert_untouched(const struct net *net, const uint8_t *m, size_t len)
{
	assert_memory_equal(packet_payload(net->packet), m, len);
}

static void assert_address(const struct net *net, size_t at, const char *text)
{
	struct in_addr a = addr(text);

	assert_memory_equal(packet_payload(net->packet) + at, &a, 4);
}

static void media_arrive(struct net *net, const char *from, uint32_t alias, uint16_t port)
{
	assert_int_equal(udp_in(net, ENDS(from, 5000, ALIAS, (uint16_t)alias)), PKT_ALIAS_OK);
	assert_ends(net->packet, from, 5000, INSIDE, port);
}

static void a_phone_registers_with_the_alias_address(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint8_t m[64];

	phone = connect_phone(net);
	say_out(net, &phone, m, registers(m, INSIDE));
	assert_address(net, 36, ALIAS);
	put_address(m + 36, ALIAS);
	assert_untouched(net, m, 48);
	assert_int_equal(expectations(net), 0);
}

static void media_come_to_the_announced_port_and_the_next(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint32_t alias;
	uint8_t m[64];

	deny_incoming(net);
	phone = connect_phone(net);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	say_out(net, &phone, m, ack(m, INSIDE, 24576));
	assert_address(net, 16, ALIAS);
	alias = get32(packet_payload(net->packet) + 20);
	assert_int_equal(alias % 2, 0);
	assert_memory_equal(packet_payload(net->packet) + 24, m + 24, 8);
	media_arrive(net, "203.0.113.8", alias, 24576);
	media_arrive(net, "203.0.113.8", alias + 1, 24577);
	/* The phone's media leave from the port that the other end was told. */
	assert_int_equal(udp_out(net, ENDS(INSIDE, 24576, "203.0.113.8", 5000)), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, (uint16_t)alias, "203.0.113.8", 5000);
}

static void newer_versions_have_longer_addresses(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint8_t m[64];

	deny_incoming(net);
	phone = connect_phone(net);
	say_out(net, &phone, m, ack_v18(m, INSIDE, 24576));
	assert_address(net, 20, ALIAS);
	assert_int_equal(get32(packet_payload(net->packet) + 36), 24576);
	media_arrive(net, REMOTE, 24576, 24576);
	/* An IPv6 one. */
	ack_v18(m, INSIDE, 24578);
	put32(m + 16, 1);
	say_out(net, &phone, m, 48);
	assert_untouched(net, m, 48);
}

static void an_old_phone_says_its_port_alone(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint32_t alias;
	uint8_t m[64];

	deny_incoming(net);
	phone = connect_phone(net);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	say_out(net, &phone, m, registers(m, INSIDE));
	say_out(net, &phone, m, ip_port(m, 24576));
	alias = get32(packet_payload(net->packet) + 12);
	media_arrive(net, REMOTE, alias, 24576);
}

static void a_manager_inside_sends_media_itself(void **state)
{
	struct net *net = *state;
	struct connection manager;
	uint32_t alias;
	uint8_t m[64];
	size_t len;

	deny_incoming(net);
	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	manager = connect_in(net, 3000, 2000, 2000);
	len = registers(m, REMOTE);
	say_in(net, &manager, m, len);
	assert_untouched(net, m, len);
	len = start_media(m, INSIDE, 24576);
	say_out(net, &manager, m, len);
	assert_address(net, 20, ALIAS);
	alias = get32(packet_payload(net->packet) + 24);
	media_arrive(net, REMOTE, alias, 24576);
	/* Another phone's is not its own. */
	len = start_media(m, OTHER, 24576);
	say_out(net, &manager, m, len);
	assert_untouched(net, m, len);
}

static void the_greeting_of_another_protocol_is_not_held_back(void **state)
{
	struct net *net = *state;
	struct connection manager;

	manager = connect_in(net, 3000, 2000, 2000);
	say_out(net, &manager, "OK\r\n", 4);
	assert_string_equal(packet_text(net->packet), "OK\r\n");
}

static void what_comes_from_outside_is_not_changed(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint8_t m[64];
	size_t len;

	phone = connect_phone(net);
	len = ack(m, ALIAS, 24576);
	say_in(net, &phone, m, len);
	assert_untouched(net, m, len);
	assert_int_equal(expectations(net), 0);
}

static void foreign_addresses_low_ports_and_failures_open_nothing(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint8_t m[64];
	size_t len;

	phone = connect_phone(net);
	len = registers(m, OTHER);
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	len = ack(m, OTHER, 24576);
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	len = ack(m, INSIDE, 1023);
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	len = ack(m, INSIDE, 65536);
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	len = ack(m, INSIDE, 24576);
	put32(m + 12, 1); /* it could not be opened */
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	len = ip_port(m, 53);
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	assert_int_equal(expectations(net), 0);
}

static void short_messages_are_left_alone(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint8_t m[64];

	phone = connect_phone(net);
	for (uint32_t len = 12; len < 24; len++) {
		ack(m, INSIDE, 24576);
		put32(m, len - 8);
		say_out(net, &phone, m, len);
		assert_untouched(net, m, len);
	}
	/* What follows is read. */
	say_out(net, &phone, m, ack(m, INSIDE, 24576));
	assert_address(net, 16, ALIAS);
}

static void a_message_may_be_split_anywhere(void **state)
{
	struct net *net = *state;
	struct in_addr a = addr(ALIAS);
	uint8_t m[64];
	size_t len = ack(m, INSIDE, 24576);

	for (uint32_t cut = 1; cut < len; cut++) {
		uint8_t got[64] = {0};
		struct connection phone;

		LibAliasReset(net->la);
		phone = connect_phone(net);
		say_out(net, &phone, m, cut);
		receive(net, 100, got, sizeof(got));
		say_out(net, &phone, m + cut, len - cut);
		receive(net, 100, got, sizeof(got));
		assert_memory_equal(got, m, 16);
		assert_memory_equal(got + 16, &a, 4);
		assert_memory_equal(got + 20, m + 20, len - 20);
		assert_int_equal(expectations(net), 2);
		say_out(net, &phone, m, len);
		assert_address(net, 16, ALIAS);
	}
}

static void messages_in_one_segment_are_all_read(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint8_t m[256];
	size_t len;

	phone = connect_phone(net);
	len = registers(m, INSIDE);
	len += ip_port(m + len, 24576);
	len += ack(m + len, INSIDE, 24580);
	say_out(net, &phone, m, len);
	assert_address(net, 36, ALIAS);
	assert_address(net, 48 + 16 + 16, ALIAS);
	assert_int_equal(expectations(net), 4);
	/* The same again opens nothing more. */
	say_out_at(net, &phone, 100, m, len);
	assert_address(net, 48 + 16 + 16, ALIAS);
	assert_int_equal(expectations(net), 4);
}

static void expectations_are_limited(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint8_t m[64];

	phone = connect_phone(net);
	for (uint32_t i = 0; i < 1000; i++)
		say_out(net, &phone, m, ack(m, INSIDE, 20000 + 2 * i));
	assert_int_equal(expectations(net), 16);
	assert_address(net, 16, INSIDE);
}

static void what_is_no_skinny_opens_nothing(void **state)
{
	static const char request[] = "POST / HTTP/1.0\r\nContent-Length: 32\r\n\r\n";
	struct net *net = *state;
	struct connection phone;
	uint8_t m[64];
	size_t len = ack(m, INSIDE, 24576);

	phone = connect_phone(net);
	say_out(net, &phone, request, strlen(request));
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	assert_int_equal(expectations(net), 0);
	/* Nor lengths that cannot be, later on. */
	for (int i = 0; i < 3; i++) {
		static const uint32_t lengths[] = {0, 3, 0xffffffff};

		LibAliasReset(net->la);
		phone = connect_phone(net);
		say_out(net, &phone, m, registers(m, INSIDE));
		len = ack(m, INSIDE, 24576);
		put32(m, lengths[i]);
		say_out(net, &phone, m, len);
		assert_untouched(net, m, len);
		ack(m, INSIDE, 24576);
		say_out(net, &phone, m, len);
		assert_untouched(net, m, len);
	}
}

static void lengths_that_cannot_be_end_the_reading(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint8_t m[64];
	size_t len;

	/* Less than a header: the next message does not begin there. */
	phone = connect_phone(net);
	message(m, 12, 0, 0);
	put32(m, 3);
	len = 11 + ack(m + 11, INSIDE, 24576);
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	/* More than any message has: nor there. */
	LibAliasReset(net->la);
	phone = connect_phone(net);
	message(m, 12, 0, 0);
	put32(m, 8193);
	say_out(net, &phone, m, 12);
	phone.seq = 100 + 8193 + 8;
	len = ack(m, INSIDE, 24576);
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	assert_int_equal(expectations(net), 0);
}

/* LibAliasSetSkinnyPort() sets the port and loads the helper, 0 turns it off. */
static void the_port_is_set_by_its_own_call(void **state)
{
	struct net *net = *state;
	struct connection phone;
	uint8_t m[64];
	size_t len;

	LibAliasSetHelper(net->la, "skinny", 2000, 0);
	phone = connect_phone(net);
	len = registers(m, INSIDE);
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	LibAliasReset(net->la);
	LibAliasSetSkinnyPort(net->la, 2000);
	phone = connect_phone(net);
	say_out(net, &phone, m, len);
	assert_address(net, 36, ALIAS);
	LibAliasReset(net->la);
	LibAliasSetSkinnyPort(net->la, 2001); /* in its place */
	phone = connect_phone(net);
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	LibAliasReset(net->la);
	LibAliasSkinnyPort(net->la, 2000);
	LibAliasSkinnyPort(net->la, 0);
	phone = connect_phone(net);
	say_out(net, &phone, m, len);
	assert_untouched(net, m, len);
	LibAliasSkinnyPort(net->la, 65536);
	LibAliasSkinnyPort(net->la, 0);
}

static int setup(void **state)
{
	return net_setup_helper(state, "skinny");
}

#define skinny_test(f) cmocka_unit_test_setup_teardown(f, setup, net_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		skinny_test(a_phone_registers_with_the_alias_address),
		skinny_test(media_come_to_the_announced_port_and_the_next),
		skinny_test(newer_versions_have_longer_addresses),
		skinny_test(an_old_phone_says_its_port_alone),
		skinny_test(a_manager_inside_sends_media_itself),
		skinny_test(the_greeting_of_another_protocol_is_not_held_back),
		skinny_test(what_comes_from_outside_is_not_changed),
		skinny_test(foreign_addresses_low_ports_and_failures_open_nothing),
		skinny_test(short_messages_are_left_alone),
		skinny_test(a_message_may_be_split_anywhere),
		skinny_test(messages_in_one_segment_are_all_read),
		skinny_test(expectations_are_limited),
		skinny_test(what_is_no_skinny_opens_nothing),
		skinny_test(lengths_that_cannot_be_end_the_reading),
		skinny_test(the_port_is_set_by_its_own_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
