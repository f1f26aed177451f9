// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `ipmasqadm status`: how things stand, on one screen.
 *
 * The numbers come from who has the rules (status.h): for the kernel from the part status.so; an
 * ipmasqd is sent the command line and answers with the text.  A file of metrics is this program's
 * to write whatever the engine, and never the daemon's.  Nothing is changed and nothing is kept.
 */
#include "status.h"
#include "changes.h"
#include "command.h"
#include "file.h"
#include "remote.h"

#include <errno.h>
#include <inttypes.h>
#include <ipmasq/listing.h>
#include <stdlib.h>
#include <string.h>

struct status_words {
	bool metrics;
	const char *file; /* NULL: standard output */
};

struct status_call {
	const struct status_words *words;
	status_reader read;
	void *data;
};

static const struct ipmasq_column columns[] = {
	{"group", false},
	{"item", false},
	{"value", true},
};

static const char *const groups[STATUS_KINDS] = {
	[STATUS_ENGINE] = "engine",           [STATUS_PROCESS] = "engine",
	[STATUS_SECONDS] = "engine",          [STATUS_WORKERS] = "engine",
	[STATUS_MEMORY] = "engine",           [STATUS_INTERFACE] = "interface",
	[STATUS_ADDRESS] = "address",         [STATUS_SUPPORT] = "support",
	[STATUS_SETTING] = "setting",         [STATUS_RULES] = "rules",
	[STATUS_CONNECTIONS] = "connections", [STATUS_LINKS] = "connections",
	[STATUS_PROTOCOLS] = "connections",   [STATUS_CHANGES] = "connections",
	[STATUS_DATAPATH] = "packets",        [STATUS_BYTES] = "packets",
	[STATUS_HOOKS] = "packets",           [STATUS_RESULTS] = "packets",
	[STATUS_DROPPED] = "dropped",
};

int status_add(struct status *status, enum status_kind kind, const char *item, uint64_t value,
	       struct ipmasq_error *error)
{
	struct reading *list = reallocarray(status->list, status->n + 1, sizeof(*list));

	if (!list)
		return ipmasq_fail(error, ENOMEM, "out of memory");
	status->list = list;
	list[status->n] = (struct reading){.kind = kind, .value = value};
	snprintf(list[status->n++].item, sizeof(list->item), "%s", item);
	return 0;
}

struct adding {
	struct status *status;
	struct ipmasq_error *error;
};

static int add_module(const char *module, uint64_t lines, void *data)
{
	const struct adding *adding = data;

	return status_add(adding->status, STATUS_RULES, module, lines, adding->error);
}

int status_add_rules(struct status *status, struct ipmasq_context *context)
{
	struct adding adding = {status, &context->error};

	return changes_count(context->table, add_module, &adding, &context->error);
}

static int list(const struct status *status, struct ipmasq_context *context)
{
	struct ipmasq_listing *listing = ipmasq_listing_open(context, "status", columns,
							     sizeof(columns) / sizeof(columns[0]));

	if (!listing)
		return -1;
	for (size_t i = 0; i < status->n; i++) {
		const struct reading *reading = &status->list[i];
		char value[24];
		const char *cells[] = {groups[reading->kind], reading->item, value};

		snprintf(value, sizeof(value), "%" PRIu64, reading->value);
		if (ipmasq_listing_row(listing, cells, &context->error) < 0) {
			ipmasq_listing_drop(listing);
			return -1;
		}
	}
	return ipmasq_listing_print(listing, &context->error);
}

static int body(struct ipmasq_context *context, void *data)
{
	const struct status_call *call = data;
	struct status status = {0};
	int rc;

	if (call->words->metrics)
		ipmasq_table_want_counters(context->table);
	rc = call->read(&status, context, call->data);
	if (rc == 0)
		rc = call->words->metrics ? status_metrics(&status, context)
					  : list(&status, context);
	free(status.list);
	return rc < 0 ? (int)context->error.status : IPMASQ_OK;
}

static int parse(struct session *session, int argc, char **argv, struct status_words *words)
{
	bool metrics = argc > 1 && strcmp(argv[1], "--prometheus") == 0;
	const char *file = metrics && argc > 2 ? argv[2] : NULL, *wrong = NULL;

	*words = (struct status_words){metrics, file && strcmp(file, "-") != 0 ? file : NULL};
	if (words->file && (file[0] == '-' || session->serving))
		wrong = file;
	else if (argc > 1 + metrics + !!file)
		wrong = argv[1 + metrics + !!file];
	if (!wrong)
		return 0;
	session_refuse(session, wrong);
	return -1;
}

enum ipmasq_status status_show(struct session *session, int argc, char **argv, status_reader read,
			       void *data)
{
	struct status_words words;
	struct status_call call = {&words, read, data};

	if (parse(session, argc, argv, &words) < 0)
		return IPMASQ_USAGE;
	return session_transaction(session, "status", body, &call);
}

static enum ipmasq_status ask(struct session *session, bool metrics)
{
	char *argv[] = {(char[]){"status"}, (char[]){"--prometheus"}, NULL};

	return session->remote ? remote_command(session, 1 + metrics, argv)
			       : command_run_part(session, 1 + metrics, argv);
}

static enum ipmasq_status write_metrics(struct session *session, const char *name)
{
	struct session keeping = *session;
	enum ipmasq_status status = IPMASQ_FAILED;
	char *text = NULL;
	size_t length;

	keeping.out = open_memstream(&text, &length);
	if (keeping.out)
		status = ask(&keeping, true);
	if (!keeping.out || fclose(keeping.out) != 0) {
		fputs("status: out of memory\n", session->err);
		status = IPMASQ_FAILED;
	}
	if (status == IPMASQ_OK && file_write(name, text) < 0) {
		fprintf(session->err, "status: cannot write %s: %s\n", name, strerror(errno));
		status = IPMASQ_FAILED;
	}
	free(text);
	return status;
}

enum ipmasq_status status_run(struct session *session, int argc, char **argv)
{
	struct status_words words;

	if (parse(session, argc, argv, &words) < 0)
		return IPMASQ_USAGE;
	return words.file ? write_metrics(session, words.file) : ask(session, words.metrics);
}
