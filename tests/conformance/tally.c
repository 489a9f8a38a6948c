/* SPDX-License-Identifier: MIT */
#include "conformance/tally.h"

#include <stdio.h>
#include <string.h>

static void
note_api(case_tally *tally, const char *api)
{
  tally->not_yet++;
  for (size_t i = 0; i < TALLY_MAX_APIS; i++) {
    if (tally->apis[i].cases == 0)
      snprintf(tally->apis[i].api, sizeof(tally->apis[i].api), "%s", api);
    if (strncmp(tally->apis[i].api, api, sizeof(tally->apis[i].api) - 1) != 0)
      continue;
    tally->apis[i].cases++;
    return;
  }
}

bool
tally_takes(case_tally *tally, const test_case *test, const test_kind *kind)
{
  json_object *skip = NULL;
  if (!kind) {
    note_api(tally, test_member(test->meta, "api"));
    return false;
  }
  if (test->broken) {
    tally_add(tally, test, false, "expected.json is no JSON");
    return false;
  }
  if (!test->expected ||
      json_object_object_get_ex(test->expected, "skip", &skip)) {
    tally->without_oracle++;
    return false;
  }
  return true;
}

/* Providers beyond the last row are counted there. */
static tally_row *
row_of(case_tally *tally, const char *provider)
{
  for (size_t i = 0; i < tally->row_count; i++) {
    if (strcmp(tally->rows[i].provider, provider) == 0)
      return &tally->rows[i];
  }
  if (tally->row_count == TALLY_MAX_PROVIDERS)
    return &tally->rows[TALLY_MAX_PROVIDERS - 1];
  tally_row *row = &tally->rows[tally->row_count++];
  snprintf(row->provider, sizeof(row->provider), "%s", provider);
  return row;
}

void
tally_add(case_tally *tally, const test_case *test, bool passed,
          const char *why)
{
  tally_row *row = row_of(tally, test_member(test->meta, "provider"));
  row->cases++;
  row->passed += passed;
  row->failed += !passed;
  tally->cases++;
  tally->failed += !passed;
  if (!passed && row->why[0] == '\0')
    snprintf(row->why, sizeof(row->why), "%s: %.*s", test->name,
             (int)strcspn(why, "\n"), why);
}

void
tally_print(const case_tally *tally)
{
  printf("%-24s %6s %6s %6s  %s\n", "provider", "cases", "passed", "failed",
         "why");
  for (size_t i = 0; i < tally->row_count; i++) {
    const tally_row *row = &tally->rows[i];
    printf("%-24s %6u %6u %6u  %s\n", row->provider, row->cases, row->passed,
           row->failed, row->why);
  }
  printf("%u cases, %u passed, %u failed; not counted: %u without an oracle, "
         "%u of other APIs",
         tally->cases, tally->cases - tally->failed, tally->failed,
         tally->without_oracle, tally->not_yet);
  for (size_t i = 0; i < TALLY_MAX_APIS && tally->apis[i].cases > 0; i++)
    printf("%s%s %u", i == 0 ? " (" : ", ", tally->apis[i].api,
           tally->apis[i].cases);
  printf("%s\n", tally->not_yet > 0 ? ")" : "");
}
