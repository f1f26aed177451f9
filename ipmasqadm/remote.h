/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user engine from outside: command lines to an ipmasqd that runs, by its control socket.
 */
#ifndef IPMASQADM_REMOTE_H
#define IPMASQADM_REMOTE_H

#include "rules_file.h"

/*
 * remote_engine - what the word behind -e, or of IPMASQADM_ENGINE, names: 0 and *path, NULL for
 * the kernel's engine, else the socket of an ipmasqd; -1 with a usage error.
 */
int remote_engine(const char *word, const char **path, struct ipmasq_error *error);

/* Has session->remote carry out a command line; its output, messages and status are ours. */
enum ipmasq_status remote_command(const struct session *session, int argc, char **argv);

/* The same for `restore` of a file that was read here. */
enum ipmasq_status remote_restore(const struct session *session, const struct rules_text *rules);

#endif
