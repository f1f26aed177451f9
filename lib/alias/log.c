/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.c - PKT_ALIAS_LOG: a line with the numbers of links whenever one is made or deleted.
 *
 * The file is opened for appending when the mode bit is set and closed when it is cleared.  This is
 * the only output of the library; a file that cannot be opened means no log.
 */
#include "engine.h"

#include <stdlib.h>

void log_links(struct libalias *la)
{
	fprintf(la->log, "icmp=%u, udp=%u, tcp=%u, proto=%u, expected=%u, fragments=%u / tot=%u\n",
		la->stats.icmp, la->stats.udp, la->stats.tcp, la->stats.other,
		la->stats.expectations, la->stats.fragments, la->stats.links);
	fflush(la->log);
}

void log_mode(struct libalias *la)
{
	bool wanted = (la->mode & PKT_ALIAS_LOG) != 0;

	if (wanted && !la->log)
		la->log = fopen(la->log_path ? la->log_path : "/var/log/alias.log", "ae");
	if (!wanted && la->log) {
		fclose(la->log);
		la->log = NULL;
	}
}

int LibAliasSetLogFile(struct libalias *la, const char *path)
{
	char *copy = path ? strdup(path) : NULL;

	if (path && !copy)
		return -1;
	free(la->log_path);
	la->log_path = copy;
	if (la->log) {
		fclose(la->log);
		la->log = NULL;
	}
	log_mode(la);
	return (la->mode & PKT_ALIAS_LOG) && !la->log ? -1 : 0;
}
