// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each worker has a socket to nf_tables and a range of numbers of its own, so that workers do not
 * wait for each other.  libalias opens and closes holes while it translates; kernel/holes.h says
 * what they are and how a ruleset lets through what they mark.
 */
#include "punch.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <kernel/holes.h>
#include <stdlib.h>
#include <user/user.h>

#define HOLES_PER_WORKER 4096u

struct punch {
	struct user *user;
	unsigned int n_workers;
	struct ipmasq_holes *holes[]; /* by worker */
};

struct punch *punch_open(struct user *user, unsigned int workers, uint32_t mark,
			 struct ipmasq_error *error)
{
	struct punch *punch = calloc(1, sizeof(*punch) + workers * sizeof(punch->holes[0]));

	if (!punch) {
		ipmasq_fail(error, ENOMEM, "out of memory");
		return NULL;
	}
	punch->user = user;
	for (; punch->n_workers < workers; punch->n_workers++) {
		unsigned int w = punch->n_workers;

		if (ipmasq_holes_open(&punch->holes[w], mark, error) < 0) {
			punch_close(punch);
			return NULL;
		}
		user_set_firewall(user, w, &ipmasq_holes_firewall, punch->holes[w],
				  w * HOLES_PER_WORKER, HOLES_PER_WORKER);
	}
	return punch;
}

void punch_close(struct punch *punch)
{
	if (!punch)
		return;
	for (unsigned int w = 0; w < punch->n_workers; w++) {
		user_set_firewall(punch->user, w, NULL, NULL, 0, 0);
		ipmasq_holes_close(punch->holes[w]);
	}
	free(punch);
}
