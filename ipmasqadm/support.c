// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel can do, asked of itself.
 *
 * A list of modules says nothing of what is built in, and a kernel's configuration is often not
 * there.  So one batch of nf_tables messages makes a table with everything that the engine uses,
 * and leaves the end out: the kernel takes every message, loads what it has to, reports each that
 * it cannot do by its number, and drops the whole.  No rule ever takes effect and the generation of
 * the ruleset stays.
 */
#include "support.h"
#include "ask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libnftnl/batch.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBE_TABLE "ipmasq_probe"
#define PROBE_CHAIN "probe"

enum feature { NF_TABLES, NAT, MASQUERADE, CT, FIB, NUMGEN, QUEUE, HELPER, CONNTRACK };

const struct support support_features[] = {
	[NF_TABLES] = {"nf_tables", "CONFIG_NF_TABLES_INET", true},
	[NAT] = {"nat", "CONFIG_NFT_NAT", true},
	[MASQUERADE] = {"masquerade", "CONFIG_NFT_MASQ", true},
	[CT] = {"ct", "CONFIG_NFT_CT", true},
	[FIB] = {"fib", "CONFIG_NFT_FIB_INET", true},
	[NUMGEN] = {"numgen", "CONFIG_NFT_NUMGEN", true},
	[QUEUE] = {"queue", "CONFIG_NFT_QUEUE", false}, /* ipmasqd is handed packets by it */
	[HELPER] = {"ct helper", "CONFIG_NF_CONNTRACK_FTP", false},
	[CONNTRACK] = {"conntrack netlink", "CONFIG_NF_CT_NETLINK", false},
	{0},
};

/* Messages by number: which feature an error is about. */
struct probe {
	struct nftnl_batch *batch;
	uint32_t sequence;
	enum feature about[32];
};

static struct nlmsghdr *message(struct probe *probe, uint16_t type, enum feature about)
{
	probe->about[++probe->sequence] = about;
	return nftnl_nlmsg_build_hdr(nftnl_batch_buffer(probe->batch), type, NFPROTO_INET,
				     NLM_F_CREATE, probe->sequence);
}

static int add_table(struct probe *probe)
{
	struct nftnl_table *table = nftnl_table_alloc();

	if (!table)
		return -1;
	nftnl_table_set_str(table, NFTNL_TABLE_NAME, PROBE_TABLE);
	nftnl_table_nlmsg_build_payload(message(probe, NFT_MSG_NEWTABLE, NF_TABLES), table);
	nftnl_table_free(table);
	return nftnl_batch_update(probe->batch);
}

static int add_chain(struct probe *probe)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();

	if (!chain)
		return -1;
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, PROBE_TABLE);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, PROBE_CHAIN);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, "nat");
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, NF_INET_POST_ROUTING);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, 100);
	nftnl_chain_nlmsg_build_payload(message(probe, NFT_MSG_NEWCHAIN, NAT), chain);
	nftnl_chain_free(chain);
	return nftnl_batch_update(probe->batch);
}

/* A rule of one expression; the kernel looks at it as far as its kind. */
static int add_rule(struct probe *probe, enum feature about, struct nftnl_expr *expression)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();

	if (!rule || !expression) {
		if (expression)
			nftnl_expr_free(expression);
		if (rule)
			nftnl_rule_free(rule);
		errno = ENOMEM;
		return -1;
	}
	nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, PROBE_TABLE);
	nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, PROBE_CHAIN);
	nftnl_rule_add_expr(rule, expression); /* taken over */
	nftnl_rule_nlmsg_build_payload(message(probe, NFT_MSG_NEWRULE, about), rule);
	nftnl_rule_free(rule);
	return nftnl_batch_update(probe->batch);
}

static struct nftnl_expr *expression(const char *name, const uint32_t (*fields)[2], size_t n)
{
	struct nftnl_expr *made = nftnl_expr_alloc(name);

	for (size_t i = 0; made && i < n; i++)
		nftnl_expr_set_u32(made, (uint16_t)fields[i][0], fields[i][1]);
	return made;
}

static int add_expressions(struct probe *probe)
{
	static const uint32_t ct[][2] = {{NFTNL_EXPR_CT_DREG, NFT_REG_1},
					 {NFTNL_EXPR_CT_KEY, NFT_CT_STATUS}};
	static const uint32_t fib[][2] = {{NFTNL_EXPR_FIB_DREG, NFT_REG_1},
					  {NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE},
					  {NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR}};
	static const uint32_t numgen[][2] = {{NFTNL_EXPR_NG_DREG, NFT_REG_1},
					     {NFTNL_EXPR_NG_MODULUS, 2},
					     {NFTNL_EXPR_NG_TYPE, NFT_NG_INCREMENTAL}};

	static const uint32_t queue[][2] = {{NFTNL_EXPR_QUEUE_SREG_QNUM, NFT_REG_1}};

	return add_rule(probe, MASQUERADE, nftnl_expr_alloc("masq")) < 0 ||
			       add_rule(probe, CT, expression("ct", ct, 2)) < 0 ||
			       add_rule(probe, FIB, expression("fib", fib, 3)) < 0 ||
			       add_rule(probe, NUMGEN, expression("numgen", numgen, 3)) < 0 ||
			       add_rule(probe, QUEUE, expression("queue", queue, 1)) < 0
		       ? -1
		       : 0;
}

static int add_helper(struct probe *probe)
{
	struct nftnl_obj *helper = nftnl_obj_alloc();

	if (!helper)
		return -1;
	nftnl_obj_set_str(helper, NFTNL_OBJ_TABLE, PROBE_TABLE);
	nftnl_obj_set_str(helper, NFTNL_OBJ_NAME, "ftp");
	nftnl_obj_set_u32(helper, NFTNL_OBJ_TYPE, NFT_OBJECT_CT_HELPER);
	nftnl_obj_set_str(helper, NFTNL_OBJ_CT_HELPER_NAME, "ftp");
	nftnl_obj_set_u8(helper, NFTNL_OBJ_CT_HELPER_L4PROTO, IPPROTO_TCP);
	nftnl_obj_set_u16(helper, NFTNL_OBJ_CT_HELPER_L3PROTO, NFPROTO_IPV4);
	nftnl_obj_nlmsg_build_payload(message(probe, NFT_MSG_NEWOBJ, HELPER), helper);
	nftnl_obj_free(helper);
	return nftnl_batch_update(probe->batch);
}

static int build(struct probe *probe)
{
	probe->batch = nftnl_batch_alloc(8192, 4096);
	if (!probe->batch)
		return -1;
	probe->about[1] = NF_TABLES;
	nftnl_batch_begin(nftnl_batch_buffer(probe->batch), ++probe->sequence);
	if (nftnl_batch_update(probe->batch) < 0 || add_table(probe) < 0 || add_chain(probe) < 0 ||
	    add_expressions(probe) < 0 || add_helper(probe) < 0)
		return -1;
	return 0;
}

/* Marks what the kernel reported; -1 with errno when it is us that it will not have. */
static int read_reports(const struct probe *probe, struct ask *ask, bool *present)
{
	ssize_t n;

	while ((n = recv(mnl_socket_get_fd(ask->socket), ask->answer, sizeof(ask->answer),
			 MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *answer = (void *)ask->answer;
		int left = (int)n;

		for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			const struct nlmsgerr *report = mnl_nlmsg_get_payload(answer);

			if (answer->nlmsg_type != NLMSG_ERROR || !report->error ||
			    answer->nlmsg_seq > probe->sequence)
				continue;
			if (report->error == -EPERM) {
				errno = EPERM;
				return -1;
			}
			present[probe->about[answer->nlmsg_seq]] = false;
		}
	}
	return 0;
}

static int probe_nf_tables(bool *present)
{
	struct probe probe = {0};
	struct ask *ask = ask_open(NETLINK_NETFILTER);
	struct iovec pages[8];
	struct msghdr all = {.msg_iov = pages};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int rc = -1;

	if (!ask || build(&probe) < 0)
		goto out;
	nftnl_batch_iovec(probe.batch, pages, 8);
	all.msg_iovlen = (size_t)nftnl_batch_iovec_len(probe.batch);
	all.msg_name = &kernel;
	all.msg_namelen = sizeof(kernel);
	if (sendmsg(mnl_socket_get_fd(ask->socket), &all, 0) >= 0)
		rc = read_reports(&probe, ask, present);
out:
	if (probe.batch)
		nftnl_batch_free(probe.batch);
	ask_close(ask);
	return rc;
}

static int ignore(const struct nlmsghdr *answer, void *data)
{
	(void)answer;
	(void)data;
	return MNL_CB_OK;
}

static bool has_conntrack(void)
{
	struct ask *ask = ask_open(NETLINK_NETFILTER);
	bool there = false;

	if (ask) {
		ask_netfilter(ask, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS, 0,
			      AF_UNSPEC);
		there = ask_send(ask, ignore, NULL) == 0;
	}
	ask_close(ask);
	return there;
}

int support_read(bool *present)
{
	memset(present, true, SUPPORT_FEATURES * sizeof(*present));
	if (probe_nf_tables(present) < 0)
		return -1;
	if (!present[NF_TABLES] || !present[NAT]) /* nothing else could be tried */
		memset(present + NAT, false, (HELPER - NAT + 1) * sizeof(*present));
	present[CONNTRACK] = has_conntrack();
	return 0;
}

bool support_setting(const char *name, uint64_t *value)
{
	char path[256], text[32];
	ssize_t n;
	int fd;
	int length = snprintf(path, sizeof(path), "/proc/sys/%s", name);

	if (length < 0 || (size_t)length >= sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	*value = strtoull(text, NULL, 10);
	return true;
}

const char *support_setting_text(const char *name, char text[static SUPPORT_SETTING_TEXT])
{
	size_t i = 0;

	for (; name[i] && i < SUPPORT_SETTING_TEXT - 1; i++)
		text[i] = (char)(name[i] == '/' ? '.' : name[i] == '.' ? '/' : name[i]);
	text[i] = '\0';
	return text;
}
