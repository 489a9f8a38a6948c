/* SPDX-License-Identifier: MIT */
/* Bytes as JSON: held against json-c, checked and read, and read unchecked.
 * What is accepted is written anew by the writer and must be accepted again
 * and come out the same. */
#include "fuzz/fuzz.h"
#include "support/json_reference.h"

#include "wire/json_write.h"

#include <infer/infer.h>
#include <stdlib.h>

#define MAX_DEPTH 16

static void copy_value(inf_buf *out, inf_sv value, int depth);

static void
copy_string(inf_buf *out, inf_sv raw)
{
  inf_buf text;

  inf_buf_init(&text, 1 << 22);
  inf_json_unescape(raw, &text);
  inf_json_put_string(out, inf_buf_sv(&text));
  inf_buf_fini(&text);
}

static void
copy_items(inf_buf *out, inf_sv value, int depth)
{
  inf_json_iter it = inf_json_iter_of(value);

  inf_json_open(out, it.object ? '{' : '[');
  while (inf_json_next(&it)) {
    if (it.object) {
      copy_string(out, it.key);
      inf_buf_append_char(out, ':');
    }
    copy_value(out, it.value, depth + 1);
  }
  inf_json_close(out, it.object ? '}' : ']');
}

static void
copy_number(inf_buf *out, inf_sv value)
{
  int64_t integer;
  double number;

  if (inf_json_int64(value, false, &integer))
    inf_json_put_int(out, integer);
  else if (inf_json_double(value, false, &number))
    inf_json_put_double(out, number);
  else
    inf_json_put_raw(out, value);
}

/* Values read without a check may be of any type, or none, at any depth. */
static void
copy_value(inf_buf *out, inf_sv value, int depth)
{
  inf_json_type type = inf_json_type_of(value);

  if (depth > MAX_DEPTH)
    return;
  if (type == INF_JSON_OBJECT || type == INF_JSON_ARRAY)
    copy_items(out, value, depth);
  else if (type == INF_JSON_STRING && value.len >= 2)
    copy_string(out, inf_sv_of(value.ptr + 1, value.len - 2));
  else if (type == INF_JSON_NUMBER)
    copy_number(out, value);
  else
    inf_json_put_raw(out, value);
}

static void
copy_checked(inf_buf *out, inf_sv value)
{
  inf_sv again;

  inf_buf_init(out, 1 << 22);
  copy_value(out, value, 0);
  FUZZ_CHECK(inf_json_parse(inf_buf_sv(out), MAX_DEPTH, &again, NULL));
  FUZZ_CHECK(again.len == out->len);
}

/* A double that is rounded to an integer is written as one only the second
 * time; from then on nothing changes. */
static void
check_copy(inf_sv value)
{
  inf_buf first, second, third;

  copy_checked(&first, value);
  copy_checked(&second, inf_buf_sv(&first));
  copy_checked(&third, inf_buf_sv(&second));
  FUZZ_CHECK(inf_sv_eq(inf_buf_sv(&second), inf_buf_sv(&third)));
  inf_buf_fini(&first);
  inf_buf_fini(&second);
  inf_buf_fini(&third);
}

static void
read_unchecked(inf_sv text)
{
  inf_buf out;

  inf_buf_init(&out, 1 << 20);
  copy_value(&out, text, 0);
  inf_json_path(text, "choices.delta.content");
  inf_json_equal(text, INF_SV("content"));
  inf_buf_fini(&out);
}

/* By the index and without it every value is the same, at every level. */
static void
check_index(const inf_json_index *index, inf_sv value)
{
  inf_json_iter by = inf_json_iter_by(index, value);
  inf_json_iter plain = inf_json_iter_of(value);

  while (inf_json_next(&plain)) {
    FUZZ_CHECK(inf_json_next(&by));
    FUZZ_CHECK(by.value.ptr == plain.value.ptr);
    FUZZ_CHECK(by.value.len == plain.value.len);
    FUZZ_CHECK(!plain.object || by.key.ptr == plain.key.ptr);
    FUZZ_CHECK(!plain.object || by.key.len == plain.key.len);
    check_index(index, plain.value);
  }
  FUZZ_CHECK(!inf_json_next(&by));
}

/* A block of its own for each way of reading, so that no read past the end
 * goes unseen. */
static void
check_text(inf_sv text)
{
  inf_sv strict, loose;
  inf_json_error error;
  inf_json_index index;
  bool parsed = inf_json_parse(text, MAX_DEPTH, &strict, &error);
  bool scanned = inf_json_scan_index(text, MAX_DEPTH, &loose, &index, NULL);

  FUZZ_CHECK(!parsed || (scanned && inf_sv_eq(strict, loose)));
  if (!parsed) {
    FUZZ_CHECK(error.offset <= text.len);
    FUZZ_CHECK(error.line >= 1 && error.column >= 1);
  }
  if (scanned) {
    check_copy(loose);
    check_index(&index, loose);
  }
  read_unchecked(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv text = inf_sv_of((const char *)data, size);
  const char *why;
  json_verdict verdict = json_judge(text, MAX_DEPTH, &why);
  char *block = fuzz_block(text);

  FUZZ_CHECK(verdict != JSON_ONLY_OURS);
  FUZZ_CHECK(verdict != JSON_ONLY_THEIRS);
  FUZZ_CHECK(verdict != JSON_DIFFERENT);
  check_text(inf_sv_of(block, size));
  free(block);
  return 0;
}
