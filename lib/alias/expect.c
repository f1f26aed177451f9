/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expect.c - connections that a helper has heard announced and now awaits.
 *
 * An expectation is a redirect for one connection from one remote address, with a deadline: its
 * remote port is open, its alias port is chosen so that nobody has it, and with USE_SOCKETS a
 * socket holds that port on this machine.  The first packet that it matches makes the link and ends
 * it. All have the same time-out, so the list is in order of deadlines.  A control connection
 * (master) may have a few at a time; its end ends them.
 */
#include "redirect.h"

#include <unistd.h>

static void forget(struct libalias *la, struct alias_link *r)
{
	struct link *master = link_at(la, r->master);

	TAILQ_REMOVE(&la->expectations, r, expected);
	la->stats.expectations--;
	if (r->socket >= 0)
		close(r->socket);
	if (master->side && master->side->expectations)
		master->side->expectations--;
	redirect_delete(la, r);
}

static bool choose_port(struct libalias *la, struct view *in, uint16_t wanted, int *socket)
{
	/* A port that a program of this machine uses is tried again at random. */
	for (int tries = 0; tries < 8; tries++) {
		if (!port_choose(la, in, IPPROTO_TCP, wanted))
			return false;
		*socket = port_hold(la, in->local_port, IPPROTO_TCP);
		if (*socket != -2)
			return true;
		wanted = 0;
	}
	*socket = -1;
	return false;
}

struct alias_link *expect_add(struct libalias *la, struct link *master, const struct helper *helper,
			      uint32_t inside, uint16_t inside_port, uint32_t remote)
{
	struct view in = {.local = master->view[IN].local, .peer = remote};
	const struct view out = {.local = inside, .peer = remote, .local_port = inside_port};
	struct link_side *side = link_side(la, master);
	struct alias_link *r;

	if (!side)
		return NULL;
	r = redirect_find(la, OUT, &out, IPPROTO_TCP, 0);
	if (r && r->helper && r->master == side->id && r->remote == remote)
		return r; /* a retransmission */
	if (side->expectations >= la->limit[ALIAS_LIMIT_EXPECTATIONS]) {
		la->stats.refused_limit++;
		return NULL;
	}
	r = redirect_new(la, REDIRECT_PORT);
	if (!r)
		return NULL;
	if (!choose_port(la, &in, inside_port, &r->socket)) {
		redirect_delete(la, r);
		return NULL;
	}
	r->proto = IPPROTO_TCP;
	r->local = inside;
	r->local_port = inside_port;
	r->remote = remote;
	r->alias = in.local;
	r->alias_port = in.local_port;
	r->dynamic = true;
	r->helper = helper;
	r->master = side->id;
	r->deadline = la->now + la->timeout[ALIAS_TIMEOUT_EXPECTATION];
	if (redirect_enter(la, r)) {
		if (r->socket >= 0)
			close(r->socket);
		redirect_delete(la, r);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&la->expectations, r, expected);
	la->stats.expectations++;
	side->expectations++;
	return r;
}

void expect_used(struct libalias *la, struct alias_link *r, struct link *link)
{
	if (!r->helper) {
		LibAliasRedirectDelete(la, r);
		return;
	}
	link->flags |= LINK_EXPECTED;
	forget(la, r);
	firewall_open(la, link);
}

void expect_expire(struct libalias *la)
{
	struct alias_link *r;

	while ((r = TAILQ_FIRST(&la->expectations)) && (int32_t)(la->now - r->deadline) > 0)
		forget(la, r);
}

void expect_forget_master(struct libalias *la, uint32_t master)
{
	struct alias_link *r, *next;

	for (r = TAILQ_FIRST(&la->expectations); r; r = next) {
		next = TAILQ_NEXT(r, expected);
		if (r->master == master)
			forget(la, r);
	}
}

void expect_clear(struct libalias *la)
{
	struct alias_link *r;

	while ((r = TAILQ_FIRST(&la->expectations)))
		forget(la, r);
}
