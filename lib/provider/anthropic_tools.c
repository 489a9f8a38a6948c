/* SPDX-License-Identifier: MIT */
/* The tools of a request to Anthropic's Messages, and the choice among them. */
#include "provider/anthropic_write.h"

#include "infer/infer.h"

#include "provider/members.h"
#include "provider/member_rules.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

static void
copy_member(inf_sv from, inf_sv name, inf_buf *body)
{
  inf_sv value = inf_json_get(from, name);
  if (value.len > 0 && !inf_json_is(value, INF_JSON_NULL))
    inf_json_member_raw(body, name, value);
}

/* ---- Tools --------------------------------------------------------------- */

static void
write_function(inf_anthropic_writer *writer, inf_sv tool)
{
  inf_buf *body = writer->body;
  inf_sv function = inf_json_get(tool, INF_SV("function"));
  inf_sv schema = inf_json_get(function, INF_SV("parameters"));
  inf_json_open(body, '{');
  copy_member(function, INF_SV("name"), body);
  copy_member(function, INF_SV("description"), body);
  inf_json_member_raw(body, INF_SV("input_schema"),
                      inf_json_is(schema, INF_JSON_OBJECT)
                          ? schema
                          : INF_SV("{\"type\":\"object\"}"));
  copy_member(function, INF_SV("strict"), body);
  inf_member_note_inner(writer->send, "tools.function", function,
                        "name description parameters strict");
  /* The API's own members, beside either. */
  inf_json_iter it = inf_json_iter_of(tool);
  while (inf_json_next(&it)) {
    if (inf_json_key_is(&it, INF_SV("type")) ||
        inf_json_key_is(&it, INF_SV("function")))
      continue;
    inf_members_put_name(body, it.key);
    inf_json_put_raw(body, it.value);
  }
  inf_json_close(body, '}');
}

static void
write_tool(inf_anthropic_writer *writer, inf_sv tool)
{
  inf_sv type = inf_json_get(tool, INF_SV("type"));
  if (inf_json_is(inf_json_get(tool, INF_SV("function")), INF_JSON_OBJECT))
    write_function(writer, tool);
  else if (inf_json_equal(type, INF_SV("custom")) &&
           inf_json_get(tool, INF_SV("input_schema")).len == 0)
    inf_anthropic_refuse(writer, "tools", ": a custom tool without a schema");
  else
    inf_json_put_raw(writer->body, tool);
}

/* ---- The choice ---------------------------------------------------------- */

/* OpenAI's words for it. */
static const char *
type_of_word(inf_sv choice)
{
  static const char *const words[][2] = {
      {"auto", "auto"}, {"none", "none"}, {"required", "any"}};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (inf_json_equal(choice, inf_sv_from(words[i][0])))
      return words[i][1];
  return NULL;
}

/* The members of the choice into an open object. */
static void
write_choice_members(inf_anthropic_writer *writer, inf_sv choice)
{
  inf_buf *body = writer->body;
  inf_sv type = inf_json_get(choice, INF_SV("type"));
  const char *word = type_of_word(choice);
  if (word || choice.len == 0) {
    inf_json_member_string(body, INF_SV("type"),
                           inf_sv_from(word ? word : "auto"));
  } else if (inf_json_equal(type, INF_SV("function"))) {
    inf_json_member_string(body, INF_SV("type"), INF_SV("tool"));
    copy_member(inf_json_get(choice, INF_SV("function")), INF_SV("name"), body);
  } else if (!inf_json_is(choice, INF_JSON_OBJECT) ||
             inf_json_equal(type, INF_SV("allowed_tools")) ||
             inf_json_equal(type, INF_SV("custom"))) {
    inf_anthropic_refuse(writer, "tool_choice",
                         ": of no kind that can be sent");
  } else {
    inf_json_iter it = inf_json_iter_of(choice);
    while (inf_json_next(&it)) {
      inf_members_put_name(body, it.key);
      inf_json_put_raw(body, it.value);
    }
  }
}

static bool
is_boolean(inf_sv value)
{
  return inf_json_is(value, INF_JSON_TRUE) ||
         inf_json_is(value, INF_JSON_FALSE);
}

static void
write_choice(inf_anthropic_writer *writer)
{
  const inf_sv disable = INF_SV("disable_parallel_tool_use");
  inf_sv choice = inf_anthropic_member(writer, "tool_choice");
  inf_sv parallel = inf_anthropic_member(writer, "parallel_tool_calls");
  if (inf_json_is(choice, INF_JSON_NULL))
    choice = INF_SV("");
  bool say = is_boolean(parallel) && !inf_json_equal(choice, INF_SV("none")) &&
             inf_json_get(choice, disable).len == 0;
  /* What the API does by default needs no choice. */
  if (choice.len == 0 && !(say && inf_json_is(parallel, INF_JSON_FALSE)))
    return;
  inf_json_key(writer->body, INF_SV("tool_choice"));
  inf_json_open(writer->body, '{');
  write_choice_members(writer, choice);
  if (say)
    inf_json_member_bool(writer->body, disable,
                         inf_json_is(parallel, INF_JSON_FALSE));
  inf_json_close(writer->body, '}');
}

void
inf_anthropic_write_tools(inf_anthropic_writer *writer)
{
  inf_sv tools = inf_anthropic_member(writer, "tools");
  inf_json_iter it = inf_json_iter_of(tools);
  if (!inf_json_is(tools, INF_JSON_ARRAY))
    return;
  inf_json_key(writer->body, INF_SV("tools"));
  inf_json_open(writer->body, '[');
  while (inf_json_next(&it))
    write_tool(writer, it.value);
  inf_json_close(writer->body, ']');
  if (inf_json_has_items(tools))
    write_choice(writer);
}
