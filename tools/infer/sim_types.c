/* SPDX-License-Identifier: MIT */
/* The types of values in a script, declared in sim_read.h. */

#include "sim_read.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* A mixture may hold mixtures, this deep. */
#define MIX_DEPTH 4

bool
inf_sim_read_bool(inf_sim_reader *reader, inf_sv value, void *to,
                  const void *param)
{
  (void)param;
  inf_json_type type = inf_json_type_of(value);
  if (type != INF_JSON_TRUE && type != INF_JSON_FALSE) {
    return inf_sim_reader_fail(reader, "must be true or false");
  }
  *(bool *)to = type == INF_JSON_TRUE;
  return true;
}

bool
inf_sim_read_tristate(inf_sim_reader *reader, inf_sv value, void *to,
                      const void *param)
{
  bool answer = false;
  if (!inf_sim_read_bool(reader, value, &answer, param)) {
    return false;
  }
  *(int8_t *)to = answer ? 1 : 0;
  return true;
}

bool
inf_sim_read_count(inf_sim_reader *reader, inf_sv value, void *to,
                   const void *param)
{
  const uint64_t any[2] = {0, INT64_MAX};
  const uint64_t *range = param ? param : any;
  int64_t number = 0;
  if (!inf_json_int64(value, false, &number) || number < 0) {
    return inf_sim_reader_fail(reader, "must be a whole number from 0");
  }
  uint64_t count = (uint64_t)number;
  if (count < range[0] || count > range[1]) {
    return inf_sim_reader_fail(reader, "must be from %" PRIu64 " to %" PRIu64,
                               range[0], range[1]);
  }
  *(uint64_t *)to = count;
  return true;
}

bool
inf_sim_read_opt(inf_sim_reader *reader, inf_sv value, void *to,
                 const void *param)
{
  inf_sim_opt *opt = to;
  if (inf_sim_is_off(value)) {
    opt->set = false;
    return true;
  }
  opt->set = inf_sim_read_count(reader, value, &opt->value, param);
  return opt->set;
}

bool
inf_sim_read_probability(inf_sim_reader *reader, inf_sv value, void *to,
                         const void *param)
{
  (void)param;
  double number = 0;
  if (!inf_json_double(value, false, &number) || !(number >= 0) || number > 1) {
    return inf_sim_reader_fail(reader, "must be a number from 0 to 1");
  }
  *(double *)to = number;
  return true;
}

bool
inf_sim_read_string(inf_sim_reader *reader, inf_sv value, inf_sv *text)
{
  inf_buf decoded;
  inf_buf_init(&decoded, INF_SIM_BUF_MAX);
  bool ok = inf_json_string(value, &decoded);
  inf_sim_must(&decoded);
  if (ok) {
    *text = inf_sim_arena_copy(reader->arena, inf_buf_sv(&decoded));
  }
  inf_buf_fini(&decoded);
  return ok || inf_sim_reader_fail(reader, "must be a string");
}

bool
inf_sim_read_text(inf_sim_reader *reader, inf_sv value, void *to,
                  const void *param)
{
  (void)param;
  inf_sim_text *text = to;
  text->set = false;
  text->sv = inf_sv_of("", 0);
  if (inf_sim_is_off(value)) {
    return true;
  }
  text->set = inf_sim_read_string(reader, value, &text->sv);
  return text->set;
}

static bool
fail_enum(inf_sim_reader *reader, const char *const *names)
{
  char list[256];
  size_t used = 0;
  for (size_t i = 0; names[i] && used < sizeof(list); i++) {
    int n = snprintf(list + used, sizeof(list) - used, "%s\"%s\"",
                     i ? ", " : "", names[i]);
    used += n > 0 ? (size_t)n : 0;
  }
  return inf_sim_reader_fail(reader, "must be one of %s", list);
}

bool
inf_sim_read_enum(inf_sim_reader *reader, inf_sv value, void *to,
                  const void *param)
{
  const char *const *names = param;
  for (int i = 0; names[i]; i++) {
    if (inf_json_equal(value, inf_sv_from(names[i]))) {
      *(int *)to = i;
      return true;
    }
  }
  return fail_enum(reader, names);
}

static bool
read_positive(inf_sv value, double *number)
{
  return inf_json_double(value, false, number) && isfinite(*number) &&
         *number >= 0;
}

static bool read_dist(inf_sim_reader *reader, inf_sv value, inf_sim_dist *dist,
                      unsigned depth);

static bool
fail_dist(inf_sim_reader *reader)
{
  return inf_sim_reader_fail(
      reader, "must be a number or a distribution: {\"dist\":\"lognormal\","
              "\"p50\":..,\"p95\":..}, {\"uniform\":[a,b]}, "
              "{\"exponential\":mean}, {\"quantiles\":[[share,value],..]} or "
              "{\"mix\":[[weight,{..}],..]}");
}

static bool
read_lognormal(inf_sim_reader *reader, inf_sv value, inf_sim_dist *dist)
{
  double p50 = 0, p95 = 0;
  if (!inf_json_equal(inf_json_get(value, INF_SV("dist")),
                      INF_SV("lognormal")) ||
      inf_json_count(value) != 3 ||
      !read_positive(inf_json_get(value, INF_SV("p50")), &p50) ||
      !read_positive(inf_json_get(value, INF_SV("p95")), &p95)) {
    return fail_dist(reader);
  }
  if (!(p50 > 0) || p95 < p50) {
    return inf_sim_reader_fail(reader, "must have 0 < p50 <= p95");
  }
  *dist = inf_sim_dist_lognormal(p50, p95);
  return true;
}

static bool
read_uniform(inf_sim_reader *reader, inf_sv value, inf_sim_dist *dist)
{
  inf_sv range = inf_json_get(value, INF_SV("uniform"));
  dist->kind = INF_SIM_UNIFORM;
  if (inf_json_count(range) != 2 ||
      !read_positive(inf_json_at(range, 0), &dist->a) ||
      !read_positive(inf_json_at(range, 1), &dist->b) || dist->b < dist->a) {
    return fail_dist(reader);
  }
  return true;
}

static bool
read_exponential(inf_sim_reader *reader, inf_sv value, inf_sim_dist *dist)
{
  dist->kind = INF_SIM_EXPONENTIAL;
  return read_positive(inf_json_get(value, INF_SV("exponential")), &dist->a) ||
         fail_dist(reader);
}

/* Shares and values both rise; the first share is 0 and the last one 1. */
static bool
read_quantiles(inf_sim_reader *reader, inf_sv value, inf_sim_dist *dist)
{
  inf_sv list = inf_json_get(value, INF_SV("quantiles"));
  size_t count = inf_json_is(list, INF_JSON_ARRAY) ? inf_json_count(list) : 0;
  if (count < 2) {
    return fail_dist(reader);
  }
  inf_sim_part *parts =
      inf_sim_arena_alloc(reader->arena, count * sizeof(*parts));
  bool ok = true;
  inf_json_iter it = inf_json_iter_of(list);
  for (size_t i = 0; ok && i < count && inf_json_next(&it); i++) {
    ok = inf_json_count(it.value) == 2 &&
         read_positive(inf_json_at(it.value, 0), &parts[i].weight) &&
         read_positive(inf_json_at(it.value, 1), &parts[i].dist.a) &&
         (i == 0 ? parts[i].weight <= 0
                 : parts[i].weight > parts[i - 1].weight &&
                       parts[i].dist.a >= parts[i - 1].dist.a);
  }
  if (!ok || parts[count - 1].weight < 1 || parts[count - 1].weight > 1) {
    return inf_sim_reader_fail(reader,
                               "quantiles must be pairs of a share and a "
                               "value, both rising, from share 0 to share 1");
  }
  *dist = (inf_sim_dist){
      .kind = INF_SIM_QUANTILES, .parts = parts, .part_count = count};
  return true;
}

static bool
read_mix(inf_sim_reader *reader, inf_sv value, inf_sim_dist *dist,
         unsigned depth)
{
  inf_sv list = inf_json_get(value, INF_SV("mix"));
  size_t count = inf_json_is(list, INF_JSON_ARRAY) ? inf_json_count(list) : 0;
  if (count == 0 || depth == 0) {
    return fail_dist(reader);
  }
  inf_sim_part *parts =
      inf_sim_arena_alloc(reader->arena, count * sizeof(*parts));
  double total = 0;
  inf_json_iter it = inf_json_iter_of(list);
  for (size_t i = 0; i < count && inf_json_next(&it); i++) {
    if (inf_json_count(it.value) != 2 ||
        !read_positive(inf_json_at(it.value, 0), &parts[i].weight)) {
      return fail_dist(reader);
    }
    if (!read_dist(reader, inf_json_at(it.value, 1), &parts[i].dist,
                   depth - 1)) {
      return false;
    }
    total += parts[i].weight;
  }
  *dist =
      (inf_sim_dist){.kind = INF_SIM_MIX, .parts = parts, .part_count = count};
  return total > 0 || inf_sim_reader_fail(reader, "all weights are 0");
}

static bool
read_dist(inf_sim_reader *reader, inf_sv value, inf_sim_dist *dist,
          unsigned depth)
{
  *dist = inf_sim_dist_constant(0);
  if (read_positive(value, &dist->a)) {
    return true;
  }
  if (inf_json_get(value, INF_SV("dist")).len > 0) {
    return read_lognormal(reader, value, dist);
  }
  if (inf_json_count(value) != 1) {
    return fail_dist(reader);
  }
  if (inf_json_get(value, INF_SV("uniform")).len > 0) {
    return read_uniform(reader, value, dist);
  }
  if (inf_json_get(value, INF_SV("exponential")).len > 0) {
    return read_exponential(reader, value, dist);
  }
  if (inf_json_get(value, INF_SV("quantiles")).len > 0) {
    return read_quantiles(reader, value, dist);
  }
  return read_mix(reader, value, dist, depth);
}

bool
inf_sim_read_dist(inf_sim_reader *reader, inf_sv value, void *to,
                  const void *param)
{
  (void)param;
  return read_dist(reader, value, to, MIX_DEPTH);
}

bool
inf_sim_read_opt_dist(inf_sim_reader *reader, inf_sv value, void *to,
                      const void *param)
{
  inf_sim_opt_dist *opt = to;
  if (inf_sim_is_off(value)) {
    opt->set = false;
    return true;
  }
  opt->set = inf_sim_read_dist(reader, value, &opt->dist, param);
  return opt->set;
}

bool
inf_sim_read_json(inf_sim_reader *reader, inf_sv value, void *to,
                  const void *param)
{
  (void)param;
  inf_buf compact;
  inf_buf_init(&compact, INF_SIM_BUF_MAX);
  inf_sim_put_compact(&compact, value);
  *(inf_sv *)to = inf_sim_arena_copy(reader->arena, inf_buf_sv(&compact));
  inf_buf_fini(&compact);
  return true;
}

bool
inf_sim_read_raw_object(inf_sim_reader *reader, inf_sv value, void *to,
                        const void *param)
{
  if (inf_sim_is_off(value)) {
    *(inf_sv *)to = inf_sv_of(NULL, 0);
    return true;
  }
  if (!inf_json_is(value, INF_JSON_OBJECT)) {
    return inf_sim_reader_fail(reader, "must be an object");
  }
  return inf_sim_read_json(reader, value, to, param);
}

static bool
read_scalar(inf_sim_reader *reader, inf_sv value, inf_sv *text)
{
  inf_json_type type = inf_json_type_of(value);
  if (type == INF_JSON_STRING) {
    return inf_sim_read_string(reader, value, text);
  }
  if (type == INF_JSON_OBJECT || type == INF_JSON_ARRAY) {
    return inf_sim_reader_fail(reader, "must be a string or a number");
  }
  *text = inf_sim_arena_copy(reader->arena, value);
  return true;
}

static bool
read_pair(inf_sim_reader *reader, const inf_json_iter *it, inf_sim_pair *pair)
{
  inf_buf name;
  inf_buf_init(&name, INF_SIM_BUF_MAX);
  inf_json_unescape(it->key, &name);
  inf_sim_must(&name);
  pair->name = inf_sim_arena_copy(reader->arena, inf_buf_sv(&name));
  inf_buf_fini(&name);
  size_t mark = inf_sim_reader_enter(reader, it->key);
  bool ok = read_scalar(reader, it->value, &pair->value);
  inf_sim_reader_leave(reader, mark);
  return ok;
}

bool
inf_sim_read_pairs(inf_sim_reader *reader, inf_sv value, void *to,
                   const void *param)
{
  (void)param;
  inf_sim_pairs *pairs = to;
  *pairs = (inf_sim_pairs){0};
  if (!inf_json_is(value, INF_JSON_OBJECT)) {
    return inf_sim_reader_fail(reader, "must be an object");
  }
  size_t count = inf_json_count(value);
  inf_sim_pair *items =
      inf_sim_arena_alloc(reader->arena, count * sizeof(*items));
  inf_json_iter it = inf_json_iter_of(value);
  for (size_t i = 0; i < count && inf_json_next(&it); i++) {
    if (!read_pair(reader, &it, &items[i])) {
      return false;
    }
  }
  *pairs = (inf_sim_pairs){items, count};
  return true;
}

static bool
read_text_list(inf_sim_reader *reader, inf_sv value, inf_sim_texts *texts)
{
  size_t count = inf_json_count(value);
  inf_sv *items = inf_sim_arena_alloc(reader->arena, count * sizeof(*items));
  inf_json_iter it = inf_json_iter_of(value);
  for (size_t i = 0; i < count && inf_json_next(&it); i++) {
    size_t mark = inf_sim_reader_enter_at(reader, i);
    if (!inf_sim_read_string(reader, it.value, &items[i])) {
      return false;
    }
    inf_sim_reader_leave(reader, mark);
  }
  *texts = (inf_sim_texts){items, count};
  return true;
}

bool
inf_sim_read_texts(inf_sim_reader *reader, inf_sv value, void *to,
                   const void *param)
{
  (void)param;
  inf_sim_texts *texts = to;
  *texts = (inf_sim_texts){0};
  if (inf_sim_is_off(value)) {
    return true;
  }
  if (inf_json_is(value, INF_JSON_ARRAY)) {
    return read_text_list(reader, value, texts);
  }
  inf_sv *one = inf_sim_arena_alloc(reader->arena, sizeof(*one));
  if (!inf_sim_read_string(reader, value, one)) {
    return false;
  }
  *texts = (inf_sim_texts){one, 1};
  return true;
}
