/* SPDX-License-Identifier: BSD-2-Clause */
/* proxy_rule.c - a fuzz target for LibAliasProxyRule(): the input is the command. */
#include <stdlib.h>
#include <string.h>
#include "alias.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct libalias *la = LibAliasInit(NULL);
	char *cmd = malloc(len + 1);

	if (la && cmd) {
		memcpy(cmd, data, len);
		cmd[len] = '\0';
		/* What is a rule is a rule each time. */
		if (LibAliasProxyRule(la, cmd) == 0 && LibAliasProxyRule(la, cmd) != 0)
			abort();
	}
	free(cmd);
	LibAliasUninit(la);
	return 0;
}
