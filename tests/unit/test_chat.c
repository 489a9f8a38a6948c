/* SPDX-License-Identifier: MIT */
#include "support/fail_alloc.h"
#include "unit/provider_support.h"

typedef struct fixture {
  inf_chat chat;
  const char *reason;
  size_t offset;
} fixture;

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));
  inf_chat_init(&f->chat);
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;
  inf_chat_fini(&f->chat);
  test_free(f);
  return 0;
}

static int32_t
from_json(fixture *f, const char *json)
{
  f->reason = NULL;
  f->offset = SIZE_MAX;
  return inf_chat_from_json(&f->chat, S(json), &f->reason, &f->offset);
}

static void
assert_chat(fixture *f, const char *expected)
{
  inf_buf out;
  inf_buf_init(&out, SIZE_MAX);
  inf_chat_write_json(&f->chat, &out);
  assert_string_equal(inf_buf_cstr(&out), expected);
  inf_buf_fini(&out);
}

#define HI "{\"role\":\"user\",\"content\":\"hi\"}"

static void
test_json_passes_through_untouched(void **state)
{
  fixture *f = *state;
  assert_int_equal(
      from_json(f, "\n{ \"model\": \"m\\/1\", \"messages\": [ " HI
                   ", {\"role\":\"tool\",\"x\":1.0e2} ], \"stream\": true,"
                   "\"seed\":9007199254740993, \"x_y\":{\"a\": [null]},"
                   "\"stream_options\":{\"z\":1}} \n"),
      INFER_OK);
  assert_int_equal(f->chat.message_count, 2);
  assert_buf(&f->chat.model, "m/1");
  assert_chat(f, "{\"model\":\"m/1\",\"messages\":[" HI
                 ",{\"role\":\"tool\",\"x\":1.0e2}],"
                 "\"seed\":9007199254740993,\"x_y\":{\"a\": [null]},"
                 "\"stream_options\":{\"z\":1}}");
}

static void
refused(fixture *f, const char *json, const char *reason)
{
  inf_buf before, after;
  inf_buf_init(&before, SIZE_MAX);
  inf_buf_init(&after, SIZE_MAX);
  inf_chat_write_json(&f->chat, &before);
  assert_int_equal(from_json(f, json), INFER_E_INVALID_ARGUMENT);
  assert_non_null(f->reason);
  if (!strstr(f->reason, reason))
    fail_msg("%s: \"%s\" instead of \"%s\"", json, f->reason, reason);
  assert_true(f->offset <= strlen(json));
  inf_chat_write_json(&f->chat, &after);
  assert_buf(&after, inf_buf_cstr(&before));
  inf_buf_fini(&before);
  inf_buf_fini(&after);
}

static void
test_wrong_documents_are_refused_and_change_nothing(void **state)
{
  fixture *f = *state;
  assert_int_equal(from_json(f, "{\"model\":\"m\",\"messages\":[" HI "]}"),
                   INFER_OK);
  refused(f, "", "");
  refused(f, "{\"model\":\"m\",\"messages\":[" HI "]", "");
  refused(f, "[]", "object");
  refused(f, "{\"messages\":[" HI "]}", "model");
  refused(f, "{\"model\":\"\",\"messages\":[" HI "]}", "empty");
  refused(f, "{\"model\":7,\"messages\":[" HI "]}", "string");
  refused(f, "{\"model\":\"a\\nb\",\"messages\":[" HI "]}", "control");
  refused(f, "{\"model\":\"a\\u0000b\",\"messages\":[" HI "]}", "control");
  refused(f, "{\"model\":\"m\"}", "messages");
  refused(f, "{\"model\":\"m\",\"messages\":[]}", "empty");
  refused(f, "{\"model\":\"m\",\"messages\":{}}", "array");
  refused(f, "{\"model\":\"m\",\"messages\":[\"hi\"]}", "object");
  refused(f, "{\"model\":\"m\",\"messages\":[{\"content\":\"x\"}]}", "role");
  refused(f, "{\"model\":\"m\",\"messages\":[{\"role\":1}]}", "role");
  refused(f, "{\"model\":\"m\",\"messages\":[{\"role\":\"\"}]}", "role");
  refused(f, "{\"model\":\"m\",\"messages\":[" HI "],\"x\":\"\xFF\"}", "");
}

static void
test_duplicate_members_are_refused(void **state)
{
  fixture *f = *state;
  refused(f, "{\"model\":\"m\",\"messages\":[" HI "],\"n\":1,\"n\":2}",
          "duplicate member");
  refused(f, "{\"model\":\"m\",\"messages\":[" HI "],\"n\":1,\"\\u006e\":2}",
          "duplicate member");
  refused(f, "{\"model\":\"m\",\"messages\":[" HI "],\"model\":\"o\"}",
          "duplicate member");
  refused(f, "{\"model\":\"m\",\"stream\":true,\"stream\":false}",
          "duplicate member");
  refused(f, "{\"\":1,\"\":2}", "duplicate member");
  refused(f,
          "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"role\":"
          "\"system\"}]}",
          "duplicate member");
}

static void
test_depth_and_number_of_members_are_limited(void **state)
{
  fixture *f = *state;
  inf_buf text;
  inf_buf_init(&text, SIZE_MAX);
  inf_buf_append_cstr(&text, "{\"model\":\"m\",\"messages\":[" HI "],\"x\":");
  for (int i = 0; i < INF_CHAT_MAX_DEPTH; i++)
    inf_buf_append_char(&text, '[');
  for (int i = 0; i < INF_CHAT_MAX_DEPTH; i++)
    inf_buf_append_char(&text, ']');
  inf_buf_append_char(&text, '}');
  assert_int_equal(from_json(f, inf_buf_cstr(&text)), INFER_E_INVALID_ARGUMENT);
  inf_buf_clear(&text);
  inf_buf_append_cstr(&text, "{\"model\":\"m\",\"messages\":[" HI "]");
  for (int i = 0; i < 300; i++)
    inf_buf_appendf(&text, ",\"m%d\":%d", i, i);
  inf_buf_append_char(&text, '}');
  assert_int_equal(from_json(f, inf_buf_cstr(&text)), INFER_E_INVALID_ARGUMENT);
  assert_string_equal(f->reason, "too many members");
  inf_buf_fini(&text);
}

static void
test_model_is_checked(void **state)
{
  fixture *f = *state;
  char name[1100];
  memset(name, 'm', sizeof(name));
  assert_int_equal(
      inf_chat_set_model(&f->chat, S("clarifai/https://c.com/a"), NULL),
      INFER_OK);
  assert_int_equal(inf_chat_set_model(&f->chat, S(""), NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(inf_chat_set_model(&f->chat, S("a\r\nb"), NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(inf_chat_set_model(&f->chat, S("a\x7F"), NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(inf_chat_set_model(&f->chat, S("a\xC3"), NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(inf_chat_set_model(&f->chat, inf_sv_of(name, 1025), NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_buf(&f->chat.model, "clarifai/https://c.com/a");
  assert_int_equal(inf_chat_set_model(&f->chat, inf_sv_of(name, 1024), NULL),
                   INFER_OK);
}

static void
test_messages_are_built(void **state)
{
  fixture *f = *state;
  assert_int_equal(inf_chat_check(&f->chat, &f->reason),
                   INFER_E_INVALID_ARGUMENT);
  inf_chat_set_model(&f->chat, S("m"), NULL);
  assert_int_equal(inf_chat_check(&f->chat, &f->reason),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(
      inf_chat_add_message(&f->chat, S("user"), inf_sv_of("a\"\n\0b", 5), NULL),
      INFER_OK);
  assert_int_equal(inf_chat_add_message_json(
                       &f->chat, S(" {\"role\":\"assistant\"} "), NULL, NULL),
                   INFER_OK);
  assert_int_equal(inf_chat_check(&f->chat, NULL), INFER_OK);
  assert_int_equal(f->chat.message_count, 2);
  assert_chat(f, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\","
                 "\"content\":\"a\\\"\\n\\u0000b\"},"
                 "{\"role\":\"assistant\"}]}");
  assert_int_equal(
      inf_chat_add_message(&f->chat, S("user"), S("\xFF"), &f->reason),
      INFER_E_INVALID_ARGUMENT);
  assert_int_equal(inf_chat_add_message(&f->chat, S(""), S("x"), NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(inf_chat_add_message_json(&f->chat, S("{\"role\":1}"),
                                             &f->reason, &f->offset),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(inf_chat_add_message_json(&f->chat, S("{\"role\":\"u\""),
                                             &f->reason, &f->offset),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(f->chat.message_count, 2);
}

static void
test_members_are_set_replaced_and_removed(void **state)
{
  fixture *f = *state;
  inf_chat *chat = &f->chat;
  assert_int_equal(inf_chat_set_member(chat, S("n"), S(" 1 "), NULL, NULL),
                   INFER_OK);
  assert_int_equal(
      inf_chat_set_member(chat, S("stop"), S("[\"x\"]"), NULL, NULL), INFER_OK);
  assert_int_equal(inf_chat_set_member(chat, S("n"), S("2"), NULL, NULL),
                   INFER_OK);
  assert_sv(inf_chat_member(chat, S("n")), "2");
  assert_int_equal(inf_chat_set_member(chat, S("stop"), S("null"), NULL, NULL),
                   INFER_OK);
  assert_sv(inf_chat_member(chat, S("stop")), "");
  assert_string_equal(inf_buf_cstr(&chat->members), "{\"n\":2}");
  assert_int_equal(
      inf_chat_set_member(chat, S("stream"), S("true"), NULL, NULL), INFER_OK);
  assert_sv(inf_chat_member(chat, S("stream")), "");
  assert_int_equal(
      inf_chat_set_member(chat, S("model"), S("\"x\""), &f->reason, NULL),
      INFER_E_INVALID_ARGUMENT);
  assert_int_equal(
      inf_chat_set_member(chat, S("messages"), S("[]"), &f->reason, NULL),
      INFER_E_INVALID_ARGUMENT);
  assert_int_equal(
      inf_chat_set_member(chat, S("n"), S("{\"a\":}"), NULL, &f->offset),
      INFER_E_INVALID_ARGUMENT);
  assert_int_equal(f->offset, 5);
  assert_int_equal(inf_chat_set_member(chat, S(""), S("1"), NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_sv(inf_chat_member(chat, S("n")), "2");
}

static void
test_elements_are_appended(void **state)
{
  fixture *f = *state;
  inf_chat *chat = &f->chat;
  assert_int_equal(
      inf_chat_append_to_member(chat, S("tools"), S("{\"type\":\"a\"}")),
      INFER_OK);
  assert_int_equal(inf_chat_append_to_member(chat, S("tools"), S("2")),
                   INFER_OK);
  assert_sv(inf_chat_member(chat, S("tools")), "[{\"type\":\"a\"},2]");
  inf_chat_set_member(chat, S("n"), S("1"), NULL, NULL);
  assert_int_equal(inf_chat_append_to_member(chat, S("n"), S("2")),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(inf_chat_append_to_member(chat, S("tools"), S("{")),
                   INFER_E_INVALID_ARGUMENT);
  assert_sv(inf_chat_member(chat, S("tools")), "[{\"type\":\"a\"},2]");
}

/* Every step either works or changes nothing. */
static void
build_short(void *arg)
{
  (void)arg;
  inf_chat chat;
  inf_buf out;
  bool all = true;
  inf_chat_init(&chat);
  inf_buf_init(&out, SIZE_MAX);
  all &= inf_chat_from_json(&chat,
                            S("{\"model\":\"m\\u0061\",\"messages\":[" HI
                              "],\"n\":1,\"tools\":[1]}"),
                            NULL, NULL) == INFER_OK;
  size_t before = chat.message_count;
  bool added =
      inf_chat_add_message(&chat, S("user"), S("text"), NULL) == INFER_OK;
  assert_int_equal(chat.message_count, before + added);
  all &= added;
  all &= inf_chat_set_member(&chat, S("n"), S("22"), NULL, NULL) == INFER_OK;
  all &= inf_chat_append_to_member(&chat, S("tools"), S("2")) == INFER_OK;
  inf_chat_write_json(&chat, &out);
  all &= out.status == INFER_OK;
  assert_true(all == (fail_alloc_hits() == 0));
  if (all)
    assert_buf(&out, "{\"model\":\"ma\",\"messages\":[" HI
                     ",{\"role\":\"user\",\"content\":\"text\"}],"
                     "\"n\":22,\"tools\":[1,2]}");
  inf_buf_fini(&out);
  inf_chat_fini(&chat);
}

static void
test_short_memory_is_told_and_changes_nothing(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(build_short, NULL) > 4);
  fail_alloc_uninstall();
}

static void
test_the_last_message(void **state)
{
  (void)state;
  inf_chat chat;
  inf_chat_init(&chat);
  assert_int_equal(inf_chat_last_message(&chat).len, 0);
  inf_chat_add_message(&chat, S("user"), S("a, \"b\"]"), NULL);
  assert_sv(inf_chat_last_message(&chat),
            "{\"role\":\"user\",\"content\":\"a, \\\"b\\\"]\"}");
  inf_chat_add_message(&chat, S("assistant"), S("c"), NULL);
  assert_sv(inf_chat_last_message(&chat),
            "{\"role\":\"assistant\",\"content\":\"c\"}");
  inf_chat_fini(&chat);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_last_message),
      TEST(test_json_passes_through_untouched),
      TEST(test_wrong_documents_are_refused_and_change_nothing),
      TEST(test_duplicate_members_are_refused),
      TEST(test_depth_and_number_of_members_are_limited),
      TEST(test_model_is_checked),
      TEST(test_messages_are_built),
      TEST(test_members_are_set_replaced_and_removed),
      TEST(test_elements_are_appended),
      cmocka_unit_test(test_short_memory_is_told_and_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
