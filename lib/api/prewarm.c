/* SPDX-License-Identifier: MIT */
/* Warm connections on demand, and the report about them. */
#include "api/guard.h"

#include "base/mem.h"
#include "engine/plan.h"

typedef struct provider_set {
  const inf_provider_config **providers;
  size_t count;
} provider_set;

/* Adds a provider that is not there yet. */
static void
choose(provider_set *set, const inf_provider_config *provider)
{
  for (size_t i = 0; i < set->count; i++)
    if (set->providers[i] == provider)
      return;
  set->providers[set->count++] = provider;
}

/* The providers that the name means, without those that the labels of a route
 * keep out of all its calls; there is room for all. */
static int32_t
choose_named(const inf_config *config, const char *name, provider_set *set,
             struct infer_error **error)
{
  static const struct infer_request any;
  const inf_provider_config *provider =
      inf_config_provider(config, inf_sv_from(name));
  const inf_route_config *route = NULL;
  int32_t status = inf_config_resolve(config, inf_sv_from(name), &route,
                                      provider ? NULL : error);
  if (status == INFER_OK)
    for (size_t i = 0; i < route->target_count; i++)
      if (!inf_plan_missing_label(route->targets[i].provider, route, &any))
        choose(set, route->targets[i].provider);
  inf_config_release_route(config, route);
  if (status != INFER_OK && status != INFER_E_NO_MEMORY && provider) {
    choose(set, provider);
    status = INFER_OK;
  }
  return status;
}

static int32_t
choose_all(const inf_config *config, const char *name, provider_set *set,
           struct infer_error **error)
{
  set->providers =
      inf_calloc(config->provider_count + 1, sizeof *set->providers);
  if (!set->providers)
    return inf_error_set(error, INFER_E_NO_MEMORY, "out of memory");
  if (name)
    return choose_named(config, name, set, error);
  for (size_t i = 0; i < config->provider_count; i++)
    choose(set, &config->providers[i]);
  return INFER_OK;
}

static int32_t
prewarm(struct infer_client *client, inf_config *config,
        const provider_set *set, int64_t timeout_ms,
        struct infer_warm_report **report, struct infer_error **error)
{
  inf_warm_ask *ask = inf_warm_ask_new(client, config, set->providers,
                                       set->count, inf_wait_ns(timeout_ms));
  if (!ask)
    return inf_error_set(error, INFER_E_NO_MEMORY, "out of memory");
  int32_t status = inf_warm_ask_run(client, ask, report);
  inf_warm_ask_unref(ask);
  if (status == INFER_E_CLOSED)
    return inf_error_set(error, status, "the client is closed");
  if (status == INFER_E_TIMEOUT)
    return inf_error_set(error, status,
                         "not all connections were ready in "
                         "time");
  return status;
}

int32_t
infer_client_prewarm(infer_client *client, const char *name, int64_t timeout_ms,
                     infer_warm_report **report, infer_error **error)
{
  inf_clear_error(error);
  int32_t status = inf_guard_client(client, error);
  if (status == INFER_OK)
    status = inf_guard_wait(client, error);
  if (status != INFER_OK)
    return status;
  if (!report)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "report is NULL");
  *report = NULL;
  pthread_mutex_lock(&client->mutex);
  inf_config *config = inf_config_ref(client->config);
  pthread_mutex_unlock(&client->mutex);
  provider_set set = {0};
  status = choose_all(config, name, &set, error);
  if (status == INFER_OK)
    status = prewarm(client, config, &set, timeout_ms, report, error);
  inf_free(set.providers);
  inf_config_unref(config);
  return status;
}

/* ---- The report ---------------------------------------------------------- */

static const inf_warm_row *
row_at(const struct infer_warm_report *report, size_t index)
{
  static const inf_warm_row none = {
      .status = INFER_E_INVALID_ARGUMENT, .protocol = "", .took_ns = -1};
  return report && index < report->count ? &report->rows[index] : &none;
}

size_t
infer_warm_report_count(const infer_warm_report *report)
{
  return report ? report->count : 0;
}

const char *
infer_warm_report_provider(const infer_warm_report *report, size_t index)
{
  return row_at(report, index)->provider;
}

int32_t
infer_warm_report_status(const infer_warm_report *report, size_t index)
{
  return row_at(report, index)->status;
}

int32_t
infer_warm_report_reached(const infer_warm_report *report, size_t index)
{
  return row_at(report, index)->reached;
}

int32_t
infer_warm_report_ready(const infer_warm_report *report, size_t index)
{
  return row_at(report, index)->reached == INFER_WARM_READY;
}

const char *
infer_warm_report_protocol(const infer_warm_report *report, size_t index)
{
  return row_at(report, index)->protocol;
}

const char *
infer_warm_report_reason(const infer_warm_report *report, size_t index)
{
  return row_at(report, index)->reason;
}

int64_t
infer_warm_report_took_ns(const infer_warm_report *report, size_t index)
{
  return row_at(report, index)->took_ns;
}

void
infer_warm_report_free(infer_warm_report *report)
{
  inf_free(report);
}
