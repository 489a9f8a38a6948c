/* SPDX-License-Identifier: MIT */
#include "unit/gemini_support.h"

/* A chunk with a text, and how many tokens were used so far. */
#define CHUNK(text, thought, count, total)                              \
  EVENT("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" text   \
        "\"" thought "}],\"role\":\"model\"},\"index\":0}],"            \
        "\"usageMetadata\":{\"promptTokenCount\":5,"                    \
        "\"candidatesTokenCount\":" count ",\"totalTokenCount\":" total \
        ",\"thoughtsTokenCount\":3},\"modelVersion\":\"m\"}")
#define TEXT(text, count, total) CHUNK(text, "", count, total)
/* The same, which ends with the last of them. */
#define LAST(text, total)                                             \
  EVENT("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" text \
        "\"}],\"role\":\"model\"}}],\"usageMetadata\":"               \
        "{\"candidatesTokenCount\":5,\"totalTokenCount\":" total "}}")
#define END                                                               \
  EVENT("{\"candidates\":[{\"finishReason\":\"STOP\"}],\"modelVersion\":" \
        "\"m\"}")

/* Streams whose short way must give what the full reading gives. */
static const char *const streams[] = {
    TEXT("a", "10", "20") TEXT("b", "11", "21") TEXT("c", "12", "22")
        TEXT("d", "13", "23") END,
    TEXT("a", "1", "9") TEXT("b", "2", "10") TEXT("c", "3", "11") END,
    TEXT("a", "1", "9") TEXT("\xC3\xA4\\n", "20", "28") TEXT("\xFF", "3", "11")
        END,
    TEXT("a", "1", "9") TEXT("\\ud83d", "2", "10") TEXT("", "3", "11") END,
    CHUNK("t", ",\"thought\":true", "1", "9")
        CHUNK("u", ",\"thought\":true", "2", "10") TEXT("v", "3", "11") END,
    /* Numbers that are none. */
    TEXT("a", "1", "9") TEXT("b", "01", "10") TEXT("c", "1.5", "11")
        TEXT("d", "-1", "11") TEXT("e", "1e2", "11") TEXT("f", "", "11") END,
    TEXT("a", "1", "9") TEXT("b", "999999999999999999", "9999999999999999999")
        END,
    /* Chunks that say more than a text. */
    TEXT("a", "1", "9") CHUNK("b", ",\"thoughtSignature\":\"s\"", "1", "9")
        CHUNK("c", ",\"thoughtSignature\":\"s\"", "1", "9") END,
    TEXT("a\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"x\":{\"y\":["
         "{\"z\":\"",
         "1", "9")
        TEXT("b\"}],\"role\":\"model\"},\"finishReason\":\"STOP\",\"x\":"
             "{\"y\":[{\"z\":\"",
             "1", "9"),
    TEXT("a", "8", "98") TEXT("b", "9", "99") TEXT("c", "10", "100")
        TEXT("d", "11", "101") TEXT("e", "99", "109") TEXT("f", "100", "110")
            TEXT("g", "101", "111") END,
    TEXT("a", "1", "9") TEXT("b", "2", "10") "data: {\"error\":{\"code\":500}}"
                                             "\n\n",
    TEXT("a", "1", "9") TEXT("b", "2", "10"),
    /* Nothing but brackets after the last number. */
    LAST("a", "100") LAST("b", "101") LAST("c", "0x2") LAST("d", "103") END,
};

static void
assert_same(const char *text, struct gemini_way way)
{
  inf_answer full, quick;
  struct gemini_way in_full = {.stream = true, .no_guess = true};
  int32_t status = gemini_read(in_full, S(text), &full, NULL);
  assert_int_equal(gemini_read(way, S(text), &quick, NULL), status);
  inf_buf one = gemini_json(&full), other = gemini_json(&quick);
  assert_string_equal(inf_buf_cstr(&one), inf_buf_cstr(&other));
  inf_buf_fini(&one);
  inf_buf_fini(&other);
  inf_answer_fini(&full);
  inf_answer_fini(&quick);
}

static void
test_the_short_way_gives_what_the_long_one_gives(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
    assert_same(streams[i], (struct gemini_way){.stream = true});
    for (size_t step = 1; step < 400; step += step < 8 ? 1 : 37)
      assert_same(streams[i],
                  (struct gemini_way){.stream = true, .step = step});
  }
}

/* It is taken at all. */
static void
test_like_chunks_are_taken(void **state)
{
  (void)state;
  static const char first[] = TEXT("a", "1", "9");
  static const char rest[] =
      TEXT("b", "20", "28") TEXT("c", "3000", "3008") END;
  inf_decoder decoder;
  inf_answer answer;
  inf_headers headers;
  size_t count;
  inf_decoder_options options = {.kind = &gemini_kind,
                                 .stream = true,
                                 .max_body_bytes = 1 << 20,
                                 .max_event_bytes = 1 << 20,
                                 .max_depth = 64};
  inf_headers_init(&headers, 1024);
  inf_answer_init(&answer, 1 << 20);
  inf_decoder_init(&decoder, &options, &answer);
  inf_decoder_headers(&decoder, 200, &headers, 0);
  inf_decoder_feed(&decoder, first, sizeof(first) - 1);
  assert_int_equal(inf_gemini_read_alike(&decoder, S(rest), &count),
                   strlen(rest) - strlen(END));
  assert_int_equal(count, 2);
  assert_buf(&answer.choices[0].text, "abc");
  assert_int_equal(answer.usage.output, 3003);
  assert_int_equal(answer.usage.total, 3008);
  inf_decoder_fini(&decoder);
  inf_answer_fini(&answer);
  inf_headers_fini(&headers);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_short_way_gives_what_the_long_one_gives),
      cmocka_unit_test(test_like_chunks_are_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
