// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the loader would open from the plugin directory is linked into the tests instead: the
 * linker's --wrap sends the calls of the loader here.  The loader itself is tested by the end
 * to end tests, with real directories and owners.
 */
#include "listing_part.h"
#include <ipmasq/part.h>

#include <errno.h>
#include <ipmasq/plugin.h>
#include <string.h>

extern const struct ipmasq_plugin ipmasq_plugin; /* of portfw, or what the test brings along */

/* Portfw, in a test that brings another plugin along which hands on to it. */
extern const struct ipmasq_plugin portfw_too __attribute__((weak));

const struct ipmasq_plugin *__wrap_ipmasq_plugin_load(const char *name, struct ipmasq_error *error);
void *__wrap_ipmasq_part(const char *name, const char *symbol, struct ipmasq_error *error);

const struct ipmasq_plugin *__wrap_ipmasq_plugin_load(const char *name, struct ipmasq_error *error)
{
	if (strcmp(name, ipmasq_plugin.name) == 0)
		return &ipmasq_plugin;
	if (&portfw_too && strcmp(name, "portfw") == 0)
		return &portfw_too;
	ipmasq_usage(error, "there is no module '%s'", name);
	return NULL;
}

void *__wrap_ipmasq_part(const char *name, const char *symbol, struct ipmasq_error *error)
{
	(void)symbol;
	if (strcmp(name, "listing") == 0)
		return (void *)(uintptr_t)&ipmasq_listing_part;
	ipmasq_fail(error, ENOENT, "the tests have no part '%s'", name);
	return NULL;
}
