/* SPDX-License-Identifier: MIT */
#include "provider/plugin_sink.h"

#include "base/mem.h"
#include "provider/document.h"
#include "provider/plugin_json.h"
#include "wire/utf8.h"

#include <stdio.h>

#define MAX_HINT_MS ((int64_t)366 * 24 * 3600 * 1000)
#define NS_PER_MS   ((int64_t)1000000)

/* ---- Events -------------------------------------------------------------- */

struct infer_provider_event {
  inf_sv data, name, error;
};

const char *
infer_provider_event_data(const infer_provider_event *event, size_t *len)
{
  return inf_plugin_lend(event->data, len);
}

const char *
infer_provider_event_name(const infer_provider_event *event, size_t *len)
{
  return inf_plugin_lend(event->name, len);
}

const char *
infer_provider_event_error(const infer_provider_event *event, size_t *len)
{
  return inf_plugin_lend(event->error, len);
}

/* ---- The sink ------------------------------------------------------------ */

/* A decoded string, which must not move while the hook runs. */
typedef struct decoded {
  struct decoded *next;
  inf_buf text;
} decoded;

struct infer_provider_sink {
  inf_decoder *decoder;
  decoded *texts;
  bool piece; /* of a stream */
  bool ended;
  int32_t status;    /* of what was wrong */
  const char *wrong; /* in words; static */
};

static const infer_provider_descriptor *
plugin_of(const inf_decoder *decoder)
{
  return decoder->options.kind->dialect->hooks;
}

/* The first thing that is wrong is told. */
static void
trouble(infer_provider_sink *sink, int32_t status, const char *wrong)
{
  if (sink->status != INFER_OK)
    return;
  sink->status = status;
  sink->wrong = wrong;
}

static bool
refuse(infer_provider_sink *sink, const char *wrong)
{
  trouble(sink, INFER_E_PROTOCOL, wrong);
  return false;
}

/* After a failure only usage and the end are of interest; an answer that is out
 * of memory says no more what was given of it. */
static bool
is_closed(const infer_provider_sink *sink)
{
  return sink->decoder->failed || sink->status != INFER_OK ||
         sink->decoder->answer->status != INFER_OK;
}

static bool
is_text(infer_provider_sink *sink, inf_sv text)
{
  return inf_utf8_valid(text) || refuse(sink, "gave text that is not UTF-8");
}

/* May something be added to the choice? */
static bool
takes(infer_provider_sink *sink, uint32_t number)
{
  if (is_closed(sink))
    return false;
  if (sink->ended)
    return refuse(sink, "gave more after the end");
  if (number >= sink->decoder->options.choices)
    return refuse(sink, "gave a choice that was not asked for");
  const inf_choice *choice = inf_answer_choice(sink->decoder->answer, number);
  if (choice && choice->finish_reason.len > 0)
    return refuse(sink, "gave more of a choice after its finish reason");
  return true;
}

void *
infer_provider_sink_state(infer_provider_sink *sink)
{
  inf_buf *state = &sink->decoder->carry;
  size_t size = plugin_of(sink->decoder)->state_bytes;
  return size > 0 && state->len == size ? state->ptr : NULL;
}

/* All zero at the first event of a response. */
static bool
make_state(infer_provider_sink *sink)
{
  inf_buf *state = &sink->decoder->carry;
  size_t size = plugin_of(sink->decoder)->state_bytes;
  if (state->len == size)
    return true;
  inf_buf_clear(state);
  if (!inf_buf_reserve(state, size)) {
    trouble(sink, state->status, "");
    return false;
  }
  memset(state->ptr, 0, size + 1);
  state->len = size;
  return true;
}

const char *
infer_provider_sink_decode(infer_provider_sink *sink, const char *json,
                           size_t len, size_t *text_len)
{
  inf_sv value = inf_plugin_text(json, len), text;
  if (!inf_json_is(value, INF_JSON_STRING))
    return inf_plugin_lend(INF_SV(""), text_len);
  if (inf_json_plain(value, &text))
    return inf_plugin_lend(text, text_len);
  /* What there is room for does not move what was decoded before. */
  inf_buf *scratch = &sink->decoder->scratch;
  size_t from = scratch->len;
  if (scratch->cap - from > value.len && inf_json_string(value, scratch))
    return inf_plugin_lend(inf_sv_of(scratch->ptr + from, scratch->len - from),
                           text_len);
  decoded *own = inf_calloc(1, sizeof *own);
  if (own) {
    inf_buf_init(&own->text, SIZE_MAX);
    own->next = sink->texts;
    sink->texts = own;
  }
  if (!own ||
      (!inf_json_string(value, &own->text) && own->text.status != INFER_OK)) {
    trouble(sink, INFER_E_NO_MEMORY, "");
    return inf_plugin_lend(INF_SV(""), text_len);
  }
  return inf_plugin_lend(inf_buf_sv(&own->text), text_len);
}

const char *
infer_provider_sink_document(infer_provider_sink *sink, const char *text,
                             size_t len, size_t *object_len)
{
  inf_sv object = INF_SV("");
  if (!is_closed(sink) &&
      inf_document_body(sink->decoder, inf_plugin_text(text, len), &object,
                        NULL) != INFER_OK)
    object = INF_SV("");
  return inf_plugin_lend_value(object, object_len);
}

/* ---- Content ------------------------------------------------------------- */

void
infer_provider_sink_text(infer_provider_sink *sink, uint32_t choice,
                         const char *text, size_t len)
{
  inf_sv piece = inf_plugin_text(text, len);
  if (takes(sink, choice) && is_text(sink, piece))
    inf_answer_add_text(sink->decoder->answer, choice, piece);
}

void
infer_provider_sink_reasoning(infer_provider_sink *sink, uint32_t choice,
                              const char *text, size_t len)
{
  inf_sv piece = inf_plugin_text(text, len);
  if (takes(sink, choice) && is_text(sink, piece))
    inf_answer_add_reasoning(sink->decoder->answer, choice, piece,
                             "reasoning_content");
}

void
infer_provider_sink_refusal(infer_provider_sink *sink, uint32_t choice,
                            const char *text, size_t len)
{
  inf_sv piece = inf_plugin_text(text, len);
  if (takes(sink, choice) && is_text(sink, piece))
    inf_answer_add_refusal(sink->decoder->answer, choice, piece);
}

void
infer_provider_sink_tool_call(infer_provider_sink *sink, uint32_t number,
                              uint32_t index, const char *id, size_t id_len,
                              const char *name, size_t name_len,
                              const char *arguments, size_t arguments_len)
{
  inf_sv id_text = inf_plugin_text(id, id_len);
  inf_sv name_text = inf_plugin_text(name, name_len);
  inf_sv piece = inf_plugin_text(arguments, arguments_len);
  if (!takes(sink, number) || !is_text(sink, id_text) ||
      !is_text(sink, name_text) || !is_text(sink, piece))
    return;
  const inf_choice *choice = inf_answer_choice(sink->decoder->answer, number);
  size_t count = choice ? choice->tool_call_count : 0;
  if (index > count) {
    refuse(sink, "gave a tool call out of its order");
    return;
  }
  if (index == count && name_text.len == 0) {
    refuse(sink, "began a tool call without a name");
    return;
  }
  /* A new id under a known number would begin another call. */
  if (index < count && choice->tool_calls[index].id.len > 0)
    id_text = INF_SV("");
  inf_answer_add_tool_call(sink->decoder->answer, number, index, id_text,
                           INF_SV("function"), name_text, piece);
}

void
infer_provider_sink_finish(infer_provider_sink *sink, uint32_t number,
                           const char *reason, const char *native,
                           size_t native_len)
{
  inf_sv ours = inf_sv_from(reason);
  inf_sv theirs = inf_plugin_text(native, native_len);
  if (!takes(sink, number) || !is_text(sink, ours) || !is_text(sink, theirs))
    return;
  const inf_choice *choice = inf_answer_choice(sink->decoder->answer, number);
  if (ours.len == 0) {
    ours = inf_map_finish_reason(theirs);
    if (choice && choice->tool_call_count > 0 &&
        inf_sv_eq(ours, INF_SV("stop")))
      ours = INF_SV("tool_calls");
  }
  if (ours.len == 0)
    refuse(sink, "gave a finish reason without a word");
  else
    inf_answer_finish(sink->decoder->answer, number, ours, theirs);
}

/* ---- Beside it ----------------------------------------------------------- */

static int64_t
figure(int64_t number)
{
  return number >= 0 ? number : -1;
}

void
infer_provider_sink_usage(infer_provider_sink *sink, int64_t input,
                          int64_t output, int64_t reasoning, int64_t cache_read,
                          int64_t cache_write)
{
  inf_usage usage = {
      .input = figure(input),
      .output = figure(output),
      .reasoning = figure(reasoning),
      .cache_read = figure(cache_read),
      .cache_write = figure(cache_write),
      .total = -1,
  };
  inf_answer_set_usage(sink->decoder->answer, &usage, INF_SV(""));
}

/* Is it JSON of that type, or of any (INF_JSON_NONE)? */
static bool
is_json(infer_provider_sink *sink, inf_sv text, inf_json_type type, inf_sv *out)
{
  if (inf_json_parse(text, sink->decoder->options.max_depth, out, NULL) &&
      (type == INF_JSON_NONE || inf_json_is(*out, type)))
    return true;
  return refuse(sink, "gave JSON that is none");
}

void
infer_provider_sink_logprobs(infer_provider_sink *sink, uint32_t choice,
                             const char *json, size_t len)
{
  inf_sv list;
  if (!takes(sink, choice) ||
      !is_json(sink, inf_plugin_text(json, len), INF_JSON_ARRAY, &list))
    return;
  if (inf_json_has_items(list))
    inf_answer_add_logprobs(sink->decoder->answer, choice,
                            inf_sv_trim(inf_sv_of(list.ptr + 1, list.len - 2)),
                            false);
}

/* Is it a name between quotes, of a member that has no function? */
static bool
is_extra(infer_provider_sink *sink, inf_sv name, const char *const *known)
{
  inf_sv value;
  inf_buf text;
  for (; *known; known++)
    if (inf_sv_eq(name, inf_sv_from(*known)))
      return false;
  inf_buf_init(&text, SIZE_MAX);
  inf_buf_append_char(&text, '"');
  inf_buf_append_sv(&text, name);
  inf_buf_append_char(&text, '"');
  bool valid = text.status == INFER_OK && name.len > 0 &&
               is_json(sink, inf_buf_sv(&text), INF_JSON_STRING, &value);
  if (text.status != INFER_OK)
    trouble(sink, text.status, "");
  else if (name.len == 0)
    refuse(sink, "gave a member without a name");
  inf_buf_fini(&text);
  return valid;
}

void
infer_provider_sink_message_extra(infer_provider_sink *sink, uint32_t choice,
                                  const char *name, size_t name_len,
                                  const char *json, size_t len)
{
  static const char *const known[] = {
      "role",     "content",   "refusal",           "tool_calls",
      "logprobs", "reasoning", "reasoning_content", NULL};
  inf_sv value, key = inf_plugin_text(name, name_len);
  if (takes(sink, choice) && is_extra(sink, key, known) &&
      is_json(sink, inf_plugin_text(json, len), INF_JSON_NONE, &value))
    inf_answer_set_message_extra(sink->decoder->answer, choice, key, value,
                                 sink->piece);
}

void
infer_provider_sink_extra(infer_provider_sink *sink, const char *name,
                          size_t name_len, const char *json, size_t len)
{
  static const char *const known[] = {"id",      "object", "created", "model",
                                      "choices", "usage",  NULL};
  inf_sv value, key = inf_plugin_text(name, name_len);
  if (!is_closed(sink) && is_extra(sink, key, known) &&
      is_json(sink, inf_plugin_text(json, len), INF_JSON_NONE, &value))
    inf_answer_set_extra(sink->decoder->answer, key, value);
}

void
infer_provider_sink_created(infer_provider_sink *sink, int64_t seconds)
{
  if (!is_closed(sink))
    inf_answer_set_created(sink->decoder->answer, seconds);
}

void
infer_provider_sink_id(infer_provider_sink *sink, const char *id, size_t len)
{
  inf_sv text = inf_plugin_text(id, len);
  if (!is_closed(sink) && is_text(sink, text))
    inf_answer_set_id(sink->decoder->answer, text);
}

void
infer_provider_sink_model(infer_provider_sink *sink, const char *model,
                          size_t len)
{
  inf_sv text = inf_plugin_text(model, len);
  if (!is_closed(sink) && is_text(sink, text))
    inf_answer_set_model(sink->decoder->answer, text);
}

void
infer_provider_sink_end(infer_provider_sink *sink)
{
  sink->ended = true;
}

bool
inf_plugin_may_say(int32_t status)
{
  static const int32_t classes[] = {
      INFER_E_OVERLOADED,     INFER_E_SERVER,
      INFER_E_RATE_LIMITED,   INFER_E_QUOTA,
      INFER_E_AUTH,           INFER_E_NOT_FOUND,
      INFER_E_CONTEXT_LENGTH, INFER_E_REQUEST_TOO_LARGE,
      INFER_E_CONTENT_FILTER, INFER_E_BAD_REQUEST,
      INFER_E_PROTOCOL,
  };
  for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
    if (classes[i] == status)
      return true;
  return false;
}

void
infer_provider_sink_fail(infer_provider_sink *sink, int32_t status,
                         const char *message, size_t len, const char *code,
                         int64_t hint_ms)
{
  inf_decoder *decoder = sink->decoder;
  if (is_closed(sink))
    return;
  if (!inf_plugin_may_say(status)) {
    refuse(sink, "reported a failure of a class that providers do not have");
    return;
  }
  inf_decoder_fail(decoder, status, "");
  inf_failure_set_text(&decoder->failure.message,
                       inf_plugin_text(message, len));
  inf_failure_set_text(&decoder->failure.code, inf_sv_from(code));
  if (hint_ms >= 0)
    decoder->failure.hint_ns =
        (hint_ms < MAX_HINT_MS ? hint_ms : MAX_HINT_MS) * NS_PER_MS;
}

void
infer_provider_sink_fail_json(infer_provider_sink *sink, const char *json,
                              size_t len)
{
  inf_sv value;
  if (!is_closed(sink) &&
      is_json(sink, inf_plugin_text(json, len), INF_JSON_NONE, &value))
    inf_document_fail(sink->decoder, value);
}

/* ---- The hooks ----------------------------------------------------------- */

static void
free_texts(infer_provider_sink *sink)
{
  for (decoded *text = sink->texts, *next; text; text = next) {
    next = text->next;
    inf_buf_fini(&text->text);
    inf_free(text);
  }
}

/* Ends the decoder by what the plug-in did; gives status. */
static int32_t
fail_by(inf_decoder *decoder, int32_t status, const char *wrong)
{
  char text[192];
  snprintf(text, sizeof text, "the plug-in of type \"%s\" %s",
           decoder->options.kind->type, wrong);
  return inf_decoder_fail(decoder, status, wrong[0] ? text : "");
}

/* After a hook: what the decoder is told. */
static int32_t
settle(infer_provider_sink *sink, int32_t status)
{
  char wrong[64];
  inf_decoder *decoder = sink->decoder;
  free_texts(sink);
  if (decoder->failed)
    return decoder->failure.status;
  if (sink->status != INFER_OK)
    return fail_by(decoder, sink->status, sink->wrong);
  if (status == INFER_OK || status == INFER_E_PROTOCOL)
    return status;
  if (status == INFER_E_NO_MEMORY)
    return inf_decoder_fail(decoder, status, "");
  snprintf(wrong, sizeof wrong, "gave %d, which it must not", (int)status);
  return fail_by(decoder, INFER_E_PROTOCOL, wrong);
}

/* Every choice has ended, or the plug-in says that all has. */
static bool
is_whole(const infer_provider_sink *sink)
{
  const inf_answer *answer = sink->decoder->answer;
  for (size_t i = 0; i < answer->choice_count; i++)
    if (answer->choices[i].finish_reason.len == 0)
      return false;
  return answer->choice_count >= sink->decoder->options.choices;
}

int32_t
inf_plugin_read_body(inf_decoder *decoder, inf_sv body)
{
  const infer_provider_descriptor *plugin = plugin_of(decoder);
  infer_provider_sink sink = {.decoder = decoder};
  int32_t status = INFER_E_NO_MEMORY;
  inf_buf_clear(&decoder->scratch);
  if (make_state(&sink))
    status = plugin->read_answer(plugin->user_data,
                                 body.len > 0 ? body.ptr : "", body.len, &sink);
  /* Only the plug-in knows whether the body of a broken connection is whole. */
  bool whole = sink.ended || (is_whole(&sink) && !decoder->cut);
  status = settle(&sink, status);
  if (decoder->failed)
    return status;
  if (status != INFER_OK)
    return inf_decoder_fail(decoder, status, "the answer cannot be read");
  if (decoder->answer->status != INFER_OK) /* the decoder looks at it */
    return INFER_OK;
  if (decoder->answer->choice_count == 0)
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "there is nothing in the answer");
  return whole ? INFER_OK
               : inf_decoder_fail(decoder, INFER_E_TRUNCATED,
                                  "the answer does not say that it is done");
}

/* Text that is text, and JSON that is JSON: INFER_OK or what the decoder is
 * told of the event. */
static int32_t
check_event(infer_provider_sink *sink, inf_sv *text)
{
  inf_decoder *decoder = sink->decoder;
  switch (decoder->options.kind->dialect->framing) {
  case INF_FRAMING_NDJSON:
  case INF_FRAMING_JSON_ARRAY:
    return inf_document_begin(decoder, *text, text, NULL);
  case INF_FRAMING_SSE:
    if (inf_utf8_valid(*text))
      return INFER_OK;
    inf_buf_clear(&decoder->repaired);
    if (!inf_utf8_append_lossy(&decoder->repaired, *text))
      return inf_decoder_fail(decoder, decoder->repaired.status, "");
    *text = inf_buf_sv(&decoder->repaired);
    return INFER_OK;
  default:
    return INFER_OK;
  }
}

int32_t
inf_plugin_read_event(inf_decoder *decoder, const inf_sse_event *sse)
{
  const infer_provider_descriptor *plugin = plugin_of(decoder);
  infer_provider_sink sink = {.decoder = decoder, .piece = true};
  infer_provider_event event = {sse->data, sse->event, sse->error};
  inf_buf_clear(&decoder->scratch);
  int32_t status = check_event(&sink, &event.data);
  if (status != INFER_OK)
    return status;
  status = make_state(&sink)
               ? plugin->read_event(plugin->user_data, &event, &sink)
               : INFER_E_NO_MEMORY;
  status = settle(&sink, status);
  if (!sink.ended)
    return status;
  decoder->terminated = true;
  return INF_DECODER_DONE;
}

int64_t
inf_plugin_split(const void *context, inf_sv bytes)
{
  const inf_provider_kind *kind = context;
  const infer_provider_descriptor *plugin = kind->dialect->hooks;
  return plugin->split(plugin->user_data, bytes.ptr, bytes.len);
}
