/* SPDX-License-Identifier: MIT */
/* Life of a request object: what a call's snapshot holds. */
#include "engine/request.h"

#include "support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static infer_request *
full_request(void)
{
  infer_request *request;
  assert_int_equal(infer_request_new(&request, "r"), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", "Hi"), INFER_OK);
  assert_int_equal(infer_request_set_int(request, "seed", 7), INFER_OK);
  assert_int_equal(infer_request_set_deadline_ms(request, 1234), INFER_OK);
  assert_int_equal(infer_request_set_header(request, "X-One", "1"), INFER_OK);
  assert_int_equal(infer_request_set_header(request, "X-Two", "2"), INFER_OK);
  assert_int_equal(infer_request_require_label(request, "eu"), INFER_OK);
  assert_int_equal(infer_request_require_label(request, "private"), INFER_OK);
  assert_int_equal(infer_request_set_tag(request, "team", "blue"), INFER_OK);
  assert_int_equal(infer_request_set_tenant(request, "acme"), INFER_OK);
  assert_int_equal(infer_request_set_run_once(request, 1), INFER_OK);
  return request;
}

static void
assert_full(const infer_request *request)
{
  assert_string_equal(inf_buf_cstr(&request->chat.model), "r");
  assert_int_equal(request->chat.message_count, 1);
  assert_non_null(strstr(inf_buf_cstr(&request->chat.messages), "\"Hi\""));
  assert_true(
      inf_sv_eq(inf_chat_member(&request->chat, INF_SV("seed")), INF_SV("7")));
  assert_int_equal(request->deadline_ms, 1234);
  assert_int_equal(request->header_count, 2);
  assert_int_equal(request->headers.len, 2 * sizeof "X-One: 1");
  assert_memory_equal(request->headers.ptr, "X-One: 1\0X-Two: 2",
                      request->headers.len);
  assert_int_equal(request->label_count, 2);
  assert_string_equal(request->labels[0], "eu");
  assert_string_equal(request->labels[1], "private");
  assert_int_equal(request->tag_count, 1);
  assert_string_equal(request->tag_names[0], "team");
  assert_string_equal(request->tag_values[0], "blue");
  assert_string_equal(request->tenant, "acme");
  assert_true(request->run_once);
}

static void
a_new_request_is_empty(void **state)
{
  (void)state;
  infer_request *request = inf_request_new();
  assert_int_equal(request->chat.model.len, 0);
  assert_int_equal(request->chat.message_count, 0);
  assert_int_equal(request->deadline_ms, 0);
  assert_int_equal(request->header_count, 0);
  assert_int_equal(request->label_count, 0);
  assert_int_equal(request->tag_count, 0);
  assert_null(request->tenant);
  assert_false(request->run_once);
  inf_request_free(request);
  inf_request_free(NULL);
}

static void
a_copy_has_everything(void **state)
{
  (void)state;
  infer_request *request = full_request();
  infer_request *copy = inf_request_copy(request);
  assert_full(copy);
  inf_request_free(copy);
  inf_request_free(request);
}

static void
a_copy_stands_alone(void **state)
{
  (void)state;
  infer_request *request = full_request();
  infer_request *copy = inf_request_copy(request);
  infer_request_set_model(request, "other");
  infer_request_add_message(request, "user", "More");
  infer_request_set_int(request, "seed", 8);
  infer_request_set_deadline_ms(request, 1);
  infer_request_set_header(request, "X-Three", "3");
  infer_request_require_label(request, "mars");
  infer_request_set_tag(request, "team", "red");
  infer_request_set_tenant(request, "other");
  infer_request_set_run_once(request, 0);
  inf_request_free(request);
  assert_full(copy);
  inf_request_free(copy);
}

static void
a_copy_of_nothing_much(void **state)
{
  (void)state;
  infer_request *request = inf_request_new();
  infer_request *copy = inf_request_copy(request);
  assert_non_null(copy);
  assert_null(copy->tenant);
  assert_int_equal(copy->headers.len, 0);
  inf_request_free(copy);
  inf_request_free(request);
}

static void
copy_once(void *request)
{
  infer_request *copy = inf_request_copy(request);
  assert_true(copy != NULL || fail_alloc_hits() > 0);
  if (copy)
    assert_full(copy);
  inf_request_free(copy);
}

static void
a_copy_stands_any_shortage_of_memory(void **state)
{
  (void)state;
  fail_alloc_install();
  infer_request *request = full_request();
  assert_true(fail_alloc_sweep(copy_once, request) > 10);
  inf_request_free(request);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_request_is_empty),
      cmocka_unit_test(a_copy_has_everything),
      cmocka_unit_test(a_copy_stands_alone),
      cmocka_unit_test(a_copy_of_nothing_much),
      cmocka_unit_test(a_copy_stands_any_shortage_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
