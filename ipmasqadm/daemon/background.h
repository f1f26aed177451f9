/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Going into the background, so that who waits for the parent waits until all is ready. */
#ifndef IPMASQD_BACKGROUND_H
#define IPMASQD_BACKGROUND_H

/*
 * Returns in the child.  The parent exits with 0 when the child calls background_ready(), else
 * with the child's exit status.  -1 with errno when there can be no child.
 */
int background_start(void);

/* Lets the parent go, and the terminal. */
void background_ready(void);

#endif
