/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_WIDE_H
#define INF_BASE_WIDE_H

/* 128 bits, for products of two 64-bit numbers that must not be rounded.
 * gcc and clang have them on every 64-bit machine; C11 has no name for it. */
__extension__ typedef unsigned __int128 inf_u128;
__extension__ typedef __int128 inf_i128;

#endif
