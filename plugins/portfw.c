// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * portfw: one port of one address, or of any address of this machine, to inside hosts.
 *
 * An entry of the original is one target of a redirect here: entries with the same protocol,
 * local address and local port are one pool.  A new entry goes to the head of the schedule; an
 * entry that exists gets the new preference.
 */
#include "call.h"
#include "pool.h"

#include <errno.h>
#include <inttypes.h>
#include <ipmasq/listing.h>
#include <ipmasq/plugin.h>
#include <netdb.h>
#include <string.h>

#define OWNER "portfw"

static const struct ipmasq_option options[] = {
	{'A', 'a', IPMASQ_COMMAND, 0, NULL, "add a forward, or set the preference of one"},
	{'D', 'd', IPMASQ_COMMAND, 0, NULL, "delete every forward that matches; 0 matches all"},
	{'F', 'f', IPMASQ_COMMAND, 0, NULL, "clear the table of portfw"},
	{'l', 0, IPMASQ_COMMAND, 0, NULL, "list (also -L alone); with -v counters, too"},
	{'P', 0, 0, 1, "PROTO", "tcp, udp or sctp (t, u, s)"},
	{'L', 0, IPMASQ_PAIR | IPMASQ_OR_COMMAND | IPMASQ_LAST_OPEN, 2, "LADDR LPORT",
	 "local address and port; 0.0.0.0: any address of this machine"},
	{'R', 0, IPMASQ_PAIR | IPMASQ_LAST_OPEN, 2, "RADDR RPORT", "inside address and port"},
	{'p', 0, 0, 1, "PREF", "connections in a row before the next entry's turn (10)"},
	{0},
};

/* What the words say, parsed. */
struct entry {
	struct ipmasq_match match;
	struct ipmasq_target target; /* family AF_UNSPEC: -R was not given */
};

static int parse_entry(struct ipmasq_context *context, const struct ipmasq_words *words,
		       bool wildcards, struct entry *entry)
{
	uint16_t lport;
	uint32_t pref = IPMASQ_WEIGHT_DEFAULT;

	memset(entry, 0, sizeof(*entry));
	if (!words->given['P'])
		return ipmasq_usage(&context->error, "-P tcp, udp or sctp is needed");
	if (ipmasq_parse_transport(&entry->match.protocol, words->value['P'][0], &context->error) <
		    0 ||
	    ipmasq_words_pair(context, words, 'L', AF_UNSPEC, entry->match.protocol, false,
			      &entry->match.alias, &lport) < 0)
		return -1;
	entry->match.family = entry->match.remote.family = entry->match.alias.family;
	entry->match.ports.low = entry->match.ports.high = lport;
	if (words->given['p'] && ipmasq_parse_number(&pref, words->value['p'][0], "preference", 1,
						     IPMASQ_WEIGHT_MAX, &context->error) < 0)
		return -1;
	entry->target.weight = entry->target.left = pref;
	if (!words->given['R'] && wildcards)
		return 0;
	return ipmasq_words_pair(context, words, 'R', wildcards ? AF_UNSPEC : entry->match.family,
				 entry->match.protocol, wildcards, &entry->target.address,
				 &entry->target.port);
}

static int add(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	struct entry entry;

	if (parse_entry(context, words, false, &entry) < 0)
		return -1;
	return pool_add(context, OWNER, &entry.match, &entry.target, true);
}

/* Of the same protocol, family and port, whatever the address. */
static bool same_port(const struct ipmasq_rule *rule, const void *data)
{
	const struct ipmasq_match *match = &rule->redirect.match, *wanted = data;

	return match->protocol == wanted->protocol && match->family == wanted->family &&
	       match->ports.low == wanted->ports.low;
}

static int delete_everywhere(struct ipmasq_context *context, const struct entry *entry)
{
	struct pool_rules rules;
	int n = 0, rc = 0;

	if (pool_gather(context, OWNER, &rules, same_port, &entry->match) < 0)
		return -1;
	for (size_t i = 0; i < rules.n && rc >= 0; i++) {
		rc = pool_delete(context, rules.list[i], &entry->target);
		n += rc;
	}
	pool_rules_free(&rules);
	return rc < 0 ? -1 : n;
}

static int delete_one(struct ipmasq_context *context, const struct entry *entry)
{
	struct ipmasq_rule *key = ipmasq_redirect_new(OWNER, &entry->match);
	const struct ipmasq_rule *rule;
	int rc;

	if (!key)
		return ipmasq_fail(&context->error, ENOMEM, "out of memory");
	rc = ipmasq_table_find(context->table, key, &rule, &context->error);
	ipmasq_rule_free(key);
	if (rc < 0)
		return -1;
	return rule ? pool_delete(context, rule, &entry->target) : 0;
}

static int delete(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	char text[IPMASQ_ADDRESS_TEXT];
	struct entry entry;
	int n;

	if (parse_entry(context, words, true, &entry) < 0)
		return -1;
	n = ipmasq_address_is_any(&entry.match.alias) ? delete_everywhere(context, &entry)
						      : delete_one(context, &entry);
	if (n == 0)
		return ipmasq_fail(
			&context->error, ENOENT,
			"no forward of %s %s port %u%s matches; `ipmasqadm portfw -L` lists "
			"them",
			ipmasq_protocol_name(entry.match.protocol),
			ipmasq_address_text(&entry.match.alias, text), entry.match.ports.low,
			entry.target.address.family ? " to this host" : "");
	return n < 0 ? -1 : 0;
}

static const struct ipmasq_column columns[] = {
	{"prot", false}, {"localaddr", false}, {"rediraddr", false},
	{"lport", true}, {"rport", true},      {"pcnt", true},
	{"pref", true},  {"packets", true},    {"bytes", true},
};

#define N_COLUMNS         (sizeof(columns) / sizeof(columns[0]))
#define N_COLUMNS_COUNTER 2 /* the last ones, with -v or as JSON */

static int list_target(const struct listing *listing, const struct ipmasq_match *match,
		       const struct ipmasq_target *target)
{
	const struct ipmasq_context *context = listing->context;
	char laddr[NI_MAXHOST], raddr[NI_MAXHOST], lport[NI_MAXSERV], rport[NI_MAXSERV];
	char left[16], weight[16], packets[24], bytes[24];
	const char *cells[N_COLUMNS] = {
		ipmasq_protocol_name(match->protocol),
		ipmasq_host_name(context, &match->alias, laddr, sizeof(laddr)),
		ipmasq_host_name(context, &target->address, raddr, sizeof(raddr)),
		ipmasq_service_name(context, match->ports.low, match->protocol, lport,
				    sizeof(lport)),
		ipmasq_service_name(context, target->port, match->protocol, rport, sizeof(rport)),
		left,
		weight,
		packets,
		bytes,
	};

	snprintf(left, sizeof(left), "%u", target->left);
	snprintf(weight, sizeof(weight), "%u", target->weight);
	snprintf(packets, sizeof(packets), "%" PRIu64, target->counters.packets);
	snprintf(bytes, sizeof(bytes), "%" PRIu64, target->counters.bytes);
	return ipmasq_listing_row(listing->listing, cells, &listing->context->error);
}

static int list_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct ipmasq_redirect *redirect = &rule->redirect;

	for (uint32_t i = 0; i < redirect->n_targets; i++)
		if (list_target(data, &redirect->match, &redirect->targets[i]) < 0)
			return -1;
	return 0;
}

static int list(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	bool counters = context->verbose || context->json;

	(void)words;
	if (counters)
		ipmasq_table_want_counters(context->table);
	return call_list(context, OWNER, columns, N_COLUMNS - (counters ? 0 : N_COLUMNS_COUNTER),
			 list_rule);
}

static const struct call commands[] = {
	{'A', "PLRp", add}, {'D', "PLR", delete}, {'F', "", NULL},
	{'L', "", list},    {'l', "", list},      {0},
};

const struct ipmasq_plugin ipmasq_plugin;

static int run(struct ipmasq_context *context, int argc, char **argv)
{
	return call_run(context, &ipmasq_plugin, commands, argc, argv);
}

static int format(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data)
{
	const struct ipmasq_redirect *redirect = &rule->redirect;
	char laddr[IPMASQ_ADDRESS_TEXT], raddr[IPMASQ_ADDRESS_TEXT], line[256];
	int rc = 0;

	ipmasq_address_text(&redirect->match.alias, laddr);
	for (uint32_t i = redirect->n_targets; i-- > 0 && !rc;) { /* the newest is the head */
		const struct ipmasq_target *target = &redirect->targets[i];
		int length = snprintf(line, sizeof(line), OWNER " -A -P %s -L %s %u -R %s %u",
				      ipmasq_protocol_name(redirect->match.protocol), laddr,
				      redirect->match.ports.low,
				      ipmasq_address_text(&target->address, raddr), target->port);

		if (target->weight != IPMASQ_WEIGHT_DEFAULT)
			snprintf(line + length, sizeof(line) - (size_t)length, " -p %u",
				 target->weight);
		rc = visit(line, data);
	}
	return rc;
}

const struct ipmasq_plugin ipmasq_plugin = {
	.abi = IPMASQ_PLUGIN_ABI,
	.name = OWNER,
	.summary = "forward a port of this machine to an inside host, or share it among several",
	.options = options,
	.synopsis = "-A -P PROTO -L LADDR LPORT -R RADDR RPORT [-p PREF]\n"
		    "-D -P PROTO -L LADDR LPORT [-R RADDR RPORT]\n"
		    "-F\n"
		    "-L [-n] [-v]",
	.run = run,
	.format = format,
};
