/* SPDX-License-Identifier: BSD-2-Clause */
/* Which helper watches which port, modules, and when a connection gets a helper. */
#include "net.h"
#include <errno.h>
#include <malloc.h>
#include <unistd.h>
#include "helper.h"

static const char port_command[] = "PORT 10,0,0,2,16,1\r\n";

/* Does an inside client's PORT on a new connection from this port get translated? */
static bool watched(struct net *net, uint16_t from, uint16_t port)
{
	build_tcp(net->packet, ENDS(INSIDE, from, REMOTE, port), TH_SYN, 99, 0, NULL, 0);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	build_tcp(net->packet, ENDS(INSIDE, from, REMOTE, port), TH_ACK, 100, 1, port_command,
		  strlen(port_command));
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	return strcmp(packet_text(net->packet), port_command) != 0;
}

static void none_is_there_until_it_is_named(void **state)
{
	struct net *net = *state;

	assert_false(watched(net, 3000, 21));
	assert_int_equal(LibAliasSetHelper(net->la, "ftp", 21, 1), 0);
	assert_true(watched(net, 3001, 21));
	assert_false(watched(net, 3002, 2121));
	assert_int_equal(LibAliasSetHelper(net->la, "ftp", 21, 0), 0);
	assert_false(watched(net, 3003, 21));
}

static void port_0_is_the_default_ports(void **state)
{
	struct net *net = *state;

	assert_int_equal(LibAliasSetHelper(net->la, "ftp", 0, 1), 0);
	assert_true(watched(net, 3000, 21));
	assert_int_equal(LibAliasSetHelper(net->la, "ftp", 0, 0), 0);
	assert_false(watched(net, 3001, 21));
}

static void what_is_no_helper_or_port_is_refused(void **state)
{
	struct net *net = *state;

	errno = 0;
	assert_int_equal(LibAliasSetHelper(net->la, "gopher", 70, 1), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(LibAliasSetHelper(net->la, "ftp", 65536, 1), -1);
	assert_int_equal(errno, EINVAL);
}

static void there_is_an_end_to_ports(void **state)
{
	struct net *net = *state;
	unsigned int port = 3000;

	while (!LibAliasSetHelper(net->la, "ftp", port, 1))
		assert_true(++port < 4000);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(port, 3000 + HELPER_PORTS);
	/* One that is watched already needs no room. */
	assert_int_equal(LibAliasSetHelper(net->la, "ftp", 3000, 1), 0);
	assert_int_equal(LibAliasSetHelper(net->la, "ftp", 3000, 0), 0);
	assert_int_equal(LibAliasSetHelper(net->la, "ftp", port, 1), 0);
}

static void a_module_counts_in_all_instances_there_are_and_will_be(void **state)
{
	struct net *net = *state, *later;
	char path[] = "/usr/lib/libalias_ftp.so", name[] = "ftp";
	void *other;

	assert_int_equal(LibAliasLoadModule(path), 0);
	assert_int_equal(LibAliasLoadModule(name), EEXIST);
	assert_true(watched(net, 3000, 21));
	net_setup(&other);
	later = other;
	assert_true(watched(later, 3000, 21));
	assert_int_equal(LibAliasUnLoadAllModule(), 0);
	assert_false(watched(net, 3001, 21));
	assert_false(watched(later, 3001, 21));
	net_teardown(&other);
}

static void the_modules_are_those_of_freebsd(void **state)
{
	char names[][8] = {"cuseeme", "ftp", "irc", "nbt", "pptp", "skinny", "smedia"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(LibAliasLoadModule(names[i]), 0);
	LibAliasUnLoadAllModule();
}

static void unloading_leaves_what_was_set_by_hand(void **state)
{
	struct net *net = *state;
	char name[] = "alias_ftp";

	assert_int_equal(LibAliasSetHelper(net->la, "ftp", 21, 1), 0);
	assert_int_equal(LibAliasLoadModule(name), 0);
	assert_int_equal(LibAliasUnLoadAllModule(), 0);
	assert_true(watched(net, 3000, 21));
}

static void names_that_are_no_module_are_refused(void **state)
{
	char other[] = "alias_gopher", large[300];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_int_equal(LibAliasLoadModule(other), ENOENT);
	assert_int_equal(LibAliasLoadModule(large), ENOENT);
	assert_int_equal(LibAliasLoadModule(NULL), EINVAL);
}

static void the_list_of_modules_is_read_again(void **state)
{
	struct net *net = *state;
	char path[] = "/tmp/libalias.XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	fputs("# helpers\n\n  /usr/lib/libalias_ftp.so\n#irc\n", file);
	fclose(file);
	assert_int_equal(helper_refresh(path), 0);
	assert_true(watched(net, 3000, 21));
	/* One that is unknown is told, the others are loaded all the same. */
	file = fopen(path, "w");
	fputs("gopher\nftp # for all\n", file);
	fclose(file);
	assert_int_equal(helper_refresh(path), ENOENT);
	assert_true(watched(net, 3001, 21));
	file = fopen(path, "w");
	fclose(file);
	assert_int_equal(helper_refresh(path), 0);
	assert_false(watched(net, 3002, 21));
	unlink(path);
}

static void a_list_that_is_not_there_changes_nothing(void **state)
{
	struct net *net = *state;
	char name[] = "ftp";

	assert_int_equal(LibAliasLoadModule(name), 0);
	assert_int_equal(helper_refresh("/nonexistent/libalias.conf"), ENOENT);
	assert_true(watched(net, 3000, 21));
	LibAliasUnLoadAllModule();
}

static void a_connection_whose_start_was_not_seen_has_no_helper(void **state)
{
	struct net *net = *state;

	LibAliasSetHelper(net->la, "ftp", 21, 1);
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 21), TH_ACK, 100, 1, "NOOP\r\n", 6);
	send_out(net);
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 21), TH_ACK, 106, 1, port_command,
		  strlen(port_command));
	send_out(net);
	assert_string_equal(packet_text(net->packet), port_command);
}

/* Who calls chooses his port; an inside server's answers are no client's commands for that. */
static void a_callers_port_makes_no_server_of_him(void **state)
{
	struct net *net = *state;

	LibAliasSetHelper(net->la, "ftp", 21, 1);
	LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), addr("0.0.0.0"), 0, addr("0.0.0.0"),
			     htons(80), IPPROTO_TCP);
	build_tcp(net->packet, ENDS(REMOTE, 21, ALIAS, 80), TH_SYN, 499, 0, NULL, 0);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	build_tcp(net->packet, ENDS(INSIDE, 80, REMOTE, 21), TH_SYN | TH_ACK, 99, 500, NULL, 0);
	send_out(net);
	build_tcp(net->packet, ENDS(INSIDE, 80, REMOTE, 21), TH_ACK, 100, 500, port_command,
		  strlen(port_command));
	send_out(net);
	assert_string_equal(packet_text(net->packet), port_command);
}

/* The memory of a connection from outside to an inside server that a helper watches. */
static size_t memory_of(struct net *net)
{
	struct view view = {addr(ALIAS).s_addr, addr(REMOTE).s_addr, htons(5060), htons(4000)};
	struct link *link = link_find(net->la, IN, &view, IPPROTO_TCP);

	assert_non_null(link);
	assert_non_null(link->side);
	return malloc_usable_size(link->side);
}

static void syns_from_outside_cost_little_memory(void **state)
{
	struct ends in = ENDS(REMOTE, 4000, ALIAS, 5060), out = ENDS(INSIDE, 5060, REMOTE, 4000);
	struct net *net = *state;

	LibAliasSetHelper(net->la, "sip", 5060, 1);
	LibAliasRedirectPort(net->la, addr(INSIDE), htons(5060), addr("0.0.0.0"), 0,
			     addr("0.0.0.0"), htons(5060), IPPROTO_TCP);
	build_tcp(net->packet, in, TH_SYN, 499, 0, NULL, 0);
	send_in(net);
	build_tcp(net->packet, in, TH_ACK, 500, 4711, "INVITE ", 7);
	send_in(net);
	build_tcp(net->packet, out, TH_SYN | TH_ACK, 99, 500, NULL, 0);
	send_out(net);
	build_tcp(net->packet, in, TH_ACK, 500, 99 + 100000, "INVITE ", 7);
	send_in(net);
	assert_in_range(memory_of(net), 64, 1023);
	build_tcp(net->packet, in, TH_ACK, 500, 100, "INVITE ", 7);
	send_in(net);
	assert_in_range(memory_of(net), 4096, 20000);
}

static void a_connection_with_the_ends_of_an_old_one_begins_anew(void **state)
{
	static const char web[] = "GET / HTTP/1.0\r\n\r\n";
	struct net *net = *state;
	struct ends ends = ENDS(INSIDE, 3000, REMOTE, 21);
	uint32_t seq = 2;

	LibAliasSetHelper(net->la, "ftp", 21, 1);
	tcp_out(net, ends, TH_SYN);
	build_tcp(net->packet, ends, TH_ACK, seq, 1, web, strlen(web));
	send_out(net);
	seq += (uint32_t)strlen(web);
	build_tcp(net->packet, ends, TH_ACK, seq, 1, port_command, strlen(port_command));
	send_out(net);
	assert_string_equal(packet_text(net->packet), port_command);
	tcp_out(net, ends, TH_RST);
	assert_true(watched(net, 3000, 21));
	tcp_out(net, ends, TH_RST);
	/* Lengths that were changed are the old connection's. */
	build_tcp(net->packet, ends, TH_SYN, 5000, 0, NULL, 0);
	send_out(net);
	assert_int_equal(packet_seq(net->packet), 5000);
	build_tcp(net->packet, ends, TH_ACK, 5001, 1, web, strlen(web));
	send_out(net);
	assert_int_equal(packet_seq(net->packet), 5001);
	build_tcp(net->packet, ends, TH_ACK, 5001 + (uint32_t)strlen(web), 1, port_command,
		  strlen(port_command));
	send_out(net);
	assert_string_equal(packet_text(net->packet), port_command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(none_is_there_until_it_is_named),
		net_test(port_0_is_the_default_ports),
		net_test(what_is_no_helper_or_port_is_refused),
		net_test(there_is_an_end_to_ports),
		net_test(a_module_counts_in_all_instances_there_are_and_will_be),
		net_test(the_modules_are_those_of_freebsd),
		net_test(unloading_leaves_what_was_set_by_hand),
		net_test(names_that_are_no_module_are_refused),
		net_test(the_list_of_modules_is_read_again),
		net_test(a_list_that_is_not_there_changes_nothing),
		net_test(a_connection_whose_start_was_not_seen_has_no_helper),
		net_test(a_callers_port_makes_no_server_of_him),
		net_test(syns_from_outside_cost_little_memory),
		net_test(a_connection_with_the_ends_of_an_old_one_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
