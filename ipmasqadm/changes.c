// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules back to command lines, each by the plugin that owns it: for --dry-run and save, and counted
 * for status.
 */
#include "changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The lines of one rule. */
struct lines {
	char **list;
	size_t n;
};

struct printing {
	FILE *out;
	struct ipmasq_error *error;
};

static int keep_line(const char *line, void *data)
{
	struct lines *lines = data;
	char **list = reallocarray(lines->list, lines->n + 1, sizeof(*list));

	if (!list)
		return -1;
	lines->list = list;
	list[lines->n] = strdup(line);
	return list[lines->n++] ? 0 : -1;
}

static void lines_free(struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		free(lines->list[i]);
	free(lines->list);
}

static int format_rule(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data,
		       struct ipmasq_error *error)
{
	const struct ipmasq_plugin *plugin;

	if (!rule)
		return 0;
	plugin = ipmasq_plugin_load(rule->owner, error);
	if (!plugin)
		return -1;
	if (ipmasq_plugin_format(plugin, rule, visit, data) < 0)
		return ipmasq_fail(error, ENOMEM, "out of memory");
	return 0;
}

static bool contains(const struct lines *lines, const char *line)
{
	for (size_t i = 0; i < lines->n; i++)
		if (strcmp(lines->list[i], line) == 0)
			return true;
	return false;
}

static void print_missing(FILE *out, char sign, const struct lines *lines,
			  const struct lines *others)
{
	for (size_t i = 0; i < lines->n; i++)
		if (!contains(others, lines->list[i]))
			fprintf(out, "%c %s\n", sign, lines->list[i]);
}

static int print_change(const struct ipmasq_rule *before, const struct ipmasq_rule *after,
			void *data)
{
	const struct printing *printing = data;
	struct lines gone = {0}, come = {0};
	int rc = -1;

	if (format_rule(before, keep_line, &gone, printing->error) == 0 &&
	    format_rule(after, keep_line, &come, printing->error) == 0) {
		print_missing(printing->out, '-', &gone, &come);
		print_missing(printing->out, '+', &come, &gone);
		rc = 0;
	}
	lines_free(&gone);
	lines_free(&come);
	return rc;
}

int changes_print(struct ipmasq_table *table, FILE *out, struct ipmasq_error *error)
{
	struct printing printing = {out, error};

	return ipmasq_table_changes(table, print_change, &printing) < 0 ? IPMASQ_FAILED : IPMASQ_OK;
}

static int print_line(const char *line, void *data)
{
	return fprintf(data, "%s\n", line) < 0 ? -1 : 0;
}

static int print_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct printing *printing = data;

	return format_rule(rule, print_line, printing->out, printing->error);
}

int changes_print_table(struct ipmasq_table *table, FILE *out, struct ipmasq_error *error)
{
	struct printing printing = {out, error};

	return ipmasq_table_walk(table, NULL, print_rule, &printing, error) < 0 ? IPMASQ_FAILED
										: IPMASQ_OK;
}

/* Lines by module. */
struct counting {
	struct module {
		char name[IPMASQ_OWNER_SIZE];
		uint64_t lines;
	} * modules;
	size_t n;
	struct ipmasq_error *error;
};

static struct module *find_module(struct counting *counting, const char *name)
{
	struct module *modules;

	for (size_t i = 0; i < counting->n; i++)
		if (strcmp(counting->modules[i].name, name) == 0)
			return &counting->modules[i];
	modules = reallocarray(counting->modules, counting->n + 1, sizeof(*modules));
	if (!modules) {
		ipmasq_fail(counting->error, ENOMEM, "out of memory");
		return NULL;
	}
	counting->modules = modules;
	modules[counting->n] = (struct module){.lines = 0};
	snprintf(modules[counting->n].name, sizeof(modules->name), "%s", name);
	return &modules[counting->n++];
}

static int add_module(const char *name, void *data)
{
	struct ipmasq_error unused; /* what cannot be loaded may have rules all the same */
	const struct ipmasq_plugin *plugin = ipmasq_plugin_load(name, &unused);

	return (plugin && !plugin->format) || find_module(data, name) ? 0 : -1;
}

static int count_line(const char *line, void *data)
{
	(void)line;
	++*(uint64_t *)data;
	return 0;
}

static int count_rule(const struct ipmasq_rule *rule, void *data)
{
	struct counting *counting = data;
	struct module *module = find_module(counting, rule->owner);
	struct ipmasq_error unused;
	const struct ipmasq_plugin *plugin = ipmasq_plugin_load(rule->owner, &unused);

	if (!module)
		return -1;
	if (plugin)
		return ipmasq_plugin_format(plugin, rule, count_line, &module->lines);
	module->lines++;
	return 0;
}

int changes_count(struct ipmasq_table *table, changes_count_visit visit, void *data,
		  struct ipmasq_error *error)
{
	struct counting counting = {.error = error};
	int rc = ipmasq_plugin_names(add_module, &counting, error);

	if (rc == 0)
		rc = ipmasq_table_walk(table, NULL, count_rule, &counting, error);
	for (size_t i = 0; rc == 0 && i < counting.n; i++)
		rc = visit(counting.modules[i].name, counting.modules[i].lines, data);
	free(counting.modules);
	return rc < 0 ? -1 : 0;
}

static int take_line(const char *line, void *data)
{
	char **copy = data;

	*copy = strdup(line);
	return 1; /* the first is all of it */
}

char *changes_rule_line(const struct ipmasq_rule *rule)
{
	struct ipmasq_error error;
	const struct ipmasq_plugin *plugin = ipmasq_plugin_load(rule->owner, &error);
	char *line = NULL;

	if (plugin)
		ipmasq_plugin_format(plugin, rule, take_line, &line);
	return line;
}
