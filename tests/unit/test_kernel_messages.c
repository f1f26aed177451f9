// SPDX-License-Identifier: GPL-2.0-or-later
/* What somebody who typed a command is told when the kernel refuses a change. */
#include "fake_kernel.h"
#include "rules.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <ipmasq/table.h>
#include <linux/netfilter/nf_tables.h>

#include "test.h"

static struct ipmasq_engine *engine;
static struct ipmasq_error error;

static void no_table_is_there(uint16_t type)
{
	fake_kernel_answer_end(type == NFT_MSG_GETGEN ? 0 : ENOENT);
}

static int open_engine(void **state)
{
	(void)state;
	fake_kernel_reset();
	fake_kernel_on_request(no_table_is_there);
	engine = ipmasq_engine_kernel(&error);
	return engine ? 0 : -1;
}

static int close_engine(void **state)
{
	(void)state;
	ipmasq_engine_close(engine);
	fake_kernel_reset();
	return 0;
}

/* Commits a new forward, which the kernel refuses with this code. */
static void is_refused(int code)
{
	struct ipmasq_table *table = ipmasq_table_open(engine, &error);

	assert_non_null(table);
	memset(&error, 0, sizeof(error));
	fake_kernel_refuse(code);
	assert_int_equal(ipmasq_table_put(table, test_plain("192.0.2.1", 80, "10.0.0.1"), &error),
			 0);
	assert_int_equal(ipmasq_table_commit(table, 0, &error), -1);
	assert_int_equal(error.status, IPMASQ_FAILED);
	ipmasq_table_close(table);
}

static void a_kernel_without_a_part_of_nf_tables_is_said_to_be_so(void **state)
{
	static const int codes[] = {EPROTONOSUPPORT, EAFNOSUPPORT, EINVAL, EOPNOTSUPP};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(codes); i++) {
		is_refused(codes[i]);
		assert_int_equal(error.code, codes[i]);
		assert_contains(error.text, "this kernel cannot do it");
		assert_contains(error.text, "CONFIG_NFT_NAT");
	}
}

static void a_missing_right_is_named(void **state)
{
	(void)state;
	is_refused(EPERM);
	assert_contains(error.text, "no permission: CAP_NET_ADMIN is needed; run it as root");
}

static void a_message_too_long_for_a_user_is_said_to_be_so(void **state)
{
	(void)state;
	is_refused(EMSGSIZE);
	assert_contains(error.text, "too many changes for one transaction of an unprivileged user");
	assert_contains(error.text, "net.core.wmem_max");
}

static void a_writer_that_came_between_is_a_reason_to_begin_again(void **state)
{
	(void)state;
	is_refused(ERESTART);
	assert_int_equal(error.code, EAGAIN);
	assert_contains(error.text, "other programs change the ruleset all the time; try again");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_kernel_without_a_part_of_nf_tables_is_said_to_be_so, open_engine,
			close_engine),
		cmocka_unit_test_setup_teardown(a_missing_right_is_named, open_engine,
						close_engine),
		cmocka_unit_test_setup_teardown(a_message_too_long_for_a_user_is_said_to_be_so,
						open_engine, close_engine),
		cmocka_unit_test_setup_teardown(
			a_writer_that_came_between_is_a_reason_to_begin_again, open_engine,
			close_engine),
	};

	return cmocka_run_group_tests_name("kernel messages", tests, NULL, NULL);
}
