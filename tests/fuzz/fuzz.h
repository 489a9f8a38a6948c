/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/buf.h"

#include <stdint.h>

/* What the fuzz targets share. A target is a program whose function below
 * takes any bytes and ends the process when a promise is broken. Linked with
 * libFuzzer it looks for such bytes; linked with replay.c it is an ordinary
 * test over its corpus. Each file says how it reads its input: usually a few
 * bytes that choose (printable ones, so that seeds are readable texts), then
 * what the code under test is given. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The condition is a promise; a broken one is printed and ends the process as
 * a crash. */
#define FUZZ_CHECK(condition) \
  ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *what, const char *file, int line);

/* ---- Input --------------------------------------------------------------- */

/* Takes one byte off the front; 0 when there is none. */
uint8_t fuzz_take(inf_sv *input);
/* Takes what stands before the mark, and the mark; all of it without one. */
inf_sv fuzz_take_until(inf_sv *input, const char *mark);
/* A block of exactly the text's size, so that a sanitizer sees each read past
 * it. Free it with free(). */
char *fuzz_block(inf_sv text);

/* Where bytes are cut on their way in. */
typedef struct fuzz_cuts {
  uint32_t seed;
} fuzz_cuts;

#define FUZZ_WHOLE    0u /* in one piece */
#define FUZZ_BYTEWISE 1u /* byte by byte; any other seed: 1 to 16 bytes */

/* Length of the next piece, at least 1, of the len bytes that are left. */
size_t fuzz_next_cut(fuzz_cuts *cuts, size_t len);

/* ---- Memory -------------------------------------------------------------- */

/* Between the two calls the library's memory is counted. At the end nothing
 * may be left, and never may more than max_bytes have been held at a time. */
void fuzz_memory_begin(void);
void fuzz_memory_end(size_t max_bytes);
/* The n-th allocation from now on fails; 0: none does. */
void fuzz_memory_fail(size_t n);

#endif
