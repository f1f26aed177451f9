// SPDX-License-Identifier: GPL-2.0-or-later
/* The grammar of proxy, row by row, on an engine in memory. */
#include "grammar.h"

#include "test.h"

#define WEB   "proxy -A port 80 server 10.0.0.1:3128 proto tcp src 192.168.1.0/24\n"
#define ANY   "proxy -A server 10.0.0.2\n"
#define FIRST "proxy -A type encode_ip_hdr port 25 server 10.0.0.3 rule 5 dst 192.0.2.0/24\n"
#define SIXTH "proxy -A type encode_tcp_stream server [2001:db8::1]:8080 rule 9 proto udp\n"

/* Four rules in the order of saved files: two of index 0, one of 5 and one of 9. */
static void add_four(void)
{
	ok("proxy -n -A server [2001:db8::1]:8080 rule 9 proto udp type encode_tcp_stream");
	ok("proxy -n -A port 80 server 10.0.0.1:3128 proto tcp src 192.168.1.0/24");
	ok("proxy -n -A server 10.0.0.2");
	ok("proxy -n -A rule 5 server 10.0.0.3 port 25 dst 192.0.2.0/24 type encode_ip_hdr");
	assert_rules(WEB ANY FIRST SIXTH);
}

static void add_makes_a_rule_of_index_0_without_encoding(void **state)
{
	const struct ipmasq_proxy *proxy;

	(void)state;
	ok("proxy -n -A server 10.0.0.2");
	assert_rules("proxy -A server 10.0.0.2\n");
	proxy = &memory.rules[0]->proxy;
	assert_int_equal(memory.rules[0]->kind, IPMASQ_PROXY);
	assert_int_equal(proxy->index, 0);
	assert_int_equal(proxy->encoding, IPMASQ_NO_ENCODE);
	assert_int_equal(proxy->protocol, 0);
	assert_int_equal(proxy->port, 0);
	assert_int_equal(proxy->server_port, 0);
	assert_string_equal(result.output, "");
}

static void the_words_have_any_order(void **state)
{
	static const char *const lines[] = {
		"proxy -n -a port 80 server 10.0.0.1:3128 proto tcp src 192.168.1.0/24",
		"proxy -A -n src 192.168.1.0/24 proto tcp server 10.0.0.1:3128 port 80",
		"proxy -nA rule 0 server 10.0.0.1:3128 port 80 proto tcp src 192.168.1.7/24",
		"proxy -nA type no_encode server 10.0.0.1/3128 port 80 proto t src 192.168.1.0/24",
		"proxy server 10.0.0.1:3128 port 80 proto tcp src 192.168.1.0/24 -n -A",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok("proxy -F");
		ok(lines[i]);
		assert_rules(WEB);
	}
}

static void a_net_without_bits_is_one_host(void **state)
{
	(void)state;
	ok("proxy -n -A server 10.0.0.2 src 192.168.1.1 dst 192.0.2.1");
	assert_rules("proxy -A server 10.0.0.2 src 192.168.1.1/32 dst 192.0.2.1/32\n");
}

static void a_rule_that_matches_the_same_takes_the_place_of_the_old_one(void **state)
{
	(void)state;
	ok("proxy -n -A port 80 server 10.0.0.1");
	ok("proxy -n -A port 80 server 10.0.0.2:3128 type encode_ip_hdr");
	assert_rules("proxy -A type encode_ip_hdr port 80 server 10.0.0.2:3128\n");
	ok("proxy -n -A port 80 server 10.0.0.1 rule 1");
	assert_int_equal(memory.n_rules, 2);
}

static void delete_takes_all_rules_of_an_index(void **state)
{
	static const struct {
		const char *line, *left;
	} deletes[] = {
		{"proxy -D rule 0", FIRST SIXTH},
		{"proxy -d rule 5", WEB ANY SIXTH},
		{"proxy rule 9 -D", WEB ANY FIRST},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(deletes); i++) {
		ok("proxy -F");
		add_four();
		ok(deletes[i].line);
		assert_rules(deletes[i].left);
	}
}

static void deleting_an_index_without_rules_fails(void **state)
{
	(void)state;
	add_four();
	fails("proxy -D rule 1");
	fails("proxy -D rule 2147483647");
	assert_contains(result.error.text, "index 2147483647");
}

static void clear_removes_the_rules_of_proxy_and_of_nobody_else(void **state)
{
	(void)state;
	add_rule_of_portfw();
	ok("proxy -n -A server 10.0.0.2");
	ok("proxy -n -A server 2001:db8::1 rule 1");
	ok("proxy -F");
	assert_only_rule_of_portfw();
	ok("proxy -f"); /* an empty table is cleared, too */
	assert_only_rule_of_portfw();
}

static void a_list_has_the_rules_in_the_order_in_which_they_are_tried(void **state)
{
	static const char *const lines[] = {"proxy -L -n", "proxy -nL", "proxy -l -n"};

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
		ok(lines[i]);
		assert_output_line(0, "rule prot src dst port type server sport");
		assert_output_line(1, "0 any any any 0 no_encode 10.0.0.2 0");
		assert_output_line(2, "0 tcp 192.168.1.0/24 any 80 no_encode 10.0.0.1 3128");
		assert_output_line(3, "5 any any 192.0.2.0/24 25 encode_ip_hdr 10.0.0.3 0");
		assert_output_line(4, "9 udp any any 0 encode_tcp_stream 2001:db8::1 8080");
		assert_output_line(5, "");
	}
}

static void a_dry_run_changes_nothing(void **state)
{
	(void)state;
	add_four();
	ok("proxy -D rule 0 --dry-run");
	assert_int_equal(result.n_pending, 2);
	assert_rules(WEB ANY FIRST SIXTH);
}

static void a_wrong_word_is_named_with_exit_2_and_changes_nothing(void **state)
{
	static const struct {
		const char *words, *named;
	} wrongs[] = {
		{"-A", "server"},
		{"-A port 80", "server"},
		{"-A server", "'server'"},
		{"-A server 10.0.0.9 port", "'port'"},
		{"-A server 10.0.0.9 ports 80", "'ports'"},
		{"-A server 10.0.0.9 80", "'80'"},
		{"-A server 10.0.0.9 server 10.0.0.8", "server is given twice"},
		{"-A server 10.0.0.9 rule 1 rule 2", "rule is given twice"},
		{"-A server 10.0.0", "'10.0.0'"},
		{"-A server squid", "'squid'"},
		{"-A server ''", "''"},
		{"-A server 0", "'0'"},
		{"-A server ::", "'::'"},
		{"-A server 10.0.0.9:0", "'0'"},
		{"-A server 10.0.0.9:65536", "'65536'"},
		{"-A server 10.0.0.9:80x", "'80x'"},
		{"-A server [2001:db8::1:80", "'[2001:db8::1:80'"},
		{"-A server 10.0.0.9 port 0", "'0'"},
		{"-A server 10.0.0.9 port 65536", "'65536'"},
		{"-A server 10.0.0.9 port http", "'http'"},
		{"-A server 10.0.0.9 type encode", "'encode'"},
		{"-A server 10.0.0.9 type ''", "''"},
		{"-A server 10.0.0.9 rule 1x", "'1x'"},
		{"-A server 10.0.0.9 rule 2147483648", "'2147483648'"},
		{"-A server 10.0.0.9 proto icmp", "'icmp'"},
		{"-A server 10.0.0.9 proto sctp", "'sctp'"},
		{"-A server 10.0.0.9 src 10.0.0.0/33", "'10.0.0.0/33'"},
		{"-A server 10.0.0.9 src inside", "'inside'"},
		{"-A server 10.0.0.9 dst 10.0.0.0/", "'10.0.0.0/'"},
		{"-A server 10.0.0.9 dst 10.0.0.256", "'10.0.0.256'"},
		{"-A server 10.0.0.9 src 2001:db8::/64", "src"},
		{"-A server 2001:db8::9 dst 10.0.0.0/8", "dst"},
		{"-D", "-D needs `rule INDEX`"},
		{"-D rule", "'rule'"},
		{"-D rule x", "'x'"},
		{"-D 5", "'5'"},
		{"-D rule 5 server 10.0.0.3", "server does not go with -D"},
		{"-D rule 5 port 25", "port does not go with -D"},
		{"-F rule 5", "'rule'"},
		{"-L rule 5", "'rule'"},
		{"-A -D rule 5", "multiple commands specified: -A and -D"},
		{"-L -F", "multiple commands specified: -L and -F"},
		{"-A -x", "-x"},
		{"--all", "--all"},
		{"", "no command"},
		{"server 10.0.0.9", "no command"},
	};
	char line[COMMAND_LINE_MAX];

	(void)state;
	add_four();
	for (size_t i = 0; i < N_ELEMENTS(wrongs); i++) {
		snprintf(line, sizeof(line), "proxy -n %s", wrongs[i].words);
		wrong(line, wrongs[i].named);
	}
}

static void formatted_lines_make_the_same_rules_in_the_same_order(void **state)
{
	(void)state;
	add_four();
	ok("proxy -n -A server 2001:db8::2 rule 2147483647 src 2001:db8::/64 dst ::/0 port 65535");
	ok("proxy -n -A server 10.0.0.4:1 src 0.0.0.0/0");
	assert_round_trip();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		GRAMMAR_TEST(add_makes_a_rule_of_index_0_without_encoding),
		GRAMMAR_TEST(the_words_have_any_order),
		GRAMMAR_TEST(a_net_without_bits_is_one_host),
		GRAMMAR_TEST(a_rule_that_matches_the_same_takes_the_place_of_the_old_one),
		GRAMMAR_TEST(delete_takes_all_rules_of_an_index),
		GRAMMAR_TEST(deleting_an_index_without_rules_fails),
		GRAMMAR_TEST(clear_removes_the_rules_of_proxy_and_of_nobody_else),
		GRAMMAR_TEST(a_list_has_the_rules_in_the_order_in_which_they_are_tried),
		GRAMMAR_TEST(a_dry_run_changes_nothing),
		GRAMMAR_TEST(a_wrong_word_is_named_with_exit_2_and_changes_nothing),
		GRAMMAR_TEST(formatted_lines_make_the_same_rules_in_the_same_order),
	};

	return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
