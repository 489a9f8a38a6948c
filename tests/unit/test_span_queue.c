/* SPDX-License-Identifier: MIT */
#include "telemetry/span_queue.h"

#include "support/fail_alloc.h"
#include "wire/json_scan.h"

#include <stdio.h>
#include <string.h>

#define MIB ((size_t)1 << 20)

static inf_otlp_origin
origin(void)
{
  return (inf_otlp_origin){"shop", "00ff",
                           inf_otlp_names_of(INF_SEMCONV_V1_41)};
}

/* One span of len bytes. */
static const inf_span_batch *
add(inf_span_queue *queue, size_t len, uint64_t due_ns, size_t most_bytes)
{
  static char text[1 << 20];
  const inf_otlp_origin from = origin();
  memset(text, 'x', len);
  memcpy(text, "{\"n\":\"", 6);
  memcpy(text + len - 2, "\"}", 2);
  return inf_span_queue_add(queue, &from, inf_sv_of(text, len), 1, due_ns,
                            most_bytes);
}

static inf_sv
closed(inf_span_queue *queue)
{
  const inf_otlp_origin from = origin();
  inf_sv value, body = inf_span_queue_close(queue, &from);
  assert_true(inf_json_parse(body, 32, &value, NULL));
  return body;
}

static void
empty(inf_span_queue *queue)
{
  while (inf_span_queue_drop(queue) > 0)
    ;
  assert_int_equal(queue->bytes, 0);
  assert_null(inf_span_queue_first(queue));
}

static void
spans_become_a_request(void **state)
{
  (void)state;
  inf_span_queue queue;
  inf_span_queue_init(&queue);
  assert_null(inf_span_queue_first(&queue));
  assert_false(inf_span_queue_full(&queue));
  assert_int_equal(inf_span_queue_drop(&queue), 0);
  const inf_span_batch *batch = add(&queue, 100, 7, MIB);
  assert_int_equal(batch->due_ns, 7);
  assert_ptr_equal(add(&queue, 100, 9, MIB), batch);
  assert_int_equal(batch->due_ns, 7);
  assert_int_equal(batch->spans, 2);
  assert_ptr_equal(inf_span_queue_first(&queue), batch);
  assert_false(inf_span_queue_full(&queue));
  inf_sv body = closed(&queue);
  assert_true(inf_sv_starts_with(body, INF_SV("{\"resourceSpans\":[{")));
  assert_int_equal(inf_span_queue_drop(&queue), 2);
  empty(&queue);
}

static void
a_closed_batch_does_not_change(void **state)
{
  (void)state;
  inf_span_queue queue;
  inf_span_queue_init(&queue);
  add(&queue, 100, 1, MIB);
  inf_sv before = closed(&queue);
  assert_true(inf_span_queue_full(&queue));
  assert_ptr_not_equal(add(&queue, 100, 2, MIB), inf_span_queue_first(&queue));
  inf_sv after = closed(&queue);
  assert_ptr_equal(after.ptr, before.ptr);
  assert_int_equal(after.len, before.len);
  assert_int_equal(inf_span_queue_drop(&queue), 1);
  assert_int_equal(inf_span_queue_first(&queue)->due_ns, 2);
  assert_false(inf_span_queue_full(&queue));
  empty(&queue);
}

static void
batches_are_full_in_time(void **state)
{
  (void)state;
  inf_span_queue queue;
  inf_span_queue_init(&queue);
  for (int i = 0; i < 512; i++) {
    assert_false(inf_span_queue_full(&queue));
    add(&queue, 20, 1, 8 * MIB);
  }
  assert_true(inf_span_queue_full(&queue));
  assert_int_equal(inf_span_queue_first(&queue)->spans, 512);
  add(&queue, 20, 1, 8 * MIB);
  assert_int_equal(inf_span_queue_first(&queue)->spans, 512);
  empty(&queue);
  while (!inf_span_queue_full(&queue))
    add(&queue, 10000, 1, 8 * MIB);
  assert_int_equal(inf_span_queue_first(&queue)->spans, 26); /* 256 KiB */
  empty(&queue);
  while (!inf_span_queue_full(&queue))
    add(&queue, 10000, 1, 200000);
  assert_int_equal(inf_span_queue_first(&queue)->spans, 4); /* a quarter */
  empty(&queue);
}

/* Whatever comes, and closed or not. */
static void
memory_is_bounded(void **state)
{
  (void)state;
  static const size_t lengths[] = {50, 1000, 3000, 20000, 70000};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    const size_t most = 65536;
    inf_span_queue queue;
    size_t taken = 0, refused = 0;
    inf_span_queue_init(&queue);
    for (int k = 0; k < 3000; k++) {
      bool fits = add(&queue, lengths[i], 1, most) != NULL;
      taken += fits;
      refused += !fits;
      assert_true(queue.bytes <= most);
      if (k == 1 && taken > 0)
        closed(&queue);
    }
    assert_true(refused > 0);
    assert_true(lengths[i] > 30000 || taken * lengths[i] > most / 4);
    size_t dropped = 0, count;
    while (inf_span_queue_first(&queue)) {
      closed(&queue);
      count = inf_span_queue_drop(&queue);
      dropped += count;
    }
    assert_int_equal(dropped, taken);
    empty(&queue);
  }
}

static void
fill(void *arg)
{
  (void)arg;
  inf_span_queue queue;
  inf_span_queue_init(&queue);
  size_t taken = 0, given = 0;
  for (int i = 0; i < 5; i++)
    taken += add(&queue, 3000, 1, MIB) != NULL;
  assert_true(taken == 5 || fail_alloc_hits() > 0);
  while (inf_span_queue_first(&queue)) {
    closed(&queue);
    given += inf_span_queue_drop(&queue);
  }
  assert_int_equal(given, taken);
  empty(&queue);
}

static void
without_memory_spans_are_refused(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(fill, NULL) > 0);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spans_become_a_request),
      cmocka_unit_test(a_closed_batch_does_not_change),
      cmocka_unit_test(batches_are_full_in_time),
      cmocka_unit_test(memory_is_bounded),
      cmocka_unit_test(without_memory_spans_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
