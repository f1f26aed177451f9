// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Errors: one sentence, an exit status and an errno value, filled by whoever finds the fault
 * and printed by the program on top.  The first failure is the one that counts; callers do not
 * overwrite an error that a lower floor has filled.
 */
#include <errno.h>
#include <ipmasq/error.h>
#include <stdio.h>

__attribute__((format(printf, 4, 0))) static void fill(struct ipmasq_error *error,
						       enum ipmasq_status status, int code,
						       const char *format, va_list args)
{
	error->status = status;
	error->code = code;
	vsnprintf(error->text, sizeof(error->text), format, args);
	/* A quoted word may be meant for the terminal, or as a line of the log. */
	for (char *at = error->text; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	errno = code;
}

int ipmasq_fail(struct ipmasq_error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(error, IPMASQ_FAILED, code, format, args);
	va_end(args);
	return -1;
}

int ipmasq_usage(struct ipmasq_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fill(error, IPMASQ_USAGE, EINVAL, format, args);
	va_end(args);
	return -1;
}
