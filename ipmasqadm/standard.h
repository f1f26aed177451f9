/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The standard descriptors. */
#ifndef IPMASQADM_STANDARD_H
#define IPMASQADM_STANDARD_H

/* A standard descriptor that is closed would become a socket of ours; using it is to fail. */
void standard_hold(void);

#endif
