// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The listing of `status`: groups of named numbers, in the columns that `status` has on the
 * kernel's engine, from the engine's, the datapath's and the process's counters.
 */
#include "status.h"
#include "addresses.h"
#include "daemon.h"
#include "datapath.h"

#include <inttypes.h>
#include <ipmasq/listing.h>
#include <string.h>
#include <unistd.h>
#include <user/user.h>

#define MODULES_MAX 64

static const struct ipmasq_column columns[] = {
	{"group", false},
	{"item", false},
	{"value", true},
};

/* A listing under way. */
struct printing {
	const struct ipmasqd *daemon;
	struct ipmasq_context *context;
	struct ipmasq_listing *listing;
};

/* Rules by module, as command lines. */
struct counting {
	struct {
		const char *name;
		uint64_t lines;
	} modules[MODULES_MAX];
	size_t n;
	struct ipmasq_error *error;
};

static int put(const struct printing *printing, const char *group, const char *item, uint64_t value)
{
	char text[24];
	const char *cells[] = {group, item, text};

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return ipmasq_listing_row(printing->listing, cells, &printing->context->error);
}

struct reading {
	const char *item;
	uint64_t value;
};

static int put_all(const struct printing *printing, const char *group,
		   const struct reading *readings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (put(printing, group, readings[i].item, readings[i].value) < 0)
			return -1;
	return 0;
}

#define PUT_ALL(printing, group, ...)                                   \
	put_all(printing, group, (const struct reading[]){__VA_ARGS__}, \
		sizeof((const struct reading[]){__VA_ARGS__}) / sizeof(struct reading))

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

static int put_engine(const struct printing *printing)
{
	const struct ipmasqd *daemon = printing->daemon;
	const char *address = addresses_own(daemon->addresses);

	if (PUT_ALL(printing, "engine", {"user", 1}, {"pid", (uint64_t)getpid()},
		    {"seconds", seconds_up(daemon)}, {"workers", daemon->options.workers},
		    {"memory", resident()}) < 0 ||
	    put(printing, "interface", daemon->options.interface, *address != '\0') < 0)
		return -1;
	return *address ? put(printing, "address", address, 1) : 0;
}

static int count_line(const char *line, void *data)
{
	(void)line;
	++*(uint64_t *)data;
	return 0;
}

static int count_rule(const struct ipmasq_rule *rule, void *data)
{
	struct counting *counting = data;
	const struct ipmasq_plugin *plugin = ipmasq_plugin_load(rule->owner, counting->error);
	size_t i = 0;

	while (i < counting->n && strcmp(counting->modules[i].name, rule->owner) != 0)
		i++;
	if (i == MODULES_MAX || !plugin)
		return plugin ? 0 : -1;
	counting->modules[i].name = plugin->name;
	if (i == counting->n)
		counting->n++;
	return ipmasq_plugin_format(plugin, rule, count_line, &counting->modules[i].lines);
}

static int put_rules(const struct printing *printing)
{
	struct counting counting = {.error = &printing->context->error};

	if (ipmasq_table_walk(printing->context->table, NULL, count_rule, &counting,
			      counting.error) < 0)
		return -1;
	for (size_t i = 0; i < counting.n; i++)
		if (put(printing, "rules", counting.modules[i].name, counting.modules[i].lines) < 0)
			return -1;
	return 0;
}

static int put_traffic(const struct printing *printing)
{
	struct datapath_status datapath;
	struct user_status user;
	const struct alias_stats *alias = &user.alias;

	user_get_status(printing->daemon->user, &user);
	datapath_get_status(printing->daemon->datapath, &datapath);
	if (PUT_ALL(printing, "connections", {"count", alias->links}, {"tcp", alias->tcp},
		    {"udp", alias->udp}, {"icmp", alias->icmp}, {"other", alias->other},
		    {"created", alias->links_created}, {"expired", alias->links_expired}) < 0 ||
	    PUT_ALL(printing, "packets", {datapath.kind, datapath.packets},
		    {"bytes", datapath.bytes}, {"from_outside", user.packets[USER_FROM_OUTSIDE]},
		    {"to_outside", user.packets[USER_TO_OUTSIDE]},
		    {"from_inside", user.packets[USER_FROM_INSIDE]},
		    {"to_inside", user.packets[USER_TO_INSIDE]}, {"translated", user.changed},
		    {"untouched", user.kept}) < 0)
		return -1;
	return PUT_ALL(printing, "dropped", {"refused", user.dropped},
		       {"no_port", alias->refused_ports}, {"limit", alias->refused_limit},
		       {"no_memory", alias->refused_memory}, {"malformed", alias->malformed},
		       {"too_long", datapath.truncated}, {"queue_full", datapath.lost},
		       {"failed", datapath.failed});
}

static int body(struct ipmasq_context *context, void *data)
{
	struct printing printing = {.daemon = data, .context = context};

	printing.listing = ipmasq_listing_open(context, "status", columns,
					       sizeof(columns) / sizeof(columns[0]));
	if (!printing.listing)
		return (int)context->error.status;
	if (put_engine(&printing) < 0 || put_rules(&printing) < 0 || put_traffic(&printing) < 0) {
		ipmasq_listing_drop(printing.listing);
		return (int)context->error.status;
	}
	return ipmasq_listing_print(printing.listing, &context->error) < 0
		       ? (int)context->error.status
		       : IPMASQ_OK;
}

enum ipmasq_status status_print(const struct ipmasqd *daemon, struct session *session)
{
	return session_transaction(session, "status", body, (void *)(uintptr_t)daemon);
}
