/* SPDX-License-Identifier: GPL-2.0-or-later */
/* save and restore: rules files, one command line of a module a line. */
#ifndef IPMASQADM_RULES_FILE_H
#define IPMASQADM_RULES_FILE_H

#include "session.h"

enum ipmasq_status rules_file_save(struct session *session, int argc, char **argv);
enum ipmasq_status rules_file_restore(struct session *session, int argc, char **argv);

#endif
