/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/redact.h"

static void
shows(const char *text, const char *wanted)
{
  char *json = quoted(text), *expected = quoted(wanted);
  inf_node *node;
  inf_buf out;
  inf_buf_init(&out, 100000);
  assert_int_equal(
      inf_node_parse(inf_sv_from(json), inf_sv_of(NULL, 0), NULL, &node, NULL),
      INFER_OK);
  inf_redact_write(node, &out);
  assert_int_equal(out.status, INFER_OK);
  assert_string_equal(inf_buf_cstr(&out), expected);
  inf_buf_fini(&out);
  inf_node_free(node);
  free(json);
  free(expected);
}

static void
provider_shows(const char *members, const char *wanted)
{
  char before[2000], after[2000];
  snprintf(before, sizeof before, "{'providers':[{%s}]}", members);
  snprintf(after, sizeof after, "{'providers':[{%s}]}", wanted);
  shows(before, after);
}

static void
hides_written_out_keys(void **state)
{
  (void)state;
  provider_shows("'api_key':'sk-1'", "'api_key':'***'");
  provider_shows("'api_key':['sk-1',{'key':'sk-2','project':'p'},'env:A']",
                 "'api_key':['***',{'key':'***','project':'p'},'env:A']");
  provider_shows("'api_key':123", "'api_key':'***'");
  provider_shows("'api_key':{'kye':'sk-3','x-note':'mine'}",
                 "'api_key':{'kye':'***','x-note':'mine'}");
  provider_shows("'api_key':[['sk-4']]", "'api_key':[['***']]");
  provider_shows("'api_key':'\\u0065nv:A'", "'api_key':'***'");
}

static void
shows_where_secrets_are(void **state)
{
  (void)state;
  provider_shows("'api_key':'env:A'", "'api_key':'env:A'");
  provider_shows("'api_key':'file:/a'", "'api_key':'file:/a'");
}

static void
hides_headers_and_parameters(void **state)
{
  (void)state;
  provider_shows("'headers':{'X-Api-Key':'a','x-team':'b','Cookie':'env:C'}",
                 "'headers':{'X-Api-Key':'***','x-team':'b','Cookie':'env:C'}");
  provider_shows("'query':{'key':'a','api-version':'2'}",
                 "'query':{'key':'***','api-version':'2'}");
  provider_shows("'models':{'key':'***'}", "'models':{'key':'***'}");
}

static void
hides_users_in_addresses(void **state)
{
  (void)state;
  provider_shows("'proxy':'http://u:p@h:1'", "'proxy':'http://***@h:1'");
  provider_shows("'proxy':'http://u:p\\u0040h:1'", "'proxy':'http://***@h:1'");
  provider_shows("'proxy':'u:p@h:1'", "'proxy':'***@h:1'");
  provider_shows("'proxy':'http://h:1'", "'proxy':'http://h:1'");
  provider_shows("'proxy':['http://u:p@h']", "'proxy':['***']");
  provider_shows("'base_url':'http://u:p@h/v1'",
                 "'base_url':'http://***@h/v1'");
}

static void
hides_what_is_unknown(void **state)
{
  (void)state;
  provider_shows("'api_kye':'sk-1','x-mine':'shown'",
                 "'api_kye':'***','x-mine':'shown'");
  provider_shows("'nested':{'a':['sk-1',7,null,'env:A']}",
                 "'nested':{'a':['***','***',null,'env:A']}");
  shows("{'api_key':'sk-1','threads':1}", "{'api_key':'***','threads':1}");
  shows("{'routes':{'r':{'api_key':'sk-1','retries':2,"
        "'timeouts':{'idle_ms':1},'targets':['a/b'],'x-a':1}}}",
        "{'routes':{'r':{'api_key':'***','retries':2,"
        "'timeouts':{'idle_ms':1},'targets':['a/b'],'x-a':1}}}");
  shows("{'defaults':{'key':'sk'},'providers':['sk'],'routes':{'r':'sk'}}",
        "{'defaults':{'key':'***'},'providers':['***'],'routes':{'r':'***'}}");
  shows("{'providers':'sk-1'}", "{'providers':'***'}");
  shows("'sk-1'", "'***'");
}

static void
shows_everything_else(void **state)
{
  (void)state;
  static const char text[] =
      "'name':'p','type':'openai','labels':['a'],'body':{'a':[1.50]},"
      "'tls_verify':true,'ca_pem':'-----BEGIN','resolve':['h:1:::1']";
  provider_shows(text, text);
  static const char hedge[] =
      "{'defaults':{'hedge':{'budget':5e-2,'percentile':99.9}},'routes':{'r':"
      "{'targets':['a/b'],'hedge':{},'race_on':'answer'}}}";
  shows(hedge, hedge);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hides_written_out_keys),
      cmocka_unit_test(shows_where_secrets_are),
      cmocka_unit_test(hides_headers_and_parameters),
      cmocka_unit_test(hides_users_in_addresses),
      cmocka_unit_test(hides_what_is_unknown),
      cmocka_unit_test(shows_everything_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
