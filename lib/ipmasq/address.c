// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words to addresses, ports, protocols and numbers, and back.
 *
 * A word parses whole or not at all; the original tools took what atoi(3) made of it.  Names
 * are looked up only when the caller allows it and only after the numeric forms failed, so
 * that a numeric word never waits for a name server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ipmasq/address.h>
#include <ipmasq/error.h>
#include <ipmasq/hosts.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {
	{IPPROTO_TCP, "tcp"}, {IPPROTO_UDP, "udp"}, {IPPROTO_SCTP, "sctp"}, {IPPROTO_ICMP, "icmp"},
	{IPPROTO_GRE, "gre"}, {IPPROTO_ESP, "esp"}, {IPPROTO_AH, "ah"},
};

#define N_PROTOCOLS  (sizeof(protocols) / sizeof(protocols[0]))
#define N_TRANSPORTS 3 /* the first ones have ports */

bool ipmasq_address_is_any(const struct ipmasq_address *address)
{
	static const uint8_t zero[16];

	return memcmp(address->bytes, zero, ipmasq_address_length(address->family)) == 0;
}

bool ipmasq_address_equal(const struct ipmasq_address *a, const struct ipmasq_address *b)
{
	return ipmasq_address_compare(a, b) == 0;
}

int ipmasq_address_compare(const struct ipmasq_address *a, const struct ipmasq_address *b)
{
	if (a->family != b->family) /* AF_UNSPEC, AF_INET, AF_INET6 in this order */
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, ipmasq_address_length(a->family));
}

const char *ipmasq_address_text(const struct ipmasq_address *address,
				char text[static IPMASQ_ADDRESS_TEXT])
{
	if (!inet_ntop(address->family, address->bytes, text, IPMASQ_ADDRESS_TEXT))
		strcpy(text, "0.0.0.0");
	return text;
}

static int resolve(struct ipmasq_address *address, const char *word, uint8_t family,
		   struct ipmasq_error *error)
{
	int rc = ipmasq_hosts_address(word, family, address);

	return rc ? ipmasq_usage(error, "address '%s': %s; give a numeric address", word,
				 gai_strerror(rc))
		  : 0;
}

/* Digits and dots only are meant as an address, and a host's name has no other signs than these. */
static bool can_be_name(const char *word)
{
	return word[strspn(word, "0123456789.")] &&
	       !strpbrk(word, " !\"#$%&'()*+,/:;<=>?@[\\]^`{|}~");
}

static const char *family_name(uint8_t family)
{
	return family == AF_INET ? "IPv4" : family == AF_INET6 ? "IPv6" : "IPv4 or IPv6";
}

/* Of the other family, or of none. */
static int no_address(const char *word, uint8_t family, struct ipmasq_error *error)
{
	uint8_t other = family == AF_INET ? AF_INET6 : AF_INET;
	struct in6_addr unused;

	if (family != AF_UNSPEC && inet_pton(other, word, &unused) == 1)
		return ipmasq_usage(error, "'%s' is an %s address where %s is needed", word,
				    family_name(other), family_name(family));
	return ipmasq_usage(error, "'%s' is not an %s address", word, family_name(family));
}

int ipmasq_parse_address(struct ipmasq_address *address, const char *word, uint8_t family,
			 bool numeric, struct ipmasq_error *error)
{
	memset(address, 0, sizeof(*address));
	if (family != AF_INET6 && strcmp(word, "0") == 0) {
		address->family = AF_INET;
		return 0;
	}
	if (family != AF_INET6 && inet_pton(AF_INET, word, &address->in4) == 1)
		address->family = AF_INET;
	else if (family != AF_INET && inet_pton(AF_INET6, word, &address->in6) == 1)
		address->family = AF_INET6;
	else if (numeric || !can_be_name(word))
		return no_address(word, family, error);
	else
		return resolve(address, word, family, error);
	return 0;
}

/* Clears what is behind the prefix. */
static void clear_host_bits(struct ipmasq_net *net)
{
	size_t length = ipmasq_address_length(net->address.family);

	for (size_t i = 0; i < length; i++) {
		unsigned int kept = net->bits > i * 8 ? net->bits - (unsigned int)i * 8 : 0;

		if (kept < 8)
			net->address.bytes[i] &= (uint8_t)(0xff00u >> kept);
	}
}

int ipmasq_check_interface(const char *word, struct ipmasq_error *error)
{
	size_t length = 0;

	while ((unsigned char)word[length] > ' ' && !strchr("/:\177", word[length]))
		length++;
	if (length && !word[length] && length < IPMASQ_INTERFACE_SIZE && *word != '#')
		return 0;
	return ipmasq_usage(error,
			    "'%.64s' cannot be an interface: a name has 1 to %d letters, no blank, "
			    "/ or : among them, and no # before them",
			    word, IPMASQ_INTERFACE_SIZE - 1);
}

int ipmasq_parse_net(struct ipmasq_net *net, const char *word, bool numeric,
		     struct ipmasq_error *error)
{
	const char *slash = strrchr(word, '/');
	char address[256];
	uint32_t bits;
	size_t length = slash ? (size_t)(slash - word) : strlen(word);

	if (length >= sizeof(address))
		return ipmasq_usage(error, "'%.40s...' is too long for a net", word);
	memcpy(address, word, length);
	address[length] = '\0';
	if (ipmasq_parse_address(&net->address, address, AF_UNSPEC, numeric, error) < 0)
		return -1;
	bits = (uint32_t)ipmasq_address_length(net->address.family) * 8;
	if (slash && ipmasq_parse_number(&bits, slash + 1, "prefix length", 0, bits, error) < 0)
		return ipmasq_usage(error,
				    "'%s' is not a net: give ADDRESS/BITS, BITS from 0 to %u", word,
				    bits);
	net->bits = (uint8_t)bits;
	clear_host_bits(net);
	return 0;
}

const char *ipmasq_net_text(const struct ipmasq_net *net, char text[static IPMASQ_NET_TEXT])
{
	char address[IPMASQ_ADDRESS_TEXT];

	snprintf(text, IPMASQ_NET_TEXT, "%s/%u", ipmasq_address_text(&net->address, address),
		 net->bits);
	return text;
}

/* The whole word as a decimal number, or as hexadecimal after 0x; false if it is not one. */
static bool whole_number(unsigned long *number, const char *word)
{
	bool hex = word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
	const char *digits = hex ? word + 2 : word;
	char *end;

	if (!*digits || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")])
		return false;
	errno = 0;
	*number = strtoul(digits, &end, hex ? 16 : 10);
	return errno == 0;
}

int ipmasq_parse_number(uint32_t *number, const char *word, const char *what, uint32_t low,
			uint32_t high, struct ipmasq_error *error)
{
	unsigned long value;

	if (!whole_number(&value, word) || value < low || value > high)
		return ipmasq_usage(error, "%s '%s' is not a number from %u to %u", what, word, low,
				    high);
	*number = (uint32_t)value;
	return 0;
}

int ipmasq_parse_port(uint16_t *port, const char *word, uint8_t protocol, bool numeric,
		      bool zero_is_any, struct ipmasq_error *error)
{
	const struct servent *service = NULL;
	unsigned long value;

	if (whole_number(&value, word)) {
		if (value > 65535 || (value == 0 && !zero_is_any))
			return ipmasq_usage(error, "port '%s' is out of range: give 1 to 65535",
					    word);
		*port = (uint16_t)value;
		return 0;
	}
	if (!numeric)
		service = getservbyname(word, ipmasq_protocol_name(protocol));
	if (!service)
		return ipmasq_usage(error, "'%s' is not a port%s", word,
				    numeric ? "" : " number or a service of /etc/services");
	*port = ntohs((uint16_t)service->s_port);
	return 0;
}

int ipmasq_parse_transport(uint8_t *protocol, const char *word, struct ipmasq_error *error)
{
	unsigned long number;

	for (size_t i = 0; i < N_TRANSPORTS; i++) {
		const char *name = protocols[i].name;

		if (strcasecmp(word, name) == 0 || (strncasecmp(word, name, 1) == 0 && !word[1]) ||
		    (whole_number(&number, word) && number == protocols[i].number)) {
			*protocol = protocols[i].number;
			return 0;
		}
	}
	return ipmasq_usage(error, "protocol '%s' is not tcp, udp or sctp", word);
}

int ipmasq_parse_protocol(uint8_t *protocol, const char *word, bool numeric,
			  struct ipmasq_error *error)
{
	const struct protoent *known;
	unsigned long number;

	for (size_t i = 0; i < N_PROTOCOLS; i++) {
		if (strcasecmp(word, protocols[i].name) == 0) {
			*protocol = protocols[i].number;
			return 0;
		}
	}
	if (whole_number(&number, word) && number >= 1 && number <= UINT8_MAX) {
		*protocol = (uint8_t)number;
		return 0;
	}
	known = numeric ? NULL : getprotobyname(word);
	if (!known || known->p_proto < 1 || known->p_proto > UINT8_MAX)
		return ipmasq_usage(error, "'%s' is not an IP protocol: give a name or 1 to 255",
				    word);
	*protocol = (uint8_t)known->p_proto;
	return 0;
}

int ipmasq_split_address_port(const char *word, char *buffer, size_t size, const char **address,
			      const char **port, struct ipmasq_error *error)
{
	size_t length = strlen(word);
	char *cut = NULL;

	if (length >= size)
		return ipmasq_usage(error, "'%.40s...' is too long for an address and a port",
				    word);
	memcpy(buffer, word, length + 1);
	*address = buffer;
	*port = NULL;
	if (buffer[0] == '[') {
		char *end = strchr(buffer, ']');

		if (!end || (end[1] && end[1] != ':' && end[1] != '/'))
			return ipmasq_usage(
				error, "'%s': write an IPv6 address and port as [ADDR]:PORT", word);
		*address = buffer + 1;
		if (end[1])
			cut = end + 1;
		*end = '\0';
	} else {
		cut = strchr(buffer, '/');
		if (!cut) { /* one colon is ADDR:PORT, more are an IPv6 address */
			cut = strchr(buffer, ':');
			if (cut && strchr(cut + 1, ':'))
				cut = NULL;
		}
	}
	if (cut) {
		*cut = '\0';
		*port = cut + 1;
	}
	return 0;
}

const char *ipmasq_protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < N_PROTOCOLS; i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return NULL;
}
