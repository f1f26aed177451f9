// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipmasqd's messages.  In the foreground, and until a daemon is ready, they go to standard error,
 * where who started it looks; then to syslog.
 */
#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool to_syslog;

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
