/* SPDX-License-Identifier: MIT */
#include "unit/anthropic_support.h"

#include "conformance/both_ways.h"

#define SAY(text)   DELTA(0, TEXT(text))
#define OPEN        START(0, "{'type':'text','text':''}")
#define ALL(deltas) STREAM(OPEN deltas STOP(0), "end_turn")
#define THINK(text) DELTA(0, "{'type':'thinking_delta','thinking':'" text "'}")

/* With the short way and without, whole, byte by byte and in between. */
static void
assert_alike(const char *stream)
{
  char *text = quoted(stream);
  both_kind = inf_provider_kind_find(S("anthropic"));
  for (size_t step = 0; step < 200; step += step < 4 ? 1 : 49) {
    const char *difference = both_compare(S(text), step);
    if (difference)
      fail_msg("%s differs, %zu bytes at a time: %s", difference, step, text);
  }
  free(text);
}

/* How many bytes the short way takes off the front of the text, when the
 * stream before it was read. */
static size_t
taken(const char *before, const char *text, size_t *count)
{
  inf_answer answer;
  inf_decoder decoder;
  inf_headers headers;
  inf_decoder_options options = default_options(true);
  char *first = quoted(before), *then = quoted(text);
  options.kind = inf_provider_kind_find(S("anthropic"));
  inf_headers_init(&headers, 16);
  inf_answer_init(&answer, options.max_body_bytes);
  inf_decoder_init(&decoder, &options, &answer);
  inf_decoder_headers(&decoder, 200, &headers, 0);
  inf_decoder_feed(&decoder, first, strlen(first));
  size_t len = inf_dialect_anthropic.read_alike(&decoder, S(then), count);
  inf_decoder_fini(&decoder);
  inf_answer_fini(&answer);
  inf_headers_fini(&headers);
  free(first);
  free(then);
  return len;
}

static void
test_a_run_is_taken_at_once(void **state)
{
  (void)state;
  size_t count;
  static const char run[] = SAY("b") SAY("") SAY("a longer text than that");
  assert_int_equal(taken(OPEN SAY("a"), run, &count), sizeof(run) - 1);
  assert_int_equal(count, 3);
  /* What is not plain ASCII too. */
  static const char odd[] = SAY("\xC3\xA9") SAY("\\u00e9\\n") SAY("c");
  assert_int_equal(taken(OPEN SAY("a"), odd, &count), sizeof(odd) - 1);
  assert_int_equal(count, 3);
  /* And thinking. */
  static const char thoughts[] = THINK("b") THINK("c");
  assert_int_equal(taken(OPEN THINK("a"), thoughts, &count),
                   sizeof(thoughts) - 1);
}

static void
test_spaces_before_the_last_bracket(void **state)
{
  (void)state;
  size_t count;
#define PADDED(text, spaces)                                         \
  "event: content_block_delta\ndata: {'type':'content_block_delta'," \
  "'index':0,'delta':{'type':'text_delta','text':'" text "'}" spaces "}\n\n"
  static const char run[] =
      PADDED("a", "") PADDED("b", "    ") PADDED("c", " ");
  assert_int_equal(taken(OPEN SAY("a"), run, &count), sizeof(run) - 1);
  assert_int_equal(taken(OPEN PADDED("a", "   "), run, &count),
                   sizeof(run) - 1);
  assert_alike(ALL(PADDED("a", "  ") PADDED("b", "") PADDED("c", "     ")));
}

static void
test_what_is_not_alike_ends_the_run(void **state)
{
  (void)state;
  size_t count;
  static const char *const others[] = {
      DELTA(1, TEXT("b")),
      THINK("b"),
      "event: ping\ndata: {'type': 'ping'}\n\n",
      "event: content_block_delta\ndata: {'type':'content_block_delta',"
      "'index':0,'delta':{'type':'text_delta','text':'b','more':1}}\n\n",
      "event: content_block_delta\ndata: {'type':'content_block_delta',"
      "'index':0,'delta':{'type':'text_delta','text':'b'}}\n",
      "event: content_block_delta\ndata: {'type':'content_block_delta',"
      "'index':0,'delta':{'type':'text_delta','text':'b'}}\ndata: x\n\n",
      "event: content_block_delta\ndata: {'type':'content_block_delta',"
      "'index':0,'delta':{'type':'text_delta','text':'b}}\n\n",
      "data: {'type':'content_block_delta','index':0,'delta':{'type':"
      "'text_delta','text':'b'}}\n\n",
      "",
  };
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    char text[1024];
    snprintf(text, sizeof text, SAY("b") "%s", others[i]);
    size_t len = taken(OPEN SAY("a"), text, &count);
    if (len != sizeof(SAY("b")) - 1 || count != 1)
      fail_msg("%zu: %s", len, text);
    snprintf(text, sizeof text, ALL(SAY("a") SAY("b") "%s" SAY("c")),
             others[i]);
    assert_alike(text);
  }
}

/* Relays that leave the names of the events out. */
static void
test_data_alone(void **state)
{
  (void)state;
  size_t count;
#define BARE(text)                                                 \
  "data: {'type':'content_block_delta','index':0,'delta':{'type':" \
  "'text_delta','text':'" text "'}}\n\n"
  static const char run[] = BARE("b") BARE("c");
  assert_int_equal(taken(OPEN BARE("a"), run, &count), sizeof(run) - 1);
  assert_alike(ALL(BARE("a") BARE("b") SAY("c") BARE("d")));
}

/* Deltas that say more than their text make no template. */
static void
test_what_makes_no_template(void **state)
{
  (void)state;
  size_t count;
  static const char *const deltas[] = {
      "data: {'type':'content_block_delta','index':0,'x':1,'delta':{'type':"
      "'text_delta','text':'a'}}\n\n",
      "data: {'type':'content_block_delta','index':0,'delta':{'type':"
      "'text_delta','text':'a','text':'b'}}\n\n",
      "data: {'type':'content_block_delta','index':0,'delta':{'type':"
      "'text_delta','text':7}}\n\n",
      "data: {'type':'content_block_delta','index':0,'delta':{'type':"
      "'text_delta','text':'a\xFF'}}\n\n",
      "event: other\ndata: {'type':'content_block_delta','index':0,'delta':{"
      "'type':'text_delta','text':'a'}}\n\n",
  };
  for (size_t i = 0; i < sizeof(deltas) / sizeof(deltas[0]); i++) {
    char text[1024];
    snprintf(text, sizeof text, OPEN "%s", deltas[i]);
    assert_int_equal(taken(text, deltas[i], &count), 0);
    snprintf(text, sizeof text, ALL("%s%s" SAY("c") "%s"), deltas[i], deltas[i],
             deltas[i]);
    assert_alike(text);
  }
}

static void
test_limits_are_met_at_the_same_event(void **state)
{
  (void)state;
  for (size_t bytes = 1; bytes < 60; bytes++) {
    both_limited_to = (both_limits){.body_bytes = bytes, .event_bytes = 4096};
    assert_alike(ALL(SAY("0123456789") SAY("0123") SAY("\\u00e9") SAY("01")));
  }
  for (size_t bytes = 90; bytes < 140; bytes++) {
    both_limited_to = (both_limits){.body_bytes = 4096, .event_bytes = bytes};
    assert_alike(ALL(SAY("0123456789") SAY("0123") SAY("0123456789abcdef")));
  }
  both_limited_to = (both_limits){(size_t)64 << 20, (size_t)64 << 20};
}

static void
test_variants(void **state)
{
  (void)state;
  inf_rng rng;
  inf_buf variant;
  char *text = quoted(ALL(SAY("a") SAY("\xC3\xA9") THINK("x") THINK("y")
                              PADDED("b", "   ") SAY("c")));
  inf_rng_seed(&rng, 7);
  inf_buf_init(&variant, SIZE_MAX);
  both_kind = inf_provider_kind_find(S("anthropic"));
  for (int i = 0; i < 3000; i++) {
    both_mutate(&rng, S(text), &variant);
    const char *difference =
        both_compare(inf_buf_sv(&variant), (size_t)inf_rng_below(&rng, 300));
    if (difference)
      fail_msg("%s differs: %s", difference, inf_buf_cstr(&variant));
  }
  inf_buf_fini(&variant);
  free(text);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_run_is_taken_at_once),
      cmocka_unit_test(test_spaces_before_the_last_bracket),
      cmocka_unit_test(test_what_is_not_alike_ends_the_run),
      cmocka_unit_test(test_data_alone),
      cmocka_unit_test(test_what_makes_no_template),
      cmocka_unit_test(test_limits_are_met_at_the_same_event),
      cmocka_unit_test(test_variants),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
