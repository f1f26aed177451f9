/* SPDX-License-Identifier: BSD-2-Clause */
/* packet.h - what fuzz targets that make packets share. */
#ifndef FUZZ_PACKET_H
#define FUZZ_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Are the checksums of a whole, unfragmented TCP or UDP packet right? */
bool packet_right(const uint8_t *p);
/* Makes them so. */
void packet_set_sums(uint8_t *p);
/* Aborts unless it is a known result and, if that is OK, the packet's length and sums are good. */
void packet_check(int result, const uint8_t *p, size_t size, bool was_right);

#endif
