/* SPDX-License-Identifier: MIT */
/* What an answer says: the whole body and the stream against each other. */
#include "play.h"

#include <json.h>
#include <zlib.h>

#define ASK(members)                                                       \
  "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be "  \
  "brief.\"},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":" \
  "\"Say \\u00e9\\n\"},{\"type\":\"text\",\"text\":\"it\"}]}]" members "}"
#define ASK_STREAM(members) \
  ASK(",\"stream\":true,\"stream_options\":{\"include_usage\":true}" members)

static void
text_has_as_many_tokens_as_asked(void **state)
{
  (void)state;
  for (uint64_t tokens = 1; tokens < 300; tokens += 7) {
    inf_buf text;
    inf_rng rng;
    inf_rng_seed(&rng, tokens);
    inf_buf_init(&text, 1 << 20);
    inf_sim_make_text(&text, &rng, tokens);
    uint64_t count = 0;
    for (size_t at = 0; at < text.len; count++)
      at += inf_sim_token_len(inf_sv_of(text.ptr + at, text.len - at));
    assert_int_equal(count, tokens);
    inf_buf_fini(&text);
  }
}

static void
tokens_never_cut_a_character(void **state)
{
  (void)state;
  static const char text[] = "  \t日本語の文字列はとても長いのです "
                             "aaaaaaaaaaaaaaaé 😀😀😀😀😀😀😀😀\xff\xff\xff";
  size_t at = 0;
  while (at < sizeof(text) - 1) {
    size_t len = inf_sim_token_len(inf_sv_of(text + at, sizeof(text) - 1 - at));
    assert_in_range(len, 1, 16);
    at += len;
    assert_true(((unsigned char)text[at] & 0xc0) != 0x80);
  }
  assert_int_equal(inf_sim_token_len(INF_SV("")), 0);
}

/* Each of these is answered whole and as a stream; the two must be equal. */
static void
the_stream_amounts_to_the_whole(void **state)
{
  static const struct {
    const char *behaviour, *members;
  } cases[] = {
      {"", ""},
      {"\"tokens\":200,\"chunk_tokens\":3", ""},
      {"\"tokens\":{\"uniform\":[1,50]}", ",\"n\":4"},
      {"\"text\":\"\"", ""},
      {"\"text\":\"Ein \\\"Wort\\\" \\u0000 \\ud83d\\ude00 \\u2028 Ende\"", ""},
      {"\"echo\":true", ""},
      {"\"reasoning\":\"Let me think. Yes.\"", ""},
      {"\"reasoning_tokens\":12,\"reasoning_field\":\"reasoning\"", ",\"n\":2"},
      {"\"refusal\":\"I will not do that.\"", ""},
      {"\"refusal\":\"No no.\"", ",\"logprobs\":true"},
      {"\"text\":\"one two\"", ",\"logprobs\":true,\"top_logprobs\":3"},
      {"\"tokens\":9", ",\"logprobs\":true,\"n\":3"},
      {"\"tool_calls\":[{\"id\":\"a\",\"name\":\"f\",\"arguments\":{\"x\":"
       "\"\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\"}},{\"name\":\"g\"}]",
       ""},
      {"\"text\":\"Look:\",\"tool_calls\":[{\"id\":\"a\",\"name\":\"f\"},"
       "{\"id\":\"b\",\"name\":\"g\",\"arguments\":\"[1,2,3,4,5,6]\"}],"
       "\"tool_index\":\"absent\",\"tool_piece_bytes\":1",
       ""},
      {"\"tool_calls\":[{\"id\":\"a\",\"name\":\"f\"},{\"id\":\"b\",\"name\":"
       "\"g\"}],\"tool_index\":\"shared\"",
       ",\"n\":2"},
      {"\"tokens\":50", ",\"max_tokens\":10"},
      {"\"tokens\":50,\"reasoning_tokens\":8,\"chunk_tokens\":4",
       ",\"max_completion_tokens\":10"},
      {"\"finish_reason\":\"content_filter\",\"service_tier\":\"flex\","
       "\"system_fingerprint\":\"fp_x\",\"answer_model\":\"m-2026\","
       "\"extra\":{\"provider\":\"P\",\"nested\":{\"a\":[1]}}",
       ""},
      {"\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":9,"
       "\"total_tokens\":16,\"odd\":{}}",
       ""},
      {"\"usage_chunk\":\"with_choices\"", ",\"n\":2"},
      {"\"usage_chunk\":\"always\",\"cached_tokens\":4", ""},
      {"\"usage_chunk\":\"never\"", ""},
      {"\"role_chunk\":\"null_content\"", ""},
      {"\"comments\":true", ""},
      {"\"crlf\":true,\"bom\":true", ""},
      {"\"cr\":true", ""},
      {"\"whitespace_before_body\":5", ""},
      {"\"huge_body\":5000", ""},
      {"\"framing\":\"chunked\"", ""},
      {"\"framing\":\"close\"", ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char whole_body[1024], stream_body[1024];
    play whole, stream;
    snprintf(whole_body, sizeof(whole_body), ASK("%s"), cases[i].members);
    snprintf(stream_body, sizeof(stream_body), ASK_STREAM("%s"),
             cases[i].members);
    play_run(&whole, cases[i].behaviour, whole_body, NULL);
    play_run(&stream, cases[i].behaviour, stream_body, NULL);
    assert_int_equal(whole.end, INF_SIM_DONE);
    assert_int_equal(stream.end, INF_SIM_DONE);
    assert_int_equal(whole.tokens, stream.tokens);
    json_object *a = play_parse(&whole), *b = play_assemble(&stream);
    if (!json_object_equal(a, b))
      fail_msg("%s\nwhole:  %s\nstream: %s", cases[i].behaviour,
               json_object_to_json_string(a), json_object_to_json_string(b));
    json_object_put(a);
    json_object_put(b);
    play_fini(&whole);
    play_fini(&stream);
  }
}

static void
answers_depend_on_the_question_only(void **state)
{
  (void)state;
  play a, b, c;
  play_run(&a, "", ASK(""), NULL);
  play_run(&b, "", ASK(",\"temperature\":2"), NULL);
  play_run(&c, "",
           "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
           "\"other\"}]}",
           NULL);
  assert_string_equal(inf_buf_cstr(&a.body), inf_buf_cstr(&b.body));
  assert_string_not_equal(inf_buf_cstr(&a.body), inf_buf_cstr(&c.body));
  play_fini(&a);
  play_fini(&b);
  play_fini(&c);
}

static void
echo_and_length(void **state)
{
  (void)state;
  play p;
  play_run(&p, "\"echo\":true", ASK(""), NULL);
  assert_true(play_has(&p, "\"content\":\"Say é\\nit\""));
  assert_true(play_has(&p, "\"finish_reason\":\"stop\""));
  play_fini(&p);
  play_run(&p, "\"text\":\"one two three four\"", ASK(",\"max_tokens\":2"),
           NULL);
  assert_true(play_has(&p, "\"content\":\"one two\""));
  assert_true(play_has(&p, "\"finish_reason\":\"length\""));
  assert_true(play_has(&p, "\"completion_tokens\":2"));
  play_fini(&p);
}

#define PREFILLED(text)                                                    \
  "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}," \
  "{\"role\":\"assistant\",\"content\":\"" text "\"}]}"

/* Each way of asking, and who takes it. */
static void
ways_to_give_a_prefill(void **state)
{
  (void)state;
  static const char *const ways[] = {"assistant", "prefix",
                                     "continue_final_message"};
  static const char *const messages[] = {"", ",\"prefix\":true", ""};
  static const char *const members[] = {
      "", "",
      ",\"continue_final_message\":true,\"add_generation_prompt\":false"};
  for (size_t by = 0; by < 3; by++) {
    for (size_t way = 0; way < 3; way++) {
      play p;
      char behaviour[128], body[512];
      snprintf(behaviour, sizeof behaviour,
               "\"text\":\"one two\",\"prefill_by\":\"%s\"", ways[by]);
      snprintf(body, sizeof body,
               "{\"model\":\"m\",\"messages\":[{\"role\":\"user\","
               "\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":"
               "\"one\"%s}]%s}",
               messages[way], members[way]);
      play_run(&p, behaviour, body, NULL);
      assert_int_equal(p.status, by == way ? 200 : 400);
      if (by == way)
        assert_true(play_has(&p, "\"content\":\" two\""));
      play_fini(&p);
    }
  }
  /* One without a prefill is never refused for it. */
  play p;
  play_run(&p, "\"prefill_by\":\"prefix\"", ASK(""), NULL);
  assert_int_equal(p.status, 200);
  play_fini(&p);
  /* Of the two members both are needed. */
  play_run(&p, "\"prefill_by\":\"continue_final_message\"",
           "{\"model\":\"m\",\"continue_final_message\":true,\"messages\":[{"
           "\"role\":\"assistant\",\"content\":\"one\"}]}",
           NULL);
  assert_int_equal(p.status, 400);
  play_fini(&p);
}

static void
prefills(void **state)
{
  (void)state;
  play p, whole;
  play_run(&p, "\"text\":\"one two three\"", PREFILLED("one t"), NULL);
  assert_true(play_has(&p, "\"content\":\"wo three\""));
  play_fini(&p);
  play_run(&p, "\"text\":\"one two three\"", PREFILLED("two"), NULL);
  assert_true(play_has(&p, "\"content\":\"one two three\""));
  play_fini(&p);
  play_run(&p, "\"text\":\"one two\",\"prefill\":\"ignore\"", PREFILLED("one"),
           NULL);
  assert_true(play_has(&p, "\"content\":\"one two\""));
  play_fini(&p);
  play_run(&p, "\"text\":\"one two\",\"prefill\":\"echo\"", PREFILLED("one"),
           NULL);
  assert_true(play_has(&p, "\"content\":\"one two\""));
  play_fini(&p);
  play_run(&p, "\"text\":\" two\",\"prefill\":\"echo\"", PREFILLED("one"),
           NULL);
  assert_true(play_has(&p, "\"content\":\"one two\""));
  play_fini(&p);
  play_run(&p, "\"prefill\":\"reject\"", PREFILLED("x"), NULL);
  assert_int_equal(p.status, 400);
  assert_true(play_has(&p, "\"type\":\"invalid_request_error\",\"param\":"
                           "\"messages\""));
  play_fini(&p);
  /* A made text goes on where its own beginning, given back, ends. */
  play_run(&whole, "",
           "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":"
           "\"Hi\"}]}",
           NULL);
  json_object *parsed = play_parse(&whole), *text = NULL;
  json_pointer_get(parsed, "/choices/0/message/content", &text);
  const char *all = json_object_get_string(text);
  char body[512];
  snprintf(body, sizeof(body), PREFILLED("%.20s"), all);
  play_run(&p, "", body, NULL);
  char wanted[512];
  snprintf(wanted, sizeof(wanted), "\"content\":\"%s\"", all + 20);
  assert_true(play_has(&p, wanted));
  json_object_put(parsed);
  play_fini(&whole);
  play_fini(&p);
}

static void
stream_forms(void **state)
{
  static const struct {
    const char *behaviour, *members, *wanted, *unwanted;
  } cases[] = {
      {"\"text\":\"a\"", "",
       "\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}",
       "\"usage\""},
      {"\"role_chunk\":\"null_content\"", "",
       "\"delta\":{\"role\":\"assistant\",\"content\":null", NULL},
      {"\"role_chunk\":\"none\"", "", "\"content\"", "\"role\""},
      {"", ",\"stream_options\":{\"include_usage\":true}",
       "\"choices\":[],\"usage\":{\"prompt_tokens\":", NULL},
      {"", ",\"stream_options\":{\"include_usage\":true}",
       "\"finish_reason\":null}],\"usage\":null}", NULL},
      {"\"usage_chunk\":\"with_choices\"", "",
       "\"finish_reason\":\"stop\"}],\"usage\":{", "\"choices\":[]"},
      {"\"usage_chunk\":\"always\"", "", "\"choices\":[],\"usage\":{",
       "\"usage\":null"},
      {"\"usage_chunk\":\"never\"",
       ",\"stream_options\":{\"include_usage\":true}", "[DONE]", "usage"},
      {"\"missing_done\":true", "", "\"finish_reason\":\"stop\"", "[DONE]"},
      {"\"missing_finish\":true", "", "data: [DONE]", "\"stop\""},
      {"\"comments\":true", "", ": OPENROUTER PROCESSING\n\ndata: {", NULL},
      {"\"crlf\":true", "", "]}\r\n\r\ndata: [DONE]\r\n\r\n", NULL},
      {"\"cr\":true", "", "]}\r\rdata: [DONE]\r\r", "\n"},
      {"\"bom\":true", "",
       "\xef\xbb\xbf"
       "data: {",
       NULL},
      {"\"malformed_event\":1,\"text\":\"a b\"", "",
       "\"content\":\"brok\n\ndata: {", NULL},
      {"\"deep\":3,\"text\":\"a b\"", "", "\"choices\":[],\"deep\":[[[]]]}",
       NULL},
      {"\"tool_calls\":[{\"id\":\"i\",\"name\":\"f\",\"arguments\":\"{}\"}]",
       "",
       "\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"i\",\"type\":"
       "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}",
       NULL},
      {"\"tool_calls\":[{\"id\":\"i\",\"name\":\"f\"},{\"id\":\"j\",\"name\":"
       "\"g\"}],\"tool_index\":\"shared\"",
       "", "\"tool_calls\":[{\"index\":0,\"id\":\"j\"", "\"index\":1"},
      {"\"tool_calls\":[{\"id\":\"i\",\"name\":\"f\"}],\"tool_index\":"
       "\"absent\"",
       "", "\"tool_calls\":[{\"function\":{\"arguments\":",
       "\"tool_calls\":[{\"index\""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char body[512];
    play p;
    snprintf(body, sizeof(body), ASK(",\"stream\":true%s"), cases[i].members);
    play_run(&p, cases[i].behaviour, body, NULL);
    if (!play_has(&p, cases[i].wanted))
      fail_msg("%s lacks %s:\n%s", cases[i].behaviour, cases[i].wanted,
               inf_buf_cstr(&p.body));
    if (cases[i].unwanted && play_has(&p, cases[i].unwanted))
      fail_msg("%s has %s", cases[i].behaviour, cases[i].unwanted);
    play_fini(&p);
  }
}

static void
choices_are_interleaved(void **state)
{
  (void)state;
  play p;
  play_run(&p, "\"text\":\"a b\"", ASK(",\"stream\":true,\"n\":2"), NULL);
  const char *body = inf_buf_cstr(&p.body);
  static const char *const order[] = {
      "\"index\":0,\"delta\":{\"role\"",
      "\"index\":1,\"delta\":{\"role\"",
      "\"index\":0,\"delta\":{\"content\":\"a\"",
      "\"index\":1,\"delta\":{\"content\":\"a\"",
      "\"index\":0,\"delta\":{\"content\":\" b\"",
      "\"index\":1,\"delta\":{\"content\":\" b\"",
      "\"index\":0,\"delta\":{}",
      "\"index\":1,\"delta\":{}"};
  for (size_t i = 0; i < COUNT_OF(order); i++) {
    body = strstr(body, order[i]);
    assert_non_null(body);
  }
  play_fini(&p);
}

static void
huge_and_deep(void **state)
{
  (void)state;
  play p;
  play_run(&p, "\"huge_line\":100000,\"text\":\"a b\"", ASK(",\"stream\":true"),
           NULL);
  const char *line = strstr(inf_buf_cstr(&p.body), "\"filler\":\"x");
  assert_non_null(line);
  while (line > p.body.ptr && line[-1] != '\n')
    line--;
  assert_int_equal(strcspn(line, "\n"), 100000);
  play_fini(&p);
  play_run(&p, "\"huge_body\":3000000", ASK(""), NULL);
  assert_in_range(p.body.len, 3000000, 3001000);
  play_fini(&p);
  play_run(&p, "\"deep\":4", ASK(""), NULL);
  assert_true(play_has(&p, ",\"deep\":[[[[]]]]}"));
  play_fini(&p);
  play_run(&p, "\"malformed_event\":0", ASK(""), NULL);
  assert_null(json_tokener_parse(inf_buf_cstr(&p.body)));
  play_fini(&p);
}

static void
inflate_all(const inf_buf *packed, char *out, size_t size)
{
  z_stream z = {.next_in = (unsigned char *)packed->ptr,
                .avail_in = (unsigned)packed->len,
                .next_out = (unsigned char *)out,
                .avail_out = (unsigned)size - 1};
  assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
  assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
  out[z.total_out] = '\0';
  inflateEnd(&z);
}

static void
gzip_only_where_it_is_accepted(void **state)
{
  static const char *const bodies[] = {ASK(""), ASK(",\"stream\":true")};
  static char text[65536];
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    play packed, bare;
    play_run(&packed, "\"gzip\":true,\"inter_token_ms\":1", bodies[i],
             &(play_options){.gzip = true});
    play_run(&bare, "\"gzip\":true,\"inter_token_ms\":1", bodies[i], NULL);
    assert_non_null(strstr(packed.head, "content-encoding: gzip\r\n"));
    assert_null(strstr(bare.head, "content-encoding"));
    assert_true(packed.body_ended);
    inflate_all(&packed.body, text, sizeof(text));
    assert_string_equal(text, inf_buf_cstr(&bare.body));
    play_fini(&packed);
    play_fini(&bare);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_has_as_many_tokens_as_asked),
      cmocka_unit_test(tokens_never_cut_a_character),
      cmocka_unit_test(the_stream_amounts_to_the_whole),
      cmocka_unit_test(answers_depend_on_the_question_only),
      cmocka_unit_test(echo_and_length),
      cmocka_unit_test(prefills),
      cmocka_unit_test(ways_to_give_a_prefill),
      cmocka_unit_test(stream_forms),
      cmocka_unit_test(choices_are_interleaved),
      cmocka_unit_test(huge_and_deep),
      cmocka_unit_test(gzip_only_where_it_is_accepted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
