// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transactions on an engine: optimistic, repeated until nobody came between.
 *
 * A body reads and changes a fresh rule table, its output is held back, the difference is
 * committed.  A commit fails only because another writer's succeeded, so among any number of
 * writers at once somebody always gets on; the pause before the next try is random, so that
 * they do not stay in step.  Several lines can be one transaction: its body runs them in a
 * session that is within it.
 */
#include "session.h"
#include "changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define TRIES_MAX    2000
#define PAUSE_MAX_US 4000u

static void pause_randomly(void)
{
	unsigned int microseconds = 0;
	struct timespec pause = {0};

	if (getrandom(&microseconds, sizeof(microseconds), 0) < 0)
		microseconds = PAUSE_MAX_US / 2;
	pause.tv_nsec = (long)(microseconds % PAUSE_MAX_US) * 1000;
	nanosleep(&pause, NULL);
}

static int try_once(const struct session *session, struct ipmasq_context *context,
		    session_body body, void *data)
{
	unsigned int flags;
	int status = body(context, data);

	if (status != IPMASQ_OK)
		return status;
	if (session->trial)
		return IPMASQ_OK;
	if (context->dry_run)
		return changes_print(context->table, context->out, &context->error);
	flags = context->kill ? IPMASQ_COMMIT_KILL : 0;
	return ipmasq_table_commit(context->table, flags, &context->error) < 0
		       ? (int)context->error.status
		       : IPMASQ_OK;
}

/* One try in a context of its own; what it wrote is in *output, to be freed. */
static int one_transaction(struct session *session, session_body body, void *data, char **output,
			   size_t *length, struct ipmasq_error *error)
{
	struct ipmasq_context context = session->flags;
	int status = IPMASQ_FAILED;

	*output = NULL;
	context.out = open_memstream(output, length);
	context.stream = session->out == stdout ? stdout : NULL;
	if (!context.out) {
		ipmasq_fail(error, errno, "out of memory");
		return IPMASQ_FAILED;
	}
	context.table = ipmasq_table_open(session->engine, &context.error);
	if (context.table)
		status = try_once(session, &context, body, data);
	ipmasq_table_close(context.table);
	if (fclose(context.out) != 0 && status == IPMASQ_OK) {
		ipmasq_fail(&context.error, ENOMEM, "out of memory");
		status = IPMASQ_FAILED;
	}
	*error = context.error;
	return status;
}

static void report(struct session *session, const char *prefix, const struct ipmasq_error *error)
{
	if (error->text[0])
		fprintf(session->err, "%s%s%s\n", prefix ? prefix : "", prefix ? ": " : "",
			error->text);
}

/* A part of a transaction: of its failures, only a conflict is the whole's to hear of. */
static int run_within(struct session *session, const char *prefix, session_body body, void *data)
{
	struct ipmasq_context *whole = session->within, context = session->flags;
	int status;

	context.table = whole->table;
	context.out = session->out;
	status = body(&context, data);
	if (status == IPMASQ_OK && context.dry_run && !whole->dry_run) {
		ipmasq_usage(&context.error, "--dry-run is for a whole transaction; show shows "
					     "what this one would change");
		status = IPMASQ_USAGE;
	}
	if (status != IPMASQ_OK && context.error.code == EAGAIN)
		whole->error = context.error;
	else if (status != IPMASQ_OK)
		report(session, prefix, &context.error);
	whole->kill |= context.kill;
	return status;
}

enum ipmasq_status session_transaction(struct session *session, const char *prefix,
				       session_body body, void *data)
{
	struct ipmasq_error error = {0};
	size_t length = 0;
	char *output;
	int status;

	if (session->remote) {
		fprintf(session->err,
			"%s: ipmasqd has the rules, this works on the kernel's only\n",
			prefix ? prefix : "ipmasqadm");
		return IPMASQ_FAILED;
	}
	if (session->within)
		return (enum ipmasq_status)run_within(session, prefix, body, data);
	for (int tries = 1;; tries++) {
		status = one_transaction(session, body, data, &output, &length, &error);
		if (status == IPMASQ_OK || error.code != EAGAIN || tries == TRIES_MAX)
			break;
		free(output);
		pause_randomly();
	}
	if (status == IPMASQ_OK &&
	    (fwrite(output, 1, length, session->out) != length || fflush(session->out))) {
		ipmasq_fail(&error, errno, "cannot write the output: %s", strerror(errno));
		status = IPMASQ_FAILED;
	}
	free(output);
	if (status != IPMASQ_OK)
		report(session, prefix, &error);
	return (enum ipmasq_status)status;
}

int session_run_module(struct ipmasq_context *context, int argc, char **argv)
{
	const struct ipmasq_plugin *plugin = ipmasq_plugin_load(argv[0], &context->error);

	return plugin ? plugin->run(context, argc, argv) : (int)context->error.status;
}
