/* SPDX-License-Identifier: MIT */
/* What attempts reserve, settle and learn. */
#include "engine/meter.h"

#include "config_util.h"
#include "engine/meter_state.h"

enum { ms = 1000000 };

static const uint64_t t0_ns = 1000 * INF_NS_PER_S;

typedef struct world {
  inf_config *config;
  inf_runtime *runtime;
  const inf_target_config *target;
} world;

/* limits: JSON with ' for ". */
static world
world_new(const char *limits)
{
  world w;
  char json[1024];
  infer_config *source = NULL;
  snprintf(json, sizeof json,
           "{'providers':[{'name':'p','type':'openai','base_url':'http://h/v1',"
           "'api_key':['k1','k2'],'limits':{%s}}],"
           "'routes':{'r':{'targets':['p/m','p/n']}}}",
           limits);
  for (char *at = json; *at; at++)
    *at = *at == '\'' ? '"' : *at;
  assert_int_equal(infer_config_from_json(&source, json, strlen(json), NULL),
                   INFER_OK);
  assert_int_equal(inf_config_compile(source, &w.config, NULL), INFER_OK);
  infer_config_free(source);
  w.runtime = inf_runtime_new();
  w.target = &w.config->routes[0].targets[0];
  return w;
}

static void
world_end(world *w)
{
  inf_runtime_free(w->runtime);
  inf_config_unref(w->config);
}

static inf_meter_cost
cost_of(const char *text, uint64_t max_tokens)
{
  inf_meter_cost cost = {.counted = true,
                         .bytes = strlen(text),
                         .max_tokens = max_tokens,
                         .choices = 1};
  inf_estimate_add_text(&cost.prompt, text, strlen(text));
  inf_estimate_add_message(&cost.prompt);
  return cost;
}

static inf_meter_verdict
reserve(world *w, const inf_meter_cost *cost, uint64_t now_ns,
        inf_meter_pass *pass)
{
  *pass = (inf_meter_pass){0};
  return inf_meter_reserve(w->runtime, w->target, 0, cost, 0, 0, now_ns, pass);
}

static void
settle(world *w, inf_meter_pass *pass, inf_meter_end end, int64_t input,
       int64_t output, uint64_t now_ns)
{
  inf_meter_settle(w->runtime, pass, w->target, end, input, output, -1, now_ns);
}

static void
tell(world *w, inf_meter_pass *pass, const char *const *lines, uint64_t now_ns)
{
  inf_headers headers;
  inf_headers_init(&headers, 4096);
  for (; *lines; lines++)
    assert_int_equal(inf_headers_add_line(&headers, inf_sv_from(*lines)),
                     INFER_OK);
  assert_true(inf_meter_headers(w->runtime, pass, w->target->provider->kind,
                                200, &headers, 0, now_ns));
  inf_headers_fini(&headers);
}

/* ---- Counting ------------------------------------------------------------ */

static void
nobody_counts_tokens_in_vain(void **state)
{
  (void)state;
  inf_meter_cost cost = {.bytes = 400, .choices = 1};
  inf_meter_pass pass;
  world w = world_new("'requests_per_minute':10");
  assert_int_equal(reserve(&w, &cost, t0_ns, &pass).what, INF_METER_GO);
  assert_int_equal(pass.reservation.cost.input_tokens, 101);
  settle(&w, &pass, INF_METER_USED, 1, 1, t0_ns);
  world_end(&w);
  w = world_new("'tokens_per_minute':1000");
  assert_int_equal(reserve(&w, &cost, t0_ns, &pass).what, INF_METER_COUNT);
  assert_null(pass.meter);
  world_end(&w);
}

/* Within 10 % after 20 answers. */
static void
tokens_are_learned(void **state)
{
  (void)state;
  world w = world_new("'tokens_per_minute':100000000");
  char text[4096];
  inf_meter_pass pass;
  uint64_t now_ns = t0_ns;
  double ratio = 1.3; /* of this model's tokens to the usual ones */
  for (int i = 0; i < 21; i++) {
    size_t len = 200 + (size_t)(i * 733 % 3000);
    for (size_t k = 0; k < len; k++)
      text[k] = k % 6 == 5 ? ' ' : (char)('a' + (k * 7) % 26);
    text[len] = '\0';
    inf_meter_cost cost = cost_of(text, 0);
    inf_estimate fresh = {0};
    double real = ratio * (double)inf_estimate_input(&fresh, &cost.prompt);
    assert_int_equal(reserve(&w, &cost, now_ns, &pass).what, INF_METER_GO);
    if (i == 20) {
      double reserved = (double)pass.reservation.cost.input_tokens;
      assert_true(reserved > 0.9 * real && reserved < 1.1 * real);
    }
    settle(&w, &pass, INF_METER_WHOLE, (int64_t)real, 100, now_ns);
    now_ns += 100 * ms;
  }
  /* The other key's attempts know as well. */
  inf_meter_cost cost = cost_of(text, 0);
  inf_estimate fresh = {0};
  double real = ratio * (double)inf_estimate_input(&fresh, &cost.prompt);
  assert_int_equal(
      inf_meter_reserve(w.runtime, w.target, 1, &cost, 0, 0, now_ns, &pass)
          .what,
      INF_METER_GO);
  assert_true((double)pass.reservation.cost.input_tokens > 0.9 * real);
  settle(&w, &pass, INF_METER_UNSENT, -1, -1, now_ns);
  world_end(&w);
}

static void
only_what_came_to_its_end_teaches(void **state)
{
  (void)state;
  world w = world_new("'tokens_per_minute':1000000");
  inf_meter_cost cost = cost_of("some words of a prompt", 0);
  inf_meter_pass pass;
  reserve(&w, &cost, t0_ns, &pass);
  uint64_t before = pass.reservation.cost.input_tokens;
  settle(&w, &pass, INF_METER_USED, 5000, 5000, t0_ns);
  for (int i = 0; i < 10; i++) {
    reserve(&w, &cost, t0_ns, &pass);
    settle(&w, &pass, INF_METER_USED, 5000, 1, t0_ns);
  }
  reserve(&w, &cost, t0_ns, &pass);
  assert_int_equal(pass.reservation.cost.input_tokens, before);
  settle(&w, &pass, INF_METER_UNSENT, -1, -1, t0_ns);
  world_end(&w);
}

/* ---- Reserving and settling ---------------------------------------------- */

/* How many requests of one token each go out now. */
static size_t
room(world *w, uint64_t now_ns)
{
  inf_meter_cost cost = cost_of("x", 1);
  size_t count = 0;
  inf_meter_pass passes[200];
  while (count < 200 &&
         reserve(w, &cost, now_ns, &passes[count]).what == INF_METER_GO)
    count++;
  for (size_t i = 0; i < count; i++)
    settle(w, &passes[i], INF_METER_UNSENT, -1, -1, now_ns);
  return count;
}

static void
what_ends_gives_back_what_it_did_not_use(void **state)
{
  (void)state;
  static const struct {
    inf_meter_end end;
    int64_t input, output;
    size_t left; /* of ten */
  } cases[] = {
      {INF_METER_UNSENT, -1, -1, 10}, {INF_METER_REFUSED, -1, -1, 9},
      {INF_METER_USED, 0, 0, 9},      {INF_METER_USED, -1, 0, 9},
      {INF_METER_WHOLE, 10, 10, 9},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    world w = world_new("'requests_per_minute':10");
    inf_meter_cost cost = cost_of("x", 1);
    inf_meter_pass pass;
    assert_int_equal(room(&w, t0_ns), 10);
    reserve(&w, &cost, t0_ns, &pass);
    assert_int_equal(room(&w, t0_ns), 9);
    settle(&w, &pass, cases[i].end, cases[i].input, cases[i].output, t0_ns);
    assert_null(pass.meter);
    settle(&w, &pass, INF_METER_UNSENT, -1, -1, t0_ns); /* harmless */
    /* A refusal makes it careful: the provider knows of others. */
    if (cases[i].end != INF_METER_REFUSED)
      assert_int_equal(room(&w, t0_ns), cases[i].left);
    else
      assert_true(room(&w, t0_ns) <= cases[i].left);
    world_end(&w);
  }
}

static void
tokens_are_settled_by_what_was_used(void **state)
{
  (void)state;
  world w = world_new("'tokens_per_minute':1000");
  inf_meter_cost cost = cost_of("a few words", 900);
  inf_meter_pass pass, other;
  assert_int_equal(reserve(&w, &cost, t0_ns, &pass).what, INF_METER_GO);
  uint64_t reserved =
      pass.reservation.cost.input_tokens + pass.reservation.cost.output_tokens;
  assert_true(reserved > 100 && reserved <= 1000);
  settle(&w, &pass, INF_METER_USED, 100, 850, t0_ns);
  inf_meter_verdict verdict = reserve(&w, &cost, t0_ns, &other);
  assert_int_equal(verdict.what, INF_METER_WAIT);
  assert_string_equal(verdict.why, "the limit tokens_per_minute");
  assert_true(verdict.at_ns > t0_ns);
  world_end(&w);
}

/* More output may be asked for than the limit ever lets through. */
static void
an_answer_that_may_be_long_is_sent_all_the_same(void **state)
{
  (void)state;
  world w = world_new("'tokens_per_minute':300,'output_tokens_per_minute':200");
  inf_meter_cost cost = cost_of("a few words", 100000);
  inf_meter_pass pass;
  cost.choices = 4;
  assert_int_equal(reserve(&w, &cost, t0_ns, &pass).what, INF_METER_GO);
  assert_true(pass.reservation.cost.output_tokens <= 200);
  settle(&w, &pass, INF_METER_UNSENT, -1, -1, t0_ns);
  world_end(&w);
}

/* What a request allows beyond that is lowered before it is sent. */
static void
no_more_is_reserved_than_the_model_can_answer(void **state)
{
  (void)state;
  world w = world_new("'tokens_per_minute':100000");
  inf_target_config target = *w.target;
  inf_meter_cost cost = cost_of("a few words", 100000);
  inf_meter_pass pass;
  target.output_tokens = 30;
  w.target = &target;
  cost.choices = 2;
  assert_int_equal(reserve(&w, &cost, t0_ns, &pass).what, INF_METER_GO);
  assert_int_equal(pass.reservation.cost.output_tokens, 60);
  settle(&w, &pass, INF_METER_UNSENT, -1, -1, t0_ns);
  world_end(&w);
}

static void
keys_and_models_have_their_own(void **state)
{
  (void)state;
  world w = world_new("'requests_per_minute':1");
  inf_meter_cost cost = cost_of("x", 1);
  inf_meter_pass passes[5] = {{0}};
  const inf_target_config *n = &w.config->routes[0].targets[1];
  assert_int_equal(reserve(&w, &cost, t0_ns, &passes[0]).what, INF_METER_GO);
  assert_int_equal(reserve(&w, &cost, t0_ns, &passes[1]).what, INF_METER_WAIT);
  assert_int_equal(
      inf_meter_reserve(w.runtime, w.target, 1, &cost, 0, 0, t0_ns, &passes[2])
          .what,
      INF_METER_GO);
  assert_int_equal(
      inf_meter_reserve(w.runtime, n, 0, &cost, 0, 0, t0_ns, &passes[3]).what,
      INF_METER_GO);
  assert_int_equal(
      inf_meter_reserve(w.runtime, n, 0, &cost, 0, 0, t0_ns, &passes[4]).what,
      INF_METER_WAIT);
  for (size_t i = 0; i < 5; i++)
    settle(&w, &passes[i], INF_METER_UNSENT, -1, -1, t0_ns);
  world_end(&w);
}

static void
a_closed_place_lets_nobody_through(void **state)
{
  (void)state;
  world w = world_new("'requests_per_minute':10");
  inf_meter_cost cost = cost_of("x", 1);
  inf_meter_pass pass = {0};
  inf_meter_verdict verdict = inf_meter_reserve(w.runtime, w.target, 0, &cost,
                                                0, UINT64_MAX, t0_ns, &pass);
  assert_int_equal(verdict.what, INF_METER_WAIT);
  assert_null(pass.meter);
  world_end(&w);
  /* Where nothing limits there is no line. */
  w = world_new("");
  assert_int_equal(inf_meter_reserve(w.runtime, w.target, 0, &cost, 0,
                                     UINT64_MAX, t0_ns, &pass)
                       .what,
                   INF_METER_GO);
  settle(&w, &pass, INF_METER_UNSENT, -1, -1, t0_ns);
  world_end(&w);
}

/* ---- Quotas -------------------------------------------------------------- */

static const char *const two_hundred_left[] = {
    "x-ratelimit-limit-requests: 6000", "x-ratelimit-remaining-requests: 200",
    "x-ratelimit-reset-requests: 59s", NULL};

/* What was under way when the first header came counts against it. */
static void
requests_before_the_first_header_count(void **state)
{
  (void)state;
  world w = world_new("");
  inf_meter_cost cost = cost_of("x", 1);
  inf_meter_pass passes[100];
  for (size_t i = 0; i < 100; i++)
    assert_int_equal(reserve(&w, &cost, t0_ns, &passes[i]).what, INF_METER_GO);
  /* The provider tells the first of them what it has left: 99 are to come. */
  tell(&w, &passes[0], two_hundred_left, t0_ns + 10 * ms);
  assert_in_range(room(&w, t0_ns + 10 * ms), 80, 102);
  for (size_t i = 0; i < 100; i++)
    settle(&w, &passes[i], INF_METER_UNSENT, -1, -1, t0_ns + 10 * ms);
  world_end(&w);
}

static void
headers_and_limits_both_hold(void **state)
{
  (void)state;
  world w = world_new("'requests_per_minute':10");
  inf_meter_cost cost = cost_of("x", 1);
  inf_meter_pass pass;
  reserve(&w, &cost, t0_ns, &pass);
  static const char *const none_left[] = {
      "x-ratelimit-limit-requests: 60", "x-ratelimit-remaining-requests: 0",
      "x-ratelimit-reset-requests: 60s", NULL};
  tell(&w, &pass, none_left, t0_ns + ms);
  settle(&w, &pass, INF_METER_USED, 1, 1, t0_ns + ms);
  inf_meter_verdict verdict = reserve(&w, &cost, t0_ns + ms, &pass);
  assert_int_equal(verdict.what, INF_METER_WAIT);
  assert_string_equal(verdict.why, "the provider's quota of requests");
  verdict = inf_meter_look(w.runtime, w.target, 0, t0_ns + ms);
  assert_int_equal(verdict.what, INF_METER_WAIT);
  assert_int_equal(inf_meter_look(w.runtime, w.target, 1, t0_ns).what,
                   INF_METER_GO);
  world_end(&w);
}

/* ---- The line ------------------------------------------------------------ */

static void
the_line_is_foreseen(void **state)
{
  (void)state;
  world w = world_new("'requests_per_second':2");
  inf_meter_cost cost = cost_of("x", 1);
  inf_meter_pass passes[3];
  inf_meter_verdict verdict = {0};
  for (size_t i = 0; i < 3; i++)
    verdict = reserve(&w, &cost, t0_ns, &passes[i]);
  assert_int_equal(verdict.what, INF_METER_WAIT);
  assert_int_equal(verdict.at_ns, t0_ns + 500 * ms);
  inf_line_entry entry = {.cost = 1, .where = 1};
  for (uint64_t ahead = 0; ahead < 4; ahead++) {
    inf_line_ahead before = {.calls = ahead};
    assert_int_equal(
        inf_meter_start_ns(w.runtime, verdict.meter, &before, &entry, t0_ns),
        t0_ns + (ahead + 1) * 500 * ms);
  }
  for (size_t i = 0; i < 2; i++)
    settle(&w, &passes[i], INF_METER_USED, 1, 1, t0_ns);
  world_end(&w);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nobody_counts_tokens_in_vain),
      cmocka_unit_test(tokens_are_learned),
      cmocka_unit_test(only_what_came_to_its_end_teaches),
      cmocka_unit_test(what_ends_gives_back_what_it_did_not_use),
      cmocka_unit_test(tokens_are_settled_by_what_was_used),
      cmocka_unit_test(an_answer_that_may_be_long_is_sent_all_the_same),
      cmocka_unit_test(no_more_is_reserved_than_the_model_can_answer),
      cmocka_unit_test(keys_and_models_have_their_own),
      cmocka_unit_test(a_closed_place_lets_nobody_through),
      cmocka_unit_test(requests_before_the_first_header_count),
      cmocka_unit_test(headers_and_limits_both_hold),
      cmocka_unit_test(the_line_is_foreseen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
