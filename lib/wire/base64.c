/* SPDX-License-Identifier: MIT */
/* Base64. Both ways go by groups: three bytes are four characters. */
#include "wire/base64.h"

#include <infer/infer.h>

static const char usual[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Writing -------------------------------------------------------------- */

/* One to three bytes as the characters of 24 bits. */
static void
put_group(char *out, const char *alphabet, const char *bytes, size_t len)
{
  uint32_t bits = 0;

  for (size_t i = 0; i < 3; i++)
    bits = bits << 8 | (i < len ? (unsigned char)bytes[i] : 0u);
  for (size_t i = 0; i < 4; i++)
    out[i] = alphabet[bits >> (18 - 6 * i) & 63];
}

static bool
put(inf_buf *out, const char *alphabet, inf_sv bytes, bool padded)
{
  size_t whole = bytes.len - bytes.len % 3, rest = bytes.len % 3;
  char group[4];

  /* No object is so large that this could overflow. */
  if (!inf_buf_reserve(out, (bytes.len + 2) / 3 * 4))
    return false;
  for (size_t i = 0; i < whole; i += 3) {
    put_group(group, alphabet, bytes.ptr + i, 3);
    inf_buf_append(out, group, 4);
  }
  if (rest == 0)
    return true;
  put_group(group, alphabet, bytes.ptr + whole, rest);
  inf_buf_append(out, group, rest + 1);
  return !padded || inf_buf_append(out, "==", 3 - rest);
}

bool
inf_base64_put(inf_buf *out, inf_sv bytes)
{
  return put(out, usual, bytes, true);
}

bool
inf_base64_put_url(inf_buf *out, inf_sv bytes)
{
  return put(out, for_urls, bytes, false);
}

static void
store_float(char *out, float number)
{
  uint32_t bits;

  memcpy(&bits, &number, sizeof(bits));
  for (int i = 0; i < 4; i++, bits >>= 8)
    out[i] = (char)(bits & 0xff);
}

/* Three floats are twelve bytes: whole groups, so that they can be written one
 * after the other. */
bool
inf_base64_put_floats(inf_buf *out, const float *numbers, size_t count)
{
  size_t before = out->len;
  char bytes[12];

  for (size_t i = 0; i < count; i += 3) {
    size_t n = count - i < 3 ? count - i : 3;

    for (size_t k = 0; k < n; k++)
      store_float(bytes + 4 * k, numbers[i + k]);
    if (!inf_base64_put(out, inf_sv_of(bytes, 4 * n))) {
      inf_buf_truncate(out, before);
      return false;
    }
  }
  return true;
}

/* Reading -------------------------------------------------------------- */

/* Of a character that does not belong. */
#define NONE UINT32_MAX

static uint32_t
value_of(char c)
{
  if (c >= 'A' && c <= 'Z')
    return (uint32_t)(c - 'A');
  if (c >= 'a' && c <= 'z')
    return (uint32_t)(c - 'a' + 26);
  if (c >= '0' && c <= '9')
    return (uint32_t)(c - '0' + 52);
  return c == '+' ? 62 : c == '/' ? 63 : NONE;
}

static size_t
padding_of(inf_sv text)
{
  size_t n = 0;

  while (n < 2 && n < text.len && text.ptr[text.len - 1 - n] == '=')
    n++;
  return n;
}

size_t
inf_base64_size(inf_sv text)
{
  size_t whole = text.len / 4 * 3, padding = padding_of(text);

  return whole > padding ? whole - padding : 0;
}

/* The bytes of a group whose last characters are padding; false if it is
 * none. */
static bool
get_group(const char *text, size_t padding, char *out)
{
  uint32_t bits = 0;

  for (size_t i = 0; i < 4; i++) {
    uint32_t value = i < 4 - padding ? value_of(text[i]) : 0;

    if (value == NONE)
      return false;
    bits = bits << 6 | value;
  }
  for (size_t i = 0; i < 3; i++)
    out[i] = (char)(bits >> (16 - 8 * i) & 0xff);
  /* What stands for no byte must be zero. */
  return (bits & ((1u << 8 * padding) - 1)) == 0;
}

typedef struct reader {
  inf_sv text;
  size_t padding; /* of the last group */
} reader;

static bool
begin(reader *in, inf_sv text)
{
  *in = (reader){text, padding_of(text)};
  return text.len % 4 == 0;
}

/* Up to three bytes of the next group; false if it is none. */
static bool
next_group(reader *in, char *bytes, size_t *len)
{
  size_t padding = in->text.len == 4 ? in->padding : 0;

  *len = 3 - padding;
  if (!get_group(in->text.ptr, padding, bytes))
    return false;
  in->text = inf_sv_of(in->text.ptr + 4, in->text.len - 4);
  return true;
}

int32_t
inf_base64_get(inf_sv text, inf_buf *out)
{
  size_t before = out->len, len;
  char bytes[3];
  reader in;

  if (!begin(&in, text))
    return INFER_E_PROTOCOL;
  if (!inf_buf_reserve(out, inf_base64_size(text)))
    return out->status;
  while (in.text.len > 0) {
    if (!next_group(&in, bytes, &len)) {
      inf_buf_truncate(out, before);
      return INFER_E_PROTOCOL;
    }
    inf_buf_append(out, bytes, len);
  }
  return INFER_OK;
}

static float
load_float(const char *bytes)
{
  uint32_t bits = 0;
  float number;

  for (int i = 3; i >= 0; i--)
    bits = bits << 8 | (unsigned char)bytes[i];
  memcpy(&number, &bits, sizeof(number));
  return number;
}

int32_t
inf_base64_get_floats(inf_sv text, float *numbers, size_t room, size_t *count)
{
  size_t size = inf_base64_size(text), held = 0, len;
  char bytes[6]; /* up to three that are left, and a group */
  reader in;

  *count = 0;
  if (!begin(&in, text) || size % 4 != 0)
    return INFER_E_PROTOCOL;
  if (size / 4 > room)
    return INFER_E_TOO_LARGE;
  while (in.text.len > 0) {
    if (!next_group(&in, bytes + held, &len))
      return INFER_E_PROTOCOL;
    held += len;
    if (held >= 4) {
      numbers[(*count)++] = load_float(bytes);
      held -= 4;
      memmove(bytes, bytes + 4, held);
    }
  }
  return INFER_OK;
}
