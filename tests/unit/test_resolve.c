/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#define TWO                                                                    \
  "{'providers':[" HOUSE ",{'name':'openai','api_key':'k','upstream':'unary'," \
  "'models':{'kimi':'https://c/m/k','a/b':'c'}},{'name':'fast','type':"        \
  "'clarifai','api_key':'k','models':['kimi','only-here']}],"                  \
  "'defaults':{'retries':7},'routes':{'fast':{'targets':['house/m']},"         \
  "'gpt-4o':{'targets':['house/m']}}}"

static void
direct(const inf_config *config, const char *model, const char *provider,
       const char *name, const char *sent)
{
  infer_error *error = NULL;
  const inf_route_config *route;
  if (inf_config_resolve(config, inf_sv_from(model), &route, &error))
    fail_msg("%s", infer_error_message(error));
  assert_string_equal(route->name, "");
  assert_int_equal(route->target_count, 1);
  assert_string_equal(route->targets[0].provider->name, provider);
  assert_string_equal(route->targets[0].name, name);
  assert_string_equal(route->targets[0].model, sent);
  assert_int_equal(route->params.retries, config->defaults.retries);
  assert_int_equal(route->require_label_count, 0);
  inf_config_release_route(config, route);
}

static void
fails(const inf_config *config, const char *model, const char *message)
{
  infer_error *error = NULL;
  const inf_route_config *route;
  char *wanted = quoted(message);
  assert_int_equal(
      inf_config_resolve(config, inf_sv_from(model), &route, &error),
      INFER_E_CONFIG);
  assert_null(route);
  assert_string_equal(infer_error_message(error), wanted);
  infer_error_free(error);
  free(wanted);
}

static void
a_route_comes_first(void **state)
{
  (void)state;
  const inf_route_config *route;
  inf_config *config = compiled(TWO);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(inf_config_resolve(config,
                                        inf_sv_from(config->routes[i].name),
                                        &route, NULL),
                     INFER_OK);
    assert_ptr_equal(route, &config->routes[i]);
    inf_config_release_route(config, route);
  }
  inf_config_release_route(config, NULL);
  inf_config_unref(config);
}

static void
then_a_provider_and_its_model(void **state)
{
  (void)state;
  inf_config *config = compiled(TWO);
  direct(config, "house/m", "house", "house/m", "m");
  direct(config, "house/org/m", "house", "house/org/m", "org/m");
  direct(config, "openai/kimi", "openai", "openai/kimi", "https://c/m/k");
  direct(config, "fast/m", "fast", "fast/m", "m");
  const inf_route_config *route;
  assert_int_equal(inf_config_resolve(config, INF_SV("openai/x"), &route, NULL),
                   INFER_OK);
  assert_int_equal(route->targets[0].upstream, INF_UPSTREAM_UNARY);
  inf_config_release_route(config, route);
  inf_config_unref(config);
}

static void
then_what_one_provider_claims(void **state)
{
  (void)state;
  inf_config *config = compiled(TWO);
  direct(config, "only-here", "fast", "fast/only-here", "only-here");
  direct(config, "a/b", "openai", "openai/a/b", "c");
  direct(config, "https://clarifai.com/u/a/models/m", "fast",
         "fast/https://clarifai.com/u/a/models/m",
         "https://clarifai.com/u/a/models/m");
  fails(config, "kimi",
        "model 'kimi' is claimed by more than one provider (say which, as in "
        "'provider/model'): openai, fast");
  fails(config, "gpt-4.1",
        "model 'gpt-4.1' is claimed by more than one provider (say which, as "
        "in 'provider/model'): house, openai");
  inf_config_unref(config);
}

static void
else_the_choices_are_told(void **state)
{
  (void)state;
  static const char *const models[] = {"nothing", "",   "other/m",
                                       "house/",  "/m", "Fast"};
  inf_config *config = compiled(TWO);
  for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
    infer_error *error = NULL;
    const inf_route_config *route;
    assert_int_equal(
        inf_config_resolve(config, inf_sv_from(models[i]), &route, &error),
        INFER_E_CONFIG);
    assert_non_null(strstr(infer_error_message(error),
                           "there are routes: fast, gpt-4o; providers, as in "
                           "\"provider/model\": house, openai, fast"));
    infer_error_free(error);
  }
  inf_config_unref(config);
}

static void
at_most_ten_choices_are_told(void **state)
{
  (void)state;
  char text[4000];
  size_t len = (size_t)snprintf(text, sizeof text,
                                "{'providers':[" HOUSE "],'routes':{");
  for (int i = 0; i < 13; i++)
    len += (size_t)snprintf(text + len, sizeof text - len,
                            "%s'r%d':{'targets':['house/m']}", i ? "," : "", i);
  snprintf(text + len, sizeof text - len, "}}");
  inf_config *config = compiled(text);
  infer_error *error = NULL;
  const inf_route_config *route;
  assert_int_equal(inf_config_resolve(config, INF_SV("x"), &route, &error),
                   INFER_E_CONFIG);
  assert_non_null(strstr(infer_error_message(error), "r8, r9 and 3 more;"));
  assert_null(strstr(infer_error_message(error), "r10"));
  infer_error_free(error);
  inf_config_unref(config);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_route_comes_first),
      cmocka_unit_test(then_a_provider_and_its_model),
      cmocka_unit_test(then_what_one_provider_claims),
      cmocka_unit_test(else_the_choices_are_told),
      cmocka_unit_test(at_most_ten_choices_are_told),
  };
  return cmocka_run_group_tests(tests, clear_environment, NULL);
}
