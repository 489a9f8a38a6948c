/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_JSON_CHARS_H
#define INF_WIRE_JSON_CHARS_H

/* What the checker and the readers of JSON both know of its characters. */

static inline const char *
inf_json_skip_space(const char *at, const char *end)
{
  /* Hardly ever is there any. */
  if (at < end && (unsigned char)*at > ' ')
    return at;
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
    at++;
  return at;
}

static inline int
inf_json_hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#endif
