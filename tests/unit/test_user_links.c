// SPDX-License-Identifier: GPL-2.0-or-later
/* Links across a restart of the user engine, and files that are none. */
#include "user_lab.h"

#include <errno.h>

static void set_rules(void)
{
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("portfw -A -P udp -L 198.51.100.1 80 -R 10.0.0.2 80");
	lab_ok("proxy -A port 8080 server 192.0.2.80:3128");
}

/* A link of each sort, and a file with them. */
static FILE *saved(void)
{
	FILE *file = tmpfile();

	set_rules();
	lab_becomes(USER_TO_OUTSIDE, IPPROTO_TCP, ENDS(INSIDE, 5000, REMOTE, 22),
		    ENDS(ALIAS, 5000, REMOTE, 22));
	assert_string_equal(lab_served_by(IPPROTO_UDP, 7, 80), INSIDE);
	lab_becomes(USER_FROM_INSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, REMOTE, 8080),
		    ENDS(OTHER, 5000, "192.0.2.80", 3128));
	lab_becomes(USER_TO_OUTSIDE, IPPROTO_TCP, ENDS(OTHER, 5000, "192.0.2.80", 3128),
		    ENDS(ALIAS, 5000, "192.0.2.80", 3128));
	assert_non_null(file);
	assert_int_equal(user_save_links(lab.user, file, &lab.error), 0);
	rewind(file);
	return file;
}

static void restart(unsigned int workers)
{
	lab_close();
	lab_open(workers);
}

static void links_go_on_after_a_restart(void **state)
{
	FILE *file = saved();

	(void)state;
	for (unsigned int workers = 1; workers <= 4; workers += 3) {
		restart(workers);
		set_rules();
		rewind(file);
		assert_int_equal(user_load_links(lab.user, file, &lab.error), 0);
		assert_int_equal(lab_links(), 3);
		lab_becomes(USER_FROM_OUTSIDE, IPPROTO_TCP, ENDS(REMOTE, 22, ALIAS, 5000),
			    ENDS(REMOTE, 22, INSIDE, 5000));
		lab_becomes(USER_TO_OUTSIDE, IPPROTO_UDP, ENDS(INSIDE, 80, REMOTE, 7),
			    ENDS(ALIAS, 80, REMOTE, 7));
		lab_becomes(USER_FROM_OUTSIDE, IPPROTO_TCP, ENDS("192.0.2.80", 3128, ALIAS, 5000),
			    ENDS(REMOTE, 8080, OTHER, 5000));
		/* The forward knows its flow again. */
		lab_ok("portfw -F");
		assert_int_equal(lab_links(), 2);
	}
	fclose(file);
}

static void a_flow_of_a_forward_that_is_gone_is_not_taken_up(void **state)
{
	FILE *file = saved();

	(void)state;
	restart(1);
	lab_ok("masq -A -S 10.0.0.0/24");
	assert_int_equal(user_load_links(lab.user, file, &lab.error), 0);
	assert_string_equal(lab_served_by(IPPROTO_UDP, 7, 80), "");
	fclose(file);
}

static void half_a_file_leaves_nothing_behind(void **state)
{
	FILE *file = saved(), *part;
	uint8_t all[4096];
	size_t size = fread(all, 1, sizeof(all), file);

	(void)state;
	fclose(file);
	restart(2);
	set_rules();
	for (size_t length = 0; length < size; length++) {
		part = tmpfile();
		assert_non_null(part);
		assert_int_equal(fwrite(all, 1, length, part), length);
		rewind(part);
		assert_int_equal(user_load_links(lab.user, part, &lab.error), -1);
		assert_int_equal(lab.error.code, EINVAL);
		fclose(part);
	}
	assert_int_equal(lab_links(), 0);
}

static void a_changed_byte_is_seen(void **state)
{
	FILE *file = saved(), *part;
	uint8_t all[4096];
	size_t size = fread(all, 1, sizeof(all), file);

	(void)state;
	fclose(file);
	restart(1);
	set_rules();
	for (size_t at = 0; at < size; at++) {
		part = tmpfile();
		assert_non_null(part);
		all[at] ^= 0x40;
		assert_int_equal(fwrite(all, 1, size, part), size);
		all[at] ^= 0x40;
		rewind(part);
		assert_int_equal(user_load_links(lab.user, part, &lab.error), -1);
		fclose(part);
	}
	assert_int_equal(lab_links(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		one_worker(links_go_on_after_a_restart),
		one_worker(a_flow_of_a_forward_that_is_gone_is_not_taken_up),
		one_worker(half_a_file_leaves_nothing_behind),
		one_worker(a_changed_byte_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
