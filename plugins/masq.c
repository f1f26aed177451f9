// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * masq: what leaves a net gets an address of this machine.
 *
 * A rule is one net and perhaps one interface.  -C and -T are about the connections that are
 * there, whoever made the rule: they do not touch the rule table.
 */
#include "call.h"

#include <errno.h>
#include <ipmasq/connections.h>
#include <ipmasq/listing.h>
#include <netdb.h>
#include <string.h>

#define OWNER "masq"

static const struct ipmasq_option options[] = {
	{'A', 'a', IPMASQ_COMMAND, 0, NULL, "add a rule, or set the address of one"},
	{'D', 'd', IPMASQ_COMMAND, 0, NULL, "delete the rule of this net and interface"},
	{'F', 'f', IPMASQ_COMMAND, 0, NULL, "clear the table of masq"},
	{'L', 'l', IPMASQ_COMMAND, 0, NULL, "list the rules"},
	{'C', 'c', IPMASQ_COMMAND, 0, NULL, "list the connections that are translated now"},
	{'S', 's', 0, 1, "NET", "the net, ADDRESS/BITS; with -C inside hosts to show"},
	{'o', 0, 0, 1, "IFACE", "only what leaves through this interface"},
	{'M', 'm', 0, 1, "ADDR", "the address to give; without it the interface's own"},
	{'p', 0, 0, 1, "PORT", "with -C: connections with this port, inside, alias or outside"},
	{'w', 0, 0, 0, "--follow", "with -C: watch connections as they begin and end, a line each"},
	{'T', 't', IPMASQ_COMMAND, 3, "TCP TCPFIN UDP",
	 "set the time-outs of idle connections in seconds; 0 keeps one"},
	{0},
};

const struct ipmasq_plugin ipmasq_plugin;

static int parse_rule(struct ipmasq_context *context, const struct ipmasq_words *words,
		      struct ipmasq_masq *masq)
{
	if (!words->given['S'])
		return ipmasq_usage(&context->error, "-S with a net is needed");
	if (ipmasq_parse_net(&masq->source, words->value['S'][0], context->numeric,
			     &context->error) < 0)
		return -1;
	if (words->given['o']) {
		if (ipmasq_check_interface(words->value['o'][0], &context->error) < 0)
			return -1;
		strcpy(masq->interface, words->value['o'][0]);
	}
	if (!words->given['M'])
		return 0;
	if (ipmasq_parse_address(&masq->alias, words->value['M'][0], masq->source.address.family,
				 context->numeric, &context->error) < 0)
		return -1;
	if (ipmasq_address_is_any(&masq->alias)) /* as if it were not given */
		masq->alias = (struct ipmasq_address){0};
	return 0;
}

static struct ipmasq_rule *new_rule(struct ipmasq_context *context,
				    const struct ipmasq_words *words)
{
	struct ipmasq_rule *rule = ipmasq_rule_new(IPMASQ_MASQ, OWNER);

	if (!rule) {
		ipmasq_fail(&context->error, ENOMEM, "out of memory");
		return NULL;
	}
	if (parse_rule(context, words, &rule->masq) < 0) {
		ipmasq_rule_free(rule);
		return NULL;
	}
	return rule;
}

static int add(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	struct ipmasq_rule *rule = new_rule(context, words);

	return rule ? ipmasq_table_put(context->table, rule, &context->error) : -1;
}

/* With -M, only the rule that gives this address. */
static int delete(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	return call_remove(context, &ipmasq_plugin, new_rule(context, words), words->given['M']);
}

static const struct ipmasq_column rule_columns[] = {
	{"net", false},
	{"interface", false},
	{"alias", false},
};

static int list_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct listing *listing = data;
	const struct ipmasq_masq *masq = &rule->masq;
	char net[IPMASQ_NET_TEXT], alias[NI_MAXHOST];
	const char *cells[] = {
		ipmasq_net_text(&masq->source, net),
		masq->interface[0] ? masq->interface : "any",
		ipmasq_address_is_any(&masq->alias)
			? "interface"
			: ipmasq_host_name(listing->context, &masq->alias, alias, sizeof(alias)),
	};

	return ipmasq_listing_row(listing->listing, cells, &listing->context->error);
}

static int list(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	(void)words;
	return call_list(context, OWNER, rule_columns,
			 sizeof(rule_columns) / sizeof(rule_columns[0]), list_rule);
}

static const struct ipmasq_column connection_columns[] = {
	{"prot", false},  {"expire", true}, {"inside", false},  {"iport", true},
	{"alias", false}, {"aport", true},  {"outside", false}, {"oport", true},
};

static int list_connection(const struct ipmasq_connection *connection, void *data)
{
	const struct listing *listing = data;
	const struct ipmasq_context *context = listing->context;
	const char *name = ipmasq_protocol_name(connection->protocol);
	char protocol[8], expire[16], iport[NI_MAXSERV], aport[NI_MAXSERV], oport[NI_MAXSERV];
	char inside[NI_MAXHOST], alias[NI_MAXHOST], outside[NI_MAXHOST];
	const char *cells[] = {
		name ? name : protocol,
		expire,
		ipmasq_host_name(context, &connection->inside, inside, sizeof(inside)),
		ipmasq_service_name(context, connection->inside_port, connection->protocol, iport,
				    sizeof(iport)),
		ipmasq_host_name(context, &connection->alias, alias, sizeof(alias)),
		ipmasq_service_name(context, connection->alias_port, connection->protocol, aport,
				    sizeof(aport)),
		ipmasq_host_name(context, &connection->outside, outside, sizeof(outside)),
		ipmasq_service_name(context, connection->outside_port, connection->protocol, oport,
				    sizeof(oport)),
	};

	snprintf(protocol, sizeof(protocol), "%u", connection->protocol);
	snprintf(expire, sizeof(expire), "%u", connection->expires);
	return ipmasq_listing_row(listing->listing, cells, &listing->context->error);
}

/* One event, at once: `event prot inside iport alias aport outside oport`. */
static int print_event(enum ipmasq_connection_event event,
		       const struct ipmasq_connection *connection, void *data)
{
	static const char *const events[] = {"new", "end", "lost"};
	struct ipmasq_context *context = data;
	char inside[NI_MAXHOST], alias[NI_MAXHOST], outside[NI_MAXHOST], protocol[8];
	const char *name;

	if (event == IPMASQ_CONNECTION_LOST) {
		fputs(context->json ? "{\"event\":\"lost\"}\n"
				    : "lost: more events came than were read\n",
		      context->stream);
		return fflush(context->stream);
	}
	name = ipmasq_protocol_name(connection->protocol);
	snprintf(protocol, sizeof(protocol), "%u", connection->protocol);
	fprintf(context->stream,
		context->json ? "{\"event\":\"%s\",\"prot\":\"%s\",\"inside\":\"%s\",\"iport\":%u,"
				"\"alias\":\"%s\",\"aport\":%u,\"outside\":\"%s\",\"oport\":%u}\n"
			      : "%s %s %s %u %s %u %s %u\n",
		events[event], name ? name : protocol,
		ipmasq_host_name(context, &connection->inside, inside, sizeof(inside)),
		connection->inside_port,
		ipmasq_host_name(context, &connection->alias, alias, sizeof(alias)),
		connection->alias_port,
		ipmasq_host_name(context, &connection->outside, outside, sizeof(outside)),
		connection->outside_port);
	return fflush(context->stream);
}

/* A reader that has gone is how a pipe ends it. */
static int follow(struct ipmasq_context *context, const struct ipmasq_connection_filter *filter)
{
	if (!context->stream)
		return ipmasq_fail(&context->error, ENOTSUP,
				   "--follow is for this machine's console only");
	if (ipmasq_connections_follow(context->table, filter, print_event, context,
				      &context->error) == 0)
		return 0;
	if (!ferror(context->stream))
		return -1;
	clearerr(context->stream);
	return errno == EPIPE ? 0
			      : ipmasq_fail(&context->error, errno, "cannot write the events: %s",
					    strerror(errno));
}

static int list_connections(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	struct ipmasq_connection_filter filter = {0};
	struct listing listing = {.context = context};

	if (words->given['S'] && ipmasq_parse_net(&filter.inside, words->value['S'][0],
						  context->numeric, &context->error) < 0)
		return -1;
	if (words->given['p'] && ipmasq_parse_port(&filter.port, words->value['p'][0], 0,
						   context->numeric, false, &context->error) < 0)
		return -1;
	if (words->given['w'])
		return follow(context, &filter);
	listing.listing =
		ipmasq_listing_open(context, "connections", connection_columns,
				    sizeof(connection_columns) / sizeof(connection_columns[0]));
	if (!listing.listing)
		return -1;
	if (ipmasq_connections_walk(context->table, &filter, list_connection, &listing,
				    &context->error) < 0) {
		ipmasq_listing_drop(listing.listing);
		return -1;
	}
	return ipmasq_listing_print(listing.listing, &context->error);
}

static int set_timeouts(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	static const char *const names[] = {"TCP time-out", "TCPFIN time-out", "UDP time-out"};
	uint32_t seconds[3];
	struct ipmasq_timeouts timeouts;

	for (size_t i = 0; i < 3; i++)
		if (ipmasq_parse_number(&seconds[i], words->value['T'][i], names[i], 0,
					IPMASQ_TIMEOUT_MAX, &context->error) < 0)
			return -1;
	timeouts = (struct ipmasq_timeouts){seconds[0], seconds[1], seconds[2]};
	if (context->dry_run) {
		fprintf(context->out, "+ " OWNER " -T %u %u %u\n", timeouts.tcp, timeouts.tcpfin,
			timeouts.udp);
		return 0;
	}
	return ipmasq_timeouts_set(context->table, &timeouts, &context->error);
}

static const struct call commands[] = {
	{'A', "SoM", add},
	{'D', "SoM", delete},
	{'F', "", NULL},
	{'L', "", list},
	{'C', "Spw", list_connections},
	{'T', "T", set_timeouts},
	{0},
};

static int run(struct ipmasq_context *context, int argc, char **argv)
{
	return call_run(context, &ipmasq_plugin, commands, argc, argv);
}

static int format(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data)
{
	const struct ipmasq_masq *masq = &rule->masq;
	char net[IPMASQ_NET_TEXT], alias[IPMASQ_ADDRESS_TEXT], line[160];
	bool given = !ipmasq_address_is_any(&masq->alias);

	snprintf(line, sizeof(line), OWNER " -A -S %s%s%s%s%s", ipmasq_net_text(&masq->source, net),
		 masq->interface[0] ? " -o " : "", masq->interface, given ? " -M " : "",
		 given ? ipmasq_address_text(&masq->alias, alias) : "");
	return visit(line, data);
}

const struct ipmasq_plugin ipmasq_plugin = {
	.abi = IPMASQ_PLUGIN_ABI,
	.name = OWNER,
	.summary = "masquerade what leaves a net; live connections and their time-outs",
	.options = options,
	.synopsis = "-A -S NET [-o IFACE] [-M ADDR]\n"
		    "-D -S NET [-o IFACE] [-M ADDR]\n"
		    "-F\n"
		    "-L [-n]\n"
		    "-C [--follow] [-S NET] [-p PORT] [-n]\n"
		    "-T TCP TCPFIN UDP",
	.run = run,
	.format = format,
};
