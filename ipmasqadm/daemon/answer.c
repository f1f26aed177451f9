// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A request is a command line on the user engine, in a session of its own, by the same functions
 * that carry out a call of ipmasqadm.  What differs is done here: `save` and `restore` have no
 * files, since those are the client's, and `status` is the daemon's.
 *
 * A request that needs names of hosts is carried out again when they are known, unless it has
 * changed the rules already; lookup.c has how.
 *
 * An answer is `out N`, N bytes of output, `err N`, N bytes of messages, `end STATUS`.
 */
#include "answer.h"
#include "command.h"
#include "daemon.h"
#include "lookup.h"
#include "rules_file.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>
#include <user/user.h>

/* What the commands below need besides their session. */
struct serving {
	const struct ipmasqd *daemon;
	const struct request *request;
};

static enum ipmasq_status save(struct session *session, int argc, char **argv)
{
	return argc > 1 ? session_refuse(session, argv[1]) : rules_file_print(session);
}

static enum ipmasq_status restore(struct session *session, int argc, char **argv)
{
	const struct serving *serving = session->serving;
	const struct request *request = serving->request;
	struct rules_text rules = {.text = request->body, .length = request->body_length};

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-a") == 0)
			rules.add = true;
		else if (rules.name)
			return session_refuse(session, argv[i]);
		else
			rules.name = argv[i];
	}
	if (!rules.name || !rules.text) {
		fputs("restore: name the file, for messages\n", session->err);
		return IPMASQ_USAGE;
	}
	return rules_file_restore_text(session, &rules);
}

static enum ipmasq_status status(struct session *session, int argc, char **argv)
{
	const struct serving *serving = session->serving;

	return status_print(serving->daemon, session, argc, argv);
}

static const struct command own_commands[] = {
	{"save", save, "", "write all rules as command lines", NULL, 0},
	{"restore", restore, "[-a] NAME BYTES",
	 "make the rules those of so many bytes behind the line", NULL, 0},
	{"status", status, "[--prometheus]", "how ipmasqd is", NULL, 0},
	{0},
};

/* `WORD N` and the bytes. */
static void put_block(FILE *answer, const char *word, const char *bytes, size_t length)
{
	fprintf(answer, "%s %zu\n", word, length);
	fwrite(bytes, 1, length, answer);
}

struct text {
	char *bytes;
	size_t length;
};

static int compose(const struct text *out, const struct text *err, enum ipmasq_status status_code,
		   char **answer, size_t *length)
{
	FILE *stream = open_memstream(answer, length);

	if (!stream)
		return -1;
	put_block(stream, "out", out->bytes, out->length);
	put_block(stream, "err", err->bytes, err->length);
	fprintf(stream, "end %d\n", (int)status_code);
	if (fclose(stream) == 0)
		return 0;
	free(*answer);
	return -1;
}

static enum ipmasq_status run(const struct ipmasqd *daemon, const struct request *request,
			      FILE *out, FILE *err)
{
	const struct serving serving = {daemon, request};
	struct session session = {
		.engine = user_engine(daemon->user),
		.commands = own_commands,
		.serving = &serving,
		.out = out,
		.err = err,
	};
	char *argv[LINE_WORDS_MAX + 2];

	if (!request->argc)
		return IPMASQ_OK;
	memcpy(argv, request->argv, sizeof(argv));
	return command_run_line(&session, request->argc, argv);
}

int answer_request(const struct ipmasqd *daemon, const struct request *request,
		   struct lookups *lookups, char **answer, size_t *length)
{
	uint64_t generation = user_generation(daemon->user);
	struct text out = {0}, err = {0};
	FILE *out_stream = open_memstream(&out.bytes, &out.length);
	FILE *err_stream = open_memstream(&err.bytes, &err.length);
	enum ipmasq_status result = IPMASQ_FAILED;
	int rc = -1, whole = 0;
	bool missing;

	lookup_begin(lookups);
	if (out_stream && err_stream)
		result = run(daemon, request, out_stream, err_stream);
	missing = lookup_end(lookups) && user_generation(daemon->user) == generation;
	if (out_stream)
		whole += fclose(out_stream) == 0;
	if (err_stream)
		whole += fclose(err_stream) == 0;
	if (missing)
		rc = 1;
	else if (whole == 2)
		rc = compose(&out, &err, result, answer, length);
	free(out.bytes);
	free(err.bytes);
	return rc;
}

int answer_error(const struct ipmasq_error *error, char **answer, size_t *length)
{
	char line[sizeof(error->text) + 1];
	struct text out = {line, 0}, err = {line, 0};

	err.length = (size_t)snprintf(line, sizeof(line), "%s\n", error->text);
	return compose(&out, &err, error->status, answer, length);
}
