/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.h - checksums of packets that fuzz targets build, and what must hold behind the engine.
 */
#ifndef FUZZ_PACKET_H
#define FUZZ_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Are the checksums of a whole, unfragmented TCP or UDP packet right? */
bool packet_right(const uint8_t *p);

/* Makes those of a packet without IP options right. */
void packet_set_sums(uint8_t *p);

/* Aborts unless the result is one, and the packet lies in its buffer and is right if it was. */
void packet_check(int result, const uint8_t *p, size_t size, bool was_right);

#endif
