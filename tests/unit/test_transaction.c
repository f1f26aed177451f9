// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Redirects to netlink messages: a transaction is sent to a fake kernel and decoded again with
 * libnftnl, message by message.
 */
#include "fake_kernel.h"
#include "redirect.h"
#include "ruled.h"
#include "rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ipmasq/error.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

#include "test.h"

#define GENERATION   4711u
#define MESSAGES_MAX 4096
#define TEXT_MAX     4096

static const char *const HOSTS[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};

static struct netlink netlink;

/* The batch that the fake kernel got, cut into messages. */
static struct {
	const struct nlmsghdr *list[MESSAGES_MAX];
	size_t n;
} messages;

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

static void cut_batch(void)
{
	size_t length;
	const struct nlmsghdr *message = (const void *)fake_kernel_batch(&length);
	int left = (int)length;

	messages.n = 0;
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		assert_true(messages.n < MESSAGES_MAX);
		messages.list[messages.n++] = message;
	}
	assert_int_equal(left, 0);
}

/* Commits the changes; 0 or the errno value. */
static int commit(const struct ipmasq_change *changes, size_t n)
{
	static const uint32_t generation = GENERATION;
	struct transaction transaction;
	int code = 0;

	assert_int_equal(transaction_begin(&transaction, &netlink, "ipmasq", &generation), 0);
	assert_int_equal(redirect_write(&transaction, changes, n), 0);
	if (transaction_commit(&transaction) < 0)
		code = errno;
	transaction_end(&transaction);
	cut_batch();
	return code;
}

/* Commits one rule's way from `before` to `after` and frees both. */
static void change(struct ipmasq_rule *before, struct ipmasq_rule *after)
{
	struct ipmasq_change one = {before, after};

	assert_int_equal(commit(&one, 1), 0);
	ipmasq_rule_free(before);
	ipmasq_rule_free(after);
}

/* The batch in short: types of messages, sets and chains by name; like ones in a row are one. */
static const char *outline(void)
{
	static const struct {
		uint16_t type;
		const char *name;
		uint16_t attribute; /* with the name of the object */
	} types[] = {
		{NFT_MSG_NEWSETELEM, "+elements", NFTA_SET_ELEM_LIST_SET},
		{NFT_MSG_DELSETELEM, "-elements", NFTA_SET_ELEM_LIST_SET},
		{NFT_MSG_NEWSET, "+set", NFTA_SET_NAME},
		{NFT_MSG_NEWCHAIN, "+chain", NFTA_CHAIN_NAME},
		{NFT_MSG_DELCHAIN, "-chain", NFTA_CHAIN_NAME},
		{NFT_MSG_NEWRULE, "+rule", NFTA_RULE_CHAIN},
		{NFT_MSG_DELRULE, "-rules", NFTA_RULE_CHAIN},
	};
	static char text[4096];
	char item[256], last[256] = "";

	text[0] = '\0';
	for (size_t i = 1; i + 1 < messages.n; i++) {
		uint16_t type = NFNL_MSG_TYPE(messages.list[i]->nlmsg_type);
		const struct nlattr *attribute;
		size_t t = 0;

		assert_int_equal(NFNL_SUBSYS_ID(messages.list[i]->nlmsg_type),
				 NFNL_SUBSYS_NFTABLES);
		while (t < N_ELEMENTS(types) && types[t].type != type)
			t++;
		assert_true(t < N_ELEMENTS(types));
		mnl_attr_for_each(attribute, messages.list[i], sizeof(struct nfgenmsg)) {
			if (mnl_attr_get_type(attribute) == types[t].attribute)
				snprintf(item, sizeof(item), "%s %s;", types[t].name,
					 mnl_attr_get_str(attribute));
		}
		if (strcmp(item, last) != 0)
			strncat(text, item, sizeof(text) - strlen(text) - 1);
		strcpy(last, item);
	}
	return text;
}

/* The message of `type`, the `number`th from 0. */
static const struct nlmsghdr *message_of(uint16_t type, size_t number)
{
	for (size_t i = 1; i + 1 < messages.n; i++)
		if (NFNL_MSG_TYPE(messages.list[i]->nlmsg_type) == type && number-- == 0)
			return messages.list[i];
	fail_msg("there is no message of type %u", type);
	return NULL;
}

/* Calls `visit` for every element that messages of `type` have for the set; how many. */
static size_t each_element(uint16_t type, const char *name,
			   void (*visit)(struct nftnl_set_elem *element, void *data), void *data)
{
	size_t n = 0;

	for (size_t i = 1; i + 1 < messages.n; i++) {
		struct nftnl_set_elems_iter *iterator;
		struct nftnl_set_elem *element;
		struct nftnl_set *set;

		if (NFNL_MSG_TYPE(messages.list[i]->nlmsg_type) != type)
			continue;
		set = nftnl_set_alloc();
		assert_int_equal(nftnl_set_elems_nlmsg_parse(messages.list[i], set), 0);
		assert_string_equal(nftnl_set_get_str(set, NFTNL_SET_TABLE), "ipmasq");
		iterator = nftnl_set_elems_iter_create(set);
		while (strcmp(nftnl_set_get_str(set, NFTNL_SET_NAME), name) == 0 &&
		       (element = nftnl_set_elems_iter_next(iterator))) {
			visit(element, data);
			n++;
		}
		nftnl_set_elems_iter_destroy(iterator);
		nftnl_set_free(set);
	}
	return n;
}

static void hex(char *text, size_t size, const void *bytes, uint32_t length)
{
	text[0] = '\0';
	for (uint32_t i = 0; i < length; i++)
		snprintf(text + strlen(text), size - strlen(text), "%02x",
			 ((const uint8_t *)bytes)[i]);
}

static int find_comment(const struct nftnl_udata *attribute, void *data)
{
	const char **comment = data;

	if (nftnl_udata_type(attribute) == NFTNL_UDATA_SET_ELEM_COMMENT)
		*comment = nftnl_udata_get(attribute);
	return 0;
}

static void append_element(struct nftnl_set_elem *element, void *data)
{
	char *text = data, key[256], value[256] = "";
	const char *comment = NULL;
	const void *bytes;
	uint32_t length;

	bytes = nftnl_set_elem_get(element, NFTNL_SET_ELEM_KEY, &length);
	hex(key, sizeof(key), bytes, length);
	bytes = nftnl_set_elem_get(element, NFTNL_SET_ELEM_DATA, &length);
	if (bytes)
		hex(value, sizeof(value), bytes, length);
	if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_CHAIN))
		snprintf(value, sizeof(value), "goto %s",
			 nftnl_set_elem_get_str(element, NFTNL_SET_ELEM_CHAIN));
	if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_FLAGS) &&
	    nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END)
		snprintf(value, sizeof(value), "end");
	bytes = nftnl_set_elem_get(element, NFTNL_SET_ELEM_USERDATA, &length);
	if (bytes)
		assert_int_equal(nftnl_udata_parse(bytes, length, find_comment, &comment), 0);
	snprintf(text + strlen(text), TEXT_MAX - strlen(text), "%s:%s%s%s;", key, value,
		 comment ? " " : "", comment ? comment : "");
}

/* A set's elements as `key:data comment;` or `key:goto chain;`, bytes in hexadecimal. */
static const char *elements_text(uint16_t type, const char *set)
{
	static char text[TEXT_MAX];

	text[0] = '\0';
	each_element(type, set, append_element, text);
	return text;
}

/* Packets that the counters of the elements begin with. */
static void only_count(struct nftnl_set_elem *element, void *data)
{
	(void)element;
	(void)data;
}

static struct ipmasq_rule *pool_10_20(void)
{
	struct ipmasq_rule *rule = test_pool("192.0.2.1", 80, HOSTS, 2);

	rule->redirect.targets[1].weight = 20;
	return rule;
}

static void a_batch_is_begun_in_its_generation_and_ended(void **state)
{
	const struct nlmsghdr *begin, *end;
	const struct nlattr *attribute;
	uint32_t generation = 0;

	(void)state;
	change(NULL, test_plain("192.0.2.1", 80, "10.0.0.1"));
	begin = messages.list[0];
	end = messages.list[messages.n - 1];
	assert_int_equal(begin->nlmsg_type, NFNL_MSG_BATCH_BEGIN);
	assert_int_equal(end->nlmsg_type, NFNL_MSG_BATCH_END);
	mnl_attr_for_each(attribute, begin, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attribute) == NFNL_BATCH_GENID)
			generation = ntohl(mnl_attr_get_u32(attribute));
	}
	assert_int_equal(generation, GENERATION);
}

static void every_message_of_a_batch_has_a_sequence_number_of_its_own(void **state)
{
	(void)state;
	change(NULL, pool_10_20());
	for (size_t i = 1; i < messages.n; i++)
		assert_true(messages.list[i]->nlmsg_seq > messages.list[i - 1]->nlmsg_seq);
}

static void another_generation_is_reported_as_erestart(void **state)
{
	struct ipmasq_rule *rule = test_plain("192.0.2.1", 80, "10.0.0.1");
	struct ipmasq_change one = {NULL, rule};

	(void)state;
	fake_kernel_refuse(ERESTART);
	assert_int_equal(commit(&one, 1), ERESTART);
	fake_kernel_refuse(EPERM);
	assert_int_equal(commit(&one, 1), EPERM);
	fake_kernel_refuse(0);
	assert_int_equal(commit(&one, 1), 0);
	ipmasq_rule_free(rule);
}

static void a_forward_is_an_element_of_the_owners_map(void **state)
{
	(void)state;
	change(NULL, test_plain("192.0.2.1", 80, "10.0.0.1"));
	assert_string_equal(outline(), "+elements portfw4;+elements portfw4_traffic;");
	assert_string_equal(elements_text(NFT_MSG_NEWSETELEM, "portfw4"), "c0000201"
									  "06000000"
									  "00500000:"
									  "0a000001"
									  "00500000;");
	assert_string_equal(elements_text(NFT_MSG_NEWSETELEM, "portfw4_traffic"), "c0000201"
										  "06000000"
										  "00500000"
										  "0a000001"
										  "00500000:;");
}

static void a_new_element_must_not_be_there_yet(void **state)
{
	(void)state;
	change(NULL, test_plain("192.0.2.1", 80, "10.0.0.1"));
	assert_true(message_of(NFT_MSG_NEWSETELEM, 0)->nlmsg_flags & NLM_F_EXCL);
	assert_true(message_of(NFT_MSG_NEWSETELEM, 0)->nlmsg_flags & NLM_F_CREATE);
}

static void a_preference_that_is_not_10_is_in_the_comment(void **state)
{
	struct ipmasq_rule *rule = test_plain("192.0.2.1", 80, "10.0.0.1");

	(void)state;
	rule->redirect.targets[0].weight = 25;
	change(NULL, rule);
	assert_string_equal(elements_text(NFT_MSG_NEWSETELEM, "portfw4"), "c0000201"
									  "06000000"
									  "00500000:"
									  "0a000001"
									  "00500000 pref 25;");
}

static void any_address_has_a_map_without_the_address(void **state)
{
	(void)state;
	change(NULL, test_plain("0.0.0.0", 443, "10.0.0.1"));
	assert_string_equal(outline(), "+elements portfw4_any;+elements portfw4_any_traffic;");
	assert_string_equal(elements_text(NFT_MSG_NEWSETELEM, "portfw4_any"), "06000000"
									      "01bb0000:"
									      "0a000001"
									      "00500000;");
}

static void ipv6_has_maps_of_its_own(void **state)
{
	(void)state;
	change(NULL, test_plain("2001:db8::1", 80, "2001:db8::2"));
	assert_string_equal(outline(), "+elements portfw6;+elements portfw6_traffic;");
	assert_string_equal(elements_text(NFT_MSG_NEWSETELEM, "portfw6"),
			    "20010db8000000000000000000000001"
			    "06000000"
			    "00500000:"
			    "20010db8000000000000000000000002"
			    "00500000;");
	change(NULL, test_plain("::", 80, "2001:db8::2"));
	assert_string_equal(outline(), "+elements portfw6_any;+elements portfw6_any_traffic;");
}

static void a_forward_that_goes_is_deleted_by_its_key_alone(void **state)
{
	struct ipmasq_rule *rule = test_plain("192.0.2.1", 80, "10.0.0.1");

	(void)state;
	rule->redirect.targets[0].weight = 25;
	change(rule, NULL);
	assert_string_equal(outline(), "-elements portfw4;-elements portfw4_traffic;");
	assert_string_equal(elements_text(NFT_MSG_DELSETELEM, "portfw4"), "c0000201"
									  "06000000"
									  "00500000:;");
}

static void a_forward_to_another_host_is_deleted_before_it_is_added(void **state)
{
	(void)state;
	change(test_plain("192.0.2.1", 80, "10.0.0.1"), test_plain("192.0.2.1", 80, "10.0.0.2"));
	assert_string_equal(outline(), "-elements portfw4;-elements portfw4_traffic;"
				       "+elements portfw4;+elements portfw4_traffic;");
}

static void another_preference_leaves_the_traffic_counter(void **state)
{
	struct ipmasq_rule *rule = test_plain("192.0.2.1", 80, "10.0.0.1");

	(void)state;
	rule->redirect.targets[0].weight = 25;
	change(test_plain("192.0.2.1", 80, "10.0.0.1"), rule);
	assert_string_equal(outline(), "-elements portfw4;+elements portfw4;");
}

#define POOL_CHAIN "pool_portfw_tcp_192.0.2.1_80"

static void a_pool_is_a_chain_with_a_map_of_ranges_as_wide_as_the_weights(void **state)
{
	(void)state;
	change(NULL, pool_10_20());
	assert_string_equal(outline(), "+chain " POOL_CHAIN ";+set __map%d;+elements __map%d;"
				       "+rule " POOL_CHAIN
				       ";+elements portfw4_pool;+elements portfw4_traffic;");
	assert_string_equal(elements_text(NFT_MSG_NEWSETELEM, "__map%d"),
			    "00000000:0a00000100500000;"
			    "0000000a:0a00000200500000;"
			    "0000001e:end;");
	assert_string_equal(elements_text(NFT_MSG_NEWSETELEM, "portfw4_pool"),
			    "c0000201"
			    "06000000"
			    "00500000:goto " POOL_CHAIN ";");
}

static int find_numgen(struct nftnl_expr *expression, void *data)
{
	uint32_t *modulus = data;

	if (strcmp(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME), "numgen") == 0) {
		assert_int_equal(nftnl_expr_get_u32(expression, NFTNL_EXPR_NG_TYPE),
				 NFT_NG_INCREMENTAL);
		*modulus = nftnl_expr_get_u32(expression, NFTNL_EXPR_NG_MODULUS);
	}
	return 0;
}

static int find_lookup(struct nftnl_expr *expression, void *data)
{
	uint32_t *id = data;

	if (strcmp(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME), "lookup") == 0)
		*id = nftnl_expr_get_u32(expression, NFTNL_EXPR_LOOKUP_SET_ID);
	return 0;
}

static void a_pool_counts_through_the_sum_of_its_weights(void **state)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	uint32_t modulus = 0, id = 0;
	struct nftnl_set *set = nftnl_set_alloc(), *elements = nftnl_set_alloc();

	(void)state;
	change(NULL, pool_10_20());
	assert_int_equal(nftnl_rule_nlmsg_parse(message_of(NFT_MSG_NEWRULE, 0), rule), 0);
	nftnl_expr_foreach(rule, find_numgen, &modulus);
	assert_int_equal(modulus, 30);
	nftnl_expr_foreach(rule, find_lookup, &id);
	assert_int_equal(nftnl_set_nlmsg_parse(message_of(NFT_MSG_NEWSET, 0), set), 0);
	assert_int_not_equal(id, 0);
	assert_int_equal(nftnl_set_get_u32(set, NFTNL_SET_ID), id);
	assert_int_equal(nftnl_set_elems_nlmsg_parse(message_of(NFT_MSG_NEWSETELEM, 0), elements),
			 0);
	assert_int_equal(nftnl_set_get_u32(elements, NFTNL_SET_ID), id);
	assert_true(nftnl_set_get_u32(set, NFTNL_SET_FLAGS) & NFT_SET_ANONYMOUS);
	assert_true(nftnl_set_get_u32(set, NFTNL_SET_FLAGS) & NFT_SET_INTERVAL);
	nftnl_set_free(elements);
	nftnl_set_free(set);
	nftnl_rule_free(rule);
}

static void two_pools_have_maps_with_numbers_of_their_own(void **state)
{
	struct ipmasq_rule *first = pool_10_20(), *second = test_pool("192.0.2.2", 80, HOSTS, 3);
	struct ipmasq_change changes[] = {{NULL, first}, {NULL, second}};
	uint32_t ids[2];

	(void)state;
	assert_int_equal(commit(changes, 2), 0);
	for (size_t i = 0; i < 2; i++) {
		struct nftnl_set *set = nftnl_set_alloc();

		assert_int_equal(nftnl_set_nlmsg_parse(message_of(NFT_MSG_NEWSET, i), set), 0);
		ids[i] = nftnl_set_get_u32(set, NFTNL_SET_ID);
		nftnl_set_free(set);
	}
	assert_int_not_equal(ids[0], ids[1]);
	ipmasq_rule_free(first);
	ipmasq_rule_free(second);
}

static void a_pool_that_goes_loses_its_element_before_its_chain(void **state)
{
	(void)state;
	change(pool_10_20(), NULL);
	assert_string_equal(outline(), "-elements portfw4_pool;-elements portfw4_traffic;"
				       "-rules " POOL_CHAIN ";-chain " POOL_CHAIN ";");
}

static void a_pool_that_changes_keeps_its_element_and_chain(void **state)
{
	(void)state;
	change(pool_10_20(), test_pool("192.0.2.1", 80, HOSTS, 3));
	assert_string_equal(outline(), "-rules " POOL_CHAIN ";+set __map%d;+elements __map%d;"
				       "+rule " POOL_CHAIN ";+elements portfw4_traffic;");
}

static void a_forward_that_becomes_a_pool_leaves_the_map(void **state)
{
	(void)state;
	change(test_plain("192.0.2.1", 80, "10.0.0.1"), pool_10_20());
	assert_string_equal(outline(),
			    "-elements portfw4;+chain " POOL_CHAIN ";+set __map%d;"
			    "+elements __map%d;+rule " POOL_CHAIN ";+elements portfw4_pool;"
			    "+elements portfw4_traffic;");
}

static void a_pool_that_becomes_a_forward_loses_its_chain(void **state)
{
	(void)state;
	change(pool_10_20(), test_plain("192.0.2.1", 80, "10.0.0.2"));
	assert_string_equal(outline(), "-elements portfw4_pool;-elements portfw4_traffic;"
				       "-rules " POOL_CHAIN ";-chain " POOL_CHAIN ";"
				       "+elements portfw4;");
}

static void a_pool_that_changes_says_where_its_schedule_began(void **state)
{
	struct ipmasq_rule *before = pool_10_20(), *after;
	struct nftnl_rule *rule = nftnl_rule_alloc();
	const char *comment = NULL;
	const void *userdata;
	uint32_t length;

	(void)state;
	before->redirect.connections = 21;
	after = test_pool("192.0.2.1", 80, HOSTS, 3);
	change(before, after);
	assert_int_equal(each_element(NFT_MSG_NEWSETELEM, "__map%d", only_count, NULL), 4);
	assert_int_equal(nftnl_rule_nlmsg_parse(message_of(NFT_MSG_NEWRULE, 0), rule), 0);
	userdata = nftnl_rule_get_data(rule, NFTNL_RULE_USERDATA, &length);
	assert_non_null(userdata);
	assert_int_equal(nftnl_udata_parse(userdata, length, find_comment, &comment), 0);
	assert_string_equal(comment, "from 21");
	nftnl_rule_free(rule);
}

static void the_chain_of_an_ipv6_pool_has_a_name_without_colons(void **state)
{
	static const char *const hosts[] = {"2001:db8::2", "2001:db8::3"};

	(void)state;
	change(NULL, test_pool("2001:db8::1", 80, hosts, 2));
	assert_contains(outline(), "+chain pool_portfw_tcp_2001_db8__1_80;");
	change(NULL, test_pool("::", 80, hosts, 2));
	assert_contains(outline(), "+chain pool_portfw_tcp_any6_80;");
}

static void elements_of_one_set_travel_together(void **state)
{
	enum { N = 1000 };
	struct ipmasq_change changes[N];

	(void)state;
	for (size_t i = 0; i < N; i++)
		changes[i] = (struct ipmasq_change){
			NULL, test_plain("192.0.2.1", (uint16_t)(i + 1), "10.0.0.1")};
	assert_int_equal(commit(changes, N), 0);
	assert_true(messages.n < 20);
	for (size_t i = 1; i + 1 < messages.n; i++)
		assert_true(messages.list[i]->nlmsg_len < 1 << 16);
	assert_int_equal(each_element(NFT_MSG_NEWSETELEM, "portfw4", only_count, NULL), N);
	assert_int_equal(each_element(NFT_MSG_NEWSETELEM, "portfw4_traffic", only_count, NULL), N);
	for (size_t i = 0; i < N; i++)
		ipmasq_rule_free((struct ipmasq_rule *)(uintptr_t)changes[i].after);
}

static void a_pool_of_1024_hosts_fits(void **state)
{
	struct ipmasq_rule *rule = test_redirect("portfw", "2001:db8::1", 80);
	struct ipmasq_target target = test_target("2001:db8::2", 1, IPMASQ_WEIGHT_MAX);
	struct ipmasq_error error;

	(void)state;
	for (uint32_t i = 0; i < IPMASQ_TARGETS_MAX; i++) {
		target.port = (uint16_t)(i + 1);
		assert_int_equal(
			ipmasq_redirect_put_target(&rule->redirect, &target, false, &error), 0);
	}
	change(NULL, rule);
	assert_int_equal(each_element(NFT_MSG_NEWSETELEM, "__map%d", only_count, NULL),
			 IPMASQ_TARGETS_MAX + 1); /* with the end */
	assert_int_equal(each_element(NFT_MSG_NEWSETELEM, "portfw6_traffic", only_count, NULL),
			 IPMASQ_TARGETS_MAX);
}

static int supported(const struct ipmasq_rule *rule, struct ipmasq_error *error)
{
	return ruled_is(rule) ? ruled_supported(rule, error)
			      : redirect_supported(&rule->redirect, error);
}

static void what_nf_tables_cannot_redirect_is_refused(void **state)
{
	struct ipmasq_rule *rule = test_plain("192.0.2.1", 80, "10.0.0.1");
	struct ipmasq_target other = {.address = test_address("10.0.0.2"), .weight = 1};
	struct ipmasq_match match = rule->redirect.match;
	struct ipmasq_error error;

	(void)state;
	assert_int_equal(supported(rule, &error), 0);
	rule->redirect.match.mark = 1; /* beside an address and a port */
	assert_int_equal(supported(rule, &error), -1);
	assert_int_equal(error.status, IPMASQ_FAILED);
	assert_int_equal(error.code, EOPNOTSUPP);
	rule->redirect.match = match;
	rule->redirect.match.remote = test_address("198.51.100.1");
	assert_int_equal(supported(rule, &error), -1);
	rule->redirect.match = match;
	rule->redirect.match.ports.high = 81;
	assert_int_equal(supported(rule, &error), 0);
	assert_int_equal(ipmasq_redirect_put_target(&rule->redirect, &other, true, &error), 0);
	assert_int_equal(supported(rule, &error), -1); /* a range is for one host */
	ipmasq_rule_free(rule);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_kernel, close_kernel)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_batch_is_begun_in_its_generation_and_ended),
		TEST(every_message_of_a_batch_has_a_sequence_number_of_its_own),
		TEST(another_generation_is_reported_as_erestart),
		TEST(a_forward_is_an_element_of_the_owners_map),
		TEST(a_new_element_must_not_be_there_yet),
		TEST(a_preference_that_is_not_10_is_in_the_comment),
		TEST(any_address_has_a_map_without_the_address),
		TEST(ipv6_has_maps_of_its_own),
		TEST(a_forward_that_goes_is_deleted_by_its_key_alone),
		TEST(a_forward_to_another_host_is_deleted_before_it_is_added),
		TEST(another_preference_leaves_the_traffic_counter),
		TEST(a_pool_is_a_chain_with_a_map_of_ranges_as_wide_as_the_weights),
		TEST(a_pool_counts_through_the_sum_of_its_weights),
		TEST(two_pools_have_maps_with_numbers_of_their_own),
		TEST(a_pool_that_goes_loses_its_element_before_its_chain),
		TEST(a_pool_that_changes_keeps_its_element_and_chain),
		TEST(a_forward_that_becomes_a_pool_leaves_the_map),
		TEST(a_pool_that_becomes_a_forward_loses_its_chain),
		TEST(a_pool_that_changes_says_where_its_schedule_began),
		TEST(the_chain_of_an_ipv6_pool_has_a_name_without_colons),
		TEST(elements_of_one_set_travel_together),
		TEST(a_pool_of_1024_hosts_fits),
		TEST(what_nf_tables_cannot_redirect_is_refused),
	};

	return cmocka_run_group_tests_name("transaction", tests, NULL, NULL);
}
