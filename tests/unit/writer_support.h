/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_WRITER_SUPPORT_H
#define TESTS_UNIT_WRITER_SUPPORT_H

/* What a kind of provider is sent for a chat in OpenAI's shape, for the tests
 * of dialects and of the catalogue's rules. JSON in the tests is written with
 * single quotes. */

#include "support/fail_alloc.h"
#include "unit/provider_support.h"

#include <stdlib.h>

typedef struct writing {
  inf_chat chat;
  inf_send send;
  inf_wire_request out;
  inf_buf why;
  int32_t status;
} writing;

/* Freed by free(). */
static inline char *
quoted(const char *text)
{
  char *copy = strdup(text);
  for (char *c = copy; *c; c++)
    if (*c == '\'')
      *c = '"';
  return copy;
}

static inline void
writing_init(writing *w, const char *type, const char *chat)
{
  char *json = quoted(chat);
  const char *reason = "";
  *w = (writing){0};
  inf_chat_init(&w->chat);
  inf_wire_request_init(&w->out);
  inf_buf_init(&w->why, 1024);
  if (inf_chat_from_json(&w->chat, S(json), &reason, NULL) != INFER_OK)
    fail_msg("%s: %s", reason, json);
  free(json);
  const inf_provider_kind *kind = inf_provider_kind_find(S(type));
  w->send = (inf_send){.kind = kind,
                       .base_url = S("https://h"),
                       .auth_scheme = S(kind->auth_scheme),
                       .key = S("sk"),
                       .model = S("m"),
                       .chat = &w->chat};
}

static inline int32_t
writing_run(writing *w)
{
  w->status = w->send.kind->dialect->write_chat(&w->send, &w->out, &w->why);
  return w->status;
}

static inline void
writing_fini(writing *w)
{
  inf_chat_fini(&w->chat);
  inf_wire_request_fini(&w->out);
  inf_buf_fini(&w->why);
}

/* Compared as values. */
static inline void
writing_check(writing *w, const char *body)
{
  char *wanted = quoted(body);
  if (writing_run(w) != INFER_OK)
    fail_msg("%d: %s", w->status, inf_buf_cstr(&w->why));
  assert_json(inf_buf_cstr(&w->out.body), wanted);
  free(wanted);
}

static inline void
is_sent(const char *type, const char *chat, const char *body)
{
  writing w;
  writing_init(&w, type, chat);
  writing_check(&w, body);
  writing_fini(&w);
}

/* members: of a chat, beside its model and one message, with a comma after
 * the last; what becomes of them likewise. */
static inline void
becomes(const char *type, const char *members, const char *sent)
{
  char chat[2048], body[2048];
  snprintf(chat, sizeof(chat),
           "{%s'model':'x','messages':[{'role':'user','content':'hi'}]}",
           members);
  snprintf(body, sizeof(body),
           "{%s'model':'m','messages':[{'role':'user','content':'hi'}]}", sent);
  is_sent(type, chat, body);
}

static inline void
is_refused(const char *type, const char *chat, int32_t status, const char *why)
{
  writing w;
  writing_init(&w, type, chat);
  assert_int_equal(writing_run(&w), status);
  assert_string_equal(inf_buf_cstr(&w.why), why);
  writing_fini(&w);
}

/* members as for becomes(). */
static inline void
member_is_refused(const char *type, const char *members, const char *why)
{
  char chat[2048];
  snprintf(chat, sizeof(chat),
           "{%s'model':'x','messages':[{'role':'user','content':'hi'}]}",
           members);
  is_refused(type, chat, INFER_E_UNSUPPORTED, why);
}

static inline bool
writing_has_header(const writing *w, const char *line)
{
  size_t len = strlen(line) + 1;
  for (size_t i = 0; i + len <= w->out.headers.len; i++)
    if ((i == 0 || w->out.headers.ptr[i - 1] == '\0') &&
        memcmp(w->out.headers.ptr + i, line, len) == 0)
      return true;
  return false;
}

/* Any allocation fails: what is written then is all of it or an error, and
 * nothing leaks. The chat is made without the failing allocator. */
typedef struct short_memory {
  const inf_send *send;
  const char *whole;
} short_memory;

static inline void
write_in_short_memory(void *arg)
{
  const short_memory *job = arg;
  inf_wire_request out;
  inf_wire_request_init(&out);
  int32_t status = job->send->kind->dialect->write_chat(job->send, &out, NULL);
  if (status == INFER_OK)
    assert_string_equal(inf_buf_cstr(&out.body), job->whole);
  else
    assert_int_equal(status, INFER_E_NO_MEMORY);
  if (fail_alloc_hits() == 0)
    assert_int_equal(status, INFER_OK);
  inf_wire_request_fini(&out);
}

static inline void
survives_short_memory(const char *type, const char *chat)
{
  writing w;
  fail_alloc_install();
  writing_init(&w, type, chat);
  assert_int_equal(writing_run(&w), INFER_OK);
  char *whole = strdup(inf_buf_cstr(&w.out.body));
  short_memory job = {.send = &w.send, .whole = whole};
  assert_true(fail_alloc_sweep(write_in_short_memory, &job) > 2);
  free(whole);
  writing_fini(&w);
  fail_alloc_uninstall();
}

#endif
