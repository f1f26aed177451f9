/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests carried out, and the bytes that answer them. */
#ifndef IPMASQD_ANSWER_H
#define IPMASQD_ANSWER_H

#include "request.h"

struct ipmasqd;
struct lookups;

/*
 * The answer's bytes in *answer, to be freed; 1: there is none until what the lookups have noted is
 * known; -1: no memory for one.
 */
int answer_request(const struct ipmasqd *daemon, const struct request *request,
		   struct lookups *lookups, char **answer, size_t *length);

/* The same for a request that cannot be carried out. */
int answer_error(const struct ipmasq_error *error, char **answer, size_t *length);

#endif
