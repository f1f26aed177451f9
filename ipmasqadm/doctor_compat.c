// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Matches and targets that iptables-nft leaves in the form of its extensions.
 *
 * Those that firewalls are made of are evaluated, for the packet that doctor_packet.c has made; of
 * the others it is said that they cannot be told.  Rates, and lists of sources seen before, are
 * taken as a first packet finds them.  Their data are as long as the kernel took them, which the
 * table checks.
 */
#include "doctor_ruleset.h"

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_connlimit.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_hashlimit.h>
#include <linux/netfilter/xt_helper.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter/xt_length.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netfilter/xt_pkttype.h>
#include <linux/netfilter/xt_policy.h>
#include <linux/netfilter/xt_recent.h>
#include <linux/netfilter/xt_rpfilter.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/netfilter_ipv4/ipt_ttl.h>
#include <stddef.h>
#include <string.h>

#define UP_TO(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/* An extension's data, and the packet that it is asked about. */
struct asking {
	struct packet *packet;
	struct effect *effect;
	const void *data;
	uint32_t size, revision;
};

enum match { MATCH_NO, MATCH_YES, MATCH_MOST, MATCH_SOME, MATCH_UNCLEAR };

static enum match yes(bool matches)
{
	return matches ? MATCH_YES : MATCH_NO;
}

/* The outcome for what stands there, when that is in this state. */
static enum match in_state(enum byte state, bool matches)
{
	switch (state) {
	case BYTE_KNOWN:
		return yes(matches);
	case BYTE_STRANGER:
		return matches ? MATCH_MOST : MATCH_SOME;
	default:
		return MATCH_UNCLEAR;
	}
}

static uint16_t port_of(const struct packet *packet, size_t offset)
{
	return (uint16_t)(packet->transport[offset] << 8 | packet->transport[offset + 1]);
}

static bool in_range(const uint16_t range[2], uint16_t port, bool inverted)
{
	return (port >= range[0] && port <= range[1]) != inverted;
}

static enum match match_ports(const struct packet *packet, const uint16_t source[2],
			      const uint16_t destination[2], uint8_t inverted)
{
	bool any = source[0] == 0 && source[1] == 0xffff;
	enum byte state = packet->transport_state[2];

	if (!any && packet->transport_state[0] > state)
		state = packet->transport_state[0];
	if (destination[0] == 0 && destination[1] == 0xffff)
		state = any ? BYTE_KNOWN : packet->transport_state[0];
	return in_state(state, in_range(source, port_of(packet, 0), inverted & XT_TCP_INV_SRCPT) &&
				       in_range(destination, port_of(packet, 2),
						inverted & XT_TCP_INV_DSTPT));
}

static enum match match_tcp(const struct asking *asking)
{
	const struct xt_tcp *tcp = asking->data;
	const struct packet *packet = asking->packet;
	bool flags = (packet->transport[13] & tcp->flg_mask) == tcp->flg_cmp;

	enum match ports = match_ports(packet, tcp->spts, tcp->dpts, tcp->invflags);

	if (!packet->protocol)
		return MATCH_UNCLEAR;
	if (packet->protocol != IPPROTO_TCP || flags == !!(tcp->invflags & XT_TCP_INV_FLAGS))
		return MATCH_NO;
	return tcp->option && ports != MATCH_NO ? MATCH_UNCLEAR : ports;
}

static enum match match_udp(const struct asking *asking)
{
	const struct xt_udp *udp = asking->data;

	if (!asking->packet->protocol)
		return MATCH_UNCLEAR;
	return asking->packet->protocol == IPPROTO_UDP
		       ? match_ports(asking->packet, udp->spts, udp->dpts, udp->invflags)
		       : MATCH_NO;
}

/* A range is a port with a flag and the port behind it. */
static bool lists_port(const struct xt_multiport_v1 *list, uint16_t port)
{
	for (size_t i = 0; i < list->count && i < XT_MULTI_PORTS; i++) {
		uint16_t range[2] = {list->ports[i], list->ports[i]};

		if (list->pflags[i] && i + 1 < XT_MULTI_PORTS)
			range[1] = list->ports[++i];
		if (in_range(range, port, false))
			return true;
	}
	return false;
}

static enum match match_multiport(const struct asking *asking)
{
	const struct xt_multiport_v1 *list = asking->data;
	bool source = list->flags != XT_MULTIPORT_DESTINATION &&
		      lists_port(list, port_of(asking->packet, 0));
	bool destination =
		list->flags != XT_MULTIPORT_SOURCE && lists_port(list, port_of(asking->packet, 2));

	if (asking->revision != 1 || !asking->packet->protocol ||
	    (list->flags != XT_MULTIPORT_DESTINATION && asking->packet->transport_state[0]) ||
	    (list->flags != XT_MULTIPORT_SOURCE && asking->packet->transport_state[2]))
		return MATCH_UNCLEAR;
	return yes((source || destination) != !!list->invert);
}

/* What is compared of a connection; inverted each by itself. */
static bool fits(const struct xt_conntrack_mtinfo3 *info, uint16_t flag, bool same)
{
	return !(info->match_flags & flag) || same != !!(info->invert_flags & flag);
}

static enum match match_conntrack(const struct asking *asking)
{
	const uint16_t told = XT_CONNTRACK_STATE | XT_CONNTRACK_STATE_ALIAS | XT_CONNTRACK_PROTO |
			      XT_CONNTRACK_STATUS | XT_CONNTRACK_ORIGDST_PORT |
			      XT_CONNTRACK_REPLSRC_PORT | XT_CONNTRACK_DIRECTION;
	const struct xt_conntrack_mtinfo3 *info = asking->data;
	const struct packet *packet = asking->packet;
	uint16_t outside[2], inside[2];
	unsigned int state = packet->tracked ? packet->ct_state : XT_CONNTRACK_STATE_INVALID;

	if (asking->revision != 3)
		return MATCH_UNCLEAR;
	outside[0] = info->origdst_port;
	outside[1] = info->origdst_port_high;
	inside[0] = info->replsrc_port;
	inside[1] = info->replsrc_port_high;
	if (packet->tracked && packet->ct_status & IPS_DST_NAT)
		state |= XT_CONNTRACK_STATE_DNAT;
	if (!fits(info, XT_CONNTRACK_STATE, info->state_mask & state))
		return MATCH_NO;
	if (!packet->tracked)
		return yes(info->match_flags & XT_CONNTRACK_STATE);
	if (!fits(info, XT_CONNTRACK_PROTO, info->l4proto == packet->protocol) ||
	    !fits(info, XT_CONNTRACK_STATUS, info->status_mask & packet->ct_status) ||
	    !fits(info, XT_CONNTRACK_DIRECTION, !packet->answer) ||
	    !fits(info, XT_CONNTRACK_ORIGDST_PORT,
		  in_range(outside, packet->forward->port, false)) ||
	    !fits(info, XT_CONNTRACK_REPLSRC_PORT,
		  in_range(inside, packet->forward->inside_port, false)))
		return MATCH_NO;
	return info->match_flags & ~told ? MATCH_UNCLEAR : MATCH_YES;
}

static enum match match_addrtype(const struct asking *asking)
{
	const struct xt_addrtype_info_v1 *info = asking->data;
	unsigned int type = asking->packet->own_address ? XT_ADDRTYPE_LOCAL : XT_ADDRTYPE_UNICAST;

	if (asking->revision != 1 || info->source)
		return MATCH_UNCLEAR;
	return yes(!!(info->dest & type) != !!(info->flags & XT_ADDRTYPE_INVERT_DEST));
}

static enum match match_mark(const struct asking *asking)
{
	const struct xt_mark_mtinfo1 *info = asking->data;
	const struct packet_mark *mark = &asking->packet->mark;

	return in_state(mark->state, ((mark->value & info->mask) == info->mark) != info->invert);
}

static enum match match_connmark(const struct asking *asking)
{
	const struct xt_connmark_mtinfo1 *info = asking->data;
	const struct packet_mark *mark = &asking->packet->ct_mark;

	if (!asking->packet->tracked)
		return MATCH_NO;
	return in_state(mark->state, ((mark->value & info->mask) == info->mark) != info->invert);
}

static enum match match_iprange(const struct asking *asking)
{
	const struct xt_iprange_mtinfo *info = asking->data;
	const struct packet *packet = asking->packet;
	bool v4 = packet->family == AF_INET, source, destination;
	size_t length = v4 ? 4 : 16, from = v4 ? 12 : 8, to = v4 ? 16 : 24;
	enum byte state = BYTE_KNOWN;

	source = memcmp(packet->network + from, &info->src_min, length) >= 0 &&
		 memcmp(packet->network + from, &info->src_max, length) <= 0;
	destination = memcmp(packet->network + to, &info->dst_min, length) >= 0 &&
		      memcmp(packet->network + to, &info->dst_max, length) <= 0;
	if (info->flags & IPRANGE_SRC)
		state = packet->network_state[from];
	if (info->flags & IPRANGE_DST && packet->network_state[to] > state)
		state = packet->network_state[to];
	return in_state(state, (!(info->flags & IPRANGE_SRC) ||
				source != !!(info->flags & IPRANGE_SRC_INV)) &&
				       (!(info->flags & IPRANGE_DST) ||
					destination != !!(info->flags & IPRANGE_DST_INV)));
}

static enum match match_length(const struct asking *asking)
{
	const struct xt_length_info *info = asking->data;
	const uint16_t range[2] = {info->min, info->max};

	return yes(in_range(range, (uint16_t)packet_length(asking->packet), info->invert));
}

/* IPv6's hop limit has the same data. */
static enum match match_ttl(const struct asking *asking)
{
	const struct ipt_ttl_info *info = asking->data;
	uint8_t ttl = asking->packet->network[asking->packet->family == AF_INET ? 8 : 7];

	switch (info->mode) {
	case IPT_TTL_EQ:
		return yes(ttl == info->ttl);
	case IPT_TTL_NE:
		return yes(ttl != info->ttl);
	case IPT_TTL_LT:
		return yes(ttl < info->ttl);
	default:
		return yes(ttl > info->ttl);
	}
}

static enum match match_pkttype(const struct asking *asking)
{
	const struct xt_pkttype_info *info = asking->data;

	return yes((info->pkttype == PACKET_HOST) != !!info->invert);
}

/* No packet comes by IPsec here. */
static enum match match_policy(const struct asking *asking)
{
	const struct xt_policy_info *info = asking->data;

	return yes(info->flags & XT_POLICY_MATCH_NONE);
}

static enum match match_helper(const struct asking *asking)
{
	const struct xt_helper_info *info = asking->data;

	return yes(info->invert);
}

static enum match match_connlimit(const struct asking *asking)
{
	const struct xt_connlimit_info *info = asking->data;

	return asking->revision == 1 ? yes(info->flags & XT_CONNLIMIT_INVERT) : MATCH_UNCLEAR;
}

static enum match match_hashlimit(const struct asking *asking)
{
	const struct xt_hashlimit_mtinfo1 *first = asking->data;
	const struct xt_hashlimit_mtinfo2 *second = asking->data;
	const struct xt_hashlimit_mtinfo3 *third = asking->data;

	if (asking->revision > 1 && asking->size < UP_TO(struct xt_hashlimit_mtinfo3, cfg))
		return MATCH_UNCLEAR;
	switch (asking->revision) {
	case 1:
		return yes(!(first->cfg.mode & XT_HASHLIMIT_INVERT));
	case 2:
		return yes(!(second->cfg.mode & XT_HASHLIMIT_INVERT));
	case 3:
		return yes(!(third->cfg.mode & XT_HASHLIMIT_INVERT));
	default:
		return MATCH_UNCLEAR;
	}
}

/* Of a source that was not seen before. */
static enum match match_recent(const struct asking *asking)
{
	const struct xt_recent_mtinfo *info = asking->data;

	return yes(!!(info->check_set & XT_RECENT_SET) != !!info->invert);
}

static enum match match_rpfilter(const struct asking *asking)
{
	const struct xt_rpfilter_info *info = asking->data;

	return yes(!(info->flags & XT_RPFILTER_INVERT));
}

/* What is forwarded has no socket, and so nothing of its owner's. */
static enum match match_owner(const struct asking *asking)
{
	const struct xt_owner_match_info *info = asking->data;

	return asking->packet->own ? MATCH_UNCLEAR : yes(info->match == info->invert);
}

static enum match match_always(const struct asking *asking)
{
	(void)asking;
	return MATCH_YES;
}

/* Protocols that no forward of a port has. */
static enum match match_never(const struct asking *asking)
{
	(void)asking;
	return MATCH_NO;
}

static const struct {
	const char *name;
	size_t size;
	enum match (*match)(const struct asking *asking);
} matches[] = {
	{"addrtype", sizeof(struct xt_addrtype_info_v1), match_addrtype},
	{"comment", 0, match_always},
	{"connlimit", UP_TO(struct xt_connlimit_info, flags), match_connlimit},
	{"connmark", sizeof(struct xt_connmark_mtinfo1), match_connmark},
	{"conntrack", sizeof(struct xt_conntrack_mtinfo3), match_conntrack},
	{"hashlimit", UP_TO(struct xt_hashlimit_mtinfo1, cfg), match_hashlimit},
	{"helper", sizeof(struct xt_helper_info), match_helper},
	{"hl", sizeof(struct ipt_ttl_info), match_ttl},
	{"icmp", 0, match_never},
	{"icmp6", 0, match_never},
	{"iprange", sizeof(struct xt_iprange_mtinfo), match_iprange},
	{"length", sizeof(struct xt_length_info), match_length},
	{"limit", 0, match_always},
	{"mark", sizeof(struct xt_mark_mtinfo1), match_mark},
	{"multiport", sizeof(struct xt_multiport_v1), match_multiport},
	{"owner", sizeof(struct xt_owner_match_info), match_owner},
	{"pkttype", sizeof(struct xt_pkttype_info), match_pkttype},
	{"policy", sizeof(struct xt_policy_info), match_policy},
	{"recent", UP_TO(struct xt_recent_mtinfo, invert), match_recent},
	{"rpfilter", sizeof(struct xt_rpfilter_info), match_rpfilter},
	{"tcp", sizeof(struct xt_tcp), match_tcp},
	{"ttl", sizeof(struct ipt_ttl_info), match_ttl},
	{"udp", sizeof(struct xt_udp), match_udp},
};

static bool run_match(const struct nftnl_expr *expression, struct asking *asking)
{
	const char *name = nftnl_expr_get_str(expression, NFTNL_EXPR_MT_NAME);
	enum match match = MATCH_UNCLEAR;

	asking->revision = nftnl_expr_get_u32(expression, NFTNL_EXPR_MT_REV);
	asking->data = nftnl_expr_get(expression, NFTNL_EXPR_MT_INFO, &asking->size);
	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++)
		if (strcmp(matches[i].name, name) == 0 && asking->data &&
		    asking->size >= matches[i].size)
			match = matches[i].match(asking);
	if (match >= MATCH_MOST)
		effect_doubt(asking->effect,
			     match == MATCH_MOST   ? MOST
			     : match == MATCH_SOME ? SOME
						   : UNSURE,
			     name);
	return match != MATCH_NO;
}

static void target_mark(struct asking *asking)
{
	const struct xt_mark_tginfo2 *info = asking->data;
	struct packet_mark *mark = &asking->packet->mark;

	packet_set_mark(asking->packet, mark, (mark->value & ~info->mask) ^ info->mark, mark->state,
			asking->effect->certainty);
}

static void target_connmark(struct asking *asking)
{
	const struct xt_connmark_tginfo1 *first = asking->data;
	const struct xt_connmark_tginfo2 *second = asking->data;
	struct packet_mark *mark = &asking->packet->mark, *ct_mark = &asking->packet->ct_mark;
	enum byte worse = mark->state > ct_mark->state ? mark->state : ct_mark->state;
	unsigned int mode = asking->revision == 1 ? first->mode : second->mode;

	if (asking->revision != 1 && second->shift_bits)
		worse = BYTE_UNKNOWN;
	if (mode == XT_CONNMARK_SET)
		packet_set_mark(asking->packet, ct_mark,
				(ct_mark->value & ~first->ctmask) ^ first->ctmark, ct_mark->state,
				asking->effect->certainty);
	else if (mode == XT_CONNMARK_SAVE)
		packet_set_mark(asking->packet, ct_mark,
				(ct_mark->value & ~first->ctmask) ^ (mark->value & first->nfmask),
				worse, asking->effect->certainty);
	else
		packet_set_mark(asking->packet, mark,
				(mark->value & ~first->nfmask) ^ (ct_mark->value & first->ctmask),
				worse, asking->effect->certainty);
}

static void target_ct(struct asking *asking)
{
	const struct xt_ct_target_info *info = asking->data;

	if (info->flags & XT_CT_NOTRACK)
		asking->effect->kind = EFFECT_UNTRACK;
}

/* A target: what it does to the packet, or, without a function, its effect. */
static const struct {
	const char *name;
	enum effect_kind kind;
	void (*run)(struct asking *asking);
	size_t size;
} targets[] = {
	{"AUDIT", EFFECT_NONE, NULL, 0},
	{"CHECKSUM", EFFECT_NONE, NULL, 0},
	{"CLASSIFY", EFFECT_NONE, NULL, 0},
	{"CONNMARK", EFFECT_NONE, target_connmark, sizeof(struct xt_connmark_tginfo1)},
	{"CT", EFFECT_NONE, target_ct, UP_TO(struct xt_ct_target_info, flags)},
	{"DNAT", EFFECT_TRANSLATE, NULL, 0},
	{"DSCP", EFFECT_NONE, NULL, 0},
	{"ECN", EFFECT_NONE, NULL, 0},
	{"HL", EFFECT_NONE, NULL, 0},
	{"LOG", EFFECT_NONE, NULL, 0},
	{"MARK", EFFECT_NONE, target_mark, sizeof(struct xt_mark_tginfo2)},
	{"MASQUERADE", EFFECT_ACCEPT, NULL, 0},
	{"NETMAP", EFFECT_TRANSLATE, NULL, 0},
	{"NFLOG", EFFECT_NONE, NULL, 0},
	{"NFQUEUE", EFFECT_QUEUE, NULL, 0},
	{"NOTRACK", EFFECT_UNTRACK, NULL, 0},
	{"REDIRECT", EFFECT_TRANSLATE, NULL, 0},
	{"REJECT", EFFECT_DROP, NULL, 0},
	{"SET", EFFECT_NONE, NULL, 0},
	{"SNAT", EFFECT_ACCEPT, NULL, 0},
	{"TCPMSS", EFFECT_NONE, NULL, 0},
	{"TCPOPTSTRIP", EFFECT_NONE, NULL, 0},
	{"TEE", EFFECT_NONE, NULL, 0},
	{"TOS", EFFECT_NONE, NULL, 0},
	{"TPROXY", EFFECT_TRANSLATE, NULL, 0},
	{"TRACE", EFFECT_NONE, NULL, 0},
	{"TTL", EFFECT_NONE, NULL, 0},
};

static void run_target(const struct nftnl_expr *expression, struct asking *asking)
{
	const char *name = nftnl_expr_get_str(expression, NFTNL_EXPR_TG_NAME);

	asking->revision = nftnl_expr_get_u32(expression, NFTNL_EXPR_TG_REV);
	asking->data = nftnl_expr_get(expression, NFTNL_EXPR_TG_INFO, &asking->size);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		if (strcmp(targets[i].name, name) != 0)
			continue;
		asking->effect->kind = targets[i].kind;
		if (targets[i].run && asking->data && asking->size >= targets[i].size)
			targets[i].run(asking);
		return;
	}
	effect_doubt(asking->effect, UNSURE, name); /* it may well drop */
	asking->effect->kind = EFFECT_DROP;
}

bool compat_run(const struct nftnl_expr *expression, const char *kind, struct packet *packet,
		struct effect *effect)
{
	struct asking asking = {.packet = packet, .effect = effect};

	if (strcmp(kind, "match") == 0)
		return run_match(expression, &asking);
	run_target(expression, &asking);
	return true;
}
