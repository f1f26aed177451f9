/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments: in order, header late, never completed, and those that are attacks. */
#include "net.h"

static void make_whole(uint8_t *whole, struct ends ends)
{
	char payload[100];

	memset(payload, 'x', sizeof(payload));
	build_udp(whole, ends, payload, sizeof(payload));
}

static void *fragment_copy(const uint8_t *whole, uint16_t offset, uint16_t len)
{
	uint8_t *copy = malloc(20u + len);

	cut_fragment(copy, whole, offset, len);
	return copy;
}

static void later_fragments_follow_their_header(void **state)
{
	struct net *net = *state;
	uint8_t whole[256];

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	make_whole(whole, ENDS(REMOTE, 53, ALIAS, 4000));
	cut_fragment(net->packet, whole, 0, 48);
	assert_int_equal(send_in(net), PKT_ALIAS_FOUND_HEADER_FRAGMENT);
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
	cut_fragment(net->packet, whole, 48, 60);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_memory_equal(net->packet + 16, &(uint32_t){addr(INSIDE).s_addr}, 4);
}

static void fragments_before_their_header_are_saved_and_fetched(void **state)
{
	struct net *net = *state;
	uint8_t whole[256], *fragment;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	make_whole(whole, ENDS(REMOTE, 53, ALIAS, 4000));
	for (uint16_t offset = 48; offset < 108; offset = (uint16_t)(offset + 24)) {
		fragment = fragment_copy(whole, offset, offset < 96 ? 24 : 12);
		assert_int_equal(LibAliasIn(net->la, fragment, 44), PKT_ALIAS_UNRESOLVED_FRAGMENT);
		assert_int_equal(LibAliasSaveFragment(net->la, fragment), PKT_ALIAS_OK);
	}
	cut_fragment(net->packet, whole, 0, 48);
	assert_int_equal(send_in(net), PKT_ALIAS_FOUND_HEADER_FRAGMENT);
	for (int i = 0; i < 3; i++) {
		fragment = LibAliasGetFragment(net->la, net->packet);
		assert_non_null(fragment);
		LibAliasFragmentIn(net->la, net->packet, fragment);
		assert_memory_equal(fragment + 16, &(uint32_t){addr(INSIDE).s_addr}, 4);
		assert_true(sums_right(fragment));
		free(fragment);
	}
	assert_null(LibAliasGetFragment(net->la, net->packet));
}

static void outgoing_fragments_get_what_their_header_got(void **state)
{
	struct net *net = *state;
	uint8_t whole[256];

	LibAliasRedirectAddr(net->la, addr(INSIDE), addr("198.51.100.9"));
	make_whole(whole, ENDS(INSIDE, 4000, REMOTE, 53));
	cut_fragment(net->packet, whole, 0, 48);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_ends(net->packet, "198.51.100.9", 4000, REMOTE, 53);
	cut_fragment(net->packet, whole, 48, 60);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_memory_equal(net->packet + 12, &(uint32_t){addr("198.51.100.9").s_addr}, 4);
}

static void an_outgoing_fragment_without_header_gets_the_hosts_address(void **state)
{
	struct net *net = *state;
	uint8_t whole[256];

	make_whole(whole, ENDS(INSIDE, 4000, REMOTE, 53));
	cut_fragment(net->packet, whole, 48, 60);
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_memory_equal(net->packet + 12, &(uint32_t){addr(ALIAS).s_addr}, 4);
}

static int released;

static void count_release(void *fragment, void *arg)
{
	released++;
	*(int *)arg += 1;
	free(fragment);
}

static void fragments_that_are_never_completed_are_freed(void **state)
{
	struct net *net = *state;
	uint8_t whole[256];
	int seen = 0;

	released = 0;
	LibAliasSetFragmentFree(net->la, count_release, &seen);
	make_whole(whole, ENDS(REMOTE, 53, ALIAS, 4000));
	assert_int_equal(LibAliasSaveFragment(net->la, fragment_copy(whole, 48, 24)), PKT_ALIAS_OK);
	net->now += 30;
	udp_out(net, ENDS(INSIDE, 1, REMOTE, 1));
	assert_int_equal(released, 0);
	net->now += 1;
	udp_out(net, ENDS(INSIDE, 1, REMOTE, 1));
	assert_int_equal(released, 1);
	assert_int_equal(seen, 1);
}

static void a_header_is_forgotten_in_time(void **state)
{
	struct net *net = *state;
	uint8_t whole[256];

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	make_whole(whole, ENDS(REMOTE, 53, ALIAS, 4000));
	cut_fragment(net->packet, whole, 0, 48);
	send_in(net);
	net->now += 31;
	cut_fragment(net->packet, whole, 48, 60);
	assert_int_equal(send_in(net), PKT_ALIAS_UNRESOLVED_FRAGMENT);
}

static void the_number_and_bytes_of_saved_fragments_are_limited(void **state)
{
	struct net *net = *state;
	uint8_t whole[256], *extra;

	LibAliasSetLimit(net->la, ALIAS_LIMIT_FRAGMENTS, 3);
	make_whole(whole, ENDS(REMOTE, 53, ALIAS, 4000));
	for (int i = 0; i < 3; i++)
		assert_int_equal(LibAliasSaveFragment(net->la, fragment_copy(whole, 48, 24)),
				 PKT_ALIAS_OK);
	extra = fragment_copy(whole, 48, 24);
	assert_int_equal(LibAliasSaveFragment(net->la, extra), PKT_ALIAS_ERROR);
	LibAliasSetLimit(net->la, ALIAS_LIMIT_FRAGMENTS, 100);
	LibAliasSetLimit(net->la, ALIAS_LIMIT_FRAGMENT_BYTES, 44 * 3);
	assert_int_equal(LibAliasSaveFragment(net->la, extra), PKT_ALIAS_ERROR);
	free(extra);
}

static void a_flood_of_headers_pushes_out_the_oldest(void **state)
{
	struct net *net = *state;
	uint8_t whole[256];

	LibAliasSetLimit(net->la, ALIAS_LIMIT_FRAGMENTS, 4);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	make_whole(whole, ENDS(REMOTE, 53, ALIAS, 4000));
	for (uint8_t id = 0; id < 5; id++) {
		whole[5] = id;
		cut_fragment(net->packet, whole, 0, 48);
		assert_int_equal(send_in(net), PKT_ALIAS_FOUND_HEADER_FRAGMENT);
	}
	whole[5] = 0;
	cut_fragment(net->packet, whole, 48, 60);
	assert_int_equal(send_in(net), PKT_ALIAS_UNRESOLVED_FRAGMENT);
	whole[5] = 4;
	cut_fragment(net->packet, whole, 48, 60);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
}

static void a_first_fragment_without_a_whole_header_is_ignored(void **state)
{
	struct net *net = *state;
	uint8_t whole[256];

	build_tcp(whole, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN, 1, 0, "0123456789", 10);
	cut_fragment(net->packet, whole, 0, 8);
	assert_int_equal(send_out(net), PKT_ALIAS_IGNORED);
	assert_int_equal(links(net), 0);
}

static void a_fragment_that_would_overwrite_the_tcp_header_is_ignored(void **state)
{
	struct net *net = *state;
	uint8_t whole[256];

	build_tcp(whole, ENDS(INSIDE, 4000, REMOTE, 80), TH_SYN, 1, 0, "0123456789", 10);
	cut_fragment(net->packet, whole, 8, 22);
	assert_int_equal(send_out(net), PKT_ALIAS_IGNORED);
	cut_fragment(net->packet, whole, 16, 14);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
}

static void a_fragment_beyond_the_largest_datagram_is_ignored(void **state)
{
	struct net *net = *state;
	uint8_t whole[256];

	make_whole(whole, ENDS(REMOTE, 53, ALIAS, 4000));
	cut_fragment(net->packet, whole, 48, 60);
	net->packet[6] = 0x1f;
	net->packet[7] = 0xff;
	fix_ip_sum(net->packet);
	assert_int_equal(send_in(net), PKT_ALIAS_IGNORED);
}

static void the_largest_limit_of_bytes_is_one(void **state)
{
	struct net *net = *state;
	unsigned int saved = 0;
	uint8_t *fragment;

	LibAliasSetLimit(net->la, ALIAS_LIMIT_FRAGMENTS, 100000);
	LibAliasSetLimit(net->la, ALIAS_LIMIT_FRAGMENT_BYTES, UINT32_MAX);
	for (;; saved++) {
		fragment = calloc(1, 20);
		memset(fragment + 2, 0xff, 2);
		fragment[4] = (uint8_t)saved;
		if (saved > 70000 || LibAliasSaveFragment(net->la, fragment) != PKT_ALIAS_OK)
			break;
	}
	free(fragment);
	assert_int_equal(saved, UINT32_MAX / 65535);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(later_fragments_follow_their_header),
		net_test(fragments_before_their_header_are_saved_and_fetched),
		net_test(outgoing_fragments_get_what_their_header_got),
		net_test(an_outgoing_fragment_without_header_gets_the_hosts_address),
		net_test(fragments_that_are_never_completed_are_freed),
		net_test(a_header_is_forgotten_in_time),
		net_test(the_number_and_bytes_of_saved_fragments_are_limited),
		net_test(a_flood_of_headers_pushes_out_the_oldest),
		net_test(a_first_fragment_without_a_whole_header_is_ignored),
		net_test(a_fragment_that_would_overwrite_the_tcp_header_is_ignored),
		net_test(the_largest_limit_of_bytes_is_one),
		net_test(a_fragment_beyond_the_largest_datagram_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
