/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz.h - what a fuzz target is: libFuzzer's or driver.c's main() calls it. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
