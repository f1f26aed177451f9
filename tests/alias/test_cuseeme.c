/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CU-SeeMe.  The layout of the data header and of "open continue" is that of the CU-SeeMe
 * consortium's technical documents, as Linux 2.2's masquerading module gives it; see
 * helper_cuseeme.c.
 */
#include "net.h"

#define REFLECTOR REMOTE
#define PORT      7648

/* A data header between these ends: 26 bytes. */
static void data_header(uint8_t *d, const char *to, uint16_t to_port, const char *from,
			uint16_t from_port, uint16_t type)
{
	memset(d, 0, 26);
	put16(d, 2);
	put16(d + 2, to_port);
	put_address(d + 4, to);
	put16(d + 8, 2);
	put16(d + 10, from_port);
	put_address(d + 12, from);
	d[19] = 1;
	put16(d + 22, type);
	put16(d + 24, 26);
}

/* An open-continue with clients; returns its length. */
static size_t open_continue(uint8_t *d, const char *const *clients, uint16_t count)
{
	memset(d + 26, 0, 30 + 12u * count);
	put16(d + 26, count);
	memcpy(d + 32, "somebody", 8);
	for (uint16_t i = 0; i < count; i++)
		put_address(d + 56 + 12 * i, clients[i]);
	return 56 + 12u * count;
}

static void out(struct net *net, const uint8_t *data, size_t len)
{
	build_udp(net->packet, ENDS(INSIDE, PORT, REFLECTOR, PORT), data, len);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
}

static void in(struct net *net, const uint8_t *data, size_t len)
{
	build_udp(net->packet, ENDS(REFLECTOR, PORT, ALIAS, PORT), data, len);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
}

static void assert_address(const struct net *net, size_t at, const char *text)
{
	struct in_addr a = addr(text);

	assert_memory_equal(net->packet + 28 + at, &a, 4);
}

static void the_sender_leaves_as_the_alias(void **state)
{
	struct net *net = *state;
	uint8_t d[26];

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	data_header(d, REFLECTOR, PORT, INSIDE, PORT, 1);
	out(net, d, sizeof(d));
	assert_address(net, 4, REFLECTOR);
	assert_address(net, 12, ALIAS);
	assert_memory_equal(net->packet + 28 + 10, net->packet + 20, 2);
	/* Another port than the packet's is not for us to say. */
	data_header(d, REFLECTOR, PORT, INSIDE, PORT + 1, 1);
	out(net, d, sizeof(d));
	assert_address(net, 12, ALIAS);
	assert_memory_equal(net->packet + 28 + 10, d + 10, 2);
}

static void the_receiver_comes_back(void **state)
{
	struct net *net = *state;
	uint8_t d[26];

	data_header(d, REFLECTOR, PORT, INSIDE, PORT, 1);
	out(net, d, sizeof(d));
	data_header(d, ALIAS, PORT, REFLECTOR, PORT, 1);
	in(net, d, sizeof(d));
	assert_address(net, 4, INSIDE);
	assert_address(net, 12, REFLECTOR);
}

static void the_list_of_clients_names_the_inside_host(void **state)
{
	static const char *const clients[] = {"192.0.2.9", ALIAS, REFLECTOR};
	struct net *net = *state;
	uint8_t d[256];
	size_t len;

	data_header(d, REFLECTOR, PORT, INSIDE, PORT, 1);
	out(net, d, 26);
	data_header(d, ALIAS, PORT, REFLECTOR, PORT, 101);
	len = open_continue(d, clients, 3);
	in(net, d, len);
	assert_address(net, 56, "192.0.2.9");
	assert_address(net, 68, INSIDE);
	assert_address(net, 80, REFLECTOR);
	/* Only in an open-continue. */
	put16(d + 22, 1);
	in(net, d, len);
	assert_address(net, 68, ALIAS);
}

static void a_reflector_inside_lists_itself_by_the_alias(void **state)
{
	static const char *const clients[] = {INSIDE, OTHER};
	struct net *net = *state;
	uint8_t d[256];
	size_t len;

	LibAliasRedirectPort(net->la, addr(INSIDE), htons(PORT), addr("0.0.0.0"), 0, addr(ALIAS),
			     htons(PORT), IPPROTO_UDP);
	data_header(d, ALIAS, PORT, REMOTE, PORT, 1);
	in(net, d, 26);
	assert_address(net, 4, INSIDE);
	data_header(d, REMOTE, PORT, INSIDE, PORT, 101);
	len = open_continue(d, clients, 2);
	out(net, d, len);
	assert_address(net, 12, ALIAS);
	assert_address(net, 56, ALIAS);
	assert_address(net, 68, OTHER);
}

static void media_come_from_other_ports_of_the_reflector(void **state)
{
	struct net *net = *state;
	uint8_t d[26];

	deny_incoming(net);
	data_header(d, REFLECTOR, PORT, INSIDE, 3000, 1);
	build_udp(net->packet, ENDS(INSIDE, 3000, REFLECTOR, PORT), d, sizeof(d));
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_int_equal(udp_in(net, ENDS("203.0.113.8", 7649, ALIAS, PORT)), PKT_ALIAS_IGNORED);
	assert_int_equal(udp_in(net, ENDS(REFLECTOR, 7649, ALIAS, PORT)), PKT_ALIAS_OK);
	assert_ends(net->packet, REFLECTOR, 7649, INSIDE, PORT);
}

static void a_watched_low_port_is_not_opened(void **state)
{
	struct net *net = *state;
	uint8_t d[26];

	deny_incoming(net);
	LibAliasSetHelper(net->la, "cuseeme", 137, 1);
	data_header(d, REFLECTOR, 137, INSIDE, 3000, 1);
	build_udp(net->packet, ENDS(INSIDE, 3000, REFLECTOR, 137), d, sizeof(d));
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_int_equal(udp_in(net, ENDS(REFLECTOR, 138, ALIAS, 137)), PKT_ALIAS_IGNORED);
}

static void who_does_not_name_itself_opens_nothing(void **state)
{
	static const uint8_t stun[40] = {0, 1, 0, 20, 0x21, 0x12, 0xa4, 0x42};
	struct net *net = *state;
	uint8_t d[26];

	deny_incoming(net);
	out(net, stun, sizeof(stun));
	data_header(d, REFLECTOR, PORT, OTHER, PORT, 1);
	out(net, d, sizeof(d));
	assert_int_equal(udp_in(net, ENDS(REFLECTOR, 7649, ALIAS, PORT)), PKT_ALIAS_IGNORED);
}

static void foreign_addresses_are_left_alone(void **state)
{
	struct net *net = *state;
	uint8_t d[26];

	data_header(d, INSIDE, PORT, OTHER, PORT, 1);
	out(net, d, sizeof(d));
	assert_memory_equal(net->packet + 28, d, sizeof(d));
	data_header(d, OTHER, PORT, ALIAS, PORT, 1);
	in(net, d, sizeof(d));
	assert_memory_equal(net->packet + 28, d, sizeof(d));
}

static void what_is_cut_off_anywhere_does_no_harm(void **state)
{
	static const char *const clients[] = {ALIAS, ALIAS};
	struct net *net = *state;
	uint8_t d[256];
	size_t whole;

	data_header(d, REFLECTOR, PORT, INSIDE, PORT, 1);
	for (size_t len = 0; len < 26; len++) {
		out(net, d, len);
		assert_memory_equal(net->packet + 28, d, len);
	}
	data_header(d, ALIAS, PORT, REFLECTOR, PORT, 101);
	whole = open_continue(d, clients, 2);
	for (size_t len = 26; len < whole; len++) {
		in(net, d, len);
		assert_address(net, 4, INSIDE);
		if (len >= 56)
			assert_memory_equal(net->packet + 28 + 56 + (len >= 68 ? 12 : 0),
					    d + 56 + (len >= 68 ? 12 : 0),
					    len - 56 - (len >= 68 ? 12 : 0));
	}
	/* A count that lies. */
	put16(d + 26, 0xffff);
	in(net, d, whole);
	assert_address(net, 68, INSIDE);
}

static int setup(void **state)
{
	return net_setup_helper(state, "cuseeme");
}

#define cuseeme_test(f) cmocka_unit_test_setup_teardown(f, setup, net_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cuseeme_test(the_sender_leaves_as_the_alias),
		cuseeme_test(the_receiver_comes_back),
		cuseeme_test(the_list_of_clients_names_the_inside_host),
		cuseeme_test(a_reflector_inside_lists_itself_by_the_alias),
		cuseeme_test(media_come_from_other_ports_of_the_reflector),
		cuseeme_test(a_watched_low_port_is_not_opened),
		cuseeme_test(who_does_not_name_itself_opens_nothing),
		cuseeme_test(foreign_addresses_are_left_alone),
		cuseeme_test(what_is_cut_off_anywhere_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
