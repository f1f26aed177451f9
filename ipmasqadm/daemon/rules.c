// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives a run of ipmasqd: the rules, which are the administrator's file, and with --state
 * the links.  The rules are read at the start and at SIGHUP in one transaction, of which the engine
 * sees the differences only, so that nothing happens to the connections of what stays.
 */
#include "rules.h"
#include "daemon.h"
#include "files.h"
#include "log.h"
#include "rules_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <user/user.h>

static const char *file_name(const struct ipmasqd *daemon)
{
	return daemon->options.rules ? daemon->options.rules : RULES_FILE;
}

/* The whole file; -1 with errno. */
static int read_rules(char **text, size_t *length)
{
	FILE *file = files_rules();
	int rc, code;

	if (!file)
		return -1;
	rc = rules_file_read(file, text, length);
	code = errno;
	fclose(file);
	errno = code;
	return rc;
}

/* Messages of the transaction are lines of the log. */
static int replace(const struct ipmasqd *daemon, const struct rules_text *rules)
{
	struct session session = {.engine = user_engine(daemon->user)};
	char *messages[2] = {NULL, NULL};
	size_t length[2];
	enum ipmasq_status status = IPMASQ_FAILED;

	session.out = open_memstream(&messages[0], &length[0]);
	session.err = open_memstream(&messages[1], &length[1]);
	if (session.out && session.err)
		status = rules_file_restore_text(&session, rules);
	else
		log_message(LOG_ERR, "out of memory");
	for (int i = 0; i < 2; i++) {
		FILE *stream = i ? session.err : session.out;

		if (stream && fclose(stream) == 0 && messages[i])
			log_lines(i ? LOG_ERR : LOG_NOTICE, messages[i]);
		free(messages[i]);
	}
	return status == IPMASQ_OK ? 0 : -1;
}

int rules_load(const struct ipmasqd *daemon)
{
	struct rules_text rules = {.name = file_name(daemon)};
	char *text = NULL;
	int rc = -1;

	if (read_rules(&text, &rules.length) == 0) {
		rules.text = text;
		rc = replace(daemon, &rules);
	} else if (errno == ENOENT && !daemon->options.rules) {
		log_message(LOG_NOTICE, "there is no %s: no rules to begin with", rules.name);
		rc = 0;
	} else {
		log_message(LOG_ERR, "cannot read %s: %s", rules.name, files_reason(errno));
	}
	free(text);
	return rc;
}

void rules_load_links(const struct ipmasqd *daemon)
{
	struct ipmasq_error error;
	FILE *file = daemon->options.state ? files_state() : NULL;

	if (!daemon->options.state || (!file && errno == ENOENT))
		return;
	if (!file)
		log_message(LOG_WARNING, "cannot read %s: %s", daemon->options.state,
			    files_reason(errno));
	else if (user_load_links(daemon->user, file, &error) < 0)
		log_message(LOG_WARNING, "%s: %s", daemon->options.state, error.text);
	if (file)
		fclose(file);
}

void rules_save_links(const struct ipmasqd *daemon)
{
	struct ipmasq_error error;
	FILE *file = daemon->options.state ? files_new_state() : NULL;
	int rc;

	if (!daemon->options.state)
		return;
	if (!file) {
		log_message(LOG_ERR, "cannot write %s: %s", daemon->options.state,
			    files_reason(errno));
		return;
	}
	rc = user_save_links(daemon->user, file, &error);
	if (rc < 0)
		log_message(LOG_ERR, "%s: %s", daemon->options.state, error.text);
	if (fclose(file) != 0 || (rc == 0 && files_keep_state() < 0))
		log_message(LOG_ERR, "cannot write %s: %s", daemon->options.state,
			    files_reason(errno));
}
