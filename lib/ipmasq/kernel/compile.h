/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each kind of rule as the nf_tables rules that do it, place by place. */
#ifndef IPMASQ_KERNEL_COMPILE_H
#define IPMASQ_KERNEL_COMPILE_H

#include "expression.h"
#include "place.h"

#define PIECES_MAX 4

/* Where a rule is to be written. */
struct position {
	struct transaction *transaction;
	enum place place;
	const char *owner;
	const char *text; /* its comment */
	uint64_t before;  /* the handle of the nf_tables rule behind it; 0: at the end */
};

/* What is done for a rule in one place: writes one nf_tables rule or more.  0, or -1 with errno. */
struct piece {
	enum place place;
	int (*write)(const struct position *position, const struct ipmasq_rule *rule);
};

/* The pieces of `rule`, the first of which is where it is read from; their number. */
size_t compile(const struct ipmasq_rule *rule, struct piece pieces[static PIECES_MAX]);

/* Deletes what `rule` had beside its nf_tables rules, once these are gone. */
int compile_forget(struct transaction *transaction, const struct ipmasq_rule *rule);

/* Begins an nf_tables rule at the position, and writes it there. */
void position_begin(struct rule *rule, const struct position *position);
int position_end(struct rule *rule, const struct position *position);

/* 0 when nf_tables can do this rule, or -1 with an error that says who can. */
int compile_supported(const struct ipmasq_rule *rule, struct ipmasq_error *error);

#endif
