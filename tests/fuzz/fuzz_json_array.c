/* SPDX-License-Identifier: MIT */
/* A streamed JSON array in pieces. The first byte says where it is cut, the
 * second sets the limit of an element, the third that of its depth; the rest
 * is the stream. Whole, byte by byte and cut anywhere it must give the same;
 * and where the text is an array of JSON within the limits, the elements that
 * the JSON reader finds in it. */
#include "fuzz/fuzz.h"

#include "wire/json_array.h"
#include "wire/json_scan.h"

#include <infer/infer.h>
#include <stdlib.h>

typedef struct digest {
  uint64_t hash;
  size_t elements;
  size_t longest;
  int32_t status;
} digest;

static bool
on_element(void *context, inf_sv element)
{
  digest *sum = context;

  FUZZ_CHECK(element.len > 0);
  for (size_t i = 0; i < element.len; i++)
    sum->hash = (sum->hash ^ (unsigned char)element.ptr[i]) * 1099511628211u;
  sum->hash = (sum->hash ^ element.len) * 1099511628211u;
  sum->elements++;
  if (element.len > sum->longest)
    sum->longest = element.len;
  return true;
}

static digest
run(inf_sv stream, size_t max, unsigned depth, uint32_t seed)
{
  fuzz_cuts cuts = {seed};
  digest sum = {0};
  inf_json_array parser;

  inf_json_array_init(&parser, max, depth);
  while (stream.len > 0) {
    size_t n = fuzz_next_cut(&cuts, stream.len);
    char *piece = fuzz_block(inf_sv_of(stream.ptr, n));

    inf_json_array_feed(&parser, piece, n, on_element, &sum);
    free(piece);
    stream = inf_sv_of(stream.ptr + n, stream.len - n);
  }
  sum.status = inf_json_array_finish(&parser);
  inf_json_array_fini(&parser);
  FUZZ_CHECK(sum.longest <= max);
  FUZZ_CHECK((sum.status == INFER_E_PROTOCOL) == (parser.reason != NULL));
  return sum;
}

static bool
same(digest a, digest b)
{
  return a.hash == b.hash && a.elements == b.elements && a.status == b.status;
}

/* What stands in an array of JSON. */
static void
check_elements(inf_sv stream, size_t max, unsigned depth, digest got)
{
  digest want = {0};
  inf_sv value;

  if (!inf_json_parse(stream, INF_JSON_MAX_DEPTH, &value, NULL) ||
      !inf_json_is(value, INF_JSON_ARRAY)) {
    return;
  }
  for (inf_json_iter it = inf_json_iter_of(value); inf_json_next(&it);)
    on_element(&want, it.value);
  bool deep = !inf_json_parse(stream, depth + 1, &value, NULL);
  if (want.longest <= max && !deep)
    FUZZ_CHECK(same(got, want));
  else
    FUZZ_CHECK(got.status == INFER_E_TOO_LARGE ||
               got.status == INFER_E_TOO_DEEP);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv stream = inf_sv_of((const char *)data, size);
  uint32_t seed = fuzz_take(&stream) + 2u;
  size_t max = (size_t)fuzz_take(&stream) * 4;
  unsigned depth = fuzz_take(&stream) % 16u;

  fuzz_memory_begin();
  digest whole = run(stream, max, depth, FUZZ_WHOLE);
  FUZZ_CHECK(same(run(stream, max, depth, FUZZ_BYTEWISE), whole));
  FUZZ_CHECK(same(run(stream, max, depth, seed), whole));
  check_elements(stream, max, depth, whole);
  /* An unfinished element, in a buffer that doubles. */
  fuzz_memory_end(2 * max + 256);
  return 0;
}
