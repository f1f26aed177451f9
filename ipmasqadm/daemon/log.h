/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where ipmasqd's messages go: standard error, or syslog(3) once it is in the background. */
#ifndef IPMASQD_LOG_H
#define IPMASQD_LOG_H

#include <syslog.h>

/* First of all: looks whether standard error is the journal's. */
void log_open(void);

/* From now on messages go to syslog, facility LOG_DAEMON. */
void log_use_syslog(void);

/* One sentence, without its end; `priority` is LOG_ERR, LOG_WARNING, LOG_NOTICE... */
void log_message(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each line of `text`. */
void log_lines(int priority, const char *text);

#endif
