/* SPDX-License-Identifier: MIT */
/* Embeddings: requests from JSON and by hand, their parts, and what each
 * dialect writes and reads. */
#include "unit/provider_support.h"

#include "provider/embed.h"
#include "wire/json_scan.h"

#include <stdlib.h>
#include <string.h>

/* ' for " */
static inf_sv
quoted(const char *text)
{
  static char out[8192];
  size_t len = strlen(text);
  assert_true(len < sizeof out);
  for (size_t i = 0; i <= len; i++)
    out[i] = text[i] == '\'' ? '"' : text[i];
  return inf_sv_of(out, len);
}

/* ---- Requests ------------------------------------------------------------ */

static void
test_a_request_from_json(void **state)
{
  (void)state;
  inf_chat chat;
  inf_chat_init(&chat);
  const char *reason = NULL;
  assert_int_equal(
      inf_embed_from_json(&chat,
                          quoted("{'model':'m','input':['a','b\\n'],"
                                 "'dimensions':3,'user':'u'}"),
                          &reason, NULL),
      INFER_OK);
  assert_buf(&chat.model, "m");
  assert_buf(&chat.messages, "\"a\",\"b\\n\"");
  assert_int_equal(chat.message_count, 2);
  assert_true(chat.inputs);
  assert_int_equal(
      inf_embed_dimensions(inf_chat_member(&chat, S("dimensions"))), 3);
  assert_int_equal(inf_embed_from_json(&chat,
                                       quoted("{'input':'one','model':'m'}"),
                                       &reason, NULL),
                   INFER_OK);
  assert_buf(&chat.messages, "\"one\"");
  assert_int_equal(
      inf_embed_dimensions(inf_chat_member(&chat, S("dimensions"))), 0);
  assert_int_equal(inf_embed_from_json(&chat,
                                       quoted("{'model':'m','input':[1,2]}"),
                                       &reason, NULL),
                   INFER_OK);
  assert_buf(&chat.messages, "[1,2]");
  assert_int_equal(chat.message_count, 1);
  assert_int_equal(
      inf_embed_from_json(&chat, quoted("{'model':'m','input':[[1,2],[3]]}"),
                          &reason, NULL),
      INFER_OK);
  assert_int_equal(chat.message_count, 2);
  inf_chat_fini(&chat);
}

static void
test_bad_requests_are_refused(void **state)
{
  (void)state;
  static const struct {
    const char *json, *reason;
  } cases[] = {
      {"{'model':'m'}", "no \"input\""},
      {"{'input':'a'}", "no \"model\""},
      {"{'model':1,'input':'a'}", "\"model\" must be a string"},
      {"{'model':'m','input':[]}", "\"input\" must be a string or an array"},
      {"{'model':'m','input':7}", "\"input\" must be a string or an array"},
      {"{'model':'m','input':''}", NULL},
      {"{'model':'m','input':['a','']}", NULL},
      {"{'model':'m','input':['a',null]}", NULL},
      {"{'model':'m','input':[[1],[-1]]}", NULL},
      {"{'model':'m','input':[[1.5]]}", NULL},
      {"{'model':'m','input':'a','x':1,'x':2}", "duplicate member"},
      {"{'model':'m','input':'a','dimensions':0}",
       "\"dimensions\" must be from 1 to 65536"},
      {"{'model':'m','input':'a','dimensions':65537}",
       "\"dimensions\" must be from 1 to 65536"},
      {"{'model':'m','input':'a','encoding_format':'int8'}",
       "\"encoding_format\" must be float or base64"},
      {"[1]", "a request must be an object"},
      {"{'model':'m'", NULL},
  };
  inf_chat chat;
  inf_chat_init(&chat);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *reason = NULL;
    size_t offset;
    if (inf_embed_from_json(&chat, quoted(cases[i].json), &reason, &offset) !=
        INFER_E_INVALID_ARGUMENT)
      fail_msg("%s was taken", cases[i].json);
    assert_non_null(reason);
    if (cases[i].reason)
      assert_string_equal(reason, cases[i].reason);
  }
  assert_int_equal(chat.message_count, 0);
  assert_int_equal(inf_embed_add_input(&chat, S(""), NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(inf_embed_add_input(&chat, S("\xff"), NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(inf_embed_add_input(&chat, S("a\"b"), NULL), INFER_OK);
  assert_int_equal(inf_embed_add_input(&chat, S("c"), NULL), INFER_OK);
  assert_buf(&chat.messages, "\"a\\\"b\",\"c\"");
  inf_chat_fini(&chat);
}

/* ---- Parts --------------------------------------------------------------- */

static void
test_slices_hold_what_is_allowed(void **state)
{
  (void)state;
  static const char all[] = "\"a\",\"bb\",[1,2],\"cccccccc\",\"d\"";
  static const struct {
    inf_embed_limits limits;
    const char *slices[6];
  } cases[] = {
      {{10, 0}, {all}},
      {{5, 0}, {all}},
      {{2, 0}, {"\"a\",\"bb\"", "[1,2],\"cccccccc\"", "\"d\""}},
      {{1, 0}, {"\"a\"", "\"bb\"", "[1,2]", "\"cccccccc\"", "\"d\""}},
      {{9, 8}, {"\"a\",\"bb\"", "[1,2]", "\"cccccccc\"", "\"d\""}},
      {{9, 1}, {"\"a\"", "\"bb\"", "[1,2]", "\"cccccccc\"", "\"d\""}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    inf_sv rest = S(all);
    size_t count, total = 0;
    for (size_t k = 0; cases[i].slices[k]; k++) {
      assert_sv(inf_embed_slice(&rest, cases[i].limits, &count),
                cases[i].slices[k]);
      total += count;
    }
    assert_int_equal(total, 5);
    assert_int_equal(rest.len, 0);
    inf_embed_slice(&rest, cases[i].limits, &count);
    assert_int_equal(count, 0);
  }
}

static void
test_limits_are_the_services_own(void **state)
{
  (void)state;
  static const struct {
    const char *type, *model;
    size_t inputs, bytes;
  } cases[] = {
      {"openai", "text-embedding-3-small", 2048, 300000},
      {"azure-openai", "x", 2048, 300000},
      {"azure-openai-deployments", "x", 2048, 300000},
      {"cohere", "embed-v4.0", 96, 0},
      {"gemini", "gemini-embedding-001", 100, 0},
      {"vertex", "text-embedding-005", 250, 20000},
      {"vertex", "gemini-embedding-001", 1, 20000},
      {"bedrock", "amazon.titan-embed-text-v2:0", 1, 0},
      {"bedrock", "us.cohere.embed-v4:0", 96, 0},
      {"alibaba", "text-embedding-v4", 10, 0},
      {"ollama", "nomic", INF_EMBED_SAFE_INPUTS, 0},
      {"mistral", "mistral-embed", INF_EMBED_SAFE_INPUTS, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    inf_embed_limits limits = inf_embed_limits_of(
        inf_provider_kind_find(S(cases[i].type)), S(cases[i].model));
    assert_int_equal(limits.inputs, cases[i].inputs);
    assert_int_equal(limits.bytes, cases[i].bytes);
  }
}

/* Who is said to make embeddings can be asked for them. */
static void
test_every_row_that_embeds_has_the_means(void **state)
{
  (void)state;
  size_t embedding = 0;
  for (size_t i = 0; i < inf_provider_kind_count(); i++) {
    const inf_provider_kind *kind = inf_provider_kind_at(i);
    if (!(kind->abilities & INF_CAN_EMBED))
      continue;
    embedding++;
    if (!kind->dialect->write_embed || !kind->dialect->read_embed)
      fail_msg("%s has no way to embed", kind->type);
  }
  assert_true(embedding > 20);
}

/* ---- Writing ------------------------------------------------------------- */

typedef struct writing {
  inf_chat chat;
  inf_send send;
  inf_wire_request out;
  inf_buf why;
} writing;

static void
write_init(writing *w, const char *type, const char *model, const char *json)
{
  const char *reason = "";
  *w = (writing){0};
  inf_chat_init(&w->chat);
  inf_wire_request_init(&w->out);
  inf_buf_init(&w->why, 1024);
  if (inf_embed_from_json(&w->chat, quoted(json), &reason, NULL) != INFER_OK)
    fail_msg("%s: %s", json, reason);
  const inf_provider_kind *kind = inf_provider_kind_find(S(type));
  w->send = (inf_send){.kind = kind,
                       .base_url = S("https://h"),
                       .auth_scheme = S(kind->auth_scheme),
                       .key = S("sk"),
                       .region = S("us-east-1"),
                       .model = S(model),
                       .chat = &w->chat};
}

static int32_t
write_run(writing *w)
{
  return w->send.kind->dialect->write_embed(&w->send, &w->out, &w->why);
}

static void
write_fini(writing *w)
{
  inf_chat_fini(&w->chat);
  inf_wire_request_fini(&w->out);
  inf_buf_fini(&w->why);
}

static void
expect_request(const char *type, const char *model, const char *json,
               const char *url, const char *body)
{
  writing w;
  write_init(&w, type, model, json);
  assert_int_equal(write_run(&w), INFER_OK);
  assert_buf(&w.out.url, url);
  inf_sv expected = quoted(body);
  assert_json(inf_buf_cstr(&w.out.body), expected.ptr);
  write_fini(&w);
}

#define ALL                                                            \
  "{'model':'x','input':['a','b'],'dimensions':3,'user':'u','input_ty" \
  "pe':'search_query','encoding_format':'float'}"

static void
test_what_each_service_is_sent(void **state)
{
  (void)state;
  /* A server that speaks the protocol gets what the caller wrote. */
  expect_request("openai", "m", ALL, "https://h/embeddings",
                 "{'model':'m','input':['a','b'],'encoding_format':'float',"
                 "'dimensions':3,'user':'u','input_type':'search_query'}");
  expect_request("mistral", "m", "{'model':'x','input':'a'}",
                 "https://h/embeddings", "{'model':'m','input':['a']}");
  expect_request("azure-openai-deployments", "dep", ALL,
                 "https://h/deployments/dep/embeddings?api-version=2024-10-21",
                 "{'model':'dep','input':['a','b'],'encoding_format':'base64',"
                 "'dimensions':3,'user':'u'}");
  expect_request("openai", "m", "{'model':'x','input':[[1,2],[3]]}",
                 "https://h/embeddings", "{'model':'m','input':[[1,2],[3]]}");
  expect_request("cohere", "embed-v4.0", ALL, "https://h/v2/embed",
                 "{'model':'embed-v4.0','texts':['a','b'],'input_type':"
                 "'search_query','embedding_types':['float'],"
                 "'output_dimension':3}");
  expect_request("cohere", "e", "{'model':'x','input':'a','truncate':'END'}",
                 "https://h/v2/embed",
                 "{'model':'e','texts':['a'],'input_type':'search_document',"
                 "'embedding_types':['float'],'truncate':'END'}");
  expect_request(
      "gemini", "models/g", ALL, "https://h/models/g:batchEmbedContents",
      "{'requests':[{'model':'models/g','content':{'parts':[{'text':'a'}]},"
      "'taskType':'RETRIEVAL_QUERY','outputDimensionality':3},"
      "{'model':'models/g','content':{'parts':[{'text':'b'}]},"
      "'taskType':'RETRIEVAL_QUERY','outputDimensionality':3}]}");
  expect_request("gemini", "g",
                 "{'model':'x','input':'a','input_type':'FACT_VERIFICATION'}",
                 "https://h/models/g:batchEmbedContents",
                 "{'requests':[{'model':'models/g','content':{'parts':["
                 "{'text':'a'}]},'taskType':'FACT_VERIFICATION'}]}");
  expect_request(
      "vertex", "text-embedding-005", ALL,
      "https://h/publishers/google/models/text-embedding-005:predict",
      "{'instances':[{'content':'a','task_type':'RETRIEVAL_QUERY'},"
      "{'content':'b','task_type':'RETRIEVAL_QUERY'}],"
      "'parameters':{'outputDimensionality':3}}");
  expect_request(
      "vertex", "gemini-embedding-001",
      "{'model':'x','input':'a','autoTruncate':false}",
      "https://h/publishers/google/models/gemini-embedding-001:predict",
      "{'instances':[{'content':'a'}],'parameters':{'autoTruncate':false}}");
  expect_request(
      "vertex", "gemini-embedding-2",
      "{'model':'x','input':'a','dimensions':3,'autoTruncate':false,"
      "'input_type':'clustering','user':'u'}",
      "https://h/publishers/google/models/gemini-embedding-2:embedContent",
      "{'content':{'parts':[{'text':'a'}]},'embedContentConfig':{"
      "'taskType':'CLUSTERING','outputDimensionality':3,"
      "'autoTruncate':false}}");
  expect_request("ollama", "nomic", ALL, "https://h/api/embed",
                 "{'model':'nomic','input':['a','b'],'dimensions':3}");
  expect_request(
      "bedrock", "amazon.titan-embed-text-v2:0",
      "{'model':'x','input':'a','dimensions':256,'normalize':true,'user':'u'}",
      "https://h/model/amazon.titan-embed-text-v2%3A0/invoke",
      "{'inputText':'a','dimensions':256,'normalize':true}");
  expect_request("bedrock", "cohere.embed-english-v3",
                 "{'model':'x','input':['a','b']}",
                 "https://h/model/cohere.embed-english-v3/invoke",
                 "{'texts':['a','b'],'input_type':'search_document',"
                 "'embedding_types':['float']}");
}

/* At its own address OpenAI is asked for base64, and not for what it refuses.
 */
static void
test_openai_itself_sends_base64(void **state)
{
  (void)state;
  writing w;
  write_init(&w, "openai", "text-embedding-3-small", ALL);
  w.send.base_url = S("https://api.openai.com/v1");
  assert_int_equal(write_run(&w), INFER_OK);
  assert_json(inf_buf_cstr(&w.out.body),
              quoted("{'model':'text-embedding-3-small','input':['a','b'],"
                     "'encoding_format':'base64','dimensions':3,'user':'u'}")
                  .ptr);
  write_fini(&w);
}

static void
test_bedrock_signs(void **state)
{
  (void)state;
  writing w;
  write_init(&w, "bedrock", "amazon.titan-embed-text-v2:0",
             "{'model':'x','input':'a'}");
  w.send.base_url = S("https://bedrock-runtime.us-east-1.amazonaws.com");
  w.send.key = S("AKID:secret");
  assert_int_equal(write_run(&w), INFER_OK);
  assert_int_equal(w.send.kind->dialect->sign(
                       &w.send, &w.out, INT64_C(1700000000000000000), &w.why),
                   INFER_OK);
  bool found = false;
  for (size_t at = 0; at < w.out.headers.len;
       at += strlen(w.out.headers.ptr + at) + 1)
    found = found ||
            strstr(w.out.headers.ptr + at, "Authorization: AWS4-HMAC-SHA256");
  assert_true(found);
  write_fini(&w);
}

static void
test_what_has_no_place_is_refused(void **state)
{
  (void)state;
  static const struct {
    const char *type, *model, *json, *why;
  } cases[] = {
      {"gemini", "g", "{'model':'x','input':'a','truncate':'END'}",
       "Gemini's embeddings have nothing like \"truncate\""},
      {"gemini", "g", "{'model':'x','input':[1,2]}",
       "this provider takes texts, not token numbers"},
      {"vertex", "text-embedding-005",
       "{'model':'x','input':'a','truncate':'END'}",
       "Gemini's embeddings have nothing like \"truncate\""},
      {"vertex", "text-embedding-005", "{'model':'x','input':[1]}",
       "this provider takes texts, not token numbers"},
      {"vertex", "gemini-embedding-2", "{'model':'x','input':['a','b']}",
       "this model takes one text at a time (set embed_inputs to 1)"},
      {"cohere", "e", "{'model':'x','input':['a',[1]]}",
       "this provider takes texts, not token numbers"},
      {"ollama", "o", "{'model':'x','input':[1]}",
       "this provider takes texts, not token numbers"},
      {"bedrock", "amazon.titan-embed-text-v1", "{'model':'x','input':[1]}",
       "this provider takes texts, not token numbers"},
      {"bedrock", "anthropic.claude", "{'model':'x','input':'a'}",
       "of Bedrock's models those of Amazon Titan and Cohere are known to make "
       "embeddings"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    writing w;
    write_init(&w, cases[i].type, cases[i].model, cases[i].json);
    assert_int_equal(write_run(&w), INFER_E_UNSUPPORTED);
    assert_buf(&w.why, cases[i].why);
    write_fini(&w);
  }
}

/* ---- Reading ------------------------------------------------------------- */

typedef struct embed_reading {
  inf_vectors *vectors;
  inf_answer answer;
  inf_buf why;
} embed_reading;

static void
read_init(embed_reading *r, size_t count)
{
  r->vectors = inf_vectors_new(count, 0);
  inf_answer_init(&r->answer, 1 << 20);
  inf_buf_init(&r->why, 1024);
}

static int32_t
read_run(embed_reading *r, const char *type, inf_sv body)
{
  inf_vectors_clear(r->vectors);
  inf_buf_clear(&r->why);
  return inf_embed_read(inf_provider_kind_find(S(type)), body, 128, 10,
                        r->vectors, &r->answer, &r->why);
}

static void
read_fini(embed_reading *r)
{
  inf_vectors_unref(r->vectors);
  inf_answer_fini(&r->answer);
  inf_buf_fini(&r->why);
}

static const struct wording {
  const char *type, *body, *model;
  int64_t tokens; /* -1: it tells none */
} wordings[] = {
    {"openai",
     "{'object':'list','data':[{'object':'embedding','index':1,'embedding':"
     "[3,4]},{'object':'embedding','index':0,'embedding':'AACAPwAAAEA='}],"
     "'model':'m-1','usage':{'prompt_tokens':8,'total_tokens':8}}",
     "m-1", 8},
    {"mistral",
     "{'id':'e','object':'list','data':[{'index':0,'embedding':[1,2]},"
     "{'index':1,'embedding':[3.0,4e0]}],'model':'m','usage':"
     "{'total_tokens':5}}",
     "m", 5},
    {"cohere",
     "{'id':'i','embeddings':{'float':[[1,2],[3,4]]},'texts':['a','b'],"
     "'meta':{'billed_units':{'input_tokens':6}}}",
     "", 6},
    {"cohere", "{'embeddings':{'base64':['AACAPwAAAEA=','AABAQAAAgEA=']}}", "",
     -1},
    {"gemini", "{'embeddings':[{'values':[1,2]},{'values':[3,4]}]}", "", -1},
    {"vertex",
     "{'predictions':[{'embeddings':{'values':[1,2],'statistics':{"
     "'token_count':3,'truncated':false}}},{'embeddings':{'values':[3,4],"
     "'statistics':{'token_count':4}}}],"
     "'metadata':{'billableCharacterCount':9}}",
     "", 7},
    {"vertex",
     "{'predictions':[{'embeddings':{'values':[1,2],'statistics':{"
     "'token_count':3}}},{'embeddings':{'values':[3,4]}}]}",
     "", -1},
    {"ollama",
     "{'model':'all','embeddings':[[1,2],[3,4]],'total_duration':1,"
     "'prompt_eval_count':4}",
     "all", 4},
    {"bedrock",
     "{'embeddings':[[1,2],[3,4]],'id':'x','response_type':"
     "'embeddings_floats'}",
     "", -1},
    {"bedrock", "{'embeddings':{'float':[[1,2],[3,4]]}}", "", -1},
};

static void
test_what_each_service_answers(void **state)
{
  (void)state;
  static const float expected[] = {1, 2, 3, 4};
  for (size_t i = 0; i < sizeof wordings / sizeof wordings[0]; i++) {
    const struct wording *given = &wordings[i];
    embed_reading r;
    read_init(&r, 2);
    if (read_run(&r, given->type, quoted(given->body)) != INFER_OK)
      fail_msg("%s: %s", given->body, inf_buf_cstr(&r.why));
    assert_memory_equal(inf_vectors_at(r.vectors, 0), expected,
                        sizeof expected);
    assert_buf(&r.answer.model, given->model);
    assert_int_equal(r.answer.usage.input,
                     given->tokens >= 0 ? given->tokens : 3);
    assert_int_equal(r.answer.usage.estimated, given->tokens < 0);
    assert_int_equal(r.answer.usage.output, 0);
    read_fini(&r);
  }
  embed_reading r;
  read_init(&r, 1);
  assert_int_equal(
      read_run(&r, "bedrock",
               quoted("{'embedding':[1,2],'inputTextTokenCount':7}")),
      INFER_OK);
  assert_int_equal(r.answer.usage.input, 7);
  assert_int_equal(
      read_run(&r, "vertex",
               quoted("{'embedding':{'values':[1,2]},'truncated':false,"
                      "'usageMetadata':{'promptTokenCount':5}}")),
      INFER_OK);
  assert_memory_equal(inf_vectors_at(r.vectors, 0), expected,
                      2 * sizeof expected[0]);
  assert_int_equal(r.answer.usage.input, 5);
  read_fini(&r);
}

/* A body that stops anywhere, or in which any byte is another, never gives
 * other vectors than the whole. */
static void
test_no_cut_is_a_success(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof wordings / sizeof wordings[0]; i++) {
    inf_sv whole = quoted(wordings[i].body);
    for (size_t len = 0; len < whole.len; len++) {
      embed_reading r;
      read_init(&r, 2);
      int32_t status =
          read_run(&r, wordings[i].type, inf_sv_of(whole.ptr, len));
      if (status != INFER_E_TRUNCATED)
        fail_msg("%.*s: %s", (int)len, whole.ptr, infer_status_name(status));
      read_fini(&r);
    }
  }
}

static void
test_bad_answers(void **state)
{
  (void)state;
  static const struct {
    const char *type, *body, *why;
  } cases[] = {
      {"openai", "{'data':[{'embedding':[1]},{'index':1,'embedding':[2]}]}",
       "a vector does not say which input it is of"},
      {"openai", "{'data':[{'index':-1,'embedding':[1]}]}",
       "a vector does not say which input it is of"},
      {"openai", "{'data':[{'index':'0','embedding':[1]}]}",
       "a vector does not say which input it is of"},
      {"openai",
       "{'data':[{'index':0,'embedding':[1]},{'index':0,'embedding':[1]}]}",
       "two vectors for input 0"},
      {"openai", "{'data':[{'index':2,'embedding':[1]}]}",
       "a vector for input 2 of 2"},
      {"openai", "{'data':[{'index':0,'embedding':[1]}]}",
       "1 vectors for 2 inputs"},
      {"openai", "{'data':{}}", "the answer has no list of vectors"},
      {"openai", "{'data':[{'index':0,'embedding':[1]}]} x",
       "something follows the answer's JSON"},
      {"openai", "{'data':[}", "the answer is no JSON"},
      {"cohere", "{'embeddings':{'float':[[1],[2],[3]]}}",
       "a vector for input 2 of 2"},
      {"cohere", "{'embeddings':{'int8':[[1],[2]]}}",
       "the answer has no list of vectors"},
      {"gemini", "{'embeddings':[{'values':[1]},{}]}", "input 1 has no vector"},
      {"gemini", "{'embedding':{'values':[1]}}", "1 vectors for 2 inputs"},
      {"gemini", "{'embedding':[1]}", "the answer has no list of vectors"},
      {"vertex", "{'predictions':{}}", "the answer has no list of vectors"},
      {"vertex", "{'predictions':[{'embeddings':{'values':[1]}},{}]}",
       "input 1 has no vector"},
      {"vertex", "{'predictions':[]}", "0 vectors for 2 inputs"},
      {"ollama", "{'embeddings':[[1],[1,2]]}",
       "the vector of input 1 has 2 dimensions, others 1"},
      {"bedrock", "{'embedding':[1],'inputTextTokenCount':1}",
       "1 vectors for 2 inputs"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    embed_reading r;
    read_init(&r, 2);
    assert_int_equal(read_run(&r, cases[i].type, quoted(cases[i].body)),
                     INFER_E_PROTOCOL);
    assert_buf(&r.why, cases[i].why);
    read_fini(&r);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_request_from_json),
      cmocka_unit_test(test_bad_requests_are_refused),
      cmocka_unit_test(test_slices_hold_what_is_allowed),
      cmocka_unit_test(test_limits_are_the_services_own),
      cmocka_unit_test(test_every_row_that_embeds_has_the_means),
      cmocka_unit_test(test_what_each_service_is_sent),
      cmocka_unit_test(test_openai_itself_sends_base64),
      cmocka_unit_test(test_bedrock_signs),
      cmocka_unit_test(test_what_has_no_place_is_refused),
      cmocka_unit_test(test_what_each_service_answers),
      cmocka_unit_test(test_no_cut_is_a_success),
      cmocka_unit_test(test_bad_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
