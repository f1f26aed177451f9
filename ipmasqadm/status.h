/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `status` has read: groups of named numbers. */
#ifndef IPMASQADM_STATUS_H
#define IPMASQADM_STATUS_H

#include <ipmasq/plugin.h>
#include <stdint.h>

struct ask;

enum status_group {
	STATUS_ENGINE,
	STATUS_SUPPORT,
	STATUS_SETTING,
	STATUS_RULES,
	STATUS_CONNECTIONS,
	STATUS_DROPPED,
	STATUS_GROUPS
};

struct reading {
	enum status_group group;
	char item[64];
	uint64_t value;
};

/* A growing list; `error` is where to say that memory is out. */
struct status {
	struct reading *list;
	size_t n;
};

/* Adds a reading; -1 with an error. */
int status_add(struct status *status, enum status_group group, const char *item, uint64_t value,
	       struct ipmasq_error *error);

/* Reads everything; -1 with an error. */
int status_read(struct status *status, struct ipmasq_context *context);

/* Prints it for a Prometheus server; forwards have their counters, too. */
int status_metrics(const struct status *status, struct ipmasq_context *context);

#endif
