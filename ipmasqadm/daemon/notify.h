/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling a service manager how far ipmasqd is, by the protocol of sd_notify(3). */
#ifndef IPMASQD_NOTIFY_H
#define IPMASQD_NOTIFY_H

/* Connects to NOTIFY_SOCKET, if there is one; with the rights of the start. */
void notify_open(void);

void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);

#endif
