/* SPDX-License-Identifier: MIT */
/* Times in header fields and error texts, in every form that providers use.
 * All arithmetic is in whole nanoseconds. */
#include "wire/headers.h"

/* Nothing longer than ten years is a wait. */
static const uint64_t max_ns = 3652 * 86400ull * INF_NS_PER_S;

/* A reader over text; every take_ function moves on only when it succeeds. */
typedef struct reader {
  const char *at, *end;
} reader;

static reader
reader_of(inf_sv text)
{
  const char *ptr = text.ptr ? text.ptr : "";
  return (reader){ptr, ptr + text.len};
}

static bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool
at_end(const reader *r)
{
  return r->at == r->end;
}

static bool
take_char(reader *r, char c)
{
  if (at_end(r) || *r->at != c)
    return false;
  r->at++;
  return true;
}

static bool
take_word(reader *r, const char *word)
{
  size_t len = strlen(word);
  if ((size_t)(r->end - r->at) < len ||
      !inf_sv_eq_nocase(inf_sv_of(r->at, len), inf_sv_of(word, len)))
    return false;
  r->at += len;
  return true;
}

/* digits[.digits] times unit_ns. Digits beyond the nanosecond are dropped. */
static bool
take_decimal(reader *r, uint64_t unit_ns, uint64_t *ns)
{
  const char *start = r->at;
  uint64_t whole = 0;
  while (!at_end(r) && is_digit(*r->at)) {
    if (whole > max_ns)
      break;
    whole = whole * 10 + (uint64_t)(*r->at++ - '0');
  }
  if (r->at == start || whole > max_ns / unit_ns) {
    r->at = start;
    return false;
  }
  uint64_t total = whole * unit_ns;
  if (r->end - r->at >= 2 && *r->at == '.' && is_digit(r->at[1])) {
    r->at++;
    for (uint64_t scale = unit_ns; !at_end(r) && is_digit(*r->at); r->at++) {
      total += scale / 10 * (uint64_t)(*r->at - '0') +
               scale % 10 * (uint64_t)(*r->at - '0') / 10;
      scale /= 10;
    }
  }
  *ns = total;
  return total <= max_ns;
}

bool
inf_parse_seconds(inf_sv text, uint64_t *ns)
{
  reader r = reader_of(inf_sv_trim(text));
  return take_decimal(&r, INF_NS_PER_S, ns) && at_end(&r);
}

bool
inf_parse_millis(inf_sv text, uint64_t *ns)
{
  reader r = reader_of(inf_sv_trim(text));
  return take_decimal(&r, INF_NS_PER_MS, ns) && at_end(&r);
}

/* ---- Durations -------------------------------------------------------------- */

static const struct unit {
  const char *name;
  uint64_t ns;
} units[] = {
    /* longer names first: "ms" before "m" */
    {"ms", INF_NS_PER_MS},
    {"us", INF_NS_PER_US},
    {"\xc2\xb5s", INF_NS_PER_US},
    {"ns", 1},
    {"h", 3600 * INF_NS_PER_S},
    {"m", 60 * INF_NS_PER_S},
    {"s", INF_NS_PER_S},
};

static const struct unit *
peek_unit(const char *at, const char *end)
{
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    size_t len = strlen(units[i].name);
    if ((size_t)(end - at) >= len && memcmp(at, units[i].name, len) == 0)
      return &units[i];
  }
  return NULL;
}

/* One number with its unit. The unit stands behind the number, so the number
 * is looked at twice. */
static bool
take_part(reader *r, uint64_t *ns)
{
  reader ahead = *r;
  while (!at_end(&ahead) && (is_digit(*ahead.at) || *ahead.at == '.'))
    ahead.at++;
  const struct unit *unit = peek_unit(ahead.at, ahead.end);
  if (!unit || ahead.at == r->at)
    return false;
  reader number = {r->at, ahead.at};
  if (!take_decimal(&number, unit->ns, ns) || !at_end(&number))
    return false;
  r->at = ahead.at + strlen(unit->name);
  return true;
}

static bool
take_duration(reader *r, uint64_t *ns)
{
  uint64_t total = 0, part;
  if (!take_part(r, &part))
    return false;
  do {
    if (part > max_ns - total)
      return false;
    total += part;
  } while (!at_end(r) && is_digit(*r->at) && take_part(r, &part));
  *ns = total;
  return true;
}

bool
inf_parse_go_duration(inf_sv text, uint64_t *ns)
{
  reader r = reader_of(inf_sv_trim(text));
  return take_duration(&r, ns) && at_end(&r);
}

/* ---- Dates ------------------------------------------------------------------- */

typedef struct date {
  int year, month, day, hour, minute, second;
} date;

/* Exactly `count` digits. */
static bool
take_digits(reader *r, int count, int *value)
{
  if (r->end - r->at < count)
    return false;
  int number = 0;
  for (int i = 0; i < count; i++) {
    if (!is_digit(r->at[i]))
      return false;
    number = number * 10 + (r->at[i] - '0');
  }
  r->at += count;
  *value = number;
  return true;
}

static bool
is_leap(int year)
{
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool
date_valid(const date *d)
{
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (d->year < 1970 || d->year > 9999 || d->month < 1 || d->month > 12)
    return false;
  int last = days[d->month - 1] + (d->month == 2 && is_leap(d->year));
  return d->day >= 1 && d->day <= last && d->hour <= 23 && d->minute <= 59 &&
         d->second <= 60;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar (Howard Hinnant,
 * "chrono-compatible low-level date algorithms"). */
static int64_t
days_since_1970(int year, int month, int day)
{
  year -= month <= 2;
  int era = year / 400;
  int year_of_era = year - era * 400;
  int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return (int64_t)era * 146097 + day_of_era - 719468;
}

static bool
date_seconds(const date *d, int64_t *seconds)
{
  if (!date_valid(d))
    return false;
  *seconds = days_since_1970(d->year, d->month, d->day) * 86400 +
             d->hour * 3600 + d->minute * 60 + d->second;
  return true;
}

/* Nanoseconds since 1970 fit into 64 bits until 2262. */
static bool
wall_of_seconds(int64_t seconds, int64_t *wall_ns)
{
  if (seconds < 0 || seconds > INT64_MAX / (int64_t)INF_NS_PER_S - 1)
    return false;
  *wall_ns = seconds * (int64_t)INF_NS_PER_S;
  return true;
}

static bool
take_time(reader *r, date *d)
{
  return take_digits(r, 2, &d->hour) && take_char(r, ':') &&
         take_digits(r, 2, &d->minute) && take_char(r, ':') &&
         take_digits(r, 2, &d->second);
}

/* Z or an offset, in seconds. */
static bool
take_zone(reader *r, int64_t *offset)
{
  *offset = 0;
  if (take_word(r, "Z"))
    return true;
  int sign = take_char(r, '+') ? 1 : take_char(r, '-') ? -1 : 0;
  int hours, minutes;
  if (sign == 0 || !take_digits(r, 2, &hours) || !take_char(r, ':') ||
      !take_digits(r, 2, &minutes) || hours > 23 || minutes > 59)
    return false;
  *offset = sign * (hours * 3600 + minutes * 60);
  return true;
}

bool
inf_parse_rfc3339(inf_sv text, int64_t *wall_ns)
{
  reader r = reader_of(inf_sv_trim(text));
  date d;
  if (!take_digits(&r, 4, &d.year) || !take_char(&r, '-') ||
      !take_digits(&r, 2, &d.month) || !take_char(&r, '-') ||
      !take_digits(&r, 2, &d.day) ||
      !(take_word(&r, "T") || take_char(&r, ' ')) || !take_time(&r, &d))
    return false;
  int64_t fraction_ns = 0;
  if (take_char(&r, '.')) {
    if (at_end(&r) || !is_digit(*r.at))
      return false;
    for (int64_t scale = INF_NS_PER_S / 10; !at_end(&r) && is_digit(*r.at);
         r.at++, scale /= 10)
      fraction_ns += scale * (*r.at - '0');
  }
  int64_t offset, seconds;
  if (!take_zone(&r, &offset) || !at_end(&r) || !date_seconds(&d, &seconds) ||
      !wall_of_seconds(seconds - offset, wall_ns))
    return false;
  *wall_ns += fraction_ns;
  return true;
}

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char *const day_names[] = {"Monday",   "Tuesday", "Wednesday",
                                        "Thursday", "Friday",  "Saturday",
                                        "Sunday"};

static bool
take_month(reader *r, int *month)
{
  for (int i = 0; i < 12; i++)
    if (r->end - r->at >= 3 && memcmp(r->at, month_names + i * 3, 3) == 0) {
      r->at += 3;
      *month = i + 1;
      return true;
    }
  return false;
}

static bool
take_day_name(reader *r, bool whole)
{
  for (size_t i = 0; i < 7; i++) {
    size_t len = whole ? strlen(day_names[i]) : 3;
    if ((size_t)(r->end - r->at) >= len &&
        memcmp(r->at, day_names[i], len) == 0) {
      r->at += len;
      return true;
    }
  }
  return false;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool
parse_imf(reader r, date *d)
{
  return take_day_name(&r, false) && take_word(&r, ", ") &&
         take_digits(&r, 2, &d->day) && take_char(&r, ' ') &&
         take_month(&r, &d->month) && take_char(&r, ' ') &&
         take_digits(&r, 4, &d->year) && take_char(&r, ' ') &&
         take_time(&r, d) && take_word(&r, " GMT") && at_end(&r);
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool
parse_rfc850(reader r, date *d)
{
  if (!take_day_name(&r, true) || !take_word(&r, ", ") ||
      !take_digits(&r, 2, &d->day) || !take_char(&r, '-') ||
      !take_month(&r, &d->month) || !take_char(&r, '-') ||
      !take_digits(&r, 2, &d->year) || !take_char(&r, ' ') ||
      !take_time(&r, d) || !take_word(&r, " GMT") || !at_end(&r))
    return false;
  d->year += d->year < 70 ? 2000 : 1900;
  return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool
parse_asctime(reader r, date *d)
{
  if (!take_day_name(&r, false) || !take_char(&r, ' ') ||
      !take_month(&r, &d->month) || !take_char(&r, ' '))
    return false;
  bool day = take_char(&r, ' ') ? take_digits(&r, 1, &d->day)
                                : take_digits(&r, 2, &d->day);
  return day && take_char(&r, ' ') && take_time(&r, d) && take_char(&r, ' ') &&
         take_digits(&r, 4, &d->year) && at_end(&r);
}

bool
inf_parse_http_date(inf_sv text, int64_t *wall_ns)
{
  reader r = reader_of(inf_sv_trim(text));
  date d;
  int64_t seconds;
  if (!parse_imf(r, &d) && !parse_rfc850(r, &d) && !parse_asctime(r, &d))
    return false;
  return date_seconds(&d, &seconds) && wall_of_seconds(seconds, wall_ns);
}

/* ---- What is made of them ------------------------------------------------------ */

/* The time from now to a date; 0 for one that has passed. */
static bool
from_now(int64_t wall_ns, int64_t wall_now_ns, uint64_t *ns)
{
  *ns = wall_ns > wall_now_ns ? (uint64_t)(wall_ns - wall_now_ns) : 0;
  return *ns <= max_ns;
}

bool
inf_parse_retry_after(inf_sv text, int64_t wall_now_ns, uint64_t *ns)
{
  int64_t wall_ns;
  if (inf_parse_seconds(text, ns))
    return true;
  return inf_parse_http_date(text, &wall_ns) &&
         from_now(wall_ns, wall_now_ns, ns);
}

/* A number this large is a time since 1970, in seconds or milliseconds: as a
 * wait it would be 31 years. */
static const long long unix_seconds_from = 1000000000ll;
static const long long unix_millis_from = 1000000000000ll;

bool
inf_parse_reset(inf_sv text, int64_t wall_now_ns, uint64_t *ns)
{
  text = inf_sv_trim(text);
  reader r = reader_of(text);
  const char *start = r.at;
  while (!at_end(&r) && is_digit(*r.at))
    r.at++;
  long long number;
  int64_t wall_ns;
  if (inf_sv_to_int64(inf_sv_of(start, (size_t)(r.at - start)), &number) &&
      number >= unix_seconds_from && (at_end(&r) || *r.at == '.')) {
    if (number >= unix_millis_from * 100)
      return false;
    bool millis = number >= unix_millis_from;
    wall_ns = millis ? number * (int64_t)INF_NS_PER_MS
                     : number * (int64_t)INF_NS_PER_S;
    if (!millis && number > INT64_MAX / (int64_t)INF_NS_PER_S)
      return false;
    return from_now(wall_ns, wall_now_ns, ns);
  }
  if (inf_parse_seconds(text, ns) || inf_parse_go_duration(text, ns))
    return true;
  if (inf_parse_rfc3339(text, &wall_ns) || inf_parse_http_date(text, &wall_ns))
    return from_now(wall_ns, wall_now_ns, ns);
  return false;
}

/* ---- Sentences ----------------------------------------------------------------- */

static const char *const lead_ins[] = {"try again in ", "retry after ",
                                       "retry in "};

static void
skip_spaces(reader *r)
{
  while (take_char(r, ' '))
    ;
}

/* "20 ms", "30 seconds", "1 minute": a number and a word. */
static bool
take_spelled(reader *r, uint64_t *ns)
{
  static const struct unit words[] = {
      {"milliseconds", INF_NS_PER_MS}, {"millisecond", INF_NS_PER_MS},
      {"ms", INF_NS_PER_MS},           {"seconds", INF_NS_PER_S},
      {"second", INF_NS_PER_S},        {"sec", INF_NS_PER_S},
      {"minutes", 60 * INF_NS_PER_S},  {"minute", 60 * INF_NS_PER_S},
      {"min", 60 * INF_NS_PER_S},      {"hours", 3600 * INF_NS_PER_S},
      {"hour", 3600 * INF_NS_PER_S},   {"s", INF_NS_PER_S},
  };
  reader number = *r, behind = *r;
  uint64_t seconds_ns;
  if (!take_decimal(&behind, INF_NS_PER_S, &seconds_ns))
    return false;
  skip_spaces(&behind);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (take_word(&behind, words[i].name))
      return take_decimal(&number, words[i].ns, ns);
  return false;
}

bool
inf_parse_retry_text(inf_sv text, uint64_t *ns)
{
  for (size_t at = 0; at < text.len; at++) {
    for (size_t i = 0; i < sizeof lead_ins / sizeof lead_ins[0]; i++) {
      reader r = reader_of(inf_sv_of(text.ptr + at, text.len - at));
      if (!take_word(&r, lead_ins[i]))
        continue;
      skip_spaces(&r);
      reader again = r;
      if (take_duration(&r, ns) || take_spelled(&again, ns))
        return true;
    }
  }
  return false;
}
