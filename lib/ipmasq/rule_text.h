/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule as one line of text, the comment by which an engine keeps it where it has no better
 * place.  The text is canonical: the same rule gives the same bytes.
 */
#ifndef IPMASQ_RULE_TEXT_H
#define IPMASQ_RULE_TEXT_H

#include <ipmasq/rule.h>

#define RULE_TEXT_MAX 129 /* with its end: what nft(8) takes as a rule's comment */

/* Writes the text of `rule`, without its owner and age; 0, or -1 when it does not fit. */
int rule_text(const struct ipmasq_rule *rule, char text[static RULE_TEXT_MAX]);

/* The rule that `text` says, of `owner`; NULL with errno (EINVAL: it says none). */
struct ipmasq_rule *rule_of_text(const char *owner, const char *text);

#endif
