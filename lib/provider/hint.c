/* SPDX-License-Identifier: MIT */
#include "provider/hint.h"

#include "infer/infer.h"
#include "wire/date.h"

#define MAX_NAME_BYTES 128

static int64_t
as_hint(uint64_t ns)
{
  return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

int64_t
inf_hint_now(const inf_headers *headers, int64_t wall_now_ns)
{
  inf_sv date;
  int64_t then_ns;
  if (inf_headers_get(headers, INF_SV("date"), &date) &&
      inf_parse_http_date(date, &then_ns))
    return then_ns;
  return wall_now_ns;
}

/* Azure sends 0 milliseconds beside a retry-after that means it, so only a
 * figure above 0 counts. */
static int64_t
retry_after(const inf_headers *headers, int64_t wall_now_ns)
{
  inf_sv value;
  uint64_t ns;
  if (inf_headers_get(headers, INF_SV("retry-after-ms"), &value) &&
      inf_parse_millis(value, &ns) && ns > 0)
    return as_hint(ns);
  if (inf_headers_get(headers, INF_SV("retry-after"), &value) &&
      inf_parse_retry_after(value, wall_now_ns, &ns))
    return as_hint(ns);
  return -1;
}

static inf_sv
inside(inf_sv value)
{
  if (value.len >= 2 && value.ptr[0] == '"')
    return inf_sv_of(value.ptr + 1, value.len - 2);
  return value;
}

static int64_t
in_body(const inf_failure *failure, const inf_error_body *error)
{
  uint64_t ns;
  if (inf_parse_go_duration(inside(error->retry_delay), &ns))
    return as_hint(ns);
  if (inf_parse_retry_text(inf_buf_sv(&failure->message), &ns) ||
      inf_parse_retry_text(inside(error->raw), &ns))
    return as_hint(ns);
  if (failure->status == INFER_E_OVERLOADED &&
      inf_parse_seconds(error->load_time, &ns))
    return as_hint(ns);
  return -1;
}

/* Where the word stands in a header's name, any case; SIZE_MAX if it does
 * not. */
static size_t
place_of(inf_sv name, inf_sv word)
{
  for (size_t i = 0; i + word.len <= name.len; i++) {
    if (inf_sv_eq_nocase(inf_sv_of(name.ptr + i, word.len), word))
      return i;
  }
  return SIZE_MAX;
}

static bool
is_rate_limit(inf_sv name)
{
  return inf_sv_contains_nocase(name, INF_SV("ratelimit")) ||
         inf_sv_contains_nocase(name, INF_SV("rate-limit"));
}

static bool
is_zero(inf_sv value)
{
  for (size_t i = 0; i < value.len; i++) {
    if (value.ptr[i] != '0' && value.ptr[i] != '.')
      return false;
  }
  return value.len > 0 && value.ptr[0] == '0';
}

/* Value of the header that is named like this one, but for one word. */
static bool
sibling(const inf_headers *headers, inf_sv name, inf_sv word, inf_sv other,
        inf_sv *value)
{
  char text[MAX_NAME_BYTES];
  size_t at = place_of(name, word);
  if (at == SIZE_MAX || name.len - word.len + other.len > sizeof(text))
    return false;
  size_t tail = name.len - at - word.len;
  memcpy(text, name.ptr, at);
  memcpy(text + at, other.ptr, other.len);
  memcpy(text + at + other.len, name.ptr + at + word.len, tail);
  return inf_headers_get(headers, inf_sv_of(text, at + other.len + tail),
                         value);
}

/* Every provider names and counts its buckets in its own way: what they share
 * is that "remaining" and "reset" stand in the same place. Of several empty
 * buckets the last to fill counts. A bucket that tells its reset but not what
 * remains (older Azure) may be the empty one. */
static int64_t
bucket_reset(const inf_headers *headers, int64_t wall_now_ns)
{
  const inf_sv remaining = INF_SV("remaining");
  const inf_sv reset = INF_SV("reset");
  int64_t empty = -1, unknown = -1;
  inf_sv name, value, left;
  for (size_t i = 0; inf_headers_at(headers, i, &name, &value); i++) {
    uint64_t ns;
    if (!is_rate_limit(name) || place_of(name, reset) == SIZE_MAX ||
        !inf_parse_reset(value, wall_now_ns, &ns))
      continue;
    int64_t wait = as_hint(ns);
    if (!sibling(headers, name, reset, remaining, &left))
      unknown = wait > unknown ? wait : unknown;
    else if (is_zero(left))
      empty = wait > empty ? wait : empty;
  }
  return empty >= 0 ? empty : unknown;
}

int64_t
inf_find_hint(const inf_failure *failure, const inf_headers *headers,
              const inf_error_body *error, int64_t wall_now_ns)
{
  bool http_error = failure->http_status >= 300;
  int64_t hint = -1;
  uint64_t ns;
  wall_now_ns = inf_hint_now(headers, wall_now_ns);
  if (http_error)
    hint = retry_after(headers, wall_now_ns);
  if (hint < 0)
    hint = in_body(failure, error);
  if (hint >= 0 || failure->status != INFER_E_RATE_LIMITED)
    return hint;
  if (http_error)
    hint = bucket_reset(headers, wall_now_ns);
  if (hint < 0 && inf_parse_reset(inside(error->reset), wall_now_ns, &ns))
    hint = as_hint(ns);
  return hint;
}
