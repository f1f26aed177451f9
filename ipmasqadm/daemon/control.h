/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket: clients, their requests, the answers. */
#ifndef IPMASQD_CONTROL_H
#define IPMASQD_CONTROL_H

#include <ipmasq/error.h>

struct control;
struct ipmasqd;

/*
 * control_open - makes the socket `path`, in the place of one that nobody listens to any more; it
 * answers for `daemon` (borrowed).  NULL with an error: another ipmasqd has it, no permission.
 */
struct control *control_open(const char *path, const struct ipmasqd *daemon,
			     struct ipmasq_error *error);

/* What it takes of threads, with rights dropped and before the sandbox.  0, or -1 with an error. */
int control_start(const struct control *control, struct ipmasq_error *error);

/* Ends all connections; the file stays. */
void control_close(struct control *control);

/* Readable when there is something to do: control_run() does it, without ever waiting. */
int control_fd(const struct control *control);
void control_run(struct control *control);

/* Ends connections that have taken too long; call it once a second or so. */
void control_tick(struct control *control);

#endif
