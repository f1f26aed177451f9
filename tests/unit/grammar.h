/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cases of one plugin's grammar: command lines on an engine in memory, and what may be said
 * of each.  A test of a plugin is linked with that plugin, which takes the place of portfw as
 * the one that linked.c and command.c know.
 */
#ifndef TESTS_GRAMMAR_H
#define TESTS_GRAMMAR_H

#include "command.h"

extern struct memory_engine memory; /* of the case that runs */
extern struct result result;        /* of the last line */

/* The setup and the teardown of a case. */
int grammar_open(void **state);
int grammar_close(void **state);

#define GRAMMAR_TEST(name) cmocka_unit_test_setup_teardown(name, grammar_open, grammar_close)

void run(const char *line);

/* Runs a line that must succeed. */
void ok(const char *line);

/* Runs a line that is wrong: exit 2, the word named, nothing changed. */
void wrong(const char *line, const char *named);

/* Runs a line that finds nothing to do: exit 1, nothing changed. */
void fails(const char *line);

/* The rules of the engine as the lines that make them. */
void assert_rules(const char *lines);

/* A line of the last output, with one blank between its words. */
void assert_output_line(unsigned int number, const char *words);

/* The rules, formatted, make on an empty table the same rules, which are formatted the same. */
void assert_round_trip(void);

/* Adds a rule of portfw, which the plugin has no business with, and asserts that it is all. */
void add_rule_of_portfw(void);
void assert_only_rule_of_portfw(void);

#endif
