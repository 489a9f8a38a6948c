/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_NUMBER_H
#define INF_WIRE_NUMBER_H

#include "base/sv.h"

#include <stdint.h>

/* Numbers as JSON writes them (RFC 8259, section 6), to and from machine
 * numbers: exact, and the same in every locale. */

/* Length of the number at the start of [ptr, ptr + len), 0 if there is none.
 * "12abc" gives 2, "01" 1, "1." and "-" 0. *stop is how far the text looks
 * like one: where the fault lies if the length is 0. */
size_t inf_number_scan(const char *ptr, size_t len, size_t *stop);

/* The whole text, which must be a number, exactly: 12.0, 1e3 and 1.5e1 are
 * integers too. False for fractions, overflow and what is no number. */
bool inf_number_to_int64(inf_sv text, int64_t *number);
/* Rounded to the nearest; false for what overflows or is no number. */
bool inf_number_to_double(inf_sv text, double *number);
/* The same for a float, and rounded once: what strtof() would give. Fast where
 * a number has at most 15 digits and a small exponent, as vectors have. */
bool inf_number_to_float(inf_sv text, float *number);

#define INF_NUMBER_MAX_BYTES 32
/* Writes the shortest form that reads back as the same number, and gives its
 * length. The number must be finite. */
size_t inf_number_from_double(double number, char out[INF_NUMBER_MAX_BYTES]);
/* The shortest that reads back as the same float. */
size_t inf_number_from_float(float number, char out[INF_NUMBER_MAX_BYTES]);

#endif
