/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_CRC32_H
#define INF_WIRE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of gzip, PNG and Amazon's event streams: CRC-32 with the
 * polynomial 0x04c11db7, reflected, all ones before and after (RFC 1952,
 * section 8). Pure; any thread. */

/* Of the bytes before, whose checksum is crc (0: there are none), and these. */
uint32_t inf_crc32(uint32_t crc, const void *ptr, size_t len);

#endif
