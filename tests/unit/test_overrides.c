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

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_are_replaced_added_and_left_out),
      cmocka_unit_test(one_limit_takes_the_place_of_both),
      cmocka_unit_test(a_system_prompt_is_replaced),
      cmocka_unit_test(a_system_prompt_is_put_where_there_was_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
