/* SPDX-License-Identifier: MIT */
/* JSON lines in pieces. The first byte says where they are cut, the second
 * sets the limit of a line; the rest is the stream. Whole, byte by byte and
 * cut anywhere it must give the documents and the status that a plain reading
 * gives, which has the whole text before it and keeps no state. */
#include "fuzz/fuzz.h"

#include "wire/json_scan.h"
#include "wire/ndjson.h"

#include <infer/infer.h>
#include <stdlib.h>

#define MAX_DOCUMENTS 64

typedef struct digest {
  uint64_t hash;
  size_t documents;
  int32_t status;
} digest;

static bool
on_document(void *context, inf_sv document)
{
  digest *sum = context;

  FUZZ_CHECK(document.len > 0);
  for (size_t i = 0; i < document.len; i++)
    sum->hash = (sum->hash ^ (unsigned char)document.ptr[i]) * 1099511628211u;
  sum->hash = (sum->hash ^ document.len) * 1099511628211u;
  return ++sum->documents < MAX_DOCUMENTS;
}

static digest
run(inf_sv stream, size_t max, uint32_t seed)
{
  fuzz_cuts cuts = {seed};
  digest sum = {0};
  inf_ndjson parser;

  inf_ndjson_init(&parser, max);
  while (stream.len > 0) {
    size_t n = fuzz_next_cut(&cuts, stream.len);
    char *piece = fuzz_block(inf_sv_of(stream.ptr, n));

    inf_ndjson_feed(&parser, piece, n, on_document, &sum);
    free(piece);
    stream = inf_sv_of(stream.ptr + n, stream.len - n);
  }
  sum.status = inf_ndjson_finish(&parser, on_document, &sum);
  inf_ndjson_fini(&parser);
  return sum;
}

static bool
plain_cut(inf_sv document)
{
  inf_sv value;

  return !inf_json_scan(document, INF_JSON_MAX_DEPTH, &value, NULL) ||
         value.len < document.len || inf_json_is(value, INF_JSON_NUMBER);
}

static digest
run_plain(inf_sv stream, size_t max)
{
  digest sum = {0};

  while (stream.len > 0) {
    inf_sv line = inf_sv_of(stream.ptr, inf_sv_find(stream, '\n'));
    inf_sv document = inf_sv_trim(line);
    bool ended = line.len < stream.len;

    stream =
        inf_sv_of(line.ptr + line.len + ended, stream.len - line.len - ended);
    if (line.len > max)
      sum.status = INFER_E_TOO_LARGE;
    else if (document.len > 0 && !ended && plain_cut(document))
      sum.status = INFER_E_TRUNCATED;
    if (sum.status != INFER_OK)
      break;
    if (document.len > 0 && !on_document(&sum, document))
      break;
  }
  return sum;
}

static bool
same(digest a, digest b)
{
  return a.hash == b.hash && a.documents == b.documents && a.status == b.status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv stream = inf_sv_of((const char *)data, size);
  uint32_t seed = fuzz_take(&stream) + 2u;
  size_t max = (size_t)fuzz_take(&stream) * 4;

  fuzz_memory_begin();
  digest plain_sum = run_plain(stream, max);
  FUZZ_CHECK(same(run(stream, max, FUZZ_WHOLE), plain_sum));
  FUZZ_CHECK(same(run(stream, max, FUZZ_BYTEWISE), plain_sum));
  FUZZ_CHECK(same(run(stream, max, seed), plain_sum));
  /* An unfinished line, in a buffer that doubles. */
  fuzz_memory_end(2 * max + 256);
  return 0;
}
