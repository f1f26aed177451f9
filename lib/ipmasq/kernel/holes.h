/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holes in a firewall for connections that libalias awaits (PKT_ALIAS_PUNCH_FW), for ipmasqd:
 *
 *	ipmasq_holes_open(&holes, mark, &error);
 *	LibAliasSetFirewall(la, &ipmasq_holes_firewall, holes);
 *	LibAliasSetFWBase(la, base, count);
 *	LibAliasSetMode(la, PKT_ALIAS_PUNCH_FW, PKT_ALIAS_PUNCH_FW);
 *
 * In nf_tables a packet that one base chain accepts can still be dropped by another, and a table
 * sees its own sets only; so holes cannot overrule an operator's ruleset.  They mark: a packet that
 * goes through a hole gets the bits `mark` in its mark when it is forwarded, before any chain of
 * priority filter sees it, and the operator accepts what has them.
 */
#ifndef IPMASQ_KERNEL_HOLES_H
#define IPMASQ_KERNEL_HOLES_H

#include <alias.h>
#include <stdint.h>

struct ipmasq_error;
struct ipmasq_holes;

/*
 * Makes what holes need in table inet ipmasq, and the table where it is missing.  `mark` 0: the
 * holes are only listed.  0, or -1 with an error.
 */
int ipmasq_holes_open(struct ipmasq_holes **holes, uint32_t mark, struct ipmasq_error *error);

/* Holes that are open stay, until their time is over or the next start clears them. */
void ipmasq_holes_close(struct ipmasq_holes *holes);

/* Operations for LibAliasSetFirewall(); the argument is the struct ipmasq_holes. */
extern const struct alias_firewall ipmasq_holes_firewall;

#endif
