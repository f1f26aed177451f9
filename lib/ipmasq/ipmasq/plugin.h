/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin interface: what a NAME.so in the plugin directory exports, and what it may use.
 * See ipmasqadm-plugin(7) for a complete example.
 *
 * A plugin is a grammar: it turns words into changes of the rule table and rules back into
 * words.  It never exits, never prints but to context->out, keeps no state between calls
 * (one process may call it thousands of times) and must give the same result when a call is
 * repeated on a fresh table, which is what happens when another writer came between.
 */
#ifndef IPMASQ_PLUGIN_H
#define IPMASQ_PLUGIN_H

#include <ipmasq/error.h>
#include <ipmasq/rule.h>
#include <ipmasq/table.h>
#include <ipmasq/words.h>
#include <stdio.h>

/* Changes whenever a structure or a function of this header does. */
#define IPMASQ_PLUGIN_ABI 1u

struct ipmasq_context {
	struct ipmasq_table *table; /* the transaction under way */
	FILE *out;                  /* where listings and help go */
	struct ipmasq_error error;  /* what went wrong, when run() does not return IPMASQ_OK */
	bool numeric;               /* -n: no names, neither in nor out */
	bool verbose;               /* -v */
	bool json;                  /* --json */
	bool dry_run;               /* --dry-run: the caller shows the changes, and drops them */
	bool kill;                  /* --kill: end the TCP connections of what is removed too */
	bool help;                  /* -h, --help: scanned, the plugin shows its usage */
	FILE *stream;               /* as out, but shown at once, not when the call has succeeded:
				       for what goes on until somebody ends it.  NULL where
				       nobody could: in a request to a daemon */
};

/* Called with a line of text without its end. */
typedef int (*ipmasq_line_visit)(const char *line, void *data);

struct ipmasq_plugin {
	unsigned int abi;    /* IPMASQ_PLUGIN_ABI */
	const char *name;    /* as the file, without .so */
	const char *summary; /* one line */
	const struct ipmasq_option *options;
	const char *synopsis; /* the calls, one a line, each beginning with the letter */

	/*
	 * run - carry out one command line; argv[0] is the module's name.
	 * Returns IPMASQ_OK, or another status with context->error filled.
	 */
	int (*run)(struct ipmasq_context *context, int argc, char **argv);

	/*
	 * complete - visit words that argv[argc-1], perhaps empty, may become, beside those that
	 * follow from `options` and, in a call about rules that are there (with a command, but not
	 * -A or -I), from what format() makes of them.  context->table may be NULL.  May be NULL.
	 * Anything but 0 from `visit` ends it.
	 */
	int (*complete)(struct ipmasq_context *context, int argc, char **argv,
			ipmasq_line_visit visit, void *data);

	/*
	 * format - visit the command lines, without the program's name, that make `rule`
	 * again when they are run in this order.  NULL: no rule is this module's own.
	 */
	int (*format)(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data);
};

/* ipmasq_plugin_format - the same of any plugin; of one that owns no rule there are no lines. */
static inline int ipmasq_plugin_format(const struct ipmasq_plugin *plugin,
				       const struct ipmasq_rule *rule, ipmasq_line_visit visit,
				       void *data)
{
	return plugin->format ? plugin->format(rule, visit, data) : 0;
}

/*
 * ipmasq_plugin_complete - visit the words that argv[argc-1], perhaps empty, may become; argv[0] is
 * the module's name.  Returns 0, or what `visit` returned to end it.
 */
int ipmasq_plugin_complete(const struct ipmasq_plugin *plugin, struct ipmasq_context *context,
			   int argc, char **argv, ipmasq_line_visit visit, void *data);

/* Prints the usage text that `options` and `synopsis` make. */
void ipmasq_plugin_usage(const struct ipmasq_plugin *plugin, FILE *out);

/*
 * ipmasq_plugin_load - the plugin of this name from the plugin directory.
 *
 * A name is a letter and up to 14 letters, digits or `_`.  With privilege, only a file and a
 * directory that root owns and nobody else may write are opened.  A plugin stays loaded.  Returns
 * NULL with an error: no such module (usage), not trusted, another ABI (failed).
 */
const struct ipmasq_plugin *ipmasq_plugin_load(const char *name, struct ipmasq_error *error);

/* Visits the names of the modules in the plugin directory, in alphabetical order. */
int ipmasq_plugin_names(ipmasq_line_visit visit, void *data, struct ipmasq_error *error);

/* The name of a host or a service for a listing, or its number with context->numeric. */
const char *ipmasq_host_name(const struct ipmasq_context *context,
			     const struct ipmasq_address *address, char *text, unsigned int size);
const char *ipmasq_service_name(const struct ipmasq_context *context, uint16_t port,
				uint8_t protocol, char *text, unsigned int size);

#endif
