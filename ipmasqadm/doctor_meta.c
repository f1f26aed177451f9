// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel knows of a packet beside its bytes: meta, ct and fib.
 *
 * Marks are followed from the rule that sets them, for the connection too, since firewalls say with
 * them what they have found out.
 */
#include "doctor_expression.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <string.h>

static bool put_link(const struct run *run, uint32_t dreg, uint32_t key)
{
	bool in = key == NFT_META_IIF || key == NFT_META_IIFNAME;
	const struct net_link *link = in ? run->packet->in : run->packet->out;
	char name[IF_NAMESIZE] = "";
	bool there = in ? run->packet->has_in : run->packet->has_out;

	/* Where the hook has none, the kernel reads number 0 and an empty name. */
	if (there && !link)
		return run_put_unknown(run, dreg);
	if (key == NFT_META_IIF || key == NFT_META_OIF)
		return run_put_u32(run, dreg, there ? link->index : 0);
	if (there)
		memcpy(name, link->name, sizeof(name));
	return run_put(run, dreg, name, sizeof(name), BYTE_KNOWN);
}

/* A mark that a rule sets from a register. */
static bool set_mark(const struct run *run, struct packet_mark *mark, uint32_t sreg)
{
	size_t from = run_register(sreg);
	uint32_t value = 0;
	enum byte state = run_state(run, from, sizeof(value));

	if (from < REGISTERS)
		memcpy(&value, run->registers->data + from, sizeof(value));
	packet_set_mark(run->packet, mark, value, state, run->effect->certainty);
	return true;
}

static bool put_mark(const struct run *run, uint32_t dreg, const struct packet_mark *mark)
{
	return run_put(run, dreg, &mark->value, sizeof(mark->value), mark->state);
}

static bool set_meta(const struct run *run)
{
	if (run_get(run, NFTNL_EXPR_META_KEY) != NFT_META_MARK)
		return true;
	return set_mark(run, &run->packet->mark, run_get(run, NFTNL_EXPR_META_SREG));
}

bool run_meta(const struct run *run)
{
	const struct packet *packet = run->packet;
	uint32_t key = run_get(run, NFTNL_EXPR_META_KEY), dreg = run_get(run, NFTNL_EXPR_META_DREG);

	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_META_SREG))
		return set_meta(run);
	switch (key) {
	case NFT_META_IIF:
	case NFT_META_IIFNAME:
	case NFT_META_OIF:
	case NFT_META_OIFNAME:
		return put_link(run, dreg, key);
	case NFT_META_PROTOCOL:
		return run_put_u16(run, dreg, htons(packet->family == AF_INET ? 0x0800 : 0x86dd));
	case NFT_META_NFPROTO:
		return run_put_u8(run, dreg, packet->family);
	case NFT_META_L4PROTO:
		return packet->protocol ? run_put_u8(run, dreg, packet->protocol)
					: run_put_unknown(run, dreg);
	case NFT_META_MARK:
		return put_mark(run, dreg, &packet->mark);
	case NFT_META_LEN:
		return run_put_u32(run, dreg, packet_length(packet));
	case NFT_META_PKTTYPE:
	case NFT_META_SECPATH:
	case NFT_META_NFTRACE:
		return run_put_u8(run, dreg, 0); /* to this host, no IPsec, no trace */
	case NFT_META_SKUID:
	case NFT_META_SKGID:
	case NFT_META_CGROUP: /* a forwarded packet has no socket */
		return packet->own && run_put_unknown(run, dreg);
	default:
		return run_put_unknown(run, dreg);
	}
}

/* An end of the connection's tuple: a stranger's, or the forward's. */
static bool put_tuple(const struct run *run, uint32_t dreg, bool source, bool reply)
{
	const struct forward *forward = run->packet->forward;
	struct ipmasq_address address = packet_stranger(forward->alias.family);
	size_t length = ipmasq_address_length(address.family);

	if (source != reply) {
		bool anybody = ipmasq_address_is_any(&forward->remote);

		return run_put(run, dreg, anybody ? address.bytes : forward->remote.bytes, length,
			       anybody ? BYTE_STRANGER : BYTE_KNOWN);
	}
	address = reply ? forward->inside : forward->entry;
	return run_put(run, dreg, address.bytes, length,
		       ipmasq_address_is_any(&address) ? BYTE_UNKNOWN : BYTE_KNOWN);
}

static bool put_tuple_port(const struct run *run, uint32_t dreg, bool source, bool reply)
{
	const struct forward *forward = run->packet->forward;

	uint16_t port = reply ? forward->inside_port : forward->port;

	if (source != reply || !port)
		return run_put_unknown(run, dreg);
	return run_put_u16(run, dreg, htons(port));
}

static bool set_ct(const struct run *run)
{
	if (run_get(run, NFTNL_EXPR_CT_KEY) != NFT_CT_MARK || !run->packet->tracked)
		return true;
	return set_mark(run, &run->packet->ct_mark, run_get(run, NFTNL_EXPR_CT_SREG));
}

bool run_ct(const struct run *run)
{
	const struct packet *packet = run->packet;
	uint32_t key = run_get(run, NFTNL_EXPR_CT_KEY), dreg = run_get(run, NFTNL_EXPR_CT_DREG);
	bool has_direction = nftnl_expr_is_set(run->expression, NFTNL_EXPR_CT_DIR);
	bool reply = has_direction ? nftnl_expr_get_u8(run->expression, NFTNL_EXPR_CT_DIR) != 0
				   : packet->answer;

	if (nftnl_expr_is_set(run->expression, NFTNL_EXPR_CT_SREG))
		return set_ct(run);
	if (!packet->tracked) /* before conntrack: every key but the state has none */
		return key == NFT_CT_STATE ? run_put_u32(run, dreg, 1u) : false;
	switch (key) {
	case NFT_CT_STATE:
		return run_put_u32(run, dreg, packet->ct_state);
	case NFT_CT_STATUS:
		return run_put_u32(run, dreg, packet->ct_status);
	case NFT_CT_DIRECTION:
		return run_put_u8(run, dreg, packet->answer);
	case NFT_CT_MARK:
		return put_mark(run, dreg, &packet->ct_mark);
	case NFT_CT_L3PROTOCOL:
		return run_put_u8(run, dreg, packet->family);
	case NFT_CT_PROTOCOL:
		return packet->protocol ? run_put_u8(run, dreg, packet->protocol)
					: run_put_unknown(run, dreg);
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
		return run_put_u16(run, dreg, 0);
	default:
		return run_put_unknown(run, dreg);
	}
}

/* A stranger comes by the interface that the route to him has; reverse paths are checked elsewhere.
 */
bool run_fib(const struct run *run)
{
	const struct packet *packet = run->packet;
	uint32_t dreg = run_get(run, NFTNL_EXPR_FIB_DREG),
		 flags = run_get(run, NFTNL_EXPR_FIB_FLAGS);
	bool local = flags & NFTA_FIB_F_DADDR ? packet->own_address : packet->own;

	switch (run_get(run, NFTNL_EXPR_FIB_RESULT)) {
	case NFT_FIB_RESULT_ADDRTYPE:
		return run_put_u32(run, dreg, local ? RTN_LOCAL : RTN_UNICAST);
	case NFT_FIB_RESULT_OIF:
		if (flags & NFTA_FIB_F_PRESENT)
			return run_put_u8(run, dreg, 1);
		return packet->in ? run_put_u32(run, dreg, packet->in->index)
				  : run_put_unknown(run, dreg);
	default:
		return run_put_unknown(run, dreg);
	}
}
