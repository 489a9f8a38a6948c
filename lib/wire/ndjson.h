/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_NDJSON_H
#define INF_WIRE_NDJSON_H

#include "base/buf.h"

/* Lines of JSON (NDJSON, as Ollama streams): bytes in, documents out. Lines
 * end with LF or CRLF, in any split; blank lines are dropped. Documents are
 * framed, not checked: that is for whoever reads them.
 *
 * The last line may lack its end. It counts only if it is a JSON value that
 * cannot go on: what a connection cut short leaves behind is no document.
 *
 * A document that lies whole in the bytes given is a view of them: nothing is
 * copied. No state but this struct; one thread at a time. */

/* False stops the parser: inf_ndjson_feed() returns at once and the rest of
 * its bytes is dropped. The view, without whitespace around it and never
 * empty, lives until the function returns. */
typedef bool (*inf_ndjson_fn)(void *context, inf_sv document);

typedef struct inf_ndjson {
  inf_buf line; /* an unfinished line */
  size_t max_line_bytes;
  bool stopped;
  bool pausing; /* see inf_ndjson_feed_document() */
  bool delivered;
  int32_t status;
} inf_ndjson;

/* A line may be at most max_line_bytes long, all but its LF counted. */
void inf_ndjson_init(inf_ndjson *ndjson, size_t max_line_bytes);
void inf_ndjson_fini(inf_ndjson *ndjson);
/* For another stream; a buffer of at most keep_bytes is kept. */
void inf_ndjson_reuse(inf_ndjson *ndjson, size_t max_line_bytes,
                      size_t keep_bytes);
/* INFER_OK, INFER_E_TOO_LARGE or INFER_E_NO_MEMORY; after an error the parser
 * stays stopped and gives the same error again. */
int32_t inf_ndjson_feed(inf_ndjson *ndjson, const char *ptr, size_t len,
                        inf_ndjson_fn fn, void *context);
/* The same, but it takes no byte after the first document that it delivers.
 * Gives the number of bytes taken; ndjson->status says how it went. */
size_t inf_ndjson_feed_document(inf_ndjson *ndjson, const char *ptr, size_t len,
                                inf_ndjson_fn fn, void *context);
/* The end of the bytes: also INFER_E_TRUNCATED, for a last line that was cut.
 * The parser is stopped then. */
int32_t inf_ndjson_finish(inf_ndjson *ndjson, inf_ndjson_fn fn, void *context);

#endif
