// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules to nf_tables rules.  A kind is a few pieces: what to do, and in which place of the
 * packet's way.  A piece matches, then acts; the place decides nothing but when it is asked.
 */
#include "compile.h"
#include "helper.h"
#include "trigger.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

void position_begin(struct rule *rule, const struct position *position)
{
	char chain[SCHEMA_NAME_MAX];

	rule_begin(rule, place_chain(chain, position->place, position->owner));
	rule_comment(rule, position->text);
}

int position_end(struct rule *rule, const struct position *position)
{
	return rule_insert(rule, position->transaction, position->before);
}

/* New connections to a port range, or to all ports, of an address. */
static int write_redirect(const struct position *position, const struct ipmasq_rule *of)
{
	const struct ipmasq_match *match = &of->redirect.match;
	const struct ipmasq_target *target = &of->redirect.targets[0];
	const struct family *family = family_of(match->family);
	struct ipmasq_net alias = {match->alias, (uint8_t)(32u * family->words)};
	struct rule rule;

	position_begin(&rule, position);
	if (ipmasq_address_is_any(&match->alias)) {
		match_own_address(&rule, match->family);
	} else {
		match_protocol_family(&rule, match->family);
		match_net(&rule, family->destination, &alias, NFT_CMP_EQ);
	}
	if (match->protocol)
		match_transport(&rule, match->protocol);
	if (match->ports.low)
		match_ports(&rule, DESTINATION_PORT_OFFSET, &match->ports);
	count(&rule);
	translate(&rule, NFT_NAT_DNAT, &target->address, target->port);
	return position_end(&rule, position);
}

/* What `target` serves may have to go back where it came from; see schema.c. */
static int write_hairpin(const struct position *position, const struct ipmasq_address *target)
{
	const struct family *family = family_of(target->family);
	struct rule rule;

	position_begin(&rule, position);
	load_ct(&rule, family->ct_source, IP_CT_DIR_REPLY, 0);
	compare(&rule, 0, NFT_CMP_EQ, target->bytes, 4u * family->words);
	verdict(&rule, NFT_GOTO, "hairpin");
	return position_end(&rule, position);
}

static int write_redirect_hairpin(const struct position *position, const struct ipmasq_rule *of)
{
	return write_hairpin(position, &of->redirect.targets[0].address);
}

/*
 * What leaves the net for somewhere else.  masquerade takes the address that the interface has
 * when the connection begins, and the kernel forgets the connections of an address that goes.
 */
static int write_masq(const struct position *position, const struct ipmasq_rule *of)
{
	const struct ipmasq_masq *masq = &of->masq;
	const struct family *family = family_of(masq->source.address.family);
	struct rule rule;

	position_begin(&rule, position);
	match_protocol_family(&rule, family->family);
	match_net(&rule, family->source, &masq->source, NFT_CMP_EQ);
	if (masq->source.bits) /* of everything there is no other side */
		match_net(&rule, family->destination, &masq->source, NFT_CMP_NEQ);
	if (masq->protocol)
		match_transport(&rule, masq->protocol);
	if (masq->interface[0])
		match_interface(&rule, NFT_META_OIFNAME, masq->interface, NFT_CMP_EQ);
	count(&rule);
	if (ipmasq_address_is_any(&masq->alias))
		masquerade(&rule);
	else
		translate(&rule, NFT_NAT_SNAT, &masq->alias, 0);
	return position_end(&rule, position);
}

/*
 * What passes this machine on its way elsewhere, but not what the server itself sends, so that
 * a proxy behind this machine does not get its own requests.  The machine's own connections do
 * not come by here.
 */
static int write_proxy_for(const struct position *position, const struct ipmasq_proxy *proxy,
			   uint8_t protocol)
{
	const struct family *family = family_of(proxy->server.family);
	struct ipmasq_net server = {proxy->server, (uint8_t)(32u * family->words)};
	struct ipmasq_ports port = {proxy->port, proxy->port};
	struct rule rule;

	position_begin(&rule, position);
	match_foreign_destination(&rule);
	match_protocol_family(&rule, family->family);
	match_net(&rule, family->source, &server, NFT_CMP_NEQ);
	if (proxy->source.address.family)
		match_net(&rule, family->source, &proxy->source, NFT_CMP_EQ);
	if (proxy->destination.address.family)
		match_net(&rule, family->destination, &proxy->destination, NFT_CMP_EQ);
	match_transport(&rule, protocol);
	if (proxy->port)
		match_ports(&rule, DESTINATION_PORT_OFFSET, &port);
	count(&rule);
	translate(&rule, NFT_NAT_DNAT, &proxy->server, proxy->server_port);
	return position_end(&rule, position);
}

static int write_proxy(const struct position *position, const struct ipmasq_rule *of)
{
	if (of->proxy.protocol)
		return write_proxy_for(position, &of->proxy, of->proxy.protocol);
	if (write_proxy_for(position, &of->proxy, IPPROTO_TCP) < 0)
		return -1;
	return write_proxy_for(position, &of->proxy, IPPROTO_UDP);
}

static int write_proxy_hairpin(const struct position *position, const struct ipmasq_rule *of)
{
	return write_hairpin(position, &of->proxy.server);
}

/*
 * Connections to these ports.  The kernel gives a connection another source port only when its
 * own is taken, so what is left to do is to count them and to keep this owner's other rules away.
 */
static int write_pin(const struct position *position, const struct ipmasq_rule *of)
{
	struct rule rule;

	position_begin(&rule, position);
	match_transport(&rule, of->pin.protocol);
	match_ports(&rule, DESTINATION_PORT_OFFSET, &of->pin.ports);
	count(&rule);
	verdict(&rule, NFT_RETURN, NULL);
	return position_end(&rule, position);
}

static const struct piece pin_pieces[] = {{PLACE_SOURCE, write_pin}};
static const struct piece helper_pieces[] = {{PLACE_HELPER, helper_write}};
static const struct piece proxy_pieces[] = {
	{PLACE_PROXY, write_proxy},
	{PLACE_HAIRPIN, write_proxy_hairpin},
};
static const struct piece trigger_pieces[] = {
	{PLACE_WATCH, trigger_write_watch},
	{PLACE_OPENED, trigger_write_opened},
};
static const struct piece masq_pieces[] = {{PLACE_SOURCE, write_masq}};

static const struct piece redirect_pieces[] = {
	{PLACE_RANGE, write_redirect},
	{PLACE_HAIRPIN, write_redirect_hairpin},
};

#define PIECES(list)                                   \
	{                                              \
		list, sizeof(list) / sizeof((list)[0]) \
	}

static const struct {
	const struct piece *pieces;
	size_t n;
} kinds[IPMASQ_KINDS] = {
	[IPMASQ_MASQ] = PIECES(masq_pieces),       [IPMASQ_PIN] = PIECES(pin_pieces),
	[IPMASQ_HELPER] = PIECES(helper_pieces),   [IPMASQ_PROXY] = PIECES(proxy_pieces),
	[IPMASQ_TRIGGER] = PIECES(trigger_pieces), [IPMASQ_REDIRECT] = PIECES(redirect_pieces),
};

size_t compile(const struct ipmasq_rule *rule, struct piece pieces[static PIECES_MAX])
{
	memcpy(pieces, kinds[rule->kind].pieces, kinds[rule->kind].n * sizeof(*pieces));
	return kinds[rule->kind].n;
}

int compile_forget(struct transaction *transaction, const struct ipmasq_rule *rule)
{
	if (rule->kind == IPMASQ_TRIGGER)
		return trigger_delete_maps(transaction, rule);
	if (rule->kind == IPMASQ_HELPER)
		return helper_delete_objects(transaction, rule);
	return 0;
}

static int redirect_supported(const struct ipmasq_redirect *redirect, struct ipmasq_error *error)
{
	if (redirect->match.remote_port || !ipmasq_address_is_any(&redirect->match.remote))
		return ipmasq_fail(
			error, EOPNOTSUPP,
			"the kernel engine does not look at the remote host of a redirect");
	if (redirect->n_targets != 1)
		return ipmasq_fail(
			error, EOPNOTSUPP,
			"the kernel engine shares connections by one port or by a mark; a "
			"port range and a whole address go to one host");
	return 0;
}

int compile_supported(const struct ipmasq_rule *rule, struct ipmasq_error *error)
{
	if (rule->kind == IPMASQ_PROXY && rule->proxy.encoding != IPMASQ_NO_ENCODE)
		return ipmasq_fail(
			error, EOPNOTSUPP,
			"the kernel engine cannot tell the server where a connection was "
			"going (encode_ip_hdr, encode_tcp_stream); the user engine, ipmasqd, "
			"can");
	if (rule->kind == IPMASQ_HELPER)
		return helper_supported(&rule->helper, error);
	if (rule->kind == IPMASQ_REDIRECT)
		return redirect_supported(&rule->redirect, error);
	return 0;
}
