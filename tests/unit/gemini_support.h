/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_GEMINI_SUPPORT_H
#define TESTS_UNIT_GEMINI_SUPPORT_H

#include "unit/provider_support.h"

#include "provider/gemini_alike.h"
#include "provider/gemini_read.h"

/* Reads an answer of Gemini, for its tests. */

static const inf_dialect gemini_reading = {
    .name = "gemini",
    .read_body = inf_gemini_read_body,
    .read_event = inf_gemini_read_event,
    .read_alike = inf_gemini_read_alike,
};
static const inf_provider_kind gemini_kind = {.type = "gemini",
                                              .dialect = &gemini_reading};

#define EVENT(json) "data: " json "\r\n\r\n"

struct gemini_way {
  bool stream, no_guess;
  size_t step; /* bytes at a time, 0: all at once */
};

/* Gives the status; the failure's words in why, which may be NULL. */
static int32_t
gemini_read(struct gemini_way way, inf_sv text, inf_answer *answer,
            inf_failure *why)
{
  inf_decoder decoder;
  inf_headers headers;
  inf_decoder_options options = {.kind = &gemini_kind,
                                 .stream = way.stream,
                                 .choices = 1,
                                 .max_body_bytes = 1 << 20,
                                 .max_event_bytes = 1 << 20,
                                 .max_depth = 64,
                                 .no_guess = way.no_guess};
  inf_headers_init(&headers, 1024);
  inf_answer_init(answer, 1 << 20);
  inf_decoder_init(&decoder, &options, answer);
  inf_decoder_headers(&decoder, 200, &headers, 0);
  size_t step = way.step > 0 ? way.step : text.len;
  for (size_t at = 0; at < text.len; at += step)
    inf_decoder_feed(&decoder, text.ptr + at,
                     text.len - at < step ? text.len - at : step);
  int32_t status = inf_decoder_end(&decoder, true);
  if (why) {
    inf_failure_set_text(&why->message, inf_buf_sv(&decoder.failure.message));
    inf_failure_set_text(&why->code, inf_buf_sv(&decoder.failure.code));
  }
  inf_decoder_fini(&decoder);
  inf_headers_fini(&headers);
  return status;
}

/* A whole body that is an answer. */
static inline void
gemini_body(const char *body, inf_answer *answer)
{
  assert_int_equal(gemini_read((struct gemini_way){0}, S(body), answer, NULL),
                   INFER_OK);
}

/* The members of the answer as JSON, in a buffer that is to be freed. */
static inline inf_buf
gemini_json(const inf_answer *answer)
{
  inf_buf out;
  inf_buf_init(&out, SIZE_MAX);
  inf_answer_write_json(answer, &out);
  return out;
}

#endif
