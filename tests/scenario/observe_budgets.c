/* SPDX-License-Identifier: MIT */
/* Options of budgets: see observe.h. An answer is 20 tokens and 5, and costs 25
 * micro-dollars. */
#include "observe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SCRIPT                                            \
  "{'defaults':{'text':'ok','usage':{'prompt_tokens':20," \
  "'completion_tokens':5,'total_tokens':25}}}"
#define PRICED(model) "{'target':'a/" model "','price':{'input':1,'output':1}}"
#define CONFIG                                                             \
  "{'providers':[{'name':'a','type':'openai','base_url':'$1'}],'routes':{" \
  "'r':{'targets':[" PRICED(                                               \
      "x") ",{'target':'a/free','price':{'input':0,"                       \
           "'output':0}}]},'unknown':{'targets':['a/y']}}%s}"

/* What has come of some calls, one after the other. */
typedef struct seen {
  int32_t status;
  char message[300], trail[100], stats[16 << 10];
} seen;

static void
call(world *w, const char *model, const char *tenant, seen *it)
{
  infer_request *request = world_request(model, "Hi");
  infer_request_set_int(request, "max_tokens", 5);
  infer_request_set_tenant(request, tenant);
  outcome o = world_run(w, request, false);
  char *json = NULL;
  it->status = o.status;
  snprintf(it->message, sizeof it->message, "%s", infer_error_message(o.error));
  snprintf(it->trail, sizeof it->trail, "%s", outcome_trail(&o));
  assert_int_equal(infer_client_stats(w->client, &json, NULL), INFER_OK);
  snprintf(it->stats, sizeof it->stats, "%s", strstr(json, "\"budgets\":"));
  infer_text_free(json);
  outcome_end(&o);
  infer_request_free(request);
}

/* Two calls, of tenants t and u; the second is looked at. */
static seen *
second_of(const char *budgets, const char *model)
{
  static seen it;
  char config[1200];
  snprintf(config, sizeof config, CONFIG, budgets);
  world w = observe_world(SCRIPT, config);
  call(&w, model, "t", &it);
  call(&w, model, "u", &it);
  world_end(&w);
  return &it;
}

#define ONE_BUDGET(members) ",'budgets':[{'name':'n','usd':0.00003" members "}]"

static void
differs(const char *one, int32_t status, const char *other, int32_t and)
{
  assert_int_equal(second_of(one, "r")->status, status);
  assert_int_equal(second_of(other, "r")->status, and);
}

void
observe_budgets(void **state)
{
  (void)state;
  differs("", INFER_OK, ONE_BUDGET(""), INFER_E_BUDGET);
}

void
observe_budgets_file(void **state)
{
  (void)state;
  char config[1200];
  snprintf(config, sizeof config, CONFIG,
           ONE_BUDGET("") ",'budgets_file':'$DIR/spent'");
  world w = {0};
  static seen it;
  world_folder(&w);
  world_sim(&w, 1, SCRIPT);
  for (int start = 0; start < 2; start++) {
    world_client(&w, config);
    call(&w, "r", "t", &it);
    assert_int_equal(it.status, start == 0 ? INFER_OK : INFER_E_BUDGET);
    infer_client_free(w.client);
    w.client = NULL;
  }
  world_end(&w);
}

void
observe_budget_name(void **state)
{
  (void)state;
  assert_non_null(
      strstr(second_of(ONE_BUDGET(""), "r")->message, "budget \"n\""));
  assert_non_null(strstr(
      second_of(",'budgets':[{'name':'other','usd':0.00003}]", "r")->message,
      "budget \"other\""));
}

void
observe_budget_per(void **state)
{
  (void)state;
  differs(ONE_BUDGET(""), INFER_E_BUDGET, ONE_BUDGET(",'per':'tenant'"),
          INFER_OK);
}

void
observe_budget_period(void **state)
{
  (void)state;
  assert_non_null(
      strstr(second_of(ONE_BUDGET(""), "r")->message, "of the month"));
  assert_non_null(strstr(second_of(ONE_BUDGET(",'period':'day'"), "r")->message,
                         "of the day"));
}

void
observe_budget_usd(void **state)
{
  (void)state;
  differs(ONE_BUDGET(""), INFER_E_BUDGET,
          ",'budgets':[{'name':'n','usd':0.001}]", INFER_OK);
}

void
observe_budget_tokens(void **state)
{
  (void)state;
  differs(",'budgets':[{'name':'n','tokens':30}]", INFER_E_BUDGET,
          ",'budgets':[{'name':'n','tokens':1000}]", INFER_OK);
}

void
observe_budget_warn(void **state)
{
  (void)state;
  assert_non_null(
      strstr(second_of(ONE_BUDGET(""), "r")->stats, "\"warned\":true"));
  assert_non_null(strstr(second_of(ONE_BUDGET(",'warn':0.99"), "r")->stats,
                         "\"warned\":false"));
}

void
observe_budget_at_limit(void **state)
{
  (void)state;
  differs(ONE_BUDGET(""), INFER_E_BUDGET, ONE_BUDGET(",'at_limit':'cheaper'"),
          INFER_OK);
  assert_string_equal(
      second_of(ONE_BUDGET(",'at_limit':'cheaper'"), "r")->trail,
      "a/free failover OK");
}

void
observe_budget_without_price(void **state)
{
  (void)state;
  assert_int_equal(second_of(ONE_BUDGET(""), "unknown")->status,
                   INFER_E_BUDGET);
  assert_int_equal(
      second_of(ONE_BUDGET(",'without_price':'allow'"), "unknown")->status,
      INFER_OK);
}

static int64_t
resets_at(const char *budgets)
{
  static const char member[] = "\"resets_at\":";
  const char *at = strstr(second_of(budgets, "r")->stats, member);
  assert_non_null(at);
  return strtoll(at + strlen(member), NULL, 10);
}

/* Ends of months, an hour and a half before midnight UTC. */
void
observe_budget_utc_offset_minutes(void **state)
{
  (void)state;
  assert_int_equal(resets_at(ONE_BUDGET("")) % 86400, 0);
  assert_int_equal(resets_at(ONE_BUDGET(",'utc_offset_minutes':90")) % 86400,
                   86400 - 90 * 60);
}
