/* SPDX-License-Identifier: MIT */
/* What may be spent, as the document says it. */
#include "config/compile_budgets.h"

#include "config_util.h"

#define DOCUMENT "{'providers':[{'name':'openai','api_key':'k'}],'budgets':%s}"

static inf_config *
with_budgets(const char *budgets)
{
  char text[2000];
  snprintf(text, sizeof text, DOCUMENT, budgets);
  return compiled(text);
}

static void
budgets_refused(const char *budgets, const char *message)
{
  char text[2000];
  snprintf(text, sizeof text, DOCUMENT, budgets);
  refused(text, message);
}

static void
what_is_left_out_is_usual(void **state)
{
  (void)state;
  inf_config *config = with_budgets("[{'name':'all','usd':100}]");
  assert_int_equal(config->budget_count, 1);
  const inf_budget_config *budget = &config->budgets[0];
  assert_string_equal(budget->name, "all");
  assert_int_equal(budget->kind, INF_BUDGET_PER_CLIENT);
  assert_int_equal(budget->rule.limit.nano_usd, 100000000000);
  assert_true(budget->rule.limit.tokens < 0);
  assert_int_equal(budget->rule.warn, 800000);
  assert_int_equal(budget->rule.period, INF_BUDGET_MONTH);
  assert_int_equal(budget->rule.offset_minutes, 0);
  assert_int_equal(budget->at_limit, 0);
  assert_int_equal(budget->without_price, 0);
  assert_null(config->budgets_file);
  inf_config_unref(config);
  config = with_budgets("[]");
  assert_int_equal(config->budget_count, 0);
  inf_config_unref(config);
}

static void
all_of_it_is_read(void **state)
{
  (void)state;
  inf_config *config = with_budgets(
      "[{'name':'t','per':'tag:team','period':'day','usd':0.000001,'tokens':7,"
      "'warn':0.5,'at_limit':'cheaper','without_price':'allow',"
      "'utc_offset_minutes':-300},{'name':'r','per':'route','tokens':0},"
      "{'name':'n','per':'tenant','usd':1000000000}],'budgets_file':'/x/y'");
  const inf_budget_config *budget = &config->budgets[0];
  assert_int_equal(budget->kind, INF_BUDGET_PER_TAG);
  assert_string_equal(budget->per, "tag:team");
  assert_int_equal(budget->rule.limit.nano_usd, 1000);
  assert_int_equal(budget->rule.limit.tokens, 7);
  assert_int_equal(budget->rule.warn, 500000);
  assert_int_equal(budget->rule.period, INF_BUDGET_DAY);
  assert_int_equal(budget->rule.offset_minutes, -300);
  assert_int_equal(budget->at_limit, 1);
  assert_int_equal(budget->without_price, 1);
  assert_int_equal(config->budgets[1].kind, INF_BUDGET_PER_ROUTE);
  assert_int_equal(config->budgets[1].rule.limit.tokens, 0);
  assert_true(config->budgets[1].rule.limit.nano_usd < 0);
  assert_int_equal(config->budgets[2].kind, INF_BUDGET_PER_TENANT);
  assert_true(config->budgets[2].rule.limit.nano_usd == 1000000000000000000);
  assert_string_equal(config->budgets_file, "/x/y");
  inf_config_unref(config);
}

static void
mistakes_are_named(void **state)
{
  (void)state;
  budgets_refused("{}", "budgets: expected an array of budgets");
  budgets_refused("[3]", "budgets[0]: expected an object");
  budgets_refused("[{'usd':1}]",
                  "budgets[0].name: expected a name of 1 to 64 bytes");
  budgets_refused("[{'name':'a'}]",
                  "budgets[0]: says no limit: give \"usd\" or \"tokens\"");
  budgets_refused("[{'name':'a','usd':1},{'name':'a','usd':1}]",
                  "budgets[1].name: \"a\" is there twice");
  budgets_refused("[{'name':'a','usd':1,'per':'tag:'}]",
                  "budgets[0].per: expected \"client\", \"route\", \"tenant\" "
                  "or \"tag:NAME\", got \"tag:\"");
  budgets_refused("[{'name':'a','usd':-1}]",
                  "budgets[0].usd: expected a number from 0 to 1000000000, got "
                  "-1");
  budgets_refused("[{'name':'a','usd':1}],'budgets_file':''",
                  "budgets_file: expected the path of a file");
  budgets_refused("[{'name':'a','usd':1}],'budgets_file':3",
                  "budgets_file: expected the path of a file, got 3");
  char many[2000] = "[", *end = many + 1;
  for (int i = 0; i <= INF_BUDGETS_MAX; i++)
    end += snprintf(end, 60, "%s{'name':'%d','usd':1}", i > 0 ? "," : "", i);
  snprintf(end, 2, "]");
  budgets_refused(many, "budgets: more than 16 budgets");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_left_out_is_usual),
      cmocka_unit_test(all_of_it_is_read),
      cmocka_unit_test(mistakes_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
