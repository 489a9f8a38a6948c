/* SPDX-License-Identifier: MIT */
/* A stream of Bedrock's, or a whole answer. Bytes at random are no stream of
 * messages, for each has checksums: so the input is a list of payloads, which
 * are framed here. Whole, byte by byte and cut anywhere it must come out the
 * same; a failed allocation may end it as short of memory, and changes nothing
 * else; before the end of the answer no cut is a success.
 *
 *   byte 1: bit 0 a whole answer: what follows is its body; 1 little room
 *   byte 2: where it is cut
 *   byte 3: which allocation fails
 *   then lines: a letter for the type, and the payload */
#include "fuzz/decode.h"
#include "support/eventstream_write.h"

#include <infer/infer.h>
#include <stdlib.h>

/* Outcomes live at most two at a time. */
#define MAX_BYTES ((size_t)8 << 20)

static const struct {
  char letter;
  const char *kind, *name, *type;
} types[] = {
    {'m', "event", ":event-type", "messageStart"},
    {'s', "event", ":event-type", "contentBlockStart"},
    {'d', "event", ":event-type", "contentBlockDelta"},
    {'e', "event", ":event-type", "contentBlockStop"},
    {'S', "event", ":event-type", "messageStop"},
    {'M', "event", ":event-type", "metadata"},
    {'x', "exception", ":exception-type", "throttlingException"},
    {'E', "error", ":error-code", "InternalError"},
    {'n', "event", ":event-type", "new"},
};

static void
put_message(inf_sv line, inf_buf *headers, inf_buf *out)
{
  size_t i = 0, count = sizeof(types) / sizeof(types[0]);
  char letter = (char)fuzz_take(&line);
  while (i + 1 < count && types[i].letter != letter)
    i++;
  inf_buf_clear(headers);
  eventstream_put_string(headers, ":message-type", types[i].kind);
  eventstream_put_string(headers, types[i].name, types[i].type);
  eventstream_put_message(out, headers, line);
}

static void
frame(inf_sv input, inf_buf *out)
{
  inf_buf headers;
  inf_buf_init(&headers, SIZE_MAX);
  while (input.len > 0)
    put_message(fuzz_take_until(&input, "\n"), &headers, out);
  inf_buf_fini(&headers);
}

static void
compare(const fuzz_response *response, uint32_t cut_seed,
        const fuzz_outcome *whole)
{
  fuzz_outcome other;
  const uint32_t cuts[] = {FUZZ_BYTEWISE, cut_seed};
  for (size_t i = 0; i < 2; i++) {
    fuzz_decode(response, cuts[i], &other);
    FUZZ_CHECK(fuzz_outcome_same(whole, &other));
    fuzz_outcome_fini(&other);
  }
}

static void
cut_off(const fuzz_response *response, uint32_t seed)
{
  fuzz_outcome part;
  fuzz_response cut = *response;
  cut.body.len = cut.body.len > 0 ? (seed * 2654435761u) % cut.body.len : 0;
  cut.clean_end = false;
  fuzz_decode(&cut, FUZZ_WHOLE, &part);
  fuzz_outcome_check(&cut, &part);
  if (part.status == INFER_OK && part.decoder.mode == INF_BODY_FRAMES)
    FUZZ_CHECK(part.decoder.terminated);
  fuzz_outcome_fini(&part);
}

static void
with_short_memory(const fuzz_response *response, size_t fail_at,
                  const fuzz_outcome *whole)
{
  fuzz_outcome other;
  fuzz_memory_fail(fail_at);
  fuzz_decode(response, FUZZ_WHOLE, &other);
  fuzz_memory_fail(0);
  FUZZ_CHECK(whole->status == INFER_OK
                 ? other.status == INFER_OK || other.status == INFER_E_NO_MEMORY
                 : other.status != INFER_OK);
  if (other.status == INFER_OK && other.json.status == INFER_OK &&
      other.heard.text.status == INFER_OK)
    FUZZ_CHECK(inf_sv_eq(inf_buf_sv(&other.json), inf_buf_sv(&whole->json)));
  fuzz_outcome_fini(&other);
}

static void
run(fuzz_response *response, uint32_t cut_seed, size_t fail_at)
{
  fuzz_outcome whole;
  fuzz_decode(response, FUZZ_WHOLE, &whole);
  fuzz_outcome_check(response, &whole);
  compare(response, cut_seed, &whole);
  cut_off(response, cut_seed);
  if (fail_at > 0)
    with_short_memory(response, fail_at, &whole);
  fuzz_outcome_fini(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv input = inf_sv_of((const char *)data, size);
  inf_buf framed;
  uint8_t flags = fuzz_take(&input);
  uint32_t cut_seed = fuzz_take(&input) + 2u;
  size_t fail_at = fuzz_take(&input);
  fuzz_response response = {
      .options = {.kind = inf_provider_kind_find(INF_SV("bedrock")),
                  .stream = !(flags & 1),
                  .choices = 1,
                  .max_body_bytes = flags & 2 ? 256 : 65536,
                  .max_event_bytes = flags & 2 ? 256 : 16384,
                  .max_depth = 24},
      .http_status = 200,
      .clean_end = true};
  inf_buf_init(&framed, SIZE_MAX);
  fuzz_memory_begin();
  inf_headers_init(&response.headers, 4096);
  if (flags & 1)
    inf_buf_append_sv(&framed, input);
  else
    frame(input, &framed);
  response.body = inf_buf_sv(&framed);
  run(&response, cut_seed, fail_at);
  inf_headers_fini(&response.headers);
  inf_buf_fini(&framed);
  fuzz_memory_end(MAX_BYTES);
  return 0;
}
