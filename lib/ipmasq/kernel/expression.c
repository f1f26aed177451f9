// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nf_tables expressions: a thin layer over libnftnl so that a rule reads as it does in nft(8).
 *
 * nft(8) writes the first word of a concatenation as NFT_REG_1 and later ones as NFT_REG32_xx;
 * so do we, since its decompiler expects it and operators read our table with it.
 */
#include "expression.h"
#include "schema.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define TRANSLATE_PORT_WORD 4 /* NFT_REG_2, behind any address */

const struct family families[N_FAMILIES] = {
	{AF_INET, '4', 1, 12, 16, TYPE_IPADDR, NFT_CT_SRC_IP, NFT_CT_DST_IP, "any4"},
	{AF_INET6, '6', 4, 8, 24, TYPE_IP6ADDR, NFT_CT_SRC_IP6, NFT_CT_DST_IP6, "any6"},
};

static uint32_t word_register(unsigned int word)
{
	return word == 0 ? NFT_REG_1 : NFT_REG32_00 + word;
}

void rule_begin(struct rule *rule, const char *chain)
{
	rule->rule = nftnl_rule_alloc();
	rule->failed = !rule->rule;
	if (rule->failed)
		return;
	nftnl_rule_set_u32(rule->rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule->rule, NFTNL_RULE_CHAIN, chain);
}

void rule_comment(struct rule *rule, const char *text)
{
	struct nftnl_udata_buf *buffer = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);

	if (!buffer || rule->failed ||
	    !nftnl_udata_put_strz(buffer, NFTNL_UDATA_RULE_COMMENT, text))
		rule->failed = true;
	else
		nftnl_rule_set_data(rule->rule, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(buffer),
				    nftnl_udata_buf_len(buffer));
	if (buffer)
		nftnl_udata_buf_free(buffer);
}

int rule_add(struct rule *rule, struct transaction *transaction)
{
	return rule_insert(rule, transaction, 0);
}

int rule_insert(struct rule *rule, struct transaction *transaction, uint64_t handle)
{
	uint16_t where = handle ? 0 : NLM_F_APPEND;
	int rc = -1;

	if (rule->failed) {
		errno = ENOMEM;
	} else {
		nftnl_rule_set_str(rule->rule, NFTNL_RULE_TABLE, transaction->table);
		if (handle)
			nftnl_rule_set_u64(rule->rule, NFTNL_RULE_POSITION, handle);
		nftnl_rule_nlmsg_build_payload(
			transaction_message(transaction, NFT_MSG_NEWRULE, NLM_F_CREATE | where),
			rule->rule);
		rc = transaction_added(transaction);
	}
	if (rule->rule)
		nftnl_rule_free(rule->rule);
	rule->rule = NULL;
	return rc;
}

/* A new expression at the end of the rule, or NULL when out of memory. */
static struct nftnl_expr *append(struct rule *rule, const char *name)
{
	struct nftnl_expr *expression = rule->failed ? NULL : nftnl_expr_alloc(name);

	if (!expression)
		rule->failed = true;
	else
		nftnl_rule_add_expr(rule->rule, expression);
	return expression;
}

/* An attribute that is a number of 32 bits, as most are. */
struct number {
	uint16_t attribute;
	uint32_t value;
};

static struct nftnl_expr *append_numbers(struct rule *rule, const char *name,
					 const struct number *numbers, size_t n)
{
	struct nftnl_expr *expression = append(rule, name);

	for (size_t i = 0; expression && i < n; i++)
		nftnl_expr_set_u32(expression, numbers[i].attribute, numbers[i].value);
	return expression;
}

/* append_with(rule, name, {ATTRIBUTE, value}, ...): append() and these attributes. */
#define append_with(rule, name, ...)                                     \
	append_numbers(rule, name, (const struct number[]){__VA_ARGS__}, \
		       sizeof((const struct number[]){__VA_ARGS__}) / sizeof(struct number))

/* Other attributes, of what append() or append_with() has returned. */
static void set_data(struct nftnl_expr *expression, uint16_t attribute, const void *data,
		     uint32_t length)
{
	if (expression)
		nftnl_expr_set(expression, attribute, data, length);
}

static void set_text(struct nftnl_expr *expression, uint16_t attribute, const char *text)
{
	if (expression)
		nftnl_expr_set_str(expression, attribute, text);
}

void load_payload(struct rule *rule, uint32_t base, uint32_t offset, uint32_t length,
		  unsigned int word)
{
	append_with(rule, "payload", {NFTNL_EXPR_PAYLOAD_BASE, base},
		    {NFTNL_EXPR_PAYLOAD_OFFSET, offset}, {NFTNL_EXPR_PAYLOAD_LEN, length},
		    {NFTNL_EXPR_PAYLOAD_DREG, word_register(word)});
}

void load_meta(struct rule *rule, uint32_t key, unsigned int word)
{
	append_with(rule, "meta", {NFTNL_EXPR_META_KEY, key},
		    {NFTNL_EXPR_META_DREG, word_register(word)});
}

void load_ct(struct rule *rule, uint32_t key, uint8_t direction, unsigned int word)
{
	struct nftnl_expr *expression = append(rule, "ct");

	if (!expression)
		return;
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u8(expression, NFTNL_EXPR_CT_DIR, direction);
	nftnl_expr_set_u32(expression, NFTNL_EXPR_CT_DREG, word_register(word));
}

void load_ct_direction(struct rule *rule, unsigned int word)
{
	append_with(rule, "ct", {NFTNL_EXPR_CT_KEY, NFT_CT_DIRECTION},
		    {NFTNL_EXPR_CT_DREG, word_register(word)});
}

void compare(struct rule *rule, unsigned int word, uint32_t operation, const void *data,
	     uint32_t length)
{
	struct nftnl_expr *expression =
		append_with(rule, "cmp", {NFTNL_EXPR_CMP_SREG, word_register(word)},
			    {NFTNL_EXPR_CMP_OP, operation});

	set_data(expression, NFTNL_EXPR_CMP_DATA, data, length);
}

void match_protocol_family(struct rule *rule, uint8_t nfproto)
{
	load_meta(rule, NFT_META_NFPROTO, 0);
	compare(rule, 0, NFT_CMP_EQ, &nfproto, sizeof(nfproto));
}

void match_transport(struct rule *rule, uint8_t protocol)
{
	load_meta(rule, NFT_META_L4PROTO, 0);
	compare(rule, 0, NFT_CMP_EQ, &protocol, sizeof(protocol));
}

/* Keeps the bits of word 0 that are in `bits` and turns those that are in `flip`. */
static void mask_flip(struct rule *rule, const void *bits, const void *flip, uint32_t length)
{
	struct nftnl_expr *expression = append_with(
		rule, "bitwise", {NFTNL_EXPR_BITWISE_SREG, word_register(0)},
		{NFTNL_EXPR_BITWISE_DREG, word_register(0)}, {NFTNL_EXPR_BITWISE_LEN, length});

	set_data(expression, NFTNL_EXPR_BITWISE_MASK, bits, length);
	set_data(expression, NFTNL_EXPR_BITWISE_XOR, flip, length);
}

static void mask(struct rule *rule, const void *bits, uint32_t length)
{
	static const uint8_t zero[16];

	mask_flip(rule, bits, zero, length);
}

void match_opening(struct rule *rule)
{
	uint8_t flags = TH_FIN | TH_SYN | TH_RST | TH_ACK, syn = TH_SYN;

	match_transport(rule, IPPROTO_TCP);
	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offsetof(struct tcphdr, th_flags),
		     sizeof(flags), 0);
	mask(rule, &flags, sizeof(flags));
	compare(rule, 0, NFT_CMP_EQ, &syn, sizeof(syn));
}

void match_net(struct rule *rule, uint32_t offset, const struct ipmasq_net *net, uint32_t operation)
{
	uint32_t length = (uint32_t)ipmasq_address_length(net->address.family);
	uint8_t bits[16] = {0};

	if (!net->bits && operation == NFT_CMP_EQ)
		return; /* everything */
	for (uint32_t i = 0; i < net->bits; i++)
		bits[i / 8] |= (uint8_t)(0x80 >> i % 8);
	load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offset, length, 0);
	if (net->bits < length * 8)
		mask(rule, bits, length);
	compare(rule, 0, operation, net->address.bytes, length);
}

void match_ports(struct rule *rule, uint32_t offset, const struct ipmasq_ports *ports)
{
	uint16_t low = htons(ports->low), high = htons(ports->high);
	struct nftnl_expr *expression;

	load_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(low), 0);
	if (low == high) {
		compare(rule, 0, NFT_CMP_EQ, &low, sizeof(low));
		return;
	}
	expression = append_with(rule, "range", {NFTNL_EXPR_RANGE_SREG, word_register(0)},
				 {NFTNL_EXPR_RANGE_OP, NFT_RANGE_EQ});
	set_data(expression, NFTNL_EXPR_RANGE_FROM_DATA, &low, sizeof(low));
	set_data(expression, NFTNL_EXPR_RANGE_TO_DATA, &high, sizeof(high));
}

void match_interface(struct rule *rule, uint32_t key, const char *interface, uint32_t operation)
{
	char name[IFNAMSIZ] = {0};

	strncpy(name, interface, sizeof(name) - 1);
	load_meta(rule, key, 0);
	compare(rule, 0, operation, name, sizeof(name));
}

void count(struct rule *rule)
{
	struct nftnl_expr *expression = append(rule, "counter");

	if (!expression)
		return;
	nftnl_expr_set_u64(expression, NFTNL_EXPR_CTR_PACKETS, 0);
	nftnl_expr_set_u64(expression, NFTNL_EXPR_CTR_BYTES, 0);
}

void match_ct_status(struct rule *rule, uint32_t bits, uint32_t value)
{
	uint32_t zero = 0;
	bool any_of = bits == value; /* as nft(8) writes `ct status dnat`: some bit is set */

	append_with(rule, "ct", {NFTNL_EXPR_CT_KEY, NFT_CT_STATUS},
		    {NFTNL_EXPR_CT_DREG, word_register(0)});
	mask(rule, &bits, sizeof(bits));
	compare(rule, 0, any_of ? NFT_CMP_NEQ : NFT_CMP_EQ, any_of ? &zero : &value, sizeof(value));
}

static void load_fib(struct rule *rule, uint32_t result, uint32_t flags)
{
	append_with(rule, "fib", {NFTNL_EXPR_FIB_DREG, word_register(0)},
		    {NFTNL_EXPR_FIB_RESULT, result}, {NFTNL_EXPR_FIB_FLAGS, flags});
}

/* fib daddr type local */
static void match_local_destination(struct rule *rule)
{
	uint32_t local = RTN_LOCAL;

	load_fib(rule, NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR);
	compare(rule, 0, NFT_CMP_EQ, &local, sizeof(local));
}

void match_foreign_destination(struct rule *rule)
{
	uint32_t local = RTN_LOCAL;

	load_fib(rule, NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR);
	compare(rule, 0, NFT_CMP_NEQ, &local, sizeof(local));
}

void match_own_address(struct rule *rule, uint8_t family)
{
	/* 127.0.0.1 and ::1 never leave the machine: a packet from there that is sent
	 * inside would be dropped as a martian. */
	uint8_t loopback = 127;

	match_local_destination(rule);
	match_protocol_family(rule, family);
	if (family == AF_INET) {
		load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, family_of(family)->destination, 1,
			     0);
		compare(rule, 0, NFT_CMP_NEQ, &loopback, sizeof(loopback));
	} else {
		load_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, family_of(family)->destination,
			     sizeof(in6addr_loopback), 0);
		compare(rule, 0, NFT_CMP_NEQ, &in6addr_loopback, sizeof(in6addr_loopback));
	}
}

void match_route_back(struct rule *rule)
{
	uint32_t exists = 1;

	load_fib(rule, NFT_FIB_RESULT_OIF, NFTA_FIB_F_DADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT);
	compare(rule, 0, NFT_CMP_EQ, &exists, sizeof(exists));
}

void load_numgen(struct rule *rule, uint32_t modulus, unsigned int word)
{
	append_with(rule, "numgen", {NFTNL_EXPR_NG_DREG, word_register(word)},
		    {NFTNL_EXPR_NG_MODULUS, modulus}, {NFTNL_EXPR_NG_TYPE, NFT_NG_INCREMENTAL});
	/* Interval sets compare big-endian. */
	append_with(rule, "byteorder", {NFTNL_EXPR_BYTEORDER_SREG, word_register(word)},
		    {NFTNL_EXPR_BYTEORDER_DREG, word_register(word)},
		    {NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON}, {NFTNL_EXPR_BYTEORDER_LEN, 4},
		    {NFTNL_EXPR_BYTEORDER_SIZE, 4});
}

void load_jhash(struct rule *rule, uint32_t length, uint32_t modulus, uint32_t seed)
{
	append_with(rule, "hash", {NFTNL_EXPR_HASH_TYPE, NFT_HASH_JENKINS},
		    {NFTNL_EXPR_HASH_SREG, word_register(0)},
		    {NFTNL_EXPR_HASH_DREG, word_register(0)}, {NFTNL_EXPR_HASH_LEN, length},
		    {NFTNL_EXPR_HASH_MODULUS, modulus}, {NFTNL_EXPR_HASH_SEED, seed},
		    {NFTNL_EXPR_HASH_OFFSET, 0});
}

static struct nftnl_expr *append_lookup(struct rule *rule, const char *set, uint32_t id)
{
	struct nftnl_expr *expression =
		append_with(rule, "lookup", {NFTNL_EXPR_LOOKUP_SREG, word_register(0)});

	set_text(expression, NFTNL_EXPR_LOOKUP_SET, set);
	if (expression && id)
		nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_SET_ID, id);
	return expression;
}

void lookup_set(struct rule *rule, const char *set, uint32_t id)
{
	append_lookup(rule, set, id);
}

void lookup_map(struct rule *rule, const char *set, uint32_t id)
{
	struct nftnl_expr *expression = append_lookup(rule, set, id);

	if (expression)
		nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_DREG, word_register(0));
}

void lookup_verdict(struct rule *rule, const char *set, uint32_t id)
{
	struct nftnl_expr *expression = append_lookup(rule, set, id);

	if (expression)
		nftnl_expr_set_u32(expression, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

void update_set(struct rule *rule, const char *set)
{
	set_text(append_with(rule, "dynset", {NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE},
			     {NFTNL_EXPR_DYNSET_SREG_KEY, word_register(0)}),
		 NFTNL_EXPR_DYNSET_SET_NAME, set);
}

void update_map(struct rule *rule, const char *map, uint32_t operation, unsigned int data_word)
{
	set_text(append_with(rule, "dynset", {NFTNL_EXPR_DYNSET_OP, operation},
			     {NFTNL_EXPR_DYNSET_SREG_KEY, word_register(0)},
			     {NFTNL_EXPR_DYNSET_SREG_DATA, word_register(data_word)}),
		 NFTNL_EXPR_DYNSET_SET_NAME, map);
}

void dnat_address(struct rule *rule, uint8_t nfproto)
{
	append_with(rule, "nat", {NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT},
		    {NFTNL_EXPR_NAT_FAMILY, nfproto},
		    {NFTNL_EXPR_NAT_REG_ADDR_MIN, word_register(0)});
}

void dnat(struct rule *rule, uint8_t nfproto, unsigned int port_word)
{
	append_with(rule, "nat", {NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT},
		    {NFTNL_EXPR_NAT_FAMILY, nfproto},
		    {NFTNL_EXPR_NAT_REG_ADDR_MIN, word_register(0)},
		    {NFTNL_EXPR_NAT_REG_ADDR_MAX, word_register(0)},
		    {NFTNL_EXPR_NAT_REG_PROTO_MIN, word_register(port_word)},
		    {NFTNL_EXPR_NAT_REG_PROTO_MAX, word_register(port_word)},
		    {NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED});
}

static void immediate(struct rule *rule, unsigned int word, const void *data, uint32_t length)
{
	struct nftnl_expr *expression =
		append_with(rule, "immediate", {NFTNL_EXPR_IMM_DREG, word_register(word)});

	set_data(expression, NFTNL_EXPR_IMM_DATA, data, length);
}

void translate(struct rule *rule, uint32_t type, const struct ipmasq_address *address,
	       uint16_t port)
{
	const struct family *family = family_of(address->family);
	struct nftnl_expr *expression;
	uint16_t wire_port = htons(port);

	immediate(rule, 0, address->bytes, 4u * family->words);
	if (port)
		immediate(rule, TRANSLATE_PORT_WORD, &wire_port, sizeof(wire_port));
	expression = append_with(rule, "nat", {NFTNL_EXPR_NAT_TYPE, type},
				 {NFTNL_EXPR_NAT_FAMILY, family->family},
				 {NFTNL_EXPR_NAT_REG_ADDR_MIN, word_register(0)});
	if (expression && port)
		nftnl_expr_set_u32(expression, NFTNL_EXPR_NAT_REG_PROTO_MIN,
				   word_register(TRANSLATE_PORT_WORD));
}

void set_mark_bits(struct rule *rule, uint32_t bits)
{
	uint32_t others = ~bits;

	load_meta(rule, NFT_META_MARK, 0);
	mask_flip(rule, &others, &bits, sizeof(bits));
	append_with(rule, "meta", {NFTNL_EXPR_META_KEY, NFT_META_MARK},
		    {NFTNL_EXPR_META_SREG, word_register(0)});
}

void set_helper(struct rule *rule, const char *object)
{
	struct nftnl_expr *expression =
		append_with(rule, "objref", {NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_CT_HELPER});

	set_text(expression, NFTNL_EXPR_OBJREF_IMM_NAME, object);
}

void masquerade(struct rule *rule)
{
	append(rule, "masq");
}

void verdict(struct rule *rule, int code, const char *chain)
{
	struct nftnl_expr *expression =
		append_with(rule, "immediate", {NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT},
			    {NFTNL_EXPR_IMM_VERDICT, (uint32_t)code});

	if (chain)
		set_text(expression, NFTNL_EXPR_IMM_CHAIN, chain);
}

void queue(struct rule *rule, uint16_t number, bool bypass)
{
	struct nftnl_expr *expression = append(rule, "queue");

	if (!expression)
		return;
	nftnl_expr_set_u16(expression, NFTNL_EXPR_QUEUE_NUM, number);
	nftnl_expr_set_u16(expression, NFTNL_EXPR_QUEUE_TOTAL, 1);
	nftnl_expr_set_u16(expression, NFTNL_EXPR_QUEUE_FLAGS, bypass ? NFT_QUEUE_FLAG_BYPASS : 0);
}

void target_nfqueue(struct rule *rule, uint16_t number, bool bypass)
{
	struct xt_NFQ_info_v3 *information = calloc(1, XT_ALIGN(sizeof(*information)));
	struct nftnl_expr *expression = append(rule, "target");

	if (!information || !expression) {
		rule->failed = true;
		free(information);
		return;
	}
	*information = (struct xt_NFQ_info_v3){
		.queuenum = number, .queues_total = 1, .flags = bypass ? NFQ_FLAG_BYPASS : 0};
	nftnl_expr_set_str(expression, NFTNL_EXPR_TG_NAME, "NFQUEUE");
	nftnl_expr_set_u32(expression, NFTNL_EXPR_TG_REV, 3);
	/* taken over */
	nftnl_expr_set(expression, NFTNL_EXPR_TG_INFO, information, XT_ALIGN(sizeof(*information)));
}
