/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/tree.h"

static inf_node *
parsed(const char *text)
{
  infer_error *error = NULL;
  inf_node *node;
  char *json = quoted(text);
  int32_t status = inf_node_parse(inf_sv_from(json), inf_sv_of(NULL, 0), NULL,
                                  &node, &error);
  if (status != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  free(json);
  return node;
}

static void
writes(const inf_node *node, const char *wanted)
{
  char *json = quoted(wanted);
  inf_buf out;
  inf_buf_init(&out, 1 << 20);
  inf_node_write(node, &out);
  assert_int_equal(out.status, INFER_OK);
  assert_string_equal(inf_buf_cstr(&out), json);
  inf_buf_fini(&out);
  free(json);
}

static void
parse_refused(const char *text, const char *message)
{
  infer_error *error = NULL;
  inf_node *node;
  char *json = quoted(text);
  inf_place place = inf_place_member(NULL, INF_SV("top"));
  assert_int_equal(inf_node_parse(inf_sv_from(json), inf_sv_of(NULL, 0), &place,
                                  &node, &error),
                   INFER_E_CONFIG);
  assert_null(node);
  assert_string_equal(infer_error_message(error), message);
  infer_error_free(error);
  free(json);
}

static void
keeps_every_byte_that_counts(void **state)
{
  (void)state;
  static const char text[] =
      "{'a':1.50,'b':[true,false,null,-0e+1],'c':{'d':{},'e':[]},"
      "'f':12345678901234567890,'g':'\\u0041\\n','h':''}";
  inf_node *node = parsed(text);
  writes(node, text);
  inf_node_free(node);
  node = parsed(" [ 1 , [ ] , { 'a' : 2 } ] ");
  writes(node, "[1,[],{'a':2}]");
  inf_node_free(node);
  node = parsed("'leaf'");
  writes(node, "'leaf'");
  inf_node_free(node);
}

static void
names_are_unescaped(void **state)
{
  (void)state;
  inf_node *node = parsed("{'\\u0061b':1,'':2}");
  assert_non_null(inf_node_get(node, INF_SV("ab")));
  assert_non_null(inf_node_get(node, INF_SV("")));
  assert_null(inf_node_get(node, INF_SV("a")));
  assert_null(inf_node_get(NULL, INF_SV("a")));
  assert_null(inf_node_get(node->first, INF_SV("a")));
  inf_node_free(node);
}

static void
refuses_names_given_twice(void **state)
{
  (void)state;
  parse_refused("{'a':1,'b':2,'a':3}", "top.a: given twice");
  parse_refused("{'a':1,'\\u0061':2}", "top.a: given twice");
  parse_refused("{'x':[{},{'b':{'c':1,'c':1}}]}", "top.x[1].b.c: given twice");
  parse_refused("{'':1,'':2}", "top.\"\": given twice");
}

static void
refuses_what_is_no_json(void **state)
{
  (void)state;
  infer_error *error = NULL;
  inf_node *node;
  inf_sv text = INF_SV("{\n  \"a\": 1,\n  \"b\" 2\n}");
  assert_int_equal(
      inf_node_parse(text, inf_sv_of(NULL, 0), NULL, &node, &error),
      INFER_E_CONFIG);
  assert_non_null(strstr(infer_error_message(error), "line 3, column 7: "));
  infer_error_free(error);
}

static void
limits_depth_and_size(void **state)
{
  (void)state;
  infer_error *error = NULL;
  inf_node *node;
  char deep[200];
  memset(deep, '[', 100);
  memset(deep + 100, ']', 100);
  for (size_t depth = 64; depth <= 65; depth++) {
    int32_t status = inf_node_parse(inf_sv_of(deep + 100 - depth, 2 * depth),
                                    inf_sv_of(NULL, 0), NULL, &node, &error);
    assert_int_equal(status, depth == 64 ? INFER_OK : INFER_E_CONFIG);
    inf_node_free(node);
  }
  infer_error_free(error);
  error = NULL;

  size_t len = 2 * (INF_TREE_MAX_VALUES + 1) + 1;
  char *wide = malloc(len);
  assert_non_null(wide);
  for (size_t i = 0; i < len; i++)
    wide[i] = i % 2 == 0 ? ',' : '1';
  wide[0] = '[';
  wide[len - 1] = ']';
  assert_int_equal(inf_node_parse(inf_sv_of(wide, len), inf_sv_of(NULL, 0),
                                  NULL, &node, &error),
                   INFER_E_CONFIG);
  assert_string_equal(infer_error_message(error), "more than 200000 values");
  infer_error_free(error);
  free(wide);
}

static void
many_members_take_no_quadratic_time(void **state)
{
  (void)state;
  size_t room = 100000 * 12 + 2, len = 1;
  char *json = malloc(room);
  assert_non_null(json);
  json[0] = '{';
  for (int i = 0; i < 100000; i++)
    len +=
        (size_t)snprintf(json + len, room - len, "%s\"%d\":1", i ? "," : "", i);
  json[len++] = '}';
  inf_node *node;
  assert_int_equal(inf_node_parse(inf_sv_of(json, len), inf_sv_of(NULL, 0),
                                  NULL, &node, NULL),
                   INFER_OK);
  assert_int_equal(inf_node_count(node), 100000);
  inf_node_free(node);
  free(json);
}

static inf_node *
number(const char *name)
{
  inf_node *node =
      inf_node_new(inf_sv_from(name), INF_JSON_NUMBER, INF_SV("7"));
  assert_non_null(node);
  return node;
}

static void
replaces_in_every_position(void **state)
{
  (void)state;
  static const char *const with[] = {
      "{'x':7,'b':2,'c':3}", "{'a':1,'x':7,'c':3}", "{'a':1,'b':2,'x':7}"};
  static const char *const without[] = {
      "{'b':2,'c':3,'y':7}", "{'a':1,'c':3,'y':7}", "{'a':1,'b':2,'y':7}"};
  static const char *const names[] = {"a", "b", "c"};
  for (size_t i = 0; i < 3; i++) {
    inf_node *node = parsed("{'a':1,'b':2,'c':3}");
    inf_node_replace(node, inf_node_get(node, inf_sv_from(names[i])),
                     number("x"));
    writes(node, with[i]);
    inf_node_free(node);
    node = parsed("{'a':1,'b':2,'c':3}");
    inf_node_replace(node, inf_node_get(node, inf_sv_from(names[i])), NULL);
    inf_node_append(node, number("y")); /* the last one is known */
    writes(node, without[i]);
    inf_node_free(node);
  }
  inf_node *node = parsed("{'a':1}");
  inf_node_replace(node, node->first, NULL);
  writes(node, "{}");
  inf_node_prepend(node, number("p"));
  inf_node_append(node, number("q"));
  inf_node_prepend(node, number("o"));
  writes(node, "{'o':7,'p':7,'q':7}");
  inf_node_free(node);
}

static void
reads_strings(void **state)
{
  (void)state;
  inf_node *node = parsed("['a\\u00e9',1]");
  inf_buf text;
  inf_buf_init(&text, 100);
  assert_true(inf_node_string(node->first, &text));
  assert_string_equal(inf_buf_cstr(&text), "a\xc3\xa9");
  assert_false(inf_node_string(node->last, &text));
  assert_true(inf_node_equals(node->first, INF_SV("a\xc3\xa9")));
  assert_false(inf_node_equals(node->first, INF_SV("a")));
  assert_false(inf_node_equals(NULL, INF_SV("a")));
  inf_buf_fini(&text);
  inf_node_free(node);
  node = inf_node_new_string(INF_SV("n"), INF_SV("a\"\n"));
  assert_non_null(node);
  assert_true(inf_sv_eq(node->text, INF_SV("\"a\\\"\\n\"")));
  inf_node_free(node);
  inf_node_free(NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_every_byte_that_counts),
      cmocka_unit_test(names_are_unescaped),
      cmocka_unit_test(refuses_names_given_twice),
      cmocka_unit_test(refuses_what_is_no_json),
      cmocka_unit_test(limits_depth_and_size),
      cmocka_unit_test(many_members_take_no_quadratic_time),
      cmocka_unit_test(replaces_in_every_position),
      cmocka_unit_test(reads_strings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
