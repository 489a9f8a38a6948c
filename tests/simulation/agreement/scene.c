/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <math.h>

/* Calls of the outages come every 10 ms and answers half-way between two of
 * them; trouble begins and ends elsewhere. So no order of events hangs on a
 * millisecond or two, and with the same draws both worlds take the same course.
 *
 * The repair comes before the third probe of a target with others beside it,
 * which is 4.2 s at least after its breaker opened: a later one would find some
 * runs in front of it and others behind it. */
#define OUTAGE                                                                 \
  .gap_us = 10000, .run_ms = 12000, .deadline_ms = 10000, .answer_ms = 55,     \
  .error_ms = 25, .from_ms = 2003, .until_ms = 5203, .measured_from_ms = 2003, \
  .measured_until_ms = 5203
/* 50 requests per second, and calls for 1.3 of them. They wait longer and
 * longer, and none is refused for its deadline; the last is sent after 15.7 s.
 */
#define LIMIT                                                           \
  .targets = 1, .poisson = true, .run_ms = 14000, .deadline_ms = 20000, \
  .answer_ms = 60, .per_minute = 3000, .measured_until_ms = 15500

/* The median is what a small model takes, three times as fast. */
#define HEDGED                                                         \
  .hedges = true, .targets = 2, .poisson = true, .deadline_ms = 30000, \
  .answer_ms = 100, .p95_percent = 170, .stragglers = 50

const sim_scene scenes[] = {
    {.name = "quota_headers",
     LIMIT,
     .gap_us = 15385,
     .burst = 100,
     .measured_from_ms = 5000,
     .runs = 3},
    {.name = "quota_configured",
     LIMIT,
     .gap_us = 15385,
     .burst = 100,
     .measured_from_ms = 5000,
     .limits = "{\"requests_per_second\":50}",
     .runs = 3},
    {.name = "quota_shared",
     LIMIT,
     .gap_us = 19231, /* of what is left */
     .burst = 100,
     .cotenant_per_minute = 600,
     .measured_from_ms = 5000,
     .runs = 3},
    {.name = "quota_herd",
     LIMIT,
     .gap_us = 15385,
     .herd = 100,
     .burst = 40,
     .runs = 5},
    {.name = "errors", OUTAGE, .targets = 1, .outage = SCENE_ERRORS, .runs = 5},
    {.name = "errors_budget",
     OUTAGE,
     .targets = 1,
     .outage = SCENE_ERRORS,
     .route = ",\"breaker\":false",
     .runs = 3},
    {.name = "refused",
     OUTAGE,
     .targets = 1,
     .outage = SCENE_REFUSED,
     .runs = 5},
    {.name = "errors_second",
     OUTAGE,
     .targets = 2,
     .outage = SCENE_ERRORS,
     .runs = 5},
    {.name = "refused_second",
     OUTAGE,
     .targets = 2,
     .outage = SCENE_REFUSED,
     .runs = 5},
    {.name = "stragglers",
     HEDGED,
     .gap_us = 8000,
     .run_ms = 14000,
     .measured_from_ms = 5000,
     .measured_until_ms = 14000,
     .route = ",\"hedge\":{\"budget\":0.05}",
     .runs = 5},
    {.name = "stragglers_bare",
     HEDGED,
     .gap_us = 8000,
     .run_ms = 14000,
     .measured_from_ms = 5000,
     .measured_until_ms = 14000,
     .runs = 5},
    {.name = "silence",
     HEDGED,
     .gap_us = 5000,
     .run_ms = 8000,
     .outage = SCENE_SILENT,
     .from_ms = 5000,
     .until_ms = 100000,
     .route = ",\"hedge\":{\"budget\":0.05,\"percentile\":99}",
     .runs = 5},
};
const size_t scene_count = sizeof scenes / sizeof scenes[0];

static bool
has_trouble(const sim_scene *scene, size_t target)
{
  return target == 0 && scene->outage != SCENE_WELL;
}

void
scene_write_config(const sim_scene *scene, const char *const *urls,
                   unsigned threads, inf_buf *config)
{
  inf_buf_appendf(config, "{\"threads\":%u,\"max_calls\":10000,\"providers\":[",
                  threads);
  for (size_t i = 0; i < scene->targets; i++) {
    inf_buf_appendf(config,
                    "%s{\"name\":\"p%zu\",\"type\":\"openai\",\"proxy\":"
                    "\"none\",\"api_key\":\"key-%zu-0\",\"base_url\":\"%s\"",
                    i ? "," : "", i, i, urls[i]);
    if (scene->limits)
      inf_buf_appendf(config, ",\"limits\":%s", scene->limits);
    inf_buf_append_cstr(config, "}");
  }
  inf_buf_append_cstr(config, "],\"routes\":{\"r\":{\"targets\":[");
  for (size_t i = 0; i < scene->targets; i++)
    inf_buf_appendf(config, "%s\"p%zu/m\"", i ? "," : "", i);
  inf_buf_appendf(config, "],\"timeouts\":{\"deadline_ms\":%u}%s}}}",
                  (unsigned)scene->deadline_ms,
                  scene->route ? scene->route : "");
}

static void
write_time(const sim_scene *scene, inf_buf *script)
{
  double p50 = scene->answer_ms, p95 = p50 * scene->p95_percent / 100;
  inf_buf_append_cstr(script, "\"first_token_ms\":");
  if (scene->p95_percent == 0)
    inf_buf_appendf(script, "%u", (unsigned)scene->answer_ms);
  else
    inf_buf_appendf(
        script,
        "{\"mix\":[[%.3f,{\"dist\":\"lognormal\",\"p50\":%.1f,\"p95\":%.1f}],"
        "[%.3f,{\"dist\":\"lognormal\",\"p50\":%.1f,\"p95\":%.1f}]]}",
        1 - scene->stragglers / 1000.0, p50, p95, scene->stragglers / 1000.0,
        10 * p50, 10 * p95);
}

void
scene_write_script(const sim_scene *scene, uint64_t seed, size_t target,
                   uint32_t lead_ms, inf_buf *script)
{
  unsigned from_ms = lead_ms + scene->from_ms;
  unsigned until_ms = lead_ms + scene->until_ms;
  /* The fleet's one letter counts as two tokens. */
  inf_buf_appendf(script, "{\"seed\":%llu,\"defaults\":{\"tokens\":%d,",
                  (unsigned long long)(seed * scene_max_targets + target + 1),
                  scene->hedges ? 2 : 1);
  write_time(scene, script);
  if (scene->per_minute > 0) {
    inf_buf_appendf(
        script,
        ",\"headers_ms\":%u,\"limit\":{\"requests_per_minute\":%u,\"burst\":"
        "%u",
        (unsigned)scene->answer_ms, (unsigned)scene->per_minute,
        (unsigned)scene->burst);
    if (scene->cotenant_per_minute > 0)
      inf_buf_appendf(script, ",\"others_requests_per_minute\":%u",
                      (unsigned)scene->cotenant_per_minute);
    inf_buf_append_cstr(script, "}");
  }
  inf_buf_append_cstr(script, "}");
  if (has_trouble(scene, target) && scene->outage == SCENE_ERRORS)
    inf_buf_appendf(script,
                    ",\"rules\":[{\"when\":{\"after_ms\":%u,\"until_ms\":%u},"
                    "\"do\":{\"status\":503,\"headers_ms\":%u}}]",
                    from_ms, until_ms, (unsigned)scene->error_ms);
  if (has_trouble(scene, target) && scene->outage == SCENE_SILENT)
    inf_buf_appendf(script,
                    ",\"rules\":[{\"when\":{\"after_ms\":%u,\"until_ms\":%u},"
                    "\"do\":{\"silence\":true}}]",
                    from_ms, until_ms);
  if (has_trouble(scene, target) && scene->outage == SCENE_REFUSED)
    inf_buf_appendf(script, ",\"down\":[{\"from_ms\":%u,\"until_ms\":%u}]",
                    from_ms, until_ms);
  inf_buf_append_cstr(script, "}");
}

void
scene_fill_fleet(const sim_scene *scene, size_t target, uint64_t start_ns,
                 fleet_params *params)
{
  *params = (fleet_params){
      .exact = true,
      .reused = 1000,
      .tokens_max = 1,
      .pieces = FLEET_IN_ONE, /* all of it is written at once there, too */
      .first_ns = scene->answer_ms * INF_NS_PER_MS,
      .error_ns = scene->error_ms * INF_NS_PER_MS,
      .headers =
          scene->per_minute > 0 ? FLEET_HEADERS_OPENAI : FLEET_HEADERS_NONE,
      .sigma = scene->p95_percent == 0
                   ? 0
                   : (uint32_t)(log(scene->p95_percent / 100.0) / 1.6448536 *
                                DICE_ONE),
      .stragglers = scene->stragglers,
      .requests_per_minute = scene->per_minute,
      .burst = scene->burst,
  };
  if (scene->per_minute > 0)
    params->cotenant = scene->cotenant_per_minute * 1000 / scene->per_minute;
  if (!has_trouble(scene, target))
    return;
  static const fleet_regime regimes[] = {[SCENE_ERRORS] = FLEET_ERRORS,
                                         [SCENE_REFUSED] = FLEET_DOWN,
                                         [SCENE_SILENT] = FLEET_BLACK_HOLE};
  params->trouble = regimes[scene->outage];
  params->trouble_from_ns = start_ns + scene->from_ms * INF_NS_PER_MS;
  params->trouble_until_ns = start_ns + scene->until_ms * INF_NS_PER_MS;
}

size_t
scene_plan(const sim_scene *scene, uint64_t seed, uint64_t *at_ns, size_t most)
{
  inf_rng rng;
  uint64_t gap_ns = scene->gap_us * INF_NS_PER_US, next_ns = 0;
  size_t count = 0;
  inf_rng_seed(&rng, seed);
  while (count < scene->herd && count < most)
    at_ns[count++] = 0;
  while (next_ns < scene->run_ms * INF_NS_PER_MS && count < most) {
    at_ns[count++] = next_ns;
    next_ns += scene->poisson ? dice_exponential(&rng, gap_ns) : gap_ns;
  }
  return count;
}
