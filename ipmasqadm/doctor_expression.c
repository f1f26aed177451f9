// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One expression of a rule of nf_tables, for a packet of which not everything is known.
 *
 * Registers hold bytes with a state each (doctor_ruleset.h).  What cannot be evaluated leaves
 * unknown bytes, and a comparison with one matches with a doubt, so that the rule's effect is known
 * to be possible and no more.  Limits and quotas are taken as a first packet finds them: not used
 * up.
 */
#include "doctor_ruleset.h"

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct run {
	const struct ruleset *ruleset;
	const struct chain *chain;
	const struct nftnl_expr *expression;
	struct packet *packet;
	struct registers *registers;
	struct effect *effect;
};

void effect_doubt(struct effect *effect, enum certainty certainty, const char *blind)
{
	if (certainty > effect->certainty) {
		effect->certainty = certainty;
		effect->blind = blind;
	}
}

static uint32_t get(const struct run *run, uint16_t field)
{
	return nftnl_expr_get_u32(run->expression, field);
}

static const char *expression_name(const struct nftnl_expr *expression)
{
	return nftnl_expr_get_str(expression, NFTNL_EXPR_NAME);
}

/* Where a register begins; REGISTERS when there is none of this number. */
static size_t offset(uint32_t number)
{
	size_t at = number >= NFT_REG32_00 ? (number - NFT_REG32_00) * 4u
		    : number >= NFT_REG_1  ? (number - NFT_REG_1) * 16u
					   : REGISTERS;

	return at < REGISTERS ? at : REGISTERS;
}

static bool put(const struct run *run, uint32_t number, const void *data, size_t length,
		enum byte state)
{
	size_t at = offset(number), room = REGISTERS - at;

	if (length > room)
		length = room;
	if (data)
		memcpy(run->registers->data + at, data, length);
	else
		memset(run->registers->data + at, 0, length);
	memset(run->registers->state + at, state, length);
	return true;
}

static bool put_u32(const struct run *run, uint32_t number, uint32_t value)
{
	return put(run, number, &value, sizeof(value), BYTE_KNOWN);
}

static bool put_u16(const struct run *run, uint32_t number, uint16_t value)
{
	const uint16_t word[2] = {value, 0};

	return put(run, number, word, sizeof(word), BYTE_KNOWN);
}

static bool put_u8(const struct run *run, uint32_t number, uint8_t value)
{
	const uint8_t word[4] = {value};

	return put(run, number, word, sizeof(word), BYTE_KNOWN);
}

static bool put_unknown(const struct run *run, uint32_t number)
{
	return put(run, number, NULL, 16, BYTE_UNKNOWN);
}

/* The worst state of some bytes of the registers. */
static enum byte state_of(const struct run *run, size_t at, size_t length)
{
	enum byte worst = BYTE_KNOWN;

	if (length > REGISTERS - at)
		return BYTE_UNKNOWN;
	for (size_t i = at; i < at + length; i++)
		if (run->registers->state[i] > worst)
			worst = run->registers->state[i];
	return worst;
}

static bool run_payload(const struct run *run)
{
	const struct packet *packet = run->packet;
	uint32_t base = get(run, NFTNL_EXPR_PAYLOAD_BASE), at = get(run, NFTNL_EXPR_PAYLOAD_OFFSET);
	uint32_t length = get(run, NFTNL_EXPR_PAYLOAD_LEN),
		 dreg = get(run, NFTNL_EXPR_PAYLOAD_DREG);
	bool network = base == NFT_PAYLOAD_NETWORK_HEADER;
	const uint8_t *data = network ? packet->network : packet->transport;
	const uint8_t *state = network ? packet->network_state : packet->transport_state;
	size_t size = network ? sizeof(packet->network) : sizeof(packet->transport);
	size_t to = offset(dreg);

	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_PAYLOAD_SREG))
		return true; /* a change of what is not looked at */
	if (length > 16)
		length = 16;
	put(run, dreg, NULL, (length + 3) & ~3u, BYTE_KNOWN);
	if ((!network && base != NFT_PAYLOAD_TRANSPORT_HEADER) || at > size || length > size - at ||
	    length > REGISTERS - to)
		return put_unknown(run, dreg);
	memcpy(run->registers->data + to, data + at, length);
	memcpy(run->registers->state + to, state + at, length);
	return true;
}

static bool put_link(const struct run *run, uint32_t dreg, uint32_t key)
{
	bool in = key == NFT_META_IIF || key == NFT_META_IIFNAME;
	const struct net_link *link = in ? run->packet->in : run->packet->out;
	char name[IF_NAMESIZE] = "";

	if (in ? !run->packet->has_in : !run->packet->has_out)
		return false;
	if (!link)
		return put_unknown(run, dreg);
	if (key == NFT_META_IIF || key == NFT_META_OIF)
		return put_u32(run, dreg, link->index);
	memcpy(name, link->name, sizeof(name));
	return put(run, dreg, name, sizeof(name), BYTE_KNOWN);
}

static bool set_meta(const struct run *run)
{
	size_t from = offset(get(run, NFTNL_EXPR_META_SREG));

	if (get(run, NFTNL_EXPR_META_KEY) == NFT_META_MARK && from + 4 <= REGISTERS &&
	    state_of(run, from, 4) == BYTE_KNOWN)
		memcpy(&run->packet->mark, run->registers->data + from, 4);
	return true;
}

static bool run_meta(const struct run *run)
{
	const struct packet *packet = run->packet;
	uint32_t key = get(run, NFTNL_EXPR_META_KEY), dreg = get(run, NFTNL_EXPR_META_DREG);

	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_META_SREG))
		return set_meta(run);
	switch (key) {
	case NFT_META_IIF:
	case NFT_META_IIFNAME:
	case NFT_META_OIF:
	case NFT_META_OIFNAME:
		return put_link(run, dreg, key);
	case NFT_META_PROTOCOL:
		return put_u16(run, dreg, htons(packet->family == AF_INET ? 0x0800 : 0x86dd));
	case NFT_META_NFPROTO:
		return put_u8(run, dreg, packet->family);
	case NFT_META_L4PROTO:
		return put_u8(run, dreg, packet->protocol);
	case NFT_META_MARK:
		return put_u32(run, dreg, packet->mark);
	case NFT_META_PKTTYPE:
	case NFT_META_SECPATH:
	case NFT_META_NFTRACE:
		return put_u8(run, dreg, 0); /* to this host, no IPsec, no trace */
	case NFT_META_SKUID:
	case NFT_META_SKGID:
		return false; /* a forwarded packet has no socket */
	default:
		return put_unknown(run, dreg);
	}
}

/* An end of the connection's tuple: a stranger's, or the forward's. */
static bool put_tuple(const struct run *run, uint32_t dreg, bool source, bool reply)
{
	const struct forward *forward = run->packet->forward;
	const struct ipmasq_address *address = reply ? &forward->inside : &forward->alias;
	size_t length = ipmasq_address_length(address->family);

	if (source != reply)
		return put(run, dreg, NULL, length, BYTE_STRANGER);
	return put(run, dreg, address->bytes, length,
		   ipmasq_address_is_any(address) ? BYTE_STRANGER : BYTE_KNOWN);
}

static bool put_tuple_port(const struct run *run, uint32_t dreg, bool source, bool reply)
{
	const struct forward *forward = run->packet->forward;

	if (source != reply)
		return put(run, dreg, NULL, 4, BYTE_STRANGER);
	return put_u16(run, dreg, htons(reply ? forward->inside_port : forward->port));
}

static bool run_ct(const struct run *run)
{
	struct packet *packet = run->packet;
	uint32_t key = get(run, NFTNL_EXPR_CT_KEY), dreg = get(run, NFTNL_EXPR_CT_DREG);
	bool has_direction = nftnl_expr_is_set(run->expression, NFTNL_EXPR_CT_DIR);
	bool reply = has_direction ? nftnl_expr_get_u8(run->expression, NFTNL_EXPR_CT_DIR) != 0
				   : packet->answer;

	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_CT_SREG))
		return true;
	if (!packet->tracked) /* before conntrack: every key but the state has none */
		return key == NFT_CT_STATE ? put_u32(run, dreg, 1u) : false;
	switch (key) {
	case NFT_CT_STATE:
		return put_u32(run, dreg, packet->ct_state);
	case NFT_CT_STATUS:
		return put_u32(run, dreg, packet->ct_status);
	case NFT_CT_DIRECTION:
		return put_u8(run, dreg, packet->answer);
	case NFT_CT_MARK:
		return put_u32(run, dreg, packet->ct_mark);
	case NFT_CT_L3PROTOCOL:
		return put_u8(run, dreg, packet->family);
	case NFT_CT_PROTOCOL:
		return put_u8(run, dreg, packet->protocol);
	case NFT_CT_SRC:
	case NFT_CT_SRC_IP:
	case NFT_CT_SRC_IP6:
		return put_tuple(run, dreg, true, reply);
	case NFT_CT_DST:
	case NFT_CT_DST_IP:
	case NFT_CT_DST_IP6:
		return put_tuple(run, dreg, false, reply);
	case NFT_CT_PROTO_SRC:
		return put_tuple_port(run, dreg, true, reply);
	case NFT_CT_PROTO_DST:
		return put_tuple_port(run, dreg, false, reply);
	case NFT_CT_HELPER:
		return false;
	case NFT_CT_ZONE:
		return put_u16(run, dreg, 0);
	default:
		return put_unknown(run, dreg);
	}
}

/* A stranger comes by the interface that the route to him has; reverse paths are checked elsewhere.
 */
static bool run_fib(const struct run *run)
{
	const struct packet *packet = run->packet;
	uint32_t dreg = get(run, NFTNL_EXPR_FIB_DREG), flags = get(run, NFTNL_EXPR_FIB_FLAGS);
	bool local = (flags & NFTA_FIB_F_DADDR) && packet->own_address;

	switch (get(run, NFTNL_EXPR_FIB_RESULT)) {
	case NFT_FIB_RESULT_ADDRTYPE:
		return put_u32(run, dreg, local ? RTN_LOCAL : RTN_UNICAST);
	case NFT_FIB_RESULT_OIF:
		if (flags & NFTA_FIB_F_PRESENT)
			return put_u8(run, dreg, 1);
		return packet->in ? put_u32(run, dreg, packet->in->index) : put_unknown(run, dreg);
	default:
		return put_unknown(run, dreg);
	}
}

/* What a comparison with bytes that are not known comes to; true: it matches, with a doubt. */
static bool match_unclear(const struct run *run, enum byte state, bool positive)
{
	if (state == BYTE_STRANGER && !positive)
		return true;
	effect_doubt(run->effect, state == BYTE_STRANGER ? SOME : UNSURE,
		     expression_name(run->expression));
	return true;
}

static bool run_cmp(const struct run *run)
{
	size_t at = offset(get(run, NFTNL_EXPR_CMP_SREG));
	uint32_t length, op = get(run, NFTNL_EXPR_CMP_OP);
	const void *data = nftnl_expr_get(run->expression, NFTNL_EXPR_CMP_DATA, &length);
	enum byte state = data ? state_of(run, at, length) : BYTE_UNKNOWN;
	int order;

	if (state != BYTE_KNOWN)
		return match_unclear(run, state, op != NFT_CMP_NEQ);
	order = memcmp(run->registers->data + at, data, length);
	switch (op) {
	case NFT_CMP_EQ:
		return order == 0;
	case NFT_CMP_NEQ:
		return order != 0;
	case NFT_CMP_LT:
		return order < 0;
	case NFT_CMP_LTE:
		return order <= 0;
	case NFT_CMP_GT:
		return order > 0;
	default:
		return order >= 0;
	}
}

static bool run_range(const struct run *run)
{
	size_t at = offset(get(run, NFTNL_EXPR_RANGE_SREG));
	uint32_t low_length, high_length;
	const void *low = nftnl_expr_get(run->expression, NFTNL_EXPR_RANGE_FROM_DATA, &low_length);
	const void *high = nftnl_expr_get(run->expression, NFTNL_EXPR_RANGE_TO_DATA, &high_length);
	bool inverted = get(run, NFTNL_EXPR_RANGE_OP) == NFT_RANGE_NEQ, within;
	enum byte state = low && high && low_length == high_length ? state_of(run, at, low_length)
								   : BYTE_UNKNOWN;

	if (state != BYTE_KNOWN)
		return match_unclear(run, state, !inverted);
	within = memcmp(run->registers->data + at, low, low_length) >= 0 &&
		 memcmp(run->registers->data + at, high, high_length) <= 0;
	return within != inverted;
}

static bool run_bitwise(const struct run *run)
{
	size_t from = offset(get(run, NFTNL_EXPR_BITWISE_SREG));
	uint32_t dreg = get(run, NFTNL_EXPR_BITWISE_DREG),
		 length = get(run, NFTNL_EXPR_BITWISE_LEN);
	size_t to = offset(dreg);
	uint32_t mask_length, xor_length;
	const uint8_t *mask =
		nftnl_expr_get(run->expression, NFTNL_EXPR_BITWISE_MASK, &mask_length);
	const uint8_t * xor = nftnl_expr_get(run->expression, NFTNL_EXPR_BITWISE_XOR, &xor_length);

	if (get(run, NFTNL_EXPR_BITWISE_OP) != 0 /* not mask and xor: a shift */ || !mask || !xor ||
	    mask_length < length || xor_length < length || length > REGISTERS - from ||
	    length > REGISTERS - to)
		return put_unknown(run, dreg);
	for (uint32_t i = 0; i < length; i++) {
		run->registers->data[to + i] = (run->registers->data[from + i] & mask[i]) ^ xor[i];
		run->registers->state[to + i] =
			mask[i] ? run->registers->state[from + i] : BYTE_KNOWN;
	}
	return true;
}

static bool run_byteorder(const struct run *run)
{
	size_t from = offset(get(run, NFTNL_EXPR_BYTEORDER_SREG));
	uint32_t dreg = get(run, NFTNL_EXPR_BYTEORDER_DREG);
	uint32_t length = get(run, NFTNL_EXPR_BYTEORDER_LEN),
		 size = get(run, NFTNL_EXPR_BYTEORDER_SIZE);
	size_t to = offset(dreg);
	uint8_t data[16], state[16];

	if (!size || size > length || length > sizeof(data) || length % size ||
	    length > REGISTERS - from || length > REGISTERS - to)
		return put_unknown(run, dreg);
	for (uint32_t i = 0; i < length; i++) {
		uint32_t other = htons(1) == 1 ? i : i / size * size + (size - 1 - i % size);

		data[i] = run->registers->data[from + other];
		state[i] = run->registers->state[from + other];
	}
	memcpy(run->registers->data + to, data, length);
	memcpy(run->registers->state + to, state, length);
	return true;
}

static bool take_verdict(const struct run *run, int32_t verdict, const char *chain)
{
	static const struct {
		int32_t verdict;
		enum effect_kind kind;
	} kinds[] = {
		{NF_ACCEPT, EFFECT_ACCEPT}, {NF_DROP, EFFECT_DROP},  {NFT_RETURN, EFFECT_RETURN},
		{NFT_JUMP, EFFECT_JUMP},    {NFT_GOTO, EFFECT_GOTO},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].verdict == verdict)
			run->effect->kind = kinds[i].kind;
	snprintf(run->effect->chain, sizeof(run->effect->chain), "%s", chain ? chain : "");
	return true;
}

static bool run_immediate(const struct run *run)
{
	uint32_t dreg = get(run, NFTNL_EXPR_IMM_DREG), length;
	const void *data;

	if (dreg == NFT_REG_VERDICT)
		return take_verdict(
			run, (int32_t)get(run, NFTNL_EXPR_IMM_VERDICT),
			nftnl_expr_is_set(run->expression, NFTNL_EXPR_IMM_CHAIN)
				? nftnl_expr_get_str(run->expression, NFTNL_EXPR_IMM_CHAIN)
				: NULL);
	data = nftnl_expr_get(run->expression, NFTNL_EXPR_IMM_DATA, &length);
	return data ? put(run, dreg, data, length, BYTE_KNOWN) : put_unknown(run, dreg);
}

static bool run_lookup(const struct run *run)
{
	const char *name = nftnl_expr_get_str(run->expression, NFTNL_EXPR_LOOKUP_SET);
	size_t at = offset(get(run, NFTNL_EXPR_LOOKUP_SREG));
	uint32_t length = ruleset_key_length(run->ruleset, run->chain, name);
	bool maps = nftnl_expr_is_set(run->expression, NFTNL_EXPR_LOOKUP_DREG);
	bool inverted = get(run, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV;
	enum byte state = length ? state_of(run, at, length) : BYTE_UNKNOWN;
	struct found_element element;
	enum found found;

	if (state != BYTE_KNOWN && !maps)
		return match_unclear(run, state, !inverted);
	if (state == BYTE_STRANGER)
		return false;
	found = state == BYTE_KNOWN ? ruleset_look_up(run->ruleset, run->chain, name,
						      run->registers->data + at, &element)
				    : FOUND_UNKNOWN;
	if (found == FOUND_UNKNOWN && !maps)
		return match_unclear(run, BYTE_UNKNOWN, !inverted);
	if (found == FOUND_NO)
		return inverted;
	if (!maps)
		return !inverted;
	if (found == FOUND_UNKNOWN) {
		effect_doubt(run->effect, UNSURE, "lookup");
		return put_unknown(run, get(run, NFTNL_EXPR_LOOKUP_DREG));
	}
	if (element.has_verdict)
		return take_verdict(run, element.verdict, element.chain);
	return put(run, get(run, NFTNL_EXPR_LOOKUP_DREG), element.data, element.length, BYTE_KNOWN);
}

/* limit, quota, ct count: all have the flag `over` at the same value. */
static bool run_threshold(const struct run *run)
{
	const char *name = expression_name(run->expression);
	uint16_t flags = strcmp(name, "limit") == 0   ? NFTNL_EXPR_LIMIT_FLAGS
			 : strcmp(name, "quota") == 0 ? NFTNL_EXPR_QUOTA_FLAGS
						      : NFTNL_EXPR_CONNLIMIT_FLAGS;

	return !(get(run, flags) & 1u);
}

/* An element is noted; what it carries may be a limit of its own. */
static bool run_dynset(const struct run *run)
{
	const struct nftnl_expr *inner =
		nftnl_expr_is_set(run->expression, NFTNL_EXPR_DYNSET_EXPR)
			? nftnl_expr_get(run->expression, NFTNL_EXPR_DYNSET_EXPR, NULL)
			: NULL;

	return !inner || expression_run(run->ruleset, run->chain, inner, run->packet,
					run->registers, run->effect);
}

static bool end_with(const struct run *run, enum effect_kind kind)
{
	run->effect->kind = kind;
	return true;
}

static bool run_nat(const struct run *run)
{
	return end_with(run, get(run, NFTNL_EXPR_NAT_TYPE) == NFT_NAT_DNAT ? EFFECT_TRANSLATE
									   : EFFECT_ACCEPT);
}

static bool run_exthdr(const struct run *run)
{
	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_EXTHDR_SREG))
		return true;
	return put_unknown(run, get(run, NFTNL_EXPR_EXTHDR_DREG));
}

static bool run_translate(const struct run *run)
{
	return end_with(run, EFFECT_TRANSLATE);
}

static bool run_accept(const struct run *run)
{
	return end_with(run, EFFECT_ACCEPT);
}

static bool run_drop(const struct run *run)
{
	return end_with(run, EFFECT_DROP);
}

static bool run_queue(const struct run *run)
{
	return end_with(run, EFFECT_QUEUE);
}

static bool run_notrack(const struct run *run)
{
	return end_with(run, EFFECT_UNTRACK);
}

static bool run_nothing(const struct run *run)
{
	(void)run;
	return true;
}

static bool run_compat(const struct run *run)
{
	return compat_run(run->expression, expression_name(run->expression), run->packet,
			  run->effect);
}

static const struct {
	const char *name;
	bool (*run)(const struct run *run);
} kinds[] = {
	{"bitwise", run_bitwise},
	{"byteorder", run_byteorder},
	{"cmp", run_cmp},
	{"connlimit", run_threshold},
	{"counter", run_nothing},
	{"ct", run_ct},
	{"dynset", run_dynset},
	{"exthdr", run_exthdr},
	{"fib", run_fib},
	{"flow_offload", run_nothing},
	{"immediate", run_immediate},
	{"last", run_nothing},
	{"limit", run_threshold},
	{"log", run_nothing},
	{"lookup", run_lookup},
	{"masq", run_accept},
	{"match", run_compat},
	{"meta", run_meta},
	{"nat", run_nat},
	{"notrack", run_notrack},
	{"objref", run_nothing},
	{"payload", run_payload},
	{"queue", run_queue},
	{"quota", run_threshold},
	{"range", run_range},
	{"redir", run_translate},
	{"reject", run_drop},
	{"target", run_compat},
	{"tproxy", run_translate},
};

bool expression_run(const struct ruleset *ruleset, const struct chain *chain,
		    const struct nftnl_expr *expression, struct packet *packet,
		    struct registers *registers, struct effect *effect)
{
	const struct run run = {ruleset, chain, expression, packet, registers, effect};
	const char *name = expression_name(expression);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].run(&run);
	memset(registers->state, BYTE_UNKNOWN, sizeof(registers->state));
	effect_doubt(effect, UNSURE, name);
	return true;
}
