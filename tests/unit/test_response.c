/* SPDX-License-Identifier: MIT */
/* The accessors of responses. */
#include "unit/result_support.h"

#include <pthread.h>

#define S(text) inf_sv_from(text)

/* The length of what is lent agrees with the text. */
#define assert_text(call, expected)          \
  do {                                       \
    size_t len = 99;                         \
    size_t *at = &len;                       \
    assert_string_equal(call, expected);     \
    assert_int_equal(len, strlen(expected)); \
    at = NULL;                               \
    assert_string_equal(call, expected);     \
  } while (0)

static void
fill(inf_answer *answer)
{
  inf_answer_init(answer, 1 << 16);
  inf_answer_set_id(answer, S("id-1"));
  inf_answer_set_model(answer, S("m-2026"));
  inf_answer_add_text(answer, 0, S("first"));
  inf_answer_add_reasoning(answer, 0, S("hm"), "reasoning");
  inf_answer_add_tool_call(answer, 0, 0, S("id-a"), S("function"), S("f"),
                           S("{\"x\":"));
  inf_answer_add_tool_call(answer, 0, 0, S(""), S(""), S(""), S("1}"));
  inf_answer_add_tool_call(answer, 0, 1, S("id-b"), S("function"), S("g"),
                           S("{}"));
  inf_answer_add_text(answer, 1, S("second"));
  inf_answer_add_refusal(answer, 2, S("no"));
  inf_answer_finish(answer, 0, S("tool_calls"), S("use"));
  inf_answer_finish(answer, 1, S("stop"), S("stop"));
  inf_answer_end(answer);
}

/* A response with three choices after one failed attempt. */
static infer_response *
response_new(void)
{
  inf_answer answer;
  fill(&answer);
  inf_trail *trail = trail_new();
  struct infer_attempt *lost = attempt_new(trail, INFER_E_SERVER);
  lost->usage[INFER_USAGE_INPUT] = 5;
  struct infer_attempt *won = attempt_new(trail, INFER_OK);
  won->usage[INFER_USAGE_INPUT] = 7;
  won->usage[INFER_USAGE_OUTPUT] = 2;
  won->request_id = inf_strndup("req-2", 5);
  infer_response *response = inf_response_new(&answer, trail, won);
  inf_answer_fini(&answer);
  assert_non_null(response);
  inf_trail_unref(trail);
  return response;
}

static void
texts_of_every_choice(void **state)
{
  (void)state;
  infer_response *r = response_new();
  assert_int_equal(infer_response_choice_count(r), 3);
  assert_text(infer_response_text(r, at), "first");
  assert_text(infer_response_choice_text(r, 0, at), "first");
  assert_text(infer_response_choice_text(r, 1, at), "second");
  assert_text(infer_response_choice_text(r, 2, at), "");
  assert_text(infer_response_reasoning(r, 0, at), "hm");
  assert_text(infer_response_reasoning(r, 1, at), "");
  assert_text(infer_response_refusal(r, 0, at), "");
  assert_text(infer_response_refusal(r, 2, at), "no");
  assert_string_equal(infer_response_finish_reason(r, 0), "tool_calls");
  assert_string_equal(infer_response_native_finish_reason(r, 0), "use");
  assert_string_equal(infer_response_finish_reason(r, 1), "stop");
  assert_string_equal(infer_response_finish_reason(r, 2), "");
  assert_string_equal(infer_response_native_finish_reason(r, 2), "");
  infer_response_free(r);
}

static void
text_with_nul(void **state)
{
  (void)state;
  inf_answer answer;
  size_t len;
  inf_answer_init(&answer, 4096);
  inf_answer_add_text(&answer, 0, inf_sv_of("a\0b", 3));
  inf_trail *trail = trail_new();
  infer_response *r =
      inf_response_new(&answer, trail, attempt_new(trail, INFER_OK));
  inf_answer_fini(&answer);
  assert_memory_equal(infer_response_text(r, &len), "a\0b", 4);
  assert_int_equal(len, 3);
  const char *json = infer_response_json(r, &len);
  assert_int_equal(len, strlen(json));
  assert_non_null(strstr(json, "\"a\\u0000b\""));
  infer_response_free(r);
  inf_trail_unref(trail);
}

static void
tool_calls(void **state)
{
  (void)state;
  infer_response *r = response_new();
  assert_int_equal(infer_response_tool_call_count(r, 0), 2);
  assert_int_equal(infer_response_tool_call_count(r, 1), 0);
  assert_string_equal(infer_response_tool_call_id(r, 0, 0), "id-a");
  assert_string_equal(infer_response_tool_call_name(r, 0, 0), "f");
  assert_text(infer_response_tool_call_arguments(r, 0, 0, at), "{\"x\":1}");
  assert_string_equal(infer_response_tool_call_id(r, 0, 1), "id-b");
  assert_string_equal(infer_response_tool_call_name(r, 0, 1), "g");
  assert_text(infer_response_tool_call_arguments(r, 0, 1, at), "{}");
  infer_response_free(r);
}

static void
assert_empty(const infer_response *r, size_t choice, size_t tool)
{
  assert_text(infer_response_choice_text(r, choice, at), "");
  assert_text(infer_response_reasoning(r, choice, at), "");
  assert_text(infer_response_refusal(r, choice, at), "");
  assert_string_equal(infer_response_finish_reason(r, choice), "");
  assert_string_equal(infer_response_native_finish_reason(r, choice), "");
  assert_int_equal(infer_response_tool_call_count(r, choice), 0);
  assert_string_equal(infer_response_tool_call_id(r, choice, tool), "");
  assert_string_equal(infer_response_tool_call_name(r, choice, tool), "");
  assert_text(infer_response_tool_call_arguments(r, choice, tool, at), "");
}

static void
what_does_not_exist_reads_as_empty(void **state)
{
  (void)state;
  infer_response *r = response_new();
  assert_empty(r, 3, 0);
  assert_empty(r, SIZE_MAX, SIZE_MAX);
  assert_string_equal(infer_response_tool_call_id(r, 0, 2), "");
  assert_string_equal(infer_response_tool_call_name(r, 0, SIZE_MAX), "");
  assert_text(infer_response_tool_call_arguments(r, 0, 2, at), "");
  assert_null(infer_response_attempt(r, 2));
  assert_null(infer_response_attempt(r, SIZE_MAX));
  infer_response_free(r);
}

static void
null_reads_as_empty(void **state)
{
  (void)state;
  assert_empty(NULL, 0, 0);
  assert_text(infer_response_text(NULL, at), "");
  assert_text(infer_response_json(NULL, at), "");
  assert_int_equal(infer_response_choice_count(NULL), 0);
  assert_int_equal(infer_response_usage(NULL, INFER_USAGE_INPUT), -1);
  assert_int_equal(infer_response_total_usage(NULL, INFER_USAGE_INPUT), -1);
  assert_int_equal(infer_response_usage_estimated(NULL), 0);
  assert_string_equal(infer_response_id(NULL), "");
  assert_string_equal(infer_response_model(NULL), "");
  assert_string_equal(infer_response_provider(NULL), "");
  assert_string_equal(infer_response_target(NULL), "");
  assert_string_equal(infer_response_request_id(NULL), "");
  assert_int_equal(infer_response_attempt_count(NULL), 0);
  assert_null(infer_response_attempt(NULL, 0));
  infer_response_free(NULL);
}

static void
where_it_came_from(void **state)
{
  (void)state;
  infer_response *r = response_new();
  assert_string_equal(infer_response_id(r), "id-1");
  assert_string_equal(infer_response_model(r), "m-2026");
  assert_string_equal(infer_response_provider(r), "house");
  assert_string_equal(infer_response_target(r), "house/m");
  assert_string_equal(infer_response_request_id(r), "req-2");
  assert_int_equal(infer_response_attempt_count(r), 2);
  assert_int_equal(infer_attempt_status(infer_response_attempt(r, 0)),
                   INFER_E_SERVER);
  assert_ptr_equal(infer_response_attempt(r, 1), r->winner);
  infer_response_free(r);
}

/* The answer's own figures, and those of all attempts; what no attempt knows
 * stays unknown, and a known one is not spoilt by an unknown one. */
static void
usage_of_the_answer_and_of_all_attempts(void **state)
{
  (void)state;
  infer_response *r = response_new();
  assert_int_equal(infer_response_usage(r, INFER_USAGE_INPUT), 7);
  assert_int_equal(infer_response_usage(r, INFER_USAGE_OUTPUT), 2);
  assert_int_equal(infer_response_usage(r, INFER_USAGE_REASONING), -1);
  assert_int_equal(infer_response_total_usage(r, INFER_USAGE_INPUT), 12);
  assert_int_equal(infer_response_total_usage(r, INFER_USAGE_OUTPUT), 2);
  assert_int_equal(infer_response_total_usage(r, INFER_USAGE_REASONING), -1);
  const int32_t no_kinds[] = {-1, INFER_USAGE_COUNT, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof no_kinds / sizeof no_kinds[0]; i++) {
    assert_int_equal(infer_response_usage(r, no_kinds[i]), -1);
    assert_int_equal(infer_response_total_usage(r, no_kinds[i]), -1);
  }
  r->trail->records[0]->usage[INFER_USAGE_REASONING] = 0;
  assert_int_equal(infer_response_total_usage(r, INFER_USAGE_REASONING), 0);
  /* Figures come from providers and may be absurd. */
  r->trail->records[0]->usage[INFER_USAGE_INPUT] = INT64_MAX - 3;
  assert_true(infer_response_total_usage(r, INFER_USAGE_INPUT) == INT64_MAX);
  assert_int_equal(infer_response_usage_estimated(r), 0);
  r->answer.usage.estimated = true;
  assert_int_equal(infer_response_usage_estimated(r), 1);
  infer_response_free(r);
}

static void
set_cost(const infer_response *r, size_t index, int64_t nano_usd, int32_t kind)
{
  r->trail->records[index]->cost_nano = nano_usd;
  r->trail->records[index]->cost_kind = kind;
}

static void
has_costs(const infer_response *r, int64_t total, int64_t wasted, int32_t kind)
{
  assert_int_equal(infer_response_total_cost_nano_usd(r), total);
  assert_int_equal(infer_response_wasted_cost_nano_usd(r), wasted);
  assert_int_equal(infer_response_cost_kind(r), kind);
}

/* The second attempt wrote the answer, or both did. */
static void
costs_of_all_attempts_and_of_the_useless(void **state)
{
  (void)state;
  infer_response *r = response_new();
  has_costs(r, -1, -1, INFER_COST_UNKNOWN);
  set_cost(r, 1, 40, INFER_COST_EXACT);
  has_costs(r, -1, -1, INFER_COST_UNKNOWN);
  set_cost(r, 0, 3, INFER_COST_ESTIMATED);
  has_costs(r, 43, 3, INFER_COST_ESTIMATED);
  set_cost(r, 0, 3, INFER_COST_EXACT);
  has_costs(r, 43, 3, INFER_COST_EXACT);
  set_cost(r, 1, -1, INFER_COST_UNKNOWN);
  has_costs(r, -1, 3, INFER_COST_UNKNOWN);
  set_cost(r, 1, 40, INFER_COST_ESTIMATED);
  r->parts = inf_calloc(2, sizeof *r->parts);
  r->part_count = 2;
  r->parts[0].attempt = r->trail->records[0];
  r->parts[1].attempt = r->winner;
  has_costs(r, 43, 0, INFER_COST_ESTIMATED);
  infer_response_free(r);
  has_costs(NULL, -1, -1, INFER_COST_UNKNOWN);
}

/* ---- JSON ---------------------------------------------------------------- */

static void
json_is_written_once(void **state)
{
  (void)state;
  infer_response *r = response_new();
  size_t len;
  const char *json = infer_response_json(r, &len);
  assert_int_equal(len, strlen(json));
  assert_memory_equal(json, "{\"id\":\"id-1\",\"object\":\"chat.completion\"",
                      39);
  assert_non_null(strstr(json, "\"second\""));
  assert_ptr_equal(infer_response_json(r, NULL), json);
  infer_response_free(r);
}

enum { readers = 4, rounds = 50 };

typedef struct reader {
  const infer_response *response;
  pthread_barrier_t *barrier;
  const char *json;
  size_t len;
} reader;

static void *
read_json(void *context)
{
  reader *self = context;
  pthread_barrier_wait(self->barrier);
  self->json = infer_response_json(self->response, &self->len);
  return NULL;
}

static void
threads_that_ask_at_once_get_the_same_json(void **state)
{
  (void)state;
  fail_alloc_install();
  for (int round = 0; round < rounds; round++) {
    infer_response *r = response_new();
    pthread_barrier_t barrier;
    pthread_t ids[readers];
    reader all[readers];
    pthread_barrier_init(&barrier, NULL, readers);
    for (size_t i = 0; i < readers; i++) {
      all[i] = (reader){.response = r, .barrier = &barrier};
      assert_int_equal(pthread_create(&ids[i], NULL, read_json, &all[i]), 0);
    }
    for (size_t i = 0; i < readers; i++)
      pthread_join(ids[i], NULL);
    for (size_t i = 0; i < readers; i++) {
      assert_ptr_equal(all[i].json, all[0].json);
      assert_int_equal(all[i].len, strlen(all[0].json));
    }
    pthread_barrier_destroy(&barrier);
    infer_response_free(r);
  }
  fail_alloc_uninstall(); /* the texts of those that came second are gone */
}

/* Without memory there is no JSON; once there is memory, there is. */
static void
ask_for_json(void *arg)
{
  infer_response *r = arg;
  size_t len = 99;
  const char *json = infer_response_json(r, &len);
  assert_int_equal(len, strlen(json));
  assert_int_equal(len > 0, fail_alloc_hits() == 0);
  inf_free(atomic_exchange(&r->json, NULL));
}

static void
json_waits_for_memory(void **state)
{
  (void)state;
  fail_alloc_install();
  infer_response *r = response_new();
  assert_true(fail_alloc_sweep(ask_for_json, r) > 1);
  assert_non_null(strstr(infer_response_json(r, NULL), "first"));
  infer_response_free(r);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_of_every_choice),
      cmocka_unit_test(text_with_nul),
      cmocka_unit_test(tool_calls),
      cmocka_unit_test(what_does_not_exist_reads_as_empty),
      cmocka_unit_test(null_reads_as_empty),
      cmocka_unit_test(where_it_came_from),
      cmocka_unit_test(usage_of_the_answer_and_of_all_attempts),
      cmocka_unit_test(costs_of_all_attempts_and_of_the_useless),
      cmocka_unit_test(json_is_written_once),
      cmocka_unit_test(threads_that_ask_at_once_get_the_same_json),
      cmocka_unit_test(json_waits_for_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
