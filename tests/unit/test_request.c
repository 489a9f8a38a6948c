/* SPDX-License-Identifier: MIT */
/* Life of a request object, and its copy; the builders are tested in
 * test_api_request.c. */
#include "support/fail_alloc.h"

#include "engine/request.h"

#include <string.h>

/* A request of which every part is set. */
static struct infer_request *
request_new(void)
{
  infer_request *request;
  assert_int_equal(infer_request_new(&request, "m"), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", "hi"), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", "ho"), INFER_OK);
  assert_int_equal(infer_request_set_int(request, "n", 2), INFER_OK);
  assert_int_equal(infer_request_set_deadline_ms(request, 77), INFER_OK);
  assert_int_equal(infer_request_set_header(request, "x-a", "1"), INFER_OK);
  assert_int_equal(infer_request_set_header(request, "x-b", "2"), INFER_OK);
  assert_int_equal(infer_request_require_label(request, "eu"), INFER_OK);
  assert_int_equal(infer_request_require_label(request, "zdr"), INFER_OK);
  assert_int_equal(infer_request_set_tag(request, "t1", "v1"), INFER_OK);
  assert_int_equal(infer_request_set_tag(request, "t2", "v2"), INFER_OK);
  assert_int_equal(infer_request_set_tenant(request, "me"), INFER_OK);
  assert_int_equal(infer_request_set_run_once(request, 1), INFER_OK);
  return request;
}

static void
assert_whole(const struct infer_request *request)
{
  assert_string_equal(inf_buf_cstr(&request->chat.model), "m");
  assert_string_equal(inf_buf_cstr(&request->chat.messages),
                      "{\"role\":\"user\",\"content\":\"hi\"},"
                      "{\"role\":\"user\",\"content\":\"ho\"}");
  assert_int_equal(request->chat.message_count, 2);
  assert_string_equal(inf_buf_cstr(&request->chat.members), "{\"n\":2}");
  assert_int_equal(request->deadline_ms, 77);
  assert_int_equal(request->headers.len, 14);
  assert_memory_equal(request->headers.ptr, "x-a: 1\0x-b: 2", 14);
  assert_int_equal(request->header_count, 2);
  assert_int_equal(request->label_count, 2);
  assert_string_equal(request->labels[0], "eu");
  assert_string_equal(request->labels[1], "zdr");
  assert_int_equal(request->tag_count, 2);
  assert_string_equal(request->tags[1].name, "t2");
  assert_string_equal(request->tags[0].value, "v1");
  assert_string_equal(request->tags[1].value, "v2");
  assert_string_equal(request->tenant, "me");
  assert_true(request->run_once);
}

static void
a_new_request_is_empty(void **state)
{
  (void)state;
  struct infer_request *request = inf_request_new();
  assert_int_equal(request->chat.model.len, 0);
  assert_int_equal(request->chat.message_count, 0);
  assert_int_equal(request->deadline_ms, 0);
  assert_int_equal(request->headers.len, 0);
  assert_int_equal(request->label_count, 0);
  assert_int_equal(request->tag_count, 0);
  assert_null(request->tenant);
  assert_false(request->run_once);
  struct infer_request *copy = inf_request_copy(request);
  assert_int_equal(copy->chat.model.len, 0);
  assert_int_equal(copy->headers.len, 0);
  assert_null(copy->tenant);
  inf_request_free(copy);
  inf_request_free(request);
  inf_request_free(NULL);
}

static void
a_copy_has_every_part(void **state)
{
  (void)state;
  struct infer_request *request = request_new();
  struct infer_request *copy = inf_request_copy(request);
  inf_request_free(request);
  assert_whole(copy);
  inf_request_free(copy);
}

static void
a_copy_goes_its_own_way(void **state)
{
  (void)state;
  struct infer_request *request = request_new();
  struct infer_request *copy = inf_request_copy(request);
  assert_int_equal(infer_request_set_model(request, "other"), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", "x"), INFER_OK);
  assert_int_equal(infer_request_set_int(request, "n", 3), INFER_OK);
  assert_int_equal(infer_request_set_header(request, "x-c", "3"), INFER_OK);
  assert_int_equal(infer_request_require_label(request, "l"), INFER_OK);
  assert_int_equal(infer_request_set_tag(request, "t1", "other"), INFER_OK);
  assert_int_equal(infer_request_set_tenant(request, "you"), INFER_OK);
  assert_whole(copy);
  inf_request_free(request);
  assert_whole(copy);
  struct infer_request *again = inf_request_copy(copy);
  inf_request_free(copy);
  assert_whole(again);
  inf_request_free(again);
}

/* As much as a request can hold. */
static void
a_copy_of_a_full_request(void **state)
{
  (void)state;
  struct infer_request *request = request_new();
  char tag[2] = "A";
  while (!infer_request_set_header(request, "x", "y"))
    ;
  while (!infer_request_require_label(request, "l"))
    ;
  for (; !infer_request_set_tag(request, tag, "v"); tag[0]++)
    ;
  struct infer_request *copy = inf_request_copy(request);
  assert_int_equal(copy->header_count, INF_REQUEST_MAX_HEADERS);
  assert_int_equal(copy->label_count, INF_REQUEST_MAX_LABELS);
  assert_int_equal(copy->tag_count, INF_REQUEST_MAX_TAGS);
  assert_true(
      inf_sv_eq(inf_buf_sv(&copy->headers), inf_buf_sv(&request->headers)));
  assert_string_equal(copy->labels[INF_REQUEST_MAX_LABELS - 1], "l");
  assert_string_equal(copy->tags[INF_REQUEST_MAX_TAGS - 1].value, "v");
  inf_request_free(copy);
  inf_request_free(request);
}

static void
copy_it(void *request)
{
  struct infer_request *copy = inf_request_copy(request);
  assert_true((copy != NULL) == (fail_alloc_hits() == 0));
  if (copy)
    assert_whole(copy);
  inf_request_free(copy);
}

static void
a_copy_is_whole_or_none(void **state)
{
  (void)state;
  fail_alloc_install();
  struct infer_request *request = request_new();
  assert_true(fail_alloc_sweep(copy_it, request) > 0);
  assert_whole(request);
  fail_alloc_nth(1);
  assert_null(inf_request_new());
  fail_alloc_never();
  inf_request_free(request);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_request_is_empty),
      cmocka_unit_test(a_copy_has_every_part),
      cmocka_unit_test(a_copy_goes_its_own_way),
      cmocka_unit_test(a_copy_of_a_full_request),
      cmocka_unit_test(a_copy_is_whole_or_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
