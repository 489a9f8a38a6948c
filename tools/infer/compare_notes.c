/* SPDX-License-Identifier: MIT */
/* What a report says in words. */

#include "compare_notes.h"

#include "compare_limits.h"
#include "compare_text.h"

#include "infer/infer.h"

#include <math.h>
#include <stdio.h>

/* Below it a share of reused prompts, new connections, ... is no news. */
#define WORTH_TELLING 0.01
#define NAME_BYTES    160

static void
name_of(const inf_cmp_summary *summary, size_t subject, char *to)
{
  inf_cmp_clean(to, NAME_BYTES, summary->data->subjects[subject].name);
}

static const char *
plural(size_t count)
{
  return count == 1 ? "" : "s";
}

static double
percent(size_t part, size_t whole)
{
  return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* ---- The run ------------------------------------------------------------- */

static void
note_money(const inf_cmp_data *data, inf_buf *out)
{
  char spent[INF_CMP_FIGURE], limit[INF_CMP_FIGURE];
  inf_cmp_dollars(spent, (double)data->spent_nano_usd / 1e9);
  if (data->spent_nano_usd > 0 || !data->spent_incomplete) {
    inf_buf_appendf(out, "Spent: %s, warm-up included%s.\n", spent,
                    data->spent_incomplete
                        ? ", without calls whose cost is not known"
                        : "");
  } else {
    inf_buf_append_cstr(out, "Spent: not known, for no price is known.\n");
  }
  if (data->budget_reached) {
    inf_cmp_dollars(limit, (double)data->budget_nano_usd / 1e9);
    inf_buf_appendf(out,
                    "Stopped by --budget-usd: the next request could have "
                    "passed %s.\n",
                    limit);
  }
}

void
inf_cmp_note_run(const inf_cmp_summary *summary, inf_buf *out)
{
  const inf_cmp_data *data = summary->data;
  size_t targets = 0, routes = 0;
  char source[NAME_BYTES];
  for (size_t i = 0; i < data->subject_count; i++) {
    targets += !data->subjects[i].is_route;
    routes += data->subjects[i].is_route;
  }
  inf_buf_appendf(out, "%zu target%s", targets, plural(targets));
  if (routes > 0) {
    inf_buf_appendf(out, " and %zu route%s", routes, plural(routes));
  }
  inf_buf_appendf(out,
                  ", asked in turns, in an order drawn anew for each round; "
                  "%u request%s to each, %u at a time; %.0f s in all.\n",
                  data->requests, plural(data->requests),
                  data->base_concurrency, data->took_ms / 1000);
  inf_buf_appendf(out, "Prompts: %zu from %s%s.\n", data->prompt_count,
                  inf_cmp_clean(source, sizeof(source), data->prompt_source),
                  data->prompts_repeat
                      ? ", asked more than once: a provider that caches "
                        "prompts looks faster than with new ones"
                      : "");
  inf_buf_appendf(out, "Left out: %u warm-up request%s of each.\n",
                  data->warm_up, plural(data->warm_up));
  if (data->interrupted) {
    inf_buf_append_cstr(out, "Interrupted: the figures are of what had been "
                             "measured by then.\n");
  }
  note_money(data, out);
  for (size_t i = 0; i < data->subject_count; i++) {
    if (data->subjects[i].left_out[0]) {
      char name[NAME_BYTES], why[NAME_BYTES];
      name_of(summary, i, name);
      inf_cmp_clean(why, sizeof(why), data->subjects[i].left_out);
      inf_buf_appendf(out, "%s was not measured%s: %s.\n", name,
                      summary->figures[i].calls > 0 ? " to the end" : "", why);
    }
  }
}

/* ---- Verdicts ------------------------------------------------------------ */

/* A difference in its unit. */
static void
amount(int by, double value, char *to)
{
  char number[INF_CMP_FIGURE];
  value = fabs(value);
  if (by == INF_CMP_BY_COST) {
    inf_cmp_dollars(to, value);
  } else if (by == INF_CMP_BY_FAILURES) {
    snprintf(to, INF_CMP_FIGURE, "%.40s points",
             inf_cmp_number(number, value * 100));
  } else if (isinf(value)) {
    snprintf(to, INF_CMP_FIGURE, "without end");
  } else {
    snprintf(to, INF_CMP_FIGURE, "%.40s ms", inf_cmp_number(number, value));
  }
}

static void
note_winner(const inf_cmp_summary *summary, int by, inf_buf *out)
{
  const inf_cmp_verdict *verdict = &summary->verdicts[by];
  char best[NAME_BYTES], second[NAME_BYTES], lead[INF_CMP_FIGURE];
  char least[INF_CMP_FIGURE], most[INF_CMP_FIGURE];
  name_of(summary, verdict->best, best);
  name_of(summary, verdict->second, second);
  amount(by, verdict->difference.value, lead);
  amount(by, verdict->difference.high, least);
  amount(by, verdict->difference.low, most);
  if (isinf(verdict->difference.value)) {
    inf_buf_appendf(out,
                    "%s: %s; too few calls to %s had an answer for a figure.\n",
                    inf_cmp_verdict_name(by), best, second);
    return;
  }
  inf_buf_appendf(out, "%s: %s, by %s against %s [%s, %s].\n",
                  inf_cmp_verdict_name(by), best, lead, second, least,
                  isnan(verdict->difference.low) ? "?" : most);
}

void
inf_cmp_note_verdicts(const inf_cmp_summary *summary, inf_buf *out)
{
  size_t targets = 0;
  for (size_t i = 0; i < summary->data->subject_count; i++) {
    targets += !summary->data->subjects[i].is_route;
  }
  if (targets < 2) {
    inf_buf_append_cstr(out, "One target alone: there is nothing to compare "
                             "it with.\n");
    return;
  }
  for (int by = 0; by < INF_CMP_VERDICTS; by++) {
    const inf_cmp_verdict *verdict = &summary->verdicts[by];
    if (!verdict->comparable) {
      inf_buf_appendf(out, "%s: cannot be compared%s.\n",
                      inf_cmp_verdict_name(by),
                      by == INF_CMP_BY_COST
                          ? ", the prices of fewer than two targets are known"
                          : "");
    } else if (verdict->won) {
      note_winner(summary, by, out);
    } else {
      inf_buf_appendf(out,
                      "%s: no winner, the difference is within the "
                      "noise.\n",
                      inf_cmp_verdict_name(by));
    }
  }
}

/* ---- Failures ------------------------------------------------------------ */

static void
note_class(const inf_cmp_class *entry, bool first, inf_buf *out)
{
  inf_buf_appendf(out, "%s%zu %s", first ? ": " : ", ", entry->count,
                  infer_status_name(entry->status));
  if (entry->longest_retry_after_ms >= 0) {
    inf_buf_appendf(out, " (asked to wait up to %.1f s)",
                    entry->longest_retry_after_ms / 1000);
  }
}

void
inf_cmp_note_failures(const inf_cmp_summary *summary, size_t subject,
                      inf_buf *out)
{
  const inf_cmp_figures *figures = &summary->figures[subject];
  char name[NAME_BYTES];
  size_t failed = figures->calls - figures->answered;
  name_of(summary, subject, name);
  inf_buf_appendf(out, "%s: %zu call%s, %zu failed", name, figures->calls,
                  plural(figures->calls), failed);
  if (figures->calls > 0) {
    inf_buf_appendf(out, ", %.1f %% [%.1f, %.1f]",
                    figures->failures.value * 100, figures->failures.low * 100,
                    figures->failures.high * 100);
  }
  for (size_t i = 0; i < figures->class_count; i++) {
    note_class(&figures->classes[i], i == 0, out);
  }
  if (figures->waited > 0) {
    inf_buf_appendf(out,
                    "; %zu waited for a rate limit that is known, up to "
                    "%.1f s",
                    figures->waited, figures->longest_wait_ms / 1000);
  }
  if (summary->data->subjects[subject].limit_count > 0) {
    inf_buf_append_cstr(out, "; its limits: ");
    inf_cmp_limits_put(out, &summary->data->subjects[subject]);
  }
  if (figures->stopped > 0) {
    inf_buf_appendf(out, "; %zu under way when the run was interrupted",
                    figures->stopped);
  }
  if (summary->data->subjects[subject].is_route) {
    inf_buf_appendf(out, "; %zu hedge%s, %zu failover%s", figures->hedges,
                    plural(figures->hedges), figures->failovers,
                    plural(figures->failovers));
  }
  inf_buf_append_cstr(out, ".\n");
}

/* ---- Answers ------------------------------------------------------------- */

static void
note_finishes(const inf_cmp_figures *figures, inf_buf *out)
{
  for (size_t i = 0; i < figures->finish_count; i++) {
    char reason[64];
    inf_cmp_clean(reason, sizeof(reason), figures->finishes[i].reason);
    inf_buf_appendf(out, "%s%s %.0f %%", i ? ", " : "; ended by ", reason,
                    percent(figures->finishes[i].count, figures->answered));
  }
}

void
inf_cmp_note_answers(const inf_cmp_summary *summary, size_t subject,
                     inf_buf *out)
{
  const inf_cmp_figures *figures = &summary->figures[subject];
  char name[NAME_BYTES], text[INF_CMP_FIGURE];
  name_of(summary, subject, name);
  if (figures->answered == 0) {
    inf_buf_appendf(out, "%s: no answers.\n", name);
    return;
  }
  inf_buf_appendf(out, "%s: %s tokens", name,
                  inf_cmp_range(text, &figures->answer_tokens));
  inf_buf_appendf(out, " and %s bytes of text in the mean",
                  inf_cmp_range(text, &figures->answer_bytes));
  note_finishes(figures, out);
  if (figures->json_asked > 0) {
    inf_buf_appendf(out,
                    "; of %zu answers that had to be JSON %.1f %% are, and "
                    "%.1f %% match their schema",
                    figures->json_asked,
                    percent(figures->json_valid, figures->json_asked),
                    percent(figures->json_right, figures->json_asked));
  }
  if (figures->tools_offered > 0) {
    inf_buf_appendf(out, "; a tool was called in %.1f %% of %zu answers",
                    percent(figures->tools_used, figures->tools_offered),
                    figures->tools_offered);
  }
  if (figures->tools.compared > 0) {
    inf_buf_appendf(out,
                    "; tool calls, or their absence, are as another target's "
                    "for the same prompt in %.1f %%",
                    percent(figures->tools.same, figures->tools.compared));
  }
  if (figures->cached_share >= WORTH_TELLING) {
    inf_buf_appendf(out, "; %.0f %% of prompt tokens came from a cache",
                    figures->cached_share * 100);
  }
  inf_buf_append_cstr(out, ".\n");
}

/* ---- Method -------------------------------------------------------------- */

static size_t
count_new_connections(const inf_cmp_summary *summary)
{
  double count = 0;
  for (size_t i = 0; i < summary->data->subject_count; i++) {
    count += summary->figures[i].new_connections;
  }
  return (size_t)count;
}

void
inf_cmp_note_method(const inf_cmp_summary *summary, inf_buf *out)
{
  const inf_cmp_data *data = summary->data;
  size_t fresh = count_new_connections(summary);
  inf_buf_appendf(
      out,
      "Times are those of the caller, from the request to the first content "
      "and to the end. Failed calls count as never answered, those given up "
      "after %.0f s as slower than that; none is dropped. \"none\": too few "
      "calls had an answer for this figure.\n",
      data->timeout_ms / 1000);
  inf_buf_appendf(
      out,
      "In brackets: intervals of 95 %%, by bootstrap (%d resamples, seed "
      "%llu). \"?\": too few requests to know that end; a p95 takes 72 "
      "requests, a p99 takes 368.\n",
      INF_CMP_RESAMPLES, (unsigned long long)data->seed);
  inf_buf_append_cstr(
      out, "A winner is named where its lead over every other target, prompt "
           "by prompt, is outside of the noise (5 % in all).\n");
  if (fresh > 0) {
    inf_buf_appendf(out,
                    "%zu calls opened a new connection, which is in their "
                    "times.\n",
                    fresh);
  }
}
