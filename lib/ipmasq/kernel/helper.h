/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's protocol helpers as objects of our table. */
#ifndef IPMASQ_KERNEL_HELPER_H
#define IPMASQ_KERNEL_HELPER_H

#include "compile.h"

/* 0 when the kernel has this helper, or -1 with an error that says who has it. */
int helper_supported(const struct ipmasq_helper *helper, struct ipmasq_error *error);

/* Hangs the place of `owner` into this machine's own way out, too. */
int helper_add_place(struct transaction *transaction, const char *owner);

/* The objects, and the rules that set them. */
int helper_write(const struct position *position, const struct ipmasq_rule *of);

/* Deletes the objects, once the rules that use them are gone. */
int helper_delete_objects(struct transaction *transaction, const struct ipmasq_rule *of);

#endif
