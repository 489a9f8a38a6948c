/* SPDX-License-Identifier: MIT */
#include "telemetry/window.h"

typedef struct ring {
  const char *name;
  uint64_t slot_ns;
  uint32_t first, count; /* of inf_windows.slots */
} ring;

static const ring rings[INF_WINDOWS] = {
    [INF_WINDOW_1M] = {"1m", 10 * INF_NS_PER_S, 0, 7},
    [INF_WINDOW_5M] = {"5m", 60 * INF_NS_PER_S, 7, 6},
    [INF_WINDOW_60M] = {"60m", 300 * INF_NS_PER_S, 13, 13},
};

static void
slot_add(inf_window_slot *slot, inf_telemetry_room *room,
         const inf_window_counts *counts, const inf_window_time *times,
         size_t time_count)
{
  slot->counts.attempts += counts->attempts;
  slot->counts.failed += counts->failed;
  slot->counts.input_tokens += counts->input_tokens;
  slot->counts.output_tokens += counts->output_tokens;
  slot->counts.cost_nano_usd += counts->cost_nano_usd;
  for (size_t i = 0; i < time_count; i++)
    inf_sketch_add(&slot->times[times[i].kind], room, times[i].ns,
                   times[i].censored);
}

static inf_window_slot *
slot_now(inf_windows *windows, const ring *which, uint64_t now_ns)
{
  uint64_t number = now_ns / which->slot_ns;
  inf_window_slot *slot = &windows->slots[which->first + number % which->count];
  if (slot->number == number)
    return slot;
  slot->number = number;
  slot->counts = (inf_window_counts){0};
  for (size_t kind = 0; kind < INF_TIMES; kind++)
    inf_sketch_clear(&slot->times[kind]);
  return slot;
}

void
inf_windows_add(inf_windows *windows, inf_telemetry_room *room,
                const inf_window_counts *counts, const inf_window_time *times,
                size_t time_count, uint64_t now_ns)
{
  for (size_t i = 0; i < INF_WINDOWS; i++)
    slot_add(slot_now(windows, &rings[i], now_ns), room, counts, times,
             time_count);
}

const char *
inf_window_name(inf_window window)
{
  return rings[window].name;
}

uint64_t
inf_window_length_ns(inf_window window, uint64_t began_ns, uint64_t now_ns)
{
  const ring *which = &rings[window];
  uint64_t length_ns =
      (which->count - 1) * which->slot_ns + now_ns % which->slot_ns;
  uint64_t age_ns = now_ns > began_ns ? now_ns - began_ns : 0;
  return length_ns < age_ns ? length_ns : age_ns;
}

/* Is the slot's time within the window? */
static bool
is_in(const inf_window_slot *slot, const ring *which, uint64_t now_ns)
{
  uint64_t number = now_ns / which->slot_ns;
  return slot->number <= number && number - slot->number < which->count;
}

inf_window_counts
inf_windows_counts(const inf_windows *windows, inf_window window,
                   uint64_t now_ns)
{
  const ring *which = &rings[window];
  inf_window_slot sum = {0};
  for (uint32_t i = 0; i < which->count; i++) {
    const inf_window_slot *slot = &windows->slots[which->first + i];
    if (is_in(slot, which, now_ns))
      slot_add(&sum, NULL, &slot->counts, NULL, 0);
  }
  return sum.counts;
}

void
inf_windows_pour(const inf_windows *windows, inf_window window,
                 inf_time_kind kind, uint64_t now_ns, inf_histogram *events,
                 inf_histogram *censored)
{
  const ring *which = &rings[window];
  for (uint32_t i = 0; i < which->count; i++) {
    const inf_window_slot *slot = &windows->slots[which->first + i];
    if (is_in(slot, which, now_ns))
      inf_sketch_pour(&slot->times[kind], events, censored);
  }
}

void
inf_windows_fini(inf_windows *windows, inf_telemetry_room *room)
{
  for (size_t i = 0; i < INF_WINDOW_SLOTS; i++)
    for (size_t kind = 0; kind < INF_TIMES; kind++)
      inf_sketch_fini(&windows->slots[i].times[kind], room);
}

/* ---- Quantiles ----------------------------------------------------------- */

const double inf_quantile_shares[INF_QUANTILES] = {0.5, 0.9, 0.95, 0.99};

inf_quantiles
inf_quantiles_read(inf_quantile_work *work)
{
  inf_quantiles out = {work->events.total, work->censored.total, {0}};
  if (out.events > 0)
    inf_survival_estimate(&work->curve, &work->events, &work->censored);
  for (size_t i = 0; i < INF_QUANTILES; i++)
    out.ns[i] = out.events > 0 ? inf_survival_quantile(&work->curve,
                                                       inf_quantile_shares[i])
                               : INF_NEVER;
  return out;
}
