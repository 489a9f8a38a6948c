/* SPDX-License-Identifier: MIT */
#include "swarm.h"

static const char *const label_names[fleet_label_count] = {
    "eu", "private", "zdr", "onprem", "hipaa"};

const char *
swarm_label(int bit)
{
  return label_names[bit];
}

static uint32_t
pick(inf_rng *rng, const uint32_t *values, uint32_t count)
{
  return values[dice_below(rng, count)];
}

static void
write_labels(inf_buf *config, const char *name, uint32_t labels)
{
  inf_buf_appendf(config, ",\"%s\":[", name);
  for (int i = 0; i < fleet_label_count; i++)
    if (labels >> i & 1)
      inf_buf_appendf(config, "%s\"%s\"", labels & ((1u << i) - 1) ? "," : "",
                      label_names[i]);
  inf_buf_append_cstr(config, "]");
}

/* ---- Providers ----------------------------------------------------------- */

static void
write_keys(inf_buf *config, inf_rng *rng, size_t index)
{
  uint32_t keys = dice_below(rng, 4);
  if (keys == 0) {
    inf_buf_append_cstr(config, ",\"auth_scheme\":\"none\"");
    return;
  }
  inf_buf_append_cstr(config, ",\"api_key\":[");
  for (uint32_t i = 0; i < keys; i++)
    inf_buf_appendf(config, "%s\"key-%zu-%u\"", i ? "," : "", index,
                    (unsigned)i);
  inf_buf_append_cstr(config, "]");
}

/* The client's own limits. */
static void
write_limits(inf_buf *config, const account_limits *limits)
{
  inf_buf_append_cstr(config, ",\"limits\":{\"scope\":\"key\"");
  if (limits->requests > 0)
    inf_buf_appendf(config, ",\"requests_per_%s\":%u",
                    limits->period_ns == INF_NS_PER_S ? "second" : "minute",
                    (unsigned)limits->requests);
  if (limits->concurrency > 0)
    inf_buf_appendf(config, ",\"concurrency\":%u",
                    (unsigned)limits->concurrency);
  inf_buf_append_cstr(config, "}");
}

static void
draw_limits(account_limits *limits, inf_rng *rng)
{
  bool by_second = dice_chance(rng, 500);
  limits->period_ns = (by_second ? 1 : 60) * INF_NS_PER_S;
  if (dice_chance(rng, 700))
    limits->requests = dice_log_between(rng, 1, by_second ? 30 : 600);
  if (dice_chance(rng, 400))
    limits->concurrency = (uint32_t)dice_log_between(rng, 1, 100);
}

/* The fourth is free. */
static void
set_price(fleet_params *params, swarm_kind kind, size_t index)
{
  uint32_t times = index < 3 ? (uint32_t)index + 1 : 0;
  params->price_input = kind == SWARM_BUDGETS ? 0 : 370001 * times;
  params->price_output = swarm_dearest_price / 3 * times;
}

static void
write_prices(inf_buf *config, const fleet_params *params)
{
  inf_buf_appendf(config,
                  ",\"prices\":{\"m\":{\"input\":%u.%06u,\"output\":"
                  "%u.%06u}}",
                  (unsigned)(params->price_input / 1000000),
                  (unsigned)(params->price_input % 1000000),
                  (unsigned)(params->price_output / 1000000),
                  (unsigned)(params->price_output % 1000000));
}

static void
write_provider(inf_buf *config, inf_rng *rng, const fleet_params *params,
               bool priced, size_t index, uint32_t generation)
{
  static const char *const prefills[] = {"none", "assistant", "prefix",
                                         "continue_final_message"};
  inf_buf_appendf(config,
                  "%s{\"name\":\"p%zu\",\"type\":\"openai\",\"proxy\":\"none\","
                  "\"base_url\":\"http://p%zu.sim/v1\"",
                  index ? "," : "", index, index);
  if (priced)
    write_prices(config, params);
  write_keys(config, rng, index);
  write_labels(config, "labels", fleet_labels(params, generation));
  write_limits(config, &params->limits);
  inf_buf_appendf(config, ",\"prefill\":\"%s\"", prefills[dice_below(rng, 4)]);
  if (dice_chance(rng, 150))
    inf_buf_append_cstr(config, ",\"upstream\":\"unary\"");
  if (dice_chance(rng, 500))
    inf_buf_append_cstr(config, ",\"warm_path\":\"/health\"");
  inf_buf_append_cstr(config, "}");
}

/* ---- Routes -------------------------------------------------------------- */

static void
write_targets(inf_buf *config, inf_rng *rng, const swarm_run *swarm,
              swarm_route *route)
{
  uint32_t first = dice_below(rng, (uint32_t)swarm->providers);
  route->first = first;
  route->targets = dice_between(rng, 1, (uint32_t)swarm->providers);
  inf_buf_append_cstr(config, "\"targets\":[");
  for (uint32_t i = 0; i < route->targets; i++)
    inf_buf_appendf(config, "%s\"p%u/m\"", i ? "," : "",
                    (unsigned)((first + i) % swarm->providers));
  inf_buf_append_cstr(config, "]");
}

static void
write_timeouts(inf_buf *config, inf_rng *rng, swarm_route *route)
{
  uint64_t deadline_ms = dice_log_between(rng, 200, 120000);
  uint64_t attempt_ms = dice_log_between(rng, 1000, 60000);
  uint64_t connect_ms = dice_log_between(rng, 50, 5000);
  uint64_t first_ms = dice_log_between(rng, 500, 30000);
  uint64_t idle_ms = dice_log_between(rng, 100, 10000);
  route->deadline_ns = deadline_ms * INF_NS_PER_MS;
  route->attempt_ns = attempt_ms * INF_NS_PER_MS;
  inf_buf_appendf(config,
                  ",\"timeouts\":{\"connect_ms\":%u,\"first_token_ms\":%u,"
                  "\"idle_ms\":%u,\"attempt_ms\":%u,\"deadline_ms\":%u}",
                  (unsigned)connect_ms, (unsigned)first_ms, (unsigned)idle_ms,
                  (unsigned)attempt_ms, (unsigned)deadline_ms);
}

/* Shares of the spend from 1 to 50 %. */
static void
write_hedge(inf_buf *config, inf_rng *rng, swarm_kind kind, swarm_route *route)
{
  static const uint32_t percentiles[] = {50, 90, 95, 95, 99};
  route->hedges = dice_chance(rng, kind == SWARM_ANYTHING ? 500 : 900);
  if (!route->hedges)
    return;
  uint32_t budget = dice_between(rng, 1, 50);
  uint32_t percentile = pick(rng, percentiles, 5);
  uint32_t delay_ms = dice_chance(rng, 500) ? 0 : dice_below(rng, 200);
  inf_buf_appendf(config,
                  ",\"hedge\":{\"budget\":0.%02u,\"percentile\":%u,"
                  "\"min_delay_ms\":%u}",
                  (unsigned)budget, (unsigned)percentile, (unsigned)delay_ms);
  if (dice_chance(rng, 300))
    inf_buf_append_cstr(config, ",\"race_on\":\"answer\"");
}

/* Half of the routes are asked in their order. */
static void
write_strategy(inf_buf *config, inf_rng *rng)
{
  static const char *const strategies[] = {"weighted", "latency", "cost"};
  if (dice_chance(rng, 500))
    return;
  inf_buf_appendf(config, ",\"strategy\":\"%s\"",
                  strategies[dice_below(rng, 3)]);
  if (dice_chance(rng, 500))
    inf_buf_appendf(config, ",\"cost\":{\"max_first_token_ms\":%u}",
                    (unsigned)dice_between(rng, 1, 3000));
}

/* Mostly none or one of the five, for two are rarely found together. */
static uint32_t
draw_required(inf_rng *rng)
{
  uint32_t labels = 0, count = dice_below(rng, 3);
  for (uint32_t i = 0; i < count; i++)
    labels |= 1u << dice_below(rng, fleet_label_count);
  return labels;
}

static void
write_route(inf_buf *config, inf_rng *rng, const swarm_run *swarm,
            swarm_route *route, size_t index)
{
  static const char *const modes[] = {"error", "restart", "continue"};
  static const uint32_t retries[] = {0, 1, 2, 2, 3, 6};
  static const uint32_t waits[] = {0, 100, 1000, 10000};
  uint32_t mode = dice_below(rng, 3), stay = dice_below(rng, 4);
  mode = swarm->broken ? 2 : mode;
  uint32_t wait_ms = pick(rng, waits, 4);
  inf_buf_appendf(config, "%s\"r%zu\":{", index ? "," : "", index);
  write_targets(config, rng, swarm, route);
  route->retries = pick(rng, retries, 6);
  if (swarm->broken)
    route->retries = dice_between(rng, 3, 10);
  route->continues = mode == 2;
  bool labels = swarm->kind == SWARM_LABELS;
  route->labels = dice_chance(rng, 300) ? dice_between(rng, 1, 3) : 0;
  if (labels)
    route->labels = draw_required(rng);
  inf_buf_appendf(config,
                  ",\"retries\":%u,\"stay\":{\"retries\":%u,"
                  "\"max_wait_ms\":%u},\"recovery\":\"%s\"",
                  (unsigned)route->retries, (unsigned)stay, (unsigned)wait_ms,
                  modes[mode]);
  write_labels(config, "require_labels", route->labels);
  write_timeouts(config, rng, route);
  if (dice_chance(rng, labels ? 500 : 200))
    inf_buf_append_cstr(config, ",\"keep_warm\":true");
  if (dice_chance(rng, 200))
    inf_buf_append_cstr(config, ",\"failover_on\":[\"content_filter\"]");
  /* Where they are on, most of what fails is not tried. */
  if (dice_chance(rng, swarm->kind == SWARM_ANYTHING ? 500 : 100))
    inf_buf_append_cstr(config, ",\"breaker\":false");
  if (dice_chance(rng, 500))
    inf_buf_append_cstr(config, ",\"retry_budget\":false");
  write_hedge(config, rng, swarm->kind, route);
  write_strategy(config, rng);
  inf_buf_append_cstr(config, "}");
}

/* ---- The rest ------------------------------------------------------------ */

static void
write_client(inf_buf *config, inf_rng *rng, const swarm_run *swarm)
{
  static const uint32_t intervals[] = {0, 0, 0, 5, 50};
  uint32_t interval_ms = pick(rng, intervals, 5);
  uint32_t calls = dice_chance(rng, 100) ? 20 : 100000;
  inf_buf_appendf(config,
                  "{\"threads\":0,\"delivery_interval_ms\":%u,"
                  "\"max_calls\":%u",
                  (unsigned)interval_ms, (unsigned)calls);
  if (swarm->tight)
    inf_buf_append_cstr(config, ",\"max_undelivered_bytes\":4096,"
                                "\"max_paused_bytes\":65536");
  if (swarm->small_answers)
    inf_buf_append_cstr(config, ",\"max_response_bytes\":1024");
}

static void
draw_calls(swarm_run *swarm, inf_rng *rng)
{
  swarm->gap_ns = dice_log_between(rng, 5 * INF_NS_PER_MS, INF_NS_PER_S / 2);
  swarm->in_flight_max = (uint32_t)dice_log_between(rng, 4, 1000);
  swarm->whole = dice_below(rng, 1001);
  swarm->prompt_tokens = (uint32_t)dice_log_between(rng, 10, 8000);
  if (dice_chance(rng, 500))
    swarm->labelled = dice_below(rng, 500);
  if (dice_chance(rng, 300))
    swarm->run_once = dice_below(rng, 500);
  if (dice_chance(rng, 300))
    swarm->hurried = dice_below(rng, 500);
  if (dice_chance(rng, 400))
    swarm->cancelled = dice_below(rng, 300);
  if (dice_chance(rng, 400))
    swarm->slow_readers = dice_below(rng, 1001);
  swarm->cancel_ns = dice_log_between(rng, INF_NS_PER_MS, 5 * INF_NS_PER_S);
  swarm->slow_ns = dice_log_between(rng, 10 * INF_NS_PER_MS, INF_NS_PER_S);
  swarm->reload_ns =
      dice_log_between(rng, 10 * INF_NS_PER_S, 600 * INF_NS_PER_S);
  if (dice_chance(rng, 80))
    swarm->memory_fails_one_in = dice_log_between(rng, 100, 20000);
  if (dice_chance(rng, 300))
    swarm->waited_for = dice_below(rng, 1001);
  swarm->burst = dice_chance(rng, 200) ? dice_between(rng, 2, 50) : 1;
  if (dice_chance(rng, 200))
    swarm->leave_ns = dice_log_between(rng, INF_NS_PER_S, 100 * INF_NS_PER_S);
  if (dice_chance(rng, 200)) {
    swarm->absences = dice_between(rng, 1, 200);
    swarm->absent_ns = dice_log_between(rng, INF_NS_PER_MS, 8 * INF_NS_PER_S);
  }
  swarm->tight = swarm->slow_readers > 0 && dice_chance(rng, 500);
  swarm->small_answers = dice_chance(rng, 50);
  swarm->end_ms = dice_chance(rng, 300) ? 0 : 1000000;
}

/* Answers that are longer than what may wait for a reader, who is slow and
 * loses his patience. */
static void
draw_long_answers(swarm_run *swarm, inf_rng *rng)
{
  for (size_t i = 0; i < swarm->providers; i++) {
    fleet_params *params = &swarm->fleet[i];
    if (params->pieces == FLEET_BY_BYTE)
      params->pieces = FLEET_BY_EVENT;
    params->long_answers = dice_between(rng, 20, 150);
    params->per_token_ns = dice_log_between(rng, 100000, 2 * INF_NS_PER_MS);
  }
  swarm->tight = true;
  swarm->whole = dice_below(rng, 300);
  swarm->slow_readers = dice_between(rng, 300, 1000);
  swarm->cancelled = dice_between(rng, 100, 500);
  swarm->cancel_ns = dice_log_between(rng, INF_NS_PER_S, 16 * INF_NS_PER_S);
  swarm->slow_ns = dice_log_between(rng, 100 * INF_NS_PER_MS, 4 * INF_NS_PER_S);
}

/* Answers that break off again and again, and are gone on with. */
static void
draw_broken_answers(swarm_run *swarm, inf_rng *rng)
{
  for (size_t i = 0; i < swarm->providers; i++) {
    fleet_params *params = &swarm->fleet[i];
    params->prefills = dice_chance(rng, 900);
    params->cut = dice_between(rng, 100, 500);
    params->reset = dice_between(rng, 0, 300);
    params->errors /= 4;
    params->requests_per_minute = 0;
    params->tokens_max = dice_between(rng, 8, 128);
    params->per_token_ns = dice_log_between(rng, 100000, 20 * INF_NS_PER_MS);
  }
  swarm->broken = true;
  swarm->whole = dice_below(rng, 300);
}

/* What comes about only where several things meet is drawn together. */
static void
draw_theme(swarm_run *swarm, inf_rng *rng)
{
  uint32_t theme = dice_below(rng, 8);
  if (theme == 0)
    draw_long_answers(swarm, rng);
  else if (theme <= 2)
    draw_broken_answers(swarm, rng);
}

static void
draw_labels(swarm_run *swarm, inf_rng *rng)
{
  for (size_t i = 0; i < swarm->providers; i++) {
    fleet_params *params = &swarm->fleet[i];
    fleet_draw_every_fault(params, rng);
    params->labels = 0;
    for (int bit = 0; bit < fleet_label_count; bit++)
      params->labels |= (uint32_t)dice_chance(rng, 600) << bit;
  }
  swarm->labelled = dice_between(rng, 300, 1000);
  swarm->reload_ns = dice_log_between(rng, INF_NS_PER_S, 60 * INF_NS_PER_S);
}

static void
draw_budgets(swarm_run *swarm, inf_rng *rng)
{
  for (size_t i = 0; i < swarm->providers; i++) {
    fleet_draw_every_fault(&swarm->fleet[i], rng);
    swarm->fleet[i].long_answers = 0;
  }
}

/* From one attempt at the dearest to some hundred; of all calls, and of each
 * route. */
static void
write_budgets(inf_buf *config, inf_rng *rng)
{
  static const char *const ends[] = {"refuse", "cheaper"};
  for (int i = 0; i < 2; i++) {
    uint64_t micro_usd = dice_log_between(rng, 13300, 2000000);
    inf_buf_appendf(config,
                    "%s{\"name\":\"%s\",\"per\":\"%s\",\"usd\":%u.%06u,"
                    "\"at_limit\":\"%s\"}",
                    i ? "," : ",\"budgets\":[", i ? "each" : "all",
                    i ? "route" : "client", (unsigned)(micro_usd / 1000000),
                    (unsigned)(micro_usd % 1000000), ends[dice_below(rng, 2)]);
  }
  inf_buf_append_cstr(config, "]");
}

void
swarm_draw(swarm_run *swarm, swarm_kind kind, uint64_t seed,
           uint32_t generation, inf_buf *config)
{
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  memset(swarm, 0, sizeof *swarm);
  swarm->kind = kind;
  swarm->providers = dice_between(&rng, 1, fleet_max_providers);
  swarm->routes = dice_between(&rng, 1, swarm_max_routes);
  for (size_t i = 0; i < swarm->providers; i++)
    fleet_draw(&swarm->fleet[i], &rng);
  draw_calls(swarm, &rng);
  draw_theme(swarm, &rng);
  if (kind == SWARM_LABELS)
    draw_labels(swarm, &rng);
  if (kind == SWARM_BUDGETS)
    draw_budgets(swarm, &rng);
  for (size_t i = 0; i < swarm->providers; i++)
    if (dice_chance(&rng, 300))
      draw_limits(&swarm->fleet[i].limits, &rng);
  write_client(config, &rng, swarm);
  inf_buf_append_cstr(config, ",\"providers\":[");
  /* Not drawn: all else is as without. */
  swarm->priced = kind == SWARM_BUDGETS || seed % 4 != 0;
  for (size_t i = 0; i < swarm->providers; i++) {
    set_price(&swarm->fleet[i], kind, i);
    write_provider(config, &rng, &swarm->fleet[i], swarm->priced, i,
                   generation);
  }
  inf_buf_append_cstr(config, "],\"routes\":{");
  for (size_t i = 0; i < swarm->routes; i++)
    write_route(config, &rng, swarm, &swarm->route[i], i);
  inf_buf_append_cstr(config, "}");
  if (kind == SWARM_BUDGETS)
    write_budgets(config, &rng);
  inf_buf_append_cstr(config, "}");
}
