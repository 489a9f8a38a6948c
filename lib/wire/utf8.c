/* SPDX-License-Identifier: MIT */
/* UTF-8, checked by the table of well-formed byte sequences (Unicode 15,
 * table 3-7). */
#include "wire/utf8.h"

/* What the sequence at ptr is: its length if it is whole and well-formed; else
 * 0, and *bad is the length of the maximal subpart that one U+FFFD replaces. */
static size_t
sequence(const unsigned char *ptr, size_t len, size_t *bad)
{
  unsigned char low = 0x80, high = 0xbf;
  size_t need;
  *bad = 1;
  if (ptr[0] < 0x80)
    return 1;
  if (ptr[0] >= 0xc2 && ptr[0] <= 0xdf)
    need = 2;
  else if (ptr[0] >= 0xe0 && ptr[0] <= 0xef)
    need = 3;
  else if (ptr[0] >= 0xf0 && ptr[0] <= 0xf4)
    need = 4;
  else
    return 0;
  if (ptr[0] == 0xe0)
    low = 0xa0; /* no overlong forms */
  else if (ptr[0] == 0xed)
    high = 0x9f; /* no surrogates */
  else if (ptr[0] == 0xf0)
    low = 0x90;
  else if (ptr[0] == 0xf4)
    high = 0x8f; /* nothing above U+10FFFF */
  for (size_t i = 1; i < need; i++) {
    *bad = i;
    if (i >= len || ptr[i] < low || ptr[i] > high)
      return 0;
    low = 0x80;
    high = 0xbf;
  }
  return need;
}

static bool
is_ascii_block(const char *ptr)
{
  uint64_t block;
  memcpy(&block, ptr, sizeof block);
  return (block & 0x8080808080808080ull) == 0;
}

size_t
inf_utf8_valid_prefix(const char *ptr, size_t len)
{
  size_t at = 0;
  while (at < len) {
    if (len - at >= 8 && is_ascii_block(ptr + at)) {
      at += 8;
      continue;
    }
    size_t bad;
    size_t n = sequence((const unsigned char *)ptr + at, len - at, &bad);
    if (n == 0)
      break;
    at += n;
  }
  return at;
}

bool
inf_utf8_append_lossy(inf_buf *buf, inf_sv text)
{
  bool ok = true;
  while (ok && text.len > 0) {
    size_t good = inf_utf8_valid_prefix(text.ptr, text.len);
    ok = inf_buf_append(buf, text.ptr, good);
    text = inf_sv_of(text.ptr + good, text.len - good);
    if (!ok || text.len == 0)
      break;
    size_t bad;
    sequence((const unsigned char *)text.ptr, text.len, &bad);
    ok = inf_buf_append_sv(buf, INF_SV("\xef\xbf\xbd"));
    text = inf_sv_of(text.ptr + bad, text.len - bad);
  }
  return ok;
}

bool
inf_utf8_append_code_point(inf_buf *buf, uint32_t code_point)
{
  char out[4];
  size_t n = 0;
  if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff))
    code_point = 0xfffd;
  if (code_point < 0x80) {
    out[n++] = (char)code_point;
  } else if (code_point < 0x800) {
    out[n++] = (char)(0xc0 | (code_point >> 6));
    out[n++] = (char)(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    out[n++] = (char)(0xe0 | (code_point >> 12));
    out[n++] = (char)(0x80 | ((code_point >> 6) & 0x3f));
    out[n++] = (char)(0x80 | (code_point & 0x3f));
  } else {
    out[n++] = (char)(0xf0 | (code_point >> 18));
    out[n++] = (char)(0x80 | ((code_point >> 12) & 0x3f));
    out[n++] = (char)(0x80 | ((code_point >> 6) & 0x3f));
    out[n++] = (char)(0x80 | (code_point & 0x3f));
  }
  return inf_buf_append(buf, out, n);
}
