/* SPDX-License-Identifier: MIT */
#include "engine/overrides.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char *
quoted(const char *json)
{
  char *text = strdup(json);
  for (char *at = text; *at; at++)
    *at = *at == '\'' ? '"' : *at;
  return text;
}

/* JSON with ' for " everywhere. prompt: a JSON string, or NULL. */
static void
expect(const char *request, const char *overrides, const char *prompt,
       const char *expected)
{
  char *from = quoted(request), *changes = quoted(overrides);
  char *wanted = quoted(expected), *system = prompt ? quoted(prompt) : NULL;
  inf_chat chat, own;
  inf_chat_init(&chat);
  inf_chat_init(&own);
  assert_int_equal(inf_chat_from_json(&chat, inf_sv_from(from), NULL, NULL),
                   INFER_OK);
  inf_target_config target = {.system_prompt = system};
  inf_buf_init(&target.overrides, 10000);
  inf_buf_append_cstr(&target.overrides, changes);
  assert_true(inf_overrides_any(&target));
  assert_int_equal(inf_overrides_apply(&own, &chat, &target), INFER_OK);
  inf_buf out;
  inf_buf_init(&out, 10000);
  inf_chat_write_json(&own, &out);
  assert_string_equal(inf_buf_cstr(&out), wanted);
  inf_sv messages = inf_buf_sv(&own.messages);
  size_t roles = 0;
  for (const char *at = messages.ptr; at && (at = strstr(at, "\"role\"")); at++)
    roles++;
  assert_int_equal(own.message_count, roles);
  inf_buf_fini(&out);
  inf_buf_fini(&target.overrides);
  inf_chat_fini(&chat);
  inf_chat_fini(&own);
  free(from);
  free(changes);
  free(wanted);
  free(system);
}

#define HELLO  "{'role':'user','content':'hello'}"
#define SYSTEM "{'role':'system','content':'be brief'}"

static void
members_are_replaced_added_and_left_out(void **state)
{
  (void)state;
  expect("{'model':'m','messages':[" HELLO "],'temperature':0.2,'seed':7}",
         "{'temperature':1,'seed':null,'reasoning_effort':'low'}", NULL,
         "{'model':'m','messages':[" HELLO
         "],'temperature':1,'reasoning_effort':'low'}");
}

static void
one_limit_takes_the_place_of_both(void **state)
{
  (void)state;
  expect("{'model':'m','messages':[" HELLO "],'max_tokens':100}",
         "{'max_completion_tokens':50}", NULL,
         "{'model':'m','messages':[" HELLO "],'max_completion_tokens':50}");
  expect("{'model':'m','messages':[" HELLO "],'max_completion_tokens':100}",
         "{'max_tokens':50}", NULL,
         "{'model':'m','messages':[" HELLO "],'max_tokens':50}");
}

static void
a_system_prompt_is_replaced(void **state)
{
  (void)state;
  expect("{'model':'m','messages':[" SYSTEM "," HELLO "]}", "{}",
         "'think\\nfirst'",
         "{'model':'m','messages':[{'role':'system','content':'think\\nfirst'}"
         "," HELLO "]}");
  /* Two of them become one; the role of the first one stays. */
  expect("{'model':'m','messages':[{'role':'developer','content':'a'}," SYSTEM
         "," HELLO "," SYSTEM "]}",
         "{}", "'b'",
         "{'model':'m','messages':[{'role':'developer','content':'b'}," HELLO
         "," SYSTEM "]}");
}

static void
a_system_prompt_is_put_where_there_was_none(void **state)
{
  (void)state;
  expect("{'model':'m','messages':[" HELLO "]}", "{}", "'b'",
         "{'model':'m','messages':[{'role':'system','content':'b'}," HELLO
         "]}");
  expect("{'model':'m','messages':[" SYSTEM "]}", "{}", "'b'",
         "{'model':'m','messages':[{'role':'system','content':'b'}]}");
}

/* ---- Embeddings ---------------------------------------------------------- */

typedef struct embedding {
  inf_chat chat, own;
  inf_provider_config provider;
  inf_target_config target;
} embedding;

/* The request's members, what the provider adds and what the target has. */
static void
embedding_init(embedding *e, const char *members, const char *added,
               const char *overrides)
{
  const struct {
    inf_buf *out;
    const char *json;
  } parts[] = {{&e->chat.members, members},
               {&e->provider.embed_body, added},
               {&e->target.overrides, overrides}};
  *e = (embedding){.target.provider = &e->provider,
                   .target.system_prompt = (char *)"\"be brief\""};
  inf_chat_init(&e->chat);
  inf_chat_init(&e->own);
  inf_buf_init(&e->provider.embed_body, 10000);
  inf_buf_init(&e->target.overrides, 10000);
  inf_buf_clear(&e->chat.members);
  inf_buf_append_cstr(&e->chat.model, "m");
  inf_buf_append_cstr(&e->chat.messages, "\"a\",[1]");
  e->chat.message_count = 2;
  e->chat.inputs = true;
  for (size_t i = 0; i < 3; i++) {
    char *text = quoted(parts[i].json);
    inf_buf_append_cstr(parts[i].out, text);
    free(text);
  }
}

static void
embedding_fini(embedding *e)
{
  inf_chat_fini(&e->chat);
  inf_chat_fini(&e->own);
  inf_buf_fini(&e->provider.embed_body);
  inf_buf_fini(&e->target.overrides);
}

static void
embeddings_get_what_is_meant_for_them(void **state)
{
  (void)state;
  static const struct {
    const char *members, *added, *overrides, *expected;
    bool any;
  } cases[] = {
      {"{'user':'u'}", "", "", "{'user':'u'}", false},
      {"{'user':'u'}", "{'user':'v','truncate':'END'}", "",
       "{'user':'u','truncate':'END'}", true},
      {"{'user':'u'}", "", "{'dimensions':3,'user':null}", "{'dimensions':3}",
       true},
      {"{'dimensions':9}", "{'truncate':'END'}",
       "{'dimensions':3,'truncate':null}", "{'dimensions':3}", true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    embedding e;
    embedding_init(&e, cases[i].members, cases[i].added, cases[i].overrides);
    assert_int_equal(inf_overrides_any_embed(&e.target), cases[i].any);
    assert_int_equal(inf_overrides_apply_embed(&e.own, &e.chat, &e.target),
                     INFER_OK);
    char *expected = quoted(cases[i].expected);
    assert_string_equal(inf_buf_cstr(&e.own.members), expected);
    assert_string_equal(inf_buf_cstr(&e.own.model), "m");
    assert_string_equal(inf_buf_cstr(&e.own.messages), "\"a\",[1]");
    assert_int_equal(e.own.message_count, 2);
    assert_true(e.own.inputs);
    free(expected);
    embedding_fini(&e);
  }
}

static void
the_length_of_vectors_is_the_targets_first(void **state)
{
  (void)state;
  static const char *const cases[][3] = {
      {"{}", "", ""},
      {"{'dimensions':9}", "", "9"},
      {"{'dimensions':9}", "{'user':'u'}", "9"},
      {"{'dimensions':9}", "{'dimensions':3}", "3"},
      {"{}", "{'dimensions':3}", "3"},
      {"{'dimensions':9}", "{'dimensions':null}", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    embedding e;
    embedding_init(&e, cases[i][0], "", cases[i][1]);
    inf_sv got = inf_overrides_dimensions(&e.chat, &e.target);
    assert_true(inf_sv_eq(got, inf_sv_from(cases[i][2])));
    embedding_fini(&e);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_are_replaced_added_and_left_out),
      cmocka_unit_test(one_limit_takes_the_place_of_both),
      cmocka_unit_test(a_system_prompt_is_replaced),
      cmocka_unit_test(a_system_prompt_is_put_where_there_was_none),
      cmocka_unit_test(embeddings_get_what_is_meant_for_them),
      cmocka_unit_test(the_length_of_vectors_is_the_targets_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
