/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses with a family, and the small parsers and printers for the words of the field:
 * addresses, ports, protocols, numbers.  Every parser takes one word, refuses anything that
 * does not parse to its last character, and names the word in the error.
 */
#ifndef IPMASQ_ADDRESS_H
#define IPMASQ_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ipmasq_error;

/* An IPv4 or IPv6 address in network byte order; family AF_UNSPEC means "not given". */
struct ipmasq_address {
	uint8_t family;
	union {
		struct in_addr in4;
		struct in6_addr in6;
		uint8_t bytes[16];
	};
};

/* An address with a prefix length; family AF_UNSPEC matches everything. */
struct ipmasq_net {
	struct ipmasq_address address; /* the bits behind the prefix are 0 */
	uint8_t bits;
};

/* Room for any address, and any net, as text, with the end. */
#define IPMASQ_ADDRESS_TEXT 46
#define IPMASQ_NET_TEXT     50

/* Bytes of an address of this family: 4 or 16, 0 for AF_UNSPEC. */
static inline size_t ipmasq_address_length(uint8_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

/* True when not given, 0.0.0.0 or ::, the wildcard of every grammar. */
bool ipmasq_address_is_any(const struct ipmasq_address *address);

/* Same family and same bytes. */
bool ipmasq_address_equal(const struct ipmasq_address *a, const struct ipmasq_address *b);

/* Order for listings: IPv4 before IPv6, then by value; as memcmp(3). */
int ipmasq_address_compare(const struct ipmasq_address *a, const struct ipmasq_address *b);

/* Writes the numeric text (RFC 5952 for IPv6) into `text` and returns it. */
const char *ipmasq_address_text(const struct ipmasq_address *address,
				char text[static IPMASQ_ADDRESS_TEXT]);

/*
 * ipmasq_parse_address - an address, or with `numeric` false also a host name.
 *
 * "0" is 0.0.0.0.  A name with several addresses gives the first of `family` (AF_UNSPEC: the
 * first).  Returns 0, or -1 with a usage error that names `word`.
 */
int ipmasq_parse_address(struct ipmasq_address *address, const char *word, uint8_t family,
			 bool numeric, struct ipmasq_error *error);

/*
 * ipmasq_parse_net - an address as by ipmasq_parse_address(), or ADDR/BITS.
 *
 * Without BITS it is the net of this one address.  Bits behind the prefix are cleared.
 */
int ipmasq_parse_net(struct ipmasq_net *net, const char *word, bool numeric,
		     struct ipmasq_error *error);

#define IPMASQ_INTERFACE_SIZE 16 /* of a buffer for an interface's name */

/*
 * ipmasq_check_interface - whether a word can be the name of an interface, and be written into a
 * rules file; it need not be there.  Returns 0, or -1 with a usage error that names `word`.
 */
int ipmasq_check_interface(const char *word, struct ipmasq_error *error);

/* Writes ADDR/BITS into `text` and returns it. */
const char *ipmasq_net_text(const struct ipmasq_net *net, char text[static IPMASQ_NET_TEXT]);

/*
 * ipmasq_parse_protocol - an IP protocol, 1 to 255, by number or, with `numeric` false or when it
 * is one that ipmasq_protocol_name() knows, by name.
 */
int ipmasq_parse_protocol(uint8_t *protocol, const char *word, bool numeric,
			  struct ipmasq_error *error);

/*
 * ipmasq_parse_port - a port, 1 to 65535, into host byte order; with `numeric` false also a
 * service name of `protocol`.  With `zero_is_any`, 0 is accepted and means any.
 */
int ipmasq_parse_port(uint16_t *port, const char *word, uint8_t protocol, bool numeric,
		      bool zero_is_any, struct ipmasq_error *error);

/* ipmasq_parse_transport - tcp, udp or sctp by name, by number or by first letter. */
int ipmasq_parse_transport(uint8_t *protocol, const char *word, struct ipmasq_error *error);

/* ipmasq_parse_number - a decimal or 0x hexadecimal number from low to high; `what` names it. */
int ipmasq_parse_number(uint32_t *number, const char *word, const char *what, uint32_t low,
			uint32_t high, struct ipmasq_error *error);

/*
 * ipmasq_split_address_port - the two halves of ADDR:PORT, ADDR/PORT or [V6]:PORT.
 *
 * Cuts a copy of `word` in `buffer`; *address and *port point into it.  *port is NULL when the
 * word is an address alone.  Returns 0, or -1 with a usage error (word too long, `[` not closed).
 */
int ipmasq_split_address_port(const char *word, char *buffer, size_t size, const char **address,
			      const char **port, struct ipmasq_error *error);

/* The lower-case name of an IP protocol that the grammars know, else NULL. */
const char *ipmasq_protocol_name(uint8_t protocol);

#endif
