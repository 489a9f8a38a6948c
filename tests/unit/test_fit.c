/* SPDX-License-Identifier: MIT */
/* One request as different models take it. */
#include "engine/fit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "infer/infer.h"

static char *
quoted(const char *json)
{
  char *text = strdup(json);
  for (char *at = text; *at; at++)
    *at = *at == '\'' ? '"' : *at;
  return text;
}

static char notes_text[512], why_text[512];

/* Members with ' for ", before and after. wanted NULL: it is refused. */
static void
expect_of(const inf_target_config *target, const char *members,
          const char *wanted)
{
  char body[600];
  char *to = quoted(wanted ? wanted : "");
  snprintf(body, sizeof body,
           "{'model':'m','messages':[{'role':'user','content':'hi'}]%s%s",
           members[1] == '}' ? "" : ",", members + 1);
  char *from = quoted(body), *before;
  inf_chat chat;
  inf_buf notes, why;
  inf_chat_init(&chat);
  inf_buf_init(&notes, sizeof notes_text - 1);
  inf_buf_init(&why, sizeof why_text - 1);
  assert_int_equal(inf_chat_from_json(&chat, inf_sv_from(from), NULL, NULL),
                   INFER_OK);
  before = strdup(inf_buf_cstr(&chat.members));
  bool needed = inf_fit_needed(&chat, target);
  assert_int_equal(inf_fit_apply(&chat, target, &notes, &why),
                   wanted ? INFER_OK : INFER_E_UNSUPPORTED);
  if (wanted) {
    assert_string_equal(inf_buf_cstr(&chat.members), to);
    assert_int_equal(needed, strcmp(before, to) != 0);
  } else {
    assert_true(needed);
  }
  snprintf(notes_text, sizeof notes_text, "%s", inf_buf_cstr(&notes));
  snprintf(why_text, sizeof why_text, "%s", inf_buf_cstr(&why));
  inf_buf_fini(&notes);
  inf_buf_fini(&why);
  inf_chat_fini(&chat);
  free(before);
  free(from);
  free(to);
}

static void
expect(int64_t output_tokens, uint32_t manners, const char *members,
       const char *wanted)
{
  inf_target_config target = {.output_tokens = output_tokens,
                              .manners = manners};
  expect_of(&target, members, wanted);
}

static void
a_limit_is_lowered_and_never_raised(void **state)
{
  (void)state;
  expect(8000, 0, "{'max_tokens':8001}", "{'max_tokens':8000}");
  assert_string_equal(notes_text, "max_tokens lowered from 8001 to 8000");
  expect(8000, 0, "{'max_tokens':8000}", "{'max_tokens':8000}");
  assert_string_equal(notes_text, "");
  expect(8000, 0, "{'max_tokens':1}", "{'max_tokens':1}");
  expect(8000, 0, "{'seed':1}", "{'seed':1}");
  expect(8000, 0, "{'max_completion_tokens':9000000000}",
         "{'max_completion_tokens':8000}");
  expect(8000, 0, "{'max_tokens':9000,'max_completion_tokens':10}",
         "{'max_tokens':8000,'max_completion_tokens':10}");
  /* What is not known lowers nothing, and what is no number is not ours. */
  expect(0, 0, "{'max_tokens':9000000000}", "{'max_tokens':9000000000}");
  expect(8000, 0, "{'max_tokens':'9000'}", "{'max_tokens':'9000'}");
}

static void
a_limit_has_the_name_that_the_model_wants(void **state)
{
  (void)state;
  const uint32_t manners = INF_MANNERS_COMPLETION_LIMIT;
  expect(0, manners, "{'max_tokens':50}", "{'max_completion_tokens':50}");
  assert_string_equal(notes_text, "");
  expect(0, manners, "{'max_tokens':50,'max_completion_tokens':40}",
         "{'max_completion_tokens':40}");
  expect(30, manners, "{'max_tokens':50}", "{'max_completion_tokens':30}");
  expect(30, manners, "{'seed':1}", "{'seed':1}");
  expect(0, 0, "{'max_tokens':50}", "{'max_tokens':50}");
}

static void
sampling_is_left_out_and_told(void **state)
{
  (void)state;
  const uint32_t manners = INF_MANNERS_NO_SAMPLING;
  expect(0, manners,
         "{'temperature':0.2,'top_p':0.9,'top_k':5,'presence_penalty':1,"
         "'frequency_penalty':0.5,'seed':3}",
         "{'seed':3}");
  assert_string_equal(notes_text, "no temperature, no top_p, no top_k, no "
                                  "presence_penalty, no frequency_penalty");
  /* What would be no other without it is no news. */
  expect(0, manners,
         "{'temperature':1,'top_p':1.0,'presence_penalty':0,"
         "'frequency_penalty':0}",
         "{}");
  assert_string_equal(notes_text, "");
  expect(0, 0, "{'temperature':0.2}", "{'temperature':0.2}");
  expect(0, INF_MANNERS_COMPLETION_LIMIT, "{'temperature':0.2}",
         "{'temperature':0.2}");
}

/* Models that reason or not, as they are asked. */
static void
the_effort_decides_where_it_does(void **state)
{
  (void)state;
  const uint32_t manners = INF_MANNERS_NO_SAMPLING_BY_EFFORT;
  expect(0, manners, "{'temperature':0.2}", "{'temperature':0.2}");
  expect(0, manners, "{'temperature':0.2,'reasoning_effort':'none'}",
         "{'temperature':0.2,'reasoning_effort':'none'}");
  expect(0, manners, "{'temperature':0.2,'reasoning_effort':'low'}",
         "{'reasoning_effort':'low'}");
  assert_string_equal(notes_text, "no temperature");
  expect(0, manners, "{'logprobs':true,'reasoning_effort':'high'}", NULL);
}

static void
what_the_answer_would_lack_is_refused(void **state)
{
  (void)state;
  const uint32_t manners = INF_MANNERS_NO_SAMPLING;
  expect(0, manners, "{'logprobs':true}", NULL);
  assert_string_equal(why_text, "the model does not take \"logprobs\"");
  expect(0, manners, "{'top_logprobs':3}", NULL);
  expect(0, manners, "{'logit_bias':{'50':-100}}", NULL);
  expect(0, manners, "{'logprobs':false,'logit_bias':{}}", "{}");
  expect(0, 0, "{'logprobs':true}", "{'logprobs':true}");
}

static void
what_the_target_s_overrides_say_stays(void **state)
{
  (void)state;
  inf_target_config target = {.output_tokens = 10,
                              .manners = INF_MANNERS_COMPLETION_LIMIT |
                                         INF_MANNERS_NO_SAMPLING};
  inf_buf_init(&target.overrides, 1000);
  inf_buf_append_cstr(&target.overrides,
                      "{\"temperature\":0.5,\"max_tokens\":99}");
  expect_of(&target, "{'temperature':0.5,'max_tokens':99,'top_p':0.1}",
            "{'temperature':0.5,'max_tokens':99}");
  inf_buf_fini(&target.overrides);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_limit_is_lowered_and_never_raised),
      cmocka_unit_test(a_limit_has_the_name_that_the_model_wants),
      cmocka_unit_test(sampling_is_left_out_and_told),
      cmocka_unit_test(the_effort_decides_where_it_does),
      cmocka_unit_test(what_the_answer_would_lack_is_refused),
      cmocka_unit_test(what_the_target_s_overrides_say_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
