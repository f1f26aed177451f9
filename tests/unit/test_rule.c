// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules as data: what makes two rules one, what makes two pools one, what contradicts itself. */
#include "rules.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <stdlib.h>

#include "test.h"

static const char *const HOSTS[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
static const char *const TURNED[] = {"10.0.0.2", "10.0.0.3", "10.0.0.1"};
static const char *const SWAPPED[] = {"10.0.0.2", "10.0.0.1", "10.0.0.3"};

static bool same_body(struct ipmasq_rule *a, struct ipmasq_rule *b)
{
	bool same = ipmasq_rule_same_body(a, b);

	assert_int_equal(ipmasq_rule_same_body(b, a), same);
	ipmasq_rule_free(a);
	ipmasq_rule_free(b);
	return same;
}

static void a_key_is_the_kind_the_owner_and_every_field_of_the_match(void **state)
{
	struct ipmasq_rule *rule = test_plain("192.0.2.1", 80, "10.0.0.1");
	struct ipmasq_rule other = *rule;

	(void)state;
	assert_true(ipmasq_rule_same_key(rule, &other));
	strcpy(other.owner, "mfw");
	assert_false(ipmasq_rule_same_key(rule, &other));
	other = *rule;
	other.kind = IPMASQ_PIN;
	assert_false(ipmasq_rule_same_key(rule, &other));
#define ASSERT_IN_KEY(field, value)                                         \
	do {                                                                \
		other = *rule;                                              \
		other.redirect.match.field = (value);                       \
		assert_false(ipmasq_rule_same_key(rule, &other));           \
		assert_int_not_equal(ipmasq_rule_compare(rule, &other), 0); \
	} while (0)
	ASSERT_IN_KEY(family, AF_INET6);
	ASSERT_IN_KEY(protocol, IPPROTO_UDP);
	ASSERT_IN_KEY(alias, test_address("192.0.2.2"));
	ASSERT_IN_KEY(ports.low, 79);
	ASSERT_IN_KEY(ports.high, 81);
	ASSERT_IN_KEY(remote, test_address("198.51.100.1"));
	ASSERT_IN_KEY(remote_port, 1);
	ASSERT_IN_KEY(mark, 1);
#undef ASSERT_IN_KEY
	ipmasq_rule_free(rule);
}

static void the_pool_is_no_part_of_the_key(void **state)
{
	struct ipmasq_rule *a = test_plain("192.0.2.1", 80, "10.0.0.1");
	struct ipmasq_rule *b = test_pool("192.0.2.1", 80, HOSTS, 3);

	(void)state;
	assert_true(ipmasq_rule_same_key(a, b));
	assert_int_equal(ipmasq_rule_compare(a, b), 0);
	ipmasq_rule_free(a);
	ipmasq_rule_free(b);
}

static void rules_are_ordered_by_owner_then_by_match(void **state)
{
	struct ipmasq_rule *ascending[] = {
		test_redirect("portfw", "0.0.0.0", 80),    test_redirect("portfw", "0.0.0.0", 81),
		test_redirect("portfw", "10.0.0.1", 1),    test_redirect("portfw", "::", 1),
		test_redirect("mfw", "0.0.0.0", 1),        test_redirect("autofw", "0.0.0.0", 1),
		test_redirect("addrfw", "0.0.0.0", 1),     test_redirect("another", "0.0.0.0", 1),
		test_redirect("yetanother", "0.0.0.0", 1),
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(ascending); i++) {
		for (size_t k = 0; k < N_ELEMENTS(ascending); k++) {
			int order = ipmasq_rule_compare(ascending[i], ascending[k]);

			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
	}
	for (size_t i = 0; i < N_ELEMENTS(ascending); i++)
		ipmasq_rule_free(ascending[i]);
}

static void the_precedence_is_portfw_mfw_autofw_addrfw_then_everybody_else(void **state)
{
	(void)state;
	assert_int_equal(ipmasq_owner_precedence("portfw"), 0);
	assert_int_equal(ipmasq_owner_precedence("mfw"), 1);
	assert_int_equal(ipmasq_owner_precedence("autofw"), 2);
	assert_int_equal(ipmasq_owner_precedence("addrfw"), 3);
	assert_int_equal(ipmasq_owner_precedence("aaa"), 4);
	assert_int_equal(ipmasq_owner_precedence("zzz"), 4);
}

static void a_pool_turned_is_the_same_pool(void **state)
{
	(void)state;
	assert_true(same_body(test_pool("192.0.2.1", 80, HOSTS, 3),
			      test_pool("192.0.2.1", 80, HOSTS, 3)));
	assert_true(same_body(test_pool("192.0.2.1", 80, HOSTS, 3),
			      test_pool("192.0.2.1", 80, TURNED, 3)));
}

static void a_pool_in_another_circle_is_another_pool(void **state)
{
	(void)state;
	assert_false(same_body(test_pool("192.0.2.1", 80, HOSTS, 3),
			       test_pool("192.0.2.1", 80, SWAPPED, 3)));
}

static void a_pool_with_a_host_less_is_another_pool(void **state)
{
	(void)state;
	assert_false(same_body(test_pool("192.0.2.1", 80, HOSTS, 3),
			       test_pool("192.0.2.1", 80, HOSTS, 2)));
	assert_false(same_body(test_pool("192.0.2.1", 80, HOSTS, 0),
			       test_pool("192.0.2.1", 80, HOSTS, 1)));
	assert_true(same_body(test_pool("192.0.2.1", 80, HOSTS, 0),
			      test_pool("192.0.2.1", 80, HOSTS, 0)));
}

static void another_weight_port_or_address_is_another_pool(void **state)
{
	struct ipmasq_rule *other = test_pool("192.0.2.1", 80, HOSTS, 3);

	(void)state;
	other->redirect.targets[1].weight = 11;
	assert_false(same_body(test_pool("192.0.2.1", 80, HOSTS, 3), other));
	other = test_pool("192.0.2.1", 80, HOSTS, 3);
	other->redirect.targets[2].port = 81;
	assert_false(same_body(test_pool("192.0.2.1", 80, HOSTS, 3), other));
	other = test_pool("192.0.2.1", 80, HOSTS, 3);
	other->redirect.targets[0].address = test_address("10.0.0.9");
	assert_false(same_body(test_pool("192.0.2.1", 80, HOSTS, 3), other));
}

static void counters_and_the_turn_are_not_compared(void **state)
{
	struct ipmasq_rule *other = test_pool("192.0.2.1", 80, HOSTS, 3);

	(void)state;
	other->redirect.targets[0].left = 3;
	other->redirect.targets[1].counters = (struct ipmasq_counters){2, 3};
	assert_true(same_body(test_pool("192.0.2.1", 80, HOSTS, 3), other));
}

static void a_pool_to_be_restarted_is_never_the_same(void **state)
{
	struct ipmasq_rule *other = test_pool("192.0.2.1", 80, HOSTS, 3);

	(void)state;
	other->redirect.restart = true;
	assert_false(same_body(test_pool("192.0.2.1", 80, HOSTS, 3), other));
}

static void bodies_of_other_kinds_are_compared_by_what_the_rule_does(void **state)
{
	struct ipmasq_rule a = {.kind = IPMASQ_TRIGGER}, b = a;

	(void)state;
	b.trigger.control_port = 1; /* the key */
	assert_true(ipmasq_rule_same_body(&a, &b));
	b.trigger.insecure = true;
	assert_false(ipmasq_rule_same_body(&a, &b));
	a = b = (struct ipmasq_rule){.kind = IPMASQ_MASQ};
	b.masq.alias = test_address("192.0.2.1");
	assert_false(ipmasq_rule_same_body(&a, &b));
	a = b = (struct ipmasq_rule){.kind = IPMASQ_PROXY};
	b.proxy.server_port = 1;
	assert_false(ipmasq_rule_same_body(&a, &b));
	a = b = (struct ipmasq_rule){.kind = IPMASQ_HELPER};
	b.helper.n_ports = 1;
	assert_false(ipmasq_rule_same_body(&a, &b));
	a.helper.n_ports = 1;
	assert_true(ipmasq_rule_same_body(&a, &b));
	a.helper.ports[0] = 21;
	assert_false(ipmasq_rule_same_body(&a, &b));
	a = b = (struct ipmasq_rule){.kind = IPMASQ_PIN};
	assert_true(ipmasq_rule_same_body(&a, &b));
	b.kind = IPMASQ_HELPER;
	assert_false(ipmasq_rule_same_body(&a, &b));
}

static void a_copy_owns_its_pool(void **state)
{
	struct ipmasq_rule *rule = test_pool("192.0.2.1", 80, HOSTS, 3);
	struct ipmasq_rule *copy = ipmasq_rule_copy(rule);

	(void)state;
	assert_true(ipmasq_rule_same_key(rule, copy));
	assert_true(ipmasq_rule_same_body(rule, copy));
	copy->redirect.targets[0].weight = 99;
	assert_int_equal(rule->redirect.targets[0].weight, 10);
	ipmasq_rule_free(rule);
	assert_int_equal(copy->redirect.targets[2].weight, 10);
	ipmasq_rule_free(copy);
	ipmasq_rule_free(NULL);
}

static void an_owner_longer_than_fits_is_cut_and_ended(void **state)
{
	struct ipmasq_rule *rule = test_redirect("a_name_that_is_too_long", "192.0.2.1", 80);

	(void)state;
	assert_string_equal(rule->owner, "a_name_that_is_");
	ipmasq_rule_free(rule);
}

static void a_new_target_goes_to_the_head_or_to_the_end(void **state)
{
	struct ipmasq_rule *rule = test_pool("192.0.2.1", 80, HOSTS, 2);
	struct ipmasq_target target = test_target("10.0.0.8", 80, 1);
	struct ipmasq_error error;

	(void)state;
	assert_int_equal(ipmasq_redirect_put_target(&rule->redirect, &target, true, &error), 0);
	target = test_target("10.0.0.9", 80, 1);
	assert_int_equal(ipmasq_redirect_put_target(&rule->redirect, &target, false, &error), 0);
	assert_int_equal(rule->redirect.n_targets, 4);
	assert_int_equal(rule->redirect.targets[0].address.bytes[3], 8);
	assert_int_equal(rule->redirect.targets[1].address.bytes[3], 1);
	assert_int_equal(rule->redirect.targets[2].address.bytes[3], 2);
	assert_int_equal(rule->redirect.targets[3].address.bytes[3], 9);
	ipmasq_rule_free(rule);
}

static void a_target_that_is_there_gets_the_weight_and_a_reloaded_turn_in_its_place(void **state)
{
	struct ipmasq_rule *rule = test_pool("192.0.2.1", 80, HOSTS, 3);
	struct ipmasq_target target = test_target("10.0.0.2", 80, 25);
	struct ipmasq_error error;

	(void)state;
	rule->redirect.targets[1].left = 3;
	rule->redirect.targets[1].counters.packets = 7;
	assert_int_equal(ipmasq_redirect_put_target(&rule->redirect, &target, true, &error), 0);
	assert_int_equal(rule->redirect.n_targets, 3);
	assert_int_equal(rule->redirect.targets[1].weight, 25);
	assert_int_equal(rule->redirect.targets[1].left, 25);
	assert_int_equal(rule->redirect.targets[1].counters.packets, 7);
	ipmasq_rule_free(rule);
}

static void the_same_host_with_another_port_is_another_target(void **state)
{
	struct ipmasq_rule *rule = test_pool("192.0.2.1", 80, HOSTS, 1);
	struct ipmasq_target target = test_target("10.0.0.1", 81, 10);
	struct ipmasq_error error;

	(void)state;
	assert_int_equal(ipmasq_redirect_put_target(&rule->redirect, &target, true, &error), 0);
	assert_int_equal(rule->redirect.n_targets, 2);
	ipmasq_rule_free(rule);
}

static void a_pool_takes_1024_hosts_and_no_more(void **state)
{
	struct ipmasq_rule *rule = test_redirect("portfw", "192.0.2.1", 80);
	struct ipmasq_target target = test_target("10.0.0.1", 1, 10);
	struct ipmasq_error error;

	(void)state;
	for (uint32_t i = 0; i < IPMASQ_TARGETS_MAX; i++) {
		target.port = (uint16_t)(i + 1);
		assert_int_equal(
			ipmasq_redirect_put_target(&rule->redirect, &target, i & 1, &error), 0);
	}
	target.port++;
	assert_int_equal(ipmasq_redirect_put_target(&rule->redirect, &target, true, &error), -1);
	assert_int_equal(error.status, IPMASQ_FAILED);
	assert_int_equal(error.code, ENOSPC);
	assert_contains(error.text, "1024");
	assert_int_equal(rule->redirect.n_targets, IPMASQ_TARGETS_MAX);
	target.port--; /* the weight of one that is there can still be set */
	assert_int_equal(ipmasq_redirect_put_target(&rule->redirect, &target, true, &error), 0);
	ipmasq_rule_free(rule);
}

static void a_target_is_taken_out_of_any_place(void **state)
{
	(void)state;
	for (uint32_t position = 0; position < 3; position++) {
		struct ipmasq_rule *rule = test_pool("192.0.2.1", 80, HOSTS, 3);

		ipmasq_redirect_take_target(&rule->redirect, position);
		assert_int_equal(rule->redirect.n_targets, 2);
		assert_int_equal(rule->redirect.targets[0].address.bytes[3], position == 0 ? 2 : 1);
		assert_int_equal(rule->redirect.targets[1].address.bytes[3], position == 2 ? 2 : 3);
		ipmasq_rule_free(rule);
	}
}

static void a_redirect_that_is_in_order_passes(void **state)
{
	struct ipmasq_rule *rule = test_pool("192.0.2.1", 80, HOSTS, 3);
	struct ipmasq_error error;

	(void)state;
	assert_int_equal(ipmasq_rule_check(rule, &error), 0);
	rule->redirect.match.ports = (struct ipmasq_ports){0, 0};
	rule->redirect.match.protocol = IPPROTO_GRE;
	assert_int_equal(ipmasq_rule_check(rule, &error), 0);
	ipmasq_rule_free(rule);
}

static void a_redirect_that_contradicts_itself_is_refused(void **state)
{
	struct ipmasq_rule *rule = test_pool("192.0.2.1", 80, HOSTS, 2);
	struct ipmasq_match match = rule->redirect.match;
	struct ipmasq_error error;

	(void)state;
	rule->redirect.match.ports = (struct ipmasq_ports){81, 80};
	assert_int_equal(ipmasq_rule_check(rule, &error), -1);
	assert_usage_error(&error, "81-80");
	rule->redirect.match = match;
	rule->redirect.match.protocol = IPPROTO_GRE;
	assert_int_equal(ipmasq_rule_check(rule, &error), -1);
	assert_usage_error(&error, "ports need a protocol");
	rule->redirect.match = match;
	rule->redirect.match.protocol = IPPROTO_ESP;
	rule->redirect.match.ports = (struct ipmasq_ports){0, 0};
	rule->redirect.match.remote_port = 1;
	assert_int_equal(ipmasq_rule_check(rule, &error), -1);
	assert_usage_error(&error, "remote port");
	rule->redirect.match = match;
	rule->redirect.targets[1].address = test_address("2001:db8::1");
	assert_int_equal(ipmasq_rule_check(rule, &error), -1);
	assert_usage_error(&error, "'2001:db8::1'");
	rule->redirect.targets[1].address = test_address("0.0.0.0");
	assert_int_equal(ipmasq_rule_check(rule, &error), -1);
	assert_usage_error(&error, "'0.0.0.0'");
	rule->redirect.targets[1] = test_target("10.0.0.2", 80, IPMASQ_WEIGHT_MAX + 1);
	assert_int_equal(ipmasq_rule_check(rule, &error), -1);
	assert_usage_error(&error, "65536");
	rule->redirect.targets[1].weight = IPMASQ_WEIGHT_MAX;
	assert_int_equal(ipmasq_rule_check(rule, &error), 0);
	ipmasq_rule_free(rule);
}

static void every_other_kind_needs_what_it_cannot_do_without(void **state)
{
	struct ipmasq_rule rule = {.kind = IPMASQ_TRIGGER};
	struct ipmasq_error error;

	(void)state;
	assert_int_equal(ipmasq_rule_check(&rule, &error), -1);
	assert_usage_error(&error, "control port");
	rule.trigger.control_port = 554;
	assert_int_equal(ipmasq_rule_check(&rule, &error), -1);
	assert_usage_error(&error, "0-0");
	rule.trigger.ports = (struct ipmasq_ports){6970, 6969};
	assert_int_equal(ipmasq_rule_check(&rule, &error), -1);
	assert_usage_error(&error, "6970-6969");
	rule.trigger.ports.high = 6970;
	assert_int_equal(ipmasq_rule_check(&rule, &error), 0);

	rule = (struct ipmasq_rule){.kind = IPMASQ_PIN};
	assert_int_equal(ipmasq_rule_check(&rule, &error), -1);
	assert_usage_error(&error, "0-0");
	rule.pin.ports = (struct ipmasq_ports){7, 7};
	assert_int_equal(ipmasq_rule_check(&rule, &error), 0);

	rule = (struct ipmasq_rule){.kind = IPMASQ_PROXY};
	assert_int_equal(ipmasq_rule_check(&rule, &error), -1);
	assert_usage_error(&error, "server");
	rule.proxy.server = test_address("10.0.0.1");
	assert_int_equal(ipmasq_rule_check(&rule, &error), 0);

	rule = (struct ipmasq_rule){.kind = IPMASQ_MASQ};
	assert_int_equal(ipmasq_rule_check(&rule, &error), -1);
	assert_usage_error(&error, "net");
	rule.masq.source.address = test_address("10.0.0.0");
	assert_int_equal(ipmasq_rule_check(&rule, &error), 0);

	rule = (struct ipmasq_rule){.kind = IPMASQ_HELPER};
	assert_int_equal(ipmasq_rule_check(&rule, &error), -1);
	assert_usage_error(&error, "name");
	strcpy(rule.helper.name, "ftp");
	assert_int_equal(ipmasq_rule_check(&rule, &error), 0);

	rule.kind = IPMASQ_KINDS;
	assert_int_equal(ipmasq_rule_check(&rule, &error), -1);
	assert_usage_error(&error, "unknown kind");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_the_kind_the_owner_and_every_field_of_the_match),
		cmocka_unit_test(the_pool_is_no_part_of_the_key),
		cmocka_unit_test(rules_are_ordered_by_owner_then_by_match),
		cmocka_unit_test(the_precedence_is_portfw_mfw_autofw_addrfw_then_everybody_else),
		cmocka_unit_test(a_pool_turned_is_the_same_pool),
		cmocka_unit_test(a_pool_in_another_circle_is_another_pool),
		cmocka_unit_test(a_pool_with_a_host_less_is_another_pool),
		cmocka_unit_test(another_weight_port_or_address_is_another_pool),
		cmocka_unit_test(counters_and_the_turn_are_not_compared),
		cmocka_unit_test(a_pool_to_be_restarted_is_never_the_same),
		cmocka_unit_test(bodies_of_other_kinds_are_compared_by_what_the_rule_does),
		cmocka_unit_test(a_copy_owns_its_pool),
		cmocka_unit_test(an_owner_longer_than_fits_is_cut_and_ended),
		cmocka_unit_test(a_new_target_goes_to_the_head_or_to_the_end),
		cmocka_unit_test(
			a_target_that_is_there_gets_the_weight_and_a_reloaded_turn_in_its_place),
		cmocka_unit_test(the_same_host_with_another_port_is_another_target),
		cmocka_unit_test(a_pool_takes_1024_hosts_and_no_more),
		cmocka_unit_test(a_target_is_taken_out_of_any_place),
		cmocka_unit_test(a_redirect_that_is_in_order_passes),
		cmocka_unit_test(a_redirect_that_contradicts_itself_is_refused),
		cmocka_unit_test(every_other_kind_needs_what_it_cannot_do_without),
	};

	return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
