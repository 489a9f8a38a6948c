/* SPDX-License-Identifier: MIT */
/* Accessors of responses. A response does not change once it is made, except
 * that its JSON is written when it is first asked for. */
#include "engine/result.h"

#include "base/mem.h"

static const char *
lend(const inf_buf *text, size_t *len)
{
  if (len)
    *len = text ? text->len : 0;
  return text ? inf_buf_cstr(text) : "";
}

static const inf_choice *
choice_at(const infer_response *response, size_t choice)
{
  if (!response || choice >= response->answer.choice_count)
    return NULL;
  return &response->answer.choices[choice];
}

const char *
infer_response_text(const infer_response *response, size_t *len)
{
  return infer_response_choice_text(response, 0, len);
}

size_t
infer_response_choice_count(const infer_response *response)
{
  return response ? response->answer.choice_count : 0;
}

const char *
infer_response_choice_text(const infer_response *response, size_t choice,
                           size_t *len)
{
  const inf_choice *at = choice_at(response, choice);
  return lend(at ? &at->text : NULL, len);
}

const char *
infer_response_reasoning(const infer_response *response, size_t choice,
                         size_t *len)
{
  const inf_choice *at = choice_at(response, choice);
  return lend(at ? &at->reasoning : NULL, len);
}

const char *
infer_response_refusal(const infer_response *response, size_t choice,
                       size_t *len)
{
  const inf_choice *at = choice_at(response, choice);
  return lend(at ? &at->refusal : NULL, len);
}

const char *
infer_response_finish_reason(const infer_response *response, size_t choice)
{
  const inf_choice *at = choice_at(response, choice);
  return lend(at ? &at->finish_reason : NULL, NULL);
}

const char *
infer_response_native_finish_reason(const infer_response *response,
                                    size_t choice)
{
  const inf_choice *at = choice_at(response, choice);
  return lend(at ? &at->native_finish_reason : NULL, NULL);
}

size_t
infer_response_tool_call_count(const infer_response *response, size_t choice)
{
  const inf_choice *at = choice_at(response, choice);
  return at ? at->tool_call_count : 0;
}

static const inf_tool_call *
tool_at(const infer_response *response, size_t choice, size_t index)
{
  const inf_choice *at = choice_at(response, choice);
  return at && index < at->tool_call_count ? &at->tool_calls[index] : NULL;
}

const char *
infer_response_tool_call_id(const infer_response *response, size_t choice,
                            size_t index)
{
  const inf_tool_call *tool = tool_at(response, choice, index);
  return lend(tool ? &tool->id : NULL, NULL);
}

const char *
infer_response_tool_call_name(const infer_response *response, size_t choice,
                              size_t index)
{
  const inf_tool_call *tool = tool_at(response, choice, index);
  return lend(tool ? &tool->name : NULL, NULL);
}

const char *
infer_response_tool_call_arguments(const infer_response *response,
                                   size_t choice, size_t index, size_t *len)
{
  const inf_tool_call *tool = tool_at(response, choice, index);
  return lend(tool ? &tool->arguments : NULL, len);
}

int64_t
infer_response_usage(const infer_response *response, int32_t kind)
{
  if (!response)
    return -1;
  if (response->part_count <= 1 && !response->summed)
    return infer_attempt_usage(response->winner, kind);
  inf_usage usage = inf_answer_whole_usage(&response->answer);
  const int64_t figures[INFER_USAGE_COUNT] = {
      [INFER_USAGE_INPUT] = usage.input,
      [INFER_USAGE_OUTPUT] = usage.output,
      [INFER_USAGE_REASONING] = usage.reasoning,
      [INFER_USAGE_CACHE_READ] = usage.cache_read,
      [INFER_USAGE_CACHE_WRITE] = usage.cache_write,
      [INFER_USAGE_TOTAL] = usage.total,
      [INFER_USAGE_AUDIO_INPUT] = usage.audio_input,
      [INFER_USAGE_AUDIO_OUTPUT] = usage.audio_output,
  };
  return kind >= 0 && kind < INFER_USAGE_COUNT ? figures[kind] : -1;
}

int32_t
infer_response_usage_estimated(const infer_response *response)
{
  return response && inf_answer_whole_usage(&response->answer).estimated;
}

int64_t
infer_response_total_usage(const infer_response *response, int32_t kind)
{
  int64_t total = -1;
  for (size_t i = 0; response && i < response->trail->count; i++) {
    int64_t tokens = infer_attempt_usage(response->trail->records[i], kind);
    if (tokens < 0)
      continue;
    if (total < 0)
      total = 0;
    total = tokens > INT64_MAX - total ? INT64_MAX : total + tokens;
  }
  return total;
}

static inf_cost
total_cost(const infer_response *response)
{
  return response ? inf_trail_cost(response->trail) : inf_cost_unknown();
}

int64_t
infer_response_total_cost_nano_usd(const infer_response *response)
{
  return total_cost(response).nano_usd;
}

int64_t
infer_response_wasted_cost_nano_usd(const infer_response *response)
{
  inf_cost sum = response ? inf_cost_none() : inf_cost_unknown();
  for (size_t i = 0; response && i < response->trail->count; i++) {
    const struct infer_attempt *record = response->trail->records[i];
    if (!inf_response_has_part(response, record))
      sum = inf_cost_add(sum, inf_record_cost(record));
  }
  return sum.nano_usd;
}

int32_t
infer_response_cost_kind(const infer_response *response)
{
  return total_cost(response).kind;
}

const char *
infer_response_id(const infer_response *response)
{
  return lend(response ? &response->answer.id : NULL, NULL);
}

const char *
infer_response_model(const infer_response *response)
{
  return lend(response ? &response->answer.model : NULL, NULL);
}

const char *
infer_response_provider(const infer_response *response)
{
  return response ? infer_attempt_provider(response->winner) : "";
}

const char *
infer_response_target(const infer_response *response)
{
  return response ? infer_attempt_target(response->winner) : "";
}

const char *
infer_response_request_id(const infer_response *response)
{
  return response ? infer_attempt_request_id(response->winner) : "";
}

/* An answer that was not continued is one part. */
size_t
infer_response_part_count(const infer_response *response)
{
  if (!response || !response->winner)
    return 0;
  return response->parts ? response->part_count : 1;
}

const infer_attempt *
infer_response_part(const infer_response *response, size_t index)
{
  if (index >= infer_response_part_count(response))
    return NULL;
  return response->parts ? response->parts[index].attempt : response->winner;
}

const char *
infer_response_part_model(const infer_response *response, size_t index)
{
  if (index >= infer_response_part_count(response))
    return "";
  return response->parts ? response->parts[index].model
                         : infer_response_model(response);
}

size_t
infer_response_part_bytes(const infer_response *response, size_t index)
{
  size_t len;
  if (index >= infer_response_part_count(response))
    return 0;
  infer_response_text(response, &len);
  return response->parts ? response->parts[index].bytes : len;
}

size_t
infer_response_attempt_count(const infer_response *response)
{
  return response ? response->trail->count : 0;
}

const infer_attempt *
infer_response_attempt(const infer_response *response, size_t index)
{
  return response && index < response->trail->count
             ? response->trail->records[index]
             : NULL;
}

/* Two threads may write it at the same time; the first one's text stays. */
const char *
infer_response_json(const infer_response *response, size_t *len)
{
  if (len)
    *len = 0;
  if (!response)
    return "";
  infer_response *mutable_response = (infer_response *)(uintptr_t)response;
  char *json = atomic_load(&mutable_response->json);
  if (!json) {
    inf_buf out;
    inf_buf_init(&out, SIZE_MAX / 2);
    inf_answer_write_json(&response->answer, &out);
    char *written = inf_buf_take(&out, NULL);
    inf_buf_fini(&out);
    if (!written)
      return "";
    if (atomic_compare_exchange_strong(&mutable_response->json, &json, written))
      json = written;
    else
      inf_free(written);
  }
  if (len)
    *len = strlen(json); /* JSON text holds no NUL: it is escaped */
  return json;
}
