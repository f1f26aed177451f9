// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipportfw: the program that came with the port forwarding patch for Linux 2.0, by its grammar.
 *
 * It has no rules of its own.  A line becomes one of portfw's and is carried out by that module, so
 * both show and edit the same forwards; only the listing is the old one, to the letter.
 */
#include "call.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define OWNER "portfw" /* of the rules */

static const struct ipmasq_option options[] = {
	{'A', 0, IPMASQ_COMMAND, 0, NULL, "add a forward"},
	{'D', 0, IPMASQ_COMMAND, 0, NULL, "delete the forwards of this port"},
	{'C', 0, IPMASQ_COMMAND, 0, NULL, "clear the table, which is that of portfw"},
	{'L', 0, IPMASQ_COMMAND, 0, NULL, "list"},
	{'t', 0, 0, 1, "LADDR/LPORT", "local address and TCP port"},
	{'u', 0, 0, 1, "LADDR/LPORT", "local address and UDP port"},
	{'R', 0, 0, 1, "RADDR/RPORT", "inside address and port"},
	{0},
};

/* Has portfw carry out a line of its own. */
static int hand_on(struct ipmasq_context *context, int argc, const char *const *argv)
{
	const struct ipmasq_plugin *portfw = ipmasq_plugin_load(OWNER, &context->error);

	if (!portfw)
		return -1;
	return portfw->run(context, argc, (char **)(uintptr_t)argv) == IPMASQ_OK ? 0 : -1;
}

/* The one word of -t or -u, and which it was. */
static const char *local(struct ipmasq_context *context, const struct ipmasq_words *words,
			 const char **protocol)
{
	bool tcp = words->given['t'];

	if (tcp == words->given['u']) {
		ipmasq_usage(&context->error, tcp ? "-t and -u exclude one another"
						  : "-t or -u with ADDRESS/PORT is needed");
		return NULL;
	}
	*protocol = tcp ? "tcp" : "udp";
	return words->value[tcp ? 't' : 'u'][0];
}

static int add(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	const char *line[] = {OWNER, "-A", "-P", NULL, "-L", NULL, "-R", words->value['R'][0],
			      NULL};

	line[5] = local(context, words, &line[3]);
	if (!line[5])
		return -1;
	if (!words->given['R'])
		return ipmasq_usage(&context->error, "-R with ADDRESS/PORT is needed");
	return hand_on(context, 8, line);
}

static int delete (struct ipmasq_context *context, const struct ipmasq_words *words)
{
	const char *line[] = {OWNER, "-D", "-P", NULL, "-L", NULL, NULL};

	line[5] = local(context, words, &line[3]);
	return line[5] ? hand_on(context, 6, line) : -1;
}

static int clear(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	const char *line[] = {OWNER, "-F", NULL};

	(void)words;
	return hand_on(context, 2, line);
}

static int list_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct ipmasq_redirect *redirect = &rule->redirect;
	const char *name = ipmasq_protocol_name(redirect->match.protocol);
	char protocol[8], local_text[IPMASQ_ADDRESS_TEXT], remote_text[IPMASQ_ADDRESS_TEXT];
	struct ipmasq_context *context = data;
	size_t i = 0;

	for (; name[i] && i + 1 < sizeof(protocol); i++)
		protocol[i] = (char)toupper((unsigned char)name[i]);
	protocol[i] = '\0';
	ipmasq_address_text(&redirect->match.alias, local_text);
	for (uint32_t t = 0; t < redirect->n_targets; t++)
		fprintf(context->out, "%s %s/%u > %s/%u\n", protocol, local_text,
			redirect->match.ports.low,
			ipmasq_address_text(&redirect->targets[t].address, remote_text),
			redirect->targets[t].port);
	return 0;
}

/* JSON is younger than this program: portfw's. */
static int list(struct ipmasq_context *context, const struct ipmasq_words *words)
{
	const char *line[] = {OWNER, "-L", NULL};

	(void)words;
	if (context->json)
		return hand_on(context, 2, line);
	fputs("Prot Local Addr/Port > Remote Addr/Port\n", context->out);
	return ipmasq_table_walk(context->table, OWNER, list_rule, context, &context->error);
}

static const struct call commands[] = {
	{'A', "tuR", add}, {'D', "tu", delete}, {'C', "", clear}, {'L', "", list}, {0},
};

const struct ipmasq_plugin ipmasq_plugin;

static int run(struct ipmasq_context *context, int argc, char **argv)
{
	return call_run(context, &ipmasq_plugin, commands, argc, argv);
}

const struct ipmasq_plugin ipmasq_plugin = {
	.abi = IPMASQ_PLUGIN_ABI,
	.name = "ipportfw",
	.summary = "the forwards of portfw, in the words of Linux 2.0's ipportfw",
	.options = options,
	.synopsis = "-A -t|-u LADDR/LPORT -R RADDR/RPORT\n"
		    "-D -t|-u LADDR/LPORT\n"
		    "-C\n"
		    "-L",
	.run = run,
};
