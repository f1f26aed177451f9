/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One expression that is run, and the registers that it reads and writes. */
#ifndef IPMASQADM_DOCTOR_EXPRESSION_H
#define IPMASQADM_DOCTOR_EXPRESSION_H

#include "doctor_ruleset.h"

#include <libnftnl/expr.h>

struct run {
	const struct ruleset *ruleset;
	const struct chain *chain;
	const struct nftnl_expr *expression;
	struct packet *packet;
	struct registers *registers;
	struct effect *effect;
};

static inline uint32_t run_get(const struct run *run, uint16_t field)
{
	return nftnl_expr_get_u32(run->expression, field);
}

/* Where a register begins; REGISTERS when there is none of this number. */
size_t run_register(uint32_t number);

/* Writes bytes, zeros with NULL, to a register; these return true, as what has matched does. */
bool run_put(const struct run *run, uint32_t number, const void *data, size_t length,
	     enum byte state);
bool run_put_u32(const struct run *run, uint32_t number, uint32_t value);
bool run_put_u16(const struct run *run, uint32_t number, uint16_t value);
bool run_put_u8(const struct run *run, uint32_t number, uint8_t value);
bool run_put_unknown(const struct run *run, uint32_t number);

/* The worst state of some bytes of the registers. */
enum byte run_state(const struct run *run, size_t at, size_t length);

/* What the kernel knows of a packet beside its bytes. */
bool run_meta(const struct run *run);
bool run_ct(const struct run *run);
bool run_fib(const struct run *run);

#endif
