/* SPDX-License-Identifier: MIT */
/* Judges answers. */

#include "compare_quality.h"

#include "compare_schema.h"

#include "base/siphash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 128

static json_object *
parse(const char *text, size_t len)
{
  json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
  if (!tokener) {
    return NULL;
  }
  json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
  while (len > 0 && strchr(" \t\r\n", text[len - 1]) && text[len - 1]) {
    len--;
  }
  json_object *value = json_tokener_parse_ex(tokener, text, (int)len);
  if (json_tokener_get_error(tokener) != json_tokener_success ||
      json_tokener_get_parse_end(tokener) < len) {
    json_object_put(value);
    value = NULL;
  }
  json_tokener_free(tokener);
  return value;
}

int
inf_cmp_judge_json(json_object *schema, const char *text, size_t len)
{
  json_object *value = parse(text, len);
  if (!value) {
    return INF_CMP_JSON_BROKEN;
  }
  bool ok = !schema || inf_cmp_schema_match(schema, value, NULL, 0);
  json_object_put(value);
  return ok ? INF_CMP_JSON_RIGHT : INF_CMP_JSON_MISMATCH;
}

static uint64_t
hash(uint64_t seed, const char *text, size_t len)
{
  return inf_siphash(0x636f6d70617265ULL, seed, inf_sv_of(text, len));
}

/* Order of members does not count: their marks are added. */
static uint64_t
mark_value(json_object *value, int depth)
{
  uint64_t mark = (uint64_t)json_object_get_type(value) + 1;
  if (depth > MAX_DEPTH) {
    return mark;
  }
  if (json_object_is_type(value, json_type_object)) {
    json_object_iter entry;
    json_object_object_foreachC(value, entry)
    {
      mark +=
          hash(mark_value(entry.val, depth + 1), entry.key, strlen(entry.key));
    }
    return mark;
  }
  if (json_object_is_type(value, json_type_array)) {
    for (size_t i = 0; i < json_object_array_length(value); i++) {
      uint64_t part =
          mark_value(json_object_array_get_idx(value, i), depth + 1);
      mark = hash(mark, (const char *)&part, sizeof(part));
    }
    return mark;
  }
  const char *text = json_object_to_json_string(value);
  return hash(mark, text, strlen(text));
}

uint64_t
inf_cmp_tool_mark(const char *name, const char *arguments, size_t len)
{
  json_object *value = parse(arguments, len);
  uint64_t mark = value ? mark_value(value, 0) : hash(0, arguments, len);
  json_object_put(value);
  mark = hash(mark, name, strlen(name));
  return mark ? mark : 1;
}

void
inf_cmp_judge(inf_cmp_sample *sample, const inf_cmp_prompt *prompt,
              const infer_response *response)
{
  size_t len = 0;
  const char *text = infer_response_text(response, &len);
  sample->text_bytes = (int64_t)len;
  snprintf(sample->finish, sizeof(sample->finish), "%s",
           infer_response_finish_reason(response, 0));
  sample->json = prompt->wants_json
                     ? inf_cmp_judge_json(prompt->schema, text, len)
                     : INF_CMP_JSON_NOT_ASKED;
  sample->tools_offered = prompt->wants_tools;
  size_t calls = infer_response_tool_call_count(response, 0);
  for (size_t i = 0; i < calls; i++) {
    text = infer_response_tool_call_arguments(response, 0, i, &len);
    sample->tools += inf_cmp_tool_mark(
        infer_response_tool_call_name(response, 0, i), text, len);
  }
}

static bool
may_compare(const inf_cmp_sample *sample)
{
  return sample->status == INFER_OK && sample->tools_offered;
}

static int
by_pair(const void *left, const void *right)
{
  const inf_cmp_sample *a = *(const inf_cmp_sample *const *)left;
  const inf_cmp_sample *b = *(const inf_cmp_sample *const *)right;
  return (a->pair > b->pair) - (a->pair < b->pair);
}

/* Compares those of one pair with the subject's own among them. */
static void
compare_pair(const inf_cmp_data *data, const inf_cmp_sample *const *list,
             size_t count, size_t subject, inf_cmp_agreement *found)
{
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; list[i]->subject == subject && k < count; k++) {
      /* A route's answer is one of its targets' own. */
      if (list[k]->subject != subject &&
          !data->subjects[list[k]->subject].is_route) {
        found->compared++;
        found->same += list[i]->tools == list[k]->tools;
      }
    }
  }
}

inf_cmp_agreement
inf_cmp_tools_agree(const inf_cmp_data *data, size_t subject)
{
  inf_cmp_agreement found = {0, 0};
  size_t count = 0;
  const inf_cmp_sample **list = (const inf_cmp_sample **)calloc(
      data->sample_count + 1, sizeof(const inf_cmp_sample *));
  for (size_t i = 0; list && i < data->sample_count; i++) {
    if (may_compare(&data->samples[i])) {
      list[count++] = &data->samples[i];
    }
  }
  if (count > 0) {
    qsort((void *)list, count, sizeof(list[0]), by_pair);
  }
  for (size_t start = 0, end; start < count; start = end) {
    end = start + 1;
    while (end < count && list[end]->pair == list[start]->pair) {
      end++;
    }
    compare_pair(data, list + start, end - start, subject, &found);
  }
  free((void *)list);
  return found;
}
