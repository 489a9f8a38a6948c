/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

/* What the listener heard, one line each. */
typedef struct fixture {
  inf_answer answer;
  inf_buf heard;
} fixture;

static void
on_delta(void *context, const inf_delta *delta)
{
  static const char *const names[] = {"text",  "reasoning", "refusal",
                                      "call",  "call-done", "logprobs",
                                      "extra", "finish",    "usage"};
  fixture *f = context;
  inf_buf_appendf(&f->heard, "%s %u/%u %.*s", names[delta->kind], delta->choice,
                  delta->tool, (int)delta->text.len,
                  delta->text.len ? delta->text.ptr : "");
  if (delta->kind == INF_DELTA_TOOL_CALL ||
      delta->kind == INF_DELTA_TOOL_CALL_DONE)
    inf_buf_appendf(&f->heard, " [%.*s %.*s]", (int)delta->tool_id.len,
                    delta->tool_id.len ? delta->tool_id.ptr : "",
                    (int)delta->tool_name.len,
                    delta->tool_name.len ? delta->tool_name.ptr : "");
  inf_buf_append_char(&f->heard, '\n');
}

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));
  inf_answer_init(&f->answer, 1 << 16);
  inf_buf_init(&f->heard, SIZE_MAX);
  f->answer.listener = on_delta;
  f->answer.listener_context = f;
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;
  inf_answer_fini(&f->answer);
  inf_buf_fini(&f->heard);
  test_free(f);
  return 0;
}

static void
test_texts_are_joined_and_told(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  inf_answer_add_text(answer, 0, S(""));
  assert_true(inf_answer_choice(answer, 0)->has_text);
  assert_false(inf_answer_has_content(answer));
  inf_answer_add_reasoning(answer, 0, S("hm"), "reasoning");
  assert_true(inf_answer_has_content(answer));
  inf_answer_add_text(answer, 0, S("Hel"));
  inf_answer_add_text(answer, 0, S("lo"));
  inf_answer_add_refusal(answer, 1, S("no"));
  inf_answer_finish(answer, 0, S("stop"), S("eos"));
  inf_answer_finish(answer, 0, S("stop"), S("eos"));
  inf_answer_finish(answer, 0, S(""), S(""));
  assert_buf(&inf_answer_choice(answer, 0)->text, "Hello");
  assert_buf(&inf_answer_choice(answer, 0)->finish_reason, "stop");
  assert_buf(&inf_answer_choice(answer, 0)->native_finish_reason, "eos");
  assert_buf(&f->heard, "reasoning 0/0 hm\ntext 0/0 Hel\ntext 0/0 lo\n"
                        "refusal 1/0 no\nfinish 0/0 stop\n");
  assert_int_equal(answer->bytes, 7 + 2 + 4 + 3);
}

static void
test_choices_stand_in_the_order_of_their_index(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  inf_answer_add_text(answer, 2, S("c"));
  inf_answer_add_text(answer, 0, S("a"));
  inf_answer_add_text(answer, 1, S("b"));
  inf_answer_add_text(answer, 2, S("c"));
  assert_int_equal(answer->choice_count, 3);
  for (uint32_t i = 0; i < 3; i++)
    assert_int_equal(answer->choices[i].index, i);
  assert_buf(&answer->choices[2].text, "cc");
  assert_null(inf_answer_choice(answer, 3));
}

static size_t
call(inf_answer *answer, uint32_t index, const char *id, const char *name,
     const char *arguments)
{
  return inf_answer_add_tool_call(answer, 0, index, S(id), S("function"),
                                  S(name), S(arguments));
}

static void
test_pieces_find_their_tool_call(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  /* By index, with the id only in the first piece. */
  assert_int_equal(call(answer, 0, "a", "f", "{"), 0);
  assert_int_equal(call(answer, 1, "b", "g", ""), 1);
  assert_int_equal(call(answer, 0, "", "", "}"), 0);
  assert_int_equal(call(answer, 1, "b", "x", "[]"), 1);
  /* Another id under a known index is another call. */
  assert_int_equal(call(answer, 0, "c", "h", "1"), 2);
  assert_int_equal(call(answer, 0, "", "", "2"), 2);
  assert_int_equal(call(answer, 0, "a", "", "!"), 0);
  inf_choice *choice = inf_answer_choice(answer, 0);
  assert_int_equal(choice->tool_call_count, 3);
  assert_buf(&choice->tool_calls[0].arguments, "{}!");
  assert_buf(&choice->tool_calls[1].arguments, "[]");
  assert_buf(&choice->tool_calls[1].name, "g");
  assert_buf(&choice->tool_calls[2].arguments, "12");
}

static void
test_pieces_without_index_go_by_id_or_to_the_last(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  const uint32_t none = INF_TOOL_NO_INDEX;
  assert_int_equal(call(answer, none, "", "f", "1"), 0);
  assert_int_equal(call(answer, none, "", "", "2"), 0);
  assert_int_equal(call(answer, none, "x", "g", "3"), 1);
  assert_int_equal(call(answer, none, "y", "h", "4"), 2);
  assert_int_equal(call(answer, none, "x", "", "5"), 1);
  assert_int_equal(call(answer, none, "", "", "6"), 2);
}

static void
test_an_id_may_come_late(void **state)
{
  fixture *f = *state;
  assert_int_equal(call(&f->answer, 3, "", "f", ""), 0);
  assert_int_equal(call(&f->answer, 3, "late", "", "{}"), 0);
  assert_buf(&inf_answer_choice(&f->answer, 0)->tool_calls[0].id, "late");
}

static void
test_calls_are_done_at_the_finish_and_once(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  call(answer, 0, "a", "f", "{");
  call(answer, 0, "", "", "}");
  inf_answer_finish(answer, 0, S("tool_calls"), S("tool_calls"));
  inf_answer_finish(answer, 0, S("tool_calls"), S("tool_calls"));
  call(answer, 0, "b", "g", "1");
  inf_answer_end(answer);
  assert_buf(&f->heard, "call 0/0 { [a f]\ncall 0/0 } [a f]\n"
                        "call-done 0/0 {} [a f]\nfinish 0/0 tool_calls\n"
                        "call 0/1 1 [b g]\ncall-done 0/1 1 [b g]\n");
}

static void
test_a_call_that_goes_on_is_done_again(void **state)
{
  fixture *f = *state;
  call(&f->answer, 0, "a", "f", "{");
  inf_answer_finish(&f->answer, 0, S("tool_calls"), S("tool_calls"));
  inf_buf_clear(&f->heard);
  call(&f->answer, 0, "", "", "}");
  call(&f->answer, 0, "", "", "");
  inf_answer_end(&f->answer);
  assert_buf(&f->heard, "call 0/0 } [a f]\ncall-done 0/0 {} [a f]\n");
}

static void
test_other_members_are_told_as_objects(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  inf_answer_set_message_extra(answer, 0, S("x"), S("\"a\""), true);
  inf_answer_set_message_extra(answer, 0, S("x"), S("\"b\""), true);
  inf_answer_set_message_extra(answer, 0, S("y"), S("null"), true);
  inf_answer_set_message_extra(answer, 0, S("z"), S("[]"), true);
  inf_answer_set_message_extra(answer, 0, S("channel"), S("\"c\""), true);
  inf_answer_set_message_extra(answer, 0, S("channel"), S("\"c\""), true);
  inf_answer_set_message_extra(answer, 0, S("n"), S("1"), true);
  inf_answer_set_message_extra(answer, 0, S("n"), S("1"), true);
  inf_answer_add_logprobs(answer, 0, S("{\"t\":1},{\"t\":2}"), false);
  assert_buf(&f->heard, "extra 0/0 {\"x\":\"a\"}\nextra 0/0 {\"x\":\"b\"}\n"
                        "extra 0/0 {\"channel\":\"c\"}\n"
                        "extra 0/0 {\"n\":1}\n"
                        "logprobs 0/0 [{\"t\":1},{\"t\":2}]\n");
}

static void
test_usage_is_told_once_at_the_end(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  inf_usage one = {5, 1, -1, -1, -1, 6, -1, -1, false};
  inf_usage two = {-1, 9, 2, -1, -1, 14, -1, -1, false};
  inf_answer_set_usage(answer, &one, S("{\"a\":1}"));
  inf_answer_set_usage(answer, &two, S("{\"a\":2}"));
  inf_answer_set_usage(answer, &two, S(""));
  assert_int_equal(answer->usage.input, 5);
  assert_int_equal(answer->usage.output, 9);
  assert_int_equal(answer->usage.reasoning, 2);
  assert_int_equal(answer->usage.cache_read, -1);
  inf_answer_end(answer);
  assert_buf(&f->heard, "usage 0/0 {\"a\":2}\n");
}

static void
test_identity_is_kept_when_later_pieces_lack_it(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  inf_answer_set_id(answer, S(""));
  inf_answer_set_created(answer, 0);
  inf_answer_set_id(answer, S("id-1"));
  inf_answer_set_id(answer, S(""));
  inf_answer_set_model(answer, S("m"));
  inf_answer_set_model(answer, S("longer"));
  inf_answer_set_created(answer, 17);
  inf_answer_set_created(answer, 0);
  assert_buf(&answer->id, "id-1");
  assert_buf(&answer->model, "longer");
  assert_int_equal(answer->created, 17);
  assert_int_equal(answer->bytes, 4 + 6);
}

static void
test_the_limit_holds_over_all_buffers(void **state)
{
  (void)state;
  inf_answer answer;
  inf_answer_init(&answer, 10);
  inf_answer_add_text(&answer, 0, S("123456"));
  inf_answer_add_reasoning(&answer, 0, S("1234"), "reasoning");
  assert_int_equal(answer.status, INFER_OK);
  inf_answer_add_text(&answer, 0, S("x"));
  assert_int_equal(answer.status, INFER_E_TOO_LARGE);
  inf_answer_add_text(&answer, 1, S(""));
  assert_int_equal(answer.choice_count, 1);
  assert_buf(&answer.choices[0].text, "123456");
  inf_answer_fini(&answer);
}

/* Writes all there is, to compare by. */
static void
write_all(const inf_answer *answer, inf_buf *out)
{
  inf_buf_init(out, SIZE_MAX);
  inf_answer_write_json(answer, out);
  for (size_t i = 0; i < answer->choice_count; i++)
    inf_answer_write_message(answer, answer->choices[i].index, out);
}

static void
fill_with_everything(inf_answer *answer)
{
  inf_answer_set_id(answer, S("id"));
  inf_answer_set_model(answer, S("m"));
  inf_answer_set_extra(answer, S("service_tier"), S("\"default\""));
  inf_answer_add_text(answer, 3, S("third"));
  inf_answer_add_reasoning(answer, 3, S("hm"), "reasoning");
  inf_answer_add_text(answer, 1, S("first"));
  inf_answer_add_refusal(answer, 1, S("no"));
  inf_answer_add_logprobs(answer, 1, S("{\"token\":\"a\"}"), false);
  inf_answer_set_message_extra(answer, 1, S("x"), S("[1]"), true);
  inf_answer_set_message_extra(answer, 1, S("x"), S("[2]"), true);
  inf_answer_set_choice_extra(answer, 1, S("y"), S("2"));
  inf_answer_add_tool_call(answer, 2, 0, S("t"), S("function"), S("f"),
                           S("{}"));
  inf_answer_set_tool_extra(answer, 2, 0, S("z"), S("true"));
  inf_answer_finish(answer, 1, S("stop"), S("eos"));
  inf_answer_end(answer);
}

static void
test_a_packed_copy_says_the_same(void **state)
{
  fixture *f = *state;
  inf_buf of_answer, of_copy;
  fill_with_everything(&f->answer);
  write_all(&f->answer, &of_answer);
  size_t bytes = inf_answer_packed_bytes(&f->answer);
  char *block = malloc(bytes);
  assert_non_null(block);
  inf_answer copy;
  assert_true(inf_answer_pack(&copy, &f->answer, block, bytes / 2) > bytes / 2);
  assert_int_equal(inf_answer_pack(&copy, &f->answer, block, bytes), bytes);
  inf_answer_reuse(&f->answer, 1 << 16);
  inf_answer_add_text(&f->answer, 0, S("overwritten by the next answer"));
  write_all(&copy, &of_copy);
  assert_sv(inf_buf_sv(&of_copy), inf_buf_cstr(&of_answer));
  for (size_t i = 0; i < copy.choice_count; i++) {
    const char *text = copy.choices[i].text.ptr;
    assert_true(!text || (text >= block && text < block + bytes));
  }
  inf_buf_fini(&of_answer);
  inf_buf_fini(&of_copy);
  free(block);
}

static void
test_an_empty_answer_packs_into_nothing(void **state)
{
  fixture *f = *state;
  inf_answer copy;
  char unused;
  assert_int_equal(inf_answer_packed_bytes(&f->answer), 0);
  assert_int_equal(inf_answer_pack(&copy, &f->answer, &unused, 0), 0);
  assert_int_equal(copy.choice_count, 0);
  assert_int_equal(copy.created, -1);
}

static void
test_an_answer_in_used_memory_is_a_new_one(void **state)
{
  fixture *f = *state;
  inf_buf first, second;
  fill_with_everything(&f->answer);
  write_all(&f->answer, &first);
  for (int i = 0; i < 3; i++) {
    inf_answer_reuse(&f->answer, 1 << 16);
    assert_int_equal(f->answer.choice_count, 0);
    assert_int_equal(f->answer.bytes, 0);
    assert_null(f->answer.listener);
    fill_with_everything(&f->answer);
    write_all(&f->answer, &second);
    assert_sv(inf_buf_sv(&second), inf_buf_cstr(&first));
    inf_buf_fini(&second);
  }
  inf_buf_fini(&first);
}

static void
test_large_memory_is_not_kept(void **state)
{
  fixture *f = *state;
  static char large[100 << 10];
  memset(large, 'x', sizeof large);
  inf_answer_reuse(&f->answer, 1 << 20);
  inf_answer_add_text(&f->answer, 0, inf_sv_of(large, sizeof large));
  inf_answer_add_text(&f->answer, 1, S("small"));
  inf_answer_reuse(&f->answer, 1 << 20);
  assert_int_equal(f->answer.choices_made, 1);
  assert_int_equal(f->answer.choices[0].text.cap, 0);
}

static void
test_too_many_choices_or_calls_are_a_protocol_error(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  for (uint32_t i = 0; i < INF_ANSWER_MAX_CHOICES; i++)
    inf_answer_add_text(answer, i * 7, S("x"));
  assert_int_equal(answer->status, INFER_OK);
  inf_answer_add_text(answer, 1, S("x"));
  assert_int_equal(answer->status, INFER_E_PROTOCOL);
  inf_answer_reuse(answer, answer->max_bytes);
  assert_int_equal(answer->status, INFER_OK);
  for (uint32_t i = 0; i < INF_ANSWER_MAX_TOOL_CALLS; i++)
    assert_int_equal(
        inf_answer_add_tool_call(answer, i % 3, i, S(""), S(""), S("f"), S("")),
        i / 3);
  assert_true(inf_answer_add_tool_call(answer, 0, 99999, S(""), S(""), S("f"),
                                       S("")) == SIZE_MAX);
  assert_int_equal(answer->status, INFER_E_PROTOCOL);
}

static void
test_move_leaves_listeners_where_they_are(void **state)
{
  fixture *f = *state;
  inf_answer to;
  inf_answer_init(&to, 100);
  inf_answer_add_text(&to, 0, S("old"));
  inf_answer_add_text(&f->answer, 0, S("new"));
  inf_answer_move(&to, &f->answer);
  assert_null(to.listener);
  assert_non_null(f->answer.listener);
  assert_buf(&to.choices[0].text, "new");
  assert_int_equal(f->answer.choice_count, 0);
  inf_answer_add_text(&f->answer, 0, S("again"));
  assert_buf(&f->heard, "text 0/0 new\ntext 0/0 again\n");
  inf_answer_fini(&to);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_texts_are_joined_and_told),
      TEST(test_choices_stand_in_the_order_of_their_index),
      TEST(test_pieces_find_their_tool_call),
      TEST(test_pieces_without_index_go_by_id_or_to_the_last),
      TEST(test_an_id_may_come_late),
      TEST(test_calls_are_done_at_the_finish_and_once),
      TEST(test_a_call_that_goes_on_is_done_again),
      TEST(test_other_members_are_told_as_objects),
      TEST(test_usage_is_told_once_at_the_end),
      TEST(test_identity_is_kept_when_later_pieces_lack_it),
      TEST(test_the_limit_holds_over_all_buffers),
      TEST(test_a_packed_copy_says_the_same),
      TEST(test_an_empty_answer_packs_into_nothing),
      TEST(test_an_answer_in_used_memory_is_a_new_one),
      TEST(test_large_memory_is_not_kept),
      TEST(test_too_many_choices_or_calls_are_a_protocol_error),
      TEST(test_move_leaves_listeners_where_they_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
