/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option letters of a plugin, as one table that feeds the parser, the usage text and
 * completion, so that they cannot drift apart.
 *
 * The scanner follows getopt(3) where it can (letters may be bundled: -nL; a value may be
 * glued: -Ptcp) and goes beyond where the old grammars do: an option may take several words,
 * an ADDR PORT pair may be one word, and a letter may be a command when no value follows it.
 */
#ifndef IPMASQ_WORDS_H
#define IPMASQ_WORDS_H

#include <ipmasq/address.h>
#include <stdbool.h>

struct ipmasq_context;

/* What a letter is. */
#define IPMASQ_COMMAND    1u /* one of these a call, with words behind it or none */
#define IPMASQ_PAIR       2u /* takes ADDR PORT, in two words or as one */
#define IPMASQ_OR_COMMAND 4u /* takes words; with none after it, it is a command */
#define IPMASQ_LAST_OPEN  8u /* the last word may be left out */

struct ipmasq_option {
	char letter;
	char same_as; /* a second letter for the same thing, 0 when none */
	unsigned int flags;
	unsigned int n_words; /* 0 to 3 */
	/* Their names in the usage text: "ADDR PORT".  Of an option without words, and no command:
	   its long spelling, "--follow", or NULL. */
	const char *words;
	const char *help;
};

#define IPMASQ_OPTION_WORDS 3

/* What a call said.  Values are indexed by letter and point into argv. */
struct ipmasq_words {
	char command;                                /* 0: none given */
	bool given[128];                             /* the letter was there */
	const char *value[128][IPMASQ_OPTION_WORDS]; /* NULL: not given */
};

/*
 * ipmasq_words_scan - take argv apart by `options` (ended by letter 0).
 *
 * Every call also knows -h, -n, -v, --json, --dry-run, --kill and --help; they go into the
 * context.  Returns 0, or -1 with a usage error in the context that names the word.
 */
int ipmasq_words_scan(struct ipmasq_context *context, const struct ipmasq_option *options, int argc,
		      char **argv, struct ipmasq_words *words);

/* Sets the context's flag if `word` is --json, --dry-run, --kill, --help, --numeric, --verbose. */
bool ipmasq_words_flag(struct ipmasq_context *context, const char *word);

/*
 * ipmasq_words_check - whether no other letters were given than those in `allowed`.
 * Returns 0, or -1 with a usage error that names the letter that `words->command` does not take.
 */
int ipmasq_words_check(struct ipmasq_context *context, const struct ipmasq_words *words,
		       const char *allowed);

/*
 * ipmasq_words_pair - the ADDR PORT of a letter, in either way of writing.
 *
 * `protocol` is the one whose services are looked up.  With `zero_is_any` a 0, or a port that is
 * left out, gives port 0.  Returns 0, or -1 with a usage error that names the word.
 */
int ipmasq_words_pair(struct ipmasq_context *context, const struct ipmasq_words *words, char letter,
		      uint8_t family, uint8_t protocol, bool zero_is_any,
		      struct ipmasq_address *address, uint16_t *port);

#endif
