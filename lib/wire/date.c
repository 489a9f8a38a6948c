/* SPDX-License-Identifier: MIT */
/* Dates of HTTP headers and JSON bodies. No function of the C library is
 * used: strptime() and mktime() depend on the locale and the time zone of the
 * application. Fractions finer than a nanosecond are cut off. */
#include "wire/date.h"
#include "wire/take.h"

#include "base/clock.h"

/* Exactly n digits, which must lie in [low, high]. */
static bool
take_number(inf_sv *text, size_t n, int low, int high, int *number)
{
  int value = 0;

  if (text->len < n || inf_take_count_digits(inf_sv_of(text->ptr, n)) != n)
    return false;
  for (size_t i = 0; i < n; i++)
    value = value * 10 + (text->ptr[i] - '0');
  *text = inf_take_drop(*text, n);
  *number = value;
  return value >= low && value <= high;
}

/* One of count names; gives its index. */
static bool
take_name(inf_sv *text, const char *const *names, int count, int *index)
{
  for (int i = 0; i < count; i++) {
    if (inf_take_word(text, names[i])) {
      *index = i;
      return true;
    }
  }
  return false;
}

typedef struct civil {
  int year, month, day; /* month and day from 1 */
  int hour, minute, second;
  uint64_t fraction_ns;
  int offset_minutes; /* east of UTC */
} civil;

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const weekdays[] = {"Mon", "Tue", "Wed", "Thu",
                                       "Fri", "Sat", "Sun"};
static const char *const long_weekdays[] = {"Monday",   "Tuesday", "Wednesday",
                                            "Thursday", "Friday",  "Saturday",
                                            "Sunday"};

static int
days_in_month(int year, int month)
{
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

  return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 in the Gregorian calendar. Years are counted from
 * March, so that the leap day is the last one of its year. */
static int64_t
days_from_civil(int year, int month, int day)
{
  int64_t y = year - (month <= 2);
  int64_t month_from_march = (month + 9) % 12;
  int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;

  /* y is never negative: only years from 1970 come here. 719468 is the
   * number of days from 0000-03-01 to 1970-01-01. */
  return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

/* The last year whose every nanosecond fits is 2261. */
static bool
civil_to_wall(const civil *time, int64_t *wall_ns)
{
  int64_t minutes, seconds;

  if (time->year < 1970 || time->year > 2261 ||
      time->day > days_in_month(time->year, time->month))
    return false;
  minutes = days_from_civil(time->year, time->month, time->day) * 1440 +
            (time->hour * 60 + time->minute - time->offset_minutes);
  seconds = minutes * 60 + time->second;
  if (seconds < 0)
    return false;
  *wall_ns = seconds * (int64_t)INF_NS_PER_S + (int64_t)time->fraction_ns;
  return true;
}

/* "17:43:57"; 60 is a leap second, which counts as the next second. */
static bool
take_clock(inf_sv *text, civil *time)
{
  return take_number(text, 2, 0, 23, &time->hour) && inf_take_char(text, ':') &&
         take_number(text, 2, 0, 59, &time->minute) &&
         inf_take_char(text, ':') && take_number(text, 2, 0, 60, &time->second);
}

static bool
take_month(inf_sv *text, civil *time)
{
  if (!take_name(text, months, 12, &time->month))
    return false;
  time->month++;
  return true;
}

/* ".123", if there is one. */
static bool
take_fraction(inf_sv *text, civil *time)
{
  size_t n;

  if (!inf_take_char(text, '.'))
    return true;
  n = inf_take_count_digits(*text);
  time->fraction_ns = inf_take_fraction(inf_sv_of(text->ptr, n), INF_NS_PER_S);
  *text = inf_take_drop(*text, n);
  return n > 0;
}

/* "Z" or "+02:00". */
static bool
take_offset(inf_sv *text, civil *time)
{
  bool west = text->len > 0 && text->ptr[0] == '-';
  int hours, minutes;

  if (inf_take_char(text, 'Z') || inf_take_char(text, 'z'))
    return true;
  if (!inf_take_char(text, '+') && !inf_take_char(text, '-'))
    return false;
  if (!take_number(text, 2, 0, 23, &hours) || !inf_take_char(text, ':') ||
      !take_number(text, 2, 0, 59, &minutes))
    return false;
  time->offset_minutes = (hours * 60 + minutes) * (west ? -1 : 1);
  return true;
}

bool
inf_parse_rfc3339(inf_sv text, int64_t *wall_ns)
{
  civil time = {0};

  if (!take_number(&text, 4, 0, 9999, &time.year) ||
      !inf_take_char(&text, '-') ||
      !take_number(&text, 2, 1, 12, &time.month) ||
      !inf_take_char(&text, '-') || !take_number(&text, 2, 1, 31, &time.day))
    return false;
  if (!inf_take_char(&text, 'T') && !inf_take_char(&text, 't') &&
      !inf_take_char(&text, ' '))
    return false;
  return take_clock(&text, &time) && take_fraction(&text, &time) &&
         take_offset(&text, &time) && text.len == 0 &&
         civil_to_wall(&time, wall_ns);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool
take_imf_fixdate(inf_sv *text, civil *time)
{
  int weekday;

  return take_name(text, weekdays, 7, &weekday) && inf_take_word(text, ", ") &&
         take_number(text, 2, 1, 31, &time->day) && inf_take_char(text, ' ') &&
         take_month(text, time) && inf_take_char(text, ' ') &&
         take_number(text, 4, 0, 9999, &time->year) &&
         inf_take_char(text, ' ') && take_clock(text, time) &&
         inf_take_word(text, " GMT");
}

/* "Sunday, 06-Nov-94 08:49:37 GMT". Two digits of a year mean 1970 to 2069:
 * what a server sends is near the present, and no date before 1970 counts. */
static bool
take_rfc850_date(inf_sv *text, civil *time)
{
  int weekday;

  if (!take_name(text, long_weekdays, 7, &weekday) ||
      !inf_take_word(text, ", ") || !take_number(text, 2, 1, 31, &time->day) ||
      !inf_take_char(text, '-') || !take_month(text, time) ||
      !inf_take_char(text, '-') || !take_number(text, 2, 0, 99, &time->year) ||
      !inf_take_char(text, ' '))
    return false;
  time->year += time->year < 70 ? 2000 : 1900;
  return take_clock(text, time) && inf_take_word(text, " GMT");
}

/* "Sun Nov  6 08:49:37 1994" */
static bool
take_asctime_date(inf_sv *text, civil *time)
{
  int weekday;

  if (!take_name(text, weekdays, 7, &weekday) || !inf_take_char(text, ' ') ||
      !take_month(text, time) || !inf_take_char(text, ' '))
    return false;
  if (!take_number(text, inf_take_char(text, ' ') ? 1 : 2, 1, 31, &time->day))
    return false;
  return inf_take_char(text, ' ') && take_clock(text, time) &&
         inf_take_char(text, ' ') && take_number(text, 4, 0, 9999, &time->year);
}

bool
inf_parse_http_date(inf_sv text, int64_t *wall_ns)
{
  static bool (*const forms[])(inf_sv *, civil *) = {
      take_imf_fixdate, take_rfc850_date, take_asctime_date};

  for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
    inf_sv rest = text;
    civil time = {0};

    if (forms[i](&rest, &time) && rest.len == 0)
      return civil_to_wall(&time, wall_ns);
  }
  return false;
}

/* The inverse of days_from_civil(), for days from 1970 on. An era is 400 years
 * of 146097 days; the divisors take the leap days out, so that a year has 365
 * days and the months from March on a pattern of 153 days in five. */
static civil
civil_from_days(int64_t days)
{
  int64_t from_march_0 = days + 719468;
  int64_t era = from_march_0 / 146097, day = from_march_0 % 146097;
  int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  civil time = {0};

  time.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
  time.month = (int)(month < 10 ? month + 3 : month - 9);
  time.year = (int)(year + era * 400 + (time.month <= 2));
  return time;
}

static char *
put_digits(char *out, int number, int width)
{
  for (int i = width - 1; i >= 0; i--, number /= 10)
    out[i] = (char)('0' + number % 10);
  return out + width;
}

void
inf_write_basic_date(int64_t wall_ns, char text[INF_BASIC_DATE_BYTES])
{
  int64_t seconds = wall_ns < 0 ? 0 : wall_ns / (int64_t)INF_NS_PER_S;
  int second_of_day = (int)(seconds % 86400);
  civil time = civil_from_days(seconds / 86400);

  text = put_digits(text, time.year, 4);
  text = put_digits(text, time.month, 2);
  text = put_digits(text, time.day, 2);
  *text++ = 'T';
  text = put_digits(text, second_of_day / 3600, 2);
  text = put_digits(text, second_of_day / 60 % 60, 2);
  text = put_digits(text, second_of_day % 60, 2);
  memcpy(text, "Z", 2);
}
