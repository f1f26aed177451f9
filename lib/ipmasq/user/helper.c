// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Helpers: which of libalias's watch which ports in each worker's border.  Port 0 stands for the
 * ports that a helper usually has, which libalias knows.
 */
#include "internal.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <stdlib.h>
#include <string.h>

#define NO_PORT 65536u /* libalias refuses it, after it has looked for the name */

/* Names that libalias may have; what it does have is asked for. */
static const char *const names[] = {"ftp",     "irc",     "pptp",    "rtsp",  "pna",
				    "skinny",  "netbios", "cuseeme", "quake", "raudio",
				    "vdolive", "sip",     "tftp",    "smedia"};

static bool is_there(const char *name)
{
	return LibAliasSetHelper(NULL, name, NO_PORT, 1) < 0 && errno != ENOENT;
}

int user_helper_supported(const struct ipmasq_helper *helper, struct ipmasq_error *error)
{
	char list[160] = "";

	if (is_there(helper->name))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t at = strlen(list);

		if (is_there(names[i]))
			snprintf(list + at, sizeof(list) - at, "%s%s", at ? ", " : "", names[i]);
	}
	return ipmasq_fail(error, EOPNOTSUPP,
			   "the user engine has no helper '%s', only %s; the "
			   "kernel engine has others",
			   helper->name, list);
}

static int compare(const void *a, const void *b)
{
	const struct watched *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->port > y->port) - (x->port < y->port);
}

int watchers_plan(const struct user *user, struct watchers *watchers)
{
	size_t room = user->store.counts[IPMASQ_HELPER] * IPMASQ_HELPER_PORTS, n = 0;
	struct watched *list = calloc(room + 1, sizeof(*list));
	const struct stored *stored;

	if (!list)
		return -1;
	LIST_FOREACH(stored, &user->store.kinds[IPMASQ_HELPER], of_kind) {
		const struct ipmasq_helper *helper = &stored->rule->helper;

		for (uint32_t i = 0; i < helper->n_ports || i == 0; i++) {
			memcpy(list[n].name, helper->name, sizeof(list[n].name));
			list[n++].port = helper->n_ports ? helper->ports[i] : 0;
		}
	}
	qsort(list, n, sizeof(*list), compare);
	*watchers = (struct watchers){list, 0};
	for (size_t i = 0; i < n; i++)
		if (!i || compare(&list[i], &list[watchers->n - 1]) != 0)
			list[watchers->n++] = list[i];
	return 0;
}

static int enable(struct worker *worker, const struct watchers *watchers)
{
	for (size_t i = 0; i < watchers->n; i++)
		if (LibAliasSetHelper(worker->border, watchers->list[i].name,
				      watchers->list[i].port, 1) < 0)
			return -1;
	return 0;
}

/* Takes away what is in `some` and not in `others`; these are left as they are to be. */
static void leave(struct worker *worker, const struct watchers *some, const struct watchers *others)
{
	for (size_t i = 0; i < some->n; i++)
		if (!bsearch(&some->list[i], others->list, others->n, sizeof(struct watched),
			     compare))
			LibAliasSetHelper(worker->border, some->list[i].name, some->list[i].port,
					  0);
	enable(worker, others); /* one's usual port may be another's given one */
}

int watchers_install(const struct user *user, const struct watchers *after, struct worker *worker)
{
	(void)user;
	return enable(worker, after);
}

void watchers_undo(const struct user *user, const struct watchers *after, struct worker *worker)
{
	leave(worker, after, &user->watchers);
}

static void revise_some(struct libalias *la, unsigned int *cursor, int max, const void *data)
{
	(void)data;
	LibAliasReviseHelpers(la, cursor, max);
}

void watchers_revise(struct user *user)
{
	revise_links(user, revise_some, NULL);
}

void watchers_finish(const struct user *user, const struct watchers *after, struct worker *worker)
{
	leave(worker, &user->watchers, after);
}
