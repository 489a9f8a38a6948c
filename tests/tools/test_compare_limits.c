/* SPDX-License-Identifier: MIT */
/* Rate limits, out of the client's statistics. */

#include "compare_limits.h"
#include "compare_made.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static json_object *
new_stats(void)
{
  return json_tokener_parse("{\"limits\":[]}");
}

/* What a key and a model have, with one limit. */
static void
add_meter(json_object *stats, const char *provider, const char *model,
          const char *unit, int period_s, double units, const char *source)
{
  json_object *limit = json_object_new_object();
  json_object_object_add(limit, "unit", json_object_new_string(unit));
  json_object_object_add(limit, "period_s", json_object_new_int(period_s));
  json_object_object_add(limit, "limit", json_object_new_double(units));
  json_object_object_add(limit, "source", json_object_new_string(source));
  json_object *limits = json_object_new_array();
  json_object_array_add(limits, limit);
  json_object *meter = json_object_new_object();
  json_object_object_add(meter, "provider", json_object_new_string(provider));
  json_object_object_add(meter, "model", json_object_new_string(model));
  json_object_object_add(meter, "limits", limits);
  json_object_array_add(json_object_object_get(stats, "limits"), meter);
}

static void
take(inf_cmp_data *data, json_object *stats)
{
  assert_non_null(stats);
  inf_cmp_limits_take(data, stats);
  json_object_put(stats);
}

static void
assert_limits(const inf_cmp_data *data, size_t subject, const char *wanted)
{
  inf_buf out;
  inf_buf_init(&out, 1024);
  inf_cmp_limits_put(&out, &data->subjects[subject]);
  assert_string_equal(inf_buf_cstr(&out), wanted);
  inf_buf_fini(&out);
}

static void
test_of_a_model_or_of_all(void **state)
{
  (void)state;
  inf_cmp_data data;
  json_object *stats = new_stats();
  made_begin(&data, "a/x", "b/some/model");
  add_meter(stats, "a", "x", "requests", 60, 500, "provider");
  add_meter(stats, "a", "y", "requests", 60, 7, "provider");
  add_meter(stats, "a", "", "tokens", 3600, 9, "configuration");
  add_meter(stats, "b", "some/model", "requests", 86400, 3, "provider");
  add_meter(stats, "b", "model", "requests", 1, 4, "provider");
  add_meter(stats, "aa", "x", "requests", 1, 5, "provider");
  take(&data, stats);
  assert_limits(&data, 0, "500 requests a minute, 9 tokens an hour");
  assert_true(data.subjects[0].limits[0].told);
  assert_false(data.subjects[0].limits[1].told);
  assert_limits(&data, 1, "3 requests a day");
  inf_cmp_data_fini(&data);
}

/* Each key has its own, which are mostly the same. */
static void
test_each_once(void **state)
{
  (void)state;
  inf_cmp_data data;
  json_object *stats = new_stats();
  made_begin(&data, "a/x", "b/x");
  add_meter(stats, "a", "x", "requests", 10, 5, "provider");
  add_meter(stats, "a", "x", "requests", 10, 5, "provider");
  take(&data, stats);
  assert_limits(&data, 0, "5 requests in 10 s");
  assert_limits(&data, 1, "");
  inf_cmp_data_fini(&data);
}

static void
test_other_documents(void **state)
{
  (void)state;
  static const char *const texts[] = {
      "{}",
      "[]",
      "{\"limits\":1}",
      "{\"limits\":[1,null,{}]}",
      "{\"limits\":[{\"provider\":\"a\",\"model\":\"x\",\"limits\":{}}]}",
      "{\"limits\":[{\"provider\":\"a\",\"model\":\"x\",\"limits\":[1,{}]}]}",
  };
  inf_cmp_data data;
  made_begin(&data, "a/x", "b/x");
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    take(&data, json_tokener_parse(texts[i]));
    assert_int_equal(data.subjects[0].limit_count, 0);
  }
  inf_cmp_data_fini(&data);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_of_a_model_or_of_all),
      cmocka_unit_test(test_each_once),
      cmocka_unit_test(test_other_documents),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
