// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * proxy: transparent proxying of what passes this machine, by the words of LibAliasProxyRule().
 *
 * Behind a command letter stand pairs of a keyword and its value, in any order.  Rules of a lower
 * index are tried first, and of one index the newest; a rule of the same index that matches the
 * same packets takes the place of the old one.
 */
#include "call.h"
#include "pool.h"

#include <ctype.h>
#include <errno.h>
#include <ipmasq/listing.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OWNER "proxy"

static const struct ipmasq_option options[] = {
	{'A', 'a', IPMASQ_COMMAND, 0, NULL, "add a rule"},
	{'D', 'd', IPMASQ_COMMAND, 0, NULL, "delete all rules of an index"},
	{'F', 'f', IPMASQ_COMMAND, 0, NULL, "clear the table of proxy"},
	{'L', 'l', IPMASQ_COMMAND, 0, NULL, "list, in the order in which the rules are tried"},
	{0},
};

static const char *const encodings[] = {
	[IPMASQ_NO_ENCODE] = "no_encode",
	[IPMASQ_ENCODE_IP_HDR] = "encode_ip_hdr",
	[IPMASQ_ENCODE_TCP_STREAM] = "encode_tcp_stream",
};

#define N_ENCODINGS (sizeof(encodings) / sizeof(encodings[0]))

static int parse_type(struct ipmasq_context *context, const char *word, struct ipmasq_proxy *proxy)
{
	for (size_t i = 0; i < N_ENCODINGS; i++) {
		if (strcmp(word, encodings[i]) == 0) {
			proxy->encoding = (enum ipmasq_encoding)i;
			return 0;
		}
	}
	return ipmasq_usage(&context->error,
			    "type '%s' is not no_encode, encode_ip_hdr or encode_tcp_stream", word);
}

static int parse_port(struct ipmasq_context *context, const char *word, struct ipmasq_proxy *proxy)
{
	return ipmasq_parse_port(&proxy->port, word, proxy->protocol, context->numeric, false,
				 &context->error);
}

static int parse_server(struct ipmasq_context *context, const char *word,
			struct ipmasq_proxy *proxy)
{
	const char *address, *port;
	char buffer[256];

	if (ipmasq_split_address_port(word, buffer, sizeof(buffer), &address, &port,
				      &context->error) < 0 ||
	    ipmasq_parse_address(&proxy->server, address, AF_UNSPEC, context->numeric,
				 &context->error) < 0)
		return -1;
	if (ipmasq_address_is_any(&proxy->server))
		return ipmasq_usage(&context->error, "'%s' is no server to send connections to",
				    word);
	return port ? ipmasq_parse_port(&proxy->server_port, port, proxy->protocol,
					context->numeric, false, &context->error)
		    : 0;
}

static int parse_index(struct ipmasq_context *context, const char *word, struct ipmasq_proxy *proxy)
{
	return ipmasq_parse_number(&proxy->index, word, "rule", 0, INT32_MAX, &context->error);
}

static int parse_protocol(struct ipmasq_context *context, const char *word,
			  struct ipmasq_proxy *proxy)
{
	if (ipmasq_parse_transport(&proxy->protocol, word, &context->error) == 0 &&
	    proxy->protocol != IPPROTO_SCTP)
		return 0;
	return ipmasq_usage(&context->error, "proto '%s' is not tcp or udp", word);
}

static int parse_source(struct ipmasq_context *context, const char *word,
			struct ipmasq_proxy *proxy)
{
	return ipmasq_parse_net(&proxy->source, word, context->numeric, &context->error);
}

static int parse_destination(struct ipmasq_context *context, const char *word,
			     struct ipmasq_proxy *proxy)
{
	return ipmasq_parse_net(&proxy->destination, word, context->numeric, &context->error);
}

/* In the order in which they are parsed: a service name needs the protocol. */
static const struct keyword {
	const char *word;
	int (*parse)(struct ipmasq_context *context, const char *word, struct ipmasq_proxy *proxy);
} keywords[] = {
	{"rule", parse_index},      {"proto", parse_protocol}, {"type", parse_type},
	{"port", parse_port},       {"server", parse_server},  {"src", parse_source},
	{"dst", parse_destination},
};

#define N_KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))
#define K_RULE     0
#define K_SERVER   4

/* A call: the words behind the letters, and the values of the keywords in them. */
struct phrase {
	int argc;
	char **argv;
	const char *values[N_KEYWORDS];
};

static int parse_phrase(struct ipmasq_context *context, struct phrase *phrase)
{
	for (int i = 0; i < phrase->argc; i += 2) {
		const char *word = phrase->argv[i];
		size_t k = 0;

		while (k < N_KEYWORDS && strcmp(word, keywords[k].word) != 0)
			k++;
		if (k == N_KEYWORDS)
			return ipmasq_usage(
				&context->error,
				"'%s' is not type, port, server, rule, proto, src or dst", word);
		if (phrase->values[k])
			return ipmasq_usage(&context->error, "%s is given twice", word);
		if (i + 1 == phrase->argc)
			return ipmasq_usage(&context->error, "nothing follows '%s'", word);
		phrase->values[k] = phrase->argv[i + 1];
	}
	return 0;
}

static int add(struct ipmasq_context *context, const struct phrase *phrase)
{
	struct ipmasq_rule *rule;
	struct ipmasq_proxy proxy = {0};

	if (!phrase->values[K_SERVER])
		return ipmasq_usage(&context->error, "server with an address is needed");
	for (size_t k = 0; k < N_KEYWORDS; k++)
		if (phrase->values[k] && keywords[k].parse(context, phrase->values[k], &proxy) < 0)
			return -1;
	rule = ipmasq_rule_new(IPMASQ_PROXY, OWNER);
	if (!rule)
		return ipmasq_fail(&context->error, ENOMEM, "out of memory");
	rule->proxy = proxy;
	return ipmasq_table_put(context->table, rule, &context->error);
}

static bool same_index(const struct ipmasq_rule *rule, const void *data)
{
	return rule->proxy.index == *(const uint32_t *)data;
}

static int delete(struct ipmasq_context *context, const struct phrase *phrase)
{
	struct ipmasq_proxy wanted = {0};
	struct pool_rules rules;
	int rc = 0;

	for (size_t k = 0; k < N_KEYWORDS; k++)
		if (phrase->values[k] && k != K_RULE)
			return ipmasq_usage(&context->error, "%s does not go with -D",
					    keywords[k].word);
	if (!phrase->values[K_RULE])
		return ipmasq_usage(&context->error, "-D needs `rule INDEX`");
	if (parse_index(context, phrase->values[K_RULE], &wanted) < 0 ||
	    pool_gather(context, OWNER, &rules, same_index, &wanted.index) < 0)
		return -1;
	if (!rules.n)
		rc = ipmasq_fail(&context->error, ENOENT,
				 "no rule of index %u; `ipmasqadm proxy -L` lists them",
				 wanted.index);
	for (size_t i = 0; i < rules.n && rc == 0; i++)
		rc = ipmasq_table_remove(context->table, rules.list[i], &context->error);
	pool_rules_free(&rules);
	return rc;
}

static const struct ipmasq_column columns[] = {
	{"rule", true}, {"prot", false}, {"src", false},    {"dst", false},
	{"port", true}, {"type", false}, {"server", false}, {"sport", true},
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static const char *protocol_text(uint8_t protocol)
{
	return protocol ? ipmasq_protocol_name(protocol) : "any";
}

static int list_rule(struct ipmasq_context *context, struct ipmasq_listing *listing,
		     const struct ipmasq_proxy *proxy)
{
	char index[16], source[IPMASQ_NET_TEXT], destination[IPMASQ_NET_TEXT], port[8], sport[8];
	char server[NI_MAXHOST];
	const char *cells[N_COLUMNS] = {
		index,
		protocol_text(proxy->protocol),
		proxy->source.address.family ? ipmasq_net_text(&proxy->source, source) : "any",
		proxy->destination.address.family
			? ipmasq_net_text(&proxy->destination, destination)
			: "any",
		port,
		encodings[proxy->encoding],
		ipmasq_host_name(context, &proxy->server, server, sizeof(server)),
		sport,
	};

	snprintf(index, sizeof(index), "%u", proxy->index);
	snprintf(port, sizeof(port), "%u", proxy->port);
	snprintf(sport, sizeof(sport), "%u", proxy->server_port);
	return ipmasq_listing_row(listing, cells, &context->error);
}

static bool every(const struct ipmasq_rule *rule, const void *data)
{
	(void)rule;
	(void)data;
	return true;
}

/* The table has an index's rules from the oldest on; they are tried from the newest on. */
static int list_rules(struct ipmasq_context *context, struct ipmasq_listing *listing,
		      const struct pool_rules *rules)
{
	for (size_t begin = 0, end; begin < rules->n; begin = end) {
		for (end = begin + 1; end < rules->n && rules->list[end]->proxy.index ==
								rules->list[begin]->proxy.index;)
			end++;
		for (size_t i = end; i-- > begin;)
			if (list_rule(context, listing, &rules->list[i]->proxy) < 0)
				return -1;
	}
	return 0;
}

static int list(struct ipmasq_context *context)
{
	struct ipmasq_listing *listing;
	struct pool_rules rules;
	int rc = -1;

	if (pool_gather(context, OWNER, &rules, every, NULL) < 0)
		return -1;
	listing = ipmasq_listing_open(context, OWNER, columns, N_COLUMNS);
	if (listing && list_rules(context, listing, &rules) == 0)
		rc = ipmasq_listing_print(listing, &context->error);
	else
		ipmasq_listing_drop(listing);
	pool_rules_free(&rules);
	return rc;
}

/* Takes the words that are no options out of argv, which keeps the rest; their number. */
static int split_words(int *argc, char **argv, char **rest)
{
	int kept = 1, n = 0;

	for (int i = 1; i < *argc; i++) {
		if (argv[i][0] == '-' && !isdigit((unsigned char)argv[i][1])) /* but no number */
			argv[kept++] = argv[i];
		else
			rest[n++] = argv[i];
	}
	*argc = kept;
	return n;
}

static int run_command(struct ipmasq_context *context, const struct ipmasq_words *words,
		       struct phrase *phrase)
{
	switch (words->command) {
	case 'A':
		return parse_phrase(context, phrase) < 0 ? -1 : add(context, phrase);
	case 'D':
		return parse_phrase(context, phrase) < 0 ? -1 : delete(context, phrase);
	}
	if (words->command && phrase->argc)
		return ipmasq_usage(&context->error,
				    "'%s' is one word too many; " OWNER
				    " -h shows what there may be",
				    phrase->argv[0]);
	switch (words->command) {
	case 'F':
		return ipmasq_table_clear(context->table, OWNER, &context->error);
	case 'L':
		return list(context);
	}
	return ipmasq_usage(&context->error,
			    "no command: give one of -A, -D, -F, -L, or -h for help");
}

const struct ipmasq_plugin ipmasq_plugin;

static int run(struct ipmasq_context *context, int argc, char **argv)
{
	/* Options first, then the others; argv itself stays as the caller has it. */
	char **list = calloc(2 * (size_t)argc + 2, sizeof(char *));
	struct phrase phrase = {.argv = list + argc + 1};
	struct ipmasq_words words;
	int status = IPMASQ_OK;

	if (!list) {
		ipmasq_fail(&context->error, ENOMEM, "out of memory");
		return IPMASQ_FAILED;
	}
	memcpy(list, argv, (size_t)argc * sizeof(char *));
	phrase.argc = split_words(&argc, list, phrase.argv);
	if (ipmasq_words_scan(context, options, argc, list, &words) < 0)
		status = context->error.status;
	else if (context->help)
		ipmasq_plugin_usage(&ipmasq_plugin, context->out);
	else if (run_command(context, &words, &phrase) < 0)
		status = context->error.status;
	free(list);
	return status;
}

static int offer(const char *word, const char *typed, ipmasq_line_visit visit, void *data)
{
	return strncmp(word, typed, strlen(typed)) == 0 ? visit(word, data) : 0;
}

/* Visits the indices that there are, to delete one. */
struct indices {
	const char *typed;
	ipmasq_line_visit visit;
	void *data;
	int rc;
};

static int offer_index(const struct ipmasq_rule *rule, void *data)
{
	struct indices *indices = data;
	char index[16];

	snprintf(index, sizeof(index), "%u", rule->proxy.index);
	indices->rc = offer(index, indices->typed, indices->visit, indices->data);
	return indices->rc;
}

/* A keyword, or the value of one that has a few. */
static int complete(struct ipmasq_context *context, int argc, char **argv, ipmasq_line_visit visit,
		    void *data)
{
	const char *typed = argv[argc - 1], *before = argc > 2 ? argv[argc - 2] : "";
	struct indices indices = {typed, visit, data, 0};
	bool value = argc <= 2; /* or a letter: no keyword yet */
	int rc = 0;

	if (strcmp(before, "rule") == 0 && strcasecmp(argv[1], "-D") == 0 && context->table) {
		ipmasq_table_walk(context->table, OWNER, offer_index, &indices, &context->error);
		return indices.rc;
	}
	for (size_t k = 0; k < N_KEYWORDS; k++)
		value |= strcmp(before, keywords[k].word) == 0;
	for (size_t k = 0; !value && k < N_KEYWORDS && !rc; k++)
		rc = offer(keywords[k].word, typed, visit, data);
	for (size_t i = 0; strcmp(before, "type") == 0 && i < N_ENCODINGS && !rc; i++)
		rc = offer(encodings[i], typed, visit, data);
	for (size_t i = 0; strcmp(before, "proto") == 0 && i < 2 && !rc; i++)
		rc = offer(i ? "udp" : "tcp", typed, visit, data);
	return rc;
}

static int format(const struct ipmasq_rule *rule, ipmasq_line_visit visit, void *data)
{
	const struct ipmasq_proxy *proxy = &rule->proxy;
	bool v6 = proxy->server.family == AF_INET6, bracket = v6 && proxy->server_port;
	char line[320] = "", text[IPMASQ_NET_TEXT];
	FILE *out = fmemopen(line, sizeof(line), "w");

	if (!out)
		return -1;
	fprintf(out, OWNER " -A");
	if (proxy->encoding != IPMASQ_NO_ENCODE)
		fprintf(out, " type %s", encodings[proxy->encoding]);
	if (proxy->port)
		fprintf(out, " port %u", proxy->port);
	fprintf(out, " server %s%s%s", bracket ? "[" : "",
		ipmasq_address_text(&proxy->server, text), bracket ? "]" : "");
	if (proxy->server_port)
		fprintf(out, ":%u", proxy->server_port);
	if (proxy->index)
		fprintf(out, " rule %u", proxy->index);
	if (proxy->protocol)
		fprintf(out, " proto %s", protocol_text(proxy->protocol));
	if (proxy->source.address.family)
		fprintf(out, " src %s", ipmasq_net_text(&proxy->source, text));
	if (proxy->destination.address.family)
		fprintf(out, " dst %s", ipmasq_net_text(&proxy->destination, text));
	fclose(out);
	return visit(line, data);
}

const struct ipmasq_plugin ipmasq_plugin = {
	.abi = IPMASQ_PLUGIN_ABI,
	.name = OWNER,
	.summary = "send connections that pass this machine to a proxy server",
	.options = options,
	.synopsis = "-A [type no_encode|encode_ip_hdr|encode_tcp_stream] [port N] server IP[:PORT] "
		    "[rule INDEX] [proto tcp|udp] [src IP[/BITS]] [dst IP[/BITS]]\n"
		    "-D rule INDEX\n"
		    "-F\n"
		    "-L [-n]",
	.run = run,
	.complete = complete,
	.format = format,
};
