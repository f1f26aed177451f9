/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way in which the library and the plugins report a failure: what failed, on which
 * word, why, and what to do.  Nothing below the programs prints; they fill a struct
 * ipmasq_error and return -1 (library) or an exit status (plugin).
 */
#ifndef IPMASQ_ERROR_H
#define IPMASQ_ERROR_H

#include <stdarg.h>

/* Exit statuses of ipmasqadm(8) and of a plugin's run(). */
enum ipmasq_status {
	IPMASQ_OK = 0,     /* done */
	IPMASQ_FAILED = 1, /* no such rule, the kernel said no, no permission */
	IPMASQ_USAGE = 2,  /* the words are wrong; nothing was changed */
};

struct ipmasq_error {
	enum ipmasq_status status;
	int code; /* errno value, 0 when none applies */
	char text[512];
};

/*
 * ipmasq_fail - record a failed operation (IPMASQ_FAILED) with the errno value `code`.
 * ipmasq_usage - record a wrong word (IPMASQ_USAGE).
 *
 * Both format `format` as printf(3) does, cut at the size of error->text, set errno (`code`;
 * EINVAL for usage) and return -1, so that a caller can write `return ipmasq_fail(...)`.
 */
int ipmasq_fail(struct ipmasq_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int ipmasq_usage(struct ipmasq_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
