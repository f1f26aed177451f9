/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Triggers: what leaves opens a port range to where it came from. */
#ifndef IPMASQ_KERNEL_TRIGGER_H
#define IPMASQ_KERNEL_TRIGGER_H

#include "compile.h"

/* Makes the hook in which what leaves is watched. */
int trigger_add_place(struct transaction *transaction, const char *owner);

/* The pieces of a trigger, in the order in which they have to be written. */
int trigger_write_watch(const struct position *position, const struct ipmasq_rule *of);
int trigger_write_opened(const struct position *position, const struct ipmasq_rule *of);

/* Deletes the maps, once the rules that use them are gone. */
int trigger_delete_maps(struct transaction *transaction, const struct ipmasq_rule *of);

/* As ipmasq_table_openings(); -1 with errno. */
int trigger_openings(struct netlink *netlink, const struct ipmasq_rule *of,
		     ipmasq_opening_visit visit, void *data);

#endif
