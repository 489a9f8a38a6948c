/* SPDX-License-Identifier: MIT */
/* A request as a caller could write it. What is accepted is JSON for json-c
 * too, comes back from the request unchanged, and goes out with every member
 * that it had: the body is read by json-c and compared member by member.
 *
 *   byte 1: bit 0 a stream is asked for; 1 the provider knows no
 *           stream_options
 *   byte 2: which allocation fails
 *   then the request; after a byte 0x1e, which no JSON has, the account's own
 *   members */
#include "fuzz/fuzz.h"

#include "engine/request.h"
#include "provider/dialect.h"
#include "provider/send.h"
#include "provider/tool_ids.h"
#include "wire/json_scan.h"

#include <infer/infer.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* What the caller's bytes may become: the request, its copy, the texts of
 * both, the body, and the names that were compared. */
#define MAX_BYTES(size) ((size_t)(1 << 20) + 64 * (size))

static json_object *
read_json(inf_sv text)
{
  json_tokener *tokener = json_tokener_new_ex(600);
  char *copy = malloc(text.len + 1);
  if (!tokener || !copy)
    abort();
  if (text.len > 0)
    memcpy(copy, text.ptr, text.len);
  copy[text.len] = '\0';
  json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
  json_object *object = json_tokener_parse_ex(tokener, copy, (int)text.len + 1);
  FUZZ_CHECK(json_tokener_get_error(tokener) == json_tokener_success);
  json_tokener_free(tokener);
  free(copy);
  return object;
}

/* Named by us, whatever the request says. */
static bool
is_ours(const char *name)
{
  return strcmp(name, "model") == 0 || strcmp(name, "stream") == 0 ||
         strcmp(name, "stream_options") == 0;
}

/* Every member of the first stands in the second, the same; messages are as
 * many, where ids of tool calls had to be repaired. */
static void
check_members(json_object *from, json_object *to, bool repaired)
{
  json_object_object_foreach(from, name, value)
  {
    json_object *other = NULL;
    if (is_ours(name))
      continue;
    FUZZ_CHECK(json_object_object_get_ex(to, name, &other));
    if (repaired && strcmp(name, "messages") == 0)
      FUZZ_CHECK(json_object_array_length(value) ==
                 json_object_array_length(other));
    else
      FUZZ_CHECK(json_object_equal(value, other));
  }
}

/* Members of the account that neither we nor the request have. */
static void
check_account(json_object *account, json_object *given, json_object *body)
{
  json_object_object_foreach(account, name, value)
  {
    json_object *other = NULL;
    (void)value;
    if (is_ours(name) || strcmp(name, "messages") == 0 ||
        json_object_object_get_ex(given, name, NULL))
      continue;
    FUZZ_CHECK(json_object_object_get_ex(body, name, &other));
  }
}

static void
check_body(inf_sv text, json_object *given, inf_sv account, bool stream,
           bool repaired)
{
  inf_sv value;
  json_object *other = NULL;
  FUZZ_CHECK(inf_json_parse(text, INF_JSON_MAX_DEPTH, &value, NULL));
  FUZZ_CHECK(value.len == text.len);
  json_object *body = read_json(text);
  check_members(given, body, repaired);
  if (account.len > 0) {
    json_object *members = read_json(account);
    check_account(members, given, body);
    json_object_put(members);
  }
  FUZZ_CHECK(json_object_object_get_ex(body, "model", &other));
  FUZZ_CHECK(strcmp(json_object_get_string(other), "m\"") == 0);
  FUZZ_CHECK(json_object_object_get_ex(body, "stream", &other) == stream);
  json_object_put(body);
}

static void
check_headers(inf_sv lines)
{
  while (lines.len > 0) {
    inf_sv line = inf_sv_of(lines.ptr, inf_sv_find(lines, '\0'));
    FUZZ_CHECK(line.len < lines.len && inf_header_value_valid(line));
    lines = inf_sv_of(lines.ptr + line.len + 1, lines.len - line.len - 1);
  }
}

static int32_t
write_chat(const infer_request *request, const inf_provider_kind *kind,
           bool stream, inf_sv account, inf_wire_request *out)
{
  inf_send send = {.kind = kind,
                   .base_url = INF_SV("https://h/v1"),
                   .auth_scheme = INF_SV("Bearer"),
                   .key = INF_SV("sk"),
                   .body_members = account,
                   .model = INF_SV("m\""),
                   .chat = &request->chat,
                   .stream = stream};
  inf_wire_request_init(out);
  return kind->dialect->write_chat(&send, out, NULL);
}

/* With a failed allocation it is refused as that, or goes out the same. */
static void
check_sent(const infer_request *request, inf_sv account, uint8_t flags,
           size_t fail_at, json_object *given)
{
  inf_provider_kind kind = *inf_provider_kind_at(0);
  inf_wire_request out, again;
  kind.stream_options = !(flags & 2);
  FUZZ_CHECK(write_chat(request, &kind, flags & 1, account, &out) == INFER_OK);
  check_body(inf_buf_sv(&out.body), given, account, flags & 1,
             inf_tool_ids_needed(INF_TOOL_ID_ANY,
                                 inf_buf_sv(&request->chat.messages)));
  check_headers(inf_buf_sv(&out.headers));
  fuzz_memory_fail(fail_at);
  int32_t status = write_chat(request, &kind, flags & 1, account, &again);
  fuzz_memory_fail(0);
  if (status == INFER_OK)
    FUZZ_CHECK(inf_sv_eq(inf_buf_sv(&out.body), inf_buf_sv(&again.body)));
  else
    FUZZ_CHECK(status == INFER_E_NO_MEMORY);
  inf_wire_request_fini(&out);
  inf_wire_request_fini(&again);
}

/* What the request shows reads back, and shows the same. */
static void
check_shown(const infer_request *request, json_object *given)
{
  char *first, *second;
  infer_request *again = NULL;
  FUZZ_CHECK(infer_request_json(request, &first, NULL) == INFER_OK);
  FUZZ_CHECK(infer_request_from_json(&again, first, INFER_NUL_TERMINATED,
                                     NULL) == INFER_OK);
  FUZZ_CHECK(infer_request_json(again, &second, NULL) == INFER_OK);
  FUZZ_CHECK(strcmp(first, second) == 0);
  json_object *shown = read_json(inf_sv_from(first));
  check_members(given, shown, false);
  json_object_put(shown);
  infer_request_free(again);
  infer_text_free(first);
  infer_text_free(second);
}

/* json-c ends a name at a NUL, and takes "model\u0000" for "model". */
static bool
has_nul(inf_sv json)
{
  return json.len > 0 && memmem(json.ptr, json.len, "\\u0000", 6);
}

/* The account's members come from a configuration, where each name stands
 * once; here they may be any object. */
static inf_sv
read_account(inf_sv text)
{
  inf_sv value = {0};
  if (!inf_json_parse(text, 64, &value, NULL) ||
      !inf_json_is(value, INF_JSON_OBJECT) || has_nul(value))
    return INF_SV("");
  return value;
}

static void
run(inf_sv text, inf_sv account, uint8_t flags, size_t fail_at)
{
  infer_request *request;
  infer_error *error = NULL;
  fuzz_memory_fail(fail_at);
  int32_t status =
      infer_request_from_json(&request, text.ptr, text.len, &error);
  fuzz_memory_fail(0);
  if (status == INFER_E_NO_MEMORY) {
    infer_error_free(error);
    status = infer_request_from_json(&request, text.ptr, text.len, &error);
  }
  if (status != INFER_OK) {
    FUZZ_CHECK(!request && infer_error_status(error) == status);
    FUZZ_CHECK(infer_error_message(error)[0]);
    infer_error_free(error);
    return;
  }
  if (has_nul(text)) {
    infer_request_free(request);
    return;
  }
  json_object *given = read_json(text);
  check_shown(request, given);
  check_sent(request, account, flags, fail_at, given);
  json_object_put(given);
  infer_request_free(request);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv input = inf_sv_of((const char *)data, size);
  uint8_t flags = fuzz_take(&input);
  size_t fail_at = fuzz_take(&input) % 64;
  inf_sv text = fuzz_take_until(&input, "\x1e");
  char *block = fuzz_block(text);
  fuzz_memory_begin();
  run(inf_sv_of(block, text.len), read_account(input), flags, fail_at);
  fuzz_memory_end(MAX_BYTES(size));
  free(block);
  return 0;
}
