/* SPDX-License-Identifier: MIT */
/* An answer that goes on where another ended: what is plain, what is an echo,
 * and the whole that comes of it. */
#include "support/fail_alloc.h"
#include "unit/provider_support.h"

static const char beginning[] = "It was a dark and ";
enum { no_echo = 1000 };

typedef struct hearing {
  inf_answer answer;
  char heard[512];
} hearing;

static void
on_delta(void *context, const inf_delta *delta)
{
  hearing *at = context;
  size_t len = strlen(at->heard);
  if (delta->kind == INF_DELTA_TEXT || delta->kind == INF_DELTA_FINISH ||
      delta->kind == INF_DELTA_USAGE)
    snprintf(at->heard + len, sizeof at->heard - len, "%s[%.*s]",
             delta->kind == INF_DELTA_TEXT     ? ""
             : delta->kind == INF_DELTA_FINISH ? "finish"
                                               : "usage",
             (int)delta->text.len, delta->text.ptr);
}

static void
start(hearing *at, size_t echo_min_bytes)
{
  *at = (hearing){.heard = ""};
  inf_answer_init(&at->answer, 4096);
  at->answer.listener = on_delta;
  at->answer.listener_context = at;
  inf_answer_go_on(&at->answer, S(beginning), 5, true, echo_min_bytes);
}

static void
say(hearing *at, const char *text)
{
  inf_answer_add_text(&at->answer, 0, S(text));
}

static void
check(hearing *at, const char *heard, const char *text)
{
  assert_int_equal(at->answer.status, INFER_OK);
  assert_string_equal(at->heard, heard);
  const inf_choice *choice = inf_answer_choice(&at->answer, 0);
  assert_non_null(choice);
  assert_buf(&choice->text, text);
  inf_answer_fini(&at->answer);
}

/* ---- Plain --------------------------------------------------------------- */

static void
text_alone_is_plain(void **state)
{
  (void)state;
  inf_answer answer;
  inf_answer_init(&answer, 4096);
  assert_true(inf_answer_is_plain_text(&answer));
  inf_answer_set_id(&answer, S("id"));
  inf_answer_set_model(&answer, S("m"));
  inf_answer_set_extra(&answer, S("system_fingerprint"), S("\"fp\""));
  inf_answer_set_role(&answer, 0, S("assistant"));
  inf_answer_add_text(&answer, 0, S(""));
  inf_answer_add_reasoning(&answer, 0, S(""), "reasoning");
  assert_true(inf_answer_is_plain_text(&answer));
  inf_answer_add_text(&answer, 0, S("Hello"));
  inf_answer_set_choice_extra(&answer, 0, S("stop_reason"), S("null"));
  assert_true(inf_answer_is_plain_text(&answer));
  inf_answer_fini(&answer);
}

static void
reason(inf_answer *answer)
{
  inf_answer_add_reasoning(answer, 0, S("Hm"), "reasoning");
}

static void
refuse(inf_answer *answer)
{
  inf_answer_add_refusal(answer, 0, S("No"));
}

static void
call_tool(inf_answer *answer)
{
  inf_answer_add_tool_call(answer, 0, 0, S("id"), S("function"), S("f"), S(""));
}

static void
tell_logprobs(inf_answer *answer)
{
  inf_answer_add_logprobs(answer, 0, S("{\"token\":\"a\"}"), false);
}

static void
tell_other_logprobs(inf_answer *answer)
{
  inf_answer_set_choice_extra(answer, 0, S("logprobs"),
                              S("{\"tokens\":[\"a\"]}"));
}

static void
speak(inf_answer *answer)
{
  inf_answer_set_message_extra(answer, 0, S("audio"), S("{\"id\":\"x\"}"),
                               true);
}

static void
say_second(inf_answer *answer)
{
  inf_answer_add_text(answer, 1, S("Hi"));
}

static void
stop(inf_answer *answer)
{
  inf_answer_finish(answer, 0, S("stop"), S("stop"));
}

static void
anything_else_is_not(void **state)
{
  (void)state;
  static void (*const others[])(inf_answer *) = {
      reason, refuse,     call_tool, tell_logprobs, tell_other_logprobs,
      speak,  say_second, stop,
  };
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    inf_answer answer;
    inf_answer_init(&answer, 4096);
    inf_answer_add_text(&answer, 0, S("Hello"));
    others[i](&answer);
    assert_false(inf_answer_is_plain_text(&answer));
    inf_answer_fini(&answer);
  }
  inf_answer answer; /* a choice that is not the first */
  inf_answer_init(&answer, 4096);
  say_second(&answer);
  assert_false(inf_answer_is_plain_text(&answer));
  inf_answer_fini(&answer);
}

/* ---- The echo ------------------------------------------------------------ */

static void
a_whole_echo_is_dropped_however_it_is_cut(void **state)
{
  (void)state;
  static const char all[] = "It was a dark and stormy night";
  for (size_t first = 0; first <= sizeof all - 1; first++) {
    for (size_t step = 1; step < sizeof all; step++) {
      hearing at;
      start(&at, 4);
      inf_answer_add_text(&at.answer, 0, inf_sv_of(all, first));
      for (size_t i = first; i < sizeof all - 1; i += step) {
        size_t left = sizeof all - 1 - i;
        inf_answer_add_text(&at.answer, 0,
                            inf_sv_of(all + i, step < left ? step : left));
      }
      assert_buf(&inf_answer_choice(&at.answer, 0)->text, "stormy night");
      inf_answer_fini(&at.answer);
    }
  }
}

static void
what_is_new_is_told_at_once(void **state)
{
  (void)state;
  hearing at;
  start(&at, 4);
  say(&at, "stormy ");
  say(&at, "night");
  check(&at, "[stormy ][night]", "stormy night");
}

static void
text_that_differs_later_is_told_whole(void **state)
{
  (void)state;
  hearing at;
  start(&at, 4);
  say(&at, "It was");
  assert_string_equal(at.heard, "");
  say(&at, " not so");
  check(&at, "[It was][ not so]", "It was not so");
}

/* Only once is something an echo. */
static void
a_second_repetition_is_text(void **state)
{
  (void)state;
  hearing at;
  start(&at, 4);
  say(&at, beginning);
  say(&at, beginning);
  check(&at, "[It was a dark and ]", beginning);
}

static void
half_an_echo_at_the_end_is_text(void **state)
{
  (void)state;
  hearing at;
  start(&at, 4);
  say(&at, "It was");
  stop(&at.answer);
  check(&at, "[It was]finish[stop]", "It was");
  start(&at, 4);
  say(&at, "It was");
  inf_answer_end(&at.answer);
  check(&at, "[It was]", "It was");
}

/* An answer that breaks off within what may be an echo has said nothing. */
static void
half_an_echo_that_breaks_off_is_nothing(void **state)
{
  (void)state;
  hearing at;
  start(&at, 4);
  say(&at, "It was");
  assert_true(inf_answer_is_plain_text(&at.answer));
  assert_false(inf_answer_has_content(&at.answer));
  check(&at, "", "");
}

static void
a_short_beginning_has_no_echo(void **state)
{
  (void)state;
  hearing at;
  start(&at, no_echo);
  say(&at, beginning);
  check(&at, "[It was a dark and ]", beginning);
}

static void
another_choice_is_not_looked_at(void **state)
{
  (void)state;
  hearing at;
  start(&at, 4);
  inf_answer_add_text(&at.answer, 1, S("It was"));
  assert_string_equal(at.heard, "[It was]");
  inf_answer_fini(&at.answer);
}

/* ---- The whole ----------------------------------------------------------- */

static void
the_beginning_is_put_in_front(void **state)
{
  (void)state;
  hearing at;
  start(&at, no_echo);
  say(&at, "stormy night");
  size_t bytes = at.answer.bytes;
  assert_true(inf_answer_join(&at.answer, S(beginning)));
  assert_int_equal(at.answer.bytes, bytes + strlen(beginning));
  check(&at, "[stormy night]", "It was a dark and stormy night");
  /* An answer that said nothing more. */
  inf_answer_init(&at.answer, 8);
  assert_true(inf_answer_join(&at.answer, S(beginning)));
  assert_buf(&inf_answer_choice(&at.answer, 0)->text, beginning);
  assert_true(inf_answer_choice(&at.answer, 0)->has_text);
  inf_answer_fini(&at.answer);
}

static void
join_scenario(void *unused)
{
  (void)unused;
  inf_answer answer;
  inf_answer_init(&answer, 4096);
  inf_answer_add_text(&answer, 0, S("stormy night"));
  bool there = answer.status == INFER_OK;
  bool ok = inf_answer_join(&answer, S(beginning));
  assert_true(ok || fail_alloc_hits() > 0);
  const inf_choice *choice = inf_answer_choice(&answer, 0);
  if (there)
    assert_buf(&choice->text,
               ok ? "It was a dark and stormy night" : "stormy night");
  inf_answer_fini(&answer);
}

static void
a_failed_join_changes_nothing(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(join_scenario, NULL) > 0);
  fail_alloc_uninstall();
}

static inf_usage
whole_usage(int64_t input, int64_t output, int64_t total, int64_t cache_read,
            int64_t prior_tokens)
{
  inf_answer answer;
  inf_answer_init(&answer, 4096);
  inf_answer_go_on(&answer, S(beginning), prior_tokens, true, no_echo);
  inf_usage usage = {input, output, -1, cache_read, -1, total, -1, -1, false};
  inf_answer_set_usage(&answer, &usage, S("{\"prompt_tokens\":1}"));
  usage = inf_answer_whole_usage(&answer);
  inf_answer_fini(&answer);
  return usage;
}

static void
what_came_before_counts_as_output(void **state)
{
  (void)state;
  inf_usage usage = whole_usage(105, 10, 115, 3, 5);
  assert_int_equal(usage.input, 100);
  assert_int_equal(usage.output, 15);
  assert_int_equal(usage.total, 115);
  assert_int_equal(usage.cache_read, 3);
  assert_true(usage.estimated);
  /* An estimate above what there can be. */
  usage = whole_usage(4, 10, 14, 3, 5);
  assert_int_equal(usage.input, 0);
  assert_int_equal(usage.output, 14);
  assert_int_equal(usage.total, 14);
  assert_int_equal(usage.cache_read, 0);
  /* What is not known stays so. */
  usage = whole_usage(-1, 10, -1, 7, 5);
  assert_int_equal(usage.input, -1);
  assert_int_equal(usage.output, 15);
  assert_int_equal(usage.cache_read, 7);
  usage = whole_usage(105, -1, -1, -1, 5);
  assert_int_equal(usage.input, 100);
  assert_int_equal(usage.output, -1);
  usage = whole_usage(105, INT64_MAX, -1, -1, 5);
  assert_int_equal(usage.output, INF_USAGE_MAX + 5);
  /* And without a beginning nothing changes. */
  usage = whole_usage(105, 10, 115, 3, 0);
  assert_int_equal(usage.input, 105);
  assert_false(usage.estimated);
}

static void
the_usage_that_is_told_is_that_of_the_whole(void **state)
{
  (void)state;
  hearing at;
  start(&at, no_echo);
  say(&at, "x");
  inf_usage usage = {105, 10, -1, -1, -1, 115, -1, -1, false};
  inf_answer_set_usage(&at.answer, &usage, S("{\"prompt_tokens\":105}"));
  inf_answer_end(&at.answer);
  check(&at,
        "[x]usage[{\"prompt_tokens\":100,\"completion_tokens\":15,"
        "\"total_tokens\":115,\"x_estimated\":true}]",
        "x");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_alone_is_plain),
      cmocka_unit_test(anything_else_is_not),
      cmocka_unit_test(a_whole_echo_is_dropped_however_it_is_cut),
      cmocka_unit_test(what_is_new_is_told_at_once),
      cmocka_unit_test(text_that_differs_later_is_told_whole),
      cmocka_unit_test(a_second_repetition_is_text),
      cmocka_unit_test(half_an_echo_at_the_end_is_text),
      cmocka_unit_test(half_an_echo_that_breaks_off_is_nothing),
      cmocka_unit_test(a_short_beginning_has_no_echo),
      cmocka_unit_test(another_choice_is_not_looked_at),
      cmocka_unit_test(the_beginning_is_put_in_front),
      cmocka_unit_test(a_failed_join_changes_nothing),
      cmocka_unit_test(what_came_before_counts_as_output),
      cmocka_unit_test(the_usage_that_is_told_is_that_of_the_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
