/* SPDX-License-Identifier: MIT */
/* Scripts: what is read, what is refused and how that is told. */
#include "part_util.h"

static void
errors_name_the_path(void **state)
{
  static const struct {
    const char *script, *error;
  } cases[] = {
      {"{", "line 1, column 2: "},
      {"[]", "must be an object"},
      {"{\"rule\":[]}", "rule: unknown member"},
      {"{\"rules\":{}}", "rules: must be an array"},
      {"{\"rules\":[{\"wen\":{}}]}", "rules[0].wen: unknown member"},
      {"{\"rules\":[{},{\"do\":{\"stats\":5}}]}",
       "rules[1].do.stats: unknown member"},
      {"{\"rules\":[{\"when\":{\"requests\":\"0\"}}]}",
       "rules[0].when.requests: must be like"},
      {"{\"rules\":[{\"when\":{\"requests\":\"5-3\"}}]}",
       "rules[0].when.requests: must be like"},
      {"{\"rules\":[{\"when\":{\"requests\":\"*/0\"}}]}",
       "rules[0].when.requests: must be like"},
      {"{\"rules\":[{\"when\":{\"probability\":1.5}}]}",
       "rules[0].when.probability: must be a number from 0 to 1"},
      {"{\"rules\":[{\"when\":{\"header\":{\"a\":[]}}}]}",
       "rules[0].when.header.a: must be a string or a number"},
      {"{\"rules\":[{\"when\":{\"stream\":1}}]}",
       "rules[0].when.stream: must be true or false"},
      {"{\"rules\":[{\"when\":{\"model\":\"a\"},\"do\":{\"reset\":"
       "\"accept\"}}]}",
       "rules[0]: \"reset\": \"accept\" happens before there is a request"},
      {"{\"defaults\":{\"reset\":\"accept\"}}",
       "defaults: \"reset\": \"accept\" belongs in a rule"},
      {"{\"defaults\":{\"reset\":\"later\"}}",
       "defaults.reset: must be one of \"none\", \"accept\""},
      {"{\"defaults\":{\"reset\":{}}}",
       "defaults.reset: needs either after_bytes or after_tokens"},
      {"{\"defaults\":{\"cut\":{\"after_bytes\":1,\"after_tokens\":1}}}",
       "defaults.cut: needs either after_bytes or after_tokens"},
      {"{\"defaults\":{\"cut\":{\"after\":1}}}",
       "defaults.cut.after: unknown member"},
      {"{\"defaults\":{\"status\":99}}",
       "defaults.status: must be from 200 to 599"},
      {"{\"defaults\":{\"status\":\"x\"}}",
       "defaults.status: must be a whole number from 0"},
      {"{\"defaults\":{\"first_token_ms\":-1}}",
       "defaults.first_token_ms: must be a number or a distribution"},
      {"{\"defaults\":{\"first_token_ms\":{\"dist\":\"normal\",\"p50\":1,"
       "\"p95\":2}}}",
       "defaults.first_token_ms: must be a number or a distribution"},
      {"{\"defaults\":{\"first_token_ms\":{\"dist\":\"lognormal\",\"p50\":3,"
       "\"p95\":2}}}",
       "defaults.first_token_ms: must have 0 < p50 <= p95"},
      {"{\"defaults\":{\"first_token_ms\":{\"uniform\":[2,1]}}}",
       "defaults.first_token_ms: must be a number or a distribution"},
      {"{\"defaults\":{\"first_token_ms\":{\"mix\":[[0,5]]}}}",
       "defaults.first_token_ms: all weights are 0"},
      {"{\"defaults\":{\"first_token_ms\":{\"mix\":[[1,{\"mix\":[[1,{\"mix\":"
       "[[1,{\"mix\":[[1,{\"mix\":[[1,1]]}]]}]]}]]}]]}}}",
       "defaults.first_token_ms: must be a number or a distribution"},
      {"{\"defaults\":{\"first_token_ms\":{\"quantiles\":[[0,1]]}}}",
       "defaults.first_token_ms: must be a number or a distribution"},
      {"{\"defaults\":{\"first_token_ms\":{\"quantiles\":[[0,1],[0.5,2]]}}}",
       "defaults.first_token_ms: quantiles must be pairs"},
      {"{\"defaults\":{\"first_token_ms\":{\"quantiles\":[[0.1,1],[1,2]]}}}",
       "defaults.first_token_ms: quantiles must be pairs"},
      {"{\"defaults\":{\"first_token_ms\":{\"quantiles\":[[0,3],[1,2]]}}}",
       "defaults.first_token_ms: quantiles must be pairs"},
      {"{\"defaults\":{\"first_token_ms\":{\"quantiles\":[[0,1],[0,2],[1,3]]"
       "}}}",
       "defaults.first_token_ms: quantiles must be pairs"},
      {"{\"defaults\":{\"silence\":true,\"silence\":false}}",
       "defaults.silence: given twice"},
      {"{\"defaults\":{\"tool_calls\":[{\"id\":\"a\"}]}}",
       "defaults.tool_calls[0]: needs a name"},
      {"{\"defaults\":{\"tool_calls\":[{\"name\":\"f\",\"args\":1}]}}",
       "defaults.tool_calls[0].args: unknown member"},
      {"{\"defaults\":{\"usage\":[]}}", "defaults.usage: must be an object"},
      {"{\"defaults\":{\"headers\":\"soon\"}}",
       "defaults.headers: must be one of \"first_token\""},
      {"{\"defaults\":{\"limit\":{\"per\":\"key\"}}}",
       "defaults.limit: needs requests_per_minute or tokens_per_minute"},
      {"{\"defaults\":{\"limit\":{\"requests_per_minute\":9,"
       "\"others_requests_per_minute\":9}}}",
       "defaults.limit: leaves nothing: others take it all"},
      {"{\"defaults\":{\"limit\":{\"per\":\"day\"}}}",
       "defaults.limit.per: must be one of \"key\", \"model\""},
      {"{\"prices\":{\"a\":{\"input\":-1}}}",
       "prices.a.input: must be dollars per million tokens"},
      {"{\"down\":[{\"from_ms\":5,\"until_ms\":5}]}",
       "down[0]: must end after it begins"},
      {"{\"down\":[{\"from_ms\":1,\"until_ms\":5},{\"from_ms\":4,"
       "\"until_ms\":9}]}",
       "down[1]: must end after it begins"},
      {"{\"models\":[1]}", "models[0]: must be a string"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    inf_buf error;
    inf_buf_init(&error, 8192);
    inf_sim_script *script =
        inf_sim_script_read(inf_sv_from(cases[i].script), &error);
    if (script || strncmp(inf_buf_cstr(&error), cases[i].error,
                          strlen(cases[i].error)) != 0)
      fail_msg("%s gave: %s", cases[i].script, inf_buf_cstr(&error));
    inf_buf_fini(&error);
  }
}

static void
an_empty_script_is_one(void **state)
{
  (void)state;
  inf_sim_script *script = read_script("  \n");
  assert_int_equal(script->rule_count, 0);
  assert_int_equal((int)script->defaults.tokens.a, 16);
  inf_sim_script_unref(script);
}

static void
rules_lie_over_the_defaults(void **state)
{
  (void)state;
  inf_sim_script *script = read_script(
      "{\"rules\":[{\"do\":{\"text\":\"b\",\"silence\":false,\"status\":null}},"
      "{\"do\":{\"limit\":false,\"cut\":{\"after_tokens\":3}}}],"
      "\"defaults\":{\"text\":\"a\",\"silence\":true,\"status\":500,"
      "\"first_token_ms\":7,\"limit\":{\"requests_per_minute\":60}},"
      "\"x-note\":[1]}");
  const inf_sim_behaviour *first = &script->rules[0].behaviour;
  const inf_sim_behaviour *second = &script->rules[1].behaviour;
  assert_string_equal(first->text.sv.ptr, "b");
  assert_false(first->silence);
  assert_false(first->status.set);
  assert_true(first->first_token_ms.a == 7);
  /* The same object: the limit is shared. */
  assert_ptr_equal(first->limit, script->defaults.limit);
  assert_int_equal(first->limit->burst, 60);
  assert_string_equal(second->text.sv.ptr, "a");
  assert_true(second->silence);
  assert_int_equal(second->status.value, 500);
  assert_null(second->limit);
  assert_true(second->cut.tokens && second->cut.at == 3);
  inf_sim_script_unref(script);
}

static void
json_values_become_one_line(void **state)
{
  (void)state;
  inf_sim_script *script = read_script(
      "{\"defaults\":{\"usage\":{\n \"a b\" : [ 1 ,\t2.50 ],\"c\":\"x \\\" "
      "y\"\n},\"body\":{ \"k\" : 1 },\"tool_calls\":[{\"name\":\"f\","
      "\"arguments\":{ \"a\" : \" \" }}]}}");
  const inf_sim_behaviour *b = &script->defaults;
  assert_true(
      inf_sv_eq(b->usage, INF_SV("{\"a b\":[1,2.50],\"c\":\"x \\\" y\"}")));
  assert_true(inf_sv_eq(b->body.sv, INF_SV("{\"k\":1}")));
  assert_true(b->body_is_json);
  assert_true(inf_sv_eq(b->tools.items[0].arguments, INF_SV("{\"a\":\" \"}")));
  inf_sim_script_unref(script);
}

static void
prices_are_exact(void **state)
{
  (void)state;
  inf_sim_script *script = read_script(
      "{\"prices\":{\"gpt-4o*\":{\"input\":0.15,\"output\":0.6,\"cached\":"
      "0.075},\"*\":{\"input\":0.0125}}}");
  const inf_sim_price *price =
      inf_sim_script_price(script, INF_SV("gpt-4o-mini"));
  assert_int_equal(price->input, 150000000);
  assert_int_equal(price->output, 600000000);
  assert_int_equal(price->cached, 75000000);
  price = inf_sim_script_price(script, INF_SV("other"));
  assert_int_equal(price->input, 12500000);
  assert_int_equal(price->output, 0);
  assert_int_equal(price->cached, 12500000); /* as any input */
  inf_sim_script_unref(script);
}

/* The indented blocks of the manual's recipes that begin with a brace. */
static void
the_manual_is_right(void **state)
{
  (void)state;
  FILE *file = fopen(INFER_SOURCE_DIR "/docs/sim.md", "r");
  assert_non_null(file);
  char line[512], block[4096] = "";
  bool in_recipes = false;
  size_t count = 0, len = 0;
  while (fgets(line, sizeof(line), file)) {
    if (strncmp(line, "## ", 3) == 0)
      in_recipes = strcmp(line, "## Recipes\n") == 0;
    bool indented = strncmp(line, "    ", 4) == 0;
    if (in_recipes && indented) {
      assert_true(len + strlen(line) < sizeof(block));
      memcpy(block + len, line, strlen(line) + 1);
      len += strlen(line);
    } else if (len > 0) {
      inf_sim_script_unref(read_script(block));
      count++;
      len = 0;
    }
  }
  fclose(file);
  assert_int_equal(count, 6);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(errors_name_the_path),
      cmocka_unit_test(an_empty_script_is_one),
      cmocka_unit_test(rules_lie_over_the_defaults),
      cmocka_unit_test(json_values_become_one_line),
      cmocka_unit_test(prices_are_exact),
      cmocka_unit_test(the_manual_is_right),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
