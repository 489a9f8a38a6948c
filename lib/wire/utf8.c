/* SPDX-License-Identifier: MIT */
/* Checking, repairing and writing UTF-8. Apart from the scanners because text
 * that users give and text that providers send pass through the same rules.
 *
 * The ranges are those of Table 3-7 of the Unicode Standard (well-formed byte
 * sequences). Only the second byte has limits that depend on the first: they
 * keep out overlong forms (E0, F0), surrogates (ED) and what lies above
 * U+10FFFF (F4). */
#include "wire/utf8.h"
#include "wire/swar.h"

#define REPLACEMENT 0xfffdu

static const char *
ascii_end(const char *at, const char *end)
{
  while (end - at >= INF_SWAR_BLOCK && inf_swar_block_is_ascii(at))
    at += INF_SWAR_BLOCK;
  while (at < end && (unsigned char)*at < 0x80)
    at++;
  return at;
}

static size_t
sequence_length(unsigned lead)
{
  if (lead < 0x80)
    return 1;
  if (lead < 0xc2)
    return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
}

/* Length of the well-formed sequence at the start of ptr or, with *valid
 * false, of the maximal ill-formed subsequence there. len > 0. */
static size_t
take_sequence(const char *ptr, size_t len, bool *valid)
{
  const unsigned char *bytes = (const unsigned char *)ptr;
  unsigned lead = bytes[0];
  size_t need = sequence_length(lead);
  unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  size_t i;

  *valid = false;
  if (need == 0)
    return 1;
  for (i = 1; i < need; i++) {
    if (i == len || bytes[i] < low || bytes[i] > high)
      return i;
    low = 0x80;
    high = 0xbf;
  }
  *valid = true;
  return need;
}

size_t
inf_utf8_valid_prefix(const char *ptr, size_t len)
{
  const char *at = ptr, *end;

  if (len == 0)
    return 0;
  end = ptr + len;
  for (;;) {
    bool valid;
    size_t n;

    at = ascii_end(at, end);
    if (at == end)
      return len;
    n = take_sequence(at, (size_t)(end - at), &valid);
    if (!valid)
      return (size_t)(at - ptr);
    at += n;
  }
}

bool
inf_utf8_append_lossy(inf_buf *buf, inf_sv text)
{
  for (;;) {
    size_t n = inf_utf8_valid_prefix(text.ptr, text.len);
    bool valid;

    if (!inf_buf_append(buf, text.ptr, n))
      return false;
    if (n == text.len)
      return true;
    text = inf_sv_of(text.ptr + n, text.len - n);
    n = take_sequence(text.ptr, text.len, &valid);
    if (!inf_utf8_append_code_point(buf, REPLACEMENT))
      return false;
    text = inf_sv_of(text.ptr + n, text.len - n);
  }
}

size_t
inf_utf8_encode(uint32_t c, char out[4])
{
  if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
    c = REPLACEMENT;
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xc0 | c >> 6);
    out[1] = (char)(0x80 | (c & 0x3f));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3f));
    out[2] = (char)(0x80 | (c & 0x3f));
    return 3;
  }
  out[0] = (char)(0xf0 | c >> 18);
  out[1] = (char)(0x80 | (c >> 12 & 0x3f));
  out[2] = (char)(0x80 | (c >> 6 & 0x3f));
  out[3] = (char)(0x80 | (c & 0x3f));
  return 4;
}

bool
inf_utf8_append_code_point(inf_buf *buf, uint32_t code_point)
{
  char bytes[4];

  return inf_buf_append(buf, bytes, inf_utf8_encode(code_point, bytes));
}
