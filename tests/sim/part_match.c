/* SPDX-License-Identifier: MIT */
/* Which rule a request falls under. */
#include "part_util.h"

#include "sim_match.h"

#include "base/clock.h"

static void
globs(void **state)
{
  static const struct {
    const char *pattern, *text;
    bool fits;
  } cases[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"*", "abc", true},
      {"abc", "abc", true},
      {"abc", "abcd", false},
      {"a*", "abc", true},
      {"*c", "abc", true},
      {"a*c", "abc", true},
      {"a*c", "abcd", false},
      {"*b*", "abc", true},
      {"a**c", "ac", true},
      {"*ab*ab", "abab", true},
      {"*ab*ab", "ab", false},
      {"gpt-*-mini", "gpt-4o-mini", true},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    if (inf_sim_glob(inf_sv_from(cases[i].pattern),
                     inf_sv_from(cases[i].text)) != cases[i].fits)
      fail_msg("%s on %s", cases[i].pattern, cases[i].text);
  }
}

static inf_rng rng;

static inf_sim_facts
chat_with(const char *model)
{
  return (inf_sim_facts){.model = inf_sv_from(model),
                         .path = INF_SV("/v1/chat/completions"),
                         .key = INF_SV("k1"),
                         .chat = true};
}

/* The index of the rule, or -1. */
static long
match(inf_sim_script *script, const inf_sim_facts *facts)
{
  inf_sim_rule *rule = inf_sim_match(script, facts, &rng);
  return rule ? (long)(rule - script->rules) : -1;
}

static void
the_first_rule_wins(void **state)
{
  (void)state;
  inf_sim_script *script =
      read_script("{\"rules\":[{\"when\":{\"model\":\"a*\"}},"
                  "{\"when\":{\"model\":\"ab\"}},{\"when\":{}}]}");
  inf_sim_facts facts = chat_with("ab");
  assert_int_equal(match(script, &facts), 0);
  facts = chat_with("b");
  assert_int_equal(match(script, &facts), 2);
  inf_sim_script_unref(script);
}

static void
requests_are_counted_per_rule(void **state)
{
  static const struct {
    const char *numbers;
    const char *wanted; /* of requests 1 to 8 */
  } cases[] = {
      {"\"3\"", "00100000"},  {"3", "00100000"},       {"\"1-2\"", "11000000"},
      {"\"6-\"", "00000111"}, {"\"*/2\"", "01010101"}, {"\"*/3\"", "00100100"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char text[128];
    snprintf(text, sizeof(text),
             "{\"rules\":[{\"when\":{\"model\":\"m\",\"requests\":%s}}]}",
             cases[i].numbers);
    inf_sim_script *script = read_script(text);
    for (size_t n = 0; n < 8; n++) {
      inf_sim_facts facts = chat_with("m"), other = chat_with("other");
      assert_int_equal(match(script, &other), -1); /* is not counted */
      assert_int_equal(match(script, &facts),
                       cases[i].wanted[n] == '1' ? 0 : -1);
    }
    inf_sim_script_restart(script);
    assert_int_equal(script->rules[0].seen, 0);
    inf_sim_script_unref(script);
  }
}

static void
times_bound_a_rule(void **state)
{
  (void)state;
  inf_sim_script *script =
      read_script("{\"rules\":[{\"when\":{\"after_ms\":10,\"until_ms\":20}}]}");
  inf_sim_facts facts = chat_with("m");
  static const struct {
    uint64_t ns;
    long rule;
  } cases[] = {{0, -1},
               {10 * INF_NS_PER_MS - 1, -1},
               {10 * INF_NS_PER_MS, 0},
               {20 * INF_NS_PER_MS - 1, 0},
               {20 * INF_NS_PER_MS, -1}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    facts.since_ns = cases[i].ns;
    assert_int_equal(match(script, &facts), cases[i].rule);
  }
  inf_sim_script_unref(script);
}

static void
each_condition_counts(void **state)
{
  (void)state;
  inf_headers headers;
  inf_headers_init(&headers, 1024);
  inf_headers_add_line(&headers, INF_SV("X-Trace: abc"));
  static const struct {
    const char *when;
    bool fits;
  } cases[] = {
      {"\"key\":\"k1\"", true},
      {"\"key\":\"k*\"", false}, /* exact, no glob */
      {"\"path\":\"/v1/*\"", true},
      {"\"path\":\"/v2/*\"", false},
      {"\"header\":{\"x-trace\":\"a*\"}", true},
      {"\"header\":{\"x-trace\":\"b*\"}", false},
      {"\"header\":{\"x-other\":\"*\"}", false},
      {"\"stream\":true", true},
      {"\"stream\":false", false},
      {"\"prefill\":false", true},
      {"\"prefill\":true", false},
      {"\"reused\":true", true},
      {"\"reused\":false", false},
      {"\"probability\":0", false},
      {"\"probability\":1", true},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char text[128];
    snprintf(text, sizeof(text), "{\"rules\":[{\"when\":{%s}}]}",
             cases[i].when);
    inf_sim_script *script = read_script(text);
    inf_sim_facts facts = chat_with("m");
    facts.headers = &headers;
    facts.stream = facts.reused = true;
    if ((match(script, &facts) == 0) != cases[i].fits)
      fail_msg("%s", cases[i].when);
    inf_sim_script_unref(script);
  }
  inf_headers_fini(&headers);
}

static void
chances_come_from_the_seed(void **state)
{
  (void)state;
  inf_sim_script *script =
      read_script("{\"rules\":[{\"when\":{\"probability\":0.25}}]}");
  inf_sim_facts facts = chat_with("m");
  unsigned hits = 0;
  char first[64], second[64];
  for (int run = 0; run < 2; run++) {
    inf_rng_seed(&rng, 7);
    for (size_t i = 0; i < sizeof(first); i++)
      (run ? second : first)[i] = match(script, &facts) == 0;
  }
  assert_memory_equal(first, second, sizeof(first));
  for (int i = 0; i < 20000; i++)
    hits += match(script, &facts) == 0;
  assert_in_range(hits, 4700, 5300); /* 5000, sigma 61 */
  inf_sim_script_unref(script);
}

static void
other_paths_need_a_rule_that_names_them(void **state)
{
  (void)state;
  inf_sim_script *script = read_script(
      "{\"rules\":[{\"when\":{}},{\"when\":{\"path\":\"*/models\"}}]}");
  inf_sim_facts facts = {.path = INF_SV("/v1/models")};
  assert_int_equal(match(script, &facts), 1);
  inf_sim_script_unref(script);
}

static void
resets_at_accept_are_apart(void **state)
{
  (void)state;
  inf_sim_script *script = read_script(
      "{\"rules\":[{\"when\":{\"requests\":\"2\"},\"do\":{\"reset\":"
      "\"accept\"}},{}]}");
  inf_sim_facts facts = chat_with("m");
  assert_false(inf_sim_match_accept(script, 0, &rng));
  assert_int_equal(match(script, &facts), 1);
  assert_true(inf_sim_match_accept(script, 0, &rng));
  assert_false(inf_sim_match_accept(script, 0, &rng));
  inf_sim_script_unref(script);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(globs),
      cmocka_unit_test(the_first_rule_wins),
      cmocka_unit_test(requests_are_counted_per_rule),
      cmocka_unit_test(times_bound_a_rule),
      cmocka_unit_test(each_condition_counts),
      cmocka_unit_test(chances_come_from_the_seed),
      cmocka_unit_test(other_paths_need_a_rule_that_names_them),
      cmocka_unit_test(resets_at_accept_are_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
