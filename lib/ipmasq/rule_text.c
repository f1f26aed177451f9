// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules to text and back.
 *
 *   redirect PROTO ALIAS [ports LOW-HIGH] to ADDR [port PORT]
 *   trigger PROTO CONTROL opens PROTO LOW-HIGH [insecure] [permanent]
 *   pin PROTO LOW-HIGH
 *   proxy INDEX PROTO [port PORT] [from NET] [to NET] server ADDR [port PORT]
 *   masq NET [proto PROTO] [out IFACE] [as ADDR]
 *   helper NAME PORT,PORT...
 *
 * PROTO is a name, a number or `any`.  The words stand in this order and the optional ones are
 * left out when they say nothing, so that the text of a rule is always the same; reading takes
 * no other order, and rule_of_text(rule_text()) is the rule again.  A redirect of this form has
 * one target.
 */
#include "rule_text.h"

#include <errno.h>
#include <ipmasq/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text being written, or words being read. */
struct writer {
	char *text;
	size_t length;
	bool full;
};

struct reader {
	char text[RULE_TEXT_MAX], *rest, *word; /* the word that is looked at, NULL at the end */
	bool wrong;
};

static void put(struct writer *writer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct writer *writer, const char *format, ...)
{
	size_t room = RULE_TEXT_MAX - writer->length;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(writer->text + writer->length, room, format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= room)
		writer->full = true;
	else
		writer->length += (size_t)n;
}

static void put_protocol(struct writer *writer, uint8_t protocol)
{
	const char *name = ipmasq_protocol_name(protocol);

	if (!protocol)
		put(writer, " any");
	else if (name)
		put(writer, " %s", name);
	else
		put(writer, " %u", protocol);
}

static void put_address(struct writer *writer, const char *before,
			const struct ipmasq_address *address)
{
	char text[IPMASQ_ADDRESS_TEXT];

	put(writer, "%s %s", before, ipmasq_address_text(address, text));
}

static void put_net(struct writer *writer, const char *before, const struct ipmasq_net *net)
{
	char text[IPMASQ_NET_TEXT];

	if (net->address.family != AF_UNSPEC)
		put(writer, "%s %s", before, ipmasq_net_text(net, text));
}

static void put_port(struct writer *writer, uint16_t port)
{
	if (port)
		put(writer, " port %u", port);
}

static void next(struct reader *reader)
{
	reader->word = strtok_r(NULL, " ", &reader->rest);
}

static void number_at(struct reader *reader, const char *word, uint32_t high, uint32_t *number)
{
	struct ipmasq_error unused;

	if (!word || ipmasq_parse_number(number, word, "", 0, high, &unused) < 0)
		reader->wrong = true;
}

static uint16_t take_port(struct reader *reader)
{
	uint32_t number = 0;

	number_at(reader, reader->word, UINT16_MAX, &number);
	next(reader);
	return (uint16_t)number;
}

static struct ipmasq_ports take_range(struct reader *reader)
{
	char *dash = reader->word ? strchr(reader->word, '-') : NULL;
	uint32_t low = 0, high = 0;

	if (dash)
		*dash = '\0';
	number_at(reader, reader->word, UINT16_MAX, &low);
	number_at(reader, dash ? dash + 1 : NULL, UINT16_MAX, &high);
	next(reader);
	return (struct ipmasq_ports){(uint16_t)low, (uint16_t)high};
}

static uint8_t take_protocol(struct reader *reader)
{
	struct ipmasq_error unused;
	uint8_t protocol = 0;

	if (!reader->word || (strcmp(reader->word, "any") != 0 &&
			      ipmasq_parse_protocol(&protocol, reader->word, true, &unused) < 0))
		reader->wrong = true;
	next(reader);
	return protocol;
}

static void take_address(struct reader *reader, struct ipmasq_address *address)
{
	struct ipmasq_error unused;

	if (!reader->word ||
	    ipmasq_parse_address(address, reader->word, AF_UNSPEC, true, &unused) < 0)
		reader->wrong = true;
	next(reader);
}

static void take_net(struct reader *reader, struct ipmasq_net *net)
{
	struct ipmasq_error unused;

	if (!reader->word || ipmasq_parse_net(net, reader->word, true, &unused) < 0)
		reader->wrong = true;
	next(reader);
}

/* Takes an optional word. */
static bool take_word(struct reader *reader, const char *word)
{
	if (!reader->word || strcmp(reader->word, word) != 0)
		return false;
	next(reader);
	return true;
}

static void need_word(struct reader *reader, const char *word)
{
	if (!take_word(reader, word))
		reader->wrong = true;
}

static void take_name(struct reader *reader, char *name, size_t size)
{
	if (!reader->word || strlen(reader->word) >= size)
		reader->wrong = true;
	else
		strcpy(name, reader->word);
	next(reader);
}

static void write_redirect(struct writer *writer, const struct ipmasq_rule *rule)
{
	const struct ipmasq_match *match = &rule->redirect.match;

	if (rule->redirect.n_targets != 1) {
		writer->full = true;
		return;
	}
	put_protocol(writer, match->protocol);
	put_address(writer, "", &match->alias);
	if (match->ports.low)
		put(writer, " ports %u-%u", match->ports.low, match->ports.high);
	put_address(writer, " to", &rule->redirect.targets[0].address);
	put_port(writer, rule->redirect.targets[0].port);
}

static void read_redirect(struct reader *reader, struct ipmasq_rule *rule)
{
	struct ipmasq_match *match = &rule->redirect.match;
	struct ipmasq_target *target = calloc(1, sizeof(*target));

	if (!target) {
		reader->wrong = true;
		return;
	}
	rule->redirect.targets = target;
	rule->redirect.n_targets = 1;
	target->weight = target->left = IPMASQ_WEIGHT_DEFAULT;
	match->protocol = take_protocol(reader);
	take_address(reader, &match->alias);
	match->family = match->remote.family = match->alias.family;
	if (take_word(reader, "ports"))
		match->ports = take_range(reader);
	need_word(reader, "to");
	take_address(reader, &target->address);
	if (take_word(reader, "port"))
		target->port = take_port(reader);
}

static void write_trigger(struct writer *writer, const struct ipmasq_rule *rule)
{
	const struct ipmasq_trigger *trigger = &rule->trigger;

	put_protocol(writer, trigger->control_protocol);
	put(writer, " %u opens", trigger->control_port);
	put_protocol(writer, trigger->protocol);
	put(writer, " %u-%u%s%s", trigger->ports.low, trigger->ports.high,
	    trigger->insecure ? " insecure" : "", trigger->permanent ? " permanent" : "");
}

static void read_trigger(struct reader *reader, struct ipmasq_rule *rule)
{
	struct ipmasq_trigger *trigger = &rule->trigger;

	trigger->control_protocol = take_protocol(reader);
	trigger->control_port = take_port(reader);
	need_word(reader, "opens");
	trigger->protocol = take_protocol(reader);
	trigger->ports = take_range(reader);
	trigger->insecure = take_word(reader, "insecure");
	trigger->permanent = take_word(reader, "permanent");
}

static void write_pin(struct writer *writer, const struct ipmasq_rule *rule)
{
	put_protocol(writer, rule->pin.protocol);
	put(writer, " %u-%u", rule->pin.ports.low, rule->pin.ports.high);
}

static void read_pin(struct reader *reader, struct ipmasq_rule *rule)
{
	rule->pin.protocol = take_protocol(reader);
	rule->pin.ports = take_range(reader);
}

static void write_proxy(struct writer *writer, const struct ipmasq_rule *rule)
{
	const struct ipmasq_proxy *proxy = &rule->proxy;

	put(writer, " %u", proxy->index);
	put_protocol(writer, proxy->protocol);
	put_port(writer, proxy->port);
	put_net(writer, " from", &proxy->source);
	put_net(writer, " to", &proxy->destination);
	put_address(writer, " server", &proxy->server);
	put_port(writer, proxy->server_port);
}

static void read_proxy(struct reader *reader, struct ipmasq_rule *rule)
{
	struct ipmasq_proxy *proxy = &rule->proxy;

	number_at(reader, reader->word, UINT32_MAX, &proxy->index);
	next(reader);
	proxy->protocol = take_protocol(reader);
	if (take_word(reader, "port"))
		proxy->port = take_port(reader);
	if (take_word(reader, "from"))
		take_net(reader, &proxy->source);
	if (take_word(reader, "to"))
		take_net(reader, &proxy->destination);
	need_word(reader, "server");
	take_address(reader, &proxy->server);
	if (take_word(reader, "port"))
		proxy->server_port = take_port(reader);
}

static void write_masq(struct writer *writer, const struct ipmasq_rule *rule)
{
	const struct ipmasq_masq *masq = &rule->masq;

	put_net(writer, "", &masq->source);
	if (masq->protocol) {
		put(writer, " proto");
		put_protocol(writer, masq->protocol);
	}
	if (masq->interface[0])
		put(writer, " out %s", masq->interface);
	if (masq->alias.family != AF_UNSPEC)
		put_address(writer, " as", &masq->alias);
}

static void read_masq(struct reader *reader, struct ipmasq_rule *rule)
{
	struct ipmasq_masq *masq = &rule->masq;

	take_net(reader, &masq->source);
	if (take_word(reader, "proto"))
		masq->protocol = take_protocol(reader);
	if (take_word(reader, "out"))
		take_name(reader, masq->interface, sizeof(masq->interface));
	if (take_word(reader, "as"))
		take_address(reader, &masq->alias);
}

static void write_helper(struct writer *writer, const struct ipmasq_rule *rule)
{
	put(writer, " %s", rule->helper.name);
	for (uint32_t i = 0; i < rule->helper.n_ports; i++)
		put(writer, "%c%u", i ? ',' : ' ', rule->helper.ports[i]);
}

static void read_helper(struct reader *reader, struct ipmasq_rule *rule)
{
	struct ipmasq_helper *helper = &rule->helper;
	char *rest = NULL;

	take_name(reader, helper->name, sizeof(helper->name));
	for (char *port = reader->word ? strtok_r(reader->word, ",", &rest) : NULL;
	     port && helper->n_ports < IPMASQ_HELPER_PORTS; port = strtok_r(NULL, ",", &rest)) {
		uint32_t number = 0;

		number_at(reader, port, UINT16_MAX, &number);
		helper->ports[helper->n_ports++] = (uint16_t)number;
	}
	if (helper->n_ports)
		next(reader);
}

static const struct {
	const char *word;
	void (*write)(struct writer *writer, const struct ipmasq_rule *rule);
	void (*read)(struct reader *reader, struct ipmasq_rule *rule);
} kinds[IPMASQ_KINDS] = {
	[IPMASQ_REDIRECT] = {"redirect", write_redirect, read_redirect},
	[IPMASQ_TRIGGER] = {"trigger", write_trigger, read_trigger},
	[IPMASQ_PIN] = {"pin", write_pin, read_pin},
	[IPMASQ_PROXY] = {"proxy", write_proxy, read_proxy},
	[IPMASQ_MASQ] = {"masq", write_masq, read_masq},
	[IPMASQ_HELPER] = {"helper", write_helper, read_helper},
};

int rule_text(const struct ipmasq_rule *rule, char text[static RULE_TEXT_MAX])
{
	struct writer writer = {.text = text};

	put(&writer, "%s", kinds[rule->kind].word);
	kinds[rule->kind].write(&writer, rule);
	return writer.full ? -1 : 0;
}

struct ipmasq_rule *rule_of_text(const char *owner, const char *text)
{
	struct reader reader = {0};
	struct ipmasq_error unused;
	struct ipmasq_rule *rule = NULL;
	enum ipmasq_kind kind = 0;

	if (strlen(text) >= sizeof(reader.text)) {
		errno = EINVAL;
		return NULL;
	}
	strcpy(reader.text, text);
	reader.word = strtok_r(reader.text, " ", &reader.rest);
	while (kind < IPMASQ_KINDS && (!reader.word || strcmp(reader.word, kinds[kind].word) != 0))
		kind++;
	if (kind < IPMASQ_KINDS) {
		rule = ipmasq_rule_new(kind, owner);
		if (!rule)
			return NULL;
		next(&reader);
		kinds[kind].read(&reader, rule);
		if (!reader.wrong && !reader.word && ipmasq_rule_check(rule, &unused) == 0)
			return rule;
	}
	ipmasq_rule_free(rule);
	errno = EINVAL;
	return NULL;
}
