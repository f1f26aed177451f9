/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every plugin's run() does: words in, one command of a table carried out. */
#ifndef PLUGINS_CALL_H
#define PLUGINS_CALL_H

#include <ipmasq/listing.h>
#include <ipmasq/plugin.h>

struct call {
	char letter;
	const char *allowed; /* the options that it takes */
	/* 0, or -1 with an error in the context.  NULL: clears the table of the module. */
	int (*run)(struct ipmasq_context *context, const struct ipmasq_words *words);
};

/* The body of ipmasq_plugin.run() for a table of commands that letter 0 ends. */
int call_run(struct ipmasq_context *context, const struct ipmasq_plugin *plugin,
	     const struct call *commands, int argc, char **argv);

/*
 * call_remove - remove the rule with the key of `key`, which is taken over and may be NULL when
 * there is an error in the context already.  With `same_body`, only if it is the same rule.
 * Without such a rule it fails, and says in the words of the plugin which one.
 */
int call_remove(struct ipmasq_context *context, const struct ipmasq_plugin *plugin,
		struct ipmasq_rule *key, bool same_body);

/* What a listing's walk over the rules hands to its visitor. */
struct listing {
	struct ipmasq_context *context;
	struct ipmasq_listing *listing;
};

/* Lists the rules of `owner`; `rows` adds the rows of one, `data` is a struct listing. */
int call_list(struct ipmasq_context *context, const char *owner,
	      const struct ipmasq_column *columns, size_t n_columns, ipmasq_rule_visit rows);

#endif
