// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parts/status.so: what `status` says of the kernel.  Its support, its switches, the rules by
 * module, what conntrack holds and what it, and the check of the way back, have dropped.
 */
#include "status.h"
#include "ask.h"
#include "command.h"
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ipmasq/connections.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

static int add_support(struct status *status, struct ipmasq_error *error)
{
	bool present[SUPPORT_FEATURES];

	if (support_read(present) < 0)
		return ipmasq_fail(error, errno,
				   "cannot ask the kernel what it can do: %s; "
				   "CAP_NET_ADMIN is needed",
				   strerror(errno));
	for (size_t i = 0; support_features[i].feature; i++)
		if (status_add(status, STATUS_SUPPORT, support_features[i].feature, present[i],
			       error) < 0)
			return -1;
	return 0;
}

static int add_settings(struct status *status, struct ipmasq_error *error)
{
	static const char *const names[] = {
		"net/ipv4/ip_forward",
		"net/ipv6/conf/all/forwarding",
		"net/ipv4/conf/all/rp_filter",
		"net/ipv4/conf/default/rp_filter",
		"net/bridge/bridge-nf-call-iptables",
		"net/bridge/bridge-nf-call-ip6tables",
	};
	char text[SUPPORT_SETTING_TEXT];
	uint64_t value;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (support_setting(names[i], &value) &&
		    status_add(status, STATUS_SETTING, support_setting_text(names[i], text), value,
			       error) < 0)
			return -1;
	return 0;
}

/* Sums of 32-bit attributes of conntrack's answers. */
struct sums {
	const uint16_t *types;
	size_t n;
	uint64_t sums[8];
};

static int sum(const struct nlmsghdr *answer, void *data)
{
	struct sums *sums = data;
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, answer, sizeof(struct nfgenmsg)) {
		if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
			continue;
		for (size_t i = 0; i < sums->n; i++)
			if (mnl_attr_get_type(attribute) == sums->types[i])
				sums->sums[i] += ntohl(mnl_attr_get_u32(attribute));
	}
	return MNL_CB_OK;
}

static int ask_conntrack(struct sums *sums, uint16_t what, uint16_t flags)
{
	struct ask *ask = ask_open(NETLINK_NETFILTER);
	int rc = -1;

	if (ask) {
		ask_netfilter(ask, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | what), flags, AF_UNSPEC);
		rc = ask_send(ask, sum, sums);
	}
	ask_close(ask);
	return rc;
}

static int count_connection(const struct ipmasq_connection *connection, void *data)
{
	(void)connection;
	++*(uint64_t *)data;
	return 0;
}

static int add_connections(struct status *status, struct ipmasq_context *context)
{
	static const uint16_t types[] = {CTA_STATS_GLOBAL_ENTRIES, CTA_STATS_GLOBAL_MAX_ENTRIES};
	const struct ipmasq_connection_filter all = {0};
	struct ipmasq_error *error = &context->error;
	struct sums sums = {.types = types, .n = 2};
	uint64_t translated = 0;

	if (ask_conntrack(&sums, IPCTNL_MSG_CT_GET_STATS, 0) < 0)
		return 0; /* the group `support` says that it is not there */
	if (ipmasq_connections_walk(context->table, &all, count_connection, &translated, error) <
		    0 ||
	    status_add(status, STATUS_CONNECTIONS, "tracked", sums.sums[0], error) < 0 ||
	    status_add(status, STATUS_CONNECTIONS, "limit", sums.sums[1], error) < 0)
		return -1;
	return status_add(status, STATUS_CONNECTIONS, "translated", translated, error);
}

/* The counter `name` of a `Group: names` and `Group: numbers` pair of lines of the kernel's. */
static bool read_counter(const char *name, uint64_t *value)
{
	char names[4096], numbers[4096];
	FILE *file = fopen("/proc/net/netstat", "re");
	bool found = false;

	while (file && !found && fgets(names, sizeof(names), file) &&
	       fgets(numbers, sizeof(numbers), file)) {
		char *name_rest = names, *number_rest = numbers, *word, *number;

		while ((word = strtok_r(NULL, " \n", &name_rest)) &&
		       (number = strtok_r(NULL, " \n", &number_rest)) && !found) {
			found = strcmp(word, name) == 0;
			if (found)
				*value = strtoull(number, NULL, 10);
		}
	}
	if (file)
		fclose(file);
	return found;
}

static int add_dropped(struct status *status, struct ipmasq_error *error)
{
	static const uint16_t types[] = {CTA_STATS_INVALID, CTA_STATS_INSERT_FAILED, CTA_STATS_DROP,
					 CTA_STATS_EARLY_DROP, CTA_STATS_ERROR};
	static const char *const names[] = {"invalid", "insert_failed", "drop", "early_drop",
					    "error"};
	struct sums sums = {.types = types, .n = sizeof(types) / sizeof(types[0])};
	uint64_t value;

	if (ask_conntrack(&sums, IPCTNL_MSG_CT_GET_STATS_CPU, NLM_F_DUMP) == 0)
		for (size_t i = 0; i < sums.n; i++)
			if (status_add(status, STATUS_DROPPED, names[i], sums.sums[i], error) < 0)
				return -1;
	if (read_counter("IPReversePathFilter", &value))
		return status_add(status, STATUS_DROPPED, "rp_filter", value, error);
	return 0;
}

static int read_kernel(struct status *status, struct ipmasq_context *context, void *data)
{
	struct ipmasq_error *error = &context->error;

	(void)data;
	if (status_add(status, STATUS_ENGINE, "kernel", 1, error) < 0 ||
	    add_support(status, error) < 0 || add_settings(status, error) < 0 ||
	    status_add_rules(status, context) < 0 || add_connections(status, context) < 0)
		return -1;
	return add_dropped(status, error);
}

static enum ipmasq_status run(struct session *session, int argc, char **argv)
{
	return status_show(session, argc, argv, read_kernel, NULL);
}

extern const struct command_part command_part;
const struct command_part command_part = {.run = run};
