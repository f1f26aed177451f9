// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules to their one line of text and back. */
#include <errno.h>
#include <ipmasq/rule.h>

#include "rule_text.h"
#include "test.h"

static const char *const texts[] = {
	"redirect tcp 0.0.0.0 ports 6000-6010 to 10.0.0.11",
	"redirect udp 192.0.2.1 ports 7000-7009 to 10.0.0.11 port 9",
	"redirect gre 192.0.2.1 to 10.0.0.11",
	"redirect any 2001:db8::1 to fd00::11",
	"redirect 99 0.0.0.0 to 10.0.0.11",
	"trigger tcp 7070 opens udp 6970-7170",
	"trigger tcp 554 opens udp 6970-7170 insecure permanent",
	"pin udp 6970-7170",
	"proxy 0 any server 10.0.0.2",
	"proxy 10 tcp port 80 from 10.0.0.0/24 to 0.0.0.0/0 server 10.0.0.2 port 3128",
	"proxy 4294967295 udp from fd00::/64 server fd00::2 port 53",
	"masq 10.0.0.0/24",
	"masq 10.0.0.11/32 proto esp out ppp0 as 192.0.2.1",
	"masq fd00::/64 as 2001:db8::1",
	"helper ftp 21",
	"helper sip 5060,5061,65535",
};

static void a_rule_goes_to_text_and_back(void **state)
{
	char text[RULE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		struct ipmasq_rule *rule = rule_of_text("owner", texts[i]), *again;

		assert_non_null(rule);
		assert_string_equal(rule->owner, "owner");
		assert_int_equal(rule_text(rule, text), 0);
		assert_string_equal(text, texts[i]);
		again = rule_of_text("owner", text);
		assert_non_null(again);
		assert_true(ipmasq_rule_same_key(rule, again));
		assert_true(ipmasq_rule_same_body(rule, again));
		ipmasq_rule_free(rule);
		ipmasq_rule_free(again);
	}
}

static void no_two_texts_are_the_same_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		for (size_t k = 0; k < N_ELEMENTS(texts); k++) {
			struct ipmasq_rule *a = rule_of_text("o", texts[i]);
			struct ipmasq_rule *b = rule_of_text("o", texts[k]);

			assert_int_equal(ipmasq_rule_same_key(a, b), i == k);
			ipmasq_rule_free(a);
			ipmasq_rule_free(b);
		}
	}
}

static void every_beginning_of_a_text_is_harmless(void **state)
{
	char cut[RULE_TEXT_MAX], text[RULE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		for (size_t length = 0; length < strlen(texts[i]); length++) {
			struct ipmasq_rule *rule;

			memcpy(cut, texts[i], length);
			cut[length] = '\0';
			rule = rule_of_text("o", cut);
			assert_true(rule || errno == EINVAL);
			assert_true(!rule || rule_text(rule, text) == 0);
			ipmasq_rule_free(rule);
		}
	}
}

static void what_is_no_rule_gives_none(void **state)
{
	static const char *const wrong[] = {
		"",
		"nothing",
		"redirect",
		"redirect tcp 0.0.0.0 ports 10-5 to 10.0.0.1",
		"redirect tcp 0.0.0.0 ports 5 to 10.0.0.1",
		"redirect tcp 0.0.0.0 ports 5-70000 to 10.0.0.1",
		"redirect tcp 0.0.0.0 to fd00::1",
		"redirect tcp 0.0.0.0 to 10.0.0.1 extra",
		"redirect any 0.0.0.0 ports 5-6 to 10.0.0.1",
		"trigger tcp 0 opens udp 1-2",
		"trigger tcp 5 opens udp 0-2",
		"trigger tcp 5 opens udp 1-2 permanent insecure",
		"pin udp",
		"proxy -1 any server 10.0.0.2",
		"proxy 0 any server",
		"masq 10.0.0.0/33",
		"masq 10.0.0.0/24 out anameofmorethan15",
		"masq 10.0.0.0/24 as fd00::1",
		"helper",
		"helper anameofmorethan15letters 21",
		/* longer than a comment */
		("masq 10.0.0.0/24                                                               "
		 "                                                                 "),
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
		errno = 0;
		assert_null(rule_of_text("o", wrong[i]));
		assert_int_equal(errno, EINVAL);
	}
}

static void a_rule_that_does_not_fit_is_refused(void **state)
{
	struct ipmasq_rule *rule = rule_of_text(
		"o", "proxy 4294967295 tcp port 65535 from fd00::/64 server fd00::2 port 65535");
	char text[RULE_TEXT_MAX];

	(void)state;
	assert_non_null(rule);
	assert_int_equal(rule_text(rule, text), 0);
	memset(rule->proxy.source.address.bytes, 0xfd, 16);
	memset(rule->proxy.server.bytes, 0xfd, 16);
	rule->proxy.destination = rule->proxy.source;
	assert_int_equal(rule_text(rule, text), -1);
	ipmasq_rule_free(rule);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_goes_to_text_and_back),
		cmocka_unit_test(no_two_texts_are_the_same_rule),
		cmocka_unit_test(every_beginning_of_a_text_is_harmless),
		cmocka_unit_test(what_is_no_rule_gives_none),
		cmocka_unit_test(a_rule_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests_name("rule_text", tests, NULL, NULL);
}
