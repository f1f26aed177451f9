/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quake.  The control packets are those of the Unofficial Quake Specs, section 5: "Connection
 * Request" (01) and "Accept Connection" (81).
 */
#include "net.h"

#define SERVER REMOTE

static const uint8_t request[] = {0x80, 0, 0, 12, 1, 'Q', 'U', 'A', 'K', 'E', 0, 3};

struct accepted {
	uint8_t data[9];
};

static struct accepted accepted(uint32_t port)
{
	return (struct accepted){{0x80, 0, 0, 9, 0x81, (uint8_t)port, (uint8_t)(port >> 8),
				  (uint8_t)(port >> 16), (uint8_t)(port >> 24)}};
}

static uint32_t port_in(const struct net *net)
{
	const uint8_t *p = net->packet + 28 + 5;

	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* An inside client asks; the alias port that it has. */
static uint16_t ask(struct net *net)
{
	build_udp(net->packet, ENDS(INSIDE, 3000, SERVER, 26000), request, sizeof(request));
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	assert_memory_equal(net->packet + 28, request, sizeof(request));
	return source_port(net->packet);
}

static void server_says(struct net *net, uint16_t alias, const void *data, size_t len)
{
	build_udp(net->packet, ENDS(SERVER, 26000, ALIAS, alias), data, len);
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_memory_equal(net->packet + 28, data, len);
}

static void a_client_inside_keeps_its_alias_port(void **state)
{
	struct accepted a = accepted(30000);
	struct net *net = *state;
	uint16_t alias;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	deny_incoming(net);
	alias = ask(net);
	server_says(net, alias, &a, sizeof(a));
	assert_int_equal(udp_out(net, ENDS(INSIDE, 3000, SERVER, 30000)), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, alias, SERVER, 30000);
	assert_int_equal(udp_in(net, ENDS(SERVER, 30000, ALIAS, alias)), PKT_ALIAS_OK);
	assert_ends(net->packet, SERVER, 30000, INSIDE, 3000);
	assert_int_equal(udp_in(net, ENDS("203.0.113.8", 30000, ALIAS, alias)), PKT_ALIAS_IGNORED);
}

static void the_other_default_port_is_watched(void **state)
{
	struct accepted a = accepted(30000);
	struct net *net = *state;

	deny_incoming(net);
	build_udp(net->packet, ENDS(INSIDE, 3000, SERVER, 27000), request, sizeof(request));
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	build_udp(net->packet, ENDS(SERVER, 27000, ALIAS, 3000), &a, sizeof(a));
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_int_equal(udp_in(net, ENDS(SERVER, 30000, ALIAS, 3000)), PKT_ALIAS_OK);
}

static void an_answer_that_nobody_asked_for_opens_nothing(void **state)
{
	struct accepted a = accepted(30000);
	struct net *net = *state;
	uint16_t alias;

	deny_incoming(net);
	udp_out(net, ENDS(INSIDE, 3000, SERVER, 26000));
	server_says(net, 3000, &a, sizeof(a));
	assert_int_equal(expectations(net), 0);
	/* One answer a question. */
	alias = ask(net);
	server_says(net, alias, &a, sizeof(a));
	for (uint32_t port = 30001; port < 30100; port++) {
		a = accepted(port);
		server_says(net, alias, &a, sizeof(a));
	}
	assert_int_equal(expectations(net), 1);
	assert_int_equal(udp_in(net, ENDS(SERVER, 30001, ALIAS, alias)), PKT_ALIAS_IGNORED);
}

static void answers_that_will_not_do_open_nothing(void **state)
{
	struct accepted a[6] = {accepted(1023),  accepted(65536 + 30000), accepted(0),
				accepted(30000), accepted(30000),         accepted(30000)};
	struct net *net = *state;
	uint16_t alias = ask(net);

	a[3].data[0] = 0;    /* no control packet */
	a[4].data[3] = 10;   /* its length lies */
	a[5].data[4] = 0x82; /* refused */
	for (size_t i = 0; i < 6; i++)
		server_says(net, alias, &a[i], sizeof(a[i]));
	a[0] = accepted(30000);
	for (size_t len = 0; len < sizeof(a[0]); len++) {
		a[0].data[3] = (uint8_t)len;
		server_says(net, alias, &a[0], len);
	}
	assert_int_equal(expectations(net), 0);
}

static void what_is_no_request_asks_nothing(void **state)
{
	struct accepted a = accepted(30000);
	struct net *net = *state;
	uint8_t wrong[12];

	for (size_t i = 0; i < sizeof(request); i++) {
		memcpy(wrong, request, sizeof(request));
		wrong[i] ^= 0x40;
		build_udp(net->packet, ENDS(INSIDE, 3000, SERVER, 26000), wrong, sizeof(wrong));
		assert_int_equal(send_out(net), PKT_ALIAS_OK);
		build_udp(net->packet, ENDS(INSIDE, 3000, SERVER, 26000), request, i);
		assert_int_equal(send_out(net), PKT_ALIAS_OK);
		server_says(net, 3000, &a, sizeof(a));
	}
	assert_int_equal(expectations(net), 0);
}

/* A remote client asks the server behind the redirect. */
static void asked(struct net *net)
{
	build_udp(net->packet, ENDS(REMOTE, 3000, ALIAS, 26000), request, sizeof(request));
	assert_int_equal(send_in(net), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 3000, INSIDE, 26000);
}

static uint32_t answer(struct net *net, uint32_t port)
{
	struct accepted a = accepted(port);

	build_udp(net->packet, ENDS(INSIDE, 26000, REMOTE, 3000), &a, sizeof(a));
	assert_int_equal(send_out(net), PKT_ALIAS_OK);
	return port_in(net);
}

static void redirect(struct net *net)
{
	LibAliasRedirectPort(net->la, addr(INSIDE), htons(26000), addr("0.0.0.0"), 0, addr(ALIAS),
			     htons(26000), IPPROTO_UDP);
}

static void a_server_inside_names_an_alias_port(void **state)
{
	struct net *net = *state;
	uint16_t alias;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	deny_incoming(net);
	redirect(net);
	asked(net);
	alias = (uint16_t)answer(net, 30000);
	assert_int_not_equal(alias, 30000);
	/* Said again before and after the client has come: the same. */
	assert_int_equal(answer(net, 30000), alias);
	assert_int_equal(udp_in(net, ENDS("203.0.113.8", 3000, ALIAS, alias)), PKT_ALIAS_IGNORED);
	assert_int_equal(udp_in(net, ENDS(REMOTE, 3000, ALIAS, alias)), PKT_ALIAS_OK);
	assert_ends(net->packet, REMOTE, 3000, INSIDE, 30000);
	assert_int_equal(answer(net, 30000), alias);
	assert_int_equal(expectations(net), 0);
	assert_int_equal(udp_out(net, ENDS(INSIDE, 30000, REMOTE, 3000)), PKT_ALIAS_OK);
	assert_ends(net->packet, ALIAS, alias, REMOTE, 3000);
	assert_int_equal(udp_in(net, ENDS("203.0.113.8", 3000, ALIAS, alias)), PKT_ALIAS_IGNORED);
}

static void a_server_inside_opens_one_port_a_request(void **state)
{
	struct net *net = *state;

	LibAliasSetMode(net->la, 0, PKT_ALIAS_SAME_PORTS);
	redirect(net);
	asked(net);
	assert_int_not_equal(answer(net, 30000), 30000);
	assert_int_equal(answer(net, 30001), 30001);
	assert_int_equal(expectations(net), 1);
	asked(net);
	assert_int_equal(answer(net, 53), 53);
	assert_int_not_equal(answer(net, 30002), 30002);
	assert_int_equal(expectations(net), 2);
}

static int setup(void **state)
{
	return net_setup_helper(state, "quake");
}

#define quake_test(f) cmocka_unit_test_setup_teardown(f, setup, net_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		quake_test(a_client_inside_keeps_its_alias_port),
		quake_test(the_other_default_port_is_watched),
		quake_test(an_answer_that_nobody_asked_for_opens_nothing),
		quake_test(answers_that_will_not_do_open_nothing),
		quake_test(what_is_no_request_asks_nothing),
		quake_test(a_server_inside_names_an_alias_port),
		quake_test(a_server_inside_opens_one_port_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
