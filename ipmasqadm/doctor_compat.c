// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Matches and targets that iptables-nft leaves in the form of its extensions.  The common ones are
 * evaluated; of the others it is said that they cannot be told.
 */
#include "doctor_ruleset.h"

#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <string.h>

enum match { MATCH_NO, MATCH_YES, MATCH_UNCLEAR };

static uint16_t port_of(const struct packet *packet, size_t offset)
{
	return (uint16_t)(packet->transport[offset] << 8 | packet->transport[offset + 1]);
}

static bool in_range(const uint16_t range[2], uint16_t port, bool inverted)
{
	return (port >= range[0] && port <= range[1]) != inverted;
}

/* A stranger's own port is taken for one that nobody has written down. */
static enum match match_ports(const struct packet *packet, const uint16_t source[2],
			      const uint16_t destination[2], uint8_t inverted)
{
	bool any_source = source[0] == 0 && source[1] == 0xffff;
	bool any_destination = destination[0] == 0 && destination[1] == 0xffff;

	if ((!any_source && packet->transport_state[0]) ||
	    (!any_destination && packet->transport_state[2]))
		return MATCH_UNCLEAR;
	return (any_source || in_range(source, port_of(packet, 0), inverted & XT_TCP_INV_SRCPT)) &&
			       (any_destination || in_range(destination, port_of(packet, 2),
							    inverted & XT_TCP_INV_DSTPT))
		       ? MATCH_YES
		       : MATCH_NO;
}

static enum match match_tcp(const struct packet *packet, const void *data, uint32_t revision)
{
	const struct xt_tcp *tcp = data;

	(void)revision;
	if (packet->protocol != IPPROTO_TCP)
		return MATCH_NO;
	if (tcp->option || ((packet->transport[13] & tcp->flg_mask) == tcp->flg_cmp) ==
				   !!(tcp->invflags & XT_TCP_INV_FLAGS))
		return tcp->option ? MATCH_UNCLEAR : MATCH_NO;
	return match_ports(packet, tcp->spts, tcp->dpts, tcp->invflags);
}

static enum match match_udp(const struct packet *packet, const void *data, uint32_t revision)
{
	const struct xt_udp *udp = data;

	(void)revision;
	return packet->protocol == IPPROTO_UDP
		       ? match_ports(packet, udp->spts, udp->dpts, udp->invflags)
		       : MATCH_NO;
}

static enum match match_conntrack(const struct packet *packet, const void *data, uint32_t revision)
{
	const struct xt_conntrack_mtinfo3 *info = data;
	unsigned int state = packet->ct_state;
	bool within;

	if (revision < 2 || (info->match_flags & ~XT_CONNTRACK_STATE_ALIAS) != XT_CONNTRACK_STATE)
		return MATCH_UNCLEAR;
	if (packet->ct_status & IPS_DST_NAT)
		state |= XT_CONNTRACK_STATE_DNAT;
	within = info->state_mask & state;
	return within != !!(info->invert_flags & XT_CONNTRACK_STATE) ? MATCH_YES : MATCH_NO;
}

static enum match match_addrtype(const struct packet *packet, const void *data, uint32_t revision)
{
	const struct xt_addrtype_info_v1 *info = data;
	unsigned int type = packet->own_address ? XT_ADDRTYPE_LOCAL : XT_ADDRTYPE_UNICAST;

	if (revision != 1 || info->source)
		return MATCH_UNCLEAR;
	return !!(info->dest & type) != !!(info->flags & XT_ADDRTYPE_INVERT_DEST) ? MATCH_YES
										  : MATCH_NO;
}

static enum match match_always(const struct packet *packet, const void *data, uint32_t revision)
{
	(void)packet;
	(void)data;
	(void)revision;
	return MATCH_YES;
}

static const struct {
	const char *name;
	size_t size;
	enum match (*match)(const struct packet *packet, const void *data, uint32_t revision);
} matches[] = {
	{"comment", 0, match_always},
	{"tcp", sizeof(struct xt_tcp), match_tcp},
	{"udp", sizeof(struct xt_udp), match_udp},
	{"conntrack", sizeof(struct xt_conntrack_mtinfo2), match_conntrack},
	{"addrtype", sizeof(struct xt_addrtype_info_v1), match_addrtype},
};

static const struct {
	const char *name;
	enum effect_kind kind;
} targets[] = {
	{"REJECT", EFFECT_DROP},       {"DNAT", EFFECT_TRANSLATE},   {"REDIRECT", EFFECT_TRANSLATE},
	{"NETMAP", EFFECT_TRANSLATE},  {"TPROXY", EFFECT_TRANSLATE}, {"SNAT", EFFECT_ACCEPT},
	{"MASQUERADE", EFFECT_ACCEPT}, {"NFQUEUE", EFFECT_QUEUE},    {"LOG", EFFECT_NONE},
	{"NFLOG", EFFECT_NONE},        {"TCPMSS", EFFECT_NONE},      {"CONNMARK", EFFECT_NONE},
	{"CHECKSUM", EFFECT_NONE},     {"CLASSIFY", EFFECT_NONE},    {"DSCP", EFFECT_NONE},
};

static bool run_match(const struct nftnl_expr *expression, const struct packet *packet,
		      struct effect *effect)
{
	const char *name = nftnl_expr_get_str(expression, NFTNL_EXPR_MT_NAME);
	uint32_t size, revision = nftnl_expr_get_u32(expression, NFTNL_EXPR_MT_REV);
	const void *data = nftnl_expr_get(expression, NFTNL_EXPR_MT_INFO, &size);
	enum match match = MATCH_UNCLEAR;

	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++)
		if (strcmp(matches[i].name, name) == 0 && data && size >= matches[i].size)
			match = matches[i].match(packet, data, revision);
	if (match == MATCH_UNCLEAR)
		effect_doubt(effect, UNSURE, "an extension of iptables");
	return match != MATCH_NO;
}

bool compat_run(const struct nftnl_expr *expression, const char *kind, const struct packet *packet,
		struct effect *effect)
{
	const char *name;

	if (strcmp(kind, "match") == 0)
		return run_match(expression, packet, effect);
	name = nftnl_expr_get_str(expression, NFTNL_EXPR_TG_NAME);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (strcmp(targets[i].name, name) == 0)
			effect->kind = targets[i].kind;
	return true;
}
