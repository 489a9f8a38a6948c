/* SPDX-License-Identifier: MIT */
/* Token counts of OpenAI's shape, and of the shapes that are nearly so. */
#include "provider/openai_reader.h"

#include "infer/infer.h"

#include "wire/json_write.h"

/* Where servers put the figures. */
enum {
  PROMPT,
  COMPLETION,
  TOTAL,
  PROMPT_DETAILS,
  COMPLETION_DETAILS,
  REASONING,
  CACHED,
  CACHE_HIT,
  CACHE_READ,
  NUM_CACHED,
  CACHE_CREATION,
  USAGE_NAME_COUNT,
};

static const inf_json_name usage_names[USAGE_NAME_COUNT] = {
    [PROMPT] = INF_JSON_NAME("prompt_tokens"),
    [COMPLETION] = INF_JSON_NAME("completion_tokens"),
    [TOTAL] = INF_JSON_NAME("total_tokens"),
    [REASONING] = INF_JSON_NAME("reasoning_tokens"),
    [CACHED] = INF_JSON_NAME("cached_tokens"),
    [CACHE_HIT] = INF_JSON_NAME("prompt_cache_hit_tokens"),
    [CACHE_READ] = INF_JSON_NAME("cache_read_input_tokens"),
    [NUM_CACHED] = INF_JSON_NAME("num_cached_tokens"),
    [CACHE_CREATION] = INF_JSON_NAME("cache_creation_input_tokens"),
    [PROMPT_DETAILS] = INF_JSON_NAME("prompt_tokens_details"),
    [COMPLETION_DETAILS] = INF_JSON_NAME("completion_tokens_details"),
};

enum {
  DETAIL_CACHED,
  DETAIL_REASONING,
  DETAIL_CACHE_WRITE,
  DETAIL_AUDIO,
  DETAIL_NAME_COUNT,
};

static const inf_json_name detail_names[DETAIL_NAME_COUNT] = {
    [DETAIL_REASONING] = INF_JSON_NAME("reasoning_tokens"),
    [DETAIL_CACHED] = INF_JSON_NAME("cached_tokens"),
    [DETAIL_CACHE_WRITE] = INF_JSON_NAME("cache_write_tokens"),
    [DETAIL_AUDIO] = INF_JSON_NAME("audio_tokens"),
};

/* Or a string that holds one. */
static inline bool
is_number(inf_sv value)
{
  char c = value.ptr[value.ptr[0] == '"'];
  return (c >= '0' && c <= '9') || c == '-';
}

/* The values of the members that have one of the names. True if any member is
 * a number, whatever its name. */
static bool
collect(const inf_openai_reader *reader, inf_sv object,
        const inf_json_name *names, size_t count, inf_sv *values)
{
  bool any_number = false;
  size_t next = 0;
  inf_json_iter it = inf_openai_members_of(reader, object);
  while (inf_json_next(&it)) {
    size_t name = inf_json_find_name(&it, names, count, &next);
    if (name < count)
      values[name] = it.value;
    any_number = any_number || is_number(it.value);
  }
  return any_number;
}

/* The first of the values that is a number of tokens; -1 if none is. */
static int64_t
figure(const inf_sv *values, size_t count)
{
  int64_t number;
  for (size_t i = 0; i < count; i++)
    if (values[i].len > 0 && inf_json_int64(values[i], true, &number) &&
        number >= 0)
      return number;
  return -1;
}

#define FIGURE(...)                     \
  figure((const inf_sv[]){__VA_ARGS__}, \
         sizeof((const inf_sv[]){__VA_ARGS__}) / sizeof(inf_sv))

void
inf_openai_usage(inf_openai_reader *reader, inf_sv json)
{
  if (json.len == 0)
    return;
  inf_sv at[USAGE_NAME_COUNT] = {{0}};
  inf_sv prompt[DETAIL_NAME_COUNT] = {{0}};
  inf_sv completion[DETAIL_NAME_COUNT] = {{0}};
  if (!collect(reader, json, usage_names, USAGE_NAME_COUNT, at))
    return;
  collect(reader, at[PROMPT_DETAILS], detail_names, DETAIL_NAME_COUNT, prompt);
  collect(reader, at[COMPLETION_DETAILS], detail_names, DETAIL_NAME_COUNT,
          completion);
  inf_openai_spoil(reader);
  /* OpenAI's place is the first. */
  inf_usage usage = {
      .input = FIGURE(at[PROMPT]),
      .output = FIGURE(at[COMPLETION]),
      .reasoning = FIGURE(completion[DETAIL_REASONING], at[REASONING]),
      .cache_read = FIGURE(prompt[DETAIL_CACHED], at[CACHED], at[CACHE_HIT],
                           at[CACHE_READ], at[NUM_CACHED]),
      .cache_write = FIGURE(prompt[DETAIL_CACHE_WRITE], at[CACHE_CREATION]),
      .total = FIGURE(at[TOTAL]),
      .audio_input = FIGURE(prompt[DETAIL_AUDIO]),
      .audio_output = FIGURE(completion[DETAIL_AUDIO]),
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
  inf_json_iter member = inf_openai_members_of(reader, json);
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
