/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that only the start needed, given back. */
#ifndef IPMASQD_TRIM_H
#define IPMASQD_TRIM_H

void trim_memory(void);

#endif
