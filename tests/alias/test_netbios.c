/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBIOS over UDP.  Layouts: RFC 1002, sections 4.2.2 (registration), 4.2.13 (positive name query
 * response) and 4.4 (datagrams); the encoded name: section 4.1, "The NetBIOS name".
 */
#include "net.h"

#define SERVER REMOTE

struct buffer {
	uint8_t data[2048];
	size_t len;
};

static void add(struct buffer *b, const void *data, size_t len)
{
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

static void add16(struct buffer *b, uint16_t v)
{
	add(b, (const uint8_t[]){(uint8_t)(v >> 8), (uint8_t)v}, 2);
}

static void add_address(struct buffer *b, const char *text)
{
	struct in_addr a = addr(text);

	add(b, &a, 4);
}

static void header(struct buffer *b, uint16_t questions, uint16_t answers, uint16_t additional)
{
	b->len = 0;
	add16(b, 0x1234);
	add16(b, 0x2900);
	add16(b, questions);
	add16(b, answers);
	add16(b, 0);
	add16(b, additional);
}

/* FRED, 16 characters in pairs of letters. */
static void name(struct buffer *b)
{
	add(b,
	    "\x20"
	    "EGFCEFEECACACACACACACACACACACACA",
	    34);
}

static void question(struct buffer *b)
{
	name(b);
	add16(b, 0x20);
	add16(b, 1);
}

static void record_tail(struct buffer *b, uint16_t type, uint16_t len)
{
	add16(b, type);
	add16(b, 1);
	add(b, "\0\3\xf4\x80", 4);
	add16(b, len);
}

/* The head of a record whose name is a pointer to the first one. */
static void record(struct buffer *b, uint16_t type, uint16_t len)
{
	add16(b, 0xc00c);
	record_tail(b, type, len);
}

static void entry(struct buffer *b, const char *address)
{
	add16(b, 0x6000);
	add_address(b, address);
}

/* A name registration request for an address: the address is the last thing in it. */
static void registration(struct buffer *b, const char *address)
{
	header(b, 1, 0, 1);
	question(b);
	record(b, 0x20, 6);
	entry(b, address);
}

static void out(struct net *net, const struct buffer *b, uint16_t port)
{
	build_udp(net->packet, ENDS(INSIDE, port, SERVER, port), b->data, b->len);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
}

static void in(struct net *net, const struct buffer *b, uint16_t port)
{
	build_udp(net->packet, ENDS(SERVER, port, ALIAS, port), b->data, b->len);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
}

static void assert_address(const struct net *net, size_t at, const char *text)
{
	struct in_addr a = addr(text);

	assert_memory_equal(net->packet + 28 + at, &a, 4);
}

static void assert_untouched(const struct net *net, const struct buffer *b)
{
	assert_memory_equal(net->packet + 28, b->data, b->len);
}

static void a_registration_names_the_alias_address(void **state)
{
	struct net *net = *state;
	struct buffer b;

	registration(&b, INSIDE);
	out(net, &b, 137);
	assert_address(net, b.len - 4, ALIAS);
	assert_memory_equal(net->packet + 28, b.data, b.len - 4);
}

static void an_answer_from_outside_names_the_inside_address(void **state)
{
	struct net *net = *state;
	struct buffer b;

	registration(&b, INSIDE);
	out(net, &b, 137);
	header(&b, 0, 1, 0);
	name(&b);
	add16(&b, 0x20);
	add16(&b, 1);
	add(&b, "\0\0\0\0", 4);
	add16(&b, 18);
	entry(&b, REMOTE);
	entry(&b, ALIAS);
	entry(&b, OTHER);
	in(net, &b, 137);
	assert_address(net, b.len - 16, REMOTE);
	assert_address(net, b.len - 10, INSIDE);
	assert_address(net, b.len - 4, OTHER);
}

static void a_server_inside_answers_with_the_alias_address(void **state)
{
	struct net *net = *state;
	struct buffer b;

	LibAliasRedirectPort(net->la, addr(INSIDE), htons(137), addr("0.0.0.0"), 0, addr(ALIAS),
			     htons(137), IPPROTO_UDP);
	header(&b, 1, 0, 0);
	question(&b);
	build_udp(net->packet, ENDS(SERVER, 4000, ALIAS, 137), b.data, b.len);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_untouched(net, &b);
	header(&b, 0, 2, 0);
	name(&b);
	add16(&b, 0x20);
	add16(&b, 1);
	add(&b, "\0\0\0\0", 4);
	add16(&b, 6);
	entry(&b, INSIDE);
	record(&b, 1, 4);
	add_address(&b, INSIDE);
	build_udp(net->packet, ENDS(INSIDE, 137, SERVER, 4000), b.data, b.len);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_address(net, b.len - 4, ALIAS);
	assert_address(net, b.len - 4 - 12 - 4, ALIAS);
}

static void other_hosts_types_and_classes_are_left_alone(void **state)
{
	struct net *net = *state;
	struct buffer b;

	registration(&b, OTHER);
	out(net, &b, 137);
	assert_untouched(net, &b);
	registration(&b, INSIDE);
	b.data[b.len - 15] = 0x21; /* node status */
	out(net, &b, 137);
	assert_untouched(net, &b);
	registration(&b, INSIDE);
	b.data[b.len - 13] = 3; /* another class */
	out(net, &b, 137);
	assert_untouched(net, &b);
}

static void what_is_cut_off_anywhere_does_no_harm(void **state)
{
	struct net *net = *state;
	struct buffer b, whole;

	registration(&whole, INSIDE);
	for (size_t len = 0; len < whole.len; len++) {
		b = whole;
		b.len = len;
		out(net, &b, 137);
		assert_untouched(net, &b);
	}
}

static void lengths_and_counts_that_lie_are_not_followed(void **state)
{
	struct net *net = *state;
	struct buffer b;

	/* Records that are not there, a record that is longer than the packet. */
	registration(&b, OTHER);
	memset(b.data + 6, 0xff, 6);
	out(net, &b, 137);
	assert_untouched(net, &b);
	registration(&b, INSIDE);
	b.data[b.len - 8] = 0xff;
	out(net, &b, 137);
	assert_untouched(net, &b);
	/* Questions without end, names without end, a reserved kind of label. */
	registration(&b, INSIDE);
	memset(b.data + 4, 0xff, 2);
	out(net, &b, 137);
	assert_untouched(net, &b);
	header(&b, 0, 1, 0);
	for (int i = 0; i < 300; i++)
		add(&b, "\1a", 2);
	add(&b, "", 1);
	record_tail(&b, 0x20, 6);
	entry(&b, INSIDE);
	out(net, &b, 137);
	assert_untouched(net, &b);
	header(&b, 0, 1, 0);
	add(&b, "\x40", 1);
	b.len += 64;
	add(&b, "", 1);
	record_tail(&b, 0x20, 6);
	entry(&b, INSIDE);
	out(net, &b, 137);
	assert_untouched(net, &b);
}

/* A direct unique datagram (0x10) of the host at this address and port. */
static void build_datagram(struct buffer *b, uint8_t type, const char *source, uint16_t port)
{
	b->len = 0;
	add(b, (const uint8_t[]){type, 0x0a, 0x56, 0x78}, 4);
	add_address(b, source);
	add16(b, port);
	add16(b, 72);
	add16(b, 0);
	name(b);
	name(b);
	add(b, "data", 4);
}

static void a_datagram_names_its_alias_end(void **state)
{
	struct net *net = *state;
	struct buffer b;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	for (uint8_t type = 0x10; type <= 0x16; type++) {
		build_datagram(&b, type, INSIDE, 138);
		out(net, &b, 138);
		assert_address(net, 4, ALIAS);
		assert_memory_equal(net->packet + 28 + 8, net->packet + 20, 2);
		assert_memory_equal(net->packet + 28 + 10, b.data + 10, b.len - 10);
	}
}

static void datagrams_of_others_and_other_types_are_left_alone(void **state)
{
	struct net *net = *state;
	struct buffer b;

	build_datagram(&b, 0x10, OTHER, 138);
	out(net, &b, 138);
	assert_untouched(net, &b);
	build_datagram(&b, 0x10, INSIDE, 139);
	out(net, &b, 138);
	assert_untouched(net, &b);
	build_datagram(&b, 0x17, INSIDE, 138);
	out(net, &b, 138);
	assert_untouched(net, &b);
	build_datagram(&b, 0x10, INSIDE, 138);
	b.len = 9;
	out(net, &b, 138);
	assert_untouched(net, &b);
	/* From outside it names the remote host. */
	build_datagram(&b, 0x10, ALIAS, 138);
	in(net, &b, 138);
	assert_untouched(net, &b);
}

static void a_checksum_of_zero_stays(void **state)
{
	struct net *net = *state;
	struct buffer b;

	registration(&b, INSIDE);
	build_udp(net->packet, ENDS(INSIDE, 137, SERVER, 137), b.data, b.len);
	memset(net->packet + 26, 0, 2);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_address(net, b.len - 4, ALIAS);
	assert_int_equal(net->packet[26] | net->packet[27], 0);
}

static int setup(void **state)
{
	return net_setup_helper(state, "netbios");
}

#define netbios_test(f) cmocka_unit_test_setup_teardown(f, setup, net_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		netbios_test(a_registration_names_the_alias_address),
		netbios_test(an_answer_from_outside_names_the_inside_address),
		netbios_test(a_server_inside_answers_with_the_alias_address),
		netbios_test(other_hosts_types_and_classes_are_left_alone),
		netbios_test(what_is_cut_off_anywhere_does_no_harm),
		netbios_test(lengths_and_counts_that_lie_are_not_followed),
		netbios_test(a_datagram_names_its_alias_end),
		netbios_test(datagrams_of_others_and_other_types_are_left_alone),
		netbios_test(a_checksum_of_zero_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
