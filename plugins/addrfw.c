// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * addrfw: a public address and an inside host stand for one another.
 *
 * An entry is two rules: a redirect of the whole public address to the inside host, and a masq
 * rule that gives what the inside host sends the public address.  They come and go together;
 * the redirect is the one that is listed and saved.
 */
#include "call.h"
#include "pool.h"

#include <errno.h>
#include <ipmasq/listing.h>
#include <netdb.h>
#include <string.h>

#define OWNER "addrfw"

static const struct ipmasq_option options[] = {
	{'A', 'a', IPMASQ_COMMAND, 0, NULL, "add an address, or give it to another inside host"},
	{'D', 'd', IPMASQ_COMMAND, 0, NULL, "delete every entry that matches"},
	{'F', 'f', IPMASQ_COMMAND, 0, NULL, "clear the table of addrfw"},
	{'l', 0, IPMASQ_COMMAND, 0, NULL, "list (also -L alone)"},
	{'L', 0, IPMASQ_OR_COMMAND, 1, "PUBLIC", "the address outside"},
	{'R', 0, 0, 1, "INSIDE", "the inside host"},
	{'P', 0, 0, 1, "PROTO", "one IP protocol (gre, esp, 47) instead of all"},
	{0},
};

/* What the words say, parsed; no family, and protocol 0, where nothing was said. */
struct entry {
	struct ipmasq_address public, inside;
	uint8_t protocol;
};

static int parse_address(struct ipmasq_context *context, const struct ipmasq_words *words,
			 char letter, uint8_t family, struct ipmasq_address *address)
{
	const char *word = words->value[(unsigned char)letter][0];

	if (!word)
		return ipmasq_usage(&context->error, "-%c with an address is needed", letter);
	if (ipmasq_parse_address(address, word, family, context->numeric, &context->error) < 0)
		return -1;
	if (ipmasq_address_is_any(address))
		return ipmasq_usage(&context->error, "'%s' is no single address", word);
	return 0;
}

static int parse_entry(struct ipmasq_context *context, const struct ipmasq_words *words,
		       bool need_inside, struct entry *entry)
{
	memset(entry, 0, sizeof(*entry));
	if (parse_address(context, words, 'L', AF_UNSPEC, &entry->public) < 0)
		return -1;
	if ((need_inside || words->given['R']) &&
	    parse_address(context, words, 'R', entry->public.family, &entry->inside) < 0)
		return -1;
	return words->given['P'] ? ipmasq_parse_protocol(&entry->protocol, words->value['P'][0],
							 context->numeric, &context->error)
				 : 0;
}

static struct ipmasq_match match_of(const struct entry *entry)
{
	struct ipmasq_match match = {.protocol = entry->protocol, .alias = entry->public};

	match.family = match.remote.family = entry->public.family;
	return match;
}

/* The rule for what `inside` sends. */
static struct ipmasq_rule *outgoing(struct ipmasq_context *context,
				    const struct ipmasq_address *inside, const struct entry *entry)
{
	struct ipmasq_rule *rule = ipmasq_rule_new(IPMASQ_MASQ, OWNER);

	if (!rule) {
		ipmasq_fail(&context->error, ENOMEM, "out of memory");
		return NULL;
	}
	rule->masq.source.address = *inside;
	rule->masq.source.bits = (uint8_t)(8 * ipmasq_address_length(inside->family));
	rule->masq.protocol = entry->protocol;
	rule->masq.alias = entry->public;
	return rule;
}

static int remove_outgoing(struct ipmasq_context *context, const struct ipmasq_address *inside,
			   const struct entry *entry)
{
	struct ipmasq_rule *key = outgoing(context, inside, entry);
	int rc = key ? ipmasq_table_remove(context->table, key, &context->error) : -1;

	ipmasq_rule_free(key);
	return rc;
}

/* An inside host has one public address: what it sends could not have two. */
static int put_outgoing(struct ipmasq_context *context, const struct entry *entry)
{
	struct ipmasq_rule *rule = outgoing(context, &entry->inside, entry);
	char inside[IPMASQ_ADDRESS_TEXT], public[IPMASQ_ADDRESS_TEXT];
	const struct ipmasq_rule *found;

	if (!rule || ipmasq_table_find(context->table, rule, &found, &context->error) < 0)
		goto fail;
	if (found && !ipmasq_address_equal(&found->masq.alias, &entry->public)) {
		ipmasq_fail(&context->error, EEXIST,
			    "%s has the public address %s already; delete that first",
			    ipmasq_address_text(&entry->inside, inside),
			    ipmasq_address_text(&found->masq.alias, public));
		goto fail;
	}
	return ipmasq_table_put(context->table, rule, &context->error);
fail:
	ipmasq_rule_free(rule);
	return -1;
}

static int add(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	struct ipmasq_target target = {.weight = IPMASQ_WEIGHT_DEFAULT,
				       .left = IPMASQ_WEIGHT_DEFAULT};
	struct ipmasq_address old = {.family = AF_UNSPEC};
	struct ipmasq_match match;
	struct ipmasq_rule *rule;
	struct entry entry;

	if (parse_entry(context, words, true, &entry) < 0)
		return -1;
	if (ipmasq_address_equal(&entry.public, &entry.inside))
		return ipmasq_usage(&context->error, "'%s' cannot stand for itself",
				    words->value['R'][0]);
	match = match_of(&entry);
	rule = pool_open(context, OWNER, &match);
	if (!rule)
		return -1;
	if (rule->redirect.n_targets &&
	    ipmasq_address_equal(&rule->redirect.targets[0].address, &entry.inside)) {
		ipmasq_rule_free(rule); /* there already */
		return 0;
	}
	if (rule->redirect.n_targets)
		old = rule->redirect.targets[0].address;
	rule->redirect.n_targets = 0;
	target.address = entry.inside;
	/* Whatever can be refused is, before the table is changed. */
	if (ipmasq_redirect_put_target(&rule->redirect, &target, true, &context->error) < 0 ||
	    ipmasq_rule_check(rule, &context->error) < 0 || put_outgoing(context, &entry) < 0 ||
	    (old.family != AF_UNSPEC && remove_outgoing(context, &old, &entry) < 0))
		goto fail;
	return ipmasq_table_put(context->table, rule, &context->error);
fail:
	ipmasq_rule_free(rule);
	return -1;
}

static bool matches(const struct ipmasq_rule *rule, const void *data)
{
	const struct entry *entry = data;

	return rule->kind == IPMASQ_REDIRECT &&
	       ipmasq_address_equal(&rule->redirect.match.alias, &entry->public) &&
	       (!entry->protocol || entry->protocol == rule->redirect.match.protocol) &&
	       (entry->inside.family == AF_UNSPEC ||
		ipmasq_address_equal(&rule->redirect.targets[0].address, &entry->inside));
}

static int delete(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	char public[IPMASQ_ADDRESS_TEXT];
	struct pool_rules rules;
	struct entry entry;
	int rc = 0;

	if (parse_entry(context, words, false, &entry) < 0 ||
	    pool_gather(context, OWNER, &rules, matches, &entry) < 0)
		return -1;
	if (!rules.n)
		rc = ipmasq_fail(&context->error, ENOENT,
				 "no entry of %s%s matches; `ipmasqadm addrfw -L` lists them",
				 ipmasq_address_text(&entry.public, public),
				 entry.protocol || entry.inside.family ? " like this" : "");
	for (size_t i = 0; i < rules.n && rc == 0; i++) {
		const struct ipmasq_redirect *redirect = &rules.list[i]->redirect;

		entry.protocol = redirect->match.protocol;
		rc = remove_outgoing(context, &redirect->targets[0].address, &entry);
		if (rc == 0)
			rc = ipmasq_table_remove(context->table, rules.list[i], &context->error);
	}
	pool_rules_free(&rules);
	return rc;
}

static const struct ipmasq_column columns[] = {
	{"prot", false},
	{"publicaddr", false},
	{"insideaddr", false},
};

/* A protocol in words: a name, a number, or all. */
static const char *protocol_text(uint8_t protocol, char *number, size_t size)
{
	const char *name = ipmasq_protocol_name(protocol);

	if (!protocol)
		return "all";
	if (name)
		return name;
	snprintf(number, size, "%u", protocol);
	return number;
}

static int list_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct listing *listing = data;
	char number[8], public[NI_MAXHOST], inside[NI_MAXHOST];
	const char *cells[3];

	if (rule->kind != IPMASQ_REDIRECT)
		return 0;
	cells[0] = protocol_text(rule->redirect.match.protocol, number, sizeof(number));
	cells[1] = ipmasq_host_name(listing->context, &rule->redirect.match.alias, public,
				    sizeof(public));
	cells[2] = ipmasq_host_name(listing->context, &rule->redirect.targets[0].address, inside,
				    sizeof(inside));
	return ipmasq_listing_row(listing->listing, cells, &listing->context->error);
}

static int list(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	(void)words;
	return call_list(context, OWNER, columns, sizeof(columns) / sizeof(columns[0]), list_rule);
}

static const struct call commands[] = {
	{'A', "LRP", add}, {'D', "LRP", delete}, {'F', "", NULL},
	{'L', "", list},   {'l', "", list},      {0},
};

const struct ipmasq_plugin ipmasq_plugin;

static int run(struct ipmasq_context *context, int argc, char **argv)
{
	return call_run(context, &ipmasq_plugin, commands, argc, argv);
}

static int format(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data)
{
	char public[IPMASQ_ADDRESS_TEXT], inside[IPMASQ_ADDRESS_TEXT], number[8], line[160];
	uint8_t protocol;

	if (rule->kind != IPMASQ_REDIRECT)
		return 0; /* it comes with its redirect */
	protocol = rule->redirect.match.protocol;
	snprintf(line, sizeof(line), OWNER " -A -L %s -R %s%s%s",
		 ipmasq_address_text(&rule->redirect.match.alias, public),
		 ipmasq_address_text(&rule->redirect.targets[0].address, inside),
		 protocol ? " -P " : "",
		 protocol ? protocol_text(protocol, number, sizeof(number)) : "");
	return visit(line, data);
}

const struct ipmasq_plugin ipmasq_plugin = {
	.abi = IPMASQ_PLUGIN_ABI,
	.name = OWNER,
	.summary = "give an inside host a public address of its own, both ways",
	.options = options,
	.synopsis = "-A -L PUBLIC -R INSIDE [-P PROTO]\n"
		    "-D -L PUBLIC [-R INSIDE] [-P PROTO]\n"
		    "-F\n"
		    "-L [-n]",
	.run = run,
	.format = format,
};
