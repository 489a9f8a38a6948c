/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_BEDROCK_SUPPORT_H
#define TESTS_UNIT_BEDROCK_SUPPORT_H

/* A chat in OpenAI's shape as Bedrock gets it. JSON is written with ' for "
 * so that it can be read. */

#include "unit/provider_support.h"

#include "provider/bedrock_write.h"

#define HI_WANTED "'messages':[{'role':'user','content':[{'text':'hi'}]}]"
#define HI        "'messages':[{'role':'user','content':'hi'}]"

static inline char *
bedrock_quoted(const char *text)
{
  char *copy = strdup(text);
  assert_non_null(copy);
  for (char *c = copy; *c; c++)
    if (*c == '\'')
      *c = '"';
  return copy;
}

/* The status; body and why are the caller's. */
static inline int32_t
bedrock_write(const char *members, const char *model, const char *account,
              inf_sv partial, inf_buf *body, inf_buf *why)
{
  inf_chat chat;
  const char *reason = "";
  char *quoted = bedrock_quoted(members), *more = bedrock_quoted(account);
  char text[4096];
  snprintf(text, sizeof(text), "{\"model\":\"%s\",%s}", model, quoted);
  inf_chat_init(&chat);
  if (inf_chat_from_json(&chat, S(text), &reason, NULL) != INFER_OK)
    fail_msg("no chat: %s: %s", reason, text);
  inf_send send = {
      .kind = inf_provider_kind_find(S("bedrock")),
      .chat = &chat,
      .model = S(model),
      .body_members = S(more),
      .partial = partial,
      .partial_tokens = partial.len > 0 ? 5 : 0,
      .prefill = INF_PREFILL_ASSISTANT,
  };
  int32_t status = inf_bedrock_write_body(&send, body, why);
  inf_chat_fini(&chat);
  free(quoted);
  free(more);
  return status;
}

/* The body is exactly that. */
static inline void
bedrock_sends_for(const char *model, const char *account, const char *partial,
                  const char *members, const char *wanted)
{
  inf_buf body, why;
  char *expected = bedrock_quoted(wanted);
  char text[4096];
  inf_buf_init(&body, SIZE_MAX);
  inf_buf_init(&why, 1000);
  int32_t status =
      bedrock_write(members, model, account, S(partial), &body, &why);
  if (status != INFER_OK)
    fail_msg("%d: %s: %s", status, inf_buf_cstr(&why), members);
  snprintf(text, sizeof(text), "{%s}", expected);
  assert_json(inf_buf_cstr(&body), text);
  inf_buf_fini(&body);
  inf_buf_fini(&why);
  free(expected);
}

static inline void
bedrock_sends(const char *members, const char *wanted)
{
  bedrock_sends_for("amazon.nova-lite-v1:0", "{}", "", members, wanted);
}

static inline void
bedrock_refuses(const char *members, int32_t status, const char *reason)
{
  inf_buf body, why;
  char *expected = bedrock_quoted(reason);
  inf_buf_init(&body, SIZE_MAX);
  inf_buf_init(&why, 1000);
  assert_int_equal(bedrock_write(members, "m", "{}", S(""), &body, &why),
                   status);
  assert_string_equal(inf_buf_cstr(&why), expected);
  /* Also where nobody asks why. */
  inf_buf_clear(&body);
  assert_int_equal(bedrock_write(members, "m", "{}", S(""), &body, NULL),
                   status);
  inf_buf_fini(&body);
  inf_buf_fini(&why);
  free(expected);
}

#endif
