/* SPDX-License-Identifier: MIT */
/* Numbers of JSON texts. They stand apart from the scanner because the C
 * library's conversions cannot be used as they are: strtod() and printf() use
 * the decimal point of whatever locale the application has set, and an
 * integer that takes the way through a double loses digits above 2^53, as
 * seeds and ids of providers do. */
#include "wire/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

/* A double is decided by its first 768 significant digits at most and by
 * whether anything but zeros follows. */
#define SIGNIFICANT 800

/* Exponents beyond it are as good as infinite, and sums with a text's length
 * stay far from overflow. */
#define EXPONENT_CAP 1000000000000ll

static bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static const char *
skip_digits(const char *at, const char *end)
{
  while (at < end && is_digit(*at))
    at++;
  return at;
}

/* A '.' or an exponent mark with its sign stands before at: digits must
 * follow. NULL if they do not. */
static const char *
need_digits(const char *at, const char *end)
{
  const char *past = skip_digits(at, end);

  return past == at ? NULL : past;
}

size_t
inf_number_scan(const char *ptr, size_t len, size_t *stop)
{
  const char *at = ptr, *end = ptr + len, *past;

  if (at < end && *at == '-')
    at++;
  past = at < end && *at == '0' ? at + 1 : need_digits(at, end);
  if (past && past < end && *past == '.') {
    at = past + 1;
    past = need_digits(at, end);
  }
  if (past && past < end && (*past == 'e' || *past == 'E')) {
    at = past + 1;
    if (at < end && (*at == '+' || *at == '-'))
      at++;
    past = need_digits(at, end);
  }
  *stop = (size_t)((past ? past : at) - ptr);
  return past ? *stop : 0;
}

static bool
is_number(inf_sv text)
{
  size_t stop;

  return text.len > 0 && inf_number_scan(text.ptr, text.len, &stop) == text.len;
}

/* A number taken apart. The mantissa still has its dot. */
typedef struct parts {
  bool negative;
  inf_sv mantissa;
  int64_t exponent;
} parts;

static int64_t
read_exponent(const char *at, const char *end)
{
  bool negative = *at == '-';
  int64_t value = 0;

  if (*at == '-' || *at == '+')
    at++;
  for (; at < end; at++) {
    if (value < EXPONENT_CAP)
      value = value * 10 + (*at - '0');
  }
  return negative ? -value : value;
}

static parts
take_apart(inf_sv text)
{
  const char *at = text.ptr, *end = text.ptr + text.len;
  parts number = {.negative = *at == '-'};

  if (number.negative)
    at++;
  number.mantissa.ptr = at;
  while (at < end && *at != 'e' && *at != 'E')
    at++;
  number.mantissa.len = (size_t)(at - number.mantissa.ptr);
  if (at < end)
    number.exponent = read_exponent(at + 1, end);
  return number;
}

static bool
shift_in(uint64_t *magnitude, unsigned digit)
{
  if (*magnitude > (UINT64_MAX - digit) / 10)
    return false;
  *magnitude = *magnitude * 10 + digit;
  return true;
}

static bool
scale(uint64_t *magnitude, int64_t zeros)
{
  for (; zeros > 0; zeros--) {
    if (!shift_in(magnitude, 0))
      return false;
  }
  return true;
}

/* The mantissa without trailing zeros in *magnitude; what is left of the
 * exponent is added to *exponent. Zeros wait until a digit follows them, so
 * that "1000e-3" and "12.000" are integers whatever their length. */
static bool
read_mantissa(inf_sv mantissa, uint64_t *magnitude, int64_t *exponent)
{
  int64_t zeros = 0;
  bool fraction = false;

  *magnitude = 0;
  for (size_t i = 0; i < mantissa.len; i++) {
    char c = mantissa.ptr[i];

    if (c == '.') {
      fraction = true;
      continue;
    }
    *exponent -= fraction;
    if (c == '0') {
      zeros++;
      continue;
    }
    if (!scale(magnitude, zeros) || !shift_in(magnitude, (unsigned)(c - '0')))
      return false;
    zeros = 0;
  }
  *exponent += zeros;
  return true;
}

/* Nearly all are a few digits and nothing else. */
static bool
read_digits(inf_sv text, int64_t *number)
{
  int64_t value = 0;

  if (text.len == 0 || text.len > 18 || (text.ptr[0] == '0' && text.len > 1))
    return false;
  for (const char *at = text.ptr, *end = at + text.len; at < end; at++) {
    unsigned digit = (unsigned)*at - '0';
    if (digit > 9)
      return false;
    value = value * 10 + digit;
  }
  *number = value;
  return true;
}

bool
inf_number_to_int64(inf_sv text, int64_t *number)
{
  parts split;
  uint64_t magnitude;

  if (read_digits(text, number))
    return true;
  if (!is_number(text))
    return false;
  split = take_apart(text);
  if (!read_mantissa(split.mantissa, &magnitude, &split.exponent))
    return false;
  if (magnitude == 0) {
    *number = 0;
    return true;
  }
  if (split.exponent < 0 || !scale(&magnitude, split.exponent))
    return false;
  if (magnitude > (uint64_t)INT64_MAX + split.negative)
    return false;
  if (split.negative)
    *number = -(int64_t)(magnitude - 1) - 1;
  else
    *number = (int64_t)magnitude;
  return true;
}

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

/* Lives until the process ends. In glibc and musl the "C" locale is a static
 * object: nothing is allocated. */
static void
make_locale(void)
{
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool
read_double(const char *cstr, double *number)
{
  pthread_once(&locale_once, make_locale);
  if (!c_locale)
    return false;
  *number = strtod_l(cstr, NULL, c_locale);
  return isfinite(*number);
}

/* Digits that matter, without a dot: "0.0120" gives "12". *exponent is that
 * of the last digit written. */
static size_t
significant_digits(inf_sv mantissa, char out[SIGNIFICANT + 1],
                   int64_t *exponent)
{
  size_t len = 0;
  bool fraction = false, rest = false;

  for (size_t i = 0; i < mantissa.len; i++) {
    char c = mantissa.ptr[i];

    if (c == '.') {
      fraction = true;
      continue;
    }
    *exponent -= fraction;
    if (len == 0 && c == '0')
      continue;
    if (len < SIGNIFICANT) {
      out[len++] = c;
    } else {
      rest |= c != '0';
      ++*exponent;
    }
  }
  if (rest) {
    out[len++] = '1';
    --*exponent;
  }
  return len;
}

/* Any length is rounded correctly in bounded memory. */
static bool
long_to_double(inf_sv text, double *number)
{
  parts split = take_apart(text);
  char digits[SIGNIFICANT + 1], form[SIGNIFICANT + 40];
  size_t len = significant_digits(split.mantissa, digits, &split.exponent);

  if (len == 0)
    digits[len++] = '0';
  snprintf(form, sizeof(form), "%s%.*se%lld", split.negative ? "-" : "",
           (int)len, digits, (long long)split.exponent);
  return read_double(form, number);
}

bool
inf_number_to_double(inf_sv text, double *number)
{
  char form[64];

  if (!is_number(text))
    return false;
  if (text.len >= sizeof(form))
    return long_to_double(text, number);
  memcpy(form, text.ptr, text.len);
  form[text.len] = '\0';
  return read_double(form, number);
}

/* printf() takes the decimal point, which may be several bytes, from the
 * locale: what is no other part of a number stands for it. */
static size_t
plain_point(char *text)
{
  size_t len = 0;

  for (const char *at = text; *at != '\0'; at++) {
    bool part = is_digit(*at) || *at == '-' || *at == '+' || *at == 'e';

    if (part)
      text[len++] = *at;
    else if (len > 0 && text[len - 1] != '.')
      text[len++] = '.';
  }
  text[len] = '\0';
  return len;
}

size_t
inf_number_from_double(double number, char out[INF_NUMBER_MAX_BYTES])
{
  /* %g drops trailing zeros, so 15 digits already give the shortest form of
   * every normal number that has one of up to 15. Denormal numbers have fewer
   * digits to tell apart. */
  int precision = fabs(number) < DBL_MIN ? 1 : 15;
  size_t len;

  for (;; precision++) {
    double back;

    snprintf(out, INF_NUMBER_MAX_BYTES, "%.*g", precision, number);
    len = plain_point(out);
    if (precision >= 17)
      return len;
    if (read_double(out, &back) && back == number)
      return len;
  }
}

/* ---- Floats -------------------------------------------------------------- */

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* A number's first 15 digits that count, which are exact in a double, and the
 * power of ten that they are to be multiplied with. */
typedef struct start {
  bool negative, more; /* digits follow that are not 0 */
  uint64_t digits;
  int64_t exponent;
} start;

static start
read_start(inf_sv text)
{
  enum { exact_digits = 15 };
  const char *at = text.ptr, *end = at + text.len;
  start number = {.negative = *at == '-'};
  bool fraction = false;
  int count = 0;

  for (at += number.negative; at < end && *at != 'e' && *at != 'E'; at++) {
    if (*at == '.') {
      fraction = true;
    } else if (count < exact_digits) {
      number.digits = number.digits * 10 + (uint64_t)(*at - '0');
      number.exponent -= fraction;
      count += number.digits > 0;
    } else {
      number.more |= *at != '0';
      number.exponent += !fraction;
    }
  }
  if (at < end)
    number.exponent += read_exponent(at + 1, end);
  return number;
}

/* Rounded once: the power is exact too. */
static bool
scale_exactly(uint64_t digits, int64_t exponent, double *number)
{
  const int64_t largest = sizeof(powers) / sizeof(powers[0]) - 1;

  if (exponent > largest || exponent < -largest)
    return false;
  *number = exponent < 0 ? (double)digits / powers[-exponent]
                         : (double)digits * powers[exponent];
  return true;
}

/* A double that lies just between two floats does not tell to which of them the
 * text was nearer: the nearest double to it may be either side. Any other
 * rounds to the float that the text itself does. Floats below FLT_MIN have
 * their middles elsewhere. */
static bool
is_between_floats(double number)
{
  const uint64_t below = (UINT64_C(1) << 29) - 1;
  uint64_t bits;

  memcpy(&bits, &number, sizeof(bits));
  return (bits & below) == UINT64_C(1) << 28 ||
         (number != 0 && fabs(number) < (double)FLT_MIN);
}

static bool
read_float(const char *cstr, float *number)
{
  pthread_once(&locale_once, make_locale);
  if (!c_locale)
    return false;
  *number = strtof_l(cstr, NULL, c_locale);
  return isfinite(*number);
}

static bool
long_to_float(inf_sv text, float *number)
{
  parts split = take_apart(text);
  char digits[SIGNIFICANT + 1], form[SIGNIFICANT + 40];
  size_t len = significant_digits(split.mantissa, digits, &split.exponent);

  if (len == 0)
    digits[len++] = '0';
  snprintf(form, sizeof(form), "%s%.*se%lld", split.negative ? "-" : "",
           (int)len, digits, (long long)split.exponent);
  return read_float(form, number);
}

/* Where digits follow, the number lies between two that do not have them;
 * mostly both are the same float, which it then is too. */
static bool
nearest_float(inf_sv text, float *number)
{
  start begin = read_start(text);
  double low, high;

  if (!scale_exactly(begin.digits, begin.exponent, &low) ||
      !scale_exactly(begin.digits + begin.more, begin.exponent, &high) ||
      is_between_floats(low) || is_between_floats(high) ||
      (float)low != (float)high)
    return false;
  *number = begin.negative ? -(float)low : (float)low;
  return isfinite(*number);
}

bool
inf_number_to_float(inf_sv text, float *number)
{
  return is_number(text) &&
         (nearest_float(text, number) || long_to_float(text, number));
}

size_t
inf_number_from_float(float number, char out[INF_NUMBER_MAX_BYTES])
{
  /* As of doubles: 6 digits are always kept, 9 always suffice. */
  int precision = fabsf(number) < FLT_MIN ? 1 : 6;

  for (;; precision++) {
    float back;
    snprintf(out, INF_NUMBER_MAX_BYTES, "%.*g", precision, (double)number);
    size_t len = plain_point(out);
    if (precision >= 9 || (read_float(out, &back) && back == number))
      return len;
  }
}
