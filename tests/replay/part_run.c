/* SPDX-License-Identifier: MIT */
/* Replays as a whole: what a model says is what comes out, to the nanosecond
 * where nothing is drawn. */
#include "replay_call.h"
#include "replay_config.h"
#include "replay_report.h"
#include "replay_test.h"

#include "engine/prompt.h"
#include "provider/dialect.h"

/* A route of two targets with prices, and what else the test says of it. */
#define CONFIG(policies)                                                     \
  "{\"telemetry\":{\"otlp\":{\"endpoint\":\"http://o.test\"}},"              \
  "\"providers\":[{\"name\":\"a\",\"type\":\"openai\",\"api_key\":"          \
  "[\"env:NO_SUCH_KEY\",\"env:NOR_THIS\"]},{\"name\":\"b\",\"type\":"        \
  "\"anthropic\",\"base_url\":\"http://b.test\",\"headers\":{\"x-api-key\":" \
  "\"env:NO_SUCH_KEY\"},\"ca_file\":\"/nowhere.pem\","                       \
  "\"google_credentials\":\"file:/nowhere.json\"}],\"routes\":{\"r\":{"      \
  "\"targets\":[{\"target\":\"a/m\",\"price\":{\"input\":1,\"output\":4}},"  \
  "{\"target\":\"b/n\",\"price\":{\"input\":2,\"output\":8}}]" policies "}}}"

/* The first target does what the text says; the second answers well. */
#define MODELS(first)                                                 \
  "{\"models\":{\"a/*\":{" first "},\"b/*\":{\"first_token_ms\":500," \
  "\"token_ms\":10}}}"
#define PLAIN "\"first_token_ms\":200,\"token_ms\":10"

static inf_replay_result result;

static int
run_with(const char *config_text, const char *models_text, const char *trace,
         const inf_replay_options *more)
{
  inf_replay_options options = {.model = "r", .seed = 1, .speed = 1};
  inf_replay_models models;
  infer_config *config;
  inf_buf error;
  inf_buf_init(&error, 4096);
  if (more)
    options = *more;
  char *path = write_file(trace, strlen(trace));
  options.trace = path;
  options.models = &models;
  if (!inf_replay_models_read(&models, inf_sv_from(models_text), &error))
    fail_msg("%s", inf_buf_cstr(&error));
  assert_int_equal(
      infer_config_from_json(&config, config_text, strlen(config_text), NULL),
      INFER_OK);
  assert_int_equal(inf_replay_prepare(config), 0);
  int code = inf_replay_run(config, &options, &result);
  infer_config_free(config);
  inf_replay_models_free(&models);
  inf_buf_fini(&error);
  remove_file(path);
  return code;
}

static void
run(const char *policies_and_all, const char *models, const char *trace)
{
  assert_int_equal(run_with(policies_and_all, models, trace, NULL), 0);
}

/* Histograms are 0.8 % off at most. */
static void
assert_times(double ttft_ms, double total_ms)
{
  assert_near(inf_replay_tally_ms(&result.tally.ttft, 0.5), ttft_ms, 0.008);
  assert_near(inf_replay_tally_ms(&result.tally.total, 0.5), total_ms, 0.008);
}

static void
answers_take_what_the_model_says(void **state)
{
  (void)state;
  run(CONFIG(""), MODELS(PLAIN), "0,100,51\n10,100,51\n");
  assert_int_equal(result.requests, 2);
  assert_int_equal(result.tally.answered, 2);
  assert_times(200, 700);
  assert_int_equal(result.span_ns, 10000000000);
  assert_int_equal(result.virtual_ns, 10700000000);
  assert_int_equal(result.live_max, 1);
  assert_int_equal(result.tally.prompt_tokens, 200);
  assert_int_equal(result.tally.answer_tokens, 102);
  /* A prompt's tokens, and a connection, which is made once. */
  run(CONFIG(""), MODELS(PLAIN ",\"prompt_token_ms\":0.5,\"connect_ms\":1000"),
      "0,100,51\n10,100,51\n20,100,51\n");
  assert_times(250, 750);
  assert_near(inf_replay_tally_ms(&result.tally.ttft, 1), 1250, 0.008);
  /* A single token, and none, which counts as one. */
  run(CONFIG(""), MODELS(PLAIN), "0,0,1\n10,1,0\n");
  assert_times(200, 200);
  assert_int_equal(result.tally.answer_tokens, 2);
  /* At ten times the speed requests come sooner, answers do not. */
  const inf_replay_options fast = {.model = "r", .seed = 1, .speed = 10};
  assert_int_equal(
      run_with(CONFIG(""), MODELS(PLAIN), "0,100,51\n1,100,51\n", &fast), 0);
  assert_times(200, 700);
  assert_int_equal(result.virtual_ns, 800000000);
  assert_int_equal(result.live_max, 2);
}

/* Answers that take longer than they may be silent are not silent. */
static void
pieces_keep_an_answer_alive(void **state)
{
  (void)state;
  run(CONFIG(",\"timeouts\":{\"idle_ms\":400}"),
      MODELS("\"first_token_ms\":200,\"token_ms\":100"), "0,100,51\n");
  assert_int_equal(result.tally.answered, 1);
  assert_int_equal(result.tally.attempts, 1);
  assert_times(200, 5200);
  /* But where each token takes longer, they are. */
  run(CONFIG(",\"timeouts\":{\"idle_ms\":90}"),
      MODELS("\"first_token_ms\":200,\"token_ms\":100"), "0,100,51\n");
  assert_int_equal(result.tally.failed, 1);
  assert_int_equal(result.tally.classes[0].status, INFER_E_IDLE_TIMEOUT);
}

static void
whole_answers_come_at_their_end(void **state)
{
  (void)state;
  run(CONFIG(",\"upstream\":\"unary\""), MODELS(PLAIN), "0,100,51\n");
  assert_int_equal(result.tally.answered, 1);
  assert_times(700, 700);
  assert_int_equal(result.tally.answer_tokens, 51);
}

static void
assert_spend(uint64_t nano_usd, uint64_t wasted_nano_usd, uint64_t estimated)
{
  assert_int_equal(result.tally.spend_nano_usd, nano_usd);
  assert_int_equal(result.tally.wasted_nano_usd, wasted_nano_usd);
  assert_int_equal(result.tally.estimated_costs, estimated);
  assert_int_equal(result.tally.unknown_costs, 0);
}

/* To the nano-dollar, by the prices of the target that answered. */
static void
spend_is_exact(void **state)
{
  (void)state;
  run(CONFIG(""), MODELS(PLAIN), "0,100,51\n10,100,51\n");
  assert_spend(2 * (100 * 1000 + 51 * 4000), 0, 0);
  run(CONFIG(",\"stay\":{\"retries\":0}"),
      MODELS(PLAIN ",\"failures\":{\"503\":1}"), "0,100,51\n");
  assert_spend(100 * 2000 + 51 * 8000, 0, 0);
  /* Nobody tells what an answer that broke off has cost. */
  run(CONFIG(""), MODELS(PLAIN ",\"failures\":{\"cut\":1}"), "0,100,51\n");
  assert_true(result.tally.spend_nano_usd > 100 * 1000);
  assert_spend(result.tally.spend_nano_usd, result.tally.spend_nano_usd, 1);
}

typedef struct failing_case {
  const char *failure;
  double ttft_ms; /* then the second target answers */
  unsigned attempts;
} failing_case;

static void
failures_are_met_with_the_policies(void **state)
{
  (void)state;
  static const failing_case cases[] = {
      {"503", 500 + 30, 2},   {"connect", 500 + 30, 2},
      {"reset", 500 + 30, 2}, {"404", 500 + 30, 2},
      {"silence", 2500, 2},   {"429", 500 + 60, 3}, /* with either key */
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char models[512];
    snprintf(models, sizeof models,
             MODELS(PLAIN ",\"error_ms\":30,\"failures\":{\"%s\":1}"),
             cases[i].failure);
    run(CONFIG(",\"stay\":{\"retries\":0},\"timeouts\":{\"first_token_ms\":"
               "2000}"),
        models, "0,100,51\n");
    assert_int_equal(result.tally.answered, 1);
    if (result.tally.attempts != cases[i].attempts)
      fail_msg("%s: %u attempts", cases[i].failure,
               (unsigned)result.tally.attempts);
    assert_int_equal(result.tally.failovers, 1);
    /* By either key. */
    bool limited = strcmp(cases[i].failure, "429") == 0;
    assert_int_equal(result.tally.limited, limited ? 2 : 0);
    assert_int_equal(result.tally.retries, limited);
    assert_times(cases[i].ttft_ms, cases[i].ttft_ms + 500);
  }
}

/* Connections that are kept warm are none. */
static void
attempts_are_requests(void **state)
{
  (void)state;
  run(CONFIG(",\"keep_warm\":true"), MODELS(PLAIN),
      "0,100,51\n600,100,51\n1200,100,51\n");
  assert_int_equal(result.tally.answered, 3);
  assert_int_equal(result.tally.attempts, 3);
  assert_int_equal(result.tally.unknown_costs, 0);
}

static void
cut_answers_are_no_successes(void **state)
{
  (void)state;
  run(CONFIG(""), MODELS(PLAIN ",\"failures\":{\"cut\":1}"), "0,100,51\n");
  assert_int_equal(result.tally.failed, 1);
  assert_int_equal(result.tally.classes[0].status, INFER_E_TRUNCATED);
  assert_int_equal(result.tally.classes[0].calls, 1);
  run(CONFIG(",\"timeouts\":{\"idle_ms\":3000}"),
      MODELS(PLAIN ",\"failures\":{\"stall\":1}"), "0,100,51\n");
  assert_int_equal(result.tally.failed, 1);
  assert_int_equal(result.tally.classes[0].status, INFER_E_IDLE_TIMEOUT);
  run(CONFIG(",\"recovery\":\"restart\""),
      MODELS(PLAIN ",\"failures\":{\"cut\":1}"), "0,100,51\n");
  assert_int_equal(result.tally.answered, 1);
  assert_int_equal(result.tally.failovers, 1);
}

static void
outages_begin_and_end(void **state)
{
  (void)state;
  run(CONFIG(",\"stay\":{\"retries\":0},\"breaker\":false"),
      MODELS(PLAIN ",\"outages\":[{\"from_s\":10,\"until_s\":20}]"),
      "0,1,1\n9.7,1,1\n10.1,1,1\n19.9,1,1\n20,1,1\n");
  assert_int_equal(result.tally.answered, 5);
  assert_int_equal(result.tally.failovers, 2);
}

static void
write_steady(inf_buf *trace, unsigned count, double gap_s)
{
  inf_buf_init(trace, 1 << 24);
  for (unsigned i = 0; i < count; i++)
    inf_buf_appendf(trace, "%.4f,100,51\n", i * gap_s);
}

/* 400 requests in 4 s, where 60 come at once and then one a second: what is
 * beyond that fails over; the second key has a quota of its own. */
static void
quotas_refuse_what_is_beyond(void **state)
{
  (void)state;
  inf_buf trace;
  write_steady(&trace, 400, 0.01);
  run(CONFIG(",\"stay\":{\"retries\":0}"),
      MODELS(PLAIN ",\"requests_per_minute\":60,\"rate_headers\":false,"
                   "\"retry_after\":false"),
      trace.ptr);
  assert_int_equal(result.tally.answered, 400);
  assert_true(result.tally.limited > 0);
  /* The same, told in every answer: hardly one is refused. */
  uint64_t blind = result.tally.limited;
  run(CONFIG(",\"stay\":{\"retries\":0}"),
      MODELS(PLAIN ",\"requests_per_minute\":60"), trace.ptr);
  assert_int_equal(result.tally.answered, 400);
  assert_true(result.tally.limited < blind);
  /* So many at a time. */
  run(CONFIG(",\"stay\":{\"retries\":0}"), MODELS(PLAIN ",\"concurrency\":5"),
      trace.ptr);
  assert_true(result.tally.limited > 0);
  inf_buf_fini(&trace);
  run(CONFIG(",\"stay\":{\"retries\":0}"), MODELS(PLAIN ",\"concurrency\":2"),
      "0,1,11\n0.1,1,11\n0.2,1,11\n0.5,1,11\n");
  assert_int_equal(result.tally.limited, 2); /* one call, with either key */
}

/* One at a time, two that wait, and no more; who leaves makes room. */
static void
requests_wait_for_their_turn(void **state)
{
  (void)state;
  static const char models[] =
      MODELS(PLAIN ",\"concurrency\":1,\"queue\":2,\"connect_ms\":0");
  run(CONFIG(",\"breaker\":false"), models, "0,1,11\n0.1,1,11\n0.2,1,11\n");
  assert_int_equal(result.tally.answered, 3);
  assert_int_equal(result.tally.limited, 0);
  assert_near(inf_replay_tally_ms(&result.tally.ttft, 0.1), 200, 0.008);
  assert_near(inf_replay_tally_ms(&result.tally.ttft, 0.5), 400, 0.008);
  assert_near(inf_replay_tally_ms(&result.tally.ttft, 1), 600, 0.008);
  run(CONFIG(",\"stay\":{\"retries\":0}"), models,
      "0,1,11\n0,1,11\n0,1,11\n0,1,11\n");
  assert_int_equal(result.tally.answered, 4);
  assert_int_equal(result.tally.limited, 2); /* one call, with either key */
  /* The second gives up at 250 ms, before its turn: the third begins at 300 ms.
   * The other target is too slow for it, too. */
  run(CONFIG(",\"stay\":{\"retries\":0},\"timeouts\":{\"first_token_ms\":"
             "250}"),
      models, "0,1,11\n0,1,11\n0.26,1,11\n");
  assert_int_equal(result.tally.failovers, 1);
  assert_int_equal(result.tally.failed, 1);
  assert_int_equal(result.virtual_ns, 600000000);
  assert_near(inf_replay_tally_ms(&result.tally.ttft, 1), 240, 0.008);
}

static void
prefixes_shorten_prompts(void **state)
{
  (void)state;
  static const char models[] =
      MODELS(PLAIN ",\"prompt_token_ms\":1,\"prefix_cache_tokens\":1000,"
                   "\"prefix_block_tokens\":100");
  run(CONFIG(""), models, "0,300,51,,x y\n10,300,51,,x y z\n20,300,51,,q\n");
  assert_int_equal(result.tally.cached_tokens, 200);
  assert_near(inf_replay_tally_ms(&result.tally.ttft, 0.1), 300, 0.008);
  assert_near(inf_replay_tally_ms(&result.tally.ttft, 1), 500, 0.008);
}

static void
hedges_pay_where_answers_are_late(void **state)
{
  (void)state;
  static const char models[] =
      MODELS("\"first_token_ms\":{\"mix\":[[0.9,{\"dist\":\"lognormal\","
             "\"p50\":200,\"p95\":300}],[0.1,6000]]},"
             "\"token_ms\":10");
  inf_buf trace;
  write_steady(&trace, 3000, 0.05);
  run(CONFIG(""), models, trace.ptr);
  assert_int_equal(result.tally.hedges, 0);
  double without_ms = inf_replay_tally_ms(&result.tally.ttft, 0.95);
  run(CONFIG(",\"hedge\":{\"budget\":0.2}"), models, trace.ptr);
  assert_true(result.tally.hedges > 50);
  assert_true(result.tally.hedges_won > 50);
  assert_near(without_ms, 6000, 0.008);
  assert_true(inf_replay_tally_ms(&result.tally.ttft, 0.95) < 2000);
  inf_buf_fini(&trace);
}

/* Calls of which there are more in one of the two. */
static uint64_t
different(const inf_histogram *a, const inf_histogram *b)
{
  uint64_t sum = 0;
  for (size_t i = 0; i < INF_HISTOGRAM_BUCKETS; i++)
    if (a->counts[i] > b->counts[i])
      sum += a->counts[i] - b->counts[i];
  return sum;
}

/* Two replays differ by what the configurations do, and not by chance: a call
 * that both send but once meets the same answer. */
static void
configurations_meet_the_same_weather(void **state)
{
  (void)state;
  static const char models[] =
      MODELS("\"first_token_ms\":{\"dist\":\"lognormal\",\"p50\":300,"
             "\"p95\":900},\"token_ms\":{\"uniform\":[5,15]},"
             "\"failures\":{\"503\":0.02}");
  inf_buf trace;
  write_steady(&trace, 2000, 0.05);
  run(CONFIG(""), models, trace.ptr);
  static inf_replay_tally with;
  with = result.tally;
  run(CONFIG(",\"stay\":{\"retries\":0}"), models, trace.ptr);
  assert_true(with.retries > 20 && result.tally.failovers > 20);
  uint64_t other = different(&with.ttft, &result.tally.ttft);
  assert_true(other > 0 && other <= with.retries + with.failovers);
  inf_buf_fini(&trace);
}

static void
report_all(inf_buf *out)
{
  const inf_replay_options options = {.trace = "t", .seed = 1, .speed = 1};
  const inf_replay_column column = {"c", &result};
  const inf_replay_report report = {&options, &column, 1};
  inf_buf_init(out, 1 << 20);
  inf_replay_report_text(&report, out);
  inf_replay_report_json(&report, out);
}

static void
a_seed_gives_the_same_results(void **state)
{
  (void)state;
  static const char models[] = MODELS(
      "\"first_token_ms\":{\"dist\":\"lognormal\",\"p50\":300,\"p95\":900},"
      "\"token_ms\":{\"uniform\":[5,15]},\"failures\":{\"503\":0.02,\"cut\":"
      "0.01,\"stall\":0.01,\"reset\":0.01},\"tokens_per_minute\":100000");
  static const char config[] =
      CONFIG(",\"hedge\":{\"budget\":0.05},\"recovery\":\"restart\"");
  inf_buf trace, one, two;
  inf_replay_options options = {.model = "r", .seed = 7, .speed = 1};
  write_steady(&trace, 2000, 0.02);
  assert_int_equal(run_with(config, models, trace.ptr, &options), 0);
  report_all(&one);
  assert_int_equal(run_with(config, models, trace.ptr, &options), 0);
  report_all(&two);
  assert_string_equal(one.ptr, two.ptr);
  options.seed = 8;
  assert_int_equal(run_with(config, models, trace.ptr, &options), 0);
  inf_buf_fini(&two);
  report_all(&two);
  assert_string_not_equal(one.ptr, two.ptr);
  inf_buf_fini(&trace);
  inf_buf_fini(&one);
  inf_buf_fini(&two);
}

static void
limits_and_stops(void **state)
{
  (void)state;
  inf_replay_options options = {
      .model = "r", .seed = 1, .speed = 1, .limit = 2};
  static const char trace[] = "0,1,1\n1,1,1\n2,1,1\n";
  assert_int_equal(run_with(CONFIG(""), MODELS(PLAIN), trace, &options), 0);
  assert_int_equal(result.requests, 2);
  assert_int_equal(result.tally.answered, 2);
  assert_false(result.interrupted);
  static volatile sig_atomic_t stop = 1;
  options.stop = &stop;
  options.limit = 0;
  assert_int_equal(run_with(CONFIG(""), MODELS(PLAIN), trace, &options), 0);
  assert_int_equal(result.requests, 0);
  assert_true(result.interrupted);
  /* Nothing at all. */
  run(CONFIG(""), MODELS(PLAIN), "");
  assert_int_equal(result.requests, 0);
  assert_near(inf_replay_tally_ms(&result.tally.ttft, 0.5), -1, 0);
}

/* What was counted until then is kept. */
static void
mistakes_end_the_replay(void **state)
{
  (void)state;
  assert_int_equal(run_with(CONFIG(""), MODELS(PLAIN), "0,1,1\n1,x,1\n", NULL),
                   1);
  assert_int_equal(run_with(CONFIG(""),
                            "{\"models\":{\"b/*\":{\"first_token_ms\":1}}}",
                            "0,1,1\n", NULL),
                   3);
  static const char model[] = "time,prompt_tokens,answer_tokens,model\n"
                              "0,1,1,r\n1,1,1,nobody/knows\n";
  assert_int_equal(run_with(CONFIG(""), MODELS(PLAIN), model, NULL), 1);
}

/* Every type of provider can be replayed, whatever its keys and addresses. */
static void
every_type_can_be_replayed(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_provider_kind_count(); i++) {
    const inf_provider_kind *kind = inf_provider_kind_at(i);
    char config[512];
    snprintf(config, sizeof config,
             "{\"providers\":[{\"name\":\"a\",\"type\":\"%s\"%s}],"
             "\"routes\":{\"r\":{\"targets\":[\"a/m\"]}}}",
             kind->type,
             !kind->base_url ? ",\"base_url\":\"http://h.test\""
             : strstr(kind->base_url, "{region}") ? ",\"region\":\"eu-west-1\""
                                                  : "");
    run(config, MODELS(PLAIN), "0,100,51\n");
    if (result.tally.answered != 1)
      fail_msg("%s: %d", kind->type, (int)result.tally.classes[0].status);
    assert_times(200, 700);
  }
}

/* Before it has learned anything, the library estimates a prompt at the tokens
 * that the trace says, as well as it does any English one. */
static void
prompts_have_their_length(void **state)
{
  (void)state;
  static const inf_estimate nothing_learned;
  static const uint32_t lengths[] = {100, 5000, 20, 100, 60000, 777};
  inf_replay_prompt prompt = {0};
  inf_buf_init(&prompt.text, INF_SIM_BUF_MAX);
  for (size_t i = 0; i < COUNT_OF(lengths); i++) {
    infer_request *request;
    inf_estimate_prompt seen;
    assert_int_equal(infer_request_new(&request, "r"), INFER_OK);
    assert_int_equal(inf_replay_prompt_add(&prompt, request, 12345, lengths[i]),
                     INFER_OK);
    inf_prompt_of(&seen, request);
    uint64_t tokens = inf_estimate_input(&nothing_learned, &seen);
    double off = (double)tokens - lengths[i];
    if (off > 10 || off < -10 - 0.12 * lengths[i])
      fail_msg("%u tokens, not %u", (unsigned)tokens, (unsigned)lengths[i]);
    infer_request_free(request);
  }
  inf_buf_fini(&prompt.text);
}

/* Places are used again, and empty then. */
static void
places_are_used_again(void **state)
{
  (void)state;
  inf_replay_places places = {0};
  assert_null(inf_replay_place_at(&places, 0));
  for (size_t i = 0; i < 200; i++)
    assert_int_equal(inf_replay_place_take(&places), i);
  inf_replay_call *call = inf_replay_place_at(&places, 17);
  call->first_ns = 5;
  call->facts.asked[3] = 2;
  inf_buf_append(&call->facts.prefix, "12345678", 8);
  inf_replay_place_give(&places, 17);
  inf_replay_place_give(&places, 4);
  assert_int_equal(inf_replay_place_take(&places), 4);
  assert_int_equal(inf_replay_place_take(&places), 17);
  assert_int_equal(call->first_ns, 0);
  assert_int_equal(call->facts.asked[3], 0);
  assert_int_equal(call->facts.prefix.len, 0);
  assert_int_equal(inf_replay_place_take(&places), 200);
  assert_null(inf_replay_place_at(&places, 201));
  inf_replay_places_free(&places);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_take_what_the_model_says),
      cmocka_unit_test(pieces_keep_an_answer_alive),
      cmocka_unit_test(whole_answers_come_at_their_end),
      cmocka_unit_test(spend_is_exact),
      cmocka_unit_test(failures_are_met_with_the_policies),
      cmocka_unit_test(attempts_are_requests),
      cmocka_unit_test(cut_answers_are_no_successes),
      cmocka_unit_test(outages_begin_and_end),
      cmocka_unit_test(quotas_refuse_what_is_beyond),
      cmocka_unit_test(requests_wait_for_their_turn),
      cmocka_unit_test(prefixes_shorten_prompts),
      cmocka_unit_test(hedges_pay_where_answers_are_late),
      cmocka_unit_test(configurations_meet_the_same_weather),
      cmocka_unit_test(a_seed_gives_the_same_results),
      cmocka_unit_test(limits_and_stops),
      cmocka_unit_test(mistakes_end_the_replay),
      cmocka_unit_test(prompts_have_their_length),
      cmocka_unit_test(places_are_used_again),
      cmocka_unit_test(every_type_can_be_replayed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
