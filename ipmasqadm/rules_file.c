// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules files: one command line a line, without the program's name; `#` begins a comment.
 *
 * `restore` reads the whole file into memory, makes all its lines on one table and commits them
 * in one transaction: all or nothing.  Without -a the table is cleared first; since only the
 * difference is committed, a rule that is in the kernel and in the file stays as it is, with
 * its counters and flows.  `save` replaces a file as a whole (file.h).
 */
#include "rules_file.h"
#include "changes.h"
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX  64
#define FILE_MAX   (256u << 20)
#define FILE_GROWS (64u << 10)

struct restoring {
	const char *name; /* of the file */
	char *text;       /* all of it */
	size_t length;
	bool add; /* -a: to what is there */
	char *line;
	size_t line_size;
};

static int read_text(struct restoring *restoring, FILE *file)
{
	size_t room = 0, n;

	do {
		if (restoring->length == room) {
			char *text;

			room = room ? room * 2 : FILE_GROWS;
			text = room > FILE_MAX ? NULL : realloc(restoring->text, room);
			if (!text) {
				errno = EFBIG;
				return -1;
			}
			restoring->text = text;
		}
		n = fread(restoring->text + restoring->length, 1, room - restoring->length, file);
		restoring->length += n;
	} while (n);
	return ferror(file) ? -1 : 0;
}

static int read_file(struct restoring *restoring)
{
	bool standard = strcmp(restoring->name, "-") == 0;
	FILE *file = standard ? stdin : fopen(restoring->name, "re");
	int rc;

	if (!file)
		return -1;
	rc = read_text(restoring, file);
	if (!standard)
		fclose(file);
	return rc;
}

/* Cuts `line` into words in place; their number, or -1 when there are too many. */
static int split(char *line, char **words)
{
	int n = 0;

	for (char *word = strtok_r(line, " \t\r", &line); word && *word != '#';
	     word = strtok_r(NULL, " \t\r", &line)) {
		if (n == WORDS_MAX)
			return -1;
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

/* Puts `FILE:N: ` before the message of a failed line. */
static void locate(struct ipmasq_error *error, const struct restoring *restoring, size_t number,
		   const char *module)
{
	struct ipmasq_error whole = *error;

	if (error->code == EAGAIN)
		return;
	snprintf(error->text, sizeof(error->text), "%.96s:%zu: %.16s%s%.380s", restoring->name,
		 number, module ? module : "", module ? ": " : "", whole.text);
}

static int run_line(struct ipmasq_context *context, struct restoring *restoring, const char *begin,
		    size_t length, size_t number)
{
	struct ipmasq_context line = *context;
	char *words[WORDS_MAX + 1];
	int n, status;

	if (length >= restoring->line_size) {
		char *buffer = realloc(restoring->line, length + 1);

		if (!buffer) {
			ipmasq_fail(&context->error, ENOMEM, "out of memory");
			return IPMASQ_FAILED;
		}
		restoring->line = buffer;
		restoring->line_size = length + 1;
	}
	memcpy(restoring->line, begin, length);
	restoring->line[length] = '\0';
	if (memchr(begin, '\0', length)) {
		ipmasq_usage(&context->error, "there is a NUL byte in this line");
		locate(&context->error, restoring, number, NULL);
		return IPMASQ_USAGE;
	}
	n = split(restoring->line, words);
	if (n == 0)
		return IPMASQ_OK;
	if (n < 0) {
		ipmasq_usage(&context->error, "more than %d words", WORDS_MAX);
		locate(&context->error, restoring, number, NULL);
		return IPMASQ_USAGE;
	}
	status = session_run_module(&line, n, words);
	if (status == IPMASQ_OK && (line.json != context->json || line.kill != context->kill ||
				    line.dry_run != context->dry_run || line.help)) {
		ipmasq_usage(&line.error, "help, --json, --dry-run and --kill are for the whole file: "
					  "give them to ipmasqadm");
		status = IPMASQ_USAGE;
	}
	if (status != IPMASQ_OK) {
		context->error = line.error;
		locate(&context->error, restoring, number, words[0]);
	}
	return status;
}

static int restore(struct ipmasq_context *context, void *data)
{
	struct restoring *restoring = data;
	const char *at = restoring->text, *end = at + restoring->length;
	size_t number = 1;

	if (!restoring->add && ipmasq_table_clear(context->table, NULL, &context->error) < 0)
		return context->error.status;
	for (; at < end; number++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((stop ? stop : end) - at);
		int status = run_line(context, restoring, at, length, number);

		if (status != IPMASQ_OK)
			return status;
		at += length + 1;
	}
	return IPMASQ_OK;
}

enum ipmasq_status rules_file_restore(struct session *session, int argc, char **argv)
{
	struct restoring restoring = {0};
	enum ipmasq_status status = IPMASQ_FAILED;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-a") == 0) {
			restoring.add = true;
		} else if (restoring.name || (argv[i][0] == '-' && argv[i][1])) {
			fprintf(session->err, "restore: '%s' is one word too many; "
					"usage: ipmasqadm restore [-a] FILE\n", argv[i]);
			return IPMASQ_USAGE;
		} else {
			restoring.name = argv[i];
		}
	}
	if (!restoring.name) {
		fputs("restore: name the file, or - for standard input\n", session->err);
		return IPMASQ_USAGE;
	}
	if (read_file(&restoring) < 0)
		fprintf(session->err, "restore: cannot read %s: %s\n", restoring.name, strerror(errno));
	else
		status = session_transaction(session, NULL, restore, &restoring);
	free(restoring.line);
	free(restoring.text);
	return status;
}

static int print_rules(struct ipmasq_context *context, void *data)
{
	FILE *out = data ? data : context->out;

	fputs("# ipmasqadm rules, one command a line; see ipmasqadm(8)\n", out);
	return changes_print_table(context->table, out, &context->error);
}

static int keep_text(struct ipmasq_context *context, void *data)
{
	char **text = data;
	size_t length;
	FILE *out = open_memstream(text, &length);
	int status;

	if (!out) {
		ipmasq_fail(&context->error, ENOMEM, "out of memory");
		return IPMASQ_FAILED;
	}
	status = print_rules(context, out);
	if (fclose(out) != 0 || status != IPMASQ_OK) {
		free(*text);
		*text = NULL;
	}
	return status;
}

enum ipmasq_status rules_file_save(struct session *session, int argc, char **argv)
{
	enum ipmasq_status status;
	char *text = NULL;

	if (argc > 2 || (argc == 2 && argv[1][0] == '-' && argv[1][1])) {
		fprintf(session->err, "save: '%s' is one word too many; usage: ipmasqadm save [FILE]\n",
			argv[argc - 1]);
		return IPMASQ_USAGE;
	}
	if (argc == 1 || strcmp(argv[1], "-") == 0)
		return session_transaction(session, "save", print_rules, NULL);
	status = session_transaction(session, "save", keep_text, &text);
	if (status == IPMASQ_OK && file_write(argv[1], text) < 0) {
		fprintf(session->err, "save: cannot write %s: %s\n", argv[1], strerror(errno));
		status = IPMASQ_FAILED;
	}
	free(text);
	return status;
}
