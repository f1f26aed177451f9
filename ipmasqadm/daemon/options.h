/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of ipmasqd. */
#ifndef IPMASQD_OPTIONS_H
#define IPMASQD_OPTIONS_H

#include <stdbool.h>

struct options {
	const char *interface;
	const char *rules; /* NULL: RULES_FILE, which need not be there */
	const char *socket;
	const char *tun;         /* NULL: NFQUEUE */
	const char *user;        /* NULL: who privilege.h says */
	const char *state, *pid; /* NULL: none */
	unsigned int queue, workers;
	unsigned int punch; /* a mark; 0: no holes */
	bool foreground, fail_open;
};

/*
 * options_parse - 0 and the options, or -1 with *status what to exit with; help, the version and
 * what is wrong have been printed.
 */
int options_parse(struct options *options, int argc, char **argv, int *status);

#endif
