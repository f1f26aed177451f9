// SPDX-License-Identifier: GPL-2.0-or-later
/* Words to addresses, ports, protocols and numbers: what parses, and what is refused by name. */
#include <ipmasq/address.h>
#include <ipmasq/error.h>

#include "test.h"

static struct ipmasq_error error;

static int clear_error(void **state)
{
	(void)state;
	memset(&error, 0, sizeof(error));
	return 0;
}

static struct ipmasq_address parsed(const char *word)
{
	struct ipmasq_address address;

	assert_int_equal(ipmasq_parse_address(&address, word, AF_UNSPEC, true, &error), 0);
	return address;
}

static void an_address_goes_to_text_and_back(void **state)
{
	static const char *const words[] = {"192.168.1.10", "0.0.0.0", "255.255.255.255",
					    "2001:db8::1",  "::",      "::ffff:10.0.0.1",
					    "fe80::1:2:3:4"};
	char text[IPMASQ_ADDRESS_TEXT];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		struct ipmasq_address address = parsed(words[i]);

		assert_string_equal(ipmasq_address_text(&address, text), words[i]);
		assert_int_equal(address.family, strchr(words[i], ':') ? AF_INET6 : AF_INET);
	}
}

static void zero_is_the_ipv4_wildcard(void **state)
{
	struct ipmasq_address address = parsed("0");

	(void)state;
	assert_int_equal(address.family, AF_INET);
	assert_true(ipmasq_address_is_any(&address));
}

static void zero_is_no_ipv6_address(void **state)
{
	struct ipmasq_address address;

	(void)state;
	assert_int_equal(ipmasq_parse_address(&address, "0", AF_INET6, true, &error), -1);
	assert_usage_error(&error, "'0' is not an IPv6 address");
}

static void a_word_that_is_no_address_is_named(void **state)
{
	static const char *const words[] = {"1.2.3",
					    "1.2.3.4.5",
					    "256.1.1.1",
					    "1.2.3.4x",
					    "1.2.3.4 ",
					    " 1.2.3.4",
					    "",
					    "1.2.3.-4",
					    "0x7f000001",
					    "010.0.0.1x",
					    ":::",
					    "2001:db8::g",
					    "1:2:3:4:5:6:7:8:9",
					    "::1%",
					    "fe80::1%lo",
					    "[::1]",
					    "00",
					    "1.2.3.4:80",
					    "1.2.3.4/80"};
	struct ipmasq_address address;
	char quoted[64];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		snprintf(quoted, sizeof(quoted), "'%s'", words[i]);
		clear_error(NULL);
		assert_int_equal(ipmasq_parse_address(&address, words[i], AF_UNSPEC, true, &error),
				 -1);
		assert_usage_error(&error, quoted);
	}
}

static void a_name_is_refused_with_numeric(void **state)
{
	struct ipmasq_address address;

	(void)state;
	assert_int_equal(ipmasq_parse_address(&address, "localhost", AF_UNSPEC, true, &error), -1);
	assert_usage_error(&error, "'localhost'");
}

static void a_name_is_looked_up_without_numeric(void **state)
{
	struct ipmasq_address address;
	char text[IPMASQ_ADDRESS_TEXT];

	(void)state;
	assert_int_equal(ipmasq_parse_address(&address, "localhost", AF_INET, false, &error), 0);
	assert_string_equal(ipmasq_address_text(&address, text), "127.0.0.1");
}

static void what_cannot_be_a_name_is_never_looked_up(void **state)
{
	static const char *const words[] = {"300.1.1.1", "1.2.3.4.5",  "1:2", "",
					    "1..2",      "10.0.0.0/8", "*",   "a,b"};
	struct ipmasq_address address;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		clear_error(NULL);
		assert_int_equal(ipmasq_parse_address(&address, words[i], AF_UNSPEC, false, &error),
				 -1);
		assert_usage_error(&error, "is not an IPv4 or IPv6 address");
	}
}

static void an_address_of_the_other_family_is_refused(void **state)
{
	struct ipmasq_address address;

	(void)state;
	assert_int_equal(ipmasq_parse_address(&address, "::1", AF_INET, true, &error), -1);
	assert_usage_error(&error, "'::1' is an IPv6 address where IPv4 is needed");
	assert_int_equal(ipmasq_parse_address(&address, "1.2.3.4", AF_INET6, true, &error), -1);
	assert_usage_error(&error, "'1.2.3.4' is an IPv4 address where IPv6 is needed");
}

static void addresses_are_ordered_by_family_then_value(void **state)
{
	static const char *const ascending[] = {"0.0.0.0", "10.0.0.2", "10.0.0.10",  "192.168.0.1",
						"::",      "::1",      "2001:db8::", "fe80::1"};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(ascending); i++) {
		for (size_t k = 0; k < N_ELEMENTS(ascending); k++) {
			struct ipmasq_address a = parsed(ascending[i]), b = parsed(ascending[k]);
			int order = ipmasq_address_compare(&a, &b);

			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
			assert_int_equal(ipmasq_address_equal(&a, &b), i == k);
		}
	}
}

static void only_zeros_and_an_address_not_given_are_any(void **state)
{
	static const struct ipmasq_address not_given;
	struct ipmasq_address address;

	(void)state;
	assert_true(ipmasq_address_is_any(&not_given));
	address = parsed("::");
	assert_true(ipmasq_address_is_any(&address));
	address = parsed("::1");
	assert_false(ipmasq_address_is_any(&address));
	address = parsed("1.0.0.0");
	assert_false(ipmasq_address_is_any(&address));
}

static void a_port_is_a_number_from_1_to_65535(void **state)
{
	static const struct {
		const char *word;
		uint16_t port;
	} ports[] = {{"1", 1}, {"80", 80}, {"65535", 65535}, {"0080", 80}};
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(ports); i++) {
		assert_int_equal(
			ipmasq_parse_port(&port, ports[i].word, IPPROTO_TCP, true, false, &error),
			0);
		assert_int_equal(port, ports[i].port);
	}
}

static void a_word_that_is_no_port_is_named(void **state)
{
	static const char *const words[] = {
		"0",   "65536", "80x", "x80", "",           "-1",  "+80",
		" 80", "80 ",   "8 0", "0x",  "4294967376", "1.5", "18446744073709551696",
		"http"};
	char quoted[64];
	uint16_t port = 4711;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		snprintf(quoted, sizeof(quoted), "'%s'", words[i]);
		clear_error(NULL);
		assert_int_equal(
			ipmasq_parse_port(&port, words[i], IPPROTO_TCP, true, false, &error), -1);
		assert_usage_error(&error, quoted);
		assert_int_equal(port, 4711);
	}
}

static void port_0_means_any_where_the_grammar_says_so(void **state)
{
	uint16_t port = 4711;

	(void)state;
	assert_int_equal(ipmasq_parse_port(&port, "0", IPPROTO_TCP, true, true, &error), 0);
	assert_int_equal(port, 0);
	assert_int_equal(ipmasq_parse_port(&port, "65536", IPPROTO_TCP, true, true, &error), -1);
	assert_usage_error(&error, "'65536'");
}

static void a_service_is_looked_up_for_its_protocol_without_numeric(void **state)
{
	uint16_t port;

	(void)state;
	if (ipmasq_parse_port(&port, "http", IPPROTO_TCP, false, false, &error) < 0)
		skip(); /* no /etc/services here */
	assert_int_equal(port, 80);
	assert_int_equal(
		ipmasq_parse_port(&port, "nosuchservice", IPPROTO_TCP, false, false, &error), -1);
	assert_usage_error(&error, "'nosuchservice'");
}

static void a_protocol_is_a_name_a_number_or_a_first_letter(void **state)
{
	static const struct {
		const char *word;
		uint8_t protocol;
	} words[] = {{"tcp", IPPROTO_TCP}, {"TCP", IPPROTO_TCP},   {"t", IPPROTO_TCP},
		     {"6", IPPROTO_TCP},   {"udp", IPPROTO_UDP},   {"U", IPPROTO_UDP},
		     {"17", IPPROTO_UDP},  {"sctp", IPPROTO_SCTP}, {"s", IPPROTO_SCTP}};
	uint8_t protocol;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		assert_int_equal(ipmasq_parse_transport(&protocol, words[i].word, &error), 0);
		assert_int_equal(protocol, words[i].protocol);
	}
}

static void a_word_that_is_no_transport_protocol_is_named(void **state)
{
	static const char *const words[] = {"",  "x",  "tc",  "tcpx", "tcp6", "icmp", "1",
					    "0", "47", "262", "-6",   " tcp", "i"};
	char quoted[64];
	uint8_t protocol = 99;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		snprintf(quoted, sizeof(quoted), "'%s'", words[i]);
		clear_error(NULL);
		assert_int_equal(ipmasq_parse_transport(&protocol, words[i], &error), -1);
		assert_usage_error(&error, quoted);
		assert_int_equal(protocol, 99);
	}
}

static void a_number_is_decimal_or_hexadecimal_and_within_its_bounds(void **state)
{
	uint32_t number;

	(void)state;
	assert_int_equal(ipmasq_parse_number(&number, "10", "mark", 1, 10, &error), 0);
	assert_int_equal(number, 10);
	assert_int_equal(ipmasq_parse_number(&number, "0xFFFFFFFF", "mark", 1, UINT32_MAX, &error),
			 0);
	assert_int_equal(number, UINT32_MAX);
	assert_int_equal(ipmasq_parse_number(&number, "010", "mark", 1, 10, &error), 0);
	assert_int_equal(number, 10);
}

static void a_number_out_of_bounds_or_with_junk_is_named(void **state)
{
	static const char *const words[] = {"0",  "11", "",           "-1",
					    "1x", "0x", "0xg",        "1e1",
					    " 1", "1 ", "4294967297", "99999999999999999999"};
	uint32_t number = 4711;
	char quoted[64];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		snprintf(quoted, sizeof(quoted), "preference '%s'", words[i]);
		clear_error(NULL);
		assert_int_equal(
			ipmasq_parse_number(&number, words[i], "preference", 1, 10, &error), -1);
		assert_usage_error(&error, quoted);
		assert_int_equal(number, 4711);
	}
}

static void an_address_and_a_port_may_be_one_word(void **state)
{
	static const struct {
		const char *word, *address, *port;
	} words[] = {
		{"1.2.3.4:80", "1.2.3.4", "80"},
		{"1.2.3.4/80", "1.2.3.4", "80"},
		{"[::1]:80", "::1", "80"},
		{"[::1]/80", "::1", "80"},
		{"::1/80", "::1", "80"},
		{"host:http", "host", "http"},
		{"1.2.3.4:", "1.2.3.4", ""},
		{"[::1]:", "::1", ""},
		{":80", "", "80"},
	};
	const char *address, *port;
	char buffer[64];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		assert_int_equal(ipmasq_split_address_port(words[i].word, buffer, sizeof(buffer),
							   &address, &port, &error),
				 0);
		assert_string_equal(address, words[i].address);
		assert_non_null(port);
		assert_string_equal(port, words[i].port);
	}
}

static void an_address_alone_has_no_port(void **state)
{
	static const struct {
		const char *word, *address;
	} words[] = {{"1.2.3.4", "1.2.3.4"},
		     {"::1", "::1"},
		     {"2001:db8::80", "2001:db8::80"},
		     {"[::1]", "::1"},
		     {"", ""}};
	const char *address, *port;
	char buffer[64];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		assert_int_equal(ipmasq_split_address_port(words[i].word, buffer, sizeof(buffer),
							   &address, &port, &error),
				 0);
		assert_string_equal(address, words[i].address);
		assert_null(port);
	}
}

static void a_bracket_that_is_not_closed_is_named(void **state)
{
	static const char *const words[] = {"[::1", "[", "[::1:80", "[::1]80", "[::1]x:80"};
	const char *address, *port;
	char buffer[64];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		clear_error(NULL);
		assert_int_equal(ipmasq_split_address_port(words[i], buffer, sizeof(buffer),
							   &address, &port, &error),
				 -1);
		assert_usage_error(&error, words[i]);
	}
}

static void a_word_longer_than_the_buffer_is_refused(void **state)
{
	char word[300], buffer[64];
	const char *address, *port;

	(void)state;
	memset(word, '1', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(
		ipmasq_split_address_port(word, buffer, sizeof(buffer), &address, &port, &error),
		-1);
	assert_usage_error(&error, "too long");
	word[sizeof(buffer)] = '\0'; /* one byte more than fits */
	assert_int_equal(
		ipmasq_split_address_port(word, buffer, sizeof(buffer), &address, &port, &error),
		-1);
	word[sizeof(buffer) - 1] = '\0';
	assert_int_equal(
		ipmasq_split_address_port(word, buffer, sizeof(buffer), &address, &port, &error),
		0);
}

static void an_overlong_word_leaves_the_message_terminated(void **state)
{
	struct ipmasq_address address;
	char word[4096];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(ipmasq_parse_address(&address, word, AF_UNSPEC, true, &error), -1);
	assert_int_equal(strnlen(error.text, sizeof(error.text)), sizeof(error.text) - 1);
}

static void protocols_of_the_grammars_have_names_and_others_none(void **state)
{
	(void)state;
	assert_string_equal(ipmasq_protocol_name(IPPROTO_TCP), "tcp");
	assert_string_equal(ipmasq_protocol_name(IPPROTO_SCTP), "sctp");
	assert_string_equal(ipmasq_protocol_name(IPPROTO_GRE), "gre");
	assert_null(ipmasq_protocol_name(0));
	assert_null(ipmasq_protocol_name(255));
}

static void an_interface_is_one_graphic_word(void **state)
{
	static const char *const wrong[] = {"",       "eth 0", "eth0\nflush", "eth/0",
					    "eth0:1", "#eth0", "a\177",       "a234567890123456"};

	(void)state;
	assert_int_equal(ipmasq_check_interface("eth0.100", &error), 0);
	assert_int_equal(ipmasq_check_interface("a23456789012345", &error), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(ipmasq_check_interface(wrong[i], &error), -1);
		assert_int_equal(error.status, IPMASQ_USAGE);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, clear_error)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_address_goes_to_text_and_back),
		TEST(zero_is_the_ipv4_wildcard),
		TEST(zero_is_no_ipv6_address),
		TEST(a_word_that_is_no_address_is_named),
		TEST(a_name_is_refused_with_numeric),
		TEST(a_name_is_looked_up_without_numeric),
		TEST(what_cannot_be_a_name_is_never_looked_up),
		TEST(an_address_of_the_other_family_is_refused),
		TEST(addresses_are_ordered_by_family_then_value),
		TEST(only_zeros_and_an_address_not_given_are_any),
		TEST(a_port_is_a_number_from_1_to_65535),
		TEST(a_word_that_is_no_port_is_named),
		TEST(port_0_means_any_where_the_grammar_says_so),
		TEST(a_service_is_looked_up_for_its_protocol_without_numeric),
		TEST(a_protocol_is_a_name_a_number_or_a_first_letter),
		TEST(a_word_that_is_no_transport_protocol_is_named),
		TEST(a_number_is_decimal_or_hexadecimal_and_within_its_bounds),
		TEST(a_number_out_of_bounds_or_with_junk_is_named),
		TEST(an_address_and_a_port_may_be_one_word),
		TEST(an_address_alone_has_no_port),
		TEST(a_bracket_that_is_not_closed_is_named),
		TEST(a_word_longer_than_the_buffer_is_refused),
		TEST(an_overlong_word_leaves_the_message_terminated),
		TEST(protocols_of_the_grammars_have_names_and_others_none),
		TEST(an_interface_is_one_graphic_word),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
