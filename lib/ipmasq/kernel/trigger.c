// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Triggers in nf_tables.
 *
 *   map opened4_OWNER_tcp_7070_udp_6970_7170     contacted host : inside host, timeout 15s
 *   chain watch            filter hook behind source NAT, `jump watch_OWNER`
 *   chain watch_OWNER      ... tcp dport 7070 update @map { contacted : inside }
 *   chain opened_OWNER     ... udp dport 6970-7170 dnat to ip saddr map @map
 *
 * and the same with 6.  Only a host whose source address was translated is inside: others would
 * open this machine's ports to themselves from anywhere.  The key is the host that was
 * contacted; for an insecure trigger it is the alias that the inside host got, since anybody who
 * sends to that may use the range.  An update renews the time-out of an element but keeps its
 * data, so the element is deleted before, and the last host that sent something has the range.
 * The map's name says all that the map depends on, so a changed trigger gets another one.
 */
#include "trigger.h"
#include "element.h"

#include <errno.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#define OPEN_MS        15000u
#define OPENINGS_MAX   65535u
#define PRIORITY_WATCH 300 /* behind every source NAT */

static const char *map_name(char name[static SCHEMA_NAME_MAX], const struct ipmasq_rule *of,
			    const struct family *family)
{
	const struct ipmasq_trigger *trigger = &of->trigger;

	snprintf(name, SCHEMA_NAME_MAX, "opened%c_%s_%s_%u_%s_%u_%u%s%s", family->digit, of->owner,
		 ipmasq_protocol_name(trigger->control_protocol), trigger->control_port,
		 ipmasq_protocol_name(trigger->protocol), trigger->ports.low, trigger->ports.high,
		 trigger->insecure ? "_any" : "", trigger->permanent ? "_kept" : "");
	return name;
}

int trigger_add_place(struct transaction *transaction, const char *owner)
{
	(void)owner;
	return chain_add(transaction, "watch", "filter", NF_INET_POST_ROUTING, PRIORITY_WATCH);
}

static int add_map(struct transaction *transaction, const struct ipmasq_rule *of,
		   const struct family *family)
{
	bool permanent = of->trigger.permanent;
	char name[SCHEMA_NAME_MAX];
	struct nftnl_set *set =
		set_new(transaction, map_name(name, of, family),
			NFT_SET_MAP | NFT_SET_EVAL | (permanent ? 0 : NFT_SET_TIMEOUT));
	int rc;

	if (!set)
		return -1;
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, family->type);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, 4u * family->words);
	nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, family->type);
	nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, 4u * family->words);
	nftnl_set_set_u32(set, NFTNL_SET_DESC_SIZE, OPENINGS_MAX);
	if (!permanent)
		nftnl_set_set_u64(set, NFTNL_SET_TIMEOUT, OPEN_MS);
	rc = set_add(transaction, set);
	nftnl_set_free(set);
	return rc;
}

static int write_update(const struct position *position, const struct ipmasq_rule *of,
			const struct family *family)
{
	const struct ipmasq_trigger *trigger = &of->trigger;
	struct ipmasq_ports control = {trigger->control_port, trigger->control_port};
	uint8_t direction = IP_CT_DIR_ORIGINAL;
	char map[SCHEMA_NAME_MAX];
	struct rule rule;

	map_name(map, of, family);
	position_begin(&rule, position);
	match_transport(&rule, trigger->control_protocol);
	match_ports(&rule, DESTINATION_PORT_OFFSET, &control);
	match_ct_status(&rule, IPS_SRC_NAT, IPS_SRC_NAT);
	load_ct_direction(&rule, 0);
	compare(&rule, 0, NFT_CMP_EQ, &direction, sizeof(direction));
	match_protocol_family(&rule, family->family);
	if (trigger->insecure)
		load_ct(&rule, family->ct_destination, IP_CT_DIR_REPLY, 0);
	else
		load_ct(&rule, family->ct_destination, IP_CT_DIR_ORIGINAL, 0);
	load_ct(&rule, family->ct_source, IP_CT_DIR_ORIGINAL, family->words);
	update_map(&rule, map, NFT_DYNSET_OP_DELETE, family->words);
	update_map(&rule, map, NFT_DYNSET_OP_UPDATE, family->words);
	return position_end(&rule, position);
}

int trigger_write_watch(const struct position *position, const struct ipmasq_rule *of)
{
	for (const struct family *family = families; family < families + N_FAMILIES; family++)
		if (add_map(position->transaction, of, family) < 0 ||
		    write_update(position, of, family) < 0)
			return -1;
	return 0;
}

int trigger_write_opened(const struct position *position, const struct ipmasq_rule *of)
{
	for (const struct family *family = families; family < families + N_FAMILIES; family++) {
		char map[SCHEMA_NAME_MAX];
		struct rule rule;

		position_begin(&rule, position);
		match_own_address(&rule, family->family);
		match_transport(&rule, of->trigger.protocol);
		match_ports(&rule, DESTINATION_PORT_OFFSET, &of->trigger.ports);
		count(&rule);
		load_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER,
			     of->trigger.insecure ? family->destination : family->source,
			     4u * family->words, 0);
		lookup_map(&rule, map_name(map, of, family), 0);
		dnat_address(&rule, family->family);
		if (position_end(&rule, position) < 0)
			return -1;
	}
	return 0;
}

int trigger_delete_maps(struct transaction *transaction, const struct ipmasq_rule *of)
{
	char map[SCHEMA_NAME_MAX];

	for (const struct family *family = families; family < families + N_FAMILIES; family++)
		if (set_delete(transaction, map_name(map, of, family)) < 0)
			return -1;
	return 0;
}

struct reading {
	const struct ipmasq_rule *of;
	const struct family *family;
	ipmasq_opening_visit visit;
	void *data;
};

static int read_opening(const struct element *element, void *data)
{
	const struct reading *reading = data;
	uint32_t length = 4u * reading->family->words;
	struct ipmasq_opening opening = {.inside.family = reading->family->family};

	if (element->key_length != length || element->data_length != length)
		return 0;
	memcpy(opening.inside.bytes, element->data, length);
	if (!reading->of->trigger.insecure) {
		opening.remote.family = reading->family->family;
		memcpy(opening.remote.bytes, element->key, length);
	}
	opening.expires = (uint32_t)((element->expires + 999) / 1000);
	return reading->visit(&opening, reading->data);
}

int trigger_openings(struct netlink *netlink, const struct ipmasq_rule *of,
		     ipmasq_opening_visit visit, void *data)
{
	for (const struct family *family = families; family < families + N_FAMILIES; family++) {
		struct reading reading = {of, family, visit, data};
		char map[SCHEMA_NAME_MAX];
		int rc = element_dump(netlink, map_name(map, of, family), read_opening, &reading);

		if (rc)
			return rc;
	}
	return 0;
}
