/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/compile_extras.h"

#define WITH "'base_url':'http://h',"

static void
takes_headers(void **state)
{
  (void)state;
  setenv("INFER_TEST_KEY", "from env", 1);
  inf_config *config =
      provider_compiled(WITH "'headers':{'X-Team':'a b','x-api-key':"
                             "'env:INFER_TEST_KEY','x-other':'env:NO'}");
  static const char wanted[] =
      "X-Team: a b\0x-api-key: from env\0x-other: env:NO";
  const inf_buf *headers = &config->providers[0].headers;
  assert_int_equal(headers->len, sizeof wanted);
  assert_memory_equal(headers->ptr, wanted, sizeof wanted);
  inf_config_unref(config);
  unsetenv("INFER_TEST_KEY");
}

static void
headers_may_be_many(void **state)
{
  (void)state;
  char text[4000];
  size_t len = (size_t)snprintf(text, sizeof text, WITH "'headers':{");
  for (int i = 0; i < 64; i++)
    len += (size_t)snprintf(text + len, sizeof text - len,
                            "%s'X-%d':'value number %d'", i ? "," : "", i, i);
  snprintf(text + len, sizeof text - len, "}");
  inf_config *config = provider_compiled(text);
  const inf_buf *headers = &config->providers[0].headers;
  size_t count = 0;
  for (size_t i = 0; i < headers->len; i++)
    count += headers->ptr[i] == '\0';
  assert_int_equal(count, 64);
  inf_config_unref(config);
  snprintf(text + len, sizeof text - len, ",'X-64':'one more'}");
  provider_refused(text, "providers[0].headers: more than 64 entries");
}

static void
refuses_headers(void **state)
{
  (void)state;
  static const char *const reserved[] = {
      "Host",   "content-length", "Transfer-Encoding", "connection",
      "Expect", "content-type",   "Accept-Encoding"};
  for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
    char text[200], message[200];
    snprintf(text, sizeof text, WITH "'headers':{'%s':'a'}", reserved[i]);
    snprintf(message, sizeof message,
             "providers[0].headers.%s: is set by the library and cannot be "
             "given",
             reserved[i]);
    provider_refused(text, message);
  }
  provider_refused(WITH "'headers':{'a b':'c'}",
                   "providers[0].headers.'a b': is no name of an HTTP header");
  provider_refused(WITH "'headers':{'':'c'}",
                   "providers[0].headers.'': is no name of an HTTP header");
  provider_refused(WITH "'headers':{'a\\r\\nb':'c'}",
                   "providers[0].headers.'a  b': is no name of an HTTP "
                   "header");
  provider_refused(WITH "'headers':{'a':'b\\r\\nX: y'}",
                   "providers[0].headers.a: contains control characters");
  provider_refused(WITH "'headers':{'a':''}",
                   "providers[0].headers.a: is empty");
  provider_refused(WITH "'headers':{'a':' b'}",
                   "providers[0].headers.a: is no value of an HTTP header");
  provider_refused(WITH "'headers':{'a':5}",
                   "providers[0].headers.a: expected a string, got 5");
  provider_refused(WITH "'headers':['a: b']",
                   "providers[0].headers: expected an object of strings, got "
                   "an array");
  provider_refused(WITH "'headers':{'X-A':'1','x-a':'2'}",
                   "providers[0].headers.x-a: given twice (names of headers "
                   "ignore case)");
  provider_refused(WITH "'headers':{'Cookie':'env:INFER_TEST_NONE'}",
                   "providers[0].headers.Cookie: environment variable "
                   "INFER_TEST_NONE is not set");
}

static void
authorization_needs_the_scheme_none(void **state)
{
  (void)state;
  provider_refused(WITH "'headers':{'Authorization':'Basic x'}",
                   "providers[0].headers.Authorization: is made of api_key "
                   "(set auth_scheme to 'none' to give it here)");
  inf_config *config = provider_compiled(
      WITH "'auth_scheme':'none','headers':{'Authorization':'Basic x'}");
  assert_string_equal(config->providers[0].headers.ptr,
                      "Authorization: Basic x");
  assert_string_equal(config->providers[0].auth_scheme, "");
  inf_config_unref(config);
}

static void
takes_query_parameters(void **state)
{
  (void)state;
  setenv("INFER_TEST_KEY", "a&b", 1);
  inf_config *config =
      provider_compiled(WITH "'query':{'api-version':'2024 10','k\\u00e9y=':'',"
                             "'key':'env:INFER_TEST_KEY'}");
  assert_string_equal(config->providers[0].query.ptr,
                      "api-version=2024%2010&k%C3%A9y%3D=&key=a%26b");
  inf_config_unref(config);
  unsetenv("INFER_TEST_KEY");
  provider_refused(WITH "'query':{'':'a'}",
                   "providers[0].query.'': is no name of a query parameter");
  provider_refused(WITH "'query':{'a':true}",
                   "providers[0].query.a: expected a string, got true");
  provider_refused(WITH "'query':{'a':'\\n'}",
                   "providers[0].query.a: contains control characters");
  provider_refused(WITH "'query':'a=b'",
                   "providers[0].query: expected an object of strings, got a "
                   "string");
}

static void
takes_body_members(void **state)
{
  (void)state;
  inf_config *config =
      provider_compiled(WITH "'body':{ 'a' : [1.50], 'user':'u' }");
  char *wanted = quoted("{'a':[1.50],'user':'u'}");
  assert_string_equal(config->providers[0].body.ptr, wanted);
  free(wanted);
  inf_config_unref(config);
  config = provider_compiled(WITH "'body':{}");
  assert_int_equal(config->providers[0].body.len, 0);
  inf_config_unref(config);
  provider_refused(WITH "'body':[]",
                   "providers[0].body: expected an object, got an array");
  provider_refused(
      WITH "'body':{'model':'m'}",
      "providers[0].body.model: belongs to the request and cannot be given");
  provider_refused(
      WITH "'body':{'messages':[]}",
      "providers[0].body.messages: belongs to the request and cannot be given");
  provider_refused(
      WITH "'body':{'stream':true}",
      "providers[0].body.stream: belongs to the request and cannot be given");
}

static void
what_embeddings_get_is_said_apart(void **state)
{
  (void)state;
  inf_config *config =
      provider_compiled(WITH "'embed_body':{'truncate':'END'},'body':{'a':1}");
  assert_string_equal(inf_buf_cstr(&config->providers[0].embed_body),
                      "{\"truncate\":\"END\"}");
  assert_string_equal(inf_buf_cstr(&config->providers[0].body), "{\"a\":1}");
  inf_config_unref(config);
  provider_refused(WITH "'embed_body':[]",
                   "providers[0].embed_body: expected an object, got an array");
  static const char *const own[] = {"model", "input", "encoding_format",
                                    "dimensions"};
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
    char members[100], message[200];
    snprintf(members, sizeof members, WITH "'embed_body':{'%s':1}", own[i]);
    snprintf(message, sizeof message,
             "providers[0].embed_body.%s: belongs to the request and cannot be "
             "given",
             own[i]);
    provider_refused(members, message);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_headers),
      cmocka_unit_test(headers_may_be_many),
      cmocka_unit_test(refuses_headers),
      cmocka_unit_test(authorization_needs_the_scheme_none),
      cmocka_unit_test(takes_query_parameters),
      cmocka_unit_test(takes_body_members),
      cmocka_unit_test(what_embeddings_get_is_said_apart),
  };
  return cmocka_run_group_tests(tests, clear_environment, NULL);
}
