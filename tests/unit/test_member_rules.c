/* SPDX-License-Identifier: MIT */
#include "provider/member_rules.h"
#include "unit/writer_support.h"

/* The first member of the object. */
static inf_json_iter
first(inf_sv object)
{
  inf_json_iter it = inf_json_iter_of(object);
  assert_true(inf_json_next(&it));
  return it;
}

static inf_member_fate
fate_of(const char *rules, const char *object, inf_sv *to)
{
  inf_json_iter it = first(S(object));
  return inf_member_rule(rules, &it, to);
}

static void
test_each_word(void **state)
{
  (void)state;
  static const char rules[] = "a=b -c !d seed=random_seed";
  inf_sv to = S("");
  assert_int_equal(fate_of(NULL, "{\"a\":1}", &to), INF_MEMBER_AS_IS);
  assert_int_equal(fate_of("", "{\"a\":1}", &to), INF_MEMBER_AS_IS);
  assert_int_equal(fate_of(rules, "{\"x\":1}", &to), INF_MEMBER_AS_IS);
  assert_int_equal(fate_of(rules, "{\"b\":1}", &to), INF_MEMBER_AS_IS);
  assert_int_equal(fate_of(rules, "{\"a\":1}", &to), INF_MEMBER_RENAMED);
  assert_sv(to, "b");
  assert_int_equal(fate_of(rules, "{\"seed\":1}", &to), INF_MEMBER_RENAMED);
  assert_sv(to, "random_seed");
  assert_int_equal(fate_of(rules, "{\"c\":1}", &to), INF_MEMBER_LEFT_OUT);
  assert_int_equal(fate_of(rules, "{\"d\":1}", &to), INF_MEMBER_REFUSED);
  /* A name may be written with escapes, and is not a part of another. */
  assert_int_equal(fate_of(rules, "{\"\\u0064\":1}", &to), INF_MEMBER_REFUSED);
  assert_int_equal(fate_of(rules, "{\"dd\":1}", &to), INF_MEMBER_AS_IS);
  assert_int_equal(fate_of(rules, "{\"\":1}", &to), INF_MEMBER_AS_IS);
}

static void
test_what_is_dropped_is_noted(void **state)
{
  (void)state;
  inf_buf dropped;
  inf_send send = {.dropped = &dropped};
  inf_buf_init(&dropped, 64);
  inf_json_iter it = inf_json_iter_of(
      S("{\"user\":\"u\",\"store\":false,\"metadata\":{},\"stream_options\":"
        "{\"include_usage\":true},\"prompt_cache_key\":\"k\"}"));
  while (inf_json_next(&it))
    inf_member_note_dropped(&send, &it);
  assert_string_equal(inf_buf_cstr(&dropped), "user, prompt_cache_key");
  inf_buf_fini(&dropped);
  send.dropped = NULL;
  it = inf_json_iter_of(S("{\"user\":\"u\"}"));
  assert_true(inf_json_next(&it));
  inf_member_note_dropped(&send, &it);
}

static void
test_what_is_dropped_within_is_noted_once(void **state)
{
  (void)state;
  inf_buf dropped;
  inf_send send = {.dropped = &dropped};
  inf_buf_init(&dropped, 64);
  inf_sv object = S("{\"name\":\"f\",\"x\":1,\"na\":2,\"strict\":false}");
  inf_member_note_inner(&send, "tools", object, "name type");
  inf_member_note_inner(&send, "tools", object, "type name x");
  inf_member_note_inner(&send, "t", object, "na name");
  inf_member_note_inner(&send, "t", S("[1]"), "");
  assert_string_equal(inf_buf_cstr(&dropped), "tools.x, tools.na, t.x");
  inf_buf_fini(&dropped);
  send.dropped = NULL;
  inf_member_note_inner(&send, "t", object, "");
}

static void
test_a_full_list_says_that_there_is_more(void **state)
{
  (void)state;
  inf_buf dropped;
  inf_send send = {.dropped = &dropped};
  inf_buf_init(&dropped, 24);
  inf_json_iter it = inf_json_iter_of(
      S("{\"user\":\"u\",\"eleven_long\":1,\"x\":1,\"y\":1,\"z\":1}"));
  while (inf_json_next(&it))
    inf_member_note_dropped(&send, &it);
  assert_string_equal(inf_buf_cstr(&dropped), "user, eleven_long, ...");
  assert_int_equal(dropped.status, INFER_OK);
  inf_buf_fini(&dropped);
  inf_buf_init(&dropped, 2);
  it = inf_json_iter_of(S("{\"user\":\"u\"}"));
  assert_true(inf_json_next(&it));
  inf_member_note_dropped(&send, &it);
  assert_string_equal(inf_buf_cstr(&dropped), "");
  inf_buf_fini(&dropped);
}

static void
test_what_asks_for_nothing_is_left_out(void **state)
{
  (void)state;
  static const struct {
    const char *object;
    bool nothing;
  } cases[] = {
      {"{\"d\":null}", true},
      {"{\"d\":false}", true},
      {"{\"d\":0}", true},
      {"{\"d\":\"\"}", true},
      {"{\"d\":[ ]}", true},
      {"{\"d\":{}}", true},
      {"{\"d\":true}", false},
      {"{\"d\":1}", false},
      {"{\"d\":0.5}", false},
      {"{\"d\":\"x\"}", false},
      {"{\"d\":[0]}", false},
      {"{\"n\":1}", true},
      {"{\"n\":2}", false},
      {"{\"n\":null}", true},
      {"{\"seed\":0}", false},
      {"{\"seed\":null}", true},
      {"{\"web_search_options\":{}}", false},
      {"{\"parallel_tool_calls\":true}", true},
      {"{\"parallel_tool_calls\":false}", false},
      {"{\"service_tier\":\"auto\"}", true},
      {"{\"service_tier\":\"default\"}", true},
      {"{\"service_tier\":\"flex\"}", false},
      {"{\"modalities\":[\"text\"]}", true},
      {"{\"modalities\":[\"text\",\"audio\"]}", false},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    inf_json_iter it = first(S(cases[i].object));
    if (inf_member_asks_for_nothing(&it) != cases[i].nothing)
      fail_msg("%s", cases[i].object);
  }
}

static void
test_the_requests_members_hide_the_accounts(void **state)
{
  (void)state;
  writing w;
  inf_buf text;
  inf_buf_init(&text, 64);
  writing_init(&w, "openai",
               "{'a':1,'b':2,'messages':[{'role':'user','content':'x'}],"
               "'model':'m'}");
  w.send.body_members = S("{\"\\u0061\":9,\"c\":3,\"stream\":true,"
                          "\"model\":\"evil\",\"messages\":[]}");
  inf_member_walk walk = inf_member_walk_of(&w.send);
  while (inf_member_next(&walk))
    inf_buf_append_sv(&text, walk.it.value);
  assert_buf(&text, "123");
  inf_buf_fini(&text);
  assert_sv(inf_member_find(&w.send, S("a")), "1");
  assert_sv(inf_member_find(&w.send, S("c")), "3");
  assert_sv(inf_member_find(&w.send, S("d")), "");
  writing_fini(&w);
}

/* A rule of the catalogue on the way to a service of Chat Completions. */
static void
test_rules_of_kinds(void **state)
{
  (void)state;
  becomes("mistral", "'max_completion_tokens':9,'seed':1,'user':'u',",
          "'max_tokens':9,'random_seed':1,");
  becomes("mistral", "'max_completion_tokens':9,'max_tokens':8,",
          "'max_tokens':8,");
  becomes("openai", "'max_completion_tokens':9,'seed':1,'user':'u',",
          "'max_completion_tokens':9,'seed':1,'user':'u',");
  becomes("groq", "'logprobs':false,'n':1,'seed':1,", "'seed':1,");
  becomes("snowflake", "'max_tokens':9,", "'max_completion_tokens':9,");
  member_is_refused("groq", "'logprobs':true,",
                    "groq does not take \"logprobs\"");
  member_is_refused("groq", "'n':2,", "groq does not take \"n\"");
  member_is_refused("cerebras", "'frequency_penalty':0.5,",
                    "cerebras does not take \"frequency_penalty\"");
  member_is_refused("mistral", "'logit_bias':{'1':-1},",
                    "mistral does not take \"logit_bias\"");
}

/* Mistral counts without being asked and refuses to be. */
static void
test_stream_options(void **state)
{
  (void)state;
  static const char *const kinds[] = {"mistral", "writer", "openai"};
  static const bool sent[] = {false, true, true};
  for (size_t i = 0; i < 3; i++) {
    writing w;
    writing_init(&w, kinds[i],
                 "{'stream_options':{'include_usage':true},'messages':"
                 "[{'role':'user','content':'x'}],'model':'m'}");
    w.send.stream = true;
    assert_int_equal(writing_run(&w), INFER_OK);
    assert_int_equal(json_has(inf_buf_cstr(&w.out.body), "/stream_options"),
                     sent[i]);
    writing_fini(&w);
  }
}

/* A limit under another name is still less what was delivered. */
static void
test_a_renamed_limit_of_a_continuation(void **state)
{
  (void)state;
  writing w;
  writing_init(&w, "mistral",
               "{'max_completion_tokens':50,'messages':[{'role':'user',"
               "'content':'hi'}],'model':'m'}");
  w.send.partial = S("Once upon a time");
  w.send.partial_tokens = 4;
  w.send.prefill = INF_PREFILL_PREFIX;
  writing_check(&w, "{'model':'m','messages':[{'role':'user','content':'hi'},"
                    "{'role':'assistant','content':'Once upon a time',"
                    "'prefix':true}],'max_tokens':46}");
  writing_fini(&w);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_each_word),
      cmocka_unit_test(test_what_is_dropped_is_noted),
      cmocka_unit_test(test_what_is_dropped_within_is_noted_once),
      cmocka_unit_test(test_a_full_list_says_that_there_is_more),
      cmocka_unit_test(test_what_asks_for_nothing_is_left_out),
      cmocka_unit_test(test_the_requests_members_hide_the_accounts),
      cmocka_unit_test(test_rules_of_kinds),
      cmocka_unit_test(test_stream_options),
      cmocka_unit_test(test_a_renamed_limit_of_a_continuation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
