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
#include "line.h"
#include "remote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX   (256u << 20)
#define FILE_GROWS (64u << 10)

struct restoring {
	const struct rules_text *rules;
	char *line;
	size_t line_size;
};

int rules_file_read(FILE *file, char **text, size_t *length)
{
	size_t room = 0, n;

	*text = NULL;
	*length = 0;
	do {
		if (*length == room) {
			char *more;

			room = room ? room * 2 : FILE_GROWS;
			more = room > FILE_MAX ? NULL : realloc(*text, room);
			if (!more) {
				errno = EFBIG;
				return -1;
			}
			*text = more;
		}
		n = fread(*text + *length, 1, room - *length, file);
		*length += n;
	} while (n);
	return ferror(file) ? -1 : 0;
}

int rules_file_read_named(const char *name, char **text, size_t *length)
{
	bool standard = strcmp(name, "-") == 0;
	FILE *file = standard ? stdin : fopen(name, "re");
	int rc;

	if (!file)
		return -1;
	rc = rules_file_read(file, text, length);
	if (!standard)
		fclose(file);
	return rc;
}

/* Puts `FILE:N: ` before the message of a failed line. */
static void locate(struct ipmasq_error *error, const struct restoring *restoring, size_t number,
		   const char *module)
{
	struct ipmasq_error whole = *error;

	if (error->code == EAGAIN)
		return;
	snprintf(error->text, sizeof(error->text), "%.96s:%zu: %.16s%s%.380s",
		 restoring->rules->name, number, module ? module : "", module ? ": " : "",
		 whole.text);
}

static int run_line(struct ipmasq_context *context, struct restoring *restoring, const char *begin,
		    size_t length, size_t number)
{
	struct ipmasq_context line = *context;
	char *words[LINE_WORDS_MAX + 1];
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
	n = line_split(restoring->line, length, words, &context->error);
	if (n == 0)
		return IPMASQ_OK;
	if (n < 0) {
		locate(&context->error, restoring, number, NULL);
		return IPMASQ_USAGE;
	}
	status = session_run_module(&line, n, words);
	if (status == IPMASQ_OK && (line.json != context->json || line.kill != context->kill ||
				    line.dry_run != context->dry_run || line.help)) {
		ipmasq_usage(&line.error,
			     "help, --json, --dry-run and --kill are for the whole file: "
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
	const char *at = restoring->rules->text, *end = at + restoring->rules->length;
	size_t number = 1;

	if (!restoring->rules->add && ipmasq_table_clear(context->table, NULL, &context->error) < 0)
		return context->error.status;
	for (; at < end; number++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((stop ? stop : end) - at);
		int status = run_line(context, restoring, at, length, number);

		if (status != IPMASQ_OK)
			return status;
		at += length + 1;
	}
	return restoring->rules->then ? restoring->rules->then(context, restoring->rules->data)
				      : IPMASQ_OK;
}

enum ipmasq_status rules_file_restore_text(struct session *session, const struct rules_text *rules)
{
	struct restoring restoring = {.rules = rules};
	enum ipmasq_status status = session_transaction(session, NULL, restore, &restoring);

	free(restoring.line);
	return status;
}

enum ipmasq_status rules_file_restore(struct session *session, int argc, char **argv)
{
	struct rules_text rules = {0};
	enum ipmasq_status status = IPMASQ_FAILED;
	char *text = NULL;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-a") == 0) {
			rules.add = true;
		} else if (rules.name || (argv[i][0] == '-' && argv[i][1])) {
			return session_refuse(session, argv[i]);
		} else {
			rules.name = argv[i];
		}
	}
	if (!rules.name)
		rules.name = RULES_FILE;
	if (rules_file_read_named(rules.name, &text, &rules.length) < 0) {
		fprintf(session->err, "restore: cannot read %s: %s\n", rules.name, strerror(errno));
	} else {
		rules.text = text;
		status = session->remote ? remote_restore(session, &rules)
					 : rules_file_restore_text(session, &rules);
	}
	free(text);
	return status;
}

static int print_rules(struct ipmasq_context *context, void *data)
{
	(void)data;
	fputs("# ipmasqadm rules, one command a line; see ipmasqadm(8)\n", context->out);
	return changes_print_table(context->table, context->out, &context->error);
}

enum ipmasq_status rules_file_print(struct session *session)
{
	char *save[] = {(char[]){"save"}, NULL};

	return session->remote ? remote_command(session, 1, save)
			       : session_transaction(session, "save", print_rules, NULL);
}

enum ipmasq_status rules_file_text(const struct session *session, char **text)
{
	struct session keeping = *session;
	enum ipmasq_status status;
	size_t length;

	keeping.out = open_memstream(text, &length);
	if (!keeping.out) {
		fputs("save: out of memory\n", session->err);
		return IPMASQ_FAILED;
	}
	status = rules_file_print(&keeping);
	if (fclose(keeping.out) != 0 && status == IPMASQ_OK) {
		fputs("save: out of memory\n", session->err);
		status = IPMASQ_FAILED;
	}
	return status;
}

enum ipmasq_status rules_file_save(struct session *session, int argc, char **argv)
{
	enum ipmasq_status status;
	char *text = NULL;

	if (argc > 2 || (argc == 2 && argv[1][0] == '-' && argv[1][1]))
		return session_refuse(session, argv[argc - 1]);
	if (argc == 1 || strcmp(argv[1], "-") == 0)
		return rules_file_print(session);
	status = rules_file_text(session, &text);
	if (status == IPMASQ_OK && file_write(argv[1], text) < 0) {
		fprintf(session->err, "save: cannot write %s: %s\n", argv[1], strerror(errno));
		status = IPMASQ_FAILED;
	}
	free(text);
	return status;
}
