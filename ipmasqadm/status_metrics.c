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
	const char *name, *label, *type, *help;
} metrics[STATUS_GROUPS] = {
	[STATUS_ENGINE] = {"ipmasqadm_engine_info", "engine", "gauge",
			   "The engine that has the rules."},
	[STATUS_SUPPORT] = {"ipmasqadm_kernel_support", "feature", "gauge",
			    "Whether the kernel has what the engine uses."},
	[STATUS_SETTING] = {"ipmasqadm_setting", "name", "gauge",
			    "Settings of the kernel that forwarding depends on."},
	[STATUS_RULES] = {"ipmasqadm_rules", "module", "gauge", "Rules, by module."},
	[STATUS_CONNECTIONS] = {"ipmasqadm_connections", "state", "gauge",
				"Connections that are tracked, may be, and are translated."},
	[STATUS_DROPPED] = {"ipmasqadm_dropped_total", "reason", "counter",
			    "Packets that connection tracking or the reverse path filter dropped."},
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

int status_metrics(const struct status *status, struct ipmasq_context *context)
{
	FILE *out = context->out;
	int group = -1;

	for (size_t i = 0; i < status->n; i++) {
		const struct reading *reading = &status->list[i];

		if ((int)reading->group != group) {
			group = (int)reading->group;
			print_heading(out, metrics[group].name, metrics[group].type,
				      metrics[group].help);
		}
		fprintf(out, "%s{%s=\"", metrics[group].name, metrics[group].label);
		print_value(out, reading->item);
		fprintf(out, "\"} %" PRIu64 "\n", reading->value);
	}
	if (print_forwards(context, "ipmasqadm_forward_packets_total", false,
			   "Packets that a forward has carried, both ways.") < 0)
		return -1;
	return print_forwards(context, "ipmasqadm_forward_bytes_total", true,
			      "Bytes that a forward has carried, both ways.");
}
