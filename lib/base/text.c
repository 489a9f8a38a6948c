/* SPDX-License-Identifier: MIT */
/* One line of clean UTF-8 for messages and logs. It stands below wire/utf8.h,
 * which reads text for its meaning; here text only has to be harmless: to a
 * terminal, to a log file that is read by lines, and to a binding that must
 * make a string of it. */
#include "base/text.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of the character that begins with lead; 0 if none begins so. */
static size_t
char_len(unsigned char lead)
{
  if (lead < 0x80)
    return 1;
  if (lead >= 0xc2 && lead <= 0xdf)
    return 2;
  if (lead >= 0xe0 && lead <= 0xef)
    return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* Leading bytes of ptr that may stand in a character of `need` bytes (RFC
 * 3629, section 4): the second byte has a narrower range where the lead would
 * else allow long forms, surrogates or more than U+10FFFF. */
static size_t
valid_prefix(const unsigned char *ptr, size_t need, size_t have)
{
  unsigned char low = 0x80, high = 0xbf;
  if (ptr[0] == 0xe0)
    low = 0xa0;
  else if (ptr[0] == 0xed)
    high = 0x9f;
  else if (ptr[0] == 0xf0)
    low = 0x90;
  else if (ptr[0] == 0xf4)
    high = 0x8f;
  size_t n = 1;
  while (n < need && n < have && ptr[n] >= low && ptr[n] <= high) {
    low = 0x80;
    high = 0xbf;
    n++;
  }
  return n;
}

/* C0, DEL, C1 (whose U+009B begins a terminal command, as ESC [ does), and
 * the line and paragraph separators U+2028 and U+2029. */
static bool
is_control(const unsigned char *ptr, size_t len)
{
  if (len == 1)
    return ptr[0] < 0x20 || ptr[0] == 0x7f;
  if (len == 2)
    return ptr[0] == 0xc2 && ptr[1] <= 0x9f;
  return len == 3 && ptr[0] == 0xe2 && ptr[1] == 0x80 &&
         (ptr[2] == 0xa8 || ptr[2] == 0xa9);
}

/* Most texts are nothing but printable ASCII. */
static size_t
clean_prefix(const unsigned char *bytes, size_t len)
{
  size_t n = 0;
  while (n < len && bytes[n] >= 0x20 && bytes[n] < 0x7f)
    n++;
  return n;
}

size_t
inf_text_clean(char *text, size_t len)
{
  unsigned char *bytes = (unsigned char *)text;
  size_t in = clean_prefix(bytes, len), out = in;
  while (in < len) {
    size_t need = char_len(bytes[in]);
    size_t have = need ? valid_prefix(bytes + in, need, len - in) : 1;
    if (have < need && in + have == len)
      break;
    if (have != need) {
      bytes[out++] = '?';
    } else if (is_control(bytes + in, need)) {
      bytes[out++] = ' ';
    } else {
      memmove(bytes + out, bytes + in, need);
      out += need;
    }
    in += have;
  }
  bytes[out] = '\0';
  return out;
}
