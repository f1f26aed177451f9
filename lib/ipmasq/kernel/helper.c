// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Protocol helpers in nf_tables.
 *
 *   ct helper ftp_21_2121      { type "ftp" protocol tcp }
 *   chain helper_OWNER         tcp dport 21 ct helper set "ftp_21_2121", one a port
 *
 * jumped to from the forward and the output_traffic hooks: there the first packet of a
 * connection has its real destination already and conntrack has not confirmed it yet, which is
 * when a helper can be set.  Nothing but these ports is looked into.  The object's name
 * has the rule's ports, as they were given, so a changed rule gets another one.
 *
 * The kernel asks for the module of a helper by itself (nf_conntrack_NAME) but not for the one
 * that rewrites addresses in the data (nf_nat_NAME); that is the operator's modprobe.
 */
#include "helper.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <libnftnl/object.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

/* By the name in a rule; a name may be several helpers, of which the first has the rule's ports. */
static const struct kernel_helper {
	const char *name, *type;
	uint8_t protocol;
	uint16_t port; /* when the rule has none, and of the others */
} helpers[] = {
	{"ftp", "ftp", IPPROTO_TCP, 21},
	{"irc", "irc", IPPROTO_TCP, 6667},
	{"pptp", "pptp", IPPROTO_TCP, 1723},
	{"sip", "sip", IPPROTO_UDP, 5060},
	{"tftp", "tftp", IPPROTO_UDP, 69},
	{"amanda", "amanda", IPPROTO_UDP, 10080},
	{"sane", "sane", IPPROTO_TCP, 6566},
	{"snmp", "snmp", IPPROTO_UDP, 161},
	{"netbios-ns", "netbios-ns", IPPROTO_UDP, 137},
	{"h323", "Q.931", IPPROTO_TCP, 1720},
	{"h323", "RAS", IPPROTO_UDP, 1719},
};

#define N_HELPERS (sizeof(helpers) / sizeof(helpers[0]))

int helper_supported(const struct ipmasq_helper *helper, struct ipmasq_error *error)
{
	for (size_t i = 0; i < N_HELPERS; i++)
		if (strcmp(helpers[i].name, helper->name) == 0)
			return 0;
	return ipmasq_fail(
		error, EOPNOTSUPP,
		"the kernel engine has no helper '%s', only ftp, irc, pptp, sip, tftp, amanda, "
		"sane, snmp, netbios-ns and h323; the user engine, ipmasqd, has others",
		helper->name);
}

/* The ports of the helper at `i`: the rule's, or its own one. */
static struct ipmasq_helper ports_of(const struct ipmasq_rule *of, size_t i)
{
	struct ipmasq_helper ports = of->helper;
	bool first = i == 0 || strcmp(helpers[i - 1].name, helpers[i].name) != 0;

	if (!first || !ports.n_ports) {
		ports.n_ports = 1;
		ports.ports[0] = helpers[i].port;
	}
	return ports;
}

static const char *object_name(char name[static SCHEMA_NAME_MAX], const struct ipmasq_rule *of,
			       size_t i)
{
	int length = snprintf(name, SCHEMA_NAME_MAX, "%s_%s", of->owner, helpers[i].type);

	for (uint32_t p = 0; p < of->helper.n_ports; p++)
		length += snprintf(name + length, SCHEMA_NAME_MAX - (size_t)length, "_%u",
				   of->helper.ports[p]);
	return name;
}

static int send_object(struct transaction *transaction, uint16_t message, const char *name,
		       const struct kernel_helper *helper)
{
	struct nftnl_obj *object = nftnl_obj_alloc();
	uint16_t flags = message == NFT_MSG_NEWOBJ ? NLM_F_CREATE : 0;

	if (!object)
		return -1;
	nftnl_obj_set_u32(object, NFTNL_OBJ_FAMILY, NFPROTO_INET);
	nftnl_obj_set_str(object, NFTNL_OBJ_TABLE, SCHEMA_TABLE);
	nftnl_obj_set_str(object, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(object, NFTNL_OBJ_TYPE, NFT_OBJECT_CT_HELPER);
	if (message == NFT_MSG_NEWOBJ) {
		nftnl_obj_set_str(object, NFTNL_OBJ_CT_HELPER_NAME, helper->type);
		nftnl_obj_set_u8(object, NFTNL_OBJ_CT_HELPER_L4PROTO, helper->protocol);
		nftnl_obj_set_u16(object, NFTNL_OBJ_CT_HELPER_L3PROTO, NFPROTO_INET);
	}
	nftnl_obj_nlmsg_build_payload(transaction_message(transaction, message, flags), object);
	nftnl_obj_free(object);
	return transaction_added(transaction);
}

int helper_add_place(struct transaction *transaction, const char *owner)
{
	char chain[SCHEMA_NAME_MAX];
	struct rule rule;

	rule_begin(&rule, "output_traffic");
	verdict(&rule, NFT_JUMP, place_chain(chain, PLACE_HELPER, owner));
	return rule_add(&rule, transaction);
}

static int write_port(const struct position *position, const struct kernel_helper *helper,
		      const char *object, uint16_t port)
{
	struct ipmasq_ports ports = {port, port};
	struct rule rule;

	position_begin(&rule, position);
	match_transport(&rule, helper->protocol);
	match_ports(&rule, DESTINATION_PORT_OFFSET, &ports);
	set_helper(&rule, object);
	return position_end(&rule, position);
}

int helper_write(const struct position *position, const struct ipmasq_rule *of)
{
	for (size_t i = 0; i < N_HELPERS; i++) {
		struct ipmasq_helper ports = ports_of(of, i);
		char name[SCHEMA_NAME_MAX];

		if (strcmp(helpers[i].name, of->helper.name) != 0)
			continue;
		object_name(name, of, i);
		if (send_object(position->transaction, NFT_MSG_NEWOBJ, name, &helpers[i]) < 0)
			return -1;
		for (uint32_t p = 0; p < ports.n_ports; p++)
			if (write_port(position, &helpers[i], name, ports.ports[p]) < 0)
				return -1;
	}
	return 0;
}

int helper_delete_objects(struct transaction *transaction, const struct ipmasq_rule *of)
{
	for (size_t i = 0; i < N_HELPERS; i++) {
		char name[SCHEMA_NAME_MAX];

		if (strcmp(helpers[i].name, of->helper.name) == 0 &&
		    send_object(transaction, NFT_MSG_DELOBJ, object_name(name, of, i),
				&helpers[i]) < 0)
			return -1;
	}
	return 0;
}
