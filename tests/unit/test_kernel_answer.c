// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's answers to redirects: elements, pools and counters as a fake kernel gives them,
 * and elements of another shape, which any program can have made.
 */
#include "fake_kernel.h"
#include "redirect.h"
#include "rules.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <ipmasq/error.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

#include "test.h"

/* 192.0.2.1 . tcp . 80 and 10.0.0.1 . 8080 */
#define KEY    "\300\0\2\1\6\0\0\0\0\120\0\0"
#define DATA   "\12\0\0\1\37\220\0\0"
#define N_KEY  12
#define N_DATA 8

static struct netlink netlink;
static char buffer[16384];
static struct nlmsghdr *answer;
static struct nlattr *list;

static int open_kernel(void **state)
{
	(void)state;
	fake_kernel_open(&netlink);
	return 0;
}

static int close_kernel(void **state)
{
	(void)state;
	fake_kernel_close(&netlink);
	return 0;
}

static void begin_message(void)
{
	struct nfgenmsg *header;

	answer = mnl_nlmsg_put_header(buffer);
	answer->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8;
	header = mnl_nlmsg_put_extra_header(answer, sizeof(*header));
	header->nfgen_family = NFPROTO_INET;
}

static void begin_elements(void)
{
	begin_message();
	list = mnl_attr_nest_start(answer, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void send_elements(void)
{
	mnl_attr_nest_end(answer, list);
	fake_kernel_answer(buffer, answer->nlmsg_len);
	fake_kernel_answer_end(0);
}

static void put_value(uint16_t type, const void *bytes, size_t length)
{
	struct nlattr *nest = mnl_attr_nest_start(answer, type);

	mnl_attr_put(answer, NFTA_DATA_VALUE, length, bytes);
	mnl_attr_nest_end(answer, nest);
}

static void put_chain(const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(answer, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(answer, NFTA_DATA_VERDICT);

	mnl_attr_put_strz(answer, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(answer, verdict);
	mnl_attr_nest_end(answer, data);
}

static void put_counter(uint64_t packets)
{
	struct nlattr *expression = mnl_attr_nest_start(answer, NFTA_SET_ELEM_EXPR);
	struct nlattr *data = mnl_attr_nest_start(answer, NFTA_EXPR_DATA);

	mnl_attr_put_u64(answer, NFTA_COUNTER_PACKETS, htobe64(packets));
	mnl_attr_nest_end(answer, data);
	mnl_attr_nest_end(answer, expression);
}

/* A plain element with this much of the key, the data and the user data. */
static void put_plain(size_t key_length, size_t data_length, const void *userdata, size_t length)
{
	static const char key[4096] = KEY, data[4096] = DATA;
	struct nlattr *element = mnl_attr_nest_start(answer, NFTA_LIST_ELEM);

	put_value(NFTA_SET_ELEM_KEY, key, key_length);
	put_value(NFTA_SET_ELEM_DATA, data, data_length);
	if (length)
		mnl_attr_put(answer, NFTA_SET_ELEM_USERDATA, length, userdata);
	mnl_attr_nest_end(answer, element);
}

static void put_range(uint32_t begin, const char *host)
{
	struct nlattr *element = mnl_attr_nest_start(answer, NFTA_LIST_ELEM);
	uint32_t key = htonl(begin);
	char data[N_DATA + 1] = "\12\0\0\0\0\120\0";

	put_value(NFTA_SET_ELEM_KEY, &key, sizeof(key));
	if (host) {
		memcpy(data, test_address(host).bytes, 4);
		put_value(NFTA_SET_ELEM_DATA, data, N_DATA);
	} else {
		mnl_attr_put_u32(answer, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	}
	mnl_attr_nest_end(answer, element);
}

/* Answers the question for a pool's rule: a look-up in a map, and a comment. */
static void send_pool_rule(const char *comment)
{
	struct nlattr *expressions, *expression, *data;
	char userdata[64] = {0, (char)(strlen(comment) + 1)};

	begin_message();
	expressions = mnl_attr_nest_start(answer, NFTA_RULE_EXPRESSIONS);
	expression = mnl_attr_nest_start(answer, NFTA_LIST_ELEM);
	mnl_attr_put_strz(answer, NFTA_EXPR_NAME, "lookup");
	data = mnl_attr_nest_start(answer, NFTA_EXPR_DATA);
	mnl_attr_put_strz(answer, NFTA_LOOKUP_SET, "__map0");
	mnl_attr_nest_end(answer, data);
	mnl_attr_nest_end(answer, expression);
	mnl_attr_nest_end(answer, expressions);
	strcpy(userdata + 2, comment);
	mnl_attr_put(answer, NFTA_RULE_USERDATA, 2 + strlen(comment) + 1, userdata);
	fake_kernel_answer(buffer, answer->nlmsg_len);
	fake_kernel_answer_end(0);
}

/* The redirect of portfw for 192.0.2.1 tcp 80, from the answers queued; to be freed. */
static struct ipmasq_rule *get(void)
{
	struct ipmasq_match match = test_match(IPPROTO_TCP, "192.0.2.1", 80);
	struct ipmasq_rule *rule;

	assert_int_equal(redirect_get(&netlink, "portfw", &match, &rule), 0);
	return rule;
}

static void a_plain_element_is_a_forward_to_one_host(void **state)
{
	struct ipmasq_rule *expected = test_redirect("portfw", "192.0.2.1", 80), *rule;
	struct ipmasq_target target = test_target("10.0.0.1", 8080, 10);
	struct ipmasq_error error;

	(void)state;
	assert_int_equal(ipmasq_redirect_put_target(&expected->redirect, &target, true, &error), 0);
	begin_elements();
	put_plain(N_KEY, N_DATA, NULL, 0);
	send_elements();
	rule = get();
	assert_non_null(rule);
	assert_true(ipmasq_rule_same_key(rule, expected));
	assert_true(ipmasq_rule_same_body(rule, expected));
	assert_int_equal(rule->redirect.targets[0].left, 10);
	ipmasq_rule_free(rule);
	ipmasq_rule_free(expected);
}

static void the_comment_says_the_preference(void **state)
{
	static const struct {
		const char *userdata;
		size_t length;
		uint32_t weight;
	} comments[] = {
		{"\0\10pref 25", 10, 25},
		{"\7\1x\0\10pref 25", 13, 25},
		{"\0\13pref 65536", 13, 10},
		{"\0\7pref 25", 9, 10},
		{"\0\377pref 25", 10, 10},
		{"\0", 1, 10},
		{"\0\0", 2, 10},
		{"\0\1", 3, 10},
		{"\1\10pref 25", 10, 10},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(comments); i++) {
		struct ipmasq_rule *rule;

		begin_elements();
		put_plain(N_KEY, N_DATA, comments[i].userdata, comments[i].length);
		send_elements();
		rule = get();
		assert_non_null(rule);
		assert_int_equal(rule->redirect.targets[0].weight, comments[i].weight);
		ipmasq_rule_free(rule);
	}
}

static void an_element_with_a_key_or_data_of_another_size_is_passed_over(void **state)
{
	static const struct {
		size_t key, data;
	} sizes[] = {{0, N_DATA},  {4, N_DATA},  {N_KEY - 1, N_DATA}, {N_KEY + 4, N_DATA},
		     {64, N_DATA}, {65, N_DATA}, {200, N_DATA},       {4000, N_DATA},
		     {N_KEY, 0},   {N_KEY, 4},   {N_KEY, 7},          {N_KEY, 64},
		     {N_KEY, 65},  {N_KEY, 200}, {N_KEY, 4000},       {0, 0}};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
		begin_elements();
		put_plain(sizes[i].key, sizes[i].data, NULL, 0);
		send_elements();
		assert_null(get());
	}
}

static void an_element_that_is_cut_off_does_no_harm(void **state)
{
	(void)state;
	for (uint32_t cut = 1; cut < 60; cut++) {
		begin_elements();
		put_plain(N_KEY, N_DATA, "\0\10pref 25", 10);
		mnl_attr_nest_end(answer, list);
		assert_true(answer->nlmsg_len > cut + 20);
		answer->nlmsg_len -= cut;
		fake_kernel_answer(buffer, answer->nlmsg_len);
		fake_kernel_answer_end(0);
		ipmasq_rule_free(get());
		fake_kernel_reset();
	}
}

/* Queues all that is asked of a pool of 10 and 20 with this many connections so far. */
static void send_pool(uint64_t connections, const char *comment)
{
	struct nlattr *element;

	fake_kernel_answer_end(ENOENT); /* it is no plain forward */
	begin_elements();
	element = mnl_attr_nest_start(answer, NFTA_LIST_ELEM);
	put_value(NFTA_SET_ELEM_KEY, KEY, N_KEY);
	put_chain("pool_portfw_tcp_192.0.2.1_80");
	put_counter(connections);
	mnl_attr_nest_end(answer, element);
	send_elements();
	send_pool_rule(comment);
	begin_elements();
	put_range(30, NULL); /* in whatever order */
	put_range(10, "10.0.0.2");
	put_range(0, "10.0.0.1");
	send_elements();
}

static void a_pool_is_read_through_its_chain_with_the_turn_from_its_counter(void **state)
{
	static const struct {
		uint64_t connections;
		const char *comment;
		uint8_t head; /* last byte of the address */
		uint32_t left;
	} turns[] = {
		{0, "", 1, 10},         {3, "", 1, 7},          {10, "", 2, 20},
		{29, "", 2, 1},         {30, "", 1, 10},        {31, "from 21", 2, 20},
		{21, "from 21", 1, 10}, {21, "from 99", 1, 10},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(turns); i++) {
		const struct ipmasq_target *targets;
		struct ipmasq_rule *rule;

		send_pool(turns[i].connections, turns[i].comment);
		rule = get();
		assert_non_null(rule);
		assert_int_equal(rule->redirect.n_targets, 2);
		targets = rule->redirect.targets;
		assert_int_equal(targets[0].address.bytes[3], turns[i].head);
		assert_int_equal(targets[0].left, turns[i].left);
		assert_int_equal(targets[0].weight, turns[i].head == 1 ? 10 : 20);
		assert_int_equal(targets[1].weight, turns[i].head == 1 ? 20 : 10);
		ipmasq_rule_free(rule);
	}
}

static void what_is_not_there_is_no_rule_and_no_error(void **state)
{
	(void)state;
	fake_kernel_answer_end(ENOENT);
	fake_kernel_answer_end(ENOENT);
	assert_null(get());
}

static void an_error_of_the_kernel_is_handed_on(void **state)
{
	struct ipmasq_match match = test_match(IPPROTO_TCP, "192.0.2.1", 80);
	struct ipmasq_rule *rule;

	(void)state;
	fake_kernel_answer_end(EPERM);
	assert_int_equal(redirect_get(&netlink, "portfw", &match, &rule), -1);
	assert_int_equal(errno, EPERM);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_kernel, close_kernel)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_plain_element_is_a_forward_to_one_host),
		TEST(the_comment_says_the_preference),
		TEST(an_element_with_a_key_or_data_of_another_size_is_passed_over),
		TEST(an_element_that_is_cut_off_does_no_harm),
		TEST(a_pool_is_read_through_its_chain_with_the_turn_from_its_counter),
		TEST(what_is_not_there_is_no_rule_and_no_error),
		TEST(an_error_of_the_kernel_is_handed_on),
	};

	return cmocka_run_group_tests_name("kernel answer", tests, NULL, NULL);
}
