/* SPDX-License-Identifier: MIT */
/* The dialect of replays: see replay_dialect.h. */

#include "replay_dialect.h"

#include "sim_mem.h"

#include "base/mem.h"
#include "wire/json_scan.h"

#include <stdio.h>
#include <stdlib.h>

/* Before the place in a message. No request has it for another reason. */
static const char mark_text[] = "infer replay:";

size_t
inf_replay_mark(uint64_t place, char out[INF_REPLAY_MARK_BYTES])
{
  int len = snprintf(out, INF_REPLAY_MARK_BYTES, "%s%llu;", mark_text,
                     (unsigned long long)place);
  return (size_t)len;
}

/* ---- Text ---------------------------------------------------------------- */

const char *
inf_replay_filler(uint32_t tokens)
{
  static char *text;
  static size_t tokens_there;
  static const char word[] = "the "; /* one token for most tokenizers */
  if (tokens > tokens_there) {
    size_t count = tokens_there > 0 ? tokens_there : 1024;
    while (count < tokens) {
      count *= 2;
    }
    text = inf_sim_realloc(text, count * INF_REPLAY_BYTES_PER_TOKEN);
    for (size_t i = tokens_there; i < count; i++) {
      memcpy(text + i * INF_REPLAY_BYTES_PER_TOKEN, word,
             INF_REPLAY_BYTES_PER_TOKEN);
    }
    tokens_there = count;
  }
  return text ? text : "";
}

void
inf_replay_put_text(inf_buf *body, uint32_t tokens)
{
  size_t len = (size_t)tokens * INF_REPLAY_BYTES_PER_TOKEN;
  inf_buf_append(body, "data:", 5);
  inf_buf_append(body, inf_replay_filler(tokens), len);
  inf_buf_append(body, "\n\n", 2);
}

static void
put_numbers(inf_buf *body, uint32_t prompt, uint32_t answer, int64_t cached,
            char between)
{
  inf_buf_append_uint(body, prompt);
  inf_buf_append_char(body, between);
  inf_buf_append_uint(body, answer);
  inf_buf_append_char(body, between);
  inf_buf_append_int(body, cached);
}

void
inf_replay_put_end(inf_buf *body, uint32_t prompt, uint32_t answer,
                   int64_t cached)
{
  inf_buf_append(body, "data:. ", 7);
  put_numbers(body, prompt, answer, cached, ' ');
  inf_buf_append(body, "\n\n", 2);
}

void
inf_replay_put_whole(inf_buf *body, uint32_t prompt, uint32_t answer,
                     int64_t cached)
{
  inf_buf_append_char(body, '[');
  put_numbers(body, prompt, answer, cached, ',');
  inf_buf_append_char(body, ']');
}

/* ---- Requests ------------------------------------------------------------ */

/* "replay-3": 3. */
static unsigned
key_number(inf_sv key)
{
  size_t at = key.len;
  while (at > 0 && key.ptr[at - 1] >= '0' && key.ptr[at - 1] <= '9') {
    at--;
  }
  return at < key.len ? (unsigned)strtoul(key.ptr + at, NULL, 10) : 0;
}

static int32_t
write_chat(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  (void)why;
  const inf_sv messages = inf_buf_sv(&send->chat->messages);
  const size_t mark_len = sizeof(mark_text) - 1;
  const char *at = messages.len > 0
                       ? memmem(messages.ptr, messages.len, mark_text, mark_len)
                       : NULL;
  inf_wire_request_clear(out);
  inf_buf_append_sv(&out->url, send->base_url);
  inf_buf_append_uint(&out->body, at ? strtoull(at + mark_len, NULL, 10) : 0);
  inf_buf_append_char(&out->body, ' ');
  inf_buf_append_uint(&out->body, key_number(send->key));
  inf_buf_append_cstr(&out->body, send->stream ? " stream " : " whole ");
  inf_buf_append_uint(&out->body, (uint64_t)send->partial_tokens);
  inf_buf_append_char(&out->body, ' ');
  inf_buf_append_sv(&out->body, send->model);
  return out->url.status == INFER_OK ? out->body.status : out->url.status;
}

static int32_t
write_models(const inf_send *send, inf_wire_request *out)
{
  (void)send;
  (void)out;
  return INFER_E_UNSUPPORTED;
}

bool
inf_replay_read_ask(inf_sv body, inf_replay_ask *ask)
{
  char *at;
  if (body.len == 0 || body.ptr[0] < '0' || body.ptr[0] > '9') {
    return false;
  }
  ask->place = strtoull(body.ptr, &at, 10);
  ask->key = (unsigned)strtoul(at, &at, 10);
  ask->stream = strncmp(at, " stream ", 8) == 0;
  at = strchr(at + 1, ' ');
  if (!at) {
    return false;
  }
  ask->prior_tokens = (uint32_t)strtoul(at, &at, 10);
  if (*at != ' ') {
    return false;
  }
  at++;
  ask->model = inf_sv_of(at, body.len - (size_t)(at - body.ptr));
  return true;
}

/* ---- Answers ------------------------------------------------------------- */

static int32_t
finish(inf_decoder *decoder, long long prompt, long long answer,
       long long cached)
{
  const inf_sv stop = INF_SV("stop");
  const inf_usage usage = {
      .input = prompt,
      .output = answer,
      .reasoning = -1,
      .cache_read = cached,
      .cache_write = -1,
      .total = prompt + answer,
  };
  inf_answer_finish(decoder->answer, 0, stop, stop);
  inf_answer_set_usage(decoder->answer, &usage, INF_SV("{}"));
  return INF_DECODER_DONE;
}

static int32_t
read_body(inf_decoder *decoder, inf_sv body)
{
  int64_t numbers[3];
  for (size_t i = 0; i < 3; i++) {
    if (!inf_json_int64(inf_json_at(body, i), false, &numbers[i])) {
      return inf_decoder_fail(decoder, INFER_E_PROTOCOL, "not an answer");
    }
  }
  uint32_t tokens = numbers[1] > 0 ? (uint32_t)numbers[1] : 0;
  inf_answer_add_text(decoder->answer, 0,
                      inf_sv_of(inf_replay_filler(tokens),
                                (size_t)tokens * INF_REPLAY_BYTES_PER_TOKEN));
  finish(decoder, numbers[0], numbers[1], numbers[2]);
  return INFER_OK;
}

static int32_t
read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  if (event->data.len == 0) {
    return INFER_E_PROTOCOL;
  }
  if (event->data.ptr[0] != '.') {
    inf_answer_add_text(decoder->answer, 0, event->data);
    return INFER_OK;
  }
  char text[80], *at = text;
  size_t len = event->data.len < sizeof(text) ? event->data.len : 0;
  memcpy(text, event->data.ptr, len);
  text[len] = '\0';
  long long prompt = strtoll(text + (len > 0), &at, 10);
  long long answer = strtoll(at, &at, 10);
  return finish(decoder, prompt, answer, strtoll(at, NULL, 10));
}

static const inf_dialect replay_dialect = {
    .name = "replay",
    .write_chat = write_chat,
    .write_models = write_models,
    .read_body = read_body,
    .read_event = read_event,
};

inf_provider_kind *
inf_replay_speak(struct infer_client *client)
{
  inf_config *config = client->config;
  inf_provider_kind *kinds =
      inf_calloc(config->provider_count + 1, sizeof(*kinds));
  for (size_t i = 0; kinds && i < config->provider_count; i++) {
    kinds[i] = *config->providers[i].kind;
    kinds[i].dialect = &replay_dialect;
    kinds[i].request_id_headers = "";
    config->providers[i].kind = &kinds[i];
  }
  return kinds;
}
