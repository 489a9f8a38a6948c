/* SPDX-License-Identifier: MIT */
/* Token counts of OpenAI's shape, and of the shapes that are nearly so. */
#include "provider/openai_reader.h"

#include "infer/infer.h"

#include "wire/json_write.h"

/* The first of the paths that holds a number; -1 if none does. */
static int64_t
figure(inf_sv usage, const char *const *paths, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    int64_t number;
    if (inf_json_int64(inf_json_path(usage, paths[i]), false, &number) &&
        number >= 0)
      return number;
  }
  return -1;
}

/* Where servers put the figures, OpenAI's place first. */
static const char *const input_paths[] = {"prompt_tokens"};
static const char *const output_paths[] = {"completion_tokens"};
static const char *const total_paths[] = {"total_tokens"};
static const char *const reasoning_paths[] = {
    "completion_tokens_details.reasoning_tokens", "reasoning_tokens"};
static const char *const cache_read_paths[] = {
    "prompt_tokens_details.cached_tokens", "cached_tokens",
    "prompt_cache_hit_tokens", "cache_read_input_tokens", "num_cached_tokens"};
static const char *const cache_write_paths[] = {
    "prompt_tokens_details.cache_write_tokens", "cache_creation_input_tokens"};

static bool
any_number(inf_sv object)
{
  inf_json_iter it = inf_json_iter_of(object);
  while (inf_json_next(&it)) {
    if (inf_json_is(it.value, INF_JSON_NUMBER))
      return true;
  }
  return false;
}

void
inf_openai_usage(inf_openai_reader *reader, inf_sv json)
{
  if (!inf_json_is(json, INF_JSON_OBJECT) || !any_number(json))
    return;
  inf_openai_spoil(reader);
  inf_usage usage = {
      .input = figure(json, input_paths, 1),
      .output = figure(json, output_paths, 1),
      .reasoning = figure(json, reasoning_paths, 2),
      .cache_read = figure(json, cache_read_paths, 5),
      .cache_write = figure(json, cache_write_paths, 2),
      .total = figure(json, total_paths, 1),
  };
  /* xAI counts reasoning beside the output and not within it. Figures may be
   * anything: what is known not to be negative is taken from the total, since
   * a sum could overflow. */
  if (usage.input >= 0 && usage.output >= 0 && usage.reasoning > 0 &&
      usage.total >= usage.input &&
      usage.total - usage.input - usage.output == usage.reasoning)
    usage.output += usage.reasoning;
  inf_answer_set_usage(reader->answer, &usage, json);
}

/* Groq repeats the usage of a stream here, also where it is not asked for. A
 * whole body does not have it here, so the rest passes without it. */
void
inf_openai_x_groq(inf_openai_reader *reader, inf_sv json)
{
  inf_buf rest;
  const inf_sv name = INF_SV("x_groq");
  if (json.len == 0)
    return;
  inf_sv usage = inf_json_get(json, INF_SV("usage"));
  if (usage.len > 0 && reader->answer->usage_json.len == 0)
    inf_openai_usage(reader, usage);
  if (reader->decoder->failed)
    return;
  if (usage.len == 0) {
    inf_answer_set_extra(reader->answer, name, json);
    return;
  }
  inf_buf_init(&rest, SIZE_MAX);
  inf_json_open(&rest, '{');
  inf_json_iter member = inf_openai_members_of(json);
  while (inf_json_next(&member)) {
    if (inf_json_key_is(&member, INF_SV("usage")))
      continue;
    inf_members_put_name(&rest, member.key);
    inf_json_put_raw(&rest, member.value);
  }
  inf_json_close(&rest, '}');
  inf_openai_fail(reader, rest.status);
  if (rest.status == INFER_OK && rest.len > 2)
    inf_answer_set_extra(reader->answer, name, inf_buf_sv(&rest));
  inf_buf_fini(&rest);
}
