/* SPDX-License-Identifier: MIT */
/* replay_agreement: does a replay tell what would have been?
 *
 *   replay_agreement [--seconds N] [--most X] [--pace CALLS]
 *
 * The same load - N (75) seconds of 150 requests a second - is played twice
 * with the same configuration and against the same providers: in real time,
 * through libcurl, against two `infer sim` on loopback; and as a replay of its
 * trace against models of the same distributions. The configuration hedges,
 * retries and fails over; the providers are late by lognormal distributions,
 * refuse one request in fifty and swallow one in a hundred.
 *
 * Prints "replay_p95_error VALUE", the larger one of the relative differences
 * between the 95th percentiles of the times to the first token and to the end;
 * of the replay it is the median of nine seeds. The real run has chance in it:
 * with 11,000 calls a standard deviation of about 1 %. With --most the program
 * fails where the error exceeds X.
 *
 * Then prints "replay_calls_per_s VALUE", by the time of the CPU, of a replay
 * of CALLS (600,000) requests in ten minutes' time of the same providers; 0
 * leaves that out. Lines that begin with "#" tell what happened. */
#include "replay_config.h"
#include "replay_run.h"
#include "replay_test.h"

#include "base/clock.h"
#include "support/sim_process.h"

#include <math.h>
#include <time.h>

enum { per_second = 150, seeds = 9, max_calls = 200000, batch = 64 };

static const char config_form[] =
    "{\"providers\":["
    "{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\",\"proxy\":\"none\","
    "\"base_url\":\"%s\"},"
    "{\"name\":\"b\",\"type\":\"openai\",\"api_key\":\"k\",\"proxy\":\"none\","
    "\"base_url\":\"%s\"}],"
    "\"routes\":{\"r\":{\"targets\":[\"a/m\",\"b/m\"],"
    "\"hedge\":{\"budget\":0.1},"
    "\"timeouts\":{\"first_token_ms\":3000,\"deadline_ms\":20000}}}}";

#define FIRST_A "{\"dist\":\"lognormal\",\"p50\":300,\"p95\":650}"
#define FIRST_B "{\"dist\":\"lognormal\",\"p50\":400,\"p95\":700}"
#define TOKEN   "8"

static const char models_text[] =
    "{\"models\":{"
    "\"a/*\":{\"first_token_ms\":" FIRST_A ",\"token_ms\":" TOKEN
    ",\"failures\":{\"503\":0.02,\"silence\":0.01}},"
    "\"b/*\":{\"first_token_ms\":" FIRST_B ",\"token_ms\":" TOKEN
    ",\"failures\":{\"503\":0.02,\"silence\":0.01}}}}";

/* The chance of the second rule is among what the first one left. */
#define SCRIPT(first)                                          \
  "{\"defaults\":{\"tokens\":200,\"first_token_ms\":" first    \
  ",\"inter_token_ms\":" TOKEN "},\"rules\":["                 \
  "{\"when\":{\"probability\":0.02},\"do\":{\"status\":503}}," \
  "{\"when\":{\"probability\":0.0102041},\"do\":{\"silence\":true}}]}"

/* A request of the load. */
typedef struct load_call {
  uint64_t at_ns, made_ns, first_ns;
  uint32_t answer_tokens;
} load_call;

static load_call calls[max_calls];
static size_t call_count;
static inf_replay_tally real;
static double late_ms; /* the most that a request was made too late */

static uint64_t
now_ns(void)
{
  return inf_clock_now(inf_clock_system());
}

static void
give_up(const char *what)
{
  fprintf(stderr, "replay_agreement: %s\n", what);
  exit(2);
}

/* ---- The load ------------------------------------------------------------ */

/* A Poisson process, with answers of 5 to 60 tokens. */
static void
draw_load(unsigned seconds, uint64_t seed)
{
  inf_rng rng;
  double at_s = 0;
  inf_rng_seed(&rng, seed);
  for (call_count = 0; call_count < max_calls; call_count++) {
    at_s -= log(1 - inf_rng_double(&rng)) / per_second;
    if (at_s >= seconds)
      return;
    calls[call_count] = (load_call){
        .at_ns = (uint64_t)(at_s * 1e9),
        .answer_tokens = (uint32_t)inf_rng_between(&rng, 5, 60),
    };
  }
}

/* ---- Real time ----------------------------------------------------------- */

static void
submit(infer_client *client, infer_queue *queue, size_t index)
{
  infer_request *request = NULL;
  calls[index].made_ns = now_ns();
  if (infer_request_new(&request, "r") != INFER_OK ||
      infer_request_add_message(request, "user", "What is new?") != INFER_OK ||
      infer_request_set_int(request, "max_tokens",
                            calls[index].answer_tokens) != INFER_OK ||
      infer_submit(client, request, INFER_SUBMIT_STREAM, queue, index, NULL,
                   NULL) != INFER_OK)
    give_up("a request cannot be made");
  infer_request_free(request);
}

/* Gives how many calls have ended. */
static size_t
take(infer_event *const *events, size_t count)
{
  size_t ended = 0;
  uint64_t taken_ns = now_ns();
  for (size_t i = 0; i < count; i++) {
    load_call *call = &calls[infer_event_tag(events[i])];
    if (infer_event_type(events[i]) == INFER_EVENT_TEXT && call->first_ns == 0)
      call->first_ns = taken_ns;
    if (infer_event_type(events[i]) != INFER_EVENT_DONE)
      continue;
    ended++;
    bool answered = infer_event_response(events[i]) != NULL;
    int32_t status = infer_error_status(infer_event_error(events[i]));
    inf_replay_tally_call(&real, answered ? INFER_OK : status,
                          call->first_ns - call->made_ns,
                          taken_ns - call->made_ns);
  }
  return ended;
}

static void
read_until(infer_queue *queue, uint64_t until_ns, size_t *ended)
{
  for (;;) {
    infer_event *events[batch];
    size_t count = 0;
    uint64_t now = now_ns();
    int64_t wait_ms =
        now < until_ns ? (int64_t)((until_ns - now) / INF_NS_PER_MS) : 0;
    infer_queue_poll_batch(queue, events, batch, wait_ms, &count);
    *ended += take(events, count);
    for (size_t i = 0; i < count; i++)
      infer_event_free(events[i]);
    if (count == 0 && now_ns() + INF_NS_PER_MS >= until_ns)
      return;
  }
}

static void
play_real(infer_client *client, infer_queue *queue)
{
  size_t ended = 0;
  uint64_t start_ns = now_ns() + 100 * INF_NS_PER_MS;
  for (size_t i = 0; i < call_count; i++) {
    read_until(queue, start_ns + calls[i].at_ns, &ended);
    submit(client, queue, i);
    double late =
        ((double)calls[i].made_ns - (double)(start_ns + calls[i].at_ns)) / 1e6;
    late_ms = late > late_ms ? late : late_ms;
  }
  uint64_t end_ns = now_ns() + 30 * INF_NS_PER_S;
  while (ended < call_count && now_ns() < end_ns)
    read_until(queue, now_ns() + 10 * INF_NS_PER_MS, &ended);
  if (ended < call_count)
    give_up("calls have not ended");
}

static void
run_real(infer_config **config)
{
  char text[2048];
  infer_client *client;
  infer_queue *queue;
  const char *const other[] = {"--seed", "2", NULL};
  sim_process *a = sim_start(SCRIPT(FIRST_A), NULL);
  sim_process *b = sim_start(SCRIPT(FIRST_B), other);
  if (!a || !b)
    give_up("no provider");
  snprintf(text, sizeof text, config_form, sim_url(a), sim_url(b));
  if (infer_config_from_json(config, text, strlen(text), NULL) != INFER_OK ||
      infer_client_new(&client, *config, NULL) != INFER_OK ||
      infer_queue_new(&queue, client) != INFER_OK)
    give_up("no client");
  play_real(client, queue);
  infer_queue_free(queue);
  infer_client_free(client);
  sim_stop(a);
  sim_stop(b);
}

/* ---- Replays ------------------------------------------------------------- */

static char *
write_load(void)
{
  inf_buf text;
  inf_buf_init(&text, INF_SIM_BUF_MAX);
  inf_buf_append_cstr(&text, "time,prompt_tokens,answer_tokens\n");
  for (size_t i = 0; i < call_count; i++)
    inf_buf_appendf(&text, "%.9f,10,%u\n", (double)calls[i].at_ns / 1e9,
                    (unsigned)calls[i].answer_tokens);
  char *path = write_file(text.ptr, text.len);
  inf_buf_fini(&text);
  return path;
}

static void
replay(infer_config *config, const char *trace, uint64_t seed, double speed,
       inf_replay_result *result)
{
  inf_replay_models models;
  inf_buf error;
  inf_buf_init(&error, 4096);
  if (!inf_replay_models_read(&models, inf_sv_from(models_text), &error))
    give_up(inf_buf_cstr(&error));
  const inf_replay_options options = {.trace = trace,
                                      .models = &models,
                                      .model = "r",
                                      .seed = seed,
                                      .speed = speed};
  if (inf_replay_run(config, &options, result) != 0)
    give_up("the replay failed");
  inf_replay_models_free(&models);
  inf_buf_fini(&error);
}

static int
by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double
median(double *values)
{
  qsort(values, seeds, sizeof *values, by_value);
  return values[seeds / 2];
}

static double
compare(infer_config *config, const char *trace)
{
  static const double shares[] = {0.5, 0.95, 0.99};
  static inf_replay_result results[seeds];
  double worst = 0;
  for (size_t i = 0; i < seeds; i++)
    replay(config, trace, i + 1, 1, &results[i]);
  printf("# real: %llu answered, %llu failed; replayed: %llu, %llu; requests "
         "were made at most %.1f ms late\n",
         (unsigned long long)real.answered, (unsigned long long)real.failed,
         (unsigned long long)results[0].tally.answered,
         (unsigned long long)results[0].tally.failed, late_ms);
  for (size_t i = 0; i < 2 * COUNT_OF(shares); i++) {
    bool total = i >= COUNT_OF(shares);
    double share = shares[i % COUNT_OF(shares)], values[seeds];
    for (size_t k = 0; k < seeds; k++)
      values[k] = inf_replay_tally_ms(
          total ? &results[k].tally.total : &results[k].tally.ttft, share);
    double is = inf_replay_tally_ms(total ? &real.total : &real.ttft, share);
    double told = median(values), error = fabs(told - is) / is;
    printf("# %s p%.0f: real %.1f ms, replayed %.1f ms (%.1f to %.1f), %.1f %% "
           "off\n",
           total ? "answer" : "first token", share * 100, is, told, values[0],
           values[seeds - 1], error * 100);
    if (share > 0.9 && share < 0.96 && error > worst)
      worst = error;
  }
  return worst;
}

static void
measure_pace(infer_config *config, unsigned count)
{
  static inf_replay_result result;
  inf_buf text;
  inf_rng rng;
  double at_s = 0;
  inf_rng_seed(&rng, 1);
  inf_buf_init(&text, INF_SIM_BUF_MAX);
  for (unsigned i = 0; i < count; i++) {
    at_s -= log(1 - inf_rng_double(&rng)) / 1000;
    inf_buf_appendf(&text, "%.6f,%u,%u\n", at_s,
                    (unsigned)inf_rng_between(&rng, 50, 2000),
                    (unsigned)inf_rng_between(&rng, 5, 300));
  }
  char *trace = write_file(text.ptr, text.len);
  inf_buf_fini(&text);
  replay(config, trace, 1, 1, &result);
  remove_file(trace);
  double took_s = (double)result.cpu_ns / 1e9;
  printf("# %llu requests of %.0f s, %llu attempts, in %.2f s\n",
         (unsigned long long)result.requests, (double)result.span_ns / 1e9,
         (unsigned long long)result.tally.attempts, took_s);
  printf("replay_calls_per_s %.0f\n", (double)result.requests / took_s);
}

int
main(int argc, char **argv)
{
  unsigned seconds = 75, pace = 600000;
  double most = INFINITY;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seconds") == 0)
      seconds = (unsigned)strtoul(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--most") == 0)
      most = strtod(argv[i + 1], NULL);
    else if (strcmp(argv[i], "--pace") == 0)
      pace = (unsigned)strtoul(argv[i + 1], NULL, 10);
    else
      argc = 0;
  }
  if (argc % 2 == 0) {
    fprintf(stderr, "usage: replay_agreement [--seconds N] [--most X] "
                    "[--pace CALLS]\n");
    return 2;
  }
  infer_config *config = NULL;
  draw_load(seconds, 1);
  run_real(&config);
  if (inf_replay_prepare(config) != 0)
    return 2;
  char *trace = write_load();
  double error = compare(config, trace);
  remove_file(trace);
  printf("replay_p95_error %.4f\n", error);
  fflush(stdout);
  if (pace > 0)
    measure_pace(config, pace);
  infer_config_free(config);
  return error <= most ? 0 : 1;
}
