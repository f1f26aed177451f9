// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Completion of a module's words, from the table of options that also feeds the parser and the
 * usage text.
 *
 * The words before the one that is being typed say whether it is a value: it is when an option
 * before it takes more words than have followed.  What may stand there is told by the value's name
 * in the table (PROTO, LADDR, IFACE, ...); values that are free, as an inside host, have no list.
 */
#include <ifaddrs.h>
#include <ipmasq/plugin.h>
#include <net/if.h>
#include <string.h>

struct completion {
	const char *typed; /* the beginning of the word */
	ipmasq_line_visit visit;
	void *data;
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

static const struct {
	const char *name; /* of a value in a table of options */
	int (*offer)(const struct completion *completion);
} values[] = {
	{"PROTO", offer_protocols},   {"LADDR", offer_addresses}, {"PUBLIC", offer_addresses},
	{"ADDR", offer_addresses},    {"IFACE", offer_interfaces},
};

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

static int offer_value(const struct completion *completion, const struct ipmasq_option *option,
		       unsigned int k)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (is_name(option->words, k, values[i].name))
			return values[i].offer(completion);
	return 0;
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

int ipmasq_plugin_complete(const struct ipmasq_plugin *plugin, struct ipmasq_context *context,
			   int argc, char **argv, ipmasq_line_visit visit, void *data)
{
	const struct ipmasq_option *option = NULL;
	struct completion completion = {argv[argc - 1], visit, data};
	unsigned int values_given = 0;
	int rc;

	if (plugin->complete) {
		rc = plugin->complete(context, argc, argv, visit, data);
		if (rc)
			return rc;
	}
	for (int i = 1; i < argc - 1; i++) {
		const struct ipmasq_option *found = find_option(plugin->options, argv[i]);

		option = found ? found : option;
		values_given = found ? 0 : values_given + 1;
	}
	if (option && values_given < option->n_words && completion.typed[0] != '-')
		rc = offer_value(&completion, option, values_given);
	else
		rc = offer_options(&completion, plugin->options);
	return rc;
}
