/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every plugin's run() does: words in, one command of a table carried out. */
#ifndef PLUGINS_CALL_H
#define PLUGINS_CALL_H

#include <ipmasq/plugin.h>

struct call {
	char letter;
	const char *allowed; /* the options that it takes */
	/* 0, or -1 with an error in the context. */
	int (*run)(struct ipmasq_context *context, const struct ipmasq_words *words);
};

/* The body of ipmasq_plugin.run() for a table of commands that letter 0 ends. */
int call_run(struct ipmasq_context *context, const struct ipmasq_plugin *plugin,
		const struct call *commands, int argc, char **argv);

/* The command of these words, checked, carried out; 0, or -1 with an error in the context. */
int call_dispatch(struct ipmasq_context *context, const struct call *commands,
		     const struct ipmasq_words *words);

#endif
