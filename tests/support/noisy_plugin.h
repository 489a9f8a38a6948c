/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_NOISY_PLUGIN_H
#define TESTS_SUPPORT_NOISY_PLUGIN_H

#include "provider/plugin.h"

#include <stdlib.h>
#include <string.h>

/* A plug-in that does what the answer tells it to, however wrong: what comes
 * is a program, commands with semicolons between them. In a stream each event
 * is one, in a whole body each line.
 *
 *   tTEXT rTEXT FTEXT  text, reasoning, refusal of choice 0
 *   cDTEXT             text of choice D (a digit)
 *   lDID,NAME,ARGS     a piece of tool call D; digit 9: 4294967295
 *   fNATIVE  gREASON   the end of choice 0, by their word, by ours
 *   uNUMBER,NUMBER     usage        iID mMODEL  id and model
 *   dJSON              the decoded string, as text
 *   s                  how often it was said, as text, from the state
 *   xNUMBER            a failure of the class -NUMBER
 *   e                  the end      oNUMBER     the hook gives -NUMBER
 *   jJSON              logprobs, and a member "j" of message and answer
 *   kNAME              a member of that name of message and answer
 *   CJSON              a failure, from JSON
 *   DTEXT              how many members the document has, as text
 *   n                  NULL pointers wherever they may be
 *
 * With framings of JSON an event is {"do": "PROGRAM"}. With
 * INFER_FRAMING_CUSTOM events are lines with their line ends; one that
 * begins with 'Z' is said to be longer than there is, one with 'N' to be
 * none. */

typedef struct noisy_state {
  unsigned char count;
} noisy_state;

static inline void
noisy_call(const char *text, size_t len, infer_provider_sink *sink)
{
  const char *parts[3] = {"", "", ""};
  size_t lens[3] = {0}, part = 0;
  uint32_t index = len > 0 && text[0] >= '0' && text[0] < '9'
                       ? (uint32_t)(text[0] - '0')
                       : UINT32_MAX;
  parts[0] = text + (len > 0);
  for (size_t i = 1; i < len; i++) {
    if (text[i] == ',' && part < 2)
      parts[++part] = text + i + 1;
    else
      lens[part]++;
  }
  infer_provider_sink_tool_call(sink, 0, index, parts[0], lens[0], parts[1],
                                lens[1], parts[2], lens[2]);
}

static inline void
noisy_nothing(infer_provider_sink *sink)
{
  size_t len;
  infer_provider_sink_text(sink, 0, NULL, 0);
  infer_provider_sink_text(sink, 0, NULL, 7);
  infer_provider_sink_id(sink, NULL, 0);
  infer_provider_sink_model(sink, NULL, INFER_NUL_TERMINATED);
  infer_provider_sink_decode(sink, NULL, 9, &len);
}

static inline void
noisy_count(infer_provider_sink *sink)
{
  noisy_state *state = infer_provider_sink_state(sink);
  char text = (char)('a' + state->count % 26);
  state->count++;
  infer_provider_sink_text(sink, 0, &text, 1);
}

static inline void
noisy_document(const char *text, size_t len, infer_provider_sink *sink)
{
  char count = '0';
  size_t at = 0, size;
  text = infer_provider_sink_document(sink, text, len, &len);
  while (infer_provider_json_next(text, len, &at, NULL, NULL, &size))
    count = (char)(count < '9' ? count + 1 : '0');
  infer_provider_sink_text(sink, 0, &count, 1);
}

static inline int32_t
noisy_command(const char *text, size_t len, infer_provider_sink *sink)
{
  char word[32] = "";
  size_t size;
  const char *rest = text + 1, *comma;
  len--;
  memcpy(word, rest, len < sizeof word ? len : sizeof word - 1);
  switch (text[0]) {
  case 't':
    infer_provider_sink_text(sink, 0, rest, len);
    break;
  case 'r':
    infer_provider_sink_reasoning(sink, 0, rest, len);
    break;
  case 'F':
    infer_provider_sink_refusal(sink, 0, rest, len);
    break;
  case 'c':
    infer_provider_sink_text(sink, len > 0 ? (uint32_t)(rest[0] - '0') : 0,
                             rest + (len > 0), len - (len > 0));
    break;
  case 'l':
    noisy_call(rest, len, sink);
    break;
  case 'f':
    infer_provider_sink_finish(sink, 0, NULL, rest, len);
    break;
  case 'g':
    infer_provider_sink_finish(sink, 0, word, NULL, 0);
    break;
  case 'u':
    comma = strchr(word, ',');
    infer_provider_sink_usage(sink, strtoll(word, NULL, 10),
                              comma ? strtoll(comma + 1, NULL, 10) : -1, -1,
                              INT64_MIN, -1);
    break;
  case 'i':
    infer_provider_sink_id(sink, rest, len);
    break;
  case 'm':
    infer_provider_sink_model(sink, rest, len);
    break;
  case 'd':
    comma = infer_provider_sink_decode(sink, rest, len, &size);
    infer_provider_sink_text(sink, 0, comma, size);
    break;
  case 's':
    noisy_count(sink);
    break;
  case 'x':
    infer_provider_sink_fail(sink, (int32_t)-strtol(word, NULL, 10), "failed",
                             6, "c", 250);
    break;
  case 'e':
    infer_provider_sink_end(sink);
    break;
  case 'j':
    infer_provider_sink_logprobs(sink, 0, rest, len);
    infer_provider_sink_message_extra(sink, 0, "j", 1, rest, len);
    infer_provider_sink_extra(sink, "j", 1, rest, len);
    break;
  case 'k':
    infer_provider_sink_message_extra(sink, 0, rest, len, "[1]", 3);
    infer_provider_sink_extra(sink, rest, len, "{}", 2);
    infer_provider_sink_created(sink, 77);
    break;
  case 'C':
    infer_provider_sink_fail_json(sink, rest, len);
    break;
  case 'D':
    noisy_document(rest, len, sink);
    break;
  case 'n':
    noisy_nothing(sink);
    break;
  case 'o':
    return (int32_t)-strtol(word, NULL, 10);
  default:
    return INFER_E_PROTOCOL;
  }
  return INFER_OK;
}

static inline int32_t
noisy_run(const char *text, size_t len, infer_provider_sink *sink)
{
  int32_t status = INFER_OK;
  while (len > 0 && status == INFER_OK) {
    const char *end = memchr(text, ';', len);
    size_t size = end ? (size_t)(end - text) : len;
    if (size > 0)
      status = noisy_command(text, size, sink);
    size += end != NULL;
    text += size;
    len -= size;
  }
  return status;
}

static inline int32_t
noisy_event(void *user_data, const infer_provider_event *event,
            infer_provider_sink *sink)
{
  size_t len, other;
  const char *data = infer_provider_event_data(event, &len);
  (void)user_data;
  infer_provider_event_name(event, &other);
  if (infer_provider_event_error(event, &other)[0])
    return INFER_E_PROTOCOL;
  if (len > 0 && data[len - 1] == '\n')
    len--;
  if (len > 1 && data[0] == '{') { /* of a framing of JSON */
    data = infer_provider_json_get(data, len, "do", &len);
    data = infer_provider_sink_decode(sink, data, len, &len);
  }
  return noisy_run(data, len, sink);
}

static inline int32_t
noisy_answer(void *user_data, const char *body, size_t len,
             infer_provider_sink *sink)
{
  int32_t status = INFER_OK;
  (void)user_data;
  while (len > 0 && status == INFER_OK) {
    const char *end = memchr(body, '\n', len);
    size_t size = end ? (size_t)(end - body) : len;
    status = noisy_run(body, size, sink);
    size += end != NULL;
    body += size;
    len -= size;
  }
  return status;
}

static inline int64_t
noisy_split(void *user_data, const char *bytes, size_t len)
{
  const char *end = memchr(bytes, '\n', len);
  (void)user_data;
  if (bytes[0] == 'Z')
    return (int64_t)len + 1;
  if (bytes[0] == 'N')
    return INFER_E_PROTOCOL;
  return end ? end - bytes + 1 : 0;
}

static inline int32_t
noisy_write(void *user_data, const infer_provider_request *request,
            infer_provider_writer *writer)
{
  (void)user_data;
  (void)request;
  (void)writer;
  return INFER_OK;
}

static inline infer_provider_descriptor
noisy_descriptor(int32_t framing)
{
  return (infer_provider_descriptor){
      .struct_size = sizeof(infer_provider_descriptor),
      .type = "noisy",
      .framing = framing,
      .base_url = "http://noisy",
      .chat_path = "/chat",
      .state_bytes = sizeof(noisy_state),
      .write_request = noisy_write,
      .read_answer = noisy_answer,
      .read_event = noisy_event,
      .split = noisy_split,
  };
}

#endif
