/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rehearsals: rules in a user engine of this process, for packets that go nowhere.  No privilege is
 * needed, nothing is changed.
 */
#ifndef IPMASQADM_REHEARSAL_H
#define IPMASQADM_REHEARSAL_H

#include "../lib/ipmasq/user/user.h"
#include "session.h"

#define REHEARSAL_OWN_MAX 64

struct rehearsal {
	const char *command; /* that rehearses; messages begin with it */
	struct user *user;
	char interface[IPMASQ_INTERFACE_SIZE]; /* the outside one; empty: any */
	struct in_addr own[REHEARSAL_OWN_MAX]; /* this machine's addresses, the outside one first */
	unsigned int n_own;
	struct ipmasq_net *inside; /* what masq rules masquerade */
	size_t n_inside;
	struct in_addr *aliases; /* of redirects, sorted */
	size_t n_aliases;
};

/*
 * rehearsal_open - for the command of this name, the rules of `file`, or, when that is NULL, those
 * of the session's engine.  Rules that the user engine cannot do are left out: no packet of IPv4
 * meets those of IPv6, others get a message.  Returns a status; a message was printed when it is not
 * IPMASQ_OK.
 */
enum ipmasq_status rehearsal_open(struct rehearsal *rehearsal, struct session *session,
				  const char *command, const char *file);

/*
 * rehearsal_place - where the machine stands: the outside interface (NULL: that of the address) and
 * address (family AF_UNSPEC: this machine's way to `peer` says).  A status; prints.
 */
enum ipmasq_status rehearsal_place(struct rehearsal *rehearsal, struct session *session,
				   const char *interface, const struct ipmasq_address *alias,
				   struct in_addr peer);

/*
 * rehearsal_pass - translate one packet on its whole way, from where it is met first: one for an
 * address of this machine or of a redirect comes from outside, unless a masq rule has its source.
 * packet->verdict is what became of it, packet->rule the first rule that had a say, or NULL.
 */
void rehearsal_pass(struct rehearsal *rehearsal, struct user_packet *packet);

/* The command line that made the packet's rule, to be freed; NULL for none, or when out of memory. */
char *rehearsal_rule_line(const struct user_packet *packet);

void rehearsal_close(struct rehearsal *rehearsal);

#endif
