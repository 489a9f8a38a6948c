/* SPDX-License-Identifier: MIT */
#include "engine/ability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static inf_target_config target;
static inf_route_config route;

static int
set_up(void **state)
{
  (void)state;
  target = (inf_target_config){.price = {INF_PRICE_UNKNOWN, INF_PRICE_UNKNOWN}};
  route = (inf_route_config){
      .params = {.max_input_price = -1, .max_output_price = -1}};
  return 0;
}

/* JSON with ' for ". */
static struct infer_request *
request_of(const char *json)
{
  struct infer_request *request = NULL;
  char *text = strdup(json);
  for (char *at = text; *at; at++)
    *at = *at == '\'' ? '"' : *at;
  assert_int_equal(infer_request_from_json(&request, text, strlen(text), NULL),
                   INFER_OK);
  free(text);
  return request;
}

static uint32_t
needs(const char *json)
{
  struct infer_request *request = request_of(json);
  uint32_t found = inf_ability_needs(request);
  infer_request_free(request);
  return found;
}

static const char *
lacking(const char *json)
{
  struct infer_request *request = request_of(json);
  const char *why = inf_ability_lacking(&target, &route, request);
  infer_request_free(request);
  return why ? why : "";
}

#define SAYS(content) \
  "{'model':'m','messages':[{'role':'user','content':" content "}]"
#define PLAIN SAYS("'hello'") "}"
#define TOOLS \
  SAYS("'hello'") ",'tools':[{'type':'function','function':{'name':'f'}}]}"
#define IMAGE                                                              \
  SAYS("[{'type':'text','text':'what is it?'},{'type':'image_url','image_" \
       "url':{'url':'http://x.test/a.png'}}]")                             \
  "}"
#define SCHEMA                                                 \
  SAYS("'hello'")                                              \
  ",'response_format':{'type':'json_schema','json_schema':{}}" \
  "}"

static void
needs_are_read_off_the_request(void **state)
{
  (void)state;
  assert_int_equal(needs(PLAIN), 0);
  assert_int_equal(needs(TOOLS), INF_LACKS_TOOLS);
  assert_int_equal(needs(IMAGE), INF_LACKS_VISION);
  assert_int_equal(needs(SCHEMA), INF_LACKS_JSON_SCHEMA);
  assert_int_equal(needs(SAYS("'hello'") ",'functions':[{'name':'f'}]}"),
                   INF_LACKS_TOOLS);
  /* No need, though the words are there. */
  assert_int_equal(needs(SAYS("'hello'") ",'tools':[]}"), 0);
  assert_int_equal(needs(SAYS("'hello'") ",'response_format':{'type':'text'}}"),
                   0);
  assert_int_equal(needs(SAYS("'\\'type\\':\\'image_url\\''") "}"), 0);
}

static void
who_lacks_it_is_kept_out(void **state)
{
  (void)state;
  assert_string_equal(lacking(TOOLS), "");
  target.lacks = INF_LACKS_TOOLS | INF_LACKS_JSON_SCHEMA;
  assert_string_equal(lacking(PLAIN), "");
  assert_string_equal(lacking(IMAGE), "");
  assert_string_equal(lacking(TOOLS), "takes no tools");
  assert_string_equal(lacking(SCHEMA), "follows no JSON schema");
  target.lacks = INF_LACKS_VISION;
  assert_string_equal(lacking(IMAGE), "takes no images");
}

static void
above_the_ceiling_or_unknown_is_too_dear(void **state)
{
  (void)state;
  route.params.max_input_price = 150000;
  assert_true(strstr(lacking(PLAIN), "max_price.input") != NULL);
  target.price.input = 150001;
  assert_true(strstr(lacking(PLAIN), "max_price.input") != NULL);
  target.price.input = 150000;
  assert_string_equal(lacking(PLAIN), "");
  route.params.max_output_price = 0;
  assert_true(strstr(lacking(PLAIN), "max_price.output") != NULL);
  target.price.output = 0;
  assert_string_equal(lacking(PLAIN), "");
}

static void
a_prompt_that_cannot_fit_is_not_sent(void **state)
{
  (void)state;
  enum { words = 2000 }; /* "word " is a token, or nearly so */
  inf_buf text;
  inf_buf_init(&text, 100000);
  inf_buf_append_cstr(&text,
                      "{'model':'m','messages':[{'role':'user','content':'");
  for (int i = 0; i < words; i++)
    inf_buf_append_cstr(&text, "word ");
  inf_buf_append_cstr(&text, "'}]}");
  const char *json = inf_buf_cstr(&text);
  assert_string_equal(lacking(json), ""); /* not known */
  target.context_tokens = 1000;
  assert_string_equal(lacking(json), "has too small a context for the prompt");
  assert_string_equal(lacking(PLAIN), "");
  target.context_tokens = 1800; /* the estimate may be wrong by so much */
  assert_string_equal(lacking(json), "");
  inf_buf_fini(&text);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(needs_are_read_off_the_request),
      cmocka_unit_test_setup(who_lacks_it_is_kept_out, set_up),
      cmocka_unit_test_setup(above_the_ceiling_or_unknown_is_too_dear, set_up),
      cmocka_unit_test_setup(a_prompt_that_cannot_fit_is_not_sent, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
