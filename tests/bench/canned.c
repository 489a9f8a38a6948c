/* SPDX-License-Identifier: MIT */
#include "bench/canned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { chunk_bytes = 306, unary_bytes = 1024, http_chunk_bytes = 16 << 10 };

#define STREAM_HEAD                                        \
  "HTTP/1.1 200 OK\r\n"                                    \
  "Content-Type: text/event-stream; charset=utf-8\r\n"     \
  "x-request-id: req_5c1f8a3e9d2b4760a1b2c3d4e5f60718\r\n" \
  "Transfer-Encoding: chunked\r\n\r\n"
#define EVENT_HEAD                                                     \
  "data: {\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\","          \
  "\"object\":\"chat.completion.chunk\",\"created\":1741569952,"       \
  "\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\"," \
  "\"system_fingerprint\":\"fp_06737a9306\","

/* Grows as it is written to; memory is never short here. */
typedef struct text {
  char *ptr;
  size_t len, capacity;
} text;

static void
put(text *out, const char *ptr, size_t len)
{
  if (out->len + len > out->capacity) {
    out->capacity = (out->len + len) * 2;
    out->ptr = realloc(out->ptr, out->capacity);
    if (!out->ptr)
      abort();
  }
  memcpy(out->ptr + out->len, ptr, len);
  out->len += len;
}

static void
put_text(text *out, const char *from)
{
  put(out, from, strlen(from));
}

static void
put_http_chunk(text *out, const char *ptr, size_t len)
{
  char head[32];
  snprintf(head, sizeof head, "%zx\r\n", len);
  put_text(out, head);
  put(out, ptr, len);
  put_text(out, "\r\n");
}

/* One content event of exactly chunk_bytes bytes, the blank line included. */
static void
put_content(text *out)
{
  static const char words[] =
      " and so on with more words that fill the chunk up";
  static const char before[] =
      EVENT_HEAD "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"";
  static const char after[] =
      "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
  size_t room = chunk_bytes - (sizeof before - 1) - (sizeof after - 1);
  put_text(out, before);
  put(out, words, room < sizeof words - 1 ? room : sizeof words - 1);
  put_text(out, after);
}

static void
put_role(text *out)
{
  put_text(out, EVENT_HEAD
           "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
           "\"content\":\"\",\"refusal\":null},\"logprobs\":null,"
           "\"finish_reason\":null}]}\n\n");
}

static void
put_end(text *out)
{
  put_text(out, EVENT_HEAD
           "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,"
           "\"finish_reason\":\"stop\"}]}\n\n" EVENT_HEAD
           "\"choices\":[],\"usage\":{\"prompt_tokens\":19,"
           "\"completion_tokens\":200,\"total_tokens\":219}}\n\n"
           "data: [DONE]\n\n");
}

static canned_text
done(const text *out)
{
  return (canned_text){out->ptr, out->len};
}

canned_text
canned_unary(void)
{
  static const char before[] =
      "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\","
      "\"object\":\"chat.completion\",\"created\":1741569952,"
      "\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,"
      "\"message\":{\"role\":\"assistant\",\"content\":\"";
  static const char after[] =
      "\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,"
      "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":19,"
      "\"completion_tokens\":100,\"total_tokens\":119,"
      "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
      "\"completion_tokens_details\":{\"reasoning_tokens\":0,"
      "\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
      "\"rejected_prediction_tokens\":0}},\"service_tier\":\"default\","
      "\"system_fingerprint\":\"fp_06737a9306\"}\n";
  text out = {0};
  char head[256];
  snprintf(head, sizeof head,
           "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
           "x-request-id: req_5c1f8a3e9d2b4760a1b2c3d4e5f60718\r\n"
           "Content-Length: %d\r\n\r\n",
           unary_bytes);
  put_text(&out, head);
  put_text(&out, before);
  for (size_t i = sizeof before + sizeof after - 2; i < unary_bytes; i++)
    put(&out, "words and " + i % 10, 1);
  put_text(&out, after);
  return done(&out);
}

canned_text
canned_stream(unsigned chunks)
{
  text body = {0}, out = {0};
  put_role(&body);
  for (unsigned i = 0; i < chunks; i++)
    put_content(&body);
  put_end(&body);
  put_text(&out, STREAM_HEAD);
  for (size_t at = 0; at < body.len; at += http_chunk_bytes) {
    size_t left = body.len - at;
    put_http_chunk(&out, body.ptr + at,
                   left < http_chunk_bytes ? left : http_chunk_bytes);
  }
  put_text(&out, "0\r\n\r\n");
  free(body.ptr);
  return done(&out);
}

/* HTTP response head and one event made by put. */
static canned_text
one_event(const char *head, void (*put_event)(text *out), const char *tail)
{
  text body = {0}, out = {0};
  put_event(&body);
  put_text(&out, head);
  put_http_chunk(&out, body.ptr, body.len);
  put_text(&out, tail);
  free(body.ptr);
  return done(&out);
}

canned_text
canned_paced_head(void)
{
  return one_event(STREAM_HEAD, put_role, "");
}

canned_text
canned_paced_chunk(void)
{
  return one_event("", put_content, "");
}

canned_text
canned_paced_tail(void)
{
  return one_event("", put_end, "0\r\n\r\n");
}

canned_text
canned_hold_head(void)
{
  return one_event(STREAM_HEAD, put_content, "");
}
