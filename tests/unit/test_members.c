/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

static void
written(const inf_members *members, const char *expected)
{
  inf_buf out;
  inf_buf_init(&out, SIZE_MAX);
  inf_buf_append_char(&out, '{');
  assert_int_equal(inf_members_write(members, &out), INFER_OK);
  inf_buf_append_char(&out, '}');
  assert_json(inf_buf_cstr(&out), expected);
  inf_buf_fini(&out);
}

static void
piece(inf_members *members, const char *name, const char *json)
{
  assert_int_equal(inf_members_add_piece(members, S(name), S(json)), INFER_OK);
}

static void
test_set_replaces_and_ignores_null(void **state)
{
  (void)state;
  inf_members members = {0};
  assert_int_equal(inf_members_set(&members, S("a"), S("1")), INFER_OK);
  assert_int_equal(inf_members_set(&members, S("b"), S("null")), INFER_OK);
  assert_int_equal(inf_members_set(&members, S("a"), S("{\"x\":2}")), INFER_OK);
  assert_int_equal(inf_members_set(&members, S("a"), S("null")), INFER_OK);
  assert_int_equal(members.count, 1);
  assert_true(inf_members_is(&members, S("a"), S("{\"x\":2}")));
  assert_false(inf_members_is(&members, S("a"), S("{\"x\":3}")));
  assert_false(inf_members_has(&members, S("b")));
  written(&members, "{\"a\":{\"x\":2}}");
  inf_members_fini(&members);
}

static void
test_strings_are_joined(void **state)
{
  (void)state;
  inf_members members = {0};
  piece(&members, "t", "\"one \"");
  piece(&members, "t", "\"\"");
  /* Half an emoji in each piece. */
  piece(&members, "t", "\"two \\ud83d\"");
  piece(&members, "t", "\"\\ude00\"");
  written(&members, "{\"t\":\"one two \\ud83d\\ude00\"}");
  inf_members_fini(&members);
}

static void
test_labels_are_not_joined(void **state)
{
  (void)state;
  inf_members members = {0};
  piece(&members, "id", "\"a1\"");
  piece(&members, "id", "\"\"");
  piece(&members, "type", "\"x\"");
  piece(&members, "type", "\"y\"");
  written(&members, "{\"id\":\"a1\",\"type\":\"y\"}");
  inf_members_fini(&members);
}

static void
test_arrays_are_extended_and_numbers_replaced(void **state)
{
  (void)state;
  inf_members members = {0};
  piece(&members, "list", "[1,{\"a\":[]}]");
  piece(&members, "list", "[]");
  piece(&members, "list", "[2]");
  piece(&members, "n", "1");
  piece(&members, "n", "2.50");
  piece(&members, "mixed", "\"a\"");
  piece(&members, "mixed", "[1]");
  written(&members, "{\"list\":[1,{\"a\":[]},2],\"n\":2.50,\"mixed\":[1]}");
  inf_members_fini(&members);
}

static void
test_objects_are_merged(void **state)
{
  (void)state;
  inf_members members = {0};
  piece(&members, "audio", "{\"id\":\"au\",\"data\":\"QUJD\"}");
  piece(&members, "audio", "{\"transcript\":\"Hel\"}");
  piece(&members, "audio", "{\"data\":\"REVG\",\"transcript\":\"lo\"}");
  piece(&members, "audio", "{\"expires_at\":17,\"x\":{\"y\":\"a\"}}");
  piece(&members, "audio", "{\"x\":{\"y\":\"b\",\"z\":null}}");
  piece(&members, "audio", "{\"transcript\":null,\"id\":null}");
  written(&members, "{\"audio\":{\"id\":\"au\",\"data\":\"QUJDREVG\","
                    "\"transcript\":\"Hello\",\"expires_at\":17,"
                    "\"x\":{\"y\":\"ab\",\"z\":null}}}");
  inf_members_fini(&members);
}

static void
test_reasoning_details_are_merged_by_index_and_type(void **state)
{
  (void)state;
  inf_members members = {0};
  piece(&members, "reasoning_details",
        "[{\"type\":\"reasoning.text\",\"text\":\"We \",\"index\":0}]");
  piece(&members, "reasoning_details",
        "[{\"type\":\"reasoning.text\",\"text\":\"need\",\"index\":0,"
        "\"format\":null}]");
  piece(&members, "reasoning_details",
        "[{\"type\":\"reasoning.encrypted\",\"data\":\"xx\",\"index\":0},"
        "{\"type\":\"free\",\"text\":\"a\"},{\"type\":\"free\","
        "\"text\":\"b\"}]");
  written(&members,
          "{\"reasoning_details\":["
          "{\"type\":\"reasoning.text\",\"text\":\"We need\",\"index\":0,"
          "\"format\":null},"
          "{\"type\":\"reasoning.encrypted\",\"data\":\"xx\",\"index\":0},"
          "{\"type\":\"free\",\"text\":\"a\"},"
          "{\"type\":\"free\",\"text\":\"b\"}]}");
  inf_members_fini(&members);
}

static void
test_one_piece_is_written_as_it_came(void **state)
{
  (void)state;
  inf_members members = {0};
  inf_buf out;
  inf_buf_init(&out, SIZE_MAX);
  piece(&members, "x", "{ \"n\" : 1.10, \"z\": null }");
  inf_members_write_value(&members, S("x"), &out);
  assert_buf(&out, "{ \"n\" : 1.10, \"z\": null }");
  inf_buf_fini(&out);
  inf_members_fini(&members);
}

static void
test_deep_objects_end_somewhere(void **state)
{
  (void)state;
  inf_members members = {0};
  piece(&members, "d",
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
        "{\"s\":\"x\"}}}}}}}}}}");
  piece(&members, "d",
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
        "{\"s\":\"y\"}}}}}}}}}}");
  written(&members,
          "{\"d\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
          "{\"a\":{\"s\":\"y\"}}}}}}}}}}}");
  inf_members_fini(&members);
}

static void
test_too_many_names_are_refused(void **state)
{
  (void)state;
  inf_members members = {0};
  char name[16];
  for (int i = 0; i < INF_MEMBERS_MAX; i++) {
    snprintf(name, sizeof(name), "n%d", i);
    piece(&members, name, "1");
  }
  assert_int_equal(inf_members_add_piece(&members, S("more"), S("1")),
                   INFER_E_TOO_LARGE);
  assert_int_equal(inf_members_add_piece(&members, S("n7"), S("1")), INFER_OK);
  assert_int_equal(members.count, INF_MEMBERS_MAX);
  inf_members_fini(&members);
}

/* An object of the names [from, to), each with the value 1. */
static void
object_of_names(int from, int to, inf_buf *out)
{
  inf_buf_append_char(out, '{');
  for (int i = from; i < to; i++)
    inf_buf_appendf(out, "%s\"n%d\":1", i > from ? "," : "", i);
  inf_buf_append_char(out, '}');
}

/* An answer that was taken must be written. */
static void
test_objects_of_too_many_names_are_put_in_a_row(void **state)
{
  (void)state;
  inf_members members = {0};
  inf_buf piece_text, out;
  inf_buf_init(&piece_text, SIZE_MAX);
  inf_buf_init(&out, SIZE_MAX);
  for (int i = 0; i < 2; i++) {
    inf_buf_clear(&piece_text);
    object_of_names(i * 200, i * 200 + 200, &piece_text);
    piece(&members, "x", inf_buf_cstr(&piece_text));
  }
  assert_int_equal(inf_members_write_value(&members, S("x"), &out), INFER_OK);
  inf_buf_clear(&piece_text);
  object_of_names(0, 400, &piece_text);
  assert_buf(&out, inf_buf_cstr(&piece_text));
  inf_buf_fini(&out);
  inf_buf_fini(&piece_text);
  inf_members_fini(&members);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_set_replaces_and_ignores_null),
      cmocka_unit_test(test_strings_are_joined),
      cmocka_unit_test(test_labels_are_not_joined),
      cmocka_unit_test(test_arrays_are_extended_and_numbers_replaced),
      cmocka_unit_test(test_objects_are_merged),
      cmocka_unit_test(test_reasoning_details_are_merged_by_index_and_type),
      cmocka_unit_test(test_one_piece_is_written_as_it_came),
      cmocka_unit_test(test_deep_objects_end_somewhere),
      cmocka_unit_test(test_too_many_names_are_refused),
      cmocka_unit_test(test_objects_of_too_many_names_are_put_in_a_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
