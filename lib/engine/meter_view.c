/* SPDX-License-Identifier: MIT */
#include "engine/meter_view.h"

#include "engine/meter_state.h"

static const char *const unit_names[INF_METER_KINDS] = {
    [INF_LIMIT_REQUESTS] = "requests",
    [INF_LIMIT_TOKENS] = "tokens",
    [INF_LIMIT_INPUT] = "input_tokens",
    [INF_LIMIT_OUTPUT] = "output_tokens",
};

static void
view_limiter(const inf_limiter *limiter, uint64_t now_ns, inf_meter_view *view)
{
  for (size_t i = 0; i < limiter->count; i++) {
    const inf_limit_dimension *one = &limiter->dimension[i];
    view->limits[view->count++] = (inf_limit_view){
        .unit = unit_names[one->kind],
        .period_ns = one->gcra.rate.period_ns,
        .limit = (double)one->gcra.rate.limit,
        .free = (double)inf_gcra_level(&one->gcra, now_ns),
    };
  }
  view->concurrency = limiter->concurrency;
  view->open = limiter->open;
  view->headroom_percent = inf_limit_headroom_percent(limiter, now_ns);
}

/* Of two quotas of one kind and period the narrower one is told. */
static void
add_told(inf_meter_view *view, const inf_limit_view *limit)
{
  for (size_t i = 0; i < view->count; i++) {
    inf_limit_view *one = &view->limits[i];
    if (!one->told || one->unit != limit->unit ||
        one->period_ns / INF_NS_PER_S != limit->period_ns / INF_NS_PER_S)
      continue;
    if (limit->free < one->free)
      *one = *limit;
    return;
  }
  if (view->count < INF_METER_VIEW_MAX)
    view->limits[view->count++] = *limit;
}

/* Reading a quota brings it up to date: a copy is read. */
static void
view_quota(const meter_quota *quota, uint64_t now_ns, inf_meter_view *view)
{
  inf_quota law = quota->law;
  inf_quota_now now = inf_quota_read(&law, 0, now_ns);
  if (!now.limited)
    return;
  double left = now.left > 0 ? now.left : 0;
  double percent = now.limit > 0 ? 100 * left / now.limit : 100;
  if (percent < view->headroom_percent)
    view->headroom_percent = (uint32_t)percent;
  add_told(view, &(inf_limit_view){
                     .unit = unit_names[quota->kind],
                     .period_ns = now.period_ns,
                     .limit = now.limit,
                     .free = left,
                     .told = true,
                 });
}

void
inf_meters_each(inf_runtime *runtime, uint64_t now_ns,
                void (*see)(void *context, const inf_meter_view *view),
                void *context)
{
  pthread_mutex_lock(&runtime->mutex);
  for (size_t i = 0; i < INF_RUNTIME_BUCKETS; i++)
    for (const inf_meter *meter = runtime->meters[i]; meter;
         meter = meter->next) {
      inf_meter_view view = {
          .provider = meter->provider,
          .model = meter->model,
          .fingerprint = meter->fingerprint,
          .number = meter->number,
          .headroom_percent = 100,
      };
      if (meter->limiter)
        view_limiter(meter->limiter, now_ns, &view);
      for (size_t q = 0; q < meter->quota_count; q++)
        view_quota(&meter->quotas[q], now_ns, &view);
      if (view.count > 0 || view.concurrency > 0)
        see(context, &view);
    }
  pthread_mutex_unlock(&runtime->mutex);
}
