/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session: an engine, and the transactions that command lines make on it.
 *
 * With `remote` the engine is in an ipmasqd, command lines go there whole (remote.h), and there are
 * no transactions here.
 */
#ifndef IPMASQADM_SESSION_H
#define IPMASQADM_SESSION_H

#include <ipmasq/plugin.h>

struct command;

struct session {
	struct ipmasq_engine *engine; /* NULL with `remote` */
	const char *remote;           /* NULL, or the control socket of an ipmasqd */
	const struct command
		*commands;   /* NULL, or what ipmasqd has in the place of commands, by name */
	const void *serving; /* theirs */
	FILE *out, *err;     /* where output and messages go */
	struct ipmasq_context flags;   /* given to the dispatcher: what every context begins with */
	struct ipmasq_context *within; /* the transaction that its lines are part of, or NULL */
	bool trial;                    /* nothing is committed, nor shown */
	const char *wrong_word;        /* what a command has refused: its usage is shown with it */
};

/* How a command refuses a word that it does not take. */
static inline enum ipmasq_status session_refuse(struct session *session, const char *word)
{
	session->wrong_word = word;
	return IPMASQ_USAGE;
}

/*
 * What one transaction does; it is called again, on a fresh table, when another writer came
 * between.  Returns IPMASQ_OK, or another status with context->error filled.
 */
typedef int (*session_body)(struct ipmasq_context *context, void *data);

/*
 * session_transaction - run `body` and commit what it changed, all or nothing.  Its output goes
 * to session->out once it has succeeded; an error goes to session->err behind `prefix`, if that
 * is not NULL, and none when it has no text.  In a session that is `within` a transaction, `body`
 * works on that one's table, and commits nothing.
 */
enum ipmasq_status session_transaction(struct session *session, const char *prefix,
				       session_body body, void *data);

/* Runs one module's command line in `context`; argv[0] is the module's name. */
int session_run_module(struct ipmasq_context *context, int argc, char **argv);

#endif
