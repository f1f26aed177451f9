// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fragments that came before the header of their datagram.
 *
 * libalias keeps a copy of each; its owner keeps the packet itself in limbo, by an id that stands
 * before the copy.  When the header has been translated, or left alone, the copies get its
 * destination and go to the owner; those whose header never comes are dropped by libalias.
 */
#include "internal.h"

#include <netinet/ip.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct held {
	uint32_t id;
	uint8_t data[] __attribute__((aligned(8)));
};

static struct held *held_of(void *fragment)
{
	return (struct held *)((uint8_t *)fragment - offsetof(struct held, data));
}

bool fragment_hold(struct worker *worker, const struct user_packet *packet)
{
	size_t length = ntohs(((const struct ip *)packet->data)->ip_len);
	struct held *held = malloc(sizeof(*held) + length);

	if (!held)
		return false;
	held->id = packet->id;
	memcpy(held->data, packet->data, length);
	if (LibAliasSaveFragment(worker->border, held->data) == PKT_ALIAS_OK)
		return true;
	free(held);
	return false;
}

static void hand_over(struct worker *worker, struct held *held, bool goes_on)
{
	const struct user *user = worker->user;
	const struct ip *ip = (const void *)held->data;

	if (user->released)
		user->released(user->released_arg, worker->number, held->id,
			       goes_on ? held->data : NULL, goes_on ? ntohs(ip->ip_len) : 0);
	free(held);
}

void fragment_release(struct worker *worker, struct user_packet *header)
{
	void *fragment;

	while ((fragment = LibAliasGetFragment(worker->border, header->data))) {
		LibAliasFragmentIn(worker->border, header->data, fragment);
		hand_over(worker, held_of(fragment), true);
	}
}

void fragment_freed(void *fragment, void *arg)
{
	hand_over(arg, held_of(fragment), false);
}
