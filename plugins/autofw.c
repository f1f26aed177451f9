// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * autofw: port ranges to inside hosts, always or while an inside host speaks to somebody.
 *
 * A command line is one rule: -r with -h and -p are redirects of any address of this machine,
 * -r with -c is a trigger, -d a pin.  A range of one port and -p of that port are the same rule.
 */
#include "call.h"

#include <errno.h>
#include <ipmasq/listing.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define OWNER "autofw"

static const struct ipmasq_option options[] = {
	{'A', 0, IPMASQ_COMMAND, 0, NULL, "add a rule"},
	{'D', 0, IPMASQ_COMMAND, 0, NULL, "delete a rule; all its words must be the same"},
	{'F', 0, IPMASQ_COMMAND, 0, NULL, "clear the table of autofw"},
	{'L', 0, IPMASQ_COMMAND, 0, NULL, "list the rules, and who holds an opened range"},
	{'r', 0, 0, 3, "PROTO LOW HIGH", "forward this port range"},
	{'h', 0, IPMASQ_OR_COMMAND, 1, "HOST", "... always to this inside host; alone: help"},
	{'c', 0, 0, 2, "PROTO PORT", "... to the inside host that last sent something there"},
	{'u', 0, 0, 0, NULL, "... and for ever, not only for 15 s after that"},
	{'i', 0, 0, 0, NULL, "... from any outside host, not only the one contacted"},
	{'d', 0, 0, 3, "PROTO LOW HIGH", "connections to these ports keep their source port"},
	{'p', 0, 0, 3, "PROTO VISIBLE HOST:HIDDEN", "forward one port"},
	{0},
};

const struct ipmasq_plugin ipmasq_plugin;

static int out_of_memory(struct ipmasq_context *context)
{
	return ipmasq_fail(&context->error, ENOMEM, "out of memory");
}

/* The two or three letters that say what the rule is. */
static int check_letters(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	static const struct {
		char first, second;
	} exclusive[] = {{'r', 'd'}, {'r', 'p'}, {'d', 'p'}, {'h', 'c'}};
	static const struct {
		char letter, needs;
	} parts[] = {{'h', 'r'}, {'c', 'r'}, {'u', 'c'}, {'i', 'c'}};

	for (size_t i = 0; i < sizeof(exclusive) / sizeof(exclusive[0]); i++)
		if (words->given[(unsigned char)exclusive[i].first] &&
		    words->given[(unsigned char)exclusive[i].second])
			return ipmasq_usage(&context->error, "-%c and -%c exclude one another",
					    exclusive[i].first, exclusive[i].second);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (words->given[(unsigned char)parts[i].letter] &&
		    !words->given[(unsigned char)parts[i].needs])
			return ipmasq_usage(&context->error, "-%c goes with -%c only",
					    parts[i].letter, parts[i].needs);
	if (!words->given['r'] && !words->given['d'] && !words->given['p'])
		return ipmasq_usage(&context->error, "one of -r, -d and -p is needed");
	if (words->given['r'] && !words->given['h'] && !words->given['c'])
		return ipmasq_usage(&context->error,
				    "-r needs -h, the inside host, or -c, what opens "
				    "the range");
	return 0;
}

static int parse_range(struct ipmasq_context *context, const char *const *words, uint8_t *protocol,
		       struct ipmasq_ports *ports)
{
	if (ipmasq_parse_transport(protocol, words[0], &context->error) < 0 ||
	    ipmasq_parse_port(&ports->low, words[1], *protocol, context->numeric, false,
			      &context->error) < 0 ||
	    ipmasq_parse_port(&ports->high, words[2], *protocol, context->numeric, false,
			      &context->error) < 0)
		return -1;
	if (ports->low > ports->high)
		return ipmasq_usage(&context->error, "port range '%s' to '%s' runs backwards",
				    words[1], words[2]);
	return 0;
}

static int parse_inside(struct ipmasq_context *context, const char *word,
			struct ipmasq_address *address)
{
	if (ipmasq_parse_address(address, word, AF_UNSPEC, context->numeric, &context->error) < 0)
		return -1;
	if (ipmasq_address_is_any(address))
		return ipmasq_usage(&context->error,
				    "'%s' is no inside host to send connections to", word);
	return 0;
}

/* A redirect of these ports of any address; one port alone is forwarded to a port. */
static struct ipmasq_rule *new_redirect(struct ipmasq_context *context, uint8_t protocol,
					const struct ipmasq_ports *ports,
					const struct ipmasq_address *inside, uint16_t port)
{
	struct ipmasq_match match = {.protocol = protocol, .ports = *ports};
	struct ipmasq_target target = {.address = *inside,
				       .port = port,
				       .weight = IPMASQ_WEIGHT_DEFAULT,
				       .left = IPMASQ_WEIGHT_DEFAULT};
	struct ipmasq_rule *rule;

	match.family = match.alias.family = match.remote.family = inside->family;
	if (!port && ports->low == ports->high)
		target.port = ports->low;
	rule = ipmasq_redirect_new(OWNER, &match);
	if (!rule) {
		out_of_memory(context);
		return NULL;
	}
	if (ipmasq_redirect_put_target(&rule->redirect, &target, true, &context->error) == 0)
		return rule;
	ipmasq_rule_free(rule);
	return NULL;
}

static struct ipmasq_rule *parse_range_rule(struct ipmasq_context *context,
					    const struct ipmasq_words *words)
{
	struct ipmasq_trigger trigger = {.insecure = words->given['i'],
					 .permanent = words->given['u']};
	const char *const *control = words->value['c'];
	struct ipmasq_address inside;
	struct ipmasq_rule *rule;

	if (parse_range(context, words->value['r'], &trigger.protocol, &trigger.ports) < 0)
		return NULL;
	if (words->given['h']) {
		if (parse_inside(context, words->value['h'][0], &inside) < 0)
			return NULL;
		return new_redirect(context, trigger.protocol, &trigger.ports, &inside, 0);
	}
	if (ipmasq_parse_transport(&trigger.control_protocol, control[0], &context->error) < 0 ||
	    ipmasq_parse_port(&trigger.control_port, control[1], trigger.control_protocol,
			      context->numeric, false, &context->error) < 0)
		return NULL;
	rule = ipmasq_rule_new(IPMASQ_TRIGGER, OWNER);
	if (rule)
		rule->trigger = trigger;
	else
		out_of_memory(context);
	return rule;
}

static struct ipmasq_rule *parse_port_rule(struct ipmasq_context *context,
					   const struct ipmasq_words *words)
{
	const char *const *value = words->value['p'];
	const char *host, *port;
	struct ipmasq_address inside;
	struct ipmasq_ports visible;
	char buffer[256];
	uint16_t hidden;
	uint8_t protocol;

	if (ipmasq_parse_transport(&protocol, value[0], &context->error) < 0 ||
	    ipmasq_parse_port(&visible.low, value[1], protocol, context->numeric, false,
			      &context->error) < 0 ||
	    ipmasq_split_address_port(value[2], buffer, sizeof(buffer), &host, &port,
				      &context->error) < 0)
		return NULL;
	if (!port) {
		ipmasq_usage(&context->error,
			     "'%s': write the inside host and its port as HOST:PORT", value[2]);
		return NULL;
	}
	if (parse_inside(context, host, &inside) < 0 ||
	    ipmasq_parse_port(&hidden, port, protocol, context->numeric, false, &context->error) <
		    0)
		return NULL;
	visible.high = visible.low;
	return new_redirect(context, protocol, &visible, &inside, hidden);
}

static struct ipmasq_rule *parse_rule(struct ipmasq_context *context,
				      const struct ipmasq_words *words)
{
	struct ipmasq_rule *rule;
	struct ipmasq_pin pin;

	if (check_letters(context, words) < 0)
		return NULL;
	if (words->given['r'])
		return parse_range_rule(context, words);
	if (words->given['p'])
		return parse_port_rule(context, words);
	if (parse_range(context, words->value['d'], &pin.protocol, &pin.ports) < 0)
		return NULL;
	rule = ipmasq_rule_new(IPMASQ_PIN, OWNER);
	if (rule)
		rule->pin = pin;
	else
		out_of_memory(context);
	return rule;
}

static int format(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data);

/* -v: says what is done, in the words of the command. */
static int say(const char *line, void *data)
{
	const struct ipmasq_context *context = data;

	return fprintf(context->out, "%s\n", line) < 0 ? -1 : 0;
}

static int add(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	struct ipmasq_rule *rule = parse_rule(context, words);

	if (!rule)
		return -1;
	if (context->verbose && !context->dry_run)
		format(rule, say, context);
	return ipmasq_table_put(context->table, rule, &context->error);
}

static int delete(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	int rc = call_remove(context, &ipmasq_plugin, parse_rule(context, words), true);

	if (rc == 0 && context->verbose && !context->dry_run)
		fputs("deleted\n", context->out);
	return rc;
}

static const struct ipmasq_column columns[] = {
	{"type", false}, {"prot", false},    {"low", true},     {"high", true},   {"inside", false},
	{"port", true},  {"control", false}, {"remote", false}, {"expire", true},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* One row; what is NULL is shown as a dash. */
struct row {
	struct ipmasq_context *context;
	struct ipmasq_listing *listing;
	const char *type, *control;
	uint8_t protocol;
	struct ipmasq_ports ports;
	const struct ipmasq_address *inside;
	uint16_t port;
	const struct ipmasq_address *remote;
	uint32_t expires;
	bool everybody; /* may connect */
	bool any;       /* a row of this rule was printed */
};

static int print_row(struct row *row)
{
	char low[8], high[8], port[8], expire[16], inside[NI_MAXHOST], remote[NI_MAXHOST];
	const char *cells[N_COLUMNS] = {
		row->type,
		ipmasq_protocol_name(row->protocol),
		low,
		high,
		row->inside ? ipmasq_host_name(row->context, row->inside, inside, sizeof(inside))
			    : "-",
		port,
		row->control ? row->control : "-",
		row->everybody ? "any"
		: row->remote  ? ipmasq_host_name(row->context, row->remote, remote, sizeof(remote))
			       : "-",
		expire,
	};

	snprintf(low, sizeof(low), "%u", row->ports.low);
	snprintf(high, sizeof(high), "%u", row->ports.high);
	snprintf(port, sizeof(port), "%u", row->port);
	snprintf(expire, sizeof(expire), "%u", row->expires);
	row->any = true;
	return ipmasq_listing_row(row->listing, cells, &row->context->error);
}

static int list_opening(const struct ipmasq_opening *opening, void *data)
{
	struct row *row = data;

	row->inside = &opening->inside;
	row->remote = &opening->remote;
	row->everybody = opening->remote.family == AF_UNSPEC;
	row->expires = opening->expires;
	return print_row(row);
}

static int list_trigger(struct row *row, const struct ipmasq_rule *rule)
{
	const struct ipmasq_trigger *trigger = &rule->trigger;
	char control[24];

	snprintf(control, sizeof(control), "%s/%u", ipmasq_protocol_name(trigger->control_protocol),
		 trigger->control_port);
	row->type = "trigger";
	row->control = control;
	row->protocol = trigger->protocol;
	row->ports = trigger->ports;
	if (ipmasq_table_openings(row->context->table, rule, list_opening, row,
				  &row->context->error) < 0)
		return -1;
	return row->any ? 0 : print_row(row);
}

static int list_rule(const struct ipmasq_rule *rule, void *data)
{
	struct row row = *(const struct row *)data;

	if (rule->kind == IPMASQ_TRIGGER)
		return list_trigger(&row, rule);
	if (rule->kind == IPMASQ_PIN) {
		row.type = "keep";
		row.protocol = rule->pin.protocol;
		row.ports = rule->pin.ports;
		return print_row(&row);
	}
	row.protocol = rule->redirect.match.protocol;
	row.ports = rule->redirect.match.ports;
	row.type = row.ports.low == row.ports.high ? "port" : "range";
	row.inside = &rule->redirect.targets[0].address;
	row.port = rule->redirect.targets[0].port;
	row.everybody = true;
	return print_row(&row);
}

static int list(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	struct row row = {.context = context};

	(void)words;
	row.listing = ipmasq_listing_open(context, OWNER, columns, N_COLUMNS);
	if (!row.listing)
		return -1;
	if (ipmasq_table_walk(context->table, OWNER, list_rule, &row, &context->error) < 0) {
		ipmasq_listing_drop(row.listing);
		return -1;
	}
	return ipmasq_listing_print(row.listing, &context->error);
}

static int help(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	(void)words;
	ipmasq_plugin_usage(&ipmasq_plugin, context->out);
	return 0;
}

static const struct call commands[] = {
	{'A', "rhcuidp", add}, {'D', "rhcuidp", delete}, {'F', "", NULL},
	{'L', "", list},       {'h', "", help},          {0},
};

static int run(struct ipmasq_context *context, int argc, char **argv)
{
	return call_run(context, &ipmasq_plugin, commands, argc, argv);
}

static int format_redirect(const struct ipmasq_redirect *redirect, char *line, size_t size)
{
	const struct ipmasq_match *match = &redirect->match;
	const struct ipmasq_target *target = &redirect->targets[0];
	const char *protocol = ipmasq_protocol_name(match->protocol);
	bool v6 = match->family == AF_INET6;
	char host[IPMASQ_ADDRESS_TEXT];

	ipmasq_address_text(&target->address, host);
	if (match->ports.low != match->ports.high)
		return snprintf(line, size, OWNER " -A -r %s %u %u -h %s", protocol,
				match->ports.low, match->ports.high, host);
	return snprintf(line, size, OWNER " -A -p %s %u %s%s%s:%u", protocol, match->ports.low,
			v6 ? "[" : "", host, v6 ? "]" : "", target->port);
}

static int format(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data)
{
	const struct ipmasq_trigger *trigger = &rule->trigger;
	char line[160];

	if (rule->kind == IPMASQ_REDIRECT)
		format_redirect(&rule->redirect, line, sizeof(line));
	else if (rule->kind == IPMASQ_PIN)
		snprintf(line, sizeof(line), OWNER " -A -d %s %u %u",
			 ipmasq_protocol_name(rule->pin.protocol), rule->pin.ports.low,
			 rule->pin.ports.high);
	else
		snprintf(line, sizeof(line), OWNER " -A -r %s %u %u -c %s %u%s%s",
			 ipmasq_protocol_name(trigger->protocol), trigger->ports.low,
			 trigger->ports.high, ipmasq_protocol_name(trigger->control_protocol),
			 trigger->control_port, trigger->permanent ? " -u" : "",
			 trigger->insecure ? " -i" : "");
	return visit(line, data);
}

const struct ipmasq_plugin ipmasq_plugin = {
	.abi = IPMASQ_PLUGIN_ABI,
	.name = OWNER,
	.summary = "forward port ranges, always or while an inside host speaks to somebody",
	.options = options,
	.synopsis = "-A -r PROTO LOW HIGH -h HOST\n"
		    "-A -r PROTO LOW HIGH -c PROTO PORT [-u] [-i]\n"
		    "-A -d PROTO LOW HIGH\n"
		    "-A -p PROTO VISIBLE HOST:HIDDEN\n"
		    "-D with all the words of the rule\n"
		    "-F\n"
		    "-L [-n]",
	.run = run,
	.format = format,
};
