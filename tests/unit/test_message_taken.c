/* SPDX-License-Identifier: MIT */
/* What is noted of messages that a dialect does not take. */
#include "provider/message_taken.h"

#include "wire/json_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static bool
takes_ours(inf_sv detail)
{
  return inf_json_equal(inf_json_get(detail, INF_SV("format")), INF_SV("ours"));
}

static const inf_part_taken parts[] = {
    {"text", "type text", NULL},
    {"image_url", "type image_url", "url"},
};
static const inf_message_taken all = {
    .system = "role content",
    .user = "role content name",
    .assistant = "role content tool_calls reasoning_details whole",
    .tool = "role content tool_call_id",
    .call = "type id function custom",
    .function = "name arguments",
    .custom = "name input",
    .parts = parts,
    .part_count = sizeof(parts) / sizeof(parts[0]),
    .whole = "whole",
    .detail = takes_ours,
};

/* The notes on messages, which are written with ' for ", as the inside of a
 * list. */
static const char *
notes(const inf_message_taken *taken, const char *messages)
{
  static char text[1024];
  inf_buf dropped;
  inf_chat chat;
  inf_chat_init(&chat);
  inf_send send = {.chat = &chat, .dropped = &dropped};
  inf_buf_init(&dropped, sizeof text - 1);
  for (const char *at = messages; *at; at++)
    inf_buf_append_char(&chat.messages, *at == '\'' ? '"' : *at);
  inf_message_note_dropped(&send, taken);
  memcpy(text, inf_buf_cstr(&dropped), dropped.len + 1);
  inf_buf_fini(&dropped);
  send.dropped = NULL;
  inf_message_note_dropped(&send, taken); /* nobody wants to know */
  inf_chat_fini(&chat);
  return text;
}

static void
what_each_role_has_not_is_noted_once(void **state)
{
  (void)state;
  assert_string_equal(notes(&all, ""), "");
  assert_string_equal(
      notes(&all, "{'role':'system','content':'s','name':'n'},"
                  "{'role':'developer','content':'s','name':'n','x':1},"
                  "{'role':'user','content':'s','name':'n','y':null},"
                  "{'role':'assistant','content':'s','z':0,'audio':{'id':'a'}},"
                  "{'role':'tool','content':'s','tool_call_id':'i','x':2}"),
      "messages.name, messages.x, messages.audio");
}

static void
what_is_within_parts_and_calls_is_noted(void **state)
{
  (void)state;
  assert_string_equal(
      notes(&all,
            "{'role':'user','content':[{'type':'text','text':'t','a':1},"
            "{'type':'image_url','image_url':{'url':'u','detail':'auto'}},"
            "{'type':'image_url','image_url':{'url':'u','detail':'low'}},"
            "{'type':'image_url','image_url':'u'},'s',"
            "{'type':'other','b':1}]}"),
      "messages.content.a, messages.content.image_url.detail");
  assert_string_equal(
      notes(&all, "{'role':'assistant','tool_calls':["
                  "{'type':'function','id':'1','function':{'name':'f',"
                  "'arguments':'{}','c':1},'d':1},"
                  "{'type':'custom','id':'2','custom':{'name':'f','e':1}}]}"),
      "messages.tool_calls.d, messages.tool_calls.function.c, "
      "messages.tool_calls.custom.e");
}

/* Where thoughts go out as details, their text is not missed. */
static void
reasoning_is_noted_where_none_of_it_goes_out(void **state)
{
  (void)state;
  static const char ours[] = "{'role':'assistant','reasoning':'r',"
                             "'reasoning_content':'r','reasoning_details':["
                             "{'format':'ours'}]}";
  static const char both[] = "{'role':'assistant','reasoning':'r',"
                             "'reasoning_details':[{'format':'ours'},"
                             "{'format':'theirs'}]}";
  static const char theirs[] = "{'role':'assistant','reasoning':'r',"
                               "'reasoning_details':[{'format':'theirs'}]}";
  static const char text[] = "{'role':'assistant','reasoning_content':'r'}";
  assert_string_equal(notes(&all, ours), "");
  assert_string_equal(notes(&all, both), "messages.reasoning_details");
  assert_string_equal(notes(&all, theirs),
                      "messages.reasoning_details, messages.reasoning");
  assert_string_equal(notes(&all, text), "messages.reasoning_content");
}

static void
a_message_that_goes_out_whole_lacks_nothing(void **state)
{
  (void)state;
  assert_string_equal(notes(&all, "{'role':'assistant','whole':[{}],'x':1,"
                                  "'tool_calls':[{'y':1}]}"),
                      "");
  assert_string_equal(notes(&all, "{'role':'assistant','whole':[],'x':1}"),
                      "messages.x");
  assert_string_equal(notes(&all, "{'role':'user','whole':[{}]}"),
                      "messages.whole");
}

static void
what_no_list_tells_is_not_looked_at(void **state)
{
  (void)state;
  static const inf_message_taken calls = {.call = "id"};
  assert_string_equal(
      notes(&calls, "{'role':'assistant','x':1,'content':[{'type':'text',"
                    "'y':1}],'reasoning_details':[{}],'tool_calls':[{'id':'1',"
                    "'function':{'z':1},'custom':{'z':1}}]},"
                    "{'role':'user','x':1},{'role':'assistant',"
                    "'tool_calls':'none'},{'role':'assistant',"
                    "'tool_calls':[{'w':1}]}"),
      "messages.tool_calls.function, messages.tool_calls.custom, "
      "messages.tool_calls.w");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_each_role_has_not_is_noted_once),
      cmocka_unit_test(what_is_within_parts_and_calls_is_noted),
      cmocka_unit_test(reasoning_is_noted_where_none_of_it_goes_out),
      cmocka_unit_test(a_message_that_goes_out_whole_lacks_nothing),
      cmocka_unit_test(what_no_list_tells_is_not_looked_at),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
