// SPDX-License-Identifier: GPL-2.0-or-later
/* The user engine as a store of rules: conflicts, all or nothing, explanations, and many threads.
 */
#include "user_lab.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "rules.h"

/* How many more allocations succeed; negative: all.  The linker's --wrap sends them here. */
static int allocations_left = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool fails(void)
{
	if (allocations_left < 0)
		return false;
	if (allocations_left > 0) {
		allocations_left--;
		return false;
	}
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

static void put(struct ipmasq_table *table, struct ipmasq_rule *rule)
{
	assert_int_equal(ipmasq_table_put(table, rule, &lab.error), 0);
}

static void a_commit_in_between_is_a_conflict(void **state)
{
	struct ipmasq_engine *view = user_view(lab.user);
	struct ipmasq_table *table = ipmasq_table_open(view, &lab.error);

	(void)state;
	put(table, test_plain("198.51.100.1", 80, "10.0.0.2"));
	lab_ok("portfw -A -P tcp -L 198.51.100.1 81 -R 10.0.0.2 81");
	assert_int_equal(ipmasq_table_commit(table, 0, &lab.error), -1);
	assert_int_equal(lab.error.code, EAGAIN);
	ipmasq_table_close(table);
	lab_rules("portfw", "portfw -A -P tcp -L 198.51.100.1 81 -R 10.0.0.2 81\n");
	table = ipmasq_table_open(view, &lab.error);
	put(table, test_plain("198.51.100.1", 80, "10.0.0.2"));
	assert_int_equal(ipmasq_table_commit(table, 0, &lab.error), 0);
	ipmasq_table_close(table);
	ipmasq_engine_close(view);
	assert_string_equal(lab_served_by(IPPROTO_TCP, 1, 80), INSIDE);
}

static void one_refused_rule_refuses_all(void **state)
{
	struct ipmasq_table *table = ipmasq_table_open(lab.engine, &lab.error);

	(void)state;
	put(table, test_plain("198.51.100.1", 80, "10.0.0.2"));
	put(table, test_plain("2001:db8::1", 80, "fd00::2"));
	assert_int_equal(ipmasq_table_commit(table, 0, &lab.error), -1);
	assert_int_equal(lab.error.code, EOPNOTSUPP);
	ipmasq_table_close(table);
	lab_rules("portfw", "");
	assert_string_equal(lab_served_by(IPPROTO_TCP, 1, 80), "");
}

/* One of each kind, and a change of each. */
static const char *const before[] = {
	"portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80",
	"masq -A -S 10.0.0.0/24",
	"proxy -A port 8080 server 10.0.0.2",
	"helper -A ftp",
	"autofw -A -r udp 6970 7170 -c tcp 7070",
};

static const char *const after[] = {
	"portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.3 80",
	"masq -A -S 10.0.0.0/24 -M 198.51.100.9",
	"proxy -A port 8080 server 10.0.0.3",
	"helper -A ftp ports=2121",
	"autofw -A -r udp 6970 7170 -c tcp 7070 -i",
	"autofw -A -r tcp 100 200 -h 10.0.0.3",
	"addrfw -A -L 198.51.100.7 -R 10.0.0.7",
	"masq -A -S 10.1.0.0/16",
};

#define N(list) (sizeof(list) / sizeof((list)[0]))

/* All that `before` means still holds, and nothing of `after`; ports are new each time. */
static void assert_before(uint16_t port)
{
	lab_rules("portfw", "portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80\n");
	lab_rules("masq", "masq -A -S 10.0.0.0/24\n");
	lab_rules("proxy", "proxy -A port 8080 server 10.0.0.2\n");
	lab_rules("helper", "helper -A ftp\n");
	lab_rules("autofw", "autofw -A -r udp 6970 7170 -c tcp 7070\n");
	lab_rules("addrfw", "");
	assert_string_equal(lab_served_by(IPPROTO_TCP, port, 80), INSIDE);
	assert_string_equal(lab_served_by(IPPROTO_TCP, port, 150), "");
	lab_becomes(USER_TO_OUTSIDE, IPPROTO_UDP, ENDS(INSIDE, port, REMOTE, 1),
		    ENDS(ALIAS, port, REMOTE, 1));
	lab_becomes(USER_TO_OUTSIDE, IPPROTO_UDP, ENDS("10.1.0.7", port, REMOTE, 1),
		    ENDS("10.1.0.7", port, REMOTE, 1));
	lab_becomes(USER_FROM_INSIDE, IPPROTO_UDP, ENDS("10.0.0.9", port, REMOTE, 8080),
		    ENDS("10.0.0.9", port, INSIDE, 8080));
}

static void make_before(void)
{
	static const char *const flush[] = {"portfw -F", "masq -F",   "proxy -F",
					    "helper -F", "autofw -F", "addrfw -F"};

	for (size_t i = 0; i < N(flush); i++)
		lab_ok(flush[i]);
	for (size_t i = 0; i < N(before); i++)
		lab_ok(before[i]);
}

/* How often the line was refused for want of memory before there was enough. */
static unsigned int refusals(const char *line, uint16_t *port)
{
	unsigned int n = 0;

	lab.allocations = &allocations_left;
	for (lab.allow = 0; lab_run(line) != IPMASQ_OK; lab.allow++) {
		assert_int_equal(lab.error.code, ENOMEM);
		assert_in_range(++n, 1, 1000);
		lab.allocations = NULL;
		assert_before((*port)++);
		lab.allocations = &allocations_left;
	}
	lab.allocations = NULL;
	return n;
}

/* Every allocation of a commit fails once: then it is told, and nothing was done. */
static void without_memory_nothing_is_done(void **state)
{
	uint16_t port = 10000;

	(void)state;
	make_before();
	assert_before(port++);
	for (size_t i = 0; i < N(after); i++) {
		assert_in_range(refusals(after[i], &port), 2, 1000);
		make_before();
		assert_before(port++);
	}
}

static void a_packet_names_its_rule(void **state)
{
	struct user_packet packet = {.data = lab.packet, .size = sizeof(lab.packet)};

	(void)state;
	lab_ok("portfw -A -P tcp -L 0.0.0.0 80 -R 10.0.0.2 80");
	lab_ok("masq -A -S 10.0.0.0/24");
	lab_ok("proxy -A port 80 server 10.0.0.2");
	build_tcp(lab.packet, ENDS(CLIENT, 1, ALIAS, 80), TH_SYN, 1, 0, NULL, 0);
	packet.hook = USER_FROM_OUTSIDE;
	user_explain(lab.user, user_worker_of(lab.user, lab.packet, 40, USER_FROM_OUTSIDE),
		     &packet);
	assert_int_equal(packet.verdict, USER_CHANGED);
	assert_string_equal(packet.rule->owner, "portfw");
	build_tcp(lab.packet, ENDS(INSIDE, 1, REMOTE, 99), TH_SYN, 1, 0, NULL, 0);
	packet.hook = USER_TO_OUTSIDE;
	user_explain(lab.user, user_worker_of(lab.user, lab.packet, 40, USER_TO_OUTSIDE), &packet);
	assert_string_equal(packet.rule->owner, "masq");
	build_tcp(lab.packet, ENDS(OTHER, 1, REMOTE, 80), TH_SYN, 1, 0, NULL, 0);
	packet.hook = USER_FROM_INSIDE;
	user_explain(lab.user, user_worker_of(lab.user, lab.packet, 40, USER_FROM_INSIDE), &packet);
	assert_string_equal(packet.rule->owner, "proxy");
	build_tcp(lab.packet, ENDS(CLIENT, 1, ALIAS, 99), TH_SYN, 1, 0, NULL, 0);
	packet.hook = USER_FROM_OUTSIDE;
	user_explain(lab.user, user_worker_of(lab.user, lab.packet, 40, USER_FROM_OUTSIDE),
		     &packet);
	assert_int_equal(packet.verdict, USER_KEEP);
	assert_null(packet.rule);
}

static void hooks_are_asked_for_when_rules_need_them(void **state)
{
	unsigned int outside = 1u << USER_FROM_OUTSIDE | 1u << USER_TO_OUTSIDE;
	unsigned int inside = 1u << USER_FROM_INSIDE | 1u << USER_TO_INSIDE;

	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	assert_int_equal(user_hooks(lab.user), outside);
	lab_ok("helper -A ftp");
	assert_int_equal(user_hooks(lab.user), outside | inside);
	lab_ok("helper -F");
	lab_ok("portfw -A -P tcp -L 198.51.100.1 80 -R 10.0.0.2 80");
	assert_int_equal(user_hooks(lab.user), outside | inside);
	lab_ok("addrfw -A -L 198.51.100.7 -R 10.0.0.7");
	assert_int_equal(user_hooks(lab.user), outside | inside | USER_HOOK_INSIDE_ANYWHERE);
	lab_ok("addrfw -F");
	lab_ok("portfw -F");
	assert_int_equal(user_hooks(lab.user), outside);
}

/* The kernel's jhash of 203.0.113.7 and 192.0.2.1; see the nft expression in user.h. */
static void an_icmp_error_goes_where_its_conversation_is(void **state)
{
	uint8_t quoted[128];
	unsigned int worker;
	char remote[32];

	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	for (int i = 1; i < 40; i++) {
		snprintf(remote, sizeof(remote), "203.0.113.%d", i);
		lab_udp(USER_TO_OUTSIDE, ENDS(INSIDE, 5000, remote, 53));
		memcpy(quoted, lab.packet, sizeof(quoted));
		worker = user_worker_of(lab.user, lab.packet, 33, USER_TO_OUTSIDE);
		build_error(lab.packet, ICMP_UNREACH, "192.0.2.200", ALIAS, quoted, 28);
		assert_int_equal(user_worker_of(lab.user, lab.packet, total_length(lab.packet),
						USER_FROM_OUTSIDE),
				 worker);
		assert_int_equal(lab_send(USER_FROM_OUTSIDE), USER_CHANGED);
		assert_memory_equal(lab.packet + 16, &(struct in_addr){addr(INSIDE).s_addr}, 4);
	}
}

static void malformed_packets_pass_untouched(void **state)
{
	struct user_packet packets[3] = {{.data = lab.packet, .size = 0},
					 {.data = lab.packet, .size = 19},
					 {.data = lab.packet, .size = 40}};

	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	for (uint8_t hook = 0; hook < USER_HOOKS; hook++) {
		build_udp(lab.packet, ENDS(INSIDE, 1, REMOTE, 1), "hello", 5);
		lab.packet[3] = 200; /* longer than the buffer */
		for (int i = 0; i < 3; i++) {
			packets[i].hook = hook;
			packets[i].verdict = USER_CHANGED;
		}
		user_translate(lab.user, 0, packets, 3);
		for (int i = 0; i < 3; i++)
			assert_int_equal(packets[i].verdict, USER_KEEP);
	}
}

static atomic_bool stop;

struct sender {
	unsigned int number, wrong;
	atomic_uint rounds;
};

/* Packets of one worker, until told to stop; how many were not translated as they should be. */
static void *translate_for_ever(void *arg)
{
	static uint8_t buffers[4][64][64];
	struct sender *sender = arg;
	struct user_packet packets[64];

	for (unsigned int i = 0; i < 64; i++)
		packets[i] = (struct user_packet){
			.data = buffers[sender->number][i], .size = 64, .hook = USER_TO_OUTSIDE};
	while (!atomic_load(&stop)) {
		for (uint16_t i = 0; i < 64; i++)
			build_udp(buffers[sender->number][i],
				  ENDS(INSIDE, (uint16_t)(2000 + i), REMOTE, 53), "hello", 5);
		user_translate(lab.user, sender->number, packets, 64);
		for (unsigned int i = 0; i < 64; i++)
			sender->wrong += packets[i].verdict != USER_CHANGED;
		atomic_fetch_add(&sender->rounds, 1);
	}
	return NULL;
}

static void wait_for_round(struct sender *sender)
{
	unsigned int seen = atomic_load(&sender->rounds);

	while (atomic_load(&sender->rounds) == seen)
		sched_yield();
}

static void changes_disturb_no_packet(void **state)
{
	struct sender senders[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
	pthread_t threads[4];
	char line[128];

	(void)state;
	lab_ok("masq -A -S 10.0.0.0/24");
	atomic_store(&stop, false);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, translate_for_ever, &senders[i]),
				 0);
	for (int i = 0; i < 500; i++) {
		snprintf(line, sizeof(line), "portfw -%c -P udp -L 0.0.0.0 %d -R 10.0.0.2 7",
			 i % 3 == 2 ? 'D' : 'A', 1000 + i / 3);
		lab_ok(line);
		if (i % 50 == 0)
			lab_ok(i % 100 ? "masq -A -S 10.0.0.0/16" : "masq -A -S 10.0.0.0/8");
		/* However the machine shares its time out, each worker sees changes. */
		if (i % 50 == 0)
			wait_for_round(&senders[i / 50 % 4]);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_true(senders[i].rounds > 1);
		assert_int_equal(senders[i].wrong, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		four_workers(a_commit_in_between_is_a_conflict),
		four_workers(one_refused_rule_refuses_all),
		four_workers(without_memory_nothing_is_done),
		four_workers(a_packet_names_its_rule),
		four_workers(hooks_are_asked_for_when_rules_need_them),
		four_workers(an_icmp_error_goes_where_its_conversation_is),
		four_workers(malformed_packets_pass_untouched),
		four_workers(changes_disturb_no_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
