/* SPDX-License-Identifier: MIT */
/* Reads the models of providers: see replay_model.h. */

#include "replay_model.h"

#include "replay_fit.h"
#include "sim_match.h"
#include "sim_read.h"

#include <math.h>

enum { json_depth = 32, max_models = 4096 };

/* ---- Failures ------------------------------------------------------------ */

typedef struct failure_name {
  const char *name;
  inf_replay_model_failure_kind kind;
} failure_name;

static const failure_name failure_names[] = {
    {"connect", INF_REPLAY_CONNECT}, {"reset", INF_REPLAY_RESET},
    {"silence", INF_REPLAY_SILENCE}, {"stall", INF_REPLAY_STALL},
    {"cut", INF_REPLAY_CUT},
};

bool
inf_replay_model_failure_read(inf_sv name, inf_replay_model_failure *failure)
{
  long long status;
  *failure = (inf_replay_model_failure){0};
  for (size_t i = 0; i < sizeof(failure_names) / sizeof(failure_names[0]);
       i++) {
    if (inf_sv_eq(name, inf_sv_from(failure_names[i].name))) {
      failure->kind = failure_names[i].kind;
      return true;
    }
  }
  if (!inf_sv_to_int64(name, &status) || status < 400 || status > 599) {
    return false;
  }
  failure->status = (int)status;
  return true;
}

static bool
fail_failure(inf_sim_reader *reader)
{
  return inf_sim_reader_fail(reader, "must be a status from 400 to 599, "
                                     "connect, reset, silence, stall or cut");
}

static bool
read_failures(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  inf_replay_model *model = to;
  if (!inf_json_is(value, INF_JSON_OBJECT)) {
    return inf_sim_reader_fail(reader, "must be an object");
  }
  inf_replay_model_failure *failures = inf_sim_arena_alloc(
      reader->arena, inf_json_count(value) * sizeof(*failures));
  double sum = 0;
  size_t count = 0;
  inf_json_iter it = inf_json_iter_of(value);
  while (inf_json_next(&it)) {
    inf_replay_model_failure *failure = &failures[count++];
    size_t mark = inf_sim_reader_enter(reader, it.key);
    if (!inf_replay_model_failure_read(it.key, failure)) {
      return fail_failure(reader);
    }
    if (!inf_sim_read_probability(reader, it.value, &failure->share, NULL)) {
      return false;
    }
    inf_sim_reader_leave(reader, mark);
    sum += failure->share;
  }
  model->failures = failures;
  model->failure_count = count;
  return sum <= 1 || inf_sim_reader_fail(reader, "the shares exceed 1");
}

static bool
read_failure(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  inf_sv name = value; /* a status may be a number or a text */
  if (inf_json_is(value, INF_JSON_STRING) &&
      !inf_sim_read_string(reader, value, &name)) {
    return false;
  }
  return inf_replay_model_failure_read(name, to) || fail_failure(reader);
}

#define OUTAGE(member) offsetof(inf_replay_model_outage, member)

// clang-format off
static const inf_sim_field outage_fields[] = {
    {"from_s", inf_sim_read_count, OUTAGE(from_s), NULL},
    {"until_s", inf_sim_read_count, OUTAGE(until_s), NULL},
    {"failure", read_failure, OUTAGE(failure), NULL},
};
// clang-format on

static bool
read_outage(inf_sim_reader *reader, inf_sv value,
            inf_replay_model_outage *outage)
{
  *outage = (inf_replay_model_outage){.failure = {INF_REPLAY_STATUS, 503, 1}};
  return inf_sim_read_fields(reader, value, outage, outage_fields, 3) &&
         (outage->until_s > outage->from_s ||
          inf_sim_reader_fail(reader, "must end after it begins"));
}

static bool
read_outages(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  inf_replay_model *model = to;
  if (!inf_json_is(value, INF_JSON_ARRAY)) {
    return inf_sim_reader_fail(reader, "must be an array of outages");
  }
  inf_replay_model_outage *outages = inf_sim_arena_alloc(
      reader->arena, inf_json_count(value) * sizeof(*outages));
  size_t count = 0;
  inf_json_iter it = inf_json_iter_of(value);
  while (inf_json_next(&it)) {
    size_t mark = inf_sim_reader_enter_at(reader, count);
    if (!read_outage(reader, it.value, &outages[count++])) {
      return false;
    }
    inf_sim_reader_leave(reader, mark);
  }
  model->outages = outages;
  model->outage_count = count;
  return true;
}

/* ---- Models -------------------------------------------------------------- */

#define MODEL(member) offsetof(inf_replay_model, member)

static const uint64_t any_quota[] = {0, 1000000000000};
static const uint64_t some_places[] = {0, 1000000};
static const uint64_t some_seconds[] = {1, 86400};
static const uint64_t some_tokens[] = {1, 1000000};

// clang-format off
static const inf_sim_field model_fields[] = {
    {"first_token_ms", inf_sim_read_dist, MODEL(first_token_ms), NULL},
    {"prompt_token_ms", inf_sim_read_dist, MODEL(prompt_token_ms), NULL},
    {"token_ms", inf_sim_read_dist, MODEL(token_ms), NULL},
    {"connect_ms", inf_sim_read_dist, MODEL(connect_ms), NULL},
    {"error_ms", inf_sim_read_dist, MODEL(error_ms), NULL},
    {"failures", read_failures, 0, NULL},
    {"outages", read_outages, 0, NULL},
    {"requests_per_minute", inf_sim_read_count, MODEL(requests_per_minute),
     any_quota},
    {"tokens_per_minute", inf_sim_read_count, MODEL(tokens_per_minute),
     any_quota},
    {"burst_s", inf_sim_read_count, MODEL(burst_s), some_seconds},
    {"concurrency", inf_sim_read_count, MODEL(concurrency), some_places},
    {"queue", inf_sim_read_count, MODEL(queue), some_places},
    {"rate_headers", inf_sim_read_bool, MODEL(rate_headers), NULL},
    {"retry_after", inf_sim_read_bool, MODEL(retry_after), NULL},
    {"prefix_cache_tokens", inf_sim_read_count, MODEL(prefix_cache_tokens),
     any_quota},
    {"prefix_block_tokens", inf_sim_read_count, MODEL(prefix_block_tokens),
     some_tokens},
};
// clang-format on

void
inf_replay_model_init(inf_replay_model *model)
{
  *model = (inf_replay_model){
      .burst_s = 60,
      .rate_headers = true,
      .retry_after = true,
      .prefix_block_tokens = 512, /* as in Mooncake's traces */
  };
}

static bool
read_model(inf_sim_reader *reader, const inf_json_iter *it,
           inf_replay_model *model)
{
  inf_replay_model_init(model);
  inf_buf name;
  inf_buf_init(&name, INF_SIM_BUF_MAX);
  inf_json_unescape(it->key, &name);
  model->name = inf_sim_arena_copy(reader->arena, inf_buf_sv(&name));
  inf_buf_fini(&name);
  if (!inf_sim_read_fields(reader, it->value, model, model_fields,
                           sizeof(model_fields) / sizeof(model_fields[0]))) {
    return false;
  }
  return inf_json_get(it->value, INF_SV("first_token_ms")).len > 0 ||
         inf_sim_reader_fail(reader, "first_token_ms is missing");
}

static bool
read_models(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  inf_replay_models *models = to;
  size_t count = inf_json_count(value);
  if (!inf_json_is(value, INF_JSON_OBJECT) || count == 0 ||
      count > max_models) {
    return inf_sim_reader_fail(reader, "must be an object of 1 to 4096 models");
  }
  models->items =
      inf_sim_arena_alloc(reader->arena, count * sizeof(*models->items));
  inf_json_iter it = inf_json_iter_of(value);
  while (inf_json_next(&it)) {
    size_t mark = inf_sim_reader_enter(reader, it.key);
    if (!read_model(reader, &it, &models->items[models->count++])) {
      return false;
    }
    inf_sim_reader_leave(reader, mark);
  }
  return true;
}

static const inf_sim_field file_fields[] = {
    {"models", read_models, 0, NULL},
};

static bool
read_file(inf_sim_reader *reader, inf_sv value, inf_replay_models *models)
{
  if (inf_json_is(inf_json_get(value, INF_SV("targets")), INF_JSON_ARRAY)) {
    return inf_fit_compare(reader, value, models);
  }
  if (inf_json_get(value, INF_SV("models")).len == 0) {
    return inf_sim_reader_fail(reader,
                               "neither \"models\" nor, of infer compare, "
                               "\"targets\" is in it");
  }
  return inf_sim_read_fields(reader, value, models, file_fields, 1);
}

bool
inf_replay_models_read(inf_replay_models *models, inf_sv text, inf_buf *error)
{
  *models = (inf_replay_models){0};
  inf_sv value;
  inf_json_error json_error;
  if (!inf_json_parse(text, json_depth, &value, &json_error)) {
    inf_buf_appendf(error, "line %zu, column %zu: %s", json_error.line,
                    json_error.column, json_error.reason);
    return false;
  }
  inf_sim_reader reader;
  inf_sim_reader_init(&reader, &models->arena);
  bool ok = read_file(&reader, value, models);
  inf_buf_append_sv(error, inf_buf_sv(&reader.error));
  inf_sim_reader_fini(&reader);
  if (!ok) {
    inf_replay_models_free(models);
  }
  return ok;
}

void
inf_replay_models_free(inf_replay_models *models)
{
  inf_sim_arena_free(&models->arena);
  *models = (inf_replay_models){0};
}

const inf_replay_model *
inf_replay_models_find(const inf_replay_models *models, inf_sv target)
{
  for (size_t i = 0; i < models->count; i++) {
    if (inf_sim_glob(models->items[i].name, target)) {
      return &models->items[i];
    }
  }
  return NULL;
}
