/* SPDX-License-Identifier: MIT */
/* One way to write a request, by AWS's rules for Signature Version 4. Requests
 * to models have a handful of headers and hardly ever a query: both are put in
 * order by insertion, in a small array. */
#include "provider/sigv4_canonical.h"

#include <infer/infer.h>

/* Encoding ------------------------------------------------------------- */

static bool
is_unreserved(char c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

static void
put_encoded(inf_buf *out, char c)
{
  static const char digits[] = "0123456789ABCDEF";
  unsigned char byte = (unsigned char)c;
  char text[3] = {'%', digits[byte >> 4], digits[byte & 15]};

  if (is_unreserved(c))
    inf_buf_append_char(out, c);
  else
    inf_buf_append(out, text, 3);
}

static int
hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next character of encoded text. A percent sign without two digits stands
 * for itself. */
static char
take_decoded(inf_sv *text)
{
  bool whole = text->ptr[0] == '%' && text->len >= 3;
  int high = whole ? hex_digit(text->ptr[1]) : -1;
  int low = whole ? hex_digit(text->ptr[2]) : -1;
  bool encoded = high >= 0 && low >= 0;
  char c = encoded ? (char)(high * 16 + low) : text->ptr[0];
  size_t step = encoded ? 3 : 1;

  *text = inf_sv_of(text->ptr + step, text->len - step);
  return c;
}

/* Takes what stands before the mark, and the mark. */
static inf_sv
take_until(inf_sv *text, char mark)
{
  size_t len = inf_sv_find(*text, mark), step = len + (len < text->len);
  inf_sv front = inf_sv_of(text->ptr, len);

  if (step > 0)
    *text = inf_sv_of(text->ptr + step, text->len - step);
  return front;
}

/* -1, 0, 1 as the bytes come in order; a prefix comes first. */
static int
compare(inf_sv a, inf_sv b)
{
  size_t len = a.len < b.len ? a.len : b.len;
  int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;

  return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Path ----------------------------------------------------------------- */

/* Back to before the last segment, but not before the path's own start. */
static void
drop_segment(inf_buf *out, size_t start)
{
  size_t len = out->len;

  while (len > start && out->ptr[len - 1] != '/')
    len--;
  inf_buf_truncate(out, len > start ? len - 1 : start);
}

static void
put_segment(inf_buf *out, inf_sv segment)
{
  inf_buf_append_char(out, '/');
  for (size_t i = 0; i < segment.len; i++)
    put_encoded(out, segment.ptr[i]);
}

static bool
is_dots(inf_sv segment)
{
  return inf_sv_eq(segment, INF_SV(".")) || inf_sv_eq(segment, INF_SV(".."));
}

void
inf_sigv4_path(inf_sv path, bool s3, inf_buf *out)
{
  size_t start = out->len;
  inf_sv segment = INF_SV("");

  if (s3 && path.len > 0) {
    inf_buf_append_sv(out, path);
    return;
  }
  while (path.len > 0 && out->status == INFER_OK) {
    bool last = inf_sv_find(path, '/') == path.len;

    segment = take_until(&path, '/');
    if (segment.len == 2 && is_dots(segment))
      drop_segment(out, start);
    else if (segment.len > 0 && !is_dots(segment))
      put_segment(out, segment);
    if (!last)
      segment = INF_SV("");
  }
  /* What ends with a slash, or in a folder, is a folder. */
  if (segment.len == 0 || is_dots(segment))
    inf_buf_append_char(out, '/');
}

/* Query ---------------------------------------------------------------- */

static void
put_normal(inf_buf *out, inf_sv text)
{
  while (text.len > 0)
    put_encoded(out, take_decoded(&text));
}

static int
compare_parts(const inf_sigv4_item *a, const inf_sigv4_item *b)
{
  int order = compare(a->name, b->name);

  return order != 0 ? order : compare(a->value, b->value);
}

/* Puts the item where it belongs among the sorted ones. */
static void
insert_part(inf_sigv4_item *items, size_t count, const inf_sigv4_item *item)
{
  for (; count > 0 && compare_parts(&items[count - 1], item) > 0; count--)
    items[count] = items[count - 1];
  items[count] = *item;
}

/* Each part, encoded anew, is "name" NUL "value" NUL in text: nothing encoded
 * has a NUL. */
static int32_t
encode_query(inf_sv query, inf_buf *text, size_t *count)
{
  for (*count = 0; query.len > 0;) {
    inf_sv value = take_until(&query, '&'), name;

    if (value.len == 0)
      continue;
    if (++*count > INF_SIGV4_MAX_ITEMS)
      return INFER_E_TOO_LARGE;
    name = take_until(&value, '=');
    put_normal(text, name);
    inf_buf_append_char(text, '\0');
    put_normal(text, value);
    inf_buf_append_char(text, '\0');
  }
  return text->status;
}

static void
write_query(inf_sv text, size_t count, inf_buf *out)
{
  inf_sigv4_item items[INF_SIGV4_MAX_ITEMS], item;

  for (size_t i = 0; i < count; i++) {
    item.name = take_until(&text, '\0');
    item.value = take_until(&text, '\0');
    insert_part(items, i, &item);
  }
  for (size_t i = 0; i < count; i++) {
    if (i > 0)
      inf_buf_append_char(out, '&');
    inf_buf_append_sv(out, items[i].name);
    inf_buf_append_char(out, '=');
    inf_buf_append_sv(out, items[i].value);
  }
}

int32_t
inf_sigv4_query(inf_sv query, inf_buf *out)
{
  size_t count;
  inf_buf text;

  inf_buf_init(&text, out->max);
  int32_t status = encode_query(query, &text, &count);
  if (status == INFER_OK) {
    write_query(inf_buf_sv(&text), count, out);
    status = out->status;
  }
  inf_buf_fini_secret(&text); /* a query may hold a key */
  return status;
}

/* Headers -------------------------------------------------------------- */

static char
lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* As compare(), of lower-case names. */
static int
compare_names(inf_sv a, inf_sv b)
{
  size_t i = 0;

  while (i < a.len && i < b.len && lower(a.ptr[i]) == lower(b.ptr[i]))
    i++;
  if (i == a.len || i == b.len)
    return (a.len > b.len) - (a.len < b.len);
  return (unsigned char)lower(a.ptr[i]) < (unsigned char)lower(b.ptr[i]) ? -1
                                                                         : 1;
}

bool
inf_sigv4_headers_add(inf_sigv4_headers *headers, inf_sv name, inf_sv value)
{
  inf_sigv4_item *items = headers->items;
  size_t at = headers->count;

  if (at == INF_SIGV4_MAX_ITEMS)
    return false;
  while (at > 0 && compare_names(items[at - 1].name, name) > 0)
    at--;
  memmove(&items[at + 1], &items[at], (headers->count - at) * sizeof(*items));
  items[at] = (inf_sigv4_item){name, value};
  headers->count++;
  return true;
}

static bool
is_signed(inf_sv name)
{
  static const char *const unsigned_names[] = {
      "Authorization",     "Connection", "Expect",
      "Transfer-Encoding", "User-Agent", "X-Amzn-Trace-Id",
  };

  for (size_t i = 0; i < sizeof(unsigned_names) / sizeof(*unsigned_names); i++)
    if (inf_sv_eq_nocase(name, inf_sv_from(unsigned_names[i])))
      return false;
  return name.len > 0;
}

bool
inf_sigv4_headers_add_lines(inf_sigv4_headers *headers, inf_sv lines)
{
  while (lines.len > 0) {
    inf_sv value = take_until(&lines, '\0'), name = take_until(&value, ':');

    if (is_signed(name) && !inf_sigv4_headers_add(headers, name, value))
      return false;
  }
  return true;
}

static void
put_name(inf_buf *out, inf_sv name)
{
  for (size_t i = 0; i < name.len; i++)
    inf_buf_append_char(out, lower(name.ptr[i]));
}

static bool
is_blank(char c)
{
  return c == ' ' || c == '\t';
}

static void
put_value(inf_buf *out, inf_sv value)
{
  value = inf_sv_trim(value);
  for (size_t i = 0; i < value.len; i++) {
    if (!is_blank(value.ptr[i]))
      inf_buf_append_char(out, value.ptr[i]);
    else if (!is_blank(value.ptr[i - 1])) /* it does not begin with one */
      inf_buf_append_char(out, ' ');
  }
}

/* Is it a further value of the name before? */
static bool
repeats(const inf_sigv4_headers *headers, const inf_sigv4_item *item)
{
  return item > headers->items && inf_sv_eq_nocase(item[-1].name, item->name);
}

void
inf_sigv4_headers_write(const inf_sigv4_headers *headers, inf_buf *out)
{
  const inf_sigv4_item *end = headers->items + headers->count;

  for (const inf_sigv4_item *item = headers->items; item < end; item++) {
    if (repeats(headers, item)) {
      inf_buf_append_char(out, ',');
    } else {
      if (item > headers->items)
        inf_buf_append_char(out, '\n');
      put_name(out, item->name);
      inf_buf_append_char(out, ':');
    }
    put_value(out, item->value);
  }
  inf_buf_append_char(out, '\n');
}

void
inf_sigv4_headers_write_names(const inf_sigv4_headers *headers, inf_buf *out)
{
  const inf_sigv4_item *end = headers->items + headers->count;

  for (const inf_sigv4_item *item = headers->items; item < end; item++) {
    if (repeats(headers, item))
      continue;
    if (item > headers->items)
      inf_buf_append_char(out, ';');
    put_name(out, item->name);
  }
}
