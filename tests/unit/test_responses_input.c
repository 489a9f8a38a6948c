/* SPDX-License-Identifier: MIT */
#define SUPPORT_KIND "openai-responses"
#include "unit/anthropic_support.h"

#define PART(part, block)                                          \
  assert_becomes(MESSAGES("{'role':'user','content':[" part "]}"), \
                 "/input/0/content/0", block)
#define CALL(id) \
  "{'id':" id ",'type':'function','function':{'name':'f','arguments':'{}'}}"

static void
test_messages(void **state)
{
  (void)state;
  assert_becomes(
      MESSAGES("{'role':'system','content':'s'},{'role':'developer','content':"
               "[{'type':'text','text':'d'}]}," USER
               ",{'role':'assistant','content':[{'type':'text','text':'a'}]},"
               "{'role':'assistant','content':null,'refusal':'No'},"
               "{'role':'assistant','content':null}," USER),
      "/input",
      "[{'role':'system','content':'s'},{'role':'developer','content':[{"
      "'type':'input_text','text':'d'}]}," USER
      ",{'role':'assistant','content':[{'type':'output_text','text':'a'}]},"
      "{'role':'assistant','content':'No'}," USER "]");
  assert_refused(MESSAGES("{'role':'function','name':'f','content':'x'}"),
                 "\"function\": not a content or role of the provider");
}

static void
test_parts(void **state)
{
  (void)state;
  PART("{'type':'image_url','image_url':{'url':'https://h/a','detail':'low'}}",
       "{'type':'input_image','image_url':'https://h/a','detail':'low'}");
  PART("{'type':'image_url','image_url':'https://h/a'}",
       "{'type':'input_image','image_url':'https://h/a'}");
  PART("{'type':'file','file':{'filename':'a.pdf','file_data':'data:x'}}",
       "{'type':'input_file','filename':'a.pdf','file_data':'data:x'}");
  PART("{'type':'input_image','file_id':'f'}",
       "{'type':'input_image','file_id':'f'}");
  assert_refused(MESSAGES("{'role':'user','content':[{'type':'input_audio'}]}"),
                 "\"input_audio\": not a content or role of the provider");
}

static void
test_calls_and_results(void **state)
{
  (void)state;
  assert_becomes(
      MESSAGES(USER ",{'role':'assistant','content':'a','tool_calls':[" CALL(
          "'call_1'") ",{'id':'call_2','type':'custom','custom':{'name':'c',"
                      "'input':'x'}}]},{'role':'tool','tool_call_id':'call_2',"
                      "'content':'two'},{'role':'tool','tool_call_id':"
                      "'call_1','content':[{'type':'text','text':'one'}]}"),
      "/input",
      "[" USER ",{'role':'assistant','content':'a'},{'type':'function_call',"
      "'call_id':'call_1','name':'f','arguments':'{}'},{'type':"
      "'custom_tool_call','call_id':'call_2','name':'c','input':'x'},{'type':"
      "'custom_tool_call_output','call_id':'call_2','output':'two'},{'type':"
      "'function_call_output','call_id':'call_1','output':[{'type':"
      "'input_text','text':'one'}]}]");
}

/* Begun where calls have none. */
static void
test_ids_are_made_up(void **state)
{
  (void)state;
  static const char chat[] =
      MESSAGES(USER ",{'role':'assistant','tool_calls':[" CALL("''") "," CALL(
          "null") "]},{'role':'tool','content':'r'},{'role':'tool','content':"
                  "'s'}");
  assert_becomes(chat, "/input/1/call_id", "'call_1_0'");
  assert_becomes(chat, "/input/2/call_id", "'call_1_1'");
  assert_becomes(chat, "/input/3/call_id", "'call_1_0'");
  assert_becomes(chat, "/input/4/call_id", "'call_1_1'");
}

static void
test_encrypted_reasoning_goes_back(void **state)
{
  (void)state;
  assert_becomes(
      MESSAGES(USER ",{'role':'assistant','content':'a','reasoning_content':"
                    "'Hm','reasoning_details':[{'type':'reasoning.encrypted',"
                    "'format':'openai-responses-v1','id':'rs_1','data':'eHh4'"
                    "},{'type':'reasoning.encrypted','format':"
                    "'google-gemini-v1','data':'x'},{'type':'reasoning.text',"
                    "'text':'Hm','signature':'c2ln'}]}," USER),
      "/input",
      "[" USER ",{'type':'reasoning','id':'rs_1','summary':[],"
      "'encrypted_content':'eHh4'},{'role':'assistant','content':'a'}," USER
      "]");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_messages),
      cmocka_unit_test(test_parts),
      cmocka_unit_test(test_calls_and_results),
      cmocka_unit_test(test_ids_are_made_up),
      cmocka_unit_test(test_encrypted_reasoning_goes_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
