/* SPDX-License-Identifier: MIT */
/* What the rate-limit headers of recorded answers say: prints for each
 * provider how much was read, and fails on what cannot be true. */
#include "conformance/cases.h"
#include "provider/rate_headers.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PROVIDERS = 128, MAX_NAME = 64 };

typedef struct row {
  char name[MAX_NAME];
  size_t answers, with, sights, limits, remainings, resets, periods;
} row;

typedef struct table {
  row rows[MAX_PROVIDERS];
  size_t count, absurd;
} table;

static row *
row_of(table *all, const char *provider)
{
  for (size_t i = 0; i < all->count; i++) {
    if (strcmp(all->rows[i].name, provider) == 0)
      return &all->rows[i];
  }
  if (all->count == MAX_PROVIDERS)
    return &all->rows[MAX_PROVIDERS - 1];
  row *found = &all->rows[all->count++];
  snprintf(found->name, sizeof found->name, "%s", provider);
  return found;
}

static bool
is_absurd(const inf_rate_sight *sight)
{
  const int64_t month_ns = 31 * (int64_t)86400 * (int64_t)INF_NS_PER_S;
  if (sight->limit == 0 || sight->limit < -1 || sight->remaining < -1 ||
      sight->reset_ns < -1 || sight->reset_ns > month_ns)
    return true;
  if (sight->limit > 0 && sight->remaining > sight->limit)
    return true;
  if (sight->limit > 100000000000 || sight->remaining > 100000000000)
    return true;
  return sight->limit < 0 && sight->remaining < 0 && sight->reset_ns <= 0;
}

/* "openai-chat" of "openai-chat-stream-001". */
static void
provider_of(const char *name, char out[MAX_NAME])
{
  snprintf(out, MAX_NAME, "%s", name);
  for (int i = 0; i < 2; i++) {
    char *dash = strrchr(out, '-');
    if (dash)
      *dash = '\0';
  }
}

static void
read_case(const test_case *test, void *context)
{
  table *all = context;
  char provider[MAX_NAME];
  inf_rate_sights sights;
  provider_of(test->name, provider);
  row *counts = row_of(all, provider);
  inf_rate_headers_read(&test->headers, 1785692630 * (int64_t)INF_NS_PER_S,
                        &sights);
  counts->answers++;
  counts->with += sights.count > 0;
  for (size_t i = 0; i < sights.count; i++) {
    const inf_rate_sight *sight = &sights.items[i];
    counts->sights++;
    counts->limits += sight->limit >= 0;
    counts->remainings += sight->remaining >= 0;
    counts->resets += sight->reset_ns >= 0;
    counts->periods += sight->period_ns > 0;
    if (!is_absurd(sight))
      continue;
    all->absurd++;
    printf("%s: kind %d limit %lld remaining %lld reset %lld\n", test->name,
           (int)sight->kind, (long long)sight->limit,
           (long long)sight->remaining, (long long)sight->reset_ns);
  }
}

int
main(void)
{
  static table all;
  char *folder = test_shared_folder("data/recordings");
  size_t sights = 0;
  if (!folder) {
    printf("SKIP: no recordings (set INFER_SHARED)\n");
    return 77;
  }
  long cases = test_for_each_case(folder, read_case, &all);
  free(folder);
  for (size_t i = 0; i < all.count; i++) {
    const row *r = &all.rows[i];
    sights += r->sights;
    if (r->with > 0)
      printf("%-28s %3zu of %3zu answers, %3zu sights: %3zu limits, %3zu "
             "remaining, %3zu resets, %3zu periods\n",
             r->name, r->with, r->answers, r->sights, r->limits, r->remainings,
             r->resets, r->periods);
  }
  printf("%ld answers, %zu sights, %zu absurd\n", cases, sights, all.absurd);
  return all.absurd > 0 || sights == 0;
}
