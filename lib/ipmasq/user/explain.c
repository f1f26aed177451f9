// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which rule decided about a packet: that of the link which it used or made; where a helper has
 * awaited it, the helper's.
 */
#include "internal.h"

#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>

static const struct ipmasq_rule *rule_of_helper(const struct user *user, const char *name)
{
	const struct stored *stored;

	LIST_FOREACH(stored, &user->store.kinds[IPMASQ_HELPER], of_kind) {
		if (LibAliasHelperHas(stored->rule->helper.name, name))
			return stored->rule;
	}
	return NULL;
}

/* The redirect that has the same line as this rule: of a translation both ways, or itself. */
static const struct ipmasq_rule *whole_of(const struct user *user, const struct ipmasq_rule *rule)
{
	const struct stored *stored;

	LIST_FOREACH(stored, &user->store.kinds[IPMASQ_REDIRECT], of_kind) {
		const struct ipmasq_redirect *redirect = &stored->rule->redirect;

		if (strcmp(stored->rule->owner, rule->owner) == 0 &&
		    redirect->match.protocol == rule->masq.protocol &&
		    redirect->match.alias.in4.s_addr == rule->masq.alias.in4.s_addr &&
		    redirect->targets[0].address.in4.s_addr == rule->masq.source.address.in4.s_addr)
			return stored->rule;
	}
	return rule;
}

/* The rule that made a link of the border. */
static const struct ipmasq_rule *rule_of(const struct user *user,
					 const struct alias_link_info *link)
{
	const struct stored *stored =
		link->redirect ? LibAliasRedirectCookie(link->redirect) : NULL;
	const struct source *source;

	if (stored)
		return stored->rule;
	if (link->helper)
		return rule_of_helper(user, link->helper);
	if (link->incoming)
		return NULL;
	source = sources_find(&user->sources, link->local_addr, link->proto);
	return source && source->rule ? whole_of(user, source->rule) : NULL;
}

/* With the lock of the rules: which link has a packet that was like this? */
static const struct ipmasq_rule *find_rule(struct user *user, struct worker *worker,
					   const void *packet, enum user_hook hook)
{
	bool comes = hook == USER_FROM_OUTSIDE || hook == USER_FROM_INSIDE;
	const struct ipmasq_rule *rule = NULL;
	struct alias_link_info link;

	pthread_mutex_lock(&worker->lock);
	if (LibAliasFindLink(worker->border, packet, comes, &link) == 0)
		rule = rule_of(user, &link);
	else if ((hook == USER_FROM_INSIDE &&
		  LibAliasFindLink(worker->inner, packet, 0, &link) == 0) ||
		 (hook == USER_TO_INSIDE && LibAliasFindLink(worker->inner, packet, 1, &link) == 0))
		rule = proxies_find(user, &link);
	pthread_mutex_unlock(&worker->lock);
	return rule;
}

void user_explain(struct user *user, unsigned int number, struct user_packet *packet)
{
	size_t length = packet->size >= (int)sizeof(struct ip)
				? ntohs(((const struct ip *)packet->data)->ip_len)
				: 0;
	void *before = NULL;

	packet->rule = NULL;
	if (length >= sizeof(struct ip) && length <= (size_t)packet->size)
		before = malloc(length);
	if (before)
		memcpy(before, packet->data, length);
	user_translate(user, number, packet, 1);
	if (!before)
		return;
	pthread_mutex_lock(&user->lock);
	packet->rule =
		find_rule(user, &user->workers[number], before, (enum user_hook)packet->hook);
	pthread_mutex_unlock(&user->lock);
	free(before);
}
