/* SPDX-License-Identifier: MIT */
#include "unit/anthropic_support.h"

#include "support/fail_alloc.h"

#define MESSAGE     "/choices/0/message"
#define DETAILS     MESSAGE "/reasoning_details"
#define CONTENT     MESSAGE "/anthropic_content"
#define FORMAT      "'format':'anthropic-claude-v1'"
#define THINK(text) "{'type':'thinking_delta','thinking':'" text "'}"
#define SIGN(text)  "{'type':'signature_delta','signature':'" text "'}"
#define INPUT(text) "{'type':'input_json_delta','partial_json':'" text "'}"
#define SAY(index, text) \
  START(index, "{'type':'text','text':''}") DELTA(index, TEXT(text)) STOP(index)

/* Thinking twice, the second time redacted, and text. */
#define SIGNED_STREAM                                                         \
  STREAM(START(0, "{'type':'thinking','thinking':'','signature':''}")         \
             DELTA(0, THINK("H")) DELTA(0, THINK("m")) DELTA(0, SIGN("c2ln")) \
                 STOP(0) START(1, "{'type':'redacted_thinking','data':"       \
                                  "'eHh4'}") STOP(1) SAY(2, "a"),             \
         "end_turn")
#define SIGNED_WHOLE                                                      \
  WHOLE("{'type':'thinking','thinking':'Hm','signature':'c2ln'},{'type':" \
        "'redacted_thinking','data':'eHh4'},{'type':'text','text':'a'}",  \
        "end_turn")

static void
test_signed_thinking(void **state)
{
  (void)state;
  static const char details[] =
      "[{'type':'reasoning.text','index':0," FORMAT ",'text':'Hm',"
      "'signature':'c2ln'},{'type':'reasoning.encrypted','index':1," FORMAT
      ",'data':'eHh4'}]";
  assert_reads(SIGNED_STREAM, true, DETAILS, details);
  assert_reads(SIGNED_WHOLE, false, DETAILS, details);
  assert_reads(SIGNED_STREAM, true, CONTENT, NULL);
  assert_reads(SIGNED_WHOLE, false, CONTENT, NULL);
  /* The text was left out. */
  assert_reads(STREAM(START(0, "{'type':'thinking','thinking':''}")
                          DELTA(0, SIGN("c2ln")) STOP(0) SAY(1, "a"),
                      "end_turn"),
               true, DETAILS,
               "[{'type':'reasoning.text','index':0," FORMAT
               ",'signature':'c2ln'}]");
  /* The signature came with the beginning. */
  assert_reads(STREAM(START(0, "{'type':'thinking','thinking':'Hm',"
                               "'signature':'c2ln'}") STOP(0) SAY(1, "a"),
                      "end_turn"),
               true, DETAILS,
               "[{'type':'reasoning.text','index':0," FORMAT
               ",'text':'Hm','signature':'c2ln'}]");
  /* Unsigned thinking cannot go back. */
  assert_reads(STREAM(START(0, "{'type':'thinking','thinking':''}")
                          DELTA(0, THINK("Hm")) STOP(0) SAY(1, "a"),
                      "end_turn"),
               true, DETAILS, NULL);
}

/* Two thoughts keep their own texts. */
static void
test_each_block_has_its_own_text(void **state)
{
  (void)state;
#define TWO                                                                   \
  STREAM(START(0, "{'type':'thinking','thinking':''}") DELTA(0, THINK("one")) \
             DELTA(0, SIGN("MQ==")) STOP(0)                                   \
                 START(1, "{'type':'thinking','thinking':''}")                \
                     DELTA(1, THINK("two")) DELTA(1, SIGN("Mg==")) STOP(1)    \
                         SAY(2, "a"),                                         \
         "end_turn")
  assert_reads(TWO, true, DETAILS "/0/text", "'one'");
  assert_reads(TWO, true, DETAILS "/1/text", "'two'");
  assert_reads(TWO, true, DETAILS "/1/signature", "'Mg=='");
  assert_reads(TWO, true, MESSAGE "/reasoning_content", "'onetwo'");
}

static void
test_tools_of_the_provider(void **state)
{
  (void)state;
#define SEARCH                                                              \
  STREAM(SAY(0, "Let me") START(1, "{'type':'server_tool_use','id':'s1',"   \
                                   "'name':'web_search','input':{}}")       \
             DELTA(1, INPUT("{\\'q")) DELTA(1, INPUT("\\':1}")) STOP(1)     \
                 START(2, "{'type':'web_search_tool_result','tool_use_id':" \
                          "'s1','content':[{'type':'web_search_result',"    \
                          "'encrypted_content':'e'}]}") STOP(2)             \
                     START(3, "{'type':'text','text':'','citations':[]}")   \
                         DELTA(3, "{'type':'citations_delta','citation':"   \
                                  "{'type':'c','url':'u'}}")                \
                             DELTA(3, TEXT("see")) DELTA(3, TEXT(" u"))     \
                                 STOP(3),                                   \
         "end_turn")
  assert_reads(
      SEARCH, true, CONTENT,
      "[{'type':'text','text':'Let me'},{'type':'server_tool_use','id':'s1',"
      "'name':'web_search','input':{'q':1}},{'type':"
      "'web_search_tool_result','tool_use_id':'s1','content':[{'type':"
      "'web_search_result','encrypted_content':'e'}]},{'type':'text','text':"
      "'see u','citations':[{'type':'c','url':'u'}]}]");
  assert_reads(SEARCH, true, MESSAGE "/content", "'Let mesee u'");
  assert_reads(SEARCH, true, MESSAGE "/tool_calls", NULL);
}

static void
test_when_the_content_is_kept_whole(void **state)
{
  (void)state;
  static const struct {
    const char *blocks;
    bool kept;
  } contents[] = {
      {"{'type':'text','text':'a'},{'type':'text','text':'b'}", false},
      {"{'type':'text','text':'a','citations':null}", false},
      {"{'type':'text','text':'a','citations':[]}", false},
      {"{'type':'text','text':'a','citations':[{'type':'c'}]}", true},
      {"{'type':'tool_use','id':'t','name':'f','input':{},'caller':{'type':"
       "'direct'}}",
       false},
      {"{'type':'tool_use','id':'t','name':'f','input':{},'caller':{'type':"
       "'code_execution_20250825','tool_id':'s'}}",
       true},
      {"{'type':'text','text':'a'},{'type':'thinking','thinking':'b',"
       "'signature':'c'}",
       true},
      {"{'type':'tool_use','id':'t','name':'f','input':{}},{'type':'text',"
       "'text':'a'}",
       true},
      {"{'type':'compaction','content':'c'}", true},
      {"{'type':'what_is_to_come','x':[1]}", true},
  };
  for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
    char text[1024], content[512];
    snprintf(text, sizeof text, WHOLE("%s", "end_turn"), contents[i].blocks);
    snprintf(content, sizeof content, "[%s]", contents[i].blocks);
    assert_reads(text, false, CONTENT, contents[i].kept ? content : NULL);
  }
}

/* A block of a type, and with deltas, that are not known yet. */
static void
test_what_is_to_come_is_put_together(void **state)
{
  (void)state;
  assert_reads(STREAM(START(0, "{'type':'new','content':'a','list':[1]}")
                          DELTA(0, "{'type':'new_delta','content':'b',"
                                   "'list':[2]}") STOP(0) SAY(1, "t"),
                      "end_turn"),
               true, CONTENT,
               "[{'type':'new','content':'ab','list':[1,2]},{'type':'text',"
               "'text':'t'}]");
  /* Deltas of a block that is over, or of none, belong nowhere. */
  assert_reads(STREAM(START(0, "{'type':'new','content':'a'}") STOP(0)
                          DELTA(0, "{'type':'new_delta','content':'b'}")
                              DELTA(7, "{'type':'new_delta','content':'c'}")
                                  SAY(1, "t"),
                      "end_turn"),
               true, CONTENT "/0/content", "'a'");
}

static void
test_calls_among_what_is_kept(void **state)
{
  (void)state;
  assert_reads(
      STREAM(START(0, "{'type':'server_tool_use','id':'s','name':'n',"
                      "'input':{'a':1}}") STOP(0)
                 START(1, "{'type':'tool_use','id':'t','name':'f','input':{}}")
                     DELTA(1, INPUT("{\\'b\\':2}")) STOP(1) START(
                         2, "{'type':'tool_use','id':'t2','name':'f',"
                            "'input':{}}") DELTA(2, INPUT("{\\'cut")) STOP(2),
             "tool_use"),
      true, CONTENT,
      "[{'type':'server_tool_use','id':'s','name':'n','input':{'a':1}},"
      "{'type':'tool_use','id':'t','name':'f','input':{'b':2}},"
      "{'type':'tool_use','id':'t2','name':'f','input':{}}]");
}

static void
test_the_log_has_a_limit(void **state)
{
  (void)state;
  inf_buf text;
  read_answer r;
  inf_buf_init(&text, SIZE_MAX);
  inf_buf_append_cstr(&text, START(0, "{'type':'new'}"));
  for (int i = 0; i < 20000; i++)
    inf_buf_append_cstr(&text, DELTA(0, "{'type':'x','y':'0123456789'}"));
  char *body = quoted(inf_buf_cstr(&text));
  read_init(&r, body, strlen(body), true, 0);
  assert_int_equal(r.status, INFER_E_TOO_LARGE);
  read_fini(&r);
  free(body);
  inf_buf_fini(&text);
}

typedef struct sweep {
  const char *text;
  char *json; /* what comes of it with enough memory */
} sweep;

/* The short way through a stream can do without memory; nothing else can. */
static void
read_all(void *arg)
{
  read_answer r;
  sweep *all = arg;
  read_init(&r, all->text, strlen(all->text), all->text[0] == 'e', 0);
  if (r.status != INFER_E_NO_MEMORY)
    assert_int_equal(r.status, INFER_OK);
  if (r.status == INFER_OK && r.json.status == INFER_OK) {
    if (!all->json)
      all->json = strdup(inf_buf_cstr(&r.json));
    assert_string_equal(inf_buf_cstr(&r.json), all->json);
  }
  read_fini(&r);
}

static void
test_short_memory(void **state)
{
  (void)state;
  static const char *const texts[] = {SIGNED_STREAM, SIGNED_WHOLE, SEARCH};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    char *text = quoted(texts[i]);
    sweep all = {.text = text};
    fail_alloc_install();
    read_all(&all);
    assert_non_null(all.json);
    assert_true(fail_alloc_sweep(read_all, &all) > 10);
    fail_alloc_uninstall();
    free(all.json);
    free(text);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_signed_thinking),
      cmocka_unit_test(test_each_block_has_its_own_text),
      cmocka_unit_test(test_tools_of_the_provider),
      cmocka_unit_test(test_when_the_content_is_kept_whole),
      cmocka_unit_test(test_what_is_to_come_is_put_together),
      cmocka_unit_test(test_calls_among_what_is_kept),
      cmocka_unit_test(test_the_log_has_a_limit),
      cmocka_unit_test(test_short_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
