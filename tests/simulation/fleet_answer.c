/* SPDX-License-Identifier: MIT */
/* The bytes of an answer: written as a whole, then damaged, then cut into what
 * arrives when.
 *
 * The content comes in chunks of one to sixteen letters. What counts as a
 * proper end is noted beside it: bytes up to the end of the JSON that has the
 * finish reason, or the whole of a body. */
#include "fleet.h"

#include <math.h>
#include <stdio.h>

enum { max_chunks = 4096 };

/* An answer that is being written. */
typedef struct draft_answer {
  fleet_provider *provider;
  const fleet_ask *ask;
  inf_buf *body;
  uint32_t text_len;
  size_t count;
  uint64_t now_ns;   /* of what is written next */
  size_t whole_end;  /* a body of so many bytes has a proper end */
  bool failed;       /* an error stands within it */
  size_t usage_end;  /* a body of so many bytes tells the tokens; 0 */
  uint64_t pico_usd; /* for those tokens */
  size_t data_len, prefix_len, chunk_len;
  char prefix[256]; /* of every chunk: the field's name, its JSON up to the
                     * choices, and up to the text of the first of them */
  /* Chunk i of the body ends at ends[i] and is there at at_ns[i]. */
  size_t ends[max_chunks];
  uint64_t at_ns[max_chunks];
} draft_answer;

/* Large, and only one at a time is written. */
static draft_answer the_draft;

/* ---- Writing ------------------------------------------------------------- */

static void
put(draft_answer *draft, const char *text)
{
  inf_buf_append(draft->body, text, strlen(text));
}

/* What was written so far arrives now; past the table's end, together. */
static void
cut_here(draft_answer *draft)
{
  if (draft->count == max_chunks)
    draft->count--;
  draft->ends[draft->count] = draft->body->len;
  draft->at_ns[draft->count++] = draft->now_ns;
}

static const char *
field_of(const draft_answer *draft)
{
  return draft->provider->params.tight ? "data:" : "data: ";
}

static void
begin_event(draft_answer *draft)
{
  put(draft, field_of(draft));
}

static void
end_event(draft_answer *draft)
{
  put(draft, draft->provider->params.crlf ? "\r\n\r\n" : "\n\n");
  cut_here(draft);
}

/* Of an echo the letters are those that it was given. */
static void
take_letters(const draft_answer *draft, uint32_t from, uint32_t to,
             char *letters)
{
  const fleet_ask *ask = draft->ask;
  for (; from < to && from < ask->prefill.len; from++)
    *letters++ = ask->prefill.ptr[from];
  ledger_letters(ask->number, ask->attempt, from, to - from, letters);
}

/* Some send what they were given once more. An echo of fewer bytes than the
 * library takes for one is not sent by any that accepts so little. */
static uint32_t
first_pos(const draft_answer *draft)
{
  enum { shortest_echo = 16 };
  size_t len = draft->ask->prefill.len;
  bool echoes = draft->provider->params.echoes && len >= shortest_echo;
  return echoes ? 0 : (uint32_t)len;
}

/* At most sixteen letters. */
static void
put_text(draft_answer *draft, uint32_t from, uint32_t to)
{
  static const char hex[] = "0123456789abcdef";
  char letters[16], text[sizeof letters * 6];
  size_t len = 0;
  take_letters(draft, from, to, letters);
  if (!draft->provider->params.escapes) {
    inf_buf_append(draft->body, letters, to - from);
    return;
  }
  for (uint32_t i = from; i < to; i++) {
    char letter = letters[i - from];
    if (i % 5 == 0) {
      memcpy(text + len, "\\u00", 4);
      text[len + 4] = hex[letter >> 4 & 15];
      text[len + 5] = hex[letter & 15];
      len += 6;
    } else {
      text[len++] = letter;
    }
  }
  inf_buf_append(draft->body, text, len);
}

/* Every chunk begins alike, so that it is written once and copied. */
static void
write_prefix(draft_answer *draft)
{
  static const char name[] = "{\"id\":\"chatcmpl-",
                    object[] = "\",\"object\":\"";
  static const char *const kinds[] = {"chat.completion",
                                      "chat.completion.chunk"};
  inf_buf prefix;
  inf_buf_init(&prefix, sizeof draft->prefix);
  inf_buf_lend(&prefix, draft->prefix, sizeof draft->prefix);
  inf_buf_append_cstr(&prefix, field_of(draft));
  draft->data_len = prefix.len;
  inf_buf_append(&prefix, name, sizeof name - 1);
  inf_buf_append_uint(&prefix, draft->ask->number);
  inf_buf_append_char(&prefix, '-');
  inf_buf_append_uint(&prefix, draft->ask->attempt);
  inf_buf_append(&prefix, object, sizeof object - 1);
  inf_buf_append_cstr(&prefix, kinds[draft->ask->stream]);
  inf_buf_append_cstr(&prefix, "\",\"created\":1767225600,\"model\":\"m\","
                               "\"choices\":[");
  draft->prefix_len = prefix.len;
  inf_buf_append_cstr(&prefix, "{\"index\":0,\"delta\":{\"content\":\"");
  draft->chunk_len = prefix.len;
  inf_buf_fini(&prefix);
}

static void
put_prefix(draft_answer *draft)
{
  inf_buf_append(draft->body, draft->prefix + draft->data_len,
                 draft->prefix_len - draft->data_len);
}

static void
put_usage(draft_answer *draft)
{
  uint32_t input = draft->ask->prompt_tokens, output = draft->text_len / 4 + 1;
  put(draft, "\"usage\":{\"prompt_tokens\":");
  inf_buf_append_uint(draft->body, input);
  put(draft, ",\"completion_tokens\":");
  inf_buf_append_uint(draft->body, output);
  put(draft, ",\"total_tokens\":");
  inf_buf_append_uint(draft->body, input + output);
  put(draft, "}");
  draft->pico_usd = (uint64_t)input * draft->provider->params.price_input +
                    (uint64_t)output * draft->provider->params.price_output;
}

/* ---- A stream ------------------------------------------------------------ */

static void
write_chunk(draft_answer *draft, uint32_t from, uint32_t to)
{
  inf_buf_append(draft->body, draft->prefix, draft->chunk_len);
  put_text(draft, from, to);
  put(draft, draft->provider->params.crlf
                 ? "\"},\"finish_reason\":null}]}\r\n\r\n"
                 : "\"},\"finish_reason\":null}]}\n\n");
  cut_here(draft);
}

static void
write_oddities(draft_answer *draft)
{
  const fleet_params *params = &draft->provider->params;
  if (params->comments && dice_chance(&draft->provider->rng, 200)) {
    put(draft, ": OPENROUTER PROCESSING");
    end_event(draft);
  }
  if (dice_chance(&draft->provider->rng, params->malformed)) {
    begin_event(draft);
    put(draft, "{\"id\":\"chatcmpl-1\",\"choices\":[{\"delta\":{\"content\":");
    end_event(draft);
  }
}

static void
write_error_event(draft_answer *draft)
{
  begin_event(draft);
  put(draft, "{\"error\":{\"message\":\"The server had an error\",\"type\":"
             "\"server_error\",\"code\":500}}");
  end_event(draft);
  draft->failed = true;
}

static void
write_content(draft_answer *draft)
{
  fleet_provider *provider = draft->provider;
  const fleet_params *params = &provider->params;
  inf_rng *rng = &provider->rng;
  uint32_t chunks = draft->text_len / 8 + 1;
  uint32_t pos = first_pos(draft);
  uint32_t error_at = dice_chance(rng, params->error_in_stream)
                          ? dice_below(rng, chunks)
                          : UINT32_MAX;
  for (uint32_t i = 0; pos < draft->text_len; i++) {
    if (params->comments || params->malformed)
      write_oddities(draft);
    if (i == error_at) {
      write_error_event(draft);
      return;
    }
    uint32_t to = pos + dice_between(rng, 1, 16);
    to = to > draft->text_len ? draft->text_len : to;
    write_chunk(draft, pos, to);
    draft->now_ns += dice_below(rng, (uint32_t)params->per_token_ns * 2);
    pos = to;
  }
}

static void
write_stream_end(draft_answer *draft)
{
  const fleet_params *params = &draft->provider->params;
  inf_rng *rng = &draft->provider->rng;
  begin_event(draft);
  put_prefix(draft);
  put(draft, "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}");
  draft->whole_end = draft->body->len;
  end_event(draft);
  if (!dice_chance(rng, params->no_usage)) {
    begin_event(draft);
    put_prefix(draft);
    put(draft, "],");
    put_usage(draft);
    put(draft, "}");
    end_event(draft);
    draft->usage_end = draft->body->len;
  }
  if (dice_chance(rng, params->no_done))
    return;
  begin_event(draft);
  put(draft, "[DONE]");
  end_event(draft);
}

static void
write_stream(draft_answer *draft)
{
  draft->whole_end = SIZE_MAX;
  write_prefix(draft);
  if (dice_chance(&draft->provider->rng, 500)) {
    begin_event(draft);
    put_prefix(draft);
    put(draft, "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":"
               "\"\"},\"finish_reason\":null}]}");
    end_event(draft);
  }
  write_content(draft);
  if (!draft->failed)
    write_stream_end(draft);
}

/* ---- A whole body -------------------------------------------------------- */

static void
write_whole(draft_answer *draft)
{
  uint32_t pos = first_pos(draft);
  write_prefix(draft);
  put_prefix(draft);
  put(draft, "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
  for (; pos < draft->text_len; pos += 16) {
    uint32_t to = pos + 16;
    put_text(draft, pos, to < draft->text_len ? to : draft->text_len);
  }
  put(draft, "\"},\"finish_reason\":\"stop\"}]");
  bool tells_usage =
      !dice_chance(&draft->provider->rng, draft->provider->params.no_usage);
  if (tells_usage) {
    put(draft, ",");
    put_usage(draft);
  }
  put(draft, "}");
  draft->usage_end = tells_usage ? draft->body->len : 0;
  draft->whole_end = draft->body->len;
  draft->now_ns += draft->text_len / 8 * draft->provider->params.per_token_ns;
  cut_here(draft);
}

/* ---- Damage and delivery ------------------------------------------------- */

static void
damage(draft_answer *draft, inf_virtual_answer *answer)
{
  const fleet_params *params = &draft->provider->params;
  inf_rng *rng = &draft->provider->rng;
  bool cut = true;
  if (dice_chance(rng, params->cut))
    answer->end = INF_VIRTUAL_CUT;
  else if (dice_chance(rng, params->reset))
    answer->end = INF_VIRTUAL_RESET;
  else if (dice_chance(rng, params->stall))
    answer->end = INF_VIRTUAL_NEVER;
  else
    cut = dice_chance(rng, params->cut / 4); /* by a clean end */
  if (!cut)
    return;
  /* Often near the end, where the end marks are. */
  size_t len = draft->body->len;
  size_t back = dice_below(rng, (uint32_t)len + 1);
  if (dice_chance(rng, 300))
    back = dice_below(rng, back < 200 ? (uint32_t)back + 1 : 200);
  inf_buf_truncate(draft->body, len - back);
}

static void
deliver(const draft_answer *draft, inf_virtual_answer *answer)
{
  const fleet_params *params = &draft->provider->params;
  inf_rng *rng = &draft->provider->rng;
  size_t len = draft->body->len, from = 0;
  fleet_pieces pieces = params->pieces;
  if (pieces == FLEET_BY_BYTE && !dice_chance(rng, 50))
    pieces = FLEET_ANYWHERE; /* one is enough, and there are many bytes */
  for (size_t i = 0; i < draft->count && from < len; i++) {
    size_t end = draft->ends[i] < len ? draft->ends[i] : len;
    uint64_t at_ns = draft->at_ns[i];
    if (pieces == FLEET_IN_ONE)
      continue;
    if (pieces == FLEET_BY_BYTE)
      for (; from < end; from++)
        inf_virtual_piece_at(answer, at_ns + from * 50000, from + 1);
    if (pieces == FLEET_ANYWHERE && end > from)
      inf_virtual_piece_at(answer, at_ns,
                           from + dice_below(rng, (uint32_t)(end - from)));
    if (pieces != FLEET_ANYWHERE || dice_chance(rng, 300))
      inf_virtual_piece_at(answer, at_ns, end);
    from = end;
  }
  inf_virtual_piece_at(answer, draft->now_ns, len);
  answer->end_ns = draft->now_ns;
}

/* As `infer sim` draws it (Box and Muller), for what is compared with it. */
static uint64_t
exact_lognormal(inf_rng *rng, uint64_t median_ns, uint32_t sigma)
{
  static const double two_pi = 6.28318530717958647692;
  double radius = sqrt(-2 * log(1 - inf_rng_double(rng)));
  double z = radius * cos(two_pi * inf_rng_double(rng));
  return (uint64_t)((double)median_ns * exp(z * sigma / DICE_ONE));
}

static uint64_t
first_ns(fleet_provider *provider, const fleet_ask *ask)
{
  const fleet_params *params = &provider->params;
  uint64_t median_ns =
      params->first_ns + ask->prompt_tokens * params->per_prompt_token_ns;
  if (provider->regime == FLEET_SLOW)
    median_ns *= 8;
  if (params->stragglers > 0 && dice_chance(&provider->rng, params->stragglers))
    median_ns *= 10;
  if (params->exact && params->sigma == 0)
    return median_ns;
  if (params->exact)
    return exact_lognormal(&provider->rng, median_ns, params->sigma);
  return dice_lognormal(&provider->rng, median_ns, params->sigma);
}

void
fleet_write_answer(fleet_provider *provider, const fleet_ask *asked,
                   ledger_attempt *entry, inf_virtual_answer *answer)
{
  fleet_ask ask = *asked;
  inf_rng *rng = &provider->rng;
  draft_answer *draft = &the_draft;
  memset(draft, 0, offsetof(draft_answer, prefix));
  draft->provider = provider;
  draft->ask = &ask;
  draft->body = &answer->body;
  uint32_t more =
      (uint32_t)dice_log_between(rng, 1, provider->params.tokens_max * 8);
  if (dice_chance(rng, provider->params.long_answers))
    more = dice_between(rng, 8000, 25000);
  draft->text_len = (uint32_t)ask.prefill.len + more;
  inf_buf_reserve(draft->body, (size_t)more * 22 + 1024); /* or less */
  draft->now_ns = first_ns(provider, &ask);
  if (dice_chance(rng, provider->params.wrong_kind))
    ask.stream = !ask.stream;
  answer->status = 200;
  answer->headers_ns = draft->now_ns / dice_between(rng, 1, 4);
  if (provider->params.exact)
    answer->headers_ns = draft->now_ns;
  inf_headers_add_line(&answer->headers,
                       ask.stream ? INF_SV("Content-Type: text/event-stream")
                                  : INF_SV("Content-Type: application/json"));
  char id[64];
  int len = snprintf(id, sizeof id, "X-Request-Id: %llu-%u",
                     (unsigned long long)ask.number, (unsigned)ask.attempt);
  inf_headers_add_line(&answer->headers, inf_sv_of(id, (size_t)len));
  if (ask.stream)
    write_stream(draft);
  else
    write_whole(draft);
  if (dice_chance(rng, provider->params.empty))
    inf_buf_clear(draft->body);
  damage(draft, answer);
  deliver(draft, answer);
  entry->text_len = draft->text_len;
  entry->whole_end = draft->whole_end;
  entry->usage_end = draft->usage_end;
  entry->nano_usd = (int64_t)((draft->pico_usd + 500) / 1000);
  entry->whole = !draft->failed && draft->body->len >= draft->whole_end;
}
