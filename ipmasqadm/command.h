/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of the dispatcher: whole-table commands by a table, every other word is a module.
 *
 * A command that brings another library with it (readline, libpcap, libalias) is a part: a shared
 * object PLUGINDIR/parts/NAME.so that exports its `struct command_part command_part`, opened when
 * it is called.  It uses this program's session.h.
 */
#ifndef IPMASQADM_COMMAND_H
#define IPMASQADM_COMMAND_H

#include "session.h"

/* What is different about a command. */
#define COMMAND_OWN_FLAGS 1u /* the flags among its words are its own business */
#define COMMAND_LOCAL     2u /* runs in the caller's program, also when the rules are in an ipmasqd */
#define COMMAND_ON_TABLE  4u /* works on the rule table only: may be part of a transaction */

struct command {
	const char *name;
	/* argv[0] is the name; flags are taken out.  NULL: a part of this name. */
	enum ipmasq_status (*run)(struct session *session, int argc, char **argv);
	const char *words, *help;
	/* Perhaps NULL: visits what argv[argc-1] may become; as ipmasq_plugin_complete(). */
	int (*complete)(struct session *session, int argc, char **argv, ipmasq_line_visit visit,
			void *data);
	unsigned int flags;
};

/* What a part exports as `command_part`. */
struct command_part {
	enum ipmasq_status (*run)(struct session *session, int argc, char **argv);
	const struct ipmasq_option *options; /* of its words, or NULL */
};

/* What a command whose part has a table of options takes, as a module; false: it has none. */
bool command_grammar(const struct command *command, struct ipmasq_plugin *grammar);

/* Has the part of the name argv[0] run the command. */
enum ipmasq_status command_run_part(struct session *session, int argc, char **argv);

/* One command line: a command's, or a module's.  argv is written to. */
enum ipmasq_status command_run(struct session *session, int argc, char **argv);

/* The same for a line that may begin with flags, which become the session's. */
enum ipmasq_status command_run_line(struct session *session, int argc, char **argv);

/* A usage error for a word that the command does not take, with what it does take; -1. */
int command_wrong_word(const struct session *session, const char *name, const char *word,
		       struct ipmasq_error *error);

/* Sets the flag of `session` that `word` names (-n, --numeric...); false: it is none. */
bool command_flag(struct session *session, const char *word);

/* Visits what the last word of a command line, perhaps empty, may become. */
int command_complete(struct session *session, int argc, char **argv, ipmasq_line_visit visit,
		     void *data);

/* The command of this name, or NULL: it is a module, or nothing. */
const struct command *command_find(const struct session *session, const char *name);

/* Visits the names of the commands. */
int command_names(ipmasq_line_visit visit, void *data);

/* Whether the line that begins with this word may be part of a transaction. */
bool command_on_table(const struct session *session, const char *name);

/* Whether the words of a line that begins with this one may name a file. */
bool command_takes_file(const struct session *session, const char *name);

/* `top`; see top.c. */
enum ipmasq_status top_run(struct session *session, int argc, char **argv);

/* What the words of doctor may become. */
int command_complete_doctor(struct session *session, int argc, char **argv, ipmasq_line_visit visit,
			    void *data);

/* Lists commands and modules with a line about each. */
void command_list(FILE *out);

#endif
