/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules file and the state file of ipmasqd, read and written. */
#ifndef IPMASQD_RULES_H
#define IPMASQD_RULES_H

struct ipmasqd;

/*
 * rules_load - make the engine's rules those of the rules file, all or nothing; what is wrong has
 * been logged.  The default file need not be there.  0 or -1.
 */
int rules_load(const struct ipmasqd *daemon);

/* Take up, and save, the links; what went wrong is logged, and no reason to end. */
void rules_load_links(const struct ipmasqd *daemon);
void rules_save_links(const struct ipmasqd *daemon);

#endif
