/* SPDX-License-Identifier: MIT */
/* Waits as providers write them. They stand apart from the fields because
 * error bodies tell them in the same forms. Everything is exact integer
 * arithmetic: strtod() depends on the application's locale. Fractions finer
 * than a nanosecond are cut off. */
#include "wire/header_values.h"
#include "wire/take.h"

#include "base/clock.h"

#define NS_PER_MINUTE (60 * INF_NS_PER_S)
#define NS_PER_HOUR   (3600 * INF_NS_PER_S)
#define NS_PER_DAY    (86400 * INF_NS_PER_S)

/* What a wait may be at most: ten years. */
#define MAX_WAIT_NS (3650 * NS_PER_DAY)

static bool
is_letter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
take_spaces(inf_sv *text)
{
  while (inf_take_char(text, ' '))
    ;
}

/* The length of a number with or without fraction; 0 if there is none. A
 * point that no digit follows belongs to the sentence. */
static size_t
decimal_length(inf_sv text)
{
  size_t whole = inf_take_count_digits(text), fraction;

  if (whole == 0 || whole + 1 >= text.len || text.ptr[whole] != '.')
    return whole;
  fraction = inf_take_count_digits(inf_take_drop(text, whole + 1));
  return fraction > 0 ? whole + 1 + fraction : whole;
}

/* The value of such a number in nanoseconds; false above limit. */
static bool
decimal_value(inf_sv number, uint64_t unit, uint64_t limit, uint64_t *ns)
{
  size_t whole = inf_take_count_digits(number);
  uint64_t value = 0;

  for (size_t i = 0; i < whole; i++) {
    value = value * 10 + (uint64_t)(number.ptr[i] - '0');
    if (value > limit / unit)
      return false;
  }
  value *= unit;
  if (whole < number.len)
    value += inf_take_fraction(inf_take_drop(number, whole + 1), unit);
  if (value > limit)
    return false;
  *ns = value;
  return true;
}

static bool
whole_decimal(inf_sv text)
{
  return text.len > 0 && decimal_length(text) == text.len;
}

bool
inf_parse_seconds(inf_sv text, uint64_t *ns)
{
  return whole_decimal(text) &&
         decimal_value(text, INF_NS_PER_S, MAX_WAIT_NS, ns);
}

bool
inf_parse_millis(inf_sv text, uint64_t *ns)
{
  return whole_decimal(text) &&
         decimal_value(text, INF_NS_PER_MS, MAX_WAIT_NS, ns);
}

/* Durations ------------------------------------------------------------ */

typedef struct unit_name {
  const char *name;
  uint64_t ns;
} unit_name;

/* Go writes the micro sign (U+00B5); it also reads the Greek letter. */
static const unit_name go_units[] = {
    {"ms", INF_NS_PER_MS},
    {"us", INF_NS_PER_US},
    {"\xc2\xb5s", INF_NS_PER_US},
    {"\xce\xbcs", INF_NS_PER_US},
    {"ns", 1},
    {"h", NS_PER_HOUR},
    {"m", NS_PER_MINUTE},
    {"s", INF_NS_PER_S},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
take_go_unit(inf_sv *text, uint64_t *unit)
{
  for (size_t i = 0; i < COUNT(go_units); i++) {
    if (inf_take_word(text, go_units[i].name)) {
      *unit = go_units[i].ns;
      return true;
    }
  }
  return false;
}

/* Adds number times unit; false above the longest wait. */
static bool
add_wait(inf_sv number, uint64_t unit, uint64_t *sum)
{
  uint64_t part;

  if (!decimal_value(number, unit, MAX_WAIT_NS, &part) ||
      part > MAX_WAIT_NS - *sum)
    return false;
  *sum += part;
  return true;
}

bool
inf_parse_go_duration(inf_sv text, uint64_t *ns)
{
  uint64_t sum = 0;

  if (text.len == 0)
    return false;
  while (text.len > 0) {
    inf_sv number = inf_sv_of(text.ptr, decimal_length(text));
    uint64_t unit;

    text = inf_take_drop(text, number.len);
    if (number.len == 0 || !take_go_unit(&text, &unit) ||
        !add_wait(number, unit, &sum))
      return false;
  }
  *ns = sum;
  return true;
}

/* Waits ---------------------------------------------------------------- */

/* The time from now until then; a time that has passed is no wait. */
static bool
until(int64_t then_ns, int64_t now_ns, uint64_t *ns)
{
  uint64_t wait;

  if (then_ns <= now_ns) {
    *ns = 0;
    return true;
  }
  /* Exact in unsigned arithmetic whatever the signs. */
  wait = (uint64_t)then_ns - (uint64_t)now_ns;
  if (wait > MAX_WAIT_NS)
    return false;
  *ns = wait;
  return true;
}

bool
inf_parse_retry_after(inf_sv text, int64_t wall_now_ns, uint64_t *ns)
{
  int64_t then_ns;

  if (inf_parse_seconds(text, ns))
    return true;
  return inf_parse_http_date(text, &then_ns) && until(then_ns, wall_now_ns, ns);
}

/* A plain number: up to ten years it is a wait in seconds. Above 1e12 it is
 * Unix time in milliseconds, above 1e9 in seconds: both bounds are the same
 * second of 2001, so that the first unit in which the number is a time that
 * can be told is the right one. */
static bool
parse_plain_reset(inf_sv text, int64_t wall_now_ns, uint64_t *ns)
{
  static const uint64_t units[] = {INF_NS_PER_S, INF_NS_PER_MS};
  uint64_t then_ns;

  if (decimal_value(text, INF_NS_PER_S, MAX_WAIT_NS, ns))
    return true;
  for (size_t i = 0; i < COUNT(units); i++) {
    if (decimal_value(text, units[i], INT64_MAX, &then_ns))
      return then_ns > 1000000000 * INF_NS_PER_S &&
             until((int64_t)then_ns, wall_now_ns, ns);
  }
  return false;
}

bool
inf_parse_reset(inf_sv text, int64_t wall_now_ns, uint64_t *ns)
{
  int64_t then_ns;

  if (whole_decimal(text))
    return parse_plain_reset(text, wall_now_ns, ns);
  if (inf_parse_go_duration(text, ns))
    return true;
  if (!inf_parse_rfc3339(text, &then_ns) &&
      !inf_parse_http_date(text, &then_ns))
    return false;
  return until(then_ns, wall_now_ns, ns);
}

/* Sentences ------------------------------------------------------------ */

static const unit_name sentence_units[] = {
    {"ms", INF_NS_PER_MS},
    {"millisecond", INF_NS_PER_MS},
    {"milliseconds", INF_NS_PER_MS},
    {"s", INF_NS_PER_S},
    {"sec", INF_NS_PER_S},
    {"secs", INF_NS_PER_S},
    {"second", INF_NS_PER_S},
    {"seconds", INF_NS_PER_S},
    {"m", NS_PER_MINUTE},
    {"min", NS_PER_MINUTE},
    {"mins", NS_PER_MINUTE},
    {"minute", NS_PER_MINUTE},
    {"minutes", NS_PER_MINUTE},
    {"h", NS_PER_HOUR},
    {"hr", NS_PER_HOUR},
    {"hrs", NS_PER_HOUR},
    {"hour", NS_PER_HOUR},
    {"hours", NS_PER_HOUR},
    {"d", NS_PER_DAY},
    {"day", NS_PER_DAY},
    {"days", NS_PER_DAY},
};

/* Takes spaces and a word that is a unit, else nothing. */
static bool
take_sentence_unit(inf_sv *text, uint64_t *unit)
{
  inf_sv rest = *text, word;

  take_spaces(&rest);
  word = inf_sv_of(rest.ptr, 0);
  while (word.len < rest.len && is_letter(rest.ptr[word.len]))
    word.len++;
  for (size_t i = 0; i < COUNT(sentence_units); i++) {
    if (inf_sv_eq_nocase(word, inf_sv_from(sentence_units[i].name))) {
      *unit = sentence_units[i].ns;
      *text = inf_take_drop(rest, word.len);
      return true;
    }
  }
  return false;
}

/* A number and its unit. The first may be without one: then it is seconds. A
 * number of anything else ("3 attempts") is no wait. */
static bool
take_sentence_part(inf_sv *text, bool first, inf_sv *number, uint64_t *unit)
{
  inf_sv rest = *text;

  take_spaces(&rest);
  *number = inf_sv_of(rest.ptr, decimal_length(rest));
  if (number->len == 0)
    return false;
  rest = inf_take_drop(rest, number->len);
  if (!take_sentence_unit(&rest, unit)) {
    take_spaces(&rest);
    if (!first || (rest.len > 0 && is_letter(rest.ptr[0])))
      return false;
    *unit = INF_NS_PER_S;
  }
  *text = rest;
  return true;
}

/* "30 seconds", "1m26.4s", "2 minutes 5 seconds". */
static bool
take_sentence_wait(inf_sv text, uint64_t *ns)
{
  uint64_t sum = 0, unit;
  size_t parts = 0;
  inf_sv number;

  for (; take_sentence_part(&text, parts == 0, &number, &unit); parts++) {
    if (!add_wait(number, unit, &sum))
      return false;
  }
  if (parts > 0)
    *ns = sum;
  return parts > 0;
}

/* Does the text begin with the phrase, ASCII case ignored? */
static bool
take_phrase(inf_sv *text, inf_sv phrase)
{
  if (text->len < phrase.len ||
      !inf_sv_eq_nocase(inf_sv_of(text->ptr, phrase.len), phrase))
    return false;
  *text = inf_take_drop(*text, phrase.len);
  return true;
}

bool
inf_parse_retry_text(inf_sv text, uint64_t *ns)
{
  static const char *const phrases[] = {
      "again in ", "again after ", "retry in ", "retry after ", "please wait "};

  for (; text.len > 0; text = inf_take_drop(text, 1)) {
    for (size_t i = 0; i < COUNT(phrases); i++) {
      inf_sv rest = text;

      if (take_phrase(&rest, inf_sv_from(phrases[i])) &&
          take_sentence_wait(rest, ns))
        return true;
    }
  }
  return false;
}
