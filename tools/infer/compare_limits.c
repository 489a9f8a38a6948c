/* SPDX-License-Identifier: MIT */
/* Finds the targets' rate limits in the client's statistics. */

#include "compare_limits.h"

#include "member.h"

#include <stdio.h>
#include <string.h>

static bool
is_text(json_object *value, const char *text, size_t len)
{
  return json_object_is_type(value, json_type_string) &&
         (size_t)json_object_get_string_len(value) == len &&
         memcmp(json_object_get_string(value), text, len) == 0;
}

/* Is the entry about the target? That of no model is about all of them. */
static bool
is_about(json_object *entry, const char *target)
{
  size_t provider = strcspn(target, "/");
  const char *model = target + provider + (target[provider] == '/');
  return is_text(inf_member(entry, "provider"), target, provider) &&
         (is_text(inf_member(entry, "model"), "", 0) ||
          is_text(inf_member(entry, "model"), model, strlen(model)));
}

static bool
is_known(const inf_cmp_subject *subject, const inf_cmp_limit *limit)
{
  for (size_t i = 0; i < subject->limit_count; i++) {
    const inf_cmp_limit *known = &subject->limits[i];
    if (strcmp(known->unit, limit->unit) == 0 &&
        known->period_s == limit->period_s && known->units == limit->units) {
      return true; /* of another key */
    }
  }
  return false;
}

static void
add_limit(inf_cmp_subject *subject, json_object *entry)
{
  inf_cmp_limit limit = {
      .period_s = json_object_get_int64(inf_member(entry, "period_s")),
      .units = json_object_get_int64(inf_member(entry, "limit"))};
  const char *unit = json_object_get_string(inf_member(entry, "unit"));
  const char *source = json_object_get_string(inf_member(entry, "source"));
  snprintf(limit.unit, sizeof(limit.unit), "%s", unit ? unit : "");
  limit.told = source && strcmp(source, "provider") == 0;
  if (limit.units > 0 && subject->limit_count < INF_CMP_MAX_LIMITS &&
      !is_known(subject, &limit)) {
    subject->limits[subject->limit_count++] = limit;
  }
}

static void
add_limits(inf_cmp_subject *subject, json_object *meters)
{
  for (size_t i = 0; i < json_object_array_length(meters); i++) {
    json_object *meter = json_object_array_get_idx(meters, i);
    json_object *limits = inf_member(meter, "limits");
    if (!is_about(meter, subject->name) ||
        !json_object_is_type(limits, json_type_array)) {
      continue;
    }
    for (size_t k = 0; k < json_object_array_length(limits); k++) {
      add_limit(subject, json_object_array_get_idx(limits, k));
    }
  }
}

void
inf_cmp_limits_take(inf_cmp_data *data, json_object *stats)
{
  json_object *meters = inf_member(stats, "limits");
  if (!json_object_is_type(meters, json_type_array)) {
    return;
  }
  for (size_t i = 0; i < data->subject_count; i++) {
    if (!data->subjects[i].is_route) {
      add_limits(&data->subjects[i], meters);
    }
  }
}

void
inf_cmp_limits_read(infer_client *client, inf_cmp_data *data)
{
  char *text = NULL;
  if (infer_client_stats(client, &text, NULL) == INFER_OK) {
    json_object *stats = json_tokener_parse(text);
    inf_cmp_limits_take(data, stats);
    json_object_put(stats);
  }
  infer_text_free(text);
}

static void
put_period(inf_buf *out, int64_t seconds)
{
  static const struct {
    int64_t seconds;
    const char *text;
  } periods[] = {
      {1, "a second"}, {60, "a minute"}, {3600, "an hour"}, {86400, "a day"}};
  for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
    if (periods[i].seconds == seconds) {
      inf_buf_append_cstr(out, periods[i].text);
      return;
    }
  }
  inf_buf_appendf(out, "in %lld s", (long long)seconds);
}

void
inf_cmp_limits_put(inf_buf *out, const inf_cmp_subject *subject)
{
  for (size_t i = 0; i < subject->limit_count; i++) {
    const inf_cmp_limit *limit = &subject->limits[i];
    inf_buf_appendf(out, "%s%lld %s ", i ? ", " : "", (long long)limit->units,
                    limit->unit);
    put_period(out, limit->period_s);
  }
}
