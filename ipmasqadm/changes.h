/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules as command lines: what a transaction would change, and whole tables. */
#ifndef IPMASQADM_CHANGES_H
#define IPMASQADM_CHANGES_H

#include <ipmasq/plugin.h>

/* Prints the pending changes of `table`, `- ` and `+ ` before the lines of rules.  A status. */
int changes_print(struct ipmasq_table *table, FILE *out, struct ipmasq_error *error);

/* Prints the command lines that make every rule of `table` again.  A status. */
int changes_print_table(struct ipmasq_table *table, FILE *out, struct ipmasq_error *error);

/* Called for a module with the number of command lines that make its rules again; -1: an error. */
typedef int (*changes_count_visit)(const char *module, uint64_t lines, void *data);

/*
 * changes_count - visit the modules that are installed, in alphabetical order, then those that are
 * not but have rules, of which each counts as a line.  A module that only edits another's rules is
 * none of them.  0, or -1 with an error, the callback's too.
 */
int changes_count(struct ipmasq_table *table, changes_count_visit visit, void *data,
		  struct ipmasq_error *error);

/* The first line that makes `rule` again, to be freed; NULL when there is none. */
char *changes_rule_line(const struct ipmasq_rule *rule);

#endif
