/* SPDX-License-Identifier: MIT */
/* Clients, and their dry run. */
#include "api/guard.h"

#include "base/mem.h"
#include "config/options.h"
#include "engine/hedger.h"
#include "engine/routing.h"

int32_t
infer_client_new(infer_client **client, const infer_config *config,
                 infer_error **error)
{
  inf_clear_error(error);
  if (!client)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "client is NULL");
  *client = NULL;
  return inf_client_new(client, config, error);
}

infer_client *
infer_client_ref(infer_client *client)
{
  if (client)
    atomic_fetch_add(&client->app_refs, 1);
  return client;
}

void
infer_client_free(infer_client *client)
{
  if (!client || atomic_fetch_sub(&client->app_refs, 1) != 1)
    return;
  if (client->fork_generation != inf_fork_generation())
    inf_client_abandon_forked(client);
  else
    inf_client_shutdown(client);
}

int32_t
infer_client_close(infer_client *client, int64_t drain_ms)
{
  int32_t status = inf_guard_client(client, NULL);
  if (status == INFER_OK)
    status = inf_guard_wait(client, NULL);
  if (status != INFER_OK)
    return status;
  return inf_client_close(client, inf_wait_ns(drain_ms < 0 ? 0 : drain_ms));
}

int32_t
infer_client_reload(infer_client *client, const infer_config *config,
                    infer_error **error)
{
  inf_clear_error(error);
  int32_t status = inf_guard_client(client, error);
  return status == INFER_OK ? inf_client_reload(client, config, error) : status;
}

int32_t
infer_client_drive(infer_client *client, int64_t timeout_ms)
{
  int32_t status = inf_guard_client(client, NULL);
  if (status != INFER_OK)
    return status;
  if (client->threaded)
    return INFER_E_UNSUPPORTED;
  status = inf_guard_wait(client, NULL);
  if (status == INFER_OK)
    inf_client_drive(client, inf_wait_ns(timeout_ms));
  return status;
}

int32_t
infer_client_fd(infer_client *client)
{
  if (inf_guard_client(client, NULL) != INFER_OK || client->threaded)
    return -1;
  return inf_client_fd(client);
}

int64_t
infer_client_next_timeout_ns(infer_client *client)
{
  if (inf_guard_client(client, NULL) != INFER_OK || client->threaded)
    return -1;
  pthread_mutex_lock(&client->mutex);
  bool stopped = client->stopped;
  pthread_mutex_unlock(&client->mutex);
  if (stopped)
    return -1;
  if (atomic_load(&client->mail))
    return 0;
  uint64_t next_ns = inf_engine_next_ns(&client->engine);
  if (next_ns == INF_NEVER)
    return -1;
  uint64_t now_ns = inf_clock_now(client->engine.clock);
  return next_ns > now_ns ? (int64_t)(next_ns - now_ns) : 0;
}

/* ---- Dry run ------------------------------------------------------------- */

typedef struct plan_line {
  int32_t status;
  char *target, *reason;
} plan_line;

struct infer_plan {
  plan_line *lines;
  size_t count;
};

/* What is the same for all lines. */
typedef struct plan_outlook {
  uint64_t now_ns;
  inf_plan_hedges hedges;
  inf_hedge_forecast forecast;
} plan_outlook;

/* What a breaker has to say about a target that may be asked. */
static void
write_breaker(inf_buf *out, const inf_breaker_view *breaker, uint64_t now_ns)
{
  static const char *const causes[] = {
      [INF_BREAKER_NO_CAUSE] = "failing",
      [INF_BREAKER_FAILING] = "failing",
      [INF_BREAKER_CUT] = "answers break off",
      [INF_BREAKER_SLOW] = "slow",
  };
  uint64_t at_ns = breaker->next_probe_ns;
  if (breaker->state == INF_BREAKER_RETURNING)
    inf_buf_appendf(out, "; its breaker lets %u %% of the requests through",
                    (unsigned)breaker->share_percent);
  if (breaker->state != INF_BREAKER_OPEN)
    return;
  inf_buf_appendf(out, "; its breaker is open: %s; ", causes[breaker->cause]);
  if (at_ns > now_ns)
    inf_buf_appendf(out, "next probe in %llu ms",
                    (unsigned long long)((at_ns - now_ns) / INF_NS_PER_MS));
  else
    inf_buf_append_cstr(out, "a probe is due");
}

static void
write_limit(inf_buf *out, const inf_meter_verdict *limit, uint64_t now_ns)
{
  if (limit->what == INF_METER_GO)
    return;
  inf_buf_appendf(out, "; %s holds it back", limit->why);
  if (limit->at_ns != INF_NEVER && limit->at_ns > now_ns)
    inf_buf_appendf(
        out, " for %llu ms at least",
        (unsigned long long)((limit->at_ns - now_ns + INF_NS_PER_MS - 1) /
                             INF_NS_PER_MS));
}

/* Whether calls have hedges: told of the target that is asked first. */
static void
write_hedges(inf_buf *out, const plan_outlook *outlook,
             const inf_route_params *params)
{
  inf_plan_hedges hedges = outlook->hedges;
  const inf_hedge_forecast *forecast = &outlook->forecast;
  char percentile[INF_DECIMAL_TEXT], percent[INF_DECIMAL_TEXT];
  char probability[INF_DECIMAL_TEXT];
  if (hedges == INF_PLAN_RUN_ONCE)
    inf_buf_append_cstr(out, "; no hedge: the request may run only once");
  if (hedges == INF_PLAN_ONE_ATTEMPT)
    inf_buf_append_cstr(out, "; no hedge: without retries there is one "
                             "attempt only");
  if (hedges != INF_PLAN_HEDGES)
    return;
  inf_buf_appendf(out, "; hedged for p%s with %s %% of the cost: ",
                  inf_option_decimal(params->hedge_percentile, percentile),
                  inf_option_decimal(params->hedge_budget * 100, percent));
  if (!forecast->planned)
    inf_buf_append_cstr(out, "too few times are known for a plan");
  else if (forecast->delay_ns == INF_NEVER || forecast->probability <= 0)
    inf_buf_append_cstr(out, "now it would not help");
  else
    inf_buf_appendf(
        out, "now after %llu ms with probability %s",
        (unsigned long long)(forecast->delay_ns / INF_NS_PER_MS),
        inf_option_decimal((int64_t)(forecast->probability * 100 + 0.5) * 10000,
                           probability));
}

static void
write_reason(inf_buf *out, const inf_plan_item *item, size_t position,
             const inf_route_config *route, const plan_outlook *outlook)
{
  if (item->missing_label)
    inf_buf_appendf(out, "provider \"%s\" does not have the label \"%s\"",
                    item->target->provider->name, item->missing_label);
  else if (item->lacking)
    inf_buf_append_cstr(out, item->lacking);
  else if (item->status != INFER_OK)
    inf_buf_appendf(out, "all keys of provider \"%s\" are set aside: %s",
                    item->target->provider->name,
                    inf_status_find(item->status)->text);
  else if (route->name[0] == '\0')
    inf_buf_append_cstr(out, "named by the request");
  else
    inf_buf_appendf(out, "place %zu in the order of route \"%s\"", position + 1,
                    route->name);
  if (item->status != INFER_OK)
    return;
  write_breaker(out, &item->breaker, outlook->now_ns);
  write_limit(out, &item->limit, outlook->now_ns);
  if (position == 0)
    write_hedges(out, outlook, &route->params);
}

static bool
fill_line(plan_line *line, const inf_plan_item *item, size_t position,
          const inf_route_config *route, const plan_outlook *outlook)
{
  line->status = item->status;
  line->target = inf_strndup(item->target->name, strlen(item->target->name));
  inf_buf reason;
  inf_buf_init(&reason, 4096);
  write_reason(&reason, item, position, route, outlook);
  line->reason = inf_buf_take(&reason, NULL);
  inf_buf_fini(&reason);
  return line->target && line->reason;
}

static struct infer_plan *
plan_of(struct infer_client *client, const inf_route_config *route,
        const struct infer_request *request)
{
  struct infer_plan *plan = inf_calloc(1, sizeof *plan);
  inf_plan_item *items = inf_calloc(route->target_count, sizeof *items);
  plan_outlook outlook = {.now_ns = inf_clock_now(client->engine.clock)};
  bool ok = plan && items;
  if (ok) {
    plan->lines = inf_calloc(route->target_count, sizeof *plan->lines);
    ok = plan->lines != NULL;
  }
  if (ok) {
    plan->count = route->target_count;
    size_t usable =
        inf_plan_make(items, route, request, client->runtime, outlook.now_ns);
    inf_routing_order(items, usable, route, request, client->runtime,
                      outlook.now_ns, false);
    if (route->params.breaker)
      inf_plan_foresee(items, usable, client->runtime, outlook.now_ns);
    inf_plan_foresee_limits(items, usable, client->runtime, outlook.now_ns);
    outlook.hedges = inf_plan_foresee_hedge(items, usable, route, request,
                                            client->runtime, &outlook.forecast);
  }
  for (size_t i = 0; ok && i < plan->count; i++)
    ok = fill_line(&plan->lines[i], &items[i], i, route, &outlook);
  inf_free(items);
  if (ok)
    return plan;
  infer_plan_free(plan);
  return NULL;
}

int32_t
infer_client_plan(infer_client *client, const infer_request *request,
                  infer_plan **plan, infer_error **error)
{
  inf_clear_error(error);
  int32_t status = inf_guard_client(client, error);
  if (status != INFER_OK)
    return status;
  if (!request || !plan)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "NULL argument");
  *plan = NULL;
  pthread_mutex_lock(&client->mutex);
  inf_config *config = inf_config_ref(client->config);
  pthread_mutex_unlock(&client->mutex);
  const inf_route_config *route;
  status = inf_config_resolve(config, inf_buf_sv(&request->chat.model), &route,
                              error);
  if (status == INFER_OK) {
    *plan = plan_of(client, route, request);
    if (!*plan)
      status = inf_error_set(error, INFER_E_NO_MEMORY, "out of memory");
    inf_config_release_route(config, route);
  }
  inf_config_unref(config);
  return status;
}

size_t
infer_plan_count(const infer_plan *plan)
{
  return plan ? plan->count : 0;
}

const char *
infer_plan_target(const infer_plan *plan, size_t index)
{
  return plan && index < plan->count ? plan->lines[index].target : "";
}

int32_t
infer_plan_status(const infer_plan *plan, size_t index)
{
  return plan && index < plan->count ? plan->lines[index].status
                                     : INFER_E_INVALID_ARGUMENT;
}

const char *
infer_plan_reason(const infer_plan *plan, size_t index)
{
  return plan && index < plan->count ? plan->lines[index].reason : "";
}

void
infer_plan_free(infer_plan *plan)
{
  if (!plan)
    return;
  for (size_t i = 0; i < plan->count; i++) {
    /* The count stays 0 until there are lines. */
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    inf_free(plan->lines[i].target);
    inf_free(plan->lines[i].reason);
  }
  inf_free(plan->lines);
  inf_free(plan);
}
