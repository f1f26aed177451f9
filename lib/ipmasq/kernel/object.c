// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables, chains and sets of nf_tables, made and removed by messages of a transaction.
 *
 * They all are of the table that the transaction is about.  Nothing here knows what they are for:
 * that is schema.c's business, or that of ipmasqd, which has a table of its own.
 */
#include "object.h"
#include "expression.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>

int table_add(struct transaction *transaction, const char *text)
{
	struct nftnl_table *table = nftnl_table_alloc();
	struct nftnl_udata_buf *comment = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	int rc = -1;

	if (!table || !comment || !nftnl_udata_put_strz(comment, NFTNL_UDATA_TABLE_COMMENT, text)) {
		errno = ENOMEM;
		goto out;
	}
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, transaction->table);
	nftnl_table_set_data(table, NFTNL_TABLE_USERDATA, nftnl_udata_buf_data(comment),
			     nftnl_udata_buf_len(comment));
	nftnl_table_nlmsg_build_payload(
		transaction_message(transaction, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL),
		table);
	rc = transaction_added(transaction);
out:
	if (comment)
		nftnl_udata_buf_free(comment);
	if (table)
		nftnl_table_free(table);
	return rc;
}

static struct nftnl_chain *new_chain(const struct transaction *transaction, const char *name)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain)
		return NULL;
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, transaction->table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, name);
	return chain;
}

int chain_add(struct transaction *transaction, const char *name, const char *type, uint32_t hook,
	      int priority)
{
	struct nftnl_chain *chain = new_chain(transaction, name);

	if (!chain)
		return -1;
	if (type) {
		nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, type);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, hook);
		nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, priority);
		nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	nftnl_chain_nlmsg_build_payload(
		transaction_message(transaction, NFT_MSG_NEWCHAIN, NLM_F_CREATE), chain);
	nftnl_chain_free(chain);
	return transaction_added(transaction);
}

int chain_flush(struct transaction *transaction, const char *name)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule)
		return -1;
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, transaction->table);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, name);
	nftnl_rule_nlmsg_build_payload(transaction_message(transaction, NFT_MSG_DELRULE, 0), rule);
	nftnl_rule_free(rule);
	return transaction_added(transaction);
}

int chain_delete(struct transaction *transaction, const char *name)
{
	struct nftnl_chain *chain;

	if (chain_flush(transaction, name) < 0)
		return -1;
	chain = new_chain(transaction, name);
	if (!chain)
		return -1;
	nftnl_chain_nlmsg_build_payload(transaction_message(transaction, NFT_MSG_DELCHAIN, 0),
					chain);
	nftnl_chain_free(chain);
	return transaction_added(transaction);
}

struct nftnl_set *set_new(struct transaction *transaction, const char *name, uint32_t flags)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		return NULL;
	nftnl_set_set_str(set, NFTNL_SET_TABLE, transaction->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(set, NFTNL_SET_FAMILY, NFPROTO_INET);
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS, flags);
	nftnl_set_set_u32(set, NFTNL_SET_ID, ++transaction->n_sets);
	return set;
}

struct nftnl_set *set_new_by_mark(struct transaction *transaction, const char *name)
{
	struct nftnl_udata_buf *userdata = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	struct nftnl_set *set = userdata ? set_new(transaction, name, NFT_SET_MAP) : NULL;

	if (set) {
		nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, TYPE_MARK);
		nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, sizeof(uint32_t));
		nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
		nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, 0);
		nftnl_udata_put_u32(userdata, NFTNL_UDATA_SET_KEYBYTEORDER, NFT_BYTEORDER_HOST);
		nftnl_set_set_data(set, NFTNL_SET_USERDATA, nftnl_udata_buf_data(userdata),
				   nftnl_udata_buf_len(userdata));
	}
	if (userdata)
		nftnl_udata_buf_free(userdata);
	return set;
}

int set_count_elements(struct nftnl_set *set)
{
	struct nftnl_expr *counter = nftnl_expr_alloc("counter");

	if (!counter)
		return -1;
	nftnl_set_add_expr(set, counter); /* taken over */
	return 0;
}

int set_add(struct transaction *transaction, struct nftnl_set *set)
{
	nftnl_set_nlmsg_build_payload(
		transaction_message(transaction, NFT_MSG_NEWSET, NLM_F_CREATE), set);
	return transaction_added(transaction);
}

int set_delete(struct transaction *transaction, const char *name)
{
	struct nftnl_set *set = nftnl_set_alloc();

	if (!set)
		return -1;
	nftnl_set_set_str(set, NFTNL_SET_TABLE, transaction->table);
	nftnl_set_set_str(set, NFTNL_SET_NAME, name);
	nftnl_set_nlmsg_build_payload(transaction_message(transaction, NFT_MSG_DELSET, 0), set);
	nftnl_set_free(set);
	return transaction_added(transaction);
}

/* To add what is there is no error without NLM_F_EXCL; to delete what is not there would be one. */
int table_delete(struct transaction *transaction)
{
	static const uint16_t types[] = {NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE};
	struct nftnl_table *table = nftnl_table_alloc();
	int rc = 0;

	if (!table)
		return -1;
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, transaction->table);
	for (size_t i = 0; rc == 0 && i < sizeof(types) / sizeof(types[0]); i++) {
		nftnl_table_nlmsg_build_payload(
			transaction_message(transaction, types[i], i ? 0 : NLM_F_CREATE), table);
		rc = transaction_added(transaction);
	}
	nftnl_table_free(table);
	return rc;
}

struct comment {
	char *text; /* TABLE_COMMENT_MAX bytes */
	bool found;
};

static int read_comment(const struct nlmsghdr *message, void *data)
{
	struct comment *comment = data;
	struct nftnl_table *table = nftnl_table_alloc();
	const void *userdata;
	const char *text = NULL;
	uint32_t length;

	if (!table || nftnl_table_nlmsg_parse(message, table) < 0)
		goto out;
	comment->found = true;
	userdata = nftnl_table_get_data(table, NFTNL_TABLE_USERDATA, &length);
	if (userdata)
		text = userdata_text(userdata, length, NFTNL_UDATA_TABLE_COMMENT);
	snprintf(comment->text, TABLE_COMMENT_MAX, "%s", text ? text : "");
out:
	if (table)
		nftnl_table_free(table);
	return MNL_CB_OK;
}

int table_comment(struct netlink *netlink, const char *table, char text[static TABLE_COMMENT_MAX])
{
	struct comment comment = {.text = text};
	struct nlmsghdr *request = netlink_request(netlink, NFT_MSG_GETTABLE, 0);

	mnl_attr_put_strz(request, NFTA_TABLE_NAME, table);
	if (netlink_ask(netlink, read_comment, &comment) < 0 && errno != ENOENT)
		return -1;
	return comment.found;
}
