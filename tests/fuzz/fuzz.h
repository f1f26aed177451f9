/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets share: the entry of libFuzzer and the way to report a finding. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, which is a finding, when `condition` does not hold. */
static inline void fuzz_require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "finding: %s\n", what);
	abort();
}

#endif
