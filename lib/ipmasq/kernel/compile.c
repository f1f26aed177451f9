// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules to nf_tables rules.  A kind is a few pieces: what to do, and in which place of the
 * packet's way.  A piece matches, then acts; the place decides nothing but when it is asked.
 */
#include "compile.h"
#include "expression.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* Begins a rule at the position; end() writes it there. */
static void begin(struct rule *rule, const struct position *position)
{
	char chain[SCHEMA_NAME_MAX];

	rule_begin(rule, place_chain(chain, position->place, position->owner));
	rule_comment(rule, position->text);
}

static int end(struct rule *rule, const struct position *position)
{
	return rule_insert(rule, position->transaction, position->before);
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

	begin(&rule, position);
	match_protocol_family(&rule, family->family);
	match_net(&rule, family->source, &masq->source, NFT_CMP_EQ);
	match_net(&rule, family->destination, &masq->source, NFT_CMP_NEQ);
	if (masq->protocol)
		match_transport(&rule, masq->protocol);
	if (masq->interface[0])
		match_output(&rule, masq->interface);
	count(&rule);
	if (ipmasq_address_is_any(&masq->alias))
		masquerade(&rule);
	else
		translate(&rule, NFT_NAT_SNAT, &masq->alias, 0);
	return end(&rule, position);
}

static const struct piece masq_pieces[] = {{PLACE_SOURCE, write_masq}};

static const struct {
	const struct piece *pieces;
	size_t n;
} kinds[IPMASQ_KINDS] = {
	[IPMASQ_MASQ] = {masq_pieces, sizeof(masq_pieces) / sizeof(masq_pieces[0])},
};

size_t compile(const struct ipmasq_rule *rule, struct piece pieces[static PIECES_MAX])
{
	memcpy(pieces, kinds[rule->kind].pieces, kinds[rule->kind].n * sizeof(*pieces));
	return kinds[rule->kind].n;
}

int compile_supported(const struct ipmasq_rule *rule, struct ipmasq_error *error)
{
	if (!kinds[rule->kind].n)
		return ipmasq_fail(error, EOPNOTSUPP,
				   "the kernel engine has no rules of this kind (%d)",
				   (int)rule->kind);
	return 0;
}
