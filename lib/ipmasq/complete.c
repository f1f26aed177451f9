// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Completion of a module's words, from the table of options that also feeds the parser and the
 * usage text.
 *
 * The words before the one that is being typed say whether it is a value: it is when an option
 * before it takes more words than have followed.  A call that is about rules which are there (-D
 * and its like) gets what those rules have in that place, as far as they agree with what was typed.
 * Otherwise what may stand there is told by the value's name in the table (PROTO, LADDR, IFACE,
 * ...); values that are free, as an inside host, have no list.
 */
#include <ctype.h>
#include <ifaddrs.h>
#include <ipmasq/plugin.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 512
#define LINE_ARGC 64

struct completion {
	const char *typed; /* the beginning of the word */
	ipmasq_line_visit visit;
	void *data;
	const struct ipmasq_plugin *plugin;
	struct ipmasq_words before;         /* what the words before it say */
	const struct ipmasq_option *option; /* the last one among them, or NULL */
	unsigned int k;                     /* how many of its words there are */
};

static int offer(const struct completion *completion, const char *word)
{
	if (strncmp(word, completion->typed, strlen(completion->typed)) != 0)
		return 0;
	return completion->visit(word, completion->data);
}

static int offer_protocols(const struct completion *completion)
{
	static const char *const names[] = {"tcp", "udp", "sctp"};
	int rc = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !rc; i++)
		rc = offer(completion, names[i]);
	return rc;
}

/* The addresses of this machine that can be forwarded from, and the wildcard. */
static int offer_addresses(const struct completion *completion)
{
	char text[IPMASQ_ADDRESS_TEXT];
	struct ifaddrs *list;
	int rc = offer(completion, "0.0.0.0");

	if (rc || getifaddrs(&list) < 0)
		return rc;
	for (const struct ifaddrs *entry = list; entry && !rc; entry = entry->ifa_next) {
		struct ipmasq_address address = {0};

		if (!entry->ifa_addr || (entry->ifa_flags & IFF_LOOPBACK))
			continue;
		address.family = (uint8_t)entry->ifa_addr->sa_family;
		if (address.family == AF_INET)
			address.in4 = ((struct sockaddr_in *)(void *)entry->ifa_addr)->sin_addr;
		else if (address.family == AF_INET6)
			address.in6 = ((struct sockaddr_in6 *)(void *)entry->ifa_addr)->sin6_addr;
		else
			continue;
		rc = offer(completion, ipmasq_address_text(&address, text));
	}
	freeifaddrs(list);
	return rc;
}

static int offer_interfaces(const struct completion *completion)
{
	struct if_nameindex *list = if_nameindex();
	int rc = 0;

	for (const struct if_nameindex *entry = list; entry && entry->if_name && !rc; entry++)
		rc = offer(completion, entry->if_name);
	if (list)
		if_freenameindex(list);
	return rc;
}

/* Whether the k-th word of `names` is `name`. */
static bool is_name(const char *names, unsigned int k, const char *name)
{
	while (k-- > 0 && names) {
		names = strchr(names, ' ');
		names += names != NULL;
	}
	return names && strcspn(names, " ") == strlen(name) &&
	       strncmp(names, name, strlen(name)) == 0;
}

/* The protocol that was typed, of the same option or of another one; NULL: none. */
static const char *protocol_before(const struct completion *completion)
{
	const struct ipmasq_option *options = completion->plugin->options;
	const char *found = NULL;

	for (; options->letter; options++) {
		const char *word = completion->before.value[(unsigned char)options->letter][0];

		if (word && is_name(options->words, 0, "PROTO") &&
		    (!found || options == completion->option))
			found = word;
	}
	return found;
}

/* Services by name, of the protocol; all of them would be too many to be of use. */
static int offer_services(const struct completion *completion)
{
	const char *word = protocol_before(completion), *name = NULL;
	const struct servent *service;
	struct ipmasq_error unused;
	uint8_t protocol;
	int rc = 0;

	if (!isalpha((unsigned char)completion->typed[0]))
		return 0;
	if (word && ipmasq_parse_transport(&protocol, word, &unused) == 0)
		name = ipmasq_protocol_name(protocol);
	setservent(1);
	while (!rc && (service = getservent()))
		if (!name || strcmp(service->s_proto, name) == 0)
			rc = offer(completion, service->s_name);
	endservent();
	return rc;
}

static const struct {
	const char *name; /* of a value in a table of options */
	int (*offer)(const struct completion *completion);
} values[] = {
	{"PROTO", offer_protocols}, {"LADDR", offer_addresses},  {"PUBLIC", offer_addresses},
	{"ADDR", offer_addresses},  {"IFACE", offer_interfaces}, {"LPORT", offer_services},
	{"RPORT", offer_services},  {"PORT", offer_services},    {"LOW", offer_services},
	{"HIGH", offer_services},   {"VISIBLE", offer_services},
};

static int offer_value(const struct completion *completion)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (is_name(completion->option->words, completion->k, values[i].name))
			return values[i].offer(completion);
	return 0;
}

/* Whether the call is about rules that are there: it has a command, and that adds none. */
static bool is_about_rules(const struct completion *completion)
{
	return completion->before.command && !strchr("AI", completion->before.command);
}

/* Offers from rules; `n` counts, the last one is not offered again. */
struct offering {
	const struct completion *completion;
	char last[LINE_SIZE];
	size_t n;
	int rc;
};

/* Whether `there` is what was typed; a protocol may be its first letter. */
static bool is_typed(const struct ipmasq_option *option, unsigned int k, const char *there,
		     const char *typed)
{
	if (!there)
		return false;
	if (!typed[0] || typed[1] || !is_name(option->words, k, "PROTO"))
		return strcmp(there, typed) == 0;
	return there[0] == typed[0];
}

/* Whether a rule's words are those that were typed, as far as there are any. */
static bool agrees(const struct completion *completion, const struct ipmasq_words *rule)
{
	const struct ipmasq_option *option = completion->plugin->options;

	for (; option->letter; option++) {
		unsigned char letter = (unsigned char)option->letter;

		for (unsigned int k = 0; k < option->n_words && !(option->flags & IPMASQ_COMMAND);
		     k++) {
			const char *typed = completion->before.value[letter][k];

			if (typed && !is_typed(option, k, rule->value[letter][k], typed))
				return false;
		}
	}
	return true;
}

/* The words of a rule's line, in place of the command's where that takes some. */
static int offer_from_line(const char *line, void *data)
{
	struct offering *offering = data;
	const struct completion *completion = offering->completion;
	const struct ipmasq_option *option = completion->option;
	struct ipmasq_context context = {.numeric = true};
	char copy[LINE_SIZE], *argv[LINE_ARGC], *rest = copy;
	struct ipmasq_words words;
	const char *value;
	int argc = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	while (argc < LINE_ARGC && (argv[argc] = strtok_r(rest, " ", &rest)))
		argc++;
	if (ipmasq_words_scan(&context, completion->plugin->options, argc, argv, &words) < 0 ||
	    !agrees(completion, &words))
		return 0;
	value = words.value[option->flags & IPMASQ_COMMAND
				    ? (unsigned char)words.command
				    : (unsigned char)option->letter][completion->k];
	if (!value || strcmp(value, offering->last) == 0)
		return 0;
	strcpy(offering->last, value);
	offering->n++;
	offering->rc = offer(completion, value);
	return offering->rc;
}

static int offer_from_rule(const struct ipmasq_rule *rule, void *data)
{
	const struct offering *offering = data;

	return ipmasq_plugin_format(offering->completion->plugin, rule, offer_from_line, data);
}

/* What there is in the place of the word; how many words it was is told by offering->n. */
static void offer_from_rules(struct offering *offering, struct ipmasq_context *context)
{
	if (context->table && is_about_rules(offering->completion))
		ipmasq_table_walk(context->table, offering->completion->plugin->name,
				  offer_from_rule, offering, &context->error);
}

static int offer_options(const struct completion *completion, const struct ipmasq_option *options)
{
	static const char *const always[] = {"-h", "-n", "-v", "--json", "--dry-run", "--kill"};
	int rc = 0;

	for (; options->letter && !rc; options++) {
		char word[] = {'-', options->letter, '\0'};

		rc = offer(completion, word);
		if (!rc && !options->n_words && options->words)
			rc = offer(completion, options->words);
	}
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]) && !rc; i++)
		rc = offer(completion, always[i]);
	return rc;
}

static const struct ipmasq_option *find_option(const struct ipmasq_option *options,
					       const char *word)
{
	if (word[0] != '-' || !word[1] || word[2])
		return NULL;
	for (; options->letter; options++)
		if (options->letter == word[1] || options->same_as == word[1])
			return options;
	return NULL;
}

/* What the words up to the last one say, as far as they go. */
static void read_words(struct completion *completion, int argc, char **argv)
{
	for (int i = 1; i < argc - 1; i++) {
		const struct ipmasq_option *option =
			find_option(completion->plugin->options, argv[i]);

		if (option) {
			completion->option = option;
			completion->k = 0;
			completion->before.given[(unsigned char)option->letter] = true;
			if (option->flags & IPMASQ_COMMAND)
				completion->before.command = option->letter;
		} else if (completion->option) {
			option = completion->option;
			if (completion->k < option->n_words)
				completion->before
					.value[(unsigned char)option->letter][completion->k] =
					argv[i];
			completion->k++;
		}
	}
}

int ipmasq_plugin_complete(const struct ipmasq_plugin *plugin, struct ipmasq_context *context,
			   int argc, char **argv, ipmasq_line_visit visit, void *data)
{
	struct completion completion = {
		.typed = argv[argc - 1], .visit = visit, .data = data, .plugin = plugin};
	struct offering offering = {.completion = &completion};
	int rc;

	if (plugin->complete) {
		rc = plugin->complete(context, argc, argv, visit, data);
		if (rc)
			return rc;
	}
	read_words(&completion, argc, argv);
	if (!completion.option || completion.k >= completion.option->n_words ||
	    completion.typed[0] == '-')
		return offer_options(&completion, plugin->options);
	offer_from_rules(&offering, context);
	return offering.n ? offering.rc : offer_value(&completion);
}
