/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the kernel the kernel engine stands on is there, and how its switches stand. */
#ifndef IPMASQADM_SUPPORT_H
#define IPMASQADM_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct support {
	const char *feature; /* as in the listing */
	const char *option;  /* of the kernel's configuration */
	bool needed;         /* without it no forward works */
};

/* The features, ended by one without a name. */
extern const struct support support_features[];

/*
 * support_read - asks the kernel for each feature of support_features[], into present[].  It is
 * asked in a transaction that is never ended, which the kernel examines and then drops: nothing is
 * loaded into a table.  0, or -1 with errno (EPERM: no right).
 */
int support_read(bool *present);

#define SUPPORT_FEATURES 9

/* The number in the file `name` below /proc/sys; false: there is none. */
bool support_setting(const char *name, uint64_t *value);

/* The name of such a file as sysctl(8) writes it: dots for slashes, slashes for dots. */
#define SUPPORT_SETTING_TEXT 128
const char *support_setting_text(const char *name, char text[static SUPPORT_SETTING_TEXT]);

#endif
