/* SPDX-License-Identifier: MIT */
#include "unit/gemini_writing.h"

static bool
has_line(const inf_buf *headers, const char *line)
{
  for (size_t at = 0; at < headers->len; at += strlen(headers->ptr + at) + 1)
    if (strcmp(headers->ptr + at, line) == 0)
      return true;
  return false;
}

static void
assert_sent_to(const char *type, const char *model, bool stream,
               const char *url, const char *key)
{
  char chat[256];
  snprintf(chat, sizeof(chat),
           "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\","
           "\"content\":\"hi\"}]}",
           model);
  struct gemini_sent sent = gemini_send(type, chat, NULL, stream);
  assert_int_equal(sent.status, INFER_OK);
  assert_buf(&sent.out.url, url);
  assert_true(has_line(&sent.out.headers, key));
  assert_true(has_line(&sent.out.headers, "Content-Type: application/json"));
  gemini_sent_fini(&sent);
}

static void
test_where_it_goes(void **state)
{
  (void)state;
#define STUDIO "https://generativelanguage.googleapis.com/v1beta/models/"
  assert_sent_to("gemini", "gemini-2.5-pro", false,
                 STUDIO "gemini-2.5-pro:generateContent", "x-goog-api-key: k");
  assert_sent_to("gemini", "models/gemini-2.5-pro", false,
                 STUDIO "gemini-2.5-pro:generateContent", "x-goog-api-key: k");
  assert_sent_to("gemini", "gemini-2.5-pro", true,
                 STUDIO "gemini-2.5-pro:streamGenerateContent?alt=sse",
                 "x-goog-api-key: k");
#undef STUDIO
  assert_sent_to("vertex", "gemini-2.5-pro", true,
                 "https://{host}/v1/projects/{project}/locations/{region}/"
                 "publishers/google/models/"
                 "gemini-2.5-pro:streamGenerateContent?alt=sse",
                 "Authorization: Bearer k");
}

static void
test_a_whole_request(void **state)
{
  (void)state;
  struct gemini_sent sent = gemini_send(
      "gemini", ASK(OLD, ",\"temperature\":0.50,\"safetySettings\":[1]"),
      "{\"temperature\":1,\"labels\":{\"a\":\"b\"},\"user\":\"u\"}", false);
  assert_int_equal(sent.status, INFER_OK);
  assert_buf(&sent.out.body,
             "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}"
             "],\"generationConfig\":{\"temperature\":0.50},"
             "\"safetySettings\":[1],\"labels\":{\"a\":\"b\"}}");
  gemini_sent_fini(&sent);
}

static void
test_what_changes_nothing_goes_nowhere(void **state)
{
  (void)state;
  struct gemini_sent sent = gemini_send(
      "gemini",
      ASK(OLD, ",\"user\":\"u\",\"store\":false,\"metadata\":{},"
               "\"stream_options\":{},\"safety_identifier\":\"s\","
               "\"prompt_cache_key\":\"k\",\"prompt_cache_retention\":\"24h\","
               "\"prediction\":{},\"service_tier\":\"auto\","
               "\"parallel_tool_calls\":true,\"logit_bias\":null"),
      NULL, false);
  assert_int_equal(sent.status, INFER_OK);
  assert_buf(&sent.out.body, "{\"contents\":[{\"role\":\"user\",\"parts\":["
                             "{\"text\":\"hi\"}]}],\"generationConfig\":{}}");
  gemini_sent_fini(&sent);
}

static void
test_what_cannot_be_said_is_refused(void **state)
{
  (void)state;
  assert_refuses(ASK(OLD, ",\"audio\":{}"),
                 "audio: Gemini has nothing like it");
  assert_refuses(ASK(OLD, ",\"functions\":[]"),
                 "functions: Gemini has nothing like it");
  assert_refuses(ASK(OLD, ",\"function_call\":\"auto\""),
                 "function_call: Gemini has nothing like it");
  assert_refuses(ASK(OLD, ",\"logit_bias\":{\"1\":1}"),
                 "logit_bias: Gemini has nothing like it");
  assert_refuses(ASK(OLD, ",\"verbosity\":\"low\""),
                 "verbosity: Gemini has nothing like it");
  assert_refuses(ASK(OLD, ",\"web_search_options\":{}"),
                 "web_search_options: Gemini has nothing like it");
  assert_refuses(ASK(OLD, ",\"service_tier\":\"flex\""),
                 "service_tier: only auto and default");
  assert_refuses(ASK(OLD, ",\"parallel_tool_calls\":false"),
                 "parallel_tool_calls: Gemini cannot be kept from several "
                 "calls");
}

static void
test_express_mode_has_a_key(void **state)
{
  (void)state;
  inf_chat chat;
  inf_wire_request out;
  const inf_provider_kind *kind = inf_provider_kind_find(S("vertex"));
  inf_chat_init(&chat);
  inf_wire_request_init(&out);
  inf_chat_from_json(&chat, S(ASK(OLD, "")), NULL, NULL);
  inf_send send = {.kind = kind,
                   .base_url = S("https://aiplatform.googleapis.com/v1"),
                   .auth_scheme = S("x-goog-api-key"),
                   .key = S("k"),
                   .body_members = S("{}"),
                   .model = S(OLD),
                   .chat = &chat};
  assert_int_equal(kind->dialect->write_chat(&send, &out, NULL), INFER_OK);
  assert_buf(&out.url, "https://aiplatform.googleapis.com/v1/publishers/google"
                       "/models/gemini-2.5-flash:generateContent");
  assert_true(has_line(&out.headers, "x-goog-api-key: k"));
  inf_wire_request_fini(&out);
  inf_chat_fini(&chat);
}

static void
test_the_list_of_models(void **state)
{
  (void)state;
  inf_wire_request out;
  const inf_provider_kind *kind = inf_provider_kind_find(S("gemini"));
  const inf_provider_kind *express =
      inf_provider_kind_find(S("vertex-express"));
  inf_wire_request_init(&out);
  inf_send send = {.kind = kind,
                   .base_url = S("http://h/v1beta"),
                   .auth_scheme = S(kind->auth_scheme),
                   .key = S("k")};
  assert_int_equal(kind->dialect->write_models(&send, &out), INFER_OK);
  assert_buf(&out.url, "http://h/v1beta/models?pageSize=1000");
  assert_true(has_line(&out.headers, "x-goog-api-key: k"));
  send.kind = express;
  assert_int_equal(express->dialect->write_models(&send, &out),
                   INFER_E_UNSUPPORTED);
  inf_wire_request_fini(&out);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_where_it_goes),
      cmocka_unit_test(test_a_whole_request),
      cmocka_unit_test(test_what_changes_nothing_goes_nowhere),
      cmocka_unit_test(test_what_cannot_be_said_is_refused),
      cmocka_unit_test(test_express_mode_has_a_key),
      cmocka_unit_test(test_the_list_of_models),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
