/* SPDX-License-Identifier: MIT */
/* Reads prompts, one JSON value a line. */

#include "compare_prompts.h"

#include "load.h"
#include "member.h"
#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES ((size_t)256 << 20)
#define MAX_DEPTH      128
/* A request needs a model to be checked. */
#define ANY_MODEL "any/model"

static void
prompt_fini(inf_cmp_prompt *prompt)
{
  free(prompt->name);
  infer_request_free(prompt->request);
  json_object_put(prompt->messages);
  json_object_put(prompt->schema);
}

void
inf_cmp_prompts_fini(inf_cmp_prompts *prompts)
{
  for (size_t i = 0; i < prompts->count; i++) {
    prompt_fini(&prompts->list[i]);
  }
  free(prompts->list);
  *prompts = (inf_cmp_prompts){0};
}

/* Members of the line that are ours, or that each call sets for itself. */
static json_object *
request_object(json_object *object)
{
  json_object *copy = NULL;
  if (json_object_deep_copy(object, &copy, NULL) != 0) {
    return NULL;
  }
  json_object *text = inf_member(copy, "prompt");
  if (text) {
    json_object *messages = json_object_new_array();
    json_object *message = json_object_new_object();
    json_object_object_add(message, "role", json_object_new_string("user"));
    json_object_object_add(message, "content", json_object_get(text));
    json_object_array_add(messages, message);
    json_object_object_add(copy, "messages", messages);
    json_object_object_del(copy, "prompt");
  }
  json_object_object_del(copy, "id");
  json_object_object_del(copy, "stream");
  json_object_object_add(copy, "model", json_object_new_string(ANY_MODEL));
  return copy;
}

static void
read_format(inf_cmp_prompt *prompt, json_object *request)
{
  json_object *format = inf_member(request, "response_format");
  const char *type = json_object_get_string(inf_member(format, "type"));
  json_object *schema = inf_member(inf_member(format, "json_schema"), "schema");
  prompt->wants_json = type && (strcmp(type, "json_object") == 0 ||
                                strcmp(type, "json_schema") == 0);
  prompt->schema = prompt->wants_json ? json_object_get(schema) : NULL;
  json_object *tools = inf_member(request, "tools");
  prompt->wants_tools = json_object_is_type(tools, json_type_array) &&
                        json_object_array_length(tools) > 0;
}

static int64_t
longest_answer(json_object *request)
{
  json_object *limit = inf_member(request, "max_completion_tokens");
  limit = limit ? limit : inf_member(request, "max_tokens");
  return json_object_is_type(limit, json_type_int)
             ? json_object_get_int64(limit)
             : -1;
}

/* What is wrong with the object before the library looks at it. */
static const char *
check_form(json_object *object)
{
  json_object *text = inf_member(object, "prompt");
  json_object *id = inf_member(object, "id");
  if (text && inf_member(object, "messages")) {
    return "has both \"prompt\" and \"messages\"";
  }
  if (!text && !inf_member(object, "messages")) {
    return "has neither \"prompt\" nor \"messages\"";
  }
  if (text && !json_object_is_type(text, json_type_string)) {
    return "\"prompt\" must be a text";
  }
  if (id && !json_object_is_type(id, json_type_string) &&
      !json_object_is_type(id, json_type_int)) {
    return "\"id\" must be a text or a whole number";
  }
  return NULL;
}

static bool
fill(inf_cmp_prompt *prompt, json_object *request, const char *name, char *why,
     size_t why_size)
{
  size_t len = 0;
  const char *json = json_object_to_json_string_length(
      request, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
  infer_error *error = NULL;
  int32_t status = infer_request_from_json(&prompt->request, json, len, &error);
  if (status != INFER_OK) {
    const char *message = infer_error_message(error);
    snprintf(why, why_size, "%s",
             message[0] ? message : infer_status_text(status));
    infer_error_free(error);
    return false;
  }
  prompt->name = strdup(name);
  prompt->messages = json_object_get(inf_member(request, "messages"));
  prompt->max_tokens = longest_answer(request);
  prompt->bytes = len;
  read_format(prompt, request);
  return prompt->name != NULL;
}

static bool
make_room(inf_cmp_prompts *prompts)
{
  if (prompts->count < prompts->cap) {
    return true;
  }
  size_t cap = prompts->cap ? prompts->cap * 2 : 32;
  inf_cmp_prompt *list = realloc(prompts->list, cap * sizeof(*list));
  if (list) {
    prompts->list = list;
    prompts->cap = cap;
  }
  return list != NULL;
}

bool
inf_cmp_prompts_add(inf_cmp_prompts *prompts, json_object *object,
                    const char *default_name, char *why, size_t why_size)
{
  const char *wrong = check_form(object);
  if (wrong) {
    snprintf(why, why_size, "%s", wrong);
    return false;
  }
  snprintf(why, why_size, "out of memory");
  const char *id = json_object_get_string(inf_member(object, "id"));
  json_object *request = request_object(object);
  inf_cmp_prompt prompt = {0};
  bool ok = request && make_room(prompts) &&
            fill(&prompt, request, id ? id : default_name, why, why_size);
  if (ok) {
    prompts->list[prompts->count++] = prompt;
  } else {
    prompt_fini(&prompt);
  }
  json_object_put(request);
  return ok;
}

/* The line's value; NULL with the reason. */
static json_object *
parse(const char *text, size_t len, char *why, size_t why_size)
{
  json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
  if (!tokener) {
    snprintf(why, why_size, "out of memory");
    return NULL;
  }
  json_tokener_set_flags(tokener,
                         JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
  json_object *value = json_tokener_parse_ex(tokener, text, (int)len);
  enum json_tokener_error error = json_tokener_get_error(tokener);
  size_t end = json_tokener_get_parse_end(tokener);
  if (error == json_tokener_continue) {
    snprintf(why, why_size, "the JSON ends too early");
  } else if (error != json_tokener_success) {
    snprintf(why, why_size, "column %zu: %s", end + 1,
             json_tokener_error_desc(error));
  } else if (end < len) {
    snprintf(why, why_size, "column %zu: more follows the JSON value", end + 1);
    json_object_put(value);
    value = NULL;
  } else if (!json_object_is_type(value, json_type_object)) {
    snprintf(why, why_size, "a text or an object is needed");
  }
  json_tokener_free(tokener);
  return value;
}

/* A text alone becomes {"prompt": text}. */
static json_object *
as_object(json_object *value)
{
  if (!json_object_is_type(value, json_type_string)) {
    return value;
  }
  json_object *object = json_object_new_object();
  json_object_object_add(object, "prompt", value);
  return object;
}

static bool
read_line(inf_cmp_prompts *prompts, const char *text, size_t len, size_t line,
          char *why, size_t why_size)
{
  char name[32];
  snprintf(name, sizeof(name), "%zu", line);
  json_object *object = as_object(parse(text, len, why, why_size));
  bool ok = json_object_is_type(object, json_type_object) &&
            inf_cmp_prompts_add(prompts, object, name, why, why_size);
  json_object_put(object);
  return ok;
}

static bool
is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r';
}

bool
inf_cmp_prompts_read(inf_cmp_prompts *prompts, const char *path,
                     const char *text, size_t len, char *why, size_t why_size)
{
  static const char mark[] = "\xef\xbb\xbf"; /* some editors begin with it */
  size_t line = 0, mark_len = sizeof(mark) - 1;
  bool marked = len >= mark_len && memcmp(text, mark, mark_len) == 0;
  for (size_t start = marked ? mark_len : 0; start < len;) {
    const char *newline = memchr(text + start, '\n', len - start);
    size_t end = newline ? (size_t)(newline - text) : len;
    size_t next = end + 1;
    line++;
    while (end > start && is_blank(text[end - 1])) {
      end--;
    }
    char reason[512] = "";
    if (end > start && !read_line(prompts, text + start, end - start, line,
                                  reason, sizeof(reason))) {
      snprintf(why, why_size, "%s:%zu: %s", path, line, reason);
      return false;
    }
    start = next;
  }
  if (prompts->count == 0) {
    snprintf(why, why_size, "%s: no prompts", path);
  }
  return prompts->count > 0;
}

bool
inf_cmp_prompts_load(inf_cmp_prompts *prompts, const char *path)
{
  size_t len = 0;
  char *text = inf_load_file(path, MAX_FILE_BYTES, &len);
  if (!text) {
    return false;
  }
  char why[1024] = "";
  const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
  bool ok = inf_cmp_prompts_read(prompts, name, text, len, why, sizeof(why));
  if (!ok) {
    inf_say("%s", why);
  }
  free(text);
  return ok;
}

bool
inf_cmp_prompts_limit(inf_cmp_prompts *prompts, int64_t max_tokens)
{
  for (size_t i = 0; i < prompts->count; i++) {
    inf_cmp_prompt *prompt = &prompts->list[i];
    if (prompt->max_tokens >= 0) {
      continue;
    }
    if (infer_request_set_int(prompt->request, "max_completion_tokens",
                              max_tokens) != INFER_OK) {
      return false;
    }
    prompt->max_tokens = max_tokens;
  }
  return true;
}
