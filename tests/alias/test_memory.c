/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the system has no memory for tables.  mmap() is replaced by one that gives out only so many
 * mappings, the only double here: no real system can be made to fail at a given place.
 */
#include "net.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int mappings_left = -1; /* -1: any number */

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (!mappings_left) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	if (mappings_left > 0)
		mappings_left--;
	return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}

static int flow_out(struct net *net, uint32_t i)
{
	char host[32];

	snprintf(host, sizeof(host), "10.%u.%u.2", i / 50000, i / 250 % 200);
	build_udp(net->packet, ENDS(host, (uint16_t)(4000 + i % 250), REMOTE, 53), "x", 1);
	return LibAliasOut(net->la, net->packet, 64);
}

static void without_memory_there_is_no_instance(void **state)
{
	struct libalias *la = NULL;
	int failed = 0;

	(void)state;
	for (int budget = 0; !la; budget++) {
		mappings_left = budget;
		errno = 0;
		la = LibAliasInit(NULL);
		if (!la)
			assert_int_equal(errno, ENOMEM);
		failed += !la;
	}
	mappings_left = -1;
	assert_true(failed > 0);
	LibAliasUninit(la);
}

static void without_memory_new_links_are_refused_and_the_old_ones_work(void **state)
{
	struct net *net = *state;
	struct alias_stats stats;

	for (int budget = 0; budget < 12; budget++) {
		uint32_t made = 0;

		LibAliasReset(net->la);
		mappings_left = budget;
		while (made < 40000 && flow_out(net, made) == PKT_ALIAS_OK)
			made++;
		LibAliasGetStats(net->la, &stats);
		assert_int_equal(stats.links, made);
		for (uint32_t i = 0; i < made; i++)
			assert_int_equal(flow_out(net, i), PKT_ALIAS_OK);
		LibAliasGetStats(net->la, &stats);
		assert_int_equal(stats.links, made);
		mappings_left = -1;
		assert_int_equal(flow_out(net, 40001), PKT_ALIAS_OK);
	}
	LibAliasGetStats(net->la, &stats);
	assert_true(stats.refused_memory > 0);
}

static void without_memory_redirects_are_refused_whole(void **state)
{
	struct in_addr any = {0};
	struct net *net = *state;
	struct alias_stats stats;
	unsigned int made = 0;
	uint16_t port;

	mappings_left = 1;
	for (port = 1; port < 65535; port++) {
		if (!LibAliasRedirectPort(net->la, addr(INSIDE), htons(80), any, 0, any,
					  htons(port), IPPROTO_TCP))
			break;
		made++;
	}
	mappings_left = -1;
	LibAliasGetStats(net->la, &stats);
	assert_int_equal(stats.redirects, made);
	assert_true(made < 65534);
	deny_incoming(net);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 1, ALIAS, port), TH_SYN), PKT_ALIAS_IGNORED);
	if (made)
		assert_int_equal(tcp_in(net, ENDS(REMOTE, 1, ALIAS, (uint16_t)made), TH_SYN),
				 PKT_ALIAS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory_there_is_no_instance),
		net_test(without_memory_new_links_are_refused_and_the_old_ones_work),
		net_test(without_memory_redirects_are_refused_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
