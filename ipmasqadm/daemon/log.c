// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipmasqd's messages.  In the foreground, and until a daemon is ready, they go to standard error,
 * where who started it looks; then to syslog.  A standard error that is the journal's
 * (JOURNAL_STREAM, systemd.exec(5)) gets the priority with each line, as sd-daemon(3) has it, and
 * not the name, which the journal knows.
 */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool to_syslog, to_journal;

void log_open(void)
{
	const char *journal = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	to_journal = journal && sscanf(journal, "%llu:%llu", &device, &inode) == 2 &&
		     fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
		     status.st_ino == inode;
}

void log_use_syslog(void)
{
	openlog("ipmasqd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	to_syslog = true;
}

void log_message(int priority, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (to_syslog)
		syslog(priority, "%s", text);
	else if (to_journal)
		fprintf(stderr, "<%d>%s\n", priority, text);
	else
		fprintf(stderr, "ipmasqd: %s\n", text);
}

void log_lines(int priority, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		log_message(priority, "%.*s", (int)length, text);
		text += length + (text[length] == '\n');
	}
}
