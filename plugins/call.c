// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A plugin's command table at work, its listing, and the commands that are alike in all.  Linked
 * into each plugin; the order is always the same: the words are scanned, help goes before
 * everything, a command refuses letters that are not its own by name, then it runs.
 */
#include "call.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define RULE_LINE 320 /* room for the command line of any rule that is removed by its key */

/* Names the commands; a small letter is another spelling of one. */
static int no_command(struct ipmasq_context *context, const struct call *commands,
		      const struct ipmasq_words *words)
{
	char list[64] = "", hint[48] = "";
	size_t length = 0;

	for (; commands->letter && length < sizeof(list) - 5; commands++) {
		if (words->given[(unsigned char)commands->letter])
			snprintf(hint, sizeof(hint), "; -%c with words behind it is none",
				 commands->letter);
		if (!islower((unsigned char)commands->letter))
			length += (size_t)snprintf(list + length, sizeof(list) - length, "-%c, ",
						   commands->letter);
	}
	return ipmasq_usage(&context->error, "no command: give one of %sor -h for help%s", list,
			    hint);
}

static int dispatch(struct ipmasq_context *context, const char *owner, const struct call *commands,
		    const struct ipmasq_words *words)
{
	for (const struct call *command = commands; command->letter; command++) {
		if (command->letter != words->command)
			continue;
		if (ipmasq_words_check(context, words, command->allowed) < 0)
			return -1;
		return command->run ? command->run(context, words)
				    : ipmasq_table_clear(context->table, owner, &context->error);
	}
	return no_command(context, commands, words);
}

int call_run(struct ipmasq_context *context, const struct ipmasq_plugin *plugin,
	     const struct call *commands, int argc, char **argv)
{
	struct ipmasq_words words;

	if (ipmasq_words_scan(context, plugin->options, argc, argv, &words) < 0)
		return context->error.status;
	if (context->help) {
		ipmasq_plugin_usage(plugin, context->out);
		return IPMASQ_OK;
	}
	return dispatch(context, plugin->name, commands, &words) < 0 ? (int)context->error.status
								     : IPMASQ_OK;
}

static int copy_line(const char *line, void *data)
{
	snprintf(data, RULE_LINE, "%s", line);
	return 0;
}

int call_remove(struct ipmasq_context *context, const struct ipmasq_plugin *plugin,
		struct ipmasq_rule *key, bool same_body)
{
	const struct ipmasq_rule *found;
	char line[RULE_LINE] = "";
	int rc = -1;

	if (!key || ipmasq_table_find(context->table, key, &found, &context->error) < 0)
		goto out;
	if (found && (!same_body || ipmasq_rule_same_body(found, key))) {
		rc = ipmasq_table_remove(context->table, key, &context->error);
		goto out;
	}
	ipmasq_plugin_format(plugin, key, copy_line, line);
	ipmasq_fail(&context->error, ENOENT,
		    "there is no rule `%s`; `ipmasqadm %s -L` lists what there is", line,
		    plugin->name);
out:
	ipmasq_rule_free(key);
	return rc;
}

int call_list(struct ipmasq_context *context, const char *owner,
	      const struct ipmasq_column *columns, size_t n_columns, ipmasq_rule_visit rows)
{
	struct listing listing = {.context = context};

	listing.listing = ipmasq_listing_open(context, owner, columns, n_columns);
	if (!listing.listing)
		return -1;
	if (ipmasq_table_walk(context->table, owner, rows, &listing, &context->error) < 0) {
		ipmasq_listing_drop(listing.listing);
		return -1;
	}
	return ipmasq_listing_print(listing.listing, &context->error);
}
