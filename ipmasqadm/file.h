/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes files whole. */
#ifndef IPMASQADM_FILE_H
#define IPMASQADM_FILE_H

/* Makes `text` what is in `name`; the mode of a file that is there is kept.  -1 with errno. */
int file_write(const char *name, const char *text);

#endif
