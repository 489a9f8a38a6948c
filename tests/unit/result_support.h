/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_RESULT_SUPPORT_H
#define TESTS_UNIT_RESULT_SUPPORT_H

/* What the tests of responses, errors and records have in common: a trail
 * without a configuration, and attempts of a provider that is only a name. */

#include "support/fail_alloc.h"

#include "engine/result.h"

#include <string.h>

static char house_name[] = "house";
static const inf_provider_config house = {.name = house_name};

static inline inf_trail *
trail_new(void)
{
  inf_trail *trail = inf_trail_new(NULL, NULL, 0);
  assert_non_null(trail);
  return trail;
}

static inline struct infer_attempt *
attempt_new(inf_trail *trail, int32_t status)
{
  struct infer_attempt *record = inf_trail_add(trail);
  assert_non_null(record);
  record->provider = &house;
  record->target = "house/m";
  record->reason = INFER_REASON_FIRST;
  record->status = status;
  return record;
}

#endif
