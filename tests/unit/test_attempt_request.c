/* SPDX-License-Identifier: MIT */
/* What goes into an attempt: the request as it is sent. */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void
the_request_goes_out_with_model_and_key(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_request *request = fake_request_new("one");
  infer_request_set_header(request, "X-Mine", "1");
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 5);
  const fake_request *sent = &fake->net.requests[0];
  assert_string_equal(sent->method, "POST");
  assert_contains(sent->headers, "Authorization: Bearer key-of-a\n");
  assert_contains(sent->headers, "X-Mine: 1\n");
  assert_contains(sent->body, "\"model\":\"m\"");
  assert_contains(sent->body, "\"stream\":true");
  assert_false(sent->fresh_connection);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
every_provider_is_sent_its_own_key(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 1, 404, NULL, "");
  fake_reply(fake_script_next(&fake->net), 1, 404, NULL, "");
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call *call = fake_submit_model(fake, "three");
  fake_run_ms(fake, 3);
  assert_int_equal(fake_status(call), INFER_OK);
  const fake_request *sent = fake->net.requests;
  assert_contains(sent[0].headers, "Authorization: Bearer key-of-a\n");
  assert_contains(sent[1].headers, "Authorization: Bearer key-b-1\n");
  assert_lacks(sent[1].headers, "key-of-a");
  assert_lacks(sent[2].headers, "key-");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_whole_body_is_asked_for_without_stream(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.targets",
                                      "[{'target':'a/m','upstream':'unary'},"
                                      "'b/m']",
                                      NULL);
  fake_reply(fake_script_next(&fake->net), 1, 404, NULL, "");
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 2);
  assert_lacks(fake->net.requests[0].body, "\"stream\"");
  assert_contains(fake->net.requests[1].body, "\"stream\":true");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_account_s_own_members_go_along(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("providers.a.headers", "{'X-Team':'blue'}",
                      "providers.a.query", "{'v':'1 2'}", "providers.a.body",
                      "{'seed':7,'top_p':0.5}", "providers.a.organization",
                      "'org-1'", "providers.a.project", "'p-1'", NULL);
  infer_request *request = fake_request_new("one");
  infer_request_set_int(request, "seed", 8); /* the request's own wins */
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 0);
  const fake_request *sent = &fake->net.requests[0];
  assert_string_equal(sent->url, "http://a.test/v1/chat/completions?v=1%202");
  assert_contains(sent->headers, "X-Team: blue\n");
  assert_contains(sent->headers, "OpenAI-Organization: org-1\n");
  assert_contains(sent->headers, "OpenAI-Project: p-1\n");
  assert_contains(sent->body, "\"seed\":8");
  assert_lacks(sent->body, "\"seed\":7");
  assert_contains(sent->body, "\"top_p\":0.5");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_provider_without_keys_gets_no_key(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call = fake_submit_model(fake, "c/m");
  fake_run_ms(fake, 0);
  assert_lacks(fake->net.requests[0].headers, "uthorization");
  infer_call_free(call);
  fake_client_free(fake);
}

/* Usage that did not come is estimated for the prompt too. */
static void
the_estimate_of_usage_counts_the_prompt(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("12345678"));
  fake_body(script, 1, sse_finish("stop"));
  fake_done(script, 2, INF_NET_OK);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 2);
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_usage_estimated(response), 1);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_OUTPUT), 2);
  assert_true(infer_response_usage(response, INFER_USAGE_INPUT) > 0);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Signatures ---------------------------------------------------------- */

#define SIGNED                                                             \
  "providers.a",                                                           \
      "{'type':'bedrock','base_url':'http://a.test','region':'us-east-1'," \
      "'api_key':'AKID:secret:token'}"
#define REFUSED_TIME                      \
  "date: Wed, 19 Aug 2026 14:34:12 GMT\n" \
  "x-amzn-errortype: InvalidSignatureException:x"
#define CONVERSED                                               \
  "{\"output\":{\"message\":{\"content\":[{\"text\":\"x\"}]}}," \
  "\"stopReason\":\"end_turn\"}"

static bool
signed_at(const fake_client *fake, size_t request, const char *time)
{
  char line[64];
  snprintf(line, sizeof line, "X-Amz-Date: %s", time);
  const char *headers = fake->net.requests[request].headers;
  return strstr(headers, line) &&
         strstr(headers, "Authorization: AWS4-HMAC-SHA256 Credential=AKID/") &&
         strstr(headers, "X-Amz-Security-Token: token");
}

/* Whose clock is wrong is told so, once; the key is as good as before. */
static void
a_refused_time_corrects_the_clock(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(SIGNED, NULL);
  fake_reply(fake_script_next(&fake->net), 0, 403, REFUSED_TIME, "{}");
  fake_reply(fake_script_always(&fake->net), 0, 200, NULL, CONVERSED);
  for (int i = 0; i < 2; i++) {
    infer_call *call = fake_submit_model(fake, "a/m");
    fake_run_ms(fake, 0);
    assert_int_equal(fake_status(call), INFER_OK);
    infer_call_free(call);
  }
  /* The first try, its second one at once, and the second call's only one. */
  assert_int_equal(fake->net.request_count, 3);
  assert_false(signed_at(fake, 0, "20260819T143412Z"));
  assert_true(signed_at(fake, 0, ""));
  assert_true(signed_at(fake, 1, "20260819T143412Z"));
  assert_true(signed_at(fake, 2, "20260819T143412Z"));
  assert_string_equal(fake->net.requests[1].url,
                      "http://a.test/model/m/converse-stream");
  fake_client_free(fake);
}

/* Refused at that time too, it is the key. */
static void
the_clock_is_corrected_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(SIGNED, NULL);
  fake_reply(fake_script_always(&fake->net), 0, 403, REFUSED_TIME, "{}");
  infer_call *call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 0);
  assert_int_equal(fake_status(call), INFER_E_AUTH);
  assert_int_equal(fake->net.request_count, 2);
  infer_call_free(call);
  infer_request *request = fake_request_new("a/m");
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                fake->queue, 0, NULL, NULL),
                   INFER_E_AUTH);
  infer_request_free(request);
  fake_client_free(fake);
}

/* Neither where no time was signed nor where the times agree. */
static void
other_refusals_do_not_touch_the_clock(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_always(&fake->net), 0, 403, REFUSED_TIME, "{}");
  infer_call *call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 0);
  assert_int_equal(fake_status(call), INFER_E_AUTH);
  assert_int_equal(fake->net.request_count, 1);
  infer_call_free(call);
  fake_client_free(fake);
  fake = fake_client_new(SIGNED, NULL);
  fake_reply(fake_script_always(&fake->net), 0, 403, NULL, "{}");
  call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 0);
  assert_int_equal(fake_status(call), INFER_E_AUTH);
  assert_int_equal(fake->net.request_count, 1);
  infer_call_free(call);
  fake_client_free(fake);
}

/* AWS explains a refusal by what should have been signed. */
static void
what_a_refusal_quotes_of_the_key_is_hidden(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(SIGNED, NULL);
  fake_reply(fake_script_always(&fake->net), 0, 403, NULL,
             "{\"message\":\"should have been 'AKID secret token'\"}");
  infer_call *call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 0);
  assert_contains(fake_message(call), "should have been 'AKID *** ***'");
  assert_contains(fake->telemetry, "should have been 'AKID *** ***'");
  infer_call_free(call);
  fake_client_free(fake);
}

/* What keeps a request from being signed is the attempt's failure. */
static void
a_request_that_cannot_be_signed_is_not_sent(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "providers.a",
      "{'type':'bedrock','base_url':'http://a.test','api_key':'AKID:secret'}",
      NULL);
  infer_call *call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, 0);
  assert_int_equal(fake->net.request_count, 0);
  assert_contains(fake_message(call), "no AWS region");
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- What the model takes ------------------------------------------------ */

#define KNOWN(targets) \
  "providers.a.catalogue", "'on'", "routes.r.targets", targets

/* Each change is told once, with the target; the request stays as it is for the
 * next one. */
static void
what_is_changed_for_a_model_is_logged(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KNOWN("['a/o3','b/m']"), NULL);
  fake_reply(fake_script_next(&fake->net), 1, 404, NULL, "");
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_request *request = fake_request_new("r");
  infer_request_set_int(request, "max_tokens", 123456);
  infer_request_set_double(request, "temperature", 0.25);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 3);
  assert_int_equal(fake_status(call), INFER_OK);
  const fake_request *sent = fake->net.requests;
  assert_contains(sent[0].body, "\"max_completion_tokens\":100000");
  assert_lacks(sent[0].body, "\"max_tokens\"");
  assert_lacks(sent[0].body, "temperature");
  assert_contains(sent[1].body, "\"max_tokens\":123456");
  assert_contains(sent[1].body, "\"temperature\":0.25");
  assert_contains(fake->log, "a/o3: max_tokens lowered from 123456 to 100000, "
                             "no temperature\n");
  assert_lacks(fake->log, "b/m: max");
  infer_call_free(call);
  fake_client_free(fake);
}

/* The route "r" has one target, a/m, whose provider has that type and refuses
 * all requests. */
static fake_client *
refusing_client(const char *type)
{
  bool bedrock = strstr(type, "bedrock") != NULL;
  fake_client *fake = fake_client_new(
      "routes.r.targets", "['a/m']", "providers.a.type", type,
      bedrock ? "providers.a.region" : NULL, "'us-east-1'", NULL);
  fake_reply(fake_script_next(&fake->net), 1, 400, NULL, "");
  return fake;
}

/* Sends the request there and frees it; the log has what was left out. */
static fake_client *
after_refusal(const char *type, infer_request *request, int32_t status)
{
  fake_client *fake = refusing_client(type);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 3);
  assert_int_equal(fake_status(call), status);
  infer_call_free(call);
  return fake;
}

/* With ' for ". */
static void
add_message(infer_request *request, const char *json)
{
  char text[1024];
  snprintf(text, sizeof text, "%s", json);
  for (char *at = text; (at = strchr(at, '\''));)
    *at = '"';
  assert_int_equal(
      infer_request_add_message_json(request, text, strlen(text), NULL),
      INFER_OK);
}

/* Whatever the dialect: what the caller said and is left out is in the log. */
static void
what_is_left_out_is_logged(void **state)
{
  (void)state;
  static const struct {
    const char *type, *dropped;
  } rows[] = {
      {"'mistral'", "a/m: no user, store\n"},
      {"'anthropic'", "a/m: no metadata, store\n"},
      {"'gemini'", "a/m: no user, store, metadata\n"},
      {"'bedrock'", "a/m: no user, store\n"},
      {"'cohere'", "a/m: no user, store, metadata\n"},
      {"'ollama'", "a/m: no user, store, metadata\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    infer_request *request = fake_request_new("r");
    infer_request_set_string(request, "user", "u");
    infer_request_set_json(request, "store", "true", 4, NULL);
    infer_request_set_json(request, "metadata", "{\"a\":\"b\"}", 9, NULL);
    fake_client *fake =
        after_refusal(rows[i].type, request, INFER_E_BAD_REQUEST);
    assert_contains(fake->log, rows[i].dropped);
    fake_client_free(fake);
  }
}

/* And what is left out of its tools and of the schema of its answer. */
static void
what_is_left_out_within_is_logged(void **state)
{
  (void)state;
  static const struct {
    const char *type, *tools, *format;
  } rows[] = {
      {"'anthropic'", "a/m: no tools.function.y\n",
       "a/m: no response_format.json_schema.description\n"},
      {"'gemini'", "a/m: no tools.x, tools.function.strict\n",
       "a/m: no response_format.json_schema.description\n"},
      {"'bedrock'", "a/m: no tools.function.y, tools.x\n", NULL},
      {"'cohere'", "a/m: no tools.x\n",
       "a/m: no response_format.json_schema.description\n"},
      {"'ollama'", NULL, "a/m: no response_format.json_schema.description\n"},
  };
  static const char tools[] =
      "[{\"type\":\"function\",\"x\":1,\"function\":{\"name\":\"f\","
      "\"strict\":true,\"y\":2,\"parameters\":{\"type\":\"object\"}}}]";
  static const char format[] =
      "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\","
      "\"description\":\"d\",\"strict\":true,\"schema\":{\"type\":"
      "\"object\"}}}";
  for (size_t i = 0; i < 2 * (sizeof rows / sizeof rows[0]); i++) {
    const char *type = rows[i / 2].type;
    const char *dropped = i % 2 == 0 ? rows[i / 2].tools : rows[i / 2].format;
    infer_request *request = fake_request_new("r");
    if (i % 2 == 0)
      infer_request_set_json(request, "tools", tools, strlen(tools), NULL);
    else
      infer_request_set_json(request, "response_format", format, strlen(format),
                             NULL);
    fake_client *fake = after_refusal(type, request, INFER_E_BAD_REQUEST);
    if (dropped)
      assert_contains(fake->log, dropped);
    else
      assert_lacks(fake->log, "a/m: no ");
    fake_client_free(fake);
  }
}

/* And of its messages, which other services began. */
static void
what_is_left_out_of_messages_is_logged(void **state)
{
  (void)state;
  static const char *const messages[] = {
      "{'role':'system','content':'s','name':'n'}",
      "{'role':'user','name':'n','content':[{'type':'text','text':'t',"
      "'cache_control':{'type':'ephemeral'}},{'type':'image_url','image_url':"
      "{'url':'data:image/png;base64,AAAA','detail':'high'}}]}",
      "{'role':'assistant','content':'c','refusal':null,'annotations':[{}],"
      "'reasoning_content':'r','reasoning_details':[{'type':'reasoning.text',"
      "'format':'other','text':'r'}],'tool_calls':[{'id':'call_1234','index':0,"
      "'type':'function','x':1,'function':{'name':'f','arguments':'{}',"
      "'y':2}}]}",
      "{'role':'tool','tool_call_id':'call_1234','content':'ok','name':'f',"
      "'is_error':true}",
  };
  static const struct {
    const char *type, *dropped;
  } rows[] = {
      {"'groq'", "a/m: no messages.name, messages.annotations, "
                 "messages.reasoning_content, messages.reasoning_details\n"},
      {"'mistral'",
       "a/m: no messages.annotations, messages.reasoning_details\n"},
      {"'openai-responses'",
       "a/m: no messages.name, messages.content.cache_control, "
       "messages.tool_calls.x, messages.tool_calls.function.y, "
       "messages.reasoning_details, messages.annotations, "
       "messages.reasoning_content, messages.is_error\n"},
      {"'anthropic'",
       "a/m: no messages.name, messages.content.image_url.detail, "
       "messages.tool_calls.x, messages.tool_calls.function.y, "
       "messages.reasoning_details, messages.annotations, "
       "messages.reasoning_content\n"},
      {"'gemini'",
       "a/m: no messages.name, messages.content.cache_control, "
       "messages.content.image_url.detail, messages.tool_calls.x, "
       "messages.tool_calls.function.y, messages.reasoning_details, "
       "messages.annotations, messages.reasoning_content, "
       "messages.is_error\n"},
      {"'bedrock'", "a/m: no messages.name, messages.content.image_url.detail, "
                    "messages.tool_calls.x, messages.tool_calls.function.y, "
                    "messages.reasoning_details, messages.annotations, "
                    "messages.reasoning_content, messages.is_error\n"},
      {"'cohere'", "a/m: no messages.tool_calls.x, messages.name, "
                   "messages.annotations, messages.reasoning_details\n"},
      {"'ollama'", "a/m: no messages.content.cache_control, "
                   "messages.content.image_url.detail, messages.tool_calls.x, "
                   "messages.tool_calls.function.y, messages.name, "
                   "messages.annotations, messages.reasoning_details\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    infer_request *request = fake_request_new("r");
    for (size_t j = 0; j < sizeof messages / sizeof messages[0]; j++)
      add_message(request, messages[j]);
    fake_client *fake =
        after_refusal(rows[i].type, request, INFER_E_BAD_REQUEST);
    assert_contains(fake->log, rows[i].dropped);
    fake_client_free(fake);
  }
}

/* One message at a time: what is noted of it, NULL if nothing is, or that it is
 * refused. */
static void
what_becomes_of_a_message_is_told(void **state)
{
  (void)state;
#define CALL "{'role':'assistant','function_call':{'name':'f','arguments':''}}"
#define THOUGHT                                                        \
  "{'role':'assistant','content':[{'type':'thinking','thinking':'t'}," \
  "{'type':'text','text':'x'}]}"
#define BOTH "{'role':'assistant','content':'c','refusal':'no'}"
#define REASONED                                                           \
  "{'role':'assistant','content':'c','reasoning':'r','reasoning_content':" \
  "'r'}"
#define CALLED                                                                \
  "{'role':'assistant','reasoning':'r','reasoning_content':'r','tool_calls':" \
  "[{'id':'call_12345','type':'function','function':{'name':'f',"             \
  "'arguments':'{}'}}]}"
  static const char refused[] = "refused";
  static const struct {
    const char *type, *message, *told;
  } rows[] = {
      {"'anthropic'", CALL, refused},
      {"'openai-responses'", CALL, refused},
      {"'gemini'", CALL, refused},
      {"'bedrock'", CALL, refused},
      {"'mistral'", CALL, refused},
      {"'cohere'", CALL, refused},
      {"'ollama'", CALL, refused},
      {"'anthropic'", THOUGHT, "messages.content.thinking"},
      {"'openai-responses'", THOUGHT, "messages.content.thinking"},
      {"'anthropic'", BOTH, "messages.refusal"},
      {"'openai-responses'", BOTH, "messages.refusal"},
      {"'gemini'", BOTH, NULL},
      {"'bedrock'", BOTH, NULL},
      {"'cohere'", BOTH, "messages.refusal"},
      {"'mistral'", REASONED, NULL},
      {"'cohere'", REASONED, "messages.reasoning, messages.reasoning_content"},
      {"'ollama'", REASONED, "messages.reasoning, messages.reasoning_content"},
      {"'cohere'", CALLED, NULL},
      {"'ollama'", CALLED, NULL},
      {"'ollama'", "{'role':'tool','content':'c','name':'f'}", NULL},
      {"'ollama'", "{'role':'user','content':'c','name':'n'}", "messages.name"},
      {"'ollama'", "{'role':'assistant','content':'c','images':[{'type':'x'}]}",
       "messages.images"},
      {"'gemini'",
       "{'role':'assistant','content':'c','content_parts':[{'type':'x'}]}",
       "messages.content_parts"},
      {"'gemini'",
       "{'role':'assistant','content':'c','content_parts':[{'x':1}]}", NULL},
      {"'anthropic'",
       "{'role':'assistant','content':'c','x':1,'anthropic_content':[{'type':"
       "'text','text':'c'}]}",
       NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    char line[128];
    infer_request *request = fake_request_new("r");
    add_message(request, rows[i].message);
    fake_client *fake = after_refusal(
        rows[i].type, request,
        rows[i].told == refused ? INFER_E_UNSUPPORTED : INFER_E_BAD_REQUEST);
    snprintf(line, sizeof line, "a/m: no %s\n",
             rows[i].told ? rows[i].told : "");
    if (rows[i].told && rows[i].told != refused)
      assert_contains(fake->log, line);
    else
      assert_lacks(fake->log, "a/m: no ");
    fake_client_free(fake);
  }
}

/* And of a request for embeddings. */
static void
what_is_left_out_of_embeddings_is_logged(void **state)
{
  (void)state;
  static const struct {
    const char *type, *model, *dropped;
  } rows[] = {
      {"'azure-openai'", "a/m", "a/m: no input_type\n"},
      {"'together'", "a/m", NULL},
      {"'cohere'", "a/m", "a/m: no user\n"},
      {"'gemini'", "a/m", "a/m: no user\n"},
      {"'ollama'", "a/m", "a/m: no user, input_type\n"},
      {"'bedrock'", "a/amazon.titan-embed-text-v2:0",
       "titan-embed-text-v2:0: no user, input_type\n"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    fake_client *fake = refusing_client(rows[i].type);
    infer_request *request;
    infer_call *call;
    assert_int_equal(infer_request_new(&request, rows[i].model), INFER_OK);
    infer_request_add_input(request, "text");
    infer_request_set_string(request, "user", "u");
    infer_request_set_string(request, "input_type", "clustering");
    assert_int_equal(
        infer_submit_embed(fake->client, request, fake->queue, 0, &call, NULL),
        INFER_OK);
    infer_request_free(request);
    fake_run_ms(fake, 3);
    if (rows[i].dropped)
      assert_contains(fake->log, rows[i].dropped);
    else
      assert_lacks(fake->log, ": no ");
    infer_call_cancel(call);
    fake_run_ms(fake, 1);
    infer_call_free(call);
    fake_client_free(fake);
  }
}

static void
what_a_model_cannot_do_goes_to_another(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(KNOWN("['a/o3','b/m']"), NULL);
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_request *request = fake_request_new("r");
  infer_request_set_json(request, "logprobs", "true", 4, NULL);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 3);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(fake->net.request_count, 1);
  assert_contains(fake->net.requests[0].url, "http://b.test");
  assert_contains(fake->net.requests[0].body, "\"logprobs\":true");
  assert_contains(fake->telemetry, "the model does not take \"logprobs\"");
  infer_call_free(call);
  fake_client_free(fake);
}

/* Ours on top: overrides are the last word. */
static void
overrides_are_not_fitted(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      KNOWN("[{'target':'a/o3','overrides':{'temperature':0.5}},'b/m']"), NULL);
  fake_stream_all(fake_script_next(&fake->net), 1, "x");
  infer_request *request = fake_request_new("r");
  infer_request_set_int(request, "max_tokens", 50);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 3);
  assert_contains(fake->net.requests[0].body, "\"temperature\":0.5");
  assert_contains(fake->net.requests[0].body, "\"max_completion_tokens\":50");
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_request_goes_out_with_model_and_key),
      cmocka_unit_test(every_provider_is_sent_its_own_key),
      cmocka_unit_test(a_whole_body_is_asked_for_without_stream),
      cmocka_unit_test(the_account_s_own_members_go_along),
      cmocka_unit_test(a_provider_without_keys_gets_no_key),
      cmocka_unit_test(the_estimate_of_usage_counts_the_prompt),
      cmocka_unit_test(a_refused_time_corrects_the_clock),
      cmocka_unit_test(the_clock_is_corrected_once),
      cmocka_unit_test(other_refusals_do_not_touch_the_clock),
      cmocka_unit_test(what_a_refusal_quotes_of_the_key_is_hidden),
      cmocka_unit_test(a_request_that_cannot_be_signed_is_not_sent),
      cmocka_unit_test(what_is_changed_for_a_model_is_logged),
      cmocka_unit_test(what_is_left_out_is_logged),
      cmocka_unit_test(what_is_left_out_within_is_logged),
      cmocka_unit_test(what_is_left_out_of_messages_is_logged),
      cmocka_unit_test(what_becomes_of_a_message_is_told),
      cmocka_unit_test(what_is_left_out_of_embeddings_is_logged),
      cmocka_unit_test(what_a_model_cannot_do_goes_to_another),
      cmocka_unit_test(overrides_are_not_fitted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
