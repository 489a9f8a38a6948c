/* SPDX-License-Identifier: MIT */
/* What becomes of an answer that a plug-in reads, well or badly: noisy_plugin.h
 * has the commands. */
#include "unit/plugin_support.h"

static inf_plugin *lines, *events, *documents;

static int
make_plugins(void **state)
{
  (void)state;
  infer_provider_descriptor descriptor = noisy_descriptor(INFER_FRAMING_CUSTOM);
  lines = plugin_made(&descriptor);
  descriptor.framing = INFER_FRAMING_SSE;
  events = plugin_made(&descriptor);
  descriptor.framing = INFER_FRAMING_WHOLE;
  documents = plugin_made(&descriptor);
  return 0;
}

static int
free_plugins(void **state)
{
  (void)state;
  inf_plugin_unref(lines);
  inf_plugin_unref(events);
  inf_plugin_unref(documents);
  return 0;
}

/* ---- What makes sense ---------------------------------------------------- */

static void
an_answer_is_read_as_stream_and_as_body(void **state)
{
  (void)state;
  static const char body[] =
      "ia1;mm-2\nrhm\nta;d\"\\u00e9\\n\"\ns;s\nl0t1,f,{;l1t2,g\nl1,,{}\n"
      "l0other,,}\nu3,4\nftool_use\nu3,5\n;e\n";
  for (size_t step = 0; step < 4; step++)
    for (int stream = 0; stream < 2; stream++) {
      reading r;
      plugin_read(&r, lines, stream, body, step, INFER_OK);
      const inf_choice *choice = inf_answer_choice(&r.answer, 0);
      assert_buf(&choice->text, "a\xc3\xa9\nab");
      assert_buf(&choice->reasoning, "hm");
      assert_int_equal(choice->tool_call_count, 2);
      assert_buf(&choice->tool_calls[0].id, "t1");
      assert_buf(&choice->tool_calls[0].arguments, "{}");
      assert_buf(&choice->tool_calls[1].name, "g");
      assert_buf(&choice->tool_calls[1].arguments, "{}");
      assert_buf(&choice->finish_reason, "tool_calls");
      assert_buf(&choice->native_finish_reason, "tool_use");
      assert_buf(&r.answer.id, "a1");
      assert_buf(&r.answer.model, "m-2");
      assert_int_equal(r.answer.usage.input, 3);
      assert_int_equal(r.answer.usage.output, 5);
      assert_false(r.answer.usage.estimated);
      reading_fini(&r);
    }
}

/* The state is zero at the first event, also of a decoder used before. */
static void
state_is_of_one_response(void **state)
{
  (void)state;
  reading r;
  plugin_read(&r, lines, true, "s;s\ns\ngstop;e\n", 1, INFER_OK);
  assert_buf(&inf_answer_choice(&r.answer, 0)->text, "abc");
  inf_answer_reuse(&r.answer, r.options.max_body_bytes);
  inf_decoder_reuse(&r.decoder, &r.options, &r.answer);
  assert_int_equal(reading_run(&r, 200, S("s\ngstop;e\n"), 0), INFER_OK);
  assert_buf(&inf_answer_choice(&r.answer, 0)->text, "a");
  reading_fini(&r);
}

static void
stop_with_tool_calls_is_tool_calls(void **state)
{
  (void)state;
  reading r;
  plugin_read(&r, lines, true, "l0a,f,{}\nfend_turn;e\n", 0, INFER_OK);
  assert_buf(&inf_answer_choice(&r.answer, 0)->finish_reason, "tool_calls");
  reading_fini(&r);
}

/* Text of a framing of texts is made valid before the plug-in sees it. */
static void
bytes_of_events_are_repaired(void **state)
{
  (void)state;
  reading r;
  plugin_read(&r, events, true, "data: ta\xff\n\ndata: gstop;e\n\n", 0,
              INFER_OK);
  assert_buf(&inf_answer_choice(&r.answer, 0)->text, "a\xef\xbf\xbd");
  reading_fini(&r);
}

static void
members_without_a_function_pass_through(void **state)
{
  (void)state;
  static const char body[] =
      "ta;kx\\\"y;kx\\\"y\nj[{\"t\":1}]\nkcontent;kusage;kid\n"
      "D{\"a\":1,\"b\":2}\ngstop;e\n";
  for (int stream = 0; stream < 2; stream++) {
    reading r;
    plugin_read(&r, lines, stream, body, 0, INFER_OK);
    const char *json = inf_buf_cstr(&r.json);
    /* A member of a stream that comes again goes on. */
    assert_json_at(json, "/choices/0/message/x\"y", stream ? "[1,1]" : "[1]");
    assert_json_at(json, "/x\"y", "{}");
    assert_json_at(json, "/j", "[{\"t\":1}]");
    assert_json_at(json, "/choices/0/message/j", "[{\"t\":1}]");
    assert_json_at(json, "/choices/0/logprobs/content", "[{\"t\":1}]");
    assert_json_at(json, "/choices/0/message/content", "\"a2\"");
    assert_json_at(json, "/created", "77");
    assert_json_at(json, "/choices/0/message/usage", "[1]");
    assert_true(json_has(json, "/usage/completion_tokens"));
    reading_fini(&r);
  }
}

/* Hooks of a framing of JSON need not check. */
static void
events_of_json_are_json(void **state)
{
  (void)state;
  static const int32_t framings[] = {INFER_FRAMING_NDJSON,
                                     INFER_FRAMING_JSON_ARRAY};
  static const char *const bodies[] = {
      "{\"do\":\"ta\\n\"}\n{\"do\":\"tb\"\n[]\n7\n{\"do\":\"gstop;e\"}\n",
      "[{\"do\":\"ta\\n\"},[],7,{\"do\":\"gstop;e\"}]"};
  for (size_t i = 0; i < 2; i++) {
    reading r;
    infer_provider_descriptor descriptor = noisy_descriptor(framings[i]);
    inf_plugin *plugin = plugin_made(&descriptor);
    plugin_read(&r, plugin, true, bodies[i], 3, INFER_OK);
    assert_buf(&inf_answer_choice(&r.answer, 0)->text, "a\n");
    assert_int_equal(r.decoder.skipped_events, i == 0 ? 3 : 2);
    reading_fini(&r);
    inf_plugin_unref(plugin);
  }
}

/* ---- The end ------------------------------------------------------------- */

static void
an_end_that_was_forgotten_is_a_cut(void **state)
{
  (void)state;
  static const struct {
    const char *body;
    int32_t status;
  } ends[] = {
      {"ta\n", INFER_E_TRUNCATED},     {"ta\ntb", INFER_E_TRUNCATED},
      {"ta\ngstop\n", INFER_OK},       {"ta;e\n", INFER_OK},
      {"ta\ngstop\ne", INFER_OK},      {"e\n", INFER_E_PROTOCOL},
      {"u1,2\n", INFER_E_TRUNCATED},   {"", INFER_E_TRUNCATED},
      {"ta;o39\ngstop;e\n", INFER_OK},
  };
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
    for (size_t step = 0; step < 3; step++) {
      reading r;
      plugin_read(&r, lines, true, ends[i].body, step, ends[i].status);
      reading_fini(&r);
    }
}

static void
a_body_must_say_that_it_is_done(void **state)
{
  (void)state;
  reading r;
  plugin_read(&r, documents, false, "ta\n", 0, INFER_E_TRUNCATED);
  reading_fini(&r);
  plugin_read(&r, documents, false, "ta\ngstop\n", 0, INFER_OK);
  reading_fini(&r);
  plugin_read(&r, documents, false, "\n\n  ta\ngstop\n", 0, INFER_E_PROTOCOL);
  reading_fini(&r);
  plugin_read(&r, documents, false, "e\n", 0, INFER_E_PROTOCOL);
  reading_fini(&r);
}

/* What a broken connection left behind is whole if the plug-in saw its end. */
static void
a_broken_body_must_show_its_end(void **state)
{
  (void)state;
  static const char *const bodies[] = {"ta\ngsto", "ta\ngstop;e"};
  for (size_t i = 0; i < 2; i++) {
    reading r;
    inf_decoder_options options = default_options(false);
    options.kind = &documents->kind;
    reading_init(&r, options);
    inf_decoder_headers(&r.decoder, 200, &r.headers, 0);
    inf_decoder_feed(&r.decoder, bodies[i], strlen(bodies[i]));
    assert_int_equal(inf_decoder_end(&r.decoder, false),
                     i == 0 ? INFER_E_TRUNCATED : INFER_OK);
    reading_fini(&r);
  }
}

/* Two choices were asked for, and one came. */
static void
every_choice_must_end(void **state)
{
  (void)state;
  for (int stream = 0; stream < 2; stream++) {
    reading r;
    inf_decoder_options options = default_options(stream);
    options.kind = &lines->kind;
    options.choices = 2;
    reading_init(&r, options);
    assert_int_equal(reading_run(&r, 200, S("ta;c1b;gstop\n"), 0),
                     INFER_E_TRUNCATED);
    reading_fini(&r);
  }
}

/* ---- Nonsense ------------------------------------------------------------ */

static void
nonsense_ends_the_attempt_with_its_name(void **state)
{
  (void)state;
  static const struct {
    const char *body, *words;
  } noise[] = {
      {"ta\xff\n", "text that is not UTF-8"},
      {"r\xc3\n", "text that is not UTF-8"},
      {"i\xed\xa0\x80\n", "text that is not UTF-8"},
      {"l0a\xff,f,{}\n", "text that is not UTF-8"},
      {"l1a,f,{}\n", "a tool call out of its order"},
      {"l0a,f,{};l9b,g,{}\n", "a tool call out of its order"},
      {"l0a,,{}\n", "began a tool call without a name"},
      {"c3x\n", "a choice that was not asked for"},
      {"c\x01x\n", "a choice that was not asked for"},
      {"ta;gstop;tb\n", "after its finish reason"},
      {"ta;gstop\nl0a,f,{}\n", "after its finish reason"},
      {"ta;gstop\ngstop\n", "after its finish reason"},
      {"ta;e;tb\n", "gave more after the end"},
      {"ta;g\n", "a finish reason without a word"},
      {"ta;f\n", "a finish reason without a word"},
      {"x7\n", "a class that providers do not have"},
      {"x0\n", "a class that providers do not have"},
      {"ta;j{}\n", "gave JSON that is none"},
      {"ta;j[1\n", "gave JSON that is none"},
      {"ta;ka\"b\n", "gave JSON that is none"},
      {"ta;ka\\\n", "gave JSON that is none"},
      {"ta;k\n", "gave a member without a name"},
      {"ta;C{\n", "gave JSON that is none"},
      {"ta;o77\n", "gave -77, which it must not"},
      {"ta;o-1\n", "gave 1, which it must not"},
      {"ta;o8\n", "gave -8, which it must not"},
  };
  for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++)
    for (int stream = 0; stream < 2; stream++) {
      reading r;
      plugin_read(&r, lines, stream, noise[i].body, 0, INFER_E_PROTOCOL);
      const char *message = inf_buf_cstr(&r.decoder.failure.message);
      if (!strstr(message, noise[i].words) || !strstr(message, "\"noisy\""))
        fail_msg("%s: %s", noise[i].body, message);
      reading_fini(&r);
    }
}

static void
null_is_nothing(void **state)
{
  (void)state;
  reading r;
  plugin_read(&r, lines, true, "ta;n;gstop;e\n", 0, INFER_OK);
  assert_buf(&inf_answer_choice(&r.answer, 0)->text, "a");
  reading_fini(&r);
}

static void
events_that_split_cannot_mean_end_it(void **state)
{
  (void)state;
  reading r;
  plugin_read(&r, lines, true, "ta\nNta\n", 0, INFER_E_PROTOCOL);
  assert_buf(&r.decoder.failure.message,
             "the stream has bytes that are no event");
  reading_fini(&r);
  plugin_read(&r, lines, true, "ta\nZta\n", 0, INFER_E_PROTOCOL);
  reading_fini(&r);
}

static void
a_bad_event_is_skipped_and_counted(void **state)
{
  (void)state;
  reading r;
  plugin_read(&r, lines, true, "ta\n?\nta;o39\ngstop;e\n", 0, INFER_OK);
  assert_int_equal(r.decoder.skipped_events, 2);
  assert_buf(&inf_answer_choice(&r.answer, 0)->text, "aa");
  reading_fini(&r);
}

/* ---- Failures ------------------------------------------------------------ */

static void
a_failure_has_class_code_words_and_hint(void **state)
{
  (void)state;
  reading r;
  plugin_read(&r, lines, true, "ta\nx29\ntb\nu1,2\ngstop;e\n", 0,
              INFER_E_OVERLOADED);
  assert_buf(&r.decoder.failure.message, "failed");
  assert_buf(&r.decoder.failure.code, "c");
  assert_int_equal(r.decoder.failure.hint_ns, 250000000);
  assert_buf(&inf_answer_choice(&r.answer, 0)->text, "a");
  assert_int_equal(r.answer.usage.output, 2);
  reading_fini(&r);
}

static void
a_failure_may_be_json(void **state)
{
  (void)state;
  reading r;
  plugin_read(&r, lines, true,
              "ta\nC{\"error\":{\"message\":\"m\",\"code\":"
              "\"rate_limit_exceeded\"}}\n",
              0, INFER_E_RATE_LIMITED);
  assert_buf(&r.decoder.failure.message, "m");
  reading_fini(&r);
  plugin_read(&r, documents, false, "D<html>x\n", 0, INFER_E_PROTOCOL);
  assert_non_null(strstr(inf_buf_cstr(&r.decoder.failure.message), "HTML"));
  reading_fini(&r);
  plugin_read(&r, documents, false, "D{\"a\":", 0, INFER_E_TRUNCATED);
  reading_fini(&r);
}

static void
short_of_memory(void *context)
{
  (void)context;
  reading r;
  infer_provider_descriptor descriptor = noisy_descriptor(INFER_FRAMING_CUSTOM);
  char why[INF_PLUGIN_WHY_MAX] = "";
  inf_plugin *plugin;
  if (inf_plugin_new(&descriptor, &plugin, why) != INFER_OK)
    return;
  inf_decoder_options options = default_options(true);
  options.kind = &plugin->kind;
  reading_init(&r, options);
  int32_t status = reading_run(
      &r, 200, S("s;d\"\\n\";l0a,f,{\nl0,,};d\"\\u00e9\"\ngstop;e\n"), 3);
  if (fail_alloc_hits() == 0)
    assert_int_equal(status, INFER_OK);
  else if (status != INFER_OK)
    assert_int_equal(status, INFER_E_NO_MEMORY);
  reading_fini(&r);
  inf_plugin_unref(plugin);
}

static void
memory_may_be_short(void **state)
{
  (void)state;
  free_plugins(NULL);
  fail_alloc_install();
  assert_true(fail_alloc_sweep(short_of_memory, NULL) > 10);
  fail_alloc_uninstall();
  make_plugins(NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_is_read_as_stream_and_as_body),
      cmocka_unit_test(state_is_of_one_response),
      cmocka_unit_test(stop_with_tool_calls_is_tool_calls),
      cmocka_unit_test(bytes_of_events_are_repaired),
      cmocka_unit_test(an_end_that_was_forgotten_is_a_cut),
      cmocka_unit_test(a_body_must_say_that_it_is_done),
      cmocka_unit_test(a_broken_body_must_show_its_end),
      cmocka_unit_test(every_choice_must_end),
      cmocka_unit_test(nonsense_ends_the_attempt_with_its_name),
      cmocka_unit_test(null_is_nothing),
      cmocka_unit_test(events_that_split_cannot_mean_end_it),
      cmocka_unit_test(a_bad_event_is_skipped_and_counted),
      cmocka_unit_test(a_failure_has_class_code_words_and_hint),
      cmocka_unit_test(members_without_a_function_pass_through),
      cmocka_unit_test(events_of_json_are_json),
      cmocka_unit_test(a_failure_may_be_json),
      cmocka_unit_test(memory_may_be_short),
  };
  return cmocka_run_group_tests(tests, make_plugins, free_plugins);
}
