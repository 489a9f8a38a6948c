/* SPDX-License-Identifier: MIT */
/* What models cost, by target and by provider. */
#include "config/compile_price.h"

#include "config_util.h"

#define PRICED(prices)                                        \
  "{'name':'house','type':'openai','base_url':'http://h/v1'," \
  "'models':{'kimi':'long/kimi'},'prices':" prices "}"
#define UNKNOWN INF_PRICE_UNKNOWN

static void
has_price(const inf_target_config *target, inf_price price)
{
  assert_memory_equal(&target->price, &price, sizeof price);
}

/* The model as it is named in the request. */
static void
direct_has_price(const char *prices, const char *model, inf_price price)
{
  char text[800];
  snprintf(text, sizeof text, "{'providers':[" PRICED("%s") "]}", prices);
  inf_config *config = compiled(text);
  const inf_route_config *route;
  assert_int_equal(inf_config_resolve(config, inf_sv_from(model), &route, NULL),
                   INFER_OK);
  has_price(&route->targets[0], price);
  inf_config_release_route(config, route);
  inf_config_unref(config);
}

static void
target_has_price(const char *prices, const char *target, inf_price price)
{
  char text[800];
  snprintf(text, sizeof text,
           "{'providers':[" PRICED("%s") "],'routes':{'r':{'targets':[%s]}}}",
           prices, target);
  inf_config *config = compiled(text);
  has_price(&config->routes[0].targets[0], price);
  inf_config_unref(config);
}

static void
prices_refused(const char *prices, const char *message)
{
  char text[800], wanted[300];
  snprintf(text, sizeof text, "{'providers':[" PRICED("%s") "]}", prices);
  snprintf(wanted, sizeof wanted, "providers[0].prices%s", message);
  refused(text, wanted);
}

static const inf_price none = INF_PRICE_NONE;
static const inf_price all = {1000000, 2000000, 3000000, 4000000,
                              5000000, 6000000, 7000000};
static const inf_price plain = {1000000, 2000000, UNKNOWN, UNKNOWN,
                                UNKNOWN, UNKNOWN, UNKNOWN};
#define ALL                                                             \
  "{'input':1,'output':2,'cache_read':3,'cache_write':4,'reasoning':5," \
  "'audio_input':6,'audio_output':7}"
#define PLAIN "{'input':1,'output':2}"

static void
a_provider_knows_its_models(void **state)
{
  (void)state;
  direct_has_price("{'m':" ALL "}", "house/m", all);
  direct_has_price("{'m':" ALL "}", "house/x", none);
  direct_has_price("{}", "house/m", none);
  target_has_price("{'m':" ALL "}", "'house/m'", all);
  target_has_price("{'m':" ALL "}", "{'target':'house/m'}", all);
  target_has_price("{'m':" ALL "}", "'house/x'", none);
}

static void
a_model_is_known_by_both_its_names(void **state)
{
  (void)state;
  direct_has_price("{'kimi':" PLAIN "}", "house/kimi", plain);
  direct_has_price("{'long/kimi':" PLAIN "}", "house/kimi", plain);
  direct_has_price("{'long/kimi':" PLAIN "}", "house/long/kimi", plain);
  direct_has_price("{'long/kimi':" PLAIN ",'kimi':" ALL "}", "house/kimi", all);
}

static void
a_star_is_any_other(void **state)
{
  (void)state;
  direct_has_price("{'*':" PLAIN ",'m':" ALL "}", "house/m", all);
  direct_has_price("{'*':" PLAIN ",'m':" ALL "}", "house/x", plain);
}

static void
the_target_comes_first(void **state)
{
  (void)state;
  const inf_price input = {9000000, 2000000, UNKNOWN, UNKNOWN,
                           5000000, UNKNOWN, 7000000};
  const inf_price free_of_charge = {0,       0,       UNKNOWN, UNKNOWN,
                                    UNKNOWN, UNKNOWN, UNKNOWN};
  target_has_price("{'m':" ALL "}", "{'target':'house/m','price':{'input':9}}",
                   input);
  target_has_price("{'m':" ALL "}",
                   "{'target':'house/m','price':{'input':0,'output':0}}",
                   free_of_charge);
}

static void
wrong_prices_are_refused(void **state)
{
  (void)state;
  prices_refused("[]", ": expected an object, got an array");
  prices_refused("{'m':1}", ".m: expected an object, got 1");
  prices_refused("{'m':{'input':-1}}",
                 ".m.input: expected a number from 0 to 10000, got -1");
  prices_refused("{'m':{'inputs':1}}",
                 ".m.inputs: unknown option (did you mean \"input\"?)");
  prices_refused("{'m':{'weight':1}}", ".m.weight: unknown option");
  prices_refused("{'':{'input':1}}", ".'': names no model");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_provider_knows_its_models, clear_environment),
      cmocka_unit_test_setup(a_model_is_known_by_both_its_names,
                             clear_environment),
      cmocka_unit_test_setup(a_star_is_any_other, clear_environment),
      cmocka_unit_test_setup(the_target_comes_first, clear_environment),
      cmocka_unit_test_setup(wrong_prices_are_refused, clear_environment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
