/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * revise.c - links that are not what they would be now.
 *
 * A redirect is for new links, so a sender that never pauses would go on for ever by what there was
 * before it.  A walk over the links, some at a time, ends those: links of a redirect that another
 * one outranks now, translated ones from outside whose redirect is gone, and those that change
 * nothing, as for the machine's own answers, where there is a redirect now.  Links that an inside
 * host began stay: no redirect is about them.  Another walk has flows of UDP watched by the helpers
 * that watch their ports now.
 */
#include "helper.h"
#include "redirect.h"

static bool changes_nothing(const struct link *link)
{
	const struct view *out = &link->view[OUT], *in = &link->view[IN];

	return out->local == in->local && out->peer == in->peer &&
	       out->local_port == in->local_port && out->peer_port == in->peer_port;
}

static bool is_outdated(struct libalias *la, const struct link *link)
{
	const struct alias_link *made_by = redirect_of(la, link), *now;

	if (link->flags & (LINK_EXPECTED | LINK_ANY_PEER))
		return false;
	if (!made_by && !changes_nothing(link))
		return link->flags & LINK_INCOMING;
	now = redirect_find(la, IN, &link->view[IN], link->proto, 0);
	if (!now || now == made_by || now->dynamic)
		return false;
	return !made_by || redirect_goes_first(now, made_by);
}

/* The next link in a walk that looks at max of them, or NULL. */
static struct link *next_of(struct libalias *la, unsigned int *cursor, int *max)
{
	while (*cursor != UINT32_MAX && (*max)-- > 0) {
		struct link *link;

		*cursor = pool_next(&la->links, *cursor);
		if (!*cursor) {
			*cursor = UINT32_MAX;
			break;
		}
		link = link_at(la, *cursor);
		if (link->flags & LINK_USED)
			return link;
	}
	return NULL;
}

unsigned int LibAliasRevise(struct libalias *la, unsigned int *cursor, int max, unsigned char proto,
			    u_short low, u_short high)
{
	unsigned int ended = 0;
	struct link *link;

	while ((link = next_of(la, cursor, &max))) {
		uint16_t port = ntohs(link->view[IN].local_port);

		if ((proto && link->proto != proto) || port < ntohs(low) || port > ntohs(high) ||
		    !is_outdated(la, link))
			continue;
		link_delete(la, link);
		ended++;
	}
	return ended;
}

void LibAliasReviseHelpers(struct libalias *la, unsigned int *cursor, int max)
{
	struct link *link;

	while ((link = next_of(la, cursor, &max)))
		helper_revise(la, link);
}
