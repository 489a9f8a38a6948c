/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CONFORMANCE_BOTH_WAYS_H
#define TESTS_CONFORMANCE_BOTH_WAYS_H

#include "base/rng.h"
#include "provider/dialect.h"
#include "support/heard.h"

#include <stdio.h>

/* Decodes a stream with the short way for chunks that are alike and without
 * it: what comes out, what the listener hears and how it ends must be the
 * same to the byte. Header-only: the unit test of guess.c and the run over
 * all recordings share it. */

typedef struct both_side {
  inf_answer answer;
  inf_decoder decoder;
  heard heard;
  inf_buf json;
  int32_t status;
} both_side;

/* Limits of the decoder, for tests of those. */
typedef struct both_limits {
  size_t body_bytes, event_bytes;
} both_limits;

/* Whose streams; NULL: the first of the catalogue. */
static const inf_provider_kind *both_kind;
static both_limits both_limited_to = {(size_t)64 << 20, (size_t)64 << 20};

static void
both_run(both_side *side, inf_sv body, size_t step, bool no_guess)
{
  inf_decoder_options options = {
      .kind = both_kind ? both_kind : inf_provider_kind_at(0),
      .stream = true,
      .choices = 1,
      .max_body_bytes = both_limited_to.body_bytes,
      .max_event_bytes = both_limited_to.event_bytes,
      .max_depth = 64,
      .no_guess = no_guess,
  };
  inf_headers headers;
  inf_headers_init(&headers, 16);
  heard_init(&side->heard);
  inf_buf_init(&side->json, SIZE_MAX);
  inf_answer_init(&side->answer, options.max_body_bytes);
  side->answer.listener = heard_on_delta;
  side->answer.listener_context = &side->heard;
  inf_decoder_init(&side->decoder, &options, &side->answer);
  inf_decoder_headers(&side->decoder, 200, &headers, 0);
  while (body.len > 0) {
    size_t len = step > 0 && step < body.len ? step : body.len;
    if (inf_decoder_feed(&side->decoder, body.ptr, len) == INF_DECODER_DONE)
      break;
    body = inf_sv_of(body.ptr + len, body.len - len);
  }
  side->status = inf_decoder_end(&side->decoder, true);
  inf_answer_write_json(&side->answer, &side->json);
  inf_headers_fini(&headers);
}

static void
both_fini(both_side *side)
{
  inf_decoder_fini(&side->decoder);
  inf_answer_fini(&side->answer);
  heard_fini(&side->heard);
  inf_buf_fini(&side->json);
}

/* NULL if both ways agree, else what differs. */
static const char *
both_compare(inf_sv body, size_t step)
{
  both_side a, b;
  const char *difference = NULL;
  both_run(&a, body, step, false);
  both_run(&b, body, step, true);
  if (a.status != b.status)
    difference = "status";
  else if (!inf_sv_eq(inf_buf_sv(&a.json), inf_buf_sv(&b.json)))
    difference = "answer";
  else if (!inf_sv_eq(inf_buf_sv(&a.heard.text), inf_buf_sv(&b.heard.text)))
    difference = "events";
  else if (a.decoder.events != b.decoder.events ||
           a.decoder.skipped_events != b.decoder.skipped_events)
    difference = "counts";
  both_fini(&a);
  both_fini(&b);
  return difference;
}

/* A byte that means something in such streams, or any byte. */
static char
both_random_byte(inf_rng *rng)
{
  static const char telling[] = "\"\\{}[]:,\n\r 0unltrd\x80\xC3\xE2\x01";
  uint64_t pick = inf_rng_below(rng, 2 * sizeof(telling));
  if (pick < sizeof(telling) - 1)
    return telling[pick];
  return (char)inf_rng_below(rng, 256);
}

/* Changes a few bytes: replaced, removed, inserted or repeated. */
static void
both_mutate(inf_rng *rng, inf_sv body, inf_buf *out)
{
  size_t changes = (size_t)inf_rng_between(rng, 1, 4);
  inf_buf_clear(out);
  inf_buf_append_sv(out, body);
  while (changes-- > 0 && out->len > 1) {
    size_t at = (size_t)inf_rng_below(rng, out->len);
    size_t len = (size_t)inf_rng_between(rng, 1, 12);
    if (len > out->len - at)
      len = out->len - at;
    switch (inf_rng_below(rng, 4)) {
    case 0:
      out->ptr[at] = both_random_byte(rng);
      break;
    case 1:
      memmove(out->ptr + at, out->ptr + at + len, out->len - at - len);
      inf_buf_truncate(out, out->len - len);
      break;
    case 2:
      inf_buf_append_char(out, ' ');
      memmove(out->ptr + at + 1, out->ptr + at, out->len - 1 - at);
      out->ptr[at] = both_random_byte(rng);
      break;
    default:
      inf_buf_reserve(out, len);
      inf_buf_append(out, out->ptr + at, len);
      memmove(out->ptr + at + len, out->ptr + at, out->len - at - len);
      break;
    }
  }
}

#endif
