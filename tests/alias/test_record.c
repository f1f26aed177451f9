/* SPDX-License-Identifier: BSD-2-Clause */
/* Links that outlive their instance as records, and records that are none. */
#include <errno.h>
#include "net.h"

#define ANY addr("0.0.0.0")

struct record {
	uint8_t data[ALIAS_RECORD_MAX];
	int length;
};

/* All links' records; returns how many. */
static unsigned int pack(struct net *net, struct record *records, unsigned int max)
{
	unsigned int cursor = 0, n = 0;

	while (n < max &&
	       (records[n].length = LibAliasPackLink(net->la, &cursor, records[n].data)) > 0)
		n++;
	return n;
}

/* The process starts anew; links are what the test makes of them. */
static void restart(struct net *net)
{
	LibAliasInit(net->la);
	net_clock(net);
	LibAliasSetAddress(net->la, addr(ALIAS));
	LibAliasSetMode(net->la, PKT_ALIAS_DENY_INCOMING,
			PKT_ALIAS_DENY_INCOMING | PKT_ALIAS_USE_SOCKETS);
}

static void unpack(struct net *net, const struct record *records, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(LibAliasUnpackLink(net->la, records[i].data, records[i].length),
				 0);
}

static struct alias_link *forward(struct net *net, uint16_t port, const char *local)
{
	return LibAliasRedirectPort(net->la, addr(local), htons(8000), ANY, 0, ANY, htons(port),
				    IPPROTO_UDP);
}

static void conversations_go_on(void **state)
{
	struct net *net = *state;
	struct record records[4];
	uint16_t chosen;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	chosen = source_port(net->packet);
	build_echo(net->packet, ICMP_ECHO, INSIDE, REMOTE, 77);
	send_out(net);
	assert_int_equal(pack(net, records, 4), 3);
	restart(net);
	unpack(net, records, 3);
	assert_int_equal(links(net), 3);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE, 53, INSIDE, 4000);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, chosen));
	assert_ends(net->packet, REMOTE, 53, OTHER, 4000);
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	assert_ends(net->packet, ALIAS, chosen, REMOTE, 53);
	build_echo(net->packet, ICMP_ECHOREPLY, REMOTE, ALIAS, 77);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 77, INSIDE, 77);
}

/* Records are kept in files: what version 1 is made of does not change. */
static void the_bytes_of_a_record_are_these(void **state)
{
	static const uint8_t expected[] = {
		1,    17,   2,    1,    0,    2, /* UDP, incoming, its timer, a redirect */
		0,    0,    0,    9,             /* idle */
		0,    0,    0,    0,             /* TCP's start */
		10,   0,    0,    2,    203,  0,    113, 7,  /* inside, its peer */
		0x1f, 0x40, 0x13, 0x88,                      /* 8000, 5000 */
		198,  51,   100,  1,    203,  0,    113, 7,  /* alias, remote */
		0,    80,   0x13, 0x88,                      /* 80, 5000 */
		0,    17,   0,    0,    0,    0,             /* of a port, UDP, any remote */
		0,    0,    0,    0,    0,    0,    0,   80, /* the alias address, its port */
		0,    0,    0,    0,    0,    0,             /* no range, no mark */
		10,   0,    0,    2,    0x1f, 0x40,          /* the server */
	};
	struct net *net = *state;
	struct record record;

	forward(net, 80, INSIDE);
	udp_in(net, ENDS(REMOTE, 5000, ALIAS, 80));
	net->now += 9;
	assert_int_equal(pack(net, &record, 1), 1);
	assert_int_equal(record.length, sizeof(expected));
	assert_memory_equal(record.data, expected, sizeof(expected));
	restart(net);
	unpack(net, &record, 1);
}

static unsigned int timeout(struct net *net)
{
	struct alias_link_info info;
	unsigned int cursor = 0;

	assert_int_equal(LibAliasNextLink(net->la, &cursor, &info), 1);
	return info.timeout;
}

static void time_and_tcp_state_go_along(void **state)
{
	struct net *net = *state;
	struct record record;

	tcp_out(net, ENDS(INSIDE, 3000, REMOTE, 80), TH_SYN);
	tcp_in(net, ENDS(REMOTE, 80, ALIAS, 3000), TH_SYN | TH_ACK);
	tcp_out(net, ENDS(INSIDE, 3000, REMOTE, 80), TH_ACK);
	net->now += 100;
	assert_int_equal(pack(net, &record, 1), 1);
	net->now = 7; /* a machine that has just booted */
	restart(net);
	unpack(net, &record, 1);
	assert_int_equal(timeout(net), 86300);
	tcp_in(net, ENDS(REMOTE, 80, ALIAS, 3000), TH_FIN | TH_ACK);
	assert_int_equal(timeout(net), 86400);
	tcp_out(net, ENDS(INSIDE, 3000, REMOTE, 80), TH_FIN | TH_ACK);
	assert_int_equal(timeout(net), 240);
	net->now += 241;
	LibAliasExpire(net->la, 100);
	assert_int_equal(links(net), 0);
}

static void a_link_whose_time_is_over_is_refused(void **state)
{
	struct net *net = *state;
	struct record record;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	net->now += 200;
	assert_int_equal(pack(net, &record, 1), 1);
	restart(net);
	LibAliasSetTimeout(net->la, ALIAS_TIMEOUT_UDP, 100);
	assert_int_equal(LibAliasUnpackLink(net->la, record.data, record.length), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(links(net), 0);
}

static void an_expired_link_makes_no_record(void **state)
{
	struct net *net = *state;
	struct record record;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	net->now += 301;
	udp_out(net, ENDS(INSIDE, 4001, REMOTE, 53));
	assert_int_equal(pack(net, &record, 1), 1);
	restart(net);
	unpack(net, &record, 1);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 53, ALIAS, 4001)), PKT_ALIAS_OK);
}

static void connect_ftp(struct net *net)
{
	LibAliasSetHelper(net->la, "ftp", 21, 1);
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 21), TH_SYN, 99, 0, NULL, 0);
	send_out(net);
	build_tcp(net->packet, ENDS(REMOTE, 21, ALIAS, 3000), TH_SYN | TH_ACK, 499, 100, NULL, 0);
	send_in(net);
}

static void restart_ftp(struct net *net)
{
	struct record record;

	assert_int_equal(pack(net, &record, 1), 1);
	restart(net);
	LibAliasSetHelper(net->la, "ftp", 21, 1);
	unpack(net, &record, 1);
}

static void say(struct net *net, uint32_t seq, const char *text)
{
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 21), TH_ACK, seq, 500, text,
		  strlen(text));
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
}

static void changed_streams_keep_their_numbers(void **state)
{
	struct net *net = *state;

	connect_ftp(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n"); /* 20 bytes become 24 */
	assert_int_equal(packet_seq(net->packet), 100);
	say(net, 120, "PORT 10,0,0,2,16,2\r\n");
	assert_int_equal(packet_seq(net->packet), 124);
	restart_ftp(net);
	say(net, 140, "LIST\r\n");
	assert_int_equal(packet_seq(net->packet), 148);
	build_tcp(net->packet, ENDS(REMOTE, 21, ALIAS, 3000), TH_ACK, 500, 154, "200\r\n", 5);
	send_in(net);
	assert_int_equal(packet_ack(net->packet), 146);
}

static void a_helper_goes_on_where_it_was(void **state)
{
	struct net *net = *state;

	connect_ftp(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n");
	restart_ftp(net);
	say(net, 120, "PORT 10,0,0,2,16,2\r\n");
	assert_string_equal(packet_text(net->packet), "PORT 198,51,100,1,16,2\r\n");
	assert_int_equal(packet_seq(net->packet), 124);
	assert_int_equal(tcp_in(net, ENDS(REMOTE, 20, ALIAS, 4098), TH_SYN), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 20, INSIDE, 4098);
}

static void what_a_helper_has_changed_is_changed_again(void **state)
{
	struct net *net = *state;

	connect_ftp(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n");
	restart_ftp(net);
	for (int i = 0; i < 2; i++) {
		say(net, 100, "PORT 10,0,0,2,16,1\r\n");
		assert_string_equal(packet_text(net->packet), "PORT 198,51,100,1,16,1\r\n");
		assert_int_equal(packet_seq(net->packet), 100);
	}
}

/* Its first part was cut from a packet; nobody has acknowledged it. */
static void what_a_helper_has_held_back_comes_again(void **state)
{
	struct net *net = *state;

	connect_ftp(net);
	say(net, 100, "USER a\r\n");
	say(net, 108, "PORT 10,0,0,2,1");
	assert_string_equal(packet_text(net->packet), "");
	restart_ftp(net);
	say(net, 108, "PORT 10,0,0,2,16,2\r\n");
	assert_string_equal(packet_text(net->packet), "PORT 198,51,100,1,16,2\r\n");
}

static void a_helper_without_its_state_begins_anew(void **state)
{
	struct net *net = *state;
	struct record record;

	connect_ftp(net);
	say(net, 100, "USER a\r\n");
	assert_int_equal(pack(net, &record, 1), 1);
	restart(net);
	LibAliasSetHelper(net->la, "ftp", 21, 1);
	record.data[5] &= (uint8_t)~0x10;
	record.length -= 1 + 10 + 2 * 5; /* its length, what was said and two streams */
	unpack(net, &record, 1);
	/* By the end of the first line it knows where lines begin. */
	say(net, 108, "NOOP\r\nPORT 10,0,0,2,16,2\r\n");
	assert_string_equal(packet_text(net->packet), "NOOP\r\nPORT 198,51,100,1,16,2\r\n");
}

static void it_goes_on_at_any_sequence_number(void **state)
{
	struct net *net = *state;

	LibAliasSetHelper(net->la, "ftp", 21, 1);
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 21), TH_SYN, 0xc0000000, 0, NULL, 0);
	send_out(net);
	build_tcp(net->packet, ENDS(REMOTE, 21, ALIAS, 3000), TH_SYN | TH_ACK, 499, 0xc0000001,
		  NULL, 0);
	send_in(net);
	say(net, 0xc0000001, "USER a\r\n");
	restart_ftp(net);
	say(net, 0xc0000009, "NOOP\r\nPORT 10,0,0,2,16,2\r\n");
	assert_string_equal(packet_text(net->packet), "NOOP\r\nPORT 198,51,100,1,16,2\r\n");
}

static void an_encoded_stream_tells_the_destination_again_if_asked(void **state)
{
	struct net *net = *state;
	struct record record;
	char told[128];

	LibAliasProxyRule(net->la, "type encode_tcp_stream port 80 server 192.0.2.9:3128");
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 80), TH_SYN, 99, 0, NULL, 0);
	send_out(net);
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 80), TH_ACK, 100, 1, "GET /", 5);
	send_out(net);
	snprintf(told, sizeof(told), "%s", packet_text(net->packet));
	assert_memory_equal(told, "[DEST ", 6);
	assert_int_equal(pack(net, &record, 1), 1);
	restart(net); /* the rule is gone, the link's way is not */
	unpack(net, &record, 1);
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 80), TH_ACK, 100, 1, "GET /", 5);
	send_out(net);
	assert_ends(net->packet, ALIAS, 3000, "192.0.2.9", 3128);
	assert_string_equal(packet_text(net->packet), told);
	assert_int_equal(packet_seq(net->packet), 100);
	build_tcp(net->packet, ENDS(INSIDE, 3000, REMOTE, 80), TH_ACK, 105, 1, "x", 1);
	send_out(net);
	assert_int_equal(packet_seq(net->packet), 105 + strlen(told) - 5);
}

static void the_redirect_is_found_again_by_what_it_matches(void **state)
{
	struct net *net = *state;
	struct alias_link *other, *link;
	struct alias_server_info info;
	struct record record;

	forward(net, 80, INSIDE);
	udp_in(net, ENDS(REMOTE, 5000, ALIAS, 80));
	assert_int_equal(pack(net, &record, 1), 1);
	restart(net);
	other = forward(net, 81, INSIDE);
	link = forward(net, 80, INSIDE);
	forward(net, 80, OTHER); /* newer, but elsewhere */
	unpack(net, &record, 1);
	udp_in(net, ENDS(REMOTE, 5000, ALIAS, 80));
	assert_ends(net->packet, REMOTE, 5000, INSIDE, 8000);
	LibAliasRedirectServer(net->la, link, 0, &info);
	assert_int_equal(info.traffic.packets, 1);
	assert_int_equal(info.traffic.connections, 0);
	assert_int_equal(LibAliasRedirectEnd(net->la, other, ANY, 0, 0), 0);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, ANY, 0, 0), 1);
}

static void redirects_of_every_kind_are_found_again(void **state)
{
	struct net *net = *state;
	struct alias_link *redirects[5];
	struct record records[5];
	struct alias_packet marked = {net->packet, sizeof(net->packet), 7, 0};

	for (int round = 0; round < 2; round++) {
		redirects[0] = LibAliasRedirectPort(net->la, addr(INSIDE), htons(22), addr(REMOTE),
						    htons(5000), ANY, htons(2222), IPPROTO_TCP);
		redirects[1] = LibAliasRedirectPortRange(net->la, addr(INSIDE), 0, ANY,
							 addr("255.255.255.255"), htons(7003),
							 htons(7100), IPPROTO_UDP);
		redirects[2] = LibAliasRedirectMark(net->la, addr(INSIDE), htons(99), 7, 0);
		redirects[3] = LibAliasRedirectProto(net->la, addr(INSIDE), ANY, ANY, 50);
		redirects[4] = LibAliasRedirectAddr(net->la, addr(OTHER), addr("198.51.100.9"));
		if (round)
			break;
		tcp_in(net, ENDS(REMOTE, 5000, ALIAS, 2222), TH_SYN);
		udp_in(net, ENDS(REMOTE, 5001, ALIAS, 7050));
		build_udp(net->packet, ENDS(REMOTE, 5002, ALIAS, 6000), "x", 1);
		assert_int_equal(LibAliasInBatch(net->la, &marked, 1), 1);
		build_other(net->packet, 50, REMOTE, ALIAS);
		send_in(net);
		tcp_in(net, ENDS(REMOTE, 5003, "198.51.100.9", 1), TH_SYN);
		assert_int_equal(pack(net, records, 5), 5);
		restart(net);
	}
	unpack(net, records, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(LibAliasRedirectEnd(net->la, redirects[i], ANY, 0, 0), 1);
}

static void the_server_of_a_pool_is_found_again(void **state)
{
	struct net *net = *state;
	struct alias_server_info info;
	struct record records[2];
	struct alias_link *link;

	link = forward(net, 80, "0.0.0.0");
	LibAliasAddServer(net->la, link, addr("10.0.0.11"), htons(81));
	LibAliasAddServer(net->la, link, addr("10.0.0.12"), htons(82));
	udp_in(net, ENDS(REMOTE, 5000, ALIAS, 80));
	udp_in(net, ENDS(REMOTE, 5001, ALIAS, 80));
	assert_int_equal(pack(net, records, 2), 2);
	restart(net);
	link = forward(net, 80, "0.0.0.0"); /* one server is gone, another has come */
	LibAliasAddServer(net->la, link, addr("10.0.0.13"), htons(83));
	LibAliasAddServer(net->la, link, addr("10.0.0.12"), htons(82));
	unpack(net, records, 2);
	udp_in(net, ENDS(REMOTE, 5000, ALIAS, 80));
	assert_ends(net->packet, REMOTE, 5000, "10.0.0.11", 81);
	udp_in(net, ENDS(REMOTE, 5001, ALIAS, 80));
	assert_ends(net->packet, REMOTE, 5001, "10.0.0.12", 82);
	LibAliasRedirectServer(net->la, link, 0, &info);
	assert_int_equal(info.traffic.packets, 0);
	LibAliasRedirectServer(net->la, link, 1, &info);
	assert_int_equal(info.traffic.packets, 1);
	assert_int_equal(LibAliasRedirectEnd(net->la, link, ANY, 0, 0), 1);
	assert_int_equal(links(net), 1);
}

static void endpoint_independent_mappings_go_along(void **state)
{
	struct net *net = *state;
	struct record record;

	LibAliasSetMode(net->la, PKT_ALIAS_UDP_EIM, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(pack(net, &record, 1), 1);
	restart(net);
	LibAliasSetMode(net->la, PKT_ALIAS_UDP_EIM, PKT_ALIAS_UDP_EIM);
	unpack(net, &record, 1);
	assert_int_equal(udp_in(net, ENDS("203.0.113.99", 9, ALIAS, 4000)), PKT_ALIAS_OK);
	assert_ends(net->packet, "203.0.113.99", 9, INSIDE, 4000);
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	assert_int_not_equal(source_port(net->packet), 4000);
}

static void a_mapping_does_not_share_a_port_with_an_exact_link(void **state)
{
	struct net *net = *state;
	struct record record;

	LibAliasSetMode(net->la, PKT_ALIAS_UDP_EIM, PKT_ALIAS_UDP_EIM);
	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(pack(net, &record, 1), 1);
	restart(net);
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	assert_ends(net->packet, ALIAS, 4000, REMOTE, 53);
	assert_int_equal(LibAliasUnpackLink(net->la, record.data, record.length), -1);
	assert_int_equal(errno, EEXIST);
}

static void what_is_taken_stays_with_its_link(void **state)
{
	struct net *net = *state;
	struct record record;

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	assert_int_equal(pack(net, &record, 1), 1);
	assert_int_equal(LibAliasUnpackLink(net->la, record.data, record.length), -1);
	assert_int_equal(errno, EEXIST);
	restart(net);
	udp_out(net, ENDS(OTHER, 4000, REMOTE, 53));
	assert_int_equal(LibAliasUnpackLink(net->la, record.data, record.length), -1);
	assert_int_equal(errno, EEXIST);
	udp_in(net, ENDS(REMOTE, 53, ALIAS, 4000));
	assert_ends(net->packet, REMOTE, 53, OTHER, 4000);
}

static void limits_hold_for_records(void **state)
{
	struct net *net = *state;
	struct record records[2];

	udp_out(net, ENDS(INSIDE, 4000, REMOTE, 53));
	udp_out(net, ENDS(INSIDE, 4001, REMOTE, 53));
	assert_int_equal(pack(net, records, 2), 2);
	restart(net);
	LibAliasSetLimit(net->la, ALIAS_LIMIT_LINKS, 1);
	unpack(net, records, 1);
	assert_int_equal(LibAliasUnpackLink(net->la, records[1].data, records[1].length), -1);
	assert_int_equal(errno, ENOSPC);
}

static void a_record_that_is_cut_or_lengthened_is_refused(void **state)
{
	struct net *net = *state;
	struct record record;

	connect_ftp(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n");
	assert_int_equal(pack(net, &record, 1), 1);
	restart(net);
	record.data[record.length] = 0;
	for (int length = -1; length <= ALIAS_RECORD_MAX + 1; length++) {
		if (length == record.length)
			continue;
		assert_int_equal(LibAliasUnpackLink(net->la, record.data, length), -1);
		assert_int_equal(errno, EINVAL);
	}
	record.data[0]++; /* another version */
	assert_int_equal(LibAliasUnpackLink(net->la, record.data, record.length), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(links(net), 0);
}

/* Whatever one byte of a record is, the engine goes on, and its links are links. */
static void any_byte_of_a_record_may_be_wrong(void **state)
{
	struct net *net = *state;
	struct record record, again;
	unsigned int made = 0, refused = 0;

	connect_ftp(net);
	say(net, 100, "PORT 10,0,0,2,16,1\r\n");
	assert_int_equal(pack(net, &record, 1), 1);
	for (int at = 0; at < record.length; at++)
		for (int value = 0; value < 256; value += 5) {
			struct record wrong = record;

			wrong.data[at] = (uint8_t)value;
			restart(net);
			if (LibAliasUnpackLink(net->la, wrong.data, wrong.length)) {
				assert_true(errno == EINVAL || errno == ETIMEDOUT);
				refused++;
				continue;
			}
			made++;
			assert_int_equal(pack(net, &again, 1), 1);
			say(net, 120, "PORT 10,0,0,2,16,2\r\n");
			net->now += 100000;
			LibAliasExpire(net->la, 10);
		}
	assert_true(made > 2000 && refused > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		net_test(conversations_go_on),
		net_test(the_bytes_of_a_record_are_these),
		net_test(time_and_tcp_state_go_along),
		net_test(a_link_whose_time_is_over_is_refused),
		net_test(an_expired_link_makes_no_record),
		net_test(changed_streams_keep_their_numbers),
		net_test(a_helper_goes_on_where_it_was),
		net_test(what_a_helper_has_changed_is_changed_again),
		net_test(what_a_helper_has_held_back_comes_again),
		net_test(a_helper_without_its_state_begins_anew),
		net_test(it_goes_on_at_any_sequence_number),
		net_test(an_encoded_stream_tells_the_destination_again_if_asked),
		net_test(the_redirect_is_found_again_by_what_it_matches),
		net_test(redirects_of_every_kind_are_found_again),
		net_test(the_server_of_a_pool_is_found_again),
		net_test(endpoint_independent_mappings_go_along),
		net_test(a_mapping_does_not_share_a_port_with_an_exact_link),
		net_test(what_is_taken_stays_with_its_link),
		net_test(limits_hold_for_records),
		net_test(a_record_that_is_cut_or_lengthened_is_refused),
		net_test(any_byte_of_a_record_may_be_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
