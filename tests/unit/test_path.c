/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/path.h"

static inf_path
parsed(const char *text)
{
  inf_path path;
  infer_error *error = NULL;
  int32_t status = inf_path_parse(inf_sv_from(text), &path, &error);
  if (status != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  return path;
}

static void
splits_at_dots(void **state)
{
  (void)state;
  inf_path path = parsed("routes.fast.timeouts.connect_ms");
  assert_int_equal(path.count, 4);
  assert_true(inf_sv_eq(path.segments[0], INF_SV("routes")));
  assert_true(inf_sv_eq(path.segments[3], INF_SV("connect_ms")));
  path = parsed("providers.\"my.house\".base_url");
  assert_int_equal(path.count, 3);
  assert_true(inf_sv_eq(path.segments[1], INF_SV("my.house")));
  path = parsed("\"a\"");
  assert_int_equal(path.count, 1);
}

static void
refuses_malformed_paths(void **state)
{
  (void)state;
  static const char *const bad[] = {"",
                                    ".",
                                    "a.",
                                    ".a",
                                    "a..b",
                                    "\"a",
                                    "a\"b\"",
                                    "\"\"",
                                    "\"a\"b",
                                    "a.\"b",
                                    "a\nb",
                                    "\xff",
                                    "a.b.c.d.e.f.g.h.i",
                                    "a.\"b\"."};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    infer_error *error = NULL;
    inf_path path;
    if (inf_path_parse(inf_sv_from(bad[i]), &path, &error) !=
        INFER_E_INVALID_ARGUMENT)
      fail_msg("%s is accepted", bad[i]);
    assert_int_equal(infer_error_status(error), INFER_E_INVALID_ARGUMENT);
    infer_error_free(error);
  }
}

/* What the document becomes, or NULL if it must be refused. */
static void
sets(const char *before, const char *path_text, const char *value,
     const char *after)
{
  infer_error *error = NULL;
  inf_node *document, *node;
  inf_path path = parsed(path_text);
  char *json = quoted(before), *new_json = quoted(value);
  char *wanted = quoted(after ? after : before);
  inf_buf out;
  inf_buf_init(&out, 10000);
  assert_int_equal(inf_node_parse(inf_sv_from(json), inf_sv_of(NULL, 0), NULL,
                                  &document, NULL),
                   INFER_OK);
  assert_int_equal(inf_node_parse(inf_sv_from(new_json),
                                  inf_path_value_name(&path), NULL, &node,
                                  NULL),
                   INFER_OK);
  int32_t status = inf_path_set(document, &path, node, &error);
  assert_int_equal(status, after ? INFER_OK : INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_error_status(error), status);
  inf_node_write(document, &out);
  assert_string_equal(inf_buf_cstr(&out), wanted);
  infer_error_free(error);
  inf_node_free(document);
  inf_buf_fini(&out);
  free(json);
  free(new_json);
  free(wanted);
}

static void
sets_members(void **state)
{
  (void)state;
  sets("{}", "threads", "0", "{'threads':0}");
  sets("{'threads':1,'a':2}", "threads", "0", "{'threads':0,'a':2}");
  sets("{}", "routes.fast.timeouts.idle_ms", "5",
       "{'routes':{'fast':{'timeouts':{'idle_ms':5}}}}");
  sets("{'routes':{'fast':{}}}", "routes.fast.retries", "5",
       "{'routes':{'fast':{'retries':5}}}");
  sets("{'defaults':{'a':1}}", "defaults", "{}", "{'defaults':{}}");
}

static void
finds_providers_by_name(void **state)
{
  (void)state;
  sets("{}", "providers.house.base_url", "'u'",
       "{'providers':[{'name':'house','base_url':'u'}]}");
  sets("{'providers':[{'name':'a'},{'name':'b','type':'t'}]}",
       "providers.b.type", "'s'",
       "{'providers':[{'name':'a'},{'name':'b','type':'s'}]}");
  sets("{'providers':[{'name':'a'}]}", "providers.\"b.c\".headers.X", "'1'",
       "{'providers':[{'name':'a'},{'name':'b.c','headers':{'X':'1'}}]}");
  sets("{'providers':[{'name':'a','x':1}]}", "providers.a", "{'y':2}",
       "{'providers':[{'name':'a','y':2}]}");
  sets("{}", "providers.a", "{'y':2,'name':'a'}",
       "{'providers':[{'y':2,'name':'a'}]}");
  sets("{'providers':[{'name':'a'}]}", "providers", "[]", "{'providers':[]}");
}

static void
null_removes(void **state)
{
  (void)state;
  sets("{'threads':1,'a':2}", "threads", "null", "{'a':2}");
  sets("{'a':2}", "routes.fast.retries", "null", "{'a':2}");
  sets("{'providers':[{'name':'a'},{'name':'b'}]}", "providers.a", "null",
       "{'providers':[{'name':'b'}]}");
}

static void
a_failure_changes_nothing(void **state)
{
  (void)state;
  sets("{'threads':1}", "threads.a", "1", NULL);
  sets("{'threads':1}", "threads.a", "null", NULL);
  sets("{'providers':{}}", "providers.a.type", "'t'", NULL);
  sets("{'providers':[{'name':'a','headers':3}]}", "providers.a.headers.X",
       "'1'", NULL);
  sets("{}", "providers.a", "7", NULL);
  sets("{}", "providers.a", "{'name':'b'}", NULL);
  sets("{'routes':[]}", "routes.fast.retries", "1", NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(splits_at_dots),
      cmocka_unit_test(refuses_malformed_paths),
      cmocka_unit_test(sets_members),
      cmocka_unit_test(finds_providers_by_name),
      cmocka_unit_test(null_removes),
      cmocka_unit_test(a_failure_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
