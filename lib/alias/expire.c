/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expire.c - the clock and the timer wheel.
 *
 * Every link sits in one of 1024 slots of one second each, in a doubly linked list of ids, whose
 * first has the slot for its predecessor.  A packet only notes the time in its link; when a slot
 * comes round, a link that is not due is put into the slot of its present deadline, or the farthest
 * one if that is beyond the horizon.  A link with a time-out of a day is thus touched every 17
 * minutes, and nothing is touched per packet.
 *
 * Work is bounded: each packet call looks at a few links; empty slots are skipped.  The wheel may
 * lag behind the clock when a million links end in the same second; a packet never finds a link
 * that is past its time (link.c looks), so the lag costs memory for a while and nothing else.
 */
#include "engine.h"

#include <time.h>

uint32_t clock_now(struct libalias *la)
{
	struct timespec ts;

	if (la->clock)
		return la->clock(la->clock_arg);
#ifdef CLOCK_MONOTONIC_COARSE
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
#else
	clock_gettime(CLOCK_MONOTONIC, &ts);
#endif
	return (uint32_t)ts.tv_sec;
}

bool clock_advance(struct libalias *la)
{
	uint32_t now = clock_now(la);

	/* A clock that goes back stands still: all links would seem to be long over. */
	if ((int32_t)(now - la->now) <= 0)
		return false;
	la->now = now;
	return true;
}

/* The slot for a link, as seen from wheel_time: its deadline, within the horizon, never this slot.
 */
static uint32_t slot_of(const struct libalias *la, const struct link *link)
{
	uint64_t ahead = (uint64_t)(link->last - la->wheel_time) + la->timeout[link->timer] + 1;

	if ((int32_t)(link->last - la->wheel_time) < 0) {
		uint32_t behind = la->wheel_time - link->last;
		uint64_t life = (uint64_t)la->timeout[link->timer] + 1;

		ahead = life > behind ? life - behind : 1;
	}
	if (ahead >= WHEEL_SLOTS)
		ahead = WHEEL_SLOTS - 1;
	if (!ahead)
		ahead = 1;
	return (la->wheel_time + (uint32_t)ahead) % WHEEL_SLOTS;
}

void expire_add(struct libalias *la, struct link *link, uint32_t id)
{
	uint32_t slot;

	/* An idle engine has nothing to catch up with. */
	if (!la->stats.links)
		la->wheel_time = la->now;
	slot = slot_of(la, link);
	link->timer_prev = TIMER_SLOT | slot;
	link->timer_next = la->wheel[slot];
	if (link->timer_next)
		link_at(la, link->timer_next)->timer_prev = id;
	la->wheel[slot] = id;
}

void expire_remove(struct libalias *la, struct link *link)
{
	if (link->timer_prev & TIMER_SLOT)
		la->wheel[link->timer_prev & ~TIMER_SLOT] = link->timer_next;
	else
		link_at(la, link->timer_prev)->timer_next = link->timer_next;
	if (link->timer_next)
		link_at(la, link->timer_next)->timer_prev = link->timer_prev;
}

void expire_sooner(struct libalias *la, struct link *link)
{
	uint32_t id = link_id(la, link);

	expire_remove(la, link);
	expire_add(la, link, id);
}

int expire_some(struct libalias *la, int max)
{
	int examined = 0;

	if (!la->stats.links) {
		la->wheel_time = la->now;
		return 0;
	}
	/* After a long sleep one round sees every link. */
	if ((int32_t)(la->now - la->wheel_time) > WHEEL_SLOTS)
		la->wheel_time = la->now - WHEEL_SLOTS;
	while (examined < max) {
		uint32_t id = la->wheel[la->wheel_time % WHEEL_SLOTS];
		struct link *link;

		if (!id) {
			if ((int32_t)(la->now - la->wheel_time) <= 0)
				break;
			la->wheel_time++;
			continue;
		}
		link = link_at(la, id);
		if (link->timer_next)
			__builtin_prefetch(link_at(la, link->timer_next));
		examined++;
		if (link_expired(la, link)) {
			la->stats.links_expired++;
			link_delete(la, link);
		} else {
			expire_remove(la, link);
			expire_add(la, link, id);
		}
	}
	return examined;
}
