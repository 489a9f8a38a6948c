/* SPDX-License-Identifier: MIT */
/* A whole response: four bytes that choose, header lines up to a blank one,
 * the body. In one piece, byte by byte and cut anywhere, with the short way
 * for chunks that are alike and without it, it must come out the same. A
 * failed allocation may end it as short of memory, and changes nothing else.
 * What was cut is no success.
 *
 *   byte 1: bit 0 a stream was asked for; 1 it ends properly; 2 two choices;
 *           3 little room; 4 nothing known of the prompt
 *   byte 2: which HTTP status
 *   byte 3: where it is cut
 *   byte 4: which allocation fails
 *   byte 5: where the kind is a plug-in, which framing */
#include "fuzz/decode.h"

#include <infer/infer.h>
#include <stdlib.h>

#ifdef FUZZ_PLUGIN
#include "support/noisy_plugin.h"
#endif

#ifndef FUZZ_KIND
#define FUZZ_KIND "openai"
#endif

#define MAX_BODY_BYTES  65536
#define MAX_EVENT_BYTES 16384
#define MAX_DEPTH       24
/* Five outcomes live at most two at a time, each with a body, an answer and
 * what was heard of it. */
#define MAX_BYTES ((size_t)8 << 20)

static const int statuses[] = {200, 200, 201, 429, 400, 500, 503, 404};

/* A plug-in, which does what the body says, has a kind for each framing. They
 * are made once, out of the memory that is counted. */
static const inf_provider_kind *
find_kind(inf_sv *input)
{
#ifdef FUZZ_PLUGIN
  static inf_plugin *plugins[INFER_FRAMING_CUSTOM + 1];
  char why[INF_PLUGIN_WHY_MAX];
  size_t framing = fuzz_take(input) % (INFER_FRAMING_CUSTOM + 1);
  infer_provider_descriptor descriptor = noisy_descriptor((int32_t)framing);
  if (!plugins[framing] &&
      inf_plugin_new(&descriptor, &plugins[framing], why) != INFER_OK)
    abort();
  return &plugins[framing]->kind;
#else
  (void)input;
  return inf_provider_kind_find(INF_SV(FUZZ_KIND));
#endif
}

static void
read_response(inf_sv *input, fuzz_response *response, uint32_t *cut_seed,
              size_t *fail_at)
{
  uint8_t flags = fuzz_take(input);
  size_t room = flags & 8 ? 16 : 1;
  *response = (fuzz_response){
      .options = {.stream = flags & 1,
                  .choices = flags & 4 ? 2 : 1,
                  .prompt_bytes = flags & 16 ? 0 : 100,
                  .max_body_bytes = MAX_BODY_BYTES / room / room,
                  .max_event_bytes = MAX_EVENT_BYTES / room / room,
                  .max_depth = MAX_DEPTH},
      .clean_end = flags & 2};
  response->http_status = statuses[fuzz_take(input) % 8];
  *cut_seed = fuzz_take(input) + 2u;
  *fail_at = fuzz_take(input);
  response->options.kind = find_kind(input);
}

static void
read_headers(inf_sv *input, inf_headers *headers)
{
  inf_sv lines = fuzz_take_until(input, "\n\n");
  while (lines.len > 0)
    if (inf_headers_add_line(headers, fuzz_take_until(&lines, "\n")) !=
        INFER_OK)
      break;
}

static void
compare(const fuzz_response *response, uint32_t cut_seed,
        const fuzz_outcome *whole)
{
  fuzz_outcome other;
  fuzz_response full = *response;
  full.options.no_guess = true;
  const fuzz_response *const responses[] = {response, response, &full};
  const uint32_t cuts[] = {FUZZ_BYTEWISE, cut_seed, FUZZ_WHOLE};
  for (size_t i = 0; i < 3; i++) {
    fuzz_decode(responses[i], cuts[i], &other);
    FUZZ_CHECK(fuzz_outcome_same(whole, &other));
    fuzz_outcome_fini(&other);
  }
}

/* A response that ends too early. If that is a success, it came to a proper
 * end before; then the same answer stands in it. */
static void
cut_off(const fuzz_response *response, uint32_t seed, const fuzz_outcome *whole)
{
  fuzz_outcome part;
  fuzz_response cut = *response;
  cut.body.len = cut.body.len > 0 ? (seed * 2654435761u) % cut.body.len : 0;
  cut.clean_end = false;
  fuzz_decode(&cut, FUZZ_WHOLE, &part);
  fuzz_outcome_check(&cut, &part);
#ifndef FUZZ_PLUGIN /* whose bodies do not tell their own end */
  if (part.status == INFER_OK && part.decoder.mode == INF_BODY_WHOLE &&
      whole->status == INFER_OK)
    FUZZ_CHECK(fuzz_outcome_same(whole, &part));
#else
  (void)whole;
#endif
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
  /* A failure stays one, though its class may rest on words for which there
   * was no room (see failure.h). */
  FUZZ_CHECK(whole->status == INFER_OK
                 ? other.status == INFER_OK || other.status == INFER_E_NO_MEMORY
                 : other.status != INFER_OK);
  /* What the listener wrote and the listing are not the decoder's. */
  if (other.status == INFER_OK && other.json.status == INFER_OK &&
      other.heard.text.status == INFER_OK)
    FUZZ_CHECK(whole->status == INFER_OK &&
               inf_sv_eq(inf_buf_sv(&other.json), inf_buf_sv(&whole->json)));
  fuzz_outcome_fini(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv input = inf_sv_of((const char *)data, size);
  fuzz_response response;
  fuzz_outcome whole;
  uint32_t cut_seed;
  size_t fail_at;
  read_response(&input, &response, &cut_seed, &fail_at);
  fuzz_memory_begin();
  inf_headers_init(&response.headers, 4096);
  read_headers(&input, &response.headers);
  response.body = input;
  fuzz_decode(&response, FUZZ_WHOLE, &whole);
  fuzz_outcome_check(&response, &whole);
  compare(&response, cut_seed, &whole);
  cut_off(&response, cut_seed + (uint32_t)size, &whole);
  if (fail_at > 0)
    with_short_memory(&response, fail_at, &whole);
  fuzz_outcome_fini(&whole);
  inf_headers_fini(&response.headers);
  fuzz_memory_end(MAX_BYTES);
  return 0;
}
