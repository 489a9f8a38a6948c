/* SPDX-License-Identifier: MIT */
/* A request in OpenAI's shape, written in the words of another API. It goes
 * out as one JSON object, or it is refused with a line that says why; a failed
 * allocation makes it refused for that, and changes nothing else; nor does it
 * that somebody wants to know what is left out.
 *
 *   byte 1: bit 0 a stream is asked for; bits 1 to 3 which of the models
 *   byte 2: which allocation fails
 *   then the request; after a byte 0x1e, which no JSON has, the account's own
 *   members */
#include "fuzz/fuzz.h"

#include "provider/dialect.h"
#include "wire/json_scan.h"

#include <infer/infer.h>
#include <string.h>

#ifndef FUZZ_KIND
#define FUZZ_KIND "gemini"
#endif

/* The request, and twice what is made of it. */
#define MAX_BYTES(size) ((size_t)(1 << 20) + 64 * (size))

#define MAX_DROPPED     1024 /* as in attempt_request.c */

static const char *const models[8] = {
    "gemini-2.5-flash",      "gemini-3-flash",
    "claude-opus-4-1",       "m\"",
    "claude-opus-4-7",       "magistral-medium-2507",
    "amazon.nova-lite-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"};

static int32_t
write_chat(const inf_chat *chat, uint8_t flags, inf_sv account,
           inf_wire_request *out, inf_buf *why, inf_buf *dropped)
{
  const inf_provider_kind *kind = inf_provider_kind_find(INF_SV(FUZZ_KIND));
  inf_send send = {.kind = kind,
                   .base_url = INF_SV("https://h/v1"),
                   .auth_scheme = inf_sv_from(kind->auth_scheme),
                   .key = INF_SV("sk"),
                   .body_members = account,
                   .model = inf_sv_from(models[(flags >> 1) & 7]),
                   .chat = chat,
                   .stream = flags & 1,
                   .prefill = INF_PREFILL_NONE,
                   .dropped = dropped};
  inf_wire_request_init(out);
  return kind->dialect->write_chat(&send, out, why);
}

static bool
is_object(const inf_buf *body)
{
  inf_sv value;
  return inf_json_parse(inf_buf_sv(body), INF_JSON_MAX_DEPTH, &value, NULL) &&
         value.len == body->len && inf_json_is(value, INF_JSON_OBJECT);
}

static void
check_sent(const inf_chat *chat, uint8_t flags, inf_sv account, size_t fail_at)
{
  inf_wire_request out, again;
  inf_buf why, dropped;
  inf_buf_init(&why, SIZE_MAX);
  inf_buf_init(&dropped, MAX_DROPPED);
  int32_t status = write_chat(chat, flags, account, &out, &why, NULL);
  FUZZ_CHECK(status == INFER_OK || status == INFER_E_UNSUPPORTED ||
             status == INFER_E_INVALID_ARGUMENT);
  FUZZ_CHECK((status == INFER_OK) == (why.len == 0));
  FUZZ_CHECK(status != INFER_OK || is_object(&out.body));
  fuzz_memory_fail(fail_at);
  int32_t other = write_chat(chat, flags, account, &again, NULL, &dropped);
  fuzz_memory_fail(0);
  if (other != INFER_E_NO_MEMORY) {
    FUZZ_CHECK(other == status);
    FUZZ_CHECK(status != INFER_OK ||
               inf_sv_eq(inf_buf_sv(&out.body), inf_buf_sv(&again.body)));
  }
  inf_wire_request_fini(&out);
  inf_wire_request_fini(&again);
  inf_buf_fini(&why);
  inf_buf_fini(&dropped);
}

/* The account's members come from a configuration, where each name stands
 * once; here they may be any object. */
static inf_sv
read_account(inf_sv text)
{
  inf_sv value = {0};
  if (!inf_json_parse(text, 64, &value, NULL) ||
      !inf_json_is(value, INF_JSON_OBJECT))
    return INF_SV("{}");
  return value;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_chat chat;
  inf_sv input = inf_sv_of((const char *)data, size);
  uint8_t flags = fuzz_take(&input);
  size_t fail_at = fuzz_take(&input);
  inf_sv text = fuzz_take_until(&input, "\x1e");
  fuzz_memory_begin();
  inf_chat_init(&chat);
  if (inf_chat_from_json(&chat, text, NULL, NULL) == INFER_OK &&
      inf_chat_check(&chat, NULL) == INFER_OK)
    check_sent(&chat, flags, read_account(input), fail_at);
  inf_chat_fini(&chat);
  fuzz_memory_end(MAX_BYTES(size));
  return 0;
}
