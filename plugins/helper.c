// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * helper: protocol helpers on the ports that are given, and nowhere else.
 *
 * A rule is a helper's name with its ports.  Which names there are, and the port of one that is
 * given none, is the engine's business; the ports of a rule without any are listed as 0.
 */
#include "call.h"

#include <ctype.h>
#include <errno.h>
#include <ipmasq/listing.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OWNER "helper"
#define PORTS "ports="

static const struct ipmasq_option options[] = {
	{'A', 'a', IPMASQ_COMMAND | IPMASQ_LAST_OPEN, 2, "NAME ports=N,N...",
	 "watch these ports, or the helper's usual one"},
	{'D', 'd', IPMASQ_COMMAND, 1, "NAME", "stop watching"},
	{'F', 'f', IPMASQ_COMMAND, 0, NULL, "clear the table of helper"},
	{'L', 'l', IPMASQ_COMMAND, 0, NULL, "list"},
	{0},
};

const struct ipmasq_plugin ipmasq_plugin;

static struct ipmasq_rule *new_rule(struct ipmasq_context *context, const char *name)
{
	struct ipmasq_rule *rule;

	if (!isalpha((unsigned char)*name) || strlen(name) >= sizeof(rule->helper.name) ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")]) {
		ipmasq_usage(&context->error,
			     "'%s' cannot be a helper's name: it has up to %zu small letters, "
			     "digits and -",
			     name, sizeof(rule->helper.name) - 1);
		return NULL;
	}
	rule = ipmasq_rule_new(IPMASQ_HELPER, OWNER);
	if (rule)
		strcpy(rule->helper.name, name);
	else
		ipmasq_fail(&context->error, ENOMEM, "out of memory");
	return rule;
}

static bool has_port(const struct ipmasq_helper *helper, uint16_t port)
{
	for (uint32_t i = 0; i < helper->n_ports; i++)
		if (helper->ports[i] == port)
			return true;
	return false;
}

static int parse_port(struct ipmasq_context *context, const char *word,
		      struct ipmasq_helper *helper)
{
	uint16_t port;

	if (ipmasq_parse_port(&port, word, 0, context->numeric, false, &context->error) < 0)
		return -1;
	if (has_port(helper, port))
		return ipmasq_usage(&context->error, "port '%s' is given twice", word);
	if (helper->n_ports == IPMASQ_HELPER_PORTS)
		return ipmasq_usage(&context->error, "port '%s' is one too many: a helper has %u",
				    word, IPMASQ_HELPER_PORTS);
	helper->ports[helper->n_ports++] = port;
	return 0;
}

static int parse_ports(struct ipmasq_context *context, const char *word,
		       struct ipmasq_helper *helper)
{
	const char *at = word + strlen(PORTS);
	char port[64];

	if (strncmp(word, PORTS, strlen(PORTS)) != 0)
		return ipmasq_usage(&context->error, "'%s' is not " PORTS "N,N...", word);
	for (size_t length;; at += length + 1) {
		length = strcspn(at, ",");
		if (length >= sizeof(port))
			return ipmasq_usage(&context->error, "'%.40s...' is not a port", at);
		memcpy(port, at, length);
		port[length] = '\0';
		if (parse_port(context, port, helper) < 0)
			return -1;
		if (!at[length])
			return 0;
	}
}

static int add(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	struct ipmasq_rule *rule = new_rule(context, words->value['A'][0]);

	if (!rule)
		return -1;
	if (words->value['A'][1] && parse_ports(context, words->value['A'][1], &rule->helper) < 0) {
		ipmasq_rule_free(rule);
		return -1;
	}
	return ipmasq_table_put(context->table, rule, &context->error);
}

static int delete(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	return call_remove(context, &ipmasq_plugin, new_rule(context, words->value['D'][0]), false);
}

static const struct ipmasq_column columns[] = {{"helper", false}, {"port", true}};

/* A row for each port. */
static int list_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct listing *listing = data;
	const struct ipmasq_helper *helper = &rule->helper;
	uint32_t n = helper->n_ports ? helper->n_ports : 1;

	for (uint32_t i = 0; i < n; i++) {
		char port[8];
		const char *cells[] = {helper->name, port};

		snprintf(port, sizeof(port), "%u", helper->n_ports ? helper->ports[i] : 0u);
		if (ipmasq_listing_row(listing->listing, cells, &listing->context->error) < 0)
			return -1;
	}
	return 0;
}

static int list(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	(void)words;
	return call_list(context, OWNER, columns, sizeof(columns) / sizeof(columns[0]), list_rule);
}

static const struct call commands[] = {
	{'A', "A", add}, {'D', "D", delete}, {'F', "", NULL}, {'L', "", list}, {0},
};

static int run(struct ipmasq_context *context, int argc, char **argv)
{
	return call_run(context, &ipmasq_plugin, commands, argc, argv);
}

/* For -A, the names that some engine has. */
static int complete(struct ipmasq_context *context, int argc, char **argv, ipmasq_line_visit visit,
		    void *data)
{
	static const char *const names[] = {"amanda",  "cuseeme",    "ftp",  "h323",   "irc",
					    "netbios", "netbios-ns", "pna",  "pptp",   "quake",
					    "raudio",  "rtsp",       "sane", "sip",    "skinny",
					    "smedia",  "snmp",       "tftp", "vdolive"};
	const char *typed = argv[argc - 1], *before = argc > 2 ? argv[argc - 2] : "";
	int rc = 0;

	(void)context;
	if (strcasecmp(before, "-A") != 0)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !rc; i++)
		if (strncmp(names[i], typed, strlen(typed)) == 0)
			rc = visit(names[i], data);
	return rc;
}

static int format(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data)
{
	const struct ipmasq_helper *helper = &rule->helper;
	char line[128];
	int length = snprintf(line, sizeof(line), OWNER " -A %s", helper->name);

	for (uint32_t i = 0; i < helper->n_ports; i++)
		length += snprintf(line + length, sizeof(line) - (size_t)length, "%s%u",
				   i ? "," : " " PORTS, helper->ports[i]);
	return visit(line, data);
}

const struct ipmasq_plugin ipmasq_plugin = {
	.abi = IPMASQ_PLUGIN_ABI,
	.name = OWNER,
	.summary = "watch ports with protocol helpers (ftp, irc, pptp, sip ...)",
	.options = options,
	.synopsis = "-A NAME [ports=N,N...]\n"
		    "-D NAME\n"
		    "-F\n"
		    "-L",
	.run = run,
	.complete = complete,
	.format = format,
};
