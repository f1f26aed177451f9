/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rfc.h - what the tests of the NAT requirements (RFC 4787, 5382, 5508, 7857) share.
 *
 * A case is named after the requirement that it shows; one whose name begins with NOT MET shows
 * what the engine does instead, so that lib/alias/RFC.md, which lists them all, cannot become
 * untrue unnoticed.  Unless a case says otherwise it starts with PKT_ALIAS_DENY_INCOMING: what no
 * mapping lets in is ignored.  Time passes by rfc_wait() only.
 */
#ifndef RFC_H
#define RFC_H

#include "../net.h"

#define REMOTE2 "203.0.113.8"
#define ROUTER  "192.0.2.1"
#define ANY     "0.0.0.0"

#define rfc_test(sentence, function)                                  \
	{                                                             \
		(sentence), (function), rfc_setup, net_teardown, NULL \
	}

static inline int rfc_setup(void **state)
{
	if (net_setup(state))
		return -1;
	deny_incoming(*state);
	return 0;
}

static inline void rfc_wait(struct net *net, uint32_t seconds)
{
	net->now += seconds;
}

static inline void rfc_mode(struct net *net, unsigned int mode)
{
	LibAliasSetMode(net->la, mode, mode);
}

/* The address of one of many inside hosts, in text. */
static inline const char *rfc_host(char text[INET_ADDRSTRLEN], uint8_t number)
{
	snprintf(text, INET_ADDRSTRLEN, "10.0.1.%u", number);
	return text;
}

/* The query id of an ICMP packet without IP options. */
static inline uint16_t rfc_query_id(const uint8_t *packet)
{
	return (uint16_t)(packet[24] << 8 | packet[25]);
}

static inline void assert_address(const uint8_t *field, const char *text)
{
	struct in_addr expected = addr(text);

	assert_memory_equal(field, &expected, 4);
}

#define assert_source(packet, text)      assert_address((packet) + 12, text)
#define assert_destination(packet, text) assert_address((packet) + 16, text)

#endif
