// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `status --prometheus`: the text format 0.0.4 for node_exporter's textfile collector.
 *
 * A metric has its HELP and TYPE once, then a line for each label value.  The forwards' counters
 * are labelled by what identifies a forward, so that a series goes on over restarts.
 */
#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const struct {
	const char *name;   /* NULL: no metric */
	const char *label;  /* NULL: the item is no label */
	const char *always; /* its value, where that is not the item */
	const char *type, *help;
} metrics[STATUS_KINDS] = {
	[STATUS_ENGINE] = {"ipmasqadm_engine_info", "engine", NULL, "gauge",
			   "The engine that has the rules."},
	[STATUS_SECONDS] = {"ipmasqadm_uptime_seconds", NULL, NULL, "gauge",
			    "How long ipmasqd has run."},
	[STATUS_WORKERS] = {"ipmasqadm_workers", NULL, NULL, "gauge",
			    "Threads of ipmasqd that translate."},
	[STATUS_MEMORY] = {"ipmasqadm_memory_bytes", NULL, NULL, "gauge",
			   "What ipmasqd has in memory."},
	[STATUS_INTERFACE] = {"ipmasqadm_interface", "interface", NULL, "gauge",
			      "Whether the outside interface has an address."},
	[STATUS_ADDRESS] = {"ipmasqadm_address_info", "address", NULL, "gauge",
			    "The outside address."},
	[STATUS_SUPPORT] = {"ipmasqadm_kernel_support", "feature", NULL, "gauge",
			    "Whether the kernel has what the engine uses."},
	[STATUS_SETTING] = {"ipmasqadm_setting", "name", NULL, "gauge",
			    "Settings of the kernel that forwarding depends on."},
	[STATUS_RULES] = {"ipmasqadm_rules", "module", NULL, "gauge", "Rules, by module."},
	[STATUS_CONNECTIONS] = {"ipmasqadm_connections", "state", NULL, "gauge",
				"Connections that are tracked, may be, and are translated."},
	[STATUS_LINKS] = {"ipmasqadm_connections", "state", "translated", "gauge",
			  "Connections that are translated."},
	[STATUS_PROTOCOLS] = {"ipmasqadm_protocol_connections", "protocol", NULL, "gauge",
			      "Connections that are translated, by protocol."},
	[STATUS_CHANGES] = {"ipmasqadm_connection_changes_total", "change", NULL, "counter",
			    "Connections that were created, and that have expired."},
	[STATUS_DATAPATH] = {"ipmasqadm_datapath_packets_total", "datapath", NULL, "counter",
			     "Packets that the kernel has handed to ipmasqd."},
	[STATUS_BYTES] = {"ipmasqadm_datapath_bytes_total", NULL, NULL, "counter", "Their bytes."},
	[STATUS_HOOKS] = {"ipmasqadm_packets_total", "hook", NULL, "counter",
			  "Packets, by where they were met."},
	[STATUS_RESULTS] = {"ipmasqadm_handled_packets_total", "result", NULL, "counter",
			    "Packets that were translated, and that were let alone."},
	[STATUS_DROPPED] = {"ipmasqadm_dropped_total", "reason", NULL, "counter",
			    "Packets that were dropped, by why."},
};

static void print_heading(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Label values are of our own making and hold nothing to be escaped but, perhaps, a name's. */
static void print_value(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

struct forwards {
	FILE *out;
	const char *name;
	bool bytes;
};

static int print_forward(const struct ipmasq_rule *rule, void *data)
{
	const struct forwards *forwards = data;
	const struct ipmasq_match *match = &rule->redirect.match;
	const char *protocol = ipmasq_protocol_name(match->protocol);
	char alias[IPMASQ_ADDRESS_TEXT], inside[IPMASQ_ADDRESS_TEXT], ports[16] = "any";
	char remote[IPMASQ_ADDRESS_TEXT] = "", mark[16] = ""; /* no label */

	if (rule->kind != IPMASQ_REDIRECT)
		return 0;
	if (match->ports.low)
		snprintf(ports, sizeof(ports),
			 match->ports.high != match->ports.low ? "%u-%u" : "%u", match->ports.low,
			 match->ports.high);
	if (match->mark)
		snprintf(mark, sizeof(mark), "%#x", match->mark);
	if (!ipmasq_address_is_any(&match->remote))
		ipmasq_address_text(&match->remote, remote);
	for (uint32_t i = 0; i < rule->redirect.n_targets; i++) {
		const struct ipmasq_target *target = &rule->redirect.targets[i];

		fprintf(forwards->out,
			"%s{module=\"%s\",protocol=\"%s\",alias=\"%s\",port=\"%s\","
			"mark=\"%s\",remote=\"%s\",remote_port=\"%u\",inside=\"%s\",inside_port=\"%"
			"u\"} %" PRIu64 "\n",
			forwards->name, rule->owner, protocol ? protocol : "any",
			ipmasq_address_text(&match->alias, alias), ports, mark, remote,
			match->remote_port, ipmasq_address_text(&target->address, inside),
			target->port,
			forwards->bytes ? target->counters.bytes : target->counters.packets);
	}
	return 0;
}

static int print_forwards(struct ipmasq_context *context, const char *name, bool bytes,
			  const char *help)
{
	struct forwards forwards = {context->out, name, bytes};

	print_heading(context->out, name, "counter", help);
	return ipmasq_table_walk(context->table, NULL, print_forward, &forwards, &context->error);
}

static void print_reading(FILE *out, const struct reading *reading)
{
	const char *always = metrics[reading->kind].always;

	fputs(metrics[reading->kind].name, out);
	if (metrics[reading->kind].label) {
		fprintf(out, "{%s=\"", metrics[reading->kind].label);
		print_value(out, always ? always : reading->item);
		fputs("\"}", out);
	}
	fprintf(out, " %" PRIu64 "\n", reading->value);
}

int status_metrics(const struct status *status, struct ipmasq_context *context)
{
	FILE *out = context->out;

	for (size_t i = 0; i < status->n; i++) {
		const struct reading *reading = &status->list[i];

		if (!metrics[reading->kind].name)
			continue;
		if (!i || reading[-1].kind != reading->kind)
			print_heading(out, metrics[reading->kind].name, metrics[reading->kind].type,
				      metrics[reading->kind].help);
		print_reading(out, reading);
	}
	if (print_forwards(context, "ipmasqadm_forward_packets_total", false,
			   "Packets that a forward has carried, both ways.") < 0)
		return -1;
	return print_forwards(context, "ipmasqadm_forward_bytes_total", true,
			      "Bytes that a forward has carried, both ways.");
}
