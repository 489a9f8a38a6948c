/* SPDX-License-Identifier: MIT */
/* One response, from its first byte to its end: what is the same in all
 * dialects. Whether the bytes are events or one document is told by how they
 * begin and not by the content type, which servers get wrong. */
#include "provider/dialect.h"

#include "base/mem.h"
#include "base/place.h"
#include "provider/error_body.h"

#include "infer/infer.h"

/* So much of an error body is kept; what says why is at its beginning. */
#define MAX_ERROR_BODY_BYTES ((size_t)64 << 10)
#define MAX_HEADERS_BYTES    ((size_t)256 << 10)
/* Buffers that are larger are not kept for the next response. */
#define KEEP_BYTES ((size_t)64 << 10)
/* The body is looked at in pieces of this size until it is clear what it is;
 * the longest beginning that is not yet clear is "retry". */
#define SNIFF_BYTES 16
/* For the estimate of usage that a provider did not send: the usual rule of
 * thumb for English text. */
#define BYTES_PER_TOKEN 4

static size_t
body_limit(const inf_decoder *decoder)
{
  const size_t least = (size_t)4 * SNIFF_BYTES;
  size_t max = decoder->options.max_body_bytes;
  return max > least ? max : least;
}

static void
begin(inf_decoder *decoder, const inf_decoder_options *options,
      inf_answer *answer)
{
  decoder->options = *options;
  if (decoder->options.choices == 0)
    decoder->options.choices = 1;
  decoder->answer = answer;
  decoder->body.max = body_limit(decoder);
}

void
inf_decoder_init(inf_decoder *decoder, const inf_decoder_options *options,
                 inf_answer *answer)
{
  *decoder = (inf_decoder){0};
  inf_failure_init(&decoder->failure);
  inf_headers_init(&decoder->headers, MAX_HEADERS_BYTES);
  inf_sse_init(&decoder->sse, options->max_event_bytes);
  inf_buf_init(&decoder->scratch, SIZE_MAX);
  inf_buf_init(&decoder->repaired, SIZE_MAX);
  inf_buf_init(&decoder->carry, SIZE_MAX);
  inf_guess_init(&decoder->guess);
  begin(decoder, options, answer);
}

void
inf_decoder_reuse(inf_decoder *decoder, const inf_decoder_options *options,
                  inf_answer *answer)
{
  const size_t kept = offsetof(inf_decoder, options);
  if (decoder->mode == INF_BODY_FRAMES)
    inf_frames_begin(decoder->frames, INF_FRAMING_SSE, 0, 0, KEEP_BYTES);
  memset((char *)decoder + kept, 0, sizeof *decoder - kept);
  inf_failure_clear(&decoder->failure);
  inf_headers_clear(&decoder->headers);
  inf_sse_reuse(&decoder->sse, options->max_event_bytes, KEEP_BYTES);
  inf_buf_reuse(&decoder->body, SIZE_MAX, KEEP_BYTES);
  inf_buf_reuse(&decoder->scratch, SIZE_MAX, KEEP_BYTES);
  inf_buf_reuse(&decoder->repaired, SIZE_MAX, KEEP_BYTES);
  inf_buf_reuse(&decoder->carry, SIZE_MAX, KEEP_BYTES);
  inf_guess_reuse(&decoder->guess);
  begin(decoder, options, answer);
}

void
inf_decoder_fini(inf_decoder *decoder)
{
  inf_failure_fini(&decoder->failure);
  inf_headers_fini(&decoder->headers);
  inf_sse_fini(&decoder->sse);
  if (decoder->frames)
    inf_frames_fini(decoder->frames);
  inf_free(decoder->frames);
  inf_buf_fini(&decoder->body);
  inf_buf_fini(&decoder->scratch);
  inf_buf_fini(&decoder->repaired);
  inf_buf_fini(&decoder->carry);
  inf_guess_fini(&decoder->guess);
}

INF_COLD int32_t
inf_decoder_fail(inf_decoder *decoder, int32_t status, const char *message)
{
  inf_sv id;
  inf_failure *failure = &decoder->failure;
  inf_failure_clear(failure);
  failure->status = status;
  failure->http_status = decoder->http_status;
  inf_failure_set_text(&failure->message, inf_sv_from(message));
  if (inf_find_request_id(decoder->options.kind, &decoder->headers, &id))
    inf_failure_set_text(&failure->request_id, id);
  decoder->failed = true;
  return status;
}

int32_t
inf_decoder_headers(inf_decoder *decoder, int http_status,
                    const inf_headers *headers, int64_t wall_now_ns)
{
  inf_sv id;
  inf_headers_clear(&decoder->headers);
  decoder->http_status = http_status;
  decoder->wall_now_ns = wall_now_ns;
  decoder->failure.http_status = http_status;
  if (!inf_buf_append_sv(&decoder->headers.text, inf_buf_sv(&headers->text)))
    return inf_decoder_fail(decoder, decoder->headers.text.status,
                            "the response's headers are too large");
  decoder->headers.count = headers->count;
  if (inf_find_request_id(decoder->options.kind, &decoder->headers, &id))
    inf_failure_set_text(&decoder->failure.request_id, id);
  return INFER_OK;
}

static bool
is_http_error(const inf_decoder *decoder)
{
  return inf_class_of_http_status(decoder->http_status) != INFER_OK;
}

/* ---- How the body begins ------------------------------------------------- */

typedef enum verdict {
  IS_UNDECIDED,
  IS_DOCUMENT,
  IS_EVENTS,
  IS_LINES,
  IS_ARRAY,
  IS_MESSAGES,
} verdict;

/* A server that forgets the content type still begins with one of these. */
static verdict
look_for_field(inf_sv text)
{
  static const char *const fields[] = {
      ":", "data:", "event:", "id:", "retry:", "error:"};
  verdict result = IS_DOCUMENT;
  for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
    inf_sv field = inf_sv_from(fields[i]);
    size_t len = text.len < field.len ? text.len : field.len;
    if (memcmp(text.ptr, field.ptr, len) != 0)
      continue;
    if (len == field.len)
      return IS_EVENTS;
    result = IS_UNDECIDED;
  }
  return result;
}

static bool
says_event_stream(const inf_decoder *decoder)
{
  inf_sv type;
  return inf_headers_get(&decoder->headers, INF_SV("content-type"), &type) &&
         inf_sv_contains_nocase(type, INF_SV("text/event-stream"));
}

/* A brace where lines of JSON are awaited: a document over several lines has
 * its first member in the second. */
static verdict
look_behind_brace(inf_sv text)
{
  size_t at = 1;
  while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t'))
    at++;
  if (at == text.len)
    return IS_UNDECIDED;
  return text.ptr[at] == '\r' || text.ptr[at] == '\n' ? IS_DOCUMENT : IS_LINES;
}

/* text begins with something else than whitespace. An error may come as JSON
 * or HTML where events were promised. */
INF_APART static verdict
judge(const inf_decoder *decoder, inf_sv text)
{
  inf_framing framing = decoder->options.kind->dialect->framing;
  bool stream = decoder->options.stream && !is_http_error(decoder);
  if (stream && text.ptr[0] == '{' && framing == INF_FRAMING_NDJSON)
    return look_behind_brace(text);
  if (stream && text.ptr[0] == '[' &&
      (framing == INF_FRAMING_SSE || framing == INF_FRAMING_JSON_ARRAY))
    return IS_ARRAY;
  if (is_http_error(decoder) || memchr("{[<\"", text.ptr[0], 4))
    return IS_DOCUMENT;
  if (framing == INF_FRAMING_EVENTSTREAM)
    return stream ? IS_MESSAGES : IS_DOCUMENT;
  if (decoder->options.stream && says_event_stream(decoder))
    return IS_EVENTS;
  return look_for_field(text);
}

/* Drops whitespace and a byte order mark (of which perhaps only a part has
 * come) from the front of the body. */
static bool
skip_blank(inf_buf *body)
{
  static const char mark[] = {'\xEF', '\xBB', '\xBF'};
  size_t at = 0;
  while (at < body->len && strchr(" \t\r\n", body->ptr[at]) &&
         body->ptr[at] != '\0')
    at++;
  inf_buf_consume(body, at);
  size_t len = body->len < sizeof(mark) ? body->len : sizeof(mark);
  if (len == 0 || memcmp(body->ptr, mark, len) != 0)
    return body->len > 0;
  if (len < sizeof(mark))
    return false;
  inf_buf_consume(body, sizeof(mark));
  return skip_blank(body);
}

/* ---- Body bytes ---------------------------------------------------------- */

INF_APART static int32_t
keep(inf_decoder *decoder, const char *ptr, size_t len)
{
  inf_buf *body = &decoder->body;
  if (is_http_error(decoder)) {
    size_t room =
        body->len < MAX_ERROR_BODY_BYTES ? MAX_ERROR_BODY_BYTES - body->len : 0;
    len = len < room ? len : room;
  }
  if (inf_buf_append(body, ptr, len))
    return INFER_OK;
  return inf_decoder_fail(decoder, body->status,
                          body->status == INFER_E_TOO_LARGE
                              ? "the answer is larger than max_response_bytes"
                              : "");
}

/* All that comes with the proper end. */
static int32_t
complete(inf_decoder *decoder)
{
  inf_answer *answer = decoder->answer;
  if (answer->usage.input < 0 && answer->usage.output < 0) {
    size_t bytes = 0;
    inf_usage usage = {-1, -1, -1, -1, -1, -1, -1, -1, true};
    for (size_t i = 0; i < answer->choice_count; i++)
      bytes += inf_choice_content_bytes(&answer->choices[i]);
    usage.output = (int64_t)((bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
    if (decoder->options.prompt_bytes > 0) {
      usage.input =
          (int64_t)((decoder->options.prompt_bytes + BYTES_PER_TOKEN - 1) /
                    BYTES_PER_TOKEN);
      usage.total = usage.input + usage.output;
    }
    inf_answer_set_usage(answer, &usage, INF_SV(""));
  }
  inf_answer_end(answer);
  if (answer->status != INFER_OK)
    return inf_decoder_fail(decoder, answer->status, "");
  decoder->finished = true;
  return INFER_OK;
}

static const char *
answer_trouble(int32_t status)
{
  switch (status) {
  case INFER_E_TOO_LARGE:
    return "the answer is larger than max_response_bytes";
  case INFER_E_PROTOCOL:
    return "the answer has too many choices or tool calls";
  default:
    return "";
  }
}

/* What an event did to the answer may be final. */
static void
note_answer_status(inf_decoder *decoder)
{
  if (!decoder->failed && decoder->answer->status != INFER_OK)
    inf_decoder_fail(decoder, decoder->answer->status,
                     answer_trouble(decoder->answer->status));
}

static bool
on_event(void *context, const inf_sse_event *event)
{
  inf_decoder *decoder = context;
  int32_t status = decoder->options.kind->dialect->read_event(decoder, event);
  note_answer_status(decoder);
  if (status == INFER_E_PROTOCOL && !decoder->failed) {
    if (!decoder->cut)
      decoder->skipped_events++;
    return true;
  }
  decoder->events++;
  if (status != INF_DECODER_DONE)
    return true;
  if (!decoder->failed && decoder->answer->choice_count == 0)
    inf_decoder_fail(decoder, INFER_E_PROTOCOL, "the stream has no answer");
  if (!decoder->failed)
    complete(decoder);
  return false;
}

/* Takes events that are like the last one off the front of the bytes: most of
 * them are, and so they are read without being parsed. */
static inf_sv
take_alike(inf_decoder *decoder, inf_sv bytes)
{
  size_t count;
  const inf_dialect *dialect = decoder->options.kind->dialect;
  if (!decoder->between)
    decoder->between = inf_sse_between_events(&decoder->sse);
  if (!decoder->between || !dialect->read_alike)
    return bytes;
  size_t len = dialect->read_alike(decoder, bytes, &count);
  decoder->events += count;
  note_answer_status(decoder);
  return inf_sv_of(bytes.ptr + len, bytes.len - len);
}

/* Parses events; after each, takes those that are like it. */
static inf_sv
parse_some(inf_decoder *decoder, inf_sv bytes)
{
  /* Events that had to be parsed and were followed by none that is alike: the
   * first with a role and the first with text, at least. */
  enum { useless_max = 4 };
  inf_sse *sse = &decoder->sse;
  int useless = 0;
  while (bytes.len > 0 && !decoder->failed && useless < useless_max) {
    decoder->between = false;
    size_t taken =
        inf_sse_feed_event(sse, bytes.ptr, bytes.len, on_event, decoder);
    bytes = inf_sv_of(bytes.ptr + taken, bytes.len - taken);
    if (bytes.len == 0 || sse->stopped || decoder->failed)
      break;
    inf_sv rest = take_alike(decoder, bytes);
    useless = rest.len < bytes.len ? 0 : useless + 1;
    bytes = rest;
  }
  return bytes;
}

INF_APART static void
parse_events(inf_decoder *decoder, inf_sv bytes)
{
  inf_sse *sse = &decoder->sse;
  bytes = parse_some(decoder, bytes);
  decoder->between = false;
  if (bytes.len > 0)
    inf_sse_feed(sse, bytes.ptr, bytes.len, on_event, decoder);
  if (sse->status != INFER_OK && !decoder->failed && !decoder->finished)
    inf_decoder_fail(decoder, sse->status,
                     sse->status == INFER_E_TOO_LARGE
                         ? "an event is larger than max_event_bytes"
                         : "");
}

INF_HOT static int32_t
feed_events(inf_decoder *decoder, const char *ptr, size_t len)
{
  inf_sv bytes = inf_sv_of(ptr, len);
  if (!decoder->failed)
    bytes = take_alike(decoder, bytes);
  if (bytes.len > 0)
    parse_events(decoder, bytes);
  if (decoder->failed)
    return decoder->failure.status;
  return decoder->finished ? INF_DECODER_DONE : INFER_OK;
}

INF_APART static int32_t
feed_frames(inf_decoder *decoder, inf_sv bytes)
{
  inf_frames *frames = decoder->frames;
  int32_t status = inf_frames_feed(frames, bytes, on_event, decoder);
  if (status != INFER_OK && !decoder->failed && !decoder->finished)
    inf_decoder_fail(decoder, status, inf_frames_reason(frames, status));
  if (decoder->failed)
    return decoder->failure.status;
  return decoder->finished ? INF_DECODER_DONE : INFER_OK;
}

/* The frames that a stream of that kind begins in. */
static int32_t
begin_framing(inf_decoder *decoder, inf_framing framing)
{
  const inf_decoder_options *options = &decoder->options;
  if (!decoder->frames) {
    decoder->frames = inf_calloc(1, sizeof *decoder->frames);
    if (!decoder->frames)
      return inf_decoder_fail(decoder, INFER_E_NO_MEMORY, "");
    inf_frames_init(decoder->frames);
  }
  decoder->mode = INF_BODY_FRAMES;
  if (framing == INF_FRAMING_SPLIT)
    inf_frames_begin_split(decoder->frames, options->kind->dialect->split,
                           options->kind, options->max_event_bytes, KEEP_BYTES);
  else
    inf_frames_begin(decoder->frames, framing, options->max_event_bytes,
                     options->max_depth, KEEP_BYTES);
  return INFER_OK;
}

static int32_t
begin_frames(inf_decoder *decoder, verdict what)
{
  return begin_framing(decoder, what == IS_LINES   ? INF_FRAMING_NDJSON
                                : what == IS_ARRAY ? INF_FRAMING_JSON_ARRAY
                                                   : INF_FRAMING_EVENTSTREAM);
}

/* Where the dialect says what comes, whatever it begins with. */
static int32_t
begin_untold(inf_decoder *decoder)
{
  inf_framing framing = decoder->options.kind->dialect->framing;
  if (framing < INF_FRAMING_SPLIT)
    return INFER_OK;
  if (framing == INF_FRAMING_SPLIT && decoder->options.stream &&
      !is_http_error(decoder))
    return begin_framing(decoder, framing);
  decoder->mode = INF_BODY_WHOLE;
  return INFER_OK;
}

/* Are events read, so that they are after a failure too? */
static bool
has_events(const inf_decoder *decoder)
{
  return decoder->mode == INF_BODY_EVENTS || decoder->mode == INF_BODY_FRAMES;
}

/* Looks at what has come so far until it is clear what it is. */
INF_APART static int32_t
sniff(inf_decoder *decoder)
{
  inf_buf *body = &decoder->body;
  if (!skip_blank(body))
    return INFER_OK;
  verdict what = judge(decoder, inf_buf_sv(body));
  if (what == IS_UNDECIDED)
    return INFER_OK;
  if (what == IS_DOCUMENT) {
    decoder->mode = INF_BODY_WHOLE;
    return INFER_OK;
  }
  int32_t status = INFER_OK;
  if (what == IS_EVENTS)
    decoder->mode = INF_BODY_EVENTS;
  else
    status = begin_frames(decoder, what);
  if (status != INFER_OK)
    return status;
  /* The events keep nothing in body, so its bytes move out of the way. */
  inf_buf first = *body;
  inf_buf_init(body, body_limit(decoder));
  status = what == IS_EVENTS ? feed_events(decoder, first.ptr, first.len)
                             : feed_frames(decoder, inf_buf_sv(&first));
  inf_buf_fini(&first);
  return status;
}

INF_HOT int32_t
inf_decoder_feed(inf_decoder *decoder, const char *ptr, size_t len)
{
  int32_t status = INFER_OK;
  if (decoder->finished)
    return INF_DECODER_DONE;
  if (decoder->failed && !has_events(decoder))
    return decoder->failure.status;
  if (decoder->mode == INF_BODY_SNIFF && len > 0)
    status = begin_untold(decoder);
  while (len > 0 && status == INFER_OK && decoder->mode == INF_BODY_SNIFF) {
    size_t piece = len < SNIFF_BYTES ? len : SNIFF_BYTES;
    status = keep(decoder, ptr, piece);
    if (status == INFER_OK)
      status = sniff(decoder);
    ptr += piece;
    len -= piece;
  }
  if (len == 0 || (status != INFER_OK && !has_events(decoder)))
    return status;
  if (decoder->mode == INF_BODY_EVENTS)
    return feed_events(decoder, ptr, len);
  return decoder->mode == INF_BODY_FRAMES
             ? feed_frames(decoder, inf_sv_of(ptr, len))
             : keep(decoder, ptr, len);
}

/* ---- The end ------------------------------------------------------------- */

/* A finish reason for every choice is a proper end too. */
static bool
all_finished(const inf_decoder *decoder)
{
  const inf_answer *answer = decoder->answer;
  for (size_t i = 0; i < answer->choice_count; i++) {
    if (answer->choices[i].finish_reason.len == 0)
      return false;
  }
  return answer->choice_count >= decoder->options.choices;
}

static int32_t
end_events(inf_decoder *decoder, bool clean_end)
{
  decoder->cut = true;
  int32_t status = decoder->mode == INF_BODY_EVENTS
                       ? inf_sse_finish(&decoder->sse, on_event, decoder)
                       : inf_frames_finish(decoder->frames, on_event, decoder);
  if (decoder->failed)
    return decoder->failure.status;
  if (decoder->finished)
    return INFER_OK;
  if (status == INFER_E_NO_MEMORY)
    return inf_decoder_fail(decoder, status, "");
  /* Told, and nothing came after it that says more. */
  decoder->failed = decoder->failure.status != INFER_OK;
  if (decoder->failed)
    return decoder->failure.status;
  if (all_finished(decoder))
    return complete(decoder);
  if (clean_end && decoder->events == 0 && decoder->skipped_events > 0)
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "the stream has no event that can be read");
  return inf_decoder_fail(decoder, INFER_E_TRUNCATED,
                          "the stream ended before the answer did");
}

static int32_t
end_document(inf_decoder *decoder, bool clean_end)
{
  decoder->cut = !clean_end;
  int32_t status = decoder->options.kind->dialect->read_body(
      decoder, inf_buf_sv(&decoder->body));
  if (!decoder->failed && decoder->answer->status != INFER_OK)
    status = inf_decoder_fail(decoder, decoder->answer->status,
                              answer_trouble(decoder->answer->status));
  if (status == INFER_E_PROTOCOL && !clean_end)
    status = inf_decoder_fail(decoder, INFER_E_TRUNCATED, "the answer was cut");
  return status == INFER_OK ? complete(decoder) : status;
}

/* Nothing came, or too little to tell what it is. */
static int32_t
end_undecided(inf_decoder *decoder, bool clean_end)
{
  if (decoder->options.stream || !clean_end)
    return inf_decoder_fail(decoder, INFER_E_TRUNCATED,
                            "the response ended before the answer began");
  return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                          decoder->body.len == 0 ? "the answer is empty"
                                                 : "the answer is not JSON");
}

int32_t
inf_decoder_end(inf_decoder *decoder, bool clean_end)
{
  if (decoder->finished)
    return INFER_OK;
  if (decoder->failed && !has_events(decoder))
    return decoder->failure.status;
  if (is_http_error(decoder)) {
    inf_classify_failure(&decoder->failure, decoder->options.kind,
                         decoder->http_status, &decoder->headers,
                         inf_buf_sv(&decoder->body), decoder->wall_now_ns);
    if (decoder->options.kind->dialect->classify)
      decoder->options.kind->dialect->classify(decoder,
                                               inf_buf_sv(&decoder->body));
    decoder->failed = true;
    return decoder->failure.status;
  }
  switch (decoder->mode) {
  case INF_BODY_EVENTS:
  case INF_BODY_FRAMES:
    return end_events(decoder, clean_end);
  case INF_BODY_WHOLE:
    return end_document(decoder, clean_end);
  default:
    return end_undecided(decoder, clean_end);
  }
}
