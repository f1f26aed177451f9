// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * webfw: ports 80 and 443 of every address of this machine, to web servers inside.
 *
 * A server is one word, and one target in each of two redirects, one a port, which take turns
 * among their servers connection by connection.  Every change is made to both redirects, so the
 * first of them speaks for both when rules are turned back into command lines.
 */
#include <errno.h>
#include <inttypes.h>
#include <ipmasq/listing.h>
#include <ipmasq/plugin.h>
#include <netdb.h>

#define OWNER "webfw"

static const uint16_t ports[] = {80, 443};

#define N_PORTS (sizeof(ports) / sizeof(ports[0]))

static const struct ipmasq_option options[] = {
	{'A', 'a', IPMASQ_COMMAND, 0, NULL, "add a web server"},
	{'D', 'd', IPMASQ_COMMAND, 0, NULL, "delete a web server"},
	{'F', 'f', IPMASQ_COMMAND, 0, NULL, "delete all web servers"},
	{'L', 'l', IPMASQ_COMMAND, 0, NULL, "list the web servers"},
	{'R', 0, 0, 1, "HOST", "the server's inside address"},
	{0},
};

/* A copy of the redirect of `port`, or a new and empty one; NULL with an error. */
static struct ipmasq_rule *redirect_of(struct ipmasq_context *context, uint8_t family,
				       uint16_t port)
{
	struct ipmasq_match match = {
		.family = family,
		.protocol = IPPROTO_TCP,
		.alias.family = family, /* and no bytes: any address of this machine */
		.remote.family = family,
		.ports = {port, port},
	};
	struct ipmasq_rule *rule = ipmasq_redirect_new(OWNER, &match);
	const struct ipmasq_rule *found = NULL;

	if (rule && ipmasq_table_find(context->table, rule, &found, &context->error) < 0) {
		ipmasq_rule_free(rule);
		return NULL;
	}
	if (found) {
		ipmasq_rule_free(rule);
		rule = ipmasq_rule_copy(found);
	}
	if (!rule)
		ipmasq_fail(&context->error, ENOMEM, "out of memory");
	return rule;
}

static int add(struct ipmasq_context *context, const struct ipmasq_target *server)
{
	for (size_t i = 0; i < N_PORTS; i++) {
		struct ipmasq_rule *rule = redirect_of(context, server->address.family, ports[i]);
		struct ipmasq_target target = *server;

		if (!rule)
			return -1;
		target.port = ports[i];
		if (ipmasq_redirect_put_target(&rule->redirect, &target, false,
					       &context->error) < 0) {
			ipmasq_rule_free(rule);
			return -1;
		}
		if (ipmasq_table_put(context->table, rule, &context->error) < 0)
			return -1; /* which has freed the rule */
	}
	return 0;
}

/* Takes the server out of `rule`, which is used up.  1: done, 0: it was not there, -1: error. */
static int take_out(struct ipmasq_context *context, struct ipmasq_rule *rule,
		    const struct ipmasq_address *server)
{
	struct ipmasq_redirect *redirect = &rule->redirect;
	uint32_t i = 0;
	int rc;

	while (i < redirect->n_targets &&
	       !ipmasq_address_equal(&redirect->targets[i].address, server))
		i++;
	if (i == redirect->n_targets) {
		ipmasq_rule_free(rule);
		return 0;
	}
	ipmasq_redirect_take_target(redirect, i);
	if (redirect->n_targets)
		return ipmasq_table_put(context->table, rule, &context->error) < 0 ? -1 : 1;
	rc = ipmasq_table_remove(context->table, rule, &context->error);
	ipmasq_rule_free(rule);
	return rc < 0 ? -1 : 1;
}

static int delete(struct ipmasq_context *context, const struct ipmasq_target *server)
{
	char text[IPMASQ_ADDRESS_TEXT];
	int n = 0;

	for (size_t i = 0; i < N_PORTS; i++) {
		struct ipmasq_rule *rule = redirect_of(context, server->address.family, ports[i]);
		int rc = rule ? take_out(context, rule, &server->address) : -1;

		if (rc < 0)
			return -1;
		n += rc;
	}
	return n ? 0
		 : ipmasq_fail(&context->error, ENOENT, "%s is none of the web servers",
			       ipmasq_address_text(&server->address, text));
}

static const struct ipmasq_column columns[] = {
	{"server", false}, {"port", true}, {"packets", true}, {"bytes", true},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

struct list {
	struct ipmasq_context *context;
	struct ipmasq_listing *listing;
};

static int list_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct list *list = data;

	for (uint32_t i = 0; i < rule->redirect.n_targets; i++) {
		const struct ipmasq_target *target = &rule->redirect.targets[i];
		char server[NI_MAXHOST], port[NI_MAXSERV], packets[24], bytes[24];
		const char *cells[N_COLUMNS] = {
			ipmasq_host_name(list->context, &target->address, server, sizeof(server)),
			ipmasq_service_name(list->context, target->port, IPPROTO_TCP, port,
					    sizeof(port)),
			packets,
			bytes,
		};

		snprintf(packets, sizeof(packets), "%" PRIu64, target->counters.packets);
		snprintf(bytes, sizeof(bytes), "%" PRIu64, target->counters.bytes);
		if (ipmasq_listing_row(list->listing, cells, &list->context->error) < 0)
			return -1;
	}
	return 0;
}

static int list(struct ipmasq_context *context)
{
	struct list list = {context, ipmasq_listing_open(context, OWNER, columns, N_COLUMNS)};

	if (!list.listing)
		return -1;
	ipmasq_table_want_counters(context->table);
	if (ipmasq_table_walk(context->table, OWNER, list_rule, &list, &context->error) < 0) {
		ipmasq_listing_drop(list.listing);
		return -1;
	}
	return ipmasq_listing_print(list.listing, &context->error);
}

static int run_command(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	bool change = words->command == 'A' || words->command == 'D';
	struct ipmasq_target server = {.weight = 1, .left = 1};

	if (!words->command)
		return ipmasq_usage(&context->error, "give one of -A, -D, -F, -L, or -h for help");
	if (ipmasq_words_check(context, words, change ? "R" : "") < 0)
		return -1;
	if (words->command == 'F')
		return ipmasq_table_clear(context->table, OWNER, &context->error);
	if (words->command == 'L')
		return list(context);
	if (!words->given['R'])
		return ipmasq_usage(&context->error, "-R with the address of a server is needed");
	if (ipmasq_parse_address(&server.address, words->value['R'][0], AF_UNSPEC,
				 context->numeric, &context->error) < 0)
		return -1;
	return words->command == 'A' ? add(context, &server) : delete(context, &server);
}

extern const struct ipmasq_plugin ipmasq_plugin;

static int run(struct ipmasq_context *context, int argc, char **argv)
{
	struct ipmasq_words words;

	if (ipmasq_words_scan(context, options, argc, argv, &words) < 0)
		return (int)context->error.status;
	if (context->help) {
		ipmasq_plugin_usage(&ipmasq_plugin, context->out);
		return IPMASQ_OK;
	}
	return run_command(context, &words) < 0 ? (int)context->error.status : IPMASQ_OK;
}

static int format(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data)
{
	const struct ipmasq_redirect *redirect = &rule->redirect;
	char server[IPMASQ_ADDRESS_TEXT], line[sizeof(OWNER " -A -R ") + IPMASQ_ADDRESS_TEXT];
	int rc = 0;

	if (redirect->match.ports.low != ports[0])
		return 0;
	for (uint32_t i = 0; i < redirect->n_targets && !rc; i++) {
		snprintf(line, sizeof(line), OWNER " -A -R %s",
			 ipmasq_address_text(&redirect->targets[i].address, server));
		rc = visit(line, data);
	}
	return rc;
}

const struct ipmasq_plugin ipmasq_plugin = {
	.abi = IPMASQ_PLUGIN_ABI,
	.name = OWNER,
	.summary = "web servers inside, for ports 80 and 443 of every address of this machine",
	.options = options,
	.synopsis = "-A -R HOST\n"
		    "-D -R HOST\n"
		    "-F\n"
		    "-L [-n]",
	.run = run,
	.format = format,
};
