// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules in a user engine of this process; see rehearsal.h.
 *
 * The rules come from a file, or from the session's engine as its saved file.  What is inside
 * cannot be asked of a file: a host is, when a masq rule masquerades it.  Addresses that redirects
 * name are taken for this machine's, beside those it has.
 */
#include "rehearsal.h"
#include "changes.h"
#include "rules_file.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Copies of rules. */
struct rules {
	struct ipmasq_rule **list;
	size_t n;
};

static int keep_unsupported(const struct ipmasq_rule *rule, void *data)
{
	struct rules *rules = data;
	struct ipmasq_error unused;
	struct ipmasq_rule **list;

	if (user_supports(rule, &unused) == 0)
		return 0;
	list = reallocarray(rules->list, rules->n + 1, sizeof(*list));
	if (!list)
		return -1;
	rules->list = list;
	list[rules->n] = ipmasq_rule_copy(rule);
	return list[rules->n++] ? 0 : -1;
}

static void rules_free(struct rules *rules)
{
	for (size_t i = 0; i < rules->n; i++)
		ipmasq_rule_free(rules->list[i]);
	free(rules->list);
}

static int collect(struct ipmasq_table *table, struct rules *rules, struct ipmasq_error *error)
{
	error->code = 0;
	if (ipmasq_table_walk(table, NULL, keep_unsupported, rules, error) == 0)
		return 0;
	return error->code ? -1 : ipmasq_fail(error, ENOMEM, "out of memory");
}

/* Takes out of what is to be committed what the engine cannot do; counts what IPv4 meets of it. */
static int leave_out(struct ipmasq_context *context, void *data)
{
	struct rules rules = {0};
	size_t *left_out = data;
	int status =
		collect(context->table, &rules, &context->error) < 0 ? IPMASQ_FAILED : IPMASQ_OK;

	*left_out = 0;
	for (size_t i = 0; i < rules.n && status == IPMASQ_OK; i++) {
		*left_out += ipmasq_rule_family(rules.list[i]) == AF_INET;
		if (ipmasq_table_remove(context->table, rules.list[i], &context->error) < 0)
			status = IPMASQ_FAILED;
	}
	rules_free(&rules);
	return status;
}

static enum ipmasq_status load_rules(const struct rehearsal *rehearsal, struct session *inner,
				     struct session *session, const char *file)
{
	size_t left_out = 0;
	struct rules_text rules = {
		.name = file ? file : "rules", .then = leave_out, .data = &left_out};
	enum ipmasq_status status = IPMASQ_OK;
	char *text = NULL;

	if (!file) {
		status = rules_file_text(session, &text);
		rules.length = text ? strlen(text) : 0;
	} else if (rules_file_read_named(file, &text, &rules.length) < 0) {
		fprintf(session->err, "%s: cannot read %s: %s\n", rehearsal->command, file,
			strerror(errno));
		status = IPMASQ_FAILED;
	}
	rules.text = text;
	if (status == IPMASQ_OK)
		status = rules_file_restore_text(inner, &rules);
	if (status == IPMASQ_OK && left_out)
		fprintf(session->err,
			"%s: rules that only the kernel engine can do are left out: %zu\n",
			rehearsal->command, left_out);
	free(text);
	return status;
}

/* What the rules say of addresses. */
static int note_rule(const struct ipmasq_rule *rule, void *data)
{
	struct rehearsal *rehearsal = data;

	if (rule->kind == IPMASQ_MASQ && rule->masq.source.bits) {
		struct ipmasq_net *nets =
			reallocarray(rehearsal->inside, rehearsal->n_inside + 1, sizeof(*nets));
		if (!nets)
			return -1;
		rehearsal->inside = nets;
		nets[rehearsal->n_inside++] = rule->masq.source;
	}
	if (rule->kind == IPMASQ_REDIRECT && !ipmasq_address_is_any(&rule->redirect.match.alias)) {
		struct in_addr *aliases = reallocarray(rehearsal->aliases, rehearsal->n_aliases + 1,
						       sizeof(*aliases));
		if (!aliases)
			return -1;
		rehearsal->aliases = aliases;
		if (!rehearsal->n_aliases || aliases[rehearsal->n_aliases - 1].s_addr !=
						     rule->redirect.match.alias.in4.s_addr)
			aliases[rehearsal->n_aliases++] = rule->redirect.match.alias.in4;
	}
	return 0;
}

static int compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct in_addr));
}

static int note_rules(struct ipmasq_context *context, void *data)
{
	struct rehearsal *rehearsal = data;

	if (ipmasq_table_walk(context->table, NULL, note_rule, rehearsal, &context->error) < 0)
		return IPMASQ_FAILED;
	if (rehearsal->n_aliases)
		qsort(rehearsal->aliases, rehearsal->n_aliases, sizeof(*rehearsal->aliases),
		      compare_addresses);
	return IPMASQ_OK;
}

enum ipmasq_status rehearsal_open(struct rehearsal *rehearsal, struct session *session,
				  const char *command, const char *file)
{
	struct session inner = {.out = session->out, .err = session->err, .flags = session->flags};
	enum ipmasq_status status;
	struct ipmasq_error error;

	*rehearsal = (struct rehearsal){.command = command};
	rehearsal->user = user_open(1, &error);
	if (!rehearsal->user) {
		fprintf(session->err, "%s: %s\n", rehearsal->command, error.text);
		return error.status;
	}
	inner.engine = user_engine(rehearsal->user);
	inner.flags.dry_run = false;
	status = load_rules(rehearsal, &inner, session, file);
	return status == IPMASQ_OK ? session_transaction(&inner, command, note_rules, rehearsal)
				   : status;
}

static void add_own(struct rehearsal *rehearsal, struct in_addr address)
{
	for (unsigned int i = 0; i < rehearsal->n_own; i++)
		if (rehearsal->own[i].s_addr == address.s_addr)
			return;
	if (rehearsal->n_own < REHEARSAL_OWN_MAX)
		rehearsal->own[rehearsal->n_own++] = address;
}

/* The address that this machine has towards `peer`; INADDR_ANY: there is no way. */
static struct in_addr way_to(struct in_addr peer)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = peer, .sin_port = htons(9)};
	struct sockaddr_in from = {0};
	socklen_t length = sizeof(from);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return from.sin_addr;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&from, &length) < 0)
		from.sin_addr.s_addr = INADDR_ANY;
	close(fd);
	return from.sin_addr;
}

static bool is_loopback(struct in_addr address)
{
	return (ntohl(address.s_addr) >> 24) == IN_LOOPBACKNET;
}

/* This machine's other addresses, and the interface's name where it was not given. */
static void add_machine(struct rehearsal *rehearsal)
{
	struct ifaddrs *list;

	if (getifaddrs(&list) < 0)
		return;
	for (struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		struct in_addr address;

		if (!entry->ifa_addr || entry->ifa_addr->sa_family != AF_INET)
			continue;
		address = ((struct sockaddr_in *)(void *)entry->ifa_addr)->sin_addr;
		if (is_loopback(address))
			continue;
		if (!rehearsal->interface[0] && rehearsal->n_own &&
		    address.s_addr == rehearsal->own[0].s_addr)
			snprintf(rehearsal->interface, sizeof(rehearsal->interface), "%s",
				 entry->ifa_name);
		add_own(rehearsal, address);
	}
	freeifaddrs(list);
}

enum ipmasq_status rehearsal_place(struct rehearsal *rehearsal, struct session *session,
				   const char *interface, const struct ipmasq_address *alias,
				   struct in_addr peer)
{
	struct in_addr outside = alias->family == AF_INET ? alias->in4 : way_to(peer);
	struct ipmasq_error error;

	if (interface)
		snprintf(rehearsal->interface, sizeof(rehearsal->interface), "%s", interface);
	if (outside.s_addr != INADDR_ANY && !is_loopback(outside))
		add_own(rehearsal, outside);
	if (alias->family != AF_INET)
		add_machine(rehearsal);
	if (user_set_addresses(rehearsal->user, rehearsal->interface, rehearsal->own,
			       rehearsal->n_own, &error) == 0)
		return IPMASQ_OK;
	fprintf(session->err, "%s: %s\n", rehearsal->command, error.text);
	return error.status;
}

static bool is_inside(const struct rehearsal *rehearsal, struct in_addr address)
{
	for (size_t i = 0; i < rehearsal->n_inside; i++) {
		const struct ipmasq_net *net = &rehearsal->inside[i];
		uint32_t mask = htonl(UINT32_MAX << (32 - net->bits));

		if ((address.s_addr & mask) == net->address.in4.s_addr)
			return true;
	}
	return false;
}

static bool is_own(const struct rehearsal *rehearsal, struct in_addr address)
{
	for (unsigned int i = 0; i < rehearsal->n_own; i++)
		if (rehearsal->own[i].s_addr == address.s_addr)
			return true;
	return rehearsal->n_aliases && bsearch(&address, rehearsal->aliases, rehearsal->n_aliases,
					       sizeof(*rehearsal->aliases), compare_addresses);
}

static struct in_addr source_of(const struct user_packet *packet)
{
	return (struct in_addr){((const struct iphdr *)packet->data)->saddr};
}

static struct in_addr destination_of(const struct user_packet *packet)
{
	return (struct in_addr){((const struct iphdr *)packet->data)->daddr};
}

/* One hook; adds to what became of the packet before. */
static void pass(struct rehearsal *rehearsal, struct user_packet *packet, enum user_hook hook)
{
	const struct ipmasq_rule *rule = packet->rule;
	uint8_t before = packet->verdict;

	packet->hook = (uint8_t)hook;
	packet->rule = NULL;
	user_explain(rehearsal->user, 0, packet);
	if (packet->verdict == USER_KEEP)
		packet->verdict = before;
	if (rule)
		packet->rule = rule;
}

void rehearsal_pass(struct rehearsal *rehearsal, struct user_packet *packet)
{
	bool inside = is_inside(rehearsal, source_of(packet));

	packet->verdict = USER_KEEP;
	packet->rule = NULL;
	if (is_own(rehearsal, destination_of(packet)) && !inside) {
		pass(rehearsal, packet, USER_FROM_OUTSIDE);
		return;
	}
	if (is_own(rehearsal, source_of(packet)) && !is_own(rehearsal, destination_of(packet)))
		return; /* it has left, or is this machine's own and stays as it is */
	pass(rehearsal, packet, USER_FROM_INSIDE);
	if (packet->verdict == USER_DROP || packet->verdict == USER_HOLD ||
	    is_own(rehearsal, destination_of(packet)))
		return;
	pass(rehearsal, packet,
	     is_inside(rehearsal, destination_of(packet)) ? USER_TO_INSIDE : USER_TO_OUTSIDE);
}

/* Of a pool, the line of the host that the packet goes to now. */
static void reduce(struct ipmasq_rule *rule, const struct user_packet *packet)
{
	struct ipmasq_redirect *redirect = &rule->redirect;
	const struct iphdr *ip = packet->data;
	const uint8_t *transport = (const uint8_t *)packet->data + ip->ihl * 4u;
	uint16_t port = (uint16_t)(transport[2] << 8 | transport[3]);

	for (uint32_t i = redirect->n_targets; i-- > 0 && redirect->n_targets > 1;)
		if (redirect->targets[i].address.in4.s_addr != ip->daddr ||
		    (redirect->targets[i].port && redirect->targets[i].port != port))
			ipmasq_redirect_take_target(redirect, i);
}

char *rehearsal_rule_line(const struct user_packet *packet)
{
	struct ipmasq_rule *rule = packet->rule ? ipmasq_rule_copy(packet->rule) : NULL;
	char *line;

	if (!rule)
		return NULL;
	if (rule->kind == IPMASQ_REDIRECT)
		reduce(rule, packet);
	line = changes_rule_line(rule);
	ipmasq_rule_free(rule);
	return line;
}

void rehearsal_close(struct rehearsal *rehearsal)
{
	if (rehearsal->user)
		ipmasq_engine_close(user_engine(rehearsal->user));
	free(rehearsal->inside);
	free(rehearsal->aliases);
}
