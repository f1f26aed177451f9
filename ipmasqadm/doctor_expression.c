// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One expression of a rule of nf_tables, for a packet of which not everything is known.
 *
 * Registers hold bytes with a state each (doctor_ruleset.h).  What cannot be evaluated leaves
 * unknown bytes, and a comparison with one matches with a doubt, so that the rule's effect is known
 * to be possible and no more.  With a stranger's bytes it comes out as for the address that stands
 * there, for most of them or for some.  Limits are taken as a first packet finds them, not used up;
 * of a quota the kernel tells what is left.
 */
#include "doctor_expression.h"

#include <arpa/inet.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

void effect_doubt(struct effect *effect, enum certainty certainty, const char *blind)
{
	if (certainty > effect->certainty) {
		effect->certainty = certainty;
		effect->blind = blind;
	}
}

static const char *expression_name(const struct nftnl_expr *expression)
{
	return nftnl_expr_get_str(expression, NFTNL_EXPR_NAME);
}

size_t run_register(uint32_t number)
{
	size_t at = number >= NFT_REG32_00 ? (number - NFT_REG32_00) * 4u
		    : number >= NFT_REG_1  ? (number - NFT_REG_1) * 16u
					   : REGISTERS;

	return at < REGISTERS ? at : REGISTERS;
}

bool run_put(const struct run *run, uint32_t number, const void *data, size_t length,
	     enum byte state)
{
	size_t at = run_register(number), room = REGISTERS - at;

	if (length > room)
		length = room;
	if (data)
		memcpy(run->registers->data + at, data, length);
	else
		memset(run->registers->data + at, 0, length);
	memset(run->registers->state + at, state, length);
	return true;
}

bool run_put_u32(const struct run *run, uint32_t number, uint32_t value)
{
	return run_put(run, number, &value, sizeof(value), BYTE_KNOWN);
}

bool run_put_u16(const struct run *run, uint32_t number, uint16_t value)
{
	const uint16_t word[2] = {value, 0};

	return run_put(run, number, word, sizeof(word), BYTE_KNOWN);
}

bool run_put_u8(const struct run *run, uint32_t number, uint8_t value)
{
	const uint8_t word[4] = {value};

	return run_put(run, number, word, sizeof(word), BYTE_KNOWN);
}

bool run_put_unknown(const struct run *run, uint32_t number)
{
	return run_put(run, number, NULL, 16, BYTE_UNKNOWN);
}

enum byte run_state(const struct run *run, size_t at, size_t length)
{
	enum byte worst = BYTE_KNOWN;

	if (length > REGISTERS - at)
		return BYTE_UNKNOWN;
	for (size_t i = at; i < at + length; i++)
		if (run->registers->state[i] > worst)
			worst = run->registers->state[i];
	return worst;
}

/* The header of Ethernet: only what it carries is known. */
static bool put_link_header(const struct run *run, uint32_t at, uint32_t length, uint32_t dreg)
{
	if (at != 12 || length != 2)
		return run_put_unknown(run, dreg);
	return run_put_u16(run, dreg, htons(run->packet->family == AF_INET ? 0x0800 : 0x86dd));
}

static bool run_payload(const struct run *run)
{
	const struct packet *packet = run->packet;
	uint32_t base = run_get(run, NFTNL_EXPR_PAYLOAD_BASE);
	uint32_t at = run_get(run, NFTNL_EXPR_PAYLOAD_OFFSET);
	uint32_t length = run_get(run, NFTNL_EXPR_PAYLOAD_LEN);
	uint32_t dreg = run_get(run, NFTNL_EXPR_PAYLOAD_DREG);
	bool network = base == NFT_PAYLOAD_NETWORK_HEADER;
	const uint8_t *data = network ? packet->network : packet->transport;
	const uint8_t *state = network ? packet->network_state : packet->transport_state;
	size_t size = network ? sizeof(packet->network) : sizeof(packet->transport);
	size_t to = run_register(dreg);

	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_PAYLOAD_SREG))
		return true; /* a change of what is not looked at */
	if (base == NFT_PAYLOAD_LL_HEADER)
		return put_link_header(run, at, length, dreg);
	if (length > 16)
		length = 16;
	run_put(run, dreg, NULL, (length + 3) & ~3u, BYTE_KNOWN);
	if ((!network && base != NFT_PAYLOAD_TRANSPORT_HEADER) || at > size || length > size - at ||
	    length > REGISTERS - to)
		return run_put_unknown(run, dreg);
	memcpy(run->registers->data + to, data + at, length);
	memcpy(run->registers->state + to, state + at, length);
	return true;
}

/*
 * What a comparison of bytes in this state comes to, of which `matches` is the outcome for those
 * that stand there; true: it matches, perhaps with a doubt.
 */
static bool match(const struct run *run, enum byte state, bool matches)
{
	if (state == BYTE_KNOWN)
		return matches;
	effect_doubt(run->effect,
		     state == BYTE_UNKNOWN ? UNSURE
		     : matches             ? MOST
					   : SOME,
		     expression_name(run->expression));
	return true;
}

static bool compare(uint32_t op, int order)
{
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

static bool run_cmp(const struct run *run)
{
	size_t at = run_register(run_get(run, NFTNL_EXPR_CMP_SREG));
	uint32_t length;
	const void *data = nftnl_expr_get(run->expression, NFTNL_EXPR_CMP_DATA, &length);

	if (!data || length > REGISTERS - at)
		return match(run, BYTE_UNKNOWN, true);
	return match(run, run_state(run, at, length),
		     compare(run_get(run, NFTNL_EXPR_CMP_OP),
			     memcmp(run->registers->data + at, data, length)));
}

static bool run_range(const struct run *run)
{
	size_t at = run_register(run_get(run, NFTNL_EXPR_RANGE_SREG));
	uint32_t low_length, high_length;
	const void *low = nftnl_expr_get(run->expression, NFTNL_EXPR_RANGE_FROM_DATA, &low_length);
	const void *high = nftnl_expr_get(run->expression, NFTNL_EXPR_RANGE_TO_DATA, &high_length);
	bool inverted = run_get(run, NFTNL_EXPR_RANGE_OP) == NFT_RANGE_NEQ, within;

	if (!low || !high || low_length != high_length || low_length > REGISTERS - at)
		return match(run, BYTE_UNKNOWN, true);
	within = memcmp(run->registers->data + at, low, low_length) >= 0 &&
		 memcmp(run->registers->data + at, high, high_length) <= 0;
	return match(run, run_state(run, at, low_length), within != inverted);
}

static bool run_bitwise(const struct run *run)
{
	size_t from = run_register(run_get(run, NFTNL_EXPR_BITWISE_SREG));
	uint32_t dreg = run_get(run, NFTNL_EXPR_BITWISE_DREG),
		 length = run_get(run, NFTNL_EXPR_BITWISE_LEN);
	size_t to = run_register(dreg);
	uint32_t mask_length, xor_length;
	const uint8_t *mask =
		nftnl_expr_get(run->expression, NFTNL_EXPR_BITWISE_MASK, &mask_length);
	const uint8_t * xor = nftnl_expr_get(run->expression, NFTNL_EXPR_BITWISE_XOR, &xor_length);

	if (run_get(run, NFTNL_EXPR_BITWISE_OP) != 0 /* not mask and xor: a shift */ || !mask ||
	    !xor || mask_length < length || xor_length < length || length > REGISTERS - from ||
	    length > REGISTERS - to)
		return run_put_unknown(run, dreg);
	for (uint32_t i = 0; i < length; i++) {
		run->registers->data[to + i] = (run->registers->data[from + i] & mask[i]) ^ xor[i];
		run->registers->state[to + i] =
			mask[i] ? run->registers->state[from + i] : BYTE_KNOWN;
	}
	return true;
}

static bool run_byteorder(const struct run *run)
{
	size_t from = run_register(run_get(run, NFTNL_EXPR_BYTEORDER_SREG));
	uint32_t dreg = run_get(run, NFTNL_EXPR_BYTEORDER_DREG);
	uint32_t length = run_get(run, NFTNL_EXPR_BYTEORDER_LEN),
		 size = run_get(run, NFTNL_EXPR_BYTEORDER_SIZE);
	size_t to = run_register(dreg);
	uint8_t data[16], state[16];

	if (!size || size > length || length > sizeof(data) || length % size ||
	    length > REGISTERS - from || length > REGISTERS - to)
		return run_put_unknown(run, dreg);
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
	uint32_t dreg = run_get(run, NFTNL_EXPR_IMM_DREG), length;
	const void *data;

	if (dreg == NFT_REG_VERDICT)
		return take_verdict(
			run, (int32_t)run_get(run, NFTNL_EXPR_IMM_VERDICT),
			nftnl_expr_is_set(run->expression, NFTNL_EXPR_IMM_CHAIN)
				? nftnl_expr_get_str(run->expression, NFTNL_EXPR_IMM_CHAIN)
				: NULL);
	data = nftnl_expr_get(run->expression, NFTNL_EXPR_IMM_DATA, &length);
	return data ? run_put(run, dreg, data, length, BYTE_KNOWN) : run_put_unknown(run, dreg);
}

/* What a map says of a key in this state. */
static bool take_element(const struct run *run, enum byte state, enum found found,
			 const struct found_element *element)
{
	uint32_t dreg = run_get(run, NFTNL_EXPR_LOOKUP_DREG);

	if (state == BYTE_KNOWN && found == FOUND_NO)
		return false;
	if (state == BYTE_UNKNOWN || found == FOUND_UNKNOWN) {
		effect_doubt(run->effect, UNSURE, "lookup");
		return run_put_unknown(run, dreg);
	}
	if (state == BYTE_STRANGER)
		effect_doubt(run->effect, found == FOUND_YES ? MOST : SOME, "lookup");
	if (found == FOUND_NO) /* some may have an element: what it says is not known */
		return dreg != NFT_REG_VERDICT && run_put(run, dreg, NULL, 16, BYTE_STRANGER);
	if (element->has_verdict)
		return take_verdict(run, element->verdict, element->chain);
	return run_put(run, dreg, element->data, element->length, BYTE_KNOWN);
}

static bool run_lookup(const struct run *run)
{
	const char *name = nftnl_expr_get_str(run->expression, NFTNL_EXPR_LOOKUP_SET);
	size_t at = run_register(run_get(run, NFTNL_EXPR_LOOKUP_SREG));
	const struct nftnl_set *set = ruleset_set(run->ruleset, run->chain, name);
	uint32_t length = set ? nftnl_set_get_u32(set, NFTNL_SET_KEY_LEN) : 0;
	bool inverted = run_get(run, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV;
	enum byte state = length ? run_state(run, at, length) : BYTE_UNKNOWN;
	struct found_element element = {0};
	enum found found = FOUND_UNKNOWN;

	if (state != BYTE_UNKNOWN)
		found = ruleset_look_up(run->ruleset, run->chain, name, run->registers->data + at,
					&element);
	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_LOOKUP_DREG))
		return take_element(run, state, found, &element);
	return match(run, found == FOUND_UNKNOWN ? BYTE_UNKNOWN : state,
		     (found == FOUND_YES) != inverted);
}

/* What has a threshold and a flag that says that it matches what is over. */
static bool run_threshold(const struct run *run)
{
	bool limit = strcmp(expression_name(run->expression), "limit") == 0;

	return !(run_get(run, limit ? NFTNL_EXPR_LIMIT_FLAGS : NFTNL_EXPR_CONNLIMIT_FLAGS) & 1u);
}

static bool passes_quota(const struct run *run, uint64_t bytes, uint64_t consumed, uint32_t flags)
{
	bool over = consumed + packet_length(run->packet) > bytes;

	return over == !!(flags & NFT_QUOTA_F_INV);
}

static bool run_quota(const struct run *run)
{
	return passes_quota(run, nftnl_expr_get_u64(run->expression, NFTNL_EXPR_QUOTA_BYTES),
			    nftnl_expr_get_u64(run->expression, NFTNL_EXPR_QUOTA_CONSUMED),
			    run_get(run, NFTNL_EXPR_QUOTA_FLAGS));
}

/* Limits and quotas that have a name; other objects let everything pass. */
static bool run_objref(const struct run *run)
{
	uint32_t type = run_get(run, NFTNL_EXPR_OBJREF_IMM_TYPE);
	bool decides = type == NFT_OBJECT_LIMIT || type == NFT_OBJECT_QUOTA ||
		       type == NFT_OBJECT_CONNLIMIT;
	bool matches = true;
	struct nftnl_obj *object = NULL;

	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_OBJREF_IMM_NAME) && !decides)
		return true;
	if (decides)
		object = ruleset_object(
			run->ruleset, run->chain, type,
			nftnl_expr_get_str(run->expression, NFTNL_EXPR_OBJREF_IMM_NAME));
	if (!object || type == NFT_OBJECT_CONNLIMIT) /* by a map, or not to be read */
		effect_doubt(run->effect, UNSURE, "objref");
	else if (type == NFT_OBJECT_LIMIT)
		matches = !(nftnl_obj_get_u32(object, NFTNL_OBJ_LIMIT_FLAGS) & NFT_LIMIT_F_INV);
	else
		matches = passes_quota(run, nftnl_obj_get_u64(object, NFTNL_OBJ_QUOTA_BYTES),
				       nftnl_obj_get_u64(object, NFTNL_OBJ_QUOTA_CONSUMED),
				       nftnl_obj_get_u32(object, NFTNL_OBJ_QUOTA_FLAGS));
	if (object)
		nftnl_obj_free(object);
	return matches;
}

static int run_inner(struct nftnl_expr *inner, void *data)
{
	const struct run *run = data;

	return expression_run(run->ruleset, run->chain, inner, run->packet, run->registers,
			      run->effect)
		       ? 0
		       : -1;
}

/* An element is noted; what it carries, by the rule or by the set, may be a limit of its own. */
static bool run_dynset(const struct run *run)
{
	const struct nftnl_set *set =
		ruleset_set(run->ruleset, run->chain,
			    nftnl_expr_get_str(run->expression, NFTNL_EXPR_DYNSET_SET_NAME));
	void *data = (void *)(uintptr_t)run;

	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_DYNSET_EXPR) ||
	    nftnl_expr_is_set(run->expression, NFTNL_EXPR_DYNSET_EXPRESSIONS))
		return nftnl_expr_expr_foreach(run->expression, run_inner, data) == 0;
	return !set || nftnl_set_expr_foreach(set, run_inner, data) == 0;
}

static bool end_with(const struct run *run, enum effect_kind kind)
{
	run->effect->kind = kind;
	return true;
}

static bool run_nat(const struct run *run)
{
	return end_with(run, run_get(run, NFTNL_EXPR_NAT_TYPE) == NFT_NAT_DNAT ? EFFECT_TRANSLATE
									       : EFFECT_ACCEPT);
}

/* Options of TCP that a first packet has. */
static bool put_tcp_option(const struct run *run, uint8_t type, bool presence)
{
	static const uint8_t usual[] = {2, 3, 4, 8}; /* segment size, window scale, SACK, time */
	uint32_t dreg = run_get(run, NFTNL_EXPR_EXTHDR_DREG);
	bool present = memchr(usual, type, sizeof(usual));

	if (run->packet->protocol != IPPROTO_TCP)
		return false;
	if (presence)
		return run_put_u8(run, dreg, present);
	if (!present)
		return false;
	if (type == 2 && run_get(run, NFTNL_EXPR_EXTHDR_OFFSET) == 2 &&
	    run_get(run, NFTNL_EXPR_EXTHDR_LEN) == 2)
		return run_put_u16(run, dreg, htons(1460));
	return run_put_unknown(run, dreg);
}

/* A packet has no options of IP, and no headers between. */
static bool run_exthdr(const struct run *run)
{
	uint32_t dreg = run_get(run, NFTNL_EXPR_EXTHDR_DREG);
	bool presence = run_get(run, NFTNL_EXPR_EXTHDR_FLAGS) & NFT_EXTHDR_F_PRESENT;

	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_EXTHDR_SREG))
		return true;
	switch (run_get(run, NFTNL_EXPR_EXTHDR_OP)) {
	case NFT_EXTHDR_OP_TCPOPT:
		return put_tcp_option(
			run, nftnl_expr_get_u8(run->expression, NFTNL_EXPR_EXTHDR_TYPE), presence);
	case NFT_EXTHDR_OP_IPV6:
	case NFT_EXTHDR_OP_IPV4:
		return presence && run_put_u8(run, dreg, 0);
	default:
		return run_put_unknown(run, dreg);
	}
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
	{"dup", run_nothing},
	{"dynset", run_dynset},
	{"exthdr", run_exthdr},
	{"fib", run_fib},
	{"flow_offload", run_nothing},
	{"fwd", run_translate},
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
	{"objref", run_objref},
	{"payload", run_payload},
	{"queue", run_queue},
	{"quota", run_quota},
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
