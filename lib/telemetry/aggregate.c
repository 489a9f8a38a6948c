/* SPDX-License-Identifier: MIT */
#include "telemetry/aggregate.h"

#include "base/error.h"
#include "base/mem.h"

#include <pthread.h>
#include <string.h>

enum { bucket_count = 256 };

struct inf_telemetry {
  pthread_mutex_t mutex;
  inf_telemetry_room room;
  inf_telemetry_series *first, *table[bucket_count];
  inf_telemetry_tenant *tenants;
  size_t series_count, tenant_count;
  uint64_t began_ns; /* 0: not yet */
};

/* ---- Life ---------------------------------------------------------------- */

inf_telemetry *
inf_telemetry_new(void)
{
  inf_telemetry *telemetry = inf_calloc(1, sizeof *telemetry);
  if (!telemetry)
    return NULL;
  if (pthread_mutex_init(&telemetry->mutex, NULL) != 0) {
    inf_free(telemetry);
    return NULL;
  }
  telemetry->room.cap_bytes = INF_TELEMETRY_MAX_BYTES;
  return telemetry;
}

void
inf_telemetry_free(inf_telemetry *telemetry)
{
  if (!telemetry)
    return;
  for (inf_telemetry_series *at = telemetry->first, *next; at; at = next) {
    next = at->next;
    inf_windows_fini(&at->windows, &telemetry->room);
    for (size_t i = 0; i < INF_TELEMETRY_CLASSES; i++)
      inf_free(at->call_durations[i]);
    inf_free(at);
  }
  for (inf_telemetry_tenant *at = telemetry->tenants, *next; at; at = next) {
    next = at->next;
    inf_free(at);
  }
  pthread_mutex_destroy(&telemetry->mutex);
  inf_free(telemetry);
}

/* ---- Finding ------------------------------------------------------------- */

/* FNV-1a, the end of the text included. */
static uint32_t
hash_text(uint32_t hash, const char *text)
{
  do
    hash = (hash ^ (uint8_t)*text) * 16777619u;
  while (*text++);
  return hash;
}

/* Copies the text to *at, and moves that behind it. */
static char *
put_text(char **at, const char *text)
{
  char *copy = *at;
  size_t size = strlen(text) + 1;
  memcpy(copy, text, size);
  *at += size;
  return copy;
}

/* The names stand behind the series. */
static inf_telemetry_series *
series_new(inf_telemetry *telemetry, const inf_series_name *name)
{
  const char *const texts[] = {name->provider, name->kind, name->target,
                               name->model, name->route};
  inf_telemetry_series *series;
  size_t bytes = sizeof *series;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    size_t size = strlen(texts[i]) + 1;
    bytes += size;
    if (size > INF_TELEMETRY_NAME_MAX + 1)
      bytes = SIZE_MAX / 2; /* which no room has */
  }
  if (telemetry->series_count == INF_TELEMETRY_SERIES_MAX)
    bytes = SIZE_MAX / 2;
  series = inf_telemetry_room_take(&telemetry->room, bytes);
  if (!series)
    return NULL;
  char *at = (char *)(series + 1);
  series->provider = put_text(&at, name->provider);
  series->kind = put_text(&at, name->kind);
  series->target = put_text(&at, name->target);
  series->model = put_text(&at, name->model);
  series->route = put_text(&at, name->route);
  series->embeds = name->embeds;
  series->next = telemetry->first;
  telemetry->first = series;
  telemetry->series_count++;
  return series;
}

/* NULL: there is no room. */
static inf_telemetry_series *
series_locked(inf_telemetry *telemetry, const inf_series_name *name)
{
  uint32_t hash = hash_text(hash_text(2166136261u, name->target), name->route);
  inf_telemetry_series **bucket = &telemetry->table[hash % bucket_count];
  for (inf_telemetry_series *at = *bucket; at; at = at->chain)
    if (strcmp(at->target, name->target) == 0 &&
        strcmp(at->route, name->route) == 0 && at->embeds == name->embeds)
      return at;
  inf_telemetry_series *series = series_new(telemetry, name);
  if (series) {
    series->chain = *bucket;
    *bucket = series;
  }
  return series;
}

static inf_telemetry_tenant *
tenant_locked(inf_telemetry *telemetry, const inf_call_facts *facts)
{
  inf_telemetry_tenant *at = telemetry->tenants;
  while (at && strcmp(at->name, facts->tenant) != 0)
    at = at->next;
  if (at || facts->tenant[0] == '\0' ||
      telemetry->tenant_count >= facts->tenants_max)
    return at;
  at = inf_telemetry_room_take(&telemetry->room,
                               sizeof *at + strlen(facts->tenant) + 1);
  if (!at)
    return NULL;
  char *text = (char *)(at + 1);
  at->name = put_text(&text, facts->tenant);
  at->next = telemetry->tenants;
  telemetry->tenants = at;
  telemetry->tenant_count++;
  return at;
}

/* ---- Recording ----------------------------------------------------------- */

size_t
inf_telemetry_class(int32_t status)
{
  size_t class = (size_t)(inf_status_find(status) - inf_status_at(0));
  return class < INF_TELEMETRY_CLASSES ? class : 0;
}

static uint64_t
or_zero(int64_t value)
{
  return value > 0 ? (uint64_t)value : 0;
}

static void
count_attempt(inf_series_counters *counters, const inf_attempt_facts *facts)
{
  int32_t reason = facts->reason;
  if (reason < 0 || reason >= INF_TELEMETRY_REASONS)
    reason = 0;
  counters->attempts[reason][inf_telemetry_class(facts->status)]++;
  counters->tokens[INF_TOKENS_INPUT] += or_zero(facts->input);
  counters->tokens[INF_TOKENS_CACHED] += or_zero(facts->cached);
  counters->tokens[INF_TOKENS_OUTPUT] += or_zero(facts->output);
  counters->tokens[INF_TOKENS_REASONING] += or_zero(facts->reasoning);
  if (facts->cost_nano_usd < 0)
    counters->unpriced++;
  else if (facts->won)
    counters->cost_nano_usd += (uint64_t)facts->cost_nano_usd;
  else
    counters->wasted_cost_nano_usd += (uint64_t)facts->cost_nano_usd;
}

/* A failure says nothing of how long an answer takes; an attempt that was cut
 * short says that it takes longer. */
static size_t
times_of(const inf_attempt_facts *facts, inf_window_time times[INF_TIMES])
{
  size_t count = 0;
  if (!facts->timed)
    return 0;
  if (facts->stream && (facts->first_seen || facts->first_censored))
    times[count++] = (inf_window_time){INF_TIME_FIRST_TOKEN, !facts->first_seen,
                                       facts->first_ns};
  if (facts->per_token_ns > 0)
    times[count++] =
        (inf_window_time){INF_TIME_PER_TOKEN, false, facts->per_token_ns};
  if (facts->total_seen || facts->total_censored)
    times[count++] =
        (inf_window_time){INF_TIME_TOTAL, !facts->total_seen, facts->total_ns};
  if (facts->reason != INFER_REASON_PROBE) /* which does not wait */
    times[count++] =
        (inf_window_time){INF_TIME_LIMITER, false, facts->waited_ns};
  return count;
}

static void
count_times(inf_series_counters *counters, const inf_window_time *times,
            size_t count)
{
  for (size_t i = 0; i < count; i++) {
    uint64_t ns = times[i].ns;
    if (times[i].censored)
      continue;
    if (times[i].kind == INF_TIME_FIRST_TOKEN)
      inf_buckets_add(&counters->first_token, &inf_bounds_durations, ns);
    if (times[i].kind == INF_TIME_PER_TOKEN)
      inf_buckets_add(&counters->per_token, &inf_bounds_per_token, ns);
    if (times[i].kind == INF_TIME_LIMITER)
      inf_buckets_add(&counters->limiter, &inf_bounds_durations, ns);
  }
}

static void
begin_locked(inf_telemetry *telemetry, uint64_t now_ns)
{
  if (telemetry->began_ns == 0)
    telemetry->began_ns = now_ns;
}

void
inf_telemetry_attempt(inf_telemetry *telemetry, const inf_attempt_facts *facts)
{
  inf_window_time times[INF_TIMES];
  size_t count = times_of(facts, times);
  inf_window_counts counts = {
      .attempts = 1,
      .failed = facts->status != INFER_OK && !facts->ended_by_us,
      .input_tokens = or_zero(facts->input),
      .output_tokens = or_zero(facts->output),
      .cost_nano_usd = or_zero(facts->cost_nano_usd),
  };
  pthread_mutex_lock(&telemetry->mutex);
  begin_locked(telemetry, facts->now_ns);
  inf_telemetry_series *series = series_locked(telemetry, &facts->name);
  if (series) {
    count_attempt(&series->counters, facts);
    count_times(&series->counters, times, count);
    inf_windows_add(&series->windows, &telemetry->room, &counts, times, count,
                    facts->now_ns);
  }
  pthread_mutex_unlock(&telemetry->mutex);
}

static void
count_duration(inf_telemetry *telemetry, inf_telemetry_series *series,
               const inf_call_facts *facts)
{
  inf_buckets **durations =
      &series->call_durations[inf_telemetry_class(facts->status)];
  if (!*durations)
    *durations = inf_telemetry_room_take(&telemetry->room, sizeof **durations);
  if (*durations)
    inf_buckets_add(*durations, &inf_bounds_durations, facts->total_ns);
}

static void
count_call(inf_telemetry *telemetry, inf_telemetry_series *series,
           const inf_call_facts *facts)
{
  inf_series_counters *counters = &series->counters;
  counters->calls[inf_telemetry_class(facts->status)]++;
  counters->refusals +=
      facts->unsent &&
      (facts->status == INFER_E_LIMIT || facts->status == INFER_E_RATE_LIMITED);
  if (facts->timed)
    count_duration(telemetry, series, facts);
  if (facts->timed && facts->first_ns > 0)
    inf_buckets_add(&counters->call_first_token, &inf_bounds_durations,
                    facts->first_ns);
  if (facts->input >= 0)
    inf_buckets_add(&counters->call_tokens[0], &inf_bounds_tokens,
                    (uint64_t)facts->input);
  if (facts->output >= 0)
    inf_buckets_add(&counters->call_tokens[1], &inf_bounds_tokens,
                    (uint64_t)facts->output);
}

static void
count_tenant(inf_tenant_counters *counters, const inf_call_facts *facts)
{
  counters->calls++;
  counters->failed += facts->status != INFER_OK;
  counters->input_tokens += or_zero(facts->all_input);
  counters->output_tokens += or_zero(facts->all_output);
  counters->cost_nano_usd += or_zero(facts->cost_nano_usd);
}

void
inf_telemetry_call(inf_telemetry *telemetry, const inf_call_facts *facts)
{
  pthread_mutex_lock(&telemetry->mutex);
  begin_locked(telemetry, facts->now_ns);
  inf_telemetry_series *series = series_locked(telemetry, &facts->name);
  if (series)
    count_call(telemetry, series, facts);
  inf_telemetry_tenant *tenant = tenant_locked(telemetry, facts);
  if (tenant)
    count_tenant(&tenant->counters, facts);
  pthread_mutex_unlock(&telemetry->mutex);
}

void
inf_telemetry_note_dropped(inf_telemetry *telemetry)
{
  pthread_mutex_lock(&telemetry->mutex);
  telemetry->room.dropped++;
  pthread_mutex_unlock(&telemetry->mutex);
}

/* ---- Reading ------------------------------------------------------------- */

const char *
inf_telemetry_error_type(size_t class, char out[32])
{
  const inf_status_info *info = inf_status_at(class);
  static const char prefix[] = "INFER_E_";
  const char *name = info && info->status != INFER_OK ? info->name : "";
  size_t len = 0;
  if (strncmp(name, prefix, sizeof prefix - 1) == 0)
    name += sizeof prefix - 1;
  for (; len < 31 && name[len]; len++)
    out[len] = name[len] >= 'A' && name[len] <= 'Z'
                   ? (char)(name[len] - 'A' + 'a')
                   : name[len];
  out[len] = '\0';
  return out;
}

const inf_telemetry_series *
inf_telemetry_first(inf_telemetry *telemetry)
{
  pthread_mutex_lock(&telemetry->mutex);
  const inf_telemetry_series *first = telemetry->first;
  pthread_mutex_unlock(&telemetry->mutex);
  return first;
}

void
inf_telemetry_counters(inf_telemetry *telemetry,
                       const inf_telemetry_series *series,
                       inf_series_counters *out)
{
  pthread_mutex_lock(&telemetry->mutex);
  *out = series->counters;
  pthread_mutex_unlock(&telemetry->mutex);
}

bool
inf_telemetry_durations(inf_telemetry *telemetry,
                        const inf_telemetry_series *series, size_t class,
                        inf_buckets *out)
{
  pthread_mutex_lock(&telemetry->mutex);
  const inf_buckets *durations = series->call_durations[class];
  if (durations)
    *out = *durations;
  pthread_mutex_unlock(&telemetry->mutex);
  return durations != NULL;
}

uint64_t
inf_telemetry_began_ns(inf_telemetry *telemetry)
{
  pthread_mutex_lock(&telemetry->mutex);
  uint64_t began_ns = telemetry->began_ns;
  pthread_mutex_unlock(&telemetry->mutex);
  return began_ns == 0 ? INF_NEVER : began_ns;
}

inf_window_counts
inf_telemetry_window_counts(inf_telemetry *telemetry,
                            const inf_telemetry_series *series,
                            inf_window window, uint64_t now_ns)
{
  pthread_mutex_lock(&telemetry->mutex);
  inf_window_counts counts =
      inf_windows_counts(&series->windows, window, now_ns);
  pthread_mutex_unlock(&telemetry->mutex);
  return counts;
}

inf_quantiles
inf_telemetry_quantiles(inf_telemetry *telemetry,
                        const inf_telemetry_series *series, inf_window window,
                        inf_time_kind kind, uint64_t now_ns,
                        inf_quantile_work *work)
{
  inf_histogram_clear(&work->events);
  inf_histogram_clear(&work->censored);
  pthread_mutex_lock(&telemetry->mutex);
  inf_windows_pour(&series->windows, window, kind, now_ns, &work->events,
                   &work->censored);
  pthread_mutex_unlock(&telemetry->mutex);
  return inf_quantiles_read(work);
}

const inf_telemetry_tenant *
inf_telemetry_first_tenant(inf_telemetry *telemetry)
{
  pthread_mutex_lock(&telemetry->mutex);
  const inf_telemetry_tenant *first = telemetry->tenants;
  pthread_mutex_unlock(&telemetry->mutex);
  return first;
}

inf_tenant_counters
inf_telemetry_tenant_counters(inf_telemetry *telemetry,
                              const inf_telemetry_tenant *tenant)
{
  pthread_mutex_lock(&telemetry->mutex);
  inf_tenant_counters counters = tenant->counters;
  pthread_mutex_unlock(&telemetry->mutex);
  return counters;
}

inf_telemetry_memory
inf_telemetry_memory_of(inf_telemetry *telemetry)
{
  pthread_mutex_lock(&telemetry->mutex);
  inf_telemetry_memory memory = {telemetry->room.used_bytes,
                                 telemetry->room.cap_bytes,
                                 telemetry->room.dropped};
  pthread_mutex_unlock(&telemetry->mutex);
  return memory;
}
