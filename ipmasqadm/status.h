/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `status`: how things stand, as groups of named numbers.
 *
 * Who has the rules reads them (status_read.c the kernel's, daemon/status.c ipmasqd's); a listing,
 * columns or JSON, is made of them in status.c, metrics in status_metrics.c.
 */
#ifndef IPMASQADM_STATUS_H
#define IPMASQADM_STATUS_H

#include "session.h"

/* What is alike: the readings of a kind are one metric, and stand together. */
enum status_kind {
	STATUS_ENGINE,
	STATUS_PROCESS, /* its number, which is no measure of anything */
	STATUS_SECONDS,
	STATUS_WORKERS,
	STATUS_MEMORY,
	STATUS_INTERFACE,
	STATUS_ADDRESS,
	STATUS_SUPPORT,
	STATUS_SETTING,
	STATUS_RULES,
	STATUS_CONNECTIONS,
	STATUS_LINKS,     /* connections, of ipmasqd's own table: in all, */
	STATUS_PROTOCOLS, /* by protocol, */
	STATUS_CHANGES,   /* come and gone */
	STATUS_DATAPATH,
	STATUS_BYTES,
	STATUS_HOOKS,
	STATUS_RESULTS,
	STATUS_DROPPED,
	STATUS_KINDS
};

struct reading {
	enum status_kind kind;
	char item[64];
	uint64_t value;
};

/* A growing list. */
struct status {
	struct reading *list;
	size_t n;
};

/* Adds a reading; -1 with an error. */
int status_add(struct status *status, enum status_kind kind, const char *item, uint64_t value,
	       struct ipmasq_error *error);

/* Adds the rules by module, as `save` would write them; -1 with an error. */
int status_add_rules(struct status *status, struct ipmasq_context *context);

/* Reads everything; -1 with an error. */
typedef int (*status_reader)(struct status *status, struct ipmasq_context *context, void *data);

/* The command, on the session's engine or, with `remote`, by the ipmasqd that has it. */
enum ipmasq_status status_run(struct session *session, int argc, char **argv);

/* The same of what `read` reads of the session's engine. */
enum ipmasq_status status_show(struct session *session, int argc, char **argv, status_reader read,
			       void *data);

/* Prints it for a Prometheus server; forwards have their counters, too. */
int status_metrics(const struct status *status, struct ipmasq_context *context);

#endif
