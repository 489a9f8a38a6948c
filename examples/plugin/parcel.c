/* SPDX-License-Identifier: MIT */
/* A plug-in for a provider that does not exist. A request to Parcel is lines
 * of a word and a value, with a token and a sum over token and body in its
 * headers. An answer, streamed or not, is parcels: a letter, the length of
 * what follows in eight digits, so many bytes.
 *   T text     C id name arguments (of a tool call)    Z why it ended, last
 *   U in out   E millis word text (a failure; also the body of a refusal) */
#include "parcel.h"
#include <stdio.h>
#include <string.h>

#define HEAD   9 /* bytes of a letter and the digits */
#define UNUSED __attribute__((unused))

/* What Parcel knows of a request or message, in lines; empty if absent. */
static void
put(infer_provider_writer *out, const char *json, size_t len)
{
  static const char *const names[] = {"role",   "content",    "tools",
                                      "stream", "tool_calls", "tool_call_id"};
  size_t size;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    const char *value = infer_provider_json_get(json, len, names[i], &size);
    infer_provider_writer_append(out, names[i], strlen(names[i]));
    infer_provider_writer_append(out, " ", 1);
    infer_provider_writer_append(out, value, size);
    infer_provider_writer_append(out, "\n", 1);
  }
}

static int32_t
write_request(void *user_data UNUSED, const infer_provider_request *ask,
              infer_provider_writer *out)
{
  size_t len;
  const char *json = infer_provider_request_json(ask, &len);
  if (infer_provider_request_member(ask, "response_format", NULL))
    return infer_provider_writer_refuse(out, "Parcel writes no JSON");
  put(out, json, len);
  for (size_t i = 0; (json = infer_provider_request_message(ask, i, &len)); i++)
    put(out, json, len);
  infer_provider_writer_add_header(out, "Content-Type", "text/plain", 10);
  return INFER_OK;
}

/* An invented signature: it keeps nobody out. */
static int32_t
sign(void *user_data UNUSED, const infer_provider_request *ask,
     infer_provider_writer *out, int64_t wall_now_ns UNUSED)
{
  size_t key_len, body_len;
  const char *key = infer_provider_request_key(ask, &key_len);
  const char *body = infer_provider_writer_body(out, &body_len);
  char text[16];
  unsigned sum = 0;
  for (size_t i = 0; i < key_len + body_len; i++)
    sum = sum * 31 + (unsigned char)(i < key_len ? key[i] : body[i - key_len]);
  snprintf(text, sizeof text, "%08x", sum);
  infer_provider_writer_add_header(out, "Parcel-Sum", text, 8);
  return INFER_OK;
}

/* What a letter's text begins with, up to its words; sscanf() needs an end. */
static const char *
cut(char line[256], const char *text, size_t len)
{
  snprintf(line, 256, "%.*s", len < 256 ? (int)len : 255, text);
  return line;
}

static int64_t
split(void *user_data UNUSED, const char *bytes, size_t len)
{
  unsigned size = 0;
  for (size_t i = 1; i < HEAD && i < len; i++) {
    if (!memchr("TCUEZ", bytes[0], 5) || bytes[i] < '0' || bytes[i] > '9')
      return INFER_E_PROTOCOL;
    size = size * 10 + (unsigned)(bytes[i] - '0');
  }
  return len < HEAD || len - HEAD < size ? 0 : HEAD + (int64_t)size;
}

/* "millis word text": gives where the text begins, or 0. */
static int
read_failure(const char *line, long long *millis, char word[16], int32_t *class)
{
  int at = 0;
  sscanf(line, "%18lld %15s %n", millis, word, &at);
  *class = strcmp(word, "busy") == 0   ? INFER_E_RATE_LIMITED
           : strcmp(word, "full") == 0 ? INFER_E_OVERLOADED
                                       : INFER_E_SERVER;
  return at;
}

static int32_t
read_parcel(const char *parcel, size_t size, infer_provider_sink *sink)
{
  char line[256], word[64] = "", name[64] = "";
  long long in = -1, out = -1;
  int class, at = 0;
  uint32_t *calls = infer_provider_sink_state(sink); /* of this answer so far */
  const char *text = parcel + HEAD;
  cut(line, text, size -= HEAD);
  if (parcel[0] == 'T') {
    infer_provider_sink_text(sink, 0, text, size);
  } else if (parcel[0] == 'C') {
    if (sscanf(line, "%63s %63s %n", word, name, &at) < 2)
      return INFER_E_PROTOCOL;
    infer_provider_sink_tool_call(sink, 0, (*calls)++, word, strlen(word), name,
                                  strlen(name), text + at, size - (size_t)at);
  } else if (parcel[0] == 'U') {
    sscanf(line, "%18lld %18lld", &in, &out);
    infer_provider_sink_usage(sink, in, out, -1, -1, -1);
  } else if (parcel[0] == 'E') {
    at = read_failure(line, &in, word, &class);
    text = line + at;
    infer_provider_sink_fail(sink, class, text, strlen(text), word, in);
  } else {
    infer_provider_sink_finish(sink, 0, NULL, text, size);
    infer_provider_sink_end(sink);
  }
  return INFER_OK;
}

static int32_t
read_event(void *user_data UNUSED, const infer_provider_event *event,
           infer_provider_sink *sink)
{
  size_t len;
  const char *parcel = infer_provider_event_data(event, &len);
  return read_parcel(parcel, len, sink);
}

static int32_t
read_answer(void *user_data UNUSED, const char *body, size_t len,
            infer_provider_sink *sink)
{
  for (int64_t size; len > 0; body += size, len -= (size_t)size) {
    size = split(user_data, body, len);
    if (size <= 0 || read_parcel(body, (size_t)size, sink) != INFER_OK)
      return INFER_E_PROTOCOL;
  }
  return INFER_OK;
}

static int32_t
classify(void *user_data UNUSED, const infer_provider_reply *reply,
         infer_provider_failure *failure)
{
  char line[256], word[16] = "";
  long long millis = -1;
  int32_t class;
  size_t len;
  const char *body = infer_provider_reply_body(reply, &len);
  int at = read_failure(cut(line, body, len), &millis, word, &class);
  if (at == 0)
    return INFER_OK;
  infer_provider_failure_set_class(failure, class);
  infer_provider_failure_set_message(failure, line + at, strlen(line + at));
  infer_provider_failure_set_hint_ms(failure, millis);
  return INFER_OK;
}

/* "Parcel-Left: 3/60": so many of so many requests of this minute. */
static int32_t
read_limits(void *user_data UNUSED, const infer_provider_reply *reply,
            infer_provider_limits *out)
{
  char line[256];
  long long left, most;
  size_t len;
  const char *text = infer_provider_reply_header(reply, "Parcel-Left", &len);
  if (text && sscanf(cut(line, text, len), "%lld/%lld", &left, &most) == 2)
    infer_provider_limits_add(out, INFER_QUOTA_REQUESTS, 60000, most, left, -1);
  return INFER_OK;
}

const infer_provider_descriptor *
parcel_provider(void)
{
  static const infer_provider_descriptor descriptor = {
      .struct_size = sizeof descriptor,
      .type = "parcel",
      .framing = INFER_FRAMING_CUSTOM,
      .abilities = INFER_PROVIDER_CAN_TOOLS,
      .chat_path = "/parcels/{model}",
      .key_required = 1,
      .key_header = "Parcel-Token",
      .state_bytes = sizeof(uint32_t),
      .write_request = write_request,
      .read_answer = read_answer,
      .read_event = read_event,
      .split = split,
      .classify = classify,
      .read_limits = read_limits,
      .sign = sign,
  };
  return &descriptor;
}
