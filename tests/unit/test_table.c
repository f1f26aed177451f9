// SPDX-License-Identifier: GPL-2.0-or-later
/* The rule table over an engine in memory: what it asks, what it remembers, what it commits. */
#include "memory_engine.h"
#include "rules.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <ipmasq/table.h>
#include <stdlib.h>

#include "test.h"

static struct memory_engine memory;
static struct ipmasq_table *table;
static struct ipmasq_error error;

/* An engine with three rules: two of portfw, one of mfw. */
static int open_table(void **state)
{
	static const struct {
		const char *owner, *alias;
	} rules[] = {{"portfw", "192.0.2.2"}, {"mfw", "192.0.2.1"}, {"portfw", "192.0.2.1"}};

	(void)state;
	memset(&error, 0, sizeof(error));
	memory_engine_open(&memory);
	for (size_t i = 0; i < N_ELEMENTS(rules); i++) {
		struct ipmasq_rule *rule = test_redirect(rules[i].owner, rules[i].alias, 80);
		struct ipmasq_target target = test_target("10.0.0.1", 80, 10);

		target.counters.packets = 5;
		ipmasq_redirect_put_target(&rule->redirect, &target, true, &error);
		memory_engine_add(&memory, rule);
		ipmasq_rule_free(rule);
	}
	table = ipmasq_table_open(&memory.engine, &error);
	return table ? 0 : -1;
}

static int close_table(void **state)
{
	(void)state;
	ipmasq_table_close(table);
	ipmasq_engine_close(&memory.engine);
	return 0;
}

static const struct ipmasq_rule *find(const char *owner, const char *alias, uint16_t port)
{
	struct ipmasq_rule *key = test_redirect(owner, alias, port);
	const struct ipmasq_rule *found = NULL;

	assert_int_equal(ipmasq_table_find(table, key, &found, &error), 0);
	ipmasq_rule_free(key);
	return found;
}

static void put(const char *alias, uint16_t port, const char *host)
{
	assert_int_equal(ipmasq_table_put(table, test_plain(alias, port, host), &error), 0);
}

static void take_away(const char *alias, uint16_t port)
{
	struct ipmasq_rule *key = test_redirect("portfw", alias, port);

	assert_int_equal(ipmasq_table_remove(table, key, &error), 0);
	ipmasq_rule_free(key);
}

/* What a walk or the changes visited, as text. */
struct visited {
	char text[1024];
	size_t stop_after, n;
};

static void note(struct visited *visited, const char *sign, const struct ipmasq_rule *rule)
{
	char address[IPMASQ_ADDRESS_TEXT];
	size_t length = strlen(visited->text);

	snprintf(visited->text + length, sizeof(visited->text) - length, "%s%s %s %u;", sign,
		 rule->owner, ipmasq_address_text(&rule->redirect.match.alias, address),
		 rule->redirect.match.ports.low);
}

static int note_rule(const struct ipmasq_rule *rule, void *data)
{
	struct visited *visited = data;

	note(visited, "", rule);
	return ++visited->n == visited->stop_after ? 42 : 0;
}

static int note_change(const struct ipmasq_rule *before, const struct ipmasq_rule *after,
		       void *data)
{
	struct visited *visited = data;

	note(visited, !before ? "+" : !after ? "-" : "~", before ? before : after);
	return ++visited->n == visited->stop_after ? 42 : 0;
}

static void assert_walk(const char *owner, const char *text)
{
	struct visited visited = {0};

	assert_int_equal(ipmasq_table_walk(table, owner, note_rule, &visited, &error), 0);
	assert_string_equal(visited.text, text);
}

static void assert_changes(const char *text)
{
	struct visited visited = {0};

	assert_int_equal(ipmasq_table_changes(table, note_change, &visited), 0);
	assert_string_equal(visited.text, text);
}

static void opening_asks_the_engine_nothing(void **state)
{
	(void)state;
	assert_int_equal(memory.n_snapshots + memory.n_gets + memory.n_loads, 0);
	assert_int_equal(ipmasq_table_commit(table, 0, &error), 0);
	assert_int_equal(memory.n_snapshots + memory.n_commits, 0);
}

static void a_rule_is_got_when_it_is_first_asked_for_and_only_then(void **state)
{
	(void)state;
	assert_non_null(find("portfw", "192.0.2.1", 80));
	assert_non_null(find("portfw", "192.0.2.1", 80));
	assert_int_equal(memory.n_gets, 1);
	assert_int_equal(memory.n_loads, 0);
	assert_int_equal(memory.n_snapshots, 1);
	assert_non_null(find("portfw", "192.0.2.2", 80));
	assert_int_equal(memory.n_gets, 2);
	assert_int_equal(memory.n_snapshots, 1);
}

static void a_rule_of_another_key_is_not_found(void **state)
{
	(void)state;
	assert_null(find("portfw", "192.0.2.1", 81));
	assert_null(find("autofw", "192.0.2.1", 80));
	assert_null(find("portfw", "192.0.2.9", 80));
}

static void after_a_load_the_engine_is_not_asked_again(void **state)
{
	(void)state;
	assert_walk(NULL, "portfw 192.0.2.1 80;portfw 192.0.2.2 80;mfw 192.0.2.1 80;");
	assert_null(find("portfw", "192.0.2.9", 80));
	assert_non_null(find("mfw", "192.0.2.1", 80));
	assert_walk("mfw", "mfw 192.0.2.1 80;");
	assert_int_equal(memory.n_gets, 0);
	assert_int_equal(memory.n_loads, 1);
}

static void traffic_counters_come_only_when_they_are_wanted(void **state)
{
	(void)state;
	assert_walk("mfw", "mfw 192.0.2.1 80;");
	assert_int_equal(find("mfw", "192.0.2.1", 80)->redirect.targets[0].counters.packets, 0);
	ipmasq_table_close(table);
	table = ipmasq_table_open(&memory.engine, &error);
	ipmasq_table_want_counters(table);
	assert_walk("mfw", "mfw 192.0.2.1 80;");
	assert_int_equal(find("mfw", "192.0.2.1", 80)->redirect.targets[0].counters.packets, 5);
}

static void a_walk_visits_one_owner_in_order(void **state)
{
	(void)state;
	put("192.0.2.1", 79, "10.0.0.1");
	put("2001:db8::1", 1, "2001:db8::2");
	put("0.0.0.0", 80, "10.0.0.1");
	assert_walk("portfw", "portfw 0.0.0.0 80;portfw 192.0.2.1 79;portfw 192.0.2.1 80;"
			      "portfw 192.0.2.2 80;portfw 2001:db8::1 1;");
	assert_walk("nobody", "");
}

static void a_walk_ends_with_what_the_visitor_says(void **state)
{
	struct visited visited = {.stop_after = 2};

	(void)state;
	assert_int_equal(ipmasq_table_walk(table, NULL, note_rule, &visited, &error), 42);
	assert_int_equal(visited.n, 2);
}

static void a_walk_leaves_out_what_was_removed(void **state)
{
	(void)state;
	take_away("192.0.2.1", 80);
	assert_walk("portfw", "portfw 192.0.2.2 80;");
	assert_null(find("portfw", "192.0.2.1", 80));
}

static void a_rule_that_was_put_is_found_and_nothing_is_committed_yet(void **state)
{
	(void)state;
	put("192.0.2.9", 80, "10.0.0.7");
	assert_int_equal(find("portfw", "192.0.2.9", 80)->redirect.targets[0].address.bytes[3], 7);
	assert_int_equal(memory.n_rules, 3);
	assert_changes("+portfw 192.0.2.9 80;");
}

static void a_commit_makes_the_engine_the_table(void **state)
{
	(void)state;
	put("192.0.2.9", 80, "10.0.0.7");
	put("192.0.2.1", 80, "10.0.0.8");
	take_away("192.0.2.2", 80);
	assert_changes("~portfw 192.0.2.1 80;-portfw 192.0.2.2 80;+portfw 192.0.2.9 80;");
	assert_int_equal(ipmasq_table_commit(table, 0, &error), 0);
	assert_int_equal(memory.n_changes, 3);
	ipmasq_table_close(table);
	table = ipmasq_table_open(&memory.engine, &error);
	assert_walk(NULL, "portfw 192.0.2.1 80;portfw 192.0.2.9 80;mfw 192.0.2.1 80;");
	assert_int_equal(find("portfw", "192.0.2.1", 80)->redirect.targets[0].address.bytes[3], 8);
}

static void only_differences_are_committed(void **state)
{
	(void)state;
	put("192.0.2.1", 80, "10.0.0.1"); /* as it is */
	put("192.0.2.2", 80, "10.0.0.2"); /* and back */
	put("192.0.2.2", 80, "10.0.0.1");
	put("192.0.2.9", 80, "10.0.0.1"); /* come and gone */
	take_away("192.0.2.9", 80);
	assert_changes("");
	assert_int_equal(ipmasq_table_commit(table, 0, &error), 0);
	assert_int_equal(memory.n_commits, 0);
}

static void a_rule_removed_and_put_again_is_no_difference(void **state)
{
	(void)state;
	take_away("192.0.2.1", 80);
	assert_changes("-portfw 192.0.2.1 80;");
	put("192.0.2.1", 80, "10.0.0.1");
	assert_changes("");
	put("192.0.2.1", 80, "10.0.0.3");
	assert_changes("~portfw 192.0.2.1 80;");
}

static void a_pool_that_only_turned_is_no_difference(void **state)
{
	static const char *const hosts[] = {"10.0.0.1", "10.0.0.2"};
	static const char *const turned[] = {"10.0.0.2", "10.0.0.1"};
	struct ipmasq_rule *rule = test_pool("192.0.2.7", 80, hosts, 2);

	(void)state;
	memory_engine_add(&memory, rule);
	ipmasq_rule_free(rule);
	rule = test_pool("192.0.2.7", 80, turned, 2);
	assert_int_equal(ipmasq_table_put(table, rule, &error), 0);
	assert_changes("");
	rule = test_pool("192.0.2.7", 80, turned, 2);
	rule->redirect.restart = true;
	assert_int_equal(ipmasq_table_put(table, rule, &error), 0);
	assert_changes("~portfw 192.0.2.7 80;");
}

static void removing_what_is_not_there_is_no_error(void **state)
{
	(void)state;
	take_away("192.0.2.9", 80);
	assert_changes("");
}

static void clearing_an_owner_leaves_the_others(void **state)
{
	(void)state;
	put("192.0.2.9", 80, "10.0.0.1");
	assert_int_equal(ipmasq_table_clear(table, "portfw", &error), 0);
	assert_walk(NULL, "mfw 192.0.2.1 80;");
	assert_changes("-portfw 192.0.2.1 80;-portfw 192.0.2.2 80;");
	assert_int_equal(ipmasq_table_commit(table, 0, &error), 0);
	assert_int_equal(memory.n_rules, 1);
}

static void clearing_every_owner_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(ipmasq_table_clear(table, NULL, &error), 0);
	assert_walk(NULL, "");
	assert_int_equal(ipmasq_table_commit(table, 0, &error), 0);
	assert_int_equal(memory.n_rules, 0);
}

static void a_load_does_not_undo_what_was_done_before_it(void **state)
{
	(void)state;
	put("192.0.2.1", 80, "10.0.0.9");
	take_away("192.0.2.2", 80);
	assert_walk("portfw", "portfw 192.0.2.1 80;");
	assert_int_equal(find("portfw", "192.0.2.1", 80)->redirect.targets[0].address.bytes[3], 9);
	assert_changes("~portfw 192.0.2.1 80;-portfw 192.0.2.2 80;");
}

static void a_rule_that_contradicts_itself_does_not_get_in(void **state)
{
	struct ipmasq_rule *rule = test_plain("192.0.2.9", 80, "0.0.0.0");

	(void)state;
	assert_int_equal(ipmasq_table_put(table, rule, &error), -1);
	assert_usage_error(&error, "'0.0.0.0'");
	assert_changes("");
	assert_null(find("portfw", "192.0.2.9", 80));
}

static void a_writer_that_comes_before_the_commit_makes_it_begin_again(void **state)
{
	(void)state;
	put("192.0.2.9", 80, "10.0.0.7");
	memory.n_conflicts = 1;
	assert_int_equal(ipmasq_table_commit(table, 0, &error), -1);
	assert_int_equal(error.code, EAGAIN);
	assert_int_equal(memory.n_rules, 3);
	ipmasq_table_close(table);
	table = ipmasq_table_open(&memory.engine, &error);
	put("192.0.2.9", 80, "10.0.0.7");
	assert_int_equal(ipmasq_table_commit(table, 0, &error), 0);
	assert_int_equal(memory.n_rules, 4);
}

static void a_writer_that_comes_between_two_reads_is_noticed(void **state)
{
	struct ipmasq_rule *key = test_redirect("portfw", "192.0.2.2", 80);
	const struct ipmasq_rule *found;
	struct visited visited = {0};

	(void)state;
	assert_non_null(find("portfw", "192.0.2.1", 80));
	memory.generation++;
	assert_int_equal(ipmasq_table_find(table, key, &found, &error), -1);
	assert_int_equal(error.code, EAGAIN);
	error.code = 0;
	assert_int_equal(ipmasq_table_walk(table, NULL, note_rule, &visited, &error), -1);
	assert_int_equal(error.code, EAGAIN);
	error.code = 0;
	assert_int_equal(ipmasq_table_clear(table, NULL, &error), -1);
	assert_int_equal(error.code, EAGAIN);
	ipmasq_rule_free(key);
}

static void the_commit_flags_reach_the_engine(void **state)
{
	(void)state;
	take_away("192.0.2.1", 80);
	assert_int_equal(ipmasq_table_commit(table, IPMASQ_COMMIT_KILL, &error), 0);
	assert_int_equal(memory.commit_flags, IPMASQ_COMMIT_KILL);
}

static void changes_end_with_what_the_visitor_says(void **state)
{
	struct visited visited = {.stop_after = 1};

	(void)state;
	assert_int_equal(ipmasq_table_clear(table, NULL, &error), 0);
	assert_int_equal(ipmasq_table_changes(table, note_change, &visited), 42);
	assert_int_equal(visited.n, 1);
}

static void ten_thousand_rules_are_told_apart(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 10000; i++) {
		char alias[32];

		snprintf(alias, sizeof(alias), "198.51.%u.%u", i % 100, i / 100);
		put(alias, (uint16_t)(i % 7 + 1), "10.0.0.1");
	}
	for (unsigned int i = 0; i < 10000; i++) {
		char alias[32];

		snprintf(alias, sizeof(alias), "198.51.%u.%u", i % 100, i / 100);
		assert_non_null(find("portfw", alias, (uint16_t)(i % 7 + 1)));
		if (i % 2)
			take_away(alias, (uint16_t)(i % 7 + 1));
	}
	assert_int_equal(ipmasq_table_commit(table, 0, &error), 0);
	assert_int_equal(memory.n_changes, 5000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_table, close_table)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(opening_asks_the_engine_nothing),
		TEST(a_rule_is_got_when_it_is_first_asked_for_and_only_then),
		TEST(a_rule_of_another_key_is_not_found),
		TEST(after_a_load_the_engine_is_not_asked_again),
		TEST(traffic_counters_come_only_when_they_are_wanted),
		TEST(a_walk_visits_one_owner_in_order),
		TEST(a_walk_ends_with_what_the_visitor_says),
		TEST(a_walk_leaves_out_what_was_removed),
		TEST(a_rule_that_was_put_is_found_and_nothing_is_committed_yet),
		TEST(a_commit_makes_the_engine_the_table),
		TEST(only_differences_are_committed),
		TEST(a_rule_removed_and_put_again_is_no_difference),
		TEST(a_pool_that_only_turned_is_no_difference),
		TEST(removing_what_is_not_there_is_no_error),
		TEST(clearing_an_owner_leaves_the_others),
		TEST(clearing_every_owner_leaves_nothing),
		TEST(a_load_does_not_undo_what_was_done_before_it),
		TEST(a_rule_that_contradicts_itself_does_not_get_in),
		TEST(a_writer_that_comes_before_the_commit_makes_it_begin_again),
		TEST(a_writer_that_comes_between_two_reads_is_noticed),
		TEST(the_commit_flags_reach_the_engine),
		TEST(changes_end_with_what_the_visitor_says),
		TEST(ten_thousand_rules_are_told_apart),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
