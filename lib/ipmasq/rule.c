// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules as plain data: making, copying, checking, comparing.
 *
 * A rule's key (kind, owner, what it matches) and its body (what it does) are compared apart:
 * the table is a map from key to body.  Everything here is pure; no engine and no word of a
 * command line is known at this floor.
 */
#include <errno.h>
#include <ipmasq/error.h>
#include <ipmasq/rule.h>
#include <stdlib.h>
#include <string.h>

/* Field by field order; the first difference decides. */
#define COMPARE(a, b)                              \
	do {                                       \
		if ((a) != (b))                    \
			return (a) < (b) ? -1 : 1; \
	} while (0)

static const char *const precedence[] = {"portfw", "mfw", "autofw", "addrfw"};

unsigned int ipmasq_owner_precedence(const char *owner)
{
	unsigned int n = sizeof(precedence) / sizeof(precedence[0]);

	for (unsigned int i = 0; i < n; i++)
		if (strcmp(owner, precedence[i]) == 0)
			return i;
	return n;
}

bool ipmasq_match_is_wide(const struct ipmasq_match *match)
{
	return !match->mark && (!match->ports.low || match->ports.low != match->ports.high ||
				match->remote_port || !ipmasq_address_is_any(&match->remote));
}

struct ipmasq_rule *ipmasq_rule_new(enum ipmasq_kind kind, const char *owner)
{
	struct ipmasq_rule *rule = calloc(1, sizeof(*rule));

	if (!rule)
		return NULL;
	rule->kind = kind;
	strncpy(rule->owner, owner, sizeof(rule->owner) - 1);
	return rule;
}

struct ipmasq_rule *ipmasq_redirect_new(const char *owner, const struct ipmasq_match *match)
{
	struct ipmasq_rule *rule = ipmasq_rule_new(IPMASQ_REDIRECT, owner);

	if (rule)
		rule->redirect.match = *match;
	return rule;
}

struct ipmasq_rule *ipmasq_rule_copy(const struct ipmasq_rule *rule)
{
	struct ipmasq_rule *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *rule;
	if (rule->kind == IPMASQ_REDIRECT && rule->redirect.n_targets) {
		size_t size = rule->redirect.n_targets * sizeof(*rule->redirect.targets);

		copy->redirect.targets = malloc(size);
		if (!copy->redirect.targets) {
			free(copy);
			return NULL;
		}
		memcpy(copy->redirect.targets, rule->redirect.targets, size);
	}
	return copy;
}

void ipmasq_rule_free(struct ipmasq_rule *rule)
{
	if (!rule)
		return;
	if (rule->kind == IPMASQ_REDIRECT)
		free(rule->redirect.targets);
	free(rule);
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

/* Whether a single host can have this address. */
static bool is_unicast(const struct ipmasq_address *address)
{
	if (address->family == AF_INET)
		return address->bytes[0] != 0 && address->bytes[0] < 224;
	return !ipmasq_address_is_any(address) && address->bytes[0] != 0xff &&
	       !IN6_IS_ADDR_V4MAPPED(&address->in6);
}

static bool is_loopback(const struct ipmasq_address *address)
{
	return address->family == AF_INET ? address->bytes[0] == 127
					  : IN6_IS_ADDR_LOOPBACK(&address->in6);
}

static int redirect_check(const struct ipmasq_redirect *redirect, struct ipmasq_error *error)
{
	const struct ipmasq_match *match = &redirect->match;
	char text[IPMASQ_ADDRESS_TEXT];

	if (match->ports.low > match->ports.high)
		return ipmasq_usage(error, "port range %u-%u runs backwards", match->ports.low,
				    match->ports.high);
	if (match->ports.low && !has_ports(match->protocol))
		return ipmasq_usage(error, "ports need a protocol that has them: tcp, udp or sctp");
	if (match->remote_port && !has_ports(match->protocol))
		return ipmasq_usage(error, "a remote port needs tcp, udp or sctp");
	if (!ipmasq_address_is_any(&match->alias) && !is_unicast(&match->alias))
		return ipmasq_usage(error, "'%s' is not an address of a host",
				    ipmasq_address_text(&match->alias, text));
	if (!ipmasq_address_is_any(&match->alias) && is_loopback(&match->alias))
		return ipmasq_usage(error,
				    "'%s': what is sent to the loopback never leaves this machine "
				    "and cannot be redirected; give an interface's address",
				    ipmasq_address_text(&match->alias, text));
	for (uint32_t i = 0; i < redirect->n_targets; i++) {
		const struct ipmasq_target *target = &redirect->targets[i];

		if (target->address.family != match->family)
			return ipmasq_usage(error,
					    "'%s' is not of the same family (IPv4 or IPv6) as "
					    "the address that it serves",
					    ipmasq_address_text(&target->address, text));
		if (!is_unicast(&target->address))
			return ipmasq_usage(error, "'%s' is no inside host to send connections to",
					    ipmasq_address_text(&target->address, text));
		if (match->ports.low && target->port == match->ports.low &&
		    match->ports.low == match->ports.high &&
		    ipmasq_address_equal(&target->address, &match->alias))
			return ipmasq_usage(error, "'%s' port %u would be redirected to itself",
					    ipmasq_address_text(&target->address, text),
					    target->port);
		if (target->weight > IPMASQ_WEIGHT_MAX)
			return ipmasq_usage(error, "preference %u is over %u", target->weight,
					    IPMASQ_WEIGHT_MAX);
	}
	return 0;
}

static int proxy_check(const struct ipmasq_proxy *proxy, struct ipmasq_error *error)
{
	uint8_t family = proxy->server.family;
	char text[IPMASQ_ADDRESS_TEXT];

	if (ipmasq_address_is_any(&proxy->server))
		return ipmasq_usage(error, "a proxy rule needs a server");
	if (!is_unicast(&proxy->server))
		return ipmasq_usage(error, "'%s' is not an address of a host",
				    ipmasq_address_text(&proxy->server, text));
	if ((proxy->source.address.family && proxy->source.address.family != family) ||
	    (proxy->destination.address.family && proxy->destination.address.family != family))
		return ipmasq_usage(error, "the server and the nets of src and dst are not of one "
					   "family (IPv4 or IPv6)");
	return 0;
}

int ipmasq_rule_check(const struct ipmasq_rule *rule, struct ipmasq_error *error)
{
	char text[IPMASQ_ADDRESS_TEXT];

	switch (rule->kind) {
	case IPMASQ_REDIRECT:
		return redirect_check(&rule->redirect, error);
	case IPMASQ_TRIGGER:
		if (!rule->trigger.control_port)
			return ipmasq_usage(error, "a trigger needs a control port");
		if (!rule->trigger.ports.low || rule->trigger.ports.low > rule->trigger.ports.high)
			return ipmasq_usage(error, "port range %u-%u runs backwards or begins at 0",
					    rule->trigger.ports.low, rule->trigger.ports.high);
		return 0;
	case IPMASQ_PIN:
		if (!rule->pin.ports.low || rule->pin.ports.low > rule->pin.ports.high)
			return ipmasq_usage(error, "port range %u-%u runs backwards or begins at 0",
					    rule->pin.ports.low, rule->pin.ports.high);
		return 0;
	case IPMASQ_PROXY:
		return proxy_check(&rule->proxy, error);
	case IPMASQ_MASQ:
		if (rule->masq.source.address.family == AF_UNSPEC)
			return ipmasq_usage(error,
					    "a masq rule needs the net whose traffic it takes");
		if (rule->masq.alias.family != AF_UNSPEC &&
		    rule->masq.alias.family != rule->masq.source.address.family)
			return ipmasq_usage(error,
					    "the net and the address that it gets are not of "
					    "one family (IPv4 or IPv6)");
		if (!ipmasq_address_is_any(&rule->masq.alias) &&
		    (!is_unicast(&rule->masq.alias) || is_loopback(&rule->masq.alias)))
			return ipmasq_usage(error, "'%s' is not an address that can be answered",
					    ipmasq_address_text(&rule->masq.alias, text));
		return 0;
	case IPMASQ_HELPER:
		if (!rule->helper.name[0])
			return ipmasq_usage(error, "a helper needs a name");
		return 0;
	case IPMASQ_KINDS:
		break;
	}
	return ipmasq_usage(error, "rule of unknown kind %d", (int)rule->kind);
}

static int net_compare(const struct ipmasq_net *a, const struct ipmasq_net *b)
{
	int order = ipmasq_address_compare(&a->address, &b->address);

	if (order)
		return order;
	COMPARE(a->bits, b->bits);
	return 0;
}

static int match_compare(const struct ipmasq_match *a, const struct ipmasq_match *b)
{
	int order;

	COMPARE(a->family, b->family);
	COMPARE(a->mark, b->mark);
	COMPARE(a->protocol, b->protocol);
	order = ipmasq_address_compare(&a->alias, &b->alias);
	if (order)
		return order;
	COMPARE(a->ports.low, b->ports.low);
	COMPARE(a->ports.high, b->ports.high);
	order = ipmasq_address_compare(&a->remote, &b->remote);
	if (order)
		return order;
	COMPARE(a->remote_port, b->remote_port);
	return 0;
}

static int trigger_compare(const struct ipmasq_trigger *a, const struct ipmasq_trigger *b)
{
	COMPARE(a->control_protocol, b->control_protocol);
	COMPARE(a->control_port, b->control_port);
	COMPARE(a->protocol, b->protocol);
	COMPARE(a->ports.low, b->ports.low);
	COMPARE(a->ports.high, b->ports.high);
	return 0;
}

static int pin_compare(const struct ipmasq_pin *a, const struct ipmasq_pin *b)
{
	COMPARE(a->protocol, b->protocol);
	COMPARE(a->ports.low, b->ports.low);
	COMPARE(a->ports.high, b->ports.high);
	return 0;
}

static int proxy_compare(const struct ipmasq_proxy *a, const struct ipmasq_proxy *b)
{
	int order;

	COMPARE(a->index, b->index);
	COMPARE(a->protocol, b->protocol);
	COMPARE(a->port, b->port);
	order = net_compare(&a->source, &b->source);
	return order ? order : net_compare(&a->destination, &b->destination);
}

static int masq_compare(const struct ipmasq_masq *a, const struct ipmasq_masq *b)
{
	int order = net_compare(&a->source, &b->source);

	if (order)
		return order;
	COMPARE(a->protocol, b->protocol);
	return strcmp(a->interface, b->interface);
}

static int key_compare(const struct ipmasq_rule *a, const struct ipmasq_rule *b)
{
	switch (a->kind) {
	case IPMASQ_REDIRECT:
		return match_compare(&a->redirect.match, &b->redirect.match);
	case IPMASQ_TRIGGER:
		return trigger_compare(&a->trigger, &b->trigger);
	case IPMASQ_PIN:
		return pin_compare(&a->pin, &b->pin);
	case IPMASQ_PROXY:
		return proxy_compare(&a->proxy, &b->proxy);
	case IPMASQ_MASQ:
		return masq_compare(&a->masq, &b->masq);
	case IPMASQ_HELPER:
		return strcmp(a->helper.name, b->helper.name);
	case IPMASQ_KINDS:
		break;
	}
	return 0;
}

int ipmasq_rule_compare(const struct ipmasq_rule *a, const struct ipmasq_rule *b)
{
	unsigned int first = ipmasq_owner_precedence(a->owner);
	unsigned int second = ipmasq_owner_precedence(b->owner);
	int order;

	COMPARE(first, second);
	order = strcmp(a->owner, b->owner);
	if (order)
		return order;
	COMPARE(a->kind, b->kind);
	if (a->kind == IPMASQ_PROXY)
		COMPARE(a->proxy.index, b->proxy.index);
	COMPARE(a->age, b->age);
	return key_compare(a, b);
}

uint8_t ipmasq_rule_family(const struct ipmasq_rule *rule)
{
	switch (rule->kind) {
	case IPMASQ_REDIRECT:
		return rule->redirect.match.family;
	case IPMASQ_PROXY:
		return rule->proxy.server.family;
	case IPMASQ_MASQ:
		return rule->masq.source.address.family;
	default:
		return AF_INET;
	}
}

bool ipmasq_rule_same_key(const struct ipmasq_rule *a, const struct ipmasq_rule *b)
{
	return a->kind == b->kind && strcmp(a->owner, b->owner) == 0 && key_compare(a, b) == 0;
}

static bool same_target(const struct ipmasq_target *a, const struct ipmasq_target *b)
{
	return ipmasq_address_equal(&a->address, &b->address) && a->port == b->port &&
	       a->weight == b->weight;
}

/* A schedule goes round, so the same hosts in the same circle are the same pool. */
static bool same_pool(const struct ipmasq_redirect *a, const struct ipmasq_redirect *b)
{
	uint32_t n = a->n_targets;

	if (a->restart || b->restart || n != b->n_targets)
		return false;
	for (uint32_t turn = 0, i; turn < n; turn++) {
		for (i = 0; i < n; i++)
			if (!same_target(&a->targets[i], &b->targets[(i + turn) % n]))
				break;
		if (i == n)
			return true;
	}
	return n == 0;
}

bool ipmasq_rule_same_body(const struct ipmasq_rule *a, const struct ipmasq_rule *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case IPMASQ_REDIRECT:
		return same_pool(&a->redirect, &b->redirect);
	case IPMASQ_TRIGGER:
		return a->trigger.insecure == b->trigger.insecure &&
		       a->trigger.permanent == b->trigger.permanent;
	case IPMASQ_PIN:
		return true;
	case IPMASQ_PROXY:
		return a->proxy.encoding == b->proxy.encoding &&
		       a->proxy.server_port == b->proxy.server_port &&
		       ipmasq_address_equal(&a->proxy.server, &b->proxy.server);
	case IPMASQ_MASQ:
		return ipmasq_address_equal(&a->masq.alias, &b->masq.alias);
	case IPMASQ_HELPER:
		return a->helper.n_ports == b->helper.n_ports &&
		       memcmp(a->helper.ports, b->helper.ports,
			      a->helper.n_ports * sizeof(a->helper.ports[0])) == 0;
	case IPMASQ_KINDS:
		break;
	}
	return false;
}

int ipmasq_redirect_put_target(struct ipmasq_redirect *redirect, const struct ipmasq_target *target,
			       bool at_head, struct ipmasq_error *error)
{
	uint32_t n = redirect->n_targets;
	struct ipmasq_target *targets;

	for (uint32_t i = 0; i < n; i++) {
		struct ipmasq_target *old = &redirect->targets[i];

		if (old->port == target->port &&
		    ipmasq_address_equal(&old->address, &target->address)) {
			old->weight = old->left = target->weight;
			return 0;
		}
	}
	if (n >= IPMASQ_TARGETS_MAX)
		return ipmasq_fail(error, ENOSPC, "a pool holds at most %u hosts",
				   IPMASQ_TARGETS_MAX);
	targets = realloc(redirect->targets, (n + 1) * sizeof(*targets));
	if (!targets)
		return ipmasq_fail(error, ENOMEM, "out of memory");
	redirect->targets = targets;
	if (at_head)
		memmove(targets + 1, targets, n * sizeof(*targets));
	targets[at_head ? 0 : n] = *target;
	redirect->n_targets = n + 1;
	return 0;
}

void ipmasq_redirect_take_target(struct ipmasq_redirect *redirect, uint32_t position)
{
	redirect->n_targets--;
	memmove(redirect->targets + position, redirect->targets + position + 1,
		(redirect->n_targets - position) * sizeof(*redirect->targets));
}
