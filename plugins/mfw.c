// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mfw: connections whose first packet carries a firewall mark, to inside hosts.
 *
 * The mark is set by a rule of the operator's own, before dstnat; it selects a pool, a redirect
 * of this mark, one for IPv4 and one for IPv6.  An entry of the original is one host of the
 * pool.  -A appends, -I inserts at the head of the schedule, -E and -S begin it anew.
 */
#include "call.h"
#include "pool.h"

#include <errno.h>
#include <ipmasq/listing.h>
#include <netdb.h>
#include <string.h>

#define OWNER "mfw"

static const struct ipmasq_option options[] = {
	{'A', 'a', IPMASQ_COMMAND, 0, NULL, "append a host, or set the preference of one"},
	{'I', 'i', IPMASQ_COMMAND, 0, NULL, "insert a host at the head: it has the next turn"},
	{'D', 'd', IPMASQ_COMMAND, 0, NULL, "delete every host that matches; 0 matches all"},
	{'E', 'e', IPMASQ_COMMAND, 0, NULL, "set the preference of every host that matches"},
	{'S', 's', IPMASQ_COMMAND, 0, NULL, "end the turn of the host at the head now"},
	{'F', 'f', IPMASQ_COMMAND, 0, NULL, "clear the table of mfw"},
	{'L', 'l', IPMASQ_COMMAND, 0, NULL, "list"},
	{'m', 0, 0, 1, "MARK", "firewall mark, decimal or 0x hexadecimal, not 0"},
	{'r', 0, IPMASQ_PAIR | IPMASQ_LAST_OPEN, 2, "RADDR RPORT",
	 "inside host and port; without a port, or 0, the packet keeps its own"},
	{'p', 0, 0, 1, "PREF", "connections in a row (10); 0: the turn never ends"},
	{0},
};

/* What the words say, parsed. */
struct entry {
	uint32_t mark;
	uint8_t family; /* AF_UNSPEC: both */
	struct ipmasq_target target;
};

static int parse_mark(struct ipmasq_context *context, const struct ipmasq_words *words,
		      struct entry *entry)
{
	memset(entry, 0, sizeof(*entry));
	if (!words->given['m'])
		return ipmasq_usage(&context->error, "-m with a mark is needed");
	return ipmasq_parse_number(&entry->mark, words->value['m'][0], "mark", 1, UINT32_MAX,
				   &context->error);
}

/* An address of zeros means any host of either family. */
static int parse_host(struct ipmasq_context *context, const struct ipmasq_words *words,
		      struct entry *entry)
{
	if (ipmasq_words_pair(context, words, 'r', AF_UNSPEC, 0, true, &entry->target.address,
			      &entry->target.port) < 0)
		return -1;
	if (!ipmasq_address_is_any(&entry->target.address))
		entry->family = entry->target.address.family;
	return 0;
}

static int parse_preference(struct ipmasq_context *context, const struct ipmasq_words *words,
			    struct entry *entry)
{
	uint32_t pref = IPMASQ_WEIGHT_DEFAULT;

	if (words->given['p'] && ipmasq_parse_number(&pref, words->value['p'][0], "preference", 0,
						     IPMASQ_WEIGHT_MAX, &context->error) < 0)
		return -1;
	entry->target.weight = entry->target.left = pref;
	return 0;
}

static int put(struct ipmasq_context *context, const struct ipmasq_words *words, bool at_head)
{
	struct ipmasq_match match = {0};
	struct entry entry;

	if (parse_mark(context, words, &entry) < 0 || parse_host(context, words, &entry) < 0 ||
	    parse_preference(context, words, &entry) < 0)
		return -1;
	if (!entry.family)
		return ipmasq_usage(&context->error,
				    "'%s' is no inside host to send connections to",
				    words->value['r'][0]);
	match.family = match.alias.family = match.remote.family = entry.family;
	match.mark = entry.mark;
	return pool_add(context, OWNER, &match, &entry.target, at_head);
}

static int append(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	return put(context, words, false);
}

static int insert(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	return put(context, words, true);
}

static bool same_mark(const struct ipmasq_rule *rule, const void *data)
{
	const struct entry *entry = data;

	return rule->redirect.match.mark == entry->mark &&
	       (!entry->family || rule->redirect.match.family == entry->family);
}

/* Changes a rule of the table by `entry`; how many hosts matched, or -1. */
typedef int (*change)(struct ipmasq_context *context, const struct ipmasq_rule *rule,
		      const struct entry *entry);

/* Changes every pool of the mark; exit status 1 when nothing matched. */
static int change_all(struct ipmasq_context *context, const struct entry *entry, change make)
{
	struct pool_rules rules;
	int n = 0, rc = 0;

	if (pool_gather(context, OWNER, &rules, same_mark, entry) < 0)
		return -1;
	for (size_t i = 0; i < rules.n && rc >= 0; i++) {
		rc = make(context, rules.list[i], entry);
		n += rc;
	}
	pool_rules_free(&rules);
	if (rc >= 0 && n == 0)
		return ipmasq_fail(&context->error, ENOENT,
				   "no host of mark %u%s; `ipmasqadm mfw -L` lists them",
				   entry->mark, entry->target.address.family ? " matches" : "");
	return rc < 0 ? -1 : 0;
}

static int delete_hosts(struct ipmasq_context *context, const struct ipmasq_rule *rule,
			const struct entry *entry)
{
	return pool_delete(context, rule, &entry->target);
}

static int edit_hosts(struct ipmasq_context *context, const struct ipmasq_rule *rule,
		      const struct entry *entry)
{
	struct ipmasq_rule *copy = ipmasq_rule_copy(rule);
	int n = 0;

	if (!copy)
		return ipmasq_fail(&context->error, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < copy->redirect.n_targets; i++) {
		struct ipmasq_target *target = &copy->redirect.targets[i];

		if (!pool_target_matches(target, &entry->target))
			continue;
		target->weight = target->left = entry->target.weight;
		n++;
	}
	copy->redirect.restart = true;
	if (n)
		return ipmasq_table_put(context->table, copy, &context->error) < 0 ? -1 : n;
	ipmasq_rule_free(copy);
	return 0;
}

/* The head goes to the tail. */
static int rotate(struct ipmasq_context *context, const struct ipmasq_rule *rule,
		  const struct entry *entry)
{
	struct ipmasq_rule *copy = ipmasq_rule_copy(rule);
	struct ipmasq_target head;

	(void)entry;
	if (!copy)
		return ipmasq_fail(&context->error, ENOMEM, "out of memory");
	head = copy->redirect.targets[0];
	ipmasq_redirect_take_target(&copy->redirect, 0);
	head.left = head.weight;
	copy->redirect.targets[copy->redirect.n_targets++] = head; /* there was room for it */
	copy->redirect.restart = true;
	return ipmasq_table_put(context->table, copy, &context->error) < 0 ? -1 : 1;
}

static int delete(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	struct entry entry;

	if (parse_mark(context, words, &entry) < 0 ||
	    (words->given['r'] && parse_host(context, words, &entry) < 0))
		return -1;
	return change_all(context, &entry, delete_hosts);
}

static int edit(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	struct entry entry;

	if (parse_mark(context, words, &entry) < 0 ||
	    (words->given['r'] && parse_host(context, words, &entry) < 0) ||
	    parse_preference(context, words, &entry) < 0)
		return -1;
	if (!words->given['p'])
		return ipmasq_usage(&context->error, "-E needs the new preference, -p");
	return change_all(context, &entry, edit_hosts);
}

static int schedule(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	struct entry entry;

	if (parse_mark(context, words, &entry) < 0)
		return -1;
	return change_all(context, &entry, rotate);
}

static const struct ipmasq_column columns[] = {
	{"fwmark", true}, {"rediraddr", false}, {"rport", true}, {"pcnt", true}, {"pref", true},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static int list_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct listing *listing = data;
	struct ipmasq_context *context = listing->context;

	for (uint32_t i = 0; i < rule->redirect.n_targets; i++) {
		const struct ipmasq_target *target = &rule->redirect.targets[i];
		char mark[16], raddr[NI_MAXHOST], rport[16], left[16], weight[16];
		const char *cells[N_COLUMNS] = {
			mark,   ipmasq_host_name(context, &target->address, raddr, sizeof(raddr)),
			rport,  left,
			weight,
		};

		snprintf(mark, sizeof(mark), "%u", rule->redirect.match.mark);
		snprintf(rport, sizeof(rport), "%u", target->port);
		snprintf(left, sizeof(left), "%u", target->left);
		snprintf(weight, sizeof(weight), "%u", target->weight);
		if (ipmasq_listing_row(listing->listing, cells, &context->error) < 0)
			return -1;
	}
	return 0;
}

static int list(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	(void)words;
	return call_list(context, OWNER, columns, N_COLUMNS, list_rule);
}

static const struct call commands[] = {
	{'A', "mrp", append}, {'I', "mrp", insert}, {'D', "mr", delete}, {'E', "mrp", edit},
	{'S', "m", schedule}, {'F', "", NULL},      {'L', "", list},     {0},
};

const struct ipmasq_plugin ipmasq_plugin;

static int run(struct ipmasq_context *context, int argc, char **argv)
{
	return call_run(context, &ipmasq_plugin, commands, argc, argv);
}

static int format(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data)
{
	const struct ipmasq_redirect *redirect = &rule->redirect;
	char raddr[IPMASQ_ADDRESS_TEXT], port[16], weight[16], line[160];
	int rc = 0;

	for (uint32_t i = 0; i < redirect->n_targets && !rc; i++) {
		const struct ipmasq_target *target = &redirect->targets[i];

		port[0] = weight[0] = '\0';
		if (target->port)
			snprintf(port, sizeof(port), " %u", target->port);
		if (target->weight != IPMASQ_WEIGHT_DEFAULT)
			snprintf(weight, sizeof(weight), " -p %u", target->weight);
		snprintf(line, sizeof(line), OWNER " -A -m %u -r %s%s%s", redirect->match.mark,
			 ipmasq_address_text(&target->address, raddr), port, weight);
		rc = visit(line, data);
	}
	return rc;
}

const struct ipmasq_plugin ipmasq_plugin = {
	.abi = IPMASQ_PLUGIN_ABI,
	.name = OWNER,
	.summary = "forward what carries a firewall mark to inside hosts",
	.options = options,
	.synopsis = "-A -m MARK -r RADDR [RPORT] [-p PREF]\n"
		    "-I -m MARK -r RADDR [RPORT] [-p PREF]\n"
		    "-D -m MARK [-r RADDR [RPORT]]\n"
		    "-E -m MARK [-r RADDR [RPORT]] -p PREF\n"
		    "-S -m MARK\n"
		    "-F\n"
		    "-L [-n]",
	.run = run,
	.format = format,
};
