/* SPDX-License-Identifier: MIT */
/* Names and figures for people to read. */

#include "compare_text.h"

#include "wire/utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the well-formed character at text; 0: it is none. */
static size_t
character(const char *text)
{
  const unsigned char *c = (const unsigned char *)text;
  size_t len = c[0] < 0x80             ? 1
               : (c[0] & 0xe0) == 0xc0 ? 2
               : (c[0] & 0xf0) == 0xe0 ? 3
                                       : 4;
  for (size_t i = 1; i < len; i++) {
    if (c[i] == '\0') {
      return 0;
    }
  }
  return inf_utf8_valid_prefix(text, len) == len ? len : 0;
}

/* What becomes of the character, at most 8 bytes. */
static void
escape(const char *text, size_t len, char *to, size_t size)
{
  static const char plain[] = "\n\t\r\"\\", letters[] = "ntr\"\\";
  unsigned char c = (unsigned char)text[0];
  const char *found = c ? strchr(plain, c) : NULL;
  if (len == 0) {
    snprintf(to, size, "\xef\xbf\xbd");
  } else if (found) {
    snprintf(to, size, "\\%c", letters[found - plain]);
  } else if (c < 0x20 || c == 0x7f) {
    snprintf(to, size, "\\u%04x", c);
  } else if (len == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0) {
    snprintf(to, size, "\\u%04x", (unsigned char)text[1]);
  } else {
    snprintf(to, size, "%.*s", (int)len, text);
  }
}

const char *
inf_cmp_clean(char *to, size_t size, const char *text)
{
  size_t used = 0;
  while (*text) {
    char part[16];
    size_t len = character(text);
    escape(text, len, part, sizeof(part));
    size_t more = strlen(part);
    if (used + more >= size) {
      break;
    }
    memcpy(to + used, part, more);
    used += more;
    text += len ? len : 1;
  }
  to[used] = '\0';
  return to;
}

size_t
inf_cmp_columns(const char *text)
{
  size_t columns = 0;
  for (; *text; text++) {
    columns += ((unsigned char)*text & 0xc0) != 0x80;
  }
  return columns;
}

const char *
inf_cmp_number(char *to, double value)
{
  if (isnan(value)) {
    snprintf(to, INF_CMP_FIGURE, "?");
  } else if (isinf(value)) {
    snprintf(to, INF_CMP_FIGURE, value < 0 ? "-inf" : "none");
  } else {
    double size = fabs(value);
    int digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    snprintf(to, INF_CMP_FIGURE, "%.*f", digits, value);
  }
  return to;
}

const char *
inf_cmp_range(char *to, const inf_cmp_interval *interval)
{
  char value[INF_CMP_FIGURE], low[INF_CMP_FIGURE], high[INF_CMP_FIGURE];
  inf_cmp_number(value, interval->value);
  if (isnan(interval->low) && isnan(interval->high)) {
    snprintf(to, INF_CMP_FIGURE, "%.60s", value);
    return to;
  }
  snprintf(to, INF_CMP_FIGURE, "%.18s [%.18s, %.18s]", value,
           inf_cmp_number(low, interval->low),
           inf_cmp_number(high, interval->high));
  return to;
}

const char *
inf_cmp_dollars(char *to, double usd)
{
  if (isnan(usd)) {
    snprintf(to, INF_CMP_FIGURE, "?");
  } else {
    double size = fabs(usd);
    int digits = size >= 100 ? 0 : size >= 0.995 ? 2 : size >= 0.00995 ? 4 : 6;
    snprintf(to, INF_CMP_FIGURE, "%s$%.*f", usd < 0 ? "-" : "", digits, size);
  }
  return to;
}

void
inf_cmp_spaces(inf_buf *out, size_t count)
{
  while (count-- > 0) {
    inf_buf_append_char(out, ' ');
  }
}

/* Columns of the first len bytes. */
static size_t
columns_of(const char *text, size_t len)
{
  size_t columns = 0;
  for (size_t i = 0; i < len; i++) {
    columns += ((unsigned char)text[i] & 0xc0) != 0x80;
  }
  return columns;
}

void
inf_cmp_wrap(inf_buf *out, const char *text, size_t width, size_t first,
             size_t rest)
{
  size_t column = first;
  bool begun = false; /* a word stands in the line */
  inf_cmp_spaces(out, first);
  while (*text) {
    size_t len = strcspn(text, " ");
    size_t columns = columns_of(text, len);
    if (begun && column + 1 + columns > width) {
      inf_buf_append_char(out, '\n');
      inf_cmp_spaces(out, rest);
      column = rest;
      begun = false;
    }
    if (begun) {
      inf_buf_append_char(out, ' ');
      column++;
    }
    inf_buf_append(out, text, len);
    column += columns;
    begun = true;
    text += len;
    text += strspn(text, " ");
  }
  inf_buf_append_char(out, '\n');
}
