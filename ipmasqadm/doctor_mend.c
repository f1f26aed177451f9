// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rule that would let a packet pass, as a command for whoever made the table.
 *
 * It is added before the rule or policy that takes the packet, so that nothing of somebody else's
 * is lost, and it is as narrow as the place allows: what forwards have translated, the answers of
 * connections, or an address and a port where neither is known yet.  A table that iptables made is
 * iptables' to change, since it does not understand rules of others in it.
 */
#include "doctor_ruleset.h"

#include <ctype.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <string.h>

#define MATCH_TEXT 128

const char *mend_family(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_NETDEV:
		return "netdev";
	case NFPROTO_BRIDGE:
		return "bridge";
	default:
		return "inet";
	}
}

/* Whether nft, and a shell, take the name as it is. */
static bool is_plain(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	while (isalnum((unsigned char)*name) || (*name && strchr("_.-/", *name)))
		name++;
	return !*name;
}

static bool is_iptables(const struct ruleset *ruleset, const struct chain *chain)
{
	static const char *const hooks[] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
					    "POSTROUTING"};

	if (chain->place.family != NFPROTO_IPV4 && chain->place.family != NFPROTO_IPV6)
		return false;
	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		const struct chain *base = ruleset_chain(ruleset, chain, hooks[i]);

		if (base && base->base)
			return true;
	}
	return false;
}

static void write_address(const struct packet *packet, bool source, bool iptables, char *text)
{
	bool v4 = packet->family == AF_INET;
	size_t at = v4 ? (source ? 12 : 16) : (source ? 8 : 24);
	struct ipmasq_address address = {.family = packet->family};
	char written[IPMASQ_ADDRESS_TEXT];

	*text = '\0';
	if (packet->network_state[at] != BYTE_KNOWN ||
	    (packet->forward->of_any && !packet->answer && !packet->translated))
		return;
	memcpy(address.bytes, packet->network + at, ipmasq_address_length(packet->family));
	ipmasq_address_text(&address, written);
	if (iptables)
		snprintf(text, MATCH_TEXT / 2, "-%c %s ", source ? 's' : 'd', written);
	else
		snprintf(text, MATCH_TEXT / 2, "%s %caddr %s ", v4 ? "ip" : "ip6",
			 source ? 's' : 'd', written);
}

/* The match, with a blank behind it. */
static void write_match(const struct packet *packet, bool tracked, bool iptables, char *text)
{
	size_t at = packet->answer ? 0 : 2;
	unsigned int port = (unsigned int)packet->transport[at] << 8 | packet->transport[at + 1];
	const char *protocol = ipmasq_protocol_name(packet->protocol);
	char address[MATCH_TEXT / 2];

	if (tracked && packet->answer) {
		snprintf(text, MATCH_TEXT, "%s",
			 iptables ? "-m conntrack --ctstate ESTABLISHED,RELATED "
				  : "ct state established,related ");
	} else if (tracked && packet->translated) {
		snprintf(text, MATCH_TEXT, "%s",
			 iptables ? "-m conntrack --ctstate DNAT " : "ct status dnat ");
	} else {
		write_address(packet, packet->answer, iptables, address);
		if (!protocol || !port)
			snprintf(text, MATCH_TEXT, "%s", address);
		else if (iptables)
			snprintf(text, MATCH_TEXT, "%s-p %s --%cport %u ", address, protocol,
				 packet->answer ? 's' : 'd', port);
		else
			snprintf(text, MATCH_TEXT, "%s%s %cport %u ", address, protocol,
				 packet->answer ? 's' : 'd', port);
	}
}

static size_t number_of(const struct chain *chain, const struct nftnl_rule *rule)
{
	for (size_t i = 0; i < chain->n_rules; i++)
		if (chain->rules[i] == rule)
			return i + 1;
	return 0;
}

void mend_write(char *mend, size_t size, const struct ruleset *ruleset, const struct packet *packet,
		const struct chain *chain, const struct nftnl_rule *rule)
{
	bool iptables = is_iptables(ruleset, chain);
	bool tracked = packet->tracked && chain->place.family != NFPROTO_BRIDGE &&
		       chain->place.family != NFPROTO_NETDEV;
	const char *table = chain->place.table, *name = chain->place.name;
	char match[MATCH_TEXT], where[32] = "";

	*mend = '\0';
	if (!is_plain(table) || !is_plain(name) || chain->unnamed || (iptables && ruleset->unread))
		return;
	write_match(packet, tracked, iptables, match);
	if (iptables) {
		if (rule)
			snprintf(where, sizeof(where), "%zu ", number_of(chain, rule));
		snprintf(mend, size, "%s -t %s -%c %s %s%s-j ACCEPT",
			 chain->place.family == NFPROTO_IPV6 ? "ip6tables-nft" : "iptables-nft",
			 table, rule ? 'I' : 'A', name, where, match);
		return;
	}
	if (rule)
		snprintf(where, sizeof(where), "handle %" PRIu64 " ",
			 nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE));
	snprintf(mend, size, "nft %s rule %s %s %s %s%saccept", rule ? "insert" : "add",
		 mend_family(chain->place.family), table, name, where, match);
}
