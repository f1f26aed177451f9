/* SPDX-License-Identifier: GPL-2.0-or-later */
/* save and restore: rules files, one command line of a module a line. */
#ifndef IPMASQADM_RULES_FILE_H
#define IPMASQADM_RULES_FILE_H

#include "session.h"

/* The commands, with files of this machine on whatever engine. */
enum ipmasq_status rules_file_save(struct session *session, int argc, char **argv);
enum ipmasq_status rules_file_restore(struct session *session, int argc, char **argv);

/* A rules file that has been read. */
struct rules_text {
	const char *name; /* for messages */
	const char *text;
	size_t length;
	bool add; /* to the rules that are there, not in their place */
	/* Perhaps NULL: what else the transaction does when all lines are carried out; a status. */
	int (*then)(struct ipmasq_context *context, void *data);
	void *data;
};

/* Makes the rules those of the text, all or nothing; messages begin NAME:LINE. */
enum ipmasq_status rules_file_restore_text(struct session *session, const struct rules_text *rules);

/* Prints all rules as a rules file. */
enum ipmasq_status rules_file_print(struct session *session);

/* Reads a file whole; *text is to be freed, also after -1 with errno. */
int rules_file_read(FILE *file, char **text, size_t *length);

/* The same for a named file, `-` is standard input. */
int rules_file_read_named(const char *name, char **text, size_t *length);

/* The rules there are, as a rules file; *text is to be freed.  A status; prints. */
enum ipmasq_status rules_file_text(const struct session *session, char **text);

#endif
