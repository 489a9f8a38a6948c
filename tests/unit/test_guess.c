/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

#include "conformance/both_ways.h"

static const char *
place(const char *chunk, const char *part)
{
  const char *at = strstr(chunk, part);
  assert_non_null(at);
  return at;
}

/* A template of the chunk with one hole at the string. */
static void
learn(inf_guess *guess, const char *chunk, const char *string)
{
  inf_guess_begin(guess, S(chunk));
  inf_guess_hole(guess, INF_HOLE_TEXT,
                 inf_sv_of(place(chunk, string), strlen(string)), NULL);
  inf_guess_end(guess, 3);
}

static bool
matches(const inf_guess *guess, const char *chunk, const char *filling)
{
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  if (inf_guess_match(guess, S(chunk), fillings) != strlen(chunk))
    return false;
  assert_sv(fillings[0].value, filling);
  return true;
}

static void
test_a_chunk_like_the_last_fits(void **state)
{
  (void)state;
  inf_guess guess;
  inf_guess_init(&guess);
  assert_false(matches(&guess, "{\"a\":\"x\",\"b\":1}", ""));
  learn(&guess, "{\"a\":\"x\",\"b\":1}", "\"x\"");
  assert_int_equal(guess.choice, 3);
  assert_true(matches(&guess, "{\"a\":\"x\",\"b\":1}", "\"x\""));
  assert_true(matches(&guess, "{\"a\":\"\",\"b\":1}", "\"\""));
  assert_true(matches(&guess, "{\"a\":\"longer than eight\",\"b\":1}",
                      "\"longer than eight\""));
  assert_true(
      matches(&guess, "{\"a\":\"q\\\"\\u00e9\",\"b\":1}", "\"q\\\"\\u00e9\""));
  assert_true(matches(&guess, "{\"a\":\"\xC3\xA9\",\"b\":1}", "\"\xC3\xA9\""));
  inf_guess_fini(&guess);
}

static void
test_any_other_byte_does_not(void **state)
{
  (void)state;
  static const char *const others[] = {
      "",
      "{",
      "{\"a\":",
      "{\"a\":\"",
      "{\"a\":\"x",
      "{\"a\":\"x\"",
      "{\"a\":\"x\",\"b\":2}",
      "{\"a\":\"x\",\"b\":1",
      "{\"a\":\"x\",\"b\":1} ",
      "{\"a\": \"x\",\"b\":1}",
      "{\"a\":null,\"b\":1}",
      "{\"a\":[],\"b\":1}",
      "{\"A\":\"x\",\"b\":1}",
      "{\"a\":\"x\ny\",\"b\":1}",
      "{\"a\":\"x\\y\",\"b\":1}",
      "{\"a\":\"x\\u12\",\"b\":1}",
      "{\"a\":\"x\",\"a\":\"y\",\"b\":1}",
  };
  inf_guess guess;
  inf_guess_init(&guess);
  learn(&guess, "{\"a\":\"x\",\"b\":1}", "\"x\"");
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    inf_filling fillings[INF_GUESS_MAX_HOLES];
    size_t len = inf_guess_match(&guess, S(others[i]), fillings);
    if (len > 0 && len == strlen(others[i]))
      fail_msg("fits: %s", others[i]);
  }
  inf_guess_fini(&guess);
}

static void
test_plain_ascii_is_marked(void **state)
{
  (void)state;
  static const struct {
    const char *string;
    bool ascii;
  } rows[] = {
      {"\"\"", true},
      {"\"abcdefg\"", true},
      {"\"abcdefgh\"", true},
      {"\"abcdefgh~ !\"", true},
      {"\"abcdefgh\\n\"", false},
      {"\"\\\\\"", false},
      {"\"12345\xC3\xA9\"", false},
      {"\"0123456789012345678901234567890123456789\"", true},
  };
  inf_guess guess;
  inf_guess_init(&guess);
  learn(&guess, "[\"x\"]", "\"x\"");
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    inf_filling fillings[INF_GUESS_MAX_HOLES];
    inf_buf chunk;
    inf_buf_init(&chunk, SIZE_MAX);
    inf_buf_appendf(&chunk, "[%s]", rows[i].string);
    assert_true(inf_guess_match(&guess, inf_buf_sv(&chunk), fillings));
    assert_sv(fillings[0].value, rows[i].string);
    assert_int_equal(fillings[0].ascii, rows[i].ascii);
    inf_buf_fini(&chunk);
  }
  inf_guess_fini(&guess);
}

static void
test_spoiled_or_large_chunks_are_no_template(void **state)
{
  (void)state;
  char large[6000];
  inf_guess guess;
  inf_guess_init(&guess);
  learn(&guess, "[\"x\"]", "\"x\"");
  inf_guess_begin(&guess, S("[\"x\"]"));
  assert_false(guess.ready);
  inf_guess_spoil(&guess);
  inf_guess_end(&guess, 0);
  assert_false(guess.ready);
  inf_guess_begin(&guess, S("[1]"));
  inf_guess_end(&guess, 0);
  assert_false(guess.ready);
  memset(large, 'x', sizeof(large) - 1);
  large[sizeof(large) - 1] = '\0';
  inf_guess_begin(&guess, S(large));
  inf_guess_hole(&guess, INF_HOLE_TEXT, inf_sv_of(large + 4, 2), NULL);
  inf_guess_end(&guess, 0);
  assert_false(guess.ready);
  inf_guess_fini(&guess);
}

static void
test_holes_are_told_in_any_order(void **state)
{
  (void)state;
  static const char chunk[] = "[\"a\",\"b\",\"c\",\"d\",\"e\"]";
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  inf_guess guess;
  inf_guess_init(&guess);
  inf_guess_begin(&guess, S(chunk));
  inf_guess_hole(&guess, INF_HOLE_PADDING, inf_sv_of(chunk + 9, 3), "p");
  inf_guess_hole(&guess, INF_HOLE_TEXT, inf_sv_of(chunk + 1, 3), NULL);
  inf_guess_hole(&guess, INF_HOLE_REASONING, inf_sv_of(chunk + 5, 3), "r");
  inf_guess_end(&guess, 0);
  assert_true(inf_guess_match(&guess, S("[\"1\",\"2\",\"abc\",\"d\",\"e\"]"),
                              fillings));
  assert_sv(fillings[0].value, "\"1\"");
  assert_sv(fillings[1].value, "\"2\"");
  assert_sv(fillings[2].value, "\"abc\"");
  assert_int_equal(guess.holes[1].kind, INF_HOLE_REASONING);
  /* Named padding must be padding. */
  assert_false(inf_guess_match(&guess, S("[\"1\",\"2\",\"xyz\",\"d\",\"e\"]"),
                               fillings));
  /* Too many make no template. */
  inf_guess_begin(&guess, S(chunk));
  for (size_t i = 0; i <= INF_GUESS_MAX_HOLES; i++)
    inf_guess_hole(&guess, INF_HOLE_TEXT, inf_sv_of(chunk + 1, 3), NULL);
  inf_guess_end(&guess, 0);
  assert_false(guess.ready);
  inf_guess_fini(&guess);
}

static void
test_numbers_may_differ(void **state)
{
  (void)state;
  static const char chunk[] = "{\"n\":12,\"t\":\"a\"}";
  static const char *const fit[] = {"{\"n\":0,\"t\":\"b\"}",
                                    "{\"n\":999999999999999999,\"t\":\"\"}"};
  static const char *const unfit[] = {"{\"n\":,\"t\":\"a\"}",
                                      "{\"n\":01,\"t\":\"a\"}",
                                      "{\"n\":-1,\"t\":\"a\"}",
                                      "{\"n\":1.5,\"t\":\"a\"}",
                                      "{\"n\":\"1\",\"t\":\"a\"}",
                                      "{\"n\":1000000000000000000,\"t\":\"a\"}",
                                      "{\"n\":1",
                                      "{\"n\":"};
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  inf_guess guess;
  inf_guess_init(&guess);
  inf_guess_begin(&guess, S(chunk));
  inf_guess_hole(&guess, INF_HOLE_NUMBER, inf_sv_of(chunk + 5, 2), "n");
  inf_guess_hole(&guess, INF_HOLE_TEXT, inf_sv_of(chunk + 12, 3), NULL);
  inf_guess_end(&guess, 0);
  for (size_t i = 0; i < sizeof(fit) / sizeof(fit[0]); i++)
    assert_int_equal(inf_guess_match(&guess, S(fit[i]), fillings),
                     strlen(fit[i]));
  assert_sv(fillings[0].value, "999999999999999999");
  for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++)
    assert_int_equal(inf_guess_match(&guess, S(unfit[i]), fillings), 0);
  inf_guess_fini(&guess);
}

/* The number is what stands after the second colon. */
static void
learn_count(inf_guess *guess, const char *chunk, size_t width)
{
  const char *number = strchr(strchr(chunk, ':') + 1, ':') + 1;
  inf_guess_begin(guess, S(chunk));
  inf_guess_hole(guess, INF_HOLE_TEXT, inf_sv_of(chunk + 5, 3), NULL);
  inf_guess_hole(guess, INF_HOLE_NUMBER, inf_sv_of(number, width), "n");
  inf_guess_end(guess, 0);
}

/* Whether what follows the text is as in the template, but for the number. */
static bool
fits(const inf_guess *guess, const char *number)
{
  char text[64];
  snprintf(text, sizeof(text),
           "data: {\"t\":\"a\",\"output_tokens\":%s,\"more\":1}", number);
  return inf_guess_match_numbers(guess, strstr(text, "a\"") + 1);
}

static void
test_layouts_know_numbers_of_a_length(void **state)
{
  (void)state;
#if INF_SWAR_LITTLE_ENDIAN
  static const char *const good[] = {"10345678", "99999999", "10000000"};
  static const char *const bad[] = {
      "01234567", "1234567,", "/2345678", "1234567:",
      "1234 678", "-1234567", ":2345678", "1\xb1\xb2\xb3\xb4\xb5\xb6\xb7"};
  inf_guess guess;
  inf_guess_init(&guess);
  learn_count(&guess, "{\"t\":\"a\",\"output_tokens\":12345678,\"more\":1}", 8);
  const inf_guess_number *number = &guess.layout->numbers[0];
  assert_true(guess.layout->usable);
  assert_int_equal(guess.layout->head, 6);
  assert_int_equal(guess.layout->count, 1);
  assert_int_equal(guess.layout->after, 18 + 8 + 10);
  assert_int_equal(guess.layout->tail_len, 10);
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    char text[32];
    snprintf(text, sizeof(text), "\",\"output_tokens\":%s", good[i]);
    assert_true(fits(&guess, good[i]));
    assert_int_equal(inf_guess_number_of(number, text),
                     strtoll(good[i], NULL, 10));
  }
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_false(fits(&guess, bad[i]));
  learn_count(&guess, "{\"t\":\"a\",\"output_tokens\":7,\"more\":1}", 1);
  assert_true(guess.layout->usable);
  assert_true(fits(&guess, "0"));
  assert_true(fits(&guess, "9"));
  assert_int_equal(inf_guess_number_of(number, "\",\"output_tokens\":9"), 9);
  assert_false(fits(&guess, ":"));
  assert_false(fits(&guess, "/"));
  inf_guess_fini(&guess);
#endif
}

/* A stretch too long, a number too long, or too near to the text. */
static void
test_layouts_have_limits(void **state)
{
  (void)state;
#if INF_SWAR_LITTLE_ENDIAN
  static const char far[] =
      "{\"t\":\"a\",\"output_tokens\":7,\"far\":\"%0*d\",\"m\":8}";
  char chunk[512];
  inf_guess guess;
  inf_guess_init(&guess);
  learn_count(&guess, "{\"t\":\"a\",\"output_tokens\":123456789,\"more\":1}",
              9);
  assert_true(guess.ready);
  assert_false(guess.layout->usable);
  learn_count(&guess, "{\"t\":\"a\",\"n\":7}", 1);
  assert_true(guess.ready);
  assert_false(guess.layout->usable);
  for (int i = 0; i < 2; i++) {
    int len =
        snprintf(chunk, sizeof(chunk), far, INF_GUESS_MAX_RANGES - 16 + i, 0);
    inf_guess_begin(&guess, inf_sv_of(chunk, (size_t)len));
    inf_guess_hole(&guess, INF_HOLE_TEXT, inf_sv_of(chunk + 5, 3), NULL);
    inf_guess_hole(&guess, INF_HOLE_NUMBER, inf_sv_of(chunk + 25, 1), "n");
    inf_guess_hole(&guess, INF_HOLE_NUMBER, inf_sv_of(chunk + len - 2, 1), "m");
    inf_guess_end(&guess, 0);
    assert_true(guess.ready);
    assert_int_equal(guess.layout->usable, i == 0);
  }
  inf_guess_fini(&guess);
#endif
}

static void
test_a_template_is_renewed(void **state)
{
  (void)state;
  static const char next[] = "{\"t\":\"bcd\",\"output_tokens\":100,\"more\":1}";
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  inf_guess guess;
  inf_guess_init(&guess);
  learn_count(&guess, "{\"t\":\"a\",\"output_tokens\":99,\"more\":1}", 2);
  assert_int_equal(inf_guess_match(&guess, S(next), fillings), strlen(next));
  inf_guess_renew(&guess, S(next), fillings);
  assert_true(guess.ready);
  assert_buf(&guess.text, next);
  assert_int_equal(guess.layout->numbers[0].end, 21);
  assert_int_equal(inf_guess_match(&guess, S(next), fillings), strlen(next));
  assert_sv(fillings[0].value, "\"bcd\"");
  assert_sv(fillings[1].value, "100");
  assert_sv(inf_guess_event_data(S("data: {}\r\n\r\n")), "{}");
  inf_guess_fini(&guess);
}

static void
test_a_whole_event_is_matched(void **state)
{
  (void)state;
  static const char chunk[] = "{\"t\":\"a\"}";
  inf_filling fillings[INF_GUESS_MAX_HOLES];
  inf_guess guess;
  inf_guess_init(&guess);
  inf_guess_begin(&guess, S(chunk));
  inf_guess_hole(&guess, INF_HOLE_TEXT, inf_sv_of(chunk + 5, 3), NULL);
  inf_guess_end(&guess, 0);
#define MATCH(text, max) inf_guess_match_event(&guess, S(text), max, fillings)
  assert_int_equal(MATCH("data: {\"t\":\"bc\"}\n\ndata: ", 99), 18);
  assert_int_equal(MATCH("data: {\"t\":\"bc\"}\r\n\r\n", 16), 20);
  assert_int_equal(MATCH("data: {\"t\":\"bc\"}\r\n\r\n", 15), 0);
  assert_int_equal(MATCH("data: {\"t\":\"bc\"}\r\n\r", 99), 0);
  assert_int_equal(MATCH("data: {\"t\":\"bc\"}\nid: 1\n", 99), 0);
  assert_int_equal(MATCH("data:{\"t\":\"bc\"}\n\n", 99), 0);
#undef MATCH
  inf_guess_fini(&guess);
}

static void
test_padding_is_told_by_its_alphabet(void **state)
{
  (void)state;
  assert_true(inf_is_padding(S("\"a\"")));
  assert_true(inf_is_padding(S("\"abcdefghijklmnopqrstuvwxyzABC\"")));
  assert_false(inf_is_padding(S("\"\"")));
  assert_false(inf_is_padding(S("\"abd\"")));
  assert_false(inf_is_padding(S("7")));
}

/* Streams of the kinds that are met, for comparing both ways. */
static const char *const streams[] = {
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":"
    "\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":"
    "null}],\"obfuscation\":\"aQ\"}\n\n"
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
    "\"Hello\"},\"logprobs\":null,\"finish_reason\":null}],"
    "\"obfuscation\":\"abc\"}\n\n"
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
    "\" \\u00e9\\n\"},\"logprobs\":null,\"finish_reason\":null}],"
    "\"obfuscation\":\"\"}\n\n"
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
    "\"w\xC3\xB6rld\"},\"logprobs\":null,\"finish_reason\":null}],"
    "\"obfuscation\":\"z\"}\n\n"
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":"
    "null,\"finish_reason\":\"stop\"}],\"obfuscation\":\"z\"}\n\n"
    "data: [DONE]\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":null,\"reasoning\":\"a\"}}],"
    "\"p\":\"ab\",\"fp\":1}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":null,\"reasoning\":\"b\"}}],"
    "\"p\":\"abcd\",\"fp\":1}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"x\",\"reasoning\":\"\"}}],"
    "\"p\":\"ab\",\"fp\":1}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"y\",\"reasoning\":\"c\"}}],"
    "\"p\":\"xx\",\"fp\":1}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"z\",\"reasoning\":\"d\"},"
    "\"finish_reason\":\"stop\"}],\"p\":\"a\",\"fp\":2}\n\n",
    "data: {\"x\":1,\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\","
    "\"channel\":\"c\"},\"text\":\"b\"}]}\n\n"
    "data: {\"x\":1,\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\","
    "\"channel\":\"c\"},\"text\":\"b\"}]}\n\n"
    "data: {\"x\":1,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\","
    "\"channel\":\"c\"},\"text\":\"b\"}]}\n\n"
    "data: {\"x\":2,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\","
    "\"reasoning_details\":[{\"text\":\"b\",\"index\":0}]}}]}\n\n"
    "data: {\"x\":2,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\","
    "\"reasoning_details\":[{\"text\":\"b\",\"index\":0}]}}]}\n\n"
    "data: {\"error\":{\"message\":\"m\"}}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\r\n\r\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"c\"}}]}\r\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"d\"}}]}\n\n"
    ": comment\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"e\"}}]}\n\n"
    "data:{\"choices\":[{\"delta\":{\"content\":\"f\"}}]}\n\n"
    "event: x\ndata: {\"choices\":[{\"delta\":{\"content\":\"g\"}}]}\n\n"
    "data: [DONE]\n\n",
    /* Chunks that begin alike and are no templates; what they begin with
     * changes, comes elsewhere too, and has escapes. */
    "data: {\"id\":\"c\",\"model\":\"m\\n\",\"tier\":\"t\\\"\",\"choices\":"
    "[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"i\",\"function\":"
    "{\"name\":\"f\",\"arguments\":\"\"}}]}}]}\n\n"
    "data: {\"id\":\"c\",\"model\":\"m\\n\",\"tier\":\"t\\\"\",\"choices\":"
    "[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":"
    "{\"arguments\":\"{\\\"a\\\":\"}}]}}]}\n\n"
    "data: {\"id\":\"c\",\"model\":\"m\\n\",\"tier\":\"t\\\"\",\"choices\":"
    "[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":"
    "{\"arguments\":\"1}\"}}]}}],\"model\":\"n\",\"tier\":\"\xC3\xA9\"}\n\n"
    "data: {\"id\":\"c\",\"model\":\"m\\n\",\"tier\":\"t\\\"\",\"choices\":"
    "[{\"delta\":{\"refusal\":\"\xC3\xA9\"}}]}\n\n"
    "data: {\"id\":\"c\",\"model\":\"m\\n\",\"tier\":\"t\\\"\",\"choices\":"
    "[{\"delta\":{\"refusal\":\"\xFF\"},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"id\":\"d\",\"model\":\"m\",\"choices\":[],\"usage\":"
    "{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n"
    "data: {\"id\":\"d\",\"model\":\"m\",\"choices\":[],\"usage\":"
    "{\"prompt_tokens\":1,\"completion_tokens\":3}}\n\n"
    "data: [DONE]\n\n",
};

static void
test_both_ways_agree_on_mutated_streams(void **state)
{
  (void)state;
  inf_rng rng;
  inf_buf variant;
  inf_rng_seed(&rng, 20260820);
  inf_buf_init(&variant, SIZE_MAX);
  for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
    assert_null(both_compare(S(streams[i]), 0));
    for (size_t step = 1; step < 400; step++)
      assert_null(both_compare(S(streams[i]), step));
    for (int n = 0; n < 3000; n++) {
      both_mutate(&rng, S(streams[i]), &variant);
      const char *difference = both_compare(inf_buf_sv(&variant), 0);
      if (difference)
        fail_msg("%s differs: %s", difference, inf_buf_cstr(&variant));
    }
  }
  inf_buf_fini(&variant);
}

/* Chunks of texts of all lengths, alike otherwise, and one that is read by the
 * string among them. */
static void
write_run(inf_buf *run)
{
  static const char words[] = "one two three four five six seven eight nine";
  for (size_t i = 0; i < 40; i++)
    inf_buf_appendf(
        run, "data: {\"choices\":[{\"delta\":{\"content\":\"%.*s%s\"}}]}\n\n",
        (int)i, words,
        i == 30   ? "\xC3\xA9"
        : i == 20 ? "\xFF\xFF\xFF" /* each becomes three bytes */
                  : "");
  inf_buf_append_cstr(run, "data: [DONE]\n\n");
}

static void
test_both_ways_meet_the_same_limits(void **state)
{
  (void)state;
  const both_limits before = both_limited_to;
  inf_buf run;
  inf_buf_init(&run, SIZE_MAX);
  write_run(&run);
  assert_null(both_compare(inf_buf_sv(&run), 0));
  const size_t count = sizeof(streams) / sizeof(streams[0]);
  for (size_t bytes = 1; bytes < 900; bytes++) {
    both_limited_to.body_bytes = bytes;
    const char *difference = both_compare(inf_buf_sv(&run), 0);
    if (!difference)
      difference = both_compare(S(streams[count - 1]), 0);
    if (difference)
      fail_msg("%s differs with answers of %zu bytes", difference, bytes);
  }
  both_limited_to = before;
  for (size_t bytes = 30; bytes < 110; bytes++) {
    both_limited_to.event_bytes = bytes;
    const char *difference = both_compare(inf_buf_sv(&run), 0);
    if (difference)
      fail_msg("%s differs with events of %zu bytes", difference, bytes);
  }
  both_limited_to = before;
  inf_buf_fini(&run);
}

static void
test_a_head_is_matched_whole(void **state)
{
  (void)state;
  static const char chunk[] = "{\"id\":\"c\",\"choices\":[]}";
  inf_guess guess;
  inf_sv name = {NULL, 0};
  inf_guess_init(&guess);
  assert_int_equal(inf_guess_match_head(&guess, S(chunk), &name), 0);
  inf_guess_set_head(&guess, inf_sv_of(chunk, 20), inf_sv_of(chunk + 11, 7));
  assert_int_equal(inf_guess_match_head(&guess, S(chunk), &name), 20);
  assert_sv(name, "choices");
  assert_int_equal(inf_guess_match_head(&guess, S("{\"id\""), &name), 0);
  assert_int_equal(
      inf_guess_match_head(&guess, S("{\"id\":\"d\",\"choices\":[]}"), &name),
      0);
  inf_guess_set_head(&guess, S(""), S(""));
  assert_int_equal(inf_guess_match_head(&guess, S(chunk), &name), 0);
  inf_guess_set_head(&guess, inf_sv_of(chunk, 20), inf_sv_of(chunk + 11, 7));
  inf_guess_reuse(&guess);
  assert_int_equal(inf_guess_match_head(&guess, S(chunk), &name), 0);
  inf_guess_fini(&guess);
}

/* The head of the last chunk that was read whole, unless what is in it is also
 * elsewhere. */
static void
test_a_head_is_kept(void **state)
{
  (void)state;
  static const struct {
    const char *stream, *head;
  } cases[] = {
      {"data: {\"id\":\"c\",\"choices\":[]}\n\n", "{\"id\":\"c\",\"choices\":"},
      {"data: {\"id\":\"c\",\"choices\":[]}\n\n"
       "data: {\"id\":\"c\",\"choices\":[],\"usage\":null}\n\n",
       "{\"id\":\"c\",\"choices\":"},
      {"data: {\"id\":\"c\",\"choices\":[]}\n\n"
       "data: {\"id\":\"d\",\"usage\":null,\"choices\":[]}\n\n",
       "{\"id\":\"d\",\"usage\":"},
      {"data: {\"id\":\"c\",\"choices\":[]}\n\n"
       "data: {\"id\":\"c\",\"choices\":[],\"model\":\"m\"}\n\n",
       ""},
      {"data: {\"id\":\"c\",\"choices\":[]}\n\n"
       "data: {\"id\":\"c\",\"choices\":[],\"other\":1}\n\n",
       ""},
      {"data: {\"id\":\"c\"}\n\n", ""},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    both_side side;
    both_run(&side, S(cases[i].stream), 0, false);
    assert_buf(&side.decoder.guess.head, cases[i].head);
    both_fini(&side);
  }
}

/* The comparison above would say nothing if the short way were never taken. */
static void
test_the_short_way_is_taken(void **state)
{
  (void)state;
  both_side side;
  both_run(&side, S(streams[0]), 0, false);
  assert_int_equal(side.status, INFER_OK);
  assert_false(side.decoder.guess.ready);
  both_fini(&side);
  size_t len = (size_t)(strstr(streams[0], "data: {\"id\":\"c\",\"choices\":["
                                           "{\"index\":0,\"delta\":{},") -
                        streams[0]);
  both_run(&side, inf_sv_of(streams[0], len), 0, false);
  assert_true(side.decoder.guess.ready);
  /* The second chunk is the template of all that follow. */
  assert_non_null(strstr(inf_buf_cstr(&side.decoder.guess.text), "\"Hello\""));
  assert_buf(&side.answer.choices[0].text, "Hello \xC3\xA9\nw\xC3\xB6rld");
  both_fini(&side);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_chunk_like_the_last_fits),
      cmocka_unit_test(test_any_other_byte_does_not),
      cmocka_unit_test(test_plain_ascii_is_marked),
      cmocka_unit_test(test_spoiled_or_large_chunks_are_no_template),
      cmocka_unit_test(test_holes_are_told_in_any_order),
      cmocka_unit_test(test_numbers_may_differ),
      cmocka_unit_test(test_layouts_know_numbers_of_a_length),
      cmocka_unit_test(test_layouts_have_limits),
      cmocka_unit_test(test_a_template_is_renewed),
      cmocka_unit_test(test_a_whole_event_is_matched),
      cmocka_unit_test(test_padding_is_told_by_its_alphabet),
      cmocka_unit_test(test_both_ways_agree_on_mutated_streams),
      cmocka_unit_test(test_both_ways_meet_the_same_limits),
      cmocka_unit_test(test_a_head_is_matched_whole),
      cmocka_unit_test(test_a_head_is_kept),
      cmocka_unit_test(test_the_short_way_is_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
