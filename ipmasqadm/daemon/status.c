// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What `status` says of ipmasqd: the engine's, the datapath's and the process's counters.
 */
#include "status.h"
#include "../status.h"
#include "addresses.h"
#include "daemon.h"
#include "datapath.h"

#include <string.h>
#include <unistd.h>
#include <user/user.h>

static int add_all(struct status *status, const struct reading *readings, size_t n,
		   struct ipmasq_error *error)
{
	for (size_t i = 0; i < n; i++)
		if (status_add(status, readings[i].kind, readings[i].item, readings[i].value,
			       error) < 0)
			return -1;
	return 0;
}

#define ADD_ALL(status, error, ...)                            \
	add_all(status, (const struct reading[]){__VA_ARGS__}, \
		sizeof((const struct reading[]){__VA_ARGS__}) / sizeof(struct reading), error)

/* Bytes of this process in memory. */
static uint64_t resident(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long total, pages = 0;

	if (file && fscanf(file, "%lu %lu", &total, &pages) != 2)
		pages = 0;
	if (file)
		fclose(file);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t seconds_up(const struct ipmasqd *daemon)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)(now.tv_sec - daemon->started.tv_sec);
}

static int add_engine(struct status *status, const struct ipmasqd *daemon,
		      struct ipmasq_error *error)
{
	const char *address = addresses_own(daemon->addresses);

	if (ADD_ALL(status, error, {STATUS_ENGINE, "user", 1},
		    {STATUS_PROCESS, "pid", (uint64_t)getpid()},
		    {STATUS_SECONDS, "seconds", seconds_up(daemon)},
		    {STATUS_WORKERS, "workers", daemon->options.workers},
		    {STATUS_MEMORY, "memory", resident()}) < 0 ||
	    status_add(status, STATUS_INTERFACE, daemon->options.interface, *address != '\0',
		       error) < 0)
		return -1;
	return *address ? status_add(status, STATUS_ADDRESS, address, 1, error) : 0;
}

static int add_traffic(struct status *status, const struct ipmasqd *daemon,
		       struct ipmasq_error *error)
{
	struct datapath_status datapath;
	struct user_status user;
	const struct alias_stats *alias = &user.alias;

	user_get_status(daemon->user, &user);
	datapath_get_status(daemon->datapath, &datapath);
	if (ADD_ALL(status, error, {STATUS_LINKS, "count", alias->links},
		    {STATUS_PROTOCOLS, "tcp", alias->tcp}, {STATUS_PROTOCOLS, "udp", alias->udp},
		    {STATUS_PROTOCOLS, "icmp", alias->icmp},
		    {STATUS_PROTOCOLS, "other", alias->other},
		    {STATUS_CHANGES, "created", alias->links_created},
		    {STATUS_CHANGES, "expired", alias->links_expired}) < 0 ||
	    status_add(status, STATUS_DATAPATH, datapath.kind, datapath.packets, error) < 0 ||
	    ADD_ALL(status, error, {STATUS_BYTES, "bytes", datapath.bytes},
		    {STATUS_HOOKS, "from_outside", user.packets[USER_FROM_OUTSIDE]},
		    {STATUS_HOOKS, "to_outside", user.packets[USER_TO_OUTSIDE]},
		    {STATUS_HOOKS, "from_inside", user.packets[USER_FROM_INSIDE]},
		    {STATUS_HOOKS, "to_inside", user.packets[USER_TO_INSIDE]},
		    {STATUS_RESULTS, "translated", user.changed},
		    {STATUS_RESULTS, "untouched", user.kept}) < 0)
		return -1;
	return ADD_ALL(status, error, {STATUS_DROPPED, "refused", user.dropped},
		       {STATUS_DROPPED, "no_port", alias->refused_ports},
		       {STATUS_DROPPED, "limit", alias->refused_limit},
		       {STATUS_DROPPED, "no_memory", alias->refused_memory},
		       {STATUS_DROPPED, "malformed", alias->malformed},
		       {STATUS_DROPPED, "too_long", datapath.truncated},
		       {STATUS_DROPPED, "queue_full", datapath.lost},
		       {STATUS_DROPPED, "failed", datapath.failed});
}

static int read_daemon(struct status *status, struct ipmasq_context *context, void *data)
{
	const struct ipmasqd *daemon = data;

	if (add_engine(status, daemon, &context->error) < 0 ||
	    status_add_rules(status, context) < 0)
		return -1;
	return add_traffic(status, daemon, &context->error);
}

enum ipmasq_status status_print(const struct ipmasqd *daemon, struct session *session, int argc,
				char **argv)
{
	return status_show(session, argc, argv, read_daemon, (void *)(uintptr_t)daemon);
}
