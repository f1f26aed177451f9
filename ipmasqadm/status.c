// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * parts/status.so, `ipmasqadm status`: how this machine stands, on one screen.
 *
 * status_read.c reads it from the kernel as groups of named numbers; here they become a listing,
 * columns or JSON; in status_metrics.c, metrics.  Nothing is changed and nothing is kept.
 */
#include "status.h"
#include "command.h"
#include "file.h"

#include <errno.h>
#include <inttypes.h>
#include <ipmasq/listing.h>
#include <stdlib.h>
#include <string.h>

struct status_call {
	bool metrics;
	char *text; /* the metrics, for a file */
};

static const struct ipmasq_column columns[] = {
	{"group", false},
	{"item", false},
	{"value", true},
};

static int list(const struct status *status, struct ipmasq_context *context)
{
	static const char *const groups[STATUS_GROUPS] = {"engine", "support",     "setting",
							  "rules",  "connections", "dropped"};
	struct ipmasq_listing *listing = ipmasq_listing_open(context, "status", columns,
							     sizeof(columns) / sizeof(columns[0]));

	if (!listing)
		return -1;
	for (size_t i = 0; i < status->n; i++) {
		const struct reading *reading = &status->list[i];
		char value[24];
		const char *cells[] = {groups[reading->group], reading->item, value};

		snprintf(value, sizeof(value), "%" PRIu64, reading->value);
		if (ipmasq_listing_row(listing, cells, &context->error) < 0) {
			ipmasq_listing_drop(listing);
			return -1;
		}
	}
	return ipmasq_listing_print(listing, &context->error);
}

/* The metrics as one text, for a file. */
static int keep_metrics(const struct status *status, struct ipmasq_context *context, char **text)
{
	struct ipmasq_context kept = *context;
	size_t length;
	int rc;

	kept.out = open_memstream(text, &length);
	if (!kept.out)
		return ipmasq_fail(&context->error, ENOMEM, "out of memory");
	rc = status_metrics(status, &kept);
	context->error = kept.error;
	if (fclose(kept.out) != 0 && rc == 0)
		rc = ipmasq_fail(&context->error, ENOMEM, "out of memory");
	return rc;
}

static int body(struct ipmasq_context *context, void *data)
{
	struct status_call *call = data;
	struct status status = {0};
	int rc;

	free(call->text); /* of a try before */
	call->text = NULL;
	if (call->metrics)
		ipmasq_table_want_counters(context->table);
	rc = status_read(&status, context);
	if (rc == 0)
		rc = call->metrics ? keep_metrics(&status, context, &call->text)
				   : list(&status, context);
	free(status.list);
	return rc < 0 ? (int)context->error.status : IPMASQ_OK;
}

static enum ipmasq_status put_metrics(struct session *session, const char *name, const char *text)
{
	if (strcmp(name, "-") == 0)
		return fputs(text, session->out) < 0 ? IPMASQ_FAILED : IPMASQ_OK;
	if (file_write(name, text) == 0)
		return IPMASQ_OK;
	fprintf(session->err, "status: cannot write %s: %s\n", name, strerror(errno));
	return IPMASQ_FAILED;
}

static enum ipmasq_status run(struct session *session, int argc, char **argv)
{
	struct status_call call = {0};
	enum ipmasq_status status;
	const char *wrong = NULL;

	call.metrics = argc > 1 && strcmp(argv[1], "--prometheus") == 0;
	if (argc > 2 + call.metrics)
		wrong = argv[2 + call.metrics];
	else if (argc > 1 && !call.metrics)
		wrong = argv[1];
	else if (argc == 3 && argv[2][0] == '-' && argv[2][1])
		wrong = argv[2];
	if (wrong)
		return session_refuse(session, wrong);
	status = session_transaction(session, "status", body, &call);
	if (status == IPMASQ_OK && call.metrics)
		status = put_metrics(session, argc == 3 ? argv[2] : "-", call.text);
	free(call.text);
	return status;
}

extern const struct command_part command_part;
const struct command_part command_part = {.run = run};
