/* SPDX-License-Identifier: MIT */
#ifndef INF_TESTS_BENCH_CANNED_H
#define INF_TESTS_BENCH_CANNED_H

#include <stddef.h>

/* The benchmark's answers, made once. Each is a whole HTTP response or a piece
 * of one; the memory is never freed. */
typedef struct canned_text {
  const char *ptr;
  size_t len;
} canned_text;

/* Chunks of one paced stream. */
#define CANNED_PACED_CHUNKS 500

/* A chat.completion of 1 KB with its length. */
canned_text canned_unary(void);
/* A stream of so many 306-byte content chunks, the finish, usage and [DONE],
 * in HTTP chunks of 16 KiB, as proxies forward what they have. */
canned_text canned_stream(unsigned chunks);
/* The same in pieces: each event is an HTTP chunk of its own. */
canned_text canned_paced_head(void);
canned_text canned_paced_chunk(void);
canned_text canned_paced_tail(void);
canned_text canned_hold_head(void);

#endif
