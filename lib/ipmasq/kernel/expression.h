/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The expressions that our rules are made of, one call each, in the words of nft(8).  `rule`
 * takes the expression over.  Registers are numbered in 32-bit words: word 0 is NFT_REG32_00.
 * Running out of memory is remembered and reported by rule_add().
 */
#ifndef IPMASQ_KERNEL_EXPRESSION_H
#define IPMASQ_KERNEL_EXPRESSION_H

#include "netlink.h"

#include <ipmasq/rule.h>

struct nftnl_rule;

#define SOURCE_PORT_OFFSET      0 /* in the transport header */
#define DESTINATION_PORT_OFFSET 2

/* Offsets and sizes that differ between the families; both are in one array, IPv4 first. */
struct family {
	uint8_t family;               /* AF_INET, AF_INET6: also the NFPROTO_ value */
	char digit;                   /* in names */
	uint8_t words;                /* 32-bit words of an address */
	uint32_t source, destination; /* offsets in the network header */
	uint32_t type;                /* nft(8)'s number of the address type */
	uint32_t ct_source, ct_destination;
	const char *any; /* in the names of chains */
};

#define N_FAMILIES 2
extern const struct family families[N_FAMILIES];

static inline const struct family *family_of(uint8_t family)
{
	return &families[family == AF_INET6];
}

/* nft(8)'s numbers of the data types that our sets are made of; concatenations shift by 6. */
#define TYPE_INTEGER      4u
#define TYPE_IPADDR       7u
#define TYPE_IP6ADDR      8u
#define TYPE_PROTOCOL     12u
#define TYPE_SERVICE      13u
#define TYPE_MARK         19u
#define TYPE_CONCAT(a, b) ((a) << 6 | (b))

#define NFT_BYTEORDER_HOST 1u /* nft(8)'s number, in a set's user data */

/* A rule being built for a chain of the transaction's table. */
struct rule {
	struct nftnl_rule *rule;
	bool failed;
};

void rule_begin(struct rule *rule, const char *chain);
void rule_comment(struct rule *rule, const char *text);

/* Appends the rule to its chain, or drops it; 0, or -1 with errno. */
int rule_add(struct rule *rule, struct transaction *transaction);

/* The same, in front of the rule with this handle; 0: at the end. */
int rule_insert(struct rule *rule, struct transaction *transaction, uint64_t handle);

void match_protocol_family(struct rule *rule, uint8_t nfproto);
void match_transport(struct rule *rule, uint8_t protocol);
void match_opening(struct rule *rule); /* tcp flags & (fin|syn|rst|ack) == syn */
void match_ct_status(struct rule *rule, uint32_t bits, uint32_t value);
/* A net's addresses at `offset` of the network header: NFT_CMP_EQ or NFT_CMP_NEQ. */
void match_net(struct rule *rule, uint32_t offset, const struct ipmasq_net *net,
	       uint32_t operation);
void match_ports(struct rule *rule, uint32_t offset, const struct ipmasq_ports *ports);
/* The destination is an address of this machine, and none of loopback. */
void match_own_address(struct rule *rule, uint8_t family);
void match_foreign_destination(struct rule *rule); /* fib daddr type != local */
/* NFT_META_IIFNAME or NFT_META_OIFNAME: NFT_CMP_EQ or NFT_CMP_NEQ. */
void match_interface(struct rule *rule, uint32_t key, const char *interface, uint32_t operation);
void count(struct rule *rule);            /* counter */
void match_route_back(struct rule *rule); /* fib daddr . iif oif exists */

/* Compares `length` bytes of a word with data: NFT_CMP_EQ or NFT_CMP_NEQ. */
void compare(struct rule *rule, unsigned int word, uint32_t operation, const void *data,
	     uint32_t length);

void load_payload(struct rule *rule, uint32_t base, uint32_t offset, uint32_t length,
		  unsigned int word);
void load_meta(struct rule *rule, uint32_t key, unsigned int word);
void load_ct(struct rule *rule, uint32_t key, uint8_t direction, unsigned int word);
void load_ct_direction(struct rule *rule, unsigned int word);
void load_numgen(struct rule *rule, uint32_t modulus, unsigned int word);

/* jhash of what is in word 0.., modulo, to word 0 */
void load_jhash(struct rule *rule, uint32_t length, uint32_t modulus, uint32_t seed);

/* What is in word 0.. is in the set. */
void lookup_set(struct rule *rule, const char *set, uint32_t id);
/* ... and the map's data goes to word 0.. */
void lookup_map(struct rule *rule, const char *set, uint32_t id);
/* ... and the map's data is the verdict. */
void lookup_verdict(struct rule *rule, const char *set, uint32_t id);
/* Adds word 0.. to the set, or renews its time-out. */
void update_set(struct rule *rule, const char *set);
/* NFT_DYNSET_OP_*: the key in word 0.. and the data in `data_word`.. */
void update_map(struct rule *rule, const char *map, uint32_t operation, unsigned int data_word);

/* dnat to the address in word 0 and the port behind it. */
void dnat(struct rule *rule, uint8_t nfproto, unsigned int port_word);
/* dnat to the address in word 0; ports are kept. */
void dnat_address(struct rule *rule, uint8_t nfproto);
/* dnat or snat (NFT_NAT_*) to this address and, unless it is 0, port (host byte order). */
void translate(struct rule *rule, uint32_t type, const struct ipmasq_address *address,
	       uint16_t port);
/* meta mark set meta mark | bits */
void set_mark_bits(struct rule *rule, uint32_t bits);
/* ct helper set "object" */
void set_helper(struct rule *rule, const char *object);
void masquerade(struct rule *rule);
/* To NFQUEUE `number`; `bypass`: when nobody listens, on as if this rule were not there.
 * Kernels without the one expression have the other, from iptables. */
void queue(struct rule *rule, uint16_t number, bool bypass);
void target_nfqueue(struct rule *rule, uint16_t number, bool bypass);
/* NFT_JUMP or NFT_GOTO with a chain, or NFT_RETURN with none. */
void verdict(struct rule *rule, int code, const char *chain);

#endif
